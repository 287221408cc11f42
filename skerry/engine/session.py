"""Runs a program once: its event loop, its modules, and what of the SDK is exchanged while it runs.

The SDK keeps its settings in context variables, so each run gets an empty context and leaves nothing behind. What is
exchanged in the SDK (skerry.engine.exchange) is put back when the run ends. A program runs in its own folder, as the
command runs it; the working directory is put back as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import ctypes
import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from pulumi.runtime import config as sdk_config
from pulumi.runtime import settings as sdk_settings
from pulumi.runtime import stack as sdk_stack

from skerry.engine import traces
from skerry.engine.exchange import Run, StackNeededError, exchanged
from skerry.engine.failure import Failure
from skerry.engine.modules import modules_of, packages_of
from skerry.engine.monitor import Monitor
from skerry.engine.process import Leftovers, shared_process
from skerry.engine.traces import UserCode
from skerry.engine.values import Withheld
from skerry.errors import ProgramError
from skerry.invokes import STAND_IN

_ONE_RUN: Final = threading.RLock()
"""sys.path, sys.modules and the SDK's classes belong to the process, so one program runs at a time."""

_ROUNDS: Final = 8
"""Turns of the event loop after a failure: an exception takes one for each task that it passes."""
_AGAIN_S: Final = 0.2
"""How often an overdue program is interrupted anew: cleaning up after the first time may wait as well."""


class _OverdueError(KeyboardInterrupt):
    """Ends the event loop, which lets no other kind of exception out of a timer."""


