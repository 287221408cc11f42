"""Google Cloud: GKE and its machines, Cloud SQL, Memorystore, Cloud Storage, keys, NAT and zones of names.

Every price is asked of the book: where it has no row the line says so, and is never zero.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from cost.book_format import GB, GB_MONTH, HOUR, KEY_MONTH, MONTH, ON_DEMAND, REQUEST, SPOT
from cost.components import CostComponent, Range, fixed, not_priced
from cost.context import Context, InputNotKnownError, list_at, number_at, text_at, value_at
from cost.pricebook import Price
from cost.usage import Metered
from skerry.graph import Resource
from skerry.units import HOURS_PER_MONTH

CLOUD: Final = "gcp"
_CUSTOM: Final = re.compile(r"db-custom-([0-9]+)-([0-9]+)")
_ZONE: Final = re.compile(r"[a-z]+-[a-z]+[0-9]+-[a-z]")


def gke_cluster(context: Context, cluster: Resource) -> Iterator[CostComponent]:
    """Yield the fee of the control plane, and the default pool unless the cluster is told to take it away.

    Source: pages of pulumi_gcp on pub.dev, removeDefaultNodePool and initialNodeCount (of each zone), read 2026-11.
    """
    price = context.price(cluster, "gke-cluster", HOUR, cloud=CLOUD)
    yield CostComponent("control plane", HOUR, fixed(HOURS_PER_MONTH), price)
    if value_at(cluster.inputs, "enableAutopilot", False) in (True, "true"):
        yield not_priced("pods", "Autopilot bills what pods ask for, and nothing here counts that")
    elif list_at(cluster.inputs, "nodePools"):
        yield not_priced("pools of nodePools", "pools that a cluster itself lists are not counted")
    elif value_at(cluster.inputs, "removeDefaultNodePool", False) not in (True, "true"):
        count = number_at(cluster.inputs, "initialNodeCount") * _zones_of(cluster)
        yield from _nodes(context, cluster, Range(count, count, count), "default pool: ")


def _zones_of(cluster: Resource) -> int:
    """Return over how many zones the default pool stands: that of a zonal cluster, and the further ones it names."""
    zones = set(list_at(cluster.inputs, "nodeLocations"))
    place = text_at(cluster.inputs, "location", "")
    if _ZONE.fullmatch(place):
        zones.add(place)
    if not zones:
        raise InputNotKnownError("nodeLocations is not stated, so the number of the default pool's machines is unknown")
    return len(zones)


def gke_node_pool(context: Context, pool: Resource) -> Iterator[CostComponent]:
    """Yield the machines of a pool and their boot disks."""
    yield from _nodes(context, pool, _machines(context, pool))


def _nodes(context: Context, pool: Resource, machines: Range, prefix: str = "") -> Iterator[CostComponent]:
    kind = text_at(pool.inputs, "nodeConfig.machineType", "e2-medium")
    spot = value_at(pool.inputs, "nodeConfig.spot", False) is True
    price = context.price(pool, kind, HOUR, SPOT if spot else ON_DEMAND, CLOUD)
    name = f"{prefix}machines {kind}" + (" spot" if spot else "")
    yield CostComponent(name, HOUR, machines * HOURS_PER_MONTH, price)
    disk = text_at(pool.inputs, "nodeConfig.diskType", "pd-balanced")
    gib = number_at(pool.inputs, "nodeConfig.diskSizeGb", 100)
    price = context.price(pool, disk, GB_MONTH, cloud=CLOUD)
    yield CostComponent(f"{prefix}root disks {disk}", GB_MONTH, machines * gib, price)


def _machines(context: Context, pool: Resource) -> Range:
    """Return how many over all zones: the pool's bounds, and what the component says is typical."""
    scaling = value_at(pool.inputs, "autoscaling", None)
    if scaling is None:
        zones = len(list_at(pool.inputs, "nodeLocations"))
        if not zones:
            raise InputNotKnownError("nodeLocations is not stated, so the number of its machines is not known")
        count = number_at(pool.inputs, "nodeCount") * zones
        return Range(count, count, count)
    if value_at(pool.inputs, "autoscaling.totalMaxNodeCount", None) is not None:
        low, high = (number_at(pool.inputs, f"autoscaling.total{one}NodeCount") for one in ("Min", "Max"))
    else:
        zones = len(list_at(pool.inputs, "nodeLocations"))
        if not zones:
            raise InputNotKnownError("nodeLocations is not stated, so the number of its machines is not known")
        low, high = (number_at(pool.inputs, f"autoscaling.{one}NodeCount") * zones for one in ("min", "max"))
    typical = low
    for _, facts in context.around(pool):
        if facts.scaling is not None and facts.nodes is not None:
            typical = Decimal(facts.scaling.typical)
            break
    return Range(low, min(max(typical, low), high), high)


