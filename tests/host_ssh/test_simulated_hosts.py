"""What other tests build on: simulated machines are machines, apart from each other and from this one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulators.hosts import SimulatedHost, SimulatedNetwork, SimulationError, need_hosts


@pytest.fixture(scope="module")
def machines() -> Iterator[tuple[SimulatedNetwork, SimulatedHost, SimulatedHost]]:
    need_hosts()
    with SimulatedNetwork() as lan, SimulatedHost("gate", lan) as gate, SimulatedHost("node", lan, login="ops") as node:
        yield lan, gate, node


def test_a_machine_has_its_own_name_disk_and_processes(
    machines: tuple[SimulatedNetwork, SimulatedHost, SimulatedHost],
) -> None:
    _, gate, node = machines
    gate.write("/etc/skerry-simulated", "of the gate alone\n")
    assert gate.ssh("hostname").stdout == "gate\n"
    assert gate.read("/etc/skerry-simulated") == "of the gate alone\n"
    assert node.run("cat /etc/skerry-simulated", check=False).returncode == 1
    assert not Path("/etc/skerry-simulated").exists()
    assert gate.run("cat /proc/1/comm").stdout == "systemd\n"
    assert os.uname().nodename != "gate"


def test_units_run_and_who_logs_in_may_be_root(
    machines: tuple[SimulatedNetwork, SimulatedHost, SimulatedHost],
) -> None:
    _, gate, node = machines
    gate.write("/etc/systemd/system/nap.service", "[Service]\nExecStart=/usr/bin/sleep 999\nUser=nobody\n")
    gate.ssh("systemctl daemon-reload && systemctl start nap")
    assert gate.run("systemctl is-active nap").stdout == "active\n"
    assert "nobody" in gate.run("ps -o user= -p $(systemctl show -P MainPID nap)").stdout
    assert node.ssh("sudo -n id -u").stdout == "0\n"
    assert node.ssh("id -u").stdout != "0\n"


def test_the_kernel_that_all_share_is_not_changed(
    machines: tuple[SimulatedNetwork, SimulatedHost, SimulatedHost],
) -> None:
    _, gate, _ = machines
    before = Path("/proc/sys/net/ipv4/ip_forward").read_text()
    gate.run("sysctl -q -w net.ipv4.ip_forward=1")
    assert before == Path("/proc/sys/net/ipv4/ip_forward").read_text()
    assert gate.run("sysctl -q -w vm.swappiness=1", check=False).returncode != 0


def test_a_cable_is_pulled_and_put_in(machines: tuple[SimulatedNetwork, SimulatedHost, SimulatedHost]) -> None:
    lan, gate, node = machines
    probe = f"timeout 2 bash -c ': < /dev/tcp/{gate.address}/22'"
    node.wait_for(probe)
    lan.cut(node)
    assert node.run(probe, check=False).returncode != 0
    lan.join(node)
    node.wait_for(probe)


def test_what_never_comes_is_told(machines: tuple[SimulatedNetwork, SimulatedHost, SimulatedHost]) -> None:
    with pytest.raises(SimulationError, match=r"gate: 'echo no; false' did not end well within 0\.5 s\n(.*\n)*no"):
        machines[1].wait_for("echo no; false", 0.5)


def test_nothing_is_left_behind() -> None:
    need_hosts()
    with SimulatedNetwork() as lan, SimulatedHost("brief", lan) as host:
        pid, folder, bridge = host.pid, host.folder, lan.bridge
        assert Path(f"/proc/{pid}").exists()
    assert not Path(f"/proc/{pid}").exists()
    assert not folder.exists()
    assert not Path(f"/sys/class/net/{bridge}").exists()
    assert list(Path("/sys/fs/cgroup").glob(f"**/skerry-{os.getpid()}-{host.cable}")) == []
