"""AgentDB on machines without an orchestrator: which of them are nodes, and where callers come in."""

from __future__ import annotations

from pydantic import Field

from skerry.config.words import DnsLabel, SecretKey, Spec


class FlySpec(Spec):
    """An app of Fly.io that has one node, in place of a machine."""

    app: DnsLabel = Field(max_length=30)
    """What the app is called there."""
    region: str = Field(pattern=r"^[a-z]{3}$")
    """Where its volume lies, in Fly.io's word, such as fra; its country must be one that Skerry knows."""


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
    fly: FlySpec | None = None
    """Mode single-node: renders the same node as an app of Fly.io as well; left out, it does not."""
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
