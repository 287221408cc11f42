"""The way from a deployment on Azure to the customer's databases: VNet peerings, private endpoints, and their names."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_azure_native import network as api
from pulumi_azure_native import privatedns

from components.azure.network import AzureNetwork
from components.azure.rights import Place
from components.base import SkerryComponent
from skerry.config.data_access import DataEndpointSpec, DataRoute, is_address, peers_of, short_of
from skerry.facts import ComponentFacts, Tier


class AzureDataAccess(SkerryComponent):
    """Joins the VNets that databases stand in, and gives private links addresses and names in this one."""

    def __init__(
        self, name: str, place: Place, network: AzureNetwork, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Make peerings and endpoints.

        Args:
            name: the component's name.
            place: where they are made; `execution.data_endpoints` of its deployment names the databases.
            network: the VNet and its subnet for endpoints.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.EXECUTION, role="data-access"), opts)
        self._place, self._network = place, network
        rows = place.spec.execution.data_endpoints
        for peer in peers_of(rows):
            # The other side makes its own half: until then nothing goes through.
            api.VirtualNetworkPeering(
                self.child_name(f"peering-{short_of(peer)}"),
                resource_group_name=place.group,
                virtual_network_name=network.vnet.name,
                remote_virtual_network={"id": peer},
                allow_virtual_network_access=True,
                allow_forwarded_traffic=False,
                allow_gateway_transit=False,
                use_remote_gateways=False,
                opts=self.child_options(),
            )
        for row in rows:
            if row.route is DataRoute.PRIVATE_LINK:
                self._link(row)
        self.finish()

    def _link(self, row: DataEndpointSpec) -> None:
        """Give the resource the address that is asked for, and the database's name."""
        address = row.cidrs[0].removesuffix("/32")
        connection: dict[str, Any] = {
            "name": row.name,
            "private_link_service_id": row.service,
            "request_message": f"databases of migrations: {row.name}",
        }
        configuration: dict[str, Any] = {"name": row.name, "private_ip_address": address}
        if row.service_group is not None:
            connection["group_ids"] = [row.service_group]
            # The member of a database's group has the group's name (Azure's own page was not opened).
            configuration |= {"group_id": row.service_group, "member_name": row.service_group}
        made: dict[str, Any] = {
            # The owner of the resource approves it: the customer, who is seldom of this tenant.
            "manual_private_link_service_connections": [connection],
            "ip_configurations": [configuration],
        }
        api.PrivateEndpoint(
            self.child_name(row.name),
            resource_group_name=self._place.group,
            location=self._place.region,
            subnet={"id": self._network.endpoints.id},
            **made,
            tags=self._place.tags(Tier.EXECUTION),
            opts=self.child_options(),
        )
        if is_address(row.host):
            return
        zone = privatedns.PrivateZone(
            self.child_name(f"{row.name}-names"),
            resource_group_name=self._place.group,
            private_zone_name=row.host,
            location="Global",
            tags=self._place.tags(Tier.EXECUTION),
            opts=self.child_options(),
        )
        privatedns.VirtualNetworkLink(
            self.child_name(f"{row.name}-names"),
            resource_group_name=self._place.group,
            private_zone_name=zone.name,
            location="Global",
            virtual_network={"id": self._network.vnet.id},
            registration_enabled=False,
            tags=self._place.tags(Tier.EXECUTION),
            opts=self.child_options(),
        )
        privatedns.PrivateRecordSet(
            self.child_name(f"{row.name}-names"),
            resource_group_name=self._place.group,
            private_zone_name=zone.name,
            record_type="A",
            relative_record_set_name="@",
            ttl=300,
            a_records=[{"ipv4_address": address}],
            opts=self.child_options(),
        )
