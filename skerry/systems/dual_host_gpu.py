"""How the services of one of the two machines share its GPU: the mechanism, and each agent's threads and memory.

(1) memory that may be given away is what the GPU reports, less the reserve, unless what stays free covers the reserve
(2) an agent's part of the memory is its percent of (1), rounded down: MPS's percentage limits threads alone
(3) with MIG the agents of a group share a slice

Worked: 24,564 MiB less 1,024 is 23,540; 40 + 10 + 10 + 20 + 20 percent of it are 23,540. 70 percent of 12,288 MiB are
8,601, and the 30 percent that stay free, 3,686, cover the reserve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from skerry.config.dual_host import DualGpuSpec, Mechanism
from skerry.config.host import HostOs, HostSpec
from skerry.gpus import GpuModel, gpu_model
from skerry.hosts.plan import GpuPart
from skerry.systems.dual_host_groups import Agent, Group, Side
from skerry.systems.dual_host_tables import reported_mib

LINUX: Final = (HostOs.DEBIAN, HostOs.UBUNTU, HostOs.RASPBERRY_PI_OS)
"""Where MPS runs; WSL2 is Linux inside Windows, where nobody of us tried it."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """What is shared, and how."""

    mechanism: Mechanism
    """Never `auto`."""
    why: str
    """How it came to be chosen."""
    total_mib: int
    """What the GPU reports, as far as known."""
    total_known: bool
    """False where nobody looked up what this model reports."""
    given_mib: int
    """What percents are of."""
    headroom_percent: int


def model_of(host: HostSpec) -> GpuModel | None:
    """Return the row of a machine's GPU; None where it has none, or the table does not know it."""
    return gpu_model(host.gpu_model, host.gpu_memory_gib)


def mechanism_of(side: Side, gpu: DualGpuSpec) -> tuple[Mechanism, str]:
    """Return how a machine's GPU is shared, and why."""
    asked = side.settings.mechanism or gpu.mechanism
    if asked is not Mechanism.AUTO:
        return asked, "asked for"
    model = model_of(side.host)
    if side.host.os not in LINUX:
        return Mechanism.TIME_SLICING, f"MPS needs Linux, and {side.machine} runs {side.host.os.value}"
    if model is None or not model.mps:
        return Mechanism.TIME_SLICING, f"MPS cannot limit clients of {side.host.gpu_model or 'no GPU'}"
    return Mechanism.MPS, f"{model.name} has no MIG" if not model.mig_profiles else "MIG is used where it is asked for"


def gpu_of(side: Side, gpu: DualGpuSpec) -> Gpu | None:
    """Return what a machine shares; None where it has no GPU."""
    if not side.host.gpus:
        return None
    mechanism, why = mechanism_of(side, gpu)
    model = model_of(side.host)
    known = side.settings.gpu_reported_mib or (reported_mib(model) if model else None)
    total = known or math.floor(side.host.gpu_memory_gib * 1024)
    # (1)
    free = total * side.headroom_percent // 100
    given = total if free >= gpu.reserve_mib else total - gpu.reserve_mib
    return Gpu(mechanism, why, total, known is not None, max(0, given), side.headroom_percent)


def group_mib(gpu: Gpu, group: Group) -> int:
    """Return the memory of a group's part."""
    return gpu.given_mib * group.gpu_percent // 100


def part_of(side: Side, gpu: Gpu | None, group: Group, agent: Agent) -> GpuPart | None:
    """Return an agent's part of the GPU; None where it does not use it."""
    if gpu is None or not agent.gpu_percent:
        return None
    if gpu.mechanism is Mechanism.MIG:
        profiles = slices(side)
        name = profiles[group.name]
        model = model_of(side.host)
        profile = model.profile(name) if model else None
        return GpuPart(
            mechanism="mig",
            percent=agent.gpu_percent,
            memory_mib=math.floor(profile.memory_gib * 1024 / _users(group)) if profile else 0,
            profile=name,
            slice_index=list(profiles).index(group.name),
        )
    # (2)
    memory = gpu.given_mib * agent.gpu_percent // 100
    return GpuPart(mechanism=gpu.mechanism.value, percent=agent.gpu_percent, memory_mib=memory)


def slices(side: Side) -> dict[str, str]:
    """Return each GPU group's MIG profile: its own, or the smallest that has its part of memory; '' where none has."""
    model = model_of(side.host)
    found = {}
    for group in side.groups:
        if not group.gpu_percent:
            continue
        fitting = [
            row
            for row in (model.mig_profiles if model else ())
            if model is not None and row.name_gb * 100 >= group.gpu_percent * model.memory_gib
        ]
        least = min(fitting, key=lambda row: (row.name_gb, row.compute_slices), default=None)
        found[group.name] = group.spec.mig_profile or (least.name if least else "")
    return found


def _users(group: Group) -> int:
    return max(1, sum(1 for agent in group.agents if agent.gpu_percent))
