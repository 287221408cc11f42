"""Every field that a service and what services share can have, each changed alone, on every runtime."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
from tests.simulators.stack_objects import ROOT

RUNTIMES: Final = ("kubernetes", "ecs", "lambda", "cloud-run", "functions")

WEB, WORKER = "applications.services.web", "applications.services.worker"
PLAN: Final = "applications"

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


@dataclass(frozen=True, slots=True)
class Change:
    """A field that is given another value, and what has to be otherwise beside it before."""

    path: str
    value: object
    before: Mapping[str, object] | None = None
    told_at: str | None = None
    """The end of the path of a refusal, where it is not the field's own."""


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
        scale = {"minimum": 0, "maximum": 5, "queue_depth": 5}
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
    found = to_json(run_program(ROOT, "fields", StackConfig(values, frozenset(SECRETS))))
    return found


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


FILES: Final[Mapping[str, object]] = {f"{WEB}.definition.data_path": "/tmp/data", f"{WEB}.disposable_files": True}
CLUSTER_FILES: Final[Mapping[str, object]] = {f"{WEB}.definition.data_path": "/var/data"}
INSIDE: Final = {f"{WEB}.exposure": "internal"}
UNNAMED: Final = {f"{WEB}.exposure": "none", f"{WEB}.host": None}
CALLS: Final = {"host": "erp.corp.example", "cidrs": ["10.200.0.0/16"], "port": 8443}
JOINED: Final = {
    "name": "us",
    "host": "mesh-us.vendor.example",
    "peers": {"eu": "mesh-eu.vendor.example"},
    "cidrs": ["10.90.0.0/16"],
    "jurisdictions": {"eu": "DE"},
}
COPIED: Final = {"core": {"host": "core.vendor.example", "jurisdiction": "US"}}
WITH_PEERS: Final[Mapping[str, object]] = {
    **CLUSTER_FILES,
    f"{WEB}.definition.ports": {
        "http": {"port": 9000},
        "quic": {"port": 4433, "protocol": "udp", "between_replicas": True},
    },
}
"""A service with files whose replicas join."""


def _definition(field: str, value: object, **more: Any) -> Change:
    return Change(f"{WEB}.definition.{field}", value, **more)


def _row(field: str, value: object, **more: Any) -> Change:
    return Change(f"{WEB}.{field}", value, **more)


def _shared(field: str, value: object, **more: Any) -> Change:
    return Change(f"{PLAN}.{field}", value, **more)


