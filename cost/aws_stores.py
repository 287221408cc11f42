"""AWS stores: RDS, Aurora, ElastiCache, S3, DocumentDB, keys and logs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cost.book_format import GB, GB_MONTH, HOUR, IOPS_MONTH, KEY_MONTH, MONTH, REQUEST
from cost.components import CostComponent, QuantityUnknown, Range, fixed
from cost.context import Context, number_at, text_at, value_at
from cost.usage import Metered
from skerry.graph import Resource
from skerry.units import HOURS_PER_MONTH

RDS_GP3_FREE_IOPS: Final = 3000
"""In the price of every RDS gp3 volume. Source: usage.ai "RDS pricing calculator" of 2026-06, read 2026-11."""


def rds_instance(context: Context, instance: Resource) -> Iterator[CostComponent]:
    """Yield machine and storage; a standby in another zone is billed like the primary."""
    inputs = instance.inputs
    engine, kind = text_at(inputs, "engine"), text_at(inputs, "instanceClass")
    copies = 2 if value_at(inputs, "multiAz", False) is True else 1
    note = "primary and standby" if copies == 2 else ""
    hours = fixed(HOURS_PER_MONTH * copies)
    yield CostComponent(f"machine {kind}", HOUR, hours, context.price(instance, f"rds-{engine}:{kind}", HOUR), note)
    low = number_at(inputs, "allocatedStorage")
    high = max(number_at(inputs, "maxAllocatedStorage", low), low)
    storage = text_at(inputs, "storageType", "io1" if number_at(inputs, "iops", 0) else "gp2")
    price = context.price(instance, f"rds-{storage}", GB_MONTH)
    yield CostComponent(f"storage {storage}", GB_MONTH, Range(low, low, high) * copies, price, note)
    free = RDS_GP3_FREE_IOPS if storage == "gp3" else 0
    iops = number_at(inputs, "iops", 0)
    if iops > free:
        price = context.price(instance, f"rds-{storage}-iops", IOPS_MONTH)
        yield CostComponent("IOPS", IOPS_MONTH, fixed((iops - free) * copies), price, note)
    if number_at(inputs, "backupRetentionPeriod", 0) > 0:
        yield context.metered(instance, "backups", "rds-backup", GB_MONTH, Metered.GB_BACKED_UP)
    if value_at(inputs, "manageMasterUserPassword", False) is True:
        price = context.price(instance, "secretsmanager-secret", MONTH)
        yield CostComponent("password in Secrets Manager", MONTH, fixed(1), price)


def rds_cluster(context: Context, cluster: Resource) -> Iterator[CostComponent]:
    """Yield the storage of an Aurora cluster, which grows with what is kept; instances are resources of their own."""
    engine = text_at(cluster.inputs, "engine")
    yield context.metered(cluster, "storage", f"rds-{engine}-storage", GB_MONTH, Metered.GB_STORED)
    if value_at(cluster.inputs, "serverlessv2ScalingConfiguration", None) is not None:
        price = context.price(cluster, f"rds-{engine}-acu", HOUR)
        yield CostComponent("capacity units", HOUR, QuantityUnknown("Aurora decides over them"), price)


def rds_cluster_instance(context: Context, instance: Resource) -> Iterator[CostComponent]:
    """Yield one machine of an Aurora cluster."""
    engine, kind = text_at(instance.inputs, "engine"), text_at(instance.inputs, "instanceClass")
    price = context.price(instance, f"rds-{engine}:{kind}", HOUR)
    yield CostComponent(f"machine {kind}", HOUR, fixed(HOURS_PER_MONTH), price)


def docdb_cluster(context: Context, cluster: Resource) -> Iterator[CostComponent]:
    """Yield the storage of a DocumentDB cluster."""
    yield context.metered(cluster, "storage", "docdb-storage", GB_MONTH, Metered.GB_STORED)


def docdb_cluster_instance(context: Context, instance: Resource) -> Iterator[CostComponent]:
    """Yield one machine of a DocumentDB cluster."""
    kind = text_at(instance.inputs, "instanceClass")
    price = context.price(instance, f"docdb:{kind}", HOUR)
    yield CostComponent(f"machine {kind}", HOUR, fixed(HOURS_PER_MONTH), price)


def elasticache_replication_group(context: Context, group: Resource) -> Iterator[CostComponent]:
    """Yield the nodes: of one shard, or of every shard with its replicas."""
    inputs = group.inputs
    engine, kind = text_at(inputs, "engine", "redis"), text_at(inputs, "nodeType")
    shards = number_at(inputs, "numNodeGroups", 0)
    if shards:
        nodes = shards * (1 + number_at(inputs, "replicasPerNodeGroup", 0))
    else:
        nodes = number_at(inputs, "numCacheClusters", 1)
    price = context.price(group, f"elasticache-{engine}:{kind}", HOUR)
    yield CostComponent(f"nodes {kind} {engine}", HOUR, fixed(HOURS_PER_MONTH * nodes), price)
    if number_at(inputs, "snapshotRetentionLimit", 0) > 0:
        yield context.metered(group, "snapshots", "elasticache-backup", GB_MONTH, Metered.GB_BACKED_UP)


def s3_bucket(context: Context, bucket: Resource) -> Iterator[CostComponent]:
    """Yield space and requests; the space is what the component around it declares, unless usage says otherwise."""
    price = context.price(bucket, "s3-standard", GB_MONTH)
    stored = context.given(bucket, Metered.GB_STORED)
    declared = _declared_gib(context, bucket)
    if stored is None and declared is not None:
        note = "the size that its component declares; old versions are not in it"
        yield CostComponent("storage standard", GB_MONTH, fixed(declared), price, note)
    else:
        yield context.metered(bucket, "storage standard", "s3-standard", GB_MONTH, Metered.GB_STORED)
    yield context.metered(bucket, "write requests", "s3-requests-write", REQUEST, Metered.WRITE_REQUESTS)
    yield context.metered(bucket, "read requests", "s3-requests-read", REQUEST, Metered.READ_REQUESTS)


def _declared_gib(context: Context, bucket: Resource) -> int | None:
    """Return the GiB that the nearest component declares for its bucket, where it has only this one."""
    for component, facts in context.around(bucket):
        declared = [item for item in facts.storage if item.kind == "bucket"]
        if declared:
            buckets = [item for item in context.graph.descendants(component.urn) if item.type == bucket.type]
            return int(sum(item.gib for item in declared)) if len(buckets) == 1 else None
    return None


def kms_key(context: Context, key: Resource) -> Iterator[CostComponent]:
    """Yield the key and its requests."""
    note = "each yearly rotation adds one more" if value_at(key.inputs, "enableKeyRotation", False) is True else ""
    yield CostComponent("key", KEY_MONTH, fixed(1), context.price(key, "kms-key", KEY_MONTH), note)
    yield context.metered(key, "requests", "kms-requests", REQUEST, Metered.KEY_REQUESTS)


def sqs_queue(context: Context, queue: Resource) -> Iterator[CostComponent]:
    """Yield the requests."""
    sku = "sqs-requests-fifo" if value_at(queue.inputs, "fifoQueue", False) is True else "sqs-requests"
    yield context.metered(queue, "requests", sku, REQUEST, Metered.REQUESTS)


def log_group(context: Context, group: Resource) -> Iterator[CostComponent]:
    """Yield what is taken in and what is kept."""
    yield context.metered(group, "ingestion", "logs-ingestion", GB, Metered.LOG_GB_INGESTED)
    yield context.metered(group, "storage", "logs-storage", GB_MONTH, Metered.LOG_GB_STORED)


def image_repository(context: Context, repository: Resource) -> Iterator[CostComponent]:
    """Yield the images kept."""
    yield context.metered(repository, "images", "ecr-storage", GB_MONTH, Metered.GB_STORED)


def secret(context: Context, item: Resource) -> Iterator[CostComponent]:
    """Yield one secret and what asks for it."""
    price = context.price(item, "secretsmanager-secret", MONTH)
    yield CostComponent("secret", MONTH, fixed(1), price)
    yield context.metered(item, "requests", "secretsmanager-requests", REQUEST, Metered.READ_REQUESTS)
