"""What the fields of the execution tier must be to each other: queues, machines, small models, databases."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from skerry.address_plan import aks_ranges, gke_ranges
from skerry.catalog import load_catalog
from skerry.config.autoscale import AutoscaleSpec
from skerry.config.data_access import PORTS, DataEndpointSpec, DataRoute
from skerry.config.pools import type_of
from skerry.config.spec import DeploymentSpec, SmallModelPlacement, TargetKind
from skerry.errors import CatalogError, ConfigError, Problem, SizingError
from skerry.node_room import room
from skerry.small_models import gguf_fit, gpu_fit, is_gguf

MEMORY_GIB: Final = (32, 64)
"""Memory of an execution node, from the Sensei deployment architecture: 32-64 GB."""

SMALL_NODES: Final = (1, 8)
"""GPU machines for small models: the address plans of GKE and AKS have room for so many beside the tiers'."""

AGENTS_PER_MACHINE: Final = 2
"""Worker and Validator agents beside a worker of Ray on each machine; `skerry.node_room` leaves room for them."""

FAMILIES: Final[Mapping[TargetKind, tuple[str, str]]] = {
    TargetKind.AWS: (r"^[cm][4-9]", "c5, c6, c7 or m5, m6, m7"),
    TargetKind.GCP: (r"^(c[2-9]|n[12]|n2d|c2d|c3d|n4|t2d)-(standard|highcpu)", "c2, c3, n2 or n4, standard or highcpu"),
    TargetKind.AZURE: (r"^Standard_[DF]\d", "F or D"),
}
"""Cloud -> pattern and words of the families for CPU work: compute-optimised, or general where the memory asks for it.

Source: the Sensei deployment architecture (c5, c6 or equivalent); the names in skerry/data/instances.csv.
"""

_PRIVATE: Final = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
"""Ranges that no route of the internet leads to. Source: RFC 1918 and RFC 6598 (not opened)."""

_PEERS: Final[Mapping[TargetKind, tuple[str, str]]] = {
    TargetKind.AWS: (r"^vpc-[0-9a-f]{8,17}$", "vpc-0123456789abcdef0"),
    TargetKind.GCP: (r"^projects/[a-z0-9-]+/global/networks/[a-z0-9-]+$", "projects/theirs/global/networks/data"),
    TargetKind.AZURE: (
        r"^/subscriptions/[0-9a-f-]{36}/resourceGroups/[^/]+/providers/Microsoft\.Network/virtualNetworks/[^/]+$",
        "the VNet's id",
    ),
}
_SERVICES: Final[Mapping[TargetKind, tuple[str, str]]] = {
    TargetKind.AWS: (r"^com\.amazonaws\.(vpce\.)?[a-z0-9.-]+$", "com.amazonaws.vpce.eu-central-1.vpce-svc-..."),
    TargetKind.GCP: (
        r"^projects/[a-z0-9-]+/regions/[a-z0-9-]+/serviceAttachments/[a-z0-9-]+$",
        "projects/theirs/regions/europe-west3/serviceAttachments/orders",
    ),
    TargetKind.AZURE: (r"^/subscriptions/[0-9a-f-]{36}/resourceGroups/[^/]+/providers/.+$", "the resource's id"),
}


def execution_problems(spec: DeploymentSpec) -> Iterator[Problem]:
    """Yield everything that cannot be in the execution tier."""
    for check in CHECKS:
        yield from check(spec)


def _queues(spec: DeploymentSpec) -> Iterator[Problem]:
    execution, most = spec.execution, 0
    queues: dict[str, str] = {}
    for kind, agent in (("worker", execution.worker), ("validator", execution.validator)):
        scale = agent.autoscale
        most += agent.replicas if scale is None else scale.maximum
        if scale is None:
            continue
        yield from _bounds(f"execution.{kind}.autoscale", scale)
        queue = scale.task_queue or kind
        if queue in queues:
            text = f"'{queue}' is that of the {queues[queue]} agents too, so that both would follow each other's work"
            yield Problem(f"execution.{kind}.autoscale.task_queue", text, "name a queue of its own")
        queues[queue] = kind
    room_for = AGENTS_PER_MACHINE * execution.pool.maximum
    if queues and most > room_for:
        text = f"{most} agents at most, but {execution.pool.maximum} machines have room for {room_for} beside Ray"
        yield Problem("execution.worker.autoscale.maximum", text, "lower the maxima, or allow more machines")


def _bounds(path: str, scale: AutoscaleSpec) -> Iterator[Problem]:
    if not scale.minimum <= scale.expected <= scale.maximum:
        text = f"{scale.minimum} <= {scale.expected} <= {scale.maximum} does not hold"
        yield Problem(path, text, "order minimum, typical and maximum")
    if scale.fallback_replicas is not None and not scale.minimum <= scale.fallback_replicas <= scale.maximum:
        text = f"{scale.fallback_replicas} is outside {scale.minimum} to {scale.maximum}"
        yield Problem(f"{path}.fallback_replicas", text, "stay inside")


