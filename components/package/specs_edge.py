"""The server side of edge mode as every Pulumi language writes it: fields of `skerry.config.edge`, word for word.

The schema analyzer reads these classes at run time, so that no annotation here may be a string; a test holds names,
types and descriptions equal to the specs, which check the values.
"""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from skerry.config.edge import DeviceCertificates
from skerry.config.services import Exposure
from skerry.facts import DataClass


class EdgeDevice(TypedDict):
    """What one device keeps, and what it writes while it is alone."""

    model: NotRequired[str]
    """The row of images/models.yaml that runs on the device; left out, `model_bytes` says its size."""
    model_bytes: NotRequired[int]
    """Bytes of all its model files as measured, 0 for none; left out, those of the model's row, where known."""
    knowledge_bytes: NotRequired[int]
    """Bytes of the knowledge that is cached on it; left out, reports say that it is not known."""
    bytes_per_day: NotRequired[int]
    """Bytes that its log of changes grows by in a day; left out, reports say that it is not known."""
    days_offline: NotRequired[int]
    """The longest that it works alone, in days."""
    storage_bytes: NotRequired[int]
    """What the client may take of the device's storage, in bytes; left out, 1 GB."""


class EdgeLimits(TypedDict):
    """What is taken from devices at a time; more is told to come back later."""

    device_requests_per_minute: NotRequired[int]
    """Requests of one device in a minute, at each proxy."""
    requests_per_second: NotRequired[int]
    """Requests of all devices in a second, shared out among the proxies."""
    request_bytes: NotRequired[int]
    """The largest body of one request; a longer log is sent in several."""
    concurrent_syncs: NotRequired[int]
    """Requests that are worked on at once, shared out among the proxies; as many again wait, and more are refused."""
    connections: NotRequired[int]
    """Connections that are open at once, one request on each, shared out among the proxies; more are closed."""
    retry_after_s: NotRequired[int]
    """Seconds after which a device that is refused is told to try again."""
    reconnect_hours: NotRequired[int]
    """Hours within which all devices must have been reconciled where all come back at once."""


class EdgeSync(TypedDict):
    """The service that reconciles devices; the image is the user's."""

    image: str
    """The image reference; pinned by the lock or by an @sha256 digest of its own."""
    minimum: NotRequired[int]
    """The fewest replicas."""
    maximum: NotRequired[int]
    """The most replicas."""
    cpu_percent: NotRequired[int]
    """The use of the requested CPU beyond which more replicas run."""
    instances: NotRequired[int]
    """Members of its PostgreSQL, where that runs in the cluster."""
    storage_gib: NotRequired[int]
    """Volume of one member in GiB."""


class Edge(TypedDict):
    """An endpoint at which devices are reconciled, over TLS, each with a certificate of an authority that is named."""

    domain: str
    """Devices call `sync.<domain>`; the site's DNS points it at the load balancer."""
    sync: EdgeSync
    """The service behind it."""
    devices: int
    """The number of devices; the product is licensed by device."""
    device: NotRequired[EdgeDevice]
    """What one device keeps."""
    limits: NotRequired[EdgeLimits]
    """What is taken from devices at a time."""
    jurisdictions: Sequence[str]
    """ISO 3166 codes of the countries where the devices are, since they hold data there."""
    data_class: NotRequired[DataClass]
    """The class of what devices hold; left out, that of the deployment."""
    authority_secret: str
    """The Secret with `ca.crt`, the authority that signs the devices' certificates; the site makes it."""
    certificates: NotRequired[DeviceCertificates]
    """Who has a certificate of its own."""
    certificate_days: NotRequired[int]
    """How long a device's certificate is good; left out, reports say that it is not known."""
    revocation_secret: NotRequired[str]
    """The Secret with `ca.crl`, the list of revoked certificates; left out, certificates must be short-lived."""
    exposure: NotRequired[Exposure]
    """From where it is reached."""
    client_cidrs: NotRequired[Sequence[str]]
    """Who may call; left out, private addresses, or anybody with a certificate where it faces the internet."""
    tls_secret: NotRequired[str]
    """The site's Secret (`tls.crt`, `tls.key`) of the endpoint; left out, cert-manager makes one."""
    annotations: NotRequired[Mapping[str, str]]
    """On the load balancer, beside those that keep it inside; left out, none."""
    proxies: NotRequired[int]
    """Proxies before the service; limits are shared out among them."""
