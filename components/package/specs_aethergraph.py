"""The fields of `skerry.config.aethergraph` as every Pulumi language writes them, word for word.

The schema analyzer reads these classes at run time, so that no annotation here may be a string; a test holds names,
types and descriptions equal to the specs, which check the values.
"""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from components.package.specs_applications import (
    DnsZone,
    RuntimeSite,
    ServiceScale,
    SharedBucket,
    SharedCache,
    SharedDatabase,
)
from skerry.config.aethergraph import SlackDelivery, StoreKind
from skerry.config.application import Runtime


class AetherGraphStores(TypedDict):
    """BlobStore, DocStore, EventLog and VectorIndex, and the keys and channels that may be lost."""

    kind: NotRequired[StoreKind]
    """Local or shared; left out, what the mode has: local beside one user, shared everywhere else."""
    database: NotRequired[SharedDatabase]
    """PostgreSQL for documents, events and vectors; shared stores only."""
    cache: NotRequired[SharedCache]
    """Valkey for locks and for events on their way to open streams; shared stores only."""
    bucket: NotRequired[SharedBucket]
    """The bucket of blobs; shared stores only."""


class Role(TypedDict):
    """One kind of process."""

    image: NotRequired[str]
    """Its image; left out, `aethergraph.image`."""
    vcpu: NotRequired[float]
    """Virtual CPUs of a replica; left out, those of its row in images/services.yaml."""
    memory_mib: NotRequired[int]
    """Memory of a replica in MiB; left out, that of its row in images/services.yaml."""
    database_secret: NotRequired[str]
    """The Secret (`username`, `password`) of a database login of its own, on a cluster; left out, the shared one."""
    scale: NotRequired[ServiceScale]
    """How many run; left out, server 3, control plane 2 to 10 by CPU, workers 0 to 20 by what waits for them."""


class Sso(TypedDict):
    """Who logs people in, by OpenID Connect."""

    issuer: str
    """The issuer's address, as its tokens say it."""
    client_id: str
    """What the issuer calls this deployment."""
    client_secret: NotRequired[str]
    """The secret key with what the issuer gave it; left out, it is a public client that proves each login by PKCE."""
    cidrs: NotRequired[Sequence[str]]
    """The issuer's addresses, where it stands on the private network; left out, it is on the internet."""


class Slack(TypedDict):
    """Slack; Teams and other channels come in by `aethergraph.host`, at /api/channel."""

    delivery: NotRequired[SlackDelivery]
    """How its events come in."""
    host: NotRequired[str]
    """Public name of the one path that Slack calls, with `events` in mode single-tenant; left out elsewhere."""
    allow_cidrs: NotRequired[Sequence[str]]
    """Address ranges that may call that path; left out, any: who calls is proven by the signature."""
    signing_secret: NotRequired[str]
    """The secret key by which Slack's requests are proven; required with `events`."""
    app_token_secret: NotRequired[str]
    """The secret key of the app's own token; required with `socket`."""
    bot_token_secret: NotRequired[str]
    """The secret key of the bot's token; in mode saas each workspace has its own."""
    jurisdiction: NotRequired[str]
    """The country whose law holds where Slack keeps what is said to it."""


class Llm(TypedDict):
    """The model that graphs ask."""

    url: str
    """Its interface, for example https://api.openai.com/v1."""
    api_key_secret: NotRequired[str]
    """The secret key with its API key; left out, it asks for none."""
    cidrs: NotRequired[Sequence[str]]
    """Its addresses, where it stands on the private network; left out, it is on the internet."""
    jurisdiction: NotRequired[str]
    """The country whose law holds where it stands; required on the internet, left out elsewhere."""


class Workspace(TypedDict):
    """What one tenant of mode saas has of its own."""

    slack_bot_token_secret: NotRequired[str]
    """The secret key of its Slack bot's token; left out, it has no Slack."""
    worker_credential_secret: NotRequired[str]
    """The secret key by which its local workers prove who they are; left out, it can have none."""


class Local(TypedDict):
    """What runs on a user's machine, in modes sidecar and local-worker."""

    folder: NotRequired[str]
    """Where it keeps everything."""
    api_port: NotRequired[int]
    """Where its API listens, on 127.0.0.1 alone."""
    ui_port: NotRequired[int]
    """Where its UI listens, on 127.0.0.1 alone."""
    control_plane: NotRequired[str]
    """The control plane that a local worker calls; required in mode local-worker."""
    workspace: NotRequired[str]
    """The workspace that a local worker works for; required in mode local-worker."""
    forwards: NotRequired[bool]
    """True lets a local worker send what happened, never the blobs, to the control plane; false keeps all here."""


class AetherGraphSettings(TypedDict):
    """AetherGraph where it runs."""

    image: str
    """The image of the runtime, which every role runs; pinned by the lock or by an @sha256 digest of its own."""
    name: NotRequired[str]
    """What its resources are called on a cloud's own runtimes; it must stay as it is when the mode changes."""
    runtime: NotRequired[Runtime]
    """What runs it, in modes single-tenant, air-gapped and saas."""
    host: NotRequired[str]
    """The name that it is called by: of the private network, or public in mode saas; required in these modes."""
    allow_cidrs: NotRequired[Sequence[str]]
    """Address ranges that may call it; left out, all of the private network, or of the internet in mode saas."""
    stores: NotRequired[AetherGraphStores]
    """What keeps its state."""
    server: NotRequired[Role]
    """The server of modes single-tenant and air-gapped."""
    control_plane: NotRequired[Role]
    """The control plane of mode saas."""
    workers: NotRequired[Role]
    """The workers of mode saas."""
    longest_graph_s: NotRequired[int]
    """The longest that a graph may run in seconds; for longer than that nobody else gets its job."""
    attempts: NotRequired[int]
    """How often a job is tried in mode saas before it is set aside."""
    stream_s: NotRequired[int]
    """The longest that a stream of events lasts in seconds, silent or not; clients then connect again."""
    artifact_mib: NotRequired[int]
    """The largest artifact that can be sent in one request, in MiB."""
    uploads: NotRequired[bool]
    """False lets the control plane of mode saas read blobs only, so that artifacts come from workers alone."""
    rate_per_second: NotRequired[int]
    """Requests a second of one caller that are let through, wherever the internet can call."""
    sso: NotRequired[Sso]
    """Who logs people in; required but where one user has it alone."""
    slack: NotRequired[Slack]
    """Slack; left out, none."""
    llm: NotRequired[Llm]
    """The model that graphs ask; left out, none."""
    workspaces: NotRequired[Mapping[str, Workspace]]
    """The tenants of mode saas that have secrets of their own here; others are made by the control plane itself."""
    local: NotRequired[Local]
    """What runs on a user's machine."""
    dns: NotRequired[DnsZone]
    """Where its names are written; left out, nowhere: the address is an output."""
    site: NotRequired[RuntimeSite]
    """The network of a runtime that is not Kubernetes."""
