"""What the renderers write, applied through sshd: all of it starts, and a second run changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from components.host.apply import ApplyScript, apply_script
from components.host.files import files_of
from skerry.config.host import FirewallKind, HostBackupSpec, HostSpec, HostsSpec
from skerry.hosts.plan import (
    Health,
    HostBackup,
    HostFolder,
    HostService,
    HostsPlan,
    HostUser,
    Listen,
    LogFile,
    Machine,
    Member,
    Proxy,
    Supervisor,
    Timer,
)
from tests.simulators.hosts import SimulatedHost, SimulatedNetwork, need_hosts

RECIPIENT = "age1cuc5g2ecqsvk65t8g92asldhs36e5u0h96322qvs73e8c0gn7fws2ype7u"
SECRET = 'a "quoted" $ecret'


def page(name: str, port: int, *needs: str, seconds: int = 20) -> HostService:
    """Return a service that answers its folder over HTTP."""
    return HostService(
        name=name,
        supervisor=Supervisor.SYSTEMD,
        command=("/usr/bin/python3", "-m", "http.server", f"{port}", "--bind", "127.0.0.1"),
        environment={"NAME": name},
        secrets={"TOKEN": "pageToken"},
        listens=(Listen(name="http", port=port, comment=name),),
        needs=needs,
        health=Health(path="/", port=port, interval_s=seconds // 4, timeout_s=2, retries=2),
        user="page",
        state_folder=name,
        memory_mib=128,
    )


def machine_of(address: str, network: str) -> Machine:
    outside = {"bind": "0.0.0.0", "sources": (network,)}
    front = Proxy(
        name="front",
        kind="nginx",
        listen=Listen(name="http", port=8100, comment="pages", **outside),  # type: ignore[arg-type]  # two types of words
        members=(Member(name="first", address="127.0.0.1", port=8101),),
    )
    balancer = replace(
        front,
        name="balancer",
        kind="haproxy",
        listen=replace(front.listen, port=8200),
        members=(*front.members, Member(name="second", address="127.0.0.1", port=8102)),
        health_path="/",
    )
    return Machine(
        name="gate",
        spec=HostSpec(address=address, vcpu=2, memory_gib=4, storage_gib=20),
        services=(page("second", 8102, "first"), page("first", 8101)),
        proxies=(front, balancer),
        users=(HostUser(name="page", home="/srv/page"),),
        folders=(HostFolder(path="/srv/page", owner="page", group="page"),),
        backups=(HostBackup(name="pages", paths=("/srv/page",)),),
        logs=(LogFile(path="/var/log/page/*.log", owner="page", group="page", days=7),),
        timers=(Timer(name="tidy", command=("/usr/bin/true",), calendar="daily"),),
        sudo=("page ALL=(root) NOPASSWD: /usr/bin/systemctl restart first.service",),
        sysctl={"net.ipv4.ip_nonlocal_bind": "1"},
    )


def script_of(machine: Machine, network: str) -> ApplyScript:
    hosts = HostsSpec(
        machines={"gate": machine.spec},
        firewall=FirewallKind.NFTABLES,
        admin_cidrs=(network,),
        backup=HostBackupSpec(recipients=(RECIPIENT,), folder="/var/backups/skerry"),
    )
    plan = HostsPlan(machines=(machine,))
    found = apply_script(machine, plan, hosts, files_of(machine, plan, hosts))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[SimulatedHost, Machine, str]]:
    need_hosts()
    with SimulatedNetwork() as lan, SimulatedHost("gate", lan) as host:
        yield host, machine_of(host.address, lan.cidr), lan.cidr


def run(host: SimulatedHost, made: ApplyScript, *words: str) -> list[str]:
    done = host.ssh(f"sh -s -- {' '.join(words)}", stdin=made.with_values({"pageToken": SECRET}), check=False)
    if done.returncode:
        journal = host.run("journalctl --no-pager -p notice -n 30; df -h /run /; free -m", check=False).stdout
        pytest.fail(f"{done.stdout}{done.stderr}\n{journal}")
    return done.stdout.splitlines()


def test_everything_starts_and_a_second_run_changes_nothing(world: tuple[SimulatedHost, Machine, str]) -> None:
    host, machine, network = world
    first = run(host, script_of(machine, network))
    assert int(first[-1].removeprefix("changed: ")) > 20
    units = [line.removeprefix("unit ").removesuffix(": start") for line in first if line.endswith(": start")]
    order = ["skerry-firewall.service", "first.service", "second.service", "haproxy.service", "nginx.service"]
    assert [unit for unit in units if unit in order][:3] == order[:3]
    assert sorted(unit for unit in units if unit in order) == sorted(order)
    for port in (8100, 8200):
        host.wait_for(f"curl -fsS -o /dev/null http://{host.address}:{port}/")
    environ = host.run("tr '\\0' '\\n' < /proc/$(systemctl show -P MainPID first)/environ").stdout.splitlines()
    assert f"TOKEN={SECRET}" in environ
    assert run(host, script_of(machine, network)) == ["changed: 0"]
    assert run(host, script_of(machine, network), "--status")[0] == "state: applied"


def test_one_more_port_reloads_the_firewall_and_nothing_else(world: tuple[SimulatedHost, Machine, str]) -> None:
    host, machine, network = world
    opened = Listen(name="extra", port=9000, bind="0.0.0.0", sources=(network,), comment="extra")
    assert run(host, script_of(replace(machine, opens=(opened,)), network)) == [
        "file /etc/skerry/firewall.nft",
        "unit skerry-firewall.service: reload-or-restart",
        "changed: 2",
    ]
    assert "9000" in host.run("nft list table inet skerry").stdout
    assert run(host, script_of(machine, network), "--dry-run")[-1] == "would change: 2"


def test_a_machine_that_is_left_alone_runs_nothing_of_ours(world: tuple[SimulatedHost, Machine, str]) -> None:
    host, machine, network = world
    assert run(host, script_of(machine, network), "--remove")[-1].endswith("; data, users and logs stay")
    active = "systemctl is-active first second nginx haproxy skerry-firewall tidy.timer"
    assert set(host.run(active, check=False).stdout.split()) == {"inactive"}
    assert host.run("nft list tables").stdout == ""
    assert "listen 80 default_server" in host.run("cat /etc/nginx/nginx.conf /etc/nginx/sites-enabled/*").stdout
    assert host.run("ls -d /srv/page /var/lib/first").stdout == "/srv/page\n/var/lib/first\n"
