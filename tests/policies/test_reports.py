from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from policies.context import Context
from policies.reports.document import report_json
from policies.reports.handbook import with_rules
from policies.reports.junit import report_junit
from policies.reports.sarif import report_sarif
from policies.reports.text import MOST_LINES, report_text
from policies.rules.catalogue import ALL_RULES
from policies.runner import Report
from policies.verdict import Judgement, Severity, ok, undetermined, violation
from skerry.facts import DataClass, Tier, WaiverFact
from skerry.graph import UNKNOWN, ResourceGraph
from tests.simulators.policy_graphs import Builder, run

ROOT = Path(__file__).resolve().parents[2]
RDS = "aws:rds/instance:Instance"
BY_ID = {rule.id: rule for rule in ALL_RULES}


def mixed(b: Builder) -> None:
    """A small platform with something of every verdict."""
    waivers = (
        WaiverFact(rule="NET007", resource="old", owner="Ada", reason="it goes in spring", expires="2027-03-31"),
        WaiverFact(rule="REL004", resource="db", owner="Bob", reason="one zone for a while", expires="2026-01-31"),
    )
    root = b.deployment(waivers=waivers)
    store = b.component("facts", root, tier=Tier.META, data_class=DataClass.RESTRICTED, stateful=True, role="store")
    b.add(RDS, "db", {"storageEncrypted": UNKNOWN, "region": "us-east-1"}, parent=store, source="components/db.py:12")
    b.add("kubernetes:core/v1:Namespace", "old", {"metadata": {"name": "old"}}, parent=root)


def clean(b: Builder) -> None:
    b.component("gateway", encrypted_in_transit=True)


def many(b: Builder) -> None:
    for number in range(MOST_LINES + 3):
        b.add(RDS, f"db-{number}", {"publiclyAccessible": True})


REPORTS: dict[str, Callable[[Report], str]] = {
    "text": report_text,
    "json": report_json,
    "sarif": report_sarif,
    "xml": report_junit,
}


@pytest.mark.parametrize("form", REPORTS)
def test_golden(form: str, golden: Callable[[str, str], None]) -> None:
    golden(f"policies/mixed.{form}", REPORTS[form](run(mixed, *ALL_RULES)))


@pytest.mark.parametrize("form", REPORTS)
def test_the_same_report_gives_the_same_bytes(form: str) -> None:
    assert REPORTS[form](run(mixed, *ALL_RULES)) == REPORTS[form](run(mixed, *ALL_RULES))


def test_text_keeps_to_the_width() -> None:
    for line in report_text(run(mixed, *ALL_RULES), width=72).splitlines():
        assert len(line) <= 72 or " " not in line.strip(" -"), line


def test_text_of_a_clean_check_is_short() -> None:
    text = report_text(run(clean, *ALL_RULES))
    assert "Kept: ENC002" in text
    last = " ".join(text.split("check of ")[1].split())
    assert last == f"dev passed: 0 violations; 0 undetermined; 0 waived; 1 ok (2 resources, {RULES} rules)"


RULES = len(ALL_RULES) + 3


def test_text_names_so_many_resources_and_counts_the_rest() -> None:
    text = report_text(run(many, BY_ID["NET006"]))
    assert text.count("the database has a public address") == MOST_LINES
    assert "... and 3 more resources (--format json lists them)" in text


def test_text_says_that_strict_fails_what_is_undetermined() -> None:
    report = run(lambda b: b.add(RDS, "db", {"storageEncrypted": UNKNOWN}), BY_ID["ENC001"])
    summaries = [report_text(report, strict=strict) for strict in (False, True)]
    assert "check of dev passed: 0 violations; 1 undetermined" in summaries[0]
    assert "check of dev failed: 0 violations; 1 undetermined" in summaries[1]


def test_json_counts_what_it_lists() -> None:
    document = json.loads(report_json(run(mixed, *ALL_RULES)))
    verdicts = [finding["verdict"] for finding in document["findings"]]
    assert {verdict: verdicts.count(verdict) for verdict in document["counts"]} == document["counts"]
    assert document["schema"] == "skerry.check/1"
    assert document["passed"] is False


