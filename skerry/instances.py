"""The catalogue of cloud instance types: what each has, and the smallest that meets a need.

The rows are skerry/data/instances.csv, each with its source.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from skerry.errors import CatalogError

_TABLE = Path(__file__).resolve().parent / "data" / "instances.csv"


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
    source: str


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


def smallest(
    cloud: str, *, vcpu: int, memory_gib: float, gpu_model: str | None, gpus: int, gpu_memory_gib: float
) -> InstanceType:
    """Return the smallest type that has at least what is asked (fewest GPUs, then vCPU, then memory).

    A machine without GPUs is never met by one with GPUs.

    Raises:
        CatalogError: no type has it all.
    """
    candidates = [
        row
        for row in instance_types()
        if row.cloud == cloud
        and row.vcpu >= vcpu
        and row.memory_gib >= memory_gib
        and (row.gpus >= gpus and row.gpu_memory_gib >= gpu_memory_gib if gpus else row.gpus == 0)
        and (not gpu_model or row.gpu_model == gpu_model)
    ]
    if not candidates:
        gpu = f", {gpus} x {gpu_model or 'GPU'} of {gpu_memory_gib:g} GiB" if gpus else ""
        raise CatalogError(
            f"no {cloud} type in the catalogue has {vcpu} vCPU, {memory_gib:g} GiB{gpu}: "
            "name target machines that exist there, or set machine.instance_type"
        )
    return min(candidates, key=lambda row: (row.gpus, row.gpu_memory_gib, row.vcpu, row.memory_gib, row.name))
