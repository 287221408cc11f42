"""The way in: run the program of a project for a stack and get its resource graph.

>>> graph = run_deployment(Path("."), "dev")  # doctest: +SKIP

What a run needs is Python and the packages that the program imports: no command, no plugin, no credential, no network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from skerry.engine.answers import Answers, load_answers
from skerry.engine.exchange import Run, StackNeededError
from skerry.engine.monitor import Monitor
from skerry.engine.project import Project, StackConfig, check_required, load_project, load_stack_config
from skerry.engine.regions import warn_of_regions
from skerry.engine.session import execute
from skerry.engine.stack_outputs import load_stack_outputs
from skerry.errors import ConfigError, Problem
from skerry.graph import ResourceGraph, merge

__all__ = [
    "Answers",
    "Project",
    "StackConfig",
    "load_answers",
    "load_project",
    "load_stack_config",
    "load_stack_outputs",
    "run_deployment",
    "run_program",
]

_TIMEOUT_S: Final = 300.0
"""A program that takes longer waits for something that never comes."""


def run_program(
    program: Path,
    stack: str,
    config: StackConfig | None = None,
    *,
    stack_outputs: Mapping[str, Mapping[str, Any]] = {},
    answers: Answers | None = None,
    timeout_s: float = _TIMEOUT_S,
) -> ResourceGraph:
    """Run the program of the project in the folder `program` as a preview of a new `stack`.

    `config` is taken from the stack's file when left out. `stack_outputs` answers stack references (stack name ->
    outputs in graph values); a reference to any other stack has unknown outputs and stands in the graph's invokes.
    `answers` answers provider functions; None means the built-in table.

    Raises:
        ConfigError: the project or the stack's file cannot be used.
        ProgramError: the program raised, or did not end within `timeout_s`.
        SkerryError: an error of Skerry that the program raised passes through as it is.
    """
    project = load_project(program)
    chosen = config if config is not None else load_stack_config(project, stack)
    return _run(project, stack, chosen, _Given(stack_outputs, answers, timeout_s), frozenset())


def run_deployment(
    program: Path,
    stack: str,
    overrides: Mapping[str, str] = {},
    *,
    answers: Answers | None = None,
    stack_outputs: Mapping[str, Mapping[str, Any]] = {},
    require_file: bool = True,
) -> ResourceGraph:
    """Run `stack` and, before it, the stacks of the same project that it refers to; return them as one graph.

    `overrides` (full key -> value) change the configuration of `stack`, not that of the stacks below it; a key that is
    secret in the stack's file stays secret. A stack that is found to be needed is run, and the program that needed it
    is started anew, unless `stack_outputs` (stack name -> outputs) answers for it. `answers` answers provider
    functions; None means the built-in table. Without `require_file` a stack that has no file is run with the
    project's defaults and the overrides alone.

    Raises:
        ConfigError: the project or a stack's file cannot be used, or stacks refer to each other in a circle.
        ProgramError: a program raised, or did not end.
        SkerryError: an error of Skerry that a program raised passes through as it is.
    """
    project = load_project(program)
    done: dict[str, ResourceGraph] = {}
    if require_file or project.stack_file(stack).is_file():
        loaded = load_stack_config(project, stack)
    else:
        loaded = StackConfig(dict(project.config_defaults), frozenset())
    config = StackConfig({**loaded.values, **overrides}, loaded.secret_keys)
    check_required(project, stack, config)
    _run_with_bases(project, stack, config, _Given(stack_outputs, answers, _TIMEOUT_S), done, ())
    return merge(done.values())


@dataclass(frozen=True, slots=True)
class _Given:
    """What a caller gives to every stack that is run."""

    stack_outputs: Mapping[str, Mapping[str, Any]]
    answers: Answers | None
    timeout_s: float


def _run_with_bases(
    project: Project,
    stack: str,
    config: StackConfig,
    given: _Given,
    done: dict[str, ResourceGraph],
    below: tuple[str, ...],
) -> None:
    path = (*below, stack)
    while True:
        # A stack that reads its own earlier outputs has none on its first preview: unknown, not a circle.
        siblings = frozenset(project.stacks()) - done.keys() - {stack}
        outputs = {name: graph.stack_outputs(name) for name, graph in done.items()}
        with_files = replace(given, stack_outputs={**outputs, **given.stack_outputs})
        try:
            done[stack] = _run(project, stack, config, with_files, siblings)
        except StackNeededError as needed:
            if needed.stack in path:
                circle = " -> ".join((*path[path.index(needed.stack) :], needed.stack))
                problem = Problem("", f"the stacks refer to each other: {circle}", "take one of the references out")
                raise ConfigError(project.stack_file(stack).name, [problem]) from None
            _run_with_bases(project, needed.stack, load_stack_config(project, needed.stack), given, done, path)
        else:
            return


def _run(project: Project, stack: str, config: StackConfig, given: _Given, siblings: frozenset[str]) -> ResourceGraph:
    monitor = Monitor(
        project.name,
        stack,
        given.stack_outputs,
        config.values,
        answers=given.answers,
        packages=project.packages,
    )
    execute(Run(project, stack, config, monitor, given.timeout_s, siblings))
    graph = monitor.graph()
    warn_of_regions(graph, config.values)
    return graph
