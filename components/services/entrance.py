"""The vendor's entrance in mode hybrid: customers' agents call Architect and Learning agents, over TLS on both sides.

Who comes in is decided three times: by address at the load balancer and at the proxies, by a client certificate that
the vendor's authority signed, and by the name in it, which must be a customer's. The stores behind get no route.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.base import SkerryComponent
from components.channels.rpc import PORT as RPC_PORT
from components.kubernetes.cluster import Cluster
from components.services.certificates import CertificateIssuer
from components.services.gateway import (
    envoy_controller,
    envoy_proxy,
    proxies_of,
)
from components.services.gateway_parts import ENVOY_API, GATEWAY_API, class_of, custom, listener
from components.services.openings import EVERY_POD, Opening, leave_for, named, open_for
from skerry.config.hybrid import CALLED, PORT, HybridSpec
from skerry.facts import ComponentFacts, EndpointFact, Tier

NAME: Final = "customers"
TLS_SECRET: Final = "entrance-tls"
PROXY_PORT: Final = PORT + 10000
"""Where a proxy listens for it. Source: envoyproxy/gateway v1.9.0 internal/gatewayapi/translator.go, read 2026-11."""

IDLE_S: Final = 3600
"""Seconds after which a connection without a stream is closed."""

OUTSIDE: Final[Mapping[str, Mapping[str, str]]] = {
    "aws": {
        "service.beta.kubernetes.io/aws-load-balancer-type": "nlb",
        "service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing",
    },
}
"""What makes a load balancer face the internet, where that is not the cloud's default.

