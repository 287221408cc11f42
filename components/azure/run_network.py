"""The network of services on Azure without a cluster: their environment, Azure's own stores, and the gateway."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import pulumi
from pulumi_azure_native import network

from components.azure.network import POSTGRES_DELEGATION, ZONES
from components.azure.private_network import PrivateNetwork
from components.azure.rights import Place
from skerry.application import Application
from skerry.config.application import ApplicationsSpec, Exposure
from skerry.facts import Tier

ENVIRONMENT_DELEGATION: Final = "Microsoft.App/environments"
"""Source: Azure "Networking in Azure Container Apps environment", workload profiles, read 2026-11."""

SERVICE_TAGS: Final = (
    "AzureActiveDirectory",
    "AzureMonitor",
    "MicrosoftContainerRegistry",
    "AzureFrontDoor.FirstParty",
    "AzureContainerRegistry",
    "AzureKeyVault",
)
"""What the environment itself calls, by Azure's own names of address ranges.

Source: Azure "Securing a virtual network in Azure Container Apps" (not opened; check before relying on it).
"""

RESOLVER: Final = "168.63.129.16"
GATEWAY_PORTS: Final = "65200-65535"
"""Azure's own infrastructure reaches a gateway there, and nobody else does.

Source: Azure "Application Gateway infrastructure configuration" (not opened; check before relying on it).
"""


@dataclass(frozen=True, slots=True)
class RunRanges:
    """What the network's range is cut into, an eighth each, the first four for the environment."""

    environment: ipaddress.IPv4Network
    endpoints: ipaddress.IPv4Network
    postgres: ipaddress.IPv4Network
    gateway: ipaddress.IPv4Network

    @classmethod
    def of(cls, cidr: str) -> Self:
        """Return the ranges of a network."""
        whole = ipaddress.IPv4Network(cidr)
        environment, _ = whole.subnets(prefixlen_diff=1)
        _, _, _, _, endpoints, postgres, gateway, _ = whole.subnets(prefixlen_diff=3)
        return cls(environment, endpoints, postgres, gateway)


