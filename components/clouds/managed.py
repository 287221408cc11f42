"""The stores that a cloud runs for the cluster: which they are, and what the readers are told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from skerry.config.spec import DeploymentSpec, ObjectStoreKind, PubSubKind, RelationalKind
from skerry.facts import ComponentFacts, Tier


@dataclass(frozen=True, slots=True)
class ManagedStores:
    """Which stores the cloud runs; the others run in the cluster."""

    relational: bool
    object_store: bool
    pubsub: bool


def managed_stores(spec: DeploymentSpec) -> ManagedStores:
    """Return what the configuration leaves to the cloud: all but what is named otherwise."""
    return ManagedStores(
        relational=spec.meta.relational_kind is not RelationalKind.CLOUDNATIVE_PG,
        object_store=spec.channels.object_store is not ObjectStoreKind.SEAWEEDFS,
        pubsub=spec.channels.pubsub is not PubSubKind.VALKEY,
    )


def relational_facts(spec: DeploymentSpec, port: int) -> ComponentFacts:
    """Return the facts of a managed PostgreSQL with a standby in another zone."""
    return ComponentFacts(
        tier=Tier.CHANNELS,
        data_class=spec.data_class,
        role="relational-store",
        stateful=True,
        replicas=2,
        failure_domains=2,
        encrypted_at_rest=True,
        encrypted_in_transit=True,
        ports={"postgresql": port},
    )


def pubsub_facts(spec: DeploymentSpec, members: int, ports: Mapping[str, int]) -> ComponentFacts:
    """Return the facts of a managed Redis or Valkey over several zones."""
    return ComponentFacts(
        tier=Tier.CHANNELS,
        data_class=spec.data_class,
        role="pubsub",
        stateful=True,
        replicas=members,
        failure_domains=min(members, len(spec.target.failure_domains)),
        encrypted_at_rest=True,
        encrypted_in_transit=True,
        guarantee="at-most-once",
        ports=dict(ports),
    )


def object_facts(spec: DeploymentSpec) -> ComponentFacts:
    """Return the facts of a cloud's bucket."""
    return ComponentFacts(
        tier=Tier.CHANNELS,
        data_class=spec.data_class,
        role="object-store",
        stateful=True,
        encrypted_at_rest=True,
        encrypted_in_transit=True,
        guarantee="durable",
    )
