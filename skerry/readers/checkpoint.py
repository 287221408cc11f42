"""The resource rows that the Pulumi command writes, in previews and in states alike, as nodes of the graph."""

# Source: pulumi/pulumi sdk/go/common/apitype/core.go (ResourceV3) and sdk/go/common/resource/properties.go, read
# 2026-11.

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from skerry.engine.values import SECRET_SIGNATURE, SIGNATURE, decode
from skerry.errors import GraphError
from skerry.graph import PROVIDER_PREFIX, UNKNOWN, Resource, ResourceGraph, Secret

MASK: Final = "[secret]"
"""What the command prints in a preview in place of a secret."""
_MAX_DEPTH: Final = 100
"""Levels of nesting; deeper than any resource goes, so what goes deeper is hostile."""
_DEFAULT_PROVIDER: Final = "default"
_PROJECT_SCHEME: Final = "project:///"


def read_json(text: str, what: str) -> dict[str, Any]:
    """Return the JSON object in `text`.

    Raises:
        GraphError: `text` is no JSON object.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise GraphError(f"{what} is not JSON: {exc}") from exc
    if not isinstance(document, dict):
        raise GraphError(f"{what} is a JSON {type(document).__name__}: an object is needed")
    return document


def rows_of(document: Mapping[str, Any], key: str, what: str) -> list[dict[str, Any]]:
    """Return the list of objects under `key`; none when it is absent or null.

    Raises:
        GraphError: it is no list of objects.
    """
    rows = document.get(key)
    if rows is None:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise GraphError(f"'{key}' of {what} is not a list of objects")
    return rows


def graph_of(rows: Iterable[Mapping[str, Any]], producer: str, what: str, *, states: bool) -> ResourceGraph:
    """Return the graph of the rows of one stack; with `states`, the outputs of resources are known and kept.

    Default providers are left out, as the graph says of its `provider` fields.

    Raises:
        GraphError: a row cannot be read, two share a URN, a parent or provider is missing, or there is no row at all.
    """
    chosen: list[Mapping[str, Any]] = []
    defaults: set[str] = set()
    for row in rows:
        urn = _text(row, "urn", what)
        parts = urn.split("::")
        if not urn.startswith("urn:pulumi:") or len(parts) < 4:
            raise GraphError(f"{what} holds the URN '{urn}': one is written urn:pulumi:stack::project::type::name")
        if _is_default_provider(row, parts[-1]):
            defaults.add(urn)
        else:
            chosen.append(row)
    if not chosen:
        raise GraphError(f"{what} holds no resource: preview or deploy the stack first")
    resources = [_resource(row, what, states=states) for row in chosen]
    _check(resources, defaults, what)
    stack, project = resources[0].urn.removeprefix("urn:pulumi:").split("::")[:2]
    return ResourceGraph(project=project, stacks=(stack,), resources=tuple(resources), producer=producer)


def _is_default_provider(row: Mapping[str, Any], name: str) -> bool:
    # The engine makes them itself: a provider of the program stands under the stack.
    is_provider = str(row.get("type", "")).startswith(PROVIDER_PREFIX)
    return is_provider and not row.get("parent") and _names_default(name)


def _names_default(name: str) -> bool:
    return name == _DEFAULT_PROVIDER or name.startswith(f"{_DEFAULT_PROVIDER}_")


def _check(resources: list[Resource], defaults: set[str], what: str) -> None:
    seen: set[str] = set()
    stacks = {resource.urn.split("::", 1)[0] for resource in resources}
    if len(stacks) > 1:
        raise GraphError(f"{what} mixes the stacks {', '.join(sorted(stacks))}: one document holds one stack")
    for resource in resources:
        if resource.urn in seen:
            raise GraphError(f"{what} holds the URN {resource.urn} twice")
        if resource.parent and resource.parent not in seen:
            raise GraphError(
                f"{what} names the parent {resource.parent} of {resource.urn} before or without holding it"
            )
        seen.add(resource.urn)
    for resource in resources:
        provider = resource.provider.rpartition("::")[0]
        if provider and provider not in seen and provider not in defaults:
            raise GraphError(f"{what} names the provider {provider} of {resource.urn} without holding it")


def _resource(row: Mapping[str, Any], what: str, *, states: bool) -> Resource:
    urn, kind = _text(row, "urn", what), _text(row, "type", what)
    inputs = _values(row, "inputs", what)
    version = ""
    if kind.startswith(PROVIDER_PREFIX):
        # The engine keeps the asked version of a plugin, and notes of its own, among the inputs of a provider.
        inputs.pop("__internal", None)
        version = str(inputs.pop("version", None) or "")
    custom = bool(row.get("custom"))
    external = bool(row.get("external"))
    return Resource(
        urn=urn,
        type=kind,
        name=urn.rsplit("::", 1)[1],
        custom=custom,
        parent=str(row.get("parent") or ""),
        provider=_provider(str(row.get("provider") or "")),
        inputs=inputs,
        outputs=_values(row, "outputs", what) if states or not custom else {},
        dependencies=_list(row, "dependencies", what),
        property_dependencies=_property_dependencies(row, what),
        protect=bool(row.get("protect")),
        retain_on_delete=bool(row.get("retainOnDelete")),
        external=external,
        id=str(row.get("id") or "") if states or external else "",
        ignore_changes=_list(row, "ignoreChanges", what, ordered=True),
        replace_on_changes=_list(row, "replaceOnChanges", what, ordered=True),
        delete_before_replace=row.get("deleteBeforeReplace") if "deleteBeforeReplace" in row else None,
        additional_secret_outputs=_list(row, "additionalSecretOutputs", what, ordered=True),
        aliases=_list(row, "aliases", what, ordered=True),
        deleted_with=str(row.get("deletedWith") or ""),
        version=version,
        source=_source(row),
    )


def _provider(reference: str) -> str:
    urn = reference.rpartition("::")[0]
    return "" if _names_default(urn.rpartition("::")[2]) else reference


def _source(row: Mapping[str, Any]) -> str:
    """Return the first `file:line` of the row's stack that is the user's own: not an installed package, not outside."""
    trace = row.get("stackTrace")
    frames = [frame for frame in trace if isinstance(frame, dict)] if isinstance(trace, list) else []
    for frame in (row, *frames):
        position = frame.get("sourcePosition")
        if not isinstance(position, str) or not position.startswith(_PROJECT_SCHEME):
            continue
        place = position.removeprefix(_PROJECT_SCHEME)
        if not place.startswith("../") and "site-packages/" not in place:
            return ":".join(place.rsplit("#", 1))
    return ""


def _text(row: Mapping[str, Any], key: str, what: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value:
        raise GraphError(f"a resource of {what} has the {key} {value!r}: a text is needed")
    return value


def _list(row: Mapping[str, Any], key: str, what: str, *, ordered: bool = False) -> tuple[str, ...]:
    found = row.get(key) or ()
    if not isinstance(found, list | tuple) or not all(isinstance(item, str) for item in found):
        raise GraphError(f"'{key}' of {row.get('urn')} in {what} is not a list of texts")
    return tuple(found) if ordered else tuple(sorted(found))


def _property_dependencies(row: Mapping[str, Any], what: str) -> dict[str, tuple[str, ...]]:
    found = row.get("propertyDependencies") or {}
    if not isinstance(found, dict):
        raise GraphError(f"'propertyDependencies' of {row.get('urn')} in {what} is not an object")
    # The command lists every input; the graph lists those that depend on something.
    return {key: _list(found, key, what) for key in sorted(found) if found[key]}


def _values(row: Mapping[str, Any], key: str, what: str) -> dict[str, Any]:
    found = row.get(key) or {}
    if not isinstance(found, dict):
        raise GraphError(f"'{key}' of {row.get('urn')} in {what} is not an object")
    try:
        return {name: _value(item) for name, item in found.items()}
    except (RecursionError, TypeError, ValueError) as exc:
        raise GraphError(f"'{key}' of {row.get('urn')} in {what} cannot be read: {exc}") from exc


def _value(value: Any, depth: int = 0) -> Any:
    """Return the graph's form of a printed value."""
    if depth > _MAX_DEPTH:
        raise ValueError(f"a value is nested deeper than {_MAX_DEPTH} levels")
    if value == MASK:
        return Secret(UNKNOWN)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_value(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return decode(value)
    if value.get(SIGNATURE) == SECRET_SIGNATURE:
        # Sealed, unless the state was exported with --show-secrets.
        plaintext = value.get("plaintext")
        return Secret(_value(json.loads(plaintext), depth + 1) if isinstance(plaintext, str) else UNKNOWN)
    if SIGNATURE in value:
        return decode(value)
    return {key: _value(item, depth + 1) for key, item in value.items()}
