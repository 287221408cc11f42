"""What replaces a resource is known for every value of every store that we ship, and each answer has a source."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Final

import pytest

from skerry.graph import Resource
from tests.simulators import lives_services, replacements
from tests.simulators.replacements import Effect, cloudformation, cloudformation_type, effect, replaced_by, steps
from tests.simulators.sdk_types import sdk_of
from tests.simulators.stack_objects import STACKS, graph_of

DATA: Final = Path(replacements.__file__).parent / "data"
TABLES: Final = ("aws", "azure", "gcp", "kubernetes")
CLUSTER: Final = "aws:eks/cluster:Cluster"
"""Not protected by us but by AWS (deletionProtection); what stands in it would go with it."""

GKE, AKS = "gcp:container/cluster:Cluster", "azure-native:containerservice:ManagedCluster"
DATABASE, CACHE, KEY = (
    "aws:rds/instance:Instance",
    "aws:elasticache/replicationGroup:ReplicationGroup",
    "aws:kms/key:Key",
)
SET, CLAIM = "kubernetes:apps/v1:StatefulSet", "kubernetes:core/v1:PersistentVolumeClaim"
SQL, BUCKET = "gcp:sql/databaseInstance:DatabaseInstance", "gcp:storage/bucket:Bucket"

CUSTOM: Final = tuple(
    f"kubernetes:{kind}" for kind in
    (
        "postgresql.cnpg.io/v1:Cluster", "postgresql.cnpg.io/v1:Database", "ray.io/v1:RayCluster",
        "cert-manager.io/v1:Certificate", "keda.sh/v1alpha1:ScaledObject",
    )
)  # fmt: skip
"""Kinds that no SDK has and somebody read the operator of."""

CASES: Final[dict[str, tuple[str, str, Effect | None]]] = {
    "CloudFormation's createOnlyProperties": (DATABASE, "storageEncrypted", Effect.REPLACES),
    "a property of another name there": (DATABASE, "username", Effect.REPLACES),
    "a property that CloudFormation updates": (DATABASE, "allocatedStorage", Effect.UPDATES),
    "a condition there, which the provider settles": (DATABASE, "engine", Effect.REPLACES),
    "a condition there, which the provider settles the other way": (DATABASE, "multiAz", Effect.UPDATES),
    "the provider updates what CloudFormation replaces": (DATABASE, "dbSubnetGroupName", Effect.UPDATES),
    "the provider replaces what CloudFormation refuses": (KEY, "keyUsage", Effect.REPLACES),
    "a property that no source knows": (DATABASE, "reefDepth", None),
    "a type that no source knows": ("aws:reef/lamp:Lamp", "height", None),
    "another package": ("random:index/randomId:RandomId", "byteLength", None),
    "a part of a block": (CLUSTER, "kubernetesNetworkConfig.serviceIpv4Cidr", Effect.REPLACES),
    "another part of it": (CLUSTER, "kubernetesNetworkConfig.elasticLoadBalancing", Effect.UPDATES),
    "a whole block with such a part": (CLUSTER, "kubernetesNetworkConfig", Effect.REPLACES),
    "a block of another name": (CLUSTER, "vpcConfig.subnetIds[0]", Effect.UPDATES),
    "a launch template's version": ("aws:eks/nodeGroup:NodeGroup", "launchTemplate.version", Effect.UPDATES),
    "another launch template": ("aws:eks/nodeGroup:NodeGroup", "launchTemplate.id", Effect.REPLACES),
    "a member of a list of machines": ("aws:eks/nodeGroup:NodeGroup", "instanceTypes[0]", Effect.REPLACES),
    "the version of a cluster on AWS": (CLUSTER, "version", Effect.UPDATES),
    "of its machines": ("aws:eks/nodeGroup:NodeGroup", "version", Effect.UPDATES),
    "of its add-ons": ("aws:eks/addon:Addon", "addonVersion", Effect.UPDATES),
    "how its machines are renewed": ("aws:eks/nodeGroup:NodeGroup", "updateConfig.updateStrategy", Effect.UPDATES),
    "the version of a cluster on Google Cloud": (GKE, "minMasterVersion", Effect.UPDATES),
    "of its pools": ("gcp:container/nodePool:NodePool", "version", Effect.UPDATES),
    "the version of a cluster on Azure": (AKS, "kubernetesVersion", Effect.UPDATES),
    "of its machines on Azure": ("azure-native:containerservice:AgentPool", "orchestratorVersion", Effect.UPDATES),
    "the key of a cache": (CACHE, "kmsKeyId", Effect.REPLACES),
    "a claim inside a stateful set": (
        SET, "spec.volumeClaimTemplates[0].spec.resources.requests.storage", Effect.REPLACES
    ),
    "an image inside a stateful set": (SET, "spec.template.spec.containers[0].image", Effect.UPDATES),
    "a stateful set's replicas": (SET, "spec.replicas", Effect.UPDATES),
    "the whole spec of a stateful set": (SET, "spec", Effect.REPLACES),
    "an image inside a pod": ("kubernetes:core/v1:Pod", "spec.containers[1].image", Effect.REPLACES),
    "a job's template": ("kubernetes:batch/v1:Job", "spec.template.spec.restartPolicy", Effect.REPLACES),
    "the size of a claim": (CLAIM, "spec.resources.requests.storage", Effect.UPDATES),
    "the class of a claim": (CLAIM, "spec.storageClassName", Effect.REPLACES),
    "the name of any object": ("kubernetes:ray.io/v1:RayCluster", "metadata.name", Effect.REPLACES),
    "an annotation with dots": (SET, 'metadata.annotations["pulumi.com/skipAwait"]', Effect.UPDATES),
    "what a custom resource's rules let be changed": (
        "kubernetes:postgresql.cnpg.io/v1:Database", "spec.owner", Effect.UPDATES
    ),
    "what a custom resource's rules refuse for good": (
        "kubernetes:postgresql.cnpg.io/v1:Database", "spec.name", Effect.REFUSED
    ),
    "a cluster of PostgreSQL, which its operator changes": (CUSTOM[0], "spec.storage.size", Effect.UPDATES),
    "what that operator refuses for good": (CUSTOM[0], "spec.postgresUID", Effect.REFUSED),
    "a custom kind whose operator nobody read": ("kubernetes:reef.example/v1:Reef", "spec.depth", None),
    "its name, which the provider replaces whatever the kind": (
        "kubernetes:reef.example/v1:Reef", "metadata.name", Effect.REPLACES
    ),
    "a chart's values": ("kubernetes:helm.sh/v3:Release", "values.replicas", Effect.UPDATES),
    "Google's region of a database": (SQL, "region", Effect.REPLACES),
    "Google's tier of a database": (SQL, "settings.tier", Effect.UPDATES),
    "Google's collation inside the settings": (SQL, "settings.collation", Effect.REPLACES),
    "Google's place of a bucket": (BUCKET, "location", Effect.REPLACES),
    "Google's disk that may only grow": ("gcp:compute/disk:Disk", "size", None),
    "Azure's place of an account": ("azure-native:storage:StorageAccount", "location", Effect.REPLACES),
    "Azure's property that was not read": ("azure-native:storage:StorageAccount", "largeFileSharesState", None),
}  # fmt: skip


@pytest.mark.parametrize("sentence", CASES)
def test_a_change_does_what_its_source_says(sentence: str) -> None:
    token, path, expected = CASES[sentence]
    assert expected == effect(token, path)
    assert (None if expected is None else expected is Effect.REPLACES) == replaced_by(token, path)


def stores(stack: str) -> list[Resource]:
    return [r for r in graph_of(stack).resources if r.custom and (r.protect or r.retain_on_delete or r.type == CLUSTER)]


def without_an_answer(found: list[Resource]) -> list[str]:
    return [f"{r.type} {path}" for r in found for path in replacements.unanswered(r.type, r.inputs)]


@pytest.mark.parametrize("stack", (*STACKS, *lives_services.HARMLESS))
def test_every_value_of_a_store_has_an_answer(stack: str) -> None:
    found = stores(stack)
    assert found, f"{stack} keeps no data"
    assert without_an_answer(found) == []


def test_a_property_of_a_store_without_a_row_is_named() -> None:
    store = next(store for store in stores("sensei-saas-aws-base") if store.type == DATABASE)
    store.inputs["reefDepth"] = {"metres": [1]}
    try:
        assert without_an_answer([store]) == [f"{DATABASE} reefDepth.metres[0]"]
    finally:
        del store.inputs["reefDepth"]


def rows(table: str) -> list[dict[str, str]]:
    with (DATA / f"replacements_{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("table", TABLES)
def test_every_row_says_where_it_was_read_and_when_and_stands_once(table: str) -> None:
    found = rows(table)
    assert [row for row in found if not re.search(r", read \d{4}-\d\d$", row["source"])] == []
    assert [row for row in found if not (row["effect"] or row.get("cloudformation"))] == []
    keys = [(row["token"], row["property"]) for row in found]
    assert sorted(set(keys)) == sorted(keys)


@pytest.mark.parametrize("table", TABLES)
def test_every_row_names_a_property_that_its_sdk_has(table: str) -> None:
    unknown = []
    for row in rows(table):
        sdk = sdk_of({"azure": "azure-native"}.get(table, table))
        assert sdk is not None
        known = sdk.resource(row["token"]) if row["token"] != "*" else None
        first = (steps(row["property"]) or ("",))[0]
        if known is None and row["token"] not in ("*", *CUSTOM):
            unknown.append(row["token"])
        elif known is not None and first and first not in known["inputs"]:
            unknown.append(f"{row['token']} {first}")
    assert unknown == []


def test_every_name_of_cloudformation_is_one() -> None:
    wrong = []
    for row in rows("aws"):
        schema = cloudformation(row["token"])
        if not row["property"] and cloudformation_type(row["token"]) != row["cloudformation"]:
            wrong.append(row)
        first = row["cloudformation"].split(".")[0]
        if row["property"] and first and (schema is None or first not in schema["properties"]):
            wrong.append(row)
    assert wrong == []


def test_what_the_provider_says_is_noted_where_it_is_not_what_cloudformation_says() -> None:
    told = {"differs", "CloudFormation", "not in CloudFormation", ""}
    notes = {row["note"].split(":")[0] for row in rows("aws")}
    assert notes <= told, "a new kind of note: say what it means in docs/lifecycle.md"


PATHS: Final = {
    "a.b": ("a", "b"),
    "a[0].b[12]": ("a", "b"),
    "a[*].b": ("a", "b"),
    'a["x/y.z"].b': ("a", "x/y.z", "b"),
    "": (),
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_read_without_its_indexes(path: str) -> None:
    assert PATHS[path] == steps(path)
