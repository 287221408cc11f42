"""Replicas that come and go and keep a volume each: what finance is told of the fewest, the expected and the most."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import pytest

from cost.components import Range
from cost.pools import copies_of
from skerry.facts import ComponentFacts, ScalingFact, StorageFact


def facts(volumes: int, *, stateful: bool = True, scaling: ScalingFact | None = None) -> ComponentFacts:
    return ComponentFacts(
        stateful=stateful, scaling=scaling, storage=(StorageFact(kind="volume", gib=200, copies=volumes),)
    )


GROWS: Final = ScalingFact(minimum=2, typical=4, maximum=50, autoscaler="hpa")
CASES: Final[dict[str, tuple[ComponentFacts, tuple[int, int, int]]]] = {
    "a volume a replica": (facts(4, scaling=GROWS), (2, 4, 50)),
    "one volume that all share": (facts(1, scaling=GROWS), (1, 1, 1)),
    "a fixed number of members": (facts(3), (3, 3, 3)),
    "nothing runs by default, and one volume stays": (
        facts(1, scaling=ScalingFact(minimum=0, typical=1, maximum=5)),
        (1, 1, 5),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_volumes_follow_the_replicas_that_own_them(case: str) -> None:
    said, expected = CASES[case]
    assert copies_of(said, said.storage[0]) == Range(*map(Decimal, expected))
