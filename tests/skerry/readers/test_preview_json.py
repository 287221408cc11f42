"""The reader of `pulumi preview --json`: what it takes, and what it refuses to take for a whole graph."""

from __future__ import annotations

import json
from typing import Any

import pytest

from skerry.errors import GraphError
from skerry.graph import UNKNOWN, Asset, ResourceGraph, ResourceRef, Secret
from skerry.readers.preview_json import read_preview

UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SIGNATURE = "4dabf18193072939515e22adb298388d"
STACK = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"
BUCKET = "urn:pulumi:dev::shop::aws:s3/bucket:Bucket::data"
PROVIDER = "urn:pulumi:dev::shop::pulumi:providers:aws::site"
DEFAULT = "urn:pulumi:dev::shop::pulumi:providers:aws::default_7_51_1"


def state(urn: str, **fields: Any) -> dict[str, Any]:
    type_ = urn.split("::")[2].rsplit("$", 1)[-1]
    parent = {} if urn == STACK else {"parent": STACK}
    return {"urn": urn, "type": type_, "custom": urn != STACK, **parent, **fields}


def step(urn: str, op: str = "create", **fields: Any) -> dict[str, Any]:
    return {"op": op, "urn": urn, "newState": state(urn, **fields)}


def document(*steps: Any, **fields: Any) -> str:
    return json.dumps({"steps": [step(STACK), *steps], **fields})


def bucket(**fields: Any) -> ResourceGraph:
    return read_preview(document(step(BUCKET, **fields)))


VALUES: dict[str, tuple[Any, Any]] = {
    "a text": ("x", "x"),
    "a whole number printed with a fraction": (3.0, 3),
    "a number with a fraction": (0.5, 0.5),
    "a number beyond all digits": (1.7976931348623157e308, 17976931348623157 * 10**292),
    "an unknown": (UNKNOWN_TEXT, UNKNOWN),
    "a text that only contains the mark of an unknown": (f"x{UNKNOWN_TEXT}", f"x{UNKNOWN_TEXT}"),
    "a masked secret": ("[secret]", Secret(UNKNOWN)),
    "a mask deep inside": ({"a": [{"b": "[secret]"}]}, {"a": [{"b": Secret(UNKNOWN)}]}),
    "a sealed secret": (
        {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"},
        Secret(UNKNOWN),
    ),
    "a file": (
        {SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "path": "a.txt", "hash": "00"},
        Asset("file", "a.txt"),
    ),
    "a resource": ({SIGNATURE: "5cf8f73096256a8f31e491e813e4eb8e", "urn": STACK}, ResourceRef(STACK)),
    "a mark of a kind not known here": ({SIGNATURE: "00"}, UNKNOWN),
    "nothing": (None, None),
}


@pytest.mark.parametrize("case", VALUES)
def test_values_become_the_marks_of_the_graph(case: str) -> None:
    printed, expected = VALUES[case]
    found = bucket(inputs={"field": printed})[BUCKET].inputs["field"]
    assert expected == found
    assert type(expected) is type(found)


def test_a_resource_keeps_its_options_dependencies_and_place() -> None:
    graph = read_preview(
        document(
            step(PROVIDER, inputs={"region": "eu-central-1", "version": "7.51.1", "__internal": {}}, id=UNKNOWN_TEXT),
            step(
                BUCKET,
                inputs={"tags": {"a": "b"}, "acl": "private"},
                outputs={"arn": "shown by a preview of an update"},
                provider=f"{PROVIDER}::{UNKNOWN_TEXT}",
                dependencies=[STACK, PROVIDER],
                propertyDependencies={"acl": [], "tags": [STACK, PROVIDER]},
                protect=True,
                retainOnDelete=True,
                ignoreChanges=["tags"],
                replaceOnChanges=["acl"],
                deletedWith=PROVIDER,
                sourcePosition="project:///.venv/lib/python3.11/site-packages/pulumi_aws/s3.py#9",
                stackTrace=[{}, {"sourcePosition": "project:///__main__.py#7"}],
            ),
        )
    )
    found, provider = graph[BUCKET], graph[PROVIDER]
    assert (graph.project, graph.stacks, graph.producer) == ("shop", ("dev",), "preview-json")
    assert (found.name, found.type, found.parent, found.custom) == ("data", "aws:s3/bucket:Bucket", STACK, True)
    assert found.provider == f"{PROVIDER}::{UNKNOWN_TEXT}"
    assert found.dependencies == tuple(sorted((STACK, PROVIDER)))
    assert found.property_dependencies == {"tags": tuple(sorted((STACK, PROVIDER)))}
    assert (found.protect, found.retain_on_delete, found.deleted_with) == (True, True, PROVIDER)
    assert (found.ignore_changes, found.replace_on_changes) == (("tags",), ("acl",))
    assert found.outputs == {}
    assert found.source == "__main__.py:7"
    assert (provider.inputs, provider.version, provider.id) == ({"region": "eu-central-1"}, "7.51.1", "")


def test_the_default_provider_is_no_node_and_no_reference() -> None:
    default = {"op": "create", "urn": DEFAULT, "newState": {**state(DEFAULT), "parent": ""}}
    graph = read_preview(document(default, step(BUCKET, provider=f"{DEFAULT}::{UNKNOWN_TEXT}")))
    assert [one.urn for one in graph.resources] == [STACK, BUCKET]
    assert graph[BUCKET].provider == ""


STEPS: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "a deleted resource is gone": (
        [{"op": "delete", "urn": BUCKET, "oldState": state(BUCKET)}],
        [STACK],
    ),
    "a replaced resource is there once": (
        [
            step(BUCKET, "create-replacement"),
            step(BUCKET, "replace"),
            {"op": "delete-replaced", "urn": BUCKET, "oldState": state(BUCKET)},
        ],
        [STACK, BUCKET],
    ),
    "an updated, an unchanged and a read resource stay": (
        [step(BUCKET, "update"), step(f"{BUCKET}2", "same"), step(f"{BUCKET}3", "read", external=True)],
        [STACK, BUCKET, f"{BUCKET}2", f"{BUCKET}3"],
    ),
}


