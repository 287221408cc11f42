"""Stacks of services on Cloud Run and Azure Functions, described by configuration alone, run by the embedded engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from skerry.config.spec import CONFIG_KEY
from skerry.engine.project import StackConfig
from skerry.engine.run import run_program
from skerry.graph import Resource, ResourceGraph
from tests.simulators.moved_stacks import changed
from tests.simulators.stack_objects import ROOT, inputs

STACKS: Final = ("agentdb-cloud-run-gcp", "agentdb-standby-gcp", "agentdb-functions-azure")
"""Those that are shipped."""

SECRETS: Final[Mapping[str, str]] = {"skerry:databasePassword": "only-of-this-test", "skerry:apiKey": "a-key-of-no-one"}

CLIENT: Final = "00000000-0000-0000-0000-0000000000cc"
CERTIFICATE: Final = "https://names.vault.azure.net/secrets/names"

COMMON: Final[Mapping[str, Any]] = {
    "system": "applications",
    "mode": "single-region",
    "data_class": "confidential",
    "residency": {
        "profile": "us-commercial",
        "boundaries": [{"data_class": "confidential", "jurisdictions": ["US"]}],
    },
    "state": {
        "backend": "gs://skerry-state-example",
        "jurisdiction": "US",
        "secrets_provider": "passphrase",
        "backup": "the bucket is versioned",
    },
}
GCP_TARGET: Final[Mapping[str, Any]] = {
    "kind": "gcp",
    "jurisdiction": "US",
    "region": "us-central1",
    "failure_domains": ["us-central1-a", "us-central1-b", "us-central1-c"],
    "gcp": {"project": "skerry-example", "project_number": "123456789012"},
}
AZURE_TARGET: Final[Mapping[str, Any]] = {
    "kind": "azure",
    "jurisdiction": "US",
    "region": "eastus",
    "failure_domains": ["eastus-1", "eastus-2", "eastus-3"],
    "azure": {
        "subscription_id": "00000000-0000-0000-0000-00000000000a",
        "tenant_id": "00000000-0000-0000-0000-00000000000b",
    },
}


def _api(runtime: str, image: str) -> dict[str, Any]:
    return {
        "definition": {
            "ports": {"http": {"port": 9000, "protocol": "http"}},
            "health": {"path": "/healthz", "initial_delay_s": 3, "period_s": 10},
            "needs": ["database", "cache", "bucket", "queue"],
            "access": {"bucket": "read", "queue": "write"},
            "longest_request_s": 120,
            "egress": ["api.vendor.example"],
            "environment": {
                "DATABASE": "postgresql://{database.user}@{database.host}:{database.port}/{database.name}",
                "PGPASSWORD": "{database.password}",
                "CACHE": "{cache.host}:{cache.port}",
                "CACHE_PASSWORD": "{cache.password}",
                "BUCKET": "{bucket.name}",
                "JOBS": "{queue.url}",
                "PLAIN": "as-it-is",
            },
        },
        "runtime": runtime,
        "image": image,
        "vcpu": 1,
        "memory_mib": 2048,
        "scale": {"minimum": 1, "maximum": 7, "concurrency": 40},
        "exposure": "public",
        "host": "api.vendor.example",
        "allow_cidrs": ["203.0.113.0/24"],
        "rate_per_second": 50,
        "secrets": {"API_KEY": "apiKey"},
    }


def _worker(runtime: str, image: str) -> dict[str, Any]:
    definition = {
        "needs": ["queue"],
        "access": {"queue": "read"},
        "environment": {"JOBS": "{queue.name}"},
        "longest_request_s": 200,
    }
    return {
        "definition": definition,
        "runtime": runtime,
        "image": image,
        "vcpu": 1,
        "memory_mib": 2048,
        "scale": {"minimum": 2, "maximum": 2},
    }


def _inside(runtime: str, image: str) -> dict[str, Any]:
    return {
        "service": "stand-in",
        "runtime": runtime,
        "image": image,
        "vcpu": 1,
        "memory_mib": 2048,
        "scale": {"minimum": 1, "maximum": 3, "concurrency": 10},
        "exposure": "internal",
        "host": "inside.vendor.example",
    }


def services(runtime: str, image: str) -> dict[str, Any]:
    """Return three services that no row of the catalogue has, but for the stand-in, and all that may be shared."""
    return {
        "services": {
            "api": _api(runtime, image),
            "worker": _worker(runtime, image),
            "inside": _inside(runtime, image),
        },
        "database": {"vcpu": 2, "memory_gib": 4, "storage_gib": 100, "password_secret": "databasePassword"},
        "cache": {"memory_gib": 1.5, "replicas": 2},
        "bucket": {"gib": 50},
        "queue": {"longest_job_s": 900, "attempts": 5},
        "dns": {"zone": "vendor.example", "cloud_name": "names"},
    }


def deployment(kind: str, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a deployment with everything that services may have, on Cloud Run or Functions, with fields changed."""
    target, runtime, image = {
        "gcp": (GCP_TARGET, "cloud-run", "us-central1-docker.pkg.dev/skerry-example/apps/api:1.0.0"),
        "azure": (AZURE_TARGET, "functions", "skerryexample.azurecr.io/api:1.0.0"),
    }[kind]
    found: dict[str, Any] = {
        **json.loads(json.dumps(COMMON)),
        "target": target,
        "applications": services(runtime, image),
    }
    if kind == "azure":
        found["applications"] |= {"site": {"certificate": CERTIFICATE}}
        for row in found["applications"]["services"].values():
            row |= {"memory_mib": 2048}
    return changed(json.loads(json.dumps(found)), changes or {})


def serverless(kind: str, changes: Mapping[str, Any] | None = None, client: str | None = CLIENT) -> ResourceGraph:
    """Return the graph of that deployment."""
    values = {CONFIG_KEY: json.dumps(deployment(kind, changes)), **SECRETS}
    if client is not None:
        values["skerry:entraClientId"] = client
    return run_program(ROOT, f"apps-{kind}", StackConfig(values, frozenset(SECRETS)))


def named(graph: ResourceGraph, kind: str, name: str) -> Resource:
    """Return the resource of a type with a name."""
    (found,) = [r for r in graph.resources if r.type == kind and r.name == name]
    return found


def inputs_of(graph: ResourceGraph, kind: str, name: str) -> dict[str, Any]:
    """Return the inputs of the resource of a type with a name."""
    return inputs(named(graph, kind, name))
