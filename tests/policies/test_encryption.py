from __future__ import annotations

from typing import Any

import pytest

from policies.rules.encryption import RULES
from skerry.facts import DataClass
from skerry.graph import UNKNOWN, Secret
from tests.simulators.policy_graphs import Build, Builder, run, told

ENC001, ENC002, ENC003, ENC004, ENC005 = RULES
Told = list[tuple[str, str, str]]
RDS = "aws:rds/instance:Instance"
CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"


def one(kind: str, inputs: dict[str, Any] | None = None) -> Build:
    return lambda b: b.add(kind, "it", inputs)


VM = "aws:ec2/instance:Instance"
NOBODY = "nobody says whether a disk of it is encrypted, so the account and the image decide"
STORAGE_CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"
AT_REST: dict[str, tuple[Build, Told]] = {
    "switched on": (one(RDS, {"storageEncrypted": True}), [("ok", "it", "")]),
    "left out": (one(RDS), [("violation", "it", "its data are not encrypted at rest")]),
    "switched off": (
        one(CACHE, {"atRestEncryptionEnabled": False}),
        [("violation", "it", "its data are not encrypted at rest")],
    ),
    "unknown": (
        one(RDS, {"storageEncrypted": UNKNOWN}),
        [("undetermined", "it", "its input storageEncrypted is not known before a deployment")],
    ),
    "an encrypted class of volumes": (
        one(STORAGE_CLASS, {"provisioner": "ebs.csi.aws.com", "parameters": {"encrypted": "true"}}),
        [("ok", "it", "")],
    ),
    "a class of volumes that is not": (
        one(STORAGE_CLASS, {"provisioner": "ebs.csi.aws.com", "parameters": {}}),
        [("violation", "it", "volumes of this class are not encrypted at rest")],
    ),
    "a class with unknown parameters": (
        one(STORAGE_CLASS, {"provisioner": "ebs.csi.aws.com", "parameters": UNKNOWN}),
        [("undetermined", "it", "its parameters are not known before a deployment")],
    ),
    "a machine whose root disk is not": (
        one(VM, {"rootBlockDevice": {"encrypted": False}}),
        [("violation", "it", "a disk of it is not encrypted at rest")],
    ),
    "a machine with encrypted disks": (
        one(VM, {"rootBlockDevice": {"encrypted": True}, "ebsBlockDevices": [{"encrypted": True}]}),
        [("ok", "it", ""), ("ok", "it", "")],
    ),
    "a machine that says nothing": (one(VM), [("undetermined", "it", NOBODY)]),
    "a machine whose disk is not known": (
        one(VM, {"rootBlockDevice": UNKNOWN}),
        [("undetermined", "it", "its input rootBlockDevice is not known before a deployment")],
    ),
    "a machine whose encryption is not known": (
        one(VM, {"rootBlockDevice": {"encrypted": UNKNOWN}}),
        [("undetermined", "it", "its input rootBlockDevice.encrypted is not known before a deployment")],
    ),
    "a template with one disk that is not": (
        one(
            "aws:ec2/launchTemplate:LaunchTemplate",
            {"blockDeviceMappings": [{"ebs": {"encrypted": "true"}}, {"ebs": {"encrypted": "false"}}]},
        ),
        [("ok", "it", ""), ("violation", "it", "a disk of it is not encrypted at rest")],
    ),
    "a template without disks of EBS": (
        one("aws:ec2/launchTemplate:LaunchTemplate", {"blockDeviceMappings": [{"virtualName": "ephemeral0"}]}),
        [("not-applicable", "", "no stores in the graph")],
    ),
    "a template whose disk says nothing": (
        one("aws:ec2/launchTemplate:LaunchTemplate", {"blockDeviceMappings": [{"ebs": {"volumeSize": 8}}]}),
        [("undetermined", "it", NOBODY)],
    ),
    "a component that says so": (lambda b: b.component("c", encrypted_at_rest=True), [("ok", "c", "")]),
    "a component that says no": (
        lambda b: b.component("c", encrypted_at_rest=False),
        [("violation", "c", "its data are not encrypted at rest")],
    ),
    "a store that does not say": (
        lambda b: b.component("c", stateful=True),
        [("undetermined", "c", "nobody says whether its data are encrypted at rest")],
    ),
    "no store": (lambda b: b.component("c"), [("not-applicable", "", "no stores in the graph")]),
}


@pytest.mark.parametrize("case", AT_REST)
def test_enc001_at_rest(case: str) -> None:
    build, expected = AT_REST[case]
    assert expected == told(run(build, ENC001))


