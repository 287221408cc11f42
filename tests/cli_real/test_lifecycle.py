"""The whole lives of the shipped stacks with the real command, and what each kind of change does to them.

CI lives the lives of one stack for each mix of providers; `make test-all` lives those of all stacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import pytest

from skerry.engine.run import run_deployment, run_program
from skerry.graph import ResourceGraph, merge
from tests.simulators import lives_services
from tests.simulators.changed_stacks import run_changed
from tests.simulators.come_up import ALL_VARIABLE, is_all
from tests.simulators.graph_equality import NORMALISED, Command, compare
from tests.simulators.lifecycle import CREATE, REFUSED, REPLACE, UPDATE, Life, Stage
from tests.simulators.lives import DRIFTS, HARMFUL, HARMLESS, IN_CI, LIVED, WORLDS
from tests.simulators.provider_diff import changed as changed_paths
from tests.simulators.pulumi_cli import ROOT, PulumiCli
from tests.simulators.replacements import Effect, effect
from tests.simulators.stack_objects import AIRGAPPED, AWS_BASE, AZURE_BASE, CUSTOMER, DEPLOYED, GCP_BASE

AT_ONCE: Final = 2
"""As many as CI has cores."""

pytestmark = pytest.mark.timeout(1800)
"""The first test that asks for a life waits for all its stages, and for those of the stack below."""


@pytest.fixture(scope="module")
def lives(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Life]]:
    """Live the lives of the stacks that the selected tests name, two worlds at a time; each stack's once."""
    begun: dict[tuple[str, ...], Future[dict[str, Life]]] = {}

    def begin(world: tuple[str, ...]) -> Future[dict[str, Life]]:
        if world not in begun:
            begun[world] = pool.submit(live_in, PulumiCli(tmp_path_factory.mktemp("lives")), world)
        return begun[world]

    def live(stack: str) -> Life:
        return begin(next(world for world in WORLDS if stack in world)).result()[stack]

    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        selected = [item for item in request.session.items if item.path == request.path]
        names = " ".join(item.name for item in selected if "lives" in getattr(item, "fixturenames", ()))
        for world in sorted(WORLDS, key=len, reverse=True):
            if any(f"[{stack}]" in names for stack in world if is_lived(stack)):
                begin(world)
        yield live
        pool.shutdown(cancel_futures=True)


def live_in(cli: PulumiCli, world: tuple[str, ...]) -> dict[str, Life]:
    """Live the lives of the stacks of one world; what stands on another ends before it."""
    lived = {}
    for stack in world:
        lived[stack] = Stage(cli, stack).live(
            list(HARMLESS[stack].values()), list(HARMFUL[stack].values()), DRIFTS[stack]
        )
    for stack in reversed(world):
        Stage(cli, stack).end(lived[stack])
    return lived


def is_lived(stack: str) -> bool:
    return stack in IN_CI or is_all()


@pytest.fixture(params=LIVED)
def life(request: pytest.FixtureRequest, lives: Callable[[str], Life]) -> Life:
    stack = str(request.param)
    if not is_lived(stack):
        pytest.skip(f"the life of {stack} is lived by `make test-all` ({ALL_VARIABLE}); CI lives one of each kind")
    return lives(stack)


def assert_equal(engine: ResourceGraph, told: Command) -> None:
    found = compare(engine, told)
    assert found.differences == []
    assert set(found.touched) <= set(NORMALISED)
    assert found.compared > 15 * len(engine.resources)


def by_urn(cloud: Any) -> dict[str, Any]:
    return {resource["urn"]: resource for resource in cloud}


def names(urns: Any) -> list[str]:
    return sorted(urn.rsplit("::", 1)[-1] for urn in urns)


def test_every_stack_has_its_changes() -> None:
    assert set(LIVED) == set(HARMLESS) == set(HARMFUL) == set(DRIFTS)
    assert set(DEPLOYED) <= set(LIVED)


def test_a_deployment_is_what_its_preview_said_and_the_next_changes_nothing(
    life: Life, record_property: Callable[[str, object], None]
) -> None:
    made = [r for r in life.preview.resources if r.custom and not r.external and not r.is_provider]
    assert sorted(r.urn for r in made) == sorted(by_urn(life.cloud))
    assert {r.urn for r in life.preview.resources} == {r.urn for r in life.state.resources}
    assert life.again.returncode == 0, life.again.text[-2000:]
    own = [r for r in life.preview.resources if not r.external]
    assert f" {len(own)} unchanged" in life.again.text
    # For the table in docs/lifecycle.md.
    changes = len(HARMLESS[life.stack]) + len(HARMFUL[life.stack])
    noted = {"life": life.stack, "resources": len(made), "changes": changes, "seconds": round(life.seconds, 1)}
    for key, value in noted.items():
        record_property(key, value)


def test_changes_do_what_the_table_says_and_leave_the_stores_standing(life: Life) -> None:
    expected = {name: op for change in HARMLESS[life.stack].values() for name, op in change.expected.items()}
    assert expected == life.changed.steps
    assert life.changed.up.returncode == 0, life.changed.up.text[-2000:]
    before, after = by_urn(life.cloud), by_urn(life.changed.cloud)
    assert sorted(name for name, op in expected.items() if op == CREATE) == names(after.keys() - before.keys())
    assert before.keys() <= after.keys()
    assert {before[urn]["id"] for urn in before} <= {resource["id"] for resource in after.values()}
    touched = [urn for urn in before if before[urn] != after[urn]]
    assert sorted(name for name, op in expected.items() if op == UPDATE) == names(touched)


