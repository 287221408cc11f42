"""What ECS on Fargate asks of a service, and AWS of what services share where none runs on a cluster."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from skerry.application import Application
from skerry.aws_stores import cache_class, database_class, named_database_class
from skerry.config.application import ApplicationsSpec, DatabaseSpec, Exposure, Protocol
from skerry.config.spec import DeploymentSpec
from skerry.errors import CatalogError, Problem, SizingError
from skerry.fargate import fargate_size, pair_problem

LONGEST_IDLE_S: Final = 4000
"""Of an ALB. Source: botocore 1.44.5 elbv2 LoadBalancerAttribute, idle_timeout.timeout_seconds, read 2026-11."""

LONGEST_DRAIN_S: Final = 120
"""Source: Amazon ECS API, ContainerDefinition, stopTimeout: at most 120 seconds on Fargate, read 2026-11."""

LARGEST_TASK_GIB: Final = 200
"""Source: Amazon ECS API, EphemeralStorage, sizeInGiB, read 2026-11."""

LONGEST_NAME: Final = 21
"""Of a service that a load balancer calls: the provider adds 8 to the name of its target group, which has 32.

Source: Elastic Load Balancing API, CreateTargetGroup, Name, read 2026-11.
"""

MORE_HOSTS: Final = 2
"""A rule of a load balancer has five values, of which paths and ranges need two."""

LONGEST_JOB_S: Final = 43_140
"""A job is nobody else's for so long and a minute more. Source: Amazon SQS, visibility timeout of at most 12 hours."""

_CERTIFICATE: Final = re.compile(r"^arn:aws:acm:[a-z0-9-]+:\d{12}:certificate/[A-Za-z0-9-]+$")


def ecs_problems(path: str, application: Application, spec: DeploymentSpec) -> Iterator[Problem]:
    """Yield what a service cannot be on ECS."""
    yield from _size(path, application)
    yield from entrance_problems(path, application)
    yield from _files(path, application)
    scale = application.spec.scale
    if scale.concurrency is not None:
        text = "ECS measures no requests at once in one task"
        yield Problem(f"{path}.scale.concurrency", text, "use cpu_percent, memory_percent or queue_depth")
    if scale.prepared is not None:
        yield Problem(f"{path}.scale.prepared", "is of functions; tasks are always ready", "set scale.minimum")
    if scale.minimum == 0 and scale.queue_depth is None:
        text = "nothing measures a service of which none runs, so that it would never start"
        yield Problem(f"{path}.scale.minimum", text, "use 1 or more, or queue_depth")
    if application.definition.drain_s > LONGEST_DRAIN_S:
        text = f"{application.definition.drain_s} s is more than Fargate gives a task to end, {LONGEST_DRAIN_S} s"
        yield Problem(f"{path}.drain_s", text, "use less, or runtime kubernetes")


def _size(path: str, application: Application) -> Iterator[Problem]:
    row = application.spec
    if row.vcpu is not None and row.memory_mib is not None:
        text = pair_problem(row.vcpu, row.memory_mib)
        if text is not None:
            found = _nearest(row.vcpu, row.memory_mib)
            yield Problem(f"{path}.vcpu", f"{text}", f"use {found}" if found else "ask for less")
        return
    try:
        fargate_size(application.vcpu, application.memory_mib)
    except SizingError as exc:
        yield Problem(path, str(exc))


def _nearest(vcpu: float, memory_mib: int) -> str:
    try:
        size = fargate_size(vcpu, memory_mib)
    except SizingError:
        return ""
    return f"vcpu: {size.vcpu:g} with memory_mib: {size.memory_mib}, the smallest that has both"


def entrance_problems(path: str, application: Application) -> Iterator[Problem]:
    """Yield what an ALB cannot let in; it stands before ECS and Lambda alike."""
    row, definition = application.spec, application.definition
    outside = row.exposure is not Exposure.NONE
    if row.mesh is not None:
        text = "regions join over UDP at an address of their own, which a load balancer of HTTP has not"
        yield Problem(f"{path}.mesh", text, "use runtime kubernetes")
    if len(row.more_hosts) > MORE_HOSTS:
        text = f"{len(row.more_hosts)} further names leave a rule of the load balancer no room"
        yield Problem(f"{path}.more_hosts", text, f"use at most {MORE_HOSTS}")
    for name, port in definition.ports.items():
        if port.protocol is Protocol.UDP and not port.between_replicas and outside:
            text = f"'{name}' is UDP, and an application load balancer lets in HTTP alone"
            yield Problem(f"{path}.ports.{name}", text, "set between_replicas, or use runtime kubernetes")
    main = application.main_port
    if outside and main is not None and main.protocol in (Protocol.TCP, Protocol.UDP):
        text = f"the main port speaks {main.protocol.value}, and an application load balancer lets in HTTP alone"
        yield Problem(f"{path}.exposure", text, "use none, or runtime kubernetes")
    if outside and definition.longest_request_s > LONGEST_IDLE_S:
        text = f"{definition.longest_request_s} s without a byte is more than a load balancer waits, {LONGEST_IDLE_S} s"
        yield Problem(f"{path}.longest_request_s", text, "let streams send something more often, and say how long")
    if outside and len(application.name) > LONGEST_NAME:
        text = f"'{application.name}' is longer than the name of its target group may be"
        yield Problem(path, text, f"use at most {LONGEST_NAME} characters")
    for index, text in enumerate(row.allow_cidrs):
        if ":" in text:
            yield Problem(f"{path}.allow_cidrs[{index}]", f"'{text}' is of IPv6, and the load balancer is not")


