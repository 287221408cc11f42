"""What the two sides of mode hybrid must be: which tiers each has, what crosses between them, and what never does."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final

from skerry.config.data_access import DataRoute
from skerry.config.hybrid import LONGEST_ROUND_TRIP_MS, WIDEST, HybridSide, HybridSpec
from skerry.config.services import RoutedService
from skerry.config.sides import AGENT_TIERS, agent_tiers, has_tier, is_described, side_of
from skerry.config.spec import DeploymentSpec, Mode, Purchase, SmallModelPlacement
from skerry.errors import Problem

CHANNEL_MACHINES: Final = (3, 9)
"""Machines of a customer's channels: a majority of three must live, and more than the members of Temporal's database
are of no use."""

_OF_CUSTOMER: Final = ("vendor_stack", "private_authority", "round_trip_ms")
_OF_VENDOR: Final = ("customers", "tls_secret", "annotations")
_ROUTES: Final = {
    RoutedService.TEMPORAL: (HybridSide.CUSTOMER, "Temporal"),
    RoutedService.TEMPORAL_UI: (HybridSide.CUSTOMER, "Temporal"),
    RoutedService.RAY: (HybridSide.CUSTOMER, "Ray"),
    RoutedService.MLFLOW: (HybridSide.VENDOR, "MLflow"),
}
"""What is routed -> the side that has it."""


def presence_problems(spec: DeploymentSpec) -> Iterator[Problem]:
    """Return tiers that are missing or too many; nothing else can be judged before they are right."""
    if spec.mode is Mode.HYBRID and spec.hybrid is None:
        yield Problem("hybrid", "is required in mode hybrid", "say whose side it is: vendor or customer")
        return
    if spec.mode is not Mode.HYBRID and spec.hybrid is not None:
        yield Problem("hybrid", f"has no meaning in mode {spec.mode.value}", "remove it, or set mode: hybrid")
    side = side_of(spec)
    for tier in AGENT_TIERS:
        if tier in agent_tiers(spec) and not is_described(spec, tier):
            remedy = "add it; `skerry config schema` describes every field"
            yield Problem(tier.value, "is required and missing", remedy)
        elif not has_tier(spec, tier) and is_described(spec, tier) and side is not None:
            here = " and ".join(one.value for one in agent_tiers(spec))
            text = f"is not on the {side.value}'s side, which has {here}"
            yield Problem(tier.value, text, "remove it: it is in the stack of the other side")
    if side is HybridSide.CUSTOMER:
        if spec.channels.pool is None:
            text = "is required on the customer's side: Temporal, its database and the operators run there"
            yield Problem("channels.pool", text, "describe three machines")
        return
    for name in ("pool", "relational_kind", "relational"):
        if getattr(spec.channels, name) is not None:
            yield Problem(f"channels.{name}", "is for the customer's side of mode hybrid", f"use meta.{name}")


def hybrid_problems(spec: DeploymentSpec) -> Iterator[Problem]:
    """Return what cannot be about either side."""
    hybrid = spec.hybrid
    if hybrid is None:
        return
    if not spec.target.connected:
        text = "is false, but the sides of mode hybrid talk to each other"
        yield Problem("target.connected", text, "use mode air-gapped or private")
    if hybrid.round_trip_ms is not None and hybrid.round_trip_ms > LONGEST_ROUND_TRIP_MS:
        text = f"{hybrid.round_trip_ms:g} ms between the sides is more than {LONGEST_ROUND_TRIP_MS:g} ms"
        yield Problem("hybrid.round_trip_ms", text, "choose a nearer region of the vendor, or use mode private")
    yield from _ranges("hybrid.entrance_cidrs", hybrid.entrance_cidrs)
    yield from _routes(spec, hybrid.side)
    yield from (_vendor if hybrid.side is HybridSide.VENDOR else _customer)(spec, hybrid)


def _ranges(path: str, cidrs: tuple[str, ...]) -> Iterator[Problem]:
    for index, text in enumerate(cidrs):
        try:
            block = ipaddress.IPv4Network(text)
        except ValueError as exc:
            yield Problem(f"{path}[{index}]", f"is not an IPv4 range: {exc}", "write it like 192.0.2.10/32")
            continue
        if block.prefixlen < WIDEST:
            text = f"'{block}' is far more than one site"
            yield Problem(f"{path}[{index}]", text, "name its own addresses, /16 or less")


def _routes(spec: DeploymentSpec, side: HybridSide) -> Iterator[Problem]:
    gateway = spec.services.gateway
    for route in gateway.routes if gateway is not None else ():
        where, what = _ROUTES.get(route, (side, ""))
        if where is not side:
            text = f"'{route.value}' is not here: {what} is on the {where.value}'s side"
            yield Problem("services.gateway.routes", text, "leave it out")


def _vendor(spec: DeploymentSpec, hybrid: HybridSpec) -> Iterator[Problem]:
    if not hybrid.customers:
        yield Problem("hybrid.customers", "names nobody, so that nobody may call", "name each with its addresses")
    seen: dict[str, str] = {}
    for index, customer in enumerate(hybrid.customers):
        path = f"hybrid.customers[{index}]"
        for field, value in (("name", customer.name), ("certificate_name", hybrid.certificate_of(customer))):
            if seen.setdefault(f"{field} {value}", path) != path:
                yield Problem(f"{path}.{field}", f"'{value}' is another customer's too", "give each one of its own")
        yield from _ranges(f"{path}.cidrs", customer.cidrs)
    for name in _OF_CUSTOMER:
        if getattr(hybrid, name):
            yield Problem(f"hybrid.{name}", "is for the customer's side", "remove it")
    if hybrid.tls_secret is None and spec.services.certificates is None:
        text = "is left out, and nobody makes a certificate"
        yield Problem("hybrid.tls_secret", text, "name the site's Secret, or switch services.certificates on")


def _customer(spec: DeploymentSpec, hybrid: HybridSpec) -> Iterator[Problem]:
    for name in _OF_VENDOR:
        if getattr(hybrid, name):
            yield Problem(f"hybrid.{name}", "is for the vendor's side", "remove it")
    if not hybrid.entrance_cidrs and hybrid.vendor_stack is None:
        text = "is left out, and so is vendor_stack: no address of the vendor is known, and nothing else is opened"
        yield Problem("hybrid.entrance_cidrs", text, "ask the vendor, or name its stack where its state can be read")
    yield from _channel_machines(spec)
    if spec.execution.small_model is SmallModelPlacement.COGNITIVE:
        text = "is cognitive: prompts of the small model hold rows, and the cognitive tier is at the vendor"
        yield Problem("execution.small_model", text, "use cpu")
    elif spec.execution.small_model is SmallModelPlacement.GPU:
        yield Problem("execution.small_model", "is gpu, but a customer's side has no GPUs", "use cpu")
    for index, row in enumerate(spec.execution.data_endpoints):
        if row.route is DataRoute.INTERNET:
            text = "is internet: source data would leave the customer's network"
            yield Problem(f"execution.data_endpoints[{index}].route", text, "use a peering, a private link or on-site")
    store = spec.backup.store if spec.backup is not None else None
    if store is None:
        return
    if store.jurisdiction != spec.target.jurisdiction:
        text = f"is {store.jurisdiction}, but workflows hold rows, which stay in {spec.target.jurisdiction}"
        yield Problem("backup.store.jurisdiction", text, "name a bucket of the customer's own")
    host = store.endpoint_url.partition("://")[2].partition("/")[0].partition(":")[0]
    if f".{host}".endswith(f".{hybrid.domain}"):
        text = f"'{host}' is the vendor's, and backups of workflows hold rows"
        yield Problem("backup.store.endpoint_url", text, "name a bucket of the customer's own")


def _channel_machines(spec: DeploymentSpec) -> Iterator[Problem]:
    pool, path = spec.meta.pool, "channels.pool"
    if pool.purchase is Purchase.SPOT:
        yield Problem(f"{path}.purchase", "spot machines may be taken away at any time", "use on-demand")
    if pool.machine.gpus:
        yield Problem(f"{path}.machine.gpus", "a customer's side has no GPUs", "remove it")
