"""The stacks of this repository with the real command: the same graph as the engine's, and the policy pack.

Those that test_lifecycle.py deploys are compared there: their previews are the first stage of their lives.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from skerry.engine.run import run_program
from tests.simulators.graph_equality import NORMALISED, compare, read_command
from tests.simulators.pulumi_cli import ROOT, Done, PulumiCli

AIRGAPPED, ONPREM = "sensei-airgapped", "sensei-private-onprem"
GCP_BASE, AZURE_BASE = "sensei-saas-gcp-base", "sensei-saas-azure-base"


@pytest.mark.parametrize("stack", [ONPREM, GCP_BASE, AZURE_BASE])
def test_the_engine_s_graph_of_a_stack_that_is_not_deployed_is_the_command_s(tmp_path: Path, stack: str) -> None:
    cli, plan = PulumiCli(tmp_path / "world"), tmp_path / "plan.json"
    preview = cli.preview_json(ROOT, stack, "--show-secrets", "--save-plan", str(plan))
    engine = run_program(cli.copy_of(ROOT), stack)
    found = compare(engine, read_command(preview, plan.read_text(encoding="utf-8")))
    assert found.differences == []
    assert set(found.touched) <= set(NORMALISED)
    assert found.compared > 15 * len(engine.resources)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Done]:
    """Preview the air-gapped stack under the policy pack, with one text of its file replaced."""
    cli = PulumiCli(tmp_path_factory.mktemp("pack"))
    copy = cli.copy_of(ROOT)
    file = copy / "stacks" / f"Pulumi.{AIRGAPPED}.yaml"
    cli.init(ROOT, AIRGAPPED)
    whole = file.read_text()

    def preview(old: str, new: str) -> Done:
        assert old in whole
        file.write_text(whole.replace(old, new))
        return cli.preview(ROOT, AIRGAPPED, "--policy-pack", str(copy / "policies"))

    return preview


def test_the_policy_pack_lets_a_clean_stack_pass(pack: Callable[[str, str], Done]) -> None:
    done = pack("jurisdictions: [DE]", "jurisdictions: [DE]")
    assert (done.returncode, "[mandatory]" in done.text) == (0, False), done.text[-3000:]
    assert "skerry@v" in done.text, "the pack was not loaded"


def test_the_policy_pack_stops_a_stack_outside_its_boundary(pack: Callable[[str, str], Done]) -> None:
    done = pack("jurisdictions: [DE]", "jurisdictions: [FR]")
    assert done.returncode != 0
    assert "[mandatory]" in done.text
    assert "RES001" in done.text
