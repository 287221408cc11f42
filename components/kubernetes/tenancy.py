"""Namespaces of the tiers: Pod Security, default-deny network policies, and exactly the flows that the tiers need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_kubernetes.core.v1 import LimitRange, Namespace
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.base import SkerryComponent
from components.kubernetes.cluster import TIER_LABEL, Cluster
from skerry.facts import ComponentFacts, EndpointFact, Tier

NAMESPACE_LABEL: Final = "kubernetes.io/metadata.name"
"""Set by the API server on every namespace. Source: Kubernetes "Namespaces", read 2026-11."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A connection that is allowed between two namespaces."""

    source: str
    destination: str
    ports: tuple[int, ...]
    why: str


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
        kubernetes_api: bool = False,
        pod_security: str = "restricted",
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
            kubernetes_api: whether pods here may call the API server (operators do).
            pod_security: the level that is enforced.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=tier, role="namespace", endpoints=tuple(internet)), opts)
        self._cluster, self._namespace = cluster, namespace
        labels = dict(cluster.labels)
        made = Namespace(
            self.child_name("namespace"),
            metadata={
                "name": namespace,
                "labels": {
                    **labels,
                    TIER_LABEL: tier.value,
                    # Source: Kubernetes "Pod Security Admission", read 2026-11
                    "pod-security.kubernetes.io/enforce": pod_security,
                    "pod-security.kubernetes.io/warn": "restricted",
                },
            },
            opts=self.child_options(),
        )
        self._after = [made]
        LimitRange(
            self.child_name("limits"),
            metadata=self._metadata("defaults"),
            spec={
                "limits": [
                    {
                        "type": "Container",
                        "default": {"memory": "512Mi"},
                        "defaultRequest": {"cpu": "100m", "memory": "256Mi"},
                    }
                ]
            },
            opts=self.child_options(depends_on=self._after),
        )
        self._policy("default-deny", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
        self._policy("allow-inside", _inside())
        self._policy("allow-dns", _dns())
        self._open(flows)
        if internet:
            self._policy("allow-internet", _egress_anywhere(sorted({endpoint.port for endpoint in internet})))
        if kubernetes_api:
            self._policy("allow-kubernetes-api", _egress_anywhere([443, 6443]))
        self.finish(namespace=made.metadata["name"], resource=None)
        self.made = made

    def _metadata(self, name: str) -> dict[str, Any]:
        return {"name": name, "namespace": self._namespace, "labels": dict(self._cluster.labels)}

    def _policy(self, name: str, spec: Mapping[str, Any]) -> None:
        NetworkPolicy(
            self.child_name(name),
            metadata=self._metadata(name),
            spec=dict(spec),
            opts=self.child_options(depends_on=self._after),
        )

    def _open(self, flows: Sequence[Flow]) -> None:
        """Open each flow at both ends: default-deny closes both."""
        ingress = [flow for flow in flows if flow.destination == self._namespace and flow.source != self._namespace]
        egress = [flow for flow in flows if flow.source == self._namespace and flow.destination != self._namespace]
        if ingress:
            rules = [{"from": [_peer(flow.source)], "ports": _ports(flow.ports)} for flow in ingress]
            self._policy("allow-from-tiers", {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": rules})
        if egress:
            rules = [{"to": [_peer(flow.destination)], "ports": _ports(flow.ports)} for flow in egress]
            self._policy("allow-to-tiers", {"podSelector": {}, "policyTypes": ["Egress"], "egress": rules})


def _peer(namespace: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: namespace}}}


def _ports(ports: Sequence[int]) -> list[dict[str, Any]]:
    return [{"port": port, "protocol": "TCP"} for port in ports]


def _inside() -> dict[str, Any]:
    return {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [{"podSelector": {}}]}],
        "egress": [{"to": [{"podSelector": {}}]}],
    }


def _dns() -> dict[str, Any]:
    ports = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
    return {
        "podSelector": {},
        "policyTypes": ["Egress"],
        "egress": [{"to": [_peer("kube-system")], "ports": ports}],
    }


def _egress_anywhere(ports: Sequence[int]) -> dict[str, Any]:
    return {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": _ports(ports)}]}
