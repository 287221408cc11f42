"""Every public component, made as a program in another language makes it, is the one that our programs make."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from components.package import deployment
from components.package.listing import public_components
from skerry.engine.run import run_program
from skerry.errors import ProgramError
from skerry.facts import facts_of
from skerry.graph import Resource, ResourceGraph
from tests.simulators.changed_stacks import shipped as shipped_deployment
from tests.simulators.package_programs import (
    HEAD,
    LIFE,
    ROOT,
    deployment_of,
    every_component,
    program_of,
    write_project,
)
from tests.simulators.stack_objects import graph_of

STACK = "dev"
PACKAGE = ROOT / "components"


def graph_from(folder: Path, program: str, config: str = "{}") -> ResourceGraph:
    return run_program(write_project(folder / "remote", program, PACKAGE, STACK, config), STACK)


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> ResourceGraph:
    return graph_from(tmp_path_factory.mktemp("every"), program_of(every_component()))


def test_the_table_has_every_public_component() -> None:
    assert [one.__name__ for one in public_components()] == list(every_component())


ROOTS = ("Sensei", "AgentDb", "AetherGraph", "Applications", "Hosts")
"""The roots of whole deployments, which say what the whole is under and make their own providers."""


@pytest.mark.parametrize("kind", every_component())
def test_each_public_component_is_made_with_its_facts(kind: str, every: ResourceGraph) -> None:
    (made,) = [r for r in every.resources if r.type == f"skerry:index:{kind}" and r.name == f"my-{kind.lower()}"]
    facts = facts_of(made)
    assert facts is not None
    assert facts.role is not None or facts.deployment is not None
    assert every.children(made.urn) != ()
    assert "deployment" not in made.inputs or kind in ROOTS, "its inputs are its facts, not its arguments"


def test_every_child_goes_to_the_provider_that_the_program_passed(every: ResourceGraph) -> None:
    passed = {"kubernetes": "cluster", "aws": "aws"}
    wrong = []
    for made in every.resources:
        provider = every.provider_of(made)
        if not made.custom or made.is_provider or provider is None:
            continue
        whole = {f"my-{kind.lower()}" for kind in (*ROOTS, "AwsBase", "GcpBase", "AzureBase")}
        own = whole & {ancestor.name for ancestor in every.ancestors(made)}
        if not own and passed[made.type.partition(":")[0]] != provider.name:
            wrong.append(made.urn)
    assert wrong == []
    assert sum(made.custom for made in every.resources) > 200


def strip(resource: Resource) -> Resource:
    """Return a resource without what says from which program it is."""

    def plain(text: str | None) -> str | None:
        return text and text.replace("::remote::", "::skerry::")

    return dataclasses.replace(
        resource,
        urn=plain(resource.urn) or "",
        parent=plain(resource.parent),
        provider=plain(resource.provider),
        aliases=tuple(plain(urn) or "" for urn in resource.aliases),
        dependencies=tuple(plain(urn) or "" for urn in resource.dependencies),
        property_dependencies={
            key: tuple(plain(urn) or "" for urn in urns) for key, urns in resource.property_dependencies.items()
        },
        source=None,
    )


def test_a_whole_deployment_is_the_stack_of_our_own_program(tmp_path: Path) -> None:
    """The same resources, inputs, parents, providers and dependencies, under another project's name."""
    stack = "sensei-airgapped"
    program = f"""{HEAD}
Remote("Sensei", "sensei", (), json.loads({json.dumps(json.dumps({"deployment": deployment_of(stack)}))}))
"""
    project = write_project(
        tmp_path / "remote", program, PACKAGE, stack, '{"pulumi:disable-default-providers": [kubernetes]}'
    )
    remote = {r.urn: r for r in (strip(r) for r in run_program(project, stack).resources)}
    own = {r.urn: r for r in (strip(r) for r in graph_of(stack).resources)}
    stack_urn = f"urn:pulumi:{stack}::skerry::pulumi:pulumi:Stack::"
    own.pop(f"{stack_urn}skerry-{stack}")
    remote.pop(f"{stack_urn}remote-{stack}")
    assert set(own) == set(remote)
    for urn, expected in own.items():
        found = remote[urn]
        if urn.endswith("::sensei"):
            assert set(found.outputs) == {"namespaces", "endpoints"}
            found = dataclasses.replace(found, outputs=expected.outputs)
            found = dataclasses.replace(found, parent=expected.parent)
        assert expected == found
    assert len(own) > 100


def test_what_was_not_given_is_the_default_of_the_spec(tmp_path: Path) -> None:
    rows = {"VectorStore": {"cluster": {}, "namespace": "n"}}
    (made,) = graph_from(tmp_path, program_of(rows)).of_type("skerry:index:VectorStore")
    facts = facts_of(made)
    assert facts is not None
    assert [facts.replicas, facts.storage[0].gib, facts.data_class] == [3, 100, "restricted"]


