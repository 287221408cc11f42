"""Which models, providers and keys make sense together: what cannot fit, cannot be reached or has nothing behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from skerry.catalog import load_catalog
from skerry.config.serving import WeightsSource
from skerry.config.spec import CognitiveSpec, DeploymentSpec, ModelProvider, TargetKind
from skerry.errors import Problem, SizingError, UsageError
from skerry.jurisdictions import countries
from skerry.serving_plan import ServingPlan, plan
from skerry.small_models import is_gguf

HOSTED: Final = (ModelProvider.OPENAI, ModelProvider.ANTHROPIC)
"""Providers that somebody else runs."""


def model_problems(spec: DeploymentSpec) -> Iterator[Problem]:
    """Return what cannot be of models, providers, keys and weights."""
    yield from _providers(spec)
    yield from _keys(spec.cognitive)
    yield from _weights(spec.cognitive)
    yield from _local(spec)


def _providers(spec: DeploymentSpec) -> Iterator[Problem]:
    cognitive = spec.cognitive
    names = [provider.value for provider in cognitive.providers]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem("cognitive.providers", f"'{name}' is named twice", "name each once, in the order of asking")
    hosted = [provider.value for provider in cognitive.providers if provider in HOSTED]
    if hosted and not spec.target.connected:
        yield Problem(
            "cognitive.providers", f"{', '.join(hosted)} cannot be reached without a connection", "use only local"
        )
    second = ModelProvider.SECOND_LOCAL in cognitive.providers
    if second and cognitive.serving.second is None:
        yield Problem("cognitive.serving.second", "is required for the provider second-local", "name its model")
    if second and ModelProvider.LOCAL not in cognitive.providers:
        yield Problem("cognitive.providers", "second-local comes after local", "add local before it")
    if not second and cognitive.serving.second is not None:
        yield Problem("cognitive.serving.second", "is asked by nobody", "add second-local to cognitive.providers")


def _keys(cognitive: CognitiveSpec) -> Iterator[Problem]:
    hosted = [provider for provider in cognitive.providers if provider in HOSTED]
    without = [provider.value for provider in hosted if provider not in cognitive.api_key_secrets]
    if without and not cognitive.api_key_secret:
        yield Problem("cognitive.api_key_secret", f"is required for {', '.join(without)}", "name a secret config key")
    for provider, codes in cognitive.provider_jurisdictions.items():
        path = f"cognitive.provider_jurisdictions.{provider.value}"
        if provider not in hosted:
            yield Problem(path, "is of a provider that is not asked", "remove it")
        for code in codes:
            try:
                countries(code)
            except UsageError as exc:
                yield Problem(path, str(exc))
    for provider in cognitive.api_key_secrets:
        if provider not in hosted:
            yield Problem(
                f"cognitive.api_key_secrets.{provider.value}", "is the key of a provider that is not asked", "remove it"
            )


def _weights(cognitive: CognitiveSpec) -> Iterator[Problem]:
    weights, path = cognitive.serving.weights, "cognitive.serving.weights"
    named = [name for name in ("volume_claim", "storage_class") if getattr(weights, name) is not None]
    if weights.source is WeightsSource.OBJECT_STORE:
        for name in named:
            yield Problem(f"{path}.{name}", "is for source: volume, and source is object-store", "remove it")
    elif not named:
        yield Problem(
            f"{path}.storage_class",
            "is required for a volume without a claim, because every server mounts it",
            "name a class whose volumes many machines can mount, or the volume_claim of one that is there",
        )
    elif len(named) > 1:
        yield Problem(f"{path}.storage_class", "is for a volume without a claim, and one is named", "remove it")


def _local(spec: DeploymentSpec) -> Iterator[Problem]:
    cognitive = spec.cognitive
    if ModelProvider.LOCAL not in cognitive.providers:
        return
    if cognitive.pool is None or cognitive.model is None:
        missing = "pool" if cognitive.pool is None else "model"
        yield Problem(f"cognitive.{missing}", "is required for the provider local", "add it")
        return
    machine = cognitive.pool.machine
    if not machine.gpus or not machine.gpu_memory_gib:
        yield Problem("cognitive.pool.machine.gpus", "local inference needs GPUs", "set gpus and gpu_memory_gib")
        return
    serving, models = cognitive.serving, load_catalog().models
    named = {"cognitive.model": cognitive.model}
    if serving.second is not None:
        named["cognitive.serving.second.model"] = serving.second.model
    # vLLM serves the files of a repository; a single quantised file is for servers on CPUs.
    served = [name for name, row in models.items() if not is_gguf(row)]
    unknown = [(path, name) for path, name in named.items() if name not in served]
    for path, name in unknown:
        text = "is a quantised file for CPU servers" if name in models else "is not in images/models.yaml"
        yield Problem(path, f"'{name}' {text}", f"use one of {', '.join(sorted(served))}")
    if serving.pipeline_parallel > 1:
        yield Problem(
            "cognitive.serving.pipeline_parallel",
            f"{serving.pipeline_parallel} machines of one server need a cluster of pods that start and fail together, "
            "and a server here is one pod of one machine",
            "use a machine with more GPUs, larger GPUs or a smaller precision",
        )
    if not unknown:
        yield from _planned(spec)


def _planned(spec: DeploymentSpec) -> Iterator[Problem]:
    try:
        made = plan(spec.cognitive, load_catalog().models, renames=spec.target.kind is not TargetKind.GCP)
    except SizingError as exc:
        yield Problem("cognitive", str(exc))
        return
    servers = sum(one.servers for one in made.servers)
    if servers < 2 and not any(provider in HOSTED for provider in spec.cognitive.providers):
        yield Problem(
            "cognitive.serving.servers",
            "is 1, and no other provider answers when that server does not",
            "run 2 or more, or add second-local" + (" or a hosted provider" if spec.target.connected else ""),
        )
    yield from _queued(spec, made)


def _queued(spec: DeploymentSpec, made: ServingPlan) -> Iterator[Problem]:
    pool = spec.cognitive.pool
    if spec.gpu.queue is None or pool is None:
        return
    left = made.share.per_node * pool.maximum - sum(one.units for one in made.servers)
    if left <= 0:
        taken = " - ".join(f"{one.servers} x {one.fit.tensor_parallel} ({one.model})" for one in made.servers)
        yield Problem(
            "gpu.queue",
            f"nothing is left to queue for: {pool.maximum} machines x {made.share.per_node} - {taken} = {left}",
            "set cognitive.serving.servers, or add machines",
        )
