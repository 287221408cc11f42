"""What a user can say about AetherGraph: who runs it, what it keeps its state in, and whom it talks to.

The same words hold in every mode: from a sidecar to one server to a service for many, only `mode` and what the new mode
needs beside it are changed. The analysis names no port but that of its local UI, no size and no number of replicas:
every default here is Skerry's own. skerry/systems/aethergraph.py makes of them the services of a plan.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Final

from pydantic import Field

from skerry.config.application import (
    BucketSpec,
    CacheSpec,
    DatabaseSpec,
    DnsName,
    DnsSpec,
    HttpPath,
    Runtime,
    ScaleSpec,
    SiteSpec,
)
from skerry.config.words import CountryCode, DnsLabel, SecretKey, Spec

HttpsUrl = Annotated[str, Field(pattern=r"^https://[A-Za-z0-9.-]+(:\d{1,5})?(/[A-Za-z0-9._~/-]*)?$", max_length=300)]

LONGEST_GRAPH_S: Final = 900
"""Skerry's own default."""
STREAM_S: Final = 3600
"""Skerry's own default: sixty times what AWS's load balancer gives a silent connection."""


class StoreKind(str, Enum):
    """What keeps blobs, documents, events and vectors."""

    LOCAL = "local"
    """A folder and SQLite, of one process on one machine."""
    SHARED = "shared"
    """An S3 bucket, PostgreSQL (with pgvector) and Valkey, of any number of processes."""


class StoresSpec(Spec):
    """BlobStore, DocStore, EventLog and VectorIndex, and the keys and channels that may be lost."""

    kind: StoreKind | None = None
    """Local or shared; left out, what the mode has: local beside one user, shared everywhere else."""
    database: DatabaseSpec = DatabaseSpec(name="aethergraph", memory_gib=8)
    """PostgreSQL for documents, events and vectors; shared stores only."""
    cache: CacheSpec = CacheSpec()
    """Valkey for locks and for events on their way to open streams; shared stores only."""
    bucket: BucketSpec = BucketSpec()
    """The bucket of blobs; shared stores only."""


class RoleSpec(Spec):
    """One kind of process."""

    image: str | None = None
    """Its image; left out, `aethergraph.image`."""
    vcpu: float | None = Field(default=None, gt=0, le=192)
    """Virtual CPUs of a replica; left out, those of its row in images/services.yaml."""
    memory_mib: int | None = Field(default=None, ge=128, le=1_048_576)
    """Memory of a replica in MiB; left out, that of its row in images/services.yaml."""
    database_secret: DnsLabel | None = None
    """The Secret (`username`, `password`) of a database login of its own, on a cluster; left out, the shared one."""
    scale: ScaleSpec | None = None
    """How many run; left out, server 3, control plane 2 to 10 by CPU, workers 0 to 20 by what waits for them."""


class SsoSpec(Spec):
    """Who logs people in, by OpenID Connect."""

    issuer: HttpsUrl
    """The issuer's address, as its tokens say it."""
    client_id: str = Field(min_length=1, max_length=200)
    """What the issuer calls this deployment."""
    client_secret: SecretKey | None = None
    """The secret key with what the issuer gave it; left out, it is a public client that proves each login by PKCE."""
    cidrs: tuple[str, ...] = Field(default=(), max_length=16)
    """The issuer's addresses, where it stands on the private network; left out, it is on the internet."""


class SlackDelivery(str, Enum):
    """How Slack's events come in."""

    EVENTS = "events"
    """Slack calls an HTTPS address of ours, which must answer within 3 seconds."""
    SOCKET = "socket"
    """We hold a WebSocket out to Slack (Socket Mode): nothing is open to the internet."""


class SlackSpec(Spec):
    """Slack; Teams and other channels come in by `aethergraph.host`, at /api/channel."""

    delivery: SlackDelivery = SlackDelivery.SOCKET
    """How its events come in."""
    host: DnsName | None = None
    """Public name of the one path that Slack calls, with `events` in mode single-tenant; left out elsewhere."""
    allow_cidrs: tuple[str, ...] = Field(default=(), max_length=64)
    """Address ranges that may call that path; left out, any: who calls is proven by the signature."""
    signing_secret: SecretKey | None = None
    """The secret key by which Slack's requests are proven; required with `events`."""
    app_token_secret: SecretKey | None = None
    """The secret key of the app's own token; required with `socket`."""
    bot_token_secret: SecretKey | None = None
    """The secret key of the bot's token; in mode saas each workspace has its own."""
    jurisdiction: CountryCode = "US"
    """The country whose law holds where Slack keeps what is said to it."""


