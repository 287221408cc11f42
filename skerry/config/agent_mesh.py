"""The agent mesh: gateways and the nodes that run tools, on machines without an orchestrator."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from pydantic import Field

from skerry.config.host import HostAddress
from skerry.config.words import CountryCode, DnsLabel, SecretKey, Spec

_PATH = r"^/[A-Za-z0-9/._-]{1,200}$"
Capability = Annotated[str, Field(pattern=r"^(\*|[a-z0-9][a-z0-9_.:*-]{0,99})$")]
"""The name of a tool, or of a family of them: `vision.*`."""


class TrustMode(str, Enum):
    """How gateway and nodes know each other."""

    TOFU = "tofu"
    """Trust on first use: whoever stands between at the first meeting is trusted from then on."""
    PKI = "pki"
    """By keys and bundles that `skerry mesh` makes at the site."""


class TokenKind(str, Enum):
    """What lets a caller use a tool."""

    SHARED = "shared"
    """One token for all."""
    ROLES = "roles"
    """A token of a role, which names tools and regions."""


class NodePlatform(str, Enum):
    """What a node runs on; each has hardware that it needs at least."""

    DESKTOP = "desktop"
    RASPBERRY_PI = "raspberry-pi"
    ANDROID = "android"
    SERVER = "server"


class NodeRuntime(str, Enum):
    """What keeps a node running on Linux; elsewhere it is what the system has."""

    SYSTEMD = "systemd"
    CONTAINER = "container"


class MeshSourceSpec(Spec):
    """Where the program comes from."""

    repository: str = Field(
        default="https://github.com/adaptivesentience/agent_mesh.git", pattern=r"^https://[^\s'\"$`\\]{3,300}$"
    )
    """The repository."""
    commit: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}$")
    """What of it is installed; left out, the newest of its default branch at the first start, which may be any."""
    archive_digest: str | None = Field(default=None, pattern=r"^sha256:[0-9a-f]{64}$")
    """Of the source archive that is carried to a site without a connection; left out, unresolved."""


class MeshRoleSpec(Spec):
    """What a role's token allows."""

    tools: tuple[Capability, ...] = Field(min_length=1, max_length=200)
    """The tools that it may call."""
    regions: tuple[DnsLabel, ...] = Field(default=(), max_length=50)
    """Where; left out, everywhere."""
    minutes: int = Field(default=60, ge=1, le=43_200)
    """How long a token is good."""


class CapabilitySpec(Spec):
    """Capability tokens."""

    kind: TokenKind = TokenKind.SHARED
    """One token for all, or by role."""
    roles: dict[DnsLabel, MeshRoleSpec] = Field(default={}, max_length=100)
    """Name -> what its token allows; needed for `roles`, and no others."""


class DiscoverySpec(Spec):
    """How nodes and gateways find each other."""

    multicast: bool = False
    """True: UDP multicast on the local network. False: by a list of addresses, as clouds and containers need."""
    group: str = Field(default="239.255.42.99", pattern=r"^(22[4-9]|23\d)(\.\d{1,3}){3}$")
    """The multicast group."""
    port: int = Field(default=9999, ge=1024, le=65535)
    """Its UDP port."""
    seeds: tuple[str, ...] = Field(default=(), max_length=200)
    """`host:port` of gateways and nodes that are not among the machines; those that are, are listed by themselves."""


class PlaceSpec(Spec):
    """Where a node stands, for work that is sent to a place."""

    latitude: float = Field(ge=-90, le=90)
    """Degrees north."""
    longitude: float = Field(ge=-180, le=180)
    """Degrees east."""
    area: DnsLabel | None = None
    """A name for the place, such as a part of a building site; left out, by degrees alone."""


