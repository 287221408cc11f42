"""What the shipped stacks declare, straight from the graph: for tests that must not trust the readers' own code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from skerry.engine.run import run_deployment
from skerry.graph import Resource, ResourceGraph, plain

ROOT = Path(__file__).resolve().parents[2]
AIRGAPPED, ONPREM = "sensei-airgapped", "sensei-private-onprem"
AWS_BASE, AWS = "sensei-saas-aws-base", "sensei-saas-aws"
GCP_BASE, GCP = "sensei-saas-gcp-base", "sensei-saas-gcp"
AZURE_BASE, AZURE = "sensei-saas-azure-base", "sensei-saas-azure"
VENDOR_BASE, VENDOR, CUSTOMER = "sensei-hybrid-vendor-base", "sensei-hybrid-vendor", "sensei-hybrid-customer"
PRIVATE = ("sensei-private-aws", "sensei-private-gcp", "sensei-private-azure")
"""Mode private in a customer's account of a cloud; each stands on a base."""
WHOLE = (AIRGAPPED, ONPREM, AWS, GCP, AZURE, *PRIVATE)
"""The stacks that hold Kubernetes objects of all tiers."""
THINKING, WORKING = (*WHOLE, VENDOR), (*WHOLE, CUSTOMER)
"""Those with the cognitive and the meta tier; those with the execution tier and Temporal."""
PLATFORMS = (*WHOLE, VENDOR, CUSTOMER)
"""The stacks that hold Kubernetes objects; the last two are the sides of mode hybrid, each with tiers of its own."""
DEPLOYED = (AIRGAPPED, ONPREM, AWS_BASE, AWS, GCP_BASE, GCP, AZURE_BASE, AZURE, VENDOR_BASE, VENDOR, CUSTOMER)
"""Those whose whole lives tests/cli_real/test_lifecycle.py knows; test_private.py deploys the rest."""
STACKS = (*DEPLOYED, *(f"{one}-base" for one in PRIVATE), *PRIVATE)


@cache
def graph_of(stack: str) -> ResourceGraph:
    """Return the graph of a shipped stack, run once a test session."""
    return run_deployment(ROOT, stack)


@dataclass(frozen=True)
class Pods:
    """Pods that one resource makes."""

    resource: Resource
    namespace: str
    labels: dict[str, str]
    spec: dict[str, Any]
    replicas: int | None
    """None where an autoscaler says how many."""

    @property
    def containers(self) -> list[dict[str, Any]]:
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]


def kind(resource: Resource) -> str:
    """Return the Kubernetes kind; empty for anything else."""
    return resource.type.rsplit(":", 1)[-1] if resource.type.startswith("kubernetes:") and resource.custom else ""


def objects(graph: ResourceGraph, *kinds: str) -> list[Resource]:
    """Return the Kubernetes objects of these kinds; all of them where none is named."""
    return [r for r in graph.resources if kind(r) and not r.is_provider and (not kinds or kind(r) in kinds)]


def inputs(resource: Resource) -> dict[str, Any]:
    """Return the inputs without marks of secrecy."""
    return dict(plain(resource.inputs))


def pods(graph: ResourceGraph) -> Iterator[Pods]:
    """Yield every pod template of the graph: Kubernetes' own workloads, and Ray's head and workers."""
    for resource in objects(graph, "Deployment", "StatefulSet", "Job", "CronJob"):
        body = inputs(resource)
        scheduled = kind(resource) == "CronJob"
        template = (body["spec"]["jobTemplate"] if scheduled else body)["spec"]["template"]
        yield Pods(
            resource,
            body["metadata"]["namespace"],
            template["metadata"]["labels"],
            template["spec"],
            body["spec"].get("replicas", 1 if kind(resource) in ("Job", "CronJob") else None),
        )
    for resource in objects(graph, "RayCluster"):
        body = inputs(resource)
        namespace, name = body["metadata"]["namespace"], body["metadata"]["name"]
        head = body["spec"]["headGroupSpec"]["template"]["spec"]
        yield Pods(resource, namespace, {"ray.io/cluster": name, "ray.io/node-type": "head"}, head, 1)
        for group in body["spec"]["workerGroupSpecs"]:
            labels = {"ray.io/cluster": name, "ray.io/node-type": "worker", "ray.io/group": group["groupName"]}
            yield Pods(resource, namespace, labels, group["template"]["spec"], None)


def selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    """Say whether a label selector (or a Service's plain one) takes these labels."""
    wanted = selector.get("matchLabels", {}) if "matchLabels" in selector or not selector else selector
    assert "matchExpressions" not in selector, "not written here so far: extend this reader"
    return all(labels.get(key) == value for key, value in wanted.items())
