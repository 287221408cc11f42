"""The near side: what is exported, and what is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from airgap_bundle.export import FileFolders, export
from airgap_bundle.fetch import Sources
from airgap_bundle.load import load
from airgap_bundle.manifest import BundleKind
from airgap_bundle.plan import plan
from airgap_bundle.proof import prove
from airgap_bundle.registry import Registry
from airgap_bundle.rehearsal_registry import LoopbackRegistry, Store
from airgap_bundle.report import export_json, export_text, load_json, load_text, proof_json, proof_text
from airgap_bundle.transport import TransportOptions
from airgap_bundle.verify import Step, VerificationError, verify
from skerry.catalog import Lock, LockEntry
from skerry.errors import BundleError, MediumError, RefusedError, RegistryError, SkerryError, UsageError
from tests.simulators import registry_faults as faults
from tests.simulators.registry_exports import (
    A,
    B,
    C,
    filled,
    images,
    planned,
    quick,
    run,
    state_of,
    state_of_unfinished,
)
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
from tests.simulators.registry_images import image


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
