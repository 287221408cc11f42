"""`skerry hosts status`: each machine is asked by the real ssh, and one message says what to do."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.hosts_status import Answer, answer_of, ask_all
from cli.main import main
from skerry.config.host import HostSpec
from tests.simulators.host_plans import FILES, PAGE, SECRETS, script
from tests.simulators.hosts import SimulatedHost, SimulatedNetwork, need_hosts

OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKQUwqM2YY/7IkgQDKZVQGjLG7SLC2lVMigyvv7B5MID"
FEW = tuple(file for file in FILES if file.path.startswith("/srv/page"))


@pytest.fixture(scope="module")
def host() -> Iterator[SimulatedHost]:
    need_hosts()
    with SimulatedNetwork() as lan, SimulatedHost("gate", lan, login="ops") as made:
        yield made


def row(address: str, **ssh: Any) -> HostSpec:
    return HostSpec(address=address, vcpu=2, memory_gib=4, storage_gib=20, ssh=ssh)  # type: ignore[arg-type]  # pydantic reads the mapping


def test_what_machines_answer_and_why_they_do_not(host: SimulatedHost, tmp_path: Path) -> None:
    made = script(FEW)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "stranger"], check=True)
    known = {"user": "ops", "host_key": host.host_key}
    machines = {
        "gate": row(host.address, **known),
        "other": row(host.address, user="ops", host_key=OTHER_KEY),
        "off": row(host.address, **known, port=2222),
        "unknown": row(host.address, user="ops"),
        "phone": row(host.address, **known),
    }
    scripts = {name: made.alone() for name in machines if name != "phone"}
    answers = {one.machine: one for one in ask_all(machines, scripts, host.key_file)}
    assert answers["gate"] == Answer("gate", False, "never applied")
    assert answers["other"].text.startswith(f"another machine answers at {host.address}, or it was installed anew")
    assert answers["off"].text.startswith(f"is not reached at {host.address}:2222 (")
    assert answers["unknown"].text.startswith("not asked, since its host key is not known: compare `ssh-keyscan")
    assert answers["phone"] == Answer("phone", True, "people bring its files, so that it is not asked")
    one = {"gate": machines["gate"]}
    [stranger] = ask_all(one, scripts, tmp_path / "stranger")
    assert stranger.text.startswith("does not let ops in: put the public key into that user's authorized_keys")
    host.ssh("sudo -n sh -s", stdin=made.with_values(SECRETS))
    [applied] = ask_all(one, scripts, host.key_file)
    assert (applied.well, applied.text.startswith(f"applied; plan: {made.plan}; step: 9 of 9")) == (True, True)
    host.run(f"echo by hand > {PAGE}")
    [differs] = ask_all(one, scripts, host.key_file)
    assert (differs.well, differs.text.endswith(f"; differs: {PAGE}")) == (False, True)
    host.run("rm /etc/sudoers.d/ops")
    [beneath] = ask_all(one, scripts, host.key_file)
    assert beneath.text == "ops may not become root: add `ops ALL=(root) NOPASSWD: ALL` to /etc/sudoers.d"


def test_an_answer_that_means_nothing_is_no_good_one() -> None:
    found = answer_of("gate", row("192.0.2.1"), 0, "", "")
    assert (found.well, found.text) == (False, "could not tell: ssh ended with 0")


def test_a_stack_without_machines_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hosts", "status", "--stack", "sensei-airgapped"]) == 2
    assert "only a stack with target.kind: hosts has machines that can be asked" in capsys.readouterr().err
