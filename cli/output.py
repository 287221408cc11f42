"""How results leave the command: to the terminal or, whole or not at all, to a file."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from skerry.errors import SkerryError

_HIDDEN: Final = {code: f"\\u{code:04x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (0x09, 0x0A)}
"""Control characters as a terminal should show them, and as JSON writes them: what is reported may be a stranger's."""
DEFAULT_WIDTH = 100
"""Columns where there is no terminal: fits a CI log and a printed page."""


def width() -> int:
    """Return the columns to write for."""
    if sys.stdout.isatty():
        return max(shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns, 60)
    return DEFAULT_WIDTH


def say(text: str) -> None:
    """Write a line about the run to standard error, so that standard output holds the result alone."""
    print(text.translate(_HIDDEN), file=sys.stderr, flush=True)


def deliver(text: str, out: Path | None) -> None:
    """Write a result to `out`, or to standard output.

    Raises:
        SkerryError: the file cannot be written.
    """
    if out is None:
        sys.stdout.write(text.translate(_HIDDEN))
        sys.stdout.flush()
        return
    write_file(out, text)
    say(f"written: {out}")


def write_file(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all.

    Raises:
        SkerryError: the folder cannot be made or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            temporary.chmod(0o644)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as exc:
        raise SkerryError(f"cannot write {path}: {exc.strerror or exc}: choose a folder that can be written") from exc
