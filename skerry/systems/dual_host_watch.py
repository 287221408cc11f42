"""What watches the services of the two machines: the probe beside them, Prometheus' targets and alerts, GPU checks."""

from __future__ import annotations

import json
from typing import Final

import yaml

from skerry.catalog import CATALOG_FOLDER
from skerry.config.dual_host import DualHealthSpec, Mechanism
from skerry.hosts.plan import HostFile, HostService, HostUser, Listen, Supervisor
from skerry.systems.dual_host_gpu import Gpu
from skerry.systems.dual_host_groups import Agent, Side
from skerry.systems.dual_host_tables import settings

PROBE_PATH: Final = "/opt/skerry/scripts/health_probe.py"
"""Where the probe stands, on the machine and in every container."""

PREFLIGHT_PATH: Final = "/opt/skerry/scripts/gpu_preflight"
TARGETS_PATH: Final = "/etc/skerry/dual-host/targets.json"
ALERTS_PATH: Final = "/etc/skerry/dual-host/alerts.yaml"

WATCH: Final = "health-watch"
WATCH_USER: Final = "skerry-watch"
WATCH_MIB: Final = 128
"""What the watch may take: one small program of Python."""

LEAST_CAPABILITY: Final = "7.0"
"""Of GPUs whose MPS limits its clients; skerry/gpus.py has the source."""


def probe_text() -> str:
    """Return the program of the image health-probe, which runs wherever there is Python."""
    return (CATALOG_FOLDER / "health-probe" / "probe.py").read_text(encoding="utf-8")


def probe_file() -> HostFile:
    """Return the probe as a file of a machine."""
    return HostFile(path=PROBE_PATH, text=probe_text(), mode="0755")


def hub_metrics_port() -> int:
    """Return where a hub publishes metrics: the first port of the range that nobody else takes by custom."""
    return _metrics_ports()[0]


def watch_port() -> int:
    """Return where the watch publishes metrics."""
    return _metrics_ports()[1]


def _metrics_ports() -> list[int]:
    row = settings().range("metrics")
    return [port for port in range(row.first, row.last + 1) if port not in settings().kept_free]


def watch_service(side: Side, address: str, health: DualHealthSpec, binds: dict[str, str]) -> HostService:
    """Return the program that asks every service and publishes who answers.

    Args:
        side: the machine.
        address: of the overlay, on which it listens.
        health: how services are asked.
        binds: agent -> the address that it is published on.
    """
    urls = [f"http://{binds[agent.name]}:{agent.port}{health.path}" for agent in side.agents]
    limits = ["--json", "--timeout", str(health.timeout_s), "--every", str(health.interval_s)]
    own = ["--bind", address, "--listen", str(watch_port())]
    return HostService(
        name=WATCH,
        description="Asks every service of this machine whether it is well",
        supervisor=Supervisor.SYSTEMD,
        command=("/usr/bin/python3", "-I", PROBE_PATH, *limits, *own, *urls),
        listens=(
            Listen(
                name="metrics",
                port=watch_port(),
                bind=address,
                overlay=True,
                comment="whether services are well, for Prometheus",
            ),
        ),
        user=WATCH_USER,
        memory_mib=WATCH_MIB,
        network_online=True,
        role="monitoring",
        encrypted_in_transit=True,
    )


def watch_user() -> HostUser:
    """Return who runs the watch."""
    return HostUser(name=WATCH_USER, home="/nonexistent")


def targets_file(side: Side, address: str, hub: Agent) -> HostFile:
    """Return what the hub reads metrics of, as Prometheus' file_sd_configs has it.

    Source: prometheus.io docs, "Configuration", file_sd_config (not opened; check before relying on it).
    """
    rows = [
        {
            "targets": [f"{agent.name}:{agent.port}" for agent in group.agents if agent.name != hub.name],
            "labels": {"host": side.machine, "group": group.name},
        }
        for group in side.groups
    ]
    rows.append({"targets": [f"{address}:{watch_port()}"], "labels": {"host": side.machine, "group": "machine"}})
    found = [row for row in rows if row["targets"]]
    return HostFile(path=TARGETS_PATH, text=json.dumps(found, indent=2) + "\n")


