"""The resource rows that the Pulumi command writes, in previews and in states alike, as nodes of the graph."""

# Source: pulumi/pulumi sdk/go/common/apitype/core.go (ResourceV3), sdk/go/common/resource/properties.go and
# pkg/resource/deploy/providers/provider.go (DefaultName), read 2026-11.

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from skerry.engine.values import SECRET_SIGNATURE, SIGNATURE, UNKNOWN_ON_WIRE, decode
from skerry.errors import GraphError
from skerry.graph import PROVIDER_PREFIX, UNKNOWN, Resource, ResourceGraph, Secret, places_of
from skerry.json_text import loads

MASK: Final = "[secret]"
"""What the command prints in a preview in place of a secret."""
_EXACT: Final = 2**53
_MAX_DEPTH: Final = 100
"""Levels of nesting; deeper than any resource goes, so what goes deeper is hostile."""
_MAX_PARENTS: Final = 100
"""Levels of components; far more than any program has."""
_DEFAULT_NAME: Final = re.compile(r"default(_.*)?", re.DOTALL)
"""How the engine names the providers that it makes itself: by the version and the address of the plugin."""
_HIDDEN_NAME: Final = "default"
"""The command prints no provider whose name begins so, not even one of the program."""
_PROJECT_SCHEME: Final = "project:///"
_INSTALLED: Final = ("site-packages/", "dist-packages/", "node_modules/")
_BRIDGE_NOTES: Final = "__defaults"
"""What a bridged provider notes among the inputs about its own defaults; the program wrote no such thing."""
_REPAIR: Final = ": run `pulumi state repair`, and the command again"
_LOG: Final = logging.getLogger(__name__)


def read_json(text: str, what: str) -> dict[str, Any]:
    """Return the JSON object in `text`.

    Raises:
        GraphError: `text` is no JSON object.
    """
    if not text.strip():
        raise GraphError(f"{what} is empty: the command that should have written it failed")
    try:
        document = loads(text)
    except ValueError as exc:
        raise GraphError(
            f"{what} is not JSON: {exc}: redirect the command's standard output alone, and let it end"
        ) from exc
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


def printed_config(config: Any, what: str) -> dict[str, str]:
    """Return the configuration that the command printed, without its secrets.

    Raises:
        GraphError: it is no object of texts.
    """
    if config is None:
        return {}
    if not isinstance(config, dict) or not all(isinstance(value, str) for value in config.values()):
        raise GraphError(f"'config' of {what} is not an object of texts")
    return {key: value for key, value in config.items() if value != MASK}


def graph_of(
    rows: Iterable[Mapping[str, Any]],
    producer: str,
    what: str,
    *,
    states: bool,
    registered: bool = False,
    hides_providers: bool = False,
    config: Mapping[str, str] = {},
) -> ResourceGraph:
    """Return the graph of the rows of one stack.

    With `states`, outputs and ids are known and kept; with `registered`, what components and stacks registered.
    Default providers are left out, as the graph says of its `provider` fields; where they put things is kept. With
    `hides_providers`, a provider of the program that the command hides becomes a node without inputs.

    Raises:
        GraphError: a row cannot be read, two share a URN, a parent or provider is missing, or there is no row at all.
    """
    chosen: dict[str, Resource] = {}
    defaults: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        urn = _text(row, "urn", what)
        if not urn.startswith("urn:pulumi:") or len(urn.split("::")) < 4:
            raise GraphError(f"{what} holds the URN '{urn}': one is written urn:pulumi:stack::project::type::name")
        if not urn.isprintable():
            raise GraphError(f"{what} holds the URN {urn!r} with a character that cannot be shown: rename the resource")
        if urn in chosen or urn in defaults:
            raise GraphError(f"{what} holds the URN {urn} twice")
        if _is_default_provider(row, _name(urn)):
            defaults[urn] = row
        else:
            chosen[urn] = _resource(row, what, states=states, registered=registered)
    if not chosen:
        raise GraphError(f"{what} holds no resource: preview or deploy the stack first")
    if hides_providers:
        chosen = _with_hidden_providers(chosen, defaults.keys())
    resources = tuple(_without_default(resource, chosen, what) for resource in _parents_first(chosen, what))
    stacks = {resource.stack for resource in resources}
    if len(stacks) > 1:
        raise GraphError(f"{what} mixes the stacks {', '.join(sorted(stacks))}: one document holds one stack")
    stack, project = resources[0].urn.removeprefix("urn:pulumi:").split("::")[:2]
    places = places_of(dict(config) or _configuration(defaults.values()))
    return ResourceGraph(project, (stack,), resources, producer=producer, places={stack: places} if places else {})


def _name(urn: str) -> str:
    # A name may hold the delimiter; the three parts before it may not.
    return urn.split("::", 3)[3]


def _is_default_provider(row: Mapping[str, Any], name: str) -> bool:
    # The engine makes them itself: a provider of the program stands under the stack.
    is_provider = str(row.get("type", "")).startswith(PROVIDER_PREFIX)
    return is_provider and not row.get("parent") and _DEFAULT_NAME.fullmatch(name) is not None


