"""The architecture with an edge that only reads (10.4): its layers, and how old an answer of the edge may be."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from skerry.agentdb import tables
from skerry.agentdb.rows import Architecture, Layer
from skerry.figures import Figure, derived, stated


@dataclass(frozen=True, slots=True)
class EdgeLayers:
    """What stands where, and what the callers of the edge may count on."""

    row: Architecture
    layers: tuple[Layer, ...]
    staleness: Figure
    """Of what the edge has, in minutes."""
    staleness_with_cache: Figure
    recovery_point: Figure
    """Of the core alone: staleness is no lost write."""


def edge_layers() -> EdgeLayers:
    """Return the layers; the analysis gives neither machines nor bandwidth for them."""
    source = tables.profiles()
    edge = source.edge
    row = next(one for one in source.architectures if one.name == "hybrid-edge")
    old = edge.to_regions.value + edge.to_edge.value
    seeds = (edge.to_regions.seed, edge.to_edge.seed)
    how = f"{edge.to_regions.value} minutes to the regions and {edge.to_edge.value} to the edge"
    cached = old + edge.cache.value / Decimal(60)
    point = next(one for one in tables.operations().targets if one.name == "recovery point")
    return EdgeLayers(
        row,
        edge.layers,
        derived(old, "minutes", seeds, how),
        derived(cached, "minutes", (*seeds, edge.cache.seed), f"{how}, and a cache of {edge.cache.value} s"),
        stated(point.target, point.unit, point.seed, how="of the core"),
    )
