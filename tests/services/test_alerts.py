"""Every alert is taken by Prometheus's own tool, fires when it should, is quiet when it should, and has its page."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.services.data import BACKUP_SECONDS, parts, rule_groups
from components.services.scrapes import EdgeParts, Parts
from tests.simulators.promtool import ALERTS, ROOT, case_file, expected_alert, metrics_of, promtool, rules, run

CASES = Path(__file__).with_name("alert_cases.yaml")
RUNBOOKS = ROOT / "docs" / "runbooks"
RULES = {rule["alert"]: (part, rule) for part, rule in rules()}
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]


@cache
def cases() -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = yaml.safe_load(CASES.read_text(encoding="utf-8"))
    return found


@pytest.fixture
def tool() -> None:
    if promtool() is None:
        message = "promtool is not installed (Debian: apt install prometheus)"
        if os.environ.get("SKERRY_REQUIRE_TOOLS"):
            pytest.fail(message)
        pytest.skip(message)


def both(alert: str) -> list[dict[str, Any]]:
    """Return the two tests of an alert: one in which it fires, one in which it does not."""
    rule, case = RULES[alert][1], cases()[alert]
    fires = {"alert": alert, "at": case["at"], "series": case["fires"]}
    found = [{**fires, "expected": [expected_alert(rule, case["labels"])]}]
    if "quiet" in case:
        found.append({"alert": alert, "at": case["at"], "series": case["quiet"], "expected": []})
    return found


@pytest.mark.parametrize("path", sorted(ALERTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_rules_of_a_part_are_taken(path: Path, tool: None) -> None:
    done = run("check", "rules", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", RULES)
def test_an_alert_fires_when_it_should_and_only_then(alert: str, tool: None, tmp_path: Path) -> None:
    file = tmp_path / "cases.yaml"
    file.write_text(case_file([ALERTS / f"{RULES[alert][0]}.yaml"], both(alert)), encoding="utf-8")
    done = run("test", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tool_says_when_an_alert_does_not_do_what_its_case_says(tool: None, tmp_path: Path) -> None:
    """The tests above would pass with a tool that takes anything: this one would not."""
    alert = "VolumeFull"
    case = cases()[alert]
    wrong = {"alert": alert, "at": case["at"], "series": case["fires"], "expected": []}
    file = tmp_path / "cases.yaml"
    file.write_text(case_file([ALERTS / "platform.yaml"], [wrong]), encoding="utf-8")
    done = run("test", "rules", str(file))
    assert (done.returncode, "VolumeFull" in done.stdout + done.stderr) == (1, True)
    broken = tmp_path / "broken.yaml"
    broken.write_text("groups: [{name: a, rules: [{alert: B, expr: 'sum(('}]}]", encoding="utf-8")
    assert run("check", "rules", str(broken)).returncode == 1


def test_every_alert_has_its_cases_and_no_case_is_of_another() -> None:
    assert sorted(RULES) == sorted(cases())
    assert [name for name, case in cases().items() if "quiet" not in case] == ["Watchdog"], "it always fires"


def test_alerts_and_pages_are_one_to_one() -> None:
    assert len(RULES) == len(rules()), "no two alerts have one name"
    assert sorted(RULES) == sorted(path.stem for path in RUNBOOKS.glob("*.md") if path.stem != "README")
    for name, (_, rule) in RULES.items():
        assert f"docs/runbooks/{name}.md" == rule["annotations"]["runbook_url"]


@pytest.mark.parametrize("alert", RULES)
def test_a_page_says_what_it_means_and_what_to_do(alert: str) -> None:
    text = (RUNBOOKS / f"{alert}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {alert}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    diagnosis = text.partition("## Diagnosis\n")[2].partition("## ")[0]
    assert "`" in diagnosis, "a command or a dashboard to look at"
    assert len(re.findall(r"^- ", text.partition("## Mitigation\n")[2], re.MULTILINE)) >= 1
    linked = re.findall(r"\]\(([A-Za-z]+\.md)\)", text)
    assert [name for name in linked if not (RUNBOOKS / name).exists()] == []
    rule = RULES[alert][1]
    assert f"| fires | {'after ' + rule['for'] if 'for' in rule else 'at once'} |" in text
    assert f"| severity | {rule['labels']['severity']}: " in text


def test_every_alert_says_how_bad_it_is_and_what_it_is() -> None:
    for name, (_, rule) in RULES.items():
        assert rule["labels"]["severity"] in ("critical", "warning", "none"), name
        assert {"summary", "description", "runbook_url"} == set(rule["annotations"]), name
        used = set(re.findall(r"\$labels\.(\w+)", yaml.safe_dump(rule["annotations"])))
        assert used <= set(cases()[name]["labels"]), f"{name}: its case has a label that its text names"


def test_a_deployment_puts_its_own_pages_and_its_own_age_of_backups_in() -> None:
    made = rule_groups("postgres", runbooks="https://wiki.example/runbooks/", backup_hours=50)
    old = next(rule for group in made for rule in group["rules"] if rule["alert"] == "PostgresBackupOld")
    assert old["annotations"]["runbook_url"] == "https://wiki.example/runbooks/PostgresBackupOld.md"
    assert "> 180000" in old["expr"]
    text = "".join(path.read_text(encoding="utf-8") for path in ALERTS.glob("*.yaml"))
    assert text.count(BACKUP_SECONDS) == 1, "nothing else is the number that is replaced"


def test_every_file_of_rules_belongs_to_a_part_that_may_be_watched() -> None:
    edge = EdgeParts("e", None, postgres=True)
    everything = Parts(gpu="a", gateway="b", certificates="c", secrets="d", edge=edge).named()
    assert set(parts()) == set(everything)
    nothing = Parts(models=False, pubsub=False, postgres=False, objects=False, qdrant=False).named()
    assert {"ray", "temporal", "neo4j", "mongodb", "mlflow", "agents", "platform"} == set(nothing)


def test_namespaces_in_rules_are_those_of_a_deployment() -> None:
    from components.blueprints.edge_parts import EDGE_NAMESPACE, SYNC_NAMESPACE
    from components.blueprints.sensei import NAMESPACES
    from components.blueprints.services import GATEWAY_NAMESPACE, MONITORING_NAMESPACE

    known = {*NAMESPACES.values(), GATEWAY_NAMESPACE, MONITORING_NAMESPACE, SYNC_NAMESPACE, EDGE_NAMESPACE}
    texts = [path.read_text(encoding="utf-8") for path in (*ALERTS.glob("*.yaml"), *RUNBOOKS.glob("*.md"))]
    named = {name for text in texts for name in re.findall(r"\bsensei-(?:[a-z]+)\b", text)}
    groups = {f"sensei-{part}" for part in parts()}
    assert named - known - groups == set()


def test_metrics_are_found_in_expressions() -> None:
    table = {
        'sum by (a, b) (rate(x_total{c="d"}[5m])) > 0': {"x_total"},
        "a / on (b) c{d=~'e'} or absent(vllm:f)": {"a", "c", "vllm:f"},
        'time() - max by (n) (g_seconds or (h > 0)) > 93600': {"g_seconds", "h"},
        "max_over_time(sum(i)[1d:5m])": {"i"},
        "vector(1)": set(),
    }  # fmt: skip
    assert table == {expression: set(metrics_of(expression)) for expression in table}
