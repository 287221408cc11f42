"""The cognitive tier: providers in order, keys apart, weights from a volume, time to start, growth by machines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from skerry.catalog import load_catalog
from skerry.config.load import load_spec
from skerry.errors import SizingError
from skerry.facts import ComponentFacts, facts_of
from skerry.graph import ResourceGraph
from skerry.serving_plan import plan
from tests.simulators.azure_stacks import azure_base
from tests.simulators.changed_stacks import run_core, shipped
from tests.simulators.moved_stacks import changed, gcp_base
from tests.simulators.provider_diff import changed as differences
from tests.simulators.replacements import replaced_by
from tests.simulators.stack_objects import AIRGAPPED, AWS, AWS_BASE, ONPREM, inputs, objects

SECOND = {"second": {"model": "llama-3.1-8b-instruct", "servers": 2}}
HOSTED: Mapping[str, Any] = {
    "cognitive.providers": ["local", "second-local", "openai", "anthropic"],
    "cognitive.api_key_secrets": {"openai": "openaiKey", "anthropic": "anthropicKey"},
    "cognitive.pool.minimum": 3,
    "cognitive.pool.maximum": 3,
    "cognitive.serving": SECOND,
}


@cache
def everyone() -> ResourceGraph:
    """Return a stack that asks everybody."""
    return run_core(ONPREM, HOSTED, secrets=("skerry:openaiKey", "skerry:anthropicKey"))


def named(graph: ResourceGraph, kind: str, name: str) -> dict[str, Any]:
    (found,) = [inputs(r) for r in objects(graph, kind) if inputs(r)["metadata"]["name"] == name]
    return found


def pod(graph: ResourceGraph, name: str) -> dict[str, Any]:
    return dict(named(graph, "Deployment", name)["spec"]["template"]["spec"])


def argument(graph: ResourceGraph, flag: str, name: str = "vllm") -> str:
    arguments: list[str] = pod(graph, name)["containers"][0]["args"]
    return arguments[arguments.index(flag) + 1]


def variables(graph: ResourceGraph, name: str) -> dict[str, Any]:
    return {row["name"]: row for row in pod(graph, name)["containers"][0]["env"]}


def test_providers_stand_in_the_order_of_asking_with_the_variable_of_each_key() -> None:
    rows = json.loads(named(everyone(), "ConfigMap", "model-providers")["data"]["providers.json"])
    host = "sensei-cognitive.svc.cluster.local:8000/v1"
    assert rows == [
        {"name": "local", "url": f"http://vllm.{host}", "model": "llama-3.3-70b-instruct"},
        {"name": "second-local", "url": f"http://vllm-second.{host}", "model": "llama-3.1-8b-instruct"},
        {"name": "openai", "url": "https://api.openai.com", "model": None, "key": "OPENAI_API_KEY"},
        {"name": "anthropic", "url": "https://api.anthropic.com", "model": None, "key": "ANTHROPIC_API_KEY"},
    ]


def test_each_hosted_provider_has_a_secret_of_its_own() -> None:
    for agent in ("scout", "architect"):
        found = variables(everyone(), agent)
        references = {
            name: found[name]["valueFrom"]["secretKeyRef"]["name"] for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")
        }
        assert references == {
            "OPENAI_API_KEY": "llm-api-key-openai",
            "ANTHROPIC_API_KEY": "llm-api-key-anthropic",
        }
        assert "LLM_API_KEY" not in found
    secrets = {inputs(r)["metadata"]["name"] for r in objects(everyone(), "Secret")}
    assert {"llm-api-key-openai", "llm-api-key-anthropic"} <= secrets


def test_the_one_key_of_old_still_serves_every_provider() -> None:
    graph = run_core(
        ONPREM,
        {"cognitive.providers": ["local", "openai"], "cognitive.api_key_secret": "oneKey"},
        secrets=("skerry:oneKey",),
    )
    assert variables(graph, "scout")["LLM_API_KEY"]["valueFrom"]["secretKeyRef"]["name"] == "llm-api-key"
    rows = json.loads(named(graph, "ConfigMap", "model-providers")["data"]["providers.json"])
    assert rows[1]["key"] == "LLM_API_KEY"


RANGES: Mapping[str, tuple[Mapping[str, Any], list[Any]]] = {
    "who publishes ranges is opened by them, who does not by the port": (
        {},
        [
            {"to": [{"ipBlock": {"cidr": "160.79.104.0/23"}}], "ports": [{"port": 443, "protocol": "TCP"}]},
            {"ports": [{"port": 443, "protocol": "TCP"}]},
        ],
    ),
    "ranges of the configuration close the rest": (
        {"cognitive.provider_cidrs": {"openai": ["203.0.113.0/28"]}},
        [
            {"to": [{"ipBlock": {"cidr": "203.0.113.0/28"}}], "ports": [{"port": 443, "protocol": "TCP"}]},
            {"to": [{"ipBlock": {"cidr": "160.79.104.0/23"}}], "ports": [{"port": 443, "protocol": "TCP"}]},
        ],
    ),
}


@pytest.mark.parametrize(("changes", "rules"), RANGES.values(), ids=RANGES.keys())
def test_egress_goes_to_the_providers_that_are_asked(changes: Mapping[str, Any], rules: list[Any]) -> None:
    secrets = ("skerry:openaiKey", "skerry:anthropicKey")
    graph = run_core(ONPREM, {**HOSTED, **changes}, secrets=secrets)
    (policy,) = [
        inputs(r)["spec"]
        for r in objects(graph, "NetworkPolicy")
        if (inputs(r)["metadata"]["namespace"], inputs(r)["metadata"]["name"]) == ("sensei-cognitive", "allow-internet")
    ]
    assert policy["egress"] == rules


@pytest.mark.parametrize("stack", [AIRGAPPED, ONPREM])
def test_local_inference_opens_no_way_out(stack: str) -> None:
    graph = run_core(stack, {})
    names = {inputs(r)["metadata"]["name"] for r in objects(graph, "NetworkPolicy")}
    assert "allow-internet" not in names


def test_the_second_model_takes_its_gpus_before_the_first() -> None:
    graph = everyone()
    replicas = {name: named(graph, "Deployment", name)["spec"]["replicas"] for name in ("vllm", "vllm-second")}
    # 3 machines of 8 x 40 GiB: 70B in 16 bits takes 8, and the two servers of 8B stand on two of the machines.
    assert replicas == {"vllm": 1, "vllm-second": 2}
    assert argument(graph, "--tensor-parallel-size", "vllm-second") == "1"
    assert {"vllm", "vllm-second"} <= {inputs(r)["metadata"]["name"] for r in objects(graph, "Service")}


def test_agents_start_again_by_themselves_and_servers_give_way_one_at_a_time() -> None:
    for agent in ("scout", "architect"):
        assert pod(everyone(), agent).get("restartPolicy", "Always") == "Always"
        assert {"readinessProbe", "livenessProbe", "startupProbe"} <= pod(everyone(), agent)["containers"][0].keys()
    assert named(everyone(), "PodDisruptionBudget", "scout")["spec"]["maxUnavailable"] == 1


def test_nothing_scales_the_tier_by_load() -> None:
    for stack in (AIRGAPPED, AWS, ONPREM):
        kinds = {r.type.rpartition(":")[2] for r in run_core(stack, {}).resources}
        assert not {"HorizontalPodAutoscaler", "ScaledObject"} & kinds


START: Mapping[str, tuple[Mapping[str, Any], int]] = {
    # 141.2 GB over 1 Gbit/s, of which 0.7 count: 1614 s, and 600 s more
    "70B over one gigabit": ({}, 2220),
    "70B over ten": ({"cognitive.serving": {"weights": {"link_gbit_s": 10}}}, 770),
    # Half the bytes, and two servers of four GPUs share the machine's link.
    "fp8 files over one": ({"cognitive.precision": "fp8", "cognitive.serving": {"weights": {"files": "fp8"}}}, 2220),
}


@pytest.mark.parametrize(("changes", "seconds"), START.values(), ids=START.keys())
def test_a_server_has_time_to_read_its_weights(changes: Mapping[str, Any], seconds: int) -> None:
    graph = run_core(ONPREM, changes)
    probe = pod(graph, "vllm")["containers"][0]["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == seconds
    assert named(graph, "Deployment", "vllm")["spec"]["progressDeadlineSeconds"] == seconds + 600


QUANTISED: Mapping[str, tuple[Mapping[str, Any], bool]] = {
    "fp8 is made of bf16 files": ({"cognitive.precision": "fp8"}, True),
    "fp8 files say so themselves": (
        {"cognitive.precision": "fp8", "cognitive.serving": {"weights": {"files": "fp8"}}}, False,
    ),
    "int4 files say so themselves, and get the fast kernel": ({"cognitive.precision": "int4"}, False),
    "bf16 is what it is": ({}, False),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "told"), QUANTISED.values(), ids=QUANTISED.keys())
def test_vllm_is_told_of_a_format_only_where_it_makes_it(changes: Mapping[str, Any], told: bool) -> None:
    arguments = pod(run_core(ONPREM, changes), "vllm")["containers"][0]["args"]
    assert ("--quantization" in arguments) == told


def test_an_explicit_tensor_parallel_is_taken() -> None:
    graph = run_core(ONPREM, {"cognitive.precision": "fp8", "cognitive.serving": {"tensor_parallel": 4}})
    assert argument(graph, "--tensor-parallel-size") == "4"
    assert named(graph, "Deployment", "vllm")["spec"]["replicas"] == 4, "two servers on each of two machines"


def weights_facts(graph: ResourceGraph) -> ComponentFacts:
    (found,) = [facts for facts in map(facts_of, graph.resources) if facts and facts.role == "model-weights"]
    return found


def test_weights_on_a_volume_are_read_and_never_written() -> None:
    made = {"weights": {"source": "volume", "storage_class": "shared"}}
    graph = run_core(AIRGAPPED, {"cognitive.serving": made})
    spec = pod(graph, "vllm")
    claim = {"claimName": "model-weights", "readOnly": True}
    assert {"name": "weights", "persistentVolumeClaim": claim} in spec["volumes"]
    container = spec["containers"][0]
    assert {"name": "weights", "mountPath": "/weights", "readOnly": True} in container["volumeMounts"]
    assert container["args"][0] == "/weights/models/llama-3.3-70b-instruct"
    assert "BUCKET" not in {row["name"] for row in container["env"]}
    (volume,) = objects(graph, "PersistentVolumeClaim")
    asked = inputs(volume)["spec"]
    assert (asked["accessModes"], asked["storageClassName"]) == (["ReadWriteMany"], "shared")
    assert (volume.protect, volume.retain_on_delete) == (True, True)
    (storage,) = weights_facts(graph).storage
    # 141.2 GB are 131.5 GiB, and a fifth more
    assert (storage.kind, storage.gib, storage.storage_class) == ("model-cache", 158, "shared")
    assert asked["resources"]["requests"]["storage"] == "158Gi"


def test_a_claim_of_the_site_is_used_and_not_made() -> None:
    theirs = {"weights": {"source": "volume", "volume_claim": "carried-models"}}
    graph = run_core(AIRGAPPED, {"cognitive.serving": theirs})
    assert objects(graph, "PersistentVolumeClaim") == []
    claims = [volume.get("persistentVolumeClaim") for volume in pod(graph, "vllm")["volumes"]]
    assert {"claimName": "carried-models", "readOnly": True} in claims
    assert weights_facts(graph).storage[0].gib == 158


def test_the_graph_shows_the_sum_and_what_the_gpu_does_with_the_format() -> None:
    graph = run_core(ONPREM, {"cognitive.precision": "fp8"})
    (server,) = [r for r in graph.resources if r.type.endswith(":ModelServer")]
    assert server.outputs is not None
    said = {key: str(server.outputs[key]) for key in ("sizing", "start")}
    assert "GiB of weights (70.6e9 x 1 B)" in said["sizing"]
    assert "fp8 weights only: A100 (Ampere) widens them to 16 bits" in said["sizing"]
    assert said["start"].startswith("141.2 GB x 8 x 2 servers / (1 Gbit/s x 0.70)")


def test_without_a_pool_there_is_no_plan() -> None:
    spec = load_spec(shipped(AWS), AWS).cognitive
    with pytest.raises(SizingError, match=r"needs cognitive\.pool and cognitive\.model: add what is missing"):
        plan(spec.model_copy(update={"pool": None}), load_catalog().models, renames=True)


BIGGER: Mapping[str, Any] = {
    "cognitive.pool.machine": {"vcpu": 96, "memory_gib": 1152, "gpu_model": "A100", "gpus": 8, "gpu_memory_gib": 80}
}


def replaced(before: ResourceGraph, after: ResourceGraph, kind: str, name: str) -> set[str]:
    """Return the paths whose change replaces the only resource of that kind and name, as the table has it."""
    (old,) = [r for r in before.resources if r.type == kind and name in r.name]
    (new,) = [r for r in after.resources if r.type == kind and name in r.name]
    assert old.urn == new.urn
    paths = {path for path, _ in differences(inputs(old), inputs(new))}
    return {path for path in paths if replaced_by(kind, path)}


def test_on_aws_larger_gpus_are_a_new_group_before_the_old_one_goes() -> None:
    kind = "aws:eks/nodeGroup:NodeGroup"
    after = run_core(AWS_BASE, BIGGER)
    assert replaced(run_core(AWS_BASE, {}), after, kind, "cognitive") == {"instanceTypes[0]"}
    (group,) = [r for r in after.resources if r.type == kind and "cognitive" in r.name]
    assert "nodeGroupName" not in inputs(group), "a name of its own would stand in the way of its successor"
    assert not group.delete_before_replace


def test_on_google_cloud_larger_gpus_are_a_new_pool_before_the_old_one_goes() -> None:
    kind = "gcp:container/nodePool:NodePool"
    after = gcp_base({"cognitive.pool.machine": {**BIGGER["cognitive.pool.machine"], "gpu_model": "H100"}})
    assert "nodeConfig.guestAccelerators[0].type" in replaced(gcp_base(), after, kind, "cognitive")
    (pool,) = [r for r in after.resources if r.type == kind and "cognitive" in r.name]
    assert "name" not in inputs(pool)
    assert not pool.delete_before_replace


def test_on_azure_larger_gpus_are_a_pool_of_another_name_before_the_old_one_goes() -> None:
    kind = "azure-native:containerservice:AgentPool"
    larger = {"cognitive.pool.machine": {**BIGGER["cognitive.pool.machine"], "gpu_model": "H100"}}
    before, after = azure_base(), azure_base(larger)
    assert "vmSize" in replaced(before, after, kind, "cognitive")
    (pool,) = [r for r in after.resources if r.type == kind and "cognitive" in r.name]
    assert not pool.delete_before_replace
    (more,) = [r for r in azure_base({"cognitive.pool.maximum": 4}).resources if r.type == kind and r.name == pool.name]
    (same,) = [r for r in before.resources if r.type == kind and r.name == pool.name]
    assert inputs(more)["agentPoolName"] == inputs(same)["agentPoolName"], "another size is no other pool"
    assert inputs(pool)["agentPoolName"] != inputs(same)["agentPoolName"], "two of one name cannot stand at once"
    assert len(inputs(pool)["agentPoolName"]) <= 12


def test_larger_gpus_change_what_servers_take_and_nothing_of_the_stores() -> None:
    before, after = run_core(ONPREM, {}), run_core(ONPREM, BIGGER)
    assert argument(before, "--tensor-parallel-size") == "8"
    assert argument(after, "--tensor-parallel-size") == "4"
    stores = {r.urn: inputs(r)["spec"] for r in objects(before, "StatefulSet")}
    assert stores == {r.urn: inputs(r)["spec"] for r in objects(after, "StatefulSet")}


def test_the_configuration_of_the_test_is_a_valid_one() -> None:
    assert load_spec(changed(shipped(ONPREM), HOSTED), ONPREM).cognitive.serving.second is not None
