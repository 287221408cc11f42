"""Ask whether addresses answer: once, with an exit code, or again and again, as a page for Prometheus.

Exit codes: 0 every target answers; 1 one does not; 2 wrong use.

It runs in the image health-probe with nothing but the standard library, and imports nothing of Skerry
(docs/adr/0012-programs-of-our-own-images.md).
"""

from __future__ import annotations

import argparse
import http.client
import json
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import SplitResult, urlsplit

_SECONDS_A_DAY = 86_400
_MAX_BODY_BYTES = 1 << 20
"""More of an answer is not read."""


class UsageError(Exception):
    """Report an argument that cannot be used."""


@dataclass(frozen=True)
class Result:
    """What came of one target."""

    target: str
    """The address, without a user name or a query: either may be a secret."""
    up: bool
    seconds: float
    reason: str = ""
    """Why it counts as down."""
    certificate_days: float | None = None
    """Days until its certificate ends; None without TLS, or where nobody could look."""


@dataclass(frozen=True)
class Limits:
    """What counts as an answer."""

    timeout_s: float = 5.0
    minimum_days: float = 0.0
    """A certificate that ends sooner counts as down."""
    ca_file: str | None = None
    json_object: bool = False
    """True: what answers without a JSON object counts as down."""


def parse(text: str) -> SplitResult:
    """Read a target.

    Raises:
        UsageError: it is no http, https or tcp address.
    """
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError as exc:
        raise UsageError(f"'{shown(parts)}' has a port that is none: write 1 to 65535") from exc
    if parts.scheme not in ("http", "https", "tcp") or not parts.hostname or (parts.scheme == "tcp" and not port):
        raise UsageError(f"'{shown(parts)}' is no target: write http://host/path, https://host/path or tcp://host:port")
    return parts


def shown(parts: SplitResult) -> str:
    """Return an address for a report."""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.scheme else parts.path


def probe(parts: SplitResult, limits: Limits) -> Result:
    """Ask one target."""
    began, days, reason = time.monotonic(), None, ""
    try:
        if parts.scheme == "tcp":
            socket.create_connection((parts.hostname or "", parts.port or 0), limits.timeout_s).close()
        else:
            status, days, body = _ask(parts, limits)
            reason = "" if status < 400 else f"it answers {status}"
            if limits.json_object and not reason and not _is_object(body):
                reason = "its answer is no JSON object"
            if days is not None and days < limits.minimum_days:
                reason = reason or f"its certificate ends in {days:.1f} days"
    except ssl.SSLCertVerificationError as exc:
        reason = f"its certificate is not trusted: {exc.verify_message}"
    except TimeoutError:
        reason = f"no answer for {limits.timeout_s:g} s"
    except (OSError, http.client.HTTPException, ValueError) as exc:
        reason = str(exc) or type(exc).__name__
    return Result(shown(parts), not reason, round(time.monotonic() - began, 4), reason, days)


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


def _ask(parts: SplitResult, limits: Limits) -> tuple[int, float | None, bytes]:
    """Return the status, the days that are left of the certificate, and the body. Redirects count as an answer."""
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host, days = parts.hostname or "", None
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=limits.ca_file)
        connection = http.client.HTTPSConnection(host, parts.port, timeout=limits.timeout_s, context=context)
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=limits.timeout_s)
    try:
        connection.connect()
        if isinstance(connection.sock, ssl.SSLSocket):
            ends = (connection.sock.getpeercert() or {}).get("notAfter")
            days = (ssl.cert_time_to_seconds(ends) - time.time()) / _SECONDS_A_DAY if isinstance(ends, str) else None
        connection.request("GET", path, headers={"User-Agent": "skerry-health-probe", "Connection": "close"})
        response = connection.getresponse()
        return response.status, days, response.read(_MAX_BODY_BYTES) if limits.json_object else b""
    finally:
        connection.close()


