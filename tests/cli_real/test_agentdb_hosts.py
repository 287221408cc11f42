"""AgentDB on machines with the real command: the same graph as the engine's, of each of its stacks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from skerry.engine.run import run_program
from tests.simulators.changed_stacks import changed_file
from tests.simulators.graph_equality import compare, read_command
from tests.simulators.pulumi_cli import ROOT, PulumiCli

STACKS = ("agentdb-single-node", "agentdb-multi-node", "agentdb-vps")
SECRETS = ("apiCertificate", "apiKey", "peerCertificate", "peerKey", "peerAuthority", "backupKey", "sshKey")


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PulumiCli]:
    yield PulumiCli(tmp_path_factory.mktemp("agentdb") / "world")


@pytest.mark.parametrize("stack", STACKS)
def test_the_command_and_the_engine_tell_the_same(stack: str, cli: PulumiCli, tmp_path: Path) -> None:
    copy, plan = cli.copy_of(ROOT), tmp_path / "plan.json"
    whole = yaml.safe_load(changed_file(stack, {}))
    for key in SECRETS:
        whole["config"][f"skerry:{key}"] = "only-of-this-test"
    (copy / "stacks" / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    preview = cli.preview_json(ROOT, stack, "--show-secrets", "--save-plan", str(plan))
    engine = run_program(copy, stack)
    found = compare(engine, read_command(preview, plan.read_text(encoding="utf-8")))
    assert found.differences == []
    sent = [row.urn for row in engine.resources if row.type == "command:remote:Command"]
    wanted = {"agentdb-single-node": 1, "agentdb-multi-node": 4, "agentdb-vps": 0}
    assert len(sent) == wanted[stack]
