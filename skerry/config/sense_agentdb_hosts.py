"""What AgentDB on machines without an orchestrator must be: nodes that are there, and a place where callers come in."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.config.agentdb import AgentDbSpec
from skerry.config.agentdb_nodes import NodesSpec
from skerry.config.application import Runtime
from skerry.config.hybrid_edge import EdgeHost
from skerry.config.spec import DeploymentSpec, Mode, TargetKind
from skerry.errors import Problem
from skerry.jurisdictions import inside
from skerry.systems.agentdb_fly import MOST_MIB, STEP_MIB
from skerry.systems.agentdb_hosts import balancer_of, node_names
from skerry.systems.edge_places import places_of

_OF_CLOUDS = (
    "database", "bucket", "dns", "geo", "hybrid_edge", "scale", "storage_iops", "exposure", "anonymous", "host",
    "delivery", "disposable_files", "site",
)  # fmt: skip


def agentdb_hosts_problems(spec: DeploymentSpec, agentdb: AgentDbSpec) -> Iterator[Problem]:
    """Return what cannot be about AgentDB on machines, and what has no meaning there.

    Args:
        spec: the deployment.
        agentdb: its part of AgentDB.
    """
    wanted = spec.target.kind is TargetKind.HOSTS
    on_machines = (Mode.SINGLE_NODE, Mode.MULTI_NODE)
    if not wanted:
        if agentdb.nodes is not None:
            yield Problem("agentdb.nodes", "has no meaning but on hosts", "remove it, or use target.kind: hosts")
        if agentdb.runtime is Runtime.COMPOSE or spec.mode in on_machines:
            field = "mode" if spec.mode in on_machines else "agentdb.runtime"
            yield Problem(field, "is one of machines without an orchestrator", "use target.kind: hosts")
        return
    if spec.mode not in on_machines:
        yield Problem("mode", f"'{spec.mode.value}' has no form on hosts", "use single-node or multi-node")
    if agentdb.runtime is not Runtime.COMPOSE:
        yield Problem("agentdb.runtime", f"'{agentdb.runtime.value}' does not run on hosts", "use compose")
    for field in _OF_CLOUDS:
        if field in agentdb.model_fields_set:
            yield Problem(f"agentdb.{field}", "has no meaning on hosts", "remove it")
    if agentdb.nodes is None:
        yield Problem("agentdb.nodes", "is required on hosts and missing", "name the primary and its replicas")
        return
    yield from _nodes(spec, agentdb.nodes)


def _nodes(spec: DeploymentSpec, nodes: NodesSpec) -> Iterator[Problem]:
    machines = spec.hosts.machines if spec.hosts is not None else {}
    named = {"primary": (nodes.primary,), "replicas": nodes.replicas, "last_resort": nodes.last_resort}
    for field, names in named.items():
        for name in names:
            if name not in machines:
                text = f"'{name}' is no machine of hosts.machines"
                yield Problem(f"agentdb.nodes.{field}", text, f"use one of {', '.join(machines)}")
    if balancer_of(nodes) not in machines:
        text = f"'{balancer_of(nodes)}' is no machine of hosts.machines"
        yield Problem("agentdb.nodes.balancer", text, f"use one of {', '.join(machines)}")
        return
    every = node_names(nodes)
    if len(set(every)) < len(every):
        yield Problem("agentdb.nodes.replicas", "names a machine twice", "one machine has one node")
    for name in nodes.last_resort:
        if name not in nodes.replicas:
            yield Problem("agentdb.nodes.last_resort", f"'{name}' is no replica", "name machines of replicas")
    if nodes.replicas and set(nodes.last_resort) >= set(every):
        yield Problem("agentdb.nodes.last_resort", "names every node", "leave one that takes callers")
    single = spec.mode is Mode.SINGLE_NODE
    if single == bool(nodes.replicas):
        text = "has no meaning in mode single-node" if single else "is empty, but mode is multi-node"
        remedy = "use mode multi-node" if single else "name at least one, better two"
        yield Problem("agentdb.nodes.replicas", text, remedy)
    yield from _fly(spec, nodes)
    away = [name for name in every if name != balancer_of(nodes)]
    needs = {*away, balancer_of(nodes)} if away else set()
    for name in sorted(needs):
        if name in machines and machines[name].overlay is None:
            text = "is required: the load balancer calls nodes in plain HTTP, which the overlay alone may carry"
            yield Problem(f"hosts.machines.{name}.overlay", text, "give it an address of hosts.overlay")


def _fly(spec: DeploymentSpec, nodes: NodesSpec) -> Iterator[Problem]:
    fly, agentdb = nodes.fly, spec.agentdb
    if fly is None or agentdb is None:
        return
    if nodes.replicas:
        text = "an app of Fly.io has one node, whose volume no other shares"
        yield Problem("agentdb.nodes.fly", text, "use mode single-node, or remove it")
    country = places_of(EdgeHost.FLY).get(fly.region)
    rows = [row for row in spec.residency.boundaries if row.data_class.rank <= spec.data_class.rank]
    allowed = max(rows, key=lambda row: row.data_class.rank).jurisdictions if rows else ()
    if country is None:
        known = ", ".join(places_of(EdgeHost.FLY))
        yield Problem("agentdb.nodes.fly.region", f"the country of '{fly.region}' is not known", f"use one of {known}")
    elif allowed and not inside(country, allowed):
        text = f"'{fly.region}' is in {country}, but {spec.data_class.value} data must stay in {', '.join(allowed)}"
        yield Problem("agentdb.nodes.fly.region", text, "take a region inside, or widen residency.boundaries")
    memory = agentdb.memory_mib
    if memory is not None and (memory > MOST_MIB or memory % STEP_MIB):
        text = f"{memory} MiB is no size of Fly.io's shared machines"
        yield Problem("agentdb.memory_mib", text, f"use a multiple of {STEP_MIB} up to {MOST_MIB}")
