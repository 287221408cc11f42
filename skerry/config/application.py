"""Services of any kind, and where each runs: containers on a cluster, ECS, Cloud Run, Lambda, Functions.

A service is described once, by a row of images/services.yaml or in the stack itself, and says nothing of where it runs.
An application is one service with its runtime, size and bounds. What all of them share (database, cache, bucket, queue,
network, name) stands beside them.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Final

from pydantic import Field

from skerry.config.carried_model import CarriedModelSpec
from skerry.config.delivery import DeliverySpec
from skerry.config.words import CatalogName, CountryCode, DnsLabel, SecretKey, Spec
from skerry.config.zone import DnsName as DnsName

EnvironmentName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)]
HttpPath = Annotated[str, Field(pattern=r"^/[A-Za-z0-9/_.-]*$", max_length=200)]


class Runtime(str, Enum):
    """What runs a service."""

    KUBERNETES = "kubernetes"
    """Pods: a Deployment, or a StatefulSet where the service keeps files."""
    ECS = "ecs"
    """AWS ECS on Fargate."""
    LAMBDA = "lambda"
    """AWS Lambda, from a container image."""
    CLOUD_RUN = "cloud-run"
    """Google Cloud Run."""
    FUNCTIONS = "functions"
    """Azure Functions, from a container image."""
    COMPOSE = "compose"
    """Containers of machines without an orchestrator; AgentDB alone."""


class Protocol(str, Enum):
    """What is spoken on a port."""

    HTTP = "http"
    GRPC = "grpc"
    TCP = "tcp"
    UDP = "udp"
    """Not where there is only HTTP: neither ALB, Cloud Run, Lambda nor Functions takes it in."""


class PortSpec(Spec):
    """A port that a service listens on."""

    port: int = Field(ge=1, le=65535)
    """Its number."""
    protocol: Protocol = Protocol.HTTP
    """What is spoken there."""
    between_replicas: bool = False
    """True where only the service's own replicas call it."""


class Need(str, Enum):
    """What a service keeps its state in, beside its own files."""

    DATABASE = "database"
    """PostgreSQL."""
    CACHE = "cache"
    """Valkey or Redis: pub/sub and keys that may be lost."""
    BUCKET = "bucket"
    """An object store."""
    QUEUE = "queue"
    """Jobs, at least once."""


class Access(str, Enum):
    """What a service may do with objects or jobs."""

    READ = "read"
    """Takes them out, and puts none in."""
    WRITE = "write"
    """Puts them in, and takes none out."""


class ProbeSpec(Spec):
    """How it is found out whether a replica is well."""

    path: str = Field(pattern=r"^/[A-Za-z0-9/_.-]*$", max_length=200)
    """The path of a GET on the service's main port."""
    initial_delay_s: int = Field(default=5, ge=0, le=3600)
    """Seconds before the first one."""
    period_s: int = Field(default=10, ge=1, le=300)
    """Seconds between two."""


