"""The mesh where there is no systemd: macOS, Windows and Android get what their system starts; iOS gets nothing.

Nothing here is laid by an apply script: people put these files in place, as the runbook says.
"""

from __future__ import annotations

import plistlib
import shlex
from collections.abc import Mapping
from typing import Final

from skerry.config.agent_mesh import TokenKind, TrustMode
from skerry.config.host import HostOs
from skerry.hosts.plan import HostFile
from skerry.systems.agent_mesh_places import (
    GATEWAY,
    HOME,
    KEYS,
    NODE,
    NODE_FOLDER,
    NODE_KEYS,
    PYTHON,
    Mesh,
    bundle_path,
)
from skerry.systems.agent_mesh_services import gateway_command, gateway_variables, node_variables

LABEL: Final = "com.adaptivesentience"
TERMUX: Final = "/data/data/com.termux/files/home"
# Source: Termux wiki, "Termux:Boot": scripts in ~/.termux/boot are run in order when the device starts
# (not opened; check before relying on it)
TERMUX_BOOT: Final = f"{TERMUX}/.termux/boot"
WINDOWS: Final = "C:/ProgramData/agent_mesh"

BY_HAND: Final[Mapping[HostOs, tuple[str, ...]]] = {
    HostOs.MACOS: (
        f"make a user `_agentmesh`, install Python 3, clone the repository to {HOME}, make `venv` and install "
        "requirements.txt",
        "copy the files of this machine to the paths that they have here, and bundles and token from the site's "
        f"folder to {NODE_KEYS} with mode 0600, a gateway's identity to {KEYS}",
        f"`sudo launchctl bootstrap system /Library/LaunchDaemons/{LABEL}.<name>.plist` for each plist",
        "allow incoming connections for Python in the system's firewall, or the ports in pf",
    ),
    HostOs.WINDOWS: (
        f"install Python 3, clone the repository to {WINDOWS}, make `venv` and install requirements.txt",
        "copy the files of this machine to the paths that they have here, and bundles and token to "
        f"{WINDOWS}/node_keys",
        "run register.ps1 as administrator: it makes a task that starts the nodes, and opens their ports",
    ),
    HostOs.ANDROID: (
        "install Termux and Termux:Boot from F-Droid, start each once, and exempt them from battery saving",
        f"in Termux: `pkg install python git`, clone the repository to {TERMUX}/agent_mesh, make `venv` and install "
        "requirements.txt",
        f"copy the files of this machine to {TERMUX_BOOT} with mode 0700, and bundles and token to "
        f"{TERMUX}/agent_mesh/node_keys",
    ),
    HostOs.IOS: (
        "nothing is rendered: iOS lets no app listen for tools in the background, so that it runs no node of this kind",
        "use the vendor's app, if there is one, or call a gateway from the device's browser",
    ),
}
"""System -> what people do on such a machine."""


def files_elsewhere(mesh: Mesh, machine: str) -> tuple[HostFile, ...]:
    """Return the files of a machine without systemd; none for iOS."""
    match mesh.hosts.machines[machine].os:
        case HostOs.MACOS:
            return tuple(_plist(mesh, name, *row) for name, row in _programs(mesh, machine, HOME).items())
        case HostOs.ANDROID:
            folder = f"{TERMUX}/agent_mesh"
            return tuple(_boot(mesh, name, *row) for name, row in _programs(mesh, machine, folder).items())
        case HostOs.WINDOWS:
            return _windows(mesh, machine)
        case _:
            return ()


def _programs(mesh: Mesh, machine: str, home: str) -> dict[str, tuple[list[str], str, dict[str, str]]]:
    """Return name -> command, working folder and variables of each program, moved to `home`."""
    found: dict[str, tuple[list[str], str, dict[str, str]]] = {}
    if machine in mesh.spec.gateways:
        found[GATEWAY] = (list(gateway_command(mesh, machine)), HOME, gateway_variables(mesh, machine))
    if machine in mesh.spec.nodes:
        shared = node_variables(mesh, machine, mesh.spec.nodes[machine])
        for port in mesh.ports(machine):
            own = {"NODE_PORT": str(port), "NODE_ID": f"{machine}-{port}"}
            own |= {"MESH_BUNDLE": bundle_path(port)} if mesh.spec.trust is TrustMode.PKI else {}
            found[f"{NODE}-{port}"] = ([PYTHON, "node.py"], NODE_FOLDER, {**shared, **own})
    moved = {}
    for name, (command, folder, values) in found.items():
        variables = {key: _moved(value, home) for key, value in values.items()}
        if home != HOME and "AUDIT_LOG_PATH" in variables:
            variables["AUDIT_LOG_PATH"] = f"{home}/audit/audit.log"
        if home != HOME and "SYNC_SPOOL_PATH" in variables:
            variables["SYNC_SPOOL_PATH"] = f"{home}/spool"
        moved[name] = ([_moved(word, home) for word in command], _moved(folder, home), variables)
    return moved


