"""What the monitor records, against what `pulumi preview` of a new stack shows for the same programs.

The expected values were compared with `pulumi preview --json` (command 3.250.0, SDK 3.272.0) once; the standing
comparison with the real command is the toolchain stage.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.run import run_program
from skerry.errors import ConfigError, ProgramError
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


PROVIDERS = """
def kids(self):
    Thing(f"{self._name}-thing", opts=Opts(parent=self))
def nest(self):
    Group(f"{self._name}-in", opts=Opts(parent=self), body=kids)
one, two = Provider("one"), Provider("two")
Thing("explicit", opts=Opts(provider=one))
Thing("default")
Group("listed", opts=Opts(providers=[one]), body=kids)
Group("mapped", opts=Opts(providers={"sim": two}), body=nest)
Group("single", opts=Opts(provider=one), body=kids)
Group("other", opts=Opts(providers={"aws": two}), body=kids)
Thing("kid", opts=Opts(parent=Thing("custom", opts=Opts(provider=two))))
"""


@table(
    ("name", "provider"),
    {
        "an explicit provider": ("explicit", "one"),
        "no provider": ("default", ""),
        "a provider of the enclosing component": ("listed-thing", "one"),
        "a provider of a component two levels up": ("mapped-in-thing", "two"),
        "the only provider of the enclosing component": ("single-thing", "one"),
        "a provider of another package": ("other-thing", ""),
        "the provider of a custom parent": ("kid", "two"),
        "a component": ("single", ""),
        "a provider": ("one", ""),
    },
)
def test_provider_is_explicit_or_inherited(make_project: MakeProject, name: str, provider: str) -> None:
    graph = run_program(make_project(PROVIDERS), "dev")
    expected = f"{URN}pulumi:providers:sim::{provider}::{UNKNOWN_ID}" if provider else ""
    assert expected == named(graph, name).provider
    served_by = graph.provider_of(named(graph, name))
    assert provider == (served_by.name if served_by else "")


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
    inputs = named(run_program(make_project(INPUTS), "dev"), "t").inputs
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


OPTIONS = """
r = Thing("r", {"x": 1}, Opts(
    protect=True, retain_on_delete=True, ignore_changes=["x", "y"], replace_on_changes=["z"], version="1.2.3",
    delete_before_replace=False, additional_secret_outputs=["made"],
    aliases=[Alias(name="old"), Alias(type_="sim:core:Old"), "urn:pulumi:dev::demo::a:b:C::raw",
             Alias(parent="urn:pulumi:dev::demo::pkg:index:Group::g"), Alias(project="past", stack="prod")]))
Group("g", opts=Opts(protect=True, retain_on_delete=True, deleted_with=r), body=lambda self: (
    Thing("inherits", opts=Opts(parent=self)),
    Thing("refuses", opts=Opts(parent=self, protect=False, retain_on_delete=False)),
    Group("between", opts=Opts(parent=self), body=lambda inner: Thing("deep", opts=Opts(parent=inner)))))
