"""`skerry preview`: show the resource graph of a stack."""

from __future__ import annotations

import argparse

from cli.options import add_output_options, add_source_options
from cli.output import deliver, width
from cli.sources import load_graph
from skerry.graph_json import to_json
from skerry.render.tree import preview_text


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser], help_: str) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "preview",
        help=help_,
        description="Runs the stack's program in process, without the Pulumi CLI, plugins, credentials or network.",
    )
    add_source_options(parser)
    parser.add_argument("--depth", type=int, metavar="N", help="levels of the tree to show (default: all)")
    add_output_options(parser, ("text", "json"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show the graph; 0 unless the stack cannot be run."""
    graph = load_graph(args)
    deliver(to_json(graph) if args.format == "json" else preview_text(graph, depth=args.depth, width=width()), args.out)
    return 0
