"""Kubernetes objects that make a cloud bill: volumes, load balancers, machines. All others are free in themselves."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from cost.components import CostComponent, not_priced
from cost.context import Context, list_at, number_at, text_at, value_at
from cost.pools import gib_of, volume
from skerry.graph import Resource


def volume_claim(context: Context, claim: Resource) -> Iterator[CostComponent]:
    """Yield the volume of a claim, unless a component around it declares its storage."""
    if not _declared(context, claim):
        yield from _claimed(context, claim, claim.inputs, Decimal(1))


def stateful_set(context: Context, workload: Resource) -> Iterator[CostComponent]:
    """Yield the volumes of the templates for each replica, unless a component around declares its storage."""
    templates = list_at(workload.inputs, "spec.volumeClaimTemplates")
    if not templates or _declared(context, workload):
        return
    replicas = number_at(workload.inputs, "spec.replicas", 1)
    for template in templates:
        yield from _claimed(context, workload, template, replicas)


def _declared(context: Context, resource: Resource) -> bool:
    return any(facts.storage for _, facts in context.around(resource))


def _claimed(context: Context, holder: Resource, claim: Any, count: Decimal) -> Iterator[CostComponent]:
    size = text_at(claim, "spec.resources.requests.storage")
    yield from volume(context, holder, text_at(claim, "spec.storageClassName", ""), gib_of(size) * count)


def service(context: Context, item: Resource) -> Iterator[CostComponent]:
    """Yield the load balancer of a Service of that type on a cloud."""
    if value_at(item.inputs, "spec.type", "ClusterIP") == "LoadBalancer" and context.cloud(item) != "onprem":
        yield not_priced("load balancer", "which kind the cloud makes for a Service is the controller's choice")


def gateway(context: Context, item: Resource) -> Iterator[CostComponent]:
    """Yield the load balancer that a gateway may have on a cloud."""
    if context.cloud(item) != "onprem":
        yield not_priced("load balancer", "which kind the cloud makes for a Gateway is the controller's choice")


def karpenter_node_pool(context: Context, pool: Resource) -> Iterator[CostComponent]:
    """Yield nothing where a component states the pool's machines, which are counted there; else that nobody knows."""
    for urn, facts in context.own.items():
        if facts.nodes is None or facts.scaling is None or not facts.nodes.priced_here:
            continue
        if facts.scaling.autoscaler == "karpenter" and context.graph[urn].stack == pool.stack:
            return
    yield not_priced("machines", "Karpenter decides over them and no component states its bounds")


def helm_release(context: Context, release: Resource) -> Iterator[CostComponent]:
    """Yield nothing for a chart whose component declares what it runs; else that nobody knows."""
    if not any(facts.charts for _, facts in context.around(release)):
        yield not_priced("chart", "what a chart makes is not in the graph")
