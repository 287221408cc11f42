"""A Kubernetes cluster as programs of other languages describe it, and the `Cluster` that our components know."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NotRequired, TypedDict

import pulumi

from components.channels.object_store import REGION
from components.kubernetes import cluster as kubernetes
from components.kubernetes.node_pool import placement_of
from skerry.catalog import load_catalog
from skerry.config.load import load_part
from skerry.config.spec import ImageAccess, PoolSpec, TargetKind, TargetSpec
from skerry.errors import ConfigError, Problem
from skerry.facts import DataClass, TargetFact, Tier


class Toleration(TypedDict):
    """A taint that pods may be put beside, in the words of Kubernetes."""

    key: NotRequired[str]
    """The taint's key; left out, every key."""
    operator: NotRequired[str]
    """`Equal` or `Exists`; left out, `Equal`."""
    value: NotRequired[str]
    """The taint's value, for `Equal`; left out, empty."""
    effect: NotRequired[str]
    """`NoSchedule`, `PreferNoSchedule` or `NoExecute`; left out, every effect."""


class Placement(TypedDict):
    """How pods of a tier find their nodes."""

    node_selector: Mapping[str, str]
    """The labels that a node must have; empty for any node."""
    tolerations: NotRequired[Sequence[Toleration]]
    """The taints of those nodes; left out, none."""


class Placements(TypedDict):
    """Where the pods of each tier go.

    A tier that is left out goes to nodes with the label and taint `skerry.dev/tier` where it has a pool of its own, and
    to any node where it has none.
    """

    cognitive: NotRequired[Placement]
    """Inference, Scout and Architect agents; left out, as above."""
    execution: NotRequired[Placement]
    """Ray, Worker and Validator agents; left out, as above."""
    meta: NotRequired[Placement]
    """Stores and Learning agents; left out, as above."""
    channels: NotRequired[Placement]
    """Pub/sub, workflows and the object store; left out, as above."""
    platform: NotRequired[Placement]
    """Operators; left out, as above."""


class ManagedService(TypedDict):
    """A service that somebody runs outside the cluster."""

    endpoint: pulumi.Input[str]
    """Host name, or bucket name for an object store."""
    port: int
    """TCP port."""
    secret_ref: NotRequired[pulumi.Input[str]]
    """Name of the Kubernetes Secret that holds its credentials; left out where identity is by workload."""
    network: NotRequired[pulumi.Input[str]]
    """The address range that it answers from; left out, only its port is opened to it."""
    region: NotRequired[pulumi.Input[str]]
    """The cloud's region, for an object store; left out, us-east-1."""
    account: NotRequired[pulumi.Input[str]]
    """The storage account of Azure, of which the endpoint is a container; left out for all that speaks S3."""


class Cluster(TypedDict):
    """A Kubernetes cluster that exists; the provider that talks to it is passed as an option of each component."""

    data_class: NotRequired[DataClass]
    """The class of the data in the stores; left out, restricted."""
    connected: NotRequired[bool]
    """False for a site without a route to the internet."""
    failure_domains: NotRequired[Sequence[str]]
    """Zones, racks or hosts that fail apart; the nodes carry them as topology.kubernetes.io/zone."""
    storage_class: NotRequired[str]
    """The StorageClass for volumes; left out, the cluster's default."""
    storage_encrypted: NotRequired[bool]
    """Whether that StorageClass encrypts at rest; left out, reports say that it is not known."""
    network_encrypted: NotRequired[bool]
    """Whether the network encrypts traffic between nodes; left out, reports say that it is not known."""
    api_server_cidrs: NotRequired[Sequence[str]]
    """Address ranges of the Kubernetes API server, as pods reach it; left out, the private ranges of IPv4."""
    dns_cidrs: NotRequired[Sequence[str]]
    """Where names are answered beside pods of kube-system, such as a cache on each machine, 169.254.20.10/32."""
    load_balancer_class: NotRequired[str]
    """The class of the load balancers that Services get, such as `metallb.io/metallb`; left out, the cluster's own."""
    image_access: NotRequired[ImageAccess]
    """How nodes reach images where a site registry is named."""
    site_registry: NotRequired[str]
    """The registry of the site, `host[:port][/prefix]`; required where `connected` is false."""
    placements: NotRequired[Placements]
    """Where the pods of each tier go; left out, as each tier does by itself."""
    relational: NotRequired[ManagedService]
    """A managed PostgreSQL; left out, one is run in the cluster."""
    pubsub: NotRequired[ManagedService]
    """A managed Redis or Valkey; left out, one is run in the cluster."""
    object_store: NotRequired[ManagedService]
    """A managed object store; left out, one is run in the cluster."""
    tags: NotRequired[Mapping[str, str]]
    """Labels on every object; left out, none but Skerry's own."""
    images_lock: NotRequired[str]
    """Path of a lock file; left out, the package's own images/images.lock."""


