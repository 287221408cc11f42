"""The plain facts that each component passes as its own inputs, and that readers read back from the graph.

This module is the vocabulary: the names on the wire are the camelCase forms of the fields. A component builds a
`ComponentFacts` and passes `facts.to_inputs()` as its props; a reader calls `facts_of(resource)`. Facts are plain:
no Output, secret or unknown stands in them.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from pydantic import Field, ValidationError
from pydantic.alias_generators import to_camel

from skerry.errors import GraphError
from skerry.graph import Resource, ResourceGraph, is_known, plain
from skerry.hosts.facts import Fact, HostFact


class Tier(str, Enum):
    """The part of a platform that a component belongs to; the key by which cost and policy group."""

    COGNITIVE = "cognitive"
    EXECUTION = "execution"
    SMALL = "small"
    """GPU machines of the execution tier for its small model, where it has any."""
    META = "meta"
    CHANNELS = "channels"
    PLATFORM = "platform"
    """What all tiers stand on: network, cluster, operators, namespaces."""


class DataClass(str, Enum):
    """How sensitive the data are that a component keeps or carries, in rising order."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"

    @property
    def rank(self) -> int:
        """0 for public, up to 3 for restricted."""
        return list(DataClass).index(self)


class ImageFact(Fact):
    """A container image that a component runs."""

    name: str
    """The row in images/images.yaml, or the user's own name for an image given by config."""
    reference: str
    """The full source reference with its tag, for example `docker.io/qdrant/qdrant:v1.19.0`."""
    digest: str | None = None
    """`sha256:...` of the index or manifest from images/images.lock; None while unresolved."""
    deployed_as: str
    """The reference that the manifests carry: mapped to the site registry, with the digest where known."""
    why: str
    """What needs it, in a few words."""
    declared: bool = False
    """True when an operator or chart will run it, so that no manifest of ours carries it."""
    terms: tuple[str, ...] = ()
    """Licences among its own whose terms somebody must accept: ids of images/licences.yaml."""
    may_be_passed_on: bool = True
    """False where its row says that nobody may carry it to somebody else."""


class ModelFact(Fact):
    """Model weights that must be where the component runs."""

    name: str
    source: str
    """Where it comes from, for example `hf://meta-llama/Llama-3.3-70B-Instruct`."""
    revision: str | None = None
    """The commit or version; None while unresolved."""
    bytes: int | None = None
    """Size on disk; None where nobody measured it."""
    licence: str = ""
    terms: tuple[str, ...] = ()
    """Licences whose terms somebody must accept: ids of images/licences.yaml."""
    may_be_passed_on: bool = True
    """False where its row says that nobody may carry it to somebody else."""
    why: str


class BaselineFact(Fact):
    """A pre-built pattern library or knowledge snapshot."""

    name: str
    source: str
    version: str
    bytes: int | None = None
    digest: str | None = None
    terms: tuple[str, ...] = ()
    """Licences whose terms somebody must accept: ids of images/licences.yaml."""
    may_be_passed_on: bool = True
    """False where its row says that nobody may carry it to somebody else."""
    why: str


class ChartFact(Fact):
    """A Helm chart that installs a third-party operator."""

    name: str
    repository: str
    version: str
    digest: str | None = None
    terms: tuple[str, ...] = ()
    """Licences whose terms somebody must accept: ids of images/licences.yaml."""
    may_be_passed_on: bool = True
    """False where its row says that nobody may carry it to somebody else."""
    why: str


class EndpointFact(Fact):
    """An address that a component calls or offers beyond its own namespace."""

    name: str
    host: str
    port: int
    protocol: str
    direction: str
    """`ingress` or `egress`."""
    scope: str
    """`cluster`, `site`, `internet`, or `vendor`: the other side of a deployment in mode hybrid."""
    jurisdictions: tuple[str, ...] = ()
    """Countries, EU or EEA, that a contract keeps in what is told it; empty: nobody says, or none does."""
    why: str


class ScalingFact(Fact):
    """How many of something run, and who decides."""

    minimum: int
    typical: int
    maximum: int
    autoscaler: str | None = None
    """`karpenter`, `cluster-autoscaler`, `ray`, `keda`, ... or None for a fixed number."""


