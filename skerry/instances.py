"""The catalogue of cloud instance types: what each has, and the smallest that meets a need.

The rows are skerry/data/instances.csv, each with its source.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from skerry.errors import CatalogError

_TABLE = Path(__file__).resolve().parent / "data" / "instances.csv"
_SUSTAINED = re.compile(r"^(\d+(?:\.\d+)?) Gbps\b")
"""A rate that the row states outright; `up to ...` is no promise, and InfiniBand is another network."""
_EFA = re.compile(r"\bEFA x(\d+)\b")


@dataclass(frozen=True, slots=True)
class InstanceType:
    """One instance type of a cloud."""

    cloud: str
    name: str
    gpu_model: str | None
    gpus: int
    gpu_memory_gib: float
    """Memory of one GPU."""
    vcpu: int
    memory_gib: float
    network: str
    """In the words of the source."""
    source: str

    @property
    def network_gbps(self) -> float | None:
        """The bandwidth in Gbit/s that the type keeps up; None where no source says it."""
        found = _SUSTAINED.match(self.network)
        return float(found[1]) if found else None

    @property
    def fabric_interfaces(self) -> int:
        """How many Elastic Fabric Adapters it has; 0 where it has none."""
        found = _EFA.search(self.network)
        return int(found[1]) if found else 0


@dataclass(frozen=True, slots=True)
class Need:
    """What a machine must have at least."""

    vcpu: int = 0
    memory_gib: float = 0
    gpu_model: str | None = None
    gpus: int = 0
    """0: it must have none."""
    gpu_memory_gib: float = 0
    """Of one GPU."""
    network_gbps: float = 0
    """0: any."""

    def __str__(self) -> str:
        """Return the need in words."""
        gpu = f", {self.gpus} x {self.gpu_model or 'GPU'} of {self.gpu_memory_gib:g} GiB" if self.gpus else ""
        network = f", {self.network_gbps:g} Gbit/s" if self.network_gbps else ""
        return f"{self.vcpu} vCPU, {self.memory_gib:g} GiB{gpu}{network}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One type beside a need."""

    type: InstanceType
    lacks: tuple[str, ...]
    """Why it will not do, each with the arithmetic; empty where it does."""


@cache
def instance_types() -> tuple[InstanceType, ...]:
    """Return every row of the catalogue."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(
            InstanceType(
                cloud=row["cloud"],
                name=row["type"],
                gpu_model=row["gpu_model"] or None,
                gpus=int(row["gpu_count"] or 0),
                gpu_memory_gib=float(row["gpu_mem_gib"] or 0),
                vcpu=int(row["vcpu"]),
                memory_gib=float(row["mem_gib"]),
                network=row["network"],
                source=row["source"],
            )
            for row in csv.DictReader(file)
        )


def instance_type(cloud: str, name: str) -> InstanceType:
    """Return the row of one type.

    Raises:
        CatalogError: the catalogue has no such type of that cloud.
    """
    rows = {row.name: row for row in instance_types() if row.cloud == cloud}
    if name not in rows:
        raise CatalogError(f"'{name}' is not in the catalogue of {cloud} types: it has {', '.join(sorted(rows))}")
    return rows[name]


def candidates(cloud: str, need: Need) -> list[Candidate]:
    """Return every type of a cloud beside a need, the smallest first (fewest GPUs, then vCPU, then memory)."""
    rows = sorted((row for row in instance_types() if row.cloud == cloud), key=_size)
    return [Candidate(row, tuple(_lacks(row, need))) for row in rows]


def smallest(cloud: str, need: Need) -> InstanceType:
    """Return the smallest type that has at least what is asked (fewest GPUs, then vCPU, then memory).

    A machine without GPUs is never met by one with GPUs, and a bandwidth never by one that no source states.

    Raises:
        CatalogError: no type has it all.
    """
    for candidate in candidates(cloud, need):
        if not candidate.lacks:
            return candidate.type
    raise CatalogError(
        f"no {cloud} type in the catalogue has {need}: name target machines that exist there, "
        "or set machine.instance_type"
    )


def _size(row: InstanceType) -> tuple[int, float, int, float, str]:
    return (row.gpus, row.gpu_memory_gib, row.vcpu, row.memory_gib, row.name)


def _lacks(row: InstanceType, need: Need) -> list[str]:
    found = []
    if not need.gpus and row.gpus:
        found.append(f"has {row.gpus} GPUs, none is asked")
    if need.gpus and row.gpus < need.gpus:
        found.append(f"{row.gpus} < {need.gpus} GPUs")
    if need.gpus and row.gpus and row.gpu_memory_gib < need.gpu_memory_gib:
        found.append(f"{row.gpu_memory_gib:g} < {need.gpu_memory_gib:g} GiB of a GPU")
    if need.gpu_model and row.gpus and row.gpu_model != need.gpu_model:
        found.append(f"{row.gpu_model} is not {need.gpu_model}")
    if row.vcpu < need.vcpu:
        found.append(f"{row.vcpu} < {need.vcpu} vCPU")
    if row.memory_gib < need.memory_gib:
        found.append(f"{row.memory_gib:g} < {need.memory_gib:g} GiB")
    if need.network_gbps and row.network_gbps is None:
        found.append(f"bandwidth unknown, {need.network_gbps:g} Gbit/s is asked")
    elif need.network_gbps and row.network_gbps is not None and row.network_gbps < need.network_gbps:
        found.append(f"{row.network_gbps:g} < {need.network_gbps:g} Gbit/s")
    return found
