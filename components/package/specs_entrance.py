"""The fields of `skerry.config.entrance` as every Pulumi language writes them, word for word.

The schema analyzer reads these classes at run time, so that no annotation here may be a string; a test holds names,
types and descriptions equal to the specs, which check the values.
"""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict


class ServiceEntrance(TypedDict):
    """The entrance to the services of a cluster, of every system that has no tiers."""

    gateway_class: NotRequired[str]
    """A GatewayClass that the cluster brings, for services that are not public; left out, Envoy Gateway is run."""
    gateway_namespace: NotRequired[str]
    """Of that class: the namespace of its proxies; left out, they come from `gateway_cidrs`."""
    gateway_cidrs: NotRequired[Sequence[str]]
    """Of that class: the addresses that its proxies call from."""
    tls_secret: NotRequired[str]
    """The site's Secret (`tls.crt`, `tls.key`) for all hosts; left out, cert-manager makes one."""
    annotations: NotRequired[Mapping[str, str]]
    """On the load balancers, beside those that keep one inside; left out, none."""
    replicas: NotRequired[int]
    """Proxies of each entrance."""
    keepalive_s: NotRequired[int]
    """Seconds after which a silent connection is asked whether it lives, so that no load balancer forgets it."""
