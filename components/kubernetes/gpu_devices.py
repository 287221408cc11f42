"""What makes GPUs, or parts of them, known to Kubernetes on machines that come without it: NVIDIA's device plugin."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apps.v1 import DaemonSet
from pulumi_kubernetes.core.v1 import ConfigMap

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.workload import NAME_LABEL
from skerry.config.gpu import GpuSharingMode, GpuSharingSpec
from skerry.facts import ComponentFacts, Tier
from skerry.gpu_sharing import GPU, WHOLE, replicas_of

NAMESPACE: Final = "kube-system"
"""It mounts folders of the node, which the namespaces of the tiers refuse to every pod."""

SOCKETS: Final = "/var/lib/kubelet/device-plugins"
"""Where the kubelet listens for plugins. Source: as for `_plugin`."""

MPS_ROOT: Final = "/run/nvidia/mps"
"""Source: NVIDIA/k8s-device-plugin v0.20.0 deployments/helm/nvidia-device-plugin/values.yaml, read 2026-11."""

CONFIG: Final = "nvidia-device-plugin"
_CONFIG_FILE: Final = "/config/config.yaml"


def plugin_config(sharing: GpuSharingSpec) -> str | None:
    """Return the plugin's configuration for time-slicing or MPS; None for whole GPUs and slices, which need none.

    JSON is YAML too. A shared GPU has another name, so that nothing gets a part that asked for a whole one, and a pod
    gets one part: two of the same GPU would give it no more.

    Source: NVIDIA/k8s-device-plugin v0.20.0 api/config/v1 (config.go, sharing.go, replicas.go), read 2026-11.
    """
    keys = {GpuSharingMode.TIME_SLICING: "timeSlicing", GpuSharingMode.MPS: "mps"}
    if sharing.mode not in keys:
        return None
    replicated = {
        "renameByDefault": True,
        "failRequestsGreaterThanOne": True,
        "resources": [{"name": GPU, "replicas": replicas_of(sharing)}],
    }
    return json.dumps({"version": "v1", "sharing": {keys[sharing.mode]: replicated}}, indent=2)


class GpuDevices(SkerryComponent):
    """Runs NVIDIA's device plugin on every GPU machine: without it no pod can ask for `nvidia.com/gpu`."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        sharing: GpuSharingSpec = WHOLE,
        opts: pulumi.ResourceOptions | None = None,
        *,
        pool: Tier = Tier.COGNITIVE,
    ) -> None:
        """Make the daemon set on the GPU machines of one pool.

        Args:
            name: the component's name.
            cluster: where it runs; it has a placement for the pool.
            sharing: whether GPUs are shared by time-slicing or MPS; with MPS a second daemon set limits the pods.
            opts: Pulumi's options.
            pool: whose machines; GPUs of any but the cognitive tier's are not shared.

        Raises:
            CatalogError: the image has no row.
        """
        self._pool = pool
        image = cluster.catalog.image("nvidia-device-plugin", cluster.target, "makes GPUs known to Kubernetes")
        super().__init__(name, ComponentFacts(tier=pool, role="device-plugin", images=(image,)), opts)
        config = plugin_config(sharing)
        if config is not None:
            ConfigMap(
                self.child_name("config"),
                metadata={"name": CONFIG, "namespace": NAMESPACE, "labels": dict(cluster.labels)},
                data={"config.yaml": config},
                opts=self.child_options(),
            )
        mps = sharing.mode is GpuSharingMode.MPS
        plain = "nvidia-device-plugin" if pool is Tier.COGNITIVE else f"nvidia-device-plugin-{pool.value}"
        self._set(cluster, "set", plain, _plugin(image.deployed_as, config, mps=mps))
        if mps and config is not None:
            self._set(cluster, "mps", "nvidia-mps-control", _mps_control(image.deployed_as, config))
        self.finish()

    def _set(self, cluster: Cluster, role: str, name: str, pods: Mapping[str, Any]) -> None:
        placement = cluster.placements[self._pool]
        labels = {NAME_LABEL: name}
        DaemonSet(
            self.child_name(role),
            metadata={"name": name, "namespace": NAMESPACE, "labels": {**cluster.labels, **labels}},
            spec={
                "selector": {"matchLabels": labels},
                "updateStrategy": {"type": "RollingUpdate"},
                "template": {
                    # Another configuration is another text here, so that the pods are made anew with it.
                    "metadata": {"labels": labels, **pods.get("metadata", {})},
                    "spec": {
                        "nodeSelector": dict(placement.node_selector),
                        "tolerations": [dict(item) for item in placement.tolerations],
                        "priorityClassName": "system-node-critical",
                        "automountServiceAccountToken": False,
                        **pods["spec"],
                    },
                },
            },
            opts=self.child_options(),
        )


