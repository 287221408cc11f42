"""What the sized machines cost in a month by the price book, beside what the analysis says that they cost.

A bill is priced part by part; a part without a price is unknown and in no total. What the analysis says is never a
price.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from cost.book_format import GB, GB_MONTH, HOUR
from cost.components import CostComponent, OwnRate, Range, fixed, not_priced, sum_of
from cost.pricebook import Price, PriceBook, PriceNotFound
from cost.rates import Rates
from skerry.agentdb import tables
from skerry.agentdb.answer import Answer
from skerry.agentdb.cost_rows import Container
from skerry.agentdb.network import Transfer
from skerry.agentdb.rows import Profile
from skerry.figures import tidy
from skerry.instances import InstanceType, Need, candidates
from skerry.units import HOURS_PER_MONTH

PLACES: Final = {
    "aws": ("us-east-1", "eu-west-1", "ap-southeast-1"),
    "gcp": ("us-central1", "europe-west1", "asia-southeast1"),
    "azure": ("eastus", "westeurope", "southeastasia"),
    "hosts": (),
}
"""The first is the analysis' where it names one (003:3269, 003:3436); the others are its three parts of the world."""

DISKS: Final = {"aws": "ebs-gp3", "gcp": "pd-balanced", "azure": "Premium SSD"}
BALANCERS: Final = {"aws": "alb", "gcp": "forwarding-rules-first-5", "azure": "load-balancer"}
CONTROL_PLANES: Final = {"aws": "eks-cluster", "gcp": "gke-cluster", "azure": "aks-cluster-standard"}
TO_INTERNET: Final = "transfer-internet-out"
POOL: Final = "agentdb"
"""The name of the machines in a rates file."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the analysis says that this costs in a month."""

    low: Decimal
    high: Decimal
    seed: str
    of: str


@dataclass(frozen=True, slots=True)
class Bill:
    """What one thing costs in a month."""

    name: str
    of: str
    lines: tuple[CostComponent, ...]
    said: tuple[Said, ...]

    @property
    def priced(self) -> bool:
        """Whether any part has a price."""
        return any(line.monthly is not None for line in self.lines)

    @property
    def known(self) -> Range:
        """The sum of what has a price; zero where nothing has one."""
        return sum_of(line.monthly for line in self.lines if line.monthly is not None)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Why parts have no amount."""
        return tuple(f"{line.name}: {line.unknown}" for line in self.lines if line.unknown is not None)

    def remark(self, said: Said) -> str:
        """Say how the analysis' figure stands to what was computed."""
        known, least = self.known, "at least " if self.unknown else ""
        if not self.priced:
            return "nothing to compare it with: no part has a price"
        text = f"{least}{dollars(known.minimum, known.maximum)} USD"
        if said.high < known.minimum:
            return f"below what is computed ({text})"
        if self.unknown:
            return f"cannot tell: {text}, and parts are unknown"
        if said.low > known.maximum:
            return f"above what is computed ({text})"
        if said.low <= known.minimum and known.maximum <= said.high:
            return f"holds what is computed ({text})"
        return f"overlaps what is computed ({text})"


@dataclass(frozen=True, slots=True)
class Places:
    """Where the regions are, for their prices."""

    cloud: str
    names: tuple[str, ...]

    def name(self, index: int) -> str:
        """Return the region of that number; empty where nobody named it."""
        return self.names[index] if index < len(self.names) else ""


def bills(answer: Answer, book: PriceBook, places: Places, rates: Rates | None) -> tuple[Bill, ...]:
    """Return what the sized nodes cost, and what the profile that fits costs."""
    found = [_sized(answer, book, places, rates)]
    if answer.transfer is not None and places.cloud != "hosts":
        found.append(_transfer(answer.transfer, book, places))
    if places.cloud == "aws":
        if answer.profile.name == "production":
            found.append(_production(answer.profile, book, places))
        found.append(_ecs(book, places))
    if places.cloud == "gcp":
        found.append(_cloud_run(book, places))
    if answer.profile.name == "enterprise" and places.cloud != "hosts":
        found.append(_enterprise(answer.profile, book, places))
    return tuple(found)


