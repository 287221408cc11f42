"""How much of a machine a pod that is to fill it may ask for, with the arithmetic.

(1) reserved = what the machine's system does not see of its memory, what the kubelet of the target keeps for itself
               and the system, and the memory below which it evicts
(2) daemons  = what runs on every machine: network, storage, metrics, logs
(3) agents   = room for two agents of the tier beside the pod
(4) room     = machine - reserved - daemons - agents, rounded down to whole vCPU and GiB

Worked example: 16 vCPU and 32 GiB on EKS with 234 pods: 0.11 vCPU, 7.5 % of the memory and 2829 + 100 MiB are
reserved, so that floor(16 - 0.11 - 0.5 - 1) = 14 vCPU and floor(32 - 2.40 - 2.86 - 1 - 2) = 23 GiB are left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from skerry.errors import SizingError
from skerry.facts import TargetFact

EVICTION_MIB: Final = 100
"""MiB that kubelets of GKE, EKS and AKS (1.29 and later) keep free. Source: as for the functions below."""

UNSEEN_SHARE: Final = {"aws": 0.075, "gcp": 0.03, "azure": 0.03}
"""The share of a machine's memory that hypervisor and kernel take before the kubelet counts.

On AWS what Karpenter reckons with until it has seen a type: a pod that asks for more gets no machine at all. On the
others an estimate of ours. Source: Karpenter v1.14.1 pkg/operator/options/options.go, vm-memory-overhead-percent,
read 2026-11.
"""

DAEMONS_VCPU: Final = 0.5
DAEMONS_GIB: Final = 1.0
"""What daemon sets of a machine ask together; an estimate of ours, as targets differ and users add their own."""

AGENT_VCPU: Final = 0.5
AGENT_GIB: Final = 1.0
AGENTS: Final = 2
"""What one agent asks, and how many stand beside a worker of Ray on each machine."""

EKS_PODS: Final = 234
"""Pods of an EC2 machine of 8 network interfaces with 30 addresses, as c6i.4xlarge and c6i.8xlarge are.

Source: awslabs/amazon-eks-ami eni-max-pods.txt (not opened; check before relying on it).
"""

AKS_PODS: Final = 250
"""The most that AKS allows on one machine, so that no choice of `pods_per_node` makes the sum too small."""

_AKS_MCPU: Final = ((1, 60), (2, 100), (4, 140), (8, 180), (16, 260), (32, 420), (64, 740))
"""Source: Azure "Node resource reservations in AKS", CPU reservations, read 2026-11."""


@dataclass(frozen=True, slots=True)
class Room:
    """What is left of a machine for the pod that fills it."""

    vcpu: int
    memory_gib: int
    arithmetic: str
    """The sum in one line, for messages and documents."""


def room_at(target: TargetFact, vcpu: int, memory_gib: float) -> Room:
    """Return what a pod that fills a machine of a target may ask for.

    Raises:
        SizingError: nothing is left.
    """
    return room(target.kind, vcpu, memory_gib)


def room(kind: str, vcpu: int, memory_gib: float) -> Room:
    """Return what a pod that fills a machine may ask for.

    Args:
        kind: `aws`, `gcp`, `azure` or `onprem`.
        vcpu: of the machine.
        memory_gib: of the machine.

    Raises:
        SizingError: nothing is left.
    """
    cpu, memory = reserved(kind, vcpu, memory_gib)
    agents_vcpu, agents_gib = AGENTS * AGENT_VCPU, AGENTS * AGENT_GIB
    free_vcpu = math.floor(vcpu - cpu - DAEMONS_VCPU - agents_vcpu)
    free_gib = math.floor(memory_gib - memory - DAEMONS_GIB - agents_gib)
    text = (
        f"{vcpu} - {cpu:.2f} reserved - {DAEMONS_VCPU:g} daemons - {agents_vcpu:g} agents = {free_vcpu} vCPU; "
        f"{memory_gib:g} - {memory:.2f} - {DAEMONS_GIB:g} - {agents_gib:g} = {free_gib} GiB"
    )
    if free_vcpu < 1 or free_gib < 1:
        raise SizingError(f"a machine of {kind} has no room for a worker of Ray: {text}; use a larger machine")
    return Room(free_vcpu, free_gib, text)


def reserved(kind: str, vcpu: int, memory_gib: float) -> tuple[float, float]:
    """Return the vCPU and the GiB of a machine that no pod gets.

    On own machines nobody publishes it: the larger of the clouds' answers is taken.
    """
    if kind not in UNSEEN_SHARE:
        both = [reserved(cloud, vcpu, memory_gib) for cloud in UNSEEN_SHARE]
        return max(cpu for cpu, _ in both), max(memory for _, memory in both)
    cpu, memory = _kept(kind, vcpu, memory_gib)
    return cpu, memory + UNSEEN_SHARE[kind] * memory_gib


def _kept(kind: str, vcpu: int, memory_gib: float) -> tuple[float, float]:
    """Return what the kubelet of a cloud keeps."""
    if kind == "aws":
        # Source: learnk8s.io "Allocatable memory and CPU in Kubernetes Nodes" (11 MiB a pod and 255 MiB), found by
        # search and not on AWS's own pages, 2026-11
        return _stepped_cpu(vcpu), (11 * EKS_PODS + 255 + EVICTION_MIB) / 1024
    if kind == "gcp":
        return _stepped_cpu(vcpu), _stepped_memory(memory_gib) + EVICTION_MIB / 1024
    # Source: Azure "Node resource reservations in AKS": 20 MB a pod and 50 MB, or a quarter; read 2026-11
    return _aks_cpu(vcpu), min((20 * AKS_PODS + 50) / 1024, memory_gib / 4) + EVICTION_MIB / 1024


def _stepped_cpu(vcpu: int) -> float:
    """Source: learnk8s.io "Allocatable memory and CPU in Kubernetes Nodes", GKE and EKS, read in part 2026-11."""
    steps = ((1, 0.06), (1, 0.01), (2, 0.005))
    kept, left = 0.0, vcpu
    for size, share in steps:
        kept += min(left, size) * share
        left = max(left - size, 0)
    return kept + left * 0.0025


def _stepped_memory(memory_gib: float) -> float:
    """Source: as for `_stepped_cpu`, memory reservations."""
    kept, left = 0.0, memory_gib
    for size, share in ((4.0, 0.25), (4.0, 0.20), (8.0, 0.10), (112.0, 0.06)):
        kept += min(left, size) * share
        left = max(left - size, 0)
    return kept + left * 0.02


def _aks_cpu(vcpu: int) -> float:
    """Return AKS's row for as many cores, or the next larger one."""
    for cores, kept in _AKS_MCPU:
        if vcpu <= cores:
            return kept / 1000
    return _AKS_MCPU[-1][1] / 1000 * vcpu / _AKS_MCPU[-1][0]
