"""What the monitor records, against what `pulumi preview` of a new stack shows for the same programs.

The expected values were compared with `pulumi preview --json` (command 3.250.0, SDK 3.272.0) once; the standing
comparison with the real command is the toolchain stage.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.run import run_program
from skerry.errors import ProgramError
from skerry.graph import UNKNOWN, Asset, Invoke, Resource, ResourceGraph, ResourceRef, Secret, is_known
from skerry.graph_json import to_json

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


def test_urn_carries_the_chain_of_parent_types(make_project: MakeProject) -> None:
    graph = run_program(
        make_project("""
        def inner(self):
            Thing("leaf", opts=Opts(parent=self))
        def outer(self):
            Group("in", opts=Opts(parent=self), body=inner)
        Group("out", body=outer)
        Thing("kid", opts=Opts(parent=Thing("top")))
        """),
        "dev",
    )
    assert {
        "demo-dev": (STACK, ""),
        "out": (f"{URN}pkg:index:Group::out", STACK),
        "in": (f"{URN}pkg:index:Group$pkg:index:Group::in", f"{URN}pkg:index:Group::out"),
        "leaf": (
            f"{URN}pkg:index:Group$pkg:index:Group$sim:core:Thing::leaf",
            f"{URN}pkg:index:Group$pkg:index:Group::in",
        ),
        "top": (f"{URN}sim:core:Thing::top", STACK),
        "kid": (f"{URN}sim:core:Thing$sim:core:Thing::kid", f"{URN}sim:core:Thing::top"),
    } == {resource.name: (resource.urn, resource.parent) for resource in graph.resources}
    assert (graph.project, graph.stacks, graph.producer) == ("demo", ("dev",), "engine")


DEPENDENCIES = """
a, b = Thing("a"), Thing("b")
group = Group("group", body=lambda self: (Thing("g1", opts=Opts(parent=self)), Thing("g2", opts=Opts(parent=self))))
Thing("outputs", {"x": a.made, "y": Output.all(a.id, b.made).apply(lambda v: v), "z": 1})
Thing("applied", {"x": a.made.apply(lambda v: b.made), "known": a.urn.apply(lambda u: u)})
Thing("listed", opts=Opts(depends_on=[a, group]))
Thing("late", opts=Opts(depends_on=Output.from_input([b])))
Thing("resource", {"x": a, "deep": {"list": [b.made]}})
"""


@table(
    ("name", "dependencies", "by_property"),
    {
        "outputs in inputs": ("outputs", ["a", "b"], {"x": ["a"], "y": ["a", "b"]}),
        "an unknown output under apply": ("applied", ["a"], {"x": ["a"], "known": ["a"]}),
        "depends_on with a component means its children": ("listed", ["a", "g1", "g2"], {}),
        "depends_on as an output": ("late", ["b"], {}),
        "a resource as a value, an output deep inside": ("resource", ["a", "b"], {"x": ["a"], "deep": ["b"]}),
        "nothing": ("a", [], {}),
    },
)
def test_dependencies(
    make_project: MakeProject, name: str, dependencies: list[str], by_property: dict[str, list[str]]
) -> None:
    found = named(run_program(make_project(DEPENDENCIES), "dev"), name)
    assert dependencies == sorted(short(found.dependencies))
    assert by_property == {key: sorted(short(urns)) for key, urns in found.property_dependencies.items()}


INPUTS = """
a = Thing("a", {"plain": "p"}, Opts(additional_secret_outputs=["made", "plain"]))
c = Thing("c", {"plain": "p", "nested": {"k": "v"}})
p = Provider("p")
Thing("t", {
    "scalars": ["s", 1, 2.5, True, None],
    "missing": None,
    "unknown": c.made,
    "id": c.id,
    "known": Output.concat("<", Output.from_input("x"), ">"),
    "concat": Output.concat("<", c.made, ">"),
    "all": Output.all(c.made, "x"),
    "json": Output.json_dumps({"k": c.id}),
    "secret": Output.secret({"k": [1]}),
    "deep": {"list": [Output.secret("s"), "t"]},
    "secret_unknown": Output.secret(c.made),
    "mixed": Output.all(Output.secret("s"), "x").apply(lambda v: v[1]),
    "unsecret": Output.unsecret(Output.secret("s")),
    "marked": a.made,
    "marked_known": a.plain if hasattr(a, "plain") else None,
    "lifted": c.made["x"],
    "file": pulumi.FileAsset("a/b.txt"),
    "text": pulumi.StringAsset("t"),
    "archive": pulumi.FileArchive("dir"),
    "assets": pulumi.AssetArchive({"a": pulumi.StringAsset("t")}),
    "resource": c,
    "urn": c.urn,
    "provider_id": p.id,
})
"""


@table(
    ("key", "expected"),
    {
        "scalars": ("scalars", ["s", 1, 2.5, True, None]),
        "an output that the provider decides": ("unknown", UNKNOWN),
        "an id": ("id", UNKNOWN),
        "concat of known parts": ("known", "<x>"),
        "concat with an unknown part": ("concat", UNKNOWN),
        "all with an unknown part": ("all", UNKNOWN),
        "json of an unknown": ("json", UNKNOWN),
        "a secret structure": ("secret", Secret({"k": [1]})),
        "a secret deep inside": ("deep", {"list": [Secret("s"), "t"]}),
        "an unknown secret": ("secret_unknown", Secret(UNKNOWN)),
        "what is made of a secret": ("mixed", Secret("x")),
        "a secret made plain": ("unsecret", "s"),
        "an output marked secret by an option": ("marked", Secret(UNKNOWN)),
        "an item of an unknown": ("lifted", UNKNOWN),
        "a file": ("file", Asset("file", "a/b.txt")),
        "a text": ("text", Asset("text", "")),
        "an archive": ("archive", Asset("archive", "dir")),
        "an archive of assets": ("assets", Asset("archive", "")),
        "a resource": ("resource", ResourceRef(f"{URN}sim:core:Thing::c")),
        "a URN": ("urn", f"{URN}sim:core:Thing::c"),
        "the id of a provider": ("provider_id", UNKNOWN),
    },
)
def test_inputs(make_project: MakeProject, key: str, expected: Any) -> None:
    files = {"a/b.txt": "text", "dir/c.txt": "text"}
    inputs = named(run_program(make_project(INPUTS, files=files), "dev"), "t").inputs
    assert expected == inputs[key]
    assert "missing" not in inputs


def test_an_output_that_is_an_input_is_known(make_project: MakeProject) -> None:
    program = """
    class Echo(pulumi.CustomResource):
        size: pulumi.Output[int]
        def __init__(self, name, size):
            super().__init__("sim:core:Echo", name, {"size": size})
    Thing("t", {"size": Echo("e", 3).size, "ran": Echo("f", 4).size.apply(lambda size: size * 2)})
    """
    assert named(run_program(make_project(program), "dev"), "t").inputs == {"size": 3, "ran": 8}


def test_apply_does_not_run_on_an_unknown(make_project: MakeProject) -> None:
    graph = run_program(make_project('Thing("a").made.apply(lambda v: Thing("never"))\n'), "dev")
    assert [resource.name for resource in graph.resources] == ["demo-dev", "a"]


def test_a_resource_that_is_read(make_project: MakeProject) -> None:
    program = """
    def get(name, id):
        thing = Thing.__new__(Thing)
        pulumi.CustomResource.__init__(thing, "sim:core:Thing", name, {"made": None}, Opts(id=id))
        return thing
    got = get("got", "the-id")
    get("vague", got.made)
    Thing("t", {"id": got.id, "made": got.made})
    """
    graph = run_program(make_project(program), "dev")
    got = named(graph, "got")
    assert (got.external, got.custom, got.id, got.inputs, got.protect) == (True, True, "the-id", {}, False)
    assert named(graph, "t").inputs == {"id": "the-id", "made": UNKNOWN}
    assert named(graph, "vague").id == ""


def test_a_call_without_an_answer_is_unknown_and_listed(make_project: MakeProject) -> None:
    program = """
    from pulumi.runtime import call, invoke_output
    zones = invoke_output("aws:index/getZones:getZones", {"state": "up", "key": Output.secret("k")})
    Thing("t", {"zones": zones.apply(lambda z: z["names"])})
    Thing("m", {"x": call("sim:core:Thing/do", {"a": 1}).apply(lambda v: v["x"])})
    """
    graph = run_program(make_project(program), "dev")
    assert named(graph, "t").inputs == {"zones": UNKNOWN}
    assert named(graph, "m").inputs == {"x": UNKNOWN}
    assert [
        Invoke("aws:index/getZones:getZones", "dev", False, {"state": "up", "key": Secret("k")}),
        Invoke("sim:core:Thing/do", "dev", False, {"a": 1}),
    ] == sorted(graph.invokes, key=lambda invoke: invoke.token)


def test_an_import_knows_its_id(make_project: MakeProject) -> None:
    program = 'Thing("u", {"id": Thing("t", {"x": 1}, Opts(import_="the-id")).id})\n'
    graph = run_program(make_project(program), "dev")
    assert (named(graph, "t").id, named(graph, "t").external) == ("the-id", False)
    assert named(graph, "u").inputs == {"id": "the-id"}


def test_a_program_with_an_asynchronous_entry(make_project: MakeProject) -> None:
    program = """
    import asyncio
    async def main():
        await asyncio.sleep(0)
        return {"id": Thing("t").id, "n": 1}
    pulumi.run(main)
    """
    assert run_program(make_project(program), "dev").stack_outputs("dev") == {"id": UNKNOWN, "n": 1}


def test_a_parameterized_package(make_project: MakeProject) -> None:
    program = """
    import asyncio
    from pulumi.runtime.settings import register_package
    ref = asyncio.ensure_future(register_package("terraform-provider", "0.9.0", "", "random", "3.5.1", "e30="))
    class Pet(pulumi.CustomResource):
        def __init__(self, name, opts=None):
            super().__init__("random:index/pet:Pet", name, {}, opts, package_ref=ref)
    Pet("pet")
    """
    assert named(run_program(make_project(program), "dev"), "pet").version == "3.5.1"


def test_a_resource_found_by_its_urn(make_project: MakeProject) -> None:
    program = """
    a = Thing("a", {"x": 1})
    def find(urn):
        found = Thing.__new__(Thing)
        pulumi.CustomResource.__init__(found, "sim:core:Thing", "a", {"x": None}, Opts(urn=urn))
        return found.__dict__["x"]
    Thing("b", {"x": a.urn.apply(find)})
    """
    assert named(run_program(make_project(program), "dev"), "b").inputs == {"x": 1}


def test_a_remote_component_is_opaque_and_listed(make_project: MakeProject) -> None:
    program = """
    class Remote(pulumi.ComponentResource):
        url: pulumi.Output[str]
        def __init__(self, name, props):
            super().__init__("far:index:Remote", name, {"url": None, **props}, None, True)
    Thing("t", {"url": Remote("r", {"x": Output.secret(1)}).url})
    """
    graph = run_program(make_project(program), "dev")
    assert (False, {"x": Secret(1)}) == (named(graph, "r").custom, named(graph, "r").inputs)
    assert named(graph, "t").inputs == {"url": UNKNOWN}
    assert (Invoke("far:index:Remote", "dev", False, {"x": Secret(1)}),) == graph.invokes


def test_a_remote_component_has_no_provider_of_its_own_but_its_children_have(make_project: MakeProject) -> None:
    program = """
    class Remote(pulumi.ComponentResource):
        def __init__(self, name, opts):
            super().__init__("sim:index:Remote", name, {}, opts, True)
    p = Provider("p")
    r = Remote("r", Opts(provider=p))
    Thing("t", {}, Opts(parent=r))
    """
    graph = run_program(make_project(program), "dev")
    assert (named(graph, "r").provider, named(graph, "t").provider.startswith(named(graph, "p").urn)) == ("", True)


def test_outputs_of_the_stack_and_of_components(make_project: MakeProject) -> None:
    program = """
    group = Group("g")
    pulumi.export("id", Thing("t").id)
    pulumi.export("plain", {"a": [1, Output.secret("s")]})
    """
    graph = run_program(make_project(program), "dev")
    assert {"id": UNKNOWN, "plain": {"a": [1, Secret("s")]}} == graph.stack_outputs("dev")
    assert named(graph, "g").outputs == {"named": "g"}


def test_source_is_the_line_that_asks_for_the_resource(make_project: MakeProject, first_line: int) -> None:
    program = '\nThing("here")\nimport lib.more\nlib.more.build(Thing)\nGroup("g")\n'
    files = {"lib/more.py": "def build(cls):\n    cls('there')\n"}
    graph = run_program(make_project(program, files=files), "dev")
    assert {
        "here": f"__main__.py:{first_line + 1}",
        "there": "lib/more.py:2",
        "g": f"__main__.py:{first_line + 4}",
        "demo-dev": "",
    } == {resource.name: resource.source for resource in graph.resources}


def test_resources_stand_in_the_order_of_the_program(make_project: MakeProject) -> None:
    program = """
    import asyncio
    async def slow():
        await asyncio.sleep(0.05)
        return 1
    Thing("first", {"x": slow()})
    Thing("second")
    Group("third", body=lambda self: Thing("fourth", opts=Opts(parent=self)))
    """
    graph = run_program(make_project(program), "dev")
    assert [resource.name for resource in graph.resources] == ["demo-dev", "first", "second", "third", "fourth"]
    assert named(graph, "first").inputs["x"] == 1


@table(
    ("program", "message"),
    {
        "a URN twice": (
            'Thing("a"), Thing("a")\n',
            f"two resources have the URN {URN}sim:core:Thing::a (__main__.py:{{line}} and __main__.py:{{line}}): "
            "give one of them another name",
        ),
        "a malformed type": (
            'pulumi.CustomResource("bad", "n", {})\n',
            "resource 'n' has the type 'bad': a type token is written package:module:Type",
        ),
    },
)
def test_a_registration_that_the_engine_refuses(
    make_project: MakeProject, first_line: int, program: str, message: str
) -> None:
    with pytest.raises(ProgramError) as caught:
        run_program(make_project(program), "dev")
    assert message.format(line=first_line) == str(caught.value)


ALL = """
one = Provider("one")
a = Thing("a", opts=Opts(provider=one))
group = Group("g", opts=Opts(providers=[one]), body=lambda self: [Thing(f"g{n}", {"x": a.made}, Opts(parent=self))
                                                                  for n in range(5)])
Thing("last", {"all": Output.all(a.id, "x"), "s": Output.secret({"b": 1, "a": 2})}, Opts(depends_on=[group, one]))
pulumi.export("z", a.id)
pulumi.export("b", {"d": 1, "c": [a.made]})
"""


def test_the_same_run_gives_the_same_bytes(make_project: MakeProject) -> None:
    program = make_project(ALL)
    first, second = run_program(program, "dev"), run_program(program, "dev")
    assert to_json(first) == to_json(second)
    assert not all(is_known(resource.inputs) for resource in first.resources)
