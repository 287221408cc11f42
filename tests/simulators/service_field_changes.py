"""What each field of a plan of services is changed to, and which fields need not be honoured on a runtime, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

WEB, WORKER = "applications.services.web", "applications.services.worker"
PLAN: Final = "applications"


@dataclass(frozen=True, slots=True)
class Change:
    """A field that is given another value, and what has to be otherwise beside it before."""

    path: str
    value: object
    before: Mapping[str, object] | None = None


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
    "CopySpec.host": _row(
        "copies", {"core": {"host": "other.vendor.example", "jurisdiction": "US"}}, before={f"{WEB}.copies": COPIED}
    ),
    "CopySpec.jurisdiction": _row(
        "copies", {"core": {"host": "core.vendor.example", "jurisdiction": "CA"}}, before={f"{WEB}.copies": COPIED}
    ),
    **{
        f"MeshSpec.{field}": _row("mesh", {**JOINED, field: value}, before={**WITH_PEERS, f"{WEB}.mesh": JOINED})
        for field, value in {
            "name": "us-2",
            "host": "mesh-us-2.vendor.example",
            "peers": {"eu": "mesh-eu-2.vendor.example"},
            "cidrs": ["10.91.0.0/16"],
            "jurisdictions": {"eu": "FR"},
        }.items()
    },
    "ServiceDefinition.memory_mib": _definition("memory_mib", 4096, before={f"{WEB}.definition.vcpu": 2}),
    "ServiceDefinition.memory_limit_mib": _definition("memory_limit_mib", 3333),
    "ServiceDefinition.data_path": _definition("data_path", "/tmp/data"),
    "ServiceDefinition.single_writer": _definition(
        "single_writer", True, before={f"{WEB}.definition.data_path": "/tmp/data"}
    ),
    "ServiceDefinition.primary": _definition("primary", True, before={f"{WEB}.definition.data_path": "/tmp/data"}),
    "ServiceDefinition.needs": _definition(
        "needs",
        ["database", "cache", "queue"],
        before={f"{WEB}.definition.access": {"queue": "write"}, f"{WEB}.definition.environment.BUCKET": None},
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
    "SiteEndpointSpec.host": _row(
        "site_endpoints", [{**CALLS, "host": "crm.corp.example"}], before={f"{WEB}.site_endpoints": [CALLS]}
    ),
    "SiteEndpointSpec.cidrs": _row(
        "site_endpoints", [{**CALLS, "cidrs": ["10.201.0.0/16"]}], before={f"{WEB}.site_endpoints": [CALLS]}
    ),
    "SiteEndpointSpec.port": _row(
        "site_endpoints", [{**CALLS, "port": 8444}], before={f"{WEB}.site_endpoints": [CALLS]}
    ),
    "ApplicationSpec.service": _row(
        "service", "stand-in", before={f"{WEB}.definition": None, f"{WEB}.vcpu": 1, f"{WEB}.memory_mib": 2048}
    ),
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
    "ApplicationSpec.database_secret": _row("database_secret", "web-login"),
    "ApplicationSpec.model": _row("model", {"name": "all-minilm-l6-v2", "claim": "models"}),
    "ApplicationSpec.delivery": _row("delivery", {"strategy": "blue-green"}),
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
    "DatabaseSpec.password_secret": _shared("database.password_secret", "notSet"),
    "CacheSpec.memory_gib": _shared("cache.memory_gib", 5),
    "CacheSpec.replicas": _shared("cache.replicas", 3),
    "CacheSpec.password_secret": _shared("cache.password_secret", "cachePassword"),
    "BucketSpec.gib": _shared("bucket.gib", 777),
    "QueueSpec.longest_job_s": _shared("queue.longest_job_s", 250),
    "QueueSpec.attempts": _shared("queue.attempts", 9),
    "QueueSpec.retention_days": _shared("queue.retention_days", 6),
    "DnsSpec.zone": _shared("dns.zone", "a.vendor.example", before={f"{WEB}.host": "web.a.vendor.example"}),
    "DnsSpec.ttl_s": _shared("dns.ttl_s", 120),
    "DnsSpec.cloud_name": _shared("dns.cloud_name", "other-zone"),
    "SiteSpec.name": _shared("site.name", "greenhouse"),
    "SiteSpec.network_cidr": _shared("site.network_cidr", "10.77.0.0/16"),
    "SiteSpec.certificate": _shared("site.certificate", "arn:aws:acm:us-east-1:111122223333:certificate/abc"),
    "SiteSpec.repositories": _shared("site.repositories", True),
}
"""A field -> another value of it, and what must be otherwise beside it for the field to have a meaning."""

OWN: Final[Mapping[tuple[str, str], Change]] = {
    ("kubernetes", "ServiceDefinition.single_writer"): _definition(
        "single_writer", True, before={**CLUSTER_FILES, f"{WEB}.shared_files": True}
    ),
    ("kubernetes", "ApplicationSpec.storage_gib"): _row("storage_gib", 17, before=CLUSTER_FILES),
    ("kubernetes", "ApplicationSpec.shared_files"): _row("shared_files", True, before=CLUSTER_FILES),
    ("kubernetes", "ApplicationSpec.disposable_files"): _row("disposable_files", True, before=CLUSTER_FILES),
    ("kubernetes", "ApplicationSpec.mesh"): _row("mesh", JOINED, before=WITH_PEERS),
    ("ecs", "ApplicationSpec.storage_gib"): _row("storage_gib", 33, before=FILES),
    **{
        (one, "ApplicationSpec.delivery"): _row("delivery", {"strategy": "canary", "percent": 10, "stable": "7"})
        for one in ("lambda", "cloud-run", "functions")
    },
    ("lambda", "ServiceDefinition.largest_body_mib"): _definition("largest_body_mib", 17),
    ("lambda", "ScaleSpec.minimum"): _row("scale.minimum", 3, before={f"{WEB}.scale.prepared": 3}),
    ("cloud-run", "ServiceDefinition.largest_body_mib"): _definition("largest_body_mib", 64),
    ("cloud-run", "ServiceDefinition.drain_s"): Change(f"{WORKER}.definition.drain_s", 77),
    ("functions", "ServiceDefinition.vcpu"): _definition("vcpu", 2, before={f"{WEB}.memory_mib": 4096}),
    ("functions", "ServiceDefinition.memory_mib"): _definition("memory_mib", 4096, before={f"{WEB}.vcpu": 2}),
    ("functions", "SiteSpec.certificate"): _shared("site.certificate", "https://names.vault.azure.net/secrets/more"),
    ("functions", "DatabaseSpec.instance_type"): _shared("database.instance_type", "Standard_D4ds_v5"),
    **{
        (one, f"ServiceDefinition.{field}"): _definition(field, True, before=FILES)
        for one in ("lambda", "cloud-run", "functions")
        for field in ("single_writer", "primary")
    },
}
"""Runtime and field -> the change of it there, where another says nothing of it."""


_SIZE: Final = "a replica's whole size is told as one: nothing is shared between replicas that a limit would bound"
_ENTIRE: Final = "nothing on the way bounds the body of a request"
_ONE_CALL: Final = "a function is started for each request and ends with it: nobody asks whether it is well"
_IMAGE: Final = "the image's own user runs it: the runtime isolates instances and takes no number of a user"
_LATER: Final = "it is in a policy that names what does not exist yet, so that a preview shows neither"
_NO_REPLICA: Final = "no replica has an address that a Prometheus could call; the cloud's own figures are there"
_KEPT_APART: Final = "each instance has its own files, which nobody else writes"

QUIET: Final[Mapping[str, Mapping[str, str]]] = {
    "kubernetes": {
        "ServiceDefinition.access": "stores of a cluster know one login for all (finding ACC003 where it is a cloud's)",
        "ServiceDefinition.largest_body_mib": _ENTIRE,
    },
    "ecs": {
        "ServiceDefinition.vcpu_limit": _SIZE,
        "ServiceDefinition.memory_limit_mib": _SIZE,
        "ServiceDefinition.access": _LATER,
        "ServiceDefinition.largest_body_mib": _ENTIRE,
        "QueueSpec.attempts": _LATER,
    },
    "lambda": {
        "ProbeSpec.path": _ONE_CALL,
        "ProbeSpec.initial_delay_s": _ONE_CALL,
        "ProbeSpec.period_s": _ONE_CALL,
        "ServiceDefinition.health": _ONE_CALL,
        "ServiceDefinition.ready": _ONE_CALL,
        "ServiceDefinition.metrics_path": _NO_REPLICA,
        "ServiceDefinition.vcpu": "CPU goes with memory, and a stack that asks for CPU itself is refused",
        "ServiceDefinition.vcpu_limit": _SIZE,
        "ServiceDefinition.memory_limit_mib": _SIZE,
        "ServiceDefinition.single_writer": _KEPT_APART,
        "ServiceDefinition.access": _LATER,
        "ServiceDefinition.sticky": "a load balancer sends each request to a function of its own choice",
        "ServiceDefinition.drain_s": "a function ends what it began, within longest_request_s",
        "ServiceDefinition.user": _IMAGE,
        "QueueSpec.attempts": _LATER,
    },
    "cloud-run": {
        "ServiceDefinition.metrics_path": _NO_REPLICA,
        "ServiceDefinition.vcpu_limit": _SIZE,
        "ServiceDefinition.memory_limit_mib": _SIZE,
        "ServiceDefinition.single_writer": _KEPT_APART,
        "ServiceDefinition.user": _IMAGE,
    },
    "functions": {
        "ServiceDefinition.metrics_path": _NO_REPLICA,
        "ServiceDefinition.vcpu_limit": _SIZE,
        "ServiceDefinition.memory_limit_mib": _SIZE,
        "ServiceDefinition.single_writer": _KEPT_APART,
        "ServiceDefinition.user": _IMAGE,
    },
}
"""Runtime -> field that is neither used nor refused there -> why it need not be."""
