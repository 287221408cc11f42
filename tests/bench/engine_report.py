"""The figures of bench_engine.py as ratios, limits and the tables of docs/speed.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MAX_OF_CONSTRUCT: Final = 1.3
FLOORS: Final = {"50 resources": 2.0, "500 resources": 3.0, "2000 resources": 3.0}
"""How many times as quick as the command; every other program is judged like the smallest one."""
GOAL: Final = 5.0
MAX_MEMORY_MB: Final = 400.0
MAX_GROWTH: Final = 1.1
"""The cost of a resource between 500 and 2,000 over that between 50 and 500; 1 is linear, and a tenth is noise."""
MAX_PLAIN_VERB_S: Final = 0.5

BEGIN: Final = "<!-- BEGIN make bench-engine: written by the bench, not by hand -->"
END: Final = "<!-- END make bench-engine -->"

Programs = Mapping[str, Mapping[str, "Row | None"]]


@dataclass(frozen=True, slots=True)
class Row:
    """The medians of a command."""

    cpu_s: float
    wall_s: float
    peak_mb: float
    provider_s: float = 0.0
    """CPU seconds of simulated providers, part of `cpu_s`."""
    host_s: float = 0.0
    """CPU seconds of the simulated language host, part of `cpu_s`."""

    @property
    def own_cpu_s(self) -> float:
        """Return the CPU seconds without what the simulators spent."""
        return self.cpu_s - self.provider_s - self.host_s

    @property
    def own_wall_s(self) -> float:
        """Return the wall seconds without what the simulators spent, all of it, though some ran beside the rest."""
        return self.wall_s - self.provider_s - self.host_s

    def __str__(self) -> str:
        text = f"CPU {self.cpu_s:6.2f} s  wall {self.wall_s:6.2f} s  peak {self.peak_mb:4.0f} MB"
        simulated = f"  of it providers {self.provider_s:.2f} s, language host {self.host_s:.2f} s CPU"
        return text + (simulated if self.provider_s or self.host_s else "")


@dataclass(frozen=True, slots=True)
class Limit:
    """A figure beside its limit; None is no figure."""

    what: str
    value: float | None
    limit: float
    at_least: bool
    is_floor: bool

    @property
    def is_missed(self) -> bool:
        """Say whether there is a figure and it is on the wrong side."""
        if self.value is None:
            return False
        return self.value < self.limit if self.at_least else self.value > self.limit

    def __str__(self) -> str:
        word = "no figure" if self.value is None else "MISSED" if self.is_missed else "met"
        value = "      -" if self.value is None else f"{self.value:7.2f}"
        sign, kind = (">=" if self.at_least else "<="), ("floor" if self.is_floor else "goal")
        return f"{kind:5} {self.what:48} {value}  {sign} {self.limit:g}  {word}"


def ratio(above: Row | None, below: Row | None, *, wall: bool = False) -> float | None:
    """Return how many times the seconds of one are those of the other, simulators' taken away."""
    if above is None or below is None:
        return None
    return above.own_wall_s / below.own_wall_s if wall else above.own_cpu_s / below.own_cpu_s


def limits_of(programs: Programs, verbs: Mapping[str, Row], sizes: Sequence[int]) -> list[Limit]:
    """Return every limit with its figure."""
    found = []
    for name, rows in programs.items():
        beside_construct = ratio(rows["skerry"], rows["construct"])
        beside_pulumi = ratio(rows["pulumi"], rows["skerry"])
        found.append(Limit(f"{name}: skerry / construct", beside_construct, MAX_OF_CONSTRUCT, False, True))
        found.append(Limit(f"{name}: pulumi / skerry", beside_pulumi, FLOORS.get(name, 2.0), True, True))
        found.append(Limit(f"{name}: pulumi / skerry", beside_pulumi, GOAL, True, False))
        peak = rows["skerry"].peak_mb if rows["skerry"] else None
        found.append(Limit(f"{name}: peak in MB", peak, MAX_MEMORY_MB, False, False))
    growth = growth_of(programs, sizes)
    if growth is not None:
        found.append(Limit("growth per resource, 1 is linear", growth, MAX_GROWTH, False, False))
    for name, row in verbs.items():
        found.append(Limit(f"skerry {name}: CPU seconds", row.cpu_s, MAX_PLAIN_VERB_S, False, True))
    return found


def growth_of(programs: Programs, sizes: Sequence[int]) -> float | None:
    """Return what a resource costs between the two larger sizes over what it costs between the two smaller ones."""
    seconds = []
    for size in sizes:
        row = programs.get(f"{size} resources", {}).get("skerry")
        if row is None:
            return None
        seconds.append(row.cpu_s)
    small, middle, large = seconds
    return ((large - middle) / (sizes[2] - sizes[1])) / ((middle - small) / (sizes[1] - sizes[0]))


def tables(where: str, programs: Programs, verbs: Mapping[str, Row], limits: Iterable[Limit]) -> str:
    """Return the tables in Markdown."""
    lines = [f"{where}.", "", "CPU seconds of all processes of a command, and in brackets how long a user waits:", ""]
    lines += _table(
        ["program", "`skerry preview`", "`pulumi preview`", "of it providers", "of it language host", "construct"],
        (
            [name, _both(rows["skerry"]), _both(rows["pulumi"]), *_simulated(rows["pulumi"]), _both(rows["construct"])]
            for name, rows in programs.items()
        ),
    )
    lines += ["", "Ratios, with what the simulators spent taken away:", ""]
    lines += _table(
        ["program", "pulumi / skerry", "same, of wall seconds", "skerry / construct", "peak of skerry", "first run"],
        (
            [
                name,
                _times(ratio(rows["pulumi"], rows["skerry"])),
                _times(ratio(rows["pulumi"], rows["skerry"], wall=True)),
                _times(ratio(rows["skerry"], rows["construct"])),
                f"{rows['skerry'].peak_mb:.0f} MB" if rows["skerry"] else "-",
                _both(rows["first run"]),
            ]
            for name, rows in programs.items()
        ),
    )
    if verbs:
        lines += ["", "Verbs that need no cloud SDK:", ""]
        lines += _table(
            ["verb", "CPU s", "wall s", "peak"],
            (
                [f"`skerry {name}`", f"{row.cpu_s:.2f}", f"{row.wall_s:.2f}", f"{row.peak_mb:.0f} MB"]
                for name, row in verbs.items()
            ),
        )
    every = list(limits)
    for kind, is_floor in (("floors", True), ("goals", False)):
        missed = [
            f"{limit.what} is {limit.value:.2f}, {kind[:-1]} {limit.limit:g}"
            for limit in every
            if limit.is_missed and limit.is_floor is is_floor
        ]
        lines += ["", f"Missed {kind}: " + ("; ".join(missed) if missed else "none") + "."]
    return "\n".join(lines)


def write_tables(path: Path, where: str, programs: Programs, verbs: Mapping[str, Row], limits: Iterable[Limit]) -> None:
    """Put the tables between the markers of a document.

    Raises:
        SystemExit: the document lacks a marker.
    """
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{path} has no place for the tables: it needs the lines {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n{tables(where, programs, verbs, limits)}\n{END}{after}", encoding="utf-8")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---", *["--:"] * (len(head) - 1)], *rows)]


def _both(row: Row | None) -> str:
    return f"{row.cpu_s:.2f} ({row.wall_s:.2f})" if row else "not measured"


def _simulated(row: Row | None) -> list[str]:
    return [f"{row.provider_s:.2f}", f"{row.host_s:.2f}"] if row else ["-", "-"]


def _times(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
