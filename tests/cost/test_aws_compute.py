"""AWS machines: what a control plane, a node group, an instance and a volume cost, in round numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from skerry.facts import NodesFact, ScalingFact, Tier
from skerry.graph import UNKNOWN
from tests.simulators.cost_round_numbers import on_aws, priced, rows

CLUSTER = "aws:eks/cluster:Cluster"
GROUP = "aws:eks/nodeGroup:NodeGroup"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
INSTANCE = "aws:ec2/instance:Instance"
VOLUME = "aws:ebs/volume:Volume"

CLUSTERS: Mapping[str, tuple[dict[str, Any], date, dict[str, str]]] = {
    "a version long in standard support": ({"version": "1.35"}, date(2026, 11, 21), {"control plane": "73"}),
    "a version that nobody has listed yet is taken as new": (
        {"version": "1.36"},
        date(2026, 11, 21),
        {"control plane": "73"},
    ),
    "no version stated": ({}, date(2026, 11, 21), {"control plane": "73"}),
    "support ends within the month": (
        {"version": "1.34"},
        date(2026, 11, 21),
        {"control plane": "73", "extended support": "0/0/365"},
    ),
    "support ends later than a month": ({"version": "1.34"}, date(2026, 10, 1), {"control plane": "73"}),
    "support has ended": (
        {"version": "1.33"},
        date(2026, 11, 21),
        {"control plane": "73", "extended support": "365"},
    ),
    "a version older than the list": (
        {"version": "1.9"},
        date(2026, 11, 21),
        {"control plane": "73", "extended support": "365"},
    ),
    "support has ended and the cluster updates itself": (
        {"version": "1.33", "upgradePolicy": {"supportType": "STANDARD"}},
        date(2026, 11, 21),
        {"control plane": "73"},
    ),
    "an unknown version leaves the control plane priced": (
        {"version": UNKNOWN},
        date(2026, 11, 21),
        {"control plane": "73", "the rest": "version is not known before a deployment"},
    ),
}


@pytest.mark.parametrize("sentence", CLUSTERS)
def test_an_eks_cluster(sentence: str) -> None:
    inputs, today, expected = CLUSTERS[sentence]
    builder = on_aws()
    builder.add(CLUSTER, "eks", inputs)
    assert expected == rows(priced(builder, today=today))


NO_TEMPLATE = "without a launch template EKS decides over the type of the root disks"
SCALING = {"minSize": 2, "desiredSize": 3, "maxSize": 8}
GROUPS: Mapping[str, tuple[dict[str, Any], dict[str, str]]] = {
    "on demand": (
        {"instanceTypes": ["m6i.large"], "scalingConfig": SCALING},
        {"machines m6i.large": "146/219/584", "root disks": NO_TEMPLATE},
    ),
    "spot takes the spot price": (
        {"instanceTypes": ["m6i.large"], "scalingConfig": SCALING, "capacityType": "SPOT"},
        {"machines m6i.large spot": "58.4/87.6/233.6", "root disks": NO_TEMPLATE},
    ),
    "spot without a spot price is not the price on demand": (
        {"instanceTypes": ["c6i.8xlarge"], "scalingConfig": SCALING, "capacityType": "SPOT"},
        {
            "machines c6i.8xlarge spot": "the price book has no spot price of c6i.8xlarge (hour) for aws us-east-1",
            "root disks": NO_TEMPLATE,
        },
    ),
    "a desired size outside the bounds is drawn inside": (
        {"instanceTypes": ["m6i.large"], "scalingConfig": {**SCALING, "desiredSize": 20}},
        {"machines m6i.large": "146/584/584", "root disks": NO_TEMPLATE},
    ),
    "a type without a row": (
        {"instanceTypes": ["m99.large"], "scalingConfig": SCALING},
        {
            "machines m99.large": "the price book has no price of m99.large (hour) for aws us-east-1",
            "root disks": NO_TEMPLATE,
        },
    ),
    "an unknown type": (
        {"instanceTypes": UNKNOWN, "scalingConfig": SCALING},
        {"the rest": "instanceTypes is not known before a deployment"},
    ),
    "no bounds": ({"instanceTypes": ["m6i.large"]}, {"the rest": "scalingConfig.minSize is not stated"}),
    "bounds below zero": (
        {"instanceTypes": ["m6i.large"], "scalingConfig": {**SCALING, "minSize": -1}},
        {"the rest": "scalingConfig.minSize is no number"},
    ),
    "a capacity block has a price of its own": (
        {"instanceTypes": ["m6i.large"], "scalingConfig": SCALING, "capacityType": "CAPACITY_BLOCK"},
        {
            "machines m6i.large": "a capacity block is paid in advance, at a price of its own that AWS offers with it",
            "root disks": NO_TEMPLATE,
        },
    ),
    "a type that only a template of another stack names": (
        {"scalingConfig": SCALING, "launchTemplate": {"id": UNKNOWN}},
        {"the rest": "its launch template is not in the graph, so the type of its machines is not known"},
    ),
    "a launch template of another stack": (
        {"instanceTypes": ["m6i.large"], "scalingConfig": SCALING, "launchTemplate": {"id": UNKNOWN}},
        {
            "machines m6i.large": "146/219/584",
            "the rest": "its launch template is not in the graph, so its disks are not known",
        },
    ),
}


@pytest.mark.parametrize("sentence", GROUPS)
def test_a_node_group(sentence: str) -> None:
    inputs, expected = GROUPS[sentence]
    builder = on_aws()
    builder.add(GROUP, "group", inputs)
    assert expected == rows(priced(builder))


def test_disks_come_from_the_launch_template_and_what_is_typical_from_the_component() -> None:
    builder = on_aws()
    nodes = NodesFact(vcpu=2, memory_gib=8, instance_type="m6i.large", purchase="on-demand", priced_here=False)
    scaling = ScalingFact(minimum=2, typical=5, maximum=8)
    pool = builder.component("pool", kind="AwsNodeGroup", tier=Tier.META, nodes=nodes, scaling=scaling)
    disk = {"volumeSize": 100, "volumeType": "gp3", "iops": 4000, "throughput": 225}
    template = builder.add(TEMPLATE, "template", {"blockDeviceMappings": [{"ebs": disk}]}, parent=pool)
    builder.add(
        GROUP,
        "group",
        {"instanceTypes": ["m6i.large"], "scalingConfig": SCALING, "launchTemplate": {"id": UNKNOWN}},
        parent=pool,
        property_dependencies={"launchTemplate": (template,)},
    )
    expected = {
        "machines m6i.large": "146/365/584",
        "root disks gp3": "16/40/64",
        "IOPS of root disks": "10/25/40",
        "throughput of root disks": "8/20/32",
    }
    found = priced(builder)
    assert expected == rows(found)
    assert {Tier.META} == set(found.by_tier)


def test_the_type_comes_from_the_launch_template_where_the_group_names_none() -> None:
    builder = on_aws()
    disk = {"volumeSize": 100, "volumeType": "gp3"}
    named = {"instanceType": "m6i.large", "blockDeviceMappings": [{"ebs": disk}]}
    template = builder.add(TEMPLATE, "template", named)
    group = {"scalingConfig": SCALING, "launchTemplate": {"id": UNKNOWN}}
    builder.add(GROUP, "group", group, property_dependencies={"launchTemplate": (template,)})
    assert rows(priced(builder))["machines m6i.large"] == "146/219/584"


INSTANCES: Mapping[str, tuple[dict[str, Any], dict[str, str]]] = {
    "with its disks": (
        {
            "instanceType": "m6i.large",
            "rootBlockDevice": {"volumeSize": 50, "volumeType": "gp3"},
            "ebsBlockDevices": [{"volumeSize": 10, "volumeType": "io2", "iops": 100}],
        },
        {"machine m6i.large": "73", "disk gp3": "4", "disk io2": "1.25", "IOPS of disk": "6.5"},
    ),
    "without a stated disk": (
        {"instanceType": "m6i.large"},
        {"machine m6i.large": "73", "the rest": "the size of its root disk is not stated"},
    ),
    "in another region than the deployment": (
        {
            "instanceType": "m6i.large",
            "region": "eu-central-1",
            "rootBlockDevice": {"volumeSize": 50, "volumeType": "gp3"},
        },
        {
            "machine m6i.large": "146",
            "disk gp3": "the price book has no price of ebs-gp3 (GB-month) for aws eu-central-1",
        },
    ),
}


@pytest.mark.parametrize("sentence", INSTANCES)
def test_an_instance(sentence: str) -> None:
    inputs, expected = INSTANCES[sentence]
    builder = on_aws()
    builder.add(INSTANCE, "machine", inputs)
    assert expected == rows(priced(builder))


def test_a_volume() -> None:
    builder = on_aws()
    builder.add(VOLUME, "volume", {"size": 40, "type": "gp3"})
    assert rows(priced(builder)) == {"volume gp3": "3.2"}
