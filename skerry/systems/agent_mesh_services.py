"""Gateways and nodes as services of a machine: their commands, variables, ports and health."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from skerry.catalog import Catalog
from skerry.config.agent_mesh import AgentMeshSpec, MeshNodesSpec, NodeRuntime, TokenKind, TrustMode
from skerry.facts import EndpointFact, ImageFact, TargetFact, Tier
from skerry.hosts.plan import EVERY_ADDRESS, LOOPBACK, Health, HostFile, HostService, Listen, Mount, Supervisor
from skerry.systems.agent_mesh_places import (
    ENV,
    GATEWAY,
    GATEWAY_UNIT,
    HOME,
    IDENTITY,
    IDENTITY_SECRET,
    NODE,
    NODE_ENV,
    NODE_FOLDER,
    NODE_USER,
    PATH,
    PYTHON,
    ROLES,
    STATE_URL_SECRET,
    TOKEN_SECRET,
    TRUST,
    TRUST_SECRET,
    TRUST_STORE,
    USER,
    Mesh,
    bundle_path,
    bundle_secret,
)

CONTAINER_USER: Final = "10001"
"""Who owns a container's bundle: a number, since the machine knows no such user."""
CONTAINER_BUNDLE: Final = "/run/agent-mesh/bundle.json"
_URL_VARIABLE: Final = "SHARED_STATE_URL"
_MIB: Final = 1024 * 1024


def gateway_command(mesh: Mesh, machine: str) -> tuple[str, ...]:
    """Return the command of a gateway: the seed's own, with the trust mode that its unit forgets.

    The URL of shared state holds a password, and stands in a variable that the unit puts in.
    """
    spec = mesh.spec
    command = [PYTHON, "-m", "gateway.http_gateway", "--host", mesh.bind, "--port", str(spec.port_of(machine))]
    command += ["--trust-mode", spec.trust.value]
    if spec.trust is TrustMode.PKI:
        command += ["--identity", IDENTITY]
    if spec.shared_state is not None:
        command += ["--shared-state", f"${{{_URL_VARIABLE}}}"]
    return (*command, "--dev-token") if mesh.development else tuple(command)


def gateway_variables(mesh: Mesh, machine: str) -> dict[str, str]:
    """Return the variables of a gateway, those of the seed's .env first."""
    spec = mesh.spec
    found = {
        "GATEWAY_HOST": mesh.bind,
        "GATEWAY_PORT": str(spec.port_of(machine)),
        "DEV_TOKEN_ENABLED": "true" if mesh.development else "false",
        "TRUST_MODE": spec.trust.value,
        "AUDIT_LOG_PATH": spec.audit.path,
        **_discovery(mesh),
        "TRUST_STORE_PATH": TRUST_STORE,
    }
    if spec.capabilities.kind is TokenKind.ROLES:
        found["MESH_ROLES_FILE"] = ROLES
    if spec.mcp:
        found |= {"MCP_ENABLED": "true", "MCP_HOST": mesh.bind, "MCP_PORT": str(spec.mcp_port)}
    if spec.sync is not None:
        found |= {
            "SYNC_UPSTREAM_URL": spec.sync.upstream_url,
            "SYNC_SPOOL_PATH": spec.sync.spool_folder,
            "SYNC_SPOOL_BYTES": str(spec.sync.spool_mib * _MIB),
            "SYNC_RETENTION_DAYS": str(spec.sync.retention_days),
        }
    return found


def node_variables(mesh: Mesh, machine: str, nodes: MeshNodesSpec) -> dict[str, str]:
    """Return the variables that all nodes of a machine share."""
    found = {
        "TRUST_MODE": mesh.spec.trust.value,
        "MESH_GATEWAYS": ",".join(mesh.gateway_urls()),
        **_discovery(mesh),
    }
    if nodes.region is not None:
        found["NODE_REGION"] = nodes.region
    if nodes.capabilities:
        found["NODE_CAPABILITIES"] = ",".join(nodes.capabilities)
    if nodes.place is not None:
        found |= {"NODE_LATITUDE": f"{nodes.place.latitude:g}", "NODE_LONGITUDE": f"{nodes.place.longitude:g}"}
        found |= {"NODE_AREA": nodes.place.area} if nodes.place.area else {}
    return found


def _discovery(mesh: Mesh) -> dict[str, str]:
    discovery = mesh.spec.discovery
    if discovery.multicast:
        return {
            "MESH_MULTICAST_IP": discovery.group,
            "MESH_MULTICAST_PORT": str(discovery.port),
            "MESH_MULTICAST_ENABLED": "true",
        }
    return {"MESH_MULTICAST_ENABLED": "false", "MESH_SEEDS": ",".join(mesh.seeds())}


