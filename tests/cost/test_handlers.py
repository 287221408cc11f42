"""The tables of types: what is metered, what cannot be told, and that no type falls between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cost.components import QuantityUnknown
from cost.estimate import Line
from cost.handlers import FREE, HANDLERS, is_free
from skerry.graph import UNKNOWN
from tests.simulators.cost_round_numbers import on_aws, priced

GROUP = "aws:eks/nodeGroup:NodeGroup"
RDS = "aws:rds/instance:Instance"
CACHE, ENDPOINT = "aws:elasticache/replicationGroup:ReplicationGroup", "aws:ec2/vpcEndpoint:VpcEndpoint"
VOLUME, INSTANCE = "aws:ebs/volume:Volume", "aws:ec2/instance:Instance"


def lines_of(kind: str, inputs: Mapping[str, Any] | None = None) -> tuple[Line, ...]:
    builder = on_aws()
    builder.add(kind, "it", inputs)
    return priced(builder).lines


METERED = {
    "aws:ec2/natGateway:NatGateway": {"gb_processed", "gb_out"},
    "aws:ec2/vpc:Vpc": {"gb_between_zones"},
    "aws:s3/bucket:Bucket": {"gb_stored", "write_requests", "read_requests"},
    "aws:s3/bucketV2:BucketV2": {"gb_stored", "write_requests", "read_requests"},
    "aws:cloudwatch/logGroup:LogGroup": {"log_gb_ingested", "log_gb_stored"},
    "aws:kms/key:Key": {"key_requests"},
    "aws:sqs/queue:Queue": {"requests"},
}


@pytest.mark.parametrize("kind", METERED)
def test_what_depends_on_usage_is_unknown_without_it_and_never_zero(kind: str) -> None:
    unknown = {line.component.unknown for line in lines_of(kind) if line.component.monthly is None}
    asked = {reason.split("usage not given: ")[1].split(";")[0] for reason in unknown if reason}
    assert METERED[kind] == asked


UNDETERMINED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "an unknown class of a database": (RDS, {"engine": "postgres", "instanceClass": UNKNOWN}),
    "an unknown standby": (RDS, {"engine": "postgres", "instanceClass": "db.r6g.large", "multiAz": UNKNOWN}),
    "a database without a size": (RDS, {"engine": "postgres", "instanceClass": "db.r6g.large"}),
    "an engine without a row": (RDS, {"engine": "oracle-se2", "instanceClass": "db.r6g.large", "allocatedStorage": 1}),
    "an unknown number of cache nodes": (CACHE, {"nodeType": "cache.r6g.large", "numCacheClusters": UNKNOWN}),
    "an endpoint in unknown zones": (ENDPOINT, {"vpcEndpointType": "Interface", "subnetIds": UNKNOWN}),
    "an endpoint of another kind": (ENDPOINT, {"vpcEndpointType": "GatewayLoadBalancer"}),
    "a volume without a size": (VOLUME, {"type": "gp3"}),
    "a volume of a size below zero": (VOLUME, {"type": "gp3", "size": -5}),
    "a volume of a size in words": (VOLUME, {"type": "gp3", "size": "large"}),
    "a machine whose root disk is not stated": (INSTANCE, {"instanceType": "m6i.large"}),
    "a node group of unknown bounds": (GROUP, {"instanceTypes": ["m6i.large"], "scalingConfig": UNKNOWN}),
    "a node group of an unknown type": (
        GROUP,
        {"instanceTypes": [UNKNOWN], "scalingConfig": {"minSize": 1, "maxSize": 2}},
    ),
    "a type that nobody prices": ("aws:dynamodb/table:Table", {}),
    "a type of another cloud": ("gcp:sql/databaseInstance:DatabaseInstance", {}),
    "a chart whose contents are not in the graph": ("kubernetes:helm.sh/v3:Release", {}),
    "a load balancer that a Service asks for": ("kubernetes:core/v1:Service", {"spec": {"type": "LoadBalancer"}}),
    "a claim of a class that is not in the graph": (
        "kubernetes:core/v1:PersistentVolumeClaim",
        {"spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "10Gi"}}}},
    ),
}


@pytest.mark.parametrize("case", UNDETERMINED)
def test_what_cannot_be_told_is_an_unknown_line(case: str) -> None:
    kind, inputs = UNDETERMINED[case]
    lines = lines_of(kind, inputs)
    assert [line.component.unknown for line in lines if line.component.monthly is None] != []


def test_no_type_is_both_priced_and_free() -> None:
    assert frozenset() == FREE & HANDLERS.keys()


@pytest.mark.parametrize("kind", ["aws:new/thing:Thing", "kubernetes:new.example.com/v1:Thing", "acme:index:Thing"])
def test_a_type_in_no_table_is_not_free(kind: str) -> None:
    assert not is_free(kind)
    assert [QuantityUnknown] == [type(line.component.quantity) for line in lines_of(kind)]


@pytest.mark.parametrize(
    ("kind", "free"),
    [
        ("gcp:cloudrunv2/serviceIamMember:ServiceIamMember", True),
        ("gcp:projects/iAMBinding:IAMBinding", True),
        ("gcp:storage/bucketIAMPolicy:BucketIAMPolicy", True),
        ("gcp:cloudrunv2/service:Service", False),
        ("gcp:acme/iamMemberPool:IamMemberPool", False),
    ],
)
def test_a_grant_on_google_cloud_is_free(kind: str, free: bool) -> None:
    assert is_free(kind) is free
    assert bool(lines_of(kind)) is not free
