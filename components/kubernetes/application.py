"""A service of any kind in pods: a Deployment, or a StatefulSet with a volume a replica where it keeps files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
from pulumi_kubernetes.core.v1 import Secret, ServiceAccount
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.base import SkerryComponent
from components.kubernetes.application_facts import HTTPS, service_facts
from components.kubernetes.application_files import shared_volume
from components.kubernetes.application_mesh import join_regions, mesh_environment, state_copies
from components.kubernetes.application_scaling import (
    QueueAddress,
    follow_load,
    follow_queue,
    is_followed,
    recommend_size,
)
from components.kubernetes.cluster import Cluster
from components.kubernetes.peers import blocks, ports
from components.kubernetes.workload import (
    Container,
    EnvValue,
    Perhaps,
    SecretKey,
    Workload,
    deployment,
    host_name,
    hosts_of,
    http_probe,
    metadata,
    service,
    stateful_set,
)
from skerry.application import Application, parts_of
from skerry.config.application import Need, Protocol
from skerry.facts import ImageFact, Tier

LEAVE_S: Final = 5
"""Seconds that a replica still answers after it left its Services; an estimate of ours."""

STARTUP_TRIES: Final = 30
"""Looks at a replica that starts, one each period of its liveness, before it is started anew."""

MODEL: Final = "model"
REPLICA_TLS: Final = "replica-tls"
TLS_PATH: Final = "/etc/skerry/replica-tls"
"""Where replicas find certificate, key and authority by which they know each other."""


@dataclass(frozen=True, slots=True)
class ServiceSurroundings:
    """What the services of a deployment find."""

    namespace: str
    """Where they run."""
    account: str
    """The service account with an identity at the cloud, for those that need one."""
    own_identities: bool = False
    """True where the target gives each service an identity of its own, so that none shares `account`."""
    places: Mapping[str, EnvValue] = field(default_factory=dict)
    """Place of an environment -> what stands there."""
    variables: Mapping[Need, Mapping[str, EnvValue]] = field(default_factory=dict)
    """Need -> variables that every service with it gets."""
    queue: QueueAddress | None = None
    """The shared queue; None where there is none."""
    private_balancer: Mapping[str, str] = field(default_factory=dict)
    """Annotations that keep a load balancer inside."""


class ClusterService(SkerryComponent):
    """One service in a cluster: its pods, their number, who may call them and whom they may call."""

    primary: str | None = None
    """The host name of the replica that writes; None where all are alike."""

    def __init__(
        self,
        name: str,
        cluster: Cluster,
        *,
        application: Application,
        around: ServiceSurroundings,
        secrets: Mapping[str, pulumi.Input[str]],
        scaler: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the service.

        Args:
            name: the component's name, and the service's in Kubernetes.
            cluster: where it runs.
            application: what it is.
            around: what it finds there.
            secrets: variable -> its value.
            scaler: the operator that follows queues, where this service's number does.
            opts: Pulumi's options.
        """
        self._application, self._around, self._cluster = application, around, cluster
        image: ImageFact = cluster.catalog.image(
            name, cluster.target, f"service {name}", reference=application.spec.image
        )
        super().__init__(name, service_facts(cluster, application, image), opts)
        self._account()
        workload = self._workload(image, secrets)
        made = self._run(workload)
        depth = application.spec.scale.queue_depth
        if depth is not None and around.queue is not None:
            follow_queue(self, cluster, application, around.namespace, around.queue, [made, *scaler])
        elif is_followed(application):
            follow_load(self, cluster, application, around.namespace)
        recommend_size(self, cluster, application, around.namespace)
        self._leave()
        join_regions(self, cluster, application, around.namespace, around.private_balancer)
        state_copies(self, cluster, application)
        port = application.main_port
        self.finish(
            endpoint=host_name(name, around.namespace),
            port=port.port if port is not None else 0,
            secret_ref=None,
            metrics_endpoint=None,
        )

    def _account(self) -> None:
        """Make the account of a service that has no identity at the cloud; those that have one share theirs."""
        if not self._shares_identity:
            ServiceAccount(
                self.child_name("account"),
                metadata=metadata(self._cluster, self._bare()),
                automount_service_account_token=False,
                opts=self.child_options(),
            )

    @property
    def _shares_identity(self) -> bool:
        return Need.BUCKET in self._application.definition.needs and not self._around.own_identities

    def _bare(self) -> Workload:
        """Return what names the objects of this service."""
        around = self._around
        placement = self._cluster.placements[Tier.PLATFORM]
        return Workload(name=self._name, namespace=around.namespace, containers=(), placement=placement, replicas=1)

    def _run(self, workload: Workload) -> pulumi.Resource:
        application, cluster = self._application, self._cluster
        inside = {row: port.port for row, port in application.definition.ports.items() if not port.between_replicas}
        grpc = [row for row, port in application.definition.ports.items() if port.protocol is Protocol.GRPC]
        if inside:
            sticky = application.definition.sticky
            service(self, "service", cluster, workload, ports=inside, sticky=sticky, grpc=grpc)
        if not application.keeps_own_files:
            pods: pulumi.Resource = deployment(self, "deployment", cluster, workload)
            return pods
        asked = application.spec.storage_iops
        made: pulumi.Resource = stateful_set(
            self,
            "set",
            cluster,
            workload,
            storage_gib=application.spec.storage_gib,
            mount=f"{application.definition.data_path}",
            storage_class=None if asked is None else cluster.classes_by_iops.get(asked),
        )
        if application.definition.primary and inside:
            # Source: Kubernetes "StatefulSets", Pod Name Label, read 2026-11
            first = {"statefulset.kubernetes.io/pod-name": f"{workload.name}-0"}
            called = f"{workload.name}-primary"
            service(self, "primary", cluster, workload, name=called, ports=inside, selector=first, grpc=grpc)
            self.primary = host_name(called, workload.namespace)
        return made

    def _workload(self, image: ImageFact, secrets: Mapping[str, pulumi.Input[str]]) -> Workload:
        application, cluster = self._application, self._cluster
        definition, scale = application.definition, application.spec.scale
        shared = (
            {} if application.keeps_own_files else shared_volume(self, cluster, application, self._around.namespace)
        )
        keeps = definition.data_path is not None
        tier = Tier.META if keeps else Tier.EXECUTION
        leave = LEAVE_S if definition.ports else 0
        return Workload(
            name=self._name,
            namespace=self._around.namespace,
            placement=cluster.placements.get(tier, cluster.placements[Tier.META]),
            replicas=max(scale.maximum if is_followed(application) else scale.minimum, 1),
            autoscaled=is_followed(application),
            service_account=self._around.account if self._shares_identity else self._name,
            claims={**dict.fromkeys(shared, application.name), **_claim_of_model(application)},
            secrets={REPLICA_TLS: replica_secret(application)} if joins_by_quic(application) else {},
            fs_group=definition.user,
            termination_grace_s=definition.drain_s + leave,
            containers=(
                Container(
                    name=self._name,
                    image=image,
                    cpu=f"{round(application.vcpu * 1000)}m",
                    cpu_limit="" if definition.vcpu_limit is None else _cpu_limit(application),
                    memory=f"{application.memory_mib}Mi",
                    memory_limit=_memory_limit(application),
                    env=self._environment(secrets),
                    fields=self._fields(),
                    ports={row: port.port for row, port in definition.ports.items()},
                    udp=frozenset(row for row, port in definition.ports.items() if port.protocol is Protocol.UDP),
                    leave_s=leave,
                    user=definition.user,
                    mounts={
                        "tmp": "/tmp",
                        **shared,
                        **({REPLICA_TLS: TLS_PATH} if joins_by_quic(application) else {}),
                        **({MODEL: application.spec.model.path} if application.spec.model is not None else {}),
                    },
                    read_only=(MODEL,),
                    **_probes(application),
                ),
            ),
        )

    def _fields(self) -> dict[str, str]:
        """Return what a replica is told of itself, where replicas are not alike."""
        if not self._application.keeps_own_files:
            return {}
        # Source: Kubernetes "StatefulSets", Pod index label (GA in 1.32), read 2026-11
        index = "metadata.labels['apps.kubernetes.io/pod-index']"
        return {"POD_NAME": "metadata.name", "REPLICA_INDEX": index}

    def _environment(self, secrets: Mapping[str, pulumi.Input[str]]) -> dict[str, EnvValue]:
        application, around = self._application, self._around
        found: dict[str, EnvValue] = {}
        for need in application.definition.needs:
            found |= around.variables.get(need, {})
        found |= self._replicas() | mesh_environment(application)
        hidden: dict[str, EnvValue] = {}
        for variable, text in application.environment.items():
            parts = parts_of(text, {**around.places, **self._own_login()})
            found[variable] = _joined(parts, hidden)
        if secrets:
            called = f"{self._name}-secrets"
            Secret(
                self.child_name("secrets"),
                metadata=metadata(self._cluster, self._bare(), called),
                string_data={name: pulumi.Output.secret(value) for name, value in secrets.items()},
                opts=self.child_options(),
            )
            found |= {name: SecretKey(called, name) for name in secrets}
        # Kubernetes fills in $(NAME) only from what stands before it.
        return {**hidden, **found}

    def _own_login(self) -> dict[str, EnvValue]:
        """Return as whom it logs in to the shared database, where that is somebody of its own."""
        secret = self._application.spec.database_secret
        if secret is None:
            return {}
        return {"database.user": SecretKey(secret, "username"), "database.password": SecretKey(secret, "password")}

    def _replicas(self) -> dict[str, EnvValue]:
        """Return where the replicas find each other: names that stay, as many as there may ever be."""
        definition, scale = self._application.definition, self._application.spec.scale
        if not self._application.keeps_own_files:
            return {}
        hosts = hosts_of(self._name, self._around.namespace, max(scale.maximum, scale.minimum))
        port = next((row.port for row in definition.ports.values() if row.between_replicas), None)
        ending = "" if port is None else f":{port}"
        found: dict[str, EnvValue] = {"REPLICA_NODES": ",".join(f"{host}{ending}" for host in hosts)}
        if definition.primary:
            found["REPLICA_PRIMARY"] = f"{hosts[0]}{ending}"
        if joins_by_quic(self._application):
            files = {"CERT": "tls.crt", "KEY": "tls.key", "CA": "ca.crt"}
            found |= {f"REPLICA_TLS_{name}": f"{TLS_PATH}/{file}" for name, file in files.items()}
        return found

    def _leave(self) -> None:
        """Open what the service calls outside the deployment, for its pods alone."""
        application = self._application
        rules: list[dict[str, Any]] = [
            {"to": blocks(row.cidrs), "ports": ports((row.port,))} for row in application.spec.site_endpoints
        ]
        if application.definition.egress or application.spec.copies:
            # A policy knows no names: the port is opened, and the names stand in the facts.
            rules.append({"ports": ports((HTTPS,))})
        if rules:
            workload = self._bare()
            NetworkPolicy(
                self.child_name("out"),
                metadata=metadata(self._cluster, workload, f"allow-out-{self._name}"),
                spec={
                    "podSelector": {"matchLabels": workload.labels()},
                    "policyTypes": ["Egress"],
                    "egress": rules,
                },
                opts=self.child_options(),
            )


