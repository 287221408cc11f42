"""Reading a medium without believing it: no link is followed, no size is taken on trust, nothing is written."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from airgap_bundle.bundle_format import (
    BLOB_FOLDER,
    MANIFEST_NAME,
    STATE_FOLDER,
    VOLUME_PATTERN,
    blob_path,
)
from airgap_bundle.oci import MAX_DEPTH, MAX_MANIFEST_BYTES, Descriptor, Manifest, parse_manifest, sha256
from skerry.errors import BundleError, MediumError, RefusedError

_FOLDERS: Final = frozenset({"blobs", BLOB_FOLDER})
MAX_LISTED: Final = 1_000_000
"""Names in one volume; a folder with more is not read to its end."""


def find_volumes(media: tuple[Path, ...]) -> tuple[dict[str, Path], tuple[str, ...]]:
    """Return the volumes at `media` by name, and what else lies beside them.

    Raises:
        MediumError: a path cannot be read, holds no volume, or two hold the same volume.
        RefusedError: a path holds an unfinished export.
    """
    volumes: dict[str, Path] = {}
    strays: list[str] = []
    for path in media:
        try:
            if VOLUME_PATTERN.match(path.name) and (path / MANIFEST_NAME).is_file():
                found = [path]
            else:
                found, others = _below(path)
                strays += others
        except OSError as exc:
            raise MediumError(f"{path} cannot be read ({exc.strerror}): look whether the medium is mounted") from exc
        for volume in found:
            if volume.name in volumes:
                raise MediumError(f"{volumes[volume.name]} and {volume} are both {volume.name}: name one of them")
            volumes[volume.name] = volume
    if not volumes:
        raise MediumError(f"{', '.join(str(path) for path in media)}: no volume of a bundle is there")
    return dict(sorted(volumes.items())), tuple(strays)


def _below(path: Path) -> tuple[list[Path], list[str]]:
    found: list[Path] = []
    strays: list[str] = []
    for entry in sorted(path.iterdir()):
        if entry.name == STATE_FOLDER:
            raise RefusedError(f"{path} holds an unfinished export: run the export again, it goes on where it stopped")
        if VOLUME_PATTERN.match(entry.name) and entry.is_dir() and not entry.is_symlink():
            found.append(entry)
        else:
            strays.append(str(entry))
    return found, strays


def printable(name: str) -> str:
    """Return a foreign name so that it can be shown: what cannot be printed becomes `?`."""
    return "".join(character if character.isprintable() else "?" for character in name)


def read_small(path: Path, limit: int) -> bytes:
    """Read a file of at most `limit` bytes.

    Raises:
        RefusedError: it is missing, no plain file, or larger.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise RefusedError(f"{path.name} is no plain file")
            raw = file.read(limit + 1)
    except OSError as exc:
        raise RefusedError(f"{path.name} cannot be read: {exc.strerror}") from exc
    if len(raw) > limit:
        raise RefusedError(f"{path.name} has more than {limit} bytes")
    return raw


def list_files(root: Path) -> tuple[set[str], list[tuple[str, str]]]:
    """Return the plain files below `root` with `/`, and what is no plain file with the reason it is refused."""
    files: set[str] = set()
    odd: list[tuple[str, str]] = []
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
        except OSError as exc:
            odd.append((folder or ".", f"it cannot be read: {exc.strerror}"))
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_symlink():
                odd.append((path, "it is a link, and a bundle holds none"))
            elif entry.is_dir(follow_symlinks=False):
                if path in _FOLDERS:
                    pending.append(path)
                else:
                    odd.append((path, "it is a folder that is not in the set manifest"))
            elif entry.is_file(follow_symlinks=False):
                files.add(path)
            else:
                odd.append((path, "it is no plain file"))
        if len(files) > MAX_LISTED:
            odd.append((folder or ".", f"it holds more than {MAX_LISTED} files"))
            break
    return files, odd


def read_document(volume: Path, descriptor: Descriptor) -> tuple[bytes, Manifest]:
    """Read a manifest or index from a volume, and check its digest once more.

    Raises:
        BundleError: it cannot be read, was changed, or is malformed.
    """
    if descriptor.size > MAX_MANIFEST_BYTES:
        raise BundleError(f"{descriptor.digest} is said to be a manifest of {descriptor.size} bytes")
    raw = read_small(volume / blob_path(descriptor.hex), MAX_MANIFEST_BYTES)
    if sha256(raw) != descriptor.digest:
        raise RefusedError(f"{descriptor.digest} on {volume.name} was changed since it was verified")
    return raw, parse_manifest(raw, descriptor.digest, descriptor.media_type)


def closure(root: Descriptor, held: Mapping[str, Mapping[str, int]], volumes: Mapping[str, Path]) -> set[str]:
    """Return the hex digests of everything under `root`, all of which must be in the set with their sizes.

    Raises:
        BundleError: something is missing, or a document is malformed.
    """
    found: set[str] = set()

    def visit(descriptor: Descriptor, is_manifest: bool, depth: int) -> None:
        home = next((name for name, blobs in held.items() if descriptor.hex in blobs), None)
        if home is None:
            raise BundleError(f"{descriptor.digest} is not in the set")
        if held[home][descriptor.hex] != descriptor.size:
            raise BundleError(f"{descriptor.digest} has {held[home][descriptor.hex]} bytes, not {descriptor.size}")
        if depth > MAX_DEPTH:
            raise BundleError(f"{descriptor.digest} lies more than {MAX_DEPTH} indexes deep")
        if descriptor.hex in found:
            return
        found.add(descriptor.hex)
        if is_manifest:
            _, parsed = read_document(volumes[home], descriptor)
            for child in parsed.manifests:
                visit(child, True, depth + 1)
            for blob in parsed.blobs:
                visit(blob, False, depth + 1)

    visit(root, True, 0)
    return found
