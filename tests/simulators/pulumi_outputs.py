"""What a simulated provider answers as the outputs of a resource.

The inputs, and what the SDK's own types say the provider fills in: in a preview unknown, in a deployment an invented
value whose text begins with `simulated` (or an ARN that says so). Nothing here knows what a cloud would answer.
"""

from __future__ import annotations

import functools
import importlib
import typing
from typing import Any

from pulumi import _types as sdk_types
from pulumi import output as sdk_output

from skerry.engine.values import SECRET_SIGNATURE, SIGNATURE, UNKNOWN_ON_WIRE

_ACCOUNT = "123456789012"
_DEPTH = 3
"""How deep invented objects are nested."""

_SHAPED = {
    "arn": "arn:aws:simulated:us-east-1:" + _ACCOUNT + ":{name}",
    "accountId": _ACCOUNT,
    "ownerId": _ACCOUNT,
    "endpoint": "https://{name}.simulated.invalid",
    "data": "c2ltdWxhdGVk",
}
"""Names of outputs whose text must have a form, because programs put them into documents. The last is base64."""


def outputs_of(type_: str, name: str, id_: str, inputs: dict[str, Any], preview: bool) -> dict[str, Any]:
    """Return the outputs of a resource as plain wire values; what is unknown at the top level is left out."""
    if type_.startswith("kubernetes:"):
        return _of_object(name, id_, inputs, preview)
    found = dict(inputs)
    for key, hint in _hints(type_).items():
        hinted, optional = _unwrapped(hint)
        if key in found:
            found[key] = _completed(found[key], hinted, f"{name}-{key}", preview)
        elif not preview and not optional and key not in ("id", "urn"):
            value = _invented(hinted, key, name, _DEPTH)
            if value is not None:
                found[key] = value
    return found


def _of_object(name: str, id_: str, inputs: dict[str, Any], preview: bool) -> dict[str, Any]:
    metadata = inputs.get("metadata", {})
    if not isinstance(metadata, dict) or SIGNATURE in metadata:
        return dict(inputs)
    given = {"name": UNKNOWN_ON_WIRE if preview else name}
    made = {"uid": UNKNOWN_ON_WIRE if preview else id_}
    return {**inputs, "metadata": {**given, **metadata, **made}}


@functools.cache
def _hints(type_: str) -> dict[str, Any]:
    """Return output name -> type of a resource, from its SDK class; empty where there is none."""
    package, module, cls = type_.split(":")
    folder = module.split("/")[0]
    path = f"pulumi_{package.replace('-', '_')}" + ("" if folder == "index" else f".{folder}")
    for candidate in (path, f"{path}_"):
        try:
            found = getattr(importlib.import_module(candidate), cls, None)
        except ImportError:
            continue
        if found is not None:
            return dict(sdk_types._raw_return_hints(found))
    return {}


def _unwrapped(hint: Any) -> tuple[Any, bool]:
    if typing.get_origin(hint) is sdk_output.Output:
        hint = typing.get_args(hint)[0]
    return sdk_types.unwrap_type(hint), sdk_types._is_optional_type(hint)


def _completed(value: Any, hint: Any, path: str, preview: bool) -> Any:
    """Add to a given object the fields that the provider fills in."""
    if isinstance(value, list) and typing.get_args(hint):
        inner = typing.get_args(hint)[0]
        return [_completed(item, inner, f"{path}-{index}", preview) for index, item in enumerate(value)]
    if not isinstance(value, dict) or not (isinstance(hint, type) and sdk_types.is_output_type(hint)):
        return value
    if value.get(SIGNATURE) == SECRET_SIGNATURE:
        return {**value, "value": _completed(value.get("value"), hint, path, preview)}
    if SIGNATURE in value:
        return value
    found = dict(value)
    for key, field in sdk_types.output_type_types(hint).items():
        if key in found:
            found[key] = _completed(found[key], field, f"{path}-{key}", preview)
        elif preview:
            found[key] = UNKNOWN_ON_WIRE
        elif field is str:
            found[key] = f"simulated-{path}-{key}"
    return found


def _invented(hint: Any, key: str, name: str, depth: int) -> Any:
    if hint is str:
        return _SHAPED.get(key, "simulated-{name}-" + key).format(name=name)
    if hint in (bool, int, float):
        return hint(1) if hint is not bool else False
    if isinstance(hint, type) and sdk_types.is_output_type(hint) and depth:
        pairs = {
            inner: _invented(field, inner, f"{name}-{key}", depth - 1)
            for inner, field in sdk_types.output_type_types(hint).items()
        }
        return {inner: value for inner, value in pairs.items() if value is not None}
    if typing.get_origin(hint) is not None and "Sequence" in str(hint):
        inner = _invented(typing.get_args(hint)[0], key, name, depth - 1) if depth else None
        return [] if inner is None else [inner]
    return None
