"""`skerry images`: the pins of images/, and what registries say about them."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cli import image_charts
from cli.options import add_output_options, add_source_options
from cli.output import deliver, say, write_file
from cli.registries import add_origin_options, add_registry_options, pairs, read_login_file, transport_options
from cli.sources import file_source, load_graph
from skerry.errors import UsageError

if TYPE_CHECKING:
    from skerry.catalog import Catalog, ChartRow, Lock
    from skerry.images import ImageReference

LOCK_HEAD: Final = (
    "# What registries answered for the references of images.yaml and charts.yaml, written by `skerry images lock`.\n"
    "# A reference without a row, or with a row that says `unresolved`, has no digest and no size.\n"
)
_PLATFORM: Final = re.compile(r"^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?$")


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser], help_: str) -> None:
    """Add the verb and its steps."""
    parser = verbs.add_parser("images", help=help_)
    steps = parser.add_subparsers(dest="step", required=True, metavar="lock|charts")
    step = steps.add_parser(
        "lock",
        help="ask the registries what every pin stands for, and write it into images/images.lock",
        description="Asks for every image of images.yaml and every chart of charts.yaml, and with --stack for the "
        "images that the stack's own configuration names. Exit code 1: a tag moved, is gone, or with --check the lock "
        "lacks what a registry says; 3: a registry gave no answer.",
    )
    step.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="a row's name or an image reference; may be repeated",
    )
    step.add_argument(
        "--platform",
        default="linux/amd64,linux/arm64",
        metavar="LIST",
        help="whose manifests are recorded beside the index (default: linux/amd64,linux/arm64)",
    )
    step.add_argument("--check", action="store_true", help="write nothing; fail where lock and registries differ")
    step.add_argument("--update", action="store_true", help="take the new digest of a tag that moved")
    step.add_argument("--lock", type=Path, metavar="FILE", help="the lock to fill in place of images/images.lock")
    step.add_argument("--pins", type=Path, metavar="DIR", help="a folder with images.yaml and the rest, of your own")
    add_origin_options(step)
    add_registry_options(step)
    add_source_options(step)
    add_output_options(step, ("text", "json"))
    step.set_defaults(run=run_lock)
    image_charts.add(steps)


def run_lock(args: argparse.Namespace) -> int:
    """Ask, report, and write what is known now.

    Raises:
        UsageError: a name has no row, or a platform is none.
    """
    from airgap_bundle.auth import find_logins
    from airgap_bundle.fetch import Sources
    from airgap_bundle.lock import lock_rows
    from airgap_bundle.lock_report import lock_report_json, lock_report_text
    from skerry.catalog import CATALOG_FOLDER, lock_text

    if args.check and args.update:
        raise UsageError("--check writes nothing, and --update is about what is written: give one of them")
    folder = args.pins or CATALOG_FOLDER
    path = args.lock or folder / "images.lock"
    catalog, lock = _pins(folder, path)
    images, charts = _wanted(args, catalog, lock)
    logins = read_login_file(args.logins or find_logins(os.environ, Path.home()))
    report = lock_rows(
        lock,
        Sources(pairs(args.source), args.mirror, transport_options(args), logins),
        images=images,
        charts=charts,
        platforms=_platforms(args.platform),
        update=args.update,
    )
    text = lock_report_json(report) if args.format == "json" else lock_report_text(report, check=args.check)
    if args.check:
        deliver(text, args.out)
        return report.check_code
    if any(row.changed for row in report.rows):
        write_file(path, LOCK_HEAD + lock_text(report.lock))
        say(f"written: {path}")
    else:
        say(f"unchanged: {path}")
    deliver(text, args.out)
    return report.exit_code


def _pins(folder: Path, path: Path) -> tuple[Catalog, Lock]:
    """Read the rows and the lock; a lock that is not there yet is an empty one."""
    from skerry.catalog import CATALOG_FOLDER, LOCK_SCHEMA, Lock, load_catalog, read_lock

    lock = read_lock(path) if path.exists() else Lock(schema_=LOCK_SCHEMA, images={})
    if lock.rehearsal:
        raise UsageError(f"{path} holds the digests of stand-ins of a rehearsal: name another file with --lock")
    return load_catalog(folder, path if path.exists() else CATALOG_FOLDER / "images.lock"), lock


def _wanted(args: argparse.Namespace, catalog: Catalog, lock: Lock) -> tuple[list[ImageReference], list[ChartRow]]:
    """Return what to ask for: all rows, those of a stack's own images, or those that `--only` names."""
    from skerry.images import ImageReference

    images = {row.name: ImageReference.parse(row.reference) for row in catalog.images.values()}
    charts = dict(catalog.charts)
    if args.stack or args.program or file_source(args):
        images |= _images_of_stack(args, lock, {image.source for image in images.values()})
    if not args.only:
        return list(images.values()), list(charts.values())
    known = {*images, *charts, *(image.source for image in images.values())}
    for name in args.only:
        if name not in known:
            raise UsageError(
                f"--only '{name}' is the name of no image and no chart: "
                f"{', '.join(sorted({*images, *charts}))} are known; --stack adds the images that a stack names"
            )
    only = set(args.only)
    return (
        [image for name, image in images.items() if name in only or image.source in only],
        [chart for name, chart in charts.items() if name in only],
    )


def _images_of_stack(args: argparse.Namespace, lock: Lock, known: set[str]) -> dict[str, ImageReference]:
    """Return the images that the components of a stack name beyond the rows, without those pinned by the user."""
    from skerry.facts import ComponentFacts, facts_of
    from skerry.images import ImageReference

    found = {}
    for resource in load_graph(args).resources:
        for image in (facts_of(resource) or ComponentFacts()).images:
            entry = lock.images.get(image.reference)
            own = image.digest is not None and (entry is None or entry.digest != image.digest)
            if image.reference not in known and not own:
                found[image.reference] = ImageReference.parse(image.reference)
    return found


def _platforms(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if not _PLATFORM.match(name):
            raise UsageError(f"--platform '{name}' is not os/architecture: write for example linux/amd64,linux/arm64")
    if not names:
        raise UsageError("--platform names none: write for example linux/amd64")
    return names
