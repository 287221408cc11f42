"""Secrets of services on Google Cloud: each value in Secret Manager, in one region, under the deployment's key."""

from __future__ import annotations

import pulumi
from pulumi_gcp import secretmanager

from components.base import SkerryComponent
from components.gcp.key import GcpKey
from components.gcp.labels import tier_label
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, Tier


class GcpRunSecrets(SkerryComponent):
    """Holds what services are given as variables and nobody may read beside them."""

    def __init__(
        self, name: str, spec: DeploymentSpec, key: GcpKey, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Make the room of secrets, which is empty.

        Args:
            name: the component's name.
            spec: the deployment.
            key: of everything in it.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.PLATFORM, role="secrets", encrypted_at_rest=True), opts)
        self._region, self._key = spec.target.region, key
        self._made: dict[str, secretmanager.Secret] = {}
        self._versions: dict[str, secretmanager.SecretVersion] = {}

    def add(self, role: str, value: pulumi.Input[str]) -> str:
        """Keep a value, and return the role by which it is asked for; one that is there already is left as it is."""
        if role not in self._made:
            secret = secretmanager.Secret(
                self.child_name(role),
                secret_id=f"{pulumi.get_stack()}-{role}",
                replication={
                    "user_managed": {
                        "replicas": [
                            {
                                "location": self._region,
                                "customer_managed_encryption": {"kms_key_name": self._key.key.id},
                            }
                        ]
                    }
                },
                labels=tier_label(Tier.PLATFORM),
                opts=self.child_options(depends_on=[self._key.grants["secrets"]]),
            )
            self._made[role] = secret
            self._versions[role] = secretmanager.SecretVersion(
                self.child_name(role),
                secret=secret.id,
                secret_data=pulumi.Output.secret(value),
                opts=self.child_options(),
            )
        return role

    def secret(self, role: str) -> secretmanager.Secret:
        """Return what holds a value."""
        return self._made[role]

    def version(self, role: str) -> pulumi.Output[str]:
        """Return the number of the value that is meant: a new value makes a new revision of who reads it."""
        return self._versions[role].version

    def let_read(self, role: str, owner: SkerryComponent, member: pulumi.Input[str]) -> pulumi.Resource:
        """Let an account read one value."""
        return secretmanager.SecretIamMember(
            owner.child_name(f"reads-{role}"),
            secret_id=self._made[role].id,
            role="roles/secretmanager.secretAccessor",
            member=member,
            opts=owner.child_options(),
        )
