"""The stores that a cloud runs for the cluster: which they are, and what the readers are told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from skerry.application import application_of
from skerry.config.application import Access, Need, Protocol
from skerry.config.hybrid import HybridSide
from skerry.config.sides import side_of
from skerry.config.spec import DeploymentSpec, Mode, ObjectStoreKind, PubSubKind, RelationalKind, System
from skerry.facts import BackupFact, ComponentFacts, StorageFact, Tier
from skerry.systems.plans import plan_of

MANAGED_RECOVERY_S: Final = 300
"""How much a managed PostgreSQL may lose when it is brought back to a moment: logs go out each five minutes.

Source: Amazon RDS "Restoring a DB instance to a specified time" (five minutes); of Cloud SQL and Azure the same is
assumed (not opened; check before relying on it).
"""


@dataclass(frozen=True, slots=True)
class ManagedStores:
    """Which stores the cloud runs; the others run in the cluster."""

    relational: bool
    object_store: bool
    pubsub: bool


def managed_stores(spec: DeploymentSpec) -> ManagedStores:
    """Return what the configuration leaves to the cloud: all but what is named otherwise.

    Services without tiers have only what they share, and a bucket where backups are to go to the deployment's own.
    """
    plan = plan_of(spec)
    saved = spec.backup is not None and spec.backup.store is None
    relational = plan is None or plan.database is not None
    objects = plan is None or plan.bucket is not None or saved
    pubsub = plan is None or plan.cache is not None or plan.queue is not None
    return ManagedStores(
        relational=relational and spec.meta.relational_kind is not RelationalKind.CLOUDNATIVE_PG,
        object_store=objects and spec.channels.object_store is not ObjectStoreKind.SEAWEEDFS,
        pubsub=pubsub and spec.channels.pubsub is not PubSubKind.VALKEY,
    )


def relational_gib(spec: DeploymentSpec) -> int:
    """Return the space of PostgreSQL in GiB: what services ask for, else what the meta tier does."""
    plan = plan_of(spec)
    if plan is None or plan.database is None:
        return spec.meta.relational.storage_gib
    return plan.database.storage_gib


def relational_type(spec: DeploymentSpec, default: str) -> str:
    """Return the cloud's name of the size of PostgreSQL: the one that services name, else the default."""
    plan = plan_of(spec)
    named = plan.database.instance_type if plan is not None and plan.database is not None else None
    return named or default


def pubsub_members(spec: DeploymentSpec) -> int:
    """Return the members of the cache: what services ask for, else what the channels do."""
    plan = plan_of(spec)
    return spec.channels.pubsub_replicas if plan is None or plan.cache is None else plan.cache.replicas


def iops_of(spec: DeploymentSpec) -> tuple[int, ...]:
    """Return the operations a second that services ask of their volumes, each once."""
    plan = plan_of(spec)
    asked = (row.storage_iops for row in plan.services.values()) if plan is not None else ()
    return tuple(sorted({one for one in asked if one is not None}))


def meshes_of(spec: DeploymentSpec) -> dict[str, tuple[int, str]]:
    """Return the address range of each other region -> port and protocol by which services copy to it."""
    plan = plan_of(spec)
    found: dict[str, tuple[int, str]] = {}
    for name, row in plan.services.items() if plan is not None else ():
        ports = application_of(name, row).definition.ports.values()
        port = next((one for one in ports if one.between_replicas), None)
        if row.mesh is not None and port is not None:
            protocol = "udp" if port.protocol is Protocol.UDP else "tcp"
            found |= dict.fromkeys(row.mesh.cidrs, (port.port, protocol))
    return found


def service_namespaces(spec: DeploymentSpec) -> tuple[str, ...]:
    """Return the namespaces of services with an identity at the cloud; none where a deployment has tiers."""
    return (f"{spec.system.value}-services",) if plan_of(spec) is not None else ()


def bucket_users(spec: DeploymentSpec) -> dict[str, Access | None]:
    """Return the services that reach the bucket -> what each may do there, None for both ways; none with tiers."""
    plan = plan_of(spec)
    found: dict[str, Access | None] = {}
    for name, row in plan.services.items() if plan is not None else ():
        definition = application_of(name, row).definition
        if Need.BUCKET in definition.needs:
            found[name] = definition.access.get(Need.BUCKET)
    return found


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
        backup=_managed_backup(spec),
        storage=_agreed_space(spec, "database", relational_gib(spec), copies=2),
    )


def _agreed_space(spec: DeploymentSpec, kind: str, gib: int, copies: int = 1) -> tuple[StorageFact, ...]:
    """Return the space of a store where the mode is sold with a figure for it; where the vendor hosts, nobody says."""
    hosted = spec.mode is Mode.SAAS or side_of(spec) is HybridSide.VENDOR
    if spec.system is not System.SENSEI or hosted:
        return ()
    return (StorageFact(kind=kind, gib=gib, copies=copies),)


def backup_days(spec: DeploymentSpec, default: int, least: int = 1) -> int:
    """Return for how many days a cloud keeps backups of its PostgreSQL."""
    return default if spec.backup is None else max(spec.backup.retention_days, least)


def backup_start(spec: DeploymentSpec, default: str | None) -> str | None:
    """Return when a cloud may begin a backup, as HH:MM in UTC: as the schedule says, where it names one time a day."""
    if spec.backup is None:
        return default
    minute, hour = spec.backup.schedule.split()[:2]
    return f"{int(hour):02d}:{int(minute):02d}" if hour.isdigit() and minute.isdigit() else default


def _managed_backup(spec: DeploymentSpec) -> BackupFact | None:
    if spec.backup is None:
        return None
    return BackupFact(
        method="managed",
        destination=f"backups of {spec.target.kind.value} in {spec.target.region}",
        jurisdiction=spec.target.jurisdiction,
        schedule=spec.backup.schedule,
        retention_days=spec.backup.retention_days,
        recovery_point_s=MANAGED_RECOVERY_S,
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
    """Return the facts of a cloud's bucket, which has no bound itself: its space is what the deployment plans."""
    return ComponentFacts(
        tier=Tier.CHANNELS,
        data_class=spec.data_class,
        role="object-store",
        stateful=True,
        encrypted_at_rest=True,
        encrypted_in_transit=True,
        guarantee="durable",
        storage=_agreed_space(spec, "bucket", spec.channels.object_store_gib),
    )
