"""The values of Pulumi's wire format, to and from the values of a resource graph.

On the wire a secret, an asset, a resource reference and an "output value" are structs with a signature key, and an
unknown is one fixed string. `decode` turns them into the marks of skerry.graph; `encode` is its inverse for the answer
to a stack reference.
"""

# Source: pulumi 3.272.0, pulumi/runtime/rpc.py (signatures) and pulumi/pulumi sdk/go/common/resource/properties.go,
# read 2026-11.

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from google.protobuf import struct_pb2

from skerry.graph import UNKNOWN, Asset, ResourceRef, Secret

UNKNOWN_ON_WIRE: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine writes an unknown string, and the id of a provider that a preview has not created."""

WITHHELD: Final = "skerry-withheld-5ba0c3f2-secret-without-plaintext"
"""Stands for a `secure:` value where a program insists on a plain string; decoded as a secret unknown."""


class WithheldError(Exception):
    """The program looks into a secret whose plaintext is not here."""

    def __init__(self, key: str) -> None:
        """Name the configuration key."""
        self.key = key
        super().__init__(f"the value of '{key}' is a secret without plaintext here")


def _refuse(self: Withheld, *_args: Any, **_kwargs: Any) -> Any:
    raise WithheldError(self.key)


class Withheld(str):
    """Stands for a secret where a program insists on a plain string, and may be handed on but not looked into.

    It may be joined with other text, formatted and put into JSON: the mark in it makes the whole a secret unknown. What
    would lose the mark (bytes, parts, other letters) has no honest result.
    """

    key: str

    def __new__(cls, key: str) -> Withheld:
        """Stand for the value of the configuration key `key`."""
        made = super().__new__(cls, WITHHELD)
        made.key = key
        return made

    capitalize = casefold = encode = expandtabs = lower = partition = rpartition = rsplit = split = _refuse
    splitlines = swapcase = title = translate = upper = __getitem__ = __iter__ = __reversed__ = _refuse


SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT_SIGNATURE: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_ASSET_SIGNATURE: Final = "c44067f5952c0a294b673a41bacd8c17"
_ARCHIVE_SIGNATURE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
_RESOURCE_SIGNATURE: Final = "5cf8f73096256a8f31e491e813e4eb8e"


def to_plain(struct: Any) -> dict[str, Any]:
    """Return a wire struct as dicts, lists and scalars, with its signatures still in it."""
    return {key: _plain_value(value) for key, value in struct.fields.items()}


def _plain_value(value: Any) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "number_value":
            return _number(value.number_value)
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return to_plain(value.struct_value)
        case "list_value":
            return [_plain_value(item) for item in value.list_value.values]
        case _:
            return None


def _number(value: float) -> int | float:
    if not value.is_integer():
        return value
    # Beyond 2^53 a double has no exact digits to show; the shortest ones are what the command prints.
    return int(value) if abs(value) < 2**53 else int(Decimal(repr(value)))


def to_struct(value: Mapping[str, Any]) -> Any:
    """Return dicts, lists and scalars as a wire struct."""
    struct = struct_pb2.Struct()
    struct.update(value)
    return struct


def decode(value: Any) -> Any:
    """Return the graph's form of a plain wire value."""
    if isinstance(value, str):
        if value == UNKNOWN_ON_WIRE:
            return UNKNOWN
        return Secret(UNKNOWN) if WITHHELD in value else value
    if isinstance(value, list):
        return [decode(item) for item in value]
    if isinstance(value, dict):
        return _decode_signed(value) if SIGNATURE in value else {key: decode(item) for key, item in value.items()}
    return value


def _decode_signed(value: dict[str, Any]) -> Any:
    signature = value[SIGNATURE]
    if signature == SECRET_SIGNATURE:
        inner = decode(value.get("value"))
        return inner if isinstance(inner, Secret) else Secret(inner)
    if signature == OUTPUT_SIGNATURE:
        inner = decode(value["value"]) if "value" in value else UNKNOWN
        return Secret(inner) if value.get("secret") and not isinstance(inner, Secret) else inner
    if signature == _ASSET_SIGNATURE:
        return _decode_asset(value)
    if signature == _ARCHIVE_SIGNATURE:
        return Asset("archive", str(value.get("path") or value.get("uri") or ""))
    if signature == _RESOURCE_SIGNATURE:
        return ResourceRef(str(value.get("urn", "")))
    # A signature that this version does not know is a value it cannot read: unknown, never a guess.
    return UNKNOWN


def _decode_asset(value: dict[str, Any]) -> Asset:
    if "text" in value:
        return Asset("text", "")
    if "uri" in value:
        return Asset("remote", str(value["uri"]))
    return Asset("file", str(value.get("path", "")))


