"""How services on Cloud Run are called by their names: a load balancer for the internet, one for the network.

A domain mapping would do without the first, but it has no firewall, no bounds for a caller and no version of TLS that
could be chosen, and Google does not offer it in every region. Both stand in the region: the global one ends TLS at
Google's edge nearest to the caller, in whatever country that is, and no residency profile can say yes to that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import pulumi
from pulumi_gcp import certificatemanager, compute, dns

from components.base import SkerryComponent
from components.gcp.run_network import GcpRunNetwork
from components.gcp.run_service import CloudRunService
from skerry.application import Application, hosts_of
from skerry.config.application import ApplicationsSpec, Exposure
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, Tier

PUBLIC_SCHEME, INTERNAL_SCHEME = "EXTERNAL_MANAGED", "INTERNAL_MANAGED"
RANGES_OF_A_RULE: Final = 10
"""Source: pulumi-gcp 10.2.0, SecurityPolicy.rules.match.config.src_ip_ranges, read 2026-11."""

EVERYBODY: Final = 2_147_483_647
"""The priority of the last rule of a policy of Cloud Armor. Source: as above, rules.priority."""

WINDOW_S: Final = 60
"""Seconds over which the calls of one caller are counted. Source: as above, rate_limit_threshold.interval_sec."""


class GcpRunEntrance(SkerryComponent):
    """Makes the load balancer of one exposure: TLS 1.2 at least, a name for each service, rules for who may call."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        plan: ApplicationsSpec,
        network: GcpRunNetwork,
        services: Mapping[str, tuple[Application, CloudRunService]],
        *,
        exposure: Exposure,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the load balancer.

        Args:
            name: the component's name.
            spec: the deployment.
            plan: where names are written, and which certificate there is.
            network: in which the internal one stands.
            services: those of this exposure.
            exposure: `public` or `internal`.
            opts: Pulumi's options.
        """
        public = exposure is Exposure.PUBLIC
        facts = ComponentFacts(
            tier=Tier.PLATFORM, role="load-balancer", internet_facing=public, encrypted_in_transit=True
        )
        super().__init__(name, facts, opts)
        self._spec, self._plan, self._network = spec, plan, network
        self._region = spec.target.region
        hosts: list[str] = []
        backends: dict[str, pulumi.Output[str]] = {}
        for application, service in services.values():
            backend = self._backend(application, service, public=public)
            hosts += hosts_of(application)
            backends |= dict.fromkeys(hosts_of(application), backend)
        self.address = self._balancer(hosts, backends, public=public)
        if plan.dns is not None:
            for role, (application, _) in services.items():
                for index, host in enumerate(hosts_of(application)):
                    dns.RecordSet(
                        self.child_name(f"{role}-{index}" if index else role),
                        managed_zone=zone_name(plan),
                        name=f"{host}.",
                        type="A",
                        ttl=plan.dns.ttl_s,
                        rrdatas=[self.address],
                        opts=self.child_options(),
                    )
        self.finish(endpoint=self.address, port=443, secret_ref=None, metrics_endpoint=None)

    def _backend(self, application: Application, service: CloudRunService, *, public: bool) -> pulumi.Output[str]:
        """Return what answers for a service: how long it may take is Cloud Run's to say, not the load balancer's."""
        group = compute.RegionNetworkEndpointGroup(
            self.child_name(application.name),
            region=self._region,
            network_endpoint_type="SERVERLESS",
            cloud_run={"service": service.service.name if service.service else None},
            opts=self.child_options(),
        )
        log: Any = {"enable": True, "sample_rate": 1.0}
        backends: Any = [{"group": group.id}]
        policy = self._armor(application) if public else None
        made: pulumi.Output[str] = compute.RegionBackendService(
            self.child_name(application.name),
            region=self._region,
            load_balancing_scheme=PUBLIC_SCHEME if public else INTERNAL_SCHEME,
            protocol="HTTPS",
            backends=backends,
            security_policy=policy.id if policy else None,
            log_config=log,
            opts=self.child_options(),
        ).id
        return made

    def _armor(self, application: Application) -> compute.RegionSecurityPolicy | None:
        """Make who may call a service from the internet, and how often; None where nothing is said of either."""
        row = application.spec
        if not row.allow_cidrs and row.rate_per_second is None:
            return None
        let_in = [{"src_ip_ranges": ["*"]}]
        if row.allow_cidrs:
            blocks = [
                list(row.allow_cidrs[index * RANGES_OF_A_RULE : (index + 1) * RANGES_OF_A_RULE])
                for index in range(math.ceil(len(row.allow_cidrs) / RANGES_OF_A_RULE))
            ]
            let_in = [{"src_ip_ranges": block} for block in blocks]
        rules: Any = [self._rule(1000 + index, config, row.rate_per_second) for index, config in enumerate(let_in)]
        rules.append(
            {
                "action": "deny(403)" if row.allow_cidrs else "allow",
                "priority": EVERYBODY,
                "match": {"versioned_expr": "SRC_IPS_V1", "config": {"src_ip_ranges": ["*"]}},
                "description": "everybody else",
            }
        )
        return compute.RegionSecurityPolicy(
            self.child_name(f"{application.name}-callers"),
            region=self._region,
            type="CLOUD_ARMOR",
            rules=rules,
            opts=self.child_options(),
        )

    def _rule(self, priority: int, config: Mapping[str, Any], rate: int | None) -> dict[str, Any]:
        found: dict[str, Any] = {
            "action": "allow" if rate is None else "throttle",
            "priority": priority,
            "match": {"versioned_expr": "SRC_IPS_V1", "config": dict(config)},
            "description": "callers",
        }
        if rate is not None:
            found["rate_limit_options"] = {
                "conform_action": "allow",
                "exceed_action": "deny(429)",
                "enforce_on_key": "IP",
                "rate_limit_threshold": {"count": rate * WINDOW_S, "interval_sec": WINDOW_S},
            }
        return found

    def _balancer(
        self, hosts: list[str], backends: Mapping[str, pulumi.Output[str]], *, public: bool
    ) -> pulumi.Output[str]:
        """Make the load balancer; the internet's sends whoever comes without TLS to the same name with it."""
        address = self._address(public=public)
        tls = compute.RegionSslPolicy(
            self.child_name("tls"),
            region=self._region,
            min_tls_version="TLS_1_2",
            profile="MODERN",
            opts=self.child_options(),
        )
        routes = compute.RegionUrlMap(
            self.child_name("names"), region=self._region, **_routes(hosts, backends), opts=self.child_options()
        )
        proxy = compute.RegionTargetHttpsProxy(
            self.child_name("tls"),
            region=self._region,
            url_map=routes.id,
            certificate_manager_certificates=[self._plan.site.certificate or self._proved(hosts)],
            ssl_policy=tls.id,
            opts=self.child_options(),
        )
        self._forward("tls", address, "443", proxy.id, public=public)
        if public:
            redirect: Any = {
                "https_redirect": True,
                "redirect_response_code": "MOVED_PERMANENTLY_DEFAULT",
                "strip_query": False,
            }
            plain = compute.RegionUrlMap(
                self.child_name("to-tls"),
                region=self._region,
                default_url_redirect=redirect,
                opts=self.child_options(),
            )
            to_tls = compute.RegionTargetHttpProxy(
                self.child_name("to-tls"), region=self._region, url_map=plain.id, opts=self.child_options()
            )
            self._forward("to-tls", address, "80", to_tls.id, public=True)
        return address

    def _address(self, *, public: bool) -> pulumi.Output[str]:
        inside = {"subnetwork": self._network.subnet.id, "purpose": "SHARED_LOADBALANCER_VIP"}
        made: pulumi.Output[str] = compute.Address(
            self.child_name("address"),
            region=self._region,
            address_type="EXTERNAL" if public else "INTERNAL",
            opts=self.child_options(),
            **({"network_tier": "PREMIUM"} if public else inside),
        ).address
        return made

    def _forward(
        self, role: str, address: pulumi.Input[str], port: str, target: pulumi.Input[str], *, public: bool
    ) -> None:
        inside = {"subnetwork": self._network.subnet.id}
        compute.ForwardingRule(
            self.child_name(role),
            region=self._region,
            network=self._network.vpc.id,
            ip_address=address,
            ip_protocol="TCP",
            port_range=port,
            load_balancing_scheme=PUBLIC_SCHEME if public else INTERNAL_SCHEME,
            target=target,
            # The proxies of both stand in a subnet of their own.
            opts=self.child_options(depends_on=[self._network.proxies] if self._network.proxies else []),
            **({"network_tier": "PREMIUM"} if public else inside),
        )

    def _proved(self, hosts: list[str]) -> pulumi.Output[str]:
        """Ask for a certificate, and write the records by which Google believes that the names are ours."""
        proofs, records = [], []
        for index, host in enumerate(hosts):
            proof = certificatemanager.DnsAuthorization(
                self.child_name(f"proof-{index}"),
                location=self._region,
                domain=host,
                type="PER_PROJECT_RECORD",
                opts=self.child_options(),
            )
            record = proof.dns_resource_records.apply(lambda rows: rows[0])
            proofs.append(proof.id)
            records.append(
                dns.RecordSet(
                    self.child_name(f"proof-{index}"),
                    managed_zone=zone_name(self._plan),
                    name=record.apply(lambda row: f"{row.name}"),
                    type="CNAME",
                    ttl=300,
                    rrdatas=[record.apply(lambda row: f"{row.data}")],
                    opts=self.child_options(),
                )
            )
        return certificatemanager.Certificate(
            self.child_name("names"),
            location=self._region,
            managed={"domains": hosts, "dns_authorizations": proofs},
            opts=self.child_options(depends_on=records),
        ).id


def zone_name(plan: ApplicationsSpec) -> str:
    """Return Google's own name of the zone that names are written to."""
    if plan.dns is None:
        return ""
    return plan.dns.cloud_name or plan.dns.zone.replace(".", "-")


def _routes(hosts: list[str], backends: Mapping[str, pulumi.Output[str]]) -> dict[str, Any]:
    """Return which name leads where; what has no name of ours leads to the first."""
    return {
        "default_service": backends[hosts[0]],
        "host_rules": [{"hosts": [host], "path_matcher": f"host-{index}"} for index, host in enumerate(hosts)],
        "path_matchers": [
            {"name": f"host-{index}", "default_service": backends[host]} for index, host in enumerate(hosts)
        ],
    }
