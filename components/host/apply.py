"""The apply script of a machine: one POSIX shell text that makes it what its plan says, however often it is run.

It holds every file but those with secrets, whose values come beside it: sent with it, or from a folder.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Final

from components.host.packages import packages_of
from components.host.places import COMPOSE_UNIT, FIREWALL_UNIT, is_linux, unit_names
from components.host.quoting import one_line, variable_name
from skerry.config.host import HostArch, HostOs, HostsSpec
from skerry.errors import UsageError
from skerry.hosts.plan import LOOPBACK, HostFile, HostsPlan, Machine

PARTS: Final = ("words.sh", "steps.sh", "verbs.sh")
SETTLE_S: Final = 15
"""How long a unit may take to be well that failed at its first start: systemd starts it again."""
SPARE_MIB: Final = 64
"""Free space beside three times the files: what waits, what stands, and what stood before."""
MIB: Final = 1024 * 1024
SYSTEMS: Final = {
    HostOs.DEBIAN: "debian",
    HostOs.UBUNTU: "ubuntu",
    HostOs.RASPBERRY_PI_OS: "debian raspbian",
    HostOs.WSL2: "debian ubuntu",
}
"""What /etc/os-release calls them."""
# Source: kernel.org Documentation of utsname's machine (not opened; check before relying on it)
ARCHITECTURES: Final = {HostArch.AMD64: "x86_64", HostArch.ARM64: "aarch64 arm64"}
PROGRAMS: Final = {
    "age": "age",
    "curl": "curl",
    "docker-cli": "docker",
    "docker.io": "dockerd",
    "haproxy": "haproxy",
    "logrotate": "logrotate",
    "nftables": "nft",
    "nginx": "nginx",
    "nvidia-container-toolkit": "nvidia-ctk",
    "openssh-client": "ssh",
    "rclone": "rclone",
    "sudo": "sudo",
    "ufw": "ufw",
    "wireguard-tools": "wg-quick",
}
"""Package -> program, where another package may bring it as well, such as Docker's own."""
COMPOSE_PACKAGES: Final = ("docker-compose", "docker-compose-v2")
OWN: Final = {"systemctl": "systemd", "flock": "util-linux", "useradd": "passwd", "cmp": "diffutils", "awk": "mawk"}
"""What the script itself uses and a small system may lack; program -> package."""

_PATH: Final = re.compile(r"^(/[A-Za-z0-9_@%+=:,.-]+)+$")
_MODE: Final = re.compile(r"^[0-7]{3,4}$")
_NAME: Final = re.compile(r"^[a-z_][a-z0-9_-]{0,31}\$?$")
_OWNER: Final = re.compile(rf"{_NAME.pattern}|^\d{{1,9}}$")
"""A number is that of a user whom only a container knows."""
_UNIT: Final = re.compile(r"^[A-Za-z0-9:_.@-]+\.(service|socket|timer|target|mount|path)$")
_SECRET: Final = re.compile(r"^[A-Za-z][A-Za-z0-9_-]*$")
_END: Final = "SKERRY_END"
_LAST: Final = '{ main "$@"; exit; } </dev/null\n'
"""Nothing is done before this line; one that is cut off on its way is an error, and nothing is done either."""
_FIREWALL: Final = frozenset({FIREWALL_UNIT, "nftables.service", "ufw.service"})


@dataclass(frozen=True, slots=True)
class ApplyScript:
    """A machine's script, without the values of its secrets."""

    machine: str
    plan: str
    """The beginning of the hash of what it makes."""
    body: str
    secrets: tuple[str, ...]
    """The flat secret keys whose values it needs."""

    def alone(self) -> str:
        """Return the text of the file `apply.sh`, which takes secrets from a folder."""
        return self.body + _LAST

    def carried(self) -> dict[str, str]:
        """Return what lies beside a machine's files for whoever carries them there: path -> text."""
        if not self.secrets:
            return {"apply.sh": self.alone()}
        listed = "".join(f"- {key}\n" for key in self.secrets)
        text = (
            f"# Secrets of {self.machine}\n\n"
            "Skerry writes no secret into files.\n"
            "Put each of these here as a file of that name, with its value and nothing else, readable by root alone.\n"
            f"`apply.sh` names those that are missing before it changes anything.\n\n{listed}"
        )
        return {"apply.sh": self.alone(), "secrets/README.md": text}

    def with_values(self, values: Mapping[str, str]) -> str:
        """Return the text that is sent, with the secrets in it; nobody may see it but the machine.

        Args:
            values: flat secret key -> value; one that is not among them is looked for in the folder.
        """
        lines = [f"    {key}) printf %s '{_coded(values[key])}' ;;" for key in self.secrets if key in values]
        cases = "\n".join([*lines, "    *) return 1 ;;"])
        return f"{self.body}given() {{\n  case $1 in\n{cases}\n  esac\n}}\n{_LAST}"


