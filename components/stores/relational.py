"""PostgreSQL: CloudNativePG in the cluster, or the cloud's managed one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.base import SkerryComponent
from components.kubernetes.cluster import ZONE_LABEL, Cluster
from components.kubernetes.workload import HOST_LABEL, host_name, spread_constraints
from components.stores.facts import store_facts
from skerry.config.spec import RelationalKind, StoreSpec
from skerry.facts import ComponentFacts, ImageFact, Tier

PORT = 5432
API_VERSION = "postgresql.cnpg.io/v1"
"""Source: cloudnative-pg v1.30.0 config/crd/bases, read 2026-11."""


class RelationalStore(SkerryComponent):
    """Keeps relations for one owner; `secret_ref` names a Secret with `username`, `password` and `uri`.

    CloudNativePG makes that Secret; with a managed service the site, or External Secrets, makes it.
    """

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
            opts: Pulumi's options.
        """
        managed = cluster.relational if kind is not RelationalKind.CLOUDNATIVE_PG else None
        if managed is not None:
            facts = ComponentFacts(
                tier=tier, data_class=cluster.data_class, role="relational-client", ports={"postgresql": PORT}
            )
            super().__init__(name, facts, opts)
            self.finish(endpoint=managed.endpoint, port=managed.port, secret_ref=f"{name}-app", metrics_endpoint=None)
            return
        image = cluster.catalog.image("postgresql", cluster.target, f"PostgreSQL for {database}")
        super().__init__(name, _facts(cluster, tier, size, image), opts)
        metadata = {"name": name, "namespace": namespace, "labels": dict(cluster.labels)}
        made = CustomResource(
            self.child_name("cluster"),
            api_version=API_VERSION,
            kind="Cluster",
            metadata=metadata,
            spec=_spec(cluster, name, image.deployed_as, database, size),
            opts=self.store_options(),
        )
        for extra in more_databases:
            slug = extra.replace("_", "-")
            CustomResource(
                self.child_name(slug),
                api_version=API_VERSION,
                kind="Database",
                metadata={**metadata, "name": f"{name}-{slug}"},
                spec={"name": extra, "owner": database, "cluster": {"name": name}, "databaseReclaimPolicy": "retain"},
                opts=self.store_options(depends_on=[made]),
            )
        self.finish(
            endpoint=host_name(f"{name}-rw", namespace),
            port=PORT,
            secret_ref=f"{name}-app",
            metrics_endpoint=f"http://{host_name(f'{name}-rw', namespace)}:9187/metrics",
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


def _spec(cluster: Cluster, name: str, image: str, database: str, size: StoreSpec) -> dict[str, Any]:
    placement = cluster.placements[Tier.META]
    storage: dict[str, Any] = {"size": f"{size.storage_gib}Gi"}
    if cluster.storage_class is not None:
        storage["storageClass"] = cluster.storage_class
    spec: dict[str, Any] = {
        "instances": size.replicas,
        "imageName": image,
        "storage": storage,
        "bootstrap": {"initdb": {"database": database, "owner": database}},
        "resources": {"requests": {"cpu": "1", "memory": "4Gi"}, "limits": {"memory": "4Gi"}},
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
    return spec