def asset_paths(value: Any, place: str = "") -> Iterator[tuple[str, str, bool]]:
    """Yield where in a plain wire value an asset names a path, the path, and whether it is that of an archive."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from asset_paths(item, f"{place}[{index}]")
    elif isinstance(value, dict):
        signature = value.get(SIGNATURE)
        if signature in (_ASSET_SIGNATURE, _ARCHIVE_SIGNATURE) and isinstance(value.get("path"), str) and value["path"]:
            yield place, value["path"], signature == _ARCHIVE_SIGNATURE
        for key, item in value.items():
            if isinstance(item, list | dict):
                inside = signature is not None and key in ("assets", "value")
                yield from asset_paths(item, place if inside else f"{place}.{key}" if place else key)


def encode(value: Any) -> Any:
    """Return the plain wire form of a graph value."""
    if value is UNKNOWN:
        return UNKNOWN_ON_WIRE
    if isinstance(value, Secret):
        return secret(encode(value.value))
    if isinstance(value, ResourceRef):
        return {SIGNATURE: _RESOURCE_SIGNATURE, "urn": value.urn}
    if isinstance(value, Asset):
        # What an asset held is not part of a graph, so whoever reads it through a stack reference cannot know it.
        return UNKNOWN_ON_WIRE
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    return value


def secret(value: Any) -> dict[str, Any]:
    """Return a plain wire value marked as secret."""
    return {SIGNATURE: SECRET_SIGNATURE, "value": value}


def is_secret(value: Any) -> bool:
    """Say whether a plain wire value is marked as secret at its top."""
    return isinstance(value, dict) and (
        value.get(SIGNATURE) == SECRET_SIGNATURE
        or (value.get(SIGNATURE) == OUTPUT_SIGNATURE and bool(value.get("secret")))
    )


def holds_secret(value: Any) -> bool:
    """Say whether a plain wire value holds a secret at any depth."""
    if is_secret(value):
        return True
    if isinstance(value, dict):
        return any(holds_secret(item) for item in value.values())
    return isinstance(value, list) and any(holds_secret(item) for item in value)


def reveal(value: Any) -> Any:
    """Return a plain wire value without its secret marks, for the program's own code."""
    if isinstance(value, list):
        return [reveal(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(SIGNATURE) == SECRET_SIGNATURE:
        return reveal(value.get("value"))
    return {key: reveal(item) for key, item in value.items()}


def upgrade(value: Any) -> Any:
    """Return a plain wire value with every secret and unknown as an output value, as transforms expect them."""
    if value == UNKNOWN_ON_WIRE:
        return {SIGNATURE: OUTPUT_SIGNATURE}
    if isinstance(value, list):
        return [upgrade(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(SIGNATURE) != SECRET_SIGNATURE:
        return {key: upgrade(item) for key, item in value.items()}
    inner = value.get("value")
    known = {} if inner == UNKNOWN_ON_WIRE else {"value": upgrade(inner)}
    return {SIGNATURE: OUTPUT_SIGNATURE, "secret": True, **known}


def downgrade(value: Any) -> Any:
    """Return a plain wire value with output values as secrets and unknowns again, the form that outputs take."""
    if isinstance(value, list):
        return [downgrade(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(SIGNATURE) != OUTPUT_SIGNATURE:
        return {key: downgrade(item) for key, item in value.items()}
    inner = downgrade(value["value"]) if "value" in value else UNKNOWN_ON_WIRE
    return secret(inner) if value.get("secret") else inner


def output_dependencies(value: Any) -> set[str]:
    """Return the URNs that the output values inside a plain wire value name as their dependencies."""
    if isinstance(value, list):
        return set().union(*(output_dependencies(item) for item in value))
    if not isinstance(value, dict):
        return set()
    if value.get(SIGNATURE) == OUTPUT_SIGNATURE:
        return set(value.get("dependencies", ())) | output_dependencies(value.get("value"))
    return set().union(*(output_dependencies(item) for item in value.values()))


def with_dependencies(value: Any, urns: set[str]) -> Any:
    """Return a plain wire value as an output value that depends on `urns`, unless its parts say so already."""
    if output_dependencies(value) >= urns:
        return value
    is_output = isinstance(value, dict) and value.get(SIGNATURE) == OUTPUT_SIGNATURE
    wrapped = dict(value) if is_output else {SIGNATURE: OUTPUT_SIGNATURE, "value": value}
    wrapped["dependencies"] = sorted(set(wrapped.get("dependencies", ())) | urns)
    return wrapped
