"""Pools of machines on AKS: each of one size, tainted for its tier, scaled by the cluster's own autoscaler."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi_azure_native import containerservice

from components.base import SkerryComponent
from components.clouds import machines
from components.kubernetes.cluster import TIER_LABEL
from components.kubernetes.node_pool import scaling_of
from skerry.config.spec import AzureTargetSpec, MachineSpec, PoolSpec, Purchase, TargetKind
from skerry.facts import ComponentFacts, Tier
from skerry.instances import InstanceType

AUTOSCALER: Final = "aks"
"""What adds machines between minimum and maximum."""

ROOT_GIB, GPU_ROOT_GIB = 128, 300
"""GiB of the boot disk: images of inference servers are large."""

SYSTEM_MACHINE: Final = MachineSpec(vcpu=4, memory_gib=16, instance_type="Standard_D4s_v5")
"""For what Azure runs in the cluster: its pods tolerate no taint of ours."""

SPOT_TAINT: Final = "kubernetes.azure.com/scalesetpriority=spot:NoSchedule"
"""Azure puts it on spot machines; who leaves it out has a difference at each refresh.

Source: MicrosoftDocs azure-docs articles/aks/spot-node-pool.md, read 2026-11.
"""


NO_TRUSTED_LAUNCH: Final = ("Standard_ND96asr_v4", "Standard_ND96amsr_A100_v4")
"""Sizes whose machines have neither secure boot nor a virtual TPM.

Source: MicrosoftDocs/azure-compute-docs articles/virtual-machines/trusted-launch.md at 02ecf3f4, read 2026-11.
"""


def machine_of(pool: PoolSpec) -> InstanceType:
    """Return the machine type of a pool.

    Raises:
        CatalogError: the catalogue has none.
    """
    return machines.machine_of(TargetKind.AZURE, pool)


def is_spot(pool: PoolSpec) -> bool:
    """Say whether the machines may be taken away."""
    return machines.purchase_of(pool) is Purchase.SPOT


def numbers(zones: Sequence[str]) -> list[str]:
    """Return zones as Azure calls them: `1` of `eastus-1`."""
    return [zone.rpartition("-")[2] for zone in zones]


def common(pool: PoolSpec, machine: InstanceType, target: AzureTargetSpec, zones: Sequence[str]) -> dict[str, Any]:
    """Return what every pool has, the first of a cluster and each that is added."""
    gpu = bool(machine.gpus)
    return {
        "vm_size": machine.name,
        "type": "VirtualMachineScaleSets",
        "os_type": "Linux",
        "os_sku": "Ubuntu",
        "os_disk_type": "Managed",
        "os_disk_size_gb": GPU_ROOT_GIB if gpu else ROOT_GIB,
        "availability_zones": numbers(zones),
        "count": pool.minimum,
        "min_count": pool.minimum,
        "max_count": pool.maximum,
        "enable_auto_scaling": True,
        "enable_node_public_ip": False,
        # Local disks and caches of the host are then encrypted as well.
        "enable_encryption_at_host": True,
        "max_pods": target.pods_per_node,
        "orchestrator_version": target.kubernetes_version,
        **_upgrade(pool, gpu),
        # Secure boot refuses kernel modules that are not signed, such as the driver of a GPU.
        "security_profile": {
            "enable_secure_boot": not gpu,
            "enable_vtpm": machine.name not in NO_TRUSTED_LAUNCH,
            "ssh_access": "Disabled",
        },
    }


def _upgrade(pool: PoolSpec, gpu: bool) -> dict[str, Any]:
    """Return how machines are renewed: GPU machines are scarce, so that one goes before its successor comes.

    Of spot machines it cannot be said. Source: hashicorp/terraform-provider-azurerm issue 19355 and pull 31129, read
    2026-11.
    """
    if is_spot(pool):
        return {}
    surge, unavailable = ("0", "1") if gpu else ("1", "0")
    return {"upgrade_settings": {"max_surge": surge, "max_unavailable": unavailable}}


class AzureNodePool(SkerryComponent):
    """A pool of one machine type in some zones, its disks encrypted."""

    def __init__(
        self,
        name: str,
        *,
        tier: Tier,
        pool: PoolSpec,
        target: AzureTargetSpec,
        group: pulumi.Input[str],
        cluster: containerservice.ManagedCluster,
        zones: Sequence[str],
        subnet_id: pulumi.Input[str],
        tags: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the pool.

        Args:
            name: the component's name.
            tier: whose machines they are, and the pool's name.
            pool: how many of what, over all zones.
            target: the version, the reservation of GPU machines, and how many pods a machine may have.
            group: the resource group.
            cluster: the AKS cluster.
            zones: where they may stand.
            subnet_id: where their addresses are of.
            tags: on the machines and their disks.
            opts: Pulumi's options.

        Raises:
            CatalogError: no machine type has what is asked.
        """
        machine = machine_of(pool)
        super().__init__(name, pool_facts(tier, pool), opts)
        more: dict[str, Any] = {}
        if machine.gpus:
            more["gpu_profile"] = {"driver": "Install"}
            more["capacity_reservation_group_id"] = target.gpu_reservation
        shape = common(pool, machine, target, zones)
        taints = [f"{TIER_LABEL}={tier.value}:NoSchedule"]
        if is_spot(pool):
            more |= {"scale_set_priority": "Spot", "scale_set_eviction_policy": "Delete", "spot_max_price": -1}
            taints.append(SPOT_TAINT)
        self.pool = containerservice.AgentPool(
            name,
            resource_group_name=group,
            resource_name_=cluster.name,
            agent_pool_name=_pool_name(tier, shape | more),
            mode="User",
            vnet_subnet_id=subnet_id,
            node_labels={TIER_LABEL: tier.value},
            node_taints=taints,
            tags=dict(tags),
            **shape,
            **more,
            # Another minimum must not count the machines anew, and of two pools of one name one goes first.
            opts=self.child_options(ignore_changes=["count"], delete_before_replace=not machine.gpus),
        )
        self.finish(name=self.pool.name)


def _pool_name(tier: Tier, shape: Mapping[str, Any]) -> str:
    """Return the name of a pool: of 12 characters at most, so that the provider cannot add any of its own.

    GPU machines grow by larger ones: other machines are a pool of another name, which stands before the old one goes.
    """
    if "gpu_profile" not in shape:
        return tier.value
    fixed = {key: value for key, value in shape.items() if key not in _UPDATED}
    return tier.value[:6] + hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()[:6]


_UPDATED: Final = ("count", "min_count", "max_count", "enable_auto_scaling", "orchestrator_version", "upgrade_settings")
"""What Azure changes in a pool that stands.

Source: pulumi/pulumi-azure-native provider/pkg/gen/replacement.go, read 2026-11.
"""


def pool_facts(tier: Tier, pool: PoolSpec) -> ComponentFacts:
    """Return what the readers are told of a pool.

    Raises:
        CatalogError: no machine type has what is asked.
    """
    return ComponentFacts(
        tier=tier,
        role="node-pool",
        nodes=machines.nodes_fact(TargetKind.AZURE, pool, priced_here=False),
        scaling=scaling_of(pool, AUTOSCALER),
        encrypted_at_rest=True,
    )
