"""One system in several regions: where each stands, how callers find the nearest, and how the regions are joined."""

from __future__ import annotations

from enum import Enum

from pydantic import Field

from skerry.config.words import CountryCode, DnsLabel, Spec
from skerry.config.zone import DnsName


class Continent(str, Enum):
    """Route 53's codes of continents."""

    AFRICA = "AF"
    ANTARCTICA = "AN"
    ASIA = "AS"
    EUROPE = "EU"
    OCEANIA = "OC"
    NORTH_AMERICA = "NA"
    SOUTH_AMERICA = "SA"


class RegionalWrites(str, Enum):
    """What becomes of two regions that write the same: a choice that nobody may leave open."""

    HOME_REGION = "home-region"
    """Each session writes in one region alone; while that is away its sessions cannot write."""
    LAST_WRITE_WINS = "last-write-wins"
    """Every region writes; of two writes to one key the later stays, and the other is lost."""
    CRDT = "crdt"
    """Every region writes, and what it writes can be merged without loss."""


class GeoRegionSpec(Spec):
    """One region."""

    region: str = Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    """The cloud's name of it."""
    jurisdiction: CountryCode
    """ISO 3166 code of the country where it stands."""
    continents: tuple[Continent, ...] = Field(min_length=1, max_length=7)
    """Callers of these continents are sent there first."""
    network_cidr: str
    """The address range of its network; no two regions may share one."""
    base_stack: str = Field(min_length=1, max_length=100)
    """The stack of its base."""
    host: DnsName
    """The name by which it alone is called, and by which its health is asked."""
    mesh_host: DnsName
    """The name by which the other regions reach the replica that writes."""
    address: DnsName | None = None
    """The load balancer of its entrance, once it is up; the stack of names needs it."""
    mesh_address: DnsName | None = None
    """The load balancer between the regions, once it is up; the stack of names needs it."""


class GeoSpec(Spec):
    """Several regions as one service."""

    here: DnsLabel | None = None
    """The region that this stack is; left out in the stack of names, which is none."""
    regions: dict[DnsLabel, GeoRegionSpec] = Field(min_length=2, max_length=6)
    """Name -> region; the same in all stacks."""
    host: DnsName
    """The name by which callers reach the nearest region."""
    zone: DnsName
    """The public zone of these names, which exists already."""
    mesh_zone: DnsName
    """The private zone of the names between regions, which is made."""
    writes: RegionalWrites
    """What becomes of two regions that write the same."""
    ttl_s: int = Field(default=60, ge=10, le=60)
    """Seconds that an answer is kept: with more, callers would stay with a region that is lost."""
    health_interval_s: int = Field(default=10, ge=10, le=30)
    """Seconds between two looks at a region: 10 or 30."""
    health_failures: int = Field(default=3, ge=1, le=10)
    """Looks in a row that fail until a region is taken out."""
    sla_percent: float | None = Field(default=None, ge=90, lt=100)
    """The share of time that is promised; left out, nothing is. What one recovery alone would break is refused."""
