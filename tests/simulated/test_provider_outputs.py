"""What a simulated cloud fills in: unknown in a preview, of the SDK's own type afterwards, the same each time."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

import pytest

from tests.simulators.provider_aws_values import aws_failures
from tests.simulators.provider_check import SECRET, SIGNATURE, UNKNOWN, Checker, Rules
from tests.simulators.provider_forms import form_failures
from tests.simulators.provider_outputs import MARK, Made, new_id, outputs_of
from tests.simulators.pulumi_provider import schema_of
from tests.simulators.sdk_types import sdk_of
from tests.simulators.stack_objects import graph_of

QUEUE, CLUSTER, INSTANCE = "aws:sqs/queue:Queue", "aws:eks/cluster:Cluster", "aws:ec2/instance:Instance"
SERVICE, SUBNET, ROLE = "kubernetes:core/v1:Service", "aws:ec2/subnet:Subnet", "aws:iam/role:Role"


def made(token: str, inputs: dict[str, Any], *, preview: bool = False) -> dict[str, Any]:
    id_ = "" if preview else new_id(token, "0123456789abcdef")
    return outputs_of(Made(token, "n", id_, "eu-west-1"), inputs, schema_of(token))


def test_a_preview_knows_the_inputs_and_nothing_else() -> None:
    found = made(QUEUE, {"delaySeconds": 3}, preview=True)
    assert found.pop("delaySeconds") == 3
    assert found["arn"] == UNKNOWN
    assert set(found.values()) == {UNKNOWN}


def test_what_a_program_may_leave_out_and_no_cloud_fills_in_stays_out() -> None:
    assert "policy" in made(QUEUE, {})
    assert "tags" not in made(QUEUE, {})


FORMATS: dict[str, tuple[str, str, str]] = {
    "an arn": (QUEUE, "arn", r"arn:aws:sqs:eu-west-1:000000000000:sim-.*"),
    "an arn of a service without regions": (ROLE, "arn", r"arn:aws:iam::000000000000:role/sim-.*"),
    "an arn of a bucket": ("aws:s3/bucket:Bucket", "arn", r"arn:aws:s3:::sim-.*"),
    "a region": (QUEUE, "region", "eu-west-1"),
    "an id of something else": (SUBNET, "vpcId", "vpc-51e[0-9a-f]+"),
    "an id that other fields take": ("aws:ec2/eip:Eip", "allocationId", "eipalloc-51e[0-9a-f]+"),
}


@pytest.mark.parametrize("sentence", FORMATS)
def test_a_value_has_the_format_that_its_name_stands_for(sentence: str) -> None:
    token, key, pattern = FORMATS[sentence]
    assert re.fullmatch(pattern, made(token, {})[key])


def test_what_the_cloud_fills_in_is_what_other_fields_take() -> None:
    tokens = {r.type for r in graph_of("sensei-saas-aws-base").resources if r.type.startswith("aws:")}
    assert len(tokens) > 20
    wrong = {}
    for token in tokens:
        schema = schema_of(token)
        assert schema is not None
        added = {key: value for key, value in made(token, {}).items() if key not in schema["inputs"]}
        wrong |= {f"{token} {one.property}": one.reason for one in form_failures(token, added)}
    assert wrong == {}


def test_an_address_is_one_of_those_kept_for_documentation() -> None:
    found = ipaddress.ip_address(made(INSTANCE, {})["publicIp"])
    assert any(found in ipaddress.ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"))


@pytest.mark.parametrize("token", [QUEUE, CLUSTER, INSTANCE, "gcp:container/cluster:Cluster", "gcp:sql/databaseInstance:DatabaseInstance", "azure-native:storage:StorageAccount", "azure-native:containerservice:ManagedCluster"])  # fmt: skip  # noqa: E501
def test_every_output_is_there_and_of_the_type_that_the_sdk_gives_it(token: str) -> None:
    schema = schema_of(token)
    assert schema is not None
    found = made(token, {})
    assert {key for key, (_, always) in schema["outputs"].items() if always} <= set(found)
    typed = Checker({"inputs": schema["outputs"], "types": relaxed(schema["types"])}, Rules(coerces=False))
    known = {key: value for key, value in found.items() if key in schema["outputs"]}
    assert [one for one in typed.failures(known) if one.reason != "it must be given"] == []


def relaxed(types: dict[str, Any]) -> dict[str, Any]:
    return {key: {name: [type_, False] for name, (type_, _) in below.items()} for key, below in types.items()}


def test_the_same_resource_has_the_same_outputs_for_ever() -> None:
    assert made(CLUSTER, {}) == made(CLUSTER, {})
    assert made(INSTANCE, {})["arn"] != outputs_of(Made(INSTANCE, "n", "other"), {}, schema_of(INSTANCE))["arn"]


def test_a_row_fills_in_what_lies_inside_an_input() -> None:
    inputs = {"vpcConfig": {"subnetIds": ["a"]}}
    assert made(CLUSTER, inputs)["vpcConfig"]["clusterSecurityGroupId"].startswith("sg-")
    assert made(CLUSTER, inputs)["vpcConfig"]["vpcId"].startswith("vpc-")
    assert made(CLUSTER, inputs, preview=True)["vpcConfig"] == {
        "subnetIds": ["a"],
        "clusterSecurityGroupId": UNKNOWN,
        "vpcId": UNKNOWN,
    }


def test_a_secret_stays_one() -> None:
    secret = {SIGNATURE: SECRET, "value": "hidden"}
    assert made(QUEUE, {"policy": secret})["policy"] == secret


def test_tags_are_all_the_tags() -> None:
    assert made(QUEUE, {"tags": {"a": "b"}})["tagsAll"] == {"a": "b"}


def test_an_object_without_a_name_gets_one() -> None:
    assert made(SERVICE, {"metadata": {}}, preview=True)["metadata"]["name"] == UNKNOWN
    assert made(SERVICE, {"metadata": {}})["metadata"]["name"].startswith("n-")
    assert made(SERVICE, {"metadata": {"name": "given"}})["metadata"]["name"] == "given"


def test_a_load_balancer_gets_an_address_once_it_is_there() -> None:
    inputs = {"metadata": {"name": "s"}, "spec": {"type": "LoadBalancer"}}
    assert made(SERVICE, inputs)["status"]["loadBalancer"]["ingress"][0]["ip"]
    assert "status" not in made(SERVICE, inputs, preview=True)


def test_ids_are_marked_and_taken_by_the_fields_that_they_go_into() -> None:
    subnet, group = (new_id(token, "0" * 64) for token in (SUBNET, "aws:ec2/securityGroup:SecurityGroup"))
    assert MARK in subnet
    role = made(ROLE, {})["arn"]
    config = {"role": role, "vpcConfig": {"subnetIds": [subnet], "securityGroupIds": [group]}}
    assert aws_failures("aws:lambda/function:Function", config) == []


def test_a_package_without_an_sdk_answers_with_its_inputs() -> None:
    assert sdk_of("stranger") is None
    assert outputs_of(Made("stranger:m:T", "n", "id"), {"a": 1}, None) == {"a": 1}
