"""Mode hybrid has two bills: each side pays for its own tiers, and nothing of the other's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from cost.estimate import estimate
from cost.pricebook import load_book
from cost.rates import parse_rates
from cost.usage import Metered, parse_usage
from skerry.facts import Tier
from skerry.graph import merge
from tests.simulators.hybrid_stacks import CUSTOMER, VENDOR, on_aws, run
from tests.simulators.policy_graphs import TODAY

SIDES: Final[Mapping[str, tuple[str, Mapping[str, Any], set[Tier]]]] = {
    "the vendor on AWS": (VENDOR, {}, {Tier.COGNITIVE, Tier.META, Tier.CHANNELS}),
    "the customer on AWS": (CUSTOMER, on_aws(), {Tier.EXECUTION, Tier.CHANNELS}),
}


@pytest.mark.parametrize("case", SIDES)
def test_each_side_has_a_price_of_its_own_tiers_and_of_no_others(case: str) -> None:
    stack, changes, tiers = SIDES[case]
    graph = merge([run(f"{stack}-base", changes), run(stack, changes)])
    usage = parse_usage({"resources": {"*": {what.value: 1 for what in Metered}}}, "usage")
    found = estimate(graph, load_book(), usage, parse_rates({}, "rates"), today=TODAY)
    assert {tier for tier, cost in found.by_tier.items() if cost.known.maximum > 0} == {*tiers, Tier.PLATFORM}
    unpriced = {f"{line.component.unknown}" for line in found.unknown}
    assert [reason for reason in unpriced if reason.startswith("nothing prices")] == []
