"""Mode hybrid: each side has its own tiers and channels, and one way joins them (docs/hybrid.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from policies.runner import check
from policies.verdict import Verdict
from skerry.config.hybrid import LONGEST_ROUND_TRIP_MS
from skerry.errors import ConfigError
from skerry.facts import Tier, facts_of
from skerry.graph import Resource, ResourceGraph, is_known, merge, plain
from tests.simulators.azure_stacks import AZURE_TARGET
from tests.simulators.changed_stacks import shipped
from tests.simulators.hybrid_stacks import CUSTOMER, GCP_VENDOR_OUTPUTS, VENDOR, on_aws, on_gcp, run
from tests.simulators.moved_stacks import GCP_TARGET
from tests.simulators.policy_graphs import TODAY
from tests.simulators.stack_objects import STACKS, inputs, objects, pods

RANGES = ["192.0.2.10/32", "192.0.2.11/32", "192.0.2.12/32"]
CUSTOMER_OUTPUTS: Mapping[str, Mapping[str, Any]] = {
    f"{CUSTOMER}-base": {
        "clusterName": "customer",
        "kubeconfig": '{"kind": "Config"}',
        "network": "10.30.0.0/16",
        "keyArn": "arn:aws:kms:eu-central-1:444455556666:key/k",
        "nodeProfile": "nodes",
        "interruptionQueue": "queue",
        "postgresEndpoint": "postgres.customer.internal",
        "pubsubEndpoint": "pubsub.customer.internal",
        "bucket": "customer-rows",
    }
}


def policy_urn(graph: ResourceGraph) -> str:
    return next(resource.urn for resource in graph.resources if resource.name == "vendor-link-egress")


WRONG_VENDORS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "another domain": ({"domain": "other.example", "cidrs": ["203.0.113.7/32"]}, "has its entrance at 'other.example'"),
    "no address": ({"domain": "hybrid.vendor.example", "cidrs": []}, "says no addresses of its entrance"),
    "everybody": (
        {"domain": "hybrid.vendor.example", "cidrs": ["0.0.0.0/0"]}, "'0.0.0.0/0', which is no IPv4 range of one site"),
    "no range": ({"domain": "hybrid.vendor.example", "cidrs": ["all"]}, "'all', which is no IPv4 range of one site"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG_VENDORS)
def test_what_the_vendor_s_stack_says_is_not_simply_believed(case: str) -> None:
    said, expected = WRONG_VENDORS[case]
    changes = {"hybrid.entrance_cidrs": None, "hybrid.vendor_stack": f"organization/skerry/{VENDOR}"}
    with pytest.raises(ConfigError, match=re.escape(expected)):
        run(CUSTOMER, changes, {VENDOR: {"hybrid": said}})


@cache
def side(name: str) -> ResourceGraph:
    """Return the graph of a side at one of its targets, with its base where it has one."""
    match name:
        case "customer on own machines":
            return run(CUSTOMER)
        case "customer on AWS":
            return merge([run(f"{CUSTOMER}-base", on_aws()), run(CUSTOMER, on_aws(), CUSTOMER_OUTPUTS)])
        case "vendor on AWS":
            return merge([run(f"{VENDOR}-base"), run(VENDOR)])
        case _:
            return merge([run(f"{VENDOR}-base", on_gcp()), run(VENDOR, on_gcp(), GCP_VENDOR_OUTPUTS)])


CUSTOMERS = ("customer on own machines", "customer on AWS")
VENDORS = ("vendor on AWS", "vendor on Google Cloud")


def named(graph: ResourceGraph, kind: str, name: str, namespace: str) -> Resource:
    def is_it(resource: Resource) -> bool:
        metadata = inputs(resource)["metadata"]
        return metadata["name"] == name and metadata.get("namespace") == namespace

    return next(resource for resource in objects(graph, kind) if is_it(resource))


def environment(graph: ResourceGraph, name: str) -> dict[str, Any]:
    pod = next(pod for pod in pods(graph) if pod.labels.get("app.kubernetes.io/name") == name)
    return {row["name"]: row.get("value", row.get("valueFrom")) for row in pod.containers[-1]["env"]}


def namespaces(graph: ResourceGraph) -> set[str]:
    return {inputs(resource)["metadata"]["name"] for resource in objects(graph, "Namespace")}


@pytest.mark.parametrize("stack", [stack for stack in STACKS if stack.endswith("-base")])
def test_a_shipped_base_is_its_platform_with_another_layer(stack: str) -> None:
    platform = shipped(stack.removesuffix("-base"))
    assert platform["target"].pop("base_stack") == stack
    assert shipped(stack) == {**platform, "layer": "base"}


@pytest.mark.parametrize("name", CUSTOMERS)
def test_a_customer_has_the_execution_tier_and_its_channels_alone(name: str) -> None:
    graph = side(name)
    assert namespaces(graph) == {"sensei-execution", "sensei-channels", "sensei-operators"}
    workloads = {pod.labels.get("app.kubernetes.io/name") for pod in pods(graph)}
    assert {"temporal-frontend", "temporal-history", "worker", "validator"} <= workloads
    assert not workloads & {"vllm", "architect", "scout", "learning", "qdrant", "neo4j", "mongodb", "mlflow"}
    found = [facts for resource in graph.resources if (facts := facts_of(resource)) is not None]
    assert {facts.tier for facts in found if facts.nodes} == {Tier.EXECUTION, Tier.CHANNELS}
    assert sum(facts.nodes.gpus for facts in found if facts.nodes) == 0
    fewest = [facts.scaling.minimum for facts in found if facts.nodes and facts.scaling]
    assert sorted(fewest) == [3, 4]


@pytest.mark.parametrize("name", VENDORS)
def test_a_vendor_has_neither_workers_nor_workflows(name: str) -> None:
    graph = side(name)
    assert namespaces(graph) == {
        "sensei-cognitive", "sensei-meta", "sensei-channels", "sensei-operators", "sensei-entrance",
    }  # fmt: skip
    workloads = {pod.labels.get("app.kubernetes.io/name") for pod in pods(graph)}
    assert {"vllm", "architect", "scout", "learning", "qdrant", "neo4j"} <= workloads
    assert not {one for one in workloads if one and one.startswith("temporal")} | (workloads & {"worker", "validator"})
    found = [facts for resource in graph.resources if (facts := facts_of(resource)) is not None]
    assert Tier.EXECUTION not in {facts.tier for facts in found}
    assert not objects(graph, "RayCluster")
    for agents in ("architect", "scout", "learning"):
        told = environment(graph, agents)
        assert not {"TEMPORAL_ADDRESS", "WORKERS"} & set(told), "the vendor calls no customer"


@pytest.mark.parametrize("name", CUSTOMERS)
def test_agents_are_told_the_entrance_of_the_vendor_and_no_store(name: str) -> None:
    for kind in ("worker", "validator"):
        told = environment(side(name), kind)
        assert told["ARCHITECTS"] == "dns:///architect.hybrid.vendor.example:443"
        assert told["PATTERNS"] == "dns:///learning.hybrid.vendor.example:443"
        assert told["VENDOR_TLS_KEY"] == {"secretKeyRef": {"name": "vendor-client", "key": "tls.key"}}
        assert told["VENDOR_TLS_AUTHORITY"] == {"secretKeyRef": {"name": "vendor-client", "key": "ca.crt"}}
        assert not {"VECTOR_URL", "VECTOR_API_KEY", "MODEL_URL"} & set(told)
        assert told["TEMPORAL_ADDRESS"] == "temporal-frontend.sensei-channels.svc.cluster.local:7233"


@pytest.mark.parametrize("name", CUSTOMERS)
def test_the_execution_namespace_opens_the_entrance_and_nothing_else_outside(name: str) -> None:
    outside: dict[str, list[tuple[str, Any]]] = {}
    for policy in objects(side(name), "NetworkPolicy"):
        body = inputs(policy)
        if body["metadata"]["namespace"] != "sensei-execution":
            continue
        assert is_known(body["spec"]), "the base was deployed, so that all is known"
        for rule in body["spec"].get("egress", ()):
            assert rule["to"], "a rule without peers opens its ports to everybody"
            blocks = [peer["ipBlock"]["cidr"] for peer in rule["to"] if "ipBlock" in peer]
            ports = [row["port"] for row in rule["ports"]] if blocks else []
            outside.setdefault(body["metadata"]["name"], []).extend((block, ports) for block in blocks)
    assert outside.pop("allow-vendor") == [(block, [443]) for block in RANGES]
    own = ("10.", "172.16.", "192.168.", "100.64.", "169.254.")
    assert [row for rows in outside.values() for row in rows if not row[0].startswith(own)] == []


def test_only_agents_call_the_vendor_not_the_workers_of_ray() -> None:
    policy = inputs(named(side(CUSTOMERS[0]), "NetworkPolicy", "allow-vendor", "sensei-execution"))
    (expression,) = policy["spec"]["podSelector"]["matchExpressions"]
    assert expression["values"] == ["validator", "worker"]


def test_nothing_comes_in_at_a_customer() -> None:
    for name in CUSTOMERS:
        services = [inputs(one)["spec"].get("type", "ClusterIP") for one in objects(side(name), "Service")]
        assert set(services) <= {"ClusterIP"}
        assert not objects(side(name), "Gateway", "Ingress")


@pytest.mark.parametrize("name", VENDORS)
def test_the_entrance_admits_customers_by_address_and_by_certificate(name: str) -> None:
    graph = side(name)
    gateway = inputs(named(graph, "Gateway", "customers", "sensei-entrance"))
    assert {row["hostname"] for row in gateway["spec"]["listeners"]} == {
        "architect.hybrid.vendor.example", "learning.hybrid.vendor.example",
    }  # fmt: skip
    assert {kind["kind"] for row in gateway["spec"]["listeners"] for kind in row["allowedRoutes"]["kinds"]} == {
        "GRPCRoute"
    }
    clients = inputs(named(graph, "ClientTrafficPolicy", "customers", "sensei-entrance"))["spec"]
    assert clients["tls"]["clientValidation"] == {
        "mode": "RequireAndVerify",
        "caCertificateRefs": [{"kind": "Secret", "name": "customers-ca"}],
        "subjectAltNames": {"dnsNames": [{"type": "Exact", "value": "acme.hybrid.vendor.example"}]},
    }
    assert clients["headers"]["xForwardedClientCert"]["mode"] == "SanitizeSet"
    admits = inputs(named(graph, "SecurityPolicy", "customers", "sensei-entrance"))["spec"]["authorization"]
    assert admits["defaultAction"] == "Deny"
    assert [(rule["name"], rule["principal"]["clientCIDRs"]) for rule in admits["rules"]] == [
        ("acme", ["198.51.100.0/28"])
    ]
    proxy = inputs(named(graph, "EnvoyProxy", "customers", "sensei-entrance"))["spec"]["provider"]["kubernetes"]
    assert proxy["envoyService"]["loadBalancerSourceRanges"] == ["198.51.100.0/28"]
    assert not [one for one in objects(graph, "Service") if inputs(one)["spec"].get("type") == "LoadBalancer"]
    routes = {(inputs(one)["metadata"]["namespace"], inputs(one)["spec"]["rules"][0]["backendRefs"][0]["name"])
              for one in objects(graph, "GRPCRoute")}  # fmt: skip
    assert routes == {("sensei-cognitive", "architect-grpc"), ("sensei-meta", "learning-grpc")}


@pytest.mark.parametrize("name", (*CUSTOMERS, *VENDORS))
def test_no_rule_is_violated_on_any_side(name: str) -> None:
    report = check(side(name), today=TODAY)
    assert [(one.rule.id, one.path, one.message) for one in report.of(Verdict.VIOLATION)] == []
    unsure = [(one.rule.id, one.message) for one in report.of(Verdict.UNDETERMINED) if one.rule.family == "HYB"]
    assert unsure == []


def test_both_sides_are_one_graph_where_the_state_of_the_vendor_can_be_read() -> None:
    reference = f"organization/skerry/{VENDOR}"
    changes = {"hybrid.entrance_cidrs": None, "hybrid.vendor_stack": reference}
    said = {"hybrid": {"domain": "hybrid.vendor.example", "cidrs": ["203.0.113.7/32"]}}
    graph = run(CUSTOMER, changes, {VENDOR: said})
    policy = inputs(named(graph, "NetworkPolicy", "allow-vendor", "sensei-execution"))
    assert policy["spec"]["egress"][0]["to"] == [{"ipBlock": {"cidr": "203.0.113.7/32"}}]
    not_deployed = inputs(named(run(CUSTOMER, changes), "NetworkPolicy", "allow-vendor", "sensei-execution"))
    assert not is_known(not_deployed["spec"]["egress"]), "what the vendor has not said yet is unknown"
    told = [one.verdict for one in check(graph, today=TODAY).findings if one.urn == policy_urn(graph)]
    assert Verdict.UNDETERMINED in told, "who says those addresses is not in the graph"
    joined = merge([run(VENDOR), graph])
    wrong = [one.message for one in check(joined, today=TODAY).of(Verdict.VIOLATION) if one.rule.id == "HYB002"]
    assert wrong == ["it lets pods of the execution tier reach 203.0.113.7/32, which is not the vendor's entrance"]
    same = merge(
        [run(VENDOR), run(CUSTOMER, changes, {VENDOR: {"hybrid": plain(joined.stack_outputs(VENDOR)["hybrid"])}})]
    )
    assert [one for one in check(same, today=TODAY).of(Verdict.VIOLATION) if one.rule.id == "HYB002"] == []
    own = joined.stack_outputs(VENDOR)
    assert plain(own["hybrid"]) == {"domain": "hybrid.vendor.example", "cidrs": RANGES}


def test_the_gateway_of_user_interfaces_and_the_entrance_share_one_controller() -> None:
    gateway = {"domain": "ui.vendor.example", "routes": ["mlflow"]}
    graph = run(VENDOR, {"services.gateway": gateway})
    charts = [inputs(one)["chart"] for one in graph.of_type("kubernetes:helm.sh/v3:Release")]
    assert sum("gateway" in str(chart) for chart in charts) == 1
    quota = inputs(named(graph, "ResourceQuota", "limits", "sensei-gateway"))
    assert quota["spec"]["hard"]["services.loadbalancers"] == "2"
    assert named(graph, "Gateway", "customers", "sensei-gateway")


def test_a_round_trip_relaxes_the_way_and_one_that_nobody_measured_counts_as_the_longest() -> None:
    files = {}
    for measured in (40, 92, None):
        graph = run(CUSTOMER, {"hybrid.round_trip_ms": measured})
        data = inputs(named(graph, "ConfigMap", "grpc-service-config", "sensei-execution"))["data"]
        (method,) = json.loads(data["service-config.json"])["methodConfig"]
        assert "timeout" not in method, "plan updates come on streams that stay open"
        timeout = environment(graph, "worker")["VENDOR_CALL_TIMEOUT_S"]
        files[measured] = (timeout, method["retryPolicy"]["initialBackoff"])
        assert json.loads(data["channel-arguments.json"])["grpc.keepalive_time_ms"] == 60_000
    assert files == {40: ("31", "0.1s"), 92: ("32", "0.1s"), None: ("38", "0.5s")}
    assert LONGEST_ROUND_TRIP_MS == 500


@pytest.mark.parametrize("cloud", ["gcp", "azure"])
def test_the_other_clouds_take_both_sides_without_a_violation(cloud: str) -> None:
    target = {"gcp": GCP_TARGET, "azure": AZURE_TARGET}[cloud]
    at_home = {
        "state.jurisdiction": "US",
        "residency.boundaries": [{"data_class": "restricted", "jurisdictions": ["US"]}],
    }
    sides = {
        CUSTOMER: {"target": {**target, "base_stack": f"{CUSTOMER}-base"}, **at_home},
        VENDOR: on_gcp({"target": {**target, "base_stack": f"{VENDOR}-base"}}),
    }
    for stack, changes in sides.items():
        graph = merge([run(f"{stack}-base", changes), run(stack, changes)])
        found = check(graph, today=TODAY).of(Verdict.VIOLATION)
        assert [(one.rule.id, one.path, one.message) for one in found] == []


SERVICES: Mapping[str, Mapping[str, Any]] = {
    VENDOR: {
        "certificates": {"issuer": "own-ca", "agents": True},
        "gateway": {"domain": "ui.vendor.example", "routes": ["mlflow", "grafana"]},
        "monitoring": {"grafana": True},
        "secrets": {},
    },
    CUSTOMER: {
        "certificates": {"issuer": "own-ca", "agents": True},
        "gateway": {"domain": "ui.customer.example", "routes": ["temporal-ui", "ray-dashboard"]},
        "monitoring": {},
        "secrets": {"cluster_secret_store": "vault", "store_cidrs": ["10.9.0.0/24"]},
    },
}
SECRETS = {
    VENDOR: {"neo4j-auth", "mongodb-auth", "qdrant-api-key", "experiments-db-app", "grafana-admin"},
    CUSTOMER: {"valkey-auth", "object-store", "vendor-client"},
}


@pytest.mark.parametrize("stack", SERVICES)
def test_services_beside_a_side_are_of_what_it_has(stack: str) -> None:
    graph = run(stack, {"services": SERVICES[stack]})
    here = namespaces(graph) | {"kube-system"}
    placed = [inputs(one).get("metadata", {}).get("namespace") for one in objects(graph)]
    assert {name for name in placed if name is not None} <= here, "an object of a namespace that is not there"
    assert {inputs(one)["metadata"]["name"] for one in objects(graph, "ExternalSecret")} == SECRETS[stack]
    scraped = {inputs(one)["metadata"]["name"] for one in objects(graph, "PodMonitor")}
    others = {"neo4j", "qdrant", "mlflow", "learning"} if stack == CUSTOMER else {"ray-head", "temporal-frontend"}
    assert scraped
    assert not scraped & others
    assert check(graph, today=TODAY).of(Verdict.VIOLATION) == ()
