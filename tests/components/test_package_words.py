"""What the schema tells beside its types: defaults and bounds of the specs, the package's own spelling, secrets."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from components.package.listing import public_components
from components.package.provider import package_provider
from components.package.schema import SECRET_INPUTS, finished


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(package_provider().schema or "")
    return found


def described(schema: dict[str, Any], path: str) -> str:
    owner, field = path.split(".")
    token = f"skerry:index:{owner}"
    group = schema["resources"].get(token, {}).get("inputProperties") or schema["types"][token]["properties"]
    text: str = group[field]["description"]
    return text


SAID = {
    "a number with bounds": (
        "StoreSize.replicas",
        "Members; three or more where a majority must live. At least 1, at most 9. Left out, 3.",
    ),
    "a bound that is not reached": (
        "Cognitive.gpuMemoryUtilization",
        "The share of GPU memory that vLLM may take. More than 0.1, at most 0.98. Left out, 0.9.",
    ),
    "a choice": ("VectorStore.kind", "Which vector store. Left out, `qdrant`."),
    "a text": ("AwsTarget.vpcCidr", "subnets must fit. Left out, `10.0.0.0/16`."),
    "a truth": ("Deployment.production", "unprotected stores violations. Left out, false."),
    "a list of choices": ("Cognitive.providers", "the later ones are fallbacks. Left out, `local`."),
    "a part of two fields": ("GraphStore.size", "Size of Neo4j. Left out, replicas 3 and storageGib 100."),
    "a part of many fields": ("Deployment.channels", "the tiers. Left out, the default of each of its fields."),
    "nothing": ("Target.baseStack", "for the platform layer on a cloud. Left out, none."),
    "a required one has bounds alone": ("Machine.vcpu", "Virtual CPUs. At least 1, at most 1024."),
    "words of their own are not said twice": ("Target.storageEncrypted", "it is not known (on own machines)."),
    "an argument by another name than its spec's": (
        "Workflows.historyShards",
        "Fixed for the life of the deployment. At least 1, at most 16384. Left out, 512.",
    ),
    "a field of a cluster": ("Cluster.imageAccess", "where a site registry is named. Left out, `rewrite`."),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID)
def test_a_description_says_the_default_and_the_bounds(case: str, schema: dict[str, Any]) -> None:
    path, end = SAID[case]
    assert end == described(schema, path)[-len(end) :]


def test_every_input_that_may_be_left_out_says_what_then_holds(schema: dict[str, Any]) -> None:
    silent = []
    for group, inputs, required in (
        ("resources", "inputProperties", "requiredInputs"),
        ("types", "properties", "required"),
    ):
        for token, owner in schema[group].items():
            for field, one in owner.get(inputs, {}).items():
                if field not in owner.get(required, []) and "left out" not in one["description"].lower():
                    silent.append(f"{token}.{field}")
    assert silent == []


def test_no_description_spells_a_field_as_a_stack_file_does(schema: dict[str, Any]) -> None:
    assert "`instanceType`" in schema["types"]["skerry:index:Machine"]["description"]
    assert "`temporal_visibility`" in described(schema, "Workflows.database"), "a database is no field"


def test_no_default_is_written_into_generated_sdks(schema: dict[str, Any]) -> None:
    """An SDK would send the default of the day it was generated."""
    for group, inputs in (("resources", "inputProperties"), ("types", "properties")):
        found = [one for owner in schema[group].values() for one in owner.get(inputs, {}).values() if "default" in one]
        assert found == []


def test_secrets_are_marked_and_take_outputs(schema: dict[str, Any]) -> None:
    marked = {
        (token.rpartition(":")[2], field)
        for token, owner in schema["resources"].items()
        for field, one in owner["inputProperties"].items()
        if one.get("secret")
    }
    assert {(kind, field) for kind, fields in SECRET_INPUTS.items() for field in fields} == marked
    assert "plain" not in schema["resources"]["skerry:index:CognitiveTier"]["inputProperties"]["apiKey"]
    secrets = schema["resources"]["skerry:index:Sensei"]["inputProperties"]["secrets"]
    assert "plain" not in secrets["additionalProperties"]


def test_every_string_that_holds_a_secret_is_marked(schema: dict[str, Any]) -> None:
    """By name: what is called a key, password, token or secret and is not a name of one."""
    names_only = {"keyArn", "secretRef", "secretEnvironment"}
    suspects = {
        (token.rpartition(":")[2], field)
        for token, owner in schema["resources"].items()
        for field in owner["inputProperties"]
        if any(word in field.lower() for word in ("key", "password", "token", "secret")) and field not in names_only
    }
    assert {(kind, field) for kind, fields in SECRET_INPUTS.items() for field in fields} == suspects


def test_finishing_again_changes_nothing_but_the_facts_it_adds() -> None:
    plain = {"resources": {}, "types": {"skerry:index:SecretKey": {"description": "  One.\n\n    Two.", "enum": None}}}
    before = copy.deepcopy(plain)
    found = finished(plain, {})
    assert found["types"]["skerry:index:SecretKey"] == {"description": "One.\n\nTwo."}
    assert before == plain


def test_every_public_component_stands_in_the_schema(schema: dict[str, Any]) -> None:
    assert {f"skerry:index:{one.__name__}" for one in public_components()} == set(schema["resources"])
