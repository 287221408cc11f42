"""The object store on Azure: a storage account that takes no key, under the deployment's own, inside the network."""

from __future__ import annotations

from typing import Any, Final

import pulumi
from pulumi_azure_native import storage

from components.azure.key import AzureKey
from components.azure.private_network import PrivateNetwork
from components.azure.rights import Place
from components.base import SkerryComponent, checked_name
from components.clouds.managed import object_facts
from skerry.facts import StorageFact, Tier

ACCOUNT_NAME_LENGTH: Final = 16
"""Names of accounts have at most 24 characters of a to z and 0 to 9, of which the provider adds 8.

Source: pulumi-azure-native 3.29.0, StorageAccount.account_name, read 2026-11.
"""

CONTAINER: Final = "sensei"
BLOB_ZONE: Final = "privatelink.blob.core.windows.net"
"""Source: MicrosoftDocs azure-docs "Azure Private Endpoint private DNS zone values", read 2026-11."""

OLD_DAYS: Final = 90
"""Days that an old version is kept."""
DELETED_DAYS: Final = 30
"""Days in which a deleted blob or container comes back."""


class AzureObjectStore(SkerryComponent):
    """Blob Storage over three zones: versioned, never public, no key that could be copied, TLS only."""

    def __init__(
        self,
        name: str,
        place: Place,
        network: PrivateNetwork,
        key: AzureKey,
        *,
        account: str | None = None,
        container: str = CONTAINER,
        gib: int | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make account and container.

        Args:
            name: the component's name.
            place: where it is made; copies stay in its region, so inside the boundary.
            network: from which it is reached.
            key: of everything in it.
            account: its name, before what the provider adds; left out, that of the system.
            container: its name.
            gib: what finance should expect in it; left out, nobody says.
            opts: Pulumi's options.
        """
        told = object_facts(place.spec)
        if gib is not None:
            told = told.model_copy(update={"storage": (StorageFact(kind="bucket", gib=gib),)})
        super().__init__(name, told, opts)
        self.account = self._account(account or f"{place.spec.system.value[:9]}objects", place, key)
        self._keep_versions(place)
        self.container = storage.BlobContainer(
            self.child_name("container"),
            resource_group_name=place.group,
            account_name=self.account.name,
            container_name=container,
            public_access=storage.PublicAccess.NONE,
            opts=self.store_options(),
        )
        network.answer(self, "blob", self.account.id, "blob", BLOB_ZONE)
        self.finish(endpoint=self.container.name, port=443, secret_ref=None, metrics_endpoint=None)

    def _account(self, name: str, place: Place, key: AzureKey) -> storage.StorageAccount:
        encryption: Any = {
            "key_source": storage.KeySource.MICROSOFT_KEYVAULT,
            "encryption_identity": {"encryption_user_assigned_identity": key.stores.id},
            # Without a version the account takes each new one by itself.
            "key_vault_properties": {
                "key_name": key.key.name,
                "key_vault_uri": key.key.key_uri.apply(lambda uri: uri.partition("keys/")[0]),
            },
            "services": {"blob": {"enabled": True, "key_type": storage.KeyType.ACCOUNT}},
            "require_infrastructure_encryption": True,
        }
        identity: Any = {"type": storage.IdentityType.USER_ASSIGNED, "user_assigned_identities": [key.stores.id]}
        return storage.StorageAccount(
            checked_name(name, ACCOUNT_NAME_LENGTH),
            resource_group_name=place.group,
            location=place.region,
            kind=storage.Kind.STORAGE_V2,
            # Three zones of one region: what has GRS in its name is copied to another.
            sku={"name": storage.SkuName.STANDARD_ZRS},
            access_tier=storage.AccessTier.HOT,
            minimum_tls_version=storage.MinimumTlsVersion.TLS1_2,
            enable_https_traffic_only=True,
            public_network_access=storage.PublicNetworkAccess.DISABLED,
            network_rule_set={"default_action": storage.DefaultAction.DENY, "bypass": storage.Bypass.NONE},
            allow_blob_public_access=False,
            # Whoever has a key has everything, and nobody sees who it is: identities only.
            allow_shared_key_access=False,
            default_to_o_auth_authentication=True,
            allow_cross_tenant_replication=False,
            is_local_user_enabled=False,
            is_sftp_enabled=False,
            identity=identity,
            encryption=encryption,
            tags=place.tags(Tier.CHANNELS),
            opts=self.store_options(depends_on=key.grants),
        )

    def _keep_versions(self, place: Place) -> None:
        """Keep what is overwritten or deleted for a time, and no longer."""
        kept = storage.BlobServiceProperties(
            self.child_name("versions"),
            resource_group_name=place.group,
            account_name=self.account.name,
            blob_services_name="default",
            is_versioning_enabled=True,
            delete_retention_policy={"enabled": True, "days": DELETED_DAYS},
            container_delete_retention_policy={"enabled": True, "days": DELETED_DAYS},
            opts=self.child_options(),
        )
        storage.ManagementPolicy(
            self.child_name("lifecycle"),
            resource_group_name=place.group,
            account_name=self.account.name,
            management_policy_name="default",
            policy={
                "rules": [
                    {
                        "name": "old-versions",
                        "enabled": True,
                        "type": storage.RuleType.LIFECYCLE,
                        "definition": {
                            "filters": {"blob_types": ["blockBlob"]},
                            "actions": {"version": {"delete": {"days_after_creation_greater_than": OLD_DAYS}}},
                        },
                    }
                ]
            },
            # Rules for versions are refused where none are kept.
            opts=self.child_options(depends_on=[kept]),
        )
