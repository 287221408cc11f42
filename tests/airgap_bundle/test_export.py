"""The near side: what is exported, what is refused, and what an export that ends early leaves behind."""

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from airgap_bundle.bundle_format import STATE_FOLDER
from airgap_bundle.export import ExportReport, FileFolders, export
from airgap_bundle.fetch import Sources
from airgap_bundle.load import load
from airgap_bundle.manifest import BundleKind
from airgap_bundle.medium import ExportFolder
from airgap_bundle.plan import BundlePlan, plan
from airgap_bundle.proof import prove
from airgap_bundle.registry import Registry
from airgap_bundle.rehearsal_registry import LoopbackRegistry, Store
from airgap_bundle.report import export_json, export_text, load_json, load_text, proof_json, proof_text
from airgap_bundle.transport import TransportOptions
from airgap_bundle.verify import Step, VerificationError, verify
from skerry.catalog import Lock, LockEntry
from skerry.errors import BundleError, MediumError, RefusedError, RegistryError, SkerryError, UsageError
from tests.simulators import registry_faults as faults
from tests.simulators.registry_graphs import (
    EMPTY_LOCK,
    OPERATOR,
    QDRANT,
    Signer,
    clock,
    deployment_of,
    graph,
    rehearsal_plan,
    write_chart,
    write_rehearsal,
)
from tests.simulators.registry_images import TestImage, image, index

ROOT = Path(__file__).resolve().parents[2]
KIB = 1024
A, B, C = "docker.io/library/a:1", "docker.io/library/b:1", "quay.io/example/c:1"


def images() -> dict[str, TestImage]:
    shared = {"base": 200 * KIB}
    return {
        A: index({"amd64": image(shared | {"a": 30 * KIB}), "arm64": image({"a64": 30 * KIB}, architecture="arm64")}),
        B: image(shared | {"b": 100 * KIB}, docker=True),
        C: image({"c": 150 * KIB}),
    }


def filled() -> tuple[Store, Lock]:
    store = Store()
    entries = {}
    for reference, made in images().items():
        repository, _, tag = reference.rpartition(":")
        for content in made.blobs.values():
            store.add_blob(repository, content)
        for digest, (raw, media_type) in made.manifests.items():
            store.add_manifest(repository, tag if digest == made.root else digest, raw, media_type)
        entries[reference] = LockEntry(digest=made.root, bytes=made.bytes)
    return store, Lock(schema_="skerry.lock/1", images=entries)


def planned(lock: Lock, files: bool = False) -> BundlePlan:
    return plan(graph(lock, images=sorted(lock.images), declared=(), files=files), lock=lock)


def quick(address: str) -> Sources:
    return Sources(mirror=address, options=TransportOptions(stall_s=2, attempts=2, pause_s=0))


def run(
    medium: Path,
    signer: Signer,
    fault: faults.Fault = faults.none,
    files: bool = False,
    volume_bytes: int | None = None,
    folders: FileFolders | None = None,
) -> ExportReport:
    store, lock = filled()
    with faults.FaultyRegistry(store, fault) as registry:
        return export(
            planned(lock, files),
            medium,
            source=quick(registry.address),
            key=signer.key,
            clock=clock,
            volume_bytes=volume_bytes,
            folders=folders,
        )


def state_of(medium: Path) -> str:
    if not medium.exists():
        return "nothing"
    if (medium / STATE_FOLDER).exists():
        assert not list(medium.glob("volume-*/skerry-bundle.json"))
        for blob in medium.glob("volume-*/blobs/sha256/*"):
            assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name
        return "unfinished"
    return "finished"


