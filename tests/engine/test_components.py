"""Component packages in local folders are constructed in process, with the URNs that the command gives."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from skerry.engine.run import run_program
from skerry.errors import ProgramError
from skerry.graph import UNKNOWN, Invoke, Resource, ResourceGraph, Secret
from tests.simulators.component_packages import FILES, PROGRAM, PROJECT

MakeProject = Callable[..., Path]
URN = "urn:pulumi:dev::demo::"


def named(graph: ResourceGraph, name: str) -> Resource:
    return next(resource for resource in graph.resources if resource.name == name)


@pytest.fixture
def graph(make_project: MakeProject) -> ResourceGraph:
    return run_program(make_project(PROGRAM, pulumi_yaml=PROJECT, files=FILES), "dev")


def test_children_of_a_local_component_have_its_urn_before_theirs(graph: ResourceGraph) -> None:
    assert {
        "s": (f"{URN}parts:index:Shelf::s", f"{URN}pulumi:pulumi:Stack::demo-dev"),
        "s-board": (f"{URN}parts:index:Shelf$sim:core:Thing::s-board", f"{URN}parts:index:Shelf::s"),
        "u": (f"{URN}pkg:index:Group$parts:index:Shelf::u", f"{URN}pkg:index:Group::g"),
        "u-board": (
            f"{URN}pkg:index:Group$parts:index:Shelf$sim:core:Thing::u-board",
            f"{URN}pkg:index:Group$parts:index:Shelf::u",
        ),
    } == {name: (named(graph, name).urn, named(graph, name).parent) for name in ("s", "s-board", "u", "u-board")}


def test_inputs_secrets_dependencies_and_options_reach_the_children(graph: ResourceGraph) -> None:
    board, deep = named(graph, "s-board"), named(graph, "u-board")
    assert {"width": 3, "label": Secret("l"), "late": "yes"} == board.inputs
    assert (True, f"{URN}pulumi:providers:sim::p") == (board.protect, board.provider.rsplit("::", 1)[0])
    assert (UNKNOWN, {"label": (f"{URN}sim:core:Thing::a",)}) == (deep.inputs["label"], deep.property_dependencies)
    assert (f"{URN}parts:index:Shelf::was",) == named(graph, "s").aliases
    assert (f"{URN}parts:index:Shelf$sim:core:Thing::was-board",) == board.aliases


def test_outputs_come_back_known_where_they_are(graph: ResourceGraph) -> None:
    assert named(graph, "t").inputs == {"board": UNKNOWN, "width": 3, "deep": UNKNOWN, "watts": 40, "sum": 3}
    assert graph.stack_outputs("dev") == {"width": 3}
    assert named(graph, "s").outputs == {"board": UNKNOWN, "width": 3}


def test_a_component_stands_where_the_program_asked_for_it(graph: ResourceGraph, first_line: int) -> None:
    names = [resource.name for resource in graph.resources]
    assert names[1:] == ["p", "a", "s", "g", "u", "lamp", "t", "s-board", "u-board"]
    line = first_line + PROGRAM[: PROGRAM.index('Shelf("s"')].count("\n")
    assert f"__main__.py:{line}" == named(graph, "s").source


def test_what_was_constructed_and_called_is_recorded(graph: ResourceGraph) -> None:
    assert sorted((call.token, call.answered, call.answered_by) for call in graph.invokes) == [
        ("own:index:Lamp", True, "component"),
        ("own:index:Lamp/brighter", True, "component"),
        ("parts:index:Shelf", True, "component"),
        ("parts:index:Shelf", True, "component"),
    ]


def test_transforms_of_a_remote_component_run_once_and_on_its_children(make_project: MakeProject) -> None:
    program = (
        PROGRAM.split("provider = Provider")[0]
        + """
def tag(args):
    return pulumi.ResourceTransformResult({**args.props, "tag": args.props.get("tag", 0) + 1}, args.opts)
shelf = Shelf("s", {"width": 3, "label": None}, Opts(transforms=[tag]))
"""
    )
    graph = run_program(make_project(program, pulumi_yaml=PROJECT, files=FILES), "dev")
    assert named(graph, "s-board").inputs["tag"] == 1


REMOTE = """
class Remote(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("{type}", name, {{"n": 1, "url": None}}, None, True)


Remote("r")
"""
BROKEN: dict[str, tuple[str, Mapping[str, str], str]] = {
    "a component that raises": (
        "parts:index:Box",
        {},
        "failed at parts/shelf.py:41 in __init__: ValueError: no wood (while registering parts:index:Box 'r'",
    ),
    "an input that is missing": ("parts:index:Shelf", {}, "Missing required input 'width' on 'Shelf'"),
    "a component that the package has not": ("parts:index:Sofa", {}, "KeyError: 'Sofa'"),
    "a package that imports what is not there": (
        "parts:index:Box",
        {"parts/shelf.py": "import no_such_module\n"},
        "the program imports 'no_such_module' at parts/shelf.py:1",
    ),
    "a package that hosts nothing": (
        "parts:index:Box",
        {"parts/__main__.py": "x = 1\n"},
        "the package 'parts' in parts offers no provider: its __main__.py must call component_provider_host",
    ),
}


@pytest.mark.parametrize(("type_", "files", "message"), list(BROKEN.values()), ids=list(BROKEN))
def test_a_package_that_fails_is_told(
    make_project: MakeProject, type_: str, files: Mapping[str, str], message: str
) -> None:
    program = make_project(REMOTE.format(type=type_), pulumi_yaml=PROJECT, files={**FILES, **files})
    with pytest.raises(ProgramError) as caught:
        run_program(program, "dev")
    assert message in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_component_of_a_package_elsewhere_stays_opaque_and_is_named(make_project: MakeProject) -> None:
    yaml = PROJECT.replace("packages: {parts: ./parts, own: ./own}", "packages: {parts: github.com/x/parts@1.0.0}")
    graph = run_program(make_project(REMOTE.format(type="parts:index:Box"), pulumi_yaml=yaml, files=FILES), "dev")
    assert [resource.name for resource in graph.resources] == ["demo-dev", "r"]
    assert (Invoke("parts:index:Box", "dev", False, {"n": 1}),) == graph.invokes


def test_a_run_leaves_the_process_and_the_sdk_as_they_were(make_project: MakeProject) -> None:
    from pulumi.provider import experimental

    before = (list(sys.path), experimental.component_provider_host, sys.modules["__main__"])
    root = make_project(PROGRAM, pulumi_yaml=PROJECT, files=FILES)
    first, second = (run_program(root, "dev") for _ in range(2))
    assert before == (list(sys.path), experimental.component_provider_host, sys.modules["__main__"])
    assert first.resources == second.resources