def cloud_sql(context: Context, instance: Resource) -> Iterator[CostComponent]:
    """Yield machine and storage; a standby in another zone is billed like the primary."""
    tier = text_at(instance.inputs, "settings.tier")
    regional = value_at(instance.inputs, "settings.availabilityType", "ZONAL") == "REGIONAL"
    copies, note = (2, "primary and standby") if regional else (1, "")
    yield from _sql_machine(context, instance, tier, copies, note)
    disk = text_at(instance.inputs, "settings.diskType", "PD_SSD")
    price = context.price(instance, f"cloud-sql-{disk.lower().replace('_', '-')}", GB_MONTH, cloud=CLOUD)
    size = number_at(instance.inputs, "settings.diskSize", 10) * copies
    yield CostComponent(f"storage {disk}", GB_MONTH, fixed(size), price, note)
    if value_at(instance.inputs, "settings.backupConfiguration.enabled", False) is True:
        yield context.metered(instance, "backups", "cloud-sql-backup", GB_MONTH, Metered.GB_BACKED_UP, cloud=CLOUD)


def _sql_machine(context: Context, instance: Resource, tier: str, copies: int, note: str) -> Iterator[CostComponent]:
    """Yield the machine: as one where the book has its name, else by the vCPU and the memory that it is made of."""
    price = context.price(instance, f"cloud-sql:{tier}", HOUR, cloud=CLOUD)
    parts = _CUSTOM.fullmatch(tier)
    if parts is None or isinstance(price, Price):
        yield CostComponent(f"machine {tier}", HOUR, fixed(HOURS_PER_MONTH * copies), price, note)
        return
    for name, size, sku in (
        ("vCPU", Decimal(parts[1]), "cloud-sql-vcpu"),
        ("memory in GiB", Decimal(parts[2]) / 1024, "cloud-sql-memory"),
    ):
        price = context.price(instance, sku, HOUR, cloud=CLOUD)
        yield CostComponent(f"{name} of {tier}", HOUR, fixed(HOURS_PER_MONTH * copies * size), price, note)


def memorystore_redis(context: Context, instance: Resource) -> Iterator[CostComponent]:
    """Yield the memory of every member."""
    tier = text_at(instance.inputs, "tier", "BASIC")
    members = number_at(instance.inputs, "replicaCount", 1 if tier == "STANDARD_HA" else 0) + 1
    gib = number_at(instance.inputs, "memorySizeGb")
    price = context.price(instance, f"memorystore-redis:{tier}", HOUR, cloud=CLOUD)
    note = f"{members} members of {gib} GiB, priced by GiB and hour"
    yield CostComponent(f"memory {tier}", HOUR, fixed(HOURS_PER_MONTH * members * gib), price, note)


def bucket(context: Context, item: Resource) -> Iterator[CostComponent]:
    """Yield space and operations."""
    kind = text_at(item.inputs, "storageClass", "STANDARD").lower()
    stored = ("storage " + kind, f"gcs-{kind}", GB_MONTH, Metered.GB_STORED)
    writes = ("operations of class A", "gcs-operations-a", REQUEST, Metered.WRITE_REQUESTS)
    reads = ("operations of class B", "gcs-operations-b", REQUEST, Metered.READ_REQUESTS)
    for name, sku, unit, what in (stored, writes, reads):
        yield context.metered(item, name, sku, unit, what, cloud=CLOUD)


def crypto_key(context: Context, key: Resource) -> Iterator[CostComponent]:
    """Yield the active version of a key and its operations."""
    note = "each rotation adds one more version" if value_at(key.inputs, "rotationPeriod", None) else ""
    price = context.price(key, "kms-key-version", KEY_MONTH, cloud=CLOUD)
    yield CostComponent("key version", KEY_MONTH, fixed(1), price, note)
    yield context.metered(key, "operations", "kms-operations", REQUEST, Metered.KEY_REQUESTS, cloud=CLOUD)


def router_nat(context: Context, nat: Resource) -> Iterator[CostComponent]:
    """Yield the gateway, which is billed by the machines behind it, and what it carries."""
    price = context.price(nat, "cloud-nat", HOUR, cloud=CLOUD)
    yield CostComponent("gateway", HOUR, fixed(HOURS_PER_MONTH), price)
    yield context.metered(nat, "data", "cloud-nat-data", GB, Metered.GB_PROCESSED, cloud=CLOUD)
    yield context.metered(nat, "data to the internet", "transfer-internet-out", GB, Metered.GB_OUT, cloud=CLOUD)


def network(context: Context, item: Resource) -> Iterator[CostComponent]:
    """Yield what goes between zones."""
    yield context.metered(
        item, "data between zones", "transfer-between-zones", GB, Metered.GB_BETWEEN_ZONES, cloud=CLOUD
    )


def managed_zone(context: Context, zone: Resource) -> Iterator[CostComponent]:
    """Yield a zone of names; its queries are pennies, and metered nowhere that a plan could know."""
    price = context.price(zone, "dns-zone", MONTH, cloud=CLOUD)
    yield CostComponent("zone of names", MONTH, fixed(1), price)
