"""Keeps what was learnt about generated SDK packages between runs, outside the checkout.

One file a package, under `<cache>/skerry/sdk-index/`, holds names and compiled classes, as Python's own `.pyc` files
hold modules. What is believed:

1. The folder and each file must belong to the user and be writable by nobody else: code is loaded from them.
2. A file bears a hash of its content, so one that was cut off or damaged is no index.
3. An entry bears the time and size of the source that it was made from, and the version of the SDK, because files of
   some installations all bear the same time.

What is not believed is made anew; what cannot be written is no error.
"""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
import stat
import sys
import time
from pathlib import Path
from typing import Any, Final

PLUGIN_FILE: Final = "pulumi-plugin.json"
"""Lies in the top folder of every SDK and names its version."""
_FORMAT: Final = 4
_HEADER: Final = f"skerry sdk index {_FORMAT} {sys.version} -O{sys.flags.optimize}".replace("\n", " ").encode()
"""An index that another Python, another format or another level of optimization wrote is no index."""
_UNUSED_S: Final = 60 * 24 * 3600
"""A file that was not written for so long is removed: its environment may be gone, and a new one costs a second."""


class Cache:
    """The entries of all packages that a run meets."""

    def __init__(self, folder: Path | None) -> None:
        """Read from and write to `folder`; without one, nothing outlives the process."""
        self._folder = folder
        self._packages: dict[str, dict[str, dict[str, Any]]] = {}
        self._paths: dict[str, Path] = {}
        self._changed: set[str] = set()
        self._versions: dict[str, bytes] = {}

    def entry(self, package: str, key: str, source: str) -> dict[str, Any]:
        """Return what is known of the file `source` of a package: a dict to read and, after `touch`, to write."""
        entries = self._packages.get(package)
        if entries is None:
            entries = self._packages[package] = self._read(package, source)
        state = Path(source).stat()
        stamp = (source, state.st_mtime_ns, state.st_size, self._version(package, source))
        found = entries.get(key)
        if found is None or found.get("stamp") != stamp:
            found = entries[key] = {"stamp": stamp}
        return found

    def touch(self, package: str) -> None:
        """Remember that an entry of a package was written to."""
        self._changed.add(package)

    def save(self) -> None:
        """Write what changed; a folder that cannot be written to is no error."""
        changed = sorted(self._changed & self._paths.keys())
        for package in changed:
            path = self._paths[package]
            part = path.with_name(f"{path.name}.{os.getpid()}.part")
            body = marshal.dumps(self._packages[package])
            try:
                # Not `open`, whose mode the user's umask decides alone.
                with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    file.write(b"\n".join((_HEADER, _hash(body), body)))
                part.replace(path)
            except OSError:
                with contextlib.suppress(OSError):
                    part.unlink()
        if changed and self._folder is not None:
            _remove_old(self._folder)
        self._changed.clear()

    def _version(self, package: str, source: str) -> bytes:
        root = package.partition(".")[0]
        if root not in self._versions:
            try:
                # A module lies as deep under the top folder as its name has parts.
                folder = Path(source).parents[package.count(".")]
                self._versions[root] = _hash((folder / PLUGIN_FILE).read_bytes())
            except (OSError, IndexError):
                self._versions[root] = b""
        return self._versions[root]

    def _read(self, package: str, source: str) -> dict[str, dict[str, Any]]:
        if self._folder is None:
            return {}
        place = hashlib.sha256(str(Path(source).parent).encode()).hexdigest()[:16]
        path = self._paths[package] = self._folder / f"{package}-{place}.{sys.implementation.cache_tag}"
        try:
            with path.open("rb") as file:
                if not _is_ours_alone(os.fstat(file.fileno())):
                    return {}
                header, _, rest = file.read().partition(b"\n")
            checksum, _, body = rest.partition(b"\n")
            known = marshal.loads(body) if header == _HEADER and checksum == _hash(body) else {}
        except (OSError, ValueError, EOFError, TypeError):
            return {}
        return known if isinstance(known, dict) else {}


def user_folder() -> Path | None:
    """Return the folder of the index, made where it is missing, or None where nobody can vouch for it."""
    try:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = caches / "skerry" / "sdk-index"
        if not caches.is_absolute():
            return None
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        state = folder.stat()
    except (OSError, RuntimeError, ValueError):
        return None
    return folder if _is_ours_alone(state) else None


def _is_ours_alone(state: os.stat_result) -> bool:
    return state.st_uid == os.geteuid() and not state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


def _remove_old(folder: Path) -> None:
    """Remove what no run has written for long, parts that a killed run left among it."""
    oldest = time.time() - _UNUSED_S
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if path.lstat().st_mtime < oldest:
                path.unlink()
