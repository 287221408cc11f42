"""Stand in for a gateway or a node of the agent mesh, or for a node of AgentDB, so that its topology may be rehearsed.

It proves that machines, units, keys, firewall, overlay and load balancer are in order, and nothing of the vendor's
program: no tool runs, no vector is kept, no signature is judged. Every answer says that it is a stand-in.

    mesh.py gateway --host ADDRESS --port PORT --trust-mode WORD [--identity FILE] [--shared-state URL]
    mesh.py node            # NODE_PORT, NODE_ID and the rest of the unit's variables
    mesh.py agentdb         # HOST, PORT, QUIC_PORT
    mesh.py service         # HOST, PORT, SERVICE_NAME; ill for as long as the file that ILL_WHILE names is there

It needs nothing but the standard library, and imports nothing of Skerry
(docs/adr/0012-programs-of-our-own-images.md).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import threading
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_ASK_S = 1.0
"""How long a node may take to answer a scan."""
_SHARED_S = 5.0
"""How long the shared state may take."""
_COUNTER = "skerry:stand-in:calls"
Answer = tuple[int, Any]


class StandInService:
    """A service that answers some paths, and of all others that it is a stand-in."""

    def __init__(self, name: str, host: str, port: int, paths: Mapping[str, Callable[[], Answer]]) -> None:
        """Bind the port."""
        self.name, self.paths = name, dict(paths)
        self._ending = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 75

            def do_GET(self) -> None:
                """Answer."""
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, found = service.answer(self.path.partition("?")[0])
                body = found.encode() if isinstance(found, str) else (json.dumps(found) + "\n").encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/plain" if isinstance(found, str) else "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("X-Skerry-Stand-In", "true")
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815  the library names them

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer((host, port), Handler)
        self.server.daemon_threads = True

    def says(self, **more: object) -> dict[str, object]:
        """Return what every answer holds, with more."""
        return {"standIn": True, "for": self.name, **more}

    def answer(self, path: str) -> Answer:
        """Return status and text or document of a path."""
        found = self.paths.get(path)
        if found is not None:
            return found()
        if path in ("/health", "/ready"):
            return 200, self.says(status="healthy")
        if path == "/metrics":
            return 200, f'# TYPE skerry_stand_in gauge\nskerry_stand_in{{name="{self.name}"}} 1\n'
        return 501, self.says(says="this does nothing of what you ask")

    def run(self) -> None:
        """Serve until a signal ends it."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._ending.set())
        thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        print(f"stand-in for {self.name} on port {self.server.server_port}", file=sys.stderr, flush=True)
        self._ending.wait()
        self.server.shutdown()


def seen(seeds: Sequence[str]) -> list[dict[str, object]]:
    """Return the nodes among `host:port` that answer, each as it names itself."""

    def ask(seed: str) -> dict[str, object] | None:
        try:
            with urllib.request.urlopen(f"http://{seed}/health", timeout=_ASK_S) as answer:
                told = json.load(answer)
        except (OSError, ValueError):
            return None
        return {"node_id": told["node_id"], "address": seed, "region": told["region"]} if "node_id" in told else None

    with ThreadPoolExecutor(max_workers=max(1, len(seeds))) as pool:
        return [row for row in pool.map(ask, seeds) if row is not None]


def counted(url: str) -> int:
    """Add one to the counter that all gateways share, and return it.

    Args:
        url: of the shared state, with its password.

    Raises:
        OSError: the state does not answer, or refuses.
    """
    parts = urlsplit(url)
    words = [("AUTH", parts.username or "default", parts.password or ""), ("INCR", _COUNTER)]
    with socket.create_connection((parts.hostname or "", parts.port or 6379), _SHARED_S) as line:
        stream = line.makefile("rwb")
        reply = b""
        for row in words:
            stream.write(b"*%d\r\n" % len(row) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in row))
            stream.flush()
            reply = stream.readline().strip()
            if not reply or reply.startswith(b"-"):
                raise OSError(f"shared state says: {reply.decode(errors='replace') or 'nothing'}")
    return int(reply[1:])


