"""The way from the network of one region to those of others: a transit gateway, and who may come through."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_aws import ec2, ec2transitgateway, vpc

from components.aws.network import AwsNetwork
from components.base import SkerryComponent
from skerry.facts import ComponentFacts, Tier


class AwsTransit(SkerryComponent):
    """Joins a network to a gateway of its own; the stack of mode geo joins the gateways to each other."""

    def __init__(
        self,
        name: str,
        others: Mapping[str, tuple[int, str]],
        network: AwsNetwork,
        *,
        members: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make gateway, routes and rules.

        Args:
            name: the component's name.
            others: address range of each other region -> port and protocol by which its replicas call.
            network: of this region.
            members: the security group of the machines.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.PLATFORM, role="transit"), opts)
        self._network = network
        self.gateway = ec2transitgateway.TransitGateway(
            self.child_name("gateway"),
            description=f"Way of {pulumi.get_stack()} to the other regions",
            auto_accept_shared_attachments="disable",
            opts=self.child_options(),
        )
        attached = ec2transitgateway.VpcAttachment(
            self.child_name("attachment"),
            transit_gateway_id=self.gateway.id,
            vpc_id=network.vpc_id,
            subnet_ids=network.subnet_ids,
            opts=self.child_options(),
        )
        for number, (cidr, (port, protocol)) in enumerate(sorted(others.items())):
            for zone, table in network.private_tables.items():
                ec2.Route(
                    self.child_name(f"{zone}-{number}"),
                    route_table_id=table,
                    destination_cidr_block=cidr,
                    transit_gateway_id=self.gateway.id,
                    opts=self.child_options(depends_on=[attached]),
                )
            vpc.SecurityGroupIngressRule(
                self.child_name(f"from-{number}"),
                security_group_id=members,
                cidr_ipv4=cidr,
                from_port=port,
                to_port=port,
                ip_protocol=protocol,
                description="Replicas of another region",
                opts=self.child_options(),
            )
        self.finish()

    def stack_outputs(self) -> dict[str, pulumi.Input[object]]:
        """Return what the stack that joins the regions needs."""
        return {
            "vpcId": self._network.vpc_id,
            "transitGatewayId": self.gateway.id,
            "transitRouteTableId": self.gateway.association_default_route_table_id,
        }
