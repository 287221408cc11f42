"""Units that make a GPU shareable before containers start: the server of MPS, or the instances of MIG.

Neither was tried on a GPU here.
Source: NVIDIA "Multi-Process Service" and "Multi-Instance GPU User Guide" (the first read 2026-11; the second not
opened, check before relying on it)
"""

from __future__ import annotations

from typing import Final

from components.host.places import HEAD, LIB, MPS_FOLDER, MPS_UNIT, UNITS, composed, is_linux
from skerry.config.host import HostsSpec
from skerry.hosts.plan import HostFile, HostsPlan, Machine

MIG_UNIT: Final = "skerry-mig.service"
MIG_SCRIPT: Final = f"{LIB}/mig"
RELOAD: Final = (("systemctl", "daemon-reload"),)


def gpu_units(machine: Machine) -> tuple[str, ...]:
    """Return the units that containers with a part of a GPU need."""
    found = {service.gpu.mechanism for service in machine.services if service.gpu is not None}
    return tuple(unit for kind, unit in (("mig", MIG_UNIT), ("mps", MPS_UNIT)) if kind in found)


def gpu_files(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> tuple[HostFile, ...]:
    """Return the units of the machine's shared GPUs, and what they run."""
    if not is_linux(machine):
        return ()
    units = gpu_units(machine)
    return (*(_mps(machine) if MPS_UNIT in units else ()), *(_mig(machine) if MIG_UNIT in units else ()))


def _devices(machine: Machine, mechanism: str) -> list[int]:
    return sorted({row.gpu.device for row in machine.services if row.gpu and row.gpu.mechanism == mechanism})


def _unit(name: str, text: str) -> HostFile:
    return HostFile(path=f"{UNITS}/{name}", text=text, commands=RELOAD, enables=(name,), restarts=(name,))


def _mps(machine: Machine) -> tuple[HostFile, ...]:
    alone = "\n".join(
        f"ExecStartPre=/usr/bin/nvidia-smi -i {device} -c EXCLUSIVE_PROCESS" for device in _devices(machine, "mps")
    )
    text = f"""\
# {HEAD}
[Unit]
Description=Multi-Process Service of the GPU

[Service]
Type=simple
Environment=CUDA_MPS_PIPE_DIRECTORY={MPS_FOLDER}
Environment=CUDA_MPS_LOG_DIRECTORY=/var/log/skerry-mps
RuntimeDirectory=skerry-mps
RuntimeDirectoryPreserve=yes
LogsDirectory=skerry-mps
{alone}
ExecStart=/usr/bin/nvidia-cuda-mps-control -f
Restart=on-failure
RestartSec=10

[Install]
WantedBy=multi-user.target
"""
    return (_unit(MPS_UNIT, text),)


def _mig(machine: Machine) -> tuple[HostFile, ...]:
    rows = [row.gpu for row in composed(machine) if row.gpu is not None and row.gpu.mechanism == "mig"]
    lines = []
    for device in _devices(machine, "mig"):
        profiles = [row.profile for row in rows if row.device == device]
        lines.append(f"instances {device} {len(profiles)} {','.join(profiles)} {profiles[0]}")
    script = f"""\
#!/bin/sh
# {HEAD}
# Makes the instances of each GPU where there are none; those that are there stay, unless they are not these.
set -eu
instances() {{ # instances GPU NUMBER PROFILES PROFILE
  nvidia-smi -i "$1" -mig 1
  all=$(nvidia-smi mig -i "$1" -lgi | grep -c ' MIG ' || :)
  found=$(nvidia-smi mig -i "$1" -lgi | grep -c -F " MIG $4 " || :)
  [ "$all" != "$2" ] || [ "$found" != "$2" ] || return 0
  if [ "$all" != 0 ]; then
    echo "mig: GPU $1 has $all instances, and $2 of $4 are wanted: take them out by 'nvidia-smi mig -i $1 -dci' and" \\
      "'nvidia-smi mig -i $1 -dgi', once nothing uses them" >&2
    exit 1
  fi
  nvidia-smi mig -i "$1" -cgi "$3" -C
}}
{chr(10).join(lines)}
"""
    text = f"""\
# {HEAD}
[Unit]
Description=Instances of the GPU
Before=docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={MIG_SCRIPT}

[Install]
WantedBy=multi-user.target
"""
    return (HostFile(path=MIG_SCRIPT, text=script, mode="0755", restarts=(MIG_UNIT,)), _unit(MIG_UNIT, text))
