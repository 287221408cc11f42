"""The plan of an agent mesh: what stands where in each mode, what cannot be, and what others than Linux get."""

from __future__ import annotations

import plistlib
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from policies.runner import check
from skerry.catalog import load_catalog
from skerry.config.load import load_spec
from skerry.errors import ConfigError
from skerry.hosts.plan import HostService, HostsPlan, Machine, Supervisor
from skerry.render.files import files
from skerry.systems.agent_mesh import agent_mesh_plan
from tests.simulators.changed_stacks import changed_deployment, run_changed
from tests.simulators.coverage_rows import TODAY

STACKS: Final = ("mesh-development", "mesh-small-team", "mesh-field", "mesh-enterprise", "mesh-airgapped")


def plan(stack: str, changes: Mapping[str, Any] | None = None) -> HostsPlan:
    return agent_mesh_plan(load_spec(changed_deployment(stack, changes or {}), stack), load_catalog())


def machine(found: HostsPlan, name: str) -> Machine:
    return next(row for row in found.machines if row.name == name)


def services(stack: str, changes: Mapping[str, Any] | None = None) -> list[HostService]:
    return [service for row in plan(stack, changes).machines for service in row.services]


@pytest.mark.parametrize("stack", STACKS)
def test_the_resources_of_a_stack_have_the_names_on_record(stack: str, golden: Callable[[str, str], None]) -> None:
    rows = [f"{r.type}  {r.urn}" for r in run_changed(stack, {}).resources]
    golden(f"urns-{stack}.txt", "\n".join(rows) + "\n")


@pytest.mark.parametrize("stack", STACKS)
def test_no_finding_but_what_somebody_answers_for(stack: str) -> None:
    report = check(run_changed(stack, {}), today=TODAY)
    assert [row for row in report.findings if row.verdict.value in ("violation", "undetermined")] == []


@pytest.mark.parametrize("stack", STACKS)
def test_a_developers_token_is_taken_in_development_alone(stack: str) -> None:
    named = [service.name for service in services(stack) if "--dev-token" in service.command or service.dev_token]
    assert (["agent-mesh-gateway"] if stack == "mesh-development" else []) == named
    everything = "".join(file.text for file in files(run_changed(stack, {})))
    assert (stack == "mesh-development") == ("--dev-token" in everything) == ("DEV_TOKEN_ENABLED=true" in everything)


def test_development_is_bound_to_the_machine_itself_whatever_is_said() -> None:
    found = machine(plan("mesh-development", {"agent_mesh.bind": "0.0.0.0", "agent_mesh.mcp": True}), "laptop")
    listens = [row for service in found.services for row in service.listens]
    assert {("127.0.0.1", (), False)} == {(row.bind, row.sources, row.overlay) for row in listens}
    assert {("localhost",)} == {service.only_with for service in found.services}
    assert (found.opens, found.proxies) == ((), ())


