"""Bring a bundle into a site registry, straight from the medium, and prove that what a stack names is there.

(1) The medium is verified first; nothing is pushed from one that is refused.
(2) Kinds do not mix: a rehearsal goes only into an empty registry, or one that bears the rehearsal marker, and only
    when the caller says that this is a rehearsal site. The marker is pushed before anything else. A real bundle
    never goes into a registry that bears it.
(3) What the registry has is asked first and not sent again; a blob that another repository has is mounted.
(4) A manifest goes after everything under it, under its own bytes: the digest at the site is that of the source.
"""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, cast

from airgap_bundle.bundle_format import MARKER_REPOSITORY, MARKER_TAG, blob_path
from airgap_bundle.manifest import ArtifactEntry, BundleKind, SetManifest
from airgap_bundle.oci import EMPTY_JSON, OCI_EMPTY, OCI_MANIFEST, Descriptor, canonical, sha256
from airgap_bundle.progress import Progress, Serial, Silent
from airgap_bundle.reading import read_document
from airgap_bundle.registry import Registry
from airgap_bundle.verify import VerifyReport, utc_now, verify
from skerry.errors import MediumError, RefusedError

CONNECTIONS: Final = 4


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of one artifact."""

    artifact: ArtifactEntry
    repository: str
    """Where it lies at the site, with the site's prefix."""
    state: str
    """`pushed` or `present`."""
    moved_from: str = ""
    """The digest for which the tag stood before; empty where it is new or the same."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What an import did."""

    registry: str
    verification: VerifyReport
    artifacts: tuple[Loaded, ...]
    pushed_blobs: int
    pushed_bytes: int
    mounted_blobs: int
    present_blobs: int
    pushed_manifests: int


def load(
    media: Path | Sequence[Path],
    trust: Path | None,
    registry: Registry | str,
    *,
    rehearsal_site: bool = False,
    progress: Progress | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> LoadReport:
    """Verify a medium and push it to the site registry at `registry` (`host[:port][/prefix]`).

    Raises:
        VerificationError: the medium is not to be trusted.
        RefusedError: the bundle's kind does not fit the site.
        RegistryError: the registry refuses, stalls or changes what it is given.
        MediumError: there is no bundle at `media`.
        UsageError: the trust file cannot be read.
    """
    site = registry if isinstance(registry, Registry) else Registry.at(registry)
    verified = verify(media, trust, progress, clock=clock)  # (1)
    manifest = cast(SetManifest, verified.manifest)
    _admit(site, manifest.bundle_kind, rehearsal_site)
    pusher = _Pusher(site, verified, manifest, Serial(progress or Silent()))
    results = pusher.run()
    counts = pusher.counts
    return LoadReport(
        registry=site.address,
        verification=verified,
        artifacts=tuple(results),
        pushed_blobs=counts.pushed,
        pushed_bytes=counts.pushed_bytes,
        mounted_blobs=counts.mounted,
        present_blobs=counts.present,
        pushed_manifests=counts.manifests,
    )


def _admit(site: Registry, kind: BundleKind, rehearsal_site: bool) -> None:
    """Keep stand-ins out of sites that work, and real content out of rehearsals (2)."""
    places = {MARKER_REPOSITORY, site.path(MARKER_REPOSITORY)}  # the marker counts for the whole registry
    marked = any(site.find_manifest(place, MARKER_TAG) is not None for place in sorted(places))
    if kind is BundleKind.REAL:
        if marked or rehearsal_site:
            raise RefusedError(
                f"{site.address} is a rehearsal site, and this bundle holds real content: name the real site registry"
            )
        return
    if not rehearsal_site:
        raise RefusedError(
            "this bundle is a rehearsal: its images are generated stand-ins; import it only into a rehearsal site, "
            "and say so with --rehearsal-site"
        )
    if marked:
        return
    held = site.repositories()
    if held is None:
        raise RefusedError(
            f"{site.address} does not say what it holds, so it cannot be told to be empty: use a registry "
            "whose catalog can be read"
        )
    if held:
        raise RefusedError(
            f"{site.address} holds {held[0]} and bears no rehearsal marker: "
            "a rehearsal goes into an empty registry only"
        )
    _push_marker(site)


def _push_marker(site: Registry) -> None:
    repository = MARKER_REPOSITORY
    config = Descriptor(sha256(EMPTY_JSON), len(EMPTY_JSON), OCI_EMPTY)
    row = {"mediaType": config.media_type, "digest": config.digest, "size": config.size}
    raw = canonical(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": "application/vnd.skerry.rehearsal-site.v1",
            "config": row,
            "layers": [row],
        }
    )
    site.push_blob(repository, config, lambda: io.BytesIO(EMPTY_JSON))
    site.push_manifest(repository, MARKER_TAG, raw, OCI_MANIFEST)


