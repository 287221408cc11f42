"""PostgreSQL: CloudNativePG in the cluster, or the cloud's managed one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.batch.v1 import Job

from components.base import SkerryComponent
from components.kubernetes.cluster import ZONE_LABEL, Cluster
from components.kubernetes.workload import (
    HOST_LABEL,
    Container,
    SecretKey,
    Workload,
    host_name,
    metadata,
    spread_constraints,
)
from components.stores.backup import BackupStore
from components.stores.backup_jobs import BARMAN_PLUGIN, PostgresBackup
from components.stores.facts import store_facts
from skerry.config.spec import RelationalKind, StoreSpec
from skerry.facts import ComponentFacts, ImageFact, Tier

PORT = 5432
API_VERSION = "postgresql.cnpg.io/v1"
"""Source: cloudnative-pg v1.30.0 config/crd/bases, read 2026-11."""

AUTHORITY = "ca.crt"
"""Key of the Secret `<cluster>-ca` with the certificate that vouches for the servers of CloudNativePG.

Source: cloudnative-pg v1.30.0 docs/src/certificates.md, read 2026-11.
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What one instance of PostgreSQL takes."""

    cpu: str = "1"
    memory: str = "4Gi"
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Of PostgreSQL; left out, its own defaults."""


class RelationalStore(SkerryComponent):
    """Keeps relations for one owner; `secret_ref` names a Secret with `username`, `password` and `uri`.

    CloudNativePG makes that Secret; with a managed service the site, or External Secrets, makes it.
    """

    authority: SecretKey | None = None
    """The certificate of the authority that vouches for the server; None where nobody hands it to pods."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        tier: Tier,
        database: str,
        kind: RelationalKind,
        size: StoreSpec,
        more_databases: Sequence[str] = (),
        extensions: Sequence[str] = (),
        sizes: Sizes | None = None,
        backup: BackupStore | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the store, or take the managed one.

        Args:
            name: the component's name, and the cluster's in Kubernetes.
            cluster: where it runs.
            namespace: where its owner lives.
            tier: the tier of its owner.
            database: the owner's database, and the name of its role.
            kind: who runs it.
            size: instances and volumes.
            more_databases: further databases of the same role.
            extensions: what `database` is extended by; the image, or the cloud, must hold them.
            sizes: what an instance takes; left out, what suits the platform's own databases.
            backup: where its backups go; None makes none. A managed service makes its own.
            opts: Pulumi's options.
        """
        managed = cluster.relational if kind is not RelationalKind.CLOUDNATIVE_PG else None
        if managed is not None:
            why = "extensions of the managed PostgreSQL"
            client = cluster.catalog.image("postgresql", cluster.target, why) if extensions else None
            facts = ComponentFacts(
                tier=tier,
                data_class=cluster.data_class,
                role="relational-client",
                ports={"postgresql": PORT},
                images=(client,) if client else (),
            )
            super().__init__(name, facts, opts)
            if client:
                self._extend(cluster, namespace, name, client, extensions)
            self.finish(endpoint=managed.endpoint, port=managed.port, secret_ref=f"{name}-app", metrics_endpoint=None)
            return
        image = cluster.catalog.image("postgresql", cluster.target, f"PostgreSQL for {database}")
        super().__init__(name, _facts(cluster, tier, size, image), opts)
        self._own(
            cluster,
            namespace,
            name,
            database,
            _spec(cluster, name, image.deployed_as, database, size, sizes or Sizes(), backup),
            {**({database: extensions} if extensions else {}), **dict.fromkeys(more_databases, ())},
        )
        if backup is not None:
            PostgresBackup(
                self.child_name("backup"),
                cluster,
                postgres=name,
                namespace=namespace,
                tier=tier,
                store=backup,
                opts=self.child_options(),
            )
        self.authority = SecretKey(f"{name}-ca", AUTHORITY)
        self.finish(
            endpoint=host_name(f"{name}-rw", namespace),
            port=PORT,
            secret_ref=f"{name}-app",
            metrics_endpoint=f"http://{host_name(f'{name}-rw', namespace)}:9187/metrics",
        )

    def authority_of(self, added: bool) -> SecretKey | None:
        """Return the certificate that vouches for the server: CloudNativePG's own, or the one that the site added."""
        if self.authority is not None or not added or self.secret_ref is None:
            return self.authority
        return SecretKey(self.secret_ref, AUTHORITY)

    def _own(
        self,
        cluster: Cluster,
        namespace: str,
        name: str,
        owner: str,
        spec: Mapping[str, Any],
        databases: Mapping[str, Sequence[str]],
    ) -> None:
        """Make a cluster of CloudNativePG, and of its databases those that need more than it makes by itself."""
        described = {"name": name, "namespace": namespace, "labels": dict(cluster.labels)}
        made = CustomResource(
            self.child_name("cluster"),
            api_version=API_VERSION,
            kind="Cluster",
            metadata=described,
            spec=dict(spec),
            opts=self.store_options(),
        )
        for database, extensions in databases.items():
            slug = database.replace("_", "-")
            of_it: dict[str, Any] = {
                "name": database,
                "owner": owner,
                "cluster": {"name": name},
                "databaseReclaimPolicy": "retain",
            }
            if extensions:
                of_it["extensions"] = [{"name": one} for one in extensions]
            CustomResource(
                self.child_name(slug),
                api_version=API_VERSION,
                kind="Database",
                metadata={**described, "name": f"{name}-{slug}"},
                spec=of_it,
                opts=self.store_options(depends_on=[made]),
            )

    def _extend(
        self, cluster: Cluster, namespace: str, name: str, client: ImageFact, extensions: Sequence[str]
    ) -> None:
        """Make the extensions of a managed database, by the login of its owner; it may be run again.

        Each cloud holds pgvector; Azure also wants it on the list of its server, which the base stack sets.
        """
        orders = " ".join(f"-c 'CREATE EXTENSION IF NOT EXISTS {one}'" for one in extensions)
        container = Container(
            name="extensions",
            image=client,
            cpu="50m",
            memory="128Mi",
            user=26,  # Source: cloudnative-pg/postgres-containers Dockerfile, USER, read 2026-11
            command=("/bin/sh", "-ec"),
            args=(f'exec psql "$URI" -v ON_ERROR_STOP=1 {orders}',),
            env={"URI": SecretKey(f"{name}-app", "uri"), "PGSSLMODE": "require"},
            mounts={"tmp": "/tmp"},
        )
        workload = Workload(
            name=f"{name}-extensions",
            namespace=namespace,
            placement=cluster.placements[Tier.META],
            replicas=1,
            spread=False,
            containers=(container,),
        )
        template = workload.template(cluster)
        template["spec"]["restartPolicy"] = "OnFailure"
        Job(
            self.child_name("extensions"),
            metadata=metadata(cluster, workload),
            spec={"backoffLimit": 20, "template": template},
            opts=self.child_options(),
        )


