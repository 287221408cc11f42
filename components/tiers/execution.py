"""The execution tier: Ray on 4 to 128 CPU machines, Worker and Validator agents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.base import SkerryComponent
from components.channels.object_store import ObjectAccess
from components.channels.pubsub import Broadcasts, PubSub
from components.kubernetes.cluster import Cluster, Placement
from components.kubernetes.operator import Operator, image_values
from components.kubernetes.workload import (
    RESTRICTED,
    Container,
    EnvValue,
    Priority,
    host_name,
    port_text,
    spread_constraints,
)
from components.tiers.agents import AgentGroup, Environment
from components.tiers.data_access import MAP as DATA_MAP
from components.tiers.data_access import data_endpoints, data_environment
from components.tiers.small_model import PORT as SMALL_MODEL_PORT
from components.tiers.small_model import SmallModel
from skerry.config.spec import ExecutionSpec, SmallModelPlacement
from skerry.errors import UsageError
from skerry.facts import ComponentFacts, ImageFact, ScalingFact, Tier
from skerry.images import ImageReference
from skerry.node_room import room_at

API_VERSION: Final = "ray.io/v1"
"""Source: ray-project/kuberay v1.7.0 ray-operator/apis/ray/v1/raycluster_types.go, read 2026-11."""

PORTS: Final = {"gcs": 6379, "dashboard": 8265, "client": 10001, "metrics": 8080}
"""Source: ray-project/kuberay v1.7.0 ray-operator/controllers/ray/utils/constant.go, read 2026-11."""

AUTHORITY_PATH: Final = "/etc/pubsub"
"""Where the head of Ray finds the certificate of the authority that vouches for the pub/sub channel."""

IDLE_S: Final = 60
"""Seconds without work after which a worker is given back; Ray's own default."""


class RayPool(SkerryComponent):
    """One Ray cluster whose own autoscaler follows the demand of its queue: one worker a machine."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        pubsub: Broadcasts,
        taken: int = 0,
        environment: Mapping[str, EnvValue] | None = None,
        config_map: str | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the Ray cluster.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: the namespace of the execution tier.
            pubsub: the Valkey that keeps the head's state, so that a lost head loses no work.
            taken: machines of the tier that something else fills.
            environment: further variables of the workers.
            config_map: a ConfigMap that the workers read at `/etc/<its name>`; None for none.
            depends_on: the operator.
            opts: Pulumi's options.

        Raises:
            SizingError: a machine has no room for a worker.
        """
        image = cluster.catalog.image("ray", cluster.target, "distributed execution")
        placement = cluster.placements[Tier.EXECUTION]
        fewest, most = max(placement.nodes_minimum - taken, 0), max(placement.nodes_maximum - taken, 0)
        scaling = ScalingFact(minimum=fewest, typical=fewest, maximum=most, autoscaler="ray")
        worker = _worker(cluster, image, placement, environment or {}, config_map)
        super().__init__(
            name,
            ComponentFacts(tier=Tier.EXECUTION, role="ray-cluster", images=(image,), ports=PORTS, scaling=scaling),
            opts,
        )
        CustomResource(
            self.child_name("cluster"),
            api_version=API_VERSION,
            kind="RayCluster",
            metadata={"name": "ray", "namespace": namespace, "labels": dict(cluster.labels)},
            spec=_ray_cluster(cluster, image, pubsub, (fewest, most), worker),
            # The autoscaler owns the number of workers, so `replicas` is left out.
            opts=self.child_options(depends_on=list(depends_on)),
        )
        self.finish(
            endpoint=host_name("ray-head-svc", namespace),
            port=PORTS["client"],
            secret_ref=None,
            metrics_endpoint=f"http://{host_name('ray-head-svc', namespace)}:{PORTS['metrics']}/metrics",
        )


