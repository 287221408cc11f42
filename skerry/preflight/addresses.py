"""Whether the ranges of a plan have room for its machines and pods, by the arithmetic of each cloud's network.

(1) Machines are counted at their largest, with those that are there only while others are renewed. (2) What one machine
takes is the CNI's own sum. (3) A range is held against the sum; what nobody knows stays unknown.
"""

from __future__ import annotations

import csv
import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from skerry.address_plan import AKS_PODS_PREFIX, AKS_RESERVED, SUBNET_RESERVED, addresses_per_machine
from skerry.config.pools import POOL_RANGES
from skerry.graph import Resource, ResourceGraph, find, plain
from skerry.preflight.document import AddressRange
from skerry.preflight.pools import AKS_CLUSTER, AKS_POOL, GKE_POOL, NODE_GROUP, Pool

AWS_RESERVED: Final = 5
"""Addresses of a subnet that AWS keeps: the first four and the last.

Source: Amazon VPC "VPCs and subnets", VPC sizing, as public programs quote it, read 2026-11.
"""

WARM_INTERFACES: Final = 1
"""Interfaces that the VPC CNI keeps ready beside those in use, all of whose addresses it takes.

Source: Amazon EKS "Manage EFA devices", Conserving IP address allocation; public settings of WARM_ENI_TARGET for the
number; read 2026-11.
"""

PREFIX_ADDRESSES: Final = 16
"""Addresses of a prefix, a /28, where the CNI hands out prefixes."""

LARGEST: Final = sum(high for _, high in POOL_RANGES.values())
"""Machines of the largest plan that the tiers may have: 8 + 128 + 4 = 140."""

_INTERFACES: Final = Path(__file__).resolve().parent.parent / "data" / "ec2_interfaces.csv"


@dataclass(frozen=True, slots=True)
class Interfaces:
    """What an EC2 type can have on its first network card, from which pods get their addresses."""

    interfaces: int
    addresses: int
    """IPv4 addresses of one interface."""
    efa: int

    @property
    def pods(self) -> int:
        """The most pods with addresses of their own, and two that use the machine's."""
        return self.interfaces * (self.addresses - 1) + 2


@cache
def interfaces() -> Mapping[str, Interfaces]:
    """Return the table: type -> its interfaces."""
    with _INTERFACES.open(encoding="utf-8", newline="") as file:
        return {
            row["type"]: Interfaces(int(row["interfaces"]), int(row["addresses"]), int(row["efa"]))
            for row in csv.DictReader(file)
        }


def ranges_of(graph: ResourceGraph, pools: Iterable[Pool]) -> tuple[AddressRange, ...]:
    """Return every range of the plan that machines, pods or Services take addresses from.

    Args:
        graph: the plan.
        pools: its machines.
    """
    pools = list(pools)
    return (*_eks(graph, pools), *_gke(graph, pools), *_aks(graph, pools))


def _machines(pools: Sequence[Pool], cloud: str) -> tuple[int, str] | None:
    """Return how many machines there can be at once, and the sum that it is; None where one is not known."""
    counts = [(pool, pool.counts) for pool in pools if pool.cloud == cloud]
    if not counts or any(count is None for _, count in counts):
        return None
    terms = [f"{count[2]} {pool.tier or pool.name}" for pool, count in counts if count]
    surge = sum(count[3] - count[2] for _, count in counts if count)
    total = sum(count[3] for _, count in counts if count)
    return total, " + ".join([*terms, *([f"{surge} while renewing"] if surge else [])])


def _eks(graph: ResourceGraph, pools: Sequence[Pool]) -> Iterator[AddressRange]:
    subnets = _machine_subnets(graph)
    if not subnets or not any(pool.cloud == "aws" for pool in pools):
        return
    prefixes = _prefixes(graph)
    blocks = [_network(find(one.inputs, "cidrBlock")) for one in subnets]
    has = None if None in blocks else sum(block.num_addresses - AWS_RESERVED for block in blocks if block)
    text = ", ".join(str(block or "?") for block in blocks)
    lines, least, most, known = [], 0, 0, True
    for pool in (pool for pool in pools if pool.cloud == "aws"):
        row = interfaces().get(pool.type or "")
        if row is None or pool.counts is None:
            known = False
            lines.append(f"{pool.name}: {pool.type or 'a type'} is not in the table of interfaces")
            continue
        one, all_of_it = _of_one_machine(row, prefixes)
        least, most = least + pool.counts[3] * one, most + pool.counts[3] * all_of_it
        lines.append(f"{pool.counts[3]} {pool.tier or pool.name} x {one} ({_sum_of(row, prefixes)})")
    arithmetic = "; ".join(lines) + f"; each subnet less {AWS_RESERVED} that AWS keeps"
    needs = least if known else None
    yield AddressRange(
        f"machines and pods, {len(subnets)} subnets", text, has, needs, arithmetic, most if known else None
    )
    yield from _one_zone_less(subnets, blocks, needs)
    yield from _largest_of_eks(pools, has, prefixes)


