"""AgentDB on machines: where its nodes and its load balancer stand, who may call what, and what is refused."""

from __future__ import annotations

import gzip
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.host.cloud_init import LIMITS
from components.host.files import files_of
from skerry.catalog import load_catalog
from skerry.config.sense import sense_problems
from skerry.config.spec import DeploymentSpec
from skerry.hosts.plan import HostService, HostsPlan, Machine
from skerry.render.files import files
from skerry.systems.agentdb_hosts import agentdb_hosts_plan
from tests.simulators.changed_stacks import changed_deployment, run_changed

SINGLE, MULTI, VPS = "agentdb-single-node", "agentdb-multi-node", "agentdb-vps"
HAPROXY, COMPOSE, FIREWALL = "/etc/haproxy/haproxy.cfg", "/etc/skerry/compose/agentdb.yaml", "/etc/skerry/firewall.nft"
LAST = {"agentdb.nodes.last_resort": ["node3"]}
NODES = ("node1", "node2", "node3")


def spec_of(stack: str, changes: dict[str, Any] | None = None) -> DeploymentSpec:
    return DeploymentSpec.model_validate(changed_deployment(stack, changes or {}))


def plan_of(stack: str, changes: dict[str, Any] | None = None) -> HostsPlan:
    spec = spec_of(stack, changes)
    assert sense_problems(spec) == []
    return agentdb_hosts_plan(spec, load_catalog())


def machine_of(plan: HostsPlan, name: str) -> Machine:
    return next(row for row in plan.machines if row.name == name)


def node_of(plan: HostsPlan, name: str) -> HostService:
    (service,) = machine_of(plan, name).services
    return service


def text_of(stack: str, machine: str, path: str, changes: dict[str, Any] | None = None) -> str:
    spec, plan = spec_of(stack, changes), plan_of(stack, changes)
    assert spec.hosts is not None
    return next(row.text for row in files_of(machine_of(plan, machine), plan, spec.hosts) if row.path == path)


def test_what_stands_where() -> None:
    for stack, wanted in (
        (SINGLE, {"node": (["agentdb"], ["api"])}),
        (VPS, {"vps": (["agentdb"], ["api"])}),
        (MULTI, {"entry": ([], ["api"]), **{name: (["agentdb"], []) for name in NODES}}),
    ):
        found = {
            row.name: ([each.name for each in row.services], [each.name for each in row.proxies])
            for row in plan_of(stack).machines
        }
        assert wanted == found


@pytest.mark.parametrize(
    ("stack", "changes", "machine", "port", "members"),
    [
        pytest.param(
            MULTI,
            {},
            "entry",
            8080,
            [("node1", "10.77.0.10", False), ("node2", "10.77.0.11", False), ("node3", "10.77.0.12", False)],
            id="a balancer of its own listens on 8080 and calls nodes through the overlay",
        ),
        pytest.param(
            MULTI,
            LAST,
            "entry",
            8080,
            [("node1", "10.77.0.10", False), ("node2", "10.77.0.11", False), ("node3", "10.77.0.12", True)],
            id="a last resort is a backup",
        ),
        pytest.param(
            MULTI,
            {"agentdb.nodes.balancer": None},
            "node1",
            8443,
            [("node1", "127.0.0.1", False), ("node2", "10.77.0.11", False), ("node3", "10.77.0.12", False)],
            id="beside the primary it takes another port and calls its own node on loopback",
        ),
        pytest.param(SINGLE, {}, "node", 8443, [("node", "127.0.0.1", False)], id="one node is called on loopback"),
        pytest.param(SINGLE, {"agentdb.nodes.port": 443}, "node", 443, [("node", "127.0.0.1", False)], id="own port"),
    ],
)
def test_where_callers_come_in(
    stack: str, changes: dict[str, Any], machine: str, port: int, members: list[tuple[str, str, bool]]
) -> None:
    (proxy,) = machine_of(plan_of(stack, changes), machine).proxies
    assert ("haproxy", "leastconn", "http", port) == (proxy.kind, proxy.balance, proxy.mode, proxy.listen.port)
    assert members == [(row.name, row.address, row.backup) for row in proxy.members]
    assert {8080} == {row.port for row in proxy.members}
    assert proxy.tls is not None


