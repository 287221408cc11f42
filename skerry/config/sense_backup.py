"""What backups must be to the rest of a deployment: outside of what they copy, and keepable that long."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final

from skerry.config.backup import BackupStoreSpec
from skerry.config.spec import DeploymentSpec, ObjectStoreKind, RelationalKind, TargetKind
from skerry.errors import Problem, UsageError
from skerry.jurisdictions import countries

MANAGED_DAYS: Final = {TargetKind.AWS: 35, TargetKind.AZURE: 35, TargetKind.GCP: 365}
"""The longest that a cloud keeps backups of its PostgreSQL.

Source: botocore 1.44.5 rds CreateDBInstance (0 to 35); SDK of azure-native 3.29.0 dbforpostgresql Backup (7 to 35);
terraform-provider-google sql_database_instance, retained_backups (1 to 365), read 2026-11.
"""

_LIMITS: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_FIELDS: Final = ("minute", "hour", "day", "month", "day of the week")


def backup_problems(spec: DeploymentSpec) -> Iterator[Problem]:
    """Return what cannot be about the backups of a deployment."""
    asked = spec.backup
    if asked is None:
        return
    yield from _schedule(asked.schedule)
    yield from _kept(spec, asked.retention_days)
    if asked.store is not None:
        yield from _store(asked.store)
    else:
        yield from _own(spec)


def _schedule(text: str) -> Iterator[Problem]:
    for field, name, (low, high) in zip(text.split(), _FIELDS, _LIMITS, strict=True):
        for part in field.split(","):
            span, _, step = part.partition("/")
            ends = [] if span == "*" else span.split("-")
            numbers = [*ends, *([step] if "/" in part else [])]
            wrong = len(ends) > 2 or not all(one.isdigit() for one in numbers)
            if wrong or any(not low <= int(one) <= high for one in ends) or ("/" in part and int(step) < 1):
                yield Problem(
                    "backup.schedule",
                    f"the {name} '{field}' is no field of cron",
                    f"write * or numbers from {low} to {high}, such as '0 2 * * *' for two o'clock each night",
                )
                break


def _kept(spec: DeploymentSpec, days: int) -> Iterator[Problem]:
    longest = MANAGED_DAYS.get(spec.target.kind)
    managed = spec.meta.relational_kind is not RelationalKind.CLOUDNATIVE_PG
    if spec.target.kind is TargetKind.AZURE and spec.target.azure.postgres_admin_secret is None:
        managed = False
    if longest is not None and managed and days > longest:
        yield Problem(
            "backup.retention_days",
            f"{days} days are more than the {longest} for which {spec.target.kind.value} keeps its PostgreSQL's",
            f"use {longest} or fewer, or meta.relational_kind: cloudnative-pg",
        )


def _store(store: BackupStoreSpec) -> Iterator[Problem]:
    try:
        countries(store.jurisdiction)
    except UsageError as exc:
        yield Problem("backup.store.jurisdiction", str(exc))
    for index, text in enumerate(store.cidrs):
        try:
            ipaddress.ip_network(text)
        except ValueError as exc:
            yield Problem(
                f"backup.store.cidrs[{index}]", f"is not an address range: {exc}", "write it like 10.0.0.0/24"
            )
    if store.endpoint_url.startswith("http://") and store.authority:
        yield Problem("backup.store.authority", "is true, but endpoint_url is not https", "use https, or remove it")


def _own(spec: DeploymentSpec) -> Iterator[Problem]:
    """Judge the deployment's own object store as a place for its backups."""
    remedy = "name a bucket under backup.store"
    own = spec.channels.object_store
    if spec.target.kind is TargetKind.ONPREM or own is ObjectStoreKind.SEAWEEDFS:
        yield Problem(
            "backup.store",
            "is required here: the deployment's own object store keeps its list of files in the PostgreSQL that is "
            "backed up, so that both would be lost together",
            remedy,
        )
    elif spec.target.kind is TargetKind.AZURE:
        yield Problem(
            "backup.store", "is required on azure, whose own store speaks no S3, by which backups are written", remedy
        )
    elif spec.target.kind is TargetKind.AWS and spec.meta.relational_kind is RelationalKind.CLOUDNATIVE_PG:
        yield Problem(
            "backup.store",
            "is required for PostgreSQL in the cluster: its pods have no identity that may write to the bucket of AWS",
            remedy,
        )
