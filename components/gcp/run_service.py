"""A service on Cloud Run: its own account, its image, how many run, and who may call it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
from pulumi_gcp import cloudrunv2, pubsub, serviceaccount, storage

from components.base import SkerryComponent, checked_name
from components.gcp.key import GcpKey
from components.gcp.labels import tier_label
from components.gcp.run_network import GcpRunNetwork
from components.gcp.run_secrets import GcpRunSecrets
from skerry.application import SECRET_PLACES, Application, hosts_of, parts_of
from skerry.application_facts import instance_facts, secret_role
from skerry.config.application import Access, Exposure, Need, ProbeSpec
from skerry.config.delivery import DeliverySpec, Strategy
from skerry.config.spec import DeploymentSpec
from skerry.facts import ImageFact, Tier

ACCOUNT_NAME_LENGTH: Final = 22
"""As in base.py."""

AUTOSCALER: Final = "cloud-run"
EVERYBODY: Final = "allUsers"
INVOKER: Final = "roles/run.invoker"
STARTUP_S: Final = 240
"""Within so many seconds a new instance must answer; a cold start waits for no longer."""

GENERATION_2_MIB: Final = 512
"""With less, the first generation. Source: Google Cloud "Configure memory limits for services", read 2026-11."""

INGRESS: Final[Mapping[Exposure, str]] = {
    Exposure.NONE: "INGRESS_TRAFFIC_INTERNAL_ONLY",
    Exposure.INTERNAL: "INGRESS_TRAFFIC_INTERNAL_ONLY",
    Exposure.PUBLIC: "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
}
"""Who can call it -> from where Cloud Run lets in; the last is the network and the load balancer, never the internet.

Source: pulumi-gcp 10.2.0, Service.ingress, and Google Cloud "Restrict network ingress for Cloud Run" (not opened).
"""

OBJECT_ROLES: Final[Mapping[Access | None, str]] = {
    Access.READ: "roles/storage.objectViewer",
    Access.WRITE: "roles/storage.objectCreator",
    None: "roles/storage.objectUser",
}


@dataclass(frozen=True, slots=True)
class Shared:
    """What the services of a deployment share, as each of them needs it."""

    network: GcpRunNetwork
    key: GcpKey
    secrets: GcpRunSecrets
    places: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Place of skerry.application -> what stands there."""
    secret_places: Mapping[str, str] = field(default_factory=dict)
    """Place that is a secret -> the role by which the secrets have it."""
    bucket: pulumi.Input[str] | None = None
    topic: pulumi.Input[str] | None = None
    subscription: pulumi.Input[str] | None = None


