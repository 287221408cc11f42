"""Say whether a medium is to be trusted, reading it in an order in which no step believes what a later one checks.

(1) The signature of the set manifest, on each volume, against a trust file that did not come with the medium.
(2) The schema and version of the set manifest, and that it is the same on each volume.
(3) That the set is complete: every volume that the manifest lists is at hand, and none that it does not.
(4) That each volume holds the listed files and nothing else: no link, no device, no other name.
(5) The size of each file. (6) The SHA-256 of each file.
(7) Only then a document is parsed: oci-layout, index.json and the manifests under it must say what the set says.

The first step that finds something ends the verification. Nothing is ever written to the medium. The set manifest
and its signature are held by (1), all other files by (4) to (6): there is no byte that may change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Final

from airgap_bundle import trust as trust_file
from airgap_bundle.bundle_format import (
    INDEX_NAME,
    LAYOUT_BYTES,
    LAYOUT_NAME,
    MANIFEST_NAME,
    MAX_SET_MANIFEST_BYTES,
    MAX_SIGNATURE_BYTES,
    SIGNATURE_NAME,
    SIGNATURE_NAMESPACE,
    blob_path,
)
from airgap_bundle.layout import index_bytes
from airgap_bundle.manifest import SetManifest, read_manifest
from airgap_bundle.medium import hash_file
from airgap_bundle.oci import sha256
from airgap_bundle.progress import Progress, Serial, Silent
from airgap_bundle.reading import closure, find_volumes, list_files, printable, read_small
from skerry.errors import BundleError, RefusedError

_READERS: Final = 2
"""Hashing is bound by the processor; a disc is read best by few."""


class Step(str, Enum):
    """The steps, in their order."""

    SIGNATURE = "signature"
    MANIFEST = "set manifest"
    VOLUMES = "volumes complete"
    FILES = "no other files"
    SIZES = "sizes"
    HASHES = "hashes"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    step: Step
    subject: str
    """The volume, file or artifact."""
    message: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a verification found."""

    media: tuple[Path, ...]
    signer: str
    """The principals of the signer in the trust file; empty where the signature was refused."""
    manifest: SetManifest | None
    manifest_digest: str
    volumes: Mapping[str, Path]
    passed: tuple[Step, ...]
    """The steps that found nothing, in order."""
    findings: tuple[Finding, ...]
    hashed_bytes: int
    damaged: tuple[str, ...] = ()
    """References of the artifacts that a finding touches."""

    @property
    def ok(self) -> bool:
        """Whether every step passed."""
        return not self.findings and self.passed == tuple(Step)


class VerificationError(RefusedError):
    """Report a medium that is not to be trusted, with everything that was found."""

    def __init__(self, report: VerifyReport) -> None:
        """Name the first finding."""
        self.report = report
        first = report.findings[0]
        more = f" (and {len(report.findings) - 1} more)" if len(report.findings) > 1 else ""
        where = f"the step '{first.step.value}': {first.subject}"
        super().__init__(f"the medium is refused at {where}: {first.message}{more}")


def utc_now() -> datetime:
    """Return the time; the default of every `clock` argument."""
    return datetime.now(UTC)


def verify(
    media: Path | Sequence[Path],
    trust: Path | None,
    progress: Progress | None = None,
    *,
    clock: Callable[[], datetime] = utc_now,
) -> VerifyReport:
    """Return the report of a medium that may be trusted.

    `media` are the folder that holds `volume-001`, `volume-002`, ..., or one or more folders that hold some of them,
    or the volume folders themselves.

    Raises:
        VerificationError: a step found something; its report has all of it.
        RefusedError: no trust file was given.
        UsageError: the trust file cannot be read.
        MediumError: there is no volume at `media`.
    """
    paths = (media,) if isinstance(media, Path) else tuple(media)
    signers = trust_file.read_trust(trust)
    run = _Verification(paths, Serial(progress or Silent()))
    run.execute(signers, clock())
    report = run.report()
    if not report.ok:
        raise VerificationError(report)
    return report


