"""BUD005: what a deployment's volumes, buckets and model caches take stays within what its mode is sold with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.context import Context
from policies.verdict import Judgement, not_applicable, ok, violation
from skerry.facts import ComponentFacts, StorageFact
from skerry.graph import ResourceGraph

GIB: Final = 2**30
LIMITS_GB: Final = {"hybrid": 500, "private": 2000, "air-gapped": 2000, "edge": 1}
"""Storage in GB that the Sensei deployment architecture gives each mode; where a vendor hosts, it is the vendor's."""


def storage_space(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    """Judge the sum of one copy of everything, and tell what it takes with all copies.

    Base and platform of a cloud are one deployment in two stacks, whose roots say the same: they are judged as one.
    """
    for index, (root, deployment) in enumerate(context.roots):
        limit = LIMITS_GB.get(deployment.mode)
        if limit is None:
            yield not_applicable(f"mode {deployment.mode} is sold without a figure for storage", root)
            continue
        if deployment.hybrid is not None and deployment.hybrid.side == "vendor":
            yield not_applicable("the figure of mode hybrid is for the customer's side", root)
            continue
        above = next((one for one, other in context.roots[index + 1 :] if other == deployment), None)
        if above is not None:
            yield not_applicable(f"counted with {above.stack}, which stands on it", root)
            continue
        parts: dict[str, list[float]] = {}
        for resource, facts in context.components():
            for item in facts.storage:
                if context.deployment(resource) != deployment:
                    continue
                row = parts.setdefault(_name(facts, item), [0.0, 0.0])
                row[0] += item.gib
                row[1] += item.gib * item.copies
        if not parts:
            yield not_applicable("no component of the graph says how much space it takes", root)
            continue
        once, copies = sum(row[0] for row in parts.values()), sum(row[1] for row in parts.values())
        listed = " + ".join(f"{row[0]:g} {name}" for name, row in sorted(parts.items()))
        sums = f"{listed} = {once:g} GiB = {once * GIB / 1e9:,.0f} GB, and {copies:g} GiB with all copies"
        path = "deployment.mode"
        if once * GIB > limit * 1e9:
            text = f"{sums}: more than the {limit:,} GB of mode {deployment.mode}"
            yield violation(root, text, path)
        else:
            yield ok(root, f"{sums}: within the {limit:,} GB of mode {deployment.mode}")


def _name(facts: ComponentFacts, item: StorageFact) -> str:
    return facts.role or item.kind