class AzureRunNetwork(PrivateNetwork):
    """Makes the VNet of services: nothing comes in but by the gateway, and a NAT is the only way out."""

    def __init__(
        self,
        name: str,
        place: Place,
        plan: ApplicationsSpec,
        applications: Sequence[Application],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the network.

        Args:
            name: the component's name.
            place: where it is made.
            plan: what is shared, and the range of the network.
            applications: port 443 of the internet is opened where one of them calls a host there.
            opts: Pulumi's options.
        """
        public = any(one.spec.exposure is Exposure.PUBLIC for one in applications)
        super().__init__(name, place, opts, facing=public)
        self.ranges = RunRanges.of(plan.site.network_cidr)
        blocks = [self.ranges.environment, self.ranges.endpoints, self.ranges.postgres]
        self.vnet = network.VirtualNetwork(
            self.child_name("vnet"),
            resource_group_name=place.group,
            location=place.region,
            address_space={"address_prefixes": [str(block) for block in [*blocks, self.ranges.gateway]]},
            tags=place.tags(Tier.PLATFORM),
            opts=self.child_options(),
        )
        self._last: pulumi.Resource = self.vnet
        nat = {"nat_gateway": {"id": self._way_out()}, "delegations": _delegated(ENVIRONMENT_DELEGATION)}
        outward = self._rules("services", self._calls(plan, applications))
        self.environment = self._subnet("services", self.ranges.environment, outward, nat)
        inward = self._rules("stores", [])
        policies = {"private_endpoint_network_policies": "NetworkSecurityGroupEnabled"}
        self.endpoints = self._subnet("endpoints", self.ranges.endpoints, inward, policies)
        if plan.database is not None:
            delegated = {"delegations": _delegated(POSTGRES_DELEGATION)}
            self.postgres = self._subnet("postgres", self.ranges.postgres, inward, delegated)
        if public:
            self.gateway = self._subnet("gateway", self.ranges.gateway, self._rules("gateway", _callers()), {})
        self.finish(network_id=self.vnet.id, subnet_id=self.environment.id)

    def _calls(self, plan: ApplicationsSpec, applications: Sequence[Application]) -> list[dict[str, Any]]:
        """Return what services may call; Azure tells addresses apart here, not the names of hosts."""
        inside = str(ipaddress.IPv4Network(plan.site.network_cidr))
        rules = [
            _rule("inside", 100, "Allow", destination_address_prefix=inside, destination_port_range="*"),
            _rule(
                "names", 110, "Allow", destination_address_prefix=RESOLVER, destination_port_range="53", protocol="*"
            ),
        ]
        for index, tag in enumerate(SERVICE_TAGS):
            rules.append(
                _rule(
                    f"azure-{index}", 200 + index, "Allow", destination_address_prefix=tag, destination_port_range="443"
                )
            )
        ends = [one for row in applications for one in row.spec.site_endpoints]
        for index, end in enumerate(dict.fromkeys(ends)):
            rules.append(
                _rule(
                    f"site-{index}",
                    300 + index,
                    "Allow",
                    destination_address_prefixes=list(end.cidrs),
                    destination_port_range=f"{end.port}",
                )
            )
        if any(row.definition.egress for row in applications):
            rules.append(
                _rule("hosts", 400, "Allow", destination_address_prefix="Internet", destination_port_range="443")
            )
        rules.append(
            _rule("rest", 4000, "Deny", destination_address_prefix="Internet", destination_port_range="*", protocol="*")
        )
        return rules

    def _rules(self, role: str, rules: list[dict[str, Any]]) -> network.NetworkSecurityGroup:
        """Make the rules of a subnet, beside Azure's own, which let in the network itself and nothing from outside."""
        made: Any = rules
        return network.NetworkSecurityGroup(
            self.child_name(f"{role}-rules"),
            resource_group_name=self._place.group,
            location=self._place.region,
            security_rules=made,
            tags=self._place.tags(Tier.PLATFORM),
            opts=self.child_options(),
        )

    def _way_out(self) -> pulumi.Output[str]:
        address = network.PublicIPAddress(
            self.child_name("nat"),
            resource_group_name=self._place.group,
            location=self._place.region,
            sku={"name": "Standard", "tier": "Regional"},
            public_ip_allocation_method="Static",
            public_ip_address_version="IPv4",
            zones=list(ZONES),
            tags=self._place.tags(Tier.PLATFORM),
            opts=self.child_options(),
        )
        gateway = network.NatGateway(
            self.child_name("nat"),
            resource_group_name=self._place.group,
            location=self._place.region,
            sku={"name": "Standard"},
            public_ip_addresses=[{"id": address.id}],
            idle_timeout_in_minutes=4,
            tags=self._place.tags(Tier.PLATFORM),
            opts=self.child_options(),
        )
        return gateway.id

    def _subnet(
        self,
        role: str,
        block: ipaddress.IPv4Network,
        rules: network.NetworkSecurityGroup,
        more: Mapping[str, Any],
    ) -> network.Subnet:
        # Azure changes one subnet of a network at a time.
        made = network.Subnet(
            self.child_name(role),
            resource_group_name=self._place.group,
            virtual_network_name=self.vnet.name,
            address_prefix=str(block),
            default_outbound_access=False,
            network_security_group={"id": rules.id},
            **more,
            opts=self.child_options(depends_on=[self._last]),
        )
        self._last = made
        return made


def _delegated(service: str) -> list[dict[str, str]]:
    return [{"name": "service", "service_name": service}]


def _rule(name: str, priority: int, access: str, *, protocol: str = "Tcp", **where: Any) -> dict[str, Any]:
    return {
        "name": name,
        "priority": priority,
        "direction": "Outbound",
        "access": access,
        "protocol": protocol,
        "source_address_prefix": "*",
        "source_port_range": "*",
        **where,
    }


def _callers() -> list[dict[str, Any]]:
    """Return who reaches the gateway: the internet by TLS, and Azure's own infrastructure."""
    common = {
        "direction": "Inbound",
        "access": "Allow",
        "protocol": "Tcp",
        "source_port_range": "*",
        "destination_address_prefix": "*",
    }
    return [
        {
            **common,
            "name": "callers",
            "priority": 100,
            "source_address_prefix": "Internet",
            "destination_port_ranges": ["80", "443"],
        },
        {
            **common,
            "name": "azure",
            "priority": 110,
            "source_address_prefix": "GatewayManager",
            "destination_port_range": GATEWAY_PORTS,
        },
    ]
