"""One node of AgentDB on Fly.io: the app file that stands for a machine, beside the stack that describes the node.

Fly.io takes an app and gives no machine that one could log in to, so that the file and its script are artifacts of the
deployment: whoever has the account runs them. Nothing of the machine's firewall, proxy or backups is there.

Source: fly.io docs, "App configuration (fly.toml)" at superfly/docs fafeeb82, "fly volumes create" and "fly secrets
import", read 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from skerry.config.agentdb_nodes import FlySpec
from skerry.hosts.plan import HostService

FOLDER: Final = "fly"
VOLUME: Final = "agentdb_data"
_SHARED_CPU_MIB: Final = 2048
"""The most memory of one shared CPU; the sizes are 1, 2, 4 and 8 (same page)."""
_CPUS: Final = (1, 2, 4, 8)
MOST_MIB: Final = _CPUS[-1] * _SHARED_CPU_MIB
STEP_MIB: Final = 256


def fly_artifacts(fly: FlySpec, node: HostService) -> dict[str, str]:
    """Return the app file and the script that brings it up: path -> text.

    Args:
        fly: what the app is called and where it stands.
        node: the node, as it stands on a machine.
    """
    assert node.image is not None  # noqa: S101  a container has one
    assert node.health is not None  # noqa: S101  of the catalogue
    port, data = node.health.port, node.mounts[0]
    memory = node.memory_mib or _SHARED_CPU_MIB
    needed = max(node.cpus or 1, memory / _SHARED_CPU_MIB)
    check = {
        "grace_period": f"{node.health.start_period_s}s",
        "interval": f"{node.health.interval_s}s",
        "timeout": f"{node.health.timeout_s}s",
        "method": "GET",
        "path": node.health.path,
    }
    service: dict[str, str | int | bool] = {
        "internal_port": port,
        "force_https": True,
        # It keeps files: it is never stopped, so that it need not be started by a call.
        "auto_stop_machines": "off",
        "auto_start_machines": False,
        "min_machines_running": 1,
    }
    gib = f"{node.storage_gib:g}"
    lines = [
        *_table({"app": fly.app, "primary_region": fly.region, "kill_signal": "SIGTERM", "kill_timeout": node.stop_s}),
        *_table({"image": node.image.deployed_as}, "[build]"),
        *_table(dict(sorted(node.environment.items())), "[env]"),
        *_table({"source": VOLUME, "destination": data.target, "initial_size": f"{gib}gb"}, "[mounts]"),
        *_table(service, "[http_service]"),
        *_table(check, "[[http_service.checks]]"),
        *_table(
            {"memory": f"{memory}mb", "cpu_kind": "shared", "cpus": next(one for one in _CPUS if one >= needed)},
            "[[vm]]",
        ),
    ]
    return {f"{FOLDER}/fly.toml": "\n".join(lines).lstrip() + "\n", f"{FOLDER}/deploy.sh": _script(fly, node, gib)}


def _script(fly: FlySpec, node: HostService, gib: str) -> str:
    secrets = sorted(node.secrets)
    lines = [
        "#!/bin/sh",
        "# Run by whoever has the account of Fly.io, in this folder.",
        "set -eu",
        *(f': "${{{one}:?set it in your own environment}}"' for one in secrets),
        f"fly apps create {fly.app}",
        *(f"printf '{one}=%s\\n' \"${one}\" | fly secrets import --stage --app {fly.app}" for one in secrets),
        f"fly volumes create {VOLUME} --size {gib} --region {fly.region} --app {fly.app} --yes",
        "# One machine: a volume belongs to one, and two nodes would not share it.",
        "fly deploy --config fly.toml --ha=false",
    ]
    return "\n".join(lines) + "\n"


def _table(rows: Mapping[str, str | int | bool], table: str | None = None) -> list[str]:
    """Return a table; a text of JSON is one of TOML too."""
    return ["", *([table] if table else []), *(f"{key} = {json.dumps(value)}" for key, value in rows.items())]
