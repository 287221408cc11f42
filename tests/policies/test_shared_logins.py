"""ACC003: two services that act under one name are found, and each of the names by which they do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.aws.permissions import agents_policy
from policies.rules.shared_logins import RULES
from policies.runner import check
from policies.verdict import Verdict
from skerry.config.application import Access
from skerry.config.spec import CONFIG_KEY
from skerry.engine.project import StackConfig
from skerry.engine.run import run_program
from tests.simulators.policy_graphs import TODAY
from tests.simulators.service_fields import SECRETS, described, put
from tests.simulators.stack_objects import ROOT, graph_of, inputs, objects

WEB, WORKER = "applications.services.web", "applications.services.worker"
LOGIN = {"DATABASE_PASSWORD": "{database.password}"}


def told(**fields: Any) -> dict[str, tuple[Verdict, str]]:
    """Return what is said of a web service and a worker that both use the database, with fields changed."""
    deployment = described("kubernetes")
    put(deployment, f"{WORKER}.definition.needs", ["database"])
    put(deployment, f"{WORKER}.definition.access", None)
    put(deployment, f"{WORKER}.definition.environment", LOGIN)
    put(deployment, f"{WEB}.definition.needs", ["database"])
    put(deployment, f"{WEB}.definition.access", None)
    put(deployment, f"{WEB}.definition.environment", LOGIN)
    for path, value in fields.items():
        put(deployment, f"applications.services.{path.replace('__', '.')}", value)
    values = {CONFIG_KEY: json.dumps(deployment), **SECRETS}
    graph = run_program(ROOT, "names", StackConfig(values, frozenset(SECRETS)))
    report = check(graph, today=TODAY, rules=RULES)
    return {one.urn.rsplit("::", 1)[-1]: (one.verdict, one.message) for one in report.findings}


def test_two_services_with_one_login_are_named_with_each_other() -> None:
    text = "it acts as {} too: the login in the Secret 'database-app': each may do what any of them may"
    assert told() == {
        "web-deployment": (Verdict.VIOLATION, text.format("worker")),
        "worker-deployment": (Verdict.VIOLATION, text.format("web")),
    }


def test_a_login_of_its_own_sets_one_apart() -> None:
    found = told(worker__database_secret="worker-login")
    assert {name: verdict for name, (verdict, _) in found.items()} == {
        "web-deployment": Verdict.OK,
        "worker-deployment": Verdict.OK,
    }


def test_on_eks_each_role_of_aethergraph_has_an_identity_of_its_own() -> None:
    graph = graph_of("aethergraph-saas-aws")
    accounts = {
        inputs(row)["metadata"]["name"]: inputs(row)["spec"]["template"]["spec"]["serviceAccountName"]
        for row in objects(graph, "Deployment")
        if inputs(row)["metadata"]["namespace"] == "aethergraph-services"
    }
    assert accounts == {"control-plane": "control-plane", "worker": "worker"}
    trusted = {
        (inputs(row)["namespace"], inputs(row)["serviceAccount"])
        for row in graph.of_type("aws:eks/podIdentityAssociation:PodIdentityAssociation")
        if inputs(row)["namespace"] == "aethergraph-services"
    }
    # Beside them act as agents only the jobs that copy stores away.
    assert trusted == {("aethergraph-services", name) for name in (*accounts, "agents")}


@pytest.mark.parametrize(
    ("access", "wanted"), [("read", {"s3:GetObject"}), ("write", {"s3:PutObject", "s3:AbortMultipartUpload"})]
)
def test_the_identity_may_no_more_than_its_service(access: str, wanted: set[str]) -> None:
    statements = json.loads(agents_policy("arn:aws:s3:::b", "arn:aws:kms:::k", Access(access)))["Statement"]
    (objects_of,) = [one for one in statements if one["Resource"].endswith("/*")]
    assert set(objects_of["Action"]) == wanted
