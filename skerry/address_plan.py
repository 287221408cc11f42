"""How an address range is cut for a plan: what each part needs, with the arithmetic, and where it then lies.

(1) Each part says how many addresses it needs and why. (2) It gets the smallest power of two that holds them.
(3) Parts are laid one after another, the largest first, so that each begins where its size allows.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from skerry.config.pools import POOL_RANGES
from skerry.config.spec import DeploymentSpec
from skerry.errors import ConfigError, Problem

SYSTEM_MACHINES_PER_ZONE: Final = 2
"""The most machines in a zone for what Google itself runs in the cluster."""

SURGE_PER_ZONE: Final = 1
"""Machines that a pool has beyond its own in each zone while it is upgraded."""

SUBNET_RESERVED: Final = 4
"""Addresses of a subnet that Google keeps. Source: Google Cloud "Subnets", unusable addresses (not opened)."""

SERVICE_ADDRESSES: Final = 1024
"""Addresses for Services of the cluster: a deployment has under a hundred."""

CONTROL_PLANE_ADDRESSES: Final = 16
"""A /28.

Source: terraform-provider-google at e03b7622, google_container_cluster, master_ipv4_cidr_block, read 2026-11.
"""

MANAGED_ADDRESSES: Final = 4096
"""For the networks of Cloud SQL and Memorystore, of which each service and region takes its own part."""


AKS_PODS_PREFIX: Final = 24
"""The range of pods of one machine. Source: AKS "Azure CNI Overlay", read 2026-11."""

AKS_RESERVED: Final = 5
"""Addresses of a subnet that Azure keeps. Source: Azure "Private IP addresses", read 2026-11."""

AKS_DELEGATED: Final = 16
"""A /28, the least for the API of the cluster and for PostgreSQL.

Source: AKS "API Server VNet Integration" and Azure "Private access (VNet integration)" of PostgreSQL, read 2026-11.
"""

AKS_ENDPOINTS: Final = 32
"""For the private endpoints of the key's vault and of the stores: under ten, and room for a site's own."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a plan."""

    name: str
    addresses: int
    """How many it needs."""
    arithmetic: str
    """Why so many."""

    @property
    def prefix(self) -> int:
        """The prefix length of the smallest range that holds them."""
        return 32 - (self.addresses - 1).bit_length()


@dataclass(frozen=True, slots=True)
class GkeRanges:
    """The ranges of a deployment on GKE, all inside its network."""

    nodes: ipaddress.IPv4Network
    pods: ipaddress.IPv4Network
    services: ipaddress.IPv4Network
    control_plane: ipaddress.IPv4Network
    managed: ipaddress.IPv4Network


@dataclass(frozen=True, slots=True)
class AksRanges:
    """The ranges of a deployment on AKS, all but the pods' inside its network."""

    nodes: ipaddress.IPv4Network
    endpoints: ipaddress.IPv4Network
    control_plane: ipaddress.IPv4Network
    postgres: ipaddress.IPv4Network
    services: ipaddress.IPv4Network
    """Known to the cluster only: no subnet has them."""
    pods: ipaddress.IPv4Network


def cut(network: ipaddress.IPv4Network, parts: Sequence[Part]) -> dict[str, ipaddress.IPv4Network] | None:
    """Return the range of each part by its name, or None where the network is too small."""
    found: dict[str, ipaddress.IPv4Network] = {}
    at = int(network.network_address)
    for part in sorted(parts, key=lambda one: one.prefix):
        size = 1 << (32 - part.prefix)
        if at + size - 1 > int(network.broadcast_address):
            return None
        found[part.name] = ipaddress.IPv4Network((at, part.prefix))
        at += size
    return found


def addresses_per_machine(pods: int) -> int:
    """Return how many pod addresses GKE gives a machine: at least twice its pods, 16 or more.

    Source: GKE "Configure maximum Pods per node", CIDR ranges for Standard clusters, read 2026-11.
    """
    return max(1 << (2 * pods - 1).bit_length(), 16)


def gke_machines(spec: DeploymentSpec) -> tuple[int, str]:
    """Return the most machines that there can be at once while they are upgraded, and the sum that it is.

    Counted by what the tiers may have, not by what the pools are set to: ranges that move are replaced, and the
    cluster with them, so a larger pool must find its addresses there.
    """
    zones = len(spec.target.failure_domains)
    tiers = {tier: high for tier, (_, high) in POOL_RANGES.items()}
    system, surge = SYSTEM_MACHINES_PER_ZONE * zones, SURGE_PER_ZONE * zones * (len(tiers) + 1)
    terms = [f"{high} {tier}" for tier, high in tiers.items()] + [f"{system} system", f"{surge} while upgrading"]
    return sum(tiers.values()) + system + surge, " + ".join(terms)


