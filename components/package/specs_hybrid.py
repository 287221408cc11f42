"""Mode hybrid as every Pulumi language writes it: the fields of `skerry.config.hybrid`, word for word.

The schema analyzer reads these classes at run time, so that no annotation here may be a string; a test holds names,
types and descriptions equal to the specs, which check the values.
"""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from skerry.config.hybrid import HybridSide


class HybridCustomer(TypedDict):
    """One customer of the vendor's side."""

    name: str
    """What reports and access rules call it."""
    cidrs: Sequence[str]
    """The IPv4 ranges that its calls come from, as the internet sees them."""
    certificate_name: NotRequired[str]
    """The DNS name in its client certificate; left out, `<name>.<domain>`."""


class Hybrid(TypedDict):
    """The two sides of a deployment in mode hybrid."""

    side: HybridSide
    """Whose stack this is."""
    domain: str
    """The vendor's entrance is `architect.<domain>` and `learning.<domain>`; the same on both sides."""
    entrance_cidrs: NotRequired[Sequence[str]]
    """The IPv4 addresses of the vendor's entrance; at the customer left out where `vendor_stack` says them."""
    round_trip_ms: NotRequired[float]
    """Customer: the round trip to the vendor as the site measured it; left out, reports say that it is not known."""
    vendor_stack: NotRequired[str]
    """Customer: the vendor's stack, `organization/project/stack`, where its state can be read; left out, it is not."""
    client_tls_secret: NotRequired[str]
    """Customer: the Secret beside the agents with `tls.crt` and `tls.key` that the vendor's entrance asks for."""
    private_authority: NotRequired[bool]
    """Customer: True where that Secret also has `ca.crt`, the authority behind the entrance's certificate."""
    customers: NotRequired[Sequence[HybridCustomer]]
    """Vendor: who may call; nobody else may."""
    tls_secret: NotRequired[str]
    """Vendor: the Secret (`tls.crt`, `tls.key`) of the entrance; left out, cert-manager makes one."""
    client_authority_secret: NotRequired[str]
    """Vendor: the Secret with `ca.crt`, the authority that signs the certificates of all customers."""
    annotations: NotRequired[Mapping[str, str]]
    """Vendor: on the entrance's load balancer, such as the addresses reserved for it; left out, none."""
    replicas: NotRequired[int]
    """Vendor: proxies of the entrance."""
