"""What AWS runs, for every Pulumi language; its SDK is imported only when a program uses one of these."""

from collections.abc import Sequence
from typing import TypedDict

import pulumi

from components.base import SkerryComponent
from components.package.deployment import deployment_of
from components.package.remote import Remote, python_name, with_outputs
from components.package.specs import Deployment


class AwsBaseArgs(TypedDict):
    """What an AwsBase takes."""

    deployment: Deployment
    """The deployment, with `layer: base`."""


class AwsBase(Remote):
    """Makes everything of a deployment that lies outside Kubernetes: network, key, cluster, machines, managed stores.

    Its outputs are what the platform layer reads from the stack: export each under its own name.
    """

    cluster_name: pulumi.Output[str]
    """The EKS cluster."""
    kubeconfig: pulumi.Output[str]
    """Calls `aws eks get-token`; holds no credential."""
    region: pulumi.Output[str]
    """The region."""
    network: pulumi.Output[str]
    """The address range of the VPC."""
    key_arn: pulumi.Output[str]
    """The key of everything at rest."""
    node_profile: pulumi.Output[str]
    """The instance profile of machines that come and go."""
    interruption_queue: pulumi.Output[str]
    """The queue that Karpenter listens to."""
    postgres_endpoint: pulumi.Output[str] | None
    """Host name of PostgreSQL, where AWS runs it."""
    postgres_secret_arn: pulumi.Output[str] | None
    """The secret in Secrets Manager with its password."""
    pubsub_endpoint: pulumi.Output[str] | None
    """Host name of Valkey, where AWS runs it."""
    bucket: pulumi.Output[str] | None
    """The bucket, where S3 is used."""

    def __init__(self, name: str, args: AwsBaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: AwsBaseArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the base."""
        from components.aws import base

        made = base.AwsBase(name, deployment_of(args["deployment"]), opts)
        return with_outputs(made, **{python_name(key): value for key, value in made.stack_outputs().items()})


class AwsNetworkArgs(TypedDict):
    """What an AwsNetwork takes."""

    deployment: Deployment
    """The deployment; `target.failureDomains` names the zones."""
    cluster_name: str
    """Marks subnets and groups for Karpenter and load balancers."""
    key_arn: pulumi.Input[str]
    """The key that encrypts the flow logs."""


class AwsNetwork(Remote):
    """Makes the VPC; machines have private addresses, and leave through one NAT gateway a zone."""

    vpc_id: pulumi.Output[str]
    """The VPC."""
    subnet_ids: pulumi.Output[Sequence[str]]
    """The private subnets, one a zone."""
    cidr: pulumi.Output[str]
    """The address range of the VPC."""

    def __init__(self, name: str, args: AwsNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: AwsNetworkArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the network."""
        from components.aws import network

        return network.AwsNetwork(
            name,
            deployment_of(args["deployment"]),
            cluster_name=args["cluster_name"],
            key_arn=args["key_arn"],
            opts=opts,
        )


class AwsClusterArgs(TypedDict):
    """What an AwsCluster takes."""

    deployment: Deployment
    """The deployment."""
    subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
    """The private subnets, one a zone."""
    cluster_name: str
    """Its name at AWS."""
    key_arn: pulumi.Input[str]
    """The key for secrets, logs and volumes."""


class AwsCluster(Remote):
    """Makes the control plane of EKS, its roles and add-ons, and the machines that do not come and go."""

    name: pulumi.Output[str]
    """The cluster's name at AWS."""
    arn: pulumi.Output[str]
    """Its ARN."""
    kubeconfig: pulumi.Output[str]
    """Calls `aws eks get-token`; holds no credential."""
    security_group_id: pulumi.Output[str]
    """The group of its machines and pods."""
    node_role_name: pulumi.Output[str]
    """The role of its machines."""

    def __init__(self, name: str, args: AwsClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: AwsClusterArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the cluster."""
        from components.aws import cluster

        return cluster.AwsCluster(
            name,
            deployment_of(args["deployment"]),
            args["subnet_ids"],
            cluster_name=args["cluster_name"],
            key_arn=args["key_arn"],
            opts=opts,
        )


class AwsPostgresArgs(TypedDict):
    """What an AwsPostgres takes."""

    deployment: Deployment
    """The deployment; `meta.relational.storageGib` is its size."""
    vpc_id: pulumi.Input[str]
    """The network."""
    subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
    """The private subnets, one a zone."""
    clients: pulumi.Input[str]
    """The security group that may connect."""
    key_arn: pulumi.Input[str]
    """The key of its storage and password."""


class AwsPostgres(Remote):
    """PostgreSQL by RDS: in several zones, encrypted, its password made and kept by AWS."""

    endpoint: pulumi.Output[str]
    """Host name."""
    port: pulumi.Output[int]
    """TCP port."""
    secret_ref: pulumi.Output[str] | None
    """Name of the Kubernetes Secret with its credentials; absent, since AWS keeps them."""
    metrics_endpoint: pulumi.Output[str] | None
    """URL of its metrics; absent where it has none of its own."""
    secret_arn: pulumi.Output[str]
    """The secret in Secrets Manager with its password."""

    def __init__(self, name: str, args: AwsPostgresArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: AwsPostgresArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the instance."""
        from components.aws import stores

        return stores.AwsPostgres(
            name,
            deployment_of(args["deployment"]),
            vpc_id=args["vpc_id"],
            subnet_ids=args["subnet_ids"],
            clients=args["clients"],
            key_arn=args["key_arn"],
            opts=opts,
        )


class AwsPubSubArgs(TypedDict):
    """What an AwsPubSub takes."""

    deployment: Deployment
    """The deployment; `channels.pubsubReplicas` is its size."""
    vpc_id: pulumi.Input[str]
    """The network."""
    subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
    """The private subnets, one a zone."""
    clients: pulumi.Input[str]
    """The security group that may connect."""
    key_arn: pulumi.Input[str]
    """The key of its storage."""


class AwsPubSub(Remote):
    """Valkey by ElastiCache: in several zones, encrypted, reached by whom the network lets in."""

    endpoint: pulumi.Output[str]
    """Host name."""
    port: pulumi.Output[int]
    """TCP port."""
    secret_ref: pulumi.Output[str] | None
    """Name of the Kubernetes Secret with its credentials; absent where none is needed."""
    metrics_endpoint: pulumi.Output[str] | None
    """URL of its metrics; absent where it has none of its own."""

    def __init__(self, name: str, args: AwsPubSubArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: AwsPubSubArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the replication group."""
        from components.aws import stores

        return stores.AwsPubSub(
            name,
            deployment_of(args["deployment"]),
            vpc_id=args["vpc_id"],
            subnet_ids=args["subnet_ids"],
            clients=args["clients"],
            key_arn=args["key_arn"],
            opts=opts,
        )


class AwsObjectStoreArgs(TypedDict):
    """What an AwsObjectStore takes."""

    deployment: Deployment
    """The deployment."""
    key_arn: pulumi.Input[str]
    """The key of its objects."""


class AwsObjectStore(Remote):
    """An S3 bucket: versioned, encrypted with your key, never public, TLS only."""

    endpoint: pulumi.Output[str]
    """The bucket's name."""
    port: pulumi.Output[int]
    """TCP port."""
    secret_ref: pulumi.Output[str] | None
    """Name of the Kubernetes Secret with its credentials; absent, since pods have an identity."""
    metrics_endpoint: pulumi.Output[str] | None
    """URL of its metrics; absent where it has none of its own."""

    def __init__(self, name: str, args: AwsObjectStoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Declare what a program passes; `make` takes it."""

    @classmethod
    def make(cls, name: str, args: AwsObjectStoreArgs, opts: pulumi.ResourceOptions) -> SkerryComponent:
        """Make the bucket."""
        from components.aws import stores

        return stores.AwsObjectStore(name, deployment_of(args["deployment"]), key_arn=args["key_arn"], opts=opts)
