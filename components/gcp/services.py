"""The identity at Google Cloud by which External Secrets reads the deployment's secrets, and no others."""

from __future__ import annotations

import pulumi
from pulumi_gcp import projects

from components.base import SkerryComponent
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, Tier

ACCOUNT = "ns/{system}-operators/sa/external-secrets"
ROLE = "roles/secretmanager.secretAccessor"


def asks_google(spec: DeploymentSpec) -> bool:
    """Return whether a service needs an identity at Google Cloud."""
    found = spec.services.secrets
    return found is not None and found.cluster_secret_store is None


class GcpServiceIdentities(SkerryComponent):
    """Lets the controller's own service account read the secrets of the deployment's region and prefix."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        *,
        number: pulumi.Output[str],
        cluster: pulumi.Resource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Grant the role.

        Source: Google Cloud "Authenticate to Google Cloud APIs from GKE workloads", principals of Kubernetes service
        accounts (not opened; check before relying on it).

        Args:
            name: the component's name.
            spec: the deployment.
            number: the project's number.
            cluster: the cluster, with which the pool of identities comes.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.PLATFORM, role="identities"), opts)
        project, region = f"{spec.target.gcp.project}", spec.target.region
        prefix = spec.services.secrets.prefix if spec.services.secrets is not None else ""
        projects.IAMMember(
            self.child_name("secrets"),
            project=project,
            role=ROLE,
            member=number.apply(
                lambda known: (
                    f"principal://iam.googleapis.com/projects/{known}/locations/global/"
                    f"workloadIdentityPools/{project}.svc.id.goog/subject/"
                    f"{ACCOUNT.format(system=spec.system.value)}"
                )
            ),
            condition={
                "title": f"secrets of {prefix}",
                "expression": number.apply(
                    lambda known: f'resource.name.startsWith("projects/{known}/locations/{region}/secrets/{prefix}-")'
                ),
            },
            opts=self.child_options(depends_on=[cluster]),
        )
        self.finish()
