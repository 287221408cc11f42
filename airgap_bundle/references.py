"""Where image references stand in the inputs of Kubernetes resources: one table of rules, nothing guessed.

(1) A kind that the table knows is read at the listed places only.
(2) A custom resource of a kind that the table does not know, but with a field called like an image, is reported as
    unread: the plan cannot say that it is complete.
(3) An unknown value at a listed place is reported, never skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from skerry.graph import UNKNOWN, Resource, ResourceGraph, Secret, walk

_K8S: Final = "kubernetes:"
RELEASE_TYPE: Final = "kubernetes:helm.sh/v3:Release"

# Source: k8s.io/api v0.34.1 core/v1, apps/v1, batch/v1 types.go, read 2026-11
_POD_SPECS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("", "Pod"): ("spec",),
    ("core", "Pod"): ("spec",),
    ("core", "PodTemplate"): ("template.spec",),
    ("core", "ReplicationController"): ("spec.template.spec",),
    ("apps", "Deployment"): ("spec.template.spec",),
    ("apps", "StatefulSet"): ("spec.template.spec",),
    ("apps", "DaemonSet"): ("spec.template.spec",),
    ("apps", "ReplicaSet"): ("spec.template.spec",),
    ("batch", "Job"): ("spec.template.spec",),
    ("batch", "CronJob"): ("spec.jobTemplate.spec.template.spec",),
    # Source: ray-project/kuberay v1.7.0 ray-operator/apis/ray/v1, read 2026-11
    ("ray.io", "RayCluster"): (
        "spec.headGroupSpec.template.spec",
        "spec.workerGroupSpecs[].template.spec",
    ),
    ("ray.io", "RayService"): (
        "spec.rayClusterConfig.headGroupSpec.template.spec",
        "spec.rayClusterConfig.workerGroupSpecs[].template.spec",
    ),
    ("ray.io", "RayCronJob"): (
        "spec.jobTemplate.rayClusterSpec.headGroupSpec.template.spec",
        "spec.jobTemplate.rayClusterSpec.workerGroupSpecs[].template.spec",
        "spec.jobTemplate.submitterPodTemplate.spec",
    ),
    ("ray.io", "RayJob"): (
        "spec.rayClusterSpec.headGroupSpec.template.spec",
        "spec.rayClusterSpec.workerGroupSpecs[].template.spec",
        "spec.submitterPodTemplate.spec",
    ),
    # Source: cloudnative-pg/cloudnative-pg v1.30.0 api/v1/pooler_types.go, read 2026-11
    ("postgresql.cnpg.io", "Pooler"): ("spec.template.spec",),
    # Source: sigs.k8s.io/lws v0.7.0 api/leaderworkerset/v1, read 2026-11
    ("leaderworkerset.x-k8s.io", "LeaderWorkerSet"): (
        "spec.leaderWorkerTemplate.leaderTemplate.spec",
        "spec.leaderWorkerTemplate.workerTemplate.spec",
    ),
}
_CATALOGUED: Final = (
    "spec.images[].image",
    "spec.images[].extensions[].image.reference",
    "spec.componentImages[].image",
)
_MOUNTED: Final = "pod.volumes[].image.reference"
_BESIDE_RAY: Final = ("autoscalerOptions.image", "historyServerOptions.collectorOptions.image")
_FIELDS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    # Source: cloudnative-pg/cloudnative-pg v1.30.0 api/v1, read 2026-11
    ("postgresql.cnpg.io", "Cluster"): ("spec.imageName", "spec.postgresql.extensions[].image.reference"),
    ("postgresql.cnpg.io", "ImageCatalog"): _CATALOGUED,
    ("postgresql.cnpg.io", "ClusterImageCatalog"): _CATALOGUED,
    # Source: envoyproxy/gateway v1.9.0 api/v1alpha1/shared_types.go and its CRD, read 2026-11; what names a repository
    # without a tag is read as well, so that nobody's fact matches it
    ("gateway.envoyproxy.io", "EnvoyProxy"): tuple(
        f"spec.provider.kubernetes.{pods}.{field}"
        for pods in ("envoyDeployment", "envoyDaemonSet")
        for field in ("container.image", "container.imageRepository", "initContainers[].image", _MOUNTED)
    ),
    # Source: ray-project/kuberay v1.7.0 ray-operator/apis/ray/v1/raycluster_types.go, read 2026-11
    **{
        ("ray.io", kind): tuple(f"spec.{prefix}{field}" for field in _BESIDE_RAY)
        for kind, prefix in (
            ("RayCluster", ""),
            ("RayService", "rayClusterConfig."),
            ("RayJob", "rayClusterSpec."),
            ("RayCronJob", "jobTemplate.rayClusterSpec."),
        )
    },
}
_IN_POD: Final = (
    "containers[].image",
    "initContainers[].image",
    "ephemeralContainers[].image",
    "volumes[].image.reference",
)
_IMAGE_KEYS: Final = frozenset({"image", "imageName"})
_BUILT_IN: Final = frozenset(
    {"", "core", "apps", "batch", "autoscaling", "policy", "meta", "helm.sh"}
    | {
        f"{name}.k8s.io"
        for name in (
            *("rbac.authorization", "networking", "storage", "scheduling", "apiextensions", "admissionregistration"),
            *("coordination", "discovery", "node", "certificates", "resource", "events"),
        )
    }
)
"""Groups whose kinds, other than those in the table, run no container."""


@dataclass(frozen=True, slots=True)
class Mention:
    """An image reference at a place in a resource."""

    resource: Resource
    path: str
    """For example `spec.template.spec.containers[0].image`."""
    text: str
    """The reference as written."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A place where an image may be named that cannot be read."""

    resource: Resource
    path: str
    reason: str


