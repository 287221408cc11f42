"""Where the agent mesh stands on a machine, what its secrets are called, and how its machines reach each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from skerry.config.agent_mesh import AgentMeshSpec, MeshNodesSpec
from skerry.config.host import HostOs, HostsSpec
from skerry.config.spec import DeploymentSpec, Mode
from skerry.errors import UsageError
from skerry.hosts.plan import LOOPBACK

USER: Final = "agent-mesh"
NODE_USER: Final = "agent-mesh-node"
"""Who runs nodes: tools that they run must not read a gateway's identity on the same machine."""
HOME: Final = "/opt/agent_mesh"
NODE_FOLDER: Final = f"{HOME}/edge_node"
PYTHON: Final = f"{HOME}/venv/bin/python"
PATH: Final = f"{HOME}/venv/bin:/usr/local/bin:/usr/bin:/bin"
"""The seed's own PATH is the first folder alone, so that child processes find no program of the system."""
ENV: Final = f"{HOME}/.env"
NODE_ENV: Final = f"{HOME}/node.env"
KEYS: Final = f"{HOME}/keys"
NODE_KEYS: Final = f"{HOME}/node_keys"
IDENTITY: Final = f"{KEYS}/gateway_identity.pem"
TRUST: Final = f"{HOME}/trust"
TRUST_STORE: Final = f"{TRUST}/trust_store.json"
CONFIG: Final = f"{HOME}/config"
ROLES: Final = f"{CONFIG}/roles.json"
ETC: Final = "/etc/agent-mesh"
TLS: Final = f"{ETC}/tls"
PEM: Final = f"{TLS}/machine.pem"
"""A machine's certificate, with its key."""
AUTHORITY: Final = f"{TLS}/authority.pem"
LIB: Final = "/usr/local/lib/agent-mesh"
GATEWAY: Final = "agent-mesh-gateway"
NODE: Final = "agent-mesh-node"
GATEWAY_UNIT: Final = f"{GATEWAY}.service"

IDENTITY_SECRET: Final = "mesh-identity"
TRUST_SECRET: Final = "mesh-trust-store"
TOKEN_SECRET: Final = "mesh-token"
AUTHORITY_SECRET: Final = "mesh-authority"
STATE_URL_SECRET: Final = "mesh-state-url"
STATE_GATEWAY_SECRET: Final = "mesh-state-gateway"
STATE_REPLICA_SECRET: Final = "mesh-state-replica"
STATE_SENTINEL_SECRET: Final = "mesh-state-sentinel"

LINUX: Final = (HostOs.DEBIAN, HostOs.UBUNTU, HostOs.RASPBERRY_PI_OS, HostOs.WSL2)


def tls_secret(machine: str) -> str:
    """Return the secret key that holds a machine's certificate with its key."""
    return f"mesh-tls-{machine}"


def bundle_secret(node: str) -> str:
    """Return the secret key that holds a node's provisioning bundle."""
    return f"mesh-bundle-{node}"


def bundle_path(port: int | str) -> str:
    """Return where a node's provisioning bundle lies."""
    return f"{NODE_KEYS}/node-{port}.json"


@dataclass(frozen=True, slots=True)
class Mesh:
    """A deployment's agent mesh, with its machines."""

    deployment: DeploymentSpec
    spec: AgentMeshSpec
    hosts: HostsSpec

    @classmethod
    def of(cls, deployment: DeploymentSpec) -> Mesh:
        """Return the mesh of a deployment.

        Raises:
            UsageError: it has none.
        """
        if deployment.agent_mesh is None or deployment.hosts is None:
            raise UsageError(f"{deployment.system.value} is no agent mesh: take a stack whose system is agent-mesh")
        return cls(deployment, deployment.agent_mesh, deployment.hosts)

    @property
    def development(self) -> bool:
        """Whether it is one machine, for its developers."""
        return self.deployment.mode is Mode.DEVELOPMENT

    @property
    def bind(self) -> str:
        """What gateways bind to; a developers' token never leaves the machine."""
        return LOOPBACK if self.development else self.spec.bind

    @property
    def inside(self) -> bool:
        """Whether all of it is in the overlay, and so calls each other by it alone."""
        shared, balancer = self.spec.shared_state, self.spec.load_balancer
        members = {
            *self.spec.gateways,
            *self.spec.nodes,
            *(shared.machines if shared else ()),
            *(balancer.machines if balancer else ()),
        }
        return self.hosts.overlay is not None and all(self.hosts.machines[name].overlay for name in members)

    def is_linux(self, machine: str) -> bool:
        """Say whether a machine has systemd and the rest that the renderers write for."""
        return self.hosts.machines[machine].os in LINUX

    def address(self, machine: str) -> str:
        """Return how others of the mesh reach a machine: in the overlay where all are in it."""
        row = self.hosts.machines[machine]
        if self.development:
            return LOOPBACK
        return row.overlay.address if self.inside and row.overlay is not None else row.address

    def gateway_urls(self) -> tuple[str, ...]:
        """Return where each gateway answers."""
        return tuple(
            f"http://{_bracketed(self.address(name))}:{self.spec.port_of(name)}" for name in self.spec.gateways
        )

    def ports(self, machine: str) -> tuple[int, ...]:
        """Return the ports of a machine's nodes."""
        first = self.spec.first_port
        return tuple(range(first, first + self.spec.nodes[machine].count))

    def node_ids(self) -> Iterator[tuple[str, str, int, MeshNodesSpec]]:
        """Return id, machine, port and description of every node."""
        for machine, nodes in self.spec.nodes.items():
            for port in self.ports(machine):
                yield f"{machine}-{port}", machine, port, nodes

    def seeds(self) -> tuple[str, ...]:
        """Return `host:port` of every gateway and node: what stands in for multicast."""
        gateways = [f"{_bracketed(self.address(name))}:{self.spec.port_of(name)}" for name in self.spec.gateways]
        nodes = [f"{_bracketed(self.address(machine))}:{port}" for _, machine, port, _ in self.node_ids()]
        return (*gateways, *nodes, *self.spec.discovery.seeds)

    @property
    def audit_folder(self) -> str:
        """The folder of the audit log, under /var/log."""
        return str(PurePosixPath(self.spec.audit.path).parent)

    def tls_machines(self) -> tuple[str, ...]:
        """Return the machines that need a certificate of the mesh's own authority."""
        shared, balancer, siem = self.spec.shared_state, self.spec.load_balancer, self.spec.audit.siem
        named = {
            *(balancer.machines if balancer else ()),
            *(shared.machines if shared else ()),
            *(self.spec.gateways if shared or siem else ()),
        }
        return tuple(name for name in self.hosts.machines if name in named)


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
