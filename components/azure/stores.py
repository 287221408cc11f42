"""Managed stores on Azure: PostgreSQL and pub/sub, both encrypted, private, protected; objects.py has the third."""

from __future__ import annotations

from typing import Final

import pulumi
from pulumi_azure_native import dbforpostgresql, redisenterprise

from components.azure.key import AzureKey
from components.azure.postgres import ServerShape, flexible_server
from components.azure.private_network import PrivateNetwork
from components.azure.rights import Place
from components.base import SkerryComponent
from components.clouds.managed import (
    ManagedStores,
    backup_days,
    managed_stores,
    pubsub_facts,
    relational_facts,
    relational_gib,
    relational_type,
)
from skerry.config.spec import DeploymentSpec, VectorStoreKind
from skerry.facts import Tier

POSTGRES_PORT: Final = 5432
POSTGRES_SKU: Final = "Standard_D2ds_v5"
"""2 vCPU and 8 GiB, as the general purpose tier has it, which can have a standby in another zone."""

BACKUP_DAYS: Final = 14

REDIS_PORT: Final = 10000
REDIS_SKU: Final = "Balanced_B5"
"""6 GB over two nodes, the least that Azure lets keep its data beside a standby.

Source: `SkuName` of pulumi-azure-native 3.29.0, module redisenterprise; of its size MicrosoftDocs/azure-docs
articles/redis/best-practices-performance.md at 0b8729ea, whose sizes stand in the order of the names, read 2026-11.
"""

REDIS_ZONE: Final = "privatelink.redis.azure.net"
"""Source: MicrosoftDocs "Azure Private Endpoint private DNS zone values", Azure Managed Redis, read 2026-11."""


def azure_stores(spec: DeploymentSpec) -> ManagedStores:
    """Return which stores Azure runs: a PostgreSQL for which no password is named runs in the cluster."""
    wanted = managed_stores(spec)
    password = spec.target.azure.postgres_admin_secret is not None
    return ManagedStores(
        relational=wanted.relational and password, object_store=wanted.object_store, pubsub=wanted.pubsub
    )


class AzurePostgres(SkerryComponent):
    """Azure Database for PostgreSQL with a standby in another zone, reachable from the network only."""

    def __init__(
        self,
        name: str,
        place: Place,
        network: PrivateNetwork,
        key: AzureKey,
        *,
        password: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the server.

        Args:
            name: the component's name.
            place: where it is made; `meta.relational.storage_gib` is its size.
            network: from which it is reached.
            key: of its storage and backups.
            password: of the administrator, who makes the users of the platform.
            opts: Pulumi's options.
        """
        spec = place.spec
        super().__init__(name, relational_facts(spec, POSTGRES_PORT), opts)
        shape = ServerShape(
            machine=relational_type(spec, POSTGRES_SKU),
            gib=relational_gib(spec),
            standby=True,
            backup_days=backup_days(spec, BACKUP_DAYS, 7),
            zone_of_names=f"{pulumi.get_stack().removesuffix('-base')}.private.postgres.database.azure.com",
            tier=Tier.CHANNELS,
        )
        self.server = flexible_server(self, place, network, key, shape, password=password)
        if spec.meta.vector_store is VectorStoreKind.PGVECTOR:
            self._allow("VECTOR", place)
        self.finish(
            endpoint=self.server.fully_qualified_domain_name,
            port=POSTGRES_PORT,
            secret_ref=None,
            metrics_endpoint=None,
        )

    def _allow(self, extension: str, place: Place) -> None:
        """Let owners of databases make an extension: Azure makes none that the server does not list.

        Source: Azure "Allow extensions in Flexible Server", azure.extensions (not opened; check before relying on it).
        """
        dbforpostgresql.Configuration(
            self.child_name("extensions"),
            resource_group_name=place.group,
            server_name=self.server.name,
            configuration_name="azure.extensions",
            source="user-override",
            value=extension,
            opts=self.child_options(),
        )


class AzurePubSub(SkerryComponent):
    """Azure Managed Redis over zones, encrypted at rest and in transit, with an address in the network only."""

    def __init__(
        self,
        name: str,
        place: Place,
        network: PrivateNetwork,
        key: AzureKey,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the store.

        Args:
            name: the component's name.
            place: where it is made.
            network: from which it is reached.
            key: of what it keeps.
            opts: Pulumi's options.
        """
        super().__init__(name, pubsub_facts(place.spec, 2, {"redis": REDIS_PORT}), opts)
        self.store = redisenterprise.RedisEnterprise(
            self.child_name("redis"),
            resource_group_name=place.group,
            location=place.region,
            sku={"name": REDIS_SKU},
            # Azure itself puts the two nodes into two zones where the region has them.
            high_availability="Enabled",
            minimum_tls_version="1.2",
            public_network_access="Disabled",
            identity={"type": "UserAssigned", "user_assigned_identities": [key.stores.id]},
            encryption={
                "customer_managed_key_encryption": {
                    "key_encryption_key_url": key.key.key_uri_with_version,
                    "key_encryption_key_identity": {
                        "identity_type": "userAssignedIdentity",
                        "user_assigned_identity_resource_id": key.stores.id,
                    },
                }
            },
            tags=place.tags(Tier.CHANNELS),
            opts=self.store_options(depends_on=key.grants),
        )
        redisenterprise.Database(
            self.child_name("database"),
            resource_group_name=place.group,
            cluster_name=self.store.name,
            database_name="default",
            port=REDIS_PORT,
            client_protocol="Encrypted",
            # Ray and the agents are clients of one server, not of a cluster of them.
            clustering_policy="NoCluster",
            # Head state of Ray must not be thrown away to make room.
            eviction_policy="NoEviction",
            access_keys_authentication="Enabled",
            persistence={"aof_enabled": False, "rdb_enabled": True, "rdb_frequency": "12h"},
            opts=self.store_options(),
        )
        network.answer(self, "redis", self.store.id, "redisEnterprise", REDIS_ZONE)
        self.finish(endpoint=self.store.host_name, port=REDIS_PORT, secret_ref=None, metrics_endpoint=None)
