"""What backups make of a deployment: schedules, programs, ways out, facts; and what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from components.stores import qdrant_snapshots
from policies.runner import check
from skerry.config.load import load_spec
from skerry.errors import ConfigError
from skerry.facts import facts_of
from skerry.graph import ResourceGraph
from tests.simulators.changed_stacks import run_core, shipped
from tests.simulators.stack_objects import AIRGAPPED, AWS, GCP, ONPREM, inputs, objects

STORE = {
    "endpoint_url": "https://s3.backup.example:9000",
    "bucket": "copies",
    "jurisdiction": "DE",
    "authority": True,
    "encryption": "AES256",
    "cidrs": ["10.9.0.0/24"],
}
BACKUP = {"schedule": "30 1 * * *", "retention_days": 21, "archive_timeout_s": 120, "store": STORE}


@cache
def backed(stack: str = ONPREM, vectors: str = "qdrant") -> ResourceGraph:
    return run_core(stack, {"backup": BACKUP, "meta.vector_store": vectors})


def cron_jobs(graph: ResourceGraph) -> dict[str, dict[str, Any]]:
    return {inputs(one)["metadata"]["name"]: inputs(one)["spec"] for one in objects(graph, "CronJob")}


def test_every_store_in_the_cluster_is_copied_away() -> None:
    graph = backed()
    copied = {one["metadata"]["name"] for one in map(inputs, objects(graph, "ScheduledBackup"))}
    clusters = {one["metadata"]["name"] for one in map(inputs, objects(graph, "Cluster"))}
    assert {f"{name}-backup" for name in clusters} == copied
    assert {"qdrant-backup", "neo4j-backup", "mongodb-backup"} == set(cron_jobs(graph))


def test_with_pgvector_vectors_are_copied_with_the_log_of_their_database() -> None:
    graph = backed(vectors="pgvector")
    assert {"neo4j-backup", "mongodb-backup"} == set(cron_jobs(graph))
    copied = {one["metadata"]["name"] for one in map(inputs, objects(graph, "ObjectStore"))}
    assert {"temporal-db-backup", "vectors-db-backup", "experiments-db-backup"} == copied


def test_postgresql_archives_by_the_plugin_as_often_as_is_asked() -> None:
    graph = backed()
    for cluster in map(inputs, objects(graph, "Cluster")):
        name, spec = cluster["metadata"]["name"], cluster["spec"]
        (plugin,) = spec["plugins"]
        assert plugin == {
            "name": "barman-cloud.cloudnative-pg.io",
            "isWALArchiver": True,
            "parameters": {"barmanObjectName": f"{name}-backup"},
        }
        assert spec["postgresql"]["parameters"]["archive_timeout"] == "120s"
        assert "backup" not in spec, "the way that CloudNativePG 1.31 takes away"
    for schedule in map(inputs, objects(graph, "ScheduledBackup")):
        assert schedule["spec"]["schedule"] == "0 30 1 * * *"
        assert schedule["spec"]["method"] == "plugin"
    for store in map(inputs, objects(graph, "ObjectStore")):
        spec = store["spec"]
        assert spec["retentionPolicy"] == "21d"
        assert spec["configuration"]["endpointCA"] == {"name": "backup-store", "key": "ca.crt"}
        assert spec["configuration"]["wal"] == {"compression": "gzip", "encryption": "AES256"}
        assert spec["configuration"]["destinationPath"] == "s3://copies/skerry/postgresql"


def test_the_plugin_stands_beside_its_operator_and_its_images_are_told() -> None:
    graph = backed()
    (release,) = [one for one in objects(graph, "Release") if inputs(one)["name"] == "plugin-barman-cloud"]
    (operator,) = [one for one in objects(graph, "Release") if inputs(one)["name"] == "cloudnative-pg"]
    body = inputs(release)
    assert inputs(operator)["namespace"] == body["namespace"]
    assert body["values"]["sidecarImage"] == {
        "registry": "registry.customer.example",
        "repository": "ghcr.io/cloudnative-pg/plugin-barman-cloud-sidecar",
        "tag": "v0.13.0",
    }
    assert body["values"]["certificate"] == {"createClientCertificate": True, "createServerCertificate": True}
    facts = facts_of(graph[f"{release.parent}"])
    assert facts is not None
    assert [image.name for image in facts.images] == ["plugin-barman-cloud", "plugin-barman-cloud-sidecar"]


def test_a_copy_is_uploaded_whole_before_an_old_one_goes() -> None:
    for name, spec in cron_jobs(backed()).items():
        assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == ("30 1 * * *", "Etc/UTC", "Forbid")
        pod = spec["jobTemplate"]["spec"]["template"]["spec"]
        assert pod["restartPolicy"] == "Never"
        (copier,), (uploader,) = pod["initContainers"], pod["containers"]
        assert copier["name"] == "copy"
        (script,) = uploader["args"]
        assert script.index("rclone copy") < script.index("rclone check") < script.index("rclone delete")
        env = {row["name"]: row.get("value", row.get("valueFrom")) for row in uploader["env"]}
        assert (env["KEEP"], env["PREFIX"]) == ("21d", f"skerry/{name.removesuffix('-backup')}")
        assert env["RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY"]["secretKeyRef"] == {
            "name": "backup-store",
            "key": "secret-key",
        }
        (work,) = [volume for volume in pod["volumes"] if volume["name"] == "work"]
        claim = work["ephemeral"]["volumeClaimTemplate"]["spec"]
        assert claim["storageClassName"] == "encrypted-local", "a copy lies no less safely than the store"
        for container in (copier, uploader):
            assert container["securityContext"]["runAsNonRoot"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_only_pods_that_copy_get_out_and_only_to_the_bucket() -> None:
    ways = [
        one
        for one in map(inputs, objects(backed(), "NetworkPolicy"))
        if one["metadata"]["name"].endswith("-backup-way")
    ]
    assert len(ways) == 5
    for way in ways:
        (rule,) = way["spec"]["egress"]
        assert rule == {"ports": [{"port": 9000, "protocol": "TCP"}], "to": [{"ipBlock": {"cidr": "10.9.0.0/24"}}]}
        assert set(way["spec"]["podSelector"]["matchLabels"]) <= {"app.kubernetes.io/name", "cnpg.io/cluster"}


def test_members_of_neo4j_give_backups_only_where_they_are_asked_for() -> None:
    def settings(graph: ResourceGraph) -> set[str]:
        (found,) = [one for one in map(inputs, objects(graph, "StatefulSet")) if one["metadata"]["name"] == "neo4j"]
        return {row["name"] for row in found["spec"]["template"]["spec"]["containers"][0]["env"]}

    port = "NEO4J_server_backup_listen__address"
    assert port in settings(backed())
    assert port not in settings(run_core(ONPREM, {}))


def findings(jurisdiction: str) -> list[str]:
    backup = {**BACKUP, "store": {**STORE, "jurisdiction": jurisdiction}}
    report = check(run_core(ONPREM, {"backup": backup}), today=date(2026, 11, 21))
    return [one.message for one in report.failures if one.rule.id == "RES002"]


def test_a_backup_outside_the_boundary_fails_the_check_and_one_inside_does_not() -> None:
    assert findings("FR") == []
    found = findings("US")
    assert len(found) == 5
    assert found[0] == (
        "its backup to https://s3.backup.example:9000 copies lies in US, but restricted data must stay in EU"
    )


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "own machines without another bucket": (
        ONPREM,
        {},
        "backup.store: is required here: the deployment's own object store keeps its list of files in the PostgreSQL "
        "that is backed up, so that both would be lost together; name a bucket under backup.store",
    ),
    "an hour that there is not": (
        ONPREM,
        {"schedule": "0 24 * * *", "store": STORE},
        "backup.schedule: the hour '24' is no field of cron; write * or numbers from 0 to 23, such as '0 2 * * *' for "
        "two o'clock each night",
    ),
    "a country that is none": (
        ONPREM,
        {"store": {**STORE, "jurisdiction": "UK"}},
        "backup.store.jurisdiction: ",
    ),
    "an authority without TLS": (
        ONPREM,
        {"store": {**STORE, "endpoint_url": "http://s3.backup.example"}},
        "backup.store.authority: is true, but endpoint_url is not https; use https, or remove it",
    ),
    "an address range that is none": (
        ONPREM,
        {"store": {**STORE, "cidrs": ["10.0.0.0/99"]}},
        "backup.store.cidrs[0]: is not an address range: '10.0.0.0/99' does not appear to be an IPv4 or IPv6 network",
    ),
    "longer than AWS keeps": (
        AWS,
        {"retention_days": 36},
        "backup.retention_days: 36 days are more than the 35 for which aws keeps its PostgreSQL's; use 35 or fewer, or "
        "meta.relational_kind: cloudnative-pg",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str) -> None:
    stack, backup, message = REFUSED[case]
    with pytest.raises(ConfigError) as error:
        load_spec({**shipped(stack), "backup": backup}, stack)
    assert any(str(problem).startswith(message) for problem in error.value.problems), error.value


def test_a_cloud_s_own_bucket_is_taken_where_none_is_named() -> None:
    jobs = cron_jobs(run_core(AWS, {"backup": {}}))
    (uploader,) = jobs["mongodb-backup"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    env = {row["name"]: row.get("value") for row in uploader["env"]}
    assert env["RCLONE_CONFIG_STORE_ENV_AUTH"] == "true"
    assert env["RCLONE_CONFIG_STORE_ENDPOINT"] == "https://s3.us-east-1.amazonaws.com"
    jobs = cron_jobs(run_core(GCP, {"backup": {}}))
    (uploader,) = jobs["mongodb-backup"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    env = {row["name"]: row.get("value") for row in uploader["env"]}
    assert env["RCLONE_CONFIG_STORE_ENDPOINT"] == "https://storage.googleapis.com"


def test_without_the_option_there_is_none_of_it() -> None:
    graph = run_core(AIRGAPPED, {})
    assert objects(graph, "CronJob", "ObjectStore", "ScheduledBackup") == []


class Qdrant(BaseHTTPRequestHandler):
    """One member that has two collections; what is asked of it is noted."""

    log: ClassVar[list[str]] = []
    cut = False

    def answer(self, body: bytes, length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.log.append(f"GET {self.path} {self.headers['api-key']}")
        if self.path == "/collections":
            names = [{"name": "patterns"}, {"name": "a b"}]
            self.answer(json.dumps({"result": {"collections": names}}).encode())
        else:
            body = f"snapshot of {self.path}".encode()
            self.answer(body, len(body) + 9 if self.cut else None)

    def do_POST(self) -> None:
        self.log.append(f"POST {self.path}")
        self.answer(json.dumps({"result": {"name": "one.snapshot"}}).encode())

    def do_DELETE(self) -> None:
        self.log.append(f"DELETE {self.path}")
        self.answer(b'{"result": true}')

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def qdrant(cut: bool = False) -> Iterator[str]:
    Qdrant.log.clear()
    Qdrant.cut = cut
    server = ThreadingHTTPServer(("127.0.0.1", 0), Qdrant)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def test_each_collection_of_each_member_is_fetched_and_none_stays_on_the_member(tmp_path: Path) -> None:
    with qdrant() as url:
        lines = qdrant_snapshots.snapshots([url], "key", tmp_path)
    assert len(lines) == 2
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.snapshot")}
    assert files == {"127/patterns/one.snapshot", "127/a%20b/one.snapshot"}
    assert [line for line in Qdrant.log if line.startswith("DELETE")] == [
        "DELETE /collections/patterns/snapshots/one.snapshot",
        "DELETE /collections/a%20b/snapshots/one.snapshot",
    ]
    assert all(line.endswith(" key") for line in Qdrant.log if line.startswith("GET"))


def test_a_snapshot_that_came_in_part_is_no_backup(tmp_path: Path) -> None:
    with qdrant(cut=True) as url, pytest.raises(OSError):
        qdrant_snapshots.snapshots([url], "key", tmp_path)


def test_a_member_that_is_away_ends_the_program_with_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name, value in {"MEMBERS": "http://127.0.0.1:9", "API_KEY": "key", "WORK": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    assert qdrant_snapshots.main() == 1
    assert capsys.readouterr().err.startswith("no backup of the vector store: ")


STUB = """
const seen = [];
let state = %s;
const password = "right";
const db = {
  hello: () => ({setName: state.named ? "knowledge" : undefined, isWritablePrimary: state.primary}),
  getSiblingDB: () => ({
    auth: () => { if (!state.user) throw new Error("no such user"); return {ok: 1}; },
    createUser: (one) => { if (!state.primary) throw new Error("not primary"); seen.push("user " + one.user); },
  }),
};
const rs = {initiate: (config) => { seen.push("initiate " + config.members.map((m) => m._id + "=" + m.host).join());
                                    state.named = true; state.primary = true; return {ok: 1}; }};
