"""`skerry images lock` as a user meets it: what is written, what is not, and the exit codes."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from airgap_bundle.rehearsal_registry import LoopbackRegistry, Store
from cli.images import LOCK_HEAD
from cli.main import main
from skerry.catalog import CATALOG_FOLDER, LOCK_SCHEMA, load_catalog, read_lock
from skerry.images import ImageReference
from tests.simulators import registry_faults as faults
from tests.simulators.registry_images import TestImage, image
from tests.simulators.stack_objects import AIRGAPPED, ROOT

QDRANT = "docker.io/qdrant/qdrant:v1.19.0"


def made(reference: str) -> TestImage:
    return image({reference: 1024})


def put(store: Store, reference: str, one: TestImage) -> None:
    parsed = ImageReference.parse(reference)
    for content in one.blobs.values():
        store.add_blob(parsed.repository, content)
    for raw, media_type in one.manifests.values():
        store.add_manifest(parsed.repository, parsed.tag, raw, media_type)


@pytest.fixture
def pins(tmp_path: Path) -> Path:
    """Return a folder of pins with one image and no chart."""
    folder = tmp_path / "pins"
    shutil.copytree(CATALOG_FOLDER, folder)
    rows = yaml.safe_load((CATALOG_FOLDER / "images.yaml").read_text(encoding="utf-8"))
    kept = [row for row in rows if row["name"] == "qdrant"]
    (folder / "images.yaml").write_text(yaml.safe_dump(kept), encoding="utf-8")
    (folder / "charts.yaml").write_text("[]\n", encoding="utf-8")
    (folder / "images.lock").unlink()
    return folder


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Take the logins of whoever runs the test away."""
    for name in ("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    yield


def lock(pins: Path, address: str, *more: str) -> int:
    return main(["images", "lock", "--pins", str(pins), "--source", f"docker.io={address}", *more])


def test_the_lock_is_written_once_and_then_agrees(pins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, one = Store(), made(QDRANT)
    put(store, QDRANT, one)
    with LoopbackRegistry(store) as registry:
        assert lock(pins, registry.address, "--check") == 1
        assert not (pins / "images.lock").exists()
        assert "the lock does not hold it yet" in capsys.readouterr().out
        assert lock(pins, registry.address) == 0
        text = (pins / "images.lock").read_text(encoding="utf-8")
        assert text.startswith(f"{LOCK_HEAD}images:\n  {QDRANT}:\n")
        assert lock(pins, registry.address) == 0
        assert (pins / "images.lock").read_text(encoding="utf-8") == text
        assert "unchanged: " in capsys.readouterr().err
        assert lock(pins, registry.address, "--check") == 0
    entry = read_lock(pins / "images.lock").images[QDRANT]
    assert (entry.digest, entry.bytes, list(entry.platforms)) == (one.root, one.bytes, ["linux/amd64"])


def test_what_moved_needs_leave(pins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = Store()
    put(store, QDRANT, made(QDRANT))
    with LoopbackRegistry(store) as registry:
        assert lock(pins, registry.address) == 0
        before = (pins / "images.lock").read_bytes()
        put(store, QDRANT, made("another"))
        assert lock(pins, registry.address, "--check") == 1
        assert lock(pins, registry.address) == 1
        assert (pins / "images.lock").read_bytes() == before
        assert f"new {made('another').root}" in capsys.readouterr().out
        assert lock(pins, registry.address, "--update", "--only", "qdrant", "--format", "json") == 0
        report = json.loads(capsys.readouterr().out)
    assert [(row["outcome"], row["new"]) for row in report["rows"]] == [("updated", made("another").root)]
    assert read_lock(pins / "images.lock").images[QDRANT].digest == made("another").root


def test_a_registry_that_is_away_leaves_a_reason_and_exit_code_3(pins: Path) -> None:
    with faults.FaultyRegistry(Store(), faults.refused(403)) as registry:
        assert lock(pins, registry.address) == 3
        entry = read_lock(pins / "images.lock").images[QDRANT]
        assert (entry.digest, entry.bytes) == (None, None)
        assert "answered with 403" in f"{entry.unresolved}"
        assert f"{entry.tried_at}".endswith("Z")
    catalog = load_catalog(pins, pins / "images.lock")
    assert catalog.lock.images[QDRANT].digest is None


@pytest.mark.parametrize("place", ["REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "home", "--logins"])
def test_logins_are_found_where_other_clients_keep_them(
    place: str, pins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store()
    put(store, QDRANT, made(QDRANT))
    with faults.FaultyRegistry(store, faults.token_login("me", "secret")) as registry:
        assert lock(pins, registry.address) == 3
        folder = tmp_path / "home" / ".docker" if place == "home" else tmp_path / "logins"
        folder.mkdir(parents=True)
        told = {"auths": {registry.address: {"auth": base64.b64encode(b"me:secret").decode()}}}
        file = folder / "config.json"
        file.write_text(json.dumps(told), encoding="utf-8")
        if place.isupper():
            monkeypatch.setenv(place, str(file if place == "REGISTRY_AUTH_FILE" else folder))
        assert lock(pins, registry.address, *(["--logins", str(file)] if place == "--logins" else [])) == 0
    assert "secret" not in (pins / "images.lock").read_text(encoding="utf-8")


def test_a_stack_brings_the_images_that_its_configuration_names(pins: Path) -> None:
    store, scout = Store(), "registry.vendor.example/sensei/scout:1.0.0"
    put(store, scout, made(scout))
    with LoopbackRegistry(store) as registry:
        options = ["--stack", AIRGAPPED, "--project", str(ROOT), "--only", scout]
        assert lock(pins, registry.address, "--source", f"registry.vendor.example={registry.address}", *options) == 0
    assert set(read_lock(pins / "images.lock").images) == {scout}


WRONG: dict[str, tuple[list[str], str]] = {
    "a name of nobody": (["--only", "qdrand"], "is the name of no image and no chart: cert"),
    "a platform that is none": (["--platform", "amd64"], "--platform 'amd64' is not os/architecture"),
    "no platform": (["--platform", ","], "--platform names none"),
    "two wishes that exclude each other": (["--check", "--update"], "give one of them"),
    "a source without an address": (["--source", "docker.io"], "is not HOST=HOST:PORT"),
    "logins that are not there": (["--logins", "/nowhere/config.json"], "cannot be read as docker's config.json"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_use_is_told_and_asks_nobody(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options, message = WRONG[case]
    path = tmp_path / "x.lock"
    assert main(["images", "lock", "--lock", str(path), *options]) == 2
    assert message.replace("cert", "") in capsys.readouterr().err
    assert not path.exists()


def test_the_lock_of_a_rehearsal_is_not_filled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rehearsal.lock"
    path.write_text(f"schema: {LOCK_SCHEMA}\nrehearsal: true\nimages: {{}}\n", encoding="utf-8")
    assert main(["images", "lock", "--lock", str(path)]) == 2
    assert "holds the digests of stand-ins of a rehearsal" in capsys.readouterr().err
