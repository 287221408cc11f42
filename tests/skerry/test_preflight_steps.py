"""The checklist of a preflight: rights, versions, work by hand, and how all of it is told."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from skerry.facts import AcceptedLicenceFact, EndpointFact, ImageFact, NodesFact, ScalingFact, Tier
from skerry.graph import UNKNOWN, ResourceGraph
from skerry.preflight.as_json import to_json
from skerry.preflight.document import Amounts, Mark, Preflight, Quota, Step
from skerry.preflight.examine import amount, examine
from skerry.preflight.handwork import hand_steps
from skerry.preflight.permissions import POLICY_CHARACTERS, actions_of, policies_of, rights_of
from skerry.preflight.pools import pools_of
from skerry.preflight.text import to_markdown, to_text
from skerry.preflight.versions import minor_of, version_steps
from tests.simulators.policy_graphs import Builder

EKS, GROUP = "aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup"
GKE, AKS = "gcp:container/cluster:Cluster", "azure-native:containerservice:ManagedCluster"


def nobody_knows(cloud: str, region: str, name: str) -> str | None:
    return None


def told(steps: Any, area: str = "") -> list[tuple[str, str]]:
    return [(step.mark.name, step.text) for step in steps if area in ("", step.area)]


# --- rights -----------------------------------------------------------------------------------------------------------


def test_actions_come_from_the_type_of_a_resource() -> None:
    assert actions_of("aws:eks/addon:Addon") is not None
    assert "ec2:CreateVpc" in (actions_of("aws:ec2/vpc:Vpc") or ())
    assert "logs:CreateLogGroup" in (actions_of("aws:cloudwatch/logGroup:LogGroup") or ())
    assert actions_of("aws:iam/rolePolicyAttachment:RolePolicyAttachment") == (
        "iam:AttachRolePolicy",
        "iam:DetachRolePolicy",
        "iam:ListAttachedRolePolicies",
    )
    assert actions_of("aws:quantum/ledger:Ledger") is None


def test_a_role_is_passed_to_the_services_of_the_plan_alone() -> None:
    builder = Builder()
    trust = {"Version": "2012-10-17", "Statement": [{"Principal": {"Service": "eks.amazonaws.com"}}]}
    builder.add("aws:iam/role:Role", "r", {"assumeRolePolicy": json.dumps(trust)})
    builder.add("aws:iam/role:Role", "broken", {"assumeRolePolicy": "no document"})
    builder.add("aws:eks/nodeGroup:NodeGroup", "g", {})
    statements = [one for document in rights_of(builder.graph()).policies for one in document["Statement"]]
    (passing,) = [one for one in statements if one["Action"] == "iam:PassRole"]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": ["eks.amazonaws.com"]}}
    assert all("iam:PassRole" not in one["Action"] for one in statements if isinstance(one["Action"], list))


def test_policies_stay_within_the_length_that_iam_takes() -> None:
    actions = {f"service{number}:Action{letter * 30}" for number in range(20) for letter in "abcdefghijkl"}
    documents = policies_of(actions, ())
    assert len(documents) > 1
    assert all(len(json.dumps(one, separators=(",", ":"))) <= POLICY_CHARACTERS for one in documents)
    listed = [action for one in documents for row in one["Statement"] for action in row["Action"]]
    assert sorted(listed) == sorted({*actions, "sts:GetCallerIdentity"})


def test_a_type_that_no_source_tells_is_unknown() -> None:
    builder = Builder()
    builder.add("aws:quantum/ledger:Ledger", "q")
    builder.add("gcp:quantum/ledger:Ledger", "q")
    rights = rights_of(builder.graph())
    assert rights.unknown == ("aws:quantum/ledger:Ledger", "gcp:quantum/ledger:Ledger")


UNLISTED = re.compile(
    # Actions that are no operations of the API, each in "Service Authorization Reference" (not opened).
    r"^(iam:PassRole|kms:ReEncrypt(From|To)|logs:\w+LogDelivery|logs:ListLogDeliveries|s3:\w+|\w+:Describe\*|ec2:Get\*|vpc-lattice:\w+)$"
)


@pytest.mark.parametrize(
    "token",
    [
        "aws:ec2/vpc:Vpc",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        "aws:ec2/launchTemplate:LaunchTemplate",
        "aws:ec2/natGateway:NatGateway",
        "aws:ec2/placementGroup:PlacementGroup",
        "aws:eks/cluster:Cluster",
        "aws:eks/nodeGroup:NodeGroup",
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        "aws:iam/role:Role",
        "aws:kms/key:Key",
        "aws:sqs/queue:Queue",
        "aws:cloudwatch/eventTarget:EventTarget",
    ],
)
def test_actions_are_operations_of_the_service(token: str) -> None:
    loaders = pytest.importorskip("botocore.loaders")
    loader = loaders.Loader()
    for action in actions_of(token) or ():
        service, _, name = action.partition(":")
        model = {"elasticloadbalancing": "elbv2"}.get(service, service)
        if UNLISTED.match(action) or model not in loader.list_available_services("service-2"):
            continue
        known = {one.lower() for one in loader.load_service_model(model, "service-2")["operations"]}
        assert name.lower() in known, action


# --- versions ---------------------------------------------------------------------------------------------------------


def cluster(kind: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any] | None = None) -> ResourceGraph:
    builder = Builder()
    builder.add(kind, "c", inputs, outputs=outputs or {})
    return builder.graph()


FOLLOWS: dict[str, tuple[ResourceGraph, ResourceGraph, tuple[str, str]]] = {
    "one minor version up on EKS": (
        cluster(EKS, {"version": "1.36"}),
        cluster(EKS, {"version": "1.35"}),
        ("DUE", "c runs 1.35 and is to be 1.36: an update in its place; follow docs/upgrades.md"),
    ),
    "two on EKS": (
        cluster(EKS, {"version": "1.36"}),
        cluster(EKS, {"version": "1.34"}),
        ("PROBLEM", "c runs 1.34 and is to be 1.36: a minor version cannot be skipped; go to 1.35 first"),
    ),
    "back on EKS": (
        cluster(EKS, {"version": "1.34"}),
        cluster(EKS, {"version": "1.35"}),
        ("PROBLEM", "c runs 1.35 and is to be 1.34: a control plane never goes back; name 1.35 or newer"),
    ),
    "the same on EKS": (
        cluster(EKS, {"version": "1.35"}),
        cluster(EKS, {"version": "1.35"}),
        ("DONE", "c runs 1.35, as the plan asks"),
    ),
    "Google went on by itself": (
        cluster(GKE, {"minMasterVersion": "1.35"}),
        cluster(GKE, {"minMasterVersion": "1.34"}, {"masterVersion": "1.35.2-gke.1000"}),
        ("DONE", "c runs 1.35, as the plan asks"),
    ),
    "two on GKE": (
        cluster(GKE, {"minMasterVersion": "1.37"}),
        cluster(GKE, {"minMasterVersion": "1.35"}, {"masterVersion": "1.35.2-gke.1000"}),
        ("PROBLEM", "c runs 1.35 and is to be 1.37: a minor version cannot be skipped; go to 1.36 first"),
    ),
    "a patch on AKS": (
        cluster(AKS, {"kubernetesVersion": "1.35.3"}),
        cluster(AKS, {"kubernetesVersion": "1.35.1"}, {"currentKubernetesVersion": "1.35.1"}),
        ("DONE", "c runs 1.35, as the plan asks"),
    ),
    "two on AKS": (
        cluster(AKS, {"kubernetesVersion": "1.35"}),
        cluster(AKS, {"kubernetesVersion": "1.33"}),
        ("PROBLEM", "c runs 1.33 and is to be 1.35: a minor version cannot be skipped; go to 1.34 first"),
    ),
    "nothing stands": (
        cluster(EKS, {"version": "1.35"}),
        cluster("aws:ec2/vpc:Vpc", {}),
        ("DONE", "c does not stand yet and starts as 1.35"),
    ),
    "a state without a version": (
        cluster(EKS, {"version": "1.35"}),
        cluster(EKS, {}),
        ("UNKNOWN", "the state does not say which version of c runs"),
    ),
}


@pytest.mark.parametrize("case", FOLLOWS)
def test_a_version_follows_the_one_that_runs(case: str) -> None:
    plan, deployed, expected = FOLLOWS[case]
    assert told(version_steps(plan, deployed)) == [expected]


def test_without_a_state_somebody_must_look() -> None:
    ((mark, text),) = told(version_steps(cluster(EKS, {"version": "1.35"}), None))
    assert (mark, "--deployed" in text) == ("DUE", True)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("1.36", "machines are never newer than their control plane"),
        ("1.31", "machines are at most 3 minor versions older"),
    ],
)
def test_machines_stay_near_their_control_plane(asked: str, words: str) -> None:
    builder = Builder()
    builder.add(EKS, "c", {"version": "1.35"})
    builder.add(GROUP, "g", {"version": asked})
    found = told(version_steps(builder.graph(), None))
    assert [text for mark, text in found if mark == "PROBLEM"] == [f"g is {asked} under 1.35 of c: {words}"]


def test_forms_of_versions() -> None:
    forms = ("1.35", "v1.35.2", "1.35.2-gke.100", "latest", 1.35, UNKNOWN)
    assert [minor_of(text) for text in forms] == [(1, 35), (1, 35), (1, 35), None, None, None]


# --- work by hand -----------------------------------------------------------------------------------------------------


def hands(builder: Builder, area: str) -> list[tuple[str, str]]:
    graph = builder.graph()
    return told(hand_steps(graph, pools_of(graph)), area)


def test_secrets_that_pods_name_and_nobody_makes_are_listed() -> None:
    builder = Builder()
    container = {
        "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "own", "key": "password"}}}],
        "envFrom": [{"secretRef": {"name": "made"}}, {"secretRef": {"name": "maybe", "optional": True}}],
    }
    pod = {"containers": [container], "volumes": [{"name": "v", "secret": {"secretName": "files"}}]}
    inputs = {"metadata": {"namespace": "n", "name": "d"}, "spec": {"template": {"spec": pod}}}
    builder.add("kubernetes:apps/v1:Deployment", "d", inputs)
    builder.add("kubernetes:core/v1:Secret", "made", {"metadata": {"namespace": "n", "name": "made"}})
    assert hands(builder, "secrets") == [
        ("DUE", "n/files exists before pods start"),
        ("DUE", "n/own with the keys password exists before pods start"),
    ]


def test_the_secret_of_a_database_comes_with_its_cluster() -> None:
    builder = Builder()
    place = {"namespace": "meta", "name": "db"}
    builder.add("kubernetes:postgresql.cnpg.io/v1:Cluster", "db", {"metadata": place, "spec": {}})
    env = [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "db-app", "key": "uri"}}}]
    spec = {"template": {"spec": {"containers": [{"env": env}]}}}
    builder.add("kubernetes:apps/v1:Deployment", "d", {"metadata": {"namespace": "meta", "name": "d"}, "spec": spec})
    assert hands(builder, "secrets") == []


def test_secrets_that_gateways_and_their_policies_name_are_listed() -> None:
    builder = Builder()
    place = {"namespace": "n", "name": "g"}
    tls = {"certificateRefs": [{"kind": "Secret", "name": "site-tls"}, {"kind": "Secret", "name": "made-tls"}]}
    builder.add("kubernetes:gateway.networking.k8s.io/v1:Gateway", "g", {"metadata": place, "spec": {"tls": tls}})
    asked = {
        "caCertificateRefs": [{"kind": "Secret", "name": "devices-ca"}, {"kind": "ConfigMap", "name": "public"}],
        "crl": {"refs": [{"kind": "Secret", "name": "devices-crl"}]},
    }
    policy = {"metadata": place, "spec": {"tls": {"clientValidation": asked}}}
    builder.add("kubernetes:gateway.envoyproxy.io/v1alpha1:ClientTrafficPolicy", "c", policy)
    made = {"metadata": {"namespace": "n", "name": "m"}, "spec": {"secretName": "made-tls"}}
    builder.add("kubernetes:cert-manager.io/v1:Certificate", "m", made)
    assert hands(builder, "secrets") == [
        ("DUE", "n/devices-ca with the keys ca.crt exists before pods start"),
        ("DUE", "n/devices-crl with the keys ca.crl exists before pods start"),
        ("DUE", "n/site-tls with the keys tls.crt, tls.key exists before pods start"),
    ]


def test_licences_are_accepted_or_to_be_read() -> None:
    builder = Builder()
    accepted = AcceptedLicenceFact(licence="A", accepted_by="Legal", accepted_on="2026-11-01")
    builder.deployment(accepted_licences=(accepted,))
    images = (
        ImageFact(name="one", reference="r/one:1", deployed_as="r/one:1", why="w", terms=("A",), digest="sha256:1"),
        ImageFact(name="two", reference="r/two:1", deployed_as="r/two:1", why="w", terms=("B",)),
    )
    builder.component("c", images=images)
    assert hands(builder, "licences") == [
        ("DONE", "A, of one: accepted by Legal"),
        ("DUE", "B, of two: read and accepted under `licences` of the stack"),
    ]
    assert hands(builder, "images") == [("DUE", "1 of 2 images have no digest: what a tag stands for may change")]


def test_a_provider_names_its_account_and_who_deploys() -> None:
    builder = Builder()
    builder.add("pulumi:providers:aws", "p", {"allowedAccountIds": '["111122223333"]'})
    builder.add(
        "pulumi:providers:gcp", "q", {"project": "x", "impersonateServiceAccount": "d@x.iam.gserviceaccount.com"}
    )
    assert [mark for mark, _ in hands(builder, "accounts")] == ["DONE", "DUE", "DONE", "DONE"]


def test_machines_of_a_site_are_counted_and_labelled_by_hand() -> None:
    """S000-52: four, two and three are nine, not the six of the sizing table."""
    builder = Builder()
    for tier, count, gpus in ((Tier.EXECUTION, 4, 0), (Tier.COGNITIVE, 2, 8), (Tier.META, 3, 0)):
        nodes = NodesFact(
            vcpu=32, memory_gib=64, gpus=gpus, gpu_model="A100" if gpus else None, gpu_memory_gib=40 if gpus else 0,
            purchase="existing", priced_here=True,
        )  # fmt: skip
        scaling = ScalingFact(minimum=count, typical=count, maximum=count)
        builder.component(tier.value, kind="NodePool", tier=tier, nodes=nodes, scaling=scaling)
    found = hands(builder, "machines")
    assert found[0] == (
        "DONE",
        "9 machines at the smallest size (4 execution + 2 cognitive + 3 meta), 9 at the largest",
    )
    assert ("DUE", "2 machines of 32 vCPU, 8 x A100 of 40 GiB exist, labelled and tainted for cognitive") in found


# --- the whole --------------------------------------------------------------------------------------------------------


def whole(*steps: Step) -> Preflight:
    quota = Quota(
        "aws", "Running | On-Demand", "L-1", "ec2", "vCPU", Amounts(1, 2, 3, 4.05), None, ("a: 1", "b: 2"), "s", True
    )  # fmt: skip
    return Preflight(("dev",), ("aws",), "eu-central-1", (quota,), (), (), "nobody asked", steps)


def test_what_would_fail_fails_and_what_is_unknown_fails_where_strict() -> None:
    codes = {
        mark: (
            whole(Step("a", "t", mark)).exit_code(strict=False),
            whole(Step("a", "t", mark)).exit_code(strict=True),
        )
        for mark in Mark
    }
    assert codes == {Mark.DONE: (0, 0), Mark.DUE: (0, 0), Mark.UNKNOWN: (0, 1), Mark.PROBLEM: (1, 1)}


def test_the_report_can_be_ticked_and_never_hides_what_is_unknown() -> None:
    found = whole(Step("a", "fails", Mark.PROBLEM), Step("b", "look", Mark.DUE, "cmd"), Step("c", "?", Mark.UNKNOWN))
    text = to_text(found, 100)
    for line in (
        "  [!] a: fails",
        "  [ ] b: look\n        cmd",
        "  [?] c: ?",
        "could not tell: nobody asked",
        "unknown",
    ):
        assert line in text
    assert "1 that would fail, 1 that could not be told, 1 to do" in text
    assert "4.1+" in text
    markdown = to_markdown(found)
    assert "- [ ] **would fail** a: fails" in markdown
    assert "- [ ] **could not tell** c: ?" in markdown
    assert "Running \\| On-Demand" in markdown
    document = json.loads(to_json(found))
    assert (document["schema"], document["quotas"][0]["exceedsDefault"]) == ("skerry.preflight/1", None)
    assert [row["mark"] for row in document["steps"]] == ["problem", "due", "unknown"]


def test_lines_fit_the_width() -> None:
    steps = [Step("area", "word " * 60, Mark.DUE)]
    assert max(len(line) for line in to_text(whole(*steps), 80).splitlines()) <= 80


def test_amounts_are_rounded_up_and_never_down() -> None:
    assert [amount(number) for number in (3, 4192, 14.2578, 0.01)] == ["3", "4,192", "14.3", "0.1"]


def test_a_program_without_machines_says_that_it_cannot_tell() -> None:
    builder = Builder()
    builder.add("aws:s3/bucket:Bucket", "b")
    found = examine(builder.graph(), None, sold=nobody_knows)
    assert ("UNKNOWN", True) in [(mark, "no network in this plan" in text) for mark, text in told(found.steps)]
    assert found.choices_unknown is not None


def test_a_name_is_asked_for_where_its_callers_run() -> None:
    words = {"name": "odd", "protocol": "https", "direction": "ingress", "scope": "site", "why": "the caller"}
    called = EndpointFact(host="odd.site.example", port=443, **words)

    def steps(*kinds: str) -> list[Step]:
        builder = Builder()
        builder.component("service", endpoints=(called,))
        for kind in kinds:
            builder.add(kind, "it", {})
        return [step for step in hand_steps(builder.graph(), ()) if step.area == "names"]

    (inside,) = steps("kubernetes:core/v1:Service")
    (outside,) = steps("aws:ecs/service:Service")
    assert inside.text == "odd.site.example resolves from inside the cluster (the caller)"
    assert outside.text == "odd.site.example resolves from the network of the services (the caller)"
    assert (inside.command or "").startswith("kubectl run dns ")
    assert outside.command == "nslookup odd.site.example"
