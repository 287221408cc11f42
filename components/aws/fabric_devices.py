"""What makes Elastic Fabric Adapters known to Kubernetes: `vpc.amazonaws.com/efa` on every machine that has them."""

from __future__ import annotations

from typing import Any, Final

import pulumi
from pulumi_kubernetes.apps.v1 import DaemonSet

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.gpu_devices import NAMESPACE, SOCKETS
from components.kubernetes.workload import NAME_LABEL
from skerry.facts import ComponentFacts, Tier

IMAGE: Final = "aws-efa-device-plugin"
DEVICES: Final = "/dev/infiniband"
"""Where the adapters are. Source: as for `_spec`."""

RESOURCE: Final = "vpc.amazonaws.com/efa"
HUGE_PAGES_MIB: Final = 5128 * 2
"""Huge pages that the driver sets aside on each machine, as `hugepages-2Mi`.

Source: Amazon EKS "Run machine learning training on Amazon EKS with Elastic Fabric Adapter", Prerequisites, read
2026-11.
"""


class FabricDevices(SkerryComponent):
    """Runs AWS's device plugin for EFA on the machines of the cognitive tier."""

    def __init__(self, name: str, cluster: Cluster, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the daemon set.

        Args:
            name: the component's name.
            cluster: where it runs; it has a placement for the cognitive tier.
            opts: Pulumi's options.

        Raises:
            CatalogError: the image has no row.
        """
        image = cluster.catalog.image(IMAGE, cluster.target, "makes EFA known to Kubernetes")
        super().__init__(name, ComponentFacts(tier=Tier.COGNITIVE, role="device-plugin", images=(image,)), opts)
        DaemonSet(
            self.child_name("set"),
            metadata={
                "name": IMAGE,
                "namespace": NAMESPACE,
                "labels": {**cluster.labels, NAME_LABEL: IMAGE},
            },
            spec=_spec(cluster, image.deployed_as),
            opts=self.child_options(),
        )
        self.finish()


def _spec(cluster: Cluster, image: str) -> dict[str, Any]:
    """Source: aws/eks-charts stable/aws-efa-k8s-device-plugin templates/daemonset.yaml at 18e37d7b, read 2026-11."""
    placement = cluster.placements[Tier.COGNITIVE]
    labels = {NAME_LABEL: IMAGE}
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
                # It reads what cards the machine itself has.
                "hostNetwork": True,
                "containers": [
                    {
                        "name": "device-plugin",
                        "image": image,
                        "resources": {"requests": {"cpu": "10m", "memory": "20Mi"}, "limits": {"memory": "128Mi"}},
                        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                        "volumeMounts": [
                            {"name": "sockets", "mountPath": SOCKETS},
                            {"name": "devices", "mountPath": DEVICES},
                        ],
                    }
                ],
                "volumes": [
                    {"name": "sockets", "hostPath": {"path": SOCKETS, "type": "Directory"}},
                    {"name": "devices", "hostPath": {"path": DEVICES, "type": "Directory"}},
                ],
            },
        },
    }
