"""The machines of an agent mesh, from its configuration: gateways, nodes, what they share, and the way to them."""

from __future__ import annotations

from skerry.catalog import Catalog
from skerry.config.agent_mesh import NodeRuntime
from skerry.config.host import HostSpec
from skerry.config.spec import DeploymentSpec
from skerry.facts import TargetFact, Tier
from skerry.hosts.plan import EVERY_ADDRESS, HostFolder, HostsPlan, HostUser, Listen, Machine
from skerry.systems.agent_mesh_audit import (
    audit_files,
    audit_folders,
    audit_logs,
    audit_packages,
    audit_setup,
    audit_timers,
    backups,
)
from skerry.systems.agent_mesh_elsewhere import files_elsewhere
from skerry.systems.agent_mesh_install import INSTALL, carried, install_files, install_packages
from skerry.systems.agent_mesh_papers import papers
from skerry.systems.agent_mesh_places import CONFIG, HOME, KEYS, NODE_KEYS, NODE_USER, TRUST, USER, Mesh
from skerry.systems.agent_mesh_services import gateway_files, gateway_service, node_files, node_services
from skerry.systems.agent_mesh_state import (
    balancer,
    state_backups,
    state_files,
    state_packages,
    state_proxy,
    state_services,
    state_setup,
    state_sysctl,
    state_users,
    tls_files,
)


def agent_mesh_plan(spec: DeploymentSpec, catalog: Catalog) -> HostsPlan:
    """Return what stands on each machine.

    Args:
        spec: the configuration.
        catalog: the pins.

    Raises:
        CatalogError: an image's reference cannot be read.
        UsageError: the deployment has no mesh.
    """
    from skerry.hosts.plans import hosts_target

    mesh, target = Mesh.of(spec), hosts_target(spec)
    machines = tuple(_machine(mesh, name, row, catalog, target) for name, row in mesh.hosts.machines.items())
    return HostsPlan(machines=machines, overlay=mesh.hosts.overlay, artifacts=papers(mesh))


def _machine(mesh: Mesh, name: str, row: HostSpec, catalog: Catalog, target: TargetFact) -> Machine:
    gateway, nodes = name in mesh.spec.gateways, name in mesh.spec.nodes
    services = ((gateway_service(mesh, name),) if gateway else ()) + (
        node_services(mesh, name, catalog, target) if nodes else ()
    )
    tier = Tier.EXECUTION if nodes and not gateway else Tier.CHANNELS if gateway else Tier.PLATFORM
    if not mesh.is_linux(name):
        return Machine(name=name, spec=row, services=services, files=files_elsewhere(mesh, name), tier=tier)
    runs = gateway or (nodes and mesh.spec.nodes[name].runtime is NodeRuntime.SYSTEMD)
    return Machine(
        name=name,
        spec=row,
        # A gateway calls the store as soon as it starts.
        services=state_services(mesh, name) + services,
        proxies=balancer(mesh, name) + state_proxy(mesh, name),
        files=(
            *(install_files(mesh) if runs else ()),
            *(gateway_files(mesh, name) if gateway else ()),
            *(node_files(mesh, name) if nodes else ()),
            *tls_files(mesh, name),
            *state_files(mesh, name),
            *audit_files(mesh, name),
        ),
        users=(*(_users(nodes=nodes) if runs else ()), *state_users(mesh, name)),
        folders=(
            *(_folders(gateway=gateway, nodes=nodes) if runs else ()),
            *audit_folders(mesh, name),
            *_spool(mesh, gateway),
        ),
        backups=backups(mesh, name) + state_backups(mesh, name),
        logs=audit_logs(mesh, name),
        timers=audit_timers(mesh, name),
        opens=_discovery(mesh) if gateway or nodes else (),
        packages=tuple(
            dict.fromkeys(
                (
                    *(install_packages(mesh) if runs else ()),
                    *state_packages(mesh, name),
                    *audit_packages(mesh, name),
                )
            )
        ),
        sysctl=state_sysctl(mesh, name),
        setup=(*(((INSTALL,),) if runs else ()), *state_setup(mesh, name), *audit_setup(mesh, name)),
        carries=carried(mesh) if runs else (),
        tier=tier,
    )


def _users(*, nodes: bool) -> tuple[HostUser, ...]:
    node = (HostUser(name=NODE_USER, home=HOME, groups=(USER,)),) if nodes else ()
    return (HostUser(name=USER, home=HOME), *node)


def _folders(*, gateway: bool, nodes: bool) -> tuple[HostFolder, ...]:
    rows = [(HOME, "root", "0750"), (KEYS, USER, "0700"), (CONFIG, "root", "0750")]
    rows += [(TRUST, USER, "0700")] if gateway else []
    rows += [(NODE_KEYS, NODE_USER, "0700")] if nodes else []
    return tuple(HostFolder(path=path, owner=owner, group=USER, mode=mode) for path, owner, mode in rows)


def _spool(mesh: Mesh, gateway: bool) -> tuple[HostFolder, ...]:
    if not gateway or mesh.spec.sync is None:
        return ()
    return (HostFolder(path=mesh.spec.sync.spool_folder, owner=USER, group=USER, mode="0700"),)


def _discovery(mesh: Mesh) -> tuple[Listen, ...]:
    """Return the port of multicast: of the machine, since all gateways and nodes on it share it."""
    discovery = mesh.spec.discovery
    if not discovery.multicast:
        return ()
    return (
        Listen(
            name="discovery",
            port=discovery.port,
            protocol="udp",
            scheme="multicast",
            bind=EVERY_ADDRESS,
            sources=mesh.hosts.lan_cidrs,
            comment="Agent Mesh Discovery",
        ),
    )
