"""Brings the files of one replica back from a copy that `file_copies` made, whole or not at all.

A program of the standard library alone, for a pod that has the replica's volume while the replica does not run. Every
file of the copy is compared with what `files.json` says of it before anything is written, and written beside its place
before it takes it. A write-ahead log that a replica left beside a database is of another state, and goes with it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import sys
from pathlib import Path

BESIDE = ("-wal", "-shm", "-journal")
"""Endings of what SQLite keeps beside a database."""

FRESH = ".restored"
"""The ending of a file that has not yet taken its place."""


def main(copy: Path, target: Path) -> int:
    """Bring back every file that `copy` names below `target`, take away what it has not, and return the exit code."""
    try:
        rows = json.loads((copy / "files.json").read_text(encoding="utf-8"))
        names = {str(row["name"]): row for row in rows}
    except (OSError, ValueError, KeyError, TypeError) as exc:
        print(f"{copy / 'files.json'} cannot be read: {exc}", file=sys.stderr)
        return 1
    problems = [f"{name}: {text}" for name, row in names.items() if (text := _wrong(copy / "files" / name, row))]
    problems += [f"{name}: leads out of the folder" for name in names if not _inside(target, name)]
    if problems or not names:
        print("\n".join(problems) or f"{copy} names no file", file=sys.stderr)
        return 1
    for name in names:
        to = target / name
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(copy / "files" / name, to.with_name(to.name + FRESH))
    gone = [path for path in target.rglob("*") if path.is_file() and not path.name.endswith(FRESH)]
    for path in gone:
        if str(path.relative_to(target)) not in names:
            path.unlink()
    for name in names:
        to = target / name
        to.with_name(to.name + FRESH).replace(to)
    _synced(target)
    print(f"{len(names)} files, {len(gone)} were there before")
    return 0


def _inside(target: Path, name: str) -> bool:
    return (target / name).resolve().is_relative_to(target.resolve())


def _wrong(path: Path, row: dict[str, object]) -> str:
    """Return what is other in the copy than was said of it when it was made."""
    if path.name.endswith(BESIDE) and row.get("kind") != "plain":
        return "is a part of a database"
    if not path.is_file():
        return "is not in the copy"
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != row.get("sha256"):
        return f"has the digest {digest}, and {row.get('sha256')} was copied"
    if row.get("kind") != "sqlite":
        return ""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
            said = [line[0] for line in database.execute("PRAGMA integrity_check")]
    except sqlite3.Error as exc:
        return f"{exc}"
    return "" if said == ["ok"] else "; ".join(said)


def _synced(folder: Path) -> None:
    """Ask for everything to be on the disk, where that can be asked."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


if __name__ == "__main__":
    sys.exit(main(Path(os.environ["COPY"]), Path(os.environ["DATA"])))
