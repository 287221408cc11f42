"""How a NetworkPolicy names who calls and where: namespaces, address ranges, ports, the API server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pulumi

from components.kubernetes.cluster import Cluster

NAMESPACE_LABEL: Final = "kubernetes.io/metadata.name"
"""Set by the API server on every namespace.

Source: Kubernetes "Namespaces" (not opened; check before relying on it).
"""


def namespace_peer(namespace: str) -> dict[str, Any]:
    """Return all pods of a namespace."""
    return {"namespaceSelector": {"matchLabels": {NAMESPACE_LABEL: namespace}}}


def blocks(addresses: Sequence[pulumi.Input[str]]) -> list[dict[str, Any]]:
    """Return address ranges."""
    return [{"ipBlock": {"cidr": address}} for address in addresses]


def ports(numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Return TCP ports."""
    return [{"port": number, "protocol": "TCP"} for number in numbers]


def api_callers(cluster: Cluster) -> list[dict[str, Any]]:
    """Return from where the API server calls pods: it is none itself, so only its addresses, or its proxy, name it."""
    proxy = [namespace_peer(cluster.api_proxy)] if cluster.api_proxy is not None else []
    return [*blocks(cluster.api_server), *proxy]


def dns_rule(cluster: Cluster) -> dict[str, Any]:
    """Return the rule by which pods ask for names: pods of kube-system, and what the target names beside them.

    A cache on each machine is no pod that a selector finds: it has the machine's own network.
    """
    return {
        "to": [namespace_peer("kube-system"), *blocks(cluster.dns)],
        "ports": [{"port": 53, "protocol": "UDP"}, *ports([53])],
    }
