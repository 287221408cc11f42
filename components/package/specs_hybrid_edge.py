"""The fields of `skerry.config.hybrid_edge` as every Pulumi language writes them, word for word.

The schema analyzer reads these classes at run time, so that no annotation here may be a string; a test holds names,
types and descriptions equal to the specs, which check the values.
"""

from typing import NotRequired, TypedDict

from skerry.config.hybrid_edge import EdgeLayer


class HybridEdge(TypedDict):
    """What joins the layers."""

    layer: EdgeLayer
    """Which layer this stack is."""
    core_host: str
    """The name of the core."""
    core_jurisdiction: str
    """ISO 3166 code of the country where the core holds everything."""
    core_sync_s: NotRequired[int]
    """Seconds between two looks of a region at the core."""
    edge_sync_s: NotRequired[int]
    """Seconds between two looks of an edge at its region."""
    edge_cache_s: NotRequired[int]
    """Seconds that an edge keeps an answer."""
    staleness_s: NotRequired[int]
    """How old an answer at the edge may be; left out, as old as the two looks make it. It says nothing of a loss."""
    recovery_point_s: NotRequired[int]
    """How much a loss of the core may take: a matter of its backups, and not of how old answers are."""
