"""Pods, Deployments, StatefulSets, Services and disruption budgets, built one way for every tier.

What every workload gets: no privilege, a read-only root where the image allows it, requests and limits, spread over
failure domains with `nodeTaintsPolicy: Honor` (a cordoned zone must not count as a domain, or a drain never ends), and
a disruption budget where there is more than one replica.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final

from pulumi_kubernetes.apps.v1 import Deployment, StatefulSet
from pulumi_kubernetes.core.v1 import ConfigMap, Service
from pulumi_kubernetes.policy.v1 import PodDisruptionBudget

from components.base import SkerryComponent
from components.kubernetes.cluster import ZONE_LABEL, Cluster, Placement
from components.kubernetes.container import RESTRICTED as RESTRICTED
from components.kubernetes.container import Container as Container
from components.kubernetes.container import EnvValue as EnvValue
from components.kubernetes.container import Perhaps as Perhaps
from components.kubernetes.container import SecretKey as SecretKey
from components.kubernetes.container import http_probe as http_probe
from components.kubernetes.container import login as login
from components.kubernetes.container import port_text as port_text
from components.kubernetes.container import tcp_probe as tcp_probe

NAME_LABEL: Final = "app.kubernetes.io/name"
"""Source: Kubernetes "Recommended Labels", read 2026-11."""

HOST_LABEL: Final = "kubernetes.io/hostname"

SKIP_AWAIT: Final = "pulumi.com/skipAwait"
"""Source: pulumi-kubernetes README "Await", annotations, read 2026-11."""


class Priority(str, Enum):
    """The PriorityClasses of a deployment, from the last that gives way to the first."""

    STORES = "skerry-stores"
    SERVING = "skerry-serving"
    BATCH = "skerry-batch"

    @property
    def rank(self) -> int:
        """The number that the scheduler compares; pods without a class have 0."""
        return {Priority.STORES: 100_000, Priority.SERVING: 10_000, Priority.BATCH: 1_000}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One Deployment or StatefulSet with what belongs to it."""

    name: str
    """Of the object, the Service and the pods' name label."""
    namespace: str
    containers: tuple[Container, ...]
    placement: Placement
    replicas: int
    init: tuple[Container, ...] = ()
    empty_dirs: tuple[str, ...] = ("tmp",)
    config_maps: Mapping[str, str] = field(default_factory=dict)
    """Volume name -> ConfigMap name."""
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Volume name -> Secret name."""
    claims: Mapping[str, str] = field(default_factory=dict)
    """Volume name -> the claim of a volume that all replicas share."""
    secret_files: Mapping[str, SecretKey] = field(default_factory=dict)
    """Volume name -> the only key of a Secret that the pod may see, as a file of that name."""
    host_ipc_memory: str = ""
    """Size of an in-memory volume `shm`; empty for none."""
    service_account: str = "default"
    spread: bool = True
    """False for a single replica that need not be spread."""
    fs_group: int = 65532
    termination_grace_s: int = 60
    mount_token: bool = False
    """True where the pod talks to the Kubernetes API."""
    priority: Priority = Priority.SERVING
    """Who gives way when machines are short."""
    surge: bool = True
    """False where no machine has room for one pod more during a roll-out: the old one goes first."""
    patience_s: int = 600
    """Seconds until a roll-out counts as stuck; Kubernetes' own default."""
    awaited: bool = True
    """False where the pods wait for something that comes after the deployment, so that `pulumi up` must not."""
    autoscaled: bool = False
    """True where somebody else says how many run: the manifest leaves it out, and `replicas` is what is expected."""

    def labels(self) -> dict[str, str]:
        """Return the labels by which Service, budget and spread select the pods."""
        return {NAME_LABEL: self.name}

    def template(self, cluster: Cluster) -> dict[str, Any]:
        """Return the pod template."""
        volumes: list[dict[str, Any]] = [{"name": name, "emptyDir": {}} for name in self.empty_dirs]
        volumes += [{"name": name, "configMap": {"name": value}} for name, value in self.config_maps.items()]
        volumes += [{"name": name, "secret": {"secretName": value}} for name, value in self.secrets.items()]
        volumes += [
            {"name": name, "secret": {"secretName": value.secret, "items": [{"key": value.key, "path": value.key}]}}
            for name, value in self.secret_files.items()
        ]
        volumes += [
            {"name": name, "persistentVolumeClaim": {"claimName": value}} for name, value in self.claims.items()
        ]
        if self.host_ipc_memory:
            volumes.append({"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": self.host_ipc_memory}})
        spec: dict[str, Any] = {
            "serviceAccountName": self.service_account,
            "priorityClassName": self.priority.value,
            # A Service named vllm, neo4j or temporal-ui would set VLLM_PORT, NEO4J_PORT and so on, which those read.
            "enableServiceLinks": False,
            "automountServiceAccountToken": self.mount_token,
            "securityContext": {"runAsNonRoot": True, "fsGroup": self.fs_group},
            "terminationGracePeriodSeconds": self.termination_grace_s,
            "nodeSelector": dict(self.placement.node_selector),
            "tolerations": [dict(toleration) for toleration in self.placement.tolerations],
            "containers": [container.manifest() for container in self.containers],
            "volumes": volumes,
        }
        if self.init:
            spec["initContainers"] = [container.manifest() for container in self.init]
        if self.spread and self.replicas > 1:
            spec["topologySpreadConstraints"] = spread_constraints(self.labels(), cluster.failure_domains)
        identified = f"{self.namespace}/{self.service_account}" in cluster.service_account_annotations
        labels = {**dict(cluster.labels), **(cluster.identity_labels if identified else {}), **self.labels()}
        return {"metadata": {"labels": labels}, "spec": spec}


