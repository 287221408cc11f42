"""Stacks of services without a cluster with the real command: both engines tell the same, and they come up."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from skerry.config.spec import CONFIG_KEY
from tests.simulators.come_up import bring_up_all
from tests.simulators.pulumi_cli import ROOT, PulumiCli
from tests.simulators.serverless_stacks import CLIENT, SECRETS, STACKS, deployment

pytestmark = pytest.mark.timeout(1200)


@pytest.mark.parametrize("stack", STACKS)
def test_both_engines_tell_the_same_and_the_command_brings_it_up_once(tmp_path: Path, stack: str) -> None:
    bring_up_all(PulumiCli(tmp_path / "world"), [stack])


@pytest.mark.parametrize("kind", ["gcp", "azure"])
def test_services_that_no_blueprint_knows_come_up_with_everything_that_may_be_shared(tmp_path: Path, kind: str) -> None:
    cli, stack = PulumiCli(tmp_path / "world"), f"apps-{kind}"
    values = {CONFIG_KEY: deployment(kind), **SECRETS, "skerry:entraClientId": CLIENT}
    whole = yaml.safe_dump({"config": {"pulumi:disable-default-providers": ["*"], **values}})
    (cli.copy_of(ROOT) / "stacks" / f"Pulumi.{stack}.yaml").write_text(whole, encoding="utf-8")
    bring_up_all(cli, [stack])
