"""The stand-in service: healthy, ready when it is time, and honest about everything else."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SERVICE = Path(__file__).resolve().parents[2] / "images" / "stand-in" / "service.py"


@pytest.fixture
def standing(program: Callable[[str], ModuleType]) -> Iterator[Any]:
    module = program("stand-in/service.py")
    now = [0.0]
    service = module.StandIn(module.Settings("scout", 0, 5.0), clock=lambda: now[0])
    service.now = now
    thread = threading.Thread(target=service.run)
    thread.start()
    yield service
    service.end()
    thread.join(timeout=10)


def ask(service: Any, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", service.server.server_port, timeout=5)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def test_it_is_ready_when_it_is_time(standing: Any) -> None:
    assert ask(standing, "GET", "/ready")[0] == 503
    assert ask(standing, "GET", "/health")[0] == 200
    standing.now[0] = 5.0
    status, headers, body = ask(standing, "GET", "/ready")
    assert (status, headers["X-Skerry-Stand-In"], json.loads(body)) == (
        200,
        "true",
        {"standIn": True, "for": "scout", "says": "ready"},
    )


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_whatever_else_is_asked_it_says_that_it_is_a_stand_in(method: str, standing: Any) -> None:
    status, headers, body = ask(standing, method, "/v1/chat/completions?key=geheim", b"{}")
    assert (status, headers["X-Skerry-Stand-In"], json.loads(body)["standIn"]) == (501, "true", True)
    assert b"geheim" not in body


def test_it_counts_what_it_refused(standing: Any) -> None:
    ask(standing, "POST", "/v1/chat", b"x")
    ask(standing, "HEAD", "/v1/chat")
    ask(standing, "GET", "/health")
    body = ask(standing, "GET", "/metrics")[2].decode()
    assert "skerry_stand_in 1\n" in body
    assert "skerry_stand_in_refused_total 2\n" in body


BODIES: dict[str, dict[str, str]] = {
    "too large": {"Content-Length": str(1 << 40)},
    "a length that is none": {"Content-Length": "-1"},
    "in pieces": {"Transfer-Encoding": "chunked"},
}


@pytest.mark.parametrize("case", BODIES)
def test_a_body_that_it_does_not_read_ends_the_connection(case: str, standing: Any) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", standing.server.server_port, timeout=5)
    connection.putrequest("POST", "/x")
    for name, value in BODIES[case].items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 501
    answer.read()
    assert connection.sock is None or connection.sock.recv(1) == b""
    connection.close()


def test_it_ends_when_it_is_told() -> None:
    environment = {**os.environ, "PORT": "0", "STAND_IN_FOR": "architect"}
    with subprocess.Popen(
        [sys.executable, "-I", str(SERVICE)], env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            assert process.stderr.readline().startswith("stand-in for architect on port ")
            os.kill(process.pid, signal.SIGTERM)
            assert process.wait(timeout=10) == 0
        finally:
            process.kill()


@pytest.mark.parametrize("name, value", [("PORT", "http"), ("PORT", "70000"), ("READY_AFTER_S", "-1")])
def test_settings_that_are_none_are_refused(name: str, value: str) -> None:
    done = subprocess.run(
        [sys.executable, "-I", str(SERVICE)],
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("stand-in: cannot start: ")
