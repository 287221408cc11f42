"""How many machines each tier may have: the bounds that a configuration stays in and that networks are cut for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from skerry.instances import InstanceType, Need, instance_type, smallest

if TYPE_CHECKING:
    # Who asks for the ranges alone, as rules do, need not pay for the whole configuration.
    from skerry.config.spec import MachineSpec, TargetKind

POOL_RANGES: Final[Mapping[str, tuple[int, int]]] = {"cognitive": (2, 8), "execution": (4, 128), "meta": (2, 4)}
"""Nodes of each tier, from the Sensei deployment architecture: 2-8, 4-128 and 2-4."""


def need_of(machine: MachineSpec) -> Need:
    """Return what a machine of a pool must have, as the catalogue is asked for it."""
    return Need(
        vcpu=machine.vcpu,
        memory_gib=machine.memory_gib,
        gpu_model=machine.gpu_model,
        gpus=machine.gpus,
        gpu_memory_gib=machine.gpu_memory_gib,
        network_gbps=machine.network_gbps,
    )


def type_of(cloud: TargetKind, machine: MachineSpec) -> InstanceType:
    """Return the instance type of a machine: the one that is named, else the smallest that has what is asked.

    Raises:
        CatalogError: the catalogue has none.
    """
    if machine.instance_type:
        return instance_type(cloud.value, machine.instance_type)
    return smallest(cloud.value, need_of(machine))
