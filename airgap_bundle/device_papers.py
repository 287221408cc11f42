"""What an AMANI device reads beside model and knowledge: its settings, and for people how it gets its certificate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from skerry.catalog import load_catalog
from skerry.config.edge import PORT, DeviceCertificates, EdgeSpec
from skerry.config.spec import DeploymentSpec

FORMAT: Final = "skerry-device@1"
"""Of `settings.json`, and what the signature is made for: `ssh-keygen -Y verify -n skerry-device@1`."""
SETTINGS: Final = "settings.json"
AUTHORITY: Final = "authority.pem"
README: Final = "README.md"
SUMS: Final = "SHA256SUMS"
SIGNATURE: Final = f"{SUMS}.sig"
MODEL: Final = "model"
KNOWLEDGE: Final = "knowledge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What was counted of the files that a device carries."""

    model_bytes: int
    knowledge_bytes: int
    knowledge_digest: str
    """Over the names and sums of its files: the name of this snapshot."""


def settings_text(spec: DeploymentSpec, edge: EdgeSpec, every_minutes: int, found: Snapshot) -> str:
    """Return what the client on the device reads.

    Args:
        spec: the deployment that the device is reconciled with.
        edge: its part for devices.
        every_minutes: how often a device with a connection calls.
        found: what it carries.

    Raises:
        CatalogError: the model has no row.
    """
    device, limits = edge.device, edge.limits
    row = None if device.model is None else load_catalog().model(device.model, "devices")
    document = {
        "format": FORMAT,
        "sync": {
            "endpoint": f"https://{edge.host}:{PORT}",
            "authority": AUTHORITY,
            "every_minutes": every_minutes,
            "requests_per_minute": limits.device_requests_per_minute,
            "request_bytes": limits.request_bytes,
            "retry_after_seconds": limits.retry_after_s,
            "certificates": edge.certificates.value,
        },
        "offline": {"days": device.days_offline, "bytes_per_day": device.bytes_per_day},
        "storage_bytes": device.storage_bytes,
        "model": {
            "path": MODEL,
            "bytes": found.model_bytes,
            "name": None if row is None else row.name,
            "source": None if row is None else row.source,
            "revision": None if row is None else row.revision,
            "licence": None if row is None else row.licence,
        },
        "knowledge": {"path": KNOWLEDGE, "bytes": found.knowledge_bytes, "digest": found.knowledge_digest},
        "data_class": (edge.data_class or spec.data_class).value,
        "jurisdictions": list(edge.jurisdictions),
    }
    return json.dumps(document, indent=2) + "\n"


def readme_text(edge: EdgeSpec, arithmetic: str, signer: str) -> str:
    """Return what people do with the bundle.

    Args:
        edge: the deployment's part for devices.
        arithmetic: what the device holds, and of how much.
        signer: the public key of who signed it.
    """
    return "\n".join(_readme(edge, arithmetic, signer)) + "\n"


def _readme(edge: EdgeSpec, arithmetic: str, signer: str) -> Iterator[str]:
    own = edge.certificates is DeviceCertificates.DEVICE
    days = edge.certificate_days
    yield f"# What a device carries for {edge.host}"
    yield ""
    yield arithmetic
    yield ""
    yield "## Before anything is laid on a device"
    yield ""
    yield "The signer's key must be known from elsewhere; the one below only says which it was."
    yield ""
    yield "```sh"
    yield f"echo 'device namespaces=\"{FORMAT}\" {signer}' > ../allowed_signers   # compare it first"
    yield f"ssh-keygen -Y verify -f ../allowed_signers -I device -n {FORMAT} -s {SIGNATURE} < {SUMS}"
    yield f"sha256sum --check --strict --quiet {SUMS}"
    yield "```"
    yield ""
    yield f"## The certificate of a {'device' if own else 'fleet'}"
    yield ""
    yield f"None is in this folder, which is the same for every device. {_who(own)}"
    yield f"The site's authority, whose `ca.crt` is in the Secret `{edge.authority_secret}`, signs the request:"
    yield ""
    yield "```sh"
    yield f"NAME={'device-0001' if own else 'fleet-1'}"
    yield "umask 077"
    yield 'openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$NAME" \\'
    yield '  -keyout "$NAME.key" -out "$NAME.csr"'
    yield 'cat > "$NAME.ext" <<END'
    yield "basicConstraints=critical,CA:FALSE"
    yield "keyUsage=critical,digitalSignature"
    yield "extendedKeyUsage=clientAuth"
    yield "subjectAltName=DNS:$NAME"
    yield "END"
    yield 'openssl x509 -req -in "$NAME.csr" -CA ca.crt -CAkey ca.key -CAcreateserial \\'
    yield f'  -days {days or "${DAYS:?how long it is good}"} -extfile "$NAME.ext" -out "$NAME.crt"'
    yield "```"
    yield ""
    yield f"It must last longer than the {edge.device.days_offline} days that a device may be alone."
    if edge.revocation_secret is None:
        yield "There is no list of revoked ones: a lost device is trusted until its certificate ends."
    else:
        yield f"A lost device's serial number goes into the list in the Secret `{edge.revocation_secret}`."


def _who(own: bool) -> str:
    if own:
        return "Each device makes its own key, which never leaves it."
    return "A fleet shares one key, so that a lost device shuts all of it out."
