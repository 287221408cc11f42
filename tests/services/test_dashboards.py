"""Dashboards ask for metrics that somebody tells, in PromQL that Prometheus takes, of a source that people choose."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.services.data import dashboards
from tests.simulators.promtool import ROOT, metrics_of, promtool, rules, run

TABLE = ROOT / "components" / "services" / "metrics.yaml"
BOARDS = {name: json.loads(text) for name, text in dashboards()}
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@cache
def table() -> Mapping[str, str]:
    """Return every metric of the table with its kind."""
    return {
        name: kind for row in yaml.safe_load(TABLE.read_text(encoding="utf-8")) for name, kind in row["metrics"].items()
    }


def panels(board: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for panel in board["panels"]:
        if panel["type"] != "row":
            yield panel


def expressions(board: Mapping[str, Any]) -> list[str]:
    return [target["expr"] for panel in panels(board) for target in panel["targets"]]


def test_there_is_a_dashboard_for_each_tier_and_for_the_channels() -> None:
    assert list(BOARDS) == ["sensei-channels", "sensei-cognitive", "sensei-execution", "sensei-meta"]
    assert all(len(list(panels(board))) > 10 for board in BOARDS.values())


def test_every_metric_that_is_asked_for_has_a_source_and_no_source_is_dead() -> None:
    asked = {name for _, rule in rules() for name in metrics_of(rule["expr"])}
    asked |= {name for board in BOARDS.values() for text in expressions(board) for name in metrics_of(text)}
    assert asked == set(table())


def test_every_row_of_the_table_says_where_it_was_read() -> None:
    rows = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    assert [row["exporter"] for row in rows if not (row["read"] and row["read_on"] and row["told_by"])] == []
    names = [name for row in rows for name in row["metrics"]]
    assert sorted(names) == sorted(set(names))


def test_a_counter_is_not_shown_as_it_is_and_a_histogram_by_its_buckets() -> None:
    counters = {name for name, kind in table().items() if kind in ("counter", "histogram")}
    # DCGM tells rows since the GPU was made: that number itself is what people look at.
    plain = {"DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS"}
    texts = [text for board in BOARDS.values() for text in expressions(board)]
    texts += [rule["expr"] for _, rule in rules()]
    for text in texts:
        for name in metrics_of(text) & counters - plain:
            assert f"rate({name}" in text or f"increase({name}" in text, text


@pytest.mark.parametrize("name", BOARDS)
def test_prometheus_takes_every_expression(name: str, tmp_path: Path) -> None:
    if promtool() is None:
        if os.environ.get("SKERRY_REQUIRE_TOOLS"):
            pytest.fail("promtool is not installed")
        pytest.skip("promtool is not installed (Debian: apt install prometheus)")
    records = [{"record": f"panel:{n}", "expr": text} for n, text in enumerate(expressions(BOARDS[name]))]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": name, "rules": records}]}), encoding="utf-8")
    done = run("check", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(records)} rules found" in done.stdout


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_can_be_loaded_by_grafana(name: str) -> None:
    board = BOARDS[name]
    assert (name, True) == (board["uid"], board["title"].startswith("Sensei: "))
    assert "id" not in board, "Grafana gives it, and refuses one of another installation"
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    (variable,) = board["templating"]["list"]
    assert (variable["name"], variable["type"], variable["query"]) == ("datasource", "datasource", "prometheus")
    for panel in panels(board):
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert [source for source in sources if source != SOURCE] == [], panel["title"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        assert panel["fieldConfig"]["defaults"]["unit"]


@pytest.mark.parametrize("name", BOARDS)
def test_panels_do_not_lie_over_one_another(name: str) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in BOARDS[name]["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies over {taken[(x, y)]}"
                taken[(x, y)] = panel["title"]


@pytest.mark.parametrize("name", BOARDS)
def test_grafanas_own_schema_knows_every_field(name: str) -> None:
    """What Grafana's SDK reads and writes again is what stands there: no field is unknown to it."""
    dashboard = pytest.importorskip("grafana_foundation_sdk.models.dashboard")
    encoder = pytest.importorskip("grafana_foundation_sdk.cog.encoder")
    read = dashboard.Dashboard.from_json(BOARDS[name])
    written = json.loads(encoder.JSONEncoder().encode(read))
    assert lost(BOARDS[name], written, "") == []


def test_a_field_that_grafana_does_not_know_is_told() -> None:
    """The test above would pass with a comparison that sees nothing: this one would not."""
    assert lost({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}]}, "") == [".a[0].c: 2 is unknown"]
    assert lost({"a": 1}, {"a": 2}, "") == [".a: 1 became 2"]
    dashboard = pytest.importorskip("grafana_foundation_sdk.models.dashboard")
    encoder = pytest.importorskip("grafana_foundation_sdk.cog.encoder")
    wrong = {**BOARDS["sensei-meta"], "refreshh": "1m"}
    written = json.loads(encoder.JSONEncoder().encode(dashboard.Dashboard.from_json(wrong)))
    assert lost(wrong, written, "") == [".refreshh: '1m' is unknown"]


def lost(before: Any, after: Any, path: str) -> list[str]:
    """Return the paths of what was there before and is not, or is another."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            entry
            for key, value in before.items()
            for entry in (lost(value, after[key], f"{path}.{key}") if key in after else empty(value, f"{path}.{key}"))
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            entry
            for n, (one, other) in enumerate(zip(before, after, strict=True))
            for entry in lost(one, other, f"{path}[{n}]")
        ]
    return [] if before == after else [f"{path}: {before!r} became {after!r}"]


def empty(value: Any, path: str) -> list[str]:
    """A field that holds nothing may be left out."""
    return [] if value in ({}, [], "", False, None) else [f"{path}: {value!r} is unknown"]
