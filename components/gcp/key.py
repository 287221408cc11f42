"""The key of everything at rest on Google Cloud, and who may use it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import pulumi
from pulumi_gcp import kms, projects

from components.base import SkerryComponent
from components.clouds.managed import ManagedStores
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, Tier

USER_ROLE: Final = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
"""Source: terraform-provider-google at e03b7622, google_sql_database_instance, example with CMEK, read 2026-11."""

ROTATION: Final = f"{90 * 24 * 3600}s"
DESTROYED_AFTER: Final = f"{30 * 24 * 3600}s"

AGENTS: Final[Mapping[str, str]] = {
    "gke": "service-{}@container-engine-robot.iam.gserviceaccount.com",
    "compute": "service-{}@compute-system.iam.gserviceaccount.com",
    "storage": "service-{}@gs-project-accounts.iam.gserviceaccount.com",
    "run": "service-{}@serverless-robot-prod.iam.gserviceaccount.com",
}
"""Google's own accounts of a project, by its number: they encrypt secrets of Kubernetes, disks, objects and images.

Source: Google Cloud "Service agents" (not opened; seen in public Terraform of Cloud Foundation Fabric, 2026-11).
"""

IDENTITIES: Final[Mapping[str, str]] = {
    "sql": "sqladmin.googleapis.com",
    "redis": "redis.googleapis.com",
    "secrets": "secretmanager.googleapis.com",
    "queue": "pubsub.googleapis.com",
}
"""Services whose account is made when it is asked for.

Source: terraform-provider-google at e03b7622, google_sql_database_instance "CMEK" and google_project_service_identity,
read 2026-11.
"""


class GcpKey(SkerryComponent):
    """Makes the key ring and the one key of a deployment, in its region, and lets Google's own accounts use it."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        stores: ManagedStores | None = None,
        *,
        project_number: pulumi.Input[str],
        users: Collection[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the key.

        Args:
            name: the component's name.
            spec: the deployment.
            stores: of a cluster, which of them Google runs: only their accounts get a right.
            project_number: of the project, as Google's accounts bear it.
            users: without a cluster, roles of `AGENTS` and `IDENTITIES` that get a right.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.PLATFORM, role="key"), opts)
        ring = kms.KeyRing(self.child_name("ring"), location=spec.target.region, opts=self.store_options())
        self.key = kms.CryptoKey(
            self.child_name("key"),
            key_ring=ring.id,
            purpose="ENCRYPT_DECRYPT",
            rotation_period=ROTATION,
            destroy_scheduled_duration=DESTROYED_AFTER,
            opts=self.store_options(),
        )
        self.grants: dict[str, pulumi.Resource] = {}
        """Who may use the key -> what gives the right: whoever is encrypted with it is made after."""
        wanted = {*users} if stores is None else _of_cluster(stores)
        for role, account in AGENTS.items():
            if role not in wanted:
                continue
            email = pulumi.Output.from_input(project_number).apply(account.format)
            self._grant(role, pulumi.Output.concat("serviceAccount:", email))
        self.identities: dict[str, pulumi.Output[str]] = {}
        """Role of `IDENTITIES` -> its account, as a member of a right."""
        for role, service in IDENTITIES.items():
            if role in wanted:
                identity = projects.ServiceIdentity(
                    self.child_name(role),
                    project=spec.target.gcp.project,
                    service=service,
                    opts=self.child_options(),
                )
                self.identities[role] = identity.member
                self._grant(role, identity.member)
        self.finish(key_id=self.key.id)

    def _grant(self, role: str, member: pulumi.Input[str]) -> None:
        self.grants[role] = kms.CryptoKeyIAMMember(
            self.child_name(f"{role}-may"),
            crypto_key_id=self.key.id,
            role=USER_ROLE,
            member=member,
            opts=self.child_options(),
        )


def _of_cluster(stores: ManagedStores) -> set[str]:
    """Return who uses the key of a cluster: itself, its machines, and the stores that Google runs for it."""
    managed = {"storage": stores.object_store, "sql": stores.relational, "redis": stores.pubsub}
    return {"gke", "compute"} | {role for role, runs in managed.items() if runs}
