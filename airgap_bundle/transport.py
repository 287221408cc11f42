"""HTTP to a registry over the standard library: kept connections, time limits, retries and redirects.

(1) Every wait has an end: connecting, sending and each read have a time limit, and a body that trickles slower than
    `MIN_BYTES_PER_WINDOW` in one limit counts as stalled.
(2) 429 and 5xx are tried again after `Retry-After`, or after a growing pause; so is a broken connection.
(3) Plain http is for loopback hosts, unless the caller says otherwise.
(4) A redirect to another host loses the Authorization header.
"""

from __future__ import annotations

import email.utils
import http.client
import ipaddress
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import urljoin, urlsplit

from skerry.errors import RegistryError, UsageError

BLOCK_BYTES: Final = 1 << 19
MIN_BYTES_PER_WINDOW: Final = 4096
MAX_REDIRECTS: Final = 5
MAX_PAUSE_S: Final = 60.0
"""A registry that asks for a longer pause is not waited for."""
_RETRIED: Final = frozenset({408, 429, 500, 502, 503, 504})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})

Body = bytes | Callable[[], BinaryIO]
"""Bytes, or a function that opens the body afresh for each attempt."""


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """Limits and trust of the connections to one or more registries."""

    stall_s: float = 30.0
    """Seconds without an answer or with next to no bytes, after which a connection counts as stalled."""
    attempts: int = 5
    """How often one request is tried."""
    pause_s: float = 0.5
    """The first pause between attempts; it doubles."""
    ca_file: Path | None = None
    """PEM certificates to trust in place of the system's; with them, loopback hosts are spoken to over https too."""
    plain_http: bool = False
    """Speak http to hosts other than loopback as well."""
    sleep: Callable[[float], None] = field(default=time.sleep)
    clock: Callable[[], float] = field(default=time.monotonic)


class Answer:
    """A response whose body is still to be read."""

    def __init__(self, response: http.client.HTTPResponse, where: str, options: TransportOptions) -> None:
        self.status = response.status
        self.where = where
        """`METHOD url` without a query, for messages."""
        self._response = response
        self._options = options
        self._window_began = options.clock()
        self._window_bytes = 0

    def header(self, name: str) -> str:
        """Return a header's value, or an empty string."""
        return self._response.headers.get(name, "")

    @property
    def length(self) -> int | None:
        """The announced length of the body, or None."""
        return self._response.length

    def read(self, size: int = BLOCK_BYTES) -> bytes:
        """Return the next bytes of the body; empty at its end.

        Raises:
            RegistryError: the connection stalled (1).
            OSError: it broke.
        """
        try:
            data = self._response.read1(size)
        except TimeoutError as exc:
            raise self._stalled() from exc
        except http.client.HTTPException as exc:
            raise ConnectionError(type(exc).__name__) from exc
        if not data and not self._response.length:
            self._response.close()  # read1() leaves it open at its end, and the connection would count as busy
        self._window_bytes += len(data)
        now = self._options.clock()
        if now - self._window_began > self._options.stall_s:
            if data and self._window_bytes < MIN_BYTES_PER_WINDOW:
                raise self._stalled()
            self._window_began, self._window_bytes = now, 0
        return data

    def read_all(self, limit: int) -> bytes:
        """Return the whole body.

        Raises:
            RegistryError: the body is longer than `limit` bytes, or the connection stalled.
            OSError: the connection broke.
        """
        parts: list[bytes] = []
        total = 0
        while data := self.read():
            total += len(data)
            if total > limit:
                raise RegistryError(f"{self.where} answered with more than {limit} bytes: a small document was due")
            parts.append(data)
        if self._response.length:
            raise ConnectionError(f"the body ended {self._response.length} bytes early")
        return b"".join(parts)

    def _stalled(self) -> StalledError:
        return StalledError(
            f"{self.where} stalled: next to nothing came for {self._options.stall_s:g} s; "
            "look at the registry and the network, then run the command again: it goes on where it stopped"
        )


class UnreachableError(RegistryError):
    """Report a host that will not answer any other request of this run either."""


class StalledError(UnreachableError):
    """Report a connection on which nothing moves."""


