"""The document store: MongoDB as a replica set."""

from __future__ import annotations

import pulumi

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.workload import (
    Container,
    EnvValue,
    SecretKey,
    Workload,
    hosts_of,
    service,
    stateful_set,
    tcp_probe,
)
from components.stores.backup import BackupStore
from components.stores.backup_jobs import StoreBackup, mongodb_copier
from components.stores.facts import store_facts
from skerry.config.spec import StoreSpec
from skerry.facts import ImageFact, Tier

AUTH_SECRET = "mongodb-auth"
"""The Kubernetes Secret (keys `username`, `password`, `keyfile`) that the site makes before the first deployment."""

PORT = 27017
REPLICA_SET = "knowledge"


class DocumentStore(SkerryComponent):
    """Keeps documents."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        size: StoreSpec,
        backup: BackupStore | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the replica set's members; the site initiates the set once, as docs/sites.md says.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: the namespace of the meta tier.
            size: members and volumes.
            backup: where its backups go; None makes none.
            opts: Pulumi's options.
        """
        image = cluster.catalog.image("mongodb", cluster.target, "document store")
        facts = store_facts(
            cluster,
            role="document-store",
            images=(image,),
            ports={"mongodb": PORT},
            replicas=size.replicas,
            gib=size.storage_gib,
            quorum=True,
        )
        super().__init__(name, facts, opts)
        workload = _members(cluster, namespace, size, image)
        stateful_set(self, "set", cluster, workload, storage_gib=size.storage_gib, mount="/data/db")
        service(self, "service", cluster, workload)
        members = ",".join(f"{host}:{PORT}" for host in hosts_of("mongodb", namespace, size.replicas))
        if backup is not None:
            StoreBackup(
                self.child_name("backup"),
                cluster,
                what="mongodb",
                method="dump",
                namespace=namespace,
                copier=mongodb_copier(image, f"{REPLICA_SET}/{members}", _login()),
                work_gib=size.storage_gib,
                store=backup,
                opts=self.child_options(),
            )
        self.finish(endpoint=members, port=PORT, secret_ref=AUTH_SECRET, metrics_endpoint=None)


def _login() -> dict[str, EnvValue]:
    return {
        "DOCUMENTS_USER": SecretKey(AUTH_SECRET, "username"),
        "DOCUMENTS_PASSWORD": SecretKey(AUTH_SECRET, "password"),
    }


def _keyfile(image: ImageFact) -> Container:
    """Copy the key file so that only its owner may read it: mongod refuses a group-readable one."""
    return Container(
        name="keyfile",
        image=image,
        cpu="50m",
        memory="64Mi",
        user=999,
        command=("/bin/sh", "-c"),
        args=("install -m 0400 /auth/keyfile /key/keyfile",),
        mounts={"auth": "/auth", "key": "/key"},
    )


def _members(cluster: Cluster, namespace: str, size: StoreSpec, image: ImageFact) -> Workload:
    return Workload(
        name="mongodb",
        namespace=namespace,
        placement=cluster.placements[Tier.META],
        replicas=size.replicas,
        fs_group=999,
        termination_grace_s=120,
        empty_dirs=("tmp", "key"),
        init=(_keyfile(image),),
        secrets={"auth": AUTH_SECRET},
        containers=(
            Container(
                name="mongodb",
                image=image,
                cpu="2",
                memory="8Gi",
                user=999,
                command=("mongod",),
                args=("--replSet", REPLICA_SET, "--bind_ip_all", "--auth", "--keyFile", "/key/keyfile"),
                ports={"mongodb": PORT},
                startup=tcp_probe("mongodb", periodSeconds=10, failureThreshold=30),
                readiness=tcp_probe("mongodb", periodSeconds=10),
                liveness=tcp_probe("mongodb", periodSeconds=20, failureThreshold=6),
                mounts={"tmp": "/tmp", "key": "/key"},
            ),
        ),
    )
