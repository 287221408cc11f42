"""Reads the tables of skerry/data/agentdb: `stress()`, `scaling()`, `hardware()` and so on, each read once.

The rows are those of skerry/agentdb/rows.py. `raw(name)` gives any table as it is written, for those who show it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from skerry.agentdb import cost_rows, rows
from skerry.errors import CatalogError

FOLDER: Final = Path(__file__).resolve().parent.parent / "data" / "agentdb"

NAMES: Final = (
    "stress", "scaling", "hardware", "storage", "network", "profiles", "costs", "operations", "benchmarks",
    "contradictions",
)  # fmt: skip
"""Every table."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Plan(_Table):
    """The parameters of the load test."""

    agents: rows.Values
    iterations: rows.Values
    duration_s: rows.Values
    concurrency: rows.Values
    scenario: rows.Scenario


class Stress(_Table):
    """The load test: what was measured, where, and the plan."""

    environment: rows.Environment
    rows: tuple[rows.Measured, ...]
    plan: Plan


class Scaling(_Table):
    """The decisions by size."""

    matrix: tuple[rows.Matrix, ...]
    sharding: tuple[rows.Sharding, ...]
    batching: tuple[rows.Batching, ...]
    bottlenecks: tuple[rows.Bottleneck, ...]
    bottlenecks_of_section_1: tuple[rows.Bottleneck, ...]
    limits: dict[str, rows.Stated]


class Hardware(_Table):
    """What one node needs, by every source."""

    development: dict[str, Any]
    single_node: tuple[rows.SingleNode, ...]
    scenarios: tuple[rows.ScenarioNeed, ...]
    claims_of_memory: tuple[rows.MemoryClaim, ...]
    memory_a_thousand_agents: rows.MemoryGrowth
    footprint: dict[str, rows.Stated]
    memory_profile: dict[str, rows.Stated]
    cpu_profile: dict[str, rows.Stated]


class Shards(_Table):
    """The sizes of section 5.1."""

    items: tuple[int, ...]
    rows: tuple[rows.ShardSizes, ...]


class Storage(_Table):
    """How large the stores become."""

    rates: dict[str, rows.Rate]
    divisor_of_appendix: rows.Stated
    divisor_of_section_8: rows.Stated
    shards: Shards
    densities: tuple[dict[str, Any], ...]
    growth: tuple[dict[str, Any], ...]
    examples: tuple[rows.Example, ...]
    recommended_disk: rows.Disk
    operations: tuple[dict[str, Any], ...]
    kinds: tuple[rows.DiskKind, ...]
    throughput: dict[str, rows.Stated]
    paths: dict[str, dict[str, str]]
    hash: dict[str, rows.Stated]


class Network(_Table):
    """Bandwidth and transfer."""

    deployments: tuple[rows.NetworkNeed, ...]
    multi_region: rows.NetworkNeed
    sizes: dict[str, rows.Stated]
    transfer: dict[str, rows.Stated]
    prices: tuple[rows.TransferPrice, ...]


class Edge(_Table):
    """The layers of the architecture with an edge, and how old what the outer ones show may be."""

    layers: tuple[rows.Layer, ...]
    to_regions: rows.Stated
    to_edge: rows.Stated
    cache: rows.Stated


class Profiles(_Table):
    """Architectures, profiles and phases."""

    architectures: tuple[rows.Architecture, ...]
    profiles: tuple[rows.Profile, ...]
    phases: tuple[rows.Phase, ...]
    conclusion: tuple[rows.Tier, ...]
    cost_a_thousand_agents: rows.Money
    edge: Edge


class Operations(_Table):
    """Targets, alerts, backup and checklists."""

    targets: tuple[rows.Target, ...]
    detection: dict[str, Any]
    sync_interval: rows.Stated
    repair: dict[str, Any]
    alerts: tuple[rows.Alert, ...]
    gates: tuple[rows.Gate, ...]
    backup: rows.Backup
    load_test_headroom: rows.Stated
    traffic_shift: dict[str, Any]
    watch: rows.Stated
    balancing: tuple[dict[str, Any], ...]
    failures: tuple[dict[str, Any], ...]
    patterns: tuple[dict[str, Any], ...]
    checklists: dict[str, tuple[rows.Step, ...]]


class Monthly(_Table):
    """The analysis' monthly costs, and the workload that they are of."""

    workload: dict[str, Any]
    rows: tuple[cost_rows.MonthlyCost, ...]


class ThreeYears(_Table):
    """The analysis' costs of three years."""

    months: int
    options: tuple[cost_rows.Option, ...]
    savings: tuple[cost_rows.Saving, ...]


class Shapes(_Table):
    """What the analysis' estimates are of."""

    ecs: cost_rows.Container
    rds: cost_rows.Database
    cloud_run: cost_rows.Container


class Costs(_Table):
    """What the analysis says that things cost: never a price of Skerry's."""

    estimates: tuple[cost_rows.Estimate, ...]
    monthly: Monthly
    three_years: ThreeYears
    strategies: tuple[cost_rows.Strategy, ...]
    cloud_run: cost_rows.CloudRunPrice
    migration: cost_rows.Migration
    local_against_cloud: dict[str, Any]
    shapes: Shapes


class _Contradictions(_Table):
    found: tuple[rows.Contradiction, ...]


_T = TypeVar("_T", bound=_Table)


@cache
def raw(name: str) -> Any:
    """Return a table as it is written.

    Raises:
        CatalogError: there is no such table.
    """
    if name not in NAMES:
        raise CatalogError(f"there is no table '{name}' of AgentDB: choose one of {', '.join(NAMES)}")
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def _read(name: str, model: type[_T]) -> _T:
    document = raw(name)
    try:
        return model.model_validate({"found": document} if isinstance(document, list) else document)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CatalogError(f"skerry/data/agentdb/{name}.yaml: {where}: {first['msg']}: mend the row") from exc


@cache
def stress() -> Stress:
    """Return the load test."""
    return _read("stress", Stress)


@cache
def scaling() -> Scaling:
    """Return the decisions by size."""
    return _read("scaling", Scaling)


@cache
def hardware() -> Hardware:
    """Return what a node needs."""
    return _read("hardware", Hardware)


@cache
def storage() -> Storage:
    """Return the sizes of the stores."""
    return _read("storage", Storage)


@cache
def network() -> Network:
    """Return bandwidth and transfer."""
    return _read("network", Network)


@cache
def profiles() -> Profiles:
    """Return architectures, profiles and phases."""
    return _read("profiles", Profiles)


@cache
def operations() -> Operations:
    """Return targets, alerts, backup and checklists."""
    return _read("operations", Operations)


@cache
def costs() -> Costs:
    """Return what the analysis says that things cost."""
    return _read("costs", Costs)


@cache
def contradictions() -> tuple[rows.Contradiction, ...]:
    """Return where the analysis contradicts itself."""
    return _read("contradictions", _Contradictions).found
