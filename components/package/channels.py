"""The channels between tiers, for every Pulumi language."""

from collections.abc import Sequence
from typing import Final, NotRequired, TypedDict

import pulumi

from components.base import SkerryComponent
from components.channels import object_store, pubsub, rpc, workflows
from components.channels.blob_container import BlobContainer
from components.package.addresses import Database, database_of, part_of
from components.package.cluster import Cluster, cluster_of
from components.package.remote import Remote, with_outputs
from skerry.config.spec import ChannelsSpec, ObjectStoreKind, PubSubKind
from skerry.errors import ConfigError, Problem

PUBSUB_FIELDS: Final = {"kind": "pubsub", "replicas": "pubsub_replicas", "failover": "pubsub_failover"}
WORKFLOWS_FIELDS: Final = {"replicas": "temporal_replicas", "history_shards": "temporal_history_shards"}
OBJECT_STORE_FIELDS: Final = {
    "kind": "object_store",
    "gib": "object_store_gib",
    "replicas": "object_store_replicas",
}
"""Argument -> field of `ChannelsSpec`; the three tables together name each field once."""


class PubSubArgs(TypedDict):
    """What a PubSub takes."""

    cluster: Cluster
    """Where it runs."""
    namespace: str
    """The namespace of the channels, which exists."""
    kind: NotRequired[PubSubKind]
    """Broadcasts, at most once; never for migration state."""
    replicas: NotRequired[int]
    """Members of Valkey."""
    failover: NotRequired[bool]
    """True runs a Sentinel beside each member of Valkey, to make another the primary; a managed one elects its own."""


class PubSub(Remote):
    """Broadcasts between the tiers, and head state of Ray: Valkey in the cluster, or the managed one. At most once."""

    endpoint: pulumi.Output[str]
    """Host name."""
    port: pulumi.Output[int]
    """TCP port."""
    secret_ref: pulumi.Output[str] | None
    """Name of the Kubernetes Secret with its credentials; absent where none is needed."""
    metrics_endpoint: pulumi.Output[str] | None
    """URL of its metrics; absent where it has none of its own."""
    scheme: pulumi.Output[str]
    """`redis`, or `rediss` where it speaks TLS."""

    def __init__(self, name: str, args: PubSubArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: PubSubArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the channel."""
        channels = part_of(ChannelsSpec, args, PUBSUB_FIELDS)
        return pubsub.PubSub(
            name, cluster_of(args["cluster"]), namespace=args["namespace"], channels=channels, opts=opts
        )


class WorkflowsArgs(TypedDict):
    """What Workflows take."""

    cluster: Cluster
    """Where they run."""
    namespace: str
    """The namespace of the channels, which exists."""
    database: Database
    """A PostgreSQL with the databases `temporal` and `temporal_visibility`."""
    replicas: NotRequired[int]
    """Replicas of each Temporal service."""
    history_shards: NotRequired[int]
    """Fixed for the life of the deployment."""


class Workflows(Remote):
    """Durable workflows: Temporal over a PostgreSQL. Exactly once."""

    endpoint: pulumi.Output[str]
    """Host name of the frontend."""
    port: pulumi.Output[int]
    """TCP port, gRPC."""
    secret_ref: pulumi.Output[str] | None
    """Name of the Kubernetes Secret with its credentials; absent where none is needed."""
    metrics_endpoint: pulumi.Output[str] | None
    """URL of its metrics; absent where it has none of its own."""

    def __init__(self, name: str, args: WorkflowsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: WorkflowsArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make schema, services and user interface."""
        return workflows.Workflows(
            name,
            cluster_of(args["cluster"]),
            namespace=args["namespace"],
            channels=part_of(ChannelsSpec, args, WORKFLOWS_FIELDS),
            database=database_of(args["database"]),
            opts=opts,
        )


class ObjectStoreArgs(TypedDict):
    """What an ObjectStore takes."""

    cluster: Cluster
    """Where it runs."""
    namespace: str
    """The namespace of the channels, which exists."""
    kind: NotRequired[ObjectStoreKind]
    """Snapshots, checkpoints, large files."""
    gib: NotRequired[int]
    """Space for objects in GiB."""
    replicas: NotRequired[int]
    """Volume servers of SeaweedFS."""
    database: NotRequired[Database]
    """A PostgreSQL with the database `objects` for the metadata of a store in the cluster; left out for the cloud's."""


class ObjectStore(Remote):
    """Keeps snapshots, checkpoints, artefacts and model weights: SeaweedFS in the cluster, or the managed one."""

    endpoint: pulumi.Output[str]
    """Host name, or bucket name of a managed store."""
    port: pulumi.Output[int]
    """TCP port."""
    secret_ref: pulumi.Output[str] | None
    """Name of the Kubernetes Secret with its credentials; absent where none is needed."""
    metrics_endpoint: pulumi.Output[str] | None
    """URL of its metrics; absent where it has none of its own."""
    bucket: pulumi.Output[str]
    """The bucket's name, or the container's on Azure."""
    region: pulumi.Output[str]
    """The region that clients sign for; empty on Azure."""
    url: pulumi.Output[str] | None
    """Where it answers; absent for S3 of AWS."""

    def __init__(self, name: str, args: ObjectStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: ObjectStoreArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the store."""
        channels = part_of(ChannelsSpec, args, OBJECT_STORE_FIELDS)
        cluster = cluster_of(args["cluster"])
        own = cluster.object_store is None or channels.object_store is ObjectStoreKind.SEAWEEDFS
        database = args.get("database")
        problems = []
        if own and database is None:
            problems.append(Problem("database", "is required by a store in the cluster", "name a PostgreSQL"))
        if own and channels.object_store_replicas < 2:
            problems.append(
                Problem("replicas", "is 1, but each object has a copy on a second machine", "use 2 or more")
            )
        if problems:
            raise ConfigError(name, problems)
        made = object_store.ObjectStore(
            name,
            cluster,
            namespace=args["namespace"],
            channels=channels,
            database=database_of(database or {"endpoint": "", "secret_ref": ""}),
            opts=opts,
        )
        access = made.access
        if isinstance(access, BlobContainer):
            return with_outputs(made, bucket=access.container, region="", url=None)
        return with_outputs(made, bucket=access.bucket, region=access.region, url=access.url)


class RpcArgs(TypedDict):
    """What an Rpc takes."""

    cluster: Cluster
    """Where it is."""
    namespaces: Sequence[str]
    """The namespaces that get the retry policy; the first is that of the agents who are escalated to."""


class Rpc(Remote):
    """Hands both tiers one retry policy for gRPC: request and response."""

    endpoint: pulumi.Output[str]
    """Host name of the architects."""
    port: pulumi.Output[int]
    """TCP port, gRPC."""
    secret_ref: pulumi.Output[str] | None
    """Name of the Kubernetes Secret with its credentials; absent where none is needed."""
    metrics_endpoint: pulumi.Output[str] | None
    """URL of its metrics; absent where it has none of its own."""

    def __init__(self, name: str, args: RpcArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: RpcArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Write the policy into each namespace."""
        if not args["namespaces"]:
            raise ConfigError(name, [Problem("namespaces", "is empty", "name at least one")])
        return rpc.Rpc(name, cluster_of(args["cluster"]), namespaces=tuple(args["namespaces"]), opts=opts)
