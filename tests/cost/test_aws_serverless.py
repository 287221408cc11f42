"""AWS without machines: tasks, functions, bounds and names, in round numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cost.estimate import estimate
from cost.pricebook import load_book
from cost.rates import Rates
from cost.usage import Usage
from skerry.facts import ScalingFact, Tier
from tests.simulators.aws_service_stacks import ECS, LAMBDA, graph
from tests.simulators.cost_round_numbers import on_aws, priced, rows

SERVICE, TASK = "aws:ecs/service:Service", "aws:ecs/taskDefinition:TaskDefinition"
FUNCTION = "aws:lambda/function:Function"
PREPARED = "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig"
SPOT = [
    {"capacityProvider": "FARGATE", "base": 2, "weight": 3},
    {"capacityProvider": "FARGATE_SPOT", "weight": 7},
]

TASKS: Mapping[str, tuple[dict[str, Any], dict[str, Any], dict[str, str]]] = {
    "two tasks of a quarter of a vCPU and half a GB": (
        {"cpu": "256", "memory": "512"},
        {"desiredCount": 2},
        {"CPU of tasks": "14.6", "memory of tasks": "2.92"},
    ),
    "a disk beyond 20 GB": (
        {"cpu": "1024", "memory": "2048", "ephemeralStorage": {"sizeInGib": 30}},
        {"desiredCount": 1},
        {"CPU of tasks": "29.2", "memory of tasks": "5.84", "disk of tasks": "0.73"},
    ),
    "spot has a price of its own, and beyond the base its share of the weights": (
        {"cpu": "1024", "memory": "2048"},
        {"desiredCount": 12, "capacityProviderStrategies": SPOT},
        {
            "CPU of tasks": "146",
            "memory of tasks": "29.2",
            "CPU of tasks on spot": "the price book has no spot price of fargate-vcpu (hour) for aws us-east-1",
            "memory of tasks on spot": "the price book has no spot price of fargate-memory (hour) for aws us-east-1",
        },
    ),
    "machines of one's own are resources of their own": ({"cpu": "256", "memory": "512"}, {"launchType": "EC2"}, {}),
    "a capacity provider of one's own": (
        {"cpu": "256", "memory": "512"},
        {"capacityProviderStrategies": [{"capacityProvider": "mine", "weight": 1}]},
        {"the rest": "the capacity provider mine is not in the price book"},
    ),
    "a task without a size": ({}, {"desiredCount": 1}, {"the rest": "cpu is not stated"}),
}


@pytest.mark.parametrize("case", TASKS)
def test_tasks(case: str) -> None:
    task, service, expected = TASKS[case]
    builder = on_aws()
    urn = builder.add(TASK, "task", task)
    builder.add(SERVICE, "it", service, property_dependencies={"taskDefinition": (urn,)})
    assert expected == rows(priced(builder))


def test_how_many_run_is_said_by_the_component_around_the_service() -> None:
    builder = on_aws()
    scaling = ScalingFact(minimum=2, typical=4, maximum=20, autoscaler="ecs")
    parent = builder.component("it", tier=Tier.EXECUTION, scaling=scaling)
    urn = builder.add(TASK, "task", {"cpu": "256", "memory": "512"}, parent=parent)
    builder.add(
        SERVICE, "service", {"desiredCount": 2}, parent=parent, property_dependencies={"taskDefinition": (urn,)}
    )
    assert rows(priced(builder)) == {"CPU of tasks": "14.6/29.2/146", "memory of tasks": "2.92/5.84/29.2"}


def test_a_service_whose_task_is_not_in_the_graph_is_unknown() -> None:
    builder = on_aws()
    builder.add(SERVICE, "it", {"desiredCount": 2})
    assert rows(priced(builder)) == {"the rest": "what taskDefinition names is not in the graph"}


def test_a_function_costs_what_is_asked_of_it_and_what_is_held_ready() -> None:
    builder = on_aws()
    urn = builder.add(FUNCTION, "function", {"name": "api", "memorySize": 512})
    builder.add(
        PREPARED, "prepared", {"provisionedConcurrentExecutions": 2}, property_dependencies={"functionName": (urn,)}
    )
    usage = {"function": {"requests": 1_000_000, "gb_seconds": 100_000}}
    assert rows(priced(builder, usage)) == {
        "requests": "0.2",
        "memory by time": "2",
        # 2 x 0.5 GB x 730 h x 3600 s x 0.000005
        "functions held ready": "13.14",
    }


def test_autoscaling_of_functions_held_ready_decides_over_the_most() -> None:
    builder = on_aws()
    urn = builder.add(FUNCTION, "function", {"name": "api", "memorySize": 512})
    builder.add(
        PREPARED, "prepared", {"provisionedConcurrentExecutions": 2}, property_dependencies={"functionName": (urn,)}
    )
    builder.add("aws:appautoscaling/target:Target", "t", {"resourceId": "function:api:live", "maxCapacity": 10})
    assert rows(priced(builder))["functions held ready"] == "13.14/13.14/65.7"


NO_WAF_REQUESTS = "usage not given: requests; the price book has no price of waf-requests (request) for aws us-east-1"
NO_FILES = "usage not given: gb_stored; the price book has no price of efs-standard (GB-month) for aws us-east-1"
OTHERS: Mapping[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "a web ACL with its rules": (
        "aws:wafv2/webAcl:WebAcl",
        {"rules": [{"name": "a"}, {"name": "b"}]},
        {
            "web ACL": "5",
            "rules": "2",
            "requests": NO_WAF_REQUESTS,
        },
    ),
    "names inside a network": (
        "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace",
        {"name": "x.internal"},
        {"zone": "0.5"},
    ),
    "a standard parameter is free": ("aws:ssm/parameter:Parameter", {"type": "String"}, {}),
    "an advanced parameter": (
        "aws:ssm/parameter:Parameter",
        {"type": "String", "tier": "Advanced"},
        {"parameter": "advanced parameters are not in the price book"},
    ),
    "a cluster without figures": ("aws:ecs/cluster:Cluster", {}, {}),
    "a cluster with figures": (
        "aws:ecs/cluster:Cluster",
        {"settings": [{"name": "containerInsights", "value": "enabled"}]},
        {"figures of Container Insights": "CloudWatch bills them by number, which nobody states"},
    ),
    "a file system without usage": (
        "aws:efs/fileSystem:FileSystem",
        {},
        {"files": NO_FILES},
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_the_rest(case: str) -> None:
    kind, inputs, expected = OTHERS[case]
    builder = on_aws()
    builder.add(kind, "it", inputs)
    assert expected == rows(priced(builder))


def test_agentdb_on_ecs_costs_what_its_tasks_and_its_database_do() -> None:
    """003:3191 says 150 to 300 USD: tasks of a quarter of a vCPU and half a GB, and PostgreSQL twice."""
    found = estimate(graph(ECS), load_book(), Usage(), Rates(), today=date(2026, 11, 21))
    lines = {line.component.name: line.component.monthly for line in found.lines if line.component.monthly is not None}
    tasks = [lines["CPU of tasks"], lines["memory of tasks"]]
    hour = Decimal("0.25") * Decimal("0.04048") + Decimal("0.5") * Decimal("0.004445")
    for size, count in (("minimum", 2), ("typical", 4), ("maximum", 20)):
        assert sum(getattr(one, size) for one in tasks) == count * 730 * hour
    assert lines["machine db.t3.medium"].maximum == 2 * 730 * Decimal("0.072")
    assert lines["storage gp3"].maximum == 2 * 100 * Decimal("0.115")
    assert lines["application load balancer"].maximum == 730 * Decimal("0.0225")


def test_agentdb_on_lambda_costs_its_prepared_functions_and_its_entrance() -> None:
    found = estimate(graph(LAMBDA), load_book(), Usage(), Rates(), today=date(2026, 11, 21))
    lines = {line.component.name: line.component.monthly for line in found.lines if line.component.monthly is not None}
    ready = 2 * Decimal("0.5") * 730 * 3600 * Decimal("0.0000041667")
    assert lines["functions held ready"].typical == ready
    assert "requests" not in lines, "nobody knows them: they are unknown and not free"
