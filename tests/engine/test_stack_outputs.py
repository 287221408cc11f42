"""Outputs of stacks that are not run here, from a file; and stacks without a file of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.run import load_stack_outputs, run_deployment
from skerry.errors import ConfigError, ProgramError
from skerry.graph import UNKNOWN, Secret

MakeProject = Callable[..., Path]
REFERENCE = """
other = pulumi.StackReference("{name}")
Thing("t", {{"x": other.require_output("x"), "s": other.get_output("s"), "none": other.get_output("none")}})
"""
STACK_URN = "urn:pulumi:prod::net::pulumi:pulumi:Stack::net-prod"
EXPORT = {
    "version": 3,
    "deployment": {
        "manifest": {"time": "2026-01-01T00:00:00Z"},
        "resources": [
            {"urn": STACK_URN, "custom": False, "type": "pulumi:pulumi:Stack", "outputs": {"x": 1, "s": "shown"}}
        ],
    },
}


def write(folder: Path, document: Any) -> Path:
    path = folder / "outputs.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


ANSWERED = {
    "by the whole reference": ("acme/net/prod", {"acme/net/prod": {"x": 1, "s": "[secret]"}}),
    "by project and stack": ("acme/net/prod", {"net/prod": {"x": 1, "s": "[secret]"}}),
    "by the stack alone, in the same project": ("acme/demo/prod", {"prod": {"x": 1, "s": "[secret]"}}),
    "by the stack alone, as the program writes it": ("prod", {"prod": {"x": 1, "s": "[secret]"}}),
}


@pytest.mark.parametrize(("name", "outputs"), list(ANSWERED.values()), ids=list(ANSWERED))
def test_a_reference_is_answered_from_a_file(
    make_project: MakeProject, tmp_path: Path, name: str, outputs: dict[str, Any]
) -> None:
    loaded = load_stack_outputs(write(tmp_path, outputs))
    graph = run_deployment(make_project(REFERENCE.format(name=name)), "dev", stack_outputs=loaded)
    assert {"x": 1, "s": Secret(UNKNOWN)} == graph.resources[-1].inputs
    assert graph.invokes == ()


def test_a_reference_is_answered_from_an_exported_state(make_project: MakeProject, tmp_path: Path) -> None:
    loaded = load_stack_outputs(write(tmp_path, EXPORT))
    graph = run_deployment(make_project(REFERENCE.format(name="acme/net/prod")), "dev", stack_outputs=loaded)
    assert graph.resources[-1].inputs == {"x": 1, "s": "shown"}


def test_a_stack_of_another_project_is_not_taken_for_one_of_this(make_project: MakeProject, tmp_path: Path) -> None:
    loaded = load_stack_outputs(write(tmp_path, {"prod": {"x": 1}}))
    graph = run_deployment(make_project(REFERENCE.format(name="acme/net/prod")), "dev", stack_outputs=loaded)
    assert UNKNOWN is graph.resources[-1].inputs["x"]
    assert [call.token for call in graph.invokes if not call.answered] == ["pulumi:pulumi:StackReference"]


def test_a_file_spares_the_run_of_a_sibling(make_project: MakeProject, tmp_path: Path) -> None:
    program = 'if pulumi.get_stack() == "prod":\n    raise ValueError("prod was run")\n' + REFERENCE.format(name="prod")
    root = make_project(program, {"dev": "", "prod": ""})
    loaded = load_stack_outputs(write(tmp_path, {"prod": {"x": 1}}))
    assert run_deployment(root, "dev", stack_outputs=loaded).stacks == ("dev",)
    with pytest.raises(ProgramError, match="prod was run"):
        run_deployment(root, "dev")


def test_an_output_that_the_file_lacks_is_an_error_of_the_program(make_project: MakeProject, tmp_path: Path) -> None:
    loaded = load_stack_outputs(write(tmp_path, {"prod": {"y": 1}}))
    with pytest.raises(ProgramError, match=r"requires the output 'x' of the stack 'prod' at __main__\.py"):
        run_deployment(make_project(REFERENCE.format(name="prod")), "dev", stack_outputs=loaded)


HOSTILE = {
    "nothing": ("", "cannot be read as JSON"),
    "no JSON": ("{", "cannot be read as JSON"),
    "a list": ("[]", "a list where a mapping is needed; write {stack name: {output name: value}}"),
    "outputs that are a text": ('{"prod": "x"}', "prod: a str where a mapping is needed"),
    "a state of another version": ('{"version": 99, "deployment": {}}', "the state has the version 99"),
    "a state without resources that can be read": (
        '{"version": 3, "deployment": {"resources": "x"}}',
        "outputs.json: 1 problem",
    ),
    "nested without end": ("[" * 100_000, "cannot be read as JSON"),
    "bytes that are no text": ("\udcff", "cannot be read as JSON"),
}


@pytest.mark.parametrize(("text", "message"), list(HOSTILE.values()), ids=list(HOSTILE))
def test_a_file_that_holds_no_outputs_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "outputs.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError) as caught:
        load_stack_outputs(path)
    assert message in str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.json"):
        load_stack_outputs(tmp_path / "gone.json")


CONFIGURED = 'pulumi.export("n", config.require_int("n"))\npulumi.export("d", config.get("d"))\n'
WITH_DEFAULT = "name: demo\nruntime: python\nstackConfigDir: stacks\nconfig: {d: {default: given}}\n"


def test_a_stack_may_have_no_file_where_none_is_required(make_project: MakeProject) -> None:
    root = make_project(CONFIGURED, {}, pulumi_yaml=WITH_DEFAULT)
    graph = run_deployment(root, "new", {"demo:n": "3"}, require_file=False)
    assert graph.stack_outputs("new") == {"n": 3, "d": "given"}
    with pytest.raises(ConfigError, match="no stack 'new'"):
        run_deployment(root, "new", {"demo:n": "3"})


def test_a_file_that_is_there_is_read_though_none_is_required(make_project: MakeProject) -> None:
    root = make_project(CONFIGURED, {"dev": "config: {demo:n: 4}\n"}, pulumi_yaml=WITH_DEFAULT)
    assert run_deployment(root, "dev", require_file=False).stack_outputs("dev") == {"n": 4, "d": "given"}


def test_a_value_that_is_nowhere_names_its_key_and_the_remedy(make_project: MakeProject) -> None:
    root = make_project(CONFIGURED, {}, pulumi_yaml=WITH_DEFAULT)
    with pytest.raises(ConfigError, match=r"demo:n: the program needs this value at .* --config demo:n=VALUE"):
        run_deployment(root, "new", require_file=False)
