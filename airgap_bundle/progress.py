"""How long steps tell a caller where they are; only the caller shows anything."""

from __future__ import annotations

import threading
from typing import Protocol


class Progress(Protocol):
    """What export, verify and import call while they work; calls come one at a time, from any thread."""

    def start(self, total_bytes: int, items: int) -> None:
        """Begin a step of `total_bytes` bytes in `items` items."""

    def advance(self, count: int) -> None:
        """Add `count` bytes that are done; negative when a transfer had to begin again."""

    def item(self, name: str, state: str) -> None:
        """Say what became of one item, for example `fetched`, `present`, `verified`, `pushed`."""

    def finish(self) -> None:
        """End the step that `start` began."""


class Silent:
    """A progress that shows nothing."""

    def start(self, total_bytes: int, items: int) -> None:
        """Do nothing."""

    def advance(self, count: int) -> None:
        """Do nothing."""

    def item(self, name: str, state: str) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""


class Serial:
    """Pass the calls of many threads on to one progress, one at a time."""

    def __init__(self, inner: Progress) -> None:
        self._inner = inner
        self._lock = threading.Lock()

    def start(self, total_bytes: int, items: int) -> None:
        """Pass on."""
        with self._lock:
            self._inner.start(total_bytes, items)

    def advance(self, count: int) -> None:
        """Pass on."""
        with self._lock:
            self._inner.advance(count)

    def item(self, name: str, state: str) -> None:
        """Pass on."""
        with self._lock:
            self._inner.item(name, state)

    def finish(self) -> None:
        """Pass on."""
        with self._lock:
            self._inner.finish()
