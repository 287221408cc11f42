"""A deployment moves to another target by its stack file alone: `target` is edited, and everything above it stays."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import yaml

from policies.runner import check
from skerry.engine.run import run_deployment
from skerry.facts import ComponentFacts, Tier, deployments, facts_of
from skerry.graph import Resource, ResourceGraph
from tests.simulators.stack_objects import AWS_BASE, ONPREM, ROOT, graph_of, kind

AWS_TARGET: dict[str, Any] = {
    "kind": "aws",
    "jurisdiction": "US",
    "region": "us-east-1",
    "failure_domains": ["us-east-1a", "us-east-1b", "us-east-1c"],
    "base_stack": AWS_BASE,
}


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> ResourceGraph:
    """Return the on-prem stack's graph after its `target`, and nothing else, was replaced."""
    project = tmp_path_factory.mktemp("moved")
    (project / "stacks").mkdir()
    (project / "Pulumi.yaml").write_text(
        yaml.safe_dump({"name": "skerry", "runtime": "python", "main": str(ROOT), "stackConfigDir": "stacks"})
    )
    for stack in (ONPREM, AWS_BASE):
        name = f"Pulumi.{stack}.yaml"
        document = yaml.safe_load((ROOT / "stacks" / name).read_text(encoding="utf-8"))
        if stack == ONPREM:
            document["config"]["skerry:deployment"]["target"] = AWS_TARGET
        (project / "stacks" / name).write_text(yaml.safe_dump(document), encoding="utf-8")
    return run_deployment(project, ONPREM)


def tier_components(graph: ResourceGraph) -> dict[Tier, Resource]:
    found = {}
    for resource in graph.resources:
        facts = facts_of(resource)
        if facts is not None and facts.role == "tier" and facts.tier is not None:
            found[facts.tier] = resource
    return found


def below(graph: ResourceGraph, tier: Tier) -> set[str]:
    return {resource.urn for resource in graph.descendants(tier_components(graph)[tier].urn)}


def test_both_stacks_come_up_as_one_graph(moved: ResourceGraph) -> None:
    assert moved.stacks == (AWS_BASE, ONPREM)
    (_, deployment) = deployments(moved)[-1]
    target = deployment.target
    assert [target.kind, deployment.mode, target.jurisdiction] == ["aws", "private", "US"]


@pytest.mark.parametrize("tier", [Tier.COGNITIVE, Tier.EXECUTION, Tier.META])
def test_the_tiers_are_the_same_resources(moved: ResourceGraph, tier: Tier) -> None:
    before = graph_of(ONPREM)
    assert tier_components(before)[tier].urn == tier_components(moved)[tier].urn
    assert below(moved, tier) - below(before, tier) == set()
    gone = [before[urn] for urn in sorted(below(before, tier) - below(moved, tier))]
    owners = {before[resource.parent].name for resource in gone}
    assert owners <= {"experiments-db", "experiments-db-backup"}, "only what AWS now runs is no resource of the cluster"


@pytest.mark.parametrize("tier", [Tier.COGNITIVE, Tier.EXECUTION, Tier.META])
def test_the_tiers_have_the_same_outputs(moved: ResourceGraph, tier: Tier) -> None:
    before, after = tier_components(graph_of(ONPREM))[tier], tier_components(moved)[tier]
    assert before.outputs == after.outputs


def test_stores_become_services_of_aws(moved: ResourceGraph) -> None:
    before = graph_of(ONPREM)
    assert [r.name for r in before.resources if kind(r) == "Cluster"] != []
    assert [r.name for r in moved.resources if kind(r) in ("Cluster", "Database")] == []
    sets = {r.name for r in before.resources if kind(r) == "StatefulSet"}
    kept = {r.name for r in moved.resources if kind(r) == "StatefulSet"}
    assert {"objects-master", "objects-volume", "pubsub-set"} == sets - kept
    roles = {(facts_of(r) or ComponentFacts()).role for r in moved.resources}
    assert {"pubsub-client", "object-store-client", "relational-client"} <= roles
    types = {r.type for r in moved.resources}
    assert {"aws:rds/instance:Instance", "aws:s3/bucket:Bucket",
            "aws:elasticache/replicationGroup:ReplicationGroup"} <= types  # fmt: skip


def test_moving_data_of_the_eu_to_the_us_is_found(moved: ResourceGraph) -> None:
    report = check(moved, today=date(2026, 11, 21))
    assert any(finding.rule.id.startswith("RES") for finding in report.failures)
    before = check(graph_of(ONPREM), today=date(2026, 11, 21))
    assert [finding for finding in before.failures if finding.rule.id.startswith("RES")] == []
