"""The stacks of this repository with the real command: the same graph as the engine's, and their whole lives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from skerry.engine.run import run_program
from skerry.graph import ResourceGraph
from skerry.readers.preview_json import read_preview
from skerry.readers.state import read_state
from tests.simulators.graph_equality import NORMALISED, differences
from tests.simulators.pulumi_cli import ROOT, Done, PulumiCli

AIRGAPPED, ONPREM = "sensei-airgapped", "sensei-private-onprem"
BASE, SAAS = "sensei-saas-aws-base", "sensei-saas-aws"


@dataclass
class Life:
    """What each stage of one stack left behind."""

    preview: ResourceGraph
    cloud: list[dict[str, Any]]
    state: ResourceGraph
    again: Done
    refused: Done
    cloud_after_refused: list[dict[str, Any]]


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> PulumiCli:
    return PulumiCli(tmp_path_factory.mktemp("stacks"))


def live(cli: PulumiCli, stack: str) -> Life:
    """Deploy a stack twice and try to destroy it while its stores are protected."""
    preview = read_preview(cli.preview_json(ROOT, stack))
    cli.check(cli.up(ROOT, stack))
    cloud, state = of(cli, stack), read_state(cli.stack_export(ROOT, stack, "--show-secrets"))
    again = cli.check(cli.up(ROOT, stack))
    refused = cli.destroy(ROOT, stack)
    return Life(preview, cloud, state, again, refused, of(cli, stack))


def of(cli: PulumiCli, stack: str) -> list[dict[str, Any]]:
    return [resource for resource in cli.in_cloud() if resource["urn"].startswith(f"urn:pulumi:{stack}::")]


@pytest.fixture(scope="module")
def airgapped(cli: PulumiCli) -> Life:
    return live(cli, AIRGAPPED)


@pytest.fixture(scope="module")
def base(cli: PulumiCli) -> Life:
    return live(cli, BASE)


@pytest.fixture(scope="module")
def saas(cli: PulumiCli, base: Life) -> Life:
    return live(cli, SAAS)


@pytest.fixture
def life(request: pytest.FixtureRequest) -> Callable[[str], Life]:
    fixtures = {AIRGAPPED: "airgapped", BASE: "base", SAAS: "saas"}

    def get(stack: str) -> Life:
        found: Life = request.getfixturevalue(fixtures[stack])
        return found

    return get


def assert_equal(engine: ResourceGraph, command: ResourceGraph) -> None:
    found = differences(engine, command)
    assert found.differences == []
    assert set(found.touched) <= set(NORMALISED)
    assert found.compared > 15 * len(engine.resources)


@pytest.mark.parametrize("stack", [AIRGAPPED, BASE])
def test_the_engine_s_graph_is_the_command_s(cli: PulumiCli, life: Callable[[str], Life], stack: str) -> None:
    assert_equal(run_program(cli.copy_of(ROOT), stack), life(stack).preview)


def test_the_same_holds_for_a_stack_that_is_never_deployed_here(cli: PulumiCli) -> None:
    assert_equal(run_program(cli.copy_of(ROOT), ONPREM), read_preview(cli.preview_json(ROOT, ONPREM)))


def test_the_same_holds_over_the_outputs_of_a_deployed_base(cli: PulumiCli, base: Life, saas: Life) -> None:
    outputs = base.state.stack_outputs(BASE)
    assert {"kubeconfig", "clusterName"} <= set(outputs)
    assert_equal(run_program(cli.copy_of(ROOT), SAAS, stack_outputs={BASE: outputs}), saas.preview)


@pytest.mark.parametrize("stack", [AIRGAPPED, BASE, SAAS])
def test_a_second_deployment_changes_nothing(life: Callable[[str], Life], stack: str) -> None:
    lived = life(stack)
    own = [resource for resource in lived.preview.resources if not resource.external]
    assert f" {len(own)} unchanged" in lived.again.text
    assert {resource.urn for resource in lived.preview.resources} == {
        resource.urn for resource in lived.state.resources
    }


@pytest.mark.parametrize("stack", [AIRGAPPED, BASE, SAAS])
def test_destroy_is_refused_with_nothing_deleted_while_stores_are_protected(
    life: Callable[[str], Life], stack: str
) -> None:
    lived = life(stack)
    assert lived.refused.returncode != 0
    assert "protected" in lived.refused.text
    assert lived.cloud
    assert lived.cloud_after_refused == lived.cloud


def test_with_protection_lifted_destroy_leaves_the_retained_stores_and_nothing_else(
    cli: PulumiCli, airgapped: Life, base: Life, saas: Life
) -> None:
    for stack, lived in ((SAAS, saas), (BASE, base), (AIRGAPPED, airgapped)):
        cli.unprotect_all(ROOT, stack)
        cli.check(cli.destroy(ROOT, stack))
        retained = sorted(r.urn for r in lived.preview.resources if r.retain_on_delete and r.custom and not r.external)
        assert retained, f"{stack} retains no store"
        assert [resource["urn"] for resource in of(cli, stack)] == retained


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
