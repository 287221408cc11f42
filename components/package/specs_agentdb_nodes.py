"""The fields of `skerry.config.agentdb_nodes` as every Pulumi language writes them, word for word.

The schema analyzer reads these classes at run time, so that no annotation here may be a string; a test holds names,
types and descriptions equal to the specs, which check the values.
"""

from collections.abc import Sequence
from typing import NotRequired, TypedDict


class AgentDbFly(TypedDict):
    """An app of Fly.io that has one node, in place of a machine."""

    app: str
    """What the app is called there."""
    region: str
    """Where its volume lies, in Fly.io's word, such as fra; its country must be one that Skerry knows."""


class AgentDbNodes(TypedDict):
    """The machines of AgentDB."""

    primary: str
    """The machine whose node takes writes; in mode single-node the only one."""
    replicas: NotRequired[Sequence[str]]
    """The machines of the nodes that follow it."""
    last_resort: NotRequired[Sequence[str]]
    """Replicas that get callers only while no other node lives; left out, all take their part."""
    balancer: NotRequired[str]
    """The machine where callers come in; left out, the primary's."""
    port: NotRequired[int]
    """The port where they do; left out, 8080 on a machine of its own and 8443 beside a node."""
    fly: NotRequired[AgentDbFly]
    """Mode single-node: renders the same node as an app of Fly.io as well; left out, it does not."""
    certificate_secret: NotRequired[str]
    """The secret key with the certificate that callers are shown, and those that vouch for it."""
    key_secret: NotRequired[str]
    """The secret key with that certificate's private key."""
    peer_certificate_secret: NotRequired[str]
    """The secret key with the certificate by which nodes know each other, good for each node's address."""
    peer_key_secret: NotRequired[str]
    """The secret key with that certificate's private key."""
    peer_authority_secret: NotRequired[str]
    """The secret key with the certificate of the authority that vouches for nodes."""
