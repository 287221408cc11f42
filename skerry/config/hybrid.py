"""Mode hybrid: the execution tier at a customer, the cognitive and the meta tier at the vendor, and what joins them.

One system, two stacks: `side` says which of them a stack is. The customer's side opens all connections; the vendor's
side is reached at one entrance and calls nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from ipaddress import IPv4Network
from typing import Any, Final

from pydantic import Field

from skerry.config.services import DomainName
from skerry.config.words import DnsLabel, Spec

PORT: Final = 443
"""What crosses between the sides crosses here: gRPC over TLS."""

WIDEST: Final = 16
"""The shortest prefix of a range that stands for one site; a wider one would open more than anybody meant."""

ADVISED_ROUND_TRIP_MS: Final = 150.0
"""Beyond it an escalation with its three repeats, each a round trip of TLS and one of gRPC, takes over a second."""

LONGEST_ROUND_TRIP_MS: Final = 500.0
"""Beyond it the link is refused: more is a satellite or a broken route, on which streams for plan updates break."""


class HybridSide(str, Enum):
    """Whose stack this is."""

    VENDOR = "vendor"
    """The cognitive and the meta tier, and the entrance for customers."""
    CUSTOMER = "customer"
    """The execution tier with channels of its own; nothing calls it from outside."""


class HybridCustomerSpec(Spec):
    """One customer of the vendor's side."""

    name: DnsLabel = Field(max_length=30)
    """What reports and access rules call it."""
    cidrs: tuple[str, ...] = Field(min_length=1, max_length=16)
    """The IPv4 ranges that its calls come from, as the internet sees them."""
    certificate_name: DomainName | None = None
    """The DNS name in its client certificate; left out, `<name>.<domain>`."""


class HybridSpec(Spec):
    """The two sides of a deployment in mode hybrid."""

    side: HybridSide
    """Whose stack this is."""
    domain: DomainName
    """The vendor's entrance is `architect.<domain>` and `learning.<domain>`; the same on both sides."""
    entrance_cidrs: tuple[str, ...] = Field(default=(), max_length=16)
    """The IPv4 addresses of the vendor's entrance; at the customer left out where `vendor_stack` says them."""
    round_trip_ms: float | None = Field(default=None, gt=0, le=10_000)
    """Customer: the round trip to the vendor as the site measured it; left out, reports say that it is not known."""
    vendor_stack: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$")
    """Customer: the vendor's stack, `organization/project/stack`, where its state can be read; left out, it is not."""
    client_tls_secret: DnsLabel = "vendor-client"
    """Customer: the Secret beside the agents with `tls.crt` and `tls.key` that the vendor's entrance asks for."""
    private_authority: bool = False
    """Customer: True where that Secret also has `ca.crt`, the authority behind the entrance's certificate."""
    customers: tuple[HybridCustomerSpec, ...] = Field(default=(), max_length=100)
    """Vendor: who may call; nobody else may."""
    tls_secret: DnsLabel | None = None
    """Vendor: the Secret (`tls.crt`, `tls.key`) of the entrance; left out, cert-manager makes one."""
    client_authority_secret: DnsLabel = "customers-ca"
    """Vendor: the Secret with `ca.crt`, the authority that signs the certificates of all customers."""
    annotations: dict[str, str] = Field(default={}, max_length=16)
    """Vendor: on the entrance's load balancer, such as the addresses reserved for it; left out, none."""
    replicas: int = Field(default=3, ge=1, le=32)
    """Vendor: proxies of the entrance."""

    def host(self, agents: str) -> str:
        """Return the name by which a kind of the vendor's agents is reached."""
        return f"{agents}.{self.domain}"

    def certificate_of(self, customer: HybridCustomerSpec) -> str:
        """Return the DNS name that the client certificate of a customer bears."""
        return customer.certificate_name or f"{customer.name}.{self.domain}"


CALLED: Final = ("architect", "learning")
"""The vendor's agents that customers call: with abstract queries, and with abstract patterns."""


def is_narrow(text: str) -> bool:
    """Say whether a text is an IPv4 range no wider than one site may have."""
    try:
        return IPv4Network(text).prefixlen >= WIDEST
    except ValueError:
        return False


def with_customer_channels(value: Any, absent: Mapping[str, Any]) -> Any:
    """Return the fields of a deployment with a customer's machines and PostgreSQL where every target looks for them.

    Args:
        value: the fields as they were given; anything but a customer's side comes back as it is.
        absent: the fields of a meta tier that is not there.
    """
    if not isinstance(value, Mapping) or "meta" in value:
        return value
    hybrid, channels = value.get("hybrid"), value.get("channels")
    if not isinstance(hybrid, Mapping) or hybrid.get("side") != HybridSide.CUSTOMER.value:
        return value
    if not isinstance(channels, Mapping):
        return value
    named = {key: channels[key] for key in ("pool", "relational_kind", "relational") if channels.get(key) is not None}
    return {**value, "meta": {**absent, **named}}
