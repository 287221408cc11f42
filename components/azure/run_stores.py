"""What services on Azure share: PostgreSQL and a cache; objects.py has the blobs, run_queue.py the queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pulumi
from pulumi_azure_native import dbforpostgresql, redisenterprise

from components.azure.key import AzureKey
from components.azure.postgres import ServerShape, flexible_server
from components.azure.private_network import PrivateNetwork
from components.azure.rights import Place
from components.azure.stores import POSTGRES_PORT, REDIS_PORT, REDIS_ZONE
from components.base import SkerryComponent
from skerry.config.application import CacheSpec, DatabaseSpec
from skerry.errors import CatalogError
from skerry.facts import BackupFact, ComponentFacts, Tier

MACHINES: Final[Mapping[str, tuple[int, float]]] = {
    "Standard_D2ds_v5": (2, 8),
    "Standard_D4ds_v5": (4, 16),
    "Standard_E4ds_v5": (4, 32),
    "Standard_D8ds_v5": (8, 32),
    "Standard_E8ds_v5": (8, 64),
    "Standard_D16ds_v5": (16, 64),
    "Standard_E16ds_v5": (16, 128),
    "Standard_D32ds_v5": (32, 128),
    "Standard_E32ds_v5": (32, 256),
    "Standard_D64ds_v5": (64, 256),
    "Standard_E64ds_v5": (64, 512),
}
"""Machine -> vCPU and GiB, those that can have a standby, smallest first.

Source: MicrosoftDocs/azure-databases-docs postgresql compute (not opened; names as public templates have them).
"""

CACHES: Final[Mapping[str, float]] = {
    "Balanced_B0": 0.5,
    "Balanced_B1": 1,
    "Balanced_B3": 3,
    "Balanced_B5": 6,
    "Balanced_B10": 12,
    "Balanced_B20": 24,
    "Balanced_B50": 60,
    "Balanced_B100": 120,
}
"""Kind -> GB that it keeps.

Source: of the names pulumi-azure-native 3.29.0, of the sizes as `REDIS_SKU` of stores.py says.
"""

RECOVERY_S: Final = 300
LEAST_BACKUP_DAYS: Final = 7


def machine_of(database: DatabaseSpec) -> str:
    """Return Azure's name of the smallest machine that has so many vCPU and so much memory.

    Raises:
        CatalogError: there is none.
    """
    if database.instance_type is not None:
        return database.instance_type
    for name, (vcpu, gib) in MACHINES.items():
        if vcpu >= database.vcpu and gib >= database.memory_gib:
            return name
    raise CatalogError(
        f"no machine of Azure's PostgreSQL has {database.vcpu} vCPU and {database.memory_gib:g} GiB: "
        "ask for less, or name one in instance_type"
    )


def cache_of(cache: CacheSpec) -> str:
    """Return Azure's name of the smallest cache that keeps so much.

    Raises:
        CatalogError: there is none.
    """
    for name, gib in CACHES.items():
        if gib >= cache.memory_gib:
            return name
    raise CatalogError(f"no Azure Managed Redis keeps {cache.memory_gib:g} GiB here: ask for 120 at most")


class AzureRunDatabase(SkerryComponent):
    """Azure Database for PostgreSQL: over zones where asked, in the network only, backed up each day."""

    def __init__(
        self,
        name: str,
        place: Place,
        database: DatabaseSpec,
        network: PrivateNetwork,
        key: AzureKey,
        *,
        password: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make server and database.

        Args:
            name: the component's name.
            place: where it is made.
            database: its size.
            network: from which it is reached.
            key: of its storage and backups.
            password: of the administrator, as whom the services log in.
            opts: Pulumi's options.

        Raises:
            CatalogError: no machine has what is asked.
        """
        zones, spec = min(database.zones, 2), place.spec
        days = max(database.retention_days, LEAST_BACKUP_DAYS)
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
                destination=f"backups of azure in {place.region}",
                jurisdiction=spec.target.jurisdiction,
                schedule="0 1 * * *",
                retention_days=days,
                recovery_point_s=RECOVERY_S,
            ),
        )
        super().__init__(name, facts, opts)
        self.server = self._server(place, database, network, key, password, days)
        made = dbforpostgresql.Database(
            self.child_name("database"),
            resource_group_name=place.group,
            server_name=self.server.name,
            database_name=database.name,
            charset="UTF8",
            opts=self.store_options(),
        )
        self.name = made.name
        if database.extensions:
            dbforpostgresql.Configuration(
                self.child_name("extensions"),
                resource_group_name=place.group,
                server_name=self.server.name,
                configuration_name="azure.extensions",
                source="user-override",
                value=",".join(one.upper() for one in database.extensions),
                opts=self.child_options(),
            )
        self.finish(
            endpoint=self.server.fully_qualified_domain_name,
            port=POSTGRES_PORT,
            secret_ref=None,
            metrics_endpoint=None,
        )

    def _server(
        self,
        place: Place,
        database: DatabaseSpec,
        network: PrivateNetwork,
        key: AzureKey,
        password: pulumi.Input[str],
        days: int,
    ) -> dbforpostgresql.Server:
        shape = ServerShape(
            machine=machine_of(database),
            gib=database.storage_gib,
            standby=database.zones > 1,
            backup_days=days,
            zone_of_names=f"{pulumi.get_stack()}.private.postgres.database.azure.com",
            tier=Tier.META,
        )
        return flexible_server(self, place, network, key, shape, password=password)


