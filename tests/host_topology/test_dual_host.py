"""The dual host from a cold start: the rendered order of starts is kept, an ill service stops those behind it alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from skerry.hosts.keys import new_authority, new_certificate
from tests.simulators.host_topology import Applied, Topology, until
from tests.simulators.hosts import SimulatedNetwork, need_hosts

STACK = "dual-host"
MACHINES = ("mainpc", "pc2")
GPUS = {"mainpc": "24564, 8.9, [N/A]", "pc2": "12288, 8.6, [N/A]"}
TOOLS = ("nginx", "nft", "wg-quick", "wireguard-go", "curl", "age")
STATUS = "curl -s -o /dev/null -m 3 -w '%{http_code}' "
STEPS = (
    ("mainpc", "service-registry"),
    ("mainpc", "observability-hub"),
    ("pc2", "memory-orchestrator-service"),
    ("pc2", "async-processor"),
)
"""Services of the seed's steps, each of a later one than that before it; the memory hub waits for the other machine."""


@dataclass
class World:
    """The machines with what was made for them."""

    topology: Topology
    runs: dict[str, Applied]

    def rows(self, machine: str) -> dict[str, dict[str, Any]]:
        """Return the services of a machine, as they were rendered."""
        folder = self.topology.root / "out" / "files" / machine / "etc/skerry/compose"
        found: dict[str, dict[str, Any]] = {}
        for path in folder.glob("*.yaml"):
            found |= yaml.safe_load(Path(path).read_text()).get("services") or {}
        return found

    def events(self, machine: str) -> list[tuple[float, str, str]]:
        """Return what happened to containers: when, what, to which."""
        text = self.topology.hosts[machine].read("/var/lib/compose-stand-in/events.jsonl")
        return [(row["at"], row["did"], row["service"]) for row in map(json.loads, text.splitlines())]

    def first(self, machine: str, did: str) -> dict[str, float]:
        """Return when something first happened to each service."""
        found: dict[str, float] = {}
        for at, what, name in self.events(machine):
            if what == did:
                found.setdefault(name, at)
        return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, need_tool_module: None) -> Iterator[World]:
    need_hosts()
    with SimulatedNetwork() as lan:
        topology = Topology(STACK, tmp_path_factory.mktemp("dual"), lan)
        topology.machines(MACHINES)
        topology.configure({f"hosts.machines.{name}.os": "debian" for name in MACHINES})
        now = datetime.now(UTC)
        made = new_certificate(new_authority("test", now, 10), "web", ["web.customer.example"], now, 5)
        cut = made.index("-----BEGIN PRIVATE KEY")
        topology.secrets |= {"webCertificate": made[:cut], "webKey": made[cut:], "registryLogin": "{}"}
        topology.secrets["backupKey"] = topology.hosts["mainpc"].key_file.read_text()
        topology.render()
        topology.containers(MACHINES, GPUS)
        yield World(topology, topology.cold_start())


def test_every_machine_is_made_from_its_rendered_files(world: World) -> None:
    for name, run in world.runs.items():
        assert run.code == 0, f"{name}: {run.out}{run.err}"
        assert set(world.first(name, "healthy")) == set(world.rows(name))
    print({name: round(run.seconds, 1) for name, run in world.runs.items()})


def test_a_service_starts_once_those_that_it_needs_are_healthy(world: World) -> None:
    pairs = 0
    for name in MACHINES:
        started, healthy = world.first(name, "started"), world.first(name, "healthy")
        for service, row in world.rows(name).items():
            for need in row.get("depends_on") or {}:
                pairs += 1
                assert healthy[need] <= started[service], (name, service, need)
    times = [world.first(machine, "started")[service] for machine, service in STEPS]
    assert times == sorted(times)
    print(f"{pairs} pairs of service and need, in their order")
    assert pairs > 30


def test_the_second_machine_waits_for_the_main_ones_hub(world: World) -> None:
    hub, memory = world.first("mainpc", "healthy"), world.first("pc2", "started")["memory-orchestrator-service"]
    script = world.topology.hosts["pc2"].read("/usr/local/lib/skerry/compose-up")
    port = next(line for line in script.splitlines() if "wait-for" in line).split(":")[-1].split("/")[0]
    waited = next(
        name
        for name, row in world.rows("mainpc").items()
        if any(str(part["published"]) == port for part in row.get("ports", []))
    )
    assert hub[waited] <= memory


def test_machines_answer_each_other_by_the_overlay_alone_and_live_on_without_it(world: World) -> None:
    main, second = (world.topology.hosts[name] for name in MACHINES)
    # A stand-in serves the first port of its service alone.
    first = [row["ports"][0] for row in world.rows("mainpc").values() if row.get("ports")]
    shared = [f"{part['host_ip']}:{part['published']}" for part in first if part["host_ip"] == "10.77.0.1"]
    assert shared
    for place in shared:
        assert second.run(f"{STATUS} http://{place}/health").stdout == "200"
        port = place.rpartition(":")[2]
        assert second.run(f"{STATUS} http://{main.address}:{port}/health", check=False).stdout == "000"
    upstream = world.rows("pc2")["observability-hub"]["environment"]["mainpc_hub_endpoint"]
    assert second.run(f"{STATUS} {upstream}/health").stdout == "200"
    hub = next(
        f"{part['host_ip']}:{part['published']}"
        for part in world.rows("pc2")["observability-hub"]["ports"]
        if part["host_ip"] == "10.77.0.2"
    )
    assert main.run(f"{STATUS} http://{hub}/health").stdout == "200"
    second.run("systemctl stop wg-quick@agent_net")
    assert second.run(f"{STATUS} http://{shared[0]}/health", check=False).stdout == "000"
    units = "systemctl list-units --plain --no-legend --state=running 'stood-in-*' | wc -l"
    assert int(second.run(units).stdout) == len(world.rows("pc2"))
    second.run("systemctl start wg-quick@agent_net")
    back = until(lambda: second.run(f"{STATUS} http://{shared[0]}/health", check=False).stdout == "200", 40)
    print(f"overlay joined again: answers after {back:.1f} s")


def test_a_service_that_never_becomes_healthy_stops_those_behind_it_alone(world: World) -> None:
    second, rows, ill = world.topology.hosts["pc2"], world.rows("pc2"), "memory-orchestrator-service"
    behind: set[str] = set()
    while more := {
        name for name, row in rows.items() if {ill, *behind} & set(row.get("depends_on") or {}) and name not in behind
    }:
        behind |= more
    compose = "cd /etc/skerry/compose && docker compose"
    second.run("systemctl stop skerry-compose; " + compose + " stop")
    flag = f"/run/stand-in-ill/{rows[ill]['environment']['SERVICE_NAME']}"
    second.write(flag, "")
    done = second.run(f"{compose} up --detach --wait", check=False)
    assert (done.returncode, f"{ill} is unhealthy" in done.stderr) == (1, True)
    shown = second.run("systemctl list-units --plain --no-legend --state=running 'stood-in-*'").stdout
    running = {line.split()[0].removeprefix("stood-in-").removesuffix(".service") for line in shown.splitlines()}
    assert behind
    assert running == set(rows) - behind
    second.run(f"rm {flag}")
    assert second.run(f"{compose} up --detach --wait", check=False).returncode == 0
