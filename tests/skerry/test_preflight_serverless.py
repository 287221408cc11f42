"""A deployment without machines: nothing is asked of a cluster that there is not, and the rights are those it takes."""

from __future__ import annotations

import pytest

from skerry.config.load import load_spec
from skerry.preflight.document import Preflight
from skerry.preflight.examine import examine
from tests.simulators.changed_stacks import shipped
from tests.simulators.serverless_stacks import STACKS, deployment, serverless
from tests.simulators.stack_objects import graph_of


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
