"""What the analysis claims of a size, held against what it measured."""

from __future__ import annotations

import pytest

from skerry.agentdb.answer import Asked, answer
from skerry.agentdb.profiles import phase_for, profile_for, tier_for
from skerry.agentdb.service import Claim, Holds
from skerry.errors import SizingError, UsageError


def claim(name: str, agents: int, concurrency: int = 10) -> Claim:
    found = {one.name: one for one in answer(Asked(agents, concurrency=concurrency)).claims}
    return found[name]


SUCCESS = {
    "50 agents": (50, 10, Holds.YES),
    "99.8 % at 100 agents and 10 at once, where all are claimed": (100, 10, Holds.NO),
    "100 agents with 5 at once": (100, 5, Holds.YES),
    "94.5 % at 1000 agents": (1000, 10, Holds.NO),
    "95.2 % at 5000 agents and one at a time, where 90 are claimed": (5000, 1, Holds.YES),
    "88.5 % at 5000 agents and 5 at once": (5000, 5, Holds.NO),
    "89.5 % at 10000 agents, at best": (10_000, 1, Holds.NO),
    "more at once than were measured": (100, 20, Holds.UNKNOWN),
}


@pytest.mark.parametrize("case", SUCCESS)
def test_success(case: str) -> None:
    agents, at_once, expected = SUCCESS[case]
    assert expected is claim("success", agents, at_once).holds


LATENCY = {
    "half above the gate": (5000, 5, Holds.NO),
    "half below the gate says nothing of the slowest hundredth": (1000, 10, Holds.UNKNOWN),
    "not measured": (5, 1, Holds.UNKNOWN),
}


@pytest.mark.parametrize("case", LATENCY)
def test_the_gate_of_a_release(case: str) -> None:
    agents, at_once, expected = LATENCY[case]
    assert expected is claim("latency of a release", agents, at_once).holds


def test_only_a_profile_that_claims_an_uptime_is_held_to_it() -> None:
    assert claim("uptime of the enterprise profile", 20_000).holds is Holds.NO
    assert not [one for one in answer(Asked(5000)).claims if one.name.startswith("uptime")]


def test_targets_of_a_failover_need_a_second_node() -> None:
    names = {one.name for one in answer(Asked(100)).objectives}
    assert {"failover", "recovery time", "recovery point"} & names == set()
    found = {one.name: one for one in answer(Asked(5000)).objectives}
    assert (found["failover"].target.value, found["recovery point"].target.value) == (5, 1)


PROFILES = {
    100: "development",
    101: "staging",
    1000: "staging",
    1001: "production",
    10_000: "production",
    10_001: "enterprise",
    500_000: "enterprise",
}


@pytest.mark.parametrize("agents", PROFILES)
def test_the_smallest_profile_that_carries_the_agents(agents: int) -> None:
    assert PROFILES[agents] == profile_for(agents).name


def test_a_profile_may_be_larger_than_needed_and_never_smaller() -> None:
    assert profile_for(10, "enterprise").name == "enterprise"
    with pytest.raises(SizingError, match=r"1001 agents are more than the 1000 of the profile staging \(003:6764\)"):
        profile_for(1001, "staging")
    with pytest.raises(UsageError, match="profile 'small' does not exist: choose one of development, staging"):
        profile_for(1, "small")


PHASES = {
    1: "proof of concept",
    100: "proof of concept",
    101: "beta",
    5000: "limited production",
    5001: None,
    9999: None,
    10_000: "full production",
}


@pytest.mark.parametrize("agents", PHASES)
def test_the_phase_that_has_so_many_agents(agents: int) -> None:
    found = phase_for(agents)
    assert PHASES[agents] == (found.name if found else None)


def test_ranges_of_the_conclusion() -> None:
    assert [tier_for(agents).usd_month[1] for agents in (100, 1000, 10_000, 10_001)] == [0, 100, 500, 3000]
