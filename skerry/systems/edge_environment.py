"""What a cache at the edge is told: that it only reads, from where, how often, and where writes go."""

from __future__ import annotations

from typing import Final

from skerry.config.agentdb import AgentDbSpec
from skerry.config.application import ServiceDefinition
from skerry.config.hybrid_edge import EdgeCacheSpec, EdgeHost, EdgeLayer, HybridEdgeSpec
from skerry.errors import UsageError
from skerry.service_catalog import load_services
from skerry.systems.edge_places import FUNCTIONS, ordered

WRITES: Final = ("POST", "PUT", "PATCH", "DELETE")
"""Calls that the edge hands to a region: every method of HTTP that changes something."""

_HERE: Final = {
    EdgeHost.FLY: "FLY_REGION",
    EdgeHost.VERCEL: "VERCEL_REGION",
    EdgeHost.RAILWAY: "RAILWAY_REPLICA_REGION",
}
"""Host -> the variable in which it tells a process its place.

Source: fly.io docs, "Regions" at superfly/docs 0007f663, read 2026-11; the other two (not opened; check before relying
on it).
"""


def layers_of(agentdb: AgentDbSpec) -> HybridEdgeSpec:
    """Return the layers.

    Raises:
        UsageError: the configuration describes none.
    """
    if agentdb.hybrid_edge is None:
        raise UsageError("the deployment has no layers: describe them in `agentdb.hybrid_edge`")
    return agentdb.hybrid_edge


def service_row() -> ServiceDefinition:
    """Return the catalogue's description of AgentDB.

    Raises:
        CatalogError: images/services.yaml has no row of it.
    """
    return load_services()["agentdb"].definition


def port() -> int:
    """Return the port that its image listens on.

    Raises:
        CatalogError: images/services.yaml has no row of it.
    """
    return service_row().ports["http"].port


def health_path() -> str:
    """Return the path by which it is asked whether it is well.

    Raises:
        CatalogError: images/services.yaml has no row of it.
    """
    probe = service_row().health
    return probe.path if probe is not None else "/health"


def write_url(layers: HybridEdgeSpec, cache: EdgeCacheSpec) -> str:
    """Return the region that writes are sent to."""
    return region_url(layers, cache.writes_to or next(iter(ordered(cache).values())))


def region_url(layers: HybridEdgeSpec, region: str) -> str:
    """Return where a region is called."""
    return f"https://{layers.regions[region].host}"


def edge_environment(agentdb: AgentDbSpec, cache: EdgeCacheSpec) -> dict[str, str]:
    """Return the plain variables of a cache; the user's own come last and no secret stands among them.

    Raises:
        CatalogError: images/services.yaml has no row of it.
        UsageError: the configuration describes no layers.
    """
    layers = layers_of(agentdb)
    places = ordered(cache)
    regions = list(dict.fromkeys(places.values()))
    found = {
        **service_row().environment,
        # Replicas at the edge do not join each other: each reads from its region.
        "QUIC_ENABLED": "false",
        "AGENTDB_LAYER": EdgeLayer.EDGE.value,
        "READ_ONLY": "true",
        "WRITES": "redirect",
        "WRITE_URL": write_url(layers, cache),
        "REGION_URL": region_url(layers, regions[0]),
        "EDGE_SYNC_S": str(layers.edge_sync_s),
        "EDGE_CACHE_S": str(layers.edge_cache_s),
    }
    if len(regions) > 1:
        found |= {
            "REGION_URLS": ",".join(f"{name}={region_url(layers, name)}" for name in regions),
            "EDGE_READS": ",".join(f"{place}={region}" for place, region in places.items()),
            "EDGE_PLACE_VARIABLE": _HERE[cache.runs_on],
        }
    if cache.runs_on not in FUNCTIONS:
        found["PORT"] = str(port())
    return {**found, **agentdb.environment}
