"""A number of an answer: what it is, how it came about, and the lines on which it stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum


class Kind(str, Enum):
    """How a number came about."""

    MEASURED = "measured"
    """The seed measured it."""
    STATED = "stated"
    """The seed says it."""
    DERIVED = "derived"
    """Computed by Skerry from lines of the seed."""
    CHOSEN = "chosen"
    """A choice of Skerry's or of the user, and why."""
    UNKNOWN = "unknown"
    """Nobody said or measured it."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, or why there is none."""

    value: Decimal | None
    """None: unknown."""
    unit: str
    kind: Kind
    seeds: tuple[str, ...] = ()
    """Lines on which it stands, `<document>:<line>`."""
    how: str = ""
    """The arithmetic, or the reason."""

    @property
    def known(self) -> Decimal:
        """The value of a figure that is known.

        Raises:
            ValueError: it is unknown; a defect of the caller, who has to ask first.
        """
        if self.value is None:
            raise ValueError(f"asked for a number that is unknown: {self.how}")
        return self.value


def unknown(unit: str, how: str) -> Figure:
    """Return a figure that nobody knows, with the reason."""
    return Figure(None, unit, Kind.UNKNOWN, (), how)


def stated(value: Decimal | int, unit: str, *seeds: str, how: str = "") -> Figure:
    """Return a figure that the seed says."""
    return Figure(Decimal(value), unit, Kind.STATED, seeds, how)


def derived(value: Decimal | int, unit: str, seeds: Iterable[str], how: str) -> Figure:
    """Return a figure that Skerry computes; a line is named once."""
    return Figure(Decimal(value), unit, Kind.DERIVED, tuple(dict.fromkeys(seeds)), how)


def chosen(value: Decimal | int, unit: str, how: str, *seeds: str) -> Figure:
    """Return a figure that is a choice."""
    return Figure(Decimal(value), unit, Kind.CHOSEN, seeds, how)


@dataclass(frozen=True, slots=True)
class Source:
    """What one place says of something on which places disagree."""

    says: str
    figure: Figure
    counts: bool
    """Whether the answer takes this one."""
    why_not: str = ""
    """Where it is shown only."""


def largest(sources: Iterable[Source]) -> tuple[Source, ...]:
    """Return the sources with `counts` at the first of the largest that may count.

    Those with `why_not` are never taken.
    """
    found = list(sources)
    may = [one for one in found if not one.why_not and one.figure.value is not None]
    best = max(may, key=lambda one: one.figure.known, default=None)
    return tuple(Source(one.says, one.figure, one is best, one.why_not) for one in found)


def tidy(value: Decimal, places: int = 1) -> str:
    """Return a number for people: rounded, no zeros at its end, thousands apart."""
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    text = f"{rounded:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
