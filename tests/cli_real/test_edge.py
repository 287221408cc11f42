"""The server side of edge mode by the real command: the same graph as the engine's, and it can be deployed."""

from __future__ import annotations

from pathlib import Path

from skerry.engine.run import run_program
from tests.simulators.changed_stacks import changed_file
from tests.simulators.edge_stacks import EDGED
from tests.simulators.graph_equality import NORMALISED, compare, read_command
from tests.simulators.pulumi_cli import ROOT, PulumiCli

STACK, CHANGES = next((stack, changes) for stack, changes in EDGED.values() if stack == "sensei-airgapped")


def test_the_command_makes_what_the_engine_tells(tmp_path: Path) -> None:
    cli, plan = PulumiCli(tmp_path / "world"), tmp_path / "plan.json"
    copy = cli.copy_of(ROOT)
    (copy / "stacks" / f"Pulumi.{STACK}.yaml").write_text(changed_file(STACK, CHANGES), encoding="utf-8")
    preview = cli.preview_json(ROOT, STACK, "--show-secrets", "--save-plan", str(plan))
    engine = run_program(copy, STACK)
    found = compare(engine, read_command(preview, plan.read_text(encoding="utf-8")))
    assert found.differences == []
    assert set(found.touched) <= set(NORMALISED)
    assert found.compared > 15 * len(engine.resources)
    cli.check(cli.up(ROOT, STACK))
