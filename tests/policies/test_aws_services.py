"""Services on AWS's own runtimes: TLS of listeners, capacity that stays, images of tasks and functions."""

from __future__ import annotations

import json
from datetime import date
from typing import Any, Final

import pytest

from policies.rules.aws_services import RELIABILITY
from policies.rules.catalogue import ALL_RULES
from policies.rules.entrances import ENCRYPTION
from policies.runner import check
from policies.workloads import images
from skerry.graph import UNKNOWN, Resource
from tests.simulators.aws_service_stacks import ECS, changed, everything, graph, services
from tests.simulators.aws_service_stacks import run as run_deployed
from tests.simulators.policy_graphs import Build, Builder, run, told

TODAY: Final = date(2026, 11, 21)
(ENC006,), (REL007,) = ENCRYPTION, RELIABILITY
Told = list[tuple[str, str, str]]
LISTENER, BALANCER = "aws:lb/listener:Listener", "aws:lb/loadBalancer:LoadBalancer"
SERVICE, TASK = "aws:ecs/service:Service", "aws:ecs/taskDefinition:TaskDefinition"
FUNCTION = "aws:lambda/function:Function"


def listener(*, internal: bool | None = None, **inputs: Any) -> Build:
    def build(b: Builder) -> None:
        made = b.add(BALANCER, "alb", {} if internal is None else {"internal": internal})
        b.add(LISTENER, "it", inputs, property_dependencies={"loadBalancerArn": (made,)})

    return build


