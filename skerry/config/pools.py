"""How many machines each tier may have: the bounds that a configuration stays in and that networks are cut for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

POOL_RANGES: Final[Mapping[str, tuple[int, int]]] = {"cognitive": (2, 8), "execution": (4, 128), "meta": (2, 4)}
"""Nodes of each tier, from the Sensei deployment architecture: 2-8, 4-128 and 2-4."""
