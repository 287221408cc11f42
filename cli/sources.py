"""Where a verb's graph comes from: a program that is run in process, or a file that another producer wrote.

Exactly one source counts. Only the first kind imports Pulumi.
"""

from __future__ import annotations

import argparse
import codecs
import json
import re
import sys
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cli.output import say
from skerry.errors import UsageError
from skerry.graph import ResourceGraph, places_of

if TYPE_CHECKING:
    from skerry.engine.project import Project

CHECKOUT: Final = Path(__file__).resolve().parent.parent
"""Where Skerry itself lies; its own stacks are taken when no project is found above the working directory."""
MAX_BYTES: Final = 512 * 1024 * 1024
"""Of a file; a state of ten thousand resources has some 50 MB."""
_SKERRY: Final = "skerry"
_DEFAULT_STACK: Final = "dev"
_GZIP: Final = b"\x1f\x8b"
"""Backends that are a folder or bucket may keep their states compressed."""
_ENCODINGS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
"""A redirection in Windows PowerShell writes UTF-16."""


def load_graph(args: argparse.Namespace) -> ResourceGraph:
    """Return the graph that the arguments name.

    Raises:
        UsageError: no or more than one source is named, or it cannot be used.
        GraphError: a file does not hold a whole graph.
        ProgramError: a program raised or never finished.
    """
    given = file_source(args)
    return _read(args, *given) if given else _run(args)


def file_source(args: argparse.Namespace) -> tuple[str, str] | None:
    """Return the option and the file of a source that is not run, or None.

    Raises:
        UsageError: more than one source is named, or an option that only a program takes.
    """
    files = {"--from-preview": args.from_preview, "--from-state": args.from_state, "--graph": args.graph}
    given = {option: file for option, file in files.items() if file is not None}
    if not given:
        return None
    option, file = next(iter(given.items()))
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} are two sources: give one of them")
    ran = {
        "--stack": args.stack,
        "--program": args.program,
        "--answers": args.answers,
        "--stack-outputs": args.stack_outputs,
    }
    if also := [name for name, value in ran.items() if value is not None]:
        raise UsageError(f"{option} reads what was made already, so {', '.join(also)} has no meaning: leave it out")
    return option, file


def stack_config(args: argparse.Namespace, graph: ResourceGraph) -> dict[str, str]:
    """Return the configuration that policies judge by: of providers, never of Skerry's own program.

    Raises:
        UsageError: the stack or its configuration cannot be used.
    """
    config = dict(graph.places.get(graph.stacks[-1], {}))
    if file_source(args) is None:
        project = _project(args)
        config |= _config_of(project, graph.stacks[-1]) | overrides(args.config, _namespace(project))
    return {key: value for key, value in config.items() if not key.startswith(f"{_SKERRY}:")}


def deployment_config(args: argparse.Namespace, graph: ResourceGraph) -> tuple[object, str] | None:
    """Return the value that Skerry's own program was run with, and what to call it; None for every other source.

    Raises:
        UsageError: the stack or its configuration cannot be used.
    """
    if file_source(args) is not None:
        return None
    from skerry.config.spec import CONFIG_KEY

    project = _project(args)
    if project.program != CHECKOUT:
        return None
    values = _config_of(project, graph.stacks[-1]) | overrides(args.config, _namespace(project))
    text = values.get(CONFIG_KEY)
    return None if text is None else (json.loads(text), f"the configuration of {graph.stacks[-1]}")


def read_state_file(file: str) -> ResourceGraph:
    """Return the graph of what `pulumi stack export` wrote, beside the source that a verb reads.

    Raises:
        UsageError: it cannot be read.
        GraphError: it does not hold a whole state.
    """
    return _reader("--from-state")(_text("--deployed", file))


def overrides(pairs: list[str], namespace: str) -> dict[str, str]:
    """Return `--config` pairs as full keys; a bare key is one of `namespace`.

    Raises:
        UsageError: a pair has no `=`.
    """
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"--config '{pair}' is not KEY=VALUE: write for example --config aws:region=eu-central-1")
        found[key if ":" in key else f"{namespace}:{key}"] = value
    return found


def _run(args: argparse.Namespace) -> ResourceGraph:
    from skerry.engine.lazy_start import lean_pulumi

    with lean_pulumi():
        from skerry.engine.answers import load_answers
        from skerry.engine.run import run_deployment
        from skerry.engine.stack_outputs import load_stack_outputs

    project = _project(args)
    stack = _short(args.stack, project.name) if args.stack else _default_stack(project, args.program is not None)
    own = project.program == CHECKOUT
    if args.stack and not own and stack not in project.stacks():
        known = ", ".join(project.stacks()) or "none"
        say(f"skerry: the stack '{stack}' has no file, so only --config sets values (stacks with a file: {known})")
    set_here = overrides(args.config, _namespace(project))
    answers = load_answers(args.answers) if args.answers is not None else None
    graph = run_deployment(
        project.root,
        stack,
        set_here,
        answers=answers,
        stack_outputs=load_stack_outputs(args.stack_outputs) if args.stack_outputs is not None else {},
        require_file=own,
    )
    for text in answers.unused(graph.invokes) if answers is not None else ():
        say(f"skerry: a row of {args.answers} was not used: {text}")
    places = {name: places_of(_config_of(project, name) | (set_here if name == stack else {})) for name in graph.stacks}
    return replace(graph, places={name: found for name, found in places.items() if found})


