"""Units of services: their text, and what a real systemd makes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from components.host.quoting import environment_text
from skerry.errors import UsageError
from skerry.hosts.plan import GpuPart, Health, HostFolder, HostService, HostUser, Supervisor
from tests.simulators.hosts import SimulatedHost
from tests.simulators.odd_hosts import ODD_VALUES, alone, listen, odd_files, systemd_services

UNITS = "/etc/systemd/system"


def service(**fields: Any) -> HostService:
    given = {"name": "one", "supervisor": Supervisor.SYSTEMD, "command": ("/opt/one/bin/one",)}
    return HostService(**{**given, **fields})


def unit(**fields: Any) -> str:
    """Return the text of a service's unit."""
    row = service(**fields)
    name = f"{row.name}@.service" if row.instances else f"{row.name}.service"
    return odd_files(**alone(services=(row, service(name="other"))))[f"{UNITS}/{name}"].text


LINES: dict[str, tuple[Any, ...]] = {
    "a service is started again after 10 s": ({}, ("Restart=on-failure", "RestartSec=10")),
    "its own folder stands before the system's path": (
        {"command": ("/opt/agent_mesh/venv/bin/python",)},
        ("Environment=PATH=/opt/agent_mesh/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",),
    ),
    "a path of its own is followed by the system's": (
        {"environment": {"PATH": "/opt/agent_mesh/venv/bin"}},
        ("Environment=PATH=/opt/agent_mesh/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",),
    ),
    "a network that has begun is enough unless asked": ({}, ("After=network.target wg-quick@agent_net.service",)),
    "a network that is up where asked": (
        {"network_online": True},
        ("After=network.target network-online.target wg-quick@agent_net.service", "Wants=network-online.target"),
    ),
    "what it needs is up and well before": (
        {"needs": ("other",)},
        ("Requires=other.service", "After=network.target other.service wg-quick@agent_net.service"),
    ),
    "it waits for another machine": (
        {"waits_for": ("http://198.18.0.2/health",)},
        ("ExecStartPre=/usr/local/lib/skerry/wait-for 300 http://198.18.0.2/health", "TimeoutStartSec=390"),
    ),
    "it has started when it is well": (
        {"health": Health(path="/health", port=8787), "listens": (listen(8787),)},
        ("ExecStartPost=/usr/local/lib/skerry/wait-for 90 http://127.0.0.1:8787/health", "TimeoutStartSec=180"),
    ),
    "health by a command": (
        {"health": Health(command=("/bin/ask", "a b"), start_period_s=30)},
        ('ExecStartPost=/usr/local/lib/skerry/wait-for 120 -- /bin/ask "a b"',),
    ),
    "health at the address that it listens on": (
        {"health": Health(path="/h"), "listens": (listen(9000, bind="fd12::1"),)},
        ('ExecStartPost=/usr/local/lib/skerry/wait-for 90 "http://[fd12::1]:9000/h"',),
    ),
    "instances that are ports are asked at theirs": (
        {"health": Health(path="/h"), "listens": (listen(8000, last=8010),), "instances": ("8000", "8001")},
        ('ExecStartPost=/usr/local/lib/skerry/wait-for 90 "http://127.0.0.1:%i/h"',),
    ),
    "caps": (
        {"memory_mib": 512, "cpus": 1.5, "cpu_shares": 2048},
        ("MemoryMax=512M", "MemorySwapMax=0", "CPUQuota=150%", "CPUWeight=200"),
    ),
    "folders of its own": (
        {"state_folder": "mesh", "log_folder": "agent_mesh", "writable": ("/srv/a b",)},
        ("StateDirectory=mesh", "LogsDirectory=agent_mesh", 'ReadWritePaths="/srv/a b"'),
    ),
    "secrets are in a file": ({"secrets": {"T": "key"}}, ("EnvironmentFile=/etc/skerry/environment/one.env",)),
    "files of variables": (
        {"environment_files": ("/opt/agent_mesh/.env",)},
        ("EnvironmentFile=/opt/agent_mesh/.env",),
    ),
    "hardening by default": (
        {"user": "mesh"},
        ("NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateTmp=yes", "ProtectHome=yes", "CapabilityBoundingSet="),
    ),
    "a low port takes one right": (
        {"user": "mesh", "listens": (listen(443),)},
        ("AmbientCapabilities=CAP_NET_BIND_SERVICE", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE"),
    ),
    "a program in a home may see homes": ({"folder": "/home/mesh/app"}, ("ProtectHome=no",)),
    "a GPU is a device": (
        {"gpu": GpuPart(mechanism="mps", percent=30, memory_mib=900)},
        ("Environment=CUDA_MPS_ACTIVE_THREAD_PERCENTAGE=30", "Requires=skerry-mps.service"),
    ),
    "packets with few alone": (
        {"only_with": ("localhost", "10.0.0.0/24")},
        ("IPAddressDeny=any", "IPAddressAllow=localhost 10.0.0.0/24"),
    ),
    "it is started with the machine": ({}, ("WantedBy=multi-user.target",)),
}


@pytest.mark.parametrize("sentence", LINES)
def test_a_line_of_a_unit(sentence: str) -> None:
    fields, expected = LINES[sentence]
    lines = unit(**fields).splitlines()
    assert list(expected) == [line for line in expected if line in lines]


def test_a_device_is_kept_from_who_needs_none() -> None:
    assert "PrivateDevices=yes" in unit()
    assert "PrivateDevices" not in unit(gpu=GpuPart(mechanism="whole", percent=100, memory_mib=1))


def test_a_template_brings_its_instances() -> None:
    file = odd_files()[f"{UNITS}/odd-node@.service"]
    assert ("odd-node@8000.service", "odd-node@8001.service") == file.enables == file.restarts
    assert 'ExecStart=/opt/odd/node --port "%i" --share "50%%"\n' in file.text
    assert "Description=odd-node %i\n" in file.text


REFUSED: dict[str, tuple[Any, ...]] = {
    "a program without its path": ({"command": ("python", "x")}, "names no program by its full path"),
    "an instance with a slash": ({"instances": ("a/b",)}, "'a/b' is no name of an instance of one"),
    "a folder without its path": ({"folder": "opt"}, "one: 'opt' is no full path: begin it with /"),
    "a name with a space": ({"name": "one two"}, "'one two' is no name of a unit"),
    "an instance of MIG": (
        {"gpu": GpuPart(mechanism="mig", percent=14, memory_mib=1, profile="1g.10gb")},
        "odd-1: 'one' wants an instance of MIG, whose name is not known before it is made: run it under Compose",
    ),
    "a description on two lines": ({"description": "a\nb"}, "a description holds the control character"),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_a_unit_cannot_hold_is_refused(sentence: str) -> None:
    fields, expected = REFUSED[sentence]
    with pytest.raises(UsageError) as caught:
        odd_files(**alone(services=(service(**fields),)))
    assert expected in str(caught.value)


def test_a_machine_without_systemd_runs_no_unit() -> None:
    machines = {"odd-1": {"address": "a", "os": "macos", "vcpu": 1, "memory_gib": 1, "storage_gib": 1}}
    with pytest.raises(UsageError) as caught:
        odd_files(
            hosts={"machines": {**machines, "odd-2": {**machines["odd-1"], "address": "b"}}},
            **alone(services=(service(),)),
        )
    assert "odd-1 runs macos, which has no systemd for 'one': run it under Compose" in str(caught.value)


SHOW = """#!/usr/bin/python3
import http.server, json, os, sys
name = os.environ["SHOWN"]
json.dump({"words": sys.argv[1:], "variables": dict(os.environ)}, open(f"/var/lib/odd/{name}", "w"))
http.server.HTTPServer(("0.0.0.0", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@pytest.fixture(scope="module")
def running(machine: SimulatedHost) -> SimulatedHost:
    """Return a machine on which the odd services were laid, not yet started."""
    gateway, node = systemd_services()
    program = "/opt/odd gateway/bin/show"
    gateway = replace(
        gateway,
        command=(program, *gateway.command[1:]),
        environment={**gateway.environment, "SHOWN": "gateway", "PORT": "443"},
        health=Health(path="/", port=443, interval_s=2),
        waits_for=("http://127.0.0.1:9001/",),
    )
    node = replace(
        node,
        command=(program, *node.command[1:]),
        environment={"SHOWN": "node-%i", "PORT": "%i"},
        health=Health(path="/", interval_s=2),
        writable=("/var/lib/odd",),
    )
    users = (HostUser(name="odd-user", home="/nonexistent", groups=("odd-group",)),)
    folders = (HostFolder(path="/srv/with space", owner="odd-user", group="odd-user", mode="0750"),)
    files = odd_files(**alone(services=(gateway, node), users=users, folders=folders))
    for path, file in files.items():
        text = (
            environment_text(dict.fromkeys(file.variables, ODD_VALUES["QUOTES"]), path) if file.variables else file.text
        )
        if "firewall" not in path and "wireguard" not in path and "wg-quick" not in path:
            machine.write(path, text, file.mode)
    machine.write(program, SHOW, "0755")
    machine.run("systemd-sysusers; systemd-tmpfiles --create /etc/tmpfiles.d/skerry.conf; systemctl daemon-reload")
    return machine


def test_systemd_finds_nothing_wrong_with_the_units(running: SimulatedHost) -> None:
    done = running.run(f"systemd-analyze verify --man=no '{UNITS}/odd-gateway.service' '{UNITS}/odd-node@.service'")
    assert (done.stdout, done.stderr) == ("", "")


def test_the_user_and_its_group_are_there(running: SimulatedHost) -> None:
    assert running.run("id -nG odd-user").stdout.strip() == "odd-user odd-group"


def test_who_needs_starts_after_who_waits(running: SimulatedHost) -> None:
    running.run("systemctl start --no-block odd-node@8000.service odd-node@8001.service")
    running.wait_for("test $(systemctl show -P SubState odd-gateway.service) = start-pre")
    states = running.run("systemctl show -P ActiveState odd-gateway.service odd-node@8000.service").stdout.split()
    assert states == ["activating", "inactive"]
    running.run("systemd-run --quiet --unit=other-machine python3 -m http.server 9001 --bind 127.0.0.1")
    for name in ("odd-gateway", "odd-node@8000", "odd-node@8001"):
        running.wait_for(f"systemctl is-active {name}.service || {{ systemctl status {name}.service; false; }}")


def test_a_program_gets_the_words_and_variables_of_the_plan(running: SimulatedHost) -> None:
    shown = json.loads(running.read("/var/lib/odd/gateway"))
    expected = ["-m", "a b", "100%", "$HOME", ODD_VALUES["QUOTES"], ";", 'q"uo\\te', "it's"]
    assert expected == shown["words"]
    values = {**ODD_VALUES, "TOKEN": ODD_VALUES["QUOTES"]}
    assert values == {name: shown["variables"].get(name) for name in values}
    assert (
        shown["variables"]["PATH"]
        == "/opt/odd gateway/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    )


def test_an_instance_gets_its_own_port(running: SimulatedHost) -> None:
    print(running.run("ls -laR /var/lib/odd; systemctl status --no-pager odd-node@8000; ps aux").stdout)
    for port in ("8000", "8001"):
        assert ["--port", port, "--share", "50%"] == json.loads(running.read(f"/var/lib/odd/node-{port}"))["words"]


def test_a_killed_service_is_started_again(running: SimulatedHost) -> None:
    before = running.run("systemctl show -P MainPID odd-node@8000.service").stdout
    running.run("systemctl kill --signal=KILL odd-node@8000.service")
    running.wait_for(
        f"test $(systemctl show -P MainPID odd-node@8000.service) != {before.strip()} && "
        "systemctl is-active odd-node@8000.service",
        30,
    )
    assert running.run("systemctl show -P NRestarts odd-node@8000.service").stdout == "1\n"


def test_a_service_may_write_its_folders_and_nothing_else(running: SimulatedHost) -> None:
    pid = running.run("systemctl show -P MainPID odd-gateway.service").stdout.strip()
    inside = f"nsenter -t {pid} --mount setpriv --reuid=odd-user --clear-groups sh -c"
    assert running.run(f"{inside} 'touch /var/lib/odd/x /var/log/odd/x \"/srv/with space\"'").stderr == ""
    for path in ("/etc/x", "/opt/x", "/usr/x", "/var/x"):
        assert running.run(f"{inside} 'touch {path}'", check=False).returncode
