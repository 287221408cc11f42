"""What the services beside the tiers must be to the rest of a deployment."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Final

from skerry.config.services import (
    MONITORING_NAMESPACE,
    Exposure,
    GatewayController,
    GatewaySpec,
    IssuerKind,
    PrometheusKind,
    RoutedService,
)
from skerry.config.spec import DeploymentSpec, Layer, TargetKind
from skerry.errors import Problem

GRAFANA_LICENCE: Final = "AGPL-3.0-only"
"""Source: grafana/grafana LICENSE (not opened; check before relying on it)."""

_PRIVATE: Final = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
_OF_META: Final = (RoutedService.MLFLOW,)
"""What belongs to the meta tier, which nobody reaches from the internet."""

_CLASS_KIND: Final[Mapping[str, TargetKind]] = {"gke-": TargetKind.GCP, "azure-alb": TargetKind.AZURE}
"""How a cloud's own GatewayClasses begin.

Source: GKE "GatewayClass capabilities" and Application Gateway for Containers (not opened; check before relying on it).
"""


def service_problems(spec: DeploymentSpec) -> Iterator[Problem]:
    """Yield everything that cannot be with the services of a deployment."""
    if spec.layer is Layer.BASE:
        return
    yield from _gateway(spec)
    yield from _certificates(spec)
    yield from _secrets(spec)
    yield from _monitoring(spec)


def _private(text: str) -> bool:
    network = ipaddress.ip_network(text)
    return any(network.version == one.version and network.subnet_of(one) for one in _PRIVATE)  # type: ignore[arg-type]


def address_problems(path: str, texts: tuple[str, ...], *, private: bool) -> Iterator[Problem]:
    """Yield texts that are no address ranges; with `private` also ranges that the internet routes."""
    for index, text in enumerate(texts):
        try:
            inside = _private(text)
        except ValueError as exc:
            yield Problem(f"{path}[{index}]", f"is not an address range: {exc}", "write it like 10.0.0.0/24")
            continue
        if private and not inside:
            yield Problem(f"{path}[{index}]", f"'{text}' is not private", "name private addresses")


def _gateway(spec: DeploymentSpec) -> Iterator[Problem]:
    gateway, path = spec.services.gateway, "services.gateway"
    if gateway is None:
        return
    inside = gateway.exposure is Exposure.INTERNAL
    yield from address_problems(f"{path}.client_cidrs", gateway.client_cidrs, private=inside)
    yield from address_problems(f"{path}.gateway_cidrs", gateway.gateway_cidrs, private=True)
    if not inside and not spec.target.connected:
        yield Problem(f"{path}.exposure", "is internet, but the site has no connection", "use internal")
    for route in gateway.routes:
        if gateway.routes.count(route) > 1:
            yield Problem(f"{path}.routes", f"'{route.value}' is named twice", "name each once")
            break
    for route in gateway.routes if not inside else ():
        if route in _OF_META:
            text = f"'{route.value}' belongs to the meta tier, which nobody reaches from the internet"
            yield Problem(f"{path}.routes", text, "leave it out, or use exposure: internal")
    if gateway.tls_secret is None and spec.services.certificates is None:
        text = "is left out, and so is services.certificates: the entrance would have no certificate"
        yield Problem(f"{path}.tls_secret", text, "name the site's Secret, or switch services.certificates on")
    monitoring = spec.services.monitoring
    if RoutedService.GRAFANA in gateway.routes and (monitoring is None or not monitoring.grafana):
        yield Problem(f"{path}.routes", "'grafana' is not run", "set monitoring.grafana: true, or leave it out")
    yield from _class(spec, gateway)


def _class(spec: DeploymentSpec, gateway: GatewaySpec) -> Iterator[Problem]:
    path = "services.gateway"
    given = {
        "gateway_class": gateway.gateway_class,
        "gateway_namespace": gateway.gateway_namespace,
        "gateway_cidrs": gateway.gateway_cidrs,
    }
    if gateway.controller is GatewayController.ENVOY:
        for name, value in given.items():
            if value:
                yield Problem(f"{path}.{name}", "is of controller: existing", "remove it, or use that controller")
        return
    if gateway.gateway_class is None:
        yield Problem(f"{path}.gateway_class", "is required with controller: existing", "name the GatewayClass")
    elif wrong := [kind for start, kind in _CLASS_KIND.items() if gateway.gateway_class.startswith(start)]:
        if wrong[0] is not spec.target.kind:
            here = spec.target.kind.value
            text = f"'{gateway.gateway_class}' is a class of {wrong[0].value}, and the target is {here}"
            yield Problem(f"{path}.gateway_class", text, "name a class of the target, or use envoy-gateway")
        elif gateway.exposure is Exposure.INTERNAL and "external" in gateway.gateway_class:
            text = f"'{gateway.gateway_class}' faces the internet, and exposure is internal"
            yield Problem(f"{path}.gateway_class", text, "use an internal class such as gke-l7-rilb, or envoy-gateway")
    if not gateway.gateway_namespace and not gateway.gateway_cidrs:
        text = "is left out, and so is gateway_namespace: nobody could call the user interfaces"
        yield Problem(f"{path}.gateway_cidrs", text, "say from where the proxies of that class call")


def _certificates(spec: DeploymentSpec) -> Iterator[Problem]:
    found, path = spec.services.certificates, "services.certificates"
    if found is None:
        return
    named = found.issuer in (IssuerKind.CA_SECRET, IssuerKind.EXISTING)
    if named and found.name is None:
        yield Problem(f"{path}.name", f"is required with issuer: {found.issuer.value}", "name it")
    if not named and found.name is not None:
        yield Problem(f"{path}.name", f"has no meaning with issuer: {found.issuer.value}", "remove it")
    if found.issuer is not IssuerKind.ACME:
        if found.acme is not None:
            yield Problem(f"{path}.acme", f"has no meaning with issuer: {found.issuer.value}", "remove it")
        return
    if not spec.target.connected:
        text = "is acme, which asks a public authority, but the site has no connection"
        yield Problem(f"{path}.issuer", text, "use own-ca or ca-secret")
    if spec.target.kind is TargetKind.ONPREM:
        text = "is acme with proof by a cloud's DNS, and own machines have none"
        yield Problem(f"{path}.issuer", text, "use own-ca, ca-secret, or existing with a ClusterIssuer of your own")
    if found.acme is None:
        yield Problem(f"{path}.acme", "is required with issuer: acme", "name email and dns_zone")
    elif spec.target.kind is TargetKind.AZURE:
        for name in ("azure_resource_group", "azure_client_id"):
            if getattr(found.acme, name) is None:
                yield Problem(f"{path}.acme.{name}", "is required on azure", "name it")


def _secrets(spec: DeploymentSpec) -> Iterator[Problem]:
    found, path = spec.services.secrets, "services.secrets"
    if found is None:
        return
    yield from address_problems(f"{path}.store_cidrs", found.store_cidrs, private=False)
    if found.cluster_secret_store is not None:
        if not spec.target.connected and not found.store_cidrs:
            text = "is left out, and the site has no connection: nothing may call the store"
            yield Problem(f"{path}.store_cidrs", text, "name the addresses of the site's store")
        return
    if spec.target.kind is TargetKind.ONPREM:
        text = "is left out, and own machines have no store of secrets"
        remedy = "name the ClusterSecretStore that the site makes, or leave services.secrets out and make the Secrets"
        yield Problem(f"{path}.cluster_secret_store", text, f"{remedy} by hand (docs/sites.md)")
    if spec.target.kind is TargetKind.AZURE:
        for name in ("azure_vault_url", "azure_client_id"):
            if getattr(found, name) is None:
                yield Problem(f"{path}.{name}", "is required on azure", "name it")


def _monitoring(spec: DeploymentSpec) -> Iterator[Problem]:
    found, path = spec.services.monitoring, "services.monitoring"
    if found is None:
        return
    if found.prometheus is PrometheusKind.EXISTING:
        if found.namespace is None:
            text = "is required with prometheus: existing"
            yield Problem(f"{path}.namespace", text, "name where that Prometheus runs")
        for name in ("grafana", "alertmanager_secret"):
            if getattr(found, name):
                yield Problem(f"{path}.{name}", "is part of a stack of our own", "remove it")
    elif found.namespace is not None:
        yield Problem(f"{path}.namespace", "is of prometheus: existing", "remove it")
    reader = found.namespace or MONITORING_NAMESPACE
    if spec.gpu.metrics and spec.target.kind is not TargetKind.GCP and reader not in spec.gpu.metrics_readers:
        text = f"does not name '{reader}', whose Prometheus reads the metrics of GPUs"
        yield Problem("gpu.metrics_readers", text, "add it")
