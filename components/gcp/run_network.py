"""The network of services on Cloud Run: their addresses, what they may call, and the way to Google's own stores."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import pulumi
from pulumi_gcp import compute, servicenetworking

from components.base import SkerryComponent
from components.gcp.network import GOOGLE_APIS, ZONES
from components.gcp.network_parts import answer, managed_stores, way_out
from skerry.application import Application
from skerry.config.application import ApplicationsSpec, Exposure
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, Tier

HTTPS: Final = "443"


@dataclass(frozen=True, slots=True)
class RunRanges:
    """What the network's range is cut into, a quarter each."""

    instances: ipaddress.IPv4Network
    """Of the services. Each instance takes an address, and some more while a new revision takes over."""
    managed: ipaddress.IPv4Network
    """Of Google's own stores."""
    proxies: ipaddress.IPv4Network
    """Of the load balancers' proxies."""

    @classmethod
    def of(cls, cidr: str) -> Self:
        """Return the ranges of a network, whose last quarter stays free."""
        instances, managed, proxies, _ = ipaddress.IPv4Network(cidr).subnets(prefixlen_diff=2)
        return cls(instances, managed, proxies)


class GcpRunNetwork(SkerryComponent):
    """Makes the VPC that services call through: Google's own services, their stores, named hosts, and nothing else."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        plan: ApplicationsSpec,
        applications: Sequence[Application],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the network.

        Args:
            name: the component's name.
            spec: the deployment.
            plan: what is shared, and the range of the network.
            applications: hosts that they call are opened, and a way to the internet is made only for those.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.PLATFORM, role="network"), opts)
        self.ranges = RunRanges.of(plan.site.network_cidr)
        region = spec.target.region
        self.vpc = compute.Network(
            self.child_name("vpc"), auto_create_subnetworks=False, routing_mode="REGIONAL", opts=self.child_options()
        )
        self.subnet = compute.Subnetwork(
            self.child_name("services"),
            network=self.vpc.id,
            region=region,
            ip_cidr_range=str(self.ranges.instances),
            private_ip_google_access=True,
            stack_type="IPV4_ONLY",
            log_config={
                "aggregation_interval": "INTERVAL_5_SEC",
                "flow_sampling": 0.5,
                "metadata": "INCLUDE_ALL_METADATA",
            },
            opts=self.child_options(),
        )
        self.proxies = self._proxies(region, plan)
        for role, (domain, holder) in {**ZONES, "run": ("run.app.", "run.app.")}.items():
            answer(self, self.vpc, role, domain, holder)
        hosts = sorted({host for one in applications for host in one.definition.egress})
        self._rules(plan, hosts)
        if hosts:
            way_out(self, self.vpc, self.subnet, region)
        self.peering_range: compute.GlobalAddress | None = None
        self.peering: servicenetworking.Connection | None = None
        if _managed_stores(plan):
            self.peering_range, self.peering = managed_stores(self, self.vpc, self.ranges.managed)
        self.finish(network_id=self.vpc.id, subnet_id=self.subnet.id)

    def _proxies(self, region: str, plan: ApplicationsSpec) -> compute.Subnetwork | None:
        """Make the subnet of the load balancers' proxies, where there are any."""
        if not any(row.exposure is not Exposure.NONE for row in plan.services.values()):
            return None
        return compute.Subnetwork(
            self.child_name("proxies"),
            network=self.vpc.id,
            region=region,
            ip_cidr_range=str(self.ranges.proxies),
            purpose="REGIONAL_MANAGED_PROXY",
            role="ACTIVE",
            opts=self.child_options(),
        )

    def _rules(self, plan: ApplicationsSpec, hosts: list[str]) -> None:
        """Open what services may call, by address and by name, and close the rest.

        A policy of the network and no single rules: those come first, and know no names.
        """
        policy = compute.NetworkFirewallPolicy(
            self.child_name("calls"), description="What services may call", opts=self.child_options()
        )
        compute.NetworkFirewallPolicyAssociation(
            self.child_name("calls"),
            firewall_policy=policy.name,
            attachment_target=self.vpc.id,
            opts=self.child_options(),
        )
        everything = {"layer4_configs": [{"ip_protocol": "all"}], "dest_ip_ranges": ["0.0.0.0/0"]}
        self._rule(policy, "google", 1000, "allow", _to([GOOGLE_APIS], [HTTPS]))
        inside = [str(self.ranges.instances), *([str(self.ranges.proxies)] if self.proxies else [])]
        self._rule(policy, "inside", 1100, "allow", _to(inside, [HTTPS]))
        if _managed_stores(plan):
            self._rule(policy, "stores", 1200, "allow", _to([str(self.ranges.managed)], ["5432", "6378"]))
        endpoints = [one for row in plan.services.values() for one in row.site_endpoints]
        for index, one in enumerate(dict.fromkeys(endpoints)):
            self._rule(policy, f"site-{index}", 1300 + index, "allow", _to(one.cidrs, [f"{one.port}"]))
        if hosts:
            named = {"layer4_configs": [{"ip_protocol": "tcp", "ports": [HTTPS]}], "dest_fqdns": hosts}
            self._rule(policy, "hosts", 2000, "allow", named)
        self._rule(policy, "rest", 65_000, "deny", everything)

    def _rule(self, policy: compute.NetworkFirewallPolicy, role: str, priority: int, action: str, match: Any) -> None:
        compute.NetworkFirewallPolicyRule(
            self.child_name(f"calls-{role}"),
            firewall_policy=policy.name,
            priority=priority,
            action=action,
            direction="EGRESS",
            match=match,
            enable_logging=action == "deny",
            opts=self.child_options(),
        )


def _managed_stores(plan: ApplicationsSpec) -> bool:
    return plan.database is not None or plan.cache is not None


def _to(ranges: Iterable[str], ports: list[str]) -> dict[str, Any]:
    return {"layer4_configs": [{"ip_protocol": "tcp", "ports": ports}], "dest_ip_ranges": list(ranges)}