def _of_one_machine(row: Interfaces, prefixes: bool) -> tuple[int, int]:
    """Return the addresses that one machine takes with a few pods, and the most that it can."""
    ready = min(1 + WARM_INTERFACES, row.interfaces)
    if prefixes:
        return ready * (1 + PREFIX_ADDRESSES), row.interfaces * (1 + (row.addresses - 1) * PREFIX_ADDRESSES)
    return ready * row.addresses, row.interfaces * row.addresses


def _largest_of_eks(pools: Sequence[Pool], has: int | None, prefixes: bool) -> Iterator[AddressRange]:
    """Yield what the largest plan of the tiers takes, with machines of the types of this one."""
    rows = {pool.tier: interfaces().get(pool.type or "") for pool in pools}
    terms, needs = [], 0
    for tier, (_, high) in POOL_RANGES.items():
        row = rows.get(tier)
        if row is not None:
            one, _ = _of_one_machine(row, prefixes)
            terms.append(f"{high} {tier} x {one}")
            needs += high * one
    if len(terms) == len(POOL_RANGES):
        yield AddressRange(f"the largest plan, {LARGEST} machines", "", has, needs, " + ".join(terms), planned=False)


def _sum_of(row: Interfaces, prefixes: bool) -> str:
    ready = min(1 + WARM_INTERFACES, row.interfaces)
    if prefixes:
        return f"{ready} interfaces, each with a prefix of {PREFIX_ADDRESSES}, more as pods come"
    return f"{ready} interfaces x {row.addresses} addresses, up to {row.addresses - 1} pods before more"


def _one_zone_less(
    subnets: Sequence[Resource], blocks: Sequence[ipaddress.IPv4Network | None], needs: int | None
) -> Iterator[AddressRange]:
    """Yield the same plan on the zones that are left when the largest is lost."""
    sizes = sorted(block.num_addresses - AWS_RESERVED for block in blocks if block)
    if len(sizes) == len(subnets) > 1:
        yield AddressRange(
            "the same with one zone lost",
            "",
            sum(sizes[:-1]),
            needs,
            f"all machines in {len(sizes) - 1} subnets",
            planned=False,
        )


def _machine_subnets(graph: ResourceGraph) -> list[Resource]:
    """Return the subnets that groups of machines name, else those that bear Karpenter's tag."""
    urns = {
        urn for one in graph.of_type(NODE_GROUP) for urn in one.property_dependencies.get("subnetIds", ())
    }  # fmt: skip
    subnets = list(graph.of_type("aws:ec2/subnet:Subnet"))
    named = [one for one in subnets if one.urn in urns]
    return named or [one for one in subnets if "karpenter.sh/discovery" in (find(one.inputs, "tags", {}) or {})]


def _prefixes(graph: ResourceGraph) -> bool:
    settings = [plain(one.inputs).get("configurationValues") for one in graph.of_type("aws:eks/addon:Addon")]
    return any(isinstance(text, str) and '"ENABLE_PREFIX_DELEGATION": "true"' in text for text in settings)