def _sized(answer: Answer, book: PriceBook, places: Places, rates: Rates | None) -> Bill:
    regions, nodes = int(answer.layout.regions.known), answer.layout.nodes_a_region.known
    need = Need(vcpu=int(answer.node.cores.known), memory_gib=float(answer.node.memory_mib.known / 1024))
    disk = answer.node.disk_gb.known
    said = []
    if answer.section_10 is not None:
        row = answer.section_10
        said.append(Said(Decimal(row.usd_month[0]), Decimal(row.usd_month[1]), row.seed, f"architecture {row.name}"))
    tier = answer.tier
    said.append(Said(Decimal(tier.usd_month[0]), Decimal(tier.usd_month[1]), tier.seed, "range of the conclusion"))
    if places.cloud == "hosts":
        lines = list(_own(nodes * regions, disk, rates))
    else:
        lines = []
        for index in range(regions):
            region = places.name(index)
            label = f" in {region or f'region {index + 1}'}" if regions > 1 else ""
            lines += _machines(book, places.cloud, region, need, nodes, label)
            lines.append(
                _priced(book, places.cloud, region, f"disks{label}", DISKS[places.cloud], GB_MONTH, nodes * disk)
            )
            if nodes > 1:
                lines.append(
                    _priced(
                        book, places.cloud, region, f"load balancer{label}", BALANCERS[places.cloud], HOUR,
                        HOURS_PER_MONTH, note="its hours; what it carries is billed beside",
                    )
                )  # fmt: skip
    count = nodes * regions
    of = f"{tidy(count)} node{'s' if count > 1 else ''} of {need}, {tidy(disk)} GB each"
    return Bill("the sized nodes", of, tuple(lines), tuple(said))


def _transfer(sent: Transfer, book: PriceBook, places: Places) -> Bill:
    amount, note = sent.gb.known, "at the first tier, which is the dearest"
    line = _priced(book, places.cloud, places.name(0), "data to the internet", TO_INTERNET, GB, amount, note=note)
    flat = tables.network().transfer["printed_usd"]
    said = Said(flat.value, flat.value, flat.seed, "section 8.4, for 1000 batches/s")
    return Bill("data to the internet", f"{tidy(amount)} GB: {sent.gb.how}", (line,), (said,))


def _own(nodes: Decimal, disk: Decimal, rates: Rates | None) -> Iterator[CostComponent]:
    rate = rates.machine(POOL) if rates is not None else None
    if rate is None:
        yield not_priced("own machines", f"no rate was given: name '{POOL}' in a rates file (--rates)")
    else:
        yield CostComponent("own machines", rate.unit, fixed(nodes), rate)
    if rates is not None and rates.storage_in_machines:
        return
    storage: OwnRate | None = rates.storage.monthly if rates is not None and rates.storage is not None else None
    if storage is None:
        yield not_priced("own storage", "no rate was given")
    else:
        yield CostComponent("own storage", storage.unit, fixed(nodes * disk), storage)


def cheapest(book: PriceBook, cloud: str, region: str, need: Need) -> tuple[InstanceType, Price] | None:
    """Return the cheapest machine of the catalogue that has what is needed; None where none has a price."""
    priced = [
        (row.type, price)
        for row in candidates(cloud, need)
        if not row.lacks and isinstance(price := book.find(cloud, region, row.type.name, HOUR), Price)
    ]
    return min(priced, key=lambda pair: (pair[1].usd, pair[0].name), default=None)


def _machines(book: PriceBook, cloud: str, region: str, need: Need, nodes: Decimal, label: str) -> list[CostComponent]:
    found = cheapest(book, cloud, region, need)
    if found is None:
        where = region or "a region that nobody named (--at)"
        reason = f"the price book has no machine of the catalogue with {need} for {cloud} in {where}"
        return [not_priced(f"machines{label}", reason)]
    kind, price = found
    note = f"{kind.vcpu} vCPU and {kind.memory_gib:g} GiB, the cheapest of Skerry's catalogue that has {need}"
    return [CostComponent(f"machines {kind.name}{label}", HOUR, fixed(nodes * HOURS_PER_MONTH), price, note)]


def _priced(
    book: PriceBook, cloud: str, region: str, name: str, sku: str, unit: str, quantity: Decimal | Range, note: str = ""
) -> CostComponent:
    amount = quantity if isinstance(quantity, Range) else fixed(quantity)
    price: Price | PriceNotFound = book.find(cloud, region, sku, unit)
    return CostComponent(name, unit, amount, price, note)


def _containers(
    book: PriceBook, places: Places, prefix: str, shape: Container, share: Decimal = Decimal(1)
) -> list[CostComponent]:
    """Return the vCPU and memory of containers, each billed by itself."""
    hours = Range(Decimal(shape.low), Decimal(shape.typical), Decimal(shape.high)) * (HOURS_PER_MONTH * share)
    region = places.name(0)
    return [
        _priced(book, places.cloud, region, f"{prefix} vCPU", f"{prefix}-vcpu", HOUR, hours * shape.vcpu),
        _priced(book, places.cloud, region, f"{prefix} memory", f"{prefix}-memory", HOUR, hours * shape.memory_gb),
    ]


def _database(book: PriceBook, places: Places) -> list[CostComponent]:
    shape, region = tables.costs().shapes.rds, places.name(0)
    copies, note = Decimal(shape.copies), "primary and standby"
    sku = f"rds-postgres:{shape.name}"
    return [
        _priced(book, "aws", region, f"database {shape.name}", sku, HOUR, copies * HOURS_PER_MONTH, note),
        _priced(book, "aws", region, "database storage", "rds-gp3", GB_MONTH, copies * shape.storage_gb, note),
    ]


