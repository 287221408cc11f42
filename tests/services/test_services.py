"""The services of a deployment: nothing without them, each opening exact, every Secret that somebody would make."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from components.aws.services import secrets_policy
from skerry.config.spec import CONFIG_KEY
from skerry.engine.run import run_deployment
from skerry.facts import ComponentFacts, facts_of
from skerry.graph import Resource, ResourceGraph, plain
from tests.simulators.azure_stacks import AZURE
from tests.simulators.azure_stacks import deployment as azure_deployment
from tests.simulators.changed_stacks import run_changed, run_core
from tests.simulators.service_stacks import SERVED
from tests.simulators.stack_objects import ONPREM, ROOT, inputs, objects

CASES = list(SERVED)
EVERYTHING, AIR_GAP, AWS, GOOGLE = CASES


@cache
def graph_of(case: str) -> ResourceGraph:
    stack, changes = SERVED[case]
    return run_core(stack, changes)


@cache
def bare(stack: str) -> ResourceGraph:
    return run_core(stack, {})


def named(graph: ResourceGraph, kind: str) -> dict[str, Mapping[str, Any]]:
    """Return the objects of a kind by `namespace/name`."""
    found = {}
    for resource in graph.resources:
        if resource.type.endswith(f":{kind}"):
            row = plain(resource.inputs)
            meta = row["metadata"]
            found[f"{meta.get('namespace', '')}/{meta['name']}"] = row
    return found


def facts(graph: ResourceGraph, name: str) -> ComponentFacts:
    for resource in graph.resources:
        found = facts_of(resource)
        if resource.name == name and found is not None:
            return found
    raise AssertionError(f"no component {name}")


@pytest.mark.parametrize("case", CASES)
def test_services_add_and_change_only_what_they_must(case: str) -> None:
    """What a deployment has without them it has with them; only whoever is watched or reached is told so."""
    before = {resource.urn: resource for resource in bare(SERVED[case][0]).resources}
    after = {resource.urn: resource for resource in graph_of(case).resources}
    assert before.keys() <= after.keys()
    changed = {urn.rpartition("::")[2] for urn in before if before[urn].inputs != after[urn].inputs}
    told = {"meta-graph-set", "meta-graph-service", "meta-graph-set-headless", "meta-experiments-server"}
    told |= {f"objects-{role}" for role in ("master", "volume", "s3", "service")}
    told |= {f"objects-{role}-headless" for role in ("master", "volume")}
    assert {name for name in changed if not name.startswith("skerry-")} - told - {"sensei"} == set()


def policies(graph: ResourceGraph, namespace: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, policy in named(graph, "NetworkPolicy").items():
        where, _, own = name.partition("/")
        if where == namespace:
            yield own, policy["spec"]


@pytest.mark.parametrize("case", CASES)
def test_no_policy_of_a_service_opens_all_pods_or_all_ports_of_a_tier(case: str) -> None:
    graph = graph_of(case)
    own = named(graph, "NetworkPolicy").keys() - named(bare(SERVED[case][0]), "NetworkPolicy").keys()
    in_tiers = [name for name in own if re.match(r"sensei-(cognitive|execution|meta|channels)/", name)]
    assert in_tiers
    for name in in_tiers:
        spec = named(graph, "NetworkPolicy")[name]["spec"]
        assert spec["podSelector"], f"{name} is for every pod"
        assert spec["policyTypes"] == ["Ingress"], f"{name}: no tier calls a service"
        for rule in spec["ingress"]:
            assert (bool(rule["from"]), bool(rule["ports"])) == (True, True), name
            assert [port for port in rule["ports"] if not isinstance(port["port"], int)] == []


def test_the_gateway_reaches_user_interfaces_and_no_store() -> None:
    graph = graph_of(EVERYTHING)
    called = {}
    for name, policy in named(graph, "NetworkPolicy").items():
        if "/gateway-allow-" in name and not name.startswith("sensei-gateway/"):
            ports = [port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]]
            labels = " ".join(sorted(policy["spec"]["podSelector"]["matchLabels"].values()))
            called[name.partition("/")[0], labels] = ports
    assert called == {
        ("sensei-channels", "temporal-ui"): [8080],
        ("sensei-channels", "temporal-frontend"): [7233],
        ("sensei-meta", "mlflow"): [5000],
        ("sensei-execution", "head ray"): [8265],
        ("sensei-monitoring", "grafana"): [3000],
    }


def test_a_route_joins_its_own_listener_and_lies_beside_its_service() -> None:
    graph = graph_of(EVERYTHING)
    gateway = named(graph, "Gateway")["sensei-gateway/sensei"]["spec"]
    listeners = {row["name"]: row for row in gateway["listeners"]}
    routes = {**named(graph, "HTTPRoute"), **named(graph, "GRPCRoute")}
    services = named(graph, "Service")
    assert len(listeners) == len(routes) == 5
    for name, route in routes.items():
        namespace, _, own = name.partition("/")
        spec = route["spec"]
        (parent,) = spec["parentRefs"]
        listener = listeners[parent["sectionName"]]
        assert [listener["hostname"]] == spec["hostnames"] == [f"{own}.sensei.customer.example"]
        assert (listener["protocol"], listener["tls"]["mode"]) == ("HTTPS", "Terminate")
        selector = listener["allowedRoutes"]["namespaces"]["selector"]["matchLabels"]
        assert selector == {"kubernetes.io/metadata.name": namespace}
        assert listener["allowedRoutes"]["kinds"] == [{"kind": route["kind"]}]
        (backend,) = spec["rules"][0]["backendRefs"]
        assert "namespace" not in backend
        if own not in ("ray-dashboard", "grafana"):
            ports = [port["port"] for port in services[f"{namespace}/{backend['name']}"]["spec"]["ports"]]
            assert backend["port"] in ports, "KubeRay and a chart make the other two"


def test_the_entrance_is_inside_and_the_site_says_who_may_call() -> None:
    graph = graph_of(EVERYTHING)
    service = named(graph, "EnvoyProxy")["sensei-gateway/sensei"]["spec"]["provider"]["kubernetes"]["envoyService"]
    assert (service["type"], service["loadBalancerSourceRanges"]) == ("LoadBalancer", ["10.7.0.0/16"])
    entrance = named(graph, "NetworkPolicy")["sensei-gateway/gateway-allow-proxies"]["spec"]
    assert entrance["ingress"] == [
        {"from": [{"ipBlock": {"cidr": "10.7.0.0/16"}}], "ports": [{"port": 10443, "protocol": "TCP"}]}
    ]
    assert (facts(graph, "gateway").internet_facing, facts(graph_of(AWS), "gateway").internet_facing) == (False, True)
    assert {one.scope for one in facts(graph, "gateway").endpoints} == {"site"}
    quota = named(graph, "ResourceQuota")["sensei-gateway/limits"]["spec"]["hard"]
    assert (quota["services.loadbalancers"], quota["services.nodeports"]) == ("1", "1")


def test_a_load_balancer_of_own_machines_has_the_class_that_the_target_names() -> None:
    stack, changes = SERVED[EVERYTHING]
    graph = run_core(stack, {**changes, "target.load_balancer_class": "metallb.io/metallb"})
    service = named(graph, "EnvoyProxy")["sensei-gateway/sensei"]["spec"]["provider"]["kubernetes"]["envoyService"]
    assert service["loadBalancerClass"] == "metallb.io/metallb"


def test_a_class_of_the_cloud_installs_nothing_and_lets_its_proxies_in() -> None:
    graph = graph_of(GOOGLE)
    assert [resource.name for resource in objects(graph, "Release") if "gateway" in resource.name] == []
    assert named(graph, "Gateway")["sensei-gateway/sensei"]["spec"]["gatewayClassName"] == "gke-l7-rilb"
    spec = named(graph, "NetworkPolicy")["sensei-meta/gateway-allow-mlflow"]["spec"]
    assert spec["ingress"][0]["from"] == [{"ipBlock": {"cidr": "10.129.0.0/23"}}]


def test_mlflow_knows_the_name_by_which_browsers_call_it() -> None:
    (server,) = [r for r in graph_of(EVERYTHING).resources if r.name == "meta-experiments-server"]
    env = {row["name"]: row.get("value") for row in inputs(server)["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert f"{env['MLFLOW_SERVER_ALLOWED_HOSTS']}".endswith(",mlflow.sensei.customer.example")
    assert env["MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"] == "https://mlflow.sensei.customer.example"


def test_certificates_are_signed_by_whom_the_configuration_names() -> None:
    issuers = {case: named(graph_of(case), "ClusterIssuer") for case in (EVERYTHING, AWS, GOOGLE)}
    assert issuers[EVERYTHING]["/sensei"]["spec"] == {"ca": {"secretName": "sensei-ca"}}
    assert issuers[EVERYTHING]["/sensei-self-signed"]["spec"] == {"selfSigned": {}}
    assert issuers[GOOGLE]["/sensei"]["spec"] == {"ca": {"secretName": "vendor-ca"}}
    (solver,) = issuers[AWS]["/sensei"]["spec"]["acme"]["solvers"]
    assert solver["dns01"] == {"route53": {"region": "us-east-1", "hostedZoneID": "Z0123456789"}}
    certificates = named(graph_of(EVERYTHING), "Certificate")
    assert set(certificates) == {
        "sensei-operators/sensei-ca",
        "sensei-gateway/gateway-tls",
        "sensei-cognitive/agents-tls",
        "sensei-execution/agents-tls",
    }
    assert len(certificates["sensei-gateway/gateway-tls"]["spec"]["dnsNames"]) == 5


def test_an_authority_of_ones_own_is_kept() -> None:
    (root,) = [r for r in graph_of(EVERYTHING).resources if r.name == "certificates-root"]
    assert (root.protect, root.retain_on_delete) == (True, True)


def test_every_secret_that_a_site_makes_by_hand_comes_from_the_store() -> None:
    text = (ROOT / "docs" / "sites.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| `([a-z0-9-]+)` \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    by_hand = {name for _, name, _, who in rows if "the site" in who and "CloudNativePG" not in who}
    assert by_hand >= {"qdrant-api-key", "neo4j-auth", "mongodb-auth", "valkey-auth", "object-store"}
    made = {name.partition("/")[2] for name in named(graph_of(EVERYTHING), "ExternalSecret")}
    assert by_hand - made == set()
    aws = named(graph_of(AWS), "ExternalSecret")
    assert {"sensei-meta/experiments-db-app", "sensei-channels/temporal-db-app"} <= set(aws), "RDS runs PostgreSQL"
    assert [name for name in aws if "valkey-auth" in name or "object-store" in name] == [], "identity is by workload"


@pytest.mark.parametrize("shipped", [False, True])
def test_a_secret_is_in_each_namespace_whose_pods_ask_for_it(shipped: bool) -> None:
    graph = run_changed(ONPREM, {}) if shipped else graph_of(EVERYTHING)
    made = set(named(graph, "ExternalSecret"))
    # CloudNativePG makes these for each of its clusters.
    postgres = {f"{cluster}-{what}" for cluster in ("temporal-db", "experiments-db") for what in ("app", "ca")}
    for resource in objects(graph, "Deployment", "StatefulSet", "CronJob"):
        row = inputs(resource)
        found = set(re.findall(r"'secretKeyRef': \{'name': '([a-z0-9-]+)'", str(row)))
        found |= set(re.findall(r"'secretName': '([a-z0-9-]+)'", str(row)))
        namespace = row["metadata"]["namespace"]
        missing = {name for name in found - postgres if f"{namespace}/{name}" not in made}
        assert missing == set(), f"{namespace}/{row['metadata']['name']}"


def test_a_store_is_asked_in_the_region_and_by_identity() -> None:
    aws = named(graph_of(AWS), "ClusterSecretStore")["/sensei"]["spec"]["provider"]
    google = named(graph_of(GOOGLE), "ClusterSecretStore")["/sensei"]["spec"]["provider"]["gcpsm"]
    assert aws == {"aws": {"service": "SecretsManager", "region": "us-east-1"}}
    assert google["location"] == "us-central1"
    assert named(graph_of(EVERYTHING), "ClusterSecretStore") == {}, "the site makes it"
    one = named(graph_of(GOOGLE), "ExternalSecret")["sensei-meta/neo4j-auth"]["spec"]
    assert one["data"] == [
        {"secretKey": "NEO4J_AUTH", "remoteRef": {"key": "saas-neo4j-auth", "property": "NEO4J_AUTH"}}
    ]
    assert [one.host for one in facts(graph_of(AWS), "secrets").endpoints] == ["secretsmanager.us-east-1.amazonaws.com"]


def test_whatever_a_monitor_scrapes_prometheus_may_reach_and_only_there() -> None:
    graph = graph_of(EVERYTHING)
    opened = named(graph, "NetworkPolicy")
    out = opened["sensei-monitoring/monitoring-allow-out"]["spec"]["egress"]
    monitors = named(graph, "PodMonitor")
    assert len(monitors) > 20
    gpus = monitors.pop("sensei-monitoring/dcgm-exporter")["spec"]
    assert gpus["namespaceSelector"] == {"matchNames": ["sensei-gpus"]}
    assert "'sensei-gpus'" in str(out), "the way in is opened by `gpu.metrics_readers`"
    for name, monitor in monitors.items():
        namespace, _, job = name.partition("/")
        policy = opened[f"{namespace}/monitoring-allow-{job}"]["spec"]
        assert policy["podSelector"] == monitor["spec"]["selector"]
        (rule,) = policy["ingress"]
        (peer,) = rule["from"]
        assert peer["podSelector"] == {"matchLabels": {"app.kubernetes.io/name": "prometheus"}}
        wanted = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
        wanted |= {"podSelector": monitor["spec"]["selector"]}
        assert {"to": [wanted], "ports": rule["ports"]} in out


def test_a_scraped_port_is_one_that_the_pods_have() -> None:
    graph = graph_of(EVERYTHING)
    pods = {}
    for resource in (*objects(graph, "Deployment"), *objects(graph, "StatefulSet")):
        row = inputs(resource)
        ports = {
            p["name"]: p["containerPort"]
            for c in row["spec"]["template"]["spec"]["containers"]
            for p in c.get("ports", [])
        }
        pods[row["metadata"]["namespace"], row["metadata"]["name"]] = ports
    checked = 0
    for name, monitor in named(graph, "PodMonitor").items():
        namespace = name.partition("/")[0]
        labels = monitor["spec"]["selector"].get("matchLabels", {})
        workload = (namespace, labels.get("app.kubernetes.io/name"))
        if workload in pods:
            (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
            policy = named(graph, "NetworkPolicy")[f"{namespace}/monitoring-allow-{name.partition('/')[2]}"]["spec"]
            assert policy["ingress"][0]["ports"][0]["port"] == pods[workload][endpoint["port"]], name
            checked += 1
    assert checked >= 15


def test_rules_and_dashboards_are_those_of_what_runs() -> None:
    everything, air_gap = graph_of(EVERYTHING), graph_of(AIR_GAP)
    aws = {name.partition("/")[2] for name in named(graph_of(AWS), "PrometheusRule")}
    assert {"sensei-postgres", "sensei-valkey", "sensei-seaweedfs"}.isdisjoint(aws), "the cloud runs these"
    assert {"sensei-vllm", "sensei-secrets", "sensei-certificates", "sensei-gateway"} <= aws
    site = named(air_gap, "PrometheusRule")
    assert {row["metadata"]["labels"]["release"] for row in site.values()} == {"site"}
    assert {name.partition("/")[0] for name in site} == {"sensei-operators"}, "no namespace is made for it"
    assert "> 180000" in str(site["sensei-operators/sensei-postgres"])
    boards = [row for name, row in named(everything, "ConfigMap").items() if "dashboard-" in name]
    assert [row["metadata"]["labels"]["grafana_dashboard"] for row in boards] == ["1"] * 4


def release(graph: ResourceGraph, name: str) -> Resource:
    return next(r for r in objects(graph, "Release") if plain(r.inputs)["name"] == name)


@pytest.mark.parametrize("case", CASES)
def test_charts_run_what_is_declared_and_nothing_by_latest(case: str) -> None:
    graph = graph_of(case)
    for resource in objects(graph, "Release"):
        values = plain(resource.inputs)["values"]
        assert ":latest" not in str(values), resource.name
    declared = {image.name for r in graph.resources if (found := facts_of(r)) for image in found.images}
    grafana = case == EVERYTHING
    assert ("grafana" in declared, "k8s-sidecar" in declared) == (grafana, grafana)


def test_a_site_without_a_connection_takes_its_images_and_charts_from_its_registry() -> None:
    stack, _ = SERVED[AIR_GAP]
    gateway = {"domain": "sensei.site.example", "routes": ["temporal-ui"], "tls_secret": "site-tls"}
    graph = run_core(stack, {"services.gateway": gateway, "services.monitoring": {}, "services.certificates": {}})
    for name in ("gateway-helm", "kube-prometheus-stack", "cert-manager"):
        row = plain(release(graph, name).inputs)
        assert row["chart"].startswith("oci://registry.site.example:5000/charts/") or "/charts/" in row["chart"], name
    values = plain(release(graph, "kube-prometheus-stack").inputs)["values"]
    image = values["prometheus"]["prometheusSpec"]["image"]
    assert (image["registry"].count("/"), image["repository"]) == (0, "quay.io/prometheus/prometheus")
    proxy = named(graph, "EnvoyProxy")["sensei-gateway/sensei"]["spec"]["provider"]["kubernetes"]["envoyDeployment"]
    assert proxy["container"]["image"].endswith("/docker.io/envoyproxy/envoy:distroless-v1.39.0")


@pytest.mark.parametrize("case", CASES)
def test_namespaces_of_services_deny_by_default_and_are_restricted(case: str) -> None:
    graph = graph_of(case)
    for name, namespace in named(graph, "Namespace").items():
        own = name.partition("/")[2]
        if own == "sensei-gpus":
            continue  # what reaches into machines, which is no part of the services
        assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted", own
        deny = named(graph, "NetworkPolicy")[f"{own}/default-deny"]["spec"]
        assert (deny["podSelector"], deny["policyTypes"]) == ({}, ["Ingress", "Egress"])
        assert f"{own}/limits" in named(graph, "ResourceQuota")


def test_every_chart_gives_its_pods_a_priority_of_the_deployment() -> None:
    graph = graph_of(EVERYTHING)
    for name in ("gateway-helm", "cert-manager", "external-secrets", "kube-prometheus-stack"):
        assert "'priorityClassName': 'skerry-serving'" in str(plain(release(graph, name).inputs)["values"]), name


def test_the_shipped_stacks_have_no_services() -> None:
    assert [
        r.name for r in bare(ONPREM).resources if r.name.startswith(("gateway", "monitoring", "certificates"))
    ] == []


def base_of(case: str) -> ResourceGraph:
    stack, changes = SERVED[case]
    return run_core(f"{stack}-base", changes)


def test_controllers_have_identities_at_aws_that_reach_no_further() -> None:
    graph = base_of(AWS)
    made = {r.name: plain(r.inputs) for r in graph.resources if "services" in r.name}
    associations = {(row["namespace"], row["serviceAccount"]) for name, row in made.items() if "-identity-" in name}
    assert associations == {("sensei-operators", "external-secrets"), ("sensei-operators", "cert-manager")}
    assert "Z0123456789" in made["sensei-base-services-cert-manager"]["policy"]
    assert "hostedzone/*" not in made["sensei-base-services-cert-manager"]["policy"]
    reads = secrets_policy("arn:aws:kms:us-east-1:123456789012:key/k", "us-east-1", "sensei")
    assert '"arn:aws:secretsmanager:us-east-1:123456789012:secret:sensei-*"' in reads
    assert [r.name for r in bare("sensei-saas-aws-base").resources if "services" in r.name] == []


def test_the_controller_reads_its_own_secrets_at_google_cloud_and_no_others() -> None:
    graph = base_of(GOOGLE)
    (grant,) = [r for r in graph.resources if r.name == "sensei-base-services-secrets"]
    assert grant.inputs["role"] == "roles/secretmanager.secretAccessor"
    assert plain(grant.inputs)["condition"]["title"] == "secrets of saas"
    assert [r.name for r in bare("sensei-saas-gcp-base").resources if "services" in r.name] == []


def test_azure_reads_its_vault_by_the_identity_that_is_named() -> None:
    client = "00000000-0000-0000-0000-00000000000d"
    acme = {
        "email": "ops@example.com",
        "dns_zone": "example.com",
        "azure_resource_group": "dns",
        "azure_client_id": client,
    }
    changes = {
        "services.secrets": {"azure_vault_url": "https://sensei.vault.azure.net", "azure_client_id": client},
        "services.certificates": {"issuer": "acme", "acme": acme},
        "services.gateway": {"domain": "ops.example.com", "routes": ["temporal-ui"]},
    }
    deployment = azure_deployment("sensei-saas-aws", changes)
    graph = run_deployment(ROOT, AZURE, {CONFIG_KEY: json.dumps(deployment)})
    store = named(graph, "ClusterSecretStore")["/sensei"]["spec"]["provider"]["azurekv"]
    assert (store["vaultUrl"], store["authType"]) == ("https://sensei.vault.azure.net", "WorkloadIdentity")
    (solver,) = named(graph, "ClusterIssuer")["/sensei"]["spec"]["acme"]["solvers"]
    assert solver["dns01"]["azureDNS"]["managedIdentity"] == {"clientID": client}
    values = plain(release(graph, "external-secrets").inputs)["values"]
    assert values["podLabels"] == {"azure.workload.identity/use": "true"}
    proxy = named(graph, "EnvoyProxy")["sensei-gateway/sensei"]["spec"]["provider"]["kubernetes"]["envoyService"]
    assert proxy["annotations"] == {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}
