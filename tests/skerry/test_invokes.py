"""What a program was answered with that is no fact: by function, and where it went."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.graph import UNKNOWN, Invoke, Resource, ResourceGraph, Secret
from skerry.invokes import NO_FUNCTIONS, Called, functions_json, functions_of, functions_text, holds_stand_in

STACK = Resource("urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev", "pulumi:pulumi:Stack", "p-dev", False)
CALLER = "aws:index/getCallerIdentity:getCallerIdentity"
IMAGE = "aws:ec2/getAmi:getAmi"
REFERENCE = "pulumi:pulumi:StackReference"


def role(name: str, /, **inputs: Any) -> Resource:
    return Resource(f"urn:pulumi:dev::p::aws:iam/role:Role::{name}", "aws:iam/role:Role", name, True, inputs=inputs)


def graph(*resources: Resource, invokes: tuple[Invoke, ...] = ()) -> ResourceGraph:
    return ResourceGraph("p", ("dev",), (STACK, *resources), invokes)


def stand_in(token: str) -> Invoke:
    return Invoke(token, "dev", answered=True, answered_by="stand-in")


def test_a_graph_whose_answers_are_facts_has_nothing_to_tell() -> None:
    facts = tuple(Invoke("aws:index/getRegion:getRegion", "dev", True, {}, by) for by in ("table", "file", "computed"))
    assert functions_of(graph(role("a", arn="000000000000"), invokes=facts)) == NO_FUNCTIONS
    assert functions_text(NO_FUNCTIONS, 100) == []


def test_calls_are_grouped_by_function() -> None:
    found = functions_of(graph(invokes=(stand_in(IMAGE), stand_in(CALLER), stand_in(IMAGE))))
    assert found.stand_ins == (Called(IMAGE, 2), Called(CALLER, 1))
    assert functions_text(found, 200) == [
        "Stand-ins: 3 answers are made of zeros and no facts, until --answers FILE gives yours (docs/producers.md)",
        f"  {IMAGE} x2",
        f"  {CALLER}",
    ]


def test_the_inputs_that_hold_a_stand_in_are_named() -> None:
    policy = '{"Principal": {"AWS": "arn:aws:iam::000000000000:root"}}'
    resources = (role("trust", assumeRolePolicy=policy, tags={"account": "000000000000"}), role("plain", name="x"))
    found = functions_of(graph(*resources, invokes=(stand_in(CALLER),)))
    assert [(one.name, one.properties) for one in found.holders] == [("trust", ("assumeRolePolicy", "tags.account"))]
    assert "  in the inputs of 1 resource: trust (assumeRolePolicy, tags)" in functions_text(found, 100)
    assert functions_json(found) == {
        "standIns": [{"token": CALLER, "calls": 1}],
        "unanswered": [],
        "standInHolders": [{"urn": resources[0].urn, "properties": ["assumeRolePolicy", "tags.account"]}],
    }


TEXTS = {
    "an account": ("000000000000", True),
    "an image": ("ami-00000000000000000", True),
    "the tenth subnet of a region": ("subnet-0000000000000000a", True),
    "a default service account": ("000000000000-compute@developer.gserviceaccount.com", True),
    "a subscription": ("/subscriptions/00000000-0000-0000-0000-000000000000/x", True),
    "a billing account": ("000000-000000-000000", True),
    "a version of Kubernetes": ("1.0.0-stand-in", True),
    "a secret that holds one": (Secret({"id": ["000000000000"]}), True),
    "another account": ("123456789012", False),
    "a round number": ("1000000000000", False),
    "a hash that begins with zeros": ("sha256:00000000000098af4b", False),
    "an unknown": (UNKNOWN, False),
    "a number": (0, False),
}


@pytest.mark.parametrize("case", TEXTS)
def test_a_stand_in_is_known_by_its_zeros(case: str) -> None:
    value, expected = TEXTS[case]
    assert holds_stand_in(value) is expected


def test_a_judgement_rests_on_the_input_that_it_names_or_on_any() -> None:
    trust = role("trust", policy="000000000000", name="x")
    found = functions_of(graph(trust, invokes=(stand_in(CALLER),)))
    asked = {path: found.decides(trust.urn, path) for path in ("policy", "policy.Statement[0]", "name", "")}
    assert asked == {"policy": True, "policy.Statement[0]": True, "name": False, "": True}
    assert found.decides("", "") is False


def test_what_has_no_answer_is_apart_from_what_other_stacks_export() -> None:
    invokes = (
        Invoke("aws:rds/getClusters:getClusters", "dev", answered=False),
        Invoke(REFERENCE, "dev", answered=False, args={"name": "acme/network/prod"}),
        Invoke(REFERENCE, "dev", answered=False, args={"name": UNKNOWN}),
    )
    found = functions_of(graph(invokes=invokes))
    assert functions_text(found, 200) == [
        "Without an answer here, so what comes of it is unknown (--answers FILE gives one):",
        "  aws:rds/getClusters:getClusters",
        "Outputs of other stacks that are not here, so unknown (--stack-outputs FILE gives them): acme/network/prod",
    ]


LEFT = {
    "a component": ("kubernetes:yaml/v2:ConfigFile", True),
    "a method of a component": ("eks:index:Cluster/getKubeconfig", True),
    "a look whether a resource exists": ("exists aws:s3/bucket:Bucket", True),
    "a function": ("aws:rds/getClusters:getClusters", False),
    "a function of a module": ("kubernetes:yaml:decode", False),
}


@pytest.mark.parametrize(("token", "left"), list(LEFT.values()), ids=list(LEFT))
def test_what_no_row_can_answer_has_another_remedy(token: str, left: bool) -> None:
    lines = functions_text(functions_of(graph(invokes=(Invoke(token, "dev", answered=False),))), 200)
    assert lines[-1] == f"  {token}"
    assert ("--from-preview" in lines[0], "--answers" in lines[0]) == (left, not left)


def test_a_long_list_is_cut_and_no_line_is_wider_than_asked() -> None:
    invokes = tuple(stand_in(f"aws:ec2/getThing{index:02}:getThing{index:02}") for index in range(9))
    resources = tuple(role(f"role-{index}", policy="000000000000") for index in range(9))
    lines = functions_text(functions_of(graph(*resources, invokes=invokes)), 72)
    assert "  … and 3 more (--format json lists all)" in lines
    assert " ".join(" ".join(lines).split()).endswith("and 3 more")
    assert max(map(len, lines)) <= 72
