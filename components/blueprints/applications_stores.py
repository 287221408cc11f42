"""What the services of a deployment share on a cluster: PostgreSQL, Valkey, an object store and a queue in Valkey.

The queue is a stream of Valkey with one consumer group: at least once. A job belongs to who read it until it is
acknowledged; one that nobody acknowledged for `queue.longest_job_s` is claimed by another (XAUTOCLAIM), and after
`queue.attempts` deliveries it is put into the stream of dead jobs. What does so is the service's own program, by the
variables that it gets here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi

from components.blueprints.backups import backup_store
from components.channels.blob_container import BlobContainer
from components.channels.object_store import DATABASE as METADATA
from components.channels.object_store import ObjectStore
from components.channels.pubsub import PubSub
from components.kubernetes.application_scaling import QueueAddress
from components.kubernetes.cluster import Cluster
from components.kubernetes.workload import EnvValue, Perhaps, SecretKey, port_text
from components.stores.relational import RelationalStore, Sizes
from skerry.application import SECRET_PLACES
from skerry.config.application import ApplicationsSpec, BucketSpec, DatabaseSpec, Need
from skerry.config.spec import DeploymentSpec, ObjectStoreKind, PubSubKind, RelationalKind, StoreSpec
from skerry.facts import Tier

STREAM: Final = "jobs"
GROUP: Final = "workers"
DEAD: Final = "jobs-dead"

OBJECTS_GIB: Final = 20
"""Of the metadata of an object store in the cluster; an estimate of ours."""

MOST_MEMBERS: Final = 3
"""Instances of PostgreSQL over several zones: with two, writes would wait whenever one is away."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where what services share is, as their environment says it."""

    places: Mapping[str, EnvValue]
    variables: Mapping[Need, Mapping[str, EnvValue]]
    queue: QueueAddress | None
    made: Sequence[pulumi.Resource]

    @property
    def told(self) -> dict[str, pulumi.Input[str]]:
        """Return the places as outputs of a stack say them: of what a Secret holds its name, of passwords nothing."""
        found: dict[str, pulumi.Input[str]] = {}
        for place, value in self.places.items():
            if place in SECRET_PLACES:
                continue
            if isinstance(value, SecretKey):
                found[place] = pulumi.Output.concat("<secret ", value.secret, f"/{value.key}>")
            elif isinstance(value, Perhaps):
                found[place] = pulumi.Output.from_input(value.value).apply(lambda known: "" if known is None else known)
            else:
                found[place] = value
        return found


@dataclass(frozen=True, slots=True)
class SharedStores:
    """Which of what services share is asked for, and which of it runs in the cluster."""

    spec: DeploymentSpec
    plan: ApplicationsSpec
    cluster: Cluster
    own_database: bool
    own_cache: bool
    own_objects: bool

    @property
    def runs_postgres(self) -> bool:
        """Whether PostgreSQL runs in the cluster, for the services or for the object store."""
        return self.own_database or self.own_objects

    def make(
        self, *, services: str, shared: str, opts: pulumi.ResourceOptions, depends_on: Sequence[pulumi.Resource]
    ) -> Found:
        """Make what is asked for.

        Args:
            services: the namespace of the services, where the operator of PostgreSQL makes their login.
            shared: the namespace of Valkey and of the object store.
            opts: the options of what stands beside the services.
            depends_on: the operator of PostgreSQL.
        """
        after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=list(depends_on)))
        places: dict[str, EnvValue] = {}
        variables: dict[Need, Mapping[str, EnvValue]] = {}
        made: list[pulumi.Resource] = []
        queue: QueueAddress | None = None
        if self.plan.database is not None:
            database = self._database(self.plan.database, services, after)
            made.append(database)
            places |= _of_database(database, self.plan.database.name, own=self.own_database)
            if database.authority is not None:
                variables[Need.DATABASE] = {"DATABASE_CA": database.authority}
        if self.plan.cache is not None or self.plan.queue is not None:
            cache = self._cache(shared, opts)
            made.append(cache)
            places |= _of_cache(cache)
            if cache.authority is not None and cache.secret_ref is not None:
                variables[Need.CACHE] = {"CACHE_CA": SecretKey(cache.secret_ref, cache.authority)}
            if self.plan.queue is not None:
                queue = _queue(cache)
                places |= {
                    "queue.url": pulumi.Output.concat(cache.scheme, "://", cache.endpoint, f":{cache.port}/0"),
                    "queue.name": STREAM,
                }
                variables[Need.QUEUE] = {**_of_queue(self.plan, queue), **variables.get(Need.CACHE, {})}
        if self.plan.bucket is not None:
            objects = self._objects(self.plan.bucket, shared, after)
            made.append(objects)
            places |= _of_bucket(objects)
            variables[Need.BUCKET] = objects.client_environment()
        return Found(places, variables, queue, made)

    def _database(self, asked: DatabaseSpec, namespace: str, opts: pulumi.ResourceOptions) -> RelationalStore:
        members = 1 if asked.zones == 1 else MOST_MEMBERS
        return RelationalStore(
            "database",
            self.cluster,
            namespace=namespace,
            tier=Tier.META,
            database=asked.name,
            kind=self.spec.meta.relational_kind,
            size=StoreSpec(replicas=members, storage_gib=asked.storage_gib),
            extensions=asked.extensions,
            sizes=Sizes(cpu=str(asked.vcpu), memory=_gib(asked.memory_gib)),
            backup=backup_store(self.spec, self.cluster),
            opts=opts,
        )

    def _cache(self, namespace: str, opts: pulumi.ResourceOptions) -> PubSub:
        asked = self.plan.cache
        channels = self.spec.channels
        if asked is not None:
            channels = channels.model_copy(update={"pubsub_replicas": asked.replicas})
        memory = {"memory": _gib(asked.memory_gib)} if asked is not None else {}
        purpose = " and ".join(
            word for word, wanted in (("cache", asked), ("queue of jobs", self.plan.queue)) if wanted is not None
        )
        return PubSub(
            "cache", self.cluster, namespace=namespace, channels=channels, purpose=purpose, opts=opts, **memory
        )

    def _objects(self, asked: BucketSpec, namespace: str, opts: pulumi.ResourceOptions) -> ObjectStore:
        database = None
        if self.own_objects:
            database = RelationalStore(
                "objects-db",
                self.cluster,
                namespace=namespace,
                tier=Tier.CHANNELS,
                database=METADATA,
                kind=RelationalKind.CLOUDNATIVE_PG,
                size=StoreSpec(replicas=MOST_MEMBERS, storage_gib=OBJECTS_GIB),
                sizes=Sizes(cpu="500m", memory="1Gi"),
                backup=backup_store(self.spec, self.cluster),
                opts=opts,
            )
        channels = self.spec.channels.model_copy(update={"object_store_gib": asked.gib})
        return ObjectStore(
            "objects",
            self.cluster,
            namespace=namespace,
            channels=channels,
            database=database,
            bucket=self.plan.site.name or self.spec.system.value,
            opts=opts,
        )