OF_TARGET: Final = (
    "connected",
    "failure_domains",
    "storage_class",
    "storage_encrypted",
    "network_encrypted",
    "api_server_cidrs",
    "dns_cidrs",
    "load_balancer_class",
    "image_access",
    "site_registry",
)
"""The fields that are those of `TargetSpec`."""

NOT_OF_CLUSTER: Final = {
    "kind": "a component runs in any cluster",
    "jurisdiction": "said by the cluster's own component or by the deployment",
    "region": "said by the deployment",
    "base_stack": "the layers are those of a deployment",
    "kubeconfig_secret": "the provider is passed as an option",
    "kube_context": "the provider is passed as an option",
    "aws": "said by the deployment",
    "gcp": "said by the deployment",
    "azure": "said by the deployment",
}
"""The other fields of `TargetSpec`, and why a cluster does not have them."""


def cluster_of(args: Cluster, path: str = "cluster") -> kubernetes.Cluster:
    """Return the cluster that a program describes.

    Raises:
        ConfigError: a field of it cannot be used.
        CatalogError: the lock cannot be read.
    """
    given: Mapping[str, Any] = args
    # Kind and jurisdiction are no part of a cluster; these two are not read again.
    shape = {"kind": TargetKind.ONPREM, "jurisdiction": "ZZ", **{key: given[key] for key in OF_TARGET if key in given}}
    target = load_part(TargetSpec, shape, path)
    if not target.connected and not target.site_registry:
        problem = Problem(f"{path}.site_registry", "is required where connected is false", "name host:port of it")
        raise ConfigError(path, [problem])
    lock = args.get("images_lock")
    chosen: Mapping[str, Placement] = args.get("placements", {})  # type: ignore[assignment]  # a TypedDict of one type
    return kubernetes.Cluster(
        target=TargetFact(
            kind=target.kind.value,
            connected=target.connected,
            jurisdiction=target.jurisdiction,
            zones=target.failure_domains,
            image_access=target.image_access.value,
            site_registry=target.site_registry,
        ),
        provider=None,
        catalog=load_catalog(lock=Path(lock) if lock else None),
        data_class=args.get("data_class", DataClass.RESTRICTED),
        production=False,
        placements={tier: _placement(chosen.get(tier.value)) for tier in Tier},
        storage_class=target.storage_class,
        storage_encrypted=target.storage_encrypted,
        network_encrypted=target.network_encrypted,
        labels={"app.kubernetes.io/managed-by": "skerry", **args.get("tags", {})},
        relational=_managed(args.get("relational")),
        pubsub=_managed(args.get("pubsub")),
        object_store=_managed(args.get("object_store")),
        api_server=target.api_server_cidrs or kubernetes.PRIVATE_RANGES,
        dns=target.dns_cidrs,
        load_balancer_class=target.load_balancer_class,
    )


def with_pool(cluster: kubernetes.Cluster, args: Cluster, tier: Tier, pool: PoolSpec | None) -> kubernetes.Cluster:
    """Return the cluster with the machines of a tier: by label and taint, unless the program says where it goes."""
    if pool is None:
        return cluster
    placement = placement_of(tier, pool, None)
    if tier.value in args.get("placements", {}):
        chosen = cluster.placements[tier]
        placement = replace(placement, node_selector=chosen.node_selector, tolerations=chosen.tolerations)
    return replace(cluster, placements={**cluster.placements, tier: placement})


def _placement(chosen: Placement | None) -> kubernetes.Placement:
    if chosen is None:
        return kubernetes.Placement(node_selector={})
    tolerations = tuple(dict(one) for one in chosen.get("tolerations", ()))
    return kubernetes.Placement(node_selector=chosen["node_selector"], tolerations=tolerations)


def _managed(args: ManagedService | None) -> kubernetes.ManagedService | None:
    if args is None:
        return None
    attributes: dict[str, pulumi.Input[str]] = {"region": args.get("region", REGION)}
    if "account" in args:
        attributes["account"] = args["account"]
    return kubernetes.ManagedService(
        endpoint=args["endpoint"],
        port=args["port"],
        secret_ref=args.get("secret_ref"),
        network=args.get("network"),
        attributes=attributes,
    )
