"""The groups of one of the two machines as they stand: the tables' rows with what the stack says over them.

CPU, memory and the part of the GPU are a group's, and are split among its agents: CPU and memory evenly, the GPU by
weight. Parts are whole percents whose sum is the group's (the largest remainders get what rounding leaves).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from skerry.config.dual_host import DualAgentSpec, DualGroupSpec, DualHostSpec, DualSideSpec
from skerry.config.host import HostSpec
from skerry.config.spec import DeploymentSpec
from skerry.systems.dual_host_tables import AgentRow, GroupRow, HostRow, groups, settings

_ADDED_VCPUS: Final = 2.0
"""CPU of a group that the table has not and that says nothing: what the overview gives groups without a GPU."""

_ADDED_MEMORY_MIB: Final = 1024
"""Its memory: a default of ours."""

_SHARE: Final = 1024
"""The weight of a container that says nothing, here that of one vCPU."""


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent, as one service."""

    name: str
    """A DNS label, unique on its machine."""
    title: str
    """As the overview calls it."""
    stands_for: str
    """The class of agents that it stands for, in the overview's words; empty: it is named there."""
    group: str
    spec: DualAgentSpec
    port: int
    vcpus: float
    """The limit, after scaling."""
    cpu_shares: int
    memory_mib: int
    gpu_percent: int
    """0: it does not use the GPU."""


