"""The Kubernetes cluster of a deployment on AWS: EKS with a private API, encrypted secrets, and its machines."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi_aws import cloudwatch, ec2, eks, iam, vpc

from components.aws.addons import AFTER_MACHINES, add_addon
from components.aws.fabric import AwsFabric
from components.aws.nodes import AwsNodeGroup, machine_of, system_pool
from components.aws.permissions import trust_of
from components.aws.tags import tags_of
from components.base import SkerryComponent
from skerry.config.eks import ADDONS, EBS_DRIVER, METRICS_ADDON, NETWORK_ADDON
from skerry.config.sides import persistent_tier
from skerry.config.spec import DeploymentSpec, PoolSpec
from skerry.facts import ComponentFacts, Tier

LOG_TYPES: Final = ("api", "audit", "authenticator", "controllerManager", "scheduler")
LOG_DAYS: Final = 365

NODE_POLICIES: Final = (
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonSSMManagedInstanceCore",
)
"""Source: aws/karpenter-provider-aws v1.14.1 cloudformation.yaml of its "Getting started", read 2026-11."""

ADMIN_POLICY: Final = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
"""Source: Amazon EKS "Review access policy permissions", read 2026-11."""


class AwsCluster(SkerryComponent):
    """Makes the control plane, its roles and add-ons, and the machines that do not come and go."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]],
        *,
        cluster_name: str,
        key_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the cluster.

        Args:
            name: the component's name.
            spec: the deployment.
            subnet_ids: where it stands, one a zone.
            cluster_name: its name at AWS.
            key_arn: the key for secrets, logs and volumes.
            opts: Pulumi's options.
        """
        facts = ComponentFacts(tier=Tier.PLATFORM, role="cluster", data_class=spec.data_class, encrypted_at_rest=True)
        super().__init__(name, facts, opts)
        logs = cloudwatch.LogGroup(
            self.child_name("logs"),
            name=f"/aws/eks/{cluster_name}/cluster",
            retention_in_days=LOG_DAYS,
            kms_key_id=key_arn,
            opts=self.child_options(),
        )
        self._attached: dict[str, list[pulumi.Resource]] = {}
        role = self._role("cluster", "eks.amazonaws.com", ("AmazonEKSClusterPolicy",), tag_session=True)
        self.eks = eks.Cluster(
            self.child_name("eks"),
            name=cluster_name,
            version=spec.target.aws.kubernetes_version,
            role_arn=role.arn,
            vpc_config={
                "subnet_ids": subnet_ids,
                "endpoint_private_access": True,
                "endpoint_public_access": False,
            },
            access_config={"authentication_mode": "API", "bootstrap_cluster_creator_admin_permissions": True},
            encryption_config={"provider": {"key_arn": key_arn}, "resources": ["secrets"]},
            enabled_cluster_log_types=list(LOG_TYPES),
            # The add-ons below are the managed ones: without this EKS first installs its own, which nobody updates.
            bootstrap_self_managed_addons=False,
            deletion_protection=spec.production,
            # Without its policies EKS could take away neither interfaces nor groups of its own.
            # Source: terraform-provider-aws website/docs/r/eks_cluster.html.markdown, depends_on, read 2026-11
            opts=self.child_options(depends_on=[logs, *self._attached["cluster"]]),
        )
        self.node_role = self._role("node", "ec2.amazonaws.com", NODE_POLICIES)
        # A machine that came with single addresses keeps them beside blocks, so the CNI is told before there is any.
        # Source: Amazon EKS "Assign more IP addresses to Amazon EKS nodes with prefixes", read 2026-11
        prefixes = spec.target.aws.eks.prefix_delegation
        first = [add_addon(self, spec, self.eks, NETWORK_ADDON)] if prefixes else []
        groups = self._groups(spec, subnet_ids, key_arn, [*first, *self._attached["node"]])
        self._addons(spec, groups)
        self._tag_security_group(cluster_name)
        self._admit(spec)
        self.security_group_id = self.eks.vpc_config.cluster_security_group_id
        self.kubeconfig = _kubeconfig(self.eks, spec)
        self.finish(name=self.eks.name, arn=self.eks.arn, node_role_name=self.node_role.name)

    def _role(self, role: str, service: str, policies: tuple[str, ...], *, tag_session: bool = False) -> iam.Role:
        made = iam.Role(
            self.child_name(role),
            assume_role_policy=trust_of(service, tag_session=tag_session),
            opts=self.child_options(),
        )
        self._attached[role] = [
            iam.RolePolicyAttachment(
                self.child_name(f"{role}-{policy.lower().replace('_', '-')}"),
                role=made.name,
                policy_arn=f"arn:aws:iam::aws:policy/{policy}",
                opts=self.child_options(),
            )
            for policy in policies
        ]
        return made

    def _groups(
        self,
        spec: DeploymentSpec,
        subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]],
        key_arn: pulumi.Input[str],
        after: Sequence[pulumi.Resource],
    ) -> list[AwsNodeGroup]:
        """Make the machines of the meta tier and the GPUs; Karpenter makes those of the execution tier."""
        wanted = [(persistent_tier(spec), spec.meta.pool)]
        if spec.cognitive.pool is not None:
            wanted.append((Tier.COGNITIVE, spec.cognitive.pool))
        if spec.execution.small_pool is not None:
            wanted.append((Tier.SMALL, spec.execution.small_pool))
        system = system_pool(spec)
        if system is not None:
            wanted.append((Tier.PLATFORM, system))
        return [
            AwsNodeGroup(
                self.child_name("system" if tier is Tier.PLATFORM else tier.value),
                tier=tier,
                pool=pool,
                cluster_name=self.eks.name,
                kubernetes_version=spec.target.aws.kubernetes_version,
                node_role_arn=self.node_role.arn,
                subnet_ids=_in_gpu_zone(spec, subnet_ids) if tier is Tier.COGNITIVE else subnet_ids,
                key_arn=key_arn,
                tags=tags_of(spec, tier),
                fabric=self._fabric(spec, pool) if tier is Tier.COGNITIVE else None,
                capacity=spec.target.aws.eks.gpu_capacity if tier is Tier.COGNITIVE else None,
                after=after,
                opts=self.child_options(),
            )
            for tier, pool in wanted
        ]

    def _fabric(self, spec: DeploymentSpec, pool: PoolSpec) -> AwsFabric | None:
        """Make the fabric of GPU machines where it is asked for and their type has one."""
        if not spec.target.aws.eks.efa or not machine_of(pool).fabric_interfaces:
            return None
        return AwsFabric(
            self.child_name("fabric"),
            vpc_id=self.eks.vpc_config.vpc_id,
            cluster_group=self.eks.vpc_config.cluster_security_group_id,
            placed=spec.target.aws.eks.gpu_capacity is None,
            opts=self.child_options(),
        )

    def _addons(self, spec: DeploymentSpec, groups: list[AwsNodeGroup]) -> None:
        # A horizontal autoscaler asks it; tiers follow the queues of Temporal instead.
        more = (METRICS_ADDON,) if spec.machines is not None else ()
        for addon in (*ADDONS, *more):
            if addon == NETWORK_ADDON and spec.target.aws.eks.prefix_delegation:
                continue  # made before the machines
            role = self._driver_role() if addon == EBS_DRIVER else None
            after = groups if addon in AFTER_MACHINES else ()
            add_addon(self, spec, self.eks, addon, after=after, driver_role=role)

    def _driver_role(self) -> pulumi.Output[str]:
        driver = self._role("ebs-csi", "pods.eks.amazonaws.com", (), tag_session=True)
        iam.RolePolicyAttachment(
            self.child_name("ebs-csi-policy"),
            role=driver.name,
            policy_arn="arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy",
            opts=self.child_options(),
        )
        arn: pulumi.Output[str] = driver.arn
        return arn

    def _tag_security_group(self, cluster_name: str) -> None:
        """Mark the group that EKS made, so that Karpenter's machines join it."""
        ec2.Tag(
            self.child_name("discovery"),
            resource_id=self.eks.vpc_config.cluster_security_group_id,
            key="karpenter.sh/discovery",
            value=cluster_name,
            opts=self.child_options(),
        )

    def _admit(self, spec: DeploymentSpec) -> None:
        """Let the named people and runners in: by identity, and by network where they are outside the VPC."""
        for arn in spec.target.aws.administrators:
            role = _slug_of(arn)
            entry = eks.AccessEntry(
                self.child_name(role), cluster_name=self.eks.name, principal_arn=arn, opts=self.child_options()
            )
            eks.AccessPolicyAssociation(
                self.child_name(role),
                cluster_name=self.eks.name,
                principal_arn=arn,
                policy_arn=ADMIN_POLICY,
                access_scope={"type": "cluster"},
                opts=self.child_options(depends_on=[entry]),
            )
        for block in spec.target.aws.api_cidrs:
            vpc.SecurityGroupIngressRule(
                self.child_name("api-" + re.sub(r"[./]", "-", block)),
                security_group_id=self.eks.vpc_config.cluster_security_group_id,
                description="The API, from a network that is named in the configuration",
                cidr_ipv4=block,
                ip_protocol="tcp",
                from_port=443,
                to_port=443,
                opts=self.child_options(),
            )


