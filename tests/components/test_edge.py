"""The server side of edge mode in the graph: who gets in, what is taken at a time, and every way that is open."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from skerry.facts import facts_of
from skerry.graph import ResourceGraph
from tests.simulators.azure_stacks import OUTPUTS, azure_base, azure_platform
from tests.simulators.changed_stacks import run_changed
from tests.simulators.edge_stacks import EDGED, edge
from tests.simulators.stack_objects import inputs, kind, objects

OWN, GAPPED, AWS = EDGED


@cache
def graph(case: str) -> ResourceGraph:
    stack, changes = EDGED[case]
    return run_changed(stack, changes)


def named(found: ResourceGraph, name: str) -> dict[str, Any]:
    (one,) = [resource for resource in found.resources if resource.name == name]
    return inputs(one)


PROXIES = {
    OWN: ("sensei-gateway", 2),
    GAPPED: ("sensei-edge", 1),
    AWS: ("sensei-edge", 1),
}


@pytest.mark.parametrize("case", EDGED)
def test_there_is_one_way_in_and_it_is_tls(case: str) -> None:
    gateway = named(graph(case), "edge-gateway")
    assert gateway["metadata"]["namespace"] == PROXIES[case][0]
    (listener,) = gateway["spec"]["listeners"]
    assert (listener["protocol"], listener["port"], listener["hostname"]) == (
        "HTTPS",
        443,
        "sync.edge.customer.example",
    )
    assert listener["allowedRoutes"]["namespaces"]["selector"] == {
        "matchLabels": {"kubernetes.io/metadata.name": "sensei-sync"}
    }


@pytest.mark.parametrize("case", EDGED)
def test_load_balancers_are_as_many_as_there_are_entrances(case: str) -> None:
    namespace, most = PROXIES[case]
    quotas = [inputs(one) for one in objects(graph(case), "ResourceQuota")]
    (here,) = [one for one in quotas if one["metadata"]["namespace"] == namespace]
    assert here["spec"]["hard"]["services.loadbalancers"] == str(most)
    assert [
        one["spec"]["hard"]["services.loadbalancers"] for one in quotas if one["metadata"]["namespace"] == "sensei-sync"
    ] == ["0"]


@pytest.mark.parametrize("case", EDGED)
def test_a_device_must_show_a_certificate_of_the_authority_that_is_named(case: str) -> None:
    policy = named(graph(case), "edge-clients")["spec"]
    asked = policy["tls"]["clientValidation"]
    assert asked["mode"] == "RequireAndVerify"
    assert asked["caCertificateRefs"] == [{"kind": "Secret", "name": "devices-ca"}]
    assert policy["headers"]["xForwardedClientCert"]["mode"] == "SanitizeSet"
    assert asked.get("crl") == (None if case == GAPPED else {"refs": [{"kind": "Secret", "name": "devices-crl"}]})


def test_no_authority_and_no_list_is_made_by_the_program() -> None:
    made = {inputs(one)["metadata"]["name"] for case in EDGED for one in objects(graph(case), "Secret", "Certificate")}
    assert made & {"devices-ca", "devices-crl"} == set()
    certificate = named(graph(OWN), "edge-certificate")["spec"]
    assert (certificate["secretName"], certificate["dnsNames"]) == ("devices-tls", ["sync.edge.customer.example"])


def test_limits_are_shared_out_among_the_proxies() -> None:
    limits = named(graph(AWS), "edge-limits")["spec"]
    device, all_of_them = limits["rateLimit"]["local"]["rules"]
    assert device["clientSelectors"] == [{"headers": [{"name": "x-forwarded-client-cert", "type": "Distinct"}]}]
    assert device["limit"] == {"requests": 60, "unit": "Minute"}
    # 200 a second and 200 at a time by 3 proxies
    assert all_of_them["limit"] == {"requests": 66, "unit": "Second"}
    assert limits["circuitBreaker"]["maxParallelRequests"] == 66
    assert limits["requestBuffer"] == {"limit": "1048576"}
    (override,) = limits["responseOverride"]
    assert [one["value"] for one in override["match"]["statusCodes"]] == [429, 503]
    assert override["response"]["header"]["set"] == [{"name": "Retry-After", "value": "60"}]
    assert named(graph(AWS), "edge-clients")["spec"]["connection"]["connectionLimit"] == {"value": 266}
    assert named(graph(AWS), "edge-proxy")["spec"]["provider"]["kubernetes"]["envoyDeployment"]["replicas"] == 3


def test_devices_of_a_fleet_are_told_apart_by_address() -> None:
    device, _ = named(graph(GAPPED), "edge-limits")["spec"]["rateLimit"]["local"]["rules"]
    (selector,) = device["clientSelectors"]
    assert selector["sourceCIDR"] == {"type": "Distinct", "value": "0.0.0.0/0"}


@pytest.mark.parametrize("case", EDGED)
def test_the_service_runs_between_two_and_eight_times_and_one_at_a_time_goes(case: str) -> None:
    found = graph(case)
    scaler = named(found, "sync-scaler")
    assert (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]) == (2, 8)
    assert scaler["spec"]["scaleTargetRef"]["name"] == "sync"
    assert "replicas" not in named(found, "sync-deployment")["spec"]
    assert named(found, "sync-deployment-pdb")["spec"]["maxUnavailable"] == 1


def policies(found: ResourceGraph, namespace: str) -> dict[str, dict[str, Any]]:
    rows = [inputs(one) for one in objects(found, "NetworkPolicy")]
    return {one["metadata"]["name"]: one["spec"] for one in rows if one["metadata"]["namespace"] == namespace}


BASICS = {"default-deny", "allow-inside", "allow-dns"}
IN_CLUSTER = {"allow-api-postgres", "edge-allow-sync", "sync-allow-out", "sync-allow-postgres"}
OBJECTS = [("sensei-channels", 8333)]
OPEN: Mapping[str, tuple[set[str], list[tuple[str, int]]]] = {
    OWN: ({*IN_CLUSTER, "monitoring-allow-sync", "monitoring-allow-postgres-sync"}, OBJECTS),
    GAPPED: (IN_CLUSTER, OBJECTS),
    AWS: ({"allow-managed", "edge-allow-sync", "sync-allow-managed"}, []),
}


@pytest.mark.parametrize("case", EDGED)
def test_the_service_calls_its_stores_and_nothing_else(case: str) -> None:
    found = policies(graph(case), "sensei-sync")
    more, calls = OPEN[case]
    # A stack with backups also opens the way of PostgreSQL to its bucket.
    assert {name for name in found if "backup" not in name} == BASICS | more
    out = found.get("sync-allow-out", {"egress": []})["egress"]
    seen = [
        (peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"], port["port"])
        for rule in out
        for peer in rule["to"]
        for port in rule["ports"]
    ]
    assert seen == calls


@pytest.mark.parametrize("case", EDGED)
def test_the_proxies_alone_call_the_service_on_one_port(case: str) -> None:
    (rule,) = policies(graph(case), "sensei-sync")["edge-allow-sync"]["ingress"]
    (peer,) = rule["from"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": PROXIES[case][0]}
    assert peer["podSelector"]["matchLabels"]["gateway.envoyproxy.io/owning-gateway-name"] == "devices"
    assert rule["ports"] == [{"port": 8081, "protocol": "TCP"}]


CALLERS = {OWN: {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"}, AWS: {"0.0.0.0/0"}}


@pytest.mark.parametrize("case", CALLERS)
def test_devices_call_the_proxies_from_where_they_are_said_to_be(case: str) -> None:
    (rule,) = policies(graph(case), PROXIES[case][0])["edge-allow-proxies"]["ingress"]
    assert {peer["ipBlock"]["cidr"] for peer in rule["from"]} == CALLERS[case]
    assert rule["ports"] == [{"port": 10443, "protocol": "TCP"}]
    service = named(graph(case), "edge-proxy")["spec"]["provider"]["kubernetes"]["envoyService"]
    assert set(service["loadBalancerSourceRanges"]) == CALLERS[case]


def test_no_tier_is_opened_to_devices() -> None:
    for space in ("sensei-cognitive", "sensei-execution", "sensei-meta"):
        text = str(policies(graph(OWN), space))
        assert "sensei-sync" not in text, space


def test_the_service_is_told_its_stores_and_its_bounds() -> None:
    (container,) = named(graph(OWN), "sync-deployment")["spec"]["template"]["spec"]["containers"]
    env = {row["name"]: row.get("value") for row in container["env"]}
    assert container["image"].endswith("registry.vendor.example/sensei/sync:1.0.0")
    assert env["DEVICE_DAYS_OFFLINE"] == "30"
    assert env["OBJECT_PREFIX"] == "edge/"
    assert env["PGSSLMODE"] == "verify-full"
    assert {"AWS_ENDPOINT_URL", "DATABASE_URL", "BUCKET"} <= env.keys()


def test_a_managed_database_is_verified_where_somebody_vouches_for_it() -> None:
    stack, changes = EDGED[AWS]
    modes = {}
    for vouched in (False, True):
        found = run_changed(stack, {**changes, "meta.relational_authority": vouched})
        (container,) = named(found, "sync-deployment")["spec"]["template"]["spec"]["containers"]
        modes[vouched] = {row["name"]: row.get("value") for row in container["env"]}["PGSSLMODE"]
    assert modes == {False: "require", True: "verify-full"}


def test_the_arithmetic_stands_in_the_facts() -> None:
    (sync,) = [one for one in graph(OWN).resources if one.type == "skerry:index:EdgeSync"]
    facts = facts_of(sync)
    assert facts is not None and facts.edge is not None
    assert facts.edge.device_sum.endswith("= 910,000,000 bytes")
    assert facts.edge.reconnection_sum == "2,000 devices x 30 days x 2,000,000 bytes a day = 120,000,000,000 bytes"
    assert facts.edge.object_store_bytes == 500 * 1024**3
    (entrance,) = [one for one in graph(AWS).resources if one.type == "skerry:index:EdgeEntrance"]
    faced = facts_of(entrance)
    assert faced is not None and faced.internet_facing


def test_a_site_is_told_which_secrets_it_makes() -> None:
    """External Secrets brings each Secret that the service and its proxies mount."""
    secrets = {"cluster_secret_store": "site-vault", "store_cidrs": ["10.9.0.5/32"]}
    found = run_changed("sensei-private-onprem", {"edge": edge(), "services": {"secrets": secrets}})
    rows = {
        (inputs(one)["metadata"]["namespace"], inputs(one)["metadata"]["name"])
        for one in objects(found, "ExternalSecret")
    }
    assert rows >= {
        ("sensei-edge", "devices-ca"),
        ("sensei-edge", "devices-crl"),
        ("sensei-edge", "edge-tls"),
        ("sensei-sync", "object-store"),
    }


def test_on_aws_the_service_has_the_identity_of_the_agents() -> None:
    base = run_changed("sensei-saas-aws-base", EDGED[AWS][1])
    found = [
        inputs(one) for one in base.resources if one.type == "aws:eks/podIdentityAssociation:PodIdentityAssociation"
    ]
    assert ("sensei-sync", "agents") in [(one["namespace"], one["serviceAccount"]) for one in found]


def test_on_azure_the_service_has_an_identity_of_its_own() -> None:
    changes = {"edge": edge(exposure="internet")}
    credentials = [
        inputs(one)
        for one in azure_base(changes).resources
        if one.type == "azure-native:managedidentity:FederatedIdentityCredential"
    ]
    assert "system:serviceaccount:sensei-sync:agents" in [one["subject"] for one in credentials]
    ((stack, outputs),) = OUTPUTS.items()
    platform = azure_platform(changes, {stack: {**outputs, "channelsClientId": "00000000-0000-0000-0000-0000000000c4"}})
    account = named(platform, "sensei-sync-agents")
    assert account["metadata"]["annotations"] == {
        "azure.workload.identity/client-id": "00000000-0000-0000-0000-0000000000c4"
    }


def test_without_devices_there_is_none_of_it() -> None:
    found = run_changed("sensei-airgapped", {})
    assert [one.name for one in found.resources if "sync" in one.name or kind(one) == "HorizontalPodAutoscaler"] == []
