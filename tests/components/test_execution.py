"""The execution tier: Ray's room on a machine, agents that follow queues, small models, the customer's databases."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from skerry.catalog import load_catalog
from skerry.config.load import load_spec
from skerry.config.small_models import SmallServerSpec
from skerry.errors import ConfigError, SizingError
from skerry.facts import ComponentFacts, facts_of
from skerry.graph import ResourceGraph
from skerry.node_room import reserved, room
from skerry.small_models import gguf_fit
from tests.simulators.changed_stacks import run_core, shipped
from tests.simulators.stack_objects import inputs, objects, pods

SITE: Final = "sensei-private-onprem"
QUEUES: Final = {
    "execution.worker.autoscale": {"minimum": 2, "typical": 4, "maximum": 40, "fallback_replicas": 6},
    "execution.validator.autoscale": {"minimum": 0, "maximum": 8, "task_queue": "checks", "tls_secret": "temporal-tls"},
}
ORDERS: Final = {
    "name": "orders", "side": "source", "engine": "oracle", "host": "orders.site.example", "cidrs": ["10.20.0.0/24"],
    "jurisdiction": "DE", "route": "on-site", "tenant": "acme", "username": "reader", "password_secret": "orders-key",
}  # fmt: skip
LAKE: Final = {
    "name": "lake", "side": "target", "engine": "other", "host": "10.30.0.7", "port": 6432, "cidrs": ["10.30.0.7/32"],
    "jurisdiction": "DE", "route": "same-network", "credentials": "lake-login",
}  # fmt: skip
DATA: Final = {"execution.data_endpoints": [ORDERS, LAKE]}


def site(changes: dict[str, Any]) -> ResourceGraph:
    return run_core(SITE, changes, secrets=["skerry:orders-key"])


def named(graph: ResourceGraph, kind: str, name: str) -> dict[str, Any]:
    (found,) = (r for r in objects(graph, kind) if inputs(r)["metadata"]["name"] == name)
    return dict(inputs(found))


def facts_by_role(graph: ResourceGraph, role: str) -> list[ComponentFacts]:
    return [facts for facts in map(facts_of, graph.resources) if facts is not None and facts.role == role]


def environment(graph: ResourceGraph, workload: str) -> dict[str, Any]:
    (pod,) = (pod for pod in pods(graph) if pod.labels.get("app.kubernetes.io/name") == workload)
    return {row["name"]: row.get("value", row.get("valueFrom")) for row in pod.spec["containers"][0]["env"]}


ROOMS: Final = {
    "c6i.4xlarge on EKS": ("aws", 16, 32.0, (14, 23)),
    "c6i.8xlarge on EKS": ("aws", 32, 64.0, (30, 53)),
    "n2-standard-16 on GKE": ("gcp", 16, 64.0, (14, 53)),
    "c2-standard-8 on GKE": ("gcp", 8, 32.0, (6, 24)),
    "Standard_F16s_v2 on AKS": ("azure", 16, 32.0, (14, 23)),
    "Standard_D16s_v5 on AKS": ("azure", 16, 64.0, (14, 54)),
    "own machines, which publish nothing": ("onprem", 32, 64.0, (30, 53)),
}


@pytest.mark.parametrize("case", ROOMS)
def test_a_worker_of_ray_gets_what_the_kubelet_daemons_and_two_agents_leave(case: str) -> None:
    kind, vcpu, memory, expected = ROOMS[case]
    found = room(kind, vcpu, memory)
    assert expected == (found.vcpu, found.memory_gib)
    cpu, gib = reserved(kind, vcpu, memory)
    assert found.vcpu + cpu + 0.5 + 2 * 0.5 <= vcpu
    assert found.memory_gib + gib + 1 + 2 * 1 <= memory


def test_gke_reserves_by_steps_and_aks_by_pods() -> None:
    # Beside 3 % that the system does not see: 25 % of 4, 20 % of 4, 10 % of 8 and 6 % of 48 GiB, and 100 MiB;
    # 6 %, 1 %, 2 x 0.5 % and 28 x 0.25 % of a core
    assert reserved("gcp", 32, 64) == pytest.approx((0.15, 1.92 + 1 + 0.8 + 0.8 + 2.88 + 100 / 1024))
    assert reserved("azure", 16, 64) == pytest.approx((0.26, 1.92 + (20 * 250 + 50 + 100) / 1024))


def test_a_worker_fits_what_karpenter_believes_of_a_machine() -> None:
    """It takes 7.5 % of the memory off before it has seen a type, and then what the kubelet keeps."""
    believed = 64 * (1 - 0.075) - (11 * 234 + 255 + 100) / 1024
    assert room("aws", 32, 64).memory_gib + 1 + 2 * 1 <= believed


def test_a_machine_without_room_is_refused_with_the_sum() -> None:
    with pytest.raises(SizingError, match=r"has no room for a worker of Ray: 2 - .* = 0 vCPU"):
        room("aws", 2, 32)


def test_agents_that_follow_a_queue_have_no_number_of_their_own_and_say_who_scales_them() -> None:
    graph = site(QUEUES)
    for name, bounds in (("worker", (2, 4, 40)), ("validator", (0, 0, 8))):
        assert "replicas" not in named(graph, "Deployment", name)["spec"]
        (facts,) = (f for f in facts_by_role(graph, "agent") if f.scaling and f.images[0].name == name)
        assert facts.scaling is not None
        assert bounds == (facts.scaling.minimum, facts.scaling.typical, facts.scaling.maximum)
        assert facts.scaling.autoscaler == "keda"
    worker, validator = (named(graph, "ScaledObject", name)["spec"] for name in ("worker", "validator"))
    assert (worker["minReplicaCount"], worker["maxReplicaCount"], worker["fallback"]["replicas"]) == (2, 40, 6)
    assert "cooldownPeriod" not in worker, "it counts for the last agent alone"
    assert validator["cooldownPeriod"] == 300
    trigger = validator["triggers"][0]
    assert trigger["metadata"]["taskQueue"] == "checks"
    assert trigger["metadata"]["endpoint"] == environment(graph, "validator")["TEMPORAL_ADDRESS"]
    login = named(graph, "TriggerAuthentication", trigger["authenticationRef"]["name"])["spec"]["secretTargetRef"]
    assert {row["parameter"]: (row["name"], row["key"]) for row in login} == {
        "cert": ("temporal-tls", "tls.crt"), "key": ("temporal-tls", "tls.key"), "ca": ("temporal-tls", "ca.crt"),
    }  # fmt: skip
    assert environment(graph, "worker")["TASK_QUEUE"] == "worker"


def test_nobody_but_ray_scales_ray() -> None:
    graph = site(QUEUES)
    targets = {inputs(r)["spec"]["scaleTargetRef"]["name"] for r in objects(graph, "ScaledObject")}
    assert targets == {"worker", "validator"}
    (ray,) = facts_by_role(graph, "ray-cluster")
    assert ray.scaling is not None
    assert ray.scaling.autoscaler == "ray"


def test_keda_is_installed_where_somebody_follows_a_queue_and_only_its_ways_are_opened() -> None:
    assert [r for r in run_core(SITE, {}).resources if "keda" in r.name] == []
    graph = site(QUEUES)
    (release,) = (r for r in graph.resources if r.name == "keda-operator-release")
    values = inputs(release)["values"]
    assert values["watchNamespace"] == "sensei-execution"
    (operator,) = (f for f in facts_by_role(graph, "operator") if [one.name for one in f.charts] == ["keda"])
    parts = [values["image"][key] for key in ("keda", "metricsApiServer", "webhooks")]
    told = [f"{part['registry']}/{part['repository']}:{part['tag']}" for part in parts]
    assert told == [image.deployed_as for image in operator.images]
    opened = [
        rule
        for r in objects(graph, "NetworkPolicy")
        if inputs(r)["metadata"]["namespace"] == "sensei-channels"
        for rule in inputs(r)["spec"].get("ingress", [])
        if rule.get("from", [{}])[0].get("namespaceSelector", {}).get("matchLabels")
        == {"kubernetes.io/metadata.name": "sensei-operators"}
    ]
    assert {row["port"] for rule in opened for row in rule["ports"]} == {8000, 5432, 7233}


@pytest.mark.parametrize("pods", ["worker", "validator"])
def test_each_database_opens_its_ranges_and_port_to_workers_alone(pods: str) -> None:
    graph = site(DATA)
    policies = {
        inputs(r)["metadata"]["name"]: inputs(r)["spec"]
        for r in objects(graph, "NetworkPolicy")
        if inputs(r)["metadata"]["name"].startswith("allow-data-")
    }
    assert set(policies) == {f"allow-data-{name}-{who}" for name in ("orders", "lake") for who in ("agents", "ray")}
    for name, block, port in (("orders", "10.20.0.0/24", 1521), ("lake", "10.30.0.7/32", 6432)):
        for who in ("agents", "ray"):
            spec = policies[f"allow-data-{name}-{who}"]
            assert spec["egress"] == [
                {"to": [{"ipBlock": {"cidr": block}}], "ports": [{"port": port, "protocol": "TCP"}]}
            ]
            assert spec["podSelector"] != {}
    assert pods in policies["allow-data-orders-agents"]["podSelector"]["matchExpressions"][0]["values"]


def test_logins_come_from_secrets_and_never_stand_in_the_list_of_databases() -> None:
    graph = site(DATA)
    text = named(graph, "ConfigMap", "data-endpoints")["data"]["endpoints.json"]
    rows = {row["name"]: row for row in json.loads(text)["endpoints"]}
    assert (rows["orders"]["secret"], rows["lake"]["secret"], rows["orders"]["tenant"]) == (
        "data-orders", "lake-login", "acme",
    )  # fmt: skip
    assert rows["lake"]["port"] == 6432
    wanted = {"secretKeyRef": {"name": "data-orders", "key": "password"}}
    assert environment(graph, "worker")["DATA_ORDERS_PASSWORD"] == wanted
    (ray,) = objects(graph, "RayCluster")
    worker = inputs(ray)["spec"]["workerGroupSpecs"][0]["template"]["spec"]["containers"][0]
    assert {"name": "DATA_LAKE_USERNAME", "valueFrom": {"secretKeyRef": {"name": "lake-login", "key": "username"}}} in (
        worker["env"]
    )
    assert "data-endpoints" in [row["name"] for row in worker["volumeMounts"]]
    made = [r for r in objects(graph, "Secret") if "data-" in r.name]
    assert [r.name for r in made] == ["execution-data-orders-login"], "the other one is the site's"


def test_readers_see_each_database_where_it_stands() -> None:
    found = facts_by_role(site(DATA), "data-endpoint")
    assert [(f.jurisdiction, f.endpoints[0].host, f.endpoints[0].port, f.endpoints[0].scope) for f in found] == [
        ("DE", "orders.site.example", 1521, "site"),
        ("DE", "10.30.0.7", 6432, "site"),
    ]


def test_a_small_model_on_cpus_takes_machines_from_ray_and_is_fetched_before_it_starts() -> None:
    changes = {"execution.small_model": "cpu", "execution.model": "mistral-7b-instruct-q4"}
    before, after = (objects(run_core(SITE, one), "RayCluster")[0] for one in ({}, changes))
    bounds = [
        (group["minReplicas"], group["maxReplicas"])
        for group in (inputs(r)["spec"]["workerGroupSpecs"][0] for r in (before, after))
    ]
    assert bounds[1] == (bounds[0][0] - 2, bounds[0][1] - 2)
    pod = named(run_core(SITE, changes), "Deployment", "small-model")["spec"]["template"]["spec"]
    (fetch,), (server,) = pod["initContainers"], pod["containers"]
    assert fetch["args"][1].startswith(":s3,env_auth:$(BUCKET)/models/mistral-7b-instruct-q4/Mistral-7B")
    assert fetch["args"][2] == server["args"][1]
    assert server["resources"]["limits"]["memory"] == "8Gi"


def test_a_small_model_on_gpus_has_machines_and_a_quota_of_its_own() -> None:
    machine = {"vcpu": 8, "memory_gib": 32, "gpu_model": "L4", "gpus": 1, "gpu_memory_gib": 24}
    graph = run_core(SITE, {
        "execution.small_model": "gpu", "execution.model": "mistral-7b-instruct",
        "execution.small_pool": {"minimum": 2, "maximum": 2, "machine": machine},
    })  # fmt: skip
    pod = named(graph, "Deployment", "small-model")["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"skerry.dev/tier": "small"}
    assert pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    quotas = {
        inputs(r)["metadata"]["namespace"]: inputs(r)["spec"]["hard"]["requests.nvidia.com/gpu"]
        for r in objects(graph, "ResourceQuota")
    }
    assert (quotas["sensei-execution"], quotas["sensei-meta"]) == ("2", "0")
    (ray,) = facts_by_role(graph, "ray-cluster")
    assert ray.scaling is not None
    assert ray.scaling.minimum == shipped(SITE)["execution"]["pool"]["minimum"]


def test_the_memory_of_a_quantised_model_is_reckoned_with_its_cache() -> None:
    model = load_catalog().models["llama-3.1-8b-instruct-q4"]
    free = room("aws", 16, 32)
    found = gguf_fit(model, SmallServerSpec(), free)
    # 8.03e9 x 0.61 B are 4.6 GiB, two contexts of 8192 tokens x 128 KiB are 2 GiB, and 1 GiB is the server's
    assert (found.fits, found.memory_gib, round(found.weights_gib, 1)) == (True, 8, 4.6)
    large = gguf_fit(model, SmallServerSpec(context_tokens=131072, parallel=4), free)
    assert (large.fits, large.memory_gib) == (False, 70)
    assert "4.6 GiB of weights (8.0e9 x 0.61 B) + 64.0 GiB of KV cache" in large.arithmetic


WRONG: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "bounds out of order": (
        {"execution.worker.autoscale": {"minimum": 5, "maximum": 3}},
        "execution.worker.autoscale: 5 <= 5 <= 3 does not hold"),
    "a fallback outside": (
        {"execution.worker.autoscale": {"maximum": 9, "fallback_replicas": 20}},
        "execution.worker.autoscale.fallback_replicas: 20 is outside 2 to 9"),
    "one queue for both": (
        {"execution.worker.autoscale": {"maximum": 3, "task_queue": "all"},
         "execution.validator.autoscale": {"maximum": 3, "task_queue": "all"}},
        "execution.validator.autoscale.task_queue: 'all' is that of the worker agents too"),
    "more agents than there is room": (
        {"execution.worker.autoscale": {"maximum": 256}}, "machines have room for"),
    "a quantised model on GPUs": (
        {"execution.small_model": "gpu", "execution.model": "mistral-7b-instruct-q4"},
        "execution.model: 'mistral-7b-instruct-q4' is no model that GPUs serve; use one of"),
    "a model for GPUs on CPUs": (
        {"execution.small_model": "cpu", "execution.model": "mistral-7b-instruct"},
        "execution.model: 'mistral-7b-instruct' is no quantised file for CPU servers; use one of"),
    "GPUs without machines": (
        {"execution.small_model": "gpu", "execution.model": "mistral-7b-instruct"},
        "execution.small_pool: is required for small_model: gpu"),
    "machines without GPUs' work": (
        {"execution.small_pool": {"minimum": 1, "maximum": 1, "machine": {"vcpu": 4, "memory_gib": 16}}},
        "execution.small_pool: has no meaning with small_model: cognitive"),
    "a context that fits no machine": (
        {"execution.small_model": "cpu", "execution.model": "mistral-7b-instruct-q4",
         "execution.small_server": {"context_tokens": 131072, "parallel": 8}},
        "execution.small_server: mistral-7b-instruct-q4 does not fit one machine"),
    "servers on all machines": (
        {"execution.small_model": "cpu", "execution.model": "mistral-7b-instruct-q4",
         "execution.small_server": {"replicas": 64}},
        "execution.small_server.replicas: 64 servers would fill all of the"),
    "GPUs in the pool of CPUs": (
        {"execution.pool.machine": {"vcpu": 16, "memory_gib": 64, "gpu_model": "L4", "gpus": 1, "gpu_memory_gib": 24}},
        "execution.pool.machine.gpus: 1 GPUs on CPU machines"),
    "a database twice": (
        {"execution.data_endpoints": [LAKE, LAKE]}, "execution.data_endpoints[1].name: 'lake' is named twice"),
    "an engine without a usual port": (
        {"execution.data_endpoints": [{**LAKE, "port": None}]}, "is required for the engine other"),
    "half the address space": (
        {"execution.data_endpoints": [{**LAKE, "cidrs": ["10.0.0.0/8"]}]}, "'10.0.0.0/8' is far more than a database"),
    "a private range on the internet": (
        {"execution.data_endpoints": [{**LAKE, "route": "internet"}]}, "'10.30.0.7/32' is not on the internet"),
    "a peering on own machines": (
        {"execution.data_endpoints": [{**LAKE, "route": "peering"}]}, "peering has no meaning on own machines"),
    "a peer where none is asked": (
        {"execution.data_endpoints": [{**LAKE, "peer": "vpc-1"}]}, "has no meaning with the route same-network"),
    "a password without a login": (
        {"execution.data_endpoints": [{**ORDERS, "username": None}]}, "is required beside password_secret"),
    "two logins": (
        {"execution.data_endpoints": [{**ORDERS, "credentials": "mine"}]}, "and password_secret are both set"),
}  # fmt: skip


def problems(stack: str, changes: dict[str, Any]) -> str:
    deployment = shipped(stack)
    for path, value in changes.items():
        place = deployment
        *above, last = path.split(".")
        for name in above:
            place = place.setdefault(name, {})
        place[last] = value
    try:
        load_spec(deployment, stack)
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_refused_with_its_reason(case: str) -> None:
    changes, reason = WRONG[case]
    assert reason in problems(SITE, changes)


MACHINES: Final = {
    "more memory than the tier's machines have": ("sensei-saas-aws", "c5.9xlarge", "has 72 GiB, outside 32 to 64 GiB"),
    "machines with GPUs": ("sensei-saas-aws", "g5.2xlarge", "is of no family for CPU work"),
    "machines for memory": ("sensei-saas-aws", "r6i.2xlarge", "is of no family for CPU work; use c5, c6, c7 or m5"),
}


@pytest.mark.parametrize("case", MACHINES)
def test_machines_of_the_tier_are_of_families_for_cpu_work_with_32_to_64_gib(case: str) -> None:
    stack, name, reason = MACHINES[case]
    machine = {"vcpu": 8, "memory_gib": 32, "instance_type": name}
    assert reason in problems(stack, {"execution.pool.machine": machine})
