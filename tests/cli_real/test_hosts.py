"""A machine with the real command and a real sshd: what `pulumi up` sends is applied, changed, refused and removed."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from skerry.engine.run import run_program
from skerry.graph_json import to_json
from skerry.render.files import files
from tests.simulators.graph_equality import NORMALISED, compare, read_command
from tests.simulators.host_plans import PAGE, SITE
from tests.simulators.hosts import SimulatedHost, SimulatedNetwork, need_hosts
from tests.simulators.provider_command import VARIABLE
from tests.simulators.pulumi_cli import ROOT, Done, PulumiCli
from tests.simulators.pulumi_language_host import PATH_VARIABLE

pytestmark = pytest.mark.timeout(600)
STACK = "site"
TOKEN = "command:remote:Command"
PLANTED = "planted-5d0c-never-to-be-seen"
CODED = base64.b64encode(PLANTED.encode()).decode()
"""As it travels."""
PROJECT = "name: skerry\nruntime: {name: python, options: {virtualenv: .venv}}\nstackConfigDir: stacks\n"
PROGRAM = """
from dataclasses import replace

import pulumi

from components.configuration import read_spec
from components.host.host import Host
from skerry.hosts.plan import HostsPlan
from tests.simulators import host_plans

config = pulumi.Config()
spec = read_spec(config)
machine = replace(host_plans.machine("gate"), spec=spec.hosts.machines["gate"])
variants = {
    "first": host_plans.FILES,
    "second": host_plans.changed(host_plans.PAGE, text="second\\n"),
    "broken": host_plans.changed(host_plans.SITE, text="server { no_such_word; }\\n"),
}
machine = replace(machine, files=variants[config.require("variant")])
host = Host("gate", machine, HostsPlan(machines=(machine,)), spec, spec.hosts, config=config)
"""


class Site:
    """The project, its stack's file and the machine that it is about."""

    def __init__(self, folder: Path, host: SimulatedHost) -> None:
        self.host, self.cli = host, PulumiCli(folder / "world", packages=("command",))
        self.cli.variables |= {VARIABLE: "1", PATH_VARIABLE: f"{ROOT}"}
        source = folder / "program"
        (source / "stacks").mkdir(parents=True)
        (source / "Pulumi.yaml").write_text(PROJECT)
        (source / "__main__.py").write_text(PROGRAM)
        self.project = source
        (self.copy / ".venv").unlink(missing_ok=True)
        (self.copy / ".venv").symlink_to(ROOT / ".venv")
        self.configure()
        self.cli.init(self.project, STACK)
        self.cli.set_secret(self.project, STACK, "sshKey", host.key_file.read_text())
        self.cli.set_secret(self.project, STACK, "pageToken", PLANTED)
        self.cli.set_secret(self.project, STACK, "pageKey", f"{PLANTED}-key")

    @property
    def copy(self) -> Path:
        return self.cli.copy_of(self.project)

    def configure(self, variant: str = "first", **ssh: Any) -> None:
        """Write the stack's file, with the secrets that it has."""
        file = self.copy / "stacks" / f"Pulumi.{STACK}.yaml"
        whole = yaml.safe_load(file.read_text()) if file.exists() else {"config": {}}
        log_in = {"user": self.host.login, "host_key": self.host.host_key, **ssh}
        machine = {"address": self.host.address, "vcpu": 2, "memory_gib": 4, "storage_gib": 20, "ssh": log_in}
        whole["config"]["skerry:variant"] = variant
        whole["config"]["skerry:deployment"] = {
            "system": "agent-mesh",
            "mode": "development",
            "data_class": "internal",
            "target": {"kind": "hosts", "jurisdiction": "DE"},
            "residency": {
                "profile": "eu-sovereign",
                "boundaries": [{"data_class": "internal", "jurisdictions": ["EU"]}],
            },
            "state": {
                "backend": "file:///srv/pulumi",
                "jurisdiction": "DE",
                "secrets_provider": "passphrase",
                "backup": "nightly copy",
            },
            "agent_mesh": {"trust": "tofu", "gateways": ["gate"], "nodes": {"gate": {"platform": "desktop"}}},
            "hosts": {"machines": {"gate": machine}, "firewall": "none"},
        }
        file.write_text(yaml.safe_dump(whole))

    def up(self) -> Done:
        return self.cli.up(self.project, STACK)

    def command(self) -> dict[str, Any]:
        state = json.loads(self.cli.stack_export(self.project, STACK, "--show-secrets"))
        return next(row for row in state["deployment"]["resources"] if row["type"] == TOKEN)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    need_hosts()
    with SimulatedNetwork() as lan, SimulatedHost("gate", lan, login="ops") as host:
        yield Site(tmp_path_factory.mktemp("site"), host)


