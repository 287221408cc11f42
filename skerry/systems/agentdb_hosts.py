"""AgentDB on machines without an orchestrator: its nodes as containers, callers by HAProxy, nodes among each other by QUIC.

(1) The load balancer carries the API over TCP. QUIC is UDP, which it cannot carry: nodes call each other, through a rule
    of the firewall of its own that lets in the other nodes alone (the seed's example sends callers to 4433: 003:1412).
(2) Between the load balancer and nodes on other machines requests go through the overlay, and nowhere else.
(3) Everything that a node keeps is on one volume: graph files, SQLite, what the embedding service has downloaded.
(4) A copy is made of files that nobody writes meanwhile: the container is paused for the seconds that tar takes.
"""

from __future__ import annotations

import ipaddress
from typing import Final

from skerry.catalog import Catalog
from skerry.config.agentdb import AgentDbSpec
from skerry.config.agentdb_nodes import NodesSpec
from skerry.config.host import HostsSpec, HostSpec
from skerry.config.spec import DeploymentSpec
from skerry.facts import ImageFact, ModelFact, Tier
from skerry.hosts.plan import (
    EVERY_ADDRESS,
    LOOPBACK,
    Health,
    HostBackup,
    HostFile,
    HostFolder,
    HostService,
    HostsPlan,
    Listen,
    Machine,
    Member,
    Mount,
    Proxy,
    ProxyTls,
    Supervisor,
)
from skerry.hosts.plans import hosts_target
from skerry.systems.agentdb import definition_of, model_environment

SERVICE: Final = "agentdb"
BALANCER: Final = "api"
API_PORT: Final = 8080
"""003:1413."""
BESIDE_A_NODE: Final = 8443
"""Where callers come in on a node's own machine: its container has the other port there."""
TLS_FOLDER: Final = "/etc/skerry/tls"
DATA_FOLDER: Final = "/var/lib/agentdb"
MODELS_FOLDER: Final = "/var/lib/agentdb-models"
USER: Final = 65_532
"""As in every other mode."""
_IN_CONTAINER: Final = "/etc/agentdb/tls"


def agentdb_hosts_plan(spec: DeploymentSpec, catalog: Catalog) -> HostsPlan:
    """Return what stands on each machine.

    Args:
        spec: the configuration, checked by skerry/config/sense_agentdb_hosts.py.
        catalog: the pins.

    Raises:
        CatalogError: a pin is missing.
    """
    agentdb, hosts = spec.agentdb, spec.hosts
    if agentdb is None or hosts is None or agentdb.nodes is None:
        return HostsPlan(machines=())
    image = catalog.image(SERVICE, hosts_target(spec), "a node of AgentDB", reference=agentdb.image)
    model = None if agentdb.model is None else catalog.model(agentdb.model.name, "what AgentDB embeds with")
    machines = tuple(_machine(name, row, agentdb, hosts, image, model) for name, row in hosts.machines.items())
    return HostsPlan(machines=machines, overlay=hosts.overlay)


def node_names(nodes: NodesSpec) -> tuple[str, ...]:
    """Return the machines of all nodes, the primary's first."""
    return (nodes.primary, *nodes.replicas)


def balancer_of(nodes: NodesSpec) -> str:
    """Return the machine where callers come in."""
    return nodes.balancer or nodes.primary


def api_port(nodes: NodesSpec) -> int:
    """Return the port where they do."""
    if nodes.port is not None:
        return nodes.port
    return BESIDE_A_NODE if balancer_of(nodes) in node_names(nodes) else API_PORT


def inside_address(row: HostSpec) -> str:
    """Return the address by which other machines reach its node: the overlay's, where it has one."""
    return row.overlay.address if row.overlay is not None else row.address


def _machine(
    name: str, row: HostSpec, agentdb: AgentDbSpec, hosts: HostsSpec, image: ImageFact, model: ModelFact | None
) -> Machine:
    nodes = agentdb.nodes
    assert nodes is not None  # noqa: S101  the caller's question
    services, files, folders, backups = (), (), (), ()  # type: tuple[HostService, ...], tuple[HostFile, ...], tuple[HostFolder, ...], tuple[HostBackup, ...]
    if name in node_names(nodes):
        services = (_node(name, row, agentdb, nodes, hosts, image, model),)
        folders = _folders(model)
        files = _peer_files(nodes)
        backups = (_backup(),)
    proxies: tuple[Proxy, ...] = ()
    if name == balancer_of(nodes):
        proxies = (_balancer(agentdb, nodes, hosts),)
        files = (
            *files,
            HostFile(path=f"{TLS_FOLDER}/{BALANCER}.crt", secret=nodes.certificate_secret, mode="0644"),
            HostFile(path=f"{TLS_FOLDER}/{BALANCER}.key", secret=nodes.key_secret, mode="0600"),
        )
    return Machine(
        name=name,
        spec=row,
        services=services,
        proxies=proxies,
        files=files,
        folders=folders,
        backups=backups,
        opens=_overlay(name, hosts),
        tier=Tier.META if services else Tier.CHANNELS,
    )
