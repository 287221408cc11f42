"""Records what provider processes and the language host cost, so that a bench can take it from the command's time.

Format: see pulumi_provider.py. Nothing is recorded unless SKERRY_SIM_TIMES is set.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

TIMES_VARIABLE: Final = "SKERRY_SIM_TIMES"
"""Names the folder of the record, the one in which the providers keep their cloud."""
FILE: Final = "provider-times.jsonl"
LANGUAGE_HOST: Final = "language-host"
"""The name under which the language host, which is a simulator as well, records itself; its program not counted."""
_EVERY_S: Final = 0.25
"""How much of a process may be missing where it is killed."""


class Times:
    """The costs of this process, written to a file now and then."""

    def __init__(self, path: Path | None, package: str = "") -> None:
        """Write to `path`; None records nothing. `package` is taken from the calls where it is left out."""
        self._path, self._lock = path, threading.Lock()
        self._calls, self._wall_s, self._package, self._written_at = 0, 0.0, package, 0.0

    @classmethod
    def asked_for(cls, folder: Path, package: str = "") -> Times:
        """Return a record in `folder` where the environment asks for one."""
        return cls(folder / FILE if os.environ.get(TIMES_VARIABLE) else None, package)

    def over(self, servicer: Any) -> Any:
        """Return the servicer with each of its calls measured."""
        if self._path is None:
            return servicer
        for name in dir(type(servicer)):
            if name[0].isupper() and callable(getattr(servicer, name)):
                setattr(servicer, name, self._measured(getattr(servicer, name)))
        return servicer

    def write(self) -> None:
        """Append one line."""
        if self._path is None:
            return
        used = os.times()
        row = {
            "pid": os.getpid(), "package": self._package, "calls": self._calls, "cpu_s": used.user + used.system,
            "wall_s": round(self._wall_s, 4),
        }  # fmt: skip
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, sort_keys=True) + "\n")

    def _measured(self, call: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def measured(request: Any, context: Any) -> Any:
            began = time.perf_counter()
            try:
                return call(request, context)
            finally:
                now = time.perf_counter()
                with self._lock:
                    self._calls += 1
                    self._wall_s += now - began
                    self._package = self._package or _package(request)
                    if now - self._written_at > _EVERY_S:
                        self._written_at = now
                        self.write()

        return measured


def _package(request: Any) -> str:
    type_ = getattr(request, "urn", "").split("::")[2:3]
    return type_[0].split("$")[-1].removeprefix("pulumi:providers:").split(":")[0] if type_ else ""


def read_times(folder: Path) -> list[dict[str, Any]]:
    """Return the last line of each process that a cloud's folder tells of, by its id."""
    path = folder / FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return sorted({row["pid"]: row for row in map(json.loads, lines)}.values(), key=lambda row: row["pid"])
