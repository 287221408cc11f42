"""Sensei: a three-tier platform of agents, from one configuration on every target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pulumi
from pulumi_kubernetes.core.v1 import ServiceAccount

from components.base import SkerryComponent
from components.blueprints.backups import backup_store
from components.blueprints.deployment import deployment_fact, labels_of, target_fact
from components.blueprints.gpus import gpu_platform, namespace_gpus
from components.blueprints.operators import (
    backup_plugin,
    follows_queues,
    postgres_operator,
    queue_operator,
    runs_postgres,
    small_gpus,
)
from components.blueprints.targets import base_layer, cluster_of
from components.channels.object_store import DATABASE as METADATA
from components.channels.object_store import S3_PORT, ObjectStore
from components.channels.pubsub import PORT as PUBSUB_PORT
from components.channels.pubsub import SENTINEL_PORT, PubSub
from components.channels.rpc import PORT as RPC_PORT
from components.channels.rpc import Rpc, peers
from components.channels.workflows import NAMESPACE, SERVICES, VISIBILITY, Workflows
from components.configuration import FlatConfig, secret_of
from components.kubernetes.cluster import Cluster
from components.kubernetes.tenancy import Flow, PriorityClasses, TierNamespace
from components.kubernetes.workload import EnvValue, SecretKey
from components.stores.relational import PORT as POSTGRES_PORT
from components.stores.relational import RelationalStore
from components.stores.vector import PORTS as VECTOR_PORTS
from components.stores.vector import hosted_endpoints as hosted_vectors
from components.tiers.cognitive import CognitiveTier
from components.tiers.execution import ExecutionTier
from components.tiers.meta import MetaTier
from components.tiers.providers import PORT as MODEL_PORT
from components.tiers.providers import hosted_endpoints as hosted_models
from components.tiers.providers import hosted_ranges, stack_keys
from skerry.catalog import load_catalog
from skerry.config.services import ServicesSpec
from skerry.config.sides import has_tier
from skerry.config.spec import DeploymentSpec, Layer, ObjectStoreKind, VectorStoreKind
from skerry.facts import ComponentFacts, Tier

NAMESPACES: Mapping[Tier, str] = {
    Tier.COGNITIVE: "sensei-cognitive",
    Tier.EXECUTION: "sensei-execution",
    Tier.META: "sensei-meta",
    Tier.CHANNELS: "sensei-channels",
    Tier.PLATFORM: "sensei-operators",
}


class Sensei(SkerryComponent):
    """The root of a deployment: carries what the whole of it is under."""

    def __init__(self, spec: DeploymentSpec, opts: pulumi.ResourceOptions | None = None, name: str = "sensei") -> None:
        """Register the root."""
        super().__init__(name, ComponentFacts(deployment=deployment_fact(spec)), opts)


def fill(root: Sensei, spec: DeploymentSpec, config: FlatConfig) -> dict[str, pulumi.Input[object]]:
    """Declare a deployment under its root and return its outputs.

    Args:
        root: the root; it is not finished here.
        spec: the checked configuration.
        config: the flat values and secrets beside it.

    Raises:
        CatalogError: a pin is missing.
        ConfigError: a key is named that `config` does not have.
        SizingError: the model does not fit.
    """
    lock = config.get("imagesLock")
    catalog = load_catalog(lock=Path(lock) if lock else None)
    options = pulumi.ResourceOptions(parent=root)
    if spec.layer is Layer.BASE:
        return base_layer(spec, config, options).stack_outputs()
    cluster = cluster_of(spec, target_fact(spec), catalog, labels=labels_of(spec), config=config, opts=options)
    return _platform(spec, cluster, root, config)


def flows(*, queues: bool = False) -> tuple[Flow, ...]:
    """Return every connection between the tiers; all others are denied.

    Args:
        queues: whether somebody asks Temporal how long its queues are.
    """
    cognitive, execution, meta, channels, operators = (
        NAMESPACES[tier] for tier in (Tier.COGNITIVE, Tier.EXECUTION, Tier.META, Tier.CHANNELS, Tier.PLATFORM)
    )
    shared = (PUBSUB_PORT, SERVICES["frontend"], S3_PORT)
    found = [Flow(tier, channels, shared, "the channels") for tier in (cognitive, execution, meta)]
    found += [
        Flow(cognitive, execution, (RPC_PORT,), "plan updates"),
        Flow(execution, cognitive, (RPC_PORT, MODEL_PORT), "escalation and prompts"),
        Flow(cognitive, meta, (6333, 6334, 7687, 27017), "what was learnt"),
        Flow(execution, meta, (6333, 6334), "patterns"),
        Flow(operators, meta, (8000, 5432), "CloudNativePG asks its instances"),
        Flow(operators, channels, (8000, 5432), "CloudNativePG asks its instances"),
    ]
    if queues:
        found.append(Flow(operators, channels, (SERVICES["frontend"],), "KEDA asks how long queues are"))
    return tuple(found)


def _ported(found: tuple[Flow, ...], spec: DeploymentSpec) -> tuple[Flow, ...]:
    """Return the flows with the ports of what there is: PostgreSQL's for Qdrant's, and Sentinel's beside Valkey's."""
    moved = []
    for flow in found:
        ports = flow.ports
        if spec.meta.vector_store is VectorStoreKind.PGVECTOR and VECTOR_PORTS["http"] in ports:
            kept = tuple(port for port in ports if port not in (VECTOR_PORTS["http"], VECTOR_PORTS["grpc"]))
            ports = (*kept, POSTGRES_PORT)
        if spec.channels.pubsub_failover and PUBSUB_PORT in ports:
            ports = (*ports, SENTINEL_PORT)
        moved.append(replace(flow, ports=ports))
    return tuple(moved)


def _platform(
    spec: DeploymentSpec, cluster: Cluster, root: Sensei, config: FlatConfig
) -> dict[str, pulumi.Input[object]]:
    serves = spec.services != ServicesSpec()
    if serves:
        # Imported by need: most deployments have none.
        from components.blueprints.services import make_services, with_services

        cluster = with_services(spec, cluster)
    talks = [cluster.provider] if cluster.provider is not None else []
    options = pulumi.ResourceOptions(parent=root, providers=talks)
    spaces = _namespaces(spec, cluster, options)
    first = [*(space.made for space in spaces.values()), *PriorityClasses("sensei-priorities", cluster, options).made]
    if spec.edge is not None:
        # Imported by need, as are the services.
        from components.blueprints.edge import edge_namespaces, make_edge

        first += edge_namespaces(spec, cluster, options)
    ready = pulumi.ResourceOptions(parent=root, providers=talks, depends_on=first)
    if cluster.machines is not None:
        cluster.machines(NAMESPACES[Tier.PLATFORM], first)
    gpu_platform(spec, cluster, NAMESPACES, ready, first)
    postgres = postgres_operator(spec, cluster, NAMESPACES[Tier.PLATFORM], ready)
    postgres += backup_plugin(spec, cluster, NAMESPACES[Tier.PLATFORM], ready, postgres)
    names = NAMESPACES
    if spec.hybrid is not None:
        # Imported by need, as are the services.
        from components.blueprints.hybrid import make_side, open_entrance

        made = make_side(spec, cluster, config, ready, postgres)
    else:
        channels = make_channels(spec, cluster, ready, postgres)
        Rpc("rpc", cluster, namespaces=(names[Tier.COGNITIVE], names[Tier.EXECUTION]), opts=ready)
        tiers = _tiers(spec, cluster, config, ready, channels, postgres)
        made = {"endpoints": addresses({**tiers, **of_channels(channels)})}
    beside = make_services(spec, cluster, names, ready, first) if serves else None
    if spec.hybrid is not None:
        open_entrance(spec, cluster, beside, ready, first)
    elif spec.edge is not None:
        made |= make_edge(spec, cluster, beside, channels[1], names, ready, first, postgres)
    return {"namespaces": {tier.value: name for tier, name in names_of(spec).items()}, **made}


def names_of(spec: DeploymentSpec) -> dict[Tier, str]:
    """Return the namespace of each tier that the stack has."""
    return {tier: name for tier, name in NAMESPACES.items() if has_tier(spec, tier)}


def addresses(parts: Mapping[str, SkerryComponent]) -> dict[str, pulumi.Input[str]]:
    """Return where each part is, as the stack's outputs say it."""
    return {name: pulumi.Output.concat(part.endpoint, f":{part.port}") for name, part in parts.items()}


