"""Images of any shape for tests: several layers, several platforms, docker's or OCI's media types."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

from airgap_bundle.oci import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER_GZIP,
    OCI_MANIFEST,
    Descriptor,
    canonical,
    sha256,
)
from airgap_bundle.registry import Registry

DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@dataclass
class TestImage:
    """An image or index with everything under it."""

    __test__ = False

    root: str = ""
    media_type: str = ""
    manifests: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    """Children before the root."""
    blobs: dict[str, bytes] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """The size of everything."""
        return sum(len(raw) for raw, _ in self.manifests.values()) + sum(len(blob) for blob in self.blobs.values())

    def push(self, address: str, repository: str, tag: str) -> None:
        """Push it the way `load` does, blob by blob."""
        registry = Registry.at(address)
        for digest, content in self.blobs.items():
            registry.push_blob(repository, Descriptor(digest, len(content), ""), lambda c=content: io.BytesIO(c))
        for digest, (raw, media_type) in self.manifests.items():
            registry.push_manifest(repository, tag if digest == self.root else digest, raw, media_type)

    def write_layout(self, folder: Path, name: str) -> None:
        """Write it as an OCI image layout, for skopeo to push."""
        blobs = folder / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        for digest, content in [*self.blobs.items(), *((d, raw) for d, (raw, _) in self.manifests.items())]:
            (blobs / digest[7:]).write_bytes(content)
        (folder / "oci-layout").write_bytes(b'{"imageLayoutVersion":"1.0.0"}')
        row = {
            "mediaType": self.media_type,
            "digest": self.root,
            "size": len(self.manifests[self.root][0]),
            "annotations": {"org.opencontainers.image.ref.name": name},
        }
        (folder / "index.json").write_bytes(canonical({"schemaVersion": 2, "manifests": [row]}))


def layer(seed: str, size: int) -> tuple[bytes, str]:
    """Return a gzipped layer of about `size` random bytes, and its diff id."""
    content = random.Random(seed).randbytes(size)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        entry = tarfile.TarInfo(f"{seed}.bin")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    raw = archive.getvalue()
    return gzip.compress(raw, 1, mtime=0), f"sha256:{hashlib.sha256(raw).hexdigest()}"


def image(seeds: dict[str, int], docker: bool = False, architecture: str = "amd64") -> TestImage:
    """Return an image with one layer for each seed and size."""
    made = TestImage(media_type=DOCKER_MANIFEST if docker else OCI_MANIFEST)
    layers, diff_ids = [], []
    for seed, size in seeds.items():
        content, diff_id = layer(seed, size)
        made.blobs[sha256(content)] = content
        kind = DOCKER_LAYER if docker else OCI_LAYER_GZIP
        layers.append({"mediaType": kind, "digest": sha256(content), "size": len(content)})
        diff_ids.append(diff_id)
    config = canonical(
        {"architecture": architecture, "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids}}
    )
    made.blobs[sha256(config)] = config
    kind = DOCKER_CONFIG if docker else OCI_CONFIG
    row = {"mediaType": kind, "digest": sha256(config), "size": len(config)}
    raw = canonical({"schemaVersion": 2, "mediaType": made.media_type, "config": row, "layers": layers})
    made.root = sha256(raw)
    made.manifests[made.root] = (raw, made.media_type)
    return made


def index(children: dict[str, TestImage], docker: bool = False) -> TestImage:
    """Return an index of images by architecture."""
    made = TestImage(media_type=DOCKER_LIST if docker else OCI_INDEX)
    rows = []
    for architecture, child in children.items():
        made.blobs |= child.blobs
        made.manifests |= child.manifests
        rows.append(
            {
                "mediaType": child.media_type,
                "digest": child.root,
                "size": len(child.manifests[child.root][0]),
                "platform": {"architecture": architecture, "os": "linux"},
            }
        )
    raw = canonical({"schemaVersion": 2, "mediaType": made.media_type, "manifests": rows})
    made.root = sha256(raw)
    made.manifests[made.root] = (raw, made.media_type)
    return made