class NodesFact(Fact):
    """The machines of a pool."""

    vcpu: int
    memory_gib: float
    gpu_model: str | None = None
    gpus: int = 0
    """GPUs of one machine."""
    gpu_memory_gib: float = 0
    """Memory of one GPU."""
    instance_type: str | None = None
    """The cloud's name; None for own machines."""
    purchase: str
    """`existing` (own machines), `on-demand` or `spot`."""
    priced_here: bool
    """True when no resource of the graph stands for the machines, so that cost must read this fact."""
    comparable_instance: str | None = None
    """`<cloud>:<region>:<type>` of rented machines of like size, for a comparison labelled derived."""


class StorageFact(Fact):
    """Space that a component asks for."""

    kind: str
    """`volume`, `bucket`, `model-cache`, or `database` for what a cloud's database keeps and bills itself."""
    gib: float
    """GiB of one copy."""
    copies: int = 1
    storage_class: str = ""


class BackupFact(Fact):
    """How what a component keeps is copied away, and where to."""

    method: str
    """`wal-archive`, `snapshot`, `online-backup` or `dump`."""
    destination: str
    """Where the copies go: an address and a bucket, or what a cloud calls its own."""
    jurisdiction: str
    """ISO 3166 code of the country where they lie."""
    schedule: str
    """Five fields of cron, in UTC."""
    retention_days: int
    recovery_point_s: int
    """The most seconds of work that a loss may take."""


class TargetFact(Fact):
    """Where a deployment stands."""

    kind: str
    """`aws`, `gcp`, `azure`, `onprem`."""
    connected: bool
    """False for an air-gapped site."""
    region: str = ""
    jurisdiction: str
    """ISO 3166 country code, for example `DE`."""
    zones: tuple[str, ...] = ()
    image_access: str = "rewrite"
    """`rewrite` or `mirror`."""
    site_registry: str | None = None


class WaiverFact(Fact):
    """A finding that somebody answers for."""

    rule: str
    resource: str
    """A resource name, URN or glob."""
    owner: str
    reason: str
    expires: str
    """ISO date; the waiver counts up to and including that day."""


class BoundaryFact(Fact):
    """Where data of one class may be."""

    data_class: DataClass
    jurisdictions: tuple[str, ...]
    """ISO 3166 codes, or a bloc that skerry.jurisdictions knows (`EU`, `EEA`)."""


class AcceptedLicenceFact(Fact):
    """Terms that somebody accepted for this deployment."""

    licence: str
    """The id in images/licences.yaml."""
    accepted_by: str
    accepted_on: str
    """ISO date."""


class HybridFact(Fact):
    """Which side of a deployment in mode hybrid a stack is, and how far the other one is."""

    side: str
    """`vendor` or `customer`."""
    hosts: tuple[str, ...]
    """The names of the vendor's entrance: all that the customer's execution tier calls outside its network."""
    ranges: tuple[str, ...] = ()
    """The addresses of that entrance; empty where they come from the vendor's stack."""
    port: int
    round_trip_ms: float | None = None
    """None where nobody measured it."""
    base_stack: str | None = None
    """The stack that made the cluster with its bucket and database; None on own machines, and in that stack."""


class DeploymentFact(Fact):
    """What the whole deployment is under; carried by its root component."""

    system: str
    mode: str
    production: bool
    residency_profile: str
    boundaries: tuple[BoundaryFact, ...]
    target: TargetFact
    state_backend: str
    """The Pulumi state backend's address."""
    state_jurisdiction: str
    secrets_provider: str
    secrets_jurisdiction: str | None = None
    """Where the secrets provider's key stands; None: the address says it, or nobody does."""
    budget_usd_per_month: float | None = None
    waivers: tuple[WaiverFact, ...] = ()
    accepted_licences: tuple[AcceptedLicenceFact, ...] = ()
    hybrid: HybridFact | None = None
    """None in every mode but hybrid."""