def test_the_program_gets_the_four_outputs_and_no_more_than_there_are(tmp_path: Path) -> None:
    graph = graph_from(tmp_path, LIFE, '{"remote:key": k, "remote:kubeconfig": "{}", "remote:replicas": "2"}')
    outputs = dict(graph.stack_outputs(STACK))
    assert outputs == {
        "database": "db-rw.meta.svc.cluster.local:5432",
        "secret": "db-app",
        "metrics": "http://db-rw.meta.svc.cluster.local:9187/metrics",
        "namespace": "meta",
    }


REFUSED: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "a size that no store has": (
        "VectorStore",
        {"cluster": {}, "namespace": "n", "size": {"replicas": 99}},
        ["size.replicas", "less than or equal to 9"],
    ),
    "a closed site without a registry": (
        "GraphStore",
        {"cluster": {"connected": False}, "namespace": "n"},
        ["cluster.siteRegistry", "is required where connected is false"],
    ),
    "a field of a stack file in its own spelling": (
        "GraphStore",
        {"cluster": {"storage_class": "x"}, "namespace": "n"},
        ["cluster.storage_class", "did you mean 'storageClass'?"],
    ),
    "a hosted provider without its key": (
        "CognitiveTier",
        {
            "cluster": {},
            "namespace": "n",
            "objects": {"bucket": "b"},
            "cognitive": {"providers": ["openai"], "scout": {"image": "a/b:1"}, "architect": {"image": "a/b:1"}},
        },
        ["apiKey", "is required by the hosted provider openai; pass the key as a secret"],
    ),
    "a key that no field names": (
        "Sensei",
        {"deployment": deployment_of("sensei-airgapped"), "secrets": {"kubeconfg": "x"}},
        ["secrets.kubeconfg", "is named by no field of the deployment"],
    ),
    "a secret that is named and not passed": (
        "Sensei",
        {"deployment": {**deployment_of("sensei-airgapped"), "target": {
            **deployment_of("sensei-airgapped")["target"], "kubeconfigSecret": "site"}}},
        ["deployment.target.kubeconfigSecret", "pass secrets.site"],
    ),
    "a deployment that makes no sense": (
        "Sensei",
        {"deployment": {**deployment_of("sensei-airgapped"), "tags": {"cost center": "x"}}},
        ["deployment.tags.cost center", "cannot be the name of a label"],
    ),
    "a store in the cluster without a database": (
        "ObjectStore",
        {"cluster": {}, "namespace": "n"},
        ["database", "is required by a store in the cluster"],
    ),
    "one copy where each object has two": (
        "ObjectStore",
        {"cluster": {}, "namespace": "n", "database": {"endpoint": "d", "secretRef": "s"}, "replicas": 1},
        ["replicas", "use 2 or more"],
    ),
    "a variable that is given twice": (
        "AgentGroup",
        {"cluster": {}, "namespace": "n", "tier": "meta", "kind": "a", "agent": {"image": "a/b:1"},
         "environment": {"A": "1"}, "secretEnvironment": {"A": {"secret": "s", "key": "k"}}},
        ["secretEnvironment.A", "is in environment too"],
    ),
    "no namespace at all": ("Rpc", {"cluster": {}, "namespaces": []}, ["namespaces", "is empty; name at least one"]),
    "a local model without machines": (
        "CognitiveTier",
        {"cluster": {}, "namespace": "n", "objects": {"bucket": "b"},
         "cognitive": {"scout": {"image": "a/b:1"}, "architect": {"image": "a/b:1"}}},
        ["cognitive.pool", "is required for local inference"],
    ),
    "a chart that has no row": (
        "Operator",
        {"cluster": {}, "namespace": "n", "chart": "nginx", "why": "w"},
        ["images/charts.yaml has no row 'nginx'"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_made_is_refused_with_its_path_and_the_remedy(case: str, tmp_path: Path) -> None:
    kind, inputs, words = REFUSED[case]
    with pytest.raises(ProgramError) as caught:
        graph_from(tmp_path, program_of({kind: inputs}))
    assert [word for word in words if word not in str(caught.value)] == []


def test_maps_that_come_over_the_wire_in_any_order_are_one_deployment() -> None:
    """Without an order of their own, variables and joined pairs would change from one run to the next."""
    shipped = shipped_deployment("agentdb-geo-dns")
    regions = shipped["agentdb"]["geo"]["regions"]
    turned = {**shipped, "agentdb": {**shipped["agentdb"], "geo": {**shipped["agentdb"]["geo"]}}}
    turned["agentdb"]["geo"]["regions"] = dict(reversed(regions.items()))
    orders = []
    for args in (shipped, turned):
        geo = deployment.deployment_of(args).agentdb.geo  # type: ignore[union-attr]
        assert geo is not None
        orders.append(list(geo.regions))
    assert orders == [["ap", "eu", "us"]] * 2
