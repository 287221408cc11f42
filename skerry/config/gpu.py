"""What a user can say about GPUs: how they come to Kubernetes, how they are shared, who reads their metrics, queues."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from pydantic import Field

from skerry.config.words import DnsLabel, Spec

MOST_REPLICAS = 48
"""Clients of one GPU under MPS, and what GKE lets share one.

Source: NVIDIA MIG User Guide "MIG with CUDA MPS" (48 clients); GKE ComputeClass maxSharedClientsPerGPU; read 2026-11.
"""

MigName = Annotated[str, Field(pattern=r"^[1-7]g\.\d{1,3}gb$")]
ImageDigest = Annotated[str, Field(pattern=r"^[a-z0-9./:_-]+@sha256:[0-9a-f]{64}$", max_length=500)]


class GpuSharingMode(str, Enum):
    """How several pods use one GPU."""

    NONE = "none"
    """A pod has whole GPUs."""
    TIME_SLICING = "time-slicing"
    """Pods take turns; nothing keeps one from the memory of another."""
    MPS = "mps"
    """Pods compute at once, each with an equal part of memory and threads."""
    MIG = "mig"
    """The GPU is cut into slices with memory and compute of their own; only some models can."""
    DRA = "dra"
    """Pods claim devices by what they must have, through dynamic resource allocation."""


class MigStrategy(str, Enum):
    """What slices are called."""

    SINGLE = "single"
    """All slices of a machine are alike, and each counts as a GPU."""
    MIXED = "mixed"
    """Each size is a resource of its own."""


class GpuSharingSpec(Spec):
    """How the GPUs of a pool are shared."""

    mode: GpuSharingMode = GpuSharingMode.NONE
    """The way; left out, pods have whole GPUs."""
    replicas: int | None = Field(default=None, ge=2, le=MOST_REPLICAS)
    """For time-slicing and mps: the pods that share one GPU."""
    shares: tuple[int, ...] = Field(default=(), max_length=MOST_REPLICAS)
    """For mps, in place of `replicas`: percent of one GPU for each pod; on Kubernetes they must be equal."""
    profile: MigName | None = None
    """For mig: the slice that a model server gets, such as 3g.40gb."""
    layout: dict[MigName, int] = Field(default={}, max_length=8)
    """For mig with the strategy mixed: a GPU's slices, size -> number; left out, as many of `profile` as fit."""
    strategy: MigStrategy = MigStrategy.SINGLE
    """For mig: what slices are called."""


class DeviceSource(str, Enum):
    """What makes GPUs known to Kubernetes."""

    AUTO = "auto"
    """The device plugin on AWS and Azure, Google's own on GCP, what the site has on own machines."""
    DEVICE_PLUGIN = "device-plugin"
    """NVIDIA's plugin; driver and container toolkit are on the machines."""
    OPERATOR = "operator"
    """NVIDIA's GPU operator: plugin, toolkit, MIG, metrics."""
    CLOUD = "cloud"
    """The cloud does it by itself."""
    SITE = "site"
    """Somebody did it: pods ask for GPUs and nothing is installed."""


class DriverSource(str, Enum):
    """Who brings NVIDIA's driver."""

    HOST = "host"
    """It is on the machines."""
    OPERATOR = "operator"
    """The GPU operator builds it on each machine, for which the machine fetches packages from its distribution."""


class GpuQueueSpec(Spec):
    """A queue for GPU work that may wait."""

    tiers: tuple[str, ...] = Field(default=("meta",), min_length=1, max_length=3)
    """The tiers whose jobs may stand in it: cognitive, execution, meta."""


class GpuSpec(Spec):
    """How GPUs come to Kubernetes, and who watches and queues for them."""

    devices: DeviceSource = DeviceSource.AUTO
    """What makes them known."""
    driver: DriverSource = DriverSource.HOST
    """Who brings the driver; what the cloud's machines bring is taken."""
    driver_image: ImageDigest | None = None
    """For `driver: operator`: the driver's image for the machines' distribution, by digest."""
    kubernetes_version: str | None = Field(default=None, pattern=r"^1\.\d{2}$")
    """The version of an existing cluster, which dra depends on; a cloud's is that of its target."""
    metrics: bool = False
    """True runs NVIDIA's DCGM exporter on every GPU machine; GKE runs its own, for Google's monitoring."""
    metrics_readers: tuple[DnsLabel, ...] = Field(default=(), max_length=8)
    """Namespaces whose pods may read the metrics, such as that of Prometheus; left out, or on GKE, none may."""
    queue: GpuQueueSpec | None = None
    """A queue for GPU work that may wait; left out, none and nothing is installed."""
