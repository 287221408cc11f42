"""Keeps what was learnt about generated SDK packages between runs, outside the checkout.

One file a package, under `<cache>/skerry/sdk-index/`, holds names and compiled classes, as Python's own `.pyc` files
hold modules; like them, each entry bears the time and size of the source that it was made from. The folder must belong
to the user and be writable by nobody else, or it is not used at all: code is loaded from it.
"""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
import stat
import sys
from pathlib import Path
from typing import Any, Final

_FORMAT: Final = 3
_HEADER: Final = f"skerry sdk index {_FORMAT} {sys.version}".replace("\n", " ").encode()
"""An index that another Python or another format wrote is no index."""


class Cache:
    """The entries of all packages that a run meets."""

    def __init__(self, folder: Path | None) -> None:
        """Read from and write to `folder`; without one, nothing outlives the process."""
        self._folder = folder
        self._packages: dict[str, dict[str, dict[str, Any]]] = {}
        self._paths: dict[str, Path] = {}
        self._changed: set[str] = set()

    def entry(self, package: str, key: str, source: str) -> dict[str, Any]:
        """Return what is known of the file `source` of a package: a dict to read and, after `touch`, to write."""
        entries = self._packages.get(package)
        if entries is None:
            entries = self._packages[package] = self._read(package, source)
        state = Path(source).stat()
        stamp = (source, state.st_mtime_ns, state.st_size)
        found = entries.get(key)
        if found is None or found.get("stamp") != stamp:
            found = entries[key] = {"stamp": stamp}
        return found

    def touch(self, package: str) -> None:
        """Remember that an entry of a package was written to."""
        self._changed.add(package)

    def save(self) -> None:
        """Write what changed; a folder that cannot be written to is no error."""
        for package in sorted(self._changed & self._paths.keys()):
            path = self._paths[package]
            part = path.with_name(f"{path.name}.{os.getpid()}.part")
            with contextlib.suppress(OSError):
                part.write_bytes(_HEADER + b"\n" + marshal.dumps(self._packages[package]))
                part.replace(path)
        self._changed.clear()

    def _read(self, package: str, source: str) -> dict[str, dict[str, Any]]:
        if self._folder is None:
            return {}
        place = hashlib.sha256(str(Path(source).parent).encode()).hexdigest()[:16]
        path = self._paths[package] = self._folder / f"{package}-{place}.{sys.implementation.cache_tag}"
        try:
            header, _, body = path.read_bytes().partition(b"\n")
            known = marshal.loads(body) if header == _HEADER else {}
        except (OSError, ValueError, EOFError, TypeError):
            return {}
        return known if isinstance(known, dict) else {}


def user_folder() -> Path | None:
    """Return the folder of the index, made where it is missing, or None where nobody can vouch for it."""
    try:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "skerry" / "sdk-index"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        state = folder.stat()
    except (OSError, RuntimeError):
        return None
    shared = state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return None if shared or state.st_uid != os.geteuid() else folder
