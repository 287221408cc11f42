"""AgentDB's three nodes behind HAProxy from a cold start: a node is lost, and QUIC's port is for nodes alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from skerry.hosts.keys import new_authority, new_certificate
from tests.simulators.host_topology import OUTSIDER, UNDER_WAY, Applied, Caller, Topology, calling, document, until
from tests.simulators.hosts import SimulatedNetwork, need_hosts

STACK = "agentdb-multi-node"
MACHINES = ("entry", "node1", "node2", "node3")
TOOLS = ("haproxy", "nft", "wg-quick", "wireguard-go", "curl", "age")
QUIC = (
    'python3 -c "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(1); '
    "s.sendto(b'x', ('{0}', 4433)); print(s.recv(99).decode())\""
)


@dataclass
class World:
    """The machines with what was made for them."""

    topology: Topology
    runs: dict[str, Applied]

    def caller(self, last: int = 1) -> Caller:
        """Return a caller of the API."""
        entry = self.topology.hosts["entry"].address
        words = ("--cacert", f"{self.topology.root}/authority.pem", "--resolve", f"api.customer.example:8080:{entry}")
        return Caller((*words, "--interface", self.topology.lan.address(last)))

    def nodes(self, calls: int = 9) -> set[str]:
        """Return who answers some calls."""
        found = [self.caller().ask("https://api.customer.example:8080/health") for _ in range(calls)]
        return {str(document(text)["node"]) for status, text in found if status == 200}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, need_tool_module: None) -> Iterator[World]:
    need_hosts()
    with SimulatedNetwork() as lan:
        topology = Topology(STACK, tmp_path_factory.mktemp("agentdb"), lan)
        topology.machines(MACHINES)
        topology.configure({})
        now = datetime.now(UTC)
        authority = new_authority("test", now, 10)
        (topology.root / "authority.pem").write_text(authority.certificate_pem)
        for name, key in (("api", "api"), ("peer", "peer")):
            made = new_certificate(authority, name, ["api.customer.example"], now, 5)
            cut = made.index("-----BEGIN PRIVATE KEY")
            topology.secrets |= {f"{key}Certificate": made[:cut], f"{key}Key": made[cut:]}
        topology.secrets["peerAuthority"] = authority.certificate_pem
        topology.secrets["backupKey"] = topology.hosts["node1"].key_file.read_text()
        topology.render()
        topology.containers([name for name in MACHINES if name != "entry"])
        yield World(topology, topology.cold_start())


def test_every_machine_is_made_from_its_rendered_files(world: World) -> None:
    for name, run in world.runs.items():
        assert run.code == 0, f"{name}: {run.out}{run.err}"
    until(lambda: world.nodes() == {"node1", "node2", "node3"}, 30)
    print({name: round(run.seconds, 1) for name, run in world.runs.items()})


def test_quic_is_udp_alone_and_for_nodes_alone(world: World) -> None:
    hosts = world.topology.hosts
    for name in ("node1", "node2", "node3"):
        assert ":4433" not in hosts[name].run("ss -Htln").stdout
        assert ":4433" in hosts[name].run("ss -Huln").stdout
    assert hosts["node2"].run(QUIC.format(hosts["node1"].address)).stdout == "stand-in x\n"
    refused = hosts["entry"].run(QUIC.format(hosts["node1"].address), check=False)
    assert (refused.returncode, "TimeoutError" in refused.stderr) == (1, True)
    outside = Caller(("--interface", world.topology.lan.address(OUTSIDER)))
    assert outside.ask(f"http://{hosts['node1'].address}:8080/health", seconds=1)[0] == 0
    assert world.caller(OUTSIDER).ask("https://api.customer.example:8080/health", seconds=1)[0] == 0


def test_a_node_loses_power_and_callers_go_on(world: World) -> None:
    ask = world.caller()
    with calling(lambda: ask.ask("https://api.customer.example:8080/health")[0]) as calls:
        time.sleep(1)
        world.topology.hosts["node2"].stop()
        time.sleep(14)
    print(f"a node lost: {calls.words()}, slowest {calls.slowest_s:.2f} s")
    until(lambda: world.nodes() == {"node1", "node3"}, 60)
    assert calls.rows[-1][1] == 200, calls.words()
    assert calls.lost <= UNDER_WAY, calls.words()
