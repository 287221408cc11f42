"""The stores, for every Pulumi language."""

from collections.abc import Sequence
from typing import Final, NotRequired, TypedDict

import pulumi

from components.base import SkerryComponent
from components.package.addresses import Bucket, Database, bucket_of, database_of
from components.package.cluster import Cluster, cluster_of
from components.package.remote import Remote
from components.package.specs import StoreSize
from components.stores import document, experiments, graph, relational, vector
from skerry.config.load import load_part
from skerry.config.spec import RelationalKind, StoreSpec, VectorStoreKind
from skerry.facts import Tier

META_FIELDS: Final = {
    "VectorStoreArgs": {"kind": "vector_store", "size": "vector"},
    "GraphStoreArgs": {"size": "graph"},
    "DocumentStoreArgs": {"size": "documents"},
    "RelationalStoreArgs": {"kind": "relational_kind", "size": "relational"},
}
"""Argument -> field of `MetaSpec`."""


class VectorStoreArgs(TypedDict):
    """What a VectorStore takes."""

    cluster: Cluster
    """Where it runs."""
    namespace: str
    """The namespace of the meta tier, which exists."""
    kind: NotRequired[VectorStoreKind]
    """Which vector store."""
    size: NotRequired[StoreSize]
    """Size of the vector store."""


class VectorStore(Remote):
    """Keeps embeddings: Qdrant in the cluster, or Pinecone at its vendor."""

    endpoint: pulumi.Output[str]
    """Host name."""
    port: pulumi.Output[int]
    """TCP port, HTTP."""
    secret_ref: pulumi.Output[str]
    """Name of the Kubernetes Secret with its credentials."""
    metrics_endpoint: pulumi.Output[str] | None
    """URL of its metrics; absent where it has none of its own."""

    def __init__(self, name: str, args: VectorStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: VectorStoreArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the store."""
        return vector.VectorStore(
            name,
            cluster_of(args["cluster"]),
            namespace=args["namespace"],
            kind=args.get("kind", VectorStoreKind.QDRANT),
            size=_size(args.get("size")),
            opts=opts,
        )


class GraphStoreArgs(TypedDict):
    """What a GraphStore takes."""

    cluster: Cluster
    """Where it runs."""
    namespace: str
    """The namespace of the meta tier, which exists."""
    size: NotRequired[StoreSize]
    """Size of Neo4j."""


class GraphStore(Remote):
    """Keeps the knowledge graph: Neo4j as a cluster of members."""

    endpoint: pulumi.Output[str]
    """Host name."""
    port: pulumi.Output[int]
    """TCP port, Bolt."""
    secret_ref: pulumi.Output[str]
    """Name of the Kubernetes Secret with its credentials."""
    metrics_endpoint: pulumi.Output[str] | None
    """URL of its metrics; absent where it has none of its own."""

    def __init__(self, name: str, args: GraphStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: GraphStoreArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the members."""
        return graph.GraphStore(
            name,
            cluster_of(args["cluster"]),
            namespace=args["namespace"],
            size=_size(args.get("size")),
            opts=opts,
        )


class DocumentStoreArgs(TypedDict):
    """What a DocumentStore takes."""

    cluster: Cluster
    """Where it runs."""
    namespace: str
    """The namespace of the meta tier, which exists."""
    size: NotRequired[StoreSize]
    """Size of MongoDB."""


class DocumentStore(Remote):
    """Keeps documents: MongoDB as a replica set, which a program beside its members initiates once."""

    endpoint: pulumi.Output[str]
    """`host:port` of each member, with commas between."""
    port: pulumi.Output[int]
    """TCP port."""
    secret_ref: pulumi.Output[str]
    """Name of the Kubernetes Secret with its credentials."""
    metrics_endpoint: pulumi.Output[str] | None
    """URL of its metrics; absent where it has none of its own."""

    def __init__(self, name: str, args: DocumentStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: DocumentStoreArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the members."""
        return document.DocumentStore(
            name,
            cluster_of(args["cluster"]),
            namespace=args["namespace"],
            size=_size(args.get("size")),
            opts=opts,
        )


class RelationalStoreArgs(TypedDict):
    """What a RelationalStore takes."""

    cluster: Cluster
    """Where it runs."""
    namespace: str
    """Where its owner lives; it exists."""
    tier: Tier
    """The tier of its owner."""
    database: str
    """The owner's database, and the name of its role."""
    more_databases: NotRequired[Sequence[str]]
    """Further databases of the same role; left out, none."""
    kind: NotRequired[RelationalKind]
    """Who runs PostgreSQL for Temporal and MLflow."""
    size: NotRequired[StoreSize]
    """Size of PostgreSQL."""


class RelationalStore(Remote):
    """Keeps relations for one owner: PostgreSQL by CloudNativePG in the cluster, or the managed one."""

    endpoint: pulumi.Output[str]
    """Host name of the primary."""
    port: pulumi.Output[int]
    """TCP port."""
    secret_ref: pulumi.Output[str]
    """Name of the Kubernetes Secret with `username`, `password` and `uri`."""
    metrics_endpoint: pulumi.Output[str] | None
    """URL of its metrics; absent where it has none of its own."""

    def __init__(self, name: str, args: RelationalStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: RelationalStoreArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the store; the operator of CloudNativePG must be in the cluster."""
        return relational.RelationalStore(
            name,
            cluster_of(args["cluster"]),
            namespace=args["namespace"],
            tier=args["tier"],
            database=args["database"],
            kind=args.get("kind", RelationalKind.AUTO),
            size=_size(args.get("size")),
            more_databases=args.get("more_databases", ()),
            opts=opts,
        )


class ExperimentTrackerArgs(TypedDict):
    """What an ExperimentTracker takes."""

    cluster: Cluster
    """Where it runs."""
    namespace: str
    """The namespace of the meta tier, which exists."""
    database: Database
    """Where runs are kept."""
    objects: Bucket
    """Where artefacts are kept."""


class ExperimentTracker(Remote):
    """Keeps runs and metrics: MLflow over PostgreSQL and the object store."""

    endpoint: pulumi.Output[str]
    """Host name."""
    port: pulumi.Output[int]
    """TCP port, HTTP."""
    secret_ref: pulumi.Output[str]
    """Name of the Kubernetes Secret with its credentials; absent where none is needed."""
    metrics_endpoint: pulumi.Output[str] | None
    """URL of its metrics; absent where it has none of its own."""

    def __init__(self, name: str, args: ExperimentTrackerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: ExperimentTrackerArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the server."""
        return experiments.ExperimentTracker(
            name,
            cluster_of(args["cluster"]),
            namespace=args["namespace"],
            database=database_of(args["database"]),
            objects=bucket_of(args["objects"]),
            opts=opts,
        )


def _size(args: StoreSize | None) -> StoreSpec:
    return load_part(StoreSpec, args or {}, "size")
