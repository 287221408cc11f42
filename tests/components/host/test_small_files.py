"""Users, folders, settings, logs, sudo, timers, packages and the overlay: what each says, and who takes it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.host.files import files_of
from components.host.packages import packages_of
from skerry.errors import UsageError
from skerry.hosts.plan import HostFile, HostFolder, HostsPlan, HostUser, LogFile, Machine, Timer
from tests.simulators.hosts import SimulatedHost, SimulatedNetwork
from tests.simulators.odd_hosts import (
    alone,
    hosts_spec,
    odd_files,
    odd_machine,
    odd_plan,
)

OVERLAY = "/etc/wireguard/agent_net.conf"

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a user with a capital letter": ({"users": (HostUser(name="Mesh", home="/x"),)}, "'Mesh' is no name of a user"),
    "a home without its beginning": ({"users": (HostUser(name="m", home="x"),)}, "'x' is no full path"),
    "a mode in words": ({"folders": (HostFolder(path="/x", mode="rwx"),)}, "folder /x: 'rwx' is no mode"),
    "a folder on two lines": ({"folders": (HostFolder(path="/a\nb"),)}, "a path holds the control character"),
    "a setting that is none": ({"sysctl": {"x y": "1"}}, "odd-1: 'x y' is no setting of sysctl"),
    "a value on two lines": ({"sysctl": {"a.b": "1\nc.d = 2"}}, "the value of a.b holds the control character"),
    "a line of sudo that is two": ({"sudo": ("a ALL=ALL\nb ALL=ALL",)}, "a line of sudoers holds the control"),
    "a timer without a program's path": (
        {"timers": (Timer(name="t", command=("true",), calendar="daily"),)},
        "names no program by its full path",
    ),
    "two files at one path": (
        {"files": (HostFile(path="/a", text="1"), HostFile(path="/a", text="2"))},
        "odd-1: two files want to stand at /a: rename what writes one",
    ),
    "a file outside the root": ({"files": (HostFile(path="/a/../../b"),)}, "'/a/../../b' is no full path of a file"),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_cannot_be_written_is_refused(sentence: str) -> None:
    fields, expected = REFUSED[sentence]
    with pytest.raises(UsageError) as caught:
        odd_files(**alone(**fields))
    assert expected in str(caught.value)


def test_the_same_plan_gives_the_same_files() -> None:
    assert odd_files() == odd_files()


def test_every_file_says_what_it_concerns() -> None:
    """A change that nobody is told of waits for the next start of the machine: these are read when they are used."""
    told = {path for path, file in odd_files().items() if file.restarts or file.commands}
    silent = sorted(set(odd_files()) - told)
    assert silent == [
        "/etc/logrotate.d/skerry",
        "/etc/skerry/backup/recipients",
        "/etc/skerry/packages",
        "/etc/sudoers.d/skerry",
        "/usr/local/lib/skerry/backup-keys",
        "/usr/local/lib/skerry/restore-keys",
        "/usr/local/lib/skerry/wait-for",
        "/usr/local/lib/skerry/wireguard-key",
    ]


def test_files_with_secrets_are_nobody_else_s() -> None:
    rows = [file for file in odd_files().values() if file.secret or file.variables]
    assert {"0600"} == {file.mode for file in rows}
    assert {""} == {file.text for file in rows}


def test_a_machine_without_linux_gets_what_its_plan_holds_and_containers_alone() -> None:
    row = {"address": "a", "os": "macos", "vcpu": 1, "memory_gib": 1, "storage_gib": 1}
    hosts = {"machines": {"odd-1": row, "odd-2": {**row, "address": "b"}}, "overlay": None}
    services = tuple(service for service in odd_machine(hosts_spec()).services if service.image)
    own = HostFile(path="/Library/LaunchDaemons/x.plist", text="x")
    found = odd_files(hosts=hosts, **alone(services=services, files=(own,)))
    assert {"Library", "etc"} == {path.split("/")[1] for path in found}
    assert {"compose", "environment"} == {path.split("/")[3] for path in found if path.startswith("/etc/skerry/")}
    assert [()] * len(found) == [file.enables for file in found.values()]


PACKAGES = {
    "everything": (
        {},
        {
            "age", "curl", "docker-cli", "docker-compose", "docker.io", "haproxy", "libnginx-mod-stream", "logrotate",
            "nftables", "nginx", "nvidia-container-toolkit", "sudo", "wireguard-tools",
        },
    ),
    "nothing but a firewall": (alone(), {"nftables", "wireguard-tools"}),
    "what the plan names": (alone(packages=("python3-venv",)), {"nftables", "python3-venv", "wireguard-tools"}),
}  # fmt: skip


@pytest.mark.parametrize("sentence", PACKAGES)
def test_the_packages_of_a_machine(sentence: str) -> None:
    fields, expected = PACKAGES[sentence]
    spec = hosts_spec()
    plan = odd_plan(spec, **fields)
    assert sorted(expected) == list(packages_of(plan.machines[0], plan, spec))


def test_sudo_takes_its_lines(tmp_path: Path, need_tool: Callable[[str], str]) -> None:
    file = odd_files()["/etc/sudoers.d/skerry"]
    assert file.mode == "0440"
    for text, code in ((file.text, 0), (file.text.replace("NOPASSWD:", "NOPASSWD"), 1)):
        (tmp_path / "skerry").write_text(text)
        words = [word.replace("{path}", f"{tmp_path}/skerry") for word in file.check]
        done = subprocess.run([need_tool("visudo"), *words[1:]], capture_output=True, text=True, check=False)
        assert code == done.returncode


@pytest.fixture(scope="module")
def applied(machine: SimulatedHost) -> SimulatedHost:
    """Return a machine on which users, folders, settings and logs were made."""
    fields = alone()
    whole = odd_machine(hosts_spec())
    nouns = ("users", "folders", "logs", "timers", "sysctl")
    files = odd_files(**{**fields, **{name: getattr(whole, name) for name in nouns}})
    for path, file in files.items():
        if path.startswith(
            ("/etc/sysusers.d", "/etc/tmpfiles.d", "/etc/sysctl.d", "/etc/logrotate.d", "/etc/systemd/system/odd")
        ):
            machine.write(path, file.text, file.mode)
    for path in ("/etc/sysusers.d/skerry.conf", "/etc/tmpfiles.d/skerry.conf"):
        for words in files[path].commands:
            machine.run(" ".join(words))
    return machine


def test_users_and_folders_are_made(applied: SimulatedHost) -> None:
    assert applied.run("id -nG odd-user").stdout.strip() == "odd-user odd-group"
    assert applied.run("getent passwd odd-user").stdout.split(":")[5] == "/var/lib/odd home"
    shown = applied.run("stat -c '%U %a' '/srv/with space' '/srv/100%'").stdout
    assert shown == "odd-user 750\nroot 700\n"


def test_settings_of_the_network_are_set(applied: SimulatedHost) -> None:
    applied.run("sysctl --load /etc/sysctl.d/90-skerry.conf", check=False)
    assert applied.run("cat /proc/sys/net/ipv4/ip_local_port_range").stdout.strip() == "20000\t60999"


def test_logs_are_rotated_and_writers_go_on(applied: SimulatedHost) -> None:
    applied.run(
        "mkdir -p /var/log/odd '/var/log/odd it'; chown odd-user /var/log/odd; chmod 755 /var/log/odd '/var/log/odd it'"
    )
    applied.run(
        "echo one > /var/log/odd/a.log && chown odd-user /var/log/odd/a.log && echo two > '/var/log/odd it/audit.log'"
    )
    done = applied.run("logrotate --debug /etc/logrotate.d/skerry")
    assert "error" not in done.stderr
    applied.run("logrotate --force --state /run/state /etc/logrotate.d/skerry")
    names = applied.run("ls /var/log/odd '/var/log/odd it'").stdout.split()
    assert len([name for name in names if name.startswith(("a.log-", "audit.log-"))]) == 2
    assert applied.run("stat -c '%U %a' /var/log/odd/a.log").stdout.strip() == "odd-user 640"
    assert applied.run("stat -c %s '/var/log/odd it/audit.log'").stdout == "0\n"


def test_a_timer_runs_its_command_with_its_words(applied: SimulatedHost) -> None:
    applied.run("systemctl daemon-reload; systemd-analyze verify --man=no /etc/systemd/system/odd-timer.timer")
    shown = applied.run("systemctl show -P ExecStart odd-timer.service").stdout
    assert "argv[]=/usr/bin/printf %s %d $x ;" in shown.replace("$$", "$")
    applied.run("systemctl start odd-timer.timer")
    assert "Mon..Fri" in applied.run("systemctl show -P TimersCalendar odd-timer.timer").stdout


def _joined(
    machine: SimulatedHost, other: SimulatedHost, keys: dict[str, str], peers: tuple[str, str]
) -> dict[str, HostFile]:
    """Return the files of the first of two machines that share an overlay."""
    row = {"vcpu": 1, "memory_gib": 1, "storage_gib": 1}
    machines = {
        host.name: {"address": host.address, **row, "overlay": {"address": peers[index], "public_key": keys[host.name]}}
        for index, host in enumerate((machine, other))
    }
    spec = hosts_spec(machines=machines, overlay={})
    plan = HostsPlan(
        machines=tuple(Machine(name=name, spec=found) for name, found in spec.machines.items()), overlay=spec.overlay
    )
    return {file.path: file for file in files_of(plan.machines[0], plan, spec)}


def test_two_machines_reach_each_other_through_the_overlay(need_tool: Callable[[str], str]) -> None:
    wg = need_tool("wg")
    with SimulatedNetwork() as lan, SimulatedHost("odd-1", lan) as one, SimulatedHost("odd-2", lan) as two:
        if one.run("ip link add name probe type wireguard", check=False).returncode:
            need_tool("wireguard-go")
        one.run("ip link delete probe", check=False)
        private = {host.name: subprocess.check_output([wg, "genkey"], text=True).strip() for host in (one, two)}
        keys = {
            name: subprocess.check_output([wg, "pubkey"], input=key, text=True).strip() for name, key in private.items()
        }
        for host, other, peers in ((one, two, ("10.77.0.1", "10.77.0.2")), (two, one, ("10.77.0.2", "10.77.0.1"))):
            for path, file in _joined(host, other, keys, peers).items():
                if "wireguard" in path or "wg-quick" in path:
                    host.write(path, file.text, file.mode)
        one.run("systemctl daemon-reload")
        done = one.run("systemctl start wg-quick@agent_net.service", check=False)
        assert done.returncode
        one.write("/etc/wireguard/agent_net.key", private["odd-2"], "0644")
        script = f"/usr/local/lib/skerry/wireguard-key agent_net {keys['odd-1']}"
        assert f"belongs to {keys['odd-2']}, and others know {keys['odd-1']}" in one.run(script, check=False).stderr
        for host in (one, two):
            host.write("/etc/wireguard/agent_net.key", private[host.name], "0644")
            host.run("systemctl daemon-reload; systemctl start wg-quick@agent_net.service")
            assert host.run("stat -c %a /etc/wireguard/agent_net.key").stdout == "600\n"
        two.run("systemd-run --quiet --unit=web python3 -m http.server 8080 --bind 10.77.0.2")
        one.wait_for("curl -s -o /dev/null -m 5 http://10.77.0.2:8080/")
        two.run("systemctl reload-or-restart wg-quick@agent_net.service")
        one.wait_for("curl -s -o /dev/null -m 5 http://10.77.0.2:8080/")


def test_the_overlay_names_every_machine_with_a_key(tmp_path: Path, need_tool: Callable[[str], str]) -> None:
    file = odd_files()[OVERLAY]
    (tmp_path / "agent_net.conf").write_text(file.text)
    done = subprocess.run(
        [need_tool("wg-quick"), "strip", tmp_path / "agent_net.conf"], capture_output=True, text=True, check=True
    )
    assert "Endpoint = [2001:db8::2]:51820\n" in done.stdout
    assert "AllowedIPs = 10.77.0.2/32\n" in done.stdout
    assert "PrivateKey" not in file.text
    assert (file.mode, file.enables) == ("0600", ("wg-quick@agent_net.service",))


def test_a_machine_whose_key_is_not_known_is_not_in_the_overlay_yet() -> None:
    spec = hosts_spec()
    first, second = odd_plan(spec).machines
    assert first.spec.overlay is not None
    bare = replace(
        first,
        spec=first.spec.model_copy(update={"overlay": first.spec.overlay.model_copy(update={"public_key": None})}),
    )
    plan = HostsPlan(machines=(bare, second), overlay=spec.overlay)
    assert OVERLAY not in {file.path for file in files_of(bare, plan, spec)}
    there = {file.path: file.text for file in files_of(second, plan, spec)}
    assert "[Peer]" not in there[OVERLAY]


def test_a_private_key_of_the_stack_is_a_file_of_its_own() -> None:
    spec = hosts_spec()
    own = spec.machines["odd-1"].overlay
    assert own is not None
    given = spec.machines["odd-1"].model_copy(
        update={"overlay": own.model_copy(update={"private_key_secret": "wgKey"})}
    )
    machine = replace(odd_machine(spec), spec=given)
    plan = HostsPlan(machines=(machine,), overlay=spec.overlay)
    found = {file.path: file for file in files_of(machine, plan, spec)}["/etc/wireguard/agent_net.key"]
    assert (found.secret, found.text, found.mode) == ("wgKey", "", "0600")


def test_a_log_keeps_its_days() -> None:
    row = LogFile(path="/var/log/agent_mesh/audit.log", owner="m", group="m", days=365)
    text = odd_files(**alone(logs=(row,)))["/etc/logrotate.d/skerry"].text
    assert "  rotate 365\n  maxage 365\n" in text
    assert "  create 0640 m m\n" in text
