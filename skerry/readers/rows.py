"""Reads one resource as Pulumi writes it into previews and states; both hold the same kind of row.

What a provider's plumbing adds to a program's inputs is left out (`__defaults`, a provider's own `version`), and the
default provider is no node of the graph, so that every producer gives the same graph for the same program.
"""

# Source: pulumi/pulumi sdk/go/common/apitype/core.go (ResourceV3), pkg/resource/stack/deployment.go
# (SerializePropertyValue) and sdk/go/common/providers/reference.go (IsDefaultProvider) of v3.250.0, read 2026-11.

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final, TypeVar

from skerry.engine.values import SECRET_SIGNATURE, SIGNATURE, UNKNOWN_ON_WIRE, decode
from skerry.errors import GraphError
from skerry.graph import PROVIDER_PREFIX, UNKNOWN, Resource, Secret

_T = TypeVar("_T")

_MAX_DEPTH: Final = 100
"""Deeper nesting than any resource has; a document that goes beyond it is hostile."""

_PLUMBING: Final = frozenset({"__defaults"})
"""Keys that bridged providers add to inputs to remember which defaults they chose."""

_PROVIDER_PLUMBING: Final = frozenset({"version", "pluginDownloadURL", "__internal"})
"""Keys that the engine adds to the inputs of a provider resource."""


def parse(text: str, what: str) -> dict[str, Any]:
    """Return the JSON object in `text`.

    Raises:
        GraphError: there is none.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise GraphError(f"{what} is not JSON: {exc}") from exc
    if not isinstance(document, dict):
        raise GraphError(f"{what} holds a {type(document).__name__} where an object is needed")
    return document


def member(row: dict[str, Any], key: str, kind: type[_T], default: _T, where: str) -> _T:
    """Return a field of a row, or `default` where it is absent or null.

    Raises:
        GraphError: it is of another type.
    """
    value = row.get(key)
    if value is None:
        return default
    if not isinstance(value, kind):
        raise GraphError(f"{where}: '{key}' is a {type(value).__name__} where a {kind.__name__} is needed")
    return value


def is_default_provider(type_: str, name: str) -> bool:
    """Say whether a row is a provider that the engine made by itself."""
    return type_.startswith(PROVIDER_PREFIX) and name.startswith("default")


def name_of(urn: str, where: str) -> str:
    """Return the name in a URN.

    Raises:
        GraphError: `urn` is not one.
    """
    parts = urn.split("::", 3)
    if len(parts) != 4 or not urn.startswith("urn:pulumi:") or not all(parts):
        raise GraphError(f"{where}: '{urn}' is not a URN, which reads urn:pulumi:<stack>::<project>::<type>::<name>")
    return parts[3]


def resource(row: dict[str, Any], where: str, *, masked: bool) -> Resource:
    """Return the resource of a row; `masked` says that the text `[secret]` stands for secrets in it.

    Raises:
        GraphError: the row is not a resource.
    """
    urn, type_ = member(row, "urn", str, "", where), member(row, "type", str, "", where)
    name = name_of(urn, where)
    if not type_:
        raise GraphError(f"{where}: '{urn}' has no type")
    inputs = member(row, "inputs", dict, {}, where)
    version = ""
    if type_.startswith(PROVIDER_PREFIX):
        version = str(inputs.get("version") or "")
        inputs = {key: value for key, value in inputs.items() if key not in _PROVIDER_PLUMBING}
    id_ = member(row, "id", str, "", where)
    return Resource(
        urn=urn,
        type=type_,
        name=name,
        custom=member(row, "custom", bool, False, where),
        parent=member(row, "parent", str, "", where),
        provider=_provider(member(row, "provider", str, "", where), where),
        inputs=_values(inputs, masked, where),
        outputs=_values(member(row, "outputs", dict, {}, where), masked, where),
        dependencies=texts(row, "dependencies", where, ordered=False),
        property_dependencies=_by_property(member(row, "propertyDependencies", dict, {}, where), where),
        protect=member(row, "protect", bool, False, where),
        retain_on_delete=member(row, "retainOnDelete", bool, False, where),
        external=member(row, "external", bool, False, where),
        id="" if id_ == UNKNOWN_ON_WIRE else id_,
        ignore_changes=texts(row, "ignoreChanges", where),
        replace_on_changes=texts(row, "replaceOnChanges", where),
        additional_secret_outputs=texts(row, "additionalSecretOutputs", where),
        aliases=texts(row, "aliases", where),
        deleted_with=member(row, "deletedWith", str, "", where),
        version=version,
        source=_source(row),
    )


def texts(row: dict[str, Any], key: str, where: str, *, ordered: bool = True) -> tuple[str, ...]:
    """Return a list of texts in a row, sorted where its order means nothing.

    Raises:
        GraphError: it is not a list of texts.
    """
    found = member(row, key, list, [], where)
    if not all(isinstance(item, str) for item in found):
        raise GraphError(f"{where}: '{key}' is not a list of texts")
    return tuple(found if ordered else sorted(set(found)))


def in_order(resources: Iterable[Resource], what: str) -> tuple[Resource, ...]:
    """Return the resources with each parent before its children.

    Raises:
        GraphError: a parent is missing, or resources are each other's parents.
    """
    waiting = list(resources)
    known = {one.urn for one in waiting}
    for one in waiting:
        if one.parent and one.parent not in known:
            raise GraphError(f"{what} names {one.parent} as a parent and does not hold it: it is not whole")
    placed: dict[str, Resource] = {}
    while waiting:
        later = []
        for one in waiting:
            if not one.parent or one.parent in placed:
                placed[one.urn] = one
            else:
                later.append(one)
        if len(later) == len(waiting):
            raise GraphError(f"{what} has resources that are each other's parents: {later[0].urn}")
        waiting = later
    return tuple(placed.values())


def _by_property(found: dict[str, Any], where: str) -> dict[str, tuple[str, ...]]:
    pairs = ((key, texts(found, key, where, ordered=False)) for key in sorted(found))
    return {key: urns for key, urns in pairs if urns}


def _provider(reference: str, where: str) -> str:
    if not reference:
        return ""
    urn = reference.rsplit("::", 1)[0]
    type_ = urn.split("::", 3)[2].rsplit("$", 1)[-1] if urn.count("::") >= 3 else ""
    return "" if is_default_provider(type_, name_of(urn, where)) else reference


def _source(row: dict[str, Any]) -> str:
    """Return `file:line` of the program's own code: the first frame that lies in the project and in no package."""
    frames = row.get("stackTrace")
    rows = [row, *frames] if isinstance(frames, list) else [row]
    for position in (one.get("sourcePosition") for one in rows if isinstance(one, dict)):
        path, _, line = str(position or "").removeprefix("project:///").partition("#")
        if path and line and not path.startswith((".", "/")) and "site-packages" not in path:
            return f"{path}:{line.split(',')[0]}"
    return ""


