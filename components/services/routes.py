"""The user interfaces that a gateway can reach: where each is, and how it is asked. Stores are never among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.channels.workflows import SERVICES, UI_PORT
from components.services.openings import named
from components.stores.experiments import PORT as MLFLOW_PORT
from components.tiers.execution import PORTS as RAY_PORTS
from skerry.config.services import RoutedService
from skerry.facts import Tier

GRAFANA_PORT = 3000
"""Of its pods. Source: grafana-community/helm-charts grafana-12.11.1 values.yaml `podPortName`, read 2026-11."""


@dataclass(frozen=True, slots=True)
class Backend:
    """One user interface behind the gateway."""

    service: str
    """The Service's name."""
    tier: Tier | None
    """The tier in whose namespace it is; None for that of the monitoring."""
    port: int
    """Of the Service."""
    pods: Mapping[str, Any]
    """The selector of its pods."""
    pod_port: int
    grpc: bool = False


def backends() -> dict[RoutedService, Backend]:
    """Return where each routed service is."""
    head = {"matchLabels": {"ray.io/cluster": "ray", "ray.io/node-type": "head"}}
    grafana = {"matchLabels": {"app.kubernetes.io/name": "grafana"}}
    frontend, dashboard = SERVICES["frontend"], RAY_PORTS["dashboard"]
    return {
        RoutedService.TEMPORAL_UI: Backend("temporal-ui", Tier.CHANNELS, UI_PORT, named("temporal-ui"), UI_PORT),
        RoutedService.TEMPORAL: Backend(
            "temporal-frontend", Tier.CHANNELS, frontend, named("temporal-frontend"), frontend, grpc=True
        ),
        RoutedService.MLFLOW: Backend("mlflow", Tier.META, MLFLOW_PORT, named("mlflow"), MLFLOW_PORT),
        # KubeRay makes the Service of the head.
        # Source: ray-project/kuberay v1.7.0 controllers/ray/utils (not opened; as the tier itself says it)
        RoutedService.RAY: Backend("ray-head-svc", Tier.EXECUTION, dashboard, head, dashboard),
        RoutedService.GRAFANA: Backend("grafana", None, 80, grafana, GRAFANA_PORT),
    }