@dataclass(frozen=True, slots=True)
class Group:
    """One group."""

    name: str
    purpose: str
    line: int | None
    """Where the overview names it; None where the stack adds it."""
    step: int | None
    spec: DualGroupSpec
    vcpus: float
    """What is asked for, before scaling."""
    memory_mib: int
    gpu_percent: int
    agents: tuple[Agent, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two machines with its groups."""

    side: str
    """`main` or `second`."""
    machine: str
    """Its name in `hosts.machines`."""
    host: HostSpec
    row: HostRow
    settings: DualSideSpec
    groups: tuple[Group, ...]

    @property
    def agents(self) -> tuple[Agent, ...]:
        """Every agent, in the order of groups."""
        return tuple(agent for group in self.groups for agent in group.agents)

    @property
    def ram_mib(self) -> int:
        """What the caps of memory must stay below, in MiB."""
        return math.floor((self.settings.ram_gb or self.row.ram_gb) * 1e9 / 2**20)

    @property
    def headroom_percent(self) -> int:
        """What of the GPU stays free."""
        asked = self.settings.gpu_headroom_percent
        return self.row.headroom_percent if asked is None else asked

    @property
    def vcpus(self) -> float:
        """What all groups ask for."""
        return sum(group.vcpus for group in self.groups)

    @property
    def cpu_scale(self) -> float:
        """What limits are multiplied with so that they fit; 1 where they do."""
        room = self.host.vcpu * self.settings.vcpu_oversubscription
        return min(1.0, room / self.vcpus) if self.vcpus else 1.0


def sides_of(spec: DeploymentSpec) -> tuple[Side, ...]:
    """Return the machines with their groups, the main one first; none where one of them is not described."""
    dual, hosts = spec.dual_host, spec.hosts
    if dual is None or hosts is None or dual.main not in hosts.machines or dual.second not in hosts.machines:
        return ()
    return (
        _side("main", dual.main, hosts.machines[dual.main], dual.main_settings),
        _side("second", dual.second, hosts.machines[dual.second], dual.second_settings),
    )


def side_settings(dual: DualHostSpec, side: str) -> DualSideSpec:
    """Return what the stack says of a machine."""
    return dual.main_settings if side == "main" else dual.second_settings


def own_reference(dual: DualHostSpec, agent: Agent) -> str:
    """Return an agent's own image, which its workflow builds."""
    return f"{dual.images.prefix}/{agent.name}:{dual.images.tag}"


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Return whole parts of `total` by weight whose sum it is; nothing for a weight of 0."""
    whole = sum(weights)
    if not whole:
        return [0 for _ in weights]
    exact = [total * weight / whole for weight in weights]
    parts = [math.floor(part) for part in exact]
    by_rest = sorted(range(len(parts)), key=lambda at: (parts[at] - exact[at], at))
    for at in by_rest[: total - sum(parts)]:
        parts[at] += 1
    return parts


def _side(side: str, machine: str, host: HostSpec, said: DualSideSpec) -> Side:
    table = groups().groups[side]
    rows: dict[str, GroupRow | None] = {**table, **{name: table.get(name) for name in said.groups}}
    ports = _ports(table, said)
    asked = {name: _vcpus(row, said.groups.get(name)) for name, row in rows.items()}
    room = host.vcpu * said.vcpu_oversubscription
    scale = min(1.0, room / sum(asked.values()))
    found = tuple(
        _group(name, row, said.groups.get(name, DualGroupSpec()), asked[name], scale, ports)
        for name, row in rows.items()
    )
    return Side(side, machine, host, groups().hosts[side], said, found)


def _vcpus(row: GroupRow | None, said: DualGroupSpec | None) -> float:
    if said is not None and said.vcpus is not None:
        return said.vcpus
    return row.vcpus if row is not None else _ADDED_VCPUS


def _group(
    name: str, row: GroupRow | None, said: DualGroupSpec, vcpus: float, scale: float, ports: Mapping[str, int]
) -> Group:
    members = _members(row, said)
    specs = [said.agents.get(agent, DualAgentSpec()) for agent in members]
    memory = said.memory_mib or (row.memory_mib if row else _ADDED_MEMORY_MIB)
    percent = said.gpu_percent if said.gpu_percent is not None else (row.gpu_percent if row else 0)
    caps = _memory(memory, specs)
    parts = split(percent, [one.gpu_weight for one in specs])
    each = vcpus / max(1, len(specs))
    agents = tuple(
        Agent(
            name=agent,
            title=found.name if found else agent,
            stands_for=found.stands_for if found else "",
            group=name,
            spec=one,
            port=ports[agent],
            vcpus=max(0.01, math.floor(each * scale * 100 + 1e-9) / 100),
            cpu_shares=max(2, round(_SHARE * each)),
            memory_mib=cap,
            gpu_percent=part,
        )
        for (agent, found), one, cap, part in zip(members.items(), specs, caps, parts, strict=True)
    )
    return Group(
        name=name,
        purpose=said.purpose or (row.purpose if row else ""),
        line=row.line if row else None,
        step=row.step if row else None,
        spec=said,
        vcpus=vcpus,
        memory_mib=sum(caps),
        gpu_percent=percent,
        agents=agents,
    )


def _members(row: GroupRow | None, said: DualGroupSpec) -> dict[str, AgentRow | None]:
    """Return the agents of a group; one that stands for a class gives way once the stack names others of the group."""
    table = row.agents if row else {}
    added = [name for name in said.agents if name not in table]
    kept = [name for name, one in table.items() if not (one.stands_for and added and name not in said.agents)]
    return {name: table.get(name) for name in [*kept, *added]}


def _memory(total: int, specs: Sequence[DualAgentSpec]) -> list[int]:
    """Return each agent's cap: its own, or an even part of what those leave of the group's, rounded down."""
    own = sum(one.memory_mib or 0 for one in specs)
    others = sum(1 for one in specs if one.memory_mib is None)
    even = max(0, total - own) // others if others else 0
    return [even if one.memory_mib is None else one.memory_mib for one in specs]


def _ports(table: Mapping[str, GroupRow], said: DualSideSpec) -> dict[str, int]:
    """Return each agent's port: those of the table keep theirs whatever a stack adds after them."""
    named = [agent for row in table.values() for agent in row.agents]
    specs = {agent: one for group in said.groups.values() for agent, one in group.agents.items()}
    taken = {one.port for one in specs.values() if one.port is not None}
    found, after = {}, settings().range("services").first
    for agent in dict.fromkeys([*named, *specs]):
        own = specs[agent].port if agent in specs else None
        if own is None:
            while after in taken:
                after += 1
            own, after = after, after + 1
        found[agent] = own
    return found
