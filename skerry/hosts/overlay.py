"""The port of the overlay on each machine, for the others that are in it."""

from __future__ import annotations

import ipaddress

from skerry.config.host import HostsSpec
from skerry.hosts.plan import EVERY_ADDRESS, Listen


def ranges_of(address: str, hosts: HostsSpec) -> tuple[str, ...]:
    """Return an address as a range; where it is a name, the local network's."""
    try:
        return (str(ipaddress.ip_network(address)),)
    except ValueError:
        return hosts.lan_cidrs


def overlay_ports(name: str, hosts: HostsSpec) -> tuple[Listen, ...]:
    """Return the port of the overlay itself, for the other machines that are in it."""
    overlay = hosts.overlay
    if overlay is None or hosts.machines[name].overlay is None:
        return ()
    others = [row.address for other, row in hosts.machines.items() if other != name and row.overlay is not None]
    row = Listen(
        name="overlay",
        port=overlay.port,
        protocol="udp",
        scheme="wireguard",
        bind=EVERY_ADDRESS,
        sources=tuple(dict.fromkeys(each for address in others for each in ranges_of(address, hosts))),
        comment=f"the overlay {overlay.name}",
    )
    return (row,)