def variables_text(values: Mapping[str, str]) -> str:
    """Return a file of variables, one a line, that systemd and shells read alike: no value here has a blank."""
    return "".join(f"{name}={value}\n" for name, value in values.items())


def gateway_service(mesh: Mesh, machine: str) -> HostService:
    """Return the gateway of a machine."""
    spec = mesh.spec
    linux = mesh.is_linux(machine)
    return HostService(
        name=GATEWAY,
        description="Adaptive Sentience Gateway",
        supervisor=Supervisor.SYSTEMD if linux else Supervisor.OTHER,
        command=gateway_command(mesh, machine),
        environment={"PATH": PATH},
        environment_files=(ENV,),
        secrets=_gateway_secrets(spec, mesh),
        expands=(_URL_VARIABLE,) if spec.shared_state else (),
        listens=_gateway_listens(mesh, machine),
        health=Health(path="/health", port=spec.port_of(machine)),
        memory_mib=spec.gateway_memory_mib,
        user=USER,
        folder=HOME,
        writable=(TRUST, *((spec.sync.spool_folder,) if spec.sync else ())),
        log_folder=mesh.audit_folder.removeprefix("/var/log/"),
        only_with=("localhost",) if mesh.development else (),
        network_online=True,
        tier=Tier.CHANNELS,
        role="gateway",
        stateful=True,
        storage_gib=round(spec.sync.spool_mib / 1024, 2) if spec.sync else 0,
        encrypted_in_transit=None if mesh.development else mesh.inside,
        endpoints=_outside(mesh),
        dev_token=mesh.development,
        trust=spec.trust.value,
    )


def _gateway_secrets(spec: AgentMeshSpec, mesh: Mesh) -> dict[str, str]:
    found = {_URL_VARIABLE: STATE_URL_SECRET} if spec.shared_state else {}
    if spec.capabilities.kind is TokenKind.SHARED and not mesh.development:
        found["MESH_CAPABILITY_TOKEN"] = TOKEN_SECRET
    return found


def _gateway_listens(mesh: Mesh, machine: str) -> tuple[Listen, ...]:
    spec = mesh.spec
    sources = () if mesh.development or (mesh.inside and spec.load_balancer) else mesh.hosts.lan_cidrs
    rows = [("http", spec.port_of(machine), "Agent Mesh Gateway")]
    rows += [("mcp", spec.mcp_port, "Agent Mesh MCP")] if spec.mcp else []
    return tuple(
        Listen(name=name, port=port, bind=mesh.bind, sources=sources, overlay=mesh.inside, comment=comment)
        for name, port, comment in rows
    )


def _outside(mesh: Mesh) -> tuple[EndpointFact, ...]:
    found = []
    if mesh.spec.sync is not None:
        host, _, port = mesh.spec.sync.upstream_url.split("/")[2].partition(":")
        why = "takes what the field kept"
        found.append(_egress("upstream", host, int(port or 443), "https", "internet", why))
    siem = mesh.spec.audit.siem
    if siem is not None:
        scope = "site" if siem.on_site else "internet"
        found.append(_egress("siem", siem.host, siem.port, "syslog-tls", scope, "takes audit lines"))
    return tuple(found)


def _egress(name: str, host: str, port: int, protocol: str, scope: str, why: str) -> EndpointFact:
    return EndpointFact(name=name, host=host, port=port, protocol=protocol, direction="egress", scope=scope, why=why)


def gateway_files(mesh: Mesh, machine: str) -> tuple[HostFile, ...]:
    """Return the files of a gateway: variables, identity, trust store and roles."""
    found = [_own(ENV, variables_text(gateway_variables(mesh, machine)), (GATEWAY_UNIT,), mode="0640")]
    if mesh.spec.trust is TrustMode.PKI:
        found.append(_secret(IDENTITY, IDENTITY_SECRET, (GATEWAY_UNIT,)))
        found.append(_secret(TRUST_STORE, TRUST_SECRET, (GATEWAY_UNIT,)))
    roles = mesh.spec.capabilities.roles
    if roles:
        document = {
            "schema": "skerry.mesh-roles/1",
            "roles": {
                name: {"tools": list(role.tools), "regions": list(role.regions), "minutes": role.minutes}
                for name, role in sorted(roles.items())
            },
        }
        found.append(_own(ROLES, json.dumps(document, indent=2, sort_keys=True) + "\n", (GATEWAY_UNIT,), mode="0640"))
    return tuple(found)


def _own(path: str, text: str, restarts: tuple[str, ...], mode: str) -> HostFile:
    return HostFile(path=path, text=text, mode=mode, owner="root", group=USER, restarts=restarts)


def _secret(path: str, secret: str, restarts: tuple[str, ...]) -> HostFile:
    return HostFile(path=path, secret=secret, mode="0600", owner=USER, group=USER, restarts=restarts)


