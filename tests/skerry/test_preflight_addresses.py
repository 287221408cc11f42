"""The addresses that the machines and pods of a plan take, on each cloud."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from skerry.graph import ResourceGraph
from skerry.instances import instance_types
from skerry.preflight.addresses import LARGEST, interfaces, ranges_of
from skerry.preflight.document import AddressRange, Fit
from skerry.preflight.pools import pools_of
from tests.simulators.policy_graphs import Builder

GROUP, SUBNET = "aws:eks/nodeGroup:NodeGroup", "aws:ec2/subnet:Subnet"
GKE, AKS = "gcp:container/nodePool:NodePool", "azure-native:containerservice:ManagedCluster"


def graph_of(*rows: tuple[str, str, Mapping[str, Any]], **options: Any) -> ResourceGraph:
    builder = Builder()
    for kind, name, inputs in rows:
        builder.add(kind, name, inputs, **options)
    return builder.graph()


def group(name: str, machine: str, low: int, high: int, **more: Any) -> tuple[str, str, dict[str, Any]]:
    scaling = {"minSize": low, "maxSize": high, "desiredSize": low}
    return GROUP, name, {"instanceTypes": [machine], "scalingConfig": scaling, "subnetIds": ["a", "b", "c"], **more}


def eks(prefix: int, *groups: tuple[str, str, dict[str, Any]], prefixes: bool = False) -> dict[str, AddressRange]:
    builder = Builder()
    urns = [
        builder.add(SUBNET, f"private-{zone}", {"cidrBlock": f"10.{zone}.0.0/{prefix}", "availabilityZone": f"z{zone}"})
        for zone in range(3)
    ]
    for kind, name, inputs in groups:
        builder.add(kind, name, inputs, property_dependencies={"subnetIds": tuple(urns)})
    if prefixes:
        values = json.dumps({"env": {"ENABLE_PREFIX_DELEGATION": "true"}})
        builder.add("aws:eks/addon:Addon", "cni", {"addonName": "vpc-cni", "configurationValues": values})
    graph = builder.graph()
    return {one.name: one for one in ranges_of(graph, pools_of(graph))}


PLAN_140 = (
    group("cognitive", "p4d.24xlarge", 2, 8, updateConfig={"updateStrategy": "MINIMAL"}),
    group("execution", "c6i.4xlarge", 4, 128, updateConfig={"updateStrategy": "MINIMAL"}),
    group("meta", "c6i.8xlarge", 3, 4, updateConfig={"updateStrategy": "MINIMAL"}),
)


def test_140_machines_of_eks_take_what_their_interfaces_have() -> None:
    """Two interfaces of each: 8 x 2 x 50 + 128 x 2 x 30 + 4 x 2 x 30 = 8,720; a /19 has 8,192 less 5 of AWS's."""
    found = eks(19, *PLAN_140)["machines and pods, 3 subnets"]
    assert (found.needs, found.has) == (8 * 100 + 128 * 60 + 4 * 60, 3 * (8192 - 5)) == (8720, 24561)
    assert found.at_most == 8 * 15 * 50 + 128 * 8 * 30 + 4 * 8 * 30
    assert found.fit is Fit.TIGHT
    assert LARGEST == 140


SIZES = {"a /19 in each zone": (19, Fit.TIGHT), "a /21": (21, Fit.TOO_SMALL), "a /17": (17, Fit.FITS)}


@pytest.mark.parametrize("case", SIZES)
def test_a_network_of_eks_is_held_against_the_plan(case: str) -> None:
    prefix, expected = SIZES[case]
    assert eks(prefix, *PLAN_140)["machines and pods, 3 subnets"].fit is expected


def test_a_zone_that_is_lost_takes_its_subnet_with_it() -> None:
    """3 x (4,096 - 5) hold 8,720, two of them do not."""
    found = eks(20, *PLAN_140)
    assert found["machines and pods, 3 subnets"].needs == 8720
    lost = found["the same with one zone lost"]
    assert (lost.has, lost.fit) == (2 * 4091, Fit.TOO_SMALL)


