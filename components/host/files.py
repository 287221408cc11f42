"""Every file of a machine: what each noun of a plan becomes, put together in one order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from skerry.config.host import HostsSpec
from skerry.hosts.plan import HostFile, HostsPlan, Machine

Renderer = Callable[[Machine, HostsPlan, HostsSpec], tuple[HostFile, ...]]

RENDERERS: Final[tuple[Renderer, ...]] = ()
"""What writes files of a machine, in the order in which they are put down; each knows one program."""


def files_of(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> tuple[HostFile, ...]:
    """Return every file of a machine, those of its plan first, each path once.

    Args:
        machine: the machine.
        plan: all machines, for what joins them.
        hosts: how they are kept.

    Raises:
        UsageError: two write the same path, or something cannot be written for its program.
    """
    found = [*machine.files, *(file for render in RENDERERS for file in render(machine, plan, hosts))]
    return tuple(found)
