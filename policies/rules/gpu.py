"""GPU: local inference has somebody else who answers, and what has whole GPUs is not scaled by load."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policies.context import Context
from policies.reading import read, rows
from policies.verdict import Judgement, Rule, Severity, ok, undetermined, violation
from policies.workloads import REPLICATED, containers, kind_of, of_kind
from skerry.facts import ComponentFacts, Tier
from skerry.graph import UNKNOWN, Resource, ResourceGraph

_SCALERS: Final = ("HorizontalPodAutoscaler", "ScaledObject")
_GPU: Final = "nvidia.com/"


def _answers(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for tier, facts in context.components():
        if facts.role != "tier" or facts.tier is not Tier.COGNITIVE:
            continue
        servers = [
            own
            for resource, own in context.components()
            if own.role == "inference-server" and any(one.urn == tier.urn for one in graph.ancestors(resource))
        ]
        if servers:
            yield _judged(tier, facts, servers)


def _judged(tier: Resource, facts: ComponentFacts, servers: list[ComponentFacts]) -> Judgement:
    if any(endpoint.scope == "internet" and endpoint.direction == "egress" for endpoint in facts.endpoints):
        return ok(tier)
    if any(server.replicas is None for server in servers):
        return undetermined(tier, "how many model servers run is not known", "replicas")
    count = sum(server.replicas or 0 for server in servers)
    if count >= 2:
        return ok(tier)
    return violation(tier, f"{count} model server answers, and nobody else when it does not", "replicas")


def _by_load(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    del context
    for scaler in of_kind(graph, *_SCALERS):
        target = read(scaler.inputs, "spec.scaleTargetRef", {})
        wanted = (read(target, "kind", "Deployment"), read(target, "name"), read(scaler.inputs, "metadata.namespace"))
        if UNKNOWN in wanted or target is UNKNOWN:
            yield undetermined(scaler, "what it scales is not known before a deployment", "spec.scaleTargetRef")
            continue
        found = [
            one
            for one in of_kind(graph, *REPLICATED)
            if (kind_of(one), read(one.inputs, "metadata.name"), read(one.inputs, "metadata.namespace")) == wanted
        ]
        gpus = sorted({name for one in found for name in _gpus(one)})
        if gpus:
            text = f"it scales {wanted[1]}, each of whose pods takes {', '.join(gpus)}"
            yield violation(scaler, text, "spec.scaleTargetRef")
        else:
            yield ok(scaler)


def _gpus(workload: Resource) -> Iterator[str]:
    """Yield the GPU resources that the containers of a workload ask for."""
    for _, container in containers(workload):
        limits: Any = read(container, "resources.limits", {}) if container is not UNKNOWN else {}
        if isinstance(limits, dict):
            yield from (name for name in limits if name.startswith(_GPU))
        claims = rows(container, "resources.claims") if container is not UNKNOWN else []
        if claims is not UNKNOWN:
            yield from (f"the claim {claim.get('name')}" for claim in claims)


RULES: Final = (
    Rule(
        id="GPU001",
        title="somebody else answers when a model server does not",
        severity=Severity.MEDIUM,
        rationale="a server reads its weights for minutes after each restart, and agents wait for it",
        remedy="run two servers or more, a second local model, or name a hosted provider as the next",
        controls=("NIST SP 800-53 CP-10",),
        subject="cognitive tiers with local inference",
        check=_answers,
    ),
    Rule(
        id="GPU002",
        title="what has GPUs is not scaled by load",
        severity=Severity.MEDIUM,
        rationale="a pod more finds no GPU until a machine is bought, and then reads its weights for minutes",
        remedy="take the autoscaler away; more capacity is a machine with larger GPUs, more servers are a number",
        controls=("NIST SP 800-53 CP-2(2)",),
        subject="autoscalers of workloads",
        check=_by_load,
    ),
)
"""The rules of this module, in the order of their ids."""