def test_a_rehearsal_goes_all_the_way(tmp_path: Path, signer: Signer) -> None:
    medium = tmp_path / "medium"
    report = write_rehearsal(medium, signer)
    assert [a.reference for a in report.manifest.artifacts] == [
        "skerry/baselines/patterns:2026.1",
        "charts/operator:1.2.3",
        QDRANT,
        OPERATOR,
        "skerry/models/llama:abc123",
    ]
    assert verify(medium, signer.trust, clock=clock).passed == tuple(Step)
    made, _, _ = rehearsal_plan()
    with LoopbackRegistry() as site:
        before = prove(made, site.address)
        assert [resolved.ok for resolved in before] == [False, False]
        assert "MISSING" in proof_text(before)
        loaded = load(medium, signer.trust, site.address, rehearsal_site=True, clock=clock)
        assert {one.state for one in loaded.artifacts} == {"pushed"}
        after = prove(made, site.address)
        assert [resolved.ok for resolved in after] == [True, True]
        assert "2 of 2 image references resolve at the site by the same digest" in proof_text(after)
        assert json.loads(proof_json(after))["ok"] is True
        assert json.loads(load_json(loaded))["pushedManifests"] == loaded.pushed_manifests
        assert f"imported into {site.address}, signed by release@example" in load_text(loaded)
    assert "exported a REHEARSAL (stand-ins, not the real images) bundle of 5 artifacts" in export_text(report)
    assert json.loads(export_json(report))["manifestDigest"] == report.manifest_digest


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, signer: Signer) -> None:
    for name in ("one", "two"):
        run(tmp_path / name, signer, volume_bytes=500_000)
    one, two = (
        {
            path.relative_to(tmp_path / name): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        for name in ("one", "two")
    )
    assert one == two


@pytest.mark.parametrize("access", ["rewrite", "mirror"])
def test_the_proof_follows_image_access(access: str, tmp_path: Path, signer: Signer) -> None:
    write_rehearsal(tmp_path / "m", signer, access=access)
    made, _, _ = rehearsal_plan(access=access)
    with LoopbackRegistry() as site:
        load(tmp_path / "m", signer.trust, f"{site.address}/deep/prefix", rehearsal_site=True, clock=clock)
        assert [one.ok for one in prove(made, f"{site.address}/deep/prefix")] == [True, True]
        assert [one.ok for one in prove(made, site.address)] == [False, False]


def test_an_index_keeps_its_digest_and_all_platforms(tmp_path: Path, signer: Signer) -> None:
    report = run(tmp_path / "m", signer)
    entry = next(a for a in report.manifest.artifacts if a.reference == A)
    assert (entry.digest, entry.media_type) == (images()[A].root, images()[A].media_type)
    with LoopbackRegistry() as site:
        load(tmp_path / "m", signer.trust, site.address, clock=clock)
        repository = "docker.io/library/a"
        for digest, (raw, _) in images()[A].manifests.items():
            found = site.store.manifest(repository, digest)
            assert found is not None
            assert found[1] == raw


def test_a_tag_that_moves_is_reported(tmp_path: Path, signer: Signer) -> None:
    run(tmp_path / "m", signer)
    with LoopbackRegistry() as site:
        old = image({"old": 10})
        old.push(site.address, "quay.io/example/c", "1")
        report = load(tmp_path / "m", signer.trust, site.address, clock=clock)
        assert {one.artifact.reference: one.moved_from for one in report.artifacts} == {A: "", B: "", C: old.root}
        assert f"the tag stood for {old.root[:19]}" in load_text(report)


def test_nothing_is_pushed_from_a_medium_that_is_refused(tmp_path: Path, signer: Signer) -> None:
    run(tmp_path / "m", signer)
    blob = next((tmp_path / "m" / "volume-001" / "blobs" / "sha256").iterdir())
    blob.write_bytes(blob.read_bytes() + b"!")
    with LoopbackRegistry() as site:
        with pytest.raises(VerificationError):
            load(tmp_path / "m", signer.trust, site.address, clock=clock)
        with pytest.raises(RefusedError, match="no trust file"):
            load(tmp_path / "m", None, site.address, clock=clock)
        assert site.store.links == {}


def test_an_import_that_broke_off_goes_on(tmp_path: Path, signer: Signer) -> None:
    run(tmp_path / "m", signer)

    def dies(handler: faults.FaultyHandler, number: int) -> bool:
        return number > 20 and faults.drop_connections(10**6)(handler, number)

    store = Store()
    options = TransportOptions(stall_s=2, attempts=2, pause_s=0)
    with faults.FaultyRegistry(store, dies) as site, pytest.raises(RegistryError, match="failed 2 times"):
        load(tmp_path / "m", signer.trust, Registry.at(site.address, options), clock=clock)
    assert store.blobs
    with faults.FaultyRegistry(store, faults.no_mounts) as site:
        report = load(tmp_path / "m", signer.trust, Registry.at(site.address, options), clock=clock)
        assert report.present_blobs > 0
        assert {one.state for one in report.artifacts} == {"pushed"}


def test_a_chart_lies_at_the_site_the_way_helm_stores_it(files: Path, tmp_path: Path, signer: Signer) -> None:
    run(tmp_path / "m", signer, files=True, folders=FileFolders(files, files, files))
    with LoopbackRegistry() as site:
        load(tmp_path / "m", signer.trust, site.address, clock=clock)
        found = site.store.manifest("charts/operator", "1.2.3")
        assert found is not None
        manifest = json.loads(found[1])
        assert manifest["config"]["mediaType"] == "application/vnd.cncf.helm.config.v1+json"
        assert [row["mediaType"] for row in manifest["layers"]] == [
            "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
        ]
        assert json.loads(site.store.blobs[manifest["config"]["digest"]])["name"] == "operator"
        assert site.store.blobs[manifest["layers"][0]["digest"]] == (files / "operator-1.2.3.tgz").read_bytes()


def test_the_rehearsal_marker_counts_for_the_whole_registry(tmp_path: Path, signer: Signer) -> None:
    write_rehearsal(tmp_path / "rehearsal", signer)
    run(tmp_path / "real", signer)
    with LoopbackRegistry() as site:
        load(tmp_path / "rehearsal", signer.trust, f"{site.address}/one", rehearsal_site=True, clock=clock)
        load(tmp_path / "rehearsal", signer.trust, f"{site.address}/two", rehearsal_site=True, clock=clock)
        for address in (site.address, f"{site.address}/one", f"{site.address}/three"):
            with pytest.raises(RefusedError, match="is a rehearsal site, and this bundle holds real content"):
                load(tmp_path / "real", signer.trust, address, clock=clock)


def test_a_plan_without_items_makes_a_bundle_without_artifacts(tmp_path: Path, signer: Signer) -> None:
    empty = plan(graph(images=(), declared=(), files=False), lock=EMPTY_LOCK)
    report = export(empty, tmp_path / "m", source=Sources(), key=signer.key, clock=clock, volume_bytes=10_000)
    assert (report.manifest.artifacts, len(report.manifest.volumes)) == ((), 1)
    assert verify(tmp_path / "m", signer.trust, clock=clock).ok


def test_a_medium_that_goes_away_during_an_import_is_named(tmp_path: Path, signer: Signer) -> None:
    run(tmp_path / "m", signer)
    blob = max((tmp_path / "m").glob("volume-*/blobs/sha256/*"), key=lambda path: path.stat().st_size)
    taken = []

    def take(handler: faults.FaultyHandler, number: int) -> bool:
        if not taken:
            taken.append(blob.rename(tmp_path / "taken"))
        return False

    with faults.FaultyRegistry(Store(), take) as site:
        with pytest.raises(MediumError, match="look whether the medium is still there"):
            load(tmp_path / "m", signer.trust, site.address, clock=clock)
        assert site.store.manifests == {}


# -- what is refused --------------------------------------------------------------------------------------------------


def _locked(**entries: LockEntry) -> Lock:
    return Lock(schema_="skerry.lock/1", images=entries)


def test_an_unresolved_image_is_not_exported(tmp_path: Path, signer: Signer) -> None:
    what = plan(graph(EMPTY_LOCK, declared=(), files=False), lock=EMPTY_LOCK)
    with pytest.raises(UsageError, match=r"1 items are not resolved \(docker.io/qdrant/qdrant:v1.19.0\)"):
        export(what, tmp_path / "m", source=Sources(), key=signer.key)
    assert state_of(tmp_path / "m") == "nothing"


def test_an_incomplete_plan_is_not_exported(tmp_path: Path, signer: Signer) -> None:
    _, lock = filled()
    made = graph(lock, images=(A,), declared=(), files=False, extra=[deployment_of("busybox:1", "stray")])
    with pytest.raises(UsageError, match=r"the plan is incomplete, so its bundle would be: .*busybox:1"):
        export(plan(made, lock=lock), tmp_path / "m", source=Sources(), key=signer.key)


def test_stand_ins_are_not_exported_as_real(tmp_path: Path, signer: Signer) -> None:
    _, what, _ = rehearsal_plan()
    with pytest.raises(UsageError, match="a real bundle cannot be made of a plan whose lock pins stand-ins"):
        export(what, tmp_path / "m", source=Sources(), key=signer.key)
    _, lock = filled()
    with pytest.raises(UsageError, match="a rehearsal bundle cannot be made of a plan whose lock pins real images"):
        export(planned(lock), tmp_path / "m", source=Sources(), key=signer.key, kind=BundleKind.REHEARSAL)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    root = tmp_path / "files"
    (root / "llama").mkdir(parents=True)
    (root / "llama" / "weights").write_bytes(b"w" * 300_000)
    (root / "llama" / "same-weights").write_bytes(b"w" * 300_000)
    (root / "patterns-2026.1.tgz").write_bytes(b"patterns")
    write_chart(root / "operator-1.2.3.tgz")
    return root


def test_models_are_read_once_and_kept_once(files: Path, tmp_path: Path, signer: Signer) -> None:
    report = run(tmp_path / "m", signer, files=True, folders=FileFolders(files, files, files))
    assert verify(tmp_path / "m", signer.trust, clock=clock).ok
    sizes = [entry.bytes for entry in report.manifest.volumes[0].files]
    assert sizes.count(300_000) == 1


MISSING: dict[str, tuple[Callable[[Path], object], str]] = {
    "no model": (
        lambda f: [p.unlink() for p in (f / "llama").iterdir()] and (f / "llama").rmdir(),
        "does not hold the model 'llama' .hf://example/llama.: one of llama, llama.tgz, llama-abc123, ",
    ),
    "an empty model": (lambda f: [p.unlink() for p in (f / "llama").iterdir()], "is empty: put the files there"),
    "no chart": (lambda f: (f / "operator-1.2.3.tgz").unlink(), "does not hold the chart 'operator'"),
    "a chart of another version": (
        lambda f: write_chart(f / "operator-1.2.3.tgz", version="1.2.4"),
        "is the chart operator 1.2.4, and operator 1.2.3 is needed: `helm pull operator",
    ),
    "a chart that is no archive": (
        lambda f: (f / "operator-1.2.3.tgz").write_bytes(b"PK"),
        "cannot be read as a packaged chart",
    ),
    "a chart cut short": (
        lambda f: (f / "operator-1.2.3.tgz").write_bytes((f / "operator-1.2.3.tgz").read_bytes()[:60]),
        "cannot be read as a packaged chart",
    ),
    "an archive that is no chart": (
        lambda f: write_chart(f / "operator-1.2.3.tgz", name="deep/er"),
        "holds no Chart.yaml",
    ),
    "a broken link": (lambda f: (f / "llama" / "x").symlink_to("nowhere"), "a broken link or a device"),
    "a linked folder": (lambda f: (f / "llama" / "x").symlink_to("/tmp"), "is a link to a folder"),
}


@pytest.mark.parametrize("name", MISSING)
def test_files_that_are_not_there(name: str, files: Path, tmp_path: Path, signer: Signer) -> None:
    change, words = MISSING[name]
    change(files)
    with pytest.raises(UsageError, match=words):
        run(tmp_path / "m", signer, files=True, folders=FileFolders(files, files, files))
    assert state_of(tmp_path / "m") == "nothing"


def test_no_folder_was_given(tmp_path: Path, signer: Signer) -> None:
    with pytest.raises(UsageError, match="get hf://example/llama and name its parent folder with --models"):
        run(tmp_path / "m", signer, files=True)


REGISTRY: dict[str, tuple[faults.Fault, str]] = {
    "it refuses": (faults.refused(403), "answered with 403"),
    "it wants a login": (faults.refused(401), "wants a login"),
    "it has not the image": (faults.refused(404), "answered with 404"),
    "it stalls": (faults.stall(3), "stalled"),
    "it stalls at the blobs": (faults.stall(3, only_blobs=True), "stalled"),
    "it serves wrong bytes": (faults.wrong_bytes, "damaged content"),
    "it serves a wrong manifest": (faults.wrong_manifest, "changes content"),
    "it cuts each blob": (faults.cut_blobs(10**6, ranges=False), "run the command again: it goes on there"),
}


@pytest.mark.parametrize("name", REGISTRY)
def test_a_registry_that_fails_leaves_nothing_that_looks_whole(name: str, tmp_path: Path, signer: Signer) -> None:
    fault, words = REGISTRY[name]
    with pytest.raises(RegistryError, match=words) as caught:
        run(tmp_path / "m", signer, fault)
    assert caught.value.exit_code == 3
    assert state_of(tmp_path / "m") in ("nothing", "unfinished")
    with pytest.raises(SkerryError):
        verify(tmp_path / "m", signer.trust, clock=clock)
    run(tmp_path / "m", signer)
    assert verify(tmp_path / "m", signer.trust, clock=clock).ok


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


def state_of_unfinished(medium: Path) -> bool:
    return (medium / STATE_FOLDER).is_dir() and not list(medium.glob("volume-*/skerry-bundle.json"))


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
            for _ in range(400):
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


def test_a_baseline_that_is_not_the_pinned_one(files: Path, tmp_path: Path, signer: Signer) -> None:
    _, lock = filled()
    what = planned(lock, files=True)
    items = tuple(replace(i, digest="sha256:" + "0" * 64) if i.name == "patterns" else i for i in what.items)
    store, _ = filled()
    with LoopbackRegistry(store) as registry, pytest.raises(BundleError, match="is pinned to sha256:0000"):
        export(
            replace(what, items=items),
            tmp_path / "m",
            source=quick(registry.address),
            key=signer.key,
            folders=FileFolders(files, files, files),
        )
    assert state_of_unfinished(tmp_path / "m")
