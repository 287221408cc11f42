"""What a user can say about a deployment: the one model behind stack files, component arguments and the JSON Schema.

Every field is read from the structured value `skerry:deployment` of a stack. Secrets never stand in it: a field whose
name ends in `_secret` holds the name of a flat secret key of the same stack (`skerry:<name>`).

Longer than 400 lines because it is one table: every option once, in the order of a stack file.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from pydantic import Field, model_validator

from skerry.config.aethergraph import AetherGraphSpec
from skerry.config.agent_mesh import AgentMeshSpec
from skerry.config.agentdb import AgentDbSpec
from skerry.config.aks import AksSpec
from skerry.config.application import ApplicationsSpec
from skerry.config.autoscale import AutoscaleSpec
from skerry.config.backup import BackupSpec
from skerry.config.data_access import DataEndpointSpec
from skerry.config.dual_host import DualHostSpec
from skerry.config.edge import EdgeSpec
from skerry.config.eks import EksSpec
from skerry.config.gpu import GpuSharingSpec, GpuSpec
from skerry.config.host import HostsSpec
from skerry.config.hybrid import HybridSpec, with_customer_channels
from skerry.config.services import ServicesSpec
from skerry.config.serving import Precision, ServingSpec
from skerry.config.small_models import SmallServerSpec
from skerry.config.words import (
    CatalogName,
    CountryCode,
    DnsLabel,
    GcpMember,
    GcpServiceAccount,
    Guid,
    IamArn,
    IamRoleArn,
    SecretKey,
    Spec,
)
from skerry.facts import DataClass

CONFIG_KEY: Final = "skerry:deployment"
"""The key of the structured value in a stack file."""

CONFIG_SCHEMA: Final = "skerry.config/1"
"""Name and version of the stack configuration."""


class System(str, Enum):
    """The platform that a stack deploys."""

    SENSEI = "sensei"
    AGENTDB = "agentdb"
    AETHERGRAPH = "aethergraph"
    APPLICATIONS = "applications"
    """Any services, by `applications`."""
    AGENT_MESH = "agent-mesh"
    """Gateways and the nodes that run tools, on machines without an orchestrator."""
    DUAL_HOST = "dual-host"
    """Groups of services on two machines with a GPU each."""


class Mode(str, Enum):
    """How a system is deployed."""

    SAAS = "saas"
    PRIVATE = "private"
    AIR_GAPPED = "air-gapped"
    HYBRID = "hybrid"
    """The execution tier at a customer, the rest at the vendor: two stacks, see `hybrid`."""
    SINGLE_REGION = "single-region"
    """All of it in one region, or at one site."""
    GEO = "geo"
    """AgentDB in several regions, callers sent to the nearest."""
    HYBRID_EDGE = "hybrid-edge"
    """AgentDB with a core, regions that write and an edge that only reads."""
    SINGLE_TENANT = "single-tenant"
    """AetherGraph as one server for one enterprise."""
    SIDECAR = "sidecar"
    """AetherGraph beside one user, on one machine."""
    LOCAL_WORKER = "local-worker"
    """A worker of AetherGraph on a user's machine, that calls out to a control plane."""
    DEVELOPMENT = "development"
    """The agent mesh on one machine, for its developers."""
    SMALL_TEAM = "small-team"
    """The agent mesh on one local network."""
    FIELD = "field"
    """The agent mesh where there is no network, or one at times."""
    ENTERPRISE = "enterprise"
    """The agent mesh with two gateways and several regions."""
    TWO_HOSTS = "two-hosts"
    """The two machines of system `dual-host`."""
    SINGLE_NODE = "single-node"
    """AgentDB on one machine without an orchestrator."""
    MULTI_NODE = "multi-node"
    """AgentDB on machines without an orchestrator: a primary, its replicas and a load balancer."""


class Layer(str, Enum):
    """Which of the two stacks of a deployment this is."""

    BASE = "base"
    """Account, network, cluster and managed stores."""
    PLATFORM = "platform"
    """Everything inside Kubernetes."""
    GLOBAL = "global"
    """Mode geo: what joins the regions, which are stacks of their own."""


class TargetKind(str, Enum):
    """Where a stack stands."""

    AWS = "aws"
    GCP = "gcp"
    AZURE = "azure"
    ONPREM = "onprem"
    HOSTS = "hosts"
    """Machines without an orchestrator, by `hosts`."""


