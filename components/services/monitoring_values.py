"""The values of kube-prometheus-stack: what our namespaces allow, every image by the catalogue, nothing by `latest`.

Source of every name: prometheus-community/helm-charts kube-prometheus-stack-88.5.3, its dependencies
kube-state-metrics-8.4.0 and grafana-community/helm-charts grafana-12.11.1, values.yaml of each, read 2026-11.
"""

from __future__ import annotations

from typing import Any, Final

from components.kubernetes.cluster import ZONE_LABEL, Cluster
from components.kubernetes.operator import image_values
from components.kubernetes.workload import Priority
from components.services.routes import GRAFANA_PORT
from skerry.config.services import MonitoringSpec
from skerry.facts import Tier

WITHOUT_GRAFANA: Final = ("grafana", "k8s-sidecar")
GRAFANA_SECRET: Final = "grafana-admin"
"""The Kubernetes Secret (keys `admin-user`, `admin-password`) that the site or External Secrets makes."""

FILL: Final = 0.85
"""The share of a volume that samples may take before the oldest go; the rest is for the write-ahead log."""

ALERTMANAGERS: Final = 3
WHY: Final = "metrics and alerts"

NOT_OURS: Final = ("kubeApiServer", "kubeControllerManager", "coreDns", "kubeEtcd", "kubeScheduler", "kubeProxy")
"""Parts of the cluster that its owner watches; a managed control plane shows most of them to nobody."""


def stack_values(cluster: Cluster, spec: MonitoringSpec) -> dict[str, Any]:
    """Return the chart's values.

    Raises:
        CatalogError: an image has no row.
    """
    values: dict[str, Any] = {
        "fullnameOverride": "kube-prometheus-stack",
        "crds": {"enabled": True, "upgradeJob": {"enabled": False}},
        # The chart's own rules have no page of ours, and watch what the cluster's owner watches.
        "defaultRules": {"create": False},
        # It needs the machine's own files and network, which the namespace refuses; kubelets tell of volumes.
        "nodeExporter": {"enabled": False},
        "windowsMonitoring": {"enabled": False},
        "prometheusOperator": _operator(cluster),
        "prometheus": {"prometheusSpec": _prometheus(cluster, spec)},
        "alertmanager": {"alertmanagerSpec": _alertmanager(cluster, spec)},
        "kube-state-metrics": _state_metrics(cluster),
        "grafana": _grafana(cluster) if spec.grafana else {"enabled": False},
        **{part: {"enabled": False} for part in NOT_OURS},
    }
    return values


def _image(cluster: Cluster, name: str) -> dict[str, str]:
    repository, tag, digest = image_values(cluster, name, WHY)
    registry, _, path = repository.partition("/")
    return {"registry": registry, "repository": path, "tag": tag, "sha": digest.removeprefix("sha256:")}


def _place(cluster: Cluster) -> dict[str, Any]:
    placement = cluster.placements[Tier.PLATFORM]
    return {
        "nodeSelector": dict(placement.node_selector),
        "tolerations": [dict(item) for item in placement.tolerations],
    }


def _resources(cpu: str, memory: str) -> dict[str, Any]:
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": memory}}


def _operator(cluster: Cluster) -> dict[str, Any]:
    return {
        "image": _image(cluster, "prometheus-operator"),
        "prometheusConfigReloader": {
            "image": _image(cluster, "prometheus-config-reloader"),
            "resources": _resources("20m", "64Mi"),
        },
        # Its webhook only reads rules, which promtool has read; without it no job runs and no port is open.
        "admissionWebhooks": {"enabled": False},
        "tls": {"enabled": False},
        "resources": _resources("100m", "256Mi"),
        "priorityClassName": Priority.SERVING.value,
        **_place(cluster),
    }


def _claim(cluster: Cluster, gib: int) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": f"{gib}Gi"}},
    }
    if cluster.storage_class is not None:
        spec["storageClassName"] = cluster.storage_class
    return {"volumeClaimTemplate": {"spec": spec}}


def _spread(name: str) -> list[dict[str, Any]]:
    return [
        {
            "maxSkew": 1,
            "topologyKey": ZONE_LABEL,
            "whenUnsatisfiable": "ScheduleAnyway",
            "nodeTaintsPolicy": "Honor",
            "labelSelector": {"matchLabels": {"app.kubernetes.io/name": name}},
        }
    ]


def _prometheus(cluster: Cluster, spec: MonitoringSpec) -> dict[str, Any]:
    # Every monitor and rule of the cluster, not only those with the label of this release.
    selectors = ("rule", "serviceMonitor", "podMonitor", "probe", "scrapeConfig")
    return {
        "image": _image(cluster, "prometheus"),
        "replicas": spec.replicas,
        "retention": f"{spec.retention_days}d",
        "retentionSize": f"{max(int(spec.storage_gib * FILL * 1024), 1)}MB",
        "storageSpec": _claim(cluster, spec.storage_gib),
        "resources": _resources("500m", "4Gi"),
        "priorityClassName": Priority.SERVING.value,
        "podAntiAffinity": "hard" if spec.replicas > 1 else "",
        "topologySpreadConstraints": _spread("prometheus"),
        **{f"{name}SelectorNilUsesHelmValues": False for name in selectors},
        **_place(cluster),
    }


def _alertmanager(cluster: Cluster, spec: MonitoringSpec) -> dict[str, Any]:
    found: dict[str, Any] = {
        "image": _image(cluster, "alertmanager"),
        "replicas": ALERTMANAGERS,
        "storage": _claim(cluster, 1),
        "resources": _resources("50m", "256Mi"),
        "priorityClassName": Priority.SERVING.value,
        "topologySpreadConstraints": _spread("alertmanager"),
        **_place(cluster),
    }
    if spec.alertmanager_secret is not None:
        found |= {"useExistingSecret": True, "configSecret": spec.alertmanager_secret}
    return found


def _state_metrics(cluster: Cluster) -> dict[str, Any]:
    return {
        "image": _image(cluster, "kube-state-metrics"),
        "resources": _resources("50m", "256Mi"),
        "priorityClassName": Priority.SERVING.value,
        **_place(cluster),
    }


def _grafana(cluster: Cluster) -> dict[str, Any]:
    """Return Grafana's values: it asks nobody on the internet, and its dashboards are those of ConfigMaps."""
    quiet = {"reporting_enabled": False, "check_for_updates": False, "check_for_plugin_updates": False}
    return {
        "enabled": True,
        "fullnameOverride": "grafana",
        "image": _image(cluster, "grafana"),
        "admin": {"existingSecret": GRAFANA_SECRET, "userKey": "admin-user", "passwordKey": "admin-password"},
        "defaultDashboardsEnabled": False,
        "initChownData": {"enabled": False},
        "testFramework": {"enabled": False},
        "rbac": {"namespaced": True},
        "service": {"port": 80, "targetPort": GRAFANA_PORT},
        "sidecar": {
            "image": _image(cluster, "k8s-sidecar"),
            "resources": _resources("20m", "128Mi"),
            "dashboards": {"enabled": True, "label": "grafana_dashboard", "labelValue": "1"},
        },
        "grafana.ini": {
            "analytics": quiet,
            "news": {"news_feed_enabled": False},
            # Left to itself it fetches plugins when it starts.
            "plugins": {"preinstall_disabled": True, "plugin_admin_enabled": False},
            "auth.anonymous": {"enabled": False},
        },
        "resources": _resources("100m", "512Mi"),
        "priorityClassName": Priority.SERVING.value,
        **_place(cluster),
    }
