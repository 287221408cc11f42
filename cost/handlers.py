"""Which type is priced by what, and which types are free; a type in neither table is unknown, and shown as such."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from cost import aws_compute, aws_network, aws_stores, kubernetes_objects
from cost.components import CostComponent
from cost.context import Context
from skerry.graph import PROVIDER_PREFIX, STACK_REFERENCE_TYPE, Resource

Handler = Callable[[Context, Resource], Iterator[CostComponent]]

HANDLERS: Final[Mapping[str, Handler]] = {
    "aws:cloudwatch/logGroup:LogGroup": aws_stores.log_group,
    "aws:docdb/cluster:Cluster": aws_stores.docdb_cluster,
    "aws:docdb/clusterInstance:ClusterInstance": aws_stores.docdb_cluster_instance,
    "aws:ebs/volume:Volume": aws_compute.ebs_volume,
    "aws:ec2/eip:Eip": aws_network.eip,
    "aws:ec2/instance:Instance": aws_compute.ec2_instance,
    "aws:ec2/natGateway:NatGateway": aws_network.nat_gateway,
    "aws:ec2/vpc:Vpc": aws_network.vpc,
    "aws:ec2/vpcEndpoint:VpcEndpoint": aws_network.vpc_endpoint,
    "aws:ecr/repository:Repository": aws_stores.image_repository,
    "aws:eks/cluster:Cluster": aws_compute.eks_cluster,
    "aws:eks/nodeGroup:NodeGroup": aws_compute.eks_node_group,
    "aws:elasticache/replicationGroup:ReplicationGroup": aws_stores.elasticache_replication_group,
    "aws:kms/key:Key": aws_stores.kms_key,
    "aws:lb/loadBalancer:LoadBalancer": aws_network.load_balancer,
    "aws:rds/cluster:Cluster": aws_stores.rds_cluster,
    "aws:rds/clusterInstance:ClusterInstance": aws_stores.rds_cluster_instance,
    "aws:rds/instance:Instance": aws_stores.rds_instance,
    "aws:s3/bucket:Bucket": aws_stores.s3_bucket,
    "aws:s3/bucketV2:BucketV2": aws_stores.s3_bucket,
    "aws:sqs/queue:Queue": aws_stores.sqs_queue,
    "aws:secretsmanager/secret:Secret": aws_stores.secret,
    "kubernetes:apps/v1:StatefulSet": kubernetes_objects.stateful_set,
    "kubernetes:core/v1:PersistentVolumeClaim": kubernetes_objects.volume_claim,
    "kubernetes:core/v1:Service": kubernetes_objects.service,
    "kubernetes:gateway.networking.k8s.io/v1:Gateway": kubernetes_objects.gateway,
    "kubernetes:helm.sh/v3:Release": kubernetes_objects.helm_release,
    "kubernetes:karpenter.sh/v1:NodePool": kubernetes_objects.karpenter_node_pool,
}

FREE: Final = frozenset({
    STACK_REFERENCE_TYPE,
    "aws:cloudwatch/eventRule:EventRule",
    "aws:cloudwatch/eventTarget:EventTarget",
    "aws:docdb/subnetGroup:SubnetGroup",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway",
    "aws:ec2/flowLog:FlowLog",
    "aws:ec2/internetGateway:InternetGateway",
    "aws:ec2/launchTemplate:LaunchTemplate",
    "aws:ec2/networkAcl:NetworkAcl",
    "aws:ec2/route:Route",
    "aws:ec2/routeTable:RouteTable",
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:ec2/securityGroupRule:SecurityGroupRule",
    "aws:ec2/subnet:Subnet",
    "aws:ec2/tag:Tag",
    "aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation",
    "aws:eks/accessEntry:AccessEntry",
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
    "aws:eks/addon:Addon",
    "aws:eks/podIdentityAssociation:PodIdentityAssociation",
    "aws:elasticache/parameterGroup:ParameterGroup",
    "aws:elasticache/subnetGroup:SubnetGroup",
    "aws:iam/instanceProfile:InstanceProfile",
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
    "aws:iam/policy:Policy",
    "aws:iam/role:Role",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:kms/alias:Alias",
    "aws:kms/keyPolicy:KeyPolicy",
    "aws:lb/listener:Listener",
    "aws:lb/targetGroup:TargetGroup",
    "aws:rds/parameterGroup:ParameterGroup",
    "aws:rds/subnetGroup:SubnetGroup",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketVersioning:BucketVersioning",
    "aws:sqs/queuePolicy:QueuePolicy",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "random:index/randomId:RandomId",
    "random:index/randomPassword:RandomPassword",
})  # fmt: skip
"""Types that nobody bills in themselves; what runs behind them is billed elsewhere (an Addon on the machines)."""

FREE_GROUPS: Final = (
    "kubernetes:admissionregistration.k8s.io/",
    "kubernetes:apiextensions.k8s.io/",
    "kubernetes:apps/",
    "kubernetes:autoscaling/",
    "kubernetes:batch/",
    "kubernetes:cert-manager.io/",
    "kubernetes:core/",
    "kubernetes:external-secrets.io/",
    "kubernetes:gateway.networking.k8s.io/",
    "kubernetes:karpenter.k8s.aws/",
    "kubernetes:keda.sh/",
    "kubernetes:mongodb.com/",
    "kubernetes:mongodbcommunity.mongodb.com/",
    "kubernetes:monitoring.coreos.com/",
    "kubernetes:networking.k8s.io/",
    "kubernetes:node.k8s.io/",
    "kubernetes:nvidia.com/",
    "kubernetes:policy/",
    "kubernetes:postgresql.cnpg.io/",
    "kubernetes:psmdb.percona.com/",
    "kubernetes:ray.io/",
    "kubernetes:rbac.authorization.k8s.io/",
    "kubernetes:resource.k8s.io/",
    "kubernetes:scheduling.k8s.io/",
    "kubernetes:storage.k8s.io/",
)
"""API groups whose objects are free: what they run, runs on machines and volumes that are counted as such."""


def is_free(kind: str) -> bool:
    """Say whether a type costs nothing in itself; one that has a handler is never asked."""
    return kind in FREE or kind.startswith((PROVIDER_PREFIX, *FREE_GROUPS))
