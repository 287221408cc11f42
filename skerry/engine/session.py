"""Runs a program once: its event loop, its modules, and what of the SDK is exchanged while it runs.

The SDK keeps its settings in context variables, so each run gets an empty context and leaves nothing behind. What is
exchanged is put back when the run ends: the search for a resource's source line (the SDK formats the whole stack for
each resource), the last wait (the SDK's own takes quadratic time), the secret getters of Config (a withheld value is a
secret unknown), and two getters of StackReference (one unknown output of a stack must not hide the known ones). The working directory is not changed: a program that
reads files relative to it must be run from its own folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import runpy
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pulumi
from pulumi.output import _OutputData
from pulumi.runtime import config as sdk_config
from pulumi.runtime import resource as sdk_resource
from pulumi.runtime import settings as sdk_settings
from pulumi.runtime import stack as sdk_stack
from pulumi.runtime.proto import source_pb2

from skerry.engine import failure
from skerry.engine.monitor import Monitor
from skerry.engine.project import Project, StackConfig
from skerry.engine.values import WITHHELD
from skerry.errors import ProgramError

_ONE_RUN: Final = threading.RLock()
"""sys.path, sys.modules and the SDK's classes belong to the process, so one program runs at a time."""

_AGAIN_S: Final = 0.2
"""How often an overdue program is interrupted anew: cleaning up after the first time may wait as well."""


class StackNeededError(BaseException):
    """Ends a run early: the program refers to a sibling stack that has not been run yet."""

    def __init__(self, stack: str) -> None:
        """Name the stack."""
        self.stack = stack
        super().__init__(stack)


class _OverdueError(KeyboardInterrupt):
    """Ends the event loop, which lets no other kind of exception out of a timer."""


@dataclass(slots=True)
class Run:
    """One run of a program."""

    project: Project
    stack: str
    config: StackConfig
    monitor: Monitor
    timeout_s: float
    siblings: frozenset[str] = frozenset()
    """Stacks that could be run first; a reference to one of them ends this run."""
    created: int = 0
    """How many resources the program has made so far."""


class _Loop(asyncio.SelectorEventLoop):
    """Calls the monitor at once instead of through a thread: there is no socket to wait for."""

    def __init__(self, monitor: Monitor) -> None:
        super().__init__()
        self._monitor = monitor

    def run_in_executor(  # type: ignore[override]  # typeshed's variadic generics add nothing here
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Run the SDK's calls to the monitor in place; a program that registered callbacks keeps the threads."""
        if func.__module__ != "pulumi.runtime._context" or self._monitor.callbacks.in_use:
            return super().run_in_executor(executor, func, *args)
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as exc:  # noqa: BLE001  # handed to whoever awaits the call
            future.set_exception(exc)
        return future


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
    code = failure.UserCode(run.project.program)
    loop = _Loop(run.monitor)
    watch = _Watch(loop, run.timeout_s, code)
    loop.set_exception_handler(lambda *_: None)
    try:
        with _modules_of(run.project.program), _exchanged(run, code), contextlib.redirect_stdout(sys.stderr):
            _configure(run, loop)
            watch.start()
            loop.run_until_complete(sdk_stack.run_in_stack(lambda: _run_main(run.project.main)))
    except StackNeededError:
        raise
    except (Exception, _OverdueError) as exc:
        if watch.found is not None:
            raise ProgramError(
                f"the program did not end within {run.timeout_s:g} s; it waits for {watch.found}"
            ) from None
        raise failure.explain(exc, code, run.monitor.invokes) from exc
    except SystemExit as exc:
        if exc.code not in (None, 0):
            raise ProgramError(f"the program ended itself with exit code {exc.code}") from exc
    finally:
        watch.stop()
        _close(loop)


def _run_main(main: Path) -> None:
    runpy.run_path(str(main), run_name="__main__")


def _configure(run: Run, loop: asyncio.AbstractEventLoop) -> None:
    values = dict(run.config.values)
    for key in run.config.secret_keys - values.keys():
        values[key] = WITHHELD
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
    """Interrupts a program that waits for something that never comes."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout_s: float, code: failure.UserCode) -> None:
        self._loop = loop
        self._timeout_s = timeout_s
        self._code = code
        self._handle: asyncio.TimerHandle | None = None
        self.found: str | None = None

    def start(self) -> None:
        self._handle = self._loop.call_later(self._timeout_s, self._ring)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def _ring(self) -> None:
        if self.found is None:
            self.found = failure.pending(asyncio.all_tasks(self._loop), self._code)
        self._handle = self._loop.call_later(_AGAIN_S, self._ring)
        raise _OverdueError


# -- modules ----------------------------------------------------------------------------------------------------------

_CACHED: Final[dict[Path, dict[str, ModuleType]]] = {}
"""Modules of a program that share their names with those of another one, kept for its next run."""


@contextlib.contextmanager
def _modules_of(program: Path) -> Iterator[None]:
    """Put a program's folder first on the path, and aside what other folders loaded under its names."""
    names = _importable(program)
    hidden = {
        name: module
        for name, module in sys.modules.items()
        if name.split(".", 1)[0] in names and not _is_under(module, program)
    }
    for name in hidden:
        del sys.modules[name]
    sys.modules.update(_CACHED.pop(program, {}))
    saved_path, saved_argv = list(sys.path), sys.argv
    sys.path.insert(0, str(program))
    sys.argv = [str(program)]
    try:
        yield
    finally:
        sys.path[:], sys.argv = saved_path, saved_argv
        tops = {name.split(".", 1)[0] for name in hidden}
        own = {name: m for name, m in sys.modules.items() if name.split(".", 1)[0] in tops and _is_under(m, program)}
        for name in own:
            del sys.modules[name]
        if own:
            _CACHED[program] = own
        sys.modules.update(hidden)


def _importable(program: Path) -> set[str]:
    """Return the names that a program's folder offers; a folder without code of its own yields to a real package."""
    names: set[str] = set()
    for path in program.iterdir():
        if path.suffix == ".py" or (path / "__init__.py").is_file():
            names.add(path.stem)
        elif path.is_dir() and getattr(sys.modules.get(path.name), "__file__", None) is None:
            names.add(path.name)
    return names - sys.stdlib_module_names - {__name__.split(".", 1)[0], "__main__"}


def _is_under(module: ModuleType, folder: Path) -> bool:
    file = getattr(module, "__file__", None)
    if file is None:
        # A folder without __init__.py is a namespace package: it has places but no file.
        return any(str(place).startswith(f"{folder}/") for place in getattr(module, "__path__", ()))
    return str(Path(file).resolve()).startswith(f"{folder}/")


# -- what is exchanged in the SDK -------------------------------------------------------------------------------------


@contextlib.contextmanager
def _exchanged(run: Run, code: failure.UserCode) -> Iterator[None]:
    with contextlib.ExitStack() as stack:

        def exchange(owner: Any, name: str, replacement: Any) -> None:
            stack.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, replacement)

        exchange(sdk_stack, "wait_for_rpcs", _wait_for_all)
        exchange(sdk_resource, "_get_stack_trace", functools.partial(_source_of_caller, run, code))
        for name in vars(pulumi.Config):
            if name.startswith(("get_secret", "require_secret")):
                exchange(pulumi.Config, name, _withholding(getattr(pulumi.Config, name), run.config))
        exchange(pulumi.StackReference, "__init__", _demanding(pulumi.StackReference.__init__, run))
        exchange(pulumi.StackReference, "get_output", _get_output)
        exchange(pulumi.StackReference, "require_output", _require_output)
        yield


