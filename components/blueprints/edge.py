"""The server side of edge mode: an entrance for devices, and behind it the service that reconciles them.

The service has a namespace of its own, since devices reach it: it calls its PostgreSQL and the object store, and
nothing of the tiers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_kubernetes.core.v1 import ServiceAccount

from components.blueprints.backups import backup_store
from components.blueprints.edge_parts import EDGE_NAMESPACE, own_objects, proxies_namespace
from components.blueprints.operators import runs_postgres
from components.blueprints.services import GATEWAY_NAMESPACE, Beside
from components.channels.object_store import ObjectStore
from components.kubernetes.cluster import Cluster
from components.kubernetes.tenancy import TierNamespace
from components.services.edge_entrance import EdgeEntrance
from components.services.edge_sync import DATABASE, DATABASE_NAME, POSTGRES_PODS, EdgeSync
from components.services.gateway import API_CLIENTS
from components.stores.relational import RelationalStore
from skerry.config.edge import SYNC_NAMESPACE
from skerry.config.sense_edge import own_store_bytes
from skerry.config.spec import DeploymentSpec, StoreSpec
from skerry.facts import Tier


def make_edge(
    spec: DeploymentSpec,
    cluster: Cluster,
    beside: Beside | None,
    objects: ObjectStore,
    namespaces: Mapping[Tier, str],
    ready: pulumi.ResourceOptions,
    first: Sequence[pulumi.Resource],
    postgres: Sequence[pulumi.Resource],
) -> dict[str, pulumi.Input[object]]:
    """Make the entrance and the service, and return the stack's outputs of them; nothing where no device calls.

    Args:
        spec: the checked configuration.
        cluster: where they run.
        beside: the services that the stack has; None where it has none.
        objects: the object store of the deployment.
        namespaces: of the tiers, and of the operators.
        ready: the options of what stands beside the tiers.
        first: the namespaces.
        postgres: what runs PostgreSQL in the cluster.

    Raises:
        CatalogError: a chart, an image or the devices' model has no row.
    """
    edge = spec.edge
    if edge is None:
        return {}
    own_postgres = runs_postgres(spec, cluster)
    found = beside or Beside()
    after = pulumi.ResourceOptions.merge(ready, pulumi.ResourceOptions(depends_on=list(postgres)))
    database = RelationalStore(
        DATABASE_NAME,
        cluster,
        namespace=SYNC_NAMESPACE,
        tier=Tier.CHANNELS,
        database=DATABASE,
        kind=spec.meta.relational_kind,
        size=StoreSpec(replicas=edge.sync.instances, storage_gib=edge.sync.storage_gib),
        backup=backup_store(spec, cluster),
        opts=after,
    )
    EdgeSync(
        "sync",
        cluster,
        namespace=SYNC_NAMESPACE,
        spec=edge,
        objects=objects,
        object_store_bytes=own_store_bytes(spec),
        objects_namespace=namespaces[Tier.CHANNELS] if own_objects(spec, cluster) else None,
        authority=database.authority_of(spec.meta.relational_authority),
        operators=namespaces[Tier.PLATFORM] if own_postgres else None,
        depends_on=first,
        opts=pulumi.ResourceOptions.merge(after, pulumi.ResourceOptions(depends_on=[objects, database])),
    )
    EdgeEntrance(
        "edge",
        cluster,
        namespace=proxies_namespace(spec, GATEWAY_NAMESPACE),
        spec=edge,
        backend=SYNC_NAMESPACE,
        issuer=found.issuer,
        controller=found.gateway,
        depends_on=first,
        opts=ready,
    )
    return {"edge": {"host": edge.host, "devices": edge.devices}}


def edge_namespaces(spec: DeploymentSpec, cluster: Cluster, options: pulumi.ResourceOptions) -> list[pulumi.Resource]:
    """Make the namespaces of the server side of edge mode, and return them; none where no device calls.

    Args:
        spec: the checked configuration.
        cluster: where they are.
        options: the options of what stands beside the tiers.
    """
    if spec.edge is None:
        return []
    space = TierNamespace(
        SYNC_NAMESPACE,
        cluster,
        namespace=SYNC_NAMESPACE,
        tier=Tier.CHANNELS,
        flows=(),
        api_clients={"postgres": POSTGRES_PODS} if runs_postgres(spec, cluster) else {},
        # The service itself opens what it calls of the cloud's.
        managed=False,
        keeps_data=True,
        opts=options,
    )
    ServiceAccount(
        f"{SYNC_NAMESPACE}-agents",
        metadata={
            "name": "agents",
            "namespace": SYNC_NAMESPACE,
            "labels": dict(cluster.labels),
            # By which it reaches objects, where pods have an identity at the cloud.
            "annotations": dict(cluster.service_account_annotations.get(f"{SYNC_NAMESPACE}/agents", {})),
        },
        automount_service_account_token=False,
        opts=pulumi.ResourceOptions(parent=space, depends_on=[space.made]),
    )
    made: list[pulumi.Resource] = [space.made]
    if proxies_namespace(spec, GATEWAY_NAMESPACE) == EDGE_NAMESPACE:
        proxies = TierNamespace(
            EDGE_NAMESPACE,
            cluster,
            namespace=EDGE_NAMESPACE,
            tier=Tier.PLATFORM,
            flows=(),
            api_clients=API_CLIENTS,
            managed=False,
            load_balancers=1,
            opts=options,
        )
        made.append(proxies.made)
    return made
