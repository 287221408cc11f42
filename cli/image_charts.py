"""`skerry images charts`: whether the charts of a stack run just the images that it declares."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cli.options import add_output_options, add_source_options
from cli.output import deliver
from cli.sources import load_graph

if TYPE_CHECKING:
    from airgap_bundle.chart_images import ChartResult

SCHEMA: Final = "skerry.chart-images/1"
KUBERNETES: Final = "1.35.0"
"""What charts are told where nobody says; the version that the shipped cloud stacks ask for."""
_WORDS: Final = {
    "same": "runs what is declared",
    "differs": "runs what nobody declared",
    "absent": "not here, so not looked into",
    "failed": "cannot be rendered",
}


def add(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the step."""
    step = steps.add_parser(
        "charts",
        help="render the charts of a stack with its own values, and hold their images against the declared ones",
        description="A chart says only when it is rendered which images it runs. Exit code 1: one runs an image that "
        "its component does not declare, which a bundle would not carry, or a chart is not there.",
    )
    step.add_argument(
        "--charts", type=Path, required=True, metavar="DIR", help="packaged charts, as `helm pull` has them"
    )
    step.add_argument("--helm", default="helm", metavar="FILE", help="Helm 3 (default: the one on the PATH)")
    step.add_argument(
        "--kube-version", default=KUBERNETES, metavar="X.Y.Z", help=f"what charts are told (default: {KUBERNETES})"
    )
    add_source_options(step)
    add_output_options(step, ("text", "json"))
    step.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Render, compare, report."""
    from airgap_bundle.chart_images import check_charts
    from skerry.catalog import load_catalog

    rows = {row.name: row.named_only for row in load_catalog().charts.values()}
    results = check_charts(load_graph(args), args.charts, args.helm, args.kube_version, rows)
    deliver(_json(results) if args.format == "json" else _text(results), args.out)
    return 1 if any(one.outcome != "same" for one in results) else 0


def _json(results: Sequence[ChartResult]) -> str:
    return json.dumps({"schema": SCHEMA, "charts": [asdict(one) for one in results]}, indent=2) + "\n"


def _text(results: Sequence[ChartResult]) -> str:
    lines = []
    for one in results:
        told = f", {one.objects} objects, {len(one.images)} images" if one.outcome in ("same", "differs") else ""
        lines.append(f"{one.release} ({one.chart} {one.version}): {_WORDS[one.outcome]}{told}")
        lines += [f"  not declared: {image}" for image in one.undeclared]
        lines += [f"  named, but never run: {image}" for image in one.named_only]
        lines += [f"  declared, in no manifest: {image}" for image in one.not_rendered]
        if one.unknown:
            lines.append(f"  rendered with the word 'unknown' for {', '.join(one.unknown)}")
        if one.reason:
            lines.append(f"  {one.reason}")
    wrong = sum(one.outcome != "same" for one in results)
    lines.append(
        f"{len(results) - wrong} of {len(results)} charts run just what is declared" if results else "no chart"
    )
    return "\n".join(lines) + "\n"
