"""Machines without an orchestrator: what each is, how it is reached, what it costs and what joins them."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from pydantic import Field

from skerry.config.words import CountryCode, DnsLabel, SecretKey, Spec

HostAddress = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$")]
"""A name or an IP address."""

HOST_KEY = r"^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa) [A-Za-z0-9+/]{40,}={0,3}( \S{1,100})?$"
WIREGUARD_KEY = r"^[A-Za-z0-9+/]{43}=$"


class HostOs(str, Enum):
    """What runs a machine; only the Linux ones take an apply script."""

    DEBIAN = "debian"
    UBUNTU = "ubuntu"
    RASPBERRY_PI_OS = "raspberry-pi-os"
    MACOS = "macos"
    WINDOWS = "windows"
    WSL2 = "wsl2"
    """Linux inside Windows."""
    ANDROID = "android"
    IOS = "ios"


class HostArch(str, Enum):
    """The instruction set, as OCI images name it."""

    AMD64 = "amd64"
    ARM64 = "arm64"


class FirewallKind(str, Enum):
    """What holds the packets of a machine."""

    NFTABLES = "nftables"
    UFW = "ufw"
    NONE = "none"
    """Somebody else's, or none: a finding."""


class HostDelivery(str, Enum):
    """How files come to a machine."""

    SSH = "ssh"
    """`pulumi up` copies them and runs the apply script."""
    CLOUD_INIT = "cloud-init"
    """They are user data of a rented machine's first start."""
    FILES = "files"
    """`skerry render` writes them, and people carry them."""


class SshSpec(Spec):
    """How a machine is reached for its deployment."""

    user: str = Field(default="root", pattern=r"^[a-z_][a-z0-9_-]{0,31}$")
    """Who logs in; any but root needs sudo without a password for the apply script."""
    port: int = Field(default=22, ge=1, le=65535)
    """The port of sshd."""
    host_key: str | None = Field(default=None, pattern=HOST_KEY)
    """The machine's public key, `ssh-ed25519 AAAA...`: another key is refused. Left out, a finding."""
    private_key_secret: SecretKey = "sshKey"
    """The secret key that holds the private key for the log-in."""


class HostPriceSpec(Spec):
    """What a machine costs, as its owner knows it; what is left out is unknown in reports."""

    purchase_usd: float | None = Field(default=None, ge=0)
    """What it cost to buy."""
    lifetime_years: float = Field(default=4, gt=0, le=20)
    """Over how many years that is spread."""
    average_watts: float | None = Field(default=None, gt=0, le=20_000)
    """What it draws on average."""
    usd_per_kwh: float | None = Field(default=None, ge=0, le=5)
    """What electricity costs there."""
    usd_per_month: float | None = Field(default=None, ge=0)
    """Rented machines: the price of a month."""
    source: str = Field(default="", max_length=300)
    """Where the figures come from, with their date: an invoice, a price list."""


class OverlayPeerSpec(Spec):
    """A machine's place in the overlay."""

    address: str = Field(pattern=r"^\d{1,3}(\.\d{1,3}){3}$")
    """Its address inside."""
    public_key: str | None = Field(default=None, pattern=WIREGUARD_KEY)
    """Its WireGuard public key, made by `skerry hosts keys` at the site; left out, nothing is rendered for it."""
    private_key_secret: SecretKey | None = None
    """The secret key of its private key; left out, the key is put on the machine by hand."""
    endpoint: HostAddress | None = None
    """Where others reach it from outside; left out, its address."""