def test_json_is_documented_field_by_field() -> None:
    page = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    document = json.loads(report_json(run(mixed, *ALL_RULES)))
    fields = set(document) | set(document["rules"][0])
    for finding in document["findings"]:
        fields |= set(finding) | set(finding.get("waiver", {}))
    assert [field for field in sorted(fields) if f"`{field}" not in page] == []


def _check_sarif(log: Any) -> None:
    """Hold a log to the parts of the SARIF 2.1.0 standard that it uses (sections in the comments)."""
    assert set(log) == {"$schema", "version", "runs"}  # 3.13
    assert log["version"] == "2.1.0"
    for found in log["runs"]:  # 3.14
        assert set(found) == {"tool", "columnKind", "results"}
        assert found["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
        rules = found["tool"]["driver"]["rules"]  # 3.19.23: ids are unique
        assert len({rule["id"] for rule in rules}) == len(rules)
        for rule in rules:  # 3.49, 3.50
            assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
            assert len(set(rule["properties"]["tags"])) == len(rule["properties"]["tags"])  # 3.8.2
        for result in found["results"]:  # 3.27
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            assert result["kind"] in ("pass", "open", "informational", "notApplicable", "review", "fail")
            assert result["level"] == "none" or result["kind"] == "fail"  # 3.27.10
            assert result["message"]["text"]
            for location in result["locations"]:
                uri = location["physicalLocation"]["artifactLocation"]["uri"]  # 3.4.3: a relative URI
                assert re.fullmatch(r"[\w./%-]+", uri)
                region = location["physicalLocation"].get("region", {"startLine": 1})
                assert region["startLine"] >= 1  # 3.30.5
            for suppression in result.get("suppressions", []):  # 3.35
                assert suppression["kind"] in ("inSource", "external")
                assert suppression["status"] in ("accepted", "underReview", "rejected")


def test_sarif_keeps_the_standard() -> None:
    _check_sarif(json.loads(report_sarif(run(mixed, *ALL_RULES))))


def test_sarif_points_at_the_line_that_made_the_resource() -> None:
    log = json.loads(report_sarif(run(mixed, *ALL_RULES)))
    places = {
        (place["artifactLocation"]["uri"], place.get("region", {}).get("startLine"))
        for result in log["runs"][0]["results"]
        for place in [result["locations"][0]["physicalLocation"]]
    }
    assert ("components/db.py", 12) in places
    assert ("Pulumi.yaml", None) in places


def test_junit_counts_what_it_lists() -> None:
    top = ElementTree.fromstring(report_junit(run(mixed, *ALL_RULES)))
    for suite in (top, *top):
        cases = list(suite.iter("testcase"))
        failed = [case for case in cases if case.find("failure") is not None]
        skipped = [case for case in cases if case.find("skipped") is not None]
        expected = (str(len(cases)), str(len(failed)), str(len(skipped)))
        assert expected == (suite.get("tests"), suite.get("failures"), suite.get("skipped"))


def test_junit_fails_what_is_undetermined_when_strict() -> None:
    report = run(lambda b: b.add(RDS, "db", {"storageEncrypted": UNKNOWN}), BY_ID["ENC001"])
    counts = [ElementTree.fromstring(report_junit(report, strict=strict)).get("failures") for strict in (False, True)]
    assert counts == ["0", "1"]


HOSTILE = 'a <b> & "c" \x00\x1b[31m | `d`\n::error::'


def hostile(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource in graph.of_type(RDS):
        yield violation(resource, HOSTILE, HOSTILE)
        yield undetermined(None, HOSTILE)
        yield ok(resource)


@pytest.mark.parametrize("form", REPORTS)
def test_a_hostile_name_breaks_no_report(form: str) -> None:
    rule = replace(ALL_RULES[0], check=hostile, severity=Severity.HIGH)
    text = REPORTS[form](run(lambda b: b.add(RDS, HOSTILE), rule))
    if form == "xml":
        assert ElementTree.fromstring(text) is not None
    elif form != "text":
        assert json.loads(text)
    assert "\x1b" not in text
    assert "\x00" not in text


def test_the_handbook_is_the_list_of_rules() -> None:
    page = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    assert with_rules(page) == page, "run `python -m policies.reports.handbook`"


@pytest.mark.parametrize("module", ["text", "document", "sarif", "junit"])
def test_reports_need_no_pulumi(module: str) -> None:
    code = f"import sys, policies.reports.{module}; sys.exit('pulumi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
