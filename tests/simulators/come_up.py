"""Brings stacks up with the real command: both engines tell the same before, and nothing is left to do after."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

import pytest

from skerry.engine.run import run_program
from skerry.readers.state import read_state
from tests.simulators.graph_equality import NORMALISED, compare, read_command
from tests.simulators.pulumi_cli import ROOT, PulumiCli

ALL_VARIABLE: Final = "SKERRY_ALL_LIFECYCLES"
"""Set by `make test-all`, which does with each stack what CI does with one of each kind."""

Outputs = Mapping[str, Mapping[str, Any]]
"""Stack -> what it exports."""


def is_all() -> bool:
    """Say whether everything is done, not one of each kind."""
    return bool(os.environ.get(ALL_VARIABLE))


def skip_unless_all(what: str, is_in_ci: bool) -> None:
    """Skip what CI leaves to `make test-all`."""
    if not is_in_ci and not is_all():
        pytest.skip(f"{what} is left to `make test-all` ({ALL_VARIABLE}); CI has one of each kind")


def bring_up_all(cli: PulumiCli, stacks: Iterable[str], packed: Iterable[str] = ()) -> dict[str, Mapping[str, Any]]:
    """Bring up stacks of one world in this order, each over those before it; return what they export."""
    outputs: dict[str, Mapping[str, Any]] = {}
    for stack in stacks:
        outputs[stack] = bring_up(cli, stack, outputs, with_pack=stack in packed)
    return outputs


def bring_up(cli: PulumiCli, stack: str, below: Outputs, *, with_pack: bool = False) -> Mapping[str, Any]:
    """Compare the engines' graphs of a stack, deploy it, and ask what is left to do; return what it exports.

    Args:
        cli: whose copy of the project has the stack's file.
        stack: to be deployed.
        below: what the stacks that it refers to export.
        with_pack: the last question goes to the policy pack too, which must be run and let it pass.
    """
    told_alike(cli, stack, below)
    cli.check(cli.up(ROOT, stack))
    options = ["--policy-pack", str(cli.copy_of(ROOT) / "policies")] if with_pack else []
    again = cli.preview(ROOT, stack, "--expect-no-changes", *options)
    assert again.returncode == 0, again.text[-3000:]
    if with_pack:
        assert ("skerry@v" in again.text, "[mandatory]" in again.text) == (True, False), again.text[-3000:]
    return outputs_of(cli, stack)


def outputs_of(cli: PulumiCli, stack: str) -> Mapping[str, Any]:
    """Return what a stack that stands exports."""
    return read_state(cli.stack_export(ROOT, stack, "--show-secrets")).stack_outputs(stack)


def told_alike(cli: PulumiCli, stack: str, below: Outputs) -> None:
    """Compare what the engine and a preview of the command tell of a stack, field by field."""
    plan = cli.cloud.parent / f"{stack}.plan.json"
    preview = cli.preview_json(ROOT, stack, "--show-secrets", "--save-plan", str(plan))
    engine = run_program(cli.copy_of(ROOT), stack, stack_outputs=below)
    found = compare(engine, read_command(preview, plan.read_text(encoding="utf-8")))
    assert found.differences == []
    assert set(found.touched) <= set(NORMALISED)
    assert found.compared > 15 * len(engine.resources)
