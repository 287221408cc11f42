"""`skerry cost`: what a stack costs in a month, by tier, and what nobody can price."""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime
from pathlib import Path

from cli.options import add_output_options, add_source_options
from cli.output import deliver, say, width
from cli.sources import load_graph
from cost.estimate import estimate
from cost.pricebook import load_book
from cost.rates import read_rates
from cost.report import to_json, to_text
from cost.usage import read_usage
from skerry.errors import UsageError


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser], help_: str) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "cost",
        help=help_,
        description="Prices come from Skerry's dated price book alone; what has no price is listed, not guessed.",
    )
    add_source_options(parser)
    parser.add_argument(
        "--usage", type=Path, metavar="FILE", help="what a stack cannot say: GB, requests (docs/cost.md)"
    )
    parser.add_argument(
        "--rates", type=Path, metavar="FILE", help="what machines and storage of your own cost (docs/cost.md)"
    )
    parser.add_argument("--brief", action="store_true", help="the tiers, what is unknown in a sentence, the sources")
    parser.add_argument(
        "--today", type=_date, metavar="YYYY-MM-DD", help="the day by which prices are judged old (default: today, UTC)"
    )
    add_output_options(parser, ("text", "json"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Estimate and report; 0 even where something has no price, since the report says so.

    Raises:
        UsageError: the stack cannot be used.
        CostError: the price book, or a usage or rates file, cannot be used.
        ProgramError: the program raised or never finished.
    """
    today = args.today or datetime.now(UTC).date()
    usage = read_usage(args.usage) if args.usage is not None else None
    rates = read_rates(args.rates) if args.rates is not None else None
    found = estimate(load_graph(args), load_book(), usage, rates, today=today)
    if args.format == "json":
        text = to_json(found, today=today)
    else:
        text = to_text(found, width(), today=today, brief=args.brief)
    deliver(text, args.out)
    if args.out is not None:
        say(f"{'' if found.is_complete else 'at least '}{found.maximum_usd:,.2f} USD a month at the largest size")
    return 0


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--today '{text}' is not a date: write it like 2026-11-30") from None
