"""systemd: a unit a service, or a template with its instances, hardened as far as the service allows.

Source: systemd v252 systemd.service(5), systemd.exec(5), systemd.resource-control(5), read 2026-11
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from components.host.compose import mps_variables
from components.host.places import (
    HEAD,
    MPS_UNIT,
    UNITS,
    WAIT,
    environment_path,
    health_url,
    is_linux,
    under_systemd,
    unit_names,
)
from components.host.quoting import one_line, unit_command, unit_percent, unit_word
from skerry.config.host import HostsSpec
from skerry.errors import UsageError
from skerry.hosts.plan import HostFile, HostService, HostsPlan, Machine

SYSTEM_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
WAIT_S: Final = 300
"""How long a start waits for another machine before it fails and is tried again."""
_INSTANCE: Final = re.compile(r"^[A-Za-z0-9:_.-]+$")
_UNIT: Final = re.compile(r"^[A-Za-z0-9:_.-]+$")

HARDENING: Final = (
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "PrivateTmp=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectControlGroups=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "SystemCallArchitectures=native",
    "UMask=0027",
)
"""What no service of ours needs to do; memory that is written and run stays allowed, since interpreters compile."""


def systemd_files(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> tuple[HostFile, ...]:
    """Return the units of a machine, and the files of their secrets.

    Raises:
        UsageError: the machine has no systemd, or a value cannot be written in a unit.
    """
    services = under_systemd(machine)
    if services and not is_linux(machine):
        raise UsageError(
            f"{machine.name} runs {machine.spec.os.value}, which has no systemd for '{services[0].name}': run it under "
            "Compose, or let the plan hold its files (supervisor 'other')"
        )
    return tuple(file for service in services for file in _files(machine, plan, service))


def _files(machine: Machine, plan: HostsPlan, service: HostService) -> Iterator[HostFile]:
    units = unit_names(service)
    if not _UNIT.match(service.name):
        raise UsageError(f"{machine.name}: '{service.name}' is no name of a unit: use letters, digits and hyphens")
    if service.gpu is not None and service.gpu.mechanism == "mig":
        raise UsageError(
            f"{machine.name}: '{service.name}' wants an instance of MIG, whose name is not known before it is made: "
            "run it under Compose, which takes its number"
        )
    for instance in service.instances:
        if not _INSTANCE.match(instance):
            text = f"'{instance}' is no name of an instance of {service.name}: use letters, digits, '.', '_' and '-'"
            raise UsageError(f"{machine.name}: {text}")
    if service.secrets:
        yield HostFile(path=environment_path(service), variables=dict(service.secrets), mode="0600", restarts=units)
    name = f"{service.name}@.service" if service.instances else f"{service.name}.service"
    yield HostFile(
        path=f"{UNITS}/{name}",
        text=unit_text(machine, plan, service),
        commands=(("systemctl", "daemon-reload"),),
        enables=units,
        restarts=units,
    )


def unit_text(machine: Machine, plan: HostsPlan, service: HostService) -> str:
    """Return a service's unit, or its template.

    Args:
        machine: where it runs.
        plan: all machines, for the overlay that it waits for.
        service: what it is.

    Raises:
        UsageError: a value cannot be written in a unit.
    """
    lines = [f"# {HEAD}", "[Unit]", *_unit(machine, plan, service), "", "[Service]", "Type=simple"]
    if service.user:
        lines.append(f"User={one_line(service.user, 'a user')}")
    if service.folder:
        lines.append(f"WorkingDirectory={_path(service, service.folder)}")
    lines += _variables(service)
    lines += _commands(service)
    lines += ["Restart=on-failure", "RestartSec=10", f"TimeoutStopSec={service.stop_s}"]
    lines += _folders(service)
    lines += _limits(service)
    lines += _hardening(service)
    lines += ["", "[Install]", "WantedBy=multi-user.target"]
    return "\n".join(lines) + "\n"


def _unit(machine: Machine, plan: HostsPlan, service: HostService) -> Iterator[str]:
    template = bool(service.instances)
    shown = unit_percent(one_line(service.description or service.name, "a description"), template=template)
    yield f"Description={shown}{' %i' if template and '%i' not in shown else ''}"
    known = {row.name: row for row in machine.services}
    needed = sorted({unit for name in service.needs if name in known for unit in unit_names(known[name])})
    if service.gpu is not None and service.gpu.mechanism == "mps":
        needed.append(MPS_UNIT)
    online = ["network-online.target"] if service.network_online or service.waits_for else []
    after = ["network.target", *online, *needed]
    if plan.overlay is not None and machine.spec.overlay is not None:
        after.append(f"wg-quick@{plan.overlay.name}.service")
    yield f"After={' '.join(after)}"
    if service.network_online or service.waits_for:
        yield "Wants=network-online.target"
    if needed:
        yield f"Requires={' '.join(needed)}"
    # A start that fails again and again goes on being tried, each time after RestartSec.
    yield "StartLimitIntervalSec=0"


def _variables(service: HostService) -> Iterator[str]:
    template = bool(service.instances)
    values = {**service.environment, **mps_variables(service.gpu)}
    own = posixpath.dirname(service.command[0]) if service.command else ""
    before = values.get("PATH", own)
    folders = [folder for folder in before.split(":") if folder and folder not in SYSTEM_PATH.split(":")]
    # A program's children find the system's programs too.
    if folders:
        values["PATH"] = ":".join([*folders, SYSTEM_PATH])
    for name, value in sorted(values.items()):
        yield f"Environment={unit_word(f'{name}={value}', template=template, variables=False)}"
    for path in service.environment_files:
        yield f"EnvironmentFile={_path(service, path)}"
    if service.secrets:
        yield f"EnvironmentFile={environment_path(service)}"


def _commands(service: HostService) -> Iterator[str]:
    template = bool(service.instances)
    seconds = 90
    for url in service.waits_for:
        seconds += WAIT_S
        yield f"ExecStartPre={unit_command((WAIT, str(WAIT_S), url), template=template)}"
    yield f"ExecStart={unit_command(service.command, template=template, expands=service.expands)}"
    asked = _asked(service)
    health = service.health
    if asked and health is not None:
        budget = health.start_period_s + health.interval_s * health.retries
        seconds += budget
        # Whoever needs it starts when it is well, not when it has begun.
        yield f"ExecStartPost={unit_command((WAIT, str(budget), *asked), template=template)}"
    yield f"TimeoutStartSec={seconds}"


def _asked(service: HostService) -> tuple[str, ...]:
    if service.health is None:
        return ()
    if service.health.command:
        return ("--", *service.health.command)
    url = health_url(service, inside=False)
    if url is None:
        return ()
    if not service.instances:
        return (url,)
    port = url.split("/")[2].rpartition(":")[2]
    # Instances that are named by their ports are each asked at their own.
    numbered = all(instance.isdigit() and _listens(service, int(instance)) for instance in service.instances)
    return (url.replace(f":{port}/", ":%i/", 1),) if numbered else ()


def _listens(service: HostService, port: int) -> bool:
    return any(row.port <= port <= (row.last or row.port) for row in service.listens)


def _path(service: HostService, path: str) -> str:
    one_line(path, f"a path of {service.name}")
    if not path.startswith("/"):
        raise UsageError(f"{service.name}: '{path}' is no full path: begin it with /")
    return unit_percent(path, template=bool(service.instances))


def _folders(service: HostService) -> Iterator[str]:
    if service.state_folder:
        yield f"StateDirectory={unit_word(service.state_folder, template=bool(service.instances), variables=False)}"
        yield "StateDirectoryMode=0750"
    if service.log_folder:
        yield f"LogsDirectory={unit_word(service.log_folder, template=bool(service.instances), variables=False)}"
        yield "LogsDirectoryMode=0750"
    for path in service.writable:
        yield f"ReadWritePaths={unit_word(path, template=bool(service.instances), variables=False)}"


def _limits(service: HostService) -> Iterator[str]:
    if service.memory_mib is not None:
        yield f"MemoryMax={service.memory_mib}M"
        yield "MemorySwapMax=0"
    if service.cpus is not None:
        yield f"CPUQuota={max(1, round(service.cpus * 100))}%"
    if service.cpu_shares is not None:
        # Shares of 1024 are a weight of 100.
        yield f"CPUWeight={min(10_000, max(1, round(service.cpu_shares * 100 / 1024)))}"
    if service.only_with:
        yield "IPAddressDeny=any"
        yield f"IPAddressAllow={' '.join(service.only_with)}"


def _at_home(path: str) -> bool:
    """Say whether ProtectHome would hide a path: those below /home, root's own home and /run/user (systemd.exec(5))."""
    parts = PurePosixPath(path).parts[1:3]
    return parts[:1] in (("home",), ("root",)) or parts == ("run", "user")


def _hardening(service: HostService) -> Iterator[str]:
    yield from HARDENING
    paths = (*service.command[:1], service.folder, *service.writable, *service.environment_files)
    yield "ProtectHome=no" if any(_at_home(path) for path in paths) else "ProtectHome=yes"
    if service.gpu is None:
        yield "PrivateDevices=yes"
    if not service.user:
        return
    low = any(row.port < 1024 for row in service.listens)
    yield f"CapabilityBoundingSet={'CAP_NET_BIND_SERVICE' if low else ''}"
    yield f"AmbientCapabilities={'CAP_NET_BIND_SERVICE' if low else ''}"
