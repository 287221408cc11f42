"""The base stack of a deployment on AWS: what the configuration changes in it, and what never changes."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from policies.runner import check
from skerry.config.sense_clouds import OTHER_PARTITIONS
from skerry.engine.answers import Answers
from skerry.errors import ConfigError
from skerry.facts import facts_of
from skerry.graph import UNKNOWN, ResourceGraph, plain
from skerry.jurisdictions import regions
from tests.simulators.changed_stacks import run_core, shipped
from tests.simulators.stack_objects import AWS_BASE, graph_of

botocore_loaders = pytest.importorskip("botocore.loaders")

GROUP = "aws:eks/nodeGroup:NodeGroup"
STORES = {
    "relational": "aws:rds/instance:Instance",
    "object store": "aws:s3/bucket:Bucket",
    "pub/sub": "aws:elasticache/replicationGroup:ReplicationGroup",
}


def inputs_of(graph: ResourceGraph, kind: str) -> list[dict[str, Any]]:
    return [dict(plain(resource.inputs)) for resource in graph.of_type(kind)]


ELSEWHERE = {
    "everything is AWS's where nothing is said": ({}, {"relational", "object store", "pub/sub"}),
    "PostgreSQL in the cluster": ({"meta.relational_kind": "cloudnative-pg"}, {"object store", "pub/sub"}),
    "Valkey in the cluster": ({"channels.pubsub": "valkey"}, {"relational", "object store"}),
    "SeaweedFS in the cluster": ({"channels.object_store": "seaweedfs"}, {"relational", "pub/sub"}),
}


@pytest.mark.parametrize("case", ELSEWHERE)
def test_aws_runs_the_stores_that_the_stack_leaves_to_it(case: str) -> None:
    changes, expected = ELSEWHERE[case]
    graph = run_core(AWS_BASE, changes)
    assert {name for name, kind in STORES.items() if list(graph.of_type(kind))} == expected
    outputs = set(graph.stack_outputs(AWS_BASE))
    assert ("postgresEndpoint" in outputs, "postgresSecretArn" in outputs) == ("relational" in expected,) * 2
    assert ("bucket" in outputs) == ("object store" in expected)
    assert ("pubsubEndpoint" in outputs) == ("pub/sub" in expected)


def test_agents_get_a_role_only_where_there_is_a_bucket() -> None:
    def accounts(graph: ResourceGraph) -> set[str]:
        return {
            row["serviceAccount"] for row in inputs_of(graph, "aws:eks/podIdentityAssociation:PodIdentityAssociation")
        }

    assert accounts(run_core(AWS_BASE, {})) == {"agents", "karpenter"}
    assert accounts(run_core(AWS_BASE, {"channels.object_store": "seaweedfs"})) == {"karpenter"}


def test_what_aws_needs_before_something_else_is_made_before_it() -> None:
    """The order is AWS's: gateways before NAT, the policies of a role before what takes it."""
    graph = graph_of(AWS_BASE)

    def before(kind: str) -> list[str]:
        return [urn for resource in graph.of_type(kind) for urn in resource.dependencies]

    policies = {
        resource.name.rpartition("cluster-")[2]: resource.urn
        for resource in graph.of_type("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    }
    assert policies["amazoneksclusterpolicy"] in before("aws:eks/cluster:Cluster")
    nodes = [resource.dependencies for resource in graph.of_type("aws:eks/nodeGroup:NodeGroup")]
    attached = {urn for name, urn in policies.items() if "node-" in urn}
    assert attached
    assert all(attached <= set(one) for one in nodes)
    (way_in,) = (one for one in graph.of_type("aws:ec2/routeTable:RouteTable") if one.name.endswith("-public"))
    assert before("aws:ec2/natGateway:NatGateway").count(way_in.urn) == 3


def test_machines_and_their_disks_bear_the_cost_tags_of_their_tier() -> None:
    templates = inputs_of(run_core(AWS_BASE, {}), "aws:ec2/launchTemplate:LaunchTemplate")
    assert {template["tags"]["skerry:tier"] for template in templates} == {"cognitive", "meta"}
    for template in templates:
        tagged = {row["resourceType"]: row["tags"] for row in template["tagSpecifications"]}
        assert {"instance", "volume"} <= set(tagged)
        for tags in tagged.values():
            assert {"skerry:system": "sensei", "skerry:stack": AWS_BASE, "cost-center": "saas"}.items() <= tags.items()
            assert tags["skerry:tier"] == template["tags"]["skerry:tier"]


def test_the_provider_gives_everything_else_the_tags_of_the_platform() -> None:
    graph = run_core(AWS_BASE, {})
    (provider,) = (r for r in graph.resources if r.type == "pulumi:providers:aws")
    given = plain(provider.inputs)["defaultTags"]
    tags = (json.loads(given) if isinstance(given, str) else given)["tags"]
    assert tags == {
        "skerry:system": "sensei",
        "skerry:stack": AWS_BASE,
        "skerry:tier": "platform",
        "skerry:data-class": "confidential",
        "cost-center": "saas",
    }


def test_a_higher_minimum_raises_the_number_of_machines_which_eks_would_refuse_otherwise() -> None:
    graph = run_core(AWS_BASE, {"meta.pool.minimum": 4, "meta.pool.maximum": 4})
    (meta,) = [group for group in graph.of_type(GROUP) if "meta" in group.name]
    assert meta.inputs["scalingConfig"] == {"minSize": 4, "maxSize": 4, "desiredSize": 4}
    assert not any(group.ignore_changes for group in graph.of_type(GROUP))


def test_gpu_machines_have_the_gpu_image_and_keep_other_pods_away() -> None:
    groups = {row["labels"]["skerry.dev/tier"]: row for row in inputs_of(run_core(AWS_BASE, {}), GROUP)}
    assert {tier: row["amiType"] for tier, row in groups.items()} == {
        "cognitive": "AL2023_x86_64_NVIDIA",
        "meta": "AL2023_x86_64_STANDARD",
    }
    taints = {row["key"]: row["value"] for row in groups["cognitive"]["taints"]}
    assert taints == {"skerry.dev/tier": "cognitive", "nvidia.com/gpu": "present"}


def test_without_local_inference_there_is_no_gpu_machine() -> None:
    hosted = {"cognitive.providers": ["openai"], "cognitive.api_key_secret": "llmKey", "cognitive.pool": None}
    groups = inputs_of(run_core(AWS_BASE, {**hosted, "cognitive.model": None}), GROUP)
    assert [row["labels"]["skerry.dev/tier"] for row in groups] == ["meta"]


MACHINES: dict[str, tuple[dict[str, Any], str, str]] = {
    "the named type": ({}, "p4d.24xlarge", "on-demand"),
    "the smallest that has what is asked": (
        {
            "cognitive.pool.machine": {
                "vcpu": 40,
                "memory_gib": 400,
                "gpus": 4,
                "gpu_memory_gib": 80,
                "gpu_model": "A100",
            },
            "cognitive.context_tokens": 8192,
        },
        "p4de.24xlarge",
        "on-demand",
    ),
    "machines that existed elsewhere are rented here": (
        {"cognitive.pool.purchase": "existing"},
        "p4d.24xlarge",
        "on-demand",
    ),
    "spot where it is asked": ({"cognitive.pool.purchase": "spot"}, "p4d.24xlarge", "spot"),
}


@pytest.mark.parametrize("case", MACHINES)
def test_the_machine_of_a_pool(case: str) -> None:
    changes, name, purchase = MACHINES[case]
    graph = run_core(AWS_BASE, changes)
    (group,) = (r for r in graph.of_type(GROUP) if plain(r.inputs)["labels"]["skerry.dev/tier"] == "cognitive")
    facts = facts_of(graph[group.parent])
    assert facts is not None and facts.nodes is not None
    given = plain(group.inputs)
    assert (given["instanceTypes"], facts.nodes.instance_type) == ([name], name)
    assert facts.nodes.purchase == purchase
    assert given["capacityType"] == {"on-demand": "ON_DEMAND", "spot": "SPOT"}[purchase]
    assert facts.nodes.priced_here is False, "the node group stands for the machines"


def test_administrators_and_networks_are_let_in_by_name() -> None:
    people = ["arn:aws:iam::111122223333:role/runner", "arn:aws:iam::444455556666:role/runner"]
    graph = run_core(
        AWS_BASE, {"target.aws.administrators": people, "target.aws.api_cidrs": ["10.99.0.0/16", "192.168.7.0/24"]}
    )
    assert [row["principalArn"] for row in inputs_of(graph, "aws:eks/accessEntry:AccessEntry")] == people
    for row in inputs_of(graph, "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"):
        assert row["policyArn"] == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
        assert row["accessScope"] == {"type": "cluster"}
    rules = inputs_of(graph, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    assert [(row["cidrIpv4"], row["fromPort"], row["toPort"]) for row in rules] == [
        ("10.99.0.0/16", 443, 443),
        ("192.168.7.0/24", 443, 443),
    ]
    assert inputs_of(run_core(AWS_BASE, {}), "aws:eks/accessEntry:AccessEntry") == []


REFUSED = {
    "the whole world": ("0.0.0.0/0", "'0.0.0.0/0' is public, and the cluster's API is not; name a private range"),
    "a public range": ("52.0.0.0/8", "'52.0.0.0/8' is public, and the cluster's API is not; name a private range"),
    "no range": ("ten", "is not an address range: "),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_api_is_opened_to_private_networks_only(case: str) -> None:
    block, message = REFUSED[case]
    with pytest.raises(ConfigError) as caught:
        run_core(AWS_BASE, {"target.aws.api_cidrs": [block]})
    assert f"target.aws.api_cidrs[0]: {message}" in str(caught.value)


def test_without_an_account_number_the_key_is_that_of_whatever_account_deploys() -> None:
    graph = run_core(AWS_BASE, {"target.aws.account_id": None})
    (policy,) = [row["policy"] for row in inputs_of(graph, "aws:kms/key:Key")]
    assert "arn:aws:iam::000000000000:root" in policy
    assert [row.answered_by for row in graph.invokes if "getCallerIdentity" in row.token] == ["stand-in"]


def test_without_an_account_number_or_a_stand_in_the_key_is_only_known_at_deployment() -> None:
    graph = run_core(AWS_BASE, {"target.aws.account_id": None}, answers=Answers([]))
    assert [row["policy"] for row in inputs_of(graph, "aws:kms/key:Key")] == [UNKNOWN]
    (provider,) = (r for r in graph.resources if r.type == "pulumi:providers:aws")
    assert "allowedAccountIds" not in provider.inputs


def test_no_output_of_the_base_is_a_credential() -> None:
    outputs = run_core(AWS_BASE, {}).stack_outputs(AWS_BASE)
    assert set(outputs) == {
        "clusterName", "kubeconfig", "region", "network", "keyArn", "nodeProfile", "interruptionQueue",
        "postgresEndpoint", "postgresSecretArn", "pubsubEndpoint", "bucket",
    }, "the outputs are a contract: docs/adr/0009"  # fmt: skip


def test_production_guards_the_control_plane_too() -> None:
    graphs = [run_core(AWS_BASE, {}), run_core(AWS_BASE, {"production": True})]
    found = [row["deletionProtection"] for graph in graphs for row in inputs_of(graph, "aws:eks/cluster:Cluster")]
    assert found == [False, True]


EU_TARGET: dict[str, Any] = {
    "target.region": "eu-central-1",
    "target.jurisdiction": "DE",
    "target.failure_domains": ["eu-central-1a", "eu-central-1b", "eu-central-1c"],
    "residency": {
        "profile": "eu-sovereign",
        "boundaries": [{"data_class": "confidential", "jurisdictions": ["EU"]}],
    },
    "state": {
        "backend": "s3://skerry-state-example?region=eu-central-1",
        "jurisdiction": "DE",
        "secrets_provider": "awskms://alias/skerry-state?region=eu-central-1",
        "backup": "the bucket is versioned; old versions are kept 90 days",
    },
}


def test_a_deployment_in_the_eu_stays_there() -> None:
    report = check(run_core(AWS_BASE, EU_TARGET), today=date(2026, 11, 21))
    assert [finding.rule.id for finding in report.failures] == []
    elsewhere = run_core(AWS_BASE, {**EU_TARGET, "state": shipped(AWS_BASE)["state"]})
    found = check(elsewhere, today=date(2026, 11, 21)).failures
    assert {finding.rule.id for finding in found} == {"RES003"}, "the state of an EU deployment stands in the US"


def test_regions_whose_names_nobody_tried_are_refused() -> None:
    loader = botocore_loaders.Loader()
    partitions = loader.load_data("partitions")["partitions"]
    others = {region for row in partitions if row["id"] != "aws" for region in row["regions"]}
    refused = [row.name for row in regions() if row.cloud == "aws" and row.name.startswith(OTHER_PARTITIONS)]
    assert {row.name for row in regions() if row.cloud == "aws"} & others == set(refused)
    with pytest.raises(ConfigError) as caught:
        run_core(
            AWS_BASE,
            {"target.region": "eusc-de-east-1", "target.failure_domains": ["eusc-de-east-1a", "eusc-de-east-1b"]},
        )
    assert "target.region: 'eusc-de-east-1' is of another partition of AWS" in str(caught.value)