def test_haproxy_balances_by_connections_and_never_calls_quic() -> None:
    text = text_of(MULTI, "entry", HAPROXY, LAST)
    assert "\n  balance leastconn\n" in text
    assert "  bind 0.0.0.0:8080 ssl crt /etc/skerry/tls/api.crt" in text
    assert "4433" not in text
    assert [row.endswith(" backup") for row in text.splitlines() if " server node" in row] == [False, False, True]
    assert " backup" not in text_of(MULTI, "entry", HAPROXY)


def test_callers_reach_the_balancer_alone_and_nodes_each_other() -> None:
    plan = plan_of(MULTI)
    every = {"node1": "10.0.1.10/32", "node2": "10.0.1.11/32", "node3": "10.0.1.12/32"}
    (proxy,) = machine_of(plan, "entry").proxies
    assert (proxy.listen.sources, proxy.listen.overlay) == (("10.0.1.0/24",), True)
    for name in NODES:
        rows = {row.name: row for row in node_of(plan, name).listens}
        others = tuple(address for other, address in every.items() if other != name)
        assert ("udp", 4433, others, False) == (
            rows["quic"].protocol,
            rows["quic"].port,
            rows["quic"].sources,
            rows["quic"].overlay,
        )
        assert (
            rows["http"].protocol,
            rows["http"].port,
            rows["http"].sources,
            rows["http"].overlay,
        ) == ("tcp", 8080, (), True)
        assert rows["http"].bind.startswith("10.77.0.")
        text = text_of(MULTI, name, FIREWALL)
        assert list(others) == [
            row.split()[2] for row in text.splitlines() if "ip saddr" in row and "dport 4433" in row
        ]
        assert "tcp dport 4433" not in text


def test_the_callers_that_are_named_are_let_in_instead_of_the_network() -> None:
    plan = plan_of(VPS)
    (proxy,) = machine_of(plan, "vps").proxies
    assert (proxy.listen.sources, proxy.requests_per_second) == (("203.0.113.0/24",), 50)
    (http,) = node_of(plan, "vps").listens
    assert (http.bind, http.sources) == ("127.0.0.1", ())


def test_one_node_keeps_everything_on_one_volume_and_has_no_quic() -> None:
    plan = plan_of(SINGLE)
    node = node_of(plan, "node")
    assert [(row.source, row.target, row.read_only) for row in node.mounts] == [
        ("/var/lib/agentdb", "/app/simulation/data", False)
    ]
    assert node.environment["QUIC_ENABLED"] == "false"
    assert [row.port for row in node.listens] == [8080]
    assert not [name for name in node.environment if name.startswith("REPLICA_")]
    (backup,) = machine_of(plan, "node").backups
    assert backup.paths == ("/var/lib/agentdb",)
    compose = "/usr/bin/docker compose --project-directory /etc/skerry/compose"
    assert ((f"{compose} pause agentdb",), (f"{compose} unpause agentdb",)) == (backup.before, backup.after)


def test_replicas_are_told_who_is_the_primary_and_by_what_they_know_each_other() -> None:
    plan = plan_of(MULTI)
    every = "10.0.1.10:4433,10.0.1.11:4433,10.0.1.12:4433"
    for name, role in zip(NODES, ("primary", "replica", "replica"), strict=True):
        found = node_of(plan, name).environment
        assert (role, "10.0.1.10:4433", every) == (
            found["REPLICA_ROLE"],
            found["REPLICA_PRIMARY"],
            found["REPLICA_NODES"],
        )
        rows = {row.path: (row.secret, row.mode) for row in machine_of(plan, name).files}
        assert rows == {
            "/etc/skerry/tls/peers/tls.crt": ("peerCertificate", "0644"),
            "/etc/skerry/tls/peers/tls.key": ("peerKey", "0600"),
            "/etc/skerry/tls/peers/ca.crt": ("peerAuthority", "0644"),
        }
    assert [row.path for row in machine_of(plan, "entry").files] == [
        "/etc/skerry/tls/api.crt",
        "/etc/skerry/tls/api.key",
    ]