class ServiceDefinition(Spec):
    """A service, whatever runs it: one row of images/services.yaml, or one in a stack."""

    ports: dict[DnsLabel, PortSpec] = Field(default={}, max_length=16)
    """Name -> port; the first is its main one, which load balancers and probes call. A worker may have none."""
    health: ProbeSpec | None = None
    """Whether a replica lives; left out, only its process is watched."""
    ready: ProbeSpec | None = None
    """Whether a replica may be called; left out, as `health`."""
    metrics_path: str | None = Field(default=None, pattern=r"^/[A-Za-z0-9/_.-]*$", max_length=200)
    """Where Prometheus reads its figures, on the main port; left out, it has none."""
    vcpu: float = Field(default=0.5, gt=0, le=192)
    """Virtual CPUs that a replica is given."""
    vcpu_limit: float | None = Field(default=None, gt=0, le=192)
    """The most that it may take, where that can be told apart; left out, no limit."""
    memory_mib: int = Field(default=512, ge=128, le=1_048_576)
    """Memory of a replica in MiB."""
    memory_limit_mib: int | None = Field(default=None, ge=128, le=1_048_576)
    """The most that it may take, where that can be told apart; left out, `memory_mib`."""
    data_path: str | None = Field(default=None, pattern=r"^/[A-Za-z0-9/_.-]+$", max_length=200)
    """Where it keeps files that must outlive a replica, one folder for each; left out, it keeps none."""
    single_writer: bool = False
    """True where those files must not be written by two replicas: a shared file system is then refused."""
    primary: bool = False
    """True where replica 0 takes the writes and the others copy it: it then has an address of its own."""
    needs: tuple[Need, ...] = ()
    """What it keeps its state in."""
    access: dict[Need, Access] = Field(default={}, max_length=2)
    """What its own identity may do with the bucket and the queue; left out, both ways."""
    environment: dict[EnvironmentName, str] = Field(default={}, max_length=100)
    """Plain values; `{database.host}` and the like stand for where its needs are (skerry.application)."""
    egress: tuple[DnsName, ...] = Field(default=(), max_length=32)
    """Hosts on the internet that it calls on port 443; nothing else is opened."""
    longest_request_s: int = Field(default=60, ge=1, le=86_400)
    """The longest that a request, a stream or a job may last in seconds; time-outs on the way are made longer."""
    largest_body_mib: int | None = Field(default=None, ge=1, le=65_536)
    """The largest body of a request in MiB; left out, nothing is said to what stands on the way."""
    sticky: bool = False
    """True where a caller should stay with one replica, where that can be asked for."""
    drain_s: int = Field(default=30, ge=0, le=3600)
    """Seconds that a replica gets to end what it began."""
    user: int = Field(default=65_532, ge=1, le=4_294_967_294)
    """The user id that it runs as, where that is told; never root."""


class Vertical(str, Enum):
    """What becomes of the size of replicas as they are used, by the vertical autoscaler that the cluster has."""

    NONE = "none"
    """It stays as it is written."""
    RECOMMEND = "recommend"
    """The autoscaler says what it should be, and changes nothing."""
    AUTO = "auto"
    """The autoscaler changes it; not beside a number that follows the same CPU or memory."""


class ScaleSpec(Spec):
    """How many replicas run, and what decides it."""

    minimum: int = Field(default=2, ge=0, le=1000)
    """The fewest."""
    typical: int | None = Field(default=None, ge=0, le=1000)
    """What finance should expect; left out, the minimum."""
    maximum: int = Field(default=2, ge=1, le=1000)
    """The most; equal to the minimum, nothing scales it."""
    cpu_percent: int | None = Field(default=None, ge=10, le=95)
    """The mean CPU in percent that it is held at."""
    memory_percent: int | None = Field(default=None, ge=10, le=95)
    """The mean memory in percent that it is held at."""
    concurrency: int | None = Field(default=None, ge=1, le=1000)
    """Requests at once in one replica; where a runtime has no such measure it is refused."""
    queue_depth: int | None = Field(default=None, ge=1, le=1_000_000)
    """Waiting jobs for each replica; needs `queue`."""
    prepared: int | None = Field(default=None, ge=1, le=1000)
    """Lambda's provisioned concurrency, Functions' instances always ready; left out, none."""
    prepared_maximum: int | None = Field(default=None, ge=1, le=1000)
    """The most of Lambda that are held ready as they are used; left out, always `prepared`."""
    vertical: Vertical = Vertical.NONE
    """What becomes of their size, on a cluster whose operators brought a vertical autoscaler."""
    spot_share: float = Field(default=0, ge=0, le=1)
    """The share of replicas above the minimum on machines that may be taken away."""


class ServiceExposure(str, Enum):
    """Who can call a service."""

    NONE = "none"
    """Only the deployment's own services."""
    INTERNAL = "internal"
    """The private network, over TLS."""
    PUBLIC = "public"
    """The internet, over TLS."""


Exposure = ServiceExposure


class SiteEndpointSpec(Spec):
    """A host of the private network that a service calls, outside the deployment."""

    host: DnsName
    """Its name."""
    cidrs: tuple[str, ...] = Field(min_length=1, max_length=16)
    """Its address ranges."""
    port: int = Field(default=443, ge=1, le=65535)
    """The port that is called."""


