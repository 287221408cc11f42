"""In which quota the machines of a pool count: by the letters and numbers of their type's name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from skerry.preflight.pools import Pool

_EC2_GROUPS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"), "Standard"),
    **dict.fromkeys(("g", "gr", "vt"), "G and VT"),
    "p": "P",
    "trn": "Trn",
    "inf": "Inf",
    "dl": "DL",
    "f": "F",
    "hpc": "HPC",
    "u": "High Memory",
    "x": "X",
}
"""Letters of a type's name -> the group of the quota.

Source: AWS "Amazon EC2 instance type quotas", the names of the quotas, a public copy, read 2026-11.
"""

_AZURE_SIZE: Final = re.compile(r"^Standard_([A-Z]+)\d+(?:-\d+)?([a-z]*)((?:_[A-Z][A-Z0-9]*)?)(_v\d+)?$")
"""Family letters, number of vCPU, features, accelerator, version."""


def counted_in(pool: Pool) -> list[tuple[str, str]]:
    """Return the quotas of vCPU that a pool counts in: each key of the table, and a name for one that it lacks."""
    match pool.cloud:
        case "aws":
            return [_ec2(pool)]
        case "gcp":
            family = f"{pool.type}".split("-", 1)[0]
            if pool.spot:
                return [("preemptible cpus", "Preemptible CPUs")]
            return [(f"cpus {family}", f"{family.upper()} CPUs"), ("cpus all regions", "CPUs (all regions)")]
        case "azure":
            if pool.spot:
                return [("spot cores", "Total Regional Spot vCPUs")]
            family = azure_family(f"{pool.type}")
            return [(family, f"Standard {family} Family vCPUs"), ("cores", "Total Regional vCPUs")]
        case _:
            return []


def gpu_key(pool: Pool) -> str:
    """Return the key of a GPU model's quota on Google Cloud."""
    return f"{'spot ' if pool.spot else ''}{pool.gpu_model} {round_gib(pool.gpu_memory_gib)}"


def round_gib(gib: float) -> int:
    """Return the memory of a GPU as its name has it."""
    return int(gib)


def azure_family(name: str) -> str:
    """Return the family of a size: `NCads_A100_v4` of `Standard_NC24ads_A100_v4`; the name itself where it has none."""
    found = _AZURE_SIZE.match(name)
    return f"{found[1]}{found[2]}{found[3] or ''}{found[4] or ''}" if found else name


def _ec2(pool: Pool) -> tuple[str, str]:
    found = re.match(r"^([a-z]+)(\d*)", f"{pool.type}")
    letters, generation = (found[1], found[2]) if found else ("", "")
    group = _EC2_GROUPS.get(letters, "")
    if not pool.spot:
        return f"on-demand {group}", f"the On-Demand quota of {pool.type}"
    if group == "P":
        # Spot machines of this letter are counted by generation.
        group = "P4" if generation in ("2", "3", "4") else f"P{generation}"
    return f"spot {group}", f"the Spot quota of {pool.type}"
