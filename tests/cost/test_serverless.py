"""Cloud Run, functions and what stands before them: what they cost by a book of round numbers, and by the real one."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from cost.book_format import COLUMNS, HOUR, ON_DEMAND, SCHEMA
from cost.pricebook import Price, PriceBook, load_book, read_book
from skerry.facts import ScalingFact
from tests.simulators.cost_round_numbers import TODAY, priced, shown
from tests.simulators.policy_graphs import Builder

ROWS = """
gcp,us-central1,cloud-run-vcpu,hour,0.1,on-demand
gcp,us-central1,cloud-run-memory,hour,0.01,on-demand
gcp,us-central1,cloud-run-vcpu-always,hour,0.05,on-demand
gcp,us-central1,cloud-run-requests,request,0.0000004,on-demand
gcp,us-central1,forwarding-rules-first-5,hour,0.025,on-demand
gcp,us-central1,forwarding-rule-more,hour,0.01,on-demand
gcp,us-central1,cloud-armor-policy,month,5,on-demand
gcp,us-central1,cloud-armor-rule,month,1,on-demand
gcp,us-central1,secret-version,month,0.06,on-demand
gcp,us-central1,cloud-sql-vcpu,hour,0.04,on-demand
gcp,us-central1,cloud-sql-memory,hour,0.01,on-demand
gcp,us-central1,cloud-sql-pd-ssd,GB-month,0.2,on-demand
azure,eastus,container-apps-vcpu,hour,0.1,on-demand
azure,eastus,container-apps-memory,hour,0.01,on-demand
azure,eastus,application-gateway-waf-v2,hour,0.4,on-demand
azure,eastus,application-gateway-waf-v2-unit,hour,0.01,on-demand
azure,eastus,service-bus-premium,hour,1,on-demand
"""
RUN, APP = "gcp:cloudrunv2/service:Service", "azure-native:app:ContainerApp"
RULE = "gcp:compute/globalForwardingRule:GlobalForwardingRule"


def book() -> PriceBook:
    lines = [f"{row},a price page,2026-10-01" for row in ROWS.strip().splitlines()]
    return read_book({"small.csv": "\n".join([f"# {SCHEMA}", ",".join(COLUMNS), *lines, ""])})


def site(kind: str) -> Builder:
    builder = Builder()
    region = {"gcp": "us-central1", "azure": "eastus"}[kind]
    builder.deployment({"kind": kind, "region": region, "jurisdiction": "US"})
    return builder


def service(cpu: str, memory: str, low: int, high: int, **resources: Any) -> dict[str, Any]:
    limits = {"cpu": cpu, "memory": memory}
    return {
        "template": {
            "containers": [{"resources": {"limits": limits, **resources}}],
            "scaling": {"minInstanceCount": low, "maxInstanceCount": high},
        }
    }


def costs(
    kind: str, inputs: Mapping[str, Any], usage: Mapping[str, Any] | None = None, typical: int | None = None
) -> dict[str, str]:
    builder = site(kind.partition(":")[0].removesuffix("-native"))
    parent = None
    if typical is not None:
        parent = builder.component("around", scaling=ScalingFact(minimum=0, typical=typical, maximum=1000))
    builder.add(kind, "it", inputs, parent=parent)
    return {line.component.name: shown(line) for line in priced(builder, usage, book=book(), today=TODAY).lines}


CASES: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "a service from 0 to 100 instances": (
        RUN,
        service("1000m", "512Mi", 0, 100),
        {"CPU of instances": "0/0/7300", "memory of instances": "0/0/365"},
    ),
    "one that has its CPU all the time": (
        RUN,
        service("2000m", "1Gi", 1, 1, cpuIdle=False),
        {"CPU of instances": "73"},
    ),
    "a secret": ("gcp:secretmanager/secretVersion:SecretVersion", {}, {"secret": "0.06"}),
    "a policy with two rules and the last": (
        "gcp:compute/securityPolicy:SecurityPolicy",
        {"rules": [{"priority": 1}, {"priority": 2}, {"priority": 2147483647}]},
        {"policy": "5", "rules": "2"},
    ),
    "a database made of parts": (
        "gcp:sql/databaseInstance:DatabaseInstance",
        {"settings": {"tier": "db-custom-2-4096", "availabilityType": "REGIONAL", "diskSize": 100}},
        {
            "vCPU of db-custom-2-4096": "116.8",
            "memory in GiB of db-custom-2-4096": "58.4",
            "storage PD_SSD": "40",
        },
    ),
    "a function": (
        APP,
        {
            "template": {
                "containers": [{"resources": {"cpu": 0.5, "memory": "1Gi"}}],
                "scale": {"minReplicas": 1, "maxReplicas": 200},
            }
        },
        {"CPU of replicas": "36.5/36.5/7300", "memory of replicas": "7.3/7.3/1460"},
    ),
    "a gateway": (
        "azure-native:network:ApplicationGateway",
        {"sku": {"tier": "WAF_v2"}, "autoscaleConfiguration": {"minCapacity": 0, "maxCapacity": 10}},
        {"gateway": "292", "capacity units": "0/7.3/730"},
    ),
    "a bus": (
        "azure-native:servicebus:Namespace",
        {"sku": {"tier": "Premium", "capacity": 2}},
        {"messaging units premium": "1460"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_type_costs_what_the_book_says(case: str) -> None:
    kind, inputs, expected = CASES[case]
    found = costs(kind, inputs)
    assert expected == {name: found[name] for name in expected}


def test_what_has_no_price_is_unknown_and_never_zero() -> None:
    always = costs(RUN, service("1000m", "512Mi", 1, 1, cpuIdle=False))
    assert "no price of cloud-run-memory-always" in always["memory of instances"]
    asked = costs(RUN, service("1000m", "512Mi", 0, 100))
    assert "usage not given: requests" in asked["requests"]


def test_the_typical_number_is_what_the_component_says() -> None:
    assert costs(RUN, service("1000m", "512Mi", 0, 100), typical=3)["CPU of instances"] == "0/219/7300"


def test_hours_that_are_given_replace_the_bounds() -> None:
    found = costs(RUN, service("1000m", "512Mi", 0, 100), {"it": {"instance_hours": 216}})
    assert found["CPU of instances"] == "21.6" and found["memory of instances"] == "1.08"


def test_five_forwarding_rules_cost_what_one_does() -> None:
    builder = site("gcp")
    for number in range(7):
        builder.add(RULE, f"rule-{number}", {})
    lines = priced(builder, {}, book=book(), today=TODAY).lines
    found = [shown(line) for line in lines if line.component.name.startswith("forwarding")]
    assert found == ["18.25", "7.3", "7.3"]


def hourly(sku: str) -> Decimal:
    found = load_book().find("gcp", "us-central1", sku, HOUR, ON_DEMAND)
    assert isinstance(found, Price)
    return found.usd


def test_the_analysis_unit_price_lacks_a_zero() -> None:
    """003:3477 has 0.0000024 USD a second; 003:4569 comes to 18.66 USD, which only ten times that gives."""
    seconds, share = 2_592_000, Decimal("0.30")
    printed = Decimal("0.0000024")
    assert (round(printed * seconds, 2), round(printed * seconds * share, 2)) == (Decimal("6.22"), Decimal("1.87"))
    sourced = hourly("cloud-run-vcpu") / 3600
    assert sourced == printed * 10
    assert round(sourced * seconds * share, 2) == Decimal("18.66")
    memory = Decimal("0.5") * hourly("cloud-run-memory") / 3600 * seconds * share
    assert round(memory, 2) == Decimal("0.97"), "512 MiB are billed beside the CPU, which no figure of it has"