class MeshNodesSpec(Spec):
    """The nodes of one machine."""

    count: int = Field(default=1, ge=1, le=200)
    """How many; each has a port of its own, from the first."""
    platform: NodePlatform | None = None
    """Left out, by the machine's system: a Raspberry Pi, Android, a desktop for macOS and Windows, else a server."""
    runtime: NodeRuntime = NodeRuntime.SYSTEMD
    """What keeps them running."""
    image: str | None = Field(default=None, min_length=3, max_length=400)
    """The image of a node in a container; needed for it, since the vendor's is built from its source."""
    region: DnsLabel | None = None
    """One of `regions`; left out, none."""
    capabilities: tuple[Capability, ...] = Field(default=(), max_length=200)
    """What its tools are; left out, whatever the node itself says."""
    place: PlaceSpec | None = None
    """Where it stands; left out, no work is sent to it by place."""
    memory_mib: int = Field(default=1024, ge=128, le=1_048_576)
    """The most memory of one node."""


class StateProgram(str, Enum):
    """What keeps the shared state: both speak one protocol, and take one configuration."""

    VALKEY = "valkey"
    """A package of Debian 13 and Ubuntu 24.04."""
    REDIS = "redis"
    """A package of Debian 12 and older Ubuntus too."""


class SharedStateSpec(Spec):
    """A replicated store between gateways, with TLS and passwords, and Sentinels that name a new primary."""

    program: StateProgram = StateProgram.VALKEY
    """Valkey, or Redis where the system's packages have no Valkey."""
    machines: tuple[DnsLabel, ...] = Field(min_length=3, max_length=7)
    """Where it stands; an odd number, so that a majority can name a new primary."""
    port: int = Field(default=6379, ge=1024, le=65535)
    """Its TLS port; the Sentinels' is 20000 higher."""
    memory_mib: int = Field(default=512, ge=64, le=65_536)
    """The most memory on each machine."""


class BalancerSpec(Spec):
    """The load balancer in front of the gateways: nginx with TLS."""

    machines: tuple[DnsLabel, ...] = Field(min_length=1, max_length=4)
    """Where it stands; two, both under the name, so that one may fail."""
    host: HostAddress
    """The name that callers use, which its certificate holds."""
    client_certificates: bool = True
    """Whether callers must show a certificate of the mesh's own authority."""
    port: int = Field(default=443, ge=1, le=65535)
    """The port of HTTPS."""
    requests_per_second: int = Field(default=50, ge=1, le=100_000)
    """The most of one caller."""


class SiemSpec(Spec):
    """Where audit lines are sent."""

    host: HostAddress
    """The collector: syslog over TLS."""
    port: int = Field(default=6514, ge=1, le=65535)
    """Its port."""
    jurisdiction: CountryCode | None = None
    """The country where it stands; left out, the target's."""
    on_site: bool = True
    """False: it is reached over the internet."""
    authority_secret: SecretKey | None = None
    """The secret key with the certificate of the collector's authority; left out, the mesh's own."""
    buffer_mib: int = Field(default=1024, ge=16, le=1_048_576)
    """What is kept on disk while the collector is away."""


class AuditSpec(Spec):
    """The audit log: JSON, a line an execution."""

    path: str = Field(default="/var/log/agent_mesh/audit.log", pattern=r"^/var/log/[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$")
    """Where it is written, in a folder of its own under /var/log."""
    siem: SiemSpec | None = None
    """Where it is forwarded to; left out, it stays on the machine."""


class SyncSpec(Spec):
    """What a gateway in the field keeps while it has no network, and whom it hands it to later."""

    upstream_url: str = Field(pattern=r"^https://[^\s'\"$`\\]{3,300}$")
    """Where it is handed over."""
    jurisdiction: CountryCode
    """The country where that stands."""
    spool_mib: int = Field(default=2048, ge=16, le=1_048_576)
    """How much is kept; what comes after is refused, and nothing is dropped silently."""
    retention_days: int = Field(default=30, ge=1, le=365)
    """How long; older than that is an error that the audit log tells."""
    spool_folder: str = Field(default="/var/lib/agent-mesh/spool", pattern=_PATH)
    """Where."""


