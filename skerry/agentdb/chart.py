"""Charts of the load test (appendix A draws three): throughput and memory by agents, success by requests at once.

Every mark is a measured row; lines between marks are drawn, not measured. 20 and 50 requests at once, which the
appendix's axis has, were never measured and have no mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import log10
from typing import Final
from xml.sax.saxutils import escape

from skerry.agentdb import tables
from skerry.agentdb.rows import Measured
from skerry.errors import UsageError
from skerry.figures import tidy

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 130, 40, 50
COLOURS: Final = ("#1b6ca8", "#d1495b", "#2a9d5c", "#8a5a9e", "#c77d15", "#4a4e69", "#17868c")
BAR: Final = 40
"""Columns of the longest bar."""


@dataclass(frozen=True, slots=True)
class Chart:
    """What one chart shows."""

    title: str
    column: str
    unit: str
    by: str
    """What lies along the axis: agents or concurrency."""
    seed: str


CHARTS: Final = {
    "throughput": Chart("Throughput by agents", "ops_s", "operations/s", "agents", "003:6253"),
    "memory": Chart("Memory by agents", "memory_mb", "MB", "agents", "003:6331"),
    "success": Chart("Success by requests at once", "success_percent", "%", "concurrency", "003:6391"),
}


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    points: tuple[tuple[int, Decimal], ...]


def chart(name: str) -> Chart:
    """Return the chart of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in CHARTS:
        raise UsageError(f"chart '{name}' does not exist: choose one of {', '.join(CHARTS)}")
    return CHARTS[name]


def _lines(wanted: Chart) -> list[_Line]:
    rows = tables.stress().rows
    other = "concurrency" if wanted.by == "agents" else "agents"
    names = {"concurrency": "{} at once", "agents": "{} agents"}[other]
    found = []
    for value in sorted({getattr(row, other) for row in rows}):
        own = [row for row in rows if getattr(row, other) == value]
        points = tuple(sorted((_at(row, wanted.by), Decimal(getattr(row, wanted.column))) for row in own))
        found.append(_Line(names.format(f"{value:,}"), points))
    return found


def _at(row: Measured, by: str) -> int:
    return row.agents if by == "agents" else row.concurrency


def to_text(name: str) -> str:
    """Return a chart as bars for a terminal."""
    wanted = chart(name)
    lines = _lines(wanted)
    most = max(value for line in lines for _, value in line.points)
    word = "agents" if wanted.by == "agents" else "at once"
    text = [f"{wanted.title} ({wanted.unit}), as measured [{wanted.seed}]"]
    for line in lines:
        text += ["", f"  {line.name}"]
        for at, value in line.points:
            bar = "#" * max(int(value / most * BAR), 1)
            text.append(f"    {at:>6,} {word}  {bar} {tidy(value)}")
    return "\n".join(text) + "\n"


def to_svg(name: str) -> str:
    """Return a chart as SVG, without scripts, fonts or links."""
    wanted = chart(name)
    lines = _lines(wanted)
    highest = _round_up(max(value for line in lines for _, value in line.points))
    across = sorted({at for line in lines for at, _ in line.points})
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f"<title>{escape(wanted.title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22" font-size="15">{escape(f"{wanted.title} ({wanted.unit}), as measured")}</text>',
        *_axes(across, highest, wanted.by),
    ]
    for number, line in enumerate(lines):
        parts += _drawn(line, COLOURS[number % len(COLOURS)], number, across, highest)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _axes(across: Sequence[int], highest: Decimal, by: str) -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    found = [f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="#333333"/>']
    for part in range(5):
        value = highest * part / 4
        y = _y(value, highest)
        found.append(f'<path d="M{LEFT} {y}H{right}" stroke="#dddddd"/>')
        found.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tidy(value)}</text>')
    for at in across:
        x = _x(at, across)
        found.append(f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{at:,}</text>')
    word = "agents" if by == "agents" else "requests at once"
    found.append(f'<text x="{(LEFT + right) / 2:.1f}" y="{HEIGHT - 10}" text-anchor="middle">{word}</text>')
    return found


def _drawn(line: _Line, colour: str, number: int, across: Sequence[int], highest: Decimal) -> list[str]:
    places = [(_x(at, across), _y(value, highest), at, value) for at, value in line.points]
    path = "L".join(f"{x} {y}" for x, y, _, _ in places)
    found = [f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>']
    found += [
        f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"><title>{at:,}: {tidy(value)}</title></circle>'
        for x, y, at, value in places
    ]
    top = TOP + 14 + 18 * number
    left = WIDTH - RIGHT + 14
    found.append(f'<rect x="{left}" y="{top - 9}" width="10" height="10" fill="{colour}"/>')
    found.append(f'<text x="{left + 16}" y="{top}">{escape(line.name)}</text>')
    return found


def _x(at: int, across: Sequence[int]) -> float:
    """Return the place along an axis of powers of ten."""
    low, high = log10(across[0]), log10(across[-1])
    return round(LEFT + (log10(at) - low) / (high - low) * (WIDTH - LEFT - RIGHT), 1)


def _y(value: Decimal, highest: Decimal) -> float:
    return round(HEIGHT - BOTTOM - float(value / highest) * (HEIGHT - TOP - BOTTOM), 1)


def _round_up(value: Decimal) -> Decimal:
    """Return the next of 1, 2, 4, 5, 6, 8 and 10 times a power of ten."""
    power = Decimal(10) ** value.adjusted()
    return next(power * step for step in (1, 2, 4, 5, 6, 8, 10) if power * step >= value)
