"""The way from a customer's execution tier to the vendor's agents: gRPC over TLS, opened from inside, nothing else.

No latency is promised over it: the two millisecond bounds of channels inside a cluster hold on neither of its ends.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.base import SkerryComponent
from components.channels.rpc import CONFIG_MAP, RETRY_POLICY
from components.kubernetes.cluster import Cluster
from components.kubernetes.workload import NAME_LABEL, EnvValue, SecretKey, config_map
from skerry.config.hybrid import CALLED, LONGEST_ROUND_TRIP_MS, PORT, HybridSpec, is_narrow
from skerry.errors import ConfigError, Problem
from skerry.facts import ComponentFacts, EndpointFact, Tier

CALLERS: Final[Mapping[str, Any]] = {
    "matchExpressions": [{"key": NAME_LABEL, "operator": "In", "values": ["validator", "worker"]}]
}
"""The agents, who send what is abstract; not the workers of Ray, who hold rows."""

KEEPALIVE_MS: Final = 60_000
"""Between pings: below the idle time-outs of firewalls and load balancers on the way, 240 to 350 s at the clouds."""

KEEPALIVE_TIMEOUT_MS: Final = 20_000
"""gRPC's own wait for the answer to a ping. Source: grpc/grpc doc/keepalive.md, read 2026-11."""

ROUND_TRIPS: Final = 4
"""Of one call on a new connection: TCP, TLS (two with 1.2) and the call."""

CALL_S: Final = 30
"""What a call may take where the way costs nothing, as between tiers of one cluster."""

OUTPUT: Final = "hybrid"
"""The output of the vendor's stack with `domain` and `cidrs`."""


def vendor_ranges(spec: HybridSpec) -> pulumi.Input[Sequence[str]]:
    """Return the addresses of the vendor's entrance: those of the configuration, else those that its stack says."""
    if spec.vendor_stack is None or spec.entrance_cidrs:
        return list(spec.entrance_cidrs)
    said: pulumi.Output[Any] = pulumi.StackReference(spec.vendor_stack).get_output(OUTPUT)

    def checked(found: Any) -> list[str]:
        path = "hybrid.vendor_stack"
        if not found or not found.get("cidrs"):
            text = f"'{spec.vendor_stack}' says no addresses of its entrance"
            problem = Problem(path, text, "deploy the vendor's stack with hybrid.entrance_cidrs first")
        elif found.get("domain") != spec.domain:
            text = f"'{spec.vendor_stack}' has its entrance at '{found.get('domain')}', not at '{spec.domain}'"
            problem = Problem(path, text, "set hybrid.domain to the vendor's")
        elif wrong := [str(one) for one in found["cidrs"] if not is_narrow(str(one))]:
            text = f"'{spec.vendor_stack}' says '{wrong[0]}', which is no IPv4 range of one site"
            problem = Problem(path, text, "ask the vendor for the addresses of its entrance alone")
        else:
            return [str(one) for one in found["cidrs"]]
        raise ConfigError(pulumi.get_stack(), [problem])

    return said.apply(checked)


def call_timeout_s(round_trip_ms: float | None) -> int:
    """Return how long one call with its repeats may take; a round trip that nobody measured counts as the longest."""
    known = LONGEST_ROUND_TRIP_MS if round_trip_ms is None else round_trip_ms
    attempts = int(_retries()["maxAttempts"])
    return CALL_S + math.ceil(attempts * ROUND_TRIPS * known / 1000)


def service_config(round_trip_ms: float | None) -> dict[str, Any]:
    """Return gRPC's service config for the way: no deadline of its own, since plan updates come on open streams."""
    known = LONGEST_ROUND_TRIP_MS if round_trip_ms is None else round_trip_ms
    first = max(0.1, math.ceil(known / 100) / 10)
    return {
        "loadBalancingConfig": RETRY_POLICY["loadBalancingConfig"],
        "methodConfig": [
            {"name": [{}], "waitForReady": True, "retryPolicy": {**_retries(), "initialBackoff": f"{first:g}s"}}
        ],
    }


