"""What an answer makes of a stack on Kubernetes: the settings of `skerry:deployment` that follow from it."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import Any

from skerry.agentdb import tables
from skerry.agentdb.answer import Answer


def settings(answer: Answer) -> dict[str, Any] | None:
    """Return the settings of one region's stack; None for own hosts, which no stack describes.

    One replica fills one machine: the machines are the nodes of the answer.
    """
    if answer.asked.target == "hosts":
        return None
    nodes, highest = int(answer.layout.nodes_a_region.known), int(answer.layout.nodes_highest.known)
    memory = answer.node.memory_mib.known / 1024
    return {
        "machines": {
            "stores": {
                "minimum": nodes,
                "maximum": highest,
                "machine": {"vcpu": int(answer.node.cores.known), "memory_gib": _number(memory)},
            }
        },
        "agentdb": {
            "runtime": "kubernetes",
            "profile": answer.profile.name,
            "storage_gib": int(answer.node.disk_gb.known.to_integral_value(ROUND_CEILING)),
            "scale": _scale(nodes, highest),
        },
    }


def _scale(nodes: int, highest: int) -> dict[str, int]:
    """Return how many replicas run, and what decides it where they are not always as many."""
    found = {"minimum": nodes, "maximum": highest}
    if highest > nodes:
        limits = tables.scaling().limits
        found["cpu_percent"] = int(limits["cpu_target_percent"].value)
        found["memory_percent"] = int(limits["memory_target_percent"].value)
    return found


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
