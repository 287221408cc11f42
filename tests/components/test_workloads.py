"""What every Kubernetes object of the shipped stacks must be to the others."""

from __future__ import annotations

import re

import pytest

from components.kubernetes.cluster import ZONE_LABEL
from skerry.facts import ComponentFacts, facts_of
from skerry.graph import walk
from tests.simulators.stack_objects import (
    AIRGAPPED,
    AWS,
    AZURE,
    CUSTOMER,
    GCP,
    ONPREM,
    PLATFORMS,
    PRIVATE,
    STACKS,
    THINKING,
    VENDOR,
    Pods,
    graph_of,
    inputs,
    kind,
    objects,
    pods,
    selects,
)

_DNS_LABEL = re.compile(r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
_PLAIN_PASSWORDS = re.compile(r"(PASSWORD|PASSWD|PWD|TOKEN|SECRET|API_KEY|ACCESS_KEY|AUTH|CREDENTIAL)", re.I)

CLUSTER_SCOPED = {
    "Namespace", "StorageClass", "EC2NodeClass", "NodePool", "PriorityClass", "ClusterIssuer", "ClusterSecretStore",
    "GatewayClass",
}  # fmt: skip
LONGEST_STATEFUL_SET = 52
"""The label controller-revision-hash is `<name>-<10 characters>`, a label value of at most 63."""


def of(stack: str, namespace: str) -> list[Pods]:
    return [pod for pod in pods(graph_of(stack)) if pod.namespace == namespace]


@pytest.mark.parametrize("stack", PLATFORMS)
def test_what_keeps_data_is_protected_and_retained(stack: str) -> None:
    stores = [r for r in graph_of(stack).resources if kind(r) in ("StatefulSet", "Cluster", "Database")]
    assert stores
    assert [r.name for r in stores if not (r.protect and r.retain_on_delete)] == []


@pytest.mark.parametrize("stack", PLATFORMS)
def test_volumes_of_stores_outlive_their_sets(stack: str) -> None:
    for resource in objects(graph_of(stack), "StatefulSet"):
        spec = inputs(resource)["spec"]
        assert {"Retain"} == set(spec["persistentVolumeClaimRetentionPolicy"].values())
        mounted = {m["name"] for c in spec["template"]["spec"]["containers"] for m in c.get("volumeMounts", [])}
        assert {claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]} <= mounted, resource.name


@pytest.mark.parametrize("stack", PLATFORMS)
def test_more_than_one_replica_has_exactly_one_budget_that_lets_one_go(stack: str) -> None:
    graph = graph_of(stack)
    budgets = [inputs(r) for r in objects(graph, "PodDisruptionBudget")]
    for pod in pods(graph):
        if kind(pod.resource) not in ("Deployment", "StatefulSet"):
            continue
        found = [
            budget
            for budget in budgets
            if budget["metadata"]["namespace"] == pod.namespace and selects(budget["spec"]["selector"], pod.labels)
        ]
        # Where an autoscaler says how many, there may be more than one.
        assert (1 if pod.replicas is None or pod.replicas > 1 else 0) == len(found), pod.resource.name
        assert all(budget["spec"]["maxUnavailable"] == 1 for budget in found)
    assert len(budgets) > 7


@pytest.mark.parametrize("stack", PLATFORMS)
def test_replicas_are_spread_and_a_drained_zone_is_no_zone(stack: str) -> None:
    graph = graph_of(stack)
    for pod in pods(graph):
        constraints = pod.spec.get("topologySpreadConstraints", [])
        assert all(row["nodeTaintsPolicy"] == "Honor" for row in constraints), pod.resource.name
        assert all(selects(row["labelSelector"], pod.labels) for row in constraints), pod.resource.name
        if kind(pod.resource) in ("Deployment", "StatefulSet") and (pod.replicas is None or pod.replicas > 1):
            assert ZONE_LABEL in [row["topologyKey"] for row in constraints], pod.resource.name
    for resource in objects(graph, "Cluster"):
        constraints = inputs(resource)["spec"]["topologySpreadConstraints"]
        assert {"Honor"} == {row["nodeTaintsPolicy"] for row in constraints}


