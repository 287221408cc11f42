"""The base stack of a deployment on AWS: network, cluster, machines and managed stores, under one key."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi_aws import cloudwatch, iam, kms, sqs

from components.aws.cluster import AwsCluster
from components.aws.data_access import AwsDataAccess
from components.aws.network import AwsNetwork
from components.aws.permissions import agents_policy, karpenter_policy, key_policy, queue_policy, trust_of
from components.aws.services import AwsServiceIdentities, asks_aws
from components.aws.stores import AwsObjectStore, AwsPostgres, AwsPubSub
from components.aws.tags import tags_of
from components.aws.transit import AwsTransit
from components.base import SkerryComponent, checked_name
from components.clouds.managed import bucket_users, managed_stores, meshes_of, service_namespaces
from skerry.config.application import Access
from skerry.config.data_access import linked
from skerry.config.edge import SYNC_NAMESPACE
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, Tier

INTERRUPTIONS = {
    "spot": {"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]},
    "rebalance": {"source": ["aws.ec2"], "detail-type": ["EC2 Instance Rebalance Recommendation"]},
    "state": {"source": ["aws.ec2"], "detail-type": ["EC2 Instance State-change Notification"]},
    "health": {"source": ["aws.health"], "detail-type": ["AWS Health Event"]},
    "reservation": {
        "source": ["aws.ec2"],
        "detail-type": ["EC2 Capacity Reservation Instance Interruption Warning"],
    },
}
"""What Karpenter listens to. Source: aws/karpenter-provider-aws v1.14.1 cloudformation.yaml of its "Getting started",
the rules for its interruption queue, read 2026-11."""


SESSION = "skerry"
"""How AWS's logs call whoever deploys, where a role is named."""