def _moved(text: str, home: str) -> str:
    return home + text.removeprefix(HOME) if text.startswith(HOME) else text


def _shared(mesh: Mesh) -> bool:
    """Say whether a token is shared, which these systems take from a file of their own."""
    return mesh.spec.capabilities.kind is TokenKind.SHARED and not mesh.development


def _plist(mesh: Mesh, name: str, command: list[str], folder: str, variables: dict[str, str]) -> HostFile:
    # Source: launchd.plist(5), read as of macOS 14 (not opened; check before relying on it)
    if _shared(mesh):
        token = f"MESH_CAPABILITY_TOKEN=$(cat {NODE_KEYS}/token) && export MESH_CAPABILITY_TOKEN"
        script = f"{token} && exec {shlex.join(command)}"
        command = ["/bin/sh", "-c", script]
    document = {
        "Label": f"{LABEL}.{name}",
        "ProgramArguments": command,
        "WorkingDirectory": folder,
        "EnvironmentVariables": {"PATH": f"{HOME}/venv/bin:/usr/local/bin:/usr/bin:/bin", **variables},
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "RunAtLoad": True,
        "UserName": "_agentmesh",
        "StandardErrorPath": f"/var/log/{name}.log",
    }
    text = plistlib.dumps(document, sort_keys=True).decode()
    return HostFile(path=f"/Library/LaunchDaemons/{LABEL}.{name}.plist", text=text)


def _boot(mesh: Mesh, name: str, command: list[str], folder: str, variables: dict[str, str]) -> HostFile:
    exports = "".join(f"export {key}={shlex.quote(value)}\n" for key, value in variables.items())
    if _shared(mesh):
        exports += f"MESH_CAPABILITY_TOKEN=$(cat {TERMUX}/agent_mesh/node_keys/token) || exit 1\n"
        exports += "export MESH_CAPABILITY_TOKEN\n"
    text = f"""#!/data/data/com.termux/files/usr/bin/sh
# Starts it when the device does, and again 10 seconds after it failed.
set -u
termux-wake-lock
mkdir -p {TERMUX}/agent_mesh/audit {TERMUX}/agent_mesh/spool
cd {shlex.quote(folder)} || exit 1
{exports}until {shlex.join(command)}; do
    sleep 10
done
"""
    return HostFile(path=f"{TERMUX_BOOT}/{name}", text=text, mode="0700")


def _windows(mesh: Mesh, machine: str) -> tuple[HostFile, ...]:
    rows = _programs(mesh, machine, WINDOWS)
    found = []
    for name, (_, folder, variables) in rows.items():
        lines = [f"$env:{key} = '{value}'" for key, value in variables.items()]
        lines += [f"$env:MESH_CAPABILITY_TOKEN = Get-Content '{WINDOWS}/node_keys/token'"] if _shared(mesh) else []
        text = "\n".join(
            [
                *lines,
                f"Set-Location '{folder}'",
                f"do {{ & '{WINDOWS}/venv/Scripts/python.exe' node.py; $code = $LASTEXITCODE; if ($code) {{",
                "    Start-Sleep 10 } } while ($code)",
                "",
            ]
        )
        found.append(HostFile(path=f"{WINDOWS}/{name}.ps1", text=text))
    ports = mesh.ports(machine) if machine in mesh.spec.nodes else ()
    remote = ",".join(f"'{cidr}'" for cidr in mesh.hosts.lan_cidrs) or "'LocalSubnet'"
    lines = [
        "$action = New-ScheduledTaskAction -Execute 'powershell.exe' "
        f"-Argument '-NoProfile -File {WINDOWS}/{name}.ps1'\n"
        f"Register-ScheduledTask -TaskName '{name}' -Action $action -Trigger (New-ScheduledTaskTrigger -AtStartup) "
        "-User 'NT AUTHORITY\\LocalService' -Force\n"
        for name in rows
    ]
    lines += [
        f"New-NetFirewallRule -DisplayName 'Agent Mesh Edge Nodes' -Direction Inbound -Protocol TCP "
        f"-LocalPort {ports[0]}-{ports[-1]} -RemoteAddress {remote} -Action Allow\n"
    ] if ports else []  # fmt: skip
    return (*found, HostFile(path=f"{WINDOWS}/register.ps1", text="".join(lines)))
