"""Cost components: what is counted, in which unit, at which price, and what that makes in a month."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from cost.pricebook import Price, PriceNotFound

ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Range:
    """An amount at the smallest, the typical and the largest size."""

    minimum: Decimal
    typical: Decimal
    maximum: Decimal

    def __add__(self, other: Range) -> Range:
        """Return the sum, size by size."""
        return Range(self.minimum + other.minimum, self.typical + other.typical, self.maximum + other.maximum)

    def __mul__(self, factor: Decimal | int) -> Range:
        """Return each size times `factor`."""
        return Range(self.minimum * factor, self.typical * factor, self.maximum * factor)


MACHINE_MONTH: Final = "machine-month"
GIB_MONTH: Final = "GiB-month"
OWN_UNITS: Final = frozenset({MACHINE_MONTH, GIB_MONTH})
"""Units of rates that the user gives."""

NOTHING: Final = Range(ZERO, ZERO, ZERO)


def fixed(amount: Decimal | int) -> Range:
    """Return the same amount at every size."""
    value = Decimal(amount)
    return Range(value, value, value)


def sum_of(ranges: Iterable[Range]) -> Range:
    """Return the sum; nothing gives zero."""
    return sum(ranges, NOTHING)


@dataclass(frozen=True, slots=True)
class QuantityUnknown:
    """No quantity, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class OwnRate:
    """A rate that the user gave for machines or storage of their own."""

    usd: Decimal
    """For one machine-month, or one GiB-month."""
    unit: str
    arithmetic: str
    """How the rate came about."""


@dataclass(frozen=True, slots=True)
class CostComponent:
    """One thing that a resource is billed for."""

    name: str
    """In a few words: `machines m6i.2xlarge`, `storage gp3`."""
    unit: str
    """Of the quantity."""
    quantity: Range | QuantityUnknown
    """In a month."""
    price: Price | OwnRate | PriceNotFound
    note: str = ""
    """What was taken for granted, or what a reader should know."""

    @property
    def monthly(self) -> Range | None:
        """USD in a month, not rounded; None where quantity or price is unknown."""
        if isinstance(self.quantity, QuantityUnknown) or isinstance(self.price, PriceNotFound):
            return None
        return self.quantity * self.price.usd

    @property
    def unknown(self) -> str | None:
        """Why there is no amount; None where there is one."""
        reasons = [
            part.reason for part in (self.quantity, self.price) if isinstance(part, QuantityUnknown | PriceNotFound)
        ]
        return "; ".join(dict.fromkeys(reasons)) or None


def not_priced(name: str, reason: str) -> CostComponent:
    """Return a component of which nothing is known but that it costs something."""
    return CostComponent(name, "month", QuantityUnknown(reason), PriceNotFound(reason))
