"""Stand in for a service that is not there yet: it is healthy, and says of everything else that it is a stand-in.

For rehearsals and for sites that try a stack out before the vendor's images arrive. It answers no prompt, keeps
nothing and claims nothing: whatever is asked beyond health gets status 501 and the words that it is a stand-in.

It runs in the image stand-in with nothing but the standard library, and imports nothing of Skerry
(docs/adr/0012-programs-of-our-own-images.md).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_MAX_BODY_BYTES = 1 << 20
"""More of a request is not read: the connection is closed instead."""


@dataclass(frozen=True)
class Settings:
    """What the environment says."""

    name: str = "nobody knows what"
    """`STAND_IN_FOR`: what it stands for, shown in every answer."""
    port: int = 8080
    """`PORT`."""
    ready_after_s: float = 0.0
    """`READY_AFTER_S`: seconds until /ready answers 200, for trying startup probes."""


def settings_of(environment: Mapping[str, str]) -> Settings:
    """Read the environment.

    Raises:
        ValueError: a number is none, or out of range.
    """
    port = int(environment.get("PORT", "8080"))
    after = float(environment.get("READY_AFTER_S", "0"))
    if not 0 <= port <= 65535 or not 0 <= after < 86_400:
        raise ValueError("PORT is 0 to 65535, READY_AFTER_S is 0 to 86400")
    return Settings(environment.get("STAND_IN_FOR", Settings.name), port, after)


class StandIn:
    """The service."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        """Bind the port."""
        self.settings, self._clock, self._began = settings, clock, clock()
        self.ending = threading.Event()
        self._asked = 0
        self._lock = threading.Lock()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_GET(self) -> None:
                """Answer any method."""
                length = self.headers.get("Content-Length", "0")
                if self.headers.get("Transfer-Encoding") or not length.isdigit() or int(length) > _MAX_BODY_BYTES:
                    self.close_connection = True
                else:
                    self.rfile.read(int(length))
                status, kind, text = service.answer(self.path.partition("?")[0])
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("X-Skerry-Stand-In", "true")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET  # noqa: N815  the library names them

            def log_message(self, *args: object) -> None:
                """Say nothing: a path may hold what somebody keeps secret."""

        self.server = ThreadingHTTPServer(("", settings.port), Handler)
        self.server.daemon_threads = True

    @property
    def ready(self) -> bool:
        """Whether it is time, and nobody has asked it to end."""
        return not self.ending.is_set() and self._clock() - self._began >= self.settings.ready_after_s

    def answer(self, path: str) -> tuple[int, str, str]:
        """Return status, media type and text for a path."""
        if path == "/health":
            return 200, "application/json", self._says("healthy")
        if path == "/ready":
            return (200, "application/json", self._says("ready")) if self.ready else (
                503, "application/json", self._says("not ready"),
            )  # fmt: skip
        if path == "/metrics":
            text = (
                "# TYPE skerry_stand_in gauge\nskerry_stand_in 1\n"
                f"# TYPE skerry_stand_in_refused_total counter\nskerry_stand_in_refused_total {self._asked}\n"
            )
            return 200, "text/plain; version=0.0.4; charset=utf-8", text
        with self._lock:
            self._asked += 1
        return 501, "application/json", self._says("this does nothing of what you ask")

    def _says(self, what: str) -> str:
        return json.dumps({"standIn": True, "for": self.settings.name, "says": what}) + "\n"

    def end(self) -> None:
        """Stop: not ready at once, then no longer there."""
        self.ending.set()

    def run(self) -> None:
        """Serve until `end` is called."""
        thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        self.ending.wait()
        self.server.shutdown()
        self.server.server_close()


def main() -> int:
    """Run and return the exit code."""
    try:
        service = StandIn(settings_of(os.environ))
    except (ValueError, OSError) as exc:
        print(f"stand-in: cannot start: {exc}", file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: service.end())
    print(f"stand-in for {service.settings.name} on port {service.server.server_port}", file=sys.stderr, flush=True)
    service.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