def joins_by_quic(application: Application) -> bool:
    """Say whether replicas call each other over UDP, which is QUIC: it has no way without certificates."""
    ports = application.definition.ports.values()
    return any(row.between_replicas and row.protocol is Protocol.UDP for row in ports)


def replica_secret(application: Application) -> str:
    """Return the Secret with `tls.crt`, `tls.key` and `ca.crt` by which replicas know each other."""
    return f"{application.name}-{REPLICA_TLS}"


def replica_names(application: Application, namespace: str) -> tuple[str, ...]:
    """Return the names in that certificate: those of every replica there may ever be, and of the one that writes.

    Pods of one StatefulSet share a template, and so a Secret: one certificate has the names of all.
    """
    domain = f"{application.name}-headless.{namespace}.svc.cluster.local"
    named = (host_name(f"{application.name}-primary", namespace),) if application.definition.primary else ()
    across = (application.spec.mesh.host,) if application.spec.mesh is not None else ()
    return (f"*.{domain}", *named, *across)


def _joined(parts: Sequence[str | EnvValue], hidden: dict[str, EnvValue]) -> EnvValue:
    """Return one value of its parts; keys of Secrets within a text become variables of their own, which it names."""
    if len(parts) == 1 and isinstance(parts[0], SecretKey | Perhaps):
        return parts[0]
    pieces: list[pulumi.Input[str]] = []
    for part in parts:
        if isinstance(part, SecretKey):
            called = f"SKERRY_{part.key.upper().replace('-', '_').replace('.', '_')}"
            hidden[called] = part
            pieces.append(f"$({called})")
        elif isinstance(part, Perhaps):
            pieces.append(part.value.apply(lambda known: "" if known is None else str(known)))
        else:
            pieces.append(part.replace("$(", "$$(") if isinstance(part, str) else part)
    if all(isinstance(piece, str) for piece in pieces):
        return "".join(str(piece) for piece in pieces)
    joined: pulumi.Output[str] = pulumi.Output.concat(*pieces)
    return joined


