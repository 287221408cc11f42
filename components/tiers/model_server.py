"""vLLM: the servers of one local model, on whole GPUs or parts of them, with weights from a bucket or a volume."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pulumi

from components.base import SkerryComponent
from components.channels.blob_container import ObjectProtocol
from components.channels.object_store import ObjectAccess
from components.kubernetes.cluster import Cluster, Placement
from components.kubernetes.gpu_workload import CLAIM, GpuContainer, GpuWorkload, device_claim
from components.kubernetes.workload import EnvValue, Perhaps, deployment, host_name, http_probe, service
from components.tiers.providers import PORT, SERVICES
from skerry.config.gpu import GpuSharingMode
from skerry.config.serving import Precision, WeightsSource
from skerry.config.spec import CognitiveSpec
from skerry.facts import ComponentFacts, ImageFact, Tier
from skerry.gpu_sharing import Share
from skerry.serving_plan import Server

WEIGHTS: Final = "/weights"
"""Where the volume with the weights is mounted; the model lies in `models/<model>` there, as in the bucket."""

NODE_SHARE: Final = 0.8
"""Part of a machine's CPU and memory that servers on parts of its GPUs take together; an estimate of ours."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Where servers read weights from: the one that is not None."""

    objects: ObjectAccess | None
    claim: pulumi.Input[str] | None


class ModelServer(SkerryComponent):
    """Serves one model by vLLM; replicas are servers, and more capacity means larger GPUs, not more replicas."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        spec: CognitiveSpec,
        server: Server,
        share: Share,
        weights: Weights,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the servers.

        Weights lie under `models/<name>`; nothing is downloaded.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: the namespace of the cognitive tier.
            spec: of the tier.
            server: model, precision, context, GPUs and number, as planned.
            share: what a unit of GPUs is.
            weights: where they lie.
            opts: Pulumi's options.
        """
        model = cluster.catalog.model(server.model, "local inference")
        image = cluster.catalog.image("vllm", cluster.target, "local inference")
        facts = ComponentFacts(
            tier=Tier.COGNITIVE,
            role="inference-server",
            replicas=server.servers,
            images=(image,),
            models=(model,),
            ports={"http": PORT},
        )
        super().__init__(name, facts, opts)
        called = SERVICES[server.provider]
        claims = {}
        if share.mode is GpuSharingMode.DRA:
            units = server.fit.tensor_parallel
            claims[CLAIM] = device_claim(self, "claim", cluster, namespace, f"{called}-gpus", share, units)
        workload = GpuWorkload(
            name=called,
            namespace=namespace,
            placement=cluster.placements[Tier.COGNITIVE],
            replicas=server.servers,
            empty_dirs=("tmp", "home"),
            # With MPS the plugin itself mounts the memory that clients of one GPU share.
            host_ipc_memory="16Gi" if share.whole else "",
            service_account="agents",
            termination_grace_s=120,
            # Every GPU may be taken, so the old pod goes first. The weights are put into the bucket once it exists,
            # which is after the first `pulumi up`: nothing there waits for the servers.
            surge=False,
            patience_s=server.start.seconds + 600,
            awaited=False,
            volume_claims={"weights": weights.claim} if weights.claim is not None else {},
            device_claims=claims,
            containers=(_container(image, spec, server, share, weights, cluster.placements[Tier.COGNITIVE]),),
        )
        deployment(self, "deployment", cluster, workload)
        service(self, "service", cluster, workload)
        endpoint = host_name(called, namespace)
        self.finish(
            endpoint=endpoint,
            port=PORT,
            secret_ref=None,
            metrics_endpoint=f"http://{endpoint}:{PORT}/metrics",
            sizing=f"{server.fit.arithmetic}; {server.note}",
            start=server.start.arithmetic,
        )


