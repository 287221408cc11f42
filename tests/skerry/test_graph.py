"""The graph: its JSON form keeps everything but secrets, and marks are never taken for values."""

from __future__ import annotations

import json

import pytest

from skerry.errors import GraphError
from skerry.graph import (
    UNKNOWN,
    Asset,
    Invoke,
    Resource,
    ResourceGraph,
    ResourceRef,
    Secret,
    find,
    is_known,
    merge,
    walk,
)
from skerry.graph_json import from_json, to_json

STACK = Resource("urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev", "pulumi:pulumi:Stack", "p-dev", False)


def bucket(name: str = "b", **fields: object) -> Resource:
    urn = f"urn:pulumi:dev::p::aws:s3/bucket:Bucket::{name}"
    return Resource(urn, "aws:s3/bucket:Bucket", name, True, parent=STACK.urn, **fields)  # type: ignore[arg-type]


def graph(*resources: Resource) -> ResourceGraph:
    return ResourceGraph("p", ("dev",), (STACK, *resources), (Invoke("a:b:c", "dev", False, {"x": UNKNOWN}),), "engine")


def test_json_keeps_everything_but_the_content_of_secrets() -> None:
    full = bucket(
        inputs={
            "known": [1, 2.5, None, True, "text"],
            "unknown": UNKNOWN,
            "secret": Secret("hunter2"),
            "asset": Asset("file", "a.txt"),
            "ref": ResourceRef(STACK.urn),
        },
        provider="urn:pulumi:dev::p::pulumi:providers:aws::main::id",
        dependencies=(STACK.urn,),
        property_dependencies={"known": (STACK.urn,)},
        protect=True,
        retain_on_delete=True,
        ignore_changes=("a",),
        delete_before_replace=False,
        source="__main__.py:3",
    )
    text = to_json(graph(full))
    back = from_json(text)
    assert "hunter2" not in text
    assert back[full.urn].inputs["secret"] == Secret(UNKNOWN)
    expected = dict(full.inputs) | {"secret": Secret(UNKNOWN)}
    assert back[full.urn].inputs == expected
    assert back[full.urn].protect is True
    assert back[full.urn].property_dependencies == {"known": (STACK.urn,)}
    assert back.invokes == graph().invokes


def test_json_is_the_same_bytes_for_the_same_graph() -> None:
    first = bucket(inputs={"b": 1, "a": {"d": 1, "c": 2}})
    second = bucket(inputs={"a": {"c": 2, "d": 1}, "b": 1})
    assert to_json(graph(first)) == to_json(graph(second))


def test_a_secret_never_shows_in_its_repr() -> None:
    assert "hunter2" not in repr(bucket(inputs={"password": Secret("hunter2")}))


REFUSED = {
    "no JSON": ("{", "not a graph document"),
    "a list": ("[]", "not a graph document"),
    "a later version": (json.dumps({"schema": "skerry.graph/2"}), "is not known"),
    "no resources": (json.dumps({"schema": "skerry.graph/1", "project": "p", "stacks": []}), "'resources'"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_from_json_refuses(text: str, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        from_json(text)


def test_two_resources_with_one_urn_are_refused() -> None:
    with pytest.raises(GraphError, match="two resources have the URN"):
        graph(bucket(), bucket())


def test_unknown_is_neither_true_nor_false() -> None:
    with pytest.raises(GraphError, match="ask is_known"):
        bool(UNKNOWN)


FOUND = {
    "a value": ({"a": {"b": [1, 2]}}, "a.b.1", 2),
    "nothing": ({"a": {}}, "a.b", None),
    "an unknown in the way": ({"a": UNKNOWN}, "a.b.c", UNKNOWN),
    "a secret on the way": ({"a": Secret({"b": 1})}, "a.b", Secret(1)),
    "an unknown inside a secret": ({"a": Secret(UNKNOWN)}, "a.b", Secret(UNKNOWN)),
}


@pytest.mark.parametrize(("value", "path", "expected"), FOUND.values(), ids=FOUND.keys())
def test_find(value: object, path: str, expected: object) -> None:
    assert find(value, path) == expected


def test_is_known_looks_into_everything() -> None:
    assert is_known({"a": [Secret(1)]})
    assert not is_known({"a": [Secret({"b": UNKNOWN})]})


def test_walk_names_leaves_by_path() -> None:
    assert list(walk({"a": [{"b": 1}], "c": UNKNOWN})) == [("a[0].b", 1), ("c", UNKNOWN)]


def test_merge_keeps_the_order_of_stacks() -> None:
    other = Resource("urn:pulumi:base::p::pulumi:pulumi:Stack::p-base", "pulumi:pulumi:Stack", "p-base", False)
    merged = merge([ResourceGraph("p", ("base",), (other,)), graph(bucket())])
    assert merged.stacks == ("base", "dev")
    assert merged.path(merged.resources[-1]) == "p-dev > b"


def test_parents_and_children_are_found() -> None:
    found = graph(bucket("one"), bucket("two"))
    assert [child.name for child in found.children(STACK.urn)] == ["one", "two"]
    assert [item.name for item in found.ancestors(found.children(STACK.urn)[0])] == ["p-dev"]
