"""The answer to "how large must AgentDB be": every part of it, each number with the line on which it stands.

Prices are no part of it: what things cost is joined to it by whoever has a price book.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from skerry.agentdb import beside, hardware, layers, load, network, profiles, scaling, service, storage, tables
from skerry.agentdb.rows import Architecture, Batching, Bottleneck, Contradiction, Phase, Profile, Tier
from skerry.errors import UsageError
from skerry.figures import Figure, chosen

TARGETS = ("aws", "gcp", "azure", "hosts")
MAX_USERS = 10**9


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user wants to know; None: not said."""

    agents: int
    concurrency: int | None = None
    """Requests at once."""
    episodes: int | None = None
    skills: int | None = None
    causal_edges: int | None = None
    graph_nodes: int | None = None
    regions: int | None = None
    machines: int | None = None
    """Nodes of one region."""
    node_memory_gib: Decimal | None = None
    users: int | None = None
    """Sessions at once."""
    batches_s: Decimal | None = None
    """Batches of 100 episodes that leave for the internet each second."""
    target: str = "aws"
    edge: bool = False
    """An edge before the regions, which only reads."""
    profile: str | None = None

    def records(self) -> dict[str, int | None]:
        """Return the numbers of records by name."""
        return {name: getattr(self, name) for name in storage.RECORDS}


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything that follows."""

    asked: Asked
    concurrency: Figure
    layout: scaling.Layout
    section_10: Architecture | None
    """The architecture of section 10 with as many nodes and regions."""
    node: hardware.Node
    scenarios: tuple[beside.Scenario, ...]
    """Single ones with at most as many agents."""
    copies: beside.Copies | None
    """None: one node."""
    disk_iops: Figure
    carried: tuple[beside.Carried, ...]
    """What a node's disk carries."""
    loads: tuple[load.Load, ...]
    """Of one region, at each number of requests at once that was measured, and the one asked for."""
    bottleneck: Bottleneck
    other_bottleneck: Bottleneck | None
    storage: storage.Size | None
    shards: scaling.Shards
    sessions_a_shard: Figure | None
    batching: Batching | None
    bandwidth: network.Bandwidth
    transfer: network.Transfer | None
    objectives: tuple[service.Objective, ...]
    claims: tuple[service.Claim, ...]
    profile: Profile
    tier: Tier
    phase: Phase | None
    edge: layers.EdgeLayers | None
    """Where an edge is asked for."""
    contradictions: tuple[Contradiction, ...]


def answer(asked: Asked) -> Answer:
    """Return the answer.

    Raises:
        UsageError: a number or name cannot be used.
        SizingError: what is asked cannot work.
    """
    _check(asked)
    layout = scaling.layout(asked.agents, asked.regions, asked.machines)
    a_region, nodes = int(layout.agents_a_region.known), int(layout.nodes_a_region.known)
    at_once = hardware.default_concurrency()
    if asked.concurrency is not None:
        at_once = chosen(asked.concurrency, "requests at once", "as asked")
    size = storage.size(asked.records(), int(layout.nodes.known))
    node = hardware.node(layout.row, a_region, nodes, int(at_once.known), size.copy if size else None)
    if asked.node_memory_gib is not None:
        hardware.check_memory(node, asked.node_memory_gib)
    shards = scaling.shards(asked.episodes, asked.users)
    levels = sorted({*load.tested_concurrencies(), int(at_once.known)})
    profile = profiles.profile_for(asked.agents, asked.profile)
    disk_iops, carried = beside.carried(asked.target)
    return Answer(
        asked=asked,
        concurrency=at_once,
        layout=layout,
        section_10=profiles.architecture_for(int(layout.nodes.known), int(layout.regions.known)),
        node=node,
        loads=tuple(load.load_at(a_region, level) for level in levels),
        scenarios=beside.scenarios(asked.agents),
        copies=beside.copies(int(layout.nodes.known)),
        disk_iops=disk_iops,
        carried=carried,
        bottleneck=load.bottleneck_at(asked.agents),
        other_bottleneck=load.other_bottleneck_at(asked.agents),
        storage=size,
        shards=shards,
        sessions_a_shard=scaling.sessions_a_shard(asked.users, shards),
        batching=scaling.batching_row(asked.episodes) if asked.episodes is not None else None,
        bandwidth=network.bandwidth(nodes, int(layout.regions.known)),
        transfer=network.transfer(asked.batches_s) if asked.batches_s is not None else None,
        objectives=service.objectives(int(layout.nodes.known)),
        claims=service.claims(node.load, profile),
        profile=profile,
        tier=profiles.tier_for(asked.agents),
        phase=profiles.phase_for(asked.agents),
        edge=layers.edge_layers() if asked.edge else None,
        contradictions=_touching(asked, layout, profile),
    )


def _check(asked: Asked) -> None:
    if asked.agents < 1 or asked.agents > scaling.MAX_AGENTS:
        raise UsageError(f"agents {asked.agents} is not a number of agents: give 1 to {scaling.MAX_AGENTS}")
    if asked.target not in TARGETS:
        raise UsageError(f"target '{asked.target}' is none: choose one of {', '.join(TARGETS)}")
    if asked.concurrency is not None and asked.concurrency < 1:
        raise UsageError(f"concurrency {asked.concurrency} is not a number of requests at once: give 1 or more")
    if asked.users is not None and not 1 <= asked.users <= MAX_USERS:
        raise UsageError(f"users {asked.users} is not a number of users: give 1 to {MAX_USERS}")
    if asked.machines is not None and asked.machines < 1:
        raise UsageError(f"machines {asked.machines} is not a number of nodes: give 1 or more")
    memory = asked.node_memory_gib
    if memory is not None and (not memory.is_finite() or memory <= 0):
        raise UsageError(f"node memory {memory} is not a number of GiB: give more than 0")


def _touching(asked: Asked, layout: scaling.Layout, profile: Profile) -> tuple[Contradiction, ...]:
    """Return the contradictions that this answer stands on."""
    facts = {
        "agents": asked.agents, "nodes": int(layout.nodes.known), "regions": int(layout.regions.known),
        "episodes": asked.episodes or 0,
    }  # fmt: skip
    shown = {"load", "memory", "hardware", "architecture", "bottleneck", "slo", "network", "cost"}
    if asked.episodes is not None or any(count is not None for count in asked.records().values()):
        shown |= {"storage", "sharding"}
    found = []
    for one in tables.contradictions():
        when = one.when
        fits = (
            bool(shown & set(one.touches))
            and facts["agents"] >= (when.agents_from or 0)
            and (when.agents_to is None or facts["agents"] <= when.agents_to)
            and facts["nodes"] >= (when.nodes_from or 0)
            and facts["regions"] >= (when.regions_from or 0)
            and facts["episodes"] >= (when.episodes_from or 0)
            and when.target in (None, asked.target)
            and when.profile in (None, profile.name)
            and (asked.edge or not when.edge)
        )
        if fits:
            found.append(one)
    return tuple(found)
