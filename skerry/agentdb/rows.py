"""What one row of a table of skerry/data/agentdb may hold.

Every row names its `seed`, `<document>:<line>`. The analysis' MB and GB of memory are kept in MB as written,
where 1 GB is 1024 MB; readers take them as MiB, the larger reading.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Seed = Annotated[str, Field(pattern=r"^\d{3}:\d{1,5}$")]
"""A document and a line of it."""

Bounds = tuple[int, int]
"""Lowest and highest; the same twice for one figure."""

DOCUMENTS: Final = {"000": "Sensei deployment architecture", "003": "AgentDB v2.0 scalability and deployment analysis"}
"""Number -> title of the documents that rows name."""


class Row(BaseModel):
    """One row: no key is optional by accident, and none is unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    seed: Seed
    """The line on which the row stands."""
    lines: dict[str, Seed] = {}
    """Fields that stand on a line of their own."""

    def line(self, field: str) -> str:
        """Return the line on which one field stands."""
        return self.lines.get(field, self.seed)


class Stated(Row):
    """One figure with its unit."""

    value: Decimal
    unit: str


class Range(Row):
    """A row that holds for a range of agents, episodes or the like."""

    above: int = 0
    """Not in the range."""
    upto: int | None = None
    """In the range; None for everything above."""
    below: int | None = None
    """Not in the range."""

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if self.upto is not None and self.below is not None:
            raise ValueError("a range ends with upto or with below")
        return self

    def holds(self, count: int) -> bool:
        """Say whether `count` is in the range."""
        if count <= self.above:
            return False
        if self.below is not None:
            return count < self.below
        return self.upto is None or count <= self.upto


class Measured(Row):
    """One run of the load test."""

    agents: int
    concurrency: int
    ops_s: Decimal
    p50_ms: Decimal
    memory_mb: Decimal
    success_percent: Decimal
    cpu_percent: Decimal


class Environment(Row):
    """The machine of the load test."""

    cores: int
    processor: str
    memory_gb: int
    disk_gb: int
    iops: int
    network_gbps: int
    database: str


class Values(Row):
    """The values of one parameter."""

    values: tuple[int, ...]


class Scenario(Row):
    """The simulation that a load test runs."""

    name: str


class Matrix(Range):
    """One row of the decision matrix."""

    architecture: str
    nodes: Bounds | None = None
    """Of one region; None where the analysis gives no number."""
    cores: int
    memory_mb: int
    batching: bool
    sharded: bool
    multi_region: bool


class Sharding(Range):
    """How a number of episodes is split."""

    strategy: str
    functional: bool
    hash_shards: tuple[int, int | None] | None = None
    """Of each store; no upper number: as many as are needed."""


class Batching(Range):
    """How a number of episodes is written."""

    rule: str
    batch: int | None = None


class Bottleneck(Range):
    """What limits a number of agents."""

    what: str
    remedy: str = ""
    gain: str = ""


class SingleNode(Row):
    """What a node needs for so many agents."""

    name: str
    upto: int
    cores: Decimal
    memory_mb: int
    disk_gb: int
    network_mbps: int
    plus: bool
    """Whether the figures are lower bounds."""


class ScenarioNeed(Row):
    """What a node needs for one scenario."""

    name: str
    upto: int
    cores: Decimal
    memory_mb: int
    disk_mb: int
    network_mbps: int
    note: str


class MemoryClaim(Row):
    """A figure of memory that is shown beside the load test and never used."""

    at: int
    """Agents."""
    memory_mb: int
    says: str


class MemoryGrowth(Row):
    """What the load test's remark says of memory."""

    low_mb: int
    high_mb: int


class Rate(Row):
    """How much one record takes."""

    store: str
    kb: Decimal
    appendix: Seed
    table: Seed


class ShardSizes(Row):
    """How large one store is at 1000, 10000 and 100000 items."""

    store: str
    mb: tuple[Decimal, ...]
    growth: str


class Example(Row):
    """A size that the analysis prints."""

    episodes: int
    skills: int
    causal_edges: int
    graph_nodes: int
    printed_mb: Decimal


class Disk(Row):
    """The disk that the analysis recommends."""

    gb: int
    usd_month: int


class DiskKind(Row):
    """A kind of storage."""

    deployment: str
    kind: str
    iops: int
    usd_gb_month: Decimal | None = None
    note: str


class NetworkNeed(Row):
    """The bandwidth of one deployment."""

    name: str
    upto_nodes: int | None = None
    in_mbps: int
    out_mbps: int
    sync_mbps: int
    total_mbps: int
    topology: str


class TransferPrice(Row):
    """What the analysis takes for a GB."""

    name: str
    usd_gb: Decimal
    sku: str
    """In Skerry's price book."""


class Architecture(Row):
    """One architecture of section 10."""

    name: str
    nodes: int | None = None
    """In all regions; None where the analysis gives no number."""
    regions: int
    cores: Bounds | None = None
    memory_mb: Bounds | None = None
    disk_gb: Bounds | None = None
    network_mbps: int | None = None
    max_agents: int
    plus: bool = False
    usd_month: Bounds


class Profile(Row):
    """One profile of section 12; figures are of one node."""

    name: str
    where: str
    targets: tuple[str, ...]
    nodes: Bounds
    """In all regions."""
    nodes_a_region: Bounds | None = None
    scaling: Bounds | None = None
    """The autoscaler's, which contradicts `nodes` in the analysis."""
    regions: int
    cores: int
    cpu_units: int | None = None
    memory_mb: int
    disk_gb: int
    database: str
    usd_month: Bounds
    max_agents: int
    max_agents_seed: Seed
    plus: bool = False
    backups: str = ""
    uptime_percent: Decimal | None = None
    latency_ms: int | None = None


class Layer(Row):
    """One layer of the architecture with an edge."""

    name: str
    where: str
    latency_ms: Bounds
    reads: bool
    writes: bool


class Phase(Row):
    """One phase of the migration."""

    name: str
    months: tuple[int, int | None]
    agents: tuple[int, int | None]
    deploy: str
    usd_month: Bounds


class Tier(Range):
    """One range of the conclusion."""

    deploy: str
    usd_month: Bounds


class Money(Row):
    """A bound of cost."""

    usd_month: Bounds


class Target(Row):
    """One target of service."""

    name: str
    target: Decimal
    unit: str
    comparison: str
    claimed: Decimal


class Alert(Row):
    """One alert."""

    name: str
    above: Decimal
    unit: str


class Gate(Row):
    """A limit that a release must keep."""

    name: str
    below: Decimal
    unit: str


class Backup(Row):
    """How backups are taken."""

    every: str
    retention_days: int
    database_seed: Seed


class Step(Row):
    """One step of a checklist."""

    step: str
    command: str = ""
    limit: str = ""


class Said(Row):
    """One side of a contradiction, in our words."""

    text: str


class When(BaseModel):
    """What must be so for a contradiction to touch an answer; nothing: always."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    agents_from: int | None = None
    agents_to: int | None = None
    nodes_from: int | None = None
    regions_from: int | None = None
    episodes_from: int | None = None
    target: str | None = None
    profile: str | None = None
    edge: bool = False


class Contradiction(BaseModel):
    """Where the analysis contradicts itself or cannot be so."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str = Field(pattern=r"^[a-z0-9-]+$")
    row: str = Field(pattern=r"^S\d{3}-\d{2,3}$")
    """The requirement in docs/coverage.md."""
    touches: tuple[str, ...]
    """Parts of an answer."""
    when: When = When()
    says: tuple[Said, ...]
    does: str
    """What Skerry does."""
