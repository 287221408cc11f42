"""The vector store: Qdrant in the cluster, or Pinecone at its vendor."""

from __future__ import annotations

import pulumi

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.workload import (
    Container,
    SecretKey,
    Workload,
    host_name,
    http_probe,
    service,
    stateful_set,
)
from components.stores.facts import store_facts
from skerry.config.spec import StoreSpec, VectorStoreKind
from skerry.facts import ComponentFacts, EndpointFact, ImageFact, Tier

API_KEY_SECRET = "qdrant-api-key"
"""The Kubernetes Secret (key `api-key`) that the site makes before the first deployment."""

PINECONE = "api.pinecone.io"
"""Source: Pinecone API reference, read 2026-11."""

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
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the store, or state that its vendor runs it.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: the namespace of the meta tier.
            kind: which store.
            size: members and volumes.
            opts: Pulumi's options.
        """
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
        self.finish(
            endpoint=host_name("qdrant", namespace),
            port=PORTS["http"],
            secret_ref=API_KEY_SECRET,
            metrics_endpoint=f"http://{host_name('qdrant', namespace)}:{PORTS['http']}/metrics",
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
