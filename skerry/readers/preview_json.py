"""Reads what `pulumi preview --json` prints into a resource graph, in both of its forms.

The whole document (`--show-sames` is needed for a stack that exists) has no outputs of stacks and components; the
stream of events (PULUMI_ENABLE_STREAMING_JSON_PREVIEW, and `--event-log`) has those, but no dependencies. Neither has
the plugin versions that resources ask for, aliases, and calls of provider functions. A secret is there, its value is
not.
"""

# Source: pulumi/pulumi pkg/display/json.go (PreviewDigest, PreviewStep), pkg/backend/display/json.go and
# pkg/resource/deploy/step.go, read 2026-11.

from __future__ import annotations

from typing import Any, Final

from skerry.errors import GraphError
from skerry.graph import ResourceGraph
from skerry.readers.checkpoint import graph_of, printed_config, read_json, rows_of
from skerry.readers.preview_events import is_stream, read_events
from skerry.readers.steps import Steps, one_line

_WHAT: Final = "the preview"


def read_preview(text: str) -> ResourceGraph:
    """Return what a preview says will be there after a deployment.

    Raises:
        GraphError: `text` is no such preview, or it shows a part only: it failed, was cut off, leaves unchanged
            resources out, or was asked for some targets.
    """
    if is_stream(text):
        return read_events(text)
    document = read_json(text, _WHAT)
    if "steps" not in document and "diagnostics" not in document:
        raise GraphError(f"the preview has no steps: give what `pulumi preview --json` printed{_other(document)}")
    for row in rows_of(document, "diagnostics", _WHAT):
        if row.get("severity") == "error":
            raise GraphError(f"the preview failed, so it shows a part only: {one_line(row.get('message'))}")
    printed = rows_of(document, "steps", _WHAT)
    _check_whole(document, printed)
    steps = Steps(_WHAT)
    for step in printed:
        steps.add(step.get("op"), step.get("urn"), step.get("oldState"), step.get("newState"))
    return graph_of(
        steps.there(),
        "preview-json",
        _WHAT,
        states=False,
        hides_providers=True,
        config=printed_config(document.get("config"), _WHAT),
    )


def _other(document: dict[str, Any]) -> str:
    """Name the option that takes what was given in place of a preview."""
    if "deployment" in document or "checkpoint" in document:
        return "; this is a state, which --from-state reads"
    return "; this is a graph of Skerry's, which --graph reads" if "schema" in document else ""


def _check_whole(document: dict[str, Any], steps: list[dict[str, Any]]) -> None:
    """Refuse a preview without its unchanged resources: only their number tells that they are missing."""
    summary = document.get("changeSummary") or {}
    same = summary.get("same", 0) if isinstance(summary, dict) else None
    if not isinstance(same, int):
        raise GraphError("'changeSummary' of the preview does not hold counts")
    missing = same - sum(step.get("op") == "same" for step in steps)
    if missing > 0:
        raise GraphError(
            f"the preview leaves out {missing} unchanged resources: run `pulumi preview --json --show-sames`"
        )
