"""The one thing that a tier knows about where it runs: a `Cluster`, never a cloud."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import pulumi
import pulumi_kubernetes as k8s

from skerry.catalog import Catalog
from skerry.facts import DataClass, TargetFact, Tier

TIER_LABEL: Final = "skerry.dev/tier"
"""Node label and taint key that a pool of one tier bears."""

ZONE_LABEL: Final = "topology.kubernetes.io/zone"
"""Source: Kubernetes "Pod Topology Spread Constraints", Node labels, read 2026-11."""


PRIVATE_RANGES: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
"""Where API servers stand when nobody says more.

Source: RFC 1918 and RFC 6598 (not opened; check before relying on it).
"""


@dataclass(frozen=True, slots=True)
class Placement:
    """How pods of a tier find their nodes."""

    node_selector: Mapping[str, str]
    tolerations: tuple[Mapping[str, Any], ...] = ()
    nodes_minimum: int = 0
    nodes_maximum: int = 0
    vcpu: int = 0
    """Of one node."""
    memory_gib: float = 0
    """Of one node."""
    gpus: int = 0
    """Of one node."""
    autoscaler: str | None = None
    """Who adds nodes between minimum and maximum; None for a fixed number."""


class ServiceAddress(Protocol):
    """What answers others at an address: a component, a managed service, or what somebody else runs."""

    @property
    def endpoint(self) -> pulumi.Input[str]:
        """Host name."""

    @property
    def port(self) -> pulumi.Input[int]:
        """TCP port."""

    @property
    def secret_ref(self) -> pulumi.Input[str] | None:
        """Name of the Kubernetes Secret with its credentials; None where none is needed."""


@dataclass(frozen=True, slots=True)
class ManagedService:
    """A service that the base stack made outside the cluster."""

    endpoint: pulumi.Input[str]
    """Host name, or bucket name for an object store."""
    port: int
    secret_ref: pulumi.Input[str] | None = None
    """Name of the Kubernetes Secret that holds its credentials; None where identity is by workload."""
    network: pulumi.Input[str] | None = None
    """The address range that it answers from; None where that is not known, so that only its port is opened to it."""
    attributes: Mapping[str, pulumi.Input[Any]] = field(default_factory=dict)
    """What else a client needs: region, database, ARN; `url` of a bucket that is not S3's own."""
    more_networks: tuple[pulumi.Input[str], ...] = ()
    """Further address ranges that it answers from."""
    authority: str | None = None
    """Key of the Secret with the certificate of the authority that vouches for it; None where clients know that one."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Kubernetes cluster as the tiers see it; each target makes one."""

    target: TargetFact
    provider: k8s.Provider | None
    """What talks to it; None where the options of each component name it."""
    catalog: Catalog
    """The pins; images are asked as `cluster.catalog.image(name, cluster.target, why)`."""
    data_class: DataClass
    production: bool
    placements: Mapping[Tier, Placement]
    storage_class: str | None
    """Name of the StorageClass for volumes; None takes the cluster's default."""
    storage_encrypted: bool | None
    """Whether that class encrypts at rest; None where nobody said."""
    network_encrypted: bool | None = None
    """Whether the cluster's network encrypts traffic between nodes; None where nobody said."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """On every object: the user's tags and Skerry's own."""
    relational: ManagedService | None = None
    """A managed PostgreSQL; None: run one in the cluster."""
    pubsub: ManagedService | None = None
    """A managed Redis or Valkey; None: run one in the cluster."""
    object_store: ManagedService | None = None
    """A managed object store; None: run one in the cluster."""
    credentials: ManagedService | None = None
    """Where pods fetch the identity that their service account has at the cloud; None where there is none."""
    machines: Callable[[str, Sequence[pulumi.Resource]], list[pulumi.Resource]] | None = None
    """Installs what adds machines, into a namespace and after some resources; None where machines are as they are."""
    api_server: tuple[str, ...] = PRIVATE_RANGES
    """Address ranges of the API server, as pods reach it."""
    dns: tuple[str, ...] = ()
    """Address ranges that answer names beside the pods of kube-system."""
    renames_shared_gpus: bool = True
    """Whether parts of GPUs have another resource name than whole ones, as NVIDIA's own plugin gives them."""
    load_balancer_class: str | None = None
    """What a Service of type LoadBalancer names as its class; None leaves it to the cluster."""
    api_proxy: str | None = None
    """Namespace of the pods through which the API server calls webhooks; None where it calls them itself."""
    service_account_annotations: Mapping[str, Mapping[str, pulumi.Input[str]]] = field(default_factory=dict)
    """`<namespace>/<service account>` -> annotations that give it an identity at the cloud."""
    identity_labels: Mapping[str, str] = field(default_factory=dict)
    """On pods whose service account has such annotations, where the cloud asks for labels too."""

    monitored: bool = False
    """Whether somebody collects metrics: then what keeps them shut by default opens its port for them."""
    classes_by_iops: Mapping[int, str] = field(default_factory=dict)
    """Operations a second -> the StorageClass whose volumes do them, for what services ask for."""
    public_hosts: Mapping[str, str] = field(default_factory=dict)
    """Service -> the host name by which browsers reach it through the gateway; empty where there is none."""

    @property
    def managed(self) -> tuple[ManagedService, ...]:
        """The services outside the cluster that the tiers call."""
        found = (self.relational, self.pubsub, self.object_store)
        return tuple(service for service in found if service is not None)

    @property
    def failure_domains(self) -> int:
        """The number of zones, racks or hosts that fail apart; 1 where none are named."""
        return max(len(self.target.zones), 1)
