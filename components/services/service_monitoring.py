"""Figures and alerts of services of any kind: by a Prometheus of their own, or by the one that the cluster has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.base import SkerryComponent
from components.kubernetes.cluster import PRIVATE_RANGES, Cluster
from components.kubernetes.operator import Operator
from components.kubernetes.peers import blocks, ports
from components.services.data import service_rule_groups
from components.services.monitoring_values import WITHOUT_GRAFANA, stack_values
from components.services.openings import EVERY_POD, Opening, egress, leave_for, named, open_for
from components.services.scrapes import ENVOY_METRICS
from skerry.application import Application
from skerry.config.services import MonitoringSpec, PrometheusKind
from skerry.facts import ComponentFacts, StorageFact, Tier

API_VERSION: Final = "monitoring.coreos.com/v1"
INTERVAL_S: Final = 30
KUBELET_PORT: Final = 10250
PROMETHEUS_PODS: Final[Mapping[str, Any]] = {"matchLabels": {"app.kubernetes.io/name": "prometheus"}}
PROXIES: Final[Mapping[str, Any]] = {
    "matchLabels": {"app.kubernetes.io/name": "envoy", "app.kubernetes.io/component": "proxy"}
}
"""Source of both: as in monitoring.py and scrapes.py."""

PROXY_FIGURES: Final = "/stats/prometheus"


class ServiceMonitoring(SkerryComponent):
    """Reads each service that tells figures, and the proxies before them; wakes people by rules that have a page."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        applications: Sequence[Application],
        spec: MonitoringSpec,
        depends_on: Sequence[pulumi.Resource],
        own: str | None = None,
        entrance: str | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make monitors, openings and rules, and Prometheus itself where it is our own.

        Args:
            name: the component's name.
            cluster: where it is.
            namespace: of the services.
            applications: the services; those without `metrics_path` have no figures.
            spec: where that Prometheus is, and by which labels it finds monitors.
            depends_on: the namespaces.
            own: the namespace of a Prometheus of our own; None where the cluster has one.
            entrance: the namespace of the proxies of our own entrance; None where there is none.
            opts: Pulumi's options.

        Raises:
            CatalogError: a chart or an image has no row, or the rules cannot be read.
        """
        self._cluster, self._spec, self._own = cluster, spec, own
        super().__init__(name, _facts(cluster, spec), opts)
        before = [self._stack(own, list(depends_on))] if own is not None else list(depends_on)
        openings = []
        for application in applications:
            port, path = next(iter(application.definition.ports.items()), None), application.definition.metrics_path
            if port is None or path is None:
                continue
            self._monitor(application.name, namespace, named(application.name), port[0], path, before)
            openings.append(Opening(application.name, namespace, named(application.name), (port[1].port,)))
        if entrance is not None:
            self._monitor("entrance", entrance, PROXIES, "metrics", PROXY_FIGURES, before)
            openings.append(Opening("entrance", entrance, PROXIES, (ENVOY_METRICS,)))
        rules = {"groups": service_rule_groups(runbooks=spec.runbooks)}
        self._custom("rules", "PrometheusRule", own or namespace, "services", rules, before)
        self._open(openings, depends_on)
        endpoint = f"kube-prometheus-stack-prometheus.{own}.svc.cluster.local" if own is not None else ""
        self.finish(endpoint=endpoint, port=9090 if own else 0, secret_ref=None, metrics_endpoint=None)

    def _stack(self, namespace: str, depends_on: Sequence[pulumi.Resource]) -> Operator:
        return Operator(
            self.child_name("stack"),
            self._cluster,
            chart="kube-prometheus-stack",
            namespace=namespace,
            values=stack_values(self._cluster, self._spec),
            why="metrics and alerts",
            without=() if self._spec.grafana else WITHOUT_GRAFANA,
            depends_on=depends_on,
            opts=self.child_options(),
        )

    def _custom(
        self, role: str, kind: str, where: str, called: str, spec: Mapping[str, Any], after: Sequence[pulumi.Resource]
    ) -> None:
        CustomResource(
            self.child_name(role),
            api_version=API_VERSION,
            kind=kind,
            metadata={
                "name": called,
                "namespace": where,
                "labels": {**dict(self._cluster.labels), **self._spec.labels},
            },
            spec=dict(spec),
            opts=self.child_options(depends_on=list(after)),
        )

    def _monitor(
        self,
        called: str,
        where: str,
        pods: Mapping[str, Any],
        port: str,
        path: str,
        after: Sequence[pulumi.Resource],
    ) -> None:
        endpoint = {"port": port, "path": path, "interval": f"{INTERVAL_S}s"}
        spec = {"selector": dict(pods), "podMetricsEndpoints": [endpoint]}
        self._custom(f"of-{called}", "PodMonitor", where, called, spec, after)

    def _open(self, openings: Sequence[Opening], depends_on: Sequence[pulumi.Resource]) -> None:
        """Let Prometheus reach exactly the ports that it reads, and nodes for what kubelets measure."""
        cluster, own = self._cluster, self._own
        caller = EVERY_POD if own is None else PROMETHEUS_PODS
        open_for(self, cluster, own or self._spec.namespace, caller, openings, depends_on=depends_on)
        if own is not None:
            leave_for(self, cluster, own, caller, openings, depends_on=depends_on)
            kubelets = [{"to": blocks(PRIVATE_RANGES), "ports": ports((KUBELET_PORT,))}]
            egress(self, cluster, "kubelets", own, caller, kubelets, depends_on=depends_on)


def _facts(cluster: Cluster, spec: MonitoringSpec) -> ComponentFacts:
    if spec.prometheus is not PrometheusKind.STACK:
        return ComponentFacts(tier=Tier.PLATFORM, role="monitoring-client")
    volume = StorageFact(
        kind="volume", gib=spec.storage_gib, copies=spec.replicas, storage_class=cluster.storage_class or ""
    )
    return ComponentFacts(
        tier=Tier.PLATFORM,
        role="monitoring",
        replicas=spec.replicas,
        encrypted_at_rest=cluster.storage_encrypted,
        ports={"http": 9090},
        storage=(volume,),
    )
