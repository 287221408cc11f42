"""SeaweedFS: members know themselves, and what is written through one gateway is read through the other."""

from __future__ import annotations

import tomllib

import pytest

from tests.simulators.stack_objects import AIRGAPPED, AWS, ONPREM, Pods, graph_of, inputs, objects, pods

OWN = [AIRGAPPED, ONPREM]


def part(stack: str, role: str) -> Pods:
    (found,) = [p for p in pods(graph_of(stack)) if p.labels.get("app.kubernetes.io/name") == f"seaweedfs-{role}"]
    return found


def option(pod: Pods, name: str) -> str:
    (value,) = [arg.partition("=")[2] for arg in pod.spec["containers"][0]["args"] if arg.startswith(f"-{name}=")]
    return str(value)


@pytest.mark.parametrize("stack", OWN)
def test_each_master_finds_itself_among_an_odd_number_of_peers(stack: str) -> None:
    pod = part(stack, "master")
    own = option(pod, "ip")
    selves = [own.replace("$(POD_NAME)", f"seaweedfs-master-{index}") + ":9333" for index in range(pod.replicas or 0)]
    assert selves == option(pod, "peers").split(",")
    assert len(selves) % 2 == 1


@pytest.mark.parametrize("stack", OWN)
def test_there_are_machines_for_every_copy(stack: str) -> None:
    copies = 1 + sum(int(digit) for digit in option(part(stack, "master"), "defaultReplication"))
    assert (part(stack, "volume").replicas or 0) >= copies
    assert option(part(stack, "volume"), "rack") == "$(NODE_NAME)"


@pytest.mark.parametrize("stack", OWN)
def test_gateways_share_their_metadata_and_keep_nothing(stack: str) -> None:
    graph, pod = graph_of(stack), part(stack, "s3")
    assert pod.resource in objects(graph, "Deployment")
    assert (pod.replicas or 0) > 1
    (made,) = [r for r in objects(graph, "ConfigMap") if inputs(r)["metadata"]["name"] == "seaweedfs-filer"]
    store = tomllib.loads(inputs(made)["data"]["filer.toml"])
    assert set(store) == {"postgres2"}, "SeaweedFS refuses to start with two stores enabled"
    assert store["postgres2"]["enabled"] is True
    assert store["postgres2"]["sslmode"] == "require", "PostgreSQL refuses whoever does not speak TLS"
    databases = {inputs(r)["spec"]["name"] for r in objects(graph, "Database")}
    assert store["postgres2"]["database"] in databases
    env = {row["name"]: row.get("value", row.get("valueFrom")) for row in pod.spec["containers"][0]["env"]}
    assert env["WEED_POSTGRES2_HOSTNAME"] == "temporal-db-rw.sensei-channels.svc.cluster.local"
    assert env["WEED_POSTGRES2_PASSWORD"] == {"secretKeyRef": {"name": "temporal-db-app", "key": "password"}}


def test_with_the_clouds_store_there_is_no_database_for_metadata() -> None:
    graph = graph_of(AWS)
    assert [r.name for r in objects(graph) if "seaweedfs" in r.name or "filer" in r.name] == []
    assert objects(graph, "Database") == []