def of_channels(channels: tuple[PubSub, ObjectStore, Workflows]) -> dict[str, SkerryComponent]:
    """Return the channels by the names of the stack's outputs."""
    pubsub, objects, workflows = channels
    return {"workflows": workflows, "pubsub": pubsub, "objects": objects}


def _tiers(
    spec: DeploymentSpec,
    cluster: Cluster,
    config: FlatConfig,
    ready: pulumi.ResourceOptions,
    channels: tuple[PubSub, ObjectStore, Workflows],
    postgres: list[pulumi.Resource],
) -> dict[str, SkerryComponent]:
    """Make the tiers: meta first, since the others ask what was learnt; execution last, since it prompts the model."""
    names, (pubsub, objects, workflows) = NAMESPACES, channels
    environment = channel_environment(pubsub, objects, workflows)
    meta = MetaTier(
        "meta",
        cluster,
        namespace=names[Tier.META],
        spec=spec.meta,
        objects=objects,
        environment=environment,
        licences=[row.licence for row in spec.licences],
        backup=backup_store(spec, cluster),
        depends_on=[workflows, *postgres],
        opts=ready,
    )
    cognitive = CognitiveTier(
        "cognitive",
        cluster,
        namespace=names[Tier.COGNITIVE],
        spec=spec.cognitive,
        objects=objects,
        environment={**environment, **meta.knowledge, "WORKERS": peers("worker", names[Tier.EXECUTION])},
        api_keys={
            name: secret_of(config, key, path, "key") for name, (key, path) in stack_keys(spec.cognitive).items()
        },
        depends_on=[workflows],
        opts=ready,
    )
    small_gpus(spec, cluster, ready)
    execution = ExecutionTier(
        "execution",
        cluster,
        namespace=names[Tier.EXECUTION],
        spec=spec.execution,
        pubsub=pubsub,
        environment={
            **environment,
            **meta.patterns,
            "ARCHITECTS": peers("architect", names[Tier.COGNITIVE]),
            **({"MODEL_URL": cognitive.model_url} if cognitive.model_url else {}),
        },
        objects=objects,
        passwords=database_passwords(spec, config),
        scaler=queue_operator(spec, cluster, names[Tier.PLATFORM], names[Tier.EXECUTION], ready),
        depends_on=[workflows],
        opts=ready,
    )
    return {"cognitive": cognitive, "execution": execution, "meta": meta}


