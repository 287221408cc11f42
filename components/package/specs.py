"""The parts of a deployment as every Pulumi language writes them: the fields of `skerry.config.spec`, word for word.

The schema analyzer reads these classes at run time, so that no annotation here may be a string; a test holds names,
types and descriptions equal to the specs, which check the values.

Longer than 400 lines because programs import every type from here, whichever module has it: a line for each.
"""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from components.package.specs_aethergraph import AetherGraphSettings as AetherGraphSettings
from components.package.specs_aethergraph import AetherGraphStores as AetherGraphStores
from components.package.specs_aethergraph import Llm as Llm
from components.package.specs_aethergraph import Local as Local
from components.package.specs_aethergraph import Role as Role
from components.package.specs_aethergraph import Slack as Slack
from components.package.specs_aethergraph import Sso as Sso
from components.package.specs_aethergraph import Workspace as Workspace
from components.package.specs_agent_mesh import AgentMeshSettings as AgentMeshSettings
from components.package.specs_agent_mesh import MeshAudit as MeshAudit
from components.package.specs_agent_mesh import MeshBalancer as MeshBalancer
from components.package.specs_agent_mesh import MeshCapability as MeshCapability
from components.package.specs_agent_mesh import MeshDiode as MeshDiode
from components.package.specs_agent_mesh import MeshDiscovery as MeshDiscovery
from components.package.specs_agent_mesh import MeshMedia as MeshMedia
from components.package.specs_agent_mesh import MeshNetwork as MeshNetwork
from components.package.specs_agent_mesh import MeshNodes as MeshNodes
from components.package.specs_agent_mesh import MeshPlace as MeshPlace
from components.package.specs_agent_mesh import MeshRole as MeshRole
from components.package.specs_agent_mesh import MeshSiem as MeshSiem
from components.package.specs_agent_mesh import MeshSource as MeshSource
from components.package.specs_agent_mesh import MeshState as MeshState
from components.package.specs_agent_mesh import MeshSync as MeshSync
from components.package.specs_agentdb import AgentDbProgram as AgentDbProgram
from components.package.specs_agentdb import AgentDbSettings as AgentDbSettings
from components.package.specs_agentdb import ReplicaCopies as ReplicaCopies
from components.package.specs_agentdb_nodes import AgentDbFly as AgentDbFly
from components.package.specs_agentdb_nodes import AgentDbNodes as AgentDbNodes
from components.package.specs_aks import Aks as Aks
from components.package.specs_applications import Application as Application
from components.package.specs_applications import Copy as Copy
from components.package.specs_applications import DnsZone as DnsZone
from components.package.specs_applications import RuntimeSite as RuntimeSite
from components.package.specs_applications import ServiceDefinition as ServiceDefinition
from components.package.specs_applications import ServiceMesh as ServiceMesh
from components.package.specs_applications import ServicePlan as ServicePlan
from components.package.specs_applications import ServicePort as ServicePort
from components.package.specs_applications import ServiceProbe as ServiceProbe
from components.package.specs_applications import ServiceScale as ServiceScale
from components.package.specs_applications import SharedBucket as SharedBucket
from components.package.specs_applications import SharedCache as SharedCache
from components.package.specs_applications import SharedDatabase as SharedDatabase
from components.package.specs_applications import SharedQueue as SharedQueue
from components.package.specs_applications import SiteEndpoint as SiteEndpoint
from components.package.specs_backup import Backup as Backup
from components.package.specs_backup import BackupStore as BackupStore
from components.package.specs_delivery import CarriedModel as CarriedModel
from components.package.specs_delivery import Delivery as Delivery
from components.package.specs_dual_host import DualAgent as DualAgent
from components.package.specs_dual_host import DualGpu as DualGpu
from components.package.specs_dual_host import DualGroup as DualGroup
from components.package.specs_dual_host import DualHealth as DualHealth
from components.package.specs_dual_host import DualHostSettings as DualHostSettings
from components.package.specs_dual_host import DualImages as DualImages
from components.package.specs_dual_host import DualLoad as DualLoad
from components.package.specs_dual_host import DualLoadTarget as DualLoadTarget
from components.package.specs_dual_host import DualSide as DualSide
from components.package.specs_dual_host import DualWeb as DualWeb
from components.package.specs_dual_host import DualWorkflow as DualWorkflow
from components.package.specs_edge import Edge as Edge
from components.package.specs_edge import EdgeDevice as EdgeDevice
from components.package.specs_edge import EdgeLimits as EdgeLimits
from components.package.specs_edge import EdgeSync as EdgeSync
from components.package.specs_eks import Eks as Eks
from components.package.specs_eks import GpuCapacity as GpuCapacity
from components.package.specs_eks import SystemMachines as SystemMachines
from components.package.specs_entrance import ServiceEntrance as ServiceEntrance
from components.package.specs_execution import Autoscale as Autoscale
from components.package.specs_execution import DataEndpoint as DataEndpoint
from components.package.specs_execution import SmallServer as SmallServer
from components.package.specs_geo import Geo as Geo
from components.package.specs_geo import GeoRegion as GeoRegion
from components.package.specs_gpu import Gpu as Gpu
from components.package.specs_gpu import GpuQueue as GpuQueue
from components.package.specs_gpu import GpuSharing as GpuSharing
from components.package.specs_gpu import SecondModel as SecondModel
from components.package.specs_gpu import Serving as Serving
from components.package.specs_gpu import Weights as Weights
from components.package.specs_hosts import HostBackup as HostBackup
from components.package.specs_hosts import HostMachine as HostMachine
from components.package.specs_hosts import HostMachines as HostMachines
from components.package.specs_hosts import HostOverlay as HostOverlay
from components.package.specs_hosts import HostOverlayPeer as HostOverlayPeer
from components.package.specs_hosts import HostPrice as HostPrice
from components.package.specs_hosts import HostSsh as HostSsh
from components.package.specs_hybrid import Hybrid as Hybrid
from components.package.specs_hybrid import HybridCustomer as HybridCustomer
from components.package.specs_hybrid_edge import EdgeCache as EdgeCache
from components.package.specs_hybrid_edge import EdgeRegion as EdgeRegion
from components.package.specs_hybrid_edge import HybridEdge as HybridEdge
from components.package.specs_services import Acme as Acme
from components.package.specs_services import Certificates as Certificates
from components.package.specs_services import Gateway as Gateway
from components.package.specs_services import Monitoring as Monitoring
from components.package.specs_services import Secrets as Secrets
from components.package.specs_services import Services as Services
from components.package.specs_target import AwsTarget as AwsTarget
from components.package.specs_target import AzureTarget as AzureTarget
from components.package.specs_target import GcpTarget as GcpTarget
from components.package.specs_target import Target
from skerry.config.serving import Precision
from skerry.config.spec import (
    Layer,
    Mode,
    ModelProvider,
    ObjectStoreKind,
    PubSubKind,
    Purchase,
    RelationalKind,
    SmallModelPlacement,
    System,
    VectorStoreKind,
)
from skerry.facts import DataClass


