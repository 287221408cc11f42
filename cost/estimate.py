"""The estimate: what a month of a resource graph costs at list prices, with every part that is not known by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase

from cost.components import CostComponent, Range, not_priced, sum_of
from cost.context import Context, InputNotKnownError, context_of
from cost.handlers import HANDLERS, is_free
from cost.pools import Comparison, comparison, component_costs
from cost.pricebook import Price, PriceBook
from cost.rates import Rates
from cost.usage import Usage
from skerry.facts import Tier
from skerry.graph import Resource, ResourceGraph
from skerry.invokes import NO_FUNCTIONS, Functions, functions_of
from skerry.opaque import is_opaque


@dataclass(frozen=True, slots=True)
class Line:
    """One cost component of one resource."""

    urn: str
    path: str
    """`stack > component > ... > name`."""
    name: str
    type: str
    tier: Tier | None
    component: CostComponent


@dataclass(frozen=True, slots=True)
class TierCost:
    """The part of a tier."""

    tier: Tier | None
    """None: no component around the resources states one."""
    known: Range
    """USD in a month of what is known, not rounded."""
    priced: tuple[Line, ...]
    unknown: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a month costs, in USD at list prices; amounts are not rounded."""

    stacks: tuple[str, ...]
    lines: tuple[Line, ...]
    """By resource in the graph's order."""
    comparisons: tuple[Comparison, ...]
    """Derived figures beside the estimate, in no total."""
    free_resources: int
    external_resources: int
    """Read and not managed by these stacks, so not counted."""
    unused_names: tuple[str, ...]
    """Names of the usage and the rates that fit no resource."""
    as_of: date
    """The day that decided over what depends on one, such as the end of a version's support."""
    functions: Functions = NO_FUNCTIONS
    """What the program was answered with that is no fact."""

    @property
    def known(self) -> Range:
        """The sum of what is known."""
        return sum_of(amount for line in self.lines if (amount := line.component.monthly) is not None)

    @property
    def unknown(self) -> tuple[Line, ...]:
        """Every line without an amount."""
        return tuple(line for line in self.lines if line.component.monthly is None)

    @property
    def minimum_usd(self) -> Decimal:
        """The known part of a month at the smallest size."""
        return self.known.minimum

    @property
    def typical_usd(self) -> Decimal:
        """The known part of a month at the typical size."""
        return self.known.typical

    @property
    def maximum_usd(self) -> Decimal:
        """The known part of a month at the largest size; a whole only where `is_complete`."""
        return self.known.maximum

    @property
    def is_complete(self) -> bool:
        """Whether everything that costs has an amount."""
        return not self.unknown

    @property
    def by_tier(self) -> Mapping[Tier | None, TierCost]:
        """The parts of the tiers, in the tiers' order; what belongs to none comes last under None."""
        groups: dict[Tier | None, list[Line]] = {}
        for line in self.lines:
            groups.setdefault(line.tier, []).append(line)
        order: tuple[Tier | None, ...] = (*Tier, None)
        return {tier: _tier_cost(tier, groups[tier]) for tier in order if tier in groups}

    @property
    def prices(self) -> tuple[Price, ...]:
        """Every price of the book that the estimate or a comparison used, once, sorted by key."""
        used = {line.component.price for line in self.lines} | {item.price for item in self.comparisons}
        return tuple(sorted((price for price in used if isinstance(price, Price)), key=lambda price: price.key))


def _tier_cost(tier: Tier | None, lines: Iterable[Line]) -> TierCost:
    priced: list[Line] = []
    unknown: list[Line] = []
    for line in lines:
        (unknown if line.component.monthly is None else priced).append(line)
    known = sum_of(amount for line in priced if (amount := line.component.monthly) is not None)
    return TierCost(tier, known, tuple(priced), tuple(unknown))


def estimate(
    graph: ResourceGraph,
    book: PriceBook,
    usage: Usage | None = None,
    rates: Rates | None = None,
    *,
    today: date | None = None,
) -> Estimate:
    """Price a resource graph.

    Args:
        graph: the resources.
        book: the list prices.
        usage: gigabytes and requests, which only the user can know; what is missing is unknown.
        rates: what the user's own machines cost; what is missing is unknown.
        today: the first day of the month that is priced; without it the newest day of the book.

    Raises:
        GraphError: a component's facts cannot be read.
    """
    day = today or max((price.read_on for price in book.prices), default=date.min)
    context = context_of(graph, book, day, usage or Usage(), rates or Rates())
    lines: list[Line] = []
    comparisons = []
    free = external = 0
    for resource in graph.resources:
        if resource.external:
            external += 1
            continue
        facts = context.own.get(resource.urn)
        if facts is not None:
            compared = comparison(context, resource, facts)
            comparisons += [compared] if compared else []
        found = _lines(context, resource)
        free += resource.custom and not found
        lines += found
    return Estimate(
        stacks=graph.stacks,
        lines=tuple(lines),
        comparisons=tuple(comparisons),
        free_resources=free,
        external_resources=external,
        unused_names=_unused(context),
        as_of=day,
        functions=functions_of(graph),
    )


def _lines(context: Context, resource: Resource) -> list[Line]:
    tier = context.tier(resource)
    path = context.graph.path(resource)
    return [
        Line(resource.urn, path, resource.name, resource.type, tier, component)
        for component in _components(context, resource)
    ]


def _components(context: Context, resource: Resource) -> Iterator[CostComponent]:
    """Yield what a resource costs; an input that is not known leaves an unknown part, never silence."""
    try:
        if not resource.custom:
            facts = context.own.get(resource.urn)
            if facts is not None:
                yield from component_costs(context, resource, facts)
            elif is_opaque(context.graph, resource):
                yield not_priced("what it makes", f"what a {resource.type} makes cannot be seen in the graph")
            return
        handler = HANDLERS.get(resource.type)
        if handler is not None:
            yield from handler(context, resource)
        elif not is_free(resource.type):
            yield not_priced("resource", f"nothing prices the type {resource.type}")
    except InputNotKnownError as exc:
        yield not_priced("the rest", str(exc))


def _unused(context: Context) -> tuple[str, ...]:
    names = {resource.name for resource in context.graph.resources}
    patterns = (*context.usage.resources, *context.rates.pools)
    return tuple(pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in names))