def _cpu_limit(application: Application) -> str:
    """Return the limit, moved up where the stack gives more than the service's own."""
    limit = application.definition.vcpu_limit or application.vcpu
    return f"{round(max(limit, application.vcpu) * 1000)}m"


def _claim_of_model(application: Application) -> dict[str, str]:
    carried = application.spec.model
    return {MODEL: carried.claim} if carried is not None else {}


def _memory_limit(application: Application) -> str:
    limit = application.definition.memory_limit_mib
    return "" if limit is None else f"{max(limit, application.memory_mib)}Mi"


def _probes(application: Application) -> dict[str, Any]:
    """Return how a replica is asked: while it starts, whether it lives and whether it may be called."""
    definition = application.definition
    health, port = definition.health, next(iter(definition.ports), None)
    ready = definition.ready or health
    found: dict[str, Any] = {}
    if port is None:
        return found
    if health is not None:
        timing = {"initialDelaySeconds": health.initial_delay_s, "periodSeconds": health.period_s}
        found["liveness"] = http_probe(port, health.path, **timing)
        found["startup"] = http_probe(port, health.path, periodSeconds=health.period_s, failureThreshold=STARTUP_TRIES)
    if ready is not None:
        timing = {"initialDelaySeconds": ready.initial_delay_s, "periodSeconds": ready.period_s}
        found["readiness"] = http_probe(port, ready.path, **timing)
    return found
