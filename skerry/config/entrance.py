"""How the services of a cluster are reached from outside it: by the Gateway API, over TLS, each by its own host."""

from __future__ import annotations

from pydantic import Field

from skerry.config.words import DnsLabel, Spec


class ServiceEntranceSpec(Spec):
    """The entrance to the services of a cluster, of every system that has no tiers."""

    gateway_class: DnsLabel | None = None
    """A GatewayClass that the cluster brings, for services that are not public; left out, Envoy Gateway is run."""
    gateway_namespace: DnsLabel | None = None
    """Of that class: the namespace of its proxies; left out, they come from `gateway_cidrs`."""
    gateway_cidrs: tuple[str, ...] = Field(default=(), max_length=16)
    """Of that class: the addresses that its proxies call from."""
    tls_secret: DnsLabel | None = None
    """The site's Secret (`tls.crt`, `tls.key`) for all hosts; left out, cert-manager makes one."""
    annotations: dict[str, str] = Field(default={}, max_length=16)
    """On the load balancers, beside those that keep one inside; left out, none."""
    replicas: int = Field(default=2, ge=1, le=9)
    """Proxies of each entrance."""
    keepalive_s: int = Field(default=60, ge=10, le=3600)
    """Seconds after which a silent connection is asked whether it lives, so that no load balancer forgets it."""
