"""Devices before a real Envoy: who gets in, and what happens to what is too much."""

from __future__ import annotations

import http.client
import http.server
import re
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from tests.simulators.edge_proxy import (
    HOST,
    VARIANTS,
    Keys,
    Pair,
    Proxy,
    authority,
    entrance,
    manifests,
    recorded,
    signed,
    that_matter,
)
from tests.simulators.servers import wait
from tests.simulators.stack_objects import ROOT

Answer = tuple[int, Mapping[str, str]]


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_on_record_was_made_of_the_manifests_of_today(variant: str) -> None:
    text = "build egctl of envoyproxy/gateway v1.9.0 and run `python -m tests.simulators.edge_proxy EGCTL`"
    assert that_matter(recorded(variant)["manifests"]) == that_matter(manifests(variant)), text


@dataclass
class Service:
    """What reconciles devices: answers with what it heard, and on /slow after a while."""

    heard: list[Mapping[str, str]] = field(default_factory=list)
    working: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    go_on: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[int]:
        """Serve on a port of loopback until the block ends."""
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                service.heard.append(dict(self.headers.items()))
                if self.path == "/slow":
                    service.working.release()
                    service.go_on.wait(60)
                if self.path == "/busy":
                    self.send_response(503)
                    self.send_header("retry-after", "7")
                else:
                    self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield int(server.server_address[1])
        finally:
            self.go_on.set()
            server.shutdown()
            server.server_close()


@dataclass
class Site:
    """An entrance with its service, and devices one and two, and one that was lost."""

    proxy: Proxy
    service: Service
    one: Pair
    two: Pair
    lost: Pair

    def connect(self, device: Pair | None, source: str = "127.0.0.1") -> http.client.HTTPSConnection:
        """Return a connection that is open."""
        raw = socket.create_connection(("127.0.0.1", self.proxy.port), 30, (source, 0))
        found = http.client.HTTPSConnection(HOST, timeout=30)
        found.sock = self.proxy.context(device).wrap_socket(raw, server_hostname=HOST)
        return found

    def post(
        self,
        device: Pair | None,
        path: str = "/",
        *,
        size: int = 0,
        headers: Mapping[str, str] | None = None,
        source: str = "127.0.0.1",
    ) -> Answer:
        """Send one request over a connection of its own."""
        connection = self.connect(device, source)
        try:
            return asked(connection, path, size=size, headers=headers)
        finally:
            connection.close()


def asked(
    connection: http.client.HTTPSConnection, path: str = "/", *, size: int = 0, headers: Mapping[str, str] | None = None
) -> Answer:
    """Send one request and return status and headers of the answer, names in small letters."""
    connection.request("POST", path, b"x" * size, dict(headers or {}))
    answer = connection.getresponse()
    answer.read()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}


def stats(proxy: Proxy, form: str = "text") -> str:
    """Return what Envoy counts."""
    with urllib.request.urlopen(f"http://127.0.0.1:{proxy.admin}/stats?format={form}", timeout=30) as answer:
        return str(answer.read().decode())


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Callable[[str], Site]]:
    with ExitStack() as stack:

        def start(variant: str) -> Site:
            keys, service = Keys.made(), Service()
            one, two, lost = (signed(keys.devices, f"{name}.devices") for name in ("one", "two", "lost"))
            backend = stack.enter_context(service.running())
            proxy = stack.enter_context(
                entrance(variant, keys, tmp_path, revoked=keys.revoked([lost]), backend=backend)
            )
            return Site(proxy, service, one, two, lost)

        yield start


def test_a_device_gets_in_by_its_certificate_and_is_known_by_it(site: Callable[[str], Site]) -> None:
    found = site("device")
    status, _ = found.post(found.one, headers={"x-forwarded-client-cert": 'Subject="CN=two.devices"'})
    assert status == 200
    (heard,) = found.service.heard
    said = heard["x-forwarded-client-cert"]
    assert "DNS=one.devices" in said
    assert 'Subject="CN=one.devices"' in said
    assert "two.devices" not in said


def test_nobody_else_gets_in(site: Callable[[str], Site]) -> None:
    found = site("device")
    strangers = {
        "without a certificate": None,
        "by another authority": signed(authority("devices"), "one.devices"),
        "that was revoked": found.lost,
        "that has ended": signed(found.proxy.keys.devices, "one.devices", days=-1),
        "that is its own authority": authority("one.devices"),
        "of a server": signed(found.proxy.keys.devices, "one.devices", server=True),
    }
    let_in = []
    for name, device in strangers.items():
        try:
            found.post(device)
        except (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected):
            continue
        let_in.append(name)
    assert let_in == []
    assert found.service.heard == []
    assert found.post(found.one)[0] == 200


