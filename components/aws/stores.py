"""Managed stores on AWS: PostgreSQL, the object store and the pub/sub service. All encrypted, private, protected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pulumi
from pulumi_aws import ec2, elasticache, rds, s3

from components.aws.permissions import bucket_policy
from components.aws.tags import tier_tag
from components.base import SkerryComponent
from components.clouds.managed import (
    backup_days,
    backup_start,
    object_facts,
    pubsub_facts,
    pubsub_members,
    relational_facts,
    relational_gib,
    relational_type,
)
from skerry.aws_stores import LEAST_RDS_GIB, database_class
from skerry.config.application import DatabaseSpec
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, StorageFact, Tier

POSTGRES_PORT: Final = 5432
POSTGRES_MAJOR: Final = "17"
"""Source: Amazon RDS user guide USER_UpgradeDBInstance.PostgreSQL.MajorVersion (17.1 to 17.5), read 2026-11."""

POSTGRES_CLASS: Final = "db.r6g.large"
BACKUP_DAYS: Final = 14
CACHE_PORT: Final = 6379
CACHE_TYPE: Final = "cache.r6g.large"
CACHE_ENGINE, CACHE_VERSION = "valkey", "8.0"
"""Source: Amazon ElastiCache "Engine versions", ElastiCache version 8.0 for Valkey, read 2026-11."""


class AwsPostgres(SkerryComponent):
    """PostgreSQL with a standby in another zone; AWS makes and keeps the master password."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        *,
        vpc_id: pulumi.Input[str],
        subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]],
        clients: pulumi.Input[str],
        key_arn: pulumi.Input[str],
        database: DatabaseSpec | None = None,
        password: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the instance.

        Args:
            name: the component's name.
            spec: the deployment; `meta.relational.storage_gib` is its size.
            vpc_id: the network.
            subnet_ids: one a zone.
            clients: the security group that may connect.
            key_arn: the key of its storage and password.
            database: its size where it is that of services on AWS's own runtimes; left out, the cluster's.
            password: that of its user; left out, AWS makes, keeps and changes it.
            opts: Pulumi's options.
        """
        super().__init__(
            name, relational_facts(spec, POSTGRES_PORT) if database is None else _facts(spec, database), opts
        )
        group = _closed_group(self, vpc_id, clients, POSTGRES_PORT)
        subnets = rds.SubnetGroup(self.child_name("subnets"), subnet_ids=subnet_ids, opts=self.child_options())
        parameters = rds.ParameterGroup(
            self.child_name("parameters"),
            family=f"postgres{POSTGRES_MAJOR}",
            parameters=[{"name": "rds.force_ssl", "value": "1"}],
            opts=self.child_options(),
        )
        self.instance = rds.Instance(
            # At most 63 characters, of which the provider adds 8. Source: botocore 1.44.5 rds CreateDBInstance,
            # DBInstanceIdentifier, read 2026-11
            self.child_name("instance", 55),
            engine="postgres",
            engine_version=POSTGRES_MAJOR,
            **_size(spec, database),
            **_password(password, key_arn),
            storage_type="gp3",
            storage_encrypted=True,
            kms_key_id=key_arn,
            db_subnet_group_name=subnets.name,
            parameter_group_name=parameters.name,
            vpc_security_group_ids=[group.id],
            publicly_accessible=False,
            username="skerry",
            iam_database_authentication_enabled=True,
            backup_window=_window(spec),
            copy_tags_to_snapshot=True,
            delete_automated_backups=False,
            deletion_protection=True,
            skip_final_snapshot=False,
            # The stack is in it because two deployments of one account may not share a snapshot's name.
            final_snapshot_identifier=f"{pulumi.get_stack()}-postgres-final",
            auto_minor_version_upgrade=True,
            performance_insights_enabled=True,
            performance_insights_kms_key_id=key_arn,
            enabled_cloudwatch_logs_exports=["postgresql", "upgrade"],
            opts=self.store_options(),
        )
        self.secret_arn = self.instance.master_user_secrets.apply(lambda made: made[0].secret_arn if made else "")
        self.finish(endpoint=self.instance.address, port=POSTGRES_PORT, secret_ref=None, metrics_endpoint=None)


def _size(spec: DeploymentSpec, database: DatabaseSpec | None) -> dict[str, Any]:
    """Return how large an instance is, and for whom: the cluster's, or that of services on AWS's own runtimes."""
    if database is None:
        return {
            "instance_class": relational_type(spec, POSTGRES_CLASS),
            "allocated_storage": max(relational_gib(spec), LEAST_RDS_GIB),
            "multi_az": True,
            "backup_retention_period": backup_days(spec, BACKUP_DAYS),
            "tags": tier_tag(Tier.CHANNELS),
        }
    return {
        "instance_class": postgres_class(database),
        "allocated_storage": max(database.storage_gib, LEAST_RDS_GIB),
        "multi_az": database.zones > 1,
        "backup_retention_period": backup_days(spec, database.retention_days),
        "db_name": database_name(database),
        "tags": tier_tag(Tier.META),
    }


def _password(password: pulumi.Input[str] | None, key_arn: pulumi.Input[str]) -> dict[str, Any]:
    if password is not None:
        return {"password": password}
    return {"manage_master_user_password": True, "master_user_secret_kms_key_id": key_arn}


def postgres_class(database: DatabaseSpec) -> str:
    """Return the class of a database of services: the one that is named, else the smallest that fits.

    Raises:
        CatalogError: none that is known is that large.
    """
    return database.instance_type or database_class(database.vcpu, database.memory_gib).name


def database_name(database: DatabaseSpec) -> str:
    """Return the name that RDS takes: a database there has no hyphen in its name.

    Source: Amazon RDS API, CreateDBInstance, DBName of PostgreSQL, read 2026-11.
    """
    return database.name.replace("-", "_")


def _facts(spec: DeploymentSpec, database: DatabaseSpec) -> ComponentFacts:
    told = relational_facts(spec, POSTGRES_PORT)
    return told.model_copy(
        update={
            "tier": Tier.META,
            "replicas": database.zones,
            "failure_domains": database.zones,
        }
    )


class AwsObjectStore(SkerryComponent):
    """An S3 bucket: versioned, encrypted with the deployment's key, never public, TLS only."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        *,
        key_arn: pulumi.Input[str],
        gib: int | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the bucket; its name is the provider's choice, since bucket names are shared by all of AWS.

        Args:
            name: the component's name.
            spec: the deployment.
            key_arn: the key of its objects.
            gib: what finance should expect in it; left out, nobody says.
            opts: Pulumi's options.
        """
        told = object_facts(spec)
        super().__init__(name, told if gib is None else told.model_copy(update={"storage": (_objects(gib),)}), opts)
        self.bucket = s3.Bucket(
            self.child_name("bucket"), force_destroy=False, tags=tier_tag(Tier.CHANNELS), opts=self.store_options()
        )
        self._guard(key_arn)
        self.finish(endpoint=self.bucket.bucket, port=443, secret_ref=None, metrics_endpoint=None)

    def _guard(self, key_arn: pulumi.Input[str]) -> None:
        """Keep old versions, encrypt, close to the public, ask for TLS."""
        after = self.child_options()
        versions = s3.BucketVersioning(
            self.child_name("versioning"),
            bucket=self.bucket.id,
            versioning_configuration={"status": "Enabled"},
            opts=after,
        )
        s3.BucketServerSideEncryptionConfiguration(
            self.child_name("encryption"),
            bucket=self.bucket.id,
            rules=[
                {
                    "apply_server_side_encryption_by_default": {
                        "sse_algorithm": "aws:kms",
                        "kms_master_key_id": key_arn,
                    },
                    "bucket_key_enabled": True,
                }
            ],
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
        s3.BucketPolicy(
            self.child_name("tls"),
            bucket=self.bucket.id,
            policy=self.bucket.arn.apply(bucket_policy),
            opts=self.child_options(depends_on=[closed]),
        )
        s3.BucketLifecycleConfiguration(
            self.child_name("lifecycle"),
            bucket=self.bucket.id,
            rules=[
                {
                    "id": "old-versions",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "noncurrent_version_expiration": {"noncurrent_days": 90},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
                }
            ],
            # Rules for old versions are refused where no versions are kept.
            opts=self.child_options(depends_on=[versions]),
        )


def _objects(gib: int) -> StorageFact:
    return StorageFact(kind="bucket", gib=gib)


class AwsPubSub(SkerryComponent):
    """ElastiCache for Valkey over several zones, encrypted at rest and in transit."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        *,
        vpc_id: pulumi.Input[str],
        subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]],
        clients: pulumi.Input[str],
        key_arn: pulumi.Input[str],
        node_type: str = CACHE_TYPE,
        password: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the replication group; who may connect is said by network, and by a password where one is given.

        Args:
            name: the component's name.
            spec: the deployment; `channels.pubsub_replicas` is its size.
            vpc_id: the network.
            subnet_ids: one a zone.
            clients: the security group that may connect.
            key_arn: the key of its storage.
            node_type: the class of its members.
            password: what callers have to give; left out, nothing.
            opts: Pulumi's options.
        """
        members = max(pubsub_members(spec), 2)
        super().__init__(name, pubsub_facts(spec, members, {"valkey": CACHE_PORT}), opts)
        group = _closed_group(self, vpc_id, clients, CACHE_PORT)
        subnets = elasticache.SubnetGroup(self.child_name("subnets"), subnet_ids=subnet_ids, opts=self.child_options())
        self.group = elasticache.ReplicationGroup(
            # At most 40 characters, of which the provider adds 8.
            # Source: AWS SDK for Kotlin, ElastiCache replicationGroupId, read 2026-11
            self.child_name("group", 32),
            description=f"Pub/sub of {spec.system.value}",
            engine=CACHE_ENGINE,
            engine_version=CACHE_VERSION,
            node_type=node_type,
            auth_token=password,
            num_cache_clusters=members,
            automatic_failover_enabled=True,
            multi_az_enabled=True,
            at_rest_encryption_enabled=True,
            kms_key_id=key_arn,
            transit_encryption_enabled=True,
            subnet_group_name=subnets.name,
            security_group_ids=[group.id],
            snapshot_retention_limit=7,
            auto_minor_version_upgrade=True,
            tags=tier_tag(Tier.CHANNELS),
            opts=self.store_options(),
        )
        self.finish(
            endpoint=self.group.primary_endpoint_address, port=CACHE_PORT, secret_ref=None, metrics_endpoint=None
        )


def _window(spec: DeploymentSpec) -> str | None:
    """Return the hour in which AWS makes the daily backup; None leaves it to AWS."""
    start = backup_start(spec, None)
    return f"{start}-{(int(start[:2]) + 1) % 24:02d}{start[2:]}" if start else None


def _closed_group(
    parent: SkerryComponent, vpc_id: pulumi.Input[str], clients: pulumi.Input[str], port: int
) -> ec2.SecurityGroup:
    return ec2.SecurityGroup(
        parent.child_name("access"),
        vpc_id=vpc_id,
        description=f"Port {port} from the machines of the cluster only",
        ingress=[{"protocol": "tcp", "from_port": port, "to_port": port, "security_groups": [clients]}],
        opts=parent.child_options(),
    )