class CloudRunService(SkerryComponent):
    """A service of Cloud Run, or a worker pool where nobody calls it; stateless, under a key, in the network."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        application: Application,
        shared: Shared,
        image: ImageFact,
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make account, rights and service.

        Args:
            name: the component's name.
            spec: the deployment.
            application: the service.
            shared: what it may use.
            image: what it runs.
            opts: Pulumi's options.

        Raises:
            UsageError: its environment names what is nowhere.
        """
        minimum = application.spec.scale.minimum
        facts = instance_facts(spec, application, image, minimum=minimum, autoscaler=AUTOSCALER)
        super().__init__(name, facts, opts)
        self._spec, self._application, self._shared = spec, application, shared
        self.account = serviceaccount.Account(
            checked_name(application.name, ACCOUNT_NAME_LENGTH),
            display_name=f"{application.name} of {pulumi.get_stack()}",
            opts=self.child_options(),
        )
        rights = self._rights()
        waits = self.child_options(depends_on=[shared.key.grants["run"], *rights])
        self.service = self._called(image, waits) if application.main_port else None
        if self.service is None:
            self._worker(image, waits)
        self._invokers()
        self.finish(endpoint=self.service.uri if self.service else "", port=443, secret_ref=None, metrics_endpoint=None)

    def let_call(self, caller: str, member: pulumi.Input[str]) -> None:
        """Let an account call it."""
        if self.service is not None:
            cloudrunv2.ServiceIamMember(
                self.child_name(f"called-by-{caller}"),
                name=self.service.name,
                location=self._spec.target.region,
                role=INVOKER,
                member=member,
                opts=self.child_options(),
            )

    def _invokers(self) -> None:
        if self._application.spec.anonymous:
            self.let_call("everybody", EVERYBODY)

    def _called(self, image: ImageFact, opts: pulumi.ResourceOptions) -> cloudrunv2.Service:
        scale = self._application.spec.scale
        template: Any = {
            **self._template(image),
            "timeout": f"{self._application.definition.longest_request_s}s",
            "scaling": {
                "min_instance_count": scale.minimum,
                "max_instance_count": scale.maximum,
            },
        }
        if scale.cpu_percent is not None:
            template["scaling"]["cpu_utilization"] = scale.cpu_percent / 100
        if scale.concurrency is not None:
            template["max_instance_request_concurrency"] = scale.concurrency
        if self._application.definition.sticky:
            template["session_affinity"] = True
        return cloudrunv2.Service(
            self.child_name("service"),
            name=self._application.name,
            location=self._spec.target.region,
            ingress=INGRESS[self._application.spec.exposure],
            # Whoever is let in comes by the load balancer and its name, or over the network.
            default_uri_disabled=self._application.spec.exposure is Exposure.PUBLIC,
            # Callers ask for a token for the name that they call it by.
            custom_audiences=[f"https://{host}" for host in hosts_of(self._application)] or None,
            # Nothing is kept in it that could be lost.
            deletion_protection=False,
            labels=tier_label(Tier.EXECUTION),
            template=template,
            traffics=shared_out(self._application.spec.delivery),
            opts=opts,
        )

    def _worker(self, image: ImageFact, opts: pulumi.ResourceOptions) -> None:
        template: Any = self._template(image)
        template.pop("execution_environment")
        fixed: Any = {"scaling_mode": "MANUAL", "manual_instance_count": self._application.spec.scale.minimum}
        cloudrunv2.WorkerPool(
            self.child_name("workers"),
            name=self._application.name,
            location=self._spec.target.region,
            deletion_protection=False,
            scaling=fixed,
            labels=tier_label(Tier.EXECUTION),
            template=template,
            opts=opts,
        )

    def _template(self, image: ImageFact) -> dict[str, Any]:
        """Return what a service and a worker pool have in common."""
        second = self._application.memory_mib >= GENERATION_2_MIB
        return {
            "service_account": self.account.email,
            "encryption_key": self._shared.key.key.id,
            "execution_environment": f"EXECUTION_ENVIRONMENT_GEN{2 if second else 1}",
            "labels": tier_label(Tier.EXECUTION),
            "vpc_access": {
                # Everything leaves by the network, whose rules say what may be called.
                "egress": "ALL_TRAFFIC",
                "network_interfaces": [
                    {
                        "network": self._shared.network.vpc.id,
                        "subnetwork": self._shared.network.subnet.id,
                        "tags": [self._application.name],
                    }
                ],
            },
            "containers": [self._container(image)],
        }

    def _container(self, image: ImageFact) -> dict[str, Any]:
        application = self._application
        resources: dict[str, Any] = {"limits": {"cpu": _cpu(application.vcpu), "memory": f"{application.memory_mib}Mi"}}
        container: dict[str, Any] = {"image": image.deployed_as, "envs": self._variables(), "resources": resources}
        port = application.main_port
        if port is None:
            return container
        # Between requests an instance has no CPU, unless it takes jobs out of a queue there.
        resources |= {"cpu_idle": Need.QUEUE not in application.definition.needs, "startup_cpu_boost": True}
        h2c = {"name": "h2c"} if port.protocol.value == "grpc" else {}
        container["ports"] = {"container_port": port.port, **h2c}
        ready = application.definition.ready or application.definition.health
        container["startup_probe"] = _startup(ready, port.port)
        if application.definition.health is not None:
            health = application.definition.health
            container["liveness_probe"] = {
                "http_get": {"path": health.path, "port": port.port},
                "initial_delay_seconds": health.initial_delay_s,
                "period_seconds": health.period_s,
                "timeout_seconds": min(health.period_s, 5),
                "failure_threshold": 3,
            }
        return container

    def _variables(self) -> list[dict[str, Any]]:
        """Return the environment: plain values, what stands in their places, and secrets by reference."""
        found: list[dict[str, Any]] = []
        for variable, text in self._application.environment.items():
            place = text.strip("{}")
            if place in SECRET_PLACES and text == f"{{{place}}}":
                found.append(self._secret(variable, self._shared.secret_places[place]))
                continue
            found.append({"name": variable, "value": _joined(parts_of(text, self._shared.places))})
        for variable in self._application.spec.secrets:
            found.append(self._secret(variable, secret_role(self._application.spec.secrets[variable])))
        return found

    def _secret(self, variable: str, role: str) -> dict[str, Any]:
        secrets = self._shared.secrets
        reference = {"secret": secrets.secret(role).secret_id, "version": secrets.version(role)}
        return {"name": variable, "value_source": {"secret_key_ref": reference}}

    def _rights(self) -> Sequence[pulumi.Resource]:
        """Give its account what it needs, on the one thing that each right is for."""
        application, shared, member = self._application, self._shared, self.account.member
        asked = {text.strip("{}") for text in application.environment.values()} & SECRET_PLACES
        roles = {shared.secret_places[place] for place in asked}
        roles |= {secret_role(key) for key in application.spec.secrets.values()}
        found: list[pulumi.Resource] = [shared.secrets.let_read(role, self, member) for role in sorted(roles)]
        needs, access = application.definition.needs, application.definition.access
        if Need.BUCKET in needs and shared.bucket is not None:
            found.append(
                storage.BucketIAMMember(
                    self.child_name("objects"),
                    bucket=shared.bucket,
                    role=OBJECT_ROLES[access.get(Need.BUCKET)],
                    member=member,
                    opts=self.child_options(),
                )
            )
        if Need.QUEUE in needs and shared.topic is not None and access.get(Need.QUEUE) is not Access.READ:
            found.append(
                pubsub.TopicIAMMember(
                    self.child_name("puts-in"),
                    topic=shared.topic,
                    role="roles/pubsub.publisher",
                    member=member,
                    opts=self.child_options(),
                )
            )
        if Need.QUEUE in needs and shared.subscription is not None and access.get(Need.QUEUE) is not Access.WRITE:
            found.append(
                pubsub.SubscriptionIAMMember(
                    self.child_name("takes-out"),
                    subscription=shared.subscription,
                    role="roles/pubsub.subscriber",
                    member=member,
                    opts=self.child_options(),
                )
            )
        return found


