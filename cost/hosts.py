"""Machines without an orchestrator: what their owner says they cost, by rent or by purchase and power."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from cost.components import MACHINE_MONTH, CostComponent, OwnRate, fixed
from cost.context import Context
from cost.pricebook import PriceNotFound
from skerry.graph import Resource
from skerry.hosts.facts import HostFact
from skerry.units import HOURS_PER_MONTH

MONTHS_OF_A_YEAR: Final = 12
WATTS_OF_A_KILOWATT: Final = 1000


def host_costs(context: Context, component: Resource, host: HostFact) -> Iterator[CostComponent]:
    """Yield what a machine costs in a month; what nobody said is unknown.

    A row of the rates file counts before what the configuration says, for it is finance's own.

    Args:
        context: the estimate.
        component: the machine.
        host: its facts.
    """
    rate = context.rates.machine(component.name)
    if rate is not None:
        yield CostComponent("own machine", MACHINE_MONTH, fixed(1), rate, rate.arithmetic)
        return
    source = host.price_source or "the stack's configuration"
    if host.usd_per_month is not None:
        rented = OwnRate(_exact(host.usd_per_month), MACHINE_MONTH, f"given ({source})")
        yield CostComponent("rented machine", MACHINE_MONTH, fixed(1), rented, rented.arithmetic)
        return
    bought, drawn = _bought(host, source), _drawn(host, source)
    yield CostComponent("purchase, spread", MACHINE_MONTH, fixed(1), bought, _arithmetic(bought))
    yield CostComponent("power", MACHINE_MONTH, fixed(1), drawn, _arithmetic(drawn))


def _bought(host: HostFact, source: str) -> OwnRate | PriceNotFound:
    if host.purchase_usd is None or not host.lifetime_years:
        return PriceNotFound("own machine: nobody said what it cost (price.purchase_usd)")
    months = _exact(host.lifetime_years) * MONTHS_OF_A_YEAR
    text = f"{_exact(host.purchase_usd):,f} USD / {months.normalize():f} months ({source})"
    return OwnRate(_exact(host.purchase_usd) / months, MACHINE_MONTH, text)


def _drawn(host: HostFact, source: str) -> OwnRate | PriceNotFound:
    if host.average_watts is None or host.usd_per_kwh is None:
        return PriceNotFound("own machine: nobody said what it draws and pays (price.average_watts, price.usd_per_kwh)")
    kilowatts = _exact(host.average_watts) / WATTS_OF_A_KILOWATT
    each = _exact(host.usd_per_kwh)
    text = f"{kilowatts.normalize():f} kW x {HOURS_PER_MONTH} h x {each:f} USD/kWh ({source})"
    return OwnRate(kilowatts * HOURS_PER_MONTH * each, MACHINE_MONTH, text)


def _arithmetic(rate: OwnRate | PriceNotFound) -> str:
    return rate.arithmetic if isinstance(rate, OwnRate) else ""


def _exact(number: float) -> Decimal:
    return Decimal(str(number))
