"""What a plan needs of a cloud's quotas, at its smallest, typical and largest size, and while machines are renewed.

The rows of quotas, with the default of a new account where a source says it, are skerry/data/quotas.csv.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from skerry.facts import facts_of
from skerry.graph import Resource, ResourceGraph, find
from skerry.preflight.addresses import WARM_INTERFACES
from skerry.preflight.document import Amounts, Quota
from skerry.preflight.families import counted_in, gpu_key
from skerry.preflight.pools import NODE_GROUP, Pool

_TABLE: Final = Path(__file__).resolve().parent.parent / "data" / "quotas.csv"
GIB_PER_TIB: Final = 1024

_COUNTED: Final[Mapping[str, tuple[str, str]]] = {
    "aws:ec2/eip:Eip": ("aws", "elastic ips"),
    "aws:ec2/vpc:Vpc": ("aws", "vpcs"),
    "aws:ec2/internetGateway:InternetGateway": ("aws", "internet gateways"),
    "aws:ec2/subnet:Subnet": ("aws", "subnets"),
    "aws:ec2/routeTable:RouteTable": ("aws", "route tables"),
    "aws:ec2/securityGroup:SecurityGroup": ("aws", "security groups"),
    "aws:eks/cluster:Cluster": ("aws", "eks clusters"),
    NODE_GROUP: ("aws", "eks node groups"),
    "gcp:compute/network:Network": ("gcp", "networks"),
    "gcp:compute/subnetwork:Subnetwork": ("gcp", "subnetworks"),
    "gcp:compute/router:Router": ("gcp", "routers"),
    "gcp:compute/address:Address": ("gcp", "static addresses"),
}
"""Type of resource -> the quota in which each one counts as one."""


@dataclass(frozen=True, slots=True)
class QuotaRow:
    """One row of the table."""

    cloud: str
    key: str
    name: str
    code: str
    service: str
    unit: str
    default: float | None
    source: str


@cache
def quota_rows() -> Mapping[tuple[str, str], QuotaRow]:
    """Return the table: cloud and key -> row."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        rows = [
            QuotaRow(
                cloud=row["cloud"],
                key=row["key"],
                name=row["name"],
                code=row["code"],
                service=row["service"],
                unit=row["unit"],
                default=float(row["default"]) if row["default"] else None,
                source=row["source"],
            )
            for row in csv.DictReader(file)
        ]
    return {(row.cloud, row.key): row for row in rows}


def quotas_of(graph: ResourceGraph, pools: Iterable[Pool]) -> tuple[Quota, ...]:
    """Return every quota that the plan touches, by cloud, service and name.

    Args:
        graph: the plan.
        pools: its machines.
    """
    needs: dict[tuple[str, str, str], Quota] = {}
    pools = list(pools)
    for quota in [*_of_machines(pools), *_of_resources(graph), *_of_disks(graph, pools), *_of_interfaces(graph, pools)]:
        key = (quota.cloud, quota.service, quota.name)
        before = needs.get(key)
        needs[key] = quota if before is None else _sum(before, quota)
    return tuple(sorted(needs.values(), key=lambda one: (one.cloud, one.service, one.name)))


def _sum(one: Quota, other: Quota) -> Quota:
    return replace(
        one,
        amounts=one.amounts + other.amounts,
        arithmetic=one.arithmetic + other.arithmetic,
        at_least=one.at_least or other.at_least,
    )


def _quota(cloud: str, key: str, fallback: str, unit: str, amounts: Amounts, line: str, **more: bool) -> Quota:
    """Return a quota of the table, or one without a code where the table has none."""
    row = quota_rows().get((cloud, key))
    if row is None:
        nobody = "no source for its name or default"
        return Quota(
            cloud, fallback, None, "", unit, amounts, None, (line,), nobody, at_least=more.get("at_least", False)
        )
    return Quota(
        cloud, row.name, row.code, row.service, row.unit, amounts, row.default, (line,), row.source,
        at_least=more.get("at_least", False),
    )  # fmt: skip


def _of_machines(pools: Iterable[Pool]) -> Iterator[Quota]:
    for pool in pools:
        counts = pool.counts
        if pool.cloud == "onprem" or counts is None or pool.type is None or pool.vcpu is None:
            continue
        low, _, high, renewing = counts
        amounts = Amounts(*(count * pool.vcpu for count in counts))
        surge = f" + {renewing - high} while they are renewed" if renewing > high else ""
        more = pool.surge is None  # nobody says how many there are beside them while they are renewed
        line = f"{pool.name}: {low} to {high}{surge} x {pool.type} x {pool.vcpu} vCPU = {high * pool.vcpu:,} at most"
        for key, fallback in counted_in(pool):
            yield _quota(pool.cloud, key, fallback, "vCPU", amounts, line, at_least=more)
        if pool.gpus and pool.cloud == "gcp":
            gpus = Amounts(*(count * pool.gpus for count in counts))
            said = f"{pool.name}: {low} to {high} x {pool.type} x {pool.gpus} GPUs = {high * pool.gpus:,} at most"
            name = f"{pool.gpu_model} {pool.gpu_memory_gib:g} GB GPUs{' (spot)' if pool.spot else ''}"
            yield _quota("gcp", gpu_key(pool), name, "GPUs", gpus, said, at_least=more)
            yield _quota("gcp", "gpus all regions", "", "GPUs", gpus, said, at_least=more)
        if pool.cloud == "aws" and pool.autoscaler != "karpenter":
            nodes = Amounts(*counts)
            yield replace(
                _quota("aws", "eks nodes", "", "machines", nodes, f"{pool.name}: {high}"),
                name=f"Nodes per managed node group ({pool.name})",
            )


