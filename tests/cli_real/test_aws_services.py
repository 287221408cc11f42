"""Services on ECS and Lambda with the real command: both engines tell the same, and they come up."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from skerry.config.spec import CONFIG_KEY
from tests.simulators.aws_service_stacks import ECS, STACKS, everything, services
from tests.simulators.come_up import bring_up_all
from tests.simulators.pulumi_cli import ROOT, PulumiCli

pytestmark = pytest.mark.timeout(1200)


@pytest.mark.parametrize("stack", STACKS)
def test_both_engines_tell_the_same_and_the_command_brings_it_up_once(tmp_path: Path, stack: str) -> None:
    bring_up_all(PulumiCli(tmp_path / "world"), [stack], packed=[ECS])


def test_the_policy_pack_stops_services_outside_their_boundary(tmp_path: Path) -> None:
    cli = PulumiCli(tmp_path / "world")
    file = cli.copy_of(ROOT) / "stacks" / f"Pulumi.{ECS}.yaml"
    whole = file.read_text(encoding="utf-8")
    assert whole.count("jurisdictions: [US]") == 1
    file.write_text(whole.replace("jurisdictions: [US]", "jurisdictions: [FR]"), encoding="utf-8")
    done = cli.preview(ROOT, ECS, "--policy-pack", str(cli.copy_of(ROOT) / "policies"))
    assert done.returncode != 0
    assert "[mandatory]" in done.text
    assert "RES001" in done.text


def test_services_that_no_blueprint_knows_come_up_with_everything_that_may_be_shared(tmp_path: Path) -> None:
    """All but shared files: EFS asks for a form of keys that the simulated cloud does not give."""
    cli, stack = PulumiCli(tmp_path / "world"), "apps-aws"
    plan = everything()
    del plan["services"]["web"]["definition"]["data_path"]
    values = {CONFIG_KEY: services(plan), "skerry:apiKey": "a-key-of-no-one"}
    whole = yaml.safe_dump({"config": {"pulumi:disable-default-providers": ["*"], **values}})
    (cli.copy_of(ROOT) / "stacks" / f"Pulumi.{stack}.yaml").write_text(whole, encoding="utf-8")
    bring_up_all(cli, [stack])
