"""From a reference to everything under it: where images come from, and the tree of manifests of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from airgap_bundle.auth import Login
from airgap_bundle.oci import MAX_DEPTH, MAX_MANIFEST_BYTES, Descriptor, parse_manifest
from airgap_bundle.registry import Registry
from airgap_bundle.transport import Transport, TransportOptions
from skerry.errors import RegistryError
from skerry.images import ImageReference, to_site


@dataclass(frozen=True, slots=True)
class Tree:
    """An artifact with everything under it."""

    root: Descriptor
    manifests: Mapping[str, bytes]
    """Digest -> bytes of the root and of every manifest under it, children before their parents."""
    types: Mapping[str, str]
    """Digest -> media type of each manifest."""
    blobs: Mapping[str, Descriptor]
    """Digest -> config or layer."""

    @property
    def sizes(self) -> dict[str, int]:
        """Digest -> bytes of every manifest, config and layer."""
        sizes = {digest: blob.size for digest, blob in self.blobs.items()}
        return sizes | {digest: len(raw) for digest, raw in self.manifests.items()}

    @property
    def total_bytes(self) -> int:
        """The sum of all sizes."""
        return sum(self.sizes.values())


@dataclass
class Sources:
    """Where images are fetched: from their own registries, or from others that stand for them."""

    overrides: Mapping[str, str] = field(default_factory=dict)
    """Registry host of a reference -> address to ask in its place, for example `{"docker.io": "127.0.0.1:5000"}`."""
    mirror: str | None = None
    """A registry that holds every source registry as a path, the way a site registry does."""
    options: TransportOptions = field(default_factory=TransportOptions)
    logins: Mapping[str, Login] = field(default_factory=dict)
    """Address or host -> login."""
    _transport: Transport | None = None
    _registries: dict[str, Registry] = field(default_factory=dict)

    def locate(self, reference: ImageReference) -> tuple[Registry, str]:
        """Return the registry to ask for `reference`, and the repository there."""
        if self.mirror is not None:
            mapped = to_site(reference, self.mirror)
            return self._registry(mapped.registry), mapped.repository
        registry = self._registry(self.overrides.get(reference.registry, reference.registry))
        return registry, registry.path(reference.repository)

    @property
    def transport(self) -> Transport:
        """The connections that all registries share."""
        if self._transport is None:
            self._transport = Transport(self.options)
        return self._transport

    def _registry(self, address: str) -> Registry:
        if address not in self._registries:
            login = self.logins.get(address) or self.logins.get(address.partition("/")[0])
            self._registries[address] = Registry(address, self.transport, login)
        return self._registries[address]


def fetch_tree(registry: Registry, repository: str, digest: str) -> Tree:
    """Fetch the manifest `digest` and every manifest under it; an index is taken with all of its platforms.

    Raises:
        RegistryError: the registry refuses, stalls, or its documents do not fit their digests and sizes.
        BundleError: a document is malformed.
    """
    manifests: dict[str, bytes] = {}
    types: dict[str, str] = {}
    blobs: dict[str, Descriptor] = {}

    def visit(wanted: str, media_type: str, size: int | None, depth: int) -> None:
        if wanted in manifests:
            return
        what = f"{registry.host}/{repository}@{wanted}"
        if depth > MAX_DEPTH:
            raise RegistryError(f"{what} lies more than {MAX_DEPTH} indexes deep: such an image is not carried")
        if size is not None and size > MAX_MANIFEST_BYTES:
            raise RegistryError(f"{what} is said to have {size} bytes: at most {MAX_MANIFEST_BYTES} are read")
        raw, answered = registry.manifest(repository, wanted)
        if size is not None and len(raw) != size:
            raise RegistryError(f"{what} has {len(raw)} bytes, and its index says {size}: the index is broken")
        parsed = parse_manifest(raw, what, media_type or answered)
        for child in parsed.manifests:
            visit(child.digest, child.media_type, child.size, depth + 1)
        manifests[wanted] = raw
        types[wanted] = parsed.media_type
        for blob in parsed.blobs:
            known = blobs.setdefault(blob.digest, blob)
            if known.size != blob.size:
                raise RegistryError(f"{what} gives two sizes for {blob.digest}: the image is broken")

    visit(digest, "", None, 0)
    return Tree(Descriptor(digest, len(manifests[digest]), types[digest]), manifests, types, blobs)