@pytest.mark.parametrize("stack", PLATFORMS)
def test_every_service_selects_pods_that_listen_on_its_ports(stack: str) -> None:
    # What reads the metrics of GPUs is no pod of a tier: a daemon set, in a namespace of its own.
    services = [one for one in objects(graph_of(stack), "Service") if one.name != "gpu-metrics-service"]
    assert len(services) > 7
    for resource in services:
        body = inputs(resource)
        chosen = [
            pod for pod in of(stack, body["metadata"]["namespace"]) if selects(body["spec"]["selector"], pod.labels)
        ]
        assert len(chosen) == 1, f"{resource.name} selects {[pod.resource.name for pod in chosen]}"
        listening = {
            port["name"]: port["containerPort"] for c in chosen[0].spec["containers"] for port in c.get("ports", [])
        }
        for port in body["spec"]["ports"]:
            assert listening.get(port["targetPort"]) == port["port"], f"{resource.name}: {port}"


@pytest.mark.parametrize("stack", PLATFORMS)
def test_every_stateful_set_names_a_headless_service_of_its_own(stack: str) -> None:
    graph = graph_of(stack)
    headless = {
        (body["metadata"]["namespace"], body["metadata"]["name"])
        for body in map(inputs, objects(graph, "Service"))
        if body["spec"].get("clusterIP") == "None"
    }
    for resource in objects(graph, "StatefulSet"):
        body = inputs(resource)
        assert (body["metadata"]["namespace"], body["spec"]["serviceName"]) in headless


_OWN = {"gateway-gateway", "gateway-route-temporal-ui", "gateway-route-mlflow"}
WAYS_IN = {
    AIRGAPPED: _OWN,
    ONPREM: _OWN,
    **dict.fromkeys(PRIVATE, _OWN),
    **{stack: {*_OWN, "gateway-route-temporal"} for stack in (AWS, GCP, AZURE)},
    VENDOR: {"entrance-gateway", "entrance-route-architect", "entrance-route-learning"},
    CUSTOMER: set(),
}
"""What stands in front of services: user interfaces, and of the vendor what its customers call; never a store."""
FACING = {VENDOR: ["entrance"]}


@pytest.mark.parametrize("stack", PLATFORMS)
def test_nothing_is_opened_to_the_outside_but_the_routes_on_record(stack: str) -> None:
    graph = graph_of(stack)
    assert {"ClusterIP"} == {inputs(r)["spec"]["type"] for r in objects(graph, "Service")}
    ways = {r.name for r in graph.resources if kind(r) in ("Ingress", "Gateway", "HTTPRoute", "GRPCRoute")}
    assert ways == WAYS_IN[stack]
    facing = [r.name for r in graph.resources if (facts_of(r) or ComponentFacts()).internet_facing]
    assert facing == FACING.get(stack, [])
    open_pods = [p.resource.name for p in pods(graph) if p.spec.get("hostNetwork") or p.spec.get("hostPID")]
    assert open_pods == []
    host_ports = [
        c["name"] for p in pods(graph) for c in p.containers for port in c.get("ports", []) if "hostPort" in port
    ]
    assert host_ports == []


@pytest.mark.parametrize("stack", PLATFORMS)
def test_no_pod_is_privileged(stack: str) -> None:
    for pod in pods(graph_of(stack)):
        for container in pod.containers:
            rights = container["securityContext"]
            where = f"{pod.resource.name} {container['name']}"
            assert rights["runAsNonRoot"] and rights["runAsUser"] > 0, where
            assert rights["allowPrivilegeEscalation"] is False and rights["capabilities"] == {"drop": ["ALL"]}, where
            assert container["resources"]["limits"]["memory"], where


@pytest.mark.parametrize("stack", PLATFORMS)
def test_every_mount_has_its_volume_and_every_volume_a_mount(stack: str) -> None:
    for pod in pods(graph_of(stack)):
        mounted = {mount["name"] for c in pod.containers for mount in c.get("volumeMounts", [])}
        claims = inputs(pod.resource)["spec"].get("volumeClaimTemplates", [])
        volumes = {volume["name"] for volume in pod.spec["volumes"]} | {claim["metadata"]["name"] for claim in claims}
        assert mounted <= volumes, pod.resource.name
        assert volumes <= mounted, pod.resource.name


