"""The fields of `skerry.config.application` as every Pulumi language writes them, word for word.

The schema analyzer reads these classes at run time, so that no annotation here may be a string; a test holds names,
types and descriptions equal to the specs, which check the values.
"""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from components.package.specs_delivery import CarriedModel, Delivery
from skerry.config.application import Access, Need, Protocol, Runtime, ServiceExposure, Vertical


class ServicePort(TypedDict):
    """A port that a service listens on."""

    port: int
    """Its number."""
    protocol: NotRequired[Protocol]
    """What is spoken there."""
    between_replicas: NotRequired[bool]
    """True where only the service's own replicas call it."""


class ServiceProbe(TypedDict):
    """How it is found out whether a replica is well."""

    path: str
    """The path of a GET on the service's main port."""
    initial_delay_s: NotRequired[int]
    """Seconds before the first one."""
    period_s: NotRequired[int]
    """Seconds between two."""


class ServiceDefinition(TypedDict):
    """A service, whatever runs it: one row of images/services.yaml, or one in a stack."""

    ports: NotRequired[Mapping[str, ServicePort]]
    """Name -> port; the first is its main one, which load balancers and probes call. A worker may have none."""
    health: NotRequired[ServiceProbe]
    """Whether a replica lives; left out, only its process is watched."""
    ready: NotRequired[ServiceProbe]
    """Whether a replica may be called; left out, as `health`."""
    metrics_path: NotRequired[str]
    """Where Prometheus reads its figures, on the main port; left out, it has none."""
    vcpu: NotRequired[float]
    """Virtual CPUs that a replica is given."""
    vcpu_limit: NotRequired[float]
    """The most that it may take, where that can be told apart; left out, no limit."""
    memory_mib: NotRequired[int]
    """Memory of a replica in MiB."""
    memory_limit_mib: NotRequired[int]
    """The most that it may take, where that can be told apart; left out, `memory_mib`."""
    data_path: NotRequired[str]
    """Where it keeps files that must outlive a replica, one folder for each; left out, it keeps none."""
    single_writer: NotRequired[bool]
    """True where those files must not be written by two replicas: a shared file system is then refused."""
    primary: NotRequired[bool]
    """True where replica 0 takes the writes and the others copy it: it then has an address of its own."""
    needs: NotRequired[Sequence[Need]]
    """What it keeps its state in."""
    access: NotRequired[Mapping[str, Access]]
    """What its own identity may do with the bucket and the queue; left out, both ways."""
    environment: NotRequired[Mapping[str, str]]
    """Plain values; `{database.host}` and the like stand for where its needs are (skerry.application)."""
    egress: NotRequired[Sequence[str]]
    """Hosts on the internet that it calls on port 443; nothing else is opened."""
    longest_request_s: NotRequired[int]
    """The longest that a request, a stream or a job may last in seconds; time-outs on the way are made longer."""
    largest_body_mib: NotRequired[int]
    """The largest body of a request in MiB; left out, nothing is said to what stands on the way."""
    sticky: NotRequired[bool]
    """True where a caller should stay with one replica, where that can be asked for."""
    drain_s: NotRequired[int]
    """Seconds that a replica gets to end what it began."""
    user: NotRequired[int]
    """The user id that it runs as, where that is told; never root."""


class ServiceScale(TypedDict):
    """How many replicas run, and what decides it."""

    minimum: NotRequired[int]
    """The fewest."""
    typical: NotRequired[int]
    """What finance should expect; left out, the minimum."""
    maximum: NotRequired[int]
    """The most; equal to the minimum, nothing scales it."""
    cpu_percent: NotRequired[int]
    """The mean CPU in percent that it is held at."""
    memory_percent: NotRequired[int]
    """The mean memory in percent that it is held at."""
    concurrency: NotRequired[int]
    """Requests at once in one replica; where a runtime has no such measure it is refused."""
    queue_depth: NotRequired[int]
    """Waiting jobs for each replica; needs `queue`."""
    prepared: NotRequired[int]
    """Lambda's provisioned concurrency, Functions' instances always ready; left out, none."""
    prepared_maximum: NotRequired[int]
    """The most of Lambda that are held ready as they are used; left out, always `prepared`."""
    vertical: NotRequired[Vertical]
    """What becomes of their size, on a cluster whose operators brought a vertical autoscaler."""
    spot_share: NotRequired[float]
    """The share of replicas above the minimum on machines that may be taken away."""


class ServiceMesh(TypedDict):
    """Other regions that the replicas of a service copy to and from, over its port between replicas."""

    name: str
    """What this region is called."""
    host: str
    """The name by which the others reach the replica that writes here."""
    peers: Mapping[str, str]
    """Other region -> the name of its replica that writes."""
    cidrs: Sequence[str]
    """The address ranges of the others."""
    jurisdictions: Mapping[str, str]
    """Other region -> the country where what is copied to it lies."""


class Copy(TypedDict):
    """Where else something is kept of what a service takes, over HTTPS."""

    host: str
    """Its name."""
    jurisdiction: str
    """The country where it lies there."""


class SiteEndpoint(TypedDict):
    """A host of the private network that a service calls, outside the deployment."""

    host: str
    """Its name."""
    cidrs: Sequence[str]
    """Its address ranges."""
    port: NotRequired[int]
    """The port that is called."""


