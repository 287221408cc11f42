"""Quantities with their unit: bytes, and how people read and write them."""

from __future__ import annotations

import re
from decimal import Decimal

from skerry.errors import UsageError

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB
TIB = 1024 * GIB
KB = 1000
MB = 1000 * KB
GB = 1000 * MB
TB = 1000 * GB

HOURS_PER_MONTH = Decimal(730)
"""Hours that every cloud price list takes for one month (8,760 h / 12)."""

_BYTE_UNITS = {
    "": 1, "B": 1, "KIB": KIB, "MIB": MIB, "GIB": GIB, "TIB": TIB, "KB": KB, "MB": MB, "GB": GB, "TB": TB,
    "KI": KIB, "MI": MIB, "GI": GIB, "TI": TIB, "K": KB, "M": MB, "G": GB, "T": TB,
}  # fmt: skip
_QUANTITY = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$")


def parse_bytes(text: str) -> int:
    """Read `4GiB`, `700MB`, `1.5Ti` or a plain number as bytes.

    Raises:
        UsageError: `text` is no number with one of the units B, KiB..TiB, KB..TB (or Kubernetes' Ki..Ti).
    """
    match = _QUANTITY.match(text)
    unit = match.group(2).upper() if match else None
    if match is None or unit not in _BYTE_UNITS:
        raise UsageError(f"'{text}' is not a size: write a number and a unit such as 4GiB, 700MB or 512Mi")
    return int(Decimal(match.group(1)) * _BYTE_UNITS[unit])


def format_bytes(count: int) -> str:
    """Return `count` bytes in the largest binary unit that leaves at least 1, with one decimal."""
    for unit, size in (("TiB", TIB), ("GiB", GIB), ("MiB", MIB), ("KiB", KIB)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"
