"""The platform layer's view of Google Cloud: the base stack's outputs become a `Cluster`."""

from __future__ import annotations

from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from components.base import SkerryComponent
from components.channels.object_store import CREDENTIALS_SECRET, GOOGLE_URL
from components.channels.pubsub import AUTH_SECRET
from components.clouds.base_stack import base_of, output_of
from components.clouds.managed import managed_stores
from components.clouds.platform import cluster_of, connection, makes_class, storage_class
from components.configuration import FlatConfig
from components.gcp.base import agent_namespaces
from components.gcp.cluster import pools_of
from components.gcp.labels import labels_of
from components.gcp.network import GOOGLE_APIS
from components.gcp.nodes import AUTOSCALER, DISK, HYPERDISK, disk_type, machine_of
from components.gcp.stores import POSTGRES_PORT, REDIS_PORT
from components.kubernetes.cluster import ManagedService
from components.kubernetes.node_pool import placement_of
from skerry.address_plan import gke_ranges
from skerry.catalog import Catalog
from skerry.config.sides import persistent_tier
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, TargetFact, Tier

STORAGE_CLASS: Final = "encrypted-balanced"

METADATA: Final = "169.254.169.254"
"""Where pods fetch their identity with Dataplane V2, at port 80.

Source: GKE "Authenticate to Google Cloud APIs from GKE workloads", network policies (not opened; seen in public
NetworkPolicies for Dataplane V2, 2026-11).
"""

AUTHORITY_KEY: Final = "ca.crt"


class GcpPlatform(SkerryComponent):
    """Reads the base stack and holds what the tiers need of it; GKE's own autoscaler makes the machines."""

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
        super().__init__(
            name, ComponentFacts(tier=Tier.PLATFORM, role="cluster", jurisdiction=target.jurisdiction), opts
        )
        base = base_of(spec, config)
        provider = connection(self, base)
        if makes_class(spec, STORAGE_CLASS):
            self._storage_class(provider, labels, spec, base)
        placements = {tier: placement_of(tier, pool, AUTOSCALER) for tier, pool in pools_of(spec)}
        lasting = placements[persistent_tier(spec)]
        placements |= dict.fromkeys((Tier.META, Tier.CHANNELS, Tier.PLATFORM), lasting)
        self.cluster = cluster_of(
            spec,
            target,
            catalog,
            provider,
            labels=labels,
            own_class=STORAGE_CLASS,
            renames_shared_gpus=False,
            placements=placements,
            network_encrypted=_network_encrypted(spec),
            **_services(spec, base),
            credentials=ManagedService(METADATA, 80, network=f"{METADATA}/32"),
            # Source: GKE "Konnectivity service", agents in kube-system (not opened; check before relying on it)
            api_proxy="kube-system",
            api_server=spec.target.api_server_cidrs or (str(gke_ranges(spec).control_plane),),
        )
        self.finish()

    def _storage_class(
        self, provider: k8s.Provider, labels: dict[str, str], spec: DeploymentSpec, base: pulumi.StackReference
    ) -> None:
        """Make the class of all volumes.

        Source: kubernetes-sigs/gcp-compute-persistent-disk-csi-driver, CreateVolume parameters (not opened; type and
        disk-encryption-kms-key seen in public StorageClasses, 2026-11).
        """
        tags = labels_of(spec, Tier.PLATFORM)
        # Whose volume it is, is not known to its class.
        del tags["skerry-tier"]
        machine = machine_of(spec.meta.pool)
        parameters: dict[str, pulumi.Input[str]] = {
            "type": HYPERDISK if disk_type(machine) == HYPERDISK else DISK,
            "disk-encryption-kms-key": output_of(base, "keyId"),
            "labels": ",".join(f"{key}={value}" for key, value in tags.items()),
        }
        storage_class(self, provider, STORAGE_CLASS, "pd.csi.storage.gke.io", parameters, labels=labels)


def _network_encrypted(spec: DeploymentSpec) -> bool:
    """Return what the configuration says, else what Google does: all traffic between machines is encrypted.

    Source: GKE "Encrypt your data in-transit in GKE with user-managed encryption keys", read 2026-11.
    """
    said = spec.target.network_encrypted
    return True if said is None else said


def _services(spec: DeploymentSpec, base: pulumi.StackReference) -> dict[str, Any]:
    """Return the stores that Google runs, as the cluster's fields."""
    wanted = managed_stores(spec)
    found: dict[str, Any] = {}
    inside = output_of(base, "managedNetwork") if wanted.relational or wanted.pubsub else None
    if wanted.relational:
        found["relational"] = ManagedService(output_of(base, "postgresEndpoint"), POSTGRES_PORT, network=inside)
    if wanted.pubsub:
        found["pubsub"] = ManagedService(
            output_of(base, "pubsubEndpoint"),
            REDIS_PORT,
            secret_ref=AUTH_SECRET,
            network=inside,
            authority=AUTHORITY_KEY,
        )
    if wanted.object_store:
        found["object_store"] = ManagedService(
            output_of(base, "bucket"),
            443,
            secret_ref=CREDENTIALS_SECRET,
            network=GOOGLE_APIS,
            attributes={"region": spec.target.region, "url": GOOGLE_URL},
        )
        account = output_of(base, "agentsAccount")
        found["service_account_annotations"] = {
            f"{namespace}/agents": {"iam.gke.io/gcp-service-account": account} for namespace in agent_namespaces(spec)
        }
    return found
