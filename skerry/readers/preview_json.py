"""Reads `pulumi preview --json --show-sames` into a resource graph.

What the command does not print is absent: the outputs of stacks and components, the plugin versions that resources ask
for, and calls of provider functions. A secret is there, its value is not.
"""

# Source: pulumi/pulumi pkg/display/json.go (PreviewDigest, PreviewStep), read 2026-11.

from __future__ import annotations

from typing import Any, Final

from skerry.errors import GraphError
from skerry.graph import ResourceGraph
from skerry.readers.checkpoint import graph_of, read_json, rows_of

_WHAT: Final = "the preview"
_GONE: Final = frozenset(
    {"delete", "delete-replaced", "discard", "discard-replaced", "read-discard", "remove-pending-replace"}
)
"""Steps after which a resource is not there any more."""


def read_preview(text: str) -> ResourceGraph:
    """Return what a preview says will be there after a deployment.

    Raises:
        GraphError: `text` is no such preview, or it shows a part only: it failed, or leaves unchanged resources out.
    """
    if text.lstrip().startswith('{"sequence"'):
        raise GraphError(
            "this is the stream of a preview's events, which lacks dependencies: unset "
            "PULUMI_ENABLE_STREAMING_JSON_PREVIEW and run `pulumi preview --json --show-sames` again"
        )
    document = read_json(text, _WHAT)
    if "steps" not in document and "diagnostics" not in document:
        raise GraphError("the preview has no steps: give what `pulumi preview --json` printed")
    for row in rows_of(document, "diagnostics", _WHAT):
        if row.get("severity") == "error":
            raise GraphError(f"the preview failed, so it shows a part only: {str(row.get('message')).strip()}")
    found: dict[str, dict[str, Any]] = {}
    steps = rows_of(document, "steps", _WHAT)
    _check_whole(document, steps)
    for step in steps:
        if step.get("op") in _GONE:
            continue
        state = step.get("newState")
        if not isinstance(state, dict):
            raise GraphError(f"the preview's step '{step.get('op')}' of {step.get('urn')} has no new state")
        # A replacement is printed twice, as its creation and as the whole.
        found.setdefault(str(state.get("urn")), state)
    return graph_of(found.values(), "preview-json", _WHAT, states=False)


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