REFUSED = {
    "an app of Fly.io with replicas": (
        MULTI,
        {"agentdb.nodes.fly": {"app": "a", "region": "fra"}},
        "agentdb.nodes.fly: an app of Fly.io has one node",
    ),
    "an app of Fly.io outside the boundary": (
        SINGLE,
        {"agentdb.nodes.fly": {"app": "a", "region": "sin"}},
        "agentdb.nodes.fly.region: 'sin' is in SG",
    ),
    "an app of Fly.io nobody knows where": (
        SINGLE,
        {"agentdb.nodes.fly": {"app": "a", "region": "zzz"}},
        "agentdb.nodes.fly.region: the country of 'zzz'",
    ),
    "a size that Fly.io has not": (
        SINGLE,
        {"agentdb.nodes.fly": {"app": "a", "region": "fra"}, "agentdb.memory_mib": 1000},
        "agentdb.memory_mib: 1000 MiB is no size",
    ),
    "a mode of clusters": (SINGLE, {"mode": "geo"}, "mode: 'geo' has no form on hosts"),
    "another runtime": (SINGLE, {"agentdb.runtime": "kubernetes"}, "agentdb.runtime: 'kubernetes' does not run on"),
    "a field of clouds": (SINGLE, {"agentdb.database": {}}, "agentdb.database: has no meaning on hosts"),
    "no nodes": (SINGLE, {"agentdb.nodes": None}, "agentdb.nodes: is required on hosts and missing"),
    "an unknown primary": (SINGLE, {"agentdb.nodes.primary": "x"}, "agentdb.nodes.primary: 'x' is no machine"),
    "an unknown replica": (
        MULTI,
        {"agentdb.nodes.replicas": ["node2", "x"]},
        "agentdb.nodes.replicas: 'x' is no machine of hosts.machines; use one of entry, node1, node2, node3",
    ),
    "an unknown balancer": (MULTI, {"agentdb.nodes.balancer": "x"}, "agentdb.nodes.balancer: 'x' is no machine"),
    "a machine twice": (
        MULTI,
        {"agentdb.nodes.replicas": ["node1", "node2"]},
        "agentdb.nodes.replicas: names a machine twice; one machine has one node",
    ),
    "a last resort that is no replica": (
        MULTI,
        {"agentdb.nodes.last_resort": ["node1"]},
        "agentdb.nodes.last_resort: 'node1' is no replica; name machines of replicas",
    ),
    "replicas of a single node": (
        MULTI,
        {"mode": "single-node"},
        "agentdb.nodes.replicas: has no meaning in mode single-node; use mode multi-node",
    ),
    "many nodes of which one": (
        SINGLE,
        {"mode": "multi-node"},
        "agentdb.nodes.replicas: is empty, but mode is multi-node; name at least one, better two",
    ),
    "a node outside the overlay": (
        MULTI,
        {"hosts.machines.node2.overlay": None},
        "hosts.machines.node2.overlay: is required: the load balancer calls nodes in plain HTTP",
    ),
    "a balancer outside the overlay": (
        MULTI,
        {"hosts.machines.entry.overlay": None},
        "hosts.machines.entry.overlay: is required",
    ),
    "two on one port": (SINGLE, {"agentdb.nodes.port": 8080}, "hosts.machines.node.ports: "),
    "a cap over the machine": (SINGLE, {"agentdb.memory_mib": 8192}, "hosts.machines.node.memory_gib: the caps of"),
    "nodes on a cluster": (
        "agentdb-onprem",
        {"agentdb.nodes": {"primary": "x"}},
        "agentdb.nodes: has no meaning but on hosts; remove it, or use target.kind: hosts",
    ),
    "Compose on a cluster": ("agentdb-onprem", {"agentdb.runtime": "compose"}, "agentdb.runtime: is one of machines"),
    "one node on a cluster": ("agentdb-onprem", {"mode": "single-node"}, "mode: is one of machines without an orch"),
}


