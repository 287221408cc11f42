"""Bandwidth by the number of nodes, and what is sent in a month."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from skerry.agentdb import tables
from skerry.agentdb.rows import NetworkNeed
from skerry.errors import UsageError
from skerry.figures import Figure, derived, stated, unknown


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """What a deployment needs of its network."""

    name: str
    topology: str
    inbound: Figure
    outbound: Figure
    sync: Figure
    total: Figure
    a_pair: Figure | None
    """Of two regions, where there are several."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Transfer:
    """What is sent in a month."""

    batches_s: Decimal
    gb: Figure
    """GB of 1,000,000,000 bytes."""
    mbps: Figure


def bandwidth(nodes_a_region: int, regions: int) -> Bandwidth:
    """Return the bandwidth of a deployment: the smallest row that has as many nodes."""
    source = tables.network()
    notes: list[str] = []
    if regions > 1:
        pairs = regions * (regions - 1) // 2
        sync = source.multi_region
        share = derived(
            Decimal(sync.sync_mbps) / pairs, "Mbps a pair", (sync.seed,),
            f"{sync.sync_mbps} Mbps / {pairs} pairs of regions, shared evenly: an assumption of Skerry's",
        )  # fmt: skip
        if regions > 3:
            notes.append(f"{regions} regions: the analysis' figure is of three (003:5086)")
        return _need(sync, share, notes)
    row = next((one for one in source.deployments if one.upto_nodes is None or nodes_a_region <= one.upto_nodes), None)
    if row is None:
        most = source.deployments[-1]
        missing = unknown("Mbps", f"{nodes_a_region} nodes are more than the {most.upto_nodes} of section 8.4")
        least = tables.scaling().limits["network_for_ten_nodes"]
        notes.append(f"at least {least.value} Mbps for ten nodes or more ({least.seed})")
        return Bandwidth("more than ten nodes", "hierarchy", missing, missing, missing, missing, None, tuple(notes))
    if row.upto_nodes != nodes_a_region:
        notes.append(f"the row of {row.upto_nodes} nodes, the next that has {nodes_a_region}")
    if nodes_a_region >= 10:
        least = tables.scaling().limits["network_for_ten_nodes"]
        notes.append(f"at least {least.value} Mbps for ten nodes or more ({least.seed})")
    return _need(row, None, notes)


def _need(row: NetworkNeed, pair: Figure | None, notes: list[str]) -> Bandwidth:
    return Bandwidth(
        row.name,
        row.topology,
        stated(row.in_mbps, "Mbps", row.seed),
        stated(row.out_mbps, "Mbps", row.seed),
        stated(row.sync_mbps, "Mbps", row.seed),
        stated(row.total_mbps, "Mbps", row.seed),
        pair,
        tuple(notes),
    )


def transfer(batches_s: Decimal) -> Transfer:
    """Return what so many batches of 100 episodes each second are in a month of 30 days.

    Raises:
        UsageError: the number cannot be used.
    """
    if not batches_s.is_finite() or not 0 < batches_s <= 1_000_000:
        raise UsageError(f"batches {batches_s} is not a number of batches a second: give more than 0 and up to 1000000")
    source = tables.network()
    kilobytes, seconds = source.sizes["batch_kb"], source.transfer["seconds_a_month"]
    gb = kilobytes.value * batches_s * seconds.value / 1_000_000
    how = f"{kilobytes.value} KB x {batches_s} x {seconds.value} s"
    return Transfer(
        batches_s,
        derived(gb, "GB a month", (kilobytes.seed, seconds.seed), how),
        derived(kilobytes.value * batches_s * 8 / 1000, "Mbps", (kilobytes.seed,), f"{kilobytes.value} KB x 8 bits"),
    )
