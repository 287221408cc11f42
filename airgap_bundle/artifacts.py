"""Models, baselines and charts as OCI artifacts: one manifest each, one layer a file.

The layers are hashed while they are copied to the medium, in one pass. Until then a placeholder of the same length
stands for each digest, so that every size, and with it the division into volumes, is known before the first byte is
copied.

# Source: opencontainers/image-spec manifest.md "Guidelines for Artifact Usage", read 2026-11
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from airgap_bundle import helm
from airgap_bundle.fetch import Tree
from airgap_bundle.oci import EMPTY_JSON, OCI_EMPTY, OCI_MANIFEST, TITLE, Descriptor, canonical, sha256
from airgap_bundle.plan import ItemKind, PlanItem
from skerry.errors import BundleError, UsageError
from skerry.images import SITE_CHARTS

ARTIFACT_TYPES: Final[Mapping[ItemKind, str]] = {
    ItemKind.MODEL: "application/vnd.skerry.model.v1",
    ItemKind.BASELINE: "application/vnd.skerry.baseline.v1",
    ItemKind.FILE_SET: "application/vnd.skerry.file-set.v1",
}
"""A chart has none: Helm knows its charts by the type of their config."""
FILE_TYPE: Final = "application/octet-stream"
FOLDERS: Final[Mapping[ItemKind, str]] = {
    ItemKind.MODEL: "models",
    ItemKind.BASELINE: "baselines",
    ItemKind.CHART: "charts",
    ItemKind.FILE_SET: "file-sets",
}
UNVERSIONED: Final = "unresolved"
"""The tag of an item without a version; only a rehearsal carries such a one."""


@dataclass(frozen=True, slots=True)
class CarriedFile:
    """One file of an artifact."""

    title: str
    """Its path below the artifact's folder, with `/`."""
    size: int
    path: Path | None
    """Where it is read; None for `content`."""
    content: bytes = b""
    """The bytes of a generated stand-in."""
    media_type: str = FILE_TYPE
    config: bytes = EMPTY_JSON
    """The config of the artifact; a chart's is its Chart.yaml."""

    @property
    def placeholder(self) -> str:
        """What stands for the digest until the file was read."""
        if self.path is None:
            return sha256(self.content)
        status = self.path.stat()
        return sha256(f"skerry placeholder {self.path} {status.st_size} {status.st_mtime_ns}".encode())


def find_files(item: PlanItem, folder: Path | None) -> tuple[CarriedFile, ...]:
    """Return the files of `item` in `folder`: `<name>`, `<name>-<version>`, or either with `.tgz`.

    Raises:
        UsageError: no folder was given, or it does not hold the item.
    """
    noun = FOLDERS[item.kind]
    if folder is None:
        raise UsageError(
            f"the {item.kind.value} '{item.name}' is needed, and no folder was given to take it from: get "
            f"{item.source} and name its parent folder with --{noun}"
        )
    stems = (item.name, f"{item.name}-{item.version}")
    suffixes = (".tgz",) if item.kind is ItemKind.CHART else ("", ".tgz")
    names = [f"{stem}{suffix}" for stem in stems for suffix in suffixes]
    for name in names:
        path = folder / name
        if path.is_file() and item.kind is ItemKind.CHART:
            config = helm.read_config(item, path)
            return (CarriedFile(path.name, path.stat().st_size, path, b"", helm.LAYER_TYPE, config),)
        if path.is_dir() and item.kind is not ItemKind.CHART:
            return _scan(path)
        if path.is_file():
            return (CarriedFile(path.name, path.stat().st_size, path),)
    raise UsageError(
        f"{folder} does not hold the {item.kind.value} '{item.name}' ({item.source}): "
        f"one of {', '.join(names)} was looked for"
    )


def _scan(folder: Path) -> tuple[CarriedFile, ...]:
    files = []
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            if path.is_symlink():
                raise UsageError(f"{path} is a link to a folder: put the files themselves there")
            continue
        if not path.is_file():
            raise UsageError(f"{path} is no file that can be carried: it is a broken link or a device")
        files.append(CarriedFile(path.relative_to(folder).as_posix(), path.stat().st_size, path))
    if not files:
        raise UsageError(f"{folder} is empty: put the files there")
    return tuple(files)


def file_tree(item: PlanItem, files: tuple[CarriedFile, ...], digests: Mapping[str, str]) -> Tree:
    """Return the artifact of `item`; `digests` maps a file's title to its digest."""
    layers = [
        {"mediaType": f.media_type, "digest": digests[f.title], "size": f.size, "annotations": {TITLE: f.title}}
        for f in files
    ]
    raw_config = files[0].config
    chart = item.kind is ItemKind.CHART
    config = Descriptor(sha256(raw_config), len(raw_config), helm.CONFIG_TYPE if chart else OCI_EMPTY)
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": config.media_type, "digest": config.digest, "size": config.size},
        "layers": layers,
        "annotations": {
            "org.opencontainers.image.title": item.name,
            "org.opencontainers.image.version": item.version or UNVERSIONED,
            "dev.skerry.source": item.source,
        },
    }
    if not chart:
        document["artifactType"] = ARTIFACT_TYPES[item.kind]
    raw = canonical(document)
    root = Descriptor(sha256(raw), len(raw), OCI_MANIFEST)
    blobs = {digests[f.title]: Descriptor(digests[f.title], f.size, f.media_type) for f in files}
    blobs[config.digest] = config
    return Tree(root, {root.digest: raw}, {root.digest: OCI_MANIFEST}, blobs)


def check_pin(item: PlanItem, tree: Tree) -> None:
    """Hold an artifact against the digest of its row, which is that of its one file or of the manifest.

    Raises:
        BundleError: it has another one.
    """
    if item.digest is None:
        return
    layers = [digest for digest, blob in tree.blobs.items() if blob.media_type in (FILE_TYPE, helm.LAYER_TYPE)]
    if item.digest != tree.root.digest and layers != [item.digest]:
        found = layers[0] if len(layers) == 1 else tree.root.digest
        raise BundleError(
            f"the {item.kind.value} '{item.name}' is pinned to {item.digest}, and the folder holds {found}: "
            "put the pinned version there, or change the pin"
        )


def place(item: PlanItem) -> tuple[str, str]:
    """Return the repository and tag of a model, baseline or chart in a site registry.

    Raises:
        UsageError: its name or version cannot be part of a reference.
    """
    if item.kind is ItemKind.CHART:  # Helm writes a version's + as _ in a tag
        return f"{SITE_CHARTS}/{item.name}", (item.version or UNVERSIONED).replace("+", "_")
    name = re.sub(r"[^a-z0-9]+", "-", item.name.lower()).strip("-")
    tag = re.sub(r"[^A-Za-z0-9._-]+", "-", item.version or UNVERSIONED)[:128].lstrip(".-")
    if not name or not tag:
        raise UsageError(f"the {item.kind.value} '{item.name}' has no letter or digit in its name or version")
    return f"skerry/{FOLDERS[item.kind]}/{name}", tag
