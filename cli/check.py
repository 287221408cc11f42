"""`skerry check`: run the policies over a stack's graph."""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime
from pathlib import Path

from cli.options import add_output_options, add_source_options
from cli.output import deliver, say, width
from cli.sources import load_graph, stack_config
from cost.estimate import estimate
from cost.pricebook import load_book
from policies.reports.document import report_json
from policies.reports.junit import report_junit
from policies.reports.sarif import report_sarif
from policies.reports.text import report_text
from policies.runner import Report, check
from skerry.config.waivers_file import load_waivers
from skerry.errors import UsageError


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser], help_: str) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "check",
        help=help_,
        description="Exit code 1 when a violation above advice is found; with --strict also for what is undetermined.",
    )
    add_source_options(parser)
    parser.add_argument("--strict", action="store_true", help="what is undetermined fails as well")
    parser.add_argument(
        "--today", type=_date, metavar="YYYY-MM-DD", help="the day by which waivers are judged (default: today, UTC)"
    )
    parser.add_argument(
        "--waivers",
        type=Path,
        metavar="FILE",
        help="findings that somebody answers for, beside those of the stack file (docs/policies.md)",
    )
    add_output_options(parser, ("text", "json", "sarif", "junit"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check, report, and return 1 where the stack is not allowed."""
    waivers = load_waivers(args.waivers) if args.waivers is not None else ()
    graph = load_graph(args)
    today = args.today or datetime.now(UTC).date()
    report = check(
        graph,
        today=today,
        estimate=lambda found: estimate(found, load_book(), today=today),
        config=stack_config(args, graph),
        waivers=waivers,
    )
    deliver(_text(report, args.format, args.strict), args.out)
    code = report.exit_code(strict=args.strict)
    if args.out is not None:
        say(f"{len(report.failures)} violations that stop a deployment")
    return code


def _text(report: Report, form: str, strict: bool) -> str:
    match form:
        case "json":
            return report_json(report, strict=strict)
        case "sarif":
            return report_sarif(report)
        case "junit":
            return report_junit(report, strict=strict)
        case _:
            return report_text(report, width(), strict=strict)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--today '{text}' is not a date: write it like 2026-11-30") from None
