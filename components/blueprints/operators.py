"""The operators that a blueprint installs: one for all that needs it, where something does."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.kubernetes.cluster import Cluster
from components.kubernetes.gpu_devices import GpuDevices
from components.kubernetes.keda import Keda
from components.kubernetes.operator import Operator, image_values
from skerry.config.gpu import DeviceSource
from skerry.config.spec import DeploymentSpec, RelationalKind
from skerry.facts import Tier
from skerry.gpu_sharing import devices_of

CNPG_WEBHOOK_PORT = 9443
"""Source: cloudnative-pg charts v0.29.0 values.yaml `webhook.port`, read 2026-11."""


def runs_postgres(spec: DeploymentSpec, cluster: Cluster) -> bool:
    """Return whether PostgreSQL runs in the cluster, rather than at the cloud."""
    return cluster.relational is None or spec.meta.relational_kind is RelationalKind.CLOUDNATIVE_PG


def postgres_operator(
    spec: DeploymentSpec, cluster: Cluster, namespace: str, options: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    """Return the operator that PostgreSQL in the cluster needs; none where the cloud runs it."""
    if not runs_postgres(spec, cluster):
        return []
    why = "PostgreSQL in the cluster"
    repository, tag, digest = image_values(cluster, "cloudnative-pg", why)
    placement = cluster.placements[Tier.PLATFORM]
    operator = Operator(
        "cloudnative-pg",
        cluster,
        chart="cloudnative-pg",
        namespace=namespace,
        values={
            "image": {"repository": repository, "tag": f"{tag}@{digest}" if digest else tag},
            "nodeSelector": dict(placement.node_selector),
            "tolerations": [dict(item) for item in placement.tolerations],
        },
        why=why,
        webhook_port=CNPG_WEBHOOK_PORT,
        opts=options,
    )
    return [operator]


def backup_plugin(
    spec: DeploymentSpec,
    cluster: Cluster,
    namespace: str,
    options: pulumi.ResourceOptions,
    depends_on: Sequence[pulumi.Resource],
) -> list[pulumi.Resource]:
    """Return what backs PostgreSQL in the cluster up; none where nothing is backed up, or the cloud runs it.

    It must live beside the operator. Source: plugin-barman-cloud v0.13.0 web/docs/installation.mdx, read 2026-11.
    """
    if spec.backup is None or not runs_postgres(spec, cluster):
        return []
    why = "backups of PostgreSQL"
    plugin, sidecar = (
        _registry_values(image_values(cluster, name, why))
        for name in ("plugin-barman-cloud", "plugin-barman-cloud-sidecar")
    )
    placement = cluster.placements[Tier.PLATFORM]
    made = not spec.backup.certificates_by_site
    operator = Operator(
        "barman-cloud",
        cluster,
        chart="plugin-barman-cloud",
        namespace=namespace,
        values={
            "image": plugin,
            "sidecarImage": sidecar,
            "certificate": {"createClientCertificate": made, "createServerCertificate": made},
            "nodeSelector": dict(placement.node_selector),
            "tolerations": [dict(item) for item in placement.tolerations],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        },
        why=why,
        depends_on=depends_on,
        opts=options,
    )
    return [operator]


def _registry_values(image: tuple[str, str, str]) -> dict[str, str]:
    """Return an image as charts take it that name the registry apart."""
    repository, tag, digest = image
    registry, _, path = repository.partition("/")
    return {"registry": registry, "repository": path, "tag": f"{tag}@{digest}" if digest else tag}


def follows_queues(spec: DeploymentSpec) -> bool:
    """Return whether agents run as often as a queue asks."""
    return spec.execution.worker.autoscale is not None or spec.execution.validator.autoscale is not None


def small_gpus(spec: DeploymentSpec, cluster: Cluster, options: pulumi.ResourceOptions) -> None:
    """Make the GPUs of the small model's machines known, on targets that bring driver and toolkit and nothing more."""
    known_by = devices_of(spec.target.kind, spec.gpu.devices)
    if spec.execution.small_pool is not None and known_by is DeviceSource.DEVICE_PLUGIN:
        GpuDevices("small-gpus", cluster, opts=options, pool=Tier.SMALL)


def queue_operator(
    spec: DeploymentSpec, cluster: Cluster, namespace: str, watched: str, options: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    """Return what makes agents of one namespace follow their queues; nothing where none does."""
    if not follows_queues(spec):
        return []
    return [Keda("keda", cluster, namespace=namespace, watched=watched, opts=options)]
