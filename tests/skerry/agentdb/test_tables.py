"""The tables of AgentDB's analysis: every row has its line, rows add up as they must, and nothing is read twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from skerry.agentdb import tables
from skerry.errors import CatalogError

SEED = re.compile(r"^003:\d+$")
LAST_LINE = 6819
"""Of the document."""


def rows_of(value: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every mapping that has a value of its own, which is a row."""
    if isinstance(value, dict):
        if any(not isinstance(one, dict | list) for one in value.values()) and "lines" not in where:
            yield where, value
        for key, one in value.items():
            yield from rows_of(one, f"{where}.{key}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from rows_of(one, f"{where}.{number}")


EXEMPT = (".lines", ".mix", ".means", ".expected", ".when")
"""Parts of a row, not rows."""


@pytest.mark.parametrize("name", tables.NAMES)
def test_every_row_names_a_line_of_the_analysis(name: str) -> None:
    missing = [
        where
        for where, row in rows_of(tables.raw(name), name)
        if not where.endswith(EXEMPT) and "seed" not in row and not {"id", "months", "items"} & set(row)
    ]
    assert missing == []


@pytest.mark.parametrize("name", tables.NAMES)
def test_lines_are_lines_of_the_analysis(name: str) -> None:
    found = [row["seed"] for _, row in rows_of(tables.raw(name), name) if "seed" in row]
    assert found
    assert [seed for seed in found if not SEED.match(seed) or int(seed[4:]) > LAST_LINE] == []


def test_the_load_test_has_seven_numbers_of_agents_at_three_concurrencies() -> None:
    found = {(row.agents, row.concurrency) for row in tables.stress().rows}
    agents = (10, 50, 100, 500, 1000, 5000, 10000)
    assert {(one, at) for one in agents for at in (1, 5, 10)} == found
    assert len(tables.stress().rows) == 21


def test_more_agents_are_slower_take_more_memory_and_fail_more() -> None:
    for level in (1, 5, 10):
        rows = sorted((row for row in tables.stress().rows if row.concurrency == level), key=lambda row: row.agents)
        assert [row.ops_s for row in rows] == sorted((row.ops_s for row in rows), reverse=True)
        assert [row.p50_ms for row in rows] == sorted(row.p50_ms for row in rows)
        assert [row.memory_mb for row in rows] == sorted(row.memory_mb for row in rows)
        assert [row.success_percent for row in rows] == sorted((row.success_percent for row in rows), reverse=True)


def test_the_plan_of_the_load_test_has_thirty_five_runs() -> None:
    plan = tables.stress().plan
    assert len(plan.agents.values) * len(plan.concurrency.values) == 35


def test_the_memory_of_a_node_adds_up() -> None:
    profile = dict(tables.hardware().memory_profile)
    total = profile.pop("total")
    assert total.value == sum(one.value for one in profile.values())


def test_the_cpu_of_a_node_adds_up() -> None:
    assert Decimal(100) == sum(one.value for one in tables.hardware().cpu_profile.values())


def test_bandwidth_adds_up() -> None:
    for row in (*tables.network().deployments, tables.network().multi_region):
        assert row.total_mbps == row.in_mbps + row.out_mbps + row.sync_mbps


def test_storage_of_a_number_of_records_adds_up_and_is_the_rate() -> None:
    source = tables.storage()
    for row in source.growth:
        stores = [row["reflexion_kb"], row["skills_kb"], row["causal_kb"], row["graph_kb"]]
        assert row["total_kb"] == sum(stores)
        assert [float(rate.kb) * row["records"] for rate in source.rates.values()] == stores


def test_three_years_cost_what_their_parts_make() -> None:
    source = tables.costs().three_years
    for option in source.options:
        once = sum((item.usd for item in option.once), Decimal(0))
        years = sum((item.usd for item in option.yearly), Decimal(0)) * source.months / 12
        months = sum((item.usd for item in option.monthly), Decimal(0)) * source.months
        assert option.printed in (None, once + years + months), option.name


def test_savings_are_those_of_the_machine_of_ones_own_and_not_of_ecs() -> None:
    source = tables.costs().three_years
    printed = {option.name: option.printed for option in source.options}
    for saving in source.savings:
        dear, cheap = printed[saving.against], printed[saving.of]
        assert dear is not None
        assert cheap is not None
        assert saving.usd == dear - cheap
    ecs, weaviate, pinecone = printed["ECS"], printed["Weaviate"], printed["Pinecone Enterprise"]
    assert ecs is not None
    assert weaviate is not None
    assert pinecone is not None
    assert (Decimal(1080), Decimal(7560)) == (ecs - weaviate, pinecone - ecs)


def test_monthly_rows_add_up() -> None:
    for row in tables.costs().monthly.rows:
        parts = [part for part in (row.compute, row.storage, row.network) if part is not None]
        assert not parts or row.total == sum(parts), row.name


def test_the_migration_pays_back_as_the_analysis_says() -> None:
    row = tables.costs().migration
    saved = row.from_usd - row.to_usd
    assert row.payback_months == row.once_usd / saved
    assert row.net_usd == saved * row.months - row.once_usd


def test_every_contradiction_has_two_sides_and_a_name_of_its_own() -> None:
    found = tables.contradictions()
    assert [one.id for one in found if len(one.says) < 2 and one.id not in ("spot-alone", "database-price")] == []
    assert len({one.id for one in found}) == len(found)


def test_gains_are_the_quotient_that_they_say() -> None:
    for row in tables.raw("benchmarks")["gains"]:
        if "from_ms" in row:
            assert row["low"] == pytest.approx(row["from_ms"] / row["to_ms"], rel=0.01)


def test_a_table_that_does_not_exist_is_refused() -> None:
    with pytest.raises(CatalogError, match="there is no table 'prices' of AgentDB: choose one of stress, scaling"):
        tables.raw("prices")
