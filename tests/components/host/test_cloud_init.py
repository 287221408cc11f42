"""User data of a rented machine, as cloud-init itself reads it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import yaml

from components.host.apply import ApplyScript, apply_script
from components.host.cloud_init import LIMITS, cloud_init_text
from components.host.files import files_of
from tests.simulators.odd_hosts import alone, hosts_spec, odd_plan, systemd_services


def made(**fields: object) -> tuple[str, ApplyScript]:
    """Return the user data and the script of the first odd machine."""
    spec = hosts_spec()
    plain = replace(systemd_services()[0], command=("/opt/x", "100%", "$y ☃"), writable=(), folder="/opt")
    plan = odd_plan(spec, **{**alone(services=(plain,)), **fields})
    machine = plan.machines[0]
    script = apply_script(machine, plan, spec, files_of(machine, plan, spec))
    assert script is not None
    return cloud_init_text(machine, plan, spec, script), script


def test_cloud_init_takes_it(tmp_path: Path, need_tool: Callable[[str], str]) -> None:
    text, _ = made()
    path = tmp_path / "user-data.yaml"
    for body, said in (
        (text, "Valid cloud-config"),
        (text.replace('"package_update": true', '"package_update": "x"'), ""),
    ):
        path.write_text(body)
        words = [need_tool("cloud-init"), "schema", "--config-file", f"{path}"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert said in done.stdout
    assert done.returncode


def test_it_holds_the_script_as_it_is_and_runs_it() -> None:
    text, script = made()
    document = yaml.safe_load(text)
    (file,) = document["write_files"]
    assert ("/opt/skerry/apply.sh", "0700", script.alone()) == (file["path"], file["permissions"], file["content"])
    assert document["runcmd"] == [["sh", "/opt/skerry/apply.sh"]]
    assert document["packages"] == ["curl", "nftables", "wireguard-tools"]


def test_it_names_the_secrets_that_people_bring_and_holds_none() -> None:
    text, script = made()
    assert script.secrets == ("oddToken",)
    assert "# Bring these secrets into /opt/skerry/secrets, then run /opt/skerry/apply.sh: oddToken.\n" in text


def test_it_says_which_providers_take_less() -> None:
    text, _ = made()
    size = len(text.encode())
    assert LIMITS["AWS"] < size < LIMITS["Azure"]
    assert "# Too long as it is for AWS 16384" in text
    assert "Azure" not in text


def test_the_first_line_is_what_cloud_init_looks_for() -> None:
    assert made()[0].startswith("#cloud-config\n# Written by Skerry")
