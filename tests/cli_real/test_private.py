"""Sensei in a customer's account of each cloud, with the real command: both engines tell the same, and it comes up.

Their whole lives are not lived: they have the components of those of mode saas, whose lives test_lifecycle.py lives.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulators.come_up import bring_up, is_all, outputs_of, told_alike
from tests.simulators.pulumi_cli import ROOT, PulumiCli
from tests.simulators.stack_objects import PRIVATE

pytestmark = pytest.mark.timeout(1200)


@pytest.mark.parametrize("stack", PRIVATE)
def test_the_base_comes_up_and_both_engines_tell_the_same_of_base_and_platform(tmp_path: Path, stack: str) -> None:
    """`make test-all` deploys the platform as well, which has no kind of resource that those of mode saas lack."""
    cli, base = PulumiCli(tmp_path / "world"), f"{stack}-base"
    told_alike(cli, base, {})
    cli.check(cli.up(ROOT, base))
    below = {base: outputs_of(cli, base)}
    assert {"kubeconfig", "clusterName"} <= set(below[base])
    if is_all():
        bring_up(cli, stack, below)
    else:
        told_alike(cli, stack, below)
