"""What AgentDB must be: what its plan of services must be, and what only it asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from skerry.config.agentdb import AgentDbSpec
from skerry.config.application import Runtime
from skerry.config.sense_agentdb_hosts import agentdb_hosts_problems
from skerry.config.sense_applications import plan_problems
from skerry.config.sense_edge_layer import edge_layer_problems
from skerry.config.sense_geo import geo_problems
from skerry.config.sense_hybrid_edge import hybrid_edge_problems
from skerry.config.spec import DeploymentSpec, Layer, TargetKind
from skerry.errors import Problem
from skerry.systems.agentdb import CARRIES_UDP, at_the_edge, plan_of, service_name, speaks_quic, told_of_database

_TAKERS = {
    Runtime.LAMBDA: "lambda is called by events, and nothing reaches a port of it",
    Runtime.CLOUD_RUN: "cloud run takes in HTTP alone",
    Runtime.FUNCTIONS: "azure functions take in HTTP alone",
}


def agentdb_problems(spec: DeploymentSpec) -> Iterator[Problem]:
    """Return what cannot be about AgentDB; each path is that of the field that the user wrote."""
    agentdb = spec.agentdb
    if agentdb is None:
        return
    yield from agentdb_hosts_problems(spec, agentdb)
    if spec.target.kind is TargetKind.HOSTS or agentdb.runtime is Runtime.COMPOSE:
        return
    if agentdb.quic and agentdb.runtime not in CARRIES_UDP:
        text = f"QUIC is UDP, and {_TAKERS[agentdb.runtime]}"
        yield Problem("agentdb.quic", text, "set quic: false, or use runtime kubernetes or ecs")
        return
    if not speaks_quic(agentdb) and "replication" in agentdb.model_fields_set:
        text = "has no meaning where nothing joins replicas (quic is off)"
        yield Problem("agentdb.replication", text, "remove it, or use runtime kubernetes or ecs with quic on")
    yield from geo_problems(spec, agentdb)
    yield from hybrid_edge_problems(spec, agentdb)
    yield from edge_layer_problems(spec, agentdb)
    if spec.layer is Layer.GLOBAL or at_the_edge(agentdb):
        return
    yield from _stores(agentdb)
    service = re.compile(rf"^agentdb\.services\.{re.escape(service_name(agentdb))}")
    for problem in plan_problems(spec, plan_of(agentdb), "agentdb"):
        yield replace(problem, path=service.sub("agentdb", problem.path))


def _stores(agentdb: AgentDbSpec) -> Iterator[Problem]:
    if agentdb.database is not None and not told_of_database(agentdb):
        text = "nobody is told of it: AgentDB keeps files (sql.js, better-sqlite3, graph) and reads no PostgreSQL"
        remedy = "name the variables of your image's adapter in `environment`, such as '{database.host}', or remove it"
        yield Problem("agentdb.database", text, remedy)
