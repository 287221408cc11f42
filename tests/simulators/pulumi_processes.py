"""Runs a command in a session of its own with a time limit, and leaves nothing of it behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_GRACE_S = 5.0
"""How long plugins may take to notice that their engine is gone."""
_POLL_S = 0.05


class LimitError(Exception):
    """A command did not end within its limit and was killed."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a command did."""

    code: int
    stdout: str
    stderr: str
    seconds: float
    killed: tuple[int, ...] = ()
    """Processes of its session that outlived it and were killed."""

    @property
    def text(self) -> str:
        return self.stdout + self.stderr


def run(command: Sequence[str], cwd: Path, env: Mapping[str, str], limit_s: float) -> Result:
    """Run a command to its end.

    Raises:
        LimitError: it took longer than `limit_s`; its whole session is killed.
    """
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        stdout, stderr = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        _kill_session(process.pid)
        stdout, stderr = process.communicate()
        tail = (stdout + stderr).decode(errors="replace")[-2000:]
        raise LimitError(f"{' '.join(command)} took longer than {limit_s:.0f} s and was killed:\n{tail}") from None
    except BaseException:
        _kill_session(process.pid)
        process.wait()
        raise
    seconds = time.monotonic() - began
    deadline = time.monotonic() + _GRACE_S
    while members(process.pid) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    killed = _kill_session(process.pid)
    return Result(process.returncode, stdout.decode(errors="replace"), stderr.decode(errors="replace"), seconds, killed)


def members(session: int) -> tuple[int, ...]:
    """Return the living processes of a session; where /proc is absent, none can be told."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The command's name stands in brackets and may hold anything, so the fields are counted after it.
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(entry.name))
    return tuple(found)


def _kill_session(session: int) -> tuple[int, ...]:
    left = members(session)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(session, signal.SIGKILL)
    return left