def test_a_list_whose_next_one_is_due_shuts_everybody_out(tmp_path: Path) -> None:
    """What the runbook DevicesShutOut says of it."""
    keys, service = Keys.made(), Service()
    one = signed(keys.devices, "one.devices")
    with service.running() as backend:
        old = keys.revoked([], days=-1)
        with entrance("device", keys, tmp_path, revoked=old, backend=backend) as proxy:
            with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
                Site(proxy, service, one, one, one).post(one)
            assert service.heard == []
            assert "ssl.fail_verify_error: 1" in stats(proxy)


def test_alerts_ask_for_what_envoy_counts(site: Callable[[str], Site]) -> None:
    found = site("device")
    assert found.post(found.one)[0] == 200
    told = set(re.findall(r"^(\w+)\{", stats(found.proxy, "prometheus"), re.MULTILINE))
    rows = yaml.safe_load((ROOT / "components" / "services" / "metrics.yaml").read_text(encoding="utf-8"))
    (asked_for,) = [set(row["metrics"]) for row in rows if row["exporter"] == "envoy-devices"]
    assert asked_for - told == set()
    assert 'envoy_cluster_name="httproute/sensei-sync/devices/rule/0"' in stats(found.proxy, "prometheus")


def test_nobody_gets_in_without_tls(site: Callable[[str], Site]) -> None:
    found = site("device")
    connection = http.client.HTTPConnection("127.0.0.1", found.proxy.port, timeout=30)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        connection.request("POST", "/", b"", {"host": HOST})
        connection.getresponse()
    connection.close()
    assert found.service.heard == []


def test_a_device_beyond_its_limit_is_told_when_to_come_back_and_the_others_are_not(
    site: Callable[[str], Site],
) -> None:
    found = site("device")
    assert [found.post(found.one)[0] for _ in range(5)] == [200] * 5
    status, headers = found.post(found.one)
    assert (status, headers["retry-after"]) == (429, "60")
    # Another header does not make it another device.
    assert found.post(found.one, headers={"x-forwarded-client-cert": "Hash=00"})[0] == 429
    assert found.post(found.two)[0] == 200
    assert len(found.service.heard) == 6


def test_devices_of_a_fleet_have_a_limit_each_by_address(site: Callable[[str], Site]) -> None:
    found = site("fleet")
    assert [found.post(found.one)[0] for _ in range(6)] == [*[200] * 5, 429]
    assert found.post(found.one, source="127.0.0.2")[0] == 200


def test_all_together_have_a_limit(site: Callable[[str], Site]) -> None:
    found = site("crowd")
    devices = [found.connect(device) for device in (found.one, found.two)]
    start = time.monotonic()
    answers = [asked(devices[at % 2]) for at in range(40)]
    took = time.monotonic() - start
    taken = [status for status, _ in answers].count(200)
    # Three at once, and three more in each second.
    assert 3 <= taken <= 3 + 3 * (int(took) + 1)
    refused = [headers for status, headers in answers if status == 429]
    assert len(refused) == 40 - taken
    assert {headers["retry-after"] for headers in refused} == {"60"}
    for device in devices:
        device.close()


def test_a_request_that_is_too_large_does_not_reach_the_service(site: Callable[[str], Site]) -> None:
    found = site("device")
    assert found.post(found.one, size=20_000)[0] == 200
    assert found.post(found.one, size=20_001)[0] == 413
    assert len(found.service.heard) == 1


def test_more_at_a_time_than_the_service_takes_are_told_when_to_come_back(site: Callable[[str], Site]) -> None:
    found = site("device")
    devices = [signed(found.proxy.keys.devices, f"{at}.devices") for at in range(8)]
    answers: list[Answer] = []

    def slow(device: Pair) -> None:
        answers.append(found.post(device, "/slow"))

    threads = [threading.Thread(target=slow, args=(device,), daemon=True) for device in devices]
    for thread in threads:
        thread.start()
    assert [found.service.working.acquire(timeout=30) for _ in range(4)] == [True] * 4
    wait("four requests that wait", lambda: "upstream_rq_pending_active: 4" in stats(found.proxy))
    assert not found.service.working.acquire(blocking=False)
    status, headers = found.post(found.one)
    assert (status, headers.get("retry-after")) == (503, "60")
    found.service.go_on.set()
    for thread in threads:
        thread.join(30)
    assert [status for status, _ in answers] == [200] * 8
    assert found.post(found.one)[0] == 200


def test_what_the_service_says_of_coming_back_is_left_as_it_is(site: Callable[[str], Site]) -> None:
    found = site("device")
    status, headers = found.post(found.one, "/busy")
    assert (status, headers["retry-after"]) == (503, "7")


def test_a_connection_too_many_is_closed(site: Callable[[str], Site]) -> None:
    found = site("device")
    held = [found.connect(found.one) for _ in range(12)]
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
        found.post(found.two)
    for connection in held:
        connection.close()
    until = time.monotonic() + 30
    status = 0
    while status != 200 and time.monotonic() < until:
        try:
            status, _ = found.post(found.two)
        except (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected):
            time.sleep(0.1)
    assert status == 200
