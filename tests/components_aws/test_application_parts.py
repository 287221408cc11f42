"""Parts of services on ECS and Lambda that are plain functions: shares of capacity, time-outs, rights, networks."""

from __future__ import annotations

import ipaddress
import json
from functools import cache
from typing import Any

import pytest

from components.aws.application_rights import (
    execution_policy,
    files_statement,
    function_policy,
    pull_statements,
    store_statements,
    value_rights,
)
from components.aws.ecs_service import providers
from components.aws.queue import visibility_s
from skerry.config.application import Access, Need, QueueSpec, ScaleSpec
from skerry.graph import plain
from skerry.images import ImageReference
from tests.simulators.aws_service_stacks import one_service, run, services

botocore_session = pytest.importorskip("botocore.session")

KEY, QUEUE = "arn:aws:kms:us-east-1:111122223333:key/1", "arn:aws:sqs:us-east-1:111122223333:jobs"
BUCKET, LOGS = "arn:aws:s3:::objects", "arn:aws:logs:us-east-1:111122223333:log-group:/stack/web"
OURS = ImageReference.parse("111122223333.dkr.ecr.us-east-1.amazonaws.com/web:1")

SHARES: dict[str, tuple[dict[str, Any], list[tuple[str, int, int]]]] = {
    "no spot": ({"minimum": 2, "maximum": 4}, [("FARGATE", 2, 1)]),
    "none at all still has one that stays": ({"minimum": 0, "maximum": 4}, [("FARGATE", 1, 1)]),
    "a half": ({"minimum": 2, "maximum": 4, "spot_share": 0.5}, [("FARGATE", 2, 1), ("FARGATE_SPOT", 0, 1)]),
    "seven of ten": ({"minimum": 3, "maximum": 9, "spot_share": 0.7}, [("FARGATE", 3, 3), ("FARGATE_SPOT", 0, 7)]),
    "a third, to the hundredth": (
        {"minimum": 1, "maximum": 9, "spot_share": 0.333}, [("FARGATE", 1, 67), ("FARGATE_SPOT", 0, 33)]
    ),
    "all of the rest": (
        {"minimum": 2, "maximum": 9, "spot_share": 1}, [("FARGATE", 2, 1), ("FARGATE_SPOT", 0, 1000)]
    ),
    "spot without anything above the minimum still has its base on what stays": (
        {"minimum": 0, "maximum": 9, "spot_share": 1}, [("FARGATE", 1, 1), ("FARGATE_SPOT", 0, 1000)]
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SHARES)
def test_capacity_always_has_a_base_that_stays(case: str) -> None:
    scale, expected = SHARES[case]
    found = providers(ScaleSpec(**scale))
    assert [(row["capacity_provider"], row.get("base", 0), row["weight"]) for row in found] == expected
    # Source: botocore 1.44.5 ecs CapacityProviderStrategyItem: 0 to 1,000, one base, one weight above 0
    assert all(0 < row["weight"] <= 1000 for row in found) and sum("base" in row for row in found) == 1


TIMES = {
    "a minute beyond the longest job": (QueueSpec(longest_job_s=900), 0, 960),
    "six times what a function may take": (QueueSpec(longest_job_s=60), 120, 720),
    "the longer of both": (QueueSpec(longest_job_s=900), 120, 960),
    "never more than SQS can": (QueueSpec(longest_job_s=43_140), 900, 43_200),
}


@pytest.mark.parametrize("case", TIMES)
def test_a_job_is_nobody_elses_for_longer_than_it_may_take(case: str) -> None:
    queue, function, expected = TIMES[case]
    assert visibility_s(queue, function) == expected


@cache
def operations(service: str) -> frozenset[str]:
    found = botocore_session.get_session().get_service_model(service).operation_names
    return frozenset(found)


MODELS = {
    "elasticfilesystem": "efs",
    "sqs": "sqs",
    "ecr": "ecr",
    "ssm": "ssm",
    "kms": "kms",
    "logs": "logs",
    "ec2": "ec2",
}
OTHER_NAMES = {
    # Source: AWS Service Authorization Reference: rights that are no operation of the API (not opened; check before
    # relying on it)
    "s3:ListBucket", "s3:GetBucketLocation", "s3:GetObject", "s3:PutObject", "s3:DeleteObject",
    "s3:AbortMultipartUpload", "elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite",
}  # fmt: skip


def test_every_right_is_an_operation_of_its_service() -> None:
    statements = [
        *pull_statements(OURS),
        *store_statements({}, BUCKET, QUEUE, KEY),
        *value_rights(["p"], KEY, one_by_one=True),
        files_statement("system", "point"),
        *json.loads(function_policy(LOGS, []))["Statement"],
    ]
    actions = {
        one for row in statements for one in ([row["Action"]] if isinstance(row["Action"], str) else row["Action"])
    }
    assert len(actions) > 20
    for action in actions - OTHER_NAMES:
        service, operation = action.split(":")
        assert operation in operations(MODELS[service]), action


ACCESS: dict[str, tuple[dict[Need, Access], set[str], set[str]]] = {
    "both ways": ({}, {"s3:PutObject", "sqs:SendMessage", "sqs:DeleteMessage"}, set()),
    "reads jobs and objects": (
        {Need.QUEUE: Access.READ, Need.BUCKET: Access.READ},
        {"s3:GetObject", "sqs:ReceiveMessage", "sqs:DeleteMessage"},
        {"s3:PutObject", "s3:DeleteObject", "sqs:SendMessage"},
    ),
    "puts jobs and objects in": (
        {Need.QUEUE: Access.WRITE, Need.BUCKET: Access.WRITE},
        {"s3:PutObject", "sqs:SendMessage"},
        {"s3:GetObject", "s3:DeleteObject", "sqs:ReceiveMessage"},
    ),
}


@pytest.mark.parametrize("case", ACCESS)
def test_a_service_may_do_what_it_says_and_no_more(case: str) -> None:
    access, allowed, denied = ACCESS[case]
    statements = store_statements(access, BUCKET, QUEUE, KEY)
    actions = {one for row in statements for one in row["Action"]}
    assert allowed <= actions and not denied & actions
    resources = {row["Resource"] for row in statements}
    assert resources == {BUCKET, f"{BUCKET}/*", QUEUE, KEY}


def test_without_a_store_or_a_value_nothing_is_allowed() -> None:
    assert store_statements({}, None, None, KEY) == []
    assert value_rights([], KEY) == []
    elsewhere = json.loads(execution_policy(ImageReference.parse("registry.vendor.example/web:1"), LOGS, []))
    assert [row["Resource"] for row in elsewhere["Statement"]] == [f"{LOGS}:*"], "no registry of AWS's, no right to one"


def test_only_a_token_is_asked_of_everything() -> None:
    policy = json.loads(execution_policy(OURS, LOGS, value_rights(["arn:p"], KEY)))
    everything = [row["Action"] for row in policy["Statement"] if row["Resource"] == "*"]
    assert everything == ["ecr:GetAuthorizationToken"]


@pytest.mark.parametrize("cidr", ["10.40.0.0/16", "10.41.0.0/18", "192.168.0.0/20"])
@pytest.mark.parametrize("zones", [2, 6])
def test_every_network_has_room_for_every_zone(cidr: str, zones: int) -> None:
    deployment = services({**one_service("ecs"), "site": {"network_cidr": cidr}})
    deployment["target"]["failure_domains"] = [f"us-east-1{letter}" for letter in "abcdef"[:zones]]
    found = run(deployment)
    blocks = [ipaddress.IPv4Network(plain(row.inputs)["cidrBlock"]) for row in found.of_type("aws:ec2/subnet:Subnet")]
    assert len(blocks) == 2 * zones
    assert all(one.subnet_of(ipaddress.IPv4Network(cidr)) for one in blocks)
    assert sum(one.num_addresses for one in ipaddress.collapse_addresses(blocks)) == sum(
        one.num_addresses for one in blocks
    ), "two ranges overlap"
    # Source: Elastic Load Balancing "Subnets for your load balancer": /27 or wider (not opened; check before relying)
    assert max(one.prefixlen for one in blocks) <= 27
