"""The estimate: totals, tiers, what is free, what is unknown, and what a budget rule reads."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal

import pytest

from cost.components import sum_of
from cost.estimate import Estimate, estimate
from cost.pricebook import PriceBook, load_book
from policies.context import Estimated
from skerry.facts import Tier
from skerry.graph import UNKNOWN
from tests.simulators.cost_round_numbers import on_aws, priced, site, small_book
from tests.simulators.policy_graphs import Builder

EIP = "aws:ec2/eip:Eip"
GROUP = "aws:eks/nodeGroup:NodeGroup"
QUEUE = "aws:sqs/queue:Queue"


def mixed() -> Builder:
    """Return machines of two tiers, an address of none, a free type and a foreign one."""
    builder = on_aws()
    for tier, kind in ((Tier.META, "m6i.large"), (Tier.COGNITIVE, "p4d.24xlarge")):
        pool = builder.component(tier.value, kind="Pool", tier=tier)
        scaling = {"minSize": 1, "desiredSize": 2, "maxSize": 4}
        disks = builder.add(
            "aws:ec2/launchTemplate:LaunchTemplate",
            f"{tier.value}-template",
            {"blockDeviceMappings": [{"ebs": {"volumeSize": 100, "volumeType": "gp3"}}]},
            parent=pool,
        )
        builder.add(
            GROUP,
            f"{tier.value}-group",
            {"instanceTypes": [kind], "scalingConfig": scaling, "launchTemplate": {"id": UNKNOWN}},
            parent=pool,
            property_dependencies={"launchTemplate": (disks,)},
        )
    builder.add(EIP, "address", {})
    builder.add("aws:iam/role:Role", "role", {})
    builder.add("aws:braket/quantum:Computer", "quantum", {})
    builder.add(EIP, "elsewhere", {}, external=True)
    return builder


def test_a_total_is_the_sum_of_its_tiers_and_of_its_lines() -> None:
    found = priced(mixed())
    assert found.known == sum_of(part.known for part in found.by_tier.values())
    amounts = [line.component.monthly for line in found.lines]
    assert found.known == sum_of(amount for amount in amounts if amount is not None)
    assert list(found.by_tier) == [Tier.COGNITIVE, Tier.META, None]


def test_the_sizes_of_the_tiers() -> None:
    tiers = priced(mixed()).by_tier
    assert (
        tiers[Tier.META].known.minimum,
        tiers[Tier.META].known.typical,
        tiers[Tier.META].known.maximum,
    ) == (81, 162, 324)
    assert Decimal(58432) == tiers[Tier.COGNITIVE].known.maximum


def test_what_has_no_price_is_counted_and_named() -> None:
    found = priced(mixed())
    assert not found.is_complete
    assert [line.name for line in found.unknown] == ["quantum"]
    assert found.unknown[0].component.unknown == "nothing prices the type aws:braket/quantum:Computer"


HIDING = ("kubernetes:helm.sh/v3:Chart", "kubernetes:helm.sh/v4:Chart", "kubernetes:yaml/v2:ConfigFile")


@pytest.mark.parametrize("kind", HIDING)
def test_a_component_that_hides_what_it_makes_is_unknown(kind: str) -> None:
    builder = on_aws()
    made = builder.add(kind, "hidden", custom=False)
    (line,) = priced(builder).lines
    assert ("hidden", f"what a {kind} makes cannot be seen in the graph") == (line.name, line.component.unknown)
    builder.add("kubernetes:core/v1:ConfigMap", "seen", {}, parent=made)
    assert priced(builder).is_complete


def test_free_and_foreign_resources_are_counted() -> None:
    found = priced(mixed())
    # The role and two launch templates; a stack and components are no resources that somebody could bill.
    assert (found.free_resources, found.external_resources) == (3, 1)


def test_an_estimate_is_complete_when_everything_has_an_amount() -> None:
    builder = on_aws()
    builder.add(EIP, "address", {})
    found = priced(builder)
    assert (True, Decimal("3.650")) == (found.is_complete, found.maximum_usd)
    assert (found.minimum_usd, found.typical_usd) == (found.maximum_usd, found.maximum_usd)


def test_a_budget_rule_can_read_it() -> None:
    found: Estimated = priced(mixed())
    assert Decimal(58759) < found.maximum_usd < Decimal(58760)


def test_names_that_fit_no_resource_are_told() -> None:
    found = priced(
        site(),
        {"nat-*": {"gb_processed": 1}},
        {
            "pools": {
                "gpus": {"usd_per_machine_month": 1, "source": "page"},
                "gpu": {"usd_per_machine_month": 1, "source": "page"},
            }
        },
    )
    assert found.unused_names == ("nat-*", "gpu")


def test_without_a_day_the_newest_of_the_book_decides() -> None:
    builder = on_aws()
    builder.add("aws:eks/cluster:Cluster", "eks", {"version": "1.34"})
    newest = estimate(builder.graph(), small_book("2026-12-03"))
    assert (date(2026, 12, 3), Decimal(438)) == (newest.as_of, newest.maximum_usd)
    assert Decimal(73) == estimate(builder.graph(), small_book("2026-10-01")).maximum_usd


def test_an_empty_book_makes_everything_unknown() -> None:
    found = priced(mixed(), book=PriceBook(()))
    assert (Decimal(0), False) == (found.maximum_usd, found.is_complete)
    assert len(found.lines) == len(found.unknown)


def test_the_prices_that_were_used_are_listed_once() -> None:
    builder = on_aws()
    for name in ("a", "b"):
        builder.add(EIP, name, {})
    assert [price.sku for price in priced(builder).prices] == ["public-ipv4"]


@pytest.mark.parametrize("seed", range(10))
def test_the_total_does_not_depend_on_the_order_of_resources(seed: int) -> None:
    def of(names: list[str]) -> Estimate:
        builder = on_aws()
        for name in names:
            builder.add(EIP if name < "m" else QUEUE, name, {})
        return priced(builder)

    names = [f"{letter}{index}" for letter in "aq" for index in range(5)]
    shuffled = random.Random(seed).sample(names, len(names))
    assert of(names).known == of(shuffled).known
    assert len(of(names).unknown) == len(of(shuffled).unknown)


def test_the_same_graph_gives_the_same_estimate() -> None:
    assert priced(mixed()) == priced(mixed())


def test_skerrys_own_book_prices_what_it_prices_above_zero() -> None:
    found = estimate(mixed().graph(), load_book())
    assert all(price.usd > 0 for price in found.prices)
    assert Decimal(0) < found.minimum_usd <= found.typical_usd <= found.maximum_usd