def _gke(graph: ResourceGraph, pools: Sequence[Pool]) -> Iterator[AddressRange]:
    machines = _machines(pools, "gcp")
    for subnet in graph.of_type("gcp:compute/subnetwork:Subnetwork"):
        secondary = {
            row.get("rangeName"): _network(row.get("ipCidrRange"))
            for row in find(plain(subnet.inputs), "secondaryIpRanges", []) or []
        }
        if not secondary:
            continue
        total, terms = machines or (None, "the number of machines is not known")
        block = _network(subnet.inputs.get("ipCidrRange"))
        yield _room(
            "machines", block, _size(block), total and total + SUBNET_RESERVED,
            f"{terms} = {total} machines + {SUBNET_RESERVED} that Google keeps",
        )  # fmt: skip
        pods = _pods_per_machine(graph)
        for name, block in secondary.items():
            if "pod" not in f"{name}":
                text = "Services of the cluster; a deployment has under a hundred"
                yield _room(f"{name}", block, _size(block), 100, text)
                continue
            each = pods and addresses_per_machine(pods)
            needs = total * each if total and each else None
            said = f"{terms} = {total} machines x {each} addresses for {pods} pods"
            yield _room(f"{name}", block, _size(block), needs, said)
    yield from _largest(graph, pools)


def _largest(graph: ResourceGraph, pools: Sequence[Pool]) -> Iterator[AddressRange]:
    """Yield what the largest plan of the tiers takes of the range of pods: a range that moves replaces the cluster."""
    for subnet in graph.of_type("gcp:compute/subnetwork:Subnetwork"):
        for row in find(plain(subnet.inputs), "secondaryIpRanges", []) or []:
            pods, block = _pods_per_machine(graph), _network(row.get("ipCidrRange"))
            if "pod" in f"{row.get('rangeName')}" and pods and any(pool.tier for pool in pools):
                each = addresses_per_machine(pods)
                text = f"8 cognitive + 128 execution + 4 meta = {LARGEST} machines x {each} addresses for {pods} pods"
                name = "pods of the largest plan"
                yield _room(name, block, _size(block), LARGEST * each, text, planned=False)


def _pods_per_machine(graph: ResourceGraph) -> int | None:
    said = [one.inputs.get("maxPodsPerNode") for one in graph.of_type(GKE_POOL)]
    said += [one.inputs.get("defaultMaxPodsPerNode") for one in graph.of_type("gcp:container/cluster:Cluster")]
    numbers = [int(one) for one in said if isinstance(one, int | float)]
    return max(numbers) if numbers else None


def _aks(graph: ResourceGraph, pools: Sequence[Pool]) -> Iterator[AddressRange]:
    total, terms = _machines(pools, "azure") or (None, "the number of machines is not known")
    for cluster in graph.of_type(AKS_CLUSTER):
        network = find(plain(cluster.inputs), "networkProfile", {}) or {}
        pods = _network(network.get("podCidr"))
        if network.get("networkPluginMode") == "overlay":
            text = f"{terms} = {total} machines, each a /{AKS_PODS_PREFIX}"
            room = None if pods is None else max(1 << (AKS_PODS_PREFIX - pods.prefixlen), 0)
            yield _room("pods, in ranges of one machine", pods, room, total, text)
            if any(pool.tier for pool in pools):
                largest = f"8 cognitive + 128 execution + 4 meta = {LARGEST} machines, each a /{AKS_PODS_PREFIX}"
                yield _room(f"the largest plan, {LARGEST} machines", pods, room, LARGEST, largest, planned=False)
        services = _network(network.get("serviceCidr"))
        if services is not None:
            text = "Services of the cluster; a deployment has under a hundred"
            yield _room("services", services, _size(services), 100, text)
    named = {
        urn
        for kind in (AKS_CLUSTER, AKS_POOL)
        for one in graph.of_type(kind)
        for key in ("vnetSubnetID", "agentPoolProfiles")
        for urn in one.property_dependencies.get(key, ())
    }
    for subnet in graph.of_type("azure-native:network:Subnet"):
        if subnet.urn in named:
            block = _network(subnet.inputs.get("addressPrefix"))
            needs = None if total is None else total + AKS_RESERVED
            text = f"{terms} = {total} machines + {AKS_RESERVED} that Azure keeps"
            yield _room("machines", block, _size(block), needs, text)


def _room(
    name: str,
    block: ipaddress.IPv4Network | None,
    has: int | None,
    needs: int | None,
    arithmetic: str,
    *,
    planned: bool = True,
) -> AddressRange:
    return AddressRange(name, "" if block is None else str(block), has, needs, arithmetic, planned=planned)


def _size(block: ipaddress.IPv4Network | None) -> int | None:
    return None if block is None else block.num_addresses


def _network(text: Any) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(text) if isinstance(text, str) else None
    except ValueError:
        return None
