"""What the stacks of Sensei with a model of their own would have to carry: all that runs is in the plan."""

from __future__ import annotations

import pytest

from airgap_bundle.plan import ItemKind, plan
from tests.simulators.registry_graphs import EMPTY_LOCK
from tests.simulators.stack_objects import AIRGAPPED, PRIVATE, graph_of


@pytest.mark.parametrize("stack", [AIRGAPPED, *PRIVATE])
def test_the_plan_of_a_stack_that_runs_its_own_model_is_complete(stack: str) -> None:
    made = plan(graph_of(stack), lock=EMPTY_LOCK)
    assert (made.problems, made.complete) == ((), True)
    assert [item.name for item in made.of_kind(ItemKind.MODEL)] == ["llama-3.3-70b-instruct"]
    named = {item.name.rpartition(":")[0].rpartition("/")[2] for item in made.of_kind(ItemKind.IMAGE)}
    assert {"vllm-openai", "qdrant", "neo4j", "mongo", "scout", "architect", "worker", "validator", "learning"} <= named
    assert "kuberay-operator" in {item.name for item in made.of_kind(ItemKind.CHART)}
