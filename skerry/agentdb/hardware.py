"""What one node needs: every source of the analysis side by side, the largest counts.

(1) memory: the load test at the agents of one region, undivided, because every node holds a copy of everything and may
    become the primary; over the share of memory at which the analysis' autoscaler acts, which leaves headroom
(2) the tables of sections 8, 10 and 11 beside it; the largest of all counts
(3) what contradicts the load test is shown and never taken
(4) sizes of machines are sold in steps: cores and memory are taken to the next that is sold
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Final

from skerry.agentdb import tables
from skerry.agentdb.load import Load, load_at, tested_concurrencies
from skerry.agentdb.rows import Architecture, Matrix, ScenarioNeed, SingleNode
from skerry.errors import SizingError
from skerry.figures import Figure, Source, chosen, derived, largest, stated, tidy

MEMORY_STEPS_MIB: Final = tuple(512 * 2**power for power in range(13))
"""Half a GiB to 2 TiB, each twice the one before: how machines are sold."""

CONTRADICTED: Final = "contradicted by the load test"

COPIES_ON_DISK: Final = 2
"""A backup of a file store is a second, whole file beside the first (VACUUM INTO) before it leaves the node."""


@dataclass(frozen=True, slots=True)
class Node:
    """What one node needs, with every source."""

    cores: Figure
    memory_mib: Figure
    disk_gb: Figure
    network_mbps: Figure
    cores_by: tuple[Source, ...]
    memory_by: tuple[Source, ...]
    disk_by: tuple[Source, ...]
    network_by: tuple[Source, ...]
    load: Load
    """The load test that memory is taken from."""

    @property
    def memory_is_least(self) -> bool:
        """Whether more may be needed, because more requests at once are asked for than were measured."""
        return self.load.memory_mb.value is None and self.load.concurrency > max(tested_concurrencies())


def node(row: Matrix, agents_a_region: int, nodes_a_region: int, concurrency: int, copy: Figure | None = None) -> Node:
    """Return what one node of a region needs; `copy` is the size of the records, where it is known."""
    load = load_at(agents_a_region, concurrency)
    memory_by = largest(
        [*_memory_measured(load), *_memory_tables(row, agents_a_region, nodes_a_region), *_claims(load)]
    )
    cores_by = largest(_cores(row, agents_a_region, nodes_a_region))
    disk_by = largest(_disk(agents_a_region, nodes_a_region, copy))
    network_by = largest(_network(agents_a_region, nodes_a_region))
    return Node(
        cores=_taken(cores_by, "cores"),
        memory_mib=_stepped(_taken(memory_by, "MiB")),
        disk_gb=_taken(disk_by, "GB"),
        network_mbps=_taken(network_by, "Mbps"),
        cores_by=cores_by,
        memory_by=memory_by,
        disk_by=disk_by,
        network_by=network_by,
        load=load,
    )


def check_memory(need: Node, wanted_gib: Decimal) -> None:
    """Refuse a node that has less memory than the sources say.

    Raises:
        SizingError: the node is too small.
    """
    least = next(one for one in need.memory_by if one.counts).figure
    if wanted_gib * 1024 < least.known:
        raise SizingError(
            f"a node of {tidy(wanted_gib)} GiB is too small: {tidy(least.known)} MiB are needed "
            f"({least.how or 'stated'}; {', '.join(least.seeds)}): "
            f"give --node-memory-gib {tidy(need.memory_mib.known / 1024)} or more"
        )


def _taken(sources: tuple[Source, ...], unit: str) -> Figure:
    one = next(source for source in sources if source.counts)
    return derived(one.figure.known, unit, one.figure.seeds, f"the largest of all sources: {one.says}")


def _stepped(need: Figure) -> Figure:
    """Return the next size that machines are sold with."""
    step = next((size for size in MEMORY_STEPS_MIB if size >= need.known), MEMORY_STEPS_MIB[-1])
    return derived(step, "MiB", need.seeds, f"{tidy(need.known)} MiB, the next size sold ({need.how})")


def _memory_measured(load: Load) -> list[Source]:
    share = tables.scaling().limits["memory_target_percent"]
    measured = load.memory_mb
    if measured.value is None:
        most = max(tested_concurrencies())
        if load.concurrency <= most or load_at(load.agents, most).memory_mb.value is None:
            return [_shown("load test", measured)]
        (least,) = _memory_measured(load_at(load.agents, most))
        return [_shown("load test", measured), Source(f"{least.says}: a lower bound", least.figure, counts=False)]
    needed = (measured.known * 100 / share.value).quantize(Decimal(1), rounding=ROUND_CEILING)
    text = f"{tidy(measured.known)} MB at {load.agents} agents and {load.concurrency} at once / {share.value} %"
    return [_shown("load test with headroom", derived(needed, "MiB", (*measured.seeds, share.seed), text))]


def _memory_tables(row: Matrix, agents: int, nodes: int) -> list[Source]:
    found = [_shown("decision matrix (11.4)", stated(row.memory_mb, "MiB", row.seed))]
    single, scenario, cluster = _rows(agents, nodes)
    if single is not None:
        found.append(_shown(f"production {single.name} (8.1)", stated(single.memory_mb, "MiB", single.seed)))
    if scenario is not None:
        found.append(_shown(f"scenario {scenario.name} (8.2)", stated(scenario.memory_mb, "MiB", scenario.seed)))
    if cluster is not None and cluster.memory_mb is not None:
        figure = stated(cluster.memory_mb[1], "MiB", cluster.line("memory_mb"))
        found.append(_shown(f"architecture {cluster.name} (10) upper end", figure))
    return found


def _claims(load: Load) -> list[Source]:
    """Return what other sections say of memory at the next number of agents that they name."""
    claims = tables.hardware().claims_of_memory
    at = min((one.at for one in claims if one.at >= load.agents), default=None)
    found = [
        Source(f"{one.says} at {one.at} agents", stated(one.memory_mb, "MiB", one.seed), False, CONTRADICTED)
        for one in claims
        if one.at == at
    ]
    growth = tables.hardware().memory_a_thousand_agents
    how = f"{growth.high_mb} MB x {load.agents} / 1000"
    figure = derived(Decimal(growth.high_mb) * load.agents / 1000, "MiB", (growth.seed,), how)
    return [*found, Source("remark of the load test", figure, False, CONTRADICTED)]


def _shown(says: str, figure: Figure) -> Source:
    """Return a source of which `largest` will say whether it counts."""
    return Source(says, figure, counts=False)


def _rows(agents: int, nodes: int) -> tuple[SingleNode | None, ScenarioNeed | None, Architecture | None]:
    """Return the smallest rows of sections 8.1, 8.2 and 10 that carry so many agents."""
    source = tables.hardware()
    single = next((one for one in source.single_node if agents <= one.upto), None)
    scenario = next((one for one in source.scenarios if agents <= one.upto), None)
    wanted = 1 if nodes == 1 else 3
    found = [one for one in tables.profiles().architectures if one.nodes == wanted and agents <= one.max_agents]
    return single, scenario, found[0] if found else None


def _cores(row: Matrix, agents: int, nodes: int) -> list[Source]:
    found = [_shown("decision matrix (11.4)", stated(row.cores, "cores", row.seed))]
    single, scenario, cluster = _rows(agents, nodes)
    if single is not None:
        found.append(_shown(f"production {single.name} (8.1)", stated(_up(single.cores), "cores", single.seed)))
    if scenario is not None:
        how = f"{scenario.cores} cores, whole ones are sold"
        figure = derived(_up(scenario.cores), "cores", (scenario.seed,), how)
        found.append(_shown(f"scenario {scenario.name} (8.2)", figure))
    if cluster is not None and cluster.cores is not None:
        figure = stated(cluster.cores[1], "cores", cluster.line("cores"))
        found.append(_shown(f"architecture {cluster.name} (10) upper end", figure))
    return found


def _disk(agents: int, nodes: int, copy: Figure | None) -> list[Source]:
    single, scenario, cluster = _rows(agents, nodes)
    found = []
    if single is not None:
        found.append(_shown(f"production {single.name} (8.1)", stated(single.disk_gb, "GB", single.seed)))
    if scenario is not None:
        figure = derived(Decimal(scenario.disk_mb) / 1000, "GB", (scenario.seed,), f"{scenario.disk_mb} MB / 1000")
        found.append(_shown(f"scenario {scenario.name} (8.2)", figure))
    if cluster is not None and cluster.disk_gb is not None:
        figure = stated(cluster.disk_gb[1], "GB", cluster.line("disk_gb"))
        found.append(_shown(f"architecture {cluster.name} (10) upper end", figure))
    if copy is not None and copy.value is not None:
        how = f"{tidy(copy.known)} MB of records x {COPIES_ON_DISK}: the stores, and the copy that a backup makes"
        needed = (copy.known * COPIES_ON_DISK / 1000).quantize(Decimal(1), rounding=ROUND_CEILING)
        found.append(_shown("the records", derived(needed, "GB", copy.seeds, how)))
    return found


def _network(agents: int, nodes: int) -> list[Source]:
    single, scenario, cluster = _rows(agents, nodes)
    found = []
    if single is not None:
        found.append(_shown(f"production {single.name} (8.1)", stated(single.network_mbps, "Mbps", single.seed)))
    if scenario is not None:
        figure = stated(scenario.network_mbps, "Mbps", scenario.seed)
        found.append(_shown(f"scenario {scenario.name} (8.2)", figure))
    if cluster is not None and cluster.network_mbps is not None:
        figure = stated(cluster.network_mbps, "Mbps", cluster.line("network_mbps"))
        found.append(_shown(f"architecture {cluster.name} (10)", figure))
    return found


def _up(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1), rounding=ROUND_CEILING)


def default_concurrency() -> Figure:
    """Return how many requests at once are taken where nobody says: the most that was measured."""
    best = tables.scaling().limits["concurrency_best_high"]
    return chosen(max(tested_concurrencies()), "requests at once", "the most that was measured", best.seed)
