"""Docker Compose: one project a machine, a file a group, with health, caps, parts of GPUs and few rights.

One project, since `depends_on` reaches no further; `include` keeps a file for each group.
Source: Compose specification, "include", "depends_on" and "deploy.resources.reservations.devices", read 2026-11
(compose-go v2.9.0).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from components.host.places import (
    COMPOSE_BRIDGE,
    COMPOSE_FOLDER,
    COMPOSE_UNIT,
    HEAD,
    MPS_FOLDER,
    composed,
    environment_path,
    health_url,
    is_linux,
    port_range,
)
from components.host.quoting import yaml_text
from skerry.config.host import HostsSpec
from skerry.errors import UsageError
from skerry.hosts.plan import GpuPart, HostFile, HostService, HostsPlan, Listen, Machine, Mount

PIDS: Final = 4096
"""Processes of one container at most, so that a loop that forks stops there."""

LOGS: Final = {"driver": "local", "options": {"max-size": "20m", "max-file": "5"}}
"""Of one container: 100 MB, compressed when turned over."""


def compose_files(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> tuple[HostFile, ...]:
    """Return the machine's project and the file of each group.

    Raises:
        UsageError: a service has no image, or two services that share a GPU run as different users.
    """
    services = composed(machine)
    if not services:
        return ()
    _same_user(machine, services)
    files = list(_groups(machine, services))
    names = [file.path.rsplit("/", 1)[1] for file in files]
    bridge = {"com.docker.network.bridge.name": COMPOSE_BRIDGE}
    project: dict[str, Any] = {
        "name": machine.name,
        "include": names,
        "networks": {"default": {"driver": "bridge", "driver_opts": bridge}},
    }
    volumes = sorted({mount.source for service in services for mount in service.mounts if _is_volume(mount)})
    if volumes:
        project["volumes"] = {name: {} for name in volumes}
    return (_file(machine, "compose.yaml", project), *files)


def _groups(machine: Machine, services: tuple[HostService, ...]) -> Iterator[HostFile]:
    groups: dict[str, list[HostService]] = {}
    for service in services:
        groups.setdefault(service.group or service.name, []).append(service)
    known = {service.name: service for service in services}
    for group, members in groups.items():
        if group == "compose":
            raise UsageError(f"{machine.name}: a group cannot be named 'compose': that is the project's own file")
        found = {service.name: service_document(machine, service, known) for service in members}
        yield _file(machine, f"{group}.yaml", {"services": found})


def _file(machine: Machine, name: str, document: dict[str, Any]) -> HostFile:
    units = (COMPOSE_UNIT,) if is_linux(machine) else ()
    return HostFile(path=f"{COMPOSE_FOLDER}/{name}", text=f"# {HEAD}\n{yaml_text(document)}", restarts=units)


def service_document(machine: Machine, service: HostService, known: dict[str, HostService]) -> dict[str, Any]:
    """Return a service as the Compose specification has it.

    Args:
        machine: where it runs.
        service: what it is.
        known: every service of the project.

    Raises:
        UsageError: it has no image.
    """
    if service.image is None:
        raise UsageError(f"{machine.name}: service '{service.name}' runs under Compose and has no image: give it one")
    found: dict[str, Any] = {
        "image": escaped(service.image.deployed_as),
        "pull_policy": "missing",
        "restart": "on-failure",
        "init": True,
        "stop_grace_period": f"{service.stop_s}s",
        "labels": {"skerry.tier": service.tier.value, "skerry.role": service.role, **_state_label(machine, service)},
    }
    if service.command:
        found["command"] = [escaped(word) for word in service.command]
    if service.user:
        found["user"] = escaped(service.user)
    found.update(_variables(service))
    needed = {name: known[name] for name in service.needs if name in known}
    if needed:
        found["depends_on"] = {
            name: {"condition": "service_healthy" if row.health else "service_started"} for name, row in needed.items()
        }
    if service.health is not None:
        found["healthcheck"] = _health(machine, service)
    found.update(_limits(machine, service))
    found.update(_rights(service))
    found.update(_network(service))
    mounts = [_mount(mount) for mount in service.mounts]
    if service.gpu is not None and service.gpu.mechanism == "mps":
        mounts.append(_mount(Mount(source=MPS_FOLDER, target=MPS_FOLDER)))
    if mounts:
        found["volumes"] = mounts
    found["logging"] = LOGS
    return found


def mounted_files(machine: Machine, service: HostService) -> tuple[str, ...]:
    """Return the files of the plan that a container sees: it is made anew when one of them changes."""
    sources = [mount.source.rstrip("/") for mount in service.mounts if not _is_volume(mount)]
    paths = sorted(file.path for file in machine.files)
    return tuple(path for path in paths if any(path == row or path.startswith(f"{row}/") for row in sources))


def state_variable(service: HostService) -> str:
    """Return the variable by which the script that starts the project says what the files of a service hold."""
    return f"FILES_OF_{service.name.upper().replace('-', '_').replace('.', '_')}"


def _state_label(machine: Machine, service: HostService) -> dict[str, str]:
    return {"skerry.files": f"${{{state_variable(service)}:-}}"} if mounted_files(machine, service) else {}


def escaped(text: str) -> str:
    """Return a text in which Compose replaces nothing."""
    return text.replace("$", "$$")


def _variables(service: HostService) -> Iterator[tuple[str, Any]]:
    values = {name: escaped(value) for name, value in sorted(service.environment.items())}
    values.update(mps_variables(service.gpu))
    if values:
        yield "environment", values
    files = [environment_path(service)] if service.secrets else []
    if files:
        yield "env_file", [{"path": path, "required": True} for path in files]


def mps_variables(gpu: GpuPart | None) -> dict[str, str]:
    """Return what keeps a client of the Multi-Process Service within its part; its percentage limits threads alone.

    Source: NVIDIA "Multi-Process Service", CUDA_MPS_ACTIVE_THREAD_PERCENTAGE, CUDA_MPS_PINNED_DEVICE_MEM_LIMIT and
    CUDA_MPS_PIPE_DIRECTORY, read 2026-11
    """
    if gpu is None or gpu.mechanism != "mps":
        return {}
    return {
        "CUDA_MPS_PIPE_DIRECTORY": MPS_FOLDER,
        "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE": str(gpu.percent),
        "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT": f"{gpu.device}={gpu.memory_mib}M",
    }


def _health(machine: Machine, service: HostService) -> dict[str, Any]:
    health = service.health
    assert health is not None  # noqa: S101  asked by the caller
    url = health_url(service, inside=not service.host_network)
    if health.command:
        test = ["CMD", *(escaped(word) for word in health.command)]
    elif url is not None:
        seconds = health.timeout_s
        asks = f"wget -q -T {seconds} -O /dev/null '{url}' || curl -fsS -m {seconds} -o /dev/null '{url}'"
        test = ["CMD-SHELL", escaped(asks)]
    else:
        text = "is asked for its health neither by a path nor by a command"
        raise UsageError(f"{machine.name}: service '{service.name}' {text}: give one, or no health")
    return {
        "test": test,
        "interval": f"{health.interval_s}s",
        "timeout": f"{health.timeout_s}s",
        "retries": health.retries,
        "start_period": f"{health.start_period_s}s",
    }


def _limits(machine: Machine, service: HostService) -> dict[str, Any]:
    found: dict[str, Any] = {"pids_limit": PIDS}
    if service.memory_mib is not None:
        # No swap beside it: a service at its cap is ended, and does not slow the machine down.
        found |= {"mem_limit": f"{service.memory_mib}m", "memswap_limit": f"{service.memory_mib}m"}
    if service.cpus is not None:
        found["cpus"] = service.cpus
    if service.cpu_shares is not None:
        found["cpu_shares"] = service.cpu_shares
    if service.gpu is not None:
        device = {"driver": "nvidia", "device_ids": [gpu_device(machine, service)], "capabilities": ["gpu"]}
        found["deploy"] = {"resources": {"reservations": {"devices": [device]}}}
        if service.gpu.mechanism == "mps":
            found["ipc"] = "host"
    return found


def gpu_device(machine: Machine, service: HostService) -> str:
    """Return how a device request names a GPU, or one of its MIG instances.

    Raises:
        UsageError: instances of several profiles, whose numbers nobody can foretell.
    """
    gpu = service.gpu
    assert gpu is not None  # noqa: S101  asked by the caller
    if gpu.mechanism != "mig":
        return str(gpu.device)
    rows = [row for row in composed(machine) if row.gpu and row.gpu.mechanism == "mig" and row.gpu.device == gpu.device]
    profiles = sorted({row.gpu.profile for row in rows if row.gpu})
    if len(profiles) > 1 or not profiles[0]:
        raise UsageError(
            f"{machine.name}: MIG instances of GPU {gpu.device} have the profiles {', '.join(map(repr, profiles))}: "
            "give all of them the same, since the driver numbers them as it likes"
        )
    return f"{gpu.device}:{[row.name for row in rows].index(service.name)}"


def _rights(service: HostService) -> dict[str, Any]:
    found: dict[str, Any] = {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"]}
    if service.capabilities:
        found["cap_add"] = list(service.capabilities)
    if not service.writable_root:
        found |= {"read_only": True, "tmpfs": ["/tmp", *service.writable]}
    return found


def _network(service: HostService) -> dict[str, Any]:
    if service.host_network:
        return {"network_mode": "host"}
    lost = next((row for row in service.listens if row.scheme == "multicast"), None)
    if lost is not None:
        raise UsageError(
            f"service '{service.name}' wants multicast on {lost.port}, and none crosses the network of its container: "
            "set host_network, or name the others one by one"
        )
    ports = [row for listen in service.listens for row in _ports(listen)]
    return {"ports": ports} if ports else {}


def _ports(listen: Listen) -> list[dict[str, Any]]:
    last = listen.last or listen.port
    return [
        {
            "name": f"{listen.name}-{number}" if last != listen.port else listen.name,
            "target": number,
            "published": str(number),
            "host_ip": listen.bind,
            "protocol": listen.protocol,
            "mode": "host",
        }
        for number in range(listen.port, last + 1)
    ]


def published(machine: Machine) -> tuple[Listen, ...]:
    """Return the ports that Docker forwards to containers, past the firewall's rules for the machine itself."""
    rows = [row for service in composed(machine) if not service.host_network for row in service.listens]
    return tuple(sorted(rows, key=lambda row: (row.protocol, row.port, port_range(row, "-"))))


def _is_volume(mount: Mount) -> bool:
    return not mount.source.startswith("/")


def _mount(mount: Mount) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "volume" if _is_volume(mount) else "bind",
        "source": escaped(mount.source),
        "target": escaped(mount.target),
    }
    if mount.read_only:
        found["read_only"] = True
    if not _is_volume(mount):
        # A folder that is missing is a mistake; one that Docker makes belongs to root.
        found["bind"] = {"create_host_path": False}
    return found


def _same_user(machine: Machine, services: tuple[HostService, ...]) -> None:
    users = {row.user: row.name for row in services if row.gpu and row.gpu.mechanism == "mps" and row.user}
    if len(users) > 1:
        named = ", ".join(f"'{name}' as {user}" for user, name in sorted(users.items()))
        raise UsageError(
            f"{machine.name}: services that share a GPU by MPS run as different users ({named}): one server of MPS "
            "serves one user, so give them the same"
        )
