"""The namespace of what watches and manages GPU machines, and DCGM's metrics in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apps.v1 import DaemonSet
from pulumi_kubernetes.core.v1 import Namespace, Service
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.base import SkerryComponent
from components.kubernetes.cluster import TIER_LABEL, Cluster
from components.kubernetes.peers import blocks, dns_rule, namespace_peer, ports
from components.kubernetes.workload import NAME_LABEL
from skerry.facts import ComponentFacts, Tier

METRICS_PORT: Final = 9400
"""Of DCGM's exporter. Source: NVIDIA/dcgm-exporter deployment/values.yaml, read 2026-11."""

EXPORTER: Final = "dcgm-exporter"
"""The name label of its pods; their port is called `metrics`."""

POD_RESOURCES: Final = "/var/lib/kubelet/pod-resources"
"""Where the kubelet says which pod has which GPU. Source: NVIDIA/dcgm-exporter dcgm-exporter.yaml, read 2026-11."""


class GpuSpace(SkerryComponent):
    """A namespace for pods that need the machine itself: privileged, closed, and apart from everybody's work."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        calls_api: bool,
        builds_driver: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the namespace.

        Args:
            name: the component's name.
            cluster: where it is.
            namespace: its name in Kubernetes.
            calls_api: whether pods here ask the API server, as operators and drivers of devices do.
            builds_driver: whether the driver's pods fetch packages of the machines' distribution.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.PLATFORM, role="namespace"), opts)
        self._cluster, self._namespace = cluster, namespace
        self.made = Namespace(
            self.child_name("namespace"),
            metadata={
                "name": namespace,
                "labels": {
                    **cluster.labels,
                    TIER_LABEL: Tier.PLATFORM.value,
                    # Drivers, toolkits and exporters reach into the machine, which no lower level allows.
                    # Source: Kubernetes "Pod Security Admission", read 2026-11
                    "pod-security.kubernetes.io/enforce": "privileged",
                },
            },
            opts=self.child_options(),
        )
        self._policy("default-deny", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
        if calls_api:
            self._policy(
                "allow-api",
                {
                    "podSelector": {},
                    "policyTypes": ["Egress"],
                    "egress": [
                        {"to": blocks(cluster.api_server), "ports": ports([443, 6443])},
                        dns_rule(cluster),
                    ],
                },
            )
        if builds_driver:
            # Source: NVIDIA/gpu-operator v26.7.0 assets/state-driver/0500_daemonset.yaml (label), read 2026-11
            self._policy(
                "allow-driver-packages",
                {
                    "podSelector": {"matchLabels": {"app": "nvidia-driver-daemonset"}},
                    "policyTypes": ["Egress"],
                    "egress": [{"ports": ports([80, 443])}],
                },
            )
        self.finish(namespace=self.made.metadata["name"])

    def _policy(self, name: str, spec: Mapping[str, Any]) -> None:
        NetworkPolicy(
            self.child_name(name),
            metadata={"name": name, "namespace": self._namespace, "labels": dict(self._cluster.labels)},
            spec=dict(spec),
            opts=self.child_options(depends_on=[self.made]),
        )


class GpuMetrics(SkerryComponent):
    """Runs NVIDIA's DCGM exporter on every GPU machine, and lets the namespaces that may read it reach it."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        readers: Sequence[str],
        runtime_class: str | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the exporter, its Service and its policy.

        Args:
            name: the component's name.
            cluster: where it runs; it has a placement for the cognitive tier.
            namespace: a `GpuSpace`.
            readers: namespaces whose pods may scrape it.
            runtime_class: by which containers see GPUs that they did not ask for; None where every container may.
            depends_on: the namespace.
            opts: Pulumi's options.

        Raises:
            CatalogError: the image has no row.
        """
        image = cluster.catalog.image("dcgm-exporter", cluster.target, "metrics of GPUs")
        super().__init__(
            name,
            ComponentFacts(tier=Tier.COGNITIVE, role="gpu-metrics", images=(image,), ports={"metrics": METRICS_PORT}),
            opts,
        )
        options = self.child_options(depends_on=list(depends_on))
        described = {
            "name": EXPORTER,
            "namespace": namespace,
            "labels": {**cluster.labels, NAME_LABEL: EXPORTER},
        }
        DaemonSet(
            self.child_name("set"),
            metadata=described,
            spec=_exporter(cluster, image.deployed_as, runtime_class),
            opts=options,
        )
        Service(
            self.child_name("service"),
            metadata=described,
            spec={
                "type": "ClusterIP",
                "clusterIP": "None",
                "selector": {NAME_LABEL: EXPORTER},
                "ports": [{"name": "metrics", "port": METRICS_PORT, "targetPort": "metrics"}],
            },
            opts=options,
        )
        if readers:
            who = [namespace_peer(reader) for reader in readers]
            NetworkPolicy(
                self.child_name("allow-readers"),
                metadata={"name": "allow-metrics-readers", "namespace": namespace, "labels": dict(cluster.labels)},
                spec={
                    "podSelector": {"matchLabels": {NAME_LABEL: EXPORTER}},
                    "policyTypes": ["Ingress"],
                    "ingress": [{"from": who, "ports": ports([METRICS_PORT])}],
                },
                opts=options,
            )
        self.finish(metrics_endpoint=f"http://{EXPORTER}.{namespace}.svc.cluster.local:{METRICS_PORT}/metrics")


def _exporter(cluster: Cluster, image: str, runtime_class: str | None) -> dict[str, Any]:
    """Return the spec of the daemon set.

    Root and SYS_ADMIN are for the profiling counters (DCGM_FI_PROF_*), without which a busy GPU cannot be told from one
    that waits. NVIDIA_VISIBLE_DEVICES lets it see every GPU without taking one from the scheduler.
    Source: NVIDIA/dcgm-exporter dcgm-exporter.yaml and deployment/templates/daemonset.yaml, read 2026-11.
    """
    placement, labels = cluster.placements[Tier.COGNITIVE], {NAME_LABEL: EXPORTER}
    health = {"httpGet": {"path": "/health", "port": METRICS_PORT}, "initialDelaySeconds": 45}
    container = {
        "name": "exporter",
        "image": image,
        "args": ["-f", "/etc/dcgm-exporter/dcp-metrics-included.csv"],
        "env": [
            {"name": "DCGM_EXPORTER_KUBERNETES", "value": "true"},
            {"name": "DCGM_EXPORTER_LISTEN", "value": f":{METRICS_PORT}"},
            {"name": "NODE_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "spec.nodeName"}}},
            {"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"},
            {"name": "NVIDIA_DRIVER_CAPABILITIES", "value": "compute,utility"},
        ],
        "ports": [{"name": "metrics", "containerPort": METRICS_PORT}],
        "livenessProbe": {**health, "periodSeconds": 5},
        "readinessProbe": health,
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {
            "runAsNonRoot": False,
            "runAsUser": 0,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]},
        },
        "volumeMounts": [{"name": "pod-resources", "mountPath": POD_RESOURCES, "readOnly": True}],
    }
    spec: dict[str, Any] = {
        "nodeSelector": dict(placement.node_selector),
        "tolerations": [dict(item) for item in placement.tolerations],
        "priorityClassName": "system-node-critical",
        "automountServiceAccountToken": False,
        "containers": [container],
        "volumes": [{"name": "pod-resources", "hostPath": {"path": POD_RESOURCES, "type": "Directory"}}],
    }
    if runtime_class is not None:
        spec["runtimeClassName"] = runtime_class
    return {
        "selector": {"matchLabels": labels},
        "updateStrategy": {"type": "RollingUpdate"},
        "template": {"metadata": {"labels": labels}, "spec": spec},
    }
