"""Who may do what on Azure: identities, and Azure's own roles on the one resource that each of them is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_azure_native import authorization, managedidentity

from components.azure.tags import tags_of
from components.base import SkerryComponent
from skerry.config.spec import DeploymentSpec
from skerry.facts import Tier

# Source: the ids of Azure's built-in roles as public templates and copies of Azure's own list name them, 2026-11
CRYPTO_SERVICE: Final = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
"""Key Vault Crypto Service Encryption User: wrap and unwrap with a key."""

CRYPTO_USER: Final = "12338af0-0e69-4776-bea7-57ae8d297424"
"""Key Vault Crypto User: also encrypt and decrypt with it, which the API of Kubernetes does."""

VAULT_CONTRIBUTOR: Final = "f25e0fa2-a7c4-4377-a976-54943a77a395"
"""Key Vault Contributor: the vault itself, not what it holds; AKS joins a private vault with it."""

BLOB_CONTRIBUTOR: Final = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
"""Storage Blob Data Contributor: read, write and delete blobs, and nothing of the account itself."""

BLOB_READER: Final = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
BLOB_OWNER: Final = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
"""Storage Blob Data Owner: what the host of functions asks for on the account of its own."""

SECRETS_USER: Final = "4633458b-17de-408a-b874-0445c86b69e6"
"""Key Vault Secrets User: read the values of secrets."""

BUS_SENDER: Final = "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39"
BUS_RECEIVER: Final = "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0"
REGISTRY_PULL: Final = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
"""AcrPull: pull images of one registry."""

NETWORK_CONTRIBUTOR: Final = "4d97b98b-1d4f-4787-a291-c67834d212e7"
CONTRIBUTOR: Final = "b24988ac-6180-42a0-ab88-20f7382dd24c"
READER: Final = "acdd72a7-3385-48ef-bd42-f606fba81ae7"


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything of a base stack is made."""

    spec: DeploymentSpec
    group: pulumi.Input[str]
    """The name of the resource group."""

    @property
    def region(self) -> str:
        """The region."""
        return self.spec.target.region

    def tags(self, tier: Tier) -> dict[str, str]:
        """Return the tags of what belongs to `tier`."""
        return tags_of(self.spec, tier)

    def role(self, role: str) -> str:
        """Return the full id of one of Azure's own roles."""
        return (
            f"/subscriptions/{self.spec.target.azure.subscription_id}/providers/Microsoft.Authorization"
            f"/roleDefinitions/{role}"
        )


def identity(parent: SkerryComponent, role: str, place: Place, tier: Tier) -> managedidentity.UserAssignedIdentity:
    """Make an identity that is nobody's but this deployment's."""
    return managedidentity.UserAssignedIdentity(
        parent.child_name(role),
        resource_group_name=place.group,
        location=place.region,
        tags=place.tags(tier),
        opts=parent.child_options(),
    )


def grant(
    parent: SkerryComponent,
    name: str,
    place: Place,
    who: managedidentity.UserAssignedIdentity,
    role: str,
    scope: pulumi.Input[str],
) -> authorization.RoleAssignment:
    """Give an identity a role on one resource."""
    return authorization.RoleAssignment(
        parent.child_name(name),
        principal_id=who.principal_id,
        # Without it Azure looks the identity up, and may not find one that was made a moment before.
        principal_type="ServicePrincipal",
        role_definition_id=place.role(role),
        scope=scope,
        opts=parent.child_options(),
    )
