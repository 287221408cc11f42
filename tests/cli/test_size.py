"""`skerry size` as a user meets it: the answer, its JSON, tables, prices beside the analysis' dollars, and refusals."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from cli.size_bills import Bill, Said, cheapest
from cost.components import CostComponent, Range, fixed, not_priced
from cost.pricebook import Price, load_book
from skerry.agentdb import tables
from skerry.instances import Need
from tests.simulators.size_answers import at

CALCULATOR = ["--episodes", "100000", "--skills", "50000", "--edges", "20000", "--nodes", "30000"]


def run(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["size", *words]) == 0
    return capsys.readouterr().out


def document(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    return json.loads(run(capsys, *words, "--format", "json"))


def bill(found: Any, name: str) -> Any:
    return at(found, f"cost.name={name}")


def test_the_text_has_every_part_and_the_line_of_each_number(capsys: pytest.CaptureFixture[str]) -> None:
    text = run(capsys, "agentdb", "--agents", "5000", *CALCULATOR)
    for part in ("Architecture", "Each node", "Load of one region", "Storage and shards", "Network", "Service", "Cost"):
        assert f"\n{part}" in text
    assert "3 nodes a region [003:5774]" in text
    assert "       10          12.8   781 ms   10,500   82.1 %   99 %  measured [003:5562]" in text
    assert max(len(line) for line in text.splitlines()) <= 100


def test_the_json_has_schema_and_every_number_its_kind_and_lines(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "agentdb", "--agents", "5000")
    assert found["schema"] == "skerry.size/1"
    figures = list(figures_of(found))
    assert len(figures) > 50
    assert [one for one in figures if one["kind"] in ("measured", "stated") and not one["seeds"]] == []
    assert [one for one in figures if (one["value"] is None) != (one["kind"] == "unknown")] == []
    assert [one for one in figures if one["value"] is None and len(one["how"]) < 10] == []


def figures_of(value: Any) -> Any:
    if isinstance(value, dict):
        if {"value", "unit", "kind", "seeds"} <= set(value):
            yield value
        for one in value.values():
            yield from figures_of(one)
    elif isinstance(value, list):
        for one in value:
            yield from figures_of(one)


def test_without_records_storage_is_unknown_and_says_what_to_give(capsys: pytest.CaptureFixture[str]) -> None:
    assert document(capsys, "agentdb", "--agents", "10")["storage"] is None
    assert "unknown: give --episodes, --skills, --edges or --nodes" in run(capsys, "agentdb", "--agents", "10")


def test_the_same_question_has_the_same_answer(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("agentdb", "--agents", "12000", "--target", "gcp", "--format", "json")
    assert run(capsys, *words) == run(capsys, *words)


def test_machines_are_priced_from_the_book(capsys: pytest.CaptureFixture[str]) -> None:
    found = bill(document(capsys, "agentdb", "--agents", "5000"), "the sized nodes")
    price = load_book().find("aws", "us-east-1", "m6i.2xlarge", "hour")
    assert isinstance(price, Price)
    assert found["lines"][0]["monthly"]["typical"] == f"{price.usd * 3 * 730:.2f}"
    assert [one["remark"] for one in found["seed"]] == ["below what is computed (905.39 USD)"] * 2


def test_the_profile_of_ecs_is_priced_at_two_three_and_ten_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    found = bill(document(capsys, "agentdb", "--agents", "5000"), "the profile production")
    tasks = [Decimal(found["lines"][0]["quantity"][size]) / 730 / 2 for size in ("minimum", "typical", "maximum")]
    assert tasks == [2, 3, 10]
    assert {one["seed"] for one in found["seed"]} == {"003:5956", "003:4479", "003:4371"}


def test_cloud_run_shows_all_three_figures_of_the_analysis(capsys: pytest.CaptureFixture[str]) -> None:
    found = bill(document(capsys, "agentdb", "--agents", "1000", "--target", "gcp"), "Cloud Run")
    assert [(one["low"], one["seed"]) for one in found["seed"]] == [
        ("6.22", "003:3479"),
        ("18.66", "003:4575"),
        ("25.00", "003:4476"),
    ]
    assert found["known"]["typical"] == "19.91"


def test_a_thousand_batches_a_second_cost_what_518_terabytes_cost(capsys: pytest.CaptureFixture[str]) -> None:
    found = bill(document(capsys, "agentdb", "--agents", "100", "--batches", "1000"), "data to the internet")
    (line,) = found["lines"]
    assert line["monthly"]["typical"] == "46656.00"
    assert found["seed"][-1] == {
        "low": "46.62",
        "high": "46.62",
        "of": "section 8.4, for 1000 batches/s",
        "seed": "003:4286",
        "remark": "below what is computed (46,656.00 USD)",
    }


def test_the_enterprise_profile_costs_more_than_the_analysis_says(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("agentdb", "--agents", "20000", "--target", "gcp")
    found = bill(document(capsys, *words), "the profile enterprise")
    assert "below what is computed (at least " in found["seed"][0]["remark"]


def test_regions_without_a_price_are_unknown_and_not_taken_from_another(capsys: pytest.CaptureFixture[str]) -> None:
    found = bill(document(capsys, "agentdb", "--agents", "20000"), "the sized nodes")
    assert any("for aws in ap-southeast-1" in reason for reason in found["unknown"])
    text = run(capsys, "agentdb", "--agents", "20000", "--at", "us-east-1")
    assert "a region that nobody named (--at)" in " ".join(text.split())


def test_own_machines_have_the_rate_that_the_user_gives(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ["agentdb", "--agents", "5000", "--target", "hosts"]
    assert bill(document(capsys, *words), "the sized nodes")["known"] is None
    assert "together: unknown: no part has a price" in run(capsys, *words)
    assert "no rate was given: name 'agentdb' in a rates file" in " ".join(run(capsys, *words).split())
    rates = tmp_path / "rates.yaml"
    rates.write_text(
        "schema: skerry.rates/1\npools: {agentdb: {usd_per_machine_month: 120, source: a quotation}}\n"
        "storage_in_machines: true\n"
    )
    found = bill(document(capsys, *words, "--rates", str(rates)), "the sized nodes")
    assert (found["known"]["typical"], found["unknown"]) == ("360.00", [])


def test_the_cheapest_machine_is_taken_and_none_where_none_has_a_price() -> None:
    found = cheapest(load_book(), "aws", "us-east-1", Need(vcpu=8, memory_gib=16))
    assert found is not None
    assert found[0].name == "m6i.2xlarge"
    assert cheapest(load_book(), "aws", "mars-1", Need(vcpu=8, memory_gib=16)) is None


def _bill(low: int, high: int, *, unknown: bool = False) -> Bill:
    price = load_book().find("aws", "us-east-1", "alb", "hour")
    assert isinstance(price, Price)
    hours = Range(Decimal(low), Decimal(low), Decimal(high)) * (1 / price.usd)
    lines = [CostComponent("part", "hour", hours, price)]
    lines += [not_priced("other", "nobody knows")] if unknown else []
    return Bill("b", "of", tuple(lines), ())


REMARKS = {
    "the analysis' is lower": (_bill(100, 200), 10, 90, "below what is computed (100.00 to 200.00 USD)"),
    "the analysis' is higher": (_bill(100, 200), 300, 400, "above what is computed (100.00 to 200.00 USD)"),
    "the analysis' holds it": (_bill(100, 200), 90, 210, "holds what is computed (100.00 to 200.00 USD)"),
    "they overlap": (_bill(100, 200), 150, 300, "overlaps what is computed (100.00 to 200.00 USD)"),
    "parts are unknown": (
        _bill(100, 200, unknown=True),
        150,
        300,
        "cannot tell: at least 100.00 to 200.00 USD, and parts are unknown",
    ),
    "parts are unknown, and it is lower all the same": (
        _bill(100, 200, unknown=True),
        10,
        90,
        "below what is computed (at least 100.00 to 200.00 USD)",
    ),
}


@pytest.mark.parametrize("case", REMARKS)
def test_the_analysis_figure_is_compared(case: str) -> None:
    made, low, high, expected = REMARKS[case]
    assert expected == made.remark(Said(Decimal(low), Decimal(high), "003:1", "x"))


def test_nothing_with_a_price_is_not_compared() -> None:
    made = Bill("b", "of", (not_priced("part", "nobody knows"),), ())
    assert made.remark(Said(Decimal(1), Decimal(2), "003:1", "x")) == "nothing to compare it with: no part has a price"
    assert made.known == fixed(0)


@pytest.mark.parametrize("name", tables.NAMES)
def test_every_table_is_printed_as_data(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert document(capsys, "agentdb", "--table", name)["rows"] == json.loads(json.dumps(tables.raw(name)))
    assert "seed: 003:" in run(capsys, "agentdb", "--table", name)


def test_contradictions_are_printed_with_both_sides(capsys: pytest.CaptureFixture[str]) -> None:
    text = run(capsys, "agentdb", "--contradictions")
    assert f"Contradictions of the analysis ({len(tables.contradictions())})" in text
    assert "- 518 GB a month at 1000 batches/s [003:4283]" in text
    found = document(capsys, "agentdb", "--contradictions")["contradictions"]
    assert len(found) == len(tables.contradictions())


def test_the_load_test_has_thirty_five_runs_with_every_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "agentdb", "--load-test")["runs"]
    assert len({(one["agents"], one["concurrency"]) for one in found}) == 35
    assert {(one["iterations"], one["durationSeconds"]) for one in found} == {(10, 60)}
    missing = [one for one in found if one["measured"] is None]
    assert {one["concurrency"] for one in missing} == {20, 50}
    assert len(missing) == 14
    text = run(capsys, "agentdb", "--load-test")
    assert "35 runs, 21 of them measured [003:5368, 003:5377, 003:5371, 003:5374]" in text
    assert "   35  10,000       50          10       60  unknown" in text


def test_the_checklist_is_markdown_and_data(capsys: pytest.CaptureFixture[str]) -> None:
    text = run(capsys, "agentdb", "--checklist")
    assert "- [ ] the bundle is small (< 5 MB) [003:6602]" in text
    assert "- [ ] all tests: `npm test` [003:6593]" in text
    found = document(capsys, "agentdb", "--checklist")["checklists"]
    assert [len(found[name]) for name in ("before", "during", "after")] == [13, 10, 5]


TOUCHED = {
    "few agents": (["--agents", "10"], {"memory-a-thousand-agents"}, {"ready-for-ten-thousand", "kilobytes"}),
    "records": (["--agents", "10", "--episodes", "5"], {"kilobytes", "shard-sizes"}, {"hash-is-not-consistent"}),
    "many records": (["--agents", "10", "--episodes", "100001"], {"hash-is-not-consistent"}, {"two-nodes"}),
    "a cluster": (["--agents", "5000"], {"two-nodes", "failover-time"}, {"more-memory-than-the-machine"}),
    "regions": (["--agents", "20000"], {"mesh-of-regions", "four-nines", "enterprise-price"}, {"two-nodes"}),
    "google": (["--agents", "10", "--target", "gcp"], {"cloud-run-price"}, {"ecs-prices"}),
}


@pytest.mark.parametrize("case", TOUCHED)
def test_an_answer_shows_the_contradictions_that_it_touches(capsys: pytest.CaptureFixture[str], case: str) -> None:
    words, shown, hidden = TOUCHED[case]
    found = {one["id"] for one in document(capsys, "agentdb", *words)["contradictions"]}
    assert shown <= found
    assert hidden & found == set()


REFUSED = {
    "no agents named": (["agentdb"], "--agents is missing: give the number of agents at once"),
    "no agents": (["agentdb", "--agents", "0"], "agents 0 is not a number of agents: give 1 to 10000000"),
    "a negative number": (["agentdb", "--agents", "-5"], "agents -5 is not a number of agents"),
    "too many": (["agentdb", "--agents", "10000001"], "agents 10000001 is not a number of agents"),
    "no requests": (["agentdb", "--agents", "5", "--concurrency", "0"], "concurrency 0 is not a number of requests"),
    "no users": (["agentdb", "--agents", "5", "--users", "0"], "users 0 is not a number of users: give 1 to"),
    "no machines": (["agentdb", "--agents", "5", "--machines", "0"], "machines 0 is not a number of nodes"),
    "nodes of no memory": (["agentdb", "--agents", "5", "--node-memory-gib", "0"], "node memory 0 is not a number"),
    "no number": (["agentdb", "--agents", "5", "--batches", "many"], "--batches 'many' is not a number: write it like"),
    "small nodes": (["agentdb", "--agents", "10000", "--node-memory-gib", "16"], "23,500 MiB are needed"),
    "a small profile": (["agentdb", "--agents", "101", "--profile", "development"], "more than the 100 of the profile"),
    "two questions": (
        ["agentdb", "--table", "stress", "--contradictions"],
        "are different questions: ask one at a time",
    ),
    "a region that is none": (
        ["agentdb", "--agents", "5", "--at", "us-eats-1"],
        "--at 'us-eats-1' is not a region of aws: did you mean 'us-east-1'?",
    ),
    "a region of own hosts": (["agentdb", "--agents", "5", "--target", "hosts", "--at", "x"], "--target hosts is none"),
    "no chart": (["agentdb", "--agents", "5", "--format", "svg"], "--format svg is for charts: add --chart"),
    "a chart in JSON": (["agentdb", "--chart", "memory", "--format", "json"], "their rows are in --table stress"),
    "more than a hundred nodes": (
        ["agentdb", "--agents", "500000"],
        "more than the 100 that the analysis thinks possible",
    ),
    "a model that fits nowhere": (
        ["sensei", "--gpus", "2", "--gpu-memory-gib", "80"],
        "use more or larger GPUs (--gpus, --gpu-memory-gib)",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_one_message_and_exit_code_2(capsys: pytest.CaptureFixture[str], case: str) -> None:
    words, expected = REFUSED[case]
    assert main(["size", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert expected in err


def test_an_edge_may_be_old_and_loses_no_more_writes_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "agentdb", "--agents", "20000", "--edge")["edge"]
    assert [(one["name"], one["writes"]) for one in found["layers"]] == [
        ("edge", False),
        ("regional", True),
        ("core", True),
    ]
    assert (found["staleness"]["value"], found["stalenessWithCache"]["value"]) == (6, 7)
    assert "may be 6 minutes [003:5314] old, 7 minutes" in " ".join(
        run(capsys, "agentdb", "--agents", "20000", "--edge").split()
    )
    assert document(capsys, "agentdb", "--agents", "20000")["edge"] is None


def test_memory_for_more_requests_than_were_measured_is_a_lower_bound(capsys: pytest.CaptureFixture[str]) -> None:
    text = run(capsys, "agentdb", "--agents", "5000", "--concurrency", "50")
    assert "at least 16 GiB of memory" in text
    assert "memory: at least 16,384 MiB" in text
    assert "at least" not in run(capsys, "agentdb", "--agents", "5000").split("Load of one region")[0]


def test_sensei_is_answered_in_text_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    text = run(capsys, "sensei", "--mode", "private")
    assert "at least 9 machines [000:44, 000:52, 000:60, 000:129]: 2 + 4 + 3" in " ".join(text.split())
    found = document(capsys, "sensei", "--mode", "air-gapped", "--precision", "int4")
    assert (found["schema"], found["least"]["value"], found["chosen"]["fits"]) == ("skerry.size/1", 9, True)


def test_the_answer_is_written_to_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    assert run(capsys, "agentdb", "--agents", "10", "--format", "json", "--out", str(path)) == ""
    assert json.loads(path.read_text())["asked"]["agents"] == 10
