"""The report: what finance reads, what programs read, and that neither ever shows an unknown as zero."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from cost.components import Range
from cost.estimate import Estimate, estimate
from cost.rates import parse_rates
from cost.report import SCHEMA, to_json, to_text
from cost.usage import parse_usage
from skerry.facts import ComponentFacts, StorageFact, Tier
from skerry.graph import UNKNOWN
from tests.simulators.cost_graphs import book, component, custom, deployment, graph, pool

TODAY = date(2026, 11, 21)

USAGE = {
    "schema": "skerry.usage/1",
    "resources": {
        "nat-*": {"gb_processed": {"minimum": 10, "typical": 100, "maximum": 1000}, "gb_out": 0},
        "nothing-like-this": {"requests": 1},
    },
}
RATES = {
    "schema": "skerry.rates/1",
    "pools": {"gpu": {"purchase_usd": 48000, "months": 48, "power_kw": 5, "usd_per_kwh": 0.3, "source": "invoice 7"}},
}


def on_aws(read_on: str = "2026-07-20") -> Estimate:
    root = deployment()
    workers = pool(
        "workers", purchase="on-demand", instance_type="m6i.large", sizes=(2, 4, 100), tier=Tier.EXECUTION, parent=root
    )
    base = component("Base", "base", ComponentFacts(tier=Tier.PLATFORM), parent=root)
    parts = [custom("aws:ec2/natGateway:NatGateway", f"nat-{zone}", parent=base) for zone in "abc"]
    parts.append(custom("aws:eks/cluster:Cluster", "eks", {"version": "1.35"}, parent=base))
    parts.append(custom("aws:s3/bucket:Bucket", "objects", parent=base))
    parts.append(custom("aws:dynamodb/table:Table", "sessions"))
    parts.append(custom("aws:iam/role:Role", "role"))
    parts.append(custom("aws:ec2/vpc:Vpc", "found", external=True))
    return estimate(graph(root, workers, base, *parts), book(read_on), parse_usage(USAGE, "usage.yaml"), today=TODAY)


def own_machines(*, rates: bool) -> Estimate:
    root = deployment("onprem", "")
    gpus = pool("gpu", tier=Tier.COGNITIVE, comparable="aws:us-east-1:m6i.xlarge", sizes=(2, 2, 8), parent=root)
    other = pool("cpu", tier=Tier.META, comparable="aws:us-east-1:m9z.large", parent=root)
    facts = ComponentFacts(tier=Tier.META, storage=(StorageFact(kind="volume", gib=100, copies=3),))
    store = component("VectorStore", "vectors", facts, parent=root)
    given = parse_rates(RATES, "rates.yaml") if rates else None
    return estimate(graph(root, gpus, other, store), book(), rates=given, today=TODAY)


REPORTS: dict[str, Callable[[], str]] = {
    "aws.txt": lambda: to_text(on_aws(), 100, today=TODAY),
    "aws-brief.txt": lambda: to_text(on_aws(), 100, today=TODAY, brief=True),
    "aws-narrow.txt": lambda: to_text(on_aws(), 72, today=TODAY),
    "aws-stale.txt": lambda: to_text(on_aws("2026-01-01"), 100, today=TODAY, brief=True),
    "aws.json": lambda: to_json(on_aws(), today=TODAY),
    "own.txt": lambda: to_text(own_machines(rates=False), 100, today=TODAY),
    "own-rates.txt": lambda: to_text(own_machines(rates=True), 100, today=TODAY),
    "own.json": lambda: to_json(own_machines(rates=True), today=TODAY),
}


@pytest.mark.parametrize("name", REPORTS)
def test_the_whole_report(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"cost/{name}", REPORTS[name]())


@pytest.mark.parametrize("name", REPORTS)
def test_the_same_estimate_gives_the_same_bytes(name: str) -> None:
    assert REPORTS[name]() == REPORTS[name]()


@pytest.mark.parametrize("width", [1, 72, 80, 100, 200])
def test_no_line_is_wider_than_asked(width: int) -> None:
    for brief in (False, True):
        text = to_text(on_aws(), width, today=TODAY, brief=brief)
        assert [line for line in text.splitlines() if len(line) > max(width, 72)] == []


def test_own_machines_without_a_rate_are_in_no_total_and_the_comparison_neither() -> None:
    found = own_machines(rates=False)
    assert Decimal(0) == found.maximum_usd
    assert not found.is_complete
    text = to_text(found, 100, today=TODAY)
    assert "0.00" not in text.split("Comparable rental")[0]
    assert "derived" in text
    assert "not what this site pays" in " ".join(text.split())


def test_a_rate_shows_its_arithmetic_and_reaches_the_total() -> None:
    found = own_machines(rates=True)
    each = Decimal(48000) / 48 + Decimal(5) * 730 * Decimal("0.3")
    assert each * 8 == found.maximum_usd
    assert "48,000 USD / 48 months + 5 kW x 730 h x 0.3 USD/kWh" in " ".join(to_text(found, 100, today=TODAY).split())


def test_json_has_no_binary_number_and_its_parts_add_up() -> None:
    document = json.loads(to_json(on_aws(), today=TODAY), parse_float=lambda text: pytest.fail(f"a float: {text}"))
    assert document["schema"] == SCHEMA
    for size in ("minimum", "typical", "maximum"):
        tiers = sum(Decimal(tier["known"][size]) for tier in document["tiers"])
        lines = sum(Decimal(line["monthly"][size]) for line in document["lines"] if line["monthly"])
        assert Decimal(document["known"][size]) == tiers == lines


def test_every_unknown_line_has_a_reason_and_no_amount() -> None:
    document = json.loads(to_json(on_aws(), today=TODAY))
    unknown = [line for line in document["lines"] if line["monthly"] is None]
    assert document["unknownCount"] == len(unknown)
    assert all(line["unknown"] for line in unknown)
    assert not document["complete"]


def test_a_name_that_fits_nothing_is_told() -> None:
    assert "'nothing-like-this'" in to_text(on_aws(), 100, today=TODAY)


def test_a_book_is_called_old_after_180_days_and_not_before() -> None:
    read = date(2026, 7, 20)
    found = on_aws(read.isoformat())
    assert "warning: older" not in to_text(found, 100, today=date(2027, 1, 16))
    assert "warning: older" in to_text(found, 100, today=date(2027, 1, 17))


def test_money_is_rounded_in_the_report_alone() -> None:
    third = Range(*(Decimal(1) / 3 for _ in range(3)))
    found = own_machines(rates=True)
    line = found.lines[0]
    changed = replace(found, lines=(replace(line, component=replace(line.component, quantity=third)),))
    assert changed.maximum_usd != changed.maximum_usd.quantize(Decimal("0.01"))
    assert f"{changed.maximum_usd:,.2f}" in to_text(changed, 100, today=TODAY)


def test_what_a_terminal_might_obey_does_not_reach_it() -> None:
    root = deployment()
    evil = custom("aws:ec2/eip:Eip", "a\x1b[2Jb\nc", parent=root)
    text = to_text(estimate(graph(root, evil), book(), today=TODAY), 100, today=TODAY)
    assert "\x1b" not in text
    assert "a?[2Jb?c" in text


def test_nothing_billed_says_so() -> None:
    root = deployment()
    role = custom("aws:iam/role:Role", "role", {"name": UNKNOWN}, parent=root)
    found = estimate(graph(root, role), book(), today=TODAY)
    assert found.is_complete
    assert "Nothing here is billed." in to_text(found, 100, today=TODAY)
