"""Temporal keeps workflows in PostgreSQL alone, over a connection that it verifies; what each channel says."""

from __future__ import annotations

from typing import Any

import pytest

from skerry.config.load import load_spec
from skerry.errors import ConfigError
from skerry.facts import Tier, facts_of
from tests.simulators.changed_stacks import run_changed, shipped
from tests.simulators.stack_objects import AIRGAPPED, AWS, WHOLE, WORKING, Pods, graph_of, inputs, objects, pods

SERVICES = ("frontend", "history", "matching", "worker")


def pod_of(graph: Any, name: str) -> Pods:
    return next(pod for pod in pods(graph) if pod.labels.get("app.kubernetes.io/name") == name)


def environment(pod: Pods) -> dict[str, Any]:
    return {row["name"]: row.get("value", row.get("valueFrom")) for row in pod.containers[-1]["env"]}


def authority(pod: Pods) -> tuple[Any, str]:
    """Return the Secret with the authority's certificate, and where it is mounted."""
    (volume,) = [one["secret"] for one in pod.spec["volumes"] if one["name"] == "authority"]
    (mount,) = [one["mountPath"] for one in pod.containers[-1]["volumeMounts"] if one["name"] == "authority"]
    return volume, mount


def test_every_service_verifies_who_its_database_is() -> None:
    graph = graph_of(AIRGAPPED)
    for name in (*(f"temporal-{role}" for role in SERVICES), "temporal-schema"):
        pod = pod_of(graph, name)
        told, (secret, path) = environment(pod), authority(pod)
        assert (told["SQL_TLS_ENABLED"], told["SQL_HOST_VERIFICATION"]) == ("true", "true")
        assert secret == {"secretName": "temporal-db-ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
        assert told["SQL_CA"] == f"{path}/ca.crt"
        # The name must be one of the certificate's: CloudNativePG writes those of its Services.
        assert told["SQL_HOST_NAME"] == told["POSTGRES_SEEDS"] == "temporal-db-rw.sensei-channels.svc.cluster.local"
    (script,) = pod_of(graph, "temporal-schema").containers[-1]["args"]
    assert 'SQL_TLS_CA_FILE="$SQL_CA"' in script
    assert "SQL_TLS_DISABLE_HOST_VERIFICATION=false" in script


def test_a_managed_database_is_verified_where_its_secret_holds_the_authority() -> None:
    pod = pod_of(graph_of(AWS), "temporal-history")
    assert "SQL_CA" not in environment(pod)
    pod = pod_of(run_changed(AWS, {"meta.relational_authority": True}), "temporal-history")
    assert environment(pod)["SQL_HOST_VERIFICATION"] == "true"
    assert authority(pod)[0]["secretName"] == "temporal-db-app"


@pytest.mark.parametrize("stack", WORKING)
def test_the_number_of_history_shards_is_held_by_an_object_that_only_a_replacement_could_change(stack: str) -> None:
    (held,) = [
        one for one in objects(graph_of(stack), "ConfigMap")
        if inputs(one)["metadata"]["name"] == "temporal-history-shards"
    ]  # fmt: skip
    body = inputs(held)
    assert (held.protect, held.retain_on_delete, body["immutable"]) == (True, True, True)
    for role in SERVICES:
        pod = pod_of(graph_of(stack), f"temporal-{role}")
        assert environment(pod)["NUM_HISTORY_SHARDS"] == body["data"]["shards"]
        assert {"name": "temporal-history-shards"} in [one.get("configMap") for one in pod.spec["volumes"]]


WORKFLOW_STORES = {
    "Redis as workflow store": ("channels.workflow_store", "redis"),
    "Valkey as workflow store": ("channels.temporal_store", "valkey"),
    "a relational kind that is Valkey": ("meta.relational_kind", "valkey"),
}


@pytest.mark.parametrize("case", WORKFLOW_STORES)
def test_no_configuration_lets_a_broadcast_carry_migration_state(case: str) -> None:
    path, value = WORKFLOW_STORES[case]
    deployment = shipped(AIRGAPPED)
    part, field = path.split(".")
    deployment.setdefault(part, {})[field] = value
    with pytest.raises(ConfigError):
        load_spec(deployment, AIRGAPPED)


@pytest.mark.parametrize("stack", WORKING)
def test_workflows_know_postgresql_and_no_broadcast(stack: str) -> None:
    for role in SERVICES:
        told = environment(pod_of(graph_of(stack), f"temporal-{role}"))
        assert told["DB"] == "postgres12"
        assert not [name for name in told if "REDIS" in name or "VALKEY" in name or "PUBSUB" in name]


GUARANTEES = {
    "PubSub": "at-most-once",
    "Workflows": "exactly-once",
    "Rpc": "request-response with retry",
    "ObjectStore": "durable",
}


@pytest.mark.parametrize("stack", WHOLE)
def test_each_channel_says_its_guarantee_and_is_placed(stack: str) -> None:
    said = {}
    for resource in graph_of(stack).resources:
        facts = facts_of(resource)
        if facts is not None and facts.guarantee is not None:
            said[resource.type.rpartition(":")[2]] = facts.guarantee
            assert facts.tier is Tier.CHANNELS
    assert {name: said.get(name) for name in GUARANTEES} == GUARANTEES
    for pod in pods(graph_of(stack)):
        if pod.namespace == "sensei-channels":
            assert pod.spec["nodeSelector"] == {"skerry.dev/tier": "meta"}, "the machines of the meta tier bear them"
            assert all("requests" in one["resources"] for one in pod.containers)


SENTINELS = {
    "two members cannot elect": (
        AIRGAPPED, {"pubsub_failover": True, "pubsub_replicas": 2},
        "channels.pubsub_replicas: is 2, but Sentinels elect a primary by majority; use 3, 5, 7 or 9"),
    "four cannot agree": (
        AIRGAPPED, {"pubsub_failover": True, "pubsub_replicas": 4},
        "channels.pubsub_replicas: is 4, but Sentinels elect a primary by majority; use 3, 5, 7 or 9"),
}  # fmt: skip


@pytest.mark.parametrize("case", SENTINELS)
def test_sentinels_where_they_make_no_sense(case: str) -> None:
    stack, changes, message = SENTINELS[case]
    deployment = shipped(stack)
    deployment["channels"] = {**deployment.get("channels", {}), **changes}
    with pytest.raises(ConfigError) as error:
        load_spec(deployment, stack)
    assert message in [str(problem) for problem in error.value.problems]