def apply_script(machine: Machine, plan: HostsPlan, hosts: HostsSpec, files: Sequence[HostFile]) -> ApplyScript | None:
    """Return a machine's script; None where it runs no Linux.

    Args:
        machine: the machine.
        plan: all machines, for what joins them.
        hosts: how they are kept.
        files: every file of it, as `files_of` returns them.

    Raises:
        UsageError: a path, a name or a command cannot be written.
    """
    if not is_linux(machine):
        return None
    laid = [file for file in files if file.on_machine]
    keys = tuple(sorted({key for file in laid for key in _keys(file)}))
    described = "\n".join(_description(machine, plan, hosts, laid, keys))
    parts = "\n".join(_part(name) for name in PARTS)
    number = hashlib.sha256(f"{described}\n{parts}".encode()).hexdigest()[:12]
    head = (
        "#!/bin/sh\n"
        f"# Makes the machine {machine.name} what its stack says; `apply.sh --help` says how. Written by Skerry.\n"
        f"# shellcheck disable=SC2016,SC2034,SC2317,SC2329 # commands wait in quotes; some words are not needed here\n"
        f"machine={machine.name} plan={number}\n"
    )
    return ApplyScript(machine.name, number, f"{head}{parts}\n{described}\n", keys)


def start_order(machine: Machine, files: Sequence[HostFile]) -> tuple[str, ...]:
    """Return the units that files bring, in the order in which they are started.

    The firewall comes first and the overlay next, then services after those that they need, proxies, services that
    wait for other machines, and timers.

    Args:
        machine: the machine.
        files: every file of it.
    """
    brought = list(dict.fromkeys(unit for file in files for unit in file.enables))
    known = {service.name: service for service in machine.services}
    order = TopologicalSorter({name: [row for row in known[name].needs if row in known] for name in known})
    place: dict[str, tuple[int, int]] = {}
    waiting: set[str] = set()
    for index, name in enumerate(order.static_order()):
        service = known[name]
        if service.waits_for or waiting.intersection(service.needs):
            waiting.add(name)
        for unit in unit_names(service):
            place[unit] = max(place.get(unit, (0, 0)), (5 if name in waiting else 3, index))

    def rank(unit: str) -> tuple[int, int]:
        if unit in _FIREWALL:
            return 0, 0
        if unit.startswith("wg-quick@"):
            return 1, 0
        if unit.endswith(".timer"):
            return 6, 0
        # What leads services of this machine to others must be there before them.
        own = unit == "haproxy.service" and any(
            row.kind == "haproxy" and row.listen.bind == LOOPBACK for row in machine.proxies
        )
        return place.get(unit, (2 if own or unit == COMPOSE_UNIT or unit.startswith("skerry-") else 4, 0))

    return tuple(sorted(brought, key=rank))


@cache
def _part(name: str) -> str:
    text = (Path(__file__).parent / "script" / name).read_text(encoding="utf-8")
    return text.split("\n", 1)[1] if text.startswith("# shellcheck") else text


def _keys(file: HostFile) -> tuple[str, ...]:
    return (file.secret,) if file.secret else tuple(file.variables.values())


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _description(
    machine: Machine, plan: HostsPlan, hosts: HostsSpec, files: Sequence[HostFile], keys: tuple[str, ...]
) -> Iterator[str]:
    size = sum(len(file.text.encode()) for file in files)
    yield f"# What {machine.name} is to be."
    yield f"systems='{SYSTEMS[machine.spec.os]}' machines_arch='{ARCHITECTURES[machine.spec.arch]}'"
    yield f"needed_mib={SPARE_MIB + math.ceil(3 * size / MIB)} settle_s={SETTLE_S}"
    yield from _function("needs_all", _needs(machine, plan, hosts))
    yield from _function("secrets_all", (f"secret_key {_word(key, _SECRET, 'a secret key')}" for key in keys))
    yield from _function("users_all", _users(machine))
    yield from _function("folders_all", _folders(machine))
    yield from _function("files_all", (line for file in files for line in _file(file)))
    setup = (f"setup {shlex.quote(_command(words, 'a step of setup'))}" for words in machine.setup)
    yield from _function("setup_all", setup)
    units = (f"unit {_word(unit, _UNIT, 'a unit')}" for unit in start_order(machine, files))
    yield from _function("units_all", units)


