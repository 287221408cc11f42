"""What the configuration refuses of GPUs, models and providers, each with the reason, the sum and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from skerry.config.load import load_spec
from skerry.errors import ConfigError
from tests.simulators.changed_stacks import shipped
from tests.simulators.moved_stacks import GCP_TARGET, changed, moved
from tests.simulators.stack_objects import AIRGAPPED, AWS, ONPREM

SMALL = {
    "cognitive.model": "llama-3.1-8b-instruct",
    "cognitive.context_tokens": 8192,
    "cognitive.serving": {"cache_tokens": 8192},
}
A100_80 = {"vcpu": 96, "memory_gib": 1152, "gpu_model": "A100", "gpus": 8, "gpu_memory_gib": 80}
L40S = {"vcpu": 96, "memory_gib": 768, "gpu_model": "L40S", "gpus": 4, "gpu_memory_gib": 48}
HALVES = {"mode": "mig", "profile": "3g.40gb"}


def problems(stack: str, changes: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a shipped stack that was changed."""
    try:
        load_spec(changed(shipped(stack), changes), stack)
    except ConfigError as exc:
        return [str(problem) for problem in exc.problems]
    return []


def on_gke(changes: Mapping[str, Any]) -> list[str]:
    try:
        load_spec(changed(moved(AWS, GCP_TARGET), changes), "gke")
    except ConfigError as exc:
        return [str(problem) for problem in exc.problems]
    return []


GOOD: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "time-slicing of two": (ONPREM, {**SMALL, "cognitive.pool.sharing": {"mode": "time-slicing", "replicas": 2}}),
    "mps in equal shares": (ONPREM, {**SMALL, "cognitive.pool.sharing": {"mode": "mps", "shares": [50, 50]}}),
    "slices of one size": (ONPREM, {**SMALL, "cognitive.pool.machine": A100_80, "cognitive.pool.sharing": HALVES}),
    "slices of several sizes, cut by the operator": (
        AWS,
        {
            **SMALL,
            "gpu.devices": "operator",
            "cognitive.pool.machine": {**A100_80, "instance_type": "p4de.24xlarge"},
            "cognitive.pool.sharing": {
                "mode": "mig", "strategy": "mixed", "profile": "3g.40gb",
                "layout": {"3g.40gb": 1, "2g.20gb": 1, "1g.10gb": 2},
            },
        },
    ),
    "claims on a cluster that is new enough": (AWS, {"cognitive.pool.sharing": {"mode": "dra"}}),
    "fp8 on an A100": (ONPREM, {"cognitive.precision": "fp8"}),
    "an explicit tensor parallel": (ONPREM, {"cognitive.serving.tensor_parallel": 8}),
    "a hosted provider with a key of its own": (
        AWS, {"cognitive.providers": ["local", "openai"], "cognitive.api_key_secrets": {"openai": "openaiKey"}},
    ),
    "two hosted providers with the one key of old": (
        AWS, {"cognitive.providers": ["openai", "anthropic"], "cognitive.api_key_secret": "llmKey",
              "cognitive.pool": None, "gpu": None},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GOOD)
def test_what_hardware_and_target_allow_is_accepted(case: str) -> None:
    assert problems(*GOOD[case]) == []


