"""Every file of a machine: what each noun of a plan becomes, put together in one order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from components.host.backup import backup_files
from components.host.compose import compose_files, mounted_files
from components.host.compose_unit import compose_unit_files
from components.host.gpu_units import gpu_files
from components.host.haproxy import haproxy_files
from components.host.logrotate import logrotate_files
from components.host.nftables import nftables_files
from components.host.nginx import nginx_files
from components.host.packages import package_files
from components.host.places import COMPOSE_UNIT, composed, is_linux
from components.host.sudo import sudo_files
from components.host.sysctl import sysctl_files
from components.host.systemd import systemd_files
from components.host.timers import timer_files
from components.host.ufw import ufw_files
from components.host.users import users_files
from components.host.wait_for import wait_files
from components.host.wireguard import wireguard_files
from skerry.config.host import HostsSpec
from skerry.errors import UsageError
from skerry.hosts.plan import HostFile, HostsPlan, Machine

Renderer = Callable[[Machine, HostsPlan, HostsSpec], tuple[HostFile, ...]]

RENDERERS: Final[tuple[Renderer, ...]] = (
    package_files,
    users_files,
    sysctl_files,
    sudo_files,
    nftables_files,
    ufw_files,
    wireguard_files,
    wait_files,
    systemd_files,
    compose_files,
    gpu_files,
    compose_unit_files,
    nginx_files,
    haproxy_files,
    logrotate_files,
    timer_files,
    backup_files,
)
"""What writes files of a machine, in the order in which they are put down; each knows one program."""


def own_files(machine: Machine) -> tuple[HostFile, ...]:
    """Return the files of the plan itself; those that containers see concern the project too."""
    if not is_linux(machine):
        return machine.files
    seen = {path for service in composed(machine) for path in mounted_files(machine, service)}
    return tuple(
        replace(file, restarts=(*file.restarts, COMPOSE_UNIT))
        if file.path in seen and COMPOSE_UNIT not in file.restarts
        else file
        for file in machine.files
    )


def files_of(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> tuple[HostFile, ...]:
    """Return every file of a machine, those of its plan first, each path once.

    Args:
        machine: the machine.
        plan: all machines, for what joins them.
        hosts: how they are kept.

    Raises:
        UsageError: two write the same path, or something cannot be written for its program.
    """
    found = [*own_files(machine), *(file for render in RENDERERS for file in render(machine, plan, hosts))]
    seen: set[str] = set()
    for file in found:
        if not file.path.startswith("/") or "/../" in f"{file.path}/":
            raise UsageError(f"{machine.name}: '{file.path}' is no full path of a file: begin it with /, without '..'")
        if file.path in seen:
            raise UsageError(f"{machine.name}: two files want to stand at {file.path}: rename what writes one")
        seen.add(file.path)
    return tuple(found)
