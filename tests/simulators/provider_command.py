"""What the simulated `command` provider does: it runs `remote.Command` by the real ssh where a test asks for it.

Without SKERRY_SIM_SSH it only keeps what it was given, as every simulated provider does. With it, each verb reaches the
machine that `connection` names as the real provider does: the key of the host is pinned where one is given, standard
input is sent, an exit code other than 0 fails the step with what the machine wrote.
"""

# Source: pulumi/pulumi-command provider/pkg/provider/remote (commandController.go, commandOutputs.go, connection.go),
# read 2026-11. The real provider speaks SSH by itself; its errors are told here in its words.

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.simulators.provider_check import reveal

TOKEN: Final = "command:remote:Command"
VARIABLE: Final = "SKERRY_SIM_SSH"
PAUSE_S: Final = 0.2


class CommandError(Exception):
    """A command that failed, in the real provider's words."""


def is_run(token: str) -> bool:
    """Return whether a resource is to be run in earnest."""
    return token == TOKEN and bool(os.environ.get(VARIABLE))


def run(inputs: Mapping[str, Any], verb: str) -> dict[str, str]:
    """Run what a resource's inputs say for a verb, and return its outputs.

    Args:
        inputs: as they stand on the wire.
        verb: `create`, `update` or `delete`.

    Raises:
        CommandError: the machine was not reached, is another one, or the command failed.
    """
    found = reveal(dict(inputs))
    command = found.get("update") if verb == "update" and found.get("update") else found.get(verb, "")
    command = found.get("create", "") if verb == "update" and not command else command
    if not command:
        return {"stdout": "", "stderr": ""}
    with tempfile.TemporaryDirectory() as folder:
        done = _dial(found["connection"], command, found.get("stdin") or "", Path(folder))
    if done.returncode:
        told = f"{done.stdout}{done.stderr}"
        raise CommandError(f"Process exited with status {done.returncode}: running {command!r}:\n{told}")
    return {"stdout": done.stdout.removesuffix("\n"), "stderr": done.stderr.removesuffix("\n")}


def _dial(connection: Mapping[str, Any], command: str, stdin: str, folder: Path) -> subprocess.CompletedProcess[str]:
    host, port = str(connection["host"]), int(connection.get("port", 22))
    options = {
        "BatchMode": "yes",
        "LogLevel": "ERROR",
        "ConnectTimeout": f"{int(connection.get('perDialTimeout', 15))}",
    }
    options |= {
        "UserKnownHostsFile": f"{folder / 'known'}",
        "StrictHostKeyChecking": "no",
        "GlobalKnownHostsFile": "none",
    }
    if connection.get("hostKey"):
        place = host if port == 22 else f"[{host}]:{port}"
        (folder / "known").write_text(f"{place} {connection['hostKey']}\n", encoding="utf-8")
        options |= {"StrictHostKeyChecking": "yes", "HostKeyAlgorithms": str(connection["hostKey"]).split()[0]}
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    if connection.get("privateKey"):
        key = folder / "key"
        key.touch(mode=0o600)
        key.write_text(str(connection["privateKey"]).rstrip("\n") + "\n", encoding="utf-8")
        words += ["-o", "IdentitiesOnly=yes", "-i", f"{key}"]
    line = ["ssh", "-F", "none", *words, "-p", f"{port}", f"{connection.get('user', 'root')}@{host}", command]
    limit = int(connection.get("dialErrorLimit", 10))
    for dials in range(1, limit + 2):
        done = subprocess.run(line, input=stdin, capture_output=True, text=True, check=False)
        if done.returncode != 255:
            return done
        if dials > limit:
            break
        time.sleep(PAUSE_S)
    raise CommandError(f"after {limit} failed attempts: {_reason(done.stderr, host, port)}")


def _reason(told: str, host: str, port: int) -> str:
    if "Host key verification failed" in told:
        return "ssh: handshake failed: ssh: host key mismatch"
    if "Permission denied" in told:
        return "ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey]"
    return f"dial tcp {host}:{port}: connect: {told.strip().splitlines()[-1] if told.strip() else 'no answer'}"
