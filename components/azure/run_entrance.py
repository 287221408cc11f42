"""How functions are called from the internet: an Application Gateway with a firewall, in the deployment's region.

Not Front Door, though that would ask for certificates by itself: it ends TLS wherever a caller is, in every country of
Azure's edge, and no residency profile can say yes to that; and not the function's own name, since that has no bounds
for a caller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi_azure_native import dns, network

from components.azure.network import ZONES
from components.azure.rights import Place, identity
from components.azure.run_network import AzureRunNetwork
from components.azure.run_service import AzureFunctionService
from components.base import SkerryComponent
from skerry.application import Application, hosts_of
from skerry.config.application import ApplicationsSpec
from skerry.facts import ComponentFacts, Tier

TLS: Final = "AppGwSslPolicy20220101"
"""TLS 1.2 and 1.3. Source: Azure "Application Gateway TLS policy overview" (not opened; check)."""

RULE_SET: Final = ("Microsoft_DefaultRuleSet", "2.1")
MOST_CALLS: Final = 5000
"""Calls of a minute that can be counted. Source: Azure "Rate limiting for WAF v2" (not opened; check)."""

MOST_BODY_KB, MOST_FILE_MB = 2000, 4000
"""Source: Azure "WAF request and file upload size limits" (not opened; check before relying on it)."""

CAPACITY: Final = (0, 10)


class AzureRunEntrance(SkerryComponent):
    """Makes the gateway: TLS 1.2 at least, a name for each function, rules for who may call, and a firewall."""

    def __init__(
        self,
        name: str,
        place: Place,
        plan: ApplicationsSpec,
        net: AzureRunNetwork,
        services: Sequence[tuple[Application, AzureFunctionService]],
        *,
        certificate: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the gateway.

        Args:
            name: the component's name.
            place: where it is made.
            plan: where names are written.
            net: in which it stands.
            services: those that the internet calls.
            certificate: the address of the certificate of all names, in a vault.
            opts: Pulumi's options.
        """
        facts = ComponentFacts(
            tier=Tier.PLATFORM, role="load-balancer", internet_facing=True, encrypted_in_transit=True
        )
        super().__init__(name, facts, opts)
        self._place = place
        address = network.PublicIPAddress(
            self.child_name("address"),
            resource_group_name=place.group,
            location=place.region,
            sku={"name": "Standard", "tier": "Regional"},
            public_ip_allocation_method="Static",
            public_ip_address_version="IPv4",
            zones=list(ZONES),
            tags=place.tags(Tier.PLATFORM),
            opts=self.child_options(),
        )
        self.identity = identity(self, "identity", place, Tier.PLATFORM)
        self._gateway(net, services, address, certificate)
        if plan.dns is not None:
            for application, _ in services:
                for index, host in enumerate(hosts_of(application)):
                    dns.RecordSet(
                        self.child_name(f"{application.name}-name-{index}" if index else f"{application.name}-name"),
                        resource_group_name=plan.dns.cloud_name or place.group,
                        zone_name=plan.dns.zone,
                        relative_record_set_name=host.removesuffix(f".{plan.dns.zone}"),
                        record_type="A",
                        ttl=plan.dns.ttl_s,
                        target_resource={"id": address.id},
                        opts=self.child_options(),
                    )
        self.address: pulumi.Output[str] = address.ip_address.apply(lambda found: f"{found}")
        self.finish(endpoint=self.address, port=443, secret_ref=None, metrics_endpoint=None)

    def _gateway(
        self,
        net: AzureRunNetwork,
        services: Sequence[tuple[Application, AzureFunctionService]],
        address: network.PublicIPAddress,
        certificate: str,
    ) -> None:
        place, name = self._place, self.child_name("gateway")
        whole = f"/subscriptions/{place.spec.target.azure.subscription_id}/resourceGroups/"

        def part(kind: str, one: str) -> dict[str, pulumi.Input[str]]:
            return {
                "id": pulumi.Output.concat(
                    whole, place.group, f"/providers/Microsoft.Network/applicationGateways/{name}/{kind}/{one}"
                )
            }

        pieces: Any = _pieces(services, part)
        policies = {application.name: self._firewall(application) for application, _ in services}
        for listener in pieces["http_listeners"]:
            if listener["name"] in policies:
                listener["firewall_policy"] = {"id": policies[listener["name"]].id}
        first = next(iter(policies.values()))
        certificates: Any = [{"name": "names", "key_vault_secret_id": certificate}]
        front: Any = [{"name": "internet", "public_ip_address": {"id": address.id}}]
        kind: Any = {"name": "WAF_v2", "tier": "WAF_v2"}
        bearing: Any = {"type": "UserAssigned", "user_assigned_identities": [self.identity.id]}
        ports: Any = [{"name": "tls", "port": 443}, {"name": "plain", "port": 80}]
        network_part: Any = [{"name": "network", "subnet": {"id": net.gateway.id}}]
        network.ApplicationGateway(
            name,
            application_gateway_name=name,
            resource_group_name=place.group,
            location=place.region,
            zones=list(ZONES),
            sku=kind,
            autoscale_configuration={"min_capacity": CAPACITY[0], "max_capacity": CAPACITY[1]},
            identity=bearing,
            enable_http2=True,
            firewall_policy={"id": first.id},
            ssl_policy={"policy_type": "Predefined", "policy_name": TLS},
            ssl_certificates=certificates,
            gateway_ip_configurations=network_part,
            frontend_ip_configurations=front,
            frontend_ports=ports,
            **pieces,
            tags=place.tags(Tier.PLATFORM),
            opts=self.child_options(),
        )

    def _firewall(self, application: Application) -> network.WebApplicationFirewallPolicy:
        """Make what is asked of who calls a function from the internet."""
        row = application.spec
        rules: list[dict[str, Any]] = []
        if row.allow_cidrs:
            others = _match(list(row.allow_cidrs), negation=True)
            rules.append(_custom("others", 10, "MatchRule", others))
        if row.rate_per_second is not None:
            counted = {
                "rate_limit_duration": "OneMin",
                "rate_limit_threshold": min(row.rate_per_second * 60, MOST_CALLS),
                "group_by_user_session": [{"group_by_variables": [{"variable_name": "ClientAddr"}]}],
            }
            rules.append({**_custom("often", 20, "RateLimitRule", _match(["0.0.0.0/0"])), **counted})
        made: Any = rules
        managed: Any = {"managed_rule_sets": [{"rule_set_type": RULE_SET[0], "rule_set_version": RULE_SET[1]}]}
        return network.WebApplicationFirewallPolicy(
            self.child_name(f"{application.name}-callers"),
            resource_group_name=self._place.group,
            location=self._place.region,
            custom_rules=made,
            managed_rules=managed,
            policy_settings=_bodies(application.definition.largest_body_mib),
            tags=self._place.tags(Tier.PLATFORM),
            opts=self.child_options(),
        )


