"""How large the stores become, by each of the analysis' three models, with the larger taken.

(1) by the rates (8.3 and appendix B): records x KB, once with 1 KB = 1000 bytes as 8.3 adds up, once with 1 KB = 1024
    bytes as appendix B divides; the second is the larger
(2) by the sizes of section 5.1, on straight lines between its rows; below the first row in proportion, above the last
    unknown, since one store grows faster than its records
(3) of each store the larger of the two counts, and every node has a copy
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final

from skerry.agentdb import tables
from skerry.agentdb.rows import Rate, ShardSizes
from skerry.errors import UsageError
from skerry.figures import Figure, Source, derived, largest, unknown

RECORDS: Final = ("episodes", "skills", "causal_edges", "graph_nodes")
"""What is counted, as the analysis' calculator names it."""

MB: Final = Decimal(1_000_000)
MIB: Final = Decimal(1024 * 1024)
MAX_RECORDS: Final = 10**13
"""More bytes than any disk: a slip of the keyboard."""


@dataclass(frozen=True, slots=True)
class Store:
    """One store."""

    name: str
    records: str
    count: int
    by: tuple[Source, ...]
    taken: Figure
    """MB of 1,000,000 bytes."""


@dataclass(frozen=True, slots=True)
class Size:
    """All stores."""

    stores: tuple[Store, ...]
    appendix_mb: Figure
    """MB as appendix B counts: KB / 1024."""
    section_mb: Figure
    """MB as section 8.3 counts: KB / 1000."""
    copy: Figure
    """One copy of all stores, MB of 1,000,000 bytes."""
    copies: Figure
    """All copies."""
    notes: tuple[str, ...]


def size(records: Mapping[str, int | None], nodes: int) -> Size | None:
    """Return how large the stores become; None where no number of records is given.

    Args:
        records: number of each of `RECORDS`; None is none of them.
        nodes: with a copy each.

    Raises:
        UsageError: a number cannot be used.
    """
    for name, count in records.items():
        if count is not None and not 0 <= count <= MAX_RECORDS:
            raise UsageError(f"{name} {count} is not a number of records: give 0 to {MAX_RECORDS}")
    if all(count is None for count in records.values()):
        return None
    counts = {name: records.get(name) or 0 for name in RECORDS}
    rates = tables.storage().rates
    stores = tuple(_store(name, counts[name], rates[name]) for name in RECORDS)
    kilobytes = sum((counts[name] * rates[name].kb for name in RECORDS), Decimal(0))
    copy = derived(
        sum((one.taken.known for one in stores), Decimal(0)),
        "MB",
        [seed for one in stores for seed in one.taken.seeds],
        "the larger of each store, added up; 1 MB = 1,000,000 bytes",
    )
    text = " + ".join(f"{counts[name]} x {rates[name].kb}" for name in RECORDS)
    source = tables.storage()
    return Size(
        stores=stores,
        appendix_mb=derived(
            kilobytes / source.divisor_of_appendix.value, "MB as printed (MiB, where 1 KB = 1024 bytes)",
            (source.divisor_of_appendix.seed, *(rates[name].appendix for name in RECORDS)), f"({text}) KB / 1024",
        ),
        section_mb=derived(
            kilobytes / source.divisor_of_section_8.value, "MB (1,000,000 bytes, where 1 KB = 1000 bytes)",
            (source.divisor_of_section_8.seed, *(rates[name].seed for name in RECORDS)), f"({text}) KB / 1000",
        ),
        copy=copy,
        copies=derived(copy.known * nodes, "MB", copy.seeds, f"{nodes} nodes, each with a copy"),
        notes=tuple(f"{one.name}: {by.figure.how}" for one in stores for by in one.by if by.figure.value is None),
    )  # fmt: skip


def _store(records: str, count: int, rate: Rate) -> Store:
    row = next(one for one in tables.storage().shards.rows if one.store == rate.store)
    by = largest(
        [
            Source("rate, 1 KB = 1000 bytes (8.3)", _by_rate(count, rate, 1000), counts=False),
            Source("rate, 1 KB = 1024 bytes (appendix B)", _by_rate(count, rate, 1024), counts=False),
            Source("shards (5.1)", _by_shards(count, row), counts=False),
        ]
    )
    return Store(rate.store, records, count, by, next(one.figure for one in by if one.counts))


def _by_rate(count: int, rate: Rate, kilobyte: int) -> Figure:
    seed = rate.seed if kilobyte == 1000 else rate.appendix
    value = count * rate.kb * kilobyte / MB
    return derived(value, "MB", (seed,), f"{count} x {rate.kb} KB of {kilobyte} bytes")


def _by_shards(count: int, row: ShardSizes) -> Figure:
    items = tables.storage().shards.items
    points = [(0, Decimal(0)), *zip(items, row.mb, strict=True)]
    if count > items[-1]:
        return unknown("MB", f"{count} is above the {items[-1]} at which section 5.1 ends ({row.growth})")
    for (low, at_low), (high, at_high) in pairwise(points):
        if low <= count <= high:
            value = at_low + (at_high - at_low) * (count - low) / (high - low)
            exact = count in (low, high) and count > 0
            how = f"stated at {count}" if exact else f"between {at_low} MB at {low} and {at_high} MB at {high}"
            return derived(value, "MB", (row.seed,), how)
    raise AssertionError(f"{count} records are in no range")


def mib(megabytes: Decimal) -> Decimal:
    """Return MB as MiB."""
    return megabytes * MB / MIB
