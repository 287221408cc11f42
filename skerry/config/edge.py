"""The server side of edge mode: where AMANI devices, which work alone for weeks, are reconciled afterwards."""

from __future__ import annotations

from enum import Enum
from typing import Final

from pydantic import Field

from skerry.config.services import DomainName, Exposure
from skerry.config.words import CatalogName, CountryCode, DnsLabel, Spec
from skerry.facts import DataClass

PORT: Final = 443
"""Devices call here: HTTPS, with a certificate of their own."""

SYNC_NAMESPACE: Final = "sensei-sync"
"""Where the service that reconciles devices runs, with its PostgreSQL."""

LONGEST_OFFLINE_DAYS: Final = 30
"""Sensei deployment architecture: a device works alone for up to 30 days."""

DEVICE_BYTES: Final = 1_000_000_000
"""Sensei deployment architecture: 1 GB of local storage a device, decimal."""

PROXY_BUFFER_BYTES: Final = 512 * 1024**2
"""What one proxy may hold of requests: half of its memory."""

LONGEST_UNREVOKED_DAYS: Final = 60
"""Without a revocation list a lost device is trusted until its certificate ends: twice the longest time alone."""


class DeviceCertificates(str, Enum):
    """Who has a client certificate of its own."""

    DEVICE = "device"
    """Each device: limits are counted by certificate, and one lost device is revoked alone."""
    FLEET = "fleet"
    """Each fleet: its devices share one, so that limits are counted by certificate and address."""


class EdgeDeviceSpec(Spec):
    """What one device keeps, and what it writes while it is alone."""

    model: CatalogName | None = None
    """The row of images/models.yaml that runs on the device; left out, `model_bytes` says its size."""
    model_bytes: int | None = Field(default=None, ge=0)
    """Bytes of all its model files as measured, 0 for none; left out, those of the model's row, where known."""
    knowledge_bytes: int | None = Field(default=None, ge=0)
    """Bytes of the knowledge that is cached on it; left out, reports say that it is not known."""
    bytes_per_day: int | None = Field(default=None, ge=0)
    """Bytes that its log of changes grows by in a day; left out, reports say that it is not known."""
    days_offline: int = Field(default=LONGEST_OFFLINE_DAYS, ge=1)
    """The longest that it works alone, in days."""
    storage_bytes: int = Field(default=DEVICE_BYTES, ge=1)
    """What the client may take of the device's storage, in bytes; left out, 1 GB."""


class EdgeLimitsSpec(Spec):
    """What is taken from devices at a time; more is told to come back later."""

    device_requests_per_minute: int = Field(default=60, ge=1, le=6000)
    """Requests of one device in a minute, at each proxy."""
    requests_per_second: int = Field(default=200, ge=1, le=100_000)
    """Requests of all devices in a second, shared out among the proxies."""
    request_bytes: int = Field(default=1_048_576, ge=1024, le=67_108_864)
    """The largest body of one request; a longer log is sent in several."""
    concurrent_syncs: int = Field(default=200, ge=1, le=10_000)
    """Requests that are worked on at once, shared out among the proxies; as many again wait, and more are refused."""
    connections: int = Field(default=800, ge=1, le=100_000)
    """Connections that are open at once, one request on each, shared out among the proxies; more are closed."""
    retry_after_s: int = Field(default=60, ge=1, le=86_400)
    """Seconds after which a device that is refused is told to try again."""
    reconnect_hours: int = Field(default=24, ge=1, le=720)
    """Hours within which all devices must have been reconciled where all come back at once."""


class EdgeSyncSpec(Spec):
    """The service that reconciles devices; the image is the user's."""

    image: str
    """The image reference; pinned by the lock or by an @sha256 digest of its own."""
    minimum: int = Field(default=2, ge=2, le=64)
    """The fewest replicas."""
    maximum: int = Field(default=8, ge=2, le=256)
    """The most replicas."""
    cpu_percent: int = Field(default=70, ge=10, le=95)
    """The use of the requested CPU beyond which more replicas run."""
    instances: int = Field(default=3, ge=1, le=9)
    """Members of its PostgreSQL, where that runs in the cluster."""
    storage_gib: int = Field(default=50, ge=1, le=65536)
    """Volume of one member in GiB."""


class EdgeSpec(Spec):
    """An endpoint at which devices are reconciled, over TLS, each with a certificate of an authority that is named."""

    domain: DomainName
    """Devices call `sync.<domain>`; the site's DNS points it at the load balancer."""
    sync: EdgeSyncSpec
    """The service behind it."""
    devices: int = Field(ge=1, le=10_000_000)
    """The number of devices; the product is licensed by device."""
    device: EdgeDeviceSpec = EdgeDeviceSpec()
    """What one device keeps."""
    limits: EdgeLimitsSpec = EdgeLimitsSpec()
    """What is taken from devices at a time."""
    jurisdictions: tuple[CountryCode, ...] = Field(min_length=1, max_length=64)
    """ISO 3166 codes of the countries where the devices are, since they hold data there."""
    data_class: DataClass | None = None
    """The class of what devices hold; left out, that of the deployment."""
    authority_secret: DnsLabel
    """The Secret with `ca.crt`, the authority that signs the devices' certificates; the site makes it."""
    certificates: DeviceCertificates = DeviceCertificates.DEVICE
    """Who has a certificate of its own."""
    certificate_days: int | None = Field(default=None, ge=1, le=825)
    """How long a device's certificate is good; left out, reports say that it is not known."""
    revocation_secret: DnsLabel | None = None
    """The Secret with `ca.crl`, the list of revoked certificates; left out, certificates must be short-lived."""
    exposure: Exposure = Exposure.INTERNAL
    """From where it is reached."""
    client_cidrs: tuple[str, ...] = Field(default=(), max_length=32)
    """Who may call; left out, private addresses, or anybody with a certificate where it faces the internet."""
    tls_secret: DnsLabel | None = None
    """The site's Secret (`tls.crt`, `tls.key`) of the endpoint; left out, cert-manager makes one."""
    annotations: dict[str, str] = Field(default={}, max_length=16)
    """On the load balancer, beside those that keep it inside; left out, none."""
    proxies: int = Field(default=2, ge=1, le=32)
    """Proxies before the service; limits are shared out among them."""

    @property
    def host(self) -> str:
        """The name by which devices call."""
        return f"sync.{self.domain}"
