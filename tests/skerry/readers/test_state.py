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


REFUSED: dict[str, tuple[str, str]] = {
    "no text at all": ("", "is empty"),
    "cut off in the middle": (exported(row(STORE))[:-9], "not JSON"),
    "a list": ("[]", "an object is needed"),
    "a version of tomorrow": (exported(version=5), "version 5"),
    "a version before ours": (exported(version=2), "version 2"),
    "a version in text": (exported(version="3"), "version '3'"),
    "no version": ('{"deployment": {}}', "version None"),
    "no deployment": ('{"version": 3}', "no deployment"),
    "a deployment that is a list": ('{"version": 3, "deployment": []}', "no deployment"),
    "resources that are an object": ('{"version": 3, "deployment": {"resources": {}}}', "'resources'"),
    "a resource that is a text": (exported("x"), "'resources'"),
    "an empty stack": ('{"version": 3, "deployment": {"resources": []}}', "no resource"),
    "one URN twice, both alive": (exported(row(STORE), row(STORE)), "twice"),
    "a child without its parent": (exported(row(SET, parent=STORE)), "parent"),
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
    read_state(exported(pending_operations=[{"type": "creating", "resource": row(STORE)}]))
    assert "1 operations that never ended" in caplog.text


def test_a_stack_s_outputs_are_at_hand_for_the_stacks_over_it() -> None:
    text = json.dumps({"version": 3, "deployment": {"resources": [row(STACK, outputs={"url": "u"})]}})
    assert read_state(text).stack_outputs("dev") == {"url": "u"}
