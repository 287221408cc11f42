from __future__ import annotations

from typing import Any

import pytest

from policies.rules.reliability import RULES
from skerry.facts import NodesFact, ScalingFact
from skerry.graph import UNKNOWN
from tests.simulators.policy_graphs import Build, Builder, run, told

REL001, REL002, REL003, REL004, REL005, REL006 = RULES
Told = list[tuple[str, str, str]]

QUORUM: dict[str, tuple[Build, Told]] = {
    "three in three": (
        lambda b: b.component("c", quorum=True, replicas=3, failure_domains=3),
        [("ok", "c", "")],
    ),
    "two members": (
        lambda b: b.component("c", quorum=True, replicas=2, failure_domains=3),
        [("violation", "c", "it needs a majority but has 2 members: the loss of one stops it")],
    ),
    "two zones": (
        lambda b: b.component("c", quorum=True, replicas=3, failure_domains=2),
        [("violation", "c", "it needs a majority but has 2 failure domains: the loss of one stops it")],
    ),
    "nobody says": (
        lambda b: b.component("c", quorum=True, replicas=3),
        [("undetermined", "c", "its number of failure domains is not known")],
    ),
    "no quorum": (
        lambda b: b.component("c", replicas=1),
        [("not-applicable", "", "no components with a quorum in the graph")],
    ),
}


@pytest.mark.parametrize("case", QUORUM)
def test_rel001_a_majority_lives(case: str) -> None:
    build, expected = QUORUM[case]
    assert expected == told(run(build, REL001))


RDS = "aws:rds/instance:Instance"


def store(stateful: bool = True, kind: str = RDS, **options: Any) -> Build:
    return lambda b: b.add(kind, "db", parent=b.component("c", stateful=stateful), **options)


KEPT: dict[str, tuple[Build, Told]] = {
    "kept": (store(protect=True, retain_on_delete=True), [("ok", "db", "")]),
    "neither": (store(), [("violation", "db", "it keeps data without protect and retainOnDelete")]),
    "not protected": (store(retain_on_delete=True), [("violation", "db", "it keeps data without protect")]),
    "not retained": (store(protect=True), [("violation", "db", "it keeps data without retainOnDelete")]),
    "a custom object of an operator": (
        store(kind="kubernetes:postgresql.cnpg.io/v1:Cluster"),
        [("violation", "db", "it keeps data without protect and retainOnDelete")],
    ),
    "of a component that keeps nothing": (
        store(stateful=False),
        [("not-applicable", "", "no resources that keep data in the graph")],
    ),
    "of a foreign program": (
        lambda b: b.add(RDS, "db"),
        [("violation", "db", "it keeps data without protect and retainOnDelete")],
    ),
}


@pytest.mark.parametrize("case", KEPT)
def test_rel002_stores_are_kept(case: str) -> None:
    build, expected = KEPT[case]
    assert expected == told(run(build, REL002))


def test_rel002_does_not_judge_an_option_it_cannot_see() -> None:
    assert told(run(store(protect=True), REL002, sees_retain=False)) == [("ok", "db", "")]


def scaled(minimum: int, maximum: int, autoscaler: str | None = None, purchase: str = "on-demand") -> Build:
    fact = ScalingFact(minimum=minimum, typical=minimum, maximum=maximum, autoscaler=autoscaler)
    nodes = NodesFact(vcpu=8, memory_gib=32, purchase=purchase, priced_here=True)
    return lambda b: b.component("c", scaling=fact, nodes=nodes)


POOLS: dict[str, tuple[Build, Told]] = {
    "scaled": (scaled(4, 128, "ray"), [("ok", "c", "")]),
    "fixed": (scaled(3, 3), [("ok", "c", "")]),
    "machines that exist need no autoscaler": (scaled(4, 128, purchase="existing"), [("ok", "c", "")]),
    "promised": (scaled(4, 128), [("violation", "c", "4 to 128 are planned, but nothing scales them")]),
    "no range": (
        lambda b: b.component("c"),
        [("not-applicable", "", "no components with a scaling range or groups of machines in the graph")],
    ),
}


NODE_GROUP, SCALING_GROUP = "aws:eks/nodeGroup:NodeGroup", "aws:autoscaling/group:Group"
AKS_POOL, AKS_CLUSTER = (
    "azure-native:containerservice:AgentPool",
    "azure-native:containerservice:ManagedCluster",
)
GROWS = {"scalingConfig": {"minSize": 2, "maxSize": 10}}
RELEASE = "kubernetes:helm.sh/v3:Release"
UNSCALED = "2 to 10 are planned, but nothing in this program scales them"


