"""The platform layer on AWS: the base stack's outputs become a cluster, and Karpenter makes its machines."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from components.aws.nodes import ENCRYPTS_IN_TRANSIT, machine_of
from skerry.config.load import load_spec
from skerry.engine.run import run_program
from skerry.errors import ConfigError
from skerry.facts import facts_of
from skerry.graph import UNKNOWN, Resource, ResourceGraph, plain
from skerry.instances import instance_types
from tests.simulators.changed_stacks import run_core, shipped
from tests.simulators.stack_objects import AWS, AWS_BASE, ROOT, graph_of, inputs, objects

OUTPUTS = {
    AWS_BASE: {
        "clusterName": "sensei-saas-aws",
        "kubeconfig": '{"kind": "Config"}',
        "region": "us-east-1",
        "network": "10.20.0.0/16",
        "keyArn": "arn:aws:kms:us-east-1:111122223333:key/k",
        "nodeProfile": "nodes-1234567",
        "interruptionQueue": "interruptions-1234567",
        "postgresEndpoint": "db.example",
        "postgresSecretArn": "arn:aws:secretsmanager:us-east-1:111122223333:secret:s",
        "pubsubEndpoint": "cache.example",
        "bucket": "bucket-1234567",
    }
}
"""What a base stack that was deployed says."""


@pytest.fixture
def deployed() -> ResourceGraph:
    """Return the platform on a base that was deployed."""
    return run_core(AWS, {}, OUTPUTS)


def one(graph: ResourceGraph, kind: str) -> Resource:
    (found,) = objects(graph, kind)
    return found


def test_the_base_is_read_by_a_reference_that_backends_of_ones_own_know(deployed: ResourceGraph) -> None:
    (reference,) = (r for r in deployed.resources if r.type == "pulumi:pulumi:StackReference")
    assert reference.name == f"organization/skerry/{AWS_BASE}"


def test_before_the_base_is_deployed_nothing_of_it_is_made_up() -> None:
    spec = inputs(one(graph_of(AWS), "EC2NodeClass"))["spec"]
    assert (spec["instanceProfile"], spec["blockDeviceMappings"][0]["ebs"]["kmsKeyID"]) == (UNKNOWN, UNKNOWN)
    (provider,) = (r for r in graph_of(AWS).resources if r.type == "pulumi:providers:kubernetes")
    assert plain(provider.inputs)["kubeconfig"] is UNKNOWN


def test_a_base_that_was_never_deployed_is_named_with_its_remedy() -> None:
    with pytest.raises(ConfigError, match=r"target.base_stack: that stack has no output '\w+'; deploy it first"):
        run_program(ROOT, AWS, stack_outputs={AWS_BASE: {}})


def test_machines_of_the_execution_tier_are_encrypted_tagged_and_guarded(deployed: ResourceGraph) -> None:
    spec = inputs(one(deployed, "EC2NodeClass"))["spec"]
    assert (spec["instanceProfile"], "role" in spec) == ("nodes-1234567", False)
    assert spec["metadataOptions"] == {"httpTokens": "required", "httpPutResponseHopLimit": 1}
    (disk,) = spec["blockDeviceMappings"]
    assert (disk["ebs"]["encrypted"], disk["ebs"]["kmsKeyID"]) == (True, OUTPUTS[AWS_BASE]["keyArn"])
    assert {"skerry:tier": "execution", "skerry:stack": AWS, "cost-center": "saas"}.items() <= spec["tags"].items()
    discovery = [{"tags": {"karpenter.sh/discovery": "sensei-saas-aws"}}]
    assert spec["subnetSelectorTerms"] == spec["securityGroupSelectorTerms"] == discovery


def test_subnets_and_group_bear_the_tag_by_which_karpenter_finds_them() -> None:
    graph = graph_of(AWS_BASE)
    private = [r for r in graph.of_type("aws:ec2/subnet:Subnet") if "-private-" in r.name]
    assert {plain(r.inputs)["tags"]["karpenter.sh/discovery"] for r in private} == {"sensei-saas-aws"}
    assert not any("tags" in r.inputs for r in graph.of_type("aws:ec2/subnet:Subnet") if "-public-" in r.name)
    (tag,) = graph.of_type("aws:ec2/tag:Tag")
    assert (plain(tag.inputs)["key"], plain(tag.inputs)["value"]) == ("karpenter.sh/discovery", "sensei-saas-aws")


def test_karpenter_stays_inside_the_network(deployed: ResourceGraph) -> None:
    (release,) = (r for r in objects(deployed, "Release") if inputs(r)["name"] == "karpenter")
    assert inputs(release)["values"]["settings"]["isolatedVPC"] is True
    policies = [inputs(r) for r in objects(deployed, "NetworkPolicy")]
    (own,) = (body["spec"] for body in policies if body["metadata"]["name"] == "allow-interfaces-karpenter")
    assert own["egress"] == [
        {"to": [{"ipBlock": {"cidr": "10.20.0.0/16"}}], "ports": [{"port": 443, "protocol": "TCP"}]}
    ]
    # Source: Karpenter v1.14.1 "Getting started", Private Clusters, read 2026-11
    called = {"ec2", "ecr.api", "ecr.dkr", "s3", "ssm", "sqs", "eks"}
    endpoints = [plain(r.inputs) for r in graph_of(AWS_BASE).of_type("aws:ec2/vpcEndpoint:VpcEndpoint")]
    inside = [row for row in endpoints if row["vpcEndpointType"] == "Interface" and row["privateDnsEnabled"]]
    assert called <= {row["serviceName"].removeprefix("com.amazonaws.us-east-1.") for row in inside}


def test_pods_reach_the_bucket_by_addresses_of_the_network() -> None:
    """Policies open the network to pods, not the public addresses behind the gateway."""
    endpoints = [plain(r.inputs) for r in graph_of(AWS_BASE).of_type("aws:ec2/vpcEndpoint:VpcEndpoint")]
    options = {row["serviceName"]: row["dnsOptions"] for row in endpoints if row.get("dnsOptions")}
    assert options == {"com.amazonaws.us-east-1.s3": {"privateDnsOnlyForInboundResolverEndpoint": False}}


def test_karpenter_makes_only_the_machine_of_the_pool_and_never_more_than_its_maximum(deployed: ResourceGraph) -> None:
    spec = inputs(one(deployed, "NodePool"))["spec"]
    wanted = {row["key"]: row["values"] for row in spec["template"]["spec"]["requirements"]}
    assert wanted == {
        "node.kubernetes.io/instance-type": ["c6i.8xlarge"],
        "karpenter.sh/capacity-type": ["on-demand"],
    }
    assert spec["limits"] == {"cpu": str(128 * 32)}
    assert spec["template"]["metadata"]["labels"] == {"skerry.dev/tier": "execution"}
    assert [(row["key"], row["value"]) for row in spec["template"]["spec"]["taints"]] == [
        ("skerry.dev/tier", "execution")
    ]


def test_the_image_of_machines_that_come_and_go_can_be_pinned() -> None:
    graph = run_core(AWS, {"target.aws.node_image": "al2023@v20260801"}, OUTPUTS)
    assert inputs(one(graph, "EC2NodeClass"))["spec"]["amiSelectorTerms"] == [{"alias": "al2023@v20260801"}]


NETWORKS: dict[str, tuple[dict[str, Any], bool | None]] = {
    "types that encrypt what they send each other": ({}, True),
    "one type that does not": (
        {"execution.pool.machine": {"vcpu": 16, "memory_gib": 32, "instance_type": "c5.4xlarge"}},
        False,
    ),
    "what the configuration says": ({"target.network_encrypted": False}, False),
}


@pytest.mark.parametrize("case", NETWORKS)
def test_traffic_between_the_tiers_is_encrypted_where_the_machines_do_it(case: str) -> None:
    changes, expected = NETWORKS[case]
    (facts,) = (
        facts
        for facts in map(facts_of, run_core(AWS, changes, OUTPUTS).resources)
        if facts is not None and facts.role == "vector-store"
    )
    assert facts.encrypted_in_transit is expected


def test_every_aws_type_of_the_catalogue_is_known_to_encrypt_or_not() -> None:
    families = {row.name.split(".", 1)[0] for row in instance_types() if row.cloud == "aws"}
    assert families == set(ENCRYPTS_IN_TRANSIT)


def test_spot_is_bought_only_where_work_may_be_interrupted() -> None:
    graph = run_core(AWS, {"execution.pool.purchase": "spot", "execution.interruptible": True}, OUTPUTS)
    spec = inputs(one(graph, "NodePool"))["spec"]
    wanted = {row["key"]: row["values"] for row in spec["template"]["spec"]["requirements"]}
    assert wanted["karpenter.sh/capacity-type"] == ["spot", "on-demand"]


def test_the_pool_says_what_its_machines_are_and_that_nothing_else_prices_them(deployed: ResourceGraph) -> None:
    pools = [facts for facts in map(facts_of, deployed.resources) if facts is not None and facts.nodes is not None]
    (facts,) = pools
    assert facts.nodes is not None and facts.scaling is not None
    assert (facts.nodes.instance_type, facts.nodes.purchase, facts.nodes.priced_here) == (
        "c6i.8xlarge", "on-demand", True,
    )  # fmt: skip
    scaling = facts.scaling
    assert (scaling.minimum, scaling.typical, scaling.maximum, scaling.autoscaler) == (4, 16, 128, "karpenter")


def test_volumes_are_encrypted_with_the_deployments_key_and_outlive_their_claims(deployed: ResourceGraph) -> None:
    body = inputs(one(deployed, "StorageClass"))
    assert body["reclaimPolicy"] == "Retain"
    parameters: dict[str, Any] = body["parameters"]
    assert (parameters["encrypted"], parameters["kmsKeyId"]) == ("true", OUTPUTS[AWS_BASE]["keyArn"])
    tags = {value for key, value in parameters.items() if key.startswith("tagSpecification_")}
    assert {"skerry:system=sensei", "skerry:namespace={{ .PVCNamespace }}", "cost-center=saas"} <= tags


def test_gpus_are_made_known_where_there_are_gpus(deployed: ResourceGraph) -> None:
    template = inputs(one(deployed, "DaemonSet"))["spec"]["template"]["spec"]
    assert template["nodeSelector"] == {"skerry.dev/tier": "cognitive"}
    assert {row["key"] for row in template["tolerations"]} == {"skerry.dev/tier", "nvidia.com/gpu"}
    hosted = {
        "cognitive.providers": ["anthropic"],
        "cognitive.api_key_secret": "llmKey",
        "cognitive.pool": None,
        "cognitive.model": None,
    }
    graph = run_core(AWS, hosted, OUTPUTS, secrets=("skerry:llmKey",))
    assert objects(graph, "DaemonSet") == []


IN_THE_CLUSTER = {
    "PostgreSQL": ({"meta.relational_kind": "cloudnative-pg"}, "postgresEndpoint", "Cluster"),
    "Valkey": ({"channels.pubsub": "valkey"}, "pubsubEndpoint", "StatefulSet"),
    "SeaweedFS": ({"channels.object_store": "seaweedfs"}, "bucket", "StatefulSet"),
}


@pytest.mark.parametrize("case", IN_THE_CLUSTER)
def test_what_the_cluster_runs_is_not_asked_of_the_base(case: str) -> None:
    changes, output, kind = IN_THE_CLUSTER[case]
    without = {AWS_BASE: {key: value for key, value in OUTPUTS[AWS_BASE].items() if key != output}}
    more = len(objects(run_core(AWS, changes, without), kind))
    assert more > len(objects(run_core(AWS, {}), kind))


def test_the_two_files_of_the_deployment_differ_in_their_layer_alone() -> None:
    base, platform = shipped(AWS_BASE), shipped(AWS)
    assert (base.pop("layer"), platform.pop("layer")) == ("base", "platform")
    assert platform["target"].pop("base_stack") == AWS_BASE
    assert base == platform


def test_a_stack_file_makes_no_provider_that_nobody_named() -> None:
    for stack in (AWS_BASE, AWS):
        text = (ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
        assert yaml.safe_load(text)["config"]["pulumi:disable-default-providers"] == ["*"]


def test_the_quotas_of_the_docs_are_those_of_the_pools() -> None:
    spec = load_spec(shipped(AWS_BASE), "test")
    assert spec.cognitive.pool is not None
    standard = sum(pool.maximum * machine_of(pool).vcpu for pool in (spec.execution.pool, spec.meta.pool))
    accelerated = spec.cognitive.pool.maximum * machine_of(spec.cognitive.pool).vcpu
    text = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")
    assert f"{standard:,} vCPU of Standard machines" in text
    assert f"and {accelerated} of P" in text
