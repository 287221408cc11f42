"""Writing to a medium so that nothing unfinished ever bears a final name.

(1) Bytes go to a part file in the state folder; the part file is flushed to the disk and renamed when its digest is
    right.
(2) A part file that a killed export left is hashed again and continued.
(3) Every error of the medium becomes a `MediumError` with its remedy.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

from airgap_bundle.bundle_format import STATE_FOLDER
from skerry.errors import MediumError
from skerry.units import format_bytes

BLOCK_BYTES: Final = 1 << 19
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DENIED: Final = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_PLAN_NAME: Final = "plan"
_LOCK_NAME: Final = "lock"


@contextlib.contextmanager
def medium_errors(path: Path) -> Iterator[None]:
    """Turn an `OSError` on the medium into a `MediumError`.

    Raises:
        MediumError: the medium is full, read-only, missing or broken.
    """
    try:
        yield
    except OSError as exc:
        text = exc.strerror or type(exc).__name__
        if exc.errno in _FULL:
            raise MediumError(
                f"the medium is full at {path} ({text}): make room, then run the command again: "
                "it goes on where it stopped"
            ) from exc
        if exc.errno in _DENIED:
            raise MediumError(f"the medium cannot be written at {path} ({text}): mount it writable") from exc
        raise MediumError(f"the medium failed at {path} ({text}): look whether it is mounted and whole") from exc


def hash_file(path: Path, advance: Callable[[int], None] | None = None) -> str:
    """Return the hex SHA-256 of a file.

    Raises:
        OSError: it cannot be read.
    """
    hasher = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK_BYTES):
            hasher.update(block)
            if advance:
                advance(len(block))
    return hasher.hexdigest()


def sync_folder(path: Path) -> None:
    """Make the names in a folder last.

    Raises:
        OSError: the folder cannot be read.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as exc:
        if exc.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems cannot: they need not
            raise
    finally:
        os.close(handle)


class PartFile:
    """A file in the making: hashes what passes, and gets its final name only from `commit`."""

    def __init__(self, path: Path, advance: Callable[[int], None], stop: threading.Event | None = None) -> None:
        """Open `path`, and hash what an earlier run left in it (2).

        Raises:
            MediumError: it cannot be opened.
        """
        self.path = path
        self._advance = advance
        self._stop = stop or threading.Event()
        self._hasher = hashlib.sha256()
        self.size = 0
        with medium_errors(path):
            self._file: IO[bytes] = path.open("a+b", buffering=0)
            self._file.seek(0)
            while block := self._file.read(BLOCK_BYTES):
                self._hasher.update(block)
                self.size += len(block)
        advance(self.size)

    def restart(self) -> None:
        """Forget all bytes.

        Raises:
            MediumError: the medium failed.
        """
        with medium_errors(self.path):
            self._file.truncate(0)
        self._advance(-self.size)
        self._hasher = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        """Append `data`.

        Raises:
            MediumError: the medium is full or failed, or the export was stopped.
        """
        if self._stop.is_set():
            raise MediumError("the export was stopped")
        view = memoryview(data)
        with medium_errors(self.path):
            while view:
                written = self._file.write(view)
                self._hasher.update(view[:written])
                self.size += written
                view = view[written:]
        self._advance(len(data))

    def digest(self) -> str:
        """Return the digest of all bytes."""
        return f"sha256:{self._hasher.hexdigest()}"

    def commit(self, final: Path) -> None:
        """Flush to the disk and give the file its final name (1); the name lasts after `sync_folder`.

        Raises:
            MediumError: the medium failed.
        """
        with medium_errors(final):
            os.fsync(self._file.fileno())
            self._file.close()
            self.path.replace(final)

    def close(self) -> None:
        """Close without a final name; what is there serves the next run."""
        self._file.close()


class ExportFolder:
    """A folder that an export fills; it holds a state folder until the export is finished."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state = root / STATE_FOLDER
        self._lock: IO[bytes] | None = None

    def open(self, fingerprint: str) -> bool:
        """Begin an export of the set `fingerprint`, or go on with it; return whether it goes on.

        Raises:
            MediumError: the folder holds something else, another export runs in it, or it cannot be written.
        """
        with medium_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            present = sorted(entry.name for entry in self.root.iterdir())
            if present and STATE_FOLDER not in present:
                raise MediumError(
                    f"{self.root} is not empty ({', '.join(present[:3])}): name an empty folder; "
                    "a finished bundle is never written over"
                )
            self.state.mkdir(exist_ok=True)
            self._take_lock()
            note = self.state / _PLAN_NAME
            if note.is_file() and note.read_text(encoding="utf-8") != fingerprint:
                raise MediumError(
                    f"{self.root} holds an unfinished export of another set: finish that one, or name another folder"
                )
            resumed = note.is_file()
            if not resumed:
                self.put(note, fingerprint.encode())
        return resumed

    def require_space(self, count: int) -> None:
        """Say early when `count` more bytes will not fit.

        Raises:
            MediumError: they do not fit.
        """
        with medium_errors(self.root):
            free = shutil.disk_usage(self.root).free
        if count > free:
            raise MediumError(
                f"{self.root} has {format_bytes(free)} free, and {format_bytes(count)} are still to be written: "
                "use a larger medium"
            )

    def part(self, name: str, advance: Callable[[int], None], stop: threading.Event | None = None) -> PartFile:
        """Return the part file `name`.

        Raises:
            MediumError: it cannot be opened.
        """
        return PartFile(self.state / f"{name}.part", advance, stop)

    def put(self, path: Path, data: bytes) -> None:
        """Write a small file whole or not at all.

        Raises:
            MediumError: the medium failed.
        """
        part = self.state / f"{path.parent.name}-{path.name}.part"
        with medium_errors(path):
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            sync_folder(path.parent)

    def finish(self) -> None:
        """Take the state folder away: the bundle is whole.

        Raises:
            MediumError: the medium failed.
        """
        with medium_errors(self.state):
            shutil.rmtree(self.state)
            sync_folder(self.root)
        self.close()

    def close(self) -> None:
        """Let other processes in."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _take_lock(self) -> None:
        self._lock = (self.state / _LOCK_NAME).open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            self.close()
            raise MediumError(f"another export writes to {self.root}: wait for it to end") from exc