def group(kind: str, inputs: dict[str, Any], *more: tuple[str, str, dict[str, Any]]) -> Build:
    def build(b: Builder) -> None:
        b.add(kind, "g", inputs)
        for type_, name, given in more:
            b.add(type_, name, given)

    return build


POOLS |= {
    "a group of EKS that something else in the cluster would scale, if it were there": (
        group(NODE_GROUP, GROWS, (RELEASE, "web", {"chart": "nginx"})),
        [("violation", "g", UNSCALED)],
    ),
    "a group of EKS in a program that makes nothing in the cluster": (
        group(NODE_GROUP, GROWS),
        [("undetermined", "g", f"{UNSCALED}; what runs in the cluster is not in it either")],
    ),
    "a group of EKS with the autoscaler of Kubernetes": (
        group(NODE_GROUP, GROWS, (RELEASE, "scaler", {"chart": "cluster-autoscaler"})),
        [("ok", "g", "")],
    ),
    "a group of EKS of one size": (
        group(NODE_GROUP, {"scalingConfig": {"minSize": 3, "maxSize": 3}}),
        [("ok", "g", "")],
    ),
    "a group of EKS whose size is not known": (
        group(NODE_GROUP, {"scalingConfig": {"minSize": 1, "maxSize": UNKNOWN}}),
        [("undetermined", "g", "its bounds are not known before a deployment")],
    ),
    "a group of EC2 without a policy": (
        group(SCALING_GROUP, {"minSize": 2, "maxSize": 10}),
        [("violation", "g", UNSCALED)],
    ),
    "a group of EC2 with one": (
        group(SCALING_GROUP, {"minSize": 2, "maxSize": 10}, ("aws:autoscaling/policy:Policy", "p", {})),
        [("ok", "g", "")],
    ),
    "a pool of AKS that is told not to scale": (
        group(AKS_POOL, {"minCount": 2, "maxCount": 10}),
        [("violation", "g", "2 to 10 are planned, but enableAutoScaling is not true")],
    ),
    "a pool of AKS that scales": (
        group(AKS_POOL, {"minCount": 2, "maxCount": 10, "enableAutoScaling": True}),
        [("ok", "g", "")],
    ),
    "the first pool of an AKS cluster": (
        group(AKS_CLUSTER, {"agentPoolProfiles": [{"minCount": 2, "maxCount": 10, "enableAutoScaling": False}]}),
        [("violation", "g", "2 to 10 are planned, but enableAutoScaling is not true")],
    ),
    "a pool of GKE has its own": (
        group("gcp:container/nodePool:NodePool", {"autoscaling": {"minNodeCount": 2, "maxNodeCount": 10}}),
        [("not-applicable", "", "no components with a scaling range or groups of machines in the graph")],
    ),
    "a group that a component speaks for": (
        lambda b: b.add(
            NODE_GROUP,
            "g",
            GROWS,
            parent=b.component("c", scaling=ScalingFact(minimum=3, typical=3, maximum=3)),
        ),
        [("ok", "c", "")],
    ),
}


@pytest.mark.parametrize("case", POOLS)
def test_rel003_growth_has_a_cause(case: str) -> None:
    build, expected = POOLS[case]
    assert expected == told(run(build, REL003))


CACHE = "aws:elasticache/replicationGroup:ReplicationGroup"
ZONES: dict[str, tuple[Build, Told]] = {
    "two zones": (lambda b: b.add(RDS, "db", {"multiAz": True}), [("ok", "db", "")]),
    "one zone": (lambda b: b.add(RDS, "db"), [("violation", "db", "the database stands in one zone")]),
    "unknown": (
        lambda b: b.add(RDS, "db", {"multiAz": UNKNOWN}),
        [("undetermined", "db", "its input multiAz is not known before a deployment")],
    ),
    "a cache with failover": (
        lambda b: b.add(CACHE, "cache", {"multiAzEnabled": True, "automaticFailoverEnabled": True}),
        [("ok", "cache", "")],
    ),
    "a cache without": (
        lambda b: b.add(CACHE, "cache", {"multiAzEnabled": True}),
        [
            (
                "violation",
                "cache",
                "without multiAzEnabled and automaticFailoverEnabled the loss of a zone stops it",
            )
        ],
    ),
    "an unknown cache": (
        lambda b: b.add(CACHE, "cache", {"multiAzEnabled": UNKNOWN}),
        [("undetermined", "cache", "its zones are not known before a deployment")],
    ),
    "neither": (lambda b: None, [("not-applicable", "", "no managed databases and caches in the graph")]),
}


