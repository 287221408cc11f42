"""Objects of the Gateway API that every entrance has, whoever is let in: a class with proxies of its own, listeners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.peers import NAMESPACE_LABEL

GATEWAY_API: Final = "gateway.networking.k8s.io/v1"
ENVOY_API: Final = "gateway.envoyproxy.io/v1alpha1"
CONTROLLER: Final = "gateway.envoyproxy.io/gatewayclass-controller"
"""Source: envoyproxy/gateway v1.9.0 charts/gateway-helm/values.tmpl.yaml, read 2026-11."""


def custom(
    parent: SkerryComponent,
    cluster: Cluster,
    role: str,
    api: str,
    kind: str,
    spec: Mapping[str, Any],
    after: Sequence[pulumi.Resource],
    *,
    where: str | None,
    called: str,
) -> CustomResource:
    """Make an object of a custom kind.

    Args:
        parent: the entrance.
        cluster: where it is made.
        role: part of its name in the program.
        api: the group and version of its kind.
        kind: its kind.
        spec: what it says.
        after: what must be there before.
        where: its namespace; None where its kind has none.
        called: its name in the cluster.
    """
    metadata: dict[str, Any] = {"name": called, "labels": dict(cluster.labels)}
    if where is not None:
        metadata["namespace"] = where
    return CustomResource(
        parent.child_name(role),
        api_version=api,
        kind=kind,
        metadata=metadata,
        spec=dict(spec),
        opts=parent.child_options(depends_on=list(after)),
    )


def class_of(
    parent: SkerryComponent,
    cluster: Cluster,
    proxy: Mapping[str, Any],
    after: Sequence[pulumi.Resource],
    *,
    namespace: str,
    name: str,
    called: str,
) -> CustomResource:
    """Make the class by which an entrance has proxies and a load balancer of its own.

    Args:
        parent: the entrance.
        cluster: where it is made.
        proxy: what its proxies are like.
        after: what must be there before, the controller among it.
        namespace: of the proxies.
        name: what the proxies' description is called.
        called: what the class is called.
    """
    made = custom(parent, cluster, "proxy", ENVOY_API, "EnvoyProxy", proxy, after, where=namespace, called=name)
    reference = {"group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "name": name, "namespace": namespace}
    spec = {"controllerName": CONTROLLER, "parametersRef": reference}
    return custom(parent, cluster, "class", GATEWAY_API, "GatewayClass", spec, [made], where=None, called=called)


def listener(name: str, host: str, port: int, *, secret: str, routes: str, namespace: str) -> dict[str, Any]:
    """Return a listener that ends TLS, and that routes of one kind in one namespace may join."""
    return {
        "name": name,
        "hostname": host,
        "port": port,
        "protocol": "HTTPS",
        "tls": {"mode": "Terminate", "certificateRefs": [{"kind": "Secret", "name": secret}]},
        "allowedRoutes": {
            "kinds": [{"kind": routes}],
            "namespaces": {"from": "Selector", "selector": {"matchLabels": {NAMESPACE_LABEL: namespace}}},
        },
    }
