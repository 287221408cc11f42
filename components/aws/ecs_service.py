"""A service on ECS with Fargate: task definition, service, autoscaling, rights and logs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import gcd
from typing import Any, Final

import pulumi
from pulumi_aws import ecs, iam, lb, servicediscovery

from components.aws.application_rights import execution_policy, files_statement, store_statements
from components.aws.application_site import (
    Site,
    Values,
    as_document,
    log_group,
    needs,
    parameter_name,
    parameters,
    role,
    service_facts,
    value_statements,
    values_of,
)
from components.aws.ecs_delivery import deployment_of, moved_by
from components.aws.ecs_scaling import autoscale
from components.aws.entrance import AwsEntrance
from components.aws.shared_files import AwsSharedFiles
from components.aws.tags import tier_tag
from components.base import SkerryComponent
from skerry.application import Application
from skerry.config.application import Need, ProbeSpec, Protocol, ScaleSpec
from skerry.config.delivery import Strategy
from skerry.facts import ImageFact, Tier
from skerry.fargate import FargateSize, fargate_size
from skerry.images import ImageReference

FREE_DISK_GIB: Final = 20
"""What every Fargate task has. Source: Amazon ECS API, EphemeralStorage, read 2026-11."""

PROBE_TIMEOUT_S: Final = 5
PLATFORM: Final = "1.4.0"
"""The version that has all sizes, and shared files. Source: Amazon ECS API, TaskDefinition memory, read 2026-11."""
GRACE_MARGIN_S: Final = 30


class AwsContainerService(SkerryComponent):
    """Runs a service as tasks of Fargate in private subnets, behind the entrance of its exposure."""

    def __init__(
        self,
        name: str,
        site: Site,
        application: Application,
        image: ImageFact,
        cluster: ecs.Cluster,
        *,
        after: Sequence[pulumi.Resource] = (),
        entrance: AwsEntrance | None = None,
        namespace: servicediscovery.PrivateDnsNamespace | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the service.

        Args:
            name: the component's name, that of the service.
            site: what it stands on.
            application: the service as it is described.
            image: what it runs.
            cluster: where it runs.
            after: what must be there before it starts.
            entrance: what lets callers in; None where nobody outside calls it.
            namespace: where the others find it by name; None where it has no port.
            opts: Pulumi's options.

        Raises:
            SizingError: Fargate has no such size.
        """
        super().__init__(name, service_facts(application, site.spec, image, "ecs", at_rest=True), opts)
        self._site, self._application, self._image = site, application, image
        self.size: FargateSize = fargate_size(application.vcpu, application.memory_mib)
        self._group = log_group(self, application, site)
        self._files = self._shared_files()
        task = self._task(values_of(application, site))
        balancers, rules = self._enter(entrance)
        self.service = ecs.Service(
            self.child_name("service"),
            # Autoscaling and people name it, so it is not the provider's choice; two of one name cannot be at once.
            name=f"{application.name}-service",
            cluster=cluster.arn,
            task_definition=task.arn,
            desired_count=application.spec.scale.minimum,
            capacity_provider_strategies=providers(application.spec.scale),
            # Without it another share of spot, or another minimum, would replace the service: nobody would answer.
            # Source: hashicorp/terraform-provider-aws docs of aws_ecs_service, capacity_provider_strategy (not opened;
            # check before relying on it)
            force_new_deployment=True,
            platform_version=PLATFORM,
            network_configuration={
                "subnets": site.network.subnet_ids,
                "security_groups": site.access.groups_of(application),
                "assign_public_ip": False,
            },
            load_balancers=balancers,
            service_registries=self._registry(namespace),
            health_check_grace_period_seconds=self._grace() if balancers is not None else None,
            deployment_minimum_healthy_percent=100,
            deployment_maximum_percent=200,
            **deployment_of(application.spec.delivery),
            availability_zone_rebalancing="ENABLED",
            enable_execute_command=False,
            enable_ecs_managed_tags=True,
            propagate_tags="SERVICE",
            wait_for_steady_state=True,
            tags=tier_tag(Tier.EXECUTION),
            opts=self.child_options(
                depends_on=[*after, *rules],
                ignore_changes=["desiredCount"] if application.scales else [],
                delete_before_replace=True,
            ),
        )
        if application.scales:
            autoscale(self, application, site, cluster=cluster, service=self.service)
        self.finish(endpoint=application.spec.host or "", port=_main(application), secret_ref=None)

    def _shared_files(self) -> AwsSharedFiles | None:
        """Make a shared file system where files must outlive a task; who may not share them is refused before."""
        if self._application.definition.data_path is None or self._application.spec.disposable_files:
            return None
        return AwsSharedFiles(
            self.child_name("files"), self._site, self._application.definition.user, opts=self.child_options()
        )

    def _task(self, values: Values) -> ecs.TaskDefinition:
        application, site = self._application, self._site
        kept = {
            **parameters(self, application, site, values.open, kind="String"),
            **parameters(self, application, site, values.secret, kind="SecureString"),
        }
        statements = value_statements(site, kept)
        reference = ImageReference.parse(self._image.deployed_as)
        starts = role(
            self,
            "start",
            "ecs-tasks.amazonaws.com",
            pulumi.Output.all(self._group.arn, statements).apply(
                lambda got: execution_policy(reference, got[0], got[1])
            ),
        )
        # By name a parameter of the same region is found without an account's number, so the description is known.
        fetched = {name: parameter_name(application, name) for name in kept}
        files = self._files
        return ecs.TaskDefinition(
            self.child_name("task"),
            family=application.name,
            cpu=f"{self.size.units}",
            memory=f"{self.size.memory_mib}",
            network_mode="awsvpc",
            requires_compatibilities=["FARGATE"],
            runtime_platform={"operating_system_family": "LINUX", "cpu_architecture": "X86_64"},
            execution_role_arn=starts.arn,
            task_role_arn=self._task_role().arn,
            container_definitions=json.dumps([self._container(values, fetched)]),
            ephemeral_storage=self._disk(),
            volumes=[files.volume()] if files is not None else None,
            tags=tier_tag(Tier.EXECUTION),
            opts=self.child_options(depends_on=list(kept.values())),
        )

    def _container(self, values: Values, fetched: dict[str, str]) -> dict[str, Any]:
        application, definition = self._application, self._application.definition
        mounts = []
        if self._files is not None and definition.data_path is not None:
            mounts = [{"sourceVolume": "files", "containerPath": definition.data_path, "readOnly": False}]
        return {
            "name": application.name,
            "image": self._image.deployed_as,
            "essential": True,
            "user": f"{definition.user}",
            "cpu": self.size.units,
            "memory": self.size.memory_mib,
            "portMappings": [
                {"containerPort": port.port, "protocol": "udp" if port.protocol is Protocol.UDP else "tcp"}
                for port in definition.ports.values()
            ],
            "environment": [{"name": key, "value": value} for key, value in sorted(values.plain.items())],
            "secrets": [{"name": key, "valueFrom": value} for key, value in sorted(fetched.items())],
            "mountPoints": mounts,
            **self._figures(),
            "stopTimeout": max(definition.drain_s, 2),
            "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": f"/{pulumi.get_stack()}/{application.name}",
                    "awslogs-region": self._site.spec.target.region,
                    "awslogs-stream-prefix": application.name,
                },
            },
        }

    def _figures(self) -> dict[str, Any]:
        """Return the labels by which the CloudWatch agent finds where Prometheus reads figures; none without any.

        Source: Amazon CloudWatch "Detailed guide for autodiscovery on Amazon ECS clusters", read 2026-11.
        """
        path, port = self._application.definition.metrics_path, _main(self._application)
        if path is None or not port:
            return {}
        return {"dockerLabels": {"ECS_PROMETHEUS_EXPORTER_PORT": f"{port}", "ECS_PROMETHEUS_METRICS_PATH": path}}

    def _disk(self) -> dict[str, int] | None:
        """Return the space of a task beyond what each has, where it keeps files that may be lost."""
        row = self._application.spec
        more = self._application.definition.data_path is not None and row.storage_gib > FREE_DISK_GIB
        return {"size_in_gib": row.storage_gib} if more and row.disposable_files else None

    def _task_role(self) -> iam.Role:
        site, application = self._site, self._application
        bucket = site.bucket_arn if needs(application, Need.BUCKET) else None
        queue = site.queue_arn if needs(application, Need.QUEUE) else None
        files = self._files
        parts = [bucket, queue, site.key_arn, *([files.system.arn, files.point.arn] if files is not None else [])]
        access = dict(application.definition.access)
        statements = pulumi.Output.all(*parts).apply(
            lambda got: [
                *store_statements(access, got[0], got[1], got[2]),
                *([files_statement(got[3], got[4])] if len(got) > 3 else []),
            ]
        )
        wanted = bucket is not None or queue is not None or files is not None
        return role(self, "task", "ecs-tasks.amazonaws.com", statements.apply(as_document) if wanted else None)

    def _target(self, role: str = "tg") -> lb.TargetGroup:
        definition = self._application.definition
        main = definition.ports[next(iter(definition.ports))]
        probe = definition.ready or definition.health
        grpc = main.protocol is Protocol.GRPC
        return lb.TargetGroup(
            self.child_name(role, 24),
            vpc_id=self._site.network.vpc_id,
            target_type="ip",
            port=main.port,
            protocol="HTTP",
            protocol_version="GRPC" if grpc else "HTTP1",
            deregistration_delay=definition.drain_s,
            load_balancing_algorithm_type="least_outstanding_requests",
            health_check=_probe(definition.health or probe, grpc=grpc),
            stickiness={"enabled": True, "type": "lb_cookie", "cookie_duration": 86_400} if definition.sticky else None,
            opts=self.child_options(),
        )

    def _enter(self, entrance: AwsEntrance | None) -> tuple[list[dict[str, Any]] | None, list[lb.ListenerRule]]:
        """Send callers to the tasks, or to the two sets of them that take turns; nothing where nobody calls."""
        if entrance is None:
            return None, []
        application = self._application
        turns = application.spec.delivery.strategy is not Strategy.ROLLING
        target, other = self._target(), self._target("t2") if turns else None
        rules = entrance.route(application, target, other)
        named = {"container_name": application.name, "container_port": _main(application)}
        moved = {"advanced_configuration": moved_by(self, other, rules[0])} if other is not None else {}
        return [{"target_group_arn": target.arn, **named, **moved}], rules

    def _registry(self, namespace: servicediscovery.PrivateDnsNamespace | None) -> dict[str, Any] | None:
        """Give the tasks a name in the network, by which the others and their own replicas find them."""
        if namespace is None:
            return None
        found = servicediscovery.Service(
            self.child_name("name"),
            name=self._application.name,
            dns_config={
                "namespace_id": namespace.id,
                "routing_policy": "MULTIVALUE",
                "dns_records": [{"type": "A", "ttl": 10}],
            },
            opts=self.child_options(),
        )
        return {"registry_arn": found.arn}

    def _grace(self) -> int:
        """Return how long a task may be called unwell after its start."""
        probes = [one for one in (self._application.definition.health, self._application.definition.ready) if one]
        return max((one.initial_delay_s for one in probes), default=0) + GRACE_MARGIN_S


