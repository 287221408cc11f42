"""The AWS resources of the base stack, held against AWS's own service models as botocore ships them."""

from __future__ import annotations

import ipaddress
import json
import re
from functools import cache
from typing import Any

import pytest
import yaml

from skerry.engine.run import run_deployment
from skerry.graph import UNKNOWN, Resource, plain
from tests.simulators.stack_objects import AWS_BASE, ROOT, graph_of

botocore_session = pytest.importorskip("botocore.session")
botocore_validate = pytest.importorskip("botocore.validate")

ACCOUNT = "111122223333"


@cache
def model(service: str) -> Any:
    return botocore_session.get_session().get_service_model(service)


def enum(service: str, shape: str) -> list[str]:
    values: list[str] = model(service).shape_for(shape).enum
    assert values, f"{service} {shape} is no enumeration"
    return values


def of_type(kind: str) -> list[Resource]:
    found = [r for r in graph_of(AWS_BASE).resources if r.type == kind]
    assert found, f"the base stack has no {kind}"
    return found


def inputs(resource: Resource) -> dict[str, Any]:
    return dict(plain(resource.inputs))


def filled(value: Any) -> Any:
    """Return a value with every unknown replaced by a text: the model is asked about shapes."""
    if value is UNKNOWN:
        return "known-at-deployment"
    if isinstance(value, dict):
        return {key: filled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def pascal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[0].upper() + key[1:]: pascal(item) for key, item in value.items()}
    return [pascal(item) for item in value] if isinstance(value, list) else value


def complaints(service: str, operation: str, params: dict[str, Any]) -> str:
    shape = model(service).operation_model(operation).input_shape
    report: str = botocore_validate.ParamValidator().validate(params, shape).generate_report()
    return report


def renamed(params: dict[str, Any], names: dict[str, str], other_calls: set[str]) -> dict[str, Any]:
    """Return parameters under the API's names, without those that the provider sends by another call."""
    return {names.get(key, key): value for key, value in params.items() if key not in other_calls}


# Terraform's and so Pulumi's names for parameters that the API calls otherwise, and inputs that are another call's.
# Source: the arguments of pulumi-aws 7.51 beside botocore 1.44 service models, read 2026-11
CREATED = {
    "aws:ec2/vpc:Vpc": ("ec2", "CreateVpc", {}, {"EnableDnsHostnames", "EnableDnsSupport", "Tags"}),
    "aws:ec2/subnet:Subnet": ("ec2", "CreateSubnet", {}, {"MapPublicIpOnLaunch", "Tags"}),
    "aws:ec2/natGateway:NatGateway": ("ec2", "CreateNatGateway", {}, set()),
    "aws:ec2/eip:Eip": ("ec2", "AllocateAddress", {}, set()),
    "aws:rds/instance:Instance": (
        "rds",
        "CreateDBInstance",
        {"InstanceClass": "DBInstanceClass", "MultiAz": "MultiAZ",
         "DbSubnetGroupName": "DBSubnetGroupName", "ParameterGroupName": "DBParameterGroupName",
         "Username": "MasterUsername", "IamDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
         "PerformanceInsightsEnabled": "EnablePerformanceInsights",
         "PerformanceInsightsKmsKeyId": "PerformanceInsightsKMSKeyId",
         "EnabledCloudwatchLogsExports": "EnableCloudwatchLogsExports", "BackupWindow": "PreferredBackupWindow"},
        {"DeleteAutomatedBackups", "FinalSnapshotIdentifier", "SkipFinalSnapshot", "ApplyImmediately", "Tags"},
    ),
    "aws:elasticache/replicationGroup:ReplicationGroup": (
        "elasticache",
        "CreateReplicationGroup",
        {"Description": "ReplicationGroupDescription", "NodeType": "CacheNodeType",
         "SubnetGroupName": "CacheSubnetGroupName", "MultiAzEnabled": "MultiAZEnabled"},
        {"ApplyImmediately", "Tags"},
    ),
    "aws:kms/key:Key": ("kms", "CreateKey", {}, {"EnableKeyRotation", "DeletionWindowInDays"}),
}  # fmt: skip


