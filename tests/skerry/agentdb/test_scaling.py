"""Architecture, nodes and shards at the bounds of the tables."""

from __future__ import annotations

import pytest

from skerry.agentdb.scaling import batching_row, layout, matrix_row, sessions_a_shard, sharding_row, shards
from skerry.errors import SizingError, UsageError

MATRIX = {
    "one agent": (1, "single-node"),
    "the last of the first row": (100, "single-node"),
    "the first of the second row": (101, "single-node-batched"),
    "the last of the second row": (1000, "single-node-batched"),
    "the first of the third row": (1001, "cluster"),
    "the last of the third row": (5000, "cluster"),
    "the first of the fourth row": (5001, "cluster-sharded"),
    "the last of the fourth row": (10_000, "cluster-sharded"),
    "above all": (10_001, "multi-region-cluster"),
}

NODES = {
    "one node": (1000, 1, 1),
    "of two to three nodes three, which have a majority": (5000, 3, 3),
    "of five to ten nodes five": (10_000, 5, 5),
    "three regions of three nodes": (10_001, 3, 9),
    "three regions full of agents": (30_000, 5, 15),
    "a fourth region": (30_001, 5, 20),
}

EPISODES = {
    "below 10K": (9_999, "single-database", 1, 1),
    "10K is not below 10K": (10_000, "functional", 1, 4),
    "100K is in the range that ends with it": (100_000, "functional", 1, 4),
    "above 100K": (100_001, "functional-and-hash", 4, 16),
    "1M is in the range that ends with it": (1_000_000, "functional-and-hash", 4, 16),
    "above 1M": (1_000_001, "functional-and-hash", 8, 32),
}

BATCHES = {
    "below 50": (49, "one batch an iteration"),
    "50 is not below 50": (50, "batches of 50"),
    "500 is in the range that ends with it": (500, "batches of 50"),
    "above 500": (501, "batches in parallel"),
}


@pytest.mark.parametrize("case", MATRIX)
def test_upper_bounds_of_the_matrix_are_in_the_range(case: str) -> None:
    agents, expected = MATRIX[case]
    assert expected == matrix_row(agents).architecture


@pytest.mark.parametrize("case", NODES)
def test_nodes_are_an_odd_number_of_the_row(case: str) -> None:
    agents, a_region, total = NODES[case]
    found = layout(agents)
    assert (a_region, total) == (found.nodes_a_region.value, found.nodes.value)


@pytest.mark.parametrize("case", EPISODES)
def test_shards_follow_from_the_episodes(case: str) -> None:
    episodes, strategy, hashed, files = EPISODES[case]
    found = shards(episodes)
    assert (strategy, hashed, files) == (found.strategy, found.hash_shards.value, found.files.value)
    assert strategy == sharding_row(episodes).strategy
    assert len(found.paths) == files


@pytest.mark.parametrize("case", BATCHES)
def test_batches_follow_from_the_episodes(case: str) -> None:
    episodes, expected = BATCHES[case]
    assert expected == batching_row(episodes).rule


def test_shards_of_unknown_episodes_are_unknown() -> None:
    assert (
        shards(None).files.value,
        shards(None).files.how,
    ) == (None, "depends on the episodes: give --episodes")


def test_more_sessions_than_a_hundred_thousand_are_split_by_hash() -> None:
    assert shards(50_000, users=100_000).strategy == "functional"
    found = shards(50_000, users=100_001)
    assert found.strategy == "functional-and-hash"
    sessions = sessions_a_shard(100_001, found)
    assert sessions is not None
    assert sessions.value == 25_001


def test_five_hundred_users_on_four_shards_are_a_hundred_and_twenty_five_each() -> None:
    found = sessions_a_shard(500, shards(200_000))
    assert found is not None
    assert found.value == 125


def test_an_even_number_of_machines_is_taken_and_told() -> None:
    found = layout(5000, machines=2)
    assert found.nodes_a_region.value == 2
    assert "half of them are no majority" in found.nodes_a_region.how


def test_more_nodes_than_were_tested_are_a_warning() -> None:
    assert layout(100_000).nodes.value == 50
    assert layout(100_000).notes == ()
    assert layout(110_000).notes == ("55 nodes: more than 50 were never tested (003:216)",)


REFUSED = {
    "no agents": (lambda: layout(0), UsageError, "agents 0 is not a number of agents: give 1 or more"),
    "more than a hundred nodes": (
        lambda: layout(200_001),
        SizingError,
        "105 nodes are more than the 100 that the analysis thinks possible (003:216)",
    ),
    "fewer machines than the matrix": (
        lambda: layout(10_000, machines=3),
        SizingError,
        "3 nodes a region are fewer than the 5 of the analysis (003:5777): give --machines 5 or more",
    ),
    "too many agents in a region": (
        lambda: layout(30_000, regions=2),
        SizingError,
        "30000 agents in 2 regions are 15000 a region, more than the 10000 that the analysis speaks of (003:5173): "
        "give --regions 3 or more",
    ),
    "one region for more than a region carries": (
        lambda: layout(10_001, regions=1),
        SizingError,
        "10001 agents in one region",
    ),
    "no region": (lambda: layout(10, regions=0), UsageError, "regions 0 is not a number of regions: give 1 or more"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_with_the_remedy(case: str) -> None:
    call, error, expected = REFUSED[case]
    with pytest.raises(error) as caught:
        call()
    assert expected in str(caught.value)


def test_a_hundred_nodes_are_not_refused() -> None:
    assert layout(200_000).nodes.value == 100
