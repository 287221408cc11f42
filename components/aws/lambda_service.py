"""A service on Lambda from a container image: function, published version, alias, prepared concurrency, entrance."""

from __future__ import annotations

from typing import Any, Final

import pulumi
from pulumi_aws import appautoscaling, lambda_, lb

from components.aws.application_rights import function_policy, store_statements
from components.aws.application_site import (
    Site,
    log_group,
    needs,
    parameter_name,
    parameters,
    role,
    service_facts,
    value_statements,
    values_of,
)
from components.aws.entrance import AwsEntrance
from components.aws.tags import tier_tag
from components.base import SkerryComponent
from skerry.application import Application
from skerry.application_queue import fed_by_queue
from skerry.config.application import Need
from skerry.config.delivery import DeliverySpec, Strategy
from skerry.facts import ImageFact, Tier

ALIAS: Final = "live"
"""What callers name: prepared concurrency belongs to a published version, never to the newest code."""

FREE_TMP_MIB: Final = 512
PREPARED_USE: Final = 0.7
"""The share of prepared functions in use at which more are prepared. Source: AWS Lambda "Configuring provisioned
concurrency" (not opened; check before relying on it)."""

UNRESERVED: Final = 100
ACCOUNT_LIMIT: Final = 1000
"""An account runs 1000 at once unless AWS allows more, and must keep 100 of them free: above that nothing is reserved.

Source: AWS Lambda "Lambda quotas" (not opened; check before relying on it).
"""