def _values(values: dict[str, Any], masked: bool, where: str) -> dict[str, Any]:
    return {key: _value(value, masked, where, 0) for key, value in values.items() if key not in _PLUMBING}


def _value(value: Any, masked: bool, where: str, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise GraphError(f"{where}: a value is nested deeper than {_MAX_DEPTH} levels")
    match value:
        case str():
            if value == UNKNOWN_ON_WIRE:
                return UNKNOWN
            return Secret(UNKNOWN) if masked and value == "[secret]" else value
        case list():
            return [_value(item, masked, where, depth + 1) for item in value]
        case dict() if value.get(SIGNATURE) == SECRET_SIGNATURE:
            return _secret(value, where, depth)
        case dict() if SIGNATURE in value:
            return decode(value)
        case dict():
            pairs = value.items()
            return {key: _value(item, masked, where, depth + 1) for key, item in pairs if key not in _PLUMBING}
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def _secret(value: dict[str, Any], where: str, depth: int) -> Secret:
    """Return a secret; its content is at hand only where the state was exported with --show-secrets."""
    plaintext = value.get("plaintext")
    if not isinstance(plaintext, str):
        return Secret(UNKNOWN)
    try:
        content = json.loads(plaintext)
    except (ValueError, RecursionError):
        # The message must not repeat what it could not read.
        raise GraphError(f"{where}: the plaintext of a secret is not JSON") from None
    return Secret(_value(content, False, where, depth + 1))
