"""The dual host with the real command: the same graph as the engine's."""

from __future__ import annotations

from pathlib import Path

import yaml

from skerry.engine.run import run_program
from tests.simulators.changed_stacks import changed_file
from tests.simulators.graph_equality import compare, read_command
from tests.simulators.pulumi_cli import ROOT, PulumiCli


def test_the_command_and_the_engine_tell_the_same_of_the_dual_host(tmp_path: Path) -> None:
    cli, plan = PulumiCli(tmp_path / "world"), tmp_path / "plan.json"
    copy = cli.copy_of(ROOT)
    whole = yaml.safe_load(changed_file("dual-host", {}))
    for key in ("webCertificate", "webKey", "registryLogin", "backupKey", "sshKey"):
        whole["config"][f"skerry:{key}"] = "only-of-this-test"
    (copy / "stacks" / "Pulumi.dual-host.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    preview = cli.preview_json(ROOT, "dual-host", "--show-secrets", "--save-plan", str(plan))
    engine = run_program(copy, "dual-host")
    found = compare(engine, read_command(preview, plan.read_text(encoding="utf-8")))
    assert found.differences == []
