"""Exports of small images to a medium, and what they leave on it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from airgap_bundle.bundle_format import STATE_FOLDER
from airgap_bundle.export import ExportReport, FileFolders, export
from airgap_bundle.fetch import Sources
from airgap_bundle.plan import BundlePlan, plan
from airgap_bundle.rehearsal_registry import Store
from airgap_bundle.transport import TransportOptions
from skerry.catalog import Lock, LockEntry
from tests.simulators import registry_faults as faults
from tests.simulators.registry_graphs import (
    Signer,
    clock,
    graph,
)
from tests.simulators.registry_images import TestImage, image, index

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


def state_of_unfinished(medium: Path) -> bool:
    return (medium / STATE_FOLDER).is_dir() and not list(medium.glob("volume-*/skerry-bundle.json"))
