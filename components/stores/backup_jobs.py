"""Backups by schedule: PostgreSQL by its operator's plugin, the others by pods that copy and prune.

Each pod first writes a whole copy into a volume of its own, then uploads it, and only then takes away what is older
than is asked, so that the last good copy is never among what goes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.batch.v1 import CronJob

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.workload import (
    HOST_LABEL,
    Container,
    EnvValue,
    SecretKey,
    Workload,
    config_map,
    metadata,
)
from components.stores import file_copies, qdrant_snapshots
from components.stores.backup import BackupStore
from skerry.facts import ImageFact, Tier

BARMAN_PLUGIN: Final = "barman-cloud.cloudnative-pg.io"
"""Source: plugin-barman-cloud v0.13.0 internal/cnpgi/metadata/constants.go, read 2026-11."""

OBJECT_STORE_API: Final = "barmancloud.cnpg.io/v1"
SCHEDULE_API: Final = "postgresql.cnpg.io/v1"
DAY_S: Final = 86_400
LATE_S: Final = 3_600
"""How late a run may begin; later it is left out, and the next one is awaited."""

LONGEST_S: Final = 6 * 3_600
"""A run that takes longer is stuck."""

WORK: Final = "/backup"
RCLONE_USER: Final = 65532

_UPLOAD: Final = (
    'to="store:$BUCKET/$PREFIX"; at="$(date -u +%Y%m%dT%H%M%SZ)"; '
    'find /backup -type f | grep -q . || { echo "there is nothing to keep" >&2; exit 1; }; '
    'rclone copy /backup "$to/$at" --immutable && rclone check /backup "$to/$at" --one-way --download && '
    'rclone delete "$to" --min-age "$KEEP" && rclone rmdirs "$to" --leave-root'
)
"""Upload, compare byte by byte, and only then prune. Tried with rclone 1.60 against SeaweedFS and moto, 2026-11."""


class PostgresBackup(SkerryComponent):
    """Archives the write-ahead log of one PostgreSQL cluster, and copies it whole by schedule."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        postgres: str,
        namespace: str,
        tier: Tier,
        store: BackupStore,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare where its backups go; the Cluster names this object as its archiver.

        Args:
            name: the component's name, and the `ObjectStore`'s.
            cluster: where it runs.
            postgres: the Cluster of CloudNativePG.
            namespace: where that lives.
            tier: the tier of its owner.
            store: where backups go.
            opts: Pulumi's options.
        """
        facts = store.facts(
            cluster, tier, method="wal-archive", images=(), recovery_point_s=store.asked.archive_timeout_s
        )
        super().__init__(name, facts, opts)
        labels = dict(cluster.labels)
        CustomResource(
            self.child_name("store"),
            api_version=OBJECT_STORE_API,
            kind="ObjectStore",
            metadata={"name": name, "namespace": namespace, "labels": labels},
            spec=store.barman(),
            opts=self.child_options(),
        )
        CustomResource(
            self.child_name("schedule"),
            api_version=SCHEDULE_API,
            kind="ScheduledBackup",
            metadata={"name": name, "namespace": namespace, "labels": labels},
            spec={
                # Six fields: seconds first. Source: cloudnative-pg v1.30.0 docs/src/backup.md, read 2026-11
                "schedule": f"0 {store.asked.schedule}",
                "immediate": True,
                "backupOwnerReference": "self",
                "cluster": {"name": postgres},
                "method": "plugin",
                "pluginConfiguration": {"name": BARMAN_PLUGIN},
            },
            opts=self.child_options(),
        )
        store.open_way(self, cluster, namespace, {"cnpg.io/cluster": postgres})
        self.finish()


class StoreBackup(SkerryComponent):
    """Copies one store by schedule: a pod takes the copy, uploads it, and prunes."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        what: str,
        method: str,
        namespace: str,
        copier: Container,
        work_gib: int,
        store: BackupStore,
        program: str | None = None,
        volume_of: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the schedule.

        Args:
            name: the component's name.
            cluster: where it runs.
            what: the store's name; also the folder of its copies.
            method: how the copy is taken, for the readers.
            namespace: where the store lives.
            copier: writes the copy into `/backup`.
            work_gib: the size of that volume.
            store: where backups go.
            program: a program that the copier mounts at `/program`.
            volume_of: the pod of a StatefulSet whose volume the copier mounts as `data`, on the pod's own machine.
            opts: Pulumi's options.
        """
        uploader = cluster.catalog.image("rclone", cluster.target, "upload of backups")
        facts = store.facts(cluster, Tier.META, method=method, images=(copier.image, uploader), recovery_point_s=DAY_S)
        super().__init__(name, facts, opts)
        pod = f"{what}-backup"
        maps = {}
        if program is not None:
            config_map(self, "program", cluster, namespace, pod, {"main.py": program})
            maps["program"] = pod
        workload = Workload(
            name=pod,
            namespace=namespace,
            placement=cluster.placements[Tier.META],
            replicas=1,
            spread=False,
            # Without a Secret of keys the pods have the identity of the service account.
            service_account="default" if store.secret is not None else "agents",
            fs_group=copier.user,
            config_maps=maps,
            init=(copier,),
            containers=(_uploader(uploader, what, store),),
        )
        CronJob(
            self.child_name("schedule"),
            metadata=metadata(cluster, workload),
            spec=_spec(cluster, workload, work_gib, store, volume_of),
            opts=self.child_options(),
        )
        store.open_way(self, cluster, namespace, workload.labels())
        self.finish()


def _uploader(image: ImageFact, what: str, store: BackupStore) -> Container:
    mounts = {"tmp": "/tmp", "work": WORK}
    if store.authority:
        mounts["authority"] = "/authority"
    return Container(
        name="upload",
        image=image,
        cpu="100m",
        memory="512Mi",
        user=RCLONE_USER,
        command=("/bin/sh", "-c"),
        args=(_UPLOAD,),
        env={
            **store.client_environment(),
            "PREFIX": f"{store.prefix}/{what}",
            "KEEP": f"{store.asked.retention_days}d",
        },
        mounts=mounts,
    )


def _spec(
    cluster: Cluster, workload: Workload, work_gib: int, store: BackupStore, volume_of: str | None
) -> dict[str, Any]:
    template = workload.template(cluster)
    pod = template["spec"]
    pod["restartPolicy"] = "Never"
    claim: dict[str, Any] = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": f"{work_gib}Gi"}}}
    if cluster.storage_class is not None:
        claim["storageClassName"] = cluster.storage_class
    # A copy lies on a volume of the class of the store itself, which encrypts where that does, and goes with the pod.
    pod["volumes"].append({"name": "work", "ephemeral": {"volumeClaimTemplate": {"spec": claim}}})
    if volume_of is not None:
        # A volume for one machine may be mounted by two pods there. Source: Kubernetes "Persistent Volumes", access
        # modes, read 2026-11
        pod["volumes"].append({"name": "data", "persistentVolumeClaim": {"claimName": f"data-{volume_of}"}})
        pods = {"matchLabels": {"statefulset.kubernetes.io/pod-name": volume_of}}
        term = {"labelSelector": pods, "topologyKey": HOST_LABEL}
        pod["affinity"] = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    if store.authority:
        items = [{"key": "ca.crt", "path": "ca.crt"}]
        pod["volumes"].append({"name": "authority", "secret": {"secretName": store.secret, "items": items}})
    return {
        "schedule": store.asked.schedule,
        "timeZone": "Etc/UTC",
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": LATE_S,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 3,
        "jobTemplate": {
            "spec": {"backoffLimit": 2, "activeDeadlineSeconds": LONGEST_S, "template": template},
        },
    }


def files_copier(image: ImageFact, user: int) -> tuple[Container, str]:
    """Return what copies the files of a replica, by the user that they belong to, and its program."""
    copier = Container(
        name="copy",
        image=image,
        cpu="100m",
        memory="256Mi",
        user=user,
        command=("python3", "-I", "/program/main.py"),
        env={"DATA": "/data", "WORK": WORK},
        mounts={"tmp": "/tmp", "work": WORK, "program": "/program", "data": "/data"},
    )
    return copier, Path(file_copies.__file__).read_text(encoding="utf-8")


def qdrant_copier(image: ImageFact, members: str, key: SecretKey) -> tuple[Container, str]:
    """Return what fetches a snapshot of each collection from each member, and its program."""
    copier = Container(
        name="copy",
        image=image,
        cpu="100m",
        memory="256Mi",
        command=("python3", "/program/main.py"),
        env={"MEMBERS": members, "API_KEY": key, "WORK": WORK},
        mounts={"tmp": "/tmp", "work": WORK, "program": "/program"},
    )
    return copier, Path(qdrant_snapshots.__file__).read_text(encoding="utf-8")


def neo4j_copier(image: ImageFact, members: str) -> Container:
    """Return what takes a full online backup of every database, from whichever member answers.

    Source: Neo4j operations manual 5 "Back up an online database", read 2026-11.
    """
    return Container(
        name="copy",
        image=image,
        cpu="500m",
        memory="2Gi",
        user=7474,
        writable_root=True,
        command=("/bin/sh", "-ec"),
        args=('exec neo4j-admin database backup --from="$MEMBERS" --to-path=/backup --type=FULL --compress=true "*"',),
        env={"MEMBERS": members, "HEAP_SIZE": "1G"},
        mounts={"tmp": "/tmp", "work": WORK},
    )


def mongodb_copier(image: ImageFact, hosts: str, login: dict[str, EnvValue]) -> Container:
    """Return what dumps every database of the replica set with what was written meanwhile, from a secondary.

    The password goes in by a file, since arguments are seen by whoever lists processes.
    Source: MongoDB "mongodump" (--oplog, --config, --gzip, --archive), read 2026-11.
    """
    script = (
        'umask 077; printf \'password: "%s"\\n\' "$DOCUMENTS_PASSWORD" > /tmp/login.yaml; '
        'exec mongodump --config=/tmp/login.yaml --host="$DOCUMENTS" --username="$DOCUMENTS_USER" '
        "--authenticationDatabase=admin --readPreference=secondaryPreferred --oplog --gzip "
        "--archive=/backup/documents.archive.gz"
    )
    return Container(
        name="copy",
        image=image,
        cpu="500m",
        memory="1Gi",
        user=999,
        command=("/bin/sh", "-ec"),
        args=(script,),
        env={"DOCUMENTS": hosts, **login},
        mounts={"tmp": "/tmp", "work": WORK},
    )
