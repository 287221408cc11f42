"""The program that copies a replica's files, run on real files while somebody writes them."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from pathlib import Path

import pytest

from components.stores import file_copies


def rows_of(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as database:
        return int(database.execute("SELECT count(*) FROM pairs").fetchone()[0])


def unequal_pairs(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as database:
        return int(database.execute("SELECT count(*) FROM pairs WHERE a <> b").fetchone()[0])


def test_a_database_that_is_written_is_copied_as_one_state(tmp_path: Path) -> None:
    """Every transaction writes two equal numbers; what is still in the write-ahead log is in the copy."""
    source, target = tmp_path / "data", tmp_path / "backup"
    (source / "shards").mkdir(parents=True)
    target.mkdir()
    path = source / "shards" / "skills.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE pairs (a INTEGER, b INTEGER)")
        database.commit()
    stop, written = threading.Event(), threading.Event()

    def write() -> None:
        with contextlib.closing(sqlite3.connect(path, timeout=30)) as database:
            number = 0
            while not stop.is_set():
                number += 1
                database.execute("INSERT INTO pairs VALUES (?, ?)", (number, number))
                database.commit()
                if number == 50:
                    written.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert written.wait(30)
        assert Path(f"{path}-wal").exists()
        assert file_copies.main(source, target) == 0
    finally:
        stop.set()
        writer.join()
    copy = target / "files" / "shards" / "skills.db"
    assert rows_of(copy) >= 50
    assert unequal_pairs(copy) == 0
    said = json.loads((target / "files.json").read_text())
    assert [(row["name"], row["kind"]) for row in said] == [("shards/skills.db", "sqlite")], "the log is not beside it"


def test_other_files_are_copied_as_they_stand(tmp_path: Path) -> None:
    source, target = tmp_path / "data", tmp_path / "backup"
    source.mkdir(), target.mkdir()
    (source / "graph-traversal.graph").write_bytes(b"nodes and edges")
    assert file_copies.main(source, target) == 0
    assert (target / "files" / "graph-traversal.graph").read_bytes() == b"nodes and edges"


def test_a_damaged_database_fails_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = tmp_path / "data", tmp_path / "backup"
    source.mkdir(), target.mkdir()
    path = source / "causal.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE pairs (a TEXT)")
        database.executemany("INSERT INTO pairs VALUES (?)", [("x" * 500,)] * 200)
        database.commit()
    whole = bytearray(path.read_bytes())
    whole[4096 * 3 : 4096 * 6] = b"\xff" * (4096 * 3)
    path.write_bytes(bytes(whole))
    assert file_copies.main(source, target) == 1
    assert "causal.db" in capsys.readouterr().err
    assert not (target / "files.json").exists()


def test_a_file_that_never_stands_still_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "data", tmp_path / "backup"
    source.mkdir(), target.mkdir()
    path = source / "log.graph"
    path.write_bytes(b"0")
    copied = file_copies.shutil.copy2

    def copy_and_grow(one: Path, to: Path) -> None:
        copied(one, to)
        one.write_bytes(one.read_bytes() + b"1")

    monkeypatch.setattr(file_copies.shutil, "copy2", copy_and_grow)
    monkeypatch.setattr(file_copies.time, "sleep", lambda _: None)
    assert file_copies.main(source, target) == 1
    assert "log.graph: changed during each of 5 copies" in capsys.readouterr().err


def test_an_empty_folder_is_no_backup(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(), (tmp_path / "backup").mkdir()
    assert file_copies.main(tmp_path / "data", tmp_path / "backup") == 1