class _Refused(Exception):  # noqa: N818 - control flow inside this module, never seen outside
    """End the verification after this step."""


class _Verification:
    """One run; each method is one step and ends with `_end`."""

    def __init__(self, media: tuple[Path, ...], progress: Progress) -> None:
        self.media = media
        self.progress = progress
        self.findings: list[Finding] = []
        self.passed: list[Step] = []
        self.volumes, self.strays = find_volumes(media)
        self.raw: dict[str, bytes] = {}
        self.signer = ""
        self.manifest: SetManifest | None = None
        self.hashed_bytes = 0

    def execute(self, signers: trust_file.TrustFile, now: datetime) -> None:
        try:
            self._signature(signers, now)
            manifest = self._set_manifest()
            self._complete(manifest)
            self._only_listed(manifest)
            self._sizes(manifest)
            self._hashes(manifest)
            self._content(manifest)
        except _Refused:
            pass
        except OSError as exc:
            step = list(Step)[len(self.passed)]
            self._note(step, str(exc.filename or "the medium"), f"it cannot be read any more: {exc.strerror}")

    def report(self) -> VerifyReport:
        raw = next(iter(self.raw.values()), b"")
        return VerifyReport(
            media=self.media,
            signer=self.signer,
            manifest=self.manifest,
            manifest_digest=sha256(raw) if raw else "",
            volumes=dict(self.volumes),
            passed=tuple(self.passed),
            findings=tuple(self.findings),
            hashed_bytes=self.hashed_bytes,
            damaged=self._damaged(),
        )

    def _note(self, step: Step, subject: str, message: str) -> None:
        self.findings.append(Finding(step, printable(subject), message))

    def _end(self, step: Step) -> None:
        if self.findings:
            raise _Refused
        self.passed.append(step)

    def _signature(self, signers: trust_file.TrustFile, now: datetime) -> None:  # (1)
        for name, root in self.volumes.items():
            try:
                raw = read_small(root / MANIFEST_NAME, MAX_SET_MANIFEST_BYTES)
                signature = read_small(root / SIGNATURE_NAME, MAX_SIGNATURE_BYTES)
                self.signer = trust_file.check(raw, signature, signers, SIGNATURE_NAMESPACE, now)
                self.raw[name] = raw
            except RefusedError as exc:
                self._note(Step.SIGNATURE, name, str(exc))
        self._end(Step.SIGNATURE)

    def _set_manifest(self) -> SetManifest:  # (2)
        first, *others = self.raw
        for name in others:
            if self.raw[name] != self.raw[first]:
                self._note(Step.MANIFEST, name, f"it belongs to another set than {first}: bring the volumes of one set")
        self._end_early()
        try:
            self.manifest = read_manifest(self.raw[first])
        except RefusedError as exc:
            self._note(Step.MANIFEST, MANIFEST_NAME, str(exc))
        self._end(Step.MANIFEST)
        if self.manifest is None:
            raise _Refused
        return self.manifest

    def _end_early(self) -> None:
        if self.findings:
            raise _Refused

    def _complete(self, manifest: SetManifest) -> None:  # (3)
        listed = {volume.name for volume in manifest.volumes}
        for name in sorted(listed - self.volumes.keys()):
            self._note(Step.VOLUMES, name, f"it is missing: the set has {len(listed)} volumes, bring all of them")
        for name in sorted(self.volumes.keys() - listed):
            self._note(Step.VOLUMES, name, f"the set has {len(listed)} volumes, and this is none of them")
        self._end(Step.VOLUMES)

    def _only_listed(self, manifest: SetManifest) -> None:  # (4)
        for stray in self.strays:
            self._note(Step.FILES, stray, "it does not belong to the bundle: take it away, or name the volume folders")
        for volume in manifest.volumes:
            expected = {entry.path for entry in volume.files} | {MANIFEST_NAME, SIGNATURE_NAME}
            found, odd = list_files(self.volumes[volume.name])
            for path, message in odd:
                self._note(Step.FILES, f"{volume.name}/{path}", message)
            for path in sorted(found - expected):
                self._note(Step.FILES, f"{volume.name}/{path}", "it is not in the set manifest")
            for path in sorted(expected - found - {path for path, _ in odd}):
                self._note(Step.FILES, f"{volume.name}/{path}", "it is missing")
        self._end(Step.FILES)

    def _sizes(self, manifest: SetManifest) -> None:  # (5)
        for volume in manifest.volumes:
            for entry in volume.files:
                size = (self.volumes[volume.name] / entry.path).lstat().st_size
                if size != entry.bytes:
                    self._note(
                        Step.SIZES, f"{volume.name}/{entry.path}", f"it has {size} bytes, and {entry.bytes} are listed"
                    )
        self._end(Step.SIZES)

    def _hashes(self, manifest: SetManifest) -> None:  # (6)
        work = [(volume.name, entry) for volume in manifest.volumes for entry in volume.files]
        work.sort(key=lambda pair: -pair[1].bytes)
        self.progress.start(sum(entry.bytes for _, entry in work), len(work))

        def one(name: str, path: str, wanted: str) -> Finding | None:
            subject = f"{name}/{path}"
            try:
                found = hash_file(self.volumes[name] / path, self.progress.advance)
            except OSError as exc:
                return Finding(Step.HASHES, subject, f"it cannot be read: {exc.strerror}")
            self.progress.item(subject, "verified" if found == wanted else "damaged")
            good = found == wanted
            return None if good else Finding(Step.HASHES, subject, f"its bytes were changed: SHA-256 {found}")

        with ThreadPoolExecutor(_READERS) as pool:
            results = [pool.submit(one, name, entry.path, entry.sha256) for name, entry in work]
            self.findings += sorted(
                (finding for result in results if (finding := result.result()) is not None), key=lambda f: f.subject
            )
        self.progress.finish()
        self.hashed_bytes = sum(entry.bytes for _, entry in work)
        self._end(Step.HASHES)

    def _content(self, manifest: SetManifest) -> None:  # (7)
        held = {volume.name: volume.blobs for volume in manifest.volumes}
        under: dict[str, set[str]] = {}
        for artifact in manifest.artifacts:
            try:
                under[artifact.reference] = closure(artifact.root, held, self.volumes)
            except BundleError as exc:
                self._note(Step.CONTENT, artifact.reference, str(exc))
        self._end_early()
        used = set().union(*under.values()) if under else set()
        for volume in manifest.volumes:
            root = self.volumes[volume.name]
            for name in sorted(volume.blobs.keys() - used):
                self._note(Step.CONTENT, f"{volume.name}/{blob_path(name)}", "no artifact needs it")
            whole = [(a.reference, a.root) for a in manifest.artifacts if volume.blobs.keys() >= under[a.reference]]
            if (root / LAYOUT_NAME).read_bytes() != LAYOUT_BYTES:
                self._note(Step.CONTENT, f"{volume.name}/{LAYOUT_NAME}", "it is not that of an OCI image layout 1.0.0")
            if (root / INDEX_NAME).read_bytes() != index_bytes(whole):
                self._note(Step.CONTENT, f"{volume.name}/{INDEX_NAME}", "it does not list what the set manifest says")
        self._end(Step.CONTENT)

    def _damaged(self) -> tuple[str, ...]:
        if self.manifest is None:
            return ()
        subjects = {finding.subject for finding in self.findings}
        touched = {subject.partition("/")[0] for subject in subjects}
        return tuple(
            artifact.reference
            for artifact in self.manifest.artifacts
            if artifact.reference in subjects or touched & set(artifact.volumes)
        )
