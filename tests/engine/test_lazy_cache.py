"""The index on disk: what is damaged, foreign, old or not to be written is no error and never believed."""

from __future__ import annotations

import errno
import hashlib
import marshal
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from skerry.engine.lazy_cache import Cache, user_folder
from tests.simulators.import_runs import INPUTS, THING, look, run, write_tiny

SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut off": lambda data: data[: len(data) // 2],
    "no header": lambda data: data.partition(b"\n")[2],
    "another Python": lambda data: data.replace(b"skerry sdk index", b"skerry sdk indey", 1),
    "one bit turned": lambda data: data[:-300] + bytes([data[-300] ^ 4]) + data[-299:],
    "something added": lambda data: data + b"0",
    "noise after the header": lambda data: data.partition(b"\n")[0] + b"\n" + bytes(range(256)) * 9,
    "another kind of value": lambda data: data.partition(b"\n")[0] + b"\n\xe9\x01\x00\x00\x00",
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_a_spoilt_index_is_made_anew(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    folder, cache = write_tiny(tmp_path), tmp_path / "cache"
    first = look(folder, cache, "Thing AArgs")
    (index,) = (cache / "skerry" / "sdk-index").iterdir()
    whole = index.read_bytes()
    index.write_bytes(spoil(whole))
    assert first == look(folder, cache, "Thing AArgs")
    assert len(whole) == len(index.read_bytes())


def test_an_index_that_others_can_write_is_not_used(tmp_path: Path) -> None:
    folder, cache = write_tiny(tmp_path), tmp_path / "cache"
    place = cache / "skerry" / "sdk-index"
    place.mkdir(parents=True)
    place.chmod(0o777)
    assert look(folder, cache, "Thing")[0] == "<class 'pulumi_tiny.thing.Thing'>"
    assert list(place.iterdir()) == []


def test_a_file_that_others_can_write_is_not_believed(tmp_path: Path) -> None:
    folder, cache = write_tiny(tmp_path), tmp_path / "cache"
    look(folder, cache, "Thing")
    (index,) = (cache / "skerry" / "sdk-index").iterdir()
    body = marshal.dumps({"": {"stamp": None}})
    header = index.read_bytes().partition(b"\n")[0]
    index.write_bytes(b"\n".join((header, hashlib.sha256(body).hexdigest().encode(), body)))
    assert list(Cache(index.parent)._read("pulumi_tiny", str(folder / "pulumi_tiny" / "__init__.py"))) == [""]
    index.chmod(0o666)
    assert Cache(index.parent)._read("pulumi_tiny", str(folder / "pulumi_tiny" / "__init__.py")) == {}
    look(folder, cache, "Thing")
    assert index.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_what_belongs_to_somebody_else_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, cache = write_tiny(tmp_path), tmp_path / "cache"
    look(folder, cache, "Thing")
    place = cache / "skerry" / "sdk-index"
    (index,) = place.iterdir()
    os.chown(index, 65534, 65534)
    assert Cache(place)._read("pulumi_tiny", str(folder / "pulumi_tiny" / "__init__.py")) == {}
    os.chown(place, 65534, 65534)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    assert user_folder() is None


def test_two_processes_at_once_leave_one_whole_index(tmp_path: Path) -> None:
    folder, cache = write_tiny(tmp_path), tmp_path / "cache"
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda _: look(folder, cache, "Thing AArgs BArgs"), range(4)))
    assert found == [found[0]] * 4
    (index,) = (cache / "skerry" / "sdk-index").iterdir()
    assert Cache(index.parent)._read("pulumi_tiny", str(folder / "pulumi_tiny" / "__init__.py")).keys() >= {"_inputs"}


def test_a_disk_that_is_full_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_tiny(tmp_path)
    place = tmp_path / "index"
    place.mkdir(mode=0o700)
    cache = Cache(place)
    cache.entry("pulumi_tiny", "", str(folder / "pulumi_tiny" / "__init__.py"))
    cache.touch("pulumi_tiny")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(Path, "replace", full)
    cache.save()
    assert list(place.iterdir()) == []


def test_what_was_not_written_for_long_is_removed(tmp_path: Path) -> None:
    folder, cache = write_tiny(tmp_path), tmp_path / "cache"
    place = cache / "skerry" / "sdk-index"
    place.mkdir(parents=True, mode=0o700)
    for name, days in {"old": 61, "young": 59}.items():
        (place / name).write_text("")
        os.utime(place / name, (time.time() - days * 86400,) * 2)
    look(folder, cache, "Thing")
    assert sorted(path.name.partition("-")[0] for path in place.iterdir()) == ["pulumi_tiny", "young"]


def test_code_of_another_level_of_optimization_is_not_run(tmp_path: Path) -> None:
    text = THING + '\nclass Asserting:\n    """Has a text."""\n'
    folder = write_tiny(tmp_path, _inputs=INPUTS.replace("    pass", '    """Has a text."""'), thing=text)
    lines = f"import sys, pulumi\nsys.path.insert(0, {str(folder)!r})\nfrom skerry.engine.lazy import lazy_sdks\n"
    lines += "with lazy_sdks():\n    import pulumi_tiny\n    print(pulumi_tiny.BArgs.__doc__)\n"
    found = [run([*options, "-c", lines], tmp_path / "cache").strip() for options in ([], ["-OO"], [])]
    assert found == ["Has a text.", "None", "Has a text."]


def test_a_relative_cache_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # As the XDG base directory specification demands; it would lie in whatever folder the program is in.
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    assert user_folder() is None
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_is_no_folder_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "skerry").write_text("a file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_folder() is None
    entry = Cache(None).entry("pulumi_tiny", "", __file__)
    assert list(entry) == ["stamp"]
