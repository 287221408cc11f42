"""What components say of themselves: machines that no resource stands for, storage, and services hosted by a vendor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from cost.aws_compute import GP3_FREE_IOPS, ebs_disks
from cost.book_format import GB_MONTH, HOUR, IOPS_MONTH, ON_DEMAND, SPOT
from cost.components import GIB_MONTH, MACHINE_MONTH, CostComponent, QuantityUnknown, Range, fixed, not_priced
from cost.context import Context, InputNotKnownError, list_at, text_at, value_at
from cost.hosts import host_costs
from cost.pricebook import Price, PriceNotFound
from skerry.errors import UsageError
from skerry.facts import ComponentFacts, NodesFact, ScalingFact, StorageFact, Tier
from skerry.graph import Resource
from skerry.units import HOURS_PER_MONTH, parse_bytes

NODE_CLASS: Final = "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass"
STORAGE_CLASS: Final = "kubernetes:storage.k8s.io/v1:StorageClass"
BUCKETS: Final = frozenset(
    {
        "aws:s3/bucket:Bucket",
        "aws:s3/bucketV2:BucketV2",
        "azure-native:storage:StorageAccount",
        "gcp:storage/bucket:Bucket",
    }
)
EBS_PROVISIONER: Final = "ebs.csi.aws.com"
PD_PROVISIONER: Final = "pd.csi.storage.gke.io"
EXISTING: Final = "existing"
GIB: Final = 1024**3


@dataclass(frozen=True, slots=True)
class Comparison:
    """Derived: what renting machines of like size would cost elsewhere; no part of what this site pays."""

    path: str
    """The pool, as reports name it."""
    tier: Tier | None
    instance: str
    """`<cloud>:<region>:<type>`."""
    machines: Range
    price: Price | PriceNotFound

    @property
    def monthly(self) -> Range | None:
        """USD in a month; None where the book has no such price."""
        return self.machines * HOURS_PER_MONTH * self.price.usd if isinstance(self.price, Price) else None


def component_costs(context: Context, component: Resource, facts: ComponentFacts) -> Iterator[CostComponent]:
    """Yield what a component's own facts cost."""
    if facts.host is not None:
        yield from host_costs(context, component, facts.host)
    if facts.nodes is not None and facts.nodes.priced_here:
        yield from _machines(context, component, facts.nodes, facts.scaling)
    for item in facts.storage:
        yield from _storage(context, component, item, copies_of(facts, item))
    if facts.vendor_hosted is not None:
        yield not_priced("hosted service", f"{facts.vendor_hosted} bills it by contract, which no price book has")


def comparison(context: Context, component: Resource, facts: ComponentFacts) -> Comparison | None:
    """Return the rented machines that a pool names for comparison, or None."""
    nodes, scaling = facts.nodes, facts.scaling
    if facts.host is not None:
        scaling = ScalingFact(minimum=1, typical=1, maximum=1)
    if nodes is None or scaling is None or nodes.comparable_instance is None:
        return None
    cloud, _, rest = nodes.comparable_instance.partition(":")
    region, _, kind = rest.partition(":")
    return Comparison(
        path=context.graph.path(component),
        tier=context.tier(component),
        instance=nodes.comparable_instance,
        machines=bounds(scaling),
        price=context.book.find(cloud, region, kind, HOUR),
    )


def bounds(scaling: ScalingFact) -> Range:
    """Return the sizes of a pool."""
    return Range(Decimal(scaling.minimum), Decimal(scaling.typical), Decimal(scaling.maximum))


def _machines(
    context: Context, component: Resource, nodes: NodesFact, scaling: ScalingFact | None
) -> Iterator[CostComponent]:
    count = bounds(scaling) if scaling is not None else QuantityUnknown("the pool states no bounds")
    if nodes.purchase == EXISTING:
        rate = context.rates.machine(component.name)
        missing = PriceNotFound("own machines: no rate was given for this pool")
        note = "" if rate is None else rate.arithmetic
        yield CostComponent("own machines", MACHINE_MONTH, count, rate or missing, note)
        return
    kind = nodes.instance_type
    if kind is None:
        yield not_priced("machines", "the pool names no instance type")
        return
    term = SPOT if nodes.purchase == SPOT else ON_DEMAND
    price = context.price(component, kind, HOUR, term, context.cloud(component))
    hours = count * HOURS_PER_MONTH if isinstance(count, Range) else count
    yield CostComponent(f"machines {kind}" + (" spot" if term == SPOT else ""), HOUR, hours, price)
    if scaling is not None and scaling.autoscaler == "karpenter":
        yield from _karpenter_disks(context, component, bounds(scaling))
    else:
        yield not_priced("root disks", "no resource states the disks of these machines")


