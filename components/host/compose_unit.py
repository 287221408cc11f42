"""The Compose project as a unit of systemd: it starts in order, and what waits for another machine waits alone."""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import Final

from components.host.compose import mounted_files, state_variable
from components.host.gpu_units import gpu_units
from components.host.places import (
    COMPOSE_FOLDER,
    COMPOSE_UNIT,
    HEAD,
    LIB,
    UNITS,
    WAIT,
    composed,
    environment_path,
    is_linux,
    unit_names,
)
from components.host.quoting import shell
from skerry.config.host import HostsSpec
from skerry.hosts.plan import DOCKER_FOLDER, HostFile, HostService, HostsPlan, Machine, Supervisor

UP: Final = f"{LIB}/compose-up"
WAIT_S: Final = 900
"""How long a start waits for another machine before it fails and is tried again."""
RELOAD: Final = (("systemctl", "daemon-reload"),)


def compose_unit_files(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> tuple[HostFile, ...]:
    """Return the unit of the project, the script that starts it, and the files of its services' secrets."""
    services = composed(machine)
    secret = tuple(
        HostFile(
            path=environment_path(service),
            variables=dict(service.secrets),
            mode="0600",
            restarts=(COMPOSE_UNIT,) if is_linux(machine) else (),
        )
        for service in services
        if service.secrets
    )
    if not services or not is_linux(machine):
        return secret
    unit = HostFile(
        path=f"{UNITS}/{COMPOSE_UNIT}",
        text=_unit(machine, plan),
        commands=RELOAD,
        enables=(COMPOSE_UNIT,),
        restarts=(COMPOSE_UNIT,),
    )
    up = HostFile(path=UP, text=_up(machine, services), mode="0755", restarts=(COMPOSE_UNIT,))
    return (*secret, up, unit)


def _unit(machine: Machine, plan: HostsPlan) -> str:
    services = composed(machine)
    known = {service.name: service for service in machine.services}
    outside = {
        unit
        for service in services
        for name in service.needs
        if name in known and known[name].supervisor == Supervisor.SYSTEMD
        for unit in unit_names(known[name])
    }
    outside |= set(gpu_units(machine))
    after = ["docker.service", "network-online.target", *sorted(outside)]
    wants = ["network-online.target"]
    if plan.overlay is not None and machine.spec.overlay is not None:
        after.append(f"wg-quick@{plan.overlay.name}.service")
    seconds = WAIT_S * max(1, sum(len(service.waits_for) for service in services)) + _health_seconds(services)
    own = any(file.path.startswith(f"{DOCKER_FOLDER}/") for file in machine.files)
    login = f"Environment=DOCKER_CONFIG={DOCKER_FOLDER}\n" if own else ""
    return f"""\
# {HEAD}
[Unit]
Description=Containers of {machine.name}
After={" ".join(after)}
Wants={" ".join(wants)}
Requires={" ".join(["docker.service", *sorted(outside)])}

[Service]
Type=oneshot
RemainAfterExit=yes
{login}ExecStart={UP}
ExecReload={UP}
ExecStop=/usr/bin/docker compose --project-directory {COMPOSE_FOLDER} stop
TimeoutStartSec={seconds}
TimeoutStopSec={max(service.stop_s for service in services) + 30}
Restart=on-failure
RestartSec=10

[Install]
WantedBy=multi-user.target
"""


def _health_seconds(services: tuple[HostService, ...]) -> int:
    rows = [service.health for service in services if service.health is not None]
    return 300 + sum(row.start_period_s + row.interval_s * row.retries for row in rows)


def stages(services: tuple[HostService, ...]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return what is waited for and what is started then, step by step.

    Whatever needs nothing of another machine starts first, all of it at once, so that no two machines wait for each
    other's whole projects.

    Args:
        services: those of the project.
    """
    known = {service.name: service for service in services}
    needs = {name: [needed for needed in row.needs if needed in known] for name, row in known.items()}
    order = [*TopologicalSorter(needs).static_order()]
    waiting: set[str] = set()
    for name in order:
        if known[name].waits_for or any(needed in waiting for needed in needs[name]):
            waiting.add(name)
    first = tuple(service.name for service in services if service.name not in waiting)
    found: list[tuple[tuple[str, ...], tuple[str, ...]]] = [((), first)] if first else []
    found += [(known[name].waits_for, (name,)) for name in order if name in waiting]
    return found


def _up(machine: Machine, services: tuple[HostService, ...]) -> str:
    lines = []
    for service in services:
        paths = mounted_files(machine, service)
        if paths:
            lines.append(f"{state_variable(service)}=$(state {shell(paths)}); export {state_variable(service)}")
    for urls, names in stages(services):
        if urls:
            lines.append(shell([WAIT, str(WAIT_S), *urls]))
        lines.append(f"up {shell(names)}")
    return f"""\
#!/bin/sh
# {HEAD}
# Starts the containers in their order; what is up and unchanged stays as it is.
set -eu
cd {COMPOSE_FOLDER}
# What containers see of the machine's files: a container is made anew where it changes.
state() {{ sha256sum -- "$@" | sha256sum | cut -c 1-16; }}
up() {{ docker compose up --detach --wait --no-build "$@"; }}
docker compose config --quiet
{chr(10).join(lines)}
docker compose up --detach --wait --no-build --remove-orphans
"""