IN_TRANSIT: dict[str, tuple[Build, Told]] = {
    "switched on": (one(CACHE, {"transitEncryptionEnabled": True}), [("ok", "it", "")]),
    "left out": (one(CACHE), [("violation", "it", "its traffic is not encrypted")]),
    "unknown": (
        one(CACHE, {"transitEncryptionEnabled": UNKNOWN}),
        [("undetermined", "it", "its input transitEncryptionEnabled is not known before a deployment")],
    ),
    "a component that says so": (lambda b: b.component("c", encrypted_in_transit=True), [("ok", "c", "")]),
    "a component that says no": (
        lambda b: b.component("c", encrypted_in_transit=False),
        [("violation", "c", "its traffic is not encrypted")],
    ),
    "a channel that does not say": (
        lambda b: b.component("c", guarantee="durable"),
        [("undetermined", "c", "nobody says whether its traffic is encrypted")],
    ),
    "neither": (lambda b: b.component("c"), [("not-applicable", "", "no stores and channels in the graph")]),
}


@pytest.mark.parametrize("case", IN_TRANSIT)
def test_enc002_in_transit(case: str) -> None:
    build, expected = IN_TRANSIT[case]
    assert expected == told(run(build, ENC002))


EKS = "aws:eks/cluster:Cluster"
CLUSTER: dict[str, tuple[Build, Told]] = {
    "a key": (
        one(EKS, {"encryptionConfig": {"resources": ["secrets"], "provider": {"keyArn": UNKNOWN}}}),
        [("ok", "it", "")],
    ),
    "nothing": (one(EKS), [("violation", "it", "Kubernetes secrets are not encrypted with a key of yours")]),
    "no key": (
        one(EKS, {"encryptionConfig": {"resources": ["secrets"], "provider": {}}}),
        [("violation", "it", "its encryption names no key")],
    ),
    "unknown": (
        one(EKS, {"encryptionConfig": UNKNOWN}),
        [("undetermined", "it", "its encryption is not known before a deployment")],
    ),
    "no cluster": (lambda b: None, [("not-applicable", "", "no EKS, GKE and AKS clusters in the graph")]),
}


@pytest.mark.parametrize("case", CLUSTER)
def test_enc003_secrets_of_the_cluster(case: str) -> None:
    build, expected = CLUSTER[case]
    assert expected == told(run(build, ENC003))


BUCKET = "aws:s3/bucket:Bucket"
SSE = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"


def classed(data_class: DataClass | None, kind: str, inputs: dict[str, Any] | None = None, **options: Any) -> Build:
    return lambda b: b.add(kind, "it", inputs, parent=b.component("store", data_class=data_class), **options)


def keyed(rules: Any) -> Build:
    def build(b: Builder) -> None:
        store = b.component("store", data_class=DataClass.RESTRICTED)
        key = b.add("aws:kms/key:Key", "key", parent=store)
        bucket = b.add(BUCKET, "it", parent=store)
        b.add(
            SSE,
            "sse",
            {"bucket": UNKNOWN, "rules": rules},
            parent=store,
            property_dependencies={"bucket": (bucket,), "rules": (key,)},
        )

    return build


