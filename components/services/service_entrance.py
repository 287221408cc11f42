"""The entrance to services of any kind on a cluster: a Gateway for those of the private network, one for the public.

It takes the place of an Ingress, whose community controller (ingress-nginx) has no releases any more, and of a Service
of type LoadBalancer for each service: one load balancer an entrance, TLS at its proxies, one listener a host.

Streams live as long as `longest_request_s` of their service: the time-outs of proxies are made longer than that, and
silent connections are kept alive so that no load balancer in front forgets them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.base import SkerryComponent
from components.kubernetes.cluster import PRIVATE_RANGES, Cluster
from components.services.certificates import CertificateIssuer
from components.services.gateway import (
    HTTPS,
    INSIDE,
    PROXY_PORT,
    envoy_proxy,
    proxies_of,
)
from components.services.gateway_parts import ENVOY_API, GATEWAY_API, class_of, custom, listener
from components.services.openings import EVERY_POD, Opening, leave_for, named, open_for
from skerry.application import Application
from skerry.config.application import Exposure
from skerry.config.entrance import ServiceEntranceSpec
from skerry.facts import ComponentFacts, EndpointFact, Tier

OUTSIDE: Final[Mapping[str, Mapping[str, str]]] = {
    "aws": {
        "service.beta.kubernetes.io/aws-load-balancer-type": "nlb",
        "service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing",
    },
    "gcp": {},
    "azure": {},
    "onprem": {},
}
"""What opens a load balancer to the internet. Source: the clouds' references (not opened; check before relying on it).
"""

MARGIN_S: Final = 10
"""How much longer a proxy waits than the service says that it takes, so that the service itself ends a request."""

LEAST_IDLE_S: Final = 3600
"""Envoy's own idle time of a connection. Source: envoyproxy/gateway api/v1alpha1/timeout_types.go, read 2026-11."""


