"""Whether a change of a property replaces the resource: what the clouds and the providers' own sources say of it.

A simulator must not decide that. The answer comes from outside, each with its source:

1. AWS: `createOnlyProperties` of the CloudFormation resource schemas that the package cfn-lint carries. A token
   `aws:<module>/<name>:<Name>` is the type `AWS::<Module>::<Name>` and a property is the one that reads the same,
   both without regard to case; data/replacements_aws.csv has a row wherever a name differs, where CloudFormation has
   no such property, where it says "only sometimes", and where the provider of the SDK does other than CloudFormation.
   What the provider does is what its simulator must do: the column `effect` wins.
2. Kubernetes: the provider replaces what its own list names and updates everything else;
   data/replacements_kubernetes.csv is that list, and what an API server refuses without the provider replacing it.
   What a custom resource's own rules refuse is in its operator's source: a custom kind without a row was not read.
3. GCP and Azure: data/replacements_gcp.csv and data/replacements_azure.csv, one row for each property that was read.

A property without an answer is None, never a guess.
"""

from __future__ import annotations

import csv
import functools
import importlib.resources
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

_DATA: Final = Path(__file__).resolve().parent / "data"
_REGION: Final = "us-east-1"
"""The region whose list of types is read: every type is in it, and a type's schema hardly differs between regions."""
_ANY_KIND: Final = "*"


class Effect(Enum):
    """What a change of one property does."""

    REPLACES = "replaces"
    UPDATES = "updates"
    REFUSED = "refused"
    """The provider tries to update and the cloud says no."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table."""

    effect: Effect | None
    cloudformation: str
    source: str
    note: str


def replaced_by(token: str, path: str) -> bool | None:
    """Say whether a change at `path` of a resource replaces it; None where no source says so.

    Args:
        token: the resource's type, `aws:rds/instance:Instance`.
        path: of the deepest thing that differs, `spec.template.spec.containers[0].image`. Where a whole object came,
            went or is not comparable, its own path: it replaces if anything in it does.
    """
    found = effect(token, path)
    return None if found is None else found is Effect.REPLACES


def effect(token: str, path: str) -> Effect | None:
    """Return what a change at `path` does, or None where no source says so."""
    keys = steps(path)
    match token.split(":", 1)[0]:
        case "aws":
            return _aws(token, keys)
        case "kubernetes":
            told = _listed("kubernetes", (token, _ANY_KIND), keys)
            return told or (None if keys[:1] == ("spec",) and _is_unread(token) else Effect.UPDATES)
        case "gcp" | "azure-native" as package:
            return _listed(package.removesuffix("-native"), (token,), keys)
    return None


def unanswered(token: str, inputs: Mapping[str, Any]) -> list[str]:
    """Return each value of a resource's inputs for which no source says what a change of it does."""
    return [path for path in _leaves(inputs) if effect(token, path) is None]


def _leaves(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f'{path}["{key}"]' if re.search(r'[."\[\]]', key) else f"{path}.{key}".lstrip("."))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _leaves(item, f"{path}[{index}]")
    else:
        yield path


def steps(path: str) -> tuple[str, ...]:
    """Return the names along a path, without the indexes of lists."""
    found = re.findall(r'\["((?:[^"\\]|\\.)*)"\]|\[(?:\d+|\*)\]|([^.\[\]]+)', path)
    return tuple(quoted or plain for quoted, plain in found if quoted or plain)


def _listed(table: str, tokens: Sequence[str], keys: tuple[str, ...]) -> Effect | None:
    """Return what the nearest row at or above `keys` says; a row below it that replaces replaces the whole."""
    rows = {steps(name): row for token in tokens for name, row in _table(table).get(token, {}).items() if row.effect}
    above = [rows[keys[:end]].effect for end in range(len(keys), 0, -1) if keys[:end] in rows]
    if above and above[0] is not Effect.UPDATES:
        return above[0]
    below = {row.effect for name, row in rows.items() if len(name) > len(keys) and name[: len(keys)] == keys}
    for one in (Effect.REPLACES, Effect.REFUSED):
        if one in below:
            return one
    return above[0] if above else None


def _is_unread(token: str) -> bool:
    group = token.split(":")[1].split("/")[0]
    return (
        "." in group
        and not group.endswith(".k8s.io")
        and not group.startswith("helm.")
        and (token not in _table("kubernetes"))
    )


@functools.cache
def _table(name: str) -> Mapping[str, Mapping[str, Row]]:
    rows: dict[str, dict[str, Row]] = {}
    with (_DATA / f"replacements_{name}.csv").open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            one = Row(
                Effect(line["effect"]) if line["effect"] else None,
                line.get("cloudformation") or "",
                line["source"],
                line["note"],
            )
            rows.setdefault(line["token"], {})[line["property"]] = one
    return rows


# AWS


def _aws(token: str, keys: tuple[str, ...]) -> Effect | None:
    told = _listed("aws", (token,), keys)
    if told is not None:
        return told
    schema = cloudformation(token)
    if schema is None:
        return None
    wanted = _in_cloudformation(token, keys)
    if not wanted or wanted[0] not in {_plain(name) for name in schema["properties"]}:
        return None
    if _touches(schema.get("conditionalCreateOnlyProperties", ()), wanted):
        return None
    return Effect.REPLACES if _touches(schema.get("createOnlyProperties", ()), wanted) else Effect.UPDATES


def _in_cloudformation(token: str, keys: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names along a path as CloudFormation spells them, without regard to case."""
    rows = _table("aws").get(token, {})
    for end in range(len(keys), 0, -1):
        row = rows.get(".".join(keys[:end]))
        if row is not None and row.cloudformation:
            return tuple(_plain(name) for name in (*row.cloudformation.split("."), *keys[end:]))
    return tuple(_plain(name) for name in keys)


def cloudformation_name(token: str, property_: str) -> str | None:
    """Return what CloudFormation calls a property of a type where its name differs, by the property's row."""
    row = _table("aws").get(token, {}).get(property_)
    return row.cloudformation or None if row else None


def _touches(pointers: Sequence[str], wanted: tuple[str, ...]) -> bool:
    for pointer in pointers:
        named = tuple(_plain(name) for name in pointer.removeprefix("/properties/").split("/") if name != "*")
        shared = min(len(named), len(wanted))
        if named[:shared] == wanted[:shared]:
            return True
    return False


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def cloudformation_type(token: str) -> str | None:
    """Return the CloudFormation type of a Pulumi token, by its row or by the rule."""
    row = _table("aws").get(token, {}).get("")
    if row is not None:
        return row.cloudformation or None
    found = re.fullmatch(r"aws:(\w+)/\w+:(\w+)", token)
    return _types().get(f"AWS::{found[1]}::{found[2]}".lower()) if found else None


@functools.cache
def cloudformation(token: str) -> Mapping[str, Any] | None:
    """Return the CloudFormation schema of a Pulumi token, or None where it has no such type."""
    name = cloudformation_type(token)
    if name is None:
        return None
    schemas = importlib.resources.files("cfnlint") / "data" / "schemas"
    digest = _digests()[name]
    found: Mapping[str, Any] = json.loads((schemas / "resources" / f"{digest}.json").read_text(encoding="utf-8"))
    return found


@functools.cache
def _digests() -> Mapping[str, str]:
    schemas = importlib.resources.files("cfnlint") / "data" / "schemas"
    found: Mapping[str, str] = json.loads((schemas / "providers" / f"{_REGION}.json").read_text(encoding="utf-8"))
    return found


@functools.cache
def _types() -> Mapping[str, str]:
    return {name.lower(): name for name in _digests()}
