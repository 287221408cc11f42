"""Azure: AKS and its machines, PostgreSQL, Managed Redis, keys, the way out and private endpoints.

Every price is asked of the book: where it has no row the line says so, and is never zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from cost.book_format import GB, GB_MONTH, HOUR, KEY_MONTH, MONTH, ON_DEMAND, REQUEST, SPOT
from cost.components import CostComponent, Range, fixed
from cost.context import Context, InputNotKnownError, list_at, number_at, text_at, value_at
from cost.usage import Metered
from skerry.graph import Resource
from skerry.units import HOURS_PER_MONTH

CLOUD: Final = "azure"

DISKS: Final = (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32767)
"""GiB that are billed: a disk between two sizes costs what the larger does.

Source: Azure "Managed Disks pricing" (not opened; check before relying on it).
"""


def aks_cluster(context: Context, cluster: Resource) -> Iterator[CostComponent]:
    """Yield the fee of the control plane and the machines of the pools that stand in the cluster itself."""
    tier = text_at(cluster.inputs, "sku.tier", "Free")
    price = context.price(cluster, f"aks-cluster-{tier.lower()}", HOUR, cloud=CLOUD)
    yield CostComponent(f"control plane {tier}", HOUR, fixed(HOURS_PER_MONTH), price)
    for profile in list_at(cluster.inputs, "agentPoolProfiles"):
        name = text_at(profile, "name", "pool")
        yield from _pool(context, cluster, profile, f" of pool {name}", None)


def aks_agent_pool(context: Context, pool: Resource) -> Iterator[CostComponent]:
    """Yield the machines of a pool and their boot disks."""
    typical = None
    for _, facts in context.around(pool):
        if facts.scaling is not None and facts.nodes is not None:
            typical = Decimal(facts.scaling.typical)
            break
    yield from _pool(context, pool, pool.inputs, "", typical)


def _pool(
    context: Context, holder: Resource, pool: Any, whose: str, typical: Decimal | None
) -> Iterator[CostComponent]:
    machines = _machines(pool, typical)
    kind = text_at(pool, "vmSize")
    spot = text_at(pool, "scaleSetPriority", "Regular") == "Spot"
    price = context.price(holder, kind, HOUR, SPOT if spot else ON_DEMAND, CLOUD)
    name = f"machines {kind}" + (" spot" if spot else "") + whose
    yield CostComponent(name, HOUR, machines * HOURS_PER_MONTH, price)
    if text_at(pool, "osDiskType", "Managed") == "Ephemeral":
        return
    gib = number_at(pool, "osDiskSizeGB", 128)
    billed = next((size for size in DISKS if size >= gib), DISKS[-1])
    price = context.price(holder, "Premium SSD", GB_MONTH, cloud=CLOUD)
    yield CostComponent(f"root disks Premium SSD{whose}", GB_MONTH, machines * billed, price)


def _machines(pool: Any, typical: Decimal | None) -> Range:
    """Return how many there are: the pool's bounds, and what the component says is typical."""
    if value_at(pool, "enableAutoScaling", False) is not True:
        count = number_at(pool, "count", 1)
        return Range(count, count, count)
    low, high = number_at(pool, "minCount"), number_at(pool, "maxCount")
    if high < low:
        raise InputNotKnownError("maxCount is less than minCount, so the number of its machines is not known")
    return Range(low, min(max(low if typical is None else typical, low), high), high)


def postgres(context: Context, server: Resource) -> Iterator[CostComponent]:
    """Yield machine and storage; a standby is billed like the primary."""
    kind = text_at(server.inputs, "sku.name")
    standby = text_at(server.inputs, "highAvailability.mode", "Disabled") != "Disabled"
    copies, note = (2, "primary and standby") if standby else (1, "")
    price = context.price(server, f"postgres:{kind}", HOUR, cloud=CLOUD)
    yield CostComponent(f"machine {kind}", HOUR, fixed(HOURS_PER_MONTH * copies), price, note)
    price = context.price(server, "postgres-storage", GB_MONTH, cloud=CLOUD)
    size = number_at(server.inputs, "storage.storageSizeGB") * copies
    yield CostComponent("storage", GB_MONTH, fixed(size), price, note)
    yield context.metered(server, "backups", "postgres-backup", GB_MONTH, Metered.GB_BACKED_UP, cloud=CLOUD)


