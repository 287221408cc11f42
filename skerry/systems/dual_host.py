"""The dual host: every agent of the two machines' groups as a service, what joins the machines, and what watches them.

(1) a group is a file of the machine's one Compose project; `depends_on` follows the order of `dual_host_order`
(2) ports are published on loopback, but for those that the other machine calls: on the overlay's address
(3) nothing orders starts across machines: who calls the other machine asks until it is well
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from skerry.catalog import Catalog
from skerry.config.dual_host import DualHostSpec
from skerry.config.host import HostsSpec
from skerry.config.spec import DeploymentSpec
from skerry.facts import EndpointFact, ImageFact, Tier
from skerry.hosts.plan import (
    DOCKER_FOLDER,
    EVERY_ADDRESS,
    LOOPBACK,
    Health,
    HostBackup,
    HostFile,
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
from skerry.systems import dual_host_artifacts as artifacts
from skerry.systems import dual_host_watch as watch
from skerry.systems.dual_host_gpu import Gpu, gpu_of, part_of
from skerry.systems.dual_host_groups import Agent, Group, Side, own_reference, sides_of
from skerry.systems.dual_host_order import Order, order_of
from skerry.systems.dual_host_tables import settings

WEB_AGENT: Final = "unified-web-agent"
TLS_FOLDER: Final = "/etc/skerry/tls"
DOCKER_CONFIG: Final = f"{DOCKER_FOLDER}/config.json"
"""What Docker's command, run as root, knows of registries."""

_TIERS: Final = {
    "infra_core": Tier.PLATFORM,
    "observability": Tier.PLATFORM,
    "memory_stack": Tier.META,
    "web_interface": Tier.CHANNELS,
}
"""Groups that are not simply where work is done; those with a part of the GPU are the cognitive tier."""


@dataclass(frozen=True, slots=True)
class _Context:
    """What the services of one machine have in common."""

    dual: DualHostSpec
    side: Side
    other: Side
    order: Order
    gpu: Gpu | None
    images: Mapping[str, ImageFact]
    binds: Mapping[str, str]
    """Agent -> the address that it is published on."""
    address: str
    """Of this machine in the overlay; so with the next."""
    other_address: str


def dual_host_plan(spec: DeploymentSpec, catalog: Catalog) -> HostsPlan:
    """Return what stands on each machine.

    Args:
        spec: the configuration, checked by skerry/config/sense_dual_host.py.
        catalog: the pins.

    Raises:
        CatalogError: a pin is missing.
    """
    dual, hosts, sides = spec.dual_host, spec.hosts, sides_of(spec)
    if dual is None or hosts is None or not sides:
        return HostsPlan(machines=())
    orders = tuple(order_of(side, dual.start_order) for side in sides)
    gpus = tuple(gpu_of(side, dual.gpu) for side in sides)
    images = _images(spec, catalog, dual, sides)
    contexts = [
        _Context(dual, side, sides[1 - at], orders[at], gpus[at], images, _binds(side), _inside(side),
                 _inside(sides[1 - at]))
        for at, side in enumerate(sides)
    ]  # fmt: skip
    written = {
        **artifacts.workflow_files(dual, sides),
        artifacts.PROBE_PATH: watch.probe_text(),
        artifacts.LOAD_PATH: artifacts.load_program(),
        artifacts.PLAN_PATH: artifacts.load_plan(dual, sides[0], contexts[0].binds),
        artifacts.ALERTS_PATH: watch.alerts_text(dual.health),
        artifacts.DECISIONS_PATH: artifacts.decisions(sides, orders, gpus),
    }
    return HostsPlan(
        machines=tuple(_machine(context, hosts) for context in contexts), overlay=hosts.overlay, artifacts=written
    )


def _images(
    spec: DeploymentSpec, catalog: Catalog, dual: DualHostSpec, sides: tuple[Side, ...]
) -> dict[str, ImageFact]:
    """Return each agent's image; no manifest of Kubernetes carries it, so that rules read it here."""
    target, found = hosts_target(spec), {}
    for side in sides:
        for agent in side.agents:
            reference = agent.spec.image or dual.images.stand_in or own_reference(dual, agent)
            why = f"agent {agent.title} of group {agent.group}"
            fact = catalog.image(agent.name, target, why, reference=reference)
            found[f"{side.side}/{agent.name}"] = fact
    return found


def _inside(side: Side) -> str:
    peer = side.host.overlay
    return peer.address if peer is not None else LOOPBACK


def _binds(side: Side) -> dict[str, str]:
    """(2)."""
    numbers = settings()
    called = {getattr(numbers.grpc, side.side), getattr(numbers.hub, side.side)}
    return {agent.name: _inside(side) if agent.name in called else LOOPBACK for agent in side.agents}


def _grpc_port() -> int:
    """Return the last port of the range but one: the last is the web interface's."""
    return settings().range("services").last - 1


