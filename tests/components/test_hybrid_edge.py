"""AgentDB in layers: what core and regions are told, how old answers are, what a loss takes, and where data lie."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from policies.context import context_of
from policies.rules.residency import RULES
from policies.verdict import Verdict
from skerry.config.load import load_spec
from skerry.errors import ConfigError
from tests.simulators.changed_stacks import changed_deployment, run_changed
from tests.simulators.cluster_service_stacks import EDGE_REGIONS, EDGE_STACKS
from tests.simulators.stack_objects import graph_of, inputs, objects

CORE, REGION = "agentdb-edge-core", "agentdb-edge-eu-west"


def environment(stack: str) -> dict[str, Any]:
    (pods,) = [one for one in objects(graph_of(stack), "StatefulSet") if one.name == "agentdb-set"]
    container = inputs(pods)["spec"]["template"]["spec"]["containers"][0]
    return {row["name"]: row.get("value") for row in container["env"]}


@pytest.mark.parametrize("stack", EDGE_STACKS)
def test_the_resources_of_a_stack_have_the_names_on_record(stack: str, golden: Any) -> None:
    rows = [f"{r.type}  {r.urn}" for r in graph_of(stack).resources if r.stack == stack]
    golden(f"urns-{stack}.txt", "\n".join(rows) + "\n")


@pytest.mark.parametrize("stack", EDGE_REGIONS)
def test_a_region_looks_at_the_core_every_five_minutes_and_an_edge_at_it_every_minute(stack: str) -> None:
    """003:5300 to 5320."""
    env = environment(stack)
    told = ("AGENTDB_LAYER", "CORE_URL", "CORE_SYNC_S", "EDGE_SYNC_S")
    assert [env[name] for name in told] == ["regional", "https://core.agentdb.vendor.example", "300", "60"]


def test_the_core_has_a_postgresql_of_its_own_and_the_regions_have_none() -> None:
    kinds = {
        stack: any(one.type == "aws:rds/instance:Instance" for one in graph_of(f"{stack}-base").resources)
        for stack in (CORE, *EDGE_REGIONS)
    }
    assert kinds == {CORE: True, **dict.fromkeys(EDGE_REGIONS, False)}
    assert environment(CORE)["AGENTDB_LAYER"] == "core"
    assert {"DATABASE_URL", "DATABASE_PASSWORD", "SKERRY_USERNAME"} <= set(environment(CORE))


def outside(stack: str, changes: Mapping[str, Any]) -> set[tuple[str, str]]:
    graph = run_changed(stack, changes)
    context = context_of(graph, today=date(2026, 11, 21))
    return {
        (rule.id, judgement.resource.name)
        for rule in RULES
        for judgement in rule.check(graph, context)
        if judgement.verdict is Verdict.VIOLATION and judgement.resource is not None
    }


def test_a_region_in_europe_hands_its_writes_to_the_united_states_and_eu_sovereign_forbids_that() -> None:
    assert outside(REGION, {}) == set()
    sovereign = {"profile": "eu-sovereign", "boundaries": [{"data_class": "confidential", "jurisdictions": ["EU"]}]}
    assert ("RES001", "agentdb-copy-core") in outside(REGION, {"residency": sovereign})


REFUSED: Mapping[str, tuple[str, dict[str, Any], str]] = {
    "answers that are younger than two looks make them": (
        REGION,
        {"agentdb.hybrid_edge.staleness_s": 60},
        "60 s is less than the 300 + 60 s of the two looks",
    ),
    "a loss of less than PostgreSQL hands over": (
        CORE,
        {"agentdb.hybrid_edge.recovery_point_s": 1},
        "1 s is less than the 300 s in which PostgreSQL hands its log to the backup",
    ),
    "a core without a source of truth": (CORE, {"agentdb.database": None}, "the core is the source of truth"),
    "a region that promises what the core's backups decide": (
        REGION,
        {"agentdb.hybrid_edge.recovery_point_s": 600},
        "is of the core, whose backups decide it",
    ),
    "another core than the regions call": (CORE, {"agentdb.host": "other.vendor.example"}, "is not the core_host"),
    "layers in another mode": (REGION, {"mode": "single-region"}, "has no meaning in mode single-region"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_layers_cannot_be_is_refused(case: str) -> None:
    stack, changes, text = REFUSED[case]
    with pytest.raises(ConfigError) as error:
        load_spec(changed_deployment(stack, changes), stack)
    assert text in str(error.value)
