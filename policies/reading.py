"""How rules read inputs that may be unknown, secret, null or of another shape than the schema says.

Each function gives `UNKNOWN` where a part that matters is not known, and an empty container for null.
"""

from __future__ import annotations

from typing import Any

from skerry.graph import UNKNOWN, find, plain


def read(value: Any, path: str = "", default: Any = None) -> Any:
    """Return what stands at a dotted path, without secret marks; null and absent give `default`."""
    found = plain(find(value, path))
    return default if found is None else found


def rows(value: Any, path: str = "") -> Any:
    """Return the list of objects at a path; UNKNOWN where the list or one of its objects is not known."""
    found = read(value, path, [])
    if found is UNKNOWN:
        return UNKNOWN
    items = found if isinstance(found, list | tuple) else [found]
    if any(item is UNKNOWN for item in items):
        return UNKNOWN
    return [item for item in items if isinstance(item, dict)]


def mapping(value: Any, path: str = "") -> Any:
    """Return the object at a path; UNKNOWN where it is not known."""
    found = read(value, path, {})
    if found is UNKNOWN:
        return UNKNOWN
    return found if isinstance(found, dict) else {}
