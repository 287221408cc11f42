"""The platform layer on Azure: the tiers get the same cluster, and reach Azure's stores and nothing else."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from skerry.config.aks import ENTRA_CIDRS
from skerry.errors import ConfigError
from skerry.graph import UNKNOWN, ResourceGraph, plain
from tests.simulators.azure_stacks import AZURE_BASE, MANAGED_POSTGRES, OUTPUTS, azure_platform
from tests.simulators.changed_stacks import run_core
from tests.simulators.provider_graphs import refusals
from tests.simulators.stack_objects import AWS, inputs, objects, pods

IDENTITY_LABEL = "azure.workload.identity/use"
TIERS = ("sensei-cognitive", "sensei-execution", "sensei-meta")


@cache
def deployed() -> ResourceGraph:
    return azure_platform()


@cache
def with_postgres() -> ResourceGraph:
    return azure_platform(MANAGED_POSTGRES)


def named(graph: ResourceGraph, what: str, name: str, namespace: str = "") -> dict[str, Any]:
    (found,) = (
        body
        for body in map(inputs, objects(graph, what))
        if body["metadata"]["name"] == name and namespace in ("", body["metadata"].get("namespace"))
    )
    return found


def environment(name: str, graph: ResourceGraph) -> dict[str, Any]:
    pod = next(pod for pod in pods(graph) if pod.labels.get("app.kubernetes.io/name") == name)
    return {row["name"]: row.get("value", row.get("valueFrom")) for row in pod.spec["containers"][0]["env"]}


@pytest.mark.parametrize("graph", [deployed, with_postgres], ids=["as shipped", "with Azure's PostgreSQL"])
def test_the_provider_takes_every_input(graph: Any) -> None:
    assert refusals(graph()) == []


def test_before_the_base_is_deployed_nothing_of_it_is_made_up() -> None:
    graph = azure_platform(outputs={})
    (provider,) = (r for r in graph.resources if r.type == "pulumi:providers:kubernetes")
    assert plain(provider.inputs)["kubeconfig"] is UNKNOWN
    assert named(graph, "StorageClass", "encrypted-premium")["parameters"]["diskEncryptionSetID"] is UNKNOWN


def test_a_base_that_was_never_deployed_is_named_with_its_remedy() -> None:
    with pytest.raises(ConfigError, match=r"target.base_stack: that stack has no output '\w+'; deploy it first"):
        azure_platform(outputs={AZURE_BASE: {}})


def shape(graph: ResourceGraph) -> set[tuple[str, str]]:
    """Return type and name of each object and component, but for the target's own and what adds machines on AWS."""
    found = {(r.type, r.name) for r in graph.resources if not r.is_provider and r.type != "pulumi:pulumi:Stack"}
    # Operators on AWS reach the agent that gives pods an identity there.
    own = ("sensei-cluster", "karpenter", "organization/", "sensei-operators-allow-managed")
    return {row for row in found if not row[1].startswith(own)}


def test_the_tiers_are_those_of_aws_with_the_stores_that_azure_does_not_run() -> None:
    """Only `target` was edited; without Azure's PostgreSQL its operator comes too."""
    on_aws, on_azure = shape(run_core(AWS, {}, {})), shape(with_postgres())
    assert (on_aws - on_azure, on_azure - on_aws) == (set(), set())
    own = {"meta.relational_kind": "cloudnative-pg"}
    on_aws, on_azure = shape(run_core(AWS, own, {})), shape(deployed())
    assert (on_aws - on_azure, on_azure - on_aws) == (set(), set())
    assert len(on_azure) > 140


def test_volumes_are_under_the_key_and_outlive_their_claims() -> None:
    body = named(deployed(), "StorageClass", "encrypted-premium")
    assert (body["provisioner"], body["reclaimPolicy"]) == ("disk.csi.azure.com", "Retain")
    assert (body["volumeBindingMode"], body["allowVolumeExpansion"]) == ("WaitForFirstConsumer", True)
    assert body["parameters"]["diskEncryptionSetID"] == OUTPUTS[AZURE_BASE]["diskEncryptionSetId"]
    claims = [r for r in objects(deployed(), "StatefulSet") if inputs(r)["spec"].get("volumeClaimTemplates")]
    names = {claim["spec"]["storageClassName"] for r in claims for claim in inputs(r)["spec"]["volumeClaimTemplates"]}
    assert names == {"encrypted-premium"}


@pytest.mark.parametrize("namespace", TIERS)
def test_pods_reach_azures_stores_and_nothing_else(namespace: str) -> None:
    rules = named(with_postgres(), "NetworkPolicy", "allow-managed", namespace)["spec"]["egress"]
    opened = {(block["ipBlock"]["cidr"], row["ports"][0]["port"]) for row in rules for block in row["to"]}
    entra = {(block, 443) for block in ENTRA_CIDRS}
    assert opened == {("10.20.5.48/28", 5432), ("10.20.5.0/27", 10000), ("10.20.5.0/27", 443), *entra}