def alerts_text(health: DualHealthSpec) -> str:
    """Return Prometheus' alerts on what the watch publishes: as long down as a container needs to be unhealthy."""
    down = health.interval_s * health.retries
    rules = [
        {
            "alert": "ServiceDown",
            "expr": "skerry_probe_up == 0",
            "for": f"{down}s",
            "labels": {"severity": "critical"},
            "annotations": {"summary": "{{ $labels.target }} on {{ $labels.host }} does not answer its health check"},
        },
        {
            "alert": "WatchSilent",
            "expr": 'up{group="machine"} == 0',
            "for": f"{down}s",
            "labels": {"severity": "critical"},
            "annotations": {"summary": "nobody asks the services of {{ $labels.host }} whether they are well"},
        },
    ]
    return yaml.safe_dump({"groups": [{"name": "dual-host", "rules": rules}]}, sort_keys=False, width=120)


def preflight_file(side: Side, gpu: Gpu) -> HostFile:
    """Return the script that looks at a machine's GPU before anything starts, and refuses what cannot be."""
    return HostFile(path=PREFLIGHT_PATH, text=_PREFLIGHT, mode="0755")


def preflight_command(side: Side, gpu: Gpu, *, wsl2: bool) -> tuple[str, ...]:
    """Return the call of that script: what must hold on this machine."""
    words = [PREFLIGHT_PATH, gpu.mechanism.value, str(gpu.total_mib)]
    return (*words, "wsl2") if wsl2 and gpu.mechanism is Mechanism.MPS else tuple(words)


_PREFLIGHT: Final = f"""#!/bin/sh
# Looks at GPU 0 before anything starts: gpu_preflight MECHANISM LEAST_MIB [wsl2]
# Exit codes: 0 it can be shared so; 1 it cannot, and the reason is said.
set -eu
mechanism=$1 least=$2 allowed=${{3:-}}
refuse() {{ echo "gpu_preflight: $1" >&2; exit 1; }}

[ "$(uname -s)" = Linux ] || refuse "this is $(uname -s), and GPUs are shared among containers on Linux"
if grep -qi microsoft /proc/version && [ "$mechanism" = mps ] && [ "$allowed" != wsl2 ]; then
  refuse "this is WSL2, where nobody tried MPS: use time-slicing, or try it and set gpu.mps_on_wsl2"
fi
command -v nvidia-smi >/dev/null || refuse "there is no nvidia-smi: install NVIDIA's driver"
command -v nvidia-ctk >/dev/null || refuse "there is no nvidia-ctk: install NVIDIA's container toolkit"
row=$(nvidia-smi --id=0 --query-gpu=memory.total,compute_cap,mig.mode.current --format=csv,noheader,nounits) \\
  || refuse "nvidia-smi does not answer: look at the driver"
has=$(echo "$row" | cut -d, -f1 | tr -d ' ')
capability=$(echo "$row" | cut -d, -f2 | tr -d ' ')
mig=$(echo "$row" | cut -d, -f3 | tr -d ' ')
case $has in
  ''|*[!0-9]*) refuse "nvidia-smi says '$row' of its memory: look at the driver" ;;
esac
[ "$has" -ge "$least" ] || refuse "the GPU has $has MiB, and its parts were cut from $least: set gpu_reported_mib: $has"
case $mechanism in
  mps)
    command -v nvidia-cuda-mps-control >/dev/null \\
      || refuse "there is no nvidia-cuda-mps-control: install the driver's nvidia-compute-utils"
    awk "BEGIN {{ exit !($capability >= {LEAST_CAPABILITY}) }}" \\
      || refuse "compute capability $capability is below {LEAST_CAPABILITY}: MPS limits no clients there"
    [ "$mig" != Enabled ] || refuse "MIG is on: turn it off with nvidia-smi -i 0 -mig 0"
    ;;
  mig)
    [ "$mig" = Enabled ] || refuse "MIG is off: turn it on with nvidia-smi -i 0 -mig 1, and cut the slices"
    ;;
esac
echo "gpu_preflight: $has MiB, compute capability $capability, $mechanism"
"""
