"""The platform layer on Google Cloud: the tiers get the same cluster, and reach Google's services and nothing else."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from skerry.errors import ConfigError
from skerry.facts import facts_of
from skerry.graph import UNKNOWN, Resource, ResourceGraph, plain
from tests.simulators.changed_stacks import run_core
from tests.simulators.moved_stacks import GCP_BASE, OUTPUTS, gcp_platform
from tests.simulators.provider_graphs import refusals
from tests.simulators.stack_objects import AWS, Pods, inputs, objects, pods

TIERS = ("sensei-cognitive", "sensei-execution", "sensei-meta")


@cache
def deployed() -> ResourceGraph:
    return gcp_platform()


def named(graph: ResourceGraph, what: str, name: str, namespace: str = "") -> dict[str, Any]:
    bodies = [inputs(r) for r in objects(graph, what)]
    (found,) = (
        body
        for body in bodies
        if body["metadata"]["name"] == name and namespace in ("", body["metadata"].get("namespace"))
    )
    return found


def pod_of(name: str, graph: ResourceGraph | None = None) -> Pods:
    return next(pod for pod in pods(graph or deployed()) if pod.labels.get("app.kubernetes.io/name") == name)


def environment(name: str, graph: ResourceGraph | None = None) -> dict[str, Any]:
    rows = pod_of(name, graph).spec["containers"][0]["env"]
    return {row["name"]: row.get("value", row.get("valueFrom")) for row in rows}


def test_the_provider_takes_every_input() -> None:
    assert refusals(deployed()) == []


def test_the_base_is_read_by_a_reference_that_backends_of_ones_own_know() -> None:
    (reference,) = (r for r in deployed().resources if r.type == "pulumi:pulumi:StackReference")
    assert reference.name == f"organization/skerry/{GCP_BASE}"


def test_before_the_base_is_deployed_nothing_of_it_is_made_up() -> None:
    graph = gcp_platform(outputs={})
    (provider,) = (r for r in graph.resources if r.type == "pulumi:providers:kubernetes")
    assert plain(provider.inputs)["kubeconfig"] is UNKNOWN
    assert named(graph, "StorageClass", "encrypted-balanced")["parameters"]["disk-encryption-kms-key"] is UNKNOWN


def test_a_base_that_was_never_deployed_is_named_with_its_remedy() -> None:
    with pytest.raises(ConfigError, match=r"target.base_stack: that stack has no output '\w+'; deploy it first"):
        gcp_platform(outputs={GCP_BASE: {}})


def shape(graph: ResourceGraph) -> set[tuple[str, str]]:
    """Return type and name of each object and component, but for the target's own and what adds machines on AWS."""
    found = {(r.type, r.name) for r in graph.resources if not r.is_provider and r.type != "pulumi:pulumi:Stack"}
    own = ("sensei-cluster", "karpenter", "organization/")
    return {row for row in found if not row[1].startswith(own)}


def test_the_tiers_are_the_same_on_both_clouds() -> None:
    """Every component, object and name of the tiers, the channels and the namespaces: only `target` was edited."""
    on_aws, on_gcp = shape(run_core(AWS, {}, {})), shape(deployed())
    assert (on_aws - on_gcp, on_gcp - on_aws) == (set(), set())
    assert len(on_gcp) > 120


def test_volumes_are_under_the_key_and_outlive_their_claims() -> None:
    body = named(deployed(), "StorageClass", "encrypted-balanced")
    assert (body["provisioner"], body["reclaimPolicy"]) == ("pd.csi.storage.gke.io", "Retain")
    assert (body["volumeBindingMode"], body["allowVolumeExpansion"]) == ("WaitForFirstConsumer", True)
    parameters = body["parameters"]
    assert parameters["type"] == "pd-balanced"
    assert parameters["disk-encryption-kms-key"] == OUTPUTS[GCP_BASE]["keyId"]
    labels = dict(pair.split("=") for pair in parameters["labels"].split(","))
    assert labels["skerry-system"] == "sensei" and labels["cost-center"] == "saas"
    claims = [r for r in objects(deployed(), "StatefulSet") if inputs(r)["spec"].get("volumeClaimTemplates")]
    names = {claim["spec"]["storageClassName"] for r in claims for claim in inputs(r)["spec"]["volumeClaimTemplates"]}
    assert names == {"encrypted-balanced"}