class ImageAccess(str, Enum):
    """How nodes of a site reach images."""

    REWRITE = "rewrite"
    """References are mapped to the site registry."""
    MIRROR = "mirror"
    """References stay; the nodes' runtimes are told to ask the site registry."""


class GkeChannel(str, Enum):
    """How soon Google brings new versions of Kubernetes."""

    RAPID = "rapid"
    REGULAR = "regular"
    STABLE = "stable"
    EXTENDED = "extended"
    """Minor versions stay longer, for a fee."""


class GpuDriver(str, Enum):
    """Which NVIDIA driver Google installs."""

    DEFAULT = "default"
    """What the version of the machines comes with."""
    LATEST = "latest"
    """The newest that the version of the machines can take."""


class AwsTargetSpec(Spec):
    """What only AWS needs."""

    vpc_cidr: str = "10.0.0.0/16"
    """The address range of the VPC; three zones of /19 pods-and-nodes subnets must fit."""
    kubernetes_version: str = Field(default="1.35", pattern=r"^1\.\d{2}$")
    """The minor version of the EKS control plane."""
    account_id: str | None = Field(default=None, pattern=r"^\d{12}$")
    """The only account that the provider may touch; left out, any account of the credentials is taken."""
    deployment_role: IamRoleArn | None = None
    """The role of that account by which the provider does everything; left out, the credentials act themselves."""
    node_image: str = Field(default="al2023@latest", pattern=r"^al2023@(latest|v\d{8})$")
    """The image of machines that come and go; left out, AWS's latest, so that a new one replaces running machines."""
    administrators: tuple[IamArn, ...] = Field(default=(), max_length=20)
    """IAM roles or users that administer the cluster beside the one that made it, such as the role of the runner."""
    api_cidrs: tuple[str, ...] = Field(default=(), max_length=20)
    """Private address ranges beyond the VPC that reach the cluster's API, over a VPN or a peering."""
    eks: EksSpec = EksSpec()
    """Machines of the cluster's own pods, GPU machines and add-ons."""


class GcpTargetSpec(Spec):
    """What only Google Cloud needs."""

    project: str = Field(default="", pattern=r"^([a-z][a-z0-9-]{4,28}[a-z0-9])?$")
    """The id of the project that holds everything; required on gcp."""
    project_number: str | None = Field(default=None, pattern=r"^\d{6,19}$")
    """Its number, which is part of the names of Google's own accounts; left out, it is asked for at deployment."""
    deployment_account: GcpServiceAccount | None = None
    """The service account by which the provider does everything; left out, the credentials act themselves."""
    network_cidr: str = "10.0.0.0/16"
    """The private address range that machines, pods and managed stores are cut from, by what the plan needs."""
    pods_per_node: int = Field(default=64, ge=8, le=256)
    """The most pods of one machine; each machine takes at least twice as many addresses."""
    kubernetes_version: str = Field(default="1.35", pattern=r"^1\.\d{2}(\.\d+(-gke\.\d+)?)?$")
    """The least version of the control plane; Google moves it on within the release channel."""
    release_channel: GkeChannel = GkeChannel.REGULAR
    """How soon Google brings versions to the control plane and the machines."""
    administrators: tuple[GcpMember, ...] = Field(default=(), max_length=20)
    """Users, groups or service accounts that administer the cluster beside the one that made it."""
    api_cidrs: tuple[str, ...] = Field(default=(), max_length=20)
    """Private address ranges beyond the network that reach the cluster's API, over a VPN or a peering."""
    gpu_zones: tuple[DnsLabel, ...] = Field(default=(), max_length=9)
    """The zones that sell the GPU machines; left out, all of `target.failure_domains`."""
    gpu_reservation: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9/_-]{0,250}$")
    """The reservation that GPU machines are taken from, by name; left out, none but those open to any machine."""
    gpu_driver: GpuDriver = GpuDriver.DEFAULT
    """Which NVIDIA driver Google installs on GPU machines."""
    encrypt_pods: bool = False
    """True also encrypts traffic between machines with WireGuard, at the price of throughput."""


