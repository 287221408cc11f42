"""The parts of the OCI image specification that a carrier must read: descriptors, manifests and indexes.

A manifest is foreign bytes: it is bounded, parsed once, and only digests and sizes are taken from it. Layers are
never opened.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from skerry.errors import BundleError

OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_LAYER_GZIP: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_EMPTY: Final = "application/vnd.oci.empty.v1+json"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
REF_NAME: Final = "org.opencontainers.image.ref.name"
TITLE: Final = "org.opencontainers.image.title"

INDEX_TYPES: Final = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFEST_TYPES: Final = (OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST)
"""In the order in which a registry is asked for them."""

MAX_MANIFEST_BYTES: Final = 4 * 1024 * 1024
"""Registries need not take more. Source: opencontainers/distribution-spec spec.md "Pushing Manifests", read 2026-11."""
MAX_CHILDREN: Final = 4096
"""Descriptors in one document; real indexes hold tens."""
MAX_DEPTH: Final = 4
"""Indexes within indexes; real images nest once."""
MAX_BLOB_BYTES: Final = 1 << 50
"""1 PiB: a larger claim is a forged or broken size."""

EMPTY_JSON: Final = b"{}"
_DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")


@dataclass(frozen=True, slots=True, order=True)
class Descriptor:
    """A pointer to content."""

    digest: str
    """`sha256:` and 64 hex digits."""
    size: int
    """Bytes."""
    media_type: str

    @property
    def hex(self) -> str:
        """The digest without its algorithm."""
        return self.digest.removeprefix("sha256:")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an image manifest or an index points at."""

    media_type: str
    manifests: tuple[Descriptor, ...]
    """Children of an index; empty for an image manifest."""
    blobs: tuple[Descriptor, ...]
    """Config and layers of an image manifest; empty for an index."""


def sha256(data: bytes) -> str:
    """Return the digest of `data`."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def is_digest(text: str) -> bool:
    """Say whether `text` is a SHA-256 digest."""
    return _DIGEST.match(text) is not None


def canonical(document: Any) -> bytes:
    """Return the bytes of a JSON document that we write: sorted keys, no spaces."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def parse_json(raw: bytes, what: str, limit: int = MAX_MANIFEST_BYTES) -> dict[str, Any]:
    """Read foreign JSON of at most `limit` bytes that must be an object.

    Raises:
        BundleError: `raw` is too large, no JSON, or no object.
    """
    if len(raw) > limit:
        raise BundleError(f"{what} has {len(raw)} bytes: at most {limit} are read")
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise BundleError(f"{what} is no JSON document: {type(exc).__name__}") from exc
    if not isinstance(document, dict):
        raise BundleError(f"{what} is no JSON object but {type(document).__name__}")
    return document


def parse_descriptor(value: Any, what: str) -> Descriptor:
    """Read one descriptor of a foreign document.

    Raises:
        BundleError: it lacks a SHA-256 digest, a size or a media type.
    """
    if not isinstance(value, dict):
        raise BundleError(f"{what} holds a descriptor that is no object")
    digest, size, media_type = value.get("digest"), value.get("size"), value.get("mediaType")
    if not isinstance(digest, str) or not is_digest(digest):
        raise BundleError(f"{what} names the digest {str(digest)[:90]!r}: only sha256:<64 hex> is carried")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= MAX_BLOB_BYTES:
        raise BundleError(f"{what} claims the size {str(size)[:40]!r} for {digest}: 0 to {MAX_BLOB_BYTES} are read")
    if not isinstance(media_type, str) or not 1 <= len(media_type) <= 255:
        raise BundleError(f"{what} gives no media type for {digest}")
    return Descriptor(digest, size, media_type)


def parse_manifest(raw: bytes, what: str, media_type: str = "") -> Manifest:
    """Read an image manifest or an index; `media_type` is what the registry or the parent called it.

    Raises:
        BundleError: the document is neither, or points at something that cannot be carried.
    """
    document = parse_json(raw, what)
    stated = document.get("mediaType")
    kind = stated if isinstance(stated, str) and stated else media_type.split(";")[0].strip()
    if kind not in MANIFEST_TYPES:
        kind = OCI_INDEX if "manifests" in document else OCI_MANIFEST if "config" in document else kind
    if kind not in MANIFEST_TYPES:
        raise BundleError(f"{what} has the media type '{kind[:90]}': {', '.join(MANIFEST_TYPES)} are carried")
    if kind in INDEX_TYPES:
        return Manifest(kind, _descriptors(document.get("manifests"), what), ())
    config = parse_descriptor(document.get("config"), what)
    return Manifest(kind, (), (config, *_descriptors(document.get("layers"), what)))


def _descriptors(value: Any, what: str) -> tuple[Descriptor, ...]:
    if not isinstance(value, list):
        raise BundleError(f"{what} holds no list of descriptors")
    if len(value) > MAX_CHILDREN:
        raise BundleError(f"{what} holds {len(value)} descriptors: at most {MAX_CHILDREN} are read")
    return tuple(parse_descriptor(entry, what) for entry in value)