def _container(
    image: ImageFact, spec: CognitiveSpec, server: Server, share: Share, weights: Weights, placement: Placement
) -> GpuContainer:
    client = weights.objects.client_environment() if weights.objects is not None else {}
    cpu, memory = _room(server, share, placement)
    mounts = {"tmp": "/tmp", "home": "/home/vllm"}
    if share.whole:
        mounts["shm"] = "/dev/shm"
    if weights.claim is not None:
        mounts["weights"] = WEIGHTS
    return GpuContainer(
        name="vllm",
        image=image,
        command=("vllm", "serve"),
        cpu=cpu,
        memory=memory,
        share=share,
        units=server.fit.tensor_parallel,
        args=_arguments(spec, server, share, weights),
        env={
            **client,
            **_path_style(client.get("AWS_ENDPOINT_URL")),
            # Source: huggingface_hub "Environment variables", vllm docs/usage/usage_stats.md, read 2026-11
            "HF_HUB_OFFLINE": "1",
            "VLLM_NO_USAGE_STATS": "1",
            "HOME": "/home/vllm",
        },
        ports={"http": PORT},
        startup=http_probe("http", "/health", periodSeconds=10, failureThreshold=server.start.seconds // 10),
        readiness=http_probe("http", "/health", periodSeconds=10),
        liveness=http_probe("http", "/health", periodSeconds=30, failureThreshold=4),
        mounts=mounts,
        read_only=("weights",),
        writable_root=True,
    )


def _room(server: Server, share: Share, placement: Placement) -> tuple[str, str]:
    """Return CPU and memory of one server; those on parts of GPUs share the machine."""
    parallel = server.fit.tensor_parallel
    cpu, memory = 4 * parallel, 24 * parallel
    if share.whole or not placement.vcpu:
        return str(cpu), f"{memory}Gi"
    most_cpu = placement.vcpu * NODE_SHARE / share.per_node
    most_memory = placement.memory_gib * NODE_SHARE / share.per_node
    return f"{int(min(cpu, most_cpu) * 1000)}m", f"{int(min(memory, most_memory) * 1024)}Mi"


_PATH_STYLE: Final = {"RUNAI_STREAMER_S3_USE_VIRTUAL_ADDRESSING": "0", "AWS_EC2_METADATA_DISABLED": "true"}
"""What a store beside S3 needs: the bucket in the path. Source: the page of `_arguments`, read 2026-11."""


def _path_style(url: EnvValue | None) -> dict[str, EnvValue]:
    if isinstance(url, Perhaps):
        return {name: Perhaps(url.value.apply(_where(text))) for name, text in _PATH_STYLE.items()}
    return dict(_PATH_STYLE) if url is not None else {}


def _where(text: str) -> Callable[[object], str | None]:
    return lambda url: None if url is None else text


def _arguments(spec: CognitiveSpec, server: Server, share: Share, weights: Weights) -> tuple[str, ...]:
    """Return vLLM's arguments; the model stands first, since `--model` is on its way out.

    Where several pods see the memory of a whole GPU, each is told to take its part of it.
    Source: vllm docs/models/extensions/runai_model_streamer.md (files and buckets); that the image has the streamer and
    its S3 client: vllm docker/Dockerfile, stage vllm-openai-base (runai-model-streamer[s3]); read 2026-11.
    """
    root = WEIGHTS
    if weights.claim is None:
        blob = weights.objects is not None and weights.objects.protocol is ObjectProtocol.BLOB
        root = "az://$(AZURE_STORAGE_CONTAINER)" if blob else "s3://$(BUCKET)"
    utilization = spec.gpu_memory_utilization / share.pods_per_gpu
    return (
        f"{root}/models/{server.model}",
        "--served-model-name", server.model,
        "--load-format", "runai_streamer",
        "--tensor-parallel-size", str(server.fit.tensor_parallel),
        "--max-model-len", str(server.context_tokens),
        "--gpu-memory-utilization", f"{utilization:.2f}" if share.pods_per_gpu == 1 else f"{utilization:.4f}",
        "--port", str(PORT),
        *_quantization(server),
    )  # fmt: skip


def _quantization(server: Server) -> tuple[str, ...]:
    """Return what makes FP8 of bf16 files; of files that are quantised already, their own config.json tells vLLM how.

    Source: vllm docs features/quantization/online and features/quantization/fp8, read 2026-11.
    """
    online = server.precision is Precision.FP8 and server.files in (None, Precision.BF16)
    return ("--quantization", "fp8") if online else ()


def wants_volume(spec: CognitiveSpec) -> bool:
    """Return whether servers read weights from a volume."""
    return spec.serving.weights.source is WeightsSource.VOLUME
