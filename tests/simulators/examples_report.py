"""What the comparison of public programs came to, as the tables of docs/equality.md."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from skerry.graph import ResourceGraph
from tests.simulators.examples import Program, load_table
from tests.simulators.graph_equality import NORMALISED, Comparison

_BEGIN: Final = "<!-- BEGIN measured by `make equality` -->"
_END: Final = "<!-- END measured -->"


@dataclass(frozen=True, slots=True)
class Measured:
    """What one program came to; without a comparison it was skipped, or refused by both engines."""

    program: Program
    graph: ResourceGraph | None = None
    comparison: Comparison | None = None
    engine_s: float = 0.0
    command_s: float = 0.0


def write_report(path: Path, rows: Sequence[Measured]) -> None:
    """Write the tables between the marks in the file, and print them.

    Raises:
        ValueError: the file has no such marks.
    """
    text = "\n".join(_lines(sorted(rows, key=lambda row: row.program.name)))
    whole = path.read_text(encoding="utf-8")
    before, mark, rest = whole.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not mark or not end:
        raise ValueError(f"{path} has no marks {_BEGIN} and {_END}")
    path.write_text(f"{before}{mark}\n{text}\n{end}{after}", encoding="utf-8")
    print(f"\n{text}")


def _lines(rows: Sequence[Measured]) -> Iterator[str]:
    run = [row for row in rows if row.comparison is not None and row.graph is not None]
    refused = [row for row in rows if row.program.fails]
    skipped = [row for row in rows if row.program.skipped]
    touched: Counter[str] = sum((row.comparison.touched for row in run if row.comparison), Counter())
    compared = sum(row.comparison.compared for row in run if row.comparison)
    known = [(row.program, known) for row in run for known in row.program.known]
    resources = sum(len(row.graph.resources) for row in run if row.graph)
    yield f"Measured on {datetime.datetime.now(tz=datetime.UTC).date()}, Pulumi CLI v3.250.0 with simulated providers."
    for name, repository in load_table().repositories.items():
        yield f"`{name}` at `{repository.commit[:12]}`."
    yield (
        f"{len(run)} programs with {resources} resources were run by both engines, {compared} fields were compared as "
        f"they are, {len(known)} differences are listed; {len(refused)} programs are refused by both, "
        f"{len(skipped)} were not run."
    )
    yield ""
    yield from ("| row of the closed table | fields | what it excuses |", "|---|---:|---|")
    for name, reason in NORMALISED.items():
        yield f"| {name} | {touched[name]} | {reason} |"
    yield ""
    yield from ("| program | resources | fields compared | excused | listed |", "|---|---:|---:|---|---:|")
    for row in run:
        if row.comparison is not None and row.graph is not None:
            excused = ", ".join(f"{name} {count}" for name, count in sorted(row.comparison.touched.items()) if count)
            yield (
                f"| {row.program.name} | {len(row.graph.resources)} | {row.comparison.compared} | {excused} "
                f"| {len(row.program.known)} |"
            )
    yield ""
    yield from ("| listed difference | field | reason |", "|---|---|---|")
    for program, item in known:
        yield f"| {program.folder}: `{item.urn}` | `{item.field}` | {item.reason} |"
    yield ""
    yield from ("| refused by both engines | with | why |", "|---|---|---|")
    for row in refused:
        yield f"| {row.program.name} | {row.program.fails} | {row.program.because or 'as its authors meant it'} |"
    yield ""
    yield from ("| not run | why |", "|---|---|")
    for row in skipped:
        yield f"| {row.program.name} | {row.program.skipped} |"
