"""The network of a deployment on Azure: private subnets, a way out, and the names of Azure's stores inside it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final

import pulumi
from pulumi_azure_native import network

from components.azure.private_network import PrivateNetwork
from components.azure.rights import Place
from skerry.address_plan import aks_ranges
from skerry.facts import Tier

AKS_DELEGATION: Final = "Microsoft.ContainerService/managedClusters"
POSTGRES_DELEGATION: Final = "Microsoft.DBforPostgreSQL/flexibleServers"
"""Source: Azure "Use API Server VNet Integration in AKS", read 2026-11; of PostgreSQL public templates, 2026-11."""

ZONES: Final = ("1", "2", "3")
ADDRESSES: Final = 2
"""Public addresses of the way out: each gives 64,512 ports at a time. Source: Azure "NAT gateway", read 2026-11."""


class AzureNetwork(PrivateNetwork):
    """Makes the VNet: machines have private addresses only, and leave through a NAT gateway."""

    def __init__(self, name: str, place: Place, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the network.

        Args:
            name: the component's name.
            place: where it is made; `target.azure.network_cidr` is cut by what the largest plan needs.
            opts: Pulumi's options.

        Raises:
            ConfigError: the range is too small.
        """
        super().__init__(name, place, opts)
        self.ranges = aks_ranges(place.spec)
        subnets = (self.ranges.nodes, self.ranges.endpoints, self.ranges.control_plane, self.ranges.postgres)
        self.vnet = network.VirtualNetwork(
            self.child_name("vnet"),
            resource_group_name=place.group,
            location=place.region,
            # What Services have is not part of it: the cluster alone knows those addresses.
            address_space={"address_prefixes": [str(block) for block in subnets]},
            tags=place.tags(Tier.PLATFORM),
            opts=self.child_options(),
        )
        self._guard = self._rules()
        self._last: pulumi.Resource = self.vnet
        self.nodes = self._subnet("nodes", self.ranges.nodes, {"nat_gateway": {"id": self._way_out()}})
        self.endpoints = self._subnet(
            "endpoints", self.ranges.endpoints, {"private_endpoint_network_policies": "NetworkSecurityGroupEnabled"}
        )
        self.control_plane = self._subnet("api", self.ranges.control_plane, _delegated(AKS_DELEGATION))
        self.postgres = self._subnet("postgres", self.ranges.postgres, _delegated(POSTGRES_DELEGATION))
        self.finish(network_id=self.vnet.id, subnet_id=self.nodes.id)

    def _rules(self) -> network.NetworkSecurityGroup:
        """Make the rules of all subnets: Azure's own, which let in the network itself and nothing from outside."""
        return network.NetworkSecurityGroup(
            self.child_name("rules"),
            resource_group_name=self._place.group,
            location=self._place.region,
            tags=self._place.tags(Tier.PLATFORM),
            opts=self.child_options(),
        )

    def _way_out(self) -> pulumi.Output[str]:
        """Make the NAT: images of registries elsewhere come through it, nothing comes in."""
        addresses = [
            network.PublicIPAddress(
                self.child_name(f"nat-{number}"),
                resource_group_name=self._place.group,
                location=self._place.region,
                sku={"name": "Standard", "tier": "Regional"},
                public_ip_allocation_method="Static",
                public_ip_address_version="IPv4",
                zones=list(ZONES),
                tags=self._place.tags(Tier.PLATFORM),
                opts=self.child_options(),
            )
            for number in range(1, ADDRESSES + 1)
        ]
        gateway = network.NatGateway(
            self.child_name("nat"),
            resource_group_name=self._place.group,
            location=self._place.region,
            sku={"name": "Standard"},
            public_ip_addresses=[{"id": address.id} for address in addresses],
            idle_timeout_in_minutes=4,
            tags=self._place.tags(Tier.PLATFORM),
            opts=self.child_options(),
        )
        return gateway.id

    def _subnet(self, role: str, block: ipaddress.IPv4Network, more: Mapping[str, Any]) -> network.Subnet:
        # Azure changes one subnet of a network at a time.
        made = network.Subnet(
            self.child_name(role),
            resource_group_name=self._place.group,
            virtual_network_name=self.vnet.name,
            address_prefix=str(block),
            default_outbound_access=False,
            network_security_group={"id": self._guard.id},
            **more,
            opts=self.child_options(depends_on=[self._last]),
        )
        self._last = made
        return made


def _delegated(service: str) -> dict[str, Any]:
    return {"delegations": [{"name": "service", "service_name": service}]}
