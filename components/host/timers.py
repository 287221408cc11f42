"""Timers of systemd: commands by the clock."""

from __future__ import annotations

from components.host.places import HEAD, UNITS, is_linux
from components.host.quoting import one_line, unit_command, unit_percent, unit_word
from skerry.config.host import HostsSpec
from skerry.errors import UsageError
from skerry.hosts.plan import HostFile, HostsPlan, Machine, Timer


def timer_files(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> tuple[HostFile, ...]:
    """Return the units of the machine's timers.

    Raises:
        UsageError: the machine has no systemd, or a command names no program by its full path.
    """
    if machine.timers and not is_linux(machine):
        raise UsageError(
            f"{machine.name} runs {machine.spec.os.value}, which has no systemd for the timer "
            f"'{machine.timers[0].name}': let the plan hold its files"
        )
    return tuple(file for row in machine.timers for file in timer_units(row))


def timer_units(row: Timer, *, description: str = "", spread_s: int = 300) -> tuple[HostFile, HostFile]:
    """Return the service of a timer, and the timer.

    Args:
        row: the timer.
        description: what lists of units show; empty: its name.
        spread_s: over how long starts of several machines are spread.

    Raises:
        UsageError: its command names no program by its full path.
    """
    shown = unit_percent(one_line(description or row.name, "a description"))
    writable = "".join(f"ReadWritePaths={unit_word(path, variables=False)}\n" for path in row.writable)
    service = f"""\
# {HEAD}
[Unit]
Description={shown}
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
User={one_line(row.user, "a user")}
ExecStart={unit_command(row.command)}
Nice=10
IOSchedulingClass=idle
NoNewPrivileges=yes
ProtectSystem=strict
{writable}PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
UMask=0077
"""
    timer = f"""\
# {HEAD}
[Unit]
Description={shown}

[Timer]
OnCalendar={one_line(row.calendar, "a calendar")}
Persistent=yes
RandomizedDelaySec={spread_s}

[Install]
WantedBy=timers.target
"""
    reload = (("systemctl", "daemon-reload"),)
    unit = f"{row.name}.timer"
    return (
        HostFile(path=f"{UNITS}/{row.name}.service", text=service, commands=reload),
        HostFile(
            path=f"{UNITS}/{unit}",
            text=timer,
            commands=reload,
            check=("systemd-analyze", "calendar", "--iterations=1", row.calendar),
            enables=(unit,),
            restarts=(unit,),
        ),
    )
