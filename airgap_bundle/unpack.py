"""Take a bundle apart at a site without a registry: images as archives that an engine loads, the rest as files.

(1) The medium is verified first; nothing is written from one that is refused, nor a rehearsal that nobody asked for.
(2) Everything is written beside its place and moved there whole; what is there already with the right bytes stays.
(3) A blob is hashed again while it is copied: the medium may change after it was verified.

# Source: opencontainers/image-spec image-layout.md (one layout a tar archive, `index.json` names the image by
# org.opencontainers.image.ref.name), read 2026-11; docker's documentation of `docker image load` says that it reads
# such a layout (not opened; check before relying on it: podman and skopeo read it in any version)
"""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final, cast

from airgap_bundle.artifacts import FOLDERS
from airgap_bundle.bundle_format import blob_path
from airgap_bundle.layout import index_bytes
from airgap_bundle.manifest import ArtifactEntry, BundleKind, SetManifest
from airgap_bundle.oci import TITLE, Descriptor, Manifest, parse_json, sha256
from airgap_bundle.plan import ItemKind
from airgap_bundle.progress import Progress
from airgap_bundle.reading import read_document
from airgap_bundle.verify import VerifyReport, utc_now, verify
from skerry.errors import BundleError, MediumError, RefusedError

IMAGES: Final = "images"
_LAYOUT: Final = b'{"imageLayoutVersion":"1.0.0"}'
_CHUNK_BYTES: Final = 1 << 20
_PARTIAL: Final = ".partial"


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What became of one artifact."""

    artifact: ArtifactEntry
    path: Path
    """An archive, or a folder."""
    state: str
    """`written` or `present`."""


@dataclass(frozen=True, slots=True)
class UnpackReport:
    """What an unpacking wrote."""

    folder: Path
    verification: VerifyReport
    artifacts: tuple[Unpacked, ...]


def unpack(
    media: Path | Sequence[Path],
    trust: Path | None,
    folder: Path,
    *,
    rehearsal: bool = False,
    progress: Progress | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> UnpackReport:
    """Verify a medium and write what it carries below `folder`.

    Images become `images/<name>.tar`, everything else a folder such as `models/<name>` or `file-sets/<name>`.

    Raises:
        VerificationError: the medium is not to be trusted.
        RefusedError: it is a rehearsal, and nobody asked for one.
        MediumError: there is no bundle at `media`, or it cannot be read any more.
        BundleError: `folder` cannot be written, or a file would lie outside of it.
        UsageError: the trust file cannot be read.
    """
    verified = verify(media, trust, progress, clock=clock)  # (1)
    manifest = cast(SetManifest, verified.manifest)
    if manifest.bundle_kind is BundleKind.REHEARSAL and not rehearsal:
        raise RefusedError("this bundle is a rehearsal: its images are generated stand-ins; say --rehearsal-site")
    homes = {name: verified.volumes[volume.name] for volume in manifest.volumes for name in volume.blobs}
    unpacker = _Unpacker(folder, homes)
    try:
        done = tuple(unpacker.one(artifact) for artifact in manifest.artifacts)
    except OSError as exc:
        raise BundleError(
            f"{folder} cannot be written ({exc.strerror}): make room or choose another folder, then run it again: what "
            "was written whole stays"
        ) from exc
    return UnpackReport(folder, verified, done)


class _Unpacker:
    def __init__(self, folder: Path, homes: Mapping[str, Path]) -> None:
        self.folder, self.homes = folder, homes

    def one(self, artifact: ArtifactEntry) -> Unpacked:
        """Write one artifact."""
        if artifact.item_kind is ItemKind.IMAGE:
            return self._image(artifact)
        return self._files(artifact)

    def _image(self, artifact: ArtifactEntry) -> Unpacked:
        path = self.folder / IMAGES / f"{_plain(artifact.reference)}.tar"
        mark = path.with_suffix(".digest")
        if path.is_file() and mark.is_file() and mark.read_text(encoding="ascii").strip() == artifact.digest:
            return Unpacked(artifact, path, "present")
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(path.name + _PARTIAL)
        with tarfile.open(partial, "w") as archive:
            _add(archive, "oci-layout", _LAYOUT)
            _add(archive, "index.json", index_bytes([(artifact.reference, artifact.root)]))
            for descriptor in self._closure(artifact.root):
                with self._blob(descriptor) as file:
                    row = _row(blob_path(descriptor.hex), descriptor.size)
                    archive.addfile(row, file)
        partial.replace(path)
        mark.write_text(f"{artifact.digest}\n", encoding="ascii")
        return Unpacked(artifact, path, "written")

    def _files(self, artifact: ArtifactEntry) -> Unpacked:
        folder = self.folder / FOLDERS[artifact.item_kind] / _plain(artifact.name)
        state = "present"
        for descriptor, title in self._layers(artifact):
            path = folder.joinpath(*_inside(title, artifact).parts)
            if path.is_file() and path.stat().st_size == descriptor.size and _digest(path) == descriptor.digest:
                continue
            state = "written"
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(path.name + _PARTIAL)
            with self._blob(descriptor) as source, partial.open("wb") as target:
                while chunk := source.read(_CHUNK_BYTES):
                    target.write(chunk)
            partial.replace(path)
        return Unpacked(artifact, folder, state)

    def _layers(self, artifact: ArtifactEntry) -> Iterator[tuple[Descriptor, str]]:
        raw, _ = self._document(artifact.root)
        for row in parse_json(raw, artifact.reference).get("layers", ()):
            title = (row.get("annotations") or {}).get(TITLE)
            if not isinstance(title, str):
                raise BundleError(f"{artifact.reference}: a file in it has no name: nothing of it is written")
            yield Descriptor(row["digest"], row["size"], row["mediaType"]), title

    def _document(self, descriptor: Descriptor) -> tuple[bytes, Manifest]:
        return read_document(self.homes[descriptor.hex], descriptor)

    def _closure(self, root: Descriptor) -> list[Descriptor]:
        """Return a manifest with everything under it, each once, the root last."""
        found: dict[str, Descriptor] = {}

        def visit(descriptor: Descriptor) -> None:
            _, parsed = self._document(descriptor)
            for child in parsed.manifests:
                visit(child)
            found.update((blob.digest, blob) for blob in parsed.blobs)
            found[descriptor.digest] = descriptor

        visit(root)
        return list(found.values())

    def _blob(self, descriptor: Descriptor) -> _Checked:
        return _Checked(self.homes[descriptor.hex] / blob_path(descriptor.hex), descriptor)


class _Checked(io.RawIOBase):
    """A blob of the medium that is hashed while it is read (3)."""

    def __init__(self, path: Path, descriptor: Descriptor) -> None:
        super().__init__()
        self._path, self._descriptor, self._sum, self._read = path, descriptor, hashlib.sha256(), 0
        try:
            self._file = path.open("rb")
        except OSError as exc:
            raise MediumError(f"{path} cannot be read any more ({exc.strerror}): look at the medium") from exc

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes.

        Raises:
            MediumError: the medium fails, or has other bytes than were verified.
        """
        try:
            chunk = self._file.read(size)
        except OSError as exc:
            raise MediumError(f"{self._path} cannot be read any more ({exc.strerror}): look at the medium") from exc
        self._sum.update(chunk)
        self._read += len(chunk)
        if self._read == self._descriptor.size and f"sha256:{self._sum.hexdigest()}" != self._descriptor.digest:
            raise MediumError(f"{self._path} has other bytes than when it was verified: take another copy")
        return chunk

    def close(self) -> None:
        self._file.close()
        super().close()


def _row(name: str, size: int) -> tarfile.TarInfo:
    row = tarfile.TarInfo(name)
    row.size, row.mode = size, 0o644
    return row


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    archive.addfile(_row(name, len(content)), io.BytesIO(content))


def _plain(name: str) -> str:
    """Return a name that is one file's: two names never become one."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    return plain if plain == name else f"{plain}-{sha256(name.encode())[7:15]}"


def _inside(title: str, artifact: ArtifactEntry) -> PurePosixPath:
    path = PurePosixPath(title)
    if path.is_absolute() or ".." in path.parts or not path.parts or title.endswith(_PARTIAL):
        raise BundleError(f"{artifact.reference}: its file '{title}' would lie outside of its folder")
    return path


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