class Boundary(TypedDict):
    """Where data of one class may be."""

    data_class: DataClass
    """The class; data of a higher class without a row of its own takes the next lower row."""
    jurisdictions: Sequence[str]
    """ISO 3166 codes, or EU or EEA."""


class Residency(TypedDict):
    """The residency profile of a deployment."""

    profile: str
    """The name that reports show, for example eu-sovereign."""
    boundaries: Sequence[Boundary]
    """One row a data class."""


class State(TypedDict):
    """Where Pulumi keeps the state of this stack, and who can read its secrets."""

    backend: str
    """The address that `pulumi login` gets, for example s3://bucket or file:///srv/pulumi."""
    jurisdiction: str
    """The country where that backend stands."""
    secrets_provider: str
    """`passphrase`, or the address of a key such as awskms://alias/pulumi?region=eu-central-1."""
    secrets_jurisdiction: NotRequired[str]
    """The country where that key stands; left out, the backend's."""
    backup: str
    """Where the state is backed up and how often, in words, for the people who must restore it."""


class Machine(TypedDict):
    """The machine of a pool: what it must have. On a cloud, `instance_type` or the smallest type that fits is taken."""

    vcpu: int
    """Virtual CPUs."""
    memory_gib: float
    """Memory in GiB."""
    gpu_model: NotRequired[str]
    """The GPU's model, for example A100; left out, the machine has none."""
    gpus: NotRequired[int]
    """GPUs of one machine."""
    gpu_memory_gib: NotRequired[float]
    """Memory of one GPU in GiB."""
    network_gbps: NotRequired[float]
    """The network bandwidth in Gbit/s that it must keep up; left out, any."""
    instance_type: NotRequired[str]
    """The cloud's name of the type; left out, the catalogue's smallest type that has all of the above."""
    comparable_instance: NotRequired[str]
    """Own machines: `<cloud>:<region>:<type>` of rented machines of like size, for a comparison in cost reports."""


class Pool(TypedDict):
    """A pool of machines."""

    minimum: int
    """The fewest machines."""
    typical: NotRequired[int]
    """What finance should expect; left out, the minimum."""
    maximum: int
    """The most machines; on own machines, those that exist."""
    machine: Machine
    """What one machine has."""
    purchase: NotRequired[Purchase]
    """How they are paid; left out, on-demand on a cloud and existing on own machines."""
    sharing: NotRequired[GpuSharing]
    """How its GPUs are shared; left out, a pod has whole GPUs."""


