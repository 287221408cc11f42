"""Options that verbs share."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from skerry.errors import UsageError


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """Add the ways to say which graph a verb reads: a program that is run, or what another producer wrote."""
    run = parser.add_argument_group("a program, run in process (default: Skerry's own)")
    run.add_argument("--stack", metavar="NAME", help="the stack, as in Pulumi.<NAME>.yaml")
    run.add_argument(
        "--program",
        type=Path,
        metavar="DIR",
        help="any Pulumi project in Python: the folder with Pulumi.yaml (default: the nearest one at or above the "
        "working directory, else Skerry's)",
    )
    run.add_argument("--project", type=Path, dest="program", help=argparse.SUPPRESS)
    run.add_argument(
        "--config",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="set a config value for this run, as `pulumi config set` does; may be repeated",
    )
    run.add_argument("--answers", type=Path, metavar="FILE", help="what provider functions answer (docs/producers.md)")
    run.add_argument("--stack-outputs", type=Path, metavar="FILE", help="what other stacks export (docs/producers.md)")
    read = parser.add_argument_group("or a file, of a program in any language ('-': standard input)")
    read.add_argument(
        "--from-preview", metavar="FILE", help="what `pulumi preview --json --show-sames` printed, or its events"
    )
    read.add_argument("--from-state", metavar="FILE", help="what `pulumi stack export` printed")
    read.add_argument("--graph", metavar="FILE", help="what `skerry preview --format json` wrote")


def add_output_options(parser: argparse.ArgumentParser, formats: tuple[str, ...]) -> None:
    """Add `--format` and `--out`."""
    parser.add_argument("--format", choices=formats, default=formats[0], help=f"default: {formats[0]}")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write here instead of to the terminal")


def color_allowed() -> bool:
    """Say whether the terminal may be coloured. Source: no-color.org, read 2026-11."""
    return "NO_COLOR" not in os.environ


def passphrase_of(path: Path | None) -> bytes | None:
    """Return the passphrase that a file holds on its first line; None where no file is named.

    Raises:
        UsageError: the file cannot be read.
    """
    if path is None:
        return None
    try:
        return path.read_bytes().splitlines()[0]
    except (OSError, IndexError) as exc:
        raise UsageError(f"--passphrase-file '{path}' cannot be read: {exc}") from exc