@pytest.mark.parametrize("case", ZONES)
def test_rel004_zones(case: str) -> None:
    build, expected = ZONES[case]
    assert expected == told(run(build, REL004))


DEPLOYMENT = "kubernetes:apps/v1:Deployment"
PDB = "kubernetes:policy/v1:PodDisruptionBudget"


def workload(replicas: Any, budget: dict[str, Any] | None, namespace: Any = "meta", labels: Any = None) -> Build:
    def build(b: Builder) -> None:
        meta = {"namespace": "meta"}
        template = {"metadata": {"labels": labels or {"app": "web"}}, "spec": {}}
        b.add(DEPLOYMENT, "web", {"metadata": meta, "spec": {"replicas": replicas, "template": template}})
        if budget is not None:
            b.add(PDB, "pdb", {"metadata": {"namespace": namespace}, "spec": {"selector": budget}})

    return build


TAKES = {"matchLabels": {"app": "web"}}
BARE: Told = [("violation", "web", "no PodDisruptionBudget covers its pods: a drain may stop all of them at once")]
UNSURE: Told = [("undetermined", "web", "whether a PodDisruptionBudget covers it is not known before a deployment")]
NONE: Told = [("not-applicable", "", "no workloads with two or more replicas in the graph")]
BUDGETS: dict[str, tuple[Build, Told]] = {
    "covered": (workload(2, TAKES), [("ok", "web", "")]),
    "not covered": (workload(2, None), BARE),
    "another label": (workload(2, {"matchLabels": {"app": "api"}}), BARE),
    "another namespace": (workload(2, TAKES, "other"), BARE),
    "an unknown namespace": (workload(2, TAKES, UNKNOWN), UNSURE),
    "an unknown selector": (workload(2, {"matchLabels": {"app": UNKNOWN}}), UNSURE),
    "expressions are not evaluated": (workload(2, {"matchExpressions": [{"key": "app"}]}), UNSURE),
    "unknown replicas": (
        workload(UNKNOWN, TAKES),
        [("undetermined", "web", "its replicas are not known before a deployment")],
    ),
    "replicas that are no number": (workload("two", None), [("undetermined", "web", "its replicas are no number")]),
    "one replica": (workload(1, None), NONE),
    "replicas of an autoscaler, named by the component": (
        lambda b: b.add(DEPLOYMENT, "web", {"spec": {}}, parent=b.component("c", replicas=4)),
        BARE,
    ),
    "no workload": (lambda b: None, NONE),
}


@pytest.mark.parametrize("case", BUDGETS)
def test_rel005_disruption_budgets(case: str) -> None:
    build, expected = BUDGETS[case]
    assert expected == told(run(build, REL005))


def spread(rows: Any) -> Build:
    inputs = {"spec": {"template": {"spec": {"topologySpreadConstraints": rows}}}}
    return lambda b: b.add(DEPLOYMENT, "web", inputs)


ZONE = {"topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}
DRAINS: dict[str, tuple[Build, Told]] = {
    "honoured": (spread([{**ZONE, "nodeTaintsPolicy": "Honor"}]), [("ok", "web", "")]),
    "the default": (
        spread([ZONE]),
        [
            (
                "violation",
                "web",
                "with zones spread DoNotSchedule and nodeTaintsPolicy not Honor, draining a zone hangs for ever",
            )
        ],
    ),
    "only a wish": (
        spread([{**ZONE, "whenUnsatisfiable": "ScheduleAnyway"}]),
        [("not-applicable", "", "no workloads that must spread over zones in the graph")],
    ),
    "hosts": (
        spread([{**ZONE, "topologyKey": "kubernetes.io/hostname"}]),
        [("not-applicable", "", "no workloads that must spread over zones in the graph")],
    ),
    "unknown": (
        spread(UNKNOWN),
        [("undetermined", "web", "its spread constraints are not known before a deployment")],
    ),
    "an unknown template": (
        lambda b: b.add(DEPLOYMENT, "web", {"spec": {"template": UNKNOWN}}),
        [("undetermined", "web", "its spread constraints are not known before a deployment")],
    ),
    "in an object of an operator": (
        lambda b: b.add(
            "kubernetes:ray.io/v1:RayCluster", "web", {"spec": {"a": [{"topologySpreadConstraints": [ZONE]}]}}
        ),
        [
            (
                "violation",
                "web",
                "with zones spread DoNotSchedule and nodeTaintsPolicy not Honor, draining a zone hangs for ever",
            )
        ],
    ),
}


@pytest.mark.parametrize("case", DRAINS)
def test_rel006_a_zone_can_be_drained(case: str) -> None:
    build, expected = DRAINS[case]
    assert expected == told(run(build, REL006))
