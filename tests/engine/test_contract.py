"""The rest of what a program may expect of an engine: where it runs, what it may ask, what is refused."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.run import run_program
from skerry.errors import MissingPackageError, ProgramError
from skerry.graph import UNKNOWN, Invoke, Resource, ResourceGraph, Secret

MakeProject = Callable[..., Path]
URN = "urn:pulumi:dev::demo::"


def table(names: tuple[str, ...], cases: dict[str, tuple[Any, ...]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(names, list(cases.values()), ids=list(cases))


def named(graph: ResourceGraph, name: str) -> Resource:
    return next(resource for resource in graph.resources if resource.name == name)


@table(
    ("asset", "message"),
    {
        "a file that is missing": (
            'pulumi.FileAsset("gone.txt")',
            "names the file 'gone.txt', which does not exist; a relative path starts at the program's folder",
        ),
        "a folder as a file": ('pulumi.FileAsset("dir")', "names the file 'dir', which is a folder"),
        "an archive that is missing": (
            'pulumi.FileArchive("gone.zip")',
            "names the archive 'gone.zip', which does not",
        ),
        "a file that is no archive": ('pulumi.FileArchive("dir/c.txt")', "which is neither a folder nor one of .tar"),
        "a missing file inside an archive": (
            'pulumi.AssetArchive({"k": pulumi.FileAsset("gone.txt")})',
            "input 'code.k' of sim:core:Thing 't' (__main__.py:{line}) names the file 'gone.txt'",
        ),
        "a missing file that is secret": ('Output.secret(pulumi.FileAsset("gone.txt"))', "input 'code' of"),
    },
)
def test_a_file_that_the_engine_could_not_read_is_refused(
    make_project: MakeProject, first_line: int, asset: str, message: str
) -> None:
    program = make_project(f'Thing("t", {{"code": {asset}}})\n', files={"dir/c.txt": "text"})
    with pytest.raises(ProgramError) as caught:
        run_program(program, "dev")
    assert message.format(line=first_line) in str(caught.value)


def test_a_program_reads_files_relative_to_its_own_folder(make_project: MakeProject) -> None:
    program = 'import pathlib\npulumi.export("read", pathlib.Path("data.txt").read_text())\n'
    before = Path.cwd()
    graph = run_program(make_project(program, files={"data.txt": "here"}), "dev")
    assert ({"read": "here"}, before) == (graph.stack_outputs("dev"), Path.cwd())


def test_the_main_of_a_project_may_stand_elsewhere(make_project: MakeProject) -> None:
    root = make_project(
        "raise ValueError\n", pulumi_yaml="name: demo\nruntime: python\nmain: src\nstackConfigDir: stacks\n"
    )
    (root / "src").mkdir()
    (root / "src" / "__main__.py").write_text(
        "import os, pulumi\nimport beside\n"
        "names = [os.path.basename(path) for path in (os.getcwd(), pulumi.get_root_directory())]\n"
        "pulumi.export('seen', [*names, beside.N])\n"
    )
    (root / "src" / "beside.py").write_text("N = 7\n")
    assert run_program(root, "dev").stack_outputs("dev") == {"seen": ["src", "program", 7]}


def test_what_a_program_asks_about_itself(make_project: MakeProject) -> None:
    program = """
    pulumi.export("who", [pulumi.get_project(), pulumi.get_stack(), pulumi.get_organization()])
    pulumi.export("dry", pulumi.runtime.is_dry_run())
    pulumi.export("object", pulumi.Config().require_object("deep"))
    """
    config = "config:\n  demo:deep: {a: [1, true]}\n"
    assert run_program(make_project(program, {"dev": config}), "dev").stack_outputs("dev") == {
        "who": ["demo", "dev", "organization"],
        "dry": True,
        "object": {"a": [1, True]},
    }


ALIASES = """
def inside(self):
    Thing("new-db", {}, Opts(parent=self))
