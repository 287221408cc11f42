"""The apply script of a machine, run by the real sshd of a simulated machine whose systemd, nginx and sudo are real."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest

from components.host.apply import ApplyScript
from skerry.hosts.plan import HostFile
from tests.simulators.host_plans import FILES, PAGE, PLANTED, SECRETS, SITE, UNITS, changed, machine, script, without
from tests.simulators.hosts import SimulatedHost, SimulatedNetwork, need_hosts

STATE = "/var/lib/skerry"
BROKEN = "server { listen 8100; no_such_word; }\n"


@pytest.fixture(scope="module")
def host() -> Iterator[SimulatedHost]:
    need_hosts()
    with SimulatedNetwork() as lan, SimulatedHost("gate", lan, login="ops") as made:
        yield made


@pytest.fixture
def applied(host: SimulatedHost) -> SimulatedHost:
    """Return the machine as its files say, whatever a test before did to it."""
    assert send(host).returncode == 0
    return host


def send(host: SimulatedHost, made: ApplyScript | None = None, *words: str) -> subprocess.CompletedProcess[str]:
    text = (made or script()).with_values(SECRETS)
    return host.ssh(f"sudo -n sh -s -- {' '.join(words)}", stdin=text, check=False)


def started(host: SimulatedHost, unit: str) -> str:
    return host.run(f"systemctl show -P ActiveEnterTimestampMonotonic -P MainPID {unit}").stdout


def test_a_new_machine_is_described_then_made_and_a_second_run_changes_nothing(host: SimulatedHost) -> None:
    assert ((told := send(host, None, "--status")).returncode, told.stdout) == (1, "state: never applied\n")
    dry = send(host, None, "--dry-run")
    assert (dry.returncode, dry.stdout.splitlines()[-1]) == (0, "would change: 17"), dry.stderr
    assert host.run(f"ls {PAGE} {STATE}/state", check=False).stderr.count("ls: cannot access '/srv/page") == 1
    first = send(host)
    assert (first.returncode, first.stdout.splitlines()[-1]) == (0, "changed: 17"), first.stderr
    assert dry.stdout.splitlines()[:-1] == first.stdout.splitlines()[:-1]
    assert host.run("curl -fsS http://127.0.0.1:8100/").stdout == "first\n"
    before = started(host, "page"), started(host, "nginx")
    second = send(host)
    assert (second.returncode, second.stdout, second.stderr) == (0, "changed: 0\n", "")
    assert before == (started(host, "page"), started(host, "nginx"))
    status = send(host, None, "--status")
    assert (status.returncode, status.stdout.splitlines()[0]) == (0, "state: applied")


def test_files_have_their_text_owner_and_mode_and_secrets_reach_their_program(applied: SimulatedHost) -> None:
    seen = applied.run(f"stat -c '%a %U %G %n' {PAGE} /etc/skerry/page.key /etc/skerry/environment/page.env").stdout
    assert [
        f"644 page page {PAGE}",
        "400 page page /etc/skerry/page.key",
        "600 root root /etc/skerry/environment/page.env",
    ] == seen.splitlines()
    assert SECRETS["pageKey"] == applied.read("/etc/skerry/page.key")
    assert applied.read("/srv/page/no-line-end") == "last line without an end"
    environ = applied.run("tr '\\0' '\\n' < /proc/$(systemctl show -P MainPID page)/environ").stdout
    assert f"PAGE_TOKEN={PLANTED}" in environ.splitlines()
    assert applied.run(f"grep -rlF pl4nted {STATE} /run/skerry* /tmp /var/log", check=False).stdout == ""


def test_only_what_changed_is_written_and_only_its_units_start_again(applied: SimulatedHost) -> None:
    page, nginx = started(applied, "page"), started(applied, "nginx")
    done = send(applied, script(changed(PAGE, text="second\n")))
    assert f"file {PAGE}\nchanged: 1\n" == done.stdout
    assert (page, nginx) == (started(applied, "page"), started(applied, "nginx"))
    environment = "/etc/skerry/environment/page.env"
    done = send(applied, script(changed(environment, variables={"PAGE_TOKEN": "pageToken", "OTHER": "pageKey"})))
    assert f"file {PAGE}\nfile {environment}\nunit page.service: reload-or-restart\nchanged: 3\n" == done.stdout
    assert page != started(applied, "page")
    assert nginx == started(applied, "nginx")


def test_what_a_person_changed_by_hand_is_found_and_mended(applied: SimulatedHost) -> None:
    applied.run(f"echo by hand > {PAGE}; chmod 666 /etc/skerry/page.key; systemctl stop page")
    status = send(applied, None, "--status")
    assert status.returncode == 1
    assert [f"differs: {PAGE}", "not well: page.service"] == status.stdout.splitlines()[-2:]
    done = send(applied)
    wanted = [f"file {PAGE}", "file /etc/skerry/page.key", "unit page.service: start", "changed: 3"]
    assert wanted == done.stdout.splitlines()


def test_a_configuration_that_its_program_refuses_never_reaches_the_running_service(applied: SimulatedHost) -> None:
    before = started(applied, "page"), started(applied, "nginx")
    broken = script((*changed(SITE, text=BROKEN), HostFile(path="/etc/new", text="x\n")))
    done = send(applied, broken)
    assert done.returncode == 1
    assert "skerry: gate: failed at step 5 of 9 (checks in place): nginx refuses" in done.stderr
    assert 'unknown directive "no_such_word"' in done.stderr
    assert "the files from before are back, and no unit was touched: mend it" in done.stderr
    assert applied.read(SITE) == next(file.text for file in FILES if file.path == SITE)
    assert applied.run("cat /etc/new", check=False).returncode == 1
    assert before == (started(applied, "page"), started(applied, "nginx"))
    assert send(applied, None, "--status").stdout.splitlines()[0] == "state: refused, and as it was"
    again = send(applied)
    assert (again.returncode, again.stdout) == (0, "changed: 0\n")
    assert "is as it was: the last run was refused at step 5 of 9 (checks in place)" in again.stderr


def test_a_line_of_sudoers_is_judged_before_it_is_in_place(applied: SimulatedHost) -> None:
    done = send(applied, script(changed("/etc/sudoers.d/skerry", text="page ALL=(root NOPASSWD: ALL\n")))
    assert done.returncode == 1
    assert "failed at step 3 of 9 (checks of files that wait): visudo refuses /etc/sudoers.d/skerry" in done.stderr
    assert "NOPASSWD: /usr/bin/systemctl" in applied.read("/etc/sudoers.d/skerry")


def test_a_unit_that_does_not_become_well_is_told_and_the_next_run_completes(applied: SimulatedHost) -> None:
    unit = next(file.text for file in FILES if file.path == f"{UNITS}/page.service")
    ill = unit.replace("/usr/bin/python3 -m http.server 8101", "/usr/bin/python3 -c 'raise SystemExit(3)'")
    done = send(applied, script(changed(f"{UNITS}/page.service", text=ill)))
    assert done.returncode == 1
    assert "failed at step 9 of 9 (units): page.service is not well (failed, exit-code): see journalctl" in done.stderr
    status = send(applied, None, "--status").stdout
    assert status.splitlines()[0] == "state: half applied"
    assert "remedy: run the script again, it completes what is left" in status
    again = send(applied)
    assert (again.returncode, again.stdout.splitlines()[-1]) == (0, "changed: 2")
    assert "is half applied: the last run failed at step 9 of 9 (units); this run completes it" in again.stderr


def slow(seconds: int) -> ApplyScript:
    """Return a script with a new page that rests in its setup, after the files and before the units."""
    environment = changed(PAGE, text="third\n", restarts=("page.service",))
    return script(environment, replace(machine(), setup=(("sleep", f"{seconds}"),)))


def begun(host: SimulatedHost, made: ApplyScript) -> subprocess.Popen[str]:
    run = subprocess.Popen(
        host.ssh_command("sudo -n sh -s"),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdin is not None
    run.stdin.write(made.with_values(SECRETS))
    run.stdin.close()
    host.wait_for(f"grep -q doing=setup {STATE}/state")
    return run


def test_a_run_that_was_killed_is_told_and_the_next_one_completes_it(applied: SimulatedHost) -> None:
    made, page = slow(30), started(applied, "page")
    run = begun(applied, made)
    applied.run("kill -9 $(sed 's/process //; s/ .*//' /run/skerry.lock)")
    assert run.wait(timeout=20) != 0
    assert send(applied, made, "--status").stdout.splitlines()[0] == "state: half applied"
    again = send(applied, script(changed(PAGE, text="third\n", restarts=("page.service",))))
    assert "is half applied: the last run stopped at step 8 of 9 (setup) and never ended" in again.stderr
    assert again.stdout == "unit page.service: reload-or-restart\nchanged: 1\n"
    assert page != started(applied, "page")


def test_a_run_whose_connection_is_cut_goes_on_and_no_other_runs_beside_it(applied: SimulatedHost) -> None:
    made = slow(4)
    run = begun(applied, made)
    run.kill()
    run.wait()
    beside = send(applied)
    assert beside.returncode == 3
    assert "another run is under way (process " in beside.stderr
    assert send(applied, made, "--status").stdout.splitlines()[0] == "state: under way"
    applied.wait_for(f"grep -q state=applied {STATE}/state")
    assert "unit page.service: reload-or-restart\nchanged: 2\n" in applied.read(f"{STATE}/last-run.log")
    assert send(applied, made, "--status").returncode == 0


def test_what_is_no_longer_wanted_goes_and_data_stays(applied: SimulatedHost) -> None:
    applied.run("echo kept > /srv/page/data/kept")
    done = send(applied, script(without(SITE, f"{UNITS}/clean.service", f"{UNITS}/clean.timer")))
    assert [
        "unit clean.timer is no longer wanted",
        "unit nginx.service is no longer wanted",
        f"file {SITE} is no longer wanted",
        f"file {UNITS}/clean.service is no longer wanted",
        f"file {UNITS}/clean.timer is no longer wanted",
        "changed: 5",
    ] == done.stdout.splitlines()
    assert applied.run("systemctl is-active nginx clean.timer", check=False).stdout == "inactive\ninactive\n"
    assert send(applied).returncode == 0
    removed = send(applied, None, "--remove")
    assert (removed.returncode, removed.stdout.splitlines()[-1]) == (0, "removed: 12; data, users and logs stay")
    assert applied.read("/srv/page/data/kept") == "kept\n"
    assert applied.run("id -un page").stdout.strip() == "page"
    assert (
        applied.run(f"find {STATE} /etc/skerry {PAGE} {UNITS} -type f ! -name simulated.target", check=False).stdout
        == ""
    )
    assert send(applied, None, "--remove").stdout == "removed: 0\n"


def test_a_file_of_the_distribution_comes_back_when_ours_goes(applied: SimulatedHost) -> None:
    applied.write("/etc/skerry-shipped.conf", "as shipped\n")
    own = HostFile(path="/etc/skerry-shipped.conf", text="ours\n")
    assert send(applied, script((*FILES, own))).returncode == 0
    assert applied.read(own.path) == "ours\n"
    assert send(applied, script((*FILES, replace(own, text="ours again\n")))).returncode == 0
    assert send(applied).returncode == 0
    assert applied.read(own.path) == "as shipped\n"


def test_a_machine_that_is_not_ready_is_told_all_at_once_and_not_touched(applied: SimulatedHost) -> None:
    applied.run("cp /etc/os-release /srv/kept; rm -f /etc/os-release; echo ID=fedora > /etc/os-release")
    odd = replace(machine(), packages=("no-such-package", "curl", "another-one"))
    try:
        done = send(applied, script((*FILES, HostFile(path="/etc/new", text="x\n")), odd))
    finally:
        applied.run("cp /srv/kept /etc/os-release")
    assert done.returncode == 3
    assert done.stderr.splitlines() == [
        "skerry: gate: is not ready, and nothing was changed:",
        "  it does not run any of: debian: is this the machine gate?",
        "  not installed: another-one no-such-package: apt-get install --yes another-one no-such-package",
    ]
    assert applied.run("cat /etc/new", check=False).returncode == 1


def test_secrets_that_are_missing_are_named_before_anything_changes(applied: SimulatedHost) -> None:
    applied.write("/srv/carried/apply.sh", script().alone(), "0755")
    done = applied.run("/srv/carried/apply.sh", check=False)
    wanted = (
        "skerry: gate: nothing was changed, since these secrets are missing: pageKey pageToken: write each into a file "
        "of that name in the folder /srv/carried/secrets\n"
    )
    assert (3, wanted) == (done.returncode, done.stderr)
    for key, value in SECRETS.items():
        applied.write(f"/srv/carried/secrets/{key}", value, "0600")
    done = applied.run("/srv/carried/apply.sh")
    assert done.stdout == "changed: 0\n"


def test_who_is_not_root_is_told_so(applied: SimulatedHost) -> None:
    done = applied.ssh("sh -s", stdin=script().alone(), check=False)
    assert (done.returncode, done.stderr) == (3, "skerry: gate: needs root: run it by sudo\n")
    done = send(applied, None, "--now")
    assert (done.returncode, done.stderr.startswith("usage: apply.sh")) == (2, True)
