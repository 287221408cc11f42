"""Refuses values that a cloud's own description of its API rules out: enums, patterns, lengths, ranges.

A constraint stands at a property's path, `[]` for the elements of a list and `{}` for the values of a map. What is not
known yet is not judged, nor what is empty: a bridged provider sends neither an empty text nor a zero.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from tests.simulators.provider_check import Failure, is_unknown, not_one_of, reveal, step
from tests.simulators.sdk_types import cache_folder, read_json, write_json

DATA: Final = Path(__file__).resolve().parent / "data"
OWN_ROWS: Final = DATA / "provider_values.csv"
"""What the APIs' descriptions say in words, or a provider's own source; it wins over what the models state."""
Constraint = Mapping[str, Any]
"""`enum`, `pattern` (of the whole text, anywhere in it with `search`), `min`, `max` (of a text's length or a number),
`fold` (case does not count) and `from`."""
_KEYS: Final = ("enum", "pattern", "min", "max")


def failures(inputs: Mapping[str, Any], constraints: Mapping[str, Constraint]) -> list[Failure]:
    """Return what the constraints refuse, in the order of the inputs."""
    return list(_walk(reveal(inputs), "", "", constraints)) if constraints else []


def _walk(value: Any, path: str, place: str, constraints: Mapping[str, Constraint]) -> Iterator[Failure]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            below = f"{place}.{key}" if place else key
            if f"{place}{{}}" in constraints:
                below = f"{place}{{}}"
            yield from _walk(item, step(path, key), below, constraints)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, f"{path}[{index}]", f"{place}[]", constraints)
    elif place in constraints and value and not is_unknown(value) and not isinstance(value, bool):
        reason = refusal(value, constraints[place])
        if reason:
            yield Failure(path, f"{reason} ({constraints[place]['from']})")


def refusal(value: Any, constraint: Constraint) -> str:
    """Return why a value is refused, empty where it is not."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    values = constraint.get("enum")
    if values is not None:
        folds = (lambda one: str(one).lower()) if constraint.get("fold") else str
        return "" if folds(value) in {folds(one) for one in values} else not_one_of(value, values)
    if constraint.get("search") and value == -1:
        # The bridged provider's sign for "not set".
        return ""
    lowest, highest = constraint.get("min"), constraint.get("max")
    size = len(value) if isinstance(value, str) else value
    what = f"{value!r} has {size} characters" if isinstance(value, str) else f"{value}"
    if lowest is not None and size < lowest:
        return f"{what}: the least is {lowest}"
    if highest is not None and size > highest:
        return f"{what}: the most is {highest}"
    pattern = _compiled(constraint.get("pattern"))
    matches = re.Pattern.search if constraint.get("search") else _matches
    if pattern is not None and not matches(pattern, str(value)):
        return f"{value!r} does not match {pattern.pattern}"
    return ""


@cache
def own_rows() -> Mapping[str, Mapping[str, Constraint]]:
    """Return what data/provider_values.csv says: token -> property -> constraint, each with its source."""
    found: dict[str, dict[str, Constraint]] = {}
    with OWN_ROWS.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            one: dict[str, Any] = {"from": line["source"].partition(", read")[0]}
            if line["enum"]:
                one["enum"] = line["enum"].split()
            if line["pattern"]:
                one["pattern"] = line["pattern"]
            one |= {key: int(line[key]) for key in ("min", "max") if line[key]}
            found.setdefault(line["token"], {})[line["property"]] = one
    return found


def constraint_of(shape: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """Return the constraint that an API's description of a field states, empty where it states none."""
    found = {key: shape[key] for key in _KEYS if shape.get(key) not in (None, [], "")}
    if "pattern" in found and _compiled(found["pattern"]) is None:
        del found["pattern"]
    return {**found, "from": origin} if found else {}


@cache
def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    """Return a pattern, or None where it is written for another engine."""
    if pattern is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return re.compile(pattern, re.DOTALL)
        except re.error:
            return None


def _matches(pattern: re.Pattern[str], text: str) -> bool:
    if pattern.fullmatch(text):
        return True
    # The services match the whole text; a pattern of one character only asks that there be such a character.
    one = re.fullmatch(r"\^?(\\.|\[[^\]]*\]|\.)\$?", pattern.pattern)
    return one is not None and pattern.search(text) is not None


def installed(package: str) -> str:
    """Return the version of an installed package, or nothing."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def kept(source: str, token: str, key: str, derive: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what was derived for a token before from the same sources, else derive it and keep it.

    Args:
        source: the name of the derivation.
        token: the resource's type.
        key: what the result depends on besides the token: versions, and the text of the tables.
        derive: makes it.
    """
    folder = cache_folder() / f"{source}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    path = folder / (re.sub(r"[^\w.-]", "_", token) + ".json")
    found = read_json(path)
    if found is None:
        found = json.loads(json.dumps(derive()))
        write_json(path, found)
    return found


def same_name(key: str, members: Mapping[str, Any], *, is_list: bool, owner: str = "") -> str | None:
    """Return the member that a property of the SDK stands for: the same name but for case, and a list's plural.

    Args:
        key: the property.
        members: of the API's structure.
        is_list: whether it may be a plural.
        owner: the type that has it, whose name one of the two may put before it: `name` is a queue's `QueueName`.
    """
    folded = {name.lower(): name for name in members}
    names = [key.lower()]
    if owner:
        names += [owner.lower() + key.lower(), key.lower().removeprefix(owner.lower()) or key.lower()]
    if is_list and key.endswith("s"):
        names += [key[:-1].lower(), re.sub("ies$", "y", key).lower()]
    return next((folded[name] for name in names if name in folded), None)