def _karpenter_disks(context: Context, component: Resource, machines: Range) -> Iterator[CostComponent]:
    classes = [item for item in context.graph.of_type(NODE_CLASS) if item.stack == component.stack]
    if len(classes) != 1:
        raise InputNotKnownError(f"{len(classes)} EC2NodeClass resources in the stack: the root disks are not known")
    for mapping in list_at(classes[0].inputs, "spec.blockDeviceMappings"):
        given = value_at(mapping, "ebs", {})
        disk = {**given, "volumeSize": gib_of(text_at(given, "volumeSize"))}
        yield from ebs_disks(context, component, disk, machines, "volumeSize", "volumeType", "root disks")


def copies_of(facts: ComponentFacts, item: StorageFact) -> Range:
    """Return how many volumes there are: one a replica where their number changes, for none is ever taken away."""
    if facts.scaling is None or not facts.stateful or facts.nodes is not None or item.kind != "volume":
        return fixed(item.copies)
    scaling = bounds(facts.scaling)
    if item.copies < scaling.typical:
        return fixed(item.copies)  # shared by the replicas
    return Range(*(max(count, Decimal(1)) for count in (scaling.minimum, scaling.typical, scaling.maximum)))


def _storage(context: Context, component: Resource, item: StorageFact, copies: Range) -> Iterator[CostComponent]:
    if context.cloud(component) == "hosts":
        return  # on the machine's own disk, which is part of the machine
    if item.kind == "database":
        return  # priced by the cloud's resource, with its machine
    if item.kind == "bucket" and any(child.type in BUCKETS for child in context.graph.descendants(component.urn)):
        return
    if item.kind == "bucket" and context.cloud(component) != "onprem":
        yield not_priced("bucket", "no bucket of the graph stands for it")
        return
    yield from volume(context, component, item.storage_class, copies * Decimal(str(item.gib)))
    yield from _operations(context, component, item.storage_class, copies)


def _operations(context: Context, holder: Resource, name: str, volumes: Range) -> Iterator[CostComponent]:
    """Yield what operations a second cost beyond those that every gp3 volume does."""
    for item in context.graph.of_type(STORAGE_CLASS):
        if item.stack != holder.stack or value_at(item.inputs, "metadata.name", "") != name:
            continue
        asked = Decimal(str(value_at(item.inputs, "parameters.iops", "0")))
        if text_at(item.inputs, "parameters.type", "gp3") == "gp3" and asked > GP3_FREE_IOPS:
            price = context.price(holder, "ebs-gp3-iops", IOPS_MONTH, cloud="aws")
            yield CostComponent("IOPS of gp3", IOPS_MONTH, volumes * (asked - GP3_FREE_IOPS), price)


def volume(context: Context, holder: Resource, storage_class: str, asked: Decimal | Range) -> Iterator[CostComponent]:
    """Yield what so many GiB of a Kubernetes storage class cost."""
    gib = asked if isinstance(asked, Range) else fixed(asked)
    if context.cloud(holder) == "onprem":
        if context.rates.storage_in_machines:
            return
        rate = context.rates.storage.monthly if context.rates.storage else None
        missing = PriceNotFound("own storage: no rate was given")
        yield CostComponent("own storage", GIB_MONTH, gib, rate or missing, rate.arithmetic if rate else "")
        return
    kind = _volume_type(context, holder, storage_class)
    if isinstance(kind, PriceNotFound):
        yield CostComponent(f"volumes {storage_class}", GB_MONTH, gib, kind)
        return
    cloud, sku, name = kind
    price = context.price(holder, sku, GB_MONTH, cloud=cloud)
    yield CostComponent(f"volumes {name}", GB_MONTH, gib, price)


def _volume_type(context: Context, holder: Resource, name: str) -> tuple[str, str, str] | PriceNotFound:
    """Return cloud, row of the book and type behind a storage class of the stack, or why it is not known."""
    for item in context.graph.of_type(STORAGE_CLASS):
        if item.stack == holder.stack and value_at(item.inputs, "metadata.name", "") == name:
            provisioner = text_at(item.inputs, "provisioner")
            if provisioner == PD_PROVISIONER:
                kind = text_at(item.inputs, "parameters.type", "pd-standard")
                return "gcp", kind, kind
            if provisioner != EBS_PROVISIONER:
                return PriceNotFound(f"volumes of {provisioner} are not in the price book")
            # gp3 is the driver's default. Source: aws-ebs-csi-driver docs/parameters.md, read 2026-11
            kind = text_at(item.inputs, "parameters.type", "gp3")
            return "aws", f"ebs-{kind}", kind
    return PriceNotFound(f"the storage class '{name or '(default)'}' is not in the graph, so its price is not known")


def gib_of(text: str) -> Decimal:
    """Return GiB of a Kubernetes quantity such as `100Gi`.

    Raises:
        InputNotKnownError: it is no size.
    """
    try:
        return Decimal(parse_bytes(text)) / GIB
    except UsageError as exc:
        raise InputNotKnownError(f"its size cannot be read: {exc}") from exc
