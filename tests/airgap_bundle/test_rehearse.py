"""Rehearsals: stand-ins that are valid images, the same each time, and labelled; and the registry that serves them."""

import gzip
import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from airgap_bundle import rehearse, standin
from airgap_bundle.oci import sha256
from airgap_bundle.plan import plan
from airgap_bundle.rehearsal_registry import LoopbackRegistry
from skerry.catalog import LOCK_SCHEMA
from skerry.errors import BundleError, UsageError
from tests.simulators.registry_debian import need
from tests.simulators.registry_graphs import EMPTY_LOCK, OPERATOR, QDRANT, graph, rehearsal_plan
from tests.simulators.registry_images import image, index


def test_a_stand_in_is_a_whole_image_that_says_what_it_is() -> None:
    made = standin.image(QDRANT)
    manifest = json.loads(made.manifest)
    assert manifest["annotations"]["dev.skerry.rehearsal"] == "true"
    assert manifest["annotations"]["org.opencontainers.image.title"] == QDRANT
    config = json.loads(made.blobs[manifest["config"]["digest"]])
    layer = made.blobs[manifest["layers"][0]["digest"]]
    assert manifest["layers"][0]["size"] == len(layer)
    archive = gzip.decompress(layer)
    assert config["rootfs"]["diff_ids"] == [sha256(archive)]
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        file = tar.extractfile("STAND-IN.txt")
        assert file is not None
        assert f"It stands for {QDRANT}\n" in file.read().decode()


def test_a_stand_in_is_the_same_each_time_and_unlike_any_other() -> None:
    assert standin.image(QDRANT) == standin.image(QDRANT)
    assert standin.image(QDRANT).digest != standin.image(OPERATOR).digest


def test_the_lock_of_a_rehearsal_says_so_and_pins_every_image() -> None:
    _, planned, made = rehearsal_plan()
    assert (made.lock.schema_, made.lock.rehearsal) == (LOCK_SCHEMA, True)
    assert {name: entry.digest for name, entry in made.lock.images.items()} == {
        QDRANT: standin.image(QDRANT).digest,
        OPERATOR: standin.image(OPERATOR).digest,
    }
    assert (planned.rehearsal, planned.problems) == (True, ())
    assert planned.known_bytes == sum(standin.image(name).bytes for name in (QDRANT, OPERATOR))


def test_an_image_known_by_its_digest_alone_cannot_be_rehearsed() -> None:
    pinned = "docker.io/library/redis@sha256:" + "1" * 64
    with pytest.raises(UsageError, match="is known by its digest alone, so no stand-in can be made"):
        rehearse.build(plan(graph(images=(pinned,), declared=()), lock=EMPTY_LOCK))


def test_the_registry_has_an_address_only_while_it_runs() -> None:
    registry = LoopbackRegistry()
    with registry:
        assert registry.address.startswith("127.0.0.1:")
    with pytest.raises(BundleError, match="does not run"):
        _ = registry.address


@pytest.mark.registry
def test_skopeo_pushes_to_the_loopback_registry_and_pulls_from_it(tmp_path: Path) -> None:
    need("skopeo")
    made = index({"amd64": image({"a": 3_000_000}), "arm64": image({"b": 10}, architecture="arm64")})
    made.write_layout(tmp_path / "in", "x")
    with LoopbackRegistry() as registry:
        remote = f"docker://{registry.address}/some/app:v1"
        copy = ["skopeo", "copy", "-q", "--all", "--preserve-digests"]
        for arguments in (
            ["--dest-tls-verify=false", f"oci:{tmp_path / 'in'}:x", remote],
            ["--src-tls-verify=false", remote, f"oci:{tmp_path / 'out'}:x"],
        ):
            done = subprocess.run([*copy, *arguments], capture_output=True, timeout=60, check=False)
            assert (done.returncode, done.stderr) == (0, b"")
    for digest, content in made.blobs.items():
        assert (tmp_path / "out" / "blobs" / "sha256" / digest[7:]).read_bytes() == content
