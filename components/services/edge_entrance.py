"""The entrance for devices in edge mode: TLS with a certificate on both sides, and no more at a time than is asked for.

Who comes in is decided by address, at the load balancer and at the proxies, and by a client certificate that the
authority of the devices signed and that no list has revoked. What is too much gets 429 or 503 with a time to come back,
a body that is too large 413; a connection too many is closed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.base import SkerryComponent
from components.kubernetes.cluster import PRIVATE_RANGES, Cluster
from components.services.certificates import CertificateIssuer
from components.services.gateway import (
    INSIDE,
    envoy_controller,
    envoy_proxy,
    proxies_of,
)
from components.services.gateway_parts import ENVOY_API, GATEWAY_API, class_of, custom, listener
from components.services.openings import EVERY_POD, Opening, leave_for, named, open_for
from skerry.config.edge import PORT, DeviceCertificates, EdgeSpec
from skerry.config.services import Exposure
from skerry.facts import ComponentFacts, EndpointFact, Tier

NAME: Final = "devices"
TLS_SECRET: Final = "devices-tls"
SERVICE: Final = "sync"
SYNC_PORT: Final = 8081
"""Where the service takes what devices send, beside the port of its health."""

PROXY_PORT: Final = PORT + 10000
"""Where a proxy listens for it. Source: envoyproxy/gateway v1.9.0 internal/gatewayapi/translator.go, read 2026-11."""

CERTIFICATE_HEADER: Final = "x-forwarded-client-cert"
"""What the proxies say of a device's certificate, its hash among it; what a device says itself is thrown away."""

IDLE_S: Final = 60
REQUEST_S: Final = 300

OUTSIDE: Final[Mapping[str, Mapping[str, str]]] = {
    "aws": {
        "service.beta.kubernetes.io/aws-load-balancer-type": "nlb",
        "service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing",
    },
}
"""What makes a load balancer face the internet, where that is not the cloud's default.

Source: the clouds' references (not opened; check before relying on it).
"""


class EdgeEntrance(SkerryComponent):
    """Lets devices with a certificate that is good call the service that reconciles them, and nobody else."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        spec: EdgeSpec,
        backend: str,
        issuer: CertificateIssuer | None,
        controller: pulumi.Resource | None,
        depends_on: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the Gateway with its route, its checks, its limits and the openings that they need.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: of the proxies and their controller, which exists.
            spec: domain, certificates, limits.
            backend: the namespace of the service.
            issuer: who signs the endpoint's certificate; None where the site brings it.
            controller: what runs Envoy Gateway in that namespace already; None makes one.
            depends_on: the namespaces.
            opts: Pulumi's options.

        Raises:
            CatalogError: a chart or an image has no row.
        """
        self._cluster, self._namespace, self._spec, self._backend = cluster, namespace, spec, backend
        super().__init__(name, _facts(spec), opts)
        secret = spec.tls_secret or TLS_SECRET
        if spec.tls_secret is None and issuer is not None:
            issuer.certificate(self, "certificate", namespace, secret, (spec.host,))
        runs = controller or envoy_controller(self, cluster, namespace, depends_on)
        gateway = self._gateway(secret, runs)
        self._custom("clients", ENVOY_API, "ClientTrafficPolicy", clients_of(spec), gateway, where=namespace)
        route = self._route(gateway)
        self._custom("limits", ENVOY_API, "BackendTrafficPolicy", limits_of(spec), route, where=backend)
        proxies = proxies_of(NAME)
        behind = [Opening(SERVICE, backend, named(SERVICE), (SYNC_PORT,))]
        open_for(self, cluster, namespace, proxies, behind, depends_on=depends_on)
        leave_for(self, cluster, namespace, proxies, behind, depends_on=depends_on)
        entrance = [Opening("proxies", namespace, proxies, (PROXY_PORT,))]
        open_for(self, cluster, None, EVERY_POD, entrance, addresses=_clients(spec), depends_on=depends_on)
        self.finish(endpoint=spec.host, port=PORT, secret_ref=secret, metrics_endpoint=None)

    def _custom(
        self,
        role: str,
        api: str,
        kind: str,
        spec: Mapping[str, Any],
        after: pulumi.Resource,
        *,
        where: str | None,
        called: str = NAME,
    ) -> CustomResource:
        return custom(self, self._cluster, role, api, kind, spec, [after], where=where, called=called)

    def _gateway(self, secret: str, runs: pulumi.Resource) -> CustomResource:
        """Make class and Gateway: one listener, which routes of the service's namespace alone may join."""
        cluster, spec, here = self._cluster, self._spec, self._namespace
        inside = spec.exposure is Exposure.INTERNAL
        facing = INSIDE[cluster.target.kind] if inside else OUTSIDE.get(cluster.target.kind, {})
        wanted = envoy_proxy(
            cluster, NAME, replicas=spec.proxies, annotations={**facing, **spec.annotations}, clients=_clients(spec)
        )
        made = class_of(self, cluster, wanted, [runs], namespace=here, name=NAME, called=f"sensei-{NAME}")
        joined = listener(SERVICE, spec.host, PORT, secret=secret, routes="HTTPRoute", namespace=self._backend)
        gateway = {"gatewayClassName": f"sensei-{NAME}", "listeners": [joined]}
        return self._custom("gateway", GATEWAY_API, "Gateway", gateway, made, where=here)

    def _route(self, gateway: pulumi.Resource) -> CustomResource:
        """Make the route beside the service, so that no reference crosses namespaces."""
        wanted = {
            "parentRefs": [{"name": NAME, "namespace": self._namespace, "sectionName": SERVICE}],
            "hostnames": [self._spec.host],
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                    "backendRefs": [{"name": SERVICE, "port": SYNC_PORT}],
                    "timeouts": {"request": f"{REQUEST_S}s"},
                }
            ],
        }
        return self._custom("route", GATEWAY_API, "HTTPRoute", wanted, gateway, where=self._backend)


