"""The audit log leaves its machine: by the real rsyslog over TLS to a collector, and as files beside a diode."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from skerry.config.load import load_spec
from skerry.hosts.keys import Authority, new_authority, new_certificate
from skerry.systems.agent_mesh_audit import RSYSLOG, audit_files
from skerry.systems.agent_mesh_places import Mesh
from tests.simulators.changed_stacks import shipped

NOW: Final = datetime.now(UTC)
LINE: Final = json.dumps({"workflow_id": "feedback_safe_summary", "text": "ein Satz mit Umlaut: über", "at": 1})
LONG: Final = json.dumps({"workflow_id": "long", "text": "x" * 100_000})
"""Longer than the 8 KiB that rsyslog keeps of a message by itself."""


def text_of(stack: str, machine: str) -> str:
    mesh = Mesh.of(load_spec(shipped(stack), stack))
    (found,) = (file.text for file in audit_files(mesh, machine) if file.path == RSYSLOG)
    return found


class Collector:
    """A collector of syslog over TLS that asks for a certificate, and keeps what it is sent."""

    def __init__(self, root: Path, authority: Authority, name: str) -> None:
        pem, ca = root / "collector.pem", root / "collector-ca.pem"
        pem.write_text(new_certificate(authority, name, [name], NOW, 2))
        ca.write_text(authority.certificate_pem)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pem)
        self.context.load_verify_locations(ca)
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.got = b""
        self.socket: socket.socket | None = None

    def listen(self, port: int = 0) -> int:
        self.socket = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._serve, daemon=True).start()
        return int(self.socket.getsockname()[1])

    def _serve(self) -> None:
        assert self.socket is not None
        while True:
            try:
                plain, _ = self.socket.accept()
                with self.context.wrap_socket(plain, server_side=True) as secret:
                    while data := secret.recv(65536):
                        self.got += data
            except OSError:
                if self.socket.fileno() < 0:
                    return


@contextmanager
def rsyslog(root: Path, text: str) -> Iterator[subprocess.Popen[bytes]]:
    (root / "work").mkdir(exist_ok=True)
    (root / "rsyslog.conf").write_text(f'global(workDirectory="{root}/work")\n{text}')
    with (root / "rsyslog.log").open("ab") as log:
        process = subprocess.Popen(
            ["rsyslogd", "-n", "-f", str(root / "rsyslog.conf"), "-i", str(root / "pid")], stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def wait(holds: Callable[[], bool], root: Path) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, (root / "rsyslog.log").read_text()
        time.sleep(0.2)


def test_lines_reach_a_collector_that_was_away_at_first(tmp_path: Path, need_tool: Callable[[str], str]) -> None:
    need_tool("rsyslogd")
    authority = new_authority("test", NOW, 5)
    collector = Collector(tmp_path, authority, "siem.customer.example")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    audit = tmp_path / "audit.log"
    audit.write_text(f"{LINE}\n")
    (tmp_path / "machine.pem").write_text(new_certificate(authority, "gate-a", ["gate-a"], NOW, 2))
    text = text_of("mesh-enterprise", "gate-a")
    for old, new in (
        ("/var/log/agent_mesh/audit.log", str(audit)),
        ('target="siem.customer.example" port="6514"', f'target="127.0.0.1" port="{port}"'),
        ("/etc/agent-mesh/tls/siem-authority.pem", str(tmp_path / "collector-ca.pem")),
        ("/etc/agent-mesh/tls/siem.pem", str(tmp_path / "machine.pem")),
        ('resumeInterval="5"', 'resumeInterval="1"'),
    ):
        assert old in text
        text = text.replace(old, new)
    with rsyslog(tmp_path, text):
        time.sleep(1.5)
        collector.listen(port)
        wait(lambda: LINE.encode() in collector.got, tmp_path)
        with audit.open("a") as file:
            file.write(f"{LINE.replace('1', '2')}\n{LONG}\n")
        wait(lambda: LINE.replace("1", "2").encode() in collector.got, tmp_path)
        wait(lambda: LONG.encode() in collector.got, tmp_path)
    size, _, rest = collector.got.partition(b" ")
    assert rest[: int(size)].startswith(b"<110>1 ")
    if collector.socket is not None:
        collector.socket.close()


def test_a_collector_of_another_name_gets_nothing(tmp_path: Path, need_tool: Callable[[str], str]) -> None:
    need_tool("rsyslogd")
    authority = new_authority("test", NOW, 5)
    collector = Collector(tmp_path, authority, "other.customer.example")
    port = collector.listen()
    audit = tmp_path / "audit.log"
    audit.write_text(f"{LINE}\n")
    (tmp_path / "machine.pem").write_text(new_certificate(authority, "gate-a", ["gate-a"], NOW, 2))
    text = text_of("mesh-enterprise", "gate-a").replace("/var/log/agent_mesh/audit.log", str(audit))
    text = text.replace('target="siem.customer.example" port="6514"', f'target="127.0.0.1" port="{port}"')
    text = text.replace("/etc/agent-mesh/tls/siem-authority.pem", str(tmp_path / "collector-ca.pem"))
    text = text.replace("/etc/agent-mesh/tls/siem.pem", str(tmp_path / "machine.pem"))
    with rsyslog(tmp_path, text):
        wait(lambda: b"not permitted to talk to it" in (tmp_path / "rsyslog.log").read_bytes(), tmp_path)
    assert collector.got == b""
    if collector.socket is not None:
        collector.socket.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="rsyslog changes owners only as root")
def test_a_diode_gets_the_lines_as_a_file_of_the_day(tmp_path: Path, need_tool: Callable[[str], str]) -> None:
    need_tool("rsyslogd")
    audit = tmp_path / "audit.log"
    audit.write_text(f"{LINE}\n")
    (tmp_path / "diode").mkdir()
    text = text_of("mesh-airgapped", "gate").replace("/var/log/agent_mesh/audit.log", str(audit))
    text = text.replace("/srv/diode", str(tmp_path / "diode")).replace('"agent-mesh"', '"root"')
    with rsyslog(tmp_path, text):
        wait(lambda: any((tmp_path / "diode").iterdir()), tmp_path)
        (found,) = (tmp_path / "diode").iterdir()
        wait(lambda: found.read_text() == f"{LINE}\n", tmp_path)
    assert found.name.startswith("audit-20") and found.name.endswith(".jsonl")
