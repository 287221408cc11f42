"""Agents: the user's own images, one Deployment a kind, told where everything is by environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from components.base import SkerryComponent
from components.channels.rpc import CONFIG_MAP
from components.channels.rpc import PORT as RPC_PORT
from components.kubernetes.cluster import Cluster
from components.kubernetes.keda import QueueScaler
from components.kubernetes.workload import (
    Container,
    EnvValue,
    Perhaps,
    SecretKey,
    Workload,
    deployment,
    http_probe,
    service,
)
from skerry.config.autoscale import AutoscaleSpec
from skerry.config.spec import AgentSpec
from skerry.errors import UsageError
from skerry.facts import ComponentFacts, ImageFact, ScalingFact, Tier

HEALTH_PORT = 8080
"""Agents answer `/health`, `/ready` and `/metrics` here, and gRPC on the port of the channel."""

Environment = Mapping[str, EnvValue]


def split(environment: Environment) -> tuple[dict[str, pulumi.Input[str]], dict[str, dict[str, pulumi.Input[str]]]]:
    """Return the plain values and the keys of Secrets apart."""
    plain = {name: value for name, value in environment.items() if not isinstance(value, SecretKey | Perhaps)}
    secret: dict[str, dict[str, pulumi.Input[str]]] = {
        name: {"secret": value.secret, "key": value.key}
        for name, value in environment.items()
        if isinstance(value, SecretKey)
    }
    return plain, secret


class AgentGroup(SkerryComponent):
    """One kind of agent."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        kind: str,
        namespace: str,
        tier: Tier,
        agent: AgentSpec,
        environment: Environment,
        grpc: bool = False,
        config_maps: Mapping[str, str] | None = None,
        autoscale: AutoscaleSpec | None = None,
        scaler: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the agents.

        Args:
            name: the component's name.
            cluster: where they run.
            kind: `scout`, `architect`, `worker`, `validator` or `learning`; the name in Kubernetes.
            namespace: the namespace of their tier.
            tier: their tier.
            agent: image and replicas.
            environment: where everything is.
            grpc: whether they serve gRPC and share the retry policy.
            config_maps: further ConfigMaps, volume name -> ConfigMap name, mounted at `/etc/<volume name>`.
            autoscale: bounds between which their number follows a Temporal task queue; None keeps `agent.replicas`.
                The environment then has TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE.
            scaler: the operator that does it.
            opts: Pulumi's options.
        """
        image: ImageFact = cluster.catalog.image(kind, cluster.target, f"{kind} agents", reference=agent.image)
        ports = {"health": HEALTH_PORT, **({"grpc": RPC_PORT} if grpc else {})}
        maps = {**(config_maps or {}), **({"grpc": CONFIG_MAP} if grpc else {})}
        replicas = agent.replicas if autoscale is None else max(autoscale.expected, 1)
        scaling = None if autoscale is None else _scaling(autoscale)
        if autoscale is not None:
            environment = {**environment, "TASK_QUEUE": autoscale.task_queue or kind}
        facts = ComponentFacts(
            tier=tier, role="agent", replicas=replicas, images=(image,), ports=ports, scaling=scaling
        )
        super().__init__(name, facts, opts)
        workload = Workload(
            name=kind,
            namespace=namespace,
            placement=cluster.placements.get(tier, cluster.placements[Tier.PLATFORM]),
            replicas=replicas,
            autoscaled=autoscale is not None,
            config_maps=maps,
            service_account="agents",
            containers=(_container(kind, image, environment, ports, maps),),
        )
        made = deployment(self, "deployment", cluster, workload)
        if autoscale is not None:
            self._follow(cluster, workload, autoscale, environment, [made, *scaler])
        service(self, "service", cluster, workload)
        if grpc:
            ports = {"grpc": RPC_PORT}
            service(self, "grpc", cluster, workload, name=f"{kind}-grpc", headless=True, ready_only=True, ports=ports)
        self.finish(
            endpoint=f"{kind}.{namespace}.svc.cluster.local",
            port=RPC_PORT if grpc else HEALTH_PORT,
            secret_ref=None,
            metrics_endpoint=f"http://{kind}.{namespace}.svc.cluster.local:{HEALTH_PORT}/metrics",
        )

    def _follow(
        self,
        cluster: Cluster,
        workload: Workload,
        autoscale: AutoscaleSpec,
        environment: Environment,
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        QueueScaler(
            self.child_name("queue"),
            cluster,
            deployment=workload.name,
            namespace=workload.namespace,
            spec=autoscale,
            temporal=_plain(environment, "TEMPORAL_ADDRESS"),
            temporal_namespace=_plain(environment, "TEMPORAL_NAMESPACE"),
            depends_on=depends_on,
            opts=self.child_options(),
        )


def _container(
    kind: str, image: ImageFact, environment: Environment, ports: Mapping[str, int], maps: Mapping[str, str]
) -> Container:
    return Container(
        name=kind,
        image=image,
        cpu="500m",
        memory="1Gi",
        env=environment,
        ports=ports,
        startup=http_probe("health", "/health", periodSeconds=5, failureThreshold=30),
        readiness=http_probe("health", "/ready", periodSeconds=10),
        liveness=http_probe("health", "/health", periodSeconds=20),
        mounts={"tmp": "/tmp", **{volume: f"/etc/{volume}" for volume in maps}},
    )


def _scaling(autoscale: AutoscaleSpec) -> ScalingFact:
    return ScalingFact(
        minimum=autoscale.minimum, typical=autoscale.expected, maximum=autoscale.maximum, autoscaler="keda"
    )


def _plain(environment: Environment, name: str) -> pulumi.Input[str]:
    """Return a plain value of the environment.

    Raises:
        UsageError: it is not there, or a Secret's.
    """
    value = environment.get(name)
    if value is None or isinstance(value, SecretKey | Perhaps):
        raise UsageError(f"agents that follow a queue need {name} as a plain value: pass it in their environment")
    return value
