"""Runs a Pulumi Python program as its own process; the language host starts it with the program's interpreter."""

# Source: pulumi 3.272.0 (pulumi/runtime/settings.py, stack.py, config.py), read 2026-11.

from __future__ import annotations

import argparse
import asyncio
import logging
import runpy
import sys
import traceback

import pulumi
import pulumi.runtime


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("monitor", "engine", "project", "stack", "organization", "root", "parallel", "dry-run"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("program")
    parser.add_argument("arguments", nargs="*")
    args = parser.parse_args()
    pulumi.runtime.set_all_config(pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env())
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            monitor=args.monitor,
            engine=args.engine,
            project=args.project,
            stack=args.stack,
            organization=args.organization,
            root_directory=args.root,
            parallel=int(args.parallel),
            dry_run=args.dry_run == "true",
        )
    )
    sys.argv = [args.program, *args.arguments]
    # A program that fails leaves futures that nobody waits for; asyncio would report each of them.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        run = pulumi.runtime.run_in_stack(lambda: runpy.run_path(args.program, run_name="__main__"))
        loop.run_until_complete(run)
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return 1
    except Exception:
        pulumi.log.error(traceback.format_exc())
        return 1
    finally:
        loop.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