Group("new", {}, Opts(aliases=[Alias(name="old")]), body=inside)
top = Thing("top", {}, Opts(aliases=[Alias(type_="sim:core:Was")]))
Thing("kid", {}, Opts(parent=top, aliases=[Alias(name="child")]))
Thing("moved", {}, Opts(aliases=[Alias(stack="prod", project="shop")]))
Thing("placed", {}, Opts(parent=Group("g"), aliases=[Alias(parent=None)]))
Thing("from", {}, Opts(aliases=[Alias(parent=top)]))
Thing("urn", {}, Opts(aliases=["urn:pulumi:dev::demo::sim:core:Thing::other"]))
"""


@table(
    ("name", "expected"),
    {
        "a name": ("new", [f"{URN}pkg:index:Group::old"]),
        "a child whose name begins with its parent's": ("new-db", [f"{URN}pkg:index:Group$sim:core:Thing::old-db"]),
        "a type at the root": ("top", [f"{URN}sim:core:Was::top"]),
        "a child with its own alias under a parent with one": (
            "kid",
            [
                f"{URN}sim:core:Thing$sim:core:Thing::child",
                f"{URN}sim:core:Was$sim:core:Thing::kid",
                f"{URN}sim:core:Was$sim:core:Thing::child",
            ],
        ),
        "another stack and project": ("moved", ["urn:pulumi:prod::shop::sim:core:Thing::moved"]),
        "no parent": ("placed", [f"{URN}sim:core:Thing::placed"]),
        "a parent that bears an alias": ("from", [f"{URN}sim:core:Was$sim:core:Thing::from"]),
        "a URN": ("urn", [f"{URN}sim:core:Thing::other"]),
    },
)
def test_aliases_are_what_the_engine_would_look_for(make_project: MakeProject, name: str, expected: list[str]) -> None:
    assert expected == list(named(run_program(make_project(ALIASES), "dev"), name).aliases)


def test_aliases_through_parents_are_limited(make_project: MakeProject) -> None:
    program = """
    many = [Alias(type_=f"sim:core:Was{i}") for i in range(200)]
    parent = None
    for level in range(5):
        parent = Thing(f"level{level}", {}, Opts(parent=parent, aliases=many))
    """
    graph = run_program(make_project(program), "dev")
    # The first level has its own only; the second as itself and its 200 kinds, each under 200 parents, up to the limit.
    assert [len(named(graph, f"level{level}").aliases) for level in (0, 1, 4)] == [200, 1200, 1200]
    was = f"{URN}sim:core:Was199$sim:core:Thing::level1"
    assert was in named(graph, "level1").aliases


INHERITED = """
p, q = Provider("p"), Provider("q")
def get(name):
    thing = Thing.__new__(Thing)
    pulumi.CustomResource.__init__(thing, "sim:core:Thing", name, {}, Opts(id="x", provider=p, protect=True))
    return thing
Thing("of-read", {}, Opts(parent=get("got")))
keep = Thing("keep", {}, Opts(protect=True, retain_on_delete=True, provider=p))
Thing("of-custom", {}, Opts(parent=keep))
Thing("says-no", {}, Opts(parent=keep, protect=False))
Thing("goes-with", {}, Opts(deleted_with=keep))
def kid(self):
    Thing(f"in-{self._name}", {}, Opts(parent=self))
Group("by-provider", {}, Opts(provider=q), body=kid)
Group("by-map", {}, Opts(providers={"sim": q}), body=lambda self: Group("nested", {}, Opts(parent=self), body=kid))
Group("gone", {}, Opts(deleted_with=keep, protect=True), body=kid)
"""


@table(
    ("name", "provider", "protect", "retain", "deleted_with"),
    {
        # The engine hands nothing on; what arrives is the SDK's doing.
        "under a resource that is read": ("of-read", "p", True, False, ""),
        "under a custom resource": ("of-custom", "p", True, True, ""),
        "where the child says otherwise": ("says-no", "p", False, True, ""),
        "under a component with a provider": ("in-by-provider", "q", False, False, ""),
        "two components down": ("in-nested", "q", False, False, ""),
        "under a component that goes with another": ("in-gone", "", True, False, "keep"),
    },
)
def test_what_children_take_over(
    make_project: MakeProject, name: str, provider: str, protect: bool, retain: bool, deleted_with: str
) -> None:
    found = named(run_program(make_project(INHERITED), "dev"), name)
    serving = found.provider.split("::")[-2] if found.provider else ""
    assert (provider, protect, retain) == (serving, found.protect, found.retain_on_delete)
    assert deleted_with == found.deleted_with.rsplit("::", 1)[-1]


def test_env_var_mappings_belong_to_providers(make_project: MakeProject) -> None:
    with pytest.raises(ProgramError, match="has env_var_mappings: only a provider can have them"):
        run_program(make_project('Thing("t", {}, Opts(env_var_mappings={"A": "B"}))\n'), "dev")


DYNAMIC = """
from pulumi.dynamic import CreateResult, Resource, ResourceProvider
class Random(ResourceProvider):
    def create(self, props):
        return CreateResult("id", {**props, "out": "v"})
