"""Options, providers and what a child takes over from its parent."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skerry.engine.run import run_program
from skerry.errors import ConfigError, ProgramError
from skerry.graph import UNKNOWN, Resource, ResourceGraph, Secret

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


def test_a_field_that_the_provider_fills_in_is_unknown(make_project: MakeProject) -> None:
    program = """
    import pulumi_kubernetes as k8s
    service = k8s.core.v1.Service("s", metadata={"name": "n"}, spec={"ports": [{"port": 80}], "selector": {"a": "b"}})
    Thing("t", {
        "name": service.metadata.name,
        "uid": service.metadata.uid,
        "item": service.metadata["namespace"],
        "ip": service.spec.cluster_ip,
        "port": service.spec.ports[0].port,
        "target": service.spec.ports[0].target_port,
        "label": service.spec.selector["a"],
        "status": service.status.load_balancer.ingress[0].ip,
        "applied": service.spec.apply(lambda spec: [spec.cluster_ip, spec.ports[0].port]),
    })
    """
    assert named(run_program(make_project(program), "dev"), "t").inputs == {
        "name": "n",
        "uid": UNKNOWN,
        "item": UNKNOWN,
        "ip": UNKNOWN,
        "port": 80,
        "target": UNKNOWN,
        "label": "b",
        "status": UNKNOWN,
        "applied": [None, 80],
    }


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
