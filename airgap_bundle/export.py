"""Write a bundle: from registries and folders to signed volumes, in one pass over the bytes.

(1) Manifests are fetched first: they say every size, so the division into volumes is known before the first layer.
(2) Each blob streams from its source through SHA-256 into a part file, and gets its name when its digest is right.
(3) The signed set manifest is written last, the signature before it; the state folder goes after that. Whatever ends
    an export before leaves a folder that no reader takes for a bundle, and that the next run continues.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from airgap_bundle import sshsig, standin
from airgap_bundle.artifacts import CarriedFile, check_pin, file_tree, find_files, place
from airgap_bundle.bundle_format import (
    BLOB_FOLDER,
    INDEX_NAME,
    LAYOUT_BYTES,
    LAYOUT_NAME,
    MANIFEST_NAME,
    MAX_SET_MANIFEST_BYTES,
    SIGNATURE_NAME,
    SIGNATURE_NAMESPACE,
    volume_name,
)
from airgap_bundle.fetch import Sources, Tree, fetch_tree
from airgap_bundle.layout import Carried, Header, build_set
from airgap_bundle.manifest import BundleKind, SetManifest
from airgap_bundle.medium import ExportFolder, medium_errors, sync_folder
from airgap_bundle.oci import canonical, sha256
from airgap_bundle.pack import FromFile, FromMemory, FromRegistry, Job, Origin, Packer
from airgap_bundle.plan import BundlePlan, ItemKind, PlanItem
from airgap_bundle.progress import Progress, Serial, Silent
from airgap_bundle.volumes import Parcel, pack
from skerry.errors import MediumError, UsageError
from skerry.images import ImageReference, to_site

CONNECTIONS: Final = 4
_SIGNATURE_ROOM_BYTES: Final = 512
_RESERVE_STEP_BYTES: Final = 1024
"""Steps in which the room for a volume's metadata grows to what is needed."""


