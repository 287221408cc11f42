"""What services on Google Cloud share: PostgreSQL, a cache and a queue; stores.py has the bucket."""

from __future__ import annotations

import math
from typing import Final

import pulumi
from pulumi_gcp import pubsub, redis, sql

from components.base import SkerryComponent
from components.gcp.key import GcpKey
from components.gcp.labels import labels_of, tier_label
from components.gcp.run_network import GcpRunNetwork
from components.gcp.stores import LOG_DAYS, MOST_REPLICAS, POSTGRES_PORT, POSTGRES_VERSION, REDIS_PORT, REDIS_VERSION
from skerry.config.application import CacheSpec, DatabaseSpec, QueueSpec
from skerry.config.spec import DeploymentSpec
from skerry.facts import BackupFact, ComponentFacts, Tier

# Source: pulumi-gcp 10.2.0, DatabaseInstance.settings.edition and terraform-provider-google's machine types (custom
# machines of 1 or an even number of vCPU, 0.9 to 6.5 GiB each, 3.75 GiB at least, by 256 MiB), read 2026-11
LEAST_GIB: Final = 3.75
GIB_PER_VCPU: Final = (0.9, 6.5)

USER: Final = "app"
DAY_S: Final = 86_400
LONGEST_ACK_S: Final = 600
"""A job that takes longer is held by its worker's client, which asks for more time.

Source: pulumi-gcp 10.2.0, Subscription.ack_deadline_seconds: 10 to 600, read 2026-11.
"""

READ_REPLICAS_GIB: Final = 5
RECOVERY_S: Final = 300
"""As of the managed stores of a cluster: see components/clouds/managed.py."""


def machine_of(database: DatabaseSpec) -> str:
    """Return Cloud SQL's name of the smallest machine that has so many vCPU and so much memory."""
    if database.instance_type is not None:
        return database.instance_type
    vcpu = database.vcpu if database.vcpu == 1 else 2 * math.ceil(database.vcpu / 2)
    while vcpu * GIB_PER_VCPU[1] < database.memory_gib:
        vcpu = 2 if vcpu == 1 else vcpu + 2
    gib = max(database.memory_gib, LEAST_GIB, vcpu * GIB_PER_VCPU[0])
    return f"db-custom-{vcpu}-{256 * math.ceil(gib * 4)}"


class GcpRunDatabase(SkerryComponent):
    """Cloud SQL for PostgreSQL: over zones where asked, reachable from the network only, backed up each day."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        database: DatabaseSpec,
        network: GcpRunNetwork,
        key: GcpKey,
        *,
        password: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make instance, database and user.

        Args:
            name: the component's name.
            spec: the deployment.
            database: its size.
            network: from which it is reached.
            key: of its storage and backups.
            password: of the user; left out, nobody can log in until the site makes one.
            opts: Pulumi's options.
        """
        zones = min(database.zones, 2)
        facts = ComponentFacts(
            tier=Tier.META,
            data_class=spec.data_class,
            role="relational-store",
            stateful=True,
            replicas=zones,
            failure_domains=zones,
            encrypted_at_rest=True,
            encrypted_in_transit=True,
            ports={"postgresql": POSTGRES_PORT},
            backup=BackupFact(
                method="managed",
                destination=f"backups of gcp in {spec.target.region}",
                jurisdiction=spec.target.jurisdiction,
                schedule="0 1 * * *",
                retention_days=database.retention_days,
                recovery_point_s=RECOVERY_S,
            ),
        )
        super().__init__(name, facts, opts)
        self.instance = self._instance(spec, database, network, key)
        made = sql.Database(
            self.child_name("database"),
            instance=self.instance.name,
            name=database.name,
            # A database that leaves the program stays: the instance is what is protected.
            deletion_policy="ABANDON",
            opts=self.child_options(),
        )
        self.name = made.name
        if password is not None:
            sql.User(
                self.child_name("user"),
                instance=self.instance.name,
                name=USER,
                password=pulumi.Output.secret(password),
                deletion_policy="ABANDON",
                opts=self.child_options(),
            )
        self.finish(
            endpoint=self.instance.private_ip_address, port=POSTGRES_PORT, secret_ref=None, metrics_endpoint=None
        )

    def _instance(
        self, spec: DeploymentSpec, database: DatabaseSpec, network: GcpRunNetwork, key: GcpKey
    ) -> sql.DatabaseInstance:
        waits = [one for one in (network.peering, key.grants["sql"]) if one is not None]
        return sql.DatabaseInstance(
            self.child_name("instance"),
            region=spec.target.region,
            database_version=POSTGRES_VERSION,
            encryption_key_name=key.key.id,
            deletion_protection=True,
            settings={
                "edition": "ENTERPRISE",
                "tier": machine_of(database),
                "availability_type": "REGIONAL" if database.zones > 1 else "ZONAL",
                "disk_type": "PD_SSD",
                "disk_size": database.storage_gib,
                "disk_autoresize": True,
                "deletion_protection_enabled": True,
                "retain_backups_on_delete": True,
                "backup_configuration": {
                    "enabled": True,
                    "point_in_time_recovery_enabled": True,
                    "transaction_log_retention_days": min(database.retention_days, LOG_DAYS),
                    "start_time": "01:00",
                    # Left out, backups lie in the multi-region that is nearest.
                    "location": spec.target.region,
                    "backup_retention_settings": {
                        "retained_backups": database.retention_days,
                        "retention_unit": "COUNT",
                    },
                },
                "ip_configuration": {
                    "ipv4_enabled": False,
                    "private_network": network.vpc.id,
                    "allocated_ip_range": network.peering_range.name if network.peering_range else None,
                    "ssl_mode": "ENCRYPTED_ONLY",
                },
                "database_flags": [{"name": "cloudsql.iam_authentication", "value": "on"}],
                "insights_config": {"query_insights_enabled": True},
                "maintenance_window": {"day": 7, "hour": 2, "update_track": "stable"},
                "user_labels": labels_of(spec, Tier.META),
            },
            opts=self.store_options(depends_on=waits),
        )