def _machine(spec: DeploymentSpec) -> Iterator[Problem]:
    """Check the machine that the tier really gets: the catalogue's may be larger than what is asked."""
    machine, kind = spec.execution.pool.machine, spec.target.kind
    if machine.gpus:
        yield Problem("execution.pool.machine.gpus", f"{machine.gpus} GPUs on CPU machines", "use small_pool for them")
    vcpu, memory = machine.vcpu, machine.memory_gib
    if kind is not TargetKind.ONPREM:
        try:
            found = type_of(kind, machine)
        except CatalogError:
            return
        pattern, words = FAMILIES[kind]
        path = "execution.pool.machine.instance_type"
        if not re.match(pattern, found.name):
            yield Problem(path, f"'{found.name}' is of no family for CPU work", f"use {words}")
        low, high = MEMORY_GIB
        if low <= memory <= high and not low <= found.memory_gib <= high:
            text = f"'{found.name}' has {found.memory_gib:g} GiB, outside {low} to {high} GiB"
            yield Problem(path, text, "name a type inside, or ask for another machine")
        vcpu, memory = found.vcpu, found.memory_gib
    try:
        room(kind.value, vcpu, memory)
    except SizingError as exc:
        yield Problem("execution.pool.machine", str(exc))


def _small_model(spec: DeploymentSpec) -> Iterator[Problem]:
    execution, known = spec.execution, load_catalog().models
    placement = execution.small_model
    if execution.small_pool is not None and placement is not SmallModelPlacement.GPU:
        text = f"has no meaning with small_model: {placement.value}"
        yield Problem("execution.small_pool", text, "remove it, or set small_model: gpu")
    if placement is SmallModelPlacement.COGNITIVE:
        return
    fitting = [name for name, row in known.items() if is_gguf(row) == (placement is SmallModelPlacement.CPU)]
    listed = f"use one of {', '.join(sorted(fitting))}"
    if execution.model is None:
        yield Problem("execution.model", f"is required for small_model: {placement.value}", listed)
        return
    if execution.model not in known:
        yield Problem("execution.model", f"'{execution.model}' is not in images/models.yaml", listed)
        return
    if execution.model not in fitting:
        what = "quantised file for CPU servers" if placement is SmallModelPlacement.CPU else "model that GPUs serve"
        yield Problem("execution.model", f"'{execution.model}' is no {what}", listed)
        return
    yield from _on_cpus(spec) if placement is SmallModelPlacement.CPU else _on_gpus(spec)


def _on_cpus(spec: DeploymentSpec) -> Iterator[Problem]:
    execution = spec.execution
    machine, model = execution.pool.machine, load_catalog().models[f"{execution.model}"]
    try:
        free = room(spec.target.kind.value, machine.vcpu, machine.memory_gib)
    except SizingError:
        return
    found = gguf_fit(model, execution.small_server, free)
    if not found.fits:
        text = f"{model.name} does not fit one machine: {found.arithmetic}"
        yield Problem("execution.small_server", text, "use less context_tokens, parallel or vcpu, or a larger machine")
    if execution.small_server.replicas >= execution.pool.minimum:
        text = f"{execution.small_server.replicas} servers would fill all of the {execution.pool.minimum} machines"
        yield Problem("execution.small_server.replicas", text, "leave machines to Ray")


def _on_gpus(spec: DeploymentSpec) -> Iterator[Problem]:
    execution = spec.execution
    if execution.small_pool is None:
        yield Problem("execution.small_pool", "is required for small_model: gpu", "describe its GPU machines")
        return
    pool, (low, high) = execution.small_pool, SMALL_NODES
    if pool.minimum < low or pool.maximum > high or pool.minimum > pool.maximum:
        text = f"{pool.minimum} to {pool.maximum} machines is outside {low} to {high}"
        yield Problem("execution.small_pool", text, "stay inside, the minimum first")
    if spec.target.kind is not TargetKind.ONPREM:
        try:
            type_of(spec.target.kind, pool.machine)
        except CatalogError as exc:
            yield Problem("execution.small_pool.machine", str(exc))
    found = gpu_fit(load_catalog().models[f"{execution.model}"], execution)
    if not found.fits:
        text = f"{execution.model} does not fit one machine: {found.arithmetic}"
        yield Problem("execution.small_pool.machine", text, "use more or larger GPUs, or less context_tokens")
        return
    served = pool.minimum * found.servers_per_node
    if execution.small_server.replicas > served:
        text = (
            f"{execution.small_server.replicas} servers need more than the {served} that {pool.minimum} machines hold"
        )
        yield Problem("execution.small_server.replicas", text, "lower it, or raise small_pool.minimum")


