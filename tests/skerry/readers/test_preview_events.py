"""The reader of the engine's events: an operation that failed or was cut off is never taken for whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from skerry.errors import GraphError
from skerry.graph import UNKNOWN, Secret
from skerry.readers.preview_json import read_preview

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
STACK = "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"
BUCKET = "urn:pulumi:dev::shop::aws:s3/bucket:Bucket::data"


def new(urn: str, **fields: Any) -> dict[str, Any]:
    kind = urn.split("::")[2]
    return {"urn": urn, "type": kind, "custom": urn != STACK, "id": "", "parent": "" if urn == STACK else STACK,
            "inputs": {}, "outputs": {}, "provider": "", **fields}  # fmt: skip


def before(urn: str, op: str = "create", old: Any = None, **fields: Any) -> dict[str, Any]:
    return {"resourcePreEvent": {"metadata": {"op": op, "urn": urn, "old": old, "new": new(urn, **fields)}}}


def after(urn: str, op: str = "create", **fields: Any) -> dict[str, Any]:
    return {"resOutputsEvent": {"metadata": {"op": op, "urn": urn, "old": None, "new": new(urn, **fields)}}}


PRELUDE: dict[str, Any] = {"preludeEvent": {"config": {"aws:region": "eu-west-1", "aws:secretKey": "[secret]"}}}
SUMMARY: dict[str, Any] = {"summaryEvent": {"isPreview": True, "result": "succeeded", "resourceChanges": {"create": 2}}}
CANCEL: dict[str, Any] = {"cancelEvent": {}}
STEPS = [before(STACK), before(BUCKET, inputs={"acl": "private"}), after(BUCKET)]


def stream(*events: dict[str, Any]) -> str:
    lines = ({"sequence": number, "timestamp": 1, **event} for number, event in enumerate(events))
    return "".join(f"{json.dumps(line)}\n" for line in lines)


def test_a_whole_stream_is_a_graph() -> None:
    outputs = {"url": "u", "key": {SIGNATURE: SECRET, "ciphertext": "[secret]"}}
    graph = read_preview(stream(PRELUDE, *STEPS, after(STACK, outputs=outputs), SUMMARY, CANCEL))
    assert (graph.project, graph.stacks, graph.producer) == ("shop", ("dev",), "preview-events")
    assert graph[BUCKET].inputs == {"acl": "private"}
    assert graph.stack_outputs("dev") == {"url": "u", "key": Secret(UNKNOWN)}
    assert graph.places == {"dev": {"aws:region": "eu-west-1"}}


def test_outputs_of_resources_are_kept_once_they_are_made() -> None:
    made = after(BUCKET, id="bucket-1", outputs={"arn": "arn:1"})
    preview = read_preview(stream(*STEPS, made, SUMMARY))[BUCKET]
    update = read_preview(stream(*STEPS, made, {"summaryEvent": {"isPreview": False, "result": "succeeded"}}))[BUCKET]
    assert (preview.id, preview.outputs) == ("", {})
    assert (update.id, update.outputs) == ("bucket-1", {"arn": "arn:1"})


def test_blank_lines_and_a_summary_of_an_older_command_are_fine() -> None:
    text = stream(*STEPS, {"summaryEvent": {"resourceChanges": {}}})
    assert len(read_preview(f"\n{text}\n\n").resources) == 2


def test_a_resource_that_a_refresh_finds_gone_is_left_out() -> None:
    gone = {"resOutputsEvent": {"metadata": {"op": "delete", "urn": BUCKET, "old": new(BUCKET, id="1"), "new": None}}}
    graph = read_preview(stream(before(STACK, "refresh"), before(BUCKET, "refresh"), gone, SUMMARY))
    assert [resource.urn for resource in graph.resources] == [STACK]


def test_a_child_that_is_refreshed_before_its_parent_stands_behind_it() -> None:
    graph = read_preview(stream(before(BUCKET, "refresh"), before(STACK, "refresh"), SUMMARY))
    assert [resource.urn for resource in graph.resources] == [STACK, BUCKET]


def failed(message: str) -> dict[str, Any]:
    return {"diagnosticEvent": {"severity": "error", "message": message}}


REFUSED: dict[str, tuple[str, str]] = {
    "no summary": (stream(PRELUDE, *STEPS), "breaks off before its summary"),
    "cut off inside a line": (stream(*STEPS, SUMMARY)[:-9], "line 4 of the stream of events is not JSON"),
    "nothing but a prelude": (stream(PRELUDE), "breaks off"),
    "a failed result": (stream(*STEPS, {"summaryEvent": {"result": "failed"}}), "ended as 'failed'"),
    "a cancelled one": (stream(*STEPS, {"summaryEvent": {"result": "canceled"}}), "ended as 'canceled'"),
    "an error": (stream(*STEPS, failed("error: no such region\n"), SUMMARY), "shows a part only: no such region"),
    "an error that does not say why": (stream(failed(""), SUMMARY), "the command does not say why"),
    "an error inside the engine": (stream(*STEPS, {"errorEvent": {"error": "broken pipe"}}, SUMMARY), "broken pipe"),
    "an operation that failed": (stream(*STEPS, {"resOpFailedEvent": {}}, SUMMARY), "operation on a resource failed"),
    "two operations in one file": (stream(*STEPS, SUMMARY, CANCEL, PRELUDE, *STEPS, SUMMARY), "begins another operat"),
    "a line of the program among them": (f"{stream(*STEPS)}hello\n{stream(SUMMARY)}", "line 4"),
    "a line that is a list": (f"{stream(*STEPS)}[]\n{stream(SUMMARY)}", "line 4 of the stream of events is no event"),
    "a line without a number": (f'{stream(*STEPS)}{{"summaryEvent": {{}}}}\n', "is no event"),
    "a nested line": (f"{stream(*STEPS)}{'[' * 100_000}\n", "not JSON"),
    "a summary that is a text": (stream(*STEPS, {"summaryEvent": "done"}), "breaks off"),
    "a prelude whose configuration is a list": (stream({"preludeEvent": {"config": []}}, SUMMARY), "'config'"),
    "a prelude whose configuration holds numbers": (stream({"preludeEvent": {"config": {"a": 1}}}), "'config'"),
    "a step without metadata": (stream({"resourcePreEvent": {}}, SUMMARY), "line 1 of the stream of events has no met"),
    "a step of tomorrow": (stream(before(STACK, "teleport"), SUMMARY), "the step 'teleport' of urn"),
    "a step that is no text": (stream(before(STACK, ["create"]), SUMMARY), "is not known"),  # type: ignore[arg-type]
    "a state that is a list": (
        stream({"resourcePreEvent": {"metadata": {"op": "create", "urn": BUCKET, "new": []}}}, SUMMARY),
        "has no new state",
    ),
    "only deletions": (stream(before(BUCKET, "delete"), SUMMARY), "holds no resource"),
    "a new resource outside the targets": (
        stream(before(STACK), before(BUCKET, "same", old=new(BUCKET)), SUMMARY),
        f"leaves out 1 new resources, such as {BUCKET}: run it without --target",
    ),
    "a parent that is not there": (stream(before(BUCKET), SUMMARY), "names the parent"),
    "parents in a circle": (
        stream(before(STACK), before(BUCKET, parent=f"{BUCKET}2"), before(f"{BUCKET}2", parent=BUCKET), SUMMARY),
        "in a circle",
    ),
    "a provider that is not there": (
        stream(before(STACK), before(BUCKET, provider="urn:pulumi:dev::shop::pulumi:providers:aws::mine::1"), SUMMARY),
        "without holding it",
    ),
    "a provider reference that is none": (stream(before(STACK), before(BUCKET, provider="x::y"), SUMMARY), "without"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_whole_stream_is_refused(case: str) -> None:
    text, said = REFUSED[case]
    with pytest.raises(GraphError) as caught:
        read_preview(text)
    assert said in str(caught.value)


def test_a_tower_of_parents_is_refused() -> None:
    urns = [STACK, *(f"urn:pulumi:dev::shop::shop:index:Box::box-{number}" for number in range(150))]
    tower = [before(urn, parent=parent, custom=False) for urn, parent in zip(urns, ["", *urns], strict=False)]
    with pytest.raises(GraphError, match="more than 100 parents"):
        read_preview(stream(*tower, SUMMARY))
    with pytest.raises(GraphError, match="more than 100 parents"):
        read_preview(stream(*reversed(tower), SUMMARY))


@pytest.mark.parametrize(
    "told",
    ["<{%reset%}>no such zone<{%reset%}>", "<{%fg 1%}>error: <{%reset%}>no such zone", "\x1b[31mno such zone\x1b[0m"],
)
def test_the_colours_of_a_message_are_taken_out(told: str) -> None:
    with pytest.raises(GraphError) as caught:
        read_preview(json.dumps({"sequence": 1, "timestamp": 1, **failed(told)}))
    assert str(caught.value) == "the preview failed, so it shows a part only: no such zone"
