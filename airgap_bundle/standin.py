"""Generated stand-ins for a rehearsal: small, the same each time, and labelled as what they are."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from dataclasses import dataclass
from typing import Final

from airgap_bundle import helm
from airgap_bundle.artifacts import CarriedFile
from airgap_bundle.oci import OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST, canonical, sha256
from airgap_bundle.plan import ItemKind, PlanItem

LABEL: Final = "dev.skerry.rehearsal"
_TEXT: Final = (
    "This is a stand-in that Skerry generated for a rehearsal.\n"
    "It stands for {name}\n"
    "It holds nothing of it, runs nothing, and must not reach a site that works.\n"
)


@dataclass(frozen=True, slots=True)
class StandInImage:
    """A whole image in memory."""

    digest: str
    manifest: bytes
    blobs: dict[str, bytes]
    """Digest -> config and layer."""

    @property
    def bytes(self) -> int:
        """The size of the manifest and everything under it."""
        return len(self.manifest) + sum(len(content) for content in self.blobs.values())


def image(reference: str) -> StandInImage:
    """Return the stand-in for one image reference: a config and one layer with one text file."""
    text = _TEXT.format(name=reference).encode()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        entry = tarfile.TarInfo("STAND-IN.txt")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
    layer = gzip.compress(archive.getvalue(), mtime=0)
    config = canonical(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": {LABEL: "true"}},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(archive.getvalue()).hexdigest()}"]},
            "history": [{"created_by": "skerry rehearsal"}],
        }
    )
    manifest = canonical(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": OCI_CONFIG, "digest": sha256(config), "size": len(config)},
            "layers": [{"mediaType": OCI_LAYER_GZIP, "digest": sha256(layer), "size": len(layer)}],
            "annotations": {
                LABEL: "true",
                "org.opencontainers.image.title": reference,
                "org.opencontainers.image.description": f"Skerry rehearsal stand-in for {reference}",
            },
        }
    )
    return StandInImage(sha256(manifest), manifest, {sha256(config): config, sha256(layer): layer})


def files(item: PlanItem) -> tuple[CarriedFile, ...]:
    """Return the one file that stands for a model, baseline or chart."""
    text = _TEXT.format(name=f"{item.kind.value} {item.name} ({item.source}, {item.version or 'unresolved'})").encode()
    if item.kind is ItemKind.CHART:
        chart, config = helm.stand_in(item, text)
        name = f"{item.name}-{item.version or 'unresolved'}.tgz"
        return (CarriedFile(name, len(chart), None, chart, helm.LAYER_TYPE, config),)
    return (CarriedFile("STAND-IN.txt", len(text), None, text),)