def test_both_engines_tell_the_same_and_render_writes_the_script(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "test")
    monkeypatch.syspath_prepend(f"{ROOT}")
    graph = run_program(site.copy, STACK)
    plan = site.copy / "plan.json"
    preview = site.cli.preview_json(site.project, STACK, "--show-secrets", "--save-plan", f"{plan}")
    found = compare(graph, read_command(preview, plan.read_text()))
    assert found.differences == []
    assert set(found.touched) <= set(NORMALISED)
    assert (PLANTED in to_json(graph), CODED in to_json(graph)) == (False, False)
    rendered = {file.path: file for file in files(graph)}
    assert rendered["gate/apply.sh"].executable
    assert "secret_key pageToken" in rendered["gate/apply.sh"].text
    assert "- pageKey\n- pageToken\n" in rendered["gate/secrets/README.md"].text
    assert [path for path, file in rendered.items() if PLANTED in file.text or CODED in file.text] == []


def test_what_is_sent_is_applied_once(site: Site) -> None:
    done = site.cli.check(site.up())
    assert site.host.run("curl -fsS http://127.0.0.1:8100/").stdout == "first\n"
    assert f'PAGE_TOKEN="{PLANTED}"\n' == site.host.read("/etc/skerry/environment/page.env")
    made = site.command()
    assert CODED in made["inputs"]["stdin"]["plaintext"]
    assert made["outputs"]["stdout"].splitlines()[-1].startswith("changed: ")
    assert site.cli.preview(site.project, STACK, "--expect-no-changes").returncode == 0
    assert "changed:" not in done.text, "what a machine says is not shown"


def test_no_secret_is_seen_but_by_the_machine(site: Site) -> None:
    seen = {
        "preview": site.cli.preview(site.project, STACK, "--diff").text,
        "preview as JSON": site.cli.preview_json(site.project, STACK),
        "state": site.cli.stack_export(site.project, STACK),
        "state in the backend": "".join(path.read_text() for path in site.cli.state.rglob("*.json")),
        "stack file": (site.copy / "stacks" / f"Pulumi.{STACK}.yaml").read_text(),
        "command lines": site.host.run("journalctl --no-pager -o cat").stdout,
    }
    key = site.host.key_file.read_text().splitlines()[2]
    assert {name for name, text in seen.items() if any(one in text for one in (PLANTED, CODED, key))} == set()
    assert {name for name, text in seen.items() if not text} == set()


def test_a_change_is_applied_in_place_and_a_broken_one_is_refused(site: Site) -> None:
    before = site.command()["id"]
    site.configure("second")
    site.cli.check(site.up())
    assert site.host.read(PAGE) == "second\n"
    assert site.command()["id"] == before, "it was made anew, so that the old one's removal took the machine's files"
    site.configure("broken")
    done = site.up()
    assert done.returncode != 0
    assert "skerry: gate: failed at step 5 of 9 (checks in place): nginx refuses" in done.text
    assert "the files from before are back, and no unit was touched: mend it" in done.text
    assert "no_such_word" not in site.host.read(SITE)
    assert site.host.run("curl -fsS http://127.0.0.1:8100/").stdout == "second\n"


def test_another_machine_in_its_place_and_none_at_all_are_told(site: Site) -> None:
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKQUwqM2YY/7IkgQDKZVQGjLG7SLC2lVMigyvv7B5MID"
    site.configure("first", host_key=other)
    done = site.up()
    assert (done.returncode != 0, "ssh: host key mismatch" in done.text) == (True, True), done.text
    site.configure("first", port=2222)
    done = site.up()
    assert (done.returncode != 0, f"dial tcp {site.host.address}:2222" in done.text) == (True, True), done.text
    assert site.host.read(PAGE) == "second\n"
    site.configure("first")
    site.cli.check(site.up())
    assert site.host.read(PAGE) == "first\n"


def test_what_is_destroyed_leaves_the_machine_without_its_files_and_with_its_data(site: Site) -> None:
    site.host.run("echo kept > /srv/page/data/kept")
    site.cli.check(site.cli.destroy(site.project, STACK))
    assert site.host.read("/srv/page/data/kept") == "kept\n"
    gone = f"ls {PAGE} {SITE} /etc/skerry /var/lib/skerry/state"
    assert site.host.run(gone, check=False).stdout == ""
    assert site.host.run("systemctl is-active page nginx", check=False).stdout == "inactive\ninactive\n"
