"""The shared state of a mesh, by the real programs: TLS alone, passwords, a new primary, and a way that follows it."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from components.host.haproxy import haproxy_files
from skerry.catalog import load_catalog
from skerry.config.load import load_spec
from skerry.hosts.keys import Authority, new_authority, new_certificate
from skerry.hosts.plan import HostsPlan
from skerry.systems.agent_mesh import agent_mesh_plan
from tests.simulators.changed_stacks import changed_deployment

NOW: Final = datetime.now(UTC)
PASSWORDS: Final = {
    "STATE_GATEWAY_PASSWORD": "aa11",
    "STATE_REPLICA_PASSWORD": "bb22",
    "STATE_SENTINEL_PASSWORD": "cc33",
}
MACHINES: Final = {"gate-a": "127.77.0.1", "gate-b": "127.77.0.2", "edge": "127.77.0.3"}


class Site:
    """Three machines on addresses of loopback, each with a folder that stands for its root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.authority: Authority = new_authority("test", NOW, 10)
        spec = load_spec(
            changed_deployment("mesh-enterprise", {"agent_mesh.shared_state.program": "redis"}), "mesh-enterprise"
        )
        self.plan: HostsPlan = agent_mesh_plan(spec, load_catalog())
        assert spec.hosts is not None
        self.hosts = spec.hosts
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        for name in MACHINES:
            self._lay(name)

    def _moved(self, machine: str, text: str) -> str:
        home = self.root / machine
        for path in ("/etc/agent-mesh", "/var/lib", "/usr/local/lib/agent-mesh"):
            text = text.replace(path, f"{home}{path}")
        return text.replace("10.77.0.", "127.77.0.")

    def _lay(self, name: str) -> None:
        machine = next(row for row in self.plan.machines if row.name == name)
        for file in machine.files:
            if not file.path.startswith(("/etc/agent-mesh", "/usr/local/lib/agent-mesh")):
                continue
            path = self.root / name / file.path.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            text = self._moved(name, file.text)
            if file.secret == "mesh-authority":
                text = self.authority.certificate_pem
            elif file.secret:
                text = new_certificate(self.authority, name, [name, MACHINES[name]], NOW, 5)
            # A majority of two of three is asked in 5 s of silence: a test waits less.
            path.write_text(
                text.replace("down-after-milliseconds agent-mesh 5000", "down-after-milliseconds agent-mesh 1000")
            )
        for folder in ("agent-mesh-state", "agent-mesh-sentinel"):
            (self.root / name / "var/lib" / folder).mkdir(parents=True)

    def start(self, machine: str, what: str) -> None:
        script = self.root / machine / f"usr/local/lib/agent-mesh/{what}-start"
        log = (self.root / f"{machine}-{what}.log").open("ab")
        self.running[f"{machine}-{what}"] = subprocess.Popen(
            ["/bin/sh", str(script)], env={"PATH": "/usr/bin:/bin", **PASSWORDS}, stdout=log, stderr=log
        )

    def stop(self, machine: str, what: str) -> None:
        process = self.running.pop(f"{machine}-{what}")
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    def well(self, machine: str, port: int) -> bool:
        script = self.root / machine / "usr/local/lib/agent-mesh/state-health"
        return subprocess.run(["/bin/sh", str(script), str(port)], capture_output=True, timeout=10).returncode == 0

    def start_proxy(self, machine: str) -> None:
        row = next(row for row in self.plan.machines if row.name == machine)
        (text,) = (file.text for file in haproxy_files(row, self.plan, self.hosts) if file.path.endswith("haproxy.cfg"))
        text = self._moved(machine, text)
        lines = [
            line for line in text.splitlines() if line.split()[:1] not in (["user"], ["group"], ["chroot"], ["maxconn"])
        ]
        path = self.root / f"{machine}.cfg"
        path.write_text("\n".join(lines).replace("127.0.0.1:6379", "127.77.0.9:6379") + "\n")
        log = (self.root / f"{machine}-haproxy.log").open("ab")
        self.running["haproxy"] = subprocess.Popen(["haproxy", "-db", "-f", str(path)], stdout=log, stderr=log)

    def logs(self) -> str:
        return "\n".join(f"{path.name}\n{path.read_text(errors='replace')[-1500:]}" for path in self.root.glob("*.log"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, need_tool: Callable[[str], str]) -> Iterator[Site]:
    for program in ("redis-server", "redis-cli", "haproxy"):
        need_tool(program)
    found = Site(tmp_path_factory.mktemp("mesh"))
    try:
        for name in MACHINES:
            found.start(name, "state")
        wait(found, lambda: all(found.well(name, 6379) for name in MACHINES))
        for name in MACHINES:
            found.start(name, "sentinel")
        wait(found, lambda: all(found.well(name, 26379) for name in MACHINES))
        found.start_proxy("gate-b")
        yield found
    finally:
        for process in found.running.values():
            process.kill()
            process.wait(10)


def wait(site: Site, holds: object, seconds: float = 25) -> None:
    assert callable(holds)
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, site.logs()
        time.sleep(0.3)


def as_gateway(*words: str) -> str:
    command = ["redis-cli", "-h", "127.77.0.9", "-p", "6379", "--user", "mesh", "--pass", "aa11", "--no-auth-warning"]
    return subprocess.run([*command, *words], capture_output=True, text=True, timeout=10).stdout.strip()


def test_a_gateway_writes_through_the_way_on_its_own_machine(site: Site) -> None:
    wait(site, lambda: as_gateway("SET", "mesh:one", "1") == "OK")
    # Until its first check HAProxy takes every member for well.
    wait(site, lambda: as_gateway("GET", "mesh:one") == "1")


def test_nobody_without_a_certificate_is_answered(site: Site) -> None:
    plain = ["redis-cli", "-h", MACHINES["gate-a"], "-p", "6379", "ping"]
    unknown = [*plain[:-1], "--tls", "--insecure", "ping"]
    for command in (plain, unknown):
        assert "PONG" not in subprocess.run(command, capture_output=True, text=True, timeout=10).stdout


def test_a_certificate_without_a_password_asks_for_the_role_alone(site: Site) -> None:
    command = ["redis-cli", "-h", "127.77.0.9", "-p", "6379"]
    answers = [
        subprocess.run([*command, *words], capture_output=True, text=True, timeout=10).stdout.strip()
        for words in (("GET", "mesh:one"), ("CONFIG", "GET", "masterauth"), ("PING",))
    ]
    assert [
        answers[0].startswith("NOPERM"), answers[1].startswith("NOPERM"), answers[2] == "PONG",
    ] == [True, True, True]  # fmt: skip


def test_the_gateways_user_changes_no_settings(site: Site) -> None:
    assert as_gateway("CONFIG", "GET", "*").startswith("NOPERM")


def test_when_the_primary_dies_another_is_named_and_the_way_leads_there(site: Site) -> None:
    wait(site, lambda: as_gateway("SET", "mesh:two", "2") == "OK")
    wait(site, lambda: "connected_slaves:2" in as_gateway("INFO", "replication"))
    site.stop("gate-a", "state")
    wait(site, lambda: as_gateway("SET", "mesh:three", "3") == "OK")
    wait(site, lambda: [as_gateway("GET", "mesh:two"), as_gateway("GET", "mesh:three")] == ["2", "3"])
    # The one that died comes back as a replica of the new primary, though its own file named it the first.
    site.start("gate-a", "state")
    wait(site, lambda: "connected_slaves:2" in as_gateway("INFO", "replication"))
