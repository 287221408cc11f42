"""Metrics, alerts and dashboards of a deployment: a Prometheus of its own, or the one that the cluster has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import ConfigMap

from components.base import SkerryComponent
from components.kubernetes.cluster import PRIVATE_RANGES, Cluster
from components.kubernetes.operator import Operator
from components.kubernetes.peers import blocks, ports
from components.services.data import dashboards, parts, rule_groups
from components.services.monitoring_values import WITHOUT_GRAFANA, stack_values
from components.services.openings import EVERY_POD, Opening, egress, leave_for, open_for
from components.services.scrapes import Parts, Scrape, monitor_spec, scrapes
from skerry.config.services import MonitoringSpec, PrometheusKind
from skerry.facts import ComponentFacts, StorageFact, Tier

API_VERSION: Final = "monitoring.coreos.com/v1"
INTERVAL_S: Final = 30
PROMETHEUS_PODS: Final[Mapping[str, Any]] = {"matchLabels": {"app.kubernetes.io/name": "prometheus"}}
"""Source: prometheus-operator v0.85.0 pkg/prometheus (not opened; as its own ServiceMonitors select them)."""

KUBELET_PORT: Final = 10250
DASHBOARD_LABEL: Final = "grafana_dashboard"
"""Source: kube-prometheus-stack 88.5.3 values.yaml `grafana.sidecar.dashboards.label`, read 2026-11."""


class Monitoring(SkerryComponent):
    """Collects metrics of every part, wakes people by rules that each have a page, and shows dashboards."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        spec: MonitoringSpec,
        watched: Parts,
        namespaces: Mapping[Tier, str],
        depends_on: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make Prometheus, monitors, rules and dashboards.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: where rules and dashboards lie, and Prometheus where it is our own; it exists.
            spec: which Prometheus, how long it keeps samples, who is woken.
            watched: what runs in the cluster.
            namespaces: of the tiers.
            depends_on: the namespaces.
            opts: Pulumi's options.

        Raises:
            CatalogError: a chart or an image has no row, or a rule's file cannot be read.
        """
        self._cluster, self._namespace, self._spec = cluster, namespace, spec
        own = spec.prometheus is PrometheusKind.STACK
        super().__init__(name, _facts(cluster, spec) if own else ComponentFacts(tier=Tier.PLATFORM), opts)
        found = scrapes(watched, namespaces)
        before = list(depends_on)
        if own:
            before = [self._stack(before)]
        for scrape in found:
            self._monitor(scrape, before)
        self._open(found, own, depends_on)
        # A file of rules for a part that is not there would say that all is well with it.
        for part in parts():
            if part in watched.named():
                self._rules(part, before)
        for title, text in dashboards():
            self._dashboard(title, text, depends_on)
        endpoint = f"kube-prometheus-stack-prometheus.{namespace}.svc.cluster.local" if own else ""
        self.finish(endpoint=endpoint, port=9090, secret_ref=None, metrics_endpoint=None)

    def _labels(self) -> dict[str, str]:
        return {**self._cluster.labels, **self._spec.labels}

    def _stack(self, depends_on: Sequence[pulumi.Resource]) -> Operator:
        return Operator(
            self.child_name("stack"),
            self._cluster,
            chart="kube-prometheus-stack",
            namespace=self._namespace,
            values=stack_values(self._cluster, self._spec),
            why="metrics and alerts",
            without=() if self._spec.grafana else WITHOUT_GRAFANA,
            depends_on=depends_on,
            opts=self.child_options(),
        )

    def _custom(
        self, role: str, kind: str, where: str, named: str, spec: Mapping[str, Any], after: Sequence[pulumi.Resource]
    ) -> None:
        CustomResource(
            self.child_name(role),
            api_version=API_VERSION,
            kind=kind,
            metadata={"name": named, "namespace": where, "labels": self._labels()},
            spec=dict(spec),
            opts=self.child_options(depends_on=list(after)),
        )

    def _monitor(self, scrape: Scrape, after: Sequence[pulumi.Resource]) -> None:
        """Make a monitor beside the pods, since a secret that it shows must lie beside it."""
        spec, where = monitor_spec(scrape, INTERVAL_S), self._namespace if scrape.opened else scrape.namespace
        self._custom(f"of-{scrape.job}", "PodMonitor", where, scrape.job, spec, after)

    def _rules(self, part: str, after: Sequence[pulumi.Resource]) -> None:
        groups = rule_groups(part, runbooks=self._spec.runbooks, backup_hours=self._spec.backup_hours)
        self._custom(f"rules-{part}", "PrometheusRule", self._namespace, f"sensei-{part}", {"groups": groups}, after)

    def _dashboard(self, title: str, text: str, after: Sequence[pulumi.Resource]) -> None:
        ConfigMap(
            self.child_name(f"dashboard-{title}"),
            metadata={
                "name": f"dashboard-{title}",
                "namespace": self._namespace,
                "labels": {**self._labels(), DASHBOARD_LABEL: "1"},
            },
            data={f"{title}.json": text},
            opts=self.child_options(depends_on=list(after)),
        )

    def _open(self, found: Sequence[Scrape], own: bool, depends_on: Sequence[pulumi.Resource]) -> None:
        """Let Prometheus reach exactly the ports that it scrapes, and nodes for what kubelets measure."""
        cluster = self._cluster
        openings = [Opening(one.job, one.namespace, one.pods, (one.port,)) for one in found]
        source = self._namespace if own else self._spec.namespace
        caller = PROMETHEUS_PODS if own else EVERY_POD
        shut = [opening for opening, one in zip(openings, found, strict=True) if not one.opened]
        open_for(self, cluster, source, caller, shut, depends_on=depends_on)
        if own:
            leave_for(self, cluster, self._namespace, caller, openings, depends_on=depends_on)
            kubelets = [{"to": blocks(PRIVATE_RANGES), "ports": ports((KUBELET_PORT,))}]
            egress(self, cluster, "kubelets", self._namespace, caller, kubelets, depends_on=depends_on)


def _facts(cluster: Cluster, spec: MonitoringSpec) -> ComponentFacts:
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
