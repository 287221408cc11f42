"""The fields of `skerry.config.hybrid_edge` as every Pulumi language writes them, word for word.

The schema analyzer reads these classes at run time, so that no annotation here may be a string; a test holds names,
types and descriptions equal to the specs, which check the values.
"""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from skerry.config.hybrid_edge import EdgeHost, EdgeLayer


class EdgeRegion(TypedDict):
    """A region that caches at the edge read from, and that writes are sent to."""

    host: str
    """The name of the region."""
    jurisdiction: str
    """ISO 3166 code of the country where it stands."""


class EdgeCache(TypedDict):
    """A cache at the edge, as one app of its host."""

    runs_on: EdgeHost
    """Whose machines run it."""
    host: str
    """The name that it is called by."""
    reads: Mapping[str, str]
    """The host's word for a place (Cloudflare: a region of Regional Services) -> the region that is read from there."""
    primary: NotRequired[str]
    """The place whose region is the default one, and where a host does what it does once; required of several."""
    countries: NotRequired[Mapping[str, str]]
    """Place -> ISO 3166 code, of places that Skerry does not know the country of."""
    writes_to: NotRequired[str]
    """The region that writes are sent to; left out, that of the primary place."""
    minimum: NotRequired[int]
    """How many run in a place at least; left out, what its host can do with the fewest. Functions have none."""
    maximum: NotRequired[int]
    """How many run in a place at most; left out, 2. Functions have none."""
    bundle: NotRequired[str]
    """The module that answers, of a host that runs functions; left out on Cloudflare, answers come from the region."""
    registry_login: NotRequired[str]
    """What Render calls the login to the image's registry; left out, the image is public."""


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
    regions: NotRequired[Mapping[str, EdgeRegion]]
    """The regions, for layer `edge` alone."""
    caches: NotRequired[Mapping[str, EdgeCache]]
    """The caches, for layer `edge` alone."""