class HostSpec(Spec):
    """One machine."""

    address: HostAddress
    """A name or an IP address by which the other machines reach it."""
    os: HostOs = HostOs.DEBIAN
    """What runs it."""
    arch: HostArch = HostArch.AMD64
    """Its instruction set."""
    vcpu: int = Field(ge=1, le=1024)
    """Threads of its processors."""
    memory_gib: float = Field(gt=0, le=32768)
    """Memory in GiB."""
    storage_gib: float = Field(gt=0, le=1_000_000)
    """Disk in GiB."""
    gpu_model: str | None = None
    """The GPU's model, for example RTX-4090; left out, it has none."""
    gpus: int = Field(default=0, ge=0, le=16)
    """How many of them."""
    gpu_memory_gib: float = Field(default=0, ge=0, le=512)
    """Memory of one GPU in GiB."""
    jurisdiction: CountryCode | None = None
    """The country where it stands; left out, the target's."""
    failure_domain: DnsLabel | None = None
    """Room, rack, site or region that fails apart from others."""
    network_interfaces: int = Field(default=1, ge=1, le=16)
    """Network interfaces, where two are asked for."""
    storage_encrypted: bool | None = None
    """Whether its disk is encrypted; left out, reports say that it is not known."""
    delivery: HostDelivery = HostDelivery.SSH
    """How files come to it."""
    ssh: SshSpec = SshSpec()
    """How it is reached; ignored but for `ssh`."""
    overlay: OverlayPeerSpec | None = None
    """Its place in the overlay; left out, it is not in it."""
    price: HostPriceSpec = HostPriceSpec()
    """What it costs."""
    comparable_instance: str | None = Field(default=None, pattern=r"^(aws|gcp|azure):[a-z0-9-]+:[A-Za-z0-9_.-]+$")
    """`<cloud>:<region>:<type>` of rented machines of like size, for a comparison in cost reports."""


class OverlaySpec(Spec):
    """The WireGuard network between machines."""

    name: str = Field(default="agent_net", pattern=r"^[a-z][a-z0-9_.-]{0,14}$")
    """The interface; at most 15 characters."""
    network_cidr: str = "10.77.0.0/24"
    """Its private address range."""
    port: int = Field(default=51820, ge=1024, le=65535)
    """The UDP port."""
    mtu: int = Field(default=1420, ge=1280, le=9000)
    """The largest packet inside."""
    keepalive_s: int = Field(default=25, ge=0, le=600)
    """How often a peer behind a NAT says that it is there; 0: never."""


class HostBackupSpec(Spec):
    """Copies of what machines keep, encrypted before they leave."""

    recipients: tuple[str, ...] = Field(default=(), max_length=8)
    """age public keys, `age1...`; whoever holds one of the private keys can restore. Left out, a finding."""
    schedule: str = Field(default="*-*-* 02:30:00 UTC", max_length=100)
    """When, as systemd's OnCalendar has it."""
    retention_days: int = Field(default=30, ge=1, le=3650)
    """How long copies stay."""
    folder: str = Field(default="/var/backups/skerry", pattern=r"^/[A-Za-z0-9/._-]{1,200}$")
    """Where they lie on the machine."""
    off_host: str | None = Field(default=None, pattern=r"^(sftp|s3|file)://\S{3,300}$")
    """Where a second copy goes: `sftp://user@host/path`, `s3://bucket/path` or a medium; left out, a finding."""
    off_host_secret: SecretKey | None = None
    """The secret key of what it logs in with: an SSH private key, or an AWS credentials file; left out, by hand."""
    off_host_key: str | None = Field(default=None, pattern=HOST_KEY)
    """`sftp`: the other host's public key; another is refused. Left out, no copy is sent by sftp."""
    off_host_endpoint: str | None = Field(default=None, pattern=r"^https?://[A-Za-z0-9.:\[\]-]{1,253}$")
    """`s3`: a server other than AWS's own."""
    off_host_jurisdiction: CountryCode | None = None
    """The country where that lies; left out, the target's."""


class HostsSpec(Spec):
    """The machines of a deployment without an orchestrator."""

    machines: dict[DnsLabel, HostSpec] = Field(min_length=1, max_length=200)
    """Name -> machine."""
    firewall: FirewallKind = FirewallKind.NFTABLES
    """What holds their packets."""
    admin_cidrs: tuple[str, ...] = Field(default=(), max_length=16)
    """Address ranges that may log in by SSH; left out, nobody by the firewall's rules."""
    lan_cidrs: tuple[str, ...] = Field(default=(), max_length=16)
    """Address ranges of those who use what the machines offer."""
    overlay: OverlaySpec | None = None
    """The overlay between them; left out, none."""
    backup: HostBackupSpec | None = None
    """Copies of what they keep; left out, a finding where they keep anything."""
    package_snapshot: str | None = Field(default=None, pattern=r"^[0-9A-Za-z][0-9A-Za-z.:_-]{3,63}$")
    """The state of the package mirror for sites without a connection, such as 20261101T000000Z; left out, unpinned."""
    log_days: int = Field(default=30, ge=1, le=3650)
    """How long rotated logs stay."""
