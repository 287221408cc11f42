"""The fields of `skerry.config.agent_mesh` as every Pulumi language writes them, word for word.

The schema analyzer reads these classes at run time, so that no annotation here may be a string; a test holds names,
types and descriptions equal to the specs, which check the values.
"""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from skerry.config.agent_mesh import DiodeDirection, NodePlatform, NodeRuntime, StateProgram, TokenKind, TrustMode


class MeshSource(TypedDict):
    """Where the program comes from."""

    repository: NotRequired[str]
    """The repository."""
    commit: NotRequired[str]
    """What of it is installed; left out, the newest of its default branch at the first start, which may be any."""
    archive_digest: NotRequired[str]
    """Of the source archive that is carried to a site without a connection; left out, unresolved."""


class MeshRole(TypedDict):
    """What a role's token allows."""

    tools: Sequence[str]
    """The tools that it may call."""
    regions: NotRequired[Sequence[str]]
    """Where; left out, everywhere."""
    minutes: NotRequired[int]
    """How long a token is good."""


class MeshCapability(TypedDict):
    """Capability tokens."""

    kind: NotRequired[TokenKind]
    """One token for all, or by role."""
    roles: NotRequired[Mapping[str, MeshRole]]
    """Name -> what its token allows; needed for `roles`, and no others."""


class MeshDiscovery(TypedDict):
    """How nodes and gateways find each other."""

    multicast: NotRequired[bool]
    """True: UDP multicast on the local network. False: by a list of addresses, as clouds and containers need."""
    group: NotRequired[str]
    """The multicast group."""
    port: NotRequired[int]
    """Its UDP port."""
    seeds: NotRequired[Sequence[str]]
    """`host:port` of gateways and nodes that are not among the machines; those that are, are listed by themselves."""


class MeshPlace(TypedDict):
    """Where a node stands, for work that is sent to a place."""

    latitude: float
    """Degrees north."""
    longitude: float
    """Degrees east."""
    area: NotRequired[str]
    """A name for the place, such as a part of a building site; left out, by degrees alone."""


class MeshNodes(TypedDict):
    """The nodes of one machine."""

    count: NotRequired[int]
    """How many; each has a port of its own, from the first."""
    platform: NotRequired[NodePlatform]
    """Left out, by the machine's system: a Raspberry Pi, Android, a desktop for macOS and Windows, else a server."""
    runtime: NotRequired[NodeRuntime]
    """What keeps them running."""
    image: NotRequired[str]
    """The image of a node in a container; needed for it, since the vendor's is built from its source."""
    region: NotRequired[str]
    """One of `regions`; left out, none."""
    capabilities: NotRequired[Sequence[str]]
    """What its tools are; left out, whatever the node itself says."""
    place: NotRequired[MeshPlace]
    """Where it stands; left out, no work is sent to it by place."""
    memory_mib: NotRequired[int]
    """The most memory of one node."""


class MeshState(TypedDict):
    """A replicated store between gateways, with TLS and passwords, and Sentinels that name a new primary."""

    program: NotRequired[StateProgram]
    """Valkey, or Redis where the system's packages have no Valkey."""
    machines: Sequence[str]
    """Where it stands; an odd number, so that a majority can name a new primary."""
    port: NotRequired[int]
    """Its TLS port; the Sentinels' is 20000 higher."""
    memory_mib: NotRequired[int]
    """The most memory on each machine."""


class MeshBalancer(TypedDict):
    """The load balancer in front of the gateways: nginx with TLS."""

    machines: Sequence[str]
    """Where it stands; two, both under the name, so that one may fail."""
    host: str
    """The name that callers use, which its certificate holds."""
    client_certificates: NotRequired[bool]
    """Whether callers must show a certificate of the mesh's own authority."""
    port: NotRequired[int]
    """The port of HTTPS."""
    requests_per_second: NotRequired[int]
    """The most of one caller."""


