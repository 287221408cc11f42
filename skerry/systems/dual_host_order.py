"""What starts after what on one of the two machines: the diagrams sorted, and held against the six steps.

(1) an edge of a diagram, or of `after` in the stack, is a group that waits for another
(2) with `start_order: steps` a group also waits for the groups of the step before its own, unless that makes a circle
(3) a group without a step starts when what it waits for is well
(4) inside a group the diagram's edges order agents; the first of a group wait for the last of those it waits for
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from skerry.config.dual_host import StartOrder
from skerry.systems.dual_host_groups import Group, Side
from skerry.systems.dual_host_tables import groups, starts

Waits = Mapping[str, tuple[str, ...]]
"""Group or agent -> what must be well before it."""


@dataclass(frozen=True, slots=True)
class Order:
    """How one machine starts."""

    groups: tuple[str, ...]
    """In an order that holds every edge."""
    waits: Waits
    """Group -> groups."""
    agents: Waits
    """Agent -> agents."""
    notes: tuple[str, ...]
    """Where the steps say nothing, or something else than the diagrams."""


def diagram_waits(side: Side) -> dict[str, list[str]]:
    """Return what each group waits for by the diagram and by what the stack says."""
    names = [group.name for group in side.groups]
    found: dict[str, list[str]] = {name: [] for name in names}
    for edge in starts().groups[side.side]:
        found[edge.after].append(edge.before)
    for group in side.groups:
        found[group.name] += [one for one in group.spec.after if one in found and one not in found[group.name]]
    return found


def circle_of(waits: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Return a circle, its first name again at its end; empty where there is none."""
    try:
        tuple(TopologicalSorter({name: tuple(before) for name, before in waits.items()}).static_order())
    except CycleError as exc:
        return tuple(reversed(exc.args[1]))
    return ()


def order_of(side: Side, by: StartOrder) -> Order:
    """Return how a machine starts; its diagram has no circle.

    Args:
        side: the machine.
        by: whether the steps order groups too.
    """
    waits = diagram_waits(side)
    notes = [*_contradictions(side, waits), *_unplaced(side, waits)]
    if by is StartOrder.STEPS:
        _add_steps(side, waits)
    steps = {group.name: group.step or 0 for group in side.groups}
    effective = _effective(waits, steps)
    return Order(
        groups=_sorted(waits, effective, [group.name for group in side.groups]),
        waits={name: tuple(before) for name, before in waits.items()},
        agents=_agents(side, waits),
        notes=tuple(notes),
    )


def longest(order: Order) -> tuple[str, ...]:
    """Return the longest chain of agents that wait for each other, which a cold start takes one by one."""
    chains: dict[str, tuple[str, ...]] = {}
    for name in TopologicalSorter(order.agents).static_order():
        before = max((chains[one] for one in order.agents[name]), key=len, default=())
        chains[name] = (*before, name)
    return max(chains.values(), key=len, default=())


def _add_steps(side: Side, waits: dict[str, list[str]]) -> None:
    by_step: dict[int, list[str]] = {}
    for group in side.groups:
        if group.step is not None:
            by_step.setdefault(group.step, []).append(group.name)
    used = sorted(by_step)
    for before, step in pairwise(used):
        for name in by_step[step]:
            wanted = [one for one in by_step[before] if name not in _above(waits, one)]
            waits[name] += [one for one in wanted if one not in _above(waits, name)]


def _above(waits: Mapping[str, Iterable[str]], name: str) -> set[str]:
    """Return everything that a group waits for, directly or not."""
    found: set[str] = set()
    ahead = list(waits[name])
    while ahead:
        one = ahead.pop()
        if one not in found:
            found.add(one)
            ahead += waits[one]
    return found


def _contradictions(side: Side, waits: Mapping[str, Iterable[str]]) -> Iterator[str]:
    steps = {group.name: group.step for group in side.groups}
    for name, before in waits.items():
        for one in before:
            early, late = steps[one], steps[name]
            if early is not None and late is not None and early > late:
                yield (
                    f"{name} waits for {one} by the diagram, but step {late} starts it before step {early}: "
                    "the diagram holds"
                )
    firsts = {group.step: group.name for group in side.groups if group.step is not None}
    for step in starts().steps:
        if step.step not in firsts:
            yield f"step {step.step} ({step.says}) names no group of this machine"


def _unplaced(side: Side, waits: Mapping[str, Iterable[str]]) -> Iterator[str]:
    needed = {one for before in waits.values() for one in before}
    table = groups().groups[side.side]
    for group in side.groups:
        if group.name in table and table[group.name].loose:
            yield f"{group.name} is in step {group.step} by a loose reading of it"
        if group.step is None:
            before = ", ".join(waits[group.name]) or "nothing"
            yield f"{group.name} is in none of the six steps: it starts once {before} is well"
        if not tuple(waits[group.name]) and group.name not in needed:
            held = f"step {group.step} alone places it" if group.step is not None else "nothing places it"
            yield f"{group.name} has no edge in the diagram: {held}"


def _effective(waits: Mapping[str, Iterable[str]], steps: Mapping[str, int]) -> dict[str, int]:
    """Return each group's step; one without takes the latest of what it waits for."""
    found: dict[str, int] = {}
    for name in TopologicalSorter({one: tuple(before) for one, before in waits.items()}).static_order():
        found[name] = steps[name] or max((found[one] for one in waits[name]), default=0)
    return found


def _sorted(waits: Mapping[str, Iterable[str]], steps: Mapping[str, int], names: list[str]) -> tuple[str, ...]:
    sorter = TopologicalSorter({one: tuple(before) for one, before in waits.items()})
    sorter.prepare()
    ready, found = list(sorter.get_ready()), []
    while ready:
        ready.sort(key=lambda one: (steps[one], names.index(one)))
        one = ready.pop(0)
        found.append(one)
        sorter.done(one)
        ready += sorter.get_ready()
    return tuple(found)


def agent_waits(side: Side, group: Group) -> dict[str, list[str]]:
    """Return what each agent waits for inside its group."""
    members = {agent.name for agent in group.agents}
    found: dict[str, list[str]] = {agent.name: [] for agent in group.agents}
    for edge in starts().agents[side.side]:
        if edge.after in members and edge.before in members:
            found[edge.after].append(edge.before)
    for agent in group.agents:
        found[agent.name] += [one for one in agent.spec.after if one in members and one not in found[agent.name]]
    return found


def _agents(side: Side, waits: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    inside = {group.name: agent_waits(side, group) for group in side.groups}
    last = {
        name: [one for one in own if not any(one in before for before in own.values())] for name, own in inside.items()
    }
    return {
        agent: tuple(before) or tuple(one for group in waits[name] for one in last[group])
        for name, own in inside.items()
        for agent, before in own.items()
    }
