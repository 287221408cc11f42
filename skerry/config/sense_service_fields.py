"""Fields of a service, or of what services share, that only some runtimes have: elsewhere each is refused.

What a runtime neither has nor needs to refuse, since a field describes a service and asks for nothing there, is listed
with its reason in tests/simulators/service_fields.py and in docs/service-fields.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from skerry.application import Application
from skerry.config.application import Access, ApplicationsSpec, Need, Runtime, Vertical
from skerry.config.sense_delivery import delivery_problems
from skerry.errors import Problem

CLUSTER, ECS, LAMBDA = Runtime.KUBERNETES, Runtime.ECS, Runtime.LAMBDA
RUN, FUNCTIONS = Runtime.CLOUD_RUN, Runtime.FUNCTIONS
ALL: Final = (CLUSTER, ECS, LAMBDA, RUN, FUNCTIONS)

LONGEST_RUN_DRAIN_S: Final = 10
"""Source: Google Cloud "Graceful shutdowns on Cloud Run: deep dive" (blog of 2020-10), read 2026-11."""


@dataclass(frozen=True, slots=True)
class OnlyThere:
    """A field that only some runtimes have."""

    field: str
    """Its path in the service, as the user writes it."""
    has: tuple[Runtime, ...]
    """Those that have it."""
    asked: Callable[[Application], bool]
    """Whether a service asks for it."""
    why: str
    """What there is instead, or why there is nothing."""
    elsewhere: tuple[Runtime, ...] = ()
    """Those that refuse it by rules of their own, with their own words."""


def _given(field: str) -> Callable[[Application], bool]:
    return lambda one: field in one.spec.model_fields_set


_SERVICE: Final = (
    OnlyThere(
        "anonymous",
        (RUN, FUNCTIONS),
        lambda one: one.spec.anonymous,
        "asks no caller for an identity of the cloud: whoever reaches the service is let in",
    ),
    OnlyThere("copies", (CLUSTER,), lambda one: bool(one.spec.copies), "hands nothing on to other deployments"),
    OnlyThere(
        "database_secret",
        (CLUSTER,),
        lambda one: one.spec.database_secret is not None,
        "makes the one login of its database known to each service",
    ),
    OnlyThere("model", (CLUSTER,), lambda one: one.spec.model is not None, "mounts no volume: put it into the image"),
    OnlyThere(
        "mesh", (CLUSTER,), lambda one: one.spec.mesh is not None, "gives replicas no address of UDP", (ECS, LAMBDA)
    ),
    OnlyThere(
        "shared_files",
        (CLUSTER, ECS),
        lambda one: one.spec.shared_files,
        "has no volume that instances share",
    ),
    OnlyThere(
        "storage_iops",
        (CLUSTER,),
        lambda one: one.spec.storage_iops is not None,
        "has no disk whose operations could be asked for",
        (ECS, LAMBDA),
    ),
    OnlyThere(
        "storage_gib",
        (CLUSTER, ECS, LAMBDA),
        _given("storage_gib"),
        "gives files the space that goes with an instance's size, and no other can be asked for",
    ),
    OnlyThere(
        "scale.vertical",
        (CLUSTER,),
        lambda one: one.spec.scale.vertical is not Vertical.NONE,
        "has no autoscaler of sizes",
    ),
    OnlyThere(
        "scale.prepared_maximum",
        (LAMBDA,),
        lambda one: one.spec.scale.prepared_maximum is not None,
        "prepares no number that follows use",
    ),
    OnlyThere(
        "definition.primary",
        (CLUSTER,),
        lambda one: one.definition.primary,
        "gives no replica a name of its own, so none of them could be the one that writes",
    ),
)


def service_field_problems(path: str, application: Application) -> Iterator[Problem]:
    """Yield each field that a service asks for and its runtime has not.

    Args:
        path: where the service stands.
        application: the service.
    """
    runtime = application.spec.runtime
    for row in _SERVICE:
        if runtime not in row.has and runtime not in row.elsewhere and row.asked(application):
            there = " and ".join(one.value for one in row.has)
            text = f"is only on {there}: {runtime.value} {row.why}"
            yield Problem(f"{path}.{row.field}", text, f"remove it, or use {there.replace(' and ', ' or ')}")
    yield from _beside(path, application)
    yield from delivery_problems(path, application)


def _beside(path: str, application: Application) -> Iterator[Problem]:
    """Yield fields whose meaning hangs on another."""
    row, definition, runtime = application.spec, application.definition, application.spec.runtime
    if runtime is ECS and row.shared_files and row.disposable_files:
        text = "asks for one file system of all tasks, and disposable_files for one that ends with each"
        yield Problem(f"{path}.shared_files", text, "keep one of the two")
    if runtime is LAMBDA and row.scale.prepared_maximum is not None and row.scale.prepared is None:
        text = "bounds prepared functions, and none is prepared"
        yield Problem(f"{path}.scale.prepared_maximum", text, "set scale.prepared too, or remove it")
    drains = definition.drain_s > LONGEST_RUN_DRAIN_S and "drain_s" in definition.model_fields_set
    if runtime is RUN and not definition.ports and drains:
        text = f"{definition.drain_s} s are more than the {LONGEST_RUN_DRAIN_S} s that Cloud Run gives a worker to end"
        yield Problem(f"{path}.definition.drain_s", text, f"use at most {LONGEST_RUN_DRAIN_S}, or kubernetes or ecs")
    if row.scale.queue_depth is not None and definition.access.get(Need.QUEUE) is Access.WRITE:
        text = "follows jobs that wait, and the service only puts some in"
        yield Problem(f"{path}.scale.queue_depth", text, "use another measure, or let it take jobs out")


def shared_field_problems(path: str, plan: ApplicationsSpec, runtimes: set[Runtime]) -> Iterator[Problem]:
    """Yield each field of what services share that is asked for and that their runtimes have not.

    Args:
        path: where the plan stands.
        plan: the services and what they share.
        runtimes: those of the services.
    """
    on = "kubernetes" if CLUSTER in runtimes else "/".join(sorted(one.value for one in runtimes))
    aws = bool(runtimes & {ECS, LAMBDA})
    database, cache, site, dns = plan.database, plan.cache, plan.site, plan.dns
    found: list[tuple[bool, str, str, str]] = []
    if database is not None:
        has = database.model_fields_set
        found += [
            (CLUSTER in runtimes and database.instance_type is not None, "database.instance_type",
             "its size is asked by vcpu and memory_gib, and by the base stack of a managed one", "remove it"),
            (CLUSTER in runtimes and "retention_days" in has, "database.retention_days",
             "copies of what a cluster keeps are kept as `backup` says", "set backup.retention_days"),
            (CLUSTER in runtimes and database.password_secret is not None, "database.password_secret",
             "the operator makes the password, or the site its Secret", "remove it"),
            (RUN in runtimes and bool(database.extensions), "database.extensions",
             "Cloud SQL makes no extension by itself", "let the service run CREATE EXTENSION, which its user may"),
        ]  # fmt: skip
    if cache is not None:
        text = "the cache makes its own password, or the site its Secret"
        found.append((not aws and cache.password_secret is not None, "cache.password_secret", text, "remove it"))
    if dns is not None:
        text = "Route 53 finds a zone by its name"
        found.append((aws and dns.cloud_name is not None, "dns.cloud_name", text, "remove it"))
    for field, where in (("name", aws), ("repositories", aws)):
        text = "its resources bear the stack's name" if field == "name" else "only Amazon ECR's repositories are made"
        found.append((not where and field in site.model_fields_set, f"site.{field}", text, "remove it"))
    for field in ("network_cidr", "certificate"):
        text = "the cluster has its own network, and services.certificates signs"
        found.append((CLUSTER in runtimes and field in site.model_fields_set, f"site.{field}", text, "remove it"))
    for asked, field, text, remedy in found:
        if asked:
            yield Problem(f"{path}.{field}", f"has no meaning on {on}: {text}", remedy)
