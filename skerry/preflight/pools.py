"""The machines of a plan, from its graph: Skerry's components say what they are, other programs' resources show it.

(1) A component with facts of nodes and scaling is a pool; what it is made of is not counted again. (2) Any other group
of machines that a resource declares is one. (3) What a resource leaves open stays None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from skerry.facts import NodesFact, ScalingFact, deployments, facts_of
from skerry.graph import Resource, ResourceGraph, find, is_known, plain
from skerry.instances import InstanceType, instance_types

NODE_GROUP: Final = "aws:eks/nodeGroup:NodeGroup"
GKE_POOL: Final = "gcp:container/nodePool:NodePool"
AKS_CLUSTER: Final = "azure-native:containerservice:ManagedCluster"
AKS_POOL: Final = "azure-native:containerservice:AgentPool"
KARPENTER_POOL: Final = "kubernetes:karpenter.sh/v1:NodePool"
KARPENTER_CLASS: Final = "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass"

EKS_SURGE_PER_ZONE: Final = 2
"""Machines that EKS may start in each zone of a group while it renews it.

Source: Amazon EKS "Understand each phase of node updates", Scale up phase, read 2026-11.
"""

EKS_DEFAULT: Final = "t3.medium"
"""The type of a group that names none. Source: Amazon EKS API, CreateNodegroup, instanceTypes, read 2026-11."""

KARPENTER: Final = "karpenter"


@dataclass(frozen=True, slots=True)
class Pool:
    """Some machines of one type."""

    name: str
    cloud: str
    """`aws`, `gcp`, `azure`, or `onprem` for machines that exist."""
    tier: str
    """Empty where nobody says."""
    type: str | None
    """The cloud's name; None where it is not known or has none."""
    vcpu: int | None
    """Of one machine."""
    gpus: int
    gpu_model: str | None
    gpu_memory_gib: float
    minimum: int | None
    typical: int | None
    maximum: int | None
    surge: int | None
    """Machines beyond the maximum while they are renewed; None where nobody says."""
    spot: bool
    autoscaler: str | None
    root_gib: int | None = None
    """The boot disk of one machine; None where nobody says."""
    zones: int | None = None

    @property
    def counts(self) -> tuple[int, int, int, int] | None:
        """Return how many run: at least, typically, at most, and while they are renewed; None where not known."""
        if self.minimum is None or self.maximum is None:
            return None
        typical = self.minimum if self.typical is None else self.typical
        return self.minimum, typical, self.maximum, self.maximum + (self.surge or 0)


def pools_of(graph: ResourceGraph) -> list[Pool]:
    """Return every pool of a graph, in its order: those that components state, then those of bare resources."""
    groups = {one.urn: _foreign(one) for one in graph.resources if one.type in _READERS}
    clouds = {one.stack: fact.target.kind for one, fact in deployments(graph)}
    found = []
    for resource in graph.resources:
        facts = facts_of(resource)
        if facts is None or facts.nodes is None or facts.scaling is None:
            continue
        cloud = "onprem" if facts.nodes.purchase == "existing" else clouds.get(resource.stack, "")
        inside = list(graph.descendants(resource.urn))
        made = [groups.pop(one.urn) for one in inside if one.urn in groups]
        stated = _stated(resource, facts.nodes, facts.scaling, cloud)
        if not made and cloud != "onprem":
            like = [urn for urn, group in groups.items() if _same(stated, group)]
            made = [groups.pop(urn) for urn in like[:1]]
        root = _root_gib(inside) or next((group.root_gib for group in made if group.root_gib), None)
        if stated.autoscaler == KARPENTER:
            root = _root_gib([one for one in graph.resources if one.type == KARPENTER_CLASS])
        of_made = made[0] if made else None
        found.append(
            replace(
                stated,
                surge=0 if cloud == "onprem" else of_made.surge if of_made else None,
                zones=of_made.zones if of_made else None,
                root_gib=root,
            )
        )
    more = [pool for one in graph.resources if one.urn in groups for pool in _more_of_aks(one)]
    return [*found, *groups.values(), *more]


