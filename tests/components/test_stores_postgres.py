"""PostgreSQL as the stacks set it up, with the real server: vectors, and what was committed survives a loss."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skerry.facts import facts_of
from tests.simulators.changed_stacks import run_core
from tests.simulators.servers import Postgres, free_port
from tests.simulators.stack_objects import AIRGAPPED, AWS, ONPREM, inputs, objects, pods

pytestmark = [pytest.mark.servers, pytest.mark.timeout(180)]

KEPT_BY_OPERATOR = ("archive_timeout",)


def cluster(name: str, changes: dict[str, Any]) -> dict[str, Any]:
    graph = run_core(ONPREM, changes)
    (found,) = [one for one in map(inputs, objects(graph, "Cluster")) if one["metadata"]["name"] == name]
    return dict(found["spec"])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Postgres]:
    postgres = Postgres(tmp_path / "data", free_port(), {"fsync": "on"})
    postgres.create()
    postgres.start()
    yield postgres
    postgres.stop("immediate")


def test_the_parameters_for_vectors_are_taken_and_near_ones_are_found_by_the_index(server: Postgres) -> None:
    graph = run_core(ONPREM, {"meta.vector_store": "pgvector"})
    (database,) = [
        one["spec"]
        for one in map(inputs, objects(graph, "Database"))
        if one["metadata"]["name"] == "vectors-db-vectors"
    ]
    assert database["extensions"] == [{"name": "vector"}]
    parameters = cluster("vectors-db", {"meta.vector_store": "pgvector"})["postgresql"]["parameters"]
    for name, value in parameters.items():
        server.sql(f"ALTER SYSTEM SET {name} = '{value}'")
    server.stop()
    server.start()
    assert {name: server.sql(f"SHOW {name}") for name in parameters} == parameters

    server.sql(f"CREATE ROLE {database['owner']} LOGIN")
    server.sql(f"CREATE DATABASE {database['name']} OWNER {database['owner']}")
    where = {"database": database["name"]}
    server.sql(f"CREATE EXTENSION IF NOT EXISTS {database['extensions'][0]['name']}", **where)
    owner = {**where, "user": database["owner"]}
    server.sql("CREATE TABLE patterns (id int PRIMARY KEY, embedding vector(8) NOT NULL)", **owner)
    server.sql(
        "INSERT INTO patterns SELECT i, ARRAY("
        "SELECT ((i * (k * k + 3 * k + 1)) % 2003)::real FROM generate_series(1, 8) k)::vector "
        "FROM generate_series(1, 2000) i",
        **owner,
    )
    nearest = "SELECT id FROM patterns ORDER BY embedding <-> (SELECT embedding FROM patterns WHERE id = 7) LIMIT 5"
    exact = server.sql(nearest, **owner).split()
    server.sql("CREATE INDEX near ON patterns USING hnsw (embedding vector_l2_ops)", **owner)
    server.sql("ANALYZE patterns", **owner)
    server.sql("ALTER ROLE vectors SET enable_seqscan = off")
    target = server.sql("SELECT embedding FROM patterns WHERE id = 7", **owner)
    by_index = f"SELECT id FROM patterns ORDER BY embedding <-> '{target}' LIMIT 5"
    assert "Index Scan using near" in server.sql(f"EXPLAIN {by_index}", **owner)
    assert exact[0] == "7" and server.sql(by_index, **owner).split()[0] == "7"
    assert len(set(exact) & set(server.sql(by_index, **owner).split())) >= 4, "an index of this type is approximate"
    with pytest.raises(AssertionError, match="expected 8 dimensions"):
        server.sql("INSERT INTO patterns VALUES (9999, '[1,2,3]')", **owner)


def test_agents_are_told_where_vectors_are_and_may_go_there() -> None:
    graph = run_core(AIRGAPPED, {"meta.vector_store": "pgvector"})
    for name in ("worker", "scout", "learning"):
        pod = next(one for one in pods(graph) if one.labels.get("app.kubernetes.io/name") == name)
        env = {row["name"]: row.get("value", row.get("valueFrom")) for row in pod.containers[-1]["env"]}
        assert env["VECTOR_URL"] == (
            "postgresql://vectors-db-rw.sensei-meta.svc.cluster.local:5432/vectors?sslmode=require"
        )
        assert env["VECTOR_PASSWORD"]["secretKeyRef"] == {"name": "vectors-db-app", "key": "password"}
        assert "VECTOR_API_KEY" not in env
    into = [
        row
        for one in map(inputs, objects(graph, "NetworkPolicy"))
        if one["metadata"] ["namespace"] == "sensei-meta" and one["metadata"]["name"] == "allow-from-tiers"
        for row in one["spec"]["ingress"]
    ]  # fmt: skip
    ports = {
        row["from"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]: row["ports"] for row in into
    }
    assert 5432 in {port["port"] for port in ports["sensei-execution"]}
    assert 6333 not in {port["port"] for row in ports.values() for port in row}, "there is no Qdrant to talk to"


def test_at_a_cloud_a_job_makes_the_extension_in_the_managed_database() -> None:
    graph = run_core(AWS, {"meta.vector_store": "pgvector"})
    (job,) = [one for one in map(inputs, objects(graph, "Job")) if one["metadata"]["name"] == "vectors-db-extensions"]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert "CREATE EXTENSION IF NOT EXISTS vector" in container["args"][0]
    assert container["env"][0]["valueFrom"]["secretKeyRef"] == {"name": "vectors-db-app", "key": "uri"}
    declared = {
        image.deployed_as
        for facts in map(facts_of, graph.resources)
        if facts is not None and facts.role == "relational-client"
        for image in facts.images
    }
    assert container["image"] in declared


def test_what_a_workflow_engine_committed_survives_the_loss_of_the_server_and_what_it_did_not_is_gone(
    server: Postgres,
) -> None:
    spec = cluster("temporal-db", {})
    assert "fsync" not in spec["postgresql"].get("parameters", {})
    assert "synchronous_commit" not in spec["postgresql"].get("parameters", {}), "PostgreSQL's own default: on"
    assert spec["postgresql"]["synchronous"] == {"method": "any", "number": 1}, "on two machines before it is told"
    assert server.sql("SHOW synchronous_commit") == "on"
    server.sql("CREATE TABLE history_node (shard int, event int, PRIMARY KEY (shard, event))")
    server.sql("INSERT INTO history_node SELECT i % 512, i FROM generate_series(1, 1000) i")
    server.sql("BEGIN; INSERT INTO history_node VALUES (0, 5000); SELECT pg_sleep(0)")  # the session ends: no commit
    server.kill()
    server.start()
    assert server.sql("SELECT count(*), max(event) FROM history_node") == "1000|1000"
    with pytest.raises(AssertionError, match="duplicate key"):
        server.sql("INSERT INTO history_node VALUES (1, 1)")


def test_mlflow_verifies_who_its_database_is() -> None:
    graph = run_core(AIRGAPPED, {})
    pod = next(one for one in pods(graph) if one.labels.get("app.kubernetes.io/name") == "mlflow")
    env = {row["name"]: row.get("value") for row in pod.containers[0]["env"]}
    (secret,) = [one["secret"]["secretName"] for one in pod.spec["volumes"] if one["name"] == "authority"]
    assert (env["PGSSLMODE"], env["PGSSLROOTCERT"]) == ("verify-full", "/etc/mlflow/postgres/ca.crt")
    assert secret == "experiments-db-ca"