def _machine(context: _Context, hosts: HostsSpec) -> Machine:
    dual, side, gpu = context.dual, context.side, context.gpu
    services = tuple(_service(context, group, agent) for group in side.groups for agent in group.agents)
    hub = next(agent for agent in side.agents if agent.name == getattr(settings().hub, side.side))
    files = [
        watch.probe_file(),
        watch.targets_file(side, context.address, hub),
        HostFile(path=watch.ALERTS_PATH, text=watch.alerts_text(dual.health)),
    ]
    setup: tuple[tuple[str, ...], ...] = ()
    if gpu is not None and any(agent.gpu_percent for agent in side.agents):
        files.append(watch.preflight_file(side, gpu))
        setup = (watch.preflight_command(side, gpu, wsl2=dual.gpu.mps_on_wsl2),)
    if dual.images.pull_secret is not None:
        files.append(HostFile(path=DOCKER_CONFIG, secret=dual.images.pull_secret, mode="0600"))
    proxies, tls = _web(context, hosts)
    watcher = watch.watch_service(side, context.address, dual.health, dict(context.binds))
    return Machine(
        name=side.machine,
        spec=side.host,
        services=(*services, watcher),
        proxies=proxies,
        files=(*files, *tls),
        users=(watch.watch_user(),),
        backups=_backups(context, hosts),
        opens=(*_ranges(), *_overlay_port(context, hosts)),
        packages=("python3", *(("nvidia-container-toolkit",) if setup else ())),
        setup=setup,
    )


def _service(context: _Context, group: Group, agent: Agent) -> HostService:
    dual, side, said = context.dual, context.side, agent.spec
    part = part_of(side, context.gpu, group, agent)
    overlay = context.binds[agent.name] != LOOPBACK
    mounts = [Mount(source=watch.PROBE_PATH, target=watch.PROBE_PATH, read_only=True)]
    if agent.name == getattr(settings().hub, side.side):
        mounts += [Mount(source=path, target=path, read_only=True) for path in (watch.TARGETS_PATH, watch.ALERTS_PATH)]
    if said.data_path is not None:
        mounts.append(Mount(source=agent.name, target=said.data_path))
    return HostService(
        name=agent.name,
        group=group.name,
        supervisor=Supervisor.COMPOSE,
        image=context.images[f"{side.side}/{agent.name}"],
        command=said.command,
        environment=_environment(context, group, agent),
        secrets=said.secrets,
        listens=_listens(context, agent),
        needs=context.order.agents[agent.name],
        waits_for=_waits(context, agent),
        health=_health(dual, group, agent),
        memory_mib=agent.memory_mib,
        cpus=agent.vcpus,
        cpu_shares=agent.cpu_shares,
        gpu=part,
        mounts=tuple(mounts),
        user=f"{dual.gpu.user}:{dual.gpu.user}" if part is not None else "",
        writable=said.scratch,
        tier=_TIERS.get(group.name, Tier.COGNITIVE if group.gpu_percent else Tier.EXECUTION),
        role="agent",
        stateful=said.data_path is not None,
        storage_gib=said.data_gib if said.data_path is not None else 0,
        encrypted_in_transit=True if overlay else None,
        endpoints=_endpoints(context, agent),
    )


def _environment(context: _Context, group: Group, agent: Agent) -> dict[str, str]:
    numbers, side = settings(), context.side
    names = {one.name: one.port for one in side.agents}
    found = {
        "PORT": str(agent.port),
        "SERVICE_NAME": f"{side.machine}-{agent.name}",
        "SERVICE_GROUP": group.name,
        "HOST_NAME": side.machine,
    }
    for other in ("service-registry", getattr(numbers.hub, side.side)):
        if other in names and other != agent.name:
            found[f"{other.upper().replace('-', '_')}_URL"] = f"http://{other}:{names[other]}"
    if agent.name == getattr(numbers.grpc, side.side):
        peer = getattr(numbers.grpc, context.other.side)
        found["GRPC_PORT"] = str(_grpc_port())
        found[f"{peer.upper().replace('-', '_')}_ADDRESS"] = f"{context.other_address}:{_grpc_port()}"
    if agent.name == getattr(numbers.hub, side.side):
        found["METRICS_PORT"] = str(watch.hub_metrics_port())
        found["METRICS_TARGETS_FILE"], found["ALERTS_FILE"] = watch.TARGETS_PATH, watch.ALERTS_PATH
        if side.side == "second" and context.dual.observability_sync:
            found[numbers.hub_variable.name] = _url(context, numbers.hub.main)
    if context.dual.images.stand_in is not None and agent.spec.image is None:
        found["STAND_IN_FOR"] = agent.title
    return {**found, **agent.spec.environment}


def _url(context: _Context, agent: str) -> str:
    """Return the URL of an agent of the other machine."""
    port = next(one.port for one in context.other.agents if one.name == agent)
    return f"http://{context.other_address}:{port}"


