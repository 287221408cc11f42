"""The fields of `skerry.config.geo` as every Pulumi language writes them, word for word.

The schema analyzer reads these classes at run time, so that no annotation here may be a string; a test holds names,
types and descriptions equal to the specs, which check the values.
"""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from skerry.config.geo import Continent, RegionalWrites


class GeoRegion(TypedDict):
    """One region."""

    region: str
    """The cloud's name of it."""
    jurisdiction: str
    """ISO 3166 code of the country where it stands."""
    continents: Sequence[Continent]
    """Callers of these continents are sent there first."""
    network_cidr: str
    """The address range of its network; no two regions may share one."""
    base_stack: str
    """The stack of its base."""
    host: str
    """The name by which it alone is called, and by which its health is asked."""
    mesh_host: str
    """The name by which the other regions reach the replica that writes."""
    address: NotRequired[str]
    """The load balancer of its entrance, once it is up; the stack of names needs it."""
    mesh_address: NotRequired[str]
    """The load balancer between the regions, once it is up; the stack of names needs it."""


class Geo(TypedDict):
    """Several regions as one service."""

    here: NotRequired[str]
    """The region that this stack is; left out in the stack of names, which is none."""
    regions: Mapping[str, GeoRegion]
    """Name -> region; the same in all stacks."""
    host: str
    """The name by which callers reach the nearest region."""
    zone: str
    """The public zone of these names, which exists already."""
    mesh_zone: str
    """The private zone of the names between regions, which is made."""
    writes: RegionalWrites
    """What becomes of two regions that write the same."""
    ttl_s: NotRequired[int]
    """Seconds that an answer is kept: with more, callers would stay with a region that is lost."""
    health_interval_s: NotRequired[int]
    """Seconds between two looks at a region: 10 or 30."""
    health_failures: NotRequired[int]
    """Looks in a row that fail until a region is taken out."""
    sla_percent: NotRequired[float]
    """The share of time that is promised; left out, nothing is. What one recovery alone would break is refused."""
