"""Pools, storage and hosted services: what components say of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cost.pricebook import PriceNotFound
from skerry.facts import NodesFact, ScalingFact, StorageFact, Tier
from tests.simulators.cost_round_numbers import on_aws, priced, rows, shown, site

NO_RATE = "own machines: no rate was given for this pool"
RATES = {
    "pools": {
        "gpus": {"purchase_usd": 219000, "months": 60, "power_kw": 6.5, "usd_per_kwh": 0.2, "source": "invoice 4711"},
        "c*": {"usd_per_machine_month": 100, "source": "hoster"},
    },
    "storage": {"usd_per_gib_month": 0.05, "source": "array"},
}


def by_name(builder: Any, **options: Any) -> dict[str, str]:
    return {line.name: shown(line) for line in priced(builder, **options).lines}


def test_own_machines_and_storage_are_unknown_without_rates() -> None:
    found = priced(site())
    assert {line.name: shown(line) for line in found.lines} == {
        "gpus": NO_RATE,
        "cpus": NO_RATE,
        "vectors": "own storage: no rate was given",
    }
    assert (found.is_complete, found.maximum_usd) == (False, 0)


def test_own_machines_and_storage_at_the_users_rates() -> None:
    assert by_name(site(), rates=RATES) == {"gpus": "9198/9198/36792", "cpus": "400/1600/12800", "vectors": "15"}


def test_the_arithmetic_of_a_rate_stands_beside_it() -> None:
    line = priced(site(), rates=RATES).lines[0]
    assert line.component.note == "219,000 USD / 60 months + 6.5 kW x 730 h x 0.2 USD/kWh (invoice 4711)"


def test_disks_that_the_machines_rates_hold_cost_nothing_beside() -> None:
    rates = {"pools": RATES["pools"], "storage_in_machines": True}
    assert {"gpus", "cpus"} == set(by_name(site(), rates=rates))


def test_comparable_rental_is_derived_and_in_no_total() -> None:
    found = priced(site())
    (item,) = found.comparisons
    assert (item.tier, item.instance) == (Tier.COGNITIVE, "aws:us-east-1:p4d.24xlarge")
    assert item.monthly is not None
    assert (item.monthly.minimum, item.monthly.typical, item.monthly.maximum) == (29200, 29200, 116800)
    assert found.maximum_usd == 0


def test_comparable_rental_without_a_row_is_unknown() -> None:
    builder = site()
    nodes = NodesFact(
        vcpu=1, memory_gib=1, purchase="existing", priced_here=True, comparable_instance="aws:eu-west-9:p4d.24xlarge"
    )
    scaling = ScalingFact(minimum=1, typical=1, maximum=1)
    builder.component("more", kind="NodePool", nodes=nodes, scaling=scaling)
    item = priced(builder).comparisons[-1]
    assert item.monthly is None
    assert PriceNotFound("the price book has no price of p4d.24xlarge (hour) for aws eu-west-9") == item.price


ON_DEMAND = {"vcpu": 2, "memory_gib": 8, "instance_type": "m6i.large", "purchase": "on-demand", "priced_here": True}
NO_DISKS = {"root disks": "no resource states the disks of these machines"}
SIZES = {"minimum": 1, "typical": 2, "maximum": 4}
CLOUD: Mapping[str, tuple[dict[str, Any], dict[str, Any] | None, dict[str, str]]] = {
    "rented machines": (ON_DEMAND, SIZES, {"machines m6i.large": "73/146/292", **NO_DISKS}),
    "spot machines": (
        {**ON_DEMAND, "purchase": "spot"},
        SIZES,
        {"machines m6i.large spot": "29.2/58.4/116.8", **NO_DISKS},
    ),
    "machines that a resource stands for": ({**ON_DEMAND, "priced_here": False}, SIZES, {}),
    "no instance type": (
        {**ON_DEMAND, "instance_type": None},
        SIZES,
        {"machines": "the pool names no instance type"},
    ),
    "no bounds": (ON_DEMAND, None, {"machines m6i.large": "the pool states no bounds", **NO_DISKS}),
    "a type without a row": (
        {**ON_DEMAND, "instance_type": "m99.large"},
        SIZES,
        {"machines m99.large": "the price book has no price of m99.large (hour) for aws us-east-1", **NO_DISKS},
    ),
    "Karpenter without a node class": (
        ON_DEMAND,
        {**SIZES, "autoscaler": "karpenter"},
        {
            "machines m6i.large": "73/146/292",
            "the rest": "0 EC2NodeClass resources in the stack: the root disks are not known",
        },
    ),
}


@pytest.mark.parametrize("sentence", CLOUD)
def test_a_pool_on_aws(sentence: str) -> None:
    nodes, scaling, expected = CLOUD[sentence]
    builder = on_aws()
    facts = {"nodes": NodesFact(**nodes), **({"scaling": ScalingFact(**scaling)} if scaling else {})}
    builder.component("pool", kind="NodePool", **facts)
    assert expected == rows(priced(builder))


STORAGE: Mapping[str, tuple[StorageFact, dict[str, str]]] = {
    "a class of the stack": (
        StorageFact(kind="volume", gib=10, copies=2, storage_class="fast"),
        {"volumes gp3": "1.6"},
    ),
    "the cluster's default class": (
        StorageFact(kind="volume", gib=10),
        {"volumes ": "the storage class '(default)' is not in the graph, so its price is not known"},
    ),
    "a class of another driver": (
        StorageFact(kind="volume", gib=10, storage_class="shared"),
        {"volumes shared": "volumes of efs.csi.aws.com are not in the price book"},
    ),
    "a bucket that nothing stands for": (
        StorageFact(kind="bucket", gib=10),
        {"bucket": "no bucket of the graph stands for it"},
    ),
    "a database that the cloud's own resource is priced with": (StorageFact(kind="database", gib=10, copies=2), {}),
}


@pytest.mark.parametrize("sentence", STORAGE)
def test_storage_on_aws(sentence: str) -> None:
    fact, expected = STORAGE[sentence]
    builder = on_aws()
    kind = "kubernetes:storage.k8s.io/v1:StorageClass"
    driver = {"metadata": {"name": "fast"}, "provisioner": "ebs.csi.aws.com"}
    builder.add(kind, "fast", driver)
    builder.add(kind, "shared", {"metadata": {"name": "shared"}, "provisioner": "efs.csi.aws.com"})
    builder.component("store", storage=(fact,))
    assert expected == rows(priced(builder))


def test_a_service_that_a_vendor_hosts_is_unknown() -> None:
    builder = on_aws()
    builder.component("vectors", vendor_hosted="pinecone")
    assert rows(priced(builder)) == {"hosted service": "pinecone bills it by contract, which no price book has"}
