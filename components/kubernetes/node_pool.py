"""A pool of machines as the readers see it; what makes them is the target's business."""

from __future__ import annotations

import pulumi

from components.base import SkerryComponent
from components.kubernetes.cluster import TIER_LABEL, Placement
from skerry.config.spec import PoolSpec
from skerry.facts import ComponentFacts, NodesFact, ScalingFact, Tier


class NodePool(SkerryComponent):
    """States the machines of one tier: how many, of what, paid how, scaled by whom."""

    def __init__(
        self,
        name: str,
        *,
        tier: Tier,
        nodes: NodesFact,
        scaling: ScalingFact,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the facts of the pool."""
        super().__init__(name, ComponentFacts(tier=tier, role="node-pool", nodes=nodes, scaling=scaling), opts)
        self.finish()


def scaling_of(pool: PoolSpec, autoscaler: str | None) -> ScalingFact:
    """Return the bounds of a pool; what is typical is its minimum unless somebody said more."""
    typical = pool.minimum if pool.typical is None else pool.typical
    return ScalingFact(minimum=pool.minimum, typical=typical, maximum=pool.maximum, autoscaler=autoscaler)


def placement_of(tier: Tier, pool: PoolSpec, autoscaler: str | None) -> Placement:
    """Return how pods find the machines of a tier: a label, and a taint that keeps other pods away."""
    tolerations: list[dict[str, str]] = [
        {"key": TIER_LABEL, "operator": "Equal", "value": tier.value, "effect": "NoSchedule"}
    ]
    if pool.machine.gpus:
        tolerations.append({"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"})
    return Placement(
        node_selector={TIER_LABEL: tier.value},
        tolerations=tuple(tolerations),
        nodes_minimum=pool.minimum,
        nodes_maximum=pool.maximum,
        vcpu=pool.machine.vcpu,
        memory_gib=pool.machine.memory_gib,
        gpus=pool.machine.gpus,
        autoscaler=autoscaler,
    )
