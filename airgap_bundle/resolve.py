"""Ask registries what a reference stands for: digests, platforms and sizes of an image, digest and size of a chart.

(1) A tag is asked once, by HEAD; everything after that is asked by digest, so that bytes which do not fit are refused.
(2) Layers are not fetched: their sizes stand in manifests whose digests were checked.
(3) A chart of a classic repository is fetched and hashed: its index is a claim that nobody signed.

# Source: opencontainers/image-spec image-index.md and config.md, read 2026-11
# Source: helm.sh docs "The Chart Repository Guide", the index file, read 2026-11
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from urllib.parse import urljoin

import yaml

from airgap_bundle import helm
from airgap_bundle.fetch import Sources, Tree, fetch_tree
from airgap_bundle.oci import INDEX_TYPES, MAX_MANIFEST_BYTES, Descriptor, is_digest, parse_json, parse_manifest
from airgap_bundle.registry import Registry
from airgap_bundle.sink import MemorySink
from airgap_bundle.transport import Answer, Transport, UnreachableError
from skerry.catalog import ChartEntry, ChartRow, LockEntry, PlatformEntry
from skerry.errors import CatalogError, RegistryError
from skerry.images import ImageReference

MAX_INDEX_BYTES: Final = 32 * 1024 * 1024
"""The index of a large chart repository has some ten megabytes."""
MAX_CHART_BYTES: Final = 64 * 1024 * 1024
"""Helm itself takes at most 20 MiB unpacked from an archive; real charts have some hundred kilobytes."""
ATTESTATION: Final = "vnd.docker.reference.type"
"""The annotation of index rows that describe another row and run nowhere.

Source: docker/buildx docs, "Image attestation storage", read 2026-11.
"""
_MAX_FOREIGN: Final = 160
"""Letters of foreign text in a message."""
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class AbsentError(RegistryError):
    """Report a registry that answered, and has not what was asked for."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a registry answered."""

    entry: LockEntry | ChartEntry
    missing: tuple[str, ...] = ()
    """Platforms that were asked for and are not offered."""


def resolve_image(
    sources: Sources, reference: ImageReference, wanted: Sequence[str], known: LockEntry | None, today: date
) -> Found:
    """Return what `reference` stands for now; where `known` still holds, it is returned without fetching more.

    Raises:
        AbsentError: the registry has no such tag, or none of the wanted platforms.
        RegistryError: the registry refuses, stalls, cannot be reached, or its documents do not fit their digests.
        BundleError: a document is malformed.
    """
    registry, repository = sources.locate(reference)
    found = registry.find_manifest(repository, reference.tag or reference.digest)
    where = f"{registry.host}/{repository}:{reference.tag or reference.digest}"
    if found is None:
        raise AbsentError(f"{where} does not exist: look at the name and the tag")
    if known is not None and known.digest == found.digest and set(wanted) <= set(known.platforms):
        return Found(known)
    tree = fetch_tree(registry, repository, found.digest)
    offered = dict(reversed(list(_platforms(registry, repository, tree, found.digest))))  # the first of two rows counts
    here = {name: offered[name] for name in wanted if name in offered}
    if not here:
        raise AbsentError(f"{where} is offered for {_foreign(', '.join(sorted(offered))) or 'no platform'} alone")
    entry = LockEntry(
        digest=found.digest,
        bytes=tree.total_bytes,
        resolved_on=today.isoformat(),
        media_type=tree.root.media_type,
        answered_by=_other(registry, reference),
        platforms=dict(sorted(here.items())),
    )
    if known is not None and known.digest == entry.digest and known.resolved_on:
        entry = entry.model_copy(update={"resolved_on": known.resolved_on})
    return Found(entry, tuple(name for name in wanted if name not in here))


def _other(registry: Registry, reference: ImageReference) -> str | None:
    return None if registry.host == reference.registry else registry.address


def _platforms(registry: Registry, repository: str, tree: Tree, digest: str) -> Iterator[tuple[str, PlatformEntry]]:
    """Yield each platform under the manifest `digest`, in the order of the index."""
    raw, what = tree.manifests[digest], f"{registry.host}/{repository}@{digest}"
    if tree.types[digest] not in INDEX_TYPES:
        yield _platform_of_config(registry, repository, tree, digest), _entry(tree, digest)
        return
    for row in parse_json(raw, what)["manifests"]:
        child, named = row["digest"], row.get("platform")
        if ATTESTATION in (row.get("annotations") or {}):
            continue
        if tree.types[child] in INDEX_TYPES or not isinstance(named, dict):
            yield from _platforms(registry, repository, tree, child)
        elif named.get("os") != "unknown":
            yield platform_name(named), _entry(tree, child)


def platform_name(document: dict[str, Any]) -> str:
    """Return `os/architecture[/variant]`; 64-bit ARM has one variant, v8, which is left out as clients do.

    Source: containerd/platforms v1.0.0 database.go normalizeArch, read 2026-11.
    """
    system, architecture, variant = (str(document.get(key) or "") for key in ("os", "architecture", "variant"))
    if (architecture, variant) == ("arm64", "v8"):
        variant = ""
    return "/".join(part for part in (system, architecture, variant) if part)


