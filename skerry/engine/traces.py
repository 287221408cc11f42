"""Reads tracebacks and waiting coroutines for what a user knows: their own lines, and the resources they make."""

from __future__ import annotations

import asyncio
import linecache
import re
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final

import pulumi
from pulumi.runtime.stack import Stack

_ENGINE: Final = str(Path(__file__).parent)
_LIBRARIES: Final = tuple({sysconfig.get_paths()[key] for key in ("stdlib", "purelib", "platlib")})
_REGISTERING: Final = ("do_register", "do_read")
"""Coroutines of the SDK whose locals name the resource that they register."""
_REGISTERING_OUTPUTS: Final = "do_register_resource_outputs"
_OUTPUTS_OF: Final = "the outputs of "
_MAKING: Final = ("__init__", "_internal_init")
"""Functions of a resource's class that run while the program makes it."""

_TOKEN: Final = re.compile(r"[\w-]+:[\w/-]*:[\w/-]+")
_SHOWN: Final = 3
"""How many places or resources a message names."""
_LINE_CHARACTERS: Final = 160
"""How much of a line of the program is shown."""


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


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the user's program."""

    where: str
    """`file:line`, and ` in function` where it is inside one."""
    text: str
    """The line itself, without its indentation."""

    @property
    def shown(self) -> str:
        """Return the line as it stands under a message."""
        return f"\n    {self.text}" if self.text else ""


NOWHERE: Final = Place("", "")


def line_of(filename: str, number: int) -> str:
    """Return a line of a file, shortened; `""` where it cannot be read."""
    linecache.checkcache(filename)
    text = linecache.getline(filename, number).strip()
    return text if len(text) <= _LINE_CHARACTERS else f"{text[:_LINE_CHARACTERS]}..."


def _frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def place(trace: TracebackType, code: UserCode) -> Place:
    """Return the innermost line of the user's on a traceback, or NOWHERE."""
    found = NOWHERE
    for frame, line in _frames(trace):
        if path := code.relative(frame.f_code.co_filename):
            inside = "" if frame.f_code.co_name == "<module>" else f" in {frame.f_code.co_name}"
            found = Place(f"{path}:{line}{inside}", line_of(frame.f_code.co_filename, line))
    return found


def place_of_frame(frame: FrameType | None, code: UserCode) -> Place:
    """Return the user's line nearest to a running frame, or NOWHERE."""
    while frame is not None:
        if path := code.relative(frame.f_code.co_filename):
            return Place(f"{path}:{frame.f_lineno}", line_of(frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return NOWHERE


def resource(traces: Iterable[TracebackType]) -> str:
    """Return the resource that was being registered or made, as a phrase, or `""`."""
    made = ""
    for trace in traces:
        registering, key = "", ""
        for frame, _ in _frames(trace):
            registering = _registering(frame) or registering
            made = _making(frame) or made
            key = _key(frame) or key
        if registering:
            kind = "output" if registering.startswith(_OUTPUTS_OF) else "input"
            return f"while registering {registering}" + (f", {kind} '{key}'" if key else "")
    return f"while making {made}" if made else ""


def _registering(frame: FrameType) -> str:
    known = frame.f_locals
    if frame.f_code.co_name == _REGISTERING_OUTPUTS and isinstance(res := known.get("res"), pulumi.Resource):
        return f"{_OUTPUTS_OF}the stack" if isinstance(res, Stack) else f"{_OUTPUTS_OF}{res._type} '{res._name}'"
    if frame.f_code.co_name not in _REGISTERING:
        return ""
    name = known.get("name") or getattr(known.get("res"), "_name", "")
    if not known.get("ty") or not name:
        return ""
    position = known.get("source_position")
    made_at = f" of {position.uri}:{position.line}" if position is not None and position.uri else ""
    return f"{known['ty']} '{name}'{made_at}"


def _key(frame: FrameType) -> str:
    """Return the top-level name of the value that the SDK turns into its form on the wire."""
    key = frame.f_locals.get("k") if frame.f_code.co_name == "serialize_properties" else None
    return key if isinstance(key, str) else ""


def unanswered(traces: Iterable[TracebackType]) -> str:
    """Return the token of the function of a cloud's SDK that failed because its call returned nothing, or `""`."""
    # The name is that of generated code: it holds what the plain form of a call returned; the token stands beside it.
    for frame in (frame for trace in traces for frame, _ in _frames(trace)):
        if frame.f_locals.get("__ret__", frame) is None:
            texts = (text for text in frame.f_code.co_consts if isinstance(text, str))
            return next((text for text in texts if _TOKEN.fullmatch(text)), "")
    return ""


def _making(frame: FrameType) -> str:
    if frame.f_code.co_name not in _MAKING or not frame.f_code.co_argcount:
        return ""
    own, *arguments = frame.f_code.co_varnames[: frame.f_code.co_argcount]
    made = frame.f_locals.get(own)
    if not isinstance(made, pulumi.Resource) or isinstance(made, Stack):
        return ""
    known = vars(made)
    type_ = known.get("_type") or getattr(type(made), "pulumi_type", "") or type(made).__name__
    name = known.get("_name") or next(
        (frame.f_locals[key] for key in ("resource_name", "name", *arguments[:1]) if key in frame.f_locals), ""
    )
    return f"{type_} '{name}'" if isinstance(name, str) and name else ""


def pending(tasks: Iterable[asyncio.Task[Any]], code: UserCode) -> str:
    """Return what a program that does not end is waiting for, in its own lines and resources."""
    places: dict[str, str] = {}
    resources: dict[str, int] = {}
    for task in tasks:
        for frame in _await_stack(task.get_coro()):
            if path := code.relative(frame.f_code.co_filename):
                found = f"{path}:{frame.f_lineno} in {frame.f_code.co_name}"
                places[found] = line_of(frame.f_code.co_filename, frame.f_lineno)
            if named := _registering(frame):
                key = next((f.f_locals.get("k") for f in _await_stack(task.get_coro()) if "k" in f.f_locals), None)
                made = getattr(frame.f_locals.get("source_position"), "column", 0)
                resources[f"{named}{f', input {key}' if key else ''}"] = made
    parts = []
    if places:
        parts.append(f"an await at {_first_few(sorted(places))}")
    if resources:
        # What was made first is nearest to the cause: the rest waits for it.
        parts.append(f"a value that {_first_few(sorted(resources, key=lambda name: resources[name]))} needs")
    lines = "".join(f"\n    {places[name]}" for name in sorted(places)[:_SHOWN] if places[name])
    return (" and ".join(parts) or "an output that is never resolved") + lines


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
