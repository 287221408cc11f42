"""The network by which GPU machines talk to each other past the kernel: Elastic Fabric Adapters, close together."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_aws import ec2, vpc

from components.base import SkerryComponent
from skerry.facts import ComponentFacts, Tier
from skerry.instances import InstanceType


class AwsFabric(SkerryComponent):
    """Makes the group whose members may talk by EFA, and the placement that keeps them in one part of a zone.

    EFA goes past the kernel, and with it past what a rule for addresses opens: the group must name itself both ways.
    Source: Amazon EC2 "Get started with EFA", Step 1, as quoted in Amazon EKS "Manage EFA devices", read 2026-11.
    """

    def __init__(
        self,
        name: str,
        *,
        vpc_id: pulumi.Input[str],
        cluster_group: pulumi.Input[str],
        placed: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the fabric.

        Args:
            name: the component's name.
            vpc_id: the network.
            cluster_group: the security group of the cluster, which every machine must be in.
            placed: whether machines are kept close together; False where a reservation says where they stand.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.COGNITIVE, role="network"), opts)
        self._cluster_group = cluster_group
        self._group = ec2.SecurityGroup(
            self.child_name("group"),
            vpc_id=vpc_id,
            description="GPU machines among themselves, by EFA",
            opts=self.child_options(),
        )
        for rule, way in ((vpc.SecurityGroupIngressRule, "in"), (vpc.SecurityGroupEgressRule, "out")):
            rule(
                self.child_name(way),
                security_group_id=self._group.id,
                referenced_security_group_id=self._group.id,
                description="EFA among GPU machines",
                ip_protocol="-1",
                opts=self.child_options(),
            )
        self.placement: ec2.PlacementGroup | None = None
        if placed:
            self.placement = ec2.PlacementGroup(
                self.child_name("placement"), strategy="cluster", opts=self.child_options()
            )
        self.finish()

    def interfaces(self, machine: InstanceType) -> list[dict[str, Any]]:
        """Return the interfaces of a machine: the first for addresses, and one for EFA alone on each network card.

        Those for EFA alone have no address, so that the CNI takes none for them. No subnet stands here: EKS refuses a
        template that names one.

        Source: Amazon EKS "Manage EFA devices", launch template of P6-B200; Amazon EC2 "Maximize network bandwidth on
        Amazon EC2 instances with multiple network cards"; read 2026-11.
        """
        shared = {"security_groups": [self._cluster_group, self._group.id], "delete_on_termination": "true"}
        first = {"network_card_index": 0, "device_index": 0, "interface_type": "interface", **shared}
        return [
            first,
            *(
                {"network_card_index": card, "device_index": 0 if card else 1, "interface_type": "efa-only", **shared}
                for card in range(machine.fabric_interfaces)
            ),
        ]
