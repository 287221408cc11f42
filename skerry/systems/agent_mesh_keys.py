"""Keys, certificates, provisioning bundles and the trust store of an agent mesh, as texts; nothing is written here.

The vendor names two commands, `provisioning.generate_keys` and `provisioning.create_bundle`, and no form of what they
write. These forms are ours, with their name and version in the file:

(1) `skerry.mesh-bundle/1`: what one node is given. Its own key pair, the gateways' URLs and their public key, where it
    stands, what it may do, and until when.
(2) `skerry.mesh-trust/1`: what gateways are given. Each node's public key and the serial of its bundle, and which are
    revoked.
Both bear the gateway identity's signature over the same document without its field `signature`, as JSON with sorted
keys and no blanks.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from skerry.errors import UsageError
from skerry.systems.agent_mesh_places import Mesh

BUNDLE_SCHEMA: Final = "skerry.mesh-bundle/1"
TRUST_SCHEMA: Final = "skerry.mesh-trust/1"


def private_pem(key: Ed25519PrivateKey) -> str:
    """Return a private key as PKCS#8 in PEM, unencrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def load_identity(text: str, name: str) -> Ed25519PrivateKey:
    """Read a gateway's identity.

    Args:
        text: PEM.
        name: what to call it in messages.

    Raises:
        UsageError: it is no Ed25519 key.
    """
    try:
        key = load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError) as exc:
        raise UsageError(f"{name} holds no private key: {exc}; take the one that `skerry mesh keys` made") from exc
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{name} holds no Ed25519 key: take the one that `skerry mesh keys` made")
    return key


def public_text(key: Ed25519PrivateKey) -> str:
    """Return the public key of a private one: its 32 bytes as base64."""
    return base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def bundle(
    mesh: Mesh, node_id: str, identity: Ed25519PrivateKey, key: Ed25519PrivateKey, now: datetime, days: int
) -> dict[str, Any]:
    """Return one node's provisioning bundle.

    Args:
        mesh: the mesh.
        node_id: the node, `<machine>-<port>`.
        identity: the gateways' key, which signs.
        key: the node's own, made for this bundle.
        now: when it is issued, in UTC.
        days: how long it is good.

    Raises:
        UsageError: the mesh has no such node.
    """
    rows = {row[0]: row for row in mesh.node_ids()}
    if node_id not in rows:
        raise UsageError(f"'{node_id}' is no node of this mesh: {', '.join(rows) or 'it has none'}")
    _, machine, port, nodes = rows[node_id]
    place = nodes.place
    document = {
        "schema": BUNDLE_SCHEMA,
        "node_id": node_id,
        "machine": machine,
        "port": port,
        "gateways": list(mesh.gateway_urls()),
        "gateway_public_key": public_text(identity),
        "node_private_key": private_pem(key),
        "node_public_key": public_text(key),
        "serial": hashlib.sha256(public_text(key).encode()).hexdigest()[:16],
        "region": nodes.region,
        "capabilities": list(nodes.capabilities),
        "place": {"latitude": place.latitude, "longitude": place.longitude, "area": place.area} if place else None,
        "issued": _stamp(now),
        "expires": _stamp(now + timedelta(days=days)),
    }
    return signed(document, identity)


def trust_row(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the trust store says of a node, from its bundle."""
    return {
        "public_key": given["node_public_key"],
        "serial": given["serial"],
        "expires": given["expires"],
        "revoked": None,
    }


def trust_store(nodes: Mapping[str, Mapping[str, Any]], revoked: Mapping[str, str], identity: Ed25519PrivateKey) -> Any:
    """Return the trust store that every gateway gets.

    Args:
        nodes: node -> its row.
        revoked: serial -> when it was revoked.
        identity: the gateways' key, which signs.
    """
    document = {
        "schema": TRUST_SCHEMA,
        "gateway_public_key": public_text(identity),
        "nodes": {name: dict(row) for name, row in sorted(nodes.items())},
        "revoked": dict(sorted(revoked.items())),
    }
    return signed(document, identity)


def signed(document: Mapping[str, Any], identity: Ed25519PrivateKey) -> dict[str, Any]:
    """Return a document with its signature."""
    return {**document, "signature": base64.b64encode(identity.sign(_canonical(document))).decode()}


def checked(text: str, schema: str, identity: Ed25519PrivateKey, name: str) -> dict[str, Any]:
    """Read a document that this mesh's identity signed.

    Args:
        text: JSON.
        schema: which form it must have.
        identity: who must have signed.
        name: what to call it in messages.

    Raises:
        UsageError: it is no such document, or another key signed it.
    """
    try:
        document = json.loads(text)
        signature = base64.b64decode(document.pop("signature"), validate=True)
    except (ValueError, KeyError, AttributeError, TypeError) as exc:
        raise UsageError(f"{name} is no signed document: {type(exc).__name__}; restore it from a backup") from exc
    if document.get("schema") != schema:
        raise UsageError(f"{name} has the form {document.get('schema')!r}, and {schema!r} is read: use that Skerry")
    public: Ed25519PublicKey = identity.public_key()
    try:
        public.verify(signature, _canonical(document))
    except InvalidSignature as exc:
        raise UsageError(
            f"{name} does not bear the signature of this folder's gateway_identity.pem: it was changed, or belongs to "
            "another identity; restore it, or make a new one with `skerry mesh rotate --identity`"
        ) from exc
    return dict(document)


def json_text(document: Mapping[str, Any]) -> str:
    """Return a document as its file holds it."""
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
