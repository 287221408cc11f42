"""Private links from a deployment on AWS to the customer's databases: interface endpoints and their names."""

from __future__ import annotations

import ipaddress

import pulumi
from pulumi_aws import ec2, route53

from components.aws.network import AwsNetwork
from components.base import SkerryComponent
from skerry.config.data_access import DataEndpointSpec, DataRoute, is_address
from skerry.config.spec import DeploymentSpec
from skerry.errors import ConfigError, Problem
from skerry.facts import ComponentFacts, Tier


class AwsDataAccess(SkerryComponent):
    """Gives the services that databases are published as addresses and names in this VPC."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        network: AwsNetwork,
        *,
        clients: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the endpoints.

        Args:
            name: the component's name.
            spec: the deployment; `execution.data_endpoints` names the databases.
            network: the VPC and its private subnets.
            clients: the security group of the machines, which alone may use the endpoints.
            opts: Pulumi's options.

        Raises:
            ConfigError: an address of a private link is in no private subnet.
        """
        super().__init__(name, ComponentFacts(tier=Tier.EXECUTION, role="data-access"), opts)
        self._network, self._clients = network, clients
        for at, row in enumerate(spec.execution.data_endpoints):
            if row.route is DataRoute.PRIVATE_LINK:
                self._link(row, f"execution.data_endpoints[{at}].cidrs")
        self.finish()

    def _link(self, row: DataEndpointSpec, path: str) -> None:
        """Give the service the addresses that are asked for, open to the machines alone, and the database's name."""
        group = ec2.SecurityGroup(
            self.child_name(row.name),
            vpc_id=self._network.vpc_id,
            description=f"The database {row.name}, from the machines",
            ingress=[
                {
                    "protocol": "tcp",
                    "from_port": row.tcp_port,
                    "to_port": row.tcp_port,
                    "security_groups": [self._clients],
                }
            ],
            opts=self.child_options(),
        )
        places = [(self._subnet_of(block, path), block.removesuffix("/32")) for block in row.cidrs]
        ec2.VpcEndpoint(
            self.child_name(row.name),
            vpc_id=self._network.vpc_id,
            service_name=f"{row.service}",
            vpc_endpoint_type="Interface",
            private_dns_enabled=False,
            subnet_ids=[subnet for subnet, _ in places],
            subnet_configurations=[{"subnet_id": subnet, "ipv4": address} for subnet, address in places],
            security_group_ids=[group.id],
            opts=self.child_options(),
        )
        if not is_address(row.host):
            zone = route53.Zone(
                self.child_name(row.name),
                name=row.host,
                vpcs=[{"vpc_id": self._network.vpc_id}],
                opts=self.child_options(),
            )
            route53.Record(
                self.child_name(row.name),
                zone_id=zone.zone_id,
                name=row.host,
                type=route53.RecordType.A,
                ttl=300,
                records=[address for _, address in places],
                opts=self.child_options(),
            )

    def _subnet_of(self, block: str, path: str) -> pulumi.Input[str]:
        address = ipaddress.IPv4Network(block)
        for subnet, held in zip(self._network.subnet_ids, self._network.private_blocks, strict=True):
            if address.subnet_of(held):
                found: pulumi.Input[str] = subnet
                return found
        known = ", ".join(str(held) for held in self._network.private_blocks)
        problem = Problem(path, f"'{block}' is in no private subnet", f"use a free address of {known}, one a zone")
        raise ConfigError(pulumi.get_stack(), [problem])
