"""A preflight as JSON, for other programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from enum import Enum
from typing import Any, Final

from skerry.preflight.document import Preflight

SCHEMA: Final = "skerry.preflight/1"
"""Name and version of the format."""


def to_json(found: Preflight) -> str:
    """Return the whole as JSON text, the same bytes for the same plan."""
    document = {"schema": SCHEMA, **_plain(asdict(found))}
    for one, row in zip(found.ranges, document["ranges"], strict=True):
        row["fit"] = one.fit.name.lower().replace("_", "-")
    for quota, row in zip(found.quotas, document["quotas"], strict=True):
        row["exceedsDefault"] = quota.exceeds_default
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_camel(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.name.lower()
    return value


def _camel(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(word.capitalize() for word in more)
