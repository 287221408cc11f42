"""The network of a deployment on AWS: a VPC over three zones, private subnets for machines, endpoints, flow logs."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pulumi
from pulumi_aws import cloudwatch, ec2, iam

from components.aws.peering import peering_routes
from components.aws.permissions import flow_log_policy, trust_of
from components.base import SkerryComponent
from components.clouds.managed import meshes_of
from skerry.config.spec import DeploymentSpec
from skerry.facts import ComponentFacts, Tier

INTERFACE_ENDPOINTS = ("ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "logs", "s3", "sqs", "ssm")
"""What a private EKS cluster, Karpenter and the tiers call, so that none leaves the network for it.

S3 is among them because network policies know addresses, not names: behind an interface the bucket has addresses of
the network, and no pod needs a way to the internet. `sts` is not, since Pod Identity asks `eks-auth`.

Source: Amazon EKS user guide "Deploy private clusters with limited internet access"; `eks-auth`:
manage-access/aws-access/service-accounts.adoc of the same; `eks`, `sqs`, `ssm`: Karpenter v1.14.1 "Getting
started", Private Clusters;
read 2026-11.
"""

SECRETS_ENDPOINT = "secretsmanager"
"""Beside them where External Secrets reads the secrets of AWS's own store."""

FLOW_LOG_DAYS = 90

PUBLIC_BITS: Final = 6
"""How much narrower than the network a public subnet is at most, where /24 would not leave one for each zone."""


