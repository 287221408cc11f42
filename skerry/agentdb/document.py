"""The answer as plain values, which is written as JSON: schema `skerry.size/1`; docs/sizing.md says what keys mean."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from skerry.agentdb import tables
from skerry.agentdb.answer import Answer, Asked
from skerry.agentdb.beside import Carried, Copies, Scenario
from skerry.agentdb.layers import EdgeLayers
from skerry.agentdb.load import Load
from skerry.agentdb.plans import Run
from skerry.agentdb.rows import DOCUMENTS, Bottleneck, Contradiction
from skerry.agentdb.scaling import Shards
from skerry.agentdb.service import Claim, Objective
from skerry.agentdb.settings import settings
from skerry.agentdb.storage import Size
from skerry.figures import Figure, Source

SCHEMA: Final = "skerry.size/1"
PLACES: Final = 4
"""Decimal places of numbers in the document."""


def number(value: Decimal | None) -> int | float | None:
    """Return a number as JSON has it."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(round(value, PLACES))


def figure(one: Figure) -> dict[str, Any]:
    """Return a number with its unit, its kind, its lines and its arithmetic."""
    return {
        "value": number(one.value), "unit": one.unit, "kind": one.kind.value, "seeds": list(one.seeds), "how": one.how,
    }  # fmt: skip


def _sources(found: Iterable[Source]) -> list[dict[str, Any]]:
    return [{"says": one.says, "counts": one.counts, "whyNot": one.why_not, **figure(one.figure)} for one in found]


def to_document(answer: Answer) -> dict[str, Any]:
    """Return the whole answer."""
    layout, node = answer.layout, answer.node
    return {
        "schema": SCHEMA,
        "system": "agentdb",
        "documents": {"003": DOCUMENTS["003"]},
        "asked": _asked(answer.asked),
        "architecture": {
            "name": layout.architecture,
            "matrixRow": layout.row.architecture,
            "batching": layout.row.batching,
            "sharded": layout.row.sharded,
            "upTo": layout.row.upto,
            "seed": layout.row.seed,
            "regions": figure(layout.regions),
            "agentsARegion": figure(layout.agents_a_region),
            "nodesARegion": figure(layout.nodes_a_region),
            "nodesARegionHighest": figure(layout.nodes_highest),
            "nodes": figure(layout.nodes),
            "section10": answer.section_10.name if answer.section_10 else None,
            "notes": list(layout.notes),
        },
        "node": {
            "cores": {**figure(node.cores), "sources": _sources(node.cores_by)},
            "memory": {**figure(node.memory_mib), "atLeast": node.memory_is_least, "sources": _sources(node.memory_by)},
            "disk": {
                **figure(node.disk_gb),
                "sources": _sources(node.disk_by),
                "operations": figure(answer.disk_iops),
                "carries": [_carried(one) for one in answer.carried],
            },
            "network": {**figure(node.network_mbps), "sources": _sources(node.network_by)},
        },
        "storage": _storage(answer.storage),
        "sharding": _sharding(answer.shards, answer.sessions_a_shard),
        "batching": None if answer.batching is None else {"rule": answer.batching.rule, "seed": answer.batching.seed},
        "network": _network(answer),
        "load": {
            "concurrency": figure(answer.concurrency),
            "measured": [_load(one) for one in answer.loads],
            "machine": tables.stress().environment.model_dump(mode="json", exclude={"lines"}),
            "scenarios": [_scenario(one) for one in answer.scenarios],
        },
        "bottleneck": _bottleneck(answer.bottleneck),
        "otherBottleneck": _bottleneck(answer.other_bottleneck),
        "slo": [_objective(one) for one in answer.objectives],
        "claims": [_claim(one) for one in answer.claims],
        "profile": answer.profile.model_dump(mode="json", exclude_none=True),
        "phase": None if answer.phase is None else answer.phase.model_dump(mode="json"),
        "conclusion": answer.tier.model_dump(mode="json", exclude_none=True),
        "edge": _edge(answer.edge),
        "alerts": [one.model_dump(mode="json", exclude={"lines"}) for one in tables.operations().alerts],
        "settings": settings(answer),
        "contradictions": [contradiction(one) for one in answer.contradictions],
    }  # fmt: skip


