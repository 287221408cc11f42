"""The entrance to the user interfaces, by the Gateway API: one listener a service, HTTPS only, nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.base import SkerryComponent
from components.kubernetes.cluster import PRIVATE_RANGES, ZONE_LABEL, Cluster
from components.kubernetes.operator import Operator
from components.kubernetes.workload import Priority
from components.services.certificates import CertificateIssuer
from components.services.gateway_parts import ENVOY_API, GATEWAY_API, class_of, custom, listener
from components.services.openings import EVERY_POD, Opening, leave_for, open_for
from components.services.routes import Backend
from skerry.config.services import Exposure, GatewayController, GatewaySpec, RoutedService
from skerry.facts import ComponentFacts, EndpointFact, Tier

NAME: Final = "sensei"
ENTRANCE: Final = "entrance over HTTPS"
"""What its images are for, as people read it."""
CLASS: Final = "sensei-envoy"
TLS_SECRET: Final = "gateway-tls"
HTTPS: Final = 443
PROXY_PORT: Final = HTTPS + 10000
"""Where a proxy listens for it. Source: envoyproxy/gateway v1.9.0 internal/gatewayapi/translator.go, read 2026-11."""

CONTROLLER_PODS: Final[Mapping[str, Any]] = {"matchLabels": {"control-plane": "envoy-gateway"}}
CERTGEN_PODS: Final[Mapping[str, Any]] = {"matchLabels": {"app": "certgen"}}
"""Source: envoyproxy/gateway v1.9.0 charts/gateway-helm/templates, read 2026-11."""

PROXIES: Final[Mapping[str, Any]] = {
    "matchLabels": {"app.kubernetes.io/name": "envoy", "gateway.envoyproxy.io/owning-gateway-name": NAME}
}
"""Source: envoyproxy/gateway v1.9.0 internal/infrastructure/kubernetes/proxy/resource.go, read 2026-11."""

INSIDE: Final[Mapping[str, Mapping[str, str]]] = {
    "aws": {
        "service.beta.kubernetes.io/aws-load-balancer-type": "nlb",
        "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
    },
    "gcp": {"networking.gke.io/load-balancer-type": "Internal"},
    "azure": {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"},
    "onprem": {},
}
"""What keeps a load balancer inside. Source: the clouds' references (not opened; check before relying on it)."""

API_CLIENTS: Final = {"controller": CONTROLLER_PODS, "certgen": CERTGEN_PODS}
"""The pods of the gateway's namespace that call the Kubernetes API."""


