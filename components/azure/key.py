"""The key of everything at rest on Azure, the vault that holds it, and who may use it."""

from __future__ import annotations

from typing import Any, Final

import pulumi
from pulumi_azure_native import compute, keyvault

from components.azure.private_network import PrivateNetwork
from components.azure.rights import CRYPTO_SERVICE, Place, grant, identity
from components.base import SkerryComponent, checked_name
from skerry.facts import ComponentFacts, Tier

VAULT_NAME_LENGTH: Final = 16
"""Names of vaults have at most 24 characters, of which the provider adds 8.

Source: Azure/azure-rest-api-specs Microsoft.KeyVault 2023-07-01 keys.json, vaultName, read 2026-11.
"""

KEY_BITS: Final = 3072
DELETED_DAYS: Final = 90
VAULT_ZONE: Final = "privatelink.vaultcore.azure.net"


class AzureKey(SkerryComponent):
    """Makes a private vault with one key, the set by which disks use it, and the identity by which stores do."""

    def __init__(
        self,
        name: str,
        place: Place,
        network: PrivateNetwork,
        *,
        machines: bool = True,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the key.

        Args:
            name: the component's name.
            place: where it is made.
            network: from which the vault is reached.
            machines: False where there are none, and so no disks.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.PLATFORM, role="key"), opts)
        self.vault = self._vault(place)
        network.answer(self, "vault", self.vault.id, "vault", VAULT_ZONE)
        self.key = keyvault.Key(
            self.child_name("key"),
            resource_group_name=place.group,
            vault_name=self.vault.name,
            properties={
                "kty": "RSA",
                "key_size": KEY_BITS,
                # Disks and stores wrap their own keys with it; the API of Kubernetes encrypts with it.
                "key_ops": ["encrypt", "decrypt", "wrapKey", "unwrapKey"],
                "attributes": {"enabled": True},
            },
            tags=place.tags(Tier.PLATFORM),
            opts=self.store_options(),
        )
        self.stores = identity(self, "stores", place, Tier.PLATFORM)
        """The identity of PostgreSQL and Redis: it may use the key and nothing else."""
        self.grants = [grant(self, "stores-may", place, self.stores, CRYPTO_SERVICE, self.key.id)]
        if machines:
            self.disks = self._disks(place)
        self.finish(key_id=self.key.key_uri_with_version)

    def _disks(self, place: Place) -> compute.DiskEncryptionSet:
        """Make the set by which disks of machines use the key."""
        disks = identity(self, "disks", place, Tier.PLATFORM)
        may = grant(self, "disks-may", place, disks, CRYPTO_SERVICE, self.key.id)
        return compute.DiskEncryptionSet(
            self.child_name("set"),
            resource_group_name=place.group,
            location=place.region,
            encryption_type="EncryptionAtRestWithCustomerKey",
            identity={"type": "UserAssigned", "user_assigned_identities": [disks.id]},
            active_key={"key_url": self.key.key_uri_with_version, "source_vault": {"id": self.vault.id}},
            rotation_to_latest_key_version_enabled=True,
            tags=place.tags(Tier.PLATFORM),
            opts=self.store_options(depends_on=[may]),
        )

    def _vault(self, place: Place) -> keyvault.Vault:
        properties: Any = {
            "tenant_id": place.spec.target.azure.tenant_id,
            "sku": {"family": "A", "name": "premium"},
            "enable_rbac_authorization": True,
            "enable_soft_delete": True,
            "soft_delete_retention_in_days": DELETED_DAYS,
            # Without it Azure refuses the key to disks and databases.
            "enable_purge_protection": True,
            "public_network_access": "Disabled",
            "network_acls": {"bypass": "AzureServices", "default_action": "Deny"},
        }
        return keyvault.Vault(
            checked_name(f"{place.spec.system.value[:10]}-vault", VAULT_NAME_LENGTH),
            resource_group_name=place.group,
            location=place.region,
            properties=properties,
            tags=place.tags(Tier.PLATFORM),
            opts=self.store_options(),
        )
