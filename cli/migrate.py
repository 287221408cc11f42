"""`skerry migrate`: what becomes of a deployment under another configuration."""

from __future__ import annotations

import argparse
import copy
import json
from pathlib import Path
from typing import Any

import yaml

from cli.options import add_output_options
from cli.output import deliver, width
from cli.sources import deployment_config, load_graph
from skerry.config.spec import CONFIG_KEY
from skerry.errors import UsageError
from skerry.migration.as_json import migration_json
from skerry.migration.plan import plan_migration
from skerry.migration.text import migration_text


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser], help_: str) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "migrate",
        help=help_,
        description="Compares two stacks, or one with changes to it: what stays, what is made, changed and gone, which "
        "data must be moved and what people do. It changes nothing.",
    )
    parser.add_argument("--from", dest="source", metavar="STACK", help="the stack as it stands")
    parser.add_argument("--from-state", metavar="FILE", help="or what `pulumi stack export` printed of it")
    parser.add_argument("--to", metavar="STACK", help="the stack that it shall become")
    parser.add_argument(
        "--change",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="or what shall be other in the configuration of --from, such as mode=saas; may be repeated",
    )
    parser.add_argument("--program", type=Path, metavar="DIR", help=argparse.SUPPRESS)
    parser.add_argument("--config", action="append", default=[], metavar="KEY=VALUE", help="a value for both stacks")
    parser.add_argument("--stack-outputs", type=Path, metavar="FILE", help="what other stacks export")
    add_output_options(parser, ("text", "json"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show the plan; 0 unless a stack cannot be run.

    Raises:
        UsageError: it is not clear which two are to be compared, or they are of two systems.
        ConfigError: a changed configuration cannot be used.
    """
    if (args.source is None) == (args.from_state is None):
        raise UsageError("name what stands: either --from STACK or --from-state FILE")
    if (args.to is None) == (not args.change):
        raise UsageError("name what it shall become: either --to STACK or --change FIELD=VALUE, once or more")
    if args.change and args.source is None:
        raise UsageError("--change changes the configuration of --from STACK, and a state has none: name the stack")
    old = load_graph(_source(args, args.source, state=args.from_state))
    changed = [] if args.to is not None else [f"{CONFIG_KEY}={_changed(args, old)}"]
    new = load_graph(_source(args, args.to or args.source, more=changed))
    plan = plan_migration(old, new, destination=args.to or f"{args.source} with {', '.join(args.change)}")
    deliver(migration_json(plan) if args.format == "json" else migration_text(plan, width()), args.out)
    return 0


def _source(
    args: argparse.Namespace, stack: str | None, *, state: str | None = None, more: list[str] | None = None
) -> argparse.Namespace:
    """Return the arguments of one side, as every verb reads its source."""
    return argparse.Namespace(
        stack=stack,
        program=args.program,
        config=[] if state is not None else [*args.config, *(more or [])],
        answers=None,
        stack_outputs=None if state is not None else args.stack_outputs,
        from_preview=None,
        from_state=state,
        graph=None,
    )


def _changed(args: argparse.Namespace, old: Any) -> str:
    """Return the configuration of the old stack with what is changed, as JSON."""
    found = deployment_config(_source(args, args.source), old)
    if found is None or not isinstance(found[0], dict):
        raise UsageError("--change needs a stack of Skerry's own program")
    value = copy.deepcopy(found[0])
    for pair in args.change:
        field, equals, text = pair.partition("=")
        if not equals or not field:
            raise UsageError(f"--change '{pair}' is not FIELD=VALUE: write for example --change mode=saas")
        _set(value, field.split("."), _value(pair, text))
    return json.dumps(value)


def _value(pair: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as exc:
        raise UsageError(f"--change '{pair}' has a value that is no YAML: quote it") from exc


def _set(value: dict[str, Any], path: list[str], wanted: Any) -> None:
    """Set one field; what is empty is taken away."""
    for part in path[:-1]:
        inner = value.setdefault(part, {})
        if not isinstance(inner, dict):
            raise UsageError(f"--change {'.'.join(path)}: '{part}' has no fields")
        value = inner
    if wanted is None:
        value.pop(path[-1], None)
    else:
        value[path[-1]] = wanted
