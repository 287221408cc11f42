"""Writes a Pulumi program of a given size: a mix of AWS resources with components, and outputs that flow between them.

One site is a component of 16 resources: a network with two subnets and their routes, a security group, four machines,
a bucket with its policy, a role and a queue. The last site is cut off where the size is reached.
"""

from __future__ import annotations

from pathlib import Path

PROJECT = "name: generated\nruntime: {name: python, options: {virtualenv: .venv}}\nstackConfigDir: stacks\n"
STACK = "dev"
CONFIG = "config:\n  aws:region: eu-central-1\n  generated:image: ami-0123456789abcdef0\n"
"""The configuration of the stack; the program itself calls no function of a provider."""

_PROGRAM = '''"""A platform of SIZE resources."""

import json

import pulumi
import pulumi_aws as aws
from pulumi import Input, Output, ResourceOptions

SIZE = {size}
config = pulumi.Config()
image = config.require("image")


class Site(pulumi.ComponentResource):
    def __init__(self, name: str, number: int, room: int, opts: ResourceOptions | None = None) -> None:
        super().__init__("generated:index:Site", name, {{"number": number}}, opts)
        self.name, self.number, self.room = name, number, room - 1
        self.tags = {{"site": name, "owner": "bench", "cost-center": "4711"}}
        self.outputs: dict[str, Input[str]] = {{}}
        for step in self.steps():
            if self.room <= 0:
                break
            step()
            self.room -= 1
        self.register_outputs(self.outputs)

    def steps(self):
        yield self.network
        yield self.gateway
        yield self.routes
        for zone in "ab":
            yield lambda zone=zone: self.subnet(zone)
            yield lambda zone=zone: self.association(zone)
        yield self.firewall
        for index in range(4):
            yield lambda index=index: self.machine(index)
        yield self.bucket
        yield self.role
        yield self.policy
        yield self.queue

    def inside(self, **more) -> ResourceOptions:
        return ResourceOptions(parent=self, **more)

    def network(self) -> None:
        self.vpc = aws.ec2.Vpc(
            f"{{self.name}}-vpc",
            cidr_block=f"10.{{self.number % 250}}.0.0/16",
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=self.tags,
            opts=self.inside(),
        )
        self.outputs["vpc"] = self.vpc.id

    def gateway(self) -> None:
        self.igw = aws.ec2.InternetGateway(
            f"{{self.name}}-igw", vpc_id=self.vpc.id, tags=self.tags, opts=self.inside()
        )

    def routes(self) -> None:
        self.table = aws.ec2.RouteTable(
            f"{{self.name}}-routes",
            vpc_id=self.vpc.id,
            routes=[aws.ec2.RouteTableRouteArgs(cidr_block="0.0.0.0/0", gateway_id=self.igw.id)],
            tags=self.tags,
            opts=self.inside(),
        )

    def subnet(self, zone: str) -> None:
        self.last_subnet = aws.ec2.Subnet(
            f"{{self.name}}-subnet-{{zone}}",
            vpc_id=self.vpc.id,
            cidr_block=f"10.{{self.number % 250}}.{{ord(zone) - 97}}.0/24",
            availability_zone=f"eu-central-1{{zone}}",
            tags={{**self.tags, "zone": zone}},
            opts=self.inside(),
        )

    def association(self, zone: str) -> None:
        aws.ec2.RouteTableAssociation(
            f"{{self.name}}-association-{{zone}}",
            subnet_id=self.last_subnet.id,
            route_table_id=self.table.id,
            opts=self.inside(),
        )

    def firewall(self) -> None:
        self.group = aws.ec2.SecurityGroup(
            f"{{self.name}}-group",
            vpc_id=self.vpc.id,
            description=f"what reaches {{self.name}}",
            ingress=[
                {{"protocol": "tcp", "from_port": port, "to_port": port, "cidr_blocks": ["10.0.0.0/8"]}}
                for port in (22, 443, 8080)
            ],
            egress=[
                aws.ec2.SecurityGroupEgressArgs(protocol="-1", from_port=0, to_port=0, cidr_blocks=["0.0.0.0/0"])
            ],
            tags=self.tags,
            opts=self.inside(),
        )

    def machine(self, index: int) -> None:
        machine = aws.ec2.Instance(
            f"{{self.name}}-machine-{{index}}",
            ami=image,
            instance_type="m7i.large",
            subnet_id=self.last_subnet.id,
            vpc_security_group_ids=[self.group.id],
            root_block_device={{"volume_size": 100, "volume_type": "gp3", "encrypted": True}},
            metadata_options=aws.ec2.InstanceMetadataOptionsArgs(http_tokens="required", http_endpoint="enabled"),
            user_data=Output.concat("#!/bin/sh\\necho ", self.vpc.id, " > /etc/site\\n"),
            tags={{**self.tags, "index": str(index)}},
            opts=self.inside(depends_on=[self.table]),
        )
        self.outputs[f"address{{index}}"] = machine.private_ip

    def bucket(self) -> None:
        self.store = aws.s3.Bucket(
            f"{{self.name}}-store", tags=self.tags, opts=self.inside(protect=True, retain_on_delete=True)
        )
        self.outputs["bucket"] = self.store.bucket

    def role(self) -> None:
        self.reader = aws.iam.Role(
            f"{{self.name}}-reader",
            assume_role_policy=json.dumps({{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow",
                "Action": "sts:AssumeRole", "Principal": {{"Service": "ec2.amazonaws.com"}}}}]}}),
            tags=self.tags,
            opts=self.inside(),
        )

    def policy(self) -> None:
        aws.s3.BucketPolicy(
            f"{{self.name}}-policy",
            bucket=self.store.id,
            policy=Output.all(self.store.arn, self.reader.arn).apply(
                lambda found: json.dumps({{"Statement": [{{"Effect": "Allow", "Action": "s3:GetObject",
                    "Resource": f"{{found[0]}}/*", "Principal": {{"AWS": found[1]}}}}]}})
            ),
            opts=self.inside(),
        )

    def queue(self) -> None:
        queue = aws.sqs.Queue(
            f"{{self.name}}-queue", visibility_timeout_seconds=30, tags=self.tags, opts=self.inside()
        )
        self.outputs["queue"] = queue.url


made, number = 0, 0
while made < SIZE:
    site = Site(f"site-{{number:03}}", number, SIZE - made)
    made += min(SIZE - made, 17)
    for key, value in site.outputs.items():
        pulumi.export(f"{{site.name}}-{{key}}", value)
    number += 1
'''


def write_program(folder: Path, size: int) -> None:
    """Write the project of a program that makes `size` resources, its stack and default provider not counted."""
    (folder / "stacks").mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text(PROJECT, encoding="utf-8")
    (folder / "stacks" / f"Pulumi.{STACK}.yaml").write_text(CONFIG, encoding="utf-8")
    (folder / "__main__.py").write_text(_PROGRAM.format(size=size), encoding="utf-8")