class Agent(TypedDict):
    """One kind of agent; the image is the user's."""

    image: str
    """The image reference; pinned by the lock or by an @sha256 digest of its own."""
    replicas: NotRequired[int]
    """How many run."""


class QueueAgent(TypedDict):
    """One kind of agent that takes its work from a queue."""

    image: str
    """The image reference; pinned by the lock or by an @sha256 digest of its own."""
    replicas: NotRequired[int]
    """How many run."""
    autoscale: NotRequired[Autoscale]
    """How many run follows the queue; left out, always `replicas`."""


class Cognitive(TypedDict):
    """The GPU tier: frontier inference, Scout and Architect agents."""

    providers: NotRequired[Sequence[ModelProvider]]
    """In the order in which they are asked; the later ones are fallbacks."""
    api_key_secret: NotRequired[str]
    """The secret key that holds the API key of a hosted provider."""
    api_key_secrets: NotRequired[Mapping[str, str]]
    """Hosted provider -> the secret key that holds its own API key; left out, `api_key_secret` is for all of them."""
    provider_cidrs: NotRequired[Mapping[str, Sequence[str]]]
    """Hosted provider -> the address ranges that it answers from; left out, those that it publishes, else any."""
    provider_jurisdictions: NotRequired[Mapping[str, Sequence[str]]]
    """Hosted provider -> the countries, EU or EEA, that a contract keeps prompts in; left out, anywhere."""
    model: NotRequired[str]
    """The row of images/models.yaml that local inference serves."""
    precision: NotRequired[Precision]
    """The format of the served weights."""
    context_tokens: NotRequired[int]
    """The longest prompt and answer together, in tokens."""
    gpu_memory_utilization: NotRequired[float]
    """The share of GPU memory that vLLM may take."""
    serving: NotRequired[Serving]
    """How local inference is served."""
    pool: NotRequired[Pool]
    """The GPU machines; needed for local inference."""
    scout: Agent
    """Agents that explore."""
    architect: Agent
    """Agents that plan."""


class Execution(TypedDict):
    """The CPU tier: Ray, Worker and Validator agents."""

    pool: Pool
    """The CPU machines; one Ray worker each."""
    small_model: NotRequired[SmallModelPlacement]
    """Where the agents' small model runs."""
    model: NotRequired[str]
    """The row of images/models.yaml for `cpu` (a GGUF file) and `gpu`."""
    small_server: NotRequired[SmallServer]
    """Size of the small model's servers, with `cpu` and `gpu`."""
    small_pool: NotRequired[Pool]
    """The GPU machines of `gpu`."""
    checkpoint_every_records: NotRequired[int]
    """Migration progress is checkpointed every so many records."""
    worker: QueueAgent
    """Agents that transform."""
    validator: QueueAgent
    """Agents that check."""
    interruptible: NotRequired[bool]
    """True allows spot machines: tasks are then lost and repeated when a machine is taken away."""
    data_endpoints: NotRequired[Sequence[DataEndpoint]]
    """The customer's databases; nothing else outside the cluster is opened to this tier."""


class StoreSize(TypedDict):
    """Size of one store."""

    replicas: NotRequired[int]
    """Members; three or more where a majority must live."""
    storage_gib: NotRequired[int]
    """Volume of one member in GiB."""


class Meta(TypedDict):
    """The persistent tier: knowledge stores and Learning agents."""

    pool: Pool
    """The machines that the stores run on; never spot."""
    vector_store: NotRequired[VectorStoreKind]
    """Which vector store."""
    vector: NotRequired[StoreSize]
    """Size of the vector store."""
    graph: NotRequired[StoreSize]
    """Size of Neo4j."""
    documents: NotRequired[StoreSize]
    """Size of MongoDB."""
    relational_kind: NotRequired[RelationalKind]
    """Who runs PostgreSQL for Temporal and MLflow."""
    relational: NotRequired[StoreSize]
    """Size of PostgreSQL."""
    relational_authority: NotRequired[bool]
    """True where the Secret of a managed PostgreSQL holds, as `ca.crt`, the certificate that vouches for it."""
    learning: Agent
    """Agents that learn from finished migrations."""
    baseline: NotRequired[str]
    """The row of images/baselines.yaml that the pattern library starts from."""


