"""Services on a cluster, seen in the graph: the numbers of AgentDB's analysis, what is refused, and a new service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from skerry.config.load import load_spec
from skerry.config.spec import CONFIG_KEY
from skerry.errors import ConfigError
from skerry.graph import Resource, ResourceGraph
from tests.simulators.changed_stacks import changed_deployment, run_changed
from tests.simulators.cluster_service_stacks import CLUSTER_STACKS, EKS, GKE, ONPREM, new_services
from tests.simulators.stack_objects import graph_of, inputs, kind, objects


def named(graph: ResourceGraph, of_kind: str, name: str) -> dict[str, Any]:
    """Return the inputs of the one object of a kind with this name in Kubernetes."""
    found = [one for one in objects(graph, of_kind) if inputs(one)["metadata"]["name"] == name]
    assert len(found) == 1, (of_kind, name, len(found))
    return inputs(found[0])


@pytest.mark.parametrize("stack", CLUSTER_STACKS)
def test_the_resources_of_a_stack_have_the_names_on_record(stack: str, golden: Any) -> None:
    rows = [f"{r.type}  {r.urn}" for r in graph_of(stack).resources if r.stack == stack]
    golden(f"urns-{stack}.txt", "\n".join(rows) + "\n")


PLATFORMS = [stack for stack in CLUSTER_STACKS if not stack.endswith("-base")]


@pytest.mark.parametrize("stack", PLATFORMS)
def test_agentdb_has_the_numbers_of_its_analysis(stack: str) -> None:
    """003:3500 to 3760: requests, limits, ports, probes, bounds and measures."""
    graph = graph_of(stack)
    pods = named(graph, "StatefulSet", "agentdb")["spec"]
    container = pods["template"]["spec"]["containers"][0]
    assert container["resources"] == {
        "requests": {"cpu": "500m", "memory": "512Mi"},
        "limits": {"cpu": "1000m", "memory": "1024Mi"},
    }
    assert {row["name"]: (row["containerPort"], row.get("protocol", "TCP")) for row in container["ports"]} == {
        "http": (8080, "TCP"),
        "quic": (4433, "UDP"),
    }
    probes = {name: container[f"{name}Probe"] for name in ("liveness", "readiness")}
    assert {
        name: (row["httpGet"]["path"], row["initialDelaySeconds"], row["periodSeconds"]) for name, row in probes.items()
    } == {"liveness": ("/health", 30, 10), "readiness": ("/ready", 5, 5)}
    assert container["startupProbe"]["failureThreshold"] == 30
    plain = {row["name"]: row.get("value") for row in container["env"]}
    assert (plain["DATABASE_MODE"], plain["QUIC_ENABLED"]) == ("graph", "true")
    scaler = named(graph, "HorizontalPodAutoscaler", "agentdb")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 50)
    assert {row["resource"]["name"]: row["resource"]["target"]["averageUtilization"] for row in scaler["metrics"]} == {
        "cpu": 70,
        "memory": 80,
    }


@pytest.mark.parametrize("stack", PLATFORMS)
def test_agentdb_has_what_the_manifest_of_its_analysis_lacks(stack: str) -> None:
    graph = graph_of(stack)
    pods = named(graph, "StatefulSet", "agentdb")["spec"]
    assert "replicas" not in pods, "an autoscaler owns the number"
    (claim,) = pods["volumeClaimTemplates"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert claim["spec"]["resources"]["requests"]["storage"] == "200Gi"
    peers = named(graph, "Service", "agentdb-headless")["spec"]
    assert {row["port"]: row.get("protocol", "TCP") for row in peers["ports"]} == {8080: "TCP", 4433: "UDP"}
    outside = named(graph, "Service", "agentdb")["spec"]
    assert (outside["type"], [row["port"] for row in outside["ports"]]) == ("ClusterIP", [8080])
    assert outside["sessionAffinity"] == "ClientIP"
    assert named(graph, "PodDisruptionBudget", "agentdb")["spec"]["maxUnavailable"] == 1
    assert named(graph, "Service", "agentdb-primary")["spec"]["selector"]["statefulset.kubernetes.io/pod-name"] == (
        "agentdb-0"
    )
    assert objects(graph, "Ingress") == []
    assert not [one for one in objects(graph, "Service") if inputs(one)["spec"].get("type") == "LoadBalancer"]


def test_replicas_are_told_the_names_of_all_fifty_and_who_writes() -> None:
    pods = named(graph_of(ONPREM), "StatefulSet", "agentdb")["spec"]["template"]["spec"]
    env = {row["name"]: row for row in pods["containers"][0]["env"]}
    nodes = env["REPLICA_NODES"]["value"].split(",")
    domain = "agentdb-headless.agentdb-services.svc.cluster.local:4433"
    assert (len(nodes), nodes[0], nodes[-1]) == (50, f"agentdb-0.{domain}", f"agentdb-49.{domain}")
    assert env["REPLICA_PRIMARY"]["value"] == f"agentdb-0.{domain}"
    assert env["REPLICA_INDEX"]["valueFrom"]["fieldRef"]["fieldPath"] == (
        "metadata.labels['apps.kubernetes.io/pod-index']"
    )


def test_replicas_know_each_other_by_a_certificate_that_is_renewed() -> None:
    graph = graph_of(ONPREM)
    asked = named(graph, "Certificate", "agentdb-replica-tls")["spec"]
    assert asked["dnsNames"] == [
        "*.agentdb-headless.agentdb-services.svc.cluster.local",
        "agentdb-primary.agentdb-services.svc.cluster.local",
    ]
    assert (asked["usages"], asked["duration"], asked["privateKey"]["rotationPolicy"]) == (
        ["server auth", "client auth"],
        "2160h",
        "Always",
    )
    volumes = named(graph, "StatefulSet", "agentdb")["spec"]["template"]["spec"]["volumes"]
    assert {"name": "replica-tls", "secret": {"secretName": "agentdb-replica-tls"}} in volumes


def test_streams_outlive_every_time_out_on_their_way() -> None:
    """`longest_request_s` is 300 in the stack."""
    graph = graph_of(ONPREM)
    route = named(graph, "HTTPRoute", "agentdb")["spec"]["rules"][0]
    clients = named(graph, "ClientTrafficPolicy", "internal")["spec"]
    assert route["timeouts"] == {"request": "310s"}
    assert clients["timeout"]["http"] == {"idleTimeout": "3600s", "streamIdleTimeout": "310s"}
    assert clients["tcpKeepalive"] == {"probes": 3, "idleTime": "60s", "interval": "15s"}


def test_five_thousand_operations_are_asked_of_the_storage_class() -> None:
    graph = graph_of(EKS)
    faster = named(graph, "StorageClass", "encrypted-gp3-5000")
    assert (faster["parameters"]["type"], faster["parameters"]["iops"]) == ("gp3", "5000")
    (claim,) = named(graph, "StatefulSet", "agentdb")["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == "encrypted-gp3-5000"
    assert "iops" not in named(graph, "StorageClass", "encrypted-gp3")["parameters"]


def test_files_are_copied_every_day_and_kept_for_seven() -> None:
    job = named(graph_of(ONPREM), "CronJob", "agentdb-0-backup")["spec"]
    pod = job["jobTemplate"]["spec"]["template"]["spec"]
    upload = {row["name"]: row.get("value") for row in pod["containers"][0]["env"]}
    assert (job["schedule"], upload["KEEP"]) == ("0 2 * * *", "7d")
    assert {"name": "data", "persistentVolumeClaim": {"claimName": "data-agentdb-0"}} in pod["volumes"]
    (term,) = pod["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["labelSelector"]["matchLabels"] == {"statefulset.kubernetes.io/pod-name": "agentdb-0"}


@pytest.mark.parametrize("base", ["agentdb-eks-base", "agentdb-gke-base", "agentdb-aks-base"])
def test_a_base_makes_no_store_that_nobody_asked_for(base: str) -> None:
    types = {one.type for one in graph_of(base).resources}
    stores = {
        "aws:rds/instance:Instance",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        "gcp:sql/databaseInstance:DatabaseInstance",
        "gcp:redis/instance:Instance",
        "azure-native:dbforpostgresql:Server",
    }
    assert types & stores == set()


def test_the_metrics_that_the_autoscaler_asks_for_come_with_the_cluster() -> None:
    addons = {one.inputs["addonName"] for one in graph_of("agentdb-eks-base").of_type("aws:eks/addon:Addon")}
    assert "metrics-server" in addons


REFUSED: Mapping[str, tuple[str, dict[str, Any], str, str]] = {
    "no cluster has a measure of requests at once": (
        ONPREM,
        {"agentdb.scale": {"minimum": 2, "maximum": 5, "concurrency": 80}},
        "agentdb.scale.concurrency",
        "is no measure of a cluster",
    ),
    "nothing starts the first replica": (
        ONPREM,
        {"agentdb.scale": {"minimum": 0, "maximum": 5, "cpu_percent": 70}},
        "agentdb.scale.minimum",
        "nothing but the depth of a queue",
    ),
    "replicas with files never run on spot machines": (
        ONPREM,
        {"agentdb.scale": {"minimum": 2, "maximum": 5, "cpu_percent": 70, "spot_share": 0.5}},
        "agentdb.scale.spot_share",
        "none of them may be taken away",
    ),
    "gp3 does no more than 16,000 operations": (
        EKS,
        {"agentdb.storage_iops": 20_000},
        "agentdb.storage_iops",
        "outside the 3000 to 16000",
    ),
    "Google's class says itself what it does": (
        GKE,
        {"agentdb.storage_iops": 5_000},
        "agentdb.storage_iops",
        "cannot be asked for on gcp",
    ),
    "a name longer than its route and its copies leave room for": (
        ONPREM,
        {"agentdb.name": "n" * 39},
        "agentdb",
        "has 39 characters, and its route and its copies take its name; use at most 38",
    ),
    "nobody signs": (ONPREM, {"services.certificates": None}, "agentdb.exposure", "nobody signs a certificate"),
    "no machines": (ONPREM, {"machines": None}, "machines", "is required"),
    "two autoscalers on one measure": (
        ONPREM,
        {"agentdb.scale": {"minimum": 2, "maximum": 50, "cpu_percent": 70, "memory_percent": 80, "vertical": "auto"}},
        "agentdb.scale.vertical",
        "the number of replicas follows CPU and memory too",
    ),
    "dashboards of the tiers": (
        ONPREM,
        {"services.monitoring": {"grafana": True}},
        "services.monitoring.grafana",
        "shows dashboards of the tiers, and this deployment has none",
    ),
    "user interfaces that nobody has": (
        ONPREM,
        {"services.gateway": {"domain": "ops.customer.example", "routes": ["mlflow"], "tls_secret": "x"}},
        "services.gateway",
        "leads to the user interfaces of the tiers",
    ),
    "a name that a cluster cannot write": (
        ONPREM,
        {"agentdb.dns": {"zone": "customer.example"}},
        "agentdb.dns",
        "is not written on a cluster",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_on_a_cluster_is_refused(case: str) -> None:
    stack, changes, path, text = REFUSED[case]
    with pytest.raises(ConfigError) as error:
        load_spec(changed_deployment(stack, changes), stack)
    assert [problem for problem in error.value.problems if problem.path == path and text in str(problem)], [
        str(problem) for problem in error.value.problems
    ]


def test_the_longest_name_leaves_room_for_all_that_is_named_after_it() -> None:
    graph = run_changed(ONPREM, {"agentdb.name": "n" * 38})
    made = [one.inputs["metadata"]["name"] for one in graph.resources if isinstance(one.inputs.get("metadata"), dict)]
    copies = [one.inputs["metadata"]["name"] for one in graph.of_type("kubernetes:batch/v1:CronJob")]
    assert copies == [f"{'n' * 38}-0-backup"]
    assert max(len(name) for name in copies) <= 52
    assert max(len(name) for name in made) <= 63


@pytest.fixture(scope="module")
def shop() -> ResourceGraph:
    """Run a stack of three services that no row of the catalogue knows."""
    deployment = yaml.safe_load(new_services())["config"][CONFIG_KEY]
    return run_changed(ONPREM, {**dict.fromkeys(("agentdb",)), **deployment}, secrets=("skerry:signingKey",))


def containers(shop: ResourceGraph, of_kind: str, name: str) -> dict[str, Any]:
    return dict(named(shop, of_kind, name)["spec"]["template"]["spec"]["containers"][0])


def test_a_new_service_stands_on_kubernetes_by_config_alone(shop: ResourceGraph) -> None:
    env = {row["name"]: row for row in containers(shop, "Deployment", "orders")["env"]}
    host = "database-rw.applications-services.svc.cluster.local"
    assert env["DATABASE_URL"]["value"] == f"postgresql://app@{host}:5432/app"
    assert env["DATABASE_PASSWORD"]["valueFrom"]["secretKeyRef"] == {"name": "database-app", "key": "password"}
    assert env["CACHE_URL"]["value"] == ("redis://valkey-0.valkey-headless.applications-stores.svc.cluster.local:6379")
    assert env["BUCKET_AT"]["value"] == "http://seaweedfs-s3.applications-stores.svc.cluster.local:8333/applications"
    assert env["PRICE_TAG"]["value"] == "$$(plain)", "Kubernetes would fill in a variable"
    assert env["SIGNING_KEY"]["valueFrom"]["secretKeyRef"] == {"name": "orders-secrets", "key": "SIGNING_KEY"}
    assert {kind(one) for one in shop.resources if one.name.startswith("orders-")} == {
        "Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget", "Secret", "Service",
    }  # fmt: skip


def test_a_worker_follows_its_queue_and_is_told_how_to_take_a_job(shop: ResourceGraph) -> None:
    scaled = named(shop, "ScaledObject", "packer")["spec"]
    trigger, taken = scaled["triggers"]
    assert (scaled["minReplicaCount"], scaled["maxReplicaCount"], trigger["type"]) == (0, 20, "redis-streams")
    assert (trigger["metadata"]["stream"], trigger["metadata"]["consumerGroup"]) == ("jobs", "workers")
    assert (trigger["metadata"]["lagCount"], taken["metadata"]["pendingEntriesCount"]) == ("5", "5")
    env = {row["name"]: row.get("value") for row in containers(shop, "Deployment", "packer")["env"]}
    assert {name: env[name] for name in env if name.startswith("QUEUE_") and name != "QUEUE_PASSWORD"} == {
        "QUEUE_KIND": "valkey-streams",
        "QUEUE_STREAM": "jobs",
        "QUEUE_GROUP": "workers",
        "QUEUE_DEAD_STREAM": "jobs-dead",
        "QUEUE_CLAIM_IDLE_MS": "600000",
        "QUEUE_ATTEMPTS": "3",
        "QUEUE_RETENTION_S": "345600",
    }
    pods = named(shop, "Deployment", "packer")["spec"]["template"]["spec"]
    assert pods["terminationGracePeriodSeconds"] == 120


def test_public_and_internal_services_have_entrances_of_their_own(shop: ResourceGraph) -> None:
    assert {
        name: [row["hostname"] for row in named(shop, "Gateway", name)["spec"]["listeners"]]
        for name in ("internal", "public")
    } == {"internal": ["ledger.shop.example"], "public": ["orders.shop.example"]}
    limits = named(shop, "BackendTrafficPolicy", "orders")["spec"]
    assert limits["rateLimit"]["local"]["rules"][0]["limit"] == {"requests": 25, "unit": "Second"}, "of two proxies"
    callers = named(shop, "SecurityPolicy", "ledger")["spec"]["authorization"]
    assert (callers["defaultAction"], callers["rules"][0]["principal"]["clientCIDRs"]) == ("Deny", ["10.7.0.0/16"])
    assert named(shop, "HTTPRoute", "orders")["spec"]["rules"][0]["timeouts"] == {"request": "3610s"}


def ingress(shop: ResourceGraph, namespace: str) -> list[Resource]:
    return [one for one in objects(shop, "NetworkPolicy") if inputs(one)["metadata"]["namespace"] == namespace]


def test_only_the_service_that_names_hosts_may_call_the_internet(shop: ResourceGraph) -> None:
    out = [
        inputs(one)["spec"]
        for one in ingress(shop, "applications-services")
        if any("to" not in rule for rule in inputs(one)["spec"].get("egress", []))
    ]
    assert [row["podSelector"]["matchLabels"] for row in out] == [{"app.kubernetes.io/name": "orders"}]
    assert out[0]["egress"] == [{"ports": [{"port": 443, "protocol": "TCP"}]}]


def in_shop(name: str, **changes: Any) -> dict[str, Any]:
    """Return the deployment of new services with one of them changed."""
    deployment: dict[str, Any] = yaml.safe_load(new_services())["config"][CONFIG_KEY]
    deployment["applications"]["services"][name] |= changes
    return deployment


def test_files_that_one_replica_writes_are_never_on_a_volume_that_all_share() -> None:
    with pytest.raises(ConfigError) as error:
        load_spec(in_shop("ledger", shared_files=True), "shop")
    assert "applications.services.ledger.shared_files: would put files that one replica writes" in str(error.value)


def test_files_that_bear_it_are_shared_by_a_deployment_s_replicas() -> None:
    deployment = in_shop("ledger", shared_files=True)
    deployment["applications"]["services"]["ledger"]["definition"]["single_writer"] = False
    graph = run_changed(ONPREM, {"agentdb": None, **deployment}, secrets=("skerry:signingKey",))
    assert named(graph, "PersistentVolumeClaim", "ledger")["spec"]["accessModes"] == ["ReadWriteMany"]
    pods = named(graph, "Deployment", "ledger")["spec"]["template"]["spec"]
    assert {"name": "files", "persistentVolumeClaim": {"claimName": "ledger"}} in pods["volumes"]
    assert {"name": "files", "mountPath": "/var/ledger"} in pods["containers"][0]["volumeMounts"]


def test_a_recommender_says_what_size_replicas_should_have_and_changes_nothing() -> None:
    scale = {"minimum": 2, "maximum": 50, "cpu_percent": 70, "memory_percent": 80, "vertical": "recommend"}
    graph = run_changed(ONPREM, {"agentdb.scale": scale})
    found = named(graph, "VerticalPodAutoscaler", "agentdb")["spec"]
    assert (found["updatePolicy"], found["targetRef"]["kind"]) == ({"updateMode": "Off"}, "StatefulSet")


def test_secrets_that_a_site_would_make_come_from_its_store(shop: ResourceGraph) -> None:
    deployment: dict[str, Any] = yaml.safe_load(new_services())["config"][CONFIG_KEY]
    deployment["services"]["secrets"] = {"cluster_secret_store": "vault", "store_cidrs": ["10.9.0.5/32"]}
    graph = run_changed(ONPREM, {"agentdb": None, **deployment}, secrets=("skerry:signingKey",))
    found = {
        (inputs(one)["metadata"]["namespace"], inputs(one)["metadata"]["name"])
        for one in objects(graph, "ExternalSecret")
    }
    services, stores = "applications-services", "applications-stores"
    assert found == {
        (space, name) for space in (services, stores) for name in ("valkey-auth", "object-store", "backup-store")
    }
    assert objects(shop, "ExternalSecret") == []


def test_the_cluster_s_prometheus_reads_what_tells_figures_and_nothing_else(shop: ResourceGraph) -> None:
    found = {inputs(one)["metadata"]["name"]: inputs(one)["spec"] for one in objects(shop, "PodMonitor")}
    paths = {"orders": "/metrics", "entrance": "/stats/prometheus"}
    assert {name: spec["podMetricsEndpoints"][0]["path"] for name, spec in found.items()} == paths
    (opened,) = [one for one in objects(shop, "NetworkPolicy") if one.name == "monitoring-to-orders"]
    (rule,) = inputs(opened)["spec"]["ingress"]
    assert [row["port"] for row in rule["ports"]] == [8080]
    assert rule["from"][0]["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "monitoring"}


@pytest.mark.parametrize("said", [True, None])
def test_files_of_a_service_that_nobody_outside_calls_travel_as_the_network_says(said: bool | None) -> None:
    deployment = in_shop("ledger", exposure="none", host=None, allow_cidrs=[])
    deployment["target"]["network_encrypted"] = said
    graph = run_changed(ONPREM, {"agentdb": None, **deployment}, secrets=("skerry:signingKey",))
    (ledger,) = [one for one in graph.resources if one.type == "skerry:index:ClusterService" and one.name == "ledger"]
    assert ledger.inputs.get("encryptedInTransit") is said