class AzureTargetSpec(Spec):
    """What only Azure needs."""

    subscription_id: Guid | None = None
    """The subscription that holds everything; required on azure."""
    tenant_id: Guid | None = None
    """The tenant of Entra that the subscription trusts; required on azure."""
    administrators: tuple[Guid, ...] = Field(default=(), max_length=20)
    """Object ids of Entra groups that administer the cluster, the runner's among them; one is required on azure."""
    network_cidr: str = "10.0.0.0/16"
    """The private address range that machines, stores and Services are cut from, by what the plan needs."""
    pod_cidr: str = "10.244.0.0/16"
    """The private address range of pods, an overlay beside the network; each machine takes a /24 of it."""
    pods_per_node: int = Field(default=64, ge=30, le=250)
    """The most pods of one machine."""
    kubernetes_version: str = Field(default="1.35", pattern=r"^1\.\d{2}(\.\d+)?$")
    """The version of the control plane and of the machines; Azure brings the patches of a minor version by itself."""
    gpu_zones: tuple[DnsLabel, ...] = Field(default=(), max_length=9)
    """The zones that sell the GPU machines; left out, all of `target.failure_domains`."""
    gpu_reservation: str | None = Field(
        default=None,
        pattern=r"^/subscriptions/[0-9a-f-]{36}/resourceGroups/[^/]{1,90}/providers/Microsoft\.Compute/"
        r"capacityReservationGroups/[^/]{1,80}$",
    )
    """The id of the capacity reservation group that GPU machines are taken from; left out, none."""
    postgres_admin_secret: SecretKey | None = None
    """The secret key with the administrator's password of Azure's PostgreSQL; left out, the cluster runs one."""
    aks: AksSpec = AksSpec()
    """When Azure changes the cluster, and where pods get their identity."""


class TargetSpec(Spec):
    """Where the deployment stands."""

    kind: TargetKind
    """The kind of substrate."""
    connected: bool = True
    """False for a site without a route to the internet."""
    jurisdiction: CountryCode
    """ISO 3166 code of the country whose law holds where the machines stand."""
    region: str = ""
    """The cloud's region; empty on own machines."""
    failure_domains: tuple[DnsLabel, ...] = Field(default=(), max_length=9)
    """Zones, racks or hosts that fail apart; the nodes carry them as topology.kubernetes.io/zone."""
    base_stack: str | None = None
    """The stack that made the cluster; needed for the platform layer on a cloud."""
    kubeconfig_secret: SecretKey | None = None
    """The secret key that holds the kubeconfig of an existing cluster; left out, the ambient kubeconfig is used."""
    kube_context: str | None = None
    """The context within the kubeconfig; left out, its current one."""
    storage_class: DnsLabel | None = None
    """The StorageClass for volumes; left out, the target's own encrypted one (clouds) or the cluster's default."""
    storage_encrypted: bool | None = None
    """Whether that StorageClass encrypts at rest; left out, reports say that it is not known (on own machines)."""
    network_encrypted: bool | None = None
    """Whether the network encrypts traffic between nodes; left out: what the cloud does, else not known."""
    api_server_cidrs: tuple[str, ...] = Field(default=(), max_length=16)
    """Address ranges of the Kubernetes API server, as pods reach it; left out, the private ranges of IPv4."""
    dns_cidrs: tuple[str, ...] = Field(default=(), max_length=8)
    """Where names are answered beside pods of kube-system, such as a cache on each machine, 169.254.20.10/32."""
    load_balancer_class: str | None = Field(default=None, pattern=r"^[a-z0-9.-]+/[a-z0-9A-Z._-]+$", max_length=150)
    """The class of the load balancers that Services get, such as `metallb.io/metallb`; left out, the cluster's own."""
    image_access: ImageAccess = ImageAccess.REWRITE
    """How nodes reach images where a site registry is named."""
    site_registry: str | None = Field(default=None, pattern=r"^[a-z0-9.-]+(:\d{1,5})?(/[a-z0-9._/-]+)?$")
    """The registry of the site, `host[:port][/prefix]`; required where `connected` is false."""
    aws: AwsTargetSpec = AwsTargetSpec()
    """What only AWS needs; ignored elsewhere."""
    gcp: GcpTargetSpec = GcpTargetSpec()
    """What only Google Cloud needs; ignored elsewhere."""
    azure: AzureTargetSpec = AzureTargetSpec()
    """What only Azure needs; ignored elsewhere."""


