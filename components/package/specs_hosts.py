"""The fields of `skerry.config.host` as every Pulumi language writes them, word for word.

The schema analyzer reads these classes at run time, so that no annotation here may be a string; a test holds names,
types and descriptions equal to the specs, which check the values.
"""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from skerry.config.host import FirewallKind, HostArch, HostDelivery, HostOs


class HostSsh(TypedDict):
    """How a machine is reached for its deployment."""

    user: NotRequired[str]
    """Who logs in; any but root needs sudo without a password for the apply script."""
    port: NotRequired[int]
    """The port of sshd."""
    host_key: NotRequired[str]
    """The machine's public key, `ssh-ed25519 AAAA...`: another key is refused. Left out, a finding."""
    private_key_secret: NotRequired[str]
    """The secret key that holds the private key for the log-in."""


class HostOverlayPeer(TypedDict):
    """A machine's place in the overlay."""

    address: str
    """Its address inside."""
    public_key: NotRequired[str]
    """Its WireGuard public key, made by `skerry hosts keys` at the site; left out, nothing is rendered for it."""
    private_key_secret: NotRequired[str]
    """The secret key of its private key; left out, the key is put on the machine by hand."""
    endpoint: NotRequired[str]
    """Where others reach it from outside; left out, its address."""


class HostPrice(TypedDict):
    """What a machine costs, as its owner knows it; what is left out is unknown in reports."""

    purchase_usd: NotRequired[float]
    """What it cost to buy."""
    lifetime_years: NotRequired[float]
    """Over how many years that is spread."""
    average_watts: NotRequired[float]
    """What it draws on average."""
    usd_per_kwh: NotRequired[float]
    """What electricity costs there."""
    usd_per_month: NotRequired[float]
    """Rented machines: the price of a month."""
    source: NotRequired[str]
    """Where the figures come from, with their date: an invoice, a price list."""


class HostMachine(TypedDict):
    """One machine."""

    address: str
    """A name or an IP address by which the other machines reach it."""
    os: NotRequired[HostOs]
    """What runs it."""
    arch: NotRequired[HostArch]
    """Its instruction set."""
    vcpu: int
    """Threads of its processors."""
    memory_gib: float
    """Memory in GiB."""
    storage_gib: float
    """Disk in GiB."""
    gpu_model: NotRequired[str]
    """The GPU's model, for example RTX-4090; left out, it has none."""
    gpus: NotRequired[int]
    """How many of them."""
    gpu_memory_gib: NotRequired[float]
    """Memory of one GPU in GiB."""
    jurisdiction: NotRequired[str]
    """The country where it stands; left out, the target's."""
    failure_domain: NotRequired[str]
    """Room, rack, site or region that fails apart from others."""
    network_interfaces: NotRequired[int]
    """Network interfaces, where two are asked for."""
    storage_encrypted: NotRequired[bool]
    """Whether its disk is encrypted; left out, reports say that it is not known."""
    delivery: NotRequired[HostDelivery]
    """How files come to it."""
    ssh: NotRequired[HostSsh]
    """How it is reached; ignored but for `ssh`."""
    overlay: NotRequired[HostOverlayPeer]
    """Its place in the overlay; left out, it is not in it."""
    price: NotRequired[HostPrice]
    """What it costs."""
    comparable_instance: NotRequired[str]
    """`<cloud>:<region>:<type>` of rented machines of like size, for a comparison in cost reports."""


class HostOverlay(TypedDict):
    """The WireGuard network between machines."""

    name: NotRequired[str]
    """The interface; at most 15 characters."""
    network_cidr: NotRequired[str]
    """Its private address range."""
    port: NotRequired[int]
    """The UDP port."""
    mtu: NotRequired[int]
    """The largest packet inside."""
    keepalive_s: NotRequired[int]
    """How often a peer behind a NAT says that it is there; 0: never."""


class HostBackup(TypedDict):
    """Copies of what machines keep, encrypted before they leave."""

    recipients: NotRequired[Sequence[str]]
    """age public keys, `age1...`; whoever holds one of the private keys can restore. Left out, a finding."""
    schedule: NotRequired[str]
    """When, as systemd's OnCalendar has it."""
    retention_days: NotRequired[int]
    """How long copies stay."""
    folder: NotRequired[str]
    """Where they lie on the machine."""
    off_host: NotRequired[str]
    """Where a second copy goes: `sftp://user@host/path`, `s3://bucket/path` or a medium; left out, a finding."""
    off_host_secret: NotRequired[str]
    """The secret key of what it logs in with: an SSH private key, or an AWS credentials file; left out, by hand."""
    off_host_key: NotRequired[str]
    """`sftp`: the other host's public key; another is refused. Left out, no copy is sent by sftp."""
    off_host_endpoint: NotRequired[str]
    """`s3`: a server other than AWS's own."""
    off_host_jurisdiction: NotRequired[str]
    """The country where that lies; left out, the target's."""


class HostMachines(TypedDict):
    """The machines of a deployment without an orchestrator."""

    machines: Mapping[str, HostMachine]
    """Name -> machine."""
    firewall: NotRequired[FirewallKind]
    """What holds their packets."""
    admin_cidrs: NotRequired[Sequence[str]]
    """Address ranges that may log in by SSH; left out, nobody by the firewall's rules."""
    lan_cidrs: NotRequired[Sequence[str]]
    """Address ranges of those who use what the machines offer."""
    overlay: NotRequired[HostOverlay]
    """The overlay between them; left out, none."""
    backup: NotRequired[HostBackup]
    """Copies of what they keep; left out, a finding where they keep anything."""
    package_snapshot: NotRequired[str]
    """The state of the package mirror for sites without a connection, such as 20261101T000000Z; left out, unpinned."""
    log_days: NotRequired[int]
    """How long rotated logs stay."""