@dataclass(frozen=True, slots=True)
class EntranceFor:
    """Who is let in where."""

    exposure: Exposure
    applications: tuple[Application, ...]

    @property
    def name(self) -> str:
        """The name of the Gateway."""
        return self.exposure.value

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names that it answers to."""
        return tuple(sorted({host for row in self.applications for host in hosts_of(row)}))

    @property
    def clients(self) -> tuple[str, ...]:
        """The address ranges that may call any of its services; those of one alone are looked at by its route."""
        everyone = PRIVATE_RANGES if self.exposure is Exposure.INTERNAL else ("0.0.0.0/0",)
        if any(not row.spec.allow_cidrs for row in self.applications):
            return everyone
        return tuple(sorted({cidr for row in self.applications for cidr in row.spec.allow_cidrs}))

    @property
    def longest_s(self) -> int:
        """The longest that any request or stream may last."""
        return max(row.definition.longest_request_s for row in self.applications)


def hosts_of(application: Application) -> tuple[str, ...]:
    """Return the names that a service is called by from outside."""
    spec = application.spec
    return (spec.host, *spec.more_hosts) if spec.host is not None else ()


def entrances_of(applications: Sequence[Application]) -> tuple[EntranceFor, ...]:
    """Return the entrances that services ask for."""
    found = []
    for exposure in (Exposure.INTERNAL, Exposure.PUBLIC):
        rows = tuple(row for row in applications if row.spec.exposure is exposure)
        if rows:
            found.append(EntranceFor(exposure, rows))
    return tuple(found)


class ServiceEntrance(SkerryComponent):
    """Lets callers outside the cluster reach the services that have a host, and nothing else."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        services: str,
        entrance: EntranceFor,
        spec: ServiceEntranceSpec,
        issuer: CertificateIssuer | None,
        controller: pulumi.Resource | None,
        depends_on: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make class, Gateway, routes and the openings that they need.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: of the Gateway and its proxies, which exists.
            services: the namespace of the services.
            entrance: who is let in where.
            spec: class, certificate, proxies.
            issuer: who signs the certificate; None where the site brings it.
            controller: what runs Envoy Gateway; None where the cluster brings a class.
            depends_on: the namespaces.
            opts: Pulumi's options.

        Raises:
            CatalogError: an image has no row.
        """
        self._cluster, self._namespace, self._services = cluster, namespace, services
        self._entrance, self._spec, self._envoy = entrance, spec, controller is not None
        super().__init__(name, _facts(entrance, spec, own=self._envoy), opts)
        secret = spec.tls_secret or f"{entrance.name}-tls"
        if spec.tls_secret is None and issuer is not None:
            issuer.certificate(self, "certificate", namespace, secret, entrance.hosts)
        before: list[pulumi.Resource] = [*depends_on]
        called = spec.gateway_class
        if controller is not None:
            called = f"{namespace}-{entrance.name}"
            before = [self._class(called, controller)]
        gateway = self._gateway(secret, f"{called}", before)
        for application in entrance.applications:
            self._route(application, gateway)
        self._open(depends_on)
        self.finish(endpoint=entrance.hosts[0], port=HTTPS, secret_ref=secret, metrics_endpoint=None)

    def _custom(
        self,
        role: str,
        api: str,
        kind: str,
        spec: Mapping[str, Any],
        after: Sequence[pulumi.Resource],
        *,
        where: str | None,
        called: str,
    ) -> CustomResource:
        return custom(self, self._cluster, role, api, kind, spec, after, where=where, called=called)

    def _class(self, called: str, controller: pulumi.Resource) -> CustomResource:
        """Make the class by which this entrance has proxies and a load balancer of its own."""
        entrance, spec, here = self._entrance, self._spec, self._namespace
        inside = entrance.exposure is Exposure.INTERNAL
        facing = (INSIDE if inside else OUTSIDE)[self._cluster.target.kind]
        wanted = envoy_proxy(
            self._cluster,
            entrance.name,
            replicas=spec.replicas,
            annotations={**facing, **spec.annotations},
            clients=entrance.clients,
        )
        return class_of(self, self._cluster, wanted, [controller], namespace=here, name=entrance.name, called=called)

    def _gateway(self, secret: str, called: str, after: Sequence[pulumi.Resource]) -> CustomResource:
        """Make the Gateway: a listener a host, which routes of the services' namespace alone may join."""
        entrance, here = self._entrance, self._namespace
        listeners = [
            listener(_listener(host), host, HTTPS, secret=secret, routes="HTTPRoute", namespace=self._services)
            for host in entrance.hosts
        ]
        wanted: dict[str, Any] = {"gatewayClassName": called, "listeners": listeners}
        if not self._envoy and self._spec.annotations:
            wanted["infrastructure"] = {"annotations": dict(self._spec.annotations)}
        made = self._custom("gateway", GATEWAY_API, "Gateway", wanted, after, where=here, called=entrance.name)
        if self._envoy:
            idle = f"{max(entrance.longest_s + MARGIN_S, LEAST_IDLE_S)}s"
            policy = {
                "targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": entrance.name}],
                "tls": {"minVersion": "1.2"},
                "tcpKeepalive": {"probes": 3, "idleTime": f"{self._spec.keepalive_s}s", "interval": "15s"},
                # Of a connection, and of a stream on it, over which nothing goes for a while.
                "timeout": {"http": {"idleTimeout": idle, "streamIdleTimeout": f"{entrance.longest_s + MARGIN_S}s"}},
            }
            self._custom("clients", ENVOY_API, "ClientTrafficPolicy", policy, [made], where=here, called=entrance.name)
        return made

    def _route(self, application: Application, gateway: CustomResource) -> None:
        """Make the route beside its Service, so that no reference crosses namespaces."""
        entrance, port, spec = self._entrance, application.main_port, application.spec
        if port is None or spec.host is None:
            return
        longest = application.definition.longest_request_s + MARGIN_S
        wanted = {
            "parentRefs": [
                {"name": entrance.name, "namespace": self._namespace, "sectionName": _listener(host)}
                for host in hosts_of(application)
            ],
            "hostnames": list(hosts_of(application)),
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": path}} for path in spec.paths or ("/",)],
                    "backendRefs": [{"name": application.name, "port": port.port}],
                    "timeouts": {"request": f"{longest}s"},
                }
            ],
        }
        name = application.name
        made = self._custom(
            f"route-{name}", GATEWAY_API, "HTTPRoute", wanted, [gateway], where=self._services, called=name
        )
        if not self._envoy:
            return
        target = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": name}
        limits = _limits(application, longest, self._spec.replicas)
        self._custom(
            f"limits-{name}",
            ENVOY_API,
            "BackendTrafficPolicy",
            {"targetRefs": [target], **limits},
            [made],
            where=self._services,
            called=name,
        )
        if spec.allow_cidrs:
            rules = [{"action": "Allow", "principal": {"clientCIDRs": list(spec.allow_cidrs)}}]
            policy = {"targetRefs": [target], "authorization": {"defaultAction": "Deny", "rules": rules}}
            self._custom(
                f"callers-{name}", ENVOY_API, "SecurityPolicy", policy, [made], where=self._services, called=name
            )

    def _open(self, depends_on: Sequence[pulumi.Resource]) -> None:
        """Open what the proxies call, and let clients call the proxies."""
        spec, cluster, entrance = self._spec, self._cluster, self._entrance
        openings = [
            Opening(row.name, self._services, named(row.name), (row.main_port.port,))
            for row in entrance.applications
            if row.main_port is not None
        ]
        if not self._envoy:
            theirs = spec.gateway_namespace
            addresses = spec.gateway_cidrs
            open_for(self, cluster, theirs, EVERY_POD, openings, addresses=addresses, depends_on=depends_on)
            return
        proxies = proxies_of(entrance.name)
        open_for(self, cluster, self._namespace, proxies, openings, depends_on=depends_on)
        leave_for(self, cluster, self._namespace, proxies, openings, depends_on=depends_on)
        front = [Opening("proxies", self._namespace, proxies, (PROXY_PORT,))]
        open_for(self, cluster, None, EVERY_POD, front, addresses=entrance.clients, depends_on=depends_on)