REDIRECT = [{"type": "redirect", "redirect": {"protocol": "HTTPS", "statusCode": "HTTP_301"}}]
TLS: dict[str, tuple[Build, Told]] = {
    "HTTPS with TLS 1.2 and newer": (
        listener(protocol="HTTPS", sslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06"), [("ok", "it", "")]
    ),
    "HTTPS without a policy": (
        listener(protocol="HTTPS"),
        [("violation", "it", "it names no policy of TLS, so that versions before 1.2 are taken")],
    ),
    "HTTPS with AWS's old policy": (
        listener(protocol="HTTPS", sslPolicy="ELBSecurityPolicy-2016-08"),
        [("violation", "it", "ELBSecurityPolicy-2016-08 takes versions of TLS before 1.2")],
    ),
    "HTTPS with a policy that takes TLS 1.0 beside 1.3": (
        listener(protocol="HTTPS", sslPolicy="ELBSecurityPolicy-TLS13-1-0-2021-06"),
        [("violation", "it", "ELBSecurityPolicy-TLS13-1-0-2021-06 takes versions of TLS before 1.2")],
    ),
    "HTTPS with a policy that is not known": (
        listener(protocol="HTTPS", sslPolicy=UNKNOWN),
        [("undetermined", "it", "its policy of TLS is not known before a deployment")],
    ),
    "HTTP that sends callers on to HTTPS": (listener(protocol="HTTP", defaultActions=REDIRECT), [("ok", "it", "")]),
    "HTTP that answers": (
        listener(protocol="HTTP", defaultActions=[{"type": "forward", "targetGroupArn": "arn"}]),
        [("violation", "it", "it answers without TLS")],
    ),
    "HTTP whose actions are not known": (
        listener(protocol="HTTP", defaultActions=UNKNOWN),
        [("undetermined", "it", "what it does is not known before a deployment")],
    ),
    "HTTP inside a network": (listener(internal=True, protocol="HTTP"), []),
    "a network load balancer": (listener(protocol="TCP"), []),
    "a protocol that is not known": (
        listener(protocol=UNKNOWN), [("undetermined", "it", "its protocol is not known before a deployment")]
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TLS)
def test_what_is_called_from_outside_speaks_tls(case: str) -> None:
    build, expected = TLS[case]
    assert [row for row in told(run(build, ENC006)) if row[1] == "it"] == expected


def service(*rows: dict[str, Any]) -> Build:
    def build(b: Builder) -> None:
        b.add(SERVICE, "it", {"capacityProviderStrategies": list(rows)} if rows else {})

    return build


def unknown_capacity(b: Builder) -> None:
    b.add(SERVICE, "it", {"capacityProviderStrategies": UNKNOWN})


GONE = "all of its tasks may be taken away two minutes after a warning"
CAPACITY: dict[str, tuple[Build, Told]] = {
    "spot with a weight of 1 and nothing else, as 003:4509 has it": (
        service({"capacityProvider": "FARGATE_SPOT", "weight": 1}), [("violation", "it", GONE)]
    ),
    "a provider without a weight gives nothing": (
        service({"capacityProvider": "FARGATE_SPOT", "weight": 1}, {"capacityProvider": "FARGATE", "weight": 0}),
        [("violation", "it", GONE)],
    ),
    "a base that stays": (
        service(
            {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
            {"capacityProvider": "FARGATE_SPOT", "weight": 9},
        ),
        [("ok", "it", "")],
    ),
    "no strategy": (service(), [("ok", "it", "")]),
    "a strategy that is not known": (
        unknown_capacity, [("undetermined", "it", "what its tasks run on is not known before a deployment")]
    ),
    "a provider that is not known": (
        service({"capacityProvider": UNKNOWN, "weight": 1}),
        [("undetermined", "it", "what its tasks run on is not known before a deployment")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CAPACITY)
def test_a_service_keeps_tasks_on_capacity_that_stays(case: str) -> None:
    build, expected = CAPACITY[case]
    assert told(run(build, REL007)) == expected


CONTAINERS = json.dumps([{"name": "a", "image": "reg.example/a:1"}, {"name": "b", "image": "reg.example/b:2"}])
IMAGES: dict[str, tuple[str, dict[str, Any], list[tuple[str, Any]]]] = {
    "containers of a task": (
        TASK,
        {"containerDefinitions": CONTAINERS},
        [
            ("containerDefinitions[0].image", "reg.example/a:1"),
            ("containerDefinitions[1].image", "reg.example/b:2"),
        ],
    ),
    "a task that is not known": (TASK, {"containerDefinitions": UNKNOWN}, [("containerDefinitions", UNKNOWN)]),
    "a task that is no JSON": (TASK, {"containerDefinitions": "{"}, [("containerDefinitions", UNKNOWN)]),
    "a container without an image": (
        TASK, {"containerDefinitions": "[{}]"}, [("containerDefinitions[0].image", UNKNOWN)]
    ),
    "a function from an image": (FUNCTION, {"imageUri": "reg.example/f:1"}, [("imageUri", "reg.example/f:1")]),
    "a function from a zip": (FUNCTION, {"runtime": "nodejs22.x"}, []),
}  # fmt: skip


@pytest.mark.parametrize("case", IMAGES)
def test_images_of_tasks_and_functions_are_seen(case: str) -> None:
    kind, inputs, expected = IMAGES[case]
    found = [(use.path, use.reference) for use in images(Resource("urn", kind, "it", custom=True, inputs=inputs))]
    assert found == expected


def test_under_eu_sovereign_the_same_stack_is_refused_with_the_path_shown() -> None:
    """003: a deployment in us-east-1 is allowed by the profile that it names, and by no other."""
    boundary = {"data_class": "internal", "jurisdictions": ["EU"]}
    european = changed(ECS, residency={"profile": "eu-sovereign", "boundaries": [boundary]})
    report = check(run_deployed(european), today=TODAY, rules=ALL_RULES)
    broken = [one for one in report.findings if one.verdict.value == "violation"]
    refused = {(one.rule.id, one.urn.rsplit("::", 1)[-1]) for one in broken}
    assert {("RES001", "applications-postgres-instance"), ("RES001", "agentdb-task")} <= refused
    where = next(one for one in broken if one.urn.endswith("::applications-postgres-instance"))
    path = "region us-east-1 (its provider applications-aws) lies in US, but internal data must stay in EU"
    assert where.message == path
    own = check(graph(ECS), today=TODAY, rules=ALL_RULES)
    assert [one for one in own.findings if one.verdict.value == "violation"] == []


def test_services_of_all_kinds_keep_every_rule_but_that_of_digests() -> None:
    """Both runtimes, both entrances, all stores, restricted data in production: nothing of ours breaks a rule."""
    deployment = services(everything()) | {"production": True, "data_class": "restricted"}
    deployment["residency"]["boundaries"][0]["data_class"] = "restricted"
    report = check(run_deployed(deployment, {"skerry:apiKey": "x"}), today=TODAY, rules=ALL_RULES)
    open_ones = [one for one in report.findings if one.verdict.value in ("violation", "undetermined")]
    assert {one.rule.id for one in open_ones} == {"SUP001"}