class GcpRunCache(SkerryComponent):
    """Memorystore for Redis: a password of its own making, encrypted at rest and in transit.

    Memorystore for Valkey lets in by tokens of IAM alone, which a client that knows a password cannot give: so the
    contract of every runtime, host, port and password, is kept by this one, whose protocol is the same.
    """

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        cache: CacheSpec,
        network: GcpRunNetwork,
        key: GcpKey,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the instance.

        Args:
            name: the component's name.
            spec: the deployment.
            cache: its size.
            network: from which it is reached.
            key: of what it keeps.
            opts: Pulumi's options.
        """
        replicas = min(cache.replicas - 1, MOST_REPLICAS)
        gib = max(math.ceil(cache.memory_gib), READ_REPLICAS_GIB if replicas > 1 else 1)
        facts = ComponentFacts(
            tier=Tier.CHANNELS,
            data_class=spec.data_class,
            role="pubsub",
            stateful=True,
            replicas=replicas + 1,
            failure_domains=min(replicas + 1, max(len(spec.target.failure_domains), 1)),
            encrypted_at_rest=True,
            encrypted_in_transit=True,
            guarantee="at-most-once",
            ports={"redis": REDIS_PORT},
        )
        super().__init__(name, facts, opts)
        waits = [one for one in (network.peering, key.grants["redis"]) if one is not None]
        self.instance = redis.Instance(
            self.child_name("instance", 32),
            region=spec.target.region,
            display_name=f"Cache of {spec.system.value}",
            tier="STANDARD_HA" if replicas else "BASIC",
            redis_version=REDIS_VERSION,
            memory_size_gb=gib,
            replica_count=replicas or None,
            read_replicas_mode="READ_REPLICAS_ENABLED" if replicas > 1 else "READ_REPLICAS_DISABLED",
            authorized_network=network.vpc.id,
            connect_mode="PRIVATE_SERVICE_ACCESS",
            reserved_ip_range=network.peering_range.name if network.peering_range else None,
            auth_enabled=True,
            transit_encryption_mode="SERVER_AUTHENTICATION",
            customer_managed_key=key.key.id,
            persistence_config={"persistence_mode": "DISABLED"},
            maintenance_policy={
                "weekly_maintenance_windows": [{"day": "SUNDAY", "start_time": {"hours": 2, "minutes": 0}}]
            },
            deletion_protection=True,
            labels=tier_label(Tier.CHANNELS),
            opts=self.store_options(depends_on=waits),
        )
        self.finish(endpoint=self.instance.host, port=REDIS_PORT, secret_ref=None, metrics_endpoint=None)


class GcpRunQueue(SkerryComponent):
    """Pub/Sub in one region: jobs at least once, and a topic for what fails again and again."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        queue: QueueSpec,
        key: GcpKey,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make topics and subscriptions.

        Args:
            name: the component's name.
            spec: the deployment.
            queue: how long a job may take, how often it is tried, how long it waits.
            key: of every job.
            opts: Pulumi's options.
        """
        facts = ComponentFacts(
            tier=Tier.CHANNELS,
            data_class=spec.data_class,
            role="queue",
            stateful=True,
            encrypted_at_rest=True,
            encrypted_in_transit=True,
            guarantee="durable",
        )
        super().__init__(name, facts, opts)
        self._region, self._key, self._kept = spec.target.region, key, f"{queue.retention_days * DAY_S}s"
        agent = key.identities["queue"]
        self.topic = self._topic("jobs")
        aside = self._topic("failed")
        may = pubsub.TopicIAMMember(
            self.child_name("sets-aside"),
            topic=aside.name,
            role="roles/pubsub.publisher",
            member=agent,
            opts=self.child_options(),
        )
        self.subscription = pubsub.Subscription(
            self.child_name("jobs"),
            topic=self.topic.id,
            ack_deadline_seconds=min(queue.longest_job_s, LONGEST_ACK_S),
            message_retention_duration=self._kept,
            expiration_policy={"ttl": ""},
            retry_policy={"minimum_backoff": "10s", "maximum_backoff": "600s"},
            dead_letter_policy={"dead_letter_topic": aside.id, "max_delivery_attempts": queue.attempts},
            labels=tier_label(Tier.CHANNELS),
            opts=self.child_options(depends_on=[may]),
        )
        pubsub.SubscriptionIAMMember(
            self.child_name("takes-out"),
            subscription=self.subscription.name,
            role="roles/pubsub.subscriber",
            member=agent,
            opts=self.child_options(),
        )
        pubsub.Subscription(
            self.child_name("failed"),
            topic=aside.id,
            # For people: what nobody takes out in that time is gone.
            message_retention_duration=f"{31 * DAY_S}s",
            expiration_policy={"ttl": ""},
            labels=tier_label(Tier.CHANNELS),
            opts=self.child_options(),
        )
        self.finish(endpoint=self.topic.id, port=443, secret_ref=None, metrics_endpoint=None)

    def _topic(self, role: str) -> pubsub.Topic:
        return pubsub.Topic(
            self.child_name(role),
            kms_key_name=self._key.key.id,
            # Left out, jobs may lie in any region of Google's.
            message_storage_policy={"allowed_persistence_regions": [self._region], "enforce_in_transit": True},
            labels=tier_label(Tier.CHANNELS),
            opts=self.child_options(depends_on=[self._key.grants["queue"]]),
        )
