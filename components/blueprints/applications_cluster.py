"""Services on a Kubernetes cluster: namespaces, what they share, and the pods of each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import ServiceAccount

from components.base import SkerryComponent
from components.blueprints.applications_services import (
    ClusterParts,
    copy_files,
    hosts_of,
    make_entrances,
    make_issuer,
    make_monitoring,
    secret_rows,
    sync_secrets,
)
from components.blueprints.applications_stores import SharedStores, shared_stores
from components.blueprints.backups import backup_store
from components.blueprints.deployment import labels_of, target_fact
from components.blueprints.operators import backup_plugin, postgres_operator
from components.blueprints.targets import base_layer, cluster_of
from components.channels.object_store import S3_PORT
from components.channels.pubsub import PORT as CACHE_PORT
from components.configuration import FlatConfig, secret_of
from components.kubernetes.application import (
    ClusterService,
    ServiceSurroundings,
    joins_by_quic,
    replica_names,
    replica_secret,
)
from components.kubernetes.cluster import Cluster
from components.kubernetes.keda import Keda
from components.kubernetes.tenancy import Flow, PriorityClasses, TierNamespace
from components.services.certificates import CertificateIssuer
from skerry.application import Application, application_of
from skerry.catalog import load_catalog
from skerry.config.application import ApplicationsSpec
from skerry.config.spec import DeploymentSpec, Layer
from skerry.facts import Tier

Outputs = dict[str, pulumi.Input[object]]

ACCOUNT: Final = "agents"
"""The service account of those services that have an identity at the cloud, by the name that its base trusts."""

OWN_IDENTITIES: Final = ("aws",)
"""Clouds whose base gives each service an identity of its own, by the name of its service account."""

POSTGRES_PORTS: Final = (8000, 5432)
"""Where CloudNativePG asks its instances."""

PRIVATE_BALANCER: Final[Mapping[str, Mapping[str, str]]] = {
    "aws": {
        "service.beta.kubernetes.io/aws-load-balancer-type": "nlb",
        "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
        # A load balancer of TCP asks for a port of UDP in vain, so health is asked of the main port.
        "service.beta.kubernetes.io/aws-load-balancer-healthcheck-protocol": "tcp",
    },
    "gcp": {"networking.gke.io/load-balancer-type": "Internal"},
    "azure": {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"},
    "onprem": {},
}
"""What keeps a load balancer inside. Source: the clouds' references (not opened; check before relying on it)."""


def make_on_cluster(root: SkerryComponent, spec: DeploymentSpec, plan: ApplicationsSpec, config: FlatConfig) -> Outputs:
    """Declare services on a cluster, or the base that the cluster stands on.

    Args:
        root: the parent of everything; it is not finished here.
        spec: the checked configuration.
        plan: the services.
        config: the flat values and secrets beside it.

    Raises:
        CatalogError: a pin is missing.
        ConfigError: a key is named that the stack does not set.
    """
    options = pulumi.ResourceOptions(parent=root)
    if spec.layer is Layer.BASE:
        return base_layer(spec, config, options).stack_outputs()
    lock = config.get("imagesLock")
    catalog = load_catalog(lock=Path(lock) if lock else None)
    cluster = cluster_of(spec, target_fact(spec), catalog, labels=labels_of(spec), config=config, opts=options)
    return OnCluster(root, spec, plan, config, cluster).make()


def namespaces_of(spec: DeploymentSpec) -> dict[Tier, str]:
    """Return the namespaces of a deployment of services: of the services, of what they share, of operators."""
    system = spec.system.value
    return {
        Tier.EXECUTION: f"{system}-services",
        Tier.CHANNELS: f"{system}-stores",
        Tier.PLATFORM: f"{system}-operators",
    }


