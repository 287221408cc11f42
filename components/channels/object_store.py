"""The object store: S3 of the cloud, or SeaweedFS in the cluster. Durable; latency of about 100 ms is expected."""

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
    tcp_probe,
)
from components.stores.facts import store_facts
from skerry.config.spec import ChannelsSpec, ObjectStoreKind
from skerry.facts import ComponentFacts, ImageFact, Tier

CREDENTIALS_SECRET = "object-store"
"""The Kubernetes Secret that the site makes in each tier's namespace: `access-key`, `secret-key`, and `s3.json`."""

MASTER_PORT, VOLUME_PORT, FILER_PORT, S3_PORT = 9333, 8080, 8888, 8333
"""Source: seaweedfs/seaweedfs k8s/charts/seaweedfs/values.yaml (4.44.0) and weed/command, read 2026-11."""

BUCKET = "sensei"
MASTERS = 3
"""Masters elect a leader by majority."""

REPLICATION = "010"
"""One further copy on another rack. Source: seaweedfs/seaweedfs README.md (010), read 2026-11."""


class ObjectStore(SkerryComponent):
    """Keeps snapshots, checkpoints, artefacts and model weights."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        channels: ChannelsSpec,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the store, or take the cloud's.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: the namespace of the channels.
            channels: who runs it, and its size.
            opts: Pulumi's options.
        """
        managed = cluster.object_store if channels.object_store is not ObjectStoreKind.SEAWEEDFS else None
        self._managed = managed
        if managed is not None:
            facts = ComponentFacts(
                tier=Tier.CHANNELS,
                data_class=cluster.data_class,
                role="object-store-client",
                guarantee="durable",
                # The base stack's bucket policy refuses anything but TLS.
                encrypted_in_transit=True,
            )
            super().__init__(name, facts, opts)
            self._bucket: pulumi.Input[str] = managed.endpoint
            self._region: pulumi.Input[str] = managed.attributes.get("region", "")
            self.finish(
                endpoint=managed.endpoint, port=managed.port, secret_ref=managed.secret_ref, metrics_endpoint=None
            )
            return
        image = cluster.catalog.image("seaweedfs", cluster.target, "object store")
        super().__init__(name, _facts(cluster, channels, image), opts)
        self._bucket = BUCKET
        self._make(cluster, namespace, channels, image)
        self._url = f"http://{host_name('seaweedfs-s3', namespace)}:{S3_PORT}"
        self.finish(
            endpoint=host_name("seaweedfs-s3", namespace),
            port=S3_PORT,
            secret_ref=CREDENTIALS_SECRET,
            metrics_endpoint=None,
        )

    def client_environment(self) -> dict[str, pulumi.Input[str] | SecretKey]:
        """Return the environment that S3 clients read; at the cloud identity comes from the service account."""
        if self._managed is not None:
            return {"BUCKET": self._bucket, "AWS_REGION": self._region}
        return {
            "BUCKET": BUCKET,
            "AWS_ENDPOINT_URL": self._url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": SecretKey(CREDENTIALS_SECRET, "access-key"),
            "AWS_SECRET_ACCESS_KEY": SecretKey(CREDENTIALS_SECRET, "secret-key"),
        }

    def _make(self, cluster: Cluster, namespace: str, channels: ChannelsSpec, image: ImageFact) -> None:
        masters = ",".join(f"{host}:{MASTER_PORT}" for host in hosts_of("seaweedfs-master", namespace, MASTERS))

        def own(role: str) -> tuple[str, str]:
            # A master that does not find its own address among the peers, letter by letter, counts itself a fourth.
            # Source: seaweedfs/seaweedfs weed/command/master.go (checkPeers), read 2026-11
            return f"-ip=$(POD_NAME).{host_name(f'seaweedfs-{role}-headless', namespace)}", "-ip.bind=0.0.0.0"

        parts: tuple[tuple[str, int, dict[str, int], int, str, tuple[str, ...], dict[str, str]], ...] = (
            ("master", MASTERS, {"master": MASTER_PORT}, 10, "/data",
             ("master", "-mdir=/data", *own("master"), f"-peers={masters}",
              f"-defaultReplication={REPLICATION}"), {}),
            ("volume", channels.object_store_replicas, {"volume": VOLUME_PORT},
             max(channels.object_store_gib * 2 // channels.object_store_replicas, 1), "/data",
             ("volume", "-dir=/data", "-max=0", f"-master={masters}", "-rack=$(NODE_NAME)", *own("volume")), {}),
            ("s3", 2, {"s3": S3_PORT, "filer": FILER_PORT}, 20, "/data",
             ("filer", "-s3", f"-s3.port={S3_PORT}", "-s3.config=/config/s3.json", "-defaultStoreDir=/data",
              f"-master={masters}", *own("s3")), {"config": CREDENTIALS_SECRET}),
        )  # fmt: skip
        for role, replicas, ports, gib, mount, args, secrets in parts:
            first = next(iter(ports))
            workload = Workload(
                name=f"seaweedfs-{role}",
                namespace=namespace,
                placement=cluster.placements[Tier.CHANNELS],
                replicas=replicas,
                secrets=secrets,
                containers=(
                    Container(
                        name="weed",
                        image=image,
                        cpu="500m",
                        memory="2Gi",
                        command=("weed",),
                        args=("-logtostderr=true", *args),
                        ports=ports,
                        fields={"POD_NAME": "metadata.name", "NODE_NAME": "spec.nodeName"},
                        readiness=tcp_probe(first, periodSeconds=10),
                        liveness=http_probe(first, "/cluster/status", periodSeconds=30)
                        if role == "master"
                        else tcp_probe(first, periodSeconds=30),
                        mounts={"tmp": "/tmp", **dict.fromkeys(secrets, "/config")},
                    ),
                ),
            )
            stateful_set(self, role, cluster, workload, storage_gib=gib, mount=mount)
            if role == "s3":
                service(self, "service", cluster, workload)


def _facts(cluster: Cluster, channels: ChannelsSpec, image: ImageFact) -> ComponentFacts:
    return store_facts(
        cluster,
        tier=Tier.CHANNELS,
        role="object-store",
        images=(image,),
        ports={"s3": S3_PORT, "filer": FILER_PORT, "master": MASTER_PORT, "volume": VOLUME_PORT},
        replicas=MASTERS,
        gib=channels.object_store_gib,
        copies=2,
        kind="bucket",
        quorum=True,
        guarantee="durable",
    )
