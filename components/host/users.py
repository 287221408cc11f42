"""Users and folders: sysusers.d and tmpfiles.d, which make what is missing and change nothing that is right.

Source: systemd v252 sysusers.d(5), tmpfiles.d(5) (not opened; the tests ask systemd's own programs)
"""

from __future__ import annotations

import re
from typing import Final

from components.host.places import HEAD, is_linux
from components.host.quoting import one_line
from skerry.config.host import HostsSpec
from skerry.errors import UsageError
from skerry.hosts.plan import HostFile, HostsPlan, HostUser, Machine

USERS: Final = "/etc/sysusers.d/skerry.conf"
FOLDERS: Final = "/etc/tmpfiles.d/skerry.conf"
_USER: Final = re.compile(r"^[a-z_][a-z0-9_-]{0,30}$")
_MODE: Final = re.compile(r"^[0-7]{3,4}$")


def users_files(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> tuple[HostFile, ...]:
    """Return the machine's users and folders.

    Raises:
        UsageError: a name, a mode or a path cannot be used.
    """
    if not is_linux(machine):
        return ()
    found = []
    if machine.users:
        lines = [line for user in machine.users for line in _user(user)]
        run = ("systemd-sysusers", USERS)
        found.append(HostFile(path=USERS, text="\n".join([f"# {HEAD}", *lines]) + "\n", commands=(run,)))
    if machine.folders:
        lines = []
        for folder in machine.folders:
            if not _MODE.match(folder.mode):
                raise UsageError(f"folder {folder.path}: '{folder.mode}' is no mode: write it in octal, like 0750")
            owners = f"{owner_name(folder.owner)} {owner_name(folder.group)}"
            lines.append(f"d {quoted(folder.path)} {folder.mode} {owners} - -")
        create = ("systemd-tmpfiles", "--create", FOLDERS)
        found.append(HostFile(path=FOLDERS, text="\n".join([f"# {HEAD}", *lines]) + "\n", commands=(create,)))
    return tuple(found)


def user_name(name: str) -> str:
    """Return the name of a user or a group.

    Raises:
        UsageError: no system takes it.
    """
    if not _USER.match(name):
        raise UsageError(f"'{name}' is no name of a user: use small letters, digits, '_' and '-', a letter first")
    return name


def owner_name(name: str) -> str:
    """Return who owns a file: a name, or the number of a user that only a container knows.

    Raises:
        UsageError: no system takes it.
    """
    return name if name.isdecimal() and int(name) < 1 << 31 else user_name(name)


def quoted(path: str) -> str:
    """Return a path as sysusers.d and tmpfiles.d read it back.

    Raises:
        UsageError: it is no full path.
    """
    if not path.startswith("/"):
        raise UsageError(f"'{path}' is no full path: begin it with /")
    text = one_line(path, "a path").replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"' if re.search(r"[^A-Za-z0-9_./%:@+-]", path) else text


def _user(user: HostUser) -> list[str]:
    name = user_name(user.name)
    return [f"u {name} - - {quoted(user.home)}", *(f"m {name} {user_name(group)}" for group in user.groups)]
