"""The deployment as a picture: one SVG, tiers as bands, components as boxes, no script and no outside reference.

A machine without an orchestrator is a band of its own, and what stands on it has the colours of its tier.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Final

from skerry.facts import ComponentFacts, Tier, deployments, facts_around, facts_of
from skerry.graph import Resource, ResourceGraph

WIDTH: Final = 1200
BOX_WIDTH: Final = 268
BOX_HEIGHT: Final = 74
GAP: Final = 16
MARGIN: Final = 24
PER_ROW: Final = (WIDTH - 2 * MARGIN - GAP) // (BOX_WIDTH + GAP)

COLOURS: Final = {
    Tier.COGNITIVE: ("#fdf0e6", "#b4541a"),
    Tier.EXECUTION: ("#e9f3ea", "#2d6b38"),
    Tier.SMALL: ("#e3f1ef", "#22695f"),
    Tier.META: ("#ebeef9", "#3a4c9b"),
    Tier.CHANNELS: ("#f6ecf6", "#7d3c80"),
    Tier.PLATFORM: ("#f0f0ee", "#55534c"),
}
"""Fill of the band, and line of its boxes."""

TITLES: Final = {
    Tier.COGNITIVE: "Cognitive tier",
    Tier.EXECUTION: "Execution tier",
    Tier.SMALL: "Small model of the execution tier",
    Tier.META: "Meta tier",
    Tier.CHANNELS: "Channels between the tiers",
    Tier.PLATFORM: "Platform",
}


SKIPPED_ROLES: Final = frozenset({"tier", "namespace", "base"})
"""Components that only hold others: the bands show them already."""


@dataclass(frozen=True, slots=True)
class _Box:
    title: str
    lines: tuple[str, ...]
    stateful: bool
    line: str = ""
    """Its colour where that is not its band's."""


@dataclass(frozen=True, slots=True)
class _Band:
    title: str
    fill: str
    line: str
    boxes: list[_Box]


def diagram_svg(graph: ResourceGraph) -> str:
    """Return the picture of every Skerry component that has a role, grouped by machine, else by tier."""
    machines = [row for row in graph.resources if (facts := facts_of(row)) is not None and facts.host is not None]
    on_them = {row.urn for machine in machines for row in (machine, *graph.descendants(machine.urn))}
    bands = [_Band(TITLES[tier], *COLOURS[tier], _boxes(graph, tier, on_them)) for tier in COLOURS]
    parts: list[str] = []
    y = MARGIN + 48
    for band in [*(_machine(graph, row) for row in machines), *(band for band in bands if band.boxes)]:
        rows = -(-len(band.boxes) // PER_ROW)
        height = 40 + rows * (BOX_HEIGHT + GAP)
        parts += _drawn(band, y, height)
        y += height + GAP
    title = " · ".join(graph.stacks)
    lines = [_deployment_line(graph)]
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + MARGIN}" '
        f'viewBox="0 0 {WIDTH} {y + MARGIN}" font-family="system-ui, sans-serif" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{y + MARGIN}" fill="#ffffff"/>',
        _text(MARGIN, MARGIN + 12, title, size=20, weight="600"),
        _text(MARGIN, MARGIN + 34, lines[0], size=13, fill="#55534c"),
    ]
    foot = _text(MARGIN, y + 8, "Boxes with a thick left edge keep data.", size=12, fill="#55534c")
    return "\n".join([*head, *parts, foot, "</svg>"]) + "\n"


def _deployment_line(graph: ResourceGraph) -> str:
    for _, deployment in deployments(graph):
        target = deployment.target
        link = "connected" if target.connected else "no connection to the outside"
        return f"{deployment.system}, {deployment.mode}, {target.kind} in {target.jurisdiction}, {link}"
    return f"{len(graph.resources)} resources"


