"""Pods that use GPUs or parts of them: the resource that they ask for, the devices that they claim, what they mount."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_kubernetes.resource.v1 import ResourceClaimTemplate

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.workload import Container, Workload
from skerry.config.gpu import GpuSharingMode
from skerry.gpu_sharing import Share

CLAIM = "gpus"
"""What a pod calls the devices that it claims."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuContainer(Container):
    """A container with GPUs, or parts of them."""

    share: Share
    """What a unit is."""
    units: int
    """How many of it."""

    def manifest(self) -> dict[str, Any]:
        """Return the container as Kubernetes reads it."""
        made = Container.manifest(self)  # no super(): a dataclass with slots is another class than the one it names
        resources = made["resources"]
        if self.share.mode is GpuSharingMode.DRA:
            resources["claims"] = [{"name": CLAIM}]
        else:
            # Source: Kubernetes "Schedule GPUs": limits only, request equals limit; read 2026-11
            row = {self.share.resource: str(self.units)}
            resources |= {"requests": {**resources["requests"], **row}, "limits": {**resources["limits"], **row}}
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuWorkload(Workload):
    """A workload with devices that it claims, and volumes that somebody filled."""

    volume_claims: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Volume name -> PersistentVolumeClaim, mounted read-only."""
    device_claims: Mapping[str, str] = field(default_factory=dict)
    """What the pod calls its devices -> ResourceClaimTemplate."""

    def template(self, cluster: Cluster) -> dict[str, Any]:
        """Return the pod template."""
        made = Workload.template(self, cluster)
        spec = made["spec"]
        spec["volumes"] += [
            {"name": name, "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}
            for name, claim in self.volume_claims.items()
        ]
        if self.device_claims:
            spec["resourceClaims"] = [
                {"name": name, "resourceClaimTemplateName": template} for name, template in self.device_claims.items()
            ]
        return made


def device_claim(
    parent: SkerryComponent, role: str, cluster: Cluster, namespace: str, name: str, share: Share, units: int
) -> str:
    """Make the template of which each pod gets a claim of its own for whole GPUs; return its name.

    Source: kubernetes-sigs/dra-driver-nvidia-gpu demo/specs/quickstart/v1, read 2026-11.
    """
    request = {"deviceClassName": share.resource, "allocationMode": "ExactCount", "count": units}
    ResourceClaimTemplate(
        parent.child_name(role),
        metadata={"name": name, "namespace": namespace, "labels": dict(cluster.labels)},
        spec={"spec": {"devices": {"requests": [{"name": CLAIM, "exactly": request}]}}},
        opts=parent.child_options(),
    )
    return name
