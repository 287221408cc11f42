"""The bundle against tools that are not ours: Debian's docker-registry, skopeo and ssh-keygen."""

import importlib.util
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from airgap_bundle.bundle_format import MANIFEST_NAME, SIGNATURE_NAME, SIGNATURE_NAMESPACE
from airgap_bundle.export import FileFolders, export
from airgap_bundle.fetch import Sources
from airgap_bundle.load import load
from airgap_bundle.manifest import BundleKind
from airgap_bundle.oci import DOCKER_LIST, DOCKER_MANIFEST
from airgap_bundle.plan import BundlePlan, plan
from airgap_bundle.proof import prove
from airgap_bundle.verify import verify
from skerry.catalog import Lock, LockEntry
from skerry.errors import RefusedError, UsageError
from skerry.graph import ResourceGraph
from tests.simulators.registry_debian import debian_registry, need
from tests.simulators.registry_graphs import Signer, clock, graph, rehearsal_plan, write_chart, write_rehearsal
from tests.simulators.registry_images import TestImage, image, index

pytestmark = pytest.mark.registry

VALKEY = "docker.io/valkey/valkey:9.0"
RAY = "docker.io/rayproject/ray:2.52.0"
OTHER = "quay.io/example/app:v1"
KIB = 1024


def images() -> dict[str, TestImage]:
    shared = {"base": 300 * KIB}
    return {
        VALKEY: index(
            {"amd64": image(shared | {"v1": 50 * KIB}), "arm64": image({"v2": 60 * KIB}, architecture="arm64")}
        ),
        RAY: index({"amd64": image(shared | {"ray": 700 * KIB}, docker=True)}, docker=True),
        OTHER: image(shared | {"app": 10 * KIB}),
    }


def run(*command: str, data: bytes = b"") -> str:
    done = subprocess.run(command, input=data, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr.decode()}"
    return done.stdout.decode()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Lock]]:
    """A registry that skopeo filled, and the lock of what it holds."""
    need("docker-registry", "skopeo")
    folder = tmp_path_factory.mktemp("source")
    entries = {}
    with debian_registry(folder / "registry") as address:
        for number, (reference, made) in enumerate(images().items()):
            repository, _, tag = reference.partition("/")[2].partition(":")
            if made.media_type in (DOCKER_LIST, DOCKER_MANIFEST):  # skopeo 1.9 pushes OCI types alone from a layout
                made.push(address, repository, tag)
            else:
                made.write_layout(folder / str(number), "x")
                layout, target = f"oci:{folder / str(number)}:x", f"docker://{address}/{repository}:{tag}"
                run("skopeo", "copy", "-q", "--all", "--preserve-digests", "--dest-tls-verify=false", layout, target)
            entries[reference] = LockEntry(digest=made.root, bytes=made.bytes)
        yield address, Lock(schema_="skerry.lock/1", images=entries)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    with debian_registry(tmp_path / "site") as address:
        yield address


@pytest.fixture
def folders(tmp_path: Path) -> FileFolders:
    root = tmp_path / "files"
    (root / "models" / "llama" / "nested").mkdir(parents=True)
    (root / "models" / "llama" / "config.json").write_text("{}")
    (root / "models" / "llama" / "nested" / "weights.safetensors").write_bytes(b"w" * 400_000)
    (root / "baselines").mkdir()
    (root / "baselines" / "patterns-2026.1.tgz").write_bytes(b"patterns")
    (root / "charts").mkdir()
    write_chart(root / "charts" / "operator-1.2.3.tgz")
    return FileFolders(root / "models", root / "baselines", root / "charts")


def planned(lock: Lock) -> tuple[ResourceGraph, BundlePlan]:
    made = graph(lock, images=(VALKEY, RAY), declared=(OTHER,))
    return made, plan(made, lock=lock)


def sources(address: str) -> Sources:
    return Sources(overrides={"docker.io": address, "quay.io": address})


