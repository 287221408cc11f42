"""Make a rehearsal of a plan: a stand-in image for each reference, a lock of their digests, and a registry of them.

The stack is previewed again with that lock, so that the manifests carry the stand-ins' digests; export, verify and
import then take the way that real images take.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airgap_bundle import standin
from airgap_bundle.fetch import Sources
from airgap_bundle.oci import OCI_MANIFEST
from airgap_bundle.plan import BundlePlan, ItemKind
from airgap_bundle.rehearsal_registry import LoopbackRegistry, Store
from skerry.catalog import LOCK_SCHEMA, Lock, LockEntry
from skerry.errors import UsageError
from skerry.images import ImageReference, to_site


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The stand-ins of one plan."""

    lock: Lock
    """Preview the stack with it, then plan and export."""
    images: Mapping[str, standin.StandInImage]
    """Source reference -> its stand-in."""

    def registry(self) -> LoopbackRegistry:
        """Return a registry that serves the stand-ins while its `with` block lasts."""
        store = Store()
        for text, image in self.images.items():
            place = to_site(ImageReference.parse(text), "site")
            for content in image.blobs.values():
                store.add_blob(place.repository, content)
            store.add_manifest(place.repository, place.tag or image.digest, image.manifest, OCI_MANIFEST)
        return LoopbackRegistry(store)

    @staticmethod
    def sources(registry: LoopbackRegistry) -> Sources:
        """Return the sources of an export from the running `registry`."""
        return Sources(mirror=registry.address)


def build(plan: BundlePlan) -> Rehearsal:
    """Return a stand-in for each image of `plan`.

    Raises:
        UsageError: an image is known by a digest alone, for which no stand-in can be made.
    """
    images: dict[str, standin.StandInImage] = {}
    for item in plan.of_kind(ItemKind.IMAGE):
        if not ImageReference.parse(item.name).tag:
            raise UsageError(f"{item.name} is known by its digest alone, so no stand-in can be made: give it a tag too")
        images[item.name] = standin.image(item.name)
    entries = {text: LockEntry(digest=image.digest, bytes=image.bytes) for text, image in images.items()}
    return Rehearsal(Lock(schema_=LOCK_SCHEMA, rehearsal=True, images=entries), images)