class Transport:
    """Connections to any number of hosts, one per host and thread."""

    def __init__(self, options: TransportOptions) -> None:
        self.options = options
        self._local = threading.local()
        self._tls: ssl.SSLContext | None = None
        self._lock = threading.Lock()

    def send(self, method: str, url: str, headers: Mapping[str, str], body: Body = b"", length: int = 0) -> Answer:
        """Send a request and return the first answer that is neither busy (2) nor, for GET and HEAD, a redirect.

        Raises:
            RegistryError: the host cannot be reached, stays busy, stalls, or redirects without end.
        """
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._patiently(method, url, headers, body, length)
            location = answer.header("Location")
            if method not in ("GET", "HEAD") or answer.status not in _REDIRECTS or not location:
                return answer
            self.drop(url)
            target = urljoin(url, location)
            if urlsplit(target).netloc != urlsplit(url).netloc:  # (4)
                headers = {key: value for key, value in headers.items() if key != "Authorization"}
            url = target
        raise RegistryError(f"{method} {_shown(url)} was redirected more than {MAX_REDIRECTS} times")

    def drop(self, url: str) -> None:
        """Close this thread's connection to the host of `url`: its body was not read to the end."""
        connection = self._connections().pop(self._key(url), None)
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Close this thread's connections."""
        for connection in self._connections().values():
            connection.close()
        self._connections().clear()

    def pause(self, attempt: int, asked: float | None = None) -> None:
        """Wait before attempt `attempt + 1`."""
        self.options.sleep(self.options.pause_s * 2**attempt if asked is None else asked)

    def _patiently(self, method: str, url: str, headers: Mapping[str, str], body: Body, length: int) -> Answer:
        where = f"{method} {_shown(url)}"
        why, error = "", RegistryError
        for attempt in range(self.options.attempts):
            last = attempt + 1 == self.options.attempts
            kept = self._key(url) in self._connections()
            try:
                answer = self._once(method, url, headers, body, length)
            except ssl.SSLCertVerificationError as exc:
                raise UnreachableError(
                    f"{where}: the certificate is not trusted ({exc.verify_message}); give the site's CA file"
                ) from exc
            except TimeoutError as exc:
                self.drop(url)
                raise StalledError(
                    f"{where} stalled: no answer for {self.options.stall_s:g} s; look at the registry and the network"
                ) from exc
            except (OSError, http.client.HTTPException) as exc:
                self.drop(url)
                why, error = str(exc) or type(exc).__name__, UnreachableError
                if not last and not kept:  # a kept connection may simply have grown old
                    self.pause(attempt)
                continue
            if answer.status not in _RETRIED:
                return answer
            asked = _retry_after(answer.header("Retry-After"))
            why, error = f"it answers {answer.status}", RegistryError
            self.drop(url)
            if asked is not None and asked > MAX_PAUSE_S:
                raise UnreachableError(f"{where}: the registry asks for a pause of {asked:g} s; run the command later")
            if not last:
                self.pause(attempt, asked)
        raise error(
            f"{where} failed {self.options.attempts} times: {why}; look whether the registry runs and is reachable, "
            "then run the command again: it goes on where it stopped"
        )

    def _once(self, method: str, url: str, headers: Mapping[str, str], body: Body, length: int) -> Answer:
        connection = self._connection(url)
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        stream = body if isinstance(body, bytes) else body()
        sent = dict(headers)
        if method not in ("GET", "HEAD"):
            sent["Content-Length"] = str(len(stream) if isinstance(stream, bytes) else length)
        try:
            try:
                connection.request(method, path, body=stream if method not in ("GET", "HEAD") else None, headers=sent)
            except (BrokenPipeError, ConnectionResetError):
                # A registry may refuse a large body before it has read it: its answer says why.
                if isinstance(stream, bytes):
                    raise
            response = connection.getresponse()
        except BaseException:
            self.drop(url)
            raise
        finally:
            if not isinstance(stream, bytes):
                stream.close()
        return Answer(response, f"{method} {_shown(url)}", self.options)

    @staticmethod
    def _key(url: str) -> tuple[str, str]:
        parts = urlsplit(url)
        return parts.scheme, parts.netloc

    def _connections(self) -> dict[tuple[str, str], http.client.HTTPConnection]:
        found: dict[tuple[str, str], http.client.HTTPConnection] | None = getattr(self._local, "connections", None)
        if found is None:
            found = self._local.connections = {}
        return found

    def _connection(self, url: str) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        key = self._key(url)
        connection = self._connections().get(key)
        if connection is None:
            if parts.scheme == "https":
                connection = http.client.HTTPSConnection(
                    parts.netloc, timeout=self.options.stall_s, context=self._context(), blocksize=BLOCK_BYTES
                )
            elif parts.scheme == "http" and (self.options.plain_http or is_loopback(parts.hostname or "")):  # (3)
                connection = http.client.HTTPConnection(
                    parts.netloc, timeout=self.options.stall_s, blocksize=BLOCK_BYTES
                )
            else:
                raise RegistryError(
                    f"{_shown(url)} is not https: plain http is spoken to loopback hosts only, unless it is allowed"
                )
            self._connections()[key] = connection
        return connection

    def _context(self) -> ssl.SSLContext:
        with self._lock:
            if self._tls is None:
                try:
                    ca = str(self.options.ca_file) if self.options.ca_file else None
                    self._tls = ssl.create_default_context(cafile=ca)
                except OSError as exc:
                    raise UsageError(f"the CA file {self.options.ca_file} cannot be read as PEM: {exc}") from exc
            return self._tls


def is_loopback(host: str) -> bool:
    """Say whether `host` (without a port) is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _shown(url: str) -> str:
    """Return a URL for a message: a query may hold a signature or a token."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _retry_after(value: str) -> float | None:
    """Read `Retry-After`: seconds or a date; None when it says nothing."""
    if value.strip().isdigit():
        return float(value)
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return max(0.0, moment.timestamp() - time.time())
