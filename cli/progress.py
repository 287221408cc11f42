"""Progress of long steps: a bar on a terminal, plain lines elsewhere; always on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Final

from cli.options import color_allowed
from skerry.units import format_bytes

LINE_INTERVAL_S: Final = 10.0
"""Seconds between two plain lines: often enough to see life in a CI log, seldom enough to read it."""


class LineProgress:
    """Progress as plain lines: each item that is done, and where the step stands every few seconds."""

    def __init__(self, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Name the step."""
        self._title = title
        self._clock = clock
        self._total = self._done = self._items = self._items_done = 0
        self._last = 0.0

    def start(self, total_bytes: int, items: int) -> None:
        """Say what the step is about to do."""
        self._total, self._items = total_bytes, items
        self._done = self._items_done = 0
        self._last = self._clock()
        print(f"{self._title}: {items} items, {format_bytes(total_bytes)}", file=sys.stderr, flush=True)

    def advance(self, count: int) -> None:
        """Count bytes, and say so now and then."""
        self._done += count
        now = self._clock()
        if now - self._last >= LINE_INTERVAL_S:
            self._last = now
            share = 100 * self._done // self._total if self._total else 0
            print(
                f"{self._title}: {format_bytes(self._done)} of {format_bytes(self._total)} ({share} %), "
                f"{self._items_done} of {self._items} items",
                file=sys.stderr,
                flush=True,
            )

    def item(self, name: str, state: str) -> None:
        """Count an item."""
        self._items_done += 1

    def finish(self) -> None:
        """Say that the step is done."""
        print(f"{self._title}: done, {self._items_done} items", file=sys.stderr, flush=True)


class BarProgress:
    """Progress as one moving bar."""

    def __init__(self, title: str) -> None:
        """Name the step."""
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        self._title = title
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            DownloadColumn(binary_units=True),
            TimeRemainingColumn(),
            TextColumn("{task.fields[item]}"),
            console=Console(stderr=True, no_color=not color_allowed()),
            transient=True,
        )
        self._task = self._progress.add_task(title, total=None, item="")

    def start(self, total_bytes: int, items: int) -> None:
        """Show the bar."""
        self._progress.update(self._task, total=total_bytes or 1, completed=0)
        self._progress.start()

    def advance(self, count: int) -> None:
        """Move the bar."""
        self._progress.advance(self._task, count)

    def item(self, name: str, state: str) -> None:
        """Name the item that was just done."""
        self._progress.update(self._task, item=f"{state} {name}"[:60])

    def finish(self) -> None:
        """Take the bar away."""
        self._progress.stop()


def progress(title: str) -> LineProgress | BarProgress:
    """Return the progress that fits where standard error goes."""
    return BarProgress(title) if sys.stderr.isatty() else LineProgress(title)
