"""The rented machines of a pool: which type it is, how it is paid, and what the readers are told of it."""

from __future__ import annotations

from skerry.address_plan import SYSTEM_MACHINES_PER_ZONE
from skerry.config.pools import type_of
from skerry.config.sides import has_tier, persistent_tier
from skerry.config.spec import DeploymentSpec, MachineSpec, PoolSpec, Purchase, TargetKind
from skerry.facts import NodesFact, Tier
from skerry.instances import InstanceType


def machine_of(cloud: TargetKind, pool: PoolSpec) -> InstanceType:
    """Return the instance type of a pool: the one that is named, else the smallest that has what is asked.

    Raises:
        CatalogError: the catalogue has none.
    """
    return type_of(cloud, pool.machine)


def purchase_of(pool: PoolSpec) -> Purchase:
    """Return how machines are paid here: on demand unless spot is asked, since no machine exists before."""
    return Purchase.SPOT if pool.purchase is Purchase.SPOT else Purchase.ON_DEMAND


def nodes_fact(cloud: TargetKind, pool: PoolSpec, *, priced_here: bool) -> NodesFact:
    """Return what the machines of a pool are, from the catalogue.

    Args:
        cloud: where they are rented.
        pool: how many of what.
        priced_here: whether no resource of the graph stands for them.

    Raises:
        CatalogError: the catalogue has no such type.
    """
    found = machine_of(cloud, pool)
    return NodesFact(
        vcpu=found.vcpu,
        memory_gib=found.memory_gib,
        gpu_model=found.gpu_model,
        gpus=found.gpus,
        gpu_memory_gib=found.gpu_memory_gib,
        instance_type=found.name,
        purchase=purchase_of(pool).value,
        priced_here=priced_here,
    )


def autoscaled_pools(spec: DeploymentSpec, system: MachineSpec) -> list[tuple[Tier, PoolSpec]]:
    """Return every pool of machines with its tier, where the cloud scales them all.

    Args:
        spec: the deployment.
        system: the machine of the first pool, a small one for the cloud's own pods.
    """
    zones = len(spec.target.failure_domains)
    own = PoolSpec(minimum=zones, maximum=SYSTEM_MACHINES_PER_ZONE * zones, machine=system)
    found = [(Tier.PLATFORM, own), (persistent_tier(spec), spec.meta.pool)]
    if has_tier(spec, Tier.EXECUTION):
        found.append((Tier.EXECUTION, spec.execution.pool))
    if spec.cognitive.pool is not None:
        found.append((Tier.COGNITIVE, spec.cognitive.pool))
    if spec.execution.small_pool is not None:
        found.append((Tier.SMALL, spec.execution.small_pool))
    return found
