"""What an answer makes of a stack can be read by the stack's own configuration."""

from __future__ import annotations

import pytest

from skerry.agentdb import tables
from skerry.agentdb.answer import Asked, answer
from skerry.agentdb.settings import settings
from skerry.config.agentdb import AgentDbSpec
from skerry.config.application import Runtime
from skerry.config.load import load_spec
from skerry.config.spec import PoolSpec
from skerry.systems.agentdb import SCALES
from tests.simulators.changed_stacks import changed_deployment

AGENTS = (10, 1000, 5000, 10_000, 30_000)


@pytest.mark.parametrize("agents", AGENTS)
def test_settings_are_settings_of_a_stack(agents: int) -> None:
    found = settings(answer(Asked(agents)))
    assert found is not None
    spec = AgentDbSpec(image="agentdb:2.0.0", **found["agentdb"])
    pool = PoolSpec(**found["machines"]["stores"])
    assert spec.scale is not None
    assert (spec.scale.minimum, spec.scale.maximum) == (pool.minimum, pool.maximum)


def test_ten_thousand_agents_are_five_to_ten_machines_of_eight_cores_and_32_gib() -> None:
    found = settings(answer(Asked(10_000)))
    assert found is not None
    assert found["machines"]["stores"] == {
        "minimum": 5,
        "maximum": 10,
        "machine": {"vcpu": 8, "memory_gib": 32},
    }


def test_own_hosts_have_no_stack() -> None:
    assert settings(answer(Asked(100, target="hosts"))) is None


@pytest.mark.parametrize("agents", AGENTS)
def test_the_shipped_stack_takes_the_settings(agents: int) -> None:
    found = settings(answer(Asked(agents)))
    assert found is not None
    changes = {
        "machines.stores": found["machines"]["stores"],
        **{f"agentdb.{key}": value for key, value in found["agentdb"].items()},
    }
    spec = load_spec(changed_deployment("agentdb-eks", changes), "agentdb-eks")
    assert spec.agentdb is not None
    assert spec.agentdb.storage_gib == found["agentdb"]["storage_gib"]


def test_the_stacks_scale_as_the_tables_say() -> None:
    limits = tables.scaling().limits
    kubernetes, ecs = SCALES[Runtime.KUBERNETES], SCALES[Runtime.ECS]
    assert (limits["cpu_target_percent"].value, limits["memory_target_percent"].value) == (
        kubernetes.cpu_percent,
        kubernetes.memory_percent,
    )
    assert limits["nodes_tested"].value == kubernetes.maximum
    shape = tables.costs().shapes.ecs
    assert (shape.low, shape.high) == (ecs.minimum, ecs.maximum)
