"""The base stack of a deployment on Azure: network, cluster, machines and managed stores, under one key."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_azure_native as azure_native
from pulumi_azure_native import resources

from components.azure.agents import AgentIdentities, agent_namespaces
from components.azure.cluster import AzureCluster
from components.azure.data_access import AzureDataAccess
from components.azure.key import AzureKey
from components.azure.network import AzureNetwork
from components.azure.objects import AzureObjectStore
from components.azure.rights import Place
from components.azure.stores import AzurePostgres, AzurePubSub, azure_stores
from components.azure.tags import tags_of
from components.base import SkerryComponent, checked_name
from skerry.config.data_access import crosses
from skerry.config.spec import DeploymentSpec
from skerry.errors import ConfigError, Problem
from skerry.facts import ComponentFacts, Tier

CLUSTER_NAME_LENGTH: Final = 54
"""Of the prefix of its names. Source: hashicorp/terraform-provider-azurerm pull 20813, `dns_prefix`, read 2026-11."""


class AzureBase(SkerryComponent):
    """Makes everything of a deployment that lies outside Kubernetes."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        *,
        postgres_password: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the base.

        Args:
            name: the component's name.
            spec: the deployment.
            postgres_password: of the administrator of PostgreSQL, where Azure runs it.
            opts: Pulumi's options.

        Raises:
            CatalogError: no machine type has what a pool asks.
            ConfigError: the network is too small for the plan, or PostgreSQL has no password.
        """
        super().__init__(
            name,
            ComponentFacts(tier=Tier.PLATFORM, role="base", jurisdiction=spec.target.jurisdiction),
            opts,
        )
        self._spec = spec
        cluster_name = checked_name(pulumi.get_stack().removesuffix("-base"), CLUSTER_NAME_LENGTH)
        provider = azure_provider(self, spec)
        inside = pulumi.ResourceOptions(parent=self, providers=[provider])
        group = resources.ResourceGroup(
            self.child_name("group"),
            location=spec.target.region,
            tags=tags_of(spec, Tier.PLATFORM),
            # What is in a group is deleted with it, and stores are to stay.
            # Source: learn.microsoft.com/rest/api/resources/resourcegroups/delete, read 2026-11.
            opts=pulumi.ResourceOptions(parent=self, provider=provider, protect=True, retain_on_delete=True),
        )
        place = Place(spec, group.name)
        self._network = AzureNetwork(self.child_name("network"), place, opts=inside)
        self._key = AzureKey(self.child_name("encryption"), place, self._network, opts=inside)
        self._cluster = AzureCluster(
            self.child_name("cluster"), place, self._network, self._key, cluster_name=cluster_name, opts=inside
        )
        if crosses(spec.execution.data_endpoints):
            AzureDataAccess(self.child_name("data"), place, self._network, opts=inside)
        self._stores = self._managed_stores(place, postgres_password, inside)
        self._group = group
        self.finish()

    def stack_outputs(self) -> dict[str, pulumi.Input[object]]:
        """Return what the platform stack needs."""
        ranges = self._network.ranges
        return {
            "clusterName": self._cluster.aks.name,
            "resourceGroup": self._group.name,
            "kubeconfig": self._cluster.kubeconfig,
            "region": self._spec.target.region,
            "network": self._spec.target.azure.network_cidr,
            "endpointsNetwork": str(ranges.endpoints),
            "postgresNetwork": str(ranges.postgres),
            "diskEncryptionSetId": self._key.disks.id,
            **self._stores,
        }

    def _managed_stores(
        self, place: Place, password: pulumi.Input[str] | None, inside: pulumi.ResourceOptions
    ) -> dict[str, pulumi.Input[object]]:
        """Make the stores that Azure is to run, and return where they are; the others run in the cluster."""
        wanted = azure_stores(self._spec)
        found: dict[str, pulumi.Input[object]] = {}
        if wanted.relational:
            if password is None:
                problem = Problem("target.azure.postgres_admin_secret", "names no key that is set", "set it")
                raise ConfigError(pulumi.get_stack(), [problem])
            postgres = AzurePostgres(
                self.child_name("postgres"), place, self._network, self._key, password=password, opts=inside
            )
            found["postgresEndpoint"] = postgres.endpoint
        if wanted.pubsub:
            pubsub = AzurePubSub(self.child_name("pubsub"), place, self._network, self._key, opts=inside)
            found["pubsubEndpoint"] = pubsub.endpoint
        if wanted.object_store:
            objects = AzureObjectStore(self.child_name("objects"), place, self._network, self._key, opts=inside)
            agents = AgentIdentities(
                self.child_name("agents"),
                place,
                self._cluster.aks,
                objects.container,
                agent_namespaces(self._spec),
                opts=inside,
            )
            found["storageAccount"] = objects.account.name
            found["container"] = objects.container.name
            found |= {f"{tier.value}ClientId": client_id for tier, client_id in agents.client_ids.items()}
        return found


def azure_provider(parent: SkerryComponent, spec: DeploymentSpec) -> azure_native.Provider:
    """Make the one provider of a stack: its subscription, its tenant, its region."""
    return azure_native.Provider(
        parent.child_name("azure"),
        subscription_id=spec.target.azure.subscription_id,
        tenant_id=spec.target.azure.tenant_id,
        location=spec.target.region,
        disable_pulumi_partner_id=True,
        opts=pulumi.ResourceOptions(parent=parent),
    )