@pytest.mark.parametrize("stack", PLATFORMS)
def test_every_config_map_that_the_program_makes_is_used_and_in_the_right_namespace(stack: str) -> None:
    graph = graph_of(stack)
    made = {
        (body["metadata"]["namespace"], body["metadata"]["name"]) for body in map(inputs, objects(graph, "ConfigMap"))
    }
    used = {
        (pod.namespace, volume["configMap"]["name"])
        for pod in pods(graph)
        for volume in pod.spec["volumes"]
        if "configMap" in volume
    }
    # Dashboards are read by whoever shows them, by their label.
    shown = {one for one in made if one[1].startswith("dashboard-")}
    assert made - shown <= used
    by_site = {"neo4j-licence"} if stack in THINKING else set()
    assert {name for _, name in used - made} == by_site, "the only ConfigMap that the site writes itself"


@pytest.mark.parametrize("stack", PLATFORMS)
def test_names_are_dns_labels_and_the_namespace_is_one_of_the_stack(stack: str) -> None:
    graph = graph_of(stack)
    namespaces = {inputs(r)["metadata"]["name"] for r in objects(graph, "Namespace")}
    seen = set()
    for resource in objects(graph):
        if kind(resource) == "Release":
            body = inputs(resource)
            name, namespace = body["name"], body["namespace"]
        else:
            metadata = inputs(resource)["metadata"]
            name, namespace = metadata["name"], metadata.get("namespace")
        assert len(name) <= 63 and _DNS_LABEL.match(name), f"{resource.name}: {name}"
        if kind(resource) == "StatefulSet":
            assert len(name) <= LONGEST_STATEFUL_SET
        assert (namespace is None) == (kind(resource) in CLUSTER_SCOPED), resource.name
        # What mounts a folder of the node lives where Kubernetes' own agents do.
        inside = namespaces if kind(resource) != "DaemonSet" else {"kube-system", "sensei-gpus"}
        assert namespace is None or namespace in inside, resource.name
        key = (kind(resource), namespace, name)
        assert key not in seen, f"two objects are {key}"
        seen.add(key)


@pytest.mark.parametrize("stack", STACKS)
def test_logical_names_are_dns_labels(stack: str) -> None:
    bad = [
        r.name
        for r in graph_of(stack).resources
        if r.type not in ("pulumi:pulumi:Stack", "pulumi:pulumi:StackReference")
        and not (len(r.name) <= 63 and _DNS_LABEL.match(r.name))
    ]
    assert bad == []


@pytest.mark.parametrize("stack", STACKS)
def test_no_secret_stands_in_plain_text(stack: str) -> None:
    graph = graph_of(stack)
    assert objects(graph, "Secret") == [], "the site, an operator or a service makes secrets; the program none"
    for pod in pods(graph):
        for container in pod.containers:
            for variable in container.get("env", []):
                if _PLAIN_PASSWORDS.search(variable["name"]) and variable.get("value") not in ("true", "false"):
                    assert "secretKeyRef" in variable.get("valueFrom", {}), f"{pod.resource.name}: {variable['name']}"
    plain = [
        (r.name, path)
        for r in graph.resources
        for path, value in walk(r.inputs)
        if re.search(r"(^|\.)(master)?(password|authToken|secretKey|privateKey)$", path, re.I)
        and isinstance(value, str)
        # There `secretKey` is the name of a key, not its value.
        and kind(r) not in ("ExternalSecret", "ClusterSecretStore")
    ]
    assert plain == []


@pytest.mark.parametrize("stack", PLATFORMS)
def test_pods_run_where_their_tier_has_machines(stack: str) -> None:
    facts = [found for found in map(facts_of, graph_of(stack).resources) if found and found.nodes and found.tier]
    tiers = {one.tier.value for one in facts if one.tier}
    for pod in pods(graph_of(stack)):
        selector, tolerations = pod.spec["nodeSelector"], pod.spec["tolerations"]
        assert selector["skerry.dev/tier"] in tiers, pod.resource.name
        assert {"key": "skerry.dev/tier", "operator": "Equal", "value": selector["skerry.dev/tier"],
                "effect": "NoSchedule"} in tolerations  # fmt: skip
