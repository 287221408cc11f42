"""Services on AWS's own runtimes: the listeners that let callers in, and the capacity that they stand on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from policies.context import Context
from policies.reading import read, rows
from policies.verdict import Judgement, Rule, Severity, ok, undetermined, violation
from skerry.graph import UNKNOWN, Resource, ResourceGraph

LISTENERS: Final = ("aws:lb/listener:Listener", "aws:alb/listener:Listener")
BALANCERS: Final = ("aws:lb/loadBalancer:LoadBalancer", "aws:alb/loadBalancer:LoadBalancer")
SERVICE: Final = "aws:ecs/service:Service"
_SPOT: Final = "FARGATE_SPOT"
_NEW_TLS: Final = re.compile(r"-TLS13-1-[23]-|-TLS13-1-[23]$|-TLS-1-2-|-FS-1-2-")
"""Names of AWS's policies that take TLS 1.2 and newer only.

Source: Elastic Load Balancing "SSL policies for your Application Load Balancer" (not opened; check before relying on
it).
"""


def listeners(graph: ResourceGraph) -> Iterator[Judgement]:
    """Judge each listener of a load balancer that is called from outside by the TLS that it takes."""
    for listener in graph.of_type(*LISTENERS):
        protocol = read(listener.inputs, "protocol", "")
        if _internal(graph, listener) or protocol in ("TCP", "UDP", "TCP_UDP", "GENEVE"):
            continue
        if protocol is UNKNOWN:
            yield undetermined(listener, "its protocol is not known before a deployment", "protocol")
        elif protocol in ("HTTPS", "TLS"):
            yield _policy(listener)
        else:
            yield _redirects(listener)


def _internal(graph: ResourceGraph, listener: Resource) -> bool:
    found = [graph.get(urn) for urn in listener.property_dependencies.get("loadBalancerArn", ())]
    return any(one is not None and one.type in BALANCERS and read(one.inputs, "internal") is True for one in found)


def _policy(listener: Resource) -> Judgement:
    policy = read(listener.inputs, "sslPolicy")
    if policy is UNKNOWN:
        return undetermined(listener, "its policy of TLS is not known before a deployment", "sslPolicy")
    if policy is None:
        return violation(listener, "it names no policy of TLS, so that versions before 1.2 are taken", "sslPolicy")
    if _NEW_TLS.search(f"{policy}"):
        return ok(listener)
    return violation(listener, f"{policy} takes versions of TLS before 1.2", "sslPolicy")


def _redirects(listener: Resource) -> Judgement:
    actions = rows(listener.inputs, "defaultActions")
    if actions is UNKNOWN:
        return undetermined(listener, "what it does is not known before a deployment", "defaultActions")
    if actions and all(read(one, "redirect.protocol") == "HTTPS" for one in actions):
        return ok(listener)
    return violation(listener, "it answers without TLS", "protocol")


def _stays(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for service in graph.of_type(SERVICE):
        found = rows(service.inputs, "capacityProviderStrategies")
        if found is UNKNOWN:
            text = "what its tasks run on is not known before a deployment"
            yield undetermined(service, text, "capacityProviderStrategies")
            continue
        used = [row for row in found if read(row, "weight", 0) or read(row, "base", 0)]
        names = [read(row, "capacityProvider") for row in used]
        if UNKNOWN in names:
            text = "what its tasks run on is not known before a deployment"
            yield undetermined(service, text, "capacityProviderStrategies")
        elif names and all(name == _SPOT for name in names):
            text = "all of its tasks may be taken away two minutes after a warning"
            yield violation(service, text, "capacityProviderStrategies")
        else:
            yield ok(service)


RELIABILITY: Final = (
    Rule(
        id="REL007",
        title="a service keeps tasks on capacity that stays",
        severity=Severity.HIGH,
        rationale="spot capacity is taken back where AWS needs it, from all tasks at once if need be",
        remedy="add FARGATE with a base of one task or more, and let only the rest run on FARGATE_SPOT",
        controls=("NIST SP 800-53 CP-10",),
        subject="services of ECS",
        check=_stays,
    ),
)
"""The rule of reliability."""
