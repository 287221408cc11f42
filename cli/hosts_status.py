"""`skerry hosts status`: asks each machine by SSH whether it is what its plan says; nothing is changed."""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli.options import add_source_options
from cli.output import deliver
from cli.sources import deployment_config, load_graph
from skerry.config.host import HostSpec
from skerry.config.load import load_spec
from skerry.errors import UsageError
from skerry.render.files import files

SCRIPT: Final = "apply.sh"
CONNECT_S: Final = 10
ANSWER_S: Final = 120
"""A machine that is slow to compare its files."""
AT_ONCE: Final = 8
_SSH_FAILED: Final = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """What a machine said, or why it said nothing."""

    machine: str
    well: bool
    text: str
    """One message, with the remedy where there is one."""


def add_status(steps: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the step."""
    step = steps.add_parser(
        "status",
        help="ask each machine by SSH whether it is what its plan says",
        description="Sends each machine its apply script with --status, which changes nothing. Exit code 1 when one "
        "is not as its plan says, or could not be asked.",
    )
    add_source_options(step)
    step.add_argument("--key", type=Path, metavar="FILE", help="the private key; left out, that of the SSH agent")
    step.set_defaults(run=run_status)


def run_status(args: argparse.Namespace) -> int:
    """Ask all machines at once and report in their order.

    Raises:
        UsageError: the stack has no machines, or is no stack that is run here.
    """
    graph = load_graph(args)
    config = deployment_config(args, graph)
    hosts = load_spec(*config).hosts if config else None
    if hosts is None:
        raise UsageError("only a stack with target.kind: hosts has machines that can be asked: name one with --stack")
    scripts = {file.path.removesuffix(f"/{SCRIPT}"): file.text for file in files(graph) if file.path.endswith(SCRIPT)}
    answers = ask_all(hosts.machines, scripts, args.key)
    deliver("".join(f"{row.machine}: {row.text}\n" for row in answers), None)
    return 0 if all(row.well for row in answers) else 1


def ask_all(machines: Mapping[str, HostSpec], scripts: Mapping[str, str], key: Path | None) -> list[Answer]:
    """Return what each machine answers.

    Args:
        machines: name -> machine.
        scripts: name -> apply script, of those that take one.
        key: a file with the private key; None: the SSH agent's.
    """

    def one(name: str) -> Answer:
        row = machines[name]
        if name not in scripts or row.delivery.value != "ssh":
            return Answer(name, True, "people bring its files, so that it is not asked")
        if row.ssh.host_key is None:
            text = "not asked, since its host key is not known: compare `ssh-keyscan -t ed25519 ADDRESS` with what its "
            return Answer(name, False, f"{text}console shows, and put it into ssh.host_key")
        return _asked(name, row, scripts[name], key)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, machines))


def _asked(name: str, row: HostSpec, script: str, key: Path | None) -> Answer:
    command = f"{'' if row.ssh.user == 'root' else 'sudo -n '}sh -s -- --status"
    with tempfile.TemporaryDirectory() as folder:
        known = Path(folder) / "known_hosts"
        place = row.address if row.ssh.port == 22 else f"[{row.address}]:{row.ssh.port}"
        known.write_text(f"{place} {row.ssh.host_key}\n", encoding="utf-8")
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": f"{CONNECT_S}",
            "GlobalKnownHostsFile": "none",
            "HostKeyAlgorithms": f"{row.ssh.host_key}".split()[0],
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": f"{known}",
        }
        words = [word for option, value in options.items() for word in ("-o", f"{option}={value}")]
        words += ["-o", "IdentitiesOnly=yes", "-i", f"{key}"] if key else []
        line = ["ssh", "-F", "none", *words, "-p", f"{row.ssh.port}", f"{row.ssh.user}@{row.address}", command]
        try:
            done = subprocess.run(
                line, input=script, capture_output=True, text=True, errors="replace", check=False, timeout=ANSWER_S
            )
        except FileNotFoundError:
            return Answer(name, False, "not asked, since there is no ssh here: install an OpenSSH client")
        except subprocess.TimeoutExpired:
            return Answer(name, False, f"gave no answer in {ANSWER_S} s: look at its console, then ask again")
    return answer_of(name, row, done.returncode, done.stdout, done.stderr)


def answer_of(name: str, row: HostSpec, code: int, told: str, complained: str) -> Answer:
    """Return what an answer means.

    Args:
        name: the machine.
        row: what it is.
        code: how ssh ended.
        told: what it wrote.
        complained: what it wrote beside that.
    """
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    if lines and lines[0].startswith("state: "):
        return Answer(name, code == 0, "; ".join([lines[0].removeprefix("state: "), *lines[1:]]))
    if "Host key verification failed" in complained or "HOST IDENTIFICATION HAS CHANGED" in complained:
        text = f"another machine answers at {row.address}, or it was installed anew: nothing was sent; compare its key "
        return Answer(name, False, f"{text}with what its console shows, then mend ssh.host_key")
    if "Permission denied" in complained:
        text = f"does not let {row.ssh.user} in: put the public key into that user's authorized_keys, or name another "
        return Answer(name, False, f"{text}with --key")
    if "a password is required" in complained:
        text = f"{row.ssh.user} may not become root: add `{row.ssh.user} ALL=(root) NOPASSWD: ALL` to /etc/sudoers.d"
        return Answer(name, False, text)
    last = complained.strip().splitlines()[-1] if complained.strip() else f"ssh ended with {code}"
    if code == _SSH_FAILED:
        text = f"is not reached at {row.address}:{row.ssh.port} ({last}): is it on, and does its firewall let you in"
        return Answer(name, False, f"{text} (hosts.admin_cidrs, ssh.port)?")
    return Answer(name, False, f"could not tell: {last}")
