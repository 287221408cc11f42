"""What machines without an orchestrator need: images of Compose files, sets of files, and keys that go another way."""

from __future__ import annotations

from typing import Any

import pytest

from airgap_bundle.export import FileFolders, export
from airgap_bundle.fetch import Sources
from airgap_bundle.plan import BundlePlan, ItemKind, plan
from airgap_bundle.report import plan_json, plan_text
from airgap_bundle.unpack import unpack
from skerry.errors import UsageError
from skerry.facts import ComponentFacts, ImageFact
from skerry.graph import UNKNOWN, Resource, ResourceGraph
from skerry.hosts.facts import CarriedFact, HostFact
from tests.simulators.registry_graphs import EMPTY_LOCK, Signer, clock

IMAGE = "registry.customer.example/agentdb:1.0"
COMPOSE = f"# a comment\nservices:\n  agentdb:\n    image: {IMAGE}\n"
HOST: dict[str, Any] = {
    "address": "10.1.0.10", "os": "debian", "arch": "arm64", "vcpu": 4, "memory_gib": 8, "storage_gib": 50,
    "delivery": "files", "firewall": "nftables", "packages": ("nginx", "age"), "package_snapshot": "20261101T000000Z",
    "carries": (
        CarriedFact(kind="source", name="mesh", version="abc", source="https://example/mesh.tgz", why="the program"),
        CarriedFact(kind="wheels", name="mesh", version="abc", source="pip wheel", why="what it imports"),
        CarriedFact(kind="key", name="identity", version="1", source="skerry mesh keys", why="who the gateway is"),
    ),
}  # fmt: skip


def planned(files: Any = None, **host: Any) -> BundlePlan:
    texts = {"etc/skerry/compose/agentdb.yaml": COMPOSE} if files is None else files
    machine = ComponentFacts(role="host", host=HostFact(**{**HOST, **host}))
    image = ImageFact(name="agentdb", reference=IMAGE, deployed_as=IMAGE, why="a node")
    kind = "urn:pulumi:s::p::skerry:index:"
    above = f"{kind}Host::node"
    rows = (
        Resource(above, "skerry:index:Host", "node", False, inputs={**machine.to_inputs(), "files": texts}),
        Resource(f"{kind}HostProgram::node-agentdb", "skerry:index:HostProgram", "node-agentdb", False, parent=above,
                 inputs=ComponentFacts(images=(image,)).to_inputs()),
        Resource("urn:pulumi:s::p::command:remote:Command::node-apply", "command:remote:Command", "node-apply", True,
                 parent=above, inputs={"stdin": UNKNOWN}),
    )  # fmt: skip
    return plan(ResourceGraph("p", ("s",), rows), lock=EMPTY_LOCK)


def test_a_machine_s_images_files_and_packages_are_listed_and_its_keys_are_not_carried() -> None:
    found = planned()
    assert found.problems == ()
    assert [item.name for item in found.of_kind(ItemKind.IMAGE)] == [IMAGE]
    sets = {item.name: item.version for item in found.of_kind(ItemKind.FILE_SET)}
    assert sets == {"mesh-source": "abc", "mesh-wheels": "abc", "os-packages-debian-arm64": "20261101T000000Z"}
    assert found.apart == (
        "identity: who the gateway is; made by skerry mesh keys (node)",
    )  # fmt: skip
    assert "carried apart, never on this medium (1)" in plan_text(found)
    assert '"identity: who the gateway is; made by' in plan_json(found)
    assert "identity" not in {item.name for item in found.items}


PROBLEMS: dict[str, tuple[Any, str]] = {
    "a Compose file runs what no fact names": (
        {"etc/skerry/compose/a.yaml": f"{COMPOSE}  other: {{image: 'x.example/other:1'}}\n"}, "x.example/other:1"),
    "no Compose file runs what a fact names": ({"etc/other.yaml": COMPOSE}, "no manifest carries it"),
    "files that are not known": (UNKNOWN, "files are not known"),
    "one file that is not known": (
        {"etc/skerry/compose/a.yaml": COMPOSE, "etc/skerry/compose/b.yaml": UNKNOWN}, "text is not known"),
}  # fmt: skip


@pytest.mark.parametrize("case", PROBLEMS)
def test_what_may_be_missing_makes_a_plan_incomplete(case: str) -> None:
    files, says = PROBLEMS[case]
    found = planned(files)
    assert not found.complete
    assert any(says in problem for problem in found.problems)


def test_packages_of_no_chosen_day_are_unresolved() -> None:
    assert [item.name for item in planned(package_snapshot=None).unresolved if item.kind is ItemKind.FILE_SET] == [
        "os-packages-debian-arm64"
    ]


def test_file_sets_cross_the_gap(tmp_path: Any) -> None:
    found = planned()
    only = BundlePlan(found.project, found.stacks, found.of_kind(ItemKind.FILE_SET), ())
    sets = tmp_path / "sets"
    for name in ("mesh-source", "mesh-wheels", "os-packages-debian-arm64"):
        (sets / name / "pool").mkdir(parents=True)
        (sets / name / "pool" / "one").write_text(f"content of {name}")
    signer = Signer.make(tmp_path)
    export(
        only, tmp_path / "medium", source=Sources(), key=signer.key, folders=FileFolders(file_sets=sets), clock=clock
    )
    report = unpack(tmp_path / "medium", signer.trust, tmp_path / "site", clock=clock)
    assert {one.artifact.kind for one in report.artifacts} == {"file-set"}
    text = (tmp_path / "site" / "file-sets" / "mesh-wheels" / "pool" / "one").read_text()
    assert text == "content of mesh-wheels"


def test_a_set_that_is_not_there_is_named_with_where_it_comes_from(tmp_path: Any) -> None:
    found = planned()
    only = BundlePlan(found.project, found.stacks, found.of_kind(ItemKind.FILE_SET), ())
    with pytest.raises(UsageError, match="--file-sets"):
        export(only, tmp_path / "medium", source=Sources(), key=Signer.make(tmp_path).key, clock=clock)
