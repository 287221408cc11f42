"""Sensei in mode hybrid: what each side has, and the one way between them.

Rows never leave the customer: pub/sub, Temporal with its PostgreSQL and the object store stand beside the execution
tier. What leaves are calls of the Worker and Validator agents to two names of the vendor, gRPC over TLS; nothing comes
in, so plan updates come back on the streams that the customer's agents opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi

from components.base import SkerryComponent
from components.blueprints.backups import backup_store
from components.blueprints.operators import queue_operator, small_gpus
from components.blueprints.sensei import (
    NAMESPACES,
    addresses,
    channel_environment,
    database_passwords,
    make_channels,
    of_channels,
)
from components.blueprints.services import GATEWAY_NAMESPACE, Beside
from components.channels.object_store import DATABASE as METADATA
from components.channels.object_store import ObjectStore
from components.channels.pubsub import PubSub
from components.channels.rpc import Rpc
from components.channels.vendor_link import VendorLink, vendor_ranges
from components.configuration import FlatConfig, secret_of
from components.kubernetes.cluster import Cluster
from components.kubernetes.tenancy import TierNamespace
from components.kubernetes.workload import EnvValue
from components.services.entrance import CustomerEntrance
from components.services.gateway import API_CLIENTS
from components.stores.relational import RelationalStore
from components.tiers.cognitive import CognitiveTier
from components.tiers.execution import ExecutionTier
from components.tiers.meta import MetaTier
from components.tiers.providers import stack_keys
from skerry.config.hybrid import HybridSide, HybridSpec
from skerry.config.spec import DeploymentSpec, ObjectStoreKind
from skerry.errors import UsageError
from skerry.facts import Tier

ENTRANCE_NAMESPACE: Final = "sensei-entrance"

Outputs = dict[str, pulumi.Input[object]]


def make_side(
    spec: DeploymentSpec,
    cluster: Cluster,
    config: FlatConfig,
    ready: pulumi.ResourceOptions,
    postgres: list[pulumi.Resource],
) -> Outputs:
    """Make channels and tiers of one side, and return the stack's outputs of them.

    Args:
        spec: the checked configuration, in mode hybrid.
        cluster: where they run.
        config: the flat values and secrets beside the configuration.
        ready: the options of what stands beside the tiers.
        postgres: what runs PostgreSQL in the cluster.

    Raises:
        CatalogError: a pin is missing.
        ConfigError: a key is named that the stack does not set.
        SizingError: a model does not fit.
        UsageError: the configuration is of no side.
    """
    hybrid = spec.hybrid
    if hybrid is None:
        raise UsageError("a side of mode hybrid is asked for, and the configuration has none: set hybrid.side")
    if hybrid.side is HybridSide.CUSTOMER:
        return _customer(spec, hybrid, cluster, config, ready, postgres)
    return _vendor(spec, hybrid, cluster, config, ready, postgres)


def _customer(
    spec: DeploymentSpec,
    hybrid: HybridSpec,
    cluster: Cluster,
    config: FlatConfig,
    ready: pulumi.ResourceOptions,
    postgres: list[pulumi.Resource],
) -> Outputs:
    """Make the execution tier with channels of its own, and the way to the vendor."""
    namespace = NAMESPACES[Tier.EXECUTION]
    channels = make_channels(spec, cluster, ready, postgres)
    pubsub, objects, workflows = channels
    ranges = vendor_ranges(hybrid)
    link = VendorLink("vendor-link", cluster, namespace=namespace, spec=hybrid, ranges=ranges, opts=ready)
    small_gpus(spec, cluster, ready)
    execution = ExecutionTier(
        "execution",
        cluster,
        namespace=namespace,
        spec=spec.execution,
        pubsub=pubsub,
        environment={**channel_environment(pubsub, objects, workflows), **link.environment},
        objects=objects,
        passwords=database_passwords(spec, config),
        scaler=queue_operator(spec, cluster, NAMESPACES[Tier.PLATFORM], namespace, ready),
        depends_on=[workflows, link],
        opts=ready,
    )
    parts: dict[str, SkerryComponent] = {"execution": execution, **of_channels(channels)}
    return {"endpoints": addresses(parts), "vendor": {"hosts": link.hosts, "cidrs": ranges}}


def _vendor(
    spec: DeploymentSpec,
    hybrid: HybridSpec,
    cluster: Cluster,
    config: FlatConfig,
    ready: pulumi.ResourceOptions,
    postgres: list[pulumi.Resource],
) -> Outputs:
    """Make the cognitive and the meta tier with channels of their own; no Temporal, which is the customers' alone."""
    pubsub, objects = _vendor_channels(spec, cluster, ready, postgres)
    environment: dict[str, EnvValue] = channel_environment(pubsub, objects, None)
    Rpc("rpc", cluster, namespaces=(NAMESPACES[Tier.COGNITIVE], NAMESPACES[Tier.META]), opts=ready)
    meta = MetaTier(
        "meta",
        cluster,
        namespace=NAMESPACES[Tier.META],
        spec=spec.meta,
        objects=objects,
        environment=environment,
        licences=[row.licence for row in spec.licences],
        backup=backup_store(spec, cluster),
        answers=True,
        depends_on=postgres,
        opts=ready,
    )
    cognitive = CognitiveTier(
        "cognitive",
        cluster,
        namespace=NAMESPACES[Tier.COGNITIVE],
        spec=spec.cognitive,
        objects=objects,
        environment={**environment, **meta.knowledge},
        api_keys={
            name: secret_of(config, key, path, "key") for name, (key, path) in stack_keys(spec.cognitive).items()
        },
        opts=ready,
    )
    parts: dict[str, SkerryComponent] = {
        "cognitive": cognitive, "meta": meta, "pubsub": pubsub, "objects": objects,
    }  # fmt: skip
    entrance = {"domain": hybrid.domain, "cidrs": list(hybrid.entrance_cidrs)}
    return {"endpoints": addresses(parts), "hybrid": entrance}


