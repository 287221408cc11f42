"""The services beside the tiers of a deployment: which of them it asks for, and what they find there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import pulumi

from components.blueprints.edge_parts import secret_rows_of_edge, watched_edge
from components.blueprints.gpus import GPU_NAMESPACE, runs_exporter
from components.blueprints.operators import runs_postgres
from components.channels.object_store import CREDENTIALS_SECRET as OBJECTS_SECRET
from components.channels.pubsub import AUTH_SECRET as PUBSUB_SECRET
from components.kubernetes.cluster import Cluster, ManagedService
from components.kubernetes.tenancy import TierNamespace
from components.services.certificates import CertificateIssuer
from components.services.external_secrets import SecretRow, SecretSync
from components.services.gateway import API_CLIENTS, HttpsGateway, host_of
from components.services.monitoring import Monitoring
from components.services.monitoring_values import GRAFANA_SECRET
from components.services.openings import EVERY_POD
from components.services.routes import backends
from components.services.scrapes import Parts
from components.stores.backup import AUTHORITY_KEY
from components.stores.document import AUTH_SECRET as MONGODB_SECRET
from components.stores.graph import AUTH_SECRET as NEO4J_SECRET
from components.stores.vector import API_KEY_SECRET as QDRANT_SECRET
from skerry.config.hybrid import HybridSide
from skerry.config.services import MONITORING_NAMESPACE, GatewayController, IssuerKind, PrometheusKind
from skerry.config.sides import agent_tiers, has_tier, side_of
from skerry.config.spec import DeploymentSpec, ModelProvider, ObjectStoreKind, PubSubKind, VectorStoreKind
from skerry.facts import Tier

GATEWAY_NAMESPACE: Final = "sensei-gateway"
TEMPORAL_SECRET: Final = "temporal-db-app"


@dataclass(frozen=True, slots=True)
class Beside:
    """The services that others build on."""

    issuer: CertificateIssuer | None = None
    gateway: HttpsGateway | None = None
    """None also where something else than our own Envoy Gateway answers for it."""


def with_services(spec: DeploymentSpec, cluster: Cluster) -> Cluster:
    """Return the cluster as the tiers must see it where services watch or reach them."""
    gateway = spec.services.gateway
    hosts = {route.value: host_of(gateway, route) for route in gateway.routes} if gateway is not None else {}
    return replace(cluster, monitored=spec.services.monitoring is not None, public_hosts=hosts)


def make_services(
    spec: DeploymentSpec,
    cluster: Cluster,
    namespaces: Mapping[Tier, str],
    ready: pulumi.ResourceOptions,
    first: Sequence[pulumi.Resource],
) -> Beside:
    """Make the services that a deployment asks for, and return those that others build on.

    Args:
        spec: the checked configuration.
        cluster: where they run.
        namespaces: of the tiers, and of the operators.
        ready: the options of what stands beside the tiers.
        first: the namespaces.

    Raises:
        CatalogError: a chart or an image has no row.
    """
    services, operators = spec.services, namespaces[Tier.PLATFORM]
    issuer = None
    if services.certificates is not None:
        issuer = CertificateIssuer(
            "certificates",
            cluster,
            namespace=operators,
            spec=services.certificates,
            project=spec.target.gcp.project,
            subscription=spec.target.azure.subscription_id,
            depends_on=first,
            opts=ready,
        )
        if services.certificates.agents:
            talking = [tier for tier in (Tier.COGNITIVE, Tier.EXECUTION) if has_tier(spec, tier)]
            issuer.agents([namespaces[tier] for tier in talking])
    monitoring = operators
    spaces = list(first)
    own = services.monitoring is not None and services.monitoring.prometheus is PrometheusKind.STACK
    if own:
        monitoring = MONITORING_NAMESPACE
        # Prometheus finds its targets, its operator makes it, Grafana's sidecar reads ConfigMaps: all ask the API.
        spaces.append(_namespace(cluster, monitoring, {"monitoring": EVERY_POD}, ready, keeps_data=True))
    if services.secrets is not None:
        SecretSync(
            "secrets",
            cluster,
            namespace=operators,
            spec=services.secrets,
            rows=_here(spec, secret_rows(spec, cluster, namespaces), namespaces),
            project=spec.target.gcp.project,
            tenant=spec.target.azure.tenant_id,
            depends_on=spaces,
            opts=ready,
        )
    gateway = _gateway(spec, cluster, namespaces, monitoring, issuer, ready, spaces)
    if services.monitoring is not None:
        Monitoring(
            "monitoring",
            cluster,
            namespace=monitoring,
            spec=services.monitoring,
            watched=watched(spec, cluster, namespaces),
            namespaces=namespaces,
            depends_on=spaces,
            opts=ready,
        )
    return Beside(issuer, gateway)


def _here(spec: DeploymentSpec, rows: tuple[SecretRow, ...], namespaces: Mapping[Tier, str]) -> tuple[SecretRow, ...]:
    """Return the rows of namespaces that the stack has: each side of mode hybrid has its own."""
    absent = {name for tier, name in namespaces.items() if not has_tier(spec, tier)}
    kept = [replace(row, namespaces=tuple(one for one in row.namespaces if one not in absent)) for row in rows]
    found = [row for row in kept if row.namespaces]
    hybrid = spec.hybrid
    if hybrid is None:
        return tuple(found)
    if hybrid.side is HybridSide.CUSTOMER:
        keys = ("tls.crt", "tls.key", *(("ca.crt",) if hybrid.private_authority else ()))
        # Nobody here calls the vector store.
        own = [row for row in found if row.name != QDRANT_SECRET]
        return (*own, SecretRow(hybrid.client_tls_secret, keys, (namespaces[Tier.EXECUTION],)))
    # The vendor's side has no Temporal, so no database of it either.
    return tuple(row for row in found if row.name != TEMPORAL_SECRET)


def _namespace(
    cluster: Cluster,
    name: str,
    api_clients: Mapping[str, Mapping[str, Any]],
    ready: pulumi.ResourceOptions,
    *,
    load_balancers: int = 0,
    keeps_data: bool = False,
) -> pulumi.Resource:
    made: pulumi.Resource = TierNamespace(
        name,
        cluster,
        namespace=name,
        tier=Tier.PLATFORM,
        flows=(),
        api_clients=api_clients,
        managed=False,
        keeps_data=keeps_data,
        load_balancers=load_balancers,
        opts=ready,
    ).made
    return made


def _gateway(
    spec: DeploymentSpec,
    cluster: Cluster,
    namespaces: Mapping[Tier, str],
    monitoring: str,
    issuer: CertificateIssuer | None,
    ready: pulumi.ResourceOptions,
    spaces: Sequence[pulumi.Resource],
) -> HttpsGateway | None:
    wanted = spec.services.gateway
    if wanted is None:
        return None
    own = wanted.controller is GatewayController.ENVOY
    # The vendor's entrance for customers, or that for devices, has its proxies beside these.
    balancers = int(own) + int(own and side_of(spec) is HybridSide.VENDOR) + int(own and spec.edge is not None)
    made = _namespace(cluster, GATEWAY_NAMESPACE, API_CLIENTS if own else {}, ready, load_balancers=balancers)
    found = {
        route: (monitoring if backend.tier is None else namespaces[backend.tier], backend)
        for route, backend in backends().items()
    }
    gateway = HttpsGateway(
        "gateway",
        cluster,
        namespace=GATEWAY_NAMESPACE,
        spec=wanted,
        backends=found,
        issuer=issuer,
        depends_on=[*spaces, made],
        opts=ready,
    )
    return gateway if own else None


def watched(spec: DeploymentSpec, cluster: Cluster, namespaces: Mapping[Tier, str]) -> Parts:
    """Return which parts of a deployment run in the cluster."""
    services, operators = spec.services, namespaces[Tier.PLATFORM]
    gateway, certificates = services.gateway, services.certificates
    return Parts(
        models=ModelProvider.LOCAL in spec.cognitive.providers and has_tier(spec, Tier.COGNITIVE),
        pubsub=_own_pubsub(spec, cluster),
        postgres=runs_postgres(spec, cluster),
        objects=_own_objects(spec, cluster),
        qdrant=spec.meta.vector_store is VectorStoreKind.QDRANT and has_tier(spec, Tier.META),
        gpu=GPU_NAMESPACE if runs_exporter(spec) else None,
        gateway=GATEWAY_NAMESPACE if gateway and gateway.controller is GatewayController.ENVOY else None,
        certificates=operators if certificates and certificates.issuer is not IssuerKind.EXISTING else None,
        secrets=operators if services.secrets else None,
        edge=watched_edge(spec, cluster, GATEWAY_NAMESPACE),
        tiers=frozenset(agent_tiers(spec)),
    )


def secret_rows(spec: DeploymentSpec, cluster: Cluster, namespaces: Mapping[Tier, str]) -> tuple[SecretRow, ...]:
    """Return the Secrets that a site would make by hand, as docs/sites.md names them."""
    cognitive, execution, meta, channels = (
        namespaces[tier] for tier in (Tier.COGNITIVE, Tier.EXECUTION, Tier.META, Tier.CHANNELS)
    )
    tiers = (meta, cognitive, execution)
    rows = [
        SecretRow(NEO4J_SECRET, ("NEO4J_AUTH",), (meta, cognitive)),
        SecretRow(MONGODB_SECRET, ("username", "password", "keyfile"), (meta,)),
        SecretRow(MONGODB_SECRET, ("username", "password"), (cognitive,)),
    ]
    if spec.meta.vector_store is VectorStoreKind.QDRANT:
        rows.append(SecretRow(QDRANT_SECRET, ("api-key",), tiers))
    if not runs_postgres(spec, cluster):
        login = ("username", "password", "uri")
        rows += [SecretRow("experiments-db-app", login, (meta,)), SecretRow(TEMPORAL_SECRET, login, (channels,))]
    if _own_pubsub(spec, cluster):
        rows.append(SecretRow(PUBSUB_SECRET, ("password",), (channels, *tiers)))
    elif cluster.pubsub is not None:
        rows += _of_managed(cluster.pubsub, ("password",), tiers)
    if _own_objects(spec, cluster):
        keys = ("access-key", "secret-key")
        rows.append(SecretRow(OBJECTS_SECRET, (*keys, "s3.json"), (channels,)))
        rows.append(SecretRow(OBJECTS_SECRET, keys, tiers))
    elif cluster.object_store is not None:
        rows += _of_managed(cluster.object_store, ("access-key", "secret-key"), tiers)
    if spec.backup is not None and spec.backup.store is not None:
        store = spec.backup.store
        keys = ("access-key", "secret-key", *((AUTHORITY_KEY,) if store.authority else ()))
        # PostgreSQL of the cluster is copied from the channels' namespace too, where Temporal's stands.
        rows.append(SecretRow(store.secret, keys, (meta, channels) if runs_postgres(spec, cluster) else (meta,)))
    monitoring = spec.services.monitoring
    if monitoring is not None and monitoring.grafana:
        rows.append(SecretRow(GRAFANA_SECRET, ("admin-user", "admin-password"), (MONITORING_NAMESPACE,)))
    if monitoring is not None and monitoring.alertmanager_secret is not None:
        rows.append(SecretRow(monitoring.alertmanager_secret, ("alertmanager.yaml",), (MONITORING_NAMESPACE,)))
    rows += secret_rows_of_edge(spec, cluster, GATEWAY_NAMESPACE)
    wanted = spec.services.secrets
    for named in wanted.more if wanted is not None else ():
        namespace, _, name = named.partition("/")
        rows.append(SecretRow(name, (), (namespace,)))
    return tuple(rows)


def _of_managed(service: ManagedService, keys: tuple[str, ...], namespaces: tuple[str, ...]) -> list[SecretRow]:
    """Return the Secret of a managed service; its name is the target's, unless an output of the base says it."""
    if not isinstance(service.secret_ref, str):
        return []
    more = (service.authority,) if service.authority is not None else ()
    return [SecretRow(service.secret_ref, (*keys, *more), namespaces)]


def _own_pubsub(spec: DeploymentSpec, cluster: Cluster) -> bool:
    return cluster.pubsub is None or spec.channels.pubsub is PubSubKind.VALKEY


def _own_objects(spec: DeploymentSpec, cluster: Cluster) -> bool:
    return cluster.object_store is None or spec.channels.object_store is ObjectStoreKind.SEAWEEDFS
