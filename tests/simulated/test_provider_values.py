"""Values that botocore's models and Google's discovery documents rule out, and the maps of fields that both need."""

from __future__ import annotations

import csv
import re
from typing import Any

import pytest

from skerry.engine.run import run_program
from tests.simulators import provider_aws_values as aws
from tests.simulators import provider_gcp_values as gcp
from tests.simulators.provider_check import UNKNOWN
from tests.simulators.provider_values import OWN_ROWS, constraint_of, own_rows, refusal
from tests.simulators.pulumi_cli import ROOT
from tests.simulators.pulumi_provider import schema_of
from tests.simulators.sdk_types import sdk_of

INSTANCE, CLUSTER, GROUP = "aws:ec2/instance:Instance", "aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup"
BUCKET, ROLE, FUNCTION = "aws:s3/bucket:Bucket", "aws:iam/role:Role", "aws:lambda/function:Function"
QUEUE = "aws:sqs/queue:Queue"
DATABASE, CACHE = "aws:rds/instance:Instance", "aws:elasticache/replicationGroup:ReplicationGroup"

REFUSED: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "a machine that there is not": (
        INSTANCE, {"instanceType": "t3.mikro"}, "instanceType", "did you mean 't3.micro'? (botocore ec2 InstanceType)"
    ),
    "one of several machines": (
        GROUP, {"instanceTypes": ["m6i.large", "m6i.huge"]}, "instanceTypes[1]", "'m6i.huge' is not among its values"
    ),
    "a name that an API does not take": (
        CLUSTER, {"name": "my cluster"}, "name",
        "does not match ^[0-9A-Za-z][A-Za-z0-9\\-_]* (botocore eks ClusterName)"
    ),
    "a name that is too long": (ROLE, {"name": "r" * 65}, "name", "has 65 characters: the most is 64"),
    "a time that is too short": (ROLE, {"maxSessionDuration": 60}, "maxSessionDuration", "60: the least is 3600"),
    "an enum inside": (
        INSTANCE, {"metadataOptions": {"httpTokens": "yes"}}, "metadataOptions.httpTokens", "'optional', 'required'"
    ),
    "a bucket's name with capitals": (BUCKET, {"bucket": "Reef"}, "bucket", "(the naming rules of S3)"),
    "a bucket's name like an address": (BUCKET, {"bucket": "192.168.5.4"}, "bucket", "(the naming rules of S3)"),
    "a runtime that there is not": (FUNCTION, {"runtime": "python2.9"}, "runtime", "botocore lambda Runtime"),
    "too little memory": (FUNCTION, {"memorySize": 64}, "memorySize", "64: the least is 128"),
    "a database's class without its prefix": (DATABASE, {"instanceClass": "t4g.micro"}, "instanceClass", "db. before"),
    "a database's class of no machine": (DATABASE, {"instanceClass": "db.t4g.tiny"}, "instanceClass", "db. before"),
    "a cache's class of no machine": (CACHE, {"nodeType": "cache.m9.large"}, "nodeType", "cache. before"),
    "a log that a cluster does not write": (
        CLUSTER, {"enabledClusterLogTypes": ["api", "kubelet"]}, "enabledClusterLogTypes[1]", "botocore eks LogType"
    ),
    "a name that the type's own name stands before in the API": (FUNCTION, {"name": "a b"}, "name", "FunctionName"),
    "a kind of disk": ("aws:ebs/volume:Volume", {"type": "gp4"}, "type", "botocore ec2 VolumeType"),
    "a kind of load balancer": (
        "aws:lb/loadBalancer:LoadBalancer", {"loadBalancerType": "aplication"}, "loadBalancerType", "'application'?"
    ),
    "days of a log that CloudFormation does not list": (
        "aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 31}, "retentionInDays", "(CloudFormation AWS::Logs"
    ),
    "a delay beyond CloudFormation's most": (QUEUE, {"delaySeconds": 901}, "delaySeconds", "901: the most is 900"),
    "a database's name with capitals": (DATABASE, {"identifier": "My-Db"}, "identifier", "rds/validate.go"),
    "an engine that the API's description does not list": (
        DATABASE, {"engine": "postgresql"}, "engine", "did you mean 'postgres'? (botocore 1.44.5, the"
    ),
    "more days of backups than there are": (DATABASE, {"backupRetentionPeriod": 36}, "backupRetentionPeriod", "35 ("),
    "a window on no day": (DATABASE, {"maintenanceWindow": "mox:00:00-mon:01:00"}, "maintenanceWindow", "not match"),
    "a window at no hour": (DATABASE, {"backupWindow": "25:00-26:00"}, "backupWindow", "does not match"),
    "a cache's engine": (CACHE, {"engine": "redsi"}, "engine", "did you mean 'redis'?"),
    "a cache's name that is too long": (CACHE, {"replicationGroupId": "a" * 41}, "replicationGroupId", "most is 40"),
    "a load balancer's name that is too long": (
        "aws:lb/targetGroup:TargetGroup", {"name": "a" * 33}, "name", "the most is 32"
    ),
    "a queue's name": (QUEUE, {"name": "a b"}, "name", "does not match"),
    "days until a key is deleted": ("aws:kms/key:Key", {"deletionWindowInDays": 3}, "deletionWindowInDays", "is 7"),
    "a security group's name": (
        "aws:ec2/securityGroup:SecurityGroup", {"name": "sg-web"}, "name", "documentation of ec2 CreateSecurityGroup"
    ),
    "a port of a security group": (
        "aws:ec2/securityGroup:SecurityGroup", {"ingress": [{"toPort": 70000}]}, "ingress[0].toPort", "most is 65535"
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", REFUSED)
def test_refused_by_a_model_of_botocore(sentence: str) -> None:
    token, inputs, place, reason = REFUSED[sentence]
    (found,) = aws.aws_failures(token, inputs)
    assert (found.property, reason in found.reason) == (place, True), found


TAKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "a machine": (INSTANCE, {"instanceType": "t3.micro"}),
    "what is not known yet": (INSTANCE, {"instanceType": UNKNOWN, "metadataOptions": UNKNOWN}),
    "what is empty, which the provider does not send": (ROLE, {"name": "", "maxSessionDuration": 0}),
    "a bucket's name with dots": (BUCKET, {"bucket": "a.b-c.d1"}),
    "a class of machines with a second size": (DATABASE, {"instanceClass": "db.r5.large.tpc1.mem2x"}),
    "a class without a machine": (DATABASE, {"instanceClass": "db.serverless"}),
    "a family that only databases have": (DATABASE, {"instanceClass": "db.x2g.large"}),
    "the provider's sign for nothing": (FUNCTION, {"reservedConcurrentExecutions": -1}),
    "a queue's name of the other kind": (QUEUE, {"name": "a-b.fifo"}),
    "a window of maintenance": (DATABASE, {"maintenanceWindow": "Mon:00:00-Mon:03:00", "backupWindow": "09:46-10:16"}),
    "an access list that the model leaves out": (BUCKET, {"acl": "log-delivery-write"}),
    "a type that the models do not have": ("aws:nobody/wrote:This", {"a": "b"}),
}


@pytest.mark.parametrize("sentence", TAKEN)
def test_taken_by_the_models_of_botocore(sentence: str) -> None:
    token, inputs = TAKEN[sentence]
    assert aws.aws_failures(token, inputs) == []


GKE = "gcp:container/cluster:Cluster"
GOOGLE: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "a name that Compute Engine does not take": ("gcp:compute/network:Network", {"name": "My_Net"}, ["name"]),
    "one that it takes": ("gcp:compute/network:Network", {"name": "my-net"}, []),
    "a version of a database that there is not": (
        "gcp:sql/databaseInstance:DatabaseInstance", {"databaseVersion": "POSTGRES_99"}, ["databaseVersion"]
    ),
    "one that there is": ("gcp:sql/databaseInstance:DatabaseInstance", {"databaseVersion": "POSTGRES_16"}, []),
    "an enum in a list": (
        "gcp:compute/instance:Instance",
        {"networkInterfaces": [{"accessConfigs": [{"networkTier": "GOLD"}]}]},
        ["networkInterfaces[0].accessConfigs[0].networkTier"],
    ),
    "a taint's effect": (
        "gcp:container/cluster:Cluster", {"nodeConfig": {"taints": [{"effect": "NoSchedule"}]}},
        ["nodeConfig.taints[0].effect"],
    ),
    "a tier": ("gcp:redis/instance:Instance", {"tier": "GOLD"}, ["tier"]),
    "a number beyond its bits": ("gcp:compute/firewall:Firewall", {"priority": 2**40}, ["priority"]),
    "a class of storage": ("gcp:storage/bucket:Bucket", {"storageClass": "COLDER"}, ["storageClass"]),
    "a cluster's name": (GKE, {"name": "My Cluster"}, ["name"]),
    "a cluster's name that is too long": (GKE, {"name": "a" * 41}, ["name"]),
    "a data path": (GKE, {"datapathProvider": "ADVANCED"}, ["datapathProvider"]),
    "a span of time in words": (
        "gcp:kms/cryptoKey:CryptoKey", {"rotationPeriod": "1 day"}, ["rotationPeriod"]
    ),
    "a span of time": ("gcp:kms/cryptoKey:CryptoKey", {"rotationPeriod": "7776000s"}, []),
    "an account's id that is too short": ("gcp:serviceaccount/account:Account", {"accountId": "a"}, ["accountId"]),
    "a topic's name": ("gcp:pubsub/topic:Topic", {"name": "1x"}, ["name"]),
    "an old protocol": ("gcp:compute/sSLPolicy:SSLPolicy", {"minTlsVersion": "TLS_0_9"}, ["minTlsVersion"]),
    "a module that has no document": ("gcp:billing/budget:Budget", {"displayName": "b"}, []),
}  # fmt: skip


