"""The Kubernetes cluster of a deployment on Azure: AKS with a private API inside the network, and its pools."""

from __future__ import annotations

import base64
import json
from typing import Any, Final

import pulumi
import yaml
from pulumi_azure_native import containerservice, monitor, operationalinsights

from components.azure.key import AzureKey
from components.azure.network import AzureNetwork
from components.azure.nodes import SYSTEM_MACHINE, AzureNodePool, common, machine_of, pool_facts
from components.azure.rights import (
    CONTRIBUTOR,
    CRYPTO_USER,
    NETWORK_CONTRIBUTOR,
    READER,
    VAULT_CONTRIBUTOR,
    Place,
    grant,
    identity,
)
from components.base import SkerryComponent
from components.clouds.machines import autoscaled_pools
from components.kubernetes.node_pool import NodePool, scaling_of
from skerry.config.spec import DeploymentSpec, PoolSpec
from skerry.errors import ConfigError, Problem
from skerry.facts import ComponentFacts, Tier

LOGS: Final = ("kube-apiserver", "kube-audit-admin", "kube-controller-manager", "kube-scheduler", "cluster-autoscaler",
               "guard")  # fmt: skip
"""Categories of the control plane's logs.

Source: Azure Monitor "Supported logs for Microsoft.ContainerService/managedClusters", read 2026-11.
"""

VAULT_LOG: Final = "AuditEvent"
LOG_DAYS: Final = 90
MAINTENANCE: Final = {"patches": "aksManagedAutoUpgradeSchedule", "images": "aksManagedNodeOSUpgradeSchedule"}
"""What Azure changes -> the name of its window. Source: PSRule "Azure.AKS.MaintenanceWindow", read 2026-11."""

DNS_ADDRESS: Final = 10
"""Which address of the Services' range answers for names. Source: AKS's own default, 10.0.0.10 of 10.0.0.0/16."""

AKS_SERVER: Final = "6dae42f8-4368-4678-94ff-3960e28e3630"
"""The application of Entra that every AKS cluster is. Source: seen in public code that calls kubelogin, 2026-11."""


