"""The cognitive tier: frontier inference on GPUs (or at a provider), Scout and Architect agents. It keeps no state."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Final, assert_never

import pulumi
from pulumi_kubernetes.core.v1 import Secret

from components.base import SkerryComponent
from components.channels.blob_container import ObjectProtocol
from components.channels.object_store import ObjectAccess
from components.kubernetes.cluster import Cluster
from components.kubernetes.workload import (
    Container,
    EnvValue,
    Perhaps,
    SecretKey,
    Workload,
    config_map,
    deployment,
    host_name,
    http_probe,
    service,
)
from components.tiers.agents import AgentGroup, Environment
from skerry.config.spec import CognitiveSpec, ModelProvider
from skerry.errors import SizingError
from skerry.facts import ComponentFacts, EndpointFact, ImageFact, Tier
from skerry.sizing import Fit, fit

PORT: Final = 8000
API_KEY_SECRET: Final = "llm-api-key"
"""The Kubernetes Secret (key `api-key`) for a hosted provider, made of the stack's secret `api_key_secret`."""

STARTUP_S: Final = 2400
"""Seconds that a server may take to start: 140 GB of weights over a 1 Gbit/s link take about 19 minutes."""

HOSTED: Final = {ModelProvider.OPENAI: "api.openai.com", ModelProvider.ANTHROPIC: "api.anthropic.com"}
"""Source: the vendors' API references (not opened; check before relying on it)."""

PROVIDERS_MAP: Final = "model-providers"


def hosted_endpoints(spec: CognitiveSpec) -> tuple[EndpointFact, ...]:
    """Return the addresses that the tier must reach: none when all inference is local."""
    return tuple(
        EndpointFact(
            name=provider.value,
            host=HOSTED[provider],
            port=443,
            protocol="https",
            direction="egress",
            scope="internet",
            why="inference at a provider",
        )
        for provider in spec.providers
        if provider in HOSTED
    )


class ModelServer(SkerryComponent):
    """Serves one model by vLLM; replicas are servers, and more capacity means larger GPUs, not more replicas."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        spec: CognitiveSpec,
        objects: ObjectAccess,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the servers.

        Weights are streamed from the bucket of the object store, under `models/<name>`; nothing is downloaded.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: the namespace of the cognitive tier.
            spec: model, precision, context.
            objects: the store that holds the weights.
            opts: Pulumi's options.

        Raises:
            SizingError: the model does not fit the GPUs of one node.
        """
        model = cluster.catalog.model(f"{spec.model}", "local inference")
        sized = _sized(cluster, spec)
        image = cluster.catalog.image("vllm", cluster.target, "local inference")
        nodes = cluster.placements[Tier.COGNITIVE].nodes_minimum
        replicas = nodes * sized.servers_per_node
        facts = ComponentFacts(
            tier=Tier.COGNITIVE,
            role="inference-server",
            replicas=replicas,
            images=(image,),
            models=(model,),
            ports={"http": PORT},
        )
        super().__init__(name, facts, opts)
        workload = Workload(
            name="vllm",
            namespace=namespace,
            placement=cluster.placements[Tier.COGNITIVE],
            replicas=replicas,
            empty_dirs=("tmp", "home"),
            host_ipc_memory="16Gi",
            service_account="agents",
            termination_grace_s=120,
            # Every GPU may be taken, so the old pod goes first. The weights are put into the bucket once it exists,
            # which is after the first `pulumi up`: nothing there waits for the servers.
            surge=False,
            patience_s=STARTUP_S + 600,
            awaited=False,
            containers=(_server(image, spec, sized, objects),),
        )
        deployment(self, "deployment", cluster, workload)
        service(self, "service", cluster, workload)
        endpoint = host_name("vllm", namespace)
        self.finish(endpoint=endpoint, port=PORT, secret_ref=None, metrics_endpoint=f"http://{endpoint}:{PORT}/metrics")


