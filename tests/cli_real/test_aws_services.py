"""Services on ECS and Lambda with the real command: both engines tell the same, and they come up."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from skerry.config.spec import CONFIG_KEY
from skerry.engine.run import run_program
from tests.simulators.aws_service_stacks import STACKS, everything, services
from tests.simulators.graph_equality import NORMALISED, compare, read_command
from tests.simulators.pulumi_cli import ROOT, PulumiCli

pytestmark = pytest.mark.timeout(1200)


def told_alike(cli: PulumiCli, stack: str, plan: Path) -> None:
    preview = cli.preview_json(ROOT, stack, "--show-secrets", "--save-plan", str(plan))
    engine = run_program(cli.copy_of(ROOT), stack)
    found = compare(engine, read_command(preview, plan.read_text(encoding="utf-8")))
    assert found.differences == []
    assert set(found.touched) <= set(NORMALISED)


def comes_up(cli: PulumiCli, stack: str) -> None:
    cli.check(cli.up(ROOT, stack))
    again = cli.preview(ROOT, stack, "--expect-no-changes")
    assert again.returncode == 0, again.text[-3000:]


@pytest.mark.parametrize("stack", STACKS)
def test_both_engines_tell_the_same_and_the_command_brings_it_up_once(tmp_path: Path, stack: str) -> None:
    cli = PulumiCli(tmp_path / "world")
    told_alike(cli, stack, tmp_path / "plan.json")
    comes_up(cli, stack)


def test_services_that_no_blueprint_knows_come_up_with_everything_that_may_be_shared(tmp_path: Path) -> None:
    """All but shared files: EFS asks for a form of keys that the simulated cloud does not give."""
    cli, stack = PulumiCli(tmp_path / "world"), "apps-aws"
    plan = everything()
    del plan["services"]["web"]["definition"]["data_path"]
    values = {CONFIG_KEY: services(plan), "skerry:apiKey": "a-key-of-no-one"}
    whole = yaml.safe_dump({"config": {"pulumi:disable-default-providers": ["*"], **values}})
    (cli.copy_of(ROOT) / "stacks" / f"Pulumi.{stack}.yaml").write_text(whole, encoding="utf-8")
    told_alike(cli, stack, tmp_path / "plan.json")
    comes_up(cli, stack)
