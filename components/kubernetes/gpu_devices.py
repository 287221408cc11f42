"""What makes GPUs known to Kubernetes, on targets whose machines come without it."""

from __future__ import annotations

from typing import Any, Final

import pulumi
from pulumi_kubernetes.apps.v1 import DaemonSet

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.workload import NAME_LABEL
from skerry.facts import ComponentFacts, Tier

NAMESPACE: Final = "kube-system"
"""It mounts a folder of the node, which the namespaces of the tiers refuse to every pod."""

SOCKETS: Final = "/var/lib/kubelet/device-plugins"
"""Where the kubelet listens for plugins. Source: as for `_spec`."""


class GpuDevices(SkerryComponent):
    """Runs NVIDIA's device plugin on every GPU machine: without it no pod can ask for `nvidia.com/gpu`."""

    def __init__(self, name: str, cluster: Cluster, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the daemon set on the machines of the cognitive tier.

        Args:
            name: the component's name.
            cluster: where it runs; it has a placement for the cognitive tier.
            opts: Pulumi's options.

        Raises:
            CatalogError: the image has no row.
        """
        image = cluster.catalog.image("nvidia-device-plugin", cluster.target, "makes GPUs known to Kubernetes")
        super().__init__(name, ComponentFacts(tier=Tier.COGNITIVE, role="device-plugin", images=(image,)), opts)
        DaemonSet(
            self.child_name("set"),
            metadata={
                "name": "nvidia-device-plugin",
                "namespace": NAMESPACE,
                "labels": {**cluster.labels, NAME_LABEL: "nvidia-device-plugin"},
            },
            spec=_spec(cluster, image.deployed_as),
            opts=self.child_options(),
        )
        self.finish()


def _spec(cluster: Cluster, image: str) -> dict[str, Any]:
    """Source: NVIDIA/k8s-device-plugin v0.20.0 deployments/static/nvidia-device-plugin.yml, read 2026-11."""
    placement = cluster.placements[Tier.COGNITIVE]
    labels = {NAME_LABEL: "nvidia-device-plugin"}
    return {
        "selector": {"matchLabels": labels},
        "updateStrategy": {"type": "RollingUpdate"},
        "template": {
            "metadata": {"labels": labels},
            "spec": {
                "nodeSelector": dict(placement.node_selector),
                "tolerations": [dict(item) for item in placement.tolerations],
                "priorityClassName": "system-node-critical",
                "automountServiceAccountToken": False,
                "containers": [
                    {
                        "name": "device-plugin",
                        "image": image,
                        "resources": {
                            "requests": {"cpu": "50m", "memory": "128Mi"},
                            "limits": {"memory": "256Mi"},
                        },
                        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                        "volumeMounts": [{"name": "sockets", "mountPath": SOCKETS}],
                    }
                ],
                "volumes": [{"name": "sockets", "hostPath": {"path": SOCKETS, "type": "Directory"}}],
            },
        },
    }
