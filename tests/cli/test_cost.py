"""`skerry cost` as a user runs it, over the stacks that come with Skerry."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from cli.main import main

ROOT = Path(__file__).resolve().parents[2]
AIRGAPPED = ["cost", "--project", str(ROOT), "--stack", "sensei-airgapped", "--today", "2026-11-21"]

RATES = """schema: skerry.rates/1
pools: {'*': {usd_per_machine_month: 1000, source: price list}}
storage: {usd_per_gib_month: 0.02, source: price list}
"""


def test_a_site_of_its_own_machines_has_no_total_and_a_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(AIRGAPPED) == 0
    text = capsys.readouterr().out
    assert "total: unknown" in text
    assert "derived" in text
    assert "0.00" not in text


def test_brief_is_shorter_and_has_the_tiers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*AIRGAPPED, "--brief"]) == 0
    text = capsys.readouterr().out
    for tier in ("cognitive", "execution", "meta", "channels"):
        assert f"\n  {tier}" in text
    assert len(text.splitlines()) <= 24


def test_rates_make_the_estimate_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rates = tmp_path / "rates.yaml"
    rates.write_text(RATES, encoding="utf-8")
    assert main([*AIRGAPPED, "--rates", str(rates), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["complete"]
    machines = [line for line in document["lines"] if line["component"] == "own machines"]
    counts = sum(Decimal(line["quantity"]["maximum"]) for line in machines)
    assert counts * 1000 == sum(Decimal(line["monthly"]["maximum"]) for line in machines)


def test_out_writes_the_file_and_leaves_standard_output_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep" / "cost.json"
    assert main([*AIRGAPPED, "--format", "json", "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "at least" in printed.err
    assert json.loads(out.read_text(encoding="utf-8"))["schema"] == "skerry.cost/1"


WRONG = {
    "a usage file that is not there": ("--usage", None, "cannot be read"),
    "a usage file that is no YAML": ("--usage", "a: [", "is no YAML"),
    "a usage file of another version": ("--usage", "schema: skerry.usage/9\nresources: {}\n", "schema"),
    "a key of usage that does not exist": ("--usage", "resources: {a: {gallons: 3}}\n", "gallons"),
    "usage below zero": ("--usage", "resources: {a: {gb_out: -3}}\n", "gb_out"),
    "a rate without a source": ("--rates", "pools: {a: {usd_per_machine_month: 3}}\n", "source"),
    "a rate of zero": ("--rates", "pools: {a: {usd_per_machine_month: 0, source: none}}\n", "usd_per_machine_month"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_use_is_one_message_and_exit_code_2(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    option, content, word = WRONG[case]
    file = tmp_path / "given.yaml"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    assert main([*AIRGAPPED, option, str(file)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert word in printed.err
    assert str(file) in printed.err


def test_a_day_that_is_none_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cost", "--stack", "sensei-airgapped", "--today", "yesterday"]) == 2
    assert "--today 'yesterday'" in capsys.readouterr().err
