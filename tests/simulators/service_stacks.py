"""Deployments with services beside their tiers: one of each kind of target, none of which is shipped as it is here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tests.simulators.changed_stacks import without_options

GRAFANA_LICENCE: Final = {"licence": "AGPL-3.0-only", "accepted_by": "Jane Doe, legal", "accepted_on": "2026-11-20"}

_CASES: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "own machines: everything, an authority of its own, secrets of the site's vault": (
        "sensei-private-onprem",
        {
            "services.gateway": {
                "domain": "sensei.customer.example",
                "routes": ["temporal-ui", "temporal", "mlflow", "ray-dashboard", "grafana"],
                "client_cidrs": ["10.7.0.0/16"],
            },
            "services.certificates": {"agents": True},
            "services.secrets": {
                "cluster_secret_store": "site-vault",
                "store_cidrs": ["10.9.0.5/32"],
                "more": ["sensei-operators/registry-login"],
            },
            "services.monitoring": {"grafana": True, "alertmanager_secret": "alerts-out"},
            "gpu.metrics": True,
            "gpu.metrics_readers": ["sensei-monitoring"],
            "licences": [GRAFANA_LICENCE],
        },
    ),
    "an air-gapped site: its own certificate, its own Prometheus, one route": (
        "sensei-airgapped",
        {
            "services.gateway": {
                "domain": "sensei.site.example",
                "routes": ["temporal-ui"],
                "tls_secret": "site-tls",
                "controller": "existing",
                "gateway_class": "cilium",
                "gateway_cidrs": ["10.3.0.0/24"],
            },
            "services.monitoring": {
                "prometheus": "existing",
                "namespace": "monitoring",
                "labels": {"release": "site"},
                "backup_hours": 50,
            },
        },
    ),
    "AWS: a public authority, Secrets Manager, one proxy": (
        "sensei-saas-aws",
        {
            "services.gateway": {
                "domain": "ops.vendor.example",
                "routes": ["temporal-ui", "temporal"],
                "exposure": "internet",
                "client_cidrs": ["198.51.100.0/24"],
                "replicas": 1,
            },
            "services.certificates": {
                "issuer": "acme",
                "acme": {"email": "ops@vendor.example", "dns_zone": "vendor.example", "dns_zone_id": "Z0123456789"},
            },
            "services.secrets": {},
            "services.monitoring": {"replicas": 1},
        },
    ),
    "Google Cloud: its own gateway, the site's authority, Secret Manager": (
        "sensei-saas-gcp",
        {
            "services.gateway": {
                "domain": "ops.vendor.example",
                "routes": ["mlflow"],
                "controller": "existing",
                "gateway_class": "gke-l7-rilb",
                "gateway_cidrs": ["10.129.0.0/23"],
                "annotations": {"example.com/team": "platform"},
            },
            "services.certificates": {"issuer": "ca-secret", "name": "vendor-ca"},
            "services.secrets": {"prefix": "saas"},
        },
    ),
}
SERVED: Final = {case: (stack, {**without_options(stack), **changes}) for case, (stack, changes) in _CASES.items()}
"""Sentence -> the shipped stack, and what is other than in its file."""