# Names that the provider makes of the logical name, because two deployments of an account may not share them.
MADE_NAMES = {
    "aws:rds/instance:Instance": "DBInstanceIdentifier",
    "aws:elasticache/replicationGroup:ReplicationGroup": "ReplicationGroupId",
}


@pytest.mark.parametrize("kind", CREATED)
def test_the_api_takes_what_a_resource_asks(kind: str) -> None:
    service, operation, names, other_calls = CREATED[kind]
    for resource in of_type(kind):
        params = {MADE_NAMES[kind]: f"{resource.name}-1234567"} if kind in MADE_NAMES else {}
        params |= renamed(pascal(filled(inputs(resource))), names, other_calls)
        assert complaints(service, operation, params) == ""


def test_the_validator_does_refuse() -> None:
    assert "Unknown parameter" in complaints("kms", "CreateKey", {"Discription": "x"})
    assert "Invalid type" in complaints("ec2", "CreateVpc", {"CidrBlock": 7})


def test_the_api_takes_the_eks_cluster() -> None:
    (cluster,) = of_type("aws:eks/cluster:Cluster")
    params = filled(inputs(cluster))
    logs = params.pop("enabledClusterLogTypes")
    params["logging"] = {"clusterLogging": [{"types": logs, "enabled": True}]}
    params["resourcesVpcConfig"] = params.pop("vpcConfig")
    params["encryptionConfig"] = [params.pop("encryptionConfig")]
    assert complaints("eks", "CreateCluster", params) == ""
    assert set(logs) == set(enum("eks", "LogType"))
    assert params["accessConfig"]["authenticationMode"] in enum("eks", "AuthenticationMode")
    assert params["encryptionConfig"][0]["resources"] == ["secrets"]


@pytest.mark.parametrize("kind", ["amiType", "capacityType", "instanceTypes", "taints"])
def test_node_groups_name_what_eks_knows(kind: str) -> None:
    for group in of_type("aws:eks/nodeGroup:NodeGroup"):
        params = filled(inputs(group))
        params["nodeRole"] = params.pop("nodeRoleArn")
        if inputs(group)["subnetIds"] is UNKNOWN:
            params["subnetIds"] = ["of the zone of GPUs, which is known at deployment"]
        params["subnets"] = params.pop("subnetIds")
        assert complaints("eks", "CreateNodegroup", {"nodegroupName": "x", **params}) == ""
        match kind:
            case "amiType":
                assert params["amiType"] in enum("eks", "AMITypes")
                gpu = params["instanceTypes"][0].startswith(("p", "g"))
                assert gpu == ("NVIDIA" in params["amiType"])
            case "capacityType":
                assert params["capacityType"] in enum("eks", "CapacityTypes")
            case "instanceTypes":
                assert set(params["instanceTypes"]) <= set(enum("ec2", "InstanceType"))
            case _:
                assert {taint["effect"] for taint in params["taints"]} <= set(enum("eks", "TaintEffect"))


def test_the_catalogue_of_instance_types_names_types_that_exist() -> None:
    from skerry.instances import instance_types

    known = set(enum("ec2", "InstanceType"))
    assert [row.name for row in instance_types() if row.cloud == "aws" and row.name not in known] == []


def test_addons_and_identities_are_what_the_api_takes() -> None:
    for addon in of_type("aws:eks/addon:Addon"):
        params = inputs(addon)
        params["resolveConflicts"] = params.pop("resolveConflictsOnCreate")
        assert params["resolveConflicts"] in enum("eks", "ResolveConflicts")
        assert params.pop("resolveConflictsOnUpdate") in enum("eks", "ResolveConflicts")
        assert complaints("eks", "CreateAddon", filled(params)) == ""
        assert "configurationValues" not in params or json.loads(params["configurationValues"])
    for identity in of_type("aws:eks/podIdentityAssociation:PodIdentityAssociation"):
        assert complaints("eks", "CreatePodIdentityAssociation", filled(inputs(identity))) == ""


