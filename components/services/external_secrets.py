"""The Secrets of the stores from a store outside the cluster: what else somebody would make by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.operator import Operator, image_values
from components.kubernetes.peers import blocks, ports
from components.kubernetes.workload import Priority
from components.services.openings import egress
from skerry.config.services import SecretsSpec
from skerry.facts import ComponentFacts, EndpointFact, TargetFact, Tier

API_VERSION: Final = "external-secrets.io/v1"
STORE: Final = "sensei"
WEBHOOK_PORT: Final = 10250
"""Source: external-secrets v1.3.2 deploy/charts/external-secrets/values.yaml `webhook.port`, read 2026-11."""

ACCOUNT: Final = "external-secrets"
CONTROLLER_PODS: Final[Mapping[str, Any]] = {"matchLabels": {"app.kubernetes.io/name": "external-secrets"}}
HOSTS: Final = {"aws": "secretsmanager.{region}.amazonaws.com", "gcp": "secretmanager.{region}.rep.googleapis.com"}
"""Endpoints in the region. Source: the clouds' references (not opened; check before relying on it)."""


@dataclass(frozen=True, slots=True)
class SecretRow:
    """One Kubernetes Secret and where it is needed."""

    name: str
    keys: tuple[str, ...]
    """Empty for all keys that are there."""
    namespaces: tuple[str, ...]


class SecretSync(SkerryComponent):
    """Runs External Secrets, names the store, and keeps each Secret equal to what the store says."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        spec: SecretsSpec,
        rows: Sequence[SecretRow],
        project: str | None = None,
        tenant: str | None = None,
        depends_on: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make operator, store and Secrets.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: of the operators, which exists and whose pods call the Kubernetes API.
            spec: which store.
            rows: the Secrets.
            project: the project on Google Cloud; None elsewhere.
            tenant: the tenant of Azure; None elsewhere.
            depends_on: the namespaces.
            opts: Pulumi's options.

        Raises:
            CatalogError: a chart or an image has no row.
        """
        self._cluster, self._spec = cluster, spec
        endpoints = _endpoints(cluster.target, spec)
        facts = ComponentFacts(
            tier=Tier.PLATFORM,
            role="secrets",
            jurisdiction=cluster.target.jurisdiction if spec.cluster_secret_store is None else None,
            endpoints=endpoints,
        )
        super().__init__(name, facts, opts)
        operator = Operator(
            self.child_name("operator"),
            cluster,
            chart="external-secrets",
            namespace=namespace,
            values=_values(cluster, spec),
            why="secrets of the stores",
            webhook_port=WEBHOOK_PORT,
            webhook_pods="external-secrets-webhook",
            depends_on=depends_on,
            opts=self.child_options(),
        )
        where = {"to": blocks(spec.store_cidrs)} if spec.store_cidrs else {}
        rules = [{**where, "ports": ports((443,))}]
        egress(self, cluster, "store", namespace, CONTROLLER_PODS, rules, depends_on=depends_on)
        after: list[pulumi.Resource] = [operator]
        if spec.cluster_secret_store is None:
            provider = _provider(cluster.target, spec, namespace, project, tenant)
            after = [
                CustomResource(
                    self.child_name("cloud"),
                    api_version=API_VERSION,
                    kind="ClusterSecretStore",
                    metadata={"name": STORE, "labels": dict(cluster.labels)},
                    spec={"provider": provider},
                    opts=self.child_options(depends_on=after),
                )
            ]
        for row in rows:
            for space in row.namespaces:
                self._secret(row, space, after)
        self.finish(store=spec.cluster_secret_store or STORE)

    def _secret(self, row: SecretRow, namespace: str, after: Sequence[pulumi.Resource]) -> None:
        remote = f"{self._spec.prefix}-{row.name}"
        spec: dict[str, Any] = {
            "refreshInterval": f"{self._spec.refresh_minutes}m",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": self._spec.cluster_secret_store or STORE},
            # A store that cannot be read must not take the Secret from what runs.
            "target": {"name": row.name, "creationPolicy": "Owner", "deletionPolicy": "Retain"},
        }
        if row.keys:
            spec["data"] = [{"secretKey": key, "remoteRef": {"key": remote, "property": key}} for key in row.keys]
        else:
            spec["dataFrom"] = [{"extract": {"key": remote}}]
        CustomResource(
            self.child_name(f"{namespace}-{row.name}"),
            api_version=API_VERSION,
            kind="ExternalSecret",
            metadata={"name": row.name, "namespace": namespace, "labels": dict(self._cluster.labels)},
            spec=spec,
            opts=self.child_options(depends_on=list(after)),
        )


def _values(cluster: Cluster, spec: SecretsSpec) -> dict[str, Any]:
    """Return the chart's values. Source: external-secrets v1.3.2 deploy/charts/external-secrets, read 2026-11."""
    repository, tag, digest = image_values(cluster, "external-secrets", "secrets of the stores")
    placement = cluster.placements[Tier.PLATFORM]
    image = {"repository": repository, "tag": f"{tag}@{digest}" if digest else tag}
    part = {
        "image": image,
        "replicaCount": 2,
        "priorityClassName": Priority.SERVING.value,
        "podDisruptionBudget": {"enabled": True, "minAvailable": 1},
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
    }
    values: dict[str, Any] = {
        "global": {
            "nodeSelector": dict(placement.node_selector),
            "tolerations": [dict(item) for item in placement.tolerations],
        },
        "installCRDs": True,
        "leaderElect": True,
        **part,
        "webhook": dict(part),
        "certController": {**part, "replicaCount": 1, "podDisruptionBudget": {"enabled": False}},
        # Neither pushes into the store nor makes Secrets of its own accord.
        "processPushSecret": False,
        "processClusterPushSecret": False,
        "processClusterGenerator": False,
    }
    if spec.azure_client_id is not None and spec.cluster_secret_store is None:
        # Source: external-secrets docs/provider/azure-key-vault.md at 0060da0b, workload identity, read 2026-11
        values["serviceAccount"] = {"annotations": {"azure.workload.identity/client-id": spec.azure_client_id}}
        values["podLabels"] = {"azure.workload.identity/use": "true"}
    return values


def _provider(
    target: TargetFact, spec: SecretsSpec, namespace: str, project: str | None, tenant: str | None
) -> dict[str, Any]:
    """Return the cloud's own store, reached by the identity of the controller, in the deployment's region.

    Source: external-secrets v1.3.2 config/crds/bases (fields), read 2026-11.
    """
    if target.kind == "aws":
        return {"aws": {"service": "SecretsManager", "region": target.region}}
    if target.kind == "gcp":
        return {"gcpsm": {"projectID": project, "location": target.region}}
    account = {"name": ACCOUNT, "namespace": namespace}
    return {
        "azurekv": {
            "authType": "WorkloadIdentity",
            "vaultUrl": spec.azure_vault_url,
            "tenantId": tenant,
            "serviceAccountRef": account,
        }
    }


def _endpoints(target: TargetFact, spec: SecretsSpec) -> tuple[EndpointFact, ...]:
    if spec.cluster_secret_store is not None:
        return ()
    vault = (spec.azure_vault_url or "").removeprefix("https://").rstrip("/")
    return (
        EndpointFact(
            name="secrets",
            host=vault if target.kind == "azure" else HOSTS[target.kind].format(region=target.region),
            port=443,
            protocol="https",
            direction="egress",
            scope="internet",
            why="secrets of the stores",
        ),
    )