def shared_out(delivery: DeliverySpec) -> list[Any] | None:
    """Return which revisions callers meet: the newest alone, or the stable one and a share of them the newest.

    The newest can be tried by its tag, whatever its share.
    """
    if delivery.strategy is Strategy.ROLLING or delivery.stable is None:
        return None
    share = delivery.percent or 0
    return [
        {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": delivery.stable, "percent": 100 - share},
        {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": share, "tag": "next"},
    ]


def _startup(probe: ProbeSpec | None, port: int) -> dict[str, Any]:
    """Return the probe that a new instance must pass before anybody is sent to it."""
    if probe is None:
        return {"tcp_socket": {"port": port}, "period_seconds": 5, "timeout_seconds": 5, "failure_threshold": 48}
    return {
        "http_get": {"path": probe.path, "port": port},
        "initial_delay_seconds": probe.initial_delay_s,
        "period_seconds": probe.period_s,
        "timeout_seconds": min(probe.period_s, 5),
        "failure_threshold": max(STARTUP_S // probe.period_s, 1),
    }


def _cpu(vcpu: float) -> str:
    """Return CPUs as Google writes them."""
    return f"{round(vcpu * 1000)}m"


def _joined(parts: Sequence[str | pulumi.Input[str]]) -> pulumi.Input[str]:
    known = [part for part in parts if isinstance(part, str)]
    return "".join(known) if len(known) == len(parts) else pulumi.Output.concat(*parts)
