"""The rates file: the arithmetic that it gives, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cost.rates import parse_rates, read_rates
from skerry.errors import CostError

PURCHASE = {"purchase_usd": 219000, "months": 60, "source": "invoice 4711"}
POWER = {"power_kw": 6.5, "usd_per_kwh": 0.2, "source": "contract"}

GIVEN: dict[str, tuple[dict[str, Any], Decimal, str]] = {
    "a rate all in": (
        {"usd_per_machine_month": 4000.5, "source": "hoster"},
        Decimal("4000.5"),
        "given (hoster)",
    ),
    "a purchase": (PURCHASE, Decimal(3650), "219,000 USD / 60 months (invoice 4711)"),
    "power": (POWER, Decimal(949), "6.5 kW x 730 h x 0.2 USD/kWh (contract)"),
    "both": (
        {**POWER, **PURCHASE},
        Decimal(4599),
        "219,000 USD / 60 months + 6.5 kW x 730 h x 0.2 USD/kWh (invoice 4711)",
    ),
}


@pytest.mark.parametrize("sentence", GIVEN)
def test_a_machine_costs_what_the_arithmetic_says(sentence: str) -> None:
    given, usd, arithmetic = GIVEN[sentence]
    rate = parse_rates({"pools": {"gpu*": given}}, "rates.yaml").machine("gpus")
    assert rate is not None
    assert (usd, "machine-month", arithmetic) == (rate.usd, rate.unit, rate.arithmetic)


def test_a_pool_without_a_rate_has_none() -> None:
    assert parse_rates({"pools": {"gpus": PURCHASE}}, "rates.yaml").machine("cpus") is None


REFUSED: dict[str, tuple[Any, str]] = {
    "no source": ({"pools": {"gpus": {"usd_per_machine_month": 1}}}, "source"),
    "a purchase that is never written off": (
        {"pools": {"gpus": {"purchase_usd": 1, "source": "page"}}},
        "purchase_usd and months go together",
    ),
    "power without a tariff": ({"pools": {"gpus": {"power_kw": 1, "source": "page"}}}, "go together"),
    "a rate and a purchase": (
        {"pools": {"gpus": {**PURCHASE, "usd_per_machine_month": 1}}},
        "either usd_per_machine_month",
    ),
    "nothing": ({"pools": {"gpus": {"source": "page"}}}, "either usd_per_machine_month"),
    "a rate of zero": ({"pools": {"gpus": {"usd_per_machine_month": 0, "source": "page"}}}, "greater than 0"),
    "no number": ({"pools": {"gpus": {"usd_per_machine_month": float("nan"), "source": "page"}}}, "pools.gpus"),
    "storage of zero": ({"storage": {"usd_per_gib_month": 0, "source": "page"}}, "storage.usd_per_gib_month"),
    "a schema of another version": ({"schema": "skerry.rates/9"}, "schema"),
    "a list": ([], "the document"),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_bad_rates_are_refused_by_path(sentence: str) -> None:
    document, part = REFUSED[sentence]
    with pytest.raises(CostError) as raised:
        parse_rates(document, "rates.yaml")
    assert str(raised.value).startswith("rates.yaml: ")
    assert part in str(raised.value)


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rates.yaml"
    path.write_text("pools:\n  '*': {usd_per_machine_month: 0.1, source: page}\n", encoding="utf-8")
    rate = read_rates(path).machine("any")
    assert rate is not None
    assert Decimal("0.1") == rate.usd
