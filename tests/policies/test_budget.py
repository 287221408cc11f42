from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from policies.rules.budget import RULES
from policies.runner import check
from policies.verdict import Verdict
from skerry.facts import NodesFact, ScalingFact, StorageFact, Tier
from skerry.graph import UNKNOWN, Resource, ResourceGraph
from tests.simulators.policy_graphs import Build, run, told

BUD001, BUD002, BUD003, BUD004, BUD005 = RULES
Told = list[tuple[str, str, str]]


@dataclass(frozen=True)
class Priced:
    maximum_usd: Decimal
    is_complete: bool


def priced(amount: str, complete: bool = True) -> Callable[[ResourceGraph], Priced]:
    return lambda graph: Priced(Decimal(amount), complete)


COSTS: dict[str, tuple[Any, Told]] = {
    "within": (
        priced("900"),
        [("ok", "platform", "a month at the largest size costs 900.00 USD of 1,000.00 USD")],
    ),
    "beyond": (
        priced("1000.01"),
        [
            (
                "violation",
                "platform",
                "a month at the largest size costs 1,000.01 USD, more than the budget of 1,000.00 USD",
            )
        ],
    ),
    "the known part is beyond": (
        priced("1200", complete=False),
        [
            (
                "violation",
                "platform",
                "a month at the largest size costs at least 1,200.00 USD, more than the budget of 1,000.00 USD",
            )
        ],
    ),
    "the known part is within": (
        priced("900", complete=False),
        [
            (
                "undetermined",
                "platform",
                "the known part of a month is 900.00 USD of 1,000.00 USD, and something has no price",
            )
        ],
    ),
    "no prices": (None, [("undetermined", "platform", "no prices are at hand, so the cost is not known")]),
}


@pytest.mark.parametrize("case", COSTS)
def test_bud001_within_the_budget(case: str) -> None:
    estimate, expected = COSTS[case]
    report = run(lambda b: b.deployment(budget_usd_per_month=1000), BUD001, estimate=estimate)
    assert expected == told(report)


def test_bud001_without_a_budget_is_not_applicable() -> None:
    report = run(lambda b: b.deployment(), BUD001, estimate=priced("1"))
    assert told(report) == [("not-applicable", "", "no deployment of the graph names a budget")]


def tagged(tags: Any, provider: dict[str, Any] | None = None) -> Build:
    def build(b: Any) -> None:
        options = {}
        if provider is not None:
            options["provider"] = b.add("pulumi:providers:aws", "aws", provider) + "::id"
        b.add("aws:s3/bucket:Bucket", "data", {"tags": tags} if tags is not None else {}, **options)

    return build


BUCKET, SQL = "gcp:storage/bucket:Bucket", "gcp:sql/databaseInstance:DatabaseInstance"
LABELS = {"skerry-system": "sensei", "skerry-tier": "meta"}


def labelled(kind: str, inputs: dict[str, Any], provider: dict[str, Any] | None = None) -> Build:
    def build(b: Any) -> None:
        options = {}
        if provider is not None:
            options["provider"] = b.add("pulumi:providers:gcp", "gcp", provider) + "::id"
        b.add(kind, "data", inputs, **options)

    return build


TAGS: dict[str, tuple[Build, Told]] = {
    "both": (tagged({"skerry:system": "sensei", "skerry:tier": "meta"}), [("ok", "data", "")]),
    "by the provider": (
        tagged({"skerry:tier": "meta"}, {"defaultTags": {"tags": {"skerry:system": "sensei"}}}),
        [("ok", "data", "")],
    ),
    "one lacks": (
        tagged({"skerry:system": "sensei"}),
        [("violation", "data", "it lacks the cost tags skerry:tier")],
    ),
    "both lack": (tagged(None), [("violation", "data", "it lacks the cost tags skerry:system, skerry:tier")]),
    "unknown": (tagged(UNKNOWN), [("undetermined", "data", "its tags are not known before a deployment")]),
    "the provider's are unknown": (
        tagged({}, {"defaultTags": {"tags": UNKNOWN}}),
        [("undetermined", "data", "its provider's tags are not known before a deployment")],
    ),
    "labels on Google": (labelled(BUCKET, {"labels": LABELS}), [("ok", "data", "")]),
    "labels by Google's provider": (labelled(BUCKET, {}, {"defaultLabels": LABELS}), [("ok", "data", "")]),
    "labels by Google's provider as JSON": (
        labelled(BUCKET, {"labels": {"skerry-tier": "meta"}}, {"defaultLabels": '{"skerry-system": "sensei"}'}),
        [("ok", "data", "")],
    ),
    "a label lacks on Google": (
        labelled("gcp:container/cluster:Cluster", {"resourceLabels": {"skerry-tier": "meta"}}),
        [("violation", "data", "it lacks the cost labels skerry-system")],
    ),
    "a database does not get the provider's labels": (
        labelled(SQL, {"settings": {"userLabels": {"skerry-tier": "meta"}}}, {"defaultLabels": LABELS}),
        [("violation", "data", "it lacks the cost labels skerry-system")],
    ),
    "unknown labels": (
        labelled(SQL, {"settings": UNKNOWN}),
        [("undetermined", "data", "its labels are not known before a deployment")],
    ),
    "unknown labels of Google's provider": (
        labelled(BUCKET, {}, {"defaultLabels": UNKNOWN}),
        [("undetermined", "data", "its provider's labels are not known before a deployment")],
    ),
    "nothing billed": (
        lambda b: b.add("aws:iam/role:Role", "role"),
        [("not-applicable", "", "no billed resources in the graph")],
    ),
}