def _function(name: str, lines: Iterator[str]) -> Iterator[str]:
    # The last line keeps an empty one, and one that ends in a condition, from being an error.
    yield from (f"{name}() {{", *lines, ":", "}")


def _needs(machine: Machine, plan: HostsPlan, hosts: HostsSpec) -> Iterator[str]:
    yield from (f"need {program} {package}" for program, package in OWN.items())
    for package in packages_of(machine, plan, hosts):
        if package in COMPOSE_PACKAGES:
            yield f'docker compose version >/dev/null 2>&1 || missing="$missing {package}"'
        elif package in PROGRAMS:
            yield f"need {PROGRAMS[package]} {package}"
        else:
            yield f"package {shlex.quote(package)}"


def _users(machine: Machine) -> Iterator[str]:
    for user in machine.users:
        groups = " ".join(_word(group, _NAME, "a group") for group in user.groups)
        yield f"user {_word(user.name, _NAME, 'a user')} {_word(user.home, _PATH, 'a home')} '{groups}'"


def _folders(machine: Machine) -> Iterator[str]:
    for row in machine.folders:
        yield f"folder {_place(row.path, row.mode, row.owner, row.group)}"


def _place(path: str, mode: str, owner: str, group: str) -> str:
    if ".." in path.split("/"):
        raise UsageError(f"a path is '{path}', which climbs: write where it ends")
    words = (
        _word(path, _PATH, "a path"),
        _word(mode, _MODE, f"the mode of {path}").lstrip("0") or "0",
        _word(owner, _OWNER, f"the owner of {path}"),
        _word(group, _OWNER, f"the group of {path}"),
    )
    return " ".join(words)


def _file(file: HostFile) -> Iterator[str]:
    place = _place(file.path, file.mode, file.owner, file.group)
    if file.secret:
        yield f"secret {place} {_word(file.secret, _SECRET, 'a secret key')}"
    elif file.variables:
        pairs = (
            f"{variable_name(name, file.path)}={_word(key, _SECRET, 'a secret key')}"
            for name, key in sorted(file.variables.items())
        )
        yield f"variables {place} {' '.join(pairs)}"
    elif _readable(file.text):
        yield f"text {place} <<'{_END}'\n{file.text}{_END}"
    else:
        yield f"coded {place} <<'{_END}'\n{_coded(file.text)}\n{_END}"
    if file.check:
        kind = "check" if any("{path}" in word for word in file.check) else "check_placed"
        yield f"{kind} {shlex.quote(_command(file.check, f'the check of {file.path}'))}"
    yield from (f"after {shlex.quote(_command(words, f'a command of {file.path}'))}" for words in file.commands)
    units = " ".join(_word(unit, _UNIT, f"a unit of {file.path}") for unit in file.restarts)
    if units:
        yield f"restarts {units}"


def _readable(text: str) -> bool:
    """Return whether a here-document holds a text as it is."""
    if not text.endswith("\n"):
        return False
    return _END not in text and all(char.isprintable() or char in "\n\t" for char in text)


def _command(words: Sequence[str], what: str) -> str:
    """Return a command as the shell reads it back; `{path}` becomes its first argument."""
    found = []
    for word in words:
        before, path, rest = one_line(word, what).partition("{path}")
        found.append(
            f'{shlex.quote(before) if before else ""}"$1"{shlex.quote(rest) if rest else ""}'
            if path
            else shlex.quote(word)
        )
    if not found:
        raise UsageError(f"{what} is empty: name a program")
    return " ".join(found)


def _word(text: str, form: re.Pattern[str], what: str) -> str:
    if not form.match(text):
        raise UsageError(
            f"{what} is '{text}', which the apply script cannot take: use letters, digits, '-', '_' and '.'"
        )
    return text
