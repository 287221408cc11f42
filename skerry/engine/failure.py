"""Says in the user's words why a program failed: their own line, the exception, the resource that was being made."""

from __future__ import annotations

import asyncio
import sysconfig
import traceback
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final

from pulumi import ConfigTypeError, RunError

from skerry.engine.values import WITHHELD
from skerry.errors import ProgramError, SkerryError
from skerry.graph import Invoke

_ENGINE: Final = str(Path(__file__).parent)
_LIBRARIES: Final = tuple({sysconfig.get_paths()[key] for key in ("stdlib", "purelib", "platlib")})
_REGISTERING: Final = ("do_register", "do_read")
"""Coroutines of the SDK whose locals name the resource that they register."""


_SHOWN: Final = 3
"""How many places or resources a message names."""


class UserCode:
    """Tells the files of the user's program from those of the SDK, the libraries and this engine."""

    def __init__(self, program: Path) -> None:
        """Take files under `program` as the user's, an environment inside it apart."""
        self._prefix = f"{program}/"
        self._known: dict[str, str] = {}

    def relative(self, filename: str) -> str:
        """Return the path of a user's file relative to the program, or `""` for any other file."""
        found = self._known.get(filename)
        if found is None:
            found = self._known[filename] = self._classify(filename)
        return found

    def _classify(self, filename: str) -> str:
        foreign = (_ENGINE, *_LIBRARIES)
        if not filename.startswith(self._prefix) or filename.startswith(foreign) or "/site-packages/" in filename:
            return ""
        return filename.removeprefix(self._prefix)


def explain(
    exc: BaseException, traces: Sequence[TracebackType], code: UserCode, unanswered: Iterable[Invoke]
) -> SkerryError:
    """Return the error to raise in place of what a program raised; an error of Skerry's own passes through.

    `traces` are the tracebacks that the event loop kept of `exc`, its origin first.
    """
    for link in _chain(exc):
        if isinstance(link, SkerryError):
            return link
    if isinstance(exc, ConfigTypeError) and WITHHELD in str(exc.value):
        return ProgramError(
            f"the value of '{exc.key}' is a secret without plaintext here: read it with require_secret or get_secret "
            "and their kin, whose result can be unknown"
        )
    if isinstance(exc, RunError):
        return ProgramError(str(exc))
    everywhere = [*traces, *(link.__traceback__ for link in _chain(exc) if link.__traceback__ is not None)]
    broken = next((found for link in _chain(exc) if (found := _broken_line(link, code))), "")
    where = broken or next((found for trace in everywhere if (found := _place(trace, code))), "")
    resource = next((found for trace in everywhere if (found := _resource(trace))), "")
    text = f"the program failed{f' at {where}' if where else ''}: {type(exc).__name__}: {_message(exc)}"
    if resource:
        text += f" (while registering {resource})"
    tokens = sorted({invoke.token for invoke in unanswered if not invoke.answered})
    if tokens and isinstance(exc, AttributeError | TypeError | KeyError | IndexError | AssertionError):
        # A call in its plain form has no way to carry an unknown: the SDK hands the program None.
        text += (
            f"; functions without an answer here: {', '.join(tokens)}: "
            "call them in their output form (get_x_output), which can be unknown, or put the value into config"
        )
    return ProgramError(text)


def _message(exc: BaseException) -> str:
    if isinstance(exc, SyntaxError) and exc.filename:
        return f"{exc.msg} ({Path(exc.filename).name}, line {exc.lineno})"
    return str(exc).replace(WITHHELD, "<secret>") or "no message"


def _chain(exc: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        yield exc
        exc = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)


def _broken_line(exc: BaseException, code: UserCode) -> str:
    if isinstance(exc, SyntaxError) and exc.filename and (path := code.relative(exc.filename)):
        return f"{path}:{exc.lineno}"
    return ""


def _place(trace: TracebackType, code: UserCode) -> str:
    places = [
        f"{path}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(trace)
        if (path := code.relative(frame.filename))
    ]
    return places[-1].removesuffix(" in <module>") if places else ""


def place_of_frame(frame: FrameType | None, code: UserCode) -> str:
    """Return the user's line nearest to a running frame, or `""`."""
    while frame is not None:
        if path := code.relative(frame.f_code.co_filename):
            return f"{path}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def _resource(tb: TracebackType | None) -> str:
    found = ""
    while tb is not None:
        found = _registering(tb.tb_frame) or found
        tb = tb.tb_next
    return found


def _registering(frame: FrameType) -> str:
    if frame.f_code.co_name not in _REGISTERING:
        return ""
    known = frame.f_locals
    resource = known.get("res")
    name = known.get("name") or getattr(resource, "_name", "")
    if not known.get("ty") or not name:
        return ""
    position = known.get("source_position")
    made_at = f" of {position.uri}:{position.line}" if position is not None and position.uri else ""
    return f"{known['ty']} '{name}'{made_at}"


def pending(tasks: Iterable[asyncio.Task[Any]], code: UserCode) -> str:
    """Return what a program that does not end is waiting for, in its own lines and resources."""
    places: dict[str, None] = {}
    resources: dict[str, int] = {}
    for task in tasks:
        for frame in _await_stack(task.get_coro()):
            if path := code.relative(frame.f_code.co_filename):
                places[f"{path}:{frame.f_lineno} in {frame.f_code.co_name}"] = None
            if resource := _registering(frame):
                key = next((f.f_locals.get("k") for f in _await_stack(task.get_coro()) if "k" in f.f_locals), None)
                made = getattr(frame.f_locals.get("source_position"), "column", 0)
                resources[f"{resource}{f', input {key}' if key else ''}"] = made
    parts = []
    if places:
        parts.append(f"an await at {_first_few(sorted(places))}")
    if resources:
        # What was made first is nearest to the cause: the rest waits for it.
        parts.append(f"a value that {_first_few(sorted(resources, key=lambda name: resources[name]))} needs")
    return " and ".join(parts) or "an output that is never resolved"


def _first_few(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more


def _await_stack(awaited: Any) -> Iterator[FrameType]:
    """Yield the frames of a suspended coroutine, outermost first."""
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is None:
            return
        yield frame
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
