"""What Cloud Run asks of a service: what it takes in, for how long, and what an instance may have and keep."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Final

from skerry.application import Application, application_of
from skerry.config.application import ApplicationsSpec, Exposure, Need, Protocol
from skerry.config.spec import DeploymentSpec, TargetKind
from skerry.errors import CatalogError, Problem, UsageError
from skerry.images import ImageReference

# Source: Google Cloud "Configure memory limits for services" and "Configure CPU limits for services", read 2026-11
MEMORY_OF: Final[Mapping[float, tuple[int, int]]] = {
    1: (128, 4096),
    2: (128, 8192),
    4: (2048, 16_384),
    6: (4096, 24_576),
    8: (4096, 32_768),
}
"""vCPU of an instance -> the least and the most MiB beside it."""

LEAST_VCPU: Final = 0.08
LARGEST_OF_PART: Final = ((0.5, 512), (1, 1024))
"""Below so many vCPU -> the most MiB; from half a vCPU on twice as much."""

MOST_CONCURRENT: Final = 1000
MOST_SECONDS: Final = 3600
"""Source: Google Cloud "Set request timeout for services": 60 minutes, read 2026-11."""

LARGEST_BODY_MIB: Final = 32
"""Of HTTP/1. Source: Google Cloud "Cloud Run quotas and limits", request limits (not opened; check)."""

MOST_INSTANCES: Final = 1000
"""More is a quota that somebody must be asked for. Source: AgentDB analysis, 003:532."""

LATEST_FIRST_PROBE_S: Final = 240
"""Source: Google Cloud "Configure container health checks for services" (not opened; check before relying on it)."""

LONGEST_NAME: Final = 22
"""Of a service account, to which the provider adds 8. Source: as in components/gcp/base.py."""

MOST_ZONES: Final = 2
MOST_MEMBERS: Final = 6
"""As components/gcp/run_stores.py makes them."""

LEAST_ATTEMPTS: Final = 5
"""Source: pulumi-gcp 10.2.0, Subscription.dead_letter_policy: 5 to 100, read 2026-11."""

_OLD_REGISTRY: Final = "gcr.io"
_REGISTRIES: Final = ("pkg.dev", "docker.io", "ghcr.io")
"""Source: Google Cloud "Deploy container images to Cloud Run services", supported registries, read 2026-11."""


def cloud_run_problems(path: str, application: Application, spec: DeploymentSpec) -> Iterator[Problem]:
    """Return what Cloud Run refuses of a service.

    Args:
        path: where it stands, for messages.
        application: the service.
        spec: the deployment.
    """
    if spec.target.kind is not TargetKind.GCP:
        return
    if len(application.name) > LONGEST_NAME:
        text = f"'{application.name}' has {len(application.name)} characters, and its service account takes its name"
        yield Problem(path, text, f"use at most {LONGEST_NAME}")
    yield from _taken_in(path, application)
    yield from _size(path, application)
    yield from _scale(path, application)
    yield from _files(path, application)
    yield from _image(path, application)


def cloud_run_shared(plan: ApplicationsSpec, path: str) -> Iterator[Problem]:
    """Return what Google Cloud refuses of what the services share."""
    if plan.database is not None and _asks(plan) and plan.database.password_secret is None:
        text = "is required where a service asks for {database.password}: Cloud SQL makes none"
        yield Problem(f"{path}.database.password_secret", text, "name the secret key of the stack that holds it")
    if plan.database is not None and plan.database.zones > MOST_ZONES:
        text = f"{plan.database.zones} are more than Cloud SQL's instance and its standby"
        yield Problem(f"{path}.database.zones", text, f"use at most {MOST_ZONES}")
    if plan.cache is not None and plan.cache.replicas > MOST_MEMBERS:
        text = f"{plan.cache.replicas} are more than a primary with five replicas"
        yield Problem(f"{path}.cache.replicas", text, f"use at most {MOST_MEMBERS}")
    if plan.queue is not None and plan.queue.attempts < LEAST_ATTEMPTS:
        text = f"{plan.queue.attempts} is too few: Pub/Sub sets a job aside after {LEAST_ATTEMPTS} to 100 attempts"
        yield Problem(f"{path}.queue.attempts", text, f"use {LEAST_ATTEMPTS} or more")
    if (
        any(row.exposure is not Exposure.NONE for row in plan.services.values())
        and plan.dns is None
        and plan.site.certificate is None
    ):
        text = "is required where a service has a name: its certificate is proved by a record in the zone"
        yield Problem(f"{path}.dns", text, "name the zone, or a certificate that exists in `site.certificate`")


def _asks(plan: ApplicationsSpec) -> bool:
    """Say whether a service is to be told the password of the database."""
    for name, row in plan.services.items():
        with contextlib.suppress(CatalogError, UsageError):
            if "{database.password}" in application_of(name, row).environment.values():
                return True
    return False


def _taken_in(path: str, application: Application) -> Iterator[Problem]:
    """Check ports and how long they answer."""
    definition = application.definition
    for name, port in definition.ports.items():
        if port.protocol is Protocol.UDP:
            text = f"port '{name}' speaks UDP, such as QUIC does, and Cloud Run takes in HTTP alone"
            yield Problem(f"{path}.ports.{name}", text, "run a service without it here, or use kubernetes or ecs")
        elif port.protocol is Protocol.TCP:
            text = f"port '{name}' speaks plain TCP, and Cloud Run takes in HTTP alone"
            yield Problem(f"{path}.ports.{name}", text, "use kubernetes or ecs")
    if sum(port.protocol in (Protocol.HTTP, Protocol.GRPC) for port in definition.ports.values()) > 1:
        text = f"has {len(definition.ports)} ports, and Cloud Run calls one"
        yield Problem(f"{path}.ports", text, "make a service of each")
    if definition.longest_request_s > MOST_SECONDS and definition.ports:
        text = f"a request may last {definition.longest_request_s} s, and Cloud Run ends each after {MOST_SECONDS} s"
        yield Problem(f"{path}.longest_request_s", text, f"use at most {MOST_SECONDS}, and let callers come back")
    for name, probe in (("health", definition.health), ("ready", definition.ready)):
        if probe is not None and probe.initial_delay_s > LATEST_FIRST_PROBE_S:
            text = f"waits {probe.initial_delay_s} s, and Cloud Run begins after {LATEST_FIRST_PROBE_S} s at the latest"
            yield Problem(f"{path}.{name}.initial_delay_s", text, f"use at most {LATEST_FIRST_PROBE_S}")
    row = application.spec
    if row.exposure is not Exposure.PUBLIC and row.allow_cidrs:
        text = "Google lets in by address from the internet alone: in the network whoever has an identity may call"
        yield Problem(f"{path}.allow_cidrs", text, "remove it, or use exposure: public")
    if row.exposure is not Exposure.PUBLIC and row.rate_per_second is not None:
        yield Problem(f"{path}.rate_per_second", "callers of the network are not counted here", "remove it")
    if (definition.largest_body_mib or 0) > LARGEST_BODY_MIB:
        text = f"{definition.largest_body_mib} MiB are more than the {LARGEST_BODY_MIB} MiB of a request"
        yield Problem(f"{path}.largest_body_mib", text, "put large objects into the bucket")
    if application.spec.paths:
        text = "cannot be told apart before Cloud Run here"
        yield Problem(f"{path}.paths", text, "leave it out: all paths are let in")


def _size(path: str, application: Application) -> Iterator[Problem]:
    vcpu, memory = application.vcpu, application.memory_mib
    if vcpu in MEMORY_OF:
        least, most = MEMORY_OF[vcpu]
        if not least <= memory <= most:
            text = f"{memory} MiB beside {vcpu:g} vCPU: Cloud Run gives {least} to {most} MiB"
            yield Problem(f"{path}.memory_mib", text, "change one of the two")
        return
    if not LEAST_VCPU <= vcpu < 1:
        allowed = ", ".join(f"{one:g}" for one in MEMORY_OF)
        text = f"{vcpu:g} vCPU is no size of Cloud Run's: {LEAST_VCPU} to 1, or one of {allowed}"
        yield Problem(f"{path}.vcpu", text, "use one of them")
        return
    most = LARGEST_OF_PART[0][1] if vcpu < LARGEST_OF_PART[0][0] else LARGEST_OF_PART[1][1]
    if memory > most:
        text = f"{memory} MiB beside {vcpu:g} vCPU: Cloud Run gives at most {most} MiB"
        yield Problem(f"{path}.memory_mib", text, "use 1 vCPU")
    if (application.spec.scale.concurrency or 1) > 1:
        text = f"{application.spec.scale.concurrency} requests at once need 1 vCPU or more, and it has {vcpu:g}"
        yield Problem(f"{path}.scale.concurrency", text, "use 1, or `vcpu: 1`")


def _scale(path: str, application: Application) -> Iterator[Problem]:
    scale = application.spec.scale
    if scale.maximum > MOST_INSTANCES:
        text = f"{scale.maximum} instances are more than Cloud Run's {MOST_INSTANCES}"
        yield Problem(f"{path}.scale.maximum", text, f"use at most {MOST_INSTANCES}")
    if scale.memory_percent is not None:
        text = "Cloud Run does not scale by memory"
        yield Problem(f"{path}.scale.memory_percent", text, "use concurrency or cpu_percent")
    if scale.prepared is not None:
        text = "Cloud Run keeps its minimum ready, and nothing beside"
        yield Problem(f"{path}.scale.prepared", text, "set `minimum` instead")
    if scale.spot_share:
        yield Problem(f"{path}.scale.spot_share", "Cloud Run has no spot instances", "remove it")
    if scale.queue_depth is not None:
        text = "Cloud Run does not scale by what waits in a queue"
        yield Problem(f"{path}.scale.queue_depth", text, "have the queue push to a port, or use kubernetes")
    if application.main_port is None:
        if application.scales:
            text = "a worker pool of Cloud Run has no autoscaler: nobody calls it"
            yield Problem(f"{path}.scale", text, "set minimum and maximum to the same number")
        if scale.concurrency is not None:
            yield Problem(f"{path}.scale.concurrency", "nobody calls a service without a port", "remove it")


def _files(path: str, application: Application) -> Iterator[Problem]:
    """Refuse files that must last: an instance's are memory, its own, and gone when it goes."""
    where = application.definition.data_path
    if where is None or application.spec.disposable_files:
        return
    scale = application.spec.scale
    text = (
        f"keeps files in {where}, which Cloud Run holds in the {application.memory_mib} MiB of an instance: each of up "
        f"to {scale.maximum} has its own, and they are gone when it goes (minimum {scale.minimum})"
    )
    remedy = "keep what counts in a database and set disposable_files: true, or use kubernetes or ecs"
    if Need.DATABASE in application.definition.needs:
        remedy = "what counts is in the database: say so by disposable_files: true"
    yield Problem(f"{path}.disposable_files", text, remedy)


def _image(path: str, application: Application) -> Iterator[Problem]:
    try:
        host = ImageReference.parse(application.spec.image).registry
    except CatalogError:
        return
    if host == _OLD_REGISTRY or host.endswith(f".{_OLD_REGISTRY}"):
        text = f"'{host}' is Container Registry, which Artifact Registry has replaced"
        yield Problem(f"{path}.image", text, "push it to <region>-docker.pkg.dev/<project>/<repository>")
    elif not host.endswith(_REGISTRIES):
        text = f"Cloud Run pulls from Artifact Registry, and '{host}' is none"
        yield Problem(f"{path}.image", text, "push it to <region>-docker.pkg.dev/<project>/<repository>")
