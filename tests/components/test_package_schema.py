"""The schema is a promise to programs in every language: changes stand on record, and what breaks is named."""

from __future__ import annotations

import copy
import json
import tomllib
from typing import Any

import pytest
import yaml

from components.package.provider import NAME, VERSION, package_provider
from tests.conftest import ROOT
from tests.simulators.schema_changes import Kind, changes, report, settled

GOLDEN = ROOT / "tests" / "golden" / "package-schema.json"


@pytest.fixture(scope="module")
def promised() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return found


def test_the_declarations_give_the_schema_on_record(promised: dict[str, Any]) -> None:
    """tests/cli_real/test_package.py writes the record, which is what the real command prints."""
    own = settled(json.loads(package_provider().schema or ""))
    record = settled(promised)
    assert own == record, report(record, own)


def test_the_version_is_the_project_s() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    plugin = yaml.safe_load((ROOT / "components" / "PulumiPlugin.yaml").read_text(encoding="utf-8"))
    assert [project["name"], project["version"]] == [NAME, VERSION] == [plugin["name"], plugin["version"]]


def test_everything_is_described(promised: dict[str, Any]) -> None:
    named = {**promised["resources"], **promised["types"]}
    parts = list(named.items())
    parts += [
        (f"{token}.{name}", one)
        for token, owner in named.items()
        for group in ("properties", "inputProperties")
        for name, one in owner.get(group, {}).items()
    ]
    assert [name for name, one in parts if not one.get("description", "").strip()] == []
    assert len(parts) > 300


def test_a_component_and_a_type_never_share_a_name(promised: dict[str, Any]) -> None:
    """SDKs in Go and C# put both in one package."""
    assert promised["resources"].keys() & promised["types"].keys() == set()
    arguments = {f"{token}Args" for token in promised["resources"]}
    assert arguments & promised["types"].keys() == set()


def store(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["resources"]["skerry:index:VectorStore"]
    return found


def remove(key: str, *path: str) -> Any:
    def change(schema: dict[str, Any]) -> None:
        place: Any = schema
        for part in path:
            place = place[part]
        place.pop(key) if isinstance(place, dict) else place.remove(key)

    return change


def put(value: Any, *path: str) -> Any:
    def change(schema: dict[str, Any]) -> None:
        *folders, last = path
        place: Any = schema
        for part in folders:
            place = place[part]
        if isinstance(place[last], list):
            place[last] = [*place[last], value]
        else:
            place[last] = {**place[last], **value}

    return change


STORE = ("resources", "skerry:index:VectorStore")
CASES: dict[str, tuple[Any, list[str]]] = {
    "a component removed": (
        remove("skerry:index:VectorStore", "resources"),
        ["breaking: skerry:index:VectorStore: was removed"],
    ),
    "an input removed": (
        remove("size", *STORE, "inputProperties"),
        ["breaking: skerry:index:VectorStore input size: was removed"],
    ),
    "an output removed": (
        remove("metricsEndpoint", *STORE, "properties"),
        ["breaking: skerry:index:VectorStore output metricsEndpoint: was removed"],
    ),
    "an input that is required now": (
        put("kind", *STORE, "requiredInputs"),
        ["breaking: skerry:index:VectorStore input kind: is required now"],
    ),
    "an input of another type": (
        put({"type": "integer"}, *STORE, "inputProperties", "namespace"),
        ['breaking: skerry:index:VectorStore input namespace: is {"type": "integer"}, was {"type": "string"}'],
    ),
    "an output of another type": (
        put({"type": "string"}, *STORE, "properties", "port"),
        ['breaking: skerry:index:VectorStore output port: is {"type": "string"}, was {"type": "integer"}'],
    ),
    "an output that may be absent now": (
        remove("port", *STORE, "required"),
        ["breaking: skerry:index:VectorStore output port: may be absent now"],
    ),
    "an input that took outputs and must be known now": (
        put({"plain": True}, "types", "skerry:index:Database", "properties", "endpoint"),
        ["breaking: skerry:index:Database field endpoint: must be known now, took outputs before"],
    ),
    "a member of a list that must be known now": (
        put(
            {"items": {"type": "string", "plain": True}},
            "resources", "skerry:index:AwsPostgres", "inputProperties", "subnetIds",
        ),
        ["breaking: skerry:index:AwsPostgres input subnetIds items: must be known now, took outputs before"],
    ),
    "a field of a type removed": (
        remove("replicas", "types", "skerry:index:StoreSize", "properties"),
        ["breaking: skerry:index:StoreSize field replicas: was removed"],
    ),
    "a value of a choice added": (
        put({"name": "MILVUS", "value": "milvus"}, "types", "skerry:index:VectorStoreKind", "enum"),
        ["additive: skerry:index:VectorStoreKind: value 'milvus' is new"],
    ),
    "an input added": (
        put({"backup": {"type": "string"}}, *STORE, "inputProperties"),
        ["additive: skerry:index:VectorStore input backup: is new"],
    ),
    "an output added": (
        put({"console": {"type": "string"}}, *STORE, "properties"),
        ["additive: skerry:index:VectorStore output console: is new"],
    ),
    "an input that may be left out now": (
        remove("namespace", *STORE, "requiredInputs"),
        ["additive: skerry:index:VectorStore input namespace: may be left out now"],
    ),
    "an input that takes outputs now": (
        remove("plain", *STORE, "inputProperties", "namespace"),
        ["additive: skerry:index:VectorStore input namespace: takes outputs now"],
    ),
    "a secret that is sealed no more": (
        remove("secret", "resources", "skerry:index:CognitiveTier", "inputProperties", "apiKey"),
        ["breaking: skerry:index:CognitiveTier input apiKey: is no secret any more: programs would show it"],
    ),
    "an input that is sealed now": (
        put({"secret": True}, *STORE, "inputProperties", "namespace"),
        ["additive: skerry:index:VectorStore input namespace: is secret now"],
    ),
    "other words": (
        put({"description": "Keeps vectors."}, *STORE),
        ["words: skerry:index:VectorStore: is described in other words"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_change_is_told_for_what_it_does_to_programs(case: str, promised: dict[str, Any]) -> None:
    change, expected = CASES[case]
    new = copy.deepcopy(promised)
    change(new)
    assert expected == [str(one) for one in changes(promised, new)]


def test_a_new_required_input_breaks_programs(promised: dict[str, Any]) -> None:
    new = copy.deepcopy(promised)
    store(new)["inputProperties"]["owner"] = {"type": "string"}
    store(new)["requiredInputs"].append("owner")
    assert [str(one) for one in changes(promised, new)] == [
        "breaking: skerry:index:VectorStore input owner: is new and required"
    ]


def test_a_value_of_a_choice_that_goes_breaks_programs(promised: dict[str, Any]) -> None:
    new = copy.deepcopy(promised)
    new["types"]["skerry:index:VectorStoreKind"]["enum"].pop()
    assert [one.kind for one in changes(promised, new)] == [Kind.BREAKING]


def test_the_report_says_what_to_do(promised: dict[str, Any]) -> None:
    new = copy.deepcopy(promised)
    store(new)["inputProperties"].pop("size")
    assert report(promised, new).splitlines() == [
        "1 of 1 changes break programs: take them back, or raise the version and say in CHANGELOG.md what a user must "
        "do; then `make golden`",
        "breaking: skerry:index:VectorStore input size: was removed",
    ]
    assert report(promised, promised).startswith("0 changes, none of which breaks")
