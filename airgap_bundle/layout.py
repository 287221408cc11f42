"""The set that an export writes and a verification expects: volumes, their indexes, and the set manifest.

Both sides build a volume's index.json from the same content through the same function, so they cannot disagree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airgap_bundle.bundle_format import (
    BUNDLE_SCHEMA,
    INDEX_NAME,
    LAYOUT_BYTES,
    LAYOUT_NAME,
    TOOL,
    blob_path,
    volume_name,
)
from airgap_bundle.fetch import Tree
from airgap_bundle.manifest import ArtifactEntry, BundleKind, Deployment, FileEntry, SetManifest, VolumeEntry
from airgap_bundle.oci import OCI_INDEX, REF_NAME, Descriptor, canonical
from airgap_bundle.plan import PlanItem


@dataclass(frozen=True, slots=True)
class Carried:
    """An item of the plan with its content and its place at the site."""

    item: PlanItem
    reference: str
    repository: str
    tag: str
    tree: Tree


@dataclass(frozen=True, slots=True)
class Header:
    """What the set manifest says beside its content."""

    kind: BundleKind
    project: str
    stacks: tuple[str, ...]
    created: str
    volume_bytes: int | None


@dataclass(frozen=True, slots=True)
class BundleSet:
    """All metadata of a set, ready to be written."""

    manifest: SetManifest
    indexes: Mapping[str, bytes]
    """Volume name -> bytes of its index.json."""


def index_bytes(whole: Iterable[tuple[str, Descriptor]]) -> bytes:
    """Return the index.json of a volume that holds these artifacts (reference and root) whole."""
    rows: list[dict[str, Any]] = [
        {
            "mediaType": root.media_type,
            "digest": root.digest,
            "size": root.size,
            "annotations": {REF_NAME: reference},
        }
        for reference, root in sorted(whole)
    ]
    return canonical({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": rows})


def build_set(header: Header, carried: Sequence[Carried], volumes: Sequence[Mapping[str, int]]) -> BundleSet:
    """Return the metadata of a set whose volumes hold these blobs (digest -> bytes)."""
    indexes: dict[str, bytes] = {}
    rows = []
    for number, content in enumerate(volumes, 1):
        whole = [(c.reference, c.tree.root) for c in carried if content.keys() >= c.tree.sizes.keys()]
        index = index_bytes(whole)
        indexes[volume_name(number)] = index
        rows.append(VolumeEntry(name=volume_name(number), files=_files(content, index)))
    artifacts = [
        ArtifactEntry(
            kind=c.item.kind.value,
            name=c.item.name,
            reference=c.reference,
            repository=c.repository,
            tag=c.tag,
            digest=c.tree.root.digest,
            bytes=c.tree.root.size,
            media_type=c.tree.root.media_type,
            total_bytes=c.tree.total_bytes,
            volumes=tuple(
                row.name for row, held in zip(rows, volumes, strict=True) if held.keys() & c.tree.sizes.keys()
            ),
            why=c.item.why,
        )
        for c in sorted(carried, key=lambda c: (c.item.kind.value, c.reference))
    ]
    manifest = SetManifest(
        schema=BUNDLE_SCHEMA,
        kind=header.kind.value,
        deployment=Deployment(project=header.project, stack=header.stacks[-1], stacks=header.stacks),
        created=header.created,
        tool=TOOL,
        volume_bytes=header.volume_bytes,
        volumes=tuple(rows),
        artifacts=tuple(artifacts),
    )
    return BundleSet(manifest, indexes)


def _files(content: Mapping[str, int], index: bytes) -> tuple[FileEntry, ...]:
    hexes = {digest.removeprefix("sha256:"): size for digest, size in content.items()}
    blobs = [FileEntry(path=blob_path(name), bytes=size, sha256=name) for name, size in sorted(hexes.items())]
    return (
        *blobs,
        FileEntry(path=INDEX_NAME, bytes=len(index), sha256=hashlib.sha256(index).hexdigest()),
        FileEntry(path=LAYOUT_NAME, bytes=len(LAYOUT_BYTES), sha256=hashlib.sha256(LAYOUT_BYTES).hexdigest()),
    )