def _listens(context: _Context, agent: Agent) -> tuple[Listen, ...]:
    bind = context.binds[agent.name]
    over = bind != LOOPBACK
    found = [Listen(name="http", port=agent.port, bind=bind, overlay=over, comment=f"{agent.title}")]
    if agent.name == getattr(settings().grpc, context.side.side):
        found.append(
            Listen(
                name="grpc",
                port=_grpc_port(),
                scheme="grpc",
                bind=bind,
                overlay=over,
                comment=f"{agent.title}, for the other machine",
            )
        )
    if agent.name == getattr(settings().hub, context.side.side):
        found.append(
            Listen(
                name="metrics",
                port=watch.hub_metrics_port(),
                bind=bind,
                overlay=over,
                comment=f"{agent.title}, for Prometheus",
            )
        )
    return tuple(found)


def _waits(context: _Context, agent: Agent) -> tuple[str, ...]:
    """(3): the second machine calls the main one, and never the other way, so that neither waits for ever."""
    numbers = settings()
    if context.side.side == "second" and agent.name == numbers.grpc.second:
        return (f"{_url(context, numbers.grpc.main)}{context.dual.health.path}",)
    return ()


def _endpoints(context: _Context, agent: Agent) -> tuple[EndpointFact, ...]:
    numbers, found = settings(), []
    if agent.name == getattr(numbers.grpc, context.side.side):
        found.append((getattr(numbers.grpc, context.other.side), _grpc_port(), "grpc"))
    if context.side.side == "second" and agent.name == numbers.hub.second and context.dual.observability_sync:
        port = next(one.port for one in context.other.agents if one.name == numbers.hub.main)
        found.append((numbers.hub.main, port, "http"))
    return tuple(
        EndpointFact(
            name=f"{context.other.machine}-{name}",
            host=context.other_address,
            port=port,
            protocol=protocol,
            direction="egress",
            scope="site",
            why=f"{agent.title} calls it through the overlay",
        )
        for name, port, protocol in found
    )


def _health(dual: DualHostSpec, group: Group, agent: Agent) -> Health:
    asked = dual.health
    command = ("python3", "-I", watch.PROBE_PATH, "--json", "--timeout", str(asked.timeout_s))
    url = f"http://{LOOPBACK}:{agent.port}{asked.path}"
    usual = asked.gpu_start_period_s if agent.gpu_percent else asked.start_period_s
    said = group.spec.start_period_s
    return Health(
        path=asked.path,
        port=agent.port,
        command=agent.spec.health_command or (*command, url),
        interval_s=asked.interval_s,
        timeout_s=asked.timeout_s,
        retries=asked.retries,
        start_period_s=usual if said is None else said,
    )


def _ranges() -> tuple[Listen, ...]:
    return tuple(
        Listen(
            name=row.name,
            port=row.first,
            last=row.last,
            bind=EVERY_ADDRESS,
            overlay=True,
            comment=f"the range of {row.name}, for machines of the overlay",
        )
        for row in settings().ports
    )


def _overlay_port(context: _Context, hosts: HostsSpec) -> tuple[Listen, ...]:
    if hosts.overlay is None:
        return ()
    row = Listen(
        name="overlay",
        port=hosts.overlay.port,
        protocol="udp",
        scheme="wireguard",
        bind=EVERY_ADDRESS,
        sources=_addresses(context.other, hosts),
        comment=f"the overlay {hosts.overlay.name}",
    )
    return (row,)


def _addresses(other: Side, hosts: HostsSpec) -> tuple[str, ...]:
    """Return the other machine's address as a range; where it is a name, the local network's."""
    address = other.host.address
    if all(part.isdigit() for part in address.split(".")):
        return (f"{address}/32",)
    return (f"{address}/128",) if ":" in address else hosts.lan_cidrs


def _web(context: _Context, hosts: HostsSpec) -> tuple[tuple[Proxy, ...], tuple[HostFile, ...]]:
    web, port = context.dual.web, {agent.name: agent.port for agent in context.side.agents}.get(WEB_AGENT)
    if web is None or context.side.side != "second" or port is None:
        return (), ()
    certificate, key = f"{TLS_FOLDER}/web.crt", f"{TLS_FOLDER}/web.key"
    proxy = Proxy(
        name="web",
        kind="nginx",
        listen=Listen(
            name="https",
            port=settings().range("services").last,
            scheme="https",
            bind=EVERY_ADDRESS,
            sources=hosts.lan_cidrs,
            overlay=True,
            comment="the web interface, for the local network",
        ),
        members=(Member(name=WEB_AGENT, address=LOOPBACK, port=port),),
        health_path=context.dual.health.path,
        tls=ProxyTls(certificate=certificate, key=key),
    )
    files = (
        HostFile(path=certificate, secret=web.certificate_secret, mode="0644"),
        HostFile(path=key, secret=web.key_secret, mode="0600"),
    )
    return (proxy,), files


def _backups(context: _Context, hosts: HostsSpec) -> tuple[HostBackup, ...]:
    kept = [agent.name for agent in context.side.agents if agent.spec.data_path is not None]
    if hosts.backup is None or not kept:
        return ()
    project = context.side.machine
    paths = tuple(f"/var/lib/docker/volumes/{project}_{name}/_data" for name in kept)
    return (HostBackup(name="dual-host", paths=paths),)
