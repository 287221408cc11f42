"""Groups of machines on AWS that do not come and go: the meta tier's and the GPUs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pulumi
from pulumi_aws import ec2, eks

from components.aws.fabric import AwsFabric
from components.aws.tags import tier_tag
from components.base import SkerryComponent
from components.clouds import machines
from components.kubernetes.cluster import TIER_LABEL
from components.kubernetes.node_pool import scaling_of
from skerry.config.eks import CapacityKind, GpuCapacitySpec
from skerry.config.spec import DeploymentSpec, MachineSpec, PoolSpec, Purchase, TargetKind
from skerry.facts import ComponentFacts, Tier
from skerry.instances import InstanceType, instance_type

ROOT_GIB = 100
GPU_ROOT_GIB = 300
"""GiB of the root volume: images of inference servers are large."""

AMI_TYPES = {False: "AL2023_x86_64_STANDARD", True: "AL2023_x86_64_NVIDIA"}
"""Source: aws-sdk-go-v2 service/eks v1.105.3 types/enums.go (AMITypes), read 2026-11."""


ENCRYPTS_IN_TRANSIT = {
    **dict.fromkeys(
        ("c6a", "c6i", "c7i", "g5", "g6", "g6e", "m6i", "m7i", "p4d", "p4de", "p5", "p5e", "p5en", "p6-b200", "r6i",
         "r7i"), True
    ),
    "c5": False,
    "t3": False,
}  # fmt: skip
"""Family -> whether its machines encrypt what they send each other within a VPC, by hardware.