class _Loop(asyncio.SelectorEventLoop):
    """Calls the monitor at once instead of through a thread: there is no socket to wait for."""

    def __init__(self, monitor: Monitor, leftovers: Leftovers) -> None:
        super().__init__()
        self._monitor = monitor
        self.leftovers = leftovers
        self._raised: dict[int, tuple[BaseException, list[TracebackType]]] = {}
        self.set_task_factory(self._task)

    def _task(self, _loop: Any, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=self, **kwargs)
        task.add_done_callback(self._remember)
        self.leftovers.add(task)
        return task

    def _remember(self, task: asyncio.Task[Any]) -> None:
        """Keep the tracebacks of an exception: a future forgets its own once someone awaits it."""
        # The public way counts as having taken the exception, which nobody may ever do.
        exc = getattr(task, "_exception", None)
        if exc is not None and exc.__traceback__ is not None:
            self._raised.setdefault(id(exc), (exc, []))[1].append(exc.__traceback__)

    def tracebacks(self, exc: BaseException) -> list[TracebackType]:
        """Return where an exception came by, its origin first, and what it made fail in turn."""
        own = self._raised.get(id(exc), (exc, []))[1]
        led_to = (found for other, found in self._raised.values() if other is not exc and _is_behind(exc, other))
        return [*own, *(trace for found in led_to for trace in found)]

    def settle(self) -> None:
        """Let what waits for a value that failed fail as well: it names the resource that needs the value."""
        for _ in range(_ROUNDS):
            with contextlib.suppress(Exception):
                self.run_until_complete(asyncio.sleep(0))

    def run_in_executor(  # type: ignore[override]  # typeshed's variadic generics add nothing here
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Run the SDK's calls to the monitor in place; a program that registered callbacks keeps the threads."""
        if func.__module__ != "pulumi.runtime._context":
            return super().run_in_executor(executor, func, *args)
        if self._monitor.callbacks.in_use:
            future = super().run_in_executor(executor, func, *args)
            return self.create_task(_settled(future)) if self._monitor.components.any else future
        future = self.create_future()
        try:
            result = func(*args)
            if asyncio.iscoroutine(result):
                # A component of a local package: its construction waits for its children.
                return self.create_task(result)
            future.set_result(result)
        except Exception as exc:  # noqa: BLE001  # handed to whoever awaits the call
            future.set_exception(exc)
        return future


def _is_behind(cause: BaseException, exc: BaseException | None) -> bool:
    while exc is not None and exc is not cause:
        exc = exc.__cause__
    return exc is not None


async def _settled(future: asyncio.Future[Any]) -> Any:
    result = await future
    return await result if asyncio.iscoroutine(result) else result


def execute(run: Run) -> None:
    """Run the program; the monitor of `run` then holds what it registered.

    Raises:
        ProgramError: the program raised, or did not end within the limit.
        SkerryError: the program raised an error of Skerry, which passes through.
        StackNeededError: the program refers to one of `run.siblings`.
    """
    with _ONE_RUN:
        contextvars.Context().run(_execute, run)


def _execute(run: Run) -> None:
    code = UserCode(run.project.program)
    loop, started = _Loop(run.monitor, Leftovers(code)), time.monotonic()
    watch = _Watch(loop, run.timeout_s, code)
    loop.set_exception_handler(lambda *_: None)
    try:
        with (
            _folder(run.project.program),
            packages_of(run.project.environment),
            modules_of(run.project.program),
            exchanged(run, code),
            shared_process(),
        ):
            _configure(run, loop)
            watch.start()
            try:
                loop.run_until_complete(sdk_stack.run_in_stack(lambda: _run_main(run.project.main)))
            except Exception:
                loop.settle()
                raise
            watch.stop()
            loop.leftovers.tell()
            loop.leftovers.wait_for_threads(started + run.timeout_s, run.timeout_s)
    except StackNeededError:
        raise
    except (Exception, KeyboardInterrupt) as exc:
        if isinstance(exc, KeyboardInterrupt) and watch.found is None:
            raise
        if watch.found is not None:
            raise ProgramError(
                f"the program did not end within {run.timeout_s:g} s; it waits for {watch.found}"
            ) from None
        raise _failure(run, code).explain(exc, loop.tracebacks(exc)) from exc
    except SystemExit as exc:
        ended = _failure(run, code).exited(exc)
        if ended is not None:
            raise ended from exc
    finally:
        watch.stop()
        _close(loop)


def _failure(run: Run, code: UserCode) -> Failure:
    # What a program reads as a secret is one in messages, also where a file or --config gives it in plain.
    config = replace(run.config, secret_keys=run.config.secret_keys | run.read_as_secret)
    functions = run.monitor.functions
    stand_ins = [invoke.token for invoke in functions.invokes if invoke.answered_by == STAND_IN]
    return Failure(code, config, run.project.root, functions.unanswered, stand_ins)


@contextlib.contextmanager
def _folder(program: Path) -> Iterator[None]:
    """Make the program's folder the working directory: programs read files relative to it."""
    try:
        before = Path.cwd()
    except OSError:
        # The caller's folder is gone; there is nothing to go back to.
        before = program
    os.chdir(program)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.chdir(before)


def _run_main(main: Path) -> None:
    runpy.run_path(str(main), run_name="__main__")


def _configure(run: Run, loop: asyncio.AbstractEventLoop) -> None:
    values = dict(run.config.values)
    for key in run.config.secret_keys - values.keys():
        values[key] = Withheld(key)
    sdk_config.set_all_config(values, list(run.config.secret_keys))
    sdk_settings.configure(
        sdk_settings.Settings(
            project=run.project.name,
            stack=run.stack,
            monitor=run.monitor,
            dry_run=True,
            organization="organization",
            root_directory=str(run.project.root),
        )
    )
    run.monitor.callbacks.loop = loop
    sdk_settings.SETTINGS.callbacks = run.monitor.callbacks


def _close(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()
    with contextlib.suppress(BaseException):
        loop.run_until_complete(asyncio.sleep(0))
    loop.close()


class _Watch:
    """Interrupts a program that waits, or computes, without end."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout_s: float, code: UserCode) -> None:
        self._loop = loop
        self._timeout_s = timeout_s
        self._code = code
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._handle: asyncio.TimerHandle | None = None
        self._stopped = False
        # The loop's own timer cannot ring while the program's code holds the thread.
        self._outside = threading.Timer(timeout_s + _AGAIN_S, self._interrupt)
        self._outside.daemon = True
        self.found: str | None = None

    def start(self) -> None:
        self._handle = self._loop.call_later(self._timeout_s, self._ring)
        self._outside.start()

    def stop(self) -> None:
        with self._lock:
            self._outside.cancel()
            self._stopped = True
        if self._handle is not None:
            self._handle.cancel()

    def _ring(self) -> None:
        if self.found is None:
            self.found = traces.pending(asyncio.all_tasks(self._loop), self._code)
        self._handle = self._loop.call_later(_AGAIN_S, self._ring)
        raise _OverdueError

    def _interrupt(self) -> None:
        with self._lock:
            if self.found is None and not self._stopped:
                place = traces.place_of_frame(sys._current_frames().get(self._thread), self._code)
                self.found = (
                    f"a loop or a blocking call at {place.where or 'a place outside its own files'}{place.shown}"
                )
                self._stop_thread()

    def _stop_thread(self) -> None:
        in_main = self._thread == threading.main_thread().ident
        if in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            # Only a signal ends a call that sleeps or reads; it arrives as a KeyboardInterrupt.
            signal.pthread_kill(self._thread, signal.SIGINT)
        else:
            overdue = ctypes.py_object(_OverdueError)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), overdue)
