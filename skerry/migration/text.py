"""A migration plan for people: in the order in which things are done."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable

from skerry.migration.document import Fate, MigrationPlan, Move, Part

_TITLES = {
    Fate.CHANGED: "Changed (Pulumi's providers say whether in place)",
    Fate.REPLACED: "Replaced: made anew, and the old one deleted",
    Fate.MADE: "Made",
    Fate.GONE: "No longer in the configuration",
}


def migration_text(plan: MigrationPlan, width: int) -> str:
    """Return the plan for a terminal of `width` columns."""
    where = "in the same place" if plan.in_place else "in another place: all of it is made anew"
    lines = [f"Migration from {plan.source} to {plan.destination}, {where}", "", "1. Stays"]
    lines += _stays(plan, width)
    lines += ["", "2. Before", *_steps(plan.before, width)]
    for number, fate in enumerate((Fate.MADE, Fate.CHANGED, Fate.REPLACED, Fate.GONE), 3):
        lines += ["", f"{number}. {_TITLES[fate]}", *_parts(plan.of(fate), width)]
    lines += ["", "7. Data", *(line for move in plan.moves for line in _move(move, width))]
    lines += [] if plan.moves else ["  nothing is to be moved"]
    lines += ["", "8. By hand, when all that is done", *_steps(plan.after, width), "", _sum(plan)]
    return "\n".join(lines) + "\n"


def _stays(plan: MigrationPlan, width: int) -> list[str]:
    kept = [part for part in plan.parts if part.keeps_data and part.fate in (Fate.STAYS, Fate.CHANGED)]
    others = sum(part.fate is Fate.STAYS and not part.keeps_data for part in plan.parts)
    lines = [line for part in kept for line in _wrapped(f"{part.component}: {part.urn}", width, "  ")]
    return [*lines, f"  {len(kept)} that keep data, with the same URN; {others} others"]


def _parts(parts: Iterable[Part], width: int) -> list[str]:
    """Return one line a component: what of it, and which inputs differ."""
    found: dict[str, list[Part]] = {}
    for part in parts:
        found.setdefault(part.component, []).append(part)
    lines = []
    for component, own in found.items():
        kinds = Counter(part.type.rpartition(":")[2] for part in own)
        what = ", ".join(f"{number} {kind}" if number > 1 else kind for kind, number in kinds.items())
        differs = sorted({path for part in own for path in part.differs})
        keeps = " [keeps data]" if any(part.keeps_data for part in own) else ""
        text = f"{component}{keeps}: {what}" + (f" ({', '.join(differs)})" if differs else "")
        lines += _wrapped(text, width, "  ")
    return lines or ["  nothing"]


def _move(move: Move, width: int) -> list[str]:
    mark = "to be moved" if move.provided else "to be moved, and nothing is provided"
    if not move.needed:
        mark = "could not tell" if move.needed is None else "not to be moved"
    lines = _wrapped(f"{move.what}: {mark}: {move.why}", width, "  ")
    return [*lines, *(f"    $ {command}" for command in move.how)]


def _steps(steps: Iterable[str], width: int) -> list[str]:
    return [line for step in steps for line in _wrapped(step, width, "  - ", "    ")] or ["  nothing"]


def _wrapped(text: str, width: int, first: str, more: str = "      ") -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=more, break_long_words=False, break_on_hyphens=False
    )


def _sum(plan: MigrationPlan) -> str:
    numbers = ", ".join(f"{len(plan.of(fate))} {fate.value}" for fate in Fate)
    moved = sum(move.needed is True for move in plan.moves)
    return f"{numbers}; {moved} of {len(plan.moves)} stores have data to be moved"