def test_machines_without_persistent_disk_get_hyperdisk() -> None:
    machine = {"vcpu": 16, "memory_gib": 60, "instance_type": "c4-standard-16"}
    graph = gcp_platform({"meta.pool.machine": machine})
    assert named(graph, "StorageClass", "encrypted-balanced")["parameters"]["type"] == "hyperdisk-balanced"


@pytest.mark.parametrize("namespace", TIERS)
def test_pods_reach_googles_services_and_the_managed_stores_and_nothing_else(namespace: str) -> None:
    rules = named(deployed(), "NetworkPolicy", "allow-managed", namespace)["spec"]["egress"]
    opened = {(row["to"][0]["ipBlock"]["cidr"], row["ports"][0]["port"]) for row in rules}
    assert opened == {
        ("10.20.128.0/20", 5432),
        ("10.20.128.0/20", 6378),
        ("199.36.153.8/30", 443),
        ("169.254.169.254/32", 80),
    }
    assert not [r for r in objects(deployed(), "NetworkPolicy") if inputs(r)["metadata"]["name"] == "allow-internet"]


def test_whoever_calls_the_api_reaches_the_control_plane_alone() -> None:
    rules = [
        rule
        for r in objects(deployed(), "NetworkPolicy")
        if inputs(r)["metadata"]["name"].startswith("allow-api-")
        for rule in inputs(r)["spec"]["egress"]
    ]
    assert {block["ipBlock"]["cidr"] for rule in rules for block in rule["to"]} == {"10.20.149.0/28"}


