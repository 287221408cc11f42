"""The rows of the book that comes with Skerry: typed errors show as prices that do not fit their neighbours."""

from __future__ import annotations

import re
from decimal import Decimal

from cost.book_format import HOUR, ON_DEMAND
from cost.pricebook import load_book

MULTIPLES = {
    "large": 1,
    "xlarge": 2,
    "2xlarge": 4,
    "4xlarge": 8,
    "8xlarge": 16,
    "9xlarge": 18,
    "12xlarge": 24,
    "16xlarge": 32,
    "18xlarge": 36,
    "24xlarge": 48,
    "32xlarge": 64,
}
MACHINE = re.compile(r"^(?P<service>[a-z-]+:(?:db|cache)\.)?(?P<family>[cmrt]\w+)\.(?P<size>\w+)$")
REGIONS = ("us-east-1", "eu-central-1")


def per_large() -> dict[tuple[str, str], list[Decimal]]:
    """Return region and family -> the price of each size, divided down to that of `large`."""
    found: dict[tuple[str, str], list[Decimal]] = {}
    for price in load_book().prices:
        match = MACHINE.match(price.sku)
        if (price.cloud, price.unit, price.term) != ("aws", HOUR, ON_DEMAND) or price.region not in REGIONS:
            continue
        if match and match["size"] in MULTIPLES:
            key = (price.region, f"{match['service'] or ''}{match['family']}")
            found.setdefault(key, []).append(price.usd / MULTIPLES[match["size"]])
    return found


def test_sizes_of_a_family_cost_in_proportion() -> None:
    families = {key: prices for key, prices in per_large().items() if len(prices) > 1}
    assert len(families) > 50
    assert [key for key, prices in families.items() if max(prices) / min(prices) > Decimal("1.03")] == []


def test_frankfurt_costs_a_seventh_to_a_quarter_more_than_virginia() -> None:
    prices = {
        (price.sku, price.region): price.usd
        for price in load_book().prices
        if (price.cloud, price.unit, price.term) == ("aws", HOUR, ON_DEMAND) and MACHINE.match(price.sku)
    }
    both = [sku for sku, region in prices if region == "eu-central-1" and (sku, "us-east-1") in prices]
    ratios = {sku: prices[sku, "eu-central-1"] / prices[sku, "us-east-1"] for sku in both}
    assert len(both) > 100
    assert {sku: ratio for sku, ratio in ratios.items() if not Decimal("1.1") < ratio < Decimal("1.26")} == {}
