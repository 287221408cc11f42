"""nftables and ufw: who is let in, as a machine's own kernel has it."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.host.rules import Rule, rules_of
from skerry.errors import UsageError
from skerry.hosts.plan import HostService, Listen, Machine, Proxy, Supervisor
from tests.simulators.hosts import SimulatedHost
from tests.simulators.odd_hosts import alone, hosts_spec, image, listen, odd_files, odd_plan

NFT = "/etc/skerry/firewall.nft"
UFW = "/usr/local/lib/skerry/firewall"


def service(*listens: Listen, **fields: Any) -> HostService:
    given = {"name": "one", "supervisor": Supervisor.SYSTEMD, "command": ("/bin/one",), "listens": listens}
    return HostService(**{**given, **fields})


def rules(*listens: Listen, hosts: dict[str, Any] | None = None, **fields: Any) -> list[str]:
    """Return the rules of nftables' chain `input` beyond those that every machine has."""
    given = {"admin_cidrs": [], "overlay": None, "machines": _machines(), **(hosts or {})}
    text = odd_files(hosts=given, **alone(services=(service(*listens),), **fields))[NFT].text
    chain = text.partition("dport 546 accept\n")[2].partition("  }\n")[0]
    return [line.strip() for line in chain.splitlines() if not line.strip().startswith("#")]


def _machines(**fields: Any) -> dict[str, Any]:
    row = {"vcpu": 1, "memory_gib": 1, "storage_gib": 1}
    return {"odd-1": {"address": "198.18.0.10", **row, **fields}, "odd-2": {"address": "198.18.0.11", **row}}


OVERLAY = {"overlay": {}, "machines": _machines(overlay={"address": "10.77.0.1"})}
LET_IN: dict[str, tuple[Any, ...]] = {
    "nobody beyond the machine": ((listen(8787, sources=()),), {}, []),
    "nobody reaches what is bound to the machine itself": ((listen(8787, bind="127.0.0.1"),), {}, []),
    "an address range": (
        (listen(8787, sources=("10.1.0.0/24",), comment="Agent Mesh Gateway"),),
        {},
        ['ip saddr 10.1.0.0/24 tcp dport 8787 accept comment "Agent Mesh Gateway"'],
    ),
    "one address": (
        (listen(8787, sources=("10.1.0.9",)),),
        {},
        ['ip saddr 10.1.0.9/32 tcp dport 8787 accept comment "port 8787"'],
    ),
    "ranges of both kinds, IPv4 first": (
        (listen(8787, sources=("fd00::/8", "10.0.0.0/8")),),
        {},
        [
            'ip saddr 10.0.0.0/8 tcp dport 8787 accept comment "port 8787"',
            'ip6 saddr fd00::/8 tcp dport 8787 accept comment "port 8787"',
        ],
    ),
    "everybody": (
        (listen(443, sources=("0.0.0.0/0", "::/0"), comment="web"),),
        {},
        ['tcp dport 443 accept comment "web"'],
    ),
    "a range of ports": (
        (listen(8000, last=8010, sources=("10.0.0.0/8",), comment="Nodes"),),
        {},
        ['ip saddr 10.0.0.0/8 tcp dport 8000-8010 accept comment "Nodes"'],
    ),
    "multicast brings the messages that joins need": (
        (listen(9999, protocol="udp", scheme="multicast", sources=("10.0.0.0/8",), comment="Discovery"),),
        {},
        ["ip protocol igmp accept", 'ip saddr 10.0.0.0/8 udp dport 9999 accept comment "Discovery"'],
    ),
    "the overlay, with its own port": (
        (listen(8200, sources=(), overlay=True),),
        OVERLAY,
        [
            'iifname "agent_net" tcp dport 8200 accept comment "port 8200"',
            'udp dport 51820 accept comment "WireGuard agent_net"',
        ],
    ),
    "who logs in, at the port of sshd": (
        (),
        {"admin_cidrs": ["10.9.0.0/24"], "machines": _machines(ssh={"port": 2222})},
        ['ip saddr 10.9.0.0/24 tcp dport 2222 accept comment "SSH"'],
    ),
}


@pytest.mark.parametrize("sentence", LET_IN)
def test_who_is_let_in(sentence: str) -> None:
    listens, hosts, expected = LET_IN[sentence]
    assert expected == rules(*listens, hosts=hosts)


def test_what_a_plan_opens_beside_services_is_let_in_once() -> None:
    opened = listen(51820, protocol="udp", sources=("0.0.0.0/0",), comment="overlay")
    assert rules(hosts=OVERLAY, opens=(opened,)) == ['udp dport 51820 accept comment "overlay"']


