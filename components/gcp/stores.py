"""Managed stores on Google Cloud: PostgreSQL, the object store and pub/sub. All encrypted, private, protected."""

from __future__ import annotations

from typing import Final

import pulumi
from pulumi_gcp import redis, sql, storage

from components.base import SkerryComponent
from components.clouds.managed import (
    backup_days,
    backup_start,
    object_facts,
    pubsub_facts,
    pubsub_members,
    relational_facts,
    relational_gib,
    relational_type,
)
from components.gcp.key import GcpKey
from components.gcp.labels import labels_of, tier_label
from components.gcp.network import GcpNetwork
from skerry.config.spec import DeploymentSpec
from skerry.facts import StorageFact, Tier

POSTGRES_PORT: Final = 5432
POSTGRES_VERSION: Final = "POSTGRES_17"
"""Source: the discovery document sqladmin.v1, DatabaseInstance.databaseVersion, read 2026-11."""

POSTGRES_EDITION, POSTGRES_TIER = "ENTERPRISE", "db-custom-2-15360"
"""2 vCPU and 15 GiB.

Source: terraform-provider-google at e03b7622, google_sql_database_instance, tier and edition, read 2026-11.
"""

BACKUPS: Final = 14
LOG_DAYS: Final = 7
"""Days that a database can be brought back to within. Source: as above, transaction_log_retention_days, 1 to 7."""

REDIS_PORT: Final = 6378
"""With TLS. Source: Memorystore for Redis "Enabling in-transit encryption" (not opened; check before relying on it)."""

REDIS_VERSION: Final = "REDIS_7_2"
REDIS_GIB: Final = 5
"""The least with read replicas.

Source: Memorystore for Redis "Read replicas overview" (not opened; check before relying on it).
"""

MOST_REPLICAS: Final = 5
"""Source: terraform-provider-google at e03b7622, google_redis_instance, replica_count, read 2026-11."""

NONCURRENT_DAYS, ABORT_DAYS = 90, 7


class GcpPostgres(SkerryComponent):
    """Cloud SQL for PostgreSQL with a standby in another zone, reachable from the network only."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        network: GcpNetwork,
        key: GcpKey,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the instance; nobody can log in until the site makes the first user.

        Args:
            name: the component's name.
            spec: the deployment; `meta.relational.storage_gib` is its size.
            network: from which it is reached.
            key: of its storage and backups.
            opts: Pulumi's options.
        """
        super().__init__(name, relational_facts(spec, POSTGRES_PORT), opts)
        self.instance = sql.DatabaseInstance(
            self.child_name("instance"),
            region=spec.target.region,
            database_version=POSTGRES_VERSION,
            encryption_key_name=key.key.id,
            deletion_protection=True,
            settings={
                "edition": POSTGRES_EDITION,
                "tier": relational_type(spec, POSTGRES_TIER),
                "availability_type": "REGIONAL",
                "disk_type": "PD_SSD",
                "disk_size": max(relational_gib(spec), 10),
                "disk_autoresize": True,
                "deletion_protection_enabled": True,
                "retain_backups_on_delete": True,
                "backup_configuration": {
                    "enabled": True,
                    "point_in_time_recovery_enabled": True,
                    "transaction_log_retention_days": LOG_DAYS,
                    "start_time": backup_start(spec, "01:00"),
                    # Left out, backups lie in the multi-region that is nearest.
                    "location": spec.target.region,
                    "backup_retention_settings": {
                        "retained_backups": backup_days(spec, BACKUPS),
                        "retention_unit": "COUNT",
                    },
                },
                "ip_configuration": {
                    "ipv4_enabled": False,
                    "private_network": network.vpc.id,
                    "allocated_ip_range": network.peering_range.name,
                    "ssl_mode": "ENCRYPTED_ONLY",
                },
                "database_flags": [{"name": "cloudsql.iam_authentication", "value": "on"}],
                "insights_config": {"query_insights_enabled": True},
                "maintenance_window": {"day": 7, "hour": 2, "update_track": "stable"},
                "user_labels": labels_of(spec, Tier.CHANNELS),
            },
            opts=self.store_options(depends_on=[network.peering, key.grants["sql"]]),
        )
        self.finish(
            endpoint=self.instance.private_ip_address, port=POSTGRES_PORT, secret_ref=None, metrics_endpoint=None
        )


