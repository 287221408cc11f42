"""The set manifest: the one signed document that names every byte of a bundle.

What its fields mean stands in docs/bundle-format.md.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from airgap_bundle.bundle_format import (
    BLOB_FOLDER,
    BUNDLE_SCHEMA,
    INDEX_NAME,
    LAYOUT_NAME,
    MAX_VOLUMES,
    volume_name,
)
from airgap_bundle.oci import MAX_BLOB_BYTES, Descriptor, canonical, parse_json
from airgap_bundle.plan import ItemKind
from skerry.errors import BundleError, RefusedError

_HEX: Final = r"^[0-9a-f]{64}$"
_DIGEST: Final = r"^sha256:[0-9a-f]{64}$"
_PATH: Final = rf"^(?:{LAYOUT_NAME}|index\.json|{BLOB_FOLDER}/[0-9a-f]{{64}})$"
# The grammar of repositories and tags. Source: opencontainers/distribution-spec spec.md, read 2026-11
_REPOSITORY: Final = r"^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$"
_TAG: Final = r"^(?:[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127})?$"


class BundleKind(str, Enum):
    """What the images of a bundle are."""

    REAL = "real"
    REHEARSAL = "rehearsal"
    """Generated stand-ins that only show that the way works."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class FileEntry(_Row):
    """One file of a volume, other than the set manifest and its signature."""

    path: str = Field(pattern=_PATH)
    bytes: int = Field(ge=0, le=MAX_BLOB_BYTES)
    sha256: str = Field(pattern=_HEX)

    @model_validator(mode="after")
    def _named_by_content(self) -> Self:
        if self.path.startswith(BLOB_FOLDER) and self.path != f"{BLOB_FOLDER}/{self.sha256}":
            raise ValueError(f"{self.path} is not named by its digest")
        return self


class VolumeEntry(_Row):
    """One volume: a folder that is an OCI image layout."""

    name: str
    files: tuple[FileEntry, ...]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        paths = [entry.path for entry in self.files]
        if len(set(paths)) != len(paths) or LAYOUT_NAME not in paths or INDEX_NAME not in paths:
            raise ValueError(f"{self.name} lists a file twice, or lacks {LAYOUT_NAME} or {INDEX_NAME}")
        return self

    @property
    def blobs(self) -> dict[str, int]:
        """The blobs of the volume: hex digest -> bytes."""
        return {entry.sha256: entry.bytes for entry in self.files if entry.path.startswith(BLOB_FOLDER)}

    @property
    def total_bytes(self) -> int:
        """The sum of the files' sizes."""
        return sum(entry.bytes for entry in self.files)


class ArtifactEntry(_Row):
    """One image, model, baseline, chart or set of files."""

    kind: str = Field(pattern="^(?:image|model|baseline|chart|file-set)$")
    name: str = Field(min_length=1, max_length=512)
    reference: str = Field(min_length=1, max_length=512)
    """The source reference without a digest; the name under which a volume's index lists it."""
    repository: str = Field(pattern=_REPOSITORY, max_length=255)
    """Where it lies in a site registry, below the site's own prefix."""
    tag: str = Field(pattern=_TAG)
    """Empty for an image that is known by its digest alone."""
    digest: str = Field(pattern=_DIGEST)
    bytes: int = Field(ge=0, le=MAX_BLOB_BYTES)
    """The size of the manifest or index."""
    media_type: str = Field(min_length=1, max_length=255)
    total_bytes: int = Field(ge=0)
    """The manifest and everything under it, each blob once."""
    volumes: tuple[str, ...]
    """The volumes on which blobs of it lie."""
    why: tuple[str, ...]

    @property
    def root(self) -> Descriptor:
        """The descriptor of its manifest or index."""
        return Descriptor(self.digest, self.bytes, self.media_type)

    @property
    def item_kind(self) -> ItemKind:
        """What it is."""
        return ItemKind(self.kind)


class Deployment(_Row):
    """Which stack the bundle is for."""

    project: str
    stack: str
    stacks: tuple[str, ...]


class SetManifest(_Row):
    """The whole set."""

    schema_: str = Field(alias="schema")
    kind: str = Field(pattern="^(?:real|rehearsal)$")
    deployment: Deployment
    created: str = Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
    tool: str
    volume_bytes: int | None = None
    """The size that a volume may have; None for one volume without a limit."""
    volumes: tuple[VolumeEntry, ...] = Field(min_length=1, max_length=MAX_VOLUMES)
    artifacts: tuple[ArtifactEntry, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [volume.name for volume in self.volumes]
        if names != [volume_name(number) for number in range(1, len(names) + 1)]:
            raise ValueError("the volumes are not numbered from volume-001 without a gap")
        references = [artifact.reference for artifact in self.artifacts]
        if len(set(references)) != len(references):
            raise ValueError("two artifacts have the same reference")
        return self

    @property
    def bundle_kind(self) -> BundleKind:
        """Whether it carries real content or stand-ins."""
        return BundleKind(self.kind)

    def to_bytes(self) -> bytes:
        """Return the canonical bytes, which are what is signed."""
        return canonical(self.model_dump(mode="json", by_alias=True)) + b"\n"


def read_manifest(raw: bytes) -> SetManifest:
    """Read a set manifest whose signature was checked.

    Raises:
        RefusedError: it is of another schema version, or malformed: what is signed need not be sound.
    """
    try:
        document = parse_json(raw, "the set manifest", limit=len(raw))
    except BundleError as exc:
        raise RefusedError(str(exc)) from exc
    schema = document.get("schema")
    if schema != BUNDLE_SCHEMA:
        raise RefusedError(
            f"the bundle's schema is '{str(schema)[:60]}', and this version reads {BUNDLE_SCHEMA}: "
            "use the skerry version that wrote it"
        )
    try:
        return SetManifest.model_validate_json(raw)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RefusedError(f"the set manifest is malformed at '{where}': {first['msg']}") from exc
