"""The machines of a plan and the quotas that they count in, against numbers by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from skerry.facts import NodesFact, ScalingFact, Tier
from skerry.graph import UNKNOWN, ResourceGraph
from skerry.instances import instance_type, instance_types
from skerry.preflight.document import Amounts, Quota
from skerry.preflight.families import azure_family
from skerry.preflight.pools import Pool, pools_of
from skerry.preflight.quotas import quota_rows, quotas_of
from tests.simulators.policy_graphs import Builder

GROUP, GKE, AKS, AKS_POOL = (
    "aws:eks/nodeGroup:NodeGroup",
    "gcp:container/nodePool:NodePool",
    "azure-native:containerservice:ManagedCluster",
    "azure-native:containerservice:AgentPool",
)
KARPENTER = "kubernetes:karpenter.sh/v1:NodePool"


def graph_of(*rows: tuple[str, str, Mapping[str, Any]], **options: Any) -> ResourceGraph:
    builder = Builder()
    for kind, name, inputs in rows:
        builder.add(kind, name, inputs, **options)
    return builder.graph()


def group(name: str, machine: str, low: int, high: int, **more: Any) -> tuple[str, str, dict[str, Any]]:
    scaling = {"minSize": low, "maxSize": high, "desiredSize": low}
    return GROUP, name, {"instanceTypes": [machine], "scalingConfig": scaling, "subnetIds": ["a", "b", "c"], **more}


def stated(
    cloud: str, machine: str, low: int, high: int, *, tier: Tier, autoscaler: str | None = None
) -> ResourceGraph:
    row = instance_type(cloud, machine)
    nodes = NodesFact(
        vcpu=row.vcpu,
        memory_gib=row.memory_gib,
        gpu_model=row.gpu_model,
        gpus=row.gpus,
        gpu_memory_gib=row.gpu_memory_gib,
        instance_type=row.name,
        purchase="on-demand",
        priced_here=True,
    )
    builder = Builder()
    builder.deployment({"kind": cloud})
    scaling = ScalingFact(minimum=low, typical=low, maximum=high, autoscaler=autoscaler)
    builder.component("pool", kind="NodePool", tier=tier, nodes=nodes, scaling=scaling)
    return builder.graph()


def quotas(graph: ResourceGraph) -> dict[str, Quota]:
    found = quotas_of(graph, pools_of(graph))
    return {one.code or one.name: one for one in found}


BY_HAND: dict[str, tuple[ResourceGraph, str, Amounts]] = {
    "128 x c6i.4xlarge are 2,048 vCPU of Standard machines": (
        stated("aws", "c6i.4xlarge", 4, 128, tier=Tier.EXECUTION, autoscaler="karpenter"),
        "L-1216C47A",
        Amounts(64, 64, 2048, 2048),
    ),
    "8 x p4d.24xlarge are 768 vCPU of P machines": (
        stated("aws", "p4d.24xlarge", 2, 8, tier=Tier.COGNITIVE),
        "L-417A185B",
        Amounts(192, 192, 768, 768),
    ),
    "two nodes of A100 on AWS are 192 vCPU of P": (
        graph_of(group("gpu", "p4d.24xlarge", 2, 2, updateConfig={"updateStrategy": "MINIMAL"})),
        "L-417A185B",
        Amounts(192, 192, 192, 192),
    ),
    "the same renewed by the default strategy are two more in each of three zones": (
        graph_of(group("gpu", "p4d.24xlarge", 2, 2)),
        "L-417A185B",
        Amounts(192, 192, 192, (2 + 6) * 96),
    ),
    "at most ten at once are renewed, beyond two a zone": (
        graph_of(group("many", "c6i.4xlarge", 20, 20, updateConfig={"maxUnavailable": 10})),
        "L-1216C47A",
        Amounts(320, 320, 320, 480),
    ),
    "G machines": (graph_of(group("g", "g6e.12xlarge", 1, 2)), "L-DB2E81BA", Amounts(48, 48, 96, 8 * 48)),
    "spot machines of Standard": (
        graph_of(group("s", "m6i.2xlarge", 1, 10, capacityType="SPOT")),
        "L-34B43A08",
        Amounts(8, 8, 80, 128),
    ),
    "spot machines of P4": (
        graph_of(group("s", "p4d.24xlarge", 1, 1, capacityType="SPOT")),
        "L-7212CCBC",
        Amounts(96, 96, 96, 7 * 96),
    ),
    "spot machines of P5": (
        graph_of(group("s", "p5.48xlarge", 1, 1, capacityType="SPOT")),
        "L-C4BD4855",
        Amounts(192, 192, 192, 7 * 192),
    ),
    "one A100 of 40 GB at a time on Google Cloud": (
        stated("gcp", "a2-highgpu-1g", 2, 8, tier=Tier.COGNITIVE),
        "NVIDIA_A100_GPUS",
        Amounts(2, 2, 8, 8),
    ),
    "and its vCPU": (
        stated("gcp", "a2-highgpu-1g", 2, 8, tier=Tier.COGNITIVE),
        "A2_CPUS",
        Amounts(24, 24, 96, 96),
    ),
    "one A100 of 80 GB at a time on Google Cloud": (
        stated("gcp", "a2-ultragpu-1g", 2, 8, tier=Tier.COGNITIVE),
        "NVIDIA_A100_80GB_GPUS",
        Amounts(2, 2, 8, 8),
    ),
    "all GPUs of a project": (
        stated("gcp", "g2-standard-96", 1, 2, tier=Tier.COGNITIVE),
        "GPUS_ALL_REGIONS",
        Amounts(8, 8, 16, 16),
    ),
    "one A100 at a time on Azure": (
        stated("azure", "Standard_NC24ads_A100_v4", 2, 8, tier=Tier.COGNITIVE),
        "StandardNCADSA100v4Family",
        Amounts(48, 48, 192, 192),
    ),
    "and all cores of the region": (
        stated("azure", "Standard_NC24ads_A100_v4", 2, 8, tier=Tier.COGNITIVE),
        "cores",
        Amounts(48, 48, 192, 192),
    ),
}


@pytest.mark.parametrize("case", BY_HAND)
def test_a_quota_is_what_one_reckons_by_hand(case: str) -> None:
    graph, code, expected = BY_HAND[case]
    assert quotas(graph)[code].amounts == expected


def test_the_arithmetic_is_shown() -> None:
    quota = quotas(stated("aws", "p4d.24xlarge", 2, 8, tier=Tier.COGNITIVE))["L-417A185B"]
    assert quota.arithmetic == ("pool: 2 to 8 x p4d.24xlarge x 96 vCPU = 768 at most",)
    assert (quota.default, quota.exceeds_default) == (0, True)


def test_a_default_that_no_source_says_is_unknown_and_no_pass() -> None:
    quota = quotas(stated("gcp", "a2-highgpu-1g", 2, 2, tier=Tier.COGNITIVE))["NVIDIA_A100_GPUS"]
    assert (quota.default, quota.exceeds_default) == (None, None)


def test_a_quota_whose_name_no_source_says_has_no_code() -> None:
    found = quotas(stated("gcp", "a3-highgpu-8g", 1, 2, tier=Tier.COGNITIVE))
    assert found["H100 80 GB GPUs"].code is None
    assert found["A3 CPUs"].amounts.maximum == 416
    spot = quotas(graph_of(group("s", "p6-b200.48xlarge", 1, 1, capacityType="SPOT")))
    assert spot["the Spot quota of p6-b200.48xlarge"].code is None


def test_what_is_unknown_until_deployed_counts_in_nothing() -> None:
    graph = graph_of((GROUP, "g", {"instanceTypes": [UNKNOWN], "scalingConfig": {"minSize": 1, "maxSize": 2}}))
    (pool,) = pools_of(graph)
    assert (pool.type, pool.vcpu) == (None, None)
    assert not {code for code in quotas(graph) if code.startswith("L-1216")}


FAMILIES = {
    "Standard_NC24ads_A100_v4": "NCads_A100_v4",
    "Standard_ND96amsr_A100_v4": "NDamsr_A100_v4",
    "Standard_ND96asr_v4": "NDasr_v4",
    "Standard_F32s_v2": "Fs_v2",
    "Standard_D4s_v5": "Ds_v5",
    "Standard_NV36ads_A10_v5": "NVads_A10_v5",
    "Standard_NC40ads_H100_v5": "NCads_H100_v5",
    "something else": "something else",
}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_size_of_azure_has_a_family(name: str) -> None:
    assert azure_family(name) == FAMILIES[name]


def test_every_type_of_the_catalogue_counts_somewhere() -> None:
    for row in instance_types():
        graph = stated(row.cloud, row.name, 1, 1, tier=Tier.EXECUTION)
        counted = [one for one in quotas_of(graph, pools_of(graph)) if one.unit == "vCPU"]
        assert [one.amounts.maximum for one in counted] == [row.vcpu] * len(counted), row.name
        assert counted, row.name


@cache
def discovery() -> set[str]:
    api = pytest.importorskip("googleapiclient")
    file = Path(api.__file__).parent / "discovery_cache" / "documents" / "compute.v1.json"
    schema = json.loads(file.read_text(encoding="utf-8"))["schemas"]["Quota"]
    return set(schema["properties"]["metric"]["enum"])


def test_the_metrics_of_google_are_those_of_its_api() -> None:
    codes = {row.code for row in quota_rows().values() if row.cloud == "gcp"}
    assert codes - discovery() == set()
    assert len(codes) > 20


def test_the_quotas_of_networks_are_those_that_moto_answers() -> None:
    module = pytest.importorskip("moto.servicequotas.resources.default_quotas.vpc")
    answers = {row["QuotaCode"]: row for row in module.VPC_DEFAULT_QUOTAS}
    rows = [row for row in quota_rows().values() if row.service == "vpc"]
    assert len(rows) > 5
    for row in rows:
        assert (answers[row.code]["QuotaName"], answers[row.code]["Value"]) == (row.name, row.default)


def test_each_row_has_a_source_and_a_code_of_its_own() -> None:
    rows = list(quota_rows().values())
    assert len({(row.cloud, row.code) for row in rows}) == len(rows)
    assert not [row for row in rows if not row.source or not row.code]


# --- pools of other programs ------------------------------------------------------------------------------------------


def only(graph: ResourceGraph) -> Pool:
    (found,) = pools_of(graph)
    return found


def test_pools_of_other_programs_are_read_from_their_resources() -> None:
    gke = only(
        graph_of(
            (
                GKE,
                "g",
                {
                    "nodeConfig": {"machineType": "a2-highgpu-1g", "spot": True, "diskSizeGb": 200},
                    "autoscaling": {"minNodeCount": 1, "maxNodeCount": 3},
                    "nodeLocations": ["a", "b"],
                    "upgradeSettings": {"maxSurge": 1},
                },
            )
        )
    )
    assert (gke.counts, gke.spot, gke.root_gib, gke.autoscaler) == ((2, 2, 6, 8), True, 200, "gke")
    first, second = pools_of(
        graph_of(
            (
                AKS,
                "k",
                {
                    "agentPoolProfiles": [
                        {"vmSize": "Standard_D4s_v5", "count": 3},
                        {
                            "vmSize": "Standard_F16s_v2",
                            "enableAutoScaling": True,
                            "minCount": 1,
                            "maxCount": 25,
                            "upgradeSettings": {"maxSurge": "10%"},
                        },
                    ]
                },
            )
        )
    )
    assert (first.counts, second.counts) == ((3, 3, 3, 3), (1, 1, 25, 28))
    karpenter = only(
        graph_of(
            (
                KARPENTER,
                "k",
                {
                    "spec": {
                        "limits": {"cpu": "4096"},
                        "template": {
                            "spec": {
                                "requirements": [
                                    {
                                        "key": "node.kubernetes.io/instance-type",
                                        "operator": "In",
                                        "values": ["c6i.8xlarge"],
                                    },
                                    {
                                        "key": "karpenter.sh/capacity-type",
                                        "operator": "In",
                                        "values": ["spot", "on-demand"],
                                    },
                                ]
                            }
                        },
                    }
                },
            )
        )
    )
    assert (karpenter.counts, karpenter.spot) == ((0, 0, 128, 128), True)
    machine = only(graph_of(("aws:ec2/instance:Instance", "i", {"instanceType": "m6i.large"})))
    assert machine.counts == (1, 1, 1, 1)


def test_what_a_component_states_is_not_counted_again() -> None:
    builder = Builder()
    builder.deployment({"kind": "aws"})
    nodes = NodesFact(vcpu=32, memory_gib=64, instance_type="c6i.8xlarge", purchase="on-demand", priced_here=False)
    scaling = ScalingFact(minimum=3, typical=3, maximum=3)
    above = builder.component("meta", kind="AwsNodeGroup", tier=Tier.META, nodes=nodes, scaling=scaling)
    kind, name, inputs = group("meta-group", "c6i.8xlarge", 3, 3)
    builder.add(kind, name, inputs, parent=above)
    pool = only(builder.graph())
    assert (pool.name, pool.counts, pool.zones) == ("meta", (3, 3, 3, 9), 3)
