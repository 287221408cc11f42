"""The graph document as a file from anybody: every field is of its type, or one message says which is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from skerry.errors import GraphError
from skerry.graph import Invoke, Resource, ResourceGraph
from skerry.graph_json import from_json, to_json

STACK = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"
BOX = "urn:pulumi:dev::shop::shop:index:Box::box"


def document(**fields: Any) -> dict[str, Any]:
    graph = ResourceGraph(
        "shop",
        ("dev",),
        (
            Resource(STACK, "pulumi:pulumi:Stack", "shop-dev", custom=False),
            Resource(BOX, "shop:index:Box", "box", custom=False, parent=STACK, inputs={"a": 1}),
        ),
        invokes=(Invoke("aws:index/getRegion:getRegion", "dev", answered=True, answered_by="table"),),
        producer="engine",
        places={"dev": {"aws:region": "eu-west-1"}},
    )
    found: dict[str, Any] = json.loads(to_json(graph))
    return found | fields


def box(**fields: Any) -> dict[str, Any]:
    found = document()
    found["resources"][1] |= fields
    return found


def test_all_that_is_written_comes_back() -> None:
    text = json.dumps(document(), indent=2, ensure_ascii=False) + "\n"
    graph = from_json(text)
    assert to_json(graph) == text
    assert graph.places == {"dev": {"aws:region": "eu-west-1"}}
    assert graph.invokes[0].answered_by == "table"


MARK = "$skerry"
DEEP: Any = []
for _ in range(150):
    DEEP = [DEEP]
TOWER = [
    {
        "urn": f"{BOX}{n}",
        "type": "t",
        "name": "n",
        "custom": False,
        "parent": f"{BOX}{n - 1}" if n else "",
        "provider": "",
    }
    for n in range(150)
]
REFUSED: dict[str, tuple[Any, str]] = {
    "a number": (3, "a JSON int where an object is needed"),
    "a preview": ({"steps": []}, "--from-preview or --from-state"),
    "a project that is a list": (document(project=[]), "'project' of the graph document is []: a text is needed"),
    "stacks that are a text": (document(stacks="dev"), "'stacks'"),
    "resources that are an object": (document(resources={}), "'resources'"),
    "a resource that is a text": (document(resources=["x"]), "'resources'"),
    "no resources": ({key: value for key, value in document().items() if key != "resources"}, "'resources'"),
    "an invoke without a token": (document(invokes=[{"stack": "dev"}]), "'token'"),
    "an invoke that may be answered": (
        document(invokes=[{"token": "t", "stack": "d", "answered": "yes"}]),
        "'answered'",
    ),
    "places that are a list": (document(places=[]), "'places'"),
    "a place that is a number": (document(places={"dev": {"aws:region": 1}}), "'places'"),
    "a producer that is null": (document(producer=None), "'producer'"),
    "a URN that is a number": (box(urn=7), "'urn' of the graph document is 7: a text is needed"),
    "a type that is null": (box(type=None), "'type'"),
    "custom as a text": (box(custom="false"), "'custom' of the graph document is 'false': true or false is needed"),
    "protect as a number": (box(protect=1), "'protect'"),
    "inputs that are a list": (box(inputs=[]), "'inputs'"),
    "outputs that are a text": (box(outputs="x"), "'outputs'"),
    "dependencies of numbers": (box(dependencies=[1]), "'dependencies'"),
    "property dependencies that are a list": (box(propertyDependencies=[]), "'propertyDependencies'"),
    "property dependencies of a text": (box(propertyDependencies={"a": "urn"}), "'a'"),
    "an id that is an object": (box(id={}), "'id'"),
    "a mark of tomorrow": (box(inputs={"a": {MARK: "quantum"}}), "'quantum' is not a mark of skerry.graph/1"),
    "a mark that is null": (box(inputs={"a": {MARK: None}}), "'None' is not a mark"),
    "an asset without a place": (box(inputs={"a": {MARK: "asset", "kind": "file"}}), "'location'"),
    "a reference to a list": (box(inputs={"a": {MARK: "resource", "urn": []}}), "'urn'"),
    "values nested beyond use": (box(inputs={"a": DEEP}), "nested deeper than 100 levels"),
    "a URN twice": (box(urn=STACK, parent=""), "two resources have the URN"),
    "a parent that is not there": (box(parent=f"{BOX}2"), "names the parent"),
    "a resource that is its own parent": (box(parent=BOX), "before or without holding it"),
    "a tower of parents": (document(resources=TOWER), "more than 100 parents"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_graph_document_is_refused(case: str) -> None:
    value, said = REFUSED[case]
    with pytest.raises(GraphError) as caught:
        from_json(json.dumps(value))
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\x00", '{"schema": "skerry.graph/1"'])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(GraphError, match="not a graph document"):
        from_json(text)
