"""Durable workflows: Temporal over a PostgreSQL of its own; latency of about 10 ms is expected.

What a workflow decides takes effect exactly once, since its history is written before anybody acts on it, and is
replayed after a loss. An activity, the code that touches the world, is run at least once: it may have acted before
its worker was lost, so that it must bear being repeated. The number of history shards is fixed for life.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pulumi
from pulumi_kubernetes.batch.v1 import Job
from pulumi_kubernetes.core.v1 import ConfigMap

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster, ServiceAddress
from components.kubernetes.workload import (
    Container,
    EnvValue,
    SecretKey,
    Workload,
    config_map,
    deployment,
    host_name,
    login,
    metadata,
    port_text,
    service,
    tcp_probe,
)
from skerry.config.spec import ChannelsSpec
from skerry.facts import ComponentFacts, ImageFact, Tier

SERVICES: Final = {"frontend": 7233, "history": 7234, "matching": 7235, "worker": 7239}
"""Source: temporalio/helm-charts charts/temporal/values.yaml (server 1.31.2), read 2026-11."""

UI_PORT: Final = 8080
METRICS_PORT: Final = 9090
FIXED: Final = "temporal-history-shards"
"""The protected ConfigMap with what cannot change while Temporal lives."""

AUTHORITY_PATH: Final = "/etc/temporal/postgres"
"""Where Temporal finds the certificate of the authority that vouches for its PostgreSQL."""

DATABASE, VISIBILITY = "temporal", "temporal_visibility"
DYNAMIC_CONFIG: Final = "temporal-dynamic-config"
"""The ConfigMap with the file without which the server does not start; empty: every value is the default.

Source: temporalio/temporal v1.31.2 common/config/config_template_embedded.yaml and
common/dynamicconfig/file_based_client.go, read 2026-11.
"""


class Workflows(SkerryComponent):
    """Runs the migration graph: state, retries with exponential backoff, resumption after a node failure."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        channels: ChannelsSpec,
        database: ServiceAddress,
        authority: SecretKey | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make schema, services and UI.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: the namespace of the channels.
            channels: replicas, and the number of history shards, which is fixed for life.
            database: a PostgreSQL with the databases `temporal` and `temporal_visibility`.
            authority: the certificate that vouches for that PostgreSQL, in a Secret of this namespace; without it the
                connection is encrypted, but nobody asks whom it leads to.
            opts: Pulumi's options.
        """
        server = cluster.catalog.image("temporal-server", cluster.target, "workflow engine")
        tools = cluster.catalog.image("temporal-admin-tools", cluster.target, "schema of the workflow engine")
        ui = cluster.catalog.image("temporal-ui", cluster.target, "user interface of the workflow engine")
        facts = ComponentFacts(
            tier=Tier.CHANNELS,
            role="workflow-engine",
            replicas=channels.temporal_replicas,
            failure_domains=cluster.failure_domains,
            guarantee="exactly-once",
            encrypted_in_transit=cluster.network_encrypted,
            images=(server, tools, ui),
            ports={**SERVICES, "ui": UI_PORT, "metrics": METRICS_PORT},
        )
        super().__init__(name, facts, opts)
        self._cluster, self._namespace, self._authority = cluster, namespace, authority
        connection: dict[str, EnvValue] = {
            "POSTGRES_SEEDS": database.endpoint,
            "DB_PORT": port_text(database.port),
            "POSTGRES_USER": login(database, "username"),
            "POSTGRES_PWD": login(database, "password"),
            # The managed PostgreSQL refuses anything but TLS, and the one in the cluster speaks it.
            "SQL_TLS_ENABLED": "true",
        }
        if authority is not None:
            connection |= {
                "SQL_CA": f"{AUTHORITY_PATH}/{authority.key}",
                "SQL_HOST_VERIFICATION": "true",
                "SQL_HOST_NAME": database.endpoint,
            }
        self._job("schema", tools, _SCHEMA, connection, authority)
        address = f"{host_name('temporal-frontend', namespace)}:{SERVICES['frontend']}"
        self._job("namespace", tools, _NAMESPACE, {"TEMPORAL_ADDRESS": address})
        self._fixed(channels.temporal_history_shards)
        config_map(self, "dynamic-config", cluster, namespace, DYNAMIC_CONFIG, {"docker.yaml": "{}\n"})
        for role, port in SERVICES.items():
            self._service(role, port, server, connection, channels)
        self._interface(ui)
        self.finish(
            endpoint=host_name("temporal-frontend", namespace),
            port=SERVICES["frontend"],
            secret_ref=None,
            metrics_endpoint=f"http://{host_name('temporal-frontend', namespace)}:{METRICS_PORT}/metrics",
        )

    def _fixed(self, shards: int) -> None:
        """Hold the number of history shards in a protected object that only a replacement could change.

        Histories are spread over shards by a hash, so that with another number none would be found. A preview after
        a change of the configuration stops here; the remedy is to put the old number back, or to make a new deployment.
        """
        ConfigMap(
            self.child_name("history-shards"),
            metadata={
                "name": FIXED,
                "namespace": self._namespace,
                "labels": dict(self._cluster.labels),
                "annotations": {
                    "skerry.dev/remedy": "fixed for life: put channels.temporal_history_shards back to the number here"
                },
            },
            immutable=True,
            data={"shards": str(shards)},
            opts=pulumi.ResourceOptions.merge(
                self.store_options(), pulumi.ResourceOptions(replace_on_changes=["data"])
            ),
        )

    def _workload(self, name: str, container: Container, replicas: int) -> Workload:
        return Workload(
            name=name,
            namespace=self._namespace,
            placement=self._cluster.placements[Tier.CHANNELS],
            replicas=replicas,
            empty_dirs=tuple(mount for mount in container.mounts if mount not in ("config", "fixed", "authority")),
            secret_files={"authority": self._authority}
            if self._authority is not None and "authority" in container.mounts
            else {},
            config_maps={"config": DYNAMIC_CONFIG, "fixed": FIXED} if "config" in container.mounts else {},
            containers=(container,),
        )

    def _job(
        self,
        role: str,
        image: ImageFact,
        script: str,
        env: Mapping[str, EnvValue],
        authority: SecretKey | None = None,
    ) -> None:
        """Run a script of the administrator's tools once; it is repeated until what it needs is there."""
        container = Container(
            name=role,
            image=image,
            cpu="100m",
            memory="256Mi",
            command=("/bin/sh", "-ec"),
            args=(script,),
            env=env,
            mounts={"tmp": "/tmp", **({"authority": AUTHORITY_PATH} if authority is not None else {})},
        )
        workload = self._workload(f"temporal-{role}", container, 1)
        template = workload.template(self._cluster)
        template["spec"]["restartPolicy"] = "OnFailure"
        Job(
            self.child_name(role),
            metadata=metadata(self._cluster, workload),
            spec={"backoffLimit": 20, "template": template},
            opts=self.child_options(),
        )

    def _service(
        self,
        role: str,
        port: int,
        image: ImageFact,
        connection: dict[str, EnvValue],
        channels: ChannelsSpec,
    ) -> None:
        ports = {"metrics": METRICS_PORT} if role == "worker" else {"grpc": port, "metrics": METRICS_PORT}
        probe = "metrics" if role == "worker" else "grpc"
        container = Container(
            name=role,
            image=image,
            cpu="500m",
            memory="1Gi",
            user=1000,
            env={
                **connection,
                "DB": "postgres12",
                "DBNAME": DATABASE,
                "VISIBILITY_DBNAME": VISIBILITY,
                # Source: temporalio/temporal v1.31.2 cmd/server/main.go, docker/ and common/config, read 2026-11
                "TEMPORAL_SERVICES": role,
                "NUM_HISTORY_SHARDS": str(channels.temporal_history_shards),
                "PROMETHEUS_ENDPOINT": f"0.0.0.0:{METRICS_PORT}",
            },
            fields={"TEMPORAL_BROADCAST_ADDRESS": "status.podIP"},
            ports=ports,
            startup=tcp_probe(probe, periodSeconds=5, failureThreshold=60),
            readiness=tcp_probe(probe, periodSeconds=10),
            liveness=tcp_probe(probe, periodSeconds=20),
            mounts={
                "tmp": "/tmp",
                "config": "/etc/temporal/config/dynamicconfig",
                # No service starts before the number is held.
                "fixed": "/etc/temporal/fixed",
                **({"authority": AUTHORITY_PATH} if self._authority is not None else {}),
            },
            writable_root=True,
        )
        workload = self._workload(f"temporal-{role}", container, channels.temporal_replicas)
        deployment(self, role, self._cluster, workload)
        if role == "frontend":
            service(self, "frontend-service", self._cluster, workload)

    def _interface(self, image: ImageFact) -> None:
        container = Container(
            name="ui",
            image=image,
            cpu="100m",
            memory="256Mi",
            user=1000,  # Source: temporalio/ui v2.52.0 server/Dockerfile, read 2026-11
            env={"TEMPORAL_ADDRESS": f"{host_name('temporal-frontend', self._namespace)}:{SERVICES['frontend']}"},
            ports={"http": UI_PORT},
            readiness=tcp_probe("http", periodSeconds=10),
            mounts={"tmp": "/tmp"},
            writable_root=True,
        )
        workload = self._workload("temporal-ui", container, 1)
        deployment(self, "ui", self._cluster, workload)
        service(self, "ui-service", self._cluster, workload)


