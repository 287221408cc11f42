"""The way from a deployment on Google Cloud to the customer's databases: peerings, Private Service Connect, names."""

from __future__ import annotations

from typing import Final

import pulumi
from pulumi_gcp import compute, dns

from components.base import SkerryComponent
from components.gcp.network import GcpNetwork
from skerry.config.data_access import DataEndpointSpec, DataRoute, is_address, peers_of, short_of
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, Tier

COMPUTE: Final = "https://www.googleapis.com/compute/v1/"


class GcpDataAccess(SkerryComponent):
    """Joins the networks that databases stand in, and gives published services addresses and names in this one."""

    def __init__(
        self, name: str, spec: DeploymentSpec, network: GcpNetwork, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Make peerings and endpoints.

        Args:
            name: the component's name.
            spec: the deployment; `execution.data_endpoints` names the databases.
            network: the VPC and its subnet.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.EXECUTION, role="data-access"), opts)
        self._region, self._network = spec.target.region, network
        for peer in peers_of(spec.execution.data_endpoints):
            # The other side makes its own half: until then nothing goes through.
            compute.NetworkPeering(
                self.child_name(f"peering-{short_of(peer)}"),
                network=network.vpc.id,
                peer_network=f"{COMPUTE}{peer}",
                import_custom_routes=False,
                export_custom_routes=False,
                opts=self.child_options(depends_on=[network.peering]),
            )
        for row in spec.execution.data_endpoints:
            if row.route is DataRoute.PRIVATE_LINK:
                self._link(row)
        self.finish()

    def _link(self, row: DataEndpointSpec) -> None:
        """Give a published service the address that is asked for, and the database's name."""
        own = row.cidrs[0].removesuffix("/32")
        address = compute.Address(
            self.child_name(row.name),
            address=own,
            address_type="INTERNAL",
            subnetwork=self._network.subnet.id,
            region=self._region,
            opts=self.child_options(),
        )
        compute.ForwardingRule(
            self.child_name(row.name),
            region=self._region,
            network=self._network.vpc.id,
            ip_address=address.id,
            target=f"{COMPUTE}{row.service}",
            # Empty, as a rule that leads to a published service has to say.
            # Source: terraform-provider-google google_compute_forwarding_rule, load_balancing_scheme (not opened)
            load_balancing_scheme="",
            opts=self.child_options(),
        )
        if not is_address(row.host):
            zone = dns.ManagedZone(
                self.child_name(row.name),
                dns_name=f"{row.host}.",
                description=f"The database {row.name} inside the network",
                visibility="private",
                private_visibility_config={"networks": [{"network_url": self._network.vpc.id}]},
                opts=self.child_options(),
            )
            dns.RecordSet(
                self.child_name(row.name),
                managed_zone=zone.name,
                name=f"{row.host}.",
                type="A",
                ttl=300,
                rrdatas=[own],
                opts=self.child_options(),
            )
