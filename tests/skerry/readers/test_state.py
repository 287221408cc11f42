"""Exported states: what was deployed, as a graph, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from skerry.errors import GraphError
from skerry.graph import UNKNOWN, Secret
from skerry.readers.state import read_state

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
STACK = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"
QUEUE = "urn:pulumi:dev::shop::aws:sqs/queue:Queue::queue"


def row(urn: str, **fields: Any) -> dict[str, Any]:
    return {"urn": urn, "type": urn.split("::")[2], "custom": urn != STACK, **fields}


def state(*rows: Any, version: Any = 3, **deployment: Any) -> str:
    return json.dumps({"version": version, "deployment": {"resources": list(rows), **deployment}})


def test_ids_and_outputs_are_known() -> None:
    graph = read_state(
        state(row(STACK, outputs={"url": "u"}), row(QUEUE, parent=STACK, id="q-1", outputs={"arn": "a"}))
    )
    assert (graph[QUEUE].id, dict(graph[QUEUE].outputs)) == ("q-1", {"arn": "a"})
    assert (graph.stack_outputs("dev"), graph.producer) == ({"url": "u"}, "state")


SECRETS: dict[str, tuple[dict[str, Any], Any]] = {
    "a sealed secret is a secret unknown": ({"ciphertext": "v1:abc"}, UNKNOWN),
    "an open one is known, and still secret": ({"plaintext": '{"a": [1.0, "x"]}'}, {"a": [1, "x"]}),
    "the mask of a preview means nothing inside an open secret": ({"plaintext": '"x"'}, "x"),
}


@pytest.mark.parametrize("case", SECRETS)
def test_secrets(case: str) -> None:
    sealed, expected = SECRETS[case]
    graph = read_state(state(row(STACK), row(QUEUE, parent=STACK, inputs={"p": {SIGNATURE: SECRET, **sealed}})))
    got = graph[QUEUE].inputs["p"]
    assert isinstance(got, Secret)
    assert got.value == expected


def test_an_open_secret_that_cannot_be_read_is_refused_without_being_repeated() -> None:
    broken = {SIGNATURE: SECRET, "plaintext": "hunter2{"}
    with pytest.raises(GraphError, match="cannot be read") as caught:
        read_state(state(row(STACK, inputs={"p": broken})))
    assert "hunter2" not in str(caught.value)


def test_an_old_copy_that_waits_for_its_deletion_is_left_out() -> None:
    graph = read_state(
        state(row(STACK), row(QUEUE, parent=STACK, id="new"), row(QUEUE, parent=STACK, id="old", delete=True))
    )
    assert [resource.id for resource in graph.resources] == ["", "new"]


def test_operations_that_never_ended_are_told(caplog: pytest.LogCaptureFixture) -> None:
    read_state(state(row(STACK), pending_operations=[{"type": "creating", "resource": row(QUEUE)}]))
    assert "1 operations that never ended" in caplog.text


REFUSED: dict[str, tuple[str, str]] = {
    "no JSON": ("", "the state is not JSON"),
    "no version": ('{"deployment": {}}', "has the version None"),
    "a version of the future": (state(row(STACK), version=9), "has the version 9: this reader knows 3 and 4"),
    "a version that is a list": (state(row(STACK), version=[3]), r"has the version \[3\]"),
    "no deployment": ('{"version": 3}', "the state has no deployment"),
    "an empty stack": (state(), "the state holds no resource: preview or deploy the stack first"),
    "resources that are an object": ('{"version": 3, "deployment": {"resources": {}}}', "is not a list of objects"),
    "a row that is null": (state(None), "is not a list of objects"),
    "the same URN twice": (state(row(STACK), row(STACK)), "holds the URN .* twice"),
    "a child before its parent": (state(row(QUEUE, parent=STACK), row(STACK)), "names the parent"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    text, message = REFUSED[case]
    with pytest.raises(GraphError, match=message):
        read_state(text)