Source: aws/karpenter-provider-aws website/content/en/docs/reference/instance-types.md of 2026-08, label
instance-encryption-in-transit-supported; Amazon EC2 "Encryption in transit" for what it means; read 2026-11.
"""


def encrypt_each_other(pools: Iterable[PoolSpec]) -> bool | None:
    """Say whether all traffic between the machines of these pools is encrypted; None where a family is not known.

    Raises:
        CatalogError: no instance type has what a pool asks.
    """
    found = {ENCRYPTS_IN_TRANSIT.get(machine_of(pool).name.split(".", 1)[0]) for pool in pools}
    if False in found:
        return False
    return None if None in found else True


def machine_of(pool: PoolSpec) -> InstanceType:
    """Return the instance type of a pool.

    Raises:
        CatalogError: the catalogue has none.
    """
    return machines.machine_of(TargetKind.AWS, pool)


def system_pool(spec: DeploymentSpec) -> PoolSpec | None:
    """Return the machines of the cluster's own pods; None where those of the meta tier carry them.

    Raises:
        CatalogError: the catalogue has no such type.
    """
    wanted = spec.target.aws.eks.system_machines
    if wanted is None:
        return None
    found = instance_type(TargetKind.AWS.value, wanted.instance_type)
    machine = MachineSpec(vcpu=found.vcpu, memory_gib=found.memory_gib, instance_type=found.name)
    return PoolSpec(minimum=wanted.count, maximum=wanted.count, machine=machine)


class AwsNodeGroup(SkerryComponent):
    """A managed node group of one instance type, tainted for its tier, its disks encrypted, its metadata guarded.

    Nothing scales it by itself: the configuration says how many run (the pool's typical number, or its minimum), and a
    deployment puts that number back. Ignoring `desired_size`, as groups under an autoscaler do, would make EKS refuse a
    higher minimum.
    """

    def __init__(
        self,
        name: str,
        *,
        tier: Tier,
        pool: PoolSpec,
        cluster_name: pulumi.Input[str],
        kubernetes_version: str,
        node_role_arn: pulumi.Input[str],
        subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]],
        key_arn: pulumi.Input[str],
        tags: Mapping[str, str],
        fabric: AwsFabric | None = None,
        capacity: GpuCapacitySpec | None = None,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the group.

        Args:
            name: the component's name.
            tier: whose machines they are.
            pool: how many of what.
            cluster_name: the EKS cluster.
            kubernetes_version: of the machines.
            node_role_arn: the role that they take.
            subnet_ids: one a zone.
            key_arn: the key of their disks.
            tags: on the machines and their disks, which get none from the provider.
            fabric: by which they talk to each other past the kernel; None where they do not.
            capacity: what they are taken from; None where they are taken where there are any.
            after: what must be there before the machines.
            opts: Pulumi's options.

        Raises:
            CatalogError: no instance type has what is asked.
        """
        machine = machine_of(pool)
        facts = ComponentFacts(
            tier=tier,
            role="node-pool",
            nodes=machines.nodes_fact(TargetKind.AWS, pool, priced_here=False),
            scaling=scaling_of(pool, None),
            encrypted_at_rest=True,
        )
        super().__init__(name, facts, opts)
        self._tier = tier
        block = capacity is not None and capacity.kind is CapacityKind.BLOCK
        template = self._template(
            machine.gpus > 0, key_arn, tags, {**_fabric_of(fabric, machine), **_capacity_of(capacity, machine)}
        )
        eks.NodeGroup(
            self.child_name("group"),
            cluster_name=cluster_name,
            version=kubernetes_version,
            node_role_arn=node_role_arn,
            subnet_ids=subnet_ids,
            # With a block the template names the type, and EKS takes it from one place only.
            instance_types=None if block else [machine.name],
            # Source: Amazon EKS API, CapacityTypes, read 2026-11
            capacity_type=_capacity_type(pool, block),
            ami_type=AMI_TYPES[machine.gpus > 0],
            launch_template={"id": template.id, "version": template.latest_version.apply(str)},
            scaling_config={
                "min_size": pool.minimum,
                "max_size": pool.maximum,
                "desired_size": pool.minimum if pool.typical is None else pool.typical,
            },
            # GPU machines are scarce: one goes before its successor comes. The default strategy would first start up to
            # two in each zone. Source: Amazon EKS "Understand each phase of node updates", read 2026-11
            update_config={"max_unavailable": 1, **({"update_strategy": "MINIMAL"} if machine.gpus else {})},
            labels={TIER_LABEL: tier.value},
            taints=_taints(tier, machine),
            tags=tier_tag(tier),
            # Source: terraform-aws-modules/terraform-aws-eks issue 2508 (a minimum above the desired size is refused),
            # read 2026-11
            opts=self.child_options(depends_on=list(after)),
        )
        self.finish()

    def _template(
        self, gpu: bool, key_arn: pulumi.Input[str], tags: Mapping[str, str], more: Mapping[str, Any]
    ) -> ec2.LaunchTemplate:
        return ec2.LaunchTemplate(
            self.child_name("template"),
            **more,
            update_default_version=True,
            block_device_mappings=[
                {
                    "device_name": "/dev/xvda",
                    "ebs": {
                        "volume_size": GPU_ROOT_GIB if gpu else ROOT_GIB,
                        "volume_type": "gp3",
                        "encrypted": "true",
                        "kms_key_id": key_arn,
                        "delete_on_termination": "true",
                    },
                }
            ],
            metadata_options={"http_tokens": "required", "http_put_response_hop_limit": 1, "http_endpoint": "enabled"},
            monitoring={"enabled": True},
            # The group's own tags stay on the group. Source: botocore 1.44.5 eks CreateNodegroup, tags, read 2026-11
            tag_specifications=[
                {"resource_type": kind, "tags": dict(tags)} for kind in ("instance", "volume", "network-interface")
            ],
            tags=tier_tag(self._tier),
            opts=self.child_options(),
        )


def _taints(tier: Tier, machine: InstanceType) -> list[dict[str, str]]:
    taints = [{"key": TIER_LABEL, "value": tier.value, "effect": "NO_SCHEDULE"}]
    if machine.gpus:
        taints.append({"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"})
    return taints


def _capacity_type(pool: PoolSpec, block: bool) -> str:
    if block:
        return "CAPACITY_BLOCK"
    return "SPOT" if machines.purchase_of(pool) is Purchase.SPOT else "ON_DEMAND"


def _fabric_of(fabric: AwsFabric | None, machine: InstanceType) -> dict[str, Any]:
    if fabric is None:
        return {}
    placed = {} if fabric.placement is None else {"placement": {"group_name": fabric.placement.name}}
    return {"network_interfaces": fabric.interfaces(machine), **placed}


def _capacity_of(capacity: GpuCapacitySpec | None, machine: InstanceType) -> dict[str, Any]:
    """Return what a template says of reserved machines.

    Source: Amazon EKS "Create a managed node group with Capacity Blocks for ML", read 2026-11.
    """
    if capacity is None:
        return {}
    target = {"capacity_reservation_target": {"capacity_reservation_id": capacity.id}}
    found: dict[str, Any] = {"capacity_reservation_specification": target}
    if capacity.kind is CapacityKind.BLOCK:
        found |= {"instance_market_options": {"market_type": "capacity-block"}, "instance_type": machine.name}
    return found