@pytest.mark.parametrize("case", TAGS)
def test_bud002_cost_tags(case: str) -> None:
    build, expected = TAGS[case]
    assert expected == told(run(build, BUD002))


def pool(maximum: int, tier: Tier = Tier.EXECUTION, purchase: str = "on-demand") -> Build:
    nodes = NodesFact(vcpu=8, memory_gib=32, purchase=purchase, priced_here=True)
    scaling = ScalingFact(minimum=2, typical=2, maximum=maximum, autoscaler="karpenter")
    return lambda b: b.component("pool", tier=tier, nodes=nodes, scaling=scaling)


NO_POOLS: Told = [("not-applicable", "", "no node pools in the graph")]
CEILINGS: dict[str, tuple[Build, Told]] = {
    "at the ceiling": (pool(128), [("ok", "pool", "")]),
    "above it": (pool(129), [("violation", "pool", "129 nodes are more than the 128 of the execution tier")]),
    "of another tier": (
        pool(9, Tier.COGNITIVE),
        [("violation", "pool", "9 nodes are more than the 8 of the cognitive tier")],
    ),
    "no pool": (lambda b: b.component("c"), NO_POOLS),
}


@pytest.mark.parametrize("case", CEILINGS)
def test_bud003_ceilings(case: str) -> None:
    build, expected = CEILINGS[case]
    assert expected == told(run(build, BUD003))


def group(value: Any, tier: Tier) -> Build:
    return lambda b: b.add(
        "aws:eks/nodeGroup:NodeGroup", "group", {"capacityType": value}, parent=b.component("c", tier=tier)
    )


TAKEN = "spot machines may be taken away at any time, and only the execution tier bears that"
SPOT: dict[str, tuple[Build, Told]] = {
    "on demand": (pool(4, Tier.META), [("ok", "pool", "")]),
    "spot for what may be interrupted": (pool(4, purchase="spot"), [("ok", "pool", "")]),
    "spot for stores": (pool(4, Tier.META, "spot"), [("violation", "pool", TAKEN)]),
    "a spot group": (group("SPOT", Tier.META), [("violation", "group", TAKEN)]),
    "a spot group for what may be interrupted": (group("SPOT", Tier.EXECUTION), [("ok", "group", "")]),
    "a group of unknown capacity": (
        group(UNKNOWN, Tier.META),
        [("undetermined", "group", "its capacityType is not known before a deployment")],
    ),
    "no pool": (lambda b: b.component("c"), NO_POOLS),
}


@pytest.mark.parametrize("case", SPOT)
def test_bud004_spot(case: str) -> None:
    build, expected = SPOT[case]
    assert expected == told(run(build, BUD004))


def stored(mode: str, *rows: tuple[str, float, int]) -> Build:
    """Return a deployment of a mode with stores of so many GiB in so many copies."""

    def build(b: Any) -> None:
        root = b.deployment(mode=mode)
        for role, gib, copies in rows:
            b.component(role, root, role=role, storage=(StorageFact(kind="volume", gib=gib, copies=copies),))

    return build


WHOLE = "300 graph-store + 500 object-store = 800 GiB = 859 GB, and 1900 GiB with all copies"
SPACE: dict[str, tuple[Build, Told]] = {
    "within": (
        stored("private", ("graph-store", 300, 3), ("object-store", 500, 2)),
        [("ok", "platform", f"{WHOLE}: within the 2,000 GB of mode private")],
    ),
    "beyond": (
        stored("hybrid", ("graph-store", 300, 3), ("object-store", 500, 2)),
        [("violation", "platform", f"{WHOLE}: more than the 500 GB of mode hybrid")],
    ),
    "to the last byte": (
        stored("air-gapped", ("object-store", 2000 * 10**9 / 2**30, 1)),
        [("ok", "platform", "1862.65 object-store = 1862.65 GiB = 2,000 GB, and 1862.65 GiB with all copies: "
                            "within the 2,000 GB of mode air-gapped")],
    ),
    "a vendor's own": (
        stored("saas", ("object-store", 9000, 1)),
        [("not-applicable", "platform", "mode saas is sold without a figure for storage")],
    ),
    "nothing says": (
        stored("private"),
        [("not-applicable", "platform", "no component of the graph says how much space it takes")],
    ),
    "no deployment": (
        lambda b: b.component("c"),
        [("not-applicable", "", "no deployments in a mode with a figure for storage in the graph")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SPACE)
def test_bud005_space(case: str) -> None:
    build, expected = SPACE[case]
    assert expected == told(run(build, BUD005))


def test_the_tags_of_a_real_provider_are_json_text() -> None:
    """The SDK hands structured provider configuration on as JSON text, so the rule must look inside."""
    provider = Resource(
        "urn:pulumi:dev::p::pulumi:providers:aws::main",
        "pulumi:providers:aws",
        "main",
        True,
        inputs={"defaultTags": '{"tags": {"skerry:system": "s", "skerry:tier": "meta"}}'},
    )
    vpc = Resource(
        "urn:pulumi:dev::p::aws:ec2/vpc:Vpc::v", "aws:ec2/vpc:Vpc", "v", True, provider=f"{provider.urn}::id"
    )
    report = check(ResourceGraph("p", ("dev",), (provider, vpc)), today=date(2026, 11, 1))
    assert [f.verdict for f in report.findings if f.rule.id == "BUD002"] == [Verdict.OK]
