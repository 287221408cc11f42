"""What CloudFormation's resource schemas say of the values that pulumi-aws passes on, where botocore says nothing.

The schemas come with cfn-lint, as for tests/simulators/replacements.py, whose rows say which property is which. A
pattern there is looked for anywhere in a text, as in JSON Schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.simulators.provider_values import constraint_of, same_name
from tests.simulators.replacements import cloudformation, cloudformation_name

_DEPTH: Final = 5
_NUMBERS: Final = ("integer", "number")
_LEAVES: Final[Mapping[str, tuple[str, ...]]] = {
    "str": ("string",), "open": ("string",), "enum": ("string",), "int": _NUMBERS, "float": _NUMBERS
}  # fmt: skip
"""A property's type -> the types of a schema's properties that it can stand for."""


def schema_constraints(token: str, schema: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what the CloudFormation schema of a type states: path -> constraint, none where there is no such type."""
    whole = cloudformation(token)
    if whole is None:
        return {}
    found = {}
    read_only = {pointer.removeprefix("/properties/") for pointer in whole.get("readOnlyProperties", ())}
    for key, (type_, _) in schema["inputs"].items():
        name = cloudformation_name(token, key) or _same(key, type_, whole["properties"])
        if name in whole["properties"] and name not in read_only:
            place = (whole, schema["types"], f"CloudFormation {whole['typeName']}")
            found |= dict(_value(type_, whole["properties"][name], place, key, name, _DEPTH))
    return found


def _same(key: str, type_: Any, members: Mapping[str, Any]) -> str:
    return same_name(key, members, is_list=isinstance(type_, list) and type_[0] == "list") or ""


def _value(
    type_: Any, stated: Mapping[str, Any], place: tuple[Mapping[str, Any], Any, str], path: str, name: str, depth: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    whole, types, origin = place
    while "$ref" in stated:
        stated = whole["definitions"].get(stated["$ref"].rsplit("/", 1)[-1], {})
    kind, inner = type_ if isinstance(type_, list) else (type_, None)
    told = stated.get("type")
    if kind == "list" and told == "array":
        yield from _value(inner, stated.get("items", {}), place, f"{path}[]", name, depth)
    elif told == "object" and depth and kind in ("ref", "list"):
        key = inner if kind == "ref" else inner[1] if isinstance(inner, list) and inner[0] == "ref" else ""
        below, members = f"{path}[]" if kind == "list" else path, stated.get("properties", {})
        for one, (its_type, _) in types.get(key, {}).items():
            member = _same(one, its_type, members)
            if member:
                where = f"{name}.{member}"
                yield from _value(its_type, members[member], place, f"{below}.{one}", where, depth - 1)
    elif told in _LEAVES.get(kind, ()):
        found = constraint_of(_shape(stated), f"{origin} {name}")
        if found:
            yield path, {**found, "search": True}


def _shape(stated: Mapping[str, Any]) -> dict[str, Any]:
    low, high = ("minLength", "maxLength") if stated.get("type") == "string" else ("minimum", "maximum")
    return {
        "enum": stated.get("enum"), "pattern": stated.get("pattern"), "min": stated.get(low), "max": stated.get(high)
    }  # fmt: skip
