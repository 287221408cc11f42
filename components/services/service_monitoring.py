"""Figures of services of any kind, for a Prometheus that the cluster has: a monitor and an opening for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.services.openings import EVERY_POD, Opening, named, open_for
from skerry.application import Application
from skerry.config.services import MonitoringSpec
from skerry.facts import ComponentFacts, Tier

API_VERSION: Final = "monitoring.coreos.com/v1"
INTERVAL_S: Final = 30


class ServiceMonitoring(SkerryComponent):
    """Lets the cluster's Prometheus read each service that tells figures, on its main port and nothing else."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        applications: Sequence[Application],
        spec: MonitoringSpec,
        depends_on: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make monitors and openings.

        Args:
            name: the component's name.
            cluster: where it is.
            namespace: of the services.
            applications: the services; those without `metrics_path` have no figures.
            spec: where that Prometheus is, and by which labels it finds monitors.
            depends_on: the namespaces.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.PLATFORM, role="monitoring-client"), opts)
        openings = []
        for application in applications:
            port, path = next(iter(application.definition.ports.items()), None), application.definition.metrics_path
            if port is None or path is None:
                continue
            CustomResource(
                self.child_name(f"of-{application.name}"),
                api_version=API_VERSION,
                kind="PodMonitor",
                metadata={
                    "name": application.name,
                    "namespace": namespace,
                    "labels": {**dict(cluster.labels), **spec.labels},
                },
                spec={
                    "selector": named(application.name),
                    "podMetricsEndpoints": [{"port": port[0], "path": path, "interval": f"{INTERVAL_S}s"}],
                },
                opts=self.child_options(depends_on=list(depends_on)),
            )
            openings.append(Opening(application.name, namespace, named(application.name), (port[1].port,)))
        open_for(self, cluster, spec.namespace, EVERY_POD, openings, depends_on=depends_on)
        self.finish()
