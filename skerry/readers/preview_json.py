"""Reads `pulumi preview --json` into a resource graph.

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
        GraphError: `text` is no such preview, or the preview itself failed and so shows a part only.
    """
    document = read_json(text, _WHAT)
    if "steps" not in document and "diagnostics" not in document:
        raise GraphError("the preview has no steps: give what `pulumi preview --json` printed")
    for row in rows_of(document, "diagnostics", _WHAT):
        if row.get("severity") == "error":
            raise GraphError(f"the preview failed, so it shows a part only: {str(row.get('message')).strip()}")
    found: dict[str, dict[str, Any]] = {}
    for step in rows_of(document, "steps", _WHAT):
        if step.get("op") in _GONE:
            continue
        state = step.get("newState")
        if not isinstance(state, dict):
            raise GraphError(f"the preview's step '{step.get('op')}' of {step.get('urn')} has no new state")
        # A replacement is printed twice, as its creation and as the whole.
        found.setdefault(str(state.get("urn")), state)
    return graph_of(found.values(), "preview-json", _WHAT, states=False)
