"""What stands where in Kubernetes objects: pods, containers, images, labels, namespaces."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from policies.reading import mapping, rows
from skerry.graph import UNKNOWN, Resource, ResourceGraph, Secret, find, plain, walk

_POD_TEMPLATES: Final = {
    "Deployment": "spec.template", "StatefulSet": "spec.template", "DaemonSet": "spec.template",
    "ReplicaSet": "spec.template", "Job": "spec.template", "CronJob": "spec.jobTemplate.spec.template", "Pod": "",
}  # fmt: skip
REPLICATED: Final = ("Deployment", "StatefulSet")
_CONTAINER_IMAGE: Final = re.compile(r"(?:^|\.)(?:containers|initContainers|ephemeralContainers)\[\d+\]\.image$")

# Image fields of operators' custom resources that are no container of a pod template.
# Source: cloudnative-pg v1.30.0 api/v1/cluster_types.go `imageName`, read 2026-11
_CUSTOM_IMAGE: Final = re.compile(r"(?:^|\.)imageName$")


_SERVICES: Final = frozenset({
    "gcp:cloudrunv2/service:Service", "gcp:cloudrunv2/workerPool:WorkerPool", "azure-native:app:ContainerApp",
})  # fmt: skip
"""Types of clouds whose containers stand in their own inputs as those of a pod do."""


@dataclass(frozen=True, slots=True)
class ImageUse:
    """An image reference in a manifest."""

    path: str
    reference: Any
    """A string, or UNKNOWN; a secret reference counts as unknown, so that no report shows it."""


def kind_of(resource: Resource) -> str:
    """Return the Kubernetes kind of a resource, or an empty string for what is no Kubernetes object."""
    if not resource.type.startswith("kubernetes:") or not resource.custom:
        return ""
    return resource.type.rsplit(":", 1)[-1]


def of_kind(graph: ResourceGraph, *kinds: str) -> Iterator[Resource]:
    """Yield the Kubernetes objects of these kinds, in order."""
    return (resource for resource in graph.resources if kind_of(resource) in kinds)


def pod_template(resource: Resource) -> Any:
    """Return the pod template of a workload (UNKNOWN where it is not known), or None for anything else."""
    path = _POD_TEMPLATES.get(kind_of(resource))
    return None if path is None else find(resource.inputs, path)


def containers(resource: Resource) -> Iterator[tuple[str, Any]]:
    """Yield each container of a workload with its path; a container may be UNKNOWN."""
    template = plain(pod_template(resource))
    if template is None:
        return
    prefix = _POD_TEMPLATES[kind_of(resource)]
    base = f"{prefix}.spec" if prefix else "spec"
    for key in ("initContainers", "containers"):
        found = find(template, f"spec.{key}")
        if found is UNKNOWN:
            yield f"{base}.{key}", UNKNOWN
        for index, container in enumerate(found or [] if found is not UNKNOWN else []):
            yield f"{base}.{key}[{index}]", container


def images(resource: Resource) -> Iterator[ImageUse]:
    """Yield every image that a Kubernetes object or a service names: pods, templates of operators, known fields."""
    for path, value in _of_aws(resource):
        yield ImageUse(path, value)
    if not kind_of(resource) and resource.type not in _SERVICES:
        return
    for path, value in walk(resource.inputs):
        if _CONTAINER_IMAGE.search(path) or _CUSTOM_IMAGE.search(path):
            yield ImageUse(path, UNKNOWN if isinstance(value, Secret) else value)
        elif value is UNKNOWN and re.search(r"(?:^|\.)(?:initC|c)ontainers(?:\[\d+\])?$", path):
            yield ImageUse(path, UNKNOWN)


def _of_aws(resource: Resource) -> Iterator[tuple[str, Any]]:
    """Yield the images that a task definition or a function names, with their paths."""
    if resource.type == "aws:lambda/function:Function":
        if "imageUri" in resource.inputs:
            yield "imageUri", plain(resource.inputs["imageUri"])
        return
    if resource.type != "aws:ecs/taskDefinition:TaskDefinition":
        return
    text = plain(resource.inputs.get("containerDefinitions"))
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        found = None
    if not isinstance(found, list):
        yield "containerDefinitions", UNKNOWN
        return
    for index, row in enumerate(found):
        yield f"containerDefinitions[{index}].image", find(row, "image", UNKNOWN)


def namespace_of(graph: ResourceGraph, resource: Resource) -> Any:
    """Return the namespace an object lies in: its name, the URN of a Namespace of the graph, or UNKNOWN.

    An object without a namespace lies in `default`.
    """
    value = find(plain(resource.inputs), "metadata.namespace", "default")
    if value is not UNKNOWN:
        return value
    for urn in resource.property_dependencies.get("metadata", ()):
        found = graph.get(urn)
        if found is not None and kind_of(found) == "Namespace":
            name = find(plain(found.inputs), "metadata.name")
            return found.urn if name in (None, UNKNOWN) else name
    return UNKNOWN


def names_of(namespace: Resource) -> tuple[str, ...]:
    """Return what `namespace_of` may answer for objects in this Namespace."""
    name = find(plain(namespace.inputs), "metadata.name")
    return (namespace.urn,) if name in (None, UNKNOWN) else (str(name), namespace.urn)


def selects(selector: Any, labels: Any) -> bool | None:
    """Say whether a label selector takes these labels; None where it cannot be told."""
    wanted, have_labels = mapping(selector, "matchLabels"), mapping(labels)
    if wanted is UNKNOWN or have_labels is UNKNOWN or rows(selector, "matchExpressions") != []:
        return None
    unsure = False
    for key, value in wanted.items():
        have = have_labels.get(key)
        if value is UNKNOWN or have is UNKNOWN:
            unsure = True
        elif value != have:
            return False
    return None if unsure else True
