"""The bundle of an AMANI device: model, knowledge, settings and how to get a certificate, signed, within its storage.

It is written beside its place and moved there when it is whole. The same sources make the same bytes, so that a second
run finds its own bundle and leaves it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from airgap_bundle import sshsig
from airgap_bundle.device_papers import (
    AUTHORITY,
    FORMAT,
    KNOWLEDGE,
    MODEL,
    README,
    SETTINGS,
    SIGNATURE,
    SUMS,
    Snapshot,
    readme_text,
    settings_text,
)
from skerry.catalog import load_catalog
from skerry.config.edge import EdgeSpec
from skerry.config.sense_edge import model_bytes
from skerry.config.spec import DeploymentSpec
from skerry.edge_sizing import device_sum
from skerry.errors import MediumError, SizingError, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_CHUNK: Final = 1 << 20
_UNPORTABLE: Final = frozenset('<>:"|?*\\')
"""What file systems of phones and of Windows take in no name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSources:
    """What a bundle is made of."""

    model: Path
    """A file, or a folder of them."""
    knowledge: Path
    """The same."""
    authority: Path
    """The certificates (PEM) that vouch for the endpoint's own."""
    every_minutes: int
    """How often a device with a connection calls."""


@dataclass(frozen=True, slots=True)
class DeviceBundle:
    """What was made."""

    total: int
    """What a device holds after its longest time alone, in bytes."""
    text: str
    """The arithmetic, for people."""
    written: bool
    """False: it was there already, byte for byte."""
    signer: str


def make_device_bundle(
    spec: DeploymentSpec, sources: DeviceSources, key: Ed25519PrivateKey, to: Path, now: datetime
) -> DeviceBundle:
    """Write the bundle, whole or not at all.

    Args:
        spec: the deployment that devices are reconciled with.
        sources: what goes into it.
        key: who signs it.
        to: its folder, new or the same bundle.
        now: for certificates that end.

    Raises:
        UsageError: a source is missing or cannot be carried, or the folder holds something else.
        SizingError: it is more than a device has, or nobody can tell.
        MediumError: it cannot be read or written.
    """
    edge = _edge(spec)
    _minutes(edge, sources.every_minutes)
    to = to.resolve()
    given = {MODEL: _listed(sources.model, "--model", to), KNOWLEDGE: _listed(sources.knowledge, "--knowledge", to)}
    authority = _authority(sources.authority, edge, now)
    sizes = {part: sum(path.stat().st_size for path in files.values()) for part, files in given.items()}
    _room(edge, sizes[MODEL], sizes[KNOWLEDGE])
    work = to.with_name(f".{to.name}.{os.getpid()}")
    try:
        _space(to, sum(sizes.values()))
        work.mkdir()
        sums = {
            f"{part}/{name}": _copy(path, work / part / name) for part in given for name, path in given[part].items()
        }
        total, text = _finish(work, spec, edge, sources.every_minutes, authority, sums, key)
        written = _put(work, to)
    except OSError as exc:
        where = exc.filename or to
        raise MediumError(
            f"cannot read or write {where}: {exc.strerror or exc}: nothing is left of the bundle"
        ) from exc
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return DeviceBundle(total, text, written, sshsig.public_line(key))


def _finish(
    work: Path,
    spec: DeploymentSpec,
    edge: EdgeSpec,
    every_minutes: int,
    authority: bytes,
    sums: Mapping[str, str],
    key: Ed25519PrivateKey,
) -> tuple[int, str]:
    """Add the papers, the sums and their signature; the sizes are those of what was copied."""
    model, knowledge = (_size(work / part) for part in (MODEL, KNOWLEDGE))
    digest = hashlib.sha256(
        _sums({name: row for name, row in sums.items() if name.startswith(f"{KNOWLEDGE}/")})
    ).hexdigest()
    snapshot = Snapshot(model_bytes=model, knowledge_bytes=knowledge, knowledge_digest=f"sha256:{digest}")
    arithmetic = _room(edge, model, knowledge)[1]
    papers = {
        AUTHORITY: authority,
        SETTINGS: settings_text(spec, edge, every_minutes, snapshot).encode(),
        README: readme_text(edge, arithmetic, sshsig.public_line(key)).encode(),
    }
    for name, raw in papers.items():
        (work / name).write_bytes(raw)
    listed = _sums(dict(sums) | {name: hashlib.sha256(raw).hexdigest() for name, raw in papers.items()})
    (work / SUMS).write_bytes(listed)
    (work / SIGNATURE).write_bytes(sshsig.sign(listed, key, FORMAT))
    return _room(edge, model, knowledge, _size(work) - model - knowledge)


def _edge(spec: DeploymentSpec) -> EdgeSpec:
    edge = spec.edge
    if edge is None:
        raise UsageError("the stack has no `edge`: describe the endpoint that devices call (docs/edge.md)")
    name = edge.device.model
    if name is not None and not load_catalog().model(name, "devices").may_be_passed_on:
        raise UsageError(f"edge.device.model: nobody may pass {name} on (images/models.yaml): name another model")
    return edge


