"""Inputs of foreign programs: whatever comes, every problem is told by its path, and nothing secret is shown."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pulumi
import pytest
from pulumi.output import Unknown

from components.package.arguments import Arguments, holds_output, schema_path
from components.package.provider import package_provider, refused_arguments
from skerry.config.spec import Purchase
from skerry.errors import Problem
from skerry.facts import Tier

PROVIDER = package_provider()
PLANTED = "planted-9d2b6c11"


def read(component: str, inputs: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    arguments = Arguments(PROVIDER._component_defs[component], PROVIDER._type_defs)
    return arguments.read(inputs), [f"{one.path}: {one.message}" for one in arguments.problems]


FINE = {"cluster": {}, "namespace": "n"}
HOSTILE: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "nothing at all": (
        "GraphStore",
        {},
        ["cluster: is required by GraphStore and missing", "namespace: is required by GraphStore and missing"],
    ),
    "null, which is nothing": (
        "GraphStore",
        {"cluster": None, "namespace": "n"},
        ["cluster: is required by GraphStore and missing"],
    ),
    "a list for a mapping": ("GraphStore", {**FINE, "cluster": []}, ["cluster: must be a mapping, got a list"]),
    "a text for a mapping": ("GraphStore", {**FINE, "size": "3"}, ["size: must be a mapping, got '3'"]),
    "a component for its outputs": (
        "Workflows",
        {**FINE, "database": "urn:pulumi:dev::p::skerry:index:RelationalStore::db"},
        ["database: must be a mapping, got a resource"],
    ),
    "a mapping for a text": ("GraphStore", {**FINE, "namespace": {}}, ["namespace: must be a string, got a mapping"]),
    "a number for a text": ("GraphStore", {**FINE, "namespace": 7.0}, ["namespace: must be a string, got 7.0"]),
    "true for a number": (
        "GraphStore",
        {**FINE, "size": {"replicas": True}},
        ["size.replicas: must be an integer, got True"],
    ),
    "infinity for a number": (
        "GraphStore",
        {**FINE, "size": {"replicas": float("inf")}},
        ["size.replicas: must be an integer, got inf"],
    ),
    "not a number": (
        "GraphStore",
        {**FINE, "size": {"replicas": float("nan")}},
        ["size.replicas: must be an integer, got nan"],
    ),
    "a text for a list": ("Rpc", {"cluster": {}, "namespaces": "n"}, ["namespaces: must be a list, got 'n'"]),
    "a mapping for a list": ("Rpc", {"cluster": {}, "namespaces": {}}, ["namespaces: must be a list, got a mapping"]),
    "a list for labels": (
        "GraphStore",
        {**FINE, "cluster": {"tags": ["a"]}},
        ["cluster.tags: must be a mapping, got a list"],
    ),
    "a wrong member of a list": (
        "Rpc",
        {"cluster": {}, "namespaces": ["a", 1.0]},
        ["namespaces[1]: must be a string, got 1.0"],
    ),
    "a wrong value of a mapping": (
        "GraphStore",
        {**FINE, "cluster": {"tags": {"a": 1.0}}},
        ["cluster.tags.a: must be a string, got 1.0"],
    ),
    "a choice in a list": (
        "CognitiveTier",
        {
            **FINE, "objects": {"bucket": "b"},
            "cognitive": {"providers": ["locl"], "scout": {"image": "a"}, "architect": {"image": "a"}},
        },
        ["cognitive.providers[0]: 'locl' is not one of local, second-local, openai, anthropic"],
    ),
    "a list for a choice": (
        "VectorStore",
        {**FINE, "kind": ["qdrant"]},
        ["kind: '['qdrant']' is not one of qdrant, pgvector, pinecone"],
    ),
    "a choice by the name of its member": (
        "VectorStore",
        {**FINE, "kind": "QDRANT"},
        ["kind: 'QDRANT' is not one of qdrant, pgvector, pinecone"],
    ),
    "an unknown where the shape is decided": (
        "GraphStore",
        {**FINE, "namespace": Unknown()},
        ["namespace: is an output, or not known yet"],
    ),
    "the whole of a nested part unknown": (
        "GraphStore",
        {**FINE, "size": Unknown()},
        ["size: is an output, or not known yet"],
    ),
    "several fields that there are not": (
        "GraphStore",
        {**FINE, "size": {"replica": 3.0, "gib": 1.0}},
        ["size.replica: is not a field of StoreSize", "size.gib: is not a field of StoreSize"],
    ),
    "the internal fields of an engine": (
        "GraphStore",
        {**FINE, "__defaults": []},
        ["__defaults: is not a field of GraphStore"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_each_problem_is_told_by_its_path(case: str) -> None:
    component, inputs, expected = HOSTILE[case]
    assert expected == read(component, inputs)[1]


def test_names_and_numbers_become_those_of_python() -> None:
    found, problems = read(
        "ExecutionTier",
        {
            **FINE,
            "pubsub": {"endpoint": "e", "secretRef": "s"},
            "execution": {
                "pool": {
                    "minimum": 4.0,
                    "maximum": 8.0,
                    "purchase": "spot",
                    "machine": {"vcpu": 32.0, "memoryGib": 64.0},
                },
                "worker": {"image": "w"},
                "validator": {"image": "v"},
            },
            "secretEnvironment": {"MY_KEY": {"secret": "s", "key": "k"}},
        },
    )
    assert problems == []
    pool = found["execution"]["pool"]
    assert [pool["minimum"], pool["maximum"], pool["purchase"]] == [4, 8, Purchase.SPOT]
    assert isinstance(pool["minimum"], int)
    assert pool["machine"] == {"vcpu": 32, "memory_gib": 64.0}
    assert found["secret_environment"] == {"MY_KEY": {"secret": "s", "key": "k"}}


def test_a_mapping_has_one_order_whatever_order_it_came_in() -> None:
    found, problems = read("AgentGroup", {"cluster": {}, "environment": {"TOKEN": "t", "BUCKET": "b", "A": "a"}})
    assert list(found["environment"]) == ["A", "BUCKET", "TOKEN"]
    assert [path.partition(":")[0] for path in problems if "environment" in path] == []


def test_a_choice_is_its_member() -> None:
    assert read("RelationalStore", {**FINE, "tier": "meta", "database": "d"})[0]["tier"] is Tier.META


def test_outputs_and_unknowns_are_handed_on_as_outputs() -> None:
    async def run() -> tuple[Any, Any, Any]:
        secret = pulumi.Output.secret(PLANTED)
        found, problems = read(
            "Workflows", {**FINE, "database": {"endpoint": secret, "port": Unknown(), "secretRef": "s"}}
        )
        assert problems == []
        port = found["database"]["port"]
        return await found["database"]["endpoint"].is_secret(), await port.is_known(), found["database"]["secret_ref"]

    assert asyncio.run(run()) == (True, False, "s")


def test_the_values_of_a_chart_are_anything() -> None:
    values = {"a": {"b": [1.0, None, True]}, "c": "d"}
    found, problems = read("Operator", {**FINE, "chart": "c", "why": "w", "values": values})
    assert problems == []
    assert values == found["values"]


PATHS = {
    "target.aws.vpc_cidr": "target.aws.vpcCidr",
    "residency.boundaries[0].data_class": "residency.boundaries[0].dataClass",
    "deployment.tags.cost_center": "deployment.tags.cost_center",
    "secrets.my_key": "secrets.my_key",
    "secret_environment.MY_KEY": "secretEnvironment.MY_KEY",
    "plain": "plain",
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_spelled_as_the_program_spells_it(path: str) -> None:
    assert PATHS[path] == schema_path(path)


def test_an_argument_that_may_hold_a_secret_is_not_named_to_the_engine_which_would_print_it() -> None:
    async def run() -> Any:
        inputs = {"environment": {"A": pulumi.Output.secret(PLANTED)}, "size": {"replicas": 99.0}}
        assert [holds_output(inputs["environment"]), holds_output(inputs["size"])] == [True, False]
        problems = [Problem("environment.B", "must be a string"), Problem("size.replicas", "is too many", "use fewer")]
        return refused_arguments("AgentGroup", "it", problems, inputs)

    refused = asyncio.run(run())
    assert refused.message.splitlines() == [
        "AgentGroup 'it' has 2 problems in its arguments",
        "\t\t- property environment.B has a problem: must be a string",
    ]
    assert refused.errors == [{"property_path": "size.replicas", "reason": "is too many; use fewer"}]


def test_the_schema_is_the_same_bytes_each_time() -> None:
    assert PROVIDER.schema == package_provider().schema
    assert json.loads(PROVIDER.schema or "")["name"] == "skerry"
