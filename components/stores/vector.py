"""The vector store: Qdrant in the cluster, PostgreSQL with pgvector, or Pinecone at its vendor."""

from __future__ import annotations

import pulumi

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.workload import (
    Container,
    SecretKey,
    Workload,
    host_name,
    hosts_of,
    http_probe,
    service,
    stateful_set,
)
from components.stores.backup import BackupStore
from components.stores.backup_jobs import StoreBackup, qdrant_copier
from components.stores.facts import store_facts
from components.stores.relational import PORT as POSTGRES_PORT
from components.stores.relational import RelationalStore, Sizes
from skerry.config.spec import RelationalKind, StoreSpec, VectorStoreKind
from skerry.facts import ComponentFacts, EndpointFact, ImageFact, Tier

API_KEY_SECRET = "qdrant-api-key"
"""The Kubernetes Secret (key `api-key`) that the site makes before the first deployment."""

PINECONE = "api.pinecone.io"
"""Source: Pinecone API reference, read 2026-11."""

PGVECTOR_STORE, PGVECTOR_DATABASE = "vectors-db", "vectors"
PGVECTOR_SIZES = Sizes(
    cpu="2",
    memory="8Gi",
    # A quarter of the memory for pages, an eighth to build an index of type HNSW, which wants to fit in there.
    # Source: pgvector README "Tuning", "Index Build Time", read 2026-11
    parameters={"shared_buffers": "2GB", "maintenance_work_mem": "1GB", "effective_cache_size": "6GB"},
)
"""What one instance takes: as much as a member of Qdrant."""

PORTS = {"http": 6333, "grpc": 6334, "p2p": 6335}
"""Source: qdrant/qdrant-helm charts/qdrant/values.yaml, read 2026-11."""


class VectorStore(SkerryComponent):
    """Keeps embeddings."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        kind: VectorStoreKind,
        size: StoreSpec,
        relational: RelationalKind = RelationalKind.AUTO,
        backup: BackupStore | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the store, or state that its vendor runs it.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: the namespace of the meta tier.
            kind: which store.
            size: members and volumes.
            relational: who runs PostgreSQL, for pgvector.
            backup: where its backups go; None makes none.
            opts: Pulumi's options.
        """
        if kind is VectorStoreKind.PGVECTOR:
            self._in_postgres(name, cluster, namespace, size, relational, backup, opts)
            return
        if kind is VectorStoreKind.PINECONE:
            super().__init__(name, _hosted(cluster), opts)
            self.finish(endpoint=PINECONE, port=443, secret_ref="pinecone-api-key", metrics_endpoint=None)
            return
        image = cluster.catalog.image("qdrant", cluster.target, "vector store")
        facts = store_facts(
            cluster,
            role="vector-store",
            images=(image,),
            ports=PORTS,
            replicas=size.replicas,
            gib=size.storage_gib,
            quorum=True,
        )
        super().__init__(name, facts, opts)
        workload = _members(cluster, namespace, size, image)
        stateful_set(self, "set", cluster, workload, storage_gib=size.storage_gib, mount="/qdrant/storage")
        service(self, "service", cluster, workload)
        if backup is not None:
            python = cluster.catalog.image("python", cluster.target, "snapshots of the vector store")
            members = ",".join(
                f"http://{host}:{PORTS['http']}" for host in hosts_of("qdrant", namespace, size.replicas)
            )
            copier, program = qdrant_copier(python, members, SecretKey(API_KEY_SECRET, "api-key"))
            StoreBackup(
                self.child_name("backup"),
                cluster,
                what="qdrant",
                method="snapshot",
                namespace=namespace,
                copier=copier,
                # Each member has a copy, so that all members' snapshots can be as large as all their volumes.
                work_gib=size.storage_gib * size.replicas,
                store=backup,
                program=program,
                opts=self.child_options(),
            )
        self.finish(
            endpoint=host_name("qdrant", namespace),
            port=PORTS["http"],
            secret_ref=API_KEY_SECRET,
            metrics_endpoint=f"http://{host_name('qdrant', namespace)}:{PORTS['http']}/metrics",
        )

    def _in_postgres(
        self,
        name: str,
        cluster: Cluster,
        namespace: str,
        size: StoreSpec,
        relational: RelationalKind,
        backup: BackupStore | None,
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        """Keep vectors in a database of PostgreSQL with the extension `vector`."""
        super().__init__(
            name,
            ComponentFacts(
                tier=Tier.META, data_class=cluster.data_class, role="vector-store", ports={"postgresql": POSTGRES_PORT}
            ),
            opts,
        )
        database = RelationalStore(
            PGVECTOR_STORE,
            cluster,
            namespace=namespace,
            tier=Tier.META,
            database=PGVECTOR_DATABASE,
            kind=relational,
            size=size,
            extensions=("vector",),
            sizes=PGVECTOR_SIZES,
            backup=backup,
            opts=self.child_options(),
        )
        self.finish(
            endpoint=database.endpoint,
            port=POSTGRES_PORT,
            secret_ref=database.secret_ref,
            metrics_endpoint=database.metrics_endpoint,
        )


_START = (
    'if [ "${HOSTNAME##*-}" = 0 ]; then exec ./qdrant --uri "http://$HOSTNAME.qdrant-headless:6335"; '
    'else exec ./qdrant --bootstrap "http://qdrant-0.qdrant-headless:6335" '
    '--uri "http://$HOSTNAME.qdrant-headless:6335"; fi'
)


def hosted_endpoints(kind: VectorStoreKind) -> tuple[EndpointFact, ...]:
    """Return the addresses on the internet that clients of the store must reach: none for one in the cluster."""
    if kind is not VectorStoreKind.PINECONE:
        return ()
    return (
        EndpointFact(
            name="pinecone",
            host=PINECONE,
            port=443,
            protocol="https",
            direction="egress",
            scope="internet",
            why="vector store",
        ),
    )


def _hosted(cluster: Cluster) -> ComponentFacts:
    return ComponentFacts(
        tier=Tier.META,
        data_class=cluster.data_class,
        role="vector-store",
        stateful=True,
        vendor_hosted="pinecone",
        endpoints=hosted_endpoints(VectorStoreKind.PINECONE),
    )


def _members(cluster: Cluster, namespace: str, size: StoreSpec, image: ImageFact) -> Workload:
    return Workload(
        name="qdrant",
        namespace=namespace,
        placement=cluster.placements[Tier.META],
        replicas=size.replicas,
        fs_group=3000,
        containers=(
            Container(
                name="qdrant",
                image=image,
                cpu="2",
                memory="8Gi",
                user=1000,
                # Members find the first one by its DNS name.
                # Source: qdrant/qdrant-helm charts/qdrant templates/configmap.yaml and values.yaml (user), read 2026-11
                command=("/bin/sh", "-c"),
                args=(_START,),
                env={
                    "QDRANT__CLUSTER__ENABLED": "true",
                    "QDRANT__SERVICE__API_KEY": SecretKey(API_KEY_SECRET, "api-key"),
                    "QDRANT__STORAGE__SNAPSHOTS_PATH": "/qdrant/storage/snapshots",
                    "QDRANT_INIT_FILE_PATH": "/qdrant/storage/.qdrant-initialized",
                },
                ports=PORTS,
                readiness=http_probe("http", "/readyz", periodSeconds=5),
                liveness=http_probe("http", "/livez", periodSeconds=10),
                mounts={"tmp": "/tmp"},
            ),
        ),
    )
