"""Which ways of sharing and of installing GPUs the hardware, the version of Kubernetes and the target allow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from skerry.config.gpu import DeviceSource, DriverSource, GpuSharingMode, GpuSharingSpec, MigStrategy
from skerry.config.spec import DeploymentSpec, MachineSpec, TargetKind
from skerry.errors import Problem
from skerry.gpu_sharing import DRA_SINCE, devices_of, layout_of, model_of, sharing_of
from skerry.gpus import mig_capable, mig_excess

ON_TARGET: Final = {
    TargetKind.AWS: (DeviceSource.DEVICE_PLUGIN, DeviceSource.OPERATOR),
    TargetKind.AZURE: (DeviceSource.DEVICE_PLUGIN, DeviceSource.OPERATOR),
    TargetKind.GCP: (DeviceSource.CLOUD,),
    TargetKind.ONPREM: (DeviceSource.SITE, DeviceSource.DEVICE_PLUGIN, DeviceSource.OPERATOR),
    TargetKind.HOSTS: (DeviceSource.SITE,),
}
"""What can make GPUs known on each target; GKE's machines bring a plugin of their own, beside which no other may run.

Source: GKE "Manage the GPU stack with the NVIDIA GPU Operator" (node label gke-no-default-nvidia-gpu-device-plugin);
AKS "Use NVIDIA GPU Operator on AKS"; NVIDIA GPU Operator docs, Google GKE and Microsoft AKS; read 2026-11.
"""

CUTS: Final = (DeviceSource.OPERATOR, DeviceSource.CLOUD, DeviceSource.SITE)
"""What can cut GPUs into slices: the plugin only counts slices that are there."""

QUEUING_TIERS: Final = ("cognitive", "execution", "meta")


def gpu_problems(spec: DeploymentSpec) -> Iterator[Problem]:
    """Return what cannot be of GPUs, their sharing, their driver, their metrics and their queue."""
    pools = {"execution.pool": spec.execution.pool, "meta.pool": spec.meta.pool}
    for path, other in pools.items():
        if other.sharing is not None and other.sharing.mode is not GpuSharingMode.NONE:
            yield Problem(f"{path}.sharing", "is for the GPU machines of the cognitive tier", "remove it")
    pool = spec.cognitive.pool
    if pool is None or not pool.machine.gpus:
        yield from _without_gpus(spec)
        return
    sharing = sharing_of(pool)
    yield from _fields(sharing)
    yield from _hardware(pool.machine, sharing)
    yield from _devices(spec, sharing)
    yield from _driver(spec)
    yield from _metrics(spec)
    yield from _queue(spec, sharing)


def _without_gpus(spec: DeploymentSpec) -> Iterator[Problem]:
    pool = spec.cognitive.pool
    if pool is not None and sharing_of(pool).mode is not GpuSharingMode.NONE:
        yield Problem("cognitive.pool.sharing", "there are no GPUs to share", "set machine.gpus, or remove it")
    asked = spec.gpu
    if asked.devices is not DeviceSource.AUTO or asked.metrics or asked.queue is not None:
        yield Problem("gpu", "there are no GPU machines", "set cognitive.pool.machine.gpus, or remove it")


def _fields(sharing: GpuSharingSpec) -> Iterator[Problem]:
    """Check that what is said belongs to the way that is chosen."""
    path, mode = "cognitive.pool.sharing", sharing.mode
    parts = (GpuSharingMode.TIME_SLICING, GpuSharingMode.MPS)
    belongs = {
        "replicas": (sharing.replicas is not None, parts),
        "shares": (bool(sharing.shares), (GpuSharingMode.MPS,)),
        "profile": (sharing.profile is not None, (GpuSharingMode.MIG,)),
        "layout": (bool(sharing.layout), (GpuSharingMode.MIG,)),
        "strategy": (sharing.strategy is not MigStrategy.SINGLE, (GpuSharingMode.MIG,)),
    }
    for name, (given, modes) in belongs.items():
        if given and mode not in modes:
            text = " and ".join(one.value for one in modes)
            yield Problem(
                f"{path}.{name}", f"is for {text}, and mode is {mode.value}", "remove it: ways exclude others"
            )
    if mode is GpuSharingMode.TIME_SLICING and sharing.replicas is None:
        yield Problem(f"{path}.replicas", "is required for time-slicing", "say how many pods share one GPU")
    if mode is GpuSharingMode.MPS:
        yield from _mps(sharing)
    if mode is GpuSharingMode.MIG and sharing.profile is None:
        yield Problem(f"{path}.profile", "is required for mig", "name the slice of a model server, such as 3g.40gb")


def _mps(sharing: GpuSharingSpec) -> Iterator[Problem]:
    """Refuse unequal shares.

    Source: NVIDIA/k8s-device-plugin v0.20.0 README "With CUDA MPS" (equal fractions, whole GPUs only), read 2026-11.
    """
    path, shares = "cognitive.pool.sharing", sharing.shares
    if (sharing.replicas is None) == (not shares):
        yield Problem(path, "mps takes either replicas or shares", "say how many pods share one GPU by `replicas`")
        return
    if not shares:
        return
    count, total = len(shares), sum(shares)
    text = " + ".join(str(share) for share in shares)
    if len(set(shares)) > 1:
        yield Problem(
            f"{path}.shares",
            f"{text} = {total} percent in {count} unequal parts: on Kubernetes the device plugin gives each of the "
            f"{count} clients an equal 1/{count} = {100 / count:.1f} percent of memory and threads",
            f"use MIG profiles of unequal size (mode: mig, strategy: mixed), claims (mode: dra), or replicas: {count}",
        )
    elif count < 2 or total > 100:
        yield Problem(f"{path}.shares", f"{text} = {total} percent", "name two parts or more of at most 100 together")


def _hardware(machine: MachineSpec, sharing: GpuSharingSpec) -> Iterator[Problem]:
    path, model = "cognitive.pool.sharing", model_of(machine)
    named = f"{machine.gpu_model or 'a GPU without a model'} of {machine.gpu_memory_gib:g} GiB"
    match sharing.mode:
        case GpuSharingMode.MIG if model is None or not model.mig_profiles:
            why = "is not in the table of GPU models" if model is None else f"({model.architecture}) has no MIG mode"
            yield Problem(
                f"{path}.mode",
                f"{named} {why}: these can be cut: {', '.join(mig_capable())}",
                "use time-slicing or mps, or other GPUs",
            )
        case GpuSharingMode.MIG if sharing.profile is not None and model is not None:
            layout = layout_of(sharing, model) or {sharing.profile: 1}
            excess = mig_excess(model, layout)
            if excess is not None:
                yield Problem(path, excess, "choose slices that fit one GPU")
            elif sharing.layout and sharing.strategy is MigStrategy.SINGLE:
                yield Problem(f"{path}.layout", "names its slices, and the strategy is single", "set strategy: mixed")
            elif sharing.profile not in layout:
                text = ", ".join(layout)
                yield Problem(f"{path}.layout", f"has {text} and not {sharing.profile}", "add the slice of the servers")
        case GpuSharingMode.MPS if model is None or not model.mps:
            said = "is not in the table of GPU models" if model is None else "is older than Volta"
            yield Problem(f"{path}.mode", f"{named} {said}: mps cannot limit its clients", "use time-slicing")
        case _:
            pass


def _devices(spec: DeploymentSpec, sharing: GpuSharingSpec) -> Iterator[Problem]:
    kind = spec.target.kind
    devices = devices_of(kind, spec.gpu.devices)
    allowed = ON_TARGET[kind]
    if devices not in allowed:
        text = ", ".join(one.value for one in allowed)
        yield Problem("gpu.devices", f"{devices.value} is not possible on {kind.value}", f"use auto or {text}")
        return
    if sharing.mode is GpuSharingMode.MIG and devices not in CUTS:
        yield Problem(
            "gpu.devices",
            "the device plugin counts slices and cuts no GPU",
            "use operator, whose MIG manager cuts them",
        )
    if sharing.mode is GpuSharingMode.MIG and kind is TargetKind.GCP and sharing.strategy is MigStrategy.MIXED:
        yield Problem("cognitive.pool.sharing.strategy", "a pool of GKE has slices of one size", "use strategy: single")
    if sharing.mode is GpuSharingMode.DRA:
        yield from _dra(spec)


def _dra(spec: DeploymentSpec) -> Iterator[Problem]:
    target = spec.target
    path = "cognitive.pool.sharing.mode"
    if target.kind is TargetKind.GCP:
        yield Problem(
            path,
            "dra needs GPU machines of GKE without Google's driver and plugin, which the base stack does not make",
            "use none, time-slicing, mps or mig",
        )
        return
    version = {
        TargetKind.AWS: target.aws.kubernetes_version,
        TargetKind.AZURE: target.azure.kubernetes_version,
        TargetKind.ONPREM: spec.gpu.kubernetes_version,
        TargetKind.HOSTS: spec.gpu.kubernetes_version,
    }[target.kind]
    least = ".".join(str(part) for part in DRA_SINCE)
    if version is None:
        yield Problem(
            "gpu.kubernetes_version", f"is required for dra, which needs {least}", "name the cluster's version"
        )
        return
    if tuple(int(part) for part in version.split(".")[:2]) < DRA_SINCE:
        yield Problem(
            path, f"dra needs Kubernetes {least} or later, and the cluster has {version}", "upgrade, or share otherwise"
        )


def _driver(spec: DeploymentSpec) -> Iterator[Problem]:
    gpu, target = spec.gpu, spec.target
    if gpu.driver is DriverSource.HOST:
        if gpu.driver_image is not None:
            yield Problem("gpu.driver_image", "is for driver: operator, and driver is host", "remove it")
        return
    devices = devices_of(target.kind, gpu.devices)
    if devices is not DeviceSource.OPERATOR:
        yield Problem("gpu.driver", f"operator needs devices: operator, which is {devices.value}", "use host")
    elif target.kind is not TargetKind.ONPREM:
        yield Problem("gpu.driver", f"the machines of {target.kind.value} bring the driver", "use host")
    elif not target.connected:
        yield Problem(
            "gpu.driver",
            "operator builds the driver on each machine with packages of its distribution, which a site without a "
            "connection has not",
            "put the driver on the machines and use host",
        )
    elif gpu.driver_image is None:
        yield Problem(
            "gpu.driver_image",
            "is required for driver: operator: its tag depends on the machines' distribution",
            "name nvcr.io/nvidia/driver@sha256:... of your distribution",
        )


def _metrics(spec: DeploymentSpec) -> Iterator[Problem]:
    gpu = spec.gpu
    if gpu.metrics_readers and not gpu.metrics:
        yield Problem("gpu.metrics_readers", "there are no metrics to read", "set metrics: true, or remove it")


def _queue(spec: DeploymentSpec, sharing: GpuSharingSpec) -> Iterator[Problem]:
    queue = spec.gpu.queue
    if queue is None:
        return
    for tier in queue.tiers:
        if tier not in QUEUING_TIERS or queue.tiers.count(tier) > 1:
            yield Problem("gpu.queue.tiers", f"'{tier}' is no tier, or named twice", f"use {', '.join(QUEUING_TIERS)}")
            return
    if sharing.mode is GpuSharingMode.DRA:
        yield Problem("gpu.queue", "a queue counts resources, and dra has claims", "share otherwise, or remove it")
