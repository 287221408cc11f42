"""AWS machines: the EKS control plane, node groups, single instances, and their disks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from cost.book_format import GB_MONTH, HOUR, IOPS_MONTH, MIBPS_MONTH, MONTH, ON_DEMAND, SPOT
from cost.components import ZERO, CostComponent, Range, fixed
from cost.context import Context, InputNotKnownError, list_at, number_at, text_at, value_at
from cost.pricebook import PriceNotFound
from skerry.graph import Resource, find
from skerry.units import HOURS_PER_MONTH

END_OF_STANDARD_SUPPORT: Final = {
    "1.29": date(2025, 3, 23),
    "1.30": date(2025, 7, 23),
    "1.31": date(2025, 11, 26),
    "1.32": date(2026, 3, 23),
    "1.33": date(2026, 7, 29),
    "1.34": date(2026, 12, 2),
    "1.35": date(2027, 3, 27),
}
"""Of EKS, by Kubernetes version. Source: aws-samples/sample-apex-skills eks-operation-review
references/cluster-lifecycle.md, verified there 2026-04-24, read 2026-11."""

MONTH_AHEAD: Final = timedelta(days=31)
"""An estimate is of the coming month."""

DEFAULT_DISK_GIB: Final = 20
"""Of a node of a managed group. Source: pulumi-aws 7.51.1 eks.NodeGroup, disk_size, read 2026-11."""

CAPACITY_BLOCK: Final = "CAPACITY_BLOCK"
"""Source: botocore 1.44.5 eks CapacityTypes, read 2026-11."""
DEFAULT_TYPE: Final = "t3.medium"
"""Of a managed group. Source: pulumi-aws 7.51.1 eks.NodeGroup, instance_types, read 2026-11."""

GP3_FREE_IOPS: Final = 3000
GP3_FREE_MIBPS: Final = 125
"""In the price of every gp3 volume. Source: Amazon EBS User Guide "General Purpose SSD volumes" (not opened; check
before relying on it)."""


def eks_cluster(context: Context, cluster: Resource) -> Iterator[CostComponent]:
    """Yield the control plane, and extended support where the version needs it within the month."""
    yield CostComponent("control plane", HOUR, fixed(HOURS_PER_MONTH), context.price(cluster, "eks-cluster", HOUR))
    version = text_at(cluster.inputs, "version", "")
    if value_at(cluster.inputs, "upgradePolicy.supportType", "EXTENDED") == "STANDARD":
        return
    quantity, note = _extended_support(version, context.today)
    if note:
        price = context.price(cluster, "eks-extended-support-surcharge", HOUR)
        yield CostComponent("extended support", HOUR, quantity, price, note)


def _extended_support(version: str, today: date) -> tuple[Range, str]:
    """Return the hours of extended support in the coming month, and why; no note where there are none."""
    end = END_OF_STANDARD_SUPPORT.get(version)
    if end is None:
        known = min(END_OF_STANDARD_SUPPORT, key=_minor)
        if version and _minor(version) < _minor(known):
            return fixed(HOURS_PER_MONTH), f"Kubernetes {version} is older than {known}, out of standard support"
        return fixed(ZERO), ""
    if end <= today:
        return fixed(HOURS_PER_MONTH), f"standard support of Kubernetes {version} ended on {end}: update it"
    if end <= today + MONTH_AHEAD:
        return Range(ZERO, ZERO, HOURS_PER_MONTH), f"standard support of Kubernetes {version} ends on {end}: update it"
    return fixed(ZERO), ""


def _minor(version: str) -> tuple[int, ...]:
    parts = version.split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else (0,)


def eks_node_group(context: Context, group: Resource) -> Iterator[CostComponent]:
    """Yield the machines of a managed node group and their root disks."""
    machines = _machines(context, group)
    types = list_at(group.inputs, "instanceTypes") or [_type_of_template(context, group)]
    kind = types[0]
    if not isinstance(kind, str):
        raise InputNotKnownError("instanceTypes is not known before a deployment")
    paid = value_at(group.inputs, "capacityType", "ON_DEMAND")
    term = SPOT if paid == "SPOT" else ON_DEMAND
    note = f"the first of {len(types)} types" if len(types) > 1 else ""
    label = f"machines {kind}" if term == ON_DEMAND else f"machines {kind} spot"
    price = context.price(group, kind, HOUR, term)
    if paid == CAPACITY_BLOCK:
        price = PriceNotFound("a capacity block is paid in advance, at a price of its own that AWS offers with it")
    yield CostComponent(label, HOUR, machines * HOURS_PER_MONTH, price, note)
    yield from _group_disks(context, group, machines)


def _type_of_template(context: Context, group: Resource) -> object:
    """Return the type that a group's launch template names, else EKS's own default."""
    if find(group.inputs, "launchTemplate") is None:
        return DEFAULT_TYPE
    template = _launch_template(context, group)
    if template is None:
        raise InputNotKnownError("its launch template is not in the graph, so the type of its machines is not known")
    return value_at(template.inputs, "instanceType", DEFAULT_TYPE)


def _machines(context: Context, group: Resource) -> Range:
    """Return how many: the bounds are the group's, what is typical is the component's where it says so."""
    low = number_at(group.inputs, "scalingConfig.minSize")
    high = number_at(group.inputs, "scalingConfig.maxSize")
    typical = number_at(group.inputs, "scalingConfig.desiredSize", low)
    for _, facts in context.around(group):
        if facts.scaling is not None and facts.nodes is not None:
            typical = Decimal(facts.scaling.typical)
            break
    return Range(low, min(max(typical, low), high), high)


def _group_disks(context: Context, group: Resource, machines: Range) -> Iterator[CostComponent]:
    if find(group.inputs, "launchTemplate") is None:
        gib = number_at(group.inputs, "diskSize", DEFAULT_DISK_GIB)
        missing = PriceNotFound("without a launch template EKS decides over the type of the root disks")
        yield CostComponent("root disks", GB_MONTH, machines * gib, missing)
        return
    template = _launch_template(context, group)
    if template is None:
        raise InputNotKnownError("its launch template is not in the graph, so its disks are not known")
    if value_at(template.inputs, "monitoring.enabled", False) is True:
        price = context.price(group, "ec2-detailed-monitoring", MONTH)
        yield CostComponent("detailed monitoring", MONTH, machines, price)
    mappings = list_at(template.inputs, "blockDeviceMappings")
    if not mappings:
        raise InputNotKnownError("its launch template states no disk, so the image decides over it")
    for mapping in mappings:
        disk = value_at(mapping, "ebs", {})
        yield from ebs_disks(context, group, disk, machines, "volumeSize", "volumeType", "root disks")


def _launch_template(context: Context, group: Resource) -> Resource | None:
    for urn in group.property_dependencies.get("launchTemplate", ()):
        resource = context.graph.get(urn)
        if resource is not None and resource.type == "aws:ec2/launchTemplate:LaunchTemplate":
            return resource
    return None


def ec2_instance(context: Context, instance: Resource) -> Iterator[CostComponent]:
    """Yield one machine and its disks."""
    kind = text_at(instance.inputs, "instanceType")
    price = context.price(instance, kind, HOUR)
    yield CostComponent(f"machine {kind}", HOUR, fixed(HOURS_PER_MONTH), price)
    root = value_at(instance.inputs, "rootBlockDevice", None)
    if root is None:
        raise InputNotKnownError("the size of its root disk is not stated")
    for disk in (root, *list_at(instance.inputs, "ebsBlockDevices")):
        yield from ebs_disks(context, instance, disk, fixed(1), "volumeSize", "volumeType", "disk")


def ebs_volume(context: Context, volume: Resource) -> Iterator[CostComponent]:
    """Yield one volume."""
    yield from ebs_disks(context, volume, volume.inputs, fixed(1), "size", "type", "volume")


def ebs_disks(
    context: Context, holder: Resource, disk: Any, count: Range, size: str, kind: str, label: str
) -> Iterator[CostComponent]:
    """Yield `count` disks: space, and IOPS and throughput above what is in the price."""
    gib = number_at(disk, size)
    # A volume without a type is gp2; a disk of a machine takes the image's. Source: EC2 API, CreateVolume, read 2026-11
    name = text_at(disk, kind, "gp2") if kind == "type" else text_at(disk, kind)
    price = context.price(holder, f"ebs-{name}", GB_MONTH)
    yield CostComponent(f"{label} {name}", GB_MONTH, count * gib, price)
    free = GP3_FREE_IOPS if name == "gp3" else 0
    iops = number_at(disk, "iops", 0) if name in ("gp3", "io1", "io2") else ZERO
    if iops > free:
        price = context.price(holder, f"ebs-{name}-iops", IOPS_MONTH)
        yield CostComponent(f"IOPS of {label}", IOPS_MONTH, count * (iops - free), price)
    throughput = number_at(disk, "throughput", 0) if name == "gp3" else ZERO
    if throughput > GP3_FREE_MIBPS:
        price = context.price(holder, "ebs-gp3-throughput", MIBPS_MONTH)
        yield CostComponent(f"throughput of {label}", MIBPS_MONTH, count * (throughput - GP3_FREE_MIBPS), price)