class Channels(TypedDict):
    """The channels between the tiers."""

    pubsub: NotRequired[PubSubKind]
    """Broadcasts, at most once; never for migration state."""
    pubsub_replicas: NotRequired[int]
    """Members of Valkey."""
    pubsub_failover: NotRequired[bool]
    """True runs a Sentinel beside each member of Valkey, to make another the primary; a managed one elects its own."""
    temporal_replicas: NotRequired[int]
    """Replicas of each Temporal service."""
    temporal_history_shards: NotRequired[int]
    """Fixed for the life of the deployment."""
    object_store: NotRequired[ObjectStoreKind]
    """Snapshots, checkpoints, large files."""
    object_store_gib: NotRequired[int]
    """Space for objects in GiB."""
    object_store_replicas: NotRequired[int]
    """Volume servers of SeaweedFS."""
    pool: NotRequired[Pool]
    """Customer's side of `hybrid`, which has no meta tier: the machines of the channels; left out elsewhere."""
    relational_kind: NotRequired[RelationalKind]
    """Customer's side of `hybrid`: who runs PostgreSQL for Temporal; left out, as `auto` of the meta tier says."""
    relational: NotRequired[StoreSize]
    """Customer's side of `hybrid`: size of that PostgreSQL; left out, the default of the meta tier's."""


class Budget(TypedDict):
    """What a deployment may cost."""

    maximum_usd_per_month: float
    """Upper bound of a month at the largest size, in USD."""


class Waiver(TypedDict):
    """A finding that somebody answers for."""

    rule: str
    """The rule's id."""
    resource: str
    """A resource name, URN or glob."""
    owner: str
    """Who answers for it."""
    reason: str
    """Why it is acceptable."""
    expires: str
    """The last day on which it counts."""


class Licence(TypedDict):
    """Terms that somebody accepts for this deployment."""

    licence: str
    """The licence's id in images/licences.yaml."""
    accepted_by: str
    """Who has read the terms and may bind the licensee."""
    accepted_on: str
    """The day of it."""


class Machines(TypedDict):
    """The machines of a cluster that has no tiers of Sensei's."""

    services: NotRequired[Pool]
    """For replicas that keep nothing, which come and go; left out, they run on `stores`."""
    stores: Pool
    """For what keeps data, and for operators; never spot."""


class Deployment(TypedDict):
    """One deployment: the value of `skerry:deployment`."""

    system: System
    """The platform."""
    mode: Mode
    """How it is deployed."""
    layer: NotRequired[Layer]
    """Which of the two stacks this is; on own machines there is only the platform."""
    production: NotRequired[bool]
    """True makes unresolved digests, missing waivers and unprotected stores violations."""
    data_class: NotRequired[DataClass]
    """The class of the customer's data in the stores."""
    target: Target
    """Where it stands."""
    residency: Residency
    """Where data may be."""
    state: State
    """Where Pulumi's state is."""
    cognitive: NotRequired[Cognitive]
    """The GPU tier; left out only where the other side of `hybrid` has it."""
    execution: NotRequired[Execution]
    """The CPU tier; left out only where the other side of `hybrid` has it."""
    meta: NotRequired[Meta]
    """The persistent tier; left out only where the other side of `hybrid` has it."""
    channels: NotRequired[Channels]
    """What joins the tiers."""
    gpu: NotRequired[Gpu]
    """How GPUs come to Kubernetes, their metrics and queue."""
    services: NotRequired[Services]
    """Gateway, certificates, secrets from outside and monitoring; left out, none of them."""
    backup: NotRequired[Backup]
    """Backups of all stores; left out, none is made but those that a cloud makes of its managed stores."""
    budget: NotRequired[Budget]
    """What it may cost; left out, no budget is checked."""
    waivers: NotRequired[Sequence[Waiver]]
    """Findings that somebody answers for."""
    licences: NotRequired[Sequence[Licence]]
    """Licences with terms that are accepted; what bears one of the others is a finding."""
    tags: NotRequired[Mapping[str, str]]
    """Tags on every cloud resource and labels on every object, beside Skerry's own."""
    hybrid: NotRequired[Hybrid]
    """Whose side of mode hybrid this stack is, and what joins the two; left out in every other mode."""
    edge: NotRequired[Edge]
    """Where devices that work alone are reconciled; left out, none are."""
    machines: NotRequired[Machines]
    """The machines of a cluster without tiers: every system but Sensei, where it runs on Kubernetes."""
    applications: NotRequired[ServicePlan]
    """The services of system `applications`."""
    agentdb: NotRequired[AgentDbSettings]
    """AgentDB, for system `agentdb`."""
    aethergraph: NotRequired[AetherGraphSettings]
    """AetherGraph, for system `aethergraph`."""
    hosts: NotRequired[HostMachines]
    """The machines, where the target is `hosts`."""
    agent_mesh: NotRequired[AgentMeshSettings]
    """The agent mesh, for system `agent-mesh`."""
    dual_host: NotRequired[DualHostSettings]
    """The two machines' services, for system `dual-host`."""