def _minutes(edge: EdgeSpec, minutes: int) -> None:
    least = -(-edge.devices // (edge.limits.requests_per_second * 60))
    if not 1 <= minutes <= 24 * 60:
        raise UsageError(f"--every {minutes} is not between 1 and 1440 minutes")
    if minutes < least:
        raise UsageError(
            f"--every {minutes}: {edge.devices:,} devices each {minutes} minutes are more than the "
            f"{edge.limits.requests_per_second:,} requests a second of edge.limits: use {least} or more"
        )


def _room(edge: EdgeSpec, model: int, knowledge: int, papers: int = 0) -> tuple[int, str]:
    """Return what a device holds, and the arithmetic.

    Raises:
        SizingError: it is more than a device has, more than the stack says, or a part is not known.
    """
    device = edge.device
    told = model_bytes(edge)
    for field, said, real in (("model_bytes", told, model), ("knowledge_bytes", device.knowledge_bytes, knowledge)):
        if said is not None and real > said:
            raise SizingError(
                f"edge.device.{field}: the files have {real:,} bytes, and the stack reckons with {said:,}: "
                "write what they have into the stack and check it again"
            )
    found = device_sum(model, knowledge, device.bytes_per_day, device.days_offline)
    if found.total is None:
        raise SizingError(
            f"edge.device.bytes_per_day is not known, so that nobody can tell whether {device.days_offline} days alone "
            f"fit: {found.text}: measure it and write it into the stack"
        )
    total = found.total + papers
    more = f"; with {papers:,} of settings {total:,}" if papers else ""
    text = f"{found.text}{more}, of {device.storage_bytes:,}"
    if total > device.storage_bytes:
        raise SizingError(
            f"a device holds {device.storage_bytes:,} bytes: {text}: take a smaller model, less knowledge or fewer days"
        )
    return total, text


def _space(to: Path, needed: int) -> None:
    """Say before a long copy that it cannot end well.

    Raises:
        UsageError: there is no folder to write into.
        MediumError: it has too little space.
    """
    if not to.parent.is_dir():
        raise UsageError(f"--to '{to}': the folder {to.parent} is missing: make it, or mount the medium")
    free = shutil.disk_usage(to.parent).free
    if free < needed:
        raise MediumError(f"{to.parent} has {free:,} bytes free, and {needed:,} are needed: choose another --to")


def _listed(source: Path, option: str, to: Path) -> dict[str, Path]:
    """Return name in the bundle -> file of a source, in the order of names."""
    if to.is_relative_to(source.resolve()):
        raise UsageError(f"--to '{to}' lies in {option} '{source}': name a folder elsewhere")
    if not source.exists():
        raise UsageError(f"{option} '{source}' is missing: name a file, or a folder of files")
    found = {source.name: source} if source.is_file() else dict(_below(source, option))
    if not found:
        raise UsageError(f"{option} '{source}' holds no file: name a folder with files")
    seen: dict[str, str] = {}
    for name, path in found.items():
        if not all(_portable(part) for part in name.split("/")):
            raise UsageError(f"{option}: '{path}' has a name that phones cannot store: rename it")
        if name.casefold() in seen:
            raise UsageError(f"{option}: '{name}' and '{seen[name.casefold()]}' are one name on phones: rename one")
        seen[name.casefold()] = name
        if path.stat().st_size == 0:
            raise UsageError(f"{option}: '{path}' is empty: fetch it again")
        if not os.access(path, os.R_OK):
            raise UsageError(f"{option}: '{path}' cannot be read: give who runs this the right to")
    return dict(sorted(found.items()))


def _portable(part: str) -> bool:
    """Say whether file systems of phones take a name, and a list of sums holds it on one line."""
    plain = all(ord(char) >= 32 and char not in _UNPORTABLE and not 0xD800 <= ord(char) <= 0xDFFF for char in part)
    return plain and part == part.strip() and not part.endswith(".") and len(part.encode("utf-8", "replace")) <= 255


def _below(source: Path, option: str) -> Iterator[tuple[str, Path]]:
    for path in sorted(source.rglob("*")):
        if path.is_symlink() and not path.exists():
            raise UsageError(f"{option}: '{path}' leads nowhere: fetch what it names")
        if path.is_file():
            yield path.relative_to(source).as_posix(), path
        elif not path.is_dir() or path.is_symlink():
            raise UsageError(f"{option}: '{path}' is no plain file and no plain folder: leave it out")


def _authority(path: Path, edge: EdgeSpec, now: datetime) -> bytes:
    """Return the certificates by which a device knows the endpoint.

    Raises:
        UsageError: they are none, one ends while a device may be alone, or a private key is among them.
    """
    from cryptography import x509

    try:
        raw = path.read_bytes()
        found = x509.load_pem_x509_certificates(raw)
    except (OSError, ValueError) as exc:
        raise UsageError(f"--authority '{path}' holds no certificate (PEM): {exc}") from exc
    if b"PRIVATE KEY" in raw:
        raise UsageError(
            f"--authority '{path}' holds a private key, which no device may have: take the certificate alone"
        )
    last = now + timedelta(days=edge.device.days_offline)
    for row in found:
        if row.not_valid_after_utc <= last:
            raise UsageError(
                f"--authority '{path}': {row.subject.rfc4514_string()} ends on {row.not_valid_after_utc:%Y-%m-%d}, "
                f"while a device may be alone until {last:%Y-%m-%d} and could not come back: renew it first"
            )
    return raw


def _copy(source: Path, to: Path) -> str:
    """Copy a file and return its SHA-256."""
    to.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with source.open("rb") as reading, to.open("xb") as writing:
        while chunk := reading.read(_CHUNK):
            digest.update(chunk)
            writing.write(chunk)
        writing.flush()
        os.fsync(writing.fileno())
    return digest.hexdigest()


def _sums(rows: Mapping[str, str]) -> bytes:
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(rows.items())).encode()


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _put(work: Path, to: Path) -> bool:
    """Move it to its place; what is there already must be the same.

    Raises:
        UsageError: something else is there.
    """
    if not to.exists() or (to.is_dir() and not any(to.iterdir())):
        if to.exists():
            to.rmdir()
        work.rename(to)
        return True
    if not to.is_dir() or _contents(to) != _contents(work):
        raise UsageError(f"--to '{to}' holds something else, or a bundle that was changed: name a new folder")
    return False


def _contents(folder: Path) -> dict[str, str]:
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                found[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
