"""nftables: a table of our own that drops what is not let in, also on the way to containers.

Docker forwards published ports by address translation, past every `input` chain. A base chain of our own on the hook
`forward` sees them first: what one chain drops, no other lets through. The ruleset is never flushed, since Docker's
rules live in it too; our table alone is replaced, in one transaction.
Source: nft(8) 1.0.6; docs.docker.com "Packet filtering and firewalls" (neither opened; the tests ask nft itself)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from components.host.compose import published
from components.host.places import COMPOSE_BRIDGE, ETC, FIREWALL_UNIT, HEAD, UNITS, has_firewall, is_loopback
from components.host.quoting import one_line
from components.host.rules import Rule, listens_of, rules_of
from skerry.config.host import FirewallKind, HostsSpec
from skerry.hosts.plan import HostFile, HostsPlan, Listen, Machine

PATH: Final = f"{ETC}/firewall.nft"
TABLE: Final = "inet skerry"
COMMENT_BYTES: Final = 120


def nftables_files(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> tuple[HostFile, ...]:
    """Return the rules of a machine and the unit that sets them before the network is up.

    Raises:
        UsageError: a source is no address range, or a comment cannot be written.
    """
    if not has_firewall(machine, hosts, FirewallKind.NFTABLES):
        return ()
    rules = rules_of(machine, plan, hosts)
    lines = [
        f"# {HEAD}",
        f"table {TABLE}",
        f"delete table {TABLE}",
        f"table {TABLE} {{",
        *_input(machine, rules),
        *_forward(machine, rules),
        "}",
    ]
    text = "\n".join(lines) + "\n"
    check = ("nft", "--check", "--file", "{path}")
    return (
        HostFile(path=PATH, text=text, mode="0600", check=check, restarts=(FIREWALL_UNIT,)),
        HostFile(
            path=f"{UNITS}/{FIREWALL_UNIT}",
            text=_UNIT,
            commands=(("systemctl", "daemon-reload"),),
            enables=(FIREWALL_UNIT,),
            restarts=(FIREWALL_UNIT,),
        ),
    )


_UNIT: Final = f"""\
# {HEAD}
[Unit]
Description=Firewall
DefaultDependencies=no
Wants=network-pre.target
Before=network-pre.target shutdown.target
After=nftables.service
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft --file {PATH}
ExecReload=/usr/sbin/nft --file {PATH}
ExecStop=/usr/sbin/nft delete table {TABLE}
ProtectSystem=full
ProtectHome=yes

[Install]
WantedBy=sysinit.target
"""


_ICMP: Final = (
    "icmp type { destination-unreachable, time-exceeded, parameter-problem } accept",
    "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept",
    "icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query } accept",
    "icmp type echo-request limit rate 20/second accept",
    "icmpv6 type echo-request limit rate 20/second accept",
    "ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept",
)
"""Without these no packet finds its size, and IPv6 finds neither neighbour nor address."""


def _input(machine: Machine, rules: tuple[Rule, ...]) -> Iterator[str]:
    yield "  chain input {"
    yield "    type filter hook input priority filter; policy drop;"
    yield "    ct state invalid drop"
    yield "    ct state established,related accept"
    yield '    iif "lo" accept'
    yield from (f"    {line}" for line in _ICMP)
    if any(row.scheme == "multicast" for row in listens_of(machine)):
        yield "    ip protocol igmp accept"
    yield from (f"    {line}" for line in _own_containers(machine))
    # Docker's own proxy takes published ports here where it translates no addresses.
    yield from (f"    {_line(rule, translated=False)}" for rule in rules)
    yield "  }"


def _own_containers(machine: Machine) -> Iterator[str]:
    """Return what lets the machine's containers reach what the machine itself offers."""
    if not published(machine) and not any(row.image for row in machine.services):
        return
    rows = [row for row in listens_of(machine) if not is_loopback(row.bind)]
    for protocol in ("tcp", "udp"):
        ports = sorted({_ports(row) for row in rows if row.protocol == protocol})
        if ports:
            named = f"{protocol} dport {{ {', '.join(ports)} }}"
            yield f'iifname "{COMPOSE_BRIDGE}" {named} accept comment "own containers"'


def _ports(row: Listen | Rule) -> str:
    return str(row.port) if row.last in (None, row.port) else f"{row.port}-{row.last}"


def _forward(machine: Machine, rules: tuple[Rule, ...]) -> Iterator[str]:
    if not published(machine):
        return
    yield "  chain forward {"
    yield "    type filter hook forward priority filter - 10; policy accept;"
    yield "    ct state established,related accept"
    yield "    # Docker's published ports: the port is that before translation."
    yield f'    iifname {{ "docker0", "{COMPOSE_BRIDGE}" }} accept'
    yield f'    oifname != "{COMPOSE_BRIDGE}" accept'
    yield from (f"    {_line(rule, translated=True)}" for rule in rules if rule.forwarded)
    yield "    drop"
    yield "  }"


def _line(rule: Rule, *, translated: bool) -> str:
    words = []
    if rule.interface:
        words.append(f'iifname "{rule.interface}"')
    if rule.source:
        words.append(f"{'ip6' if ':' in rule.source else 'ip'} saddr {rule.source}")
    if translated:
        words.append(f"meta l4proto {rule.protocol} ct original proto-dst {_ports(rule)}")
    else:
        words.append(f"{rule.protocol} dport {_ports(rule)}")
    return f'{" ".join(words)} accept comment "{comment(rule.comment)}"'


def comment(text: str) -> str:
    """Return a comment that nft takes: it has no escape for a quote, and an end.

    Raises:
        UsageError: it holds a control character.
    """
    found = one_line(text, "a rule's comment").replace('"', "'").encode()[:COMMENT_BYTES]
    return found.decode(errors="ignore")