class EdgeFact(Fact):
    """Devices that work alone for a time and are reconciled by the component, and what is taken from them at a time."""

    devices: int
    days_offline: int
    jurisdictions: tuple[str, ...]
    """ISO 3166 codes of the countries where the devices hold data."""
    model: str | None = None
    """The row in images/models.yaml that runs on a device."""
    model_bytes: int | None = None
    """None where nobody measured it; so with the next two."""
    knowledge_bytes: int | None = None
    bytes_per_day: int | None = None
    """Bytes that the log of changes of a device grows by in a day."""
    storage_bytes: int
    """What a device gives its client."""
    device_sum: str
    """The arithmetic of what a device holds."""
    reconnection_sum: str
    """The arithmetic of what all devices send where all come back at once."""
    reconnection_time: str = ""
    """The arithmetic of how long that takes; empty where it is not known."""
    object_store_bytes: int | None = None
    """What the store behind has room for; None where it has no bound."""
    request_bytes: int
    requests_per_second: int
    """Of all devices."""
    device_requests_per_minute: int
    """Of one device, at each proxy."""
    concurrent_syncs: int
    revocation: bool
    """Whether a list of revoked certificates is asked."""
    certificate_days: int | None = None
    """None where nobody said how long a device's certificate is good."""


class ComponentFacts(Fact):
    """Everything that one component says about itself."""

    tier: Tier | None = None
    data_class: DataClass | None = None
    jurisdiction: str | None = None
    role: str | None = None
    """What it is, in the field's word: `inference-server`, `vector-store`, `node-pool`, `workflow-engine`."""
    stateful: bool = False
    replicas: int | None = None
    failure_domains: int | None = None
    """Zones, racks or hosts over which the replicas are spread."""
    quorum: bool = False
    """True when a majority of the replicas must live for it to accept writes."""
    encrypted_at_rest: bool | None = None
    """None: not this component's to say."""
    encrypted_in_transit: bool | None = None
    internet_facing: bool = False
    guarantee: str | None = None
    """Of a channel: `at-most-once`, `exactly-once`, `request-response with retry`, `durable`."""
    vendor_hosted: str | None = None
    """The vendor when the service runs outside the target (`pinecone`, `openai`)."""
    images: tuple[ImageFact, ...] = ()
    models: tuple[ModelFact, ...] = ()
    baselines: tuple[BaselineFact, ...] = ()
    charts: tuple[ChartFact, ...] = ()
    ports: dict[str, int] = Field(default={})
    endpoints: tuple[EndpointFact, ...] = ()
    scaling: ScalingFact | None = None
    nodes: NodesFact | None = None
    storage: tuple[StorageFact, ...] = ()
    backup: BackupFact | None = None
    """Of what copies a store away; None for anything else."""
    edge: EdgeFact | None = None
    """Of what reconciles devices; None for anything else."""
    host: HostFact | None = None
    """Of a machine without an orchestrator; None for anything else."""
    deployment: DeploymentFact | None = None

    def to_inputs(self) -> dict[str, Any]:
        """Return the props of the component: camelCase, defaults left out, the same order each time."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)


_KEYS = frozenset(to_camel(name) for name in ComponentFacts.model_fields)


def facts_of(resource: Resource) -> ComponentFacts | None:
    """Return the facts of a Skerry component, or None for any other resource.

    Raises:
        GraphError: the component's facts are unknown, or not of the vocabulary.
    """
    if resource.custom or not resource.type.startswith("skerry:index:"):
        return None
    given = {key: value for key, value in resource.inputs.items() if key in _KEYS}
    if not is_known(given):
        raise GraphError(f"{resource.urn}: the facts of a component must be known at preview")
    try:
        return ComponentFacts.model_validate(plain(given))
    except ValidationError as exc:
        raise GraphError(f"{resource.urn}: the component's facts cannot be read: {exc}") from exc


def facts_around(graph: ResourceGraph, resource: Resource) -> ComponentFacts:
    """Return the resource's own facts, with `tier`, `data_class` and `jurisdiction` inherited from its ancestors."""
    own = facts_of(resource) or ComponentFacts()
    inherited: dict[str, Any] = {}
    for ancestor in graph.ancestors(resource):
        facts = facts_of(ancestor)
        if facts is None:
            continue
        for key in ("tier", "data_class", "jurisdiction"):
            if getattr(own, key) is None and key not in inherited and getattr(facts, key) is not None:
                inherited[key] = getattr(facts, key)
    return own.model_copy(update=inherited)


def deployments(graph: ResourceGraph) -> tuple[tuple[Resource, DeploymentFact], ...]:
    """Return the root component of each deployment in the graph with its facts; empty for a foreign program."""
    found = []
    for resource in graph.resources:
        facts = facts_of(resource)
        if facts is not None and facts.deployment is not None:
            found.append((resource, facts.deployment))
    return tuple(found)
