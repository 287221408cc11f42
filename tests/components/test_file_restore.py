"""The files of a replica, copied while it writes and brought back: by the two programs as they run in a pod."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from components.stores import file_copies, file_restore


def run(program: Path, **environment: Path) -> subprocess.CompletedProcess[str]:
    """Run a program as a pod does: by itself, with what its environment says."""
    said = {**os.environ, **{name: str(path) for name, path in environment.items()}}
    return subprocess.run([sys.executable, "-I", str(program)], env=said, capture_output=True, text=True, check=False)


def copied(source: Path, work: Path) -> None:
    found = run(Path(file_copies.__file__), DATA=source, WORK=work)
    assert found.returncode == 0, found.stderr


def restored(copy: Path, data: Path) -> subprocess.CompletedProcess[str]:
    return run(Path(file_restore.__file__), COPY=copy, DATA=data)


def notes(path: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [row[0] for row in database.execute("SELECT text FROM notes ORDER BY rowid")]


@pytest.fixture
def replica(tmp_path: Path) -> Path:
    """A folder as AgentDB's: a database with a write-ahead log that nobody has folded in, and a graph file."""
    data = tmp_path / "data"
    (data / "shards").mkdir(parents=True)
    (data / "graph-traversal.graph").write_bytes(b"nodes and edges")
    return data


@pytest.fixture
def copy(replica: Path, tmp_path: Path) -> Path:
    work = tmp_path / "copy"
    work.mkdir()
    with contextlib.closing(sqlite3.connect(replica / "shards" / "skills.db")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA wal_autocheckpoint=0")
        database.execute("CREATE TABLE notes (text TEXT)")
        database.executemany("INSERT INTO notes VALUES (?)", [(f"episode {number}",) for number in range(500)])
        database.commit()
        log = replica / "shards" / "skills.db-wal"
        assert log.stat().st_size > 10_000, "what was written is still in the log alone"
        copied(replica, work)
        # After the copy: these are lost with the volume, which is what a copy of each night may lose.
        database.execute("INSERT INTO notes VALUES ('after the copy')")
        database.commit()
    return work


def test_what_the_log_held_is_there_after_the_volume_was_lost(replica: Path, copy: Path) -> None:
    shutil.rmtree(replica)
    replica.mkdir()
    found = restored(copy, replica)
    assert (found.returncode, found.stdout) == (0, "2 files, 0 were there before\n")
    assert notes(replica / "shards" / "skills.db") == [f"episode {number}" for number in range(500)]
    assert (replica / "graph-traversal.graph").read_bytes() == b"nodes and edges"
    with contextlib.closing(sqlite3.connect(replica / "shards" / "skills.db")) as database:
        database.execute("INSERT INTO notes VALUES ('goes on')")
        database.commit()
    assert notes(replica / "shards" / "skills.db")[-1] == "goes on"


def test_a_log_of_another_state_goes_with_it(replica: Path, copy: Path) -> None:
    """A replica that was killed leaves a log; beside the older database it would be folded into what it is not of."""
    path = replica / "shards" / "skills.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_autocheckpoint=0")
        database.execute("DELETE FROM notes")
        database.commit()
        left = {beside: Path(f"{path}{beside}").read_bytes() for beside in ("-wal", "-shm")}
    for beside, content in left.items():
        Path(f"{path}{beside}").write_bytes(content)
    (replica / "later.graph").write_bytes(b"not in the copy")
    assert restored(copy, replica).returncode == 0
    assert sorted(one.name for one in replica.rglob("*") if one.is_file()) == ["graph-traversal.graph", "skills.db"]
    assert notes(path) == [f"episode {number}" for number in range(500)]


def _bend(copy: Path) -> None:
    path = copy / "files" / "shards" / "skills.db"
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    path.write_bytes(bytes(whole))


def _lose(copy: Path) -> None:
    (copy / "files" / "graph-traversal.graph").unlink()


def _escape(copy: Path) -> None:
    text = (copy / "files.json").read_text(encoding="utf-8")
    (copy / "files.json").write_text(text.replace("graph-traversal.graph", "../outside.graph"), encoding="utf-8")
    shutil.copy(copy / "files" / "graph-traversal.graph", copy / "outside.graph")


def _end(copy: Path) -> None:
    (copy / "files.json").unlink()


REFUSED: dict[str, tuple[Callable[[Path], None], str]] = {
    "a copy that was damaged on the way": (_bend, "has the digest"),
    "a copy that lacks a file": (_lose, "is not in the copy"),
    "a list that leads out of the folder": (_escape, "leads out of the folder"),
    "a copy that was never ended": (_end, "cannot be read"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_nothing_is_touched_where_the_copy_is_not_whole(replica: Path, copy: Path, case: str) -> None:
    spoil, text = REFUSED[case]
    before = {str(one): one.read_bytes() for one in replica.rglob("*") if one.is_file()}
    spoil(copy)
    found = restored(copy, replica)
    assert found.returncode == 1
    assert text in found.stderr
    assert {str(one): one.read_bytes() for one in replica.rglob("*") if one.is_file()} == before
