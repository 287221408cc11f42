"""What services cannot be is refused, with what was written, what may be, and what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from skerry.config.spec import CONFIG_KEY
from skerry.engine.run import run_deployment
from skerry.errors import ConfigError
from tests.simulators.azure_stacks import AZURE
from tests.simulators.azure_stacks import deployment as azure_deployment
from tests.simulators.changed_stacks import run_core
from tests.simulators.stack_objects import AIRGAPPED, AWS, ONPREM, ROOT

GATEWAY: Mapping[str, Any] = {"domain": "sensei.example.com", "routes": ["temporal-ui"], "tls_secret": "site-tls"}
ACME: Mapping[str, Any] = {"issuer": "acme", "acme": {"email": "ops@example.com", "dns_zone": "example.com"}}

WRONG: Mapping[str, tuple[str, Mapping[str, Any], str]] = {
    "the internet at a site without a connection": (
        AIRGAPPED, {"services.gateway": {**GATEWAY, "exposure": "internet"}},
        "services.gateway.exposure: is internet, but the site has no connection"),
    "experiments from the internet": (
        AWS, {"services.gateway": {**GATEWAY, "routes": ["mlflow"], "exposure": "internet"}},
        "'mlflow' belongs to the meta tier, which nobody reaches from the internet"),
    "clients of the internet where only private ones may call": (
        ONPREM, {"services.gateway": {**GATEWAY, "client_cidrs": ["203.0.113.0/24"]}},
        "services.gateway.client_cidrs[0]: '203.0.113.0/24' is not private"),
    "an address range that is none": (
        ONPREM, {"services.gateway": {**GATEWAY, "client_cidrs": ["10.0.0.300/8"]}},
        "services.gateway.client_cidrs[0]: is not an address range"),
    "an entrance without a certificate": (
        ONPREM, {"services.gateway": {"domain": "sensei.example.com", "routes": ["temporal-ui"]}},
        "the entrance would have no certificate"),
    "dashboards that nobody runs": (
        ONPREM, {"services.gateway": {**GATEWAY, "routes": ["grafana"]}}, "'grafana' is not run"),
    "a route twice": (
        ONPREM, {"services.gateway": {**GATEWAY, "routes": ["temporal-ui", "temporal-ui"]}}, "is named twice"),
    "a class with Envoy Gateway": (
        ONPREM, {"services.gateway": {**GATEWAY, "gateway_class": "cilium"}},
        "services.gateway.gateway_class: is of controller: existing"),
    "an existing controller without a class": (
        ONPREM, {"services.gateway": {**GATEWAY, "controller": "existing", "gateway_cidrs": ["10.0.0.0/24"]}},
        "services.gateway.gateway_class: is required"),
    "an existing controller whose proxies are nowhere": (
        ONPREM, {"services.gateway": {**GATEWAY, "controller": "existing", "gateway_class": "cilium"}},
        "nobody could call the user interfaces"),
    "a class of another cloud": (
        AWS, {"services.gateway": {
            **GATEWAY, "controller": "existing", "gateway_class": "gke-l7-rilb", "gateway_cidrs": ["10.0.0.0/24"]}},
        "'gke-l7-rilb' is a class of gcp, and the target is aws"),
    "a public authority at a site without a connection": (
        AIRGAPPED, {"services.certificates": ACME}, "is acme, which asks a public authority, but the site has no"),
    "proof by a cloud's DNS on own machines": (
        ONPREM, {"services.certificates": ACME}, "is acme with proof by a cloud's DNS, and own machines have none"),
    "a public authority without a zone": (
        AWS, {"services.certificates": {"issuer": "acme"}}, "services.certificates.acme: is required"),
    "a zone with an authority of one's own": (
        AWS, {"services.certificates": {**ACME, "issuer": "own-ca"}}, "has no meaning with issuer: own-ca"),
    "an existing issuer without a name": (
        ONPREM, {"services.certificates": {"issuer": "existing"}}, "services.certificates.name: is required"),
    "a name where none is asked": (
        ONPREM, {"services.certificates": {"name": "corporate"}}, "services.certificates.name: has no meaning"),
    "secrets from outside on own machines, from nowhere": (
        ONPREM, {"services.secrets": {}}, "own machines have no store of secrets"),
    "secrets from outside at a site without a connection, from anywhere": (
        AIRGAPPED, {"services.secrets": {"cluster_secret_store": "vault"}}, "nothing may call the store"),
    "metrics of GPUs that Prometheus may not read": (
        ONPREM, {"services.monitoring": {}, "gpu.metrics": True},
        "gpu.metrics_readers: does not name 'sensei-monitoring'"),
    "an existing Prometheus that is nowhere": (
        ONPREM, {"services.monitoring": {"prometheus": "existing"}}, "services.monitoring.namespace: is required"),
    "Grafana beside somebody else's Prometheus": (
        ONPREM, {"services.monitoring": {"prometheus": "existing", "namespace": "m", "grafana": True}},
        "services.monitoring.grafana: is part of a stack of our own"),
    "a namespace for a Prometheus of our own": (
        ONPREM, {"services.monitoring": {"namespace": "m"}},
        "services.monitoring.namespace: is of prometheus: existing"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_refused(case: str) -> None:
    stack, changes, message = WRONG[case]
    with pytest.raises(ConfigError) as error:
        run_core(stack, changes)
    assert message in str(error.value)


def test_azure_asks_for_its_vault_and_its_identities() -> None:
    deployment = azure_deployment(AWS, {"services.secrets": {}, "services.certificates": ACME})
    with pytest.raises(ConfigError) as error:
        run_deployment(ROOT, AZURE, {CONFIG_KEY: json.dumps(deployment)})
    for field in ("secrets.azure_vault_url", "secrets.azure_client_id", "acme.azure_resource_group"):
        assert f"{field}: is required on azure" in str(error.value)
