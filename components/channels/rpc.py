"""gRPC between cognitive and execution tier: request and response with retry; under 5 ms inside one cluster."""

from __future__ import annotations

import json
from typing import Final

import pulumi

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.workload import config_map, host_name
from skerry.facts import ComponentFacts, Tier

PORT: Final = 50051
CONFIG_MAP: Final = "grpc-service-config"

RETRY_POLICY: Final = {
    # A connection lives long, so calls are spread over the pods by the client, which sees each of them.
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [{}],
            "timeout": "30s",
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.1s",
                "maxBackoff": "5s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
            },
        }
    ],
}
"""gRPC's service config; the empty name stands for every method.

Source: grpc/grpc doc/service_config.md and grpc-go v1.82.0 service_config.go, read 2026-11.
"""


def peers(kind: str, namespace: str) -> str:
    """Return the gRPC target of all agents of a kind. Source: grpc/grpc doc/naming.md, read 2026-11."""
    return f"dns:///{host_name(f'{kind}-grpc', namespace)}:{PORT}"


class Rpc(SkerryComponent):
    """Hands both tiers one retry policy."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespaces: tuple[str, ...],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Write the service config into each namespace; the first is that of the agents who are escalated to."""
        facts = ComponentFacts(
            tier=Tier.CHANNELS,
            role="rpc",
            guarantee="request-response with retry",
            encrypted_in_transit=cluster.network_encrypted,
            ports={"grpc": PORT},
        )
        super().__init__(name, facts, opts)
        text = json.dumps(RETRY_POLICY, indent=2)
        for namespace in namespaces:
            config_map(self, namespace, cluster, namespace, CONFIG_MAP, {"service-config.json": text})
        self.finish(
            endpoint=host_name("architect-grpc", namespaces[0]), port=PORT, secret_ref=None, metrics_endpoint=None
        )
