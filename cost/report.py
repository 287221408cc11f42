"""The estimate for people and for programs: a table for a terminal, and a JSON document. Rounding happens here only."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from cost.components import OWN_UNITS, CostComponent, OwnRate, QuantityUnknown, Range, sum_of
from cost.estimate import Estimate, Line, TierCost
from cost.pricebook import Price, PriceNotFound
from skerry.facts import Tier
from skerry.invokes import functions_json, functions_text
from skerry.units import HOURS_PER_MONTH

SCHEMA: Final = "skerry.cost/1"

STALE_AFTER: Final = timedelta(days=180)
"""List prices change a few times a year; older ones are said to be old."""

DEFAULT_WIDTH: Final = 100
NARROWEST: Final = 72
AMOUNT: Final = 14
"""Columns of one amount: up to 9,999,999.99 and a gap."""

SHORTEST_NAME: Final = 16
"""Columns that are left to the name of a resource, however long the rest of its row is."""

NAMES_SHOWN: Final = 3
"""Names of one unknown reason that are written out; the JSON report has them all."""

_CENT: Final = Decimal("0.01")


def to_text(estimate: Estimate, width: int = DEFAULT_WIDTH, *, today: date, brief: bool = False) -> str:
    """Return the estimate as text of at most `width` columns, without colour.

    Args:
        estimate: what was priced.
        width: columns; at least 72 are taken.
        today: the day from which the age of the prices is judged.
        brief: only the tiers, a sentence on what is unknown, and where the prices are from.
    """
    width = max(width, NARROWEST)
    if brief:
        parts = [
            _head(estimate),
            _summary(estimate, width),
            _comparisons(estimate, width),
            [*_unknown_line(estimate, width), *_source_line(estimate, width, today)],
            functions_text(estimate.functions, width),
        ]
        return "\n".join("\n".join(part) + "\n" for part in parts if part)
    parts = [
        _head(estimate),
        _summary(estimate, width),
        *(_tier(part, width) for part in estimate.by_tier.values()),
        _unknown(estimate, width),
        _comparisons(estimate, width),
        _sources(estimate, width, today),
        functions_text(estimate.functions, width),
    ]
    return "\n".join("\n".join(part) + "\n" for part in parts if part)


def _head(estimate: Estimate) -> list[str]:
    where = ", ".join(estimate.stacks)
    return [f"Cost of {_clean(where)}", f"USD for one month of {HOURS_PER_MONTH} hours, at list prices, without tax"]


def _summary(estimate: Estimate, width: int) -> list[str]:
    room = width - 3 * AMOUNT
    lines = [" " * room + "".join(f"{word:>{AMOUNT}}" for word in ("minimum", "typical", "maximum"))]
    for tier, part in estimate.by_tier.items():
        label = _tier_name(tier)
        if part.unknown:
            label += f"  (+ {len(part.unknown)} unknown)"
        lines.append(_row(f"  {label}", part.known if part.priced else None, room))
    lines.append("  " + "-" * (width - 2))
    count = len(estimate.unknown)
    if not estimate.lines:
        lines.append("  Nothing here is billed.")
    elif not count:
        lines.append(_row("  total", estimate.known, room))
    elif len(estimate.lines) == count:
        lines.append(f"  total: unknown; none of the {count} parts has a price")
    else:
        lines.append(_row(f"  at least, plus {count} unknown", estimate.known, room))
    return lines


def _row(label: str, amounts: Range | None, room: int) -> str:
    label = _clean(label)
    text = label if len(label) < room else label[: room - 2] + "…"
    if amounts is None:
        return f"{text:<{room}}" + f"{'unknown':>{AMOUNT}}" * 3
    return f"{text:<{room}}" + "".join(
        f"{_money(amount):>{AMOUNT}}" for amount in (amounts.minimum, amounts.typical, amounts.maximum)
    )


@dataclass(slots=True)
class _Group:
    """Equal components of equal resources of a tier, shown as one row."""

    lines: list[Line]

    @property
    def label(self) -> str:
        first = self.lines[0]
        return first.name if len(self.lines) == 1 else f"{len(self.lines)} x {first.type.rsplit(':', 1)[-1]}"

    @property
    def amounts(self) -> Range:
        return sum_of(amount for line in self.lines if (amount := line.component.monthly) is not None)


def _tier(part: TierCost, width: int) -> list[str]:
    if not part.priced:
        return []
    return [_tier_name(part.tier), *(row for group in _groups(part.priced) for row in _group_rows(group, width))]


def _groups(lines: Iterable[Line]) -> list[_Group]:
    """Return the rows of a tier, the one that may cost most first."""
    groups: dict[tuple[str, str, object, object, str], _Group] = {}
    for line in lines:
        component = line.component
        key = (line.type, component.name, component.quantity, component.price, component.note)
        groups.setdefault(key, _Group([])).lines.append(line)
    return sorted(groups.values(), key=lambda group: -group.amounts.maximum)


def _group_rows(group: _Group, width: int) -> list[str]:
    component = group.lines[0].component
    room = width - 3 * AMOUNT
    # What is billed says more than the end of a long name, so the name is what gives way.
    spare = max(room - len(component.name) - 6, SHORTEST_NAME)
    label = group.label if len(group.label) <= spare else f"{group.label[: spare - 1]}…"
    rows = [_row(f"  {label}: {component.name}", group.amounts, room)]
    each = " each" if len(group.lines) > 1 else ""
    detail = f"{_quantity(component)} x {_unit_price(component)}{each}"
    if component.note:
        detail += f"; {component.note}"
    return rows + _wrap(detail, width, "      ")


def _quantity(component: CostComponent) -> str:
    quantity = component.quantity
    if isinstance(quantity, QuantityUnknown):
        return "unknown"
    sizes = [f"{size.normalize():,f}" for size in (quantity.minimum, quantity.typical, quantity.maximum)]
    return f"{' / '.join(sizes) if len(set(sizes)) > 1 else sizes[0]} {component.unit}"


def _unit_price(component: CostComponent) -> str:
    match component.price:
        case PriceNotFound():
            return "unknown"
        case Price(usd=usd, unit=unit) | OwnRate(usd=usd, unit=unit):
            exact = usd if isinstance(component.price, Price) else usd.quantize(_CENT, ROUND_HALF_UP)
            return f"{exact.normalize():,f} USD per {unit}"


def _unknown(estimate: Estimate, width: int) -> list[str]:
    if not estimate.unknown:
        return []
    reasons: dict[str, list[Line]] = {}
    for line in estimate.unknown:
        reasons.setdefault(f"{line.component.unknown}", []).append(line)
    rows = [f"Unknown: {len(estimate.unknown)} (in no total, and never zero)"]
    for reason, lines in reasons.items():
        names = [f"{line.name} ({line.component.name})" for line in lines[:NAMES_SHOWN]]
        more = f" and {len(lines) - NAMES_SHOWN} more" if len(lines) > NAMES_SHOWN else ""
        rows += _wrap(f"- {reason}: {', '.join(names)}{more}", width, "  ", "    ")
    if any(isinstance(line.component.quantity, QuantityUnknown) for line in estimate.unknown):
        rows += _wrap("What only you can know goes into a usage file; docs/cost.md shows one.", width, "  ")
    if any(line.component.unit in OWN_UNITS for line in estimate.unknown):
        rows += _wrap("What your own machines cost goes into a rates file; docs/cost.md shows one.", width, "  ")
    return rows


def _unknown_line(estimate: Estimate, width: int) -> list[str]:
    """Return how many parts are unknown, and the commonest reasons."""
    if not estimate.unknown:
        return []
    reasons = Counter(f"{line.component.unknown}".split(": ")[0] for line in estimate.unknown)
    text = ", ".join(f"{count} x {reason}" for reason, count in reasons.most_common(3))
    rest = len(estimate.unknown) - sum(count for _, count in reasons.most_common(3))
    more = f", {rest} more" if rest else ""
    line = _clean(f"Unknown: {len(estimate.unknown)} ({text}{more}); without --brief each is named")
    return textwrap.wrap(line, width, subsequent_indent="  ")


def _source_line(estimate: Estimate, width: int, today: date) -> list[str]:
    """Return how many prices of how many sources were used, and a warning about old ones."""
    prices = estimate.prices
    if not prices:
        return ["Prices: none of the book was used."]
    oldest, newest = (pick(price.read_on for price in prices) for pick in (min, max))
    count = len({price.source for price in prices})
    sources = "1 source" if count == 1 else f"{count} sources"
    when = f"on {oldest}" if oldest == newest else f"between {oldest} and {newest}"
    rows = _wrap(f"Prices: {len(prices)} from {sources}, read {when}", width, "")
    old = sum(today - price.read_on > STALE_AFTER for price in prices)
    if old:
        rows += _wrap(f"warning: {old} of them are older than {STALE_AFTER.days} days on {today}", width, "", "  ")
    return rows


def _comparisons(estimate: Estimate, width: int) -> list[str]:
    if not estimate.comparisons:
        return []
    rows = _wrap(
        "Comparable rental (derived: what renting machines of like size would cost at the place named, "
        "not what this site pays; in no total)",
        width,
        "",
        "  ",
    )
    room = width - 3 * AMOUNT
    for item in estimate.comparisons:
        rows.append(_row(f"  {_tier_name(item.tier)}: {item.instance}", item.monthly, room))
        if isinstance(item.price, PriceNotFound):
            rows += _wrap(item.price.reason, width, "      ")
    amounts = [amount for item in estimate.comparisons if (amount := item.monthly) is not None]
    if len(amounts) > 1:
        short = len(amounts) < len(estimate.comparisons)
        rows.append(_row("  at least" if short else "  together", sum_of(amounts), room))
    return rows


def _sources(estimate: Estimate, width: int, today: date) -> list[str]:
    rows = []
    if estimate.prices:
        sources: dict[str, list[date]] = {}
        for price in estimate.prices:
            sources.setdefault(price.source, []).append(price.read_on)
        rows.append("Prices")
        for source, days in sorted(sources.items(), key=lambda item: (max(item[1]), item[0]), reverse=True):
            noun = "price" if len(days) == 1 else "prices"
            rows += _wrap(f"- {min(days)}: {len(days)} {noun} from {source}", width, "  ", "    ")
        oldest = min(price.read_on for price in estimate.prices)
        rows += _wrap(f"The oldest price is of {oldest}.", width, "")
        if today - oldest > STALE_AFTER:
            old = sorted({price.sku for price in estimate.prices if today - price.read_on > STALE_AFTER})
            text = f"warning: older than {STALE_AFTER.days} days on {today}, so check them: {', '.join(old)}"
            rows += _wrap(text, width, "", "  ")
    for name in estimate.unused_names:
        rows += _wrap(f"warning: '{name}' of the usage or the rates fits no resource", width, "", "  ")
    one = estimate.free_resources == 1
    counted = f"{estimate.free_resources} {'resource is free in itself' if one else 'resources are free in themselves'}"
    if estimate.external_resources:
        counted += f"; {estimate.external_resources} read from elsewhere, not counted"
    return [*rows, *_wrap(f"{counted}.", width, "")]


def to_json(estimate: Estimate, *, today: date) -> str:
    """Return the estimate as a JSON document of the schema `skerry.cost/1`; docs/cost.md says what it holds."""
    document = {
        "schema": SCHEMA,
        "currency": "USD",
        "stacks": list(estimate.stacks),
        "asOf": estimate.as_of.isoformat(),
        "complete": estimate.is_complete,
        "known": _range(estimate.known),
        "unknownCount": len(estimate.unknown),
        "tiers": [
            {
                "tier": _tier_name(part.tier),
                "known": _range(part.known),
                "unknown": [f"{line.path}: {line.component.name}" for line in part.unknown],
            }
            for part in estimate.by_tier.values()
        ],
        "lines": [_line(line) for line in estimate.lines],
        "comparisons": [
            {
                "derived": True,
                "pool": item.path,
                "tier": _tier_name(item.tier),
                "instance": item.instance,
                "machines": _range(item.machines),
                "monthly": _range(item.monthly),
                "price": _price(item.price),
            }
            for item in estimate.comparisons
        ],
        "unusedNames": list(estimate.unused_names),
        "freeResources": estimate.free_resources,
        "externalResources": estimate.external_resources,
        "functions": functions_json(estimate.functions),
        "today": today.isoformat(),
        "oldestPrice": min((price.read_on.isoformat() for price in estimate.prices), default=None),
        "stalePrices": sum(today - price.read_on > STALE_AFTER for price in estimate.prices),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _line(line: Line) -> dict[str, Any]:
    component = line.component
    quantity = component.quantity
    return {
        "urn": line.urn,
        "path": line.path,
        "type": line.type,
        "tier": _tier_name(line.tier),
        "component": component.name,
        "unit": component.unit,
        "quantity": _range(quantity) if isinstance(quantity, Range) else None,
        "price": _price(component.price),
        "monthly": _range(component.monthly),
        "unknown": component.unknown,
        "note": component.note,
    }


def _range(amounts: Range | None) -> dict[str, str] | None:
    if amounts is None:
        return None
    return {
        "minimum": _plain(amounts.minimum),
        "typical": _plain(amounts.typical),
        "maximum": _plain(amounts.maximum),
    }


def _price(price: Price | OwnRate | PriceNotFound) -> dict[str, str] | None:
    match price:
        case PriceNotFound():
            return None
        case OwnRate():
            return {"usd": _plain(price.usd), "unit": price.unit, "source": price.arithmetic}
        case Price():
            return {
                "usd": _plain(price.usd),
                "unit": price.unit,
                "cloud": price.cloud,
                "region": price.region,
                "sku": price.sku,
                "term": price.term,
                "source": price.source,
                "readOn": price.read_on.isoformat(),
            }


def _plain(number: Decimal) -> str:
    """Return a number without exponent and without trailing zeros, for programs."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _money(amount: Decimal) -> str:
    return f"{amount.quantize(_CENT, ROUND_HALF_UP):,f}"


def _tier_name(tier: Tier | None) -> str:
    return tier.value if tier is not None else "no tier"


def _wrap(text: str, width: int, first: str, rest: str | None = None) -> list[str]:
    return textwrap.wrap(
        _clean(text),
        width,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_on_hyphens=False,
    )


def _clean(text: str) -> str:
    """Return a text with what a terminal might obey taken out."""
    return "".join(char if char.isprintable() else "?" for char in text)
