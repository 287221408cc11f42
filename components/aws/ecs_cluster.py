"""The ECS cluster of a deployment."""

from __future__ import annotations

import pulumi
from pulumi_aws import ecs

from components.base import SkerryComponent
from skerry.facts import ComponentFacts, Tier


class AwsContainerCluster(SkerryComponent):
    """The ECS cluster of a deployment, with its figures and its two kinds of capacity; machines are AWS's own."""

    def __init__(self, name: str, site_name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the cluster.

        Args:
            name: the component's name.
            site_name: the name of the deployment, which autoscaling and people know the cluster by.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.PLATFORM, role="cluster"), opts)
        self.cluster = ecs.Cluster(
            self.child_name("cluster"),
            name=f"{site_name}-cluster",
            settings=[{"name": "containerInsights", "value": "enabled"}],
            opts=self.child_options(delete_before_replace=True),
        )
        self.capacity = ecs.ClusterCapacityProviders(
            self.child_name("capacity"),
            cluster_name=self.cluster.name,
            capacity_providers=["FARGATE", "FARGATE_SPOT"],
            default_capacity_provider_strategies=[{"capacity_provider": "FARGATE", "base": 1, "weight": 1}],
            opts=self.child_options(),
        )
        self.finish(cluster_name=self.cluster.name)