@pytest.mark.parametrize("case", STEPS)
def test_what_steps_lead_to(case: str) -> None:
    steps, expected = STEPS[case]
    assert expected == [one.urn for one in read_preview(document(*steps)).resources]


REFUSED: dict[str, tuple[str, str]] = {
    "no text at all": ("", "is empty"),
    "cut off in the middle": (document(step(BUCKET))[:-40], "not JSON"),
    "no object": ("[]", "an object is needed"),
    "nested without end": ("[" * 100_000, "not JSON"),
    "a document of something else": ('{"resources": []}', "has no steps"),
    "steps that are no list": ('{"steps": {}}', "'steps'"),
    "a step that is no object": ('{"steps": [1]}', "'steps'"),
    "a step without a new state": (document({"op": "create", "urn": BUCKET}), "no new state"),
    "a URN that is none": (document(step("bucket::a::b::c")), "URN"),
    "a URN with too few parts": ('{"steps": [{"op": "create", "newState": {"urn": "urn:pulumi:a::b"}}]}', "URN"),
    "no type": (document({"op": "create", "newState": {**state(BUCKET), "type": None}}), "type"),
    "a parent that is not there": (document(step(BUCKET, parent=f"{STACK}2")), "parent"),
    "a resource that is its own parent": (document(step(BUCKET, parent=BUCKET)), "parent"),
    "a provider that is not there": (document(step(BUCKET, provider=f"{PROVIDER}::1")), "provider"),
    "two stacks in one": (document(step(BUCKET.replace("dev", "prod"))), "stack"),
    "dependencies that are no texts": (document(step(BUCKET, dependencies=[1])), "dependencies"),
    "property dependencies that are a list": (
        document(step(BUCKET, propertyDependencies=["a"])),
        "propertyDependencies",
    ),
    "inputs that are a list": (document(step(BUCKET, inputs=["a"])), "inputs"),
    "only what goes": ('{"steps": [{"op": "delete", "urn": "u"}]}', "no resource"),
    "unchanged resources that are counted and not shown": (
        document(step(f"{BUCKET}2", "same"), step(BUCKET, "update"), changeSummary={"same": 3, "update": 1}),
        "leaves out 2 unchanged resources",
    ),
    "counts that are none": (document(changeSummary={"same": "many"}), "'changeSummary'"),
    "the stream of events": ('{"sequence":1,"timestamp":1,"preludeEvent":{}}\n{"sequence":2}', "stream"),
    "a preview that failed": (
        document(diagnostics=[{"severity": "warning", "message": "w"}, {"severity": "error", "message": "no such x"}]),
        "no such x",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_a_whole_preview_is_refused(case: str) -> None:
    text, said = REFUSED[case]
    with pytest.raises(GraphError) as caught:
        read_preview(text)
    assert said in str(caught.value)


def test_values_nested_beyond_all_use_are_refused() -> None:
    text = document(step(BUCKET, inputs={"field": "DEEP"})).replace('"DEEP"', "[" * 200 + "]" * 200)
    with pytest.raises(GraphError, match="nested deeper than 100 levels"):
        read_preview(text)


def test_a_program_s_own_provider_is_a_node_whatever_it_is_called() -> None:
    own = f"{PROVIDER.removesuffix('site')}default-looking"
    graph = read_preview(document(step(own), step(BUCKET, inputs={"a": "see [secret]", "b": True})))
    assert [one.urn for one in graph.resources] == [STACK, own, BUCKET]
    assert graph[BUCKET].inputs == {"a": "see [secret]", "b": True}


def test_a_source_outside_the_project_is_none_of_the_user_s() -> None:
    outside = {"sourcePosition": "project:///../../lib/runpy.py#3"}
    assert bucket(sourcePosition=outside["sourcePosition"], stackTrace=[outside])[BUCKET].source == ""
    inside = {"sourcePosition": "project:///tiers/meta.py#57"}
    assert bucket(sourcePosition=outside["sourcePosition"], stackTrace=[outside, inside])[BUCKET].source == (
        "tiers/meta.py:57"
    )


def test_a_resource_that_is_read_by_an_unknown_id_has_no_id() -> None:
    assert bucket(external=True, id=UNKNOWN_TEXT)[BUCKET].id == ""
    assert bucket(external=True, id="vpc-1")[BUCKET].id == "vpc-1"


def test_a_resource_that_is_imported_has_the_id_that_it_is_imported_by() -> None:
    assert bucket(importID="my-bucket")[BUCKET].id == "my-bucket"
    changed = document(step(BUCKET, "import", importID="my-bucket"), step(BUCKET, "update"))
    assert read_preview(changed)[BUCKET].id == "my-bucket"
