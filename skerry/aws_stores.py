"""Sizes of the stores that AWS runs: the smallest class of RDS or ElastiCache that has what is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from skerry.errors import CatalogError


@dataclass(frozen=True, slots=True)
class StoreClass:
    """A class of machines of a managed store."""

    name: str
    vcpu: int
    memory_gib: float


# Source: the price list of Amazon RDS as of 2026-10 in the price book (names); sizes are those of the EC2 types of the
# same names: Amazon EC2 "General purpose" and "Memory optimized" (not opened; check before relying on it)
DATABASE_CLASSES: Final = (
    StoreClass("db.t3.medium", 2, 4),
    StoreClass("db.t3.large", 2, 8),
    StoreClass("db.r6i.large", 2, 16),
    StoreClass("db.m6i.xlarge", 4, 16),
    StoreClass("db.r6i.xlarge", 4, 32),
    StoreClass("db.m6i.2xlarge", 8, 32),
    StoreClass("db.r6i.2xlarge", 8, 64),
    StoreClass("db.m6i.4xlarge", 16, 64),
    StoreClass("db.r6i.4xlarge", 16, 128),
    StoreClass("db.m6i.8xlarge", 32, 128),
)
"""Rising; the small ones are burstable."""

# Source: dragonflydb.io "Amazon ElastiCache Instances Overview", read 2026-11
CACHE_CLASSES: Final = (
    StoreClass("cache.t4g.micro", 2, 0.5),
    StoreClass("cache.t4g.small", 2, 1.37),
    StoreClass("cache.t4g.medium", 2, 3.09),
    StoreClass("cache.m7g.large", 2, 6.38),
)
"""Rising."""

# Source: Amazon RDS User Guide "General purpose SSD storage", gp3: below 400 GiB PostgreSQL has 3,000 IOPS, and more
# cannot be asked for (not opened; check before relying on it)
RDS_FIXED_BELOW_GIB: Final = 400
RDS_FIXED_IOPS: Final = 3000
LEAST_RDS_GIB: Final = 20
"""Source: Amazon RDS API, CreateDBInstance, AllocatedStorage: gp2 and gp3 of PostgreSQL from 20 GiB, read 2026-11."""


def database_class(vcpu: int, memory_gib: float) -> StoreClass:
    """Return the smallest class of RDS with at least this CPU and memory.

    Raises:
        CatalogError: none that is known is that large.
    """
    return _smallest(DATABASE_CLASSES, vcpu, memory_gib, "database.instance_type")


def cache_class(memory_gib: float) -> StoreClass:
    """Return the smallest class of ElastiCache whose nodes have at least this memory.

    Raises:
        CatalogError: none that is known is that large.
    """
    return _smallest(CACHE_CLASSES, 1, memory_gib, "")


def named_database_class(name: str) -> StoreClass | None:
    """Return a class of RDS by its name; None where its size is not known here."""
    return next((one for one in DATABASE_CLASSES if one.name == name), None)


def _smallest(classes: tuple[StoreClass, ...], vcpu: int, memory_gib: float, field: str) -> StoreClass:
    for one in classes:
        if one.vcpu >= vcpu and one.memory_gib >= memory_gib:
            return one
    last = classes[-1]
    remedy = f"name a class in {field}" if field else "ask for less, or use runtime kubernetes"
    text = f"no class is known with {vcpu} vCPU and {memory_gib:g} GiB; the largest is {last.name}"
    raise CatalogError(f"{text} with {last.vcpu} vCPU and {last.memory_gib:g} GiB; {remedy}")
