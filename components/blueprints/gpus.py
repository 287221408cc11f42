"""How GPUs come to Kubernetes in a deployment, who watches them, and who queues for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi

from components.kubernetes.cluster import Cluster
from components.kubernetes.gpu_devices import GpuDevices
from components.kubernetes.gpu_operator import RUNTIME_CLASS, dra_driver, gpu_operator
from components.kubernetes.gpu_space import GpuMetrics, GpuSpace
from components.kubernetes.queues import QUEUE, QUEUED_LABEL, GpuJobQueue, QueueRoom, kueue, room_of
from skerry.config.gpu import DeviceSource, DriverSource, GpuSharingMode
from skerry.config.spec import DeploymentSpec, ModelProvider, TargetKind
from skerry.facts import Tier
from skerry.gpu_sharing import Share, devices_of, model_of, plugin_wanted, share_of, sharing_of
from skerry.serving_plan import ServingPlan, plan

GPU_NAMESPACE: Final = "sensei-gpus"
"""Of the exporter, the GPU operator and the driver of claims."""

AGENT_CPU: Final = 0.5
AGENT_GIB: Final = 1
"""What one agent of the tier asks for."""


@dataclass(frozen=True, slots=True)
class NamespaceGpus:
    """What a tier's namespace has to do with GPUs."""

    quota: Mapping[str, str] | None
    """ResourceQuota rows; None leaves what the tier has by itself."""
    labels: Mapping[str, str]


def namespace_gpus(spec: DeploymentSpec, cluster: Cluster, tier: Tier) -> NamespaceGpus:
    """Return what the namespace of a tier may take of GPUs, where that is not simply all or nothing."""
    share = _share(spec, cluster)
    placement = cluster.placements.get(Tier.COGNITIVE)
    if share is None or placement is None:
        return NamespaceGpus(None, {})
    queued = spec.gpu.queue is not None and tier.value in spec.gpu.queue.tiers
    labels = {QUEUED_LABEL: QUEUE} if queued else {}
    if tier is Tier.COGNITIVE:
        whole = share.mode is GpuSharingMode.NONE
        return NamespaceGpus(None if whole else share.quota(placement.nodes_maximum), labels)
    if not queued:
        return NamespaceGpus(None, {})
    units = queue_room(spec, cluster).units
    return NamespaceGpus({f"requests.{share.resource}": str(units)}, labels)


def queue_room(spec: DeploymentSpec, cluster: Cluster) -> QueueRoom:
    """Return what serving leaves of the pool's most machines.

    Raises:
        SizingError: the models do not fit.
    """
    made, share = _plan(spec, cluster), _share(spec, cluster)
    placement = cluster.placements[Tier.COGNITIVE]
    assert share is not None  # noqa: S101  a queue without GPUs is refused by the configuration
    servers = made.servers if made is not None else ()
    agents = spec.cognitive.scout.replicas + spec.cognitive.architect.replicas
    taken = (
        sum(4.0 * one.units for one in servers) + AGENT_CPU * agents,
        sum(24.0 * one.units for one in servers) + AGENT_GIB * agents,
    )
    return room_of(
        resource=share.resource,
        per_node=share.per_node,
        nodes=placement.nodes_maximum,
        served=sum(one.units for one in servers),
        vcpu=placement.vcpu,
        memory_gib=placement.memory_gib,
        taken=taken,
    )


def gpu_platform(
    spec: DeploymentSpec,
    cluster: Cluster,
    namespaces: Mapping[Tier, str],
    ready: pulumi.ResourceOptions,
    first: Sequence[pulumi.Resource],
) -> None:
    """Make what the configuration asks of GPUs beside the device plugin of a cloud; nothing where it asks nothing.

    Args:
        spec: the checked configuration.
        cluster: where it is.
        namespaces: of the tiers.
        ready: options of what needs the namespaces.
        first: the namespaces.

    Raises:
        CatalogError: a pin is missing.
        SizingError: the models do not fit.
    """
    pool = spec.cognitive.pool
    if pool is None or not pool.machine.gpus:
        return
    devices, sharing = devices_of(spec.target.kind, spec.gpu.devices), sharing_of(pool)
    operator = devices is DeviceSource.OPERATOR
    drives = sharing.mode is GpuSharingMode.DRA and devices is not DeviceSource.SITE
    if plugin_wanted(spec) and spec.target.kind is TargetKind.ONPREM:
        GpuDevices("gpu-devices", cluster, sharing, opts=ready)
    if operator or drives or runs_exporter(spec):
        _managed(spec, cluster, ready, operator=operator, drives=drives)
    if spec.gpu.queue is not None:
        manager = kueue("kueue", cluster, namespace=namespaces[Tier.PLATFORM], depends_on=first, opts=ready)
        GpuJobQueue(
            "gpu-queue",
            cluster,
            room=queue_room(spec, cluster),
            namespaces=[namespaces[Tier(tier)] for tier in spec.gpu.queue.tiers],
            depends_on=[manager, *first],
            opts=ready,
        )


def _managed(
    spec: DeploymentSpec, cluster: Cluster, ready: pulumi.ResourceOptions, *, operator: bool, drives: bool
) -> None:
    """Make the namespace of privileged pods and what is in it."""
    pool = spec.cognitive.pool
    assert pool is not None  # noqa: S101  asked by the caller
    sharing = sharing_of(pool)
    host_toolkit = spec.target.kind is not TargetKind.ONPREM
    by_operator = operator and spec.gpu.driver is DriverSource.OPERATOR
    space = GpuSpace(
        "gpus",
        cluster,
        namespace=GPU_NAMESPACE,
        calls_api=operator or drives,
        builds_driver=by_operator,
        opts=ready,
    )
    after: list[pulumi.Resource] = [space.made]
    if operator:
        after.append(
            gpu_operator(
                "gpu-operator",
                cluster,
                namespace=GPU_NAMESPACE,
                sharing=sharing,
                model=model_of(pool.machine),
                host_toolkit=host_toolkit,
                driver_image=spec.gpu.driver_image if by_operator else None,
                depends_on=[space.made],
                opts=ready,
            )
        )
    if drives:
        dra_driver(
            "gpu-claims",
            cluster,
            namespace=GPU_NAMESPACE,
            operator_drivers=by_operator,
            depends_on=after,
            opts=ready,
        )
    if runs_exporter(spec):
        GpuMetrics(
            "gpu-metrics",
            cluster,
            namespace=GPU_NAMESPACE,
            readers=spec.gpu.metrics_readers,
            runtime_class=RUNTIME_CLASS if operator and not host_toolkit else None,
            depends_on=after,
            opts=ready,
        )


def _share(spec: DeploymentSpec, cluster: Cluster) -> Share | None:
    pool = spec.cognitive.pool
    if pool is None or not pool.machine.gpus:
        return None
    return share_of(pool.machine, sharing_of(pool), renames=cluster.renames_shared_gpus)


def _plan(spec: DeploymentSpec, cluster: Cluster) -> ServingPlan | None:
    if ModelProvider.LOCAL not in spec.cognitive.providers:
        return None
    return plan(spec.cognitive, cluster.catalog.models, renames=cluster.renames_shared_gpus)


def runs_exporter(spec: DeploymentSpec) -> bool:
    """Say whether figures of GPUs come from an exporter of ours; GKE has its own, a setting of the cluster."""
    pool = spec.cognitive.pool
    return spec.gpu.metrics and pool is not None and pool.machine.gpus > 0 and spec.target.kind is not TargetKind.GCP