def _clients(spec: EdgeSpec) -> tuple[str, ...]:
    return spec.client_cidrs or (PRIVATE_RANGES if spec.exposure is Exposure.INTERNAL else ("0.0.0.0/0",))


def clients_of(spec: EdgeSpec) -> dict[str, Any]:
    """Return what is asked of who connects: a certificate that is good, one request at a time, no idling.

    Source: envoyproxy/gateway v1.9.0 api/v1alpha1 (clienttrafficpolicy_types.go, tls_types.go, connection_types.go),
    read 2026-11.
    """
    validation: dict[str, Any] = {
        "mode": "RequireAndVerify",
        "caCertificateRefs": [{"kind": "Secret", "name": spec.authority_secret}],
    }
    if spec.revocation_secret is not None:
        validation["crl"] = {"refs": [{"kind": "Secret", "name": spec.revocation_secret}]}
    return {
        "targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": NAME}],
        "tls": {"minVersion": "1.2", "clientValidation": validation},
        # What a device says of itself in this header is thrown away; what its certificate says takes its place.
        "headers": {"xForwardedClientCert": {"mode": "SanitizeSet", "certDetailsToAdd": ["Subject", "DNS", "URI"]}},
        "connection": {"connectionLimit": {"value": spec.limits.connections // spec.proxies}},
        # A request is held until it is whole, so that one a connection bounds what a proxy holds.
        "http2": {"maxConcurrentStreams": 1},
        "timeout": {"http": {"idleTimeout": f"{IDLE_S}s", "requestReceivedTimeout": f"{REQUEST_S}s"}},
    }


def limits_of(spec: EdgeSpec) -> dict[str, Any]:
    """Return what is taken at a time, of one device and of all, and what is answered to the rest.

    A request counts towards each rule that it matches; one that matches none would count towards a bucket of its own,
    so the limit of all is a rule that matches everything.
    Source: envoyproxy/gateway v1.9.0 internal/xds/translator/local_ratelimit.go, api/v1alpha1 (ratelimit_types.go,
    backendtrafficpolicy_types.go, circuitbreaker_types.go, shared_types.go), read 2026-11.
    """
    limits, proxies = spec.limits, spec.proxies
    device: dict[str, Any] = {"headers": [{"name": CERTIFICATE_HEADER, "type": "Distinct"}]}
    if spec.certificates is DeviceCertificates.FLEET:
        device["sourceCIDR"] = {"type": "Distinct", "value": "0.0.0.0/0"}
    together = limits.concurrent_syncs // proxies
    rules = [
        {
            "clientSelectors": [device],
            "limit": {"requests": limits.device_requests_per_minute, "unit": "Minute"},
        },
        {
            "clientSelectors": [{"path": {"type": "PathPrefix", "value": "/"}}],
            "limit": {"requests": max(limits.requests_per_second // proxies, 1), "unit": "Second"},
        },
    ]
    again = [{"name": "Retry-After", "value": str(limits.retry_after_s)}]
    return {
        "targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": NAME}],
        "rateLimit": {"local": {"rules": rules}},
        "requestBuffer": {"limit": str(limits.request_bytes)},
        "circuitBreaker": {
            "maxConnections": together,
            "maxParallelRequests": together,
            "maxPendingRequests": together,
            "maxParallelRetries": 0,
        },
        "responseOverride": [
            {
                "match": {"statusCodes": [{"type": "Value", "value": 429}, {"type": "Value", "value": 503}]},
                "response": {"header": {"set": again}},
                # What the service itself answers, it says when to come back from.
                "source": "Local",
            }
        ],
    }


def _facts(spec: EdgeSpec) -> ComponentFacts:
    inside = spec.exposure is Exposure.INTERNAL
    return ComponentFacts(
        tier=Tier.PLATFORM,
        role="edge-entrance",
        replicas=spec.proxies,
        encrypted_in_transit=True,
        internet_facing=not inside,
        ports={"https": PORT},
        endpoints=(
            EndpointFact(
                name=SERVICE,
                host=spec.host,
                port=PORT,
                protocol="https",
                direction="ingress",
                scope="site" if inside else "internet",
                why=f"called by {spec.devices} devices",
            ),
        ),
    )