NAMESPACE: Final = "sensei"
"""Temporal's own word for what keeps workflows of one owner apart; agents work in this one."""

RETENTION: Final = "720h"
"""How long finished workflows can be looked up: 30 days."""

_NAMESPACE: Final = (
    f"temporal operator namespace describe -n {NAMESPACE} || "
    f"temporal operator namespace create -n {NAMESPACE} --retention {RETENTION}"
)
"""Source: temporalio/helm-charts temporal-1.6.0 templates/server-namespace-job.yaml, read 2026-11."""

_SCHEMA: Final = (
    'export SQL_PLUGIN=postgres12 SQL_HOST="$POSTGRES_SEEDS" SQL_PORT="$DB_PORT" SQL_USER="$POSTGRES_USER" '
    'SQL_PASSWORD="$POSTGRES_PWD" SQL_TLS="$SQL_TLS_ENABLED"; '
    'if [ -n "${SQL_CA:-}" ]; then '
    'export SQL_TLS_CA_FILE="$SQL_CA" SQL_TLS_SERVER_NAME="$SQL_HOST_NAME" SQL_TLS_DISABLE_HOST_VERIFICATION=false; '
    "else export SQL_TLS_DISABLE_HOST_VERIFICATION=true; fi; "
    "for pair in temporal:temporal/versioned temporal_visibility:visibility/versioned; do "
    'export SQL_DATABASE="${pair%%:*}"; '
    "temporal-sql-tool setup-schema -v 0.0 || true; "
    'temporal-sql-tool update-schema -d "/etc/temporal/schema/postgresql/v12/${pair#*:}"; done'
)
"""Makes and updates both schemas; may be run again.

Source: temporalio/helm-charts templates/server-job.yaml, temporalio/temporal v1.31.2 tools/sql/main.go, read 2026-11.
"""
