"""What the simulated providers would refuse of a graph: their checks, without the command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skerry.graph import UNKNOWN as GRAPH_UNKNOWN
from skerry.graph import Asset, ResourceGraph, ResourceRef, Secret
from tests.simulators.provider_check import ARCHIVE, ASSET, RESOURCE, SIGNATURE, UNKNOWN
from tests.simulators.pulumi_provider import check


def refusals(graph: ResourceGraph) -> list[str]:
    """Return one line for each property that a provider would refuse: `<urn> <property>: <reason>`."""
    return [
        f"{resource.urn} {one.property}: {one.reason}"
        for resource in graph.resources
        if resource.custom and not resource.external and not resource.type.startswith("pulumi:")
        for one in check(resource.type, _wire(resource.inputs))
    ]


def _wire(value: Any) -> Any:
    if value is GRAPH_UNKNOWN:
        return UNKNOWN
    if isinstance(value, Secret):
        return _wire(value.value)
    if isinstance(value, Asset):
        return {SIGNATURE: ARCHIVE if value.kind == "archive" else ASSET, "path": value.location}
    if isinstance(value, ResourceRef):
        return {SIGNATURE: RESOURCE}
    if isinstance(value, Mapping):
        return {key: _wire(item) for key, item in value.items()}
    return [_wire(item) for item in value] if isinstance(value, list | tuple) else value