def test_prefixes_are_counted_by_sixteen() -> None:
    found = eks(19, *PLAN_140, prefixes=True)["machines and pods, 3 subnets"]
    assert found.needs == 140 * 2 * (1 + 16)


def test_a_type_that_is_not_in_the_table_makes_it_unknown() -> None:
    found = eks(19, group("x", "m9.huge", 1, 1))["machines and pods, 3 subnets"]
    assert (found.needs, found.fit) == (None, Fit.UNKNOWN)
    assert "m9.huge is not in the table of interfaces" in found.arithmetic


def test_the_interfaces_are_those_that_ec2_says() -> None:
    import gzip

    moto = pytest.importorskip("moto")
    file = Path(moto.__file__).parent / "ec2" / "resources" / "instance_types.json.gz"
    described = json.loads(gzip.decompress(file.read_bytes()))
    assert set(interfaces()) == {row.name for row in instance_types() if row.cloud == "aws"}
    for name, row in interfaces().items():
        network = described[name]["NetworkInfo"]
        card = network["NetworkCards"][0]["MaximumNetworkInterfaces"]
        assert (row.interfaces, row.addresses) == (card, network["Ipv4AddressesPerInterface"])
        assert row.efa == network.get("EfaInfo", {}).get("MaximumEfaInterfaces", 0)


PODS = {"p4d.24xlarge": 737, "c6i.8xlarge": 234, "c6i.4xlarge": 234, "p5.48xlarge": 100, "m6i.large": 29}
"""Source: awslabs/amazon-eks-ami eni-max-pods.txt (not opened: the well-known numbers)."""


@pytest.mark.parametrize("name", PODS)
def test_the_most_pods_follow_from_the_interfaces(name: str) -> None:
    assert interfaces()[name].pods == PODS[name]


def test_gke_gives_each_machine_twice_its_pods() -> None:
    """140 machines x 128 addresses for 64 pods = 17,920, of 32,768 in a /17."""
    graph = graph_of(
        (
            "gcp:compute/subnetwork:Subnetwork",
            "s",
            {
                "ipCidrRange": "10.0.128.0/24",
                "secondaryIpRanges": [
                    {"rangeName": "pods", "ipCidrRange": "10.0.0.0/17"},
                    {"rangeName": "services", "ipCidrRange": "10.1.0.0/28"},
                ],
            },
        ),
        (
            GKE,
            "p",
            {
                "nodeConfig": {"machineType": "c2d-highcpu-16"},
                "autoscaling": {"totalMinNodeCount": 4, "totalMaxNodeCount": 140},
                "maxPodsPerNode": 64,
                "nodeLocations": ["a", "b", "c"],
                "upgradeSettings": {"maxSurge": 0},
            },
        ),
    )
    found = {one.name: one for one in ranges_of(graph, pools_of(graph))}
    assert (found["machines"].needs, found["machines"].fit) == (144, Fit.FITS)
    assert (found["pods"].needs, found["pods"].has) == (140 * 128, 32768)
    assert found["services"].fit is Fit.TOO_SMALL


def test_an_overlay_of_aks_gives_each_machine_a_range() -> None:
    def pods(prefix: int) -> AddressRange:
        network = {"networkPluginMode": "overlay", "podCidr": f"10.244.0.0/{prefix}"}
        graph = graph_of(
            (
                AKS,
                "k",
                {
                    "networkProfile": network,
                    "agentPoolProfiles": [{"vmSize": "Standard_F16s_v2", "count": 140}],
                },
            )
        )
        (found,) = ranges_of(graph, pools_of(graph))
        return found

    assert (pods(16).needs, pods(16).has, pods(16).fit) == (140, 256, Fit.FITS)
    assert (pods(17).has, pods(17).fit) == (128, Fit.TOO_SMALL)


def test_what_may_come_is_to_be_looked_at_and_stops_nothing() -> None:
    found = eks(20, *PLAN_140)
    assert {name: one.planned for name, one in found.items()} == {
        "machines and pods, 3 subnets": True,
        "the same with one zone lost": False,
    }
