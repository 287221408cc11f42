"""Default-deny is as good as its exceptions: every address that a pod is told can be reached, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from components.blueprints.sensei import NAMESPACES, flows
from components.kubernetes.cluster import PRIVATE_RANGES
from skerry.facts import facts_of
from skerry.graph import UNKNOWN, ResourceGraph
from tests.simulators.stack_objects import (
    AWS,
    AZURE,
    GCP,
    PLATFORMS,
    PRIVATE,
    Pods,
    graph_of,
    inputs,
    objects,
    pods,
    selects,
)

_ADDRESS = re.compile(r"([a-z0-9.-]+)\.(sensei-[a-z]+)\.svc\.cluster\.local:(\d+)")
NAMESPACE_LABEL = "kubernetes.io/metadata.name"


def policies(graph: ResourceGraph, namespace: str) -> list[dict[str, Any]]:
    found = [inputs(r) for r in objects(graph, "NetworkPolicy")]
    return [body["spec"] for body in found if body["metadata"]["namespace"] == namespace]


def allows(graph: ResourceGraph, direction: str, at: str, other: str, port: int) -> bool:
    """Say whether the policies of the namespace `at` let all its pods talk with the namespace `other` on `port`."""
    ends = "from" if direction == "ingress" else "to"
    for spec in policies(graph, at):
        if spec["podSelector"]:
            continue
        for rule in spec.get(direction, []):
            ports = [row["port"] for row in rule.get("ports", [])]
            if ports and port not in ports:
                continue
            for peer in rule.get(ends, []):
                chosen = peer.get("namespaceSelector", {}).get("matchLabels", {}).get(NAMESPACE_LABEL)
                if chosen == other or (peer == {"podSelector": {}} and at == other):
                    return True
    return False


def egress_outside(graph: ResourceGraph, namespace: str) -> set[int]:
    """Return the ports on which pods of a namespace may leave the cluster."""
    return {
        row["port"]
        for spec in policies(graph, namespace)
        for rule in spec.get("egress", [])
        if "to" not in rule or any("ipBlock" in peer for peer in rule["to"])
        for row in rule["ports"]
    }


def told(pod: Pods) -> Iterator[tuple[str, str, int]]:
    """Yield each address inside the cluster that a pod is told: service, namespace, port."""
    for container in pod.containers:
        words = [row["value"] for row in container.get("env", []) if isinstance(row.get("value"), str)]
        for text in [*words, *container.get("args", [])]:
            for match in _ADDRESS.finditer(text):
                yield match.group(1), match.group(2), int(match.group(3))


@pytest.mark.parametrize("stack", PLATFORMS)
def test_every_namespace_denies_by_default(stack: str) -> None:
    graph = graph_of(stack)
    for resource in objects(graph, "Namespace"):
        closed = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        assert closed in policies(graph, inputs(resource)["metadata"]["name"]), resource.name


@pytest.mark.parametrize("stack", PLATFORMS)
def test_every_namespace_holds_pods_to_the_restricted_level(stack: str) -> None:
    for resource in objects(graph_of(stack), "Namespace"):
        metadata = inputs(resource)["metadata"]
        # What reads the metrics of GPUs mounts a folder of the machine, and has a namespace of its own for it.
        level = "privileged" if metadata["name"] == "sensei-gpus" else "restricted"
        assert metadata["labels"]["pod-security.kubernetes.io/enforce"] == level, metadata["name"]


@pytest.mark.parametrize("stack", PLATFORMS)
def test_every_address_that_a_pod_is_told_can_be_reached(stack: str) -> None:
    graph = graph_of(stack)
    shut = set()
    for pod in pods(graph):
        for _, namespace, port in told(pod):
            if not allows(graph, "egress", pod.namespace, namespace, port):
                shut.add(f"{pod.namespace} may not call {namespace}:{port}")
            if not allows(graph, "ingress", namespace, pod.namespace, port):
                shut.add(f"{namespace} is closed to {pod.namespace} on {port}")
    assert sorted(shut) == []


@pytest.mark.parametrize("stack", PLATFORMS)
def test_every_address_is_a_service_of_the_stack_or_of_an_operator(stack: str) -> None:
    graph = graph_of(stack)
    served: dict[tuple[str, str], set[int]] = {}
    for resource in objects(graph, "Service"):
        body = inputs(resource)
        key = (body["metadata"]["name"], body["metadata"]["namespace"])
        served[key] = {port["port"] for port in body["spec"]["ports"]}
        if body["spec"].get("clusterIP") == "None":
            # Under a name of its own a pod answers on each of its ports.
            here = [pod for pod in pods(graph) if pod.namespace == key[1]]
            mine = [pod for pod in here if selects(body["spec"]["selector"], pod.labels)]
            served[key] |= {
                port["containerPort"] for pod in mine for one in pod.containers for port in one.get("ports", [])
            }
            told_to = {
                row["name"]: row.get("value") for pod in mine for one in pod.containers for row in one.get("env", [])
            }
            if listens := told_to.get("NEO4J_server_backup_listen__address"):
                served[key].add(int(f"{listens}".rpartition(":")[2]))
    for resource in objects(graph, "Cluster"):  # CloudNativePG makes <name>-rw
        body = inputs(resource)
        served[(f"{body['metadata']['name']}-rw", body["metadata"]["namespace"])] = {5432, 9187}
    for resource in objects(graph, "RayCluster"):  # KubeRay makes <name>-head-svc
        body = inputs(resource)
        head = body["spec"]["headGroupSpec"]["template"]["spec"]["containers"][0]
        ports = {port["containerPort"] for port in head["ports"]}
        served[(f"{body['metadata']['name']}-head-svc", body["metadata"]["namespace"])] = ports
    addresses = {address for pod in pods(graph) for address in told(pod)}
    assert len(addresses) > 3
    for host, namespace, port in addresses:
        service = host.rpartition(".")[2]  # a pod of a StatefulSet has its own label before the Service's
        assert port in served.get((service, namespace), set()), f"nothing serves {host}.{namespace}:{port}"


@pytest.mark.parametrize("stack", PLATFORMS)
def test_what_serves_others_says_where(stack: str) -> None:
    graph = graph_of(stack)
    silent = {"Sensei", "OnPremCluster", "NodePool", "TierNamespace", "PriorityClasses", "Operator", "AwsPlatform",
              "AwsNetwork", "AwsCluster", "AwsNodeGroup", "AwsBase", "GpuDevices", "GcpPlatform", "GcpNetwork",
              "GcpCluster", "GcpNodePool", "GcpBase", "GcpKey", "AzurePlatform", "AzureNetwork", "AzureCluster",
              "AzureNodePool", "AzureBase", "AzureKey", "AgentIdentities", "GpuSpace", "GpuMetrics", "PostgresBackup",
              "StoreBackup", "Keda", "QueueScaler", "CertificateIssuer", "SecretSync", "AwsFabric", "FabricDevices",
              "AwsServiceIdentities", "GcpServiceIdentities"}  # fmt: skip
    serving = 0
    for resource in graph.resources:
        facts = facts_of(resource)
        if facts is None or resource.type.rsplit(":", 1)[-1] in silent:
            continue
        serving += 1
        assert {"endpoint", "port"} <= set(resource.outputs), resource.name
        # A server of models says in words how it fits, and how long it may take to start.
        beside = {"sizing", "start"} if resource.type.endswith(":ModelServer") else set()
        assert set(resource.outputs) <= {"endpoint", "port", "secret_ref", "metrics_endpoint"} | beside, resource.name
        assert isinstance(resource.outputs["port"], int | float), resource.name
    assert serving > 7


@pytest.mark.parametrize("stack", PLATFORMS)
def test_metrics_are_served_where_the_outputs_say(stack: str) -> None:
    graph = graph_of(stack)
    services = {
        (body["metadata"]["name"], body["metadata"]["namespace"], port["port"])
        for body in map(inputs, objects(graph, "Service"))
        for port in body["spec"]["ports"]
    }
    made_by_operators = {("ray-head-svc", "sensei-execution", 8080)}
    for resource in objects(graph, "Cluster"):
        body = inputs(resource)
        made_by_operators.add((f"{body['metadata']['name']}-rw", body["metadata"]["namespace"], 9187))
    for resource in graph.resources:
        url = resource.outputs.get("metrics_endpoint") if not resource.custom else None
        if url is None:
            continue
        host, namespace, port = next(_ADDRESS.finditer(url)).groups()
        assert (host, namespace, int(port)) in services | made_by_operators, f"{resource.name}: {url}"


def test_managed_services_are_only_known_at_deployment() -> None:
    values = [
        variable.get("value")
        for pod in pods(graph_of(AWS))
        for container in pod.containers
        for variable in container.get("env", [])
        if variable["name"] in ("PUBSUB_URL", "BUCKET", "POSTGRES_SEEDS")
    ]
    assert UNKNOWN in values


def test_every_flow_says_why_and_joins_two_namespaces_of_the_system() -> None:
    for flow in flows():
        assert flow.why and flow.ports
        assert {flow.source, flow.destination} <= set(NAMESPACES.values())


def test_on_aws_every_tier_reaches_the_managed_services() -> None:
    graph = graph_of(AWS)
    for namespace in NAMESPACES.values():
        if namespace != "sensei-operators":
            assert {443, 5432, 6379} <= egress_outside(graph, namespace), namespace


@pytest.mark.parametrize("stack", ["sensei-airgapped", "sensei-private-onprem"])
def test_on_own_machines_nothing_leaves_the_cluster_but_calls_of_the_api_and_copies(stack: str) -> None:
    graph = graph_of(stack)
    for namespace in NAMESPACES.values():
        copies = {9000} if namespace in ("sensei-meta", "sensei-channels") else set()
        assert egress_outside(graph, namespace) <= {443, 6443} | copies, namespace
    assert egress_outside(graph, "sensei-cognitive") == set()
    beyond = {
        (peer["ipBlock"]["cidr"], row["port"])
        for namespace in NAMESPACES.values()
        for spec in policies(graph, namespace)
        for rule in spec.get("egress", [])
        for peer in rule.get("to", [])
        if "ipBlock" in peer and peer["ipBlock"]["cidr"] not in PRIVATE_RANGES
        for row in rule["ports"]
    }
    vault = {("10.9.0.5/32", 443)} if stack == "sensei-private-onprem" else set()
    assert beyond == {("10.9.0.16/28", 9000)} | vault, "the second store, and the store of secrets where there is one"


@pytest.mark.parametrize("stack", ["sensei-airgapped", "sensei-private-onprem"])
def test_the_api_server_can_call_the_webhook_of_cloudnative_pg(stack: str) -> None:
    opened = [
        (spec["podSelector"], row["port"])
        for spec in policies(graph_of(stack), "sensei-operators")
        for rule in spec.get("ingress", [])
        for row in rule.get("ports", [])
    ]
    assert ({"matchLabels": {"app.kubernetes.io/name": "cloudnative-pg"}}, 9443) in opened


@pytest.mark.parametrize("stack", PLATFORMS)
def test_with_local_inference_nothing_may_leave_for_anywhere(stack: str) -> None:
    graph = graph_of(stack)
    anywhere = {
        (namespace, row["port"])
        for namespace in NAMESPACES.values()
        for spec in policies(graph, namespace)
        for rule in spec.get("egress", [])
        if "to" not in rule or any(peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0" for peer in rule["to"])
        for row in rule.get("ports", [{"port": "any"}])
    }
    # The stores of secrets of these two have no address inside the network: External Secrets alone calls them.
    assert anywhere == ({("sensei-operators", 443)} if stack in (GCP, AZURE, *PRIVATE[1:]) else set())


@pytest.mark.parametrize("stack", PLATFORMS)
def test_every_rule_of_a_policy_names_ports_or_peers(stack: str) -> None:
    """An empty rule allows everything: `ingress: [{}]` is the opposite of `ingress: []`."""
    graph = graph_of(stack)
    for namespace in NAMESPACES.values():
        for spec in policies(graph, namespace):
            for direction in ("ingress", "egress"):
                for rule in spec.get(direction, []):
                    assert rule.get("ports") or rule.get("from") or rule.get("to"), f"{namespace}: {spec}"
