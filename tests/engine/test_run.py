"""Stacks that refer to each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from skerry.engine.run import run_deployment, run_program
from skerry.errors import ConfigError, ProgramError
from skerry.graph import UNKNOWN, Invoke, Secret

MakeProject = Callable[..., Path]

LAYERS = """
Thing(f"ran-{pulumi.get_stack()}", {"size": config.get_int("size")})
if pulumi.get_stack().endswith("-base"):
    cluster = Thing("cluster")
    pulumi.export("region", "eu-central-1")
    pulumi.export("kubeconfig", Output.secret(cluster.made))
    pulumi.export("password", Output.secret("s"))
    pulumi.export("nested", {"known": [1, 2], "unknown": cluster.id})
else:
    base = pulumi.StackReference(config.get("base") or pulumi.get_stack() + "-base")
    Thing("app", {
        "region": base.require_output("region"),
        "got": base.get_output("region"),
        "kubeconfig": base.require_output("kubeconfig"),
        "password": base.get_output("password"),
        "nested": base.get_output("nested"),
        "known": base.get_output("nested")["known"],
        "applied": base.require_output("region").apply(lambda r: r.upper()),
        "item": base.outputs["region"],
        "absent": base.get_output("absent"),
    })
    pulumi.export("region", base.require_output("region"))
