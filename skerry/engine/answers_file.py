"""Reads a table of answers (`skerry.answers/1`) and tells everything that is wrong with it at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from skerry.engine.computed import COMPUTED
from skerry.errors import ConfigError, Problem

ANSWERS_SCHEMA: Final = "skerry.answers/1"
"""Name and version of the file's form."""

MAX_BYTES: Final = 4 * 1024 * 1024
"""A table is written by hand; anything larger is another file."""

KINDS: Final = ("table", "stand-in", "computed")
_SCOPES: Final = ("args", "provider", "config")
_TOP: Final = ("schema", "values", "tables", "answers")
_ROW: Final = ("token", "kind", "source", "args", "needs", "echo", "compute", "result")
_REFERENCE: Final = re.compile(r"\$\{([^{}]*)\}")
_TOKEN: Final = re.compile(r"[^:\s]+:[^:\s]*:[^:\s]+")
_MAX_DEPTH: Final = 32
"""Nesting of values, and of named values that refer to each other."""


@dataclass(frozen=True, slots=True)
class Row:
    """The answer to one function, for the arguments that it holds for."""

    token: str
    kind: str
    args: Mapping[str, Any]
    """Arguments that may be given -> `any`, `bool`, a list of values, or `{like: glob}`."""
    needs: Mapping[str, Any]
    """Arguments that must be given, in the same form."""
    echo: bool
    """Whether the arguments are part of the answer, as they are for bridged providers."""
    compute: str
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Document:
    """One file."""

    origin: str
    """What its answers are recorded as; empty: each row's kind."""
    rows: Mapping[str, tuple[Row, ...]]
    values: Mapping[str, Any]
    tables: Mapping[str, Mapping[str, Mapping[str, Any]]]


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # either is a SafeLoader
    """A safe loader that refuses what could hide a row: a key written twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key.value}' is set twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_document(path: Path, origin: str) -> Document:
    """Read one file.

    Raises:
        ConfigError: it cannot be read, or something in it is wrong.
    """
    data = _load(path)
    problems: list[Problem] = []
    if data.get("schema") != ANSWERS_SCHEMA:
        problems.append(Problem("schema", f"{data.get('schema')!r} is not known", f"write {ANSWERS_SCHEMA}"))
    problems += _unexpected("", data, _TOP)
    values = _mapping("values", data.get("values"), problems)
    tables = _tables(_mapping("tables", data.get("tables"), problems), problems)
    listed = data.get("answers")
    if not isinstance(listed, list):
        problems.append(Problem("answers", f"{_kind(listed)} where a list of rows is needed"))
        listed = []
    rows: dict[str, tuple[Row, ...]] = {}
    for index, item in enumerate(listed):
        row = _row(f"answers[{index}]", item, problems)
        if row is not None:
            rows[row.token] = (*rows.get(row.token, ()), row)
            problems += _references(f"answers[{index}].result", row.result, values, tables)
    for name, value in values.items():
        problems += _references(f"values.{name}", value, values, tables)
    if not problems:
        problems += _circles(values)
    if problems:
        raise ConfigError(path.name, problems)
    return Document(origin, rows, values, tables)


def _load(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(
                path.name, [Problem("", f"is larger than {MAX_BYTES} bytes: this is no table of answers")]
            )
        text = path.read_text(encoding="utf-8-sig")
        # A few aliases of aliases are more values than any machine holds.
        alias = next((found for found in yaml.parse(text, Loader=_Loader) if isinstance(found, yaml.AliasEvent)), None)
        if alias is not None:
            problem = Problem(f"*{alias.anchor}", "an alias is not allowed", "write the value out")
            raise ConfigError(path.name, [problem])
        data = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as exc:
        mark, text = getattr(exc, "problem_mark", None), getattr(exc, "problem", None) or str(exc).splitlines()[0]
        where = f"line {mark.line + 1}" if mark is not None else ""
        raise ConfigError(path.name, [Problem(where, f"cannot be used: {text}")]) from exc
    except (OSError, ValueError, TypeError, RecursionError) as exc:
        raise ConfigError(path.name, [Problem("", f"cannot be read: {exc}")]) from exc
    if not isinstance(data, dict):
        raise ConfigError(path.name, [Problem("", f"holds {_kind(data)} where a mapping is needed")])
    return data


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def _unexpected(place: str, found: Mapping[Any, Any], allowed: tuple[str, ...]) -> list[Problem]:
    problems = []
    for key in found:
        if key not in allowed:
            near = difflib.get_close_matches(str(key), allowed, n=1)
            remedy = f"did you mean '{near[0]}'?" if near else f"allowed are {', '.join(allowed)}"
            problems.append(Problem(f"{place}.{key}".lstrip("."), "this field is not known", remedy))
    return problems


def _mapping(place: str, value: Any, problems: list[Problem]) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        problems.append(Problem(place, f"{_kind(value)} where a mapping with text keys is needed"))
        return {}
    return value


def _tables(found: dict[str, Any], problems: list[Problem]) -> dict[str, dict[str, dict[str, Any]]]:
    tables = {}
    for name, rows in found.items():
        tables[name] = {
            key: _mapping(f"tables.{name}.{key}", row, problems)
            for key, row in _mapping(f"tables.{name}", rows, problems).items()
        }
    return tables


def _row(place: str, item: Any, problems: list[Problem]) -> Row | None:
    before = len(problems)
    if not isinstance(item, dict):
        problems.append(Problem(place, f"{_kind(item)} where a row is needed", f"a row has {', '.join(_ROW)}"))
        return None
    problems += _unexpected(place, item, _ROW)
    token = item.get("token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        problems.append(Problem(f"{place}.token", f"{token!r} is not a function's token", "write package:module:name"))
    kind = item.get("kind", "table")
    if kind not in KINDS:
        problems.append(Problem(f"{place}.kind", f"{kind!r} is not one of {', '.join(KINDS)}"))
    compute = item.get("compute", "")
    if compute not in ("", *COMPUTED):
        problems.append(Problem(f"{place}.compute", f"{compute!r} is not one of {', '.join(COMPUTED)}"))
    echo = item.get("echo", False)
    if not isinstance(echo, bool):
        problems.append(Problem(f"{place}.echo", f"{echo!r} is not true or false"))
    if "result" not in item and not compute:
        problems.append(Problem(f"{place}.result", "is missing", "give the fields that the function returns"))
    result = _mapping(f"{place}.result", item.get("result"), problems)
    args, needs = (_rules(f"{place}.{name}", item.get(name), problems) for name in ("args", "needs"))
    if len(problems) > before:
        return None
    return Row(str(token), str(kind), args, needs, echo, str(compute), result)


def _rules(place: str, value: Any, problems: list[Problem]) -> dict[str, Any]:
    rules = _mapping(place, value, problems)
    for key, rule in rules.items():
        like = isinstance(rule, dict) and set(rule) == {"like"} and isinstance(rule["like"], str)
        if rule not in ("any", "bool") and not isinstance(rule, list) and not like:
            problems.append(
                Problem(f"{place}.{key}", f"{rule!r} is not any, bool, a list of values, or {{like: pattern}}")
            )
    return rules


def _nodes(value: Any, depth: int = 0) -> Iterator[tuple[Any, int]]:
    yield value, depth
    if depth <= _MAX_DEPTH and isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _nodes(item, depth + 1)


def _references(place: str, value: Any, values: Mapping[str, Any], tables: Mapping[str, Any]) -> list[Problem]:
    problems = []
    for node, depth in _nodes(value):
        if depth > _MAX_DEPTH:
            problems.append(Problem(place, f"is nested deeper than {_MAX_DEPTH} levels"))
        elif isinstance(node, str):
            for name in _REFERENCE.findall(node):
                scope, _, key = name.partition(".")
                if name not in values and (scope not in _SCOPES or not key):
                    known = ", ".join((*(f"{scope}.<name>" for scope in _SCOPES), *values))
                    problems.append(Problem(place, f"${{{name}}} refers to nothing", f"known are {known}"))
        elif isinstance(node, dict):
            problems += _marked(place, node, tables)
        elif not isinstance(node, list | bool | int | float | None):
            problems.append(Problem(place, f"{node!r} is not a value of JSON", "put it into quotation marks"))
    return problems


def _marked(place: str, node: dict[Any, Any], tables: Mapping[str, Any]) -> list[Problem]:
    if not all(isinstance(key, str) for key in node):
        return [Problem(place, "a key is not text", "put it into quotation marks")]
    if "$first" in node and (set(node) != {"$first"} or not isinstance(node["$first"], list)):
        return [Problem(place, "$first is written {$first: [value, ...]}")]
    if "$secret" in node and set(node) != {"$secret"}:
        return [Problem(place, "$secret is written {$secret: value}")]
    if "$table" in node:
        if set(node) != {"$table", "key", "field"} or not all(isinstance(item, str) for item in node.values()):
            return [Problem(place, "$table is written {$table: name, key: text, field: name}")]
        if node["$table"] not in tables:
            return [Problem(place, f"there is no table '{node['$table']}'", f"known are {', '.join(tables) or 'none'}")]
    return []


def _circles(values: Mapping[str, Any]) -> list[Problem]:
    uses = {
        name: {found for node, _ in _nodes(value) if isinstance(node, str) for found in _REFERENCE.findall(node)}
        for name, value in values.items()
    }
    problems = []
    for name in values:
        reached, rest = set[str](), set(uses[name])
        while rest:
            found = rest.pop()
            if found in uses and found not in reached:
                reached.add(found)
                rest |= uses[found]
        if name in reached:
            problems.append(Problem(f"values.{name}", "refers to itself", "take the circle out"))
    return problems
