"""What a platform team runs beside the tiers: a gateway, certificates, secrets from the cloud, monitoring. All off."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Final

from pydantic import Field

from skerry.config.entrance import ServiceEntranceSpec
from skerry.config.words import DnsLabel, Guid, Spec

MONITORING_NAMESPACE: Final = "sensei-monitoring"
"""Where a Prometheus of our own runs."""

DomainName = Annotated[
    str,
    Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$", max_length=200),
]


class GatewayController(str, Enum):
    """Who answers for the Gateway."""

    ENVOY = "envoy-gateway"
    """Envoy Gateway, run in the cluster."""
    EXISTING = "existing"
    """A GatewayClass that the cluster or the cloud brings, named by `gateway_class`."""


class Exposure(str, Enum):
    """From where the Gateway is reached."""

    INTERNAL = "internal"
    """From private addresses only."""
    INTERNET = "internet"
    """From anywhere that `client_cidrs` names; never for what belongs to the meta tier."""


class RoutedService(str, Enum):
    """What people use; stores are never among them."""

    TEMPORAL_UI = "temporal-ui"
    """Workflows, in a browser."""
    TEMPORAL = "temporal"
    """Workflows, over gRPC, for the command line and for workers elsewhere."""
    MLFLOW = "mlflow"
    """Experiments; a part of the meta tier, so from private addresses only."""
    RAY = "ray-dashboard"
    """Ray's dashboard, whose API runs any program that it is given: only for those who may do that."""
    GRAFANA = "grafana"
    """Dashboards; needs `monitoring.grafana`."""


class GatewaySpec(Spec):
    """One HTTPS entrance for the user interfaces, by the Gateway API."""

    controller: GatewayController = GatewayController.ENVOY
    """Who answers for it."""
    gateway_class: DnsLabel | None = None
    """The GatewayClass of `existing`, for example gke-l7-rilb; left out with Envoy Gateway."""
    gateway_namespace: DnsLabel | None = None
    """Of `existing`: the namespace of its proxies; left out, they come from `gateway_cidrs`."""
    gateway_cidrs: tuple[str, ...] = Field(default=(), max_length=16)
    """Of `existing`: the addresses that its proxies call from, for example Google's proxy-only subnet."""
    domain: DomainName
    """Each route is `<service>.<domain>`; the site's DNS points them at the load balancer."""
    routes: tuple[RoutedService, ...] = Field(min_length=1, max_length=5)
    """What is reached through it; nothing else is."""
    exposure: Exposure = Exposure.INTERNAL
    """From where it is reached."""
    client_cidrs: tuple[str, ...] = Field(default=(), max_length=32)
    """Who may call; left out, private addresses, or anybody where it faces the internet."""
    tls_secret: DnsLabel | None = None
    """The site's Secret (`tls.crt`, `tls.key`) beside the Gateway; left out, cert-manager makes one."""
    annotations: dict[str, str] = Field(default={}, max_length=16)
    """On the load balancer, beside those that keep it inside; left out, none."""
    idle_timeout_s: int = Field(default=3600, ge=60, le=86400)
    """Seconds after which a connection without traffic is closed; workers of Temporal hold one for a minute."""
    request_timeout_s: int = Field(default=300, ge=1, le=86400)
    """Seconds that one request to a user interface may take; streams over gRPC are not limited by it."""
    replicas: int = Field(default=2, ge=1, le=9)
    """Proxies of Envoy Gateway."""


class IssuerKind(str, Enum):
    """Who signs certificates."""

    OWN_CA = "own-ca"
    """An authority of the deployment's own, made by cert-manager; clients are told to trust it."""
    CA_SECRET = "ca-secret"
    """The site's authority: a Secret `tls.crt` and `tls.key` that the site makes."""
    ACME = "acme"
    """A public authority; only where connected."""
    EXISTING = "existing"
    """A ClusterIssuer that exists; cert-manager is then the cluster's own and is not installed."""


class AcmeSpec(Spec):
    """A public authority that asks for proof by DNS, so that nothing need be open to the internet."""

    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=200)
    """Whom the authority tells of trouble."""
    server: str = Field(default="https://acme-v02.api.letsencrypt.org/directory", pattern=r"^https://[^/\s]+/\S*$")
    """The authority's directory."""
    dns_zone: DomainName
    """The zone at the cloud's own DNS in which proof is given."""
    dns_zone_id: str | None = Field(default=None, pattern=r"^Z[A-Z0-9]{1,31}$")
    """The id of that zone at Route 53; left out, it is looked up, which takes a wider right."""
    azure_resource_group: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._()-]{1,90}$")
    """The resource group of that zone; required on azure."""
    azure_client_id: Guid | None = None
    """The managed identity that may write the zone; required on azure."""