class BoundarySpec(Spec):
    """Where data of one class may be."""

    data_class: DataClass
    """The class; data of a higher class without a row of its own takes the next lower row."""
    jurisdictions: tuple[str, ...] = Field(min_length=1)
    """ISO 3166 codes, or EU or EEA."""


class ResidencySpec(Spec):
    """The residency profile of a deployment."""

    profile: DnsLabel
    """The name that reports show, for example eu-sovereign."""
    boundaries: tuple[BoundarySpec, ...] = Field(min_length=1)
    """One row a data class."""


class StateSpec(Spec):
    """Where Pulumi keeps the state of this stack, and who can read its secrets."""

    backend: str
    """The address that `pulumi login` gets, for example s3://bucket or file:///srv/pulumi."""
    jurisdiction: CountryCode
    """The country where that backend stands."""
    secrets_provider: str
    """`passphrase`, or the address of a key such as awskms://alias/pulumi?region=eu-central-1."""
    secrets_jurisdiction: CountryCode | None = None
    """The country where that key stands; left out, the backend's."""
    backup: str = Field(min_length=3)
    """Where the state is backed up and how often, in words, for the people who must restore it."""


class Purchase(str, Enum):
    """How machines are paid."""

    EXISTING = "existing"
    ON_DEMAND = "on-demand"
    SPOT = "spot"


class MachineSpec(Spec):
    """The machine of a pool: what it must have. On a cloud, `instance_type` or the smallest type that fits is taken."""

    vcpu: int = Field(ge=1, le=1024)
    """Virtual CPUs."""
    memory_gib: float = Field(gt=0, le=32768)
    """Memory in GiB."""
    gpu_model: str | None = None
    """The GPU's model, for example A100; left out, the machine has none."""
    gpus: int = Field(default=0, ge=0, le=16)
    """GPUs of one machine."""
    gpu_memory_gib: float = Field(default=0, ge=0, le=512)
    """Memory of one GPU in GiB."""
    network_gbps: float = Field(default=0, ge=0, le=6400)
    """The network bandwidth in Gbit/s that it must keep up; left out, any."""
    instance_type: str | None = None
    """The cloud's name of the type; left out, the catalogue's smallest type that has all of the above."""
    comparable_instance: str | None = Field(default=None, pattern=r"^(aws|gcp|azure):[a-z0-9-]+:[A-Za-z0-9_.-]+$")
    """Own machines: `<cloud>:<region>:<type>` of rented machines of like size, for a comparison in cost reports."""


class PoolSpec(Spec):
    """A pool of machines."""

    minimum: int = Field(ge=0, le=1000)
    """The fewest machines."""
    typical: int | None = Field(default=None, ge=0, le=1000)
    """What finance should expect; left out, the minimum."""
    maximum: int = Field(ge=0, le=1000)
    """The most machines; on own machines, those that exist."""
    machine: MachineSpec
    """What one machine has."""
    purchase: Purchase | None = None
    """How they are paid; left out, on-demand on a cloud and existing on own machines."""
    sharing: GpuSharingSpec | None = None
    """How its GPUs are shared; left out, a pod has whole GPUs."""


class AgentSpec(Spec):
    """One kind of agent; the image is the user's."""

    image: str
    """The image reference; pinned by the lock or by an @sha256 digest of its own."""
    replicas: int = Field(default=2, ge=1, le=256)
    """How many run."""


class ModelProvider(str, Enum):
    """Who answers prompts."""

    LOCAL = "local"
    """vLLM on the GPU pool."""
    SECOND_LOCAL = "second-local"
    """The second local model, `serving.second`."""
    OPENAI = "openai"
    """The hosted API; needs egress to the internet."""
    ANTHROPIC = "anthropic"
    """The hosted API; needs egress to the internet."""