@pytest.mark.parametrize("sentence", GOOGLE)
def test_a_discovery_document_rules_out(sentence: str) -> None:
    token, inputs, expected = GOOGLE[sentence]
    assert [one.property for one in gcp.gcp_failures(token, inputs)] == expected


def test_every_row_of_botocore_s_map_is_of_a_service_a_shape_and_a_property_that_there_are() -> None:
    sdk = sdk_of("aws")
    assert sdk is not None
    tokens = set(sdk.modules())
    for row in aws.rows():
        model = aws.service(row["service"])
        assert model is not None, row
        if row["token"].endswith("/"):
            assert any(token.startswith(row["token"]) for token in tokens), row
            continue
        assert row["token"] in tokens, row
        if row["property"]:
            assert not row["shape"] or row["shape"] in model["shapes"], row
            schema = sdk.resource(row["token"])
            assert schema is not None
            assert exists(row["property"], schema), row
        else:
            assert aws._input_of(row["service"], row["shape"]), row


def exists(path: str, schema: dict[str, Any]) -> bool:
    properties = schema["inputs"]
    for part in path.split("."):
        type_ = properties.get(part.removesuffix("[]"), [None])[0]
        if type_ is None:
            return False
        while isinstance(type_, list) and type_[0] in ("list", "map"):
            type_ = type_[1]
        properties = schema["types"].get(type_[1], {}) if isinstance(type_, list) and type_[0] == "ref" else {}
    return True