CHANGES: Final[Mapping[str, Change]] = {
    "PortSpec.port": _definition("ports.http.port", 9100),
    "PortSpec.protocol": _definition("ports.http.protocol", "grpc"),
    "PortSpec.between_replicas": _definition(
        "ports.peers", {"port": 9555, "protocol": "tcp", "between_replicas": True}
    ),
    "ProbeSpec.path": _definition("health.path", "/alive"),
    "ProbeSpec.initial_delay_s": _definition("health.initial_delay_s", 44),
    "ProbeSpec.period_s": _definition("health.period_s", 37),
    "ServiceDefinition.ports": _definition("ports.more", {"port": 9001, "protocol": "http"}),
    "ServiceDefinition.health": _definition("health", None),
    "ServiceDefinition.ready": _definition("ready", {"path": "/ready", "period_s": 7}),
    "ServiceDefinition.metrics_path": _definition("metrics_path", "/figures"),
    "ServiceDefinition.vcpu": _definition("vcpu", 2, before={f"{WEB}.definition.memory_mib": 4096}),
    "ServiceDefinition.vcpu_limit": _definition("vcpu_limit", 3),
    "ServiceDefinition.memory_mib": _definition("memory_mib", 4096, before={f"{WEB}.definition.vcpu": 2}),
    "ServiceDefinition.memory_limit_mib": _definition("memory_limit_mib", 3333),
    "ServiceDefinition.data_path": _definition("data_path", "/tmp/data"),
    "ServiceDefinition.single_writer": _definition(
        "single_writer", True, before={f"{WEB}.definition.data_path": "/tmp/data"}
    ),
    "ServiceDefinition.primary": _definition("primary", True, before={f"{WEB}.definition.data_path": "/tmp/data"}),
    "ServiceDefinition.needs": _definition(
        "needs", ["database", "cache", "queue"], before={f"{WEB}.definition.access": {"queue": "write"},
        f"{WEB}.definition.environment.BUCKET": None}
    ),
    "ServiceDefinition.access": _definition("access", {"bucket": "write", "queue": "write"}),
    "ServiceDefinition.environment": _definition("environment.MORE", "a value"),
    "ServiceDefinition.egress": _definition("egress", ["api.other.example"]),
    "ServiceDefinition.longest_request_s": _definition("longest_request_s", 200),
    "ServiceDefinition.largest_body_mib": _definition("largest_body_mib", 17),
    "ServiceDefinition.sticky": _definition("sticky", True),
    "ServiceDefinition.drain_s": _definition("drain_s", 77),
    "ServiceDefinition.user": _definition("user", 12_345),
    "ScaleSpec.minimum": _row("scale.minimum", 2),
    "ScaleSpec.typical": _row("scale.typical", 4),
    "ScaleSpec.maximum": _row("scale.maximum", 9),
    "ScaleSpec.cpu_percent": _row("scale.cpu_percent", 55),
    "ScaleSpec.memory_percent": _row("scale.memory_percent", 66),
    "ScaleSpec.concurrency": _row("scale.concurrency", 33),
    "ScaleSpec.queue_depth": _row("scale.queue_depth", 12),
    "ScaleSpec.prepared": _row("scale.prepared", 3),
    "ScaleSpec.prepared_maximum": _row("scale.prepared_maximum", 5, before={f"{WEB}.scale.prepared": None}),
    "ScaleSpec.vertical": _row("scale.vertical", "recommend"),
    "ScaleSpec.spot_share": _row("scale.spot_share", 0.4),
    "SiteEndpointSpec.host": _row("site_endpoints", [{**CALLS, "host": "crm.corp.example"}],
                                  before={f"{WEB}.site_endpoints": [CALLS]}),
    "SiteEndpointSpec.cidrs": _row("site_endpoints", [{**CALLS, "cidrs": ["10.201.0.0/16"]}],
                                   before={f"{WEB}.site_endpoints": [CALLS]}),
    "SiteEndpointSpec.port": _row("site_endpoints", [{**CALLS, "port": 8444}],
                                  before={f"{WEB}.site_endpoints": [CALLS]}),
    "ApplicationSpec.service": _row("service", "stand-in", before={f"{WEB}.definition": None}),
    "ApplicationSpec.definition": _row(
        "definition", {"ports": {"http": {"port": 9300}}, "health": {"path": "/alive"}, "vcpu": 1, "memory_mib": 2048}
    ),
    "ApplicationSpec.runtime": _row("runtime", "another"),
    "ApplicationSpec.image": _row("image", "REGISTRY/web:2.0.0"),
    "ApplicationSpec.vcpu": _row("vcpu", 2, before={f"{WEB}.memory_mib": 4096}),
    "ApplicationSpec.memory_mib": _row("memory_mib", 4096, before={f"{WEB}.definition.vcpu": 2}),
    "ApplicationSpec.storage_gib": _row("storage_gib", 7, before=FILES),
    "ApplicationSpec.storage_iops": _row("storage_iops", 4000, before=FILES),
    "ApplicationSpec.shared_files": _row("shared_files", True, before=FILES),
    "ApplicationSpec.disposable_files": _row(
        "disposable_files", True, before={f"{WEB}.definition.data_path": "/tmp/data"}
    ),
    "ApplicationSpec.scale": _row("scale.maximum", 11),
    "ApplicationSpec.exposure": _row("exposure", "internal"),
    "ApplicationSpec.anonymous": _row("anonymous", True),
    "ApplicationSpec.host": _row("host", "other.vendor.example"),
    "ApplicationSpec.more_hosts": _row("more_hosts", ["also.vendor.example"]),
    "ApplicationSpec.mesh": _row("mesh", JOINED, before=FILES),
    "ApplicationSpec.copies": _row("copies", COPIED),
    "ApplicationSpec.allow_cidrs": _row("allow_cidrs", ["203.0.113.0/24"]),
    "ApplicationSpec.paths": _row("paths", ["/api"]),
    "ApplicationSpec.site_endpoints": _row("site_endpoints", [CALLS]),
    "ApplicationSpec.rate_per_second": _row("rate_per_second", 21),
    "ApplicationSpec.environment": _row("environment", {"MORE": "a value"}),
    "ApplicationSpec.secrets": _row("secrets.OTHER_KEY", "otherKey"),
    "DatabaseSpec.vcpu": _shared("database.vcpu", 4),
    "DatabaseSpec.memory_gib": _shared("database.memory_gib", 32),
    "DatabaseSpec.instance_type": _shared("database.instance_type", "db.m6g.xlarge"),
    "DatabaseSpec.storage_gib": _shared("database.storage_gib", 200),
    "DatabaseSpec.zones": _shared("database.zones", 1),
    "DatabaseSpec.retention_days": _shared("database.retention_days", 21),
    "DatabaseSpec.name": _shared("database.name", "orders"),
    "DatabaseSpec.extensions": _shared("database.extensions", ["vector"]),
    "DatabaseSpec.password_secret": _shared("database.password_secret", "otherPassword"),
    "CacheSpec.memory_gib": _shared("cache.memory_gib", 5),
    "CacheSpec.replicas": _shared("cache.replicas", 1),
    "CacheSpec.password_secret": _shared("cache.password_secret", "cachePassword"),
    "BucketSpec.gib": _shared("bucket.gib", 777),
    "QueueSpec.longest_job_s": _shared("queue.longest_job_s", 250),
    "QueueSpec.attempts": _shared("queue.attempts", 9),
    "QueueSpec.retention_days": _shared("queue.retention_days", 6),
    "DnsSpec.zone": _shared("dns.zone", "example"),
    "DnsSpec.ttl_s": _shared("dns.ttl_s", 120),
    "DnsSpec.cloud_name": _shared("dns.cloud_name", "other-zone"),
    "SiteSpec.name": _shared("site.name", "greenhouse"),
    "SiteSpec.network_cidr": _shared("site.network_cidr", "10.77.0.0/16"),
    "SiteSpec.certificate": _shared("site.certificate", "arn:aws:acm:us-east-1:111122223333:certificate/abc"),
    "SiteSpec.repositories": _shared("site.repositories", True),
}
"""A field -> another value of it, and what must be otherwise beside it for the field to have a meaning."""