class AwsFunctionService(SkerryComponent):
    """Runs a service as a function in private subnets; a version is published with each change, and an alias names it.

    It stands behind the same load balancer as services on ECS: one name, one certificate, one bound for each caller,
    inside the network where nobody on the internet is to call it, and for as long as a function may run. API Gateway's
    HTTP API ends at 30 seconds, has no place in a private network and no such bound.
    """

    def __init__(
        self,
        name: str,
        site: Site,
        application: Application,
        image: ImageFact,
        *,
        entrance: AwsEntrance | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the function.

        Args:
            name: the component's name, that of the service.
            site: what it stands on.
            application: the service as it is described.
            image: what it runs; it has a runtime in it, so that none of AWS's can reach its end of life.
            entrance: what lets callers in; None where nobody outside calls it.
            opts: Pulumi's options.
        """
        super().__init__(name, service_facts(application, site.spec, image, "lambda", at_rest=True), opts)
        self._site, self._application = site, application
        self._group = log_group(self, application, site)
        self.function = self._function(image)
        alias = lambda_.Alias(
            self.child_name(ALIAS),
            name=ALIAS,
            function_name=self.function.name,
            **shared_out(application.spec.delivery, self.function.version),
            opts=self.child_options(),
        )
        if application.spec.scale.prepared:
            self._prepare(alias)
        if fed_by_queue(application):
            self._take_jobs(alias)
        if entrance is not None:
            self._enter(entrance, alias)
        self.finish(endpoint=application.spec.host or "", port=443 if entrance is not None else 0, secret_ref=None)

    def _function(self, image: ImageFact) -> lambda_.Function:
        application, site = self._application, self._site
        values = values_of(application, site)
        kept = parameters(self, application, site, values.secret, kind="SecureString")
        # Lambda fetches nothing for a function, and a secret in its environment is read by whoever may read it.
        where = {f"{name}_PARAMETER_NAME": parameter_name(application, name) for name in kept}
        scale, row = application.spec.scale, application.spec
        keeps = application.definition.data_path is not None
        reserved = scale.maximum if scale.maximum <= ACCOUNT_LIMIT - UNRESERVED else None
        return lambda_.Function(
            self.child_name("function"),
            name=application.name,
            package_type="Image",
            image_uri=image.deployed_as,
            architectures=["x86_64"],
            role=self._role(kept).arn,
            memory_size=application.memory_mib,
            timeout=application.definition.longest_request_s,
            publish=True,
            kms_key_arn=site.key_arn,
            environment={"variables": {**values.plain, **values.open, **where}},
            ephemeral_storage={"size": max(row.storage_gib * 1024 if row.storage_gib > 1 else 0, FREE_TMP_MIB)}
            if keeps
            else None,
            reserved_concurrent_executions=reserved,
            vpc_config={
                "subnet_ids": site.network.subnet_ids,
                "security_group_ids": site.access.groups_of(application),
            },
            logging_config={"log_format": "JSON", "log_group": f"/{pulumi.get_stack()}/{application.name}"},
            tags=tier_tag(Tier.EXECUTION),
            opts=self.child_options(depends_on=[self._group, *kept.values()], delete_before_replace=True),
        )

    def _role(self, kept: Any) -> Any:
        site, application = self._site, self._application
        bucket = site.bucket_arn if needs(application, Need.BUCKET) else None
        queue = site.queue_arn if needs(application, Need.QUEUE) else None
        access = dict(application.definition.access)
        read = value_statements(site, kept, one_by_one=True)
        policy = pulumi.Output.all(self._group.arn, bucket, queue, site.key_arn, read).apply(
            lambda got: function_policy(got[0], [*store_statements(access, got[1], got[2], got[3]), *got[4]])
        )
        return role(self, "role", "lambda.amazonaws.com", policy)

    def _prepare(self, alias: lambda_.Alias) -> None:
        """Keep functions ready, and more of them as they are used where the service says so."""
        scale = self._application.spec.scale
        prepared = lambda_.ProvisionedConcurrencyConfig(
            self.child_name("prepared"),
            function_name=self.function.name,
            qualifier=alias.name,
            provisioned_concurrent_executions=scale.prepared or 0,
            opts=self.child_options(
                ignore_changes=["provisionedConcurrentExecutions"] if scale.prepared_maximum else []
            ),
        )
        if scale.prepared_maximum is None or scale.prepared_maximum == scale.prepared:
            return
        target = appautoscaling.Target(
            self.child_name("scaling"),
            service_namespace="lambda",
            scalable_dimension="lambda:function:ProvisionedConcurrency",
            resource_id=f"function:{self._application.name}:{ALIAS}",
            min_capacity=scale.prepared or 0,
            max_capacity=scale.prepared_maximum,
            opts=self.child_options(depends_on=[prepared]),
        )
        kind = {"predefined_metric_type": "LambdaProvisionedConcurrencyUtilization"}
        appautoscaling.Policy(
            self.child_name("prepared-scaling"),
            name="prepared-scaling",
            policy_type="TargetTrackingScaling",
            service_namespace=target.service_namespace,
            scalable_dimension=target.scalable_dimension,
            resource_id=target.resource_id,
            target_tracking_scaling_policy_configuration={
                "target_value": PREPARED_USE,
                "predefined_metric_specification": kind,
            },
            opts=self.child_options(),
        )

    def _take_jobs(self, alias: lambda_.Alias) -> None:
        """Let the queue call the function: one job at a time, and as many at once as the service may have."""
        lambda_.EventSourceMapping(
            self.child_name("jobs"),
            event_source_arn=self._site.queue_arn,
            function_name=alias.arn,
            batch_size=1,
            scaling_config={"maximum_concurrency": max(self._application.spec.scale.maximum, 2)},
            opts=self.child_options(),
        )

    def _enter(self, entrance: AwsEntrance, alias: lambda_.Alias) -> None:
        target = lb.TargetGroup(
            self.child_name("tg", 24),
            target_type="lambda",
            lambda_multi_value_headers_enabled=True,
            health_check={"enabled": False},
            opts=self.child_options(),
        )
        allowed = lambda_.Permission(
            self.child_name("entrance"),
            action="lambda:InvokeFunction",
            function=self.function.name,
            qualifier=alias.name,
            principal="elasticloadbalancing.amazonaws.com",
            source_arn=target.arn,
            opts=self.child_options(),
        )
        lb.TargetGroupAttachment(
            self.child_name("entrance"),
            target_group_arn=target.arn,
            target_id=alias.arn,
            opts=self.child_options(depends_on=[allowed]),
        )
        entrance.route(self._application, target)


def shared_out(delivery: DeliverySpec, newest: pulumi.Input[str]) -> dict[str, Any]:
    """Return which versions the alias names: the newest, or the stable one with a share of callers for the newest."""
    if delivery.strategy is Strategy.ROLLING or delivery.stable is None:
        return {"function_version": newest}
    if delivery.percent is None:
        return {"function_version": delivery.stable}
    share = delivery.percent / 100
    weights = pulumi.Output.from_input(newest).apply(lambda version: {f"{version}": share})
    return {"function_version": delivery.stable, "routing_config": {"additional_version_weights": weights}}