def gateway(words: Sequence[str]) -> StandInService:
    """Return a gateway's stand-in.

    Raises:
        SystemExit: a word is wrong, or a file that the real one needs cannot be read.
    """
    parser = argparse.ArgumentParser(prog="stand-in gateway")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--trust-mode", required=True, choices=("tofu", "pki"))
    parser.add_argument("--identity", type=Path)
    parser.add_argument("--shared-state")
    parser.add_argument("--dev-token", action="store_true")
    args = parser.parse_args(words)
    environment = os.environ
    if args.trust_mode == "pki":
        _holds(args.identity, "PRIVATE KEY")
        _holds(Path(environment["TRUST_STORE_PATH"]), "skerry.mesh-trust/1")
    audit = Path(environment["AUDIT_LOG_PATH"])
    seeds = [row for row in environment.get("MESH_SEEDS", "").split(",") if row]
    host = socket.gethostname()

    def scan() -> Answer:
        nodes = seen(seeds)
        with audit.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"gateway": host, "did": "mesh_scan", "nodes": len(nodes)}) + "\n")
        return 200, service.says(gateway=host, nodes=nodes)

    def shared() -> Answer:
        try:
            return 200, service.says(gateway=host, calls=counted(args.shared_state or ""))
        except OSError as exc:
            return 503, service.says(gateway=host, error=str(exc))

    service = StandInService("agent-mesh gateway", args.host, args.port, {
        "/health": lambda: (200, service.says(status="healthy", gateway=host)),
        "/v1/metrics": lambda: (200, f'# TYPE skerry_stand_in gauge\nskerry_stand_in{{gateway="{host}"}} 1\n'),
        "/v1/mesh_scan": scan,
        "/v1/stand-in/shared": shared,
    })  # fmt: skip
    return service


def node(environment: Mapping[str, str]) -> StandInService:
    """Return a node's stand-in.

    Raises:
        SystemExit: its bundle cannot be read, or is another node's.
    """
    name = environment["NODE_ID"]
    if "MESH_BUNDLE" in environment:
        _holds(Path(environment["MESH_BUNDLE"]), f'"node_id": "{name}"')
    region = environment.get("NODE_REGION", "")
    service = StandInService("agent-mesh node", environment["NODE_HOST"], int(environment["NODE_PORT"]), {
        "/health": lambda: (200, service.says(status="healthy", node_id=name, region=region)),
    })  # fmt: skip
    return service


def agentdb(environment: Mapping[str, str]) -> StandInService:
    """Return the stand-in of a node of AgentDB: its API, and a UDP port that echoes what reaches it."""
    port = int(environment.get("QUIC_PORT", "4433"))
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.bind(("", port))

    def echo() -> None:
        while True:
            data, caller = line.recvfrom(2048)
            line.sendto(b"stand-in " + data, caller)

    threading.Thread(target=echo, daemon=True).start()
    host, api = socket.gethostname(), int(environment.get("PORT", "8080"))
    service = StandInService("agentdb", environment.get("HOST", ""), api, {
        "/health": lambda: (200, service.says(status="healthy", node=host)),
    })  # fmt: skip
    return service


def anything(environment: Mapping[str, str]) -> StandInService:
    """Return the stand-in of any service that says by /health whether it is well."""
    name = environment.get("SERVICE_NAME", "a service")
    ill = environment.get("ILL_WHILE", f"/run/stand-in-ill/{name}")

    def health() -> Answer:
        return (503, service.says(status="ill")) if Path(ill).exists() else (200, service.says(status="healthy"))

    service = StandInService(name, environment.get("HOST", ""), int(environment["PORT"]), {"/health": health})
    return service


def _holds(path: Path | None, word: str) -> None:
    text = path.read_text(encoding="utf-8") if path is not None else ""
    if word not in text:
        raise SystemExit(f"stand-in: {path} does not hold {word!r}")


_KINDS: Mapping[str, Callable[[Mapping[str, str]], StandInService]] = {
    "node": node, "agentdb": agentdb, "service": anything,
}  # fmt: skip


def main() -> int:
    """Run and return the exit code."""
    kind, words = (sys.argv[1] if len(sys.argv) > 1 else ""), sys.argv[2:]
    if kind == "gateway":
        gateway(words).run()
    elif kind in _KINDS:
        _KINDS[kind](os.environ).run()
    else:
        print(f"stand-in: name gateway, {', '.join(_KINDS)}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