class LlmSpec(Spec):
    """The model that graphs ask."""

    url: HttpsUrl
    """Its interface, for example https://api.openai.com/v1."""
    api_key_secret: SecretKey | None = None
    """The secret key with its API key; left out, it asks for none."""
    cidrs: tuple[str, ...] = Field(default=(), max_length=16)
    """Its addresses, where it stands on the private network; left out, it is on the internet."""
    jurisdiction: CountryCode | None = None
    """The country whose law holds where it stands; required on the internet, left out elsewhere."""


class WorkspaceSpec(Spec):
    """What one tenant of mode saas has of its own."""

    slack_bot_token_secret: SecretKey | None = None
    """The secret key of its Slack bot's token; left out, it has no Slack."""
    worker_credential_secret: SecretKey | None = None
    """The secret key by which its local workers prove who they are; left out, it can have none."""


class LocalSpec(Spec):
    """What runs on a user's machine, in modes sidecar and local-worker."""

    folder: HttpPath = "/var/lib/aethergraph"
    """Where it keeps everything."""
    api_port: int = Field(default=8080, ge=1024, le=65535)
    """Where its API listens, on 127.0.0.1 alone."""
    ui_port: int = Field(default=3000, ge=1024, le=65535)
    """Where its UI listens, on 127.0.0.1 alone."""
    control_plane: DnsName | None = None
    """The control plane that a local worker calls; required in mode local-worker."""
    workspace: DnsLabel | None = None
    """The workspace that a local worker works for; required in mode local-worker."""
    forwards: bool = True
    """True lets a local worker send what happened, never the blobs, to the control plane; false keeps all here."""


class AetherGraphSpec(Spec):
    """AetherGraph where it runs."""

    image: str
    """The image of the runtime, which every role runs; pinned by the lock or by an @sha256 digest of its own."""
    name: DnsLabel = Field(default="aethergraph", max_length=40)
    """What its resources are called on a cloud's own runtimes; it must stay as it is when the mode changes."""
    runtime: Runtime = Runtime.KUBERNETES
    """What runs it, in modes single-tenant, air-gapped and saas."""
    host: DnsName | None = None
    """The name that it is called by: of the private network, or public in mode saas; required in these modes."""
    allow_cidrs: tuple[str, ...] = Field(default=(), max_length=64)
    """Address ranges that may call it; left out, all of the private network, or of the internet in mode saas."""
    stores: StoresSpec = StoresSpec()
    """What keeps its state."""
    server: RoleSpec = RoleSpec()
    """The server of modes single-tenant and air-gapped."""
    control_plane: RoleSpec = RoleSpec()
    """The control plane of mode saas."""
    workers: RoleSpec = RoleSpec()
    """The workers of mode saas."""
    longest_graph_s: int = Field(default=LONGEST_GRAPH_S, ge=1, le=42_000)
    """The longest that a graph may run in seconds; for longer than that nobody else gets its job."""
    attempts: int = Field(default=5, ge=1, le=100)
    """How often a job is tried in mode saas before it is set aside."""
    stream_s: int = Field(default=STREAM_S, ge=1, le=86_400)
    """The longest that a stream of events lasts in seconds, silent or not; clients then connect again."""
    artifact_mib: int = Field(default=512, ge=1, le=65_536)
    """The largest artifact that can be sent in one request, in MiB."""
    uploads: bool = True
    """False lets the control plane of mode saas read blobs only, so that artifacts come from workers alone."""
    rate_per_second: int = Field(default=50, ge=1, le=1_000_000)
    """Requests a second of one caller that are let through, wherever the internet can call."""
    sso: SsoSpec | None = None
    """Who logs people in; required but where one user has it alone."""
    slack: SlackSpec | None = None
    """Slack; left out, none."""
    llm: LlmSpec | None = None
    """The model that graphs ask; left out, none."""
    workspaces: dict[DnsLabel, WorkspaceSpec] = Field(default={}, max_length=20)
    """The tenants of mode saas that have secrets of their own here; others are made by the control plane itself."""
    local: LocalSpec = LocalSpec()
    """What runs on a user's machine."""
    dns: DnsSpec | None = None
    """Where its names are written; left out, nowhere: the address is an output."""
    site: SiteSpec = SiteSpec()
    """The network of a runtime that is not Kubernetes."""
