"""Says where two graphs of one stack differ: raw, but for a closed table of rows that count what they touched.

The command tells a stack in two documents of one preview: `--json` has every resource as it will be, and the plan file
of `--save-plan --show-secrets` has what that leaves out: secrets with their values, what components and stacks
registered as outputs, aliases as they were declared, deleteBeforeReplace. With both, every field of a graph is
compared. What is a set is compared as one: dependencies, additional secret outputs, aliases.
"""

# Source: pulumi/pulumi v3.250.0 sdk/go/common/apitype plan.go, pkg/resource/deploy step_generator.go, read 2026-11.

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from skerry.graph import (
    PROVIDER_PREFIX,
    STACK_REFERENCE_TYPE,
    STACK_TYPE,
    UNKNOWN,
    Asset,
    Resource,
    ResourceGraph,
    Secret,
)  # fmt: skip
from skerry.readers.checkpoint import graph_of, read_json
from skerry.readers.preview_json import read_preview
from skerry.readers.steps import Steps

NORMALISED: Final = {
    "secret mask": "a secret whose value one side does not tell: masked in a preview, or sealed in a stack's file",
    "provider id": "the id of a provider that does not exist yet",
    "provider defaults": "the default provider that the command makes for a package; the graph leaves it out",
    "auto-names": "a name that a provider makes up in a preview",
    "source line": "of a resource of the program's own class the engine names the line that asks for it, the command "
    "one in its constructor or none",
    "asset": "the graph does not hold the text or the hash of an asset",
    "not printed": "a field that this kind of preview does not tell",
}
"""The closed table: row -> what it excuses."""
_SETS: Final = ("aliases", "additional_secret_outputs")


@dataclass(slots=True)
class Comparison:
    """What a comparison found."""

    differences: list[str] = field(default_factory=list)
    """One line each: `<urn> <field>: engine ..., command ...`."""
    touched: Counter[str] = field(default_factory=Counter)
    """Row of NORMALISED -> how many fields it excused."""
    compared: int = 0
    """Fields that were compared as they are."""


@dataclass(frozen=True, slots=True)
class Command:
    """What the command told about a stack."""

    graph: ResourceGraph
    whole: bool = False
    """Whether the plan file was read as well."""
    traces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """URN -> each `file:line` of the Python stack that made it."""
    defaults: int = 0
    """Default providers, and resources that name one."""
    defaulted: frozenset[str] = frozenset()
    """The resources that a default provider serves."""


def read_command(preview: str, plan: str) -> Command:
    """Return what the two documents of one preview tell together."""
    graph = read_preview(preview)
    plans = json.loads(plan)["resourcePlans"] if plan else {}
    steps = Steps("the preview")
    for step in read_json(preview, "the preview")["steps"]:
        steps.add(step["op"], step["urn"], step.get("oldState"), step.get("newState"))
    rows = {row["urn"]: dict(row) for row in steps.there()}
    # A preview shows no default provider; its plan does.
    versions = {
        urn: str(found["goal"]["inputDiff"].get("adds", {}).get("version", ""))
        for urn, found in plans.items()
        if graph.get(urn) is None and found["goal"]["type"].startswith(PROVIDER_PREFIX)
    }
    served = {urn: versions[by] for urn, row in rows.items() if (by := _provider_urn(row)) in versions}
    for urn, row in rows.items():
        if (goal := plans.get(urn, {}).get("goal")) is not None:
            row["inputs"] = goal["inputDiff"].get("adds", {})
            # An alias that says what the resource is now says nothing.
            told_aliases = (_alias(alias, goal, graph) for alias in goal.get("structuredAliases", ()))
            row["aliases"] = [alias for alias in told_aliases if alias != urn]
            row["deleteBeforeReplace"] = goal.get("deleteBeforeReplace")
            if not row.get("custom"):
                row["outputs"] = plans[urn].get("state") or {}
    told = graph_of(rows.values(), graph.producer, "the preview", states=False, registered=True, hides_providers=True)
    resources = [
        dataclasses.replace(found, version=served[found.urn]) if found.urn in served else found
        for found in told.resources
    ]
    traces = {urn: _trace(row) for urn, row in rows.items()}
    whole = dataclasses.replace(told, resources=tuple(resources))
    return Command(whole, bool(plan), traces, len(versions) + len(served), frozenset(served))


def _provider_urn(row: Mapping[str, Any]) -> str:
    return str(row.get("provider") or "").rpartition("::")[0]


def _trace(row: Mapping[str, Any]) -> tuple[str, ...]:
    places = (str(frame.get("sourcePosition", "")) for frame in row.get("stackTrace") or ())
    return tuple(":".join(place.removeprefix("project:///").rsplit("#", 1)) for place in places if place)


