"""Secrets of services on Azure: each value in the deployment's vault, read by reference."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import keyvault

from components.azure.key import AzureKey
from components.azure.rights import Place
from components.base import SkerryComponent
from skerry.facts import ComponentFacts, Tier


class AzureRunSecrets(SkerryComponent):
    """Holds what services are given as variables and nobody may read beside them."""

    def __init__(self, name: str, place: Place, key: AzureKey, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the room of secrets, which is empty.

        Args:
            name: the component's name.
            place: where it is made.
            key: whose vault it is.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.PLATFORM, role="secrets", encrypted_at_rest=True), opts)
        self._place, self._vault = place, key.vault
        self._made: dict[str, keyvault.Secret] = {}

    def add(self, role: str, value: pulumi.Input[str]) -> str:
        """Keep a value, and return the role by which it is asked for; one that is there already is left as it is."""
        if role not in self._made:
            self._made[role] = keyvault.Secret(
                self.child_name(role),
                resource_group_name=self._place.group,
                vault_name=self._vault.name,
                secret_name=role,
                properties={"value": pulumi.Output.secret(value), "attributes": {"enabled": True}},
                tags=self._place.tags(Tier.PLATFORM),
                opts=self.child_options(),
            )
        return role

    def id_of(self, role: str) -> pulumi.Output[str]:
        """Return the id of a secret, for a right on it alone."""
        found: pulumi.Output[str] = self._made[role].id
        return found

    def url(self, role: str) -> pulumi.Output[str]:
        """Return the address of a value, whose version is part of it: a new value makes a new revision."""
        return self._made[role].properties.apply(lambda found: f"{found.secret_uri_with_version}")