"""


def test_options(make_project: MakeProject) -> None:
    graph = run_program(make_project(OPTIONS), "dev")
    r = named(graph, "r")
    assert (
        r.protect,
        r.retain_on_delete,
        r.ignore_changes,
        r.replace_on_changes,
        r.version,
        r.delete_before_replace,
        r.additional_secret_outputs,
    ) == (True, True, ("x", "y"), ("z",), "1.2.3", False, ("made",))
    assert (
        f"{URN}sim:core:Thing::old",
        f"{URN}sim:core:Old::r",
        "urn:pulumi:dev::demo::a:b:C::raw",
        f"{URN}pkg:index:Group$sim:core:Thing::r",
        "urn:pulumi:prod::past::sim:core:Thing::r",
    ) == r.aliases
    assert {
        name: (named(graph, name).protect, named(graph, name).retain_on_delete)
        for name in ("inherits", "refuses", "deep")
    } == {"inherits": (True, True), "refuses": (False, False), "deep": (True, True)}
    assert r.urn == named(graph, "deep").deleted_with
    assert named(graph, "g").delete_before_replace is None


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


def test_hooks_and_migrations_are_accepted_and_not_run(make_project: MakeProject) -> None:
    program = """
    def ran(args):
        raise ValueError("the hook ran")
    hook = pulumi.ResourceHook("h", ran, pulumi.ResourceHookOptions(on_dry_run=True))
    Thing("t", opts=Opts(hooks=pulumi.ResourceHookBinding(before_create=[hook]), state_migrations=[ran]))
    """
    assert named(run_program(make_project(program), "dev"), "t").inputs == {}


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


def test_outputs_of_the_stack_and_of_components(make_project: MakeProject) -> None:
    program = """
    group = Group("g")
    pulumi.export("id", Thing("t").id)
    pulumi.export("plain", {"a": [1, Output.secret("s")]})
    """
    graph = run_program(make_project(program), "dev")
    assert {"id": UNKNOWN, "plain": {"a": [1, Secret("s")]}} == graph.stack_outputs("dev")
    assert named(graph, "g").outputs == {"named": "g"}


def test_kubernetes_resources(make_project: MakeProject) -> None:
    program = """
    import pulumi_kubernetes as k8s
    provider = k8s.Provider("k", kubeconfig=Output.secret("k"))
    space = k8s.core.v1.Namespace("space", metadata={"name": "ns"}, opts=Opts(provider=provider))
    auto = k8s.core.v1.ConfigMap("auto", metadata={"namespace": space.metadata.name}, data={"a": "b"},
                                 opts=Opts(provider=provider))
    k8s.apps.v1.Deployment("d", metadata={"namespace": space.metadata["name"], "labels": {"cm": auto.metadata.name}},
        spec=k8s.apps.v1.DeploymentSpecArgs(
            replicas=2, selector={"match_labels": {"a": "b"}},
            template={"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}))
    """
    graph = run_program(make_project(program), "dev")
    deployment = named(graph, "d")
    assert deployment.type == "kubernetes:apps/v1:Deployment"
    assert deployment.inputs["metadata"] == {"namespace": "ns", "labels": {"cm": UNKNOWN}}
    assert deployment.inputs["spec"]["selector"] == {"matchLabels": {"a": "b"}}
    assert sorted(short(deployment.property_dependencies["metadata"])) == ["auto", "space"]
    assert {"kubeconfig": Secret("k")} == named(graph, "k").inputs
    assert f"{URN}pulumi:providers:kubernetes::k::{UNKNOWN_ID}" == named(graph, "auto").provider
    assert deployment.version == "4.34.2"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_aws_resources(make_project: MakeProject) -> None:
    pytest.importorskip("pulumi_aws")
    program = """
    import pulumi_aws as aws
    provider = aws.Provider("p", region="eu-central-1")
    bucket = aws.s3.Bucket("b", tags={"a": "b"}, opts=Opts(provider=provider))
    aws.s3.BucketVersioning("v", bucket=bucket.id, versioning_configuration={"status": "Enabled"})
    aws.rds.Instance("db", password="pw", instance_class="db.t3.small", allocated_storage=20)
    Thing("zones", {"x": aws.get_availability_zones_output(state="available").names[0]})
    """
    graph = run_program(make_project(program), "dev")
    assert named(graph, "v").inputs == {"bucket": UNKNOWN, "versioningConfiguration": {"status": "Enabled"}}
    assert Secret("pw") == named(graph, "db").inputs["password"]
    assert named(graph, "p").inputs["region"] == "eu-central-1"
    assert named(graph, "zones").inputs == {"x": UNKNOWN}
    assert [call.token for call in graph.invokes] == ["aws:index/getAvailabilityZones:getAvailabilityZones"]


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


def test_the_same_run_gives_the_same_bytes(make_project: MakeProject) -> None:
    renamed = TRANSFORMS.replace('Thing("a")', 'Thing("last")')
    program = make_project(
        PROVIDERS + DEPENDENCIES + OPTIONS.replace('"g"', '"og"').replace('"deep"', '"od"') + renamed
    )
    first, second = run_program(program, "dev"), run_program(program, "dev")
    assert to_json(first) == to_json(second)
    assert not all(is_known(resource.inputs) for resource in first.resources)


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


SWITCHED_OFF = {
    "all": ("[sim]", 'Thing("t")', "sim:core:Thing"),
    "any": ('["*"]', 'Thing("t")', "sim:core:Thing"),
    "a call": ("[aws]", 'pulumi.runtime.invoke_output("aws:index:get", {})', "aws:index:get"),
}


@pytest.mark.parametrize(("names", "program", "token"), list(SWITCHED_OFF.values()), ids=list(SWITCHED_OFF))
def test_a_default_provider_that_is_switched_off(
    make_project: MakeProject, names: str, program: str, token: str
) -> None:
    stack = f"config:\n  pulumi:disable-default-providers: {names}\n"
    message = f"is switched off by pulumi:disable-default-providers: give '{token}' an explicit provider"
    with pytest.raises(ProgramError, match=re.escape(message)):
        run_program(make_project(program, {"dev": stack}), "dev")
    explicit = 'Thing("t", opts=Opts(provider=Provider("p")))\npulumi.StackReference("other")\nGroup("g")\n'
    graph = run_program(make_project(explicit, {"dev": stack}, folder="explicit"), "dev")
    assert [resource.name for resource in graph.resources] == ["demo-dev", "p", "t", "other", "g"]


def test_a_list_of_switched_off_providers_that_is_none(make_project: MakeProject) -> None:
    stack = "config:\n  pulumi:disable-default-providers: aws\n"
    with pytest.raises(ConfigError, match="'aws' is not a list of package names"):
        run_program(make_project("", {"dev": stack}), "dev")