class GcpObjectStore(SkerryComponent):
    """A bucket in one region: versioned, under the deployment's key, never public, one rule of access for all of it."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        key: GcpKey,
        *,
        gib: int | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the bucket; its name is the provider's choice, since bucket names are shared by all of Google Cloud.

        Args:
            name: the component's name.
            spec: the deployment.
            key: of its objects.
            gib: what finance should expect in it; left out, nobody says.
            opts: Pulumi's options.
        """
        told = object_facts(spec)
        storage_fact = () if gib is None else (StorageFact(kind="bucket", gib=gib),)
        super().__init__(name, told.model_copy(update={"storage": storage_fact}) if storage_fact else told, opts)
        self.bucket = storage.Bucket(
            self.child_name("bucket"),
            location=spec.target.region,
            storage_class="STANDARD",
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            versioning={"enabled": True},
            encryption={"default_kms_key_name": key.key.id},
            force_destroy=False,
            lifecycle_rules=[
                {"action": {"type": "Delete"}, "condition": {"days_since_noncurrent_time": NONCURRENT_DAYS}},
                {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": ABORT_DAYS}},
            ],
            labels=tier_label(Tier.CHANNELS),
            opts=self.store_options(depends_on=[key.grants["storage"]]),
        )
        self.finish(endpoint=self.bucket.name, port=443, secret_ref=None, metrics_endpoint=None)


class GcpPubSub(SkerryComponent):
    """Memorystore for Redis over several zones, with a password of its own making, encrypted at rest and in transit."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        network: GcpNetwork,
        key: GcpKey,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the instance.

        Args:
            name: the component's name.
            spec: the deployment; `channels.pubsub_replicas` is its size.
            network: from which it is reached.
            key: of its snapshots.
            opts: Pulumi's options.
        """
        replicas = min(max(pubsub_members(spec) - 1, 1), MOST_REPLICAS)
        super().__init__(name, pubsub_facts(spec, replicas + 1, {"redis": REDIS_PORT}), opts)
        self.instance = redis.Instance(
            # At most 40 characters, of which the provider adds 8.
            # Source: terraform-provider-google at e03b7622, google_redis_instance, name, read 2026-11
            self.child_name("instance", 32),
            region=spec.target.region,
            display_name=f"Pub/sub of {spec.system.value}",
            tier="STANDARD_HA",
            redis_version=REDIS_VERSION,
            memory_size_gb=REDIS_GIB,
            replica_count=replicas,
            # Google lets one replica be for failover only, and more of them only where they can be read.
            read_replicas_mode="READ_REPLICAS_ENABLED" if replicas > 1 else "READ_REPLICAS_DISABLED",
            authorized_network=network.vpc.id,
            connect_mode="PRIVATE_SERVICE_ACCESS",
            reserved_ip_range=network.peering_range.name,
            auth_enabled=True,
            transit_encryption_mode="SERVER_AUTHENTICATION",
            customer_managed_key=key.key.id,
            persistence_config={"persistence_mode": "RDB", "rdb_snapshot_period": "TWENTY_FOUR_HOURS"},
            maintenance_policy={
                "weekly_maintenance_windows": [{"day": "SUNDAY", "start_time": {"hours": 2, "minutes": 0}}]
            },
            deletion_protection=True,
            labels=tier_label(Tier.CHANNELS),
            opts=self.store_options(depends_on=[network.peering, key.grants["redis"]]),
        )
        self.finish(endpoint=self.instance.host, port=REDIS_PORT, secret_ref=None, metrics_endpoint=None)
