"""Stacks whose services run on a cluster with the real command: both engines tell the same, and they come up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from skerry.readers.state import read_state
from tests.simulators.cluster_service_stacks import EDGE_WORLDS, GEO_NAMES, WORLDS
from tests.simulators.come_up import bring_up, bring_up_all, is_all, outputs_of, skip_unless_all
from tests.simulators.pulumi_cli import ROOT, PulumiCli

pytestmark = pytest.mark.timeout(1800)

GEO: Final = WORLDS[-1]
GEO_IN_CI: Final = ("agentdb-geo-us-base", "agentdb-geo-eu", GEO_NAMES)
"""The other two regions differ in their names alone; CI deploys their bases, without which nothing is joined."""
EDGE_IN_CI: Final = EDGE_WORLDS[:2]
"""The core and one region, which the others are like."""


@pytest.mark.parametrize("stacks", WORLDS[:-1], ids=lambda stacks: stacks[-1])
def test_both_engines_tell_the_same_and_the_command_brings_it_up_once(tmp_path: Path, stacks: tuple[str, ...]) -> None:
    skip_unless_all(stacks[-1], stacks in EDGE_IN_CI or stacks not in EDGE_WORLDS)
    bring_up_all(PulumiCli(tmp_path / "world"), stacks)


@pytest.fixture(scope="module")
def regions(tmp_path_factory: pytest.TempPathFactory) -> PulumiCli:
    """Bring up three regions, each over its base, then what joins them: it asks each for its network and gateway."""
    cli = PulumiCli(tmp_path_factory.mktemp("geo") / "world")
    outputs: dict[str, Mapping[str, Any]] = {}
    for stack in GEO:
        if stack in GEO_IN_CI or is_all():
            outputs[stack] = bring_up(cli, stack, outputs)
        elif stack.endswith("-base"):
            cli.check(cli.up(ROOT, stack))
            outputs[stack] = outputs_of(cli, stack)
    return cli


@pytest.mark.parametrize("stack", GEO)
def test_each_stack_of_three_regions_stands(regions: PulumiCli, stack: str) -> None:
    skip_unless_all(stack, stack in GEO_IN_CI)
    assert len(read_state(regions.stack_export(ROOT, stack)).resources) > 30


def test_three_regions_are_joined(regions: PulumiCli) -> None:
    made = [one.type for one in read_state(regions.stack_export(ROOT, GEO_NAMES)).resources]
    joined = "aws:ec2transitgateway/peeringAttachment:PeeringAttachment"
    assert (made.count(joined), made.count("aws:route53/healthCheck:HealthCheck")) == (3, 3)
