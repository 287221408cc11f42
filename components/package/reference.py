"""The tables of docs/components.md, from the schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_ANYTHING = "pulumi.json#/Any"


def reference(schema: Mapping[str, Any]) -> str:
    """Return every component and every type of a schema as Markdown."""
    lines = ["### Components", ""]
    for token in schema["resources"]:
        one = schema["resources"][token]
        lines += [f"#### {_name(token)}", "", _text(one["description"]), ""]
        lines += _table("input", one.get("inputProperties", {}), one.get("requiredInputs", ()), "required")
        lines += _table("output", one.get("properties", {}), one.get("required", ()), "always there")
    lines += ["### Types", ""]
    for token, one in schema["types"].items():
        lines += [f"#### {_name(token)}", "", _text(one["description"]), ""] if one.get("description") else [
            f"#### {_name(token)}", ""]  # fmt: skip
        if "enum" in one:
            lines += [*_choices(one["enum"]), ""]
        else:
            lines += _table("field", one.get("properties", {}), one.get("required", ()), "required")
    return "\n".join(lines).rstrip() + "\n"


def _table(head: str, fields: Mapping[str, Any], needed: Any, word: str) -> list[str]:
    if not fields:
        return []
    rows = [f"| {head} | type | {word} | |", "|---|---|---|---|"]
    for name, one in fields.items():
        rows.append(f"| `{name}` | {_type(one)} | {'yes' if name in needed else ''} | {_text(one['description'])} |")
    return [*rows, ""]


def _choices(values: Any) -> Iterator[str]:
    for one in values:
        yield f"- `{one['value']}`" + (f": {_text(one['description'])}" if one.get("description") else "")


def _type(one: Mapping[str, Any]) -> str:
    if one.get("$ref") == _ANYTHING:
        text = "anything"
    elif "$ref" in one:
        text = _name(one["$ref"])
    elif one.get("type") == "array":
        text = f"list of {_type(one['items'])}"
    elif one.get("type") == "object":
        inner = one.get("additionalProperties")
        text = f"map of {_type(inner)}" if inner else "map"
    else:
        text = str(one["type"])
    return f"{text}, secret" if one.get("secret") else text


def _name(token: str) -> str:
    return token.rpartition(":")[2]


def _text(description: str) -> str:
    return " ".join(description.split()).replace("|", "\\|").replace("<", "&lt;")
