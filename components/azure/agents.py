"""The identities of pods on Azure: one for each service account, trusted by Entra through the cluster's own issuer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pulumi
from pulumi_azure_native import containerservice, managedidentity, storage

from components.azure.rights import BLOB_CONTRIBUTOR, Place, grant, identity
from components.base import SkerryComponent
from components.clouds.managed import service_namespaces
from skerry.config.edge import SYNC_NAMESPACE
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, Tier

NAMESPACES: Final[Mapping[Tier, str]] = {
    Tier.COGNITIVE: "sensei-cognitive",
    Tier.EXECUTION: "sensei-execution",
    Tier.META: "sensei-meta",
}


def agent_namespaces(spec: DeploymentSpec) -> dict[Tier, str]:
    """Return the namespaces with pods that reach objects: of tiers and of what reconciles devices, or of services."""
    services = service_namespaces(spec)
    if services:
        return dict(zip((Tier.EXECUTION,), services, strict=True))
    return {**NAMESPACES, **({Tier.CHANNELS: SYNC_NAMESPACE} if spec.edge is not None else {})}


ACCOUNT: Final = "agents"
"""The service account of agents, inference servers and MLflow in each of them."""

# Source: Azure AD Workload Identity "Quick Start" and "Labels and annotations"; AKS "Deploy and configure an AKS
# cluster with workload identity", read 2026-11
AUDIENCE: Final = "api://AzureADTokenExchange"
CLIENT_ANNOTATION: Final = "azure.workload.identity/client-id"
POD_LABELS: Final = {"azure.workload.identity/use": "true"}
"""Pods without it are left alone by Azure's webhook."""


class AgentIdentities(SkerryComponent):
    """Makes an identity for the agents of each tier; a token of another service account is worth nothing to Entra."""

    def __init__(
        self,
        name: str,
        place: Place,
        cluster: containerservice.ManagedCluster,
        container: storage.BlobContainer,
        namespaces: Mapping[Tier, str] = NAMESPACES,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the identities.

        Args:
            name: the component's name.
            place: where they are made.
            cluster: whose issuer is trusted.
            container: what they may read and write, and nothing else.
            namespaces: tier -> where its agents are.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.PLATFORM, role="identities"), opts)
        issuer = cluster.oidc_issuer_profile.apply(lambda told: f"{told.issuer_url}" if told else "")
        self.client_ids: dict[Tier, pulumi.Output[str]] = {}
        for tier, namespace in namespaces.items():
            who = identity(self, tier.value, place, tier)
            # One for each identity: Azure refuses two that are made at once for the same.
            managedidentity.FederatedIdentityCredential(
                self.child_name(tier.value),
                resource_group_name=place.group,
                resource_name_=who.name,
                issuer=issuer,
                subject=f"system:serviceaccount:{namespace}:{ACCOUNT}",
                audiences=[AUDIENCE],
                opts=self.child_options(),
            )
            grant(self, f"{tier.value}-objects", place, who, BLOB_CONTRIBUTOR, container.id)
            self.client_ids[tier] = who.client_id
        self.finish()


def annotations_of(
    client_ids: Mapping[Tier, pulumi.Input[str]], namespaces: Mapping[Tier, str] = NAMESPACES
) -> dict[str, dict[str, pulumi.Input[str]]]:
    """Return `<namespace>/<service account>` -> the annotations that give it its identity."""
    return {f"{namespaces[tier]}/{ACCOUNT}": {CLIENT_ANNOTATION: found} for tier, found in client_ids.items()}
