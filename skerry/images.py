"""Image references, and how they map to a site registry and back.

(1) Every reference is held in full: `neo4j:5.26` is `docker.io/library/neo4j:5.26`, as Docker resolves it.
(2) At a site with `image_access: rewrite`, `docker.io/qdrant/qdrant:v1` becomes `<site>/docker.io/qdrant/qdrant:v1`:
    the source registry stays in the path, so that two sources never meet and the way back is exact.
(3) At a site with `image_access: mirror` references stay as they are, and the nodes are told to ask the mirror.

Bundle, policy, render and proof all map through this module, so they cannot disagree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from skerry.errors import CatalogError

# Grammar of repository names, tags and digests.
# Source: opencontainers/distribution-spec spec.md "Pulling manifests", read 2026-11
_REPOSITORY = re.compile(r"^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$")
_TAG = re.compile(r"^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$")
_DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")
_REGISTRY = re.compile(r"^[a-zA-Z0-9.-]+(?::\d{1,5})?$")

DEFAULT_REGISTRY = "docker.io"
SITE_CHARTS = "charts"
"""Where a site registry holds Helm charts: `oci://<site>/charts/<name>`, tagged with the chart's version."""


@dataclass(frozen=True, slots=True)
class ImageReference:
    """A full image reference."""

    registry: str
    """Host and optional port."""
    repository: str
    tag: str = ""
    digest: str = ""
    """`sha256:` and 64 hex digits; empty where not pinned."""

    @classmethod
    def parse(cls, text: str) -> ImageReference:
        """Read a reference the way Docker does.

        Raises:
            CatalogError: `text` is not an image reference.
        """
        rest, _, digest = text.partition("@")
        head, slash, tail = rest.partition("/")
        if slash and ("." in head or ":" in head or head == "localhost"):
            registry, path = head, tail
        else:
            registry, path = DEFAULT_REGISTRY, rest
        name, _, tag = path.partition(":")
        if registry == DEFAULT_REGISTRY and "/" not in name:
            name = f"library/{name}"
        if not digest and not tag:
            tag = "latest"
        valid = (
            _REGISTRY.match(registry)
            and _REPOSITORY.match(name)
            and (not tag or _TAG.match(tag))
            and (not digest or _DIGEST.match(digest))
            and ("@" not in text or digest)
        )
        if not valid:
            raise CatalogError(
                f"'{text}' is no image reference: write registry/repository:tag or registry/repository@sha256:<64 hex>"
            )
        return cls(registry, name, tag, digest)

    def __str__(self) -> str:
        """Return the full reference."""
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.registry}/{self.repository}{tag}{f'@{self.digest}' if self.digest else ''}"

    def with_digest(self, digest: str | None) -> ImageReference:
        """Return the same reference pinned to `digest`; None leaves it as it is."""
        return replace(self, digest=digest) if digest else self

    @property
    def source(self) -> str:
        """The reference without its digest: the key of images/images.lock."""
        return str(replace(self, digest="")) if self.tag else str(self)


def to_site(reference: ImageReference, site_registry: str | None, image_access: str = "rewrite") -> ImageReference:
    """Return the reference that manifests carry at a site; without a site registry, or with `mirror`, the same one."""
    if not site_registry or image_access == "mirror":
        return reference
    host, _, prefix = site_registry.partition("/")
    path = f"{reference.registry.replace(':', '_')}/{reference.repository}"
    return replace(reference, registry=host, repository=f"{prefix}/{path}" if prefix else path)


def from_site(reference: ImageReference, site_registry: str) -> ImageReference:
    """Return the source reference of one that `to_site` made.

    Raises:
        CatalogError: `reference` does not lie in the site registry.
    """
    host, _, prefix = site_registry.partition("/")
    path = reference.repository.removeprefix(f"{prefix}/") if prefix else reference.repository
    registry, slash, repository = path.partition("/")
    if reference.registry != host or not slash or (prefix and path == reference.repository):
        raise CatalogError(f"'{reference}' does not lie in the site registry '{site_registry}'")
    return replace(reference, registry=re.sub(r"_(\d{1,5})$", r":\1", registry), repository=repository)