class AzureCluster(SkerryComponent):
    """Makes the control plane and all pools; a pool is a resource of its own, so that one can be replaced alone."""

    def __init__(
        self,
        name: str,
        place: Place,
        network: AzureNetwork,
        key: AzureKey,
        *,
        cluster_name: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the cluster.

        Args:
            name: the component's name.
            place: where it is made.
            network: where it stands.
            key: of secrets and disks.
            cluster_name: its name at Azure.
            opts: Pulumi's options.

        Raises:
            CatalogError: no machine type has what a pool asks.
        """
        spec = place.spec
        facts = ComponentFacts(tier=Tier.PLATFORM, role="cluster", data_class=spec.data_class, encrypted_at_rest=True)
        super().__init__(name, facts, opts)
        system = pools_of(spec)[0][1]
        who = identity(self, "control", place, Tier.PLATFORM)
        rights = [
            grant(self, "nodes-may", place, who, NETWORK_CONTRIBUTOR, network.nodes.id),
            grant(self, "api-may", place, who, NETWORK_CONTRIBUTOR, network.control_plane.id),
            grant(self, "secrets-may", place, who, CRYPTO_USER, key.key.id),
            grant(self, "vault-may", place, who, VAULT_CONTRIBUTOR, key.vault.id),
            grant(self, "disks-may", place, who, READER, key.disks.id),
        ]
        if spec.target.azure.gpu_reservation is not None:
            # AKS asks for the role on all of the group that holds the reservation. Source: Azure "Assign capacity
            # reservation groups to AKS node pools", prerequisites, read 2026-11
            holder = spec.target.azure.gpu_reservation.partition("/providers/")[0]
            rights.append(grant(self, "reservation-may", place, who, CONTRIBUTOR, holder))
        self.aks = containerservice.ManagedCluster(
            self.child_name("aks"),
            resource_name_=cluster_name,
            resource_group_name=place.group,
            location=place.region,
            dns_prefix=cluster_name,
            kubernetes_version=spec.target.azure.kubernetes_version,
            **_bearing(who.id),
            agent_pool_profiles=[_system_pool(spec, system, network, place)],
            **_network(network),
            **_guards(spec, key),
            **_upkeep(),
            tags=place.tags(Tier.PLATFORM),
            # The autoscaler counts the machines of the first pool; the others are resources of their own.
            opts=self.child_options(depends_on=rights, ignore_changes=["agentPoolProfiles[0].count"]),
        )
        self._logs(place, key)
        self._maintenance(place)
        self._pools(spec, network, place)
        self.kubeconfig = self._kubeconfig(place, spec)
        self.finish(name=self.aks.name)

    def _logs(self, place: Place, key: AzureKey) -> None:
        """Keep what the control plane says and who asked the vault for what, in the region."""
        workspace = operationalinsights.Workspace(
            self.child_name("logs"),
            resource_group_name=place.group,
            location=place.region,
            sku={"name": "PerGB2018"},
            retention_in_days=LOG_DAYS,
            features={"disable_local_auth": True},
            tags=place.tags(Tier.PLATFORM),
            opts=self.child_options(),
        )
        monitor.DiagnosticSetting(
            self.child_name("logs"),
            resource_uri=self.aks.id,
            workspace_id=workspace.id,
            log_analytics_destination_type="Dedicated",
            logs=[{"category": category, "enabled": True} for category in LOGS],
            opts=self.child_options(),
        )
        monitor.DiagnosticSetting(
            self.child_name("vault-logs"),
            resource_uri=key.vault.id,
            workspace_id=workspace.id,
            logs=[{"category": VAULT_LOG, "enabled": True}],
            opts=self.child_options(),
        )

    def _maintenance(self, place: Place) -> None:
        """Say when Azure may bring patches of Kubernetes and images of machines."""
        told = place.spec.target.azure.aks
        for role, name in MAINTENANCE.items():
            containerservice.MaintenanceConfiguration(
                self.child_name(f"{role}-window"),
                resource_group_name=place.group,
                resource_name_=self.aks.name,
                config_name=name,
                maintenance_window={
                    "schedule": {"weekly": {"day_of_week": told.upgrade_day.value, "interval_weeks": 1}},
                    "start_time": f"{told.upgrade_hour_utc:02}:00",
                    "utc_offset": "+00:00",
                    "duration_hours": told.upgrade_hours,
                },
                opts=self.child_options(),
            )

    def _pools(self, spec: DeploymentSpec, network: AzureNetwork, place: Place) -> None:
        (_, system), *others = pools_of(spec)
        facts = pool_facts(Tier.PLATFORM, system)
        if facts.nodes is not None:
            # Its machines are those of the cluster's first pool, which no resource of its own stands for.
            NodePool(
                self.child_name("system"),
                tier=Tier.PLATFORM,
                nodes=facts.nodes,
                scaling=scaling_of(system, "aks"),
                opts=self.child_options(),
            )
        for tier, pool in others:
            gpus = tier in (Tier.COGNITIVE, Tier.SMALL) and spec.target.azure.gpu_zones
            AzureNodePool(
                self.child_name(tier.value),
                tier=tier,
                pool=pool,
                target=spec.target.azure,
                group=place.group,
                cluster=self.aks,
                zones=spec.target.azure.gpu_zones if gpus else spec.target.failure_domains,
                subnet_id=network.nodes.id,
                tags=place.tags(tier),
                opts=self.child_options(),
            )

    def _kubeconfig(self, place: Place, spec: DeploymentSpec) -> pulumi.Output[str]:
        """Return a kubeconfig that holds no credential: the caller's own identity gets a token from kubelogin."""
        told = containerservice.list_managed_cluster_user_credentials_output(
            resource_group_name=place.group,
            resource_name=self.aks.name,
            format="exec",
            opts=pulumi.InvokeOutputOptions(parent=self),
        )
        found: pulumi.Output[str] = pulumi.Output.all(self.aks.name, told).apply(
            lambda args: kubeconfig_of(args[0], args[1].kubeconfigs[0].value, f"{spec.target.azure.tenant_id}")
        )
        return found


def pools_of(spec: DeploymentSpec) -> list[tuple[Tier, PoolSpec]]:
    """Return every pool of machines with its tier: Azure's own pods get a small one of theirs, the first."""
    return autoscaled_pools(spec, SYSTEM_MACHINE)


def _bearing(identity_id: pulumi.Output[str]) -> dict[str, Any]:
    """Return what the control plane is: with a level of service, which the free tier has not, and an identity."""
    return {
        "sku": {"name": "Base", "tier": "Standard"},
        "identity": {"type": "UserAssigned", "user_assigned_identities": [identity_id]},
    }


def _system_pool(spec: DeploymentSpec, pool: PoolSpec, network: AzureNetwork, place: Place) -> Any:
    return {
        "name": "system",
        "mode": "System",
        "vnet_subnet_id": network.nodes.id,
        # Azure's own pods tolerate it, and nothing of ours is to run there.
        "node_taints": ["CriticalAddonsOnly=true:NoSchedule"],
        "tags": place.tags(Tier.PLATFORM),
        **common(pool, machine_of(pool), spec.target.azure, spec.target.failure_domains),
    }


def _network(network: AzureNetwork) -> dict[str, Any]:
    """Return where the cluster stands and who reaches its API: nobody over the internet."""
    services = network.ranges.services
    return {
        "api_server_access_profile": {
            "enable_private_cluster": True,
            "enable_private_cluster_public_fqdn": False,
            "private_dns_zone": "system",
            # The API answers from a subnet of the network, and reaches the vault and webhooks from there.
            "enable_vnet_integration": True,
            "subnet_id": network.control_plane.id,
            # Else whoever may call Azure runs commands in the cluster from anywhere.
            "disable_run_command": True,
        },
        "network_profile": {
            "network_plugin": "azure",
            "network_plugin_mode": "overlay",
            "network_dataplane": "cilium",
            "network_policy": "cilium",
            "pod_cidr": str(network.ranges.pods),
            "service_cidr": str(services),
            "dns_service_ip": str(services.network_address + DNS_ADDRESS),
            "load_balancer_sku": "standard",
            "outbound_type": "userAssignedNATGateway",
        },
    }


def _guards(spec: DeploymentSpec, key: AzureKey) -> dict[str, Any]:
    """Return what keeps the cluster: identities, the key of secrets and disks, and no account of its own."""
    return {
        "enable_rbac": True,
        "disable_local_accounts": True,
        "aad_profile": {
            "managed": True,
            # Who else may do what is said by Azure's roles for Kubernetes; the groups below are above them.
            "enable_azure_rbac": True,
            "admin_group_object_ids": list(spec.target.azure.administrators),
            "tenant_id": spec.target.azure.tenant_id,
        },
        "oidc_issuer_profile": {"enabled": True},
        "security_profile": {
            "workload_identity": {"enabled": True},
            "image_cleaner": {"enabled": True, "interval_hours": 168},
            "azure_key_vault_kms": {
                "enabled": True,
                "key_id": key.key.key_uri_with_version,
                "key_vault_network_access": "Private",
                "key_vault_resource_id": key.vault.id,
            },
        },
        "disk_encryption_set_id": key.disks.id,
    }


def _upkeep() -> dict[str, Any]:
    """Return what Azure does by itself: patches of the minor version, images of machines, and scaling."""
    return {
        "auto_upgrade_profile": {"upgrade_channel": "patch", "node_os_upgrade_channel": "NodeImage"},
        "auto_scaler_profile": {
            "balance_similar_node_groups": "false",
            "expander": "least-waste",
            "scale_down_unneeded_time": "10m",
            "skip_nodes_with_local_storage": "false",
        },
        "storage_profile": {
            "disk_csi_driver": {"enabled": True},
            "file_csi_driver": {"enabled": False},
            "snapshot_controller": {"enabled": True},
        },
    }


def kubeconfig_of(name: str, told: str, tenant: str) -> str:
    """Return a kubeconfig with the address and the authority that Azure tells, and a login that asks nobody.

    Args:
        name: the cluster's name.
        told: what Azure tells, a kubeconfig in base64.
        tenant: the tenant of Entra.

    Raises:
        ConfigError: that is no kubeconfig with a cluster.
    """
    try:
        (found,) = yaml.safe_load(base64.b64decode(told, validate=True))["clusters"]
        cluster = {key: found["cluster"][key] for key in ("server", "certificate-authority-data")}
    except (ValueError, KeyError, TypeError, yaml.YAMLError) as exc:
        problem = Problem(
            f"cluster {name}", f"what Azure tells is no kubeconfig with one cluster: {type(exc).__name__}"
        )
        raise ConfigError("Azure", [problem]) from exc
    login = ["get-token", "--login", "azurecli", "--server-id", AKS_SERVER, "--tenant-id", tenant]
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": cluster}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "users": [
                {
                    "name": name,
                    "user": {
                        "exec": {
                            "apiVersion": "client.authentication.k8s.io/v1",
                            "command": "kubelogin",
                            "args": login,
                            "interactiveMode": "Never",
                            "provideClusterInfo": False,
                        }
                    },
                }
            ],
        }
    )
