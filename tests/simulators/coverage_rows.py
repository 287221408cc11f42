"""The requirements of the seeds, row by row: what each says, where it stands, and the checks that find it.

A row is in one state. `met`: its checks find the seed's number at a path in the graph of a named stack, in what
`skerry size` answers, or in a file that `skerry render` writes for a machine (`file: <machine>/<path>` of a stack, with
globs; `is`, `has` and `count`). `finding`: the row is a trap, and its checks provoke the finding or the refusal that
names it. `documented`: only a page says it. `out`: out of reach, with the reason. `open`: not built yet, with what is
missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from policies.runner import check
from skerry.config.load import load_spec
from skerry.errors import SkerryError
from skerry.graph import Resource, ResourceGraph, find, plain
from skerry.migration.plan import plan_migration
from skerry.migration.text import migration_text
from skerry.preflight.examine import examine
from skerry.preflight.text import to_text
from skerry.render.files import files
from tests.simulators.changed_stacks import changed_deployment, run_changed
from tests.simulators.size_answers import command, size_problems

ROOT: Final = Path(__file__).resolve().parents[2]
TODAY: Final = date(2026, 11, 21)
STATES: Final = ("met", "finding", "documented", "out", "open")
_ROWS: Final = ROOT / "tests" / "coverage" / "rows"


@dataclass(frozen=True, slots=True)
class Row:
    """One requirement."""

    id: str
    says: str
    """The requirement in our words, with the seed's numbers."""
    seed: str
    """`<document>:<line>` of the seed."""
    state: str
    checks: tuple[Mapping[str, Any], ...]
    """Of a met row or a finding; empty otherwise."""
    text: str
    """Of a row that is documented, out of reach or open: the page or the reason."""


def load_rows(path: Path) -> tuple[Row, ...]:
    """Read one file of rows; a row without exactly one state is an error."""
    found = []
    for id_, value in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        (state,) = [name for name in STATES if name in value]
        assert set(value) == {"says", "seed", state}, f"{id_}: {sorted(value)}"
        given = value[state]
        checks = tuple(given) if isinstance(given, list) else ()
        found.append(Row(id_, value["says"], str(value["seed"]), state, checks, given if not checks else ""))
    return tuple(found)


@cache
def all_rows() -> tuple[Row, ...]:
    """Return every row of every seed, in order of its number.

    The rows of one seed may lie in several files. One that is open yields to its row in another file, and one that is
    documented to one that is met or a finding.
    """
    best: dict[str, Row] = {}
    for row in (row for path in sorted(_ROWS.glob("*.yaml")) for row in load_rows(path)):
        other = best.get(row.id)
        assert other is None or _weight(other) != _weight(row), f"in two files: {row.id}"
        if other is None or _weight(row) > _weight(other):
            best[row.id] = row
    return tuple(sorted(best.values(), key=_number))


def _weight(row: Row) -> int:
    """Return how much a state says: nothing, what a page says, or what a check finds."""
    return 0 if row.state == "open" else 2 if row.checks else 1


def _number(row: Row) -> tuple[str, int]:
    system, _, number = row.id.partition("-")
    return system, int(number)


def told(check_: Mapping[str, Any]) -> str:
    """Return what one check looks for, for people."""
    if "size" in check_:
        words = f"`skerry {' '.join(command(check_['size']))}`"
        if "refused" in check_:
            return f"{words} is refused: {check_['refused']}"
        return f"{words}: `{check_['path']}` {_compared(check_)}"
    where = f"`{check_['stack']}`" if "stack" in check_ else ""
    if "change" in check_:
        where += " with " + ", ".join(f"`{key}: {json.dumps(value)}`" for key, value in check_["change"].items())
    if "refused" in check_:
        return f"{where} is refused: {check_['refused']}"
    if "preflight" in check_:
        return f'{where}: `skerry preflight` says "{check_["preflight"]}"'
    if "migrate" in check_:
        return f'`{check_["stack"]}` to {where}: `skerry migrate` says "{check_["migrate"]}"'
    if "rule" in check_:
        return f"{where}: {check_['rule']} on `{check_['at']}`: {check_['says']}"
    if "file" in check_ and "stack" in check_:
        found = f"{check_['count']} of" if "count" in check_ else "file"
        return f"{where}: {found} `{check_['file']}`" + ("" if "count" in check_ else f" {_compared(check_)}")
    if "count" in check_:
        return f"{where}: {check_['count']} of `{check_['at']}`"
    if "file" in check_:
        return f'`{check_["file"]}` says "{check_["says"]}"'
    return f"{where}: `{check_['at']}` `{check_['path']}` {_compared(check_)}"


