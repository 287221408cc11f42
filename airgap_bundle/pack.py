"""Put blobs on volumes: each one streamed once, hashed on the way, and named when it is right."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from airgap_bundle.bundle_format import BLOB_FOLDER, MANIFEST_NAME, SIGNATURE_NAME, blob_path, volume_name
from airgap_bundle.medium import BLOCK_BYTES, ExportFolder, PartFile, hash_file, medium_errors
from airgap_bundle.oci import Descriptor
from airgap_bundle.progress import Progress
from airgap_bundle.registry import Registry
from skerry.errors import BundleError, UsageError

_JOURNAL: Final = "files.json"


@dataclass(frozen=True, slots=True)
class FromRegistry:
    """A blob that a registry serves."""

    registry: Registry
    repository: str
    media_type: str


@dataclass(frozen=True, slots=True)
class FromFile:
    """A file of which only the size is known beforehand."""

    path: Path


@dataclass(frozen=True, slots=True)
class FromMemory:
    """A manifest that was fetched, or a document that was made."""

    content: bytes


Origin = FromRegistry | FromFile | FromMemory


@dataclass(frozen=True, slots=True)
class Job:
    """One blob to be put on one or more volumes."""

    digest: str
    """Its digest; of a file that was not read yet, the placeholder."""
    size: int
    volumes: tuple[str, ...]
    origin: Origin
    owner: str
    """The artifact that brought it in, for progress and messages."""


class Packer:
    """Writes blobs into the volumes of an export folder; `run` may be called from several threads."""

    def __init__(self, folder: ExportFolder, progress: Progress) -> None:
        self.folder = folder
        self.progress = progress
        self.stop = threading.Event()
        self.fetched_bytes = 0
        self.present_bytes = 0
        self.read_as: dict[str, str] = {}
        """Placeholder of a file -> the digest it turned out to have."""
        self._lock = threading.Lock()

    def prepare(self, volumes: int) -> None:
        """Make the volume folders, and take away what would make them look finished.

        Raises:
            MediumError: the medium failed.
        """
        journal = self.folder.state / _JOURNAL
        with medium_errors(self.folder.root):
            for number in range(1, volumes + 1):
                root = self.folder.root / volume_name(number)
                (root / BLOB_FOLDER).mkdir(parents=True, exist_ok=True)
                for name in (MANIFEST_NAME, SIGNATURE_NAME):
                    (root / name).unlink(missing_ok=True)
            if journal.is_file():
                self.read_as = json.loads(journal.read_bytes())

    def missing_bytes(self, jobs: Iterable[Job]) -> int:
        """Return how many bytes are still to be written."""
        return sum(job.size for job in jobs if not self._target(job, self._digest(job)).exists())

    def run(self, job: Job) -> None:
        """Put one blob where it belongs.

        Raises:
            RegistryError: its registry refuses, stalls or answers wrongly.
            MediumError: the medium failed.
            UsageError: a file changed or cannot be read.
        """
        digest = self._digest(job)
        if self._is_present(job, digest):
            state = "present"
        else:
            digest = self._bring(job)
            state = "fetched"
        self._duplicate(job, digest)
        with self._lock:
            if state == "present":
                self.present_bytes += job.size
            else:
                self.fetched_bytes += job.size
        self.progress.item(f"{job.owner} {digest[7:19]}", state)

    def put(self, content: bytes, hex_digest: str, volumes: Iterable[str]) -> None:
        """Write a small blob to volumes.

        Raises:
            MediumError: the medium failed.
        """
        for name in volumes:
            self.folder.put(self.folder.root / name / blob_path(hex_digest), content)

    def _digest(self, job: Job) -> str:
        return self.read_as.get(job.digest, job.digest) if isinstance(job.origin, FromFile) else job.digest

    def _target(self, job: Job, digest: str, volume: int = 0) -> Path:
        return self.folder.root / job.volumes[volume] / blob_path(digest.removeprefix("sha256:"))

    def _is_present(self, job: Job, digest: str) -> bool:
        target = self._target(job, digest)
        with medium_errors(target):
            if target.is_symlink() or not target.is_file():
                return False
            counted = 0

            def count(size: int) -> None:
                nonlocal counted
                counted += size
                self.progress.advance(size)

            if hash_file(target, count) == digest.removeprefix("sha256:"):
                return True
            self.progress.advance(-counted)
            target.unlink()
        return False

    def _bring(self, job: Job) -> str:
        part = self.folder.part(job.digest.removeprefix("sha256:"), self.progress.advance, self.stop)
        try:
            match job.origin:
                case FromRegistry(registry, repository, media_type):
                    registry.fetch_blob(repository, Descriptor(job.digest, job.size, media_type), part)
                case FromFile(path):
                    _copy(path, job, part)
                case FromMemory(content):
                    part.restart()
                    part.write(content)
            digest = part.digest()
            if not isinstance(job.origin, FromFile) and digest != job.digest:
                raise BundleError(f"{job.owner}: {job.digest} was written as {digest}: run the command again")
            part.commit(self._target(job, digest))
        finally:
            part.close()
        if isinstance(job.origin, FromFile):
            with self._lock:
                self.read_as[job.digest] = digest
                self.folder.put(self.folder.state / _JOURNAL, json.dumps(self.read_as, sort_keys=True).encode())
        return digest

    def _duplicate(self, job: Job, digest: str) -> None:
        """Give a shared blob to its other volumes: as a second name where the file system can, else as a copy."""
        first = self._target(job, digest)
        for number in range(1, len(job.volumes)):
            other = self._target(job, digest, number)
            with medium_errors(other):
                other.unlink(missing_ok=True)
                try:
                    os.link(first, other)
                    continue
                except OSError:
                    pass  # FAT and some network file systems have no second names
            part = self.folder.part(f"{digest[7:]}-{number}", lambda _: None, self.stop)
            try:
                part.restart()
                _copy(first, job, part)
                if part.digest() != digest:
                    raise BundleError(f"{first} changed while it was copied: run the command again")
                part.commit(other)
            finally:
                part.close()


def _copy(path: Path, job: Job, part: PartFile) -> None:
    """Append the rest of a file to a part file.

    Raises:
        UsageError: the file cannot be read, or its size changed.
    """
    part.restart()
    try:
        with path.open("rb", buffering=0) as file:
            while block := file.read(BLOCK_BYTES):
                part.write(block)
    except OSError as exc:
        raise UsageError(f"{path} ({job.owner}) cannot be read: {exc.strerror}") from exc
    if part.size != job.size:
        raise UsageError(f"{path} ({job.owner}) changed while it was read: run the command again when it is at rest")