class MeshSiem(TypedDict):
    """Where audit lines are sent."""

    host: str
    """The collector: syslog over TLS."""
    port: NotRequired[int]
    """Its port."""
    jurisdiction: NotRequired[str]
    """The country where it stands; left out, the target's."""
    on_site: NotRequired[bool]
    """False: it is reached over the internet."""
    authority_secret: NotRequired[str]
    """The secret key with the certificate of the collector's authority; left out, the mesh's own."""
    buffer_mib: NotRequired[int]
    """What is kept on disk while the collector is away."""


class MeshAudit(TypedDict):
    """The audit log: JSON, a line an execution."""

    path: NotRequired[str]
    """Where it is written, in a folder of its own under /var/log."""
    siem: NotRequired[MeshSiem]
    """Where it is forwarded to; left out, it stays on the machine."""


class MeshSync(TypedDict):
    """What a gateway in the field keeps while it has no network, and whom it hands it to later."""

    upstream_url: str
    """Where it is handed over."""
    jurisdiction: str
    """The country where that stands."""
    spool_mib: NotRequired[int]
    """How much is kept; what comes after is refused, and nothing is dropped silently."""
    retention_days: NotRequired[int]
    """How long; older than that is an error that the audit log tells."""
    spool_folder: NotRequired[str]
    """Where."""


class MeshDiode(TypedDict):
    """A data diode: nothing is ever answered through it, so that all that crosses is files."""

    direction: DiodeDirection
    """Which way."""
    folder: NotRequired[str]
    """The folder that the diode's own program empties or fills."""


class MeshMedia(TypedDict):
    """How an isolated network gets updates: by a medium that people carry."""

    path: NotRequired[str]
    """Where the medium is mounted."""
    signer: str
    """Whose signature it must bear: the public key of `ssh-keygen -t ed25519`."""
    diode: NotRequired[MeshDiode]
    """Left out, there is none."""


class MeshNetwork(TypedDict):
    """What the network between nodes was measured at; left out, reports say that it is not known."""

    latency_ms: NotRequired[float]
    """Between the farthest two nodes."""
    bandwidth_mbps: NotRequired[float]
    """Of the weakest link."""
    real_time: NotRequired[bool]
    """Whether workflows wait for answers of several nodes."""


class AgentMeshSettings(TypedDict):
    """The agent mesh."""

    gateways: Sequence[str]
    """The machines that run a gateway, the primary first."""
    gateway_port: NotRequired[int]
    """The port of every gateway that `gateway_ports` does not name."""
    gateway_ports: NotRequired[Mapping[str, int]]
    """Machine -> another port of its gateway."""
    bind: NotRequired[str]
    """The address that gateways bind to; the firewall says who gets there. Development is bound to 127.0.0.1."""
    gateway_memory_mib: NotRequired[int]
    """The most memory of a gateway."""
    source: NotRequired[MeshSource]
    """Where the program comes from."""
    trust: NotRequired[TrustMode]
    """How gateway and nodes know each other."""
    capabilities: NotRequired[MeshCapability]
    """What lets a caller use a tool; development has a developers' token instead."""
    discovery: NotRequired[MeshDiscovery]
    """How they find each other."""
    mcp: NotRequired[bool]
    """Whether gateways also speak the Model Context Protocol."""
    mcp_port: NotRequired[int]
    """On which port."""
    nodes: NotRequired[Mapping[str, MeshNodes]]
    """Machine -> its nodes."""
    first_port: NotRequired[int]
    """The port of each machine's first node."""
    last_port: NotRequired[int]
    """The last port that a node may have."""
    regions: NotRequired[Sequence[str]]
    """Where nodes stand, by name."""
    shared_state: NotRequired[MeshState]
    """What several gateways share; needed for more than one."""
    load_balancer: NotRequired[MeshBalancer]
    """In front of the gateways; left out, callers name a gateway."""
    audit: NotRequired[MeshAudit]
    """The audit log."""
    sync: NotRequired[MeshSync]
    """Mode field: who gets what was kept while there was no network."""
    media: NotRequired[MeshMedia]
    """Mode air-gapped: how updates come."""
    network: NotRequired[MeshNetwork]
    """What the network was measured at."""