def node_services(mesh: Mesh, machine: str, catalog: Catalog, target: TargetFact) -> tuple[HostService, ...]:
    """Return the nodes of a machine: a template of systemd, a container each, or what people start.

    Raises:
        CatalogError: an image's reference cannot be read.
    """
    nodes = mesh.spec.nodes[machine]
    if nodes.runtime is NodeRuntime.CONTAINER and nodes.image is not None:
        image = catalog.image(NODE, target, "runs tools", reference=nodes.image)
        return tuple(_contained(mesh, machine, port, image) for port in mesh.ports(machine))
    ports = mesh.ports(machine)
    return (
        HostService(
            name=NODE,
            description="Adaptive Sentience Edge Node %i",
            supervisor=Supervisor.SYSTEMD if mesh.is_linux(machine) else Supervisor.OTHER,
            command=(PYTHON, "node.py"),
            environment={"PATH": PATH, **_one(mesh, machine, "%i")},
            environment_files=(NODE_ENV,),
            secrets=_node_secrets(mesh),
            listens=(_node_listen(mesh, ports[0], ports[-1]),),
            health=Health(path="/health", port=ports[0]),
            memory_mib=nodes.memory_mib,
            user=NODE_USER,
            folder=NODE_FOLDER,
            instances=tuple(map(str, ports)),
            only_with=("localhost",) if mesh.development else (),
            network_online=True,
            role="edge-node",
            encrypted_in_transit=None if mesh.development else mesh.inside,
            trust=mesh.spec.trust.value,
        ),
    )


def _one(mesh: Mesh, machine: str, port: str) -> dict[str, str]:
    found = {"NODE_PORT": port, "NODE_ID": f"{machine}-{port}", "NODE_HOST": _node_bind(mesh)}
    return found | ({"MESH_BUNDLE": bundle_path(port)} if mesh.spec.trust is TrustMode.PKI else {})


def _node_bind(mesh: Mesh) -> str:
    return LOOPBACK if mesh.development else EVERY_ADDRESS


def _node_secrets(mesh: Mesh) -> dict[str, str]:
    shared = mesh.spec.capabilities.kind is TokenKind.SHARED and not mesh.development
    return {"MESH_CAPABILITY_TOKEN": TOKEN_SECRET} if shared else {}


def _node_listen(mesh: Mesh, first: int, last: int) -> Listen:
    return Listen(
        name="http",
        port=first,
        last=last if last > first else None,
        bind=_node_bind(mesh),
        sources=() if mesh.development or mesh.inside else mesh.hosts.lan_cidrs,
        overlay=mesh.inside,
        comment="Agent Mesh Edge Nodes",
    )


def _contained(mesh: Mesh, machine: str, port: int, image: ImageFact) -> HostService:
    nodes = mesh.spec.nodes[machine]
    variables = {**node_variables(mesh, machine, nodes), **_one(mesh, machine, str(port)), "NODE_HOST": EVERY_ADDRESS}
    mounts: tuple[Mount, ...] = ()
    if mesh.spec.trust is TrustMode.PKI:
        variables["MESH_BUNDLE"] = CONTAINER_BUNDLE
        mounts = (Mount(source=bundle_path(port), target=CONTAINER_BUNDLE, read_only=True),)
    return HostService(
        name=f"{NODE}-{port}",
        group="agent-mesh-nodes",
        supervisor=Supervisor.COMPOSE,
        image=image,
        environment=variables,
        secrets=_node_secrets(mesh),
        listens=(_node_listen(mesh, port, port),),
        health=Health(path="/health", port=port),
        memory_mib=nodes.memory_mib,
        mounts=mounts,
        user=CONTAINER_USER,
        # A bridge does not pass multicast of the local network.
        host_network=mesh.spec.discovery.multicast,
        role="edge-node",
        encrypted_in_transit=None if mesh.development else mesh.inside,
        trust=mesh.spec.trust.value,
    )


def node_files(mesh: Mesh, machine: str) -> tuple[HostFile, ...]:
    """Return the files of a machine's nodes on Linux: variables, and a bundle each."""
    nodes = mesh.spec.nodes[machine]
    contained = nodes.runtime is NodeRuntime.CONTAINER
    units = tuple(f"{NODE}@{port}.service" for port in mesh.ports(machine))
    found = []
    if not contained:
        found.append(_own(NODE_ENV, variables_text(node_variables(mesh, machine, nodes)), units, mode="0640"))
    if mesh.spec.trust is TrustMode.PKI:
        owner = CONTAINER_USER if contained else NODE_USER
        for port in mesh.ports(machine):
            restarts = () if contained else (f"{NODE}@{port}.service",)
            secret = bundle_secret(f"{machine}-{port}")
            found.append(
                HostFile(
                    path=bundle_path(port), secret=secret, mode="0600", owner=owner, group=owner, restarts=restarts
                )
            )
    return tuple(found)
