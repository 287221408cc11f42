"""Deployments of services on ECS and Lambda that no shipped stack is: a new service, all stores, profiles."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any, Final

import yaml

from skerry.engine.run import run_deployment
from skerry.graph import ResourceGraph
from tests.simulators.stack_objects import ROOT

ECS, LAMBDA = "agentdb-ecs-aws", "agentdb-lambda-aws"
STACKS: Final = (ECS, LAMBDA)
REGISTRY: Final = "111122223333.dkr.ecr.us-east-1.amazonaws.com"

PROGRAM_DEFAULTS: Final = {
    "BATCH_SIZE": "100",
    "CACHE_S": "60",
    "SQLITE_JOURNAL_MODE": "WAL",
    "SQLITE_SYNCHRONOUS": "NORMAL",
    "SQLITE_WAL_CHECKPOINT_PAGES": "1000",
}
"""What AgentDB's program is told where a stack says nothing: 003:6161, 003:6198, 003:2085 to 2088, 003:2728."""

REPLICATION_DEFAULTS: Final = {
    "REPLICA_SYNC_MS": "1000",
    "REPLICA_CONSISTENCY": "eventual",
    "REPLICA_MISSED_HEARTBEATS": "3",
}
"""What replicas that QUIC joins are told: 003:1303, 003:1306, 003:1474."""


def shipped(stack: str) -> dict[str, Any]:
    """Return the deployment of a stack as its file has it."""
    document = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
    found: dict[str, Any] = document["config"]["skerry:deployment"]
    return found


def changed(stack: str, **fields: Any) -> dict[str, Any]:
    """Return a shipped deployment with other values; `a__b` is the field b of a, None takes it away."""
    found = copy.deepcopy(shipped(stack))
    for path, value in fields.items():
        *way, last = path.split("__")
        place = found
        for step in way:
            place = place.setdefault(step, {})
        place.pop(last, None)
        if value is not None:
            place[last] = value
    return found


def services(plan: dict[str, Any], stack: str = ECS) -> dict[str, Any]:
    """Return a deployment of any services, at the place of a shipped stack."""
    found = changed(stack, agentdb=None, system="applications")
    found["applications"] = plan
    return found


def run(deployment: dict[str, Any], secrets: dict[str, str] | None = None, stack: str = ECS) -> ResourceGraph:
    """Run a deployment in the engine, under the name of a shipped stack."""
    return run_deployment(ROOT, stack, {"skerry:deployment": json.dumps(deployment), **(secrets or {})})


@cache
def graph(stack: str) -> ResourceGraph:
    """Return the graph of a shipped stack."""
    return run_deployment(ROOT, stack)


def one_service(runtime: str, **fields: Any) -> dict[str, Any]:
    """Return a plan of one service that no catalogue has, as a stack would describe it."""
    definition = {
        "ports": {"http": {"port": 3000}},
        "health": {"path": "/healthz", "period_s": 15},
        "vcpu": 1,
        "memory_mib": 2048,
        "environment": {"GREETING": "hello"},
        "longest_request_s": 120,
    }
    scale = {"minimum": 1, "maximum": 4, "cpu_percent": 60}
    if runtime == "lambda":
        scale = {"minimum": 0, "maximum": 50, "concurrency": 1}
    row = {
        "definition": definition,
        "runtime": runtime,
        "image": f"{REGISTRY}/greeter:1.0.0",
        "scale": scale,
        "exposure": "public",
        "host": "greeter.example.com",
        **fields,
    }
    return {"services": {"greeter": row}, "dns": {"zone": "example.com"}}


def everything() -> dict[str, Any]:
    """Return services of all kinds with all stores: two entrances, jobs on both runtimes, spot, shared files."""
    web = one_service("ecs")["services"]["greeter"]
    web["definition"] |= {
        "needs": ["database", "cache", "bucket", "queue"],
        "access": {"queue": "write"},
        "data_path": "/var/lib/greeter",
        "egress": ["api.vendor.example"],
        "environment": {
            "DATABASE_URL": "postgresql://{database.user}@{database.host}:{database.port}/{database.name}",
            "PGPASSWORD": "{database.password}",
            "CACHE_URL": "{cache.scheme}://{cache.host}:{cache.port}",
            "CACHE_PASSWORD": "{cache.password}",
            "BUCKET": "{bucket.name}",
            "QUEUE_URL": "{queue.url}",
        },
        "sticky": True,
    }
    web |= {
        "scale": {"minimum": 2, "maximum": 12, "cpu_percent": 60, "memory_percent": 70, "spot_share": 0.7},
        "rate_per_second": 20,
        "paths": ["/api", "/events"],
        "allow_cidrs": ["203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24"],
        "site_endpoints": [{"host": "erp.corp.example", "cidrs": ["10.200.0.0/16"], "port": 8443}],
        "secrets": {"API_KEY": "apiKey"},
    }
    worker = {
        "definition": {
            "needs": ["queue", "bucket"],
            "access": {"queue": "read"},
            "vcpu": 0.5,
            "memory_mib": 1024,
            "longest_request_s": 600,
        },
        "runtime": "ecs",
        "image": f"{REGISTRY}/worker:1.0.0",
        "scale": {"minimum": 0, "typical": 1, "maximum": 10, "queue_depth": 5},
    }
    thumb = {
        "definition": {"needs": ["queue"], "access": {"queue": "read"}, "memory_mib": 1024, "longest_request_s": 120},
        "runtime": "lambda",
        "image": f"{REGISTRY}/thumb:1.0.0",
        "scale": {
            "minimum": 2, "maximum": 40, "queue_depth": 1, "prepared": 2, "prepared_maximum": 8,
        },
        "secrets": {"API_KEY": "apiKey"},
    }  # fmt: skip
    inside = one_service("ecs", exposure="internal", host="inside.example.com")["services"]["greeter"]
    inside["definition"]["ports"] = {"grpc": {"port": 50051, "protocol": "grpc"}}
    return {
        "services": {"web": web, "worker": worker, "thumb": thumb, "inside": inside},
        "database": {"vcpu": 2, "memory_gib": 8, "storage_gib": 50, "name": "green-house"},
        "cache": {"memory_gib": 1, "replicas": 2},
        "bucket": {"gib": 200},
        "queue": {"longest_job_s": 700, "attempts": 3},
        "dns": {"zone": "example.com"},
        "site": {"name": "greenhouse", "network_cidr": "10.60.0.0/18", "repositories": True},
    }
