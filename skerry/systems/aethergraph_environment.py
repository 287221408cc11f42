"""What processes of AetherGraph are told by their environment: stores, routes, how they act as one, how tenants part.

The analysis names no variable, so all names are Skerry's own; they are the same in every mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from skerry.config.aethergraph import AetherGraphSpec, SlackDelivery
from skerry.config.application import Runtime
from skerry.config.spec import DeploymentSpec, TargetKind

PRIMITIVES: Final[Mapping[str, str]] = {
    "blobStore": "BLOB_STORE_URL",
    "docStore": "DOC_STORE_URL",
    "eventLog": "EVENT_LOG_URL",
    "vectorIndex": "VECTOR_INDEX_URL",
    "kv": "KV_URL",
}
"""Output of the stack -> variable of every process, in every mode."""

ROUTES: Final = (
    "/api/graph/{graph_id}/run",
    "/api/graph/run",
    "/api/runs",
    "/api/events",
    "/api/events/stream",
    "/api/artifacts",
    "/api/channel",
)
"""What is answered in every mode: 004:51-55, with /api/graph/run of 004:212 and /api/runs of 004:72, which the analysis
names for one mode only."""

SLACK_PATH: Final = "/api/channel/slack/events"
"""004:176."""
WORKER_PATH: Final = "/api/workers/connect"
"""Where local workers connect; the analysis names no path, so it is Skerry's own."""
SLACK_ACK_S: Final = 3
"""Source: Slack "The Events API", responding to events (not opened; check before relying on it)."""
SLACK_HOSTS: Final[Mapping[SlackDelivery, tuple[str, ...]]] = {
    SlackDelivery.EVENTS: ("slack.com",),
    SlackDelivery.SOCKET: ("slack.com", "wss-primary.slack.com"),
}
"""The Web API; with Socket Mode also where the socket leads, which Slack says anew at each start.

Source: Slack "Using Socket Mode", apps.connections.open, read 2026-11; the name is what it gives commonly (not opened;
check before relying on it).
"""

BLOB_SCHEME_OF: Final[Mapping[Runtime, str]] = {Runtime.CLOUD_RUN: "gs"}
BLOB_SCHEMES: Final[Mapping[TargetKind, str]] = {TargetKind.AZURE: "az"}
"""Where the bucket is none of S3: Azure's, and Google's by its own identities. The image needs an adapter for it."""

VECTOR_EXTENSION: Final = "vector"
"""pgvector, in the PostgreSQL of the documents: the analysis names no store of vectors, so this is Skerry's own."""

COORDINATION: Final[Mapping[str, str]] = {
    # Several processes share one schedule and one set of continuations: what one alone knew would be lost with it.
    "SCHEDULER_LEADER": "doc-store",
    "CONTINUATION_INDEX": "doc-store",
    "RUN_LOCK": "doc-store",
    # Streams of a run are open at any replica, whichever runs it.
    "STREAM_FANOUT": "kv",
}
"""How replicas act as one: leader and locks in PostgreSQL, which keeps them; events on their way in Valkey."""

TENANCY: Final[Mapping[str, str]] = {
    "TENANT_KEY": "workspace",
    "BLOB_STORE_ISOLATION": "prefix",
    "DOC_STORE_ISOLATION": "row",
    "EVENT_LOG_ISOLATION": "row",
    "VECTOR_INDEX_ISOLATION": "row",
}
"""How tenants of mode saas are kept apart: a prefix of objects, rows of PostgreSQL under its row security."""

JOBS: Final[Mapping[str, str]] = {
    "DISPATCH": "queue",
    "JOB_FIELDS": "workspace,graph_id,run_id,input",
    # The queue delivers at least once, and Slack repeats itself: the same run or event a second time does nothing.
    "JOB_IDEMPOTENCY_KEY": "run_id",
    "REQUEUE_ON_DISCONNECT": "true",
}
"""Jobs as 004:273 has them; of its three ways of dispatch the queue is the default, and what a local worker took over a
socket goes back into the queue when that breaks."""


def shared_environment(spec: DeploymentSpec, own: AetherGraphSpec) -> dict[str, str]:
    """Return what every process of a mode is told."""
    found = {
        "AETHERGRAPH_MODE": spec.mode.value,
        "PUBLIC_URL": f"https://{own.host}",
        "ALLOWED_ORIGINS": f"https://{own.host}",
        "API_ROUTES": ",".join(ROUTES),
        "GRAPH_TIMEOUT_S": str(own.longest_graph_s),
        "STREAM_IDLE_S": str(own.stream_s),
        "ARTIFACT_MAX_BYTES": str(own.artifact_mib << 20),
        "VECTOR_INDEX_EXTENSION": VECTOR_EXTENSION,
        "VECTOR_INDEX_MAKES_EXTENSION": "false" if own.runtime is Runtime.KUBERNETES else "true",
        **COORDINATION,
    }
    scheme = BLOB_SCHEME_OF.get(own.runtime)
    if own.runtime is Runtime.KUBERNETES:
        scheme = BLOB_SCHEMES.get(spec.target.kind)
    return {**found, **({"BLOB_STORE_URL": f"{scheme}://{{bucket.name}}"} if scheme is not None else {})}


def people_environment(own: AetherGraphSpec) -> dict[str, str]:
    """Return what a process that people log in to is told."""
    sso = own.sso
    return {"OIDC_ISSUER": sso.issuer, "OIDC_CLIENT_ID": sso.client_id, "OIDC_PKCE": "S256"} if sso is not None else {}


def graph_environment(own: AetherGraphSpec) -> dict[str, str]:
    """Return what a process that runs graphs is told."""
    return {"LLM_BASE_URL": own.llm.url} if own.llm is not None else {}


def slack_environment(own: AetherGraphSpec, acknowledged: str) -> dict[str, str]:
    """Return how Slack is spoken with: it waits 3 seconds for an answer and then sends the event again."""
    if own.slack is None:
        return {"SLACK": "off"}
    return {
        "SLACK": own.slack.delivery.value,
        "SLACK_ACK": acknowledged,
        "SLACK_ACK_WITHIN_S": str(SLACK_ACK_S),
        "SLACK_IDEMPOTENCY_KEY": "event_id",
    }


def host_of(url: str) -> tuple[str, int]:
    """Return host and port of an https address."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 443
