"""The medium of an export: volumes, disks that are too small or read-only, and an export that ends early."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from airgap_bundle.bundle_format import STATE_FOLDER
from airgap_bundle.export import export
from airgap_bundle.load import load
from airgap_bundle.medium import ExportFolder
from airgap_bundle.rehearsal_registry import LoopbackRegistry
from airgap_bundle.verify import verify
from skerry.errors import MediumError, RefusedError, RegistryError, UsageError
from tests.simulators import registry_faults as faults
from tests.simulators.registry_exports import (
    filled,
    planned,
    quick,
    run,
    state_of,
    state_of_unfinished,
)
from tests.simulators.registry_graphs import (
    Signer,
    clock,
    write_rehearsal,
)

ROOT = Path(__file__).resolve().parents[2]


# -- volumes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("volume_bytes", [260_000, 330_000, 450_000, 800_000])
def test_volumes_of_any_size_make_a_whole_set(volume_bytes: int, tmp_path: Path, signer: Signer) -> None:
    report = run(tmp_path / "m", signer, volume_bytes=volume_bytes)
    for volume in report.manifest.volumes:
        folder = tmp_path / "m" / volume.name
        assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= volume_bytes
    assert verify(tmp_path / "m", signer.trust, clock=clock).ok
    with LoopbackRegistry() as site:
        load(tmp_path / "m", signer.trust, site.address, clock=clock)
        assert site.store.manifest("docker.io/library/b", "1") is not None


def test_a_shared_blob_is_copied_where_the_disk_has_no_second_names(
    tmp_path: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(first: object, second: object) -> None:
        raise PermissionError(1, "Operation not permitted")  # what FAT answers

    monkeypatch.setattr(os, "link", no_links)
    report = run(tmp_path / "m", signer, volume_bytes=330_000)
    held = [name for volume in report.manifest.volumes for name in volume.blobs]
    assert len(held) > len(set(held))
    assert verify(tmp_path / "m", signer.trust, clock=clock).ok


def test_a_blob_larger_than_a_volume_is_refused(tmp_path: Path, signer: Signer) -> None:
    with pytest.raises(UsageError, match="make volumes larger with --volume-size"):
        run(tmp_path / "m", signer, volume_bytes=150_000)
    with pytest.raises(UsageError, match="cannot even hold the set manifest"):
        run(tmp_path / "m", signer, volume_bytes=1_000)


# -- media ------------------------------------------------------------------------------------------------------------


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path, signer: Signer) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "thesis.txt").write_text("x")
    with pytest.raises(MediumError, match=r"is not empty \(thesis.txt\): name an empty folder"):
        run(tmp_path / "m", signer)
    assert [path.name for path in (tmp_path / "m").iterdir()] == ["thesis.txt"]


def test_a_finished_bundle_is_not_written_over(tmp_path: Path, signer: Signer) -> None:
    run(tmp_path / "m", signer)
    with pytest.raises(MediumError, match="a finished bundle is never written over"):
        run(tmp_path / "m", signer)
    assert verify(tmp_path / "m", signer.trust, clock=clock).ok


def test_an_unfinished_export_of_another_set_is_not_continued(tmp_path: Path, signer: Signer) -> None:
    with pytest.raises(RegistryError):
        run(tmp_path / "m", signer, faults.wrong_bytes)
    with pytest.raises(MediumError, match="an unfinished export of another set"):
        run(tmp_path / "m", signer, volume_bytes=450_000)


def test_what_is_put_into_a_volume_meanwhile_is_not_signed(tmp_path: Path, signer: Signer) -> None:
    with pytest.raises(RegistryError):
        run(tmp_path / "m", signer, faults.wrong_bytes)
    (tmp_path / "m" / "volume-001" / "blobs" / "sha256" / ("0" * 64)).write_text("x")
    with pytest.raises(MediumError, match="does not hold what was written to it"):
        run(tmp_path / "m", signer)
    assert state_of_unfinished(tmp_path / "m")


def test_a_blob_that_went_bad_between_two_runs_is_fetched_again(tmp_path: Path, signer: Signer) -> None:
    with pytest.raises(RegistryError):
        run(tmp_path / "m", signer, _die_after(6))
    held = sorted((tmp_path / "m" / "volume-001" / "blobs" / "sha256").iterdir())
    assert held
    held[0].write_bytes(b"rot")
    assert run(tmp_path / "m", signer).resumed
    assert verify(tmp_path / "m", signer.trust, clock=clock).ok


def _die_after(blobs: int) -> faults.Fault:
    seen = {"n": 0}

    def fault(handler: faults.FaultyHandler, number: int) -> bool:
        seen["n"] += handler.is_blob()
        return seen["n"] > blobs and faults.refused(403)(handler, number)

    return fault


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_too_small_is_said_at_once(small_disk: Path, signer: Signer) -> None:
    with pytest.raises(MediumError, match=r"free, and .* are still to be written: use a larger medium") as caught:
        run(small_disk / "m", signer)
    assert caught.value.exit_code == 3


def test_a_disk_that_fills_up_meanwhile(small_disk: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ExportFolder, "require_space", lambda self, count: None)
    with pytest.raises(MediumError, match="the medium is full at"):
        run(small_disk / "m", signer)
    assert state_of(small_disk / "m") == "unfinished"
    with pytest.raises(RefusedError, match="unfinished export"):
        verify(small_disk / "m", signer.trust, clock=clock)


def test_a_read_only_disk(small_disk: Path, signer: Signer) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(MediumError, match=r"cannot be written at .*: mount it writable"):
        run(small_disk / "m", signer)


def test_a_read_only_bundle_is_verified_and_imported(small_disk: Path, signer: Signer) -> None:
    write_rehearsal(small_disk / "m", signer)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with LoopbackRegistry() as site:
        assert load(small_disk / "m", signer.trust, site.address, rehearsal_site=True, clock=clock).pushed_blobs > 0


def test_a_file_size_limit_is_a_full_medium(tmp_path: Path, signer: Signer) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(MediumError, match="the medium is full at"):
            run(tmp_path / "m", signer)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert state_of(tmp_path / "m") == "unfinished"
    run(tmp_path / "m", signer)
    assert verify(tmp_path / "m", signer.trust, clock=clock).ok


# -- kill -9 ----------------------------------------------------------------------------------------------------------


def _hold(after: int) -> faults.Fault:
    """Serve half of the blob number `after`, and then nothing more."""
    seen = {"n": 0}

    def fault(handler: faults.FaultyHandler, number: int) -> bool:
        if not handler.is_blob():
            return False
        seen["n"] += 1
        if seen["n"] < after:
            return False
        content = handler.blob_content()
        handler.cut(200, content[: len(content) // 2], len(content))
        time.sleep(3)
        return True

    return fault


@pytest.mark.parametrize("after", [1, 3, 6])
def test_a_killed_export_never_looks_whole_and_goes_on(after: int, tmp_path: Path, signer: Signer) -> None:
    store, lock = filled()
    medium, key, pins = tmp_path / "m", tmp_path / "key", tmp_path / "lock"
    key.write_bytes(signer.key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    key.chmod(0o600)
    pins.write_text(lock.model_dump_json(by_alias=True))
    with faults.FaultyRegistry(store, _hold(after)) as registry:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.simulators.registry_export_child",
             registry.address, str(medium), str(key), "450000", str(pins), ""],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            for _ in range(4000):  # 80 s: a busy machine is slow to begin
                parts = list((medium / STATE_FOLDER).glob("*.part")) if medium.exists() else []
                if child.poll() is not None or any(part.stat().st_size for part in _existing(parts)):
                    break
                time.sleep(0.02)
            assert child.poll() is None, child.communicate()[1].decode()
            time.sleep(0.1)
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait(timeout=10)
    assert state_of(medium) == "unfinished"
    with pytest.raises(RefusedError, match="unfinished export"):
        verify(medium, signer.trust, clock=clock)
    asked: list[str] = []

    def note(handler: faults.FaultyHandler, number: int) -> bool:
        asked.append(handler.headers.get("Range", ""))
        return False

    with faults.FaultyRegistry(store, note) as registry:
        report = export(
            planned(lock), medium, source=quick(registry.address), key=signer.key, clock=clock, volume_bytes=450_000
        )
    assert report.resumed
    assert any(asked), "the part file was not continued"
    assert verify(medium, signer.trust, clock=clock).ok


def _existing(parts: list[Path]) -> list[Path]:
    return [part for part in parts if part.exists()]


def test_two_exports_into_one_folder_do_not_meet(tmp_path: Path, signer: Signer) -> None:
    first = ExportFolder(tmp_path / "m")
    first.open("x")
    with pytest.raises(MediumError, match="another export writes to"):
        run(tmp_path / "m", signer)
    first.close()