@dataclass(frozen=True, slots=True)
class FileFolders:
    """Where models, baselines and charts are taken from; each may be missing where none is needed."""

    models: Path | None = None
    baselines: Path | None = None
    charts: Path | None = None
    file_sets: Path | None = None

    def of(self, kind: ItemKind) -> Path | None:
        """Return the folder for one kind."""
        return {
            ItemKind.MODEL: self.models,
            ItemKind.BASELINE: self.baselines,
            ItemKind.CHART: self.charts,
            ItemKind.FILE_SET: self.file_sets,
        }.get(kind)


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote."""

    medium: Path
    manifest: SetManifest
    manifest_digest: str
    signer: str
    """The fingerprint of the signing key."""
    fetched_bytes: int
    """Bytes that came from registries and folders in this run."""
    present_bytes: int
    """Bytes that an earlier run had left, hashed again."""
    resumed: bool


def utc_now() -> datetime:
    """Return the time; the default of every `clock` argument."""
    return datetime.now(UTC)


@dataclass
class _Content:
    """What is carried, and where each blob comes from."""

    carried: list[Carried] = field(default_factory=list)
    origins: dict[str, Origin] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[CarriedFile, ...]] = field(default_factory=dict)
    """Reference of a model, baseline or chart -> its files."""
    late: set[str] = field(default_factory=set)
    """Manifests of those: known only when their files were read."""


def export(
    plan: BundlePlan,
    medium: Path,
    *,
    source: Sources,
    key: Ed25519PrivateKey | Path,
    passphrase: bytes | None = None,
    clock: Callable[[], datetime] = utc_now,
    volume_bytes: int | None = None,
    kind: BundleKind = BundleKind.REAL,
    progress: Progress | None = None,
    folders: FileFolders | None = None,
) -> ExportReport:
    """Write everything that `plan` lists to the folder `medium`, or go on with an export that was cut off there.

    Raises:
        UsageError: the plan cannot be exported, the key cannot be used, or a file to carry is missing.
        RegistryError: a source registry refuses, stalls or answers wrongly.
        MediumError: the medium is full, read-only, or holds something else.
        BundleError: an image or a file is not what it is pinned to.
    """
    shown = Serial(progress or Silent())
    signing_key = sshsig.load_key(key, passphrase) if isinstance(key, Path) else key
    _require_exportable(plan, kind)
    created = clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    header = Header(kind, plan.project, plan.stacks, created, volume_bytes)
    content = _files(plan, kind, folders or FileFolders())
    _images(plan, source, content)
    volumes = _divide(header, content.carried)
    folder = ExportFolder(medium)
    try:
        resumed = folder.open(_fingerprint(header, content, volumes))
        packer = Packer(folder, shown)
        packer.prepare(len(volumes))
        jobs = _jobs(content, volumes)
        folder.require_space(packer.missing_bytes(jobs))
        shown.start(sum(job.size for job in jobs), len(jobs))
        _run(packer, jobs)
        shown.finish()
        manifest, raw = _seal(packer, header, content, volumes, signing_key)
        folder.finish()
    finally:
        folder.close()
    signer = sshsig.fingerprint(sshsig.wire_key(signing_key))
    return ExportReport(medium, manifest, sha256(raw), signer, packer.fetched_bytes, packer.present_bytes, resumed)


def _require_exportable(plan: BundlePlan, kind: BundleKind) -> None:
    if (kind is BundleKind.REHEARSAL) != plan.rehearsal:
        made = "stand-ins" if plan.rehearsal else "real images"
        raise UsageError(f"a {kind.value} bundle cannot be made of a plan whose lock pins {made}")
    if plan.problems:
        more = f" (and {len(plan.problems) - 1} more)" if len(plan.problems) > 1 else ""
        raise UsageError(
            f"the plan is incomplete, so its bundle would be: {plan.problems[0]}{more}; see `skerry bundle plan`"
        )
    missing = [item for item in plan.unresolved if item.kind is ItemKind.IMAGE or kind is BundleKind.REAL]
    if missing:
        names = ", ".join(item.name for item in missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise UsageError(f"{len(missing)} items are not resolved ({names}): pin them in images/ before an export")


def _files(plan: BundlePlan, kind: BundleKind, folders: FileFolders) -> _Content:
    """Find the files of models, baselines and charts; placeholders stand for their digests."""
    content = _Content()
    for item in plan.items:
        if item.kind is ItemKind.IMAGE:
            continue
        folder = folders.of(item.kind)
        generated = kind is BundleKind.REHEARSAL and folder is None
        files = standin.files(item) if generated else find_files(item, folder)
        digests = {file.title: file.placeholder for file in files}
        tree = file_tree(item, files, digests)
        repository, tag = place(item)
        one = Carried(item, f"{repository}:{tag}", repository, tag, tree)
        content.carried.append(one)
        content.files[one.reference] = files
        content.late.update(tree.manifests)
        content.owners.update(dict.fromkeys(tree.blobs, one.reference))
        content.origins.update(dict.fromkeys(tree.blobs, FromMemory(files[0].config)))
        for file in files:
            origin = FromMemory(file.content) if file.path is None else FromFile(file.path)
            content.origins[digests[file.title]] = origin
    return content


def _images(plan: BundlePlan, source: Sources, content: _Content) -> None:
    """Fetch the manifests of every image (1)."""

    def fetch(item: PlanItem) -> tuple[Carried, Mapping[str, Origin]]:
        reference = ImageReference.parse(item.name)
        registry, repository = source.locate(reference)
        tree = fetch_tree(registry, repository, item.digest or "")
        origins: dict[str, Origin] = {
            digest: FromRegistry(registry, repository, blob.media_type) for digest, blob in tree.blobs.items()
        }
        origins |= {digest: FromMemory(raw) for digest, raw in tree.manifests.items()}
        return Carried(item, item.name, to_site(reference, "site").repository, reference.tag, tree), origins

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for carried, origins in pool.map(fetch, plan.of_kind(ItemKind.IMAGE)):
            content.carried.append(carried)
            for digest, origin in origins.items():
                content.origins.setdefault(digest, origin)
                content.owners.setdefault(digest, carried.reference)


def _divide(header: Header, carried: Sequence[Carried]) -> tuple[dict[str, int], ...]:
    """Return the blobs of each volume, leaving room for the metadata that comes to it."""
    parcels = [Parcel(one.reference, one.tree.sizes) for one in carried]
    if header.volume_bytes is None:
        return pack(parcels, None)
    reserve = _RESERVE_STEP_BYTES
    while reserve < header.volume_bytes:
        volumes = pack(parcels, header.volume_bytes - reserve)
        made = build_set(header, carried, volumes)
        metadata = len(made.manifest.to_bytes()) + max(len(index) for index in made.indexes.values())
        needed = metadata + len(LAYOUT_BYTES) + _SIGNATURE_ROOM_BYTES
        if needed <= reserve:
            return volumes
        reserve = needed + _RESERVE_STEP_BYTES
    raise UsageError(
        f"a volume of {header.volume_bytes} bytes cannot even hold the set manifest and the indexes ({reserve} bytes): "
        "make volumes larger with --volume-size"
    )


def _fingerprint(header: Header, content: _Content, volumes: Sequence[Mapping[str, int]]) -> str:
    references = [[one.reference, one.tree.root.digest] for one in content.carried]
    document = [header.kind.value, list(header.stacks), references, [sorted(volume.items()) for volume in volumes]]
    return hashlib.sha256(canonical(document)).hexdigest()


def _jobs(content: _Content, volumes: Sequence[Mapping[str, int]]) -> list[Job]:
    """Return one job a blob, largest first: the last transfers to end are then short ones."""
    sizes = {digest: size for volume in volumes for digest, size in volume.items() if digest not in content.late}
    return [
        Job(
            digest,
            size,
            tuple(volume_name(number) for number, volume in enumerate(volumes, 1) if digest in volume),
            content.origins[digest],
            content.owners[digest],
        )
        for digest, size in sorted(sizes.items(), key=lambda entry: (-entry[1], entry[0]))
    ]


def _run(packer: Packer, jobs: Sequence[Job]) -> None:
    """Run all jobs; the first failure stops the others."""
    pool = ThreadPoolExecutor(CONNECTIONS)
    try:
        futures = [pool.submit(packer.run, job) for job in jobs]
        done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        failed = next((future for future in done if not future.cancelled() and future.exception()), None)
        if failed is not None:
            packer.stop.set()
            failed.result()
    except BaseException:
        packer.stop.set()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _seal(
    packer: Packer, header: Header, content: _Content, volumes: Sequence[dict[str, int]], key: Ed25519PrivateKey
) -> tuple[SetManifest, bytes]:
    """Write the last documents of each volume, and the signed set manifest after all others (3)."""
    settled: list[Carried] = []
    final: list[dict[str, int]] = [
        {packer.read_as.get(digest, digest): size for digest, size in volume.items()} for volume in volumes
    ]
    for one in content.carried:
        files = content.files.get(one.reference)
        tree = one.tree if files is None else _settle(packer, one, files, final)
        settled.append(replace(one, tree=tree))
    made = build_set(header, settled, final)
    raw = made.manifest.to_bytes()
    if len(raw) > MAX_SET_MANIFEST_BYTES:
        raise UsageError(
            f"the set manifest has {len(raw)} bytes, and at most {MAX_SET_MANIFEST_BYTES} are read: "
            "make several bundles"
        )
    signature = sshsig.sign(raw, key, SIGNATURE_NAMESPACE)
    roots = {volume.name: packer.folder.root / volume.name for volume in made.manifest.volumes}
    for name, root in roots.items():
        packer.folder.put(root / LAYOUT_NAME, LAYOUT_BYTES)
        packer.folder.put(root / INDEX_NAME, made.indexes[name])
    for volume in made.manifest.volumes:
        _require_only(roots[volume.name], {entry.path for entry in volume.files})
    for root in roots.values():
        with medium_errors(root):
            sync_folder(root / BLOB_FOLDER)
        packer.folder.put(root / SIGNATURE_NAME, signature)
    for root in roots.values():
        packer.folder.put(root / MANIFEST_NAME, raw)
    return made.manifest, raw


def _settle(packer: Packer, one: Carried, files: tuple[CarriedFile, ...], final: Sequence[dict[str, int]]) -> Tree:
    """Replace the placeholders of a model, baseline or chart, and write its manifest."""
    digests = {file.title: packer.read_as.get(file.placeholder, file.placeholder) for file in files}
    tree = file_tree(one.item, files, digests)
    check_pin(one.item, tree)
    for number, volume in enumerate(final, 1):
        if one.tree.root.digest in volume:
            size = volume.pop(one.tree.root.digest)
            volume[tree.root.digest] = size
            packer.put(tree.manifests[tree.root.digest], tree.root.hex, [volume_name(number)])
    return tree


def _require_only(root: Path, expected: set[str]) -> None:
    """Refuse to sign a volume into which something else was put."""
    with medium_errors(root):
        found = {path.relative_to(root).as_posix() for path in root.rglob("*")} - {"blobs", BLOB_FOLDER}
    if found != expected:
        names = ", ".join(sorted(found ^ expected)[:3])
        raise MediumError(f"{root} does not hold what was written to it ({names}): export into an empty folder")
