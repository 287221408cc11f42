"""What Google's discovery documents say of the values that pulumi-gcp passes on.

The documents come with google-api-python-client; nothing else of it is used. A resource's properties are laid beside
the schema of the same name in the document of its module, both as tests/simulators/data/discovery_map.csv says; a
property stands for the schema's property of the same name (case and a list's plural apart), and so on downwards.
"""

# Source: Google API Discovery Service, "Type and Format Summary" and the documents themselves, read 2026-11.

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from tests.simulators.provider_check import Failure
from tests.simulators.provider_values import DATA, constraint_of, failures, installed, kept, own_rows, same_name
from tests.simulators.sdk_types import sdk_of

MAP: Final = DATA / "discovery_map.csv"
_FORMAT: Final = 2
_CLIENT: Final = "google-api-python-client"
_RANGES: Final = {
    "int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1), "int64": (-(2**63), 2**63 - 1), "uint64": (0, 2**64 - 1)
}  # fmt: skip
_DURATION: Final = r"-?\d+(\.\d{1,9})?s"
_DEPTH: Final = 6
# A 64-bit number travels as a text.
_NUMBERS: Final = ("integer", "number", "string")
_LEAVES: Final[Mapping[str, tuple[str, ...]]] = {
    "str": _NUMBERS, "open": ("string",), "enum": ("string",), "int": _NUMBERS, "float": _NUMBERS, "bool": ("boolean",)
}  # fmt: skip
"""A property's type -> the types of fields that it can stand for."""
_MEMBERS: Final = ("minimum", "maximum")


@cache
def rows() -> tuple[dict[str, str], ...]:
    """Return the rows of the map."""
    lines = [line for line in MAP.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return tuple(csv.DictReader(lines))


@cache
def document(name: str) -> Mapping[str, Any] | None:
    """Return the schemas of a discovery document, or None where it is not there."""
    spec = find_spec("googleapiclient")
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0]) / "discovery_cache" / "documents" / f"{name}.json"
    if not path.is_file():
        return None
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))["schemas"]
    return found


def gcp_failures(token: str, inputs: Mapping[str, Any]) -> list[Failure]:
    """Return what the documents refuse of a resource's inputs."""
    return failures(inputs, {**gcp_constraints(token), **own_rows().get(token, {})})


def gcp_constraints(token: str) -> dict[str, dict[str, Any]]:
    """Return what the documents state for a type: path -> constraint."""
    sdk = sdk_of("gcp")
    if sdk is None or not installed(_CLIENT):
        return {}
    key = f"{_FORMAT} {sdk.version} {installed(_CLIENT)} {MAP.read_text(encoding='utf-8')}"
    return kept("gcp-values", token, key, lambda: {path: c for path, c in mapped(token).items() if c})


def mapped(token: str) -> dict[str, dict[str, Any]]:
    """Return each path of a type that has a field in a document, with the constraint, empty where it states none."""
    sdk = sdk_of("gcp")
    schema = sdk.resource(token) if sdk else None
    name, top = schema_name(token)
    schemas = document(name)
    if schema is None or schemas is None or top not in schemas:
        return {}
    found = dict(_members(schema["inputs"], schema["types"], schemas, schemas[top], (name, top), "", _DEPTH))
    for row in rows():
        if row["token"] == token and row["property"]:
            found.pop(row["property"], None)
    return found


def schema_name(token: str) -> tuple[str, str]:
    """Return the document and the schema that a type stands for; either may not exist."""
    module, name = token.split(":")[1].split("/")[0], token.split(":")[2]
    for row in rows():
        if row["token"] == token and not row["property"]:
            return row["document"], row["schema"]
    return next((row["document"] for row in rows() if row["token"] == f"gcp:{module}/"), ""), name


def _members(
    properties: Mapping[str, Any],
    types: Mapping[str, Any],
    schemas: Mapping[str, Any],
    stated: Mapping[str, Any],
    origin: tuple[str, str],
    path: str,
    depth: int,
) -> Iterator[tuple[str, dict[str, Any]]]:
    fields = stated.get("properties", {})
    for key, (type_, _) in properties.items():
        field = same_name(key, fields, is_list=isinstance(type_, list) and type_[0] == "list")
        # What a document calls an output is another thing than the setting of that name.
        if field is not None and depth and not fields[field].get("readOnly"):
            place = f"{path}.{key}" if path else key
            yield from _value(type_, types, schemas, fields[field], (origin[0], f"{origin[1]}.{field}"), place, depth)


def _value(
    type_: Any,
    types: Mapping[str, Any],
    schemas: Mapping[str, Any],
    stated: Mapping[str, Any],
    origin: tuple[str, str],
    path: str,
    depth: int,
) -> Iterator[tuple[str, dict[str, Any]]]:
    if "$ref" in stated:
        origin, stated = (origin[0], stated["$ref"]), schemas[stated["$ref"]]
    kind, inner = type_ if isinstance(type_, list) else (type_, None)
    told = stated.get("type")
    if kind == "list" and told == "array":
        yield from _value(inner, types, schemas, stated["items"], origin, f"{path}[]", depth)
    elif kind == "map" and told == "object" and "additionalProperties" in stated:
        yield from _value(inner, types, schemas, stated["additionalProperties"], origin, f"{path}{{}}", depth)
    elif kind == "ref" and told == "object":
        yield from _members(types.get(inner, {}), types, schemas, stated, origin, path, depth - 1)
    elif kind == "list" and told == "object" and inner and inner[0] == "ref":
        yield from _members(types.get(inner[1], {}), types, schemas, stated, origin, f"{path}[]", depth - 1)
    elif told in _LEAVES.get(kind, ()):
        yield path, _stated(stated, kind, origin)


def _stated(stated: Mapping[str, Any], kind: str, origin: tuple[str, str]) -> dict[str, Any]:
    shape = {"enum": stated.get("enum"), "pattern": stated.get("pattern")}
    if stated.get("format") == "google-duration":
        shape["pattern"] = _DURATION
    if kind in ("int", "float"):
        shape = dict(zip(("min", "max"), _RANGES.get(stated.get("format", ""), (None, None)), strict=True))
        shape |= {key[:3]: float(stated[key]) for key in _MEMBERS if key in stated}
    return constraint_of(shape, f"{origin[0]} {origin[1]}")