class CognitiveSpec(Spec):
    """The GPU tier: frontier inference, Scout and Architect agents."""

    providers: tuple[ModelProvider, ...] = Field(default=(ModelProvider.LOCAL,), min_length=1)
    """In the order in which they are asked; the later ones are fallbacks."""
    api_key_secret: SecretKey | None = None
    """The secret key that holds the API key of a hosted provider."""
    api_key_secrets: dict[ModelProvider, SecretKey] = Field(default={}, max_length=8)
    """Hosted provider -> the secret key that holds its own API key; left out, `api_key_secret` is for all of them."""
    provider_cidrs: dict[ModelProvider, tuple[str, ...]] = Field(default={}, max_length=8)
    """Hosted provider -> the address ranges that it answers from; left out, those that it publishes, else any."""
    provider_jurisdictions: dict[ModelProvider, tuple[str, ...]] = Field(default={}, max_length=8)
    """Hosted provider -> the countries, EU or EEA, that a contract keeps prompts in; left out, anywhere."""
    model: CatalogName | None = None
    """The row of images/models.yaml that local inference serves."""
    precision: Precision = Precision.BF16
    """The format of the served weights."""
    context_tokens: int = Field(default=8192, ge=512, le=1_048_576)
    """The longest prompt and answer together, in tokens."""
    gpu_memory_utilization: float = Field(default=0.90, gt=0.1, le=0.98)
    """The share of GPU memory that vLLM may take."""
    serving: ServingSpec = ServingSpec()
    """How local inference is served."""
    pool: PoolSpec | None = None
    """The GPU machines; needed for local inference."""
    scout: AgentSpec
    """Agents that explore."""
    architect: AgentSpec
    """Agents that plan."""


class QueueAgentSpec(AgentSpec):
    """One kind of agent that takes its work from a queue."""

    autoscale: AutoscaleSpec | None = None
    """How many run follows the queue; left out, always `replicas`."""


class SmallModelPlacement(str, Enum):
    """Where Worker and Validator agents get answers of a small model."""

    CPU = "cpu"
    """Servers of a quantised model on the execution machines: possible but slow."""
    GPU = "gpu"
    """Servers on a small pool of GPU machines of the execution tier's own."""
    COGNITIVE = "cognitive"
    """A call to the cognitive tier."""


class ExecutionSpec(Spec):
    """The CPU tier: Ray, Worker and Validator agents."""

    pool: PoolSpec
    """The CPU machines; one Ray worker each."""
    small_model: SmallModelPlacement = SmallModelPlacement.COGNITIVE
    """Where the agents' small model runs."""
    model: CatalogName | None = None
    """The row of images/models.yaml for `cpu` (a GGUF file) and `gpu`."""
    small_server: SmallServerSpec = SmallServerSpec()
    """Size of the small model's servers, with `cpu` and `gpu`."""
    small_pool: PoolSpec | None = None
    """The GPU machines of `gpu`."""
    checkpoint_every_records: int = Field(default=10_000, ge=1)
    """Migration progress is checkpointed every so many records."""
    worker: QueueAgentSpec
    """Agents that transform."""
    validator: QueueAgentSpec
    """Agents that check."""
    interruptible: bool = False
    """True allows spot machines: tasks are then lost and repeated when a machine is taken away."""
    data_endpoints: tuple[DataEndpointSpec, ...] = Field(default=(), max_length=64)
    """The customer's databases; nothing else outside the cluster is opened to this tier."""


class VectorStoreKind(str, Enum):
    """Where embeddings are kept."""

    QDRANT = "qdrant"
    PGVECTOR = "pgvector"
    """The extension of PostgreSQL, in a database of its own: CloudNativePG's, or the cloud's managed one."""
    PINECONE = "pinecone"
    """Hosted by its vendor: only for connected targets."""


class RelationalKind(str, Enum):
    """Who runs PostgreSQL."""

    AUTO = "auto"
    """The cloud's managed one where the base stack has it, else CloudNativePG."""
    CLOUDNATIVE_PG = "cloudnative-pg"
    MANAGED = "managed"


class StoreSpec(Spec):
    """Size of one store."""

    replicas: int = Field(default=3, ge=1, le=9)
    """Members; three or more where a majority must live."""
    storage_gib: int = Field(default=100, ge=1, le=65536)
    """Volume of one member in GiB."""