def _files(path: str, application: Application) -> Iterator[Problem]:
    row, definition = application.spec, application.definition
    if definition.data_path is None:
        return
    if row.storage_iops is not None:
        text = "Fargate has no disk whose operations could be asked for"
        yield Problem(f"{path}.storage_iops", text, "leave it out, or use runtime kubernetes")
    if row.disposable_files:
        if row.storage_gib > LARGEST_TASK_GIB:
            text = f"{row.storage_gib} GiB is more than a Fargate task has, {LARGEST_TASK_GIB} GiB"
            yield Problem(f"{path}.storage_gib", text, "use less, or runtime kubernetes")
    elif definition.single_writer:
        text = (
            f"files under {definition.data_path} end with a Fargate task, and a file system that tasks share must not "
            "be written by two of them (SQLite's WAL needs shared memory, which no network file system has)"
        )
        remedy = "set disposable_files: true where what counts is kept elsewhere, or use runtime kubernetes"
        yield Problem(f"{path}.disposable_files", text, remedy)


def aws_shared(plan: ApplicationsSpec, path: str) -> Iterator[Problem]:
    """Yield what cannot be about what services share on AWS, where none of them runs on a cluster."""
    outside = {name: row for name, row in plan.services.items() if row.exposure is not Exposure.NONE}
    if outside and plan.dns is None and plan.site.certificate is None:
        text = f"{', '.join(sorted(outside))} can be called from outside, and nothing proves whose name it is"
        yield Problem(f"{path}.dns", text, "name the zone in `dns`, or a certificate in `site.certificate`")
    certificate = plan.site.certificate
    if certificate is not None and not _CERTIFICATE.match(certificate):
        yield Problem(
            f"{path}.site.certificate", f"'{certificate}' is no ARN of ACM", "take it from the console of ACM"
        )
    for name, row in outside.items():
        zone = plan.dns.zone if plan.dns is not None else None
        for host in filter(None, (row.host, *row.more_hosts)):
            if zone is not None and host != zone and not host.endswith(f".{zone}"):
                field = "host" if host == row.host else "more_hosts"
                text = f"'{host}' does not lie in the zone '{zone}'"
                yield Problem(f"{path}.services.{name}.{field}", text, "name a host of the zone")
    if plan.database is not None:
        yield from _database(plan.database, f"{path}.database")
    if plan.cache is not None:
        try:
            cache_class(plan.cache.memory_gib)
        except CatalogError as exc:
            yield Problem(f"{path}.cache.memory_gib", str(exc))
        if plan.cache.replicas < 2:
            text = "one member could not be followed by another when it is lost, which is what is made here"
            yield Problem(f"{path}.cache.replicas", text, "use 2 to 6")
        if plan.cache.replicas > 6:
            text = f"{plan.cache.replicas} is more than a primary with five replicas"
            yield Problem(f"{path}.cache.replicas", text, "use at most 6")
    if plan.queue is not None and plan.queue.longest_job_s > LONGEST_JOB_S:
        text = f"{plan.queue.longest_job_s} s is longer than SQS keeps a job for one taker, 12 hours with a minute over"
        yield Problem(f"{path}.queue.longest_job_s", text, f"use at most {LONGEST_JOB_S}")
    if ipaddress.IPv4Network(plan.site.network_cidr, strict=False).prefixlen < 16:
        text = f"'{plan.site.network_cidr}' is wider than a VPC may be"
        yield Problem(f"{path}.site.network_cidr", text, "use /16 to /20")


def _database(database: DatabaseSpec, path: str) -> Iterator[Problem]:
    if database.zones > 2:
        text = "RDS keeps one standby, in a second zone"
        yield Problem(f"{path}.zones", text, "use 2")
    if database.extensions:
        text = f"RDS makes no extension by itself: {', '.join(database.extensions)}"
        remedy = "leave it out, and let the service run CREATE EXTENSION, which its user may"
        yield Problem(f"{path}.extensions", text, remedy)
    if database.instance_type is None:
        try:
            database_class(database.vcpu, database.memory_gib)
        except CatalogError as exc:
            yield Problem(path, str(exc))
        return
    if not re.fullmatch(r"db\.[a-z0-9-]+\.[a-z0-9.]+", database.instance_type):
        text = f"'{database.instance_type}' is no class of RDS"
        yield Problem(f"{path}.instance_type", text, "write it like db.t3.medium")
    known = named_database_class(database.instance_type)
    if known is not None and (known.vcpu < database.vcpu or known.memory_gib < database.memory_gib):
        has, asked = f"{known.vcpu} vCPU and {known.memory_gib:g} GiB", f"{database.vcpu} and {database.memory_gib:g}"
        yield Problem(f"{path}.instance_type", f"'{known.name}' has {has}, asked are {asked}", "name a larger one")
