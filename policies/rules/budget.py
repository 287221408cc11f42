"""BUD: what a deployment may cost, and what keeps it there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from policies.context import Context
from policies.reading import mapping
from policies.rules.storage_space import storage_space
from policies.verdict import Judgement, Rule, Severity, not_applicable, ok, undetermined, violation
from skerry.config.pools import POOL_RANGES
from skerry.facts import Tier
from skerry.graph import UNKNOWN, Resource, ResourceGraph, find, plain

COST_TAGS: Final = ("skerry:system", "skerry:tier")
"""Tags by which a bill is split."""

NODE_CEILINGS: Final = {Tier(name): most for name, (_, most) in POOL_RANGES.items()}
"""The most nodes of each tier: the configuration refuses more, and so does a graph from elsewhere."""

_TAGGED: Final = frozenset({
    "aws:ec2/vpc:Vpc", "aws:ec2/natGateway:NatGateway", "aws:ec2/eip:Eip", "aws:eks/cluster:Cluster",
    "aws:eks/nodeGroup:NodeGroup", "aws:rds/instance:Instance", "aws:rds/cluster:Cluster", "aws:s3/bucket:Bucket",
    "aws:s3/bucketV2:BucketV2", "aws:elasticache/replicationGroup:ReplicationGroup", "aws:ebs/volume:Volume",
    "aws:efs/fileSystem:FileSystem", "aws:ec2/instance:Instance", "aws:lb/loadBalancer:LoadBalancer",
    "aws:kms/key:Key", "aws:dynamodb/table:Table", "aws:autoscaling/group:Group", "aws:ec2/vpcEndpoint:VpcEndpoint",
})  # fmt: skip
"""Types that are billed and can bear tags."""

_LABELLED: Final = {
    "gcp:compute/disk:Disk": "labels",
    "gcp:compute/instance:Instance": "labels",
    "gcp:container/cluster:Cluster": "resourceLabels",
    "gcp:container/nodePool:NodePool": "nodeConfig.resourceLabels",
    "gcp:kms/cryptoKey:CryptoKey": "labels",
    "gcp:redis/instance:Instance": "labels",
    "gcp:sql/databaseInstance:DatabaseInstance": "settings.userLabels",
    "gcp:storage/bucket:Bucket": "labels",
}
"""Google's types that are billed -> where their labels stand; the provider's own reach a top-level input only.