class Made(Resource):
    out: Output[str]
    def __init__(self, name, props, opts=None):
        super().__init__(Random(), name, {"out": None, **props}, opts)
made = Made("made", {"x": 1, "s": Output.secret("s")})
Thing("t", {"out": made.out, "id": made.id})
"""


def test_a_dynamic_resource_is_one_of_its_own_package(make_project: MakeProject) -> None:
    graph = run_program(make_project(DYNAMIC), "dev")
    made = named(graph, "made")
    assert (made.type, made.provider) == ("pulumi-python:dynamic:Resource", "")
    assert (1, Secret("s")) == (made.inputs["x"], made.inputs["s"])
    assert isinstance(made.inputs["__provider"], Secret)
    assert named(graph, "t").inputs == {"out": UNKNOWN, "id": UNKNOWN}


def test_a_call_that_waits_for_a_new_resource_has_no_answer_though_the_table_has_one(make_project: MakeProject) -> None:
    program = """
    from pulumi import InvokeOutputOptions
    from pulumi.runtime import invoke_output
    token, new = "aws:index/getRegion:getRegion", Thing("new")
    Thing("now", {"r": invoke_output(token, {})["region"]})
    Thing("later", {"r": invoke_output(token, {}, InvokeOutputOptions(depends_on=[new]))["region"]})
    """
    graph = run_program(make_project(program, {"dev": "config: {aws:region: eu-west-1}\n"}), "dev")
    assert (named(graph, "now").inputs["r"], named(graph, "later").inputs["r"]) == ("eu-west-1", UNKNOWN)
    token = "aws:index/getRegion:getRegion"
    assert [Invoke(token, "dev", False), Invoke(token, "dev", True, {}, "table")] == sorted(
        graph.invokes, key=lambda invoke: invoke.answered
    )


OWN_ENVIRONMENT = "name: demo\nruntime: {name: python, options: {virtualenv: env}}\nstackConfigDir: stacks\n"


def in_environment(name: str, version: str = f"{sys.version_info.major}.{sys.version_info.minor}") -> str:
    return f"env/lib/python{version}/site-packages/{name}"


def test_a_program_may_import_what_only_its_own_environment_has(make_project: MakeProject) -> None:
    program = "import only_there\nimport yaml\npulumi.export('seen', [only_there.X, yaml.__name__])\n"
    for number in (1, 2):
        files = {in_environment("only_there.py"): f"X = {number}\n", in_environment("yaml.py"): "raise ValueError\n"}
        root = make_project(program, folder=f"p{number}", pulumi_yaml=OWN_ENVIRONMENT, files=files)
        before = list(sys.path)
        assert run_program(root, "dev").stack_outputs("dev") == {"seen": [number, "yaml"]}
        assert (before, "only_there" in sys.modules) == (list(sys.path), False)


def test_an_environment_of_another_python_is_left_alone(make_project: MakeProject) -> None:
    files = {in_environment("only_there.py", "3.1"): "X = 1\n"}
    root = make_project("import only_there\n", pulumi_yaml=OWN_ENVIRONMENT, files=files)
    with pytest.raises(MissingPackageError, match="run `pip install only-there`"):
        run_program(root, "dev")
