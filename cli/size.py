"""`skerry size`: how large a system must be, with the line of its analysis behind every number."""

from __future__ import annotations

import argparse
import json
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import yaml

from cli import size_sensei
from cli.options import add_output_options
from cli.output import deliver, width
from cli.size_bills import PLACES, Places, bills
from cli.size_report import bills_document, bills_text
from cost.pricebook import load_book
from cost.rates import read_rates
from skerry.agentdb import chart, plans, tables
from skerry.agentdb.answer import TARGETS, Asked, answer
from skerry.agentdb.document import SCHEMA, contradiction, run_document, to_document
from skerry.agentdb.profiles import profile_names
from skerry.agentdb.text import contradictions_brief, contradictions_text, to_text
from skerry.errors import UsageError
from skerry.jurisdictions import regions

_INSTEAD: Final = ("contradictions", "table", "load_test", "checklist", "chart")
"""Options that ask for something else than an answer."""


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser], help_: str) -> None:
    """Add the verb, with one word more for each system."""
    parser = verbs.add_parser("size", help=help_, description="Needs no stack, no cloud and no network.")
    systems = parser.add_subparsers(dest="system", required=True, metavar="SYSTEM")
    _add_agentdb(systems.add_parser("agentdb", help="architecture, nodes, storage, network, service and cost"))
    size_sensei.add(systems.add_parser("sensei", help="machines of the tiers, GPUs, and whether the model fits them"))


def _add_agentdb(parser: argparse.ArgumentParser) -> None:
    load = parser.add_argument_group("what is asked of it")
    load.add_argument("--agents", type=int, metavar="N", help="agents at once, in all regions")
    load.add_argument("--concurrency", type=int, metavar="N", help="requests at once (default: the most measured, 10)")
    load.add_argument("--users", type=int, metavar="N", help="sessions at once, which hash shards divide")
    load.add_argument("--batches", metavar="N", help="batches of 100 episodes a second that leave for the internet")
    records = parser.add_argument_group("what it keeps (none given: storage is unknown)")
    records.add_argument("--episodes", type=int, metavar="N")
    records.add_argument("--skills", type=int, metavar="N")
    records.add_argument("--edges", "--causal-edges", type=int, metavar="N", dest="causal_edges", help="causal edges")
    records.add_argument(
        "--nodes", "--graph-nodes", type=int, metavar="N", dest="graph_nodes", help="nodes of the graph"
    )
    where = parser.add_argument_group("where")
    where.add_argument("--target", choices=TARGETS, default="aws", help="default: aws")
    where.add_argument("--regions", type=int, metavar="N", help="default: as many as the agents need")
    where.add_argument("--machines", type=int, metavar="N", help="nodes of one region (default: by the matrix)")
    where.add_argument("--node-memory-gib", metavar="GIB", help="refuse nodes of that size where they are too small")
    where.add_argument("--profile", choices=profile_names(), help="default: the smallest that carries the agents")
    where.add_argument("--edge", action="store_true", help="an edge before the regions, which only reads")
    where.add_argument("--at", action="append", metavar="REGION", help="whose prices count, one for each region")
    where.add_argument(
        "--rates", type=Path, metavar="FILE", help="what own machines cost: pool 'agentdb' (docs/cost.md)"
    )
    show = parser.add_argument_group("instead of an answer")
    show.add_argument("--contradictions", action="store_true", help="where the analysis contradicts itself")
    show.add_argument("--table", choices=tables.NAMES, help="one table of the analysis, as data")
    show.add_argument("--load-test", action="store_true", help="every run of the load test, and what was measured")
    show.add_argument("--checklist", action="store_true", help="what to do before, during and after a deployment")
    show.add_argument("--chart", choices=tuple(chart.CHARTS), help="a chart of the load test, as text or svg")
    add_output_options(parser, ("text", "json", "svg"))
    parser.set_defaults(run=run_agentdb)


def run_agentdb(args: argparse.Namespace) -> int:
    """Answer, or show a table; 0 even where a claim of the analysis does not hold, since the answer says so.

    Raises:
        UsageError: an option cannot be used.
        SizingError: what is asked cannot work.
        CostError: the price book or the rates file cannot be used.
    """
    asked = [name for name in _INSTEAD if getattr(args, name)]
    if len(asked) > 1:
        raise UsageError(f"--{' and --'.join(asked).replace('_', '-')} are different questions: ask one at a time")
    if args.format == "svg" and args.chart is None:
        raise UsageError("--format svg is for charts: add --chart, or choose text or json")
    if asked:
        deliver(_shown(args), args.out)
        return 0
    if args.agents is None:
        raise UsageError("--agents is missing: give the number of agents at once, such as --agents 5000")
    found = answer(_asked(args))
    rates = read_rates(args.rates) if args.rates is not None else None
    places = Places(args.target, _places(args))
    priced = bills(found, load_book(), places, rates)
    if args.format == "json":
        deliver(_json({**to_document(found), "cost": bills_document(priced)}), args.out)
        return 0
    columns = width()
    parts = [to_text(found, columns), bills_text(priced, columns), contradictions_brief(found.contradictions, columns)]
    deliver("\n".join(parts), args.out)
    return 0


def _asked(args: argparse.Namespace) -> Asked:
    return Asked(
        agents=args.agents,
        concurrency=args.concurrency,
        episodes=args.episodes,
        skills=args.skills,
        causal_edges=args.causal_edges,
        graph_nodes=args.graph_nodes,
        regions=args.regions,
        machines=args.machines,
        node_memory_gib=_decimal("--node-memory-gib", args.node_memory_gib),
        users=args.users,
        batches_s=_decimal("--batches", args.batches),
        target=args.target,
        profile=args.profile,
        edge=args.edge,
    )


def _places(args: argparse.Namespace) -> tuple[str, ...]:
    """Return the regions whose prices count.

    Raises:
        UsageError: the cloud has no region of that name.
    """
    if not args.at:
        return PLACES[args.target]
    if args.target == "hosts":
        raise UsageError("--at names regions of a cloud, and --target hosts is none: leave it out, or give --rates")
    known = sorted(one.name for one in regions() if one.cloud == args.target)
    for name in args.at:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            remedy = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
            raise UsageError(f"--at '{name}' is not a region of {args.target}: {remedy}")
    return tuple(args.at)


def _decimal(option: str, text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        raise UsageError(f"{option} '{text}' is not a number: write it like 16 or 0.5") from None


def _shown(args: argparse.Namespace) -> str:
    """Return what is asked for instead of an answer."""
    as_json = args.format == "json"
    head = {"schema": SCHEMA, "system": "agentdb"}
    if args.chart is not None:
        if as_json:
            raise UsageError("--format json is not for charts: their rows are in --table stress")
        return chart.to_svg(args.chart) if args.format == "svg" else chart.to_text(args.chart)
    if args.table is not None:
        rows = tables.raw(args.table)
        if as_json:
            return _json({**head, "table": args.table, "rows": rows})
        return str(yaml.safe_dump(rows, sort_keys=False, allow_unicode=True, width=width()))
    if args.load_test:
        return _json({**head, "runs": [run_document(one) for one in plans.runs()]}) if as_json else plans.runs_text()
    if args.checklist:
        steps = {
            name: [step.model_dump(mode="json", exclude={"lines"}) for step in rows]
            for name, rows in plans.checklists().items()
        }
        return _json({**head, "checklists": steps}) if as_json else plans.checklists_text()
    found = tables.contradictions()
    if as_json:
        return _json({**head, "contradictions": [contradiction(one) for one in found]})
    return contradictions_text(found, width())


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
