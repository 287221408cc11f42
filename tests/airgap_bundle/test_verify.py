"""The far side's first duty: no byte of a bundle can change without being noticed, and nothing unknown gets in."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from airgap_bundle import sshsig
from airgap_bundle.bundle_format import MANIFEST_NAME, SIGNATURE_NAME, SIGNATURE_NAMESPACE, STATE_FOLDER
from airgap_bundle.oci import canonical
from airgap_bundle.report import verify_json, verify_text
from airgap_bundle.verify import Step, VerificationError, VerifyReport, verify
from skerry.errors import MediumError, RefusedError, SkerryError, UsageError
from tests.simulators.registry_graphs import NOW, Signer, clock, write_rehearsal

VOLUME_BYTES = 11_250


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Signer]:
    folder = tmp_path_factory.mktemp("bundle")
    signer = Signer.make(folder)
    report = write_rehearsal(folder / "medium", signer, VOLUME_BYTES)
    assert [volume.name for volume in report.manifest.volumes] == ["volume-001", "volume-002"]
    return folder / "medium", signer


@pytest.fixture
def medium(bundle: tuple[Path, Signer], tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle[0], tmp_path / "medium"))


@pytest.fixture
def trusted(bundle: tuple[Path, Signer]) -> Signer:
    return bundle[1]


def refusal(medium: Path, trust: Path | None, when: datetime = NOW) -> VerifyReport:
    with pytest.raises(VerificationError) as caught:
        verify(medium, trust, clock=lambda: when)
    assert not caught.value.report.ok
    assert caught.value.exit_code == 1
    return caught.value.report


def test_an_untouched_bundle_passes_each_step_in_order(medium: Path, trusted: Signer) -> None:
    report = verify(medium, trusted.trust, clock=clock)
    assert (report.passed, report.findings, report.ok) == (tuple(Step), (), True)
    assert report.signer == "release@example"


def test_volumes_can_be_named_one_by_one(medium: Path, trusted: Signer) -> None:
    assert verify([medium / "volume-002", medium / "volume-001"], trusted.trust, clock=clock).ok


def test_volumes_may_lie_on_several_media(medium: Path, trusted: Signer, tmp_path: Path) -> None:
    other = tmp_path / "second"
    other.mkdir()
    (medium / "volume-002").rename(other / "volume-002")
    assert verify([medium, other], trusted.trust, clock=clock).ok


def test_any_byte_of_any_file_that_changes_is_noticed(medium: Path, trusted: Signer) -> None:
    files = sorted(path for path in medium.rglob("*") if path.is_file())
    assert len(files) > 20
    unnoticed = []
    for path in files:
        raw = path.read_bytes()
        for position in sorted({0, len(raw) // 2, len(raw) - 1}):
            for flip in (0x01, 0x20, 0x80):
                changed = bytearray(raw)
                changed[position] ^= flip
                path.write_bytes(changed)
                try:
                    verify(medium, trusted.trust, clock=clock)
                    unnoticed.append((path.name, position, flip))
                except VerificationError:
                    pass
        path.write_bytes(raw)
    assert unnoticed == []
    assert verify(medium, trusted.trust, clock=clock).ok


def test_every_byte_of_the_signature_counts(medium: Path, trusted: Signer) -> None:
    path = medium / "volume-001" / SIGNATURE_NAME
    raw = path.read_bytes()
    for position in range(len(raw)):
        for flip in (0x01, 0x20):
            path.write_bytes(raw[:position] + bytes([raw[position] ^ flip]) + raw[position + 1 :])
            assert refusal(medium, trusted.trust).findings[0].step is Step.SIGNATURE
    for changed in (raw + b"\n", raw[:-1], raw.replace(b"\n", b"\r\n"), b" " + raw):
        path.write_bytes(changed)
        assert refusal(medium, trusted.trust).findings[0].step is Step.SIGNATURE


def test_every_file_cut_or_gone_is_noticed(medium: Path, trusted: Signer) -> None:
    for path in sorted(path for path in medium.rglob("*") if path.is_file()):
        raw = path.read_bytes()
        for cut in (raw[:-1], b"", raw + b"\0"):
            path.write_bytes(cut)
            refusal(medium, trusted.trust)
        path.unlink()
        refusal(medium, trusted.trust)
        path.write_bytes(raw)
    assert verify(medium, trusted.trust, clock=clock).ok


def _largest_blob(volume: Path) -> Path:
    return max((volume / "blobs" / "sha256").iterdir(), key=lambda path: path.stat().st_size)


def _swap_names(medium: Path) -> None:
    (medium / "volume-001").rename(medium / "x")
    (medium / "volume-002").rename(medium / "volume-001")
    (medium / "x").rename(medium / "volume-002")


def _link_blob(medium: Path) -> None:
    blob = _largest_blob(medium / "volume-001")
    target = medium.parent / "outside"
    blob.rename(target)
    blob.symlink_to(target)


def _link_manifest(medium: Path) -> None:
    path = medium / "volume-001" / MANIFEST_NAME
    path.rename(medium.parent / "outside")
    path.symlink_to(medium.parent / "outside")


def _link_folder(medium: Path) -> None:
    (medium / "volume-001" / "blobs").rename(medium.parent / "outside")
    (medium / "volume-001" / "blobs").symlink_to(medium.parent / "outside")


def _link_volume(medium: Path) -> None:
    (medium / "volume-002").rename(medium.parent / "outside")
    (medium / "volume-002").symlink_to(medium.parent / "outside")


def _pipe(medium: Path) -> None:
    blob = _largest_blob(medium / "volume-001")
    blob.unlink()
    os.mkfifo(blob)


def _pipe_as_manifest(medium: Path) -> None:
    path = medium / "volume-002" / MANIFEST_NAME
    path.unlink()
    os.mkfifo(path)


HOSTILE: dict[str, tuple[Callable[[Path], object], Step, str]] = {
    "a file beside the volumes": (
        lambda m: (m / "README.txt").write_text("x"), Step.FILES, "does not belong to the bundle"),
    "a file in a volume": (
        lambda m: (m / "volume-001" / "extra").write_text("x"), Step.FILES, "not in the set manifest"),
    "a file among the blobs": (
        lambda m: (m / "volume-002/blobs/sha256" / ("0" * 64)).write_text("x"), Step.FILES, "not in the set manifest"),
    "an empty folder in a volume": (
        lambda m: (m / "volume-001" / "more").mkdir(), Step.FILES, "folder that is not in the set manifest"),
    "a file whose name would draw on a terminal": (
        lambda m: (m / "volume-001" / "\x1b[2J\udcff").write_text("x"), Step.FILES, "not in the set manifest"),
    "a third volume that is a copy": (
        lambda m: shutil.copytree(m / "volume-002", m / "volume-003"), Step.VOLUMES, "is none of them"),
    "a volume gone": (
        lambda m: shutil.rmtree(m / "volume-002"), Step.VOLUMES, "it is missing: the set has 2 volumes"),
    "two volumes' names swapped": (_swap_names, Step.FILES, "missing"),
    "a blob that is a link": (_link_blob, Step.FILES, "it is a link"),
    "a set manifest that is a link": (_link_manifest, Step.SIGNATURE, "cannot be read"),
    "a blob folder that is a link": (_link_folder, Step.FILES, "it is a link"),
    "a volume that is a link": (_link_volume, Step.VOLUMES, "it is missing"),
    "a blob that is a pipe": (_pipe, Step.FILES, "no plain file"),
    "a set manifest that is a pipe": (_pipe_as_manifest, Step.SIGNATURE, "no plain file"),
    "a signature without end": (
        lambda m: (m / "volume-001" / SIGNATURE_NAME).write_bytes(b"-" * 100_000), Step.SIGNATURE, "more than 4096"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_medium_is_refused(name: str, medium: Path, trusted: Signer) -> None:
    change, step, words = HOSTILE[name]
    change(medium)
    report = refusal(medium, trusted.trust)
    assert report.findings[0].step is step
    assert words in " ".join(finding.message for finding in report.findings)
    assert verify_text(report).replace("\n", "").isprintable()


def test_the_manifest_of_another_bundle_is_refused(medium: Path, trusted: Signer, tmp_path: Path) -> None:
    write_rehearsal(tmp_path / "other", trusted, VOLUME_BYTES, images=("docker.io/library/redis:7",))
    for name in (MANIFEST_NAME, SIGNATURE_NAME):
        shutil.copy(tmp_path / "other" / "volume-002" / name, medium / "volume-002" / name)
    report = refusal(medium, trusted.trust)
    assert (report.findings[0].step, report.findings[0].subject) == (Step.MANIFEST, "volume-002")
    for name in (MANIFEST_NAME, SIGNATURE_NAME):
        shutil.copy(tmp_path / "other" / "volume-001" / name, medium / "volume-001" / name)
    assert refusal(medium, trusted.trust).findings[0].step is Step.FILES


def test_a_volume_of_another_bundle_is_refused(medium: Path, trusted: Signer, tmp_path: Path) -> None:
    write_rehearsal(tmp_path / "other", trusted, VOLUME_BYTES, images=("docker.io/library/redis:7",))
    shutil.rmtree(medium / "volume-002")
    shutil.copytree(tmp_path / "other" / "volume-002", medium / "volume-002")
    assert refusal(medium, trusted.trust).findings[0].step is Step.MANIFEST


def resign(
    medium: Path, signer: Signer, change: Callable[[dict], object], namespace: str = SIGNATURE_NAMESPACE
) -> None:
    for volume in sorted(medium.glob("volume-*")):
        document = json.loads((volume / MANIFEST_NAME).read_bytes())
        change(document)
        raw = canonical(document) + b"\n"
        (volume / MANIFEST_NAME).write_bytes(raw)
        (volume / SIGNATURE_NAME).write_bytes(sshsig.sign(raw, signer.key, namespace))


def _first_file(document: dict, **changes: object) -> None:
    document["volumes"][0]["files"][0].update(changes)


SIGNED: dict[str, tuple[Callable[[dict], object], Step, str]] = {
    "a path that climbs out": (
        lambda d: _first_file(d, path="../../etc/passwd"), Step.MANIFEST, "volumes.0.files.0.path"),
    "an absolute path": (lambda d: _first_file(d, path="/etc/passwd"), Step.MANIFEST, "volumes.0.files.0.path"),
    "a path with a line end": (
        lambda d: _first_file(d, path=d["volumes"][0]["files"][0]["path"] + "\n"), Step.MANIFEST, "files.0.path"),
    "a blob named by another digest": (
        lambda d: _first_file(d, path="blobs/sha256/" + "0" * 64), Step.MANIFEST, "not named by its digest"),
    "a volume that climbs out": (
        lambda d: d["volumes"][0].update(name="../volume-001"), Step.MANIFEST, "not numbered"),
    "a huge size": (lambda d: _first_file(d, bytes=2**60), Step.MANIFEST, "volumes.0.files.0.bytes"),
    "a size that is too large for the file": (
        lambda d: _first_file(d, bytes=2**40), Step.SIZES, "1099511627776 are listed"),
    "a negative size": (lambda d: _first_file(d, bytes=-1), Step.MANIFEST, "volumes.0.files.0.bytes"),
    "a size as text": (lambda d: _first_file(d, bytes="12"), Step.MANIFEST, "volumes.0.files.0.bytes"),
    "an unknown schema": (lambda d: d.update(schema="skerry.bundle/2"), Step.MANIFEST, "skerry.bundle/2"),
    "no schema": (lambda d: d.pop("schema"), Step.MANIFEST, "this version reads skerry.bundle/1"),
    "an unknown field": (lambda d: d.update(extra=1), Step.MANIFEST, "extra"),
    "an unknown kind": (lambda d: d.update(kind="draft"), Step.MANIFEST, "kind"),
    "no volume": (lambda d: d.update(volumes=[]), Step.MANIFEST, "volumes"),
    "a repository that climbs out": (
        lambda d: d["artifacts"][0].update(repository="../x"), Step.MANIFEST, "artifacts.0.repository"),
    "an artifact that is not there": (
        lambda d: d["artifacts"][0].update(digest="sha256:" + "1" * 64), Step.CONTENT, "is not in the set"),
    "an artifact of another size": (
        lambda d: d["artifacts"][0].update(bytes=1), Step.CONTENT, "bytes, not 1"),
    "an artifact under another name": (
        lambda d: d["artifacts"][0].update(reference="zzz"), Step.CONTENT, "does not list what the set manifest says"),
    "an artifact left out": (lambda d: d["artifacts"].pop(), Step.CONTENT, "no artifact needs it"),
    "an artifact twice": (
        lambda d: d["artifacts"].append(d["artifacts"][0]), Step.MANIFEST, "two artifacts have the same reference"),
}  # fmt: skip


@pytest.mark.parametrize("name", SIGNED)
def test_what_is_signed_need_not_be_sound(name: str, medium: Path, trusted: Signer) -> None:
    change, step, words = SIGNED[name]
    resign(medium, trusted, change)
    report = refusal(medium, trusted.trust)
    assert report.findings[0].step is step
    assert words in " ".join(finding.message for finding in report.findings)


def test_bytes_that_are_no_json_are_refused_although_signed(medium: Path, trusted: Signer) -> None:
    for raw in (b"", b"[" * 100_000, b"\xff\xfe", b"null", b'{"schema":"skerry.bundle/1"}'):
        for volume in medium.glob("volume-*"):
            (volume / MANIFEST_NAME).write_bytes(raw)
            (volume / SIGNATURE_NAME).write_bytes(sshsig.sign(raw, trusted.key, SIGNATURE_NAMESPACE))
        assert refusal(medium, trusted.trust).findings[0].step is Step.MANIFEST


def trust_line(folder: Path, signer: Signer, options: str = "", principal: str = "release@example") -> Path:
    path = folder / "trust"
    path.write_text(f"{principal} {options + ' ' if options else ''}{sshsig.public_line(signer.key)}\n")
    return path


OPTIONS = {
    "the namespace by name": (f'namespaces="{SIGNATURE_NAMESPACE}"', ""),
    "the namespace by pattern": ('namespaces="git,skerry-*"', ""),
    "another namespace": ('namespaces="git"', "allows the namespaces git"),
    "the namespace ruled out": ('namespaces="*,!skerry-bundle@1"', "allows the namespaces"),
    "valid now": ('valid-after="20260101",valid-before="20270101Z"', ""),
    "expired": ('valid-before="20261031Z"', "expired at 2026-10-31"),
    "not yet valid": ('valid-after="20261101130000Z"', "counts from 2026-11-01T13:00:00"),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options_of_the_trust_file_count(name: str, medium: Path, trusted: Signer, tmp_path: Path) -> None:
    options, words = OPTIONS[name]
    trust = trust_line(tmp_path, trusted, options)
    if not words:
        assert verify(medium, trust, clock=clock).ok
        return
    finding = refusal(medium, trust).findings[0]
    assert finding.step is Step.SIGNATURE
    assert words in finding.message


def test_a_key_that_is_not_in_the_trust_file_is_refused(medium: Path, trusted: Signer, tmp_path: Path) -> None:
    stranger = replace(trusted, key=Ed25519PrivateKey.generate())
    assert "is not in the trust file" in refusal(medium, trust_line(tmp_path, stranger)).findings[0].message
    resign(medium, stranger, lambda document: None)
    assert "is not in the trust file" in refusal(medium, trusted.trust).findings[0].message


def test_a_signature_for_another_purpose_is_refused(medium: Path, trusted: Signer) -> None:
    resign(medium, trusted, lambda document: None, namespace="file")
    assert "was made for 'file'" in refusal(medium, trusted.trust).findings[0].message


def test_a_cert_authority_is_not_taken_for_a_key(medium: Path, trusted: Signer, tmp_path: Path) -> None:
    trust = trust_line(tmp_path, trusted, "cert-authority")
    assert "cert-authority, which is not supported" in refusal(medium, trust).findings[0].message


UNUSABLE: dict[str, tuple[str, str]] = {
    "a line of one word": ("release@example\n", "write principals, options and a key"),
    "an unknown option": ("me magic ssh-ed25519 AAAA\n", "the option 'magic' is unknown"),
    "a time that is none": ('me valid-before="soon" ssh-ed25519 AAAA\n', "the time 'soon' is not of the form"),
    "a key that is no base64": ("me ssh-ed25519 ???\n", "is not base64"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_trust_file_that_cannot_be_read_is_wrong_use(name: str, medium: Path, tmp_path: Path) -> None:
    text, words = UNUSABLE[name]
    (tmp_path / "trust").write_text(text)
    with pytest.raises(UsageError, match=words):
        verify(medium, tmp_path / "trust", clock=clock)


def test_without_a_trust_file_nothing_is_trusted(medium: Path) -> None:
    with pytest.raises(RefusedError, match="no trust file was given") as caught:
        verify(medium, None, clock=clock)
    assert caught.value.exit_code == 1


def test_an_empty_trust_file_trusts_nobody(medium: Path, tmp_path: Path) -> None:
    (tmp_path / "trust").write_text("# nobody\n\n")
    assert "is not in the trust file" in refusal(medium, tmp_path / "trust").findings[0].message


def test_an_unfinished_export_is_no_bundle(medium: Path, trusted: Signer) -> None:
    (medium / STATE_FOLDER).mkdir()
    with pytest.raises(RefusedError, match="unfinished export"):
        verify(medium, trusted.trust, clock=clock)


@pytest.mark.parametrize("make", [True, False])
def test_where_no_volume_is_nothing_is_verified(make: bool, tmp_path: Path, trusted: Signer) -> None:
    if make:
        (tmp_path / "empty").mkdir()
    with pytest.raises(MediumError):
        verify(tmp_path / "empty", trusted.trust, clock=clock)


def test_the_same_volume_twice_is_said(medium: Path, trusted: Signer, tmp_path: Path) -> None:
    shutil.copytree(medium / "volume-001", tmp_path / "again" / "volume-001")
    with pytest.raises(MediumError, match="are both volume-001"):
        verify([medium, tmp_path / "again"], trusted.trust, clock=clock)


def test_a_medium_is_only_read(medium: Path, trusted: Signer) -> None:
    before = {path: path.stat().st_mtime_ns for path in medium.rglob("*")}
    verify(medium, trusted.trust, clock=clock)
    assert {path: path.stat().st_mtime_ns for path in medium.rglob("*")} == before


def test_the_reports_say_what_was_found(medium: Path, trusted: Signer) -> None:
    good = verify_text(verify(medium, trusted.trust, clock=clock))
    assert "REHEARSAL (stand-ins, not the real images)" in good
    assert good.endswith("trusted\n")
    blob = _largest_blob(medium / "volume-002")
    blob.write_bytes(blob.read_bytes()[::-1])
    report = refusal(medium, trusted.trust)
    bad = verify_text(report)
    assert f"volume-002/blobs/sha256/{blob.name}: its bytes were changed" in bad
    assert bad.endswith("NOT TRUSTED: do not use this medium\n")
    document = json.loads(verify_json(report))
    assert (document["schema"], document["ok"]) == ("skerry.bundle-report/1", False)
    assert document["passed"] == [step.value for step in Step][:5]


def test_every_refusal_is_an_error_of_the_tree() -> None:
    assert issubclass(VerificationError, SkerryError)
    assert NOW.tzinfo is UTC
