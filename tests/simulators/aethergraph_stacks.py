"""The stacks of AetherGraph, and changes that make of them what is not shipped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

ONPREM: Final = "aethergraph-server-onprem"
AIRGAPPED: Final = "aethergraph-server-airgapped"
SAAS_BASE, SAAS = "aethergraph-saas-aws-base", "aethergraph-saas-aws"
ECS: Final = "aethergraph-saas-ecs-aws"
SHIPPED: Final = (ONPREM, AIRGAPPED, SAAS_BASE, SAAS, ECS)
WORLDS: Final = ((ONPREM,), (AIRGAPPED,), (SAAS_BASE, SAAS), (ECS,))
"""What is deployed side by side, each over those before it."""

SIDECAR: Final[Mapping[str, Any]] = {"mode": "sidecar"}
LOCAL_WORKER: Final[Mapping[str, Any]] = {
    "mode": "local-worker",
    "aethergraph.local": {"control_plane": "aethergraph.vendor.example", "workspace": "acme"},
}
TO_SAAS: Final[Mapping[str, Any]] = {"mode": "saas", "aethergraph.host": "aethergraph.vendor.example"}
"""From one tenant to many in the same cluster: what is run changes, what is kept does not."""

SLACK_EVENTS: Final[Mapping[str, Any]] = {
    "aethergraph.slack.delivery": "events",
    "aethergraph.slack.host": "slack.customer.example",
    "aethergraph.slack.signing_secret": "slackSigning",
    "aethergraph.slack.bot_token_secret": "slackBot",
}
SLACK_SOCKET: Final[Mapping[str, Any]] = {
    "aethergraph.slack.delivery": "socket",
    "aethergraph.slack.app_token_secret": "slackApp",
    "aethergraph.slack.bot_token_secret": "slackBot",
}
TENANTS: Final[Mapping[str, Any]] = {
    "aethergraph.slack.delivery": "events",
    "aethergraph.slack.signing_secret": "slackSigning",
    "aethergraph.workspaces.acme.slack_bot_token_secret": "acmeBot",
    "aethergraph.workspaces.acme.worker_credential_secret": "acmeWorker",
    "aethergraph.workspaces.globex.slack_bot_token_secret": "globexBot",
    "aethergraph.llm.url": "https://api.openai.com/v1",
    "aethergraph.llm.jurisdiction": "US",
    "aethergraph.llm.api_key_secret": "llmKey",
}

_TENANTS: Final[Mapping[str, Any]] = {
    "image": "registry.vendor.example/aethergraph/runtime:1.0.0",
    "host": "aethergraph.vendor.example",
    "sso": {"issuer": "https://login.vendor.example/realms/customers", "client_id": "aethergraph"},
}
ELSEWHERE: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "many tenants on GKE": (
        "agentdb-gke",
        {"system": "aethergraph", "mode": "saas", "agentdb": None, "aethergraph": {**_TENANTS}},
    ),
    "many tenants on AKS": (
        "agentdb-aks",
        {"system": "aethergraph", "mode": "saas", "agentdb": None, "aethergraph": {**_TENANTS}},
    ),
    "one tenant on AKS": (
        "agentdb-aks",
        {"system": "aethergraph", "mode": "single-tenant", "agentdb": None, "aethergraph": {**_TENANTS}},
    ),
    "many tenants on Cloud Run": (
        "agentdb-cloud-run-gcp",
        {
            "system": "aethergraph",
            "mode": "saas",
            "agentdb": None,
            "aethergraph": {
                **_TENANTS,
                "image": "us-central1-docker.pkg.dev/skerry-example/aethergraph/runtime:1.0.0",
                "runtime": "cloud-run",
                "artifact_mib": 32,
                "control_plane": {"scale": {"minimum": 1, "maximum": 10, "concurrency": 80}},
                "workers": {"scale": {"minimum": 2, "maximum": 2}},
                "dns": {"zone": "vendor.example"},
            },
            "aethergraph.stores.database.password_secret": "database",
        },
    ),
    "one tenant on ECS, whom Slack may call": (
        ECS,
        {"mode": "single-tenant", **SLACK_EVENTS, "aethergraph.slack.host": "slack.example.com"},
    ),
}
"""Targets and runtimes on which no stack of it is shipped."""


def secrets_of(changes: Mapping[str, Any]) -> list[str]:
    """Return the full keys of the secrets that changes name."""
    return [f"skerry:{value}" for key, value in changes.items() if key.endswith("_secret") and value is not None]
