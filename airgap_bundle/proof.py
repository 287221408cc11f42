"""Prove that a site registry has what a stack names: each reference, by the digest that its manifests carry."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

from airgap_bundle.plan import site_references
from airgap_bundle.registry import Registry
from skerry.errors import CatalogError
from skerry.graph import ResourceGraph
from skerry.images import ImageReference, from_site, to_site


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the site registry answered for one reference of a stack."""

    reference: str
    """The reference as the manifests carry it."""
    site_reference: str
    """Where it was looked for."""
    expected: str
    """The digest that it is pinned to; empty where it is not pinned."""
    found: str
    """The digest that the registry has; empty for none."""

    @property
    def ok(self) -> bool:
        """Whether the pinned digest is there; a reference without a pin proves nothing."""
        return bool(self.expected) and self.expected == self.found


def prove(graph: ResourceGraph | Iterable[tuple[str, str]], registry: Registry | str) -> list[Resolved]:
    """Look up every image reference of a graph (or pairs of source reference and digest) in the site registry.

    The registry's address may differ from the one in the manifests: the mapping of skerry.images leads from one to
    the other. Both the digest and, where there is one, the tag must answer with the pinned digest.

    Raises:
        RegistryError: the registry refuses or stalls.
        CatalogError: a reference cannot be read.
    """
    site = registry if isinstance(registry, Registry) else Registry.at(registry)
    return [_look(site, text, source, digest) for text, source, digest in _wanted(graph)]


def _wanted(graph: ResourceGraph | Iterable[tuple[str, str]]) -> list[tuple[str, ImageReference, str]]:
    if not isinstance(graph, ResourceGraph):
        return [(text, ImageReference.parse(text), digest) for text, digest in graph]
    wanted = []
    for text, digest, target in site_references(graph):
        reference = ImageReference.parse(text)
        if target is not None and target.site_registry and target.image_access != "mirror":
            # One that is not of the site registry is looked for under its own name, and not found.
            with contextlib.suppress(CatalogError):
                reference = from_site(reference, target.site_registry)
        wanted.append((text, reference, digest or reference.digest))
    return wanted


def _look(site: Registry, text: str, source: ImageReference, digest: str) -> Resolved:
    place = to_site(source, site.address)
    answers = {source.tag, digest} - {""}
    found = [site.find_manifest(place.repository, answer) for answer in sorted(answers)]
    digests = {answer.digest if answer else "" for answer in found}
    same = digests.pop() if len(digests) == 1 else ""
    return Resolved(text, str(place), digest, same)
