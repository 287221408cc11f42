"""Stacks whose services run on a cluster with the real command: both engines tell the same, and they come up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from skerry.engine.run import run_program
from tests.simulators.cluster_service_stacks import (
    AKS,
    AKS_BASE,
    EDGE_LAYER,
    EKS,
    EKS_BASE,
    GEO_NAMES,
    GEO_STACKS,
    GKE,
    GKE_BASE,
    ONPREM,
)  # fmt: skip
from tests.simulators.graph_equality import NORMALISED, compare, read_command
from tests.simulators.pulumi_cli import ROOT, PulumiCli

pytestmark = pytest.mark.timeout(1200)


@pytest.mark.parametrize(
    "stacks",
    [(ONPREM,), (EKS_BASE, EKS), (GKE_BASE, GKE), (AKS_BASE, AKS), (EDGE_LAYER,)],
    ids=lambda stacks: stacks[-1],
)
def test_both_engines_tell_the_same_and_the_command_brings_it_up_once(tmp_path: Path, stacks: tuple[str, ...]) -> None:
    cli = PulumiCli(tmp_path / "world")
    for stack in stacks:
        if stack == stacks[0]:
            plan = tmp_path / f"{stack}.json"
            preview = cli.preview_json(ROOT, stack, "--show-secrets", "--save-plan", str(plan))
            engine = run_program(cli.copy_of(ROOT), stack)
            found = compare(engine, read_command(preview, plan.read_text(encoding="utf-8")))
            assert found.differences == []
            assert set(found.touched) <= set(NORMALISED)
        cli.check(cli.up(ROOT, stack))
        again = cli.preview(ROOT, stack, "--expect-no-changes")
        assert again.returncode == 0, again.text[-3000:]


def test_three_regions_stand_and_are_joined(tmp_path: Path) -> None:
    """The bases first, then what joins them: it asks each for its network and its gateway."""
    cli = PulumiCli(tmp_path / "world")
    for stack in (*(one for one in GEO_STACKS if one.endswith("-base")), "agentdb-geo-eu", GEO_NAMES):
        cli.check(cli.up(ROOT, stack))
        again = cli.preview(ROOT, stack, "--expect-no-changes")
        assert again.returncode == 0, again.text[-3000:]
    state = json.loads(cli.stack_export(ROOT, GEO_NAMES))
    made = [one["type"] for one in state["deployment"]["resources"]]
    joined = "aws:ec2transitgateway/peeringAttachment:PeeringAttachment"
    assert (made.count(joined), made.count("aws:route53/healthCheck:HealthCheck")) == (3, 3)
