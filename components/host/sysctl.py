"""sysctl: settings of the kernel."""

from __future__ import annotations

import re
from typing import Final

from components.host.places import HEAD, is_linux
from components.host.quoting import one_line
from skerry.config.host import HostsSpec
from skerry.errors import UsageError
from skerry.hosts.plan import HostFile, HostsPlan, Machine

PATH: Final = "/etc/sysctl.d/90-skerry.conf"
_KEY: Final = re.compile(r"^[a-z0-9_]+([./][A-Za-z0-9_*-]+)+$")


def sysctl_files(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> tuple[HostFile, ...]:
    """Return the machine's settings.

    Raises:
        UsageError: a name or a value cannot be written.
    """
    if not machine.sysctl or not is_linux(machine):
        return ()
    lines = []
    for name, value in sorted(machine.sysctl.items()):
        if not _KEY.match(name):
            raise UsageError(f"{machine.name}: '{name}' is no setting of sysctl: write it like net.core.rmem_max")
        lines.append(f"{name} = {one_line(value, f'the value of {name}')}")
    text = "\n".join([f"# {HEAD}", *lines]) + "\n"
    return (HostFile(path=PATH, text=text, commands=(("sysctl", "--load", PATH),)),)