const sleep = () => {};
const print = (text) => seen.push(text);
process.on("exit", () => process.stdout.write(JSON.stringify(seen)));
"""
INITIATE: dict[str, tuple[str, dict[str, bool], int, list[str]]] = {
    "a new set, at its first member": (
        "mongodb-0", {}, 0, ["initiate 0=a:27017,1=b:27017", "user admin", "the first user is made"]),
    "a new set, at another member": ("mongodb-1", {}, 1, []),
    "a set that stands": (
        "mongodb-0", {"named": True, "user": True}, 0, ["the set is initiated and its user exists"]),
    "initiated, but the user is missing, at the primary": (
        "mongodb-1", {"named": True, "primary": True}, 0, ["user admin", "the first user is made"]),
    "initiated, but the user is missing, at another member": ("mongodb-0", {"named": True}, 1, []),
}  # fmt: skip


@pytest.mark.parametrize("case", INITIATE)
def test_the_set_of_mongodb_is_initiated_once(case: str, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: it stands in for mongosh")
    host, state, code, expected = INITIATE[case]
    whole = {"named": False, "primary": False, "user": False, **state}
    (program,) = [
        one["data"]["initiate.js"] for one in map(inputs, objects(run_core(ONPREM, {}), "ConfigMap"))
        if one["metadata"]["name"] == "mongodb-initiate"
    ]  # fmt: skip
    text = program.replace("const password = process.env.DOCUMENTS_PASSWORD;", "")
    (tmp_path / "initiate.js").write_text(STUB % json.dumps(whole) + text)
    done = subprocess.run(
        [node, str(tmp_path / "initiate.js")],
        capture_output=True,
        text=True,
        check=False,
        env={
            "HOSTNAME": host,
            "DOCUMENTS_USER": "admin",
            "DOCUMENTS_PASSWORD": "right",
            "DOCUMENTS_HOSTS": "a:27017,b:27017",
            "DOCUMENTS_REPLICA_SET": "knowledge",
        },
    )
    assert (min(done.returncode, 1), json.loads(done.stdout or "[]")) == (code, expected), done.stderr
