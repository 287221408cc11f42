"""The queue that services on AWS share: at least once, with a place for what fails again and again."""

from __future__ import annotations

import json
from typing import Final

import pulumi
from pulumi_aws import sqs

from components.aws.permissions import document, only_tls
from components.aws.tags import tier_tag
from components.base import SkerryComponent
from skerry.config.application import QueueSpec
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, Tier

DAY_S: Final = 86_400
DEAD_DAYS: Final = 14
"""What fails is kept as long as SQS keeps anything. Source: Amazon SQS API, SetQueueAttributes, read 2026-11."""

MARGIN_S: Final = 60
"""A job is nobody else's for a minute longer than it may take."""

OF_FUNCTION: Final = 6
"""For a function it is six times its time-out. Source: AWS Lambda "Configuring an Amazon SQS queue to trigger a
Lambda function" (not opened; check before relying on it)."""

LONGEST_S: Final = 43_200


def visibility_s(queue: QueueSpec, function_timeout_s: int = 0) -> int:
    """Return for how long a job that was taken is nobody else's: longer than the longest job."""
    return min(max(queue.longest_job_s + MARGIN_S, function_timeout_s * OF_FUNCTION), LONGEST_S)


class AwsQueue(SkerryComponent):
    """Makes an SQS queue and its dead-letter queue, under the deployment's key, over TLS alone."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        queue: QueueSpec,
        *,
        key_arn: pulumi.Input[str],
        function_timeout_s: int = 0,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the queues.

        Args:
            name: the component's name.
            spec: the deployment.
            queue: how long jobs take and wait.
            key_arn: the key of what waits.
            function_timeout_s: the longest time-out of a function that takes jobs; 0 where none does.
            opts: Pulumi's options.
        """
        facts = ComponentFacts(
            tier=Tier.CHANNELS,
            data_class=spec.data_class,
            role="job-queue",
            stateful=True,
            encrypted_at_rest=True,
            encrypted_in_transit=True,
            guarantee="at-least-once",
        )
        super().__init__(name, facts, opts)
        dead = sqs.Queue(
            self.child_name("dead", 72),
            message_retention_seconds=DEAD_DAYS * DAY_S,
            kms_master_key_id=key_arn,
            tags=tier_tag(Tier.CHANNELS),
            opts=self.store_options(),
        )
        self.queue = sqs.Queue(
            self.child_name("jobs", 72),
            visibility_timeout_seconds=visibility_s(queue, function_timeout_s),
            message_retention_seconds=queue.retention_days * DAY_S,
            receive_wait_time_seconds=20,
            kms_master_key_id=key_arn,
            redrive_policy=dead.arn.apply(
                lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": queue.attempts})
            ),
            tags=tier_tag(Tier.CHANNELS),
            opts=self.store_options(),
        )
        sqs.RedriveAllowPolicy(
            self.child_name("dead"),
            queue_url=dead.url,
            redrive_allow_policy=self.queue.arn.apply(
                lambda arn: json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [arn]})
            ),
            opts=self.child_options(),
        )
        for role, one in (("dead", dead), ("jobs", self.queue)):
            sqs.QueuePolicy(
                self.child_name(f"{role}-tls"),
                queue_url=one.url,
                # Of a queue's own policy every resource is that queue: so it is known before the queue is.
                policy=document(only_tls("sqs:*", ["*"])),
                opts=self.child_options(),
            )
        self.finish(endpoint=self.queue.url, port=443, secret_ref=None, metrics_endpoint=None)
