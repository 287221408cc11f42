"""Hooks run in a preview where they ask for it, as the engine of the command runs them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from skerry.engine.run import run_program
from skerry.errors import ProgramError
from skerry.graph import Resource, ResourceGraph

MakeProject = Callable[..., Path]
URN = "urn:pulumi:dev::demo::"

SETUP = """
seen = []
def note(kind):
    def ran(args):
        seen.append(f"{kind} {args.name} {dict(args.new_inputs or {})} {dict(args.new_outputs or {}) or '-'}")
    return ran
def fails(args):
    raise ValueError("no quota")
DRY = pulumi.ResourceHookOptions(on_dry_run=True)
def hook(name, function=None, opts=DRY):
    return pulumi.ResourceHook(name, function or note(name), opts)
def bound(**hooks):
    return Opts(hooks=pulumi.ResourceHookBinding(**hooks))
"""


def named(graph: ResourceGraph, name: str) -> Resource:
    return next(resource for resource in graph.resources if resource.name == name)


def test_hooks_of_a_creation_run_around_it_where_they_ask_for_previews(make_project: MakeProject) -> None:
    program = (
        SETUP
        + """
t = Thing("t", {"x": 1}, bound(
    before_create=[hook("before")], after_create=[hook("after")],
    before_update=[hook("update")], before_delete=[hook("delete")]))
silent = hook("silent", fails, None)
late = Thing("late", {"id": t.id}, bound(before_create=[silent]))
pulumi.export("seen", late.urn.apply(lambda _: list(seen)))
"""
    )
    outputs = run_program(make_project(program), "dev").stack_outputs("dev")
    assert [line.replace("1.0", "1") for line in outputs["seen"]] == [
        "before t {'x': 1} -",
        "after t {'x': 1} {'x': 1}",
    ]


def test_a_component_s_hook_sees_its_outputs(make_project: MakeProject) -> None:
    program = (
        SETUP
        + """
group = Group("g", {}, bound(before_create=[hook("before")], after_create=[hook("after")]))
async def later():
    import asyncio
    await asyncio.sleep(0.05)
    return list(seen)
pulumi.export("seen", Output.from_input(later()))
"""
    )
    outputs = run_program(make_project(program), "dev").stack_outputs("dev")
    assert outputs["seen"] == ["before g {} -", "after g {} {'named': 'g'}"]


@pytest.mark.parametrize("kind", ["before_create", "after_create"])
def test_a_hook_that_raises_fails_the_preview(make_project: MakeProject, kind: str) -> None:
    program = SETUP + f"Thing('t', opts=bound({kind}=[hook('check', fails)]))\n"
    with pytest.raises(ProgramError) as failed:
        run_program(make_project(program), "dev")
    text = re.sub(r":\d+", ":N", str(failed.value))
    assert f"the {kind} hook 'check' of {URN}sim:core:Thing::t failed in fails of __main__.py:N: no quota" in text


def test_a_hook_that_raises_and_asks_to_be_ignored_is_only_told(
    make_project: MakeProject, caplog: pytest.LogCaptureFixture
) -> None:
    program = (
        SETUP
        + """
ignored = pulumi.ResourceHookOptions(on_dry_run=True, ignore_errors=True)
Thing("t", {}, bound(before_create=[hook("check", fails, ignored)]))
"""
    )
    assert named(run_program(make_project(program), "dev"), "t").inputs == {}
    assert ["the before_create hook 'check' of " + f"{URN}sim:core:Thing::t failed and asks to be ignored"] == [
        record.getMessage() for record in caplog.records if record.name == "skerry.engine.hooks"
    ]


def test_error_hooks_and_state_migrations_are_accepted_and_not_run(make_project: MakeProject) -> None:
    program = (
        SETUP
        + """
again = pulumi.ErrorHook("again", fails)
Thing("t", {}, Opts.merge(bound(on_error=[again]), Opts(state_migrations=[fails])))
"""
    )
    assert named(run_program(make_project(program), "dev"), "t").inputs == {}


def test_two_hooks_of_one_name_are_refused(make_project: MakeProject) -> None:
    with pytest.raises(ProgramError) as failed:
        run_program(
            make_project(SETUP + "hook('h'), hook('h')\nThing('t', opts=bound(before_create=[hook('h')]))\n"), "dev"
        )
    assert "two hooks have the name 'h'" in str(failed.value)
