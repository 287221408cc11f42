"""The stacks that come with Skerry: nothing that could be priced is left unknown without a reason."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from cost.estimate import Estimate, estimate
from cost.pricebook import load_book
from cost.rates import parse_rates
from cost.usage import Metered, parse_usage
from skerry.engine.run import run_deployment
from skerry.facts import Tier

ROOT = Path(__file__).resolve().parent.parent.parent
TODAY = date(2026, 11, 21)
GATEWAY = "which kind the cloud makes for a Gateway is the controller's choice"
"""What a load balancer of the entrance is cannot be told before it is there."""
ALL_TIERS = {Tier.COGNITIVE, Tier.EXECUTION, Tier.META, Tier.CHANNELS}


def priced(stack: str, *, usage: bool = False, rates: bool = False) -> Estimate:
    everything = {"resources": {"*": {what.value: 1 for what in Metered}}} if usage else {}
    own = {
        "pools": {"*": {"usd_per_machine_month": 1000, "source": "test"}},
        "storage": {"usd_per_gib_month": 1, "source": "test"},
    }
    graph = run_deployment(ROOT, stack, {})
    return estimate(
        graph, load_book(), parse_usage(everything, "usage"), parse_rates(own if rates else {}, "rates"), today=TODAY
    )


def test_on_aws_only_what_the_user_alone_can_know_is_unknown() -> None:
    found = priced("sensei-saas-aws")
    reasons = {f"{line.component.unknown}" for line in found.unknown}
    assert {reason for reason in reasons if not reason.startswith("usage not given: ")} == {GATEWAY}
    assert set(found.by_tier) >= ALL_TIERS
    assert Decimal(30_000) < found.minimum_usd <= found.typical_usd < found.maximum_usd


def test_on_aws_with_usage_only_the_entrance_is_unknown() -> None:
    found = priced("sensei-saas-aws", usage=True)
    assert [f"{line.name}: {line.component.unknown}" for line in found.unknown] == [f"gateway-gateway: {GATEWAY}"]


@pytest.mark.parametrize("stack", ["sensei-airgapped", "sensei-private-onprem"])
def test_a_site_of_ones_own_is_unknown_without_rates_and_complete_with_them(stack: str) -> None:
    bare = priced(stack)
    assert {"own machines: no rate was given for this pool", "own storage: no rate was given"} == {
        f"{line.component.unknown}" for line in bare.unknown
    }
    assert len(bare.lines) == len(bare.unknown)
    full = priced(stack, rates=True)
    assert full.is_complete
    assert set(full.by_tier) >= ALL_TIERS


def test_on_google_cloud_what_the_book_has_is_priced_and_the_rest_says_so() -> None:
    found = priced("sensei-saas-gcp", usage=True)
    reasons = {f"{line.component.unknown}" for line in found.unknown}
    assert {reason for reason in reasons if not reason.startswith("the price book has no price of ")} == {GATEWAY}
    known = {line.component.name for line in found.lines if line.component.monthly is not None}
    assert known == {
        "machines a2-ultragpu-8g", "machines c2d-highcpu-32", "machines e2-standard-4", "backups", "data",
        "key version", "memory in GiB of db-custom-2-15360", "operations", "storage PD_SSD",
        "vCPU of db-custom-2-15360", "zone of names",
    }  # fmt: skip
    assert Decimal(60_000) < found.minimum_usd < found.typical_usd < found.maximum_usd
    assert not found.is_complete


def test_on_azure_what_the_book_has_is_priced_and_the_rest_says_so() -> None:
    found = priced("sensei-saas-azure", usage=True)
    known = {line.component.name for line in found.lines if line.component.monthly is not None}
    assert known == {
        "machines Standard_ND96amsr_A100_v4", "machines Standard_F32s_v2", "machines Standard_D4s_v5 of pool system",
    }  # fmt: skip
    assert Decimal(60_000) < found.minimum_usd < found.typical_usd < found.maximum_usd
    assert not found.is_complete


PRIVATE_MONTHS = [
    ("sensei-private-aws", {"machines p4d.24xlarge", "machines c6i.8xlarge"}),
    ("sensei-private-gcp", {"machines a2-ultragpu-4g", "machines c2d-highcpu-32"}),
    ("sensei-private-azure", {"machines Standard_NC96ads_A100_v4", "machines Standard_F32s_v2"}),
]


def test_a_private_deployment_in_each_cloud_costs_what_the_page_of_targets_says() -> None:
    text = (ROOT / "docs" / "targets.md").read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith("| a month at the smallest size")]
    months = []
    for stack, machines in PRIVATE_MONTHS:
        found = priced(stack)
        months.append(f"{found.minimum_usd:,.0f} USD")
        known = {line.component.name for line in found.lines if line.component.monthly is not None}
        assert machines <= known
        assert not found.is_complete
        # 250,000 USD are the budget that the stack file names.
        assert found.minimum_usd < found.typical_usd < found.maximum_usd < Decimal(250_000)
    assert row.split("|")[2:5] == [f" {month} " for month in months]
