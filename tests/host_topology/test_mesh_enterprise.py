"""The enterprise mesh from a cold start on five simulated machines: what is lost when parts of it fail."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.simulators.host_topology import (
    OUTSIDER,
    UNDER_WAY,
    Applied,
    Caller,
    Topology,
    calling,
    document,
    repository,
    skerry,
    until,
)
from tests.simulators.hosts import SimulatedHost, SimulatedNetwork, need_hosts

STACK = "mesh-enterprise"
MACHINES = ("gate-a", "gate-b", "edge", "node-a", "node-b")
HOST = "mesh.customer.example"
SOURCE = "https://github.com/adaptivesentience/agent_mesh.git"
NODES = {"node-a-8000", "node-a-8001", "node-b-8000", "node-b-8001"}
TOOLS = ("nginx", "haproxy", "nft", "wg-quick", "wireguard-go", "redis-server", "rsyslogd", "curl", "git", "age")


@dataclass
class World:
    """The machines with what was made for them."""

    topology: Topology
    runs: dict[str, Applied]

    @property
    def hosts(self) -> dict[str, SimulatedHost]:
        return self.topology.hosts

    @property
    def url(self) -> str:
        return f"https://{HOST}"

    def caller(self, *, certificate: bool = True, last: int = 1) -> Caller:
        """Return somebody who calls the load balancer from an address of this process."""
        site, edge = self.topology.site, self.hosts["edge"].address
        words = ["--cacert", f"{site}/authority.pem", "--resolve", f"{HOST}:443:{edge}"]
        words += ["--interface", self.topology.lan.address(last)]
        return Caller((*words, *(("--cert", f"{site}/callers/ops.pem") if certificate else ())))

    def nodes(self) -> set[str]:
        """Return the nodes that a gateway sees now."""
        status, text = self.caller().ask(f"{self.url}/v1/mesh_scan")
        return {str(row["node_id"]) for row in document(text)["nodes"]} if status == 200 else set()

    def gateways(self, calls: int = 8) -> set[str]:
        """Return who answers some calls."""
        answers = [self.caller().ask(f"{self.url}/health") for _ in range(calls)]
        return {str(document(text)["gateway"]) for status, text in answers if status == 200}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, need_tool_module: None) -> Iterator[World]:
    need_hosts()
    root = tmp_path_factory.mktemp("mesh")
    source = repository(root / "agent_mesh")
    with SimulatedNetwork() as lan:
        topology = Topology(STACK, root, lan, binds={source: "/srv/agent_mesh"})
        topology.machines(MACHINES)
        made = subprocess.run(["age-keygen", "--output", root / "age"], capture_output=True, text=True, check=True)
        recipient = made.stderr.rpartition(" ")[2].strip()
        backup = {"recipients": [recipient], "off_host": "file:///media/backup"}
        topology.configure({"agent_mesh.shared_state.program": "redis", "hosts.backup": backup})
        words = ("--program", topology.program, "--stack", STACK, "--folder", topology.site)
        skerry("mesh", "keys", *words)
        skerry("mesh", "caller", "--name", "ops", *words)
        topology.hand_over(skerry("mesh", "secrets", *words))
        topology.secrets["siem-authority"] = (topology.site / "authority.pem").read_text()
        topology.render()
        for host in topology.hosts.values():
            host.write("/etc/gitconfig", f'[url "file:///srv/agent_mesh"]\n\tinsteadOf = {SOURCE}\n')
        yield World(topology, topology.cold_start())


def test_every_machine_is_made_from_its_rendered_files(world: World) -> None:
    for name, run in world.runs.items():
        assert run.code == 0, f"{name}: {run.out}{run.err}"
        assert world.topology.apply(name, "--status").out.splitlines()[0] == "state: applied"
    print({name: round(run.seconds, 1) for name, run in world.runs.items()})


def test_what_a_gateway_keeps_comes_back_from_its_backup(world: World) -> None:
    """The trust store, keys, audit log and configuration, by the rendered unit and the rendered way back."""
    gate, identity = world.hosts["gate-b"], world.topology.root / "age"
    gate.run("mkdir -p /media/backup && mount -t tmpfs tmpfs /media/backup")
    gate.run("systemctl start skerry-backup-agent-mesh")
    archive = gate.run("ls /media/backup/agent-mesh-*.tar.gz.age").stdout.strip()
    assert gate.run(f"head -c 21 {archive}").stdout == "age-encryption.org/v1"
    gate.write("/srv/age", identity.read_text())
    gate.run(f"mkdir /srv/there && /usr/local/lib/skerry/restore-agent-mesh {archive} /srv/age /srv/there")
    kept = ("/opt/agent_mesh/trust", "/opt/agent_mesh/keys", "/opt/agent_mesh/.env", "/opt/agent_mesh/config")
    for path in (*kept, "/var/log/agent_mesh"):
        gate.run(f"diff -r {path} /srv/there{path}")
    assert gate.run("find /srv/there/opt/agent_mesh/keys -type f").stdout


def test_units_are_well_in_their_order(world: World) -> None:
    orders = {
        "gate-a": ("skerry-firewall", "wg-quick@agent_net", "haproxy", "agent-mesh-state", "agent-mesh-gateway"),
        "edge": ("skerry-firewall", "wg-quick@agent_net", "agent-mesh-state", "nginx"),
        "node-a": ("skerry-firewall", "wg-quick@agent_net", "agent-mesh-node@8000", "agent-mesh-node@8001"),
    }
    for name, units in orders.items():
        shown = (
            world.hosts[name].run("systemctl show -P ActiveEnterTimestampMonotonic " + " ".join(units)).stdout.split()
        )
        times = [int(row) for row in shown]
        assert all(times), (name, times)
        assert times == sorted(times), (name, times)
        assert world.hosts[name].run("systemctl --failed --plain --no-legend").stdout == "", name


def test_the_load_balancer_answers_who_shows_a_certificate_and_nobody_else(world: World) -> None:
    until(lambda: world.gateways() == {"gate-a", "gate-b"}, 30)
    assert world.caller().ask(f"{world.url}/v1/metrics")[0] == 200
    status, text = world.caller(certificate=False).ask(f"{world.url}/health")
    assert (status, "No required SSL certificate was sent" in text) == (400, True)
    until(lambda: world.nodes() == NODES, 30)


def test_gateways_share_their_state(world: World) -> None:
    seen: dict[str, list[int]] = {}

    def shared() -> bool:
        status, text = world.caller().ask(f"{world.url}/v1/stand-in/shared")
        if status == 200:
            told = document(text)
            seen.setdefault(told["gateway"], []).append(told["calls"])
        return len(seen) == 2 and all(len(row) > 2 for row in seen.values())

    until(shared, 40)
    counts = sorted(number for row in seen.values() for number in row)
    assert counts == list(range(counts[0], counts[0] + len(counts)))


def test_the_firewall_lets_in_who_is_named(world: World) -> None:
    outside, inside = Caller(("--interface", world.topology.lan.address(OUTSIDER))), world.caller()
    assert inside.ask(f"{world.url}/health")[0] == 200
    assert world.caller(last=OUTSIDER).ask(f"{world.url}/health", seconds=2)[0] == 0
    refused = {
        f"{name}:{port}": outside.ask(f"http://{world.hosts[name].address}:{port}/health", seconds=1)[0]
        for name, port in (("gate-a", 8787), ("gate-a", 6379), ("gate-b", 8787), ("node-a", 8000), ("edge", 22))
    }
    assert set(refused.values()) == {0}
    # Not even the local network reaches gateways and nodes: the overlay alone does.
    from_lan = Caller(("--interface", world.topology.lan.address(1)))
    assert from_lan.ask(f"http://{world.hosts['gate-a'].address}:8787/health", seconds=1)[0] == 0
    through = "curl -s -o /dev/null -m 3 -w '%{http_code}' http://"
    assert world.hosts["edge"].run(f"{through}10.77.0.1:8787/health").stdout == "200"
    assert world.hosts["edge"].run(f"{through}{world.hosts['node-a'].address}:8000/", check=False).stdout == "000"


def test_a_gateway_is_stopped_and_then_its_machine_loses_power(world: World) -> None:
    ask = world.caller()

    def health() -> int:
        return ask.ask(f"{world.url}/health")[0]

    gate = world.hosts["gate-b"]
    with calling(health) as stopped:
        time.sleep(1)
        gate.run("systemctl stop agent-mesh-gateway")
        time.sleep(4)
    until(lambda: world.gateways() == {"gate-a"}, 40)
    assert stopped.lost <= UNDER_WAY, stopped.words()
    gate.run("systemctl start agent-mesh-gateway")
    back = until(lambda: world.gateways() == {"gate-a", "gate-b"}, 40)
    try:
        with calling(health) as cut:
            time.sleep(1)
            world.topology.lan.cut(gate)
            time.sleep(10)
    finally:
        world.topology.lan.join(gate)
    assert cut.lost <= UNDER_WAY, cut.words()
    again = until(lambda: world.gateways() == {"gate-a", "gate-b"}, 60)
    print(f"unit stopped: {stopped.words()}; back after {back:.1f} s")
    print(f"machine cut off: {cut.words()}; back after {again:.1f} s")


def test_a_node_that_dies_is_seen_and_comes_back(world: World) -> None:
    node = world.hosts["node-b"]
    node.run("systemctl kill --signal=KILL agent-mesh-node@8001")
    gone = until(lambda: world.nodes() == NODES - {"node-b-8001"}, 10)
    back = until(lambda: world.nodes() == NODES, 30)
    print(f"a node killed: seen after {gone:.1f} s, started again by systemd after {back:.1f} s")


def test_the_overlay_is_cut_and_joined_again(world: World) -> None:
    node = world.hosts["node-a"]
    node.run("systemctl stop wg-quick@agent_net")
    gone = until(lambda: world.nodes() == NODES - {"node-a-8000", "node-a-8001"}, 20)
    assert node.run("curl -s -m 3 -o /dev/null -w '%{http_code}' http://127.0.0.1:8000/health").stdout == "200"
    node.run("systemctl start wg-quick@agent_net")
    back = until(lambda: world.nodes() == NODES, 40)
    print(f"overlay of a machine down: seen after {gone:.1f} s, whole {back:.1f} s after it was up again")


def test_the_primarys_machine_loses_power_and_another_takes_over(world: World) -> None:
    ask = world.caller()
    began = int(document(ask.ask(f"{world.url}/v1/stand-in/shared")[1])["calls"])
    with calling(lambda: ask.ask(f"{world.url}/v1/stand-in/shared", seconds=20)[0], 0.2) as writes:
        time.sleep(1)
        world.hosts["gate-a"].stop()
        until(lambda: bool(writes.rows[3:]) and writes.rows[-1][1] == 200 and _asked_by(world) == "gate-b", 60)
        time.sleep(8)
    print(f"primary's machine lost: {writes.words()}")
    assert writes.rows[-1][1] == 200, writes.words()
    status, text = ask.ask(f"{world.url}/v1/stand-in/shared")
    answered = sum(status == 200 for _, status, _ in writes.rows)
    assert (status, document(text)["gateway"]) == (200, "gate-b")
    assert document(text)["calls"] >= began + answered


def _asked_by(world: World) -> str:
    status, text = world.caller().ask(f"{world.url}/v1/stand-in/shared", seconds=20)
    return str(document(text)["gateway"]) if status == 200 else ""
