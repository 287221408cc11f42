"""Services beside the tiers as every Pulumi language writes them: fields of `skerry.config.services`, word for word.

The schema analyzer reads these classes at run time, so that no annotation here may be a string; a test holds names,
types and descriptions equal to the specs, which check the values.
"""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from components.package.specs_entrance import ServiceEntrance
from skerry.config.services import Exposure, GatewayController, IssuerKind, PrometheusKind, RoutedService


class Gateway(TypedDict):
    """One HTTPS entrance for the user interfaces, by the Gateway API."""

    controller: NotRequired[GatewayController]
    """Who answers for it."""
    gateway_class: NotRequired[str]
    """The GatewayClass of `existing`, for example gke-l7-rilb; left out with Envoy Gateway."""
    gateway_namespace: NotRequired[str]
    """Of `existing`: the namespace of its proxies; left out, they come from `gateway_cidrs`."""
    gateway_cidrs: NotRequired[Sequence[str]]
    """Of `existing`: the addresses that its proxies call from, for example Google's proxy-only subnet."""
    domain: str
    """Each route is `<service>.<domain>`; the site's DNS points them at the load balancer."""
    routes: Sequence[RoutedService]
    """What is reached through it; nothing else is."""
    exposure: NotRequired[Exposure]
    """From where it is reached."""
    client_cidrs: NotRequired[Sequence[str]]
    """Who may call; left out, private addresses, or anybody where it faces the internet."""
    tls_secret: NotRequired[str]
    """The site's Secret (`tls.crt`, `tls.key`) beside the Gateway; left out, cert-manager makes one."""
    annotations: NotRequired[Mapping[str, str]]
    """On the load balancer, beside those that keep it inside; left out, none."""
    idle_timeout_s: NotRequired[int]
    """Seconds after which a connection without traffic is closed; workers of Temporal hold one for a minute."""
    request_timeout_s: NotRequired[int]
    """Seconds that one request to a user interface may take; streams over gRPC are not limited by it."""
    replicas: NotRequired[int]
    """Proxies of Envoy Gateway."""


class Acme(TypedDict):
    """A public authority that asks for proof by DNS, so that nothing need be open to the internet."""

    email: str
    """Whom the authority tells of trouble."""
    server: NotRequired[str]
    """The authority's directory."""
    dns_zone: str
    """The zone at the cloud's own DNS in which proof is given."""
    dns_zone_id: NotRequired[str]
    """The id of that zone at Route 53; left out, it is looked up, which takes a wider right."""
    azure_resource_group: NotRequired[str]
    """The resource group of that zone; required on azure."""
    azure_client_id: NotRequired[str]
    """The managed identity that may write the zone; required on azure."""


class Certificates(TypedDict):
    """Certificates, by cert-manager."""

    issuer: NotRequired[IssuerKind]
    """Who signs."""
    name: NotRequired[str]
    """Of `existing` the ClusterIssuer, of `ca-secret` the Secret in the operators' namespace; left out elsewhere."""
    acme: NotRequired[Acme]
    """Of `acme`; left out elsewhere."""
    days: NotRequired[int]
    """How long a certificate is good; it is renewed after two thirds of that."""
    agents: NotRequired[bool]
    """True makes a Secret `agents-tls` in the cognitive and the execution tier, for agents that speak TLS over gRPC."""


class Secrets(TypedDict):
    """Secrets of the stores from a store outside the cluster, by External Secrets."""

    prefix: NotRequired[str]
    """Each secret there is `<prefix>-<name>`, a JSON object with the keys of the Kubernetes Secret of that name."""
    refresh_minutes: NotRequired[int]
    """How often it is read again."""
    cluster_secret_store: NotRequired[str]
    """A ClusterSecretStore that the site makes; left out, the cloud's own service; own machines have none."""
    store_cidrs: NotRequired[Sequence[str]]
    """The addresses of that store; left out, port 443 of any address, which needs a connection."""
    more: NotRequired[Sequence[str]]
    """Further Secrets, `<namespace>/<name>`, of which all keys are taken; left out, those that docs/sites.md names."""
    azure_vault_url: NotRequired[str]
    """The vault; required on azure."""
    azure_client_id: NotRequired[str]
    """The managed identity that may read it; required on azure."""


class Monitoring(TypedDict):
    """Metrics, alerts and dashboards of the tiers."""

    prometheus: NotRequired[PrometheusKind]
    """Who collects metrics."""
    namespace: NotRequired[str]
    """Of `existing`: where its Prometheus runs; left out with a stack of our own."""
    labels: NotRequired[Mapping[str, str]]
    """Of `existing`: labels by which it finds monitors and rules, for example `release: monitoring`; left out, none."""
    replicas: NotRequired[int]
    """Members of Prometheus; each scrapes everything."""
    retention_days: NotRequired[int]
    """How long samples are kept."""
    storage_gib: NotRequired[int]
    """Volume of one member in GiB."""
    grafana: NotRequired[bool]
    """True runs Grafana, whose licence (AGPL-3.0-only) must be accepted under `licences`."""
    alertmanager_secret: NotRequired[str]
    """The Secret (`alertmanager.yaml`) that says who is woken; left out, alerts are shown and nobody is told."""
    runbooks: NotRequired[str]
    """Where the pages `<alert>.md` lie, for people who are woken: an address, or a folder of this project."""
    backup_hours: NotRequired[int]
    """The age in hours from which the latest backup of a PostgreSQL is too old."""


class Services(TypedDict):
    """What runs beside the tiers; each part is off until it is written."""

    gateway: NotRequired[Gateway]
    """The entrance to the user interfaces; left out, they are reached by port-forward only."""
    certificates: NotRequired[Certificates]
    """Certificates; left out, none is made."""
    secrets: NotRequired[Secrets]
    """Secrets from a store outside; left out, the site makes them."""
    monitoring: NotRequired[Monitoring]
    """Metrics, alerts and dashboards; left out, none."""
    entrance: NotRequired[ServiceEntrance]
    """How services of a cluster without tiers are reached, those that have a host; has no meaning for sensei."""