def channel_arguments(round_trip_ms: float | None) -> dict[str, int]:
    """Return the arguments of gRPC channels that keep the connection alive.

    Source: grpc/grpc doc/keepalive.md, read 2026-11.
    """
    known = LONGEST_ROUND_TRIP_MS if round_trip_ms is None else round_trip_ms
    return {
        "grpc.keepalive_time_ms": KEEPALIVE_MS,
        "grpc.keepalive_timeout_ms": max(KEEPALIVE_TIMEOUT_MS, math.ceil(known * 10)),
        "grpc.keepalive_permit_without_calls": 1,
        "grpc.http2.max_pings_without_data": 0,
    }


def _retries() -> dict[str, Any]:
    policy: Any = RETRY_POLICY["methodConfig"]
    return dict(policy[0]["retryPolicy"])


class VendorLink(SkerryComponent):
    """Lets Worker and Validator agents call the vendor's Architect and Learning agents, and nobody else anything."""

    environment: dict[str, EnvValue]
    """What those agents are told."""
    hosts: list[str]
    """All that they may call outside the customer's network."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        spec: HybridSpec,
        ranges: pulumi.Input[Sequence[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Open the way.

        Args:
            name: the component's name.
            cluster: the customer's.
            namespace: of the execution tier, which exists.
            spec: the vendor's domain, the round trip and the client's certificate.
            ranges: the addresses of the vendor's entrance.
            opts: Pulumi's options.
        """
        whys = {"architect": "abstract queries", "learning": "abstract patterns"}
        facts = ComponentFacts(
            tier=Tier.EXECUTION,
            role="vendor-link",
            guarantee="request-response with retry",
            encrypted_in_transit=True,
            endpoints=tuple(
                EndpointFact(
                    name=agents,
                    host=spec.host(agents),
                    port=PORT,
                    protocol="grpc",
                    direction="egress",
                    scope="vendor",
                    why=f"{whys[agents]}, never rows",
                )
                for agents in CALLED
            ),
        )
        super().__init__(name, facts, opts)
        self.hosts = [spec.host(agents) for agents in CALLED]
        files = {
            "service-config.json": json.dumps(service_config(spec.round_trip_ms), indent=2),
            "channel-arguments.json": json.dumps(channel_arguments(spec.round_trip_ms), indent=2),
        }
        config_map(self, "grpc", cluster, namespace, CONFIG_MAP, files)
        to = pulumi.Output.from_input(ranges).apply(lambda known: [{"ipBlock": {"cidr": block}} for block in known])
        NetworkPolicy(
            self.child_name("egress"),
            metadata={"name": "allow-vendor", "namespace": namespace, "labels": dict(cluster.labels)},
            spec={
                "podSelector": CALLERS,
                "policyTypes": ["Egress"],
                "egress": [{"to": to, "ports": [{"port": PORT, "protocol": "TCP"}]}],
            },
            opts=self.child_options(),
        )
        secret = spec.client_tls_secret
        self.environment = {
            "ARCHITECTS": f"dns:///{spec.host('architect')}:{PORT}",
            "PATTERNS": f"dns:///{spec.host('learning')}:{PORT}",
            "VENDOR_CALL_TIMEOUT_S": str(call_timeout_s(spec.round_trip_ms)),
            "VENDOR_TLS_CERTIFICATE": SecretKey(secret, "tls.crt"),
            "VENDOR_TLS_KEY": SecretKey(secret, "tls.key"),
            **({"VENDOR_TLS_AUTHORITY": SecretKey(secret, "ca.crt")} if spec.private_authority else {}),
        }
        self.finish(endpoint=spec.host("architect"), port=PORT, secret_ref=secret, metrics_endpoint=None)
