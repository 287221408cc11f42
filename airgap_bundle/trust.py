"""Whose signatures count: OpenSSH's allowed_signers file.

# Source: ssh-keygen(1) "ALLOWED SIGNERS", OpenSSH 9.2, read 2026-11
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from airgap_bundle import sshsig
from skerry.errors import RefusedError, UsageError

_TOKEN: Final = re.compile(r'(?:[^\s"]|"(?:\\.|[^"\\])*")+')
_OPTION: Final = re.compile(r'([a-z-]+)(?:="((?:\\.|[^"\\])*)")?(?:,|$)', re.IGNORECASE)
_KEY_PREFIXES: Final = ("ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-", "rsa-")
_TIMES: Final = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
MAX_TRUST_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Signer:
    """One line of a trust file."""

    line: int
    principals: str
    key: bytes
    """SSH wire form."""
    namespaces: str
    """Patterns, separated by commas; empty allows each."""
    valid_after: datetime | None
    valid_before: datetime | None


@dataclass(frozen=True, slots=True)
class TrustFile:
    """All signers of a trust file."""

    path: Path
    signers: tuple[Signer, ...]
    unsupported: tuple[str, ...]
    """Lines that are not counted, and why."""


def read_trust(path: Path | None) -> TrustFile:
    """Read an allowed_signers file.

    Raises:
        RefusedError: no file was given: without one nothing can be trusted.
        UsageError: the file cannot be read, or a line is malformed.
    """
    if path is None:
        raise RefusedError(
            "no trust file was given, so the signature cannot be trusted: name a file in ssh's allowed_signers form "
            "that you got on another way than the medium"
        )
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_TRUST_BYTES + 1)
        text = raw.decode("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"the trust file {path} cannot be read: {exc}") from exc
    if len(raw) > MAX_TRUST_BYTES:
        raise UsageError(f"the trust file {path} is larger than {MAX_TRUST_BYTES} bytes")
    signers: list[Signer] = []
    unsupported: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            read = _line(path, number, line)
            if isinstance(read, str):
                unsupported.append(read)
            else:
                signers.append(read)
    return TrustFile(path, tuple(signers), tuple(unsupported))


def check(message: bytes, signature_file: bytes, trust: TrustFile, namespace: str, now: datetime) -> str:
    """Return the principals of the signer whom the trust file allows to sign `message`.

    Raises:
        RefusedError: the signature is not one, is for other bytes or another purpose, or its key is not trusted now.
    """
    signature = sshsig.read(signature_file)
    shown = sshsig.fingerprint(signature.public_key)
    if signature.namespace != namespace:
        raise RefusedError(f"the signature was made for '{signature.namespace[:60]}', not for '{namespace}'")
    known = [signer for signer in trust.signers if signer.key == signature.public_key]
    if not known:
        more = f"; {'; '.join(trust.unsupported)}" if trust.unsupported else ""
        raise RefusedError(f"the signing key {shown} is not in the trust file {trust.path}{more}")
    if not sshsig.check(signature, message):
        raise RefusedError(f"the signature by {shown} does not fit the set manifest: one of them was changed")
    reasons = []
    for signer in known:
        reason = _not_now(signer, namespace, now)
        if not reason:
            return signer.principals
        reasons.append(reason)
    raise RefusedError(f"the signing key {shown} is not trusted: {'; '.join(reasons)}")


def _not_now(signer: Signer, namespace: str, now: datetime) -> str:
    where = f"line {signer.line}"
    patterns = [pattern for pattern in signer.namespaces.split(",") if pattern]
    if patterns and not _matches(namespace, patterns):
        return f"{where} allows the namespaces {signer.namespaces}, not {namespace}"
    if signer.valid_after and now < signer.valid_after:
        return f"{where} counts from {signer.valid_after.isoformat()}, and it is {now.isoformat(timespec='seconds')}"
    if signer.valid_before and now > signer.valid_before:
        return f"{where} expired at {signer.valid_before.isoformat()}, and it is {now.isoformat(timespec='seconds')}"
    return ""


def _matches(text: str, patterns: list[str]) -> bool:
    """Match as ssh does: `*` and `?`; a pattern after `!` that matches rules the text out."""
    if any(pattern.startswith("!") and fnmatchcase(text, _glob(pattern[1:])) for pattern in patterns):
        return False
    return any(not pattern.startswith("!") and fnmatchcase(text, _glob(pattern)) for pattern in patterns)


def _glob(pattern: str) -> str:
    return pattern.replace("[", "[[]")  # ssh knows no character sets


def _line(path: Path, number: int, line: str) -> Signer | str:
    where = f"{path} line {number}"
    tokens = _TOKEN.findall(line)
    if len(tokens) < 3:
        raise UsageError(f"{where}: write principals, options and a key: `release@example ssh-ed25519 AAAA...`")
    principals, *rest = tokens
    options: dict[str, str] = {}
    if not rest[0].startswith(_KEY_PREFIXES):
        options = _options(where, rest.pop(0))
    if "cert-authority" in options:
        return f"{where} is a cert-authority, which is not supported: list the signing key itself"
    if len(rest) < 2:
        raise UsageError(f"{where}: the key is missing")
    if rest[0] != "ssh-ed25519":
        return f"{where} holds a key of type {rest[0]}: only ssh-ed25519 is supported"
    try:
        key = base64.b64decode(rest[1], validate=True)
    except (ValueError, binascii.Error) as exc:
        raise UsageError(f"{where}: the key is not base64") from exc
    after, before = (_moment(where, options.get(name)) for name in ("valid-after", "valid-before"))
    return Signer(number, principals.strip('"'), key, options.get("namespaces", ""), after, before)


def _options(where: str, text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _OPTION.match(text, position)
        if match is None:
            raise UsageError(f"{where}: the options '{text}' cannot be read")
        name = match.group(1).lower()
        if name not in ("cert-authority", "namespaces", "valid-after", "valid-before") or name in found:
            raise UsageError(
                f"{where}: the option '{name}' is unknown or stands twice: "
                "cert-authority, namespaces, valid-after and valid-before are known"
            )
        found[name] = (match.group(2) or "").replace('\\"', '"')
        position = match.end()
    return found


def _moment(where: str, text: str | None) -> datetime | None:
    """Read YYYYMMDD[HHMM[SS]][Z]; without Z it is local time, as for ssh-keygen."""
    if text is None:
        return None
    digits = text.removesuffix("Z")
    try:
        moment = datetime.strptime(digits, _TIMES[len(digits)])
    except (KeyError, ValueError) as exc:
        raise UsageError(f"{where}: the time '{text}' is not of the form YYYYMMDD[HHMM[SS]][Z]") from exc
    return moment.replace(tzinfo=UTC) if text.endswith("Z") else moment.astimezone()
