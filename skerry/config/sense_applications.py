"""What services, their runtimes and what they share must be to each other, whatever runs them.

What one runtime alone asks is in a module of its own: a function `(path, application, spec) -> problems` of `RUNTIMES`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from skerry.application import Application, application_of, unknown_places
from skerry.config.application import RUNTIMES_OF, ApplicationsSpec, Exposure, Need, Protocol, Runtime
from skerry.config.sense_cloud_run import cloud_run_problems, cloud_run_shared
from skerry.config.sense_ecs import aws_shared, ecs_problems
from skerry.config.sense_functions import functions_problems, functions_shared
from skerry.config.sense_kubernetes import kubernetes_problems, kubernetes_shared
from skerry.config.sense_lambda import lambda_problems
from skerry.config.sense_service_fields import service_field_problems, shared_field_problems
from skerry.config.spec import DeploymentSpec, Layer, Mode, Purchase, System, TargetKind
from skerry.errors import CatalogError, Problem, UsageError
from skerry.images import ImageReference

MODES_OF: Final[Mapping[System, tuple[Mode, ...]]] = {
    System.SENSEI: (Mode.SAAS, Mode.PRIVATE, Mode.AIR_GAPPED, Mode.HYBRID),
    System.AGENTDB: (
        Mode.SINGLE_REGION,
        Mode.GEO,
        Mode.HYBRID_EDGE,
        Mode.AIR_GAPPED,
        Mode.SINGLE_NODE,
        Mode.MULTI_NODE,
    ),
    System.AETHERGRAPH: (Mode.SIDECAR, Mode.SINGLE_TENANT, Mode.SAAS, Mode.LOCAL_WORKER, Mode.AIR_GAPPED),
    System.APPLICATIONS: (Mode.SINGLE_REGION, Mode.AIR_GAPPED),
    System.AGENT_MESH: (Mode.DEVELOPMENT, Mode.SMALL_TEAM, Mode.FIELD, Mode.ENTERPRISE, Mode.AIR_GAPPED),
    System.DUAL_HOST: (Mode.TWO_HOSTS,),
}
"""System -> the modes that it has."""

RuntimeCheck = Callable[[str, Application, DeploymentSpec], Iterator[Problem]]

RUNTIMES: Final[dict[Runtime, RuntimeCheck]] = {
    Runtime.KUBERNETES: kubernetes_problems,
    Runtime.CLOUD_RUN: cloud_run_problems,
    Runtime.FUNCTIONS: functions_problems,
    Runtime.ECS: ecs_problems,
    Runtime.LAMBDA: lambda_problems,
}
"""Runtime -> what it asks of a service beyond what all of them ask."""

SHARED: Final[dict[TargetKind, Callable[[ApplicationsSpec, str], Iterator[Problem]]]] = {
    TargetKind.AWS: aws_shared,
    TargetKind.GCP: cloud_run_shared,
    TargetKind.AZURE: functions_shared,
}
"""Cloud -> what it asks of what services share, where none of them runs on a cluster."""

_MEASURES: Final[Mapping[Runtime, str]] = {
    Runtime.KUBERNETES: "cpu_percent, memory_percent or queue_depth",
    Runtime.ECS: "cpu_percent, memory_percent or queue_depth",
    Runtime.LAMBDA: "concurrency: 1, or queue_depth",
    Runtime.CLOUD_RUN: "concurrency or cpu_percent",
    Runtime.FUNCTIONS: "concurrency or queue_depth",
}
"""Runtime -> what may decide there how many run."""


def system_problems(spec: DeploymentSpec) -> Iterator[Problem]:
    """Return what the system forbids: modes that it has not, and parts of other systems."""
    allowed = MODES_OF[spec.system]
    if spec.mode not in allowed:
        names = ", ".join(mode.value for mode in allowed)
        yield Problem("mode", f"{spec.system.value} has no mode '{spec.mode.value}'", f"use one of {names}")
    if spec.system is System.SENSEI and spec.machines is not None:
        yield Problem("machines", "has no meaning for sensei", "describe the pool of each tier")
    owned = {
        System.APPLICATIONS: spec.applications,
        System.AGENTDB: spec.agentdb,
        System.AETHERGRAPH: spec.aethergraph,
        System.AGENT_MESH: spec.agent_mesh,
        System.DUAL_HOST: spec.dual_host,
    }
    for system, value in owned.items():
        if (spec.system is system) != (value is not None):
            needed = spec.system is system
            text = "is required and missing" if needed else f"has no meaning for {spec.system.value}"
            yield Problem(system.value.replace("-", "_"), text, "describe it" if needed else "remove it")
    if spec.machines is not None and spec.machines.stores.purchase is Purchase.SPOT:
        yield Problem("machines.stores.purchase", "spot machines may be taken away at any time", "use on-demand")


def application_problems(spec: DeploymentSpec) -> Iterator[Problem]:
    """Return what cannot be about the services of system `applications`."""
    if spec.applications is not None:
        yield from plan_problems(spec, spec.applications, "applications")


def plan_problems(spec: DeploymentSpec, plan: ApplicationsSpec, path: str) -> Iterator[Problem]:
    """Return what cannot be about services and what they share.

    Args:
        spec: the deployment.
        plan: its services, those of a system's own included.
        path: where they stand, for messages.
    """
    clusters = [row.runtime is Runtime.KUBERNETES for row in plan.services.values()]
    if any(clusters) and not all(clusters):
        text = "names runtimes inside and outside a cluster, which are different stacks"
        yield Problem(f"{path}.services", text, "make a stack for each")
        return
    if any(clusters) and spec.machines is None:
        yield Problem("machines", "is required where services run on kubernetes", "describe the machines")
    elif not any(clusters) and (spec.machines is not None or spec.layer is Layer.BASE):
        where = "machines" if spec.machines is not None else "layer"
        yield Problem(where, "has no meaning where no service runs on kubernetes", "remove it")
    broken = list(_network(plan, path))
    yield from broken
    yield from _names(plan, path)
    if not any(clusters) and not broken and spec.target.kind in SHARED:
        yield from SHARED[spec.target.kind](plan, path)
    if any(clusters):
        yield from kubernetes_shared(spec, plan, path)
    yield from shared_field_problems(path, plan, {row.runtime for row in plan.services.values()})
    for name, row in plan.services.items():
        here = f"{path}.services.{name}"
        try:
            application = application_of(name, row)
        except (CatalogError, UsageError) as exc:
            yield Problem(here, str(exc))
            continue
        yield from _service(spec, plan, application, here)
        if row.runtime in RUNTIMES:
            yield from RUNTIMES[row.runtime](here, application, spec)


def _network(plan: ApplicationsSpec, path: str) -> Iterator[Problem]:
    try:
        network = ipaddress.IPv4Network(plan.site.network_cidr)
    except ValueError as exc:
        yield Problem(f"{path}.site.network_cidr", f"is not an address range: {exc}", "write it like 10.40.0.0/16")
        return
    if not network.is_private:
        text = f"'{network}' is public: every name on the internet that has such an address could not be reached"
        yield Problem(f"{path}.site.network_cidr", text, "use a private range, such as 10.40.0.0/16")
    if network.prefixlen > 20:
        yield Problem(f"{path}.site.network_cidr", f"'{network}' is too small", "use /20 or wider")


def _names(plan: ApplicationsSpec, path: str) -> Iterator[Problem]:
    """Check that a name leads to one service, on the internet and inside each by itself."""
    owners: dict[tuple[Exposure, str], str] = {}
    for name, row in plan.services.items():
        if row.exposure is Exposure.NONE:
            continue
        for host in filter(None, (row.host, *row.more_hosts)):
            owner = owners.setdefault((row.exposure, host), name)
            if owner != name:
                field = "host" if host == row.host else "more_hosts"
                text = f"'{host}' is the name of '{owner}' too, and a name leads to one service"
                yield Problem(f"{path}.services.{name}.{field}", text, "give each a name of its own")


def _service(spec: DeploymentSpec, plan: ApplicationsSpec, application: Application, path: str) -> Iterator[Problem]:
    row, scale = application.spec, application.spec.scale
    allowed = RUNTIMES_OF[spec.target.kind.value]
    if row.runtime not in allowed:
        names = ", ".join(one.value for one in allowed)
        text = f"'{row.runtime.value}' is not on {spec.target.kind.value}"
        yield Problem(f"{path}.runtime", text, f"use one of {names}")
    try:
        ImageReference.parse(row.image)
    except CatalogError as exc:
        yield Problem(f"{path}.image", str(exc))
    typical = scale.minimum if scale.typical is None else scale.typical
    if not scale.minimum <= typical <= scale.maximum:
        text = f"minimum {scale.minimum} <= typical {typical} <= maximum {scale.maximum} does not hold"
        yield Problem(f"{path}.scale", text, "order the three; typical left out is the minimum")
    measures = (scale.cpu_percent, scale.memory_percent, scale.concurrency, scale.queue_depth)
    if application.scales and not any(measures):
        text = f"runs {scale.minimum} to {scale.maximum} and nothing decides how many"
        yield Problem(f"{path}.scale", text, f"set {_MEASURES[row.runtime]}")
    shared = {Need.DATABASE: plan.database, Need.CACHE: plan.cache, Need.BUCKET: plan.bucket, Need.QUEUE: plan.queue}
    for need in application.definition.needs:
        if shared[need] is None:
            text = f"needs a {need.value}, and the deployment has none"
            yield Problem(path, text, f"add `{need.value}: {{}}` beside the services")
    if scale.queue_depth is not None and Need.QUEUE not in application.definition.needs:
        yield Problem(f"{path}.scale.queue_depth", "the service takes nothing from a queue", "use another measure")
    yield from service_field_problems(path, application)
    yield from _reach(application, path)
    for variable, place in unknown_places(application).items():
        text = f"'{{{place}}}' stands for nothing that the service needs, or is a secret within a text"
        yield Problem(f"{path}.environment.{variable}", text, "name it in `needs`; a secret is the whole value")
    for variable in sorted(set(row.secrets) & set(application.environment)):
        yield Problem(f"{path}.secrets.{variable}", "is also a plain value", "keep one of the two")
    yield from _ports(application, path)
    if row.exposure is not Exposure.NONE and application.main_port is None:
        yield Problem(f"{path}.exposure", "the service has no port that could be called", "remove it")
    if row.exposure is not Exposure.NONE and row.host is None:
        yield Problem(f"{path}.host", f"is required where exposure is {row.exposure.value}", "give its DNS name")
    if row.exposure is Exposure.PUBLIC and not spec.target.connected:
        yield Problem(f"{path}.exposure", "public has no meaning without a connection", "use internal")
    yield from _ranges(row.allow_cidrs, f"{path}.allow_cidrs")


def _ports(application: Application, path: str) -> Iterator[Problem]:
    taken: dict[tuple[int, bool], str] = {}
    for name, port in application.definition.ports.items():
        owner = taken.setdefault((port.port, port.protocol is Protocol.UDP), name)
        if owner != name:
            text = f"{port.port} is the port of '{owner}' too, and a process listens once on a port"
            yield Problem(f"{path}.ports.{name}", text, "use another port")


def _reach(application: Application, path: str) -> Iterator[Problem]:
    """Check what it may do with what is shared, which paths are let in, and whom it calls on the site."""
    row, definition = application.spec, application.definition
    for need in definition.access:
        if need not in definition.needs or need not in (Need.BUCKET, Need.QUEUE):
            text = f"says what may be done with a {need.value}, which the service does not need"
            if need in definition.needs:
                text = f"cannot tell apart what is done with a {need.value}"
            yield Problem(f"{path}.access.{need.value}", text, "name bucket or queue, which are among its needs")
    if row.paths and row.exposure is Exposure.NONE:
        yield Problem(f"{path}.paths", "have no meaning where nobody outside can call it", "set exposure, or remove it")
    for index, endpoint in enumerate(row.site_endpoints):
        yield from _ranges(endpoint.cidrs, f"{path}.site_endpoints[{index}].cidrs")


def _ranges(texts: Iterable[str], path: str) -> Iterator[Problem]:
    for index, text in enumerate(texts):
        try:
            ipaddress.ip_network(text)
        except ValueError as exc:
            yield Problem(f"{path}[{index}]", f"is not an address range: {exc}", "write it like 10.0.0.0/24")