def providers(scale: ScaleSpec) -> list[dict[str, Any]]:
    """Return who gives capacity: as many as always run on Fargate, and of the rest a share on spot.

    Spot never stands alone: its tasks end two minutes after a warning, all of them at once if need be.
    """
    base = max(scale.minimum, 1)
    spot = round(scale.spot_share * 100)
    if not spot:
        return [{"capacity_provider": "FARGATE", "base": base, "weight": 1}]
    always = 100 - spot
    parts = gcd(spot, always) if always else 100
    weights = (max(always // parts, 1), 1000 if not always else spot // parts)
    return [
        {"capacity_provider": "FARGATE", "base": base, "weight": weights[0]},
        {"capacity_provider": "FARGATE_SPOT", "weight": weights[1]},
    ]


def _probe(probe: ProbeSpec | None, *, grpc: bool) -> dict[str, Any]:
    interval = max(probe.period_s, PROBE_TIMEOUT_S + 1) if probe is not None else 30
    path = probe.path if probe is not None else "/"
    matcher = "0-99" if grpc else "200" if probe is not None else "200-499"
    return {
        "path": path,
        "protocol": "HTTP",
        "port": "traffic-port",
        "interval": interval,
        "timeout": PROBE_TIMEOUT_S,
        "healthy_threshold": 2,
        "unhealthy_threshold": 3,
        "matcher": matcher,
    }


def _main(application: Application) -> int:
    main = application.main_port
    return main.port if main is not None else 0