def _stated(resource: Resource, nodes: NodesFact, scaling: ScalingFact, cloud: str) -> Pool:
    facts = facts_of(resource)
    return Pool(
        name=resource.name,
        cloud=cloud,
        tier=facts.tier.value if facts and facts.tier else "",
        type=nodes.instance_type,
        vcpu=nodes.vcpu,
        gpus=nodes.gpus,
        gpu_model=nodes.gpu_model,
        gpu_memory_gib=nodes.gpu_memory_gib,
        minimum=scaling.minimum,
        typical=scaling.typical,
        maximum=scaling.maximum,
        surge=None,
        spot=nodes.purchase == "spot",
        autoscaler=scaling.autoscaler,
    )


def _same(stated: Pool, group: Pool) -> bool:
    """Say whether a resource elsewhere in the graph is what a component states: a pool has no other mark."""
    return (stated.cloud, stated.type, stated.maximum) == (group.cloud, group.type, group.maximum)


def _foreign(resource: Resource) -> Pool:
    return _READERS[resource.type](resource, plain(resource.inputs))


def _pool(resource: Resource, cloud: str, type_: object, numbers: Mapping[str, Any], **more: Any) -> Pool:
    name = type_ if isinstance(type_, str) and is_known(type_) else None
    row = _row(cloud, name)
    return Pool(
        name=resource.name,
        cloud=cloud,
        tier="",
        type=name,
        vcpu=row.vcpu if row else None,
        gpus=row.gpus if row else 0,
        gpu_model=row.gpu_model if row else None,
        gpu_memory_gib=row.gpu_memory_gib if row else 0,
        minimum=_int(numbers.get("minimum")),
        typical=_int(numbers.get("typical")),
        maximum=_int(numbers.get("maximum")),
        surge=more.get("surge"),
        spot=bool(more.get("spot")),
        autoscaler=more.get("autoscaler"),
        root_gib=_int(more.get("root_gib")),
        zones=more.get("zones"),
    )


def _eks_group(resource: Resource, inputs: Mapping[str, Any]) -> Pool:
    scaling = _mapping(inputs.get("scalingConfig"))
    types = inputs.get("instanceTypes", None if "launchTemplate" in inputs else [EKS_DEFAULT])
    one = types[0] if isinstance(types, list) and len(types) == 1 else None
    zones = len(inputs["subnetIds"]) if isinstance(inputs.get("subnetIds"), list) else None
    update = _mapping(inputs.get("updateConfig"))
    surge = None if zones is None else max(EKS_SURGE_PER_ZONE * zones, _int(update.get("maxUnavailable")) or 1)
    if update.get("updateStrategy") == "MINIMAL":
        surge = 0
    numbers = {
        "minimum": scaling.get("minSize"),
        "typical": scaling.get("desiredSize"),
        "maximum": scaling.get("maxSize"),
    }
    spot = inputs.get("capacityType") == "SPOT"
    return _pool(resource, "aws", one, numbers, surge=surge, spot=spot, root_gib=inputs.get("diskSize"), zones=zones)


def _gke_pool(resource: Resource, inputs: Mapping[str, Any]) -> Pool:
    scaling, node = _mapping(inputs.get("autoscaling")), _mapping(inputs.get("nodeConfig"))
    places = inputs.get("nodeLocations")
    zones = len(places) if isinstance(places, list) else None
    fixed = inputs.get("nodeCount") if zones is None else (_int(inputs.get("nodeCount")) or 0) * zones or None
    numbers = {
        "minimum": scaling.get("totalMinNodeCount", _times(scaling.get("minNodeCount"), zones)) if scaling else fixed,
        "maximum": scaling.get("totalMaxNodeCount", _times(scaling.get("maxNodeCount"), zones)) if scaling else fixed,
    }
    upgrade = _mapping(inputs.get("upgradeSettings"))
    surge = _times(upgrade.get("maxSurge"), zones)
    return _pool(
        resource, "gcp", node.get("machineType"), numbers, surge=surge, spot=node.get("spot") is True,
        autoscaler="gke" if scaling else None, root_gib=node.get("diskSizeGb"), zones=zones,
    )  # fmt: skip


