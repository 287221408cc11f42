"""The plain facts of a machine without an orchestrator, and the base of all facts."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

SECRET_SCHEMES: Final = frozenset({"https", "wss", "grpcs", "rediss", "quic", "wireguard", "ssh", "tls", "postgresqls"})
"""What nobody between can read: TLS, or a protocol with ciphers of its own."""


class Fact(BaseModel):
    """The base of all facts: immutable, closed, camelCase on the wire."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class OpenPortFact(Fact):
    """A port of a machine, who is let in, and to what."""

    name: str
    port: int
    last: int | None = None
    """The last port of a range."""
    protocol: str
    scheme: str
    """What is spoken: `http`, `https`, `grpc`, `quic`, ..."""
    bind: str
    """The address that it is bound to."""
    sources: tuple[str, ...] = ()
    """Address ranges that the firewall lets in; none: nobody beyond the machine, but for the overlay."""
    overlay: bool = False
    """True: machines of the overlay are let in."""
    owner: str
    """The service or proxy that listens."""


class CarriedFact(Fact):
    """Something beside images, charts, models and baselines that must be brought to a machine."""

    kind: str
    """`source` (an archive of a repository), `wheels` (a folder of Python packages), `os-package` or `key`."""
    name: str
    version: str
    source: str
    """Where it comes from: a URL, or the command of the site that makes it."""
    bytes: int | None = None
    """None where nobody measured it."""
    digest: str | None = None
    """`sha256:...`; None while unresolved."""
    why: str


class GpuPartFact(Fact):
    """A service's part of a GPU."""

    device: int
    mechanism: str
    """`mps`, `mig`, `time-slicing` or `whole`."""
    percent: int
    memory_mib: int
    """The most memory that it may take; with time-slicing nothing holds it to that."""
    profile: str = ""
    """MIG's profile."""


class HostFact(Fact):
    """A machine without an orchestrator."""

    address: str
    os: str
    arch: str
    vcpu: int
    memory_gib: float
    storage_gib: float
    gpu_model: str | None = None
    gpus: int = 0
    gpu_memory_gib: float = 0
    failure_domain: str | None = None
    network_interfaces: int = 1
    delivery: str
    """`ssh`, `cloud-init` or `files`."""
    host_key_known: bool | None = None
    """Whether the machine's SSH key is pinned; None where nobody logs in."""
    firewall: str
    """`nftables`, `ufw` or `none`."""
    open_ports: tuple[OpenPortFact, ...] = ()
    overlay: str | None = None
    """The WireGuard interface; None: it is in no overlay."""
    memory_caps_mib: int = 0
    """The sum of what its services may take at most."""
    uncapped: tuple[str, ...] = ()
    """Services without a cap of memory."""
    runs_as_root: tuple[str, ...] = ()
    """Services under systemd without a user."""
    dev_tokens: tuple[str, ...] = ()
    """Services that are started with a token for developers."""
    trust_on_first_use: tuple[str, ...] = ()
    """Services that trust whoever comes first."""
    gpu_percent: dict[str, int] = {}
    """Service -> its part of the GPU."""
    gpu_parts: dict[str, GpuPartFact] = {}
    """Service -> its part of the GPU, with memory and mechanism."""
    backup_recipients: int | None = None
    """How many keys can read its backups; 0: they are not encrypted; None: none is made."""
    backup_off_host: str | None = None
    """Where the second copy goes."""
    backup_jurisdiction: str | None = None
    keeps: tuple[str, ...] = ()
    """Services that keep something."""
    packages: tuple[str, ...] = ()
    """Packages of its operating system that it needs."""
    package_snapshot: str | None = None
    """The state of the package mirror that they are taken from; None where nobody chose one."""
    carries: tuple[CarriedFact, ...] = ()
    """What is brought to it beside images, models and packages of its operating system."""
    secrets: tuple[str, ...] = ()
    """The flat secret keys of the stack whose values it gets."""
    purchase_usd: float | None = None
    lifetime_years: float | None = None
    average_watts: float | None = None
    usd_per_kwh: float | None = None
    usd_per_month: float | None = None
    price_source: str = ""
    comparable_instance: str | None = None
