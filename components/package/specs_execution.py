"""The execution tier's queues, model servers and databases as every Pulumi language writes them, word for word."""

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from skerry.config.data_access import DatabaseEngine, DataRoute, DataSide


class Autoscale(TypedDict):
    """How many agents of one kind run: as many as the backlog of their Temporal task queue asks, by KEDA."""

    minimum: NotRequired[int]
    """The fewest; 0 lets them all go while nothing waits."""
    typical: NotRequired[int]
    """What finance should expect; left out, the minimum."""
    maximum: int
    """The most."""
    task_queue: NotRequired[str]
    """The Temporal task queue that they poll; left out, the kind of the agents."""
    tasks_per_replica: NotRequired[int]
    """Tasks that may wait for each agent before one more is started."""
    polling_s: NotRequired[int]
    """With a minimum of 0: seconds between two looks at an empty queue."""
    cooldown_s: NotRequired[int]
    """Seconds that less work must last before agents are taken away."""
    fallback_replicas: NotRequired[int]
    """How many run while the queue cannot be asked; left out, what is typical."""
    tls_secret: NotRequired[str]
    """The Secret in the execution tier (`tls.crt`, `tls.key`, `ca.crt`) that the look needs; left out, none."""


class SmallServer(TypedDict):
    """The servers of the small model; ignored where its answers come from the cognitive tier."""

    replicas: NotRequired[int]
    """How many run."""
    context_tokens: NotRequired[int]
    """The longest prompt and answer together, in tokens."""
    parallel: NotRequired[int]
    """With `cpu`: prompts that one server answers at a time; each holds a cache of the whole context."""
    vcpu: NotRequired[int]
    """With `cpu`: virtual CPUs of one server."""
    gpu_memory_utilization: NotRequired[float]
    """With `gpu`: the share of GPU memory that vLLM may take."""


class DataEndpoint(TypedDict):
    """One database of a customer."""

    name: str
    """What agents and reports call it."""
    side: DataSide
    """Whether data are read from it or written to it."""
    engine: DatabaseEngine
    """What answers there."""
    host: str
    """The DNS name or address that agents connect to, and that its certificate bears."""
    cidrs: Sequence[str]
    """The IPv4 ranges that it answers from; with `private-link` free addresses (/32) of the deployment's network."""
    port: NotRequired[int]
    """TCP port; left out, the engine's usual one."""
    jurisdiction: str
    """The country whose law holds where it stands."""
    route: DataRoute
    """How it is reached."""
    peer: NotRequired[str]
    """With `peering`: the other network, a VPC id on AWS, a network's self link or id on GCP, a VNet's id on Azure."""
    peer_account: NotRequired[str]
    """With `peering` on AWS: the account that owns the other VPC; left out, the deployment's own."""
    peer_region: NotRequired[str]
    """With `peering` on AWS: the region of the other VPC; left out, the deployment's own."""
    service: NotRequired[str]
    """With `private-link`: an endpoint service's name (AWS), a service attachment (GCP), a resource's id (Azure)."""
    service_group: NotRequired[str]
    """With `private-link` on Azure: the part of the resource, such as postgresqlServer; left out for a link service."""
    tenant: NotRequired[str]
    """Whose database it is, where one deployment serves several customers."""
    username: NotRequired[str]
    """The login; required with `password_secret`."""
    password_secret: NotRequired[str]
    """The secret key of the stack that holds the password; Skerry makes the Kubernetes Secret."""
    credentials: NotRequired[str]
    """A Secret in the execution tier with `username` and `password` that the site or External Secrets makes instead."""