def database_passwords(spec: DeploymentSpec, config: FlatConfig) -> dict[str, pulumi.Input[str]]:
    """Return the password of each of the customer's databases that has one in the stack."""
    return {
        row.name: secret_of(config, row.password_secret, f"execution.data_endpoints[{at}].password_secret", "password")
        for at, row in enumerate(spec.execution.data_endpoints)
        if row.password_secret is not None
    }


def make_channels(
    spec: DeploymentSpec, cluster: Cluster, ready: pulumi.ResourceOptions, postgres: list[pulumi.Resource]
) -> tuple[PubSub, ObjectStore, Workflows]:
    """Make pub/sub, object store and Temporal with its database."""
    names = NAMESPACES
    pubsub = PubSub("pubsub", cluster, namespace=names[Tier.CHANNELS], channels=spec.channels, opts=ready)
    own_objects = cluster.object_store is None or spec.channels.object_store is ObjectStoreKind.SEAWEEDFS
    database = RelationalStore(
        "temporal-db",
        cluster,
        namespace=names[Tier.CHANNELS],
        tier=Tier.CHANNELS,
        database="temporal",
        kind=spec.meta.relational_kind,
        size=spec.meta.relational,
        more_databases=(VISIBILITY, *([METADATA] if own_objects else [])),
        backup=backup_store(spec, cluster),
        opts=pulumi.ResourceOptions.merge(ready, pulumi.ResourceOptions(depends_on=postgres)),
    )
    objects = ObjectStore(
        "objects", cluster, namespace=names[Tier.CHANNELS], channels=spec.channels, database=database, opts=ready
    )
    workflows = Workflows(
        "workflows",
        cluster,
        namespace=names[Tier.CHANNELS],
        channels=spec.channels,
        database=database,
        authority=database.authority_of(spec.meta.relational_authority),
        opts=ready,
    )
    return pubsub, objects, workflows


