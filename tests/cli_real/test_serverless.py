"""Stacks of services without a cluster with the real command: both engines tell the same, and they come up."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from skerry.config.spec import CONFIG_KEY
from skerry.engine.run import run_program
from tests.simulators.graph_equality import NORMALISED, compare, read_command
from tests.simulators.pulumi_cli import ROOT, PulumiCli
from tests.simulators.serverless_stacks import CLIENT, SECRETS, STACKS, deployment

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


@pytest.mark.parametrize("kind", ["gcp", "azure"])
def test_services_that_no_blueprint_knows_come_up_with_everything_that_may_be_shared(tmp_path: Path, kind: str) -> None:
    cli, stack = PulumiCli(tmp_path / "world"), f"apps-{kind}"
    values = {CONFIG_KEY: deployment(kind), **SECRETS, "skerry:entraClientId": CLIENT}
    whole = yaml.safe_dump({"config": {"pulumi:disable-default-providers": ["*"], **values}})
    (cli.copy_of(ROOT) / "stacks" / f"Pulumi.{stack}.yaml").write_text(whole, encoding="utf-8")
    told_alike(cli, stack, tmp_path / "plan.json")
    comes_up(cli, stack)
