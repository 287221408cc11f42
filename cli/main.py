"""The `skerry` command: parse, dispatch, and turn every error into one message and an exit code.

Exit codes: 0 clean; 1 findings or a refused medium; 2 wrong use or configuration; 3 environment (registry, disk,
crash).
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from cli import bundle, check, configuration, cost, demo, preview, render
from cli.output import say
from skerry.errors import SkerryError

VERBS = (preview, check, cost, render, bundle, configuration, demo)
"""Every verb, in the order in which help lists them."""

EXIT_ENVIRONMENT = 3
EXIT_INTERRUPTED = 130
"""128 and the number of SIGINT, as shells give it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    try:
        args = _parser().parse_args(argv)
        code: int = args.run(args)
        return code
    except SkerryError as exc:
        say(f"skerry: {exc}")
        return exc.exit_code
    except BrokenPipeError:
        # The reader went away (`skerry ... | head`): nothing is wrong, but Python must not flush into the pipe again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        say("skerry: interrupted; nothing that was written is taken for whole")
        return EXIT_INTERRUPTED
    except Exception as exc:  # noqa: BLE001  the last line of defence: never Python's own exit code 1
        if "SKERRY_DEBUG" in os.environ:
            traceback.print_exc()
        say(f"skerry: crashed: {type(exc).__name__}: {exc}; this is a defect: set SKERRY_DEBUG=1 and report the trace")
        return EXIT_ENVIRONMENT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="skerry",
        description="Preview, check, price and carry a multi-tier AI platform, from one resource graph.",
        epilog="exit codes: 0 clean; 1 findings or a refused medium; 2 wrong use or configuration; "
        "3 environment (registry, disk, crash)",
    )
    parser.add_argument("--version", action="version", version=f"skerry {_version()}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for module in VERBS:
        module.add(verbs)
    return parser


def _version() -> str:
    try:
        return version("skerry")
    except PackageNotFoundError:
        return "(not installed: run from a checkout)"


if __name__ == "__main__":
    sys.exit(main())
