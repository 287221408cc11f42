"""The network of a deployment on Google Cloud: one private subnet, a way out, and the names of Google's services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pulumi
from pulumi_gcp import compute

from components.base import SkerryComponent
from components.gcp.network_parts import answer, managed_stores, way_out
from skerry.address_plan import gke_ranges
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, Tier

PODS, SERVICES = "pods", "services"
"""Names of the subnet's secondary ranges."""

GOOGLE_APIS: Final = "199.36.153.8/30"
"""Where Google's services answer inside a network without a way to the internet: private.googleapis.com.

A NetworkPolicy knows addresses, not names: with these it can open Google's services and nothing else.
Source: seen in public Terraform as the route to private.googleapis.com, 2026-11 (Google's own page was not opened).
"""

ZONES: Final[Mapping[str, tuple[str, str]]] = {
    "googleapis": ("googleapis.com.", "private.googleapis.com."),
    "pkg": ("pkg.dev.", "pkg.dev."),
    "gcr": ("gcr.io.", "gcr.io."),
}
"""Role -> the domain that is answered from inside, and the name in it that has the addresses; others point to that.

Source: terraform-google-modules/terraform-google-network modules/private-service-connect/dns.tf, read 2026-11.
"""

WEBHOOK_PORTS: Final = ("8443", "9443")
"""Ports of admission webhooks: GKE itself opens only 443 and 10250 from the control plane to the machines.

Source: GKE "Creating a private cluster", adding firewall rules (not opened; check before relying on it).
"""


class GcpNetwork(SkerryComponent):
    """Makes the VPC: machines have private addresses only, and leave through Cloud NAT."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        *,
        cluster_name: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the network.

        Args:
            name: the component's name.
            spec: the deployment; `target.gcp.network_cidr` is cut by what the largest plan needs.
            cluster_name: the network tag of its machines.
            opts: Pulumi's options.

        Raises:
            ConfigError: the range is too small.
        """
        super().__init__(name, ComponentFacts(tier=Tier.PLATFORM, role="network"), opts)
        self.ranges = gke_ranges(spec)
        region = spec.target.region
        self.vpc = compute.Network(
            self.child_name("vpc"),
            auto_create_subnetworks=False,
            routing_mode="REGIONAL",
            opts=self.child_options(),
        )
        self.subnet = self._subnet(region)
        way_out(self, self.vpc, self.subnet, region)
        for role, (domain, holder) in ZONES.items():
            answer(self, self.vpc, role, domain, holder)
        compute.Firewall(
            self.child_name("webhooks"),
            network=self.vpc.id,
            description="Admission webhooks, from the control plane to the machines",
            direction="INGRESS",
            source_ranges=[str(self.ranges.control_plane)],
            target_tags=[cluster_name],
            allows=[{"protocol": "tcp", "ports": list(WEBHOOK_PORTS)}],
            log_config={"metadata": "INCLUDE_ALL_METADATA"},
            opts=self.child_options(),
        )
        self.peering_range, self.peering = managed_stores(self, self.vpc, self.ranges.managed)
        self.finish(network_id=self.vpc.id, subnet_id=self.subnet.id)

    def _subnet(self, region: str) -> compute.Subnetwork:
        return compute.Subnetwork(
            self.child_name("subnet"),
            network=self.vpc.id,
            region=region,
            ip_cidr_range=str(self.ranges.nodes),
            secondary_ip_ranges=[
                {"range_name": PODS, "ip_cidr_range": str(self.ranges.pods)},
                {"range_name": SERVICES, "ip_cidr_range": str(self.ranges.services)},
            ],
            private_ip_google_access=True,
            stack_type="IPV4_ONLY",
            log_config={
                "aggregation_interval": "INTERVAL_5_SEC",
                "flow_sampling": 0.5,
                "metadata": "INCLUDE_ALL_METADATA",
            },
            opts=self.child_options(),
        )
