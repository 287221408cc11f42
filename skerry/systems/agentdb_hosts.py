"""AgentDB on machines: its nodes as containers, callers through HAProxy, nodes among each other by QUIC.

(1) The load balancer carries the API over TCP. QUIC is UDP, which it cannot carry: nodes call each other, by a rule of
    the firewall that lets in the other nodes alone (the example of the analysis sends callers to 4433: 003:1412).
(2) Between the load balancer and nodes on other machines requests go through the overlay, and nowhere else.
(3) Everything that a node keeps is on one volume: graph files, SQLite, what the embedding service has downloaded.
(4) A copy is made of files that nobody writes meanwhile: the container is paused for the seconds that tar takes.
"""

from __future__ import annotations

from typing import Final

from skerry.catalog import Catalog
from skerry.config.agentdb import AgentDbSpec
from skerry.config.agentdb_nodes import NodesSpec
from skerry.config.host import HostSpec, HostsSpec
from skerry.config.spec import DeploymentSpec
from skerry.facts import ImageFact, ModelFact, Tier
from skerry.hosts.overlay import overlay_ports, ranges_of
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
from skerry.systems.agentdb_fly import fly_artifacts

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
QUIC_PORT: Final = 4433
"""003:1290."""
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
    node = next((one for machine in machines for one in machine.services), None)
    fly = agentdb.nodes.fly
    artifacts = fly_artifacts(fly, node) if fly is not None and node is not None else {}
    return HostsPlan(machines=machines, overlay=hosts.overlay, artifacts=artifacts)


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
    is_node, is_balancer = name in node_names(nodes), name == balancer_of(nodes)
    return Machine(
        name=name,
        spec=row,
        services=(_node(name, row, agentdb, nodes, hosts, image, model),) if is_node else (),
        proxies=(_balancer(agentdb, nodes, hosts),) if is_balancer else (),
        files=(*(_peer_files(nodes) if is_node else ()), *(_api_files(nodes) if is_balancer else ())),
        folders=_folders(model) if is_node else (),
        backups=(_backup(),) if is_node and hosts.backup is not None else (),
        opens=overlay_ports(name, hosts),
        tier=Tier.META if is_node else Tier.CHANNELS,
    )


def _node(
    name: str,
    row: HostSpec,
    agentdb: AgentDbSpec,
    nodes: NodesSpec,
    hosts: HostsSpec,
    image: ImageFact,
    model: ModelFact | None,
) -> HostService:
    definition = definition_of(agentdb)
    cap = agentdb.memory_mib or definition.memory_limit_mib or definition.memory_mib
    mounts = [Mount(source=DATA_FOLDER, target=f"{definition.data_path}")]
    if nodes.replicas:
        mounts.append(Mount(source=f"{TLS_FOLDER}/peers", target=_IN_CONTAINER, read_only=True))
    if agentdb.model is not None:
        mounts.append(Mount(source=MODELS_FOLDER, target=agentdb.model.path, read_only=True))
    return HostService(
        name=SERVICE,
        supervisor=Supervisor.COMPOSE,
        image=image,
        environment={
            **definition.environment,
            **model_environment(agentdb),
            **_peers(name, nodes, hosts),
            **agentdb.environment,
        },
        secrets=agentdb.secrets,
        listens=_listens(name, row, nodes, hosts),
        health=Health(
            path=_health_path(agentdb), port=API_PORT, interval_s=30, timeout_s=10, retries=3, start_period_s=30
        ),
        memory_mib=cap,
        cpus=agentdb.vcpu or definition.vcpu_limit or definition.vcpu,
        mounts=tuple(mounts),
        user=f"{USER}:{USER}",
        tier=Tier.META,
        role="vector-store",
        stateful=True,
        storage_gib=agentdb.storage_gib,
        models=(model,) if model is not None else (),
    )


def _listens(name: str, row: HostSpec, nodes: NodesSpec, hosts: HostsSpec) -> tuple[Listen, ...]:
    """(1) and (2)."""
    away = balancer_of(nodes) != name
    api = Listen(
        name="http",
        port=API_PORT,
        bind=inside_address(row) if away else LOOPBACK,
        overlay=away,
        comment="AgentDB's API, for the load balancer",
    )
    if not nodes.replicas:
        return (api,)
    others = tuple(
        each for other in node_names(nodes) if other != name for each in ranges_of(hosts.machines[other].address, hosts)
    )
    quic = Listen(
        name="quic",
        port=QUIC_PORT,
        protocol="udp",
        scheme="quic",
        bind=EVERY_ADDRESS,
        sources=tuple(dict.fromkeys(others)),
        comment="AgentDB's nodes among each other, QUIC over UDP",
    )
    return (api, quic)