def test_a_change_that_would_replace_a_store_is_refused_and_deletes_nothing(life: Life) -> None:
    expected = {name: op for change in HARMFUL[life.stack].values() for name, op in change.expected.items()}
    refused = sorted(name for name, op in expected.items() if op == REFUSED)
    assert refused == sorted(life.refused.errors)
    assert all("marked for protection" in message for message in life.refused.errors.values())
    seen = {name: REFUSED if name in life.refused.errors else op for name, op in life.refused.steps.items()}
    assert expected.items() <= seen.items()
    assert life.refused.previewed.returncode != 0
    assert life.refused.up.returncode != 0
    before, after = by_urn(life.changed.cloud), by_urn(life.refused.cloud)
    assert before.keys() <= after.keys()
    stores = {store.urn for store in life.stores}
    assert {urn: before[urn] for urn in stores} == {urn: after[urn] for urn in stores}


def test_drift_is_seen_by_refresh_and_put_back_by_the_next_deployment(life: Life) -> None:
    drift = DRIFTS[life.stack]
    assert life.refreshed.returncode == 0, life.refreshed.text[-2000:]
    assert "1 updated" in life.refreshed.text
    assert "1 deleted" in life.refreshed.text
    assert {drift.changed: UPDATE, drift.deleted: CREATE}.items() <= life.restored.steps.items()
    assert life.restored.up.returncode == 0, life.restored.up.text[-2000:]
    before, after = by_urn(life.changed.cloud), by_urn(life.restored.cloud)
    assert len(after) == len(life.restored.cloud), "what was replaced was left behind"
    # A refused deployment stops anywhere: what it may replace may be new, with another id. It is the same in all that
    # is given, but for what an update leaves alone (the size that an autoscaler sets) and a new resource takes.
    replaced = [
        name for change in HARMFUL[life.stack].values() for name, op in change.expected.items() if op == REPLACE
    ]
    renewed = [urn for urn in before if names([urn])[0] in replaced]
    for urn in renewed:
        differs = {path for path, _ in changed_paths(before[urn]["inputs"], after[urn]["inputs"])}
        assert differs <= set(life.preview[urn].ignore_changes), urn
    for urn in renewed:
        del before[urn], after[urn]
    assert before == after


def test_destroy_is_refused_with_nothing_deleted_while_stores_are_protected(life: Life) -> None:
    assert life.destroy_refused.returncode != 0
    assert "protected" in life.destroy_refused.text
    assert life.stores
    assert life.restored.cloud == life.cloud_after_refusal


def test_with_protection_lifted_destroy_leaves_the_retained_stores_and_nothing_else(life: Life) -> None:
    assert life.destroyed is not None
    assert life.retained, f"{life.stack} retains no store"
    assert life.retained == sorted(by_urn(life.cloud_at_end))


@pytest.mark.parametrize("stack", [AIRGAPPED, CUSTOMER, AWS_BASE, GCP_BASE, AZURE_BASE, *lives_services.HARMLESS])
def test_the_engine_s_graph_of_a_stack_is_the_command_s(lives: Callable[[str], Life], stack: str) -> None:
    if not is_lived(stack):
        pytest.skip(f"the preview of {stack} is compared in test_stacks.py; `make test-all` lives it ({ALL_VARIABLE})")
    assert_equal(run_program(ROOT, stack), lives(stack).told)


@pytest.mark.parametrize(("below", "above"), [world for world in WORLDS if len(world) == 2])
def test_two_stacks_are_one_graph_in_both_engines(lives: Callable[[str], Life], below: str, above: str) -> None:
    if not is_lived(above):
        pytest.skip(f"the life of {above} is lived by `make test-all` ({ALL_VARIABLE})")
    base, saas = lives(below), lives(above)
    outputs = base.state.stack_outputs(below)
    assert {"kubeconfig", "clusterName"} <= set(outputs)
    over = run_program(ROOT, above, stack_outputs={below: outputs})
    assert_equal(over, saas.told)
    both = merge([run_program(ROOT, below), over])
    told = merge([base.told.graph, saas.told.graph])
    assert_equal(both, Command(told, True, {**base.told.traces, **saas.told.traces}))
    # Before anything stands, the engine runs the base itself, and knows the same resources.
    fresh = run_deployment(ROOT, above)
    assert (both.stacks, [r.urn for r in both.resources]) == (fresh.stacks, [r.urn for r in fresh.resources])


SENTENCES: Final = {
    f"{stack}: {sentence}": (stack, change)
    for table in (HARMLESS, HARMFUL)
    for stack, changes in table.items()
    for sentence, change in changes.items()
    if change.settings
}


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_table_of_replacements_foretells_each_change(sentence: str) -> None:
    stack, change = SENTENCES[sentence]
    before, after = (run_changed(stack, settings) for settings in ({}, change.settings))
    assert [r.urn for r in before.resources] == [r.urn for r in after.resources]
    foretold = {}
    for old in (r for r in before.resources if r.custom):
        new = after[old.urn]
        effects = {effect(old.type, path) for path, _ in changed_paths(old.inputs, new.inputs)}
        assert None not in effects, f"no source says what a change of {old.name} does"
        if effects:
            replaced = REFUSED if new.protect else REPLACE
            foretold[old.name] = replaced if Effect.REPLACES in effects else UPDATE
    assert change.expected == foretold
