"""A queue for GPU work that may wait: Kueue, and what it may give out, which is what serving leaves of the machines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from math import floor
from typing import Any, Final

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.base import SkerryComponent
from components.kubernetes.cluster import Cluster
from components.kubernetes.operator import Operator, image_values
from skerry.facts import ComponentFacts, Tier

API: Final = "kueue.x-k8s.io/v1beta2"
"""Source: kubernetes-sigs/kueue v0.19.2 config/components/crd/bases, stored version, read 2026-11."""

QUEUE: Final = "gpu"
"""What jobs name in the label `kueue.x-k8s.io/queue-name`, in every namespace that takes part."""

QUEUED_LABEL: Final = "skerry.dev/gpu-queue"
"""On namespaces that take part: Kueue looks at jobs there and nowhere else."""

WEBHOOK_PORT: Final = 9443
"""Source: kubernetes-sigs/kueue v0.19.2 charts/kueue/values.yaml, read 2026-11."""

FRAMEWORKS: Final = ("batch/job", "ray.io/rayjob")
"""What may wait. Pods and Deployments are not among them: a Kueue that is away must not keep servers from starting."""

DAEMON_CPU: Final = 2
DAEMON_GIB: Final = 8
"""Of one machine, for the kubelet and daemon sets; estimates of ours."""


class QueuePriority(str, Enum):
    """Who goes first in the queue; nobody who runs gives way to serving, whose GPUs are not in it."""

    URGENT = "gpu-urgent"
    NORMAL = "gpu-normal"
    IDLE = "gpu-idle"

    @property
    def rank(self) -> int:
        """The number that Kueue compares."""
        return {QueuePriority.URGENT: 1000, QueuePriority.NORMAL: 500, QueuePriority.IDLE: 100}[self]


@dataclass(frozen=True, slots=True)
class QueueRoom:
    """What may be given out, and the sum."""

    resource: str
    """Of the GPUs, or parts of them."""
    units: int
    cpu: int
    memory_gib: int
    arithmetic: str

    def rows(self) -> list[dict[str, str]]:
        """Return the quota of each resource; Kueue lets nothing through that asks for another."""
        wanted = {"cpu": str(self.cpu), "memory": f"{self.memory_gib}Gi", self.resource: str(self.units)}
        return [{"name": name, "nominalQuota": most} for name, most in wanted.items()]


def room_of(
    *, resource: str, per_node: int, nodes: int, served: int, vcpu: int, memory_gib: float, taken: tuple[float, float]
) -> QueueRoom:
    """Return what serving leaves.

    Args:
        resource: of the GPUs.
        per_node: units of one machine.
        nodes: the most machines.
        served: units that servers take.
        vcpu: of one machine.
        memory_gib: of one machine.
        taken: CPU and GiB that servers and agents ask for.
    """
    units = per_node * nodes - served
    cpu = floor((vcpu - DAEMON_CPU) * nodes - taken[0])
    memory = floor((memory_gib - DAEMON_GIB) * nodes - taken[1])
    text = (
        f"{nodes} machines x {per_node} - {served} served = {units} {resource}; "
        f"CPU {nodes} x ({vcpu} - {DAEMON_CPU}) - {taken[0]:g} = {cpu}; "
        f"GiB {nodes} x ({memory_gib:g} - {DAEMON_GIB}) - {taken[1]:g} = {memory}"
    )
    return QueueRoom(resource, units, max(cpu, 0), max(memory, 0), text)


def kueue(
    name: str,
    cluster: Cluster,
    *,
    namespace: str,
    depends_on: Sequence[pulumi.Resource] = (),
    opts: pulumi.ResourceOptions | None = None,
) -> Operator:
    """Install Kueue.

    Args:
        name: the component's name.
        cluster: where it runs.
        namespace: of operators.
        depends_on: what must be there before.
        opts: Pulumi's options.

    Raises:
        CatalogError: the chart or its image has no row.
    """
    why = "queues GPU work"
    repository, tag, digest = image_values(cluster, "kueue", why)
    placement = cluster.placements[Tier.PLATFORM]
    return Operator(
        name,
        cluster,
        chart="kueue",
        namespace=namespace,
        values={
            "controllerManager": {
                # The chart's values point to a staging registry; it has no field for a digest.
                "manager": {
                    "image": {
                        "repository": repository,
                        "tag": f"{tag}@{digest}" if digest else tag,
                        "pullPolicy": "IfNotPresent",
                    }
                },
                "nodeSelector": dict(placement.node_selector),
                "tolerations": [dict(item) for item in placement.tolerations],
            },
            "enableKueueViz": False,
            "managerConfig": {"controllerManagerConfigYaml": manager_config()},
        },
        why=why,
        webhook_port=WEBHOOK_PORT,
        depends_on=depends_on,
        opts=opts,
    )


def manager_config() -> str:
    """Return Kueue's own configuration; JSON is YAML too.

    Source: kubernetes-sigs/kueue v0.19.2 charts/kueue/values.yaml and apis/config/v1beta2/configuration_types.go, read
    2026-11.
    """
    return json.dumps(
        {
            "apiVersion": "config.kueue.x-k8s.io/v1beta2",
            "kind": "Configuration",
            "health": {"healthProbeBindAddress": ":8081"},
            "metrics": {"bindAddress": ":8443"},
            "webhook": {"port": WEBHOOK_PORT},
            "leaderElection": {"leaderElect": True, "resourceName": "c1f6bfd2.kueue.x-k8s.io"},
            "manageJobsWithoutQueueName": False,
            "managedJobsNamespaceSelector": {"matchLabels": {QUEUED_LABEL: QUEUE}},
            "integrations": {"frameworks": list(FRAMEWORKS)},
        },
        indent=2,
    )


class GpuJobQueue(SkerryComponent):
    """What the queue may give out, and where jobs stand in it."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        room: QueueRoom,
        namespaces: Sequence[str],
        depends_on: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make flavor, queues and priorities.

        Args:
            name: the component's name.
            cluster: where they are; it has a placement for the cognitive tier.
            room: what may be given out.
            namespaces: those that take part; they exist and bear `QUEUED_LABEL`.
            depends_on: Kueue, and the namespaces.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.COGNITIVE, role="gpu-queue"), opts)
        placement = cluster.placements[Tier.COGNITIVE]
        self._depends = list(depends_on)
        # Jobs get selector and tolerations from the flavor, so that they find machines that are closed to others.
        tolerations = [dict(item) for item in placement.tolerations]
        self._make("flavor", cluster, "ResourceFlavor", QUEUE, {
            "nodeLabels": dict(placement.node_selector), "tolerations": tolerations,
        })  # fmt: skip
        rows = room.rows()
        group = {
            "coveredResources": [row["name"] for row in rows],
            "flavors": [{"name": QUEUE, "resources": rows}],
        }
        self._make("cluster-queue", cluster, "ClusterQueue", QUEUE, {
            "namespaceSelector": {"matchLabels": {QUEUED_LABEL: QUEUE}},
            "queueingStrategy": "BestEffortFIFO",
            "resourceGroups": [group],
            "preemption": {"withinClusterQueue": "LowerPriority"},
        })  # fmt: skip
        for namespace in namespaces:
            self._make(f"local-{namespace}", cluster, "LocalQueue", QUEUE, {"clusterQueue": QUEUE}, namespace)
        for priority in QueuePriority:
            # Its number stands beside the metadata, where the SDK's class for custom resources has no room.
            pulumi.CustomResource(
                f"kubernetes:{API}:WorkloadPriorityClass",
                self.child_name(priority.value),
                {
                    "apiVersion": API,
                    "kind": "WorkloadPriorityClass",
                    "metadata": {"name": priority.value, "labels": dict(cluster.labels)},
                    "value": priority.rank,
                    "description": "Made by Skerry: who goes first in the GPU queue.",
                },
                opts=self.child_options(depends_on=self._depends),
            )
        self.finish(queue=QUEUE, room=room.arithmetic)

    def _make(
        self, role: str, cluster: Cluster, kind: str, name: str, spec: Mapping[str, Any], namespace: str | None = None
    ) -> None:
        where = {"namespace": namespace} if namespace is not None else {}
        CustomResource(
            self.child_name(role),
            api_version=API,
            kind=kind,
            metadata={"name": name, **where, "labels": dict(cluster.labels)},
            spec=dict(spec),
            opts=self.child_options(depends_on=self._depends),
        )