def _ray_cluster(
    cluster: Cluster, image: ImageFact, pubsub: Broadcasts, bounds: tuple[int, int], worker: dict[str, Any]
) -> dict[str, Any]:
    return {
        "rayVersion": ImageReference.parse(image.reference).tag,
        "enableInTreeAutoscaling": True,
        "autoscalerOptions": {
            "version": "v2",
            "idleTimeoutSeconds": IDLE_S,
            "upscalingMode": "Default",
            "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
            # KubeRay adds this container itself; without these the namespace refuses the head.
            "securityContext": {**RESTRICTED, "runAsUser": 1000},
        },
        "gcsFaultToleranceOptions": _head_state(pubsub),
        "headGroupSpec": {
            "rayStartParams": {"num-cpus": "0", "dashboard-host": "0.0.0.0"},
            "template": _head(cluster, image, pubsub),
        },
        "workerGroupSpecs": [
            {
                "groupName": "workers",
                "minReplicas": bounds[0],
                "maxReplicas": bounds[1],
                "rayStartParams": {},
                "template": worker,
            }
        ],
    }


def _head_state(pubsub: Broadcasts) -> pulumi.Input[dict[str, Any]]:
    address = pulumi.Output.concat(pubsub.scheme, "://", pubsub.endpoint, ":", port_text(pubsub.port))

    def options(secret: pulumi.Input[str] | None) -> dict[str, Any]:
        if secret is None:
            return {"redisAddress": address}
        password = {"valueFrom": {"secretKeyRef": {"name": secret, "key": "password"}}}
        return {"redisAddress": address, "redisPassword": password}

    # An output of another program may turn out to name no secret.
    secret = pubsub.secret_ref
    return secret.apply(options) if isinstance(secret, pulumi.Output) else options(secret)


def _pod(placement: Placement, container: Container, priority: Priority, more: dict[str, Any]) -> dict[str, Any]:
    return {
        "spec": {
            "securityContext": {"runAsNonRoot": True, "fsGroup": 1000},
            "priorityClassName": priority.value,
            "enableServiceLinks": False,
            "nodeSelector": dict(placement.node_selector),
            "tolerations": [dict(toleration) for toleration in placement.tolerations],
            "containers": [container.manifest()],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
            **more,
        }
    }


def _head(cluster: Cluster, image: ImageFact, pubsub: Broadcasts) -> dict[str, Any]:
    mounts, env, more = {"tmp": "/tmp"}, {"RAY_USAGE_STATS_ENABLED": "0"}, {}
    if isinstance(pubsub, PubSub) and pubsub.authority is not None:
        # Source: ray-project/ray src/ray/common/ray_config_def.h, REDIS_CA_CERT, read 2026-11
        mounts["authority"], env["RAY_REDIS_CA_CERT"] = AUTHORITY_PATH, f"{AUTHORITY_PATH}/{pubsub.authority}"
        certificate = {"secretName": pubsub.secret_ref, "items": [{"key": pubsub.authority, "path": pubsub.authority}]}
        more["volumes"] = [{"name": "tmp", "emptyDir": {}}, {"name": "authority", "secret": certificate}]
    container = Container(
        name="ray-head",
        image=image,
        cpu="2",
        memory="8Gi",
        user=1000,
        ports=PORTS,
        mounts=mounts,
        env=env,
        writable_root=True,
    )
    return _pod(cluster.placements[Tier.PLATFORM], container, Priority.SERVING, more)


def _worker(
    cluster: Cluster, image: ImageFact, placement: Placement, env: Mapping[str, EnvValue], config_map: str | None
) -> dict[str, Any]:
    """Return a worker that fills one machine: what is allocatable, less daemons and the agents beside it."""
    free = room_at(cluster.target, placement.vcpu, placement.memory_gib)
    maps = (config_map,) if config_map is not None else ()
    container = Container(
        name="ray-worker",
        image=image,
        cpu=str(free.vcpu),
        memory=f"{free.memory_gib}Gi",
        user=1000,
        mounts={"tmp": "/tmp", **{name: f"/etc/{name}" for name in maps}},
        env={"RAY_USAGE_STATS_ENABLED": "0", **env},
        writable_root=True,
    )
    labels = {"ray.io/cluster": "ray", "ray.io/group": "workers"}
    spread = spread_constraints(labels, 1)
    more: dict[str, Any] = {"topologySpreadConstraints": spread, "terminationGracePeriodSeconds": 120}
    if maps:
        read = [{"name": name, "configMap": {"name": name}} for name in maps]
        more["volumes"] = [{"name": "tmp", "emptyDir": {}}, *read]
    return _pod(placement, container, Priority.BATCH, more)


