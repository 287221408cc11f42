"""Every field that a service and what services share can have, each changed alone, on every runtime."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from skerry.config import application
from skerry.config.application import ApplicationsSpec
from skerry.config.load import load_spec
from skerry.config.spec import CONFIG_KEY
from skerry.config.words import Spec
from skerry.engine.project import StackConfig
from skerry.engine.run import run_program
from skerry.errors import ConfigError
from skerry.graph_json import to_json
from tests.simulators.serverless_stacks import AZURE_TARGET, CERTIFICATE, CLIENT, COMMON, GCP_TARGET
from tests.simulators.service_field_changes import CHANGES, OWN, Change
from tests.simulators.stack_objects import ROOT

RUNTIMES: Final = ("kubernetes", "ecs", "lambda", "cloud-run", "functions")

_AWS: Final[Mapping[str, Any]] = {
    "kind": "aws",
    "jurisdiction": "US",
    "region": "us-east-1",
    "failure_domains": ["us-east-1a", "us-east-1b", "us-east-1c"],
    "aws": {"account_id": "111122223333"},
}
_ONPREM: Final[Mapping[str, Any]] = {
    "kind": "onprem",
    "connected": True,
    "jurisdiction": "US",
    "failure_domains": ["rack-a", "rack-b", "rack-c"],
    "kube_context": "datacentre",
    "storage_class": "encrypted-local",
    "storage_encrypted": True,
    "network_encrypted": True,
    "load_balancer_class": "metallb.io/metallb",
}
_ECR: Final = "111122223333.dkr.ecr.us-east-1.amazonaws.com"
_TARGETS: Final[Mapping[str, tuple[Mapping[str, Any], str]]] = {
    "kubernetes": (_ONPREM, "registry.vendor.example"),
    "ecs": (_AWS, _ECR),
    "lambda": (_AWS, _ECR),
    "cloud-run": (GCP_TARGET, "us-central1-docker.pkg.dev/skerry-example/apps"),
    "functions": (AZURE_TARGET, "skerryexample.azurecr.io"),
}
SECRETS: Final = {
    f"skerry:{name}": "only-of-this-test"
    for name in ("databasePassword", "apiKey", "otherKey", "cachePassword", "otherPassword")
}


def _web(runtime: str, registry: str) -> dict[str, Any]:
    scale: dict[str, Any] = {"minimum": 1, "maximum": 6}
    scale |= {
        "kubernetes": {"cpu_percent": 60},
        "ecs": {"cpu_percent": 60},
        "lambda": {"minimum": 0, "concurrency": 1},
        "cloud-run": {"concurrency": 20},
        "functions": {"concurrency": 20},
    }[runtime]
    row: dict[str, Any] = {
        "definition": {
            "ports": {"http": {"port": 9000, "protocol": "http"}},
            "health": {"path": "/healthz", "initial_delay_s": 3, "period_s": 10},
            "vcpu": 1,
            "memory_mib": 2048,
            "needs": ["database", "cache", "bucket", "queue"],
            "access": {"bucket": "read", "queue": "write"},
            "environment": {
                "DATABASE": "postgresql://{database.user}@{database.host}:{database.port}/{database.name}",
                "DATABASE_PASSWORD": "{database.password}",
                "CACHE": "{cache.scheme}://{cache.host}:{cache.port}",
                "CACHE_PASSWORD": "{cache.password}",
                "BUCKET": "{bucket.name}",
                "JOBS": "{queue.url}",
            },
        },
        "runtime": runtime,
        "image": f"{registry}/web:1.0.0",
        "scale": scale,
        "exposure": "public",
        "host": "web.vendor.example",
        "secrets": {"API_KEY": "apiKey"},
    }
    return row


def _worker(runtime: str, registry: str) -> dict[str, Any]:
    scale: dict[str, Any] = {"minimum": 1, "maximum": 1}
    if runtime == "lambda":
        scale = {"minimum": 0, "maximum": 5, "queue_depth": 1}
    return {
        "definition": {
            "needs": ["queue"],
            "access": {"queue": "read"},
            "environment": {"JOBS": "{queue.name}"},
            "longest_request_s": 120,
            "vcpu": 1,
            "memory_mib": 2048,
        },
        "runtime": runtime,
        "image": f"{registry}/worker:1.0.0",
        "scale": scale,
    }


def described(runtime: str) -> dict[str, Any]:
    """Return a deployment of one service that is called, one that takes jobs, and all that may be shared."""
    target, registry = _TARGETS[runtime]
    plan: dict[str, Any] = {
        "services": {"web": _web(runtime, registry), "worker": _worker(runtime, registry)},
        "database": {"vcpu": 2, "memory_gib": 8, "storage_gib": 100, "password_secret": "databasePassword"},
        "cache": {"memory_gib": 1, "replicas": 2},
        "bucket": {"gib": 50},
        "queue": {"longest_job_s": 900, "attempts": 5},
        "dns": {"zone": "vendor.example"},
        "site": {},
    }
    found: dict[str, Any] = {**copy.deepcopy(dict(COMMON)), "target": copy.deepcopy(dict(target)), "applications": plan}
    if runtime == "kubernetes":
        del plan["dns"], plan["database"]["password_secret"]
        found["machines"] = {
            "services": {"minimum": 3, "maximum": 6, "machine": {"vcpu": 8, "memory_gib": 16}},
            "stores": {"minimum": 3, "maximum": 6, "machine": {"vcpu": 8, "memory_gib": 16}},
        }
        found["services"] = {
            "certificates": {"issuer": "own-ca"},
            "monitoring": {"prometheus": "existing", "namespace": "monitoring"},
        }
    if runtime == "functions":
        plan["dns"]["cloud_name"] = "names"
        plan["site"]["certificate"] = CERTIFICATE
    return found


def put(deployment: dict[str, Any], path: str, value: object) -> None:
    """Set a field; None takes it away."""
    *way, last = path.split(".")
    place = deployment
    for step in way:
        place = place.setdefault(step, {})
    place.pop(last, None)
    if value is not None:
        place[last] = copy.deepcopy(value)


def changed(runtime: str, change: Change | None, *, only_before: bool = False) -> dict[str, Any]:
    """Return the deployment with one field changed."""
    found = described(runtime)
    if change is None:
        return found
    for path, value in (change.before or {}).items():
        put(found, path, value)
    if not only_before:
        put(found, change.path, change.value)
    return found


def problems(deployment: Mapping[str, Any]) -> dict[str, str]:
    """Return path -> what is said of it."""
    try:
        load_spec(deployment, "a test")
    except ConfigError as exc:
        return {one.path: f"{one.message}; {one.remedy}" for one in exc.problems}
    return {}


def graph_text(deployment: Mapping[str, Any]) -> str:
    """Return the graph of a deployment as text."""
    values = {CONFIG_KEY: json.dumps(deployment), **SECRETS, "skerry:entraClientId": CLIENT}
    return to_json(run_program(ROOT, "fields", StackConfig(values, frozenset(SECRETS))))


def fields() -> Iterator[str]:
    """Yield every field of every model of a plan of services, as `Model.field`."""
    seen: set[type[Spec]] = set()
    for name, one in sorted(vars(application).items()):
        if isinstance(one, type) and issubclass(one, Spec) and one.__module__ == application.__name__:
            if one in seen or one is ApplicationsSpec:
                continue
            seen.add(one)
            for field in one.model_fields:
                yield f"{name}.{field}"


def change_of(runtime: str, field: str) -> Change:
    """Return how a field is changed on a runtime."""
    found = OWN.get((runtime, field), CHANGES[field])
    if isinstance(found.value, str) and found.value.startswith("REGISTRY/"):
        value = found.value.replace("REGISTRY", _TARGETS[runtime][1])
        return Change(found.path, value, found.before)
    return found


def state_of(runtime: str, field: str, graphs: dict[str, str]) -> str:
    """Say what becomes of a field: `refused`, `used`, or `quiet` where nothing is other than before.

    Args:
        runtime: where.
        field: what.
        graphs: the graphs of descriptions that were run already; filled here.
    """
    change = change_of(runtime, field)
    before, after = changed(runtime, change, only_before=True), changed(runtime, change)
    old, new = problems(before), problems(after)
    if set(new.items()) - set(old.items()) or any(one.startswith(change.path) for one in old if one in new):
        return "refused"
    if old and not new:
        return "used"  # it is what the runtime asks for
    key = json.dumps(before, sort_keys=True)
    if old:
        return f"cannot be asked: {old}"
    if key not in graphs:
        graphs[key] = graph_text(before)
    try:
        return "quiet" if graph_text(after) == graphs[key] else "used"
    except ConfigError:
        return "used"  # it names a secret that the stack does not set
