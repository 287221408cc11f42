from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from policies.context import Context
from policies.rules.catalogue import ALL_RULES, FAMILIES, RETIRED
from policies.runner import check
from policies.verdict import Judgement, Rule, Severity, Verdict, ok, undetermined, violation
from policies.waivers import WAIVER_RULES
from skerry.errors import PolicyError, UsageError
from skerry.facts import BoundaryFact, DataClass, ScalingFact, Tier, WaiverFact
from skerry.graph import UNKNOWN, ResourceGraph, Secret
from tests.simulators.policy_graphs import DIGEST, TODAY, Builder, run, told


def rule(verdict: Verdict, severity: Severity = Severity.HIGH, id_: str = "RES001") -> Rule:
    """Return a rule that says the same of every bucket."""

    def judge(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
        for resource in graph.of_type("aws:s3/bucket:Bucket"):
            yield Judgement(verdict, resource, "found")

    return replace(ALL_RULES[0], id=id_, severity=severity, check=judge, subject="buckets")


def bucket(b: Builder) -> str:
    return b.add("aws:s3/bucket:Bucket", "data")


EXITS = {
    "ok passes": (Verdict.OK, Severity.CRITICAL, False, 0),
    "a critical violation fails": (Verdict.VIOLATION, Severity.CRITICAL, False, 1),
    "a medium violation fails": (Verdict.VIOLATION, Severity.MEDIUM, False, 1),
    "a low violation is advice": (Verdict.VIOLATION, Severity.LOW, False, 0),
    "what is undetermined passes": (Verdict.UNDETERMINED, Severity.CRITICAL, False, 0),
    "unless one is strict": (Verdict.UNDETERMINED, Severity.LOW, True, 1),
    "strict does not fail what is ok": (Verdict.OK, Severity.CRITICAL, True, 0),
}


@pytest.mark.parametrize("case", EXITS)
def test_exit_code(case: str) -> None:
    verdict, severity, strict, expected = EXITS[case]
    assert expected == run(bucket, rule(verdict, severity)).exit_code(strict=strict)


def test_counts_are_per_verdict() -> None:
    report = run(bucket, rule(Verdict.OK), rule(Verdict.VIOLATION), rule(Verdict.UNDETERMINED))
    expected = {
        Verdict.VIOLATION: 1,
        Verdict.UNDETERMINED: 1,
        Verdict.WAIVED: 0,
        Verdict.OK: 1,
        Verdict.NOT_APPLICABLE: 0,
    }
    assert expected == report.counts


def test_a_rule_without_a_judgement_is_not_applicable() -> None:
    assert told(run(lambda b: None, rule(Verdict.OK))) == [("not-applicable", "", "no buckets in the graph")]


def test_a_rule_that_raises_stops_the_check() -> None:
    def broken(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
        yield ok(None)
        raise KeyError("tags")

    with pytest.raises(PolicyError) as caught:
        run(bucket, replace(ALL_RULES[0], check=broken))
    assert str(caught.value) == "rule RES001 failed to run: KeyError: 'tags'"
    assert caught.value.exit_code == 3


def test_an_unknown_taken_for_a_condition_is_a_broken_rule() -> None:
    def careless(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
        if UNKNOWN:
            yield ok(None)

    with pytest.raises(PolicyError):
        run(bucket, replace(ALL_RULES[0], check=careless))


def test_a_boundary_that_is_no_country_is_wrong_use() -> None:
    rows = (BoundaryFact(data_class=DataClass.PUBLIC, jurisdictions=("UK",)),)
    with pytest.raises(UsageError) as caught:
        run(lambda b: b.deployment(boundaries=rows), *ALL_RULES)
    assert caught.value.exit_code == 2


def waived(b: Builder, resource: str = "data", expires: str = "2026-12-31", id_: str = "RES001") -> None:
    fact = WaiverFact(rule=id_, resource=resource, owner="Ada", reason="until the move", expires=expires)
    b.deployment(waivers=(fact,))
    bucket(b)


WAIVED = ("waived", "data", "found")
STANDS = ("violation", "data", "found")
LABEL = "the waiver of RES001 for"
WAIVERS: dict[str, tuple[dict[str, str], list[tuple[str, str, str]]]] = {
    "by name": ({}, [WAIVED]),
    "by a glob": ({"resource": "dat*"}, [WAIVED]),
    "by URN": ({"resource": "urn:pulumi:dev::demo::aws:s3/bucket:Bucket::data"}, [WAIVED]),
    "by path": ({"resource": "demo-dev > *"}, [WAIVED]),
    "on its last day": ({"expires": "2026-11-20"}, [WAIVED]),
    "a day after": (
        {"expires": "2026-11-19"},
        [STANDS, ("violation", "platform", f"{LABEL} 'data' (Ada) expired on 2026-11-19")],
    ),
    "for something else": (
        {"resource": "other"},
        [STANDS, ("violation", "platform", f"{LABEL} 'other' (Ada) covers no finding")],
    ),
    "of another rule": (
        {"id_": "NET001"},
        [STANDS, ("violation", "platform", "the waiver of NET001 for 'data' (Ada) covers no finding")],
    ),
    "of no rule": (
        {"id_": "RES999"},
        [STANDS, ("violation", "platform", "the waiver of RES999 for 'data' (Ada) names no rule")],
    ),
}


@pytest.mark.parametrize("case", WAIVERS)
def test_waivers(case: str) -> None:
    options, expected = WAIVERS[case]
    assert expected == told(run(lambda b: waived(b, **options), rule(Verdict.VIOLATION)))


def test_a_waived_finding_says_who_why_and_until_when() -> None:
    (finding,) = run(waived, rule(Verdict.UNDETERMINED)).findings
    expected = ("Ada", "until the move", "2026-12-31", Verdict.UNDETERMINED)
    assert expected == (finding.owner, finding.reason, finding.expires, finding.waived_from)


def test_what_is_ok_is_not_waived() -> None:
    assert [
        ("ok", "data", "found"),
        ("violation", "platform", f"{LABEL} 'data' (Ada) covers no finding"),
    ] == told(run(waived, rule(Verdict.OK)))


def test_a_waiver_reaches_its_own_stack_only() -> None:
    below, above = Builder("base"), Builder("dev")
    bucket(below)
    waived(above)
    graph = ResourceGraph("demo", ("base", "dev"), tuple(below.resources + above.resources))
    report = check(graph, today=TODAY, rules=(rule(Verdict.VIOLATION),))
    assert told(report) == [("violation", "data", "found"), WAIVED]


def test_waivers_that_the_caller_hands_in_reach_all_stacks_and_are_judged_too() -> None:
    below, above = Builder("base"), Builder("dev")
    bucket(below)
    bucket(above)
    graph = ResourceGraph("demo", ("base", "dev"), tuple(below.resources + above.resources))
    facts = tuple(
        WaiverFact(rule="RES001", resource=name, owner="Ada", reason="until the move", expires="2026-12-31")
        for name in ("data", "other")
    )
    report = check(graph, today=TODAY, rules=(rule(Verdict.VIOLATION),), waivers=facts)
    wrong = ("violation", "", f"{LABEL} 'other' (Ada) covers no finding")
    assert [WAIVED, WAIVED, wrong] == told(report)
    assert report.findings[-1].property_path == "waivers[1]"


def test_a_waiver_of_a_retired_rule_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RETIRED, "RES900", "it is part of RES001 now")
    report = run(lambda b: waived(b, id_="RES900"), rule(Verdict.VIOLATION))
    expected = "the waiver of RES900 for 'data' (Ada) names a retired rule: it is part of RES001 now"
    assert expected == told(report)[-1][2]


def test_a_waiver_that_expires_on_no_day_is_refused() -> None:
    with pytest.raises(PolicyError) as caught:
        run(lambda b: waived(b, expires="soon"), rule(Verdict.VIOLATION))
    assert str(caught.value) == "the waiver of RES001 expires on 'soon', which is no date"


def test_the_same_graph_gives_the_same_findings_on_each_run() -> None:
    assert run(rich, *ALL_RULES).findings == run(rich, *ALL_RULES).findings


def test_ids_are_unique_well_formed_and_never_given_again() -> None:
    ids = [one.id for one in (*ALL_RULES, *WAIVER_RULES)]
    assert sorted(set(ids)) == sorted(ids)
    assert not set(ids) & set(RETIRED)
    for one in ids:
        assert one[:3] in FAMILIES
        assert one[3:].isdigit()
        assert len(one) == 6


def test_every_rule_says_what_it_is_for() -> None:
    for one in (*ALL_RULES, *WAIVER_RULES):
        assert one.title and one.rationale and one.remedy and one.controls and one.subject, one.id
        assert not one.title.endswith("."), one.id


def rich(b: Builder) -> None:
    """One of each kind of resource that a rule reads."""
    root = b.deployment({"kind": "onprem", "connected": False, "site_registry": "site:5000"}, budget_usd_per_month=10)
    store = b.component("store", root, tier=Tier.META, data_class=DataClass.RESTRICTED, stateful=True, quorum=True)
    b.component("pool", root, scaling=ScalingFact(minimum=1, typical=1, maximum=2))
    provider = b.add("pulumi:providers:aws", "aws", {"region": "eu-central-1", "defaultTags": {"tags": {"a": "b"}}})
    plain: dict[str, Any] = {"parent": store, "provider": f"{provider}::id"}
    b.add("aws:s3/bucket:Bucket", "bucket", {"bucket": "b", "tags": {"a": "b"}, "region": "eu-west-1"}, **plain)
    sse = {"applyServerSideEncryptionByDefault": {"kmsMasterKeyId": "k"}}
    kind = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    b.add(kind, "sse", {"bucket": "b", "rules": [sse]}, **plain)
    kind = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
    b.add(kind, "copies", {"bucket": "c", "rules": [{"destination": {"bucket": "b"}}]}, **plain)
    b.add("aws:dynamodb/table:Table", "table", {"replicas": [{"regionName": "us-east-1"}]}, **plain)
    database = {"storageEncrypted": True, "multiAz": True, "kmsKeyId": "k", "password": "x", "replicateSourceDb": "y"}
    b.add("aws:rds/instance:Instance", "db", {**database, "publiclyAccessible": False}, **plain)
    cache = {"transitEncryptionEnabled": True, "multiAzEnabled": True, "automaticFailoverEnabled": True}
    b.add("aws:elasticache/replicationGroup:ReplicationGroup", "cache", cache, **plain)
    b.add("aws:eks/cluster:Cluster", "eks", {"encryptionConfig": {"resources": ["secrets"], "provider": {}}}, **plain)
    b.add("aws:eks/nodeGroup:NodeGroup", "group", {"capacityType": "SPOT"}, **plain)
    b.add("aws:ec2/securityGroup:SecurityGroup", "sg", {"ingress": [{"fromPort": 1, "cidrBlocks": ["::/0"]}]}, **plain)
    b.add("aws:ec2/routeTable:RouteTable", "routes", {"routes": [{"cidrBlock": "0.0.0.0/0"}]}, **plain)
    b.add("aws:lb/loadBalancer:LoadBalancer", "lb", {"internal": True}, **plain)
    _kubernetes(b, {"parent": store})


def _kubernetes(b: Builder, plain: dict[str, Any]) -> None:
    b.add("kubernetes:core/v1:Namespace", "ns", {"metadata": {"name": "meta"}}, **plain)
    meta = {"namespace": "meta", "labels": {"a": "b"}, "annotations": {"c": "d"}}
    deny = {"podSelector": {}, "policyTypes": ["Ingress"], "egress": [{"to": [{"ipBlock": {"cidr": "::/0"}}]}]}
    b.add("kubernetes:networking.k8s.io/v1:NetworkPolicy", "deny", {"metadata": meta, "spec": deny}, **plain)
    env = [{"name": "A_PASSWORD", "value": "x"}]
    container = {"image": f"web@{DIGEST}", "env": env, "imagePullPolicy": "Always"}
    spread = [{"topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}]
    pod = {"containers": [container], "initContainers": [container], "topologySpreadConstraints": spread}
    spec = {"replicas": 3, "template": {"metadata": {"labels": {"a": "b"}}, "spec": pod}}
    for kind in ("Deployment", "StatefulSet"):
        b.add(f"kubernetes:apps/v1:{kind}", kind.lower(), {"metadata": meta, "spec": spec}, **plain)
    cron = {"jobTemplate": {"spec": {"template": {"spec": pod}}}}
    b.add("kubernetes:batch/v1:CronJob", "cron", {"metadata": meta, "spec": cron}, **plain)
    b.add("kubernetes:core/v1:Pod", "pod", {"metadata": meta, "spec": pod}, **plain)
    budget = {"selector": {"matchLabels": {"a": "b"}}, "minAvailable": 1}
    b.add("kubernetes:policy/v1:PodDisruptionBudget", "pdb", {"metadata": meta, "spec": budget}, **plain)
    service = {"metadata": meta, "spec": {"type": "LoadBalancer"}}
    b.add("kubernetes:core/v1:Service", "service", service, **plain)
    b.add("kubernetes:core/v1:ConfigMap", "map", {"data": {"token": "x"}}, **plain)
    b.add("kubernetes:core/v1:Secret", "secret", {"stringData": {"token": Secret("x")}, "data": {"k": "v"}}, **plain)
    b.add("kubernetes:helm.sh/v3:Release", "chart", {"chart": "keda", "version": "1"}, **plain)
    b.add("kubernetes:postgresql.cnpg.io/v1:Cluster", "pg", {"spec": {"imageName": "pg:1"}}, **plain)
    storage = {"provisioner": "ebs.csi.aws.com", "parameters": {"encrypted": "true"}}
    b.add("kubernetes:storage.k8s.io/v1:StorageClass", "class", storage, **plain)


def _paths(value: Any, prefix: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items: Any = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*prefix, key)
        yield from _paths(item, (*prefix, key))


def _put(value: Any, path: tuple[Any, ...], mark: Any) -> Any:
    if not path:
        return mark(value)
    if isinstance(value, Mapping):
        return {key: _put(item, path[1:], mark) if key == path[0] else item for key, item in value.items()}
    return [_put(item, path[1:], mark) if index == path[0] else item for index, item in enumerate(value)]


MARKS: dict[str, Any] = {
    "unknown": lambda value: UNKNOWN,
    "secret": Secret,
    "an unknown secret": lambda value: Secret(UNKNOWN),
    "null": lambda value: None,
}


@pytest.mark.parametrize("mark", MARKS)
def test_no_rule_falls_over_a_mark_anywhere(mark: str) -> None:
    builder = Builder()
    rich(builder)
    tried = 0
    for index, resource in enumerate(builder.resources):
        if not resource.custom:
            continue
        for path in _paths(resource.inputs):
            changed = list(builder.resources)
            changed[index] = replace(resource, inputs=_put(resource.inputs, path, MARKS[mark]))
            check(ResourceGraph("demo", ("dev",), tuple(changed)), today=TODAY)
            tried += 1
    assert tried > 150


def test_an_unknown_never_turns_a_violation_into_ok() -> None:
    """Hide every input of every resource: whatever was broken may become undetermined or vanish, never ok."""
    builder = Builder()
    rich(builder)
    before = check(ResourceGraph("demo", ("dev",), tuple(builder.resources)), today=TODAY)
    broken = {(one.rule.id, one.urn) for one in before.of(Verdict.VIOLATION)}
    for index, resource in enumerate(builder.resources):
        for key in resource.inputs if resource.custom else ():
            changed = list(builder.resources)
            changed[index] = replace(resource, inputs={**resource.inputs, key: UNKNOWN})
            after = check(ResourceGraph("demo", ("dev",), tuple(changed)), today=TODAY)
            fine = {(one.rule.id, one.urn) for one in after.of(Verdict.OK)}
            bad = {(one.rule.id, one.urn) for one in after.findings if one.verdict is not Verdict.OK}
            risen = {found for found in broken & fine - bad if found[1] == resource.urn}
            assert not risen, (resource.name, key)


def test_the_clock_is_an_argument() -> None:
    builder = Builder()
    waived(builder, expires="2030-01-01")
    graph = builder.graph()
    verdicts = [
        check(graph, today=day, rules=(rule(Verdict.VIOLATION),)).findings[0].verdict
        for day in (date(2030, 1, 1), date(2030, 1, 2))
    ]
    assert verdicts == [Verdict.WAIVED, Verdict.VIOLATION]


def test_judgements_of_the_whole_graph_have_no_resource() -> None:
    def whole(graph: ResourceGraph, context: Context) -> Iterator[Judgement]:
        yield violation(None, "found")
        yield undetermined(None, "perhaps")

    report = run(bucket, replace(ALL_RULES[0], check=whole))
    assert told(report) == [("violation", "", "found"), ("undetermined", "", "perhaps")]
