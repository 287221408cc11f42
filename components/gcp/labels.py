"""The labels by which finance and policy group what a deployment makes on Google Cloud."""

from __future__ import annotations

import pulumi

from skerry.config.spec import DeploymentSpec
from skerry.facts import Tier


def labels_of(spec: DeploymentSpec, tier: Tier) -> dict[str, str]:
    """Return the labels of what belongs to `tier`; the provider gives those of the platform to all that bears none.

    Names and values of labels have no colon there, so they are AWS's tags with a dash.
    """
    return {
        "skerry-system": spec.system.value,
        "skerry-stack": pulumi.get_stack(),
        "skerry-tier": tier.value,
        "skerry-data-class": spec.data_class.value,
        **spec.tags,
    }


def tier_label(tier: Tier) -> dict[str, str]:
    """Return the one label in which a resource differs from what the provider gives to all."""
    return {"skerry-tier": tier.value}