def gke_parts(spec: DeploymentSpec) -> tuple[Part, ...]:
    """Return what a deployment on GKE needs of its network."""
    machines, terms = gke_machines(spec)
    each = addresses_per_machine(spec.target.gcp.pods_per_node)
    per = f"{each} for {spec.target.gcp.pods_per_node} pods"
    return (
        Part("pods", machines * each, f"({terms}) = {machines} machines x {per}"),
        Part("managed", MANAGED_ADDRESSES, "Cloud SQL and Memorystore"),
        Part("services", SERVICE_ADDRESSES, "Services of the cluster"),
        Part("nodes", machines + SUBNET_RESERVED, f"({terms}) = {machines} machines + {SUBNET_RESERVED} of Google's"),
        Part("control-plane", CONTROL_PLANE_ADDRESSES, "the API of the cluster"),
    )


def gke_ranges(spec: DeploymentSpec) -> GkeRanges:
    """Return where everything of a deployment on GKE lies in `target.gcp.network_cidr`.

    Raises:
        ConfigError: that is no private range, or too small for the plan; the message shows the arithmetic.
    """
    path = "target.gcp.network_cidr"
    network = _private(path, spec.target.gcp.network_cidr)
    found = _cut(path, network, gke_parts(spec), "use a larger range or fewer pods_per_node")
    return GkeRanges(
        nodes=found["nodes"],
        pods=found["pods"],
        services=found["services"],
        control_plane=found["control-plane"],
        managed=found["managed"],
    )


def aks_parts(spec: DeploymentSpec) -> tuple[Part, ...]:
    """Return what a deployment on AKS needs of its network; pods have a range of their own."""
    machines, terms = gke_machines(spec)
    sum_of = f"({terms}) = {machines} machines + {AKS_RESERVED} of Azure's"
    return (
        Part("services", SERVICE_ADDRESSES, "Services of the cluster"),
        Part("nodes", machines + AKS_RESERVED, sum_of),
        Part("endpoints", AKS_ENDPOINTS, "private endpoints"),
        Part("control-plane", AKS_DELEGATED, "the API of the cluster"),
        Part("postgres", AKS_DELEGATED, "PostgreSQL"),
    )


def aks_ranges(spec: DeploymentSpec) -> AksRanges:
    """Return where everything of a deployment on AKS lies in `network_cidr` and `pod_cidr` of `target.azure`.

    Raises:
        ConfigError: one is no private range, or too small for the plan, or they overlap; the message shows the
            arithmetic.
    """
    path, azure = "target.azure.network_cidr", spec.target.azure
    network = _private(path, azure.network_cidr)
    found = _cut(path, network, aks_parts(spec), "use a larger range")
    path = "target.azure.pod_cidr"
    pods = _private(path, azure.pod_cidr)
    machines, terms = gke_machines(spec)
    if pods.prefixlen > AKS_PODS_PREFIX or 1 << (AKS_PODS_PREFIX - pods.prefixlen) < machines:
        need = f"({terms}) = {machines} machines x /{AKS_PODS_PREFIX}"
        raise ConfigError(path, [Problem(path, f"'{pods}' is too small for {need}", "use a larger range")])
    if pods.overlaps(network):
        raise ConfigError(path, [Problem(path, f"'{pods}' overlaps '{network}', which is the network's", "move one")])
    return AksRanges(
        nodes=found["nodes"],
        endpoints=found["endpoints"],
        control_plane=found["control-plane"],
        postgres=found["postgres"],
        services=found["services"],
        pods=pods,
    )


def _private(path: str, text: str) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as exc:
        raise ConfigError(
            path, [Problem(path, f"is not an address range: {exc}", "write it like 10.0.0.0/16")]
        ) from exc
    if not network.is_private:
        raise ConfigError(path, [Problem(path, f"'{text}' is public", "name a private range")])
    return network


def _cut(
    path: str, network: ipaddress.IPv4Network, parts: Sequence[Part], remedy: str
) -> dict[str, ipaddress.IPv4Network]:
    found = cut(network, parts)
    if found is None:
        needs = "; ".join(f"{part.name} /{part.prefix}: {part.arithmetic}" for part in parts)
        raise ConfigError(path, [Problem(path, f"'{network}' is too small for {needs}", remedy)])
    return found
