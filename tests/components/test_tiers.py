"""Sizes and modes: what the configuration says is what Kubernetes and the readers get."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.blueprints.sensei import NAMESPACES
from skerry.catalog import load_catalog
from skerry.config.load import load_spec
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, Tier, deployments, facts_of
from skerry.graph import Resource
from skerry.sizing import fit
from tests.simulators.stack_objects import (
    AZURE,
    PLATFORMS,
    PRIVATE,
    ROOT,
    STACKS,
    THINKING,
    WORKING,
    Pods,
    graph_of,
    inputs,
    objects,
    pods,
)

CLOUD_FREE = ("tiers", "channels", "stores", "kubernetes")
CLOUDS = ("components.aws", "components.onprem", "pulumi_aws", "boto3")


def spec_of(stack: str) -> DeploymentSpec:
    path = ROOT / "stacks" / f"Pulumi.{stack}.yaml"
    return load_spec(yaml.safe_load(path.read_text(encoding="utf-8"))["config"]["skerry:deployment"], path.name)


def pod_of(stack: str, name: str) -> Pods:
    return next(pod for pod in pods(graph_of(stack)) if pod.labels.get("app.kubernetes.io/name") == name)


def pool_facts(stack: str, tier: Tier) -> list[ComponentFacts]:
    found = [facts for facts in map(facts_of, graph_of(stack).resources) if facts and facts.role == "node-pool"]
    return [facts for facts in found if facts.tier is tier]


def body_of(resource: Resource) -> Any:
    return inputs(resource)["spec"]


def variable(pod: Pods, name: str) -> Any:
    return next(row.get("value") for row in pod.spec["containers"][0]["env"] if row["name"] == name)


@pytest.mark.parametrize("stack", THINKING)
def test_vllm_takes_the_gpus_that_the_sizing_found(stack: str) -> None:
    spec = spec_of(stack)
    pool = spec.cognitive.pool
    assert pool is not None
    sized = fit(
        load_catalog().models[f"{spec.cognitive.model}"],
        spec.cognitive.precision,
        spec.cognitive.context_tokens,
        gpus=pool.machine.gpus,
        gpu_memory_gib=pool.machine.gpu_memory_gib,
        utilization=spec.cognitive.gpu_memory_utilization,
    )
    pod = pod_of(stack, "vllm")
    container = pod.spec["containers"][0]
    arguments = container["args"]
    assert str(sized.tensor_parallel) == arguments[arguments.index("--tensor-parallel-size") + 1]
    assert str(sized.tensor_parallel) == container["resources"]["limits"]["nvidia.com/gpu"]
    assert str(spec.cognitive.context_tokens) == arguments[arguments.index("--max-model-len") + 1]
    assert pool.minimum * (pool.machine.gpus // sized.tensor_parallel) == pod.replicas
    assert int(pod.replicas or 0) * sized.tensor_parallel <= pool.minimum * pool.machine.gpus


@pytest.mark.parametrize("stack", THINKING)
def test_nothing_downloads_weights_at_run_time(stack: str) -> None:
    pod = pod_of(stack, "vllm")
    assert variable(pod, "HF_HUB_OFFLINE") == "1"
    arguments = pod.spec["containers"][0]["args"]
    assert arguments[0].startswith("az://" if stack in (AZURE, PRIVATE[2]) else "s3://")


@pytest.mark.parametrize("stack", WORKING)
def test_ray_grows_with_the_pool_and_nobody_else_says_how_many(stack: str) -> None:
    (ray,) = objects(graph_of(stack), "RayCluster")
    spec, pool = inputs(ray)["spec"], spec_of(stack).execution.pool
    (group,) = spec["workerGroupSpecs"]
    assert "replicas" not in group, "the autoscaler owns it: a fixed number would undo what it did"
    assert spec["enableInTreeAutoscaling"] is True
    # A small model beside them has machines of the pool to itself.
    small = [pod.replicas or 0 for pod in pods(graph_of(stack)) if "small-model" in pod.resource.name]
    assert (pool.minimum - sum(small), pool.maximum - sum(small)) == (group["minReplicas"], group["maxReplicas"])
    (facts,) = pool_facts(stack, Tier.EXECUTION)
    assert facts.scaling is not None
    assert (pool.minimum, pool.maximum) == (facts.scaling.minimum, facts.scaling.maximum)
    tag = group["template"]["spec"]["containers"][0]["image"].partition("@")[0].rpartition(":")[2]
    assert spec["rayVersion"] == tag


@pytest.mark.parametrize("stack", WORKING)
def test_one_ray_worker_fills_one_machine_and_fits_it(stack: str) -> None:
    (ray,) = objects(graph_of(stack), "RayCluster")
    worker = inputs(ray)["spec"]["workerGroupSpecs"][0]["template"]["spec"]["containers"][0]["resources"]
    machine = spec_of(stack).execution.pool.machine
    cpu, memory = int(worker["requests"]["cpu"]), int(worker["limits"]["memory"].removesuffix("Gi"))
    assert machine.vcpu / 2 < cpu < machine.vcpu
    assert machine.memory_gib / 2 < memory < machine.memory_gib


@pytest.mark.parametrize("stack", WORKING)
def test_temporal_has_the_shards_of_the_configuration_in_every_service(stack: str) -> None:
    wanted = str(spec_of(stack).channels.temporal_history_shards)
    services = ["frontend", "history", "matching", "worker"]
    assert [wanted] * 4 == [variable(pod_of(stack, f"temporal-{name}"), "NUM_HISTORY_SHARDS") for name in services]
    replicas = spec_of(stack).channels.temporal_replicas
    assert {replicas} == {pod_of(stack, f"temporal-{name}").replicas for name in services}


@pytest.mark.parametrize("stack", PLATFORMS)
def test_agents_run_as_often_as_the_configuration_says_and_learn_within_one_customer(stack: str) -> None:
    spec = spec_of(stack)
    wanted: dict[str, int] = {}
    if stack in THINKING:
        wanted |= {"scout": spec.cognitive.scout.replicas, "architect": spec.cognitive.architect.replicas}
        wanted |= {"learning": spec.meta.learning.replicas}
        assert variable(pod_of(stack, "learning"), "CROSS_CUSTOMER_LEARNING") == "false"
    for name, number in wanted.items():
        assert number == pod_of(stack, name).replicas, name


@pytest.mark.parametrize("stack", WORKING)
def test_agents_that_take_work_are_as_many_as_their_queue_asks_within_the_configuration(stack: str) -> None:
    spec = spec_of(stack).execution
    scaled = {body["scaleTargetRef"]["name"]: body for body in map(body_of, objects(graph_of(stack), "ScaledObject"))}
    assert set(scaled) == {"worker", "validator"}
    for name, agent in {"worker": spec.worker, "validator": spec.validator}.items():
        deployment = pod_of(stack, name).resource
        assert "replicas" not in body_of(deployment), "a fixed number would undo what the queue asked for"
        assert agent.autoscale is not None
        bounds = (scaled[name]["minReplicaCount"], scaled[name]["maxReplicaCount"])
        assert bounds == (agent.autoscale.minimum, agent.autoscale.maximum)


@pytest.mark.parametrize("stack", THINKING)
def test_stores_have_the_members_and_volumes_of_the_configuration(stack: str) -> None:
    meta = spec_of(stack).meta
    sets = {inputs(r)["metadata"]["name"]: inputs(r)["spec"] for r in objects(graph_of(stack), "StatefulSet")}
    for name, size in (("qdrant", meta.vector), ("neo4j", meta.graph), ("mongodb", meta.documents)):
        claim = sets[name]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"]
        assert (size.replicas, f"{size.storage_gib}Gi") == (sets[name]["replicas"], claim), name


@pytest.mark.parametrize("stack", THINKING)
def test_provider_list_is_json_and_local_first(stack: str) -> None:
    (providers,) = [r for r in objects(graph_of(stack), "ConfigMap") if r.name.endswith("-providers")]
    rows = json.loads(inputs(providers)["data"]["providers.json"])
    assert [("local", spec_of(stack).cognitive.model)] == [(row["name"], row["model"]) for row in rows]


@pytest.mark.parametrize("stack", PLATFORMS)
def test_every_tier_is_there_with_its_namespace(stack: str) -> None:
    graph = graph_of(stack)
    found = [facts_of(r) for r in graph.resources]
    tiers = ({Tier.COGNITIVE, Tier.META} if stack in THINKING else set()) | (
        {Tier.EXECUTION} if stack in WORKING else set()
    )
    assert tiers == {f.tier for f in found if f and f.role == "tier"}
    wanted = {NAMESPACES[tier] for tier in (*tiers, Tier.CHANNELS, Tier.PLATFORM)}
    assert wanted <= {inputs(r)["metadata"]["name"] for r in objects(graph, "Namespace")}


@pytest.mark.parametrize("stack", STACKS)
def test_the_root_carries_the_configuration(stack: str) -> None:
    spec = spec_of(stack)
    _, fact = deployments(graph_of(stack))[-1]
    assert (spec.mode.value, spec.target.kind.value, spec.target.jurisdiction) == (
        fact.mode,
        fact.target.kind,
        fact.target.jurisdiction,
    )
    assert spec.target.connected == fact.target.connected
    assert spec.residency.profile == fact.residency_profile


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_has_a_parent_and_a_provider_of_its_own(stack: str) -> None:
    graph = graph_of(stack)

    def homeless(resource: Resource) -> bool:
        if not resource.custom or resource.is_provider or resource.type.startswith("pulumi:"):
            return False
        parent = graph.get(resource.parent)
        return parent is None or not parent.type.startswith("skerry:index:") or graph.provider_of(resource) is None

    assert [r.name for r in graph.resources if homeless(r)] == []


def modules() -> list[Path]:
    return sorted(path for folder in CLOUD_FREE for path in (ROOT / "components" / folder).glob("*.py"))


@pytest.mark.parametrize("path", modules(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_tiers_know_a_cluster_and_never_a_cloud(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Attribute) and node.attr in ("kind", "region"):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            assert owner != "target", f"line {node.lineno} asks which cloud it is"
    assert [name for name in sorted(imported) if name.startswith(CLOUDS) or name.endswith(".TargetKind")] == []
