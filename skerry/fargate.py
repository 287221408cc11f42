"""Sizes that Fargate has: which memory goes with which CPU, and the smallest pair that has what is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from skerry.errors import SizingError

UNITS_PER_VCPU: Final = 1024
"""CPU units of one vCPU: 2 vCPU are 2048 units."""

_GIB: Final = 1024

# Source: Amazon ECS API reference, RegisterTaskDefinition, memory (AWS SDK for Kotlin), read 2026-11
MEMORY_OF: Final[dict[int, tuple[int, ...]]] = {
    256: (512, 1 * _GIB, 2 * _GIB),
    512: tuple(range(1 * _GIB, 4 * _GIB + 1, _GIB)),
    1024: tuple(range(2 * _GIB, 8 * _GIB + 1, _GIB)),
    2048: tuple(range(4 * _GIB, 16 * _GIB + 1, _GIB)),
    4096: tuple(range(8 * _GIB, 30 * _GIB + 1, _GIB)),
    8192: tuple(range(16 * _GIB, 60 * _GIB + 1, 4 * _GIB)),
    16384: tuple(range(32 * _GIB, 120 * _GIB + 1, 8 * _GIB)),
}
"""CPU units -> the memory in MiB that a task of that size may have, rising."""


@dataclass(frozen=True, slots=True)
class FargateSize:
    """The size of a task."""

    units: int
    """CPU units."""
    memory_mib: int
    arithmetic: str
    """How it came about, for people."""

    @property
    def vcpu(self) -> float:
        """Virtual CPUs."""
        return self.units / UNITS_PER_VCPU


def fargate_size(vcpu: float, memory_mib: int) -> FargateSize:
    """Return the smallest size with at least this CPU and this memory.

    Raises:
        SizingError: Fargate has no size that large.
    """
    asked = vcpu * UNITS_PER_VCPU
    for units, memories in MEMORY_OF.items():
        fitting = [one for one in memories if one >= memory_mib]
        if units >= asked and fitting:
            text = f"{vcpu:g} vCPU x {UNITS_PER_VCPU} = {asked:g} units and {memory_mib} MiB"
            given = "" if (units, fitting[0]) == (asked, memory_mib) else f"; the smallest size with both is {units} "
            return FargateSize(units, fitting[0], text + (f"{given}units and {fitting[0]} MiB" if given else ""))
    most = max(MEMORY_OF)
    raise SizingError(
        f"{vcpu:g} vCPU x {UNITS_PER_VCPU} = {asked:g} units with {memory_mib} MiB is more than a Fargate task has: "
        f"at most {most} units with {MEMORY_OF[most][-1]} MiB; ask for less, or use runtime kubernetes"
    )


def pair_problem(vcpu: float, memory_mib: int) -> str | None:
    """Return why CPU and memory are no size of Fargate's, both as they stand; None where they are one."""
    units = vcpu * UNITS_PER_VCPU
    text = f"{vcpu:g} vCPU x {UNITS_PER_VCPU} = {units:g} units"
    if units not in MEMORY_OF:
        return f"{text}, and Fargate has {', '.join(str(one) for one in MEMORY_OF)}"
    memories = MEMORY_OF[int(units)]
    if memory_mib in memories:
        return None
    fits = [str(one) for one, others in MEMORY_OF.items() if memory_mib in others]
    other = f"; {memory_mib} MiB goes with {' or '.join(fits)} units" if fits else ""
    step = f"{memories[0]} to {memories[-1]} MiB in steps of {memories[-1] - memories[-2]}"
    listed = ", ".join(str(one) for one in memories) + " MiB" if len(memories) < 4 else step
    return f"{text} go with {listed}, not with {memory_mib} MiB{other}"


def least_vcpu(memory_mib: int) -> float:
    """Return the fewest virtual CPUs that a task with at least this memory can have.

    Raises:
        SizingError: Fargate has no size that large.
    """
    return fargate_size(0.0, memory_mib).vcpu
