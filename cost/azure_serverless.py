"""Azure without a cluster: functions on Container Apps, their gateway, and Service Bus.

Every price is asked of the book: where it has no row the line says so, and is never zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from cost.book_format import HOUR, REQUEST
from cost.components import CostComponent, Range, fixed
from cost.context import Context, InputNotKnownError, list_at, number_at, text_at
from cost.gcp_serverless import BUSY, gibibytes
from cost.usage import Metered
from skerry.graph import Resource
from skerry.units import HOURS_PER_MONTH

CLOUD: Final = "azure"


def container_app(context: Context, app: Resource) -> Iterator[CostComponent]:
    """Yield CPU and memory of the replicas, and requests: at zero replicas nothing is billed.

    Source: Azure "Billing in Azure Container Apps", consumption plan, read 2026-11.
    """
    containers = list_at(app.inputs, "template.containers")
    if len(containers) != 1:
        raise InputNotKnownError("template.containers does not name one container")
    vcpu = number_at(containers[0], "resources.cpu")
    gib = gibibytes(text_at(containers[0], "resources.memory"))
    low = number_at(app.inputs, "template.scale.minReplicas", 0)
    high = number_at(app.inputs, "template.scale.maxReplicas", 10)
    typical = next(
        (Decimal(facts.scaling.typical) for _, facts in context.around(app) if facts.scaling is not None), low
    )
    given = context.given(app, Metered.INSTANCE_HOURS)
    hours = Range(low, min(max(typical, low), high), high) * HOURS_PER_MONTH if given is None else given
    note = BUSY if given is None else "hours of replicas given"
    for name, size, sku in (("CPU", vcpu, "container-apps-vcpu"), ("memory", gib, "container-apps-memory")):
        price = context.price(app, sku, HOUR, cloud=CLOUD)
        yield CostComponent(f"{name} of replicas", HOUR, hours * size, price, note)
    yield context.metered(app, "requests", "container-apps-requests", REQUEST, Metered.REQUESTS, cloud=CLOUD)


def application_gateway(context: Context, gateway: Resource) -> Iterator[CostComponent]:
    """Yield the gateway, and the units of capacity that it keeps ready or grows by."""
    kind = text_at(gateway.inputs, "sku.tier").lower().replace("_", "-")
    price = context.price(gateway, f"application-gateway-{kind}", HOUR, cloud=CLOUD)
    yield CostComponent("gateway", HOUR, fixed(HOURS_PER_MONTH), price)
    low = number_at(gateway.inputs, "autoscaleConfiguration.minCapacity", 0)
    high = number_at(gateway.inputs, "autoscaleConfiguration.maxCapacity", 10)
    # An instance stands for ten units of capacity.
    # Source: Azure "Understanding pricing for Azure Application Gateway", capacity units of an instance, read 2026-11
    units = Range(low, max(low, Decimal(1) / 10), high) * 10 * HOURS_PER_MONTH
    price = context.price(gateway, f"application-gateway-{kind}-unit", HOUR, cloud=CLOUD)
    yield CostComponent("capacity units", HOUR, units, price, "one unit where it is seldom called")


def service_bus(context: Context, namespace: Resource) -> Iterator[CostComponent]:
    """Yield the messaging units of a namespace of the premium kind."""
    kind = text_at(namespace.inputs, "sku.tier", "Standard").lower()
    units = number_at(namespace.inputs, "sku.capacity", 1)
    price = context.price(namespace, f"service-bus-{kind}", HOUR, cloud=CLOUD)
    yield CostComponent(f"messaging units {kind}", HOUR, fixed(units * HOURS_PER_MONTH), price)


def secret(context: Context, item: Resource) -> Iterator[CostComponent]:
    """Yield who asks for a secret; keeping it is free."""
    yield context.metered(item, "operations", "key-vault-secret-operations", REQUEST, Metered.REQUESTS, cloud=CLOUD)
