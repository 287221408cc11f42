"""The object store: the cloud's own, or SeaweedFS in the cluster. Durable; latency of about 100 ms is expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pulumi

from components.base import SkerryComponent
from components.channels.blob_container import BlobContainer, ObjectProtocol
from components.kubernetes.cluster import Cluster, ManagedService, ServiceAddress
from components.kubernetes.workload import (
    Container,
    EnvValue,
    Perhaps,
    SecretKey,
    Workload,
    config_map,
    deployment,
    host_name,
    hosts_of,
    http_probe,
    login,
    port_text,
    service,
    stateful_set,
    tcp_probe,
)
from components.stores.facts import store_facts
from skerry.config.spec import ChannelsSpec, ObjectStoreKind
from skerry.errors import UsageError
from skerry.facts import ComponentFacts, ImageFact, Tier

CREDENTIALS_SECRET = "object-store"
"""The Kubernetes Secret that the site makes in each tier's namespace: `access-key`, `secret-key`, and `s3.json`."""

MASTER_PORT, VOLUME_PORT, FILER_PORT, S3_PORT = 9333, 8080, 8888, 8333
"""Source: seaweedfs/seaweedfs k8s/charts/seaweedfs/values.yaml (4.44.0) and weed/command, read 2026-11."""

METRICS_PORT = 9327
"""Where each part tells its metrics, when somebody collects them; source as above."""

BUCKET = "sensei"
REGION = "us-east-1"
"""What clients sign for where the store has no regions."""

GOOGLE_URL = "https://storage.googleapis.com"
"""Where Cloud Storage answers clients of S3, with keys of an account (HMAC)."""

CHECKSUMS = ("AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION")
"""What clients of S3 add by themselves since 2025, and Cloud Storage refuses as a wrong signature.

Source: boto/boto3 issue 4400 and gramps-project/gramps-web-api pull request 758, read 2026-11.
"""

MASTERS = 3
"""Masters elect a leader by majority."""

GATEWAYS = 2
DATABASE = "objects"
FILER_MAP = "seaweedfs-filer"

_FILER = f"""[postgres2]
enabled = true
database = "{DATABASE}"
sslmode = "require"
connection_max_open = 50
enableUpsert = true
upsertQuery = \"\"\"
INSERT INTO "%[1]s" (dirhash, name, directory, meta) VALUES ($1, $2, $3, $4)
ON CONFLICT (dirhash, name) DO UPDATE SET meta = EXCLUDED.meta WHERE "%[1]s".meta != EXCLUDED.meta
\"\"\"
createTable = \"\"\"
CREATE TABLE IF NOT EXISTS "%s" (
  dirhash BIGINT, name VARCHAR(65535), directory VARCHAR(65535), meta bytea, PRIMARY KEY (dirhash, name)
);
\"\"\"
"""
"""One table of metadata for all gateways: with a file each, one would not know what was written through the other.

Address and login come as WEED_POSTGRES2_*, which win over the file.
Source: seaweedfs/seaweedfs weed/command/scaffold/filer.toml and weed/util/config.go, read 2026-11.
"""

REPLICATION = "010"
"""One further copy on another rack. Source: seaweedfs/seaweedfs README.md (010), read 2026-11."""


