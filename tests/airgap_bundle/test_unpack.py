"""A site without a registry: a verified medium becomes archives that engines load, and files; no other does."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from airgap_bundle.report import unpack_json, unpack_text
from airgap_bundle.unpack import UnpackReport, unpack
from airgap_bundle.verify import VerificationError
from skerry.errors import BundleError, RefusedError
from tests.simulators.registry_debian import need
from tests.simulators.registry_graphs import QDRANT, Signer, clock, write_rehearsal


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Signer]:
    folder = tmp_path_factory.mktemp("bundle")
    signer = Signer.make(folder)
    write_rehearsal(folder / "medium", signer, 11_250)
    return folder / "medium", signer


def unpacked(bundle: tuple[Path, Signer], to: Path) -> UnpackReport:
    return unpack(bundle[0], bundle[1].trust, to, rehearsal=True, clock=clock)


def test_everything_is_written_and_a_second_run_writes_nothing(bundle: tuple[Path, Signer], tmp_path: Path) -> None:
    first = unpacked(bundle, tmp_path / "site")
    kinds = {one.artifact.kind for one in first.artifacts}
    assert kinds == {"image", "model", "baseline", "chart"}
    assert {one.state for one in first.artifacts} == {"written"}
    assert all(one.path.exists() for one in first.artifacts)
    again = unpacked(bundle, tmp_path / "site")
    assert {one.state for one in again.artifacts} == {"present"}
    assert list((tmp_path / "site").rglob("*.partial")) == []
    assert "docker load --input" in unpack_text(first)
    assert '"report": "unpack"' in unpack_json(first)


def test_a_file_that_somebody_changed_is_written_again(bundle: tuple[Path, Signer], tmp_path: Path) -> None:
    report = unpacked(bundle, tmp_path)
    [model] = [one for one in report.artifacts if one.artifact.kind == "model"]
    [path] = [file for file in model.path.rglob("*") if file.is_file()]
    good = path.read_bytes()
    path.write_bytes(bytes(len(good)))
    again = {one.artifact.kind: one.state for one in unpacked(bundle, tmp_path).artifacts}
    assert (again["model"], again["baseline"]) == ("written", "present")
    assert path.read_bytes() == good


def test_an_archive_is_an_image_layout_with_every_blob_under_its_own_digest(
    bundle: tuple[Path, Signer], tmp_path: Path
) -> None:
    for one in unpacked(bundle, tmp_path).artifacts:
        if one.artifact.kind != "image":
            continue
        with tarfile.open(one.path) as archive:
            names = archive.getnames()
            assert {"oci-layout", "index.json"} < set(names)
            assert f"blobs/sha256/{one.artifact.digest[7:]}" in names
            for name in names:
                if name.startswith("blobs/"):
                    file = archive.extractfile(name)
                    assert file is not None
                    assert hashlib.sha256(file.read()).hexdigest() == name.rpartition("/")[2]


@pytest.mark.registry
def test_skopeo_reads_an_archive(bundle: tuple[Path, Signer], tmp_path: Path) -> None:
    need("skopeo")
    [path] = [one.path for one in unpacked(bundle, tmp_path).artifacts if one.artifact.reference == QDRANT]
    done = subprocess.run(
        ["skopeo", "inspect", "--raw", f"oci-archive:{path}"], capture_output=True, check=True, timeout=60
    )
    [artifact] = [one.artifact for one in unpacked(bundle, tmp_path).artifacts if one.artifact.reference == QDRANT]
    assert f"sha256:{hashlib.sha256(done.stdout).hexdigest()}" == artifact.digest


def test_a_rehearsal_that_nobody_asked_for_writes_nothing(bundle: tuple[Path, Signer], tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="rehearsal"):
        unpack(bundle[0], bundle[1].trust, tmp_path / "site", clock=clock)
    assert not (tmp_path / "site").exists()


def test_a_medium_with_one_changed_byte_writes_nothing(bundle: tuple[Path, Signer], tmp_path: Path) -> None:
    medium = Path(shutil.copytree(bundle[0], tmp_path / "medium"))
    blob = max((medium / "volume-001" / "blobs" / "sha256").iterdir(), key=lambda path: path.stat().st_size)
    raw = bytearray(blob.read_bytes())
    raw[0] ^= 1
    blob.write_bytes(raw)
    with pytest.raises(VerificationError):
        unpack(medium, bundle[1].trust, tmp_path / "site", rehearsal=True, clock=clock)
    assert not (tmp_path / "site").exists()


def test_a_folder_that_cannot_be_written_is_told(bundle: tuple[Path, Signer], tmp_path: Path) -> None:
    (tmp_path / "site").write_text("a file")
    with pytest.raises(BundleError, match="cannot be written"):
        unpacked(bundle, tmp_path / "site")
