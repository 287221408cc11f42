"""A client of the OCI distribution API: pull with resume, push with mounts, digests checked as bytes pass.

# Source: opencontainers/distribution-spec spec.md (pull, push, mount, end-1 to end-11), read 2026-11
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Final
from urllib.parse import quote, urlencode, urljoin, urlsplit

from airgap_bundle.auth import Login, parse_challenge
from airgap_bundle.oci import MANIFEST_TYPES, MAX_MANIFEST_BYTES, Descriptor, is_digest, sha256
from airgap_bundle.sink import Sink
from airgap_bundle.transport import (
    MIN_BYTES_PER_WINDOW,
    Answer,
    Body,
    StalledError,
    Transport,
    TransportOptions,
    is_loopback,
)
from skerry.errors import RegistryError

_MAX_ERROR_BYTES: Final = 64 * 1024
_MAX_TOKEN_BYTES: Final = 256 * 1024
# Source: docker.io is a name; its API is served by this host. distribution/reference v0.6.0
# normalize.go, read 2026-11
_API_HOSTS: Final = {"docker.io": "registry-1.docker.io"}

PULL: Final = "pull"
PUSH: Final = "pull,push"


@dataclass(frozen=True, slots=True)
class Found:
    """A manifest that a registry has."""

    digest: str
    media_type: str
    size: int | None


@dataclass
class Registry:
    """One registry host, with an optional path prefix under which repositories lie."""

    address: str
    """`host`, `host:port` or `host:port/prefix`."""
    transport: Transport
    login: Login | None = None
    _tokens: dict[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, address: str, options: TransportOptions | None = None, login: Login | None = None) -> Registry:
        """Return a client of the registry at `address`."""
        return cls(address.rstrip("/"), Transport(options or TransportOptions()), login)

    @property
    def host(self) -> str:
        """Host and port."""
        return self.address.partition("/")[0]

    @property
    def prefix(self) -> str:
        """The path under which all repositories lie; empty for none."""
        return self.address.partition("/")[2]

    def path(self, repository: str) -> str:
        """Return the repository below this registry's prefix."""
        return f"{self.prefix}/{repository}" if self.prefix else repository

    # -- pull -----------------------------------------------------------------------------------------------------

    def find_manifest(self, repository: str, reference: str) -> Found | None:
        """Return what a tag or digest stands for, or None when the registry has none.

        Raises:
            RegistryError: the registry refuses, stalls or does not say the digest.
        """
        url = self._url(repository, f"manifests/{reference}")
        answer = self._call("HEAD", url, repository, PULL, {"Accept": ", ".join(MANIFEST_TYPES)})
        answer.read_all(0)
        if answer.status == 404:
            return None
        self._expect(answer, 200)
        digest = answer.header("Docker-Content-Digest") or (reference if is_digest(reference) else "")
        if not is_digest(digest):
            digest = sha256(self.manifest(repository, reference)[0])
        length = answer.header("Content-Length")
        return Found(digest, answer.header("Content-Type"), int(length) if length.isdigit() else None)

    def manifest(self, repository: str, reference: str) -> tuple[bytes, str]:
        """Return a manifest's bytes and media type; by digest, the bytes are checked.

        Raises:
            RegistryError: the registry has none, refuses, stalls, or its bytes do not have the digest.
        """
        url = self._url(repository, f"manifests/{reference}")
        for attempt in range(self.transport.options.attempts):
            answer = self._call("GET", url, repository, PULL, {"Accept": ", ".join(MANIFEST_TYPES)})
            self._expect(answer, 200)
            try:
                raw = answer.read_all(MAX_MANIFEST_BYTES)
                break
            except OSError as exc:
                self.transport.drop(url)
                if attempt + 1 == self.transport.options.attempts:
                    raise RegistryError(f"{answer.where} broke off each time: {exc}; try again later") from exc
                self.transport.pause(attempt)
        if is_digest(reference) and sha256(raw) != reference:
            raise RegistryError(
                f"{answer.where} answered with bytes of the digest {sha256(raw)}: the registry or something before it "
                "changes content; fetch from another source"
            )
        return raw, answer.header("Content-Type")

    def has_blob(self, repository: str, digest: str) -> bool:
        """Say whether a repository has a blob.

        Raises:
            RegistryError: the registry refuses or stalls.
        """
        answer = self._call("HEAD", self._url(repository, f"blobs/{digest}"), repository, PULL, {})
        answer.read_all(0)
        if answer.status == 404:
            return False
        self._expect(answer, 200)
        return True

    def fetch_blob(self, repository: str, blob: Descriptor, sink: Sink) -> None:
        """Stream a blob into `sink`, going on with `Range` after a break, and check size and digest.

        The sink may hold the first bytes of an earlier attempt. When the content turns out wrong it is emptied.

        Raises:
            RegistryError: the registry refuses, stalls, ends early each time, or its bytes do not have the digest.
        """
        resumed = sink.size > 0
        fruitless = 0
        while sink.size < blob.size:
            before = sink.size
            try:
                reason = self._stream(repository, blob, sink)
            except StalledError as exc:
                self.transport.drop(self._url(repository, f"blobs/{blob.digest}"))
                if sink.size == before:
                    raise
                reason = str(exc)
            if sink.size >= blob.size:
                break
            resumed = True
            fruitless = fruitless + 1 if sink.size - before < MIN_BYTES_PER_WINDOW else 0
            if fruitless >= self.transport.options.attempts:
                raise RegistryError(
                    f"{self.host}/{repository}: blob {blob.digest} ends after {sink.size} of {blob.size} bytes "
                    f"({reason}); run the command again: it goes on there"
                )
            self.transport.pause(fruitless)
        found = sink.digest()
        if found == blob.digest and sink.size == blob.size:
            return
        size = sink.size
        sink.restart()
        if resumed:  # the part from before may be what is wrong: once more, from the first byte
            self.fetch_blob(repository, blob, sink)
            return
        raise RegistryError(
            f"{self.host}/{repository}: blob {blob.digest} ({blob.size} bytes) came as {found} ({size} bytes): "
            "the registry holds damaged content; fetch from another source"
        )

    def _stream(self, repository: str, blob: Descriptor, sink: Sink) -> str:
        """Read as much of the blob as comes; return why it ended."""
        url = self._url(repository, f"blobs/{blob.digest}")
        headers = {"Accept-Encoding": "identity"}
        if sink.size:
            headers["Range"] = f"bytes={sink.size}-"
        answer = self._call("GET", url, repository, PULL, headers)
        if answer.status == 416 or (answer.status == 206 and not _continues(answer, sink.size)):
            self.transport.drop(url)
            sink.restart()
            return "the registry cannot go on in the middle"
        if answer.status == 200 and sink.size:
            sink.restart()
        elif answer.status != 206:
            self._expect(answer, 200)
        try:
            while data := answer.read():
                if sink.size + len(data) > blob.size:
                    self.transport.drop(url)
                    sink.write(data[: blob.size - sink.size + 1])  # one byte too many: the caller sees a wrong size
                    return "it is longer than announced"
                sink.write(data)
        except ConnectionError as exc:
            self.transport.drop(url)
            return f"the connection broke: {exc}"
        if sink.size < blob.size:
            self.transport.drop(url)
        return "the body ended early"

    # -- push -----------------------------------------------------------------------------------------------------

    def mount_blob(self, repository: str, digest: str, origin: str) -> bool:
        """Ask for a blob that another repository of this registry has; False when the registry wants the bytes.

        Raises:
            RegistryError: the registry refuses or stalls.
        """
        url = self._url(repository, "blobs/uploads/") + "?" + urlencode({"mount": digest, "from": origin})
        answer = self._call("POST", url, repository, PUSH, {})
        answer.read_all(_MAX_ERROR_BYTES)
        if answer.status == 202:
            self._cancel(url, answer, repository)
            return False
        self._expect(answer, 201)
        return True

    def push_blob(self, repository: str, blob: Descriptor, body: Callable[[], BinaryIO]) -> None:
        """Upload a blob in one PUT; `body` opens its bytes afresh for each attempt.

        Raises:
            RegistryError: the registry refuses, stalls, or stores something else.
        """
        url = self._url(repository, "blobs/uploads/")
        answer = self._call("POST", url, repository, PUSH, {})
        answer.read_all(_MAX_ERROR_BYTES)
        self._expect(answer, 202)
        target = self._upload_url(url, answer)
        joined = f"{target}{'&' if urlsplit(target).query else '?'}{urlencode({'digest': blob.digest})}"
        headers = {"Content-Type": "application/octet-stream"}
        answer = self._call("PUT", joined, repository, PUSH, headers, body, blob.size)
        answer.read_all(_MAX_ERROR_BYTES)
        if answer.status == 404 and self.has_blob(repository, blob.digest):
            return  # a first attempt arrived although its answer was lost
        self._expect(answer, 201)

    def push_manifest(self, repository: str, reference: str, raw: bytes, media_type: str) -> None:
        """Store a manifest under a tag or its digest.

        Raises:
            RegistryError: the registry refuses, stalls, or says another digest than that of `raw`.
        """
        url = self._url(repository, f"manifests/{reference}")
        answer = self._call("PUT", url, repository, PUSH, {"Content-Type": media_type}, raw)
        message = answer.read_all(_MAX_ERROR_BYTES)
        self._expect(answer, 201, message)
        stored = answer.header("Docker-Content-Digest")
        if stored and stored != sha256(raw):
            raise RegistryError(
                f"{answer.where}: the registry stored {stored} in place of {sha256(raw)}: it rewrites manifests; "
                "use a registry that keeps digests"
            )

    def repositories(self, limit: int = 100) -> list[str] | None:
        """Return the first repositories of the registry, or None when it does not tell.

        Raises:
            RegistryError: the registry refuses or stalls.
        """
        url = f"{self._base()}/v2/_catalog?{urlencode({'n': limit})}"
        answer = self._call("GET", url, "", "*", {})
        raw = answer.read_all(MAX_MANIFEST_BYTES)
        if answer.status != 200:
            return None
        try:
            names = json.loads(raw)["repositories"]
            return [str(name) for name in names or []]
        except (ValueError, KeyError, TypeError, RecursionError):
            return None

    # -- one request ----------------------------------------------------------------------------------------------

    def _base(self) -> str:
        host = _API_HOSTS.get(self.host, self.host)
        name = urlsplit(f"//{host}").hostname or ""
        options = self.transport.options
        plain = options.plain_http or (is_loopback(name) and options.ca_file is None)
        return f"{'http' if plain else 'https'}://{host}"

    def _url(self, repository: str, tail: str) -> str:
        return f"{self._base()}/v2/{quote(repository)}/{quote(tail, safe='/:@')}"

    def _call(
        self,
        method: str,
        url: str,
        repository: str,
        actions: str,
        headers: Mapping[str, str],
        body: Body = b"",
        length: int = 0,
    ) -> Answer:
        scope = f"repository:{repository}:{actions}" if repository else "registry:catalog:*"
        own = urlsplit(url).netloc == urlsplit(self._base()).netloc
        sent = dict(headers)
        if own and scope in self._tokens:
            sent["Authorization"] = self._tokens[scope]
        answer = self.transport.send(method, url, sent, body, length)
        if answer.status == 401 and own:
            self.transport.drop(url)
            challenge = parse_challenge(answer.header("WWW-Authenticate"))
            self._tokens[scope] = self._authorise(challenge.scheme, challenge.parameters, scope)
            answer = self.transport.send(method, url, {**headers, "Authorization": self._tokens[scope]}, body, length)
        if answer.status in (401, 403):
            self._expect(answer, 200)
        return answer

    def _authorise(self, scheme: str, parameters: Mapping[str, str], scope: str) -> str:
        if scheme == "bearer" and parameters.get("realm"):
            query = {"scope": parameters.get("scope") or scope}
            if parameters.get("service"):
                query["service"] = parameters["service"]
            realm = parameters["realm"]
            url = f"{realm}{'&' if urlsplit(realm).query else '?'}{urlencode(query)}"
            answer = self.transport.send("GET", url, {"Authorization": self.login.basic} if self.login else {})
            raw = answer.read_all(_MAX_TOKEN_BYTES)
            try:
                document = json.loads(raw) if answer.status == 200 else {}
                token = document.get("token") or document.get("access_token")
            except (ValueError, AttributeError, RecursionError):
                token = None
            if isinstance(token, str) and token.isascii() and token.isprintable():
                return f"Bearer {token}"
        elif scheme == "basic" and self.login is not None:
            return self.login.basic
        raise RegistryError(
            f"registry {self.host} wants a login for {scope} ({scheme or 'no'} challenge, "
            f"{'the given login was not taken' if self.login else 'no login was given'}): "
            "name a credentials file in docker's config.json form that has one"
        )

    def _upload_url(self, url: str, answer: Answer) -> str:
        location = answer.header("Location")
        if not location:
            raise RegistryError(f"{answer.where}: the registry names no place for the upload; it is not conformant")
        return urljoin(url, location)

    def _cancel(self, url: str, answer: Answer, repository: str) -> None:
        """Give back an upload that a refused mount opened."""
        location = answer.header("Location")
        if location:
            self._call("DELETE", urljoin(url, location), repository, PUSH, {}).read_all(_MAX_ERROR_BYTES)

    def _expect(self, answer: Answer, status: int, message: bytes | None = None) -> None:
        if answer.status == status:
            return
        try:
            raw = answer.read_all(_MAX_ERROR_BYTES) if message is None else message
        except (OSError, RegistryError):
            raw = b""
        remedy = {
            401: "name a credentials file that has a login for it",
            403: "ask for the right to do this, or use another login",
            404: "look at the name, the digest and the registry's address",
            405: "the registry is read-only: use one that takes uploads",
            413: "raise the registry's or its proxy's size limit",
        }.get(answer.status, "look at the registry's log")
        raise RegistryError(f"{answer.where} was answered with {answer.status}{_reason(raw)}; {remedy}")


def _continues(answer: Answer, offset: int) -> bool:
    return answer.header("Content-Range").removeprefix("bytes ").startswith(f"{offset}-")


def _reason(raw: bytes) -> str:
    """Return the error codes of a registry's answer, in brackets; foreign text is cut and made printable."""
    try:
        errors = json.loads(raw)["errors"]
        text = ", ".join(f"{error.get('code')}: {error.get('message')}" for error in errors)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
    return f" ({''.join(c if c.isprintable() else '?' for c in text)[:200]})" if text else ""
