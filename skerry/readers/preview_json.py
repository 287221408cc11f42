"""Reads the document of `pulumi preview --json`, of any program in any language.

The document holds steps; the state that each step leads to is the graph. It masks secrets as `[secret]` and never says
what they are, and it lacks what components and stacks export: those are in the stream of events only.
"""

# Source: pulumi/pulumi pkg/backend/display/json.go and pkg/display/json.go of v3.250.0, read 2026-11.

from __future__ import annotations

from typing import Any, Final

from skerry.errors import GraphError
from skerry.graph import Resource, ResourceGraph
from skerry.readers import rows

PRODUCER: Final = "preview-json"

_WHAT: Final = "the preview document"

_STAYS: Final = frozenset(
    {
        "same",
        "create",
        "update",
        "replace",
        "create-replacement",
        "read",
        "read-replacement",
        "refresh",
        "import",
        "import-replacement",
    }
)
"""Steps after which the resource is there."""

_GOES: Final = frozenset({"delete", "delete-replaced", "read-discard", "discard-replaced", "remove-pending-replace"})
"""Steps that take a resource, or an old copy of it, away."""


def read_preview(text: str) -> ResourceGraph:
    """Return the graph that a preview leads to.

    Raises:
        GraphError: the text is not such a document, the preview failed, or the document leaves resources out.
    """
    if text.lstrip().startswith('{"sequence"'):
        raise GraphError(
            "this is the stream of a preview's events, which lacks dependencies: unset "
            "PULUMI_ENABLE_STREAMING_JSON_PREVIEW and run `pulumi preview --json` again"
        )
    document = rows.parse(text, _WHAT)
    _check_diagnostics(document)
    steps = rows.member(document, "steps", list, [], _WHAT)
    if not steps:
        raise GraphError(f"{_WHAT} holds no step: give what `pulumi preview --json --show-sames` prints")
    found: dict[str, Resource] = {}
    left_out = dict(_counts(document))
    for number, step in enumerate(steps):
        where = f"step {number + 1}"
        if not isinstance(step, dict):
            raise GraphError(f"{where} is a {type(step).__name__} where an object is needed")
        operation = rows.member(step, "op", str, "", where)
        left_out[operation] = left_out.get(operation, 0) - 1
        resource = _resource(step, operation, where)
        if resource is not None:
            found[resource.urn] = resource
    if left_out.get("same", 0) > 0:
        raise GraphError(
            f"{_WHAT} leaves out {left_out['same']} unchanged resources: run `pulumi preview --json --show-sames`"
        )
    return _graph(found)


def _graph(found: dict[str, Resource]) -> ResourceGraph:
    kept = [one for one in found.values() if not rows.is_default_provider(one.type, one.name)]
    if not kept:
        raise GraphError(f"{_WHAT} holds no resource")
    homes = {tuple(one.urn.split("::", 2)[:2]) for one in kept}
    if len(homes) > 1:
        raise GraphError(f"{_WHAT} mixes stacks: {', '.join(sorted('::'.join(home) for home in homes))}")
    return ResourceGraph(
        project=kept[0].urn.split("::", 2)[1],
        stacks=(kept[0].stack,),
        resources=rows.in_order(kept, _WHAT),
        producer=PRODUCER,
    )


def _resource(step: dict[str, Any], operation: str, where: str) -> Resource | None:
    if operation in _GOES:
        return None
    if operation not in _STAYS:
        known = ", ".join(sorted(_STAYS | _GOES))
        raise GraphError(f"{where}: '{operation}' is not a step that this reader knows: {known}")
    state = rows.member(step, "newState", dict, {}, where)
    if not state:
        raise GraphError(f"{where}: the step '{operation}' has no newState")
    return rows.resource(state, where, masked=True)


def _counts(document: dict[str, Any]) -> dict[str, int]:
    counts = rows.member(document, "changeSummary", dict, {}, _WHAT)
    if not all(isinstance(count, int) for count in counts.values()):
        raise GraphError(f"{_WHAT}: 'changeSummary' does not hold counts")
    return counts


def _check_diagnostics(document: dict[str, Any]) -> None:
    """Refuse the document of a preview that failed: what it holds is a part of the graph."""
    for entry in rows.member(document, "diagnostics", list, [], _WHAT):
        if isinstance(entry, dict) and entry.get("severity") == "error":
            lines = str(entry.get("message", "")).strip().splitlines() or ["no message"]
            # What a Python program raised stands at the end of its traceback.
            line = lines[-1] if "Traceback" in lines[0] else lines[0]
            raise GraphError(f"the preview failed, so its document is not whole: {line.removeprefix('error: ')}")
