"""What Lambda asks of a service: how it is called, how long it runs, and what it may keep."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from skerry.application import Application
from skerry.application_queue import fed_by_queue
from skerry.config.application import Exposure, Protocol
from skerry.config.sense_ecs import entrance_problems
from skerry.config.spec import DeploymentSpec
from skerry.errors import CatalogError, Problem
from skerry.images import ImageReference

MEMORY_MIB: Final = (128, 10_240)
LONGEST_S: Final = 900
TMP_GIB: Final = 10
ENVIRONMENT_BYTES: Final = 4096
MIB_PER_VCPU: Final = 1769
"""Source of these: AWS Lambda "Lambda quotas" and "Configure Lambda function memory" (not opened; check before relying
on it)."""

LARGEST_BODY_MIB: Final = 1
"""Behind an ALB. Source: Elastic Load Balancing "Lambda functions as targets", limits (not opened; check before relying
on it)."""

_REGISTRY: Final = re.compile(r"^\d{12}\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com$")


def lambda_problems(path: str, application: Application, spec: DeploymentSpec) -> Iterator[Problem]:
    """Yield what a service cannot be on Lambda."""
    yield from _size(path, application)
    yield from _scale(path, application)
    yield from _calls(path, application)
    yield from _keeps(path, application)
    try:
        registry = ImageReference.parse(application.spec.image).registry
    except CatalogError:
        return  # said where images are judged
    found = _REGISTRY.match(registry)
    if found is None or found.group(1) != spec.target.region:
        text = f"'{registry}' is not where Lambda takes images from"
        remedy = f"use a repository of Amazon ECR in {spec.target.region or 'the region of the stack'}"
        yield Problem(f"{path}.image", text, remedy)


def _size(path: str, application: Application) -> Iterator[Problem]:
    row, memory = application.spec, application.memory_mib
    if row.vcpu is not None:
        text = f"Lambda gives CPU by memory: {MIB_PER_VCPU} MiB have one vCPU, {memory} MiB {memory / MIB_PER_VCPU:.2f}"
        yield Problem(f"{path}.vcpu", text, "leave it out, and set memory_mib")
    low, high = MEMORY_MIB
    if not low <= memory <= high:
        text = f"{memory} MiB is outside {low} to {high} MiB, which a function may have"
        yield Problem(f"{path}.memory_mib", text, "use another size, or another runtime")
    if application.definition.longest_request_s > LONGEST_S:
        text = f"{application.definition.longest_request_s} s is longer than a function may run, {LONGEST_S} s"
        yield Problem(f"{path}.longest_request_s", text, "use less, or runtime ecs")


def _scale(path: str, application: Application) -> Iterator[Problem]:
    scale = application.spec.scale
    for field, value in (("cpu_percent", scale.cpu_percent), ("memory_percent", scale.memory_percent)):
        if value is not None:
            text = "Lambda runs one function for each request, whatever its load"
            yield Problem(f"{path}.scale.{field}", text, "use concurrency: 1")
    if scale.concurrency not in (None, 1):
        text = f"{scale.concurrency} requests at once are not given to one function"
        yield Problem(f"{path}.scale.concurrency", text, "use 1")
    if scale.spot_share:
        yield Problem(f"{path}.scale.spot_share", "functions run on no machines of their own", "remove it")
    prepared = scale.prepared or 0
    if scale.minimum > prepared:
        text = f"{scale.minimum} are to run always, and Lambda keeps only prepared ones ready, {prepared} here"
        yield Problem(f"{path}.scale.minimum", text, f"set scale.prepared: {scale.minimum}, or minimum: 0")
    most = scale.prepared_maximum or prepared
    if not prepared <= most <= scale.maximum:
        text = f"{prepared} <= {most} <= {scale.maximum} does not hold"
        yield Problem(f"{path}.scale.prepared", text, "order prepared, prepared_maximum and maximum")


def _calls(path: str, application: Application) -> Iterator[Problem]:
    row, definition = application.spec, application.definition
    yield from entrance_problems(path, application)
    yield from _started(path, application)
    for name, port in definition.ports.items():
        if port.protocol is Protocol.UDP or port.between_replicas:
            text = f"'{name}' is called by other replicas or over UDP, and nothing reaches a port of a function"
            yield Problem(f"{path}.ports.{name}", text, "leave it out, or use runtime ecs or kubernetes")
        elif port is not application.main_port:
            text = f"'{name}' is a second port, and a load balancer calls a function in one way alone"
            yield Problem(f"{path}.ports.{name}", text, "leave it out, make a service of it, or use runtime ecs")
    main = application.main_port
    if row.exposure is not Exposure.NONE and main is not None and main.protocol is Protocol.GRPC:
        yield Problem(f"{path}.exposure", "a load balancer calls functions over HTTP alone", "use runtime ecs")
    body = definition.largest_body_mib
    if row.exposure is not Exposure.NONE and body is not None and body > LARGEST_BODY_MIB:
        text = f"{body} MiB is more than a load balancer gives a function, {LARGEST_BODY_MIB} MiB"
        yield Problem(f"{path}.largest_body_mib", text, "use less, or runtime ecs")


def _started(path: str, application: Application) -> Iterator[Problem]:
    """Check that something starts the function, and one thing alone."""
    definition, depth = application.definition, application.spec.scale.queue_depth
    fed = fed_by_queue(application)
    if fed and definition.ports:
        text = "is started by callers and by the queue, whose events are unlike each other"
        yield Problem(f"{path}.access.queue", text, "let it put jobs in alone (write), and make a service of the taker")
    if not fed and not definition.ports:
        yield Problem(path, "has no port and takes no jobs, so that nothing would start it", "give it one of the two")
    if depth is not None and not fed:
        yield Problem(f"{path}.scale.queue_depth", "no jobs are handed to this function", "use concurrency: 1")
    elif depth not in (None, 1):
        text = f"{depth} waiting jobs for each function: Lambda starts one for each job"
        yield Problem(f"{path}.scale.queue_depth", text, "use 1")


def _keeps(path: str, application: Application) -> Iterator[Problem]:
    row, definition = application.spec, application.definition
    folder = definition.data_path
    if folder is not None and not row.disposable_files:
        text = f"files under {folder} are each environment's own and end with it"
        remedy = "set disposable_files: true where what counts is kept elsewhere, or use runtime kubernetes"
        yield Problem(f"{path}.disposable_files", text, remedy)
    if folder is not None and folder != "/tmp" and not folder.startswith("/tmp/"):
        yield Problem(f"{path}.data_path", f"'{folder}' cannot be written: a function has /tmp alone", "use /tmp")
    if folder is not None and "storage_gib" in row.model_fields_set and row.storage_gib > TMP_GIB:
        text = f"{row.storage_gib} GiB is more than /tmp of a function may have, {TMP_GIB} GiB"
        yield Problem(f"{path}.storage_gib", text, "use less, or runtime kubernetes")
    if row.storage_iops is not None:
        yield Problem(f"{path}.storage_iops", "a function has no disk of its own", "remove it")
    size = sum(len(name) + len(value) for name, value in application.environment.items())
    if size > ENVIRONMENT_BYTES:
        text = f"the environment has {size} characters, and a function's at most {ENVIRONMENT_BYTES} bytes"
        yield Problem(f"{path}.environment", text, "keep what is long elsewhere")
