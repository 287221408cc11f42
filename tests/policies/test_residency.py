from __future__ import annotations

from typing import Any

import pytest

from policies.rules.residency import RULES
from skerry.facts import BoundaryFact, DataClass
from skerry.graph import UNKNOWN
from tests.simulators.policy_graphs import Build, Builder, run, told

RES001, RES002 = RULES[:2]
NO_DEPLOYMENT = "the graph names no deployment, so no boundary is known"
BUCKET = "aws:s3/bucket:Bucket"
TARGET_OK = ("ok", "platform", "the target (aws) (DE) lies within EU")


def located(inputs: dict[str, Any] | None = None, provider: dict[str, Any] | None = None, kind: str = BUCKET) -> Build:
    def build(b: Builder) -> None:
        parent = b.deployment()
        options: dict[str, Any] = {}
        if provider is not None:
            options["provider"] = b.add("pulumi:providers:aws", "frankfurt", provider) + "::id"
        b.add(kind, "data", inputs, parent=parent, **options)

    return build


def of_class(data_class: DataClass, boundaries: dict[DataClass, str]) -> Build:
    def build(b: Builder) -> None:
        rows = tuple(BoundaryFact(data_class=key, jurisdictions=(value,)) for key, value in boundaries.items())
        root = b.deployment(boundaries=rows)
        store = b.component("store", root, data_class=data_class)
        b.add(BUCKET, "data", {"region": "us-east-1"}, parent=store)

    return build


def queue_of_azure(b: Builder) -> None:
    root = b.deployment()
    bus = b.add("azure-native:servicebus:Namespace", "bus", {"location": "swedencentral"}, parent=root)
    named = {"namespaceName": (bus,)}
    b.add("azure-native:servicebus:Queue", "queue", {"queueName": "jobs"}, parent=root, property_dependencies=named)


REGION: dict[str, tuple[Build, list[tuple[str, str, str]]]] = {
    "its own region inside": (
        located({"region": "eu-west-1"}),
        [TARGET_OK, ("ok", "data", "region eu-west-1 (its input region) (IE) lies within EU")],
    ),
    "its own region beats its provider's": (
        located({"region": "us-east-1"}, {"region": "eu-central-1"}),
        [
            TARGET_OK,
            (
                "violation",
                "data",
                "region us-east-1 (its input region) lies in US, but data of no named class (held to the highest class)"
                " must stay in EU",
            ),
        ],
    ),
    "the provider's region counts": (
        located(provider={"region": "eu-central-1"}),
        [TARGET_OK, ("ok", "data", "region eu-central-1 (its provider frankfurt) (DE) lies within EU")],
    ),
    "a zone stands for its region": (
        located({"availabilityZone": "eu-north-1b"}, kind="aws:ebs/volume:Volume"),
        [TARGET_OK, ("ok", "data", "region eu-north-1 (its input availabilityZone) (SE) lies within EU")],
    ),
    "an unknown region": (
        located({"region": UNKNOWN}),
        [
            TARGET_OK,
            (
                "undetermined",
                "data",
                "the region cannot be told: its input region is not known before a deployment",
            ),
        ],
    ),
    "a provider with an unknown region": (
        located(provider={"region": UNKNOWN}),
        [
            TARGET_OK,
            (
                "undetermined",
                "data",
                "the region cannot be told: the region of its provider frankfurt is not known before a deployment",
            ),
        ],
    ),
    "a provider without a region": (
        located(provider={}),
        [
            TARGET_OK,
            ("undetermined", "data", "the region cannot be told: its provider frankfurt names no region"),
        ],
    ),
    "no region anywhere": (
        located(),
        [
            TARGET_OK,
            (
                "undetermined",
                "data",
                "the region cannot be told: neither it nor a provider in the graph names a region,"
                " and aws:region is not at hand",
            ),
        ],
    ),
    "a region that the table does not know": (
        located({"region": "eu-atlantis-1"}),
        [
            TARGET_OK,
            ("undetermined", "data", "region eu-atlantis-1 (its input region), and its country is not known"),
        ],
    ),
    "an azure resource without a location": (
        located(kind="azure-native:storage:BlobContainer"),
        [
            TARGET_OK,
            (
                "undetermined",
                "data",
                "the region cannot be told: it has no location of its own, and azure gives it that of its parent or"
                " group",
            ),
        ],
    ),
    "a queue stands where its namespace in azure stands": (
        queue_of_azure,
        [
            TARGET_OK,
            ("ok", "bus", "region swedencentral (its input location) (SE) lies within EU"),
            ("ok", "queue", "region swedencentral (bus, which it is a part of) (SE) lies within EU"),
        ],
    ),
    "a gcp zone outside": (
        located({"zone": "us-central1-a"}, kind="gcp:compute/disk:Disk"),
        [
            TARGET_OK,
            (
                "violation",
                "data",
                "region us-central1 (its input zone) lies in US, but data of no named class (held to the highest"
                " class) must stay in EU",
            ),
        ],
    ),
    "a global service has no region": (located(kind="aws:iam/role:Role"), [TARGET_OK]),
    "the class decides": (
        of_class(DataClass.PUBLIC, {DataClass.PUBLIC: "US", DataClass.RESTRICTED: "EU"}),
        [
            ("ok", "platform", "the target (aws) (DE) lies within EU"),
            ("ok", "data", "region us-east-1 (its input region) (US) lies within US"),
        ],
    ),
    "a class without a row takes the next lower one": (
        of_class(DataClass.CONFIDENTIAL, {DataClass.INTERNAL: "EU"}),
        [
            TARGET_OK,
            (
                "violation",
                "data",
                "region us-east-1 (its input region) lies in US, but confidential data must stay in EU",
            ),
        ],
    ),
    "a class below every row has no boundary": (of_class(DataClass.PUBLIC, {DataClass.RESTRICTED: "EU"}), [TARGET_OK]),
    "a component elsewhere": (
        lambda b: b.component("vectors", b.deployment(), role="vector-store", jurisdiction="US"),
        [
            TARGET_OK,
            (
                "violation",
                "vectors",
                "the vector-store lies in US, but data of no named class (held to the highest class) must stay in EU",
            ),
        ],
    ),
    "a foreign program": (lambda b: b.add(BUCKET, "data"), [("not-applicable", "", NO_DEPLOYMENT)]),
    "nothing that has a place": (lambda b: None, [("not-applicable", "", "no located resources in the graph")]),
}


