"""REL: what must live on survives the loss of a machine, a zone, and a slip of the hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policies.context import Context
from policies.reading import mapping, rows
from policies.rules import azure, growth
from policies.rules.google import one_zone
from policies.verdict import Judgement, Rule, Severity, ok, undetermined, violation
from policies.workloads import REPLICATED, kind_of, namespace_of, of_kind, pod_template, selects
from skerry.graph import UNKNOWN, Resource, ResourceGraph, find, is_known, plain

QUORUM: Final = 3
"""The fewest voters of which one may be lost: a majority of 3 is 2."""

_KEEPERS: Final = frozenset({
    *azure.KEEPERS,
    "aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2", "aws:rds/instance:Instance", "aws:rds/cluster:Cluster",
    "aws:elasticache/replicationGroup:ReplicationGroup", "aws:efs/fileSystem:FileSystem", "aws:ebs/volume:Volume",
    "aws:dynamodb/table:Table", "kubernetes:apps/v1:StatefulSet", "kubernetes:core/v1:PersistentVolumeClaim",
    "gcp:storage/bucket:Bucket", "gcp:sql/databaseInstance:DatabaseInstance", "gcp:redis/instance:Instance",
    "gcp:compute/disk:Disk",
})  # fmt: skip
"""Types of which a stateful component's data are made."""


