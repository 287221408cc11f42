"""Where load balancers of AWS write who called them."""

from __future__ import annotations

from typing import Final

import pulumi
from pulumi_aws import s3

from components.aws.application_rights import log_bucket_statement
from components.aws.permissions import document, only_tls
from components.base import SkerryComponent
from skerry.facts import ComponentFacts, DataClass, Tier

LOG_DAYS: Final = 90


class AwsAccessLogs(SkerryComponent):
    """Makes the bucket of the access logs: addresses, times and paths, nothing that a service keeps or answers.

    Load balancers write under S3's own keys alone. Source: Elastic Load Balancing "Enable access logs for your
    Application Load Balancer", requirements of the bucket, read 2026-11.
    """

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the bucket."""
        facts = ComponentFacts(
            tier=Tier.PLATFORM,
            role="access-logs",
            data_class=DataClass.INTERNAL,
            stateful=True,
            encrypted_at_rest=True,
            encrypted_in_transit=True,
        )
        super().__init__(name, facts, opts)
        self.bucket = s3.Bucket(self.child_name("bucket", 55), force_destroy=False, opts=self.store_options())
        after = self.child_options()
        s3.BucketServerSideEncryptionConfiguration(
            self.child_name("encryption"),
            bucket=self.bucket.id,
            rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
            opts=after,
        )
        closed = s3.BucketPublicAccessBlock(
            self.child_name("private"),
            bucket=self.bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=after,
        )
        s3.BucketLifecycleConfiguration(
            self.child_name("lifecycle"),
            bucket=self.bucket.id,
            rules=[{"id": "old", "status": "Enabled", "filter": {"prefix": ""}, "expiration": {"days": LOG_DAYS}}],
            opts=after,
        )
        self.policy = s3.BucketPolicy(
            self.child_name("writers"),
            bucket=self.bucket.id,
            policy=self.bucket.arn.apply(
                lambda arn: document(log_bucket_statement(arn), only_tls("s3:*", [arn, f"{arn}/*"]))
            ),
            opts=self.child_options(depends_on=[closed]),
        )
        self.finish()
