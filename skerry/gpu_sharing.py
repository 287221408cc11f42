"""What a pod gets of a GPU: the resource that it asks for, how many of it a machine has, and how much memory each has.

(1) whole GPUs: `nvidia.com/gpu`, as many as the machine has
(2) time-slicing and MPS: each GPU counts `replicas` times; the plugin calls them `nvidia.com/gpu.shared`, GKE does not
(3) MIG: as many slices as the layout has; `nvidia.com/mig-<profile>` when mixed, `nvidia.com/gpu` when all are alike
(4) DRA: pods claim whole GPUs of the class `gpu.nvidia.com`; no resource is counted on the machine
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, assert_never

from skerry.config.gpu import DeviceSource, GpuSharingMode, GpuSharingSpec, MigStrategy
from skerry.config.spec import DeploymentSpec, MachineSpec, PoolSpec, TargetKind
from skerry.gpus import GpuModel, gpu_model

GPU: Final = "nvidia.com/gpu"
SHARED: Final = "nvidia.com/gpu.shared"
"""Source: NVIDIA/k8s-device-plugin v0.20.0 README "Shared Access to GPUs", renameByDefault, read 2026-11."""

DEVICE_CLASS: Final = "gpu.nvidia.com"
"""Source: kubernetes-sigs/dra-driver-nvidia-gpu site/content/docs/install.md, read 2026-11."""

DRA_SINCE: Final = (1, 34)
"""The version of Kubernetes whose `resource.k8s.io/v1` is stable and on by default.

Source: EKS "Manage hardware devices", GKE "Prepare GKE infrastructure for DRA workloads", NVIDIA AICR "AKS GPU Setup":
each asks for 1.34 or later; read 2026-11.
"""

WHOLE: Final = GpuSharingSpec()


@dataclass(frozen=True, slots=True)
class Share:
    """What one unit of a machine's GPUs is."""

    mode: GpuSharingMode
    resource: str
    """What a pod asks for; with DRA the device class that it claims from."""
    per_node: int
    """Units of one machine."""
    memory_gib: float
    """Memory of one unit."""
    pods_per_gpu: int
    """Pods that see one whole GPU's memory, each of which may take its part only; 1 where a unit is nobody else's."""
    whole: bool
    """Whether a unit is a whole GPU, so that several can serve one model together."""
    text: str
    """How the units came to be, for messages."""

    def quota(self, nodes: int, units: int | None = None) -> dict[str, str]:
        """Return the ResourceQuota rows that let pods take `units`, or all of `nodes` machines, and no other GPU.

        Source: Kubernetes "Resource Quotas", extended resources and `<class>.deviceclass.resource.k8s.io/devices`
        (read as public manifests, 2026-11).
        """
        most = str(self.per_node * nodes if units is None else units)
        if self.mode is GpuSharingMode.DRA:
            return {f"requests.{GPU}": "0", f"{DEVICE_CLASS}.deviceclass.resource.k8s.io/devices": most}
        return {f"requests.{GPU}": "0", f"requests.{self.resource}": most}


def sharing_of(pool: PoolSpec) -> GpuSharingSpec:
    """Return how the GPUs of a pool are shared; whole where nobody said."""
    return pool.sharing or WHOLE


def devices_of(target: TargetKind, asked: DeviceSource) -> DeviceSource:
    """Return what makes GPUs known to Kubernetes on a target."""
    if asked is not DeviceSource.AUTO:
        return asked
    match target:
        case TargetKind.AWS | TargetKind.AZURE:
            return DeviceSource.DEVICE_PLUGIN
        case TargetKind.GCP:
            return DeviceSource.CLOUD
        case TargetKind.ONPREM | TargetKind.HOSTS:
            return DeviceSource.SITE
    assert_never(target)


def plugin_wanted(spec: DeploymentSpec) -> bool:
    """Return whether the device plugin runs by itself: on targets that bring driver and toolkit and nothing more."""
    pool = spec.cognitive.pool
    if pool is None or not pool.machine.gpus or sharing_of(pool).mode is GpuSharingMode.DRA:
        return False
    return devices_of(spec.target.kind, spec.gpu.devices) is DeviceSource.DEVICE_PLUGIN


def model_of(machine: MachineSpec) -> GpuModel | None:
    """Return the row of a machine's GPUs; None where the table does not know them."""
    return gpu_model(machine.gpu_model, machine.gpu_memory_gib)


def replicas_of(sharing: GpuSharingSpec) -> int:
    """Return how many pods share one GPU by time-slicing or MPS."""
    return sharing.replicas or max(len(sharing.shares), 1)


def layout_of(sharing: GpuSharingSpec, model: GpuModel | None) -> Mapping[str, int]:
    """Return the slices of one GPU: those that are named, else as many of the profile as fit it."""
    if sharing.layout:
        return sharing.layout
    found = model.profile(sharing.profile) if model is not None and sharing.profile else None
    return {found.name: found.most} if found is not None else {}


def share_of(machine: MachineSpec, sharing: GpuSharingSpec, *, renames: bool) -> Share:
    """Return what a pod gets of the GPUs of a machine.

    Args:
        machine: has the GPUs.
        sharing: as checked by `skerry.config.sense_gpu`; nonsense gives no units.
        renames: whether parts of GPUs have a name of their own; on GKE they keep that of whole ones.
    """
    gpus, memory = machine.gpus, machine.gpu_memory_gib
    match sharing.mode:
        case GpuSharingMode.NONE:
            return Share(sharing.mode, GPU, gpus, memory, 1, True, f"{gpus} whole GPUs of {memory:g} GiB")
        case GpuSharingMode.DRA:
            text = f"{gpus} GPUs of {memory:g} GiB, claimed"
            return Share(sharing.mode, DEVICE_CLASS, gpus, memory, 1, True, text)
        case GpuSharingMode.TIME_SLICING | GpuSharingMode.MPS:
            count = replicas_of(sharing)
            text = f"{gpus} GPUs x {count} = {gpus * count} parts of {memory:g} / {count} = {memory / count:g} GiB"
            name = SHARED if renames else GPU
            return Share(sharing.mode, name, gpus * count, memory / count, count, False, text)
        case GpuSharingMode.MIG:
            return _slices(machine, sharing)
    assert_never(sharing.mode)


def _slices(machine: MachineSpec, sharing: GpuSharingSpec) -> Share:
    model = model_of(machine)
    profile = model.profile(sharing.profile) if model is not None and sharing.profile else None
    each = layout_of(sharing, model).get(f"{sharing.profile}", 0)
    name = GPU if sharing.strategy is MigStrategy.SINGLE else f"nvidia.com/mig-{sharing.profile}"
    memory = profile.memory_gib if profile is not None else 0
    text = (
        f"{machine.gpus} GPUs x {each} = {machine.gpus * each} slices {sharing.profile}, "
        f"reckoned with {memory:.1f} GiB each"
    )
    return Share(sharing.mode, name, machine.gpus * each, memory, 1, False, text)
