"""What the pinned versions of the services ask of their settings, as their sources say."""

from typing import Any

import pytest

from tests.simulators.stack_objects import THINKING, WORKING, Pods, graph_of, pods


def pod_of(stack: str, name: str) -> Pods:
    return next(pod for pod in pods(graph_of(stack)) if pod.labels.get("app.kubernetes.io/name") == name)


def environment(pod: Pods) -> dict[str, Any]:
    return {row["name"]: row.get("value") for row in pod.spec["containers"][0]["env"]}


@pytest.mark.parametrize("stack", WORKING)
def test_each_temporal_service_starts_one_role_and_finds_its_dynamic_config(stack: str) -> None:
    for role in ("frontend", "history", "matching", "worker"):
        pod = pod_of(stack, f"temporal-{role}")
        assert environment(pod)["TEMPORAL_SERVICES"] == role
        assert environment(pod)["SQL_TLS_ENABLED"] == "true"
        mounts = {mount["name"]: mount["mountPath"] for mount in pod.spec["containers"][0]["volumeMounts"]}
        assert mounts["config"] == "/etc/temporal/config/dynamicconfig"
        volume = next(volume for volume in pod.spec["volumes"] if volume["name"] == "config")
        assert volume["configMap"]["name"] == "temporal-dynamic-config"


@pytest.mark.parametrize("stack", THINKING)
def test_neo4j_discovers_its_members_the_way_of_5_26_by_names_that_others_can_resolve(stack: str) -> None:
    pod = pod_of(stack, "neo4j")
    settings = environment(pod)
    assert settings["NEO4J_dbms_cluster_discovery_version"] == "V2_ONLY"
    members = settings["NEO4J_dbms_cluster_discovery_v2_endpoints"].split(",")
    assert pod.replicas == len(members)
    assert all(member.endswith(".svc.cluster.local:6000") for member in members)
    assert "NEO4J_dbms_cluster_endpoints" not in settings, "a setting of 2025.01: strict validation refuses it"
    (start,) = pod.spec["containers"][0]["args"]
    assert "NEO4J_server_cluster_raft_advertised__address" in start


def test_a_seaweedfs_master_finds_itself_among_its_peers() -> None:
    arguments = pod_of("sensei-airgapped", "seaweedfs-master").spec["containers"][0]["args"]
    (own,) = [text.removeprefix("-ip=") for text in arguments if text.startswith("-ip=")]
    (peers,) = [text.removeprefix("-peers=").split(",") for text in arguments if text.startswith("-peers=")]
    names = [f"{own.replace('$(POD_NAME)', f'seaweedfs-master-{index}')}:9333" for index in range(3)]
    assert names == peers


@pytest.mark.parametrize("stack", THINKING)
def test_mlflow_answers_under_the_name_of_its_service(stack: str) -> None:
    pod = pod_of(stack, "mlflow")
    hosts = environment(pod)["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")
    assert f"mlflow.{pod.namespace}.svc.cluster.local:5000" in hosts