def test_launch_templates_take_only_types_that_exist_and_encrypt() -> None:
    for template in of_type("aws:ec2/launchTemplate:LaunchTemplate"):
        params = inputs(template)
        for mapping in params["blockDeviceMappings"]:
            assert mapping["ebs"]["encrypted"] == "true" and mapping["ebs"]["volumeType"] in enum("ec2", "VolumeType")
            assert "kmsKeyId" in mapping["ebs"]
        assert params["metadataOptions"]["httpTokens"] == "required", "the first version of the metadata service leaks"


def test_endpoints_are_of_the_region_of_the_stack() -> None:
    for endpoint in of_type("aws:ec2/vpcEndpoint:VpcEndpoint"):
        params = inputs(endpoint)
        assert params["serviceName"].startswith("com.amazonaws.us-east-1.")
        assert params["vpcEndpointType"] in enum("ec2", "VpcEndpointType")


@pytest.mark.parametrize("kind", ["aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy", "aws:kms/key:Key"])
def test_policies_that_are_known_are_json_of_the_current_version_and_small_enough(kind: str) -> None:
    for resource in of_type(kind):
        policy: Any = inputs(resource).get("policy", inputs(resource).get("assumeRolePolicy"))
        if policy is UNKNOWN:
            continue
        document = json.loads(policy)
        assert document["Version"] == "2012-10-17"
        assert {row["Effect"] for row in document["Statement"]} == {"Allow"}
        # Source: IAM and AWS STS quotas: trust policy 2,048, inline policies of a role 10,240; KMS key policy 32 KiB
        assert len(policy) < {"aws:iam/role:Role": 2048, "aws:kms/key:Key": 32768}.get(kind, 10240)


def test_the_key_is_of_one_account() -> None:
    (key,) = of_type("aws:kms/key:Key")
    for row in json.loads(inputs(key)["policy"])["Statement"]:
        principal = row["Principal"].get("AWS") if isinstance(row["Principal"], dict) else row["Principal"]
        if principal is None:
            assert all(name.endswith(".amazonaws.com") for name in [row["Principal"]["Service"]])
        elif principal == "*":
            assert row["Condition"]["StringEquals"]["kms:CallerAccount"] == ACCOUNT
        else:
            assert principal == f"arn:aws:iam::{ACCOUNT}:root"
    assert inputs(key)["enableKeyRotation"] is True and key.protect and key.retain_on_delete


def test_machines_of_node_groups_may_use_the_key_of_their_disks() -> None:
    """Auto Scaling's service-linked role has no IAM permission for a customer's key: the key must say it."""
    (key,) = of_type("aws:kms/key:Key")
    rows = [
        row
        for row in json.loads(inputs(key)["policy"])["Statement"]
        if row.get("Condition", {}).get("StringEquals", {}).get("kms:ViaService") == "ec2.us-east-1.amazonaws.com"
    ]
    assert len(rows) == 1
    assert {"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"} <= set(rows[0]["Action"])


