"""Amounts: sums of sizes, and what an unknown part does to them."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal

import pytest

from cost.components import (
    NOTHING,
    CostComponent,
    OwnRate,
    QuantityUnknown,
    Range,
    fixed,
    not_priced,
    sum_of,
)
from cost.pricebook import Price, PriceNotFound

PRICE = Price("aws", "us-east-1", "x", "hour", Decimal("0.1"), "on-demand", "a page", date(2026, 10, 1))


def some_range(rng: random.Random) -> Range:
    sizes = sorted(Decimal(rng.randrange(0, 10**9)) / 10 ** rng.randrange(0, 7) for _ in range(3))
    return Range(*sizes)


@pytest.mark.parametrize("seed", range(30))
def test_a_sum_does_not_depend_on_order_or_grouping_and_keeps_the_sizes_rising(seed: int) -> None:
    rng = random.Random(seed)
    parts = [some_range(rng) for _ in range(rng.randrange(0, 20))]
    shuffled = rng.sample(parts, len(parts))
    cut = rng.randrange(0, len(parts) + 1)
    total = sum_of(parts)
    assert total == sum_of(shuffled)
    assert total == sum_of(parts[:cut]) + sum_of(parts[cut:])
    assert total.minimum <= total.typical <= total.maximum


@pytest.mark.parametrize("seed", range(10))
def test_a_factor_goes_over_a_sum(seed: int) -> None:
    rng = random.Random(seed)
    parts = [some_range(rng) for _ in range(5)]
    assert sum_of(parts) * 730 == sum_of(part * 730 for part in parts)


def test_nothing_sums_to_zero() -> None:
    assert sum_of([]) == NOTHING


def test_money_is_exact() -> None:
    cents = [CostComponent("x", "hour", fixed(1), PRICE) for _ in range(10)]
    amounts = [component.monthly for component in cents]
    assert fixed(Decimal("1.0")) == sum_of(amount for amount in amounts if amount is not None)


UNKNOWNS = {
    "no quantity": (CostComponent("x", "GB", QuantityUnknown("usage not given"), PRICE), "usage not given"),
    "no price": (CostComponent("x", "GB", fixed(1), PriceNotFound("no row")), "no row"),
    "neither": (
        CostComponent("x", "GB", QuantityUnknown("usage not given"), PriceNotFound("no row")),
        "usage not given; no row",
    ),
    "nothing at all, said once": (not_priced("x", "nobody knows"), "nobody knows"),
}


@pytest.mark.parametrize("sentence", UNKNOWNS)
def test_an_unknown_part_has_a_reason_and_no_amount(sentence: str) -> None:
    component, reason = UNKNOWNS[sentence]
    assert component.monthly is None
    assert reason == component.unknown


def test_a_rate_of_ones_own_counts_like_a_price() -> None:
    component = CostComponent("x", "machine-month", fixed(3), OwnRate(Decimal(100), "machine-month", "given"))
    assert fixed(300) == component.monthly
    assert component.unknown is None
