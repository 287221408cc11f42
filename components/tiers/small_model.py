"""The small model of Worker and Validator agents, served in the execution tier: on its CPUs, or on GPUs of its own."""

from __future__ import annotations

from typing import Any, Final

import pulumi

from components.base import SkerryComponent
from components.channels.blob_container import ObjectProtocol
from components.channels.object_store import ObjectAccess
from components.kubernetes.cluster import Cluster
from components.kubernetes.workload import (
    Container,
    EnvValue,
    Workload,
    deployment,
    host_name,
    http_probe,
    service,
)
from skerry.config.spec import ExecutionSpec, SmallModelPlacement
from skerry.errors import SizingError
from skerry.facts import ComponentFacts, StorageFact, Tier
from skerry.node_room import room_at
from skerry.small_models import GgufFit, gguf_fit, gpu_fit

NAME: Final = "small-model"
PORT: Final = 8000
FOLDER: Final = "/models"
WHY: Final = "the small model of the execution tier"

STARTUP_S: Final = 1200
"""Seconds that a server may take to start: 16 GB of weights over a 1 Gbit/s link take two minutes."""


class SmallModel(SkerryComponent):
    """Serves one small model with OpenAI's API; its weights come from the bucket, under `models/<name>`."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        spec: ExecutionSpec,
        objects: ObjectAccess,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the servers.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: the namespace of the execution tier.
            spec: model, placement and size.
            objects: the store that holds the weights.
            opts: Pulumi's options.

        Raises:
            CatalogError: the model or an image has no row.
            SizingError: the model does not fit a machine.
        """
        self._cluster, self._spec, self._objects = cluster, spec, objects
        on_gpu = spec.small_model is SmallModelPlacement.GPU
        placement = cluster.placements[Tier.SMALL if on_gpu else Tier.EXECUTION]
        model = cluster.catalog.model(f"{spec.model}", "the small model of Worker and Validator agents")
        server, fetch = self._on_gpus() if on_gpu else self._on_cpus()
        size = spec.small_server
        images = tuple(one.image for one in (server, *fetch))
        storage: tuple[StorageFact, ...] = ()
        if fetch:
            gib = self._cpu_fit().weights_gib
            storage = (StorageFact(kind="model-cache", gib=round(gib, 1), copies=size.replicas),)
        facts = ComponentFacts(
            tier=Tier.EXECUTION,
            role="inference-server",
            replicas=size.replicas,
            images=images,
            models=(model,),
            ports={"http": PORT},
            storage=storage,
        )
        super().__init__(name, facts, opts)
        workload = Workload(
            name=NAME,
            namespace=namespace,
            placement=placement,
            replicas=size.replicas,
            empty_dirs=("tmp", "home") if on_gpu else ("tmp", "models"),
            host_ipc_memory="4Gi" if on_gpu else "",
            service_account="agents",
            init=fetch,
            # As in the cognitive tier: the weights come after the first deployment, and each GPU may be taken.
            surge=False,
            patience_s=STARTUP_S + 600,
            awaited=False,
            containers=(server,),
        )
        deployment(self, "deployment", cluster, workload)
        service(self, "service", cluster, workload)
        endpoint = host_name(NAME, namespace)
        self.finish(endpoint=endpoint, port=PORT, secret_ref=None, metrics_endpoint=f"http://{endpoint}:{PORT}/metrics")

    def _on_gpus(self) -> tuple[Container, tuple[Container, ...]]:
        """Return vLLM; it streams the weights from the bucket itself."""
        spec, cluster = self._spec, self._cluster
        sized = gpu_fit(self._cluster.catalog.models[f"{spec.model}"], spec)
        if not sized.fits:
            raise SizingError(f"{spec.model} does not fit the GPUs of execution.small_pool: {sized.arithmetic}")
        gpus = sized.tensor_parallel
        blob = self._objects.protocol is ObjectProtocol.BLOB
        arguments = (
            f"{'az://$(AZURE_STORAGE_CONTAINER)' if blob else 's3://$(BUCKET)'}/models/{spec.model}",
            "--served-model-name", f"{spec.model}",
            "--load-format", "runai_streamer",
            "--tensor-parallel-size", str(gpus),
            "--max-model-len", str(spec.small_server.context_tokens),
            "--gpu-memory-utilization", f"{spec.small_server.gpu_memory_utilization:.2f}",
            "--port", str(PORT),
        )  # fmt: skip
        return (
            Container(
                name="vllm",
                image=cluster.catalog.image("vllm", cluster.target, WHY),
                command=("vllm", "serve"),
                cpu="3",
                memory=f"{12 * gpus}Gi",
                gpus=gpus,
                args=arguments,
                env={
                    **self._objects.client_environment(),
                    "HF_HUB_OFFLINE": "1",
                    "VLLM_NO_USAGE_STATS": "1",
                    "HOME": "/home/vllm",
                },
                ports={"http": PORT},
                mounts={"tmp": "/tmp", "home": "/home/vllm", "shm": "/dev/shm"},
                writable_root=True,
                **_PROBES,
            ),
            (),
        )

    def _on_cpus(self) -> tuple[Container, tuple[Container, ...]]:
        """Return llama.cpp's server, and what fetches the weights before it starts."""
        spec, size, cluster = self._spec, self._spec.small_server, self._cluster
        fit = self._cpu_fit()
        if not fit.fits:
            raise SizingError(f"{spec.model} does not fit a machine of execution.pool: {fit.arithmetic}")
        file = self._cluster.catalog.models[f"{spec.model}"].source.rpartition("/")[2]
        path = f"{FOLDER}/{file}"
        # The slots of --parallel share the context.
        # Source: ggml-org/llama.cpp tools/server/README.md (not opened; check before relying on it)
        arguments = (
            "--model", path,
            "--alias", f"{spec.model}",
            "--host", "0.0.0.0",
            "--port", str(PORT),
            "--ctx-size", str(size.context_tokens * size.parallel),
            "--parallel", str(size.parallel),
            "--threads", str(size.vcpu),
            "--metrics",
        )  # fmt: skip
        server = Container(
            name="llama-server",
            image=cluster.catalog.image("llama-cpp-server", cluster.target, WHY),
            cpu=str(size.vcpu),
            memory=f"{fit.memory_gib}Gi",
            args=arguments,
            ports={"http": PORT},
            mounts={"tmp": "/tmp", "models": FOLDER},
            **_PROBES,
        )
        return server, (self._fetch(f"{spec.model}/{file}", path),)

    def _fetch(self, key: str, path: str) -> Container:
        """Copy one object into the pod's own space. Source: rclone docs/content/docs.md (not opened in full)."""
        client: dict[str, EnvValue] = dict(self._objects.client_environment())
        blob, cluster = self._objects.protocol is ObjectProtocol.BLOB, self._cluster
        store, place = ("azureblob", "$(AZURE_STORAGE_CONTAINER)") if blob else ("s3", "$(BUCKET)")
        names = _BLOB if blob else _S3
        return Container(
            name="fetch",
            image=cluster.catalog.image("rclone", cluster.target, WHY),
            cpu="500m",
            memory="256Mi",
            args=(
                "copyto",
                f":{store},env_auth:{place}/models/{key}",
                path,
                "--retries",
                "10",
                "--config",
                "/tmp/none",
            ),
            env={**client, **{name: client[value] for name, value in names.items() if value in client}},
            mounts={"tmp": "/tmp", "models": FOLDER},
        )

    def _cpu_fit(self) -> GgufFit:
        placement, spec = self._cluster.placements[Tier.EXECUTION], self._spec
        free = room_at(self._cluster.target, placement.vcpu, placement.memory_gib)
        return gguf_fit(self._cluster.catalog.models[f"{spec.model}"], spec.small_server, free)


_S3: Final = {"RCLONE_S3_ENDPOINT": "AWS_ENDPOINT_URL", "RCLONE_S3_REGION": "AWS_REGION"}
_BLOB: Final = {"RCLONE_AZUREBLOB_ACCOUNT": "AZURE_STORAGE_ACCOUNT_NAME"}
"""Variable of rclone -> that of the store's clients with the same meaning; keys it reads under their own names.

Source: rclone docs/content/docs.md (connection strings, environment variables) and s3.md (not opened in full).
"""

_PROBES: Final[dict[str, Any]] = {
    "startup": http_probe("http", "/health", periodSeconds=10, failureThreshold=STARTUP_S // 10),
    "readiness": http_probe("http", "/health", periodSeconds=10),
    "liveness": http_probe("http", "/health", periodSeconds=30, failureThreshold=4),
}