class MetaSpec(Spec):
    """The persistent tier: knowledge stores and Learning agents."""

    pool: PoolSpec
    """The machines that the stores run on; never spot."""
    vector_store: VectorStoreKind = VectorStoreKind.QDRANT
    """Which vector store."""
    vector: StoreSpec = StoreSpec()
    """Size of the vector store."""
    graph: StoreSpec = StoreSpec()
    """Size of Neo4j."""
    documents: StoreSpec = StoreSpec()
    """Size of MongoDB."""
    relational_kind: RelationalKind = RelationalKind.AUTO
    """Who runs PostgreSQL for Temporal and MLflow."""
    relational: StoreSpec = StoreSpec()
    """Size of PostgreSQL."""
    relational_authority: bool = False
    """True where the Secret of a managed PostgreSQL holds, as `ca.crt`, the certificate that vouches for it."""
    learning: AgentSpec
    """Agents that learn from finished migrations."""
    baseline: CatalogName | None = None
    """The row of images/baselines.yaml that the pattern library starts from."""


class PubSubKind(str, Enum):
    """Who runs the pub/sub channel."""

    AUTO = "auto"
    """The cloud's managed one where the base stack has it, else Valkey."""
    VALKEY = "valkey"
    MANAGED = "managed"


class ObjectStoreKind(str, Enum):
    """Who runs the object store."""

    AUTO = "auto"
    """The cloud's where the base stack has it, else SeaweedFS."""
    SEAWEEDFS = "seaweedfs"
    MANAGED = "managed"


class ChannelsSpec(Spec):
    """The channels between the tiers."""

    pubsub: PubSubKind = PubSubKind.AUTO
    """Broadcasts, at most once; never for migration state."""
    pubsub_replicas: int = Field(default=3, ge=1, le=9)
    """Members of Valkey."""
    pubsub_failover: bool = False
    """True runs a Sentinel beside each member of Valkey, to make another the primary; a managed one elects its own."""
    temporal_replicas: int = Field(default=3, ge=1, le=9)
    """Replicas of each Temporal service."""
    temporal_history_shards: int = Field(default=512, ge=1, le=16384)
    """Fixed for the life of the deployment."""
    object_store: ObjectStoreKind = ObjectStoreKind.AUTO
    """Snapshots, checkpoints, large files."""
    object_store_gib: int = Field(default=500, ge=1)
    """Space for objects in GiB."""
    object_store_replicas: int = Field(default=3, ge=1, le=99)
    """Volume servers of SeaweedFS."""
    pool: PoolSpec | None = None
    """Customer's side of `hybrid`, which has no meta tier: the machines of the channels; left out elsewhere."""
    relational_kind: RelationalKind | None = None
    """Customer's side of `hybrid`: who runs PostgreSQL for Temporal; left out, as `auto` of the meta tier says."""
    relational: StoreSpec | None = None
    """Customer's side of `hybrid`: size of that PostgreSQL; left out, the default of the meta tier's."""


class BudgetSpec(Spec):
    """What a deployment may cost."""

    maximum_usd_per_month: float = Field(gt=0)
    """Upper bound of a month at the largest size, in USD."""


class WaiverSpec(Spec):
    """A finding that somebody answers for."""

    rule: str = Field(pattern=r"^[A-Z]{3}\d{3}$")
    """The rule's id."""
    resource: str = Field(min_length=1)
    """A resource name, URN or glob."""
    owner: str = Field(min_length=3)
    """Who answers for it."""
    reason: str = Field(min_length=10)
    """Why it is acceptable."""
    expires: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    """The last day on which it counts."""


class LicenceSpec(Spec):
    """Terms that somebody accepts for this deployment."""

    licence: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+-]{0,99}$")
    """The licence's id in images/licences.yaml."""
    accepted_by: str = Field(min_length=3, max_length=200)
    """Who has read the terms and may bind the licensee."""
    accepted_on: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    """The day of it."""


def _nobody(kind: type[AgentSpec] = AgentSpec) -> Any:
    return kind(image="absent.invalid/nobody:0", replicas=1)


NO_POOL: Final = PoolSpec(minimum=0, maximum=0, machine=MachineSpec(vcpu=1, memory_gib=32))
NO_COGNITIVE: Final = CognitiveSpec(scout=_nobody(), architect=_nobody())
NO_EXECUTION: Final = ExecutionSpec(pool=NO_POOL, worker=_nobody(QueueAgentSpec), validator=_nobody(QueueAgentSpec))
NO_META: Final = MetaSpec(pool=NO_POOL, learning=_nobody())
"""What stands for a tier that the other side of a hybrid deployment has; a pool of no machines makes nothing."""


