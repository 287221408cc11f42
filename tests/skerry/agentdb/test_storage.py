"""Storage by both formulas and by the shard table; bandwidth and transfer."""

from __future__ import annotations

from decimal import Decimal

import pytest

from skerry.agentdb.network import bandwidth, transfer
from skerry.agentdb.storage import Size, mib, size
from skerry.errors import UsageError

CALCULATOR = {"episodes": 100_000, "skills": 50_000, "causal_edges": 20_000, "graph_nodes": 30_000}
EACH_10K = dict.fromkeys(CALCULATOR, 10_000)


def of(records: dict[str, int], nodes: int = 1) -> Size:
    found = size(dict(records), nodes)
    assert found is not None
    return found


def test_ten_thousand_of_each_are_66_4_by_the_formula_and_68_by_the_table() -> None:
    found = of(EACH_10K)
    assert (Decimal("66.4"), Decimal(68)) == (round(found.appendix_mb.known, 1), found.section_mb.value)


def test_the_calculators_example_is_353_mb_and_344_7_mib_and_not_340() -> None:
    found = of(CALCULATOR)
    assert (Decimal("344.7"), Decimal(353)) == (round(found.appendix_mb.known, 1), found.section_mb.value)
    bytes_of_appendix = found.appendix_mb.known * 1024 * 1024
    assert bytes_of_appendix > found.section_mb.known * 1_000_000
    assert Decimal("344.7") == round(mib(bytes_of_appendix / 1_000_000), 1)


def test_of_each_store_the_larger_counts() -> None:
    found = of(dict.fromkeys(CALCULATOR, 100_000))
    taken = {one.name: (one.taken.value, next(by.says for by in one.by if by.counts)) for one in found.stores}
    assert {
        "reflexion": (Decimal("153.6"), "rate, 1 KB = 1024 bytes (appendix B)"),
        "skills": (Decimal("245.76"), "rate, 1 KB = 1024 bytes (appendix B)"),
        "causal": (Decimal(45), "shards (5.1)"),
        "graph": (Decimal(400), "shards (5.1)"),
    } == taken


def test_a_thousand_items_of_both_tables() -> None:
    found = {one.name: [by.figure.value for by in one.by] for one in of(dict.fromkeys(CALCULATOR, 1000)).stores}
    assert [Decimal("2.4"), Decimal("2.4576"), Decimal("1.2")] == found["skills"]
    assert [Decimal("0.4"), Decimal("0.4096"), Decimal("0.8")] == found["causal"]


def test_above_the_shard_table_its_size_is_unknown_and_said() -> None:
    found = of({"graph_nodes": 1_000_000})
    assert found.notes == ("graph: 1000000 is above the 100000 at which section 5.1 ends (more than linear)",)


def test_every_node_has_a_copy() -> None:
    assert of(EACH_10K, nodes=3).copies.known == 3 * of(EACH_10K).copy.known


def test_no_records_are_unknown_and_zero_records_are_nothing() -> None:
    assert size(dict.fromkeys(CALCULATOR), 1) is None
    assert of(dict.fromkeys(CALCULATOR, 0)).copy.value == 0


def test_a_negative_number_is_refused() -> None:
    with pytest.raises(UsageError, match="skills -1 is not a number of records: give 0 to 10000000000000"):
        size({"skills": -1}, 1)


BANDWIDTH = {
    "one node": (1, 1, 2, "none"),
    "primary and one replica": (2, 1, 9, "pair"),
    "three nodes take the row of five": (3, 1, 30, "mesh"),
    "five nodes": (5, 1, 30, "mesh"),
    "six nodes take the row of ten": (6, 1, 70, "hierarchy"),
    "several regions": (3, 3, 140, "regions"),
}


@pytest.mark.parametrize("case", BANDWIDTH)
def test_bandwidth_is_the_smallest_row_that_has_as_many_nodes(case: str) -> None:
    nodes, regions, total, topology = BANDWIDTH[case]
    found = bandwidth(nodes, regions)
    assert (total, topology) == (found.total.value, found.topology)


def test_bandwidth_of_more_than_ten_nodes_is_unknown_but_for_a_lower_bound() -> None:
    found = bandwidth(11, 1)
    assert (found.total.value, found.notes) == (None, ("at least 100 Mbps for ten nodes or more (003:222)",))


def test_a_thousand_batches_a_second_are_518_4_terabytes() -> None:
    assert (518_400, Decimal("518.4")) == (transfer(Decimal(1000)).gb.value, transfer(Decimal(1)).gb.value)
    assert Decimal("1.6") == transfer(Decimal(1)).mbps.value


@pytest.mark.parametrize("batches", ["0", "-1", "NaN", "Infinity", "1000001"])
def test_a_number_of_batches_that_is_none_is_refused(batches: str) -> None:
    with pytest.raises(UsageError, match="is not a number of batches a second: give more than 0 and up to 1000000"):
        transfer(Decimal(batches))
