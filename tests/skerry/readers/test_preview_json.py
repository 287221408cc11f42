"""Previews of the real command: what they become in the graph, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from skerry.errors import GraphError
from skerry.graph import UNKNOWN, Asset, Resource, Secret
from skerry.readers.preview_json import read_preview

UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SIGNATURE = "4dabf18193072939515e22adb298388d"
STACK = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"
TIER = "urn:pulumi:dev::shop::shop:index:Tier::tier"
QUEUE = "urn:pulumi:dev::shop::shop:index:Tier$aws:sqs/queue:Queue::queue"
DEFAULT = "urn:pulumi:dev::shop::pulumi:providers:aws::default_7_51_1"
OWN = "urn:pulumi:dev::shop::pulumi:providers:aws::default-looking"


def row(urn: str, **fields: Any) -> dict[str, Any]:
    kind = urn.split("::")[2].split("$")[-1]
    return {"urn": urn, "type": kind, "custom": not kind.startswith(("pulumi:pulumi", "shop:")), **fields}


def preview(*rows: dict[str, Any], op: str = "create", **document: Any) -> str:
    return json.dumps({"steps": [{"op": op, "urn": one.get("urn"), "newState": one} for one in rows], **document})


def queue(**fields: Any) -> Resource:
    text = preview(row(STACK), row(TIER, parent=STACK), row(QUEUE, parent=TIER, **fields))
    return read_preview(text)[QUEUE]


VALUES: dict[str, tuple[Any, Any]] = {
    "a secret is masked, so it is a secret unknown": ("[secret]", Secret(UNKNOWN)),
    "a text that only mentions the mask is a text": ("see [secret]", "see [secret]"),
    "the unknown's text is the unknown": (UNKNOWN_TEXT, UNKNOWN),
    "marks are found at any depth": ([{"a": ["[secret]", UNKNOWN_TEXT]}], [{"a": [Secret(UNKNOWN), UNKNOWN]}]),
    "a whole float is a whole number": (3.0, 3),
    "a broken float stays one": (1.5, 1.5),
    "true is not one": (True, True),
    "null is none": (None, None),
    "an asset is an asset": (
        {SIGNATURE: "c44067f5952c0a294b673a41bacd8c17", "hash": "ab", "path": "x.txt"},
        Asset("file", "x.txt"),
    ),
    "a signature that nobody knows is an unknown": ({SIGNATURE: "0000", "value": 1}, UNKNOWN),
}


@pytest.mark.parametrize("case", VALUES)
def test_values(case: str) -> None:
    printed, expected = VALUES[case]
    got = queue(inputs={"x": printed}).inputs["x"]
    assert got == expected
    assert type(got) is type(expected)


def test_fields() -> None:
    got = queue(
        protect=True,
        retainOnDelete=True,
        dependencies=[TIER, STACK],
        propertyDependencies={"url": [TIER], "name": []},
        ignoreChanges=["b", "a"],
        additionalSecretOutputs=["z", "a"],
        deletedWith=TIER,
        provider=f"{DEFAULT}::{UNKNOWN_TEXT}",
        outputs={"arn": "x"},
        id="must-not-be-taken-from-a-preview",
    )
    assert (got.protect, got.retain_on_delete, got.deleted_with) == (True, True, TIER)
    assert got.dependencies == tuple(sorted([TIER, STACK]))
    assert got.property_dependencies == {"url": (TIER,)}
    assert (got.ignore_changes, got.additional_secret_outputs) == (("b", "a"), ("z", "a"))
    assert (got.provider, got.outputs, got.id) == ("", {}, "")


def test_default_providers_are_no_nodes_but_a_program_s_own_is_whatever_it_is_called() -> None:
    own = row(OWN, parent=STACK, inputs={"region": "x", "version": "7.51.1", "__internal": {}})
    graph = read_preview(preview(row(STACK), row(DEFAULT), own))
    assert [resource.urn for resource in graph.resources] == [STACK, OWN]
    assert (graph[OWN].inputs, graph[OWN].version) == ({"region": "x"}, "7.51.1")


def test_the_source_is_the_user_s_first_own_line() -> None:
    frames = ["/.venv/lib/python3.11/site-packages/pulumi_aws/x.py#9", "/../../outside.py#3", "/tiers/meta.py#57"]
    trace = [{}, *({"sourcePosition": f"project://{frame}"} for frame in frames)]
    assert queue(sourcePosition=f"project://{frames[0]}", stackTrace=trace).source == "tiers/meta.py:57"
    assert queue(sourcePosition=f"project://{frames[0]}").source == ""


def test_what_a_preview_deletes_is_not_in_the_graph_and_a_replacement_is_there_once() -> None:
    steps = [
        {"op": "create", "urn": STACK, "newState": row(STACK)},
        {"op": "delete", "urn": TIER, "oldState": row(TIER, parent=STACK)},
        {"op": "create-replacement", "urn": QUEUE, "newState": row(QUEUE, parent=STACK, inputs={"n": 2})},
        {"op": "replace", "urn": QUEUE, "newState": row(QUEUE, parent=STACK, inputs={"n": 2})},
        {"op": "delete-replaced", "urn": QUEUE, "oldState": row(QUEUE, parent=STACK)},
    ]
    graph = read_preview(json.dumps({"steps": steps}))
    assert [(resource.urn, dict(resource.inputs)) for resource in graph.resources] == [(STACK, {}), (QUEUE, {"n": 2})]
    assert (graph.project, graph.stacks, graph.producer) == ("shop", ("dev",), "preview-json")


REFUSED: dict[str, tuple[str, str]] = {
    "no JSON": ("steps:", "the preview is not JSON"),
    "cut off in the middle": (preview(row(STACK))[:-9], "the preview is not JSON"),
    "brackets nested without end": ("[" * 200_000, "the preview is not JSON"),
    "a list": ("[]", "the preview is a JSON list"),
    "another document": ('{"version": 3}', "the preview has no steps"),
    "a state in its place": ('{"deployment": {}}', "the preview has no steps"),
    "no step": (preview(), "the preview holds no resource"),
    "steps that are a text": ('{"steps": "x"}', "'steps' of the preview is not a list of objects"),
    "a step that is a number": ('{"steps": [1]}', "'steps' of the preview is not a list of objects"),
    "a step without a state": ('{"steps": [{"op": "create", "urn": "u"}]}', "step 'create' of u has no new state"),
    "a row without a URN": (preview({"type": "a:b:C"}), "has the urn None"),
    "a row without a type": (preview({"urn": STACK}), "has the type None"),
    "a URN that is none": (preview({**row(STACK), "urn": "x"}), "holds the URN 'x'"),
    "inputs that are a list": (preview(row(STACK, inputs=[1])), "'inputs' of .* is not an object"),
    "dependencies that are a text": (preview(row(STACK, dependencies="x")), "'dependencies' of .* is not a list"),
    "dependencies that are numbers": (preview(row(STACK, dependencies=[1])), "'dependencies' of .* is not a list"),
    "property dependencies that are a list": (
        preview(row(STACK, propertyDependencies=["x"])),
        "'propertyDependencies' of .* is not an object",
    ),
    "a parent that is not there": (preview(row(TIER, parent=STACK)), "names the parent .* without holding it"),
    "a resource that is its own parent": (preview(row(TIER, parent=TIER)), "names the parent"),
    "a provider that is not there": (
        preview(row(STACK), row(QUEUE, parent=STACK, provider=f"{STACK.replace('Stack::', 'X::')}::id")),
        "names the provider",
    ),
    "two stacks": (preview(row(STACK), row(STACK.replace(":dev:", ":prod:"))), "mixes the stacks"),
    "a preview that failed": (
        preview(row(STACK), diagnostics=[{"severity": "error", "message": "no region\n"}]),
        "the preview failed, so it shows a part only: no region",
    ),
    "unchanged resources left out": (
        preview(row(STACK), op="update", changeSummary={"update": 1, "same": 7}),
        "leaves out 7 unchanged resources: run `pulumi preview --json --show-sames`",
    ),
    "a summary without counts": (preview(row(STACK), changeSummary={"same": "x"}), "does not hold counts"),
    "the stream of events": ('{"sequence": 1}\n{"sequence": 2}', "the stream of a preview's events"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    text, message = REFUSED[case]
    with pytest.raises(GraphError, match=message):
        read_preview(text)


def test_values_nested_beyond_all_use_are_refused_not_a_crash() -> None:
    deep = "[" * 200 + "]" * 200
    text = preview(row(STACK, inputs={"x": "DEEP"})).replace('"DEEP"', deep)
    with pytest.raises(GraphError, match="nested deeper than 100 levels"):
        read_preview(text)