def _facts(cluster: Cluster, tier: Tier, size: StoreSpec, image: ImageFact) -> ComponentFacts:
    facts = store_facts(
        cluster,
        tier=tier,
        role="relational-store",
        images=(image,),
        ports={"postgresql": PORT},
        replicas=size.replicas,
        gib=size.storage_gib,
        # One primary and synchronous standbys: CloudNativePG elects through the API server, so no majority is needed.
        quorum=False,
    )
    # CloudNativePG gives every instance a certificate, and `pg_hba` refuses whoever does not use it.
    return facts.model_copy(update={"encrypted_in_transit": True})


def _spec(
    cluster: Cluster,
    name: str,
    image: str,
    database: str,
    size: StoreSpec,
    sizes: Sizes,
    backup: BackupStore | None,
) -> dict[str, Any]:
    placement = cluster.placements[Tier.META]
    storage: dict[str, Any] = {"size": f"{size.storage_gib}Gi"}
    if cluster.storage_class is not None:
        storage["storageClass"] = cluster.storage_class
    spec: dict[str, Any] = {
        "instances": size.replicas,
        "imageName": image,
        "storage": storage,
        "bootstrap": {"initdb": {"database": database, "owner": database}},
        "resources": {"requests": {"cpu": sizes.cpu, "memory": sizes.memory}, "limits": {"memory": sizes.memory}},
        "affinity": {
            "nodeSelector": dict(placement.node_selector),
            "tolerations": [dict(toleration) for toleration in placement.tolerations],
            "enablePodAntiAffinity": True,
            "podAntiAffinityType": "preferred",
            "topologyKey": ZONE_LABEL if cluster.failure_domains > 1 else HOST_LABEL,
        },
        "topologySpreadConstraints": spread_constraints({"cnpg.io/cluster": name}, cluster.failure_domains),
    }
    # Source: cloudnative-pg docs/src/postgresql_conf.md, "The pg_hba section", read 2026-11
    spec["postgresql"] = {"pg_hba": ["hostnossl all all all reject"]}
    if size.replicas > 1:
        spec["postgresql"]["synchronous"] = {"method": "any", "number": 1}
    parameters = dict(sizes.parameters)
    if backup is not None:
        parameters["archive_timeout"] = f"{backup.asked.archive_timeout_s}s"
        spec["plugins"] = [
            {"name": BARMAN_PLUGIN, "isWALArchiver": True, "parameters": {"barmanObjectName": f"{name}-backup"}}
        ]
    if parameters:
        spec["postgresql"]["parameters"] = parameters
    return spec