class HttpsGateway(SkerryComponent):
    """Lets people reach the user interfaces that are named, over HTTPS, each by a host name of its own."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        spec: GatewaySpec,
        backends: Mapping[RoutedService, tuple[str, Backend]],
        issuer: CertificateIssuer | None,
        depends_on: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make controller, Gateway, routes and the openings that they need.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: the namespace of the gateway, which exists.
            spec: class, domain, routes, time-outs.
            backends: each routed service -> its namespace and where it is there.
            issuer: who signs the certificate; None where the site brings it.
            depends_on: the namespaces.
            opts: Pulumi's options.

        Raises:
            CatalogError: a chart or an image has no row.
        """
        self._cluster, self._namespace, self._spec = cluster, namespace, spec
        super().__init__(name, _facts(spec), opts)
        self.hosts = {route: host_of(spec, route) for route in spec.routes}
        routed = {route: backends[route] for route in spec.routes}
        secret = spec.tls_secret or TLS_SECRET
        before: list[pulumi.Resource] = list(depends_on)
        if spec.controller is GatewayController.ENVOY:
            before = [*self._controller(before)]
        if spec.tls_secret is None and issuer is not None:
            issuer.certificate(self, "certificate", namespace, secret, tuple(self.hosts.values()))
        gateway = self._gateway(secret, routed, before)
        for route, (where, backend) in routed.items():
            self._route(route, where, backend, gateway)
        self._open(routed, depends_on)
        self.finish(endpoint=f"*.{spec.domain}", port=HTTPS, secret_ref=secret, metrics_endpoint=None)

    def _custom(
        self,
        role: str,
        api: str,
        kind: str,
        where: str | None,
        spec: Mapping[str, Any],
        depends_on: Sequence[pulumi.Resource],
        named: str = NAME,
    ) -> CustomResource:
        return custom(self, self._cluster, role, api, kind, spec, depends_on, where=where, called=named)

    def _controller(self, depends_on: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        """Install Envoy Gateway with its class; its proxies are made when the Gateway is."""
        operator = envoy_controller(self, self._cluster, self._namespace, depends_on)
        here, proxy = self._namespace, self._proxy()
        return [class_of(self, self._cluster, proxy, [operator], namespace=here, name=NAME, called=CLASS)]

    def _proxy(self) -> dict[str, Any]:
        spec = self._spec
        return envoy_proxy(
            self._cluster, NAME, replicas=spec.replicas, annotations=self._annotations(), clients=self._clients()
        )

    def _annotations(self) -> dict[str, str]:
        inside = INSIDE[self._cluster.target.kind] if self._spec.exposure is Exposure.INTERNAL else {}
        return {**inside, **self._spec.annotations}

    def _clients(self) -> tuple[str, ...]:
        spec = self._spec
        return spec.client_cidrs or (PRIVATE_RANGES if spec.exposure is Exposure.INTERNAL else ("0.0.0.0/0",))

    def _gateway(
        self,
        secret: str,
        routed: Mapping[RoutedService, tuple[str, Backend]],
        depends_on: Sequence[pulumi.Resource],
    ) -> CustomResource:
        """Make the Gateway: a listener a host name, which routes of one namespace alone may join."""
        spec = self._spec
        listeners = [
            listener(
                route.value,
                self.hosts[route],
                HTTPS,
                secret=secret,
                routes="GRPCRoute" if backend.grpc else "HTTPRoute",
                namespace=where,
            )
            for route, (where, backend) in routed.items()
        ]
        own = spec.controller is GatewayController.ENVOY
        wanted: dict[str, Any] = {"gatewayClassName": CLASS if own else f"{spec.gateway_class}", "listeners": listeners}
        if not own and spec.annotations:
            wanted["infrastructure"] = {"annotations": dict(spec.annotations)}
        made = self._custom("gateway", GATEWAY_API, "Gateway", self._namespace, wanted, depends_on)
        if own:
            target = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": NAME}
            policy = {
                "targetRefs": [target],
                "tls": {"minVersion": "1.2"},
                "timeout": {"http": {"idleTimeout": f"{spec.idle_timeout_s}s"}},
            }
            self._custom("clients", ENVOY_API, "ClientTrafficPolicy", self._namespace, policy, [made])
        return made

    def _route(self, route: RoutedService, where: str, backend: Backend, gateway: CustomResource) -> None:
        """Make the route beside its Service, so that no reference crosses namespaces."""
        spec, kind = self._spec, "GRPCRoute" if backend.grpc else "HTTPRoute"
        rule: dict[str, Any] = {"backendRefs": [{"name": backend.service, "port": backend.port}]}
        if not backend.grpc:
            rule |= {
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "timeouts": {"request": f"{spec.request_timeout_s}s"},
            }
        wanted = {
            "parentRefs": [{"name": NAME, "namespace": self._namespace, "sectionName": route.value}],
            "hostnames": [self.hosts[route]],
            "rules": [rule],
        }
        made = self._custom(f"route-{route.value}", GATEWAY_API, kind, where, wanted, [gateway], route.value)
        if backend.grpc and spec.controller is GatewayController.ENVOY:
            # A worker's poll is a call that waits for work; left alone, Envoy ends it after 15 seconds.
            policy = {
                "targetRefs": [{"group": "gateway.networking.k8s.io", "kind": kind, "name": route.value}],
                "timeout": {"http": {"requestTimeout": "0s", "connectionIdleTimeout": f"{spec.idle_timeout_s}s"}},
            }
            self._custom(f"stream-{route.value}", ENVOY_API, "BackendTrafficPolicy", where, policy, [made], route.value)

    def _open(self, routed: Mapping[RoutedService, tuple[str, Backend]], depends_on: Sequence[pulumi.Resource]) -> None:
        """Open what the proxies call, and let clients call the proxies."""
        spec, cluster = self._spec, self._cluster
        openings = [
            Opening(route.value, where, backend.pods, (backend.pod_port,)) for route, (where, backend) in routed.items()
        ]
        if spec.controller is GatewayController.EXISTING:
            theirs, addresses = spec.gateway_namespace, spec.gateway_cidrs
            open_for(self, cluster, theirs, EVERY_POD, openings, addresses=addresses, depends_on=depends_on)
            return
        open_for(self, cluster, self._namespace, PROXIES, openings, depends_on=depends_on)
        leave_for(self, cluster, self._namespace, PROXIES, openings, depends_on=depends_on)
        entrance = [Opening("proxies", self._namespace, PROXIES, (PROXY_PORT,))]
        open_for(self, cluster, None, EVERY_POD, entrance, addresses=self._clients(), depends_on=depends_on)


def envoy_controller(
    owner: SkerryComponent, cluster: Cluster, namespace: str, depends_on: Sequence[pulumi.Resource]
) -> Operator:
    """Install Envoy Gateway into a namespace whose pods call the Kubernetes API, as a child of `owner`.

    Raises:
        CatalogError: the chart or an image has no row.
    """
    why = ENTRANCE
    image = cluster.catalog.image("envoy-gateway", cluster.target, why).deployed_as
    placement = cluster.placements[Tier.PLATFORM]
    pod = {"nodeSelector": dict(placement.node_selector), "tolerations": [dict(t) for t in placement.tolerations]}
    return Operator(
        owner.child_name("controller"),
        cluster,
        chart="gateway-helm",
        namespace=namespace,
        values={
            "global": {
                "images": {
                    "envoyGateway": {"image": image, "pullPolicy": "IfNotPresent"},
                    "envoyProxy": {"image": _proxy_image(cluster)},
                }
            },
            "deployment": {"replicas": 2, "priorityClassName": Priority.SERVING.value, "pod": pod},
            "podDisruptionBudget": {"minAvailable": 1},
            # It writes zones into pods by a webhook, which nothing here needs.
            "topologyInjector": {"enabled": False},
            "certgen": {"job": pod},
        },
        why=why,
        depends_on=depends_on,
        opts=owner.child_options(),
    )


def _proxy_image(cluster: Cluster) -> str:
    return cluster.catalog.image("envoy-proxy", cluster.target, ENTRANCE).deployed_as


def proxies_of(gateway: str) -> dict[str, Any]:
    """Return the selector of the proxies of a Gateway.

    Source: envoyproxy/gateway v1.9.0 internal/infrastructure/kubernetes/proxy/resource.go, read 2026-11.
    """
    return {"matchLabels": {"app.kubernetes.io/name": "envoy", "gateway.envoyproxy.io/owning-gateway-name": gateway}}


def envoy_proxy(
    cluster: Cluster, gateway: str, *, replicas: int, annotations: Mapping[str, str], clients: Sequence[str]
) -> dict[str, Any]:
    """Return how the proxies of a Gateway run.

    Source: envoyproxy/gateway v1.9.0 api/v1alpha1/shared_types.go, read 2026-11.

    Args:
        cluster: where they run.
        gateway: its name.
        replicas: how many.
        annotations: on the load balancer.
        clients: the address ranges that may call.

    Raises:
        CatalogError: the image has no row.
    """
    placement = cluster.placements[Tier.PLATFORM]
    spread = {
        "maxSkew": 1,
        "topologyKey": ZONE_LABEL,
        "whenUnsatisfiable": "ScheduleAnyway",
        "nodeTaintsPolicy": "Honor",
        "labelSelector": proxies_of(gateway),
    }
    service: dict[str, Any] = {
        "type": "LoadBalancer",
        "annotations": dict(annotations),
        # So that the address of the client is still that of the client where policies look at it.
        "externalTrafficPolicy": "Local",
        "loadBalancerSourceRanges": list(clients),
    }
    if cluster.load_balancer_class is not None:
        service["loadBalancerClass"] = cluster.load_balancer_class
    deployment = {
        "replicas": replicas,
        "container": {
            "image": _proxy_image(cluster),
            "resources": {"requests": {"cpu": "200m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
        },
        "pod": {
            "nodeSelector": dict(placement.node_selector),
            "tolerations": [dict(item) for item in placement.tolerations],
            "priorityClassName": Priority.SERVING.value,
            "topologySpreadConstraints": [spread],
        },
    }
    kubernetes: dict[str, Any] = {"envoyDeployment": deployment, "envoyService": service}
    if replicas > 1:
        kubernetes["envoyPDB"] = {"maxUnavailable": 1}
    return {"provider": {"type": "Kubernetes", "kubernetes": kubernetes}}


def host_of(spec: GatewaySpec, route: RoutedService) -> str:
    """Return the host name of a routed service."""
    return f"{route.value}.{spec.domain}"


def _facts(spec: GatewaySpec) -> ComponentFacts:
    scope = "site" if spec.exposure is Exposure.INTERNAL else "internet"
    endpoints = tuple(
        EndpointFact(
            name=route.value,
            host=host_of(spec, route),
            port=HTTPS,
            protocol="https",
            direction="ingress",
            scope=scope,
            why="people use it",
        )
        for route in spec.routes
    )
    return ComponentFacts(
        tier=Tier.PLATFORM,
        role="gateway",
        replicas=spec.replicas if spec.controller is GatewayController.ENVOY else None,
        encrypted_in_transit=True,
        internet_facing=spec.exposure is Exposure.INTERNET,
        ports={"https": HTTPS},
        endpoints=endpoints,
    )
