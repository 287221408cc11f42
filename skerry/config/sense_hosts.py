"""What machines without an orchestrator, and what stands on them, must be to each other.

The checks of a plan hold for every system: ports, memory, parts of a GPU, and the order of starts.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from skerry.catalog import load_catalog
from skerry.config.host import FirewallKind, HostDelivery, HostOs, HostsSpec, OverlaySpec
from skerry.config.sense_agent_mesh import mesh_problems
from skerry.config.sense_agentdb_hosts import agentdb_hosts_problems
from skerry.config.sense_dual_host import dual_host_problems
from skerry.config.spec import DeploymentSpec, Layer, System, TargetKind
from skerry.errors import CatalogError, Problem, UsageError
from skerry.gpus import gpu_model, gpu_models
from skerry.hosts.plan import EVERY_ADDRESS, HostService, Listen, Machine
from skerry.hosts.plans import hosts_plan

ON_HOSTS = (System.AGENT_MESH, System.DUAL_HOST, System.AGENTDB)
"""The systems that have a form for machines without an orchestrator."""


def hosts_presence(spec: DeploymentSpec) -> Iterator[Problem]:
    """Return whether machines are described where they are needed, and nowhere else."""
    wanted = spec.target.kind is TargetKind.HOSTS
    if wanted != (spec.hosts is not None):
        text = "is required and missing" if wanted else f"has no meaning where the target is {spec.target.kind.value}"
        yield Problem("hosts", text, "describe the machines" if wanted else "remove it, or use target.kind: hosts")
    if wanted and spec.system not in ON_HOSTS:
        names = ", ".join(system.value for system in ON_HOSTS)
        yield Problem("target.kind", f"{spec.system.value} has no form for hosts: {names} have", "use kind: onprem")
    if spec.hosts is not None and (spec.machines is not None or spec.layer is not Layer.PLATFORM):
        yield Problem("machines" if spec.machines else "layer", "has no meaning where the target is hosts", "remove it")


def hosts_problems(spec: DeploymentSpec) -> Iterator[Problem]:
    """Return what cannot be about the machines, then about what stands on them."""
    hosts = spec.hosts
    if hosts is None:
        return
    broken = [*_ranges(hosts), *_machines(hosts), *_overlay(hosts), *mesh_problems(spec), *dual_host_problems(spec)]
    if spec.agentdb is not None:
        broken += agentdb_hosts_problems(spec, spec.agentdb)
    yield from broken
    if broken:
        return
    try:
        plan = hosts_plan(spec, load_catalog())
    except (CatalogError, UsageError) as exc:
        yield Problem(spec.system.value.replace("-", "_"), str(exc))
        return
    for machine in plan.machines if plan else ():
        yield from machine_problems(machine)
    yield from _log_in(hosts)


def _log_in(hosts: HostsSpec) -> Iterator[Problem]:
    """Return whether the firewall would shut out the log-in by which machines are deployed."""
    linux = (HostOs.DEBIAN, HostOs.UBUNTU, HostOs.RASPBERRY_PI_OS, HostOs.WSL2)
    by_ssh = [name for name, row in hosts.machines.items() if row.delivery is HostDelivery.SSH and row.os in linux]
    if by_ssh and not hosts.admin_cidrs and hosts.firewall is not FirewallKind.NONE:
        text = f"nobody may log in, so that the first deployment by SSH would shut {', '.join(by_ssh)} to the next"
        yield Problem("hosts.admin_cidrs", text, "name the ranges of who deploys, or use delivery: files")


def _ranges(hosts: HostsSpec) -> Iterator[Problem]:
    for field, ranges in (("admin_cidrs", hosts.admin_cidrs), ("lan_cidrs", hosts.lan_cidrs)):
        for index, text in enumerate(ranges):
            try:
                ipaddress.ip_network(text)
            except ValueError as exc:
                yield Problem(f"hosts.{field}[{index}]", f"is not an address range: {exc}", "write it like 10.0.0.0/24")


def _machines(hosts: HostsSpec) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for name, row in hosts.machines.items():
        path = f"hosts.machines.{name}"
        if row.address in seen:
            yield Problem(
                f"{path}.address", f"'{row.address}' is also that of {seen[row.address]}", "give each its own"
            )
        seen.setdefault(row.address, name)
        if (row.gpu_model is None) != (row.gpus == 0):
            yield Problem(f"{path}.gpus", "GPUs need a model and a number", "give both, or none")
        elif row.gpu_model is not None and gpu_model(row.gpu_model, row.gpu_memory_gib) is None:
            known = ", ".join(sorted({model.name for model in gpu_models()}))
            text = f"'{row.gpu_model}' with {row.gpu_memory_gib:g} GiB is no GPU of the table"
            yield Problem(f"{path}.gpu_model", text, f"use one of {known}, with its memory in gpu_memory_gib")


def _overlay(hosts: HostsSpec) -> Iterator[Problem]:
    overlay = hosts.overlay
    inside = {name: row.overlay for name, row in hosts.machines.items() if row.overlay is not None}
    if overlay is None:
        for name in inside:
            yield Problem(f"hosts.machines.{name}.overlay", "there is no overlay", "describe it in hosts.overlay")
        return
    network = _network(overlay)
    if network is None:
        text = f"'{overlay.network_cidr}' is not a private range of IPv4"
        yield Problem("hosts.overlay.network_cidr", text, "write it like 10.77.0.0/24")
        return
    seen: dict[ipaddress.IPv4Address, str] = {}
    for name, peer in inside.items():
        path = f"hosts.machines.{name}.overlay.address"
        try:
            address = ipaddress.IPv4Address(peer.address)
        except ValueError as exc:
            yield Problem(path, f"is not an address: {exc}", "write it like 10.77.0.1")
            continue
        if address not in network:
            yield Problem(path, f"'{address}' is not in {network}", "take one of that range")
        if address in seen:
            yield Problem(path, f"'{address}' is also that of {seen[address]}", "give each its own")
        seen.setdefault(address, name)


def _network(overlay: OverlaySpec) -> ipaddress.IPv4Network | None:
    try:
        found = ipaddress.IPv4Network(overlay.network_cidr)
    except ValueError:
        return None
    return found if found.is_private else None


def machine_problems(machine: Machine) -> Iterator[Problem]:
    """Return what cannot be about what stands on one machine."""
    path = f"hosts.machines.{machine.name}"
    yield from _ports(machine, path)
    yield from _memory(machine, path)
    yield from _gpus(machine, path)
    yield from _order(machine, path)


def _ports(machine: Machine, path: str) -> Iterator[Problem]:
    taken: list[tuple[str, Listen]] = []
    listens = [(service.name, row) for service in machine.services for row in service.listens]
    listens += [(proxy.name, row) for proxy in machine.proxies for row in (proxy.listen, proxy.redirect) if row]
    for owner, row in listens:
        for other, there in taken:
            if _meet(row, there):
                text = f"'{owner}' and '{other}' both listen on {row.port}/{row.protocol}"
                yield Problem(f"{path}.ports", text, "give each a port of its own")
        taken.append((owner, row))


def _meet(one: Listen, other: Listen) -> bool:
    apart = one.bind != other.bind and not {EVERY_ADDRESS, "::"} & {one.bind, other.bind}
    if one.protocol != other.protocol or apart:
        return False
    return one.port <= (other.last or other.port) and other.port <= (one.last or one.port)


def _memory(machine: Machine, path: str) -> Iterator[Problem]:
    caps = sum((service.memory_mib or 0) * max(1, len(service.instances)) for service in machine.services)
    if caps > machine.spec.memory_gib * 1024:
        text = f"the caps of its services sum to {caps} MiB, and it has {machine.spec.memory_gib:g} GiB"
        yield Problem(f"{path}.memory_gib", text, "lower the caps, or move a service to another machine")


def _gpus(machine: Machine, path: str) -> Iterator[Problem]:
    parts: dict[int, list[HostService]] = {}
    for service in machine.services:
        if service.gpu is not None:
            parts.setdefault(service.gpu.device, []).append(service)
    for device, services in parts.items():
        if device >= machine.spec.gpus:
            text = f"'{services[0].name}' wants GPU {device}, and the machine has {machine.spec.gpus}"
            yield Problem(f"{path}.gpus", text, "count from 0")
            continue
        total = sum(service.gpu.percent for service in services if service.gpu)
        if total > 100:
            named = ", ".join(f"{service.name} {service.gpu.percent} %" for service in services if service.gpu)
            yield Problem(f"{path}.gpus", f"parts of GPU {device} sum to {total} %: {named}", "keep the sum to 100 %")
        memory, has = sum(service.gpu.memory_mib for service in services if service.gpu), machine.spec.gpu_memory_gib
        if memory > has * 1024:
            text = f"parts of GPU {device} may take {memory:,} MiB, and it has {has:g} GiB"
            yield Problem(f"{path}.gpus", text, "lower them: MPS bounds each, and nothing bounds the sum")


def _order(machine: Machine, path: str) -> Iterator[Problem]:
    names = {service.name for service in machine.services}
    for service in machine.services:
        for needed in service.needs:
            if needed not in names:
                text = f"'{service.name}' needs '{needed}', which is not on this machine"
                yield Problem(f"{path}.services", text, "name a service of the same machine, or wait for a URL")
    try:
        tuple(TopologicalSorter({service.name: service.needs for service in machine.services}).static_order())
    except CycleError as exc:
        circle = " -> ".join(reversed(exc.args[1]))
        yield Problem(f"{path}.services", f"each waits for the next: {circle}", "take one of these out")
