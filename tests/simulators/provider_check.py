"""Refuses a resource's inputs by the SDK's own types: names that do not exist, wrong types, what must be given.

What a real provider takes is not refused. A bridged one (AWS, GCP and most others) turns texts that read as a number or
a boolean into one, and the other way round; a Kubernetes API server does so only for quantities.
"""

# Source: pulumi/pulumi-terraform-bridge pkg/tfbridge/schema.go (CoerceTerraformString), detect_check_failures.go;
# kubernetes/apimachinery pkg/api/resource/quantity.go (UnmarshalJSON takes a number), read 2026-11.

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"
RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_BOOLEANS: Final = ("true", "false", "1", "0", "t", "f")
_QUANTITIES: Final = (
    "limits", "requests", "capacity", "hard", "default", "defaultRequest", "max", "min", "maxLimitRequestRatio",
    "overhead", "podFixed", "sizeLimit", "divisor", "averageValue", "used", "allocatable",
)  # fmt: skip
"""Names of the Kubernetes API under which a text is a quantity, which may be written as a number."""
_OPEN_ENUMS: Final = ("Standard_A0", "Standard_A10", "workflowapp")
"""Members by which an enum is known that the service itself calls outdated: Azure's sizes of machines, kinds of apps.

Source: of the latter Azure "Azure Functions on Azure Container Apps overview", kind=functionapp, read 2026-11.
"""
_MANY: Final = 12


@dataclass(frozen=True, slots=True)
class Failure:
    """One property that is refused, and why."""

    property: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rules:
    """How strictly one package takes values."""

    coerces: bool = True
    """Whether texts, numbers and booleans stand for one another."""
    closes_enums: bool = False
    """Whether an enum's values are all there are where the SDK also takes other texts."""


RULES: Final[Mapping[str, Rules]] = {
    "kubernetes": Rules(coerces=False),
    # The SDK is generated from the API's own description, whose enums name each value of that API version.
    "azure-native": Rules(closes_enums=True),
}


def reveal(value: Any) -> Any:
    """Return a wire value without the wrappers of secrets."""
    if isinstance(value, Mapping):
        if value.get(SIGNATURE) == SECRET:
            return reveal(value.get("value"))
        return {key: reveal(item) for key, item in value.items()}
    return [reveal(item) for item in value] if isinstance(value, list) else value


def is_unknown(value: Any) -> bool:
    """Say whether the value itself is not known yet."""
    return isinstance(value, str) and value == UNKNOWN


def step(path: str, key: str) -> str:
    """Return the path of a property below `path`."""
    if re.fullmatch(r"[A-Za-z_$][\w$-]*", key):
        return f"{path}.{key}" if path else key
    return f'{path}["{key}"]'


