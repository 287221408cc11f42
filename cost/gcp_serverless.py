"""Google Cloud without a cluster: Cloud Run, its load balancers, Pub/Sub and Secret Manager.

Every price is asked of the book: where it has no row the line says so, and is never zero.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from cost.book_format import GB, HOUR, MONTH, REQUEST
from cost.components import CostComponent, Range, fixed
from cost.context import Context, InputNotKnownError, list_at, number_at, text_at, value_at
from cost.usage import Metered
from skerry.graph import Resource
from skerry.units import HOURS_PER_MONTH

CLOUD: Final = "gcp"
FORWARDING: Final = (
    "gcp:compute/globalForwardingRule:GlobalForwardingRule",
    "gcp:compute/forwardingRule:ForwardingRule",
)
FIRST_RULES: Final = 5
"""The first rules of a project cost the same together, one or five.

Source: Google Cloud "Cloud Load Balancing pricing", forwarding rules, read 2026-11.
"""

BUSY: Final = "as though busy all the time; `instance_hours` in a usage file says how long"
_MEBI, _GIBI = Decimal(1) / 1024, Decimal(1)
_CPU: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m?)")
_MEMORY: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(Mi|Gi)")


def cloud_run_service(context: Context, service: Resource) -> Iterator[CostComponent]:
    """Yield CPU and memory of the instances, and requests: none is billed while there is nobody to answer.

    Source: Google Cloud "Cloud Run pricing", services billed by request, read 2026-11.
    """
    scaling = value_at(service.inputs, "template.scaling", {})
    low = number_at(scaling, "minInstanceCount", 0)
    high = number_at(scaling, "maxInstanceCount", 100)
    always = value_at(_container(service), "resources.cpuIdle", True) is False
    yield from _instances(context, service, _bounds(context, service, low, high), "-always" if always else "")
    if not always:
        yield context.metered(service, "requests", "cloud-run-requests", REQUEST, Metered.REQUESTS, cloud=CLOUD)


def cloud_run_workers(context: Context, pool: Resource) -> Iterator[CostComponent]:
    """Yield CPU and memory of a worker pool, which is billed all the time at a price of its own."""
    count = number_at(pool.inputs, "scaling.manualInstanceCount")
    yield from _instances(context, pool, Range(count, count, count), "-workers")


def _container(service: Resource) -> object:
    found = list_at(service.inputs, "template.containers")
    if len(found) != 1:
        raise InputNotKnownError("template.containers does not name one container")
    return found[0]


def _bounds(context: Context, service: Resource, low: Decimal, high: Decimal) -> Range:
    typical = next(
        (Decimal(facts.scaling.typical) for _, facts in context.around(service) if facts.scaling is not None), low
    )
    return Range(low, min(max(typical, low), high), high)


def _instances(context: Context, service: Resource, count: Range, how: str) -> Iterator[CostComponent]:
    container = _container(service)
    vcpu = _cpu(text_at(container, "resources.limits.cpu", "1"))
    gib = gibibytes(text_at(container, "resources.limits.memory", "512Mi"))
    given = None if how else context.given(service, Metered.INSTANCE_HOURS)
    hours, note = (
        (count * HOURS_PER_MONTH, "" if how else BUSY) if given is None else (given, "hours of instances given")
    )
    for name, size, sku in (("CPU", vcpu, "cloud-run-vcpu"), ("memory", gib, "cloud-run-memory")):
        price = context.price(service, f"{sku}{how}", HOUR, cloud=CLOUD)
        what = f"{size.normalize():f} {'vCPU' if name == 'CPU' else 'GiB'}"
        yield CostComponent(f"{name} of instances", HOUR, hours * size, price, f"{what} each; {note}" if note else what)


def _cpu(text: str) -> Decimal:
    found = _CPU.fullmatch(text)
    if found is None:
        raise InputNotKnownError(f"resources.limits.cpu '{text}' is no number of CPUs or thousandths ('m')")
    return Decimal(found[1]) / (1000 if found[2] else 1)


def gibibytes(text: str) -> Decimal:
    """Return how much memory a text names, such as `512Mi`.

    Raises:
        InputNotKnownError: it is not in Mi or Gi.
    """
    found = _MEMORY.fullmatch(text)
    if found is None:
        raise InputNotKnownError(f"memory '{text}' is not in Mi or Gi")
    return Decimal(found[1]) * (_MEBI if found[2] == "Mi" else _GIBI)


def forwarding_rule(context: Context, rule: Resource) -> Iterator[CostComponent]:
    """Yield a rule, of which the first five of a project cost the same together, and what goes through it."""
    same = [one.urn for one in context.graph.of_type(*FORWARDING) if one.stack == rule.stack]
    place = same.index(rule.urn)
    if place == 0:
        price = context.price(rule, "forwarding-rules-first-5", HOUR, cloud=CLOUD)
        note = "the first five of a project together"
        yield CostComponent("forwarding rules", HOUR, fixed(HOURS_PER_MONTH), price, note)
    elif place >= FIRST_RULES:
        price = context.price(rule, "forwarding-rule-more", HOUR, cloud=CLOUD)
        yield CostComponent("forwarding rule", HOUR, fixed(HOURS_PER_MONTH), price)
    if place == 0:
        yield context.metered(rule, "data", "load-balancer-data", GB, Metered.GB_PROCESSED, cloud=CLOUD)


def security_policy(context: Context, policy: Resource) -> Iterator[CostComponent]:
    """Yield a policy of Cloud Armor and its rules, but for the last, which every policy has."""
    rules = max(len(list_at(policy.inputs, "rules")) - 1, 0)
    price = context.price(policy, "cloud-armor-policy", MONTH, cloud=CLOUD)
    yield CostComponent("policy", MONTH, fixed(1), price)
    price = context.price(policy, "cloud-armor-rule", MONTH, cloud=CLOUD)
    yield CostComponent("rules", MONTH, fixed(rules), price)
    yield context.metered(policy, "requests", "cloud-armor-requests", REQUEST, Metered.REQUESTS, cloud=CLOUD)


def topic(context: Context, item: Resource) -> Iterator[CostComponent]:
    """Yield what is put in."""
    yield context.metered(item, "data put in", "pubsub-data", GB, Metered.GB_PROCESSED, cloud=CLOUD)


def subscription(context: Context, item: Resource) -> Iterator[CostComponent]:
    """Yield what is taken out."""
    yield context.metered(item, "data taken out", "pubsub-data", GB, Metered.GB_PROCESSED, cloud=CLOUD)


def secret_version(context: Context, item: Resource) -> Iterator[CostComponent]:
    """Yield a value that is kept, in one region, and who asks for it."""
    price = context.price(item, "secret-version", MONTH, cloud=CLOUD)
    yield CostComponent("secret", MONTH, fixed(1), price)
    yield context.metered(item, "operations", "secret-operations", REQUEST, Metered.REQUESTS, cloud=CLOUD)


def firewall_policy(context: Context, rule: Resource) -> Iterator[CostComponent]:
    """Yield what goes through a rule that knows names of hosts; one that knows addresses is free.

    Source: Google Cloud "Cloud NGFW pricing" (not opened; check before relying on it).
    """
    if list_at(rule.inputs, "match.destFqdns"):
        yield context.metered(rule, "data", "firewall-standard-data", GB, Metered.GB_PROCESSED, cloud=CLOUD)