class DiodeDirection(str, Enum):
    """Which way a data diode lets anything through."""

    OUT = "out"
    """From the isolated network to the other."""
    IN = "in"
    """From the other network into the isolated one."""


class DiodeSpec(Spec):
    """A data diode: nothing is ever answered through it, so that all that crosses is files."""

    direction: DiodeDirection
    """Which way."""
    folder: str = Field(default="/srv/diode", pattern=_PATH)
    """The folder that the diode's own program empties or fills."""


class MediaSpec(Spec):
    """How an isolated network gets updates: by a medium that people carry."""

    path: str = Field(default="/media/agent-mesh", pattern=_PATH)
    """Where the medium is mounted."""
    signer: str = Field(pattern=r"^ssh-ed25519 [A-Za-z0-9+/]{40,}={0,3}$")
    """Whose signature it must bear: the public key of `ssh-keygen -t ed25519`."""
    diode: DiodeSpec | None = None
    """Left out, there is none."""


class MeshNetworkSpec(Spec):
    """What the network between nodes was measured at; left out, reports say that it is not known."""

    latency_ms: float | None = Field(default=None, ge=0)
    """Between the farthest two nodes."""
    bandwidth_mbps: float | None = Field(default=None, ge=0)
    """Of the weakest link."""
    real_time: bool = True
    """Whether workflows wait for answers of several nodes."""


class AgentMeshSpec(Spec):
    """The agent mesh."""

    gateways: tuple[DnsLabel, ...] = Field(min_length=1, max_length=9)
    """The machines that run a gateway, the primary first."""
    gateway_port: int = Field(default=8787, ge=1024, le=65535)
    """The port of every gateway that `gateway_ports` does not name."""
    gateway_ports: dict[DnsLabel, int] = Field(default={}, max_length=9)
    """Machine -> another port of its gateway."""
    bind: str = Field(default="0.0.0.0", pattern=r"^\d{1,3}(\.\d{1,3}){3}$")
    """The address that gateways bind to; the firewall says who gets there. Development is bound to 127.0.0.1."""
    gateway_memory_mib: int = Field(default=2048, ge=256, le=1_048_576)
    """The most memory of a gateway."""
    source: MeshSourceSpec = MeshSourceSpec()
    """Where the program comes from."""
    trust: TrustMode = TrustMode.PKI
    """How gateway and nodes know each other."""
    capabilities: CapabilitySpec = CapabilitySpec()
    """What lets a caller use a tool; development has a developers' token instead."""
    discovery: DiscoverySpec = DiscoverySpec()
    """How they find each other."""
    mcp: bool = False
    """Whether gateways also speak the Model Context Protocol."""
    mcp_port: int = Field(default=8790, ge=1024, le=65535)
    """On which port."""
    nodes: dict[DnsLabel, MeshNodesSpec] = Field(default={}, max_length=200)
    """Machine -> its nodes."""
    first_port: int = Field(default=8000, ge=1024, le=65535)
    """The port of each machine's first node."""
    last_port: int = Field(default=8010, ge=1024, le=65535)
    """The last port that a node may have."""
    regions: tuple[DnsLabel, ...] = Field(default=(), max_length=50)
    """Where nodes stand, by name."""
    shared_state: SharedStateSpec | None = None
    """What several gateways share; needed for more than one."""
    load_balancer: BalancerSpec | None = None
    """In front of the gateways; left out, callers name a gateway."""
    audit: AuditSpec = AuditSpec()
    """The audit log."""
    sync: SyncSpec | None = None
    """Mode field: who gets what was kept while there was no network."""
    media: MediaSpec | None = None
    """Mode air-gapped: how updates come."""
    network: MeshNetworkSpec = MeshNetworkSpec()
    """What the network was measured at."""

    def port_of(self, gateway: str) -> int:
        """Return the port of a machine's gateway."""
        return self.gateway_ports.get(gateway, self.gateway_port)