class Application(TypedDict):
    """A service where it runs."""

    service: NotRequired[str]
    """A row of images/services.yaml; left out, `definition` describes it."""
    definition: NotRequired[ServiceDefinition]
    """The service itself, where the catalogue has no row of it."""
    runtime: Runtime
    """What runs it."""
    image: str
    """The image reference, which is the user's; pinned by the lock or by an @sha256 digest of its own."""
    vcpu: NotRequired[float]
    """Virtual CPUs of a replica; left out, the service's."""
    memory_mib: NotRequired[int]
    """Memory of a replica in MiB; left out, the service's."""
    storage_gib: NotRequired[int]
    """Space for the files of a replica in GiB, where the service keeps any."""
    storage_iops: NotRequired[int]
    """Operations a second that this space must do, where they can be asked for; left out, its kind's baseline."""
    shared_files: NotRequired[bool]
    """True keeps the files of all replicas on one volume (ReadWriteMany), on a cluster; left out, one volume each."""
    disposable_files: NotRequired[bool]
    """True where those files may be lost with a replica: asked for by runtimes that keep none."""
    scale: NotRequired[ServiceScale]
    """How many run."""
    exposure: NotRequired[ServiceExposure]
    """Who can call it."""
    anonymous: NotRequired[bool]
    """True lets callers in without an identity of the cloud where one could be asked for (Cloud Run, Functions)."""
    host: NotRequired[str]
    """The name that it is called by; required for `internal` and `public`."""
    more_hosts: NotRequired[Sequence[str]]
    """Further names that it is called by."""
    mesh: NotRequired[ServiceMesh]
    """Other regions that it copies to, on a cluster; left out, none."""
    copies: NotRequired[Mapping[str, Copy]]
    """Other deployments that it hands what it takes to, on a cluster; left out, none."""
    allow_cidrs: NotRequired[Sequence[str]]
    """Address ranges that may call it; left out, all of the private network, or of the internet where `public`."""
    paths: NotRequired[Sequence[str]]
    """Beginnings of the paths that are let in from outside; left out, all."""
    database_secret: NotRequired[str]
    """The Secret (`username`, `password`) of a database login of its own, on a cluster; left out, the shared one."""
    model: NotRequired[CarriedModel]
    """A model on a volume, on a cluster; left out, none: what the image has, or fetches, is its own."""
    delivery: NotRequired[Delivery]
    """How a new version comes in."""
    site_endpoints: NotRequired[Sequence[SiteEndpoint]]
    """Hosts of the private network that it calls; nothing else outside the deployment is opened."""
    rate_per_second: NotRequired[int]
    """Requests a second of one caller that are let through, where `public`; left out, no bound."""
    environment: NotRequired[Mapping[str, str]]
    """Plain values beside the service's own, which they replace."""
    secrets: NotRequired[Mapping[str, str]]
    """Variable -> the secret key of the stack that holds its value."""


class SharedDatabase(TypedDict):
    """PostgreSQL that the services share: managed on a cloud's own runtimes, as `meta.relational_kind` on clusters."""

    vcpu: NotRequired[int]
    """Virtual CPUs."""
    memory_gib: NotRequired[float]
    """Memory in GiB."""
    storage_gib: NotRequired[int]
    """Space in GiB."""
    instance_type: NotRequired[str]
    """The cloud's name of its size; left out, the smallest known that has the above."""
    zones: NotRequired[int]
    """Zones that hold a copy of it; 1 is a finding in production."""
    retention_days: NotRequired[int]
    """Days that its daily backups are kept."""
    name: NotRequired[str]
    """The database in it."""
    extensions: NotRequired[Sequence[str]]
    """What that database is extended by, such as `vector`."""
    password_secret: NotRequired[str]
    """The secret key with its user's password; required on gcp and azure, which make none of their own."""


class SharedCache(TypedDict):
    """Valkey that the services share."""

    memory_gib: NotRequired[float]
    """Memory of one member in GiB."""
    replicas: NotRequired[int]
    """Members."""
    password_secret: NotRequired[str]
    """The secret key with its password on aws, where a service asks for it; left out, one is made."""


class SharedBucket(TypedDict):
    """Object store that the services share."""

    gib: NotRequired[int]
    """GiB that finance should expect in it."""


class SharedQueue(TypedDict):
    """The queue that services share: at least once, with a place for what fails again and again."""

    longest_job_s: NotRequired[int]
    """The longest that a job may take: for so long nobody else gets it."""
    attempts: NotRequired[int]
    """How often a job is tried before it is set aside."""
    retention_days: NotRequired[int]
    """Days that a job waits at most."""


class DnsZone(TypedDict):
    """The zone that names of services are written to."""

    zone: str
    """The name of the zone, which exists already."""
    ttl_s: NotRequired[int]
    """Seconds that an answer is kept."""
    cloud_name: NotRequired[str]
    """Google's own name of the zone (left out, its name with dashes), or Azure's resource group that holds it."""


class RuntimeSite(TypedDict):
    """The network of the runtimes that are not Kubernetes."""

    name: NotRequired[str]
    """What the shared resources are called; left out, as the stack."""
    network_cidr: NotRequired[str]
    """The private address range that is cut for them."""
    certificate: NotRequired[str]
    """The cloud's name of a certificate that exists for all hosts; left out, one is asked for by DNS."""
    repositories: NotRequired[bool]
    """True also makes the repositories of images that lie in the deployment's own registry (Amazon ECR)."""


class ServicePlan(TypedDict):
    """Services of one deployment, and what they share."""

    services: Mapping[str, Application]
    """Name -> service; the name is that of its resources."""
    database: NotRequired[SharedDatabase]
    """Shared PostgreSQL; left out, none."""
    cache: NotRequired[SharedCache]
    """Shared Valkey; left out, none."""
    bucket: NotRequired[SharedBucket]
    """Shared object store; left out, none."""
    queue: NotRequired[SharedQueue]
    """Shared queue; left out, none."""
    dns: NotRequired[DnsZone]
    """Where names are written; left out, nowhere: the address is an output."""
    site: NotRequired[RuntimeSite]
    """The network of runtimes that are not Kubernetes."""
