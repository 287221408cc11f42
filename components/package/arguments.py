"""From what a program in any language passes to the arguments of a component, with every problem reported at once.

The SDK's own reader drops fields that it does not know, stops at the first problem, and makes empty mappings of the
members of a list of enums; so the schema is applied here.

(1) A field that the schema does not have is a problem, with the nearest one that it has.
(2) A field that is required and missing is a problem.
(3) What decides which resources are made (`plain` in the schema) must be known; an output is a problem.
(4) Every other leaf may be an output and is handed on as one: secrets stay secret, unknowns unknown.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from enum import Enum
from inspect import isawaitable
from typing import Any, Final

import pulumi
from pulumi.provider.experimental.analyzer import ComponentDefinition, PropertyDefinition, PropertyType, TypeDefinition

from skerry.errors import Problem

_OUTPUT_REMEDY: Final = "it decides which resources are made: give a value that the program knows"
_OWN_KEYS: Final = {"tags", "secrets", "environment", "secretEnvironment"}
"""The mappings whose keys are the program's own words."""
_ANYTHING: Final = "pulumi.json#/Any"
_TYPES: Final = {
    PropertyType.STRING: "a string",
    PropertyType.INTEGER: "an integer",
    PropertyType.NUMBER: "a number",
    PropertyType.BOOLEAN: "true or false",
    PropertyType.ARRAY: "a list",
    PropertyType.OBJECT: "a mapping",
}


class Arguments:
    """Reads the inputs of one component by its definition in the schema."""

    def __init__(self, component: ComponentDefinition, types: Mapping[str, TypeDefinition]) -> None:
        """Read for `component`, whose nested types are in `types`."""
        self._component, self._types = component, types
        self.problems: list[Problem] = []
        """What is wrong, in the order of the schema."""

    def read(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments by their Python names; what is wrong is left out and stands in `problems`."""
        found = self._members(self._component.inputs, self._component.inputs_mapping, inputs, "", self._component.name)
        return found or {}

    def _members(
        self,
        properties: Mapping[str, PropertyDefinition],
        mapping: Mapping[str, str],
        given: Mapping[str, Any],
        path: str,
        owner: str,
    ) -> dict[str, Any]:
        for name in given:
            if name not in properties:  # (1)
                near = difflib.get_close_matches(str(name), sorted(properties), n=1)
                hint = f"did you mean '{near[0]}'?" if near else f"allowed are {', '.join(sorted(properties))}"
                self.problems.append(Problem(_join(path, str(name)), f"is not a field of {owner}", hint))
        found = {}
        for name, definition in properties.items():
            value = given.get(name)
            if value is not None:
                found[mapping[name]] = self._value(definition, value, _join(path, name))
            elif not definition.optional:  # (2)
                self.problems.append(Problem(_join(path, name), f"is required by {owner} and missing", "add it"))
        return found

    def _value(self, definition: PropertyDefinition, value: Any, path: str) -> Any:
        if _later(value):
            if definition.plain:  # (3)
                self.problems.append(Problem(path, "is an output, or not known yet", _OUTPUT_REMEDY))
                return None
            return pulumi.Output.from_input(value)  # (4)
        if definition.ref == _ANYTHING:
            return value
        if definition.ref is not None:
            return self._named(self._types[definition.ref.rsplit(":", 1)[-1]], value, path)
        match definition.type:
            case PropertyType.ARRAY if isinstance(value, list) and definition.items is not None:
                return [self._value(definition.items, item, f"{path}[{at}]") for at, item in enumerate(value)]
            case PropertyType.OBJECT if isinstance(value, dict) and definition.additional_properties is not None:
                inner = definition.additional_properties
                # A mapping comes over the wire in any order; a list that is made of it must not change with it.
                return {key: self._value(inner, value[key], _join(path, key)) for key in sorted(value)}
            case scalar:
                return self._scalar(scalar or PropertyType.OBJECT, value, path)

    def _named(self, type_: TypeDefinition, value: Any, path: str) -> Any:
        if type_.enum is not None:
            allowed = [str(member.value) for member in type_.enum]
            if value in allowed:
                return _member(type_.python_type, value)
            near = difflib.get_close_matches(str(value), allowed, n=1)
            hint = f"did you mean '{near[0]}'?" if near else ""
            self.problems.append(Problem(path, f"'{value}' is not one of {', '.join(allowed)}", hint))
            return None
        if not isinstance(value, dict):
            fields = ", ".join(type_.properties)
            # What a program passes as a component comes as its URN, and no provider can read another's outputs.
            got = "a resource" if str(value).startswith("urn:pulumi:") else _shown(value)
            remedy = f"write the fields of {type_.name}, each from an output of its own: {fields}"
            self.problems.append(Problem(path, f"must be a mapping, got {got}", remedy))
            return None
        return self._members(type_.properties, type_.properties_mapping, value, path, type_.name)

    def _scalar(self, type_: PropertyType, value: Any, path: str) -> Any:
        match type_:
            case PropertyType.STRING if isinstance(value, str):
                return value
            case PropertyType.BOOLEAN if isinstance(value, bool):
                return value
            # Every number comes as a float.
            case PropertyType.INTEGER if _number(value) and float(value).is_integer():
                return int(value)
            case PropertyType.NUMBER if _number(value):
                return float(value)
        self.problems.append(Problem(path, f"must be {_TYPES[type_]}, got {_shown(value)}"))
        return None


def schema_path(path: str) -> str:
    """Return the path of a field as programs of the package spell it: camelCase, but for keys of their own."""
    found: list[str] = []
    for part in path.split("."):
        first, *others = part.split("_")
        own = bool(_OWN_KEYS & set(found))
        found.append(part if own else first + "".join(other[:1].upper() + other[1:] for other in others))
    return ".".join(found)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def holds_output(value: object) -> bool:
    """Return whether an output, which may be secret, stands anywhere in a value."""
    if isinstance(value, Mapping):
        return any(holds_output(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(holds_output(item) for item in value)
    return _later(value)


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, list) else repr(value)


def _later(value: object) -> bool:
    return isinstance(value, pulumi.Output | pulumi.output.Unknown) or isawaitable(value)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _member(type_: type, value: str) -> Enum:
    found: Enum = type_(value)
    return found
