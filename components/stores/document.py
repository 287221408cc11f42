"""The document store: MongoDB as a replica set."""

from __future__ import annotations

from pathlib import Path

import pulumi

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.workload import (
    Container,
    EnvValue,
    SecretKey,
    Workload,
    config_map,
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
INITIATE_MAP = "mongodb-initiate"

_INITIATE = (
    "until mongosh --quiet --host localhost --file /program/initiate.js; do sleep 5; done; "
    # It may be asked again only with a new pod; a sidecar that ends would be started again and again.
    "trap exit TERM; while :; do sleep 3600 & wait; done"
)


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
        """Make the replica set's members; beside each a program initiates the set and makes its first user, once.

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
        members = ",".join(f"{host}:{PORT}" for host in hosts_of("mongodb", namespace, size.replicas))
        workload = _members(cluster, namespace, size, image, members)
        program = Path(__file__).with_name("mongodb_initiate.js").read_text(encoding="utf-8")
        config_map(self, "initiate", cluster, namespace, INITIATE_MAP, {"initiate.js": program})
        stateful_set(self, "set", cluster, workload, storage_gib=size.storage_gib, mount="/data/db")
        service(self, "service", cluster, workload)
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


def _initiator(image: ImageFact, members: str) -> Container:
    return Container(
        name="initiate",
        image=image,
        cpu="20m",
        memory="256Mi",
        user=999,
        command=("/bin/sh", "-c"),
        args=(_INITIATE,),
        env={"DOCUMENTS_HOSTS": members, "DOCUMENTS_REPLICA_SET": REPLICA_SET, "HOME": "/tmp", **_login()},
        # Kubernetes' own HOSTNAME may be the machine's: the program asks for the pod's.
        fields={"HOSTNAME": "metadata.name"},
        mounts={"tmp": "/tmp", "program": "/program"},
    )


def _members(cluster: Cluster, namespace: str, size: StoreSpec, image: ImageFact, members: str) -> Workload:
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
        config_maps={"program": INITIATE_MAP},
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
            _initiator(image, members),
        ),
    )
