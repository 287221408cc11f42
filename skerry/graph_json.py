"""The JSON form of a resource graph, documented in docs/graph-format.md; its name and version stand here alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from skerry.errors import GraphError
from skerry.graph import UNKNOWN, Asset, Invoke, Resource, ResourceGraph, ResourceRef, Secret, is_known

GRAPH_SCHEMA: Final = "skerry.graph/1"
"""Name and version of the JSON form."""

_MARK: Final = "$skerry"


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


def value_from_json(value: Any) -> Any:
    """Return the value of its JSON form; a secret comes back as `Secret(UNKNOWN)`: its content was never written."""
    if isinstance(value, dict):
        match value.get(_MARK):
            case None:
                return {key: value_from_json(item) for key, item in value.items()}
            case "unknown":
                return UNKNOWN
            case "secret":
                return Secret(UNKNOWN)
            case "asset":
                return Asset(value["kind"], value["location"])
            case "resource":
                return ResourceRef(value["urn"])
            case other:
                raise GraphError(f"'{other}' is not a mark of {GRAPH_SCHEMA}")
    if isinstance(value, list):
        return [value_from_json(item) for item in value]
    return value


def to_json(graph: ResourceGraph) -> str:
    """Return the graph in its JSON form, the same bytes for the same graph."""
    document = {
        "schema": GRAPH_SCHEMA,
        "project": graph.project,
        "producer": graph.producer,
        "stacks": list(graph.stacks),
        "resources": [_resource_to_json(resource) for resource in graph.resources],
        "invokes": [_invoke_to_json(invoke) for invoke in graph.invokes],
    }
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
        GraphError: `text` is no JSON, or not of the schema and version that this reader knows.
    """
    try:
        document = json.loads(text)
        schema = document.get("schema")
    except (ValueError, AttributeError) as exc:
        raise GraphError(f"not a graph document: {exc}") from exc
    if schema != GRAPH_SCHEMA:
        raise GraphError(f"graph schema '{schema}' is not known: this version reads {GRAPH_SCHEMA}")
    try:
        return ResourceGraph(
            project=document["project"],
            stacks=tuple(document["stacks"]),
            resources=tuple(_resource_from_json(row) for row in document["resources"]),
            invokes=tuple(
                Invoke(
                    row["token"],
                    row["stack"],
                    row["answered"],
                    value_from_json(row["args"]),
                    row.get("answeredBy", ""),
                )
                for row in document.get("invokes", [])
            ),
            producer=document.get("producer", ""),
        )
    except (KeyError, TypeError, AttributeError) as exc:
        raise GraphError(f"the graph document lacks or misuses the field {exc}") from exc


def _resource_from_json(row: dict[str, Any]) -> Resource:
    extra: dict[str, Any] = {key: row[_camel(key)] for key in (*_PLAIN_FIELDS, "source") if _camel(key) in row}
    extra |= {key: tuple(row[_camel(key)]) for key in _LIST_FIELDS if _camel(key) in row}
    return Resource(
        **{key: row[key] for key in _ALWAYS},
        inputs=value_from_json(row["inputs"]),
        outputs=value_from_json(row.get("outputs", {})),
        property_dependencies={k: tuple(v) for k, v in row["propertyDependencies"].items()},
        **extra,
    )


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
