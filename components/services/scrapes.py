"""What is scraped: the pods of each part of a deployment that speak Prometheus, their port, and how they are asked.

MongoDB and MLflow are not among them: the catalogue has no exporter for the first, and the second's exporter needs
gunicorn, which its server does not start by default. Kubernetes says whether their pods are ready.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.channels.object_store import METRICS_PORT as OBJECTS_METRICS
from components.channels.pubsub import METRICS_PORT as VALKEY_METRICS
from components.channels.workflows import METRICS_PORT as TEMPORAL_METRICS
from components.channels.workflows import SERVICES
from components.kubernetes.gpu_space import EXPORTER
from components.kubernetes.gpu_space import METRICS_PORT as GPU_METRICS
from components.services.openings import named
from components.stores.graph import METRICS_PORT as NEO4J_METRICS
from components.stores.vector import API_KEY_SECRET
from components.stores.vector import PORTS as QDRANT_PORTS
from components.tiers.agents import HEALTH_PORT
from components.tiers.execution import PORTS as RAY_PORTS
from components.tiers.providers import PORT as MODEL_PORT
from skerry.facts import Tier

POSTGRES_METRICS: Final = 9187
"""Source: cloudnative-pg v1.30.0 docs/src/monitoring.md, read 2026-11."""

AUTOSCALER_METRICS: Final = 44217
"""Of Ray's autoscaler, in a container that KubeRay adds beside the head.

Source: ray 2.52.0 ray/autoscaler/v2/monitor.py; ray-project/kuberay v1.7.0 config/prometheus/podMonitor.yaml, read
2026-11.
"""

ENVOY_METRICS: Final = 19001
"""Source: envoyproxy/gateway v1.9.0 internal/xds/bootstrap/bootstrap.go, read 2026-11."""

CERTIFICATE_METRICS: Final = 9402
"""Source: cert-manager v1.21.2 deploy/charts/cert-manager/templates/deployment.yaml, read 2026-11."""

SECRETS_METRICS: Final = 8080
"""Source: external-secrets v1.3.2 deploy/charts/external-secrets/values.yaml, read 2026-11."""

AGENTS: Final = {
    Tier.COGNITIVE: ("scout", "architect"),
    Tier.EXECUTION: ("worker", "validator"),
    Tier.META: ("learning",),
}


@dataclass(frozen=True, slots=True)
class Scrape:
    """Pods of one kind that are scraped on one port."""

    job: str
    """The label `job` of their samples, by which rules and dashboards name them."""
    namespace: str
    pods: Mapping[str, Any]
    """Their selector."""
    port: int
    port_name: str
    """As their container names it."""
    path: str = "/metrics"
    secret: tuple[str, str] | None = None
    """The Secret beside them and its key that a scraper shows as bearer; None where nothing is asked."""
    opened: bool = False
    """True where whoever runs the pods lets Prometheus in, so that only the way out is opened and the monitor lies
    beside Prometheus."""
    own_labels: bool = False
    """True where its samples tell of objects in other namespaces, whose `namespace` must not be that of the pod."""
    pod_labels: tuple[str, ...] = ()
    """Labels of the pods that become labels of their samples."""
    other_port: bool = False
    """True where `port` is declared by no container, so that the address is written anew from another port."""


@dataclass(frozen=True, slots=True)
class EdgeParts:
    """Where the server side of edge mode runs."""

    sync: str
    """The namespace of the service that reconciles devices."""
    proxies: str | None
    """The namespace of its proxies; None where they are beside those of the gateway."""
    postgres: bool
    """Whether its PostgreSQL runs in the cluster."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Which parts of a deployment run in the cluster, so that they can be watched there."""

    models: bool = True
    """A local model server."""
    pubsub: bool = True
    postgres: bool = True
    objects: bool = True
    qdrant: bool = True
    gpu: str | None = None
    """The namespace of DCGM's exporter; None where nobody runs it."""
    gateway: str | None = None
    """The namespace of Envoy Gateway; None where there is none."""
    certificates: str | None = None
    """The namespace of cert-manager; None where there is none of ours."""
    secrets: str | None = None
    """The namespace of External Secrets; None where there is none."""
    edge: EdgeParts | None = None
    """The server side of edge mode; None where no device calls."""
    tiers: frozenset[Tier] = frozenset(AGENTS)
    """The tiers with agents; each side of mode hybrid has its own, and Temporal is beside the execution tier."""

    def named(self) -> frozenset[str]:
        """Return the names of the files of rules that have something to watch."""
        always = {"agents", "platform"}
        always |= {"ray", "temporal"} if Tier.EXECUTION in self.tiers else set()
        always |= {"neo4j", "mongodb", "mlflow"} if Tier.META in self.tiers else set()
        sometimes = {
            "vllm": self.models,
            "valkey": self.pubsub,
            "postgres": self.postgres,
            "seaweedfs": self.objects,
            "qdrant": self.qdrant,
            "gpu": self.gpu,
            "gateway": self.gateway,
            "certificates": self.certificates,
            "secrets": self.secrets,
            "edge": self.edge,
        }
        return frozenset(always | {name for name, there in sometimes.items() if there})


