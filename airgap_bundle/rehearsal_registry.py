"""A small registry on loopback, in memory: the source of a rehearsal, and the empty site of a demonstration.

It speaks the distribution API as far as clients use it: pull with `Range`, uploads in one or more pieces, mounts,
manifests by tag and digest (children must be there first), the catalog.

# Source: opencontainers/distribution-spec spec.md endpoints end-1 to end-11, read 2026-11
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import ClassVar, Final
from urllib.parse import parse_qs, urlsplit

from airgap_bundle.oci import Manifest, is_digest, parse_manifest, sha256
from skerry.errors import BundleError

_ROUTE: Final = re.compile(r"^/v2/(?P<repository>.+)/(?P<noun>manifests|blobs|tags)/(?P<rest>.+)$")
_RANGE: Final = re.compile(r"^bytes=(\d+)-(\d*)$")
_PIECE_BYTES: Final = 1 << 20


class Store:
    """What a registry holds; safe for many threads."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, tuple[bytes, str]] = {}
        """Digest -> bytes and media type."""
        self.links: dict[str, set[str]] = {}
        """Repository -> digests of the blobs and manifests that belong to it."""
        self.tags: dict[tuple[str, str], str] = {}
        self.uploads: dict[str, bytearray] = {}
        self.lock = threading.RLock()

    def add_blob(self, repository: str, content: bytes) -> str:
        """Keep a blob; return its digest."""
        digest = sha256(content)
        with self.lock:
            self.blobs[digest] = content
            self.links.setdefault(repository, set()).add(digest)
        return digest

    def add_manifest(self, repository: str, reference: str, content: bytes, media_type: str) -> str:
        """Keep a manifest under a tag or digest; return its digest.

        Raises:
            BundleError: it is malformed, or something that it names is not in the repository.
        """
        digest = sha256(content)
        parsed: Manifest = parse_manifest(content, "the manifest", media_type)
        with self.lock:
            held = self.links.setdefault(repository, set())
            missing = [d.digest for d in (*parsed.manifests, *parsed.blobs) if d.digest not in held]
            if missing:
                raise BundleError(f"{missing[0]} is not in {repository}")
            self.manifests[digest] = (content, media_type)
            held.add(digest)
            if not is_digest(reference):
                self.tags[repository, reference] = digest
        return digest

    def blob(self, repository: str, digest: str) -> bytes | None:
        """Return a blob of a repository."""
        with self.lock:
            return self.blobs.get(digest) if digest in self.links.get(repository, ()) else None

    def manifest(self, repository: str, reference: str) -> tuple[str, bytes, str] | None:
        """Return digest, bytes and media type of a manifest of a repository."""
        with self.lock:
            digest = reference if is_digest(reference) else self.tags.get((repository, reference), "")
            if digest not in self.manifests or digest not in self.links.get(repository, ()):
                return None
            return digest, *self.manifests[digest]


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a body after its headers would wait 40 ms for the client's delayed ACK
    store: ClassVar[Store]

    def do_GET(self) -> None:
        """Serve a manifest, a blob, the tags or the catalog."""
        self._serve()

    def do_HEAD(self) -> None:
        """Serve the headers of what GET gives."""
        self._serve()

    def do_POST(self) -> None:
        """Begin an upload, or mount a blob of another repository."""
        body = self._body()
        route = self._route()
        if route is None or route[1] != "blobs":
            self._refuse(404, "NAME_UNKNOWN")
            return
        repository, query = route[0], parse_qs(urlsplit(self.path).query)
        digest = query.get("mount", query.get("digest", [""]))[0]
        if "mount" in query:
            content = self.store.blob(query.get("from", [""])[0], digest)
            if content is not None:
                self.store.add_blob(repository, content)
                self._answer(201, {"Location": f"/v2/{repository}/blobs/{digest}"})
                return
        elif digest and sha256(body) == digest:
            self.store.add_blob(repository, body)
            self._answer(201, {"Location": f"/v2/{repository}/blobs/{digest}"})
            return
        session = uuid.uuid4().hex
        with self.store.lock:
            self.store.uploads[session] = bytearray()
        self._answer(202, {"Location": f"/v2/{repository}/blobs/uploads/{session}", "Docker-Upload-UUID": session})

    def do_PATCH(self) -> None:
        """Take one piece of an upload."""
        body = self._body()
        session = urlsplit(self.path).path.rpartition("/")[2]
        with self.store.lock:
            upload = self.store.uploads.get(session)
            if upload is not None:
                upload += body
                size = len(upload)
        if upload is None:
            self._refuse(404, "BLOB_UPLOAD_UNKNOWN")
            return
        self._answer(202, {"Location": urlsplit(self.path).path, "Range": f"0-{max(size - 1, 0)}"})

    def do_PUT(self) -> None:
        """Store a manifest, or end an upload."""
        body = self._body()
        route = self._route()
        if route is None:
            self._refuse(404, "NAME_UNKNOWN")
        elif route[1] == "manifests":
            self._put_manifest(route[0], route[2], body)
        else:
            self._end_upload(route[0], route[2].rpartition("/")[2], body)

    def do_DELETE(self) -> None:
        """Give up an upload."""
        session = urlsplit(self.path).path.rpartition("/")[2]
        with self.store.lock:
            known = self.store.uploads.pop(session, None)
        if known is None:
            self._refuse(404, "BLOB_UPLOAD_UNKNOWN")
        else:
            self._answer(204)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: only the command shows anything."""

    # -- parts ----------------------------------------------------------------------------------------------------

    def _route(self) -> tuple[str, str, str] | None:
        match = _ROUTE.match(urlsplit(self.path).path)
        return (match["repository"], match["noun"], match["rest"]) if match else None

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _serve(self) -> None:
        path = urlsplit(self.path).path
        if path in ("/v2", "/v2/"):
            self._answer(200, {"Content-Type": "application/json"}, b"{}")
            return
        if path == "/v2/_catalog":
            with self.store.lock:
                names = sorted(name for name, held in self.store.links.items() if held)
            self._answer(200, {"Content-Type": "application/json"}, json.dumps({"repositories": names}).encode())
            return
        route = self._route()
        found = None
        if route and route[1] == "manifests":
            found = self.store.manifest(route[0], route[2])
        if found is not None:
            digest, content, media_type = found
            self._answer(200, {"Content-Type": media_type, "Docker-Content-Digest": digest}, content)
            return
        blob = self.store.blob(route[0], route[2]) if route and route[1] == "blobs" else None
        if route is None or blob is None:
            self._refuse(404, "BLOB_UNKNOWN" if route and route[1] == "blobs" else "MANIFEST_UNKNOWN")
            return
        self._send_blob(route[2], blob)

    def _send_blob(self, digest: str, content: bytes) -> None:
        headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": digest}
        asked = _RANGE.match(self.headers.get("Range", ""))
        if asked is None:
            self._answer(200, headers, content)
            return
        first = int(asked[1])
        last = min(int(asked[2] or len(content) - 1), len(content) - 1)
        if first > last:
            self._answer(416, {"Content-Range": f"bytes */{len(content)}"})
            return
        headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
        self._answer(206, headers, content[first : last + 1])

    def _put_manifest(self, repository: str, reference: str, body: bytes) -> None:
        if is_digest(reference) and sha256(body) != reference:
            self._refuse(400, "DIGEST_INVALID")
            return
        try:
            digest = self.store.add_manifest(repository, reference, body, self.headers.get("Content-Type", ""))
        except BundleError as exc:
            self._refuse(400, "MANIFEST_BLOB_UNKNOWN", str(exc))
            return
        self._answer(201, {"Location": f"/v2/{repository}/manifests/{digest}", "Docker-Content-Digest": digest})

    def _end_upload(self, repository: str, session: str, body: bytes) -> None:
        digest = parse_qs(urlsplit(self.path).query).get("digest", [""])[0]
        with self.store.lock:
            upload = self.store.uploads.pop(session, None)
        if upload is None:
            self._refuse(404, "BLOB_UPLOAD_UNKNOWN")
            return
        content = bytes(upload) + body
        if sha256(content) != digest:
            self._refuse(400, "DIGEST_INVALID")
            return
        self.store.add_blob(repository, content)
        self._answer(201, {"Location": f"/v2/{repository}/blobs/{digest}", "Docker-Content-Digest": digest})

    def _refuse(self, status: int, code: str, message: str = "") -> None:
        body = json.dumps({"errors": [{"code": code, "message": message or code.lower()}]}).encode()
        self._answer(status, {"Content-Type": "application/json"}, body)

    def _answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            view = memoryview(body)
            for start in range(0, len(view), _PIECE_BYTES):
                self.wfile.write(view[start : start + _PIECE_BYTES])


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 32

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing when a client goes away in the middle."""


class LoopbackRegistry:
    """A registry that runs while the `with` block lasts.

    Example:
        with LoopbackRegistry() as registry:
            load(medium, trust, registry.address, rehearsal_site=True)
    """

    def __init__(self, store: Store | None = None, handler: type[Handler] = Handler) -> None:
        self.store = store or Store()
        self._handler = handler
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """`127.0.0.1:port`.

        Raises:
            BundleError: the registry does not run.
        """
        if self._server is None:
            raise BundleError("the loopback registry does not run: use it in a with block")
        return f"127.0.0.1:{self._server.server_address[1]}"

    def _bind(self, handler: type[Handler]) -> ThreadingHTTPServer:
        """Take a free port."""
        return _Server(("127.0.0.1", 0), handler)

    def __enter__(self) -> LoopbackRegistry:
        """Start to serve on a free port."""
        handler = type("_BoundHandler", (self._handler,), {"store": self.store})
        self._server = self._bind(handler)
        serve: Callable[[float], None] = self._server.serve_forever
        self._thread = threading.Thread(target=serve, args=(0.05,), name="loopback-registry", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
        self._server = self._thread = None
