"""What the analysis says beside the load test: single scenarios, what copies take, what a disk carries.

Nothing is sized by it; it is shown, so that whoever runs such a scenario can hold his own figures against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from skerry.agentdb import tables
from skerry.figures import Figure, Kind, derived, stated

_SECTIONS: Final[Mapping[str, str]] = {
    "lean-agentic-swarm": "lean_swarm",
    "voting-consensus": "voting",
    "stock-market": "market",
}
"""Scenario of section 1.4 -> its own section in 2."""

_HOSTS: Final = "hosts"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One run of one simulation, on one machine."""

    name: str
    agents: int
    ops_s: Figure
    lower_ops_s: Figure | None
    """What another section measured of the same; None: it says the same, or nothing."""
    p50_ms: Figure | None
    memory_mb: Figure
    batch_gain: Figure | None
    """How many times faster it is in batches."""


@dataclass(frozen=True, slots=True)
class Copies:
    """What it takes to keep nodes alike over QUIC."""

    latency_ms: tuple[Figure, Figure]
    overhead_percent: tuple[Figure, Figure]


@dataclass(frozen=True, slots=True)
class Carried:
    """How often a second a disk can do one thing, were it to do nothing else."""

    what: str
    iops: Figure
    mb_s: Figure
    latency_ms: Figure
    per_second: Figure


def scenarios(agents: int) -> tuple[Scenario, ...]:
    """Return the scenarios that were run with at most so many agents, the smallest first."""
    whole = tables.raw("benchmarks")
    found = [_scenario(row, whole.get(_SECTIONS.get(row["name"], ""), {})) for row in whole["scenarios"]]
    found.append(_reflexion(whole["reflexion"]["measured"]))
    return tuple(sorted((one for one in found if one.agents <= agents), key=lambda one: (one.agents, one.name)))


def _scenario(row: Mapping[str, Any], section: Mapping[str, Any]) -> Scenario:
    own = section.get("measured", {})
    seeds = [own["seed"]] if own else []
    lower = _measured(row["lower_ops_s"], "operations/s", row["lower_seed"]) if "lower_ops_s" in row else None
    return Scenario(
        row["name"],
        row["agents"],
        _measured(row["ops_s"], "operations/s", row["seed"]),
        lower,
        _measured(own["latency_ms"], "ms", *seeds) if own else None,
        # The second section has the decimals of the same run.
        _measured(own.get("memory_mb", row["memory_mb"]), "MiB", row["seed"], *seeds),
        _measured(own["gain"], "times", *seeds) if "gain" in own else None,
    )


def _reflexion(row: Mapping[str, Any]) -> Scenario:
    seed = row["seed"]
    return Scenario(
        "reflexion-learning",
        row["episodes"],
        _measured(row["ops_s"], "operations/s", seed),
        None,
        _measured(row["latency_ms"], "ms", seed),
        _measured(row["memory_mb"], "MiB", seed),
        _measured(row["gain"], "times", seed),
    )


def _measured(value: Any, unit: str, *seeds: str) -> Figure:
    return Figure(Decimal(str(value)), unit, Kind.MEASURED, seeds, "one scenario, measured on one machine")


def copies(nodes: int) -> Copies | None:
    """Return what copies between nodes take; None where there is one node."""
    if nodes < 2:
        return None
    limits = tables.scaling().limits

    def pair(name: str, unit: str) -> tuple[Figure, Figure]:
        low, high = limits[f"{name}_low"], limits[f"{name}_high"]
        return stated(low.value, unit, low.seed), stated(high.value, unit, high.seed)

    return Copies(pair("sync_latency_ms", "ms"), pair("sync_overhead_percent", "percent of throughput"))


def carried(target: str) -> tuple[Figure, tuple[Carried, ...]]:
    """Return the operations a second of a node's disk, and what that carries.

    Args:
        target: what the nodes stand on; `hosts` have disks of their own, the others volumes of Kubernetes.
    """
    source = tables.storage()
    wanted = "local" if target == _HOSTS else "Kubernetes"
    (kind,) = (row for row in source.kinds if row.deployment == wanted)
    disk = stated(kind.iops, "operations/s", kind.seed, how=kind.kind)
    return disk, tuple(_carried(row, kind.iops, kind.seed) for row in source.operations)


def _carried(row: Mapping[str, Any], iops: int, seed: str) -> Carried:
    each = Decimal(iops) / row["iops"]
    return Carried(
        row["name"],
        stated(row["iops"], "operations of the disk", row["seed"]),
        stated(row["mb_s"], "MB/s", row["seed"]),
        stated(row["latency_ms"], "ms", row["seed"]),
        derived(each, "a second", (seed, row["seed"]), f"{iops} / {row['iops']}"),
    )
