"""The alerts of services: taken by Prometheus's own tool, firing when they should and only then, each with its page."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.services.data import OF_SERVICES, service_rule_groups
from skerry.config.spec import CONFIG_KEY
from skerry.engine.project import StackConfig
from skerry.engine.run import run_program
from skerry.facts import facts_of
from skerry.graph import ResourceGraph
from tests.simulators.promtool import ROOT, case_file, expected_alert, promtool, run
from tests.simulators.service_fields import SECRETS, described, problems, put
from tests.simulators.stack_objects import inputs, objects

RULES = {rule["alert"]: rule for group in service_rule_groups() for rule in group["rules"]}
CASES: Mapping[str, Mapping[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("service_alert_cases.yaml").read_text(encoding="utf-8")
)


@pytest.fixture
def tool() -> None:
    if promtool() is None:
        message = "promtool is not installed (Debian: apt install prometheus)"
        if os.environ.get("SKERRY_REQUIRE_TOOLS"):
            pytest.fail(message)
        pytest.skip(message)


def test_the_rules_are_taken(tool: None) -> None:
    done = run("check", "rules", str(OF_SERVICES))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", RULES)
def test_an_alert_fires_when_it_should_and_only_then(alert: str, tool: None, tmp_path: Path) -> None:
    rule, case = RULES[alert], CASES[alert]
    fires = {"alert": alert, "at": case["at"], "series": case["fires"]}
    quiet = {"alert": alert, "at": case["at"], "series": case["quiet"], "expected": []}
    both = [{**fires, "expected": [expected_alert(rule, case["labels"])]}, quiet]
    file = tmp_path / "cases.yaml"
    file.write_text(case_file([OF_SERVICES], both), encoding="utf-8")
    done = run("test", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_cases_and_a_page() -> None:
    pages = ROOT / "docs" / "runbooks" / "services"
    assert sorted(RULES) == sorted(CASES) == sorted(path.stem for path in pages.glob("*.md"))
    for name, rule in RULES.items():
        text = (pages / f"{name}.md").read_text(encoding="utf-8")
        assert f"docs/runbooks/services/{name}.md" == rule["annotations"]["runbook_url"]
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Meaning", "Impact", "Diagnosis", "Mitigation"]
        assert f"| fires | after {rule['for']} |" in text
        assert f"| severity | {rule['labels']['severity']}: " in text


def test_the_bounds_are_those_of_the_analysis() -> None:
    """003:6611 to 6621: CPU above 80 %, memory above 90 %, errors above 1 %."""
    ends = {name: rule["expr"].rsplit("> ", 1)[1] for name, rule in RULES.items() if name != "ServiceDown"}
    assert ends == {"ServiceCpuHigh": "0.8", "ServiceMemoryHigh": "0.9", "ServiceErrors": "0.01"}


def deployment(**monitoring: Any) -> dict[str, Any]:
    found = described("kubernetes")
    put(found, "services.monitoring", {"alertmanager_secret": "alerts-out", **monitoring})
    put(found, "applications.services.web.definition.metrics_path", "/figures")
    return found


@cache
def graph() -> ResourceGraph:
    values = {CONFIG_KEY: json.dumps(deployment()), **SECRETS}
    return run_program(ROOT, "watched", StackConfig(values, frozenset(SECRETS)))


OWN = "applications-monitoring"


def test_a_prometheus_of_their_own_reads_the_service_and_the_proxies_before_it() -> None:
    (chart,) = [row for row in graph().resources if "Release" in row.type and "stack" in row.name]
    assert inputs(chart)["namespace"] == OWN
    told = {row.name: inputs(row) for row in objects(graph(), "PodMonitor")}
    ends = {name: body["spec"]["podMetricsEndpoints"][0]["path"] for name, body in told.items()}
    assert sorted(ends.values()) == ["/figures", "/stats/prometheus"]
    assert {body["metadata"]["namespace"] for body in told.values()} == {
        "applications-services",
        "applications-gateway",
    }
    (rules,) = objects(graph(), "PrometheusRule")
    assert inputs(rules)["metadata"]["namespace"] == OWN
    names = {rule["alert"] for group in inputs(rules)["spec"]["groups"] for rule in group["rules"]}
    assert names == set(RULES)


def test_it_may_call_those_ports_and_no_others_may() -> None:
    policies = [inputs(row) for row in objects(graph(), "NetworkPolicy")]
    out = [row for row in policies if row["metadata"]["namespace"] == OWN and "Egress" in row["spec"]["policyTypes"]]
    called = {
        port["port"]
        for row in out
        for rule in row["spec"].get("egress", [])
        for port in rule.get("ports", [])
        if "prometheus" in json.dumps(row["spec"]["podSelector"])
    }
    assert called == {9000, 19001, 10250}


def test_what_it_keeps_and_carries_is_told() -> None:
    found = [facts for row in graph().resources if (facts := facts_of(row)) is not None and facts.role == "monitoring"]
    ((volume,),) = [facts.storage for facts in found]
    assert (volume.gib, volume.copies) == (100, 2)
    charts = {chart.name for row in graph().resources if (facts := facts_of(row)) for chart in facts.charts}
    assert "kube-prometheus-stack" in charts


def test_dashboards_of_tiers_are_not_shown_where_there_are_none() -> None:
    assert list(problems(deployment(grafana=True))) == ["services.monitoring.grafana"]