class CertificatesSpec(Spec):
    """Certificates, by cert-manager."""

    issuer: IssuerKind = IssuerKind.OWN_CA
    """Who signs."""
    name: DnsLabel | None = None
    """Of `existing` the ClusterIssuer, of `ca-secret` the Secret in the operators' namespace; left out elsewhere."""
    acme: AcmeSpec | None = None
    """Of `acme`; left out elsewhere."""
    days: int = Field(default=90, ge=2, le=825)
    """How long a certificate is good; it is renewed after two thirds of that."""
    agents: bool = False
    """True makes a Secret `agents-tls` in the cognitive and the execution tier, for agents that speak TLS over gRPC."""


class SecretsSpec(Spec):
    """Secrets of the stores from a store outside the cluster, by External Secrets."""

    prefix: DnsLabel = "sensei"
    """Each secret there is `<prefix>-<name>`, a JSON object with the keys of the Kubernetes Secret of that name."""
    refresh_minutes: int = Field(default=60, ge=1, le=10080)
    """How often it is read again."""
    cluster_secret_store: DnsLabel | None = None
    """A ClusterSecretStore that the site makes; left out, the cloud's own service; own machines have none."""
    store_cidrs: tuple[str, ...] = Field(default=(), max_length=16)
    """The addresses of that store; left out, port 443 of any address, which needs a connection."""
    more: tuple[str, ...] = Field(default=(), max_length=32)
    """Further Secrets, `<namespace>/<name>`, of which all keys are taken; left out, those that docs/sites.md names."""
    azure_vault_url: str | None = Field(default=None, pattern=r"^https://[a-z0-9-]{3,24}\.vault\.azure\.net/?$")
    """The vault; required on azure."""
    azure_client_id: Guid | None = None
    """The managed identity that may read it; required on azure."""


class PrometheusKind(str, Enum):
    """Who collects metrics."""

    STACK = "kube-prometheus-stack"
    """Prometheus and Alertmanager, run in the cluster."""
    EXISTING = "existing"
    """A Prometheus with its operator that the cluster has."""


class MonitoringSpec(Spec):
    """Metrics, alerts and dashboards of the tiers."""

    prometheus: PrometheusKind = PrometheusKind.STACK
    """Who collects metrics."""
    namespace: DnsLabel | None = None
    """Of `existing`: where its Prometheus runs; left out with a stack of our own."""
    labels: dict[str, str] = Field(default={}, max_length=8)
    """Of `existing`: labels by which it finds monitors and rules, for example `release: monitoring`; left out, none."""
    replicas: int = Field(default=2, ge=1, le=5)
    """Members of Prometheus; each scrapes everything."""
    retention_days: int = Field(default=15, ge=1, le=400)
    """How long samples are kept."""
    storage_gib: int = Field(default=100, ge=1, le=16384)
    """Volume of one member in GiB."""
    grafana: bool = False
    """True runs Grafana, whose licence (AGPL-3.0-only) must be accepted under `licences`."""
    alertmanager_secret: DnsLabel | None = None
    """The Secret (`alertmanager.yaml`) that says who is woken; left out, alerts are shown and nobody is told."""
    runbooks: str = Field(default="docs/runbooks", pattern=r"^\S+$", max_length=300)
    """Where the pages `<alert>.md` lie, for people who are woken: an address, or a folder of this project."""
    backup_hours: int = Field(default=26, ge=1, le=744)
    """The age in hours from which the latest backup of a PostgreSQL is too old."""


class ServicesSpec(Spec):
    """What runs beside the tiers; each part is off until it is written."""

    gateway: GatewaySpec | None = None
    """The entrance to the user interfaces; left out, they are reached by port-forward only."""
    certificates: CertificatesSpec | None = None
    """Certificates; left out, none is made."""
    secrets: SecretsSpec | None = None
    """Secrets from a store outside; left out, the site makes them."""
    monitoring: MonitoringSpec | None = None
    """Metrics, alerts and dashboards; left out, none."""
    entrance: ServiceEntranceSpec = ServiceEntranceSpec()
    """How services of a cluster without tiers are reached, those that have a host; has no meaning for sensei."""
