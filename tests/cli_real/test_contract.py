"""The contract of the resource monitor, item by item: the embedded run and the real command give one graph."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from skerry.engine.run import run_program
from skerry.errors import ProgramError
from skerry.graph import UNKNOWN
from skerry.readers.state import read_state
from tests.simulators.component_packages import FILES, PROGRAM, PROJECT
from tests.simulators.graph_equality import NORMALISED, compare, read_command
from tests.simulators.pulumi_cli import PulumiCli

PRELUDE = """
import pulumi
from pulumi import Alias, Output, ResourceOptions as Opts

config = pulumi.Config()


class Thing(pulumi.CustomResource):
    made: pulumi.Output[str]

    def __init__(self, name, props=None, opts=None):
        super().__init__("sim:core:Thing", name, {"made": None, **(props or {})}, opts)


class Provider(pulumi.ProviderResource):
    def __init__(self, name, props=None, opts=None):
        super().__init__("sim", name, props or {}, opts)


class Group(pulumi.ComponentResource):
    def __init__(self, name, props=None, opts=None, body=None):
        super().__init__("pkg:index:Group", name, props or {}, opts)
        if body:
            body(self)
        self.register_outputs({"named": name})


def kid(self):
    Thing(f"in-{self._name}", {}, Opts(parent=self))


def get(name, id, **opts):
    thing = Thing.__new__(Thing)
    pulumi.CustomResource.__init__(thing, "sim:core:Thing", name, {"made": None}, Opts(id=id, **opts))
    return thing


"""

PROGRAMS = {
    "options and what children take over": """
p, q = Provider("p", {"region": "x"}), Provider("q")
keep = Thing("keep", {"x": 1}, Opts(protect=True, retain_on_delete=True, provider=p))
Thing("of-custom", {}, Opts(parent=keep))
Thing("says-no", {}, Opts(parent=keep, protect=False))
Group("of-keep", {}, Opts(parent=keep), body=kid)
Thing("goes-with", {}, Opts(deleted_with=keep))
Group("gone", {}, Opts(deleted_with=keep, protect=True), body=kid)
Group("by-provider", {}, Opts(provider=p), body=lambda self: Group("nested", {}, Opts(parent=self), body=kid))
Group("by-map", {}, Opts(providers={"sim": q}), body=kid)
Group("by-list", {}, Opts(providers=[q]), body=lambda self: Thing("own", {}, Opts(parent=self, provider=p)))
Thing("many", {"x": 1, "y": {"z": 1}}, Opts(ignore_changes=["y.z"], replace_on_changes=["x"],
      additional_secret_outputs=["made", "x"], delete_before_replace=True))
Thing("new-options", {}, Opts(replacement_trigger="v1", replace_with=[keep], hide_diffs=["x"],
      custom_timeouts=pulumi.CustomTimeouts(create="1m")))
Thing("under-read", {}, Opts(parent=get("read", "the-id", provider=p)))
""",
    "values, secrets and dependencies": """
a, b = Thing("a"), Thing("b")
group = Group("group", body=kid)
Thing("t", {"u": a.made, "id": b.id, "s": Output.secret({"k": [1]}), "su": Output.secret(a.made),
            "mixed": Output.all(Output.secret("s"), a.made), "deep": {"l": [b.made, Output.secret("x")]},
            "json": Output.json_dumps({"k": a.id}), "known": Output.concat("<", "x", ">"), "r": a, "urn": a.urn,
            "n": [1, 2.5, True, None, -0.5, 10**12], "empty": {}, "none": None})
Thing("d", {}, Opts(depends_on=[a, group]))
Thing("late", {}, Opts(depends_on=Output.from_input([b])))
pulumi.export("x", {"a": a.made, "s": Output.secret("s")})
""",
    "transforms and old transformations": """
def tag(args):
    return pulumi.ResourceTransformResult({**args.props, "tag": "mine"}, Opts.merge(args.opts, Opts(protect=True)))
def rename(args):
    props = {("renamed" if key == "x" else key): value for key, value in args.props.items()}
    return pulumi.ResourceTransformResult(props, args.opts)
def old(args):
    return pulumi.ResourceTransformationResult({**args.props, "old": 1}, args.opts)
