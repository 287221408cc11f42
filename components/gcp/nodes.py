"""Pools of machines on GKE: each of one type, tainted for its tier, scaled by GKE's own autoscaler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi_gcp import container

from components.base import SkerryComponent, checked_name
from components.clouds import machines
from components.kubernetes.cluster import TIER_LABEL
from components.kubernetes.node_pool import scaling_of
from skerry.config.gpu import GpuSharingMode
from skerry.config.spec import GcpTargetSpec, MachineSpec, PoolSpec, Purchase, TargetKind
from skerry.errors import CatalogError
from skerry.facts import ComponentFacts, Tier
from skerry.gpu_sharing import replicas_of, sharing_of
from skerry.instances import InstanceType

AUTOSCALER: Final = "gke"
"""What adds machines between minimum and maximum."""

ROOT_GIB, GPU_ROOT_GIB = 100, 300
"""GiB of the boot disk: images of inference servers are large."""

NAME_LENGTH: Final = 32
"""Names of pools have at most 40 characters, of which the provider adds 8.

Source: GKE API, NodePool.name (not opened; check before relying on it).
"""

ACCELERATORS: Final[Mapping[str, str]] = {
    "a2-highgpu": "nvidia-tesla-a100",
    "a2-megagpu": "nvidia-tesla-a100",
    "a2-ultragpu": "nvidia-a100-80gb",
    "a3-highgpu": "nvidia-h100-80gb",
    "a3-megagpu": "nvidia-h100-mega-80gb",
    "a3-ultragpu": "nvidia-h200-141gb",
    "a4-highgpu": "nvidia-b200",
    "g2-standard": "nvidia-l4",
}
"""Family and class of a machine -> what GKE calls its GPUs.

Source: GKE "Run GPUs in GKE Standard node pools", GPU types and their machine series, read 2026-11.
"""

HYPERDISK_ONLY: Final = ("a3-ultragpu", "a4-highgpu", "c4-standard")
"""Families without Persistent Disk.

Source: Compute Engine "Machine series", supported disk types (not opened; check before relying on it).
"""

DISK, HYPERDISK = "pd-balanced", "hyperdisk-balanced"

RESERVATION: Final = "compute.googleapis.com/reservation-name"
"""Source: the discovery document container.v1, ReservationAffinity.key, read 2026-11."""

SYSTEM_MACHINE: Final = MachineSpec(vcpu=4, memory_gib=16, instance_type="e2-standard-4")
"""For what Google runs in the cluster: its pods tolerate no taint of ours."""


def family_of(name: str) -> str:
    """Return family and class of a machine type: `a2-ultragpu` of `a2-ultragpu-4g`."""
    return name.rsplit("-", 1)[0]


def disk_type(machine: InstanceType) -> str:
    """Return the type of a machine's boot disk."""
    return HYPERDISK if family_of(machine.name) in HYPERDISK_ONLY else DISK


def machine_of(pool: PoolSpec) -> InstanceType:
    """Return the machine type of a pool.

    Raises:
        CatalogError: the catalogue has none.
    """
    return machines.machine_of(TargetKind.GCP, pool)


