"""The managed stores on Google Cloud: private, over zones, under the deployment's key, and kept."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.graph import UNKNOWN
from tests.simulators.moved_stacks import NUMBER, base, gcp_base, of_type, one
from tests.simulators.provider_graphs import refusals
from tests.simulators.replacements import unanswered
from tests.simulators.stack_objects import inputs

CLUSTER = "gcp:container/cluster:Cluster"
SQL, REDIS, BUCKET = (
    "gcp:sql/databaseInstance:DatabaseInstance", "gcp:redis/instance:Instance", "gcp:storage/bucket:Bucket",
)  # fmt: skip
STORES = (SQL, REDIS, BUCKET, "gcp:kms/keyRing:KeyRing", "gcp:kms/cryptoKey:CryptoKey")


def test_every_value_of_a_store_has_an_answer_to_what_a_change_of_it_does() -> None:
    kept = [r for r in base().resources if r.custom and (r.protect or r.retain_on_delete)]
    assert {r.type for r in kept} == set(STORES)
    assert [f"{r.type} {path}" for r in kept for path in unanswered(r.type, r.inputs)] == []


@pytest.mark.parametrize("kind", STORES)
def test_what_keeps_data_is_protected_and_retained(kind: str) -> None:
    assert [(r.protect, r.retain_on_delete) for r in of_type(kind)] == [(True, True)]


def test_the_database_is_private_over_zones_and_comes_back_in_its_region() -> None:
    settings = one(SQL)["settings"]
    address = settings["ipConfiguration"]
    assert (address["ipv4Enabled"], address["sslMode"]) == (False, "ENCRYPTED_ONLY")
    assert settings["availabilityType"] == "REGIONAL"
    backups = settings["backupConfiguration"]
    assert (backups["enabled"], backups["pointInTimeRecoveryEnabled"]) == (True, True)
    assert backups["location"] == one(SQL)["region"] == "us-central1"
    # Source: terraform-provider-google at e03b7622, google_sql_database_instance: 1 to 7 for this edition
    assert backups["transactionLogRetentionDays"] == 7 and settings["edition"] == "ENTERPRISE"
    assert one(SQL)["deletionProtection"] and settings["deletionProtectionEnabled"]
    assert not {"rootPassword", "rootPasswordWo"} & set(one(SQL)), "no password is made here"


def test_the_cache_asks_for_a_password_speaks_tls_and_survives_a_zone() -> None:
    redis = one(REDIS)
    assert (redis["authEnabled"], redis["transitEncryptionMode"]) == (True, "SERVER_AUTHENTICATION")
    assert (redis["tier"], redis["replicaCount"], redis["readReplicasMode"]) == (
        "STANDARD_HA",
        2,
        "READ_REPLICAS_ENABLED",
    )
    assert redis["connectMode"] == "PRIVATE_SERVICE_ACCESS"
    smallest = one(REDIS, gcp_base({"channels.pubsub_replicas": 1}))
    assert (smallest["replicaCount"], smallest["readReplicasMode"]) == (1, "READ_REPLICAS_DISABLED")
    largest = one(REDIS, gcp_base({"channels.pubsub_replicas": 9}))
    assert largest["replicaCount"] == 5


def test_the_bucket_is_of_one_region_never_public_and_keeps_old_versions() -> None:
    bucket = one(BUCKET)
    assert (bucket["location"], bucket["publicAccessPrevention"]) == ("us-central1", "enforced")
    assert bucket["uniformBucketLevelAccess"] is True and bucket["versioning"] == {"enabled": True}
    assert bucket["forceDestroy"] is False
    rules = {row["action"]["type"]: row["condition"] for row in bucket["lifecycleRules"]}
    assert rules == {"Delete": {"daysSinceNoncurrentTime": 90}, "AbortIncompleteMultipartUpload": {"age": 7}}


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (SQL, "encryptionKeyName"),
        (REDIS, "customerManagedKey"),
        (BUCKET, "encryption"),
        (CLUSTER, "databaseEncryption"),
    ],
)
def test_every_store_is_under_the_deployments_key_and_waits_for_the_right_to_use_it(kind: str, field: str) -> None:
    (key,) = of_type("gcp:kms/cryptoKey:CryptoKey")
    (store,) = of_type(kind)
    assert key.urn in store.property_dependencies[field]
    grants = {r.urn for r in of_type("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")}
    assert grants & set(store.dependencies)


def test_only_googles_own_accounts_may_use_the_key() -> None:
    grants = {r.name.rsplit("-", 2)[-2]: inputs(r) for r in of_type("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")}
    assert sorted(grants) == ["compute", "gke", "redis", "sql", "storage"]
    assert {row["role"] for row in grants.values()} == {"roles/cloudkms.cryptoKeyEncrypterDecrypter"}
    members = {name: row["member"] for name, row in grants.items() if row["member"] is not UNKNOWN}
    assert members == {
        "gke": f"serviceAccount:service-{NUMBER}@container-engine-robot.iam.gserviceaccount.com",
        "compute": f"serviceAccount:service-{NUMBER}@compute-system.iam.gserviceaccount.com",
        "storage": f"serviceAccount:service-{NUMBER}@gs-project-accounts.iam.gserviceaccount.com",
    }
    services = {inputs(r)["service"] for r in of_type("gcp:projects/serviceIdentity:ServiceIdentity")}
    assert services == {"sqladmin.googleapis.com", "redis.googleapis.com"}


def test_agents_reach_one_bucket_by_three_service_accounts_of_kubernetes() -> None:
    (right,) = of_type("gcp:storage/bucketIAMMember:BucketIAMMember")
    assert inputs(right)["role"] == "roles/storage.objectUser"
    identities = [inputs(r) for r in of_type("gcp:serviceaccount/iAMMember:IAMMember")]
    assert {row["role"] for row in identities} == {"roles/iam.workloadIdentityUser"}
    assert sorted(row["member"] for row in identities) == [
        f"serviceAccount:skerry-example.svc.id.goog[sensei-{tier}/agents]"
        for tier in ("cognitive", "execution", "meta")
    ]


def test_stores_wait_for_the_network_that_they_stand_in() -> None:
    (peering,) = of_type("gcp:servicenetworking/connection:Connection")
    for kind in (SQL, REDIS):
        assert peering.urn in of_type(kind)[0].dependencies
    managed = one("gcp:compute/globalAddress:GlobalAddress")
    assert (managed["purpose"], managed["address"], managed["prefixLength"]) == ("VPC_PEERING", "10.20.128.0", 20)


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({"meta.relational_kind": "cloudnative-pg"}, SQL),
        ({"channels.pubsub": "valkey"}, REDIS),
        ({"channels.object_store": "seaweedfs"}, BUCKET),
    ],
)
def test_what_the_cluster_is_to_run_google_does_not(changes: dict[str, Any], gone: str) -> None:
    graph = gcp_base(changes)
    assert graph.of_type(gone) == () or list(graph.of_type(gone)) == []
    assert refusals(graph) == []
    missing = {SQL: "sql", REDIS: "redis", BUCKET: "storage"}[gone]
    granted = {r.name.rsplit("-", 2)[-2] for r in of_type("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", graph)}
    assert missing not in granted, "nobody has a right that nothing needs"
