"""What belongs to no machine of a mesh: the jobs of Prometheus, and a runbook with the deployment's own paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import yaml

from skerry.config.agent_mesh import TrustMode
from skerry.config.host import HostDelivery
from skerry.config.sense_agent_mesh import MAX_LATENCY_MS, MIN_BANDWIDTH_MBPS
from skerry.systems.agent_mesh_audit import pushes
from skerry.systems.agent_mesh_elsewhere import BY_HAND
from skerry.systems.agent_mesh_hardware import below_recommended, needs
from skerry.systems.agent_mesh_places import GATEWAY_UNIT, HOME, Mesh

SCRAPE: Final = "prometheus/agent-mesh.yaml"
RUNBOOK: Final = "agent-mesh/runbook.md"


def papers(mesh: Mesh) -> dict[str, str]:
    """Return path -> text; through a diode nobody can ask for metrics, so that there are no jobs."""
    found = {RUNBOOK: _runbook(mesh)}
    return found if pushes(mesh) else {**found, SCRAPE: _scrape(mesh)}


def _scrape(mesh: Mesh) -> str:
    gateways = [f"{mesh.address(name)}:{mesh.spec.port_of(name)}" for name in mesh.spec.gateways]
    nodes = [f"{mesh.address(machine)}:{port}" for _, machine, port, _ in mesh.node_ids()]
    jobs = (("agent-mesh-gateway", "/v1/metrics", gateways), ("agent-mesh-node", "/metrics", nodes))
    document = {
        "scrape_configs": [
            {
                "job_name": name,
                "metrics_path": path,
                "scrape_interval": "30s",
                "static_configs": [{"targets": targets}],
            }
            for name, path, targets in jobs
        ]
    }
    head = "# Whether health and metrics ask for a token is not said by the vendor: the firewall says who may ask.\n"
    return head + yaml.safe_dump(document, sort_keys=False)


def _runbook(mesh: Mesh) -> str:
    return "\n".join([*_smoke(mesh), *_audit(mesh), *_network(mesh), *_hardware(mesh), *_keys(mesh), *_by_hand(mesh)])


def _smoke(mesh: Mesh) -> Iterator[str]:
    yield "# Agent mesh: after a deployment, and every day\n"
    yield "## It is well\n\n```sh"
    for url in mesh.gateway_urls():
        yield f"curl --fail {url}/health\ncurl --fail {url}/v1/mesh_scan | jq\ncurl --fail {url}/v1/metrics"
    for _, machine, port, _ in mesh.node_ids():
        base = f"http://{mesh.address(machine)}:{port}"
        yield f"curl --fail {base}/health\ncurl --fail {base}/metrics"
    if mesh.spec.load_balancer is not None:
        row = mesh.spec.load_balancer
        shown = " --cert caller.pem --cacert authority.pem" if row.client_certificates else " --cacert authority.pem"
        yield f"curl --fail{shown} https://{row.host}:{row.port}/health"
    yield "```\n"
    yield f"On a machine: `systemctl status {GATEWAY_UNIT}`, `systemctl list-units 'agent-mesh-*'`.\n"


def _audit(mesh: Mesh) -> Iterator[str]:
    path = mesh.spec.audit.path
    yield f"## The audit log: {path}\n\n```sh"
    yield f"tail -f {path}"
    yield f"jq 'select(.workflow_id == \"feedback_safe_summary\")' {path}"
    yield f"jq -r .workflow_id {path} | sort | uniq -c\n```\n"


def _network(mesh: Mesh) -> Iterator[str]:
    network = mesh.spec.network
    rows = (
        (f"less than {MAX_LATENCY_MS} ms between nodes, for workflows in real time", network.latency_ms, "ms"),
        (f"at least {MIN_BANDWIDTH_MBPS} Mbps, more for large payloads", network.bandwidth_mbps, "Mbps"),
    )
    yield "## The network\n\n| needed | measured |\n|---|---|"
    for needed, value, unit in rows:
        yield f"| {needed} | {'not known: measure it' if value is None else f'{value:g} {unit}'} |"
    yield ""


def _hardware(mesh: Mesh) -> Iterator[str]:
    yield "## Machines\n\nCores, GiB of memory, GiB of storage.\n"
    yield "| machine | runs | needs at least | has | below what is recommended |"
    yield "|---|---|---|---|---|"
    for name, row in mesh.hosts.machines.items():
        for whom, hardware in needs(mesh.spec, name, row):
            least = f"{hardware.cores}, {hardware.memory_gib:g}, {hardware.storage_gib:g}" if hardware else "not known"
            below = below_recommended(row) if whom == "gateway" else ""
            yield f"| {name} | {whom} | {least} | {row.vcpu}, {row.memory_gib:g}, {row.storage_gib:g} | {below} |"
    yield ""


def _keys(mesh: Mesh) -> Iterator[str]:
    if mesh.spec.trust is not TrustMode.PKI:
        return
    yield "## Keys\n"
    yield "`skerry mesh keys`, `bundle`, `rotate` and `revoke` make and change them in a folder of the site."
    yield "After each, hand the secrets over as it says, and deploy.\n"


def _by_hand(mesh: Mesh) -> Iterator[str]:
    named = {*mesh.spec.gateways, *mesh.spec.nodes}
    rows = [(name, row) for name, row in mesh.hosts.machines.items() if name in named]
    elsewhere = [(name, row) for name, row in mesh.hosts.machines.items() if row.os in BY_HAND]
    carried = [name for name, row in rows if row.delivery is HostDelivery.FILES and row.os not in BY_HAND]
    if not elsewhere and not carried:
        return
    yield "## By hand\n"
    for name in carried:
        what = "its folder of what `skerry render` wrote, with the secrets of the site"
        yield f"- {name}: carry {what}, and run its apply script"
    for name, row in elsewhere:
        yield f"\n{name} ({row.os.value}){'' if name in named else ', which runs no node'}:\n"
        yield from (f"{at}. {step}" for at, step in enumerate(BY_HAND[row.os], 1))
    yield f"\nThe program lies in {HOME} on every other machine.\n"