def test_agents_get_the_bucket_by_s3_with_keys_that_the_site_makes() -> None:
    found = environment("worker")
    assert found["BUCKET"] == "bucket-1234567"
    assert (found["AWS_ENDPOINT_URL"], found["AWS_REGION"]) == ("https://storage.googleapis.com", "us-central1")
    assert found["AWS_ACCESS_KEY_ID"] == {"secretKeyRef": {"name": "object-store", "key": "access-key"}}
    assert found["AWS_SECRET_ACCESS_KEY"] == {"secretKeyRef": {"name": "object-store", "key": "secret-key"}}
    # Without these newer clients of S3 sign a checksum that Cloud Storage does not know.
    assert found["AWS_REQUEST_CHECKSUM_CALCULATION"] == found["AWS_RESPONSE_CHECKSUM_VALIDATION"] == "when_required"
    mlflow = environment("mlflow")
    assert {"BUCKET", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"} <= set(mlflow)


def test_agents_have_an_identity_of_google_beside() -> None:
    accounts = {
        inputs(r)["metadata"]["namespace"]: inputs(r)["metadata"].get("annotations", {})
        for r in objects(deployed(), "ServiceAccount")
        if inputs(r)["metadata"]["name"] == "agents"
    }
    email = OUTPUTS[GCP_BASE]["agentsAccount"]
    assert [accounts[tier] for tier in TIERS] == [{"iam.gke.io/gcp-service-account": email}] * 3
    assert accounts["sensei-channels"] == {}


def test_broadcasts_are_encrypted_and_vouched_for_by_an_authority_of_their_own() -> None:
    found = environment("scout")
    assert found["PUBSUB_URL"] == "rediss://10.20.129.4:6378"
    assert found["PUBSUB_PASSWORD"] == {"secretKeyRef": {"name": "valkey-auth", "key": "password"}}
    assert found["PUBSUB_CA"] == {"secretKeyRef": {"name": "valkey-auth", "key": "ca.crt"}}


def test_the_head_of_ray_trusts_the_authority_of_its_store() -> None:
    (ray,) = objects(deployed(), "RayCluster")
    spec = inputs(ray)["spec"]
    assert spec["gcsFaultToleranceOptions"] == {
        "redisAddress": "rediss://10.20.129.4:6378",
        "redisPassword": {"valueFrom": {"secretKeyRef": {"name": "valkey-auth", "key": "password"}}},
    }
    head = spec["headGroupSpec"]["template"]["spec"]
    (container,) = head["containers"]
    values = {row["name"]: row["value"] for row in container["env"]}
    mounts = {row["name"]: row["mountPath"] for row in container["volumeMounts"]}
    assert values["RAY_REDIS_CA_CERT"] == f"{mounts['authority']}/ca.crt"
    (volume,) = (row for row in head["volumes"] if row["name"] == "authority")
    assert volume["secret"] == {"secretName": "valkey-auth", "items": [{"key": "ca.crt", "path": "ca.crt"}]}


def test_a_store_whose_authority_everybody_knows_adds_nothing() -> None:
    graph = run_core(AWS, {}, {})
    (ray,) = objects(graph, "RayCluster")
    head = inputs(ray)["spec"]["headGroupSpec"]["template"]["spec"]
    assert [row["name"] for row in head["volumes"]] == ["tmp"]
    assert "PUBSUB_CA" not in environment("scout", graph)
    assert "AWS_REQUEST_CHECKSUM_CALCULATION" not in environment("worker", graph)


def test_machines_are_found_by_the_labels_of_their_pools_and_counted_once() -> None:
    (ray,) = objects(deployed(), "RayCluster")
    (group,) = inputs(ray)["spec"]["workerGroupSpecs"]
    assert (group["minReplicas"], group["maxReplicas"]) == (4, 128)
    assert group["template"]["spec"]["nodeSelector"] == {"skerry.dev/tier": "execution"}
    vllm = pod_of("vllm").spec
    assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in vllm["tolerations"]
    stated = [facts for facts in map(facts_of, deployed().resources) if facts is not None and facts.nodes is not None]
    assert stated == [], "the base states them, and a second count would be paid twice"


def test_googles_own_plugin_makes_gpus_known() -> None:
    assert objects(deployed(), "DaemonSet") == []


NETWORKS: dict[str, tuple[dict[str, Any], bool]] = {
    "what Google does": ({}, True),
    "what the configuration says": ({"target.network_encrypted": False}, False),
}


@pytest.mark.parametrize("case", NETWORKS)
def test_traffic_between_the_tiers_is_encrypted(case: str) -> None:
    changes, expected = NETWORKS[case]
    (facts,) = (
        facts
        for facts in map(facts_of, gcp_platform(changes).resources)
        if facts is not None and facts.role == "vector-store"
    )
    assert facts.encrypted_in_transit is expected


OWN: dict[str, tuple[dict[str, Any], str, str]] = {
    "PostgreSQL": ({"meta.relational_kind": "cloudnative-pg"}, "Cluster", "temporal-db"),
    "Valkey": ({"channels.pubsub": "valkey"}, "StatefulSet", "valkey"),
    "SeaweedFS": ({"channels.object_store": "seaweedfs"}, "StatefulSet", "seaweedfs-master"),
}


@pytest.mark.parametrize("case", OWN)
def test_what_google_is_not_to_run_runs_in_the_cluster(case: str) -> None:
    changes, what, name = OWN[case]
    graph = gcp_platform(changes)
    assert named(graph, what, name)
    assert refusals(graph) == []


def test_the_api_server_calls_webhooks_through_pods_of_its_own() -> None:
    graph = gcp_platform({"meta.relational_kind": "cloudnative-pg"})
    (entry,) = named(graph, "NetworkPolicy", "allow-webhook-cloudnative-pg")["spec"]["ingress"]
    assert entry["from"] == [
        {"ipBlock": {"cidr": "10.20.149.0/28"}},
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}},
    ]
    assert entry["ports"] == [{"port": 9443, "protocol": "TCP"}]


def test_a_class_of_volumes_that_the_site_made_is_taken_as_it_is() -> None:
    graph = gcp_platform({"target.storage_class": "own"})
    assert objects(graph, "StorageClass") == []


def test_resources_of_the_cloud_are_in_the_base_only() -> None:
    assert [r.type for r in deployed().resources if r.type.startswith("gcp:")] == []
    made: list[Resource] = [r for r in deployed().resources if r.type.startswith("pulumi:providers:")]
    assert [r.type for r in made] == ["pulumi:providers:kubernetes"]