def mentions(graph: ResourceGraph) -> tuple[tuple[Mention, ...], tuple[Gap, ...]]:
    """Return every image reference in the graph's Kubernetes resources, and every place that could not be read."""
    found: list[Mention] = []
    gaps: list[Gap] = []
    for resource in graph.resources:
        if not resource.custom or not resource.type.startswith(_K8S):
            continue
        for path, value in _values(resource, gaps):
            text = value.value if isinstance(value, Secret) else value
            if isinstance(text, str) and text:
                found.append(Mention(resource, path, text))
            elif text is UNKNOWN:
                gaps.append(Gap(resource, path, "the image is not known before the deployment"))
            elif text not in (None, ""):
                gaps.append(Gap(resource, path, f"the image is no text but {type(text).__name__}"))
    return tuple(found), tuple(gaps)


def _values(resource: Resource, gaps: list[Gap]) -> Iterator[tuple[str, Any]]:
    group, kind = _group_kind(resource)
    pods, fields = _POD_SPECS.get((group, kind)), _FIELDS.get((group, kind))
    if pods is None and fields is None:
        if group not in _BUILT_IN:
            for path, value in walk(resource.inputs):
                key = path.rpartition(".")[2]
                if key in _IMAGE_KEYS and path != key and (isinstance(value, str | Secret) or value is UNKNOWN):
                    gaps.append(Gap(resource, path, f"no rule says where a {kind} of {group} names its images"))  # (2)
        return
    for place in fields or ():
        yield from _at(resource.inputs, place)
    for place in pods or ():
        for prefix, spec in _at(resource.inputs, place):
            if spec is UNKNOWN:
                yield prefix, spec  # (3)
                continue
            for inner in _IN_POD:
                yield from _at(spec, inner, prefix)


def _group_kind(resource: Resource) -> tuple[str, str]:
    """Return API group and kind from a type token such as `kubernetes:apps/v1:Deployment`; Patch forms count too."""
    version, _, kind = resource.type.removeprefix(_K8S).rpartition(":")
    return version.partition("/")[0], kind.removesuffix("Patch") if kind != "Patch" else kind


def _at(value: Any, place: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what stands at a dotted place where `[]` means each item; an unknown on the way ends there."""
    if isinstance(value, Secret):
        value = value.value
    if not place or value is UNKNOWN:
        yield prefix, value
        return
    head, _, rest = place.partition(".")
    key = head.removesuffix("[]")
    if not isinstance(value, Mapping) or key not in value:
        return
    path = f"{prefix}.{key}" if prefix else key
    if not head.endswith("[]"):
        yield from _at(value[key], rest, path)
        return
    items = value[key].value if isinstance(value[key], Secret) else value[key]
    if items is UNKNOWN:
        yield path, UNKNOWN
    elif isinstance(items, list | tuple):
        for index, item in enumerate(items):
            yield from _at(item, rest, f"{path}[{index}]")


def texts(graph: ResourceGraph) -> Iterator[str]:
    """Yield every text in the inputs of managed resources: compose files, environment values, arguments."""
    for resource in graph.resources:
        if resource.custom:
            for _, value in walk(resource.inputs):
                if isinstance(value, str):
                    yield value
