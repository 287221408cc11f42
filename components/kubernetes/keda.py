"""KEDA: Deployments that take work from a queue run as often as the queue asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.operator import Operator, image_values
from components.kubernetes.peers import api_callers, ports
from components.kubernetes.workload import NAME_LABEL
from skerry.config.autoscale import AutoscaleSpec
from skerry.facts import ComponentFacts, Tier

API_VERSION: Final = "keda.sh/v1alpha1"

METRICS_PORT: Final = 8443
"""Where the API server asks KEDA for metrics: its own 6443 is a port that GKE's control plane may not reach.

Source: kedacore/charts v2.20.2 keda/values.yaml `service.portHttpsTarget`, read 2026-11.
"""

CALLED: Final = {"keda-operator-metrics-apiserver": METRICS_PORT, "keda-admission-webhooks": 9443}
"""Pods that the API server calls, by the label that the chart gives them, and their ports.

Source: kedacore/charts v2.20.2 keda/templates/metrics-server and webhooks, read 2026-11.
"""

FAILURES: Final = 3
"""Failed looks at a queue in a row after which the number of the fallback runs."""


class Keda(SkerryComponent):
    """Installs KEDA for one namespace, and lets the API server ask its metrics and call its webhooks."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        watched: str,
        depends_on: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Install it.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: where the operator lives; it exists.
            watched: the namespace whose Deployments it scales.
            depends_on: what must be there before.
            opts: Pulumi's options.

        Raises:
            CatalogError: the chart, or an image of it, has no row.
        """
        super().__init__(name, ComponentFacts(tier=Tier.PLATFORM, role="autoscaler", ports={"metrics": 8443}), opts)
        self.operator = Operator(
            self.child_name("operator"),
            cluster,
            chart="keda",
            namespace=namespace,
            values=_values(cluster, watched),
            why="replicas that follow a queue",
            depends_on=depends_on,
            opts=self.child_options(),
        )
        for pods, port in CALLED.items():
            NetworkPolicy(
                self.child_name(pods.removeprefix("keda-")),
                metadata={"name": f"allow-api-{pods}", "namespace": namespace, "labels": dict(cluster.labels)},
                spec={
                    "podSelector": {"matchLabels": {NAME_LABEL: pods}},
                    "policyTypes": ["Ingress"],
                    "ingress": [{"from": api_callers(cluster), "ports": ports([port])}],
                },
                opts=self.child_options(depends_on=list(depends_on)),
            )
        self.finish()


def _values(cluster: Cluster, watched: str) -> dict[str, Any]:
    """Return the chart's values. Source: kedacore/charts v2.20.2 keda/values.yaml and templates, read 2026-11."""
    images = {}
    for key, row in (
        ("keda", "keda"),
        ("metricsApiServer", "keda-metrics-apiserver"),
        ("webhooks", "keda-admission-webhooks"),
    ):
        repository, tag, digest = image_values(cluster, row, "replicas that follow a queue")
        registry, _, path = repository.partition("/")
        images[key] = {"registry": registry, "repository": path, "tag": f"{tag}@{digest}" if digest else tag}
    placement = Tier.PLATFORM
    where = {
        "nodeSelector": dict(cluster.placements[placement].node_selector),
        "tolerations": [dict(item) for item in cluster.placements[placement].tolerations],
    }
    # The chart prefers what a part says over what is said for all, and some of its parts only know the former.
    parts = {part: {"replicaCount": 2, **where} for part in ("operator", "metricsServer", "webhooks")}
    # What cannot be checked is refused: a wrong scaler would leave a queue without agents.
    parts["webhooks"]["failurePolicy"] = "Fail"
    budgets = {part: {"maxUnavailable": 1} for part in ("operator", "metricServer", "webhooks")}
    return {
        "image": {**images, "pullPolicy": "IfNotPresent"},
        "watchNamespace": watched,
        "service": {"portHttpsTarget": METRICS_PORT},
        "podDisruptionBudget": budgets,
        "priorityClassName": "skerry-serving",
        "enableServiceLinks": False,
        **where,
        **parts,
    }


class QueueScaler(SkerryComponent):
    """Lets KEDA run a Deployment as often as the backlog of a Temporal task queue asks."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        deployment: str,
        namespace: str,
        spec: AutoscaleSpec,
        temporal: pulumi.Input[str],
        temporal_namespace: pulumi.Input[str],
        depends_on: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the scaler.

        Args:
            name: the component's name.
            cluster: where it is.
            deployment: the Deployment, whose manifest names no replicas; the task queue has its name too unless the
                specification says otherwise.
            namespace: of the Deployment.
            spec: bounds and thresholds.
            temporal: `host:port` of Temporal's frontend.
            temporal_namespace: Temporal's own namespace.
            depends_on: the operator.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(role="queue-scaler"), opts)
        made = self.child_options(depends_on=list(depends_on))
        metadata = {"name": deployment, "namespace": namespace, "labels": dict(cluster.labels)}
        trigger: dict[str, Any] = {
            "type": "temporal",
            "metricType": "AverageValue",
            # Source: kedacore/keda v2.21.0 pkg/scalers/temporal_scaler.go, temporalMetadata, read 2026-11
            "metadata": {
                "endpoint": temporal,
                "namespace": temporal_namespace,
                "taskQueue": spec.task_queue or deployment,
                "targetQueueSize": str(spec.tasks_per_replica),
                "activationTargetQueueSize": "0",
                "queueTypes": "workflow,activity",
            },
        }
        if spec.tls_secret is not None:
            keys = {"cert": "tls.crt", "key": "tls.key", "ca": "ca.crt"}
            references = [{"parameter": at, "name": spec.tls_secret, "key": key} for at, key in keys.items()]
            CustomResource(
                self.child_name("login"),
                api_version=API_VERSION,
                kind="TriggerAuthentication",
                metadata=metadata,
                spec={"secretTargetRef": references},
                opts=made,
            )
            trigger["authenticationRef"] = {"name": deployment}
        CustomResource(
            self.child_name("scaler"),
            api_version=API_VERSION,
            kind="ScaledObject",
            metadata=metadata,
            spec=_scaled(deployment, spec, trigger),
            opts=made,
        )
        self.finish()


def _scaled(deployment: str, spec: AutoscaleSpec, trigger: dict[str, Any]) -> dict[str, Any]:
    fallback = spec.expected if spec.fallback_replicas is None else spec.fallback_replicas
    # More at once where work piles up, fewer only after a while: a migration's load comes in waves.
    behavior = {
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
        },
        "scaleDown": {
            "stabilizationWindowSeconds": spec.cooldown_s,
            "policies": [{"type": "Percent", "value": 50, "periodSeconds": 60}],
        },
    }
    # From one agent on the horizontal autoscaler looks by itself, and its window above counts; KEDA's own times are for
    # the first and the last agent, and its webhook warns of them where there is always one.
    first = {"pollingInterval": spec.polling_s, "cooldownPeriod": spec.cooldown_s} if spec.minimum == 0 else {}
    return {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment},
        "minReplicaCount": spec.minimum,
        "maxReplicaCount": spec.maximum,
        **first,
        "fallback": {"failureThreshold": FAILURES, "replicas": fallback},
        "advanced": {"horizontalPodAutoscalerConfig": {"behavior": behavior}},
        "triggers": [trigger],
    }