def shared_stores(spec: DeploymentSpec, plan: ApplicationsSpec, cluster: Cluster) -> SharedStores:
    """Return which of what services share runs in the cluster: what the cloud does not run, or is not to."""
    postgres = cluster.relational is None or spec.meta.relational_kind is RelationalKind.CLOUDNATIVE_PG
    cache = cluster.pubsub is None or spec.channels.pubsub is PubSubKind.VALKEY
    objects = cluster.object_store is None or spec.channels.object_store is ObjectStoreKind.SEAWEEDFS
    return SharedStores(
        spec=spec,
        plan=plan,
        cluster=cluster,
        own_database=plan.database is not None and postgres,
        own_cache=(plan.cache is not None or plan.queue is not None) and cache,
        own_objects=plan.bucket is not None and objects,
    )


def _gib(gib: float) -> str:
    return f"{round(gib * 1024)}Mi"


def _of_database(database: RelationalStore, name: str, *, own: bool) -> dict[str, EnvValue]:
    secret = database.secret_ref or ""
    return {
        "database.host": database.endpoint,
        "database.port": port_text(database.port),
        "database.name": name,
        # CloudNativePG names the role as the database; a managed one says it in its Secret.
        "database.user": name if own else SecretKey(secret, "username"),
        "database.password": SecretKey(secret, "password"),
    }


def _of_cache(cache: PubSub) -> dict[str, EnvValue]:
    found: dict[str, EnvValue] = {
        "cache.scheme": cache.scheme,
        "cache.host": cache.endpoint,
        "cache.port": port_text(cache.port),
        "cache.password": "",
    }
    if cache.secret_ref is not None:
        found["cache.password"] = SecretKey(cache.secret_ref, "password")
    return found


def _queue(cache: PubSub) -> QueueAddress:
    password = SecretKey(cache.secret_ref, "password") if cache.secret_ref is not None else None
    return QueueAddress(
        host=cache.endpoint,
        port=cache.port,
        stream=STREAM,
        group=GROUP,
        tls=cache.scheme == "rediss",
        password=password,
    )


def _of_queue(plan: ApplicationsSpec, queue: QueueAddress) -> dict[str, EnvValue]:
    """Return what a program needs that takes jobs from the stream, or puts some in."""
    asked = plan.queue
    if asked is None:
        return {}
    found: dict[str, EnvValue] = {
        "QUEUE_KIND": "valkey-streams",
        "QUEUE_STREAM": queue.stream,
        "QUEUE_GROUP": queue.group,
        "QUEUE_DEAD_STREAM": DEAD,
        "QUEUE_CLAIM_IDLE_MS": str(asked.longest_job_s * 1000),
        "QUEUE_ATTEMPTS": str(asked.attempts),
        "QUEUE_RETENTION_S": str(asked.retention_days * 86_400),
    }
    if queue.password is not None:
        found["QUEUE_PASSWORD"] = queue.password
    return found


def _of_bucket(objects: ObjectStore) -> dict[str, EnvValue]:
    access = objects.access
    if isinstance(access, BlobContainer):
        # Source: Azure Storage "Naming and referencing containers" (not opened; check before relying on it)
        url = pulumi.Output.concat("https://", access.account, ".blob.core.windows.net")
        return {"bucket.name": access.container, "bucket.endpoint": url, "bucket.region": ""}
    return {
        "bucket.name": access.bucket,
        "bucket.endpoint": access.url if access.url is not None else "",
        "bucket.region": access.region,
    }