async def _wait_for_all(await_all_outstanding_tasks: bool = True) -> None:
    """Wait for every registration and output, as the SDK does, but in one wait instead of one for each output."""
    manager, settings = sdk_settings._get_rpc_manager(), sdk_settings.SETTINGS
    while True:
        while manager.rpcs:
            await asyncio.sleep(0)
            await manager.rpcs.pop()
        if manager.unhandled_exception is not None:
            raise manager.unhandled_exception.with_traceback(manager.exception_traceback)
        while await_all_outstanding_tasks and settings.outputs:
            with settings.lock:
                waiting = list(settings.outputs)
                settings.outputs.clear()
            done, rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_EXCEPTION)
            with settings.lock:
                settings.outputs.update(rest)
            for task in done:
                await task
        if not manager.rpcs:
            return


def _source_of_caller(run: Run, code: failure.UserCode) -> Any:
    """Return the user's line that makes a resource, and the resource's number, in place of a whole stack trace."""
    frame: Any = sys._getframe(1)
    resource = frame.f_locals.get("res")
    run.created += 1
    position = source_pb2.SourcePosition(column=run.created)
    while frame is not None:
        path = code.relative(frame.f_code.co_filename)
        if path:
            position.uri, position.line = path, frame.f_lineno
            # The constructors of the resource's own class are not where the user asked for it.
            if "init" not in frame.f_code.co_name or frame.f_locals.get("self") is not resource:
                break
        frame = frame.f_back
    return source_pb2.StackTrace(frames=[source_pb2.StackFrame(pc=position)])


def _withholding(getter: Callable[..., Any], config: StackConfig) -> Callable[..., Any]:
    @functools.wraps(getter)
    def get(self: Any, key: str, *args: Any, **kwargs: Any) -> Any:
        full = self.full_key(key)
        if full in config.secret_keys and full not in config.values:
            return _secret_unknown()
        return getter(self, key, *args, **kwargs)

    return get


def _secret_unknown() -> Any:
    data: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    data.set_result(_OutputData(resources=set(), value=None, is_known=False, is_secret=True))
    return pulumi.Output._from_data(data)


def _demanding(init: Callable[..., None], run: Run) -> Callable[..., None]:
    @functools.wraps(init)
    def __init__(self: Any, name: str, stack_name: Any = None, opts: Any = None) -> None:  # noqa: N807
        target = stack_name if stack_name is not None else name
        if isinstance(target, str) and (needed := run.monitor.needs(target, run.siblings)):
            raise StackNeededError(needed)
        init(self, name, stack_name, opts)

    return __init__


def _get_output(self: Any, name: Any) -> Any:
    return _one_output(self, name, lambda outputs, key: outputs.get(key))


def _require_output(self: Any, name: Any) -> Any:
    return _one_output(self, name, lambda outputs, key: outputs[key])


def _one_output(reference: Any, name: Any, pick: Callable[[Any, Any], Any]) -> Any:
    """Pick one output of a stack while others are unknown; the SDK's own getter waits until all are known."""

    def choose(both: Any) -> Any:
        key, outputs = both
        whole = isinstance(key, pulumi.output.Unknown) or isinstance(outputs, pulumi.output.Unknown)
        return pulumi.output.UNKNOWN if whole else pick(outputs, key)

    value = pulumi.Output.all(pulumi.Output.from_input(name), reference.outputs).apply(choose, True)
    is_secret = asyncio.ensure_future(reference._StackReference__is_secret_name(name))
    return pulumi.Output(value.resources(), value.future(True), value.is_known(), is_secret)
