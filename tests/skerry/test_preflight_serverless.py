"""A deployment without machines: nothing is asked of a cluster that there is not, and the rights are those it takes."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import Any

import botocore.session
import pytest

from skerry.config.load import load_spec
from skerry.preflight.document import Preflight
from skerry.preflight.examine import examine
from skerry.preflight.permissions import actions_of, rights_of
from tests.simulators.changed_stacks import shipped
from tests.simulators.serverless_stacks import STACKS, deployment, serverless
from tests.simulators.stack_objects import ROOT, graph_of


def asked(stack: str) -> Preflight:
    spec = load_spec(shipped(stack), stack)
    return examine(graph_of(stack), spec, sold=lambda cloud, region, name: None)


@pytest.mark.parametrize("stack", STACKS)
def test_no_machine_is_chosen_and_no_cluster_is_asked(stack: str) -> None:
    found = asked(stack)
    assert (found.choices, found.ranges) == ((), ())
    assert [step.text for step in found.steps if "kubectl get nodes" in (step.command or "")] == []
    assert [step.text for step in found.steps if "no source says what" in step.text] == []


def test_whoever_deploys_has_the_roles_of_what_is_made() -> None:
    spec = load_spec(deployment("gcp"), "apps-gcp")
    found = examine(serverless("gcp"), spec, sold=lambda cloud, region, name: None)
    (text,) = [step.text for step in found.steps if step.text.startswith("whoever deploys has")]
    wanted = {
        "roles/certificatemanager.editor",
        "roles/compute.loadBalancerAdmin",
        "roles/compute.securityAdmin",
        "roles/iam.serviceAccountUser",
        "roles/pubsub.admin",
        "roles/run.admin",
        "roles/secretmanager.admin",
    }
    assert {role for role in wanted if role not in text} == set()


AWS_STACKS = (
    "agentdb-ecs-aws",
    "agentdb-lambda-aws",
    "aethergraph-saas-ecs-aws",
    "aethergraph-saas-aws-base",
    "agentdb-eks-base",
    "agentdb-geo-us-base",
    "agentdb-geo-dns",
)


@pytest.mark.parametrize("stack", AWS_STACKS)
def test_of_every_type_and_function_of_aws_it_is_known_what_it_takes(stack: str) -> None:
    graph = graph_of(stack)
    assert rights_of(graph).unknown == ()
    asked_of = {one.token for one in graph.invokes if one.token.startswith("aws:")}
    allowed = {action for policy in rights_of(graph).policies for row in policy["Statement"] for action in _listed(row)}
    assert {token for token in asked_of if not set(actions_of(token) or ()) <= allowed} == set()


def _listed(row: Mapping[str, Any]) -> list[str]:
    return [row["Action"]] if isinstance(row["Action"], str) else list(row["Action"])


def test_a_name_and_a_password_are_looked_up_and_so_may_be() -> None:
    allowed = {
        action
        for policy in rights_of(graph_of("agentdb-ecs-aws")).policies
        for row in policy["Statement"]
        for action in _listed(row)
    }
    wanted = {"route53:ListHostedZones", "secretsmanager:GetRandomPassword", "ssm:GetParameter"}
    assert wanted - allowed == set()


def test_every_operation_of_the_providers_own_calls_is_one_of_aws() -> None:
    """Against botocore's service models: a misspelt right would allow nothing."""
    models = {"s3": {"GetBucketLocation", "GetBucketPolicy", "GetBucketRequestPayment"}}
    path = ROOT / "skerry" / "data" / "aws_provider_calls.csv"
    with path.open(encoding="utf-8", newline="") as file:
        actions = {action for row in csv.DictReader(file) for action in row["actions"].split()}
    session = botocore.session.get_session()
    wrong = set()
    for action in actions:
        service, _, operation = action.partition(":")
        known = models.get(service) or session.get_service_model(service).operation_names
        if operation not in known:
            wrong.add(action)
    assert wrong == set()