def _listener(host: str) -> str:
    """Return the name of a host's listener, which is no longer than a label."""
    return host.replace(".", "-")[:63].rstrip("-")


def _limits(application: Application, longest: int, proxies: int) -> dict[str, Any]:
    """Return how long a stream may be silent, how often a caller may call, and whether it stays with a replica.

    Source: envoyproxy/gateway v1.9.0 api/v1alpha1 (timeout_types.go, ratelimit_types.go, loadbalancer_types.go), read
    2026-11.
    """
    found: dict[str, Any] = {"timeout": {"http": {"connectionIdleTimeout": f"{max(longest, LEAST_IDLE_S)}s"}}}
    rate = application.spec.rate_per_second
    if rate is not None:
        selector = {"sourceCIDR": {"type": "Distinct", "value": "0.0.0.0/0"}}
        # Each proxy counts for itself.
        limit = {"requests": max(rate // proxies, 1), "unit": "Second"}
        found["rateLimit"] = {"local": {"rules": [{"clientSelectors": [selector], "limit": limit}]}}
    if application.definition.sticky:
        found["loadBalancer"] = {"type": "ConsistentHash", "consistentHash": {"type": "SourceIP"}}
    elif application.definition.data_path is None:
        found["loadBalancer"] = {"type": "LeastRequest"}
    return found


def _facts(entrance: EntranceFor, spec: ServiceEntranceSpec, *, own: bool) -> ComponentFacts:
    inside = entrance.exposure is Exposure.INTERNAL
    endpoints = tuple(
        EndpointFact(
            name=row.name,
            host=host,
            port=HTTPS,
            protocol="https",
            direction="ingress",
            scope="site" if inside else "internet",
            why=f"callers of {row.name}",
        )
        for row in entrance.applications
        for host in hosts_of(row)
    )
    return ComponentFacts(
        tier=Tier.PLATFORM,
        role="gateway",
        replicas=spec.replicas if own else None,
        encrypted_in_transit=True,
        internet_facing=not inside,
        ports={"https": HTTPS},
        endpoints=endpoints,
    )
