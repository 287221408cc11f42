"""Kubernetes objects: free, except for what they make a cloud do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from skerry.facts import ChartFact, NodesFact, ScalingFact, StorageFact, Tier
from skerry.graph import UNKNOWN
from tests.simulators.cost_round_numbers import on_aws, priced, rows, site
from tests.simulators.policy_graphs import Builder

CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"
SET = "kubernetes:apps/v1:StatefulSet"
POOL = "kubernetes:karpenter.sh/v1:NodePool"
CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"
FAST = {"metadata": {"name": "fast"}, "provisioner": "ebs.csi.aws.com", "parameters": {"type": "gp3"}}


def claim(size: Any = "100Gi", storage_class: str = "fast") -> dict[str, Any]:
    return {"spec": {"storageClassName": storage_class, "resources": {"requests": {"storage": size}}}}


CASES: Mapping[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "a claim": (CLAIM, claim(), {"volumes gp3": "8"}),
    "a claim of a class that the graph does not hold": (
        CLAIM,
        claim(storage_class="slow"),
        {"volumes slow": "the storage class 'slow' is not in the graph, so its price is not known"},
    ),
    "a claim whose size is not known": (
        CLAIM,
        claim(UNKNOWN),
        {"the rest": "spec.resources.requests.storage is not known before a deployment"},
    ),
    "a claim whose size is nonsense": (
        CLAIM,
        claim("a lot"),
        {
            "the rest": "its size cannot be read: 'a lot' is not a size: "
            "write a number and a unit such as 4GiB, 700MB or 512Mi"
        },
    ),
    "the templates of a stateful set, for each replica": (
        SET,
        {"spec": {"replicas": 3, "volumeClaimTemplates": [claim(), claim("50Gi")]}},
        {"volumes gp3": "12"},
    ),
    "a stateful set without volumes": (SET, {"spec": {"replicas": 3}}, {}),
    "a deployment": ("kubernetes:apps/v1:Deployment", {"spec": {"replicas": 3}}, {}),
    "a service inside the cluster": ("kubernetes:core/v1:Service", {"spec": {"type": "ClusterIP"}}, {}),
    "a service with a load balancer": (
        "kubernetes:core/v1:Service",
        {"spec": {"type": "LoadBalancer"}},
        {"load balancer": "which kind the cloud makes for a Service is the controller's choice"},
    ),
    "a gateway": (
        "kubernetes:gateway.networking.k8s.io/v1:Gateway",
        {},
        {"load balancer": "which kind the cloud makes for a Gateway is the controller's choice"},
    ),
    "a custom resource of an operator that we know": ("kubernetes:ray.io/v1:RayCluster", {}, {}),
    "a custom resource that makes cloud resources": (
        "kubernetes:s3.services.k8s.aws/v1alpha1:Bucket",
        {},
        {"resource": "nothing prices the type kubernetes:s3.services.k8s.aws/v1alpha1:Bucket"},
    ),
    "a chart that nobody declares": (
        "kubernetes:helm.sh/v3:Release",
        {},
        {"chart": "what a chart makes is not in the graph"},
    ),
    "machines that Karpenter alone decides over": (
        POOL,
        {},
        {"machines": "Karpenter decides over them and no component states its bounds"},
    ),
}


def cluster() -> Builder:
    builder = on_aws()
    builder.add(CLASS, "class", FAST)
    return builder


@pytest.mark.parametrize("sentence", CASES)
def test_an_object_on_aws(sentence: str) -> None:
    kind, inputs, expected = CASES[sentence]
    builder = cluster()
    builder.add(kind, "it", inputs)
    found = priced(builder)
    if sentence == "the templates of a stateful set, for each replica":
        assert [f"{line.component.monthly.typical:.0f}" for line in found.lines] == ["24", "12"]  # type: ignore[union-attr]
    else:
        assert expected == rows(found)


def test_a_volume_that_its_component_declares_is_counted_once() -> None:
    builder = cluster()
    volume = StorageFact(kind="volume", gib=100, copies=3, storage_class="fast")
    store = builder.component("vectors", tier=Tier.META, storage=(volume,))
    builder.add(SET, "set", {"spec": {"replicas": 3, "volumeClaimTemplates": [claim()]}}, parent=store)
    assert rows(priced(builder)) == {"volumes gp3": "24"}


def test_a_chart_whose_component_declares_it_is_free_in_itself() -> None:
    builder = cluster()
    chart = ChartFact(name="karpenter", repository="oci://charts", version="1", why="machines")
    operator = builder.component("karpenter", kind="Operator", charts=(chart,))
    builder.add("kubernetes:helm.sh/v3:Release", "release", {}, parent=operator)
    assert rows(priced(builder)) == {}


def test_machines_of_karpenter_are_counted_with_the_component_that_states_their_bounds() -> None:
    builder = cluster()
    nodes = NodesFact(vcpu=2, memory_gib=8, instance_type="m6i.large", purchase="on-demand", priced_here=True)
    scaling = ScalingFact(minimum=1, typical=2, maximum=4, autoscaler="karpenter")
    builder.component("pool", kind="NodePool", tier=Tier.EXECUTION, nodes=nodes, scaling=scaling)
    builder.add(POOL, "execution", {})
    disk = {"volumeSize": "100Gi", "volumeType": "gp3"}
    mappings = {"spec": {"blockDeviceMappings": [{"ebs": disk}]}}
    builder.add("kubernetes:karpenter.k8s.aws/v1:EC2NodeClass", "class", mappings)
    assert rows(priced(builder)) == {"machines m6i.large": "73/146/292", "root disks gp3": "8/16/32"}


def test_at_a_site_of_its_own_a_load_balancer_costs_nothing() -> None:
    builder = site()
    before = len(priced(builder).lines)
    builder.add("kubernetes:core/v1:Service", "entry", {"spec": {"type": "LoadBalancer"}})
    builder.add("kubernetes:gateway.networking.k8s.io/v1:Gateway", "gateway", {})
    assert before == len(priced(builder).lines)
