"""Imports the SDK and constructs a program's resources, and nothing else: the least that a run in process can cost.

Called as `construct.py PROJECT STACK...`; several stacks of a project share a process. It counts the start of Python,
`import pulumi`, the import of the cloud's modules as Python does it, and every line of the program, so every
constructor up to its return. Nothing is registered, serialized, awaited, recorded or shown: the SDK has its own mock
monitor, and the process ends with the program's last line. No engine can do its work for less, unless it also saves
on what is counted here, as lazy imports do.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import runpy
import sys
from pathlib import Path

from pulumi.runtime import config as sdk_config
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks, set_mocks

from skerry.engine.project import load_project, load_stack_config


class _Echo(Mocks):
    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[object, object]]:
        return args.name, args.inputs

    def call(self, args: MockCallArgs) -> dict[object, object]:
        return args.args


def construct(folder: Path, stack: str) -> None:
    """Run the program of a stack; the caller gives it a context of its own, where the SDK keeps its settings."""
    project = load_project(folder)
    config = load_stack_config(project, stack)
    values = {**dict.fromkeys(config.secret_keys, "secret"), **config.values}

    async def program() -> None:
        runpy.run_path(str(project.main), run_name="__main__")

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    set_mocks(_Echo(), project=project.name, stack=stack, preview=True)
    sdk_config.set_all_config(values, list(config.secret_keys))
    loop.run_until_complete(program())


def main(folder: str, *stacks: str) -> None:
    """Run the programs in turn and end the process with the last line of the last."""
    root = Path(folder).resolve()
    sys.path.insert(0, str(root))
    for stack in stacks:
        contextvars.Context().run(construct, root, stack)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
