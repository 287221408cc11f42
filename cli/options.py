"""Options that verbs share, and how they become a graph."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from skerry.engine.run import run_deployment
from skerry.errors import UsageError
from skerry.graph import ResourceGraph

CHECKOUT = Path(__file__).resolve().parent.parent
"""Where Skerry itself lies; its own stacks are taken when no project is found above the working directory."""


def add_stack_options(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add `--stack`, `--project` and `--config` to a verb that reads a stack."""
    parser.add_argument("--stack", required=required, metavar="NAME", help="the stack, as in stacks/Pulumi.<NAME>.yaml")
    parser.add_argument(
        "--project",
        type=Path,
        metavar="DIR",
        help="the folder with Pulumi.yaml (default: the nearest one at or above the working directory, else Skerry's)",
    )
    parser.add_argument(
        "--config",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="set a flat config value of the stack for this run; may be repeated",
    )


def add_output_options(parser: argparse.ArgumentParser, formats: tuple[str, ...]) -> None:
    """Add `--format` and `--out`."""
    parser.add_argument("--format", choices=formats, default=formats[0], help=f"default: {formats[0]}")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write here instead of to the terminal")


def project_folder(given: Path | None) -> Path:
    """Return the folder of the project that a command means.

    Raises:
        UsageError: the given folder has no Pulumi.yaml.
    """
    if given is not None:
        if not (given / "Pulumi.yaml").is_file():
            raise UsageError(f"--project '{given}' has no Pulumi.yaml: name the folder that holds it")
        return given.resolve()
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / "Pulumi.yaml").is_file():
            return folder
    return CHECKOUT


def overrides(pairs: list[str]) -> dict[str, str]:
    """Return `--config` pairs as full keys.

    Raises:
        UsageError: a pair has no `=`.
    """
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(
                f"--config '{pair}' is not KEY=VALUE: write for example --config imagesLock=images/my.lock"
            )
        found[key if ":" in key else f"skerry:{key}"] = value
    return found


def load_graph(args: argparse.Namespace) -> ResourceGraph:
    """Run the stack that the arguments name and return its graph.

    Raises:
        UsageError: the stack or its configuration cannot be used.
        ProgramError: the program raised or never finished.
    """
    return run_deployment(project_folder(args.project), args.stack, overrides(args.config))


def color_allowed() -> bool:
    """Say whether the terminal may be coloured. Source: no-color.org, read 2026-11."""
    return "NO_COLOR" not in os.environ
