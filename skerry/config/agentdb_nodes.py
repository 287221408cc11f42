"""AgentDB on machines without an orchestrator: which of them are nodes, and where callers come in."""

from __future__ import annotations

from pydantic import Field

from skerry.config.words import DnsLabel, SecretKey, Spec


class NodesSpec(Spec):
    """The machines of AgentDB."""

    primary: DnsLabel
    """The machine whose node takes writes; in mode single-node the only one."""
    replicas: tuple[DnsLabel, ...] = Field(default=(), max_length=8)
    """The machines of the nodes that follow it."""
    last_resort: tuple[DnsLabel, ...] = Field(default=(), max_length=8)
    """Replicas that get callers only while no other node lives; left out, all take their part."""
    balancer: DnsLabel | None = None
    """The machine where callers come in; left out, the primary's."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """The port where they do; left out, 8080 on a machine of its own and 8443 beside a node."""
    certificate_secret: SecretKey = "apiCertificate"
    """The secret key with the certificate that callers are shown, and those that vouch for it."""
    key_secret: SecretKey = "apiKey"
    """The secret key with that certificate's private key."""
    peer_certificate_secret: SecretKey = "peerCertificate"
    """The secret key with the certificate by which nodes know each other, good for each node's address."""
    peer_key_secret: SecretKey = "peerKey"
    """The secret key with that certificate's private key."""
    peer_authority_secret: SecretKey = "peerAuthority"
    """The secret key with the certificate of the authority that vouches for nodes."""