def _compared(check_: Mapping[str, Any]) -> str:
    how = next(key for key in ("is", "has", "least", "most") if key in check_)
    word = {"is": "=", "has": "has", "least": ">=", "most": "<="}[how]
    return f"{word} {json.dumps(check_[how])}"


def problems(check_: Mapping[str, Any]) -> Iterator[str]:
    """Return what is not as the check says; nothing where it holds."""
    if "size" in check_:
        yield from size_problems(check_, _holds)
        return
    if "file" in check_ and "stack" not in check_:
        text = " ".join((ROOT / check_["file"]).read_text(encoding="utf-8").split())
        if check_["says"] not in text:
            yield f"{check_['file']} does not say it"
        return
    stack, changes = check_["stack"], check_.get("change", {})
    try:
        graph = _graph(stack, json.dumps(changes, sort_keys=True))
    except SkerryError as exc:
        if "refused" not in check_ or check_["refused"] not in " ".join(str(exc).split()):
            yield f"was refused: {exc}"
        return
    if "refused" in check_:
        yield "was not refused"
    elif "preflight" in check_:
        text = _preflight(stack, json.dumps(changes, sort_keys=True))
        if check_["preflight"] not in text:
            yield f"the preflight of {stack} does not say it"
    elif "migrate" in check_:
        plan = plan_migration(_graph(stack, json.dumps(check_.get("from", {}), sort_keys=True)), graph)
        if check_["migrate"] not in " ".join(migration_text(plan, 1000).split()):
            yield f"the migration plan of {stack} does not say it"
    elif "rule" in check_:
        yield from _finding(graph, check_)
    elif "file" in check_:
        yield from _rendered(graph, check_)
    else:
        yield from _value(graph, check_)


@cache
def _graph(stack: str, changes: str) -> ResourceGraph:
    changed = json.loads(changes)
    secrets = [f"skerry:{value}" for key, value in changed.items() if key.endswith("_secret")]
    return run_changed(stack, changed, secrets=secrets)


@cache
def _preflight(stack: str, changes: str) -> str:
    """Return what `skerry preflight` says of a stack, in one line."""
    spec = load_spec(changed_deployment(stack, json.loads(changes)), stack)
    found = examine(_graph(stack, changes), spec, sold=lambda cloud, region, name: None)
    return " ".join(to_text(found, 1000).split())


def _at(graph: ResourceGraph, pattern: str) -> list[Resource]:
    """Return the resources of `<Type> <name>`, each with globs; a type is the last part of its token."""
    kind, _, name = pattern.partition(" ")
    return [
        one
        for one in graph.resources
        if fnmatchcase(one.type.rpartition(":")[2], kind) and fnmatchcase(one.name, name or "*")
    ]


def _value(graph: ResourceGraph, check_: Mapping[str, Any]) -> Iterator[str]:
    found = _at(graph, check_["at"])
    if "count" in check_:
        if len(found) != check_["count"]:
            yield f"{len(found)} of {check_['at']}"
        return
    if not found:
        yield f"there is no {check_['at']}"
    for resource in found:
        value = plain(find(resource.inputs, check_["path"]))
        if not _holds(value, check_):
            yield f"{resource.name}: {check_['path']} is {value!r}"


def _holds(value: Any, check_: Mapping[str, Any]) -> bool:
    if "is" in check_:
        return bool(value == check_["is"])
    if "has" in check_:
        text = value if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)
        return value is not None and check_["has"] in text
    number = isinstance(value, int | float)
    return number and (value >= check_["least"] if "least" in check_ else value <= check_["most"])


def _rendered(graph: ResourceGraph, check_: Mapping[str, Any]) -> Iterator[str]:
    """Judge the files that `skerry render` writes for machines: each that the glob names must hold what is asked."""
    found = [one for one in files(graph) if fnmatchcase(one.path, check_["file"])]
    if "count" in check_:
        if len(found) != check_["count"]:
            yield f"there are {len(found)}: {[one.path for one in found]}"
    elif not found:
        yield f"no file is {check_['file']}: {sorted(one.path for one in files(graph))}"
    for one in found if "count" not in check_ else ():
        if (one.text != check_["is"]) if "is" in check_ else (check_["has"] not in one.text):
            yield f"{one.path} says {one.text}"


def _finding(graph: ResourceGraph, check_: Mapping[str, Any]) -> Iterator[str]:
    report = check(graph, today=TODAY)
    wanted = check_.get("verdict", "violation")
    rows = [one for one in report.findings if one.rule.id == check_["rule"] and one.verdict.value == wanted]
    if not any(fnmatchcase(one.path, f"*{check_['at']}") and check_["says"] in one.message for one in rows):
        yield f"{check_['rule']} says {[(one.path, one.message) for one in rows]}"
