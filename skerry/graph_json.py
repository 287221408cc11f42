"""The JSON form of a resource graph, documented in docs/graph-format.md; its name and version stand here alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from skerry.errors import GraphError
from skerry.graph import UNKNOWN, Asset, Invoke, Resource, ResourceGraph, ResourceRef, Secret, is_known
from skerry.json_text import loads

GRAPH_SCHEMA: Final = "skerry.graph/1"
"""Name and version of the JSON form."""

_MARK: Final = "$skerry"
_MAX_DEPTH: Final = 100
"""Levels of nested values, and of parents: what goes deeper was made to do harm."""


def value_to_json(value: Any) -> Any:
    """Return the JSON form of a value: marks become objects with the key `$skerry`, secrets lose their content."""
    if value is UNKNOWN:
        return {_MARK: "unknown"}
    if isinstance(value, Secret):
        return {_MARK: "secret"} if is_known(value.value) else {_MARK: "secret", "unknown": True}
    if isinstance(value, Asset):
        return {_MARK: "asset", "kind": value.kind, "location": value.location}
    if isinstance(value, ResourceRef):
        return {_MARK: "resource", "urn": value.urn}
    if isinstance(value, Mapping):
        return {str(key): value_to_json(item) for key, item in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [value_to_json(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def value_from_json(value: Any, depth: int = 0) -> Any:
    """Return the value of its JSON form; a secret comes back as `Secret(UNKNOWN)`: its content was never written.

    Raises:
        GraphError: a mark is not known or not whole, or values are nested too deep.
    """
    if depth > _MAX_DEPTH:
        raise GraphError(f"a value of the graph document is nested deeper than {_MAX_DEPTH} levels")
    if isinstance(value, list):
        return [value_from_json(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    match value.get(_MARK):
        case None if _MARK not in value:
            return {key: value_from_json(item, depth + 1) for key, item in value.items()}
        case "unknown":
            return UNKNOWN
        case "secret":
            return Secret(UNKNOWN)
        case "asset":
            return Asset(_text(value, "kind"), _text(value, "location"))
        case "resource":
            return ResourceRef(_text(value, "urn"))
        case other:
            raise GraphError(f"'{other}' is not a mark of {GRAPH_SCHEMA}")


def to_json(graph: ResourceGraph) -> str:
    """Return the graph in its JSON form, the same bytes for the same graph."""
    document: dict[str, Any] = {
        "schema": GRAPH_SCHEMA,
        "project": graph.project,
        "producer": graph.producer,
        "stacks": list(graph.stacks),
        "resources": [_resource_to_json(resource) for resource in graph.resources],
        "invokes": [_invoke_to_json(invoke) for invoke in graph.invokes],
    }
    if graph.places:
        document["places"] = {stack: dict(sorted(found.items())) for stack, found in sorted(graph.places.items())}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _invoke_to_json(invoke: Invoke) -> dict[str, Any]:
    row = {"token": invoke.token, "stack": invoke.stack, "answered": invoke.answered}
    by = {"answeredBy": invoke.answered_by} if invoke.answered_by else {}
    return {**row, **by, "args": value_to_json(invoke.args)}


_LIST_FIELDS = ("dependencies", "ignore_changes", "replace_on_changes", "additional_secret_outputs", "aliases")
_PLAIN_FIELDS = ("protect", "retain_on_delete", "external", "id", "delete_before_replace", "deleted_with", "version")
_ALWAYS = ("urn", "type", "name", "custom", "parent", "provider")


def _resource_to_json(resource: Resource) -> dict[str, Any]:
    row: dict[str, Any] = {key: getattr(resource, key) for key in _ALWAYS}
    row["inputs"] = value_to_json(resource.inputs)
    row["dependencies"] = list(resource.dependencies)
    row["propertyDependencies"] = {k: list(v) for k, v in sorted(resource.property_dependencies.items())}
    if resource.outputs:
        row["outputs"] = value_to_json(resource.outputs)
    for key in (*_PLAIN_FIELDS, *_LIST_FIELDS[1:], "source"):
        value = getattr(resource, key)
        if value not in (None, "", False, ()):
            row[_camel(key)] = list(value) if isinstance(value, tuple) else value
    return row


def from_json(text: str) -> ResourceGraph:
    """Read a graph in its JSON form.

    Raises:
        GraphError: `text` is no JSON, not of the schema and version that this reader knows, or misuses a field.
    """
    try:
        document = loads(text)
    except ValueError as exc:
        raise GraphError(f"not a graph document: {exc}: give what `skerry preview --format json` wrote") from exc
    if not isinstance(document, dict):
        raise GraphError(f"not a graph document: a JSON {type(document).__name__} where an object is needed")
    schema = document.get("schema")
    if schema != GRAPH_SCHEMA:
        raise GraphError(
            f"graph schema '{schema}' is not known: this version reads {GRAPH_SCHEMA}, as `skerry preview --format "
            "json` writes it; for what Pulumi wrote use --from-preview or --from-state"
        )
    resources = tuple(_resource_from_json(row) for row in _rows(document, "resources", None))
    _check_parents(resources)
    return ResourceGraph(
        project=_text(document, "project"),
        stacks=_texts(document, "stacks"),
        resources=resources,
        invokes=tuple(_invoke_from_json(row) for row in _rows(document, "invokes", [])),
        producer=_text(document, "producer", ""),
        places={stack: _pairs(found, "places") for stack, found in _object(document, "places").items()},
    )


def _resource_from_json(row: dict[str, Any]) -> Resource:
    texts = {key: _text(row, key) for key in ("urn", "type", "name", "parent", "provider")}
    texts |= {key: _text(row, _camel(key), "") for key in ("id", "deleted_with", "version", "source")}
    lists = {key: _texts(row, _camel(key)) for key in _LIST_FIELDS}
    flags = {key: _flag(row, _camel(key), False) for key in ("protect", "external", "retain_on_delete")}
    rest: dict[str, Any] = {**texts, **lists, **flags}
    return Resource(
        custom=_flag(row, "custom", None),
        inputs=value_from_json(_object(row, "inputs")),
        outputs=value_from_json(_object(row, "outputs")),
        property_dependencies={
            key: _texts({key: urns}, key) for key, urns in _object(row, "propertyDependencies").items()
        },
        delete_before_replace=_flag(row, "deleteBeforeReplace", None) if "deleteBeforeReplace" in row else None,
        **rest,
    )


def _invoke_from_json(row: dict[str, Any]) -> Invoke:
    args = value_from_json(_object(row, "args"))
    by = _text(row, "answeredBy", "")
    return Invoke(_text(row, "token"), _text(row, "stack"), _flag(row, "answered", None), args, by)


def _check_parents(resources: tuple[Resource, ...]) -> None:
    """Hold what readers go by: a parent stands before its children, so that nothing is its own ancestor."""
    levels = {"": 0}
    for resource in resources:
        if not resource.urn.isprintable():
            raise GraphError(f"the graph document holds the URN {resource.urn!r} with a character that cannot be shown")
        if resource.parent not in levels:
            raise GraphError(f"the graph document names the parent {resource.parent} of {resource.urn} before or "
                             "without holding it")  # fmt: skip
        levels[resource.urn] = levels[resource.parent] + 1
        if levels[resource.urn] > _MAX_DEPTH:
            raise GraphError(f"the graph document nests {resource.urn} under more than {_MAX_DEPTH} parents")


def _misused(key: str, value: Any, needed: str) -> GraphError:
    return GraphError(f"the field '{key}' of the graph document is {value!r:.80}: {needed} is needed")


def _text(row: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = row.get(key, default)
    if not isinstance(value, str):
        raise _misused(key, value, "a text")
    return value


def _flag(row: Mapping[str, Any], key: str, default: bool | None) -> bool:
    value = row.get(key, default)
    if not isinstance(value, bool):
        raise _misused(key, value, "true or false")
    return value


def _texts(row: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = row.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _misused(key, value, "a list of texts")
    return tuple(value)


def _object(row: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = row.get(key, {})
    if not isinstance(value, dict):
        raise _misused(key, value, "an object")
    return value


def _pairs(value: Any, key: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise _misused(key, value, "an object of texts")
    return value


def _rows(document: Mapping[str, Any], key: str, default: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    value = document.get(key, default)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise _misused(key, value, "a list of objects")
    return value


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