class GcpNodePool(SkerryComponent):
    """A pool of one machine type in some zones, its disks encrypted, its metadata guarded."""

    def __init__(
        self,
        name: str,
        *,
        tier: Tier,
        pool: PoolSpec,
        target: GcpTargetSpec,
        cluster: container.Cluster,
        zones: Sequence[str],
        key_id: pulumi.Input[str],
        service_account: pulumi.Input[str],
        labels: Mapping[str, str],
        network_tag: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the pool.

        Args:
            name: the component's name, and that of its resource.
            tier: whose machines they are; those of the platform bear no taint.
            pool: how many of what, over all zones.
            target: the driver and the reservation of GPU machines, and how many pods a machine may have.
            cluster: the GKE cluster.
            zones: where they may stand.
            key_id: the key of their disks.
            service_account: the identity of the machines themselves.
            labels: on the machines and their disks.
            network_tag: by which firewall rules find them.
            opts: Pulumi's options.

        Raises:
            CatalogError: no machine type has what is asked, or GKE's name of its GPUs is not known.
        """
        machine = machine_of(pool)
        facts = ComponentFacts(
            tier=tier,
            role="node-pool",
            nodes=machines.nodes_fact(TargetKind.GCP, pool, priced_here=False),
            scaling=scaling_of(pool, AUTOSCALER),
            encrypted_at_rest=True,
        )
        super().__init__(name, facts, opts)
        node: Any = {
            **_node(pool, machine, tier, target),
            "boot_disk_kms_key": key_id,
            "service_account": service_account,
            "resource_labels": dict(labels),
            "tags": [network_tag],
        }
        self.pool = container.NodePool(
            checked_name(name, NAME_LENGTH),
            cluster=cluster.id,
            node_locations=list(zones),
            # As far as the minimum fills the zones; the autoscaler adds the rest, and then keeps the minimum.
            initial_node_count=pool.minimum // len(zones),
            max_pods_per_node=target.pods_per_node,
            autoscaling={
                "total_min_node_count": pool.minimum,
                "total_max_node_count": pool.maximum,
                # Spot and GPU machines are taken where there are any. Source: discovery document container.v1,
                # NodePoolAutoscaling.locationPolicy, read 2026-11
                "location_policy": "ANY" if machine.gpus or _spot(pool) else "BALANCED",
            },
            management={"auto_repair": True, "auto_upgrade": True},
            # GPU machines are scarce: one goes before its successor comes.
            upgrade_settings={
                "strategy": "SURGE",
                "max_surge": 0 if machine.gpus else 1,
                "max_unavailable": 1 if machine.gpus else 0,
            },
            network_config={"enable_private_nodes": True},
            node_config=node,
            # Another minimum must not replace the pool.
            opts=self.child_options(ignore_changes=["initialNodeCount"]),
        )
        self.finish(name=self.pool.name)


def _spot(pool: PoolSpec) -> bool:
    return machines.purchase_of(pool) is Purchase.SPOT


def guarded(*, secure_boot: bool) -> dict[str, Any]:
    """Return what every machine has, whatever it is for.

    Secure boot refuses kernel modules that are not signed, so machines for which Google installs a driver go without.
    Source: GKE "Configure secure kernel module loading" for what GPU machines may load, read 2026-11; that secure boot
    would refuse the driver: GKE "Shielded GKE Nodes" (not opened; check before relying on it).
    """
    return {
        "image_type": "COS_CONTAINERD",
        "oauth_scopes": ["https://www.googleapis.com/auth/cloud-platform"],
        "metadata": {"disable-legacy-endpoints": "true"},
        "workload_metadata_config": {"mode": "GKE_METADATA"},
        "shielded_instance_config": {"enable_secure_boot": secure_boot, "enable_integrity_monitoring": True},
    }


def _node(pool: PoolSpec, machine: InstanceType, tier: Tier, target: GcpTargetSpec) -> dict[str, Any]:
    found: dict[str, Any] = {
        **guarded(secure_boot=not machine.gpus),
        "machine_type": machine.name,
        "disk_type": disk_type(machine),
        "disk_size_gb": GPU_ROOT_GIB if machine.gpus else ROOT_GIB,
        "gvnic": {"enabled": True},
        "labels": {TIER_LABEL: tier.value},
        "kubelet_config": {"insecure_kubelet_readonly_port_enabled": "FALSE"},
    }
    if tier is not Tier.PLATFORM:
        # On GPU machines GKE itself adds nvidia.com/gpu=present.
        found["taints"] = [{"key": TIER_LABEL, "value": tier.value, "effect": "NO_SCHEDULE"}]
    if _spot(pool):
        found["spot"] = True
    if machine.gpus:
        found["guest_accelerators"] = [
            {
                "type": _accelerator(machine),
                "count": machine.gpus,
                "gpu_driver_installation_config": {"gpu_driver_version": target.gpu_driver.value.upper()},
                **_shared(pool),
            }
        ]
    if machine.gpus and target.gpu_reservation:
        found["reservation_affinity"] = {
            "consume_reservation_type": "SPECIFIC_RESERVATION",
            "key": RESERVATION,
            "values": [target.gpu_reservation],
        }
    return found


def _shared(pool: PoolSpec) -> dict[str, Any]:
    """Return how GKE shares the GPUs of a machine; it keeps the name of their resource.

    Source: pulumi_gcp 9 container.NodePool guestAccelerators, GKE ComputeClass gpuSharing, read 2026-11.
    """
    sharing = sharing_of(pool)
    strategies = {GpuSharingMode.TIME_SLICING: "TIME_SHARING", GpuSharingMode.MPS: "MPS"}
    if sharing.mode in strategies:
        clients = {
            "gpu_sharing_strategy": strategies[sharing.mode],
            "max_shared_clients_per_gpu": replicas_of(sharing),
        }
        return {"gpu_sharing_config": clients}
    return {"gpu_partition_size": sharing.profile} if sharing.mode is GpuSharingMode.MIG else {}


def _accelerator(machine: InstanceType) -> str:
    family = family_of(machine.name)
    if family not in ACCELERATORS:
        known = ", ".join(sorted(ACCELERATORS))
        raise CatalogError(f"what GKE calls the GPUs of {machine.name} is not known: families known are {known}")
    return ACCELERATORS[family]