def _asked(asked: Asked) -> dict[str, Any]:
    names = (
        "agents", "concurrency", "episodes", "skills", "causal_edges", "graph_nodes", "regions", "machines", "users",
        "target", "profile", "edge",
    )  # fmt: skip
    found = {name: getattr(asked, name) for name in names}
    return {
        **{_camel(name): value for name, value in found.items()},
        "nodeMemoryGib": number(asked.node_memory_gib),
        "batchesPerSecond": number(asked.batches_s),
    }


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _edge(found: EdgeLayers | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "architecture": found.row.model_dump(mode="json", exclude_none=True),
        "layers": [one.model_dump(mode="json") for one in found.layers],
        "staleness": figure(found.staleness),
        "stalenessWithCache": figure(found.staleness_with_cache),
        "recoveryPoint": figure(found.recovery_point),
    }


def _storage(size: Size | None) -> dict[str, Any] | None:
    if size is None:
        return None
    return {
        "appendixB": figure(size.appendix_mb),
        "section83": figure(size.section_mb),
        "copy": figure(size.copy),
        "copies": figure(size.copies),
        "stores": {
            one.name: {"records": one.count, "of": one.records, "taken": figure(one.taken), "sources": _sources(one.by)}
            for one in size.stores
        },
        "notes": list(size.notes),
    }


def _sharding(split: Shards, sessions: Figure | None) -> dict[str, Any]:
    return {
        "strategy": split.strategy,
        "seed": split.seed,
        "storesApart": figure(split.functional),
        "hashShards": figure(split.hash_shards),
        "files": figure(split.files),
        "paths": list(split.paths),
        "sessionsAShard": figure(sessions) if sessions else None,
        "notes": list(split.notes),
    }


def _network(answer: Answer) -> dict[str, Any]:
    need, sent = answer.bandwidth, answer.transfer
    return {
        "name": need.name,
        "topology": need.topology,
        "in": figure(need.inbound),
        "out": figure(need.outbound),
        "sync": figure(need.sync),
        "total": figure(need.total),
        "aPairOfRegions": figure(need.a_pair) if need.a_pair else None,
        "copies": _copies(answer.copies),
        "transfer": None if sent is None else {"gb": figure(sent.gb), "mbps": figure(sent.mbps)},
        "notes": list(need.notes),
    }


def _load(one: Load) -> dict[str, Any]:
    return {
        "agents": one.agents,
        "concurrency": one.concurrency,
        "throughput": figure(one.ops_s),
        "p50": figure(one.p50_ms),
        "memory": figure(one.memory_mb),
        "success": figure(one.success_percent),
        "cpu": figure(one.cpu_percent),
    }


def _scenario(one: Scenario) -> dict[str, Any]:
    return {
        "name": one.name,
        "agents": one.agents,
        "throughput": figure(one.ops_s),
        "otherThroughput": figure(one.lower_ops_s) if one.lower_ops_s else None,
        "p50": figure(one.p50_ms) if one.p50_ms else None,
        "memory": figure(one.memory_mb),
        "batchGain": figure(one.batch_gain) if one.batch_gain else None,
    }


def _copies(one: Copies | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {
        "latency": [figure(limit) for limit in one.latency_ms],
        "overhead": [figure(limit) for limit in one.overhead_percent],
    }


def _carried(one: Carried) -> dict[str, Any]:
    return {
        "what": one.what,
        "operations": figure(one.iops),
        "throughput": figure(one.mb_s),
        "latency": figure(one.latency_ms),
        "perSecond": figure(one.per_second),
    }


def _bottleneck(row: Bottleneck | None) -> dict[str, Any] | None:
    return None if row is None else row.model_dump(mode="json", exclude={"above", "below", "upto"})


def _objective(one: Objective) -> dict[str, Any]:
    return {
        "name": one.name, "comparison": one.comparison, "target": figure(one.target), "claimed": figure(one.claimed),
    }  # fmt: skip


def _claim(one: Claim) -> dict[str, Any]:
    return {
        "name": one.name, "holds": one.holds.value, "why": one.why, "claimed": figure(one.claimed),
        "measured": figure(one.measured),
    }  # fmt: skip


def contradiction(one: Contradiction) -> dict[str, Any]:
    """Return a contradiction: what the analysis says on which lines, and what Skerry does."""
    return {
        "id": one.id,
        "row": one.row,
        "touches": list(one.touches),
        "says": [{"text": said.text, "seed": said.seed} for said in one.says],
        "does": one.does,
    }


def run_document(one: Run) -> dict[str, Any]:
    """Return one run of the load test; `measured` is null where nobody made it."""
    measured = None if one.measured is None else one.measured.model_dump(mode="json", exclude={"lines"})
    return {
        "run": one.number,
        "agents": one.agents,
        "concurrency": one.concurrency,
        "iterations": one.iterations,
        "durationSeconds": one.duration_s,
        "measured": measured,
    }
