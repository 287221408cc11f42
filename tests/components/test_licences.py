"""Licences with terms: a shipped stack accepts none, and a stack's configuration is the one place to accept them."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
import yaml

from policies.rules.supply_chain import RULES
from policies.runner import Report, check
from skerry.engine.run import run_deployment
from skerry.facts import ComponentFacts, facts_of
from tests.simulators.stack_objects import (
    AIRGAPPED,
    AWS,
    CUSTOMER,
    PLATFORMS,
    PRIVATE,
    ROOT,
    STACKS,
    VENDOR,
    graph_of,
    inputs,
    objects,
)

TERMS = {
    "LicenseRef-Llama-3.3-Community",
    "LicenseRef-NVIDIA-Container",
    "LicenseRef-Neo4j-Enterprise",
    "SSPL-1.0",
}
OTHERS = {
    CUSTOMER: {"LicenseRef-Llama-3.1-Community"},
    # The plugin of AWS's fabric.
    **{stack: {*TERMS, "LicenseRef-AWS-Image"} for stack in (AWS, PRIVATE[0], VENDOR)},
}
"""Stack -> its licences with terms, where they are not those of all tiers."""
SUP007 = next(rule for rule in RULES if rule.id == "SUP007")
TODAY = date(2026, 11, 21)


def checked(changes: dict[str, Any]) -> Report:
    document = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{AIRGAPPED}.yaml").read_text(encoding="utf-8"))
    deployment = document["config"]["skerry:deployment"] | changes
    graph = run_deployment(ROOT, AIRGAPPED, {"skerry:deployment": json.dumps(deployment)})
    return check(graph, today=TODAY, rules=[SUP007])


def verdicts(report: Report) -> list[str]:
    return sorted({finding.verdict.value for finding in report.findings})


@pytest.mark.parametrize("stack", STACKS)
def test_a_shipped_stack_accepts_nothing_in_anybodys_name(stack: str) -> None:
    text = (ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    assert "licences" not in yaml.safe_load(text)["config"]["skerry:deployment"]


@pytest.mark.parametrize("stack", PLATFORMS)
def test_every_licence_with_terms_is_a_finding_of_a_shipped_stack(stack: str) -> None:
    graph = graph_of(stack)
    facts = [facts_of(resource) or ComponentFacts() for resource in graph.resources]
    found = {name for one in facts for row in (*one.images, *one.models) for name in row.terms}
    terms = OTHERS.get(stack, TERMS)
    assert found == terms
    report = check(graph, today=TODAY, rules=[SUP007])
    assert verdicts(report) == ["undetermined"]
    assert {name for name in terms if any(name in finding.message for finding in report.findings)} == terms


def accept(*names: str) -> list[dict[str, str]]:
    return [{"licence": name, "accepted_by": "legal@site.example", "accepted_on": "2026-11-20"} for name in names]


def test_the_configuration_accepts_and_nothing_is_left() -> None:
    report = checked({"licences": accept(*sorted(TERMS), "LicenseRef-Vendor-Contract"), "production": True})
    assert verdicts(report) == ["ok"]


def test_in_production_what_is_left_is_a_violation() -> None:
    report = checked({"licences": accept(*sorted(TERMS - {"SSPL-1.0"})), "production": True})
    told = [finding.message for finding in report.findings if finding.verdict.value == "violation"]
    assert told == [
        "baseline sensei-patterns: nobody accepted LicenseRef-Vendor-Contract, and the deployment is in production",
        # The store, and what copies it.
        *["image mongodb: nobody accepted SSPL-1.0, and the deployment is in production"] * 2,
    ]


def neo4j(licences: list[dict[str, str]]) -> dict[str, Any]:
    document = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{AIRGAPPED}.yaml").read_text(encoding="utf-8"))
    deployment = document["config"]["skerry:deployment"] | {"licences": licences}
    graph = run_deployment(ROOT, AIRGAPPED, {"skerry:deployment": json.dumps(deployment)})
    (found,) = [one for one in objects(graph, "StatefulSet") if inputs(one)["metadata"]["name"] == "neo4j"]
    spec: dict[str, Any] = inputs(found)["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize("licence", ["", "SSPL-1.0", "LicenseRef-Neo4j-Enterprise"])
def test_neo4j_is_told_yes_only_where_the_configuration_says_so(licence: str) -> None:
    pod = neo4j(accept(licence) if licence else [])
    (container,) = pod["containers"]
    answer = [row.get("value") for row in container["env"] if row["name"] == "NEO4J_ACCEPT_LICENSE_AGREEMENT"]
    maps = [volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume]
    mounted = "/licence" in {row["mountPath"] for row in container["volumeMounts"]}
    accepted = licence == "LicenseRef-Neo4j-Enterprise"
    assert (answer, maps) == ((["yes"], []) if accepted else ([], ["neo4j-licence"]))
    assert mounted != accepted
    assert ("/licence/accept" in container["args"][0]) != accepted
