"""What an EKS cluster takes beyond its version, as every Pulumi language writes it: `skerry.config.eks`, word for word.

The schema analyzer reads these classes at run time, so that no annotation here may be a string; a test holds names,
types and descriptions equal to the specs, which check the values.
"""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from skerry.config.eks import CapacityKind


class GpuCapacity(TypedDict):
    """Where GPU machines are taken from."""

    id: str
    """The id of the reservation or block."""
    kind: NotRequired[CapacityKind]
    """What it is."""


class SystemMachines(TypedDict):
    """The machines of the cluster's own pods."""

    count: NotRequired[int]
    """How many run."""
    instance_type: NotRequired[str]
    """AWS's name of the type, one of the catalogue; Ray's head alone asks for 2 vCPU and 8 GiB."""


class Eks(TypedDict):
    """What only EKS needs; left out, the cluster's own pods run on the meta tier's machines."""

    system_machines: NotRequired[SystemMachines]
    """A group of machines for CoreDNS, the drivers and Karpenter; left out, the meta tier's machines carry them."""
    gpu_zone: NotRequired[str]
    """The one zone that all GPU machines stand in; left out, all of `target.failure_domains`."""
    gpu_capacity: NotRequired[GpuCapacity]
    """The reservation or block that GPU machines are taken from, which is of one zone; left out, none."""
    efa: NotRequired[bool]
    """True gives GPU machines the Elastic Fabric Adapters that their type has, close together in `gpu_zone`."""
    prefix_delegation: NotRequired[bool]
    """True gives machines addresses by blocks of 16, so that each may have more pods and takes more addresses."""
    addon_versions: NotRequired[Mapping[str, str]]
    """Add-on -> its version; of those left out, AWS takes its own default for the version of Kubernetes."""
