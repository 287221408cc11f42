"""AetherGraph as one process on a user's machine: what it is told, and the files that start it.

Everything listens on 127.0.0.1 alone and lies in one folder. The variables are those of the other modes; only what
they lead to is local.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from skerry.config.aethergraph import AetherGraphSpec
from skerry.config.spec import DeploymentSpec, Mode
from skerry.systems.aethergraph_environment import ROUTES, WORKER_PATH, graph_environment, slack_environment

LOOPBACK: Final = "127.0.0.1"
IN_CONTAINER: Final = "/var/lib/aethergraph"
"""Where the process finds its folder."""
USER: Final = 65_532
"""As in every other mode."""
_PLAIN: Final = re.compile(r"^[A-Za-z0-9_./:=,@+%?&;~{}\[\]-]*$")
"""Values that Compose reads as they are; it expands `$`, and takes what follows ` #` for a comment."""


def local_environment(spec: DeploymentSpec, own: AetherGraphSpec) -> dict[str, str]:
    """Return what the process is told."""
    local, worker = own.local, spec.mode is Mode.LOCAL_WORKER
    base = f"sqlite:///{IN_CONTAINER}"
    found = {
        "AETHERGRAPH_MODE": spec.mode.value,
        "AETHERGRAPH_ROLE": spec.mode.value,
        "AETHERGRAPH_BIND": f"{LOOPBACK}:{local.api_port}",
        "BLOB_STORE_URL": f"file://{IN_CONTAINER}/blobs",
        "DOC_STORE_URL": f"{base}/documents.db",
        "EVENT_LOG_URL": f"{base}/events.db",
        "VECTOR_INDEX_URL": f"{base}/vectors.db",
        "KV_URL": "memory://",
        "GRAPH_TIMEOUT_S": str(own.longest_graph_s),
        "STREAM_IDLE_S": str(own.stream_s),
        "ARTIFACT_MAX_BYTES": str(own.artifact_mib << 20),
        **graph_environment(own),
    }
    if worker:
        return found | {
            "CONTROL_PLANE_URL": f"wss://{local.control_plane}{WORKER_PATH}",
            "WORKSPACE": f"{local.workspace}",
            "DISPATCH": "socket",
            "JOB_IDEMPOTENCY_KEY": "run_id",
            "FORWARD_METADATA": "true" if local.forwards else "false",
        }
    return found | {
        "UI_BIND": f"{LOOPBACK}:{local.ui_port}",
        # Another port is another origin for a browser.
        "ALLOWED_ORIGINS": f"http://localhost:{local.ui_port}",
        "API_ROUTES": ",".join(ROUTES),
        **slack_environment(own, "before-run"),
    }


def local_secrets(spec: DeploymentSpec, own: AetherGraphSpec) -> tuple[str, ...]:
    """Return the variables that the user sets himself: no secret of one machine stands in a stack."""
    found = ["LLM_API_KEY"] if own.llm is not None and own.llm.api_key_secret is not None else []
    if spec.mode is Mode.LOCAL_WORKER:
        found.append("WORKER_CREDENTIAL")
    elif own.slack is not None:
        found += ["SLACK_APP_TOKEN", "SLACK_BOT_TOKEN"]
    return tuple(found)


def local_files(image: str, folder: str, environment: Mapping[str, str], secrets: tuple[str, ...]) -> dict[str, str]:
    """Return the files that start the process: Compose's, and the environment.

    The process shares the machine's network, so that 127.0.0.1 is that of the user's browser; nothing is published.
    JSON is YAML too, and needs no care for what a value looks like.

    Args:
        image: the reference of the runtime.
        folder: where the machine keeps what it keeps.
        environment: what it is told.
        secrets: variables that come from the user's own environment.
    """
    process = {
        "image": image,
        "network_mode": "host",
        "user": f"{USER}:{USER}",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "tmpfs": ["/tmp"],
        "volumes": [{"type": "bind", "source": folder, "target": IN_CONTAINER}],
        "env_file": ["aethergraph.env"],
        "environment": {name: f"${{{name}:?set it in your own environment}}" for name in secrets},
        "restart": "unless-stopped",
    }
    if not secrets:
        del process["environment"]
    compose = {"name": "aethergraph", "services": {"aethergraph": process}}
    lines = [f"{name}={_quoted(value)}" for name, value in sorted(environment.items())]
    return {
        "compose.yaml": json.dumps(compose, indent=2) + "\n",
        "aethergraph.env": "\n".join(lines) + "\n",
    }


def _quoted(value: str) -> str:
    """Return a value as a file of variables of Compose has it."""
    if _PLAIN.match(value):
        return value
    escaped = re.sub(r'(["\\$])', r"\\\1", value)
    return f'"{escaped}"'