def test_no_security_group_is_open_to_the_world() -> None:
    for group in of_type("aws:ec2/securityGroup:SecurityGroup"):
        for rule in inputs(group).get("ingress", []):
            assert rule["protocol"] == "tcp" and rule["fromPort"] == rule["toPort"], group.name
            for block in rule.get("cidrBlocks", []):
                assert ipaddress.ip_network(block).is_private, group.name
            assert rule.get("cidrBlocks") or rule.get("securityGroups"), group.name
    (default,) = of_type("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
    assert (inputs(default)["ingress"], inputs(default)["egress"]) == ([], [])


def test_the_control_plane_is_private_and_its_secrets_encrypted() -> None:
    (cluster,) = of_type("aws:eks/cluster:Cluster")
    network = inputs(cluster)["vpcConfig"]
    assert (network["endpointPublicAccess"], network["endpointPrivateAccess"]) == (False, True)
    assert "keyArn" in inputs(cluster)["encryptionConfig"]["provider"]


def test_every_store_is_encrypted_with_the_deployments_key() -> None:
    (key,) = of_type("aws:kms/key:Key")
    for kind, field in (
        ("aws:rds/instance:Instance", "kmsKeyId"),
        ("aws:rds/instance:Instance", "masterUserSecretKmsKeyId"),
        ("aws:elasticache/replicationGroup:ReplicationGroup", "kmsKeyId"),
        ("aws:cloudwatch/logGroup:LogGroup", "kmsKeyId"),
        ("aws:ec2/launchTemplate:LaunchTemplate", "blockDeviceMappings"),
        ("aws:eks/cluster:Cluster", "encryptionConfig"),
        ("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", "rules"),
    ):
        for resource in of_type(kind):
            assert key.urn in resource.property_dependencies[field], f"{resource.name} {field}"
    (database,), (cache,) = (
        of_type("aws:rds/instance:Instance"),
        of_type("aws:elasticache/replicationGroup:ReplicationGroup"),
    )
    assert inputs(database)["storageEncrypted"] and not inputs(database)["publiclyAccessible"]
    assert inputs(cache)["atRestEncryptionEnabled"] and inputs(cache)["transitEncryptionEnabled"]
    assert "password" not in inputs(database), "AWS makes the password and keeps it"


def test_stores_are_protected_retained_and_recoverable() -> None:
    for kind in ("aws:rds/instance:Instance", "aws:elasticache/replicationGroup:ReplicationGroup",
                 "aws:s3/bucket:Bucket"):  # fmt: skip
        assert [(r.protect, r.retain_on_delete) for r in of_type(kind)] == [(True, True)], kind
    (database,) = of_type("aws:rds/instance:Instance")
    params = inputs(database)
    assert params["deletionProtection"] and params["multiAz"] and not params["skipFinalSnapshot"]
    assert 7 <= params["backupRetentionPeriod"] <= 35
    (bucket,) = of_type("aws:s3/bucket:Bucket")
    assert inputs(bucket)["forceDestroy"] is False


def test_address_ranges_lie_in_the_network_and_apart() -> None:
    (vpc,) = of_type("aws:ec2/vpc:Vpc")
    whole = ipaddress.IPv4Network(inputs(vpc)["cidrBlock"])
    ranges = [ipaddress.IPv4Network(inputs(subnet)["cidrBlock"]) for subnet in of_type("aws:ec2/subnet:Subnet")]
    assert [str(block) for block in ranges if not block.subnet_of(whole)] == []
    pairs = [(a, b) for index, a in enumerate(ranges) for b in ranges[index + 1 :]]
    assert [(str(a), str(b)) for a, b in pairs if a.overlaps(b)] == []
    # Source: Amazon VPC "Subnet CIDR blocks": /16 to /28
    assert {16 <= block.prefixlen <= 28 for block in ranges} == {True}


@pytest.mark.parametrize("zones", [2, 7])
@pytest.mark.parametrize("cidr", ["10.20.0.0/16", "172.31.128.0/17"])
def test_the_smallest_and_the_largest_network_have_room_for_every_zone(zones: int, cidr: str) -> None:
    document = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{AWS_BASE}.yaml").read_text(encoding="utf-8"))
    deployment = document["config"]["skerry:deployment"]
    deployment["target"]["failure_domains"] = [f"us-east-1{letter}" for letter in "abcdefg"[:zones]]
    deployment["target"]["aws"]["vpc_cidr"] = cidr
    graph = run_deployment(ROOT, AWS_BASE, {"skerry:deployment": json.dumps(deployment)})
    ranges = [ipaddress.IPv4Network(inputs(r)["cidrBlock"]) for r in graph.of_type("aws:ec2/subnet:Subnet")]
    assert len(ranges) == 2 * zones
    assert all(block.subnet_of(ipaddress.IPv4Network(cidr)) for block in ranges)
    assert sum(block.num_addresses for block in ipaddress.collapse_addresses(ranges)) == sum(
        block.num_addresses for block in ranges
    ), "two ranges overlap"


def test_each_zone_has_a_private_and_a_public_subnet_and_a_way_out_of_its_own() -> None:
    zones = ["us-east-1a", "us-east-1b", "us-east-1c"]
    subnets = of_type("aws:ec2/subnet:Subnet")
    assert sorted(zones * 2) == sorted(inputs(subnet)["availabilityZone"] for subnet in subnets)
    assert len(of_type("aws:ec2/natGateway:NatGateway")) == len(zones)
    assert {inputs(subnet).get("mapPublicIpOnLaunch", False) for subnet in subnets} == {False}


def test_every_aws_resource_has_the_one_provider_that_pins_region_and_account() -> None:
    graph = graph_of(AWS_BASE)
    providers = {r.provider: graph.provider_of(r) for r in graph.resources if r.type.startswith("aws:")}
    assert len(providers) == 1
    (provider,) = providers.values()
    assert provider is not None and inputs(provider)["region"] == "us-east-1"
    assert json.dumps(inputs(provider)["allowedAccountIds"]).count(ACCOUNT) == 1


# The provider appends `-` and seven characters to names that it makes.
# Source: IAM 64, S3 63, SQS 80, EventBridge 64, launch template 128, log group 512; AWS API references, read 2026-11
LIMITS = {"aws:iam/role:Role": 64, "aws:iam/rolePolicy:RolePolicy": 128, "aws:s3/bucket:Bucket": 63,
          "aws:sqs/queue:Queue": 80, "aws:cloudwatch/eventRule:EventRule": 64,
          "aws:ec2/launchTemplate:LaunchTemplate": 128, "aws:eks/nodeGroup:NodeGroup": 63,
          "aws:rds/instance:Instance": 63, "aws:elasticache/replicationGroup:ReplicationGroup": 40,
          "aws:rds/subnetGroup:SubnetGroup": 255, "aws:rds/parameterGroup:ParameterGroup": 255,
          "aws:elasticache/subnetGroup:SubnetGroup": 255, "aws:ec2/securityGroup:SecurityGroup": 255}  # fmt: skip


@pytest.mark.parametrize("kind", LIMITS)
def test_names_that_the_provider_makes_stay_within_the_limit(kind: str) -> None:
    assert [r.name for r in of_type(kind) if len(r.name) + 8 > LIMITS[kind]] == []


def test_names_that_we_give_have_the_form_that_the_service_asks() -> None:
    (database,) = of_type("aws:rds/instance:Instance")
    (cluster,) = of_type("aws:eks/cluster:Cluster")
    # Source: botocore 1.44.5 rds DeleteDBInstance, FinalDBSnapshotIdentifier: 1 to 255, no two hyphens in a row
    name = inputs(database)["finalSnapshotIdentifier"]
    assert re.fullmatch(r"[a-z](-?[a-z0-9])*", name) and len(name) <= 255, name
    assert re.fullmatch(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}", inputs(cluster)["name"])


def test_nothing_that_an_account_has_once_bears_a_name_without_the_stack() -> None:
    for kind, field in (
        ("aws:rds/instance:Instance", "identifier"),
        ("aws:elasticache/replicationGroup:ReplicationGroup", "replicationGroupId"),
        ("aws:s3/bucket:Bucket", "bucket"),
        ("aws:iam/role:Role", "name"),
        ("aws:sqs/queue:Queue", "name"),
        ("aws:eks/nodeGroup:NodeGroup", "nodeGroupName"),
    ):
        assert [r.name for r in of_type(kind) if field in inputs(r)] == [], kind
    fixed = [inputs(r)["name"] for r in of_type("aws:cloudwatch/logGroup:LogGroup") if "name" in inputs(r)]
    fixed += [inputs(r)["finalSnapshotIdentifier"] for r in of_type("aws:rds/instance:Instance")]
    fixed += [inputs(r)["name"] for r in of_type("aws:eks/cluster:Cluster")]
    assert [name for name in fixed if AWS_BASE.removesuffix("-base") not in name] == []
