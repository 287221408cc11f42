"""The reader of `pulumi stack export`: sealed secrets stay sealed, and what it does not know stops it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from skerry.errors import GraphError
from skerry.graph import UNKNOWN, ResourceGraph, Secret
from skerry.graph_json import from_json, to_json
from skerry.readers.state import read_state

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
STACK = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"
STORE = "urn:pulumi:dev::shop::skerry:index:VectorStore::store"
SET = "urn:pulumi:dev::shop::skerry:index:VectorStore$kubernetes:apps/v1:StatefulSet::store-set"
DEFAULT = "urn:pulumi:dev::shop::pulumi:providers:kubernetes::default_4_34_2"


def row(urn: str, **fields: Any) -> dict[str, Any]:
    type_ = urn.split("::")[2].rsplit("$", 1)[-1]
    parent = {} if urn in (STACK, DEFAULT) else {"parent": STACK}
    return {"urn": urn, "type": type_, "custom": type_.startswith(("kubernetes", "pulumi:prov")), **parent, **fields}


def exported(*rows: Any, version: Any = 3, **fields: Any) -> str:
    return json.dumps({"version": version, "deployment": {"resources": [row(STACK), *rows], **fields}})


def store_set(**fields: Any) -> ResourceGraph:
    return read_state(exported(row(STORE), row(SET, parent=STORE, **fields)))


def test_a_state_holds_ids_outputs_and_parents() -> None:
    text = exported(
        row(DEFAULT, id="3157", inputs={"version": "4.34.2"}),
        row(STORE, inputs={"tier": "meta"}, outputs={"port": 6333.0}),
        row(
            SET,
            parent=STORE,
            id="meta/store-set",
            provider=f"{DEFAULT}::3157",
            inputs={"spec": {"replicas": 3}},
            outputs={"spec": {"replicas": 3}, "status": {}},
            dependencies=[STORE],
            protect=True,
            retainOnDelete=True,
        ),
    )
    graph = read_state(text)
    found = graph[SET]
    assert (graph.project, graph.stacks, graph.producer) == ("shop", ("dev",), "state")
    assert [one.urn for one in graph.resources] == [STACK, STORE, SET]
    assert (found.id, found.parent, found.provider) == ("meta/store-set", STORE, "")
    assert (found.protect, found.retain_on_delete, found.dependencies) == (True, True, (STORE,))
    assert found.outputs == {"spec": {"replicas": 3}, "status": {}}
    assert graph[STORE].outputs == {"port": 6333}
    assert graph.path(found) == "shop-dev > store > store-set"


SECRETS: dict[str, tuple[Any, Any]] = {
    "sealed": ({SIGNATURE: SECRET, "ciphertext": "v1:x"}, Secret(UNKNOWN)),
    "exported with --show-secrets": ({SIGNATURE: SECRET, "plaintext": '"hunter2"'}, Secret("hunter2")),
    "an object with --show-secrets": ({SIGNATURE: SECRET, "plaintext": '{"a": [1.0]}'}, Secret({"a": [1]})),
}


@pytest.mark.parametrize("case", SECRETS)
def test_secrets(case: str) -> None:
    printed, expected = SECRETS[case]
    assert expected == store_set(inputs={"password": printed})[SET].inputs["password"]


def test_a_secret_that_was_shown_is_not_written_again() -> None:
    graph = store_set(inputs={"password": {SIGNATURE: SECRET, "plaintext": '"hunter2"'}})
    text = to_json(graph)
    assert "hunter2" not in text
    assert "hunter2" not in repr(graph)
    assert from_json(text)[SET].inputs["password"] == Secret(UNKNOWN)


def test_an_old_copy_that_waits_for_its_deletion_is_left_out() -> None:
    graph = read_state(exported(row(STORE), row(SET, parent=STORE, id="new"), row(SET, id="old", delete=True)))
    assert graph[SET].id == "new"


def checkpoint(latest: Any, version: Any = 3) -> str:
    return json.dumps({"version": version, "checkpoint": {"stack": "organization/shop/dev", "latest": latest}})


def test_the_checkpoint_file_of_a_backend_is_a_state_too() -> None:
    graph = read_state(checkpoint({"resources": [row(STACK), row(STORE)]}, version=4))
    assert [one.urn for one in graph.resources] == [STACK, STORE]


def test_version_4_may_use_what_does_not_change_the_meaning_of_a_resource() -> None:
    known = ["refreshBeforeUpdate", "views", "hooks", "taint", "replaceWith", "byteString"]
    text = json.dumps(
        {"version": 4, "features": known, "deployment": {"resources": [row(STACK), row(STORE, taint=True)]}}
    )
    assert read_state(text)[STORE].name == "store"


def test_a_text_that_is_no_utf_8_is_unknown_and_not_an_object() -> None:
    value = {SIGNATURE: "803fd3297a5875dc03ca845dda5d2a98", "value": "/w=="}
    assert store_set(inputs={"key": value})[SET].inputs["key"] is UNKNOWN


def test_a_provider_s_notes_about_its_defaults_are_no_inputs() -> None:
    found = store_set(inputs={"__defaults": ["a"], "a": 1, "list": [{"__defaults": [], "b": 2}]})[SET]
    assert found.inputs == {"a": 1, "list": [{"b": 2}]}


def test_a_name_may_hold_what_separates_the_parts_of_a_urn() -> None:
    urn = "urn:pulumi:dev::shop::aws:s3/bucket:Bucket::logs::2026"
    found = read_state(exported({**row(urn), "custom": True}))[urn]
    assert (found.name, found.type) == ("logs::2026", "aws:s3/bucket:Bucket")


def provider(name: str, package: str = "aws", **fields: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:dev::shop::pulumi:providers:{package}::{name}"
    return {"urn": urn, "type": f"pulumi:providers:{package}", "custom": True, "id": "1", **fields}


PLACES: dict[str, tuple[list[dict[str, Any]], dict[str, str]]] = {
    "one default provider": ([provider("default_7_1_0", inputs={"region": "eu-west-1"})], {"aws:region": "eu-west-1"}),
    "two that agree": (
        [provider(name, inputs={"region": "eu-west-1"}) for name in ("default_7_1_0", "default_6_0_0")],
        {"aws:region": "eu-west-1"},
    ),
    "two that do not": (
        [provider("default_7_1_0", inputs={"region": "a"}), provider("default_6_0_0", inputs={"region": "b"})],
        {},
    ),
    "no region": ([provider("default_7_1_0", inputs={"version": "7.1.0"})], {}),
    "a sealed one": ([provider("default_7_1_0", inputs={"region": {SIGNATURE: SECRET, "ciphertext": "x"}})], {}),
    "inputs that are a list": ([provider("default_7_1_0", inputs=[])], {}),
    "a provider of the program": ([provider("default_7_1_0", parent=STACK, inputs={"region": "eu-west-1"})], {}),
    "one more package": (
        [provider("default", "gcp", inputs={"zone": "europe-west3-a", "project": "p"})],
        {"gcp:zone": "europe-west3-a"},
    ),
}


@pytest.mark.parametrize("case", PLACES)
def test_where_default_providers_put_things(case: str) -> None:
    rows, expected = PLACES[case]
    graph = read_state(exported(*rows))
    assert graph.places == ({"dev": expected} if expected else {})


REFERENCES: dict[str, tuple[str, dict[str, Any], bool]] = {
    "the engine's own": ("default_7_1_0", {}, False),
    "the engine's own without a version": ("default", {}, False),
    "the program's, named like one": ("default_mine", {"parent": STACK}, True),
    "the program's, whose name begins so": ("default-ireland", {"parent": STACK}, True),
    "the program's, in one word": ("defaults", {"parent": STACK}, True),
}


@pytest.mark.parametrize("case", REFERENCES)
def test_a_reference_is_kept_for_every_provider_of_the_program(case: str) -> None:
    name, fields, kept = REFERENCES[case]
    made = provider(name, "kubernetes", **fields)
    graph = read_state(exported(row(STORE), made, row(SET, parent=STORE, provider=f"{made['urn']}::1")))
    assert graph[SET].provider == (f"{made['urn']}::1" if kept else "")
    assert (graph.get(made["urn"]) is not None) is kept


REFUSED: dict[str, tuple[str, str]] = {
    "no text at all": ("", "is empty"),
    "cut off in the middle": (exported(row(STORE))[:-9], "not JSON"),
    "a list": ("[]", "an object is needed"),
    "a version of tomorrow": (exported(version=5), "version 5"),
    "a version before ours": (exported(version=2), "version 2"),
    "a version in text": (exported(version="3"), "version '3'"),
    "a version that is true": (exported(version=True), "version True"),
    "a feature of tomorrow": (
        json.dumps({"version": 4, "features": ["views", "wormholes"], "deployment": {}}),
        "the state uses wormholes, which this reader does not know: known are byteString",
    ),
    "features that are a text": (json.dumps({"version": 4, "features": "views", "deployment": {}}), "'features'"),
    "a checkpoint of nothing": (checkpoint(None), "never deployed"),
    "a checkpoint that is a list": (json.dumps({"version": 3, "checkpoint": []}), "no deployment"),
    "a preview": ('{"steps": []}', "this is a preview and no state: --from-preview reads it"),
    "a graph": ('{"schema": "skerry.graph/1"}', "--graph reads it"),
    "pending operations that are an object": (exported(pending_operations={}), "'pending_operations'"),
    "no version": ('{"deployment": {}}', "version None"),
    "no deployment": ('{"version": 3}', "this is no state: give what `pulumi stack export` printed"),
    "a deployment that is null": ('{"version": 3, "deployment": null}', "no deployment"),
    "a state of before providers": ('{"version": 2, "deployment": {}}', "export it with a current command"),
    "a state of tomorrow": ('{"version": 5, "deployment": {}}', "a newer Skerry may know it"),
    "the inside of a state": ('{"manifest": {}, "resources": []}', 'put it into {"version": 3, "deployment": ...}'),
    "a state of Terraform": ('{"version": 4, "terraform_version": "1.5.0", "resources": []}', "this is of Terraform"),
    "outputs of a stack": ('{"bucket": "x"}', "this is no state"),
    "a deployment that is a list": ('{"version": 3, "deployment": []}', "no deployment"),
    "resources that are an object": ('{"version": 3, "deployment": {"resources": {}}}', "'resources'"),
    "a resource that is a text": (exported("x"), "'resources'"),
    "an empty stack": ('{"version": 3, "deployment": {"resources": []}}', "no resource"),
    "one URN twice, both alive": (exported(row(STORE), row(STORE)), "twice"),
    "a child without its parent": (exported(row(SET, parent=STORE)), "without holding it: run `pulumi state repair`"),
    "a URN that is none": (exported({**row(STORE), "urn": "store"}), "URN"),
    "a type that is a number": (exported({**row(STORE), "type": 7}), "type"),
    "outputs that are a text": (exported(row(STORE, outputs="x")), "outputs"),
    "a shown secret that is no JSON": (
        exported(row(STORE, inputs={"a": {SIGNATURE: SECRET, "plaintext": "hunter2"}})),
        "inputs",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_a_readable_state_is_refused(case: str) -> None:
    text, said = REFUSED[case]
    with pytest.raises(GraphError) as caught:
        read_state(text)
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_operations_that_never_ended_are_told(caplog: pytest.LogCaptureFixture) -> None:
    read_state(exported(pending_operations=[{"type": "creating", "resource": row(STORE)}, {"type": "deleting"}]))
    assert "2 operations that never ended" in caplog.text
    assert f"creating {STORE}, deleting a resource" in caplog.text


def test_a_resource_that_was_deleted_and_not_made_anew_is_told(caplog: pytest.LogCaptureFixture) -> None:
    read_state(exported(row(STORE, pendingReplacement=True)))
    assert f"{STORE} was deleted and not yet made anew" in caplog.text


def test_a_stack_s_outputs_are_at_hand_for_the_stacks_over_it() -> None:
    text = json.dumps({"version": 3, "deployment": {"resources": [row(STACK, outputs={"url": "u"})]}})
    assert read_state(text).stack_outputs("dev") == {"url": "u"}
