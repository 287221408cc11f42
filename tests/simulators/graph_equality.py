"""Says where two graphs of one stack differ, after a closed list of differences that have a reason.

Each entry of NORMALISED names what it changes and why; `Comparison.touched` counts how often it did, so that a test can
say that an entry never hides more than it should.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Any, Final

from skerry.graph import STACK_REFERENCE_TYPE, UNKNOWN, Asset, Resource, ResourceGraph, Secret

NORMALISED: Final = {
    "outputs": "a preview does not print what components and stacks registered, nor what a stack reference read",
    "version": "a preview prints the plugin version of providers only",
    "aliases": "a preview does not print aliases",
    "delete_before_replace": "a preview does not print it",
    "source": "for a component the engine names the line that makes it, the command a line of its constructor",
    "secret value": "the command masks a secret that the engine, which reads plain configuration, may know",
    "order of secret outputs": "a set that each side writes in an order of its own",
    "asset": "an asset is printed with its hash, and a text asset with its text",
}
_PROVIDER_VERSIONED: Final = "pulumi:providers:"


@dataclass(slots=True)
class Comparison:
    """What a comparison found."""

    differences: list[str] = field(default_factory=list)
    touched: Counter[str] = field(default_factory=Counter)
    compared: int = 0
    """Fields that were compared as they are."""


def differences(engine: ResourceGraph, command: ResourceGraph) -> Comparison:
    """Compare the embedded engine's graph with what the command printed as a preview."""
    found = Comparison()
    for what, ours, theirs in (
        ("project", engine.project, command.project),
        ("stacks", engine.stacks, command.stacks),
    ):
        if ours != theirs:
            found.differences.append(f"{what}: engine {ours!r}, command {theirs!r}")
    ours, theirs = ({r.urn: r for r in graph.resources} for graph in (engine, command))
    found.differences += [f"only the engine has {urn}" for urn in sorted(ours.keys() - theirs.keys())]
    found.differences += [f"only the command has {urn}" for urn in sorted(theirs.keys() - ours.keys())]
    for urn in sorted(ours.keys() & theirs.keys()):
        _compare(ours[urn], theirs[urn], found)
    return found


def _compare(ours: Resource, theirs: Resource, found: Comparison) -> None:
    for name in (item.name for item in fields(Resource)):
        left, right = getattr(ours, name), getattr(theirs, name)
        if _not_printed(name, ours) and not right:
            found.touched[name] += bool(left)
            continue
        if name == "source" and not ours.custom and left and right:
            found.touched[name] += left != right
            continue
        if name == "additional_secret_outputs" and left != right:
            found.touched["order of secret outputs"] += 1
            left, right = sorted(left), sorted(right)
        if name in ("inputs", "outputs"):
            _compare_values(left, right, f"{ours.urn} {name}", found)
        elif left != right:
            found.differences.append(f"{ours.urn} {name}: engine {left!r}, command {right!r}")
        found.compared += 1


def _not_printed(name: str, resource: Resource) -> bool:
    if name == "outputs":
        return not resource.custom or resource.type == STACK_REFERENCE_TYPE
    if name == "version":
        return not resource.type.startswith(_PROVIDER_VERSIONED)
    return name in ("aliases", "delete_before_replace")


def _compare_values(left: Any, right: Any, place: str, found: Comparison) -> None:
    if isinstance(left, Secret) and isinstance(right, Secret):
        found.touched["secret value"] += left.value is not UNKNOWN
    elif isinstance(left, Asset) and isinstance(right, Asset):
        found.touched["asset"] += left != right
        if left.kind != right.kind:
            found.differences.append(f"{place}: engine {left!r}, command {right!r}")
    elif isinstance(left, dict) and isinstance(right, dict):
        for key in sorted(left.keys() | right.keys()):
            if key in left and key in right:
                _compare_values(left[key], right[key], f"{place}.{key}", found)
            else:
                side = "engine" if key in left else "command"
                found.differences.append(f"{place}.{key}: only the {side} has it")
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            _compare_values(one, other, f"{place}[{index}]", found)
    elif type(left) is not type(right) or left != right:
        found.differences.append(f"{place}: engine {left!r}, command {right!r}")
