"""What the two machines of the dual host, their groups and their parts of the GPU must be to each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from skerry.config.dual_host import DualHostSpec, Mechanism
from skerry.config.host import HostOs, HostsSpec
from skerry.config.spec import DeploymentSpec
from skerry.errors import Problem
from skerry.gpus import mig_capable, mig_excess
from skerry.systems.dual_host_gpu import LINUX, gpu_of, mechanism_of, model_of, slices
from skerry.systems.dual_host_groups import Agent, Side, side_settings, sides_of
from skerry.systems.dual_host_order import agent_waits, circle_of, diagram_waits
from skerry.systems.dual_host_tables import SIDES, groups, settings

CONTAINERS: Final = (*LINUX, HostOs.WSL2)
"""Where containers of Linux run without a machine inside the machine."""


def dual_host_problems(spec: DeploymentSpec) -> Iterator[Problem]:
    """Return what cannot be about the dual host."""
    dual, hosts = spec.dual_host, spec.hosts
    if dual is None or hosts is None:
        return
    broken = [*_named(dual, hosts), *_joined(dual, hosts), *_groups(dual)]
    yield from broken
    if broken:
        return
    for side in sides_of(spec):
        yield from _order(side)
        yield from _ports(side, dual)
        yield from _memory(side)
        yield from _gpu(side, dual)
    yield from _load_test(spec, dual)
    if dual.web is not None and not hosts.lan_cidrs:
        yield Problem("dual_host.web", "shows the web interface to nobody", "name the local network in hosts.lan_cidrs")


def _named(dual: DualHostSpec, hosts: HostsSpec) -> Iterator[Problem]:
    known = ", ".join(hosts.machines)
    for field, name in (("main", dual.main), ("second", dual.second)):
        if name not in hosts.machines:
            yield Problem(f"dual_host.{field}", f"'{name}' is no machine of hosts.machines", f"use one of {known}")
    if dual.main == dual.second:
        yield Problem("dual_host.second", f"'{dual.second}' is the main machine too", "name the other one")
    for name, row in hosts.machines.items():
        path = f"hosts.machines.{name}"
        if name not in (dual.main, dual.second):
            yield Problem(path, "has nothing to run: there are two machines", "take it out")
        if row.os not in CONTAINERS:
            text = f"runs {row.os.value}, and the groups are containers of Linux that share a GPU"
            yield Problem(f"{path}.os", text, "install Debian or Ubuntu, or describe its WSL2 as os: wsl2")


def _joined(dual: DualHostSpec, hosts: HostsSpec) -> Iterator[Problem]:
    name = settings().overlay.name
    if hosts.overlay is None:
        text = f"is missing: the machines call each other through the overlay {name}"
        yield Problem(
            "hosts.overlay", text, "write `overlay: {}`; a network of one machine's containers spans no second"
        )
        return
    for machine in (dual.main, dual.second):
        if machine in hosts.machines and hosts.machines[machine].overlay is None:
            text = f"is not in the overlay {hosts.overlay.name}"
            yield Problem(f"hosts.machines.{machine}.overlay", text, "give it an address there")


def _groups(dual: DualHostSpec) -> Iterator[Problem]:
    for side in SIDES:
        table, said = groups().groups[side], side_settings(dual, side).groups
        seen = {agent: name for name, row in table.items() for agent in row.agents}
        for name, group in said.items():
            path = f"dual_host.{side}_settings.groups.{name}"
            if name not in table and not (group.purpose and group.agents):
                text = f"the {side} machine has no such group in the table, and it is not described"
                yield Problem(path, text, f"give it a purpose and agents, or use one of {', '.join(table)}")
            for other in group.after:
                if other not in table and other not in said:
                    known = ", ".join(dict.fromkeys([*table, *said]))
                    yield Problem(f"{path}.after", f"'{other}' is no group of this machine", f"use one of {known}")
            for agent in group.agents:
                if seen.setdefault(agent, name) != name:
                    text = f"'{agent}' is in group {seen[agent]} too"
                    yield Problem(f"{path}.agents", text, "an agent is in one group: name it otherwise")


def _order(side: Side) -> Iterator[Problem]:
    path = f"dual_host.{side.side}_settings.groups"
    circle = circle_of(diagram_waits(side))
    if circle:
        yield Problem(path, f"each waits for the next: {' -> '.join(circle)}", "take one of these out of `after`")
    for group in side.groups:
        members = [agent.name for agent in group.agents]
        for agent in group.agents:
            for other in agent.spec.after:
                if other not in members:
                    text = f"'{other}' is no agent of {group.name}"
                    remedy = f"use one of {', '.join(members)}, or `after` of the group"
                    yield Problem(f"{path}.{group.name}.agents.{agent.name}.after", text, remedy)
        circle = circle_of(agent_waits(side, group))
        if circle:
            text = f"each waits for the next: {' -> '.join(circle)}"
            yield Problem(f"{path}.{group.name}.agents", text, "take one of these out of `after`")


def _ports(side: Side, dual: DualHostSpec) -> Iterator[Problem]:
    row = settings().range("services")
    own = {row.last - 1: "gRPC between the machines"}
    if dual.web is not None and side.side == "second":
        own[row.last] = "the web interface"
    for agent in side.agents:
        path = f"dual_host.{side.side}_settings.groups.{agent.group}.agents.{agent.name}.port"
        if not row.first <= agent.port <= row.last:
            text = f"{agent.port} is outside {row.first} to {row.last}, which the firewall lets in"
            yield Problem(path, text, "take one of that range")
        elif agent.port in own:
            yield Problem(path, f"{agent.port} is that of {own[agent.port]}", "take another one")


def _memory(side: Side) -> Iterator[Problem]:
    caps = sum(agent.memory_mib for agent in side.agents)
    most = side.settings.ram_gb or side.row.ram_gb
    if caps >= side.ram_mib:
        text = f"the caps of {side.machine} sum to {caps:,} MiB, and must stay below {most:g} GB = {side.ram_mib:,} MiB"
        remedy = "lower memory_mib of groups, or raise ram_gb where the machine has more"
        yield Problem(f"dual_host.{side.side}_settings.ram_gb", text, remedy)
    for group in side.groups:
        small = [agent.name for agent in group.agents if agent.memory_mib < 1]
        if small:
            path = f"dual_host.{side.side}_settings.groups.{group.name}.memory_mib"
            yield Problem(path, f"leaves nothing for {', '.join(small)}", "raise it, or lower those of its agents")


def _gpu(side: Side, dual: DualHostSpec) -> Iterator[Problem]:
    path = f"dual_host.{side.side}_settings"
    users = [group for group in side.groups if group.gpu_percent]
    gpu = gpu_of(side, dual.gpu)
    if gpu is None:
        if users:
            text = f"has no GPU, and {', '.join(group.name for group in users)} want one"
            remedy = "give gpu_model, gpus and gpu_memory_gib, or set gpu_percent: 0 for these groups"
            yield Problem(f"hosts.machines.{side.machine}.gpu_model", text, remedy)
        return
    total = sum(group.gpu_percent for group in users) + gpu.headroom_percent
    if total > 100:
        terms = " + ".join(f"{group.name} {group.gpu_percent}" for group in users)
        text = f"{terms} + {gpu.headroom_percent} that stay free = {total} percent of one GPU"
        yield Problem(f"{path}.groups", text, "keep the sum to 100")
    if gpu.given_mib == 0:
        text = f"leaves nothing of {gpu.total_mib:,} MiB"
        yield Problem("dual_host.gpu.reserve_mib", text, "lower it")
    for agent in _without(side):
        text = f"{agent.name} is left with 0 percent of the GPU: its group has fewer percents than agents"
        remedy = "raise gpu_percent, or set gpu_weight: 0 for an agent that does not use it"
        yield Problem(f"{path}.groups.{agent.group}.agents.{agent.name}.gpu_weight", text, remedy)
    yield from _mechanism(side, dual, path)


def _without(side: Side) -> list[Agent]:
    using = {group.name for group in side.groups if group.gpu_percent}
    return [agent for agent in side.agents if agent.group in using and agent.spec.gpu_weight and not agent.gpu_percent]


def _mechanism(side: Side, dual: DualHostSpec, path: str) -> Iterator[Problem]:
    mechanism, _ = mechanism_of(side, dual.gpu)
    asked = f"{path}.mechanism" if side.settings.mechanism else "dual_host.gpu.mechanism"
    model = model_of(side.host)
    if mechanism is Mechanism.MPS:
        if side.host.os is HostOs.WSL2 and not dual.gpu.mps_on_wsl2:
            text = f"mps under WSL2 on {side.machine} was tried by nobody of us"
            yield Problem(asked, text, "use time-slicing, or try it there and set dual_host.gpu.mps_on_wsl2: true")
        elif model is None or not model.mps:
            text = f"mps limits no clients of {side.host.gpu_model}, which needs compute capability 7.0 or later"
            yield Problem(asked, text, "use time-slicing")
    if mechanism is not Mechanism.MIG:
        return
    if model is None or not model.mig_profiles:
        text = f"mig is not possible on {side.machine}: {side.host.gpu_model} has no such mode"
        yield Problem(asked, text, f"use mps; models that can are {', '.join(mig_capable())}")
        return
    found = slices(side)
    for name in (name for name, profile in found.items() if not profile):
        yield Problem(f"{path}.groups.{name}.mig_profile", f"no profile of {model.name} is that large", "name one")
    layout: dict[str, int] = {}
    for profile in (one for one in found.values() if one):
        layout[profile] = layout.get(profile, 0) + 1
    excess = mig_excess(model, layout)
    if excess is not None:
        yield Problem(
            f"{path}.groups", f"the slices do not fit: {excess}", "name smaller ones in mig_profile, or use mps"
        )


def _load_test(spec: DeploymentSpec, dual: DualHostSpec) -> Iterator[Problem]:
    names = [agent.name for agent in sides_of(spec)[0].agents]
    for name in dual.load_test.targets:
        if name not in names:
            text = f"'{name}' is no agent of the main machine"
            yield Problem("dual_host.load_test.targets", text, f"use one of {', '.join(names)}")