class AzureRunCache(SkerryComponent):
    """Azure Managed Redis, encrypted at rest and in transit, with an address in the network only."""

    def __init__(
        self,
        name: str,
        place: Place,
        cache: CacheSpec,
        network: PrivateNetwork,
        key: AzureKey,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the store.

        Args:
            name: the component's name.
            place: where it is made.
            cache: its size; Azure gives one standby, or none.
            network: from which it is reached.
            key: of what it keeps.
            opts: Pulumi's options.

        Raises:
            CatalogError: no store is as large.
        """
        members = min(cache.replicas, 2)
        super().__init__(name, _cache_facts(place, members), opts)
        encryption: Any = {
            "customer_managed_key_encryption": {
                "key_encryption_key_url": key.key.key_uri_with_version,
                "key_encryption_key_identity": {
                    "identity_type": "userAssignedIdentity",
                    "user_assigned_identity_resource_id": key.stores.id,
                },
            }
        }
        self.store = redisenterprise.RedisEnterprise(
            self.child_name("redis"),
            resource_group_name=place.group,
            location=place.region,
            sku={"name": cache_of(cache)},
            high_availability="Enabled" if members > 1 else "Disabled",
            minimum_tls_version="1.2",
            public_network_access="Disabled",
            identity={"type": "UserAssigned", "user_assigned_identities": [key.stores.id]},
            encryption=encryption,
            tags=place.tags(Tier.CHANNELS),
            opts=self.store_options(depends_on=key.grants),
        )
        database = redisenterprise.Database(
            self.child_name("database"),
            resource_group_name=place.group,
            cluster_name=self.store.name,
            database_name="default",
            port=REDIS_PORT,
            client_protocol="Encrypted",
            # Clients know one server, not a cluster of them.
            clustering_policy="NoCluster",
            eviction_policy="AllKeysLRU",
            access_keys_authentication="Enabled",
            opts=self.store_options(),
        )
        network.answer(self, "redis", self.store.id, "redisEnterprise", REDIS_ZONE)
        keys = redisenterprise.list_database_keys_output(
            resource_group_name=place.group,
            cluster_name=self.store.name,
            database_name=database.name,
            opts=pulumi.InvokeOutputOptions(parent=self, depends_on=[database]),
        )
        found: pulumi.Output[str] = keys.apply(lambda both: f"{both.primary_key}")
        self.password: pulumi.Output[str] = pulumi.Output.secret(found)
        self.finish(endpoint=self.store.host_name, port=REDIS_PORT, secret_ref=None, metrics_endpoint=None)


def _cache_facts(place: Place, members: int) -> ComponentFacts:
    """Return what readers may know of the cache."""
    return ComponentFacts(
        tier=Tier.CHANNELS,
        data_class=place.spec.data_class,
        role="pubsub",
        stateful=True,
        replicas=members,
        failure_domains=members,
        encrypted_at_rest=True,
        encrypted_in_transit=True,
        guarantee="at-most-once",
        ports={"redis": REDIS_PORT},
    )
