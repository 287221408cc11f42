"""Runs one Pulumi program for the language host, as `pulumi-language-python-exec` does.

Called as a script with one JSON argument; the configuration comes in PULUMI_CONFIG and PULUMI_CONFIG_SECRET_KEYS.
"""

# Source: pulumi/pulumi sdk/python/cmd/pulumi-language-python-exec, read 2026-11.

from __future__ import annotations

import asyncio
import json
import logging
import os
import runpy
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pulumi
import pulumi.runtime

SHOWN_TO_USER = 32


def _end_with_host() -> None:
    """Wait for the end of stdin, which is the end of the language host."""
    while os.read(0, 1):
        pass
    os._exit(1)


def main() -> int:
    """Run the program and return its exit code."""
    request: dict[str, Any] = json.loads(sys.argv[1])
    threading.Thread(target=_end_with_host, daemon=True).start()
    pulumi.runtime.set_all_config(pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env())
    settings = pulumi.runtime.Settings(**request["settings"])
    pulumi.runtime.configure(settings)
    sys.argv = [request["program"], *request["arguments"]]
    # The folder of this script is no part of the program's own path.
    sys.path.pop(0)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=max(settings.parallel or 1, 1) * 4)
    loop.set_default_executor(executor)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    try:
        loop.run_until_complete(
            pulumi.runtime.run_in_stack(lambda: runpy.run_path(request["program"], run_name="__main__"))
        )
        return 0
    except pulumi.RunError as exc:
        pulumi.log.error(str(exc))
        return 1
    except Exception:
        pulumi.log.error("Program failed with an unhandled exception:\n" + traceback.format_exc())
        return SHOWN_TO_USER
    finally:
        executor.shutdown(wait=True)
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
