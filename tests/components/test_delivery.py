"""How a new version takes the place of the old: all at once beside it, a share of callers first, or one by one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from skerry.config.spec import CONFIG_KEY
from skerry.engine.project import StackConfig
from skerry.engine.run import run_program
from skerry.graph import UNKNOWN, ResourceGraph, plain
from tests.simulators.provider_graphs import refusals
from tests.simulators.serverless_stacks import CLIENT
from tests.simulators.service_fields import SECRETS, described, problems, put
from tests.simulators.stack_objects import ROOT, inputs

WEB = "applications.services.web"


def asked(runtime: str, delivery: dict[str, Any], **more: Any) -> dict[str, Any]:
    found = described(runtime)
    put(found, f"{WEB}.delivery", delivery)
    for path, value in more.items():
        put(found, f"{WEB}.{path.replace('__', '.')}", value)
    return found


def graph(runtime: str, delivery: dict[str, Any]) -> ResourceGraph:
    values = {CONFIG_KEY: json.dumps(asked(runtime, delivery)), **SECRETS, "skerry:entraClientId": CLIENT}
    return run_program(ROOT, "delivery", StackConfig(values, frozenset(SECRETS)))


def of(found: ResourceGraph, kind: str, name: str) -> dict[str, Any]:
    (one,) = [row for row in found.of_type(kind) if name in row.name]
    return inputs(one)


def test_on_ecs_a_second_set_of_tasks_stands_beside_the_first_and_callers_move_at_once() -> None:
    found = graph("ecs", {"strategy": "blue-green", "watch_minutes": 30})
    service = of(found, "aws:ecs/service:Service", "web")
    assert service["deploymentConfiguration"] == {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": "30"}
    assert "deploymentCircuitBreaker" not in service, "which is of rolling deployments alone"
    (balancer,) = service["loadBalancers"]
    assert set(balancer["advancedConfiguration"]) == {"alternateTargetGroupArn", "productionListenerRule", "roleArn"}
    groups = [row.name for row in found.of_type("aws:lb/targetGroup:TargetGroup")]
    assert sorted(name for name in groups if "web" in name) == ["web-t2", "web-tg"]
    rule = next(row for row in found.of_type("aws:lb/listenerRule:ListenerRule") if "web" in row.name)
    (action,) = inputs(rule)["actions"]
    assert [row["weight"] for row in action["forward"]["targetGroups"]] == [100, 0]
    (role,) = [row for row in found.of_type("aws:iam/role:Role") if "moves" in row.name]
    assert "ecs.amazonaws.com" in inputs(role)["assumeRolePolicy"]
    assert refusals(found) == []


def test_on_ecs_a_tenth_of_callers_meets_the_new_tasks_first() -> None:
    service = of(graph("ecs", {"strategy": "canary", "percent": 10}), "aws:ecs/service:Service", "web")
    wanted = {"canaryPercent": 10, "canaryBakeTimeInMinutes": "60"}
    assert wanted == service["deploymentConfiguration"]["canaryConfiguration"]
    assert service["deploymentConfiguration"]["strategy"] == "CANARY"


def test_on_ecs_tasks_are_exchanged_one_by_one_where_nothing_is_said() -> None:
    service = of(graph("ecs", {}), "aws:ecs/service:Service", "web")
    assert "deploymentConfiguration" not in service
    assert service["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert [service["deploymentMinimumHealthyPercent"], service["deploymentMaximumPercent"]] == [100, 200]


@pytest.mark.parametrize("percent", [10, 50])
def test_on_lambda_the_alias_names_two_versions(percent: int) -> None:
    found = graph("lambda", {"strategy": "canary", "percent": percent, "stable": "7"})
    (alias,) = [row for row in found.of_type("aws:lambda/alias:Alias") if "web" in row.name]
    assert inputs(alias)["functionVersion"] == "7"
    weights = plain(alias.inputs)["routingConfig"]["additionalVersionWeights"]
    assert weights is UNKNOWN or weights == {}, "the newest version has a number only once it is there"
    assert refusals(found) == []


def test_on_lambda_a_version_stands_beside_the_old_and_nobody_meets_it() -> None:
    found = graph("lambda", {"strategy": "blue-green", "stable": "7"})
    alias = of(found, "aws:lambda/alias:Alias", "web")
    assert alias["functionVersion"] == "7"
    assert "routingConfig" not in alias


STEPS = {10: [90, 10], 50: [50, 50]}


@pytest.mark.parametrize("percent", STEPS)
def test_on_cloud_run_revisions_share_callers(percent: int) -> None:
    delivery = {"strategy": "canary", "percent": percent, "stable": "web-00007-abc"}
    found = graph("cloud-run", delivery)
    service = of(found, "gcp:cloudrunv2/service:Service", "web")
    assert STEPS[percent] == [row["percent"] for row in service["traffics"]]
    assert [row.get("revision") for row in service["traffics"]] == ["web-00007-abc", None]
    assert service["traffics"][1]["tag"] == "next", "by which it can be tried"


def test_on_functions_revisions_share_callers() -> None:
    delivery = {"strategy": "canary", "percent": 10, "stable": "web--0000007"}
    app = of(graph("functions", delivery), "azure-native:app:ContainerApp", "web")
    assert app["configuration"]["activeRevisionsMode"] == "Multiple"
    traffic = app["configuration"]["ingress"]["traffic"]
    assert [row["weight"] for row in traffic] == [90, 10]


CANARY = {"strategy": "canary", "percent": 10}
REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "pods are exchanged by Kubernetes": (
        asked("kubernetes", {"strategy": "blue-green"}),
        f"{WEB}.delivery.strategy",
        "'blue-green' is on ecs, lambda, cloud-run and functions: kubernetes exchanges pods; use rolling",
    ),
    "a share of callers that nobody names": (
        asked("ecs", {"strategy": "canary"}),
        f"{WEB}.delivery.percent",
        "is required with canary; use 10, then 50, say",
    ),
    "a share of callers beside blue and green": (
        asked("ecs", {"strategy": "blue-green", "percent": 10}),
        f"{WEB}.delivery.percent",
        "has no meaning with blue-green; remove it",
    ),
    "a share without a strategy": (
        asked("lambda", {"percent": 10}),
        f"{WEB}.delivery.percent",
        "has no meaning with rolling; name a strategy, or remove it",
    ),
    "nobody says which revision is the old one": (
        asked("cloud-run", CANARY),
        f"{WEB}.delivery.stable",
        "is required: it names the version that is called now; name it",
    ),
    "a version of Lambda's has a number": (
        asked("lambda", {**CANARY, "stable": "live"}),
        f"{WEB}.delivery.stable",
        "'live' is no number of a version; write it like '7'",
    ),
    "Cloud Run does not go on by itself": (
        asked("cloud-run", {**CANARY, "stable": "web-1", "watch_minutes": 5}),
        f"{WEB}.delivery.watch_minutes",
        "is only on ecs: cloud-run goes on when `percent` is changed, and not by itself; remove it",
    ),
    "ECS moves callers by one rule": (
        asked("ecs", {"strategy": "blue-green"}, paths=["/a", "/b", "/c", "/d", "/e"]),
        f"{WEB}.delivery.strategy",
        "its hosts, paths and ranges make 2 rules of the load balancer, and ECS moves callers by one; "
        "name fewer of them, or use rolling",
    ),
    "no load balancer stands before it": (
        asked("ecs", {"strategy": "blue-green"}, exposure="none", host=None),
        f"{WEB}.delivery.strategy",
        "shares callers out at a load balancer, and none stands before this service; set exposure, or use rolling",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_runtime_cannot_is_refused(case: str) -> None:
    deployment, path, text = REFUSED[case]
    assert {path: text} == problems(deployment)
