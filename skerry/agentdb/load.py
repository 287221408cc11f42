"""What a number of agents gets from one machine: the load test's rows, and nothing beyond them.

Between two rows the figures lie on a straight line and are called derived; outside the table they are unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from skerry.agentdb import tables
from skerry.agentdb.rows import Bottleneck, Measured, Range
from skerry.figures import Figure, Kind, derived, stated, unknown

COLUMNS: Final = {
    "ops_s": "operations/s",
    "p50_ms": "ms",
    "memory_mb": "MiB",
    "success_percent": "percent",
    "cpu_percent": "percent of 8 cores",
}
"""What the load test measured -> its unit; the analysis' MB are read as MiB."""


@dataclass(frozen=True, slots=True)
class Load:
    """The load test at one number of agents and requests at once."""

    agents: int
    concurrency: int
    ops_s: Figure
    p50_ms: Figure
    memory_mb: Figure
    success_percent: Figure
    cpu_percent: Figure


def tested_concurrencies() -> tuple[int, ...]:
    """Return how many requests at once were measured."""
    return tuple(sorted({row.concurrency for row in tables.stress().rows}))


def load_at(agents: int, concurrency: int) -> Load:
    """Return what the load test says of `agents` with `concurrency` requests at once, on its one machine."""
    rows = tables.stress().rows
    figures = {column: _figure(rows, column, agents, concurrency) for column in COLUMNS}
    return Load(agents, concurrency, **figures)


def _figure(rows: Sequence[Measured], column: str, agents: int, concurrency: int) -> Figure:
    unit = COLUMNS[column]
    counts, levels = [row.agents for row in rows], [row.concurrency for row in rows]
    if not min(counts) <= agents <= max(counts):
        return unknown(unit, f"{agents} agents are outside the load test, which has {min(counts)} to {max(counts)}")
    if not min(levels) <= concurrency <= max(levels):
        return unknown(
            unit, f"{concurrency} requests at once are outside the load test, which has {min(levels)} to {max(levels)}"
        )
    low_agents, high_agents = _around(counts, agents)
    low_level, high_level = _around(levels, concurrency)
    used = [
        row for row in rows if row.agents in (low_agents, high_agents) and row.concurrency in (low_level, high_level)
    ]
    seeds = [row.seed for row in used]
    if len(used) == 1:
        return Figure(getattr(used[0], column), unit, Kind.MEASURED, tuple(seeds), "measured on one machine")
    cell = {(row.agents, row.concurrency): Decimal(getattr(row, column)) for row in used}
    at_low = _between(agents, low_agents, high_agents, cell[low_agents, low_level], cell[high_agents, low_level])
    at_high = _between(agents, low_agents, high_agents, cell[low_agents, high_level], cell[high_agents, high_level])
    value = _between(concurrency, low_level, high_level, at_low, at_high)
    return derived(value, unit, seeds, f"on a straight line between {len(used)} rows of the load test")


def _around(values: Sequence[int], wanted: int) -> tuple[int, int]:
    """Return the nearest values that hold `wanted` between them; twice itself where it is one of them."""
    return max(one for one in values if one <= wanted), min(one for one in values if one >= wanted)


def _between(at: int, low: int, high: int, at_low: Decimal, at_high: Decimal) -> Decimal:
    if low == high:
        return at_low
    return at_low + (at_high - at_low) * (at - low) / (high - low)


def claim_of_success(agents: int) -> Figure:
    """Return the success that the analysis claims for so many agents."""
    limits = tables.scaling().limits
    small, large = limits["success_claimed_to_1000"], limits["success_claimed_to_10000"]
    if agents <= limits["concurrency_best_below"].value:
        return stated(small.value, "percent", small.seed, how="claimed up to 1,000 agents")
    if agents <= limits["agents_claimed"].value:
        return stated(large.value, "percent", large.seed, how="claimed at 10,000 agents")
    return unknown("percent", "the analysis claims nothing above 10,000 agents on one cluster")


def _first(rows: Sequence[Range], count: int) -> Range:
    return next(row for row in rows if row.holds(count))


def bottleneck_at(agents: int) -> Bottleneck:
    """Return what limits so many agents, by section 11."""
    found = _first(tables.scaling().bottlenecks, agents)
    assert isinstance(found, Bottleneck)  # noqa: S101  the table holds nothing else
    return found


def other_bottleneck_at(agents: int) -> Bottleneck | None:
    """Return what limits so many agents, by section 1; None where it says nothing (exactly 100)."""
    return next((row for row in tables.scaling().bottlenecks_of_section_1 if row.holds(agents)), None)
