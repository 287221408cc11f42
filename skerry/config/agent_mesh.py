"""The agent mesh: gateways and the nodes that run tools, on machines without an orchestrator."""

from __future__ import annotations

from skerry.config.words import DnsLabel, Spec


class AgentMeshSpec(Spec):
    """The agent mesh."""

    gateways: tuple[DnsLabel, ...]
    """The machines that run a gateway, the primary first."""