@pytest.mark.parametrize("case", REGION)
def test_res001_every_resource_stands_inside(case: str) -> None:
    build, expected = REGION[case]
    assert expected == told(run(build, RES001))


def test_res001_takes_the_region_of_the_configuration_last() -> None:
    report = run(located(), RES001, config={"aws:region": "eu-west-3"})
    assert ("ok", "data", "region eu-west-3 (the configuration aws:region) (FR) lies within EU") in told(report)


def replicated(region: str, *, known: bool = True) -> Build:
    def build(b: Builder) -> None:
        b.deployment()
        source = b.add(BUCKET, "source", {"region": "eu-central-1"})
        copy = b.add(BUCKET, "copy", {"region": region, "bucket": "copy-name"})
        target: Any = "arn:aws:s3:::copy-name" if known else UNKNOWN
        b.add(
            "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
            "replication",
            {"bucket": UNKNOWN, "rules": [{"destination": {"bucket": target}}]},
            property_dependencies={"bucket": (source,), "rules": (copy,)},
        )

    return build


def table(region: Any) -> Build:
    def build(b: Builder) -> None:
        b.deployment()
        b.add("aws:dynamodb/table:Table", "table", {"replicas": [{"regionName": region}]})

    return build


US_COPY = "the copy in region us-east-1 lies in US, but data of no named class (held to the highest class) must stay in"
COPIES: dict[str, tuple[Build, list[tuple[str, str, str]]]] = {
    "a bucket inside": (
        replicated("eu-west-1"),
        [("ok", "replication", "the copy in region eu-west-1 (IE) lies within EU")],
    ),
    "a bucket outside": (replicated("us-east-1"), [("violation", "replication", f"{US_COPY} EU")]),
    "a bucket found by what the input depends on": (
        replicated("us-east-1", known=False),
        [("violation", "replication", f"{US_COPY} EU")],
    ),
    "a bucket of somebody else": (
        lambda b: (
            b.deployment(),
            b.add(
                "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
                "replication",
                {"rules": [{"destination": {"bucket": "arn:aws:s3:::theirs"}}]},
            ),
        ),
        [
            (
                "undetermined",
                "replication",
                "the bucket that it copies to is not in the graph: arn:aws:s3:::theirs",
            )
        ],
    ),
    "a bucket without a region": (
        lambda b: (
            b.deployment(),
            b.add(BUCKET, "copy", {"bucket": "copy"}),
            b.add(
                BUCKET,
                "source",
                {"replicationConfiguration": {"rules": [{"destination": {"bucket": "arn:aws:s3:::copy"}}]}},
            ),
        ),
        [
            (
                "undetermined",
                "source",
                "the region of the copy copy cannot be told: neither it nor a provider in the graph names a region,"
                " and aws:region is not at hand",
            )
        ],
    ),
    "a table copied inside": (
        table("eu-west-1"),
        [("ok", "table", "the copy in region eu-west-1 (IE) lies within EU")],
    ),
    "a table copied outside": (table("us-east-1"), [("violation", "table", f"{US_COPY} EU")]),
    "a table copied to an unknown region": (
        table(UNKNOWN),
        [("undetermined", "table", "the region that it copies to is not known before a deployment")],
    ),
    "a read replica outside": (
        lambda b: (
            b.deployment(),
            b.add(
                "aws:rds/instance:Instance",
                "replica",
                {"region": "us-east-1", "replicateSourceDb": "arn:aws:rds:eu-central-1:1:db:x"},
            ),
        ),
        [("violation", "replica", f"{US_COPY} EU")],
    ),
    "a read replica without a region": (
        lambda b: (b.deployment(), b.add("aws:rds/instance:Instance", "replica", {"replicateSourceDb": "x"})),
        [
            (
                "undetermined",
                "replica",
                "the region that it copies to cannot be told: neither it nor a provider in the graph names a region,"
                " and aws:region is not at hand",
            )
        ],
    ),
    "no copies": (lambda b: b.deployment(), [("not-applicable", "", "no replications in the graph")]),
}


@pytest.mark.parametrize("case", COPIES)
def test_res002_no_copy_leaves(case: str) -> None:
    build, expected = COPIES[case]
    assert expected == told(run(build, RES002))
