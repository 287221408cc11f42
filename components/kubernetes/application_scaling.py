"""How many replicas of a service run: a horizontal autoscaler on CPU and memory, or KEDA on the depth of a queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.autoscaling.v2 import HorizontalPodAutoscaler

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.keda import API_VERSION, FAILURES
from components.kubernetes.workload import NAME_LABEL, SecretKey
from skerry.application import Application
from skerry.config.application import Vertical

BEHAVIOR: Final = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
    },
    "scaleDown": {
        "stabilizationWindowSeconds": 300,
        "policies": [{"type": "Percent", "value": 50, "periodSeconds": 60}],
    },
}
"""More at once where load piles up, fewer only after a while; the numbers are ours."""

KEEPER_BEHAVIOR: Final = {
    **BEHAVIOR,
    "scaleDown": {
        "stabilizationWindowSeconds": 300,
        "policies": [{"type": "Pods", "value": 1, "periodSeconds": 120}],
    },
}
"""Of replicas that keep files: one at a time goes, so that the others take over what it had."""


@dataclass(frozen=True, slots=True)
class QueueAddress:
    """A queue of streams, as KEDA asks for its depth."""

    host: pulumi.Input[str]
    port: int
    stream: str
    group: str
    tls: bool
    password: SecretKey | None


def is_followed(application: Application) -> bool:
    """Say whether something decides how many run, so that no manifest may name their number."""
    scale = application.spec.scale
    return application.scales and bool(scale.cpu_percent or scale.memory_percent or scale.queue_depth)


def _target(application: Application) -> dict[str, str]:
    kind = "StatefulSet" if application.keeps_own_files else "Deployment"
    return {"apiVersion": "apps/v1", "kind": kind, "name": application.name}


def _behavior(application: Application) -> dict[str, Any]:
    return dict(KEEPER_BEHAVIOR if application.keeps_own_files else BEHAVIOR)


def _metadata(cluster: Cluster, application: Application, namespace: str) -> dict[str, Any]:
    labels = {**dict(cluster.labels), NAME_LABEL: application.name}
    return {"name": application.name, "namespace": namespace, "labels": labels}


def _measures(application: Application) -> dict[str, int]:
    """Return the resource -> the mean share of the request in percent."""
    scale = application.spec.scale
    asked = {"cpu": scale.cpu_percent, "memory": scale.memory_percent}
    return {name: share for name, share in asked.items() if share is not None}


def follow_load(parent: SkerryComponent, cluster: Cluster, application: Application, namespace: str) -> None:
    """Make the autoscaler of a service whose number follows CPU and memory."""
    scale = application.spec.scale
    HorizontalPodAutoscaler(
        parent.child_name("hpa"),
        metadata=_metadata(cluster, application, namespace),
        spec={
            "scaleTargetRef": _target(application),
            "minReplicas": scale.minimum,
            "maxReplicas": scale.maximum,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": name, "target": {"type": "Utilization", "averageUtilization": share}},
                }
                for name, share in _measures(application).items()
            ],
            "behavior": _behavior(application),
        },
        opts=parent.child_options(),
    )


def recommend_size(parent: SkerryComponent, cluster: Cluster, application: Application, namespace: str) -> None:
    """Ask the vertical autoscaler of the cluster what size replicas should have; nothing where nobody wants to know.

    Source: k8s.io/autoscaler/vertical-pod-autoscaler v1.8.1 pkg/apis/autoscaling.k8s.io/v1/types.go, read 2026-11.
    """
    wanted = application.spec.scale.vertical
    if wanted is Vertical.NONE:
        return
    CustomResource(
        parent.child_name("vpa"),
        api_version="autoscaling.k8s.io/v1",
        kind="VerticalPodAutoscaler",
        metadata=_metadata(cluster, application, namespace),
        spec={
            "targetRef": _target(application),
            "updatePolicy": {"updateMode": "Off" if wanted is Vertical.RECOMMEND else "Recreate"},
        },
        opts=parent.child_options(),
    )


def follow_queue(
    parent: SkerryComponent,
    cluster: Cluster,
    application: Application,
    namespace: str,
    queue: QueueAddress,
    depends_on: Sequence[pulumi.Resource],
) -> None:
    """Let KEDA run a service as often as its queue asks; CPU and memory count beside it, in the same autoscaler.

    Source: kedacore/keda v2.21.0 pkg/scalers/redis_streams_scaler.go, read 2026-11.
    """
    scale = application.spec.scale
    described = _metadata(cluster, application, namespace)
    options = parent.child_options(depends_on=list(depends_on))
    asked = {
        "address": pulumi.Output.concat(queue.host, f":{queue.port}"),
        "stream": queue.stream,
        "consumerGroup": queue.group,
        "enableTLS": "true" if queue.tls else "false",
    }
    # What nobody has taken yet, and what somebody took and has not ended: else the last replica would go in its midst.
    triggers: list[dict[str, Any]] = [
        {"type": "redis-streams", "metricType": "AverageValue", "metadata": {**asked, **measure}}
        for measure in (
            {"lagCount": str(scale.queue_depth), "activationLagCount": "0"},
            {"pendingEntriesCount": str(scale.queue_depth)},
        )
    ]
    if queue.password is not None:
        reference = {"parameter": "password", "name": queue.password.secret, "key": queue.password.key}
        CustomResource(
            parent.child_name("login"),
            api_version=API_VERSION,
            kind="TriggerAuthentication",
            metadata=described,
            spec={"secretTargetRef": [reference]},
            opts=options,
        )
        for trigger in triggers:
            trigger["authenticationRef"] = {"name": application.name}
    beside = [
        {"type": name, "metricType": "Utilization", "metadata": {"value": str(share)}}
        for name, share in _measures(application).items()
    ]
    first = {"cooldownPeriod": 300} if scale.minimum == 0 else {}
    typical = scale.minimum if scale.typical is None else scale.typical
    CustomResource(
        parent.child_name("scaler"),
        api_version=API_VERSION,
        kind="ScaledObject",
        metadata=described,
        spec={
            "scaleTargetRef": _target(application),
            "minReplicaCount": scale.minimum,
            "maxReplicaCount": scale.maximum,
            **first,
            "fallback": {"failureThreshold": FAILURES, "replicas": max(typical, 1)},
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _behavior(application)}},
            "triggers": [*triggers, *beside],
        },
        opts=options,
    )
