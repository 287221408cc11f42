"""AgentDB in layers: a core that holds everything, regions that write, and an edge that only reads."""

from __future__ import annotations

from enum import Enum

from pydantic import Field

from skerry.config.words import CountryCode, Spec
from skerry.config.zone import DnsName


class EdgeLayer(str, Enum):
    """Which layer a stack is; the edge itself runs on hosts that are no stack's."""

    CORE = "core"
    """The source of truth, with its PostgreSQL."""
    REGIONAL = "regional"
    """Takes writes of its region, hands them to the core, and answers what the edge has not."""


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

    @property
    def oldest_s(self) -> int:
        """How old an answer at the edge can be, without its cache."""
        return self.core_sync_s + self.edge_sync_s