def test_a_real_bundle_goes_all_the_way(
    source: tuple[str, Lock], site: str, tmp_path: Path, signer: Signer, folders: FileFolders
) -> None:
    address, lock = source
    made, what = planned(lock)
    medium = tmp_path / "medium"
    report = export(
        what, medium, source=sources(address), key=signer.key, clock=clock, volume_bytes=1_200_000, folders=folders
    )
    assert [volume.name for volume in report.manifest.volumes] == ["volume-001", "volume-002"]
    assert all(
        volume.total_bytes + len(report.manifest.to_bytes()) + 512 < 1_200_000 for volume in report.manifest.volumes
    )
    assert verify(medium, signer.trust, clock=clock).ok
    first = load(medium, signer.trust, f"{site}/mirror", clock=clock)
    assert {one.state for one in first.artifacts} == {"pushed"}
    assert first.mounted_blobs == 3  # the shared base in two more repositories, the empty config in one more
    second = load(medium, signer.trust, f"{site}/mirror", clock=clock)
    assert {one.state for one in second.artifacts} == {"present"}
    assert (second.pushed_blobs, second.mounted_blobs, second.pushed_manifests) == (0, 0, 0)
    proof = prove(made, f"{site}/mirror")
    assert [(one.ok, one.found) for one in proof] == [
        (True, images()[RAY].root), (True, images()[VALKEY].root), (True, images()[OTHER].root)
    ]  # fmt: skip


def test_skopeo_reads_a_volume_and_copies_from_it(
    source: tuple[str, Lock], tmp_path: Path, signer: Signer, folders: FileFolders
) -> None:
    need("skopeo")
    address, lock = source
    medium = tmp_path / "medium"
    report = export(
        planned(lock)[1], medium, source=sources(address), key=signer.key, volume_bytes=1_200_000, folders=folders
    )
    listed = {}
    for volume in report.manifest.volumes:
        rows = json.loads((medium / volume.name / "index.json").read_bytes())["manifests"]
        listed |= {row["annotations"]["org.opencontainers.image.ref.name"]: volume.name for row in rows}
    assert set(listed) == {artifact.reference for artifact in report.manifest.artifacts}
    for reference, made in images().items():
        if made.media_type == DOCKER_LIST:
            continue  # skopeo 1.9 skips docker's own types in a layout; docs/bundle-format.md says so
        raw = run("skopeo", "inspect", "--raw", f"oci:{medium / listed[reference]}:{reference}")
        assert raw.encode() == made.manifests[made.root][0]
    copied = tmp_path / "copied"
    run("skopeo", "copy", "-q", "--all", f"oci:{medium / listed[VALKEY]}:{VALKEY}", f"oci:{copied}:x")
    held = {path.name for path in (copied / "blobs" / "sha256").iterdir()}
    assert {digest[7:] for digest in images()[VALKEY].blobs} <= held


def test_skopeo_finds_the_images_of_the_site(
    source: tuple[str, Lock], site: str, tmp_path: Path, signer: Signer, folders: FileFolders
) -> None:
    need("skopeo")
    address, lock = source
    export(planned(lock)[1], tmp_path / "m", source=sources(address), key=signer.key, folders=folders)
    load(tmp_path / "m", signer.trust, site)
    for reference, made in images().items():
        found = run("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{site}/{reference}")
        assert found.encode() == made.manifests[made.root][0]


def test_ssh_keygen_checks_the_signature(tmp_path: Path, signer: Signer) -> None:
    need("ssh-keygen")
    write_rehearsal(tmp_path / "m", signer)
    volume = tmp_path / "m" / "volume-001"
    command = [
        "ssh-keygen", "-Y", "verify", "-f", str(signer.trust), "-I", "release@example",
        "-n", SIGNATURE_NAMESPACE, "-s", str(volume / SIGNATURE_NAME),
    ]  # fmt: skip
    raw = (volume / MANIFEST_NAME).read_bytes()
    assert 'Good "skerry-bundle@1" signature for release@example' in run(*command, data=raw)
    changed = subprocess.run(command, input=raw + b" ", capture_output=True, timeout=60, check=False)
    assert changed.returncode != 0


