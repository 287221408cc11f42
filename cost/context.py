"""What handlers may ask about a graph: inputs, places, facts of the components around, prices and usage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from cost.book_format import ON_DEMAND
from cost.components import CostComponent, QuantityUnknown, Range
from cost.pricebook import Price, PriceBook, PriceNotFound
from cost.rates import Rates
from cost.usage import Metered, Usage
from skerry.errors import CostError
from skerry.facts import ComponentFacts, DeploymentFact, Tier, facts_of
from skerry.graph import UNKNOWN, Resource, ResourceGraph, find, plain

_MISSING: Final = object()


class InputNotKnownError(CostError):
    """Say that an input decides over the cost and is not known before a deployment; becomes an unknown line."""


@dataclass(frozen=True, slots=True)
class Context:
    """One graph, and what its prices are asked from; made by `context_of`."""

    graph: ResourceGraph
    book: PriceBook
    today: date
    usage: Usage
    rates: Rates
    own: dict[str, ComponentFacts] = field(default_factory=dict)
    """URN -> facts of each Skerry component."""

    def around(self, resource: Resource) -> Iterator[tuple[Resource, ComponentFacts]]:
        """Yield the resource and the components around it that state facts, nearest first."""
        for candidate in (resource, *self.graph.ancestors(resource)):
            facts = self.own.get(candidate.urn)
            if facts is not None:
                yield candidate, facts

    def tier(self, resource: Resource) -> Tier | None:
        """Return the tier of the nearest component that states one."""
        return next((facts.tier for _, facts in self.around(resource) if facts.tier is not None), None)

    def deployment(self, resource: Resource) -> DeploymentFact | None:
        """Return the deployment around a resource, else the one of its stack, else the only one of the graph."""
        for _, facts in self.around(resource):
            if facts.deployment is not None:
                return facts.deployment
        roots = [(self.graph[urn], facts.deployment) for urn, facts in self.own.items() if facts.deployment is not None]
        same = [deployment for root, deployment in roots if root.stack == resource.stack]
        if same:
            return same[0]
        return roots[0][1] if len(roots) == 1 else None

    def cloud(self, resource: Resource) -> str:
        """Return `aws`, `gcp`, `azure`, `onprem` or `hosts` of the deployment; empty for a foreign program."""
        deployment = self.deployment(resource)
        return deployment.target.kind if deployment else ""

    def region(self, resource: Resource) -> str:
        """Return the region: its own, its explicit provider's, the deployment's or the default provider's; else empty.

        A resource with an explicit provider that names no region has none.
        """
        provider = self.graph.provider_of(resource)
        for holder in (resource, provider):
            value = plain(find(holder.inputs, "region")) if holder is not None else None
            if isinstance(value, str) and value:
                return value
        deployment = self.deployment(resource)
        if deployment:
            return deployment.target.region
        package = resource.type.split(":", 1)[0]
        return "" if provider is not None else self.graph.places.get(resource.stack, {}).get(f"{package}:region", "")

    def price(
        self, resource: Resource, sku: str, unit: str, term: str = ON_DEMAND, cloud: str = "aws"
    ) -> Price | PriceNotFound:
        """Return the price at the resource's place."""
        return self.book.find(cloud, self.region(resource), sku, unit, term)

    def metered(
        self,
        resource: Resource,
        name: str,
        sku: str,
        unit: str,
        what: Metered,
        factor: Decimal | int = 1,
        *,
        cloud: str = "aws",
    ) -> CostComponent:
        """Return a component whose quantity only the user can know."""
        given = self.usage.amount(resource.name, what)
        quantity = given[1] * factor if given else QuantityUnknown(f"usage not given: {what.value}")
        return CostComponent(name, unit, quantity, self.price(resource, sku, unit, cloud=cloud))

    def given(self, resource: Resource, what: Metered) -> Range | None:
        """Return the usage that the user gave, or None."""
        found = self.usage.amount(resource.name, what)
        return found[1] if found else None


def context_of(graph: ResourceGraph, book: PriceBook, today: date, usage: Usage, rates: Rates) -> Context:
    """Return the context of a graph.

    Raises:
        GraphError: a component's facts cannot be read.
    """
    own = {resource.urn: facts for resource in graph.resources if (facts := facts_of(resource)) is not None}
    return Context(graph=graph, book=book, today=today, usage=usage, rates=rates, own=own)


def value_at(inputs: Any, path: str, default: Any = _MISSING) -> Any:
    """Return the plain value at a path of inputs, or `default` where it is absent or null.

    Raises:
        InputNotKnownError: it is unknown, or absent without a default.
    """
    value = plain(find(inputs, path))
    if value is UNKNOWN:
        raise InputNotKnownError(f"{path} is not known before a deployment")
    if value is None:
        if default is _MISSING:
            raise InputNotKnownError(f"{path} is not stated")
        return default
    return value


def list_at(inputs: Any, path: str) -> list[Any]:
    """Return the list at a path; one that is absent is empty.

    Raises:
        InputNotKnownError: it is unknown, or no list.
    """
    value = value_at(inputs, path, [])
    if not isinstance(value, list):
        raise InputNotKnownError(f"{path} is no list")
    return value


def text_at(inputs: Any, path: str, default: Any = _MISSING) -> str:
    """Return the text at a path.

    Raises:
        InputNotKnownError: it is unknown, absent without a default, or no text.
    """
    value = value_at(inputs, path, default)
    if not isinstance(value, str):
        raise InputNotKnownError(f"{path} is no text")
    return value


def number_at(inputs: Any, path: str, default: Any = _MISSING) -> Decimal:
    """Return the number at a path; text that holds one counts.

    Raises:
        InputNotKnownError: it is unknown, absent without a default, or no number from 0 up.
    """
    value = value_at(inputs, path, default)
    try:
        number = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number < 0:
        raise InputNotKnownError(f"{path} is no number")
    return number