def spread_constraints(labels: Mapping[str, str], domains: int) -> list[dict[str, Any]]:
    """Return constraints that spread pods over failure domains, where there are several, and over hosts."""
    common = {"labelSelector": {"matchLabels": dict(labels)}, "nodeTaintsPolicy": "Honor", "maxSkew": 1}
    hosts = {"topologyKey": HOST_LABEL, "whenUnsatisfiable": "ScheduleAnyway", **common}
    zones = {"topologyKey": ZONE_LABEL, "whenUnsatisfiable": "DoNotSchedule", **common}
    return [zones, hosts] if domains > 1 else [hosts]


def metadata(cluster: Cluster, workload: Workload, name: str | None = None) -> dict[str, Any]:
    """Return the metadata of an object that belongs to a workload."""
    return {
        "name": name or workload.name,
        "namespace": workload.namespace,
        "labels": {**dict(cluster.labels), **workload.labels()},
    }


def deployment(parent: SkerryComponent, role: str, cluster: Cluster, workload: Workload) -> Deployment:
    """Make a Deployment and, for more than one replica, its disruption budget."""
    spec: dict[str, Any] = {
        **({} if workload.autoscaled else {"replicas": workload.replicas}),
        "selector": {"matchLabels": workload.labels()},
        "template": workload.template(cluster),
        "progressDeadlineSeconds": workload.patience_s,
    }
    if not workload.surge:
        spec["strategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    described = metadata(cluster, workload)
    if not workload.awaited:
        described["annotations"] = {SKIP_AWAIT: "true"}
    made = Deployment(parent.child_name(role), metadata=described, spec=spec, opts=parent.child_options())
    budget(parent, role, cluster, workload)
    return made


def stateful_set(
    parent: SkerryComponent,
    role: str,
    cluster: Cluster,
    workload: Workload,
    *,
    storage_gib: int,
    mount: str,
    storage_class: str | None = None,
) -> StatefulSet:
    """Make a protected and retained StatefulSet with one volume a replica, its headless Service and its budget.

    The first container mounts the volume `data` at `mount`; `storage_class` is another class than the cluster's.
    """
    service(parent, f"{role}-headless", cluster, workload, name=f"{workload.name}-headless", headless=True)
    template = replace(workload, priority=Priority.STORES).template(cluster)
    first = template["spec"]["containers"][0]
    first["volumeMounts"] = [{"name": "data", "mountPath": mount}, *first.get("volumeMounts", [])]
    claim: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": f"{storage_gib}Gi"}},
    }
    if (wanted := storage_class or cluster.storage_class) is not None:
        claim["storageClassName"] = wanted
    made = StatefulSet(
        parent.child_name(role),
        metadata=metadata(cluster, workload),
        spec={
            **({} if workload.autoscaled else {"replicas": workload.replicas}),
            "serviceName": f"{workload.name}-headless",
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": workload.labels()},
            "template": template,
            "volumeClaimTemplates": [
                {"metadata": {"name": "data", "labels": {**dict(cluster.labels), **workload.labels()}}, "spec": claim}
            ],
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        },
        opts=parent.store_options(),
    )
    budget(parent, role, cluster, workload)
    return made


