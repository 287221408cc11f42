"""The tags by which finance and policy group what a deployment makes on AWS."""

from __future__ import annotations

import pulumi

from skerry.config.spec import DeploymentSpec
from skerry.facts import Tier


def tags_of(spec: DeploymentSpec, tier: Tier) -> dict[str, str]:
    """Return the tags of what belongs to `tier`; the provider gives those of the platform to all that bears none.

    Machines and volumes that AWS or an operator makes for us get no provider's tags: whoever makes them is told these.
    """
    return {
        "skerry:system": spec.system.value,
        "skerry:stack": pulumi.get_stack(),
        "skerry:tier": tier.value,
        "skerry:data-class": spec.data_class.value,
        **spec.tags,
    }


def tier_tag(tier: Tier) -> dict[str, str]:
    """Return the one tag in which a resource differs from what the provider gives to all."""
    return {"skerry:tier": tier.value}