class OnCluster:
    """What one deployment of services is made of, in the order in which it is made."""

    def __init__(
        self, root: SkerryComponent, spec: DeploymentSpec, plan: ApplicationsSpec, config: FlatConfig, cluster: Cluster
    ) -> None:
        """Take what the parts are made from."""
        self._root, self._spec, self._plan, self._config, self._cluster = root, spec, plan, config, cluster
        self._talks = [cluster.provider] if cluster.provider is not None else []
        self._names = namespaces_of(spec)
        self._applications = {name: application_of(name, row) for name, row in plan.services.items()}

    def make(self) -> Outputs:
        """Declare everything and return the stack outputs."""
        spec, cluster, names = self._spec, self._cluster, self._names
        options = pulumi.ResourceOptions(parent=self._root, providers=self._talks)
        stores = shared_stores(spec, self._plan, cluster)
        spaces = self._namespaces(stores, options)
        priorities = PriorityClasses(f"{spec.system.value}-priorities", cluster, options).made
        first = [*(space.made for space in spaces.values()), *priorities]
        ready = pulumi.ResourceOptions(parent=self._root, providers=self._talks, depends_on=first)
        if cluster.machines is not None:
            cluster.machines(names[Tier.PLATFORM], first)
        postgres: list[pulumi.Resource] = []
        if stores.runs_postgres:
            postgres = postgres_operator(spec, cluster, names[Tier.PLATFORM], ready)
            postgres += backup_plugin(spec, cluster, names[Tier.PLATFORM], ready, postgres)
        issuer = make_issuer(spec, cluster, names[Tier.PLATFORM], ready, first)
        parts = ClusterParts(cache=stores.own_cache, objects=stores.own_objects, postgres=stores.own_database)
        rows = secret_rows(self._plan, cluster, parts, names, backup_store(spec, cluster))
        sync_secrets(spec, cluster, rows, names[Tier.PLATFORM], ready, first)
        found = stores.make(
            services=names[Tier.EXECUTION], shared=names[Tier.CHANNELS], opts=ready, depends_on=postgres
        )
        made = self._services(
            ServiceSurroundings(
                namespace=names[Tier.EXECUTION],
                account=ACCOUNT,
                own_identities=cluster.target.kind in OWN_IDENTITIES,
                places=found.places,
                variables=found.variables,
                queue=found.queue,
                private_balancer=PRIVATE_BALANCER[cluster.target.kind],
            ),
            ready,
            [*first, *found.made],
        )
        applications = list(self._applications.values())
        self._replicas(made, issuer)
        make_entrances(spec, cluster, applications, names, issuer, ready, first)
        make_monitoring(spec, cluster, applications, names, ready, first)
        return {
            "namespaces": {tier.value: names[tier] for tier in spaces},
            "endpoints": self._addresses(made),
            "hosts": hosts_of(applications),
            "shared": found.told,
        }

    def _services(
        self, around: ServiceSurroundings, ready: pulumi.ResourceOptions, after: list[pulumi.Resource]
    ) -> dict[str, ClusterService]:
        spec, cluster = self._spec, self._cluster
        scaler: list[pulumi.Resource] = []
        if any(row.spec.scale.queue_depth is not None for row in self._applications.values()):
            operators = self._names[Tier.PLATFORM]
            scaler = [Keda("keda", cluster, namespace=operators, watched=around.namespace, opts=ready)]
        options = pulumi.ResourceOptions.merge(ready, pulumi.ResourceOptions(depends_on=after))
        key = "applications" if spec.applications is not None else spec.system.value
        return {
            name: ClusterService(
                name,
                cluster,
                application=application,
                around=around,
                secrets={
                    variable: secret_of(self._config, one, f"{key}.services.{name}.secrets.{variable}", "value")
                    for variable, one in application.spec.secrets.items()
                },
                scaler=scaler,
                opts=options,
            )
            for name, application in self._applications.items()
        }

    def _replicas(self, made: Mapping[str, ClusterService], issuer: CertificateIssuer | None) -> None:
        """Sign for the replicas that call each other, and copy the files of those that keep some away."""
        cluster, namespace = self._cluster, self._names[Tier.EXECUTION]
        store = backup_store(self._spec, cluster)
        for name, application in self._applications.items():
            if issuer is not None and joins_by_quic(application):
                hosts = replica_names(application, namespace)
                issuer.certificate(made[name], "replicas", namespace, replica_secret(application), hosts)
            if store is not None and application.keeps_own_files:
                copy_files(made[name], cluster, application, namespace, store)

    def _addresses(self, made: Mapping[str, ClusterService]) -> dict[str, pulumi.Input[str]]:
        """Return where each service is: those that listen, and the one replica that writes."""
        found: dict[str, pulumi.Input[str]] = {}
        for name, part in made.items():
            if part.port:
                found[name] = pulumi.Output.concat(part.endpoint, f":{part.port}")
                if part.primary is not None:
                    found[f"{name}-primary"] = f"{part.primary}:{part.port}"
        return found

    def _flows(self, stores: SharedStores) -> list[Flow]:
        """Return every connection between the namespaces; all others are denied."""
        services, shared, operators = (self._names[tier] for tier in (Tier.EXECUTION, Tier.CHANNELS, Tier.PLATFORM))
        found = []
        called = [port for port, own in ((CACHE_PORT, stores.own_cache), (S3_PORT, stores.own_objects)) if own]
        if called:
            found.append(Flow(services, shared, tuple(called), "what services share"))
        if stores.own_database:
            found.append(Flow(operators, services, POSTGRES_PORTS, "CloudNativePG asks its instances"))
        if stores.own_objects:
            found.append(Flow(operators, shared, POSTGRES_PORTS, "CloudNativePG asks its instances"))
        if stores.own_cache and any(row.spec.scale.queue_depth for row in self._applications.values()):
            found.append(Flow(operators, shared, (CACHE_PORT,), "KEDA asks how long queues are"))
        return found

    def _namespaces(self, stores: SharedStores, options: pulumi.ResourceOptions) -> dict[Tier, TierNamespace]:
        flows, spaces = self._flows(stores), {}
        # Source: CloudNativePG "Labels and annotations", read 2026-11
        postgres: dict[str, dict[str, object]] = {
            "postgres": {"matchExpressions": [{"key": "cnpg.io/cluster", "operator": "Exists"}]}
        }
        clients: dict[Tier, dict[str, dict[str, object]]] = {Tier.PLATFORM: {"operators": {}}}
        clients |= {Tier.EXECUTION: postgres} if stores.own_database else {}
        clients |= {Tier.CHANNELS: postgres} if stores.own_objects else {}
        keeps = stores.own_database or any(_keeps(row) for row in self._applications.values())
        meshes = sum(row.spec.mesh is not None for row in self._applications.values())
        for tier, namespace in self._names.items():
            if tier is Tier.CHANNELS and not (stores.own_cache or stores.own_objects):
                continue
            spaces[tier] = TierNamespace(
                namespace,
                self._cluster,
                namespace=namespace,
                tier=tier,
                flows=flows,
                api_clients=clients.get(tier),
                managed=tier is Tier.EXECUTION,
                keeps_data=tier is Tier.CHANNELS or (tier is Tier.EXECUTION and keeps),
                load_balancers=meshes if tier is Tier.EXECUTION else 0,
                opts=options,
            )
        self._account(spaces[Tier.EXECUTION])
        return spaces

    def _account(self, space: TierNamespace) -> None:
        """Make the account that has an identity at the cloud."""
        cluster, namespace = self._cluster, self._names[Tier.EXECUTION]
        annotations = cluster.service_account_annotations.get(f"{namespace}/{ACCOUNT}", {})
        ServiceAccount(
            f"{namespace}-account",
            metadata={
                "name": ACCOUNT,
                "namespace": namespace,
                "labels": dict(cluster.labels),
                "annotations": dict(annotations),
            },
            automount_service_account_token=False,
            opts=pulumi.ResourceOptions(parent=space, depends_on=[space.made]),
        )


def _keeps(application: Application) -> bool:
    return application.definition.data_path is not None
