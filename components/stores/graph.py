"""The knowledge graph: Neo4j as a cluster of members."""

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
    service,
    stateful_set,
    tcp_probe,
)
from components.stores.backup import BackupStore
from components.stores.backup_jobs import StoreBackup, neo4j_copier
from components.stores.facts import store_facts
from skerry.config.spec import StoreSpec
from skerry.facts import ImageFact, Tier

AUTH_SECRET = "neo4j-auth"
"""The Kubernetes Secret (key `NEO4J_AUTH`: `neo4j/<password>`) that the site makes before the first deployment."""

LICENCE = "LicenseRef-Neo4j-Enterprise"
"""The licence in images/licences.yaml that the stack's configuration may accept."""

LICENCE_MAP = "neo4j-licence"
"""The ConfigMap (key `accept`: `yes` or `eval`) by which the site answers where the configuration does not."""

PORTS = {"http": 7474, "bolt": 7687, "cluster": 6000, "raft": 7000, "routing": 7688}
"""Source: Neo4j operations manual "Ports", read 2026-11. Discovery of version 2 uses the port of the cluster."""


METRICS_PORT = 2004

_METRICS = {
    "NEO4J_server_metrics_prometheus_enabled": "true",
    "NEO4J_server_metrics_prometheus_endpoint": f"0.0.0.0:{METRICS_PORT}",
    # The choice of its own leaves out what says that a member has lost the others.
    "NEO4J_server_metrics_filter": "*",
}
"""How it tells its metrics; nobody asks for a password there, so policies say who may call.

Source: Neo4j operations manual 5 "Expose metrics", read 2026-11.
"""


class GraphStore(SkerryComponent):
    """Keeps the knowledge graph."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        size: StoreSpec,
        accepted: bool = False,
        backup: BackupStore | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the members.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: the namespace of the meta tier.
            size: members and volumes.
            accepted: the configuration accepts Neo4j's terms; left out, no pod starts before the site answers.
            backup: where its backups go; None makes none.
            opts: Pulumi's options.
        """
        image = cluster.catalog.image("neo4j", cluster.target, "graph store")
        facts = store_facts(
            cluster,
            role="graph-store",
            images=(image,),
            ports=PORTS,
            replicas=size.replicas,
            gib=size.storage_gib,
            quorum=True,
        )
        super().__init__(name, facts, opts)
        members = ",".join(f"{host}:{PORTS['cluster']}" for host in hosts_of("neo4j", namespace, size.replicas))
        workload = _members(cluster, namespace, size, image, members, accepted, backed=backup is not None)
        stateful_set(self, "set", cluster, workload, storage_gib=size.storage_gib, mount="/data")
        service(self, "service", cluster, workload)
        if backup is not None:
            sources = ",".join(f"{host}:{BACKUP_PORT}" for host in hosts_of("neo4j", namespace, size.replicas))
            StoreBackup(
                self.child_name("backup"),
                cluster,
                what="neo4j",
                method="online-backup",
                namespace=namespace,
                copier=neo4j_copier(image, sources),
                work_gib=size.storage_gib,
                store=backup,
                opts=self.child_options(),
            )
        self.finish(
            endpoint=host_name("neo4j", namespace),
            port=PORTS["bolt"],
            secret_ref=AUTH_SECRET,
            metrics_endpoint=None,
        )


SYSTEM_PRIMARIES = 3
BACKUP_PORT = 6362
"""Source: Neo4j operations manual "Ports", read 2026-11."""

_ASK_THE_SITE = 'export NEO4J_ACCEPT_LICENSE_AGREEMENT="$(cat /licence/accept)"; '
"""The answer comes from the site's ConfigMap, never from this program."""

_START = (
    'name="$(hostname -f)"; export NEO4J_server_default__advertised__address="$name" '
    'NEO4J_server_cluster_advertised__address="$name:6000" '
    'NEO4J_server_cluster_raft_advertised__address="$name:7000" '
    'NEO4J_server_routing_advertised__address="$name:7688"; '
    "exec tini -g -- /startup/docker-entrypoint.sh neo4j"
)
"""Each member advertises its full name.

Left to itself the image advertises the short host name, which other pods cannot resolve.
Source: neo4j/docker-neo4j docker-image-src/5/coredb docker-entrypoint.sh and Dockerfile-trixie (user), read 2026-11.
"""


def _members(
    cluster: Cluster,
    namespace: str,
    size: StoreSpec,
    image: ImageFact,
    members: str,
    accepted: bool,
    *,
    backed: bool,
) -> Workload:
    return Workload(
        name="neo4j",
        namespace=namespace,
        placement=cluster.placements[Tier.META],
        replicas=size.replicas,
        fs_group=7474,
        termination_grace_s=300,
        config_maps={} if accepted else {"licence": LICENCE_MAP},
        empty_dirs=("tmp", "logs"),
        containers=(
            Container(
                name="neo4j",
                image=image,
                cpu="2",
                memory="8Gi",
                user=7474,
                writable_root=True,
                command=("/bin/sh", "-c"),
                args=(_START if accepted else _ASK_THE_SITE + _START,),
                env={
                    "NEO4J_AUTH": SecretKey(AUTH_SECRET, "NEO4J_AUTH"),
                    "NEO4J_server_default__listen__address": "0.0.0.0",
                    "NEO4J_initial_server_mode__constraint": "PRIMARY",
                    "NEO4J_dbms_cluster_discovery_resolver__type": "LIST",
                    # In 5.26 version 1 is the default, and `dbms.cluster.endpoints` exists from 2025.01 on only.
                    # Source: Neo4j operations manual 5 "Cluster server discovery", read 2026-11
                    "NEO4J_dbms_cluster_discovery_version": "V2_ONLY",
                    "NEO4J_dbms_cluster_discovery_v2_endpoints": members,
                    # Left out, members wait for three of them before the first one can be used.
                    # Source: Neo4j operations manual 5, minimum_initial_system_primaries_count (not opened)
                    **(
                        {"NEO4J_dbms_cluster_minimum__initial__system__primaries__count": str(size.replicas)}
                        if size.replicas < SYSTEM_PRIMARIES
                        else {}
                    ),
                    # Left out, backups are given to the member's own machine only.
                    **({"NEO4J_server_backup_listen__address": f"0.0.0.0:{BACKUP_PORT}"} if backed else {}),
                    **({"NEO4J_ACCEPT_LICENSE_AGREEMENT": "yes"} if accepted else {}),
                    "NEO4J_initial_dbms_default__primaries__count": str(size.replicas),
                    **(_METRICS if cluster.monitored else {}),
                },
                ports={**PORTS, **({"metrics": METRICS_PORT} if cluster.monitored else {})},
                startup=tcp_probe("bolt", periodSeconds=10, failureThreshold=60),
                readiness=tcp_probe("bolt", periodSeconds=10),
                liveness=tcp_probe("bolt", periodSeconds=20, failureThreshold=6),
                mounts={"tmp": "/tmp", "logs": "/logs", **({} if accepted else {"licence": "/licence"})},
            ),
        ),
    )
