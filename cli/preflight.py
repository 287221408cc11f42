"""`skerry preflight`: what must be so before a deployment starts, computed from its plan."""

from __future__ import annotations

import argparse
import json
from typing import Any

from cli.options import add_output_options, add_source_options
from cli.output import deliver, say, width
from cli.sources import deployment_config, load_graph, read_state_file
from cost.pricebook import PriceBook, PriceNotFound, load_book
from skerry.config.load import load_spec
from skerry.config.spec import DeploymentSpec
from skerry.errors import UsageError
from skerry.graph import ResourceGraph
from skerry.preflight.as_json import to_json
from skerry.preflight.choice import Sold
from skerry.preflight.document import Mark, Preflight
from skerry.preflight.examine import examine
from skerry.preflight.permissions import rights_of
from skerry.preflight.text import to_markdown, to_text


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser], help_: str) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "preflight",
        help=help_,
        description="Exit code 1 when the deployment would fail; with --strict also for what could not be told.",
    )
    add_source_options(parser)
    parser.add_argument(
        "--deployed", metavar="FILE", help="what stands already: what `pulumi stack export` of the base printed"
    )
    parser.add_argument(
        "--permissions", action="store_true", help="only the rights of whoever deploys, as IAM policies and roles"
    )
    parser.add_argument("--strict", action="store_true", help="what could not be told fails as well")
    add_output_options(parser, ("text", "json", "markdown"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Examine the plan, report, and return 1 where the deployment would fail.

    Raises:
        UsageError: the stack, or a file, cannot be used.
        ProgramError: the program raised or never finished.
        CatalogError: the catalogue has no machine that fits a pool.
    """
    if args.permissions and args.format == "markdown":
        raise UsageError("--permissions is JSON, which no --format markdown can be: leave one of the two out")
    graph = load_graph(args)
    if args.permissions:
        deliver(_rights(graph), args.out)
        return 0
    deployed = read_state_file(args.deployed) if args.deployed is not None else None
    found = examine(graph, _spec(args, graph), sold=_seen(load_book()), deployed=deployed)
    deliver(_text(found, args.format), args.out)
    if args.out is not None:
        say(f"{sum(step.mark is Mark.PROBLEM for step in found.steps)} things that would fail")
    return found.exit_code(strict=args.strict)


def _text(found: Preflight, form: str) -> str:
    match form:
        case "json":
            return to_json(found)
        case "markdown":
            return to_markdown(found)
        case _:
            return to_text(found, width())


def _rights(graph: ResourceGraph) -> str:
    """Return the rights as JSON, which is what the clouds' own commands take."""
    rights = rights_of(graph)
    document: dict[str, Any] = {
        "policies": list(rights.policies),
        "roles": list(rights.roles),
        "unknown": list(rights.unknown),
    }
    return json.dumps(document, indent=2) + "\n"


def _spec(args: argparse.Namespace, graph: ResourceGraph) -> DeploymentSpec | None:
    """Return the deployment that Skerry's own program was run with; None for any other source."""
    found = deployment_config(args, graph)
    return None if found is None else load_spec(*found)


def _seen(book: PriceBook) -> Sold:
    """Return what the price book shows: a type with a price of the region itself is sold there."""

    def sold(cloud: str, region: str, name: str) -> str | None:
        price = book.find(cloud, region, name, "hour")
        if isinstance(price, PriceNotFound) or price.region != region:
            return None
        return f"{region} sold it on {price.read_on}, by the price book"

    return sold
