"""What every network of a deployment on Azure has: addresses for Azure's own stores, and their names inside it."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import network, privatedns

from components.azure.rights import Place
from components.base import SkerryComponent
from skerry.facts import ComponentFacts, Tier


class PrivateNetwork(SkerryComponent):
    """A VNet whose stores have no public address; what it is cut into is said by who inherits it."""

    vnet: network.VirtualNetwork
    endpoints: network.Subnet
    """Where Azure's stores get their addresses."""
    postgres: network.Subnet
    """Where PostgreSQL stands."""

    def __init__(
        self, name: str, place: Place, opts: pulumi.ResourceOptions | None = None, *, facing: bool = False
    ) -> None:
        """Register the network, of which nothing is made yet.

        Args:
            name: the component's name.
            place: where it is made.
            facing: whether the internet calls something in it.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.PLATFORM, role="network", internet_facing=facing), opts)
        self._place = place
        self._zones: dict[str, privatedns.PrivateZone] = {}
        self.links: dict[str, pulumi.Resource] = {}
        """Domain -> what makes its zone answer in the network, which a PostgreSQL wants before it is made.

        Source: terraform-provider-azurerm 5.6.0 website/docs/r/postgresql_flexible_server.html.markdown, example, read
        2026-11.
        """

    def zone(self, role: str, domain: str) -> privatedns.PrivateZone:
        """Return the zone that answers for a domain inside the network; made when it is first asked for."""
        if domain not in self._zones:
            zone = privatedns.PrivateZone(
                self.child_name(f"{role}-names"),
                resource_group_name=self._place.group,
                private_zone_name=domain,
                location="Global",
                tags=self._place.tags(Tier.PLATFORM),
                opts=self.child_options(),
            )
            self.links[domain] = privatedns.VirtualNetworkLink(
                self.child_name(f"{role}-names"),
                resource_group_name=self._place.group,
                private_zone_name=zone.name,
                location="Global",
                virtual_network={"id": self.vnet.id},
                registration_enabled=False,
                tags=self._place.tags(Tier.PLATFORM),
                opts=self.child_options(),
            )
            self._zones[domain] = zone
        return self._zones[domain]

    def answer(
        self, owner: SkerryComponent, role: str, service: pulumi.Input[str], part: str, domain: str
    ) -> network.PrivateEndpoint:
        """Give a service of Azure's an address in this network, and its name there.

        Args:
            owner: whose service it is.
            role: the part of the name.
            service: its id.
            part: what of it answers, as Azure calls it.
            domain: the zone of its private name.
        """
        made = network.PrivateEndpoint(
            owner.child_name(f"{role}-endpoint"),
            resource_group_name=self._place.group,
            location=self._place.region,
            subnet={"id": self.endpoints.id},
            private_link_service_connections=[{"name": role, "private_link_service_id": service, "group_ids": [part]}],
            tags=self._place.tags(Tier.PLATFORM),
            opts=owner.child_options(),
        )
        network.PrivateDnsZoneGroup(
            owner.child_name(f"{role}-endpoint"),
            resource_group_name=self._place.group,
            private_endpoint_name=made.name,
            private_dns_zone_configs=[{"name": role, "private_dns_zone_id": self.zone(role, domain).id}],
            opts=owner.child_options(),
        )
        return made