@pytest.mark.parametrize("passphrase", ["", "correct horse"])
def test_a_key_of_ssh_keygen_signs(passphrase: str, tmp_path: Path) -> None:
    need("ssh-keygen")
    key = tmp_path / "id"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "x", "-f", str(key))
    trust = tmp_path / "trust"
    trust.write_text(f'"*@example" namespaces="skerry-bundle@1" {(tmp_path / "id.pub").read_text()}')
    _, what, made = rehearsal_plan()
    with made.registry() as registry:
        arguments = {"source": made.sources(registry), "key": key, "clock": clock, "kind": BundleKind.REHEARSAL}
        if passphrase:
            with pytest.raises(UsageError, match="cannot be used"):
                export(what, tmp_path / "m", **arguments)
        if passphrase and importlib.util.find_spec("bcrypt") is None:
            with pytest.raises(UsageError, match="the Python package bcrypt is needed"):
                export(what, tmp_path / "m", passphrase=passphrase.encode(), **arguments)
            return
        export(what, tmp_path / "m", passphrase=passphrase.encode() or None, **arguments)
    assert verify(tmp_path / "m", trust, clock=clock).ok


def test_a_signature_of_ssh_keygen_is_taken(tmp_path: Path, signer: Signer) -> None:
    need("ssh-keygen")
    write_rehearsal(tmp_path / "m", signer)
    key = tmp_path / "id"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    signer.trust.write_text(f"officer {(tmp_path / 'id.pub').read_text()}")
    path = tmp_path / "m" / "volume-001" / MANIFEST_NAME
    shutil.copy(path, tmp_path / "copy")
    run("ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", SIGNATURE_NAMESPACE, str(tmp_path / "copy"))
    shutil.copy(tmp_path / "copy.sig", path.with_name(SIGNATURE_NAME))
    assert verify(tmp_path / "m", signer.trust, clock=clock).signer == "officer"


def test_a_key_that_is_not_ed25519_is_refused(tmp_path: Path) -> None:
    need("ssh-keygen")
    key = tmp_path / "id"
    run("ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", str(key))
    _, what, made = rehearsal_plan()
    with made.registry() as registry, pytest.raises(UsageError, match="is no Ed25519 key"):
        export(what, tmp_path / "m", source=made.sources(registry), key=key, kind=BundleKind.REHEARSAL)


def test_rehearsals_and_real_bundles_do_not_mix(
    source: tuple[str, Lock], site: str, tmp_path: Path, signer: Signer, folders: FileFolders
) -> None:
    address, lock = source
    export(planned(lock)[1], tmp_path / "real", source=sources(address), key=signer.key, folders=folders)
    write_rehearsal(tmp_path / "rehearsal", signer)
    with pytest.raises(RefusedError, match="say so with --rehearsal-site"):
        load(tmp_path / "rehearsal", signer.trust, site)
    images()[OTHER].push(site, "already/here", "v1")
    with pytest.raises(RefusedError, match="holds already/here and bears no rehearsal marker"):
        load(tmp_path / "rehearsal", signer.trust, site, rehearsal_site=True)
    with debian_registry(tmp_path / "empty") as empty:
        load(tmp_path / "rehearsal", signer.trust, empty, rehearsal_site=True)
        assert load(tmp_path / "rehearsal", signer.trust, empty, rehearsal_site=True).pushed_blobs == 0
        with pytest.raises(RefusedError, match="is a rehearsal site, and this bundle holds real content"):
            load(tmp_path / "real", signer.trust, empty)
    with pytest.raises(RefusedError, match="is a rehearsal site"):
        load(tmp_path / "real", signer.trust, site, rehearsal_site=True)