BAD: Mapping[str, tuple[str, Mapping[str, Any], str]] = {
    "unequal shares": (
        ONPREM,
        {**SMALL, "cognitive.pool.sharing": {"mode": "mps", "shares": [40, 10, 10, 20, 20]}},
        "cognitive.pool.sharing.shares: 40 + 10 + 10 + 20 + 20 = 100 percent in 5 unequal parts: on Kubernetes the "
        "device plugin gives each of the 5 clients an equal 1/5 = 20.0 percent of memory and threads; use MIG profiles "
        "of unequal size (mode: mig, strategy: mixed), claims (mode: dra), or replicas: 5",
    ),
    "equal shares of more than one GPU": (
        ONPREM,
        {**SMALL, "cognitive.pool.sharing": {"mode": "mps", "shares": [60, 60]}},
        "cognitive.pool.sharing.shares: 60 + 60 = 120 percent; name two parts or more of at most 100 together",
    ),
    "mps without a number": (
        ONPREM,
        {**SMALL, "cognitive.pool.sharing": {"mode": "mps"}},
        "cognitive.pool.sharing: mps takes either replicas or shares; say how many pods share one GPU by `replicas`",
    ),
    "mps on slices": (
        ONPREM,
        {**SMALL, "cognitive.pool.machine": A100_80, "cognitive.pool.sharing": {**HALVES, "replicas": 2}},
        "cognitive.pool.sharing.replicas: is for time-slicing and mps, and mode is mig; remove it: ways exclude others",
    ),
    "mps and time-slicing": (
        ONPREM,
        {**SMALL, "cognitive.pool.sharing": {"mode": "time-slicing", "replicas": 2, "shares": [50, 50]}},
        "cognitive.pool.sharing.shares: is for mps, and mode is time-slicing; remove it: ways exclude others",
    ),
    "slices of a GPU that has none": (
        ONPREM,
        {**SMALL, "cognitive.pool.machine": L40S, "cognitive.pool.sharing": HALVES},
        "cognitive.pool.sharing.mode: L40S of 48 GiB (Ada Lovelace) has no MIG mode: these can be cut: A100, A30, "
        "H100, H100NVL, H200, B200, RTX PRO 6000; use time-slicing or mps, or other GPUs",
    ),
    "slices of a GPU that nobody knows": (
        ONPREM,
        {
            **SMALL,
            "cognitive.pool.machine": {**A100_80, "gpu_model": "X9"},
            "cognitive.pool.sharing": HALVES,
        },
        "cognitive.pool.sharing.mode: X9 of 80 GiB is not in the table of GPU models: these can be cut",
    ),
    "too many slices": (
        ONPREM,
        {
            **SMALL,
            "cognitive.pool.machine": A100_80,
            "cognitive.pool.sharing": {**HALVES, "strategy": "mixed", "layout": {"3g.40gb": 2, "1g.10gb": 1}},
        },
        "cognitive.pool.sharing: 2 x 3g.40gb + 1 x 1g.10gb = 90 GB, and A100 has 80; choose slices that fit one GPU",
    ),
    "slices that the plugin should cut": (
        AWS,
        {
            **SMALL,
            "cognitive.pool.machine": {**A100_80, "instance_type": "p4de.24xlarge"},
            "cognitive.pool.sharing": HALVES,
        },
        "gpu.devices: the device plugin counts slices and cuts no GPU; use operator, whose MIG manager cuts them",
    ),
    "claims on an old cluster": (
        AWS,
        {"target.aws.kubernetes_version": "1.33", "cognitive.pool.sharing": {"mode": "dra"}},
        "cognitive.pool.sharing.mode: dra needs Kubernetes 1.34 or later, and the cluster has 1.33; upgrade, or share "
        "otherwise",
    ),
    "claims on a cluster whose version nobody said": (
        ONPREM,
        {"cognitive.pool.sharing": {"mode": "dra"}},
        "gpu.kubernetes_version: is required for dra, which needs 1.34; name the cluster's version",
    ),
    "parts of GPUs for a server that needs four": (
        ONPREM,
        {"cognitive.serving.tensor_parallel": 4, "cognitive.pool.sharing": {"mode": "time-slicing", "replicas": 2}},
        "cognitive: llama-3.3-70b-instruct with tensor parallel 4 needs whole GPUs, and time-slicing gives parts of "
        "them: set cognitive.pool.sharing.mode to none, or tensor parallel to 1",
    ),
    "parts that are too small": (
        ONPREM,
        {"cognitive.pool.sharing": {"mode": "time-slicing", "replicas": 2}},
        "cognitive: llama-3.3-70b-instruct in bf16 does not fit one of 8 GPUs x 2 = 16 parts of 40 / 2 = 20 GiB: "
        "1 x (20 GiB x 0.90 - 2) = 16.0 GiB for 131.5 GiB",
    ),
    "a pipeline over machines": (
        ONPREM,
        {"cognitive.serving.pipeline_parallel": 2},
        "cognitive.serving.pipeline_parallel: 2 machines of one server need a cluster of pods that start and fail "
        "together, and a server here is one pod of one machine; use a machine with more GPUs, larger GPUs or a smaller "
        "precision",
    ),
    "a tensor parallel that does not hold the model": (
        ONPREM,
        {"cognitive.serving.tensor_parallel": 1},
        "cognitive: llama-3.3-70b-instruct in bf16 does not fit 8 x 40 GiB GPUs of one node: 1 x (40 GiB x 0.90 - 2)",
    ),
    "one local server and nothing behind it": (
        AIRGAPPED,
        {"cognitive.serving.servers": 1},
        "cognitive.serving.servers: is 1, and no other provider answers when that server does not; run 2 or more, or "
        "add second-local",
    ),
    "more servers than machines hold": (
        AIRGAPPED,
        {"cognitive.serving.servers": 3},
        "cognitive: servers that take 3 x 8 = 24 units do not fit 2 machines x 8 (8 whole GPUs of 40 GiB), none of "
        "them split over machines: run fewer, or raise cognitive.pool.minimum",
    ),
    "a second model that leaves nothing": (
        AIRGAPPED,
        {
            "cognitive.providers": ["local", "second-local"],
            "cognitive.serving": {"second": {"model": "llama-3.1-8b-instruct", "servers": 2}},
        },
        "cognitive: no GPUs are left for llama-3.3-70b-instruct: 2 machines x 8 - 2 x 1 leave no 8 on one machine",
    ),
    "a second model that nobody asks": (
        ONPREM,
        {"cognitive.serving": {"second": {"model": "llama-3.1-8b-instruct"}}},
        "cognitive.serving.second: is asked by nobody; add second-local to cognitive.providers",
    ),
    "a second provider without a model": (
        ONPREM,
        {"cognitive.providers": ["local", "second-local"]},
        "cognitive.serving.second: is required for the provider second-local; name its model",
    ),
    "a second model that no row has": (
        ONPREM,
        {
            "cognitive.providers": ["local", "second-local"],
            "cognitive.serving": {"second": {"model": "gpt-5"}},
        },
        "cognitive.serving.second.model: 'gpt-5' is not in images/models.yaml",
    ),
    "a quantised file that vLLM does not serve": (
        ONPREM,
        {"cognitive.model": "llama-3.1-8b-instruct-q4"},
        "cognitive.model: 'llama-3.1-8b-instruct-q4' is a quantised file for CPU servers; use one of",
    ),
    "the same provider twice": (
        ONPREM,
        {"cognitive.providers": ["local", "local"]},
        "cognitive.providers: 'local' is named twice; name each once, in the order of asking",
    ),
    "one of two hosted providers without a key": (
        AWS,
        {
            "cognitive.providers": ["openai", "anthropic"],
            "cognitive.api_key_secrets": {"openai": "openaiKey"},
            "cognitive.pool": None,
        },
        "cognitive.api_key_secret: is required for anthropic; name a secret config key",
    ),
    "a key of a provider that is not asked": (
        AWS,
        {"cognitive.api_key_secrets": {"openai": "openaiKey"}},
        "cognitive.api_key_secrets.openai: is the key of a provider that is not asked; remove it",
    ),
    "a volume that one machine can mount": (
        ONPREM,
        {"cognitive.serving": {"weights": {"source": "volume"}}},
        "cognitive.serving.weights.storage_class: is required for a volume without a claim, because every server "
        "mounts it; name a class whose volumes many machines can mount, or the volume_claim of one that is there",
    ),
    "a claim for the object store": (
        ONPREM,
        {"cognitive.serving": {"weights": {"volume_claim": "models"}}},
        "cognitive.serving.weights.volume_claim: is for source: volume, and source is object-store; remove it",
    ),
    "a driver built where no package comes": (
        AIRGAPPED,
        {"gpu": {"devices": "operator", "driver": "operator"}},
        "gpu.driver: operator builds the driver on each machine with packages of its distribution, which a site "
        "without a connection has not; put the driver on the machines and use host",
    ),
    "a driver for machines that have one": (
        AWS,
        {"gpu": {"devices": "operator", "driver": "operator"}},
        "gpu.driver: the machines of aws bring the driver; use host",
    ),
    "a driver whose image nobody named": (
        ONPREM,
        {"gpu": {"devices": "operator", "driver": "operator"}},
        "gpu.driver_image: is required for driver: operator: its tag depends on the machines' distribution",
    ),
    "the cloud's way on machines without a cloud": (
        ONPREM,
        {"gpu": {"devices": "cloud"}},
        "gpu.devices: cloud is not possible on onprem; use auto or site, device-plugin, operator",
    ),
    "a queue behind servers that take everything": (
        AWS,
        {"gpu": {"queue": {"tiers": ["meta"]}}},
        "gpu.queue: nothing is left to queue for: 2 machines x 8 - 2 x 8 (llama-3.3-70b-instruct) = 0",
    ),
    "a queue for a tier that is none": (
        AWS,
        {"gpu": {"queue": {"tiers": ["edge"]}}},
        "gpu.queue.tiers: 'edge' is no tier, or named twice; use cognitive, execution, meta",
    ),
    "readers of metrics that nobody makes": (
        AWS,
        {"gpu": {"metrics_readers": ["monitoring"]}},
        "gpu.metrics_readers: there are no metrics to read; set metrics: true, or remove it",
    ),
    "metrics without GPUs": (
        AWS,
        {
            "gpu": {"metrics": True},
            "cognitive.pool": None,
            "cognitive.providers": ["openai"],
            "cognitive.api_key_secret": "key",
        },
        "gpu: there are no GPU machines; set cognitive.pool.machine.gpus, or remove it",
    ),
    "sharing of the stores' machines": (
        AWS,
        {"meta.pool.sharing": {"mode": "time-slicing", "replicas": 2}},
        "meta.pool.sharing: is for the GPU machines of the cognitive tier; remove it",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_is_refused_with_its_reason(case: str) -> None:
    stack, changes, expected = BAD[case]
    found = problems(stack, changes)
    assert any(line.startswith(expected) for line in found), "\n".join(found)


ON_GKE: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "claims": (
        {"cognitive.pool.sharing": {"mode": "dra"}},
        "cognitive.pool.sharing.mode: dra needs GPU machines of GKE without Google's driver and plugin",
    ),
    "NVIDIA's operator": (
        {"gpu": {"devices": "operator"}},
        "gpu.devices: operator is not possible on gcp; use auto or cloud",
    ),
}


@pytest.mark.parametrize(("changes", "expected"), ON_GKE.values(), ids=ON_GKE.keys())
def test_what_gke_does_otherwise_is_refused(changes: Mapping[str, Any], expected: str) -> None:
    assert any(line.startswith(expected) for line in on_gke(changes)), "\n".join(on_gke(changes))