a = Thing("a")
Thing("own", {"x": a.made, "s": Output.secret("s")}, Opts(transforms=[tag, rename], depends_on=[a]))
Group("g", {}, Opts(transforms=[tag]), body=lambda self: Group("inner", {}, Opts(parent=self), body=kid))
Group("h", {}, Opts(transformations=[old]), body=kid)
pulumi.runtime.register_stack_transformation(old)
pulumi.runtime.register_resource_transform(rename)
Thing("by-stack", {"x": a.made, "s": Output.secret("s")})
""",
    "assets, and files relative to the program": """
import pathlib
Thing("t", {"file": pulumi.FileAsset("data/a.txt"), "text": pulumi.StringAsset("hi"),
            "folder": pulumi.FileArchive("data"), "mix": pulumi.AssetArchive({"k": pulumi.FileAsset("data/a.txt")})})
Thing("read", {"content": pathlib.Path("data/a.txt").read_text(), "who": f"{pulumi.get_project()}/{pulumi.get_stack()}",
               "dry": pulumi.runtime.is_dry_run(), "organization": pulumi.get_organization()})
""",
    "dynamic providers": """
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
""",
    "hooks that run in a preview": """
def ran(args):
    pathlib.Path(f"ran-{args.name}").write_text("")
import pathlib
dry = pulumi.ResourceHook("dry", ran, pulumi.ResourceHookOptions(on_dry_run=True))
wet = pulumi.ResourceHook("wet", ran)
Thing("t", {"x": 1}, Opts(hooks=pulumi.ResourceHookBinding(before_create=[dry, wet], after_create=[dry])))
Thing("only-wet", {"x": 1}, Opts(hooks=pulumi.ResourceHookBinding(before_create=[wet])))
""",
    "structured configuration": """
tree = config.require_object("tree")
Thing("t", {"raw": config.require("tree"), "order": list(tree), "inner": list(tree["b"]),
            "rows": config.require("rows"), "number": config.require("number"),
            "other": config.require("other"), "yes": config.require("yes")})
""",
    "components of a local package": PROGRAM,
    "a stack that refers to another": """
other = pulumi.StackReference("other")
Thing("t", {"x": other.get_output("x"), "y": other.require_output("y")})
""",
}


CONFIGURED = """config:
  tree: {zeta: <a & b>, b: {y: 1.0, x: 2.5, 10: ten, 9: nine, true: 1}, Alpha: [{d: 1, c: null}], é: "ü", e: 1.0e+3}
  rows: [{b: 1, a: 2}, x]
  number: 1.50
  other: 3.0
  yes: true
