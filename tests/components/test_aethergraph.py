"""AetherGraph in the graph: what stands where, who may call whom, and stores that outlive a change of mode."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pytest

from airgap_bundle.plan import plan as carried
from policies.runner import check
from skerry.catalog import load_catalog
from skerry.facts import facts_of
from skerry.graph import Resource, ResourceGraph, plain
from skerry.systems.aethergraph_environment import PRIMITIVES
from tests.simulators.aethergraph_stacks import (
    AIRGAPPED,
    ELSEWHERE,
    LOCAL_WORKER,
    ONPREM,
    SAAS,
    SAAS_BASE,
    SHIPPED,
    SIDECAR,
    SLACK_EVENTS,
    TENANTS,
    TO_SAAS,
    secrets_of,
)
from tests.simulators.changed_stacks import run_changed
from tests.simulators.coverage_rows import TODAY


@cache
def _graph(stack: str, changes: str) -> ResourceGraph:
    found = json.loads(changes)
    return run_changed(stack, found, secrets=secrets_of(found))


def graph(stack: str, changes: Mapping[str, Any] | None = None) -> ResourceGraph:
    return _graph(stack, json.dumps(changes or {}, sort_keys=True))


def named(found: ResourceGraph, kind: str, name: str) -> Resource:
    (one,) = [r for r in found.resources if r.type.rpartition(":")[2] == kind and r.name == name]
    return one


def environment(found: ResourceGraph, name: str) -> dict[str, Any]:
    spec = plain(named(found, "Deployment", f"{name}-deployment").inputs)["spec"]["template"]["spec"]
    return {row["name"]: row.get("value", row.get("valueFrom")) for row in spec["containers"][0]["env"]}


def outputs(found: ResourceGraph) -> dict[str, Any]:
    return dict(found.stack_outputs(found.stacks[-1]))


@pytest.mark.parametrize("stack", SHIPPED)
def test_the_resources_of_a_stack_have_the_names_on_record(stack: str, golden: Callable[[str, str], None]) -> None:
    rows = [f"{r.type}  {r.urn}" for r in graph(stack).resources if r.stack == stack]
    golden(f"urns-{stack}.txt", "\n".join(rows) + "\n")


@pytest.mark.parametrize("stack", SHIPPED)
def test_a_shipped_stack_violates_nothing(stack: str) -> None:
    assert [(one.rule.id, one.path, one.message) for one in check(graph(stack), today=TODAY).failures] == []


def test_stores_keep_their_names_from_one_tenant_to_many() -> None:
    """What is protected in one mode is there in the other, with the same URN and the same inputs."""
    one, many = ({r.urn: r for r in graph(ONPREM, changes).resources if r.protect} for changes in ({}, TO_SAAS))
    assert set(one) == set(many)
    assert len(one) == 8
    for urn, resource in one.items():
        assert resource.retain_on_delete
        assert (urn, plain(resource.inputs)) == (urn, plain(many[urn].inputs))


MODES: dict[str, tuple[str, Mapping[str, Any]]] = {
    "one tenant": (ONPREM, {}),
    "one tenant without a connection": (AIRGAPPED, {}),
    "many tenants": (ONPREM, TO_SAAS),
    "many tenants on AWS": (SAAS, {}),
    "beside one user": (ONPREM, SIDECAR),
    "a local worker": (ONPREM, LOCAL_WORKER),
}


MODES |= ELSEWHERE


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_has_the_same_names_of_outputs_for_its_stores(mode: str) -> None:
    found = outputs(graph(*MODES[mode]))
    assert set(found["stores"]) == set(PRIMITIVES)


def test_every_process_of_every_mode_is_told_of_its_stores_by_the_same_names() -> None:
    variables = set(PRIMITIVES.values())
    for stack, changes in (MODES[mode] for mode in ("one tenant", "many tenants", "many tenants on AWS")):
        found = graph(stack, changes)
        for name in [r.name.removesuffix("-deployment") for r in found.of_type("kubernetes:apps/v1:Deployment")]:
            if name in ("server", "control-plane", "worker"):
                assert variables <= set(environment(found, name)), name
    assert variables <= set(plain(named(graph(ONPREM, SIDECAR), "LocalProcess", "sidecar").inputs)["environment"])


def test_the_connections_say_where_the_stores_of_a_site_are_and_no_password() -> None:
    where = (
        "postgresql://aethergraph@database-rw.aethergraph-services.svc.cluster.local:5432/aethergraph?sslmode=require"
    )
    assert outputs(graph(ONPREM))["stores"] == {
        "blobStore": "s3://aethergraph",
        "docStore": where,
        "eventLog": where,
        "vectorIndex": where,
        "kv": "redis://valkey-0.valkey-headless.aethergraph-stores.svc.cluster.local:6379",
    }


def test_workers_have_no_route_and_no_public_way_in() -> None:
    found = graph(SAAS, TENANTS)
    routed = [plain(r.inputs)["metadata"]["name"] for r in found.resources if r.type.endswith(":HTTPRoute")]
    assert routed == ["control-plane"]
    entrance = plain(named(found, "ServiceEntrance", "entrance-public").inputs)
    assert entrance["internetFacing"] is True
    assert [(row["name"], row["host"]) for row in entrance["endpoints"]] == [
        ("control-plane", "aethergraph.vendor.example")
    ]
    assert [r.name for r in found.resources if r.type.endswith(":ServiceEntrance")] == ["entrance-public"]


def test_workers_follow_the_queue_down_to_none() -> None:
    scaler = plain(named(graph(SAAS), "ScaledObject", "worker-scaler").inputs)["spec"]
    assert (scaler["minReplicaCount"], scaler["maxReplicaCount"]) == (0, 20)
    told = environment(graph(SAAS), "worker")
    assert int(told["QUEUE_CLAIM_IDLE_MS"]) > 1000 * int(told["GRAPH_TIMEOUT_S"])
    assert told["QUEUE_DEAD_STREAM"]


def test_slack_reaches_its_path_and_nothing_else() -> None:
    found = graph(ONPREM, SLACK_EVENTS)
    rules = plain(named(found, "HTTPRoute", "entrance-public-route-slack").inputs)["spec"]["rules"]
    assert [match["path"]["value"] for rule in rules for match in rule["matches"]] == ["/api/channel/slack/events"]
    inside = plain(named(found, "HTTPRoute", "entrance-internal-route-server").inputs)["spec"]["rules"]
    assert [match["path"]["value"] for rule in inside for match in rule["matches"]] == ["/"]


ABROAD: Mapping[str, Any] = {
    "aethergraph.llm": {"url": "https://api.openai.com/v1", "jurisdiction": "US"},
}


def test_a_model_abroad_is_a_violation_under_a_boundary_that_it_leaves() -> None:
    report = check(graph(ONPREM, ABROAD), today=TODAY)
    assert [(one.rule.id, one.path.rpartition(" > ")[2], one.message) for one in report.failures] == [
        (
            "RES001",
            "llm",
            "the model-provider lies in US, but confidential data must stay in EU",
        )
    ]


def test_slack_abroad_is_one_too() -> None:
    report = check(graph(ONPREM, SLACK_EVENTS), today=TODAY)
    assert {(one.rule.id, one.path.rpartition(" > ")[2]) for one in report.failures} == {("RES001", "slack-api")}


def test_a_base_trusts_the_services_and_names_no_agent_of_another_system() -> None:
    found = [r for r in graph(SAAS_BASE).resources if r.type.endswith(":PodIdentityAssociation")]
    assert {plain(r.inputs)["namespace"] for r in found} == {"aethergraph-services", "aethergraph-operators"}


def test_a_sidecar_is_one_process_with_its_files_and_no_resource_of_anybody() -> None:
    found = graph(ONPREM, SIDECAR)
    assert [r.name for r in found.resources if r.custom] == []
    process = plain(named(found, "LocalProcess", "sidecar").inputs)
    assert process["ports"] == {"api": 8080, "ui": 3000}
    assert json.loads(process["files"]["compose.yaml"])["services"]["aethergraph"]["network_mode"] == "host"
    assert "AETHERGRAPH_BIND=127.0.0.1:8080\n" in process["files"]["aethergraph.env"]


@pytest.mark.parametrize("stack", [AIRGAPPED, ONPREM])
def test_all_that_a_site_needs_is_in_the_plan_of_its_bundle(stack: str) -> None:
    found = carried(graph(stack), lock=load_catalog().lock)
    assert (found.problems, found.complete) == ((), True)
    assert "registry.vendor.example/aethergraph/runtime:1.0.0" in {item.name for item in found.items}


@pytest.mark.parametrize("stack", [ONPREM, AIRGAPPED, SAAS])
def test_what_images_are_for_says_nothing_of_what_another_system_has(stack: str) -> None:
    """`skerry bundle plan` prints it."""
    found = [facts_of(one) for one in graph(stack).resources]
    why = {image.why for facts in found if facts is not None for image in facts.images}
    assert len(why) > 5
    assert [text for text in why if any(word in text for word in ("Temporal", "MLflow", "pub/sub", "interfaces"))] == []