def _short(stack: str, project: str) -> str:
    """Return the last part of a stack's name in full, `<organization>/<project>/<stack>`, as the command prints it.

    What is written otherwise is returned whole.

    Raises:
        UsageError: the stack is one of another project.
    """
    found = re.fullmatch(r"[\w-][\w.-]*/(?:([\w-][\w.-]*)/)?([\w-][\w.-]*)", stack)
    if found is None:
        return stack
    if found[1] not in (None, project):
        raise UsageError(
            f"--stack '{stack}' is a stack of the project '{found[1]}', and this is '{project}': name its folder "
            "with --program"
        )
    return found[2]


def _project(args: argparse.Namespace) -> Project:
    from skerry.engine.project import load_project

    return load_project(project_folder(args.program))


def project_folder(given: Path | None) -> Path:
    """Return the folder of the project that a command means.

    Raises:
        UsageError: the given folder has no Pulumi.yaml.
    """
    if given is not None:
        if not any((given / name).is_file() for name in ("Pulumi.yaml", "Pulumi.yml")):
            raise UsageError(f"--program '{given}' has no Pulumi.yaml: name the folder that holds it")
        return given.resolve()
    here = Path.cwd().resolve()
    for folder in (here, *here.parents):
        if (folder / "Pulumi.yaml").is_file():
            return folder
    return CHECKOUT


def _namespace(project: Project) -> str:
    # Skerry's program reads its own namespace, whatever the project around it is called.
    return _SKERRY if project.program == CHECKOUT else project.name


def _default_stack(project: Project, named: bool) -> str:
    """Return the stack that is meant where none is named, and say so."""
    stacks = project.stacks()
    if project.program == CHECKOUT and not named and len(stacks) != 1:
        raise UsageError(f"no stack is named: give --stack NAME, one of {', '.join(stacks)}, or a file to read")
    if len(stacks) > 1 and _DEFAULT_STACK not in stacks:
        raise UsageError(f"{project.root} has several stacks: give --stack NAME, one of {', '.join(stacks)}")
    stack = stacks[0] if len(stacks) == 1 else _DEFAULT_STACK
    say(f"skerry: no --stack given, so the stack is '{stack}'{'' if stacks else ', which has no file'}")
    return stack


def _config_of(project: Project, stack: str) -> dict[str, str]:
    from skerry.engine.project import load_stack_config

    if stack not in project.stacks():
        return dict(project.config_defaults)
    return dict(load_stack_config(project, stack).values)


def deployment_of(program: Path | None, stack: str) -> str:
    """Return the JSON of a stack's deployment, for a command that runs no program.

    Raises:
        UsageError: the stack has no file, or its file no deployment of Skerry's.
    """
    from skerry.config.spec import CONFIG_KEY
    from skerry.engine.project import load_project

    project = load_project(project_folder(program))
    if stack not in project.stacks():
        raise UsageError(f"the stack '{stack}' has no file: {', '.join(project.stacks()) or 'no stack'} have")
    text = _config_of(project, stack).get(CONFIG_KEY)
    if text is None:
        raise UsageError(f"the file of stack '{stack}' holds no {CONFIG_KEY}: name a stack of Skerry's")
    return text


def _read(args: argparse.Namespace, option: str, file: str) -> ResourceGraph:
    graph = _reader(option)(_text(option, file))
    set_here = overrides(args.config, graph.project)
    if others := sorted(set_here.keys() - places_of(set_here).keys()):
        raise UsageError(
            f"--config {others[0]} cannot change a graph that was made already: with {option} it sets only the region, "
            "zone or location of default providers, such as aws:region=eu-central-1"
        )
    if not set_here:
        return graph
    return replace(graph, places={stack: {**graph.places.get(stack, {}), **set_here} for stack in graph.stacks})


def _reader(option: str) -> Callable[[str], ResourceGraph]:
    if option == "--graph":
        from skerry.graph_json import from_json

        return from_json
    if option == "--from-state":
        from skerry.readers.state import read_state

        return read_state
    from skerry.readers.preview_json import read_preview

    return read_preview


def _text(option: str, file: str) -> str:
    """Return the text of a file, or of standard input for `-`.

    Raises:
        UsageError: it cannot be read, or is larger than a graph can be.
    """
    name = "standard input" if file == "-" else f"'{file}'"
    try:
        if file == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(file).open("rb") as opened:
                data = opened.read(MAX_BYTES + 1)
    except OSError as exc:
        raise UsageError(f"{option} {name} cannot be read: {exc.strerror or exc}") from exc
    if len(data) > MAX_BYTES:
        raise UsageError(f"{option} {name} is larger than {MAX_BYTES >> 20} MiB: this holds no graph of one stack")
    if data.startswith(_GZIP):
        data = _unpacked(option, name, data)
    encoding = next((found for mark, found in _ENCODINGS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as exc:
        raise UsageError(f"{option} {name} is not text in UTF-8: {exc.reason} at byte {exc.start}") from exc


def _unpacked(option: str, name: str, data: bytes) -> bytes:
    """Return what a gzip file holds.

    Raises:
        UsageError: it is damaged, or holds more than a graph can be.
    """
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        found = unpacker.decompress(data, MAX_BYTES)
    except zlib.error as exc:
        raise UsageError(f"{option} {name} is a damaged gzip file: {exc}") from exc
    if not unpacker.eof:
        why = f"holds more than {MAX_BYTES >> 20} MiB" if unpacker.unconsumed_tail else "is cut off: copy it whole"
        raise UsageError(f"{option} {name} is a gzip file that {why}")
    return found
