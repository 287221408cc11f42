"""The Kubernetes cluster of a deployment on Google Cloud: regional GKE with a private API, and its pools."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Final

import pulumi
from pulumi_gcp import container, projects

from components.base import SkerryComponent
from components.clouds.machines import autoscaled_pools
from components.gcp.key import GcpKey
from components.gcp.labels import labels_of
from components.gcp.network import PODS, SERVICES, GcpNetwork
from components.gcp.nodes import DISK, ROOT_GIB, SYSTEM_MACHINE, GcpNodePool, guarded
from skerry.config.spec import DeploymentSpec, PoolSpec
from skerry.facts import ComponentFacts, Tier

LOGS: Final = ("SYSTEM_COMPONENTS", "APISERVER", "SCHEDULER", "CONTROLLER_MANAGER")
METRICS: Final = ("SYSTEM_COMPONENTS", "APISERVER", "SCHEDULER", "CONTROLLER_MANAGER")
"""Source: terraform-provider-google at e03b7622, google_container_cluster, logging_config and monitoring_config, read
2026-11."""

GPU_METRICS: Final = "DCGM"
"""Source: Google Cloud client library of Kubernetes Engine, MonitoringComponentConfig.Component, read 2026-11."""

ADMIN_ROLE: Final = "roles/container.admin"
"""All of every cluster of the project. Source: Google Cloud "IAM roles for GKE" (not opened)."""

AUTH_PLUGIN: Final = "gke-gcloud-auth-plugin"


class GcpCluster(SkerryComponent):
    """Makes the control plane and all pools; a pool is a resource of its own, so that one can be replaced alone."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        network: GcpNetwork,
        key: GcpKey,
        *,
        cluster_name: str,
        service_account: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the cluster.

        Args:
            name: the component's name.
            spec: the deployment.
            network: where it stands.
            key: of secrets and disks.
            cluster_name: its name at Google, and the network tag of its machines.
            service_account: the identity of its machines.
            opts: Pulumi's options.

        Raises:
            CatalogError: no machine type has what a pool asks.
        """
        facts = ComponentFacts(tier=Tier.PLATFORM, role="cluster", data_class=spec.data_class, encrypted_at_rest=True)
        super().__init__(name, facts, opts)
        first: Any = {
            **guarded(secure_boot=True),
            "service_account": service_account,
            "boot_disk_kms_key": key.key.id,
            "disk_type": DISK,
            "disk_size_gb": ROOT_GIB,
        }
        self.gke = container.Cluster(
            self.child_name("gke"),
            name=cluster_name,
            location=spec.target.region,
            node_locations=list(spec.target.failure_domains),
            **_network(spec, network),
            **_versions(spec),
            **_guards(spec, key),
            # The first pool is Google's idea of one: it goes as soon as the cluster stands.
            remove_default_node_pool=True,
            initial_node_count=1,
            node_config=first,
            resource_labels=labels_of(spec, Tier.PLATFORM),
            opts=self.child_options(
                depends_on=[key.grants["gke"], key.grants["compute"]], ignore_changes=["nodeConfig"]
            ),
        )
        self._pools(spec, key, cluster_name, service_account)
        self._admit(spec)
        self.kubeconfig = _kubeconfig(self.gke)
        self.finish(name=self.gke.name)

    def _pools(self, spec: DeploymentSpec, key: GcpKey, cluster_name: str, service_account: pulumi.Input[str]) -> None:
        for tier, pool in pools_of(spec):
            gpus = tier in (Tier.COGNITIVE, Tier.SMALL) and spec.target.gcp.gpu_zones
            GcpNodePool(
                self.child_name("system" if tier is Tier.PLATFORM else tier.value),
                tier=tier,
                pool=pool,
                target=spec.target.gcp,
                cluster=self.gke,
                zones=spec.target.gcp.gpu_zones if gpus else spec.target.failure_domains,
                key_id=key.key.id,
                service_account=service_account,
                labels=labels_of(spec, tier),
                network_tag=cluster_name,
                opts=self.child_options(),
            )

    def _admit(self, spec: DeploymentSpec) -> None:
        """Let the named people and runners administer clusters of the project."""
        for member in spec.target.gcp.administrators:
            projects.IAMMember(
                self.child_name(_slug_of(member)),
                project=spec.target.gcp.project,
                role=ADMIN_ROLE,
                member=member,
                opts=self.child_options(),
            )


def pools_of(spec: DeploymentSpec) -> list[tuple[Tier, PoolSpec]]:
    """Return every pool of machines with its tier: Google's own pods get a small one of theirs."""
    return autoscaled_pools(spec, SYSTEM_MACHINE)