class AwsBase(SkerryComponent):
    """Makes everything of a deployment that lies outside Kubernetes."""

    def __init__(self, name: str, spec: DeploymentSpec, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the base.

        Args:
            name: the component's name.
            spec: the deployment.
            opts: Pulumi's options.

        Raises:
            CatalogError: no instance type has what a pool asks.
        """
        super().__init__(
            name,
            ComponentFacts(tier=Tier.PLATFORM, role="base", jurisdiction=spec.target.jurisdiction),
            opts,
        )
        self._system = spec.system.value
        self._region, self._cidr = spec.target.region, spec.target.aws.vpc_cidr
        cluster_name = checked_name(pulumi.get_stack().removesuffix("-base"))
        provider = aws_provider(self, spec)
        inside = pulumi.ResourceOptions(parent=self, providers=[provider])
        key = kms.Key(
            self.child_name("key"),
            description=f"Everything of {cluster_name} at rest",
            enable_key_rotation=True,
            deletion_window_in_days=30,
            policy=account_of(spec, provider).apply(lambda account: key_policy(account, self._region)),
            opts=pulumi.ResourceOptions(parent=self, provider=provider, protect=True, retain_on_delete=True),
        )
        network = AwsNetwork(self.child_name("network"), spec, cluster_name=cluster_name, key_arn=key.arn, opts=inside)
        self._cluster = AwsCluster(
            self.child_name("cluster"),
            spec,
            network.subnet_ids,
            cluster_name=cluster_name,
            key_arn=key.arn,
            opts=inside,
        )
        self._key_arn = key.arn
        self._options = pulumi.ResourceOptions(parent=self, provider=provider)
        self._stores = self._managed_stores(spec, network, inside)
        if linked(spec.execution.data_endpoints):
            clients = self._cluster.security_group_id
            AwsDataAccess(self.child_name("data"), spec, network, clients=clients, opts=inside)
        if asks_aws(spec):
            name = self._cluster.eks.name
            AwsServiceIdentities(self.child_name("services"), spec, cluster_name=name, key_arn=key.arn, opts=inside)
        self._transit = None
        if meshes_of(spec):
            group = self._cluster.security_group_id
            self._transit = AwsTransit(self.child_name("transit"), meshes_of(spec), network, members=group, opts=inside)
        self._queue = self._interruptions()
        self._karpenter_role()
        self._profile = iam.InstanceProfile(
            self.child_name("nodes"), role=self._cluster.node_role.name, opts=self._options
        )
        self.finish()

    def stack_outputs(self) -> dict[str, pulumi.Input[object]]:
        """Return what the platform stack needs."""
        return {
            "clusterName": self._cluster.eks.name,
            "kubeconfig": self._cluster.kubeconfig,
            "region": self._region,
            "network": self._cidr,
            "keyArn": self._key_arn,
            "nodeProfile": self._profile.name,
            "interruptionQueue": self._queue.name,
            **self._stores,
            **(self._transit.stack_outputs() if self._transit is not None else {}),
        }

    def _managed_stores(
        self, spec: DeploymentSpec, network: AwsNetwork, inside: pulumi.ResourceOptions
    ) -> dict[str, pulumi.Input[object]]:
        """Make the stores that AWS is to run, and return where they are; the others run in the cluster."""
        wanted = managed_stores(spec)
        shared: dict[str, Any] = {
            "vpc_id": network.vpc_id,
            "subnet_ids": network.subnet_ids,
            "clients": self._cluster.security_group_id,
            "key_arn": self._key_arn,
            "opts": inside,
        }
        found: dict[str, pulumi.Input[object]] = {}
        if wanted.relational:
            postgres = AwsPostgres(self.child_name("postgres"), spec, **shared)
            found["postgresEndpoint"] = postgres.endpoint
            found["postgresSecretArn"] = postgres.secret_arn
        if wanted.object_store:
            objects = AwsObjectStore(self.child_name("objects"), spec, key_arn=self._key_arn, opts=inside)
            found["bucket"] = objects.endpoint
            self._agents_role(spec, objects, more=(SYNC_NAMESPACE,) if spec.edge is not None else ())
        if wanted.pubsub:
            found["pubsubEndpoint"] = AwsPubSub(self.child_name("pubsub"), spec, **shared).endpoint
        return found

    def _interruptions(self) -> sqs.Queue:
        queue = sqs.Queue(
            self.child_name("interruptions"),
            message_retention_seconds=300,
            sqs_managed_sse_enabled=True,
            opts=self._options,
        )
        sqs.QueuePolicy(
            self.child_name("interruptions"),
            queue_url=queue.url,
            policy=queue_policy(),
            opts=self._options,
        )
        for event, pattern in INTERRUPTIONS.items():
            rule = cloudwatch.EventRule(
                self.child_name(f"on-{event}"), event_pattern=json.dumps(pattern), opts=self._options
            )
            cloudwatch.EventTarget(self.child_name(f"on-{event}"), rule=rule.name, arn=queue.arn, opts=self._options)
        return queue

    def _karpenter_role(self) -> None:
        role = iam.Role(
            self.child_name("karpenter"),
            assume_role_policy=trust_of("pods.eks.amazonaws.com", tag_session=True),
            opts=self._options,
        )
        iam.RolePolicy(
            self.child_name("karpenter"),
            role=role.id,
            policy=pulumi.Output.all(self._queue.arn, self._cluster.node_role.arn, self._cluster.eks.arn).apply(
                lambda args: karpenter_policy(*args)
            ),
            opts=self._options,
        )
        self._identity("karpenter", f"{self._system}-operators", "karpenter", role)

    def _agents_role(self, spec: DeploymentSpec, objects: AwsObjectStore, more: tuple[str, ...]) -> None:
        """Make the role by which pods reach the bucket, without a key of their own; of services each has its own."""
        services = service_namespaces(spec)
        role = self._reaches("agents", objects, None)
        # Beside services only the jobs that copy stores away act as agents.
        for space in services or ("sensei-cognitive", "sensei-execution", "sensei-meta", *more):
            self._identity(space, space, "agents", role)
        for name, access in bucket_users(spec).items():
            self._identity(name, services[0], name, self._reaches(name, objects, access))

    def _reaches(self, name: str, objects: AwsObjectStore, access: Access | None) -> iam.Role:
        """Make a role of pods that may do so much with the bucket."""
        role = iam.Role(
            self.child_name(name, 56),
            assume_role_policy=trust_of("pods.eks.amazonaws.com", tag_session=True),
            opts=self._options,
        )
        iam.RolePolicy(
            self.child_name(name),
            role=role.id,
            policy=pulumi.Output.all(objects.bucket.arn, self._key_arn).apply(
                lambda args: agents_policy(args[0], args[1], access)
            ),
            opts=self._options,
        )
        return role

    def _identity(self, name: str, namespace: str, account: str, role: iam.Role) -> None:
        aws.eks.PodIdentityAssociation(
            self.child_name(f"identity-{name}"),
            cluster_name=self._cluster.eks.name,
            namespace=namespace,
            service_account=account,
            role_arn=role.arn,
            opts=self._options,
        )


def aws_provider(parent: SkerryComponent, spec: DeploymentSpec) -> aws.Provider:
    """Make the one provider of a stack: its region, its account, and the tags by which finance and policy group."""
    account, role = spec.target.aws.account_id, spec.target.aws.deployment_role
    return aws.Provider(
        parent.child_name("aws"),
        region=spec.target.region,
        allowed_account_ids=[account] if account else None,
        # Of the class, not a mapping: the SDK writes this as JSON text, in which a mapping's names stay as they are.
        assume_roles=[aws.ProviderAssumeRoleArgs(role_arn=role, session_name=SESSION)] if role else None,
        default_tags={"tags": tags_of(spec, Tier.PLATFORM)},
        opts=pulumi.ResourceOptions(parent=parent),
    )


def account_of(spec: DeploymentSpec, provider: aws.Provider) -> pulumi.Output[str]:
    """Return the account's number: the one that the stack names, else that of the credentials, known at deployment."""
    if spec.target.aws.account_id:
        return pulumi.Output.from_input(spec.target.aws.account_id)
    identity = aws.get_caller_identity_output(opts=pulumi.InvokeOptions(provider=provider))
    account: pulumi.Output[str] = identity.apply(lambda found: str(found.account_id))
    return account
