"""NVIDIA's GPU operator and its DRA driver, as declarations: a chart each, with values that name every image."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi

from components.kubernetes.cluster import Cluster
from components.kubernetes.gpu_devices import plugin_config
from components.kubernetes.operator import Operator, image_values
from skerry.config.gpu import GpuSharingMode, GpuSharingSpec, MigStrategy
from skerry.facts import ImageFact, Tier
from skerry.gpu_sharing import layout_of
from skerry.gpus import GpuModel

RUNTIME_CLASS: Final = "nvidia"
"""Made by the operator. Source: NVIDIA/gpu-operator v26.7.0 deployments/gpu-operator/values.yaml, read 2026-11."""

DRIVER: Final = "nvidia-driver"
"""What the user's own image of the driver is called in facts."""

MIG_LAYOUT: Final = "skerry"
"""The name of the layout in the MIG manager's configuration."""

_OFF: Final = (
    "nodeStatusExporter",
    "gds",
    "gdrcopy",
    "vgpuManager",
    "vgpuDeviceManager",
    "vfioManager",
    "kataManager",
    "sandboxDevicePlugin",
    "kataSandboxDevicePlugin",
    "ccManager",
    "dcgm",
    "dcgmExporter",
)
"""Parts that would run images which the catalogue does not have; metrics come from an exporter of ours."""


def gpu_operator(
    name: str,
    cluster: Cluster,
    *,
    namespace: str,
    sharing: GpuSharingSpec,
    model: GpuModel | None,
    host_toolkit: bool,
    driver_image: str | None,
    depends_on: Sequence[pulumi.Resource] = (),
    opts: pulumi.ResourceOptions | None = None,
) -> Operator:
    """Install the operator: device plugin, feature discovery, MIG manager, and toolkit and driver where asked.

    Args:
        name: the component's name.
        cluster: where it runs.
        namespace: a `GpuSpace`.
        sharing: of the GPUs.
        model: of the GPUs; None where the table does not know them.
        host_toolkit: whether the machines have NVIDIA's container toolkit, as those of EKS and AKS do.
        driver_image: `repository@sha256:...` of the driver that the operator brings; None where it is on the machines.
        depends_on: the namespace.
        opts: Pulumi's options.

    Raises:
        CatalogError: the chart, or an image of it, has no row.
    """
    why = "makes GPUs known to Kubernetes, and cuts them"
    without = [] if driver_image else ["nvidia-driver-manager"]
    if host_toolkit:
        without.append("nvidia-container-toolkit")
    return Operator(
        name,
        cluster,
        chart="gpu-operator",
        namespace=namespace,
        values=operator_values(cluster, sharing, model, host_toolkit=host_toolkit, driver_image=driver_image, why=why),
        why=why,
        tier=Tier.COGNITIVE,
        without=without,
        more_images=[_driver_fact(cluster, driver_image)] if driver_image else [],
        depends_on=depends_on,
        opts=opts,
    )


def operator_values(
    cluster: Cluster,
    sharing: GpuSharingSpec,
    model: GpuModel | None,
    *,
    host_toolkit: bool,
    driver_image: str | None,
    why: str,
) -> dict[str, Any]:
    """Return the chart's values.

    Source: NVIDIA/gpu-operator v26.7.0 deployments/gpu-operator/values.yaml and templates/, read 2026-11.
    """
    machines = cluster.placements[Tier.PLATFORM]
    tolerations = [dict(item) for item in cluster.placements[Tier.COGNITIVE].tolerations]
    repository, tag, digest = image_values(cluster, "node-feature-discovery", why)
    feature = {"repository": repository, "tag": f"{tag}@{digest}" if digest else tag}
    return {
        "operator": {
            **_tagged(cluster, "gpu-operator", why),
            "nodeSelector": dict(machines.node_selector),
            "tolerations": [dict(item) for item in machines.tolerations],
        },
        "validator": _tagged(cluster, "gpu-operator", why),
        "daemonsets": {"tolerations": tolerations},
        "driver": _driver(cluster, driver_image, why),
        "toolkit": {"enabled": not host_toolkit, **_image(cluster, "nvidia-container-toolkit", why)},
        "devicePlugin": {
            "enabled": sharing.mode is not GpuSharingMode.DRA,
            **_image(cluster, "nvidia-device-plugin", why),
            "config": _plugin_config(sharing),
        },
        "gfd": _image(cluster, "nvidia-device-plugin", why),
        "mig": {"strategy": sharing.strategy.value if sharing.mode is GpuSharingMode.MIG else MigStrategy.SINGLE.value},
        "migManager": {
            "enabled": sharing.mode is GpuSharingMode.MIG,
            **_image(cluster, "nvidia-mig-manager", why),
            "config": _mig_config(sharing, model),
        },
        **{part: {"enabled": False} for part in _OFF},
        "node-feature-discovery": {
            "image": feature,
            "worker": {"tolerations": tolerations},
            "master": {"nodeSelector": dict(machines.node_selector), "tolerations": _rows(machines.tolerations)},
            "gc": {"nodeSelector": dict(machines.node_selector), "tolerations": _rows(machines.tolerations)},
        },
    }


