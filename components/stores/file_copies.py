"""Copies the files of one replica, each in one piece: databases of SQLite by its backup API, others as they stand.

A program of the standard library alone: it runs as it is in a pod beside the replica, which goes on writing. A database
is copied as one state, whatever its write-ahead log holds, and then checked; any other file is copied again where it
changed meanwhile, and a file that never stands still fails the whole run, so that no torn copy is kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import sys
import time
from pathlib import Path

MAGIC = b"SQLite format 3\x00"
"""Source: SQLite "Database File Format", 1.2.1 Magic Header String (not opened; check before relying on it)."""

TRIES = 5
BESIDE = ("-wal", "-shm", "-journal")
"""Endings of what SQLite keeps beside a database, which the copy has within it."""


def main(source: Path, target: Path) -> int:
    """Copy every file below `source`, write what was copied to `files.json`, and return the exit code."""
    rows: list[dict[str, str | int]] = []
    total = 0
    for path in sorted(found for found in source.rglob("*") if found.is_file()):
        name = path.relative_to(source)
        if path.name.endswith(BESIDE) and path.with_name(path.name.rpartition("-")[0]).is_file():
            continue
        to = target / "files" / name
        to.parent.mkdir(parents=True, exist_ok=True)
        database = _is_database(path)
        problem = _copy_database(path, to) if database else _copy_plain(path, to)
        if problem:
            print(f"{name}: {problem}", file=sys.stderr)
            return 1
        kind = "sqlite" if database else "plain"
        size = to.stat().st_size
        total += size
        rows.append({"name": str(name), "kind": kind, "bytes": size, "sha256": _digest(to)})
    if not rows:
        print(f"{source} has no file", file=sys.stderr)
        return 1
    (target / "files.json").write_text(json.dumps(rows, indent=2), encoding="utf-8")
    print(f"{len(rows)} files, {total} bytes")
    return 0


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _copy_database(path: Path, to: Path) -> str:
    """Copy one state of a database in one step, and return what is wrong with the copy."""
    try:
        with (
            contextlib.closing(sqlite3.connect(path, timeout=60)) as source,
            contextlib.closing(sqlite3.connect(to)) as copy,
        ):
            source.backup(copy)
            said = [row[0] for row in copy.execute("PRAGMA integrity_check")]
    except sqlite3.Error as exc:
        return f"{exc}"
    return "" if said == ["ok"] else "; ".join(said)


def _copy_plain(path: Path, to: Path) -> str:
    for tried in range(TRIES):
        before = path.stat()
        shutil.copy2(path, to)
        after = path.stat()
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
            return ""
        time.sleep(tried)
    return f"changed during each of {TRIES} copies"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main(Path(os.environ["DATA"]), Path(os.environ["WORK"])))
