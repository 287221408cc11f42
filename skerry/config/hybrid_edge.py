"""AgentDB in layers: a core that holds everything, regions that write, and an edge that only reads."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from pydantic import Field

from skerry.config.words import CatalogName, CountryCode, DnsLabel, Spec
from skerry.config.zone import DnsName

PlaceCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=40)]
"""What a host calls one of its places."""

BundlePath = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]*\.(js|mjs|ts)$", max_length=200)]
"""Where a module lies in the user's own project."""


class EdgeLayer(str, Enum):
    """Which layer a stack is."""

    CORE = "core"
    """The source of truth, with its PostgreSQL."""
    REGIONAL = "regional"
    """Takes writes of its region, hands them to the core, and answers what the edge has not."""
    EDGE = "edge"
    """Only reads; `skerry render` writes the files of its hosts, and nothing of it is made by a deployment."""


class EdgeHost(str, Enum):
    """Whose machines a cache at the edge runs on."""

    FLY = "fly"
    VERCEL = "vercel"
    NETLIFY = "netlify"
    CLOUDFLARE = "cloudflare"
    RAILWAY = "railway"
    RENDER = "render"


class EdgeRegionSpec(Spec):
    """A region that caches at the edge read from, and that writes are sent to."""

    host: DnsName
    """The name of the region."""
    jurisdiction: CountryCode
    """ISO 3166 code of the country where it stands."""


class EdgeCacheSpec(Spec):
    """A cache at the edge, as one app of its host."""

    runs_on: EdgeHost
    """Whose machines run it."""
    host: DnsName
    """The name that it is called by."""
    reads: dict[PlaceCode, DnsLabel] = Field(min_length=1, max_length=30)
    """The host's word for a place (Cloudflare: a region of Regional Services) -> the region that is read from there."""
    primary: PlaceCode | None = None
    """The place whose region is the default one, and where a host does what it does once; required of several."""
    countries: dict[PlaceCode, CountryCode] = Field(default={}, max_length=30)
    """Place -> ISO 3166 code, of places that Skerry does not know the country of."""
    writes_to: DnsLabel | None = None
    """The region that writes are sent to; left out, that of the primary place."""
    minimum: int | None = Field(default=None, ge=0, le=50)
    """How many run in a place at least; left out, what its host can do with the fewest. Functions have none."""
    maximum: int | None = Field(default=None, ge=1, le=50)
    """How many run in a place at most; left out, 2. Functions have none."""
    bundle: BundlePath | None = None
    """The module that answers, of a host that runs functions; left out on Cloudflare, answers come from the region."""
    registry_login: CatalogName | None = None
    """What Render calls the login to the image's registry; left out, the image is public."""


class HybridEdgeSpec(Spec):
    """What joins the layers."""

    layer: EdgeLayer
    """Which layer this stack is."""
    core_host: DnsName
    """The name of the core."""
    core_jurisdiction: CountryCode
    """ISO 3166 code of the country where the core holds everything."""
    core_sync_s: int = Field(default=300, ge=1, le=86_400)
    """Seconds between two looks of a region at the core."""
    edge_sync_s: int = Field(default=60, ge=1, le=86_400)
    """Seconds between two looks of an edge at its region."""
    edge_cache_s: int = Field(default=60, ge=1, le=86_400)
    """Seconds that an edge keeps an answer."""
    staleness_s: int | None = Field(default=None, ge=1, le=604_800)
    """How old an answer at the edge may be; left out, as old as the two looks make it. It says nothing of a loss."""
    recovery_point_s: int | None = Field(default=None, ge=1, le=604_800)
    """How much a loss of the core may take: a matter of its backups, and not of how old answers are."""
    regions: dict[DnsLabel, EdgeRegionSpec] = Field(default={}, max_length=20)
    """The regions, for layer `edge` alone."""
    caches: dict[DnsLabel, EdgeCacheSpec] = Field(default={}, max_length=20)
    """The caches, for layer `edge` alone."""

    @property
    def oldest_s(self) -> int:
        """How old an answer at the edge can be, without its cache."""
        return self.core_sync_s + self.edge_sync_s