_RESOURCES: Final = {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}}


def _host(name: str, path: str, kind: str = "DirectoryOrCreate") -> dict[str, Any]:
    return {"name": name, "hostPath": {"path": path, "type": kind}}


def _configured(config: str) -> dict[str, Any]:
    return {"annotations": {"skerry.dev/config": config}}


def _plugin(image: str, config: str | None, *, mps: bool) -> dict[str, Any]:
    """Source: NVIDIA/k8s-device-plugin v0.20.0 deployments/static/nvidia-device-plugin.yml, read 2026-11."""
    container: dict[str, Any] = {
        "name": "device-plugin",
        "image": image,
        "resources": _RESOURCES,
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "sockets", "mountPath": SOCKETS}],
    }
    volumes = [_host("sockets", SOCKETS, "Directory")]
    if config is None:
        return {"spec": {"containers": [container], "volumes": volumes}}
    container["env"] = [{"name": "CONFIG_FILE", "value": _CONFIG_FILE}]
    container["volumeMounts"] += [{"name": "config", "mountPath": "/config", "readOnly": True}]
    volumes.append({"name": "config", "configMap": {"name": CONFIG}})
    if mps:
        # Source: as `_mps_control`, daemonset-device-plugin.yml: it asks the daemon whether it is well
        container["env"].append({"name": "MPS_ROOT", "value": MPS_ROOT})
        container["volumeMounts"] += [
            {"name": "mps-shm", "mountPath": "/dev/shm"},
            {"name": "mps", "mountPath": "/mps"},
        ]
        volumes += [_host("mps", MPS_ROOT), _host("mps-shm", f"{MPS_ROOT}/shm", "")]
    return {"metadata": _configured(config), "spec": {"containers": [container], "volumes": volumes}}


def _mps_control(image: str, config: str) -> dict[str, Any]:
    """Return the pod that starts MPS on each GPU and sets the limits of its clients; it must be privileged.

    Source: NVIDIA/k8s-device-plugin v0.20.0 deployments/helm/nvidia-device-plugin/templates/
    daemonset-mps-control-daemon.yml, read 2026-11.
    """
    privileged = {"privileged": True}
    return {
        "metadata": _configured(config),
        "spec": {
            "shareProcessNamespace": True,
            "initContainers": [
                {
                    "name": "mounts",
                    "image": image,
                    "command": ["mps-control-daemon", "mount-shm"],
                    "resources": _RESOURCES,
                    "securityContext": privileged,
                    "volumeMounts": [{"name": "mps", "mountPath": "/mps", "mountPropagation": "Bidirectional"}],
                }
            ],
            "containers": [
                {
                    "name": "mps-control",
                    "image": image,
                    "command": ["mps-control-daemon"],
                    "env": [
                        {
                            "name": "NODE_NAME",
                            "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "spec.nodeName"}},
                        },
                        {"name": "CONFIG_FILE", "value": _CONFIG_FILE},
                        {"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"},
                        {"name": "NVIDIA_DRIVER_CAPABILITIES", "value": "compute,utility"},
                    ],
                    "resources": _RESOURCES,
                    "securityContext": privileged,
                    "volumeMounts": [
                        {"name": "mps-shm", "mountPath": "/dev/shm"},
                        {"name": "mps", "mountPath": "/mps"},
                        {"name": "config", "mountPath": "/config", "readOnly": True},
                    ],
                }
            ],
            "volumes": [
                _host("mps", MPS_ROOT),
                _host("mps-shm", f"{MPS_ROOT}/shm", ""),
                {"name": "config", "configMap": {"name": CONFIG}},
            ],
        },
    }