Source: the clouds' references (not opened; check before relying on it).
"""


class CustomerEntrance(SkerryComponent):
    """Lets the customers that are named, and nobody else, call the vendor's agents."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        spec: HybridSpec,
        backends: Mapping[str, str],
        issuer: CertificateIssuer | None,
        controller: pulumi.Resource | None,
        depends_on: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the Gateway with its routes, its checks and the openings that they need.

        Args:
            name: the component's name.
            cluster: the vendor's.
            namespace: of the proxies and their controller, which exists.
            spec: domain, customers, certificates.
            backends: kind of agent -> its namespace.
            issuer: who signs the entrance's certificate; None where the site brings it.
            controller: what runs Envoy Gateway in that namespace already; None makes one.
            depends_on: the namespaces.
            opts: Pulumi's options.

        Raises:
            CatalogError: a chart or an image has no row.
        """
        self._cluster, self._namespace, self._spec = cluster, namespace, spec
        super().__init__(name, _facts(spec), opts)
        secret = spec.tls_secret or TLS_SECRET
        hosts = {agents: spec.host(agents) for agents in CALLED}
        if spec.tls_secret is None and issuer is not None:
            issuer.certificate(self, "certificate", namespace, secret, tuple(hosts.values()))
        runs = controller or envoy_controller(self, cluster, namespace, depends_on)
        gateway = self._gateway(secret, hosts, backends, runs)
        self._checks(gateway)
        for agents, host in hosts.items():
            self._route(agents, host, backends[agents], gateway)
        openings = [Opening(agents, backends[agents], named(agents), (RPC_PORT,)) for agents in CALLED]
        proxies = proxies_of(NAME)
        open_for(self, cluster, namespace, proxies, openings, depends_on=depends_on)
        leave_for(self, cluster, namespace, proxies, openings, depends_on=depends_on)
        entrance = [Opening("proxies", namespace, proxies, (PROXY_PORT,))]
        open_for(self, cluster, None, EVERY_POD, entrance, addresses=self._clients(), depends_on=depends_on)
        self.finish(endpoint=f"*.{spec.domain}", port=PORT, secret_ref=secret, metrics_endpoint=None)

    def _clients(self) -> tuple[str, ...]:
        return tuple(sorted({block for customer in self._spec.customers for block in customer.cidrs}))

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

    def _gateway(
        self, secret: str, hosts: Mapping[str, str], backends: Mapping[str, str], runs: pulumi.Resource
    ) -> CustomResource:
        """Make class and Gateway: a listener a kind of agent, which gRPC routes of its namespace alone may join."""
        cluster, spec, here = self._cluster, self._spec, self._namespace
        annotations = {**OUTSIDE.get(cluster.target.kind, {}), **spec.annotations}
        wanted = envoy_proxy(cluster, NAME, replicas=spec.replicas, annotations=annotations, clients=self._clients())
        made = class_of(self, cluster, wanted, [runs], namespace=here, name=NAME, called=f"sensei-{NAME}")
        listeners = [
            listener(agents, host, PORT, secret=secret, routes="GRPCRoute", namespace=backends[agents])
            for agents, host in hosts.items()
        ]
        gateway = {"gatewayClassName": f"sensei-{NAME}", "listeners": listeners}
        return self._custom("gateway", GATEWAY_API, "Gateway", gateway, made, where=here)

    def _checks(self, gateway: pulumi.Resource) -> None:
        """Ask for client certificates of customers, tell agents whose call it is, and admit by address.

        Source: envoyproxy/gateway v1.9.0 api/v1alpha1 (clienttrafficpolicy_types.go, securitypolicy_types.go), the
        CRDs of which were read 2026-11.
        """
        spec, here = self._spec, self._namespace
        target = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": NAME}
        names = [{"type": "Exact", "value": spec.certificate_of(customer)} for customer in spec.customers]
        clients = {
            "targetRefs": [target],
            "tls": {
                "minVersion": "1.2",
                "clientValidation": {
                    "mode": "RequireAndVerify",
                    "caCertificateRefs": [{"kind": "Secret", "name": spec.client_authority_secret}],
                    "subjectAltNames": {"dnsNames": names},
                },
            },
            # What a caller says of itself in this header is thrown away; the name in its certificate takes its place.
            "headers": {"xForwardedClientCert": {"mode": "SanitizeSet", "certDetailsToAdd": ["Subject", "DNS"]}},
            "timeout": {"http": {"idleTimeout": f"{IDLE_S}s"}},
        }
        self._custom("clients", ENVOY_API, "ClientTrafficPolicy", clients, gateway, where=here)
        rules = [
            {"name": customer.name, "action": "Allow", "principal": {"clientCIDRs": list(customer.cidrs)}}
            for customer in spec.customers
        ]
        admits = {"targetRefs": [target], "authorization": {"defaultAction": "Deny", "rules": rules}}
        self._custom("addresses", ENVOY_API, "SecurityPolicy", admits, gateway, where=here)

    def _route(self, agents: str, host: str, where: str, gateway: pulumi.Resource) -> None:
        """Make the route beside its agents, with streams that stay open for plan updates."""
        wanted = {
            "parentRefs": [{"name": NAME, "namespace": self._namespace, "sectionName": agents}],
            "hostnames": [host],
            "rules": [{"backendRefs": [{"name": f"{agents}-grpc", "port": RPC_PORT}]}],
        }
        called = f"customers-{agents}"
        made = self._custom(f"route-{agents}", GATEWAY_API, "GRPCRoute", wanted, gateway, where=where, called=called)
        streams = {
            "targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "GRPCRoute", "name": called}],
            "timeout": {"http": {"requestTimeout": "0s", "connectionIdleTimeout": f"{IDLE_S}s"}},
        }
        self._custom(f"stream-{agents}", ENVOY_API, "BackendTrafficPolicy", streams, made, where=where, called=called)


def _facts(spec: HybridSpec) -> ComponentFacts:
    return ComponentFacts(
        tier=Tier.PLATFORM,
        role="entrance",
        replicas=spec.replicas,
        encrypted_in_transit=True,
        internet_facing=True,
        ports={"grpc": PORT},
        endpoints=tuple(
            EndpointFact(
                name=agents,
                host=spec.host(agents),
                port=PORT,
                protocol="grpc",
                direction="ingress",
                scope="internet",
                why=f"called by {', '.join(customer.name for customer in spec.customers)}",
            )
            for agents in CALLED
        ),
    )
