"""What a program may do to the process that it shares with Skerry, and how far that goes.

Under the command a program has a process of its own: no standard input, an output that is shown and not part of the
result, and an end that waits for its threads. The same holds here:

- Its standard input is empty, and what it or a child process of it writes goes to standard error.
- `os._exit` would end Skerry without a word, with the program's code; it ends the run with a message in its place.
- Threads that it leaves behind are waited for, since the command would wait for them too; one that never ends is named.
- A task that raised, or never ended, and that nobody awaited is told: neither engine ends for it.
"""

from __future__ import annotations

import asyncio
import concurrent.futures.thread as pools
import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

from skerry.engine import traces
from skerry.engine.traces import UserCode
from skerry.errors import ProgramError

_LOG: Final = logging.getLogger(__name__)
_CODE: Final = ProgramError("").exit_code
_IN, _OUT, _ERR = 0, 1, 2
_SHOWN: Final = 3
"""Tasks that are named."""


@contextlib.contextmanager
def shared_process() -> Iterator[None]:
    """Keep the program's hands off the input, the output and the end of the process."""
    with _descriptors(), Path(os.devnull).open(encoding="utf-8") as nothing, _no_exit():
        before, sys.stdin = sys.stdin, nothing
        try:
            with contextlib.redirect_stdout(sys.stderr):
                yield
        finally:
            sys.stdin = before


@contextlib.contextmanager
def _descriptors() -> Iterator[None]:
    """Point the output of child processes to standard error, and their input to nothing."""
    saved: list[tuple[int, int]] = []
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    try:
        # A descriptor that is closed stays so.
        with contextlib.suppress(OSError):
            nothing = os.open(os.devnull, os.O_RDONLY)
            try:
                for target, source in ((_IN, nothing), (_OUT, _ERR)):
                    saved.append((target, os.dup(target)))
                    os.dup2(source, target)
            finally:
                os.close(nothing)
        yield
    finally:
        for target, kept in saved:
            os.dup2(kept, target)
            os.close(kept)


@contextlib.contextmanager
def _no_exit() -> Iterator[None]:
    real, process, thread = os._exit, os.getpid(), threading.get_ident()

    def ended(status: int) -> NoReturn:
        if os.getpid() != process:
            # A child that was forked ends as it likes.
            real(status)
        how = f"os._exit({status}), which ends no program in order: let it end, or call sys.exit"
        if threading.get_ident() == thread:
            raise SystemExit(how)
        with contextlib.suppress(OSError, ValueError):
            print(f"skerry: a thread of the program ended it with {how}", file=sys.stderr, flush=True)
        real(_CODE)

    os._exit = ended
    try:
        yield
    finally:
        os._exit = real


class Leftovers:
    """The threads and tasks that a program leaves behind."""

    def __init__(self, code: UserCode) -> None:
        """Take the threads that are there now as nobody's of the program."""
        self._code = code
        self._before = set(threading.enumerate())
        self._tasks: list[asyncio.Task[Any]] = []

    def add(self, task: asyncio.Task[Any]) -> None:
        """Remember a task, if it runs the program's own code."""
        coroutine = getattr(task.get_coro(), "cr_code", None)
        if coroutine is not None and self._code.relative(coroutine.co_filename):
            self._tasks.append(task)

    def wait_for_threads(self, until: float, limit_s: float) -> None:
        """Wait for the program's threads until a moment of the monotonic clock.

        Raises:
            ProgramError: one of them has not ended by then.
        """
        for thread in _lasting(self._before):
            thread.join(max(until - time.monotonic(), 0))
            if thread.is_alive():
                frame = sys._current_frames().get(thread.ident or 0)
                place = traces.place_of_frame(frame, self._code)
                at = f" at {place.where}" if place.where else ""
                raise ProgramError(
                    f"the program did not end within {limit_s:g} s; it waits for its thread '{thread.name}'{at}: make "
                    f"it a daemon, or let it end{place.shown}"
                )

    def tell(self) -> None:
        """Warn of tasks whose outcome nobody awaited: what they would have made is not in the graph."""
        lost = [found for task in self._tasks if (found := self._lost(task))]
        for text in lost[:_SHOWN]:
            _LOG.warning("warning: no code awaits a task of the program, so what it makes later is lost: it %s", text)
        if len(lost) > _SHOWN:
            _LOG.warning("warning: %d more tasks are not awaited either", len(lost) - _SHOWN)

    def _lost(self, task: asyncio.Task[Any]) -> str:
        if not task.done():
            return f"waits for {traces.pending([task], self._code)}"
        # Public ways to look at an exception count as having taken it.
        if task.cancelled() or not getattr(task, "_log_traceback", False):
            return ""
        exc = task.exception()
        if exc is None or exc.__traceback__ is None:
            return ""
        place = traces.place(exc.__traceback__, self._code)
        # The message may hold a secret; who awaits the task sees it masked.
        return f"failed with {type(exc).__name__} at {place.where}{place.shown}"


def _lasting(but: Iterable[threading.Thread]) -> list[threading.Thread]:
    # The workers of a pool are told to end when the interpreter does.
    apart = {*but, threading.main_thread(), threading.current_thread(), *pools._threads_queues}
    return [thread for thread in threading.enumerate() if not thread.daemon and thread not in apart]
