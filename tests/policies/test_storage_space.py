"""BUD005: base and platform of a cloud are one deployment, and what the cloud runs takes space as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from policies.rules.budget import RULES
from policies.runner import check
from skerry.facts import StorageFact
from skerry.graph import merge
from tests.simulators.changed_stacks import run_changed
from tests.simulators.policy_graphs import TODAY, Builder, told

BUD005 = next(rule for rule in RULES if rule.id == "BUD005")
PRIVATE: Final = ("sensei-private-aws", "sensei-private-gcp", "sensei-private-azure")
STORES: Final = "100 document-store + 100 graph-store + 100 monitoring + 500 object-store"
SPACE: Final[dict[str, tuple[str, Mapping[str, Any], tuple[str, str]]]] = {
    "AWS runs PostgreSQL and the bucket": (
        PRIVATE[0],
        {},
        ("ok", f"{STORES} + 50 relational-store + 100 vector-store = 950 GiB = 1,020 GB"),
    ),
    "Azure runs the bucket, and the cluster two PostgreSQL": (
        PRIVATE[2],
        {},
        ("ok", f"{STORES} + 100 relational-store + 100 vector-store = 1000 GiB = 1,074 GB"),
    ),
    "a bucket that is sized beyond the figure": (
        PRIVATE[0],
        {"channels.object_store_gib": 1600},
        ("violation", "2050 GiB = 2,201 GB, and 2800 GiB with all copies: more than the 2,000 GB of mode private"),
    ),
    "a database of the cloud that is": (
        PRIVATE[1],
        {"meta.relational.storage_gib": 1200},
        ("violation", "2100 GiB = 2,255 GB, and 4000 GiB with all copies: more than the 2,000 GB of mode private"),
    ),
    "a service, whose space is the vendor's": (
        "sensei-saas-aws",
        {},
        ("not-applicable", "mode saas is sold without a figure for storage"),
    ),
}


@pytest.mark.parametrize("case", SPACE)
def test_the_two_stacks_of_a_cloud_are_judged_as_one(case: str) -> None:
    stack, changes, (verdict, says) = SPACE[case]
    both = merge([run_changed(f"{stack}-base", changes), run_changed(stack, changes)])
    base, platform = check(both, today=TODAY, rules=[BUD005]).findings
    assert base.verdict.value == "not-applicable"
    assert (base.message == f"counted with {stack}, which stands on it") is (verdict != "not-applicable")
    assert platform.verdict.value == verdict
    assert says in platform.message


def test_a_base_alone_tells_what_it_holds_itself() -> None:
    (found,) = check(run_changed(f"{PRIVATE[0]}-base", {}), today=TODAY, rules=[BUD005]).findings
    assert found.message.startswith("500 object-store + 50 relational-store = 550 GiB = 591 GB, and 600 GiB with all")


def test_two_deployments_that_differ_are_judged_apart() -> None:
    graphs = []
    for stack, country in (("one", "DE"), ("two", "SE")):
        builder = Builder(stack)
        root = builder.deployment({"jurisdiction": country}, mode="private")
        builder.component("store", root, role="vector-store", storage=(StorageFact(kind="volume", gib=1000),))
        graphs.append(builder.graph())
    report = check(merge(graphs), today=TODAY, rules=[BUD005])
    sums = "1000 vector-store = 1000 GiB = 1,074 GB, and 1000 GiB with all copies: within the 2,000 GB of mode private"
    assert told(report) == [("ok", "platform", sums)] * 2
