"""The fields of `skerry.config.agentdb` as every Pulumi language writes them, word for word.

The schema analyzer reads these classes at run time, so that no annotation here may be a string; a test holds names,
types and descriptions equal to the specs, which check the values.
"""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from components.package.specs_agentdb_nodes import AgentDbNodes
from components.package.specs_applications import DnsZone, RuntimeSite, ServiceScale, SharedBucket, SharedDatabase
from components.package.specs_delivery import CarriedModel, Delivery
from components.package.specs_geo import Geo
from components.package.specs_hybrid_edge import HybridEdge
from skerry.config.agentdb import AgentDbProfile
from skerry.config.agentdb_program import ReplicaConsistency, SqliteSync
from skerry.config.application import Runtime, ServiceExposure


class ReplicaCopies(TypedDict):
    """How replicas that are joined by QUIC follow the one that writes."""

    interval_ms: NotRequired[int]
    """Milliseconds between two copies, and between two heartbeats."""
    consistency: NotRequired[ReplicaConsistency]
    """When a write counts as done."""
    missed_heartbeats: NotRequired[int]
    """Heartbeats in a row that are missed until a primary counts as lost."""


class AgentDbProgram(TypedDict):
    """How the program writes its files, which always have a write-ahead log, and keeps what it read."""

    batch_size: NotRequired[int]
    """Operations that one transaction takes together."""
    cache_s: NotRequired[int]
    """Seconds that an answer is kept; 0 keeps none."""
    sqlite_sync: NotRequired[SqliteSync]
    """When SQLite asks the disk whether it has what was written."""
    checkpoint_pages: NotRequired[int]
    """Pages of the write-ahead log that are carried into the file together."""


class AgentDbSettings(TypedDict):
    """AgentDB where it runs."""

    runtime: Runtime
    """What runs it."""
    image: str
    """The image reference, which is the user's; pinned by the lock or by an @sha256 digest of its own."""
    name: NotRequired[str]
    """What its resources are called; two deployments of one account and region need two names."""
    profile: NotRequired[AgentDbProfile]
    """The profile that it is sized by, for reports; it sets nothing."""
    scale: NotRequired[ServiceScale]
    """How many run; left out, what the analysis gives the runtime."""
    vcpu: NotRequired[float]
    """Virtual CPUs of a replica; left out, the service's, or the least that the runtime can give its memory."""
    memory_mib: NotRequired[int]
    """Memory of a replica in MiB; left out, the service's."""
    longest_request_s: NotRequired[int]
    """The longest that a request or a stream may last in seconds."""
    quic: NotRequired[bool]
    """Whether replicas join over QUIC (UDP); left out, wherever the runtime carries UDP."""
    replication: NotRequired[ReplicaCopies]
    """How replicas that are joined by QUIC follow the one that writes."""
    program: NotRequired[AgentDbProgram]
    """How the program writes its files and keeps what it read."""
    disposable_files: NotRequired[bool]
    """True where its files may be lost with a replica, since what counts is kept elsewhere or can be made again."""
    storage_gib: NotRequired[int]
    """Space for the files of a replica in GiB."""
    storage_iops: NotRequired[int]
    """Operations a second that this space must do, where they can be asked for; left out, its kind's baseline."""
    database: NotRequired[SharedDatabase]
    """PostgreSQL beside it; the image needs an adapter, whose variables `environment` names. Left out, none."""
    bucket: NotRequired[SharedBucket]
    """Object store beside it; left out, none."""
    exposure: NotRequired[ServiceExposure]
    """Who can call it."""
    anonymous: NotRequired[bool]
    """True lets callers in without an identity of the cloud where one could be asked for (Cloud Run, Functions)."""
    host: NotRequired[str]
    """The name that it is called by; required unless exposure is `none`."""
    allow_cidrs: NotRequired[Sequence[str]]
    """Address ranges that may call it; left out, all of the private network, or of the internet where `public`."""
    rate_per_second: NotRequired[int]
    """Requests a second of one caller that are let through, where `public`; left out, no bound."""
    model: NotRequired[CarriedModel]
    """The model that it embeds with, on a volume; left out, the image has it, or fetches it where it may."""
    delivery: NotRequired[Delivery]
    """How a new version comes in; the checklist asks for blue and green, and 10, 50 and 100 percent of callers."""
    dns: NotRequired[DnsZone]
    """Where its name is written; left out, nowhere: the address is an output."""
    environment: NotRequired[Mapping[str, str]]
    """Plain values beside the service's own; `{database.host}` and the like stand for where `database` is."""
    secrets: NotRequired[Mapping[str, str]]
    """Variable -> the secret key of the stack that holds its value."""
    geo: NotRequired[Geo]
    """Its regions, in mode geo; left out elsewhere."""
    hybrid_edge: NotRequired[HybridEdge]
    """Its layers, in mode hybrid-edge; left out elsewhere."""
    nodes: NotRequired[AgentDbNodes]
    """Its machines, where the target is `hosts`; left out elsewhere."""
    site: NotRequired[RuntimeSite]
    """The network of a runtime that is not Kubernetes."""
