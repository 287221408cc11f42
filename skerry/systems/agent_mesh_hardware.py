"""What hardware gateways and nodes need at least, and what is recommended for a gateway."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from skerry.config.agent_mesh import AgentMeshSpec, MeshNodesSpec, NodePlatform
from skerry.config.host import HostOs, HostSpec


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a machine has at least."""

    cores: int
    memory_gib: float
    """The vendor says GB; a machine sold with so many has as many GiB."""
    storage_gib: float

    def lacks(self, machine: HostSpec) -> str:
        """Return what a machine has too little of; empty where it has enough."""
        rows = (
            ("cores", machine.vcpu, self.cores),
            ("GiB of memory", machine.memory_gib, self.memory_gib),
            ("GiB of storage", machine.storage_gib, self.storage_gib),
        )
        return ", ".join(f"{has:g} of {needed:g} {what}" for what, has, needed in rows if has < needed)


# Source: the agent mesh's deployment architecture, "Gateway Deployment" and "Edge Node Deployment", as of 2026-11
GATEWAY: Final = Hardware(2, 4, 10)
RECOMMENDED: Final = Hardware(4, 8, 50)
"""Of a gateway, with redundant network interfaces."""
RECOMMENDED_INTERFACES: Final = 2
NODE: Final = {
    NodePlatform.DESKTOP: Hardware(2, 2, 5),
    NodePlatform.RASPBERRY_PI: Hardware(4, 2, 8),
    NodePlatform.ANDROID: Hardware(4, 2, 4),
    NodePlatform.SERVER: Hardware(8, 16, 50),
}

_BY_SYSTEM: Final = {
    HostOs.RASPBERRY_PI_OS: NodePlatform.RASPBERRY_PI,
    HostOs.ANDROID: NodePlatform.ANDROID,
    HostOs.MACOS: NodePlatform.DESKTOP,
    HostOs.WINDOWS: NodePlatform.DESKTOP,
    HostOs.WSL2: NodePlatform.DESKTOP,
}


def platform_of(nodes: MeshNodesSpec, machine: HostSpec) -> NodePlatform | None:
    """Return what nodes run on; None on a system of which no hardware is known, which is iOS."""
    if nodes.platform is not None:
        return nodes.platform
    return None if machine.os is HostOs.IOS else _BY_SYSTEM.get(machine.os, NodePlatform.SERVER)


def needs(mesh: AgentMeshSpec, name: str, machine: HostSpec) -> Iterator[tuple[str, Hardware | None]]:
    """Return what a machine must have, each with whom it is for; None where that is not known."""
    if name in mesh.gateways:
        yield "gateway", GATEWAY
    if name in mesh.nodes:
        platform = platform_of(mesh.nodes[name], machine)
        yield f"node ({platform.value if platform else machine.os.value})", NODE[platform] if platform else None


def below_recommended(machine: HostSpec) -> str:
    """Return what a gateway's machine has less of than is recommended; empty where nothing."""
    lacks = RECOMMENDED.lacks(machine)
    if machine.network_interfaces >= RECOMMENDED_INTERFACES:
        return lacks
    text = f"{machine.network_interfaces} of {RECOMMENDED_INTERFACES} network interfaces"
    return f"{lacks}, {text}" if lacks else text
