"""The `skerry` command: parse, dispatch, and turn every error into one message and an exit code.

Exit codes: 0 clean; 1 findings or a refused medium; 2 wrong use or configuration; 3 environment (registry, disk,
crash).
"""

from __future__ import annotations

import argparse
import atexit
import gc
import os
import sys
import threading
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from cli.output import say
from skerry.errors import SkerryError

VERBS: Final = {
    "preview": "show what a stack would make: the resource tree, counts, what is unknown",
    "check": "check a stack against the policies",
    "cost": "estimate what a stack costs in a month: smallest, typical and largest size by tier",
    "size": "how large AgentDB or Sensei must be: nodes, machines, storage, network and cost, with the source of each",
    "preflight": "what must be so before a deployment starts: quotas, addresses, machines, rights, work by hand",
    "render": "write the Kubernetes manifests and a diagram of a stack",
    "migrate": "what becomes of a deployment under another configuration: what stays, is made, moved, done by hand",
    "bundle": "carry images, models, baselines and charts across an air gap",
    "images": "ask registries what the pinned images and charts stand for, and keep the answers",
    "hosts": "machines without an orchestrator: keys, made at the site, and whether each is as its plan says",
    "mesh": "keys, certificates and provisioning bundles of an agent mesh, made at the site",
    "device": "what an edge device carries while it works alone: model, knowledge and settings, signed",
    "config": "about the configuration of stacks",
    "demo": "the whole way on the stack sensei-airgapped, offline, with stand-in images",
}
"""Every verb with its help, in the order in which help lists them."""

_MODULES: Final = {"config": "configuration"}
"""Where a verb's module has another name than the verb."""

EXIT_ENVIRONMENT = 3
EXIT_INTERRUPTED = 130
"""128 and the number of SIGINT, as shells give it."""

_YOUNG_OBJECTS: Final = 100_000
"""How many new objects start the garbage collector; Python's own number is 700."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    if argv is not None:
        return _run(argv)
    # The process is ours and short: a collector that walks every imported module would be a sixth of a preview.
    gc.set_threshold(_YOUNG_OBJECTS)
    code = _run(None)
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        # The interpreter would wait for a thread that a program left behind, which may never end.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        os._exit(code)
    return code


def _run(argv: Sequence[str] | None) -> int:
    try:
        words = list(sys.argv[1:] if argv is None else argv)
        args = _parser(words).parse_args(words)
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


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser, with the options of the verb in `words`: the modules of other verbs are not imported."""
    parser = argparse.ArgumentParser(
        prog="skerry",
        description="Preview, check, price and carry a multi-tier AI platform, from one resource graph.",
        epilog="exit codes: 0 clean; 1 findings or a refused medium; 2 wrong use or configuration; "
        "3 environment (registry, disk, crash)",
    )
    parser.add_argument("--version", action="version", version=_version() if "--version" in words else "")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    chosen = next((word for word in words if not word.startswith("-")), "")
    for verb, help_ in VERBS.items():
        if verb == chosen:
            import_module(f"cli.{_MODULES.get(verb, verb)}").add(verbs, help_)
        else:
            verbs.add_parser(verb, help=help_)
    return parser


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"skerry {version('skerry')}"
    except PackageNotFoundError:
        return "skerry (not installed: run from a checkout)"


if __name__ == "__main__":
    sys.exit(main())
