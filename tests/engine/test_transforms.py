"""Transforms of resources and of calls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.run import run_program
from skerry.graph import UNKNOWN, Invoke, Resource, ResourceGraph, Secret

MakeProject = Callable[..., Path]
STACK = "urn:pulumi:dev::demo::pulumi:pulumi:Stack::demo-dev"
URN = "urn:pulumi:dev::demo::"
UNKNOWN_ID = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def table(names: tuple[str, ...], cases: dict[str, tuple[Any, ...]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(names, list(cases.values()), ids=list(cases))


def named(graph: ResourceGraph, name: str) -> Resource:
    found = [resource for resource in graph.resources if resource.name == name]
    assert len(found) == 1, [resource.name for resource in graph.resources]
    return found[0]


def short(urns: tuple[str, ...]) -> list[str]:
    return [urn.rsplit("::", 1)[-1] for urn in urns]


TRANSFORMS = """
def tag(args):
    if args.type_ != "sim:core:Thing":
        return None
    opts = Opts.merge(args.opts, Opts(ignore_changes=["tag"]))
    return pulumi.ResourceTransformResult(props={**args.props, "tag": "mine"}, opts=opts)
async def later(args):
    return pulumi.ResourceTransformResult(props={**args.props, "later": True}, opts=args.opts)
def old(args):
    return pulumi.ResourceTransformationResult(props={**args.props, "old": 1}, opts=args.opts)
a = Thing("a")
Thing("own", {"x": a.made, "s": Output.secret("s")}, Opts(transforms=[tag, later], depends_on=[a]))
Group("g", opts=Opts(transforms=[tag]), body=lambda self: Group(
    "in", opts=Opts(parent=self), body=lambda inner: Thing("deep", {"x": a.made}, Opts(parent=inner))))
Group("h", opts=Opts(transformations=[old]), body=lambda self: Thing("legacy", opts=Opts(parent=self)))
pulumi.runtime.register_resource_transform(later)
Thing("by-stack", {"s": Output.secret("s"), "u": a.made})
"""


def test_transforms(make_project: MakeProject) -> None:
    graph = run_program(make_project(TRANSFORMS), "dev")
    own, deep = named(graph, "own"), named(graph, "deep")
    assert {"x": UNKNOWN, "s": Secret("s"), "tag": "mine", "later": True} == own.inputs
    assert (short(own.dependencies), own.ignore_changes) == (["a"], ("tag",))
    assert {key: deep.inputs[key] for key in ("x", "tag")} == {"x": UNKNOWN, "tag": "mine"}
    assert {key: short(urns) for key, urns in deep.property_dependencies.items()} == {"x": ["a"]}
    assert named(graph, "legacy").inputs == {"old": 1}
    assert {"s": Secret("s"), "u": UNKNOWN, "later": True} == named(graph, "by-stack").inputs
    assert named(graph, "a").inputs == {}


def test_transforms_of_calls(make_project: MakeProject) -> None:
    program = """
    from pulumi.runtime import invoke_output
    seen = []
    def change(args):
        seen.append(args.args["key"])
        return pulumi.InvokeTransformResult(args={**args.args, "more": 1}, opts=args.opts)
    pulumi.runtime.register_invoke_transform(change)
    got = invoke_output("sim:core:get", {"key": Output.secret("k"), "plain": "p"})
    Thing("t", {"got": got, "seen": got.apply(lambda v: "never")})
    """
    graph = run_program(make_project(program), "dev")
    assert graph.invokes == (Invoke("sim:core:get", "dev", False, {"key": Secret("k"), "plain": "p", "more": 1}),)