def _platform_of_config(registry: Registry, repository: str, tree: Tree, digest: str) -> str:
    config = parse_manifest(tree.manifests[digest], digest, tree.types[digest]).blobs[0]
    if config.size > MAX_MANIFEST_BYTES:
        raise RegistryError(f"{registry.host}/{repository}: config {config.digest} has {config.size} bytes: no image")
    sink = MemorySink()
    registry.fetch_blob(repository, config, sink)
    document = parse_json(bytes(sink.data), f"the config {config.digest}")
    if not document.get("os") or not document.get("architecture"):
        raise RegistryError(f"{registry.host}/{repository}@{digest} names no platform: it is no image that runs")
    return platform_name(document)


def _entry(tree: Tree, digest: str) -> PlatformEntry:
    parsed = parse_manifest(tree.manifests[digest], digest, tree.types[digest])
    config, layers = parsed.blobs[0], parsed.blobs[1:]
    return PlatformEntry(
        digest=digest,
        media_type=parsed.media_type,
        manifest_bytes=len(tree.manifests[digest]),
        config_bytes=config.size,
        layer_bytes=sum({layer.digest: layer.size for layer in layers}.values()),
        layers=len(layers),
    )


# -- charts -----------------------------------------------------------------------------------------------------------


def resolve_chart(sources: Sources, row: ChartRow, known: ChartEntry | None, today: date) -> Found:
    """Return what the chart's version stands for now.

    Raises:
        AbsentError: the repository has no such version.
        RegistryError: the repository refuses, stalls, cannot be reached, or its bytes do not fit what it says.
        BundleError: what it gives is no chart.
    """
    made = _oci_chart(sources, row) if row.repository.startswith("oci://") else _classic_chart(sources, row)
    if known is not None and known.digest == made.digest and known.resolved_on:
        return Found(made.model_copy(update={"resolved_on": known.resolved_on}))
    return Found(made.model_copy(update={"resolved_on": today.isoformat()}))


def _oci_chart(sources: Sources, row: ChartRow) -> ChartEntry:
    tag = row.version.replace("+", "_")  # as Helm writes it
    try:
        reference = ImageReference.parse(f"{row.repository.removeprefix('oci://').rstrip('/')}/{row.name}:{tag}")
    except CatalogError as exc:
        raise AbsentError(str(exc)) from exc
    registry, repository = sources.locate(reference)
    where = f"{registry.host}/{repository}:{tag}"
    found = registry.find_manifest(repository, tag)
    if found is None:
        raise AbsentError(f"{where} does not exist: look at the name and the version")
    raw, media_type = registry.manifest(repository, found.digest)
    blobs = parse_manifest(raw, where, media_type).blobs
    charts: list[Descriptor] = [blob for blob in blobs[1:] if blob.media_type == helm.LAYER_TYPE]
    if not blobs or blobs[0].media_type != helm.CONFIG_TYPE or len(charts) != 1:
        raise RegistryError(f"{where} is no Helm chart: its config or its layer is of another type")
    return ChartEntry(
        digest=charts[0].digest,
        bytes=charts[0].size,
        manifest=found.digest,
        answered_by=_other(registry, reference),
    )


def _classic_chart(sources: Sources, row: ChartRow) -> ChartEntry:
    base = row.repository.rstrip("/") + "/"
    transport = sources.transport
    index = _get(transport, urljoin(base, "index.yaml"), MAX_INDEX_BYTES)
    claimed, url = _index_entry(index, row, base)
    packaged = _get(transport, url, MAX_CHART_BYTES)
    digest = f"sha256:{hashlib.sha256(packaged).hexdigest()}"
    if claimed and claimed != digest:
        raise RegistryError(f"{url} has the digest {digest}, and the index of its repository says {claimed}")
    found = helm.name_and_version(packaged, url)
    if found != (row.name, row.version):
        raise RegistryError(f"{url} is the chart {_foreign(' '.join(found))}, not {row.locked_as}")
    return ChartEntry(digest=digest, bytes=len(packaged))


def _index_entry(raw: bytes, row: ChartRow, base: str) -> tuple[str, str]:
    """Return the digest, empty where the index gives none, and the address of a version."""
    try:
        document = yaml.load(raw, Loader=_LOADER)  # either is a safe loader
        entries = document["entries"].get(row.name) or []
        match = [entry for entry in entries if str(entry["version"]).removeprefix("v") == row.version.removeprefix("v")]
        if not match:
            raise AbsentError(f"{base}index.yaml has no version {row.version} of the chart {row.name}")
        digest, address = str(match[0].get("digest") or ""), str(match[0]["urls"][0])
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as exc:
        raise RegistryError(f"{base}index.yaml is no index of a chart repository: {_foreign(str(exc))}") from exc
    digest = digest if digest.startswith("sha256:") or not digest else f"sha256:{digest}"
    if digest and not is_digest(digest):
        raise RegistryError(f"{base}index.yaml gives {digest[:90]!r} as the digest of {row.name} {row.version}")
    return digest, urljoin(base, address)


def _foreign(text: str) -> str:
    """Return a stranger's words for a message: short, on one line."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:_MAX_FOREIGN])


def _get(transport: Transport, url: str, limit: int) -> bytes:
    answer: Answer = transport.send("GET", url, {})
    try:
        if answer.status == 404:
            raise AbsentError(f"{url} does not exist")
        if answer.status != 200:
            raise RegistryError(f"{answer.where} was answered with {answer.status}")
        return answer.read_all(limit)
    except OSError as exc:
        raise UnreachableError(f"{answer.where} broke off: {exc}; try again later") from exc
    finally:
        transport.drop(url)
