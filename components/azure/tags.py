"""The tags by which finance and policy group what a deployment makes on Azure."""

from __future__ import annotations

import pulumi

from skerry.config.spec import DeploymentSpec
from skerry.facts import Tier


def tags_of(spec: DeploymentSpec, tier: Tier) -> dict[str, str]:
    """Return the tags of what belongs to `tier`; the provider gives none of its own, so each resource bears them."""
    return {
        "skerry:system": spec.system.value,
        "skerry:stack": pulumi.get_stack(),
        "skerry:tier": tier.value,
        "skerry:data-class": spec.data_class.value,
        **spec.tags,
    }