class Checker:
    """Checks the inputs of one resource type."""

    def __init__(self, schema: Mapping[str, Any], rules: Rules) -> None:
        """Take what sdk_types read of the type."""
        self._inputs, self._types, self._rules = schema["inputs"], schema["types"], rules

    def failures(self, inputs: Mapping[str, Any]) -> list[Failure]:
        """Return what is refused, in the order of the inputs; unknown values are not judged."""
        return list(self._object(reveal(inputs), self._inputs, ""))

    def _object(self, value: Mapping[str, Any], properties: Mapping[str, Any], path: str) -> Iterator[Failure]:
        for key, item in value.items():
            if key.startswith("__") or item is None:
                continue
            if key not in properties:
                yield Failure(step(path, key), f"there is no such property{_near(key, properties)}")
            else:
                yield from self._value(item, properties[key][0], step(path, key))
        for key, (_, required) in properties.items():
            if required and value.get(key) is None:
                yield Failure(step(path, key), "it must be given")

    def _value(self, value: Any, type_: Any, path: str) -> Iterator[Failure]:
        if value is None or is_unknown(value) or type_ == "any" or _is_resource(value):
            return
        if isinstance(type_, str):
            if not self._is_leaf(value, type_, path):
                yield _wrong(path, _TOLD[type_], value)
            return
        kind, inner = type_
        match kind:
            case "enum" | "open":
                yield from self._enum(value, kind, inner, path)
            case "ref" if isinstance(value, Mapping):
                if inner in self._types:
                    yield from self._object(value, self._types[inner], path)
            case "list" if isinstance(value, list):
                for index, item in enumerate(value):
                    yield from self._value(item, inner, f"{path}[{index}]")
            case "map" if isinstance(value, Mapping):
                for key, item in value.items():
                    if not key.startswith("__"):
                        yield from self._value(item, inner, step(path, key))
            case "union":
                yield from min((list(self._value(value, one, path)) for one in inner), key=len)
            case _:
                yield _wrong(path, {"ref": "an object", "list": "a list", "map": "a map"}[kind], value)

    def _enum(self, value: Any, kind: str, values: Sequence[Any], path: str) -> Iterator[Failure]:
        leaf = "str" if not values or isinstance(values[0], str) else "float"
        if not self._is_leaf(value, leaf, path):
            yield _wrong(path, _TOLD[leaf], value)
        elif kind == "enum" or (self._rules.closes_enums and not set(_OPEN_ENUMS) & set(values)):
            # Azure compares without regard to case.
            folds = str.lower if self._rules.closes_enums else str
            if folds(str(_number(value))) not in {folds(str(_number(one))) for one in values}:
                yield Failure(path, not_one_of(value, values))

    def _is_leaf(self, value: Any, type_: str, path: str) -> bool:
        if type_ == "asset":
            return isinstance(value, Mapping) and value.get(SIGNATURE) in (ASSET, ARCHIVE)
        if isinstance(value, Mapping | list):
            return False
        coerces = self._rules.coerces
        match type_:
            case "bool":
                return isinstance(value, bool) or (coerces and str(value).lower() in _BOOLEANS)
            case "int" | "float":
                if isinstance(value, str):
                    return coerces and _NUMBER.fullmatch(value) is not None
                return not isinstance(value, bool) and (type_ == "float" or float(value).is_integer())
        if isinstance(value, str):
            return True
        return coerces or (not isinstance(value, bool) and _is_quantity(path))


_TOLD: Final = {
    "str": "a string", "int": "a whole number", "float": "a number", "bool": "a boolean",
    "asset": "an asset or an archive",
}  # fmt: skip


def not_one_of(value: Any, values: Sequence[Any]) -> str:
    """Return why a value is refused that is none of a closed list."""
    near = difflib.get_close_matches(str(value), [str(one) for one in values], 1)
    if near:
        return f"{value!r} is not among its values: did you mean {near[0]!r}?"
    told = ", ".join(repr(one) for one in values[:_MANY])
    more = f" and {len(values) - _MANY} more" if len(values) > _MANY else ""
    return f"{value!r} is not among its values: {told}{more}"


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_quantity(path: str) -> bool:
    names = re.findall(r"[^.\[\]\"]+", path)
    return any(name in _QUANTITIES for name in names[-2:]) or names[-2:] == ["target", "value"]


def _is_resource(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get(SIGNATURE) == RESOURCE


def _near(key: str, properties: Mapping[str, Any]) -> str:
    folded = {name.lower(): name for name in properties}
    plain = key.replace("_", "").replace("-", "").lower()
    near = [folded[plain]] if plain in folded else difflib.get_close_matches(key, list(properties), 1)
    return f": did you mean '{near[0]}'?" if near else f": it has {', '.join(sorted(properties)[:_MANY]) or 'none'}"


def _wrong(path: str, wanted: str, value: Any) -> Failure:
    shown = {dict: "an object", list: "a list"}.get(type(value)) or repr(value)
    return Failure(path, f"it takes {wanted}, not {shown[:80]}")