def mig_layouts(layout: Mapping[str, int]) -> str:
    """Return the MIG manager's configuration: one layout for all GPUs of all machines.

    Source: NVIDIA/mig-parted deployments/systemd/config-default.yaml, read 2026-11.
    """
    devices = {"devices": "all", "mig-enabled": True, "mig-devices": dict(layout)}
    return json.dumps({"version": "v1", "mig-configs": {MIG_LAYOUT: [devices]}}, indent=2)


def dra_driver(
    name: str,
    cluster: Cluster,
    *,
    namespace: str,
    operator_drivers: bool,
    depends_on: Sequence[pulumi.Resource] = (),
    opts: pulumi.ResourceOptions | None = None,
) -> Operator:
    """Install NVIDIA's driver for dynamic resource allocation, in place of the device plugin.

    Args:
        name: the component's name.
        cluster: where it runs.
        namespace: a `GpuSpace`.
        operator_drivers: whether the GPU operator brings NVIDIA's driver, which then lies elsewhere on the machine.
        depends_on: the namespace.
        opts: Pulumi's options.

    Raises:
        CatalogError: the chart, or an image of it, has no row.
    """
    why = "lets pods claim GPUs"
    repository, tag, digest = image_values(cluster, "dra-driver-nvidia-gpu", why)
    placement = cluster.placements[Tier.COGNITIVE]
    return Operator(
        name,
        cluster,
        chart="dra-driver-nvidia-gpu",
        namespace=namespace,
        values={
            # Source: kubernetes-sigs/dra-driver-nvidia-gpu site/content/docs/install.md and values.yaml, read 2026-11
            "nvidiaDriverRoot": "/run/nvidia/driver" if operator_drivers else "/",
            "gpuResourcesEnabledOverride": True,
            "resources": {"gpus": {"enabled": True}, "computeDomains": {"enabled": False}},
            "image": {"repository": repository, "tag": f"{tag}@{digest}" if digest else tag},
            "kubeletPlugin": {
                "nodeSelector": dict(placement.node_selector),
                "tolerations": _rows(placement.tolerations),
                "affinity": _on(placement.node_selector),
            },
        },
        why=why,
        tier=Tier.COGNITIVE,
        depends_on=depends_on,
        opts=opts,
    )


def _on(labels: Mapping[str, str]) -> dict[str, Any]:
    """Return an affinity to machines with labels of ours: the chart's own asks for those of feature discovery.

    A list in values takes the place of the chart's, where an empty mapping would leave it.
    """
    rows = [{"key": key, "operator": "In", "values": [value]} for key, value in labels.items()]
    terms = {"nodeSelectorTerms": [{"matchExpressions": rows}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def _rows(tolerations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [dict(item) for item in tolerations]


def _image(cluster: Cluster, name: str, why: str) -> dict[str, str]:
    """Return an image as the operator's parts ask for it: folder, name, and tag or digest."""
    repository, tag, digest = image_values(cluster, name, why)
    folder, _, image = repository.rpartition("/")
    return {"repository": folder, "image": image, "version": digest or tag}


def _tagged(cluster: Cluster, name: str, why: str) -> dict[str, str]:
    """Return an image whose template puts a colon before the version, so that a digest follows the tag."""
    repository, tag, digest = image_values(cluster, name, why)
    folder, _, image = repository.rpartition("/")
    return {"repository": folder, "image": image, "version": f"{tag}@{digest}" if digest else tag}


def _driver_fact(cluster: Cluster, image: str) -> ImageFact:
    """Return the fact of the driver's image, which no chart names."""
    return cluster.catalog.image(DRIVER, cluster.target, "NVIDIA's driver", reference=image, declared=True)


def _driver(cluster: Cluster, image: str | None, why: str) -> dict[str, Any]:
    if image is None:
        return {"enabled": False}
    path, _, digest = _driver_fact(cluster, image).deployed_as.partition("@")
    folder, _, name = path.rpartition("/")
    return {
        "enabled": True,
        # A version that is a digest gets no suffix of the distribution.
        # Source: NVIDIA/gpu-operator v26.7.0 controllers/object_controls.go, read 2026-11
        "repository": folder,
        "image": name.partition(":")[0],
        "version": digest,
        "manager": _tagged(cluster, "nvidia-driver-manager", why),
    }


def _plugin_config(sharing: GpuSharingSpec) -> dict[str, Any]:
    text = plugin_config(sharing)
    if text is None:
        return {"create": False, "name": "", "default": ""}
    return {"create": True, "name": "skerry-device-plugin", "default": "skerry", "data": {"skerry": text}}


def _mig_config(sharing: GpuSharingSpec, model: GpuModel | None) -> dict[str, Any]:
    if sharing.mode is not GpuSharingMode.MIG:
        return {"create": False, "name": "", "default": "all-disabled"}
    data = {"config.yaml": mig_layouts(layout_of(sharing, model))}
    return {"create": True, "name": "skerry-mig", "default": MIG_LAYOUT, "data": data}
