"""Groups of machines that may grow, in any program: whether something in it makes them grow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.context import Context
from policies.verdict import Judgement, ok, undetermined, violation
from skerry.graph import Resource, ResourceGraph, find, is_known, plain

NODE_GROUP: Final = "aws:eks/nodeGroup:NodeGroup"
SCALING_GROUP: Final = "aws:autoscaling/group:Group"
AKS_CLUSTER: Final = "azure-native:containerservice:ManagedCluster"
AKS_POOL: Final = "azure-native:containerservice:AgentPool"

_BOUNDS: Final[Mapping[str, tuple[str, str]]] = {
    NODE_GROUP: ("scalingConfig.minSize", "scalingConfig.maxSize"),
    SCALING_GROUP: ("minSize", "maxSize"),
    AKS_POOL: ("minCount", "maxCount"),
}
"""Type -> the inputs with the fewest and the most machines.

GKE's pools are not among them: their bounds are those of the autoscaler itself.
"""

_POLICIES: Final = ("aws:autoscaling/policy:Policy", "aws:autoscaling/schedule:Schedule")
_AUTOSCALER: Final = "cluster-autoscaler"


def groups(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    """Judge every group that no component speaks for."""
    for group in graph.of_type(*_BOUNDS, AKS_CLUSTER):
        if any(one.urn in context.own and context.own[one.urn].scaling for one in graph.ancestors(group)):
            continue
        if group.type == AKS_CLUSTER:
            for index, pool in enumerate(find(plain(group.inputs), "agentPoolProfiles", []) or []):
                if isinstance(pool, Mapping):
                    yield _aks(group, pool, f"agentPoolProfiles[{index}].")
        elif group.type == AKS_POOL:
            yield _aks(group, plain(group.inputs), "")
        else:
            yield _aws(graph, group)


def _aks(group: Resource, pool: Mapping[str, Any], path: str) -> Judgement:
    low, high, scaled = pool.get("minCount"), pool.get("maxCount"), pool.get("enableAutoScaling")
    if not all(is_known(value) for value in (low, high, scaled)):
        return undetermined(group, "its bounds are not known before a deployment", f"{path}maxCount")
    if scaled is True or low is None or high is None or low >= high:
        return ok(group)
    text = f"{low:g} to {high:g} are planned, but enableAutoScaling is not true"
    return violation(group, text, f"{path}enableAutoScaling")


def _aws(graph: ResourceGraph, group: Resource) -> Judgement:
    paths = _BOUNDS[group.type]
    low, high = (find(plain(group.inputs), path) for path in paths)
    if not is_known(low) or not is_known(high):
        return undetermined(group, "its bounds are not known before a deployment", paths[1])
    if not isinstance(low, int | float) or not isinstance(high, int | float) or low >= high:
        return ok(group)
    if _scales(graph, group):
        return ok(group)
    text = f"{low:g} to {high:g} are planned, but nothing in this program scales them"
    inside = any(one.type.startswith("kubernetes:") for one in graph.resources)
    if group.type == NODE_GROUP and not inside:
        return undetermined(group, f"{text}; what runs in the cluster is not in it either", paths[1])
    return violation(group, text, paths[1])


def _scales(graph: ResourceGraph, group: Resource) -> bool:
    """Say whether the program has an autoscaler of Kubernetes, or a policy of the group itself."""
    for one in graph.resources:
        if one.type in _POLICIES and group.type == SCALING_GROUP:
            urns = one.property_dependencies.get("autoscalingGroupName", ())
            if not urns or group.urn in urns:
                return True
        inputs = plain(one.inputs)
        words = (inputs.get("chart"), find(inputs, "metadata.name"), inputs.get("addonName"))
        if one.type.startswith(("kubernetes:", "aws:eks/addon")) and any(
            isinstance(word, str) and _AUTOSCALER in word for word in words
        ):
            return True
    return False
