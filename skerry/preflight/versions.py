"""Whether the versions of Kubernetes in a plan can follow those that run: one minor at a time, and never back.

(1) A control plane goes one minor version up, or stays. (2) Machines are never newer than their control plane. (3) They
are at most three minor versions older, so that nobody renews them later than that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from skerry.graph import Resource, ResourceGraph, plain
from skerry.preflight.document import Mark, Step
from skerry.preflight.pools import AKS_CLUSTER, AKS_POOL, GKE_POOL, NODE_GROUP

AREA: Final = "versions"
SKEW: Final = 3
"""Minor versions that a kubelet may be older than the API server.

Source: Kubernetes "Version Skew Policy", kubelet, read 2026-11.
"""

CLUSTERS: Final = {
    "aws:eks/cluster:Cluster": ("version",),
    "gcp:container/cluster:Cluster": ("minMasterVersion", "masterVersion"),
    AKS_CLUSTER: ("kubernetesVersion", "currentKubernetesVersion"),
}
"""Type -> the input that asks for a version, and the output that says which one runs."""

MACHINES: Final = {NODE_GROUP: "version", GKE_POOL: "version", AKS_POOL: "orchestratorVersion"}
"""Type of a group of machines -> the input that asks for a version."""


def minor_of(text: object) -> tuple[int, int] | None:
    """Return major and minor of a version such as `1.35`, `v1.35.2` or `1.35.2-gke.100`; None where it has none."""
    found = re.match(r"^v?(\d+)\.(\d+)", text) if isinstance(text, str) else None
    return (int(found[1]), int(found[2])) if found else None


def version_steps(graph: ResourceGraph, deployed: ResourceGraph | None) -> Iterator[Step]:
    """Yield a line for each cluster of a plan.

    Args:
        graph: the plan.
        deployed: what stands, from its state; None where nobody gave it.
    """
    for cluster in graph.of_type(*CLUSTERS):
        wanted = minor_of(plain(cluster.inputs).get(CLUSTERS[cluster.type][0]))
        if wanted is None:
            yield Step(AREA, f"{cluster.name} asks for no version that is known here", Mark.UNKNOWN)
            continue
        yield from _machines(graph, cluster, wanted)
        if deployed is None:
            text = f"{cluster.name} is to be {_text(wanted)}; where it stands already, give what runs with --deployed"
            yield Step(AREA, text, Mark.DUE, "pulumi stack export --stack <stack> --file deployed.json")
            continue
        yield _follow(cluster, wanted, deployed)


def _follow(cluster: Resource, wanted: tuple[int, int], deployed: ResourceGraph) -> Step:
    before = deployed.get(cluster.urn) or next(
        (one for one in deployed.of_type(cluster.type) if one.name == cluster.name), None
    )
    if before is None:
        return Step(AREA, f"{cluster.name} does not stand yet and starts as {_text(wanted)}", Mark.DONE)
    runs = _running(before)
    if runs is None:
        return Step(AREA, f"the state does not say which version of {cluster.name} runs", Mark.UNKNOWN)
    step = wanted[1] - runs[1]
    way = f"{cluster.name} runs {_text(runs)} and is to be {_text(wanted)}"
    if wanted[0] != runs[0] or step > 1:
        between = _text((runs[0], runs[1] + 1))
        return Step(AREA, f"{way}: a minor version cannot be skipped; go to {between} first", Mark.PROBLEM)
    if step < 0:
        return Step(AREA, f"{way}: a control plane never goes back; name {_text(runs)} or newer", Mark.PROBLEM)
    if step == 1:
        return Step(AREA, f"{way}: an update in its place; follow docs/upgrades.md", Mark.DUE)
    return Step(AREA, f"{cluster.name} runs {_text(runs)}, as the plan asks", Mark.DONE)


def _running(cluster: Resource) -> tuple[int, int] | None:
    """Return the version that runs: what the cloud said, else what was asked for."""
    outputs, inputs = plain(cluster.outputs), plain(cluster.inputs)
    for key in reversed(CLUSTERS[cluster.type]):
        found = minor_of(outputs.get(key)) or minor_of(inputs.get(key))
        if found is not None:
            return found
    return None


def _machines(graph: ResourceGraph, cluster: Resource, wanted: tuple[int, int]) -> Iterator[Step]:
    for group in graph.of_type(*MACHINES):
        asked = minor_of(plain(group.inputs).get(MACHINES[group.type]))
        if group.stack != cluster.stack or asked is None:
            continue
        way = f"{group.name} is {_text(asked)} under {_text(wanted)} of {cluster.name}"
        if asked > wanted:
            yield Step(AREA, f"{way}: machines are never newer than their control plane", Mark.PROBLEM)
        elif asked[0] != wanted[0] or wanted[1] - asked[1] > SKEW:
            yield Step(AREA, f"{way}: machines are at most {SKEW} minor versions older", Mark.PROBLEM)


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