def test_where_no_store_asks_for_an_identity_pods_have_none_and_entra_is_closed() -> None:
    graph = azure_platform({"channels.object_store": "seaweedfs"})
    rules = named(graph, "NetworkPolicy", "allow-managed", "sensei-meta")["spec"]["egress"]
    assert [row["ports"][0]["port"] for row in rules] == [10000]
    assert [pod.labels for pod in pods(graph) if IDENTITY_LABEL in pod.labels] == []
    found = environment("worker", graph)
    assert found["AWS_ENDPOINT_URL"] == "http://seaweedfs-s3.sensei-channels.svc.cluster.local:8333"
    assert found["AWS_ACCESS_KEY_ID"] == {"secretKeyRef": {"name": "object-store", "key": "access-key"}}


def test_whoever_calls_the_api_reaches_its_subnet_alone() -> None:
    rules = [
        rule
        for r in objects(deployed(), "NetworkPolicy")
        if inputs(r)["metadata"]["name"].startswith("allow-api-")
        for rule in inputs(r)["spec"]["egress"]
    ]
    assert {block["ipBlock"]["cidr"] for rule in rules for block in rule["to"]} == {"10.20.5.32/28"}


@pytest.mark.parametrize("name", ["scout", "architect", "worker", "validator", "learning", "vllm", "mlflow"])
def test_whoever_needs_objects_has_an_identity_and_no_key(name: str) -> None:
    found = environment(name, deployed())
    assert found["AZURE_STORAGE_ACCOUNT"] == found["AZURE_STORAGE_ACCOUNT_NAME"] == "senseiobjects12345678"
    assert found["AZURE_STORAGE_CONTAINER"] == "sensei"
    assert [key for key in found if key.startswith("AWS_") or "ACCESS_KEY" in key] == []
    (pod,) = (pod for pod in pods(deployed()) if pod.labels.get("app.kubernetes.io/name") == name)
    assert (pod.labels[IDENTITY_LABEL], pod.spec["serviceAccountName"]) == ("true", "agents")


@pytest.mark.parametrize(("namespace", "last"), list(zip(TIERS, ("c1", "c2", "c3"), strict=True)))
def test_each_tier_has_an_identity_of_its_own(namespace: str, last: str) -> None:
    account = named(deployed(), "ServiceAccount", "agents", namespace)
    (client,) = account["metadata"]["annotations"].values()
    assert list(account["metadata"]["annotations"]) == ["azure.workload.identity/client-id"]
    assert client.endswith(last)


def test_pods_without_a_need_for_objects_have_no_identity() -> None:
    bearing = {pod.labels["app.kubernetes.io/name"] for pod in pods(deployed()) if IDENTITY_LABEL in pod.labels}
    assert bearing == {"scout", "architect", "worker", "validator", "learning", "vllm", "mlflow"}


def test_weights_and_artefacts_are_named_as_their_readers_name_blobs() -> None:
    """vLLM streams from az://; MLflow has wasbs://, and the image with Azure's identities."""
    commands = {}
    for pod in pods(deployed()):
        if (name := pod.labels.get("app.kubernetes.io/name")) in ("vllm", "mlflow"):
            commands[name] = pod.spec["containers"][0]
    assert commands["vllm"]["args"][0] == "az://$(AZURE_STORAGE_CONTAINER)/models/llama-3.3-70b-instruct"
    destination = commands["mlflow"]["args"].index("--artifacts-destination") + 1
    assert commands["mlflow"]["args"][destination] == (
        "wasbs://$(AZURE_STORAGE_CONTAINER)@$(AZURE_STORAGE_ACCOUNT).blob.core.windows.net/experiments"
    )
    assert commands["mlflow"]["image"].startswith("ghcr.io/mlflow/mlflow:v3.15.1-full")


def test_broadcasts_are_encrypted_and_vouched_for_by_an_authority_that_everybody_knows() -> None:
    found = environment("scout", deployed())
    assert found["PUBSUB_URL"] == "rediss://redis12345678.eastus.redis.azure.net:10000"
    assert found["PUBSUB_PASSWORD"] == {"secretKeyRef": {"name": "valkey-auth", "key": "password"}}
    assert "PUBSUB_CA" not in found


def test_pods_tolerate_azures_own_taint_of_spot_machines_and_only_there() -> None:
    taint = {"key": "kubernetes.azure.com/scalesetpriority", "operator": "Equal", "value": "spot",
             "effect": "NoSchedule"}  # fmt: skip
    changes = {"execution.pool.purchase": "spot", "execution.interruptible": True}
    (ray,) = objects(azure_platform(changes), "RayCluster")
    (group,) = inputs(ray)["spec"]["workerGroupSpecs"]
    assert taint in group["template"]["spec"]["tolerations"]
    (ray,) = objects(deployed(), "RayCluster")
    (group,) = inputs(ray)["spec"]["workerGroupSpecs"]
    assert taint not in group["template"]["spec"]["tolerations"]


def test_nvidias_plugin_makes_gpus_known_on_gpu_machines_alone() -> None:
    (plugin,) = objects(deployed(), "DaemonSet")
    spec = inputs(plugin)["spec"]["template"]["spec"]
    assert spec["nodeSelector"] == {"skerry.dev/tier": "cognitive"}
    assert {row["key"] for row in spec["tolerations"]} == {"skerry.dev/tier", "nvidia.com/gpu"}


def test_resources_of_the_cloud_are_in_the_base_only() -> None:
    assert [r.type for r in deployed().resources if r.type.startswith("azure-native:")] == []