class MachinesSpec(Spec):
    """The machines of a cluster that has no tiers of Sensei's."""

    services: PoolSpec | None = None
    """For replicas that keep nothing, which come and go; left out, they run on `stores`."""
    stores: PoolSpec
    """For what keeps data, and for operators; never spot."""


class DeploymentSpec(Spec):
    """One deployment: the value of `skerry:deployment`."""

    system: System
    """The platform."""
    mode: Mode
    """How it is deployed."""
    layer: Layer = Layer.PLATFORM
    """Which of the two stacks this is; on own machines there is only the platform."""
    production: bool = False
    """True makes unresolved digests, missing waivers and unprotected stores violations."""
    data_class: DataClass = DataClass.RESTRICTED
    """The class of the customer's data in the stores."""
    target: TargetSpec
    """Where it stands."""
    residency: ResidencySpec
    """Where data may be."""
    state: StateSpec
    """Where Pulumi's state is."""
    cognitive: CognitiveSpec = NO_COGNITIVE
    """The GPU tier; left out only where the other side of `hybrid` has it."""
    execution: ExecutionSpec = NO_EXECUTION
    """The CPU tier; left out only where the other side of `hybrid` has it."""
    meta: MetaSpec = NO_META
    """The persistent tier; left out only where the other side of `hybrid` has it."""
    channels: ChannelsSpec = ChannelsSpec()
    """What joins the tiers."""
    gpu: GpuSpec = GpuSpec()
    """How GPUs come to Kubernetes, their metrics and queue."""
    services: ServicesSpec = ServicesSpec()
    """Gateway, certificates, secrets from outside and monitoring; left out, none of them."""
    backup: BackupSpec | None = None
    """Backups of all stores; left out, none is made but those that a cloud makes of its managed stores."""
    budget: BudgetSpec | None = None
    """What it may cost; left out, no budget is checked."""
    waivers: tuple[WaiverSpec, ...] = ()
    """Findings that somebody answers for."""
    licences: tuple[LicenceSpec, ...] = ()
    """Licences with terms that are accepted; what bears one of the others is a finding."""
    tags: dict[str, str] = Field(default={})
    """Tags on every cloud resource and labels on every object, beside Skerry's own."""
    hybrid: HybridSpec | None = None
    """Whose side of mode hybrid this stack is, and what joins the two; left out in every other mode."""
    edge: EdgeSpec | None = None
    """Where devices that work alone are reconciled; left out, none are."""

    machines: MachinesSpec | None = None
    """The machines of a cluster without tiers: every system but Sensei, where it runs on Kubernetes."""
    applications: ApplicationsSpec | None = None
    """The services of system `applications`."""
    agentdb: AgentDbSpec | None = None
    """AgentDB, for system `agentdb`."""
    aethergraph: AetherGraphSpec | None = None
    """AetherGraph, for system `aethergraph`."""
    hosts: HostsSpec | None = None
    """The machines, where the target is `hosts`."""
    agent_mesh: AgentMeshSpec | None = None
    """The agent mesh, for system `agent-mesh`."""
    dual_host: DualHostSpec | None = None
    """The two machines' services, for system `dual-host`."""

    @model_validator(mode="before")
    @classmethod
    def _machines_of_services(cls, value: Any) -> Any:
        """Let every target look for machines in one place, whether or not a system has tiers."""
        if not isinstance(value, Mapping) or not isinstance(value.get("machines"), Mapping):
            return value
        stores, services = value["machines"].get("stores"), value["machines"].get("services")
        lifted = dict(value)
        if stores is not None and "meta" not in value:
            lifted["meta"] = {**NO_META.model_dump(exclude_unset=True), "pool": stores}
        if services is not None and "execution" not in value:
            lifted["execution"] = {**NO_EXECUTION.model_dump(exclude_unset=True), "pool": services}
        return lifted

    @model_validator(mode="before")
    @classmethod
    def _machines_of_channels(cls, value: Any) -> Any:
        """Let a customer's side say by `channels` what elsewhere the meta tier says: machines and PostgreSQL."""
        return with_customer_channels(value, NO_META.model_dump(exclude_unset=True))