Pieces = dict[str, list[dict[str, Any]]]
Part = Callable[[str, str], Mapping[str, pulumi.Input[str]]]
"""Kind and name of a part of the gateway -> how another part names it."""


def _pieces(
    services: Sequence[tuple[Application, AzureFunctionService]], part: Part
) -> dict[str, list[dict[str, Any]]]:
    """Return what the gateway is made of for each function: a way in, a way on, and a way from plain to TLS."""
    found: Pieces = {}
    for index, (application, service) in enumerate(services):
        for kind, rows in {
            **_onward(application, service, part),
            **_inward(application, part),
            "request_routing_rules": _rules(application.name, 100 + 2 * index, part),
        }.items():
            found.setdefault(kind, []).extend(rows)
    return found


def _onward(application: Application, service: AzureFunctionService, part: Part) -> Pieces:
    """Return how a function is called, and how it is found out whether it is well."""
    one, health = application.name, application.definition.health
    probe = {
        "name": one,
        "protocol": "Https",
        "path": health.path if health else "/",
        "interval": 30,
        "timeout": 30,
        "unhealthy_threshold": 3,
        "pick_host_name_from_backend_http_settings": True,
    }
    settings = {
        "name": one,
        "port": 443,
        "protocol": "Https",
        "cookie_based_affinity": "Disabled",
        "request_timeout": application.definition.longest_request_s,
        "pick_host_name_from_backend_address": True,
        "probe": part("probes", one),
    }
    return {
        "backend_address_pools": [{"name": one, "backend_addresses": [{"fqdn": service.host}]}],
        "probes": [probe],
        "backend_http_settings_collection": [settings],
    }


def _inward(application: Application, part: Part) -> Pieces:
    """Return where callers come in: by TLS, or without it only to be sent there."""
    one, hosts = application.name, hosts_of(application)
    # One name is written as one, several as a list; the gateway takes either, and five at most.
    named: dict[str, Any] = {"host_name": hosts[0]} if len(hosts) == 1 else {"host_names": hosts}
    front = part("frontendIPConfigurations", "internet")
    tls = {
        "name": one,
        "frontend_ip_configuration": front,
        "frontend_port": part("frontendPorts", "tls"),
        "protocol": "Https",
        **named,
        "require_server_name_indication": True,
        "ssl_certificate": part("sslCertificates", "names"),
    }
    plain = {
        "name": f"{one}-plain",
        "frontend_ip_configuration": front,
        "frontend_port": part("frontendPorts", "plain"),
        "protocol": "Http",
        **named,
    }
    redirect = {
        "name": one,
        "redirect_type": "Permanent",
        "target_listener": part("httpListeners", one),
        "include_path": True,
        "include_query_string": True,
    }
    return {"http_listeners": [tls, plain], "redirect_configurations": [redirect]}


def _rules(one: str, priority: int, part: Part) -> list[dict[str, Any]]:
    on = {
        "name": one,
        "rule_type": "Basic",
        "priority": priority,
        "http_listener": part("httpListeners", one),
        "backend_address_pool": part("backendAddressPools", one),
        "backend_http_settings": part("backendHttpSettingsCollection", one),
    }
    away = {
        "name": f"{one}-plain",
        "rule_type": "Basic",
        "priority": priority + 1,
        "http_listener": part("httpListeners", f"{one}-plain"),
        "redirect_configuration": part("redirectConfigurations", one),
    }
    return [on, away]


def _bodies(largest_mib: int | None) -> Any:
    """Return how far bodies of requests are looked at, and that none is turned away that a service takes."""
    found: dict[str, Any] = {"state": "Enabled", "mode": "Prevention", "request_body_check": True}
    if largest_mib is not None:
        found |= {
            "max_request_body_size_in_kb": min(largest_mib * 1024, MOST_BODY_KB),
            "file_upload_limit_in_mb": min(largest_mib, MOST_FILE_MB),
            # What is larger than can be bounded is let through, its beginning looked at.
            "request_body_enforcement": largest_mib * 1024 <= MOST_BODY_KB,
        }
    return found


def _match(values: list[str], *, negation: bool = False) -> list[dict[str, Any]]:
    return [
        {
            "match_variables": [{"variable_name": "RemoteAddr"}],
            "operator": "IPMatch",
            "negation_conditon": negation,
            "match_values": values,
        }
    ]


def _custom(name: str, priority: int, kind: str, conditions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "name": name,
        "priority": priority,
        "rule_type": kind,
        "action": "Block",
        "state": "Enabled",
        "match_conditions": list(conditions),
    }