def _alias(alias: Mapping[str, Any], goal: Mapping[str, Any], graph: ResourceGraph) -> str:
    """Return the URN that a declared alias stands for on a stack without history."""
    if alias.get("URN"):
        return str(alias["URN"])
    parent = "" if alias.get("NoParent") else str(alias.get("Parent") or goal.get("parent") or "")
    chain = parent.split("::", 3)[2] if parent else ""
    chain = "" if chain in ("", STACK_TYPE) else f"{chain}$"
    stack, project = alias.get("Stack") or graph.stacks[0], alias.get("Project") or graph.project
    type_, name = alias.get("Type") or goal["type"], alias.get("Name") or goal["name"]
    return f"urn:pulumi:{stack}::{project}::{chain}{type_}::{name}"


def differences(engine: ResourceGraph, command: ResourceGraph) -> Comparison:
    """Compare the embedded engine's graph with what the command printed as a preview, without its plan."""
    return compare(engine, Command(command))


def compare(engine: ResourceGraph, told: Command) -> Comparison:
    """Compare the embedded engine's graph with what the command told."""
    found, command = Comparison(), told.graph
    for what, ours, theirs in (
        ("project", engine.project, command.project),
        ("stacks", engine.stacks, command.stacks),
    ):
        if ours != theirs:
            found.differences.append(f"{what}: engine {ours!r}, command {theirs!r}")
    ours, theirs = ({r.urn: r for r in graph.resources} for graph in (engine, command))
    found.differences += [f"{urn}: only the engine has it" for urn in sorted(ours.keys() - theirs.keys())]
    found.differences += [f"{urn}: only the command has it" for urn in sorted(theirs.keys() - ours.keys())]
    if told.defaults:
        found.touched["provider defaults"] += told.defaults
    for urn in sorted(ours.keys() & theirs.keys()):
        _compare(ours[urn], theirs[urn], told, found)
    return found


def _compare(ours: Resource, theirs: Resource, told: Command, found: Comparison) -> None:
    for name in (item.name for item in fields(Resource)):
        left, right = getattr(ours, name), getattr(theirs, name)
        if _not_told(name, ours, told) and not right:
            found.touched["not printed"] += bool(left)
            continue
        if name == "aliases" and any(above.aliases for above in told.graph.ancestors(theirs)):
            # A plan tells declared aliases; those that come through a parent's are worked out against a state.
            found.touched["not printed"] += len(set(left) - set(right))
            left = tuple(alias for alias in left if alias in right)
        if name in _SETS:
            left, right = sorted(set(left)), sorted(set(right))
        if name == "source" and left != right and (_excused_source(ours, told) or not right):
            found.touched["source line"] += 1
            continue
        if name in ("inputs", "outputs"):
            _compare_values(left, right, f"{ours.urn} {name}", told, found)
        elif left != right:
            found.differences.append(f"{ours.urn} {name}: engine {left!r}, command {right!r}")
        found.compared += 1


def _not_told(name: str, resource: Resource, told: Command) -> bool:
    if name == "outputs":
        return not told.whole or resource.type == STACK_REFERENCE_TYPE
    if name == "version":
        # A resource with a provider of its own is served by that one, whatever version it asked for.
        return not resource.type.startswith(PROVIDER_PREFIX) and resource.urn not in told.defaulted
    return name in ("aliases", "delete_before_replace") and not told.whole


def _excused_source(ours: Resource, told: Command) -> bool:
    """Say whether the engine's line is one of those by which a resource of the program's own class came to be."""
    if not told.traces:
        return not ours.custom
    return ours.source in told.traces.get(ours.urn, ())


def _compare_values(left: Any, right: Any, place: str, told: Command, found: Comparison) -> None:
    if isinstance(left, Secret) and isinstance(right, Secret):
        sealed = left.value is UNKNOWN if told.whole else right.value is UNKNOWN
        if sealed:
            found.touched["secret mask"] += left.value is not right.value
        else:
            _compare_values(left.value, right.value, place, told, found)
    elif isinstance(left, Asset) and isinstance(right, Asset):
        found.touched["asset"] += 1
        if (left.kind, left.location) != (right.kind, right.location):
            found.differences.append(f"{place}: engine {left!r}, command {right!r}")
    elif isinstance(left, dict) and isinstance(right, dict):
        for key in sorted(left.keys() | right.keys()):
            if key in left and key in right:
                _compare_values(left[key], right[key], f"{place}.{key}", told, found)
            else:
                side = "engine" if key in left else "command"
                found.differences.append(f"{place}.{key}: only the {side} has it")
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            _compare_values(one, other, f"{place}[{index}]", told, found)
    elif type(left) is not type(right) or left != right:
        found.differences.append(f"{place}: engine {left!r}, command {right!r}")
