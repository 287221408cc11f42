"""Bills of a size for people and as plain values. Money is text, so that no reader makes it binary."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from cli.size_bills import Bill, dollars
from cost.components import CostComponent, QuantityUnknown, Range
from cost.pricebook import Price, PriceNotFound


def bills_text(bills: Sequence[Bill], width: int) -> str:
    """Return the bills as a table: the smallest, the typical and the largest size."""
    lines = ["Cost in a month, by Skerry's price book (list prices, USD)"]
    for bill in bills:
        lines += textwrap.wrap(f"{bill.name}: {bill.of}", width, initial_indent="  ", subsequent_indent="    ")
        room = max(width - 4 - 3 * 13, 24)
        for line in bill.lines:
            lines += _line(line, room, width)
        least = f" (at least, plus {len(bill.unknown)} unknown)" if bill.unknown else ""
        if bill.priced:
            lines.append(f"    {f'together{least}':<{room}}{_amounts(bill.known)}")
        else:
            lines.append("    together: unknown: no part has a price")
        for said in bill.said:
            text = f"the analysis says {dollars(said.low, said.high)} ({said.of}) [{said.seed}]: {bill.remark(said)}"
            lines += textwrap.wrap(text, width, initial_indent="    ", subsequent_indent="      ")
    days = sorted(line.price.read_on for bill in bills for line in bill.lines if isinstance(line.price, Price))
    if days:
        lines.append(f"  prices of {days[0]} to {days[-1]}; --format json names the source of each")
    return "\n".join(lines) + "\n"


def _line(line: CostComponent, room: int, width: int) -> list[str]:
    if line.unknown is not None or line.monthly is None:
        text = f"{line.name}: unknown: {line.unknown}"
        return textwrap.wrap(text, width, initial_indent="    ", subsequent_indent="      ")
    note = textwrap.wrap(line.note, width, initial_indent="      ", subsequent_indent="      ")
    return [f"    {line.name:<{room}}{_amounts(line.monthly)}", *note]


def _amounts(amounts: Range) -> str:
    return "".join(f"{_usd(amount):>13}" for amount in (amounts.minimum, amounts.typical, amounts.maximum))


def _usd(amount: Decimal) -> str:
    return f"{amount.quantize(Decimal('0.01'), rounding=ROUND_HALF_UP):,f}"


def bills_document(bills: Sequence[Bill]) -> list[dict[str, Any]]:
    """Return the bills as plain values."""
    return [
        {
            "name": bill.name,
            "of": bill.of,
            "currency": "USD",
            "known": _range(bill.known) if bill.priced else None,
            "unknown": list(bill.unknown),
            "lines": [_line_document(line) for line in bill.lines],
            "seed": [
                {
                    "low": _cents(said.low), "high": _cents(said.high), "of": said.of, "seed": said.seed,
                    "remark": bill.remark(said),
                }
                for said in bill.said
            ],
        }
        for bill in bills
    ]  # fmt: skip


def _line_document(line: CostComponent) -> dict[str, Any]:
    price = line.price
    document: dict[str, Any] | None = None
    if isinstance(price, Price):
        document = {
            "usd": str(price.usd), "unit": price.unit, "cloud": price.cloud, "region": price.region, "sku": price.sku,
            "source": price.source, "readOn": price.read_on.isoformat(),
        }  # fmt: skip
    elif not isinstance(price, PriceNotFound):
        document = {"usd": str(price.usd), "unit": price.unit, "source": price.arithmetic}
    quantity = None if isinstance(line.quantity, QuantityUnknown) else _range(line.quantity)
    return {
        "component": line.name, "unit": line.unit, "quantity": quantity, "price": document,
        "monthly": None if line.monthly is None else _range(line.monthly), "unknown": line.unknown, "note": line.note,
    }  # fmt: skip


def _range(amounts: Range) -> dict[str, str]:
    return {
        "minimum": _cents(amounts.minimum), "typical": _cents(amounts.typical), "maximum": _cents(amounts.maximum),
    }  # fmt: skip


def _cents(amount: Decimal) -> str:
    return f"{amount.quantize(Decimal('0.01'), rounding=ROUND_HALF_UP):f}"
