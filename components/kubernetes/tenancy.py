"""Namespaces of the tiers: Pod Security, default-deny network policies, and exactly the flows that the tiers need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_kubernetes.core.v1 import LimitRange, Namespace, ResourceQuota
from pulumi_kubernetes.networking.v1 import NetworkPolicy
from pulumi_kubernetes.scheduling.v1 import PriorityClass

from components.base import SkerryComponent
from components.kubernetes.cluster import TIER_LABEL, Cluster, ManagedService
from components.kubernetes.peers import blocks, dns_rule, namespace_peer, ports
from components.kubernetes.workload import Priority
from skerry.facts import ComponentFacts, EndpointFact, Tier


@dataclass(frozen=True, slots=True)
class Flow:
    """A connection that is allowed between two namespaces."""

    source: str
    destination: str
    ports: tuple[int, ...]
    why: str


class PriorityClasses(SkerryComponent):
    """Says who gives way when machines are short: batch work first, then what serves, stores last."""

    def __init__(self, name: str, cluster: Cluster, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the classes."""
        super().__init__(name, ComponentFacts(tier=Tier.PLATFORM, role="priority"), opts)
        self.made: list[pulumi.Resource] = [
            PriorityClass(
                self.child_name(priority.value),
                metadata={"name": priority.value, "labels": dict(cluster.labels)},
                value=priority.rank,
                description="Made by Skerry: who gives way when machines are short.",
                opts=self.child_options(),
            )
            for priority in Priority
        ]
        self.finish()


class TierNamespace(SkerryComponent):
    """The namespace of one tier, closed but for the flows that are named."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        tier: Tier,
        flows: Sequence[Flow],
        internet: Sequence[EndpointFact] = (),
        internet_ranges: Mapping[str, Sequence[str]] | None = None,
        api_clients: Mapping[str, Mapping[str, Any]] | None = None,
        managed: bool = True,
        keeps_data: bool = False,
        gpus: int = 0,
        gpu_quota: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        load_balancers: int = 0,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the namespace.

        Args:
            name: the component's name.
            cluster: where it is.
            namespace: its name in Kubernetes.
            tier: the tier that lives there.
            flows: all flows of the deployment; those that begin or end here are opened here.
            internet: addresses outside that pods here may call on their ports.
            internet_ranges: host of those -> its address ranges; a host that is left out may be anywhere.
            api_clients: role -> selector of the pods here that call the Kubernetes API; no other may.
            managed: whether pods here may call the managed services of the target.
            keeps_data: whether volumes lie in it; then it is protected and retained, because a namespace that goes
                takes its volume claims with it.
            gpus: the most GPUs that its pods may take together.
            gpu_quota: in place of `gpus`, quotas of parts of GPUs or of claims.
            labels: more labels of the namespace.
            load_balancers: the most load balancers, each with a port of every node where the cloud needs one.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=tier, role="namespace", endpoints=tuple(internet)), opts)
        self._cluster, self._namespace = cluster, namespace
        self.made = Namespace(
            self.child_name("namespace"),
            metadata={
                "name": namespace,
                "labels": {
                    **cluster.labels,
                    TIER_LABEL: tier.value,
                    # Source: Kubernetes "Pod Security Admission", read 2026-11
                    "pod-security.kubernetes.io/enforce": "restricted",
                    "pod-security.kubernetes.io/warn": "restricted",
                    **(labels or {}),
                },
            },
            opts=self.store_options() if keeps_data else self.child_options(),
        )
        self._limits(gpu_quota or {"requests.nvidia.com/gpu": str(gpus)}, load_balancers)
        self._policy("default-deny", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
        self._policy("allow-inside", _inside())
        self._policy("allow-dns", _egress({}, [dns_rule(self._cluster)]))
        self._open(flows)
        if internet:
            self._policy("allow-internet", _egress({}, _outside(internet, internet_ranges or {})))
        self._open_services(managed)
        for role, selector in (api_clients or {}).items():
            rule = {"to": blocks(cluster.api_server), "ports": ports((443, 6443))}
            self._policy(f"allow-api-{role}", _egress(selector, [rule]))
        self.finish(namespace=self.made.metadata["name"])

    def _limits(self, gpus: Mapping[str, str], load_balancers: int) -> None:
        """Give containers without a word some memory, and forbid what would leave the cluster."""
        container = {
            "type": "Container",
            "default": {"memory": "512Mi"},
            "defaultRequest": {"cpu": "100m", "memory": "256Mi"},
        }
        options = self.child_options(depends_on=[self.made])
        LimitRange(
            self.child_name("limits"), metadata=self._metadata("defaults"), spec={"limits": [container]}, opts=options
        )
        # Source: Kubernetes "Configure Quotas for API Objects" (not opened; check before relying on it)
        outside = str(load_balancers)
        hard = {"services.loadbalancers": outside, "services.nodeports": outside, **gpus}
        ResourceQuota(self.child_name("quota"), metadata=self._metadata("limits"), spec={"hard": hard}, opts=options)

    def _metadata(self, name: str) -> dict[str, Any]:
        return {"name": name, "namespace": self._namespace, "labels": dict(self._cluster.labels)}

    def _policy(self, name: str, spec: Mapping[str, Any]) -> None:
        NetworkPolicy(
            self.child_name(name),
            metadata=self._metadata(name),
            spec=dict(spec),
            opts=self.child_options(depends_on=[self.made]),
        )

    def _open(self, flows: Sequence[Flow]) -> None:
        """Open each flow at both ends: default-deny closes both."""
        ingress = [flow for flow in flows if flow.destination == self._namespace and flow.source != self._namespace]
        egress = [flow for flow in flows if flow.source == self._namespace and flow.destination != self._namespace]
        if ingress:
            rules = [{"from": [namespace_peer(flow.source)], "ports": ports(flow.ports)} for flow in ingress]
            self._policy("allow-from-tiers", {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": rules})
        if egress:
            rules = [{"to": [namespace_peer(flow.destination)], "ports": ports(flow.ports)} for flow in egress]
            self._policy("allow-to-tiers", {"podSelector": {}, "policyTypes": ["Egress"], "egress": rules})

    def _open_services(self, managed: bool) -> None:
        """Open what the target runs outside the cluster: its managed services, and where identities are fetched."""
        services = self._cluster.managed if managed else ()
        rules = [_service_rule(service) for service in services]
        if self._cluster.credentials is not None:
            rules.append(_service_rule(self._cluster.credentials))
        if rules:
            self._policy("allow-managed", _egress({}, rules))


def _outside(internet: Sequence[EndpointFact], ranges: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Open exactly the ranges of hosts whose ranges are known; for others the port, since a policy knows no names."""
    rules: list[dict[str, Any]] = [
        {"to": blocks(ranges[endpoint.host]), "ports": ports((endpoint.port,))}
        for endpoint in internet
        if endpoint.host in ranges
    ]
    open_ports = sorted({endpoint.port for endpoint in internet if endpoint.host not in ranges})
    return rules + ([{"ports": ports(open_ports)}] if open_ports else [])


def _service_rule(service: ManagedService) -> dict[str, Any]:
    rule: dict[str, Any] = {"ports": ports((service.port,))}
    if service.network is not None:
        rule["to"] = blocks([service.network, *service.more_networks])
    return rule


def _inside() -> dict[str, Any]:
    return {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [{"podSelector": {}}]}],
        "egress": [{"to": [{"podSelector": {}}]}],
    }


def _egress(selector: Mapping[str, Any], rules: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"podSelector": dict(selector), "policyTypes": ["Egress"], "egress": [dict(rule) for rule in rules]}
