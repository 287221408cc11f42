"""Compares the graph of the embedded engine with one that the real CLI gave.

Every field of every resource must be equal. What may differ stands in NORMALISED, and nothing else; each row counts the
fields that it touched, so that a test can hold the table itself to account.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from skerry.graph import UNKNOWN, Resource, ResourceGraph, Secret

NORMALISED = {
    "secret content": "both sides mark a secret; what it holds is masked in documents and may be known to the engine",
    "not in the document": "the CLI writes no aliases, versions, delete-before-replace or outputs into these documents",
    "source line": "the CLI names the SDK's own frame for some resources",
    "provider id": "state only: a deployed provider has an id where a preview has the mark of an unknown",
    "resource id": "state only: a deployed resource has an id",
    "deployed value": "state only: a deployment makes known what a preview could not know",
}
"""Row -> why the two may differ there."""

_ABSENT = ("aliases", "version", "delete_before_replace", "outputs")


@dataclass
class Comparison:
    """What differs, and how often each row of the table was needed."""

    differences: list[str] = field(default_factory=list)
    touched: Counter[str] = field(default_factory=Counter)
    compared: int = 0
    """How many fields were compared: an empty comparison proves nothing."""


def compare(engine: ResourceGraph, cli: ResourceGraph, *, deployed: bool = False) -> Comparison:
    """Compare graphs; `deployed` says that the CLI's graph is a state, not a preview."""
    found = Comparison()
    if engine.project != cli.project or engine.stacks != cli.stacks:
        found.differences.append(f"{engine.project} {engine.stacks} is not {cli.project} {cli.stacks}")
    ours, theirs = {one.urn: one for one in engine.resources}, {one.urn: one for one in cli.resources}
    found.differences += [f"only the engine has {urn}" for urn in sorted(ours.keys() - theirs.keys())]
    found.differences += [f"only the CLI has {urn}" for urn in sorted(theirs.keys() - ours.keys())]
    for urn in sorted(ours.keys() & theirs.keys()):
        _compare_resource(ours[urn], theirs[urn], deployed, found)
    return found


def _compare_resource(ours: Resource, theirs: Resource, deployed: bool, found: Comparison) -> None:
    for one in fields(Resource):
        mine, other = getattr(ours, one.name), getattr(theirs, one.name)
        found.compared += 1
        where = f"{ours.urn} {one.name}"
        row = _row_for(one.name, mine, other, deployed)
        if row is not None:
            found.touched[row] += mine != other
        elif one.name in ("inputs", "property_dependencies"):
            _compare_value(mine, other, where, deployed, found)
        elif mine != other:
            found.differences.append(f"{where}: {mine!r} is not {other!r}")


def _row_for(name: str, mine: Any, other: Any, deployed: bool) -> str | None:
    if name == "source":
        return "source line"
    if name in _ABSENT:
        return "not in the document"
    if name == "id" and deployed and not mine:
        return "resource id"
    same_provider = name == "provider" and mine and mine.rsplit("::", 1)[0] == other.rsplit("::", 1)[0]
    return "provider id" if deployed and same_provider else None


def _compare_value(mine: Any, other: Any, where: str, deployed: bool, found: Comparison) -> None:
    if isinstance(mine, Secret) and isinstance(other, Secret):
        found.touched["secret content"] += mine.value is not other.value
    elif mine is UNKNOWN and other is not UNKNOWN and deployed:
        found.touched["deployed value"] += 1
    elif isinstance(mine, Mapping) and isinstance(other, Mapping):
        for key in sorted(mine.keys() | other.keys()):
            found.compared += 1
            if key not in mine or key not in other:
                side = "engine" if key in mine else "CLI"
                found.differences.append(f"{where}.{key}: only the {side} has it: {mine.get(key, other.get(key))!r}")
            else:
                _compare_value(mine[key], other[key], f"{where}.{key}", deployed, found)
    elif isinstance(mine, list | tuple) and isinstance(other, list | tuple) and len(mine) == len(other):
        for index, (left, right) in enumerate(zip(mine, other, strict=True)):
            _compare_value(left, right, f"{where}[{index}]", deployed, found)
    elif type(mine) is not type(other) or mine != other:
        found.differences.append(f"{where}: {mine!r} is not {other!r}")
