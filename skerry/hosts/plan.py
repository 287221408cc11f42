"""What stands on machines without an orchestrator: services, proxies, files and rules of each, as plain data.

A system translates its configuration to a `HostsPlan`, without effects; components/host makes files and resources of
it, and knows nothing of the system. No secret stands in a plan: a value is the name of a flat secret key of the stack.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from skerry.config.host import HostSpec, OverlaySpec
from skerry.facts import BaselineFact, EndpointFact, ImageFact, ModelFact, Tier
from skerry.hosts.facts import CarriedFact

LOOPBACK: Final = "127.0.0.1"
EVERY_ADDRESS: Final = "0.0.0.0"


DOCKER_FOLDER: Final = "/etc/skerry/docker"
"""Where Docker finds the `config.json` with the log-ins to registries, where a plan has one."""


class Supervisor(str, Enum):
    """What starts a service and starts it again."""

    COMPOSE = "compose"
    SYSTEMD = "systemd"
    OTHER = "other"
    """What no renderer knows, such as launchd, or an app: the plan itself holds its files, or people start it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """A port, or a range of them, on which a service or a proxy listens."""

    name: str
    """What for, in a word: `http`, `mcp`, `discovery`."""
    port: int
    last: int | None = None
    """The last port of a range; None: one port."""
    protocol: str = "tcp"
    """`tcp` or `udp`."""
    scheme: str = "http"
    """What is spoken: `http`, `https`, `grpc`, `quic`, `redis`, `rediss`, `wss`, `multicast`, `wireguard`."""
    bind: str = LOOPBACK
    """The address that it is bound to."""
    sources: tuple[str, ...] = ()
    """Address ranges that the firewall lets in; none: nobody beyond the machine itself."""
    overlay: bool = False
    """True: whoever is in the overlay is let in too."""
    comment: str
    """What the firewall's rule says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How to ask whether a service is well."""

    path: str = ""
    """Of an HTTP GET on `port`; empty: `command`."""
    port: int = 0
    scheme: str = "http"
    command: tuple[str, ...] = ()
    interval_s: int = 30
    timeout_s: int = 10
    retries: int = 3
    start_period_s: int = 0
    """How long failures do not count after a start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuPart:
    """A service's part of a GPU."""

    device: int = 0
    mechanism: str
    """`mps`, `mig`, `time-slicing` or `whole`."""
    percent: int
    """Of the threads of its multiprocessors."""
    memory_mib: int
    """The most memory it may pin; MPS's percentage limits threads alone."""
    profile: str = ""
    """MIG's profile."""
    slice_index: int | None = None
    """Which MIG slice of the device, counted from 0; services of one slice share it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A folder or file of the machine inside a container."""

    source: str
    """A path of the machine, or the name of a volume."""
    target: str
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HostService:
    """A program that a machine keeps running."""

    name: str
    """A DNS label, unique on the machine."""
    group: str = ""
    """Services of a group share a Compose file; empty: its own."""
    description: str = ""
    """systemd: what lists of units show; empty: its name."""
    supervisor: Supervisor
    image: ImageFact | None = None
    """Compose: what is run."""
    command: tuple[str, ...] = ()
    """systemd: the whole command, its program by full path; Compose: instead of the image's own."""
    environment: Mapping[str, str] = field(default_factory=dict)
    environment_files: tuple[str, ...] = ()
    """systemd: files of the machine with further variables, which must be there."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Variable -> flat secret key of the stack; it reaches the machine in a file of its own, mode 0600."""
    expands: tuple[str, ...] = ()
    """systemd: variables of its own that its command holds as words `${NAME}`; any other `$` is text."""
    listens: tuple[Listen, ...] = ()
    needs: tuple[str, ...] = ()
    """Services of the same machine that must be well before."""
    waits_for: tuple[str, ...] = ()
    """URLs on other machines that must answer before: nothing orders starts across machines."""
    health: Health | None = None
    memory_mib: int | None = None
    """The most memory."""
    cpus: float | None = None
    """The most CPU, in vCPU."""
    cpu_shares: int | None = None
    """Its weight where CPU is short; 1024 is a container's own."""
    gpu: GpuPart | None = None
    mounts: tuple[Mount, ...] = ()
    user: str = ""
    """Who runs it; empty: the image's own user, and for systemd root, which a rule finds."""
    folder: str = ""
    """systemd: the working directory."""
    writable: tuple[str, ...] = ()
    """systemd: paths outside its state and log folders that it may write; Compose: folders in memory for it."""
    state_folder: str = ""
    """systemd: its name under /var/lib."""
    log_folder: str = ""
    """systemd: its name under /var/log."""
    instances: tuple[str, ...] = ()
    """systemd: a template, with these instances; `%i` stands for each."""
    only_with: tuple[str, ...] = ()
    """systemd: the only addresses it exchanges packets with, such as `localhost`; none: all that the firewall lets."""
    network_online: bool = False
    """systemd: waits for a network that is up, not only begun."""
    capabilities: tuple[str, ...] = ()
    """Compose: Linux capabilities that it keeps, such as `NET_BIND_SERVICE`; it has no others."""
    writable_root: bool = False
    """Compose: it may write anywhere in its container; else only in mounts, /tmp and `writable`."""
    host_network: bool = False
    """Compose: shares the machine's network; multicast crosses no bridge."""
    stop_s: int = 30
    """How long it may take to end."""
    tier: Tier = Tier.EXECUTION
    role: str = "service"
    stateful: bool = False
    storage_gib: float = 0
    """What it keeps, in GiB."""
    encrypted_in_transit: bool | None = None
    endpoints: tuple[EndpointFact, ...] = ()
    """What it calls beyond the machine."""
    dev_token: bool = False
    """True: it is started with a token for developers, which everybody knows."""
    trust: str = ""
    """How it knows others: `pki`, `tofu` (trust on first use), or empty where that is no question."""
    models: tuple[ModelFact, ...] = ()
    baselines: tuple[BaselineFact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A server behind a proxy."""

    name: str
    address: str
    port: int
    certificate_name: str = ""
    """The DNS name that its certificate holds, which HAProxy asks for where the address is none; empty: its address."""
    backup: bool = False
    """True: gets nothing while another lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyTls:
    """Certificates of a proxy, by path on the machine."""

    certificate: str
    key: str
    client_authority: str = ""
    """Whose certificates callers must show; empty: none is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A load balancer on a machine."""

    name: str
    kind: str
    """`nginx` or `haproxy`."""
    listen: Listen
    mode: str = "http"
    """`http` or `tcp`."""
    members: tuple[Member, ...]
    balance: str = "leastconn"
    """`leastconn`, `roundrobin` or `source`."""
    health_path: str = ""
    """An HTTP GET that says whether a member is well; empty: a TCP connection."""
    tls: ProxyTls | None = None
    members_tls: bool = False
    """True: members are called by TLS."""
    member_identity: ProxyTls | None = None
    """Where members are called by TLS: what the proxy shows them, and by whose authority it knows them."""
    health_send: str = ""
    """haproxy in mode tcp: a line that a member is sent, for example `INFO replication`."""
    health_expect: str = ""
    """What its answer must hold for the member to count, for example `role:master`."""
    redirect: Listen | None = None
    """A plain port whose callers are sent to this one, where they are to be; None: there is none."""
    idle_s: int = 60
    """How long a quiet connection lives."""
    requests_per_second: int = 0
    """Of one caller; 0: no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFile:
    """A file of a machine."""

    path: str
    """Where it stands, from the root."""
    text: str = ""
    secret: str = ""
    """The flat secret key whose value it holds instead of a text."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Variable -> flat secret key: it holds a line for each instead of a text (components/host/quoting.py)."""
    mode: str = "0644"
    owner: str = "root"
    group: str = "root"
    check: tuple[str, ...] = ()
    """A command that must accept it: `{path}` is where it waits; without that word it runs once all are in place."""
    commands: tuple[tuple[str, ...], ...] = ()
    """What is run once all are in place when it changed, before any unit is started again."""
    enables: tuple[str, ...] = ()
    """Units that it brings: enabled and started, also where it did not change."""
    restarts: tuple[str, ...] = ()
    """Units that are reloaded, or started again where they cannot be, when it changes."""
    on_machine: bool = True
    """False: it is for whoever makes the machine, such as user data, and is not laid on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostUser:
    """A system user."""

    name: str
    home: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFolder:
    """A folder of a machine."""

    path: str
    owner: str = "root"
    group: str = "root"
    mode: str = "0755"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostBackup:
    """What a machine copies away, encrypted."""

    name: str
    paths: tuple[str, ...]
    """Files and folders; one that is missing fails the run."""
    optional: tuple[str, ...] = ()
    """Those that need not be there yet."""
    before: tuple[str, ...] = ()
    """Commands before it, such as a consistent copy of a database."""
    after: tuple[str, ...] = ()
    """Commands after it, whether or not it could be made: what undoes those before."""
    holds_keys: bool = False
    """True: private keys are among it, so that it is never written unencrypted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFile:
    """A log that is rotated."""

    path: str
    """May hold a glob."""
    owner: str
    group: str
    days: int
    copy_truncate: bool = False
    """True where the program keeps the file open and cannot be told to open it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """A command by the clock."""

    name: str
    command: tuple[str, ...]
    calendar: str
    """systemd's OnCalendar."""
    user: str = "root"
    writable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine with everything that stands on it."""

    name: str
    spec: HostSpec
    services: tuple[HostService, ...] = ()
    proxies: tuple[Proxy, ...] = ()
    files: tuple[HostFile, ...] = ()
    users: tuple[HostUser, ...] = ()
    folders: tuple[HostFolder, ...] = ()
    backups: tuple[HostBackup, ...] = ()
    logs: tuple[LogFile, ...] = ()
    timers: tuple[Timer, ...] = ()
    opens: tuple[Listen, ...] = ()
    """Ports of what others start, such as the overlay's own, and ranges that the seed whitelists."""
    packages: tuple[str, ...] = ()
    """Names of packages of its operating system, beside those that its proxies, firewall and supervisor need."""
    sudo: tuple[str, ...] = ()
    """Lines of /etc/sudoers.d, each checked by visudo before it counts."""
    sysctl: Mapping[str, str] = field(default_factory=dict)
    setup: tuple[tuple[str, ...], ...] = ()
    """Commands, each idempotent, that run as root once files are laid and before any service starts."""
    carries: tuple[CarriedFact, ...] = ()
    """What must be brought to it where it has no way to the internet, beside images, models and packages."""
    tier: Tier = Tier.PLATFORM


@dataclass(frozen=True, slots=True, kw_only=True)
class HostsPlan:
    """All machines of a deployment."""

    machines: tuple[Machine, ...]
    overlay: OverlaySpec | None = None
    artifacts: Mapping[str, str] = field(default_factory=dict)
    """Path -> text of files that belong to no machine: a workflow that builds images, a test's plan, a runbook."""