Source: SDK of pulumi-gcp, which types have effective_labels, read 2026-11.
"""
_LABELS: Final = tuple(key.replace(":", "-") for key in COST_TAGS)
"""The cost tags as labels, whose names have no colon."""


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f} USD"


def _maximum(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    limits = [(root, fact) for root, fact in context.roots if fact.budget_usd_per_month is not None]
    if not limits:
        yield not_applicable("no deployment of the graph names a budget")
        return
    root, deployment = limits[-1]
    path = "deployment.budgetUsdPerMonth"
    if context.estimate is None:
        yield undetermined(root, "no prices are at hand, so the cost is not known", path)
        return
    estimate = context.estimate(graph)
    limit = Decimal(str(deployment.budget_usd_per_month))
    known = estimate.maximum_usd
    if known > limit:
        least = "" if estimate.is_complete else "at least "
        text = f"a month at the largest size costs {least}{_money(known)}, more than the budget of {_money(limit)}"
        yield violation(root, text, path)
    elif not estimate.is_complete:
        text = f"the known part of a month is {_money(known)} of {_money(limit)}, and something has no price"
        yield undetermined(root, text, path)
    else:
        yield ok(root, f"a month at the largest size costs {_money(known)} of {_money(limit)}")


def _tags(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource in graph.of_type(*_TAGGED):
        provider = graph.provider_of(resource)
        shared = _default_tags(provider) if provider else {}
        yield _borne(resource, "tags", "tags", shared, COST_TAGS)
    for resource in graph.of_type(*_LABELLED):
        path = _LABELLED[resource.type]
        provider = graph.provider_of(resource) if "." not in path else None
        shared = mapping({"labels": _given(provider, "defaultLabels")}, "labels") if provider else {}
        yield _borne(resource, "labels", path, shared, _LABELS)


def _borne(resource: Resource, word: str, path: str, shared: Any, wanted: tuple[str, ...]) -> Judgement:
    """Judge the tags or labels of one resource, together with those that its provider gives to all."""
    own = mapping(resource.inputs, path)
    if own is UNKNOWN:
        return undetermined(resource, f"its {word} are not known before a deployment", path)
    if shared is UNKNOWN:
        return undetermined(resource, f"its provider's {word} are not known before a deployment", path)
    missing = [key for key in wanted if key not in own and key not in shared]
    if missing:
        return violation(resource, f"it lacks the cost {word} {', '.join(missing)}", path)
    return ok(resource)


def _given(provider: Resource, key: str) -> Any:
    """Return an input of a provider; the SDK hands structured provider configuration on as JSON text."""
    given = plain(find(provider.inputs, key))
    if isinstance(given, str):
        try:
            return json.loads(given)
        except ValueError:
            return UNKNOWN
    return given


def _default_tags(provider: Resource) -> Any:
    return mapping({"defaultTags": _given(provider, "defaultTags")}, "defaultTags.tags")


def _ceiling(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    if context.roots and all(fact.system != "sensei" for _, fact in context.roots):
        yield not_applicable("no deployment of the graph has tiers, whose nodes alone have a ceiling")
        return
    for resource, facts in context.components():
        if facts.nodes is None or facts.scaling is None or facts.tier not in NODE_CEILINGS:
            continue
        ceiling = NODE_CEILINGS[facts.tier]
        if facts.scaling.maximum > ceiling:
            text = f"{facts.scaling.maximum} nodes are more than the {ceiling} of the {facts.tier.value} tier"
            yield violation(resource, text, "scaling.maximum")
        else:
            yield ok(resource)


def _spot(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, facts in context.components():
        if facts.nodes is None:
            continue
        if facts.nodes.purchase == "spot" and facts.tier is not Tier.EXECUTION:
            text = "spot machines may be taken away at any time, and only the execution tier bears that"
            yield violation(resource, text, "nodes.purchase")
        else:
            yield ok(resource)
    for resource in graph.of_type("aws:eks/nodeGroup:NodeGroup"):
        value = plain(resource.inputs.get("capacityType"))
        if value is UNKNOWN:
            yield undetermined(resource, "its capacityType is not known before a deployment", "capacityType")
        elif value == "SPOT" and context.facts(resource).tier is not Tier.EXECUTION:
            text = "spot machines may be taken away at any time, and only the execution tier bears that"
            yield violation(resource, text, "capacityType")
        else:
            yield ok(resource)


RULES: Final = (
    Rule(
        id="BUD001",
        title="a month at the largest size stays within the budget",
        severity=Severity.HIGH,
        rationale="an autoscaler spends without asking",
        remedy="lower a pool's maximum, choose smaller machines, or raise budget.maximum_usd_per_month",
        controls=("FinOps Framework: Budgeting",),
        subject="deployments with a budget",
        check=_maximum,
    ),
    Rule(
        id="BUD002",
        title="everything that is billed bears the cost tags",
        severity=Severity.LOW,
        rationale="a bill that cannot be split by tier cannot be explained",
        remedy=f"set the tags {', '.join(COST_TAGS)} (labels on Google: {', '.join(_LABELS)}), best by the provider",
        controls=("FinOps Framework: Allocation",),
        subject="billed resources",
        check=_tags,
    ),
    Rule(
        id="BUD003",
        title="no pool may grow beyond the ceiling of its tier",
        severity=Severity.MEDIUM,
        rationale="addresses, quotas and the budget are planned for that many nodes",
        remedy="lower the pool's maximum",
        controls=("FinOps Framework: Rate optimization",),
        subject="node pools",
        check=_ceiling,
    ),
    Rule(
        id="BUD004",
        title="only work that may be interrupted runs on spot machines",
        severity=Severity.HIGH,
        rationale="the cheapest machine is dear when it takes a store with it",
        remedy="use on-demand machines for the cognitive and the meta tier",
        controls=("NIST SP 800-53 CP-10",),
        subject="node pools",
        check=_spot,
    ),
    Rule(
        id="BUD005",
        title="what is stored fits into the space that the mode is sold with",
        severity=Severity.MEDIUM,
        rationale="a full disk stops every store on it at once",
        remedy="make volumes smaller, or agree on more space and waive this with the figure",
        controls=("FinOps Framework: Planning & Estimating", "NIST SP 800-53 CP-2(2)"),
        subject="deployments in a mode with a figure for storage",
        check=storage_space,
    ),
)