def _machine(graph: ResourceGraph, resource: Resource) -> _Band:
    """Return a machine with what stands on it; open ports are those that anybody beyond it may reach."""
    facts = facts_of(resource)
    host = facts.host if facts is not None else None
    assert host is not None  # noqa: S101  the caller's question
    size = f"{host.vcpu} vCPU, {host.memory_gib:g} GiB"
    if host.gpus:
        size += f", {host.gpus} x {host.gpu_model} {host.gpu_memory_gib:g} GiB"
    where = "" if host.failure_domain is None else f", {host.failure_domain}"
    boxes = []
    for child in graph.descendants(resource.urn):
        own = facts_of(child)
        if own is None or own.role is None:
            continue
        name = child.name.removeprefix(f"{resource.name}-")
        ports = [port for port in host.open_ports if port.owner == name]
        said = ", ".join(f"{port.port}{f'-{port.last}' if port.last else ''} {port.scheme}" for port in ports)
        line = COLOURS[own.tier or Tier.PLATFORM][1]
        boxes.append(_Box(name, (own.role, said) if said else (own.role,), own.stateful, line))
    fill, line = COLOURS[Tier.PLATFORM]
    return _Band(f"{resource.name}: {host.address}, {host.os}, {size}{where}", fill, line, boxes)


def _boxes(graph: ResourceGraph, tier: Tier, elsewhere: set[str]) -> list[_Box]:
    found = []
    for resource in graph.resources:
        facts = facts_of(resource)
        if facts is None or facts.role is None or facts.role in SKIPPED_ROLES or resource.urn in elsewhere:
            continue
        if facts_around(graph, resource).tier is not tier:
            continue
        found.append(_Box(resource.name, tuple(_lines(graph, resource, facts)), facts.stateful))
    return found


def _lines(graph: ResourceGraph, resource: Resource, facts: ComponentFacts) -> Iterable[str]:
    if facts.nodes is not None and facts.scaling is not None:
        machine = f"{facts.nodes.vcpu} vCPU, {facts.nodes.memory_gib:g} GiB"
        if facts.nodes.gpus:
            machine = f"{facts.nodes.gpus} x {facts.nodes.gpu_model} {facts.nodes.gpu_memory_gib:g} GiB"
        yield f"{facts.role}: {facts.scaling.minimum} to {facts.scaling.maximum} x {machine}"
    elif facts.replicas is not None:
        yield f"{facts.role}, {facts.replicas} replicas"
    else:
        yield str(facts.role)
    details = []
    if facts.images:
        details.append(f"{len(facts.images)} image{'s' if len(facts.images) > 1 else ''}")
    if facts.models:
        details.append(", ".join(model.name for model in facts.models))
    if facts.guarantee:
        details.append(facts.guarantee)
    below = sum(1 for r in graph.descendants(resource.urn) if r.custom)
    if below:
        details.append(f"{below} resource{'s' if below > 1 else ''}")
    if details:
        yield ", ".join(details)


def _drawn(band: _Band, y: int, height: int) -> list[str]:
    parts = [
        f'<rect x="{MARGIN}" y="{y}" width="{WIDTH - 2 * MARGIN}" height="{height}" rx="8" fill="{band.fill}"/>',
        _text(MARGIN + GAP, y + 24, _fit(band.title, 130), size=15, weight="600", fill=band.line),
    ]
    for index, box in enumerate(band.boxes):
        row, column = divmod(index, PER_ROW)
        x, top = MARGIN + GAP + column * (BOX_WIDTH + GAP), y + 40 + row * (BOX_HEIGHT + GAP)
        parts += _box(box, x, top, box.line or band.line)
    return parts


def _box(box: _Box, x: int, y: int, line: str) -> list[str]:
    parts = [f'<rect x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="4" fill="#ffffff" stroke="{line}"/>']
    if box.stateful:
        parts.append(f'<rect x="{x}" y="{y}" width="6" height="{BOX_HEIGHT}" fill="{line}"/>')
    parts.append(_text(x + 14, y + 22, _fit(box.title, 30), size=14, weight="600"))
    parts += [
        _text(x + 14, y + 42 + 18 * index, _fit(text, 39), size=12, fill="#33322e")
        for index, text in enumerate(box.lines[:2])
    ]
    return parts


def _fit(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _text(x: int, y: int, text: str, *, size: int, weight: str = "400", fill: str = "#1c1b19") -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{fill}">{escape(text)}</text>'