class MeshSpec(Spec):
    """Other regions that the replicas of a service copy to and from, over its port between replicas."""

    name: DnsLabel
    """What this region is called."""
    host: DnsName
    """The name by which the others reach the replica that writes here."""
    peers: dict[DnsLabel, DnsName] = Field(min_length=1, max_length=5)
    """Other region -> the name of its replica that writes."""
    cidrs: tuple[str, ...] = Field(min_length=1, max_length=5)
    """The address ranges of the others."""
    jurisdictions: dict[DnsLabel, CountryCode] = Field(min_length=1, max_length=5)
    """Other region -> the country where what is copied to it lies."""


class CopySpec(Spec):
    """Where else something is kept of what a service takes, over HTTPS."""

    host: DnsName
    """Its name."""
    jurisdiction: CountryCode
    """The country where it lies there."""


class ApplicationSpec(Spec):
    """A service where it runs."""

    service: CatalogName | None = None
    """A row of images/services.yaml; left out, `definition` describes it."""
    definition: ServiceDefinition | None = None
    """The service itself, where the catalogue has no row of it."""
    runtime: Runtime
    """What runs it."""
    image: str
    """The image reference, which is the user's; pinned by the lock or by an @sha256 digest of its own."""
    vcpu: float | None = Field(default=None, gt=0, le=192)
    """Virtual CPUs of a replica; left out, the service's."""
    memory_mib: int | None = Field(default=None, ge=128, le=1_048_576)
    """Memory of a replica in MiB; left out, the service's."""
    storage_gib: int = Field(default=10, ge=1, le=65_536)
    """Space for the files of a replica in GiB, where the service keeps any."""
    storage_iops: int | None = Field(default=None, ge=100, le=256_000)
    """Operations a second that this space must do, where they can be asked for; left out, its kind's baseline."""
    shared_files: bool = False
    """True keeps the files of all replicas on one volume (ReadWriteMany), on a cluster; left out, one volume each."""
    disposable_files: bool = False
    """True where those files may be lost with a replica: asked for by runtimes that keep none."""
    scale: ScaleSpec = ScaleSpec()
    """How many run."""
    exposure: Exposure = Exposure.NONE
    """Who can call it."""
    anonymous: bool = False
    """True lets callers in without an identity of the cloud where one could be asked for (Cloud Run, Functions)."""
    host: DnsName | None = None
    """The name that it is called by; required for `internal` and `public`."""
    more_hosts: tuple[DnsName, ...] = Field(default=(), max_length=8)
    """Further names that it is called by."""
    mesh: MeshSpec | None = None
    """Other regions that it copies to, on a cluster; left out, none."""
    copies: dict[DnsLabel, CopySpec] = Field(default={}, max_length=5)
    """Other deployments that it hands what it takes to, on a cluster; left out, none."""
    allow_cidrs: tuple[str, ...] = Field(default=(), max_length=64)
    """Address ranges that may call it; left out, all of the private network, or of the internet where `public`."""
    paths: tuple[HttpPath, ...] = Field(default=(), max_length=16)
    """Beginnings of the paths that are let in from outside; left out, all."""
    database_secret: DnsLabel | None = None
    """The Secret (`username`, `password`) of a database login of its own, on a cluster; left out, the shared one."""
    model: CarriedModelSpec | None = None
    """A model on a volume, on a cluster; left out, none: what the image has, or fetches, is its own."""
    delivery: DeliverySpec = DeliverySpec()
    """How a new version comes in."""
    site_endpoints: tuple[SiteEndpointSpec, ...] = Field(default=(), max_length=16)
    """Hosts of the private network that it calls; nothing else outside the deployment is opened."""
    rate_per_second: int | None = Field(default=None, ge=1, le=1_000_000)
    """Requests a second of one caller that are let through, where `public`; left out, no bound."""
    environment: dict[EnvironmentName, str] = Field(default={}, max_length=100)
    """Plain values beside the service's own, which they replace."""
    secrets: dict[EnvironmentName, SecretKey] = Field(default={}, max_length=50)
    """Variable -> the secret key of the stack that holds its value."""


