"""What the base of each cloud makes for the customer's databases: one peering a network, exact addresses and ports."""

from __future__ import annotations

from typing import Any, Final

import pytest

from skerry.errors import ConfigError
from skerry.graph import ResourceGraph
from tests.simulators.changed_stacks import run_changed, shipped
from tests.simulators.data_ways import WAYS
from tests.simulators.stack_objects import inputs

CLOUDS: Final = ("aws", "gcp", "azure")


def base(cloud: str, **changes: Any) -> ResourceGraph:
    return run_changed(f"sensei-saas-{cloud}-base", {**WAYS[cloud], **changes})


def of(graph: ResourceGraph, kind: str, part: str = "") -> list[dict[str, Any]]:
    return [dict(inputs(r)) for r in graph.resources if r.type.endswith(f":{kind}") and part in r.name]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_nothing_is_made_where_no_way_is_asked_for(cloud: str) -> None:
    graph = run_changed(f"sensei-saas-{cloud}-base", {})
    assert [r.name for r in graph.resources if "DataAccess" in r.type or "Peering" in r.type] == []


def test_aws_asks_for_one_peering_and_routes_to_it_stand_in_every_zone_s_own_table() -> None:
    graph = base("aws")
    (peering,) = of(graph, "VpcPeeringConnection")
    assert (peering["peerVpcId"], peering["autoAccept"]) == ("vpc-0123456789abcdef0", True)
    tables = of(graph, "RouteTable", "private-")
    assert len(tables) == len(shipped("sensei-saas-aws-base")["target"]["failure_domains"])
    for table in tables:
        assert [row["cidrBlock"] for row in table["routes"]] == ["0.0.0.0/0", "10.200.0.0/24", "10.200.1.0/24"]
    assert of(graph, "Route") == [], "a table with routes inside takes away every other"


def test_a_peering_with_another_account_waits_for_its_owner() -> None:
    rows = [{**row, "peer_account": "123456789012"} for row in WAYS["aws"]["execution.data_endpoints"][:2]]
    (peering,) = of(base("aws", **{"execution.data_endpoints": rows}), "VpcPeeringConnection")
    assert (peering["peerOwnerId"], peering["autoAccept"]) == ("123456789012", False)


def test_aws_gives_a_link_the_addresses_that_are_asked_for_open_to_machines_on_its_port_alone() -> None:
    graph = base("aws")
    (endpoint,) = of(graph, "VpcEndpoint", "data-lake")
    assert [row["ipv4"] for row in endpoint["subnetConfigurations"]] == ["10.20.31.250", "10.20.63.250"]
    (group,) = of(graph, "SecurityGroup", "data-lake")
    (rule,) = group["ingress"]
    assert (rule["fromPort"], rule["toPort"], rule.get("cidrBlocks")) == (5432, 5432, None)
    (record,) = of(graph, "Record", "data-lake")
    assert (record["name"], record["records"]) == ("lake.acme.example", ["10.20.31.250", "10.20.63.250"])


def test_an_address_of_the_public_subnets_is_refused() -> None:
    lake = {**WAYS["aws"]["execution.data_endpoints"][2], "cidrs": ["10.20.224.9/32"]}
    with pytest.raises(ConfigError, match=r"'10.20.224.9/32' is in no private subnet"):
        base("aws", **{"execution.data_endpoints": [lake]})


def test_google_asks_for_one_peering_and_a_rule_to_the_published_service() -> None:
    graph = base("gcp")
    (peering,) = of(graph, "NetworkPeering")
    assert peering["peerNetwork"] == ("https://www.googleapis.com/compute/v1/projects/acme-data/global/networks/data")
    (address,) = of(graph, "Address", "data-lake")
    (rule,) = of(graph, "ForwardingRule", "data-lake")
    assert (address["address"], address["addressType"], rule["loadBalancingScheme"]) == (
        "10.20.148.200",
        "INTERNAL",
        "",
    )
    assert rule["target"].endswith("/serviceAttachments/lake")
    (record,) = of(graph, "RecordSet", "data-lake")
    assert (record["name"], record["rrdatas"]) == ("lake.acme.example.", ["10.20.148.200"])


def test_azure_asks_for_one_peering_and_an_endpoint_that_its_owner_approves() -> None:
    graph = base("azure")
    (peering,) = of(graph, "VirtualNetworkPeering")
    assert (peering["allowForwardedTraffic"], peering["useRemoteGateways"]) == (False, False)
    (endpoint,) = of(graph, "PrivateEndpoint", "data-lake")
    (connection,) = endpoint["manualPrivateLinkServiceConnections"]
    assert connection["groupIds"] == ["postgresqlServer"]
    assert endpoint["ipConfigurations"][0]["privateIPAddress"] == "10.20.5.20"
    assert "privateLinkServiceConnections" not in endpoint


def test_the_name_of_a_peering_does_not_depend_on_the_databases_beside_it() -> None:
    for cloud in ("gcp", "azure"):
        rows = WAYS[cloud]["execution.data_endpoints"]
        names = [
            [r.name for r in base(cloud, **{"execution.data_endpoints": some}).resources if "-peering-" in r.name]
            for some in (rows[:1], rows[:2])
        ]
        assert names[0] == names[1] != []


WRONG: Final = {
    "a peer of another cloud": ("gcp", 0, {"peer": "vpc-0123456789abcdef0"}, "is none of gcp's"),
    "no peer": ("aws", 0, {"peer": None}, "is required for the route peering"),
    "a range behind a link": ("aws", 2, {"cidrs": ["10.20.31.0/24"]}, "is no single address, as a private link has"),
    "two addresses on Google": (
        "gcp", 2, {"cidrs": ["10.20.148.9/32", "10.20.148.10/32"]}, "2 addresses, but a private link has one on gcp"),
    "an address of another subnet": ("azure", 2, {"cidrs": ["10.20.0.9/32"]}, "where endpoints get theirs"),
    "a site on a cloud": ("aws", 0, {"route": "on-site", "peer": None}, "on-site has no meaning on aws"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_way_that_cannot_be_is_refused(case: str) -> None:
    cloud, at, change, reason = WRONG[case]
    row = {**WAYS[cloud]["execution.data_endpoints"][at], **change}
    with pytest.raises(ConfigError) as error:
        base(cloud, **{"execution.data_endpoints": [{key: value for key, value in row.items() if value is not None}]})
    assert reason in str(error.value)