class ExecutionTier(SkerryComponent):
    """Ray, and the agents that transform and check."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        namespace: str,
        spec: ExecutionSpec,
        pubsub: Broadcasts,
        environment: Environment,
        objects: ObjectAccess | None = None,
        passwords: Mapping[str, pulumi.Input[str]] | None = None,
        scaler: Sequence[pulumi.Resource] = (),
        depends_on: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the tier.

        Args:
            name: the component's name.
            cluster: where it runs.
            namespace: its namespace, which exists.
            spec: agents, checkpoints, and where their small model runs.
            pubsub: keeps the state of Ray's head.
            environment: where the channels and stores are.
            objects: the object store; required where the tier serves a small model itself.
            passwords: name of a database in `spec.data_endpoints` -> its password, secret.
            scaler: what makes agents follow their queues.
            depends_on: what must be there before.
            opts: Pulumi's options.

        Raises:
            CatalogError: a pin is missing.
            SizingError: the small model does not fit, or a machine has no room for a worker of Ray.
            UsageError: a password or the object store is missing.
        """
        super().__init__(name, ComponentFacts(tier=Tier.EXECUTION, role="tier"), opts)
        logins = data_environment(spec.data_endpoints)
        databases = data_endpoints(
            self, cluster, namespace=namespace, endpoints=spec.data_endpoints, passwords=passwords or {}
        )
        data_map = DATA_MAP if databases else None
        small = self._small_model(cluster, namespace, spec, objects)
        ray = RayPool(
            self.child_name("ray"),
            cluster,
            namespace=namespace,
            pubsub=pubsub,
            taken=spec.small_server.replicas if spec.small_model is SmallModelPlacement.CPU else 0,
            environment=logins,
            config_map=data_map,
            depends_on=[self._operator(cluster, namespace, depends_on), *databases],
            opts=self.child_options(),
        )
        agents = {
            **environment,
            "RAY_ADDRESS": f"ray://{ray.endpoint}:{ray.port}",
            "CHECKPOINT_EVERY_RECORDS": str(spec.checkpoint_every_records),
            **({"SMALL_MODEL": f"{spec.model}", "SMALL_MODEL_URL": small} if small else {}),
            **logins,
        }
        for kind, agent in (("worker", spec.worker), ("validator", spec.validator)):
            AgentGroup(
                self.child_name(kind),
                cluster,
                kind=kind,
                namespace=namespace,
                tier=Tier.EXECUTION,
                agent=agent,
                environment=agents,
                grpc=True,
                config_maps={data_map: data_map} if data_map else None,
                autoscale=agent.autoscale,
                scaler=scaler,
                opts=self.child_options(depends_on=[*depends_on, *databases]),
            )
        self.finish(endpoint=ray.endpoint, port=ray.port, secret_ref=None, metrics_endpoint=ray.metrics_endpoint)

    def _small_model(
        self, cluster: Cluster, namespace: str, spec: ExecutionSpec, objects: ObjectAccess | None
    ) -> str | None:
        """Serve the small model here, and return where; None where the cognitive tier answers."""
        if spec.small_model is SmallModelPlacement.COGNITIVE:
            return None
        if objects is None:
            raise UsageError(f"small_model {spec.small_model.value} has no object store: pass the one with the weights")
        made = SmallModel(
            self.child_name("small-model"),
            cluster,
            namespace=namespace,
            spec=spec,
            objects=objects,
            opts=self.child_options(),
        )
        return f"http://{made.endpoint}:{SMALL_MODEL_PORT}/v1"

    def _operator(self, cluster: Cluster, namespace: str, depends_on: Sequence[pulumi.Resource]) -> Operator:
        why = "Ray clusters of the execution tier"
        repository, tag, digest = image_values(cluster, "kuberay-operator", why)
        return Operator(
            self.child_name("kuberay"),
            cluster,
            chart="kuberay-operator",
            namespace=namespace,
            values={
                "image": {"repository": repository, "tag": f"{tag}@{digest}" if digest else tag},
                "singleNamespaceInstall": True,
                "watchNamespace": [namespace],
                "nodeSelector": dict(cluster.placements[Tier.PLATFORM].node_selector),
                "tolerations": [dict(item) for item in cluster.placements[Tier.PLATFORM].tolerations],
            },
            why=why,
            tier=Tier.EXECUTION,
            opts=self.child_options(depends_on=list(depends_on)),
        )
