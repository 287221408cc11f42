"""The service that reconciles devices in edge mode: the user's image, as many replicas as work asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes.autoscaling.v2 import HorizontalPodAutoscaler

from components.base import SkerryComponent
from components.channels.object_store import S3_PORT, ObjectStore
from components.kubernetes.cluster import Cluster, ManagedService
from components.kubernetes.peers import blocks, namespace_peer, ports
from components.kubernetes.workload import (
    Container,
    EnvValue,
    SecretKey,
    Workload,
    deployment,
    host_name,
    http_probe,
    metadata,
    service,
)
from components.services.edge_entrance import CERTIFICATE_HEADER, SERVICE, SYNC_PORT
from components.services.openings import Opening, egress, leave_for, named, open_for
from components.stores.relational import PORT as POSTGRES_PORT
from components.tiers.agents import HEALTH_PORT
from skerry.config.edge import EdgeSpec
from skerry.config.sense_edge import device_of, model_bytes, per_second, reconnection_of
from skerry.edge_sizing import reconnection
from skerry.facts import ComponentFacts, EdgeFact, ImageFact, ScalingFact, Tier

DATABASE: Final = "sync"
DATABASE_NAME: Final = "sync-db"
PREFIX: Final = "edge/"
"""The folder of the bucket where logs of changes and reconciled states lie."""

AUTHORITY_PATH: Final = "/etc/database"
POSTGRES_PORTS: Final = (8000, POSTGRES_PORT)
"""Where CloudNativePG asks its instances, as in the other namespaces."""

POSTGRES_PODS: Final[Mapping[str, Any]] = {"matchExpressions": [{"key": "cnpg.io/cluster", "operator": "Exists"}]}
"""Source: CloudNativePG "Labels and annotations", read 2026-11."""


class EdgeSync(SkerryComponent):
    """Takes what devices changed while they were alone, reconciles it, and keeps the result."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        spec: EdgeSpec,
        objects: ObjectStore,
        object_store_bytes: int | None,
        objects_namespace: str | None,
        authority: SecretKey | None,
        operators: str | None,
        depends_on: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the service with its bounds and the openings that it needs.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: its own, which exists.
            spec: image, bounds, devices.
            objects: where logs and reconciled states are kept.
            object_store_bytes: the room of that store; None where it has no bound.
            objects_namespace: where it runs in the cluster; None where the cloud runs it.
            authority: the certificate that vouches for its PostgreSQL, `sync-db`; None where nobody hands it to pods.
            operators: the namespace of CloudNativePG's operator; None where the cloud runs PostgreSQL.
            depends_on: the namespaces.
            opts: Pulumi's options.

        Raises:
            CatalogError: the model has no row.
        """
        image = cluster.catalog.image(SERVICE, cluster.target, "reconciles devices", reference=spec.sync.image)
        super().__init__(name, _facts(cluster, spec, image, object_store_bytes), opts)
        workload = _workload(cluster, namespace, spec, image, objects, authority)
        made = deployment(self, "deployment", cluster, workload)
        service(self, "service", cluster, workload)
        HorizontalPodAutoscaler(
            self.child_name("scaler"),
            metadata=metadata(cluster, workload),
            spec=_scaler(spec),
            opts=self.child_options(depends_on=[made]),
        )
        caller = named(SERVICE)
        if objects_namespace is not None:
            gateways = [Opening("objects", objects_namespace, named("seaweedfs-s3"), (S3_PORT,))]
            open_for(self, cluster, namespace, caller, gateways, depends_on=depends_on)
            leave_for(self, cluster, namespace, caller, gateways, depends_on=depends_on)
        if operators is not None:
            instances = [Opening("postgres", namespace, POSTGRES_PODS, POSTGRES_PORTS)]
            open_for(self, cluster, operators, {}, instances, depends_on=depends_on)
            egress(self, cluster, "operators", operators, {}, [_to(namespace)], depends_on=depends_on)
        rules = _managed(cluster, objects=objects_namespace is None, postgres=operators is None)
        if rules:
            egress(self, cluster, "managed", namespace, caller, rules, depends_on=depends_on)
        self.finish(
            endpoint=host_name(SERVICE, namespace),
            port=SYNC_PORT,
            secret_ref=None,
            metrics_endpoint=f"http://{host_name(SERVICE, namespace)}:{HEALTH_PORT}/metrics",
        )


def _to(namespace: str) -> dict[str, Any]:
    return {"to": [{**namespace_peer(namespace), "podSelector": dict(POSTGRES_PODS)}], "ports": ports(POSTGRES_PORTS)}


def _managed(cluster: Cluster, *, objects: bool, postgres: bool) -> list[dict[str, Any]]:
    """Return the ways to what the cloud runs of the two stores, and to nothing else that it runs."""
    wanted = [cluster.object_store if objects else None, cluster.relational if postgres else None]
    return [_way(one) for one in wanted if one is not None]


def _way(found: ManagedService) -> dict[str, Any]:
    rule: dict[str, Any] = {"ports": ports((found.port,))}
    if found.network is not None:
        rule["to"] = blocks([found.network, *found.more_networks])
    return rule


def _workload(
    cluster: Cluster,
    namespace: str,
    spec: EdgeSpec,
    image: ImageFact,
    objects: ObjectStore,
    authority: SecretKey | None,
) -> Workload:
    share = -(-spec.limits.concurrent_syncs // spec.sync.minimum) * spec.limits.request_bytes // 1024**2
    mounts = {"tmp": "/tmp", **({"database": AUTHORITY_PATH} if authority is not None else {})}
    container = Container(
        name=SERVICE,
        image=image,
        cpu="500m",
        # Twice what it may be sent at once where the fewest run: as received, and as it is worked on.
        memory=f"{512 + 2 * share}Mi",
        env=_environment(spec, objects, authority),
        ports={"health": HEALTH_PORT, "http": SYNC_PORT},
        startup=http_probe("health", "/health", periodSeconds=5, failureThreshold=30),
        readiness=http_probe("health", "/ready", periodSeconds=10),
        liveness=http_probe("health", "/health", periodSeconds=20),
        mounts=mounts,
    )
    return Workload(
        name=SERVICE,
        namespace=namespace,
        placement=cluster.placements[Tier.CHANNELS],
        replicas=spec.sync.minimum,
        autoscaled=True,
        secret_files={"database": authority} if authority is not None else {},
        service_account="agents",
        containers=(container,),
    )


def _environment(spec: EdgeSpec, objects: ObjectStore, authority: SecretKey | None) -> dict[str, EnvValue]:
    """Return what the service is told: its stores, and what devices may send after how long."""
    found: dict[str, EnvValue] = {
        **objects.client_environment(),
        "OBJECT_PREFIX": PREFIX,
        "DATABASE_URL": SecretKey(f"{DATABASE_NAME}-app", "uri"),
        "PGSSLMODE": "verify-full" if authority is not None else "require",
        # What a device deleted must be remembered until every device has heard of it.
        "DEVICE_DAYS_OFFLINE": str(spec.device.days_offline),
        "REQUEST_BYTES": str(spec.limits.request_bytes),
        "RETRY_AFTER_S": str(spec.limits.retry_after_s),
        "DEVICE_HEADER": CERTIFICATE_HEADER,
    }
    return {**found, **({"PGSSLROOTCERT": f"{AUTHORITY_PATH}/{authority.key}"} if authority is not None else {})}


def _scaler(spec: EdgeSpec) -> dict[str, Any]:
    """Return the bounds of its number. Source: Kubernetes "Horizontal Pod Autoscaling", read 2026-11."""
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": spec.sync.cpu_percent}}
    return {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": SERVICE},
        "minReplicas": spec.sync.minimum,
        "maxReplicas": spec.sync.maximum,
        "metrics": [{"type": "Resource", "resource": cpu}],
        # A wave of devices comes fast and goes slowly.
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 600}},
    }


def _facts(cluster: Cluster, spec: EdgeSpec, image: ImageFact, room: int | None) -> ComponentFacts:
    sync = spec.sync
    return ComponentFacts(
        tier=Tier.CHANNELS,
        data_class=spec.data_class or cluster.data_class,
        role="edge-sync",
        replicas=sync.minimum,
        failure_domains=cluster.failure_domains,
        encrypted_in_transit=cluster.network_encrypted,
        guarantee="durable",
        images=(image,),
        ports={"health": HEALTH_PORT, "http": SYNC_PORT},
        scaling=ScalingFact(
            minimum=sync.minimum,
            typical=sync.minimum,
            maximum=sync.maximum,
            autoscaler="horizontal-pod-autoscaler",
        ),
        edge=edge_fact(spec, room),
    )


def edge_fact(spec: EdgeSpec, room: int | None) -> EdgeFact:
    """Return what readers are told of the devices.

    Args:
        spec: devices, limits, certificates.
        room: bytes of the object store; None where it has no bound.

    Raises:
        CatalogError: the model has no row.
    """
    device, limits = spec.device, spec.limits
    took = ""
    if device.bytes_per_day is not None:
        took = reconnection(
            spec.devices,
            device.days_offline,
            device.bytes_per_day,
            limits.request_bytes,
            per_second(spec),
            limits.device_requests_per_minute,
        ).text
    return EdgeFact(
        devices=spec.devices,
        days_offline=device.days_offline,
        jurisdictions=spec.jurisdictions,
        model=device.model,
        model_bytes=model_bytes(spec),
        knowledge_bytes=device.knowledge_bytes,
        bytes_per_day=device.bytes_per_day,
        storage_bytes=device.storage_bytes,
        device_sum=device_of(spec).text,
        reconnection_sum=reconnection_of(spec).text,
        reconnection_time=took,
        object_store_bytes=room,
        request_bytes=limits.request_bytes,
        requests_per_second=per_second(spec),
        device_requests_per_minute=limits.device_requests_per_minute,
        concurrent_syncs=limits.concurrent_syncs,
        revocation=spec.revocation_secret is not None,
        certificate_days=spec.certificate_days,
    )