def _aks_pool(resource: Resource, inputs: Mapping[str, Any]) -> Pool:
    scaled = inputs.get("enableAutoScaling") is True
    numbers = {
        "minimum": inputs.get("minCount") if scaled else inputs.get("count"),
        "typical": inputs.get("count"),
        "maximum": inputs.get("maxCount") if scaled else inputs.get("count"),
    }
    places = inputs.get("availabilityZones")
    return _pool(
        resource, "azure", inputs.get("vmSize"), numbers, surge=_aks_surge(inputs, _int(numbers["maximum"])),
        spot=inputs.get("scaleSetPriority") == "Spot", autoscaler="aks" if scaled else None,
        root_gib=inputs.get("osDiskSizeGB"), zones=len(places) if isinstance(places, list) else None,
    )  # fmt: skip


def _aks_surge(inputs: Mapping[str, Any], maximum: int | None) -> int | None:
    """Return the machines of an upgrade: a number, or a share that is rounded up."""
    said = str(_mapping(inputs.get("upgradeSettings")).get("maxSurge", ""))
    if said.endswith("%") and said[:-1].isdigit() and maximum is not None:
        return -(-maximum * int(said[:-1]) // 100)
    return int(said) if said.isdigit() else None


def _aks_first(resource: Resource, inputs: Mapping[str, Any]) -> Pool:
    profiles = inputs.get("agentPoolProfiles")
    first = profiles[0] if isinstance(profiles, list) and profiles else {}
    return _aks_pool(resource, _mapping(first))


def _more_of_aks(resource: Resource) -> Iterator[Pool]:
    profiles = plain(resource.inputs).get("agentPoolProfiles") if resource.type == AKS_CLUSTER else None
    for profile in profiles[1:] if isinstance(profiles, list) else []:
        yield _aks_pool(resource, _mapping(profile))


def _karpenter_pool(resource: Resource, inputs: Mapping[str, Any]) -> Pool:
    spec = _mapping(inputs.get("spec"))
    wanted = {
        row.get("key"): row.get("values")
        for row in find(spec, "template.spec.requirements", []) or []
        if isinstance(row, Mapping)
    }
    types = wanted.get("node.kubernetes.io/instance-type")
    one = types[0] if isinstance(types, list) and len(types) == 1 else None
    row = _row("aws", one)
    limit = _int(_mapping(spec.get("limits")).get("cpu"))
    maximum = limit // row.vcpu if limit is not None and row is not None else None
    spot = "spot" in (wanted.get("karpenter.sh/capacity-type") or [])
    return _pool(
        resource, "aws", one, {"minimum": 0, "maximum": maximum}, surge=0, spot=spot, autoscaler=KARPENTER
    )  # fmt: skip


def _instance(resource: Resource, inputs: Mapping[str, Any]) -> Pool:
    cloud = resource.type.split(":", 1)[0]
    type_ = inputs.get("instanceType" if cloud == "aws" else "machineType")
    spot = bool(_mapping(inputs.get("instanceMarketOptions")).get("marketType") == "spot")
    one = {"minimum": 1, "maximum": 1}
    return _pool(resource, cloud, type_, one, surge=0, spot=spot)


_READERS: Final[Mapping[str, Callable[[Resource, Mapping[str, Any]], Pool]]] = {
    NODE_GROUP: _eks_group,
    GKE_POOL: _gke_pool,
    AKS_CLUSTER: _aks_first,
    AKS_POOL: _aks_pool,
    KARPENTER_POOL: _karpenter_pool,
    "aws:ec2/instance:Instance": _instance,
    "gcp:compute/instance:Instance": _instance,
}
"""What is a group of machines, and how it is read."""


def _root_gib(resources: Sequence[Resource]) -> int | None:
    """Return the size of the first disk that one of these gives its machines: a template's or a class's."""
    for one in resources:
        inputs = plain(one.inputs)
        size = find(find(inputs, "spec", inputs), "blockDeviceMappings.0.ebs.volumeSize")
        if size is not None:
            return _int(size.removesuffix("Gi") if isinstance(size, str) else size)
    return None


def _row(cloud: str, name: str | None) -> InstanceType | None:
    return next((row for row in instance_types() if row.cloud == cloud and row.name == name), None)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _times(value: object, zones: int | None) -> int | None:
    number = _int(value)
    return None if number is None or zones is None else number * zones


def _int(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return int(value)
    return int(value) if isinstance(value, str) and re.fullmatch(r"\d+", value) else None
