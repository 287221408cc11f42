"""What stands beside the load test: single scenarios, what copies take, what a disk carries."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest

from skerry.agentdb.beside import carried, copies, scenarios

SCENARIOS: Mapping[str, tuple[int, list[str]]] = {
    "fewer agents than any scenario had": (2, []),
    "as many as the smallest had": (3, ["lean-agentic-swarm"]),
    "between two": (49, ["lean-agentic-swarm", "multi-agent-swarm", "reflexion-learning"]),
    "more than the largest had": (
        5000,
        ["lean-agentic-swarm", "multi-agent-swarm", "reflexion-learning", "voting-consensus", "stock-market"],
    ),
}


@pytest.mark.parametrize("case", SCENARIOS)
def test_scenarios_with_at_most_so_many_agents_are_shown(case: str) -> None:
    agents, names = SCENARIOS[case]
    assert names == [one.name for one in scenarios(agents)]


def test_a_scenario_that_two_sections_measured_shows_both_figures() -> None:
    (vote,) = (one for one in scenarios(50) if one.name == "voting-consensus")
    assert vote.lower_ops_s is not None
    assert vote.p50_ms is not None
    assert (vote.ops_s.value, vote.ops_s.seeds) == (Decimal("2.73"), ("003:463",))
    assert (vote.lower_ops_s.value, vote.lower_ops_s.seeds) == (Decimal("1.92"), ("003:878",))
    assert (vote.p50_ms.value, vote.memory_mb.value) == (Decimal("511.38"), Decimal("29.85"))


def test_one_node_has_nothing_to_copy() -> None:
    assert copies(1) is None
    found = copies(2)
    assert found is not None
    assert [one.value for one in (*found.latency_ms, *found.overhead_percent)] == [5, 15, 2, 5]


CARRIED: Mapping[str, tuple[str, int, list[Decimal]]] = {
    "a volume of Kubernetes": ("aws", 5000, [Decimal(500), Decimal(100), Decimal(25), Decimal(50)]),
    "a disk of one's own": ("hosts", 500, [Decimal(50), Decimal(10), Decimal("2.5"), Decimal(5)]),
}


@pytest.mark.parametrize("case", CARRIED)
def test_a_disk_does_as_much_as_its_operations_let_it(case: str) -> None:
    target, iops, expected = CARRIED[case]
    disk, found = carried(target)
    assert disk.value == iops
    assert expected == [one.per_second.known for one in found]