def _server(image: ImageFact, spec: CognitiveSpec, sized: Fit, objects: ObjectAccess) -> Container:
    client = objects.client_environment()
    return Container(
        name="vllm",
        image=image,
        command=("vllm", "serve"),
        cpu=str(4 * sized.tensor_parallel),
        memory=f"{24 * sized.tensor_parallel}Gi",
        gpus=sized.tensor_parallel,
        args=_arguments(spec, sized, _weights(objects.protocol)),
        env={
            **client,
            **_path_style(client.get("AWS_ENDPOINT_URL")),
            # Source: huggingface_hub "Environment variables", vllm docs/usage/usage_stats.md, read 2026-11
            "HF_HUB_OFFLINE": "1",
            "VLLM_NO_USAGE_STATS": "1",
            "HOME": "/home/vllm",
        },
        ports={"http": PORT},
        startup=http_probe("http", "/health", periodSeconds=10, failureThreshold=STARTUP_S // 10),
        readiness=http_probe("http", "/health", periodSeconds=10),
        liveness=http_probe("http", "/health", periodSeconds=30, failureThreshold=4),
        mounts={"tmp": "/tmp", "home": "/home/vllm", "shm": "/dev/shm"},
        writable_root=True,
    )


_PATH_STYLE: Final = {"RUNAI_STREAMER_S3_USE_VIRTUAL_ADDRESSING": "0", "AWS_EC2_METADATA_DISABLED": "true"}
"""What a store beside S3 needs: the bucket in the path. Source: the page of `_arguments`, read 2026-11."""


def _path_style(url: EnvValue | None) -> dict[str, EnvValue]:
    if isinstance(url, Perhaps):
        return {name: Perhaps(url.value.apply(_where(text))) for name, text in _PATH_STYLE.items()}
    return dict(_PATH_STYLE) if url is not None else {}


def _where(text: str) -> Callable[[object], str | None]:
    return lambda url: None if url is None else text


def _sized(cluster: Cluster, spec: CognitiveSpec) -> Fit:
    pool = spec.pool
    row = cluster.catalog.models[f"{spec.model}"]
    machine = pool.machine if pool is not None else None
    sized = fit(
        row,
        spec.precision,
        spec.context_tokens,
        gpus=machine.gpus if machine else 0,
        gpu_memory_gib=machine.gpu_memory_gib if machine else 0,
        utilization=spec.gpu_memory_utilization,
    )
    if not sized.fits:
        raise SizingError(f"{row.name} in {spec.precision.value} does not fit: {sized.arithmetic}; use larger GPUs")
    return sized


def _weights(protocol: ObjectProtocol) -> str:
    """Return where weights are kept, from the environment, as the streamer calls it."""
    match protocol:
        case ObjectProtocol.S3:
            return "s3://$(BUCKET)/models"
        case ObjectProtocol.BLOB:
            return "az://$(AZURE_STORAGE_CONTAINER)/models"
        case _:
            assert_never(protocol)


def _arguments(spec: CognitiveSpec, sized: Fit, weights: str) -> tuple[str, ...]:
    """Return vLLM's arguments; the model stands first, since `--model` is on its way out.

    Source: vllm docs/models/extensions/runai_model_streamer.md, read 2026-11. It needs the extra `vllm[runai]`, which
    the image has: vllm docker/Dockerfile installs the streamer for S3, Cloud Storage and Blob, read 2026-11.
    """
    quantization = {"bf16": (), "fp8": ("--quantization", "fp8"), "int4": ("--quantization", "awq")}
    return (
        f"{weights}/{spec.model}",
        "--served-model-name", f"{spec.model}",
        "--load-format", "runai_streamer",
        "--tensor-parallel-size", str(sized.tensor_parallel),
        "--max-model-len", str(spec.context_tokens),
        "--gpu-memory-utilization", f"{spec.gpu_memory_utilization:.2f}",
        "--port", str(PORT),
        *quantization[spec.precision.value],
    )  # fmt: skip


class CognitiveTier(SkerryComponent):
    """Inference and the agents that explore and plan."""

    model_url: str | None
    """Where other tiers may prompt the local model; None where there is none."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        spec: CognitiveSpec,
        objects: ObjectAccess,
        environment: Environment,
        api_key: pulumi.Input[str] | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the tier.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: its namespace, which exists.
            spec: providers in order, model, agents.
            objects: the object store.
            environment: where the channels and stores are.
            api_key: of a hosted provider, secret; None where all inference is local.
            depends_on: what must be there before the agents.
            opts: Pulumi's options.

        Raises:
            SizingError: the model does not fit the GPUs of one node.
        """
        endpoints = hosted_endpoints(spec)
        super().__init__(
            name,
            ComponentFacts(tier=Tier.COGNITIVE, role="tier", endpoints=endpoints),
            opts,
        )
        local = None
        if ModelProvider.LOCAL in spec.providers:
            local = ModelServer(
                self.child_name("model"),
                cluster,
                namespace=namespace,
                spec=spec,
                objects=objects,
                opts=self.child_options(),
            )
        config_map(
            self, "providers", cluster, namespace, PROVIDERS_MAP, {"providers.json": _providers(spec, namespace)}
        )
        agents: dict[str, EnvValue] = dict(environment)
        if api_key is not None:
            self._keep(api_key, cluster, namespace)
        if endpoints:
            agents["LLM_API_KEY"] = SecretKey(API_KEY_SECRET, "api-key")
        for kind, agent in (("scout", spec.scout), ("architect", spec.architect)):
            AgentGroup(
                self.child_name(kind),
                cluster,
                kind=kind,
                namespace=namespace,
                tier=Tier.COGNITIVE,
                agent=agent,
                environment=agents,
                grpc=kind == "architect",
                config_maps={"providers": PROVIDERS_MAP},
                opts=self.child_options(depends_on=list(depends_on)),
            )
        self.model_url = f"http://{local.endpoint}:{PORT}/v1" if local else None
        self.finish(
            endpoint=local.endpoint if local else endpoints[0].host,
            port=PORT if local else 443,
            secret_ref=API_KEY_SECRET if endpoints else None,
            metrics_endpoint=local.metrics_endpoint if local else None,
        )

    def _keep(self, api_key: pulumi.Input[str], cluster: Cluster, namespace: str) -> None:
        Secret(
            self.child_name("api-key"),
            metadata={"name": API_KEY_SECRET, "namespace": namespace, "labels": dict(cluster.labels)},
            string_data={"api-key": api_key},
            opts=self.child_options(),
        )


def _providers(spec: CognitiveSpec, namespace: str) -> str:
    """Return the providers in the order in which agents ask them: the next one when one fails."""
    rows = []
    for provider in spec.providers:
        if provider is ModelProvider.LOCAL:
            rows.append(
                {"name": "local", "url": f"http://{host_name('vllm', namespace)}:{PORT}/v1", "model": spec.model}
            )
        else:
            rows.append({"name": provider.value, "url": f"https://{HOSTED[provider]}", "model": None})
    return json.dumps(rows, indent=2)