"""
STACKS = {"dev": "config:\n  size: 2\n", "dev-base": "config:\n  size: 1\n", "other": ""}


def app_inputs(program: Path, stack: str = "dev") -> dict[str, object]:
    graph = run_deployment(program, stack)
    return dict(graph[f"urn:pulumi:{stack}::demo::sim:core:Thing::app"].inputs)


def test_a_stack_is_run_after_the_one_it_refers_to(make_project: MakeProject) -> None:
    graph = run_deployment(make_project(LAYERS, STACKS), "dev")
    assert graph.stacks == ("dev-base", "dev")
    assert [resource.name for resource in graph.resources] == [
        "demo-dev-base",
        "ran-dev-base",
        "cluster",
        "demo-dev",
        "ran-dev",
        "dev-base",
        "app",
    ]
    reference = graph["urn:pulumi:dev::demo::pulumi:pulumi:StackReference::dev-base"]
    assert (reference.external, reference.id, reference.inputs) == (True, "dev-base", {"name": "dev-base"})
    assert graph.stack_outputs("dev") == {"region": "eu-central-1"}
    assert graph.invokes == ()


def test_outputs_of_another_stack_are_known_one_by_one(make_project: MakeProject) -> None:
    assert app_inputs(make_project(LAYERS, STACKS)) == {
        "region": "eu-central-1",
        "got": "eu-central-1",
        "kubeconfig": Secret(UNKNOWN),
        "password": Secret("s"),
        "nested": UNKNOWN,
        "known": [1, 2],
        "applied": "EU-CENTRAL-1",
        "item": Secret("eu-central-1"),
    }


@pytest.mark.parametrize("name", ["dev-base", "somebody/dev-base", "organization/demo/dev-base"])
def test_names_of_a_reference(make_project: MakeProject, name: str) -> None:
    program = make_project(LAYERS, {**STACKS, "dev": f"config:\n  base: {name}\n"})
    assert app_inputs(program)["region"] == "eu-central-1"


@pytest.mark.parametrize("name", ["organization/elsewhere/dev-base", "gone", "a/b/demo/dev-base"])
def test_a_reference_to_what_is_not_here_is_unknown_and_listed(make_project: MakeProject, name: str) -> None:
    graph = run_deployment(make_project(LAYERS, {**STACKS, "dev": f"config:\n  base: {name}\n"}), "dev")
    assert graph.stacks == ("dev",)
    assert graph.resources[-1].inputs["region"] is UNKNOWN
    assert graph.invokes == (Invoke("pulumi:pulumi:StackReference", "dev", False, {"name": name}),)


def test_run_program_answers_references_from_what_it_is_given(make_project: MakeProject) -> None:
    program = make_project(LAYERS, STACKS)
    outputs = {"region": "mars", "kubeconfig": UNKNOWN, "nested": {"known": 1}}
    given = run_program(program, "dev", stack_outputs={"dev-base": outputs})
    inputs = given.resources[-1].inputs
    assert (inputs["region"], inputs["kubeconfig"]) == ("mars", UNKNOWN)
    without = run_program(program, "dev")
    assert without.resources[-1].inputs["region"] is UNKNOWN
    assert [invoke.token for invoke in without.invokes] == ["pulumi:pulumi:StackReference"]


def test_a_missing_output_that_is_required_is_an_error(make_project: MakeProject, first_line: int) -> None:
    program = make_project('\nThing("t", {"x": pulumi.StackReference("b").require_output("gone")})\n')
    with pytest.raises(ProgramError) as caught:
        run_program(program, "dev", stack_outputs={"b": {"there": 1, "here": 1}})
    assert str(caught.value) == (
        f"the program requires the output 'gone' of the stack 'b' at __main__.py:{first_line + 1}, which is not among "
        "its outputs here: here, there; export it in that stack, add it to --stack-outputs FILE if it is from there, "
        "or read it with get_output\n"
        '    Thing("t", {"x": pulumi.StackReference("b").require_output("gone")})'
    )


def test_overrides_change_the_stack_that_was_asked_for(make_project: MakeProject) -> None:
    graph = run_deployment(make_project(LAYERS, STACKS), "dev", {"demo:size": "9"})
    sizes = {r.name: r.inputs["size"] for r in graph.resources if r.name.startswith("ran-")}
    assert sizes == {"ran-dev-base": 1, "ran-dev": 9}


def test_an_override_may_give_a_secret_its_plaintext(make_project: MakeProject) -> None:
    program = make_project('Thing("t", {"s": config.require_secret("s")})\n', {"dev": "config:\n  s: {secure: x}\n"})
    assert run_deployment(program, "dev", {"demo:s": "told"}).resources[1].inputs == {"s": Secret("told")}


def test_three_stacks_and_a_shared_base(make_project: MakeProject) -> None:
    program = """
    refers = {"top": ["left", "right"], "left": ["base"], "right": ["base"]}
    seen = [pulumi.StackReference(name).get_output("path") for name in refers.get(pulumi.get_stack(), [])]
    pulumi.export("path", Output.all(*seen).apply(lambda below: f"{pulumi.get_stack()}({','.join(below)})"))
    """
    graph = run_deployment(make_project(program, dict.fromkeys(["top", "left", "right", "base"], "")), "top")
    assert graph.stacks == ("base", "left", "right", "top")
    assert graph.stack_outputs("top") == {"path": "top(left(base()),right(base()))"}


def test_a_circle_of_stacks_is_a_config_error(make_project: MakeProject) -> None:
    refers = {"a": "b", "b": "c", "c": "b"}
    program = make_project(f"pulumi.StackReference({refers}[pulumi.get_stack()])\n", dict.fromkeys(refers, ""))
    with pytest.raises(ConfigError, match="the stacks refer to each other: b -> c -> b"):
        run_deployment(program, "a")


def test_a_stack_that_reads_its_own_outputs_has_none_yet(make_project: MakeProject) -> None:
    program = make_project('Thing("t", {"x": pulumi.StackReference("dev").get_output("x")})\n')
    graph = run_deployment(program, "dev")
    assert graph["urn:pulumi:dev::demo::sim:core:Thing::t"].inputs == {"x": UNKNOWN}
    assert [invoke.token for invoke in graph.invokes] == ["pulumi:pulumi:StackReference"]


def test_a_base_that_fails_is_the_error(make_project: MakeProject) -> None:
    program = make_project(
        'if pulumi.get_stack() == "base":\n    raise ValueError("no base")\npulumi.StackReference("base")\n',
        {"dev": "", "base": ""},
    )
    with pytest.raises(ProgramError, match="ValueError: no base"):
        run_deployment(program, "dev")
