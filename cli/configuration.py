"""`skerry config schema`: the JSON Schema of a stack file, for editors."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from cli.output import deliver
from skerry.config.load import json_schema


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser], help_: str) -> None:
    """Add the verb."""
    parser = verbs.add_parser("config", help=help_)
    inner = parser.add_subparsers(dest="config_verb", required=True, metavar="schema")
    schema = inner.add_parser("schema", help="write the JSON Schema of a stack file, for editors")
    schema.add_argument("--format", choices=("json",), default="json", help="default: json")
    schema.add_argument("--out", type=Path, metavar="FILE", help="write here instead of to the terminal")
    schema.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the schema."""
    deliver(json.dumps(json_schema(), indent=2) + "\n", args.out)
    return 0