"""
"""In no order, as people write."""


@dataclass
class World:
    """The command, and a way to write programs for it."""

    cli: PulumiCli
    root: Path

    def project(self, name: str, program: str) -> Path:
        root = self.root / name
        (root / "stacks").mkdir(parents=True)
        (root / "Pulumi.yaml").write_text(PROJECT.replace("demo", name))
        (root / "stacks" / "Pulumi.dev.yaml").write_text(CONFIGURED)
        (root / "__main__.py").write_text(PRELUDE + program)
        for path, text in {"data/a.txt": "a", "data/b/c.txt": "c", **FILES}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        return root


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    tmp = tmp_path_factory.mktemp("contract")
    yield World(PulumiCli(tmp / "world", ("sim", "pulumi-python")), tmp / "projects")


def names_the_package(line: str) -> bool:
    """Say whether the command names a line of a component package where the engine names that of the program.

    The process that serves a package does not hand on who asked for a component.
    """
    return " source: engine '__main__.py:" in line and ("command 'parts/" in line or "command 'own/" in line)


def slug(name: str) -> str:
    return name.replace(" ", "-").replace(",", "")


@pytest.mark.parametrize("name", [name for name in PROGRAMS if "refers" not in name])
def test_the_embedded_run_and_the_command_give_one_graph(world: World, name: str) -> None:
    root = world.project(slug(name), PROGRAMS[name])
    engine = run_program(world.cli.copy_of(root), "dev")
    ran = sorted(path.name for path in world.cli.copy_of(root).glob("ran-*"))
    for path in world.cli.copy_of(root).glob("ran-*"):
        path.unlink()
    plan = world.cli.copy_of(root) / "plan.json"
    preview = world.cli.preview_json(root, "dev", "--show-secrets", f"--save-plan={plan}")
    found = compare(engine, read_command(preview, plan.read_text()))
    assert [line for line in found.differences if not names_the_package(line)] == []
    assert found.compared > 30
    assert set(found.touched) <= set(NORMALISED)
    assert ran == sorted(path.name for path in world.cli.copy_of(root).glob("ran-*"))
    assert ("hooks" in name) == (ran == ["ran-t"])


REFUSED: Mapping[str, tuple[str, str, str]] = {
    "an asset that is missing": (
        'Thing("t", {"x": pulumi.FileAsset("gone.txt")})\n',
        "names the file 'gone.txt', which does not exist",
        "failed to open asset file",
    ),
    "a folder as a file": (
        'Thing("t", {"x": pulumi.FileAsset("data")})\n',
        "names the file 'data', which is a folder",
        "is a directory; try using an archive",
    ),
    "an archive of no known kind": (
        'Thing("t", {"x": pulumi.FileArchive("data/a.txt")})\n',
        "is neither a folder nor one of",
        "is neither a recognized archive type nor a directory",
    ),
    "a hook that raises": (
        "def fails(args):\n    raise ValueError('no quota')\n"
        "hook = pulumi.ResourceHook('h', fails, pulumi.ResourceHookOptions(on_dry_run=True))\n"
        "Thing('t', {}, Opts(hooks=pulumi.ResourceHookBinding(before_create=[hook])))\n",
        "sim:core:Thing::t failed in fails of __main__.py:",
        'before hook \\"h\\" failed: no quota',
    ),
    "variables of the environment for what is no provider": (
        'Thing("t", {}, Opts(env_var_mappings={"A": "B"}))\n',
        "only a provider can have them",
        "envVarMappings can only be used with provider resources",
    ),
    "a URN twice": ('Thing("t")\nThing("t")\n', "two resources have the URN", "Duplicate resource URN"),
    "an exception in an apply": (
        'Thing("t", {"x": Output.from_input(1).apply(lambda v: v // 0)})\n', "ZeroDivisionError", "ZeroDivisionError"
    ),
    "a transform that raises": (
        'def bad(args):\n    raise ValueError("in transform")\nThing("t", {}, Opts(transforms=[bad]))\n',
        "ValueError: in transform",
        "in transform",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_both_refuse_the_same_programs(world: World, name: str) -> None:
    program, ours, theirs = REFUSED[name]
    root = world.project(slug(name), program)
    with pytest.raises(ProgramError) as caught:
        run_program(world.cli.copy_of(root), "dev")
    assert ours in str(caught.value)
    world.cli.init(root, "dev")
    done = world.cli.run(root, "preview", "--json", "--stack", "dev")
    assert done.returncode != 0
    assert theirs in done.text


def test_a_stack_that_is_not_there_is_unknown_to_one_and_refused_by_the_other(world: World) -> None:
    root = world.project("reference", PROGRAMS["a stack that refers to another"])
    engine = run_program(world.cli.copy_of(root), "dev")
    assert engine.resources[-1].inputs == {"x": UNKNOWN, "y": UNKNOWN}
    assert [call.token for call in engine.invokes if not call.answered] == ["pulumi:pulumi:StackReference"]
    world.cli.init(root, "dev")
    assert "unknown stack" in world.cli.run(root, "preview", "--json", "--stack", "dev").text


ALIASED = """
Group("old", {}, body=lambda self: Thing("old-db", {}, Opts(parent=self)))
Thing("was", {})
"""
RENAMED = """
Group("new", {}, Opts(aliases=[Alias(name="old")]), body=lambda self: Thing("new-db", {}, Opts(parent=self)))
Thing("is", {}, Opts(aliases=[Alias(name="was")]))
"""


def test_the_aliases_of_the_embedded_run_are_where_the_command_finds_the_old_resources(tmp_path: Path) -> None:
    cli = PulumiCli(tmp_path / "world", ("sim",))
    root = World(cli, tmp_path).project("aliased", ALIASED)
    (root / "Pulumi.yaml").write_text(PROJECT.split("packages")[0])
    cli.check(cli.up(root, "dev"))
    before = {resource.urn for resource in read_state(cli.stack_export(root, "dev")).resources}
    (cli.copy_of(root) / "__main__.py").write_text(PRELUDE + RENAMED)
    steps = json.loads(cli.preview_json(root, "dev"))["steps"]
    kept = {step["urn"]: step["op"] for step in steps}
    engine = run_program(cli.copy_of(root), "dev")
    for resource in engine.resources[1:]:
        assert kept[resource.urn] == "same", resource.urn
        assert set(resource.aliases) & before, resource.urn
    assert "create" not in kept.values()
    assert "delete" not in kept.values()
