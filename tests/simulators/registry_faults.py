"""A registry that misbehaves in a chosen way: the real protocol, with a fault in front of it."""

from __future__ import annotations

import base64
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from airgap_bundle.rehearsal_registry import Handler, LoopbackRegistry, Store

Fault = Callable[["FaultyHandler", int], bool]
"""Takes the handler and the number of the request (from 1); True when it has answered."""


class FaultyHandler(Handler):
    """Asks the fault first."""

    fault: Fault
    count = 0
    lock = threading.Lock()

    def parse_request(self) -> bool:
        """Let the fault answer in place of the method."""
        if not super().parse_request():
            return False
        kind = type(self)
        with kind.lock:
            kind.count += 1
            number = kind.count
        return not kind.fault(self, number)

    def is_blob(self, method: str = "GET") -> bool:
        """Whether this request is for a blob's bytes."""
        return self.command == method and "/blobs/sha256:" in self.path

    def reply(self, status: int, headers: dict[str, str], body: bytes = b"") -> bool:
        """Answer."""
        self._answer(status, headers, body)
        return True

    def cut(self, status: int, content: bytes, announced: int, extra: dict[str, str] | None = None) -> bool:
        """Send the headers for `announced` bytes and only `content`, then close."""
        self.send_response(status)
        self.send_header("Content-Length", str(announced))
        for name, value in (extra or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()
        self.close_connection = True
        return True

    def blob_content(self) -> bytes:
        """The bytes that this request asks for."""
        path = urlsplit(self.path).path
        return self.store.blobs[path.rpartition("/")[2]]


class FaultyRegistry(LoopbackRegistry):
    """A loopback registry with a fault."""

    def __init__(self, store: Store, fault: Fault) -> None:
        handler = type("_Handler", (FaultyHandler,), {"fault": staticmethod(fault), "lock": threading.Lock()})
        super().__init__(store, handler)
        self.handler = handler

    @property
    def requests(self) -> int:
        """How many requests came."""
        return int(self.handler.count)


class TlsRegistry(LoopbackRegistry):
    """A loopback registry with a certificate for 127.0.0.1 that it signed itself."""

    def __init__(self, store: Store, folder: Path) -> None:
        super().__init__(store)
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "registry")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .sign(key, hashes.SHA256())
        )
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(certificate.public_bytes(Encoding.PEM))
        self.key_file = folder / "key.pem"
        self.key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def _bind(self, handler: type[Handler]) -> ThreadingHTTPServer:
        server = super()._bind(handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca_file, self.key_file)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        return server


def none(handler: FaultyHandler, number: int) -> bool:
    """No fault."""
    return False


def busy(times: int, status: int = 503, header: str = "") -> Fault:
    """Be busy for the first requests."""

    def fault(handler: FaultyHandler, number: int) -> bool:
        if number > times:
            return False
        handler._body()
        return handler.reply(status, {"Retry-After": header} if header else {})

    return fault


def stall(seconds: float, only_blobs: bool = False) -> Fault:
    """Answer nothing for a while."""

    def fault(handler: FaultyHandler, number: int) -> bool:
        if only_blobs and not handler.is_blob():
            return False
        time.sleep(seconds)
        handler.close_connection = True
        return True

    return fault


def trickle(seconds: float) -> Fault:
    """Send a blob one byte at a time."""

    def fault(handler: FaultyHandler, number: int) -> bool:
        if not handler.is_blob():
            return False
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)
        handler.close_connection = True
        return True

    return fault


def wrong_bytes(handler: FaultyHandler, number: int) -> bool:
    """Serve blobs with one byte changed."""
    if not handler.is_blob():
        return False
    content = bytearray(handler.blob_content())
    content[0] ^= 1
    return handler.reply(200, {}, bytes(content))


def longer(handler: FaultyHandler, number: int) -> bool:
    """Serve blobs with one byte more than announced in the manifest."""
    return handler.is_blob() and handler.reply(200, {}, handler.blob_content() + b"!")


def wrong_manifest(handler: FaultyHandler, number: int) -> bool:
    """Serve manifests with a space behind them."""
    if handler.command != "GET" or "/manifests/" not in handler.path:
        return False
    _, repository, reference = handler._route()[0], *handler._route()[::2]
    found = handler.store.manifest(repository, reference)
    return found is not None and handler.reply(200, {"Content-Type": found[2]}, found[1] + b" ")


def cut_blobs(half_times: int, ranges: bool = True) -> Fault:
    """Cut the first blob answers in the middle; without `ranges`, always serve from the first byte."""
    seen = {"blobs": 0}

    def fault(handler: FaultyHandler, number: int) -> bool:
        if not handler.is_blob():
            return False
        seen["blobs"] += 1
        if not ranges:
            del handler.headers["Range"]
        if seen["blobs"] > half_times:
            return False
        content = handler.blob_content()
        return handler.cut(200, content[: len(content) // 2], len(content))

    return fault


def refused(status: int) -> Fault:
    """Refuse everything."""

    def fault(handler: FaultyHandler, number: int) -> bool:
        handler._body()
        body = b'{"errors":[{"code":"DENIED","message":"not\\u001b[31m you"}]}'
        return handler.reply(status, {"Content-Type": "application/json"}, body)

    return fault


def token_login(user: str, password: str) -> Fault:
    """Want a bearer token, which is given for a login."""
    wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def fault(handler: FaultyHandler, number: int) -> bool:
        if urlsplit(handler.path).path == "/token":
            if handler.headers.get("Authorization") != wanted:
                return handler.reply(401, {})
            return handler.reply(200, {}, b'{"token":"t0ken"}')
        if handler.headers.get("Authorization") == "Bearer t0ken":
            return False
        handler._body()
        realm = f"http://{handler.headers['Host']}/token"
        challenge = f'Bearer realm="{realm}",service="test",scope="repository:x:pull"'
        return handler.reply(401, {"WWW-Authenticate": challenge})

    return fault


def basic_login(user: str, password: str) -> Fault:
    """Want a basic login."""
    wanted = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def fault(handler: FaultyHandler, number: int) -> bool:
        if handler.headers.get("Authorization") == wanted:
            return False
        handler._body()
        return handler.reply(401, {"WWW-Authenticate": 'Basic realm="test"'})

    return fault


def redirect_blobs(target: str, seen: list[str | None]) -> Fault:
    """Send blob requests to the registry at `target`."""

    def fault(handler: FaultyHandler, number: int) -> bool:
        if not handler.is_blob():
            return False
        return handler.reply(307, {"Location": f"{target}{handler.path}"})

    return fault


def endless_redirect(handler: FaultyHandler, number: int) -> bool:
    """Redirect to itself."""
    return handler.command == "GET" and handler.reply(302, {"Location": handler.path})


def drop_connections(times: int) -> Fault:
    """Close the connection without an answer."""

    def fault(handler: FaultyHandler, number: int) -> bool:
        if number > times:
            return False
        handler.close_connection = True
        return True

    return fault


def no_mounts(handler: FaultyHandler, number: int) -> bool:
    """Refuse mounts the way registries do that do not support them."""
    if handler.command == "POST" and "mount=" in handler.path:
        handler.path = handler.path.partition("?")[0]
    return False


def rewriting(handler: FaultyHandler, number: int) -> bool:
    """Store manifests under another digest than they have."""
    if handler.command != "PUT" or "/manifests/" not in handler.path:
        return False
    handler._body()
    return handler.reply(201, {"Docker-Content-Digest": "sha256:" + "0" * 64})