def _api_clients(spec: DeploymentSpec, cluster: Cluster) -> dict[Tier, dict[str, dict[str, object]]]:
    """Return the pods of each tier that call the Kubernetes API: operators, and what operators make."""
    # Source: CloudNativePG "Labels and annotations", KubeRay utils/constant.go, read 2026-11
    postgres: dict[str, object] = {"matchExpressions": [{"key": "cnpg.io/cluster", "operator": "Exists"}]}
    clients: dict[Tier, dict[str, dict[str, object]]] = {
        Tier.PLATFORM: {"operators": {}},
        Tier.EXECUTION: {
            "kuberay": {"matchLabels": {"app.kubernetes.io/name": "kuberay-operator"}},
            "ray-head": {"matchLabels": {"ray.io/node-type": "head"}},
        },
    }
    if runs_postgres(spec, cluster):
        clients |= {tier: {"postgres": postgres} for tier in (Tier.META, Tier.CHANNELS)}
    return clients


def _namespaces(spec: DeploymentSpec, cluster: Cluster, options: pulumi.ResourceOptions) -> dict[Tier, TierNamespace]:
    spaces = {}
    pools = {
        tier: cluster.placements[pool]
        for tier, pool in ((Tier.COGNITIVE, Tier.COGNITIVE), (Tier.EXECUTION, Tier.SMALL))
        if pool in cluster.placements
    }
    vectors = hosted_vectors(spec.meta.vector_store)
    internet = {
        Tier.COGNITIVE: (*hosted_models(spec.cognitive), *vectors),
        Tier.EXECUTION: vectors,
        Tier.META: vectors,
    }
    names = names_of(spec)
    every, here = flows(queues=follows_queues(spec)), set(names.values())
    between = [flow for flow in every if {flow.source, flow.destination} <= here]
    for tier, namespace in names.items():
        parts = namespace_gpus(spec, cluster, tier)
        space = TierNamespace(
            namespace,
            cluster,
            namespace=namespace,
            tier=tier,
            flows=_ported(tuple(between), spec),
            internet=internet.get(tier, ()),
            internet_ranges=hosted_ranges(spec.cognitive),
            api_clients=_api_clients(spec, cluster).get(tier),
            managed=tier is not Tier.PLATFORM,
            keeps_data=tier in (Tier.META, Tier.CHANNELS),
            gpus=pools[tier].gpus * pools[tier].nodes_maximum if tier in pools else 0,
            gpu_quota=parts.quota,
            labels=parts.labels,
            opts=options,
        )
        if tier is not Tier.PLATFORM:
            ServiceAccount(
                f"{namespace}-agents",
                metadata={
                    "name": "agents",
                    "namespace": namespace,
                    "labels": dict(cluster.labels),
                    "annotations": dict(cluster.service_account_annotations.get(f"{namespace}/agents", {})),
                },
                automount_service_account_token=False,
                opts=pulumi.ResourceOptions(parent=space, depends_on=[space.made]),
            )
        spaces[tier] = space
    return spaces


def _temporal(workflows: Workflows) -> dict[str, EnvValue]:
    where = pulumi.Output.concat(workflows.endpoint, f":{workflows.port}")
    return {"TEMPORAL_ADDRESS": where, "TEMPORAL_NAMESPACE": NAMESPACE}


def channel_environment(pubsub: PubSub, objects: ObjectStore, workflows: Workflows | None) -> dict[str, EnvValue]:
    """Return what every agent is told: where the channels are."""
    found: dict[str, EnvValue] = {
        "PUBSUB_URL": pulumi.Output.concat(pubsub.scheme, "://", pubsub.endpoint, f":{pubsub.port}"),
        **({} if workflows is None else _temporal(workflows)),
        **objects.client_environment(),
    }
    if pubsub.sentinel is not None:
        # The address is that of Sentinels, who know which member is the primary by this name.
        found["PUBSUB_SENTINEL"] = pubsub.sentinel
    if pubsub.secret_ref is not None:
        found["PUBSUB_PASSWORD"] = SecretKey(pubsub.secret_ref, "password")
        if pubsub.authority is not None:
            found["PUBSUB_CA"] = SecretKey(pubsub.secret_ref, pubsub.authority)
    return found
