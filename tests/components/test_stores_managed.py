"""A deployment's schedule and retention reach the clouds' own PostgreSQL, and Azure lists the extension of vectors."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.facts import facts_of
from skerry.graph import ResourceGraph
from tests.simulators.azure_stacks import MANAGED_POSTGRES, azure_base
from tests.simulators.changed_stacks import run_core
from tests.simulators.moved_stacks import gcp_base
from tests.simulators.stack_objects import AWS_BASE, inputs

BACKUP = {"backup": {"schedule": "45 23 * * *", "retention_days": 21}}


def one(graph: ResourceGraph, kind: str) -> dict[str, Any]:
    (found,) = [resource for resource in graph.resources if resource.type == kind]
    return inputs(found)


def test_aws_keeps_backups_as_long_as_asked_and_begins_them_within_the_hour() -> None:
    database = one(run_core(AWS_BASE, BACKUP), "aws:rds/instance:Instance")
    assert (database["backupRetentionPeriod"], database["backupWindow"]) == (21, "23:45-00:45")
    database = one(run_core(AWS_BASE, {}), "aws:rds/instance:Instance")
    assert (database["backupRetentionPeriod"], "backupWindow" in database) == (14, False)


def test_google_keeps_as_many_backups_as_days_in_the_region_of_the_database() -> None:
    settings = one(gcp_base(BACKUP), "gcp:sql/databaseInstance:DatabaseInstance")["settings"]["backupConfiguration"]
    assert settings["backupRetentionSettings"] == {"retainedBackups": 21, "retentionUnit": "COUNT"}
    assert (settings["startTime"], settings["location"]) == ("23:45", "us-central1")


def test_a_schedule_without_one_time_a_day_leaves_the_hour_to_the_cloud() -> None:
    database = one(run_core(AWS_BASE, {"backup": {"schedule": "0 */6 * * *"}}), "aws:rds/instance:Instance")
    assert "backupWindow" not in database


STORE = {"endpoint_url": "https://s3.backup.example", "bucket": "copies", "jurisdiction": "DE"}
AZURE = {"backup": {"retention_days": 3, "store": STORE}, "meta.vector_store": "pgvector", **MANAGED_POSTGRES}


def test_azure_keeps_backups_seven_days_at_least_and_lists_the_extension() -> None:
    graph = azure_base(AZURE)
    server = one(graph, "azure-native:dbforpostgresql:Server")
    assert server["backup"] == {"backupRetentionDays": 7, "geoRedundantBackup": "Disabled"}
    listed = one(graph, "azure-native:dbforpostgresql:Configuration")
    assert (listed["configurationName"], listed["value"]) == ("azure.extensions", "VECTOR")
    assert [
        one
        for one in azure_base(MANAGED_POSTGRES).resources
        if one.type == "azure-native:dbforpostgresql:Configuration"
    ] == []


@pytest.mark.parametrize("backup", [BACKUP, {}])
def test_a_managed_database_says_where_its_backups_lie(backup: dict[str, Any]) -> None:
    (facts,) = [
        found
        for found in map(facts_of, run_core(AWS_BASE, backup).resources)
        if found is not None and found.role == "relational-store"
    ]
    if backup:
        assert facts.backup is not None
        assert (facts.backup.jurisdiction, facts.backup.retention_days) == ("US", 21)
    else:
        assert facts.backup is None, "a base that says nothing of backups is as it was"