def _quorum(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, facts in context.components():
        if not facts.quorum:
            continue
        problems = []
        for value, word, path in (
            (facts.replicas, "members", "replicas"),
            (facts.failure_domains, "failure domains", "failureDomains"),
        ):
            if value is None:
                yield undetermined(resource, f"its number of {word} is not known", path)
                problems.append(word)
            elif value < QUORUM:
                text = f"it needs a majority but has {value} {word}: the loss of one stops it"
                yield violation(resource, text, path)
                problems.append(word)
        if not problems:
            yield ok(resource)


def _kept(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource in graph.resources:
        if resource.type not in _KEEPERS and not _custom_store(context, resource):
            continue
        stateful = any(
            ancestor.urn in context.own and context.own[ancestor.urn].stateful for ancestor in graph.ancestors(resource)
        )
        if not stateful and context.own:
            continue
        missing = [] if resource.protect else ["protect"]
        if context.sees_retain and not resource.retain_on_delete:
            missing.append("retainOnDelete")
        if missing:
            yield violation(resource, f"it keeps data without {' and '.join(missing)}")
        else:
            yield ok(resource)


def _custom_store(context: Context, resource: Resource) -> bool:
    """Say whether a resource is a custom Kubernetes object through which an operator keeps a store."""
    return kind_of(resource) in ("Cluster", "MongoDBCommunity", "Neo4jCluster") and not resource.type.startswith("aws:")


def _pools(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource, facts in context.components():
        scaling = facts.scaling
        if scaling is None:
            continue
        exist = facts.nodes is not None and facts.nodes.purchase == "existing"
        if scaling.minimum < scaling.maximum and not scaling.autoscaler and not exist:
            text = f"{scaling.minimum} to {scaling.maximum} are planned, but nothing scales them"
            yield violation(resource, text, "scaling.autoscaler")
        else:
            yield ok(resource)
    yield from growth.groups(graph, context)


def _zones(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    for resource in graph.of_type("aws:rds/instance:Instance"):
        value = plain(resource.inputs.get("multiAz"))
        if value is UNKNOWN:
            yield undetermined(resource, "its input multiAz is not known before a deployment", "multiAz")
        elif value is True:
            yield ok(resource)
        else:
            yield violation(resource, "the database stands in one zone", "multiAz")
    for resource in graph.of_type("aws:elasticache/replicationGroup:ReplicationGroup"):
        value = plain(resource.inputs.get("multiAzEnabled"))
        failover = plain(resource.inputs.get("automaticFailoverEnabled"))
        if value is UNKNOWN or failover is UNKNOWN:
            text = "its zones are not known before a deployment"
            yield undetermined(resource, text, "multiAzEnabled")
        elif value is True and failover is True:
            yield ok(resource)
        else:
            text = "without multiAzEnabled and automaticFailoverEnabled the loss of a zone stops it"
            yield violation(resource, text, "multiAzEnabled")
    yield from one_zone(graph)
    yield from azure.one_zone(graph)


def _budgets(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    budgets = [
        (namespace_of(graph, budget), mapping(budget.inputs, "spec.selector"))
        for budget in of_kind(graph, "PodDisruptionBudget")
    ]
    for resource in of_kind(graph, *REPLICATED):
        replicas = find(plain(resource.inputs), "spec.replicas")
        if replicas is UNKNOWN:
            yield undetermined(resource, "its replicas are not known before a deployment", "spec.replicas")
            continue
        if replicas is None:
            replicas = context.facts(resource).replicas or _above(context, graph, resource)
        if replicas is not None and not isinstance(replicas, int):
            yield undetermined(resource, "its replicas are no number", "spec.replicas")
            continue
        if replicas is None or replicas < 2:
            continue
        yield _covered(graph, resource, budgets)


def _above(context: Context, graph: ResourceGraph, resource: Resource) -> int | None:
    parent = graph.get(resource.parent)
    own = context.own.get(parent.urn) if parent else None
    return own.replicas if own else None


def _covered(graph: ResourceGraph, resource: Resource, budgets: list[tuple[Any, Any]]) -> Judgement:
    namespace = namespace_of(graph, resource)
    labels = mapping(pod_template(resource), "metadata.labels")
    unsure = namespace is UNKNOWN
    for where, selector in budgets:
        if UNKNOWN not in (where, namespace) and where != namespace:
            continue
        taken = selects(selector, labels)
        if taken and where == namespace and where is not UNKNOWN:
            return ok(resource)
        unsure = unsure or taken is not False
    if unsure:
        return undetermined(resource, "whether a PodDisruptionBudget covers it is not known before a deployment")
    return violation(resource, "no PodDisruptionBudget covers its pods: a drain may stop all of them at once")


ZONE_KEYS: Final = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")


def _drain(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
    """Look for the trap: a cordoned zone still counts as a domain, so evicted pods stay pending and a drain hangs.

    Source: Kubernetes "Pod Topology Spread Constraints", nodeTaintsPolicy defaults to Ignore, read 2026-11; seen on a
    1.34 API server and scheduler.
    """
    for resource in graph.resources:
        if not kind_of(resource):
            continue
        found = list(_spreads(resource.inputs))
        template = pod_template(resource)
        if not found and rows(template, "spec.topologySpreadConstraints") is UNKNOWN:
            found = [("spec.template", UNKNOWN)]
        for path, value in found:
            yield from _spread(resource, path, rows(value))


def _spreads(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every list of spread constraints with its path: in pod templates, and in what operators read."""
    value = plain(value)
    if isinstance(value, dict):
        for key, item in value.items():
            path = f"{prefix}.{key}" if prefix else str(key)
            if key == "topologySpreadConstraints":
                yield path, item
            else:
                yield from _spreads(item, path)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _spreads(item, f"{prefix}[{index}]")


def _spread(resource: Resource, path: str, found: Any) -> Iterator[Judgement]:
    if not is_known(found):
        yield undetermined(resource, "its spread constraints are not known before a deployment", path)
        return
    hard = [row for row in found if row.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule"]
    hard = [row for row in hard if row.get("topologyKey") in ZONE_KEYS]
    if any(row.get("nodeTaintsPolicy") != "Honor" for row in hard):
        text = "with zones spread DoNotSchedule and nodeTaintsPolicy not Honor, draining a zone hangs for ever"
        yield violation(resource, text, path)
    elif hard:
        yield ok(resource)


RULES: Final = (
    Rule(
        id="REL001",
        title="what needs a majority has three members in three failure domains",
        severity=Severity.HIGH,
        rationale="of two voters none may be lost: two are less available than one",
        remedy="run three members, and name three zones, racks or hosts in target.failure_domains",
        controls=("NIST SP 800-53 CP-10", "NIST SP 800-53 SC-36"),
        subject="components with a quorum",
        check=_quorum,
    ),
    Rule(
        id="REL002",
        title="stores are protected, and retained when they leave the program",
        severity=Severity.HIGH,
        rationale="a destroy, or a renamed resource, would take the data with it",
        remedy="create it with store_options(), or set protect and retain_on_delete",
        controls=("NIST SP 800-53 CP-9", "CKV_AWS_293"),
        subject="resources that keep data",
        check=_kept,
    ),
    Rule(
        id="REL003",
        title="what may grow has something that makes it grow",
        severity=Severity.MEDIUM,
        rationale="a maximum that nothing reaches is a promise nobody keeps",
        remedy="name an autoscaler, or set the minimum and the maximum to the same number",
        controls=("NIST SP 800-53 CP-2(2)",),
        subject="components with a scaling range or groups of machines",
        check=_pools,
    ),
    Rule(
        id="REL004",
        title="managed stores stand in more than one zone",
        severity=Severity.HIGH,
        rationale="zones are lost whole",
        remedy="set multiAz (RDS), multiAzEnabled and automaticFailoverEnabled (ElastiCache), REGIONAL (Cloud SQL), "
        "STANDARD_HA (Memorystore) or ZoneRedundant (PostgreSQL on Azure)",
        controls=("CKV_AWS_157", "NIST SP 800-53 CP-10"),
        subject="managed databases and caches",
        check=_zones,
    ),
    Rule(
        id="REL005",
        title="replicated workloads have a PodDisruptionBudget",
        severity=Severity.MEDIUM,
        rationale="upgrades of nodes drain them one after another, without asking",
        remedy="add a PodDisruptionBudget whose selector takes the pods",
        controls=("NIST SP 800-53 CP-10",),
        subject="workloads with two or more replicas",
        check=_budgets,
    ),
    Rule(
        id="REL006",
        title="a zone can be drained",
        severity=Severity.MEDIUM,
        rationale="a drain that hangs is found out during the upgrade",
        remedy="set nodeTaintsPolicy: Honor on the zone's topology spread constraint",
        controls=("NIST SP 800-53 CP-10",),
        subject="workloads that must spread over zones",
        check=_drain,
    ),
)