REFUSED: Final[dict[str, tuple[str, dict[str, Any], str]]] = {
    "development on two machines": (
        "mesh-development",
        {"hosts.machines.other": {"address": "10.0.0.2", "vcpu": 2, "memory_gib": 4, "storage_gib": 20}},
        "development has one machine, and 2 are described",
    ),
    "a gateway on no machine": (
        "mesh-small-team",
        {"agent_mesh.gateways": ["gone"]},
        "agent_mesh.gateways: 'gone' is no machine: ",
    ),
    "a machine named twice": (
        "mesh-enterprise",
        {"agent_mesh.gateways": ["gate-a", "gate-a"]},
        "names a machine twice",
    ),
    "no node": ("mesh-small-team", {"agent_mesh.nodes": None}, "no node runs tools"),
    "a gateway on iOS": ("mesh-field", {"agent_mesh.gateways": ["foreman"]}, "'foreman' is ios, which runs no gateway"),
    "a container without an image": (
        "mesh-small-team",
        {"agent_mesh.nodes.lab.runtime": "container"},
        "agent_mesh.nodes.lab.image: is required for a container",
    ),
    "a container on a Mac": (
        "mesh-small-team",
        {"agent_mesh.nodes.mac": {"runtime": "container", "image": "registry.example/node:1"}},
        "'mac' is macos, where no container is rendered",
    ),
    "a port that the second service has": (
        "mesh-enterprise",
        {"agent_mesh.mcp_port": 8787},
        "'agent-mesh-gateway' and 'agent-mesh-gateway' both listen on 8787/tcp",
    ),
    "nodes on the gateway's port": (
        "mesh-development",
        {"agent_mesh.first_port": 8787, "agent_mesh.last_port": 8790},
        "both listen on 8787/tcp",
    ),
    "a last port before the first": (
        "mesh-small-team",
        {"agent_mesh.last_port": 7000},
        "7000 is before the first, 8000",
    ),
    "a region that is none": ("mesh-enterprise", {"agent_mesh.nodes.node-a.region": "c"}, "'c' is no region: a, b"),
    "a region without nodes": ("mesh-enterprise", {"agent_mesh.regions": ["a", "b", "c"]}, "no node stands in 'c'"),
    "a role's region that is none": (
        "mesh-enterprise",
        {"agent_mesh.capabilities.roles.analyst.regions": ["z"]},
        "agent_mesh.capabilities.roles.analyst.regions: 'z' is no region",
    ),
    "roles where one token is shared": (
        "mesh-airgapped",
        {"agent_mesh.capabilities.roles": {"operator": {"tools": ["*"]}}},
        "have no meaning where one token is shared",
    ),
    "an even number of stores": (
        "mesh-enterprise",
        {"agent_mesh.shared_state.machines": ["gate-a", "gate-b", "edge", "node-a"]},
        "4 machines have no majority when halves part",
    ),
    "a seed without a port": ("mesh-enterprise", {"agent_mesh.discovery.seeds": ["10.0.0.1"]}, "is no host:port"),
    "a store for one gateway": (
        "mesh-enterprise",
        {"agent_mesh.gateways": ["gate-a"]},
        "one gateway shares nothing",
    ),
    "a collector on the internet without a connection": (
        "mesh-airgapped",
        {"agent_mesh.audit": {"siem": {"host": "siem.example", "on_site": False}}, "agent_mesh.media.diode": None},
        "is not on the site, which has no connection",
    ),
    "a diode beside an rsyslog without rights": (
        "mesh-airgapped",
        {"hosts.machines.gate.os": "ubuntu"},
        "whose rsyslog may not write a diode's folder",
    ),
    "a commit that is none": ("mesh-small-team", {"agent_mesh.source": {"commit": "main"}}, "agent_mesh.source.commit"),
    "more memory than there is": (
        "mesh-small-team",
        {"agent_mesh.nodes.lab.memory_mib": 2048},
        "the caps of its services sum to 22528 MiB, and it has 16 GiB",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    stack, changes, says = REFUSED[case]
    with pytest.raises(ConfigError) as caught:
        plan(stack, changes)
    assert says in " ".join(str(caught.value).split())


def test_both_gateways_get_the_same_identity_and_trust_store() -> None:
    found = plan("mesh-enterprise")
    held = [
        {file.path: (file.secret, file.mode, file.owner) for file in machine(found, name).files if file.secret}
        for name in ("gate-a", "gate-b")
    ]
    for path, secret in (
        ("/opt/agent_mesh/keys/gateway_identity.pem", "mesh-identity"),
        ("/opt/agent_mesh/trust/trust_store.json", "mesh-trust-store"),
    ):
        assert [(secret, "0600", "agent-mesh")] * 2 == [row[path] for row in held]


@pytest.mark.parametrize("stack", STACKS)
def test_every_path_that_a_gateway_needs_again_is_copied_away(stack: str) -> None:
    found = plan(stack)
    gateway = next(row for row in found.machines if any(one.name == "agent-mesh-gateway" for one in row.services))
    (backup,) = (row for row in gateway.backups if row.name == "agent-mesh")
    kept = [file.path for file in gateway.files if file.path.startswith(("/opt/agent_mesh", "/etc/agent-mesh"))]
    lost = [path for path in kept if not any(path == one or path.startswith(f"{one}/") for one in backup.paths)]
    assert (lost, backup.holds_keys) == ([], True)
    assert {"/opt/agent_mesh/trust", "/opt/agent_mesh/keys", "/var/log/agent_mesh", "/opt/agent_mesh/.env"} <= {
        *backup.paths
    }


def test_what_the_vendors_script_copies_is_not_where_things_are() -> None:
    """The seed's script copies keys/ and audit/audit.log of the working directory; neither holds what matters there."""
    found = machine(plan("mesh-enterprise"), "gate-a")
    (backup,) = (row for row in found.backups if row.name == "agent-mesh")
    assert "/opt/agent_mesh/audit/audit.log" not in backup.paths
    variables = dict(
        line.split("=", 1) for line in next(f.text for f in found.files if f.path.endswith(".env")).splitlines()
    )
    assert str(Path(variables["AUDIT_LOG_PATH"]).parent) in backup.paths


def test_the_overlay_alone_carries_an_enterprise() -> None:
    found = plan("mesh-enterprise")
    rows = [row for one in found.machines for service in one.services for row in service.listens]
    assert {((), True)} == {(row.sources, row.overlay) for row in rows}
    (proxy,) = machine(found, "edge").proxies
    assert (proxy.listen.scheme, proxy.listen.port, proxy.listen.sources) == ("https", 443, ("10.2.0.0/16",))


def test_the_jobs_of_prometheus_are_two_with_every_address() -> None:
    jobs = yaml.safe_load(plan("mesh-enterprise").artifacts["prometheus/agent-mesh.yaml"])["scrape_configs"]
    assert [(job["metrics_path"], job["static_configs"][0]["targets"]) for job in jobs] == [
        ("/v1/metrics", ["10.77.0.1:8787", "10.77.0.2:8787"]),
        ("/metrics", ["10.77.0.11:8000", "10.77.0.11:8001", "10.77.0.12:8000", "10.77.0.12:8001"]),
    ]


def test_promtool_takes_the_jobs(tmp_path: Path, need_tool: Callable[[str], str]) -> None:
    path = tmp_path / "prometheus.yaml"
    path.write_text(plan("mesh-small-team").artifacts["prometheus/agent-mesh.yaml"])
    assert subprocess.run([need_tool("promtool"), "check", "config", path], capture_output=True).returncode == 0


def test_a_mac_gets_a_plist_and_no_unit() -> None:
    found = machine(plan("mesh-small-team"), "mac")
    (file,) = found.files
    document = plistlib.loads(file.text.encode())
    assert (
        document["EnvironmentVariables"]["NODE_PORT"],
        document["WorkingDirectory"],
    ) == ("8000", "/opt/agent_mesh/edge_node")
    assert [service.supervisor for service in found.services] == [Supervisor.OTHER]


def test_a_gateway_on_a_mac_is_possible() -> None:
    changes = {"agent_mesh.gateways": ["mac"], "agent_mesh.discovery.multicast": False}
    found = machine(plan("mesh-small-team", changes), "mac")
    names = [file.path.rpartition("/")[2] for file in found.files]
    assert names == [
        "com.adaptivesentience.agent-mesh-gateway.plist",
        "com.adaptivesentience.agent-mesh-node-8000.plist",
    ]


def test_windows_gets_scripts_that_name_each_node() -> None:
    changes = {"hosts.machines.mac.os": "windows", "agent_mesh.nodes.mac.count": 2}
    texts = {file.path.rpartition("/")[2]: file.text for file in machine(plan("mesh-small-team", changes), "mac").files}
    assert sorted(texts) == ["agent-mesh-node-8000.ps1", "agent-mesh-node-8001.ps1", "register.ps1"]
    assert "$env:NODE_PORT = '8001'" in texts["agent-mesh-node-8001.ps1"]
    assert "-LocalPort 8000-8001 -RemoteAddress '10.1.0.0/24'" in texts["register.ps1"]


def test_ios_gets_nothing_and_the_runbook_says_so() -> None:
    found = plan("mesh-field")
    assert machine(found, "foreman").files == ()
    assert "foreman (ios), which runs no node:" in found.artifacts["agent-mesh/runbook.md"]


@pytest.mark.parametrize("stack", STACKS)
def test_shellcheck_takes_every_script(stack: str, tmp_path: Path, need_tool: Callable[[str], str]) -> None:
    program = need_tool("shellcheck")
    found = plan(stack, {"agent_mesh.shared_state.program": "redis"} if stack == "mesh-enterprise" else {})
    for row in found.machines:
        for file in row.files:
            if not file.text.startswith("#!"):
                continue
            path = tmp_path / "script"
            path.write_text(file.text)
            done = subprocess.run([program, "--shell=sh", path], capture_output=True, text=True)
            assert (done.returncode, done.stdout) == (0, ""), file.path


def test_a_container_node_has_its_bundle_and_the_machines_network_where_multicast_is_on() -> None:
    image = "registry.vendor.example/mesh/node:1.0.0"
    changes = {"agent_mesh.nodes.pi": {"count": 2, "runtime": "container", "image": image}}
    found = machine(plan("mesh-field", changes), "pi")
    assert [(service.host_network, service.name) for service in found.services] == [
        (True, "agent-mesh-node-8000"),
        (True, "agent-mesh-node-8001"),
    ]
    bundles = [file for file in found.files if file.path.endswith(".json")]
    assert [(file.secret, file.owner) for file in bundles] == [
        ("mesh-bundle-pi-8000", "10001"),
        ("mesh-bundle-pi-8001", "10001"),
    ]
    changes["agent_mesh.discovery.multicast"] = False  # type: ignore[assignment]
    assert {False} == {one.host_network for one in machine(plan("mesh-field", changes), "pi").services}


def test_on_ubuntu_rsyslog_may_read_what_it_forwards() -> None:
    found = machine(plan("mesh-enterprise", {"hosts.machines.gate-a.os": "ubuntu"}), "gate-a")
    (pem,) = (file for file in found.files if file.path == "/etc/agent-mesh/tls/siem.pem")
    assert (pem.group, ("usermod", "--append", "--groups", "agent-mesh", "syslog") in found.setup) == ("syslog", True)


def test_where_one_machine_is_outside_of_the_overlay_nobody_is_called_by_it() -> None:
    found = plan("mesh-enterprise", {"hosts.machines.edge.overlay": None})
    (proxy,) = machine(found, "edge").proxies
    assert [member.address for member in proxy.members] == ["10.2.1.10", "10.2.2.10"]
    listens = [row for service in machine(found, "gate-a").services for row in service.listens]
    assert {row.overlay for row in listens} == {False}
    (state,) = (service for service in machine(found, "gate-a").services if service.name == "agent-mesh-state")
    assert state.listens[0].sources == ("10.2.1.10/32", "10.2.2.10/32", "10.2.3.10/32")


def test_nodes_cannot_read_the_identity_of_a_gateway_on_their_machine() -> None:
    found = machine(plan("mesh-airgapped", {"agent_mesh.nodes.gate": {}}), "gate")
    users = {service.name: service.user for service in found.services}
    assert (users["agent-mesh-gateway"], users["agent-mesh-node"]) == ("agent-mesh", "agent-mesh-node")
    held = {file.path: (file.owner, file.mode) for file in found.files}
    assert held["/opt/agent_mesh/keys/gateway_identity.pem"] == ("agent-mesh", "0600")
    assert held["/opt/agent_mesh/node_keys/node-8000.json"] == ("agent-mesh-node", "0600")
    assert {"0700"} == {row.mode for row in found.folders if row.path.endswith("keys")}
