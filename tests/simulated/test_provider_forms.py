"""Texts that are refused by the name of their property: ranges of addresses, ARNs, ids, zones, tags and policies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.simulators.provider_check import SECRET, SIGNATURE, UNKNOWN
from tests.simulators.provider_forms import form_failures, regions
from tests.simulators.pulumi_provider import check

VPC, SUBNET, GROUP = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:ec2/securityGroup:SecurityGroup"
CLUSTER, ROLE, ATTACHED = (
    "aws:eks/cluster:Cluster",
    "aws:iam/role:Role",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
)
WALL, NET = "gcp:compute/firewall:Firewall", "azure-native:network:VirtualNetwork"
POLICY = "aws:iam/policy:Policy"


def policy(**statement: Any) -> str:
    whole = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **statement}
    return json.dumps({"Version": "2012-10-17", "Statement": [whole]})


REFUSED: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "an address beyond 255": (VPC, {"cidrBlock": "10.0.0.300/16"}, "cidrBlock", "not a range of addresses"),
    "a length beyond 32": (
        GROUP, {"ingress": [{"cidrBlocks": ["10.0.0.0/8", "10.0.0.0/33"]}]}, "ingress[0].cidrBlocks[1]", "'10.0.0.0/33'"
    ),
    "an address without a length": (SUBNET, {"cidrBlock": "10.0.0.0"}, "cidrBlock", "it has no length"),
    "an address inside the range": (VPC, {"cidrBlock": "10.0.0.5/16"}, "cidrBlock", "has host bits set"),
    "a range inside a block": (CLUSTER, {"vpcConfig": {"publicAccessCidrs": ["1.2.3.4/99"]}},
                               "vpcConfig.publicAccessCidrs[0]", "not a range"),
    "Google's ranges": (WALL, {"sourceRanges": ["10.0.0.0/99"]}, "sourceRanges[0]", "not a range"),
    "Azure's ranges": (
        NET, {"addressSpace": {"addressPrefixes": ["10.0.0.0/99"]}}, "addressSpace.addressPrefixes[0]", "not a range"
    ),
    "a name for an ARN": (ATTACHED, {"policyArn": "AmazonEKSWorkerNodePolicy"}, "policyArn", "is not an ARN"),
    "an ARN with a part too few": (ATTACHED, {"policyArn": "arn:aws:iam:aws:policy/x"}, "policyArn", "is not an ARN"),
    "an ARN of half an account": (CLUSTER, {"roleArn": "arn:aws:iam::12:role/a"}, "roleArn", "is not an ARN"),
    "an id of something else": (SUBNET, {"vpcId": "subnet-1"}, "vpcId", "it begins with 'vpc-'"),
    "an id of something else in a list": (
        CLUSTER, {"vpcConfig": {"subnetIds": ["subnet-1", "vpc-1"]}}, "vpcConfig.subnetIds[1]", "begins with 'subnet-'"
    ),
    "a zone of no region": (
        SUBNET, {"availabilityZone": "eu-centrl-1a"}, "availabilityZone", "did you mean 'eu-central-1'?"
    ),
    "a tag's key that is too long": (VPC, {"tags": {"k" * 129: "v"}}, f"tags.{'k' * 129}", "at most 128"),
    "a tag's key of Amazon's own": (VPC, {"tags": {"aws:x": "v"}}, 'tags["aws:x"]', "no 'aws:' before it"),
    "a tag's value that is too long": (VPC, {"tags": {"k": "v" * 257}}, "tags.k", "257 characters: the most is 256"),
    "a policy that is not JSON": (POLICY, {"policy": "{not json"}, "policy", "it is not JSON"),
    "a role's policy that is not JSON": (ROLE, {"assumeRolePolicy": "hello"}, "assumeRolePolicy", "it is not JSON"),
    "a policy without a statement": (POLICY, {"policy": '{"Version": "2012-10-17"}'}, "policy", "it has no Statement"),
    "a policy's effect": (POLICY, {"policy": policy(Effect="Alow")}, "policy", "did you mean 'Allow'?"),
    "a policy's element": (POLICY, {"policy": policy(Resources="*")}, "policy", "did you mean 'Resource'?"),
    "containers that are not JSON": (
        "aws:ecs/taskDefinition:TaskDefinition", {"containerDefinitions": "["}, "containerDefinitions", "is not JSON"
    ),
    "a least above the most": (
        "aws:eks/nodeGroup:NodeGroup", {"scalingConfig": {"minSize": 3, "maxSize": 1}}, "scalingConfig.minSize",
        "3 is more than maxSize, 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", REFUSED)
def test_refused(sentence: str) -> None:
    token, inputs, place, reason = REFUSED[sentence]
    (found,) = form_failures(token, inputs)
    assert (found.property, reason in found.reason) == (place, True), found


TAKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "a range": (VPC, {"cidrBlock": "10.0.0.0/16", "ipv6CidrBlock": "2001:db8::/56"}),
    "everything": (GROUP, {"ingress": [{"cidrBlocks": ["0.0.0.0/0"], "ipv6CidrBlocks": ["::/0"]}]}),
    "what is not known yet": (SUBNET, {"cidrBlock": UNKNOWN, "vpcId": UNKNOWN, "availabilityZone": UNKNOWN}),
    "what is empty": (SUBNET, {"cidrBlock": "", "vpcId": ""}),
    "a length alone, for a range that Google chooses": (
        "gcp:container/cluster:Cluster", {"ipAllocationPolicy": {"clusterIpv4CidrBlock": "/14"}}
    ),
    "an address alone, on Google": (WALL, {"sourceRanges": ["10.0.0.1"]}),
    "a tag of Azure's services": (
        "azure-native:network:Route", {"addressPrefix": "AzureCloud"}
    ),
    "an ARN of Amazon's own policy": (ATTACHED, {"policyArn": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"}),
    "an ARN in China": (CLUSTER, {"roleArn": "arn:aws-cn:iam::123456789012:role/a"}),
    "an ARN with a star": ("aws:lambda/permission:Permission", {"sourceArn": "arn:aws:execute-api:us-west-2:*:a/*"}),
    "a zone, one of a local zone": (SUBNET, {"availabilityZones": ["eu-central-1a", "us-west-2-lax-1a"]}),
    "a policy with one statement": (
        POLICY, {"policy": json.dumps({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*", "Sid": "a"}})}
    ),
    "a policy in a secret": (POLICY, {"policy": {SIGNATURE: SECRET, "value": policy()}}),
    "a policy that is none of these": ("aws:ecr/lifecyclePolicy:LifecyclePolicy", {"policy": '{"rules": []}'}),
    "the same least and most": ("aws:eks/nodeGroup:NodeGroup", {"scalingConfig": {"minSize": 3, "maxSize": 3}}),
}  # fmt: skip


@pytest.mark.parametrize("sentence", TAKEN)
def test_taken(sentence: str) -> None:
    token, inputs = TAKEN[sentence]
    assert form_failures(token, inputs) == []


def test_the_provider_asks_for_forms_on_every_cloud() -> None:
    assert [one.property for one in check(VPC, {"cidrBlock": "10.0.0.0/40"})] == ["cidrBlock"]
    assert [one.property for one in check(WALL, {"network": "n", "sourceRanges": ["10.0.0.0/40"]})] == [
        "sourceRanges[0]"
    ]
    given = {"resourceGroupName": "g", "addressSpace": {"addressPrefixes": ["10.0.0.0/40"]}}
    assert [one.property for one in check(NET, given)] == ["addressSpace.addressPrefixes[0]"]


def test_azure_s_names_are_held_to_the_sdk_s_own_words() -> None:
    given = {"resourceGroupName": "g", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    account = "azure-native:storage:StorageAccount"
    assert [one.property for one in check(account, {**given, "accountName": "My-Account"})] == ["accountName"]
    assert check(account, {**given, "accountName": "reef42"}) == []


def test_the_regions_are_those_of_botocore() -> None:
    assert {"eu-central-1", "us-gov-west-1", "cn-north-1"} < set(regions())
    assert "eu-centrl-1" not in regions()


@pytest.mark.parametrize("hostile", [[], "text", 3, {"a": [{"b": {}}]}, {"": ""}, [[1]], '{"Statement": [3]}', "null"])
def test_values_of_any_shape_are_refused_without_a_crash(hostile: Any) -> None:
    for key in ("tags", "policy", "cidrBlock", "vpcId", "roleArn", "minSize"):
        assert isinstance(form_failures(POLICY, {key: hostile, "maxSize": 1}), list)
