"""Mode geo: three regions as stacks of their own, the ways between them, the names in front, and where data may lie."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from policies.context import context_of
from policies.rules.residency import RULES
from policies.verdict import Verdict
from skerry.config.load import load_spec
from skerry.errors import ConfigError
from skerry.graph import Resource, ResourceGraph
from tests.simulators.changed_stacks import changed_deployment, run_changed
from tests.simulators.cluster_service_stacks import GEO_NAMES, GEO_STACKS
from tests.simulators.stack_objects import graph_of, inputs, objects

REGIONS = {"us": "us-east-1", "eu": "eu-west-1", "ap": "ap-southeast-1"}
"""003:5055 to 5080."""


def of_names() -> ResourceGraph:
    return graph_of(GEO_NAMES)


def made(kind: str) -> list[Resource]:
    return [one for one in of_names().resources if one.type.endswith(f":{kind}") and one.stack == GEO_NAMES]


@pytest.mark.parametrize("stack", GEO_STACKS)
def test_the_resources_of_a_stack_have_the_names_on_record(stack: str, golden: Any) -> None:
    rows = [f"{r.type}  {r.urn}" for r in graph_of(stack).resources if r.stack == stack]
    golden(f"urns-{stack}.txt", "\n".join(rows) + "\n")


@pytest.mark.parametrize("name", REGIONS)
def test_each_region_has_three_nodes_and_three_replicas_of_which_one_writes(name: str) -> None:
    graph = graph_of(f"agentdb-geo-{name}")
    (pods,) = [one for one in objects(graph, "StatefulSet") if inputs(one)["metadata"]["name"] == "agentdb"]
    env = {row["name"]: row.get("value") for row in inputs(pods)["spec"]["template"]["spec"]["containers"][0]["env"]}
    others = sorted(one for one in REGIONS if one != name)
    assert inputs(pods)["spec"]["replicas"] == 3
    assert env["REGION_PEERS"] == ",".join(f"{one}={one}.mesh.vendor.internal:4433" for one in others)
    assert (env["REGION"], env["REGIONAL_WRITES"]) == (name, "last-write-wins")
    assert env["REPLICA_PRIMARY"].startswith("agentdb-0.")
    group = next(iter(graph.of_type("aws:eks/nodeGroup:NodeGroup")))
    assert (group.inputs["scalingConfig"]["minSize"], group.inputs["scalingConfig"]["maxSize"]) == (3, 3)


@pytest.mark.parametrize("name", REGIONS)
def test_only_udp_4433_is_open_between_regions(name: str) -> None:
    graph = graph_of(f"agentdb-geo-{name}")
    rules = [one.inputs for one in graph.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")]
    assert {(row["cidrIpv4"], row["fromPort"], row["toPort"], row["ipProtocol"]) for row in rules} == {
        (f"10.4{number}.0.0/16", 4433, 4433, "udp") for number, one in enumerate(REGIONS, 1) if one != name
    }
    (mesh,) = [one for one in objects(graph, "Service") if inputs(one)["spec"].get("type") == "LoadBalancer"]
    spec = inputs(mesh)["spec"]
    assert [(row["port"], row["protocol"]) for row in spec["ports"]] == [(4433, "UDP")]
    assert spec["selector"]["statefulset.kubernetes.io/pod-name"] == "agentdb-0"


def test_three_pairs_of_regions_are_joined_both_ways() -> None:
    pairs = {(one.inputs["region"], one.inputs["peerRegion"]) for one in made("PeeringAttachment")}
    assert pairs == {("eu-west-1", "us-east-1"), ("ap-southeast-1", "us-east-1"), ("ap-southeast-1", "eu-west-1")}
    routes = {(one.inputs["region"], one.inputs["destinationCidrBlock"]) for one in made("Route")}
    assert len(routes) == 6


def test_every_region_is_looked_at_and_no_answer_is_kept_for_more_than_a_minute() -> None:
    checks = [one.inputs for one in made("HealthCheck")]
    assert {(row["fqdn"], row["type"], row["resourcePath"]) for row in checks} == {
        (f"{name}.agentdb.vendor.example", "HTTPS", "/health") for name in REGIONS
    }
    records = [one.inputs for one in made("Record")]
    assert max(row["ttl"] for row in records) <= 60
    continents = {
        row["geolocationRoutingPolicies"][0].get("continent")
        for row in records
        if "geolocationRoutingPolicies" in row and "healthCheckId" in row
    }
    assert continents == {"NA", "SA", "EU", "AF", "AS", "OC", "AN"}


def test_who_has_no_region_goes_to_the_nearest_that_is_healthy() -> None:
    records = {one.name: one.inputs for one in made("Record")}
    assert records["regions-default"]["geolocationRoutingPolicies"] == [{"country": "*"}]
    assert records["regions-default"]["records"] == ["nearest.agentdb.vendor.example"]
    nearest = [row for row in records.values() if row["name"] == "nearest.agentdb.vendor.example"]
    assert {row["latencyRoutingPolicies"][0]["region"] for row in nearest} == set(REGIONS.values())
    assert all("healthCheckId" in row for row in nearest)


def violations(graph: ResourceGraph) -> set[tuple[str, str]]:
    """Return (rule, resource) of what residency forbids."""
    context = context_of(graph, today=date(2026, 11, 21))
    return {
        (rule.id, judgement.resource.name)
        for rule in RULES
        for judgement in rule.check(graph, context)
        if judgement.verdict is Verdict.VIOLATION and judgement.resource is not None
    }


def test_three_continents_are_allowed_by_the_profile_that_says_so() -> None:
    assert violations(graph_of("agentdb-geo-eu")) == set()


def test_under_eu_sovereign_the_same_stack_is_refused_with_the_regions_that_lie_outside() -> None:
    sovereign = {"profile": "eu-sovereign", "boundaries": [{"data_class": "confidential", "jurisdictions": ["EU"]}]}
    found = violations(run_changed("agentdb-geo-eu", {"residency": sovereign}))
    assert {("RES001", "agentdb-region-us"), ("RES001", "agentdb-region-ap")} <= found, found


REFUSED: Mapping[str, tuple[str, dict[str, Any], str]] = {
    "a promise that one recovery breaks": (
        "agentdb-geo-us",
        {"agentdb.geo.sla_percent": 99.99},
        "99.99 % leaves 4.32 minutes of 30 days, less than one recovery of 5",
    ),
    "an answer that is kept for five minutes": (
        "agentdb-geo-us",
        {"agentdb.geo.ttl_s": 300},
        "less than or equal to 60",
    ),
    "nobody says what two writers do": ("agentdb-geo-us", {"agentdb.geo.writes": None}, "agentdb.geo.writes"),
    "an authority of each cluster's own": (
        "agentdb-geo-us",
        {"services.certificates": {"issuer": "own-ca"}},
        "replicas of two regions would not trust each other",
    ),
    "two regions with the same addresses": (
        "agentdb-geo-us",
        {"agentdb.geo.regions.ap.network_cidr": "10.41.0.0/16"},
        "overlaps '10.41.0.0/16' of region 'us'",
    ),
    "another region than the stack's": (
        "agentdb-geo-us",
        {"agentdb.geo.here": "eu"},
        "is not the 'us-east-1' of target.region",
    ),
    "a region that does not stand": (GEO_NAMES, {"agentdb.geo.regions.ap.address": None}, "the region has to stand"),
    "mode geo without regions": ("agentdb-geo-us", {"agentdb.geo": None}, "is required and missing"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_number_of_regions_can_be_is_refused(case: str) -> None:
    stack, changes, text = REFUSED[case]
    with pytest.raises(ConfigError) as error:
        load_spec(changed_deployment(stack, changes), stack)
    assert text in str(error.value)
