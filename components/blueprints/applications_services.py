"""What a platform team runs beside the services of a cluster: certificates, secrets from outside, the entrance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.channels.object_store import CREDENTIALS_SECRET as OBJECTS_SECRET
from components.channels.pubsub import AUTH_SECRET as CACHE_SECRET
from components.kubernetes.application import ClusterService
from components.kubernetes.cluster import Cluster
from components.kubernetes.tenancy import TierNamespace
from components.services.certificates import CertificateIssuer
from components.services.external_secrets import SecretRow, SecretSync
from components.services.gateway import API_CLIENTS, envoy_controller
from components.services.openings import EVERY_POD
from components.services.service_entrance import ServiceEntrance, entrances_of
from components.services.service_monitoring import ServiceMonitoring
from components.stores.backup import BackupStore
from components.stores.backup_jobs import StoreBackup, files_copier
from skerry.application import Application
from skerry.config.application import ApplicationsSpec, Exposure
from skerry.config.services import PrometheusKind
from skerry.config.spec import DeploymentSpec
from skerry.facts import Tier


@dataclass(frozen=True, slots=True)
class ClusterParts:
    """What of the shared stores runs in the cluster."""

    cache: bool
    objects: bool
    postgres: bool


def make_issuer(
    spec: DeploymentSpec,
    cluster: Cluster,
    operators: str,
    ready: pulumi.ResourceOptions,
    first: Sequence[pulumi.Resource],
) -> CertificateIssuer | None:
    """Make who signs certificates; None where nobody is asked for.

    Raises:
        CatalogError: the chart or an image has no row.
    """
    if spec.services.certificates is None:
        return None
    return CertificateIssuer(
        "certificates",
        cluster,
        namespace=operators,
        spec=spec.services.certificates,
        project=spec.target.gcp.project,
        subscription=spec.target.azure.subscription_id,
        depends_on=first,
        opts=ready,
    )


def sync_secrets(
    spec: DeploymentSpec,
    cluster: Cluster,
    rows: Sequence[SecretRow],
    operators: str,
    ready: pulumi.ResourceOptions,
    first: Sequence[pulumi.Resource],
) -> None:
    """Keep the Secrets that a site would make by hand equal to a store outside; nothing where none is named.

    Raises:
        CatalogError: the chart or an image has no row.
    """
    if spec.services.secrets is None:
        return
    more = [SecretRow(named.partition("/")[2], (), (named.partition("/")[0],)) for named in spec.services.secrets.more]
    SecretSync(
        "secrets",
        cluster,
        namespace=operators,
        spec=spec.services.secrets,
        rows=[*rows, *more],
        project=spec.target.gcp.project,
        tenant=spec.target.azure.tenant_id,
        depends_on=first,
        opts=ready,
    )


def secret_rows(
    plan: ApplicationsSpec,
    cluster: Cluster,
    parts: ClusterParts,
    names: Mapping[Tier, str],
    store: BackupStore | None = None,
) -> list[SecretRow]:
    """Return the Secrets that a site would make by hand for what services share, and for where backups go."""
    services, shared = names[Tier.EXECUTION], names[Tier.CHANNELS]
    rows: list[SecretRow] = []
    if plan.database is not None and not parts.postgres:
        rows.append(SecretRow("database-app", ("username", "password", "uri"), (services,)))
    if parts.cache:
        rows.append(SecretRow(CACHE_SECRET, ("password",), (shared, services)))
    elif (plan.cache is not None or plan.queue is not None) and cluster.pubsub is not None:
        secret, authority = cluster.pubsub.secret_ref, cluster.pubsub.authority
        if isinstance(secret, str):
            rows.append(SecretRow(secret, ("password", *([authority] if authority else [])), (services,)))
    keys = ("access-key", "secret-key")
    if parts.objects:
        rows += [
            SecretRow(OBJECTS_SECRET, (*keys, "s3.json"), (shared,)),
            SecretRow(OBJECTS_SECRET, keys, (services,)),
        ]
    elif plan.bucket is not None and cluster.object_store is not None:
        secret = cluster.object_store.secret_ref
        if isinstance(secret, str):
            rows.append(SecretRow(secret, keys, (services,)))
    if store is not None and isinstance(store.secret, str) and store.secret not in {row.name for row in rows}:
        more = ("ca.crt",) if store.authority else ()
        spaces = (services, *((shared,) if parts.objects else ()))
        rows.append(SecretRow(store.secret, (*keys, *more), spaces))
    return rows


def make_entrances(
    spec: DeploymentSpec,
    cluster: Cluster,
    applications: Sequence[Application],
    names: Mapping[Tier, str],
    issuer: CertificateIssuer | None,
    ready: pulumi.ResourceOptions,
    first: Sequence[pulumi.Resource],
) -> dict[str, ServiceEntrance]:
    """Make the entrance of each exposure that a service has: exposure -> entrance.

    Raises:
        CatalogError: the chart or an image has no row.
    """
    wanted = entrances_of(applications)
    if not wanted:
        return {}
    asked, namespace = spec.services.entrance, f"{spec.system.value}-gateway"
    own = asked.gateway_class is None
    space = TierNamespace(
        namespace,
        cluster,
        namespace=namespace,
        tier=Tier.PLATFORM,
        flows=(),
        api_clients=API_CLIENTS if own else {},
        managed=False,
        load_balancers=len(wanted) if own else 0,
        opts=ready,
    )
    before: list[pulumi.Resource] = [*first, space.made]
    controller = envoy_controller(space, cluster, namespace, before) if own else None
    return {
        one.name: ServiceEntrance(
            f"entrance-{one.name}",
            cluster,
            namespace=namespace,
            services=names[Tier.EXECUTION],
            entrance=one,
            spec=asked,
            issuer=issuer,
            controller=controller,
            depends_on=before,
            opts=ready,
        )
        for one in wanted
    }


def make_monitoring(
    spec: DeploymentSpec,
    cluster: Cluster,
    applications: Sequence[Application],
    names: Mapping[Tier, str],
    ready: pulumi.ResourceOptions,
    first: Sequence[pulumi.Resource],
) -> None:
    """Read what services tell of themselves and wake people, by a Prometheus of our own or by the cluster's.

    Raises:
        CatalogError: a chart or an image has no row.
    """
    asked = spec.services.monitoring
    if asked is None:
        return
    own, before = None, list(first)
    if asked.prometheus is PrometheusKind.STACK:
        own = f"{spec.system.value}-monitoring"
        space = TierNamespace(
            own,
            cluster,
            namespace=own,
            tier=Tier.PLATFORM,
            flows=(),
            # Prometheus finds its targets, and its operator makes it: both ask the API.
            api_clients={"monitoring": EVERY_POD},
            managed=False,
            keeps_data=True,
            opts=ready,
        )
        before.append(space.made)
    proxies = bool(entrances_of(applications)) and spec.services.entrance.gateway_class is None
    ServiceMonitoring(
        "monitoring",
        cluster,
        namespace=names[Tier.EXECUTION],
        applications=applications,
        spec=asked,
        own=own,
        entrance=f"{spec.system.value}-gateway" if proxies else None,
        depends_on=before,
        opts=ready,
    )


def hosts_of(applications: Sequence[Application]) -> dict[str, str]:
    """Return the name that each service is called by from outside; those that nobody calls have none."""
    return {
        row.name: f"https://{row.spec.host}"
        for row in applications
        if row.spec.exposure is not Exposure.NONE and row.spec.host is not None
    }


def copy_files(
    parent: ClusterService, cluster: Cluster, application: Application, namespace: str, store: BackupStore
) -> None:
    """Copy the files of a service away by schedule: of the replica that writes, or of each that always runs.

    Raises:
        CatalogError: an image has no row.
    """
    kept = 1 if application.definition.primary else max(application.spec.scale.minimum, 1)
    for index in range(kept):
        image = cluster.catalog.image("python", cluster.target, "copies of files")
        copier, program = files_copier(image, application.definition.user)
        pod = f"{application.name}-{index}"
        StoreBackup(
            f"{pod}-backup",
            cluster,
            what=pod,
            method="online-backup",
            namespace=namespace,
            copier=copier,
            work_gib=application.spec.storage_gib,
            store=store,
            program=program,
            volume_of=pod,
            opts=pulumi.ResourceOptions(parent=parent),
        )