@dataclass(frozen=True, slots=True)
class NetworkShape:
    """What a network has beyond its private subnets."""

    cidr: str
    """Its address range."""
    endpoints: Sequence[str]
    """Services of AWS that have an interface in it."""
    outbound: bool = True
    """Whether what stands in it may call the internet, through a NAT gateway in each zone."""
    entrance: bool = True
    """Whether it has public subnets, for load balancers and NAT gateways."""
    subnet_tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of the private subnets."""


def cluster_shape(spec: DeploymentSpec, cluster_name: str) -> NetworkShape:
    """Return the network of a cluster: tags by which Karpenter and load balancers find its subnets."""
    tags = {"karpenter.sh/discovery": cluster_name, "kubernetes.io/role/internal-elb": "1"}
    secrets = spec.services.secrets
    from_aws = secrets is not None and secrets.cluster_secret_store is None
    endpoints = (*INTERFACE_ENDPOINTS, *([SECRETS_ENDPOINT] if from_aws else []))
    return NetworkShape(spec.target.aws.vpc_cidr, endpoints, subnet_tags=tags)


class AwsNetwork(SkerryComponent):
    """Makes the VPC; machines have private addresses, and leave through one NAT gateway a zone."""

    def __init__(
        self,
        name: str,
        spec: DeploymentSpec,
        *,
        cluster_name: str,
        key_arn: pulumi.Input[str],
        shape: NetworkShape | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the network.

        Args:
            name: the component's name.
            spec: the deployment; `target.failure_domains` names the zones.
            cluster_name: the name of the network, and of the cluster in it.
            key_arn: the key that encrypts the flow logs.
            shape: what it has; left out, what a cluster needs.
            opts: Pulumi's options.
        """
        super().__init__(name, ComponentFacts(tier=Tier.PLATFORM, role="network"), opts)
        zones = spec.target.failure_domains
        self._shape = shape = shape or cluster_shape(spec, cluster_name)
        network = ipaddress.IPv4Network(shape.cidr)
        *private, last = list(network.subnets(new_prefix=network.prefixlen + 3))
        private = private[: len(zones)]
        public = list(last.subnets(new_prefix=max(24, network.prefixlen + PUBLIC_BITS)))[: len(zones)]
        self._vpc = ec2.Vpc(
            self.child_name("vpc"),
            cidr_block=str(network),
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags={"Name": cluster_name},
            opts=self.child_options(),
        )
        # The default group of every VPC allows all of its members to talk: taken over and emptied.
        ec2.DefaultSecurityGroup(
            self.child_name("default"), vpc_id=self._vpc.id, ingress=[], egress=[], opts=self.child_options()
        )
        entry = self._entry() if shape.entrance else None
        self._peered = peering_routes(self, spec, self._vpc.id)
        self._joined = bool(meshes_of(spec))
        self.public_subnet_ids: list[pulumi.Output[str]] = []
        subnets, tables = [], []
        for zone, inner, outer in zip(zones, private, public, strict=True):
            nat = self._way_out(zone, outer, entry) if entry is not None else None
            subnet, table = self._private_subnet(zone, inner, nat)
            subnets.append(subnet)
            tables.append(table)
        self._endpoints(spec.target.region, str(network), subnets, tables)
        self._flow_logs(key_arn)
        self.vpc_id = self._vpc.id
        self.subnet_ids = [subnet.id for subnet in subnets]
        self.private_tables = dict(zip(zones, [table.id for table in tables], strict=True))
        self.private_blocks = private
        self.cidr = str(network)
        self.finish(vpc=self._vpc.id, subnets=self.subnet_ids)

    def _entry(self) -> ec2.RouteTable:
        gateway = ec2.InternetGateway(self.child_name("gateway"), vpc_id=self._vpc.id, opts=self.child_options())
        return ec2.RouteTable(
            self.child_name("public"),
            vpc_id=self._vpc.id,
            routes=[{"cidr_block": "0.0.0.0/0", "gateway_id": gateway.id}],
            opts=self.child_options(),
        )

    def _way_out(self, zone: str, block: ipaddress.IPv4Network, table: ec2.RouteTable) -> ec2.NatGateway | None:
        subnet = ec2.Subnet(
            self.child_name(f"public-{zone}"),
            vpc_id=self._vpc.id,
            availability_zone=zone,
            cidr_block=str(block),
            map_public_ip_on_launch=False,
            opts=self.child_options(),
        )
        self.public_subnet_ids.append(subnet.id)
        ec2.RouteTableAssociation(
            self.child_name(f"public-{zone}"), subnet_id=subnet.id, route_table_id=table.id, opts=self.child_options()
        )
        if not self._shape.outbound:
            return None
        address = ec2.Eip(self.child_name(f"nat-{zone}"), domain="vpc", opts=self.child_options())
        return ec2.NatGateway(
            self.child_name(f"nat-{zone}"),
            subnet_id=subnet.id,
            allocation_id=address.allocation_id,
            # AWS fails it where the network has no gateway to the internet yet, to which this table leads.
            # Source: terraform-provider-aws website/docs/r/nat_gateway.html.markdown, public NAT, read 2026-11
            opts=self.child_options(depends_on=[table]),
        )

    def _private_subnet(
        self, zone: str, block: ipaddress.IPv4Network, nat: ec2.NatGateway | None
    ) -> tuple[ec2.Subnet, ec2.RouteTable]:
        subnet = ec2.Subnet(
            self.child_name(f"private-{zone}"),
            vpc_id=self._vpc.id,
            availability_zone=zone,
            cidr_block=str(block),
            tags=dict(self._shape.subnet_tags) or None,
            opts=self.child_options(),
        )
        out = [{"cidr_block": "0.0.0.0/0", "nat_gateway_id": nat.id}] if nat is not None else []
        table = ec2.RouteTable(
            self.child_name(f"private-{zone}"),
            vpc_id=self._vpc.id,
            routes=[*out, *self._peered],
            # Routes to other regions are made once the way to them stands; they are not of this list.
            opts=self.child_options(**({"ignore_changes": ["routes"]} if self._joined else {})),
        )
        ec2.RouteTableAssociation(
            self.child_name(f"private-{zone}"), subnet_id=subnet.id, route_table_id=table.id, opts=self.child_options()
        )
        return subnet, table

    def _endpoints(self, region: str, cidr: str, subnets: list[ec2.Subnet], tables: list[ec2.RouteTable]) -> None:
        objects = ec2.VpcEndpoint(
            # Without charge, and for what asks S3 by names that the interface does not answer to.
            self.child_name("s3"),
            vpc_id=self._vpc.id,
            service_name=f"com.amazonaws.{region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in tables],
            opts=self.child_options(),
        )
        self.s3_prefix_list_id = objects.prefix_list_id
        if not self._shape.endpoints:
            return
        group = ec2.SecurityGroup(
            self.child_name("endpoints"),
            vpc_id=self._vpc.id,
            description="HTTPS from the VPC to its endpoints",
            ingress=[{"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": [cidr]}],
            opts=self.child_options(),
        )
        for service in self._shape.endpoints:
            # Unless told otherwise S3's answers to resolvers outside alone, and sends the VPC to the gateway, whose
            # addresses are public. Source: terraform-provider-aws issues 32407 and 46404 and its
            # internal/service/ec2/vpc_endpoint.go, read 2026-11
            everywhere = {"private_dns_only_for_inbound_resolver_endpoint": False} if service == "s3" else None
            ec2.VpcEndpoint(
                self.child_name("s3-interface" if service == "s3" else service.replace(".", "-")),
                vpc_id=self._vpc.id,
                service_name=f"com.amazonaws.{region}.{service}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                dns_options=everywhere,
                subnet_ids=[subnet.id for subnet in subnets],
                security_group_ids=[group.id],
                opts=self.child_options(),
            )

    def _flow_logs(self, key_arn: pulumi.Input[str]) -> None:
        group = cloudwatch.LogGroup(
            self.child_name("flow-logs"),
            retention_in_days=FLOW_LOG_DAYS,
            kms_key_id=key_arn,
            opts=self.child_options(),
        )
        role = iam.Role(
            self.child_name("flow-logs"),
            assume_role_policy=trust_of("vpc-flow-logs.amazonaws.com"),
            opts=self.child_options(),
        )
        iam.RolePolicy(
            self.child_name("flow-logs"),
            role=role.id,
            policy=group.arn.apply(flow_log_policy),
            opts=self.child_options(),
        )
        ec2.FlowLog(
            self.child_name("flow-log"),
            vpc_id=self._vpc.id,
            traffic_type="ALL",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            opts=self.child_options(),
        )