def scrapes(parts: Parts, namespaces: Mapping[Tier, str]) -> tuple[Scrape, ...]:
    """Return everything that is scraped in a deployment."""
    cognitive, execution, meta, channels = (
        namespaces[tier] for tier in (Tier.COGNITIVE, Tier.EXECUTION, Tier.META, Tier.CHANNELS)
    )
    found = [
        Scrape(kind, namespaces[tier], named(kind), HEALTH_PORT, "health")
        for tier, kinds in AGENTS.items()
        for kind in kinds
    ]
    found += _ray(execution)
    found += [
        Scrape(f"temporal-{role}", channels, named(f"temporal-{role}"), TEMPORAL_METRICS, "metrics")
        for role in SERVICES
    ]
    found.append(Scrape("neo4j", meta, named("neo4j"), NEO4J_METRICS, "metrics"))
    if parts.models:
        found.append(Scrape("vllm", cognitive, named("vllm"), MODEL_PORT, "http"))
    if parts.pubsub:
        found.append(Scrape("valkey", channels, named("valkey"), VALKEY_METRICS, "metrics"))
    if parts.objects:
        found += [
            Scrape(f"seaweedfs-{role}", channels, named(f"seaweedfs-{role}"), OBJECTS_METRICS, "metrics")
            for role in ("master", "volume", "s3")
        ]
    if parts.qdrant:
        key = (API_KEY_SECRET, "api-key")
        found.append(Scrape("qdrant", meta, named("qdrant"), QDRANT_PORTS["http"], "http", secret=key))
    if parts.postgres:
        # Source: cloudnative-pg v1.30.0 pkg/utils/labels_annotations.go, read 2026-11
        instances = {"matchLabels": {"cnpg.io/podRole": "instance"}}
        found += [
            Scrape(
                f"postgres-{tier.value}",
                namespaces[tier],
                instances,
                POSTGRES_METRICS,
                "metrics",
                pod_labels=("cnpg.io/cluster",),
            )
            for tier in (Tier.CHANNELS, Tier.META)
        ]
    absent = {namespaces[tier] for tier in AGENTS if tier not in parts.tiers}
    if Tier.EXECUTION not in parts.tiers:
        found = [one for one in found if not one.job.startswith("temporal-")]
    return (*(one for one in found if one.namespace not in absent), *_services(parts))


def _ray(namespace: str) -> list[Scrape]:
    head: dict[str, Any] = {"matchLabels": {"ray.io/cluster": "ray", "ray.io/node-type": "head"}}
    worker: dict[str, Any] = {"matchLabels": {"ray.io/cluster": "ray", "ray.io/node-type": "worker"}}
    return [
        Scrape("ray-head", namespace, head, RAY_PORTS["metrics"], "metrics"),
        Scrape("ray-autoscaler", namespace, head, AUTOSCALER_METRICS, "metrics", other_port=True),
        Scrape("ray-worker", namespace, worker, RAY_PORTS["metrics"], "metrics"),
    ]


def _services(parts: Parts) -> list[Scrape]:
    found = [] if parts.edge is None else _edge(parts.edge)
    if parts.gpu is not None:
        found.append(Scrape("dcgm-exporter", parts.gpu, named(EXPORTER), GPU_METRICS, "metrics", opened=True))
    if parts.gateway is not None:
        proxies = {"matchLabels": {"app.kubernetes.io/name": "envoy", "app.kubernetes.io/component": "proxy"}}
        path = "/stats/prometheus"
        found.append(Scrape("gateway", parts.gateway, proxies, ENVOY_METRICS, "metrics", path))
    if parts.certificates is not None:
        pods = named("cert-manager")
        found.append(
            Scrape("cert-manager", parts.certificates, pods, CERTIFICATE_METRICS, "http-metrics", own_labels=True)
        )
    if parts.secrets is not None:
        pods = named("external-secrets")
        found.append(Scrape("external-secrets", parts.secrets, pods, SECRETS_METRICS, "metrics", own_labels=True))
    return found


def _edge(edge: EdgeParts) -> list[Scrape]:
    found = [Scrape("sync", edge.sync, named("sync"), HEALTH_PORT, "health")]
    if edge.proxies is not None:
        proxies = {"matchLabels": {"app.kubernetes.io/name": "envoy", "app.kubernetes.io/component": "proxy"}}
        path = "/stats/prometheus"
        found.append(Scrape("edge-gateway", edge.proxies, proxies, ENVOY_METRICS, "metrics", path))
    if edge.postgres:
        instances = {"matchLabels": {"cnpg.io/podRole": "instance"}}
        labels = ("cnpg.io/cluster",)
        found.append(Scrape("postgres-sync", edge.sync, instances, POSTGRES_METRICS, "metrics", pod_labels=labels))
    return found


def monitor_spec(scrape: Scrape, interval_s: int) -> dict[str, Any]:
    """Return the spec of a PodMonitor. Source: prometheus-operator v0.85.0 CRD PodMonitor, read 2026-11."""
    relabelings: Sequence[dict[str, Any]] = [{"targetLabel": "job", "replacement": scrape.job}]
    if scrape.other_port:
        address = {
            "sourceLabels": ["__meta_kubernetes_pod_ip"],
            "targetLabel": "__address__",
            "replacement": f"$1:{scrape.port}",
        }
        relabelings = [*relabelings, address]
    endpoint: dict[str, Any] = {
        "port": scrape.port_name,
        "path": scrape.path,
        "interval": f"{interval_s}s",
        "relabelings": list(relabelings),
    }
    if scrape.own_labels:
        endpoint["honorLabels"] = True
    if scrape.secret is not None:
        name, key = scrape.secret
        endpoint["authorization"] = {"type": "Bearer", "credentials": {"name": name, "key": key}}
    found: dict[str, Any] = {"selector": dict(scrape.pods), "podMetricsEndpoints": [endpoint]}
    if scrape.opened:
        found["namespaceSelector"] = {"matchNames": [scrape.namespace]}
    return {**found, "podTargetLabels": list(scrape.pod_labels)} if scrape.pod_labels else found
