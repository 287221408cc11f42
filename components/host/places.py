"""Where things stand on a machine, and what several renderers ask of it."""

from __future__ import annotations

from typing import Final

from skerry.config.host import FirewallKind, HostOs, HostsSpec
from skerry.hosts.plan import EVERY_ADDRESS, HostService, Listen, Machine, Supervisor

ETC: Final = "/etc/skerry"
LIB: Final = "/usr/local/lib/skerry"
"""Scripts of a machine."""
UNITS: Final = "/etc/systemd/system"
COMPOSE_FOLDER: Final = f"{ETC}/compose"
COMPOSE_UNIT: Final = "skerry-compose.service"
COMPOSE_BRIDGE: Final = "br-skerry"
"""The network interface of the containers' own network."""
MPS_UNIT: Final = "skerry-mps.service"
MPS_FOLDER: Final = "/run/skerry-mps"
FIREWALL_UNIT: Final = "skerry-firewall.service"
WAIT: Final = f"{LIB}/wait-for"
"""The script that asks until something answers."""

LINUX: Final = frozenset({HostOs.DEBIAN, HostOs.UBUNTU, HostOs.RASPBERRY_PI_OS, HostOs.WSL2})
"""Where the renderers' files mean something; Compose alone runs elsewhere too."""

HEAD: Final = "Written by Skerry from the stack's configuration: change it there, the next deployment overwrites this."


def is_linux(machine: Machine) -> bool:
    """Return whether the machine's files are those of Linux with systemd."""
    return machine.spec.os in LINUX


def has_firewall(machine: Machine, hosts: HostsSpec, kind: FirewallKind) -> bool:
    """Return whether the machine's packets are held by this program."""
    return is_linux(machine) and hosts.firewall is kind


def composed(machine: Machine) -> tuple[HostService, ...]:
    """Return the services under Compose."""
    return tuple(service for service in machine.services if service.supervisor == Supervisor.COMPOSE)


def under_systemd(machine: Machine) -> tuple[HostService, ...]:
    """Return the services under systemd."""
    return tuple(service for service in machine.services if service.supervisor == Supervisor.SYSTEMD)


def unit_names(service: HostService) -> tuple[str, ...]:
    """Return the units that keep a service running."""
    if service.supervisor == Supervisor.COMPOSE:
        return (COMPOSE_UNIT,)
    if service.supervisor != Supervisor.SYSTEMD:
        return ()
    if not service.instances:
        return (f"{service.name}.service",)
    return tuple(f"{service.name}@{instance}.service" for instance in service.instances)


def environment_path(service: HostService) -> str:
    """Return the file that holds a service's secret variables."""
    return f"{ETC}/environment/{service.name}.env"


def bracketed(address: str) -> str:
    """Return an address as URLs have it: IPv6 in brackets."""
    return f"[{address}]" if ":" in address else address


def own_address(bind: str) -> str:
    """Return how a program on the machine itself reaches what is bound to an address."""
    return {EVERY_ADDRESS: "127.0.0.1", "::": "::1"}.get(bind, bind)


def health_url(service: HostService, *, inside: bool) -> str | None:
    """Return the URL that says whether a service is well; None where none does.

    Args:
        service: the service.
        inside: True where a container with a network of its own asks itself.
    """
    health = service.health
    if health is None or not health.path:
        return None
    tcp = [row for row in service.listens if row.protocol == "tcp"]
    port = health.port or (tcp[0].port if tcp else 0)
    listen = next((row for row in tcp if row.port <= port <= (row.last or row.port)), None)
    address = "127.0.0.1" if inside or listen is None else own_address(listen.bind)
    return f"{health.scheme}://{bracketed(address)}:{port}/{health.path.lstrip('/')}"


def is_loopback(bind: str) -> bool:
    """Return whether nobody beyond the machine can reach this address."""
    return bind.startswith("127.") or bind in ("::1", "localhost")


def port_range(listen: Listen, joint: str) -> str:
    """Return a port, or a range of them with this joint between."""
    return str(listen.port) if listen.last in (None, listen.port) else f"{listen.port}{joint}{listen.last}"