WITH_KEY = [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": UNKNOWN}}]
NO_KEY: Told = [("violation", "it", "restricted data are not under a key of yours")]
CUSTOMER: dict[str, tuple[Build, Told]] = {
    "a named key": (classed(DataClass.RESTRICTED, RDS, {"kmsKeyId": "arn:aws:kms:x"}), [("ok", "it", "")]),
    "a key of the graph, not known yet": (
        classed(DataClass.RESTRICTED, RDS, {"kmsKeyId": UNKNOWN}, property_dependencies={"kmsKeyId": ("urn:key",)}),
        [("ok", "it", "")],
    ),
    "an unknown key from nowhere": (
        classed(DataClass.RESTRICTED, RDS, {"kmsKeyId": UNKNOWN}),
        [("undetermined", "it", "the key is not known before a deployment, and no resource gives it")],
    ),
    "no key": (classed(DataClass.RESTRICTED, RDS), NO_KEY),
    "a bucket with a key": (keyed(WITH_KEY), [("ok", "it", "")]),
    "a bucket under the provider's key": (
        keyed([{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]),
        NO_KEY,
    ),
    "a bucket whose rules are unknown": (
        keyed(UNKNOWN),
        [("undetermined", "it", "its encryption is not known before a deployment")],
    ),
    "a bucket without any": (classed(DataClass.RESTRICTED, BUCKET), NO_KEY),
    "data of a lower class": (
        classed(DataClass.INTERNAL, RDS),
        [("not-applicable", "it", "internal data may be under the provider's key")],
    ),
    "data of no class": (
        classed(None, RDS),
        [("undetermined", "it", "its data class is not known, so nobody can say whose key it needs")],
    ),
    "no store": (lambda b: None, [("not-applicable", "", "no managed stores in the graph")]),
}


@pytest.mark.parametrize("case", CUSTOMER)
def test_enc004_whose_key(case: str) -> None:
    build, expected = CUSTOMER[case]
    assert expected == told(run(build, ENC004))


DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def env(*rows: dict[str, Any]) -> Build:
    containers = [{"image": "x", "env": list(rows)}]
    return one(DEPLOYMENT, {"spec": {"template": {"spec": {"containers": containers}}}})


PLAIN: dict[str, tuple[Build, Told]] = {
    "a reference to a secret": (
        env({"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}),
        [("ok", "it", "")],
    ),
    "a plain password": (
        env({"name": "DB_PASSWORD", "value": "hunter2"}),
        [("violation", "it", "DB_PASSWORD is a secret in plain text")],
    ),
    "a password in an address": (
        env({"name": "DATABASE", "value": "postgres://app:hunter2@db:5432/app"}),
        [("violation", "it", "DATABASE is a secret in plain text")],
    ),
    "an address without one": (env({"name": "DATABASE", "value": "postgres://db:5432/app"}), [("ok", "it", "")]),
    "a file that holds one": (env({"name": "DB_PASSWORD_FILE", "value": "/run/secrets/db"}), [("ok", "it", "")]),
    "a number of tokens": (env({"name": "MAX_TOKENS", "value": "4096"}), [("ok", "it", "")]),
    "a marked secret is still shown to whoever lists pods": (
        env({"name": "KEY", "value": Secret("hunter2")}),
        [
            (
                "violation",
                "it",
                "KEY is a secret in the environment of a pod, where everybody who may list pods reads it",
            )
        ],
    ),
    "an unknown password": (
        env({"name": "API_KEY", "value": UNKNOWN}),
        [("undetermined", "it", "API_KEY is not known before a deployment and not marked secret")],
    ),
    "a secret among the arguments": (
        one(
            DEPLOYMENT,
            {"spec": {"template": {"spec": {"containers": [{"args": ["--db=postgres://app:hunter2@db/app"]}]}}}},
        ),
        [("violation", "it", "its args hold a secret in plain text")],
    ),
    "unknown containers": (
        one(DEPLOYMENT, {"spec": {"template": {"spec": {"containers": UNKNOWN}}}}),
        [("undetermined", "it", "its environment is not known before a deployment")],
    ),
    "a ConfigMap with a key": (
        one("kubernetes:core/v1:ConfigMap", {"data": {"tls.pem": "-----BEGIN PRIVATE KEY-----\nxx"}}),
        [("violation", "it", "tls.pem looks like a secret and stands in plain text")],
    ),
    "an unknown ConfigMap": (
        one("kubernetes:core/v1:ConfigMap", {"data": UNKNOWN}),
        [("undetermined", "it", "its data is not known before a deployment")],
    ),
    "a Secret that is marked": (
        one("kubernetes:core/v1:Secret", {"stringData": Secret({"password": "x"})}),
        [("ok", "it", "")],
    ),
    "a Secret of which a value is marked": (
        one("kubernetes:core/v1:Secret", {"stringData": {"password": Secret("x")}}),
        [("ok", "it", "")],
    ),
    "a Secret that is not": (
        one("kubernetes:core/v1:Secret", {"stringData": {"password": "x"}}),
        [("violation", "it", "password of a Secret is not marked secret, so the state holds it in plain text")],
    ),
    "a Secret with an unknown part": (
        one("kubernetes:core/v1:Secret", {"data": {"password": UNKNOWN}}),
        [("undetermined", "it", "part of its data is unknown and not marked secret")],
    ),
    "a marked database password": (one(RDS, {"password": Secret(UNKNOWN)}), [("ok", "it", "")]),
    "a plain database password": (
        one(RDS, {"password": "hunter2"}),
        [("violation", "it", "its input password is a secret in plain text")],
    ),
    "a Secret of a foreign program whose data is a list": (
        one("kubernetes:core/v1:Secret", {"stringData": ["hunter2"]}),
        [("undetermined", "it", "its stringData is no mapping, so its keys cannot be told")],
    ),
    "a ConfigMap whose data is a text": (
        one("kubernetes:core/v1:ConfigMap", {"data": "hunter2"}),
        [("undetermined", "it", "its data is no mapping, so its keys cannot be told")],
    ),
    "an unknown database password": (
        one(RDS, {"password": UNKNOWN}),
        [("undetermined", "it", "its input password is unknown and not marked secret")],
    ),
    "nothing": (lambda b: None, [("not-applicable", "", "no inputs that may hold secrets in the graph")]),
}


@pytest.mark.parametrize("case", PLAIN)
def test_enc005_no_secret_in_plain_text(case: str) -> None:
    build, expected = PLAIN[case]
    assert expected == told(run(build, ENC005))


def test_enc005_says_when_secrets_cannot_be_seen() -> None:
    report = run(env({"name": "DB_PASSWORD", "value": "x"}), ENC005, sees_secrets=False)
    assert told(report) == [("not-applicable", "", "the producer of this graph does not mark secrets")]


def test_no_message_shows_a_secret() -> None:
    for build, _ in PLAIN.values():
        for finding in run(build, ENC005).findings:
            assert "hunter2" not in finding.message