def _vendor_channels(
    spec: DeploymentSpec, cluster: Cluster, ready: pulumi.ResourceOptions, postgres: list[pulumi.Resource]
) -> tuple[PubSub, ObjectStore]:
    """Make the vendor's own pub/sub and object store, for broadcasts among its agents, weights and what was learnt."""
    namespace = NAMESPACES[Tier.CHANNELS]
    pubsub = PubSub("pubsub", cluster, namespace=namespace, channels=spec.channels, opts=ready)
    database = None
    if cluster.object_store is None or spec.channels.object_store is ObjectStoreKind.SEAWEEDFS:
        database = RelationalStore(
            "objects-db",
            cluster,
            namespace=namespace,
            tier=Tier.CHANNELS,
            database=METADATA,
            kind=spec.meta.relational_kind,
            size=spec.meta.relational,
            backup=backup_store(spec, cluster),
            opts=pulumi.ResourceOptions.merge(ready, pulumi.ResourceOptions(depends_on=postgres)),
        )
    objects = ObjectStore(
        "objects", cluster, namespace=namespace, channels=spec.channels, database=database, opts=ready
    )
    return pubsub, objects


def open_entrance(
    spec: DeploymentSpec,
    cluster: Cluster,
    beside: Beside | None,
    ready: pulumi.ResourceOptions,
    first: Sequence[pulumi.Resource],
) -> None:
    """Open the vendor's side to its customers; a customer's side is open to nobody.

    Args:
        spec: the checked configuration, in mode hybrid.
        cluster: where it runs.
        beside: the services that the stack has; None where it has none.
        ready: the options of what stands beside the tiers.
        first: the namespaces.

    Raises:
        CatalogError: a chart or an image has no row.
    """
    hybrid = spec.hybrid
    if hybrid is None or hybrid.side is HybridSide.CUSTOMER:
        return
    found = beside or Beside()
    namespace, before = GATEWAY_NAMESPACE, list(first)
    if found.gateway is None:
        namespace = ENTRANCE_NAMESPACE
        space = TierNamespace(
            namespace,
            cluster,
            namespace=namespace,
            tier=Tier.PLATFORM,
            flows=(),
            api_clients=API_CLIENTS,
            managed=False,
            load_balancers=1,
            opts=ready,
        )
        before.append(space.made)
    CustomerEntrance(
        "entrance",
        cluster,
        namespace=namespace,
        spec=hybrid,
        backends={"architect": NAMESPACES[Tier.COGNITIVE], "learning": NAMESPACES[Tier.META]},
        issuer=found.issuer,
        controller=found.gateway,
        depends_on=before,
        opts=ready,
    )