def budget(parent: SkerryComponent, role: str, cluster: Cluster, workload: Workload) -> None:
    """Make a disruption budget that lets one pod go at a time; none for a single replica."""
    if workload.replicas > 1:
        PodDisruptionBudget(
            parent.child_name(f"{role}-pdb"),
            metadata=metadata(cluster, workload),
            spec={"maxUnavailable": 1, "selector": {"matchLabels": workload.labels()}},
            opts=parent.child_options(),
        )


def service(
    parent: SkerryComponent,
    role: str,
    cluster: Cluster,
    workload: Workload,
    *,
    name: str | None = None,
    headless: bool = False,
    ready_only: bool = False,
    ports: Mapping[str, int] | None = None,
    selector: Mapping[str, str] | None = None,
    sticky: bool = False,
    grpc: Collection[str] = (),
) -> Service:
    """Make a ClusterIP Service over the workload's pods; with `headless` their addresses themselves.

    Members of a store must find each other before they are ready; clients want `ready_only`. To ports of `grpc` a
    gateway speaks HTTP/2 without TLS: else it would speak HTTP/1.1, which gRPC is not.

    Source: Kubernetes "Service", Application protocol, `kubernetes.io/h2c` (not opened; check before relying on it).
    """
    wanted = ports or {key: port for container in workload.containers for key, port in container.ports.items()}
    udp = {name for container in workload.containers for name in container.udp}
    spec: dict[str, Any] = {
        "type": "ClusterIP",
        "selector": {**workload.labels(), **(selector or {})},
        "ports": [
            {
                "name": key,
                "port": port,
                "targetPort": key,
                **({"protocol": "UDP"} if key in udp else {}),
                **({"appProtocol": "kubernetes.io/h2c"} if key in grpc else {}),
            }
            for key, port in wanted.items()
        ],
    }
    if sticky:
        spec["sessionAffinity"] = "ClientIP"
    if headless:
        spec |= {"clusterIP": "None", "publishNotReadyAddresses": not ready_only}
    return Service(
        parent.child_name(role),
        metadata=metadata(cluster, workload, name),
        spec=spec,
        opts=parent.child_options(),
    )


def config_map(
    parent: SkerryComponent, role: str, cluster: Cluster, namespace: str, name: str, data: Mapping[str, str]
) -> ConfigMap:
    """Make a ConfigMap."""
    return ConfigMap(
        parent.child_name(role),
        metadata={"name": name, "namespace": namespace, "labels": dict(cluster.labels)},
        data=dict(data),
        opts=parent.child_options(),
    )


def host_name(name: str, namespace: str) -> str:
    """Return the DNS name of a Service. Source: Kubernetes "DNS for Services and Pods", read 2026-11."""
    return f"{name}.{namespace}.svc.cluster.local"


def hosts_of(name: str, namespace: str, replicas: int) -> Sequence[str]:
    """Return the DNS name of each pod of a StatefulSet."""
    return [f"{name}-{index}.{name}-headless.{namespace}.svc.cluster.local" for index in range(replicas)]
