"""A node: every source is shown, the largest that may count is taken, and smaller machines are refused."""

from __future__ import annotations

from decimal import Decimal

import pytest

from skerry.agentdb.hardware import CONTRADICTED, Node, check_memory, node
from skerry.agentdb.scaling import layout
from skerry.errors import SizingError
from skerry.figures import derived


def of(agents: int, concurrency: int = 10) -> Node:
    found = layout(agents)
    return node(found.row, int(found.agents_a_region.known), int(found.nodes_a_region.known), concurrency)


NODES = {
    "the architecture of one node needs more than the matrix": (10, 2, 2048, 10),
    "2 GB of 8.1 against 512 MB of the matrix": (100, 2, 2048, 10),
    "8 GB of 8.1 against 2 GB of the matrix": (1000, 4, 8192, 50),
    "16 GB of 8.1 against 8 GB of the matrix": (5000, 8, 16384, 200),
    "the load test with headroom against 16 GB": (10_000, 8, 32768, 200),
    "32 GB of the matrix": (30_000, 16, 32768, 200),
}


@pytest.mark.parametrize("case", NODES)
def test_the_largest_source_counts(case: str) -> None:
    agents, cores, memory, disk = NODES[case]
    found = of(agents)
    assert (cores, memory, disk) == (found.cores.value, found.memory_mib.value, found.disk_gb.value)


def test_memory_of_ten_thousand_agents_is_the_load_test_over_eighty_percent() -> None:
    (taken,) = [one for one in of(10_000).memory_by if one.counts]
    assert (Decimal(23_500), ("003:5574", "003:3749")) == (taken.figure.value, taken.figure.seeds)


def test_what_the_load_test_contradicts_is_shown_and_never_counts() -> None:
    shown = {one.says: one.figure.value for one in of(1000).memory_by if one.why_not == CONTRADICTED}
    assert shown == {
        "projection of section 1.4 at 1000 agents": 200,
        "projection of the lean swarm at 1000 agents": 800,
        "scaling of the vote at 1000 agents": 400,
        "projection of the market at 1000 agents": 180,
        "remark of the load test": 12,
    }


def test_more_requests_at_once_than_were_measured_keep_the_measured_as_a_lower_bound() -> None:
    found = of(10_000, concurrency=20)
    assert [None, Decimal(23_500)] == [one.figure.value for one in found.memory_by[:2]]
    assert "a lower bound" in found.memory_by[1].says
    assert found.memory_mib.value == 32768


def test_many_records_need_a_larger_disk() -> None:
    copy = derived(Decimal(300_000), "MB", ("003:6481",), "records")
    row = layout(1000).row
    assert node(row, 1000, 1, 10, copy).disk_gb.value == 600


def test_a_node_below_the_table_is_refused() -> None:
    with pytest.raises(SizingError) as caught:
        check_memory(of(10_000), Decimal(16))
    expected = (
        "a node of 16 GiB is too small: 23,500 MiB are needed (18,800 MB at 10000 agents and 10 at once / 80 %; "
        "003:5574, 003:3749): give --node-memory-gib 32 or more"
    )
    assert expected == str(caught.value)


def test_a_node_of_the_size_that_is_needed_is_not_refused() -> None:
    check_memory(of(10_000), Decimal(23_500) / 1024)
