"""Keys of machines: a certificate authority of a site with its certificates, and WireGuard's pairs."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from skerry.errors import UsageError

_EARLIER: Final = timedelta(minutes=5)
"""Certificates count from a little before they are made: clocks of machines differ."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def key_pem(self) -> str:
        """Its private key, which leaves the site's folder for no machine."""
        return _key_pem(self.key)

    @property
    def certificate_pem(self) -> str:
        """Its certificate, which every machine gets."""
        return self.certificate.public_bytes(Encoding.PEM).decode()


def new_authority(name: str, now: datetime, days: int) -> Authority:
    """Return a new authority.

    Args:
        name: what it is called in certificates.
        now: when it is made, in UTC.
        days: how long it is good.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    builder = (
        _builder(subject, subject, key.public_key(), now, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Authority(key, builder.sign(key, hashes.SHA256()))


def load_authority(key: str, certificate: str, name: str) -> Authority:
    """Read an authority.

    Args:
        key: its private key, PEM.
        certificate: its certificate, PEM.
        name: what to call it in messages.

    Raises:
        UsageError: they cannot be read, or are not of each other.
    """
    try:
        found, made = load_pem_private_key(key.encode(), None), x509.load_pem_x509_certificate(certificate.encode())
    except (ValueError, TypeError) as exc:
        raise UsageError(f"{name} cannot be read: {exc}; restore it from a backup of the site's folder") from exc
    if not isinstance(found, ec.EllipticCurvePrivateKey) or found.public_key() != made.public_key():
        raise UsageError(f"{name}: key and certificate are not of each other: restore both from one backup")
    return Authority(found, made)


def new_certificate(authority: Authority, name: str, names: Sequence[str], now: datetime, days: int) -> str:
    """Return a certificate for server and client with its key, in one PEM.

    Args:
        authority: who signs.
        name: its common name.
        names: names and addresses that it is good for.
        now: when it is made, in UTC.
        days: how long it is good, at most as long as the authority.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    left = (authority.certificate.not_valid_after_utc - now).days
    builder = (
        _builder(subject, authority.certificate.subject, key.public_key(), now, min(days, left))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False
        )
    )  # fmt: skip
    made = builder.sign(authority.key, hashes.SHA256())
    return made.public_bytes(Encoding.PEM).decode() + _key_pem(key)


def wireguard_pair() -> tuple[str, str]:
    """Return a new private and public key of WireGuard, as `wg` writes them."""
    key = X25519PrivateKey.generate()
    return _base64(key.private_bytes_raw()), _base64(key.public_key().public_bytes_raw())


def wireguard_public(private: str, name: str) -> str:
    """Return the public key of a private one.

    Raises:
        UsageError: it is none.
    """
    try:
        raw = base64.b64decode(private.strip(), validate=True)
        return _base64(X25519PrivateKey.from_private_bytes(raw).public_key().public_bytes_raw())
    except ValueError as exc:
        raise UsageError(f"{name} holds no WireGuard key: {exc}; remove it, and make one anew") from exc


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + timedelta(days=days))
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _alternatives(names: Sequence[str]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in dict.fromkeys(names):
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