def _databases(spec: DeploymentSpec) -> Iterator[Problem]:
    names: list[str] = []
    for at, row in enumerate(spec.execution.data_endpoints):
        path = f"execution.data_endpoints[{at}]"
        if row.name in names:
            yield Problem(f"{path}.name", f"'{row.name}' is named twice", "name each once")
        names.append(row.name)
        if row.port is None and row.engine not in PORTS:
            yield Problem(f"{path}.port", f"is required for the engine {row.engine.value}", "add it")
        yield from _ranges(path, row)
        yield from _login(path, row)
        yield from _route(path, row, spec)


def _ranges(path: str, row: DataEndpointSpec) -> Iterator[Problem]:
    single = row.route is DataRoute.PRIVATE_LINK
    for at, text in enumerate(row.cidrs):
        try:
            block = ipaddress.IPv4Network(text)
        except ValueError as exc:
            yield Problem(f"{path}.cidrs[{at}]", f"is not an IPv4 range: {exc}", "write it like 10.20.0.0/24")
            continue
        if single and block.prefixlen != 32:
            text = f"'{block}' is no single address, as a private link has"
            yield Problem(f"{path}.cidrs[{at}]", text, "write a free address of the deployment's network, with /32")
        elif block.prefixlen < 16:
            yield Problem(
                f"{path}.cidrs[{at}]", f"'{block}' is far more than a database", "name its subnets, /16 or less"
            )
        elif row.route is DataRoute.INTERNET and any(block.overlaps(own) for own in _PRIVATE):
            yield Problem(f"{path}.cidrs[{at}]", f"'{block}' is not on the internet", "choose another route")


def _login(path: str, row: DataEndpointSpec) -> Iterator[Problem]:
    if row.password_secret is not None and row.credentials is not None:
        yield Problem(f"{path}.credentials", "and password_secret are both set", "keep one of them")
    if row.password_secret is not None and row.username is None:
        yield Problem(f"{path}.username", "is required beside password_secret", "add the login's name")


def _route(path: str, row: DataEndpointSpec, spec: DeploymentSpec) -> Iterator[Problem]:
    kind, cloud = spec.target.kind, spec.target.kind is not TargetKind.ONPREM
    if row.route is DataRoute.INTERNET and not spec.target.connected:
        yield Problem(f"{path}.route", "is internet, but the target has no connection", "use on-site or same-network")
    if row.route is DataRoute.ON_SITE and cloud:
        remedy = "peer with the network where the line to that site ends"
        yield Problem(f"{path}.route", f"on-site has no meaning on {kind.value}", remedy)
    if row.route in (DataRoute.PEERING, DataRoute.PRIVATE_LINK) and not cloud:
        yield Problem(f"{path}.route", f"{row.route.value} has no meaning on own machines", "use on-site")
        return
    for field, value, route, forms in (
        ("peer", row.peer, DataRoute.PEERING, _PEERS),
        ("service", row.service, DataRoute.PRIVATE_LINK, _SERVICES),
    ):
        if row.route is not route:
            if value is not None:
                yield Problem(f"{path}.{field}", f"has no meaning with the route {row.route.value}", "remove it")
            continue
        pattern, example = forms[kind]
        if value is None:
            yield Problem(f"{path}.{field}", f"is required for the route {row.route.value}", f"write it like {example}")
        elif not re.match(pattern, value):
            yield Problem(f"{path}.{field}", f"'{value}' is none of {kind.value}'s", f"write it like {example}")
    if row.route is DataRoute.PRIVATE_LINK:
        yield from _inside_network(path, row, spec)


def _inside_network(path: str, row: DataEndpointSpec, spec: DeploymentSpec) -> Iterator[Problem]:
    """Check that the addresses of a private link are of the deployment's own network, and as many as it may have."""
    if len(row.cidrs) > 1 and spec.target.kind is not TargetKind.AWS:
        text = f"{len(row.cidrs)} addresses, but a private link has one on {spec.target.kind.value}"
        yield Problem(f"{path}.cidrs", text, "keep one")
    try:
        own = _own_range(spec)
    except (ConfigError, ValueError):
        return
    for at, text in enumerate(row.cidrs):
        try:
            inside = ipaddress.IPv4Network(text).subnet_of(own)
        except ValueError:
            continue
        if not inside:
            where = f"'{text}' is not in {own}, where endpoints get theirs"
            yield Problem(f"{path}.cidrs[{at}]", where, "use a free one")


def _own_range(spec: DeploymentSpec) -> ipaddress.IPv4Network:
    """Return where endpoints of the deployment's own network get their addresses."""
    match spec.target.kind:
        case TargetKind.GCP:
            return gke_ranges(spec).nodes
        case TargetKind.AZURE:
            return aks_ranges(spec).endpoints
        case TargetKind.AWS | TargetKind.ONPREM | TargetKind.HOSTS:
            return ipaddress.IPv4Network(spec.target.aws.vpc_cidr)


CHECKS: Final[tuple[Callable[[DeploymentSpec], Iterator[Problem]], ...]] = (
    _queues,
    _machine,
    _small_model,
    _databases,
)
"""Every check, in the order in which problems are reported."""
