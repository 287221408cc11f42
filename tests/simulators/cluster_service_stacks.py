"""The stacks whose services run on a cluster, and configurations of such that are not shipped."""

from __future__ import annotations

from typing import Any, Final

import yaml

from tests.simulators.pulumi_cli import ROOT

EKS_BASE, EKS = "agentdb-eks-base", "agentdb-eks"
GKE_BASE, GKE = "agentdb-gke-base", "agentdb-gke"
AKS_BASE, AKS = "agentdb-aks-base", "agentdb-aks"
ONPREM: Final = "agentdb-onprem"
AIRGAPPED: Final = "agentdb-airgapped"
CLUSTER_STACKS: Final = (EKS_BASE, EKS, GKE_BASE, GKE, AKS_BASE, AKS, ONPREM, AIRGAPPED)
GEO_NAMES: Final = "agentdb-geo-dns"
GEO_STACKS: Final = (
    "agentdb-geo-us-base", "agentdb-geo-us", "agentdb-geo-eu-base", "agentdb-geo-eu",
    "agentdb-geo-ap-base", "agentdb-geo-ap", GEO_NAMES,
)  # fmt: skip
EDGE_REGIONS: Final = ("agentdb-edge-us-west", "agentdb-edge-us-east", "agentdb-edge-eu-west")
EDGE_STACKS: Final = tuple(f"{one}{ending}" for one in ("agentdb-edge-core", *EDGE_REGIONS) for ending in ("-base", ""))
EDGE_LAYER: Final = "agentdb-edge-layer"
GEO_BASES: Final = tuple(one for one in GEO_STACKS if one.endswith("-base"))
EDGE_WORLDS: Final = tuple((f"{one}-base", one) for one in ("agentdb-edge-core", *EDGE_REGIONS))
WORLDS: Final = (
    (ONPREM,), (AIRGAPPED,), (EKS_BASE, EKS), (GKE_BASE, GKE), (AKS_BASE, AKS), (EDGE_LAYER,), *EDGE_WORLDS,
    (*GEO_BASES, "agentdb-geo-us", "agentdb-geo-eu", "agentdb-geo-ap", GEO_NAMES),
)  # fmt: skip
"""What is deployed side by side, each over those before it."""

NEW_SERVICES: Final[dict[str, Any]] = {
    "database": {"zones": 2, "storage_gib": 50},
    "cache": {"memory_gib": 1, "replicas": 2},
    "bucket": {"gib": 50},
    "queue": {"longest_job_s": 600, "attempts": 3},
    "services": {
        "orders": {
            "runtime": "kubernetes",
            "image": "registry.vendor.example/shop/orders:1.2.3",
            "exposure": "public",
            "host": "orders.shop.example",
            "rate_per_second": 50,
            "secrets": {"SIGNING_KEY": "signingKey"},
            "definition": {
                "ports": {"http": {"port": 8080}},
                "health": {"path": "/health"},
                "ready": {"path": "/ready"},
                "metrics_path": "/metrics",
                "needs": ["database", "cache", "bucket", "queue"],
                "longest_request_s": 3600,
                "egress": ["api.payments.example"],
                "environment": {
                    "DATABASE_URL": "postgresql://{database.user}@{database.host}:{database.port}/{database.name}",
                    "DATABASE_PASSWORD": "{database.password}",
                    "CACHE_URL": "{cache.scheme}://{cache.host}:{cache.port}",
                    "BUCKET_AT": "{bucket.endpoint}/{bucket.name}",
                    "JOBS": "{queue.url}",
                    "PRICE_TAG": "$(plain)",
                },
            },
            "scale": {"minimum": 2, "maximum": 10, "cpu_percent": 70, "memory_percent": 80},
        },
        "packer": {
            "runtime": "kubernetes",
            "image": "registry.vendor.example/shop/packer:1.2.3",
            "definition": {"needs": ["queue"], "drain_s": 120},
            "scale": {"minimum": 0, "typical": 2, "maximum": 20, "queue_depth": 5},
        },
        "ledger": {
            "runtime": "kubernetes",
            "image": "registry.vendor.example/shop/ledger:1.2.3",
            "exposure": "internal",
            "host": "ledger.shop.example",
            "allow_cidrs": ["10.7.0.0/16"],
            "definition": {
                "ports": {"http": {"port": 9000}},
                "health": {"path": "/live"},
                "data_path": "/var/ledger",
                "single_writer": True,
            },
            "scale": {"minimum": 1, "maximum": 1},
        },
    },
}
"""Three services that no row of the catalogue knows: one with everything, a worker of a queue, one with files."""


def new_services() -> str:
    """Return a stack file of system `applications` on own machines with services that are described in it alone."""
    whole: dict[str, Any] = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{ONPREM}.yaml").read_text(encoding="utf-8"))
    deployment = whole["config"]["skerry:deployment"]
    del deployment["agentdb"]
    deployment |= {"system": "applications", "applications": NEW_SERVICES}
    deployment["machines"]["services"] = {
        "minimum": 2,
        "maximum": 8,
        "machine": {"vcpu": 8, "memory_gib": 16},
    }
    deployment["services"]["monitoring"] = {
        "prometheus": "existing",
        "namespace": "monitoring",
        "labels": {"release": "monitoring"},
    }
    whole["config"]["skerry:signingKey"] = "only-of-this-test"
    return yaml.safe_dump(whole)
