"""Signatures in OpenSSH's SSHSIG form with Ed25519: what `ssh-keygen -Y sign` makes and `-Y verify` reads.

A signature file is accepted in one spelling only: what this module would write for the same content. So no byte of
it can change without being noticed.

# Source: openssh-portable PROTOCOL.sshsig, read 2026-11
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

from skerry.errors import RefusedError, UsageError

_MAGIC: Final = b"SSHSIG"
_VERSION: Final = 1
_KEY_TYPE: Final = b"ssh-ed25519"
_HASHES: Final = {b"sha512": hashlib.sha512, b"sha256": hashlib.sha256}
_BEGIN: Final = "-----BEGIN SSH SIGNATURE-----"
_END: Final = "-----END SSH SIGNATURE-----"
_LINE: Final = 70


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that was read; nothing about it is believed yet."""

    public_key: bytes
    """The key in SSH wire form."""
    namespace: str
    hash_name: bytes
    blob: bytes
    """64 bytes."""


def load_key(path: Path, passphrase: bytes | None = None) -> Ed25519PrivateKey:
    """Read an OpenSSH private key file.

    Raises:
        UsageError: the file cannot be read, needs a passphrase, or holds no Ed25519 key.
    """
    remedy = "make one with `ssh-keygen -t ed25519`"
    try:
        key = load_ssh_private_key(path.read_bytes(), passphrase)
    except UnsupportedAlgorithm as exc:
        if "bcrypt" in str(exc):
            raise UsageError(
                f"the signing key {path} has a passphrase, and to open it the Python package bcrypt is needed: "
                "`pip install bcrypt`, or take a key without a passphrase"
            ) from exc
        raise UsageError(f"the signing key {path} cannot be used: {exc}; {remedy}") from exc
    except (OSError, ValueError, TypeError) as exc:
        raise UsageError(f"the signing key {path} cannot be used: {exc}; {remedy}") from exc
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"the signing key {path} is no Ed25519 key: {remedy}")
    return key


def public_line(key: Ed25519PrivateKey) -> str:
    """Return the public key the way an allowed_signers file holds it: `ssh-ed25519 AAAA...`."""
    return f"ssh-ed25519 {base64.b64encode(wire_key(key)).decode()}"


def fingerprint(wire_key: bytes) -> str:
    """Return a key's fingerprint as ssh-keygen shows it: `SHA256:...`."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(wire_key).digest()).decode().rstrip("=")


def sign(message: bytes, key: Ed25519PrivateKey, namespace: str) -> bytes:
    """Return the signature file of `message`."""
    blob = key.sign(_signed(message, namespace, b"sha512"))
    return _write(Signature(wire_key(key), namespace, b"sha512", blob))


def read(raw: bytes) -> Signature:
    """Read a signature file.

    Raises:
        RefusedError: it is not an SSHSIG signature with Ed25519, or not in the one spelling.
    """
    try:
        text = raw.decode("ascii")
        lines = text.split("\n")
        if lines[0] != _BEGIN or lines[-1] != "" or lines[-2] != _END:
            raise ValueError("its first or last line is wrong")
        signature = _parse(base64.b64decode("".join(lines[1:-2]), validate=True))
    except (ValueError, IndexError, binascii.Error, struct.error) as exc:
        raise RefusedError(f"the signature file is not an SSHSIG signature with Ed25519: {exc}") from exc
    if _write(signature) != raw:
        raise RefusedError("the signature file is not in the spelling that ssh-keygen writes: it was changed")
    return signature


def check(signature: Signature, message: bytes) -> bool:
    """Say whether the signature was made over `message` with its key."""
    key = Ed25519PublicKey.from_public_bytes(_fields(signature.public_key)[1])
    try:
        key.verify(signature.blob, _signed(message, signature.namespace, signature.hash_name))
    except InvalidSignature:
        return False
    return True


def _signed(message: bytes, namespace: str, hash_name: bytes) -> bytes:
    digest = _HASHES[hash_name](message).digest()
    return _MAGIC + b"".join(_string(part) for part in (namespace.encode(), b"", hash_name, digest))


def _write(signature: Signature) -> bytes:
    parts = (signature.public_key, signature.namespace.encode(), b"", signature.hash_name)
    inner = _string(_KEY_TYPE) + _string(signature.blob)
    blob = _MAGIC + struct.pack(">I", _VERSION) + b"".join(_string(part) for part in parts) + _string(inner)
    text = base64.b64encode(blob).decode()
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return "\n".join([_BEGIN, *lines, _END, ""]).encode()


def _parse(blob: bytes) -> Signature:
    if blob[:6] != _MAGIC or struct.unpack(">I", blob[6:10])[0] != _VERSION:
        raise ValueError("it is not SSHSIG version 1")
    public, namespace, reserved, hash_name, inner = _fields(blob[10:], 5)
    kind, signature = _fields(inner, 2)
    key_kind, key = _fields(public, 2)
    if kind != _KEY_TYPE or key_kind != _KEY_TYPE or len(key) != 32 or len(signature) != 64:
        raise ValueError("its key is no Ed25519 key")
    if hash_name not in _HASHES or reserved:
        raise ValueError("its hash is neither sha512 nor sha256")
    return Signature(public, namespace.decode(), hash_name, signature)


def _fields(data: bytes, count: int = 2) -> list[bytes]:
    found = []
    for _ in range(count):
        (length,) = struct.unpack(">I", data[:4])
        if length > len(data) - 4:
            raise ValueError("it is cut short")
        found.append(data[4 : 4 + length])
        data = data[4 + length :]
    if data:
        raise ValueError("it holds more than it should")
    return found


def _string(part: bytes) -> bytes:
    return struct.pack(">I", len(part)) + part


def wire_key(key: Ed25519PrivateKey) -> bytes:
    """Return the public key in SSH wire form."""
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return _string(_KEY_TYPE) + _string(raw)
