"""logrotate and journald: how long logs stay, and how much they may take.

Source: logrotate(8) 3.21, journald.conf(5) (not opened; the tests ask logrotate itself)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from components.host.places import HEAD, is_linux
from components.host.quoting import one_line
from skerry.config.host import HostsSpec
from skerry.hosts.plan import HostFile, HostsPlan, LogFile, Machine

PATH: Final = "/etc/logrotate.d/skerry"
JOURNAL: Final = "/etc/systemd/journald.conf.d/skerry.conf"


def logrotate_files(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> tuple[HostFile, ...]:
    """Return the rules of the machine's logs, and those of its journal.

    Raises:
        UsageError: a path cannot be written.
    """
    if not is_linux(machine):
        return ()
    found = []
    if machine.logs:
        text = "\n".join([f"# {HEAD}", *(line for row in machine.logs for line in _block(row))]) + "\n"
        found.append(HostFile(path=PATH, text=text, check=("logrotate", "--debug", "{path}")))
    if machine.services:
        text = f"# {HEAD}\n[Journal]\nSystemMaxUse=2G\nMaxRetentionSec={hosts.log_days}day\n"
        found.append(HostFile(path=JOURNAL, text=text, restarts=("systemd-journald.service",)))
    return tuple(found)


def _block(row: LogFile) -> Iterator[str]:
    path = one_line(row.path, "a log's path").replace("\\", "\\\\").replace('"', '\\"')
    yield f'"{path}" {{'
    yield from ("  daily", f"  rotate {row.days}", f"  maxage {row.days}", "  missingok", "  notifempty", "  dateext")
    yield from ("  compress", "  delaycompress", f"  su {row.owner} {row.group}")
    yield "  copytruncate" if row.copy_truncate else f"  create 0640 {row.owner} {row.group}"
    yield "}"
