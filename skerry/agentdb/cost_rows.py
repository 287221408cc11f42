"""What one row of the analysis' costs may hold; amounts are USD, and none is a price of Skerry's."""

from __future__ import annotations

from decimal import Decimal

from skerry.agentdb.rows import Row


class Estimate(Row):
    """What the analysis says that something costs in a month."""

    name: str
    what: str
    usd_month: tuple[Decimal, Decimal]


class MonthlyCost(Row):
    """One row of the analysis' monthly costs."""

    name: str
    compute: Decimal | None = None
    storage: Decimal | None = None
    network: Decimal | None = None
    total: Decimal


class Item(Row):
    """One thing that is paid."""

    name: str
    usd: Decimal


class Option(Row):
    """One way to pay for three years."""

    name: str
    printed: Decimal | None = None
    """The total that the analysis prints."""
    once: tuple[Item, ...] = ()
    yearly: tuple[Item, ...] = ()
    monthly: tuple[Item, ...] = ()


class Saving(Row):
    """What the analysis says that one way saves against another."""

    of: str
    against: str
    usd: Decimal
    percent: Decimal


class Strategy(Row):
    """A way to pay less."""

    name: str
    from_usd: Decimal
    to_usd: Decimal
    percent: Decimal
    what: str
    upfront_usd: Decimal | None = None
    months: int | None = None


class CloudRunPrice(Row):
    """The price of Cloud Run as the analysis has it."""

    usd_second: Decimal
    use_percent: int
    seconds_a_month: int
    printed_usd: Decimal


class Migration(Row):
    """What the move from another service saves."""

    from_usd: Decimal
    to_usd: Decimal
    once_usd: Decimal
    months: int
    payback_months: int
    net_usd: Decimal


class Container(Row):
    """One container of a service, and how many of them run."""

    vcpu: Decimal
    memory_gb: Decimal
    low: int
    typical: int
    high: int
    note: str


class Database(Row):
    """A managed database."""

    name: str
    storage_gb: int
    copies: int