def managed_redis(context: Context, store: Resource) -> Iterator[CostComponent]:
    """Yield the nodes, which are billed as one instance of the kind."""
    kind = text_at(store.inputs, "sku.name")
    price = context.price(store, f"managed-redis:{kind}", HOUR, cloud=CLOUD)
    yield CostComponent(f"instance {kind}", HOUR, fixed(HOURS_PER_MONTH), price)


def storage_account(context: Context, account: Resource) -> Iterator[CostComponent]:
    """Yield space and operations of its blobs, by tier and redundancy."""
    redundancy = text_at(account.inputs, "sku.name").rpartition("_")[2].lower()
    kind = f"{text_at(account.inputs, 'accessTier', 'Hot').lower()}-{redundancy}"
    stored = ("storage " + kind, f"blob-{kind}", GB_MONTH, Metered.GB_STORED)
    writes = ("write operations", f"blob-writes-{kind}", REQUEST, Metered.WRITE_REQUESTS)
    reads = ("read operations", f"blob-reads-{kind}", REQUEST, Metered.READ_REQUESTS)
    for name, sku, unit, what in (stored, writes, reads):
        yield context.metered(account, name, sku, unit, what, cloud=CLOUD)


def key(context: Context, item: Resource) -> Iterator[CostComponent]:
    """Yield the key and its operations."""
    price = context.price(item, "key-vault-key", KEY_MONTH, cloud=CLOUD)
    yield CostComponent("key", KEY_MONTH, fixed(1), price)
    yield context.metered(item, "operations", "key-vault-operations", REQUEST, Metered.KEY_REQUESTS, cloud=CLOUD)


def nat_gateway(context: Context, gateway: Resource) -> Iterator[CostComponent]:
    """Yield the gateway and what it carries."""
    price = context.price(gateway, "nat-gateway", HOUR, cloud=CLOUD)
    yield CostComponent("gateway", HOUR, fixed(HOURS_PER_MONTH), price)
    yield context.metered(gateway, "data", "nat-gateway-data", GB, Metered.GB_PROCESSED, cloud=CLOUD)
    yield context.metered(gateway, "data to the internet", "transfer-internet-out", GB, Metered.GB_OUT, cloud=CLOUD)


def workspace(context: Context, item: Resource) -> Iterator[CostComponent]:
    """Yield what is taken in and what is kept."""
    taken = context.metered(item, "ingestion", "logs-ingestion", GB, Metered.LOG_GB_INGESTED, cloud=CLOUD)
    kept = context.metered(item, "storage", "logs-storage", GB_MONTH, Metered.LOG_GB_STORED, cloud=CLOUD)
    yield from (taken, kept)


def public_address(context: Context, address: Resource) -> Iterator[CostComponent]:
    """Yield the address."""
    price = context.price(address, "public-ip", HOUR, cloud=CLOUD)
    yield CostComponent("address", HOUR, fixed(HOURS_PER_MONTH), price)


def network(context: Context, item: Resource) -> Iterator[CostComponent]:
    """Yield what goes between zones."""
    yield context.metered(
        item, "data between zones", "transfer-between-zones", GB, Metered.GB_BETWEEN_ZONES, cloud=CLOUD
    )


def private_endpoint(context: Context, endpoint: Resource) -> Iterator[CostComponent]:
    """Yield the endpoint and what it carries."""
    price = context.price(endpoint, "private-endpoint", HOUR, cloud=CLOUD)
    yield CostComponent("endpoint", HOUR, fixed(HOURS_PER_MONTH), price)
    yield context.metered(endpoint, "data", "private-endpoint-data", GB, Metered.GB_PROCESSED, cloud=CLOUD)


def private_zone(context: Context, zone: Resource) -> Iterator[CostComponent]:
    """Yield a zone of names; its queries are pennies, and metered nowhere that a plan could know."""
    price = context.price(zone, "dns-zone", MONTH, cloud=CLOUD)
    yield CostComponent("zone of names", MONTH, fixed(1), price)