def _network(spec: DeploymentSpec, network: GcpNetwork) -> dict[str, Any]:
    """Return where the cluster stands and who reaches its API: nobody over the internet."""
    gcp = spec.target.gcp
    allowed = [("network", gcp.network_cidr), *((f"named-{n}", block) for n, block in enumerate(gcp.api_cidrs))]
    encryption = "INTER_NODE_TRANSPARENT" if gcp.encrypt_pods else "DISABLED"
    return {
        "network": network.vpc.id,
        "subnetwork": network.subnet.id,
        "networking_mode": "VPC_NATIVE",
        "ip_allocation_policy": {
            "cluster_secondary_range_name": PODS,
            "services_secondary_range_name": SERVICES,
            "stack_type": "IPV4",
        },
        "default_max_pods_per_node": gcp.pods_per_node,
        # Enforces network policies, always. Source: GKE "Using GKE Dataplane V2" and its overview, read 2026-11
        "datapath_provider": "ADVANCED_DATAPATH",
        "enable_intranode_visibility": True,
        "in_transit_encryption_config": f"IN_TRANSIT_ENCRYPTION_{encryption}",
        "private_cluster_config": {
            "enable_private_nodes": True,
            "enable_private_endpoint": True,
            "master_ipv4_cidr_block": str(network.ranges.control_plane),
            "master_global_access_config": {"enabled": False},
        },
        "master_authorized_networks_config": {
            "gcp_public_cidrs_access_enabled": False,
            "cidr_blocks": [{"display_name": label, "cidr_block": block} for label, block in allowed],
        },
        "control_plane_endpoints_config": {"dns_endpoint_config": {"allow_external_traffic": False}},
    }


def _versions(spec: DeploymentSpec) -> dict[str, Any]:
    """Return what decides over versions: another least version updates the control plane in its place.

    Source: terraform-provider-google at e03b7622, resource_container_cluster.go, min_master_version, read 2026-11.
    """
    return {
        "min_master_version": spec.target.gcp.kubernetes_version,
        "release_channel": {"channel": spec.target.gcp.release_channel.value.upper()},
        "maintenance_policy": {"daily_maintenance_window": {"start_time": "02:00"}},
    }


def _guards(spec: DeploymentSpec, key: GcpKey) -> dict[str, Any]:
    """Return what keeps the cluster: identities, the key of secrets, logs, and protection from deletion."""
    return {
        "workload_identity_config": {"workload_pool": f"{spec.target.gcp.project}.svc.id.goog"},
        "database_encryption": {"state": "ENCRYPTED", "key_name": key.key.id},
        "enable_shielded_nodes": True,
        "enable_legacy_abac": False,
        "master_auth": {"client_certificate_config": {"issue_client_certificate": False}},
        "rbac_binding_config": {
            "enable_insecure_binding_system_authenticated": False,
            "enable_insecure_binding_system_unauthenticated": False,
        },
        "addons_config": {"gce_persistent_disk_csi_driver_config": {"enabled": True}},
        "logging_config": {"enable_components": list(LOGS)},
        "monitoring_config": _metrics(spec),
        "cost_management_config": {"enabled": True},
        "deletion_protection": spec.production,
    }


def _metrics(spec: DeploymentSpec) -> dict[str, Any]:
    """Return what Google's monitoring is told of the cluster: of GPUs where the deployment asks for it."""
    gpus = spec.gpu.metrics and spec.cognitive.pool is not None and spec.cognitive.pool.machine.gpus > 0
    # Figures of DCGM come by Google's managed Prometheus.
    # Source: Google Cloud "Collect and view DCGM metrics" (not opened; check before relying on it)
    return {
        "enable_components": [*METRICS, *([GPU_METRICS] if gpus else [])],
        "managed_prometheus": {"enabled": gpus},
    }


def _slug_of(member: str) -> str:
    """Return a part of a name for a principal: readable, and unlike that of every other domain's namesake."""
    readable = re.sub(r"[^a-z0-9]+", "-", member.partition(":")[2].partition("@")[0].lower())[:20].strip("-")
    return f"admin-{readable}-{hashlib.sha256(member.encode()).hexdigest()[:8]}"


def _kubeconfig(cluster: container.Cluster) -> pulumi.Output[str]:
    """Return a kubeconfig that holds no credential: the caller's own identity gets a token."""

    def build(args: list[Any]) -> str:
        name, endpoint, authority = args
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": name,
                "clusters": [
                    {
                        "name": name,
                        "cluster": {"server": f"https://{endpoint}", "certificate-authority-data": authority},
                    }
                ],
                "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
                "users": [
                    {
                        "name": name,
                        "user": {
                            "exec": {
                                "apiVersion": "client.authentication.k8s.io/v1",
                                "command": AUTH_PLUGIN,
                                "interactiveMode": "Never",
                                "provideClusterInfo": True,
                            }
                        },
                    }
                ],
            }
        )

    authority = cluster.master_auth.cluster_ca_certificate
    return pulumi.Output.all(cluster.name, cluster.endpoint, authority).apply(build)
