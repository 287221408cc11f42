"""What a user can say about an EKS cluster beyond its version: machines of its own pods, GPU machines, add-ons."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Final

from pydantic import Field

from skerry.config.words import DnsLabel, Spec

EBS_DRIVER: Final = "aws-ebs-csi-driver"
NETWORK_ADDON: Final = "vpc-cni"
ADDONS: Final = (NETWORK_ADDON, "kube-proxy", "coredns", "eks-pod-identity-agent", EBS_DRIVER)
"""The add-ons that every cluster gets, by AWS's names, in the order in which they are made."""

METRICS_ADDON: Final = "metrics-server"
"""Of clusters whose services follow their CPU or memory. Source: Amazon EKS "View resource usage with the Kubernetes
Metrics Server", read 2026-11."""

AddonVersion = Annotated[str, Field(pattern=r"^v\d+\.\d+\.\d+(-eksbuild\.\d+)?$", max_length=40)]


class CapacityKind(str, Enum):
    """What reserves GPU machines."""

    RESERVATION = "reservation"
    """An on-demand capacity reservation: paid whether it is used or not."""
    BLOCK = "block"
    """A capacity block for machine learning: paid in advance, for a time."""


class GpuCapacitySpec(Spec):
    """Where GPU machines are taken from."""

    id: str = Field(pattern=r"^cr-[0-9a-f]{8,17}$")
    """The id of the reservation or block."""
    kind: CapacityKind = CapacityKind.RESERVATION
    """What it is."""


class SystemMachinesSpec(Spec):
    """The machines of the cluster's own pods."""

    count: int = Field(default=2, ge=2, le=9)
    """How many run."""
    instance_type: str = "m6i.2xlarge"
    """AWS's name of the type, one of the catalogue; Ray's head alone asks for 2 vCPU and 8 GiB."""


class EksSpec(Spec):
    """What only EKS needs; left out, the cluster's own pods run on the meta tier's machines."""

    system_machines: SystemMachinesSpec | None = None
    """A group of machines for CoreDNS, the drivers and Karpenter; left out, the meta tier's machines carry them."""
    gpu_zone: DnsLabel | None = None
    """The one zone that all GPU machines stand in; left out, all of `target.failure_domains`."""
    gpu_capacity: GpuCapacitySpec | None = None
    """The reservation or block that GPU machines are taken from, which is of one zone; left out, none."""
    efa: bool = False
    """True gives GPU machines the Elastic Fabric Adapters that their type has, close together in `gpu_zone`."""
    prefix_delegation: bool = False
    """True gives machines addresses by blocks of 16, so that each may have more pods and takes more addresses."""
    addon_versions: dict[str, AddonVersion] = Field(default={}, max_length=8)
    """Add-on -> its version; of those left out, AWS takes its own default for the version of Kubernetes."""
