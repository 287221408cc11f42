"""What a user can say about AgentDB: one kind of service, the runtime that it is put on, and what stands beside it.

The words are those of its scalability analysis. skerry/systems/agentdb.py makes of them the services of a plan.
"""

from __future__ import annotations

from enum import Enum

from pydantic import Field

from skerry.config.agentdb_nodes import NodesSpec
from skerry.config.agentdb_program import ProgramSpec, ReplicationSpec
from skerry.config.application import (
    BucketSpec,
    DatabaseSpec,
    DnsName,
    DnsSpec,
    EnvironmentName,
    Exposure,
    Runtime,
    ScaleSpec,
    SiteSpec,
)
from skerry.config.carried_model import CarriedModelSpec
from skerry.config.delivery import DeliverySpec
from skerry.config.geo import GeoSpec
from skerry.config.hybrid_edge import HybridEdgeSpec
from skerry.config.words import DnsLabel, SecretKey, Spec


class AgentDbProfile(str, Enum):
    """The profiles of the analysis, section 12: what a deployment is sized for."""

    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"
    """Small to medium: ECS on Fargate, a shared PostgreSQL."""
    ENTERPRISE = "enterprise"
    """Kubernetes in three regions."""


class AgentDbSpec(Spec):
    """AgentDB where it runs."""

    runtime: Runtime
    """What runs it."""
    image: str
    """The image reference, which is the user's; pinned by the lock or by an @sha256 digest of its own."""
    name: DnsLabel = Field(default="agentdb", max_length=40)
    """What its resources are called; two deployments of one account and region need two names."""
    profile: AgentDbProfile | None = None
    """The profile that it is sized by, for reports; it sets nothing."""
    scale: ScaleSpec | None = None
    """How many run; left out, what the analysis gives the runtime."""
    vcpu: float | None = Field(default=None, gt=0, le=192)
    """Virtual CPUs of a replica; left out, the service's, or the least that the runtime can give its memory."""
    memory_mib: int | None = Field(default=None, ge=128, le=1_048_576)
    """Memory of a replica in MiB; left out, the service's."""
    longest_request_s: int = Field(default=60, ge=1, le=86_400)
    """The longest that a request or a stream may last in seconds."""
    quic: bool | None = None
    """Whether replicas join over QUIC (UDP); left out, wherever the runtime carries UDP."""
    replication: ReplicationSpec = ReplicationSpec()
    """How replicas that are joined by QUIC follow the one that writes."""
    program: ProgramSpec = ProgramSpec()
    """How the program writes its files and keeps what it read."""
    disposable_files: bool = False
    """True where its files may be lost with a replica, since what counts is kept elsewhere or can be made again."""
    storage_gib: int = Field(default=10, ge=1, le=65_536)
    """Space for the files of a replica in GiB."""
    storage_iops: int | None = Field(default=None, ge=100, le=256_000)
    """Operations a second that this space must do, where they can be asked for; left out, its kind's baseline."""
    database: DatabaseSpec | None = None
    """PostgreSQL beside it; the image needs an adapter, whose variables `environment` names. Left out, none."""
    bucket: BucketSpec | None = None
    """Object store beside it; left out, none."""
    exposure: Exposure = Exposure.INTERNAL
    """Who can call it."""
    anonymous: bool = False
    """True lets callers in without an identity of the cloud where one could be asked for (Cloud Run, Functions)."""
    host: DnsName | None = None
    """The name that it is called by; required unless exposure is `none`."""
    allow_cidrs: tuple[str, ...] = Field(default=(), max_length=64)
    """Address ranges that may call it; left out, all of the private network, or of the internet where `public`."""
    rate_per_second: int | None = Field(default=None, ge=1, le=1_000_000)
    """Requests a second of one caller that are let through, where `public`; left out, no bound."""
    model: CarriedModelSpec | None = None
    """The model that it embeds with, on a volume; left out, the image has it, or fetches it where it may."""
    delivery: DeliverySpec = DeliverySpec()
    """How a new version comes in; the checklist asks for blue and green, and 10, 50 and 100 percent of callers."""
    dns: DnsSpec | None = None
    """Where its name is written; left out, nowhere: the address is an output."""
    environment: dict[EnvironmentName, str] = Field(default={}, max_length=100)
    """Plain values beside the service's own; `{database.host}` and the like stand for where `database` is."""
    secrets: dict[EnvironmentName, SecretKey] = Field(default={}, max_length=50)
    """Variable -> the secret key of the stack that holds its value."""
    geo: GeoSpec | None = None
    """Its regions, in mode geo; left out elsewhere."""
    hybrid_edge: HybridEdgeSpec | None = None
    """Its layers, in mode hybrid-edge; left out elsewhere."""
    nodes: NodesSpec | None = None
    """Its machines, where the target is `hosts`; left out elsewhere."""
    site: SiteSpec = SiteSpec()
    """The network of a runtime that is not Kubernetes."""
