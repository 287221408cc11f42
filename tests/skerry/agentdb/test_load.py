"""The load test: its rows as they are, straight lines between them, and nothing outside."""

from __future__ import annotations

from decimal import Decimal

import pytest

from skerry.agentdb.load import bottleneck_at, claim_of_success, load_at, other_bottleneck_at
from skerry.figures import Kind

ROWS = {
    "the smallest": (10, 1, "6.2", "160", "45", "100", "8", "003:5496"),
    "94.5 % at 1000 agents and 10 at once": (1000, 10, "22.1", "452", "2400", "94.5", "99", "003:5550"),
    "588 ms at 5000 agents and 5 at once": (5000, 5, "8.5", "588", "7800", "88.5", "98", "003:5559"),
    "the largest": (10_000, 10, "7.8", "1282", "18800", "68.2", "100", "003:5574"),
}

BETWEEN = {
    "half way between two numbers of agents": (3000, 10, "6450", 2),
    "half way between two concurrencies": (1000, 3, "1450", 2),
    "between four rows": (3000, 3, "3800", 4),
}

OUTSIDE = {
    "fewer agents": (9, 10, "9 agents are outside the load test, which has 10 to 10000"),
    "more agents": (10_001, 10, "10001 agents are outside the load test, which has 10 to 10000"),
    "more at once": (1000, 20, "20 requests at once are outside the load test, which has 1 to 10"),
}

BOTTLENECKS = {
    100: ("embedding on the CPU", None),
    101: ("database writes", "database writes"),
    1000: ("database writes", "database writes"),
    1001: ("all of the CPU", "synchronisation over the network"),
    5001: ("memory and garbage collection", "synchronisation over the network"),
    10_001: ("bandwidth of the QUIC synchronisation", "synchronisation over the network"),
}


@pytest.mark.parametrize("case", ROWS)
def test_a_row_is_measured(case: str) -> None:
    agents, at_once, *numbers, seed = ROWS[case]
    found = load_at(agents, at_once)
    figures = (found.ops_s, found.p50_ms, found.memory_mb, found.success_percent, found.cpu_percent)
    assert [Decimal(str(number)) for number in numbers] == [one.value for one in figures]
    assert {(Kind.MEASURED, (seed,))} == {(one.kind, one.seeds) for one in figures}


@pytest.mark.parametrize("case", BETWEEN)
def test_between_rows_a_figure_is_derived_from_those_around_it(case: str) -> None:
    agents, at_once, memory, rows = BETWEEN[case]
    found = load_at(agents, at_once).memory_mb
    assert (Decimal(memory), Kind.DERIVED, rows) == (found.value, found.kind, len(found.seeds))


@pytest.mark.parametrize("case", OUTSIDE)
def test_outside_the_table_nothing_is_known(case: str) -> None:
    agents, at_once, why = OUTSIDE[case]
    found = load_at(agents, at_once)
    assert (None, Kind.UNKNOWN, why) == (found.memory_mb.value, found.memory_mb.kind, found.memory_mb.how)


@pytest.mark.parametrize("agents", BOTTLENECKS)
def test_what_limits_by_both_sections(agents: int) -> None:
    other = other_bottleneck_at(agents)
    assert BOTTLENECKS[agents] == (bottleneck_at(agents).what, other.what if other else None)


def test_success_is_claimed_up_to_ten_thousand_agents() -> None:
    assert [claim_of_success(agents).value for agents in (1000, 10_000, 10_001)] == [100, 90, None]
