"""AWS network: NAT gateways, public addresses, interface endpoints and load balancers."""

from __future__ import annotations

from collections.abc import Iterator

from cost.book_format import GB, HOUR, LCU_HOUR
from cost.components import CostComponent, fixed, not_priced
from cost.context import Context, InputNotKnownError, text_at, value_at
from cost.usage import Metered
from skerry.graph import Resource
from skerry.units import HOURS_PER_MONTH


def nat_gateway(context: Context, gateway: Resource) -> Iterator[CostComponent]:
    """Yield the gateway and what it carries."""
    yield CostComponent("gateway", HOUR, fixed(HOURS_PER_MONTH), context.price(gateway, "nat-gateway", HOUR))
    yield context.metered(gateway, "data", "nat-gateway-data", GB, Metered.GB_PROCESSED)
    yield context.metered(gateway, "data to the internet", "transfer-internet-out", GB, Metered.GB_OUT)


def transit_attachment(context: Context, attachment: Resource) -> Iterator[CostComponent]:
    """Yield a network's attachment to a transit gateway, and what it sends; the gateway itself is free.

    Source: pixlodo.com/aws-transit-gateway-costs, read 2026-11.
    """
    yield from transit_peering(context, attachment)
    yield context.metered(attachment, "data", "transit-gateway-data", GB, Metered.GB_PROCESSED)


def transit_peering(context: Context, attachment: Resource) -> Iterator[CostComponent]:
    """Yield one side of a peering of transit gateways: each is billed in its own region.

    Source: awsnegotiations.com/transit-gateway-pricing.html, read 2026-11.
    """
    price = context.price(attachment, "transit-gateway-attachment", HOUR)
    yield CostComponent("attachment", HOUR, fixed(HOURS_PER_MONTH), price)


def vpc(context: Context, network: Resource) -> Iterator[CostComponent]:
    """Yield what goes between zones, which is billed on both sides.

    Source: Amazon EC2 pricing page (not opened; check before relying on it).
    """
    yield context.metered(network, "data between zones", "transfer-between-zones", GB, Metered.GB_BETWEEN_ZONES, 2)


def eip(context: Context, address: Resource) -> Iterator[CostComponent]:
    """Yield one public IPv4 address, used or idle."""
    price = context.price(address, "public-ipv4", HOUR)
    yield CostComponent("public IPv4 address", HOUR, fixed(HOURS_PER_MONTH), price)


def vpc_endpoint(context: Context, endpoint: Resource) -> Iterator[CostComponent]:
    """Yield an interface endpoint in each of its zones; a gateway endpoint is free."""
    kind = text_at(endpoint.inputs, "vpcEndpointType", "Gateway")
    if kind == "Gateway":
        return
    if kind != "Interface":
        yield not_priced("endpoint", f"endpoints of type {kind} are not in the price book")
        return
    zones = _counted(endpoint)
    price = context.price(endpoint, "vpc-endpoint-interface", HOUR)
    yield CostComponent(f"endpoint in {zones} zones", HOUR, fixed(HOURS_PER_MONTH * zones), price)
    yield context.metered(endpoint, "data", "vpc-endpoint-interface-data", GB, Metered.GB_PROCESSED)


def _counted(endpoint: Resource) -> int:
    """Return the number of subnets: the ids may be unknown, their number is not."""
    subnets = endpoint.inputs.get("subnetIds")
    if not isinstance(subnets, list) or not subnets:
        raise InputNotKnownError("subnetIds is not known before a deployment")
    return len(subnets)


def load_balancer(context: Context, balancer: Resource) -> Iterator[CostComponent]:
    """Yield the balancer and its capacity units."""
    kind = text_at(balancer.inputs, "loadBalancerType", "application")
    sku = {"application": "alb", "network": "nlb"}.get(kind)
    if sku is None:
        yield not_priced("load balancer", f"load balancers of type {kind} are not in the price book")
        return
    yield CostComponent(f"{kind} load balancer", HOUR, fixed(HOURS_PER_MONTH), context.price(balancer, sku, HOUR))
    if value_at(balancer.inputs, "internal", False) is False and isinstance(balancer.inputs.get("subnets"), list):
        # One in each zone; a busy one has more. Source: AWS's announcement of the charge, as for `eip`
        addresses = fixed(HOURS_PER_MONTH * len(balancer.inputs["subnets"]))
        price = context.price(balancer, "public-ipv4", HOUR)
        yield CostComponent("public IPv4 addresses", HOUR, addresses, price, "one in each zone")
    yield context.metered(balancer, "capacity units", f"{sku}-lcu", LCU_HOUR, Metered.LCU, HOURS_PER_MONTH)
