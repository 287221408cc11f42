"""The platform stack of a deployment on Azure: what the tiers need of the base, and the class of their volumes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from components.azure.agents import POD_LABELS, agent_namespaces, annotations_of
from components.azure.cluster import pools_of
from components.azure.nodes import AUTOSCALER, SPOT_TAINT, is_spot, machine_of
from components.azure.stores import POSTGRES_PORT, REDIS_PORT, azure_stores
from components.base import SkerryComponent
from components.channels.pubsub import AUTH_SECRET
from components.clouds.base_stack import base_of, output_of
from components.clouds.platform import cluster_of, connection, makes_class, storage_class
from components.configuration import FlatConfig
from components.kubernetes.cluster import ManagedService, Placement
from components.kubernetes.gpu_devices import GpuDevices
from components.kubernetes.node_pool import placement_of
from skerry.address_plan import aks_ranges
from skerry.catalog import Catalog
from skerry.config.sides import persistent_tier
from skerry.config.spec import DeploymentSpec, PoolSpec
from skerry.facts import ComponentFacts, EndpointFact, TargetFact, Tier
from skerry.gpu_sharing import plugin_wanted, sharing_of

STORAGE_CLASS: Final = "encrypted-premium"
DISK: Final = "Premium_LRS"
ENTRA: Final = "login.microsoftonline.com"
ENTRA_ENDPOINT: Final = EndpointFact(
    name="entra",
    host=ENTRA,
    port=443,
    protocol="https",
    direction="egress",
    scope="internet",
    why="pods get the identity by which they reach objects; Entra has no private address",
)


class AzurePlatform(SkerryComponent):
    """Reads the base stack and holds what the tiers need of it; AKS's own autoscaler makes the machines."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        target: TargetFact,
        catalog: Catalog,
        *,
        labels: dict[str, str],
        config: FlatConfig,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Read the base stack.

        Args:
            name: the component's name.
            spec: the deployment; `target.base_stack` names the base.
            target: where it stands, as the readers see it.
            catalog: the pins.
            labels: on every object.
            config: the flat value `organization` where the state backend knows any; `organization` is the default.
            opts: Pulumi's options.

        Raises:
            ConfigError: no base stack is named, or the network is too small for the plan.
            CatalogError: no machine type has what a pool asks.
        """
        endpoints = (ENTRA_ENDPOINT,) if azure_stores(spec).object_store else ()
        facts = ComponentFacts(
            tier=Tier.PLATFORM, role="cluster", jurisdiction=target.jurisdiction, endpoints=endpoints
        )
        super().__init__(name, facts, opts)
        base = base_of(spec, config)
        provider = connection(self, base)
        if makes_class(spec, STORAGE_CLASS):
            self._storage_class(provider, labels, base)
        placements = {tier: _placement(tier, pool) for tier, pool in pools_of(spec)}
        lasting = placements[persistent_tier(spec)]
        placements |= dict.fromkeys((Tier.META, Tier.CHANNELS, Tier.PLATFORM), lasting)
        self.cluster = cluster_of(
            spec,
            target,
            catalog,
            provider,
            labels=labels,
            own_class=STORAGE_CLASS,
            placements=placements,
            # Azure's network between machines of a region is not under a key of anybody that a reader could name.
            network_encrypted=spec.target.network_encrypted,
            **_services(spec, base),
            **_identities(spec, base),
            api_server=spec.target.api_server_cidrs or (str(aks_ranges(spec).control_plane),),
        )
        if spec.cognitive.pool is not None and machine_of(spec.cognitive.pool).gpus:
            # Azure installs the driver with the image of the machine, not the plugin.
            # Source: MicrosoftDocs/azure-aks-docs articles/aks/gpu-cluster.md at 002d7f48, read 2026-11
            inside = pulumi.ResourceOptions(parent=self, providers=[provider])
            if plugin_wanted(spec):
                GpuDevices(self.child_name("gpus"), self.cluster, sharing_of(spec.cognitive.pool), opts=inside)
        self.finish()

    def _storage_class(self, provider: k8s.Provider, labels: dict[str, str], base: pulumi.StackReference) -> None:
        """Make the class of all volumes.

        Source: kubernetes-sigs/azuredisk-csi-driver docs/driver-parameters.md, read 2026-11.
        """
        parameters: dict[str, pulumi.Input[str]] = {
            "skuName": DISK,
            "diskEncryptionSetID": output_of(base, "diskEncryptionSetId"),
            "networkAccessPolicy": "DenyAll",
        }
        storage_class(self, provider, STORAGE_CLASS, "disk.csi.azure.com", parameters, labels=labels)


def _placement(tier: Tier, pool: PoolSpec) -> Placement:
    """Return how pods find the machines of a tier; on spot machines they also bear Azure's own taint."""
    found = placement_of(tier, pool, AUTOSCALER)
    if not is_spot(pool):
        return found
    key, _, rest = SPOT_TAINT.partition("=")
    value, _, effect = rest.partition(":")
    spot = {"key": key, "operator": "Equal", "value": value, "effect": effect}
    return replace(found, tolerations=(*found.tolerations, spot))


def _services(spec: DeploymentSpec, base: pulumi.StackReference) -> dict[str, Any]:
    """Return the stores that Azure runs, as the cluster's fields."""
    wanted = azure_stores(spec)
    found: dict[str, Any] = {}
    if wanted.relational:
        found["relational"] = ManagedService(
            output_of(base, "postgresEndpoint"), POSTGRES_PORT, network=output_of(base, "postgresNetwork")
        )
    if wanted.pubsub:
        found["pubsub"] = ManagedService(
            output_of(base, "pubsubEndpoint"),
            REDIS_PORT,
            secret_ref=AUTH_SECRET,
            network=output_of(base, "endpointsNetwork"),
        )
    if wanted.object_store:
        found["object_store"] = ManagedService(
            output_of(base, "container"),
            443,
            network=output_of(base, "endpointsNetwork"),
            attributes={"account": output_of(base, "storageAccount"), "region": spec.target.region},
        )
    return found


def _identities(spec: DeploymentSpec, base: pulumi.StackReference) -> dict[str, Any]:
    """Return what gives pods an identity at Azure, as the cluster's fields; nothing where no store asks for one."""
    if not azure_stores(spec).object_store:
        return {}
    namespaces = agent_namespaces(spec)
    first, *others = spec.target.azure.aks.identity_cidrs
    return {
        "credentials": ManagedService(ENTRA, 443, network=first, more_networks=tuple(others)),
        "identity_labels": POD_LABELS,
        "service_account_annotations": annotations_of(
            {tier: output_of(base, f"{tier.value}ClientId") for tier in namespaces}, namespaces
        ),
    }
