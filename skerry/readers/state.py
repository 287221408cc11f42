"""Reads what `pulumi stack export` prints: the graph as it was deployed last, of any program in any language.

A secret is a secret unknown, unless the state was exported with --show-secrets. Nothing in a state is unknown
otherwise.
"""

# Source: pulumi/pulumi sdk/go/common/apitype/core.go and pkg/resource/stack/deployment.go of v3.250.0, read 2026-11.

from __future__ import annotations

from typing import Any, Final

from skerry.errors import GraphError
from skerry.graph import Resource, ResourceGraph
from skerry.readers import rows

PRODUCER: Final = "state"

_WHAT: Final = "the exported state"

_VERSIONS: Final = (3, 4)
"""Version 4 is version 3 with a list of the features that a reader must know."""

_FEATURES: Final = frozenset({"refreshBeforeUpdate", "hooks", "taint", "replaceWith"})
"""Features that add marks to a resource and leave its inputs, parents and dependencies as they were."""


def read_state(text: str) -> ResourceGraph:
    """Return the graph of an exported state.

    Raises:
        GraphError: the text is no exported state, of a version or with a feature that this reader does not know, or
            holds no resource.
    """
    document = rows.parse(text, _WHAT)
    version = document.get("version")
    if version not in _VERSIONS:
        raise GraphError(f"{_WHAT} has the version {version!r}: this reader knows {_VERSIONS[0]} and {_VERSIONS[1]}")
    deployment = rows.member(document, "deployment", dict, {}, _WHAT)
    unknown = sorted(set(rows.texts(document, "features", _WHAT)) - _FEATURES)
    if unknown:
        raise GraphError(f"{_WHAT} needs the features {', '.join(unknown)}: this reader does not know them")
    found: list[Resource] = []
    for number, row in enumerate(rows.member(deployment, "resources", list, [], _WHAT)):
        where = f"resource {number + 1}"
        if not isinstance(row, dict):
            raise GraphError(f"{where} is a {type(row).__name__} where an object is needed")
        if _is_alive(row, where):
            found.append(rows.resource(row, where, masked=False))
    kept = [one for one in found if not rows.is_default_provider(one.type, one.name)]
    if not kept:
        raise GraphError(f"{_WHAT} holds no resource: run `pulumi up` first, or name another stack")
    return ResourceGraph(
        project=kept[0].urn.split("::", 2)[1],
        stacks=(kept[0].stack,),
        resources=rows.in_order(kept, _WHAT),
        producer=PRODUCER,
    )


def _is_alive(row: dict[str, Any], where: str) -> bool:
    """Say whether a row is not the old copy of a replaced resource, which waits to be deleted."""
    return not rows.member(row, "delete", bool, False, where)
