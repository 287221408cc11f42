"""The quicker forms give what the SDK's own give, and are gone after a run."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s
import pytest
from pulumi import _types as sdk_types
from pulumi import output as sdk_output
from pulumi.runtime import resource as sdk_resource
from pulumi.runtime import rpc as sdk_rpc

from skerry.engine.quick import quick_sdk
from skerry.engine.run import run_program

MakeProject = Callable[..., Path]
EXCHANGED = (
    (sdk_rpc, "transfer_properties"),
    (sdk_rpc, "contains_unknowns"),
    (sdk_output, "contains_unknowns"),
    (sdk_rpc, "serialize_property"),
    (sdk_resource, "serialize_property"),
    (sdk_resource, "create_urn"),
    (sdk_types, "_types_from_py_properties"),
    (sdk_types, "resource_types"),
    (sdk_types, "_names_from_annotations"),
    (sdk_types, "_types_from_annotations"),
    (sdk_types, "_py_to_pulumi_names_from_py_properties"),
    (sdk_types, "_pulumi_to_py_names_from_py_properties"),
)


def in_loop(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(work())
    finally:
        loop.close()


def both(work: Callable[[], Any]) -> tuple[Any, Any]:
    """Return what `work` gives with the SDK's own parts and with the quicker ones."""
    own = work()
    with quick_sdk():
        return own, work()


def test_everything_is_put_back() -> None:
    before = [getattr(owner, name) for owner, name in EXCHANGED]
    thresholds = gc.get_threshold()
    with quick_sdk():
        during = [getattr(owner, name) for owner, name in EXCHANGED]
        assert gc.get_threshold()[0] >= thresholds[0]
    assert [new is not old for new, old in zip(during, before, strict=True)] == [True] * len(EXCHANGED)
    assert before == [getattr(owner, name) for owner, name in EXCHANGED]
    assert thresholds == gc.get_threshold()


def test_everything_is_put_back_after_an_error() -> None:
    before = [getattr(owner, name) for owner, name in EXCHANGED]

    def fail() -> None:
        with quick_sdk():
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert before == [getattr(owner, name) for owner, name in EXCHANGED]


def test_a_collector_that_is_switched_off_stays_off() -> None:
    thresholds = gc.get_threshold()
    gc.set_threshold(0)
    try:
        with quick_sdk():
            assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*thresholds)


circle: list[Any] = [1]
circle.append(circle)
circle_of_unknown: dict[str, Any] = {"a": pulumi.UNKNOWN}
circle_of_unknown["self"] = circle_of_unknown


class Text(str):
    __slots__ = ()


VALUES: dict[str, tuple[Any, bool]] = {
    "text": ("a", False),
    "a subclass of text": (Text("a"), False),
    "none": (None, False),
    "unknown": (pulumi.UNKNOWN, True),
    "nested": ({"a": [1, {"b": [pulumi.UNKNOWN]}]}, True),
    "nothing inside": ({"a": [1, {"b": []}]}, False),
    "a tuple is not looked into": ((pulumi.UNKNOWN,), False),
    "a circle": (circle, False),
    "a circle with an unknown": (circle_of_unknown, True),
    "the same list twice": ([circle, circle, pulumi.UNKNOWN], True),
}


@pytest.mark.parametrize(("value", "expected"), VALUES.values(), ids=VALUES)
def test_contains_unknowns(value: Any, expected: bool) -> None:
    assert (expected, expected) == both(lambda: sdk_rpc.contains_unknowns(value))


CLASSES = (
    aws.ec2.InstanceArgs,
    aws.ec2.Instance,
    aws.ec2.outputs.InstanceEbsBlockDevice,
    aws.s3.Bucket,
    k8s.core.v1.PodSpecArgs,
    k8s.core.v1.Pod,
    k8s.core.v1.outputs.PodSpec,
    pulumi.StackReference,
)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: str(cls.__qualname__))
def test_types_by_need_are_the_types(cls: type) -> None:
    read = sdk_types.resource_types if issubclass(cls, pulumi.Resource) else sdk_types._types_from_py_properties
    expected = dict(read(cls))
    with quick_sdk():
        name = read.__name__
        assert expected == {key: getattr(sdk_types, name)(cls).get(key) for key in expected}
        assert expected == dict(getattr(sdk_types, name)(cls))
        assert expected == {**getattr(sdk_types, name)(cls)}
        assert getattr(sdk_types, name)(cls).get("no such property", "default") == "default"
        assert "no such property" not in getattr(sdk_types, name)(cls)


@pytest.mark.parametrize("parent", ["urn:pulumi:dev::demo::pkg:index:Group::one", ""], ids=["a parent", "an empty one"])
def test_a_urn_is_the_sdk_s(parent: str) -> None:
    async def made() -> Any:
        urn = sdk_resource.create_urn("thing", "sim:core:Thing", parent)
        return await urn.future(), await urn.is_known(), await urn.is_secret(), await urn.resources()

    own, quick = both(lambda: in_loop(made))
    assert own == quick
    assert own[0].endswith("$sim:core:Thing::thing")


INPUTS: dict[str, Any] = {
    "text": "a",
    "a subclass of text": Text("a"),
    "a number": 1.5,
    "true": True,
    "none": None,
    "a list": ["a", 1, None, {"b": [True]}],
    "an asset": pulumi.StringAsset("text"),
    "arguments": k8s.core.v1.ContainerArgs(name="a", image="b", ports=[{"container_port": 80}]),
    "an unknown": pulumi.UNKNOWN,
}


@pytest.mark.parametrize("value", INPUTS.values(), ids=INPUTS)
@pytest.mark.parametrize("as_protobuf", [False, True])
def test_a_value_is_serialized_as_the_sdk_does(value: Any, as_protobuf: bool) -> None:
    async def made() -> Any:
        return await sdk_rpc.serialize_property(value, [], "key", return_protobuf_value=as_protobuf)

    own, quick = both(lambda: in_loop(made))
    assert own == quick
    assert type(own) is type(quick)


def test_what_protobuf_cannot_hold_is_refused_alike() -> None:
    async def made() -> str:
        try:
            await sdk_rpc.serialize_property(object(), [], "key")
        except ValueError as exc:
            return str(exc)
        return ""

    assert both(lambda: in_loop(made)) == ("unexpected input of type object for key",) * 2


def test_an_output_of_a_failed_resource_can_be_recovered_and_the_failure_is_told(make_project: MakeProject) -> None:
    project = make_project(
        """
        one = Thing("same", {"a": 1})
        two = Thing("same", {"a": 2})
        Thing("after", {"a": two.a.recover(lambda exc: "recovered")})
        """
    )
    with pytest.raises(Exception, match="two resources have the URN"):
        run_program(project, "dev")


def test_outputs_know_their_resource_their_marks_and_their_value(make_project: MakeProject) -> None:
    project = make_project(
        """
        one = Thing("one", {"a": 1, "b": Output.secret({"c": [2]}), "d": None})

        async def told(output):
            data = await output._data
            names = sorted(resource._name for resource in data.resources)
            return [names, data.is_known, data.is_secret, repr(data.value)]

        for name in ("a", "b", "made", "urn", "id"):
            pulumi.export(name, told(getattr(one, name)))
        """
    )
    outputs = run_program(project, "dev").stack_outputs("dev")
    assert outputs["a"] == [["one"], True, False, "1.0"]
    assert outputs["b"][:3] == [["one"], True, True]
    assert outputs["made"] == [["one"], False, False, "None"]
    assert outputs["urn"][:3] == [["one"], True, False]
    assert outputs["id"][:3] == [["one"], False, False]