def _peers(name: str, nodes: NodesSpec, hosts: HostsSpec) -> dict[str, str]:
    """Return what a node is told of the others: the words are those of replicas on Kubernetes."""
    if not nodes.replicas:
        return {"QUIC_ENABLED": "false"}
    addresses = [f"{hosts.machines[one].address}:{QUIC_PORT}" for one in node_names(nodes)]
    return {
        "QUIC_ENABLED": "true",
        "REPLICA_ROLE": "primary" if name == nodes.primary else "replica",
        "REPLICA_PRIMARY": addresses[0],
        "REPLICA_NODES": ",".join(addresses),
        "REPLICA_TLS_CERT": f"{_IN_CONTAINER}/tls.crt",
        "REPLICA_TLS_KEY": f"{_IN_CONTAINER}/tls.key",
        "REPLICA_TLS_CA": f"{_IN_CONTAINER}/ca.crt",
    }


def _balancer(agentdb: AgentDbSpec, nodes: NodesSpec, hosts: HostsSpec) -> Proxy:
    here = balancer_of(nodes)
    return Proxy(
        name=BALANCER,
        kind="haproxy",
        listen=Listen(
            name="https",
            port=api_port(nodes),
            scheme="https",
            bind=EVERY_ADDRESS,
            sources=agentdb.allow_cidrs or hosts.lan_cidrs,
            overlay=hosts.overlay is not None,
            comment="AgentDB's API, for its callers",
        ),
        members=tuple(
            Member(
                name=one,
                address=LOOPBACK if one == here else inside_address(hosts.machines[one]),
                port=API_PORT,
                backup=one in nodes.last_resort,
            )
            for one in node_names(nodes)
        ),
        balance="leastconn",
        health_path=_health_path(agentdb),
        tls=ProxyTls(certificate=f"{TLS_FOLDER}/{BALANCER}.crt", key=f"{TLS_FOLDER}/{BALANCER}.key"),
        idle_s=agentdb.longest_request_s,
        requests_per_second=agentdb.rate_per_second or 0,
    )


def _peer_files(nodes: NodesSpec) -> tuple[HostFile, ...]:
    if not nodes.replicas:
        return ()
    rows = {
        "tls.crt": nodes.peer_certificate_secret,
        "tls.key": nodes.peer_key_secret,
        "ca.crt": nodes.peer_authority_secret,
    }
    return tuple(
        HostFile(
            path=f"{TLS_FOLDER}/peers/{file}",
            secret=secret,
            mode="0600" if file == "tls.key" else "0644",
            owner=f"{USER}",
            group=f"{USER}",
        )
        for file, secret in rows.items()
    )


def _api_files(nodes: NodesSpec) -> tuple[HostFile, ...]:
    return (
        HostFile(path=f"{TLS_FOLDER}/{BALANCER}.crt", secret=nodes.certificate_secret, mode="0644"),
        HostFile(path=f"{TLS_FOLDER}/{BALANCER}.key", secret=nodes.key_secret, mode="0600"),
    )


def _folders(model: ModelFact | None) -> tuple[HostFolder, ...]:
    """(3)."""
    data = HostFolder(path=DATA_FOLDER, owner=f"{USER}", group=f"{USER}", mode="0700")
    models = HostFolder(path=MODELS_FOLDER, mode="0755")
    return (data,) if model is None else (data, models)


def _backup() -> HostBackup:
    """(4)."""
    compose = "/usr/bin/docker compose --project-directory /etc/skerry/compose"
    return HostBackup(
        name=SERVICE,
        paths=(DATA_FOLDER,),
        before=(f"{compose} pause {SERVICE}",),
        after=(f"{compose} unpause {SERVICE}",),
    )


def _health_path(agentdb: AgentDbSpec) -> str:
    probe = definition_of(agentdb).health
    return probe.path if probe is not None else ""