def metrics(results: Sequence[Result]) -> str:
    """Return the page for Prometheus."""
    lines = ["# TYPE skerry_probe_up gauge"]
    lines += [f"skerry_probe_up{_label(one)} {int(one.up)}" for one in results]
    lines.append("# TYPE skerry_probe_seconds gauge")
    lines += [f"skerry_probe_seconds{_label(one)} {one.seconds}" for one in results]
    lines.append("# TYPE skerry_probe_certificate_days gauge")
    lines += [
        f"skerry_probe_certificate_days{_label(one)} {one.certificate_days:.3f}"
        for one in results
        if one.certificate_days is not None
    ]
    return "\n".join(lines) + "\n"


def _label(one: Result) -> str:
    escaped = one.target.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'{{target="{escaped}"}}'


class Watch:
    """Asks every so often, and serves what came of it."""

    def __init__(
        self, targets: Sequence[SplitResult], limits: Limits, every_s: float, port: int, bind: str = ""
    ) -> None:
        """Bind the port; nothing is asked yet."""
        self.targets, self.limits, self.every_s = targets, limits, every_s
        self.results: tuple[Result, ...] = ()
        self.ended = threading.Event()
        watch = self

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                """Serve /health, /ready and /metrics."""
                status, text = watch.page(self.path)
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Say nothing about requests."""

        self.server = ThreadingHTTPServer((bind, port), Page)
        self.server.daemon_threads = True

    def page(self, path: str) -> tuple[int, str]:
        """Return status and text of a page; before the first round is over nothing is ready."""
        if path == "/health":
            return 200, "ok\n"
        if path == "/ready":
            down = [one for one in self.results if not one.up]
            if not self.results or down:
                return 503, "".join(f"{one.target}: {one.reason}\n" for one in down) or "nothing was asked yet\n"
            return 200, "ok\n"
        return (200, metrics(self.results)) if path == "/metrics" else (404, "/health, /ready and /metrics are here\n")

    def run(self) -> None:
        """Ask and serve until `ended` is set."""
        thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True)
        thread.start()
        while not self.ended.is_set():
            self.results = tuple(probe(target, self.limits) for target in self.targets)
            self.ended.wait(self.every_s)
        self.server.shutdown()
        self.server.server_close()


def main(argv: Sequence[str] | None = None) -> int:
    """Run and return the exit code."""
    parser = argparse.ArgumentParser(prog="probe", description="Ask whether addresses answer.")
    parser.add_argument("target", nargs="+", help="http://host/path, https://host/path or tcp://host:port")
    parser.add_argument("--timeout", type=float, default=5.0, metavar="S", help="seconds for each target (default: 5)")
    parser.add_argument("--ca-file", metavar="FILE", help="certificates to trust in place of the system's")
    parser.add_argument("--min-days", type=float, default=0.0, metavar="N", help="days that a certificate must last")
    parser.add_argument("--listen", type=int, metavar="PORT", help="ask again and again, and serve /ready and /metrics")
    parser.add_argument("--bind", default="", metavar="ADDRESS", help="with --listen: this address only (default: all)")
    parser.add_argument("--json", action="store_true", help="an answer over HTTP must be a JSON object")
    parser.add_argument("--every", type=float, default=15.0, metavar="S", help="seconds between rounds (default: 15)")
    args = parser.parse_args(argv)
    try:
        targets = [parse(text) for text in args.target]
        if args.timeout <= 0 or args.every <= 0:
            raise UsageError("--timeout and --every take seconds above 0")
        if args.ca_file:
            ssl.create_default_context(cafile=args.ca_file)
    except UsageError as exc:
        print(f"probe: {exc}", file=sys.stderr)
        return 2
    except OSError as exc:
        print(f"probe: --ca-file '{args.ca_file}' cannot be read as certificates: {exc}", file=sys.stderr)
        return 2
    limits = Limits(args.timeout, args.min_days, args.ca_file, args.json)
    if args.listen is not None:
        watch = Watch(targets, limits, args.every, args.listen, args.bind)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: watch.ended.set())
        watch.run()
        return 0
    results = [probe(target, limits) for target in targets]
    for one in results:
        print(json.dumps({key: value for key, value in asdict(one).items() if value not in (None, "")}))
    return 0 if all(one.up for one in results) else 1


if __name__ == "__main__":
    sys.exit(main())