class ObjectAccess(Protocol):
    """How pods reach an object store, whoever runs it."""

    @property
    def protocol(self) -> ObjectProtocol:
        """What clients speak."""

    @property
    def by_identity(self) -> bool:
        """Whether pods reach it by the identity of their service account, rather than by keys of a Secret."""

    def client_environment(self) -> dict[str, EnvValue]:
        """Return the environment that clients read."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket as pods reach it, whoever runs it."""

    bucket: pulumi.Input[str]
    """Its name."""
    region: pulumi.Input[str]
    """The region that clients sign for."""
    url: pulumi.Input[str] | None = None
    """Where it answers; None for S3 of AWS."""
    secret_ref: pulumi.Input[str] | None = None
    """Name of the Kubernetes Secret with `access-key` and `secret-key`; None where pods have an identity."""

    @property
    def protocol(self) -> ObjectProtocol:
        """What clients speak."""
        return ObjectProtocol.S3

    @property
    def by_identity(self) -> bool:
        """Whether pods reach it by the identity of their service account."""
        return self.secret_ref is None

    def client_environment(self) -> dict[str, EnvValue]:
        """Return the environment that S3 clients read; at the cloud identity comes from the service account."""
        found: dict[str, EnvValue] = {"BUCKET": self.bucket}
        if isinstance(self.url, pulumi.Output):
            absent = self.url.apply(lambda url: "regional" if url is None else None)
            found |= {"AWS_ENDPOINT_URL": Perhaps(self.url), "AWS_REGION": self.region}
            found["AWS_S3_US_EAST_1_REGIONAL_ENDPOINT"] = Perhaps(absent)
            return {**found, **self._keys()}
        if self.url is None:
            # In us-east-1 clients else call a global name, which no endpoint inside a network answers to.
            # Source: botocore 1.44.5 configprovider.py, s3.us_east_1_regional_endpoint, read 2026-11
            return {
                **found,
                "AWS_REGION": self.region,
                "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT": "regional",
                **self._keys(),
            }
        found |= {"AWS_ENDPOINT_URL": self.url, "AWS_REGION": self.region}
        if self.url == GOOGLE_URL:
            found |= dict.fromkeys(CHECKSUMS, "when_required")
        return {**found, **self._keys()}

    def _keys(self) -> dict[str, EnvValue]:
        keys = {"AWS_ACCESS_KEY_ID": "access-key", "AWS_SECRET_ACCESS_KEY": "secret-key"}
        secret = self.secret_ref
        if secret is None:
            return {}
        if isinstance(secret, pulumi.Output):
            return {name: Perhaps(secret, key) for name, key in keys.items()}
        return {name: SecretKey(secret, key) for name, key in keys.items()}