def _balancer(book: PriceBook, places: Places) -> CostComponent:
    note = "its hours; what it carries is billed beside"
    return _priced(book, "aws", places.name(0), "load balancer", "alb", HOUR, HOURS_PER_MONTH, note)


def _production(profile: Profile, book: PriceBook, places: Places) -> Bill:
    low, high = profile.nodes
    top = profile.scaling[1] if profile.scaling else high
    shape = Container(
        seed=profile.seed, vcpu=Decimal(profile.cores), memory_gb=Decimal(profile.memory_mb) / 1024, low=low,
        typical=high, high=top, note="",
    )  # fmt: skip
    lines = [*_containers(book, places, "fargate", shape), *_database(book, places), _balancer(book, places)]
    of = (
        f"{low}, {high} and {top} tasks of {profile.cores} vCPU and {tidy(shape.memory_gb)} GB, database, load balancer"
    )
    said = [
        Said(Decimal(profile.usd_month[0]), Decimal(profile.usd_month[1]), profile.line("usd_month"), "section 12.3")
    ]
    said += _ecs_said()[1:]
    return Bill("the profile production", of, tuple(lines), tuple(said))


def _ecs(book: PriceBook, places: Places) -> Bill:
    shape = tables.costs().shapes.ecs
    lines = [*_containers(book, places, "fargate", shape), *_database(book, places), _balancer(book, places)]
    of = f"{shape.low}, {shape.typical} and {shape.high} tasks of {shape.vcpu} vCPU and {shape.memory_gb} GB"
    return Bill("ECS as in section 7.1", of, tuple(lines), tuple(_ecs_said()))


def _ecs_said() -> list[Said]:
    costs = tables.costs()
    estimate = costs.estimates[0]
    monthly = next(row for row in costs.monthly.rows if row.name == "ECS on Fargate")
    option = next(row for row in costs.three_years.options if row.name == "ECS")
    each = sum((item.usd for item in option.monthly), Decimal(0))
    return [
        Said(*estimate.usd_month, estimate.seed, "section 7.1"),
        Said(monthly.total, monthly.total, monthly.seed, "section 9.2, without a load balancer"),
        Said(each, each, option.seed, "section 9.1, a month of 36"),
    ]


def _cloud_run(book: PriceBook, places: Places) -> Bill:
    costs = tables.costs()
    price, shape = costs.cloud_run, costs.shapes.cloud_run
    share = Decimal(price.use_percent) / 100
    estimate = next(row for row in costs.estimates if row.name == "Cloud Run")
    monthly = next(row for row in costs.monthly.rows if row.name == "Cloud Run")
    compute = monthly.compute or Decimal(0)
    said = (
        Said(*estimate.usd_month, estimate.seed, "section 7.2"),
        Said(price.printed_usd, price.printed_usd, price.seed, "section 9.3"),
        Said(compute, compute, monthly.seed, "section 9.2, computing alone"),
    )
    of = f"one instance of {shape.vcpu} vCPU and {shape.memory_gb} GiB at {price.use_percent} % of the month"
    return Bill("Cloud Run", of, tuple(_containers(book, places, "cloud-run", shape, share)), said)


def _enterprise(profile: Profile, book: PriceBook, places: Places) -> Bill:
    low, high = profile.nodes_a_region or profile.nodes
    need = Need(vcpu=profile.cores, memory_gib=profile.memory_mb / 1024)
    lines = []
    for index in range(profile.regions):
        region = places.name(index)
        label = f" in {region or f'region {index + 1}'}"
        for line in _machines(book, places.cloud, region, need, Decimal(1), label):
            hours = Range(Decimal(low), Decimal(low), Decimal(high)) * HOURS_PER_MONTH
            lines.append(line if line.unknown else CostComponent(line.name, HOUR, hours, line.price, line.note))
        lines.append(
            _priced(
                book, places.cloud, region, f"disks{label}", DISKS[places.cloud], GB_MONTH, Decimal(profile.disk_gb)
            )
        )
        plane = CONTROL_PLANES[places.cloud]
        lines.append(_priced(book, places.cloud, region, f"control plane{label}", plane, HOUR, HOURS_PER_MONTH))
    of = f"{profile.nodes[0]} to {profile.nodes[1]} nodes of {need} in {profile.regions} regions"
    said = Said(Decimal(profile.usd_month[0]), Decimal(profile.usd_month[1]), profile.seed, "section 12.4")
    return Bill("the profile enterprise", of, tuple(lines), (said,))


def dollars(low: Decimal, high: Decimal) -> str:
    """Return one amount or two, rounded to cents."""
    texts = [f"{amount.quantize(Decimal('0.01'), rounding=ROUND_HALF_UP):,f}" for amount in (low, high)]
    return texts[0] if texts[0] == texts[1] else " to ".join(texts)