def _in_gpu_zone(
    spec: DeploymentSpec, subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
) -> pulumi.Input[Sequence[pulumi.Input[str]]]:
    """Return the subnets of GPU machines: that of the one zone that is named, else all."""
    zone = spec.target.aws.eks.gpu_zone
    if zone is None:
        return subnet_ids
    at = spec.target.failure_domains.index(zone)
    return pulumi.Output.from_input(subnet_ids).apply(lambda ids: [ids[at]])


def _slug_of(arn: str) -> str:
    """Return a part of a name for a principal: readable, and unlike that of every other account's namesake."""
    readable = re.sub(r"[^a-z0-9]+", "-", arn.rsplit("/", 1)[-1].lower()).strip("-")[:20].strip("-")
    return f"admin-{readable}-{hashlib.sha256(arn.encode()).hexdigest()[:8]}"


def _kubeconfig(cluster: eks.Cluster, spec: DeploymentSpec) -> pulumi.Output[str]:
    """Return a kubeconfig that holds no credential: the caller's own identity, or the role it takes, gets a token."""
    region, role = spec.target.region, spec.target.aws.deployment_role

    def build(args: list[str]) -> str:
        name, endpoint, authority = args
        command = ["--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"]
        # Who deployed the base administers the cluster, and that is the role where one is named.
        command += ["--role-arn", role] if role else []
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": name,
                "clusters": [{"name": name, "cluster": {"server": endpoint, "certificate-authority-data": authority}}],
                "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
                "users": [
                    {
                        "name": name,
                        "user": {
                            "exec": {
                                "apiVersion": "client.authentication.k8s.io/v1",
                                "command": "aws",
                                "args": command,
                                "interactiveMode": "Never",
                            }
                        },
                    }
                ],
            }
        )

    return pulumi.Output.all(cluster.name, cluster.endpoint, cluster.certificate_authority.data).apply(build)
