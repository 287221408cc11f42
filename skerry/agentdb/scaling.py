"""Which architecture, how many nodes and how many shards: the decision matrix and the sharding table.

(1) regions: what the user says, else one for as many agents as a region carries, and three above that
(2) the matrix is asked for the agents of one region; its upper bounds are in the range
(3) nodes: an odd number within the row's range, because of an even one no side of a split is a majority
(4) shards: by episodes; where the analysis gives a range the upper number, because a later change moves keys
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

from skerry.agentdb import tables
from skerry.agentdb.rows import Batching, Matrix, Sharding
from skerry.errors import SizingError, UsageError
from skerry.figures import Figure, chosen, derived, stated, unknown

STORES: Final = ("reflexion", "skills", "causal", "graph")
"""The functional shards."""

MAX_AGENTS: Final = 10_000_000
"""More than a hundred times what the analysis speaks of: a slip of the keyboard."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the agents run."""

    row: Matrix
    architecture: str
    """By the agents of all regions."""
    regions: Figure
    agents_a_region: Figure
    nodes_a_region: Figure
    nodes: Figure
    nodes_highest: Figure
    """To which the row lets a region grow."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shards:
    """How the stores are split."""

    strategy: str
    functional: Figure
    hash_shards: Figure
    """Of each store; 1 where there is no hash."""
    files: Figure
    """Database files of one copy."""
    paths: tuple[str, ...]
    seed: str
    notes: tuple[str, ...]


def matrix_row(agents: int) -> Matrix:
    """Return the row of the decision matrix for so many agents; upper bounds are in the range.

    Raises:
        UsageError: there are no agents.
    """
    if agents < 1:
        raise UsageError(f"agents {agents} is not a number of agents: give 1 or more")
    return next(row for row in tables.scaling().matrix if row.holds(agents))


def sharding_row(episodes: int) -> Sharding:
    """Return how so many episodes are split: below 10,000, up to 100,000, up to 1,000,000, above."""
    return next(row for row in tables.scaling().sharding if row.holds(max(episodes, 1)))


def batching_row(episodes: int) -> Batching:
    """Return how so many episodes of one iteration are written."""
    return next(row for row in tables.scaling().batching if row.holds(max(episodes, 1)))


def layout(agents: int, regions: int | None = None, machines: int | None = None) -> Layout:
    """Return architecture and nodes.

    Args:
        agents: of all regions, at once.
        regions: what the user wants.
        machines: nodes of one region, where the user wants another number than the matrix.

    Raises:
        UsageError: a number cannot be used.
        SizingError: more nodes than anybody thinks possible, or fewer than the matrix has.
    """
    whole = matrix_row(agents)
    limits = tables.scaling().limits
    count = _regions(agents, regions, whole)
    share = ceil(agents / int(count.known))
    most = limits["agents_a_region"]
    if share > most.value:
        raise SizingError(
            f"{agents} agents in {count.known} regions are {share} a region, more than the {most.value} that the "
            f"analysis speaks of ({most.seed}): give --regions {ceil(agents / int(most.value))} or more"
        )
    row = matrix_row(share)
    nodes, highest = _nodes(row, count, machines, geo=whole.multi_region or count.known > 1)
    total = derived(
        nodes.known * count.known, "nodes", (*nodes.seeds, *count.seeds), f"{nodes.known} nodes x {count.known} regions"
    )
    notes = _held_nodes(int(total.known))
    a_region = derived(share, "agents", count.seeds, f"{agents} agents / {count.known} regions, rounded up")
    architecture = "multi-region-cluster" if count.known > 1 else row.architecture
    return Layout(whole, architecture, count, a_region, nodes, total, highest, notes)


def _regions(agents: int, wanted: int | None, row: Matrix) -> Figure:
    limits = tables.scaling().limits
    if wanted is not None:
        if wanted < 1:
            raise UsageError(f"regions {wanted} is not a number of regions: give 1 or more")
        if row.multi_region and wanted == 1:
            raise SizingError(
                f"{agents} agents in one region: above 10000 the analysis has several regions ({row.seed}), a region "
                f"carries {limits['agents_a_region'].value} ({limits['agents_a_region'].seed}): leave --regions out"
            )
        return chosen(wanted, "regions", "as asked")
    if not row.multi_region:
        return chosen(1, "regions", "one is enough", row.seed)
    needed = ceil(agents / int(limits["agents_a_region"].value))
    least = int(limits["regions"].value)
    seeds = (row.seed, limits["agents_a_region"].seed, limits["regions"].seed)
    return derived(max(needed, least), "regions", seeds, f"{agents} / 10000 a region, and not fewer than {least}")


def _nodes(row: Matrix, regions: Figure, wanted: int | None, *, geo: bool) -> tuple[Figure, Figure]:
    low, high = row.nodes or (1, 1)
    seeds = [row.seed]
    if geo:
        three = tables.scaling().limits["nodes_a_region"]
        low, high = max(low, int(three.value)), max(high, int(three.value))
        seeds.append(three.seed)
    text = f"{low} to {high} by the matrix" if low != high else f"{low} by the matrix"
    if wanted is not None:
        if wanted < low:
            raise SizingError(
                f"{wanted} nodes a region are fewer than the {low} of the analysis ({', '.join(seeds)}): "
                f"give --machines {low} or more, or leave it out"
            )
        even = ", an even number: half of them are no majority" if wanted % 2 == 0 else ""
        return chosen(wanted, "nodes a region", f"as asked ({text}{even})", *seeds), stated(
            max(high, wanted), "nodes a region", *seeds
        )
    odd = low if low % 2 else min(low + 1, high)
    why = text if odd == low else f"{text}; {odd}, since half of {low} is no majority"
    return derived(odd, "nodes a region", seeds, why), stated(high, "nodes a region", *seeds)


def _held_nodes(total: int) -> tuple[str, ...]:
    limits = tables.scaling().limits
    tested, thinkable = limits["nodes_tested"], limits["nodes_theoretical"]
    if total > thinkable.value:
        raise SizingError(
            f"{total} nodes are more than the {thinkable.value} that the analysis thinks possible ({thinkable.seed}): "
            "split the agents into deployments of their own, or ask for fewer"
        )
    if total > tested.value:
        return (f"{total} nodes: more than {tested.value} were never tested ({tested.seed})",)
    return ()


def shards(episodes: int | None, users: int | None = None) -> Shards:
    """Return how the stores are split; without a number of episodes nobody can say.

    More sessions at once than the analysis splits by hash (`users`) need hash shards, however few episodes there are.
    """
    if episodes is None:
        missing = unknown("shards", "depends on the episodes: give --episodes")
        return Shards("unknown", missing, missing, missing, (), "", ())
    row = sharding_row(episodes)
    limit = tables.scaling().limits["sessions_for_hash"]
    notes: tuple[str, ...] = ()
    if users is not None and users > limit.value and row.hash_shards is None:
        row = next(one for one in tables.scaling().sharding if one.hash_shards is not None)
        notes = (f"{users} users are more than {limit.value} sessions, which are split by hash ({limit.seed})",)
    parts = len(STORES) if row.functional else 1
    functional = stated(parts, "stores apart", row.seed)
    hashed, more = _hash(row)
    files = derived(parts * hashed.known, "files", (row.seed,), f"{parts} stores x {hashed.known} shards")
    return Shards(row.strategy, functional, hashed, files, _paths(row, int(hashed.known)), row.seed, (*notes, *more))


def sessions_a_shard(users: int | None, split: Shards) -> Figure | None:
    """Return how many sessions each hash shard has; None where nobody says how many users there are."""
    if users is None:
        return None
    if split.hash_shards.value is None:
        return unknown("sessions a shard", split.hash_shards.how)
    share = ceil(users / int(split.hash_shards.known))
    return derived(share, "sessions a shard", split.hash_shards.seeds, f"{users} / {split.hash_shards.known}")


def _hash(row: Sharding) -> tuple[Figure, tuple[str, ...]]:
    if row.hash_shards is None:
        return chosen(1, "shards a store", "no hash is needed", row.seed), ()
    low, high = row.hash_shards
    modulo = tables.scaling().limits["hash_modulo"]
    moved = f"changing it moves keys, since the shard is a sum modulo the number of shards ({modulo.seed})"
    if high is None:
        return stated(low, "shards a store", row.seed, how=f"{low} or more; {moved}"), (moved,)
    return chosen(high, "shards a store", f"the upper of {low} to {high}: {moved}", row.seed), (moved,)


def _paths(row: Sharding, hash_shards: int) -> tuple[str, ...]:
    if not row.functional:
        return ("agentdb.graph",)
    if hash_shards == 1:
        return tuple(f"{store}.graph" for store in STORES)
    return tuple(f"{store}/shard-{number}.graph" for store in STORES for number in range(hash_shards))