class DatabaseSpec(Spec):
    """PostgreSQL that the services share: managed on a cloud's own runtimes, as `meta.relational_kind` on clusters."""

    vcpu: int = Field(default=2, ge=1, le=128)
    """Virtual CPUs."""
    memory_gib: float = Field(default=4, ge=1, le=4096)
    """Memory in GiB."""
    storage_gib: int = Field(default=100, ge=10, le=65_536)
    """Space in GiB."""
    instance_type: str | None = Field(default=None, max_length=60)
    """The cloud's name of its size; left out, the smallest known that has the above."""
    zones: int = Field(default=2, ge=1, le=3)
    """Zones that hold a copy of it; 1 is a finding in production."""
    retention_days: int = Field(default=7, ge=1, le=35)
    """Days that its daily backups are kept."""
    name: DnsLabel = "app"
    """The database in it."""
    extensions: tuple[CatalogName, ...] = Field(default=(), max_length=8)
    """What that database is extended by, such as `vector`."""
    password_secret: SecretKey | None = None
    """The secret key with its user's password; required on gcp and azure, which make none of their own."""


class CacheSpec(Spec):
    """Valkey that the services share."""

    memory_gib: float = Field(default=1.5, gt=0, le=1024)
    """Memory of one member in GiB."""
    replicas: int = Field(default=2, ge=1, le=9)
    """Members."""
    password_secret: SecretKey | None = None
    """The secret key with its password on aws, where a service asks for it; left out, one is made."""


class BucketSpec(Spec):
    """Object store that the services share."""

    gib: int = Field(default=100, ge=1)
    """GiB that finance should expect in it."""


class QueueSpec(Spec):
    """The queue that services share: at least once, with a place for what fails again and again."""

    longest_job_s: int = Field(default=900, ge=1, le=43_200)
    """The longest that a job may take: for so long nobody else gets it."""
    attempts: int = Field(default=5, ge=1, le=100)
    """How often a job is tried before it is set aside."""
    retention_days: int = Field(default=4, ge=1, le=14)
    """Days that a job waits at most."""


class DnsSpec(Spec):
    """The zone that names of services are written to."""

    zone: DnsName
    """The name of the zone, which exists already."""
    ttl_s: int = Field(default=60, ge=30, le=86_400)
    """Seconds that an answer is kept."""
    cloud_name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._()-]{0,89}$")
    """Google's own name of the zone (left out, its name with dashes), or Azure's resource group that holds it."""


class SiteSpec(Spec):
    """The network of the runtimes that are not Kubernetes."""

    name: DnsLabel | None = Field(default=None, max_length=40)
    """What the shared resources are called; left out, as the stack."""
    network_cidr: str = "10.40.0.0/16"
    """The private address range that is cut for them."""
    certificate: str | None = Field(default=None, max_length=300)
    """The cloud's name of a certificate that exists for all hosts; left out, one is asked for by DNS."""
    repositories: bool = False
    """True also makes the repositories of images that lie in the deployment's own registry (Amazon ECR)."""


class ApplicationsSpec(Spec):
    """Services of one deployment, and what they share."""

    services: dict[DnsLabel, ApplicationSpec] = Field(min_length=1, max_length=32)
    """Name -> service; the name is that of its resources."""
    database: DatabaseSpec | None = None
    """Shared PostgreSQL; left out, none."""
    cache: CacheSpec | None = None
    """Shared Valkey; left out, none."""
    bucket: BucketSpec | None = None
    """Shared object store; left out, none."""
    queue: QueueSpec | None = None
    """Shared queue; left out, none."""
    dns: DnsSpec | None = None
    """Where names are written; left out, nowhere: the address is an output."""
    site: SiteSpec = SiteSpec()
    """The network of runtimes that are not Kubernetes."""


RUNTIMES_OF: Final = {
    "aws": (Runtime.KUBERNETES, Runtime.ECS, Runtime.LAMBDA),
    "gcp": (Runtime.KUBERNETES, Runtime.CLOUD_RUN),
    "azure": (Runtime.KUBERNETES, Runtime.FUNCTIONS),
    "onprem": (Runtime.KUBERNETES,),
    "hosts": (Runtime.COMPOSE,),
}
"""Kind of target -> what runs there."""