@dataclass
class _Counts:
    pushed: int = 0
    pushed_bytes: int = 0
    mounted: int = 0
    present: int = 0
    manifests: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class _Under:
    """An artifact with what lies under it."""

    artifact: ArtifactEntry
    repository: str
    documents: tuple[tuple[Descriptor, bytes], ...]
    """Children before their parents; the root is the last."""
    blobs: tuple[Descriptor, ...]


class _Pusher:
    """Pushes all artifacts of a verified set."""

    def __init__(self, site: Registry, verified: VerifyReport, manifest: SetManifest, progress: Progress) -> None:
        self.site = site
        self.manifest = manifest
        self.progress = progress
        self.counts = _Counts()
        self.homes = {name: verified.volumes[volume.name] for volume in manifest.volumes for name in volume.blobs}

    def run(self) -> list[Loaded]:
        unders = [self._under(artifact) for artifact in self.manifest.artifacts]
        first: dict[str, tuple[str, Descriptor]] = {}
        again: list[tuple[str, Descriptor, str]] = []
        for under in unders:
            for blob in under.blobs:
                origin = first.setdefault(blob.digest, (under.repository, blob))[0]
                if origin != under.repository:
                    again.append((under.repository, blob, origin))
        total = sum(blob.size for _, blob in first.values())
        self.progress.start(total, len(first) + len(again) + len(unders))
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            largest_first = sorted(first.values(), key=lambda pair: -pair[1].size)
            for _ in pool.map(lambda pair: self._blob(pair[0], pair[1], None), largest_first):
                pass
            for _ in pool.map(lambda row: self._blob(row[0], row[1], row[2]), dict.fromkeys(again)):
                pass
        results = [self._documents(under) for under in unders]
        self.progress.finish()
        return results

    def _under(self, artifact: ArtifactEntry) -> _Under:
        documents: dict[str, tuple[Descriptor, bytes]] = {}
        blobs: dict[str, Descriptor] = {}

        def visit(descriptor: Descriptor) -> None:
            if descriptor.digest in documents:
                return
            raw, parsed = read_document(self.homes[descriptor.hex], descriptor)
            for child in parsed.manifests:
                visit(child)
            blobs.update((blob.digest, blob) for blob in parsed.blobs)
            typed = Descriptor(descriptor.digest, descriptor.size, parsed.media_type)
            documents[descriptor.digest] = (typed, raw)

        visit(artifact.root)
        repository = self.site.path(artifact.repository)
        return _Under(artifact, repository, tuple(documents.values()), tuple(blobs.values()))

    def _blob(self, repository: str, blob: Descriptor, origin: str | None) -> None:  # (3)
        name = f"{repository} {blob.hex[:12]}"
        if self.site.has_blob(repository, blob.digest):
            with self.counts.lock:
                self.counts.present += 1
            state = "present"
        elif origin is not None and self.site.mount_blob(repository, blob.digest, origin):
            with self.counts.lock:
                self.counts.mounted += 1
            state = "mounted"
        else:
            path = self.homes[blob.hex] / blob_path(blob.hex)
            self.site.push_blob(repository, blob, lambda: cast(BinaryIO, _Upload(path)))
            with self.counts.lock:
                self.counts.pushed += 1
                self.counts.pushed_bytes += blob.size
            state = "pushed"
        if origin is None:
            self.progress.advance(blob.size)
        self.progress.item(name, state)

    def _documents(self, under: _Under) -> Loaded:  # (4)
        state = "present"
        for descriptor, raw in under.documents:
            if self.site.find_manifest(under.repository, descriptor.digest) is None:
                self.site.push_manifest(under.repository, descriptor.digest, raw, descriptor.media_type)
                self.counts.manifests += 1
                state = "pushed"
        root, raw = under.documents[-1]
        moved = ""
        if under.artifact.tag:
            standing = self.site.find_manifest(under.repository, under.artifact.tag)
            if standing is None or standing.digest != root.digest:
                self.site.push_manifest(under.repository, under.artifact.tag, raw, root.media_type)
                moved = standing.digest if standing else ""
                state = "pushed"
        self.progress.item(under.artifact.reference, state)
        return Loaded(under.artifact, under.repository, state, moved)


class _Upload:
    """A blob on the medium on its way out: an error of the medium is not taken for one of the registry."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._guarded():
            self._file = path.open("rb", buffering=0)

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes.

        Raises:
            MediumError: the medium failed.
        """
        with self._guarded():
            return self._file.read(size)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise MediumError(
                f"{self._path} cannot be read any more ({exc.strerror}): look whether the medium is still there, then "
                "run the import again: it goes on where it stopped"
            ) from exc
