"""A migration plan: fates of resources by URN, and what becomes of AetherGraph's data from mode to mode."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from skerry.errors import UsageError
from skerry.facts import ComponentFacts, DeploymentFact, TargetFact
from skerry.graph import UNKNOWN, Resource, ResourceGraph, Secret
from skerry.migration.as_json import migration_json
from skerry.migration.compare import compare
from skerry.migration.document import Fate, MigrationPlan
from skerry.migration.plan import plan_migration
from skerry.migration.text import migration_text
from tests.simulators.aethergraph_stacks import AIRGAPPED, LOCAL_WORKER, ONPREM, SAAS, SIDECAR, TO_SAAS
from tests.simulators.changed_stacks import run_changed


def urn(stack: str, kind: str, name: str) -> str:
    return f"urn:pulumi:{stack}::demo::{kind}::{name}"


def made(stack: str, *rows: Resource) -> ResourceGraph:
    kind = "pulumi:pulumi:Stack"
    return ResourceGraph("demo", (stack,), (Resource(urn(stack, kind, "demo"), kind, "demo", False), *rows))


def row(stack: str, kind: str, name: str, inputs: Mapping[str, Any], *, protect: bool = False) -> Resource:
    """Return a resource; what is protected is retained too, as stores are."""
    return Resource(urn(stack, kind, name), kind, name, True, inputs=inputs, protect=protect, retain_on_delete=protect)


SET = "kubernetes:apps/v1:StatefulSet"
BUCKET = "aws:s3/bucket:Bucket"

FATES: dict[str, tuple[str, Mapping[str, Any] | None, Mapping[str, Any] | None, Fate, tuple[str, ...]]] = {
    "the same": (BUCKET, {"a": 1}, {"a": 1}, Fate.STAYS, ()),
    "another value": (BUCKET, {"a": {"b": 1, "c": 2}}, {"a": {"b": 2, "c": 2}}, Fate.CHANGED, ("a.b",)),
    "a value more": (BUCKET, {"a": 1}, {"a": 1, "d": [1]}, Fate.CHANGED, ("d",)),
    "both not known before a deployment": (BUCKET, {"a": UNKNOWN}, {"a": UNKNOWN}, Fate.STAYS, ()),
    "one not known before a deployment": (BUCKET, {"a": UNKNOWN}, {"a": 1}, Fate.CHANGED, ("a",)),
    "secrets that cannot be told apart": (BUCKET, {"a": Secret(UNKNOWN)}, {"a": Secret(UNKNOWN)}, Fate.STAYS, ()),
    "another secret": (BUCKET, {"a": Secret("x")}, {"a": Secret("y")}, Fate.CHANGED, ("a",)),
    "lists of another order": (BUCKET, {"a": [1, 2]}, {"a": [2, 1]}, Fate.CHANGED, ("a",)),
    "replicas of a set": (SET, {"spec": {"replicas": 2}}, {"spec": {"replicas": 3}}, Fate.CHANGED, ("spec.replicas",)),
    "volumes of a set": (
        SET, {"spec": {"volumeClaimTemplates": [1]}}, {"spec": {"volumeClaimTemplates": [2]}}, Fate.REPLACED,
        ("spec.volumeClaimTemplates",)),
    "another namespace": (
        SET, {"metadata": {"namespace": "a"}}, {"metadata": {"namespace": "b"}}, Fate.REPLACED,
        ("metadata.namespace",)),
    "only in the new one": (BUCKET, None, {"a": 1}, Fate.MADE, ()),
    "only in the old one": (BUCKET, {"a": 1}, None, Fate.GONE, ()),
}  # fmt: skip


@pytest.mark.parametrize("case", FATES)
def test_a_resource_is_known_again_by_its_urn_without_the_stack(case: str) -> None:
    kind, old, new, fate, differs = FATES[case]
    before = made("one", *([row("one", kind, "it", old)] if old is not None else []))
    after = made("two", *([row("two", kind, "it", new)] if new is not None else []))
    (part,) = compare(before, after)
    assert (part.fate, part.differs, part.urn) == (fate, differs, f"demo::{kind}::it")


def test_what_is_read_of_others_is_no_part() -> None:
    read = Resource(urn("one", BUCKET, "it"), BUCKET, "it", True, external=True)
    assert compare(made("one", read), made("two")) == ()


def deployed(stack: str, system: str, *rows: Resource, region: str = "") -> ResourceGraph:
    target = TargetFact(kind="onprem", connected=True, jurisdiction="DE", region=region)
    fact = DeploymentFact(
        system=system, mode="saas", production=False, residency_profile="x", boundaries=(), target=target,
        state_backend="file:///x", state_jurisdiction="DE", secrets_provider="passphrase",
    )  # fmt: skip
    kind = "skerry:index:Root"
    root = Resource(urn(stack, kind, "root"), kind, "root", False, inputs=ComponentFacts(deployment=fact).to_inputs())
    return made(stack, root, *rows)


def test_two_systems_are_no_migration() -> None:
    with pytest.raises(UsageError, match="'a' is sensei and 'b' is agentdb: compare two of one system"):
        plan_migration(deployed("a", "sensei"), deployed("b", "agentdb"))


def test_a_program_of_somebody_s_is_none_either() -> None:
    with pytest.raises(UsageError, match="'a' is no deployment of Skerry's"):
        plan_migration(made("a"), made("b"))


def test_a_store_of_any_system_that_goes_is_told_with_what_pulumi_refuses() -> None:
    store = row("a", BUCKET, "kept", {"x": 1}, protect=True)
    found = plan_migration(deployed("a", "sensei", store), deployed("b", "sensei"))
    assert [(move.what, move.needed, move.provided) for move in found.moves] == [("kept", True, False)]
    assert [part.name for part in found.lost_stores] == ["kept"]
    assert "`pulumi state unprotect` what belongs to kept" in found.after[-1]
    assert "take a backup of every store" in found.before[-1]


def test_a_store_of_any_system_that_stays_asks_for_one_name_of_the_stack() -> None:
    stores = [row(stack, BUCKET, "kept", {"x": 1}, protect=True) for stack in "ab"]
    found = plan_migration(deployed("a", "sensei", stores[0]), deployed("b", "sensei", stores[1]))
    assert found.moves == ()
    assert found.after[0].startswith("put the new configuration into the file of the stack that stands, Pulumi.a.yaml")


def test_another_place_makes_everything_anew() -> None:
    stores = [row(stack, BUCKET, "kept", {"x": 1}, protect=True) for stack in "ab"]
    found = plan_migration(deployed("a", "sensei", stores[0]), deployed("b", "sensei", stores[1], region="eu"))
    assert not found.in_place
    assert [(part.name, part.fate) for part in found.parts if part.keeps_data] == [
        ("kept", Fate.MADE),
        ("kept", Fate.GONE),
    ]


def migration(old: tuple[str, Mapping[str, Any]], new: tuple[str, Mapping[str, Any]]) -> MigrationPlan:
    return plan_migration(run_changed(*old), run_changed(*new))


MOVES: dict[str, tuple[tuple[str, Mapping[str, Any]], tuple[str, Mapping[str, Any]], dict[str, tuple[bool, bool]]]] = {
    "mode 1 to 2: SQLite is moved by nothing, blobs are copied": (
        (ONPREM, SIDECAR), (ONPREM, {}),
        {"blobStore": (True, True), "docStore": (True, False), "eventLog": (True, False),
         "vectorIndex": (True, False), "kv": (False, False)}),
    "mode 2 to 3 in the same cluster: nothing is moved": (
        (ONPREM, {}), (ONPREM, TO_SAAS),
        dict.fromkeys(("blobStore", "docStore", "eventLog", "vectorIndex", "kv"), (False, False))),
    "mode 2 to 3 in a cloud: a dump and a copy": (
        (ONPREM, {}), (SAAS, {}),
        {"blobStore": (True, True), "docStore": (True, True), "eventLog": (True, True), "vectorIndex": (True, True),
         "kv": (False, False)}),
    "one user's worker instead of his sidecar: nothing is moved": (
        (ONPREM, SIDECAR), (ONPREM, LOCAL_WORKER),
        dict.fromkeys(("blobStore", "docStore", "eventLog", "vectorIndex", "kv"), (False, False))),
    "back to one user: nothing is provided": (
        (ONPREM, {}), (ONPREM, SIDECAR),
        {**dict.fromkeys(("blobStore", "docStore", "eventLog", "vectorIndex"), (True, False)), "kv": (False, False)}),
}  # fmt: skip


@pytest.mark.parametrize("case", MOVES)
def test_which_data_must_be_moved_and_whether_something_does_it(case: str) -> None:
    old, new, expected = MOVES[case]
    assert {move.what: (move.needed, move.provided) for move in migration(old, new).moves} == expected


def test_from_one_tenant_to_many_every_store_stays_and_only_what_runs_is_other() -> None:
    found = migration((ONPREM, {}), (ONPREM, TO_SAAS))
    assert found.in_place
    assert found.lost_stores == ()
    assert {part.fate for part in found.parts if part.keeps_data} == {Fate.STAYS}
    made_here = {part.component for part in found.of(Fate.MADE)}
    gone = {part.component for part in found.of(Fate.GONE)}
    assert {"control-plane", "worker", "keda", "entrance-public"} <= made_here
    assert gone == {"server", "entrance-internal"}
    assert any("give what one tenant wrote a workspace" in step for step in found.after)


def test_another_cluster_of_the_same_kind_is_another_place() -> None:
    found = migration((ONPREM, {}), (AIRGAPPED, {}))
    assert not found.in_place
    assert {part.fate for part in found.parts if part.keeps_data} == {Fate.MADE, Fate.GONE}


def test_a_store_that_would_be_made_anew_is_told_before_anything_is_done() -> None:
    """Labels stand in the templates of volumes, which no API server changes."""
    found = migration((ONPREM, {}), (ONPREM, {"tags": {"cost-center": "other"}}))
    assert {part.name for part in found.lost_stores} == {"cache-set", "objects-master", "objects-volume"}
    (told,) = [step for step in found.before if step.startswith("cache-set would be made anew")]
    assert "because of spec.volumeClaimTemplates" in told


def test_the_text_has_every_part_in_the_order_in_which_things_are_done() -> None:
    text = migration_text(migration((ONPREM, SIDECAR), (ONPREM, {})), 100)
    heads = ["1. Stays", "2. Before", "3. Made", "4. Changed", "5. Replaced", "6. No longer", "7. Data", "8. By hand"]
    places = [text.index(head) for head in heads]
    assert places == sorted(places)
    assert "docStore: to be moved, and nothing is provided: it lies in SQLite" in text
    assert "$ aws s3 sync <aethergraph.local.folder>/blobs s3://<bucket>" in text
    assert "stop the sidecar: SQLite has one writer" in text


def test_the_json_says_the_same() -> None:
    document = json.loads(migration_json(migration((ONPREM, {}), (ONPREM, TO_SAAS))))
    assert (document["schema"], document["inPlace"]) == ("skerry.migration/1", True)
    assert {one["fate"] for one in document["parts"]} == {"stays", "made", "gone", "changed"}
    assert [one["needed"] for one in document["data"]] == [False] * 5
