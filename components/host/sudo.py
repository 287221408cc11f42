"""sudo: a file of lines that visudo accepts before it counts."""

from __future__ import annotations

from typing import Final

from components.host.places import HEAD, is_linux
from components.host.quoting import one_line
from skerry.config.host import HostsSpec
from skerry.hosts.plan import HostFile, HostsPlan, Machine

PATH: Final = "/etc/sudoers.d/skerry"


def sudo_files(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> tuple[HostFile, ...]:
    """Return the machine's lines of sudo.

    Raises:
        UsageError: a line holds a control character.
    """
    if not machine.sudo or not is_linux(machine):
        return ()
    lines = [one_line(line, "a line of sudoers") for line in machine.sudo]
    check = ("visudo", "--check", "--strict", "--file={path}")
    return (HostFile(path=PATH, text="\n".join([f"# {HEAD}", *lines]) + "\n", mode="0440", check=check),)