@pytest.mark.parametrize(("stack", "changes", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(stack: str, changes: dict[str, Any], says: str) -> None:
    assert sense_problems(spec_of(stack)) == []
    told = [str(problem) for problem in sense_problems(spec_of(stack, changes))]
    assert [row for row in told if row.startswith(says)], told


def test_a_rented_machine_makes_itself_by_user_data_and_names_what_people_bring() -> None:
    found = {row.path: row.text for row in files(run_changed(VPS, {}))}
    text = found["vps/user-data.yaml"]
    assert text.startswith("#cloud-config\n")
    assert "secrets into /opt/skerry/secrets, then run /opt/skerry/apply.sh: apiCertificate, apiKey, backupKey." in text
    size = len(text.encode())
    assert size <= LIMITS["DigitalOcean"]
    assert len(gzip.compress(text.encode(), 9)) <= min(LIMITS.values())
    assert [name for name, limit in LIMITS.items() if size > limit] == [
        name for name in LIMITS if f"{name} {LIMITS[name]}" in text
    ]
    assert "vps/user-data.yaml" not in {
        row.path for row in files(run_changed(VPS, {"hosts.machines.vps.delivery": "files"}))
    }


def test_cloud_init_itself_takes_the_user_data(tmp_path: Path, need_tool: Callable[[str], str]) -> None:
    path = tmp_path / "user-data.yaml"
    path.write_text(next(row.text for row in files(run_changed(VPS, {})) if row.path == "vps/user-data.yaml"))
    words = [need_tool("cloud-init"), "schema", "--config-file", f"{path}"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, "Valid cloud-config" in done.stdout) == (0, True)


FLY = {"agentdb.nodes.fly": {"app": "agentdb", "region": "fra"}}


def test_an_app_of_fly_io_is_the_node_of_the_stack(tmp_path: Path) -> None:
    plan = plan_of(SINGLE, FLY | {"agentdb.secrets": {"API_TOKEN": "apiToken"}})
    app, node = tomllib.loads(plan.artifacts["fly/fly.toml"]), node_of(plan_of(SINGLE), "node")
    assert node.image is not None
    assert node.health is not None
    (mount,) = node.mounts
    (check,) = app["http_service"]["checks"]
    assert app["build"]["image"] == node.image.deployed_as
    assert app["env"] == node.environment
    assert (app["mounts"]["destination"], app["mounts"]["initial_size"]) == (mount.target, f"{node.storage_gib:g}gb")
    assert (app["http_service"]["internal_port"], check["path"]) == (node.health.port, node.health.path)
    assert [check[name] for name in ("interval", "timeout", "grace_period")] == [
        f"{number}s" for number in (node.health.interval_s, node.health.timeout_s, node.health.start_period_s)
    ]
    assert app["vm"] == [{"memory": f"{node.memory_mib}mb", "cpu_kind": "shared", "cpus": node.cpus}]
    assert (app["http_service"]["min_machines_running"], app["kill_timeout"]) == (1, node.stop_s)
    script = plan.artifacts["fly/deploy.sh"]
    assert "fly volumes create agentdb_data --size 10 --region fra --app agentdb --yes\n" in script
    (tmp_path / "deploy.sh").write_text(script)
    fake = tmp_path / "fly"
    fake.write_text('#!/bin/sh\necho "$@" >> "$0.log"; [ "$1" != secrets ] || cat >> "$0.log"\n')
    fake.chmod(0o755)
    run = ["sh", "deploy.sh"]
    missing = subprocess.run(
        run, cwd=tmp_path, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True
    )
    assert (missing.returncode != 0, fake.with_suffix(".log").exists()) == (True, False)
    subprocess.run(run, cwd=tmp_path, env={"PATH": f"{tmp_path}:/usr/bin:/bin", "API_TOKEN": "x y"}, check=True)
    assert (tmp_path / "fly.log").read_text().splitlines() == [
        "apps create agentdb",
        "secrets import --stage --app agentdb",
        "API_TOKEN=x y",
        "volumes create agentdb_data --size 10 --region fra --app agentdb --yes",
        "deploy --config fly.toml --ha=false",
    ]


def test_without_a_word_of_fly_io_nothing_is_rendered_for_it() -> None:
    assert plan_of(SINGLE).artifacts == {}
