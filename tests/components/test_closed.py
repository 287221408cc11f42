"""What is closed: ways out of the cluster, the API server, load balancers, GPUs of others, and deletion of data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from components.kubernetes.cluster import PRIVATE_RANGES
from skerry.graph import Resource, ResourceGraph
from tests.simulators.stack_objects import (
    AIRGAPPED,
    AWS,
    ONPREM,
    PLATFORMS,
    THINKING,
    WORKING,
    graph_of,
    inputs,
    objects,
    pods,
)

WORLD = "everywhere"


def ways_out(graph: ResourceGraph) -> Iterator[tuple[str, str, frozenset[str], frozenset[int]]]:
    """Yield each egress rule that leaves the cluster: namespace, policy, addresses, ports."""
    for resource in objects(graph, "NetworkPolicy"):
        body = inputs(resource)
        for rule in body["spec"].get("egress", []):
            peers = rule.get("to")
            addresses = {f"{peer['ipBlock']['cidr']}" for peer in peers or [] if "ipBlock" in peer}
            if not peers or addresses:
                ports = frozenset(row["port"] for row in rule["ports"])
                name, namespace = body["metadata"]["name"], body["metadata"]["namespace"]
                yield namespace, name, frozenset(addresses or {WORLD}), ports


@pytest.mark.parametrize("stack", [AIRGAPPED, ONPREM])
def test_on_own_machines_the_api_server_the_second_store_and_the_vault_are_called_by_those_who_must(stack: str) -> None:
    found = list(ways_out(graph_of(stack)))
    assert {
        ("sensei-channels", "allow-api-postgres"),
        ("sensei-execution", "allow-api-kuberay"),
        ("sensei-execution", "allow-api-ray-head"),
        ("sensei-gateway", "allow-api-certgen"),
        ("sensei-gateway", "allow-api-controller"),
        ("sensei-meta", "allow-api-postgres"),
        ("sensei-monitoring", "allow-api-monitoring"),
        ("sensei-monitoring", "monitoring-allow-kubelets"),
        ("sensei-operators", "allow-api-operators"),
    } == {(namespace, name) for namespace, name, addresses, _ in found if addresses == frozenset(PRIVATE_RANGES)}
    beyond = {
        (namespace, name): (set(addresses), set(ports))
        for namespace, name, addresses, ports in found
        if addresses != frozenset(PRIVATE_RANGES)
    }
    copies = ({"10.9.0.16/28"}, {9000})
    wanted = {
        ("sensei-channels", "temporal-db-backup-way"): copies,
        **{
            ("sensei-meta", f"{store}-backup-way"): copies
            for store in ("experiments-db", "meta-documents", "meta-graph", "meta-vectors")
        },
    }
    if stack == ONPREM:
        wanted[("sensei-operators", "secrets-allow-store")] = ({"10.9.0.5/32"}, {443})
    assert beyond == wanted


@pytest.mark.parametrize("stack", PLATFORMS)
def test_in_a_tier_the_api_server_is_open_to_chosen_pods_only(stack: str) -> None:
    chosen = {
        body["metadata"]["name"]: body["spec"]["podSelector"]
        for body in map(inputs, objects(graph_of(stack), "NetworkPolicy"))
        if body["metadata"]["name"].startswith("allow-api-") and body["metadata"]["namespace"] != "sensei-operators"
    }
    if stack in WORKING:
        assert {"allow-api-kuberay", "allow-api-ray-head"} <= set(chosen)
    # Prometheus, its operator and what reads the state of Kubernetes' objects are all there is in this one.
    assert [name for name, selector in chosen.items() if not selector] == ["allow-api-monitoring"]


def test_on_aws_every_tier_reaches_the_managed_services_and_its_identity() -> None:
    found = list(ways_out(graph_of(AWS)))
    ports: dict[str, set[int]] = {}
    for namespace, name, _, numbers in found:
        if name == "allow-managed":
            ports.setdefault(namespace, set()).update(numbers)
    tiers = ("sensei-cognitive", "sensei-execution", "sensei-meta", "sensei-channels")
    identity = {space: {80} for space in ("sensei-operators", "sensei-monitoring", "sensei-gateway")}
    assert ports == {**{tier: {5432, 6379, 443, 80} for tier in tiers}, **identity}
    assert [name for _, name, addresses, _ in found if WORLD in addresses] == [], "local inference needs no internet"


def test_on_aws_what_makes_machines_reaches_interfaces_inside_the_network_and_no_other() -> None:
    ways = {name: (addresses, ports) for space, name, addresses, ports in ways_out(graph_of(AWS)) if "oper" in space}
    (_, ports) = ways["allow-interfaces-karpenter"]
    assert ports == frozenset({443})
    assert [name for name, (addresses, _) in ways.items() if WORLD in addresses] == []


@pytest.mark.parametrize("stack", PLATFORMS)
def test_the_namespaces_with_volumes_are_protected_and_retained(stack: str) -> None:
    graph = graph_of(stack)
    holding = {inputs(r)["metadata"]["namespace"] for r in objects(graph, "StatefulSet", "Cluster", "Database")}
    kept = {inputs(r)["metadata"]["name"] for r in objects(graph, "Namespace") if r.protect and r.retain_on_delete}
    assert holding <= kept
    assert "sensei-cognitive" not in kept


@pytest.mark.parametrize("stack", PLATFORMS)
def test_quotas_forbid_ways_in_and_give_gpus_to_the_cognitive_tier_alone(stack: str) -> None:
    quotas = {
        body["metadata"]["namespace"]: body["spec"]["hard"]
        for body in map(inputs, objects(graph_of(stack), "ResourceQuota"))
    }
    # What its name says; its proxies' Service is Envoy Gateway's to make.
    entrances = {"sensei-gateway", "sensei-entrance"}
    for namespace, hard in quotas.items():
        ways = "1" if namespace in entrances else "0"
        assert (hard["services.loadbalancers"], hard["services.nodeports"]) == (ways, ways)
        wanted = max(gpus_wanted(graph_of(stack)), 1) if namespace == "sensei-cognitive" else 0
        assert int(hard["requests.nvidia.com/gpu"]) >= wanted
        assert (namespace == "sensei-cognitive") == (hard["requests.nvidia.com/gpu"] != "0")
    # Daemon sets are as many as machines have GPUs, which no quota knows.
    spaces = {inputs(r)["metadata"]["name"] for r in objects(graph_of(stack), "Namespace")}
    assert spaces - {"sensei-gpus"} == set(quotas)


def gpus_wanted(graph: ResourceGraph) -> int:
    return sum(
        int(container["resources"]["limits"].get("nvidia.com/gpu", 0)) * (pod.replicas or 0)
        for pod in pods(graph)
        for container in pod.containers
    )


@pytest.mark.parametrize("stack", PLATFORMS)
def test_every_pod_has_a_priority_that_the_stack_makes_and_stores_give_way_last(stack: str) -> None:
    graph = graph_of(stack)
    made = {body["metadata"]["name"]: body["value"] for body in map(inputs, objects(graph, "PriorityClass"))}
    used = {pod.resource.name: made[pod.spec["priorityClassName"]] for pod in pods(graph)}
    sets = {r.name for r in objects(graph, "StatefulSet")}
    assert all(used[name] == max(made.values()) for name in sets)
    assert all(used[name] < max(made.values()) for name in used.keys() - sets)


@pytest.mark.parametrize("stack", PLATFORMS)
def test_no_pod_is_told_of_services_by_variables(stack: str) -> None:
    """A Service `vllm` would set VLLM_PORT, `neo4j` NEO4J_PORT, `temporal-ui` TEMPORAL_UI_PORT: each breaks its own."""
    assert [pod.resource.name for pod in pods(graph_of(stack)) if pod.spec.get("enableServiceLinks") is not False] == []


def body_of(resource: Resource) -> Any:
    return inputs(resource)["spec"]


@pytest.mark.parametrize("stack", THINKING)
def test_a_roll_out_of_pods_with_gpus_needs_no_spare_gpu(stack: str) -> None:
    with_gpus = [
        r
        for r in objects(graph_of(stack), "Deployment")
        if any("nvidia.com/gpu" in c["resources"]["limits"] for c in body_of(r)["template"]["spec"]["containers"])
    ]
    assert with_gpus
    for resource in with_gpus:
        rolling = body_of(resource)["strategy"]["rollingUpdate"]
        assert rolling == {"maxSurge": 0, "maxUnavailable": 1}
        probe = body_of(resource)["template"]["spec"]["containers"][0]["startupProbe"]
        assert body_of(resource)["progressDeadlineSeconds"] > probe["periodSeconds"] * probe["failureThreshold"]