def _of_resources(graph: ResourceGraph) -> Iterator[Quota]:
    counted = Counter(one.type for one in graph.resources if one.type in _COUNTED)
    for kind, number in sorted(counted.items()):
        cloud, key = _COUNTED[kind]
        yield _quota(cloud, key, kind, "", _fixed(number), f"{number} x {kind.rsplit(':', 1)[-1]} in the plan")
    gateways = Counter(_zone_of(graph, one) for one in graph.of_type("aws:ec2/natGateway:NatGateway"))
    if gateways:
        most = max(gateways.values())
        line = f"{sum(gateways.values())} over {len(gateways)} zones, at most {most} in one"
        yield _quota("aws", "nat gateways", "", "", _fixed(most), line)
    endpoints = Counter(f"{one.inputs.get('vpcEndpointType', 'Gateway')}" for one in graph.of_type(_ENDPOINT))
    for kind, key in (("Interface", "interface endpoints"), ("Gateway", "gateway endpoints")):
        if endpoints[kind]:
            yield _quota("aws", key, "", "", _fixed(endpoints[kind]), f"{endpoints[kind]} in the plan")


_ENDPOINT: Final = "aws:ec2/vpcEndpoint:VpcEndpoint"
_TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"

INTERFACES_OF_A_MACHINE: Final = 1 + WARM_INTERFACES
"""Its first, and those that the CNI keeps ready."""


def _zone_of(graph: ResourceGraph, gateway: Resource) -> str:
    """Return the zone of the subnet that a gateway stands in, by what it depends on; its own name where none."""
    for urn in gateway.property_dependencies.get("subnetId", ()):
        subnet = graph.get(urn)
        if subnet is not None:
            return str(subnet.inputs.get("availabilityZone", subnet.name))
    return gateway.name


def _fixed(number: float) -> Amounts:
    return Amounts(number, number, number, number)


def _of_disks(graph: ResourceGraph, pools: Iterable[Pool]) -> Iterator[Quota]:
    """Return the space of disks: those that machines start from, and the volumes of stores."""
    pools = list(pools)
    clouds = {pool.cloud for pool in pools}
    units = {"aws": ("gp3", "TiB", GIB_PER_TIB), "gcp": ("ssd", "GB", 1)}
    for pool in pools:
        if pool.cloud in units and pool.root_gib is not None and pool.counts is not None:
            key, unit, divisor = units[pool.cloud]
            amounts = Amounts(*(count * pool.root_gib / divisor for count in pool.counts))
            line = f"{pool.name}: {pool.counts[2]} x {pool.root_gib} GiB boot disk"
            yield _quota(pool.cloud, key, "", unit, amounts, line)
    for cloud in sorted(clouds & units.keys()):
        key, unit, divisor = units[cloud]
        for resource in graph.resources:
            facts = facts_of(resource)
            for storage in facts.storage if facts else ():
                if storage.kind == "volume":
                    gib = storage.gib * storage.copies
                    line = f"{resource.name}: {storage.copies} x {storage.gib:g} GiB"
                    yield _quota(cloud, key, "", unit, _fixed(gib / divisor), line)


def _of_interfaces(graph: ResourceGraph, pools: Iterable[Pool]) -> Iterator[Quota]:
    """Return the network interfaces that are sure: of endpoints one in each subnet, of machines two or as templated."""
    templated = [len(find(one.inputs, "networkInterfaces", []) or []) for one in graph.of_type(_TEMPLATE)]
    for pool in pools:
        if pool.cloud == "aws" and pool.counts is not None:
            each = max([INTERFACES_OF_A_MACHINE, *(templated if pool.gpus else [])])
            amounts = Amounts(*(count * each for count in pool.counts))
            line = f"{pool.name}: {pool.counts[2]} x {each}"
            yield _quota("aws", "network interfaces", "", "", amounts, line, at_least=True)
    number = sum(
        len(subnets)
        for one in graph.of_type(_ENDPOINT)
        if isinstance(subnets := find(one.inputs, "subnetIds", []), list)
    )
    if number:
        line = f"{number} of endpoints"
        yield _quota("aws", "network interfaces", "", "", _fixed(number), line, at_least=True)
