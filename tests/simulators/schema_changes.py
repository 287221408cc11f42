"""What a change of the package's schema does to programs that use it: breaks them, adds to them, or rewords."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

PREFIX = "#/types/"


class Kind(Enum):
    BREAKING = "breaking"
    ADDITIVE = "additive"
    WORDS = "words"


@dataclass(frozen=True)
class SchemaChange:
    kind: Kind
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.where}: {self.what}"


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[SchemaChange]:
    """Return every change from one schema to the next, the breaking ones first."""
    found = list(_all(old, new))
    return sorted(found, key=lambda one: ([*Kind].index(one.kind), one.where, one.what))


def report(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return what a reviewer must know, a line a change."""
    found = changes(old, new)
    breaking = sum(one.kind is Kind.BREAKING for one in found)
    if breaking:
        head = (
            f"{breaking} of {len(found)} changes break programs: take them back, or raise the version and say in "
            "CHANGELOG.md what a user must do; then `make golden`"
        )
    else:
        head = f"{len(found)} changes, none of which breaks a program: `make golden`, and read the diff"
    return "\n".join([head, *map(str, found)])


def settled(value: Any) -> Any:
    """Return a schema as the command prints it: without nulls, empty parts, and words of nested types."""
    if isinstance(value, list):
        return [settled(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: settled(item) for key, item in value.items() if item is not None}
    for nested in ("items", "additionalProperties"):
        if isinstance(found.get(nested), dict):
            found[nested].pop("description", None)
    return {key: item for key, item in found.items() if item not in ({}, [])}


def _all(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[SchemaChange]:
    if old["name"] != new["name"]:
        yield SchemaChange(Kind.BREAKING, "package", f"is named '{new['name']}', was '{old['name']}'")
    about = ("displayName", "version", "description", "keywords", "license", "language", "config", "dependencies")
    for field in about:
        if old.get(field) != new.get(field):
            yield SchemaChange(Kind.WORDS, "package", f"{field} is {new.get(field)!r}, was {old.get(field)!r}")
    returned = _in_outputs(old)
    for section in ("resources", "types"):
        before, after = old.get(section, {}), new.get(section, {})
        for token in sorted(before.keys() - after.keys()):
            yield SchemaChange(Kind.BREAKING, token, "was removed")
        for token in sorted(after.keys() - before.keys()):
            yield SchemaChange(Kind.ADDITIVE, token, "is new")
        for token in sorted(before.keys() & after.keys()):
            yield from _words(token, before[token], after[token])
            if section == "resources":
                one, two = before[token], after[token]
                yield from _inputs(f"{token} input", one.get("inputProperties", {}), two.get("inputProperties", {}),
                                   set(one.get("requiredInputs", ())), set(two.get("requiredInputs", ())))  # fmt: skip
                yield from _outputs(token, one, two)
            else:
                yield from _type(token, before[token], after[token], token in returned)


def _type(token: str, old: Mapping[str, Any], new: Mapping[str, Any], returned: bool) -> Iterator[SchemaChange]:
    if old.get("type") != new.get("type"):
        yield SchemaChange(Kind.BREAKING, token, f"is {new.get('type')}, was {old.get('type')}")
    before = {str(row["value"]): row for row in old.get("enum", ())}
    after = {str(row["value"]): row for row in new.get("enum", ())}
    for value in sorted(before.keys() - after.keys()):
        yield SchemaChange(Kind.BREAKING, token, f"value '{value}' was removed")
    for value in sorted(after.keys() - before.keys()):
        yield SchemaChange(Kind.ADDITIVE, token, f"value '{value}' is new")
    for value in sorted(before.keys() & after.keys()):
        if before[value].get("name") != after[value].get("name"):
            yield SchemaChange(Kind.BREAKING, token, f"value '{value}' has another name")
        yield from _words(f"{token} value '{value}'", before[value], after[value])
    yield from _inputs(f"{token} field", old.get("properties", {}), new.get("properties", {}),
                       set(old.get("required", ())), set(new.get("required", ())))  # fmt: skip
    if returned:
        yield from _less_sure(token, old, new)


def _inputs(
    where: str, old: Mapping[str, Any], new: Mapping[str, Any], needed: set[str], needs: set[str]
) -> Iterator[SchemaChange]:
    for name in sorted(old.keys() - new.keys()):
        yield SchemaChange(Kind.BREAKING, f"{where} {name}", "was removed")
    for name in sorted(new.keys() - old.keys()):
        if name in needs:
            yield SchemaChange(Kind.BREAKING, f"{where} {name}", "is new and required")
        else:
            yield SchemaChange(Kind.ADDITIVE, f"{where} {name}", "is new")
    for name in sorted(old.keys() & new.keys()):
        if name in needs - needed:
            yield SchemaChange(Kind.BREAKING, f"{where} {name}", "is required now")
        if name in needed - needs:
            yield SchemaChange(Kind.ADDITIVE, f"{where} {name}", "may be left out now")
        yield from _shapes(f"{where} {name}", old[name], new[name], given=True)


def _outputs(token: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[SchemaChange]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in sorted(before.keys() - after.keys()):
        yield SchemaChange(Kind.BREAKING, f"{token} output {name}", "was removed")
    for name in sorted(after.keys() - before.keys()):
        yield SchemaChange(Kind.ADDITIVE, f"{token} output {name}", "is new")
    for name in sorted(before.keys() & after.keys()):
        yield from _shapes(f"{token} output {name}", before[name], after[name], given=False)
    yield from _less_sure(token, old, new)


def _less_sure(token: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[SchemaChange]:
    there = old.get("properties", {}).keys() & new.get("properties", {}).keys()
    before, after = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted((before - after) & there):
        yield SchemaChange(Kind.BREAKING, f"{token} output {name}", "may be absent now")
    if "inputProperties" in old:
        for name in sorted((after - before) & there):
            yield SchemaChange(Kind.ADDITIVE, f"{token} output {name}", "is always there now")


def _shapes(where: str, old: Mapping[str, Any], new: Mapping[str, Any], *, given: bool) -> Iterator[SchemaChange]:
    one, two = _shape(old), _shape(new)
    if one != two:
        yield SchemaChange(Kind.BREAKING, where, f"is {_said(two)}, was {_said(one)}")
    if old.get("secret") and not new.get("secret"):
        yield SchemaChange(Kind.BREAKING, where, "is no secret any more: programs would show it")
    if new.get("secret") and not old.get("secret"):
        yield SchemaChange(Kind.ADDITIVE, where, "is secret now")
    if given:
        before, after = _known(old), _known(new)
        for part in sorted(after - before):
            yield SchemaChange(Kind.BREAKING, where + part, "must be known now, took outputs before")
        for part in sorted(before - after):
            yield SchemaChange(Kind.ADDITIVE, where + part, "takes outputs now")
    yield from _words(where, old, new)


def _shape(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the type alone; whether it is secret, and whether it must be known, is told apart."""
    return {
        key: _shape(item) if isinstance(item, dict) else item
        for key, item in value.items()
        if key not in ("description", "plain", "secret")
    }


def _known(value: Mapping[str, Any], path: str = "") -> set[str]:
    """Return the places in a property that must be known: the property itself is ''."""
    found = {path} if value.get("plain") else set()
    for key in ("items", "additionalProperties"):
        if isinstance(value.get(key), dict):
            found |= _known(value[key], f"{path} {key}")
    return found


def _said(shape: Mapping[str, Any]) -> str:
    return str(shape.get("$ref") or json.dumps(shape, sort_keys=True))


def _words(where: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[SchemaChange]:
    if old.get("description") != new.get("description"):
        yield SchemaChange(Kind.WORDS, where, "is described in other words")


def _in_outputs(schema: Mapping[str, Any]) -> set[str]:
    """Return the types that a program may get, through any depth."""
    waiting = [item for one in schema.get("resources", {}).values() for item in one.get("properties", {}).values()]
    found: set[str] = set()
    while waiting:
        one = waiting.pop()
        waiting += [one[key] for key in ("items", "additionalProperties") if key in one]
        token = str(one.get("$ref", "")).removeprefix(PREFIX)
        if token in schema.get("types", {}) and token not in found:
            found.add(token)
            waiting += schema["types"][token].get("properties", {}).values()
    return found