def _configuration(defaults: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the configuration that default providers were given, where those of one package agree on it."""
    found: dict[str, set[str]] = {}
    for row in defaults:
        inputs = row.get("inputs")
        for key, value in inputs.items() if isinstance(inputs, dict) else ():
            full = f"{str(row['type']).removeprefix(PROVIDER_PREFIX)}:{key}"
            found.setdefault(full, set()).add(value if isinstance(value, str) else "")
    return {key: values.pop() for key, values in found.items() if len(values) == 1}


def _with_hidden_providers(chosen: Mapping[str, Resource], known: Iterable[str]) -> dict[str, Resource]:
    """Add the providers of the program that the command takes for default ones, which it never prints."""
    found = dict(chosen)
    stack = next(iter(chosen))
    for resource in chosen.values():
        urn = resource.provider.rpartition("::")[0]
        name = _name(urn) if urn.count("::") >= 3 else ""
        if urn in found or urn in known or not name.startswith(_HIDDEN_NAME) or _DEFAULT_NAME.fullmatch(name):
            continue
        _LOG.warning(
            "the provider '%s' is not printed, since its name begins with 'default': what it is given is not known; "
            "read the state, or name it otherwise", name,
        )  # fmt: skip
        kind = urn.split("::")[2].rpartition("$")[2]
        found[urn] = Resource(urn=urn, type=kind, name=name, custom=True, parent=stack)
    return found


def _without_default(resource: Resource, chosen: Mapping[str, Resource], what: str) -> Resource:
    """Take the reference to a default provider off a resource; any other provider must be there."""
    urn = resource.provider.rpartition("::")[0]
    if not urn or urn in chosen:
        return resource
    if urn.count("::") >= 3 and _DEFAULT_NAME.fullmatch(_name(urn)):
        return replace(resource, provider="")
    raise GraphError(f"{what} names the provider {urn} of {resource.urn} without holding it{_REPAIR}")


def _parents_first(chosen: Mapping[str, Resource], what: str) -> list[Resource]:
    """Return the resources in their order, but none before its parent: a refresh goes through them as it likes."""
    levels: dict[str, int] = {"": 0}
    ordered: list[Resource] = []
    for start in chosen.values():
        line = [start]
        while line[-1].parent not in levels:
            parent = chosen.get(line[-1].parent)
            if parent is None:
                raise GraphError(
                    f"{what} names the parent {line[-1].parent} of {line[-1].urn} without holding it{_REPAIR}"
                )
            line.append(parent)
            if len(line) > _MAX_PARENTS:
                raise GraphError(f"{what} nests {start.urn} under more than {_MAX_PARENTS} parents, or in a circle")
        for resource in reversed(line):
            if resource.urn in levels:
                continue
            levels[resource.urn] = levels[resource.parent] + 1
            if levels[resource.urn] > _MAX_PARENTS:
                raise GraphError(f"{what} nests {resource.urn} under more than {_MAX_PARENTS} parents")
            ordered.append(resource)
    return ordered


def _resource(row: Mapping[str, Any], what: str, *, states: bool, registered: bool) -> Resource:
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
        name=_name(urn),
        custom=custom,
        parent=str(row.get("parent") or ""),
        provider=str(row.get("provider") or ""),
        inputs=inputs,
        outputs=_values(row, "outputs", what) if states or (registered and not custom) else {},
        dependencies=_list(row, "dependencies", what),
        property_dependencies=_property_dependencies(row, what),
        protect=bool(row.get("protect")),
        retain_on_delete=bool(row.get("retainOnDelete")),
        external=external,
        id=_known_id(row) if states or external else str(row.get("importID") or ""),
        ignore_changes=_list(row, "ignoreChanges", what, ordered=True),
        replace_on_changes=_list(row, "replaceOnChanges", what, ordered=True),
        delete_before_replace=row.get("deleteBeforeReplace") if "deleteBeforeReplace" in row else None,
        additional_secret_outputs=_list(row, "additionalSecretOutputs", what, ordered=True),
        aliases=_list(row, "aliases", what, ordered=True),
        deleted_with=str(row.get("deletedWith") or ""),
        version=version,
        source=_source(row),
    )


def _known_id(row: Mapping[str, Any]) -> str:
    """Return the id of a row; a preview prints the mark of an unknown where a resource is read by an unknown id."""
    found = str(row.get("id") or "")
    return "" if found == UNKNOWN_ON_WIRE else found


def _source(row: Mapping[str, Any]) -> str:
    """Return the first `file:line` of the row's stack that is the user's own: not an installed package, not outside."""
    trace = row.get("stackTrace")
    frames = [frame for frame in trace if isinstance(frame, dict)] if isinstance(trace, list) else []
    for frame in (row, *frames):
        position = frame.get("sourcePosition")
        if not isinstance(position, str) or not position.startswith(_PROJECT_SCHEME):
            continue
        file, _, place = position.removeprefix(_PROJECT_SCHEME).partition("#")
        if not file.startswith(("../", "/")) and not any(folder in file for folder in _INSTALLED):
            # The line; some languages add the column.
            return f"{file}:{place.partition(',')[0]}"
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
        return {name: _value(item) for name, item in found.items() if name != _BRIDGE_NOTES}
    except (RecursionError, TypeError, ValueError) as exc:
        raise GraphError(f"'{key}' of {row.get('urn')} in {what} cannot be read: {exc}") from exc


def _value(value: Any, depth: int = 0) -> Any:
    """Return the graph's form of a printed value."""
    if depth > _MAX_DEPTH:
        raise ValueError(f"a value is nested deeper than {_MAX_DEPTH} levels")
    if value == MASK:
        return Secret(UNKNOWN)
    if isinstance(value, float) and value.is_integer():
        # Beyond 2^53 a double has no exact digits: the shortest ones are what was printed.
        return int(value) if abs(value) < _EXACT else int(Decimal(repr(value)))
    if isinstance(value, list):
        return [_value(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return decode(value)
    if value.get(SIGNATURE) == SECRET_SIGNATURE:
        # Sealed, unless the state was exported with --show-secrets.
        plaintext = value.get("plaintext")
        return Secret(_value(loads(plaintext), depth + 1) if isinstance(plaintext, str) else UNKNOWN)
    if SIGNATURE in value:
        return decode(value)
    return {key: _value(item, depth + 1) for key, item in value.items() if key != _BRIDGE_NOTES}
