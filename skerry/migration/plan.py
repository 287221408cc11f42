"""The migration plan of two graphs: fates of resources, moves of data, and what people do before and after.

(1) What has the same URN in the same place keeps its data: nothing is moved.
(2) What is gone and keeps data is protected, so that Pulumi refuses to delete it until somebody allows that.
(3) What only the image knows (the tables of its SQLite) is moved by nothing of Skerry's, and the plan says so.
"""

from __future__ import annotations

from typing import Final

from skerry.errors import UsageError
from skerry.facts import DeploymentFact, deployments
from skerry.graph import ResourceGraph, is_known, plain
from skerry.migration.aethergraph import aethergraph_after, aethergraph_before, aethergraph_moves, is_local
from skerry.migration.compare import compare
from skerry.migration.document import Fate, MigrationPlan, Move, Part

SYSTEM: Final = "aethergraph"


def plan_migration(old: ResourceGraph, new: ResourceGraph, *, destination: str | None = None) -> MigrationPlan:
    """Return what becomes of a deployment under another configuration.

    Args:
        old: as it stands.
        new: as it shall be.
        destination: what to call the new one; left out, its stack.

    Raises:
        UsageError: the two are deployments of different systems, or none at all.
    """
    was, will = _deployment(old), _deployment(new)
    if was.system != will.system:
        raise UsageError(
            f"'{old.stacks[-1]}' is {was.system} and '{new.stacks[-1]}' is {will.system}: compare two of one system"
        )
    in_place = _place(was) == _place(will) and _cluster(old) == _cluster(new)
    if was.system == SYSTEM:
        in_place = in_place and is_local(was) == is_local(will)
    parts = compare(old, new) if in_place else _elsewhere(old, new)
    moves = aethergraph_moves(was, will, parts, in_place) if was.system == SYSTEM else _moves(parts)
    before, after = _before(parts), _after(parts, in_place, old, new)
    if was.system == SYSTEM:
        before, after = [*aethergraph_before(was, will), *before], [*after, *aethergraph_after(was, will)]
    return MigrationPlan(
        source=old.stacks[-1],
        destination=destination or new.stacks[-1],
        in_place=in_place,
        parts=parts,
        moves=tuple(moves),
        before=tuple(before),
        after=tuple(after),
    )


def _deployment(graph: ResourceGraph) -> DeploymentFact:
    found = deployments(graph)
    if not found:
        raise UsageError(f"'{graph.stacks[-1]}' is no deployment of Skerry's: name a stack of its own program")
    return found[-1][1]


def _place(fact: DeploymentFact) -> tuple[str, ...]:
    return (fact.target.kind, fact.target.region, fact.target.jurisdiction)


def _cluster(graph: ResourceGraph) -> object:
    """Return the context by which the stack reaches its cluster, where it names one."""
    for provider in graph.of_type("pulumi:providers:kubernetes"):
        if provider.stack == graph.stacks[-1] and is_known(provider.inputs.get("context")):
            return plain(provider.inputs.get("context"))
    return None


def _elsewhere(old: ResourceGraph, new: ResourceGraph) -> tuple[Part, ...]:
    """Return the fates where the two stand apart: the old one is left as it is, the new one is made whole."""
    empty = ResourceGraph(project=old.project, stacks=old.stacks, resources=())
    return (*compare(empty, new), *compare(old, empty))


def _moves(parts: tuple[Part, ...]) -> list[Move]:
    """Return what is known of data where nobody says more: which stores lose their place."""
    lost = sorted({part.component for part in parts if part.keeps_data and part.fate in (Fate.GONE, Fate.REPLACED)})
    return [Move(name, needed=True, why="its store is not in the new configuration") for name in lost]


def _before(parts: tuple[Part, ...]) -> list[str]:
    if not any(part.keeps_data and part.fate is not Fate.MADE for part in parts):
        return []
    found = ["take a backup of every store, and restore it once somewhere else"]
    for part in parts:
        if part.fate is Fate.REPLACED and part.keeps_data:
            found.append(
                f"{part.name} would be made anew, because of {', '.join(part.forced_by)}, and its data with it; it is "
                "protected, so that `pulumi up` refuses: leave that as it was, or move its data first"
            )
    return found


def _after(parts: tuple[Part, ...], in_place: bool, old: ResourceGraph, new: ResourceGraph) -> list[str]:
    found = []
    gone = [part for part in parts if part.fate is Fate.GONE]
    if in_place and old.stacks[-1] != new.stacks[-1] and any(part.fate is Fate.STAYS for part in parts):
        found.append(
            f"put the new configuration into the file of the stack that stands, Pulumi.{old.stacks[-1]}.yaml: the name "
            "of a stack is part of every URN, and under another name all of it would be made anew"
        )
    kept = sorted({part.component for part in gone if part.protected})
    if in_place and kept:
        found.append(
            f"`pulumi up` refuses to delete what is protected: once its data are moved, `pulumi state unprotect` "
            f"what belongs to {', '.join(kept)}; it is retained even then, and deleted by hand"
        )
    if not in_place and gone:
        found.append(f"once the new one serves, `pulumi destroy` the rest of {old.stacks[-1]}")
    return found
