"""The preview as text: the resource tree, counts and what is unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from skerry.graph import STACK_TYPE, Resource, ResourceGraph
from skerry.invokes import functions_of, functions_text

if TYPE_CHECKING:
    from skerry.facts import ComponentFacts

_OURS: Final = "skerry:index:"
"""Only these have facts; the vocabulary costs a tenth of a second, which a foreign program's preview need not pay."""

DEFAULT_WIDTH: Final = 100
UNKNOWN_LINES = 12
"""Unknown inputs listed in the text form; the JSON form has all of them."""


def preview_text(graph: ResourceGraph, *, depth: int | None = None, width: int = DEFAULT_WIDTH) -> str:
    """Return the tree of every stack, the counts, the unknown inputs, and the functions whose results are no facts.

    Args:
        graph: what to show.
        depth: levels below the stack that are shown; None shows all.
        width: columns of the sentences at the end; the tree takes what it needs.
    """
    lines: list[str] = []
    for root in graph.children(""):
        lines.append(f"{root.name}  (stack)" if root.type == STACK_TYPE else _line(root))
        lines += _branches(graph, root, "", depth)
        lines.append("")
    lines += _counts(graph)
    lines += _unknowns(graph)
    lines += functions_text(functions_of(graph), width)
    return "\n".join(lines) + "\n"


def _branches(graph: ResourceGraph, parent: Resource, indent: str, depth: int | None) -> Iterator[str]:
    children = graph.children(parent.urn)
    if depth is not None and depth <= 0:
        below = sum(1 for _ in graph.descendants(parent.urn))
        if below:
            yield f"{indent}└─ … {below} more below"
        return
    for index, child in enumerate(children):
        last = index == len(children) - 1
        yield f"{indent}{'└─' if last else '├─'} {_line(child)}"
        yield from _branches(graph, child, indent + ("   " if last else "│  "), None if depth is None else depth - 1)


def _line(resource: Resource) -> str:
    kind = resource.type.rsplit(":", 1)[-1]
    if resource.is_provider:
        kind = f"provider {kind}"
    marks = [
        word
        for word, on in (
            ("protected", resource.protect),
            ("retained", resource.retain_on_delete),
            ("read, not managed", resource.external),
        )
        if on
    ]
    facts = _facts_of(resource)
    notes = [_facts_note(facts)] if facts and _facts_note(facts) else []
    tail = "".join(f"  [{text}]" for text in [*notes, *([", ".join(marks)] if marks else [])])
    return f"{resource.name}  {kind}{tail}"


def _facts_of(resource: Resource) -> ComponentFacts | None:
    if not resource.type.startswith(_OURS):
        return None
    from skerry.facts import facts_of

    return facts_of(resource)


def _facts_note(facts: ComponentFacts) -> str:
    words = []
    if facts.nodes is not None:
        machine = f"{facts.nodes.vcpu} vCPU, {facts.nodes.memory_gib:g} GiB"
        if facts.nodes.gpus:
            machine += f", {facts.nodes.gpus} x {facts.nodes.gpu_model} {facts.nodes.gpu_memory_gib:g} GiB"
        words.append(machine)
    if facts.scaling is not None:
        by = f" by {facts.scaling.autoscaler}" if facts.scaling.autoscaler else ""
        words.append(
            f"{facts.scaling.minimum}{by}"
            if facts.scaling.minimum == facts.scaling.maximum
            else f"{facts.scaling.minimum} to {facts.scaling.maximum}{by}"
        )
    elif facts.replicas is not None:
        words.append(f"{facts.replicas} replicas")
    return "; ".join(words)


def _counts(graph: ResourceGraph) -> list[str]:
    custom = [r for r in graph.resources if r.custom and not r.is_provider and not r.external]
    components = sum(1 for r in graph.resources if not r.custom and r.type != STACK_TYPE)
    external = sum(1 for r in graph.resources if r.external)
    packages = Counter(r.type.split(":", 1)[0] for r in custom)
    by_package = ", ".join(f"{count} {name}" for name, count in sorted(packages.items()))
    kept = sum(1 for r in custom if r.protect)
    lines = [
        f"{_some(len(custom), 'resource')} ({by_package or 'none'}) in {_some(components, 'component')}, "
        f"{_some(len(graph.stacks), 'stack')}; {kept} protected; {external} read"
    ]
    for root in graph.resources:
        facts = _facts_of(root)
        deployment = facts.deployment if facts is not None else None
        if deployment is None:
            continue
        target = deployment.target
        place = target.region or ("connected site" if target.connected else "site without a connection")
        lines.append(
            f"{root.name}: {deployment.system}, mode {deployment.mode}, on {target.kind} in {target.jurisdiction} "
            f"({place}), residency profile {deployment.residency_profile}"
            + ("" if deployment.production else ", not in production")
        )
    return lines


def _unknowns(graph: ResourceGraph) -> list[str]:
    unknown = graph.unknown_paths()
    holders = {resource.urn: resource for resource, _ in unknown}
    names = Counter(resource.name for resource in holders.values())
    lines = [f"unknown until deployed: {_some(len(unknown), 'input')} of {_some(len(holders), 'resource')}"]
    for resource, path in unknown[:UNKNOWN_LINES]:
        kind = f" ({resource.type.rsplit(':', 1)[-1]})" if names[resource.name] > 1 else ""
        lines.append(f"  {resource.name}{kind}: {path}")
    if len(unknown) > UNKNOWN_LINES:
        lines.append(f"  … and {len(unknown) - UNKNOWN_LINES} more (--format json lists all)")
    return lines


def _some(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