def test_a_source_that_is_no_range_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        rules(listen(8787, sources=("10.0.0.1/8",)))
    assert "port 8787 (port 8787) lets in '10.0.0.1/8', which is no address range" in str(caught.value)


def test_a_proxy_and_its_redirect_are_let_in() -> None:
    spec = hosts_spec(overlay=None, machines=_machines(), admin_cidrs=[])
    members = ()
    row = Proxy(name="p", kind="nginx", listen=listen(443), redirect=listen(80), members=members)
    plan = odd_plan(spec, **alone(proxies=(row,)))
    assert [rule.port for rule in rules_of(plan.machines[0], plan, spec)] == [443, 80]


def test_a_comment_has_no_quote_and_an_end() -> None:
    found = rules(listen(1, sources=("0.0.0.0/0",), comment='"' + "ä" * 100))
    assert [f'tcp dport 1 accept comment "\'{"ä" * 59}"'] == found


def test_no_firewall_is_none() -> None:
    assert not [path for path in odd_files(hosts={"firewall": "none"}) if "firewall" in path]


def test_the_program_takes_odd_rules(tmp_path: Path, need_tool: Callable[[str], str]) -> None:
    if os.geteuid() != 0:
        pytest.skip("asking nft needs root")
    (tmp_path / "x.nft").write_text(odd_files()[NFT].text)
    command = ["unshare", "--net", need_tool("nft"), "--check", "--file", f"{tmp_path}/x.nft"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def reaches(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=0.7):
            return True
    except (TimeoutError, ConnectionRefusedError, OSError):
        return False


CONTAINER = """
set -e
ip link add br-skerry type bridge
ip address add 172.30.0.1/24 dev br-skerry
ip link set br-skerry up
systemd-run --quiet --unit=box --property=PrivateNetwork=yes python3 -m http.server 80
box=$(systemctl show -P MainPID box)
ip link add vbox type veth peer name vin
ip link set vbox master br-skerry up
ip link set vin netns $box
in="nsenter -t $box --net ip"
$in address add 172.30.0.2/24 dev vin
$in link set vin up
$in route add default via 172.30.0.1
echo 1 > /proc/sys/net/ipv4/ip_forward
nft 'table ip nat { chain pre { type nat hook prerouting priority dstnat; }; }'
nft 'add rule ip nat pre tcp dport { 8200, 8299, 8298 } dnat to 172.30.0.2:80'
for port in 8787 8788 8789; do systemd-run --quiet --unit=p$port python3 -m http.server $port; done
"""


@pytest.fixture(scope="module")
def guarded(machine: SimulatedHost) -> SimulatedHost:
    """Return a machine with open ports, and a container behind addresses that Docker would translate."""
    machine.run(CONTAINER)
    for port in (8787, 8788, 8789):
        machine.wait_for(f"curl -s -o /dev/null http://127.0.0.1:{port}/")
    machine.wait_for("curl -s -o /dev/null http://172.30.0.2/")
    return machine


def _services(machine: SimulatedHost) -> tuple[HostService, ...]:
    us = f"{machine.network.address(1)}/32"
    other = "203.0.113.0/24"
    container = {"supervisor": Supervisor.COMPOSE, "image": image(), "command": ()}
    return (
        service(listen(8787, sources=(us,)), listen(8788, sources=(other,)), listen(8789, sources=())),
        service(
            listen(8200, sources=(us,)),
            listen(8299, sources=(other,)),
            listen(8298, sources=()),
            name="box",
            **container,
        ),
    )


def _hosts(machine: SimulatedHost, **fields: Any) -> dict[str, Any]:
    return {"overlay": None, "machines": _machines(), "admin_cidrs": [machine.network.cidr], **fields}


OPEN = {8787: True, 8788: False, 8789: False, 8200: True, 8299: False, 8298: False, 22: True}


def test_nftables_lets_in_the_sources_and_nobody_else(guarded: SimulatedHost) -> None:
    assert [reaches(guarded.address, port) for port in OPEN if port != 22] == [True] * 6
    files = odd_files(hosts=_hosts(guarded), **alone(services=_services(guarded)))
    for path in (NFT, "/etc/systemd/system/skerry-firewall.service"):
        guarded.write(path, files[path].text)
    guarded.run("systemctl daemon-reload; systemctl start skerry-firewall.service")
    assert {port: reaches(guarded.address, port) for port in OPEN} == OPEN
    inside = "nsenter -t $(systemctl show -P MainPID box) --net curl -s -m 2 -o /dev/null"
    assert guarded.run(f"{inside} http://172.30.0.1:8788/", check=False).returncode == 0
    assert guarded.run("curl -s -m 2 -o /dev/null http://127.0.0.1:8789/", check=False).returncode == 0


def test_a_reload_keeps_other_tables_and_opens_no_gap(guarded: SimulatedHost) -> None:
    before = guarded.run("nft list tables").stdout
    guarded.run("systemctl reload skerry-firewall.service")
    assert before == guarded.run("nft list tables").stdout
    assert "table ip nat" in before
    guarded.run("systemctl stop skerry-firewall.service")
    assert reaches(guarded.address, 8789)


def test_ufw_takes_the_script_twice_and_takes_back_what_is_gone(
    guarded: SimulatedHost, need_tool: Callable[[str], str]
) -> None:
    need_tool("ufw")
    services = _services(guarded)[:1]
    old = listen(9998, protocol="udp", scheme="multicast", sources=("0.0.0.0/0",), comment="gone tomorrow")
    for extra, times in ((old,), 1), ((), 2):
        files = odd_files(hosts=_hosts(guarded, firewall="ufw"), **alone(services=services, opens=extra))
        guarded.write(UFW, files[UFW].text, "0755")
        for _ in range(times):
            guarded.run(UFW)
        shown = guarded.run("ufw show added").stdout
        assert bool(extra) == ("gone tomorrow" in shown) == ("igmp" in shown)
    assert shown.count("port 8787 ") == 1
    expected = {port: OPEN[port] for port in (8787, 8788, 8789, 22)}
    assert expected == {port: reaches(guarded.address, port) for port in expected}


def test_ufw_holds_published_ports_too(guarded: SimulatedHost) -> None:
    path = "/usr/local/lib/skerry/firewall-docker"
    files = odd_files(hosts=_hosts(guarded, firewall="ufw"), **alone(services=_services(guarded)))
    guarded.write(path, files[path].text, "0755")
    guarded.run(
        "ufw --force disable; for t in iptables ip6tables; do $t -N DOCKER-USER; $t -I FORWARD -j DOCKER-USER; done"
    )
    assert reaches(guarded.address, 8298)
    for _ in range(2):
        guarded.run(path)
    expected = {port: OPEN[port] for port in (8200, 8299, 8298)}
    assert expected == {port: reaches(guarded.address, port) for port in expected}


def test_the_lines_of_ufw_are_those_that_people_type() -> None:
    listens = (
        listen(8787, sources=("0.0.0.0/0", "::/0"), comment="Agent Mesh Gateway"),
        listen(8000, last=8010, sources=("0.0.0.0/0",), comment="Agent Mesh Edge Nodes"),
        listen(9999, protocol="udp", scheme="multicast", sources=("0.0.0.0/0",), comment="Agent Mesh Discovery"),
        listen(8790, sources=("10.0.0.0/8",), comment="it's $(odd) MCP"),
    )
    given: dict[str, Any] = {"firewall": "ufw", "admin_cidrs": [], "overlay": None, "machines": _machines()}
    text = odd_files(hosts=given, **alone(services=(service(*listens),)))[UFW].text
    assert [line for line in text.splitlines() if line.startswith("ufw allow")] == [
        'ufw allow 8787/tcp comment "Agent Mesh Gateway"',
        'ufw allow 8000:8010/tcp comment "Agent Mesh Edge Nodes"',
        'ufw allow 9999/udp comment "Agent Mesh Discovery"',
        "ufw allow from 10.0.0.0/8 to any port 8790 proto tcp comment 'its $(odd) MCP'",
        'ufw allow proto igmp from any to 224.0.0.0/4 comment "Who is in which group"',
    ]


def test_a_rule_is_the_same_for_every_program() -> None:
    spec = hosts_spec(overlay=None, machines=_machines(), admin_cidrs=[])
    machine = Machine(name="odd-1", spec=spec.machines["odd-1"], services=_one_container())
    plan = odd_plan(spec)
    expected = (Rule(8200, 8203, "tcp", "198.18.0.0/16", "", "port 8200", True),)
    assert expected == rules_of(machine, plan, spec)


def _one_container() -> tuple[HostService, ...]:
    row = service(listen(8200, last=8203), listen(8300, bind="::1"), name="box", command=())
    return (HostService(name=row.name, supervisor=Supervisor.COMPOSE, image=image(), listens=row.listens),)
