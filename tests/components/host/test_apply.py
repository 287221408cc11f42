"""What an apply script says, before any machine runs it."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from components.host.apply import start_order
from components.host.places import COMPOSE_UNIT, FIREWALL_UNIT
from skerry.config.host import HostOs
from skerry.errors import UsageError
from skerry.hosts.plan import HostFile, HostFolder, HostService, HostUser, Supervisor
from tests.simulators.host_plans import FILES, PLANTED, SECRETS, changed, machine, script


def service(name: str, **fields: Any) -> HostService:
    command = {"supervisor": Supervisor.SYSTEMD, "command": ("/usr/bin/true",)}
    return HostService(**{"name": name, **command, **fields})


def test_units_start_after_what_they_need_and_those_that_wait_for_others_last() -> None:
    services = (
        service("page", needs=("cache",)),
        service("cache"),
        service("far", waits_for=("http://192.0.2.1:80/",)),
        service("after-far", needs=("far",)),
        service("workers", instances=("a", "b"), needs=("page",)),
        service("boxed", supervisor=Supervisor.COMPOSE, needs=("cache",)),
    )
    units = (
        "backup.timer", "nginx.service", "after-far.service", "far.service", "page.service", "workers@a.service",
        "workers@b.service", COMPOSE_UNIT, "cache.service", "wg-quick@agent_net.service", FIREWALL_UNIT,
    )  # fmt: skip
    files = tuple(HostFile(path=f"/etc/{unit}", text="x\n", enables=(unit,)) for unit in units)
    found = start_order(replace(machine(), services=services), files)
    assert sorted(found) == sorted(units)
    assert found[:2] == (FIREWALL_UNIT, "wg-quick@agent_net.service")
    assert found[-4:] == ("nginx.service", "far.service", "after-far.service", "backup.timer")
    place = {unit: index for index, unit in enumerate(found)}
    assert place["cache.service"] < place["page.service"] < place["workers@a.service"]
    assert place["cache.service"] < place[COMPOSE_UNIT] < place["nginx.service"]


def test_the_same_plan_is_the_same_text_and_another_has_another_mark() -> None:
    assert script().alone() == script().alone()
    marks = {script(files).plan for files in (FILES, changed("/srv/page/index.html", text="other\n"), FILES[1:])}
    assert len(marks) == 3


def test_secrets_are_in_what_is_sent_and_in_nothing_else() -> None:
    found = script()
    assert found.secrets == ("pageKey", "pageToken")
    coded = base64.b64encode(PLANTED.encode()).decode()
    assert (PLANTED in found.alone(), coded in found.alone()) == (False, False)
    assert coded in found.with_values(SECRETS)
    assert found.with_values({}).count("printf %s") == found.alone().count("printf %s")


@pytest.mark.parametrize("text", ["no end", "a\nSKERRY_END\nb\n", "\x00\x01\n", "carriage\r\n", "$(x) `y` \\ '\n", ""])
def test_a_file_s_text_comes_back_byte_for_byte(text: str) -> None:
    """What the shell makes of the file is what stands in the plan, whatever it holds."""
    body = script((HostFile(path="/etc/odd", text=text),)).alone()
    begin = body.index("files_all() {")
    lines = body[begin : body.index("setup_all() {")]
    words = "text() { cat; }\ncoded() { base64 -d; }\n" + lines + "\nfiles_all\n"
    done = subprocess.run(["sh", "-s"], input=words.encode(), capture_output=True, check=True)
    assert done.stdout == text.encode()


REFUSED: dict[str, tuple[HostFile, str]] = {
    "a path with a space": (HostFile(path="/etc/a b", text="x"), "a path is '/etc/a b'"),
    "a path that climbs": (HostFile(path="/etc/../x", text="x"), "a path is '/etc/../x'"),
    "a path that ends a quote": (HostFile(path="/etc/x';reboot", text="x"), "a path is"),
    "a mode in words": (HostFile(path="/etc/x", text="x", mode="u+x"), "the mode of /etc/x is 'u+x'"),
    "an owner with a space": (HostFile(path="/etc/x", text="x", owner="a b"), "the owner of /etc/x is 'a b'"),
    "a unit without a kind": (HostFile(path="/etc/x", text="x", restarts=("nginx",)), "a unit of /etc/x is 'nginx'"),
    "a key with a dollar": (HostFile(path="/etc/x", secret="$(id)"), "a secret key is '$(id)'"),
    "a command of two lines": (
        HostFile(path="/etc/x", text="x", commands=(("echo", "a\nb"),)),
        "a command of /etc/x holds the control character",
    ),
    "an empty command": (HostFile(path="/etc/x", text="x", commands=((),)), "a command of /etc/x is empty"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_script_cannot_hold_is_refused(case: str) -> None:
    file, message = REFUSED[case]
    with pytest.raises(UsageError) as caught:
        script((file,))
    assert message in str(caught.value)


def test_users_and_folders_are_refused_too() -> None:
    for odd in (
        replace(machine(), users=(HostUser(name="A B", home="/x"),)),
        replace(machine(), folders=(HostFolder(path="relative"),)),
    ):
        with pytest.raises(UsageError):
            script((), odd)


def test_no_script_is_made_for_what_runs_no_linux() -> None:
    mac = replace(machine(), spec=machine().spec.model_copy(update={"os": HostOs.MACOS}))
    with pytest.raises(AssertionError):
        script((), mac)


def test_it_is_clean_by_shellcheck_and_by_a_small_shell(need_tool: Callable[[str], str]) -> None:
    for text in (script().alone(), script().with_values(SECRETS), script(()).alone()):
        done = subprocess.run([need_tool("shellcheck"), "-"], input=text, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")
        subprocess.run([need_tool("dash"), "-n"], input=text, text=True, check=True)


def test_a_script_that_was_cut_off_on_its_way_does_nothing() -> None:
    """All of it is functions until the last line."""
    whole, shell = script().with_values(SECRETS), ["sh", "-s", "--", "--help"]
    for cut in (len(whole) // 3, whole.index("\ngiven() {\n  case $1") + 30, len(whole) - 24, len(whole) - 18):
        done = subprocess.run(shell, input=whole[:cut], capture_output=True, text=True, check=False)
        assert "usage:" not in done.stdout + done.stderr, whole[cut - 30 : cut]
    assert "usage:" in subprocess.run(shell, input=whole, capture_output=True, text=True, check=False).stderr