class ObjectStore(SkerryComponent):
    """Keeps snapshots, checkpoints, artefacts and model weights."""

    access: Bucket | BlobContainer
    """How pods reach it."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        channels: ChannelsSpec,
        database: ServiceAddress | None,
        bucket: str = BUCKET,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the store, or take the cloud's.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: the namespace of the channels.
            channels: who runs it, and its size.
            database: a PostgreSQL with the database `objects`, where a store in the cluster keeps its metadata.
            bucket: what the bucket of a store in the cluster is called.
            opts: Pulumi's options.

        Raises:
            UsageError: a store in the cluster has no database.
        """
        managed = cluster.object_store if channels.object_store is not ObjectStoreKind.SEAWEEDFS else None
        if managed is not None:
            facts = ComponentFacts(
                tier=Tier.CHANNELS,
                data_class=cluster.data_class,
                role="object-store-client",
                guarantee="durable",
                # The base stack's bucket or account refuses anything but TLS.
                encrypted_in_transit=True,
            )
            super().__init__(name, facts, opts)
            self.access = _managed(managed)
            self.finish(
                endpoint=managed.endpoint, port=managed.port, secret_ref=managed.secret_ref, metrics_endpoint=None
            )
            return
        if database is None:
            raise UsageError("a store of objects in the cluster has no database for its metadata: pass a PostgreSQL")
        image = cluster.catalog.image("seaweedfs", cluster.target, "object store")
        super().__init__(name, _facts(cluster, channels, image), opts)
        url = f"http://{host_name('seaweedfs-s3', namespace)}:{S3_PORT}"
        self.access = Bucket(bucket, REGION, url, CREDENTIALS_SECRET)
        self._make(cluster, namespace, channels, image, database)
        self.finish(
            endpoint=host_name("seaweedfs-s3", namespace),
            port=S3_PORT,
            secret_ref=CREDENTIALS_SECRET,
            metrics_endpoint=None,
        )

    @property
    def protocol(self) -> ObjectProtocol:
        """What clients speak."""
        return self.access.protocol

    @property
    def by_identity(self) -> bool:
        """Whether pods reach it by the identity of their service account."""
        return self.access.by_identity

    def client_environment(self) -> dict[str, EnvValue]:
        """Return the environment that clients read."""
        return self.access.client_environment()

    def _make(
        self, cluster: Cluster, namespace: str, channels: ChannelsSpec, image: ImageFact, database: ServiceAddress
    ) -> None:
        masters = ",".join(f"{host}:{MASTER_PORT}" for host in hosts_of("seaweedfs-master", namespace, MASTERS))
        self._keep(
            _part(cluster, namespace, image, "master", MASTERS, {"master": MASTER_PORT}, (
                "master", "-mdir=/data", *_own("master", namespace), f"-peers={masters}",
                f"-defaultReplication={REPLICATION}",
            )), cluster, "master", 10)  # fmt: skip
        self._keep(
            _part(cluster, namespace, image, "volume", channels.object_store_replicas, {"volume": VOLUME_PORT}, (
                "volume", "-dir=/data", "-max=0", f"-master={masters}", "-rack=$(NODE_NAME)",
                *_own("volume", namespace),
            )), cluster, "volume",
            max(channels.object_store_gib * 2 // channels.object_store_replicas, 1))  # fmt: skip
        config_map(self, "filer", cluster, namespace, FILER_MAP, {"filer.toml": _FILER})
        gateway = _part(cluster, namespace, image, "s3", GATEWAYS, {"s3": S3_PORT, "filer": FILER_PORT}, (
            "filer", "-s3", f"-s3.port={S3_PORT}", "-s3.config=/config/s3.json", f"-master={masters}",
            "-ip=$(POD_IP)", "-ip.bind=0.0.0.0",
        ), database)  # fmt: skip
        deployment(self, "s3", cluster, gateway)
        service(self, "service", cluster, gateway)

    def _keep(self, workload: Workload, cluster: Cluster, role: str, gib: int) -> None:
        stateful_set(self, role, cluster, workload, storage_gib=gib, mount="/data")


def _managed(service: ManagedService) -> Bucket | BlobContainer:
    """Return how pods reach the cloud's store; one that names an account is Azure's."""
    where = service.attributes
    if "account" in where:
        return BlobContainer(where["account"], service.endpoint)
    return Bucket(service.endpoint, where.get("region", ""), where.get("url"), service.secret_ref)


def _own(role: str, namespace: str) -> tuple[str, str]:
    """Return how a member says who it is.

    A master that does not find its own address among the peers, letter by letter, counts itself a fourth.
    Source: seaweedfs/seaweedfs weed/command/master.go (checkPeers), read 2026-11.
    """
    return f"-ip=$(POD_NAME).{host_name(f'seaweedfs-{role}-headless', namespace)}", "-ip.bind=0.0.0.0"


def _part(
    cluster: Cluster,
    namespace: str,
    image: ImageFact,
    role: str,
    replicas: int,
    ports: Mapping[str, int],
    args: tuple[str, ...],
    database: ServiceAddress | None = None,
) -> Workload:
    """Return the pods of one part; with `database` those that keep their metadata there and answer S3."""
    first = next(iter(ports))
    if cluster.monitored:
        args, ports = (*args, f"-metricsPort={METRICS_PORT}"), {**ports, "metrics": METRICS_PORT}
    env: dict[str, EnvValue] = {}
    mounts = {"tmp": "/tmp"}
    if database is not None:
        mounts |= {"config": "/config", "filer": "/etc/seaweedfs", "data": "/data"}
        env = {
            "WEED_POSTGRES2_HOSTNAME": database.endpoint,
            "WEED_POSTGRES2_PORT": port_text(database.port),
            "WEED_POSTGRES2_USERNAME": login(database, "username"),
            "WEED_POSTGRES2_PASSWORD": login(database, "password"),
        }
    container = Container(
        name="weed",
        image=image,
        cpu="500m",
        memory="2Gi",
        command=("weed",),
        args=("-logtostderr=true", *args),
        env=env,
        ports=ports,
        fields={"POD_NAME": "metadata.name", "POD_IP": "status.podIP", "NODE_NAME": "spec.nodeName"},
        readiness=tcp_probe(first, periodSeconds=10),
        liveness=http_probe(first, "/cluster/status", periodSeconds=30)
        if role == "master"
        else tcp_probe(first, periodSeconds=30),
        mounts=mounts,
    )
    return Workload(
        name=f"seaweedfs-{role}",
        namespace=namespace,
        placement=cluster.placements[Tier.CHANNELS],
        replicas=replicas,
        empty_dirs=("tmp", "data") if database is not None else ("tmp",),
        secrets={"config": CREDENTIALS_SECRET} if database is not None else {},
        config_maps={"filer": FILER_MAP} if database is not None else {},
        containers=(container,),
    )


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