def test_every_row_of_the_discovery_map_is_of_a_document_and_a_schema_that_there_are() -> None:
    sdk = sdk_of("gcp")
    assert sdk is not None
    tokens = set(sdk.modules())
    for row in gcp.rows():
        schemas = gcp.document(row["document"])
        assert schemas is not None, row
        if row["token"].endswith("/"):
            assert any(token.startswith(row["token"]) for token in tokens), row
        else:
            assert row["token"] in tokens, row
            assert row["schema"] in schemas, row


def test_every_row_of_a_value_of_our_own_is_of_a_property_and_has_a_source() -> None:
    for token, found in own_rows().items():
        schema = schema_of(token)
        assert schema is not None, token
        for path, constraint in found.items():
            assert exists(path, schema), f"{token} {path}"
            assert constraint["from"]
            assert set(constraint) > {"from"}
    with OWN_ROWS.open(encoding="utf-8", newline="") as file:
        assert [row for row in csv.DictReader(file) if not row["source"].endswith(", read 2026-11")] == []


def test_most_of_what_the_stacks_here_give_to_aws_is_laid_beside_a_field_of_its_api() -> None:
    given = set()
    for stack in ("sensei-saas-aws-base", "sensei-saas-aws"):
        for resource in run_program(ROOT, stack).resources:
            if resource.type.startswith("aws:"):
                given |= {(resource.type, path) for path in paths(resource.inputs)}
    known = {token: aws.mapped(token) for token, _ in given}
    laid = [(token, path) for token, path in given if path in known[token]]
    judged = [(token, path) for token, path in laid if known[token][path]]
    # 116 of 193 and 44 when this was written; what has no field is the provider's own way of putting things.
    assert len(laid) > 0.55 * len(given), f"{len(laid)} of {len(given)}"
    assert len(judged) >= 40, len(judged)


def paths(value: Any, path: str = "") -> set[str]:
    if isinstance(value, dict):
        found = set()
        for key, item in value.items():
            inside = f"{path}{{}}" if re.search(r"(tags|labels)$", path) else f"{path}.{key}" if path else key
            found |= paths(item, inside)
        return found
    if isinstance(value, list | tuple):
        return {one for item in value for one in paths(item, f"{path}[]")}
    return {path}


def test_a_pattern_of_another_engine_is_left_out() -> None:
    assert constraint_of({"pattern": r"\p{Unheard}+"}, "x") == {}


def test_a_pattern_of_one_character_asks_for_one_somewhere() -> None:
    assert refusal("a b", {"pattern": r"\S"}) == ""
    assert refusal("  ", {"pattern": r"\S"}) == r"'  ' does not match \S"
