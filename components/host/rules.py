"""Who may reach which port of a machine, in one list for every firewall program."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from components.host.compose import published
from components.host.places import is_loopback
from skerry.config.host import HostsSpec
from skerry.errors import UsageError
from skerry.hosts.plan import HostsPlan, Listen, Machine

EVERYBODY: Final = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))


@dataclass(frozen=True, slots=True)
class Rule:
    """A port, or a range of them, and one source that is let in."""

    port: int
    last: int
    protocol: str
    source: str
    """An address range; empty: everybody, or `interface` alone."""
    interface: str
    """The interface by which it comes; empty: any."""
    comment: str
    forwarded: bool
    """True: Docker forwards it to a container, so that it never passes the chain `input`."""


def rules_of(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> tuple[Rule, ...]:
    """Return what is let in, the log-in first, each once.

    Args:
        machine: the machine.
        plan: all machines, for the overlay.
        hosts: who may log in.

    Raises:
        UsageError: a source is no address range.
    """
    found: list[Rule] = []
    ssh = Listen(name="ssh", port=machine.spec.ssh.port, sources=hosts.admin_cidrs, comment="SSH", scheme="ssh")
    forwarded = set(map(id, published(machine)))
    overlay = plan.overlay.name if plan.overlay is not None and machine.spec.overlay is not None else ""
    rows = [ssh, *listens_of(machine), *_wireguard(machine, plan)]
    for row in rows:
        if row is not ssh and is_loopback(row.bind):
            continue
        for source in sorted(set(row.sources), key=_order):
            network = _network(source, row)
            found.append(_rule(row, "" if network in EVERYBODY else str(network), "", id(row) in forwarded))
        if row.overlay and overlay:
            found.append(_rule(row, "", overlay, id(row) in forwarded))
    return tuple(dict.fromkeys(found))


def listens_of(machine: Machine) -> tuple[Listen, ...]:
    """Return every port that something on the machine offers."""
    rows = [row for service in machine.services for row in service.listens]
    for proxy in machine.proxies:
        rows += [proxy.listen, *([proxy.redirect] if proxy.redirect is not None else [])]
    return (*rows, *machine.opens)


def _wireguard(machine: Machine, plan: HostsPlan) -> tuple[Listen, ...]:
    """Return the overlay's own port where the plan does not name it: peers may come from anywhere, and show a key."""
    overlay = plan.overlay
    if overlay is None or machine.spec.overlay is None:
        return ()
    named = any(row.protocol == "udp" and row.port <= overlay.port <= (row.last or row.port) for row in machine.opens)
    if named:
        return ()
    row = Listen(
        name="overlay",
        port=overlay.port,
        protocol="udp",
        scheme="wireguard",
        bind="0.0.0.0",
        sources=("0.0.0.0/0", "::/0"),
        comment=f"WireGuard {overlay.name}",
    )
    return (row,)


def _order(source: str) -> tuple[int, str]:
    return (6 if ":" in source else 4, source)


def _network(source: str, row: Listen) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(source)
    except ValueError as exc:
        raise UsageError(
            f"port {row.port} ({row.comment}) lets in '{source}', which is no address range ({exc}): write it like "
            "10.0.0.0/24"
        ) from exc


def _rule(row: Listen, source: str, interface: str, forwarded: bool) -> Rule:
    return Rule(row.port, row.last or row.port, row.protocol, source, interface, row.comment, forwarded)
