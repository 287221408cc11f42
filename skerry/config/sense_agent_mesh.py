"""What the parts of an agent mesh must be to each other, to its mode, and to its machines."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from typing import Final

from skerry.config.agent_mesh import AgentMeshSpec, NodeRuntime, TokenKind, TrustMode
from skerry.config.host import HostDelivery, HostOs, HostsSpec
from skerry.config.spec import DeploymentSpec, Mode
from skerry.errors import CatalogError, Problem
from skerry.images import ImageReference
from skerry.systems.agent_mesh_hardware import needs

MAX_LATENCY_MS: Final = 100
"""Between nodes, for workflows that wait for answers of several."""
MIN_BANDWIDTH_MBPS: Final = 1

_LINUX: Final = (HostOs.DEBIAN, HostOs.UBUNTU, HostOs.RASPBERRY_PI_OS, HostOs.WSL2)
_PACKAGED: Final = (HostOs.DEBIAN, HostOs.UBUNTU)
"""Where Valkey and nginx are packages that their renderers know."""

_Check = Callable[[DeploymentSpec, AgentMeshSpec, HostsSpec], Iterator[Problem]]


def mesh_problems(spec: DeploymentSpec) -> Iterator[Problem]:
    """Return what cannot be about the agent mesh; nothing for any other system."""
    mesh, hosts = spec.agent_mesh, spec.hosts
    if mesh is None or hosts is None:
        return
    absent = list(_names(mesh, hosts))
    yield from absent
    if not absent:
        for check in (_mode, _gateways, _trust, _ports, _nodes, _hardware, _discovery, _shared, _balancer, _network):
            yield from check(spec, mesh, hosts)


def _names(mesh: AgentMeshSpec, hosts: HostsSpec) -> Iterator[Problem]:
    named = {"gateways": mesh.gateways, "gateway_ports": tuple(mesh.gateway_ports), "nodes": tuple(mesh.nodes)}
    if mesh.shared_state is not None:
        named["shared_state.machines"] = mesh.shared_state.machines
    if mesh.load_balancer is not None:
        named["load_balancer.machines"] = mesh.load_balancer.machines
    known = ", ".join(hosts.machines)
    for field, names in named.items():
        path = f"agent_mesh.{field}"
        for name in names:
            if name not in hosts.machines:
                yield Problem(path, f"'{name}' is no machine: {known} are", "describe it in hosts.machines")
        if len(set(names)) < len(names):
            yield Problem(path, "names a machine twice", "name each once")
    for name in mesh.gateway_ports:
        if name in hosts.machines and name not in mesh.gateways:
            yield Problem("agent_mesh.gateway_ports", f"'{name}' runs no gateway", "name it in gateways")


def _mode(spec: DeploymentSpec, mesh: AgentMeshSpec, hosts: HostsSpec) -> Iterator[Problem]:
    mode = spec.mode
    if mode is Mode.DEVELOPMENT:
        yield from _development(spec, mesh, hosts)
    if mode is Mode.ENTERPRISE:
        yield from _enterprise(mesh, hosts)
    field = mode is Mode.FIELD
    if field != (mesh.sync is not None):
        text = "is required and missing" if field else f"has no meaning in mode {mode.value}"
        yield Problem(
            "agent_mesh.sync", text, "name the upstream, its country, spool and days" if field else "remove it"
        )
    alone = mode is Mode.AIR_GAPPED
    if alone != (mesh.media is not None):
        text = "is required and missing" if alone else f"has no meaning in mode {mode.value}"
        yield Problem("agent_mesh.media", text, "name the medium's path and signer" if alone else "remove it")
    siem = mesh.audit.siem
    if alone and siem is not None and not siem.on_site:
        text = "is not on the site, which has no connection"
        yield Problem("agent_mesh.audit.siem", text, "name a collector of the site, or take a diode")
    diode = mesh.media.diode if mesh.media else None
    if diode is not None and siem is not None:
        text = "a diode and a collector are both named"
        yield Problem("agent_mesh.audit.siem", text, "remove one: through a diode the audit log goes as files")


def _development(spec: DeploymentSpec, mesh: AgentMeshSpec, hosts: HostsSpec) -> Iterator[Problem]:
    if spec.production:
        text = "development has a token that everybody knows, and cannot be production"
        yield Problem("mode", text, "use mode: small-team")
    if len(hosts.machines) != 1:
        text = f"development has one machine, and {len(hosts.machines)} are described"
        yield Problem("hosts.machines", text, "keep one, or use mode: small-team")
    if mesh.trust is TrustMode.PKI:
        yield Problem("agent_mesh.trust", "development is on one machine, and trusts it", "use trust: tofu")


def _enterprise(mesh: AgentMeshSpec, hosts: HostsSpec) -> Iterator[Problem]:
    wanted = (
        ("gateways", len(mesh.gateways) >= 2, "one gateway is no redundancy", "name two machines"),
        ("trust", mesh.trust is TrustMode.PKI, "trust on first use is open to who stands between", "use trust: pki"),
        (
            "capabilities.kind",
            mesh.capabilities.kind is TokenKind.ROLES,
            "one token for all says nothing of who may do what",
            "use kind: roles",
        ),
        ("audit.siem", mesh.audit.siem is not None, "is required in mode enterprise", "name the collector"),
        ("load_balancer", mesh.load_balancer is not None, "is required in mode enterprise", "name its machines"),
        ("regions", len(mesh.regions) >= 2, "fewer than two are named", "name two, each with nodes"),
    )
    for field, holds, text, remedy in wanted:
        if not holds:
            yield Problem(f"agent_mesh.{field}", text, remedy)
    for region in mesh.regions:
        if all(nodes.region != region for nodes in mesh.nodes.values()):
            yield Problem("agent_mesh.regions", f"no node stands in '{region}'", "name a node's region")
    domains = [hosts.machines[name].failure_domain for name in mesh.gateways]
    if None in domains or len(set(domains)) < min(2, len(domains)):
        text = "gateways do not stand in two failure domains"
        yield Problem("agent_mesh.gateways", text, "name failure_domain of their machines, two of them at least")


def _gateways(spec: DeploymentSpec, mesh: AgentMeshSpec, hosts: HostsSpec) -> Iterator[Problem]:
    if len(mesh.gateways) > 1 and mesh.trust is TrustMode.TOFU:
        text = "each gateway would trust the nodes that it met itself, and no others"
        yield Problem("agent_mesh.trust", text, "use trust: pki, whose trust store all gateways get, or one gateway")
    if len(mesh.gateways) > 1 and mesh.shared_state is None:
        text = "several gateways share what they know, and nothing is named"
        yield Problem("agent_mesh.shared_state", text, "name three machines")
    for name in mesh.gateways:
        system = hosts.machines[name].os
        if system in (HostOs.IOS, HostOs.WINDOWS):
            text = f"'{name}' is {system.value}, which runs no gateway"
            yield Problem("agent_mesh.gateways", text, "use Linux (WSL2 on Windows), macOS or Android")
        if system is HostOs.UBUNTU and mesh.media is not None and mesh.media.diode is not None:
            text = f"'{name}' is ubuntu, whose rsyslog may not write a diode's folder"
            yield Problem("agent_mesh.gateways", text, "use Debian, or leave the diode out")
        if system not in _LINUX and (len(mesh.gateways) > 1 or mesh.audit.siem or mesh.media):
            text = f"'{name}' is {system.value}: what it shares, forwards or is updated by needs Linux"
            yield Problem("agent_mesh.gateways", text, "use a Linux machine")


def _trust(spec: DeploymentSpec, mesh: AgentMeshSpec, hosts: HostsSpec) -> Iterator[Problem]:
    apart = (Mode.DEVELOPMENT, Mode.SMALL_TEAM)
    if mesh.trust is TrustMode.TOFU and (spec.production or spec.mode not in apart):
        where = "in production" if spec.production else f"in mode {spec.mode.value}"
        text = f"trust on first use {where} is open to whoever stands between at the first meeting"
        yield Problem("agent_mesh.trust", text, "use trust: pki")
    roles = mesh.capabilities.kind is TokenKind.ROLES
    if roles != bool(mesh.capabilities.roles):
        text = "are required for kind: roles" if roles else "have no meaning where one token is shared"
        yield Problem("agent_mesh.capabilities.roles", text, "name each with its tools" if roles else "remove them")
    for name, role in mesh.capabilities.roles.items():
        for region in role.regions:
            if region not in mesh.regions:
                text = f"'{region}' is no region: {', '.join(mesh.regions) or 'none is named'}"
                yield Problem(f"agent_mesh.capabilities.roles.{name}.regions", text, "name it in regions")


def _ports(spec: DeploymentSpec, mesh: AgentMeshSpec, hosts: HostsSpec) -> Iterator[Problem]:
    room = mesh.last_port - mesh.first_port + 1
    if room < 1:
        text = f"{mesh.last_port} is before the first, {mesh.first_port}"
        yield Problem("agent_mesh.last_port", text, "use one after it")
        return
    for name, nodes in mesh.nodes.items():
        if nodes.count > room:
            text = f"{nodes.count} nodes, and ports {mesh.first_port} to {mesh.last_port} are {room}"
            yield Problem(f"agent_mesh.nodes.{name}.count", text, "raise last_port, or use more machines")


def _nodes(spec: DeploymentSpec, mesh: AgentMeshSpec, hosts: HostsSpec) -> Iterator[Problem]:
    if not mesh.nodes:
        yield Problem("agent_mesh.nodes", "no node runs tools", "name a machine with its nodes")
    for name, nodes in mesh.nodes.items():
        path = f"agent_mesh.nodes.{name}"
        contained = nodes.runtime is NodeRuntime.CONTAINER
        if contained != (nodes.image is not None):
            text = "is required for a container" if contained else "has no meaning outside a container"
            yield Problem(f"{path}.image", text, "name the image of a node" if contained else "remove it")
        if nodes.image is not None:
            try:
                ImageReference.parse(nodes.image)
            except CatalogError as exc:
                yield Problem(f"{path}.image", str(exc))
        if contained and hosts.machines[name].os not in _LINUX:
            text = f"'{name}' is {hosts.machines[name].os.value}, where no container is rendered"
            yield Problem(f"{path}.runtime", text, "use runtime: systemd, which there is what the system has")
        if nodes.region is not None and nodes.region not in mesh.regions:
            named = ", ".join(mesh.regions) or "none is named"
            yield Problem(f"{path}.region", f"'{nodes.region}' is no region: {named}", "name it in regions")


def _hardware(spec: DeploymentSpec, mesh: AgentMeshSpec, hosts: HostsSpec) -> Iterator[Problem]:
    for name, machine in hosts.machines.items():
        for whom, hardware in needs(mesh, name, machine):
            if hardware is not None and (lacks := hardware.lacks(machine)):
                text = f"a {whom} needs more than it has: {lacks}"
                yield Problem(f"hosts.machines.{name}", text, "use a larger machine")


def _discovery(spec: DeploymentSpec, mesh: AgentMeshSpec, hosts: HostsSpec) -> Iterator[Problem]:
    for index, seed in enumerate(mesh.discovery.seeds):
        _, joint, port = seed.rpartition(":")
        if not joint or not port.isdigit() or not 0 < int(port) < 65536:
            yield Problem(f"agent_mesh.discovery.seeds[{index}]", f"'{seed}' is no host:port", "write 10.0.0.1:8787")
    if not mesh.discovery.multicast:
        return
    path, remedy = "agent_mesh.discovery.multicast", "use multicast: false, by which all know a list of addresses"
    rented = [name for name, row in hosts.machines.items() if row.delivery is HostDelivery.CLOUD_INIT]
    if rented:
        yield Problem(path, f"networks of clouds carry no multicast, and {', '.join(rented)} are rented", remedy)
    if spec.mode is Mode.DEVELOPMENT:
        yield Problem(path, "development leaves its machine by nothing, and multicast does", remedy)
    if len(mesh.regions) > 1:
        yield Problem(path, "multicast ends at the router, and there are several regions", remedy)


def _shared(spec: DeploymentSpec, mesh: AgentMeshSpec, hosts: HostsSpec) -> Iterator[Problem]:
    shared = mesh.shared_state
    if shared is None:
        return
    path = "agent_mesh.shared_state"
    if len(mesh.gateways) < 2:
        yield Problem(path, "one gateway shares nothing", "remove it, or name a second gateway")
    if len(shared.machines) % 2 == 0:
        text = f"{len(shared.machines)} machines have no majority when halves part"
        yield Problem(f"{path}.machines", text, "name three, five or seven")
    domains = {hosts.machines[name].failure_domain or name for name in shared.machines}
    if len(domains) < 2:
        yield Problem(f"{path}.machines", "all stand in one failure domain", "spread them")
    yield from _packaged(f"{path}.machines", shared.machines, hosts)
    for name in dict.fromkeys((*shared.machines, *mesh.gateways)):
        row = hosts.machines[name]
        if row.overlay is None and not _is_address(row.address):
            text = f"'{name}' is known by a name, and its shared store goes by addresses"
            yield Problem(f"{path}.machines", text, "give its IP address in hosts.machines, or a place in the overlay")
    if shared.port + 20_000 > 65_535:
        yield Problem(f"{path}.port", f"{shared.port} leaves no port 20000 higher for Sentinels", "use 6379")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _balancer(spec: DeploymentSpec, mesh: AgentMeshSpec, hosts: HostsSpec) -> Iterator[Problem]:
    if mesh.load_balancer is not None:
        yield from _packaged("agent_mesh.load_balancer.machines", mesh.load_balancer.machines, hosts)


def _packaged(path: str, names: tuple[str, ...], hosts: HostsSpec) -> Iterator[Problem]:
    for name in names:
        system = hosts.machines[name].os
        if system not in _PACKAGED:
            yield Problem(path, f"'{name}' is {system.value}", "use a machine with Debian or Ubuntu")


def _network(spec: DeploymentSpec, mesh: AgentMeshSpec, hosts: HostsSpec) -> Iterator[Problem]:
    latency, bandwidth = mesh.network.latency_ms, mesh.network.bandwidth_mbps
    if mesh.network.real_time and latency is not None and latency >= MAX_LATENCY_MS:
        text = f"{latency:g} ms, and workflows in real time need less than {MAX_LATENCY_MS}"
        yield Problem("agent_mesh.network.latency_ms", text, "set real_time: false, or move nodes together")
    if bandwidth is not None and bandwidth < MIN_BANDWIDTH_MBPS:
        text = f"{bandwidth:g} Mbps, and {MIN_BANDWIDTH_MBPS} is the least"
        yield Problem("agent_mesh.network.bandwidth_mbps", text, "use a faster link")
