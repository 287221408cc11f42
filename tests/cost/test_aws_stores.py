"""AWS stores: databases, caches, buckets, keys, logs and queues, in round numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from skerry.facts import StorageFact
from skerry.graph import UNKNOWN
from tests.simulators.cost_round_numbers import on_aws, priced, rows

INSTANCE = "aws:rds/instance:Instance"
AURORA = "aws:rds/cluster:Cluster"
AURORA_INSTANCE = "aws:rds/clusterInstance:ClusterInstance"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
BUCKET = "aws:s3/bucket:Bucket"
KEY = "aws:kms/key:Key"
LOGS = "aws:cloudwatch/logGroup:LogGroup"
QUEUE = "aws:sqs/queue:Queue"
DOCDB = "aws:docdb/cluster:Cluster"
DOCDB_INSTANCE = "aws:docdb/clusterInstance:ClusterInstance"

DATABASE = {"engine": "postgres", "instanceClass": "db.r6g.large", "allocatedStorage": 100, "storageType": "gp3"}
NOT_GIVEN = "usage not given: "

CASES: Mapping[str, tuple[str, dict[str, Any], dict[str, Any], dict[str, str]]] = {
    "one database": (INSTANCE, DATABASE, {}, {"machine db.r6g.large": "146", "storage gp3": "10"}),
    "a standby doubles machine and storage": (
        INSTANCE,
        {**DATABASE, "multiAz": True},
        {},
        {"machine db.r6g.large": "292", "storage gp3": "20"},
    ),
    "storage that may grow": (
        INSTANCE,
        {**DATABASE, "maxAllocatedStorage": 500},
        {},
        {"machine db.r6g.large": "146", "storage gp3": "10/10/50"},
    ),
    "no storage type is gp2": (
        INSTANCE,
        {key: value for key, value in DATABASE.items() if key != "storageType"},
        {},
        {"machine db.r6g.large": "146", "storage gp2": "11"},
    ),
    "IOPS above what is in the price": (
        INSTANCE,
        {**DATABASE, "iops": 4000},
        {},
        {
            "machine db.r6g.large": "146",
            "storage gp3": "10",
            "IOPS": "the price book has no price of rds-gp3-iops (IOPS-month) for aws us-east-1",
        },
    ),
    "a class without a row": (
        INSTANCE,
        {**DATABASE, "instanceClass": "db.m99.large"},
        {},
        {
            "machine db.m99.large": "the price book has no price of rds-postgres:db.m99.large (hour) for aws us-east-1",
            "storage gp3": "10",
        },
    ),
    "whether there is a standby is not known": (
        INSTANCE,
        {**DATABASE, "multiAz": UNKNOWN},
        {},
        {"the rest": "multiAz is not known before a deployment"},
    ),
    "an Aurora cluster stores what it is given": (
        AURORA,
        {"engine": "aurora-postgresql"},
        {},
        {
            "storage": "usage not given: gb_stored; "
            "the price book has no price of rds-aurora-postgresql-storage (GB-month) for aws us-east-1"
        },
    ),
    "an Aurora instance": (
        AURORA_INSTANCE,
        {"engine": "aurora-postgresql", "instanceClass": "db.r6g.large"},
        {},
        {"machine db.r6g.large": "219"},
    ),
    "a cache of three": (
        CACHE,
        {"engine": "valkey", "nodeType": "cache.r6g.large", "numCacheClusters": 3},
        {},
        {"nodes cache.r6g.large valkey": "328.5"},
    ),
    "a sharded cache": (
        CACHE,
        {"nodeType": "cache.r6g.large", "numNodeGroups": 2, "replicasPerNodeGroup": 1},
        {},
        {"nodes cache.r6g.large redis": "584"},
    ),
    "a bucket without usage": (
        BUCKET,
        {},
        {},
        {
            "storage standard": NOT_GIVEN + "gb_stored",
            "write requests": NOT_GIVEN + "write_requests",
            "read requests": NOT_GIVEN + "read_requests",
        },
    ),
    "a bucket with usage": (
        BUCKET,
        {},
        {
            "it": {
                "gb_stored": {"minimum": 100, "typical": 500, "maximum": 1000},
                "write_requests": 1000000,
                "read_requests": 10000000,
            }
        },
        {"storage standard": "2/10/20", "write requests": "5", "read requests": "4"},
    ),
    "a key": (KEY, {"enableKeyRotation": True}, {}, {"key": "1", "requests": NOT_GIVEN + "key_requests"}),
    "a key with usage": (KEY, {}, {"*": {"key_requests": 1000000}}, {"key": "1", "requests": "3"}),
    "logs": (
        LOGS,
        {},
        {"it": {"log_gb_ingested": 10, "log_gb_stored": 100}},
        {"ingestion": "5", "storage": "3"},
    ),
    "a queue": (QUEUE, {}, {"it": {"requests": 1000000}}, {"requests": "0.4"}),
    "a queue in order has a price of its own": (
        QUEUE,
        {"fifoQueue": True},
        {"it": {"requests": 1000000}},
        {"requests": "the price book has no price of sqs-requests-fifo (request) for aws us-east-1"},
    ),
    "a DocumentDB cluster": (DOCDB, {}, {"it": {"gb_stored": 10}}, {"storage": "1"}),
    "a DocumentDB instance": (
        DOCDB_INSTANCE,
        {"instanceClass": "db.t3.medium"},
        {},
        {"machine db.t3.medium": "58.4"},
    ),
}


@pytest.mark.parametrize("sentence", CASES)
def test_a_store(sentence: str) -> None:
    kind, inputs, usage, expected = CASES[sentence]
    builder = on_aws()
    builder.add(kind, "it", inputs)
    assert expected == rows(priced(builder, usage))


def test_the_space_of_a_bucket_is_what_its_component_declares() -> None:
    builder = on_aws()
    space = StorageFact(kind="bucket", gib=500)
    store = builder.component("objects", kind="AwsObjectStore", storage=(space,))
    builder.add(BUCKET, "bucket", {}, parent=store)
    assert rows(priced(builder))["storage standard"] == "10"
    assert rows(priced(builder, {"bucket": {"gb_stored": 100}}))["storage standard"] == "2"


def test_two_buckets_of_one_component_leave_it_open_whose_the_space_is() -> None:
    builder = on_aws()
    store = builder.component("objects", kind="AwsObjectStore", storage=(StorageFact(kind="bucket", gib=500),))
    builder.add(BUCKET, "one", {}, parent=store)
    builder.add(BUCKET, "two", {}, parent=store)
    assert rows(priced(builder))["storage standard"] == "usage not given: gb_stored"
