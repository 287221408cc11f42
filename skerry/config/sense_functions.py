"""What Azure Functions asks of a service: what it takes in, for how long, and what an instance may have and keep."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from skerry.application import Application
from skerry.config.application import ApplicationsSpec, Exposure, Protocol
from skerry.config.spec import DeploymentSpec, TargetKind
from skerry.errors import Problem

LONGEST_REQUEST_S: Final = 230
"""Whatever the function's own time-out, the load balancer before it ends a silent request.

Source: Azure "Azure Functions hosting options", function app time-out duration, read 2026-11.
"""

MOST_INSTANCES: Final = 200
"""As the analysis says (003:535); the environment itself goes to 1000 where somebody asks for so many cores.

Source of the latter: Azure "Quotas for Azure Container Apps", read 2026-11.
"""

VCPU_STEP, MOST_VCPU = 0.25, 4.0
MIB_PER_VCPU: Final = 2048
"""Source: Azure "Containers in Azure Container Apps" (not opened); of the 4 cores "Quotas", read 2026-11."""

LONGEST_NAME: Final = 32
"""Source: Azure "Resource naming rules", Microsoft.App/containerApps (not opened; check before relying on it)."""

MOST_MEMBERS: Final = 2
"""Of a database or a cache: itself and a standby."""

LEAST_BACKUP_DAYS: Final = 7
"""Of PostgreSQL. Source: as components/azure/run_stores.py has it."""

MOST_CALLS: Final = 5000
LONGEST_DRAIN_S: Final = 600


def functions_problems(path: str, application: Application, spec: DeploymentSpec) -> Iterator[Problem]:
    """Return what Azure Functions refuse of a service.

    Args:
        path: where it stands, for messages.
        application: the service.
        spec: the deployment.
    """
    if spec.target.kind is not TargetKind.AZURE:
        return
    if len(application.name) > LONGEST_NAME:
        text = f"'{application.name}' has {len(application.name)} characters"
        yield Problem(path, text, f"use at most {LONGEST_NAME}")
    yield from _taken_in(path, application)
    yield from _size(path, application)
    yield from _scale(path, application)
    yield from _files(path, application)
    rate = application.spec.rate_per_second
    if rate is not None and rate * 60 > MOST_CALLS:
        text = f"{rate} a second are {rate * 60} a minute, and the gateway counts up to {MOST_CALLS}"
        yield Problem(f"{path}.rate_per_second", text, f"use at most {MOST_CALLS // 60}")


def functions_shared(plan: ApplicationsSpec, path: str) -> Iterator[Problem]:
    """Return what Azure refuses of what the services share."""
    if plan.database is not None and plan.database.password_secret is None:
        text = "is required: Azure's PostgreSQL takes no server without an administrator's password"
        yield Problem(f"{path}.database.password_secret", text, "name the secret key of the stack that holds it")
    if plan.database is not None and plan.database.zones > MOST_MEMBERS:
        text = f"{plan.database.zones} are more than a server and its standby, in another zone"
        yield Problem(f"{path}.database.zones", text, f"use at most {MOST_MEMBERS}")
    if plan.database is not None and plan.database.retention_days < LEAST_BACKUP_DAYS:
        text = f"{plan.database.retention_days} days are less than Azure keeps backups, {LEAST_BACKUP_DAYS}"
        yield Problem(f"{path}.database.retention_days", text, f"use {LEAST_BACKUP_DAYS} to 35")
    if plan.cache is not None and plan.cache.replicas > MOST_MEMBERS:
        text = f"{plan.cache.replicas} are more than a member and its standby"
        yield Problem(f"{path}.cache.replicas", text, f"use at most {MOST_MEMBERS}")
    named = any(row.exposure is not Exposure.NONE for row in plan.services.values())
    if named and plan.site.certificate is None:
        text = "is required where a function has a name: Azure asks for none in a network"
        yield Problem(f"{path}.site.certificate", text, "give the address of a certificate's secret in a vault")
    public = any(row.exposure is Exposure.PUBLIC for row in plan.services.values())
    if public and plan.dns is not None and plan.dns.cloud_name is None:
        yield Problem(f"{path}.dns.cloud_name", "is required and missing", "name the resource group of the zone")


def _taken_in(path: str, application: Application) -> Iterator[Problem]:
    definition = application.definition
    for name, port in definition.ports.items():
        if port.protocol is not Protocol.HTTP:
            spoken = "UDP, such as QUIC does" if port.protocol is Protocol.UDP else port.protocol.value
            text = f"port '{name}' speaks {spoken}, and Azure Functions take in HTTP alone"
            yield Problem(f"{path}.ports.{name}", text, "run a service without it here, or use kubernetes")
    if sum(port.protocol is Protocol.HTTP for port in definition.ports.values()) > 1:
        text = f"has {len(definition.ports)} ports, and a function app answers on one"
        yield Problem(f"{path}.ports", text, "make a service of each")
    if definition.ports and definition.longest_request_s > LONGEST_REQUEST_S:
        text = f"a request may last {definition.longest_request_s} s, and Azure ends each after {LONGEST_REQUEST_S} s"
        yield Problem(f"{path}.longest_request_s", text, "answer at once, and do the rest from a queue")
    if definition.drain_s > LONGEST_DRAIN_S:
        text = f"{definition.drain_s} s are more than the {LONGEST_DRAIN_S} s that a replica gets"
        yield Problem(f"{path}.drain_s", text, f"use at most {LONGEST_DRAIN_S}")
    if application.spec.paths:
        yield Problem(f"{path}.paths", "cannot be told apart before a function here", "leave it out: all are let in")


def _size(path: str, application: Application) -> Iterator[Problem]:
    vcpu, memory = application.vcpu, application.memory_mib
    if not VCPU_STEP <= vcpu <= MOST_VCPU or not math.isclose(vcpu % VCPU_STEP, 0):
        text = f"{vcpu:g} vCPU is no size of a function's: {VCPU_STEP} to {MOST_VCPU:g}, by {VCPU_STEP}"
        yield Problem(f"{path}.vcpu", text, "use one of them")
    elif memory != vcpu * MIB_PER_VCPU:
        text = f"{memory} MiB beside {vcpu:g} vCPU: a function has {MIB_PER_VCPU} MiB for each"
        yield Problem(f"{path}.memory_mib", text, f"use {vcpu * MIB_PER_VCPU:g}, or other CPUs")


def _scale(path: str, application: Application) -> Iterator[Problem]:
    scale = application.spec.scale
    if scale.maximum > MOST_INSTANCES:
        text = f"{scale.maximum} instances are more than {MOST_INSTANCES}"
        yield Problem(f"{path}.scale.maximum", text, f"use at most {MOST_INSTANCES}")
    if scale.prepared is not None and scale.prepared > scale.maximum:
        text = f"{scale.prepared} always ready are more than the maximum of {scale.maximum}"
        yield Problem(f"{path}.scale.prepared", text, "lower it")
    for name in ("cpu_percent", "memory_percent"):
        if getattr(scale, name) is not None:
            text = "functions are scaled by what calls them, and by nothing else"
            yield Problem(f"{path}.scale.{name}", text, "use concurrency, or queue_depth for what comes from the queue")
    if scale.spot_share:
        yield Problem(f"{path}.scale.spot_share", "Azure Functions have no spot instances", "remove it")
    if scale.concurrency is not None and application.main_port is None:
        yield Problem(f"{path}.scale.concurrency", "nobody calls a service without a port", "use queue_depth")


def _files(path: str, application: Application) -> Iterator[Problem]:
    """Refuse files that must last: a replica's disk is its own, and gone when it goes."""
    where = application.definition.data_path
    if where is None or application.spec.disposable_files:
        return
    scale = application.spec.scale
    text = (
        f"keeps files in {where}, which is on the disk of a replica: each of up to {scale.maximum} has its own, and "
        f"they are gone when it goes (minimum {scale.minimum})"
    )
    remedy = "keep what counts in a database or a bucket and set disposable_files: true, or use kubernetes"
    yield Problem(f"{path}.disposable_files", text, remedy)
