"""What an EKS cluster can be told beyond its version: machines of its own pods, GPU machines, add-ons, who deploys."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from cost.estimate import estimate
from cost.pricebook import PriceNotFound, load_book
from policies.runner import check
from skerry.config.eks import ADDONS
from skerry.config.load import load_spec
from skerry.errors import ConfigError
from skerry.graph import ResourceGraph, is_known, plain
from skerry.instances import instance_types
from skerry.preflight.pools import pools_of
from skerry.preflight.quotas import quotas_of
from tests.simulators.changed_stacks import run_core, shipped
from tests.simulators.provider_graphs import refusals
from tests.simulators.stack_objects import AWS, AWS_BASE, VENDOR, VENDOR_BASE, graph_of

GROUP = "aws:eks/nodeGroup:NodeGroup"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
EKS = "target.aws.eks"
EFA = {f"{EKS}.efa": True, f"{EKS}.gpu_zone": "us-east-1b"}
BLOCK = {f"{EKS}.gpu_capacity": {"id": "cr-02168da1478b509e0", "kind": "block"}, f"{EKS}.gpu_zone": "us-east-1b"}
RESERVED = {f"{EKS}.gpu_capacity": {"id": "cr-02168da1478b509e0"}, f"{EKS}.gpu_zone": "us-east-1b"}
SYSTEM = {f"{EKS}.system_machines": {"count": 3}}
GPU_TYPES = {
    "p5.48xlarge": {"vcpu": 192, "memory_gib": 2048, "gpu_model": "H100", "gpus": 8, "gpu_memory_gib": 80},
    "p6-b200.48xlarge": {"vcpu": 192, "memory_gib": 2048, "gpu_model": "B200", "gpus": 8, "gpu_memory_gib": 179},
    "g6e.12xlarge": {"vcpu": 48, "memory_gib": 384, "gpu_model": "L40S", "gpus": 4, "gpu_memory_gib": 45},
    "g6e.24xlarge": {"vcpu": 96, "memory_gib": 768, "gpu_model": "L40S", "gpus": 4, "gpu_memory_gib": 45},
    "g6.4xlarge": {"vcpu": 16, "memory_gib": 64, "gpu_model": "L4", "gpus": 1, "gpu_memory_gib": 22},
}
SMALL_MODEL = {"cognitive.precision": "int4", "cognitive.context_tokens": 2048}


def inputs(graph: ResourceGraph, kind: str, part: str = "") -> list[dict[str, Any]]:
    return [dict(plain(one.inputs)) for one in graph.of_type(kind) if part in one.name]


def template_of(changes: dict[str, Any], tier: str = "cognitive") -> dict[str, Any]:
    (found,) = inputs(run_core(AWS_BASE, changes), TEMPLATE, tier)
    return found


def problems(changes: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        run_core(AWS_BASE, changes)
    return str(caught.value)


def test_without_a_word_nothing_of_it_is_made() -> None:
    graph = run_core(AWS_BASE, {})
    (template,) = inputs(graph, TEMPLATE, "cognitive")
    assert not {"networkInterfaces", "placement", "capacityReservationSpecification"} & template.keys()
    assert not list(graph.of_type("aws:ec2/placementGroup:PlacementGroup"))
    assert {row.get("capacityType") for row in inputs(graph, GROUP)} == {"ON_DEMAND"}


@pytest.mark.parametrize(
    ("name", "adapters"), [("p4d.24xlarge", 4), ("p5.48xlarge", 32), ("p6-b200.48xlarge", 8), ("g6e.24xlarge", 2)]
)
def test_each_network_card_has_one_adapter_and_the_first_interface_has_the_addresses(name: str, adapters: int) -> None:
    machine = {} if name == "p4d.24xlarge" else {"cognitive.pool.machine": {**GPU_TYPES[name], "instance_type": name}}
    template = template_of({**EFA, **machine, **SMALL_MODEL})
    first, *others = template["networkInterfaces"]
    assert (first["networkCardIndex"], first["deviceIndex"], first["interfaceType"]) == (0, 0, "interface")
    where = [(one["networkCardIndex"], one["deviceIndex"], one["interfaceType"]) for one in others]
    assert where == [(0, 1, "efa-only"), *((card, 0, "efa-only") for card in range(1, adapters))]
    for one in template["networkInterfaces"]:
        assert "subnetId" not in one
        assert len(one["securityGroups"]) == 2
    assert template["placement"].keys() == {"groupName"}


def test_the_group_of_the_adapters_names_itself_both_ways_and_nobody_else() -> None:
    graph = run_core(AWS_BASE, EFA)
    for kind in ("Ingress", "Egress"):
        rules = inputs(graph, f"aws:vpc/securityGroup{kind}Rule:SecurityGroup{kind}Rule", "fabric")
        assert [(row["ipProtocol"], row["description"]) for row in rules] == [("-1", "EFA among GPU machines")]
        (rule,) = rules
        assert not {"cidrIpv4", "cidrIpv6", "prefixListId"} & rule.keys()
        assert not is_known(rule["referencedSecurityGroupId"])
        assert rule["referencedSecurityGroupId"] == rule["securityGroupId"]
    (placement,) = inputs(graph, "aws:ec2/placementGroup:PlacementGroup")
    assert placement["strategy"] == "cluster"


def test_a_type_without_adapters_gets_none() -> None:
    machine = {"cognitive.pool.machine": {**GPU_TYPES["g6.4xlarge"], "instance_type": "g6.4xlarge"}}
    graph = run_core(
        AWS_BASE,
        {f"{EKS}.efa": True, **machine, "cognitive.model": "llama-3.1-8b-instruct", **SMALL_MODEL},
    )
    (template,) = inputs(graph, TEMPLATE, "cognitive")
    assert "networkInterfaces" not in template
    assert not [one for one in graph.resources if "fabric" in one.name]


def test_every_type_with_adapters_has_as_many_cards() -> None:
    """One adapter a card is what the template says, so a type with more of one than of the other would be wrong."""
    for row in instance_types():
        assert not row.fabric_interfaces or row.cloud == "aws"


def test_adapters_are_made_known_to_kubernetes_where_there_are_some() -> None:
    def sets(graph: ResourceGraph) -> set[str]:
        return {one["metadata"]["name"] for one in inputs(graph, "kubernetes:apps/v1:DaemonSet")}

    assert "aws-efa-device-plugin" not in sets(run_core(AWS, {}))
    made = run_core(AWS, EFA)
    (plugin,) = [
        one
        for one in inputs(made, "kubernetes:apps/v1:DaemonSet")
        if one["metadata"]["name"] == "aws-efa-device-plugin"
    ]
    pod = plugin["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"skerry.dev/tier": "cognitive"}
    assert {item["key"] for item in pod["tolerations"]} == {"skerry.dev/tier", "nvidia.com/gpu"}
    assert [one["hostPath"]["path"] for one in pod["volumes"]] == [
        "/var/lib/kubelet/device-plugins",
        "/dev/infiniband",
    ]


def test_a_reservation_is_the_only_place_that_gpu_machines_are_taken_from() -> None:
    graph = run_core(AWS_BASE, RESERVED)
    (template,) = inputs(graph, TEMPLATE, "cognitive")
    assert template["capacityReservationSpecification"] == {
        "capacityReservationTarget": {"capacityReservationId": "cr-02168da1478b509e0"}
    }
    assert "instanceMarketOptions" not in template
    groups = {row["labels"]["skerry.dev/tier"]: row for row in inputs(graph, GROUP)}
    assert groups["cognitive"]["capacityType"] == "ON_DEMAND"
    assert groups["cognitive"]["instanceTypes"] == ["p4d.24xlarge"]
    assert groups["cognitive"]["updateConfig"] == {"maxUnavailable": 1, "updateStrategy": "MINIMAL"}
    assert groups["meta"]["updateConfig"] == {"maxUnavailable": 1}
    (meta,) = inputs(graph, TEMPLATE, "meta")
    assert "capacityReservationSpecification" not in meta


def test_a_block_is_named_by_market_type_and_group_and_its_type_stands_in_the_template_alone() -> None:
    graph = run_core(AWS_BASE, BLOCK)
    (template,) = inputs(graph, TEMPLATE, "cognitive")
    assert template["instanceMarketOptions"] == {"marketType": "capacity-block"}
    assert template["instanceType"] == "p4d.24xlarge"
    (group,) = [row for row in inputs(graph, GROUP) if row["labels"]["skerry.dev/tier"] == "cognitive"]
    assert group["capacityType"] == "CAPACITY_BLOCK"
    assert "instanceTypes" not in group


def test_a_block_is_never_priced_as_something_else() -> None:
    graph = run_core(AWS_BASE, BLOCK)
    found = estimate(graph, load_book(), today=date(2026, 11, 21))
    (machines,) = [line.component for line in found.lines if "p4d" in line.component.name]
    assert isinstance(machines.price, PriceNotFound)
    assert not [line for line in found.lines if "t3.medium" in line.component.name]


def test_reserved_machines_with_adapters_stand_where_their_reservation_is() -> None:
    graph = run_core(AWS_BASE, {**EFA, **RESERVED})
    (template,) = inputs(graph, TEMPLATE, "cognitive")
    assert "placement" not in template
    assert len(template["networkInterfaces"]) == 5
    assert not list(graph.of_type("aws:ec2/placementGroup:PlacementGroup"))


def test_machines_of_the_cluster_s_own_pods_carry_them() -> None:
    graph = run_core(AWS_BASE, SYSTEM)
    (system,) = [row for row in inputs(graph, GROUP) if row["labels"]["skerry.dev/tier"] == "platform"]
    assert system["instanceTypes"] == ["m6i.2xlarge"]
    assert system["scalingConfig"] == {"minSize": 3, "maxSize": 3, "desiredSize": 3}
    settings = {row["addonName"]: row.get("configurationValues") for row in inputs(graph, "aws:eks/addon:Addon")}
    for text in (settings["coredns"], json.dumps(json.loads(settings["aws-ebs-csi-driver"] or "")["controller"])):
        assert json.loads(text or "")["nodeSelector"] == {"skerry.dev/tier": "platform"}
    releases = inputs(run_core(AWS, SYSTEM), "kubernetes:helm.sh/v3:Release", "karpenter")
    assert [row["values"]["nodeSelector"] for row in releases] == [{"skerry.dev/tier": "platform"}]


def test_add_ons_are_pinned_where_versions_are_named() -> None:
    versions = {"vpc-cni": "v1.21.1-eksbuild.1", "coredns": "v1.12.4-eksbuild.1"}
    rows = inputs(run_core(AWS_BASE, {f"{EKS}.addon_versions": versions}), "aws:eks/addon:Addon")
    assert {row["addonName"]: row.get("addonVersion") for row in rows} == dict.fromkeys(ADDONS) | versions


def test_addresses_by_blocks_are_told_to_the_cni_before_there_are_machines() -> None:
    graph = run_core(AWS_BASE, {f"{EKS}.prefix_delegation": True})
    (cni,) = [one for one in graph.of_type("aws:eks/addon:Addon") if one.inputs["addonName"] == "vpc-cni"]
    settings = json.loads(plain(cni.inputs)["configurationValues"])
    assert settings["env"] == {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"}
    for group in graph.of_type(GROUP):
        assert cni.urn in group.dependencies
    (node_class,) = [
        one for one in run_core(AWS, {f"{EKS}.prefix_delegation": True}).resources if one.name.endswith("node-class")
    ]
    assert plain(node_class.inputs)["spec"]["kubelet"] == {"maxPods": 110}


ROLE = "arn:aws:iam::111122223333:role/skerry-deploys"


def test_a_role_deploys_and_the_kubeconfig_takes_it() -> None:
    graph = run_core(AWS_BASE, {"target.aws.deployment_role": ROLE})
    (provider,) = [one for one in graph.resources if one.type == "pulumi:providers:aws"]
    given = plain(provider.inputs)["assumeRoles"]
    roles = json.loads(given) if isinstance(given, str) else given
    assert [(row["roleArn"], row["sessionName"]) for row in roles] == [(ROLE, "skerry")]
    assert "assumeRoles" not in plain(next(iter(graph_of(AWS_BASE).of_type("pulumi:providers:aws"))).inputs)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a role of another account": (
        {"target.aws.deployment_role": "arn:aws:iam::999999999999:role/x"},
        "target.aws.deployment_role: 'arn:aws:iam::999999999999:role/x' is of another account than '111122223333'",
    ),
    "a user is no role": ({"target.aws.deployment_role": "arn:aws:iam::111122223333:user/x"}, "does not have the form"),
    "adapters without a zone": ({f"{EKS}.efa": True}, "is required with efa: the 4 adapters of 'p4d.24xlarge'"),
    "a zone of elsewhere": ({f"{EKS}.gpu_zone": "us-east-1f"}, "'us-east-1f' is not among target.failure_domains"),
    "a reservation without its zone": (
        {f"{EKS}.gpu_capacity": {"id": "cr-02168da1478b509e0"}},
        "target.aws.eks.gpu_zone: is required with gpu_capacity",
    ),
    "a block of spot machines": ({**BLOCK, "cognitive.pool.purchase": "spot"}, "is spot, and a block is not"),
    "a block in production": ({**BLOCK, "production": True}, "is a block, which ends on a day"),
    "an add-on that is not there": (
        {f"{EKS}.addon_versions": {"kube-dns": "v1.0.0"}},
        "target.aws.eks.addon_versions.kube-dns: is no add-on of the cluster; use vpc-cni, kube-proxy",
    ),
    "a CNI that takes adapters for its own": (
        {**EFA, f"{EKS}.addon_versions": {"vpc-cni": "v1.18.4-eksbuild.1"}},
        "'v1.18.4' does not know interfaces for EFA alone, which efa needs; use v1.18.5 or newer",
    ),
    "GPUs for CoreDNS": (
        {f"{EKS}.system_machines": {"instance_type": "g6.xlarge"}},
        "'g6.xlarge' has 1 GPUs, which the cluster's own pods do not use",
    ),
    "a type that nobody knows": (
        {f"{EKS}.system_machines": {"instance_type": "m9.huge"}},
        "'m9.huge' is not in the catalogue of aws types",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused(case: str) -> None:
    changes, words = REFUSED[case]
    assert words in problems(changes)


def test_reserved_gpus_without_a_pool_are_refused() -> None:
    hosted = {"cognitive.providers": ["openai"], "cognitive.api_key_secret": "llmKey", "cognitive.pool": None}
    text = problems({**hosted, "cognitive.model": None, **RESERVED})
    assert "target.aws.eks.gpu_capacity: reserves GPU machines, and there is no pool of them" in text


ALLOWED: dict[str, dict[str, Any]] = {
    "adapters": EFA,
    "a reservation": RESERVED,
    "a block with adapters": {**EFA, **BLOCK},
    "machines of the cluster's own pods": SYSTEM,
    "addresses by blocks and pinned add-ons": {
        f"{EKS}.prefix_delegation": True,
        f"{EKS}.addon_versions": {"vpc-cni": "v1.21.1-eksbuild.1"},
    },
    "a role that deploys": {"target.aws.deployment_role": ROLE},
}


@pytest.mark.parametrize("case", ALLOWED)
def test_the_provider_takes_it_and_the_policies_find_nothing_new(case: str) -> None:
    graph = run_core(AWS_BASE, ALLOWED[case])
    assert refusals(graph) == []
    assert [one.message for one in check(graph, today=date(2026, 11, 21)).failures] == []


@pytest.mark.parametrize("stack", [AWS_BASE, AWS, VENDOR_BASE, VENDOR])
def test_the_shipped_stacks_have_adapters_in_one_zone_and_machines_for_the_cluster_s_own_pods(stack: str) -> None:
    spec = load_spec(shipped(stack), stack)
    eks = spec.target.aws.eks
    assert eks.efa and eks.gpu_zone in spec.target.failure_domains
    assert eks.system_machines is not None
    assert eks.system_machines.count == len(spec.target.failure_domains)


def test_adapters_count_as_interfaces_of_the_region() -> None:
    """27 of endpoints, two of each meta machine, five of each p4d: one with addresses and four adapters."""
    graph = run_core(AWS_BASE, EFA)
    found = {one.code: one for one in quotas_of(graph, pools_of(graph))}
    assert found["L-DF5E4CA3"].amounts.maximum == 27 + 3 * 2 + 2 * 5
