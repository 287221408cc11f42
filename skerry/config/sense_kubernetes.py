"""What services on a cluster must be: measures that it has, names that are free, files that one replica writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from skerry.application import Application
from skerry.config.application import ApplicationsSpec, Exposure, Protocol, Vertical
from skerry.config.spec import DeploymentSpec, Layer, Purchase, RelationalKind, TargetKind
from skerry.errors import Problem

TAKEN: Final = frozenset({"database", "valkey"})
"""Names of Services that the stores beside have."""

LONGEST_NAME: Final = 38
"""Characters of a service's name, which its route, its entrance's bounds, its budget and its copies take up: a label of
DNS has 63, and a CronJob 52."""

LEAST_IOPS: Final = 3_000
MOST_IOPS: Final = 16_000
"""Of one EBS gp3 volume: what it does without a word, and the most that can be asked for (003 says the former too).

Source: Amazon EBS "General Purpose SSD volumes" (not opened; check before relying on it).
"""

IOPS_PER_GIB: Final = 500
"""The most of a gp3 volume for each GiB; source as above."""


def kubernetes_problems(path: str, application: Application, spec: DeploymentSpec) -> Iterator[Problem]:
    """Return what cannot be about one service on a cluster.

    Args:
        path: where it stands.
        application: the service.
        spec: the deployment.
    """
    row, scale, definition = application.spec, application.spec.scale, application.definition
    if application.name in TAKEN:
        yield Problem(path, f"'{application.name}' is the name of a store beside it", "give the service another name")
    if len(application.name) > LONGEST_NAME:
        many = len(application.name)
        text = f"'{application.name}' has {many} characters, and its route and its copies take its name"
        yield Problem(path, text, f"use at most {LONGEST_NAME}")
    if scale.concurrency is not None:
        text = "is no measure of a cluster, whose autoscaler knows CPU, memory and the depth of a queue"
        yield Problem(f"{path}.scale.concurrency", text, "use cpu_percent, memory_percent or queue_depth")
    if scale.prepared is not None:
        text = "has no meaning on kubernetes, where the minimum runs at all times"
        yield Problem(f"{path}.scale.prepared", text, "raise scale.minimum")
    if scale.minimum == 0 and scale.queue_depth is None:
        text = "is 0, and nothing but the depth of a queue can start the first replica"
        yield Problem(f"{path}.scale.minimum", text, "set at least 1, or queue_depth")
    if scale.spot_share and (
        spec.machines is None or spec.machines.services is None or spec.machines.services.purchase is not Purchase.SPOT
    ):
        text = "is decided by the machines on kubernetes, and none of them may be taken away"
        yield Problem(f"{path}.scale.spot_share", text, "set machines.services.purchase: spot, or remove it")
    if scale.spot_share and definition.data_path is not None:
        text = "replicas that keep files run on the machines of stores, which are never spot"
        yield Problem(f"{path}.scale.spot_share", text, "remove it")
    if row.disposable_files and definition.data_path is not None:
        text = "has no meaning on kubernetes, where each replica keeps its volume"
        yield Problem(f"{path}.disposable_files", text, "remove it")
    if row.mesh is not None and not (
        definition.data_path and any(one.between_replicas for one in definition.ports.values())
    ):
        text = "copies to other regions, and the service has no files or no port between replicas"
        yield Problem(f"{path}.mesh", text, "remove it, or describe both")
    measured = [name for name, share in (("CPU", scale.cpu_percent), ("memory", scale.memory_percent)) if share]
    if scale.vertical is Vertical.AUTO and measured:
        text = f"is auto, and the number of replicas follows {' and '.join(measured)} too: each would undo the other"
        yield Problem(f"{path}.scale.vertical", text, "use recommend, or let the number follow a queue alone")
    yield from _shared_files(path, application)
    yield from _storage(path, application, spec)
    yield from _entrance(path, application, spec)


def _shared_files(path: str, application: Application) -> Iterator[Problem]:
    definition = application.definition
    if not application.spec.shared_files:
        return
    if definition.data_path is None:
        yield Problem(f"{path}.shared_files", "the service keeps no files", "remove it")
    elif definition.single_writer:
        text = "would put files that one replica writes (SQLite with a write-ahead log) on a volume that all share"
        yield Problem(f"{path}.shared_files", text, "leave it out: each replica has a volume of its own")
    elif application.spec.storage_iops is not None:
        yield Problem(f"{path}.storage_iops", "is of volumes that one machine mounts", "remove it, or shared_files")


def _storage(path: str, application: Application, spec: DeploymentSpec) -> Iterator[Problem]:
    asked = application.spec.storage_iops
    if asked is None:
        return
    if application.definition.data_path is None:
        yield Problem(f"{path}.storage_iops", "the service keeps no files", "remove it")
    elif spec.target.kind is not TargetKind.AWS:
        text = f"cannot be asked for on {spec.target.kind.value}, where the StorageClass says what it does"
        yield Problem(f"{path}.storage_iops", text, "remove it, and name the class by target.storage_class")
    elif not LEAST_IOPS <= asked <= min(MOST_IOPS, IOPS_PER_GIB * application.spec.storage_gib):
        most = min(MOST_IOPS, IOPS_PER_GIB * application.spec.storage_gib)
        text = f"{asked} is outside the {LEAST_IOPS} to {most} of a gp3 volume of {application.spec.storage_gib} GiB"
        yield Problem(f"{path}.storage_iops", text, "stay inside, or spread over more replicas")
    elif spec.target.storage_class is not None:
        text = f"and target.storage_class '{spec.target.storage_class}' are two answers to one question"
        yield Problem(f"{path}.storage_iops", text, "keep one of the two")


def _entrance(path: str, application: Application, spec: DeploymentSpec) -> Iterator[Problem]:
    row, entrance = application.spec, spec.services.entrance
    if row.exposure is Exposure.NONE:
        return
    main = application.main_port
    if main is not None and main.protocol is Protocol.UDP:
        text = "the main port is UDP, which the entrance does not carry"
        yield Problem(f"{path}.exposure", text, "name the HTTP port first, or use exposure: none")
    if spec.layer is Layer.BASE:
        return
    if entrance.tls_secret is None and spec.services.certificates is None:
        text = f"is {row.exposure.value}, and nobody signs a certificate for '{row.host}'"
        remedy = "name the site's Secret in services.entrance.tls_secret, or switch services.certificates on"
        yield Problem(f"{path}.exposure", text, remedy)
    if row.rate_per_second is not None and entrance.gateway_class is not None and row.exposure is Exposure.INTERNAL:
        text = f"is not counted by the class '{entrance.gateway_class}' that the cluster brings"
        yield Problem(f"{path}.rate_per_second", text, "remove it, or leave gateway_class out for Envoy Gateway")


def kubernetes_shared(spec: DeploymentSpec, plan: ApplicationsSpec, path: str) -> Iterator[Problem]:
    """Return what cannot be about what services share on a cluster.

    Args:
        spec: the deployment.
        plan: the services.
        path: where they stand.
    """
    if plan.dns is not None:
        text = "is not written on a cluster: the load balancer's address is known to the cluster alone"
        remedy = "remove it, and point the names at the address of the Gateway (mode geo has a stack for that)"
        yield Problem(f"{path}.dns", text, remedy)
    if (plan.cache is not None or plan.queue is not None) and spec.channels.pubsub_failover:
        text = "makes clients ask a Sentinel where the primary is, and services are told of one address"
        yield Problem("channels.pubsub_failover", text, "remove it")
    members = plan.cache.replicas if plan.cache is not None else spec.channels.pubsub_replicas
    if plan.queue is not None and members < 2 and spec.production:
        text = "one member keeps the jobs of the queue, so that they wait whenever it is moved"
        yield Problem(f"{path}.cache.replicas", text, "run 2 or more")
    if spec.meta.relational_kind is RelationalKind.MANAGED and spec.target.kind is TargetKind.ONPREM:
        yield Problem("meta.relational_kind", "own machines have no managed PostgreSQL", "remove it")
    monitoring = spec.services.monitoring
    if monitoring is not None and monitoring.grafana:
        text = "shows dashboards of the tiers, and this deployment has none"
        yield Problem("services.monitoring.grafana", text, "remove it, or point a Grafana that is there at Prometheus")
    if spec.services.gateway is not None:
        text = "leads to the user interfaces of the tiers, and this deployment has none"
        yield Problem("services.gateway", text, "remove it; services.entrance is that of the services")
    entrance = spec.services.entrance
    if entrance.gateway_class is None and (entrance.gateway_namespace or entrance.gateway_cidrs):
        text = "say from where the proxies of a class call that is not named"
        yield Problem("services.entrance.gateway_cidrs", text, "name gateway_class, or remove them")
    if entrance.gateway_class is not None and not (entrance.gateway_namespace or entrance.gateway_cidrs):
        text = "is left out, and so is gateway_namespace: nobody could call the services"
        yield Problem("services.entrance.gateway_cidrs", text, "say from where the proxies of that class call")
    public = any(row.exposure is Exposure.PUBLIC for row in plan.services.values())
    if entrance.gateway_class is not None and public:
        text = f"'{entrance.gateway_class}' is for services of the private network, and some are public"
        yield Problem("services.entrance.gateway_class", text, "leave it out: Envoy Gateway keeps the two apart")
